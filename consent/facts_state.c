/* consent/facts_state.c -- of a request file: jurisdictions and policy packs. */
#include "consent/facts_reader.h"
#include "consent/state_pack.h"

void
reader_states(struct reader *r, tape_node root, struct facts *facts)
{
    static const char *const names[] = { "residence", "service", "custodian" };
    struct jurisdictions    *j       = &facts->jurisdictions;
    tape_node                where   = reader_member(r, root, "", "jurisdiction", TAPE_OBJECT);
    tape_node                list    = reader_member(r, root, "", "packs", TAPE_ARRAY);
    uint32_t                 count   = tape_children(r->tape, list);

    reader_names(r, where, "jurisdiction", NAMES(names));
    j->residence = reader_texts(r, where, "jurisdiction", "residence", true, &j->residence_count);
    j->service   = reader_texts(r, where, "jurisdiction", "service", true, &j->service_count);
    j->custodian = reader_texts(r, where, "jurisdiction", "custodian", true, &j->custodian_count);
    if (count > STATE_MAX_PACKS) {
        reader_finding(r, SEVERITY_ERROR, list, SPAN("packs"), arena_format(r->arena, "want at most %d policy packs", STATE_MAX_PACKS),
                       (struct span){ 0 });
        return;
    }
    const struct state_pack **all    = arena_make_n(r->arena, count, const struct state_pack *);
    const char               *before = r->rule;
    r->rule = "policy-pack";
    for (tape_node n = tape_first(r->tape, list); n != TAPE_ABSENT && all != NULL; n = tape_next(r->tape, n)) {
        const struct state_pack *pack = state_pack_at(r, n, false);
        if (pack != NULL)
            all[facts->pack_count++] = pack;
    }
    r->rule      = before;
    facts->packs = all;
}
