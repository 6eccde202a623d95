#include "consent/plan_limit.h"

void
limits_close(struct closure *w)
{
    for (uint32_t e = 0; e < w->bundle->count; e++) {
        enum limit  limit    = w->decisions[e].limit;
        tape_node   resource = w->bundle->entries[e].resource;
        struct span type     = w->bundle->entries[e].type;
        if (limit == LIMIT_NONE || w->withheld[e] || resource == TAPE_ABSENT)
            continue;
        for (tape_node n = tape_first(w->tape, resource); n != TAPE_ABSENT; n = tape_next(w->tape, n))
            if (!limit_member(limit, type, tape_text(w->tape, tape_name(w->tape, n), w->arena)))
                closure_cut(w, n, (struct why){ "L1", ENTRY_NONE, "it is more than the basis lets go" });
    }
}
