/* consent/plan_orphan.c -- what was brought along for what is withheld (C3, P6).
 *
 * A supporting resource (Medication, Specimen, Practitioner …) goes when a
 * withheld resource, or an element that was cut, points at it and nothing that
 * stays does, directly or through others.  One that nobody points at stays:
 * the twin has it.  Resources that stand on their own (an Observation, an Encounter) are
 * not brought along; only the members and results of a Part 2 report are.
 * A record of a program, or of another time that names it, points at the program's Organization,
 * also where its reference leads elsewhere (labeling.h, ties); at a Location or a role where it says so, or where
 * nothing in the Bundle points at that.
 * So do words and URLs that lead to the program, once they are cut.
 * Who names a definition by its URL points at every one of that URL (canonical.h).
 *
 * Reachability, not counting: Organization and Endpoint may point at each
 * other.  Linear in references.
 */
#include "consent/plan_evidence.h"

#include <string.h>

#include "consent/canonical.h"

struct reach {
    struct closure *w;
    bool        *brought;                /* reachable from what goes                 */
    bool        *live;                   /* reachable from what stays on its own     */
    uint32_t    *stack;
    uint32_t     depth;
    bool        *met;                    /* by group of w->canonicals                */
    bool        *known;                  /* by position in w->organizations; NULL without it */
};

static bool supporting(const struct closure *, uint32_t entry);
static bool know_support(struct closure *);
static bool know_organizations(struct closure *);
static void push_organizations(struct reach *, bool *set, uint32_t entry);
static bool part_of_report(const struct closure *, const struct reference *);
static void push_named(struct reach *, bool *set, uint32_t entry, bool gone);
static bool find_brought(struct reach *);
static void find_live(struct reach *);
static void push(struct reach *, bool *set, uint32_t entry);
static void contained_orphans(struct closure *, uint32_t entry);
static void only_about(struct closure *, uint32_t entry);

void
orphans_withhold(struct closure *w)
{
    uint32_t count  = w->bundle->count;
    bool     reason = false;

    for (uint32_t e = 0; e < count; e++)
        reason = reason || w->withheld[e] || w->touched[e];
    if (!reason)
        return;
    if (w->support == NULL && (!know_support(w) || !know_organizations(w))) {
        w->spent = true;
        return;
    }
    for (uint32_t e = 0; e < count; e++)
        if (!w->withheld[e] && w->touched[e]) {
            contained_orphans(w, e);
            only_about(w, e);
        }
    closure_drain(w);
    struct arena_mark before = arena_mark(w->arena);
    struct reach      r      = { .w       = w,
                                 .brought = arena_make_n(w->arena, count, bool),
                                 .live    = arena_make_n(w->arena, count, bool),
                                 .stack   = arena_make_n(w->arena, count, uint32_t),
                                 .met     = arena_make_n(w->arena, count, bool),
                                 .known   = w->organizations == NULL ? NULL
                                            : arena_make_n(w->arena, lookup_count(w->organizations), bool) };
    if (arena_spent(w->arena)) {
        w->spent = true;
        return;
    }
    uint32_t gone = 0;
    bool     some = find_brought(&r);
    if (some)
        find_live(&r);
    for (uint32_t e = 0; e < count && some; e++)
        if (r.brought[e] && !r.live[e] && !w->withheld[e])
            r.stack[gone++] = e;
    struct why why = { "C3", ENTRY_NONE, "only what is withheld points at it" };
    bool any = gone > 0;
    for (uint32_t i = 0; i < gone; i++)
        closure_withhold(w, r.stack[i], why);
    if (!any)
        arena_reset(w->arena, before);
    closure_drain(w);
}

static bool
supporting(const struct closure *w, uint32_t entry)
{
    return w->support[entry];
}

static const char *const supporting_types[] = {
    "Account", "ActivityDefinition", "Binary", "BodyStructure", "CareTeam", "ChargeItemDefinition",
    "Contract", "Coverage", "Device", "DeviceDefinition", "DeviceMetric", "Endpoint", "EpisodeOfCare", "Goal",
    "Group", "HealthcareService", "InsurancePlan", "Library", "Location", "Measure", "Media", "Medication",
    "MedicationKnowledge", "Organization", "OrganizationAffiliation", "PlanDefinition", "Practitioner",
    "PractitionerRole", "Questionnaire", "RelatedPerson", "ResearchStudy", "Schedule", "Slot", "Specimen",
    "Substance", "SubstanceSpecification", NULL };

/* Bits of the types' first letters, by length: an Observation has none of both. */
enum { TYPE_LENGTHS = 32 };

static bool
know_support(struct closure *w)
{
    uint32_t initials[TYPE_LENGTHS] = { 0 };

    w->support = arena_make_n(w->arena, w->bundle->count, bool);
    for (const char *const *type = supporting_types; *type != NULL; type++)
        initials[strlen(*type) % TYPE_LENGTHS] |= (uint32_t)1 << (**type & 31);
    for (uint32_t e = 0; w->support != NULL && e < w->bundle->count; e++) {
        struct span type = w->bundle->entries[e].type;
        if (type.length > 0 && initials[type.length % TYPE_LENGTHS] >> (type.at[0] & 31) & 1)
            w->support[e] = span_in(type, supporting_types);
    }
    return w->support != NULL;
}

/* Of a program, or of what was one (program.h T8).  What nothing points at was brought by whatever is the program's. */
static bool
stands_for_program(const struct closure *w, uint32_t e)
{
    const struct labeled *l      = &w->in->labeling->of[e];
    bool                  former = false;

    for (size_t i = 0; i < l->apart_count; i++)
        former |= l->apart[i].node == w->bundle->entries[e].resource;
    return (l->directory || former) && (span_eq_text(w->bundle->entries[e].type, "Organization")
                                        || references_to(w->in->references, e) == 0);
}

/* Words or a URL that lead to the program are cut: they point at its Organization as a reference does. */
static bool
is_told_of(const struct closure *w, uint32_t e)
{
    const struct labeled *l    = &w->in->labeling->of[e];
    bool                  told = false;

    for (size_t i = 0; i <= l->other_count && l->directory && !told; i++) {
        uint32_t program = evidence_program_index(w->in->facts, labeled_program(l, i));
        told             = program != ENTRY_NONE && w->told[program];
    }
    return told && stands_for_program(w, e);
}

static struct span
key_of_program(const struct program *const *tie)
{
    return span_from((const char *)tie, sizeof *tie);
}

/* By each of its programs. */
static bool
know_organizations(struct closure *w)
{
    struct lookup_item *items = NULL;
    size_t              most  = 0;
    uint32_t            count = 0;

    for (uint32_t e = 0; e < w->bundle->count; e++)
        most += stands_for_program(w, e) ? w->in->labeling->of[e].tie_count : 0;
    if (most > 0 && (items = arena_make_n(w->arena, most, struct lookup_item)) == NULL)
        return false;
    for (uint32_t e = 0; e < w->bundle->count && most > 0; e++) {
        const struct labeled *l = &w->in->labeling->of[e];
        for (size_t i = 0; i < l->tie_count && stands_for_program(w, e); i++)
            items[count++] = (struct lookup_item){ .key = key_of_program(&l->ties[i]), .value = e };
    }
    w->organizations = count > 0 ? lookup_build(items, count, w->arena) : NULL;
    return !arena_spent(w->arena);
}

static void
push_organizations(struct reach *r, bool *set, uint32_t entry)
{
    const struct closure *w = r->w;
    const struct labeled *l = &w->in->labeling->of[entry];

    if (w->organizations == NULL || l->directory || stands_for_program(w, entry))
        return;
    for (size_t i = 0; i < l->tie_count; i++) {
        uint32_t at = lookup_find(w->organizations, key_of_program(&l->ties[i]));
        if (at == LOOKUP_NONE || r->known[at])
            continue;
        r->known[at] = true;
        for (; at != LOOKUP_NONE; at = lookup_next(w->organizations, at))
            if (!w->withheld[lookup_value(w->organizations, at)])
                push(r, set, lookup_value(w->organizations, at));
    }
}

/* Definitions that it names where that is gone, or is not; each group once for all who name it: linear, however
 * many definitions share a URL. */
static void
push_named(struct reach *r, bool *set, uint32_t entry, bool gone)
{
    const struct canonicals *c = r->w->canonicals;

    for (uint32_t i = c != NULL ? c->first_from[entry] : 0; c != NULL && i < c->first_from[entry + 1]; i++) {
        uint32_t at = c->all[i].group;
        if (r->met[at] || closure_gone(r->w, c->all[i].node) != gone)
            continue;
        r->met[at] = true;
        for (; at != LOOKUP_NONE; at = lookup_next(c->definitions, at))
            if (!r->w->withheld[lookup_value(c->definitions, at)])
                push(r, set, lookup_value(c->definitions, at));
    }
}

/* Results and members of a protected report: parts of it, without a life of
 * their own (P4). */
static bool
part_of_report(const struct closure *w, const struct reference *r)
{
    if (r->from == ENTRY_NONE || w->in->labeling->of[r->from].part2 == PART2_NOT || !w->first[r->from])
        return false;
    return closure_in(w, r->node, SPAN("result")) || closure_in(w, r->node, SPAN("hasMember"));
}

static void
push(struct reach *r, bool *set, uint32_t entry)
{
    if (!set[entry]) {
        set[entry]             = true;
        r->stack[r->depth++] = entry;
    }
}

/* Whether there are any. */
static bool
find_brought(struct reach *r)
{
    const struct references *refs = r->w->in->references;

    for (uint32_t i = 0; i < refs->count; i++) {
        const struct reference *ref = &refs->all[i];
        if (ref->to == ENTRY_NONE || r->w->withheld[ref->to] || ref->to == ref->from)
            continue;
        if ((supporting(r->w, ref->to) || part_of_report(r->w, ref)) && closure_gone(r->w, ref->node))
            push(r, r->brought, ref->to);
    }
    for (uint32_t e = 0; r->w->canonicals != NULL && e < r->w->bundle->count; e++)
        push_named(r, r->brought, e, true);
    for (uint32_t e = 0; r->w->organizations != NULL && e < r->w->bundle->count; e++)
        if (r->w->withheld[e])
            push_organizations(r, r->brought, e);
        else if (is_told_of(r->w, e))
            push(r, r->brought, e);
    bool some = r->depth > 0;
    while (r->depth > 0) {
        uint32_t from = r->stack[--r->depth], first, count = references_from(refs, from, &first);
        push_named(r, r->brought, from, false);
        for (uint32_t i = first; i < first + count; i++) {
            uint32_t to = refs->all[i].to;
            if (to != ENTRY_NONE && !r->w->withheld[to] && supporting(r->w, to))
                push(r, r->brought, to);
        }
    }
    return some;
}

static void
find_live(struct reach *r)
{
    const struct references *refs = r->w->in->references;

    for (uint32_t e = 0; e < r->w->bundle->count; e++)
        if (!r->w->withheld[e] && !r->brought[e])
            push(r, r->live, e);
    memset(r->met, 0, r->w->bundle->count * sizeof *r->met);
    if (r->known != NULL)
        memset(r->known, 0, lookup_count(r->w->organizations) * sizeof *r->known);
    while (r->depth > 0) {
        uint32_t from = r->stack[--r->depth];
        uint32_t first, count = references_from(refs, from, &first);
        push_named(r, r->live, from, false);
        push_organizations(r, r->live, from);
        for (uint32_t i = first; i < first + count; i++) {
            uint32_t to = refs->all[i].to;
            if (to != ENTRY_NONE && !r->w->withheld[to] && !closure_gone(r->w, refs->all[i].node))
                push(r, r->live, to);
        }
    }
}

/* ---- contained resources ------------------------------------------------------------- */

/* First reference of the range that stands inside or behind the node: they are
 * in document order. */
static uint32_t
reference_from(const struct references *refs, uint32_t first, uint32_t end, tape_node node)
{
    while (first < end) {
        uint32_t middle = first + (end - first) / 2;
        if (refs->all[middle].node < node)
            first = middle + 1;
        else
            end = middle;
    }
    return first;
}

static bool
to_contained(const struct closure *w, const struct reference *r)
{
    return r->form == REFERENCE_CONTAINED && r->to_contained != TAPE_ABSENT && !closure_gone(w, r->to_contained);
}

/* Follows references out of contained resources on the stack. */
static void
spread(struct closure *w, tape_node *stack, uint32_t depth, uint32_t first, uint32_t end, enum closure_mark mark)
{
    const struct references *refs = w->in->references;

    while (depth > 0) {
        tape_node at = stack[--depth];
        for (uint32_t i = reference_from(refs, first, end, at);
             i < end && refs->all[i].node < tape_after(w->tape, at); i++) {
            const struct reference *r = &refs->all[i];
            bool open = mark == MARK_BROUGHT || !closure_gone(w, r->node);
            if (open && to_contained(w, r) && !(w->mark[r->to_contained] & mark)) {
                w->mark[r->to_contained] |= (uint8_t)mark;
                stack[depth++] = r->to_contained;
            }
        }
    }
}

/* Those that something cut pointed at and nothing that stays does.  R4 dom-3:
 * a contained resource is there to be referred to. */
static void
contained_orphans(struct closure *w, uint32_t entry)
{
    const struct references *refs = w->in->references;
    uint32_t                 first, count = references_from(refs, entry, &first);
    uint32_t                 end = first + count, depth = 0;
    tape_node               *stack = NULL;

    for (uint32_t i = first; i < end; i++) {
        const struct reference *r = &refs->all[i];
        if (!to_contained(w, r) || !closure_gone(w, r->node) || (w->mark[r->to_contained] & MARK_BROUGHT))
            continue;
        if (stack == NULL)
            stack = arena_make_n(w->arena, count + 1, tape_node);
        if (stack == NULL) {
            w->spent = true;
            return;
        }
        w->mark[r->to_contained] |= MARK_BROUGHT;
        stack[depth++] = r->to_contained;
    }
    if (stack == NULL)
        return;
    spread(w, stack, depth, first, end, MARK_BROUGHT);
    depth = 0;
    for (uint32_t i = first; i < end; i++) {
        const struct reference *r = &refs->all[i];
        if (to_contained(w, r) && !closure_gone(w, r->node) && !(w->mark[r->from_resource] & MARK_BROUGHT)
            && !(w->mark[r->to_contained] & MARK_LIVE)) {
            w->mark[r->to_contained] |= MARK_LIVE;
            stack[depth++] = r->to_contained;
        }
    }
    spread(w, stack, depth, first, end, MARK_LIVE);
    for (uint32_t i = first; i < end; i++) {
        tape_node to = refs->all[i].to_contained;
        if (to_contained(w, &refs->all[i]) && (w->mark[to] & MARK_BROUGHT) && !(w->mark[to] & MARK_LIVE))
            closure_cut(w, to, (struct why){ "C3", ENTRY_NONE, "only what was cut points at it" });
    }
    for (uint32_t i = first; i < end; i++)
        if (refs->all[i].to_contained != TAPE_ABSENT)
            w->mark[refs->all[i].to_contained] &= (uint8_t)~(MARK_BROUGHT | MARK_LIVE);
}

/* ---- resources about what is withheld (P6) --------------------------------------------- */

static bool
about_patient(const struct closure *w, const struct reference *r)
{
    return span_eq_text(r->type, "Patient")
           || (r->to != ENTRY_NONE && span_eq_text(w->bundle->entries[r->to].type, "Patient"));
}

/* An AuditEvent that lost an entity and tells of nothing else but the patient. */
static void
only_about(struct closure *w, uint32_t entry)
{
    tape_node resource = w->bundle->entries[entry].resource;
    bool      lost     = false;

    if (!span_eq_text(w->bundle->entries[entry].type, "AuditEvent"))
        return;
    tape_node entities = tape_member(w->tape, resource, SPAN("entity"));
    for (tape_node n = tape_first(w->tape, entities); n != TAPE_ABSENT; n = tape_next(w->tape, n)) {
        const struct reference *what = references_find(w->in->references,
                                                       tape_member(w->tape, n, SPAN("what")));
        if (closure_gone(w, n))
            lost = true;
        else if (what == NULL || !about_patient(w, what))
            return;
    }
    if (lost)
        closure_withhold(w, entry, (struct why){ "P6", ENTRY_NONE, "it is about what is withheld" });
}
