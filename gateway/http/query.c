/* gateway/http/query.c -- the parameters of a request's query. */
#include "gateway/http/query.h"

#include "base/digits.h"

struct span
query_decoded(struct span text, struct arena *arena)
{
    char  *out = arena_alloc(arena, text.length + 1);
    size_t n   = 0;

    for (size_t i = 0; out != NULL && i < text.length; i++) {
        out[n] = text.at[i] == '+' ? ' ' : text.at[i];
        if (text.at[i] == '%') {
            if (i + 2 >= text.length || digits_hex_value(text.at[i + 1]) < 0 || digits_hex_value(text.at[i + 2]) < 0)
                return (struct span){ NULL, 0 };
            out[n] = (char)(digits_hex_value(text.at[i + 1]) * 16 + digits_hex_value(text.at[i + 2]));
            i += 2;
        }
        n++;
    }
    return span_from(out, out != NULL ? n : 0);
}

bool
query_next(struct span *rest, struct arena *arena, struct span *name, struct span *value)
{
    while (rest->at != NULL) {
        struct span raw = span_split(rest, '&');
        struct span key = span_split(&raw, '=');
        if (span_empty(key) && span_empty(raw))
            continue;
        *name  = query_decoded(key, arena);
        *value = query_decoded(raw, arena);
        return true;
    }
    return false;
}
