#include "consent/inquiry.h"

static const char *const recipients[RECIPIENT_COUNT] = {
    [RECIPIENT_NONE] = "",
#define RECIPIENT(name, words) [RECIPIENT_##name] = #name,
#include "consent/recipients.def"
#undef RECIPIENT
};

static const char *const roles[ROLE_COUNT] = {
    [ROLE_NONE] = "",
#define ROLE(name, code, words) [ROLE_##name] = code,
#include "consent/roles.def"
#undef ROLE
};

_Static_assert(RECIPIENT_COUNT <= 64, "a recipient_set has 64 bits");
_Static_assert(ROLE_COUNT <= 32 && HOLDER_COUNT <= 32, "role_set and holder_set have 32 bits");

static bool before_a_court(const struct inquiry *);
static bool names_asker(const struct instrument *, const struct asker *);

enum status
inquiry_make(const struct facts *facts, const struct asker *asker, struct whose *whose, struct arena *arena,
             struct inquiry *out)
{
    const purpose_set tpo = PURPOSE_BIT(PURPOSE_TREAT) | PURPOSE_BIT(PURPOSE_HPAYMT) | PURPOSE_BIT(PURPOSE_HOPERAT)
                            | PURPOSE_BIT(PURPOSE_FUNDRAISING);       /* operations, 45 CFR 164.501 */
    struct inquiry    q   = { .facts = facts, .asker = asker, .whose = whose, .arena = arena, .holder = facts->holder };
    struct standing  *all = arena_make_n(arena, facts->document_count, struct standing);

    if (arena_spent(arena))
        return ST_NO_MEMORY;
    for (size_t i = 0; i < facts->actor.class_count; i++)
        q.classes |= RECIPIENT_BIT(recipient_of(facts->actor.classes[i]));
    for (size_t i = 0; i < facts->actor.role_count; i++)
        for (int r = ROLE_NONE + 1; r < ROLE_COUNT; r++)
            if (span_eq_text(facts->actor.roles[i], roles[r]))
                q.roles |= ROLE_BIT(r);
    if (q.holder == HOLDER_UNKNOWN)
        q.holder = facts->sender == SENDER_PROGRAM ? HOLDER_PROGRAM : HOLDER_SPECIFIC_CONSENT;   /* Q3 */
    q.legal = before_a_court(&q);
    q.tpo   = facts->purpose_count == 0 || asker->strange_purposes > 0 || inquiry_touches(&q, tpo);
    for (size_t i = 0; i < facts->document_count; i++) {
        const struct instrument *d = &facts->documents[i];
        if (!names_asker(d, asker))
            continue;
        all[q.standing_count++] = (struct standing){
            .document = d,
            .patient  = subject_of_reference(whose, d->patient),
            .lacks    = !instrument_in_force(d, facts->at_ms) ? "it is not in force"
                        : facts->site.director_alone && (d->says & SAYS_BIT(SAYS_CODE_DELEGATE)) != 0
                            ? "a delegate has determined it, and here the director does"                  /* H-11 */
                            : instrument_lacks(d),
        };
    }
    q.standing = all;
    *out       = q;
    return ST_OK;
}

bool
inquiry_for(const struct inquiry *q, purpose_set listed)
{
    /* By their bits: it is asked of every entry, and the purposes that there are would be a square. */
    for (purpose_set asked = q->asker->purposes; asked != 0; asked &= asked - 1) {
        bool covered = false;
        for (purpose_set left = listed; left != 0 && !covered; left &= left - 1)
            covered = purpose_covers(purpose_first(left), purpose_first(asked));
        if (!covered)
            return false;
    }
    return q->asker->purposes != 0 && q->asker->strange_purposes == 0;
}

bool
inquiry_touches(const struct inquiry *q, purpose_set listed)
{
    for (purpose_set asked = q->asker->purposes; asked != 0; asked &= asked - 1)
        for (purpose_set left = listed; left != 0; left &= left - 1)
            if (purpose_is_a(purpose_first(asked), purpose_first(left)))
                return true;
    return false;
}

enum recipient
recipient_of(struct span code)
{
    for (int r = RECIPIENT_NONE + 1; r < RECIPIENT_COUNT; r++)
        if (span_eq_text(code, recipients[r]))
            return (enum recipient)r;
    return RECIPIENT_NONE;
}

/* Q2 */
static bool
before_a_court(const struct inquiry *q)
{
    const recipient_set closed = RECIPIENT_BIT(RECIPIENT_COURT) | RECIPIENT_BIT(RECIPIENT_LAW_ENFORCEMENT)
                                 | RECIPIENT_BIT(RECIPIENT_INVESTIGATIVE_AGENCY) | RECIPIENT_BIT(RECIPIENT_UNDERCOVER);

    if (q->facts->legal != LEGAL_NONE || (q->classes & closed) != 0)
        return true;
    for (enum purpose p = PURPOSE_NONE + 1; p < PURPOSE_COUNT; p++)
        if ((q->asker->purposes & PURPOSE_BIT(p)) != 0 && purpose_legal(p))
            return true;
    return false;
}

static bool
names_asker(const struct instrument *d, const struct asker *asker)
{
    for (size_t i = 0; i < d->party_count; i++)
        if (asker_answers_to(asker, d->parties[i]))
            return true;
    return false;
}
