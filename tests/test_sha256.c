/* test_sha256.c - the vectors of FIPS 180-2, appendix B, and text that ends at each place of a
 * block. */
#include "base/sha256.h"

#include "support/check.h"

#include <stdio.h>
#include <string.h>

static const char *hex_of(struct sha256 *h)
{
    static char hex[2 * SHA256_SIZE + 1];
    unsigned char digest[SHA256_SIZE];
    sha256_end(h, digest);
    for (int i = 0; i < SHA256_SIZE; i++)
        snprintf(hex + i * 2, 3, "%02x", digest[i]);
    return hex;
}

static const struct {
    const char *text, *hex;
} cases[] = {
    {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
};

START_TEST(known_digests)
{
    struct sha256 h;
    sha256_init(&h);
    sha256_add(&h, cases[_i].text, strlen(cases[_i].text));
    ck_assert_str_eq(hex_of(&h), cases[_i].hex);
}
END_TEST

START_TEST(a_million_letters)
{
    struct sha256 h;
    sha256_init(&h);
    for (int i = 0; i < 100000; i++)
        sha256_add(&h, "aaaaaaaaaa", 10);
    ck_assert_str_eq(hex_of(&h),
                     "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}
END_TEST

START_TEST(pieces_are_as_the_whole)
{
    char text[200], whole[2 * SHA256_SIZE + 1];
    memset(text, 'x', sizeof text);
    for (size_t n = 0; n < sizeof text; n++) {
        struct sha256 h;
        sha256_init(&h);
        sha256_add(&h, text, n);
        snprintf(whole, sizeof whole, "%s", hex_of(&h));
        sha256_init(&h);
        for (size_t i = 0; i < n; i += 7)
            sha256_add(&h, text + i, n - i < 7 ? n - i : 7);
        ck_assert_str_eq(hex_of(&h), whole);
    }
}
END_TEST

int main(void)
{
    struct check *c = check_begin("sha256");
    CHECK_ADD_LOOP(c, known_digests, (int)(sizeof cases / sizeof *cases));
    CHECK_ADD(c, a_million_letters);
    CHECK_ADD(c, pieces_are_as_the_whole);
    return check_end(c);
}
