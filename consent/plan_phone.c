/* consent/plan_phone.c -- telephone numbers, however they are written. */
#include "consent/plan_text.h"

enum { GROUPS = 24, LEAST = 10, MOST = 15, LOCAL = 7, KEY_ROOM = 16 };

struct groups { size_t at[GROUPS], length[GROUPS]; unsigned count; };

static bool
is_digit(struct span text, size_t i)
{
    return i < text.length && text.at[i] >= '0' && text.at[i] <= '9';
}

static bool
is_letter(struct span text, size_t i)
{
    return i < text.length && (text.at[i] | 0x20) >= 'a' && (text.at[i] | 0x20) <= 'z';
}

/* What stands inside of a number: "(555) 010-0199", also no-break spaces and hyphens. */
static size_t
separator(struct span text, size_t i)
{
    size_t n = 0;

    while (i + n < text.length && n < 7
           && (span_find_byte(SPAN(" -.()/+"), text.at[i + n]) != SPAN_NOT_FOUND || (unsigned char)text.at[i + n] >= 0x80))
        n++;
    return n;
}

/* Groups of digits that may be one number, from *at on. */
static bool
groups_next(struct span text, size_t *at, struct groups *g)
{
    size_t i = *at;

    g->count = 0;
    while (i < text.length && (!is_digit(text, i) || (i > 0 && is_letter(text, i - 1)))) {
        while (is_digit(text, i))
            i++;                         /* glued to a letter: a mark, no number */
        i += i < text.length;
    }
    while (is_digit(text, i) && g->count < GROUPS) {
        size_t from = i;
        while (is_digit(text, i))
            i++;
        bool extension = i < text.length && (text.at[i] | 0x20) == 'x' && is_digit(text, i + 1);
        if (is_letter(text, i) && !extension)
            break;
        g->at[g->count]       = from;
        g->length[g->count++] = i - from;
        size_t gap = separator(text, i);
        if (gap == 0 || !is_digit(text, i + gap))
            break;
        i += gap;
    }
    *at = i;
    return i < text.length || g->count > 0;
}

/* "tel" and the last digits of some groups. */
static size_t
put_key(struct span text, const struct groups *g, unsigned from, unsigned to, size_t digits, char *out)
{
    size_t skip = digits > LEAST ? digits - LEAST : 0, n = 0;

    for (const char *p = "tel"; *p != 0; p++)
        out[n++] = *p;
    for (unsigned k = from; k <= to; k++)
        for (size_t i = 0; i < g->length[k]; i++) {
            if (skip > 0)
                skip--;
            else
                out[n++] = text.at[g->at[k] + i];
        }
    out[n++] = ' ';
    return n;
}

bool
text_phones(struct span text, struct arena *scratch, struct span *out)
{
    struct groups g;
    char         *room = NULL;
    size_t        n = 0, used = 0, at = 0;

    while (at < text.length && groups_next(text, &at, &g)) {
        for (unsigned from = 0; from < g.count; from++) {
            size_t digits = 0;
            for (unsigned to = from; to < g.count && digits + g.length[to] <= MOST; to++) {
                digits += g.length[to];
                bool local = digits == LOCAL && to == from + 1 && g.length[from] == 3;
                if (digits < LEAST && !local)
                    continue;
                if (n + KEY_ROOM > used) {
                    size_t more = used == 0 ? 8 * KEY_ROOM : 2 * used;
                    room = arena_grow(scratch, room, used, more);
                    if (room == NULL)
                        return false;
                    used = more;
                }
                n += put_key(text, &g, from, to, digits, room + n);
            }
        }
    }
    *out = span_from(room, n);
    return n > 0;
}
