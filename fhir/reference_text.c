#include "fhir/reference_text.h"

#include "base/digits.h"

/* "scheme://" somewhere. */
static bool
is_absolute(struct span text)
{
    for (size_t i = span_find_byte(text, ':'); i != SPAN_NOT_FOUND;) {
        text = span_skip(text, i + 1);
        if (text.length >= 2 && text.at[0] == '/' && text.at[1] == '/')
            return true;
        i = span_find_byte(text, ':');
    }
    return false;
}

enum reference_form
reference_form_of(struct span text)
{
    if (text.length > 0 && text.at[0] == '#')
        return REFERENCE_CONTAINED;
    if (span_find_byte(text, '?') != SPAN_NOT_FOUND)
        return REFERENCE_CONDITIONAL;
    if (span_starts(text, SPAN("urn:")))
        return REFERENCE_URN;
    return is_absolute(text) ? REFERENCE_ABSOLUTE : REFERENCE_RELATIVE;
}

/* Where the last '/' is, of a text without its fragment and without
 * "/_history/v" at the end; SPAN_NOT_FOUND when it has none. */
static size_t
last_slash(struct span *text)
{
    size_t fragment = span_find_byte(*text, '#');
    if (fragment != SPAN_NOT_FOUND && fragment > 0)
        *text = span_first(*text, fragment);
    size_t last = span_find_last_byte(*text, '/');
    if (last == SPAN_NOT_FOUND || !span_ends(span_first(*text, last), SPAN("/_history")))
        return last;
    *text = span_first(*text, last - 9);
    return span_find_last_byte(*text, '/');
}

struct span
reference_unversioned(struct span text)
{
    (void)last_slash(&text);
    return text;
}

static bool
is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

bool
reference_split(struct span text, struct span *base, struct span *type, struct span *id)
{
    struct span rest = text;

    if (span_find_byte(text, '?') != SPAN_NOT_FOUND)
        return false;
    size_t last = last_slash(&rest), first = last;       /* of the type */
    if (last == SPAN_NOT_FOUND || last + 1 == rest.length)
        return false;
    while (first > 0 && (is_upper(rest.at[first - 1]) || (rest.at[first - 1] >= 'a' && rest.at[first - 1] <= 'z')))
        first--;
    if (last - first < 2 || !is_upper(rest.at[first]) || (first > 0 && rest.at[first - 1] != '/'))
        return false;
    *base = span_first(rest, first > 0 ? first - 1 : 0);
    *type = span_from(rest.at + first, last - first);
    *id   = span_skip(rest, last + 1);
    return true;
}

struct span
reference_percent_decoded(struct span text, struct arena *arena)
{
    char  *out    = arena_alloc(arena, text.length + 1);
    size_t length = 0;

    if (out == NULL)
        return text;
    for (size_t i = 0; i < text.length; i++) {
        int byte = -1;
        if (text.at[i] == '%' && text.length - i > 2 && digits_hex_value(text.at[i + 1]) >= 0
            && digits_hex_value(text.at[i + 2]) >= 0)
            byte = digits_hex_value(text.at[i + 1]) << 4 | digits_hex_value(text.at[i + 2]);
        out[length++] = byte >= 0 ? (char)byte : text.at[i];
        i += byte >= 0 ? 2 : 0;
    }
    return span_from(out, length);
}
