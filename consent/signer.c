#include "consent/signer.h"

#include "consent/match.h"
#include "consent/provision.h"
#include "consent/subject.h"

static void read_evidence(struct consent *, struct arena *);
static bool is_verified(const struct consent *);
static bool provenance_shows(const struct consent *, struct arena *);

void
signer_read(struct consent *c, struct arena *arena)
{
    read_evidence(c, arena);
    tape_node    list    = tape_member(c->tape, c->node, SPAN("performer"));
    struct span *signers = arena_make_n(arena, tape_children(c->tape, list) + 1, struct span);

    if (signers == NULL)
        return;
    for (tape_node n = tape_first(c->tape, list); n != TAPE_ABSENT; n = tape_next(c->tape, n))
        signers[c->signer_count++] = tape_member_text(c->tape, n, SPAN("reference"), arena);
    c->signers = signers;
}

static void
read_evidence(struct consent *c, struct arena *arena)
{
    const struct tape *t    = c->tape;
    tape_node          list = tape_member(t, c->node, SPAN("extension"));

    for (tape_node n = tape_first(t, list); n != TAPE_ABSENT; n = tape_next(t, n)) {
        tape_node url       = tape_member(t, n, SPAN("url"));
        tape_node signature = tape_member(t, n, SPAN("valueSignature"));
        if (tape_text_eq(t, url, SPAN(CONSENT_EXTENSION "doubted")))
            c->doubted |= tape_kind(t, tape_member(t, n, SPAN("valueBoolean"))) != TAPE_FALSE;
        if (tape_text_eq(t, url, SPAN(CONSENT_EXTENSION "signature")))
            c->shown_signed |= tape_member(t, signature, SPAN("when")) != TAPE_ABSENT
                               && tape_member(t, signature, SPAN("who")) != TAPE_ABSENT;
    }
    c->shown_signed = c->shown_signed || is_verified(c) || provenance_shows(c, arena);
}

static bool
is_verified(const struct consent *c)
{
    tape_node list = tape_member(c->tape, c->node, SPAN("verification"));
    bool      form = tape_member(c->tape, c->node, SPAN("sourceAttachment")) != TAPE_ABSENT
                || tape_member(c->tape, c->node, SPAN("sourceReference")) != TAPE_ABSENT;

    for (tape_node n = tape_first(c->tape, list); form && n != TAPE_ABSENT; n = tape_next(c->tape, n))
        if (tape_kind(c->tape, tape_member(c->tape, n, SPAN("verified"))) == TAPE_TRUE)
            return true;
    return false;
}

static bool
provenance_shows(const struct consent *c, struct arena *arena)
{
    const struct bundle *b = c->home;

    for (uint32_t e = 0; b != NULL && e < b->count; e++) {
        tape_node resource = b->entries[e].resource;
        if (!span_eq_text(b->entries[e].type, "Provenance")
            || tape_first(b->tape, tape_member(b->tape, resource, SPAN("signature"))) == TAPE_ABSENT)
            continue;
        tape_node list = tape_member(b->tape, resource, SPAN("target"));
        for (tape_node n = tape_first(b->tape, list); n != TAPE_ABSENT; n = tape_next(b->tape, n))
            if (target_same_reference(tape_member_text(b->tape, n, SPAN("reference"), arena), c->reference))
                return true;
    }
    return false;
}

bool
signer_legacy(const struct consent *c, const struct facts *facts)
{
    bool named = false;

    if (!facts->site.legacy_named || !c->dated || c->date.last_ms >= PART2_RULE_COMPLIANCE_MS || c->designated != 0)
        return false;
    for (uint32_t i = 0; i < c->provision_count; i++) {
        if (c->provisions[i].type != PROVISION_PERMIT)
            continue;
        if ((c->provisions[i].criteria.stated & DIMENSION_ACTOR) == 0)
            return false;
        named = true;
    }
    return named;
}

static bool
signed_by(const struct consent *c, struct span who)
{
    for (size_t i = 0; i < c->signer_count && !span_empty(who); i++)
        if (target_same_reference(c->signers[i], who))
            return true;
    return false;
}

/* The parent that another identity's papers name has another RelatedPerson here: that one has signed is all
 * that is asked. */
const char *
signer_linked_deficiency(const struct consent *c, const struct circumstance *k)
{
    bool patient = signed_by(c, c->patient.reference) || signed_by(c, k->patient);

    if (k->minor_consents == KNOWN_YES && !patient)
        return "the minor, who alone signs as is on file for another identity, has not, 2.14(a)";
    if (k->minor_consents == KNOWN_NO && (!patient || c->signer_count < 2))
        return "minor and parent both sign as is on file for another identity, and have not, 2.14(b)";
    return NULL;
}

/* Whoever it is about: the paper names the consent itself. */
static bool
doubted_on_file(const struct consent *c, const struct facts *facts)
{
    struct span own = consent_reference(c);

    for (size_t i = 0; i < facts->circumstance_count; i++)
        for (size_t d = 0; d < facts->circumstances[i].doubt_count; d++)
            if (span_eq(facts->circumstances[i].doubts[d], own))
                return true;
    return false;
}

const char *
signer_deficiency(const struct consent *c, const struct facts *facts)
{
    if (c->doubted || doubted_on_file(c, facts))
        return "it is doubted: it is known, or could be by reasonable diligence, to be materially false, 2.31(c)(4)";
    if (facts->site.require_signature && !c->shown_signed)
        return "nothing shows that it was signed, 2.31(a)(8)";
    for (size_t i = 0; i < facts->circumstance_count; i++) {
        const struct circumstance *k = &facts->circumstances[i];
        if (!target_same_reference(patient_known_as(facts, k->patient), patient_known_as(facts, c->patient.reference)))
            continue;
        bool patient = signed_by(c, k->patient), other = false;
        for (size_t r = 0; r < k->representative_count; r++)
            other = other || signed_by(c, k->representatives[r]);
        bool authority = other && c->dated && c->date.first_ms >= k->from_ms && c->date.first_ms <= k->to_ms;
        if (k->minor_consents == KNOWN_YES && !patient)
            return "the minor, who alone signs, has not, 2.14(a)";
        if (k->minor_consents == KNOWN_NO && !(patient && authority))
            return "minor and parent both sign, and have not, 2.14(b)";
        if (!patient && !authority && other)
            return "who signed for the patient could not on that day, 2.31(c)(4)";
        if (!patient && !authority && c->signer_count > 0 && k->representative_count > 0)
            return "who signed is not known to act for the patient, 2.15(a)";
    }
    return NULL;
}
