#include "fhir/media_type.h"

#define NAME_MAX_LENGTH 127u                 /* RFC 6838 4.2 */

static bool
is_alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* restricted-name-chars of RFC 6838. */
static bool
is_name(char c)
{
    return is_alnum(c) || (c != '\0' && strchr("!#$&-^_.+", c) != NULL);
}

/* token of RFC 2045: all but space, controls and tspecials. */
static bool
is_token(char c)
{
    return c > 0x20 && c < 0x7f && strchr("()<>@,;:\\\"/[]?=", c) == NULL;
}

static bool
take_name(struct span *rest)
{
    size_t length = 0;

    while (length < rest->length && is_name(rest->at[length]))
        length++;
    bool good = length > 0 && length <= NAME_MAX_LENGTH && is_alnum(rest->at[0]);
    *rest = span_skip(*rest, length);
    return good;
}

static bool
take_token(struct span *rest)
{
    size_t length = 0;

    while (length < rest->length && is_token(rest->at[length]))
        length++;
    *rest = span_skip(*rest, length);
    return length > 0;
}

static bool
take_quoted(struct span *rest)
{
    for (size_t i = 1; i < rest->length; i++) {
        if (rest->at[i] == '"') {
            *rest = span_skip(*rest, i + 1);
            return true;
        }
        i += rest->at[i] == '\\';
    }
    return false;
}

static bool
take_byte(struct span *rest, char byte)
{
    bool good = rest->length > 0 && rest->at[0] == byte;

    *rest = span_skip(*rest, good);
    return good;
}

static void
skip_space(struct span *rest)
{
    while (rest->length > 0 && (rest->at[0] == ' ' || rest->at[0] == '\t'))
        *rest = span_skip(*rest, 1);
}

bool
media_type_good(struct span rest)
{
    if (!take_name(&rest) || !take_byte(&rest, '/') || !take_name(&rest))
        return false;
    while (rest.length > 0) {
        skip_space(&rest);
        if (!take_byte(&rest, ';'))
            return false;
        skip_space(&rest);
        if (!take_token(&rest) || !take_byte(&rest, '='))
            return false;
        if (rest.length > 0 && rest.at[0] == '"' ? !take_quoted(&rest) : !take_token(&rest))
            return false;
    }
    return true;
}
