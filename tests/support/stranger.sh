# stranger.sh - for scripts that try what another user of this machine could do. It is sourced.
#
# find_stranger, then: as USER COMMAND..., with an empty environment. Only root can become somebody else.
# shellcheck shell=bash

# Sets `stranger' to a user that is neither root nor the one given.
find_stranger() # USER
{
    local name
    stranger=
    [ "$(id -u)" -eq 0 ] && setpriv --reuid=0 true 2>/dev/null || return 1
    for name in games daemon bin nobody; do
        if [ "$name" != "$1" ] && id "$name" >/dev/null 2>&1; then
            # shellcheck disable=SC2034 # the script that sources this reads it
            stranger=$name
            return 0
        fi
    done
    return 1
}

as() # USER COMMAND...
{
    local user=$1
    shift
    (cd / && env -i PATH="$PATH" ${EVPQ_PG_LIBDIR:+LD_LIBRARY_PATH="$EVPQ_PG_LIBDIR"} \
        setpriv --reuid="$user" --regid="$(id -g "$user")" --clear-groups "$@")
}

# Prints the paths below FOLDER, but for those below BUT, that USER could write.
writable_by() # USER FOLDER BUT
{
    # shellcheck disable=SC2016
    find "$2" -path "$3" -prune -o ! -type l -print0 |
        as "$1" xargs -0 sh -c 'for path; do [ ! -w "$path" ] || echo "$path"; done' -
}
