/* tests/fuzz/fuzz_revocation.c -- any bytes as a Consent that is revoked, and as what is asked about it.
 *
 * The first byte chooses the revocation, the rest is the Consent.  Checked: what is
 * made is JSON again; asked again it stands; and no revocation widens: what the
 * Consent did not let go before it does not let go after.  The same bytes are
 * read as a consult and as parameters of a search, which must come to an end. */
#include <assert.h>
#include <string.h>

#include "consent/release.h"
#include "consent/revocation.h"
#include "gateway/stages/consulting.h"
#include "gateway/stages/reading.h"

#define NOW 1795000000000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char samples[] =
    "{\"resourceType\":\"Bundle\",\"type\":\"collection\",\"entry\":["
    "{\"resource\":{\"resourceType\":\"Basic\",\"id\":\"a\",\"subject\":{\"reference\":\"Patient/p\"}}},"
    "{\"resource\":{\"resourceType\":\"Observation\",\"id\":\"b\",\"subject\":{\"reference\":\"Patient/p\"}}},"
    "{\"resource\":{\"resourceType\":\"Observation\",\"id\":\"c\",\"meta\":{\"security\":[{\"system\":"
    "\"http://terminology.hl7.org/CodeSystem/v3-ActCode\",\"code\":\"SUD\"}]},\"subject\":{\"reference\":\"Patient/p\"}}}]}";

static const struct tape *
read_padded(struct span text, struct arena *arena)
{
    const struct tape *t  = NULL;
    char              *at = arena_alloc(arena, text.length + 64);

    if (at == NULL)
        return NULL;
    if (text.length > 0)
        memcpy(at, text.at, text.length);
    memset(at + text.length, 0, 64);
    return tape_read(span_from(at, text.length), &tape_default_limits, arena, &t, NULL) == ST_OK ? t : NULL;
}

static unsigned
let_go(const struct tape *consent, struct arena *arena)
{
    static const struct identifier npi      = { { "urn:npi", 7 }, { "1", 1 } };
    static const struct span       purposes = { "TREAT", 5 };

    struct consent_source    source = { .tape = consent, .node = TAPE_ROOT, .patient = SPAN("Patient/p") };
    const struct tape       *t      = read_padded(span_of(samples), arena);
    struct issues           *issues = issues_new(arena, 8);
    const struct bundle     *bundle;
    const struct references *references;
    const struct release    *release;
    unsigned                 bits = 0;
    struct facts facts = {
        .at_ms = NOW + 1000, .legal = LEGAL_NONE, .labels = LABELS_GIVEN, .trust_labels = true,
        .actor = { .reference = SPAN("Organization/o"), .identifiers = &npi, .identifier_count = 1 },
        .purposes = &purposes, .purpose_count = 1, .consents = &source, .consent_count = 1,
    };

    if (t == NULL || issues == NULL || bundle_read(t, arena, issues, &bundle) != ST_OK
        || references_read(bundle, arena, &references) != ST_OK
        || release_make(bundle, references, NULL, &facts, arena, &release) != ST_OK)
        return ~0u;
    for (uint32_t i = 0; i < bundle->count; i++)
        if (release->plan->decisions[i].verdict == VERDICT_PERMIT)
            bits |= 1u << i;
    return bits;
}

static void
check_revocation(const struct tape *consent, uint8_t kind, struct arena *arena)
{
    struct revocation r = { .received_ms = NOW, .recorded_ms = NOW, .form = (kind & 1) != 0 ? REVOCATION_SAID : REVOCATION_WRITTEN };
    struct span       made, again;

    if ((kind & 2) != 0)
        r.recipient = SPAN("Organization/o");
    if ((kind & 4) != 0)
        r.purpose = SPAN("TREAT");
    if ((kind & 8) != 0)
        r.provision = SPAN("provision.provision[0]");
    if (revoke(consent, &r, arena, &made) != REVOCATION_MADE)
        return;
    const struct tape *next = read_padded(made, arena);
    assert(next != NULL || arena_spent(arena));
    if (next == NULL)
        return;
    assert(revoke(next, &r, arena, &again) != REVOCATION_MADE || arena_spent(arena)
           || (kind & 1) != 0);          /* a criminal justice consent is not held by what was said, only told of it */
    unsigned before = let_go(consent, arena), after = let_go(next, arena);
    assert(arena_spent(arena) || (after & ~before) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct arena *arena;
    struct consulting    c = { 0 };
    struct reading       r = { 0 };
    const char          *why;

    if (arena == NULL)
        arena = arena_new("fuzz", (size_t)64 << 20);
    if (size < 1 || size > 65536)
        return 0;
    struct arena_mark  mark = arena_mark(arena);
    struct span        text = span_from((const char *)data + 1, size - 1);
    const struct tape *t    = read_padded(text, arena);
    struct span        rest = text;
    struct span        name = span_split(&rest, '=');
    (void)reading_take(&r, arena, name, rest, &why);
    assert(r.count <= 200);
    if (t != NULL) {
        (void)consulting_read(t, arena, &c, &why);
        check_revocation(t, data[0], arena);
    }
    arena_reset(arena, mark);
    return 0;
}
