# shellcheck shell=bash
# command.sh - for the scripts that run a command in something that they clean up after it: a server, a pooler. Sourced.
#
# catch_signals, once there is something to clean up: a function clean_up runs at the exit. run_command CMD [ARG]...
# sets `status' to that of CMD, which has the standard input and the signals of the foreground.
# shellcheck disable=SC2317 # some functions are reached through a trap alone
child=
signals=0
status=1

catch_signals()
{
    trap clean_up EXIT
    trap 'on_signal HUP 1' HUP
    trap 'on_signal INT 2' INT
    trap 'on_signal QUIT 3' QUIT
    trap 'on_signal TERM 15' TERM
}

# First thing in a clean_up.
ignore_signals()
{
    trap '' HUP INT QUIT TERM
    trap - EXIT
}

# A signal goes on to CMD, and the second one is its end. What is typed at a terminal CMD has had already.
on_signal() # NAME NUMBER
{
    if [ -z "$child" ]; then
        exit $((128 + $2))
    fi
    signals=$((signals + 1))
    if [ "$signals" -gt 1 ]; then
        kill -KILL "$child" 2>/dev/null
    elif [ "$1" = TERM ] || [ "$1" = HUP ] || ! [ -t 0 ]; then
        kill -"$1" "$child" 2>/dev/null
    fi
}

# CMD has no open file of ours but the standard three.
run_command()
{
    # In the background, so that a signal is acted on while it runs.
    exec 3<&0
    (
        trap - HUP INT QUIT TERM EXIT
        exec "$@" 3<&- 9>&-
    ) <&3 &
    child=$!
    exec 3<&-
    while :; do
        wait "$child"
        status=$?
        kill -0 "$child" 2>/dev/null || break
    done
}
