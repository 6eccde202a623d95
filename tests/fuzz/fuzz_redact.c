/* tests/fuzz/fuzz_redact.c -- a document, a recipient, and what leaves.
 *
 * The first byte chooses the request; the rest is the document.  Checked:
 * nothing crashes; what leaves is a document that can be read; without an edit
 * it is the very bytes; no id of a withheld resource is a reference in it; and
 * what leaves, sent again, leaves as it is: a recipient's copy has nothing
 * more to lose. */
#include <assert.h>
#include <string.h>

#include "consent/release.h"

#define AT "\"at\":\"2026-11-22T15:00:00Z\",\"actor\":{\"reference\":\"Organization/county\"},\"purpose\":[\"TREAT\"]"
#define OAK                                                                                                  \
    "\"programs\":[{\"reference\":\"Organization/oak\",\"identifier\":[{\"system\":"                         \
    "\"http://hl7.org/fhir/sid/us-npi\",\"value\":\"1888888883\"}],\"source\":\"https://oak.example.org/fhir\"}]"
#define CONSENT(provision)                                                                                   \
    "\"consents\":[{\"resourceType\":\"Consent\",\"id\":\"cx\",\"status\":\"active\",\"scope\":{\"coding\":[{\"system\":" \
    "\"http://terminology.hl7.org/CodeSystem/consentscope\",\"code\":\"patient-privacy\"}]},\"category\":[{\"coding\":[" \
    "{\"system\":\"http://loinc.org\",\"code\":\"59284-0\"}]}],\"patient\":{\"reference\":\"Patient/p1\"},"  \
    "\"dateTime\":\"2024-01-01\",\"policy\":[{\"uri\":\"http://example.org/p\"}],\"provision\":" provision "}]"
#define DENY(label)                                                                                          \
    "{\"type\":\"permit\",\"provision\":[{\"type\":\"deny\",\"securityLabel\":[{\"system\":"                 \
    "\"http://terminology.hl7.org/CodeSystem/v3-ActCode\",\"code\":\"" label "\"}]}]}"

static const char *const requests[] = {
    "{" AT ",\"source\":{\"part2\":\"not-program\"}," OAK "}",
    "{" AT "}",
    "{" AT ",\"source\":{\"part2\":\"program\"}," OAK "}",
    "{" AT ",\"labels\":\"given\",\"source\":{\"part2\":\"not-program\"}," CONSENT(DENY("PSY")) "}",
    "{" AT ",\"source\":{\"part2\":\"not-program\"}," OAK "," CONSENT(DENY("SUD")) "}",
};

static struct arena *arena;

static const struct release *
release_of(struct span body, const struct facts *facts)
{
    const struct tape       *tape;
    const struct bundle     *bundle;
    const struct references *references;
    const struct release    *release = NULL;
    struct issues           *issues  = issues_new(arena, 4);

    if (issues == NULL || tape_read(body, &tape_default_limits, arena, &tape, NULL) != ST_OK
        || bundle_read(tape, arena, issues, &bundle) != ST_OK || references_read(bundle, arena, &references) != ST_OK
        || release_make(bundle, references, NULL, facts, arena, &release) != ST_OK)
        return NULL;
    return release;
}

static void
check_shape(const struct release *r, struct span body)
{
    uint32_t kept = 0;

    for (uint32_t e = 0; e < r->bundle->count; e++)
        kept += r->plan->decisions[e].verdict >= VERDICT_REDACT;
    assert(kept == r->plan->kept);
    if (r->outcome == RELEASE_PERMIT && r->obligations == 0)
        assert(span_eq(r->payload, body));
    if (r->outcome == RELEASE_PERMIT || r->outcome == RELEASE_PARTIAL)
        assert(kept > 0 && r->payload.length > 0 && r->splices != NULL);
    else
        assert(r->payload.length == 0 && r->splices == NULL);
    for (size_t i = 1; i < r->plan->cut_count; i++)
        assert(r->plan->cuts[i - 1].node < r->plan->cuts[i].node);
}

/* References of the result point at nothing that is not there any more. */
static void
check_references(const struct release *first, const struct release *again)
{
    for (uint32_t i = 0; i < again->references->count; i++) {
        const struct reference *r = &again->references->all[i];
        if (r->to != ENTRY_NONE || span_empty(r->type) || span_empty(r->id) || r->form == REFERENCE_CONTAINED)
            continue;
        uint32_t was = bundle_find(first->bundle, r->type, r->id);
        assert(was == ENTRY_NONE || first->plan->decisions[was].verdict >= VERDICT_REDACT);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct facts *facts;

    if (size < 2)
        return 0;
    arena = arena_new("fuzz", (size_t)256 << 20);
    assert(arena != NULL);
    const char    *request = requests[data[0] % (sizeof requests / sizeof requests[0])];
    struct issues *issues  = issues_new(arena, 4);
    struct span    body    = span_from((const char *)data + 1, size - 1);
    enum status    st      = facts_read(span_of(request), arena, issues, &facts);
    assert(st == ST_OK);
    const struct release *r = release_of(body, facts);
    if (r != NULL) {
        check_shape(r, body);
        const struct release *again = r->payload.length > 0 ? release_of(r->payload, facts) : NULL;
        if (again != NULL && r->obligations == 0) {
            check_references(r, again);
            assert(span_eq(again->payload, r->payload));
        }
    }
    arena_free(&arena);
    return 0;
}
