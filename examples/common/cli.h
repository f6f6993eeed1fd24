/* cli.h - what the programs here share at their start: three open streams, and connection strings
 * that nobody else can read. */
#ifndef COMMON_CLI_H
#define COMMON_CLI_H

/* Opens the null device on each of the descriptors 0, 1 and 2 that is closed, so that no file and
 * no socket takes its place. It is opened the wrong way round: reading from a standard input, and
 * writing to a standard output that was closed fails with EBADF, as it would without this. Call it
 * first in main(). Ends the program with status 1 where it cannot. */
void cli_guard_streams(void);

/* A copy of a connection string from the command line, or what the bare name of a database comes
 * to as one; borrowed for the life of the program. Where it may hold a password, `arg` is
 * overwritten with x: other users of the machine can read the command line of a process (ps,
 * /proc/PID/cmdline). Call it as soon as the option is read; what was read before that cannot be
 * taken back. */
const char *cli_take_conninfo(char *arg);

/* `message`, which says what is wrong with `conninfo`, fit to be shown: where conninfo may hold a
 * password, what stands in double quotes is left out. Borrowed for the life of the program. */
const char *cli_mask(const char *message, const char *conninfo);

#endif
