#include "consent/relationship.h"

static bool current(const struct relationship *, int64_t at_ms);

bool
relationship_known(const struct asker *asker, struct span patient)
{
    const struct facts *f = asker->facts;

    for (size_t i = 0; i < f->relationship_count; i++) {
        const struct relationship *r = &f->relationships[i];
        if (current(r, f->at_ms) && asker_answers_to(asker, r->provider) && target_same_reference(r->patient, patient))
            return true;
    }
    return false;
}

static bool
current(const struct relationship *r, int64_t at_ms)
{
    int64_t last = r->to_ms == INT64_MAX ? r->from_ms : r->to_ms;

    if (r->from_ms == INT64_MAX || r->from_ms < -2000 * RELATIONSHIP_AHEAD_MS)
        return false;
    if (r->kind == RELATIONSHIP_APPOINTMENT && r->from_ms > at_ms)
        return r->from_ms - at_ms <= RELATIONSHIP_AHEAD_MS;                 /* agrees to be treated */
    /* An attribution without an end goes on. */
    if (r->kind == RELATIONSHIP_ATTRIBUTION && r->to_ms == INT64_MAX)
        return r->from_ms <= at_ms;
    return r->kind != RELATIONSHIP_UNKNOWN && r->from_ms <= at_ms && last >= at_ms - RELATIONSHIP_BACK_MS;
}
