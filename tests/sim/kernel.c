/* kernel.c - see kernel.h. */
#undef _FORTIFY_SOURCE
#include "sim/kernel.h"

#include "sim/kernel_impl.h"
#include "sim/net.h"
#include "sim/server.h"

#include <errno.h>
#include <ev.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { FIRST = 64, FILES = 256 }; /* numbers below are the real kernel's */

enum kind { FREE, SOCKET, BLOCKING_SOCKET, EVENTFD };

struct file {
    enum kind kind;
    struct link *link; /* NULL: not connected */
    uint64_t count;    /* of an eventfd */
};

static struct {
    struct file files[FILES];
    int open;
    bool waiting;     /* libev is: in its poll() */
    bool interrupted; /* or is to return from it */
    int turns;
} kernel;

void kernel_begin(void)
{
    kernel.open = kernel.turns = 0;
    kernel.waiting = kernel.interrupted = false;
    kernel_clock_begin();
}

int kernel_open_files(void)
{
    return kernel.open;
}

int kernel_turns(void)
{
    return kernel.turns;
}

void kernel_interrupt(void)
{
    kernel.interrupted = true;
}

/* ---- descriptors ---- */

static struct file *file_of(int fd)
{
    bool ours = fd >= FIRST && fd < FIRST + FILES && kernel.files[fd - FIRST].kind;
    return ours ? &kernel.files[fd - FIRST] : NULL;
}

static struct file *socket_of(int fd)
{
    struct file *f = file_of(fd);
    if (f && f->kind != EVENTFD)
        return f;
    errno = EBADF;
    return NULL;
}

static int open_file(enum kind kind)
{
    for (int i = 0; i < FILES; i++) {
        if (kernel.files[i].kind)
            continue;
        kernel.files[i] = (struct file){.kind = kind};
        kernel.open++;
        return FIRST + i;
    }
    errno = EMFILE;
    return -1;
}

int sim_close(int fd) REPLACES(close);
int sim_close(int fd)
{
    struct file *f = file_of(fd);
    if (!f)
        return (int)syscall(SYS_close, fd);
    if (f->link)
        net_close(f->link);
    *f = (struct file){.kind = FREE};
    kernel.open--;
    return 0;
}

int sim_eventfd(unsigned count, int flags) REPLACES(eventfd);
int sim_eventfd(unsigned count, int flags)
{
    (void)flags;
    int fd = open_file(EVENTFD);
    if (fd >= 0)
        file_of(fd)->count = count;
    return fd;
}

ssize_t sim_read(int fd, void *bytes, size_t n) REPLACES(read);
ssize_t sim_read(int fd, void *bytes, size_t n)
{
    struct file *f = file_of(fd);
    if (!f)
        return syscall(SYS_read, fd, bytes, n);
    if (!f->count) {
        errno = EAGAIN;
        return -1;
    }
    memcpy(bytes, &f->count, sizeof f->count);
    f->count = 0;
    return sizeof f->count;
}

ssize_t sim_write(int fd, const void *bytes, size_t n) REPLACES(write);
ssize_t sim_write(int fd, const void *bytes, size_t n)
{
    struct file *f = file_of(fd);
    if (!f)
        return syscall(SYS_write, fd, bytes, n);
    uint64_t more;
    memcpy(&more, bytes, sizeof more);
    f->count += more;
    return sizeof more;
}

int sim_fcntl(int fd, int command, ...) REPLACES(fcntl);
int sim_fcntl(int fd, int command, ...)
{
    va_list args;
    va_start(args, command);
    long arg = va_arg(args, long);
    va_end(args);
    struct file *f = file_of(fd);
    if (!f)
        return (int)syscall(SYS_fcntl, fd, command, arg);
    if (command == F_GETFL)
        return f->kind == BLOCKING_SOCKET ? O_RDWR : O_RDWR | O_NONBLOCK;
    if (command == F_SETFL && f->kind != EVENTFD)
        f->kind = arg & O_NONBLOCK ? SOCKET : BLOCKING_SOCKET;
    return 0;
}

int sim_ioctl(int fd, unsigned long request, ...) REPLACES(ioctl);
int sim_ioctl(int fd, unsigned long request, ...)
{
    va_list args;
    va_start(args, request);
    void *arg = va_arg(args, void *);
    va_end(args);
    struct file *f = file_of(fd);
    if (!f)
        return (int)syscall(SYS_ioctl, fd, request, arg);
    *(int *)arg = f->link ? (int)buffer_size(&f->link->in) : 0; /* FIONREAD */
    return 0;
}

/* ---- sockets ----
 * One that blocks belongs to PQcancel in its thread: it gets all it wants at once, as the thread was
 * late enough (below). */

int sim_socket(int domain, int type, int protocol) REPLACES(socket);
int sim_socket(int domain, int type, int protocol)
{
    (void)domain, (void)protocol;
    return open_file(type & SOCK_NONBLOCK ? SOCKET : BLOCKING_SOCKET);
}

int sim_connect(int fd, const struct sockaddr *to, socklen_t n) REPLACES(connect);
int sim_connect(int fd, const struct sockaddr *to, socklen_t n)
{
    (void)n;
    struct sockaddr_in address;
    struct file *f = socket_of(fd);
    if (!f)
        return -1;
    memcpy(&address, to, sizeof address);
    if (f->kind == BLOCKING_SOCKET) {
        errno = ECONNREFUSED;
        return server_is_up() ? 0 : -1;
    }
    f->link = net_connect(fd, ntohl(address.sin_addr.s_addr) & 0xff);
    errno = EINPROGRESS;
    return -1;
}

ssize_t sim_send(int fd, const void *bytes, size_t n, int flags) REPLACES(send);
ssize_t sim_send(int fd, const void *bytes, size_t n, int flags)
{
    (void)flags;
    struct file *f = socket_of(fd);
    if (!f)
        return -1;
    if (f->kind == SOCKET)
        return net_send(f->link, bytes, n);
    server_cancel(bytes, n);
    return (ssize_t)n;
}

ssize_t sim_recv(int fd, void *bytes, size_t n, int flags) REPLACES(recv);
ssize_t sim_recv(int fd, void *bytes, size_t n, int flags)
{
    struct file *f = socket_of(fd);
    if (!f)
        return -1;
    return f->kind == SOCKET ? net_recv(f->link, bytes, n, flags & MSG_PEEK) : 0;
}

int sim_getsockopt(int fd, int level, int name, void *value, socklen_t *n) REPLACES(getsockopt);
int sim_getsockopt(int fd, int level, int name, void *value, socklen_t *n)
{
    (void)level, (void)n;
    struct file *f = socket_of(fd);
    if (!f)
        return -1;
    const struct link *l = f->link;
    if (name == SO_ERROR)
        *(int *)value = !l                         ? 0
                        : l->state == LINK_REFUSED ? ECONNREFUSED
                        : l->state == LINK_RESET   ? l->error
                                                   : 0;
    return 0;
}

int sim_setsockopt(int fd, int level, int name, const void *value, socklen_t n)
    REPLACES(setsockopt);
int sim_setsockopt(int fd, int level, int name, const void *value, socklen_t n)
{
    (void)level, (void)name, (void)value, (void)n;
    return socket_of(fd) ? 0 : -1;
}

int sim_getsockname(int fd, struct sockaddr *name, socklen_t *n) REPLACES(getsockname);
int sim_getsockname(int fd, struct sockaddr *name, socklen_t *n)
{
    if (!socket_of(fd))
        return -1;
    *(struct sockaddr_in *)(void *)name = (struct sockaddr_in){.sin_family = AF_INET};
    *n = sizeof(struct sockaddr_in);
    return 0;
}

/* ---- waiting ---- */

static short ready(const struct pollfd *p)
{
    const struct file *f = file_of(p->fd);
    if (!f)
        return POLLNVAL;
    bool in = f->kind == EVENTFD ? f->count : f->link && net_readable(f->link);
    bool out = f->kind != EVENTFD && f->link && net_writable(f->link);
    return (short)((in ? p->events & POLLIN : 0) | (out ? p->events & POLLOUT : 0));
}

static int all_ready(struct pollfd *fds, nfds_t n)
{
    int count = 0;
    for (nfds_t i = 0; i < n; i++)
        count += (fds[i].revents = ready(&fds[i])) != 0;
    return count;
}

static sim_time earlier(sim_time a, sim_time b)
{
    return a < b ? a : b;
}

/* Something is ready; the process may get its turn a little later, when there is more. */
static void wake_late(sim_time until)
{
    if (chance_one_in(4))
        world_run_until(earlier(world_now() + chance_time(0, 3 * SIM_MS), until));
}

int sim_poll(struct pollfd *fds, nfds_t n, int timeout) REPLACES(poll);
int sim_poll(struct pollfd *fds, nfds_t n, int timeout)
{
    if (!kernel.waiting && timeout)
        violation("poll() is called for %d ms by another than libev", timeout);
    kernel.turns += kernel.waiting;
    sim_time until = timeout < 0 ? SIM_NEVER : world_now() + timeout * SIM_MS;
    world_run_until(world_now());
    int count = all_ready(fds, n);
    while (!count && world_now() < until && !kernel.interrupted) {
        sim_time next = earlier(world_next(), until);
        if (next == SIM_NEVER)
            violation("the loop waits, and nothing can happen any more");
        world_run_until(next);
        count = all_ready(fds, n);
    }
    if (count && timeout) {
        wake_late(until);
        count = all_ready(fds, n);
    }
    kernel.interrupted = false;
    return count;
}

static void about_to_wait(struct ev_loop *ev) EV_NOEXCEPT
{
    (void)ev;
    kernel.waiting = true;
}

static void has_waited(struct ev_loop *ev) EV_NOEXCEPT
{
    (void)ev;
    kernel.waiting = false;
}

struct ev_loop *kernel_loop(void)
{
    struct ev_loop *ev = ev_loop_new(EVBACKEND_POLL | EVFLAG_NOENV);
    if (!ev)
        violation("libev has no loop");
    ev_set_loop_release_cb(ev, about_to_wait, has_waited);
    return ev;
}
