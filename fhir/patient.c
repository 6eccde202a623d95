#include "fhir/patient.h"

#include "base/json_walk.h"

/* One table, followed element by element. */

static const struct row { struct span type, path; bool own; } rows[] = {
#define PATIENT_PATH(type, path, own) { { type, sizeof type - 1 }, { path, sizeof path - 1 }, own },
#include "fhir/patient_paths.def"
#undef PATIENT_PATH
};

/* What these are about has a patient of its own (R4 provenance.html,
 * auditevent.html, task.html, binary.html). */
static const struct row about[] = {
    { { "Provenance", 10 }, { "target", 6 }, false }, { { "AuditEvent", 10 }, { "entity.what", 11 }, false },
    { { "Task", 4 }, { "focus", 5 }, false },         { { "Binary", 6 }, { "securityContext", 15 }, false },
};

struct search {
    const struct references *references;
    uint32_t                 entry;
    const struct reference  *hit;
    bool                     own;            /* an unknown type counts */
    bool                     any;            /* not a Patient but an entry that may have one */
};

/* The rows of the types met: a place for each hash. */
struct memory { const struct row *rows[64]; };

static const struct row *first_row(struct memory *, struct span type);
static bool              follow(struct search *, tape_node at, struct span path);
static bool              consider(struct search *, tape_node);
static struct span       name_of(const struct references *, const struct reference *, struct arena *, uint32_t *entry);
static struct span       entry_name(const struct bundle *, uint32_t entry);
static struct patient    own_patient(const struct references *, uint32_t entry, struct memory *, struct arena *);

const struct patient *
patients_find(const struct references *references, struct arena *arena)
{
    const struct bundle *b   = references->bundle;
    struct patient      *own = arena_make_n(arena, (size_t)b->count + 1, struct patient);
    struct patient      *all = arena_make_n(arena, (size_t)b->count + 1, struct patient);
    struct memory        memory = { { NULL } };

    if (own == NULL || all == NULL)
        return NULL;
    for (uint32_t i = 0; i < b->count; i++)
        own[i] = all[i] = own_patient(references, i, &memory, arena);
    for (uint32_t i = 0; i < b->count; i++)
        for (size_t k = 0; span_empty(own[i].name) && k < sizeof about / sizeof about[0]; k++) {
            struct search s = { .references = references, .entry = i, .any = true };
            if (span_eq(b->entries[i].type, about[k].type)
                && follow(&s, b->entries[i].resource, about[k].path))
                all[i] = own[s.hit->to];             /* one step: whatever the order of entries */
        }
    return all;
}

static struct patient
own_patient(const struct references *references, uint32_t entry, struct memory *memory, struct arena *arena)
{
    const struct bundle_entry *e = &references->bundle->entries[entry];
    struct patient             p = { { NULL, 0 }, ENTRY_NONE };

    if (span_eq_text(e->type, "Patient"))
        return (struct patient){ entry_name(references->bundle, entry), entry };
    for (const struct row *row = first_row(memory, e->type);
         row != NULL && row < rows + sizeof rows / sizeof rows[0] && span_eq(e->type, row->type); row++) {
        struct search s = { .references = references, .entry = entry, .own = row->own };
        if (follow(&s, e->resource, row->path)) {
            p.name = name_of(references, s.hit, arena, &p.entry);
            return p;
        }
    }
    return p;
}

/* The rows are sorted by type. */
static const struct row *
first_row(struct memory *memory, struct span type)
{
    const struct row **known = &memory->rows[key_of(type) >> 58];
    size_t             low = 0, high = sizeof rows / sizeof rows[0];

    if (*known != NULL && span_eq((*known)->type, type))
        return *known;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (span_compare(rows[middle].type, type) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return *known = low < sizeof rows / sizeof rows[0] ? &rows[low] : NULL;
}

/* The path is ours and at most three steps long. */
static bool
follow(struct search *s, tape_node at, struct span path)
{
    const struct tape *t    = s->references->bundle->tape;
    struct span        rest = path;
    tape_node          next = walk_find(t, at, span_split(&rest, '.'));

    if (next == TAPE_ABSENT)
        return false;
    if (tape_kind(t, next) != TAPE_ARRAY)
        return rest.at == NULL ? consider(s, next) : follow(s, next, rest);
    for (tape_node item = tape_first(t, next); item != TAPE_ABSENT; item = tape_next(t, item))
        if (rest.at == NULL ? consider(s, item) : follow(s, item, rest))
            return true;
    return false;
}

/* What a reference says its target is: by the entry or contained resource it
 * resolves to, by Reference.type, by its text.  Empty: it does not say. */
static struct span
target_type(const struct references *references, const struct reference *r)
{
    const struct bundle *b    = references->bundle;
    tape_node            type = TAPE_ABSENT;

    if (r->to_contained != TAPE_ABSENT)
        type = walk_find(b->tape, r->to_contained, SPAN("resourceType"));
    else if (r->to != ENTRY_NONE)
        return b->entries[r->to].type;
    else
        type = walk_find(b->tape, r->node, SPAN("type"));
    if (tape_kind(b->tape, type) == TAPE_STRING)
        return tape_text_eq(b->tape, type, SPAN("Patient")) ? SPAN("Patient") : SPAN("another");
    return r->type;
}

static bool
consider(struct search *s, tape_node node)
{
    const struct reference *r = references_find(s->references, node);

    if (r == NULL)
        return false;
    s->hit = r;
    struct span type = target_type(s->references, r);
    if (s->any)
        return r->to != ENTRY_NONE && r->to != s->entry;
    return span_eq_text(type, "Patient") || (s->own && span_empty(type));
}

static struct span
name_of(const struct references *references, const struct reference *r, struct arena *arena, uint32_t *patient_entry)
{
    if (r->to_contained != TAPE_ABSENT)
        return r->value;
    if (r->to != ENTRY_NONE) {
        *patient_entry = r->to;
        return entry_name(references->bundle, r->to);
    }
    if (r->form == REFERENCE_RELATIVE && !span_empty(r->id))     /* without its version */
        return span_from(r->type.at, (size_t)(r->id.at + r->id.length - r->type.at));
    struct span named = r->form == REFERENCE_LOGICAL || r->form == REFERENCE_CONDITIONAL ? reference_patient_name(r, arena)
                                                                                         : (struct span){ NULL, 0 };
    return span_empty(named) ? r->value : named;
}

static struct span
entry_name(const struct bundle *b, uint32_t entry)
{
    struct span name = bundle_entry_name(b, entry);

    return span_empty(name) ? b->entries[entry].full_url : name;
}
