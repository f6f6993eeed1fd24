/* resolve.c - getaddrinfo in a thread.
 *
 * The request belongs to the thread until it comes back; abandoning it only means that nobody is
 * told then. */
#include "wire/resolve.h"

#include "async/thread.h"
#include "base/mem.h"

#include <netdb.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

struct resolve {
    struct thread_call call;
    resolve_done_fn *done; /* NULL: abandoned */
    void *owner;
    int code; /* getaddrinfo's */
    struct addresses found;
    char host[];
};

static bool is_known(const struct addresses *a, const char *address)
{
    for (int i = 0; i < a->n; i++)
        if (!strcmp(a->is[i], address))
            return true;
    return false;
}

static int look_up(const char *host, int flags, struct addresses *found)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = flags};
    struct addrinfo *list = NULL;
    found->n = 0;
    int code = getaddrinfo(host, NULL, &hints, &list);
    for (struct addrinfo *a = list; !code && a && found->n < RESOLVE_MOST; a = a->ai_next) {
        char *room = found->is[found->n];
        if (!getnameinfo(a->ai_addr, a->ai_addrlen, room, RESOLVE_ADDRESS_SIZE, NULL, 0,
                         NI_NUMERICHOST) &&
            !is_known(found, room))
            found->n++;
    }
    if (list)
        freeaddrinfo(list);
    return !code && !found->n ? EAI_NONAME : code;
}

bool resolve_literal(const char *host, struct addresses *ret_found)
{
    return !look_up(host, AI_NUMERICHOST, ret_found);
}

static void work(struct thread_call *call)
{
    struct resolve *r = container_of(call, struct resolve, call);
    r->code = look_up(r->host, 0, &r->found);
}

static void returned(struct thread_call *call)
{
    struct resolve *r = container_of(call, struct resolve, call);
    if (r->done)
        r->done(r->owner, &r->found, r->code ? gai_strerror(r->code) : NULL);
    mem_free(r);
}

struct resolve *resolve_start(evpq_loop *loop, const char *host, resolve_done_fn *done, void *owner)
{
    size_t length = strlen(host) + 1;
    struct resolve *r = mem_alloc(sizeof *r + length);
    if (!r)
        return NULL;
    *r = (struct resolve){.call = {.work = work, .done = returned}, .done = done, .owner = owner};
    memcpy(r->host, host, length);
    if (thread_call_start(loop, &r->call))
        return r;
    mem_free(r);
    return NULL;
}

void resolve_abandon(struct resolve *r)
{
    if (r)
        r->done = NULL;
}
