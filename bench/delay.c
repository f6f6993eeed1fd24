/* delay.c - delay MILLISECONDS PROGRAM [ARG]...: runs PROGRAM with a server that is farther away.
 *
 * PROGRAM finds in PGHOST and PGPORT a port of 127.0.0.1, behind which is the server that they
 * named before. Each byte arrives so many milliseconds after it was sent, either way, however many
 * are on their way: latency, with all the bandwidth that the machine has. The exit status is
 * PROGRAM's. */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { READ_MAX = 256 << 10, PAIRS_MAX = 512 };

struct chunk {
    struct chunk *next;
    double due;
    size_t length, written;
    char bytes[];
};

/* One direction of one connection. */
struct way {
    int from, to;
    struct chunk *first, *last;
    bool ended; /* nothing more comes from `from` */
    bool blocked;
};

struct pair {
    struct way ways[2];
};

static struct pair pairs[PAIRS_MAX];
static size_t n_pairs;
static double delay;

static _Noreturn void fail(const char *what)
{
    perror(what);
    exit(1);
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- one way ---- */

static void way_read(struct way *w)
{
    static char bytes[READ_MAX];
    ssize_t n = read(w->from, bytes, sizeof bytes);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        w->ended = true;
        return;
    }
    struct chunk *c = malloc(sizeof *c + (size_t)n);
    if (!c)
        fail("malloc");
    *c = (struct chunk){.due = now() + delay, .length = (size_t)n};
    memcpy(c->bytes, bytes, (size_t)n);
    if (w->first)
        w->last->next = c;
    else
        w->first = c;
    w->last = c;
}

static void way_drop(struct way *w)
{
    struct chunk *c = w->first;
    w->first = c->next;
    free(c);
}

/* Writes what is due. */
static void way_write(struct way *w)
{
    w->blocked = false;
    for (struct chunk *c; (c = w->first) && c->due <= now();) {
        ssize_t n = send(w->to, c->bytes + c->written, c->length - c->written, MSG_NOSIGNAL);
        if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
            w->blocked = true;
            return;
        }
        c->written += n < 0 ? c->length - c->written : (size_t)n; /* nobody is left to read it */
        if (c->written == c->length)
            way_drop(w);
    }
}

/* ---- the connections ---- */

static int dial(void)
{
    const char *host = getenv("PGHOST"), *port = getenv("PGPORT");
    if (!host || !port) {
        fprintf(stderr, "delay: PGHOST and PGPORT must name the server\n");
        exit(2);
    }
    int fd = -1;
    if (*host == '/') {
        struct sockaddr_un place = {.sun_family = AF_UNIX};
        snprintf(place.sun_path, sizeof place.sun_path, "%s/.s.PGSQL.%s", host, port);
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0 || connect(fd, (struct sockaddr *)&place, sizeof place))
            fail(place.sun_path);
        return fd;
    }
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found;
    if (getaddrinfo(host, port, &hints, &found))
        fail(host);
    fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, found->ai_addr, found->ai_addrlen))
        fail(host);
    freeaddrinfo(found);
    return fd;
}

static void make_ready(int fd)
{
    int one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one); /* in vain on a Unix socket */
    if (fcntl(fd, F_SETFL, O_NONBLOCK))
        fail("fcntl");
}

static void pair_new(int listener)
{
    int client = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (client < 0)
        return;
    if (n_pairs == PAIRS_MAX) {
        close(client);
        return;
    }
    struct pair *p = &pairs[n_pairs++];
    int server = dial();
    make_ready(client);
    make_ready(server);
    p->ways[0] = (struct way){.from = client, .to = server};
    p->ways[1] = (struct way){.from = server, .to = client};
}

/* When one side has said its last, and that has arrived, both are closed. */
static bool pair_over(struct pair *p)
{
    for (int i = 0; i < 2; i++)
        if (p->ways[i].ended && !p->ways[i].first)
            return true;
    return false;
}

static void pair_end(struct pair *p)
{
    for (int i = 0; i < 2; i++) {
        while (p->ways[i].first)
            way_drop(&p->ways[i]);
        close(p->ways[i].from);
    }
    *p = pairs[--n_pairs];
}

/* ---- all of it ---- */

static int listen_somewhere(void)
{
    struct sockaddr_in place = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof place;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&place, sizeof place) || listen(fd, PAIRS_MAX) ||
        getsockname(fd, (struct sockaddr *)&place, &size))
        fail("listen");
    return fd;
}

static int port_of(int listener)
{
    struct sockaddr_in place;
    socklen_t size = sizeof place;
    getsockname(listener, (struct sockaddr *)&place, &size);
    return ntohs(place.sin_port);
}

static pid_t start(char **command, int listener, const sigset_t *signals)
{
    pid_t child = fork();
    if (child < 0)
        fail("fork");
    if (child)
        return child;
    char port[12];
    snprintf(port, sizeof port, "%d", port_of(listener));
    setenv("PGHOST", "127.0.0.1", 1);
    setenv("PGPORT", port, 1);
    sigprocmask(SIG_UNBLOCK, signals, NULL);
    execvp(command[0], command);
    perror(command[0]);
    _exit(127);
}

/* What is waited for on each descriptor, and until when at the longest. */
static struct timespec *watch(struct pollfd *fds, struct timespec *ret_pause)
{
    double next = 0;
    for (size_t i = 0; i < 2 * n_pairs; i++) {
        struct way *w = &pairs[i / 2].ways[i % 2], *other = &pairs[i / 2].ways[!(i % 2)];
        fds[i] = (struct pollfd){.fd = w->ended && !other->blocked ? -1 : w->from};
        fds[i].events = (short)((w->ended ? 0 : POLLIN) | (other->blocked ? POLLOUT : 0));
        if (w->first && !w->blocked && (!next || w->first->due < next))
            next = w->first->due;
    }
    if (!next)
        return NULL;
    double pause = next - now();
    if (pause < 0)
        pause = 0;
    *ret_pause = (struct timespec){(time_t)pause, (long)((pause - (double)(time_t)pause) * 1e9)};
    return ret_pause;
}

static void forward(int listener, int ended)
{
    struct pollfd fds[2 * PAIRS_MAX + 2];
    struct timespec pause;
    for (;;) {
        size_t n = 2 * n_pairs;
        struct timespec *until = watch(fds, &pause);
        fds[n] = (struct pollfd){.fd = listener, .events = POLLIN};
        fds[n + 1] = (struct pollfd){.fd = ended, .events = POLLIN};
        if (ppoll(fds, n + 2, until, NULL) < 0 && errno != EINTR)
            fail("ppoll");
        if (fds[n + 1].revents)
            return;
        for (size_t i = 0; i < n; i++) {
            struct way *w = &pairs[i / 2].ways[i % 2];
            if (fds[i].revents & (POLLIN | POLLHUP | POLLERR) && !w->ended)
                way_read(w);
            way_write(w);
        }
        for (size_t i = n_pairs; i-- > 0;)
            if (pair_over(&pairs[i]))
                pair_end(&pairs[i]);
        if (fds[n].revents)
            pair_new(listener);
    }
}

int main(int argc, char **argv)
{
    sigset_t signals;
    int status;

    if (argc < 3) {
        fprintf(stderr, "usage: delay MILLISECONDS PROGRAM [ARG]...\n");
        return 2;
    }
    delay = atof(argv[1]) / 1e3;
    sigemptyset(&signals);
    sigaddset(&signals, SIGCHLD);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    int listener = listen_somewhere();
    pid_t child = start(argv + 2, listener, &signals);
    forward(listener, signalfd(-1, &signals, SFD_CLOEXEC));
    if (waitpid(child, &status, 0) != child)
        fail("waitpid");
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
