/* test_error.c - errors: every field is copied, none can be missing, and the constant ones live for
 * ever. */
#include "words/error.h"

#include "support/check.h"
#include "support/oom.h"

#include <string.h>

START_TEST(each_status_has_a_name_and_a_meaning)
{
#define CHECK_NAME(name, text)                                   \
 ck_assert_str_eq(evpq_status_name(EVPQ_##name), "EVPQ_" #name); \
 ck_assert_str_eq(evpq_status_text(EVPQ_##name), text);
    EVPQ_STATUS_TABLE(CHECK_NAME)
    ck_assert_int_eq(EVPQ_OK, 0);
    ck_assert_str_eq(evpq_status_name((evpq_status)99), "EVPQ_?");
    ck_assert_ptr_nonnull(evpq_status_text((evpq_status)99));
}
END_TEST

START_TEST(every_field_is_copied)
{
    char text[12][4];
    const char *t[12];
    for (int i = 0; i < 12; i++) {
        memcpy(text[i], "t_\0", 4);
        text[i][1] = (char)('a' + i);
        t[i] = text[i];
    }
    evpq_error *e = error_build(&(struct error_fields){.status = EVPQ_SERVER,
                                                       .outcome = EVPQ_OUTCOME_REJECTED,
                                                       .position = 17,
                                                       .message = t[0],
                                                       .sqlstate = t[1],
                                                       .severity = t[2],
                                                       .detail = t[3],
                                                       .hint = t[4],
                                                       .context = t[5],
                                                       .schema = t[6],
                                                       .table = t[7],
                                                       .column = t[8],
                                                       .datatype = t[9],
                                                       .constraint = t[10],
                                                       .sql = t[11]});
    memset(text, '!', sizeof text);
    ck_assert_int_eq(evpq_error_status(e), EVPQ_SERVER);
    ck_assert_int_eq(evpq_error_outcome(e), EVPQ_OUTCOME_REJECTED);
    ck_assert_int_eq(evpq_error_position(e), 17);
    ck_assert_str_eq(evpq_error_message(e), "ta");
    ck_assert_str_eq(evpq_error_sqlstate(e), "tb");
    ck_assert_str_eq(evpq_error_severity(e), "tc");
    ck_assert_str_eq(evpq_error_detail(e), "td");
    ck_assert_str_eq(evpq_error_hint(e), "te");
    ck_assert_str_eq(evpq_error_context(e), "tf");
    ck_assert_str_eq(evpq_error_schema(e), "tg");
    ck_assert_str_eq(evpq_error_table(e), "th");
    ck_assert_str_eq(evpq_error_column(e), "ti");
    ck_assert_str_eq(evpq_error_datatype(e), "tj");
    ck_assert_str_eq(evpq_error_constraint(e), "tk");
    ck_assert_str_eq(evpq_error_sql(e), "tl");
    ck_assert_ptr_null(evpq_error_unref(e));
}
END_TEST

static void check_says_nothing(const evpq_error *e)
{
    ck_assert_str_eq(evpq_error_message(e), "");
    ck_assert_str_eq(evpq_error_sqlstate(e), "");
    ck_assert_ptr_null(evpq_error_severity(e));
    ck_assert_ptr_null(evpq_error_detail(e));
    ck_assert_ptr_null(evpq_error_hint(e));
    ck_assert_ptr_null(evpq_error_context(e));
    ck_assert_ptr_null(evpq_error_schema(e));
    ck_assert_ptr_null(evpq_error_table(e));
    ck_assert_ptr_null(evpq_error_column(e));
    ck_assert_ptr_null(evpq_error_datatype(e));
    ck_assert_ptr_null(evpq_error_constraint(e));
    ck_assert_ptr_null(evpq_error_sql(e));
    ck_assert_int_eq(evpq_error_position(e), 0);
}

START_TEST(what_is_not_said_reads_as_nothing)
{
    evpq_error *e = error_build(&(struct error_fields){.status = EVPQ_LOST});
    check_says_nothing(e);
    evpq_error_unref(e);
    check_says_nothing(NULL);
    ck_assert_int_eq(evpq_error_status(NULL), EVPQ_OK);
    ck_assert_int_eq(evpq_error_outcome(NULL), EVPQ_OUTCOME_NOT_SENT);
    ck_assert_ptr_null(evpq_error_ref(NULL));
    ck_assert_ptr_null(evpq_error_unref(NULL));
}
END_TEST

START_TEST(it_lives_until_its_last_reference)
{
    evpq_error *e = error_new(EVPQ_CONNECT, EVPQ_OUTCOME_NOT_SENT, "%s:%d", "host", 5432);
    ck_assert_ptr_eq(evpq_error_ref(e), e);
    ck_assert_ptr_null(evpq_error_unref(e));
    ck_assert_str_eq(evpq_error_message(e), "host:5432");
    evpq_error_unref(e);
}
END_TEST

START_TEST(a_long_message_is_cut_not_overrun)
{
    char text[5000];
    memset(text, 'm', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    evpq_error *formatted = error_new(EVPQ_LOST, EVPQ_OUTCOME_UNKNOWN, "%s", text);
    evpq_error *built = error_build(&(struct error_fields){.status = EVPQ_LOST, .message = text});
    size_t length = strlen(evpq_error_message(formatted));
    ck_assert_uint_ge(length, 1000);
    ck_assert_uint_lt(length, sizeof text - 1);
    ck_assert_str_eq(evpq_error_message(built), text);
    evpq_error_unref(formatted);
    evpq_error_unref(built);
}
END_TEST

START_TEST(about_keeps_what_was_said_and_adds_the_statement)
{
    evpq_error *e = error_build(&(struct error_fields){.status = EVPQ_LOST,
                                                       .outcome = EVPQ_OUTCOME_NOT_SENT,
                                                       .message = "gone",
                                                       .sqlstate = "57P01",
                                                       .sql = "old"});
    evpq_error *same = error_about(e, EVPQ_OK, EVPQ_OUTCOME_UNKNOWN, "select 1");
    evpq_error *other = error_about(e, EVPQ_CONNECT, EVPQ_OUTCOME_NOT_SENT, NULL);
    evpq_error_unref(e);
    ck_assert_int_eq(evpq_error_status(same), EVPQ_LOST);
    ck_assert_int_eq(evpq_error_outcome(same), EVPQ_OUTCOME_UNKNOWN);
    ck_assert_str_eq(evpq_error_message(same), "gone");
    ck_assert_str_eq(evpq_error_sqlstate(same), "57P01");
    ck_assert_str_eq(evpq_error_sql(same), "select 1");
    ck_assert_int_eq(evpq_error_status(other), EVPQ_CONNECT);
    ck_assert_str_eq(evpq_error_message(other), "gone");
    ck_assert_ptr_null(evpq_error_sql(other));
    evpq_error_unref(same);
    evpq_error_unref(other);
}
END_TEST

START_TEST(constant_errors_outlive_any_number_of_unrefs)
{
    const evpq_error *constants[] = {error_nomem(), error_invalid(),
                                     error_canceled(EVPQ_OUTCOME_NOT_SENT)};
    const evpq_status statuses[] = {EVPQ_NOMEM, EVPQ_INVALID, EVPQ_CANCELED};
    for (int i = 0; i < 3; i++) {
        evpq_error *e = evpq_error_ref(constants[i]);
        for (int n = 0; n < 3; n++)
            evpq_error_unref(e);
        ck_assert_int_eq(evpq_error_status(e), statuses[i]);
        ck_assert_int_eq(evpq_error_outcome(e), EVPQ_OUTCOME_NOT_SENT);
        ck_assert_uint_gt(strlen(evpq_error_message(e)), 0);
    }
}
END_TEST

START_TEST(a_cancel_tells_its_outcome)
{
    const evpq_outcome outcomes[] = {EVPQ_OUTCOME_NOT_SENT, EVPQ_OUTCOME_REJECTED,
                                     EVPQ_OUTCOME_UNKNOWN};
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(evpq_error_outcome(error_canceled(outcomes[i])), outcomes[i]);
}
END_TEST

/* Also where there is no memory for what was to be said. */
START_TEST(no_memory_changes_no_outcome)
{
    for (evpq_outcome o = EVPQ_OUTCOME_NOT_SENT; o <= EVPQ_OUTCOME_UNKNOWN; o++) {
        oom_fail_at(1);
        evpq_error *e = error_new(EVPQ_TIMEOUT, o, "%s", "late");
        oom_end();
        ck_assert_int_eq(evpq_error_status(e), EVPQ_NOMEM);
        ck_assert_int_eq(evpq_error_outcome(e), o);
        ck_assert_ptr_eq(e, error_nomem_after(o));
    }
}
END_TEST

START_TEST(the_loaded_version_is_the_headers)
{
    ck_assert_int_eq(evpq_version(), EVPQ_VERSION_NUMBER);
}
END_TEST

START_TEST(a_place_before_the_detail)
{
    evpq_error *e = error_build(&(struct error_fields){
        .status = EVPQ_SERVER, .outcome = EVPQ_OUTCOME_UNKNOWN, .message = "m", .detail = "d"});
    evpq_error *plain = error_new(EVPQ_SERVER, EVPQ_OUTCOME_UNKNOWN, "m");
    evpq_error *with = error_in_detail(e, EVPQ_OUTCOME_REJECTED, "row 1");
    evpq_error *without = error_in_detail(plain, EVPQ_OUTCOME_REJECTED, "row 1");
    ck_assert_str_eq(evpq_error_detail(with), "row 1: d");
    ck_assert_str_eq(evpq_error_detail(without), "row 1");
    ck_assert_str_eq(evpq_error_message(with), "m");
    ck_assert_int_eq(evpq_error_outcome(with), EVPQ_OUTCOME_REJECTED);
    evpq_error_unref(e);
    evpq_error_unref(plain);
    evpq_error_unref(with);
    evpq_error_unref(without);
}
END_TEST

int main(void)
{
    struct check *c = check_begin("error");
    CHECK_ADD(c, each_status_has_a_name_and_a_meaning);
    CHECK_ADD(c, every_field_is_copied);
    CHECK_ADD(c, what_is_not_said_reads_as_nothing);
    CHECK_ADD(c, it_lives_until_its_last_reference);
    CHECK_ADD(c, a_long_message_is_cut_not_overrun);
    CHECK_ADD(c, about_keeps_what_was_said_and_adds_the_statement);
    CHECK_ADD(c, constant_errors_outlive_any_number_of_unrefs);
    CHECK_ADD(c, a_cancel_tells_its_outcome);
    CHECK_ADD(c, no_memory_changes_no_outcome);
    CHECK_ADD(c, the_loaded_version_is_the_headers);
    CHECK_ADD(c, a_place_before_the_detail);
    return check_end(c);
}
