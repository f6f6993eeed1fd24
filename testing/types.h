/* types.h - the types of PostgreSQL that the scripted server knows: names, oids, and the binary
 * form of some. */
#ifndef TESTING_TYPES_H
#define TESTING_TYPES_H

#include "testing/bytes.h"

#include <stdbool.h>

/* The oid of a name, an alias or a number; 0: there is none. */
uint32_t type_oid(const char *name);

/* Its name, for messages. */
const char *type_name(uint32_t oid);

/* What RowDescription says: -1 for a size that varies. */
int type_size(uint32_t oid);

/* Whether type_put_binary knows it. */
bool type_has_binary(uint32_t oid);

/* Writes the binary form of a text; false when it is not one of the type's. */
bool type_put_binary(struct bytes *b, uint32_t oid, const char *text);

/* The text of a value that was received in binary form. Given: free(). */
char *type_read_binary(uint32_t oid, const char *bytes, size_t n);

#endif
