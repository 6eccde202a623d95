#include "fhir/term_systems.h"

#include "fhir/media_type.h"

static const struct term_system systems[] = {
    { "urn:ietf:bcp:13", "RFC 6838 4.2, RFC 2045 5.1", media_type_good, true },
};

const struct term_system *
term_system_of(struct span url)
{
    for (size_t i = 0; i < sizeof systems / sizeof systems[0]; i++)
        if (span_eq_text(url, systems[i].url))
            return &systems[i];
    return NULL;
}
