#include "fhir/term_systems.h"

#include "fhir/language_tag.h"
#include "fhir/media_type.h"
#include "fhir/term_words.h"
#include "fhir/ucum.h"

#define ALPHA2(codes)
#define ALPHA3(codes)
#define NUMERIC(codes)

#undef ALPHA2
#define ALPHA2(codes) codes
static const char alpha2[] =
#include "fhir/term_countries.def"
;
#undef ALPHA2
#define ALPHA2(codes)

#undef ALPHA3
#define ALPHA3(codes) codes
static const char alpha3[] =
#include "fhir/term_countries.def"
;
#undef ALPHA3
#define ALPHA3(codes)

#undef NUMERIC
#define NUMERIC(codes) codes
static const char numeric[] =
#include "fhir/term_countries.def"
;

#define CURRENCIES(codes) codes
static const char currencies[] =
#include "fhir/term_currencies.def"
;

static bool
is_country(struct span code)
{
    return term_words_have(span_from(alpha2, sizeof alpha2 - 1), 2, code)
        || term_words_have(span_from(alpha3, sizeof alpha3 - 1), 3, code)
        || term_words_have(span_from(numeric, sizeof numeric - 1), 3, code);
}

#define SUBDIVISION(codes) codes
static const char subdivisions[] =
#include "fhir/term_subdivisions.def"
;

static bool
is_subdivision(struct span code)
{
    char padded[6] = { ' ', ' ', ' ', ' ', ' ', ' ' };

    if (code.length == 0 || code.length > sizeof padded || code.at[code.length - 1] == ' ')
        return false;
    memcpy(padded, code.at, code.length);
    return term_words_have(span_from(subdivisions, sizeof subdivisions - 1), sizeof padded, span_from(padded, sizeof padded));
}

static bool
is_currency(struct span code)
{
    return term_words_have(span_from(currencies, sizeof currencies - 1), 3, code);
}

/* R4 http.html#mime-type: CapabilityStatement.format, which is bound to media
 * types, has "xml", "json" and "ttl" as well. */
static bool
format_good(struct span code)
{
    return media_type_good(code) || span_eq_text(code, "xml") || span_eq_text(code, "json") || span_eq_text(code, "ttl");
}

/* The urls are those of R4's terminologies-systems.html. */
#define SYSTEM(url) { url, sizeof(url) - 1 }
static const struct term_system systems[] = {
    { SYSTEM("http://unitsofmeasure.org"), "UCUM 2.2", ucum_good, true },
    { SYSTEM("urn:ietf:bcp:13"), "RFC 6838 4.2, RFC 2045 5.1", format_good, true },
    { SYSTEM("urn:ietf:bcp:47"), "RFC 5646, IANA Language Subtag Registry", language_tag_good, true },
    { SYSTEM("urn:iso:std:iso:3166"), "ISO 3166-1:2020", is_country, false },
    { SYSTEM("urn:iso:std:iso:3166:-2"), "ISO 3166-2:2020", is_subdivision, false },
    { SYSTEM("urn:iso:std:iso:4217"), "ISO 4217:2015", is_currency, false },
};

const struct term_system *
term_system_of(struct span url)
{
    for (size_t i = 0; i < sizeof systems / sizeof systems[0]; i++)
        if (span_eq(url, systems[i].url))
            return &systems[i];
    return NULL;
}
