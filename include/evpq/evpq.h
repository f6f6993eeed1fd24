/* evpq.h - everything a program needs: libpq's calls as futures on a libev loop.
 *
 * Words used in every prototype's comment:
 *   borrowed   still the owner's; valid until the moment that is named
 *   given      now yours; hand it back with the function that is named
 *   taken      now the library's, even when the call fails; do not touch it again
 *
 * Thread: a loop and all that hangs on it (pools, leases, futures, results of its futures) belong
 * to the one thread that runs the loop. Different loops may run in different threads at the same
 * time.
 *
 * The manual begins at evpq(7). */
#ifndef EVPQ_EVPQ_H
#define EVPQ_EVPQ_H

#include <evpq/args.h>
#include <evpq/codec.h>
#include <evpq/copy.h>
#include <evpq/error.h>
#include <evpq/future.h>
#include <evpq/listen.h>
#include <evpq/loop.h>
#include <evpq/nested.h>
#include <evpq/pool.h>
#include <evpq/quote.h>
#include <evpq/result.h>
#include <evpq/scan.h>
#include <evpq/stream.h>
#include <evpq/sync.h>
#include <evpq/task.h>
#include <evpq/txn.h>
#include <evpq/types.h>
#include <evpq/version.h>

#endif
