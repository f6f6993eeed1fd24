/* thread_mark.c - see thread_mark.h. Nothing is ever kept in it. */
#include "base/thread_mark.h"

_Thread_local char thread_mark;
