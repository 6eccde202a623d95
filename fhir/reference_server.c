/* fhir/reference_server.c -- whether two base URLs may be of one server. */
#include "fhir/reference.h"

static struct span
host_of(struct span url)
{
    size_t scheme = span_find(url, SPAN("://"));

    if (scheme != SPAN_NOT_FOUND)
        url = span_skip(url, scheme + 3);
    struct span host = span_split(&url, '/');
    size_t      user = span_find_last_byte(host, '@');
    if (user != SPAN_NOT_FOUND)
        host = span_skip(host, user + 1);
    size_t port = span_find_last_byte(host, ':');
    if (port != SPAN_NOT_FOUND && span_find_byte(span_skip(host, port), ']') == SPAN_NOT_FOUND)
        host = span_first(host, port);
    while (span_ends(host, SPAN(".")))
        host.length--;
    return host;
}

bool
reference_may_be(struct span base, struct span other)
{
    return span_eq(base, other) || !span_starts(base, SPAN("http")) || !span_starts(other, SPAN("http"))
           || span_eq_nocase(host_of(base), host_of(other));
}
