/* failure.c - see failure.h. */
#include "failure.h"

#include <string.h>

static const char *outcome_word(evpq_outcome outcome)
{
    switch (outcome) {
    case EVPQ_OUTCOME_NOT_SENT:
        return "not sent";
    case EVPQ_OUTCOME_REJECTED:
        return "rejected";
    case EVPQ_OUTCOME_UNKNOWN:
        return "unknown";
    }
    return "unknown";
}

static const char *status_word(evpq_status status)
{
    switch (status) {
    case EVPQ_SERVER:
        return "server";
    case EVPQ_CONNECT:
        return "connect";
    case EVPQ_LOST:
        return "lost";
    case EVPQ_TIMEOUT:
        return "timeout";
    case EVPQ_CANCELED:
        return "canceled";
    case EVPQ_CLOSED:
        return "closed";
    case EVPQ_NOMEM:
        return "memory";
    default:
        return "invalid";
    }
}

struct failure failure_of(const evpq_error *error)
{
    const char *sqlstate = evpq_error_sqlstate(error);

    return (struct failure){
        .code = *sqlstate ? sqlstate : status_word(evpq_error_status(error)),
        .outcome = outcome_word(evpq_error_outcome(error)),
        .message = evpq_error_message(error),
        .detail = evpq_error_detail(error),
        .hint = evpq_error_hint(error),
    };
}

struct failure failure_of_input(const char *why)
{
    return (struct failure){.code = "input", .outcome = "not sent", .message = why};
}

struct failure failure_of_absence(void)
{
    return (struct failure){.code = "connect",
                            .outcome = "not sent",
                            .message = "not tried: the server could not be reached"};
}

static void add_one_line(struct buf *to, const char *text)
{
    for (; *text; text++)
        buf_byte(to, (unsigned char)*text < ' ' || *text == '\x7f' ? ' ' : *text);
}

void failure_describe(const struct failure *f, struct buf *to)
{
    if (strcmp(f->code, "input") != 0)
        buf_format(to, "%s: ", f->code);
    add_one_line(to, f->message);
    if (f->detail) {
        buf_text(to, "; ");
        add_one_line(to, f->detail);
    }
    buf_format(to, strcmp(f->outcome, "unknown") == 0 ? " (outcome %s)" : " (%s)", f->outcome);
}

/* Serialization failures and deadlocks (class 40), a server short of something (53), and a lock
 * that was not to be had (55P03). A server that stops (57P01, 57P02) is none of them: it ends the
 * connection, and the outcome is unknown; one that starts (57P03) was sent nothing. */
static bool is_passing(const char *sqlstate)
{
    return strncmp(sqlstate, "40", 2) == 0 || strncmp(sqlstate, "53", 2) == 0 ||
           strcmp(sqlstate, "55P03") == 0;
}

bool failure_may_pass(const evpq_error *error, bool unknown)
{
    switch (evpq_error_status(error)) {
    case EVPQ_CANCELED:
    case EVPQ_CLOSED:
    case EVPQ_INVALID:
    case EVPQ_TYPE:
    case EVPQ_DEADLOCK:
        return false;
    default:
        break;
    }
    switch (evpq_error_outcome(error)) {
    case EVPQ_OUTCOME_NOT_SENT:
        return true;
    case EVPQ_OUTCOME_REJECTED:
        return is_passing(evpq_error_sqlstate(error));
    case EVPQ_OUTCOME_UNKNOWN:
        return unknown;
    }
    return false;
}

bool failure_found_no_server(const evpq_error *error, bool limited)
{
    evpq_status status = evpq_error_status(error);

    return evpq_error_outcome(error) == EVPQ_OUTCOME_NOT_SENT &&
           (status == EVPQ_CONNECT || (status == EVPQ_TIMEOUT && !limited));
}

double failure_pause(int n, double random)
{
    double pause = 0.1;

    for (int i = 1; i < n && pause < 5; i++)
        pause *= 2;
    if (pause > 5)
        pause = 5;
    return pause * (0.5 + random);
}
