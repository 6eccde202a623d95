/* tests/fuzz/fuzz_state_pack.c -- a policy pack of anybody's making.
 *
 * Checked: nothing crashes; what is refused has an error with a place, what is
 * taken has none; and a pack that was taken, beside a fixed set of records and
 * consents, only ever narrows, in any combination with itself. */
#include <assert.h>
#include <stdlib.h>

#include "base/buf.h"
#include "consent/release.h"
#include "consent/state_overlay.h"

#define ACT "http://terminology.hl7.org/CodeSystem/v3-ActCode"
static const char request_json[] =
    "{\"at\":\"2026-11-22T15:00:00Z\",\"patient\":\"*\",\"purpose\":[\"TREAT\"],\"labels\":\"given\",\"source\":{\"part2\":\"not-program\"},"
    "\"actor\":{\"reference\":\"Organization/a\",\"class\":[\"CE_PROVIDER\"]},\"consents\":[{\"resourceType\":\"Consent\",\"id\":\"c\","
    "\"status\":\"active\",\"scope\":{\"coding\":[{\"code\":\"patient-privacy\"}]},\"patient\":{\"reference\":\"Patient/p\"},"
    "\"dateTime\":\"2026-03-03\",\"provision\":{\"type\":\"permit\",\"actor\":[{\"reference\":{\"reference\":\"Organization/a\"}}],"
    "\"securityLabel\":[{\"code\":\"HIV\"},{\"code\":\"SUD\"}]}}]}";
static const char bundle_json[] =
    "{\"resourceType\":\"Bundle\",\"type\":\"collection\",\"entry\":["
    "{\"resource\":{\"resourceType\":\"Patient\",\"id\":\"p\",\"birthDate\":\"1990\",\"address\":[{\"state\":\"XX\"}]}},"
    "{\"resource\":{\"resourceType\":\"Observation\",\"id\":\"o\",\"subject\":{\"reference\":\"Patient/p\"}}},"
    "{\"resource\":{\"resourceType\":\"Condition\",\"id\":\"c\",\"meta\":{\"security\":[{\"system\":\"" ACT "\",\"code\":\"HIV\"}]},"
    "\"subject\":{\"reference\":\"Patient/p\"},\"code\":{\"coding\":[{\"system\":\"http://hl7.org/fhir/sid/icd-10-cm\",\"code\":\"B20\"}]}}},"
    "{\"resource\":{\"resourceType\":\"Condition\",\"id\":\"d\",\"meta\":{\"security\":[{\"system\":\"" ACT "\",\"code\":\"SUD\"}]},"
    "\"subject\":{\"reference\":\"Patient/p\"}}}]}";

struct sitting {
    struct arena            *arena;
    struct issues           *issues;
    const struct facts      *facts;
    const struct bundle     *bundle;
    const struct references *references;
};

static const struct release *
judge(struct sitting *s, const struct state_pack *const *packs, size_t count)
{
    struct facts         *facts = arena_make(s->arena, struct facts);
    const struct release *out   = NULL;

    if (facts == NULL)
        return NULL;
    *facts            = *s->facts;
    facts->packs      = packs;
    facts->pack_count = count;
    return release_make(s->bundle, s->references, NULL, facts, s->arena, &out) == ST_OK ? out : NULL;
}

static void
check(struct sitting *s, const struct state_pack *pack)
{
    const struct state_pack *twice[] = { pack, pack };
    const struct release    *more = judge(s, NULL, 0), *less = judge(s, twice, 1), *least = judge(s, twice, 2);
    bool                     touched = false;

    if (more == NULL || less == NULL || least == NULL)
        return;
    for (uint32_t e = 0; e < s->bundle->count; e++) {
        const struct decision *a = &more->plan->decisions[e], *b = &less->plan->decisions[e];
        assert(b->verdict <= a->verdict && least->plan->decisions[e].verdict == b->verdict);
        touched |= b->state != NULL || b->notices != NULL;
    }
    assert(touched || span_eq(more->payload, less->payload));
    assert(pack->off == NULL || span_eq(more->payload, less->payload));
    assert(less->valid_until_ms <= more->valid_until_ms && less->valid_until_ms > s->facts->at_ms);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sitting           s    = { .arena = arena_new("fuzz", (size_t)64 << 20) };
    const struct state_pack *pack = NULL;
    const struct tape       *tape;

    s.issues = issues_new(s.arena, 50);
    if (tape_read(span_of(bundle_json), &tape_default_limits, s.arena, &tape, NULL) != ST_OK
        || bundle_read(tape, s.arena, s.issues, &s.bundle) != ST_OK
        || references_read(s.bundle, s.arena, &s.references) != ST_OK
        || facts_read(span_of(request_json), s.arena, s.issues, &s.facts) != ST_OK || issues_count(s.issues) > 0)
        abort();
    enum status st = state_pack_read(span_from(data, size), s.arena, s.issues, &pack);
    assert(st == ST_OK || st == ST_MALFORMED || st == ST_NO_MEMORY);
    assert((st == ST_MALFORMED) == (issues_have_errors(s.issues) && st != ST_NO_MEMORY));
    if (st == ST_OK)
        check(&s, pack);
    arena_free(&s.arena);
    return 0;
}
