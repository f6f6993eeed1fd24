/* refuse.h - what is good SQL and yet must not be run here. */
#ifndef RUN_REFUSE_H
#define RUN_REFUSE_H

#include "split.h"

/* NULL when the statement may be run; or why not, borrowed for ever. `one_session`: statements run
 * one after the other in the same session. `from_argument`: it stands in the command line. */
const char *refuse(const struct statement *statement, bool one_session, bool from_argument);

#endif
