#include "consent/explain.h"

#include "consent/obligation.h"
#include "consent/provision.h"
#include "consent/state_pack.h"
#include "fhir/path.h"

static void        author_resource(const struct release *, uint32_t entry, struct arena *, author_value list);
static void        author_state(const struct decision *, author_value resource);
static void        author_labels(const struct labeled *, author_value list);
static void        author_cut(const struct release *, const struct plan_cut *, struct arena *, author_value list);
static bool        belongs(const struct release *, const struct plan_cut *, uint32_t entry);
static struct span path_to(const struct release *, uint32_t entry, struct arena *);
static struct span path_in(const struct release *, tape_node, struct arena *);
static void        print_resource(const struct release *, uint32_t entry, struct arena *, struct buf *);
static void        print_cut(const struct release *, const struct plan_cut *, struct arena *, struct buf *);

#define OBLIGATION_BITS 9

enum status
explain_json(const struct release *r, struct arena *arena, struct buf *out, enum author_form form)
{
    struct author *a = author_new();
    if (a == NULL)
        return ST_NO_MEMORY;
    author_value root = author_object(a);

    author_add_cstr(root, "decision", release_outcome_text(r->outcome));
    author_value list = author_add_array(root, "resources");
    for (uint32_t e = 0; e < r->bundle->count; e++)
        author_resource(r, e, arena, list);
    list = author_add_array(root, "obligations");
    for (unsigned bit = 0; bit < OBLIGATION_BITS; bit++) {
        if ((r->obligations & 1u << bit) == 0)
            continue;
        author_value one = author_add_object(list, NULL);
        author_add_cstr(one, "code", obligation_code((enum obligation)(1u << bit)));
        author_add_cstr(one, "text", obligation_text((enum obligation)(1u << bit)));
    }
    list = author_add_array(root, "alsoRemoved");
    for (size_t i = 0; i < r->plan->cut_count; i++)
        if (belongs(r, &r->plan->cuts[i], ENTRY_NONE))
            author_cut(r, &r->plan->cuts[i], arena, list);
    if (!span_empty(r->leak))
        author_add_text(root, "held", r->leak);

    enum status st = arena_spent(arena) ? ST_NO_MEMORY : author_print(a, out, form);
    author_free(&a);
    return st;
}

static void
author_resource(const struct release *r, uint32_t entry, struct arena *arena, author_value list)
{
    const struct bundle_entry *e   = &r->bundle->entries[entry];
    const struct decision     *d   = &r->plan->decisions[entry];
    author_value               one = author_add_object(list, NULL);

    author_add_text(one, "path", path_to(r, entry, arena));
    author_add_text(one, "type", e->type);
    author_add_text(one, "id", e->id);
    author_labels(&r->labeling->of[entry], author_add_array(one, "labels"));
    author_add_cstr(one, "part2", part2_text(r->labeling->of[entry].part2));
    author_add_cstr(one, "verdict", verdict_text(d->verdict));
    author_add_cstr(one, "rule", rule_number(d->rule));
    author_add_cstr(one, "citation", rule_citation(d->rule));
    if (d->consent != NULL)
        author_add_text(one, "consent", consent_reference(d->consent));
    else
        author_add_null(one, "consent");
    if (d->provision != NULL)
        author_add_text(one, "provision", provision_path(d->provision, arena));
    else
        author_add_null(one, "provision");
    author_add_text(one, "because", d->because);
    author_value cuts = author_add_array(one, "alsoRemoved");
    for (size_t i = 0; i < r->plan->cut_count; i++)
        if (belongs(r, &r->plan->cuts[i], entry))
            author_cut(r, &r->plan->cuts[i], arena, cuts);
    if (!span_empty(decision_paper(d, NULL)))
        author_add_text(one, "document", decision_paper(d, NULL));
    else
        author_add_null(one, "document");
    if (d->limit != LIMIT_NONE)
        author_add_cstr(one, "limit", limit_words(d->limit));
    else
        author_add_null(one, "limit");
    author_add_bool(one, "silent", d->verdict == VERDICT_DENY);
    author_state(d, one);
}

static void
author_state(const struct decision *d, author_value one)
{
    if (d->state == NULL) {
        author_add_null(one, "pack");
        return;
    }
    author_value pack = author_add_object(one, "pack");
    author_add_text(pack, "id", d->state->pack->id);
    author_add_text(pack, "version", d->state->pack->version);
    author_add_text(pack, "rule", d->state->id);
    author_add_text(pack, "citation", d->state->citation);
}

static void
author_labels(const struct labeled *l, author_value list)
{
    const char *codes[LABEL_COUNT];
    size_t      count = labels_codes(l->labels, codes, LABEL_COUNT);

    for (size_t i = 0; i < count; i++)
        author_add_cstr(list, NULL, codes[i]);
    for (size_t i = 0; i < l->foreign_count; i++)
        author_add_text(list, NULL, l->foreign[i].code);
}

static void
author_cut(const struct release *r, const struct plan_cut *cut, struct arena *arena, author_value list)
{
    author_value one = author_add_object(list, NULL);

    author_add_text(one, "path", path_in(r, cut->node, arena));
    author_add_text(one, "because", arena_format(arena, "%s: %.*s", cut->rule, SPAN_PRINT(cut->because)));
}

/* A cut is listed once: with the withheld resource that caused it, else with
 * the one that holds it, else with the Bundle. */
static bool
belongs(const struct release *r, const struct plan_cut *cut, uint32_t entry)
{
    uint32_t owner = cut->cause != ENTRY_NONE ? cut->cause : cut->entry;

    /* That a withheld resource goes is its verdict. */
    if (owner == cut->entry && owner != ENTRY_NONE && r->plan->decisions[owner].verdict <= VERDICT_HOLD
        && (cut->node == r->bundle->entries[owner].entry || cut->node == r->bundle->entries[owner].resource))
        return false;
    return owner == entry;
}

static struct span
path_to(const struct release *r, uint32_t entry, struct arena *arena)
{
    const struct bundle_entry *e = &r->bundle->entries[entry];

    return path_in(r, e->resource != TAPE_ABSENT ? e->resource : e->entry, arena);
}

static struct span
path_in(const struct release *r, tape_node node, struct arena *arena)
{
    return path_of(r->bundle->tape, r->bundle->parents, node, arena);
}

/* ---- as text ----------------------------------------------------------------------- */

enum status
explain_text(const struct release *r, struct arena *arena, struct buf *out)
{
    buf_add_format(out, "decision: %s\n", release_outcome_text(r->outcome));
    if (!span_empty(r->leak))
        buf_add_format(out, "held by the last check: %.*s\n", SPAN_PRINT(r->leak));
    for (uint32_t e = 0; e < r->bundle->count; e++)
        print_resource(r, e, arena, out);
    for (size_t i = 0; i < r->plan->cut_count; i++)
        if (belongs(r, &r->plan->cuts[i], ENTRY_NONE))
            print_cut(r, &r->plan->cuts[i], arena, out);
    if (r->obligations != 0)
        buf_add_text(out, "\nobligations:\n");
    for (unsigned bit = 0; bit < OBLIGATION_BITS; bit++)
        if ((r->obligations & 1u << bit) != 0)
            buf_add_format(out, "  %s: %s\n", obligation_code((enum obligation)(1u << bit)),
                           obligation_text((enum obligation)(1u << bit)));
    return arena_spent(arena) ? ST_NO_MEMORY : buf_status(out);
}

static void
print_resource(const struct release *r, uint32_t entry, struct arena *arena, struct buf *out)
{
    const struct bundle_entry *e = &r->bundle->entries[entry];
    const struct decision     *d = &r->plan->decisions[entry];
    const struct labeled      *l = &r->labeling->of[entry];
    const char                *codes[LABEL_COUNT];
    size_t                     count = labels_codes(l->labels, codes, LABEL_COUNT);
    struct span                path  = path_to(r, entry, arena);

    buf_add_format(out, "\n%.*s  %.*s%s%.*s\n  labels:", SPAN_PRINT(path), SPAN_PRINT(e->type),
                   span_empty(e->id) ? "" : "/", SPAN_PRINT(e->id));
    for (size_t i = 0; i < count; i++)
        buf_add_format(out, " %s", codes[i]);
    for (size_t i = 0; i < l->foreign_count; i++)
        buf_add_format(out, " %.*s", SPAN_PRINT(l->foreign[i].code));
    buf_add_format(out, "%s   part 2: %s\n", count + l->foreign_count == 0 ? " none" : "", part2_text(l->part2));
    buf_add_format(out, "  %s, %s (%s): %s\n", verdict_text(d->verdict), rule_number(d->rule), rule_citation(d->rule),
                   rule_words(d->rule));
    if (d->consent != NULL) {
        struct span reference = consent_reference(d->consent);
        struct span provision = d->provision != NULL ? provision_path(d->provision, arena) : SPAN("policyRule");
        buf_add_format(out, "  by %.*s, %.*s\n", SPAN_PRINT(reference), SPAN_PRINT(provision));
    }
    if (d->document != NULL)
        buf_add_format(out, "  by document %.*s, %s (%s)\n", SPAN_PRINT(d->document->id),
                       instrument_code(d->document->kind), instrument_citation(d->document->kind));
    else if (!span_empty(decision_paper(d, NULL)))
        buf_add_format(out, "  by %s %.*s on file\n", d->emergency != NULL ? "emergency" : "restriction",
                       SPAN_PRINT(decision_paper(d, NULL)));
    if (d->limit != LIMIT_NONE)
        buf_add_format(out, "  of it %s\n", limit_words(d->limit));
    buf_add_format(out, "  because %.*s\n", SPAN_PRINT(d->because));
    for (size_t i = 0; i < r->plan->cut_count; i++)
        if (belongs(r, &r->plan->cuts[i], entry))
            print_cut(r, &r->plan->cuts[i], arena, out);
}

static void
print_cut(const struct release *r, const struct plan_cut *cut, struct arena *arena, struct buf *out)
{
    struct span path = path_in(r, cut->node, arena);

    buf_add_format(out, "  also removed, %s: %.*s: %.*s\n", cut->rule, SPAN_PRINT(path), SPAN_PRINT(cut->because));
}
