#include "consent/signer.h"

#include "consent/match.h"
#include "consent/provision.h"

void
signer_read(struct consent *c, struct arena *arena)
{
    tape_node    list    = tape_member(c->tape, c->node, SPAN("performer"));
    struct span *signers = arena_make_n(arena, tape_children(c->tape, list) + 1, struct span);

    if (signers == NULL)
        return;
    for (tape_node n = tape_first(c->tape, list); n != TAPE_ABSENT; n = tape_next(c->tape, n))
        signers[c->signer_count++] = tape_member_text(c->tape, n, SPAN("reference"), arena);
    c->signers = signers;
}

static bool
signed_by(const struct consent *c, struct span who)
{
    for (size_t i = 0; i < c->signer_count && !span_empty(who); i++)
        if (target_same_reference(c->signers[i], who))
            return true;
    return false;
}

const char *
signer_deficiency(const struct consent *c, const struct facts *facts)
{
    for (size_t i = 0; i < facts->circumstance_count; i++) {
        const struct circumstance *k = &facts->circumstances[i];
        if (!target_same_reference(k->patient, c->patient.reference))
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
