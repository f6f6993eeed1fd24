/* signals.h - Ctrl-C and SIGTERM: the first asks for an orderly end, the second ends the program
 * there and then.
 *
 * The handler writes to a pipe that the loop watches, and interrupts system calls, so that even a
 * program that is stuck in writing to a full pipe can be ended by the second signal. */
#ifndef RUN_SIGNALS_H
#define RUN_SIGNALS_H

/* Installs the handlers; SIGPIPE becomes an error of write(). The descriptor to watch, or -1 with
 * errno set. */
int signals_open(void);

#endif
