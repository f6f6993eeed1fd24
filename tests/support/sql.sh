# shellcheck shell=bash
# sql.sh - asks the server of tests/with-postgres. One psql serves all questions of a script: a process and a connection
# for each would take more than the question does. Sourced; the server must have a psql, EVPQ_PSQL.
#
#   sql TEXT            prints what it gives
#   gives TEXT WANTED   whether it gives that
#   until_sql TEXT      until it gives t, at most 30 s
#   nap SECONDS         waits
#
# TEXT is what psql reads: statements with semicolons between them, each a transaction of its own, and backslash
# commands. It may have 4,000 bytes. The session is the same for all that is asked of the database $PGDATABASE, until
# another one is asked. Each fails where a statement does; those behind it are not run. A connection that was lost since
# the last question is replaced by a new one; TEXT itself is never run twice. A subshell may ask, too, but no two
# processes at once.
sql_to='' sql_from='' sql_answer=''
exec {sql_silence}<> <(:)

# A new psql. It has no open file of ours, for the other end of one would not see us close it; and the script is no end
# of its input alone, so that it may be written to when it has ended.
sql_begin()
{
    exec {sql_to}<> <(:)
    exec {sql_from}< <(
        exec <"/dev/fd/$sql_to"
        for ((fd = 3; fd < 256; fd++)); do
            eval "exec $fd>&-"
        done
        exec env LC_ALL=C "$EVPQ_PSQL" -XAtq -P pager=off -v ON_ERROR_STOP=1 -c '\echo ready' -f -
    )
    sql_hear
}

sql_hear() # fails, and forgets the psql, where it has ended
{
    IFS= read -r -u "$sql_from" _ && return
    exec {sql_to}>&- {sql_from}<&-
    sql_to=
    return 1
}

# A psql that answers, in the right database.
sql_ready()
{
    if [ -n "$sql_to" ]; then
        printf '%s\n' "select :'DBNAME' <> '$PGDATABASE' as elsewhere \\gset" '\if :elsewhere' "\\connect $PGDATABASE" \
            '\endif' '\echo ready' >&"$sql_to"
        sql_hear && return
    fi
    sql_begin
}

sql_ask()
{
    local line
    sql_answer=
    sql_ready || return
    printf '%s\n;\n\\echo -- answered\n' "$1" >&"$sql_to"
    while IFS= read -r -u "$sql_from" line; do
        if [ "$line" = '-- answered' ]; then
            sql_answer=${sql_answer%$'\n'}
            return 0
        fi
        sql_answer+=$line$'\n'
    done
    sql_hear
}

sql()
{
    sql_ask "$1" || return
    [ -z "$sql_answer" ] || printf '%s\n' "$sql_answer"
}

gives()
{
    sql_ask "$1" && [ "$sql_answer" = "$2" ]
}

until_sql()
{
    local tries
    for ((tries = 0; tries < 600; tries++)); do
        gives "$1" t && return
        nap 0.05
    done
    return 1
}

nap()
{
    read -r -t "$1" -u "$sql_silence"
    return 0
}
