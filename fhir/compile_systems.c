/* fhir/compile_systems.c -- CodeSystem -> systems, concepts, parents, designations.
 *
 * A concept is below another when it is nested in it, and when it says so by
 * a property: `parent`, `subsumedBy` (HL7 Terminology's polyhierarchy), `child` of the other.
 * Nesting counts whatever hierarchyMeaning says: is-a has no other meaning to ask.
 */
#include "fhir/compile_terms.h"

#include "base/sort.h"

#define MAX_PARENTS 255u

struct edge { uint32_t child, parent; };

/* One code system while its concepts are read. */
struct reading {
    struct terms      *t;
    const struct tape *tape;
    uint32_t           system, first;        /* the record; its first concept */
    uint32_t           first_slot, mask;
    bool               nocase;
    struct edge       *edges;
    uint32_t           edge_count, edge_room;
};

static bool read_system(struct terms *, const struct definition *);
static bool read_supplements(struct terms *);

bool
terms_systems(struct terms *t)
{
    struct terms_list list;
    bool              good = terms_list(t, DEFINITION_CODE_SYSTEM, PACK_SYSTEMS, &list);

    t->systems = list.at;
    for (uint32_t i = 0; good && i < list.count; i++)
        good = read_system(t, list.at[i]);
    return good && terms_chain(t, PACK_SYSTEMS, PACK_SYSTEM_SLOTS) && read_supplements(t);
}

tape_node
terms_concept_node(const struct terms *t, uint32_t concept)
{
    return concept >= t->first_concept ? t->nodes[concept - t->first_concept] : TAPE_ABSENT;
}

/* ---- properties ---------------------------------------------------------------------- */

tape_node
terms_property(const struct tape *t, tape_node concept, struct span code, tape_node after)
{
    tape_node n = after != TAPE_ABSENT ? tape_next(t, after) : tape_first(t, tape_member(t, concept, SPAN("property")));

    while (n != TAPE_ABSENT && !tape_text_eq(t, tape_member(t, n, SPAN("code")), code))
        n = tape_next(t, n);
    return n;
}

/* value[x] as text; of a Coding the code. */
struct span
terms_property_text(const struct tape *t, tape_node property, struct arena *arena)
{
    for (tape_node n = tape_first(t, property); n != TAPE_ABSENT; n = tape_next(t, n)) {
        struct span name = tape_text(t, tape_name(t, n), arena);
        if (!span_starts(name, SPAN("value")))
            continue;
        switch (tape_kind(t, n)) {
        case TAPE_TRUE:   return SPAN("true");
        case TAPE_FALSE:  return SPAN("false");
        case TAPE_NUMBER: return tape_raw(t, n);
        case TAPE_OBJECT: return tape_member_text(t, n, SPAN("code"), arena);
        default:          return tape_text(t, n, arena);
        }
    }
    return (struct span){ NULL, 0 };
}

static bool
says_true(const struct tape *t, tape_node concept, struct span property)
{
    tape_node n = terms_property(t, concept, property, TAPE_ABSENT);

    return tape_kind(t, tape_member(t, n, SPAN("valueBoolean"))) == TAPE_TRUE;
}

/* http://hl7.org/fhir/R4/codesystem-concept-properties.html */
static uint8_t
concept_flags(const struct tape *t, tape_node concept, struct arena *arena)
{
    struct span status = terms_property_text(t, terms_property(t, concept, SPAN("status"), TAPE_ABSENT), arena);
    uint8_t     flags  = 0;

    if (says_true(t, concept, SPAN("notSelectable")) || says_true(t, concept, SPAN("not-selectable"))
        || says_true(t, concept, SPAN("abstract")))
        flags |= CONCEPT_ABSTRACT;
    if (says_true(t, concept, SPAN("inactive")) || span_eq_text(status, "inactive") || span_eq_text(status, "retired")
        || span_eq_text(status, "withdrawn"))
        flags |= CONCEPT_INACTIVE;
    return flags;
}

/* ---- concepts ------------------------------------------------------------------------ */

static uint32_t
count_concepts(const struct tape *t, tape_node list)
{
    uint32_t count = 0;

    /* As deep as the tape may be. */
    for (tape_node n = tape_first(t, list); n != TAPE_ABSENT; n = tape_next(t, n))
        count += 1 + count_concepts(t, tape_member(t, n, SPAN("concept")));
    return count;
}

static bool
note_node(struct terms *t, tape_node node)
{
    uint32_t count = compile_count(t->c, PACK_CONCEPTS) - t->first_concept, room = t->node_room > 0 ? t->node_room * 2 : 4096;

    if (count > t->node_room) {
        t->nodes = arena_grow(t->c->arena, t->nodes, t->node_room * sizeof *t->nodes, room * sizeof *t->nodes);
        t->node_room = room;
    }
    if (t->nodes == NULL)
        return false;
    t->nodes[count - 1] = node;
    return true;
}

/* The slot of a code: that of the concept, or where it would be. */
static uint32_t *
slot_of(const struct reading *r, struct span code)
{
    struct compiler *c     = r->t->c;
    uint32_t        *slots = COMPILE_AT(c, PACK_CONCEPT_SLOTS, uint32_t, r->first_slot);
    uint32_t         at    = (uint32_t)pack_code_hash(code) & r->mask;

    for (; slots[at] != 0; at = (at + 1) & r->mask) {
        const struct pack_concept *one  = COMPILE_AT(c, PACK_CONCEPTS, struct pack_concept, r->first + slots[at] - 1);
        struct span                have = compile_span(c, (struct pack_text){ one->code, one->length });
        if (span_eq(have, code) || (r->nocase && span_eq_nocase(have, code)))
            break;
    }
    return &slots[at];
}

static bool
add_edge(struct reading *r, uint32_t child, uint32_t parent)
{
    uint32_t room = r->edge_room > 0 ? r->edge_room * 2 : 256;

    if (r->edge_count == r->edge_room) {
        r->edges     = arena_grow(r->t->c->arena, r->edges, r->edge_room * sizeof *r->edges, room * sizeof *r->edges);
        r->edge_room = room;
    }
    if (r->edges == NULL)
        return false;
    r->edges[r->edge_count++] = (struct edge){ child, parent };
    return true;
}

static bool
add_designation(struct compiler *c, uint32_t concept, struct span text)
{
    struct pack_concept *one = COMPILE_AT(c, PACK_CONCEPTS, struct pack_concept, concept);
    struct pack_text     own = compile_text(c, text);

    if (span_empty(text) || own.offset == one->display)
        return true;
    one->flags |= CONCEPT_DESIGNATED;
    struct pack_designation *d = COMPILE_APPEND(c, PACK_DESIGNATIONS, struct pack_designation);
    if (d == NULL)
        return false;
    *d = (struct pack_designation){ concept, own.offset };
    return true;
}

static bool
add_designations(struct compiler *c, const struct tape *t, tape_node node, uint32_t concept)
{
    tape_node list = tape_member(t, node, SPAN("designation"));
    bool      good = true;

    for (tape_node n = tape_first(t, list); good && n != TAPE_ABSENT; n = tape_next(t, n))
        good = add_designation(c, concept, tape_member_text(t, n, SPAN("value"), c->arena));
    return good;
}

static bool
add_concept(struct reading *r, tape_node node, uint32_t parent, uint32_t *index)
{
    struct compiler *c    = r->t->c;
    struct span      code = tape_member_text(r->tape, node, SPAN("code"), c->arena);
    uint32_t        *slot = slot_of(r, code);

    if (span_empty(code) || code.length > UINT16_MAX)
        return compile_broken(c, SPAN("want a code for every concept"), compile_span(c, compile_text(c, code)));
    *index = r->first + *slot - 1;
    if (*slot == 0) {                                /* else it is one again, below another parent */
        struct span          display = tape_member_text(r->tape, node, SPAN("display"), c->arena);
        struct pack_concept *one     = COMPILE_APPEND(c, PACK_CONCEPTS, struct pack_concept);
        if (one == NULL || !note_node(r->t, node))
            return false;
        *index = compile_count(c, PACK_CONCEPTS) - 1;
        *slot  = *index - r->first + 1;
        *one   = (struct pack_concept){ .code = compile_text(c, code).offset, .length = (uint16_t)code.length,
                                        .display = compile_text(c, display).offset,
                                        .flags = concept_flags(r->tape, node, c->arena) };
    }
    return add_designations(c, r->tape, node, *index) && (parent == PACK_NONE || add_edge(r, *index, parent));
}

static bool
add_concepts(struct reading *r, tape_node list, uint32_t parent)
{
    uint32_t index = PACK_NONE;
    bool     good  = true;

    for (tape_node n = tape_first(r->tape, list); good && n != TAPE_ABSENT; n = tape_next(r->tape, n))
        good = add_concept(r, n, parent, &index) && add_concepts(r, tape_member(r->tape, n, SPAN("concept")), index);
    return good;
}

/* ---- hierarchy ----------------------------------------------------------------------- */

static bool
add_named(struct reading *r, uint32_t concept, struct span property, bool upwards)
{
    tape_node node = terms_concept_node(r->t, concept);

    for (tape_node n = terms_property(r->tape, node, property, TAPE_ABSENT); n != TAPE_ABSENT;
         n = terms_property(r->tape, node, property, n)) {
        struct span code  = terms_property_text(r->tape, n, r->t->c->arena);
        uint32_t    other = *slot_of(r, code);
        if (other == 0)
            continue;                                /* a concept that is not there: nothing is below it here */
        other += r->first - 1;
        if (other != concept && !add_edge(r, upwards ? concept : other, upwards ? other : concept))
            return false;
    }
    return true;
}

static int
by_child(const void *a, const void *b, const void *context)
{
    const struct edge *x = a, *y = b;

    (void)context;
    if (x->child != y->child)
        return x->child < y->child ? -1 : 1;
    return (x->parent > y->parent) - (x->parent < y->parent);
}

static bool
write_parents(struct reading *r)
{
    struct compiler *c = r->t->c;

    sort_in_place(r->edges, r->edge_count, sizeof *r->edges, by_child, NULL);
    for (uint32_t i = 0; i < r->edge_count; i++) {
        struct pack_concept *one = COMPILE_AT(c, PACK_CONCEPTS, struct pack_concept, r->edges[i].child);
        if (i > 0 && by_child(&r->edges[i - 1], &r->edges[i], NULL) == 0)
            continue;
        if (one->parent_count == 0)
            one->first_parent = compile_count(c, PACK_PARENTS);
        if (one->parent_count == MAX_PARENTS)
            return compile_broken(c, SPAN("want at most 255 parents of a concept"),
                                  compile_span(c, (struct pack_text){ one->code, one->length }));
        one->parent_count++;
        uint32_t *parent = COMPILE_APPEND(c, PACK_PARENTS, uint32_t);
        if (parent == NULL)
            return false;
        *parent = r->edges[i].parent;
    }
    return true;
}

static bool
add_hierarchy(struct reading *r)
{
    uint32_t end  = compile_count(r->t->c, PACK_CONCEPTS);
    bool     good = true;

    for (uint32_t i = r->first; good && i < end; i++)
        good = add_named(r, i, SPAN("subsumedBy"), true) && add_named(r, i, SPAN("parent"), true)
            && add_named(r, i, SPAN("child"), false);
    return good && write_parents(r);
}

/* ---- systems ------------------------------------------------------------------------- */

static uint16_t
content_named(struct span content)
{
    return span_eq_text(content, "complete")    ? TERM_CONTENT_COMPLETE
         : span_eq_text(content, "fragment")    ? TERM_CONTENT_FRAGMENT
         : span_eq_text(content, "example")     ? TERM_CONTENT_EXAMPLE
         : span_eq_text(content, "not-present") ? TERM_CONTENT_NOT_PRESENT : TERM_CONTENT_UNKNOWN;
}

static bool
make_slots(struct reading *r, uint32_t concepts)
{
    uint32_t size = terms_slots(concepts);

    r->first_slot = compile_count(r->t->c, PACK_CONCEPT_SLOTS);
    r->mask       = size - 1;
    for (uint32_t i = 0; i < size; i++)
        if (compile_append(r->t->c, PACK_CONCEPT_SLOTS) == NULL)
            return false;
    return true;
}

static bool
read_system(struct terms *t, const struct definition *d)
{
    struct compiler *c       = t->c;
    tape_node        list    = tape_member(d->tape, d->node, SPAN("concept"));
    uint32_t         count   = count_concepts(d->tape, list);
    uint16_t         content = content_named(tape_member_text(d->tape, d->node, SPAN("content"), c->arena));
    struct reading   r       = { .t = t, .tape = d->tape, .system = compile_count(c, PACK_SYSTEMS),
                                 .first = compile_count(c, PACK_CONCEPTS),
                                 .nocase = tape_kind(d->tape, tape_member(d->tape, d->node, SPAN("caseSensitive"))) == TAPE_FALSE };

    c->id = arena_format(c->arena, "CodeSystem/%.*s", SPAN_PRINT(d->url));
    if (content == TERM_CONTENT_UNKNOWN)
        return compile_broken(c, SPAN("want content to be complete, fragment, example, not-present or supplement"),
                              tape_member_text(d->tape, d->node, SPAN("content"), c->arena));
    if ((uint64_t)r.first + count > TERMS_CONCEPTS)
        return compile_broken(c, SPAN("want fewer concepts"), d->url);
    struct pack_versioned as = terms_canonical(t, d, content != TERM_CONTENT_NOT_PRESENT);
    if (compile_append(c, PACK_SYSTEMS) == NULL || !make_slots(&r, count) || !add_concepts(&r, list, PACK_NONE)
        || !add_hierarchy(&r))
        return false;
    *COMPILE_AT(c, PACK_SYSTEMS, struct pack_system, r.system) = (struct pack_system){
        .as = as, .first_concept = r.first, .concept_count = compile_count(c, PACK_CONCEPTS) - r.first,
        .first_slot = r.first_slot, .slot_mask = r.mask, .content = content,
        .flags = (uint16_t)((r.nocase ? SYSTEM_NOCASE : 0) | (r.edge_count > 0 ? SYSTEM_HIERARCHY : 0)),
    };
    return true;
}

/* ---- supplements --------------------------------------------------------------------- */

static bool
supplement_concepts(struct terms *t, const struct definition *d, tape_node list, uint32_t system)
{
    struct compiler *c    = t->c;
    bool             good = true, other_case;

    for (tape_node n = tape_first(d->tape, list); good && n != TAPE_ABSENT; n = tape_next(d->tape, n)) {
        const struct pack *view    = terms_view(t);
        uint32_t           concept = pack_concept_find(view, &view->systems[system],
                                                       tape_member_text(d->tape, n, SPAN("code"), c->arena), &other_case);
        if (concept != PACK_NONE)
            good = add_designation(c, concept, tape_member_text(d->tape, n, SPAN("display"), c->arena))
                && add_designations(c, d->tape, n, concept);
        good = good && supplement_concepts(t, d, tape_member(d->tape, n, SPAN("concept")), system);
    }
    return good;
}

static int
by_concept(const void *a, const void *b, const void *context)
{
    const struct pack_designation *x = a, *y = b;

    (void)context;
    return (x->concept > y->concept) - (x->concept < y->concept);
}

/* Of the version that is named, else of the latest; one whose system is not
 * here has nothing to add to. */
static bool
read_supplements(struct terms *t)
{
    struct compiler *c = t->c;
    enum term_why    why;
    bool             good = true;

    for (uint32_t i = 0; good && i < c->definition_count; i++) {
        const struct definition *d = &c->definitions[i];
        if (d->kind != DEFINITION_CODE_SYSTEM
            || !tape_text_eq(d->tape, tape_member(d->tape, d->node, SPAN("content")), SPAN("supplement")))
            continue;
        struct span version = tape_member_text(d->tape, d->node, SPAN("supplements"), c->arena);
        struct span url     = span_split(&version, '|');
        uint32_t    system  = pack_system_find(terms_view(t), url, version, &why);
        c->id = arena_format(c->arena, "CodeSystem/%.*s", SPAN_PRINT(d->url));
        if (system != PACK_NONE)
            good = supplement_concepts(t, d, tape_member(d->tape, d->node, SPAN("concept")), system);
    }
    sort_in_place(c->tables[PACK_DESIGNATIONS].at, compile_count(c, PACK_DESIGNATIONS), sizeof(struct pack_designation),
                  by_concept, NULL);
    return good;
}
