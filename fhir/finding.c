#include "fhir/finding.h"

#include <string.h>

#include "fhir/lookup.h"

void
report_init(struct report *r, const struct bundle *bundle, struct arena *arena, struct issues *issues,
            uint32_t most)
{
    r->bundle     = bundle;
    r->arena      = arena;
    r->issues     = issues;
    r->left       = most;
    r->doubts     = most;
    r->made       = 0;                   /* what is known is zeroed with the first */
    r->stopped    = false;
    r->narratives = NULL;
}

static uint64_t
key_of(const struct finding *f)
{
    /* Of the rule's text and not its address, which is another in every run. */
    return (f->place ^ lookup_hash(span_of(f->rule))) * 0x9e3779b97f4a7c15u;
}

bool
report_new(struct report *r, const struct finding *f)
{
    uint64_t key  = key_of(f);
    uint32_t slot = (uint32_t)(key >> 40) & (REPORT_MEMORY - 1);

    if (r->made == 0)
        memset(r->known, 0, sizeof r->known);
    bool error = f->severity <= SEVERITY_ERROR, again = f->place != 0 && r->known[slot].key == key;
    if (error && r->left == 0) {
        r->stopped = true;
        return false;
    }
    r->made++;
    r->left -= error;
    if (again || (!error && r->doubts == 0)) {
        issues_repeat(r->issues, again ? r->known[slot].index : ISSUE_DROPPED);
        return false;
    }
    r->doubts -= !error;
    return true;
}

void
report_add(struct report *r, const struct finding *f, struct span wanted, struct span found, struct span hint)
{
    struct issue one = { .severity = f->severity, .code = f->code, .rule = f->rule,
                         .wanted = wanted, .found = found, .hint = hint };
    uint64_t     key  = key_of(f);
    uint32_t     slot = (uint32_t)(key >> 40) & (REPORT_MEMORY - 1);

    uint32_t index = issues_add_at(r->issues, &one, r->bundle->tape, r->bundle->parents, f->node);
    if (f->place != 0) {
        r->known[slot].key   = key;
        r->known[slot].index = index;
    }
}

static size_t
characters(struct span text)
{
    size_t count = 0;

    for (size_t i = 0; i < text.length; i++)
        count += ((unsigned char)text.at[i] & 0xc0) != 0x80;
    return count;
}

struct span
finding_found(const struct tape *t, tape_node node, struct arena *arena)
{
    switch (tape_kind(t, node)) {
    case TAPE_STRING: {
        size_t count = characters(tape_text(t, node, arena));
        return count == 0 ? SPAN("have an empty string")
                          : arena_format(arena, "have a string of %zu character%s", count, count == 1 ? "" : "s");
    }
    case TAPE_ARRAY:
        return arena_format(arena, "have an array of %u", tape_children(t, node));
    case TAPE_OBJECT: return tape_children(t, node) > 0 ? SPAN("have an object") : SPAN("have an empty object");
    case TAPE_NUMBER: return tape_integer(t, node) ? SPAN("have a whole number") : SPAN("have a number");
    case TAPE_TRUE:
    case TAPE_FALSE:  return SPAN("have a boolean");
    case TAPE_NULL:   return SPAN("have null");
    default:          return SPAN("have nothing");
    }
}
