/* base/json_text.h -- the text of a JSON string behind its escapes.
 *
 * Private to base/json_*: the bytes one by one, unescaped, without a copy.
 *
 *     struct text t = text_of(raw);                 raw: between the quotes
 *     for (int byte; (byte = text_byte(&t)) >= 0;)  -1 at the end
 *         ...
 *
 * Only for strings that the reader has accepted: every escape is whole and
 * every surrogate has its other half (base/json_read.c).  A string without a
 * backslash reads as itself.
 */
#ifndef SLUICE_BASE_JSON_TEXT_H
#define SLUICE_BASE_JSON_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"

struct text {
    const uint8_t *p;
    const uint8_t *end;
    uint8_t        pending[4];           /* the rest of one encoded character */
    uint8_t        count;
    uint8_t        taken;
};

struct text text_of(struct span raw);
int         text_byte(struct text *);
/* Bytewise, as span_compare, after unescaping both. */
int         text_order(struct span raw, struct span other);

/* The UTF-16 code unit of the \uXXXX that p is at; -1 when it is none. */
int32_t text_code_unit(const uint8_t *p, const uint8_t *end);
bool    text_is_high(int32_t unit);      /* first half of a surrogate pair */
bool    text_is_low(int32_t unit);

/* The length of the well-formed UTF-8 sequence at p, which is before end; 0
 * when it is overlong, cut short, a surrogate or above U+10FFFF. */
size_t text_utf8_length(const uint8_t *p, const uint8_t *end);

#endif
