/* write_word.h - a word as a part of a value's text. */
#ifndef VALUES_WRITE_WORD_H
#define VALUES_WRITE_WORD_H

#include <stddef.h>
#include <string.h>

/* The room is large enough for the word and the zero behind it. The length, without the zero. */
static inline size_t write_word(const char *word, char *room)
{
    size_t length = strlen(word);
    memcpy(room, word, length + 1);
    return length;
}

#endif
