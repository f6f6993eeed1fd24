/* refuse.h - what is good SQL and yet must not be run here. */
#ifndef RUN_REFUSE_H
#define RUN_REFUSE_H

#include "split.h"

/* NULL when the statement may be run; or why not, borrowed for ever. */
const char *refuse(const struct statement *statement);

#endif
