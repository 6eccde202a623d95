#include "consent/consent_kind.h"

#include <string.h>

#include "consent/provision.h"

static enum consent_kind kind_of(struct span code);
static enum designation  designation_of(struct span code);
static enum consent_kind kind_by_content(const struct consent *);
static bool              legal_alone(const struct provision *);
static bool              notes_alone(const struct provision *);
static bool              every_permit(const struct consent *, bool (*alone)(const struct provision *));
static const char       *lacking(const struct consent *);

void
consent_kind_read(struct consent *c, struct arena *arena)
{
    tape_node    list    = tape_member(c->tape, c->node, SPAN("extension"));
    struct span *members = NULL;

    c->kind              = kind_by_content(c);
    c->revocable_from_ms = INT64_MAX;
    for (tape_node n = tape_first(c->tape, list); n != TAPE_ABSENT; n = tape_next(c->tape, n)) {
        struct span       url = tape_member_text(c->tape, n, SPAN("url"), arena);
        struct time_range when;
        if (!span_starts(url, SPAN(CONSENT_EXTENSION)))
            continue;
        url = span_skip(url, sizeof CONSENT_EXTENSION - 1);
        struct span code = tape_member_text(c->tape, n, SPAN("valueCode"), arena);
        if (span_eq_text(url, "kind"))
            c->kind = kind_of(code);
        else if (span_eq_text(url, "member-designation"))
            c->treating_members = span_eq_text(code, "treating-provider-relationship");
        else if (span_eq_text(url, "statement-fundraising"))
            c->opt_out_stated = tape_kind(c->tape, tape_member(c->tape, n, SPAN("valueBoolean"))) == TAPE_TRUE;
        else if (span_eq_text(url, "recipient-class"))
            c->designated |= designation_of(code);
        else if (span_eq_text(url, "revocable-from")
                 && time_range_read(tape_member_text(c->tape, n, SPAN("valueDateTime"), arena), &when))
            c->revocable_from_ms = when.first_ms;
        else if (span_eq_text(url, "member")) {
            if (members == NULL)
                members = arena_make_n(arena, tape_children(c->tape, list), struct span);
            if (members == NULL)
                return;
            members[c->member_count++] =
                tape_member_text(c->tape, tape_member(c->tape, n, SPAN("valueReference")), SPAN("reference"), arena);
        }
    }
    c->members = members;
    if (c->deficiency == NULL)
        c->deficiency = lacking(c);
    /* 2.35(c): it takes effect when the form says, not when the letter comes. */
    if (c->kind == KIND_CRIMINAL_JUSTICE && c->revocable_from_ms != INT64_MAX && c->ended_ms < c->revocable_from_ms
        && c->ended_how != NULL && strcmp(c->ended_how, "it was revoked") == 0)
        c->ended_ms = c->revocable_from_ms;
}

static enum consent_kind
kind_of(struct span code)
{
    static const char *const codes[KIND_COUNT] = {
        [KIND_COUNSELING_NOTES] = "counseling-notes", [KIND_PROCEEDINGS] = "proceedings",
        [KIND_CRIMINAL_JUSTICE] = "criminal-justice", [KIND_CENTRAL_REGISTRY] = "central-registry",
        [KIND_PDMP] = "pdmp",                         [KIND_INTERMEDIARY] = "intermediary",
        [KIND_PSYCHOTHERAPY] = "psychotherapy-notes",
    };

    for (int k = KIND_GENERAL; k < KIND_COUNT; k++)
        if (codes[k] != NULL && span_eq_text(code, codes[k]))
            return (enum consent_kind)k;
    return KIND_UNKNOWN;
}

static enum designation
designation_of(struct span code)
{
    static const struct { const char *code; enum designation bit; } known[] = {
        { "TREATING_PROVIDERS", DESIGNATED_TREATING }, { "HEALTH_PLANS", DESIGNATED_PLANS },
        { "THIRD_PARTY_PAYERS", DESIGNATED_PAYERS },   { "PROGRAM_OPERATIONS", DESIGNATED_OPERATIONS },
    };

    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (span_eq_text(code, known[i].code))
            return known[i].bit;
    return DESIGNATED_UNKNOWN;
}

static enum consent_kind
kind_by_content(const struct consent *c)
{
    if (every_permit(c, notes_alone))
        return KIND_PSYCHOTHERAPY;
    return every_permit(c, legal_alone) ? KIND_PROCEEDINGS : KIND_GENERAL;
}

/* At least one there is; a base decision to permit is a permit of everything. */
static bool
every_permit(const struct consent *c, bool (*alone)(const struct provision *))
{
    bool any = false;

    for (uint32_t i = 0; i < c->provision_count; i++) {
        const struct provision *p = &c->provisions[i];
        if (p->type != PROVISION_PERMIT)
            continue;
        if (!alone(p))
            return false;
        any = true;
    }
    return any && (c->base != BASE_PERMIT || c->provisions[0].type == PROVISION_PERMIT);
}

static bool
legal_alone(const struct provision *p)
{
    if ((p->criteria.stated & DIMENSION_PURPOSE) == 0 || (p->criteria.unreadable & DIMENSION_PURPOSE) != 0
        || p->criteria.purposes == 0)
        return false;
    for (enum purpose q = PURPOSE_NONE + 1; q < PURPOSE_COUNT; q++)
        if ((p->criteria.purposes & PURPOSE_BIT(q)) != 0 && !purpose_legal(q))
            return false;
    return true;
}

static bool
notes_alone(const struct provision *p)
{
    const label_set notes = LABEL_BIT(LABEL_PSYTHPN) | LABEL_BIT(LABEL_HIPAAPSY);

    return (p->criteria.stated & DIMENSION_LABEL) != 0 && (p->criteria.unreadable & DIMENSION_LABEL) == 0
           && (p->criteria.labels & notes) != 0 && (labels_sensitive(p->criteria.labels) & ~notes) == 0
           && p->criteria.foreign_label_count == 0;
}

static const char *
lacking(const struct consent *c)
{
    switch (c->kind) {
    case KIND_UNKNOWN:
        return "it is of a kind that is not known";
    case KIND_COUNSELING_NOTES:
        /* By the extension alone it may leave out the labels, but not list others. */
        for (uint32_t i = 0; i < c->provision_count; i++)
            if (c->provisions[i].type == PROVISION_PERMIT && (c->provisions[i].criteria.stated & DIMENSION_LABEL) != 0
                && !notes_alone(&c->provisions[i]))
                return "it combines counseling notes with something else, 2.31(b)(2)";
        return NULL;
    case KIND_PROCEEDINGS:
        return every_permit(c, legal_alone) ? NULL : "it combines proceedings with another purpose, 2.31(d)";
    case KIND_CRIMINAL_JUSTICE:
        return c->revocable_from_ms != INT64_MAX ? NULL : "it does not say from when it can be revoked, 2.35(b)";
    case KIND_INTERMEDIARY:
        return c->member_count > 0 || c->treating_members
                   ? NULL
                   : "it names neither members nor those who treat the patient, 2.31(a)(4)(ii)";
    default:
        return NULL;
    }
}
