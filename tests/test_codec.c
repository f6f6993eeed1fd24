/* test_codec.c - a program's codecs: finding them, writing with them, and what is refused. */
#include "values/codec.h"

#include "support/check.h"
#include "support/oom.h"
#include "values/args.h"
#include "values/request.h"

#include <stdlib.h>
#include <string.h>

/* A C string, of which "!" is refused; "?" is written in another way each time. */
static bool write_word(const void *value, evpq_sink *to, void *arg)
{
    int *calls = arg;
    const char *word = value;
    ++*calls;
    if (!strcmp(word, "!"))
        return false;
    if (!strcmp(word, "?"))
        return evpq_append(to, "abcdef", (size_t)(*calls % 3 + 1));
    return evpq_append(to, "<", 1) && evpq_append(to, word, strlen(word)) &&
           evpq_append(to, ">", 1);
}

static int calls;
static evpq_types *types;

static evpq_codec word(const char *name, uint32_t oid)
{
    return (evpq_codec){
        .size = sizeof(evpq_codec), .name = name, .oid = oid, .encode = write_word, .arg = &calls};
}

static void begin(void)
{
    calls = 0;
    types = evpq_types_new();
    ck_assert_ptr_nonnull(types);
    evpq_codec known = word("word", 70000), unknown = word("pub.word", 0);
    ck_assert_int_eq(evpq_types_add(types, &known), EVPQ_OK);
    ck_assert_int_eq(evpq_types_add(types, &unknown), EVPQ_OK);
}

static void refused(evpq_arg arg, evpq_status status, const char *says)
{
    size_t room;
    evpq_error *error = arg_measure(&arg, 2, &room);
    ck_assert_msg(error != NULL, "not refused: %s", says);
    ck_assert_int_eq(evpq_error_status(error), status);
    ck_assert_int_eq(evpq_error_outcome(error), EVPQ_OUTCOME_NOT_SENT);
    ck_assert_msg(strstr(evpq_error_message(error), says) != NULL, "%s", evpq_error_message(error));
    ck_assert_ptr_nonnull(strstr(evpq_error_message(error), "$2"));
    evpq_error_unref(error);
}

START_TEST(a_codec_writes_a_parameter)
{
    begin();
    evpq_args args = EVPQ_ARGS(evpq_coded(types, "word", "abc"), 7, evpq_coded(types, "word", ""),
                               evpq_coded(types, "word", NULL));
    struct request r;
    struct request_size size;
    ck_assert_ptr_null(request_measure("", &args, &size));
    void *block = malloc(size.block);
    request_write(&r, block, "", &args, &size);
    ck_assert_uint_eq(r.types[0], 70000);
    ck_assert_uint_eq(r.types[3], 70000);
    ck_assert_int_eq(r.formats[0], 1);
    ck_assert_int_eq(r.lengths[0], 5);
    ck_assert_mem_eq(r.values[0], "<abc>", 5);
    ck_assert_str_eq(r.values[1], "7");
    ck_assert_int_eq(r.lengths[2], 2);
    ck_assert_mem_eq(r.values[2], "<>", 2);
    ck_assert_ptr_null(r.values[3]);
    free(block);
    evpq_types_unref(types);
}
END_TEST

START_TEST(names_and_oids_are_found)
{
    uint32_t array = 77;
    begin();
    ck_assert_uint_eq(evpq_types_oid(types, "word", &array), 70000);
    ck_assert_uint_eq(array, 0);
    ck_assert_uint_eq(evpq_types_oid(types, "pub.word", NULL), 0);
    ck_assert_uint_eq(evpq_types_oid(types, "none", NULL), 0);
    ck_assert_ptr_nonnull(codec_of(types, 70000));
    ck_assert_ptr_null(codec_of(types, 0));
    evpq_codec twice = word("word", 0), same = word("other", 70000), nameless = word("", 1);
    evpq_codec odd = word("odd", 1), more = word("more", 70001);
    odd.size--;
    ck_assert_int_eq(evpq_types_add(types, &twice), EVPQ_INVALID);
    ck_assert_int_eq(evpq_types_add(types, &same), EVPQ_INVALID);
    ck_assert_int_eq(evpq_types_add(types, &nameless), EVPQ_INVALID);
    ck_assert_int_eq(evpq_types_add(types, &odd), EVPQ_INVALID);
    ck_assert_int_eq(evpq_types_add(types, NULL), EVPQ_INVALID);
    ck_assert_int_eq(evpq_types_add(NULL, &more), EVPQ_INVALID);
    oom_fail_at(1);
    ck_assert_int_eq(evpq_types_add(types, &more), EVPQ_NOMEM);
    ck_assert(oom_end());
    ck_assert_int_eq(evpq_types_add(types, &more), EVPQ_OK);
    ck_assert_ptr_eq(evpq_types_ref(types), types);
    ck_assert_ptr_null(evpq_types_unref(types));
    ck_assert_uint_eq(evpq_types_oid(types, "more", NULL), 70001);
    evpq_types_unref(types);
    ck_assert_ptr_null(evpq_types_unref(NULL));
}
END_TEST

START_TEST(what_cannot_be_written_is_refused)
{
    begin();
    evpq_codec mute = word("mute", 70001);
    mute.encode = NULL;
    ck_assert_int_eq(evpq_types_add(types, &mute), EVPQ_OK);
    refused(evpq_coded(types, "none", "a"), EVPQ_INVALID, "not added");
    refused(evpq_coded(types, "none", NULL), EVPQ_INVALID, "not added");
    refused(evpq_coded(NULL, "word", "a"), EVPQ_INVALID, "not added");
    refused(evpq_coded(types, "pub.word", "a"), EVPQ_INVALID, "evpq_types_resolve");
    refused(evpq_coded(types, "mute", "a"), EVPQ_INVALID, "no encoder");
    refused(evpq_coded(types, "word", "!"), EVPQ_TYPE, "refused by its encoder");
    refused(evpq_coded(types, "word", "?"), EVPQ_TYPE, "in two ways");
    struct bytes b = {.data = NULL};
    evpq_arg arg = evpq_coded(types, "word", "a");
    evpq_error *error = encode_field(&b, &arg, 25, &(struct spot){.noun = "column ", .number = 1});
    ck_assert_int_eq(evpq_error_status(error), EVPQ_TYPE);
    evpq_error_unref(error);
    bytes_free(&b);
    evpq_types_unref(types);
}
END_TEST

START_TEST(memory_that_runs_out_is_told)
{
    begin();
    struct bytes b = {.data = NULL};
    evpq_arg arg = evpq_coded(types, "word", "a");
    oom_fail_at(1);
    evpq_error *error = encode_value(&b, &arg, 0, &(struct spot){.noun = "column ", .number = 1});
    ck_assert(oom_end());
    ck_assert_int_eq(evpq_error_status(error), EVPQ_NOMEM);
    evpq_error_unref(error);
    bytes_free(&b);
    evpq_types_unref(types);
}
END_TEST

int main(void)
{
    struct check *c = check_begin("codec");
    CHECK_ADD(c, a_codec_writes_a_parameter);
    CHECK_ADD(c, names_and_oids_are_found);
    CHECK_ADD(c, what_cannot_be_written_is_refused);
    CHECK_ADD(c, memory_that_runs_out_is_told);
    return check_end(c);
}
