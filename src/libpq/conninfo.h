/* conninfo.h - what a connection string comes to, once libpq has filled in environment, service
 * file and defaults; and connecting to one address of it. */
#ifndef LIBPQ_CONNINFO_H
#define LIBPQ_CONNINFO_H

#include <evpq/error.h>
#include <stdbool.h>

struct pg_conn;

/* Strings may be NULL. A host of NULL is libpq's default socket. */
struct conninfo_host {
    const char *host, *hostaddr, *port;
};

struct conninfo {
    struct conninfo_host *hosts; /* in the order given */
    int n;
    double connect_timeout; /* seconds; 0: not set */
    bool prefer_standby;    /* a first pass over all hosts wants a standby, a second anything */
    bool shuffle;           /* load_balance_hosts=random */
    bool names_hosts;       /* there is a list of hosts */
    bool lists_addresses;   /* ... of addresses, of which some may be empty */

    char *text; /* as the program gave it: with the password */
    bool disable_gss;
    /* Ours, as nobody has set them: the application's name, and keepalives. */
    bool set_name, set_idle, set_interval, set_count, set_user_timeout;
    char default_host[128], default_port[8]; /* of an empty item in a list of hosts */
};

/* Reads `text` (borrowed; NULL: environment only). Returns NULL and a conninfo to be freed; or the
 * error, given. Touches local files at most (service, password), never the network. */
evpq_error *conninfo_read(const char *text, struct conninfo **ret_conninfo);
void conninfo_free(struct conninfo *ci);

/* Overwrites the text; conninfo_free does it. */
void conninfo_wipe(struct conninfo *ci);

/* Begins to connect to `host` at the numeric `address` (NULL: no look-up is needed).
 * `session_attrs` overrides target_session_attrs unless NULL. NULL without memory. */
struct pg_conn *conninfo_connect(const struct conninfo *ci, const struct conninfo_host *host,
                                 const char *address, const char *session_attrs);

#endif
