/* tests/fuzz/fuzz_policy.c -- a list of Consents against one fixed record set.
 *
 * The bytes are the `consents` of a request file.  Checked: nothing crashes,
 * every entry gets a rule and a sentence, the order of the consents does not
 * matter, one more refusal never widens, one more unusable consent changes
 * nothing, no consent opens the proceedings gate, and what the notice is put
 * into can be read again.  More members of the request may follow the list:
 * what is on file then opens the gate by documents alone, a document never
 * narrows, and a restriction never widens.  What a person finds about what was held
 * or is suspect opens that alone, and a refusal opens nothing (review.h W3). */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "consent/decision.h"
#include "consent/obligation.h"
#include "consent/review.h"

#define ACT "http://terminology.hl7.org/CodeSystem/v3-ActCode"
#define HEAD                                                                                                        \
    "{\"at\":\"2026-11-22T15:00:00Z\",\"patient\":\"*\",\"purpose\":[\"TREAT\"],\"actor\":{\"reference\":\"Organization/orgA\","     \
    "\"identifier\":[{\"system\":\"http://hl7.org/fhir/sid/us-npi\",\"value\":\"1000000001\"}]},\"actors\":{\"Organization/orgB\":{}}," \
    "\"consents\":"
#define REFUSAL                                                                                                     \
    "{\"resourceType\":\"Consent\",\"id\":\"no\",\"status\":\"active\",\"scope\":{\"coding\":[{\"code\":\"patient-privacy\"}]},"     \
    "\"patient\":{\"reference\":\"Patient/p1\"},\"dateTime\":\"2023-03-03\",\"provision\":{\"type\":\"deny\",\"securityLabel\":[{\"system\":\"" ACT "\",\"code\":\"SUD\"}]}}"
#define UNUSABLE "{\"resourceType\":\"Consent\",\"id\":\"un\",\"status\":\"draft\",\"patient\":{\"reference\":\"Patient/p1\"},\"provision\":{\"type\":\"deny\"}}"

static const char bundle_json[] =
    "{\"resourceType\":\"Bundle\",\"type\":\"collection\",\"entry\":["
    "{\"resource\":{\"resourceType\":\"Patient\",\"id\":\"p1\"}},"
    "{\"resource\":{\"resourceType\":\"Observation\",\"id\":\"o\",\"subject\":{\"reference\":\"Patient/p1\"},\"effectiveDateTime\":\"2022-06-01\"}},"
    "{\"resource\":{\"resourceType\":\"Condition\",\"id\":\"c\",\"subject\":{\"reference\":\"Patient/p1\"},\"recordedDate\":\"2022-06-10\","
    "\"code\":{\"coding\":[{\"system\":\"http://hl7.org/fhir/sid/icd-10-cm\",\"code\":\"F11.20\"}]}}},"
    "{\"resource\":{\"resourceType\":\"Medication\",\"id\":\"m\"}},"
    "{\"resource\":{\"resourceType\":\"MedicationRequest\",\"id\":\"r\",\"subject\":{\"reference\":\"Patient/p1\"},\"medicationReference\":{\"reference\":\"Medication/m\"}}}]}";

enum { ENTRIES = 5 };

static const struct labeled labels[ENTRIES] = {
    [0] = { .part2 = PART2_NOT },
    [1] = { .part2 = PART2_NOT, .uninspected = true },
    [2] = { .labels = LABEL_BIT(LABEL_SUD) | LABEL_BIT(LABEL_R), .part2 = PART2_SUSPECT },
    [3] = { .labels = LABEL_BIT(LABEL_OPIOIDUD), .part2 = PART2_CONFIRMED },
    [4] = { .labels = LABEL_BIT(LABEL_HIV), .part2 = PART2_NOT },
};

struct sitting {
    struct arena            *arena;
    const struct facts      *facts;
    const struct bundle     *bundle;
    const struct references *references;
    struct labeling          labeling;
};

/* Consents of the list, then more, in order or backwards. */
static const struct decision *
judge(const struct sitting *s, const struct facts *facts, const struct consent_source *more, bool backwards,
      const struct policy **policy)
{
    const struct decision *all;
    size_t                 count = s->facts->consent_count;
    struct consent_source *list  = arena_make_n(s->arena, count + 1, struct consent_source);

    assert(list != NULL);
    for (size_t i = 0; i < count; i++)
        list[i] = s->facts->consents[backwards ? count - 1 - i : i];
    if (more != NULL)
        list[count++] = *more;
    if (policy_compile(list, count, s->arena, policy) != ST_OK
        || decide_all(*policy, facts, s->references, &s->labeling, s->arena, &all) != ST_OK)
        return NULL;
    return all;
}

static struct consent_source
one_consent(struct arena *arena, const char *json)
{
    struct consent_source source = { .node = TAPE_ROOT };

    if (tape_read(span_of(json), &tape_default_limits, arena, &source.tape, NULL) != ST_OK)
        abort();
    return source;
}

static void
check_notice(const struct sitting *s, const struct policy *policy)
{
    struct splices    *edit = splices_new(s->bundle->tape, s->arena);
    const struct tape *again;

    for (size_t i = 0; i < policy_consents(policy) && i < 4; i++) {
        const struct consent *c = policy_consent(policy, i);
        const struct obligation_scope scope = { .consent = c };
        if (obligation_attach(edit, s->bundle, OBLIGE_NOTICE | OBLIGE_CONSENT_COPY, &scope, 1, s->facts, s->arena) != ST_OK)
            return;
        break;
    }
    if (splices_seal(edit) != ST_OK)
        return;
    assert(tape_read(splices_flat(edit, s->arena), &tape_default_limits, s->arena, &again, NULL) == ST_OK);
}

static bool
is_asked(const struct decision *d, int entry)
{
    return d->verdict == VERDICT_HOLD
           || (labels[entry].part2 == PART2_SUSPECT && d->verdict <= VERDICT_DENY_STAFF && d->rule == RULE_NO_CONSENT);
}

/* The same once more, when that was found about everything that a person is asked about. */
static void
check_finding(const struct sitting *s, const struct facts *facts, const struct decision *plain, enum finding finding)
{
    struct determination   found[ENTRIES];
    struct facts           then  = *facts;
    struct sitting         again = *s;
    const struct labeling *labeling;
    const struct policy   *policy;
    size_t                 count = 0;

    for (uint32_t e = 0; e < ENTRIES; e++)
        if (is_asked(&plain[e], (int)e))
            found[count++] = (struct determination){
                .entry = e, .finding = finding, .rule = plain[e].rule,
                .consent  = plain[e].consent != NULL ? consent_reference(plain[e].consent) : (struct span){ NULL, 0 },
                .document = plain[e].document != NULL ? plain[e].document->id : (struct span){ NULL, 0 } };
    then.determinations      = found;
    then.determination_count = count;
    if (review_relabel(&s->labeling, &then, s->arena, &labeling) != ST_OK)
        return;
    again.labeling                  = *labeling;
    const struct decision *reviewed = judge(&again, &then, NULL, false, &policy);
    for (int e = 0; reviewed != NULL && e < ENTRIES; e++) {
        assert(is_asked(&plain[e], e) || reviewed[e].verdict == plain[e].verdict);
        assert(finding != FINDING_REFUSED || reviewed[e].verdict <= plain[e].verdict);
        assert(labels[e].part2 != PART2_CONFIRMED || reviewed[e].verdict != VERDICT_PERMIT
               || plain[e].verdict == VERDICT_PERMIT || finding == FINDING_LAWFUL);
    }
}

static void
check_findings(const struct sitting *s, const struct facts *facts, const struct decision *plain)
{
    static const enum finding findings[] = { FINDING_CLEAR, FINDING_PART2, FINDING_LAWFUL, FINDING_REFUSED };

    for (size_t i = 0; i < sizeof findings / sizeof findings[0]; i++)
        check_finding(s, facts, plain, findings[i]);
}

static void
check(const struct sitting *s)
{
    const struct policy   *policy, *other;
    struct facts           court   = *s->facts;
    struct consent_source  refusal = one_consent(s->arena, REFUSAL), unusable = one_consent(s->arena, UNUSABLE);
    court.legal = LEGAL_PROCEEDING;
    const struct decision *plain = judge(s, s->facts, NULL, false, &policy);
    const struct decision *back  = judge(s, s->facts, NULL, true, &other);
    const struct decision *less  = judge(s, s->facts, &refusal, false, &other);
    const struct decision *same  = judge(s, s->facts, &unusable, false, &other);
    struct facts bare = *s->facts, unrestricted = *s->facts;
    bare.document_count = unrestricted.restriction_count = court.document_count = 0;
    const struct decision *sued  = judge(s, &court, NULL, false, &other);
    const struct decision *empty = judge(s, &bare, NULL, false, &other);
    const struct decision *open  = judge(s, &unrestricted, NULL, false, &other);

    if (plain == NULL || back == NULL || less == NULL || same == NULL || sued == NULL || empty == NULL || open == NULL)
        return;
    for (int e = 0; e < ENTRIES; e++) {
        assert(plain[e].rule != RULE_NONE && plain[e].because.length > 0);
        assert(plain[e].verdict == back[e].verdict && plain[e].rule == back[e].rule);
        assert(plain[e].verdict == VERDICT_PERMIT || less[e].verdict != VERDICT_PERMIT);
        assert(plain[e].verdict == same[e].verdict);
        assert(labels[e].part2 == PART2_NOT || sued[e].verdict != VERDICT_PERMIT
               || sued[e].rule == RULE_COURT_CONSENT || sued[e].rule == RULE_MONITOR);
        assert(empty[e].verdict != VERDICT_PERMIT || plain[e].verdict == VERDICT_PERMIT);
        assert(plain[e].verdict != VERDICT_PERMIT || open[e].verdict == VERDICT_PERMIT);
        if (plain[e].provision != NULL)
            assert(provision_path(plain[e].provision, s->arena).length > 0);
    }
    check_findings(s, s->facts, plain);
    check_findings(s, &court, sued);
    check_notice(s, policy);
    assert(policy_valid_until(policy, s->facts->at_ms) > s->facts->at_ms);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sitting     s      = { .arena = arena_new("fuzz", (size_t)64 << 20) };
    struct issues     *issues = issues_new(s.arena, 20);
    struct buf         request;
    const struct tape *tape;

    buf_init(&request, 1 << 20);
    buf_add_text(&request, HEAD);
    buf_add(&request, span_from(data, size));
    buf_add_byte(&request, '}');
    if (tape_read(span_of(bundle_json), &tape_default_limits, s.arena, &tape, NULL) != ST_OK
        || bundle_read(tape, s.arena, issues, &s.bundle) != ST_OK
        || references_read(s.bundle, s.arena, &s.references) != ST_OK)
        abort();
    s.labeling = (struct labeling){ .bundle = s.bundle, .of = labels };
    /* A hundred consents say as much as a thousand, ten times as fast. */
    if (facts_read(buf_span(&request), s.arena, issues, &s.facts) == ST_OK && s.facts->consent_count <= 100)
        check(&s);
    buf_release(&request);
    arena_free(&s.arena);
    return 0;
}
