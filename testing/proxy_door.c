/*
 * The proxy's listening socket, in each of the ways it can treat who comes; see enum proxy_door.
 * Owned by struct proxy, guarded by its worker's lock. The port stays the same whatever the door does.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "testing/proxy_impl.h"

enum { BACKLOG = 256 };

static struct sockaddr_in loopback(int port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
}

/* A bound socket that does not listen refuses, and keeps the port ours. */
static bool door_bind(struct door *d)
{
    struct sockaddr_in at = loopback(d->port);
    socklen_t size = sizeof at;
    int one = 1;

    d->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (d->listener < 0)
        return false;
    setsockopt(d->listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(d->listener, (struct sockaddr *)&at, sizeof at) != 0 ||
        getsockname(d->listener, (struct sockaddr *)&at, &size) != 0)
        return false;
    if (!d->port) /* once: it is read without the lock */
        d->port = ntohs(at.sin_port);
    return true;
}

void door_close(struct door *d)
{
    for (int i = 0; i < DOOR_FILLERS; i++) {
        if (d->filler[i] >= 0)
            close(d->filler[i]);
        d->filler[i] = -1;
    }
    if (d->listener >= 0)
        close(d->listener);
    d->listener = -1;
}

static bool door_listen(struct door *d, int backlog)
{
    return listen(d->listener, backlog) == 0;
}

/* With its backlog full, a listening socket lets further SYNs fall. */
static void door_fill(struct door *d)
{
    struct sockaddr_in at = loopback(d->port);

    if (!door_listen(d, 0))
        testing_die("listen");
    for (int i = 0; i < DOOR_FILLERS; i++) {
        d->filler[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (d->filler[i] < 0)
            testing_die("socket");
        if (connect(d->filler[i], (struct sockaddr *)&at, sizeof at) != 0 && errno != EINPROGRESS)
            testing_die("connect");
    }
}

bool door_open(struct door *d)
{
    for (int i = 0; i < DOOR_FILLERS; i++)
        d->filler[i] = -1;
    d->is = PROXY_OPEN;
    if (door_bind(d) && door_listen(d, BACKLOG))
        return true;
    int error = errno;
    door_close(d);
    errno = error;
    return false;
}

bool door_is_open(const struct door *d)
{
    return d->is == PROXY_OPEN || d->is == PROXY_SILENT;
}

void door_set(struct door *d, enum proxy_door how)
{
    bool was_open = door_is_open(d);

    d->is = how;
    if (was_open && door_is_open(d))
        return;
    door_close(d);
    if (!door_bind(d) || (door_is_open(d) && !door_listen(d, BACKLOG)))
        testing_die("the proxy's door");
    if (how == PROXY_IGNORE)
        door_fill(d);
}

int door_accept(struct door *d)
{
    int one = 1;
    int client;

    if (!door_is_open(d))
        return -1;
    client = accept4(d->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (client >= 0)
        setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    else
        worker_accepted_none(d->listener);
    return client;
}
