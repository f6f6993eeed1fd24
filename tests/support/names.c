/*
 * The name server on order: see names.h. The rules are guarded by one lock, which is never held
 * while a look-up sleeps.
 */
#undef _FORTIFY_SOURCE

#include "support/names.h"

#include <dlfcn.h>
#include <netdb.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "support/watch.h"

#define INTERPOSE __attribute__((visibility("default")))

enum { NAMES_MAX = 8 };

struct rule {
    char host[128];
    double delay;
    int error;
    char addresses[256];
    long calls;
};

static struct {
    pthread_mutex_t lock;
    struct rule rule[NAMES_MAX];
} names = {.lock = PTHREAD_MUTEX_INITIALIZER};

typedef int lookup_fn(const char *, const char *, const struct addrinfo *, struct addrinfo **);

/* With the lock held. An empty host finds a free place. */
static struct rule *find(const char *host)
{
    for (int i = 0; i < NAMES_MAX; i++)
        if (strcmp(names.rule[i].host, host) == 0)
            return &names.rule[i];
    return NULL;
}

void names_set(const struct name *name)
{
    const char *addresses = name->addresses ? name->addresses : "";
    struct rule *r;

    pthread_mutex_lock(&names.lock);
    r = find(name->host);
    if (!r)
        r = find("");
    if (!r || strlen(name->host) >= sizeof r->host || strlen(addresses) >= sizeof r->addresses)
        abort();
    *r = (struct rule){.delay = name->delay, .error = name->error};
    strcpy(r->host, name->host);
    strcpy(r->addresses, addresses);
    pthread_mutex_unlock(&names.lock);
}

long names_calls(const char *host)
{
    struct rule *r;
    long calls;

    pthread_mutex_lock(&names.lock);
    r = find(host);
    calls = r ? r->calls : 0;
    pthread_mutex_unlock(&names.lock);
    return calls;
}

void names_reset(void)
{
    pthread_mutex_lock(&names.lock);
    memset(names.rule, 0, sizeof names.rule);
    pthread_mutex_unlock(&names.lock);
}

static bool rule_for(const char *host, struct rule *ret_rule)
{
    struct rule *r = NULL;

    pthread_mutex_lock(&names.lock);
    if (host && host[0] && strlen(host) < sizeof r->host)
        r = find(host);
    if (r) {
        r->calls++;
        *ret_rule = *r;
    }
    pthread_mutex_unlock(&names.lock);
    return r != NULL;
}

static void sleep_for(double seconds)
{
    struct timespec t = {.tv_sec = (time_t)seconds};

    t.tv_nsec = (long)((seconds - (double)t.tv_sec) * 1e9);
    while (nanosleep(&t, &t) != 0)
        ;
}

/*
 * One list out of one look-up an address. The C library frees such a list entry by entry, so lists
 * may be joined.
 */
static int give(lookup_fn *next, struct rule *r, const char *service, const struct addrinfo *hints,
                struct addrinfo **ret_list)
{
    struct addrinfo numeric = hints ? *hints : (struct addrinfo){.ai_family = AF_UNSPEC};
    struct addrinfo **tail = ret_list;
    char *rest = NULL;

    numeric.ai_flags |= AI_NUMERICHOST;
    *ret_list = NULL;
    for (char *a = strtok_r(r->addresses, ",", &rest); a; a = strtok_r(NULL, ",", &rest)) {
        int error = next(a, service, &numeric, tail);

        if (error == EAI_ADDRFAMILY || error == EAI_NONAME)
            continue; /* not of the family that was asked for */
        if (error != 0) {
            if (*ret_list)
                freeaddrinfo(*ret_list);
            *ret_list = NULL;
            return error;
        }
        while (*tail)
            tail = &(*tail)->ai_next;
    }
    return *ret_list ? 0 : EAI_NONAME;
}

INTERPOSE int getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
                          struct addrinfo **ret_list)
{
    struct rule r;
    lookup_fn *next;

    *(void **)&next = dlsym(RTLD_NEXT, "getaddrinfo");
    if (!next)
        abort();
    if (hints && hints->ai_flags & AI_NUMERICHOST)
        return next(host, service, hints, ret_list);
    if (host)
        watch_note("getaddrinfo(%s)", host);
    if (!rule_for(host, &r))
        return next(host, service, hints, ret_list);
    sleep_for(r.delay);
    if (r.error != 0)
        return r.error;
    return give(next, &r, service, hints, ret_list);
}
