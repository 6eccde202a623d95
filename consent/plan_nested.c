#include "consent/plan_nested.h"

#include <string.h>

#include "consent/state_overlay.h"

struct document {
    const struct bundle     *bundle;
    const struct references *references;
    const struct labeling   *labeling;
    const struct policy     *policy;
    const struct facts      *facts;
    struct arena            *arena;
    struct bench            *bench;      /* asked of each entry, and what if it were another record */
    struct labeled          *supposed;   /* labels with one entry replaced, for as_if */
    struct labeling          opened;     /* labels without those that stand for what is inside */
    struct labeled          *opened_of;
    const struct facts      *inside;     /* facts for the documents inside */
    unsigned                 depth;
    struct plan_inner       *inner;
    uint32_t                 inner_count, inner_room;
};

static enum status  plan_one(struct document *, const struct plan **out);
static enum status  find_inner(struct document *, struct decision *);
static enum status  plan_inner(struct document *, uint32_t entry, tape_node resource, tape_node whole);
static enum status  open_container(struct document *, struct decision *, uint32_t entry);
static enum status  relabel(struct document *, uint32_t entry, label_set beside);
static bool         carry_notices(struct document *, struct decision *, const struct decision *part);
static struct decision decide_as(struct document *, uint32_t entry, const struct labeled *);
static enum status  leave_source(struct document *, struct decision *);
static enum status  leave_as(struct document *, const struct decision *);
static bool         may_open(struct document *);
static const struct facts *facts_inside(struct document *);
static const struct plan_inner *inner_at(const struct document *, uint32_t entry, tape_node);
static bool         said_inside(const struct document *, uint32_t entry);
static enum status  carry(struct document *, struct decision *, const struct plan *);
static struct decision as_if(void *with, uint32_t entry, label_set, enum part2_status, const struct program *);

enum status
plan_document(const struct bundle *bundle, const struct references *references, const struct labeling *labeling,
              const struct policy *policy, const struct facts *facts, struct arena *arena, const struct plan **out)
{
    struct document d = { .bundle = bundle, .references = references, .labeling = labeling, .policy = policy,
                          .facts = facts, .arena = arena };

    return plan_one(&d, out);
}

static enum status
plan_one(struct document *d, const struct plan **out)
{
    struct decision *decisions = arena_make_n(d->arena, d->bundle->count, struct decision);
    struct plan_ask  ask       = { d, as_if };

    *out = NULL;
    /* Not when first asked: the scans ask while the arena is marked for their scratch. */
    d->supposed = arena_make_n(d->arena, d->bundle->count, struct labeled);
    d->bench    = bench_new(d->policy, d->facts, d->references, d->arena);
    if (decisions == NULL || d->supposed == NULL || d->bench == NULL)
        return ST_NO_MEMORY;
    for (uint32_t e = 0; e < d->bundle->count; e++) {
        decisions[e]   = bench_decide(d->bench, d->labeling, e);
        d->supposed[e] = d->labeling->of[e];
    }
    if (arena_spent(d->arena))
        return ST_NO_MEMORY;
    enum status st = find_inner(d, decisions);
    if (st == ST_OK && d->depth == 0 && d->facts->site.unit_without_source)
        st = leave_source(d, decisions);
    if (st == ST_OK)
        st = leave_as(d, decisions);
    if (st != ST_OK)
        return st;
    struct plan_input in = { .bundle      = d->bundle,
                             .references  = d->references,
                             .labeling    = d->opened_of != NULL ? &d->opened : d->labeling,
                             .first       = decisions,
                             .facts       = d->facts,
                             .ask         = &ask,
                             .inner       = d->inner,
                             .inner_count = d->inner_count };
    return plan_close(&in, d->arena, out);
}

/* Would the entry be let go if it were such a record? */
static struct decision
as_if(void *with, uint32_t entry, label_set labels, enum part2_status part2, const struct program *program)
{
    struct document *d        = with;
    struct labeling  labeling = { d->bundle, d->supposed };
    struct labeled   was      = d->supposed[entry];

    d->supposed[entry] = (struct labeled){ .labels = labels, .part2 = part2, .program = program };
    struct arena_mark before = arena_mark(d->arena);
    struct decision   say    = bench_suppose(d->bench, &labeling, entry);
    say.notices        = NULL;                                /* scratch, as all of it */
    say.obligations &= ~(uint32_t)OBLIGE_STATE_NOTICE;
    d->supposed[entry] = was;
    if (say.also_count == 0)                                  /* else the list lies there */
        arena_reset(d->arena, before);
    return say;
}

/* ---- documents inside ---------------------------------------------------------------- */

static enum status
find_inner(struct document *d, struct decision *decisions)
{
    const struct tape *t = d->bundle->tape;
    enum status        st = ST_OK;

    if (d->depth == PLAN_MAX_INNER)
        return ST_OK;
    for (uint32_t e = 0; e < d->bundle->count && st == ST_OK; e++) {
        const struct bundle_entry *b      = &d->bundle->entries[e];
        size_t                     before = d->inner_count;
        if (span_eq_text(b->type, "Bundle")) {
            st = plan_inner(d, e, b->resource, b->entry);
        } else if (span_eq_text(b->type, "Parameters")) {
            for (tape_node n = b->resource + 1; n < tape_after(t, b->resource) && st == ST_OK; n++) {
                if (tape_kind(t, n) != TAPE_OBJECT || !tape_text_eq(t, tape_name(t, n), SPAN("resource")))
                    continue;
                st = plan_inner(d, e, n, d->bundle->parents[n]);
                n  = tape_after(t, n) - 1;
            }
        }
        if (st == ST_OK && d->inner_count > before && d->labeling->of[e].evidence_count > 0 && said_inside(d, e)
            && as_if(d, e, 0, PART2_NOT, NULL).verdict >= VERDICT_REDACT)
            st = open_container(d, &decisions[e], e);
        for (size_t i = before; i < d->inner_count && st == ST_OK && decisions[e].verdict >= VERDICT_REDACT; i++)
            st = carry(d, &decisions[e], d->inner[i].plan);
    }
    return st;
}

/* N2 */
static enum status
carry(struct document *d, struct decision *whole, const struct plan *inner)
{
    for (uint32_t e = 0; e < inner->bundle->count; e++) {
        const struct decision *part = &inner->decisions[e];
        if (part->verdict >= VERDICT_REDACT && !carry_notices(d, whole, part))
            return ST_NO_MEMORY;
        if (part->verdict < VERDICT_REDACT || (part->obligations & OBLIGE_ACCOUNTING) == 0)
            continue;
        if (rule_is_basis(whole->rule) && (whole->obligations & OBLIGE_ACCOUNTING) != 0) {
            if (!decision_join(whole, part, d->arena))
                return ST_NO_MEMORY;
            continue;
        }
        struct decision was = *whole;
        *whole              = *part;
        whole->verdict      = VERDICT_PERMIT;
        whole->limit        = was.limit;                      /* the part has its own */
        whole->obligations |= was.obligations;
        whole->notices      = was.notices;
        whole->as           = NULL;
    }
    return ST_OK;
}

static bool
carry_notices(struct document *d, struct decision *whole, const struct decision *part)
{
    for (const struct state_notice *n = part->notices; n != NULL; n = n->next) {
        const struct state_notice *known = whole->notices;
        while (known != NULL && known->rule != n->rule)
            known = known->next;
        struct state_notice *more = known == NULL ? arena_make(d->arena, struct state_notice) : NULL;
        if (known != NULL)
            continue;
        if (more == NULL)
            return false;
        *more          = (struct state_notice){ n->rule, whole->notices };
        whole->notices = more;
        whole->obligations |= OBLIGE_STATE_NOTICE;
    }
    return true;
}

/* What it is decided as when it is labelled so. */
static struct decision
decide_as(struct document *d, uint32_t entry, const struct labeled *labeled)
{
    struct labeling labeling = { d->bundle, d->supposed };
    struct labeled  was      = d->supposed[entry];

    d->supposed[entry]  = *labeled;
    struct decision say = bench_decide(d->bench, &labeling, entry);
    d->supposed[entry]  = was;
    return say;
}

/* ---- records of a hospital's unit without their source (H-6) --------------------------- */

/* As what any other part of the hospital made. */
static struct decision
without_source(struct document *d, uint32_t entry, const struct labeled *plain)
{
    struct decision say = decide_as(d, entry, plain);

    say.because = arena_join(d->arena, SPAN("a unit of a general hospital made it, it tells of no substance use, and leaves without its source: "), say.because);
    return say;
}

static enum status
leave_source(struct document *d, struct decision *decisions)
{
    for (uint32_t e = 0; e < d->bundle->count; e++) {
        const struct labeled *l = &d->labeling->of[e];
        if (!l->source_only || l->program == NULL || l->other_count > 0 || decisions[e].rule != RULE_NO_CONSENT)
            continue;
        /* Whose patient lets the recipient know of the unit: what leads there would not be cut (C5). */
        if (as_if(d, e, LABEL_BIT(LABEL_SUD), PART2_CONFIRMED, l->program).verdict >= VERDICT_REDACT)
            continue;
        const struct labeled plain = { .labels = LABEL_BIT(LABEL_N), .part2 = PART2_NOT };
        struct decision      say   = without_source(d, e, &plain);
        if (say.verdict < VERDICT_REDACT)
            continue;
        if (!may_open(d))
            return ST_NO_MEMORY;
        d->opened_of[e] = plain;
        decisions[e]    = say;
    }
    return ST_OK;
}

/* K1: a drug of several patients, as part of the records that let it go. */
static enum status
leave_as(struct document *d, const struct decision *decisions)
{
    for (uint32_t e = 0; e < d->bundle->count; e++) {
        if (decisions[e].as == NULL)
            continue;
        if (!may_open(d))
            return ST_NO_MEMORY;
        d->opened_of[e] = *decisions[e].as;
    }
    return ST_OK;
}

/* Labels that may be replaced. */
static bool
may_open(struct document *d)
{
    if (d->opened_of != NULL || (d->opened_of = arena_make_n(d->arena, d->bundle->count, struct labeled)) == NULL)
        return d->opened_of != NULL;
    for (uint32_t e = 0; e < d->bundle->count; e++)
        d->opened_of[e] = d->labeling->of[e];
    d->opened = (struct labeling){ d->bundle, d->opened_of };
    return true;
}

/* N1.  A value beside the documents that the reader may have is a basis of its own; else it is cut. */
static enum status
open_container(struct document *d, struct decision *decision, uint32_t entry)
{
    const struct labeled *was   = &d->labeling->of[entry];
    struct labeled        plain = { .part2 = PART2_NOT };
    label_set             beside = 0;

    for (size_t i = 0; i < was->evidence_count; i++)
        if (inner_at(d, entry, was->evidence[i].node) == NULL)
            beside = label_add(beside, was->evidence[i].label);
    if (beside != 0) {
        plain.labels = beside;
        plain.part2  = d->facts->sender != SENDER_NOT_PROGRAM && labels_meet(beside, labels_substance_use()) ? PART2_SUSPECT : PART2_NOT;
        *decision    = decide_as(d, entry, &plain);
    }
    if (beside == 0 || decision->verdict < VERDICT_REDACT) {
        plain     = (struct labeled){ .part2 = PART2_NOT };
        *decision = decide_as(d, entry, &plain);
        if (decision->rule == RULE_SITE_PERMIT)
            decision->because = SPAN("each resource inside is decided on its own");
    }
    return may_open(d) ? relabel(d, entry, beside) : ST_NO_MEMORY;
}

/* Of the document inside in which the node stands. */
static const struct plan_inner *
inner_at(const struct document *d, uint32_t entry, tape_node node)
{
    for (size_t k = d->inner_count; k > 0 && d->inner[k - 1].entry == entry; k--) {
        tape_node from = d->inner[k - 1].offset + TAPE_ROOT;
        if (node >= from && node < tape_after(d->bundle->tape, from))
            return &d->inner[k - 1];
    }
    return NULL;
}

/* Whether the part of it that holds the node leaves. */
static bool
leaves(const struct plan_inner *inner, tape_node node)
{
    uint32_t part = bundle_entry_of(inner->plan->bundle, node - inner->offset);

    return part != ENTRY_NONE && inner->plan->decisions[part].verdict >= VERDICT_REDACT;
}

static bool
add_program(const struct program **list, size_t *count, const struct document *d, const struct plan_inner *inner,
            const struct program *p)
{
    size_t i = 0;

    if (p != NULL && p >= inner->facts->programs && p < inner->facts->programs + d->facts->program_count)
        p = &d->facts->programs[p - inner->facts->programs];
    while (i < *count && list[i] != p)
        i++;
    if (p == NULL || i < *count)
        return false;
    list[(*count)++] = p;
    return true;
}

/* Whose records the parts are that leave. */
static enum status
gather_programs(struct document *d, uint32_t entry, struct labeled *l)
{
    size_t                 most = d->facts->program_count, count = 0;
    const struct program **all, **ties;

    for (size_t k = d->inner_count; k > 0 && d->inner[k - 1].entry == entry; k--)
        for (uint32_t e = 0; e < d->inner[k - 1].plan->bundle->count; e++)
            most += (d->inner[k - 1].labeling->of[e].program != NULL) + d->inner[k - 1].labeling->of[e].other_count;
    all  = arena_make_n(d->arena, most + 1, const struct program *);
    ties = arena_make_n(d->arena, most + 1, const struct program *);
    if (all == NULL || ties == NULL)
        return ST_NO_MEMORY;
    for (size_t k = d->inner_count; k > 0 && d->inner[k - 1].entry == entry; k--) {
        const struct plan_inner *inner = &d->inner[k - 1];
        for (uint32_t e = 0; e < inner->plan->bundle->count; e++) {
            const struct labeled *part = &inner->labeling->of[e];
            if (inner->plan->decisions[e].verdict < VERDICT_REDACT || part->directory)
                continue;
            l->labels |= part->labels;
            for (size_t i = 0; i <= part->other_count; i++)
                (void)add_program(all, &count, d, inner, labeled_program(part, i));
            for (size_t i = 0; i < part->tie_count && l->tie_count < most; i++)
                (void)add_program(ties, &l->tie_count, d, inner, part->ties[i]);
        }
    }
    l->ties        = ties;
    l->program     = count > 0 ? all[0] : NULL;
    l->others      = all + 1;
    l->other_count = count > 0 ? count - 1 : 0;
    return ST_OK;
}

/* It is labelled by what of it leaves; values beside that are mentions. */
static enum status
relabel(struct document *d, uint32_t entry, label_set beside)
{
    const struct labeled *was      = &d->labeling->of[entry];
    struct mention       *mentions = arena_make_n(d->arena, was->evidence_count, struct mention);
    struct evidence      *evidence = arena_make_n(d->arena, was->evidence_count, struct evidence);
    struct labeled       *l        = &d->opened_of[entry];

    if (mentions == NULL || evidence == NULL)
        return ST_NO_MEMORY;
    *l = (struct labeled){ .labels = beside, .part2 = PART2_NOT, .mentions = mentions, .evidence = evidence };
    for (size_t i = 0; i < was->evidence_count; i++) {
        const struct plan_inner *inner = inner_at(d, entry, was->evidence[i].node);
        if (inner == NULL)
            mentions[l->mention_count++] = (struct mention){ was->evidence[i].label, was->evidence[i].node };
        else if (leaves(inner, was->evidence[i].node))
            evidence[l->evidence_count++] = was->evidence[i];
    }
    return gather_programs(d, entry, l);
}

/* Whether what labelling found in the entry stands inside its inner documents,
 * or in a value beside them, which may be cut. */
static bool
said_inside(const struct document *d, uint32_t entry)
{
    const struct labeled *l = &d->labeling->of[entry];

    for (size_t i = 0; i < l->evidence_count; i++) {
        const struct evidence *v = &l->evidence[i];
        const struct plan_inner *inner = inner_at(d, entry, v->node);
        bool value = label_kind(v->label) == LABEL_SENSITIVITY && tape_kind(d->bundle->tape, v->node) == TAPE_STRING;
        if (inner == NULL ? !value : strcmp(v->rule, "P1") == 0 && bundle_entry_of(inner->plan->bundle, v->node - inner->offset) == ENTRY_NONE)
            return false;                /* of the Bundle inside, and not of what is in it: its fullUrl, its meta.source */
    }
    return d->facts->sender != SENDER_PROGRAM;
}

/* Names of the directory entries of one program; NULL: of those of several. */
static size_t
name_entries(const struct document *d, const struct program *of, struct span *names)
{
    size_t n = 0;

    for (uint32_t e = 0; e < d->bundle->count; e++) {
        const struct bundle_entry *b = &d->bundle->entries[e];
        const struct labeled      *l = &d->labeling->of[e];
        if (!l->directory || (l->other_count > 0 ? of != NULL : l->program != of || of == NULL))
            continue;
        if (!span_empty(b->id))
            names[n++] = arena_format(d->arena, "%.*s/%.*s", SPAN_PRINT(b->type), SPAN_PRINT(b->id));
        if (!span_empty(b->full_url))
            names[n++] = b->full_url;
    }
    return n;
}

/* What the outer document knows of the programs: its entries that are theirs are named by Type/id and fullUrl.
 * A name is one program's; those of entries of several are a program's of their own, which no consent
 * speaks for by name: what leads there is of all of them, and leaves where nobody's name is asked. */
static const struct facts *
facts_inside(struct document *d)
{
    const struct facts *f     = d->facts;
    size_t              count = 0;

    for (uint32_t e = 0; e < d->bundle->count; e++)
        count += d->labeling->of[e].directory;
    if (count == 0 || d->inside != NULL)
        return d->inside != NULL ? d->inside : f;
    struct facts   *inside   = arena_make(d->arena, struct facts);
    struct program *programs = arena_make_n(d->arena, f->program_count + 1, struct program);
    if (inside == NULL || programs == NULL)
        return f;
    *inside          = *f;
    inside->programs = programs;
    for (size_t p = 0; p <= f->program_count; p++) {
        const struct program *of    = p < f->program_count ? &f->programs[p] : NULL;
        size_t                own   = of != NULL ? of->reference_count : 0;
        struct span          *names = arena_make_n(d->arena, own + 2 * count, struct span);
        if (names == NULL)
            return f;
        for (size_t i = 0; i < own; i++)
            names[i] = of->references[i];
        programs[p]                 = of != NULL ? *of : (struct program){ .holds_out = true, .assisted = true };
        programs[p].reference_count = own + name_entries(d, of, names + own);
        programs[p].references      = names;
    }
    inside->program_count += programs[f->program_count].reference_count > 0;
    return d->inside = inside;
}

static const struct program *
inner_program(const struct document *outer, const struct document *inner, const struct program *p)
{
    const struct program *registered = outer->facts->programs;

    return p >= registered && p < registered + outer->facts->program_count ? &inner->facts->programs[p - registered] : p;
}

/* What labelling found out about the inner resources from what stands around
 * them (a reference to a program that is an entry outside) holds inside, too. */
static enum status
inherit(const struct document *outer, uint32_t entry, tape_node offset, struct document *inner)
{
    const struct labeled *l  = &outer->labeling->of[entry];
    struct labeled       *of = arena_make_n(inner->arena, inner->bundle->count, struct labeled);
    struct labeling      *labeling = arena_make(inner->arena, struct labeling);

    if (of == NULL || labeling == NULL)
        return ST_NO_MEMORY;
    for (uint32_t e = 0; e < inner->bundle->count; e++)
        of[e] = inner->labeling->of[e];
    for (size_t i = 0; i < l->evidence_count; i++) {
        const struct evidence *v = &l->evidence[i];
        if (v->label != LABEL_PART2 || v->node <= offset || v->node - offset > tape_count(inner->bundle->tape))
            continue;
        uint32_t e = bundle_entry_of(inner->bundle, v->node - offset);
        if (e == ENTRY_NONE || of[e].part2 == PART2_CONFIRMED)
            continue;
        of[e].part2   = PART2_CONFIRMED;
        of[e].labels  = label_add(label_add(of[e].labels, LABEL_PART2), LABEL_SUD);
        of[e].program = inner_program(outer, inner, l->program);
    }
    *labeling       = (struct labeling){ inner->bundle, of };
    inner->labeling = labeling;
    return ST_OK;
}

static bool
add_inner(struct document *d, const struct plan_inner *inner)
{
    struct plan_inner *more = arena_more(d->arena, d->inner, d->inner_count, &d->inner_room, sizeof *more);

    if (more == NULL)
        return false;
    d->inner = more;
    d->inner[d->inner_count++] = *inner;
    return true;
}

static enum status
plan_inner(struct document *outer, uint32_t entry, tape_node resource, tape_node whole)
{
    struct document    d = { .policy = outer->policy, .facts = facts_inside(outer), .arena = outer->arena,
                             .depth = outer->depth + 1 };
    const struct tape *tape;
    const struct plan *plan;
    struct issues     *issues = issues_new(d.arena, 4);
    enum status        st     = issues == NULL ? ST_NO_MEMORY
                                               : tape_read(tape_extent(outer->bundle->tape, resource),
                                                           &tape_default_limits, d.arena, &tape, NULL);

    if (st == ST_OK)
        st = bundle_read(tape, d.arena, issues, &d.bundle);
    if (st == ST_MALFORMED || st == ST_TOO_LARGE)
        return ST_OK;                                         /* not to be walked: it stands or falls whole */
    if (st == ST_OK)
        st = references_read(d.bundle, d.arena, &d.references);
    if (st == ST_OK)
        st = label_bundle(d.bundle, d.references, d.facts, d.arena, &d.labeling);
    if (st == ST_OK)
        st = inherit(outer, entry, resource - TAPE_ROOT, &d);
    if (st == ST_OK)
        st = plan_one(&d, &plan);
    if (st != ST_OK)
        return st;
    if (whole == TAPE_ABSENT)
        whole = resource;
    struct plan_inner inner = { .entry    = entry,
                                .offset   = resource - TAPE_ROOT,
                                .node     = whole,
                                .plan     = plan,
                                .labeling = d.labeling,
                                .facts    = d.facts };
    return add_inner(outer, &inner) ? ST_OK : ST_NO_MEMORY;
}
