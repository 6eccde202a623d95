#include "consent/emission.h"

#include <string.h>

#define CLASSIFIER \
    "{\"url\":\"" EMISSION_CLASSIFIER_URL "\",\"valueReference\":{\"display\":\"Sluice\"}}"

struct emission {
    struct splices        *splices;
    const struct plan     *plan;
    const struct labeling *labeling;
    const struct labeling *left;         /* of what leaves: its entries are those that stay, in order */
    const struct facts    *facts;
    const struct tape     *tape;
    struct arena          *arena;
    bool                   may_redisclose;       /* M3: the recipient, under HIPAA */
};

bool
emission_edits(const struct facts *facts)
{
    return facts->emission != EMISSION_KEEP;
}

/* ---- none ---------------------------------------------------------------------------- */

static void
cut_labels(struct emission *e, tape_node resource)
{
    tape_node security = tape_member(e->tape, tape_member(e->tape, resource, SPAN("meta")), SPAN("security"));

    if (security != TAPE_ABSENT)
        splices_cut(e->splices, security);
}

/* Contained and nested resources as well. */
static void
cut_all_labels(struct emission *e)
{
    const struct bundle *b = e->plan->bundle;

    cut_labels(e, b->root);
    for (uint32_t i = 0; i < bundle_resources(b); i++)
        cut_labels(e, bundle_resource_at(b, i)->node);
}

/* ---- what a resource says by itself (M2) ---------------------------------------------- */

static enum status
label_again(struct emission *e, struct span payload)
{
    struct issues           *issues = issues_new(e->arena, 1);
    const struct tape       *tape;
    const struct bundle     *bundle;
    const struct references *references;
    uint32_t                 kept = 0;

    for (uint32_t i = 0; i < e->plan->bundle->count; i++)
        kept += e->plan->decisions[i].verdict >= VERDICT_REDACT;
    if (issues == NULL)
        return ST_NO_MEMORY;
    struct tape_limits limits = tape_default_limits;
    limits.max_bytes          = TAPE_MAX_BYTES;
    limits.max_nodes          = tape_count(e->tape) + 4096;
    enum status st            = tape_read(payload, &limits, e->arena, &tape, NULL);
    if (st == ST_OK)
        st = bundle_read(tape, e->arena, issues, &bundle);
    if (st == ST_OK)
        st = references_read(bundle, e->arena, &references);
    if (st == ST_OK)
        st = label_bundle(bundle, references, e->facts, e->arena, &e->left);
    if (st != ST_OK)
        return st == ST_NO_MEMORY ? st : ST_INTEGRITY;
    return bundle->count == kept ? ST_OK : ST_INTEGRITY;
}

/* `number`: of the entry among those that stay. */
static label_set
said_by(const struct emission *e, uint32_t entry, uint32_t number)
{
    const struct labeled  *l   = &e->labeling->of[entry], *now = &e->left->of[number];
    const struct decision *d   = &e->plan->decisions[entry];
    label_set              set = 0;

    for (size_t i = 0; i < now->evidence_count; i++)
        if (label_kind(now->evidence[i].label) == LABEL_SENSITIVITY && strcmp(now->evidence[i].rule, "P4") != 0)
            set = label_add(set, now->evidence[i].label);
    if (l->part2 != PART2_NOT && (d->obligations & OBLIGE_NOTICE) != 0)
        set = label_add(set, LABEL_PART2);
    if (set == 0)
        return 0;
    set = label_add(set, l->counseling_note || labels_have(set, LABEL_PSYTHPN) ? LABEL_V : LABEL_R);
    return labels_have(set, LABEL_PART2) && !e->may_redisclose ? label_add(set, LABEL_NORDSCLCD) : set;
}

/* ---- codings ------------------------------------------------------------------------------ */

static struct span
coding_of(struct emission *e, enum label l, bool part2)
{
    bool        based = part2 && (label_kind(l) == LABEL_CONFIDENTIALITY || label_kind(l) == LABEL_HANDLING);
    struct span basis = !based ? SPAN("")
                               : arena_format(e->arena, "{\"url\":\"" EMISSION_BASIS_URL "\",\"valueCoding\":{\"system\":\"%s\","
                                                        "\"code\":\"%s\"}},", label_system(LABEL_PART2), label_code(LABEL_PART2));

    return arena_format(e->arena, "{\"extension\":[%.*s" CLASSIFIER "],\"system\":\"%s\",\"code\":\"%s\",\"display\":\"%s\"}",
                        SPAN_PRINT(basis), label_system(l), label_code(l), label_display(l));
}

static struct span
codings_of(struct emission *e, label_set set, bool part2)
{
    struct span all = SPAN("");

    for (int l = 1; l < LABEL_COUNT; l++)
        if (labels_have(set, (enum label)l)) {
            struct span one = coding_of(e, (enum label)l, part2);
            all = arena_format(e->arena, "%.*s%s%.*s", SPAN_PRINT(all), all.length > 0 ? "," : "", SPAN_PRINT(one));
        }
    return all;
}

/* What stands there and stays; a confidentiality below `level` is raised to it (M3). */
static label_set
standing(struct emission *e, tape_node security, label_set set)
{
    label_set there = 0;
    enum label mine = labels_have(set, LABEL_V) ? LABEL_V : LABEL_R;

    for (tape_node n = tape_first(e->tape, security); n != TAPE_ABSENT; n = tape_next(e->tape, n)) {
        tape_node  code = tape_member(e->tape, n, SPAN("code")), display = tape_member(e->tape, n, SPAN("display"));
        enum label l    = label_of_coding(tape_member_text(e->tape, n, SPAN("system"), e->arena),
                                          tape_text(e->tape, code, e->arena));
        if (l == LABEL_NONE || plan_gone(e->plan, n))
            continue;
        if (label_kind(l) == LABEL_CONFIDENTIALITY && labels_confidentiality(LABEL_BIT(l)) < labels_confidentiality(LABEL_BIT(mine))) {
            splices_replace(e->splices, code, arena_format(e->arena, "\"%s\"", label_code(mine)));
            if (display != TAPE_ABSENT)
                splices_replace(e->splices, display, arena_format(e->arena, "\"%s\"", label_display(mine)));
            l = mine;
        }
        there = label_add(there, l);
    }
    return there;
}

/* Labels that a set has and the other does not, confidentiality as one (M4). */
static label_set
missing(label_set set, label_set there)
{
    label_set levels = LABEL_BIT(LABEL_U) | LABEL_BIT(LABEL_L) | LABEL_BIT(LABEL_M) | LABEL_BIT(LABEL_N) | LABEL_BIT(LABEL_R)
                     | LABEL_BIT(LABEL_V);

    return labels_confidentiality(there) > 0 ? set & ~there & ~levels : set & ~there;
}

/* `items` at the end of meta.security of a resource that is not the root. */
static enum status
add_items(struct emission *e, tape_node resource, struct span items)
{
    tape_node meta     = tape_member(e->tape, resource, SPAN("meta"));
    tape_node security = tape_member(e->tape, meta, SPAN("security"));

    if (plan_gone(e->plan, meta))
        meta = TAPE_ABSENT;
    if (plan_gone(e->plan, security))
        security = TAPE_ABSENT;
    if ((meta != TAPE_ABSENT && tape_kind(e->tape, meta) != TAPE_OBJECT)
        || (security != TAPE_ABSENT && tape_kind(e->tape, security) != TAPE_ARRAY))
        return ST_MALFORMED;
    if (meta == TAPE_ABSENT)
        splices_add_member(e->splices, resource, arena_format(e->arena, "\"meta\":{\"security\":[%.*s]}", SPAN_PRINT(items)));
    else if (security == TAPE_ABSENT)
        splices_add_member(e->splices, meta, arena_format(e->arena, "\"security\":[%.*s]", SPAN_PRINT(items)));
    else
        splices_add_item(e->splices, security, items);
    return ST_OK;
}

/* M5: the highest confidentiality alone. */
static label_set
high_water(label_set all)
{
    label_set set = all & ~LABEL_BIT(LABEL_NORDSCLCD);

    return labels_have(set, LABEL_V) ? set & ~LABEL_BIT(LABEL_R) : set;
}

static tape_node
security_of(const struct emission *e, tape_node resource)
{
    return tape_member(e->tape, tape_member(e->tape, resource, SPAN("meta")), SPAN("security"));
}

static bool
hipaa_applies(const struct party *p)
{
    static const char *const classes[] = { "CE_PROVIDER", "HEALTH_PLAN", "CLEARINGHOUSE", "BA" };

    for (size_t i = 0; i < p->class_count; i++)
        for (size_t k = 0; k < sizeof classes / sizeof classes[0]; k++)
            if (span_eq_text(p->classes[i], classes[k]))
                return true;
    return false;
}

enum status
emission_add(struct splices *splices, const struct plan *plan, const struct labeling *labeling, struct span payload,
             const struct facts *facts, struct arena *arena, struct span *root)
{
    struct emission e      = { splices, plan, labeling, NULL, facts, plan->bundle->tape, arena, hipaa_applies(&facts->actor) };
    label_set       all    = 0;
    uint32_t        number = 0;

    *root = SPAN("");
    if (facts->emission == EMISSION_NONE)
        cut_all_labels(&e);
    if (facts->emission != EMISSION_EMIT)
        return arena_status(arena);
    enum status st = label_again(&e, payload);
    for (uint32_t i = 0; i < plan->bundle->count && st == ST_OK; i++) {
        const struct bundle_entry *b = &plan->bundle->entries[i];
        if (plan->decisions[i].verdict < VERDICT_REDACT)
            continue;
        label_set set = b->resource == TAPE_ABSENT ? 0 : said_by(&e, i, number);
        number++;
        if (set == 0)
            continue;
        all |= set;
        label_set   more  = missing(set, standing(&e, security_of(&e, b->resource), set));
        struct span items = codings_of(&e, more, labels_have(set, LABEL_PART2));
        if (b->resource == plan->bundle->root)
            *root = items;
        else if (items.length > 0)
            st = add_items(&e, b->resource, items);
    }
    if (st != ST_OK)
        return st;
    if (plan->bundle->type != BUNDLE_SINGLE && all != 0) {
        all   = high_water(all);
        *root = codings_of(&e, missing(all, standing(&e, security_of(&e, plan->bundle->root), all)), labels_have(all, LABEL_PART2));
    }
    return arena_status(arena);
}
