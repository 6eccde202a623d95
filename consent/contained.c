#include "consent/contained.h"

static struct span patient_of(const struct references *, uint32_t entry, tape_node consent);

size_t
contained_consents(const struct bundle *b, const struct references *references, struct consent_source *out)
{
    size_t count = 0;

    for (uint32_t i = 0; i < bundle_resources(b); i++) {
        const struct bundle_resource *r = bundle_resource_at(b, i);
        if (!r->contained || !tape_text_eq(b->tape, tape_member(b->tape, r->node, SPAN("resourceType")), SPAN("Consent")))
            continue;
        uint32_t  entry  = bundle_entry_of(b, r->node);
        tape_node around = bundle_resource_at(b, r->container)->node;
        if (entry == ENTRY_NONE || b->entries[entry].resource != around)
            continue;
        if (out != NULL)
            out[count] = (struct consent_source){
                .tape = b->tape, .node = r->node, .home = b, .contained = true, .around = around,
                .patient = patient_of(references, entry, r->node),
                .refuses_only = "it is contained in another resource and has no identity outside of it (R4 references.html#contained)",
            };
        count++;
    }
    return count;
}

bool
consent_is_contained(const struct bundle *b, tape_node consent)
{
    uint32_t entry = bundle_entry_of(b, consent);

    return entry != ENTRY_NONE && b->entries[entry].resource != consent;
}

static struct span
patient_of(const struct references *references, uint32_t entry, tape_node consent)
{
    tape_node               node = tape_member(references->bundle->tape, consent, SPAN("patient"));
    const struct reference *r    = references_find(references, node);

    if (node == TAPE_ABSENT)
        return entry_patient(references, entry, NULL);
    if (r == NULL || r->form == REFERENCE_LOGICAL)
        return SPAN("");                                      /* as written: whoever has the identifier (subject.h) */
    return r->to != ENTRY_NONE && r->to_contained == TAPE_ABSENT ? entry_patient(references, r->to, NULL) : r->value;
}
