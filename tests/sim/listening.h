/* listening.h - a listener of the program, and what must hold for its subscriptions: between two
 * GAPs nothing is missing, twice, or out of order; nor behind what was looked at when LISTEN came
 * into force or a GAP was taken. */
#ifndef TESTS_SIM_LISTENING_H
#define TESTS_SIM_LISTENING_H

#include "sim/asks.h"

/* Opens one, with options that are drawn. */
void listening_open(void);
/* A subscription of somebody else's, given; NULL: there is no listener, or no memory. */
evpq_subscription *listening_subscribe(void);
/* Subscribes, lets go, or notifies. False: there is no listener. */
bool use_listening(void);
void listening_told(struct call *c);
/* At the end of a turn of the loop: waits for events where nobody does. */
void listening_go_on(void);
/* Whether all have heard of the last notification. */
bool listening_is_even(void);
/* Others notify, too. */
void listening_notify_all(void);
/* Lets go of all; what is asked for is told so. */
void listening_close(void);
bool listening_left(void);

#endif
