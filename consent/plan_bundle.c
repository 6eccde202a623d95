/* consent/plan_bundle.c -- what counts, sums up or signs what is no longer there (C8).
 *
 * Works on what the other steps cut; a Bundle of which nothing goes is not
 * touched.
 */
#include "consent/plan_evidence.h"

static void close_signatures(struct closure *);
static void close_links(struct closure *);
static void close_labels(struct closure *);
static void close_groups(struct closure *);

static bool
changed(const struct closure *w)
{
    for (uint32_t e = 0; e < w->bundle->count; e++)
        if (w->withheld[e] || w->touched[e]
            || (w->decisions[e].verdict == VERDICT_REDACT && w->in->first[e].verdict < VERDICT_REDACT))
            return true;
    return w->cut_count > 0;
}

void
bundle_close(struct closure *w)
{
    if (!changed(w))
        return;
    close_groups(w);
    close_links(w);
    close_labels(w);
    close_signatures(w);
}

static const struct why C8 = { "C8", ENTRY_NONE, "it sums up what was sent, and not all of it leaves" };

/* ---- signatures ---------------------------------------------------------------------- */

/* A signature over other bytes verifies nothing and shows that bytes went. */
static void
close_signatures(struct closure *w)
{
    const struct references *refs = w->in->references;

    if (w->bundle->type != BUNDLE_SINGLE)
        closure_cut(w, tape_member(w->tape, w->bundle->root, SPAN("signature")), C8);
    for (uint32_t e = 0; e < w->bundle->count; e++) {
        tape_node resource = w->bundle->entries[e].resource;
        if (w->withheld[e] || !span_eq_text(w->bundle->entries[e].type, "Provenance"))
            continue;
        tape_node signature = tape_member(w->tape, resource, SPAN("signature"));
        tape_node target    = tape_member(w->tape, resource, SPAN("target"));
        uint32_t  first, count = signature == TAPE_ABSENT ? 0 : references_from(refs, e, &first);
        bool      dead = false;
        for (uint32_t i = 0; i < count && !dead; i++) {
            const struct reference *r = &refs->all[first + i];
            if (r->node > target && r->node < tape_after(w->tape, target))
                dead = closure_gone(w, r->node) || (r->to != ENTRY_NONE && w->touched[r->to]);
        }
        if (dead)
            closure_cut(w, signature, C8);
    }
}

/* ---- links and total -------------------------------------------------------------------- */

static bool
counts_as_match(const struct closure *w, uint32_t entry)
{
    tape_node mode = tape_member(w->tape, w->bundle->entries[entry].search, SPAN("mode"));

    return mode == TAPE_ABSENT || closure_text_is(w, mode, "match");
}

/* Entries that Bundle.total had counted and the twin would not. */
static uint32_t
uncounted(const struct closure *w)
{
    uint32_t n = 0;

    for (uint32_t e = 0; e < w->bundle->count; e++)
        n += w->withheld[e] && (w->bundle->type != BUNDLE_SEARCHSET || counts_as_match(w, e));
    return n;
}

static void
close_links(struct closure *w)
{
    static const char *const paging[] = { "next", "previous", "prev", "last", NULL };
    tape_node                root     = w->bundle->root;
    uint32_t                 gone     = uncounted(w);

    if (w->bundle->type == BUNDLE_SINGLE || gone == 0)
        return;
    tape_node links = tape_member(w->tape, root, SPAN("link"));
    for (tape_node n = tape_first(w->tape, links); n != TAPE_ABSENT; n = tape_next(w->tape, n))
        if (span_in(tape_member_text(w->tape, n, SPAN("relation"), w->arena), paging))
            closure_cut(w, n, (struct why){ "C8", ENTRY_NONE, "it would page over the gap" });
    tape_node total = tape_member(w->tape, root, SPAN("total"));
    uint64_t  number;
    if (total == TAPE_ABSENT)
        return;
    if (!span_to_u64(tape_extent(w->tape, total), &number))
        closure_cut(w, total, C8);
    else
        closure_edit(w, total, arena_format(w->arena, "%llu", (unsigned long long)(number > gone ? number - gone : 0)),
                  "C8");
}

/* ---- high-water labels ------------------------------------------------------------------- */

struct water {
    label_set kept, gone;                /* as the resources' own meta.security says, and what is computed */
    bool      protected_gone;
};

static label_set
said_labels(struct closure *w, tape_node resource)
{
    label_set set      = 0;
    tape_node security = walk_find(w->tape, walk_find(w->tape, resource, SPAN("meta")), SPAN("security"));

    for (tape_node n = tape_first(w->tape, security); n != TAPE_ABSENT; n = tape_next(w->tape, n))
        if (!closure_gone(w, n) || closure_gone(w, resource))
            set = label_add(set, label_of_coding(tape_member_text(w->tape, n, SPAN("system"), w->arena),
                                                 tape_member_text(w->tape, n, SPAN("code"), w->arena)));
    return set;
}

static enum label
highest(label_set set)
{
    enum label found = LABEL_NONE;
    int        most  = 0;

    for (unsigned l = 1; l < LABEL_COUNT; l++)
        if (labels_have(set, (enum label)l) && label_kind((enum label)l) == LABEL_CONFIDENTIALITY
            && labels_confidentiality(LABEL_BIT(l)) > most) {
            found = (enum label)l;
            most  = labels_confidentiality(LABEL_BIT(l));
        }
    return found;
}

/* What a confidentiality says of all that is there: as high as what stays. */
static void
close_confidentiality(struct closure *w, const struct water *water, tape_node code, tape_node display, tape_node whole,
                      enum label l)
{
    enum label kept = highest(water->kept);
    bool       why  = labels_confidentiality(water->gone) >= labels_confidentiality(LABEL_BIT(l))
               || water->protected_gone;

    if (!why || labels_confidentiality(LABEL_BIT(l)) <= labels_confidentiality(water->kept))
        return;
    if (kept == LABEL_NONE) {
        closure_cut(w, whole, C8);
        return;
    }
    closure_edit(w, code, arena_format(w->arena, "\"%s\"", label_code(kept)), "C8");
    if (display != TAPE_ABSENT)
        closure_edit(w, display, arena_format(w->arena, "\"%s\"", label_display(kept)), "C8");
}

static bool
foreign_gone(const struct closure *w, struct span system, struct span code)
{
    bool gone = false;

    for (uint32_t e = 0; e < w->bundle->count; e++)
        for (size_t i = 0; i < w->in->labeling->of[e].foreign_count; i++) {
            const struct coding *c = &w->in->labeling->of[e].foreign[i];
            if (!span_eq(c->code, code) || !span_eq(c->system, system))
                continue;
            if (!w->withheld[e])
                return false;
            gone = true;
        }
    return gone;
}

static void
close_security(struct closure *w, const struct water *water, tape_node holder)
{
    tape_node security = tape_member(w->tape, tape_member(w->tape, holder, SPAN("meta")), SPAN("security"));
    label_set gone     = water->gone | evidence_family(water->gone);

    for (tape_node n = tape_first(w->tape, security); n != TAPE_ABSENT; n = tape_next(w->tape, n)) {
        struct span system = tape_member_text(w->tape, n, SPAN("system"), w->arena);
        struct span code   = tape_member_text(w->tape, n, SPAN("code"), w->arena);
        enum label  l      = label_of_coding(system, code);
        if (closure_gone(w, n))
            continue;
        if (l == LABEL_NONE && foreign_gone(w, system, code))
            closure_cut(w, n, C8);
        else if (label_kind(l) == LABEL_CONFIDENTIALITY)
            close_confidentiality(w, water, tape_member(w->tape, n, SPAN("code")),
                                  tape_member(w->tape, n, SPAN("display")), n, l);
        else if (l != LABEL_NONE && !labels_have(water->kept, l)
                 && (labels_have(gone, l) || (water->protected_gone && label_kind(l) != LABEL_SENSITIVITY)))
            closure_cut(w, n, C8);
    }
}

/* C9: a Patient stays without the labels that say what it is a patient of. */
static void
close_patient(struct closure *w, uint32_t entry, label_set gone)
{
    tape_node meta     = tape_member(w->tape, w->bundle->entries[entry].resource, SPAN("meta"));
    tape_node security = tape_member(w->tape, meta, SPAN("security"));
    label_set own      = evidence_family(gone) | LABEL_BIT(LABEL_PART2);
    bool      cut      = false;

    for (unsigned round = 0; round < 2; round++)
        for (tape_node n = tape_first(w->tape, security); n != TAPE_ABSENT; n = tape_next(w->tape, n)) {
            enum label l = label_of_coding(tape_member_text(w->tape, n, SPAN("system"), w->arena),
                                           tape_member_text(w->tape, n, SPAN("code"), w->arena));
            bool follows = label_kind(l) == LABEL_HANDLING
                           || labels_confidentiality(label_add(0, l)) >= labels_confidentiality(LABEL_BIT(LABEL_R));
            if (round == 0 ? labels_have(own, l) : cut && follows) {
                closure_cut(w, n, (struct why){ "C9", ENTRY_NONE, "it says what is withheld" });
                cut = true;
            }
        }
}

static void
close_labels(struct closure *w)
{
    struct water water = { 0, 0, false };

    for (uint32_t e = 0; e < w->bundle->count; e++) {
        const struct labeled *l    = &w->in->labeling->of[e];
        label_set             said = said_labels(w, w->bundle->entries[e].resource);
        if (!w->withheld[e]) {
            water.kept |= said | labels_sensitive(l->labels);
            continue;
        }
        water.gone |= said | l->labels;
        if (w->first[e] && l->part2 != PART2_NOT)
            water.protected_gone = true;
    }
    if (water.protected_gone)
        water.gone |= LABEL_BIT(LABEL_PART2) | LABEL_BIT(LABEL_SUD) | LABEL_BIT(LABEL_ETH);
    for (uint32_t e = 0; e < w->bundle->count; e++)
        if (!w->withheld[e] && span_eq_text(w->bundle->entries[e].type, "Patient")
            && (water.protected_gone || w->in->labeling->of[e].part2 != PART2_NOT)
            && !rule_is_basis(w->decisions[e].rule))
            close_patient(w, e, water.gone);
    if (w->bundle->type != BUNDLE_SINGLE)
        close_security(w, &water, w->bundle->root);
    for (uint32_t e = 0; e < w->bundle->count; e++) {
        if (w->withheld[e] || !span_eq_text(w->bundle->entries[e].type, "Composition"))
            continue;
        tape_node code = tape_member(w->tape, w->bundle->entries[e].resource, SPAN("confidentiality"));
        if (code == TAPE_ABSENT)
            continue;
        enum label l = label_of_coding(span_of(label_system(LABEL_R)), tape_text(w->tape, code, w->arena));
        if (label_kind(l) == LABEL_CONFIDENTIALITY)
            close_confidentiality(w, &water, code, TAPE_ABSENT, code, l);
    }
}

/* ---- counts ---------------------------------------------------------------------------- */

/* Group.quantity counts the members. */
static void
close_groups(struct closure *w)
{
    for (uint32_t e = 0; e < w->bundle->count; e++) {
        tape_node resource = w->bundle->entries[e].resource;
        if (w->withheld[e] || !w->touched[e] || !span_eq_text(w->bundle->entries[e].type, "Group"))
            continue;
        tape_node quantity = tape_member(w->tape, resource, SPAN("quantity"));
        tape_node members  = tape_member(w->tape, resource, SPAN("member"));
        uint32_t  had      = tape_children(w->tape, members), lost = members == TAPE_ABSENT || w->lost == NULL ? 0 : w->lost[members];
        uint64_t  number;
        if (quantity == TAPE_ABSENT || lost == 0)
            continue;
        if (span_to_u64(tape_extent(w->tape, quantity), &number) && number == had && had > lost)
            closure_edit(w, quantity, arena_format(w->arena, "%u", had - lost), "C10");
        else
            closure_cut(w, quantity, (struct why){ "C10", ENTRY_NONE, "it counts what went" });
    }
}
