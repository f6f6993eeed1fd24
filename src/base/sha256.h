/* sha256.h - SHA-256 (FIPS 180-4), for names made from content. Not for secrets.
 *
 * libpq has one too, but exports none; OpenSSL's would be a dependency of its own, beside the copy
 * that a libpq brings along. */
#ifndef BASE_SHA256_H
#define BASE_SHA256_H

#include <stddef.h>
#include <stdint.h>

enum { SHA256_SIZE = 32, SHA256_BLOCK = 64 };

struct sha256 {
    uint32_t state[8];
    uint64_t length; /* in bytes, so far */
    unsigned char block[SHA256_BLOCK];
};

void sha256_init(struct sha256 *h);
void sha256_add(struct sha256 *h, const void *bytes, size_t n);
void sha256_end(struct sha256 *h, unsigned char ret_digest[SHA256_SIZE]);

#endif
