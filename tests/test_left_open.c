/* test_left_open.c - F51, F52: a server, or rather a pooler, that leaves transactions open and splits what stands
 * under one Sync, as pgpool-II does; with answers in orders that hide it. */
#include "support/fake.h"
#include "support/proxy.h"
#include "support/server.h"
#include "support/site.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- where libpq does not tell the status, and where nobody waits ---- */

/* An answer, up to ReadyForQuery: a tag, or an error in the data. */
static void answer(struct fake_bytes *b, const char *tag, char ready)
{
    fake_add(b, '1', NULL, 0);
    fake_add(b, '2', NULL, 0);
    fake_add(b, 'n', NULL, 0);
    if (tag)
        fake_add(b, 'C', tag, strlen(tag) + 1);
    else
        FAKE_ADD(b, 'E', "SERROR\0VERROR\0C23505\0Mm\0Rsome_function\0");
    if (ready)
        fake_add_status(b, ready);
}

static struct site site_with_one(const char *conninfo)
{
    return site_open(conninfo, &(evpq_pool_opts){.size = sizeof(evpq_pool_opts), .max_size = 1});
}

static void end(struct site *s, evpq_future *f)
{
    ck_assert(RUN_UNTIL(s->ev, evpq_future_status(f) != EVPQ_PENDING, 10));
}

/* One after another on a lease of the only connection. */
struct dialog {
    struct site site;
    evpq_lease *lease;
    evpq_future *f[3];
    int n;
};

static struct dialog dialog_with(const char *conninfo)
{
    struct dialog d = {.site = site_with_one(conninfo)};
    d.lease = site_lease(&d.site);
    return d;
}

static evpq_future *say(struct dialog *d, const char *sql)
{
    return d->f[d->n++] = evpq_lease_query(d->lease, sql, EVPQ_ARGS());
}

static void dialog_close(struct dialog *d)
{
    while (d->n)
        evpq_future_unref(d->f[--d->n]);
    evpq_lease_release(d->lease);
    site_close(&d->site);
    fake_stop();
}

/* Behind an end of a transaction whose status libpq did not tell, as the next was under way. */
START_TEST(f51_left_open_behind_what_ended_a_transaction)
{
    static const char *const ends[] = {
        "rollback",          "commit work",      "End;",
        "abort transaction", "end and no chain", "rollback prepared 'a'"};
    fake_hello();
    answer(fake_next_answer(), "ROLLBACK", 'I');
    answer(fake_next_answer(), "INSERT 0 1", 'T');
    answer(fake_next_answer(), "ROLLBACK", 'I');
    struct dialog d = dialog_with(fake_start());
    evpq_future *first = say(&d, ends[_i]), *f = say(&d, "insert");
    end(&d.site, f);
    ck_future_ok(first);
    ck_failed(f, EVPQ_SERVER, "25000", EVPQ_OUTCOME_REJECTED);
    dialog_close(&d);
}
END_TEST

/* What stays in a block is behind another: what follows is part of it. */
START_TEST(f51_a_block_that_stays_open_is_none_left_open)
{
    static const char *const texts[] = {"rollback to a", "Rollback Work To Savepoint a",
                                        "commit and chain", "select"};
    fake_hello();
    answer(fake_next_answer(), "BEGIN", 'T');
    answer(fake_next_answer(), "SOMETHING", 'T');
    answer(fake_next_answer(), "INSERT 0 1", 'T');
    struct dialog d = dialog_with(fake_start());
    say(&d, "start transaction");
    say(&d, texts[_i]);
    evpq_future *f = say(&d, "insert");
    end(&d.site, f);
    ck_future_ok(f);
    dialog_close(&d);
}
END_TEST

/* Where an end has failed nothing tells: a block that is found open then is no success. */
START_TEST(f51_left_open_behind_an_end_that_failed)
{
    fake_hello();
    answer(fake_next_answer(), NULL, 'I');
    answer(fake_next_answer(), "INSERT 0 1", 'T');
    struct dialog d = dialog_with(fake_start());
    say(&d, "commit");
    evpq_future *f = say(&d, "insert");
    end(&d.site, f);
    ck_failed(f, EVPQ_SERVER, "25P01", EVPQ_OUTCOME_UNKNOWN);
    dialog_close(&d);
}
END_TEST

/* The statement was given up, and the next on the lease must not become part of what it left open. */
START_TEST(f51_left_open_by_what_was_given_up)
{
    fake_hello();
    answer(fake_next_answer(), "INSERT 0 1", 'T');
    struct fake_bytes *fence = fake_next_answer();
    fake_add(fence, '1', NULL, 0);
    fake_add(fence, '2', NULL, 0);
    fake_add(fence, 'n', NULL, 0);
    fake_add(fence, 'I', NULL, 0);
    fake_add_status(fence, 'T');
    answer(fake_next_answer(), "INSERT 0 1", 'T');
    int port = atoi(strstr(fake_start(), "port=") + 5);
    struct proxy *proxy = proxy_start("127.0.0.1", port);
    struct dialog d = dialog_with(
        strf("host=127.0.0.1 port=%d user=u dbname=d sslmode=disable", proxy_port(proxy)));
    proxy_cancels(proxy, PROXY_CANCEL_DROP, 0);
    proxy_stall(proxy, PROXY_TO_CLIENT, true);
    uint64_t before = proxy_stats(proxy).bytes[PROXY_TO_SERVER];
    evpq_future *first = say(&d, "insert");
    ck_assert(RUN_UNTIL(d.site.ev, proxy_stats(proxy).bytes[PROXY_TO_SERVER] > before, 10));
    evpq_future_cancel(first);
    evpq_future *f = say(&d, "insert");
    proxy_stall(proxy, PROXY_TO_CLIENT, false);
    end(&d.site, f);
    ck_failed(f, EVPQ_LOST, "", EVPQ_OUTCOME_NOT_SENT);
    dialog_close(&d);
    proxy_stop(proxy);
}
END_TEST

/* Given up when the server has answered, and before ROLLBACK is sent: timers fire before anything is.
 * It was sent, and what it left open must not be what the next on the lease is run in. */
static evpq_future *insert_some_way(evpq_lease *lease, int way, evpq_stream **ret_stream)
{
    const evpq_args none = EVPQ_ARGS();
    const evpq_statement one = {.sql = "insert"};
    *ret_stream = way == 3 ? evpq_lease_stream(lease, one.sql, none, NULL) : NULL;
    return way == 0   ? evpq_lease_query(lease, one.sql, none)
           : way == 1 ? evpq_lease_batch(lease, &one, 1)
           : way == 2 ? evpq_lease_executemany(lease, one.sql, &none, 1)
                      : evpq_stream_next(*ret_stream);
}

START_TEST(f51_left_open_by_what_is_given_up_before_its_rollback)
{
    evpq_stream *stream;
    fake_hello();
    answer(fake_next_answer(), "INSERT 0 1", 'T');
    answer(fake_next_answer(), "INSERT 0 1", 'T');
    int port = atoi(strstr(fake_start(), "port=") + 5);
    struct proxy *proxy = proxy_start("127.0.0.1", port);
    struct dialog d = dialog_with(
        strf("host=127.0.0.1 port=%d user=u dbname=d sslmode=disable", proxy_port(proxy)));
    proxy_stall(proxy, PROXY_TO_CLIENT, true);
    uint64_t before = proxy_stats(proxy).bytes[PROXY_TO_SERVER];
    evpq_future *f = evpq_timeout(insert_some_way(d.lease, _i, &stream), 0.3);
    ck_assert(RUN_UNTIL(d.site.ev, proxy_stats(proxy).bytes[PROXY_TO_SERVER] > before, 10));
    proxy_stall(proxy, PROXY_TO_CLIENT, false);
    usleep(500 * 1000); /* the answer has come, and the time is over */
    end(&d.site, f);
    ck_failed(f, EVPQ_TIMEOUT, "", EVPQ_OUTCOME_UNKNOWN);
    if (stream)
        evpq_stream_close(stream);
    evpq_future *next = say(&d, "insert");
    end(&d.site, next);
    ck_failed(next, EVPQ_LOST, "", EVPQ_OUTCOME_NOT_SENT);
    evpq_future_unref(f);
    dialog_close(&d);
    proxy_stop(proxy);
}
END_TEST

/* ROLLBACK goes before what waits, which would be run in what is open, and undone with it: a BEGIN
 * too, which would be told as done. */
START_TEST(f51_left_open_is_rolled_back_before_the_next)
{
    fake_hello();
    answer(fake_next_answer(), "INSERT 0 1", 'T');
    answer(fake_next_answer(), "ROLLBACK", 'I');
    answer(fake_next_answer(), "BEGIN", 'T');
    answer(fake_next_answer(), "INSERT 0 1", 'T');
    struct dialog d = dialog_with(fake_start());
    evpq_future *first = say(&d, "insert"), *begin = say(&d, "begin");
    end(&d.site, begin);
    ck_failed(first, EVPQ_SERVER, "25000", EVPQ_OUTCOME_REJECTED);
    ck_future_ok(begin);
    evpq_future *part = say(&d, "insert");
    end(&d.site, part);
    ck_future_ok(part);
    dialog_close(&d);
}
END_TEST

/* An error is no proof that the connection ends the transactions of statements that stand alone. */
START_TEST(f51_left_open_behind_one_that_failed)
{
    fake_hello();
    answer(fake_next_answer(), NULL, 'I');
    answer(fake_next_answer(), "INSERT 0 1", 'T');
    answer(fake_next_answer(), "ROLLBACK", 'I');
    answer(fake_next_answer(), "INSERT 0 1", 'T');
    answer(fake_next_answer(), "ROLLBACK", 'I');
    struct dialog d = dialog_with(fake_start());
    end(&d.site, say(&d, "insert"));
    evpq_future *second = say(&d, "insert"), *third = say(&d, "insert");
    end(&d.site, second);
    end(&d.site, third);
    ck_failed(d.f[0], EVPQ_SERVER, "23505", EVPQ_OUTCOME_REJECTED);
    ck_failed(second, EVPQ_SERVER, "25000", EVPQ_OUTCOME_REJECTED);
    ck_failed(third, EVPQ_SERVER, "25000", EVPQ_OUTCOME_REJECTED);
    dialog_close(&d);
}
END_TEST

/* ---- several under one Sync ---- */

static void add_value(struct fake_bytes *b, const char *value)
{
    unsigned char row[16] = {0, 1, 0, 0, 0, (unsigned char)strlen(value)};
    fake_add(b, '1', NULL, 0);
    fake_add(b, '2', NULL, 0);
    fake_add(b, 'T', "\0\1v\0\0\0\0\0\0\0\0\0\0\31\377\377\377\377\377\377\0\0", 22);
    memcpy(row + 6, value, strlen(value));
    fake_add(b, 'D', row, 6 + strlen(value));
    FAKE_ADD(b, 'C', "SELECT 1");
}

/* What the connection says of itself when it is asked: in the second statement, whether it shares
 * the transaction of the first. */
static void answer_unity(const char *shared)
{
    struct fake_bytes *b = fake_next_answer();
    add_value(b, "7");
    add_value(b, shared);
    fake_add_ready(b);
}

static evpq_future *several(struct site *s, evpq_lease *lease, bool rows)
{
    const evpq_args none[] = {EVPQ_ARGS(), EVPQ_ARGS()};
    const evpq_statement both[] = {{.sql = "insert"}, {.sql = "insert"}};
    if (rows)
        return lease ? evpq_lease_executemany(lease, "insert", none, 2)
                     : evpq_executemany(s->pool, "insert", none, 2);
    return lease ? evpq_lease_batch(lease, both, 2) : evpq_pool_batch(s->pool, both, 2);
}

/* pgpool-II sends a Sync of its own between them: what stands before the one that failed is
 * committed. */
START_TEST(f52_some_of_several_may_be_committed)
{
    bool shared = _i & 1, rows = _i & 2, leased = _i & 4;
    fake_hello();
    answer_unity(shared ? "1" : "");
    struct fake_bytes *b = fake_next_answer();
    if (rows)
        fake_add(b, '1', NULL, 0), fake_add(b, 'n', NULL, 0);
    answer(b, "INSERT 0 1", 0);
    answer(b, NULL, 'I');
    struct site s = site_with_one(fake_start());
    evpq_lease *lease = leased ? site_lease(&s) : NULL;
    evpq_future *f = several(&s, lease, rows);
    end(&s, f);
    ck_failed(f, EVPQ_SERVER, "23505", shared ? EVPQ_OUTCOME_REJECTED : EVPQ_OUTCOME_UNKNOWN);
    evpq_future_unref(f);
    evpq_lease_release(lease);
    site_close(&s);
    fake_stop();
}
END_TEST

/* Those before the last are committed, whatever becomes of the transaction that the last has left
 * open. */
START_TEST(f51_some_of_several_may_not_be_in_what_is_left_open)
{
    bool shared = _i & 1, rows = _i & 2, leased = _i & 4;
    fake_hello();
    answer_unity(shared ? "1" : "");
    struct fake_bytes *b = fake_next_answer();
    if (rows)
        fake_add(b, '1', NULL, 0), fake_add(b, 'n', NULL, 0);
    answer(b, "INSERT 0 1", 0);
    answer(b, "INSERT 0 1", 'T');
    answer(fake_next_answer(), "ROLLBACK", 'I');
    struct site s = site_with_one(fake_start());
    evpq_lease *lease = leased ? site_lease(&s) : NULL;
    evpq_future *f = several(&s, lease, rows);
    end(&s, f);
    ck_failed(f, EVPQ_SERVER, "25000", shared ? EVPQ_OUTCOME_REJECTED : EVPQ_OUTCOME_UNKNOWN);
    evpq_future_unref(f);
    evpq_lease_release(lease);
    site_close(&s);
    fake_stop();
}
END_TEST

/* That one was committed does not prove it of the next: pgpool-II leaves the transaction of some
 * open. So nothing hides how the next ends, as long as it is not known that nobody sends Syncs
 * of his own. */
START_TEST(f51_left_open_behind_one_that_was_committed)
{
    bool asked = _i;
    fake_hello();
    answer(fake_next_answer(), "INSERT 0 1", 'I');
    if (asked)
        answer_unity("");
    answer(fake_next_answer(), "INSERT 0 1", 'T');
    answer(fake_next_answer(), "ROLLBACK", 'I');
    answer(fake_next_answer(), "INSERT 0 1", 'T');
    answer(fake_next_answer(), "ROLLBACK", 'I');
    struct dialog d = dialog_with(fake_start());
    say(&d, "insert another");
    if (!asked)
        end(&d.site, d.f[0]);
    evpq_future *second = say(&d, "insert"), *third = say(&d, "insert");
    end(&d.site, second);
    end(&d.site, third);
    ck_future_ok(d.f[0]);
    ck_failed(second, EVPQ_SERVER, "25000", EVPQ_OUTCOME_REJECTED);
    ck_failed(third, EVPQ_SERVER, "25000", EVPQ_OUTCOME_REJECTED);
    dialog_close(&d);
}
END_TEST

/* ---- a session that is shared ---- */

/* The lease set nothing: a pooler's session goes back as it is, and the connection with it. */
START_TEST(f49_a_poolers_session_is_given_back)
{
    fake_hello();
    fake_add_one(fake_next_answer());
    struct fake_bytes *b = fake_next_answer(); /* by another server process than the first */
    add_value(b, "8");
    add_value(b, "1");
    fake_add_ready(b);
    struct site s = site_with_one(fake_start());
    evpq_lease *lease = site_lease(&s);
    ck_assert_str_eq(lease_text(lease, "select 1"), "1");
    evpq_lease_release(lease);
    ck_assert(site_quiet(&s, 4)); /* cancel_timeout, which would close it, is 5 s */
    ck_assert_str_eq(site_text(&s, "select 1"), "1");
    ck_assert_int_eq(fake.connections, 1);
    site_close(&s);
    fake_stop();
}
END_TEST

/* It set something, which the pooler's next client is not to meet: the connection goes. */
START_TEST(f49_a_poolers_session_that_was_changed_is_closed)
{
    fake_hello();
    answer(fake_next_answer(), "SET", 'I');
    struct fake_bytes *b = fake_next_answer();
    add_value(b, "8");
    add_value(b, "1");
    fake_add_ready(b);
    struct site s = site_with_one(fake_start());
    evpq_lease *lease = site_lease(&s);
    evpq_future *f = evpq_lease_query(lease, "set a = 1", EVPQ_ARGS());
    end(&s, f);
    ck_future_ok(f);
    evpq_future_unref(f);
    evpq_lease_release(lease);
    ck_assert(RUN_UNTIL(s.ev, !site_stats(&s).leased, 4)); /* cancel_timeout is 5 s */
    ck_assert_str_eq(site_text(&s, "select 1"), "1");
    ck_assert_int_eq(fake.connections, 2);
    site_close(&s);
    fake_stop();
}
END_TEST

int main(void)
{
    struct check *c = check_begin("left_open");
    CHECK_ADD_LOOP(c, f51_left_open_behind_what_ended_a_transaction, 6);
    CHECK_ADD_LOOP(c, f51_a_block_that_stays_open_is_none_left_open, 4);
    CHECK_ADD(c, f51_left_open_behind_an_end_that_failed);
    CHECK_ADD(c, f51_left_open_by_what_was_given_up);
    CHECK_ADD_LOOP(c, f51_left_open_by_what_is_given_up_before_its_rollback, 4);
    CHECK_ADD(c, f51_left_open_is_rolled_back_before_the_next);
    CHECK_ADD(c, f51_left_open_behind_one_that_failed);
    CHECK_ADD_LOOP(c, f52_some_of_several_may_be_committed, 8);
    CHECK_ADD_LOOP(c, f51_some_of_several_may_not_be_in_what_is_left_open, 8);
    CHECK_ADD_LOOP(c, f51_left_open_behind_one_that_was_committed, 2);
    CHECK_ADD(c, f49_a_poolers_session_is_given_back);
    CHECK_ADD(c, f49_a_poolers_session_that_was_changed_is_closed);
    return check_end(c);
}
