/* gateway/stages/linked.c -- links between Patients: as they come, and as they are stored (consent/linked.h).
 *
 * A link is kept by the names that the store has for its ends, as a Consent's patient is.
 * A push is decided with its own links and with those that are stored, but for those of a
 * Patient that it replaces; a delivery with what is stored, and a link of its Bundle that
 * was taken back since is none any more.
 */
#include "gateway/stages/stages.h"

static struct span
member_of(struct span type)
{
    return span_eq_text(type, "Patient") ? SPAN("other") : span_eq_text(type, "Person") ? SPAN("target") : SPAN("");
}

/* The Patient at the other end as the record knows it; empty: it is none. */
static struct span
end_of(struct exchange *ex, tape_node node)
{
    const struct reference *r = references_find(ex->references, node);

    if (r == NULL || r->form == REFERENCE_CONTAINED)
        return SPAN("");
    if (r->to != ENTRY_NONE && r->to_contained == TAPE_ABSENT)
        return span_eq_text(ex->bundle->entries[r->to].type, "Patient") ? ex->patients[r->to] : SPAN("");
    if (!span_empty(r->type) && !span_eq_text(r->type, "Patient"))
        return SPAN("");
    struct span named = reference_patient_name(r, ex->arena);
    return record_patient(ex, ENTRY_NONE, span_empty(named) ? r->value : named);
}

static size_t
ends_of(struct exchange *ex, uint32_t entry, struct span *out, size_t most)
{
    const struct bundle_entry *e      = &ex->bundle->entries[entry];
    struct span                member = member_of(e->type);
    tape_node                  list   = span_empty(member) ? TAPE_ABSENT : tape_member(ex->tape, e->resource, SPAN("link"));
    size_t                     count  = 0;

    for (tape_node n = tape_first(ex->tape, list); n != TAPE_ABSENT && count < most; n = tape_next(ex->tape, n)) {
        struct span end   = end_of(ex, tape_member(ex->tape, n, member));
        bool        known = span_empty(end) || (span_eq_text(e->type, "Patient") && span_eq(end, ex->patients[entry]));
        for (size_t i = 0; i < count && !known; i++)
            known = span_eq(out[i], end);
        if (!known)
            out[count++] = end;
    }
    return count;
}

static uint32_t
links_in(const struct exchange *ex, uint32_t entry)
{
    const struct bundle_entry *e = &ex->bundle->entries[entry];

    return span_empty(member_of(e->type)) ? 0 : tape_children(ex->tape, tape_member(ex->tape, e->resource, SPAN("link")));
}

void
linked_record(struct exchange *ex, uint32_t entry, struct store_resource *r)
{
    uint32_t     count = links_in(ex, entry);
    struct span *ends;

    if (span_empty(member_of(r->type)))
        return;
    r->links_of = span_eq_text(r->type, "Patient") ? r->patient : arena_join(ex->arena, SPAN("Person/"), r->id);
    if (count == 0)
        return;
    count         = count < STORE_LINKS_MOST ? count : STORE_LINKS_MOST;
    ends          = arena_make_n(ex->arena, count, struct span);
    r->links      = ends;
    r->link_count = ends != NULL ? ends_of(ex, entry, ends, count) : 0;
}

size_t
linked_most(const struct exchange *ex)
{
    size_t most = 0;

    for (uint32_t i = 0; i < ex->bundle->count; i++) {
        uint32_t links = links_in(ex, i);
        most += links < STORE_LINKS_MOST ? links : STORE_LINKS_MOST;
    }
    return most;
}

size_t
linked_names(struct exchange *ex, struct span *out)
{
    size_t count = 0;

    for (uint32_t i = 0; i < ex->bundle->count; i++)
        count += ends_of(ex, i, out + count, STORE_LINKS_MOST);
    return count;
}

static bool
replaced(const struct exchange *ex, struct span patient)
{
    for (size_t i = 0; ex->due == NULL && i < ex->resource_count; i++)
        if (!span_empty(ex->resources[i].links_of) && span_eq(ex->resources[i].links_of, patient))
            return true;
    return false;
}

enum step
linked_attach(struct exchange *ex)
{
    const struct store_consents *c     = &ex->consents;
    struct patient_link         *links = arena_make_n(ex->arena, c->link_count, struct patient_link);

    ex->facts.links      = links;
    ex->facts.link_count = 0;
    if (links == NULL && c->link_count > 0)
        return exchange_fail(ex, ST_NO_MEMORY, status_text(ST_NO_MEMORY));
    for (size_t i = 0; i < c->link_count; i++) {
        const struct store_link *l = &c->links[i];
        if (!replaced(ex, l->patient))
            links[ex->facts.link_count++] = (struct patient_link){
                .patient = patient_in_bundle(ex, l->patient), .other = patient_in_bundle(ex, l->other),
                .taken_back = !l->stands,
            };
    }
    return STEP_NEXT;
}
