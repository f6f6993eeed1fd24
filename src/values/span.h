/* span.h - a value that lies in somebody else's memory. */
#ifndef VALUES_SPAN_H
#define VALUES_SPAN_H

/* One more byte can be read behind the value, whatever it is. */
struct span {
    const char *bytes;
    int length; /* -1: SQL NULL */
};

#endif
