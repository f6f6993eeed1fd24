/* proxy_api.c - the public face of the proxy: evpq_test_proxy_... of evpq/testing.h. */
#include "testing/opts.h"
#include "testing/proxy.h"

#include <errno.h>
#include <evpq/testing.h>
#include <math.h>
#include <string.h>

/* What the two headers number alike. */
_Static_assert((int)EVPQ_TEST_TO_SERVER == (int)PROXY_TO_SERVER, "ways");
_Static_assert((int)EVPQ_TEST_TO_CLIENT == (int)PROXY_TO_CLIENT, "ways");
_Static_assert((int)EVPQ_TEST_DOOR_OPEN == (int)PROXY_OPEN, "doors");
_Static_assert((int)EVPQ_TEST_DOOR_REFUSE == (int)PROXY_REFUSE, "doors");
_Static_assert((int)EVPQ_TEST_DOOR_SILENT == (int)PROXY_SILENT, "doors");
_Static_assert((int)EVPQ_TEST_DOOR_IGNORE == (int)PROXY_IGNORE, "doors");
_Static_assert((int)EVPQ_TEST_ACT_CUT == (int)PROXY_CUT, "acts");
_Static_assert((int)EVPQ_TEST_ACT_RESET == (int)PROXY_RESET, "acts");
_Static_assert((int)EVPQ_TEST_ACT_STALL == (int)PROXY_STALL, "acts");
_Static_assert((int)EVPQ_TEST_ACT_SWALLOW == (int)PROXY_SWALLOW, "acts");

/* The struct has no other name inside. */
static struct proxy *inner(const evpq_test_proxy *proxy)
{
    return (struct proxy *)(uintptr_t)proxy;
}

/* ---- life ---- */

evpq_test_proxy *evpq_test_proxy_start(const char *host, int port, char **ret_error)
{
    static const char *const form =
        "host is to be a numeric IPv4 address or the folder of a Unix socket, port 1 to 65535";
    struct proxy *p = NULL;
    errno = EINVAL;
    if (host && port > 0 && port < 65536)
        p = proxy_try_start(host, port);
    if (!p)
        wrong(ret_error, "a proxy to %s, port %d: %s", host ? host : "(null)", port,
              errno == EINVAL ? form : strerror(errno));
    return (evpq_test_proxy *)(void *)p;
}

void evpq_test_proxy_stop(evpq_test_proxy *proxy)
{
    proxy_stop(inner(proxy));
}

int evpq_test_proxy_port(const evpq_test_proxy *proxy)
{
    return proxy_port(inner(proxy));
}

/* ---- controls ---- */

bool evpq_test_proxy_target(evpq_test_proxy *proxy, const char *host, int port)
{
    return host && port > 0 && port < 65536 && proxy_try_target(inner(proxy), host, port);
}

void evpq_test_proxy_door(evpq_test_proxy *proxy, evpq_test_door door)
{
    proxy_door(inner(proxy), (enum proxy_door)door);
}

static bool is_way(evpq_test_way way)
{
    return (unsigned)way <= EVPQ_TEST_TO_CLIENT;
}

static int milliseconds(double seconds)
{
    return !(seconds > 0) ? 0 : seconds < 1e6 ? (int)ceil(seconds * 1e3) : 1000000000;
}

void evpq_test_proxy_delay(evpq_test_proxy *proxy, evpq_test_way way, double seconds)
{
    if (is_way(way))
        proxy_delay(inner(proxy), (enum proxy_dir)way, milliseconds(seconds));
}

void evpq_test_proxy_stall(evpq_test_proxy *proxy, evpq_test_way way, bool stalled)
{
    if (is_way(way))
        proxy_stall(inner(proxy), (enum proxy_dir)way, stalled);
}

void evpq_test_proxy_drop_cancels(evpq_test_proxy *proxy, bool drop)
{
    proxy_cancels(inner(proxy), drop ? PROXY_CANCEL_DROP : PROXY_CANCEL_PASS, 0);
}

void evpq_test_proxy_cut(evpq_test_proxy *proxy)
{
    proxy_cut(inner(proxy));
}

void evpq_test_proxy_reset(evpq_test_proxy *proxy)
{
    proxy_reset(inner(proxy));
}

void evpq_test_proxy_heal(evpq_test_proxy *proxy)
{
    proxy_heal(inner(proxy));
}

/* ---- traps ---- */

static const char *what_is_wrong(const evpq_test_trap *t)
{
    if (!is_way(t->way))
        return "way is none of evpq_test_way";
    if ((unsigned)t->act > EVPQ_TEST_ACT_SWALLOW)
        return "act is none of evpq_test_act";
    if (t->act == EVPQ_TEST_ACT_SWALLOW && t->way != EVPQ_TEST_TO_SERVER)
        return "only a request is swallowed: way is to be EVPQ_TEST_TO_SERVER";
    if (t->nth < 0)
        return "nth is negative";
    if (!!t->message + !!t->text + !!t->bytes > 1)
        return "of message, text and bytes only one can be set";
    if (t->text && (!*t->text || strlen(t->text) > PROXY_BYTES_MAX))
        return "text is empty, or has more than 64 bytes";
    return NULL;
}

bool evpq_test_proxy_arm(evpq_test_proxy *proxy, const evpq_test_trap *trap, char **ret_error)
{
    evpq_test_trap t;
    if (!kind_read(KIND(evpq_test_trap, way), trap, &t, ret_error))
        return false;
    const char *reason = trap ? what_is_wrong(&t) : "there is none";
    if (reason)
        return wrong(ret_error, "evpq_test_trap: %s", reason);
    struct proxy_trigger trigger = {
        .dir = (enum proxy_dir)t.way,
        .act = (enum proxy_act)t.act,
        .message = t.message,
        .bytes = t.text,
        .nth = t.nth,
        .before = t.before,
    };
    return proxy_try_arm(inner(proxy), &trigger, t.bytes) ||
           wrong(ret_error, "evpq_test_trap: there are %d already", PROXY_TRIGGERS_MAX);
}

bool evpq_test_proxy_wait(evpq_test_proxy *proxy, uint64_t fired, double seconds)
{
    return proxy_wait_fired(inner(proxy), (long)fired, seconds);
}

bool evpq_test_proxy_get_stats(evpq_test_proxy *proxy, evpq_test_proxy_stats *stats)
{
    struct proxy_stats s = proxy_stats(inner(proxy));
    evpq_test_proxy_stats all = {
        .connections = (uint64_t)s.seen,
        .open = (uint64_t)s.open,
        .cancels = (uint64_t)s.cancels,
        .fired = (uint64_t)s.fired,
        .to_server = s.bytes[PROXY_TO_SERVER],
        .to_client = s.bytes[PROXY_TO_CLIENT],
    };
    return kind_write(KIND(evpq_test_proxy_stats, connections), &all, stats);
}
