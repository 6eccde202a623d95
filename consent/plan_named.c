/* consent/plan_named.c -- which entry a name in a text means.
 *
 * Ids are unique on one server (R4 resource.html#id).  A Bundle that was
 * gathered from several may hold two Observation/1, and only the base URL
 * tells them apart.
 */
#include "consent/plan_evidence.h"

struct span
evidence_base(const struct bundle_entry *e)
{
    struct span base, type, id;

    if (!reference_split(e->full_url, &base, &type, &id) || !span_starts(e->full_url, SPAN("http")))
        return (struct span){ NULL, 0 };
    return span_ends(base, SPAN("/")) ? span_first(base, base.length - 1) : base;
}

bool
evidence_same(const struct bundle *b, uint32_t one, uint32_t other)
{
    if (one == other)
        return true;
    if (one == ENTRY_NONE || other == ENTRY_NONE || span_empty(b->entries[one].id))
        return false;
    return span_eq(b->entries[one].id, b->entries[other].id) && span_eq(b->entries[one].type, b->entries[other].type)
           && reference_may_be(evidence_base(&b->entries[one]), evidence_base(&b->entries[other]));
}

/* The base that is written in front of a Type/id; empty without one. */
static struct span
written_base(struct span text, size_t at)
{
    size_t from = at;

    if (at == 0 || text.at[at - 1] != '/')
        return (struct span){ NULL, 0 };
    while (from > 0 && (unsigned char)text.at[from - 1] > ' ' && text.at[from - 1] != '"' && text.at[from - 1] != '\''
           && text.at[from - 1] != '<' && text.at[from - 1] != '>' && text.at[from - 1] != '(' && text.at[from - 1] != '='
           && text.at[from - 1] != ',' && text.at[from - 1] != '|')
        from--;
    struct span base = span_from(text.at + from, at - 1 - from);
    return span_find(base, SPAN("://")) == SPAN_NOT_FOUND ? (struct span){ NULL, 0 } : base;
}

uint32_t
evidence_named(const struct bundle *b, const bool *withheld, uint32_t first, struct span text, size_t at,
               size_t length, struct span speaker)
{
    const struct bundle_entry *e     = &b->entries[first];
    struct span                base  = written_base(text, at);
    uint32_t                   found = ENTRY_NONE;

    if (span_empty(e->id) || length != e->type.length + 1 + e->id.length
        || !span_eq_nocase(span_first(span_from(text.at + at, length), e->type.length), e->type))
        return first;                                         /* a fullUrl, or an id that stands alone */
    for (uint32_t i = bundle_find(b, e->type, e->id); i != ENTRY_NONE; i = bundle_next_same(b, i)) {
        struct span mine = evidence_base(&b->entries[i]);
        if (!reference_may_be(mine, span_empty(base) ? speaker : base))
            continue;
        if (withheld[i])
            return i;
        if (found == ENTRY_NONE)
            found = i;
    }
    return found;
}
