#include "consent/purpose.h"

enum reach { REACH_WITHIN = 0, REACH_NAMED, REACH_LEGAL };

static const struct {
    const char  *code;
    enum purpose parent;
    enum reach   reach;
} purposes[PURPOSE_COUNT] = {
    [PURPOSE_NONE] = { "", PURPOSE_NONE, REACH_NAMED },
#define PURPOSE(code, parent, reach) [PURPOSE_##code] = { #code, PURPOSE_##parent, REACH_##reach },
#include "consent/purposes.def"
#undef PURPOSE
};

_Static_assert(PURPOSE_COUNT <= 65, "a purpose_set has 64 bits");

enum purpose
purpose_of(struct span code)
{
    for (enum purpose p = PURPOSE_NONE + 1; p < PURPOSE_COUNT; p++)
        if (span_eq_text(code, purposes[p].code))
            return p;
    return PURPOSE_NONE;
}

bool
purpose_system(struct span system)
{
    static const char *const spellings[] = {
        "http://terminology.hl7.org/CodeSystem/v3-ActReason",
        "http://terminology.hl7.org/ValueSet/v3-ActReason",
        "http://terminology.hl7.org/ValueSet/v3-PurposeOfUse",
        "http://hl7.org/fhir/ValueSet/v3-PurposeOfUse",
        "http://hl7.org/fhir/v3/ActReason",
        "http://hl7.org/fhir/v3/PurposeOfUse",
        "urn:oid:2.16.840.1.113883.5.8",
        "2.16.840.1.113883.5.8",
        "https://sluice.example/fhir/CodeSystem/purpose",
    };
    for (size_t i = 0; i < sizeof spellings / sizeof *spellings; i++)
        if (span_eq_text(system, spellings[i]))
            return true;
    return false;
}

const char *
purpose_code(enum purpose p)
{
    return p < PURPOSE_COUNT ? purposes[p].code : "";
}

bool
purpose_is_a(enum purpose p, enum purpose ancestor)
{
    if (ancestor == PURPOSE_NONE)
        return false;
    while (p != PURPOSE_NONE && p != ancestor)
        p = purposes[p].parent;
    return p == ancestor;
}

bool
purpose_covers(enum purpose listed, enum purpose asked)
{
    if (listed == PURPOSE_NONE)
        return false;
    while (asked != PURPOSE_NONE && asked != listed) {
        if (purposes[asked].reach != REACH_WITHIN)
            return false;
        asked = purposes[asked].parent;
    }
    return asked == listed;
}

bool
purpose_within(struct span claimed, const struct span *registered, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (purpose_covers(purpose_of(registered[i]), purpose_of(claimed)))
            return true;
    return false;
}

bool
purpose_legal(enum purpose p)
{
    return p < PURPOSE_COUNT && purposes[p].reach == REACH_LEGAL;
}
