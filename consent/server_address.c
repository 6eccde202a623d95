#include "consent/server_address.h"

#include <string.h>

#include "base/digits.h"

struct address
address_of(struct span url)
{
    struct address a      = { .host = url };
    size_t         scheme = span_find(url, SPAN("://"));
    bool           plain  = scheme != SPAN_NOT_FOUND && span_eq_nocase(span_first(url, scheme), SPAN("http"));

    if (scheme == SPAN_NOT_FOUND && span_starts(url, SPAN("urn:")))
        return a;
    if (scheme != SPAN_NOT_FOUND)
        a.host = span_skip(url, scheme + 3);
    size_t end = 0;
    while (end < a.host.length && a.host.at[end] != '/' && a.host.at[end] != '?' && a.host.at[end] != '#' && a.host.at[end] != '|')
        end++;
    a.path = span_skip(a.host, end);
    a.host = span_first(a.host, end);
    size_t user = span_find_last_byte(a.host, '@');
    if (user != SPAN_NOT_FOUND)
        a.host = span_skip(a.host, user + 1);
    size_t colon = span_find_last_byte(a.host, ':');
    if (colon != SPAN_NOT_FOUND && span_find_byte(span_skip(a.host, colon), ']') == SPAN_NOT_FOUND) {
        a.port = span_skip(a.host, colon + 1);
        a.host = span_first(a.host, colon);
        if (span_eq_text(a.port, plain ? "80" : "443") || (scheme == SPAN_NOT_FOUND && span_eq_text(a.port, "80")))
            a.port = (struct span){ NULL, 0 };
    }
    while (span_ends(a.host, SPAN(".")))
        a.host.length--;
    return a;
}

/* The next character of a host or path; several slashes are one, -1 is the end. */
static int
next_of(struct span s, size_t *at, int before)
{
    int c;

    do {
        if (*at >= s.length)
            return -1;
        c = (unsigned char)s.at[(*at)++];
        if (c == '%' && *at + 1 < s.length && digits_hex_value(s.at[*at]) >= 0 && digits_hex_value(s.at[*at + 1]) >= 0) {
            c = digits_hex_value(s.at[*at]) * 16 + digits_hex_value(s.at[*at + 1]);
            *at += 2;
        }
    } while (c == '/' && before == '/');
    return c;
}

static int
lower_of(int c)
{
    return c >= 'A' && c <= 'Z' ? c | 0x20 : c;
}

bool
address_same_host(const struct address *a, const struct address *b)
{
    size_t i = 0, k = 0;
    int    one, other;

    do {
        one   = next_of(a->host, &i, 0);
        other = next_of(b->host, &k, 0);
    } while (one >= 0 && lower_of(one) == lower_of(other));
    return one == other;
}

/* "/fhir" covers itself and what is behind a slash, a question mark or a fragment. */
static bool
path_under(struct span path, struct span base)
{
    size_t i = 0, k = 0;
    int    one = 0, other = 0;

    while (base.length > 0 && base.at[base.length - 1] == '/')
        base.length--;
    for (;;) {
        int wanted = next_of(base, &k, other);
        one        = next_of(path, &i, one);
        if (wanted < 0)
            return one < 0 || strchr("/?#|:", one) != NULL;
        if (one != wanted)
            return false;
        other = wanted;
    }
}

bool
address_is_under(const struct address *mine, const struct address *base)
{
    if (span_empty(base->host) || !address_same_host(mine, base) || !path_under(mine->path, base->path))
        return false;
    /* A program that is known by its host is known at all its ports. */
    return span_eq(mine->port, base->port) || (span_empty(base->port) && base->path.length <= 1);
}
