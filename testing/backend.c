/* backend.c - a connection to the scripted server: its socket, and when its messages are taken. */
#include "testing/server_impl.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

enum { READ_SIZE = 64 << 10 };

void backend_new(struct evpq_test_server *server, int fd)
{
    struct backend *b = take_memory(sizeof *b);
    int one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one); /* fails on a Unix socket */
    b->server = server;
    b->fd = fd;
    b->pid = ++server->last_pid;
    b->key = 0x5eed0000U + (uint32_t)b->pid;
    b->status = 'I';
    b->next = server->backends;
    server->backends = b;
}

/* With bytes in its receive buffer, close() would send a reset, and what was said before could be
 * lost. */
static void backend_close(struct backend *b)
{
    char sink[4096];
    if (b->fd < 0)
        return;
    for (int i = 0; i < 1024 && recv(b->fd, sink, sizeof sink, MSG_DONTWAIT) > 0; i++)
        ;
    shutdown(b->fd, SHUT_RDWR);
    close(b->fd);
    b->fd = -1;
}

void backend_free(struct backend *b)
{
    backend_close(b);
    prepared_forget(b, NULL);
    portal_clear(&b->portal);
    for (struct channel *c = b->channels, *next; c; c = next) {
        next = c->next;
        free(c);
    }
    bytes_free(&b->in);
    bytes_free(&b->out);
    bytes_free(&b->heard);
    free(b);
}

void backend_end(struct backend *b)
{
    b->at = AT_END;
}

void backend_cut(struct backend *b)
{
    b->sendable = 0;
    backend_end(b);
}

void backend_terminate(struct backend *b)
{
    static const struct fault fault = {
        .severity = "FATAL",
        .sqlstate = "57P01",
        .message = "terminating connection due to administrator command",
        .function = "ProcessInterrupts",
    };
    if (b->at == AT_END)
        return;
    if (b->started)
        answer_fault(b, 'E', &fault);
    backend_flush(b);
    backend_end(b);
}

static void backend_read(struct backend *b)
{
    char room[READ_SIZE];
    ssize_t n;
    while (!b->eof && (n = recv(b->fd, room, sizeof room, MSG_DONTWAIT)) != 0) {
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (n < 0)
            break;
        bytes_put(&b->in, room, (size_t)n);
    }
    b->eof = true;
}

static void backend_send(struct backend *b)
{
    while (b->sendable) {
        ssize_t n = send(b->fd, bytes_begin(&b->out), b->sendable, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (n < 0) {
            backend_close(b);
            return;
        }
        b->sendable -= (size_t)n;
        bytes_take(&b->out, (size_t)n);
    }
}

/* A client that has said its last is still served what it asked before. */
void backend_turn(struct backend *b)
{
    if (b->fd < 0)
        return;
    backend_read(b);
    if (b->at == AT_WAIT && b->due <= testing_now())
        run_waited(b);
    while (b->at == AT_MESSAGES && message_take(b))
        ;
    backend_send(b);
    bool idle = b->at == AT_END || (b->at == AT_MESSAGES && b->eof);
    bool hopeless = b->at == AT_WAIT && b->eof && b->due > testing_now() + 3600;
    if (b->fd >= 0 && ((idle && !b->sendable) || hopeless))
        backend_close(b);
}
