/* signals.h - Ctrl-C, SIGTERM and SIGHUP: the first asks for an orderly end. A second Ctrl-C or
 * SIGTERM ends the program there and then; SIGHUP never does.
 *
 * The handler writes to a pipe that the loop watches, and interrupts system calls, so that even a
 * program that is stuck in writing to a full pipe can be ended by the second signal. */
#ifndef RUN_SIGNALS_H
#define RUN_SIGNALS_H

/* Installs the handlers; SIGPIPE becomes an error of write(). The descriptor to watch, or -1 with
 * errno set. */
int signals_open(void);

#endif
