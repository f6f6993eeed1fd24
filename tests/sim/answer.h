/* answer.h - the messages of a session: protocol 3.0 as far as the library uses it (PostgreSQL
 * documentation, "Message Formats"). */
#ifndef TESTS_SIM_ANSWER_H
#define TESTS_SIM_ANSWER_H

#include "sim/server.h"

/* As the server's sources have them: the library looks at the code and at the function. */
struct server_error {
    const char *sqlstate, *message, *function;
};
extern const struct server_error says_deferred, says_in_failed, says_read_only, says_division,
    says_in_block, says_serialization, says_resources, says_canceled, says_terminated,
    says_no_statement, says_statement_exists, says_no_block, says_no_savepoint, says_copy_failed,
    says_plan_changed, says_crashed, says_table_exists, says_no_table, says_syntax;

/* ---- to the program: kept until answer_flush ---- */

void answer_row(struct backend *b, enum statement s);
void answer_columns(struct backend *b, bool hidden); /* of the table */
void answer_types(struct backend *b);
void answer_xact(struct backend *b);
void answer_xact_status(struct backend *b, bool standby);
void answer_complete(struct backend *b, const char *tag);
void answer_empty(struct backend *b);
void answer_notification(struct backend *b, int channel,
                         int64_t number); /* kept until answer_heard */
void answer_heard(struct backend *b);
/* In the form of the statement that it runs. */
void answer_copy_in(struct backend *b);
void answer_copy_out(struct backend *b);
void answer_copy_row(struct backend *b, int number);
void answer_copy_end(struct backend *b);
void answer_ready(struct backend *b);
void answer_error(struct backend *b, const char *severity, const struct server_error *error);
void answer_warning(struct backend *b, const char *message);
void answer_start(struct backend *b); /* all that a new session says */
void answer_description(struct backend *b, const struct prepared *p, bool of_statement);
void answer_done(struct backend *b, char type); /* ParseComplete, BindComplete, CloseComplete */
void answer_flush(struct backend *b);

/* ---- from it ---- */

/* Takes the next message, if it is whole. */
enum taken { TAKEN, NOT_WHOLE, ENDED /* the process has, and is freed */ };
enum taken message_take(struct backend *b);

/* What session.c does with some of them. */
void backend_execute(struct backend *b);
void backend_query(struct backend *b); /* what `query` is */
void backend_copied(struct backend *b, bool whole);
void backend_sync(struct backend *b);
void backend_fail(struct backend *b, const struct server_error *error);

#endif
