#include "consent/policy.h"

#include <string.h>

#include "consent/consent_form.h"
#include "consent/provision.h"
#include "consent/signer.h"
#include "fhir/code_system.h"
#include "fhir/reference.h"

struct compiler {
    const struct tape *tape;
    struct arena      *arena;
    struct consent    *consent;
    const struct consent_source *source;
};

/* The tree in the order in which it is compiled: children stand together,
 * behind their parent.  No recursion: the depth is the sender's. */
struct queue {
    struct queued { tape_node node; uint32_t parent, index; } *items;
    uint32_t count, room;
    bool     too_many;
};

static void compile_consent(struct compiler *, const struct consent_source *);
static void read_head(struct compiler *, const struct consent_source *);
static void read_ends(struct compiler *);
static void read_extensions(struct compiler *);
static enum base_rule read_policy_rule(struct compiler *);
static bool says_hipaa_only(struct compiler *);
static bool has_strange_modifier(const struct tape *, tape_node consent);
static void deny_everything(struct compiler *, const char *why);
static void compile_provisions(struct compiler *);
static bool queue_tree(struct compiler *, tape_node root, struct queue *);
static void settle_root(struct compiler *, struct provision *root, enum base_rule rule);
static void read_provision(struct compiler *, const struct queue *, uint32_t i, struct provision *all);
static void read_criteria(struct compiler *, struct provision *);
static void state(struct criteria *, enum dimension, bool readable);

static void read_period(struct compiler *, struct provision *);
static void read_actors(struct compiler *, struct criteria *, tape_node list);
static void read_actions(struct compiler *, struct criteria *, tape_node list);
static void read_labels(struct compiler *, struct criteria *, tape_node list);
static void read_purposes(struct compiler *, struct criteria *, tape_node list);
static bool for_treatment_payment_operations(const struct consent *);
static void read_classes(struct compiler *, struct criteria *, tape_node list);
static void read_codes(struct compiler *, struct criteria *, tape_node list);
static void read_data_period(struct compiler *, struct criteria *, tape_node);
static void read_data(struct compiler *, struct criteria *, tape_node list);

static struct target read_target(struct compiler *, tape_node reference);
static const struct identifier *read_identifiers(struct compiler *, tape_node, size_t *count);
static tape_node contained_resource(struct compiler *, struct span id);
static bool  range_of(struct compiler *, tape_node period, struct time_range *out, int64_t zone_ms);
static bool  has_time(struct compiler *, tape_node text);
static int64_t signer_zone(struct span signed_at);
static struct coding coding_of(struct compiler *, tape_node);
static bool  span_among(struct span text, const char *const *codes, size_t count);
static bool  concept_has(const struct tape *, tape_node concept, const char *const *codes, size_t count);

#define CODES(array) (array), sizeof(array) / sizeof *(array)

static const struct time_range always = { INT64_MIN, INT64_MAX };

enum status
policy_compile(const struct consent_source *sources, size_t count, struct arena *arena,
               const struct policy **out)
{
    struct policy  *policy   = arena_make(arena, struct policy);
    struct consent *consents = arena_make_n(arena, count, struct consent);

    for (size_t i = 0; i < count && !arena_spent(arena); i++) {
        struct compiler c = { .tape = sources[i].tape, .arena = arena, .consent = &consents[i],
                              .source = &sources[i] };
        compile_consent(&c, &sources[i]);
    }
    if (arena_spent(arena) || signers_show(consents, sources, count, arena) != ST_OK)
        return ST_NO_MEMORY;
    for (size_t i = 0; i < count; i++) {
        consents[i].first_number = policy->provision_count;
        policy->provision_count += consents[i].provision_count;
    }
    policy->consents      = consents;
    policy->consent_count = count;
    *out = policy;
    return ST_OK;
}

size_t
policy_consents(const struct policy *policy)
{
    return policy->consent_count;
}

const struct consent *
policy_consent(const struct policy *policy, size_t i)
{
    return i < policy->consent_count ? &policy->consents[i] : NULL;
}

struct span
consent_reference(const struct consent *c)
{
    return c->reference;
}

struct span
consent_patient(const struct consent *c)
{
    return c->patient.reference;
}

bool
consent_told(const struct consent *c)
{
    return c->told;
}

tape_node
consent_node(const struct consent *c, const struct tape **tape)
{
    *tape = c->sent;
    return c->sent_node;
}

struct span
provision_path(const struct provision *p, struct arena *arena)
{
    struct span path = SPAN("");

    for (; p->parent != NULL; p = p->parent)
        path = arena_format(arena, ".provision[%u]%.*s", p->index, SPAN_PRINT(path));
    return arena_format(arena, "provision%.*s", SPAN_PRINT(path));
}

/* V1 */
const char *
consent_unusable(const struct consent *c, const struct facts *facts)
{
    if (c->unusable != NULL)
        return c->unusable;
    if (c->dated && c->date.first_ms > facts->at_ms)
        return "it is dated in the future";
    if (facts->at_ms < c->period.first_ms)
        return "its period has not begun";
    if (facts->at_ms > c->period.last_ms)
        return "its period has ended";
    if (facts->at_ms >= c->ended_ms)
        return c->ended_how;
    return NULL;
}

/* H-2: the compliance date of 89 FR 12472. */
static bool
is_legacy_class(const struct consent *c)
{
    const int64_t  compliance_ms = 1771200000000;                           /* 2026-02-16T00:00:00Z */
    const uint32_t all           = STATEMENT_REVOCATION | STATEMENT_HIPAA | STATEMENT_REDISCLOSURE | STATEMENT_REFUSAL;

    return c->designated != 0 && c->dated && c->date.first_ms < compliance_ms && (c->statements & all) != all;
}

/* V3 */
const char *
consent_deficiency(const struct consent *c, const struct facts *facts)
{
    const char *signature = c->deficiency == NULL ? signer_deficiency(c, facts) : NULL;

    if (signature != NULL)
        return signature;
    if (c->deficiency == NULL && !facts->site.honor_legacy_classes && is_legacy_class(c))
        return "it is from before 16 February 2026, designates recipients by class and lacks the statements of 2.31(a)";
    if (c->deficiency != NULL || !facts->site.require_statements)
        return c->deficiency;
    if ((c->statements & STATEMENT_REVOCATION) == 0)
        return "it lacks the right to revoke and how, 2.31(a)(6)";
    bool legacy = signer_legacy(c, facts);
    if (!legacy && (c->statements & STATEMENT_HIPAA) == 0)
        return "it lacks the statement on redisclosure under HIPAA, 2.31(a)(4)(iii)";
    if (!legacy && (c->statements & STATEMENT_REDISCLOSURE) == 0)
        return "it lacks the statement on potential redisclosure, 2.31(a)(10)(i)";
    if (!legacy && (c->statements & STATEMENT_REFUSAL) == 0)
        return "it lacks the consequences of refusing, 2.31(a)(10)(ii)";
    if (c->period.last_ms == INT64_MAX && c->ended_ms == INT64_MAX && (c->statements & STATEMENT_NO_EXPIRY) == 0)
        return "it says neither when it expires nor that it does not, 2.31(a)(7)";
    if (c->period.last_ms == INT64_MAX && c->ended_ms == INT64_MAX && !for_treatment_payment_operations(c))
        return "it has no end, which is enough for treatment, payment and operations alone, 2.31(a)(7)";
    return NULL;
}

/* Every purpose that it permits is one of theirs. */
static bool
for_treatment_payment_operations(const struct consent *c)
{
    for (uint32_t i = 0; i < c->provision_count; i++) {
        const struct provision *p = &c->provisions[i];
        if (p->type != PROVISION_PERMIT)
            continue;
        if (p->criteria.purposes == 0)
            return false;
        for (enum purpose q = PURPOSE_NONE + 1; q < PURPOSE_COUNT; q++)
            if ((p->criteria.purposes & PURPOSE_BIT(q)) != 0 && !purpose_covers(PURPOSE_TREAT, q)
                && !purpose_covers(PURPOSE_HPAYMT, q) && !purpose_covers(PURPOSE_HOPERAT, q))
                return false;
    }
    return true;
}

int64_t
policy_valid_until(const struct policy *policy, int64_t at_ms)
{
    int64_t until = INT64_MAX;

#define NEXT(moment) ((moment) > at_ms && (moment) < until ? (void)(until = (moment)) : (void)0)
    for (size_t i = 0; i < policy->consent_count; i++) {
        const struct consent *c = &policy->consents[i];
        if (c->unusable != NULL)
            continue;
        if (c->dated)
            NEXT(c->date.first_ms);
        NEXT(c->ended_ms);
        for (uint32_t p = 0; p < c->provision_count; p++) {
            NEXT(c->provisions[p].period.first_ms);
            /* The end is inclusive; the moment after it is another. */
            if (c->provisions[p].period.last_ms < INT64_MAX)
                NEXT(c->provisions[p].period.last_ms + 1);
        }
    }
#undef NEXT
    return until;
}

/* ---- the head of a Consent ---------------------------------------------------- */

static void
compile_consent(struct compiler *c, const struct consent_source *source)
{
    struct consent *consent = c->consent;

    consent->tape     = source->tape;
    consent->node     = source->node;
    consent->sent      = source->sent != NULL ? source->sent : source->tape;
    consent->sent_node = source->sent != NULL ? source->sent_node : source->node;
    consent->again     = source->again;
    consent->again_ms  = source->again_ms;
    consent->told      = source->told;
    consent->period   = always;
    consent->ended_ms = INT64_MAX;
    read_head(c, source);
    read_ends(c);
    if (consent->unusable == NULL)
        compile_provisions(c);
    consent_kind_read(consent, c->arena);
    signer_read(consent, c->arena);
    if (consent->unusable == NULL && consent->deficiency == NULL)
        consent->deficiency = consent_form_deficiency(consent, c->arena);
}

static void
read_head(struct compiler *c, const struct consent_source *source)
{
    /* consent-state-codes, consentscope */
    static const char *const not_active[]   = { "draft", "proposed", "rejected", "inactive", "entered-in-error" };
    static const char *const other_scopes[] = { "adr", "research", "treatment" };
    static const char *const privacy[]      = { "patient-privacy" };

    struct consent *consent = c->consent;
    tape_node       scope   = tape_member(c->tape, consent->node, SPAN("scope"));
    struct span     id      = tape_member_text(c->tape, consent->node, SPAN("id"), c->arena);
    struct span     status  = tape_member_text(c->tape, consent->node, SPAN("status"), c->arena);

    consent->reference = span_empty(id) ? SPAN("Consent") : arena_format(c->arena, "Consent/%.*s", SPAN_PRINT(id));
    consent->home      = source->home;
    consent->home_lost = source->home_lost;
    consent->patient   = read_target(c, tape_member(c->tape, consent->node, SPAN("patient")));
    if (!span_empty(source->patient))
        consent->patient.reference = source->patient;
    consent->date_text = tape_member_text(c->tape, consent->node, SPAN("dateTime"), c->arena);
    consent->dated     = time_range_read(consent->date_text, &consent->date);

    if (!tape_text_eq(c->tape, tape_member(c->tape, consent->node, SPAN("resourceType")), SPAN("Consent")))
        consent->unusable = "it is not a Consent";
    else if (span_among(status, CODES(not_active)))
        consent->unusable = span_eq_text(status, "inactive") ? "it was revoked or has ended (status inactive)"
                                                             : "its status is not active";
    else if (concept_has(c->tape, scope, CODES(other_scopes)) && !concept_has(c->tape, scope, CODES(privacy)))
        consent->unusable = "its scope is not patient-privacy";
    else if (span_empty(consent->patient.reference) && consent->patient.identifier_count == 0)
        consent->unusable = "it does not say whose it is";

    consent->revoked     = span_eq_text(status, "inactive");
    consent->denies_only = !span_eq_text(status, "active")                ? "its status is none that R4 has"
                         : !concept_has(c->tape, scope, CODES(privacy))   ? "its scope is none that R4 has"
                         : concept_has(c->tape, scope, CODES(other_scopes)) ? "its scope is patient-privacy and another at once"
                         : has_strange_modifier(c->tape, consent->node)
                             ? "it holds a modifierExtension or implicitRules that are not understood" : NULL;
    if (source->refuses_only != NULL)
        consent->denies_only = source->refuses_only;
    if (consent->denies_only != NULL)
        consent->deficiency = consent->denies_only;
    else if (!consent->dated)
        consent->deficiency = "it has no date of signature, 2.31(a)(9)";
    else if (says_hipaa_only(c))
        consent->deficiency = "a HIPAA authorization is not a consent under 42 CFR 2.31";
}

/* Who may disclose, and what ends it. */
static void
read_ends(struct compiler *c)
{
    struct consent *consent = c->consent;
    tape_node       list    = tape_member(c->tape, consent->node, SPAN("organization"));
    struct target  *all     = arena_make_n(c->arena, tape_children(c->tape, list), struct target);

    if (all == NULL)
        return;
    for (tape_node n = tape_first(c->tape, list); n != TAPE_ABSENT; n = tape_next(c->tape, n))
        all[consent->organization_count++] = read_target(c, n);
    consent->organizations = all;
    read_extensions(c);
}

static void
read_extensions(struct compiler *c)
{
    static const struct { const char *name; enum statement bit; } statements[] = {
        { "statement-revocation", STATEMENT_REVOCATION }, { "statement-hipaa", STATEMENT_HIPAA },
        { "statement-redisclosure", STATEMENT_REDISCLOSURE }, { "statement-refusal", STATEMENT_REFUSAL },
        { "no-expiry", STATEMENT_NO_EXPIRY },
    };
    struct consent *consent = c->consent;
    tape_node       list    = tape_member(c->tape, consent->node, SPAN("extension"));

    for (tape_node n = tape_first(c->tape, list); n != TAPE_ABSENT; n = tape_next(c->tape, n)) {
        struct span url = tape_member_text(c->tape, n, SPAN("url"), c->arena);
        if (!span_starts(url, SPAN(CONSENT_EXTENSION)))
            continue;
        url = span_skip(url, sizeof CONSENT_EXTENSION - 1);
        bool yes = tape_kind(c->tape, tape_member(c->tape, n, SPAN("valueBoolean"))) == TAPE_TRUE;
        for (size_t i = 0; i < sizeof statements / sizeof *statements; i++)
            if (yes && span_eq_text(url, statements[i].name))
                consent->statements |= statements[i].bit;

        struct span       when = tape_member_text(c->tape, n, SPAN("valueDateTime"), c->arena);
        struct time_range range;
        bool              revoked = span_eq_text(url, "revoked");
        if (!revoked && !span_eq_text(url, "expired"))
            continue;
        /* An end whose moment cannot be read has come (V2). */
        if (!time_range_read(when, &range))
            range.first_ms = INT64_MIN;
        if (range.first_ms < consent->ended_ms) {
            consent->ended_ms  = range.first_ms;
            consent->ended_how = revoked ? "it was revoked" : "its expiration event has happened";
        }
    }
}

/* V4 */
static enum base_rule
read_policy_rule(struct compiler *c)
{
    static const char *const in[]         = { "OPTIN" };
    static const char *const restricted[] = { "OPTINR" };
    static const char *const out[]        = { "OPTOUT", "OPTOUTE", "EMRGONLY" };
    tape_node                rule         = tape_member(c->tape, c->consent->node, SPAN("policyRule"));
    tape_node                root         = tape_member(c->tape, c->consent->node, SPAN("provision"));

    if (concept_has(c->tape, rule, CODES(out)))
        return BASE_DENY;
    /* "With restrictions", and they have to be there to be kept. */
    if (concept_has(c->tape, rule, CODES(restricted)))
        return tape_member(c->tape, root, SPAN("provision")) != TAPE_ABSENT ? BASE_PERMIT : BASE_SILENT;
    return concept_has(c->tape, rule, CODES(in)) ? BASE_PERMIT : BASE_SILENT;
}

/* V3: a general authorization "is NOT sufficient", 2.32(a)(1). */
static bool
says_hipaa_only(struct compiler *c)
{
    static const char *const hipaa[] = { "HIPAAAuth", "HIPAAAuthCD", "HIPAAConsentCD", "HIPAAResearchAuth",
                                         "HIPAAResearchAuthCD", "HIPAAROA", "HIPAAROAD" };
    static const char *const part2[] = { "42CFRPart2", "42CFRPart2CD" };
    tape_node rule  = tape_member(c->tape, c->consent->node, SPAN("policyRule"));
    tape_node list  = tape_member(c->tape, c->consent->node, SPAN("category"));
    bool      first = concept_has(c->tape, rule, CODES(hipaa));
    bool      other = concept_has(c->tape, rule, CODES(part2));

    for (tape_node n = tape_first(c->tape, list); n != TAPE_ABSENT; n = tape_next(c->tape, n)) {
        first |= concept_has(c->tape, n, CODES(hipaa));
        other |= concept_has(c->tape, n, CODES(part2));
    }
    return first && !other;
}

/* R4 extensibility.html#modifierExtension: whoever does not understand one
 * must not use the element; we understand none. */
static bool
has_strange_modifier(const struct tape *tape, tape_node consent)
{
    for (tape_node n = consent; n < tape_after(tape, consent); n++)
        if (tape_kind(tape, n) == TAPE_NAME
            && (tape_text_eq(tape, n, SPAN("modifierExtension")) || tape_text_eq(tape, n, SPAN("implicitRules"))))
            return true;
    return false;
}

/* V2, V7 */
static void
deny_everything(struct compiler *c, const char *why)
{
    struct provision *root = arena_make(c->arena, struct provision);

    if (root == NULL)
        return;
    root->consent = c->consent;
    root->node    = tape_member(c->tape, c->consent->node, SPAN("provision"));
    root->type    = PROVISION_DENY;
    root->period  = always;
    c->consent->provisions      = root;
    c->consent->provision_count = 1;
    c->consent->base            = BASE_DENY;
    c->consent->deficiency      = why;
    c->consent->denies_all      = why;
}

/* ---- the tree ------------------------------------------------------------------- */

static void
compile_provisions(struct compiler *c)
{
    struct consent *consent = c->consent;
    enum base_rule  rule    = read_policy_rule(c);
    tape_node       root    = tape_member(c->tape, consent->node, SPAN("provision"));
    struct queue    queue   = { 0 };

    consent->base = rule;
    if (tape_member(c->tape, consent->node, SPAN("decision")) != TAPE_ABSENT
        || (root != TAPE_ABSENT && tape_kind(c->tape, root) != TAPE_OBJECT)) {
        deny_everything(c, "it has the form of another FHIR version than R4");
        return;
    }
    if (!queue_tree(c, root, &queue)) {
        deny_everything(c, queue.too_many ? "it has too many provisions" : "a nested provision is no object");
        return;
    }
    struct provision *all = arena_make_n(c->arena, queue.count, struct provision);
    if (all == NULL)
        return;
    for (uint32_t i = 0; i < queue.count; i++)
        read_provision(c, &queue, i, all);
    consent->provisions      = all;
    consent->provision_count = queue.count;
    consent->period          = all[0].period;
    settle_root(c, &all[0], rule);
}

/* Without any provision the root is an absent node without criteria: then
 * policyRule alone speaks. */
static bool
queue_tree(struct compiler *c, tape_node root, struct queue *q)
{
    q->room  = 16;
    q->items = arena_make_n(c->arena, q->room, struct queued);
    if (q->items == NULL)
        return false;
    q->items[q->count++] = (struct queued){ .node = root };
    for (uint32_t i = 0; i < q->count; i++) {
        tape_node list  = tape_member(c->tape, q->items[i].node, SPAN("provision"));
        uint32_t  index = 0;
        if (list != TAPE_ABSENT && tape_kind(c->tape, list) != TAPE_ARRAY)
            return false;
        for (tape_node n = tape_first(c->tape, list); n != TAPE_ABSENT; n = tape_next(c->tape, n)) {
            q->too_many = q->count == CONSENT_MAX_PROVISIONS;
            if (q->too_many || tape_kind(c->tape, n) != TAPE_OBJECT)
                return false;
            if (q->count == q->room) {
                q->items = arena_grow(c->arena, q->items, q->room * sizeof *q->items, q->room * 2 * sizeof *q->items);
                q->room *= 2;
                if (q->items == NULL)
                    return false;
            }
            q->items[q->count++] = (struct queued){ .node = n, .parent = i, .index = index++ };
        }
    }
    return true;
}

/* V4, V5 */
static void
settle_root(struct compiler *c, struct provision *root, enum base_rule rule)
{
    bool            criteria = (root->criteria.stated & ~(uint32_t)DIMENSION_CUSTODIAN) != 0;
    struct consent *consent  = c->consent;

    if (tape_member(c->tape, root->node, SPAN("type")) == TAPE_ABSENT) {
        root->type      = criteria ? PROVISION_DENY : PROVISION_SILENT;
        root->ambiguous = criteria;
        if (criteria) {
            consent->base = rule == BASE_DENY ? BASE_DENY : BASE_SILENT;
            /* Without a policyRule there is nothing that the criteria could except. */
            if (rule == BASE_SILENT)
                root->type = PROVISION_SILENT;
        }
        return;
    }
    bool permit = root->type == PROVISION_PERMIT;
    if (!criteria)
        consent->base = permit && rule != BASE_DENY ? BASE_PERMIT : BASE_DENY;
    else if (permit && rule == BASE_PERMIT)
        consent->base = BASE_SILENT;     /* what it permits is what the root says */
    if (!criteria && permit && rule == BASE_DENY)
        consent->deficiency = "policyRule and provision.type contradict each other";
}

static void
read_provision(struct compiler *c, const struct queue *q, uint32_t i, struct provision *all)
{
    struct provision *p      = &all[i];
    struct provision *parent = i == 0 ? NULL : &all[q->items[i].parent];
    tape_node         type   = tape_member(c->tape, q->items[i].node, SPAN("type"));

    p->consent = c->consent;
    p->node    = q->items[i].node;
    p->parent  = parent;
    p->index   = q->items[i].index;
    p->type    = tape_text_eq(c->tape, type, SPAN("permit")) ? PROVISION_PERMIT : PROVISION_DENY;
    p->period  = always;
    if (parent != NULL) {
        p->period   = parent->period;
        p->criteria = parent->criteria;
        if (parent->child_count++ == 0)
            parent->first_child = i;
    }
    read_period(c, p);
    read_criteria(c, p);
}

static void
read_criteria(struct compiler *c, struct provision *p)
{
    static const char *const others[] = { "id", "extension", "type", "_type", "period", "provision" };

    for (tape_node n = tape_first(c->tape, p->node); n != TAPE_ABSENT; n = tape_next(c->tape, n)) {
        tape_node name  = tape_name(c->tape, n);
        bool      known = false;
        for (size_t i = 0; i < sizeof others / sizeof *others; i++)
            known |= tape_text_eq(c->tape, name, span_of(others[i]));
        if (known)
            continue;
        if (tape_text_eq(c->tape, name, SPAN("actor")))
            read_actors(c, &p->criteria, n);
        else if (tape_text_eq(c->tape, name, SPAN("action")))
            read_actions(c, &p->criteria, n);
        else if (tape_text_eq(c->tape, name, SPAN("securityLabel")))
            read_labels(c, &p->criteria, n);
        else if (tape_text_eq(c->tape, name, SPAN("purpose")))
            read_purposes(c, &p->criteria, n);
        else if (tape_text_eq(c->tape, name, SPAN("class")))
            read_classes(c, &p->criteria, n);
        else if (tape_text_eq(c->tape, name, SPAN("code")))
            read_codes(c, &p->criteria, n);
        else if (tape_text_eq(c->tape, name, SPAN("dataPeriod")))
            read_data_period(c, &p->criteria, n);
        else if (tape_text_eq(c->tape, name, SPAN("data")))
            read_data(c, &p->criteria, n);
        else
            state(&p->criteria, DIMENSION_STRANGE, false);
    }
}

/* The provision says something of this kind itself: the parent's goes. */
static void
state(struct criteria *k, enum dimension d, bool readable)
{
    k->stated     |= d;
    k->unreadable &= ~(uint32_t)d;
    if (!readable)
        k->unreadable |= d;
}

/* ---- criteria, one kind a function ------------------------------------------------ */

/* V6 */
static void
read_period(struct compiler *c, struct provision *p)
{
    struct time_range own  = always;
    tape_node         node = tape_member(c->tape, p->node, SPAN("period"));

    if (node == TAPE_ABSENT)
        return;
    if (!range_of(c, node, &own, c->consent->dated ? signer_zone(c->consent->date_text) : 0))
        p->criteria.unreadable |= DIMENSION_PERIOD;
    if (own.first_ms > p->period.first_ms)
        p->period.first_ms = own.first_ms;
    if (own.last_ms < p->period.last_ms)
        p->period.last_ms = own.last_ms;
}

static void
read_actors(struct compiler *c, struct criteria *k, tape_node list)
{
    static const char *const custodian[] = { "CST" };
    /* Who is none of these is somebody else in the matter: author, witness … */
    static const char *const recipient[] = { "IRCP", "PRCP", "RCV", "GRANTEE" };
    uint32_t       count      = tape_children(c->tape, list);
    struct target *actors     = arena_make_n(c->arena, count, struct target);
    struct target *custodians = arena_make_n(c->arena, count, struct target);
    size_t         who = 0, from = 0;
    bool           readable = tape_kind(c->tape, list) == TAPE_ARRAY && count > 0;

    if (actors == NULL || custodians == NULL)
        return;
    for (tape_node n = tape_first(c->tape, list); n != TAPE_ABSENT; n = tape_next(c->tape, n)) {
        tape_node     role   = tape_member(c->tape, n, SPAN("role"));
        struct target target = read_target(c, tape_member(c->tape, n, SPAN("reference")));
        if (concept_has(c->tape, role, CODES(custodian)))
            custodians[from++] = target;
        else
            actors[who++] = target;
        if (tape_member(c->tape, role, SPAN("coding")) != TAPE_ABSENT && !concept_has(c->tape, role, CODES(custodian))
            && !concept_has(c->tape, role, CODES(recipient)))
            readable = false;
    }
    if (from > 0) {
        k->custodians      = custodians;
        k->custodian_count = from;
        state(k, DIMENSION_CUSTODIAN, true);
    }
    if (who > 0 || !readable) {
        k->actors      = actors;
        k->actor_count = who;
        state(k, DIMENSION_ACTOR, readable);
    }
}

static void
read_actions(struct compiler *c, struct criteria *k, tape_node list)
{
    static const char *const access[]   = { "access" };
    static const char *const disclose[] = { "disclose" };
    static const char *const others[]   = { "collect", "use", "correct" };   /* consentaction */
    bool readable = tape_kind(c->tape, list) == TAPE_ARRAY && tape_children(c->tape, list) > 0;

    k->actions = 0;
    for (tape_node n = tape_first(c->tape, list); n != TAPE_ABSENT; n = tape_next(c->tape, n)) {
        uint32_t which = concept_has(c->tape, n, CODES(access)) ? ACTION_ACCESS : 0;
        if (concept_has(c->tape, n, CODES(disclose)))
            which |= ACTION_DISCLOSE;
        readable   &= which != 0 || concept_has(c->tape, n, CODES(others));
        k->actions |= which != 0 ? which : ACTION_OTHER;
    }
    state(k, DIMENSION_ACTION, readable);
}

static void
read_labels(struct compiler *c, struct criteria *k, tape_node list)
{
    struct coding *foreign  = arena_make_n(c->arena, tape_children(c->tape, list), struct coding);
    size_t         count    = 0;
    bool           readable = tape_kind(c->tape, list) == TAPE_ARRAY && tape_children(c->tape, list) > 0;

    if (foreign == NULL)
        return;
    k->labels = 0;
    for (tape_node n = tape_first(c->tape, list); n != TAPE_ABSENT; n = tape_next(c->tape, n)) {
        struct coding coding = coding_of(c, n);
        enum label    label  = label_of_coding(coding.system, coding.code);
        if (label != LABEL_NONE)
            k->labels = label_add(k->labels, label);
        else if (!span_empty(coding.code))
            foreign[count++] = coding;
        else
            readable = false;
    }
    k->foreign_labels      = foreign;
    k->foreign_label_count = count;
    state(k, DIMENSION_LABEL, readable);
}

static void
read_purposes(struct compiler *c, struct criteria *k, tape_node list)
{
    bool readable = tape_kind(c->tape, list) == TAPE_ARRAY && tape_children(c->tape, list) > 0;

    k->purposes = 0;
    for (tape_node n = tape_first(c->tape, list); n != TAPE_ABSENT; n = tape_next(c->tape, n)) {
        struct coding coding  = coding_of(c, n);
        enum purpose  purpose = code_system_of(coding.system) == CODE_SYSTEM_ACTREASON || purpose_system(coding.system)
                                    ? purpose_of(coding.code) : PURPOSE_NONE;
        if (purpose != PURPOSE_NONE)
            k->purposes |= PURPOSE_BIT(purpose);
        else
            readable = false;
    }
    state(k, DIMENSION_PURPOSE, readable);
}

static void
read_classes(struct compiler *c, struct criteria *k, tape_node list)
{
    struct coding *all      = arena_make_n(c->arena, tape_children(c->tape, list), struct coding);
    size_t         count    = 0;
    bool           readable = tape_kind(c->tape, list) == TAPE_ARRAY && tape_children(c->tape, list) > 0;

    if (all == NULL)
        return;
    for (tape_node n = tape_first(c->tape, list); n != TAPE_ABSENT; n = tape_next(c->tape, n)) {
        all[count] = coding_of(c, n);
        readable  &= !span_empty(all[count].code);
        count     += !span_empty(all[count].code);
    }
    k->classes     = all;
    k->class_count = count;
    state(k, DIMENSION_CLASS, readable);
}

static void
read_codes(struct compiler *c, struct criteria *k, tape_node list)
{
    size_t room = 0, codes = 0, texts = 0;

    for (tape_node n = tape_first(c->tape, list); n != TAPE_ABSENT; n = tape_next(c->tape, n))
        room += tape_children(c->tape, tape_member(c->tape, n, SPAN("coding")));
    struct coding *all   = arena_make_n(c->arena, room, struct coding);
    struct span   *words = arena_make_n(c->arena, tape_children(c->tape, list), struct span);
    bool           readable = tape_kind(c->tape, list) == TAPE_ARRAY && tape_children(c->tape, list) > 0;

    if (all == NULL || words == NULL)
        return;
    for (tape_node n = tape_first(c->tape, list); n != TAPE_ABSENT; n = tape_next(c->tape, n)) {
        tape_node   coding = tape_member(c->tape, n, SPAN("coding"));
        struct span text   = tape_member_text(c->tape, n, SPAN("text"), c->arena);
        size_t      before = codes;
        for (tape_node m = tape_first(c->tape, coding); m != TAPE_ABSENT; m = tape_next(c->tape, m)) {
            all[codes] = coding_of(c, m);
            codes     += !span_empty(all[codes].code);
        }
        if (codes == before && !span_empty(text))
            words[texts++] = text;
        else if (codes == before)
            readable = false;
    }
    k->codes           = all;
    k->code_count      = codes;
    k->code_texts      = words;
    k->code_text_count = texts;
    state(k, DIMENSION_CODE, readable);
}

static void
read_data_period(struct compiler *c, struct criteria *k, tape_node node)
{
    k->data_period = always;
    state(k, DIMENSION_DATA_PERIOD, range_of(c, node, &k->data_period, 0));
}

static void
read_data(struct compiler *c, struct criteria *k, tape_node list)
{
    static const char *const meanings[] = { "", "instance", "related", "dependents", "authoredby" };
    struct data_rule *all      = arena_make_n(c->arena, tape_children(c->tape, list), struct data_rule);
    size_t            count    = 0;
    bool              readable = tape_kind(c->tape, list) == TAPE_ARRAY && tape_children(c->tape, list) > 0;

    if (all == NULL)
        return;
    for (tape_node n = tape_first(c->tape, list); n != TAPE_ABSENT; n = tape_next(c->tape, n)) {
        struct data_rule *rule = &all[count++];
        struct span       text = tape_member_text(c->tape, n, SPAN("meaning"), c->arena);
        for (enum data_meaning m = DATA_INSTANCE; m <= DATA_AUTHORED_BY; m++)
            if (span_eq_text(text, meanings[m]))
                rule->meaning = m;
        rule->target = read_target(c, tape_member(c->tape, n, SPAN("reference")));
        readable &= rule->meaning != DATA_UNKNOWN
                    && (!span_empty(rule->target.reference) || rule->target.identifier_count > 0);
    }
    k->data       = all;
    k->data_count = count;
    state(k, DIMENSION_DATA, readable);
}

/* ---- small readers ------------------------------------------------------------------ */

static struct target
read_target(struct compiler *c, tape_node reference)
{
    struct target target = { .reference = tape_member_text(c->tape, reference, SPAN("reference"), c->arena),
                             .type      = tape_member_text(c->tape, reference, SPAN("type"), c->arena) };
    struct span   base, type, id;

    if (span_starts(target.reference, SPAN("#"))) {
        tape_node resource = contained_resource(c, span_skip(target.reference, 1));
        target.contained   = resource != TAPE_ABSENT;
        target.type        = tape_member_text(c->tape, resource, SPAN("resourceType"), c->arena);
        target.identifiers = read_identifiers(c, tape_member(c->tape, resource, SPAN("identifier")),
                                              &target.identifier_count);
        return target;
    }
    if (span_empty(target.type) && reference_split(target.reference, &base, &type, &id))
        target.type = type;
    target.identifiers = read_identifiers(c, tape_member(c->tape, reference, SPAN("identifier")),
                                          &target.identifier_count);
    return target;
}

/* One Identifier (Reference.identifier) or a list (of a resource); without a
 * value it identifies nothing. */
static const struct identifier *
read_identifiers(struct compiler *c, tape_node node, size_t *count)
{
    bool      list = tape_kind(c->tape, node) == TAPE_ARRAY;
    uint32_t  room = list ? tape_children(c->tape, node) : 1;
    struct identifier *all = arena_make_n(c->arena, room, struct identifier);

    *count = 0;
    for (tape_node n = list ? tape_first(c->tape, node) : node; n != TAPE_ABSENT && all != NULL;
         n = list ? tape_next(c->tape, n) : TAPE_ABSENT) {
        struct identifier one = { .system = tape_member_text(c->tape, n, SPAN("system"), c->arena),
                                  .value  = tape_member_text(c->tape, n, SPAN("value"), c->arena) };
        if (!span_empty(one.value))
            all[(*count)++] = one;
    }
    return all;
}

static tape_node
contained_resource(struct compiler *c, struct span id)
{
    tape_node in   = c->source->contained ? c->source->around : c->consent->node;      /* contained resources contain none */
    tape_node list = tape_member(c->tape, in, SPAN("contained"));

    for (tape_node n = tape_first(c->tape, list); n != TAPE_ABSENT; n = tape_next(c->tape, n))
        if (tape_text_eq(c->tape, tape_member(c->tape, n, SPAN("id")), id))
            return n;
    return TAPE_ABSENT;
}

/* A Period; false when it is none, an end of it cannot be read, or it ends before it begins. */
static bool
range_of(struct compiler *c, tape_node period, struct time_range *out, int64_t zone_ms)
{
    tape_node         start = tape_member(c->tape, period, SPAN("start"));
    tape_node         end   = tape_member(c->tape, period, SPAN("end"));
    struct time_range range = always;
    bool              readable = tape_kind(c->tape, period) == TAPE_OBJECT && (start != TAPE_ABSENT || end != TAPE_ABSENT);

    *out = always;
    if (start != TAPE_ABSENT && (readable &= time_range_read(tape_text(c->tape, start, c->arena), &range)))
        out->first_ms = range.first_ms - (has_time(c, start) ? 0 : zone_ms);
    if (end != TAPE_ABSENT && (readable &= time_range_read(tape_text(c->tape, end, c->arena), &range)))
        out->last_ms = range.last_ms - (has_time(c, end) ? 0 : zone_ms);
    if (out->first_ms <= out->last_ms)
        return readable;
    *out = always;
    return false;
}

static bool
has_time(struct compiler *c, tape_node text)
{
    return span_find(tape_text(c->tape, text, c->arena), SPAN("T")) != SPAN_NOT_FOUND;
}

/* How far the signer's clock is ahead of UTC, by the moment of the signature "…T10:00:00-05:00".  0 where the
 * moment says nothing of it: a day, or UTC itself, which is how systems write. */
static int64_t
signer_zone(struct span at)
{
    struct span zone = at.length > 6 ? span_skip(at, at.length - 6) : SPAN("");

    if (span_find(at, SPAN("T")) == SPAN_NOT_FOUND || zone.length != 6 || (zone.at[0] != '+' && zone.at[0] != '-') || zone.at[3] != ':')
        return 0;
    int64_t minutes = 600 * (zone.at[1] - '0') + 60 * (zone.at[2] - '0') + 10 * (zone.at[4] - '0') + (zone.at[5] - '0');
    return (zone.at[0] == '-' ? -minutes : minutes) * 60000;
}

static struct coding
coding_of(struct compiler *c, tape_node node)
{
    return (struct coding){ .system = tape_member_text(c->tape, node, SPAN("system"), c->arena),
                            .code   = tape_member_text(c->tape, node, SPAN("code"), c->arena) };
}

static bool
span_among(struct span text, const char *const *codes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (span_eq_text(text, codes[i]))
            return true;
    return false;
}

/* A CodeableConcept holds one of these codes.  The system is not asked: these
 * are HL7's own small vocabularies, and no other has the same words. */
static bool
concept_has(const struct tape *tape, tape_node concept, const char *const *codes, size_t count)
{
    tape_node list = tape_member(tape, concept, SPAN("coding"));

    for (tape_node n = tape_first(tape, list); n != TAPE_ABSENT; n = tape_next(tape, n))
        for (size_t i = 0; i < count; i++)
            if (tape_text_eq(tape, tape_member(tape, n, SPAN("code")), span_of(codes[i])))
                return true;
    return false;
}
