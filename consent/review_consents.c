#include <string.h>

#include "consent/consent_form.h"
#include "consent/contained.h"
#include "consent/match.h"
#include "consent/narrowed.h"
#include "consent/review.h"

struct reading {                         /* one Consent of the bundle */
    const struct consent *consent;
    const struct facts   *facts;
    const struct asker   *asker;
    struct narrowed       narrowed;
    uint32_t              entry;
    struct arena         *arena;
    struct review_cause  *causes;
    size_t                count, room;
};

static void        read_consent(struct reading *);
static bool        read_version(struct reading *);
static bool        read_modifiers(struct reading *);
static void        read_unreadable(struct reading *, bool foreign, bool modified);
static void        read_types(struct reading *);
static void        read_actors(struct reading *);
static void        read_patient(struct reading *);
static void        read_lacking(struct reading *);
static void        read_narrowed(struct reading *);
static bool        permits(const struct consent *);
static const char *dimension_words(uint32_t dimension);
static void        add(struct reading *, enum review_kind, tape_node, const char *paragraph, struct span because);

enum status
review_consents(const struct policy *policy, const struct bundle *bundle, const struct facts *facts, struct arena *arena,
                struct review_causes *out)
{
    uint32_t       forms[256];           /* as many as a push may put into the queue */
    size_t         count;
    struct asker   asker;
    struct reading r = { .facts = facts, .asker = &asker, .arena = arena };

    *out = (struct review_causes){ NULL, 0 };
    if (asker_make(facts, NULL, arena, &asker) != ST_OK || narrowed_read(policy, &asker, &r.narrowed) != ST_OK)
        return ST_NO_MEMORY;
    for (uint32_t e = 0, at = 0; e < bundle->count; e++) {
        if (bundle->entries[e].resource == TAPE_ABSENT || !span_eq_text(bundle->entries[e].type, "Consent"))
            continue;
        /* Both are in the order of the bundle; stale ones are not in the policy. */
        for (uint32_t i = at; i < policy->consent_count; i++) {
            if (policy->consents[i].sent != bundle->tape || policy->consents[i].sent_node != bundle->entries[e].resource)
                continue;
            r.consent = &policy->consents[i];
            r.entry   = e;
            at        = i + 1;
            read_consent(&r);
            break;
        }
    }
    for (uint32_t i = 0; i < policy->consent_count; i++) {
        r.consent = &policy->consents[i];
        if (r.consent->sent != bundle->tape || !consent_is_contained(bundle, r.consent->sent_node))
            continue;
        r.entry = bundle_entry_of(bundle, r.consent->sent_node);
        read_consent(&r);
    }
    if (consent_forms_alone(bundle, policy, arena, forms, sizeof forms / sizeof *forms, &count) != ST_OK)
        return ST_NO_MEMORY;
    for (size_t i = 0; i < count; i++) {
        r.consent = NULL;
        r.entry   = forms[i];
        add(&r, REVIEW_SCANNED, bundle->entries[forms[i]].resource, NULL,
            SPAN("it is a consent as a document alone, without a Consent that a machine can read: it permits nothing and refuses nothing"));
    }
    *out = (struct review_causes){ r.causes, r.count };
    return arena_status(arena);
}

static void
read_consent(struct reading *r)
{
    const struct consent *c = r->consent;

    if (c->again != NULL)
        add(r, REVIEW_REVIVED, c->sent_node, NULL, span_of(c->again));
    if (c->again != NULL && r->causes != NULL)
        r->causes[r->count - 1].since_ms = c->again_ms;
    if (c->sent != c->tape)              /* read as a former version left it: what it lacks was said of that */
        return;
    bool foreign  = read_version(r);
    bool modified = read_modifiers(r);

    read_unreadable(r, foreign, modified);
    read_types(r);
    read_actors(r);
    read_patient(r);
    read_lacking(r);
    read_narrowed(r);
}

/* ---- another version of FHIR --------------------------------------------------------- */

/* R4 consent.html has none of these.  STU3: hl7.org/fhir/STU3/consent.html; R5: hl7.org/fhir/R5/consent.html */
static bool
read_version(struct reading *r)
{
    static const struct { const char *name, *version; } strange[] = {
        { "consentingParty", "STU3" }, { "except", "STU3" }, { "actor", "STU3" }, { "action", "STU3" },
        { "period", "STU3" }, { "data", "STU3" }, { "dataPeriod", "STU3" }, { "securityLabel", "STU3" },
        { "purpose", "STU3" },
        { "decision", "R5" }, { "grantor", "R5" }, { "grantee", "R5" }, { "manager", "R5" }, { "controller", "R5" },
        { "subject", "R5" }, { "regulatoryBasis", "R5" }, { "policyBasis", "R5" }, { "policyText", "R5" }, { "date", "R5" },
    };
    const struct consent *c  = r->consent;
    tape_node             p  = tape_member(c->tape, c->node, SPAN("provision"));
    bool                  is = false;

    for (size_t i = 0; i < sizeof strange / sizeof strange[0]; i++) {
        tape_node node = tape_member(c->tape, c->node, span_of(strange[i].name));
        if (node == TAPE_ABSENT)
            continue;
        add(r, REVIEW_FOREIGN, node, NULL,
            arena_format(r->arena, "`%s` is an element of FHIR %s, not of R4: what it says permits nothing", strange[i].name,
                         strange[i].version));
        is = true;
    }
    if (tape_kind(c->tape, p) == TAPE_ARRAY) {
        add(r, REVIEW_FOREIGN, p, NULL, SPAN("`provision` is a list, as in FHIR R5, and one object in R4: the consent denies everything"));
        is = true;
    }
    return is;
}

/* ---- what is not understood ------------------------------------------------------------ */

/* Wherever they stand in it: policy.h V1.  Whoever sends more than a few has heard it by then. */
static bool
read_modifiers(struct reading *r)
{
    enum { ENOUGH = 8 };
    const struct consent *c     = r->consent;
    unsigned              found = 0;

    for (tape_node n = c->node; n < tape_after(c->tape, c->node) && found < ENOUGH; n++) {
        bool rules = tape_kind(c->tape, n) == TAPE_NAME && tape_text_eq(c->tape, n, SPAN("implicitRules"));
        if (!rules && (tape_kind(c->tape, n) != TAPE_NAME || !tape_text_eq(c->tape, n, SPAN("modifierExtension"))))
            continue;
        add(r, REVIEW_MODIFIER, n + 1, NULL,
            arena_format(r->arena, "its %s is not understood: the consent denies what it denies, and permits nothing",
                         rules ? "implicitRules" : "modifierExtension"));
        found++;
    }
    return found > 0;
}

static void
read_unreadable(struct reading *r, bool foreign, bool modified)
{
    const struct consent *c    = r->consent;
    uint32_t              seen = foreign || modified ? DIMENSION_STRANGE : 0;

    if (c->unusable != NULL)
        return;
    if (c->denies_only != NULL && !modified)
        add(r, REVIEW_MALFORMED, c->node, NULL,
            arena_format(r->arena, "%s: it denies what it denies, and permits nothing", c->denies_only));
    if (c->denies_all != NULL && !foreign)
        add(r, REVIEW_MALFORMED, c->node, NULL, arena_format(r->arena, "%s: it denies everything", c->denies_all));
    for (uint32_t i = 0; i < c->provision_count; i++) {
        const struct provision *p      = &c->provisions[i];
        uint32_t                strange = p->criteria.unreadable & ~seen;
        seen |= strange;
        for (uint32_t bit = 1; bit <= DIMENSION_PERIOD && strange != 0; bit <<= 1)
            if ((strange & bit) != 0)
                add(r, REVIEW_MALFORMED, p->node, NULL,
                    arena_format(r->arena, "%s of a provision cannot be read: the provision permits nothing by it",
                                 dimension_words(bit)));
    }
}

/* V2, V5: the first one is told, not a thousand. */
static void
read_types(struct reading *r)
{
    const struct consent *c = r->consent;

    for (uint32_t i = 0; c->unusable == NULL && c->denies_all == NULL && i < c->provision_count; i++) {
        const struct provision *p    = &c->provisions[i];
        tape_node               type = tape_member(c->tape, p->node, SPAN("type"));
        if (p->type == PROVISION_SILENT && p->ambiguous) {
            add(r, REVIEW_MALFORMED, p->node, NULL,
                SPAN("its provision has no type, and no policyRule says what it is an exception to: it permits nothing and denies nothing"));
            return;
        }
        if (p->node == TAPE_ABSENT || (p->parent == NULL && type == TAPE_ABSENT) || tape_text_eq(c->tape, type, SPAN("permit"))
            || tape_text_eq(c->tape, type, SPAN("deny")))
            continue;
        add(r, REVIEW_MALFORMED, type != TAPE_ABSENT ? type : p->node, NULL,
            SPAN("the type of a provision is neither permit nor deny: the provision denies"));
        return;
    }
}

static const char *
dimension_words(uint32_t dimension)
{
    switch (dimension) {
    case DIMENSION_ACTOR:       return "the actor";
    case DIMENSION_CUSTODIAN:   return "the custodian";
    case DIMENSION_PURPOSE:     return "the purpose";
    case DIMENSION_ACTION:      return "the action";
    case DIMENSION_LABEL:       return "the securityLabel";
    case DIMENSION_CLASS:       return "the class";
    case DIMENSION_CODE:        return "the code";
    case DIMENSION_DATA_PERIOD: return "the dataPeriod";
    case DIMENSION_DATA:        return "the data";
    case DIMENSION_PERIOD:      return "the period";
    default:                    return "a member that R4 does not have there";
    }
}

static void
read_actors(struct reading *r)
{
    const struct consent    *c = r->consent;
    const struct identifier *ids;
    size_t                   count;

    for (uint32_t i = 0; c->unusable == NULL && i < c->provision_count; i++) {
        const struct provision *p = &c->provisions[i];
        if (p->parent != NULL && p->parent->criteria.actors == p->criteria.actors)
            continue;
        for (size_t k = 0; k < p->criteria.actor_count; k++) {
            bool resolved = target_resolve(&p->criteria.actors[k], c, r->asker, &ids, &count);
            if (resolved || count > 0)
                continue;
            tape_node list = tape_member(c->tape, p->node, SPAN("actor"));
            add(r, REVIEW_ACTOR, list != TAPE_ABSENT ? list : p->node, "2.31(a)(4)",
                SPAN("it names somebody whom no identifier, no entry of its Bundle and nobody registered here answers to"));
            break;
        }
    }
}

/* A refusal that is perhaps heard for nobody must not go by in silence.  Of the Bundle alone: what is told to its
 * sender says nothing of the record (decision 0039). */
static void
read_patient(struct reading *r)
{
    const struct consent *c       = r->consent;
    tape_node             patient = tape_member(c->tape, c->node, SPAN("patient"));

    if (c->unusable == NULL && c->patient.identifier_count > 0
        && (span_empty(c->patient.reference) || span_find(c->patient.reference, SPAN("?identifier=")) != SPAN_NOT_FOUND))
        add(r, REVIEW_PATIENT, patient, "2.31(a)(1)",
            SPAN("it names its patient by an identifier alone, and no Patient of its Bundle has it: it is heard for the one Patient of the "
                 "record who has it, and for nobody else"));
}

/* ---- 2.31(a) ------------------------------------------------------------------------------ */

static bool lacks_patient(const struct consent *c)  { return span_empty(c->patient.reference) && c->patient.identifier_count == 0; }
static bool lacks_date(const struct consent *c)     { return !c->dated; }
static bool lacks_signer(const struct consent *c)   { return c->signer_count == 0; }
static bool lacks_revoking(const struct consent *c) { return (c->statements & STATEMENT_REVOCATION) == 0; }
static bool lacks_hipaa(const struct consent *c)    { return (c->statements & STATEMENT_HIPAA) == 0; }
static bool lacks_again(const struct consent *c)    { return (c->statements & STATEMENT_REDISCLOSURE) == 0; }
static bool lacks_refusal(const struct consent *c)  { return (c->statements & STATEMENT_REFUSAL) == 0; }

static bool
lacks_end(const struct consent *c)
{
    return c->period.last_ms == INT64_MAX && c->ended_ms == INT64_MAX && (c->statements & STATEMENT_NO_EXPIRY) == 0;
}

static bool
lacks_discloser(const struct consent *c)
{
    bool named = c->organization_count > 0;

    for (uint32_t i = 0; i < c->provision_count; i++)
        named |= c->provisions[i].criteria.custodian_count > 0;
    return !named;
}

static bool
lacks_recipient(const struct consent *c)
{
    bool named = c->designated != 0;

    for (uint32_t i = 0; i < c->provision_count; i++)
        named |= c->provisions[i].type == PROVISION_PERMIT && c->provisions[i].criteria.actor_count > 0;
    return !named;
}

static bool
lacks_purpose(const struct consent *c)
{
    bool named = false;

    for (uint32_t i = 0; i < c->provision_count; i++)
        named |= c->provisions[i].type == PROVISION_PERMIT && c->provisions[i].criteria.purposes != 0;
    return !named;
}

/* `statement`: asked for where the site wants the statements alone (policy.h V3). */
static const struct element {
    const char *paragraph, *words;
    bool      (*lacks)(const struct consent *);
    bool        statement;
} elements[] = {
    { "2.31(a)(1)", "it does not say whose it is", lacks_patient, false },
    { "2.31(a)(2)", "it does not say who may disclose (organization, or an actor with role CST)", lacks_discloser, false },
    { "2.31(a)(4)(i)", "it names no recipient and no class of recipients (provision.actor)", lacks_recipient, false },
    { "2.31(a)(4)(iii)", "it lacks the statement on redisclosure under HIPAA", lacks_hipaa, true },
    { "2.31(a)(5)", "it states no purpose (provision.purpose)", lacks_purpose, false },
    { "2.31(a)(6)", "it lacks the right to revoke and how", lacks_revoking, true },
    { "2.31(a)(7)", "it says neither when it expires nor that it does not (provision.period)", lacks_end, true },
    { "2.31(a)(8)", "it does not say who signed (performer)", lacks_signer, false },
    { "2.31(a)(9)", "it has no date of signature (dateTime)", lacks_date, false },
    { "2.31(a)(10)(i)", "it lacks the statement on potential redisclosure", lacks_again, true },
    { "2.31(a)(10)(ii)", "it lacks the consequences of refusing", lacks_refusal, true },
};

/* Only of a consent that is deficient: then everything that it lacks is named, so that it
 * is mended once.  One that permits nothing lacks nothing. */
static void
read_lacking(struct reading *r)
{
    const struct consent *c       = r->consent;
    const char           *why     = c->denies_only == NULL ? consent_deficiency(c, r->facts) : NULL;
    bool                  nobodys = lacks_patient(c), told = false;

    if ((why == NULL && !nobodys) || (c->unusable != NULL && !nobodys) || (!nobodys && !permits(c)))
        return;
    for (size_t i = 0; i < sizeof elements / sizeof elements[0]; i++) {
        const struct element *e = &elements[i];
        if ((e->statement && !r->facts->site.require_statements) || !e->lacks(c))
            continue;
        add(r, REVIEW_DEFICIENT, c->node, e->paragraph, span_of(e->words));
        told |= why != NULL && strstr(why, e->paragraph) != NULL;
    }
    if (why != NULL && !told)
        add(r, REVIEW_DEFICIENT, c->node, NULL, span_of(why));
}

/* Of two in one push the narrower one is told. */
static void
read_narrowed(struct reading *r)
{
    const struct consent *c     = r->consent;
    const struct consent *other = narrowed_other(&r->narrowed, c);

    if (other == NULL)
        return;
    bool wider = (other->provisions[0].criteria.stated & DIMENSIONS_OF_DATA) == 0;
    if (wider || other->sent != c->sent)
        add(r, REVIEW_NARROWED, c->node, "2.31(a)(3)",
            arena_format(r->arena, "it and %.*s name one recipient, %s for less: only that goes until one is revoked or signed anew",
                         SPAN_PRINT(consent_reference(other)), wider ? "it later and" : "the other later and"));
}

static bool
permits(const struct consent *c)
{
    bool any = c->base == BASE_PERMIT;

    for (uint32_t i = 0; i < c->provision_count; i++)
        any |= c->provisions[i].type == PROVISION_PERMIT;
    return any;
}

static void
add(struct reading *r, enum review_kind kind, tape_node node, const char *paragraph, struct span because)
{
    if (r->count == r->room) {
        size_t larger = r->room > 0 ? r->room * 2 : 8;
        r->causes     = arena_grow(r->arena, r->causes, r->room * sizeof *r->causes, larger * sizeof *r->causes);
        r->room       = larger;
    }
    if (r->causes != NULL)
        r->causes[r->count++] = (struct review_cause){ .kind = kind, .entry = r->entry, .consent = r->consent, .node = node,
                                                       .because = because, .paragraph = paragraph };
}
