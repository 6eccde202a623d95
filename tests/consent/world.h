/* tests/consent/world.h -- a request file and a bundle as text, and what decide() says.
 *
 * Labels are taken from meta.security as they are; Part 2 status follows from
 * them and from the sender (labeling.h, truth table).  So these tests see
 * consents and rules alone, whatever the code tables know.
 */
#ifndef SLUICE_TESTS_CONSENT_WORLD_H
#define SLUICE_TESTS_CONSENT_WORLD_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "consent/decision.h"
#include "consent/obligation.h"
#include "consent/provision.h"

struct world {
    struct arena            *arena;
    const struct facts      *facts;
    const struct bundle     *bundle;
    const struct references *references;
    const struct policy     *policy;
    struct labeling          labeling;
    struct labeled          *labels;
    const struct decision   *decisions;
};

static inline void
world_label(struct world *w)
{
    w->labels = arena_make_n(w->arena, w->bundle->count, struct labeled);
    for (uint32_t e = 0; e < w->bundle->count; e++) {
        struct labeled *l    = &w->labels[e];
        tape_node       meta = tape_member(w->bundle->tape, w->bundle->entries[e].resource, SPAN("meta"));
        tape_node       list = tape_member(w->bundle->tape, meta, SPAN("security"));
        struct coding  *more = arena_make_n(w->arena, tape_children(w->bundle->tape, list), struct coding);
        for (tape_node n = tape_first(w->bundle->tape, list); n != TAPE_ABSENT; n = tape_next(w->bundle->tape, n)) {
            struct coding c = { .system = tape_member_text(w->bundle->tape, n, SPAN("system"), w->arena),
                                .code   = tape_member_text(w->bundle->tape, n, SPAN("code"), w->arena) };
            enum label label = label_of_coding(c.system, c.code);
            if (label != LABEL_NONE)
                l->labels = label_add(l->labels, label);
            else
                more[l->foreign_count++] = c;
        }
        l->foreign = more;
        bool law = labels_have(l->labels, LABEL_PART2);
        bool sud = law || labels_meet(l->labels, labels_substance_use());
        l->part2 = !sud ? PART2_NOT
                   : w->facts->sender == SENDER_PROGRAM || law ? PART2_CONFIRMED
                   : w->facts->sender == SENDER_NOT_PROGRAM ? PART2_NOT : PART2_SUSPECT;
    }
    w->labeling = (struct labeling){ .bundle = w->bundle, .of = w->labels };
}

/* Everything up to the labels; change w->labels and call world_decide(). */
static inline struct world
world_read(const char *request, const char *bundle_json)
{
    struct world       w      = { .arena = arena_new("world", 1 << 24) };
    struct issues     *issues = issues_new(w.arena, 20);
    const struct tape *tape;

    if (facts_read(span_of(request), w.arena, issues, &w.facts) != ST_OK)
        fail_msg("request: %.*s %.*s", SPAN_PRINT(issues_at(issues, 0)->expression),
                 SPAN_PRINT(issues_at(issues, 0)->wanted));
    assert_int_equal(tape_read(span_of(bundle_json), &tape_default_limits, w.arena, &tape, NULL), ST_OK);
    assert_int_equal(bundle_read(tape, w.arena, issues, &w.bundle), ST_OK);
    assert_int_equal(references_read(w.bundle, w.arena, &w.references), ST_OK);
    assert_int_equal(policy_compile(w.facts->consents, w.facts->consent_count, w.arena, &w.policy), ST_OK);
    world_label(&w);
    return w;
}

static inline void
world_decide(struct world *w)
{
    assert_int_equal(decide_all(w->policy, w->facts, w->references, &w->labeling, w->arena, &w->decisions), ST_OK);
}

static inline void
world_end(struct world *w)
{
    arena_free(&w->arena);
}

static inline const struct decision *
world_at(const struct world *w, const char *id)
{
    for (uint32_t e = 0; e < w->bundle->count; e++)
        if (span_eq_text(w->bundle->entries[e].id, id))
            return &w->decisions[e];
    fail_msg("no entry %s", id);
    return NULL;
}

/* ---- texts to build requests and bundles from ------------------------------------------ */

#define NPI        "http://hl7.org/fhir/sid/us-npi"
#define ACT        "http://terminology.hl7.org/CodeSystem/v3-ActCode"
#define CONF       "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
#define REASON     "http://terminology.hl7.org/CodeSystem/v3-ActReason"
#define AT         "\"at\":\"2026-11-22T15:00:00Z\""
#define ID(value)  "{\"system\":\"" NPI "\",\"value\":\"" value "\"}"
#define ORG_A      "\"actor\":{\"reference\":\"Organization/orgA\",\"identifier\":[" ID("1000000001") "]}"
#define ORG_A_TREAT ORG_A ",\"purpose\":[\"TREAT\"]"
#define ACTORS                                                                                                \
    "\"actors\":{\"Organization/orgA\":{\"resourceType\":\"Organization\",\"identifier\":[" ID("1000000001") "]}," \
    "\"Organization/orgB\":{\"resourceType\":\"Organization\",\"identifier\":[" ID("1000000002") "]},"             \
    "\"Practitioner/bob\":{\"resourceType\":\"Practitioner\",\"identifier\":[" ID("2000000001") "]}}"
#define REQUEST(consents) "{" AT "," ORG_A ",\"purpose\":[\"TREAT\"]," ACTORS ",\"consents\":[" consents "]}"
/* A request of orgA for treatment with anything else in front of the consents. */
#define REQUEST_WITH(more, consents) "{" AT "," ACTORS "," more ",\"consents\":[" consents "]}"

#define CONSENT_HEAD(id, date)                                                                                 \
    "\"resourceType\":\"Consent\",\"id\":\"" id "\",\"status\":\"active\",\"scope\":{\"coding\":[{\"system\":"  \
    "\"http://terminology.hl7.org/CodeSystem/consentscope\",\"code\":\"patient-privacy\"}]},"                  \
    "\"patient\":{\"reference\":\"Patient/p1\"},\"dateTime\":\"" date "\","                                    \
    "\"organization\":[{\"reference\":\"Organization/part2program\"}]"
#define CONSENT(id, date, provision) "{" CONSENT_HEAD(id, date) ",\"provision\":" provision "}"
#define TO(reference) "\"actor\":[{\"role\":{\"coding\":[{\"code\":\"IRCP\"}]},\"reference\":{\"reference\":\"" reference "\"}}]"
#define LABEL_ACT(code)  "{\"system\":\"" ACT "\",\"code\":\"" code "\"}"
#define LABEL_CONF(code) "{\"system\":\"" CONF "\",\"code\":\"" code "\"}"
#define FOR(code) "{\"system\":\"" REASON "\",\"code\":\"" code "\"}"
#define TPO "\"purpose\":[" FOR("TREAT") "," FOR("HPAYMT") "," FOR("HOPERAT") "]"

#define BUNDLE(entries) "{\"resourceType\":\"Bundle\",\"type\":\"collection\",\"entry\":[" entries "]}"
#define ENTRY(resource) "{\"resource\":" resource "}"
#define OF_P1 "\"subject\":{\"reference\":\"Patient/p1\"}"
#define GLUCOSE                                                                                              \
    ENTRY("{\"resourceType\":\"Observation\",\"id\":\"glucose\",\"meta\":{\"security\":[" LABEL_CONF("N") "]}," OF_P1 \
          ",\"code\":{\"coding\":[{\"system\":\"http://loinc.org\",\"code\":\"2345-7\"}]},\"effectiveDateTime\":\"2022-06-01\"}")
#define OPIOID                                                                                               \
    ENTRY("{\"resourceType\":\"Condition\",\"id\":\"opioid\",\"meta\":{\"security\":[" LABEL_ACT("SUD") "," LABEL_CONF("R") "]}," OF_P1 \
          ",\"code\":{\"coding\":[{\"system\":\"http://hl7.org/fhir/sid/icd-10-cm\",\"code\":\"F11.20\"}]},\"recordedDate\":\"2022-06-10\"}")
#define MOOD                                                                                                 \
    ENTRY("{\"resourceType\":\"Condition\",\"id\":\"mood\",\"meta\":{\"security\":[" LABEL_ACT("PSY") "," LABEL_CONF("R") "]}," OF_P1 \
          ",\"code\":{\"coding\":[{\"system\":\"http://hl7.org/fhir/sid/icd-10-cm\",\"code\":\"F32.1\"}]},\"onsetDateTime\":\"2021\"}")

#endif
