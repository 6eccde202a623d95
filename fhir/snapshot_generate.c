/* fhir/snapshot_generate.c -- where each element of a differential belongs, and
 * what it makes of what is there (rules S1 to S5 of fhir/snapshot.h).
 */
#include "fhir/snapshot_generate.h"

#include "fhir/snapshot.h"
#include "fhir/snapshot_merge.h"

#define TYPE_URL "http://hl7.org/fhir/StructureDefinition/"
#define SYSTEM   "http://hl7.org/fhirpath/System."

/* One name of a path and the slice that an id says of it. */
struct step { struct span name, slice; };

struct way {
    struct step  steps[TREE_SEGMENTS];
    uint32_t     count;
    struct span  path, slice;                /* as the element states them */
    bool         by_id;                      /* the steps have slices      */
};

struct generator {
    struct tree     *tree;
    struct compiler *c;
    bool             grows;
    struct part     *stack[TREE_SEGMENTS];   /* where the element before was found */
    uint32_t         depth;
};

static bool         read_way(struct generator *, const struct tape *, tape_node element, struct way *);
static struct part *follow(struct generator *, const struct way *);
static struct part *child_for(struct generator *, struct part *parent, const struct way *, uint32_t at);
static struct part *slice_for(struct generator *, struct part *of, struct span slice);
static bool         expand(struct generator *, struct part *, struct span child);
static bool         count_slices(struct generator *, struct part *);
static bool         apply(struct generator *, struct part *, const struct tape *, tape_node element);

bool
differential_apply(struct tree *tree, const struct tape *t, tape_node elements, bool grows)
{
    struct generator g = { .tree = tree, .c = tree->compiler, .grows = grows };

    for (tape_node n = tape_first(t, elements); n != TAPE_ABSENT; n = tape_next(t, n)) {
        struct way   way;
        struct part *part = read_way(&g, t, n, &way) ? follow(&g, &way) : NULL;
        if (part == NULL || !apply(&g, part, t, n))
            return false;
    }
    return count_slices(&g, tree->root) && !arena_spent(g.c->arena);
}

/* ---- S1: the way to an element ------------------------------------------------------------ */

/* Whether the id has the names of the path, with slices between them. */
static bool
id_agrees(struct way *way, struct span id)
{
    struct span last = { NULL, 0 };

    if (span_empty(id))
        return false;
    for (uint32_t i = 0; i < way->count; i++) {
        if (id.at == NULL)
            return false;
        struct span one   = span_split(&id, '.');
        struct span name  = span_split(&one, ':');
        if (!span_eq(name, way->steps[i].name))
            return false;
        way->steps[i].slice = last = one;
    }
    return id.at == NULL && span_eq(last, way->slice);
}

static bool
read_way(struct generator *g, const struct tape *t, tape_node element, struct way *way)
{
    struct span rest;

    *way       = (struct way){ .count = 0 };
    way->path  = rest = tape_member_text(t, element, SPAN("path"), g->c->arena);
    way->slice = tape_member_text(t, element, SPAN("sliceName"), g->c->arena);
    while (rest.at != NULL) {
        if (way->count == TREE_SEGMENTS)
            return compile_broken(g->c, SPAN("want at most 32 names in a path"), way->path);
        struct span name = span_split(&rest, '.');
        if (span_empty(name))
            return compile_broken(g->c, SPAN("want a name before and behind every dot of a path"), way->path);
        way->steps[way->count++].name = name;
    }
    way->by_id = id_agrees(way, tape_member_text(t, element, SPAN("id"), g->c->arena));
    if (way->count == 0 || !span_eq(way->steps[0].name, g->tree->root->name))
        return compile_broken(g->c, SPAN("want every path of the differential to begin with the type"), way->path);
    return true;
}

static struct part *
follow(struct generator *g, const struct way *way)
{
    struct part *part = g->tree->root;
    bool         same = !way->by_id;         /* still on the way of the element before */

    for (uint32_t i = 1; part != NULL && i < way->count; i++) {
        bool         last = i + 1 == way->count;
        struct part *met  = same && !last && i < g->depth ? g->stack[i] : NULL;
        if (met != NULL && span_eq(met->name, way->steps[i].name)) {
            part = met;
            continue;
        }
        part = child_for(g, part, way, i);
        struct span slice = way->by_id ? way->steps[i].slice : last ? way->slice : (struct span){ NULL, 0 };
        if (part != NULL && !span_empty(slice) && !span_eq(part->slice, slice))
            part = slice_for(g, part, slice);
        same = same && i < g->depth && g->stack[i] == part;
        g->stack[i] = part;
    }
    g->stack[0] = g->tree->root;
    g->depth    = way->count;
    return part;
}

/* ---- S4: choices --------------------------------------------------------------------------- */

/* The choice that valueQuantity is short for, when Quantity is one of its types. */
static struct part *
choice_for(struct generator *g, const struct part *parent, struct span name, struct value *type)
{
    for (struct part *child = parent->children; child != NULL; child = child->next) {
        struct span stem = child->name;
        if (!span_ends(stem, SPAN("[x]")) || child->details == NULL)
            continue;
        stem.length -= 3;
        const struct details *details = child->origin != NULL && child->origin->details != NULL ? child->origin->details : child->details;
        *type = value_type_named(g->c, details->all[DETAIL_TYPE], stem, name);
        if (type->tape != NULL)
            return child;
    }
    return NULL;
}

/* Whose slicing nobody states is closed, and has the types that are named. */
static struct part *
short_form(struct generator *g, struct part *choice, struct span name, struct value type)
{
    struct value now     = choice->details->all[DETAIL_TYPE];
    bool         implied = choice->details->all[DETAIL_SLICING].tape == NULL;

    if (implied && choice->slices == NULL && now.tape != NULL && tape_children(now.tape, now.node) == 1)
        return choice;                       /* there is nothing left to tell apart */
    if (part_slice(choice, name) == NULL && (implied || choice->narrowed)) {
        struct value types = choice->narrowed ? value_types_join(g->c, choice->details->all[DETAIL_TYPE], type) : type;
        choice->details      = details_with(g->c, choice->details, DETAIL_TYPE, types);
        if (choice->details != NULL && implied)
            choice->details = details_with(g->c, choice->details, DETAIL_SLICING, value_slicing_by_type(g->c, true));
        choice->narrowed = true;
    }
    return choice->details != NULL ? slice_for(g, choice, name) : NULL;
}

static struct part *
child_for(struct generator *g, struct part *parent, const struct way *way, uint32_t at)
{
    struct span  name = way->steps[at].name;
    struct value type;

    if (parent->children == NULL && !expand(g, parent, name))
        return NULL;
    struct part *child = part_child(parent, name);
    if (child == NULL && (child = choice_for(g, parent, name, &type)) != NULL)
        return short_form(g, child, name, type);
    if (child == NULL && g->grows && at + 1 == way->count)
        return tree_new_child(g->tree, parent, name);
    if (child == NULL)
        compile_broken(g->c, SPAN("want every path of the differential to name an element of the base"), way->path);
    return child;
}

/* ---- S3, S5: slices ------------------------------------------------------------------------ */

/* Nobody says how they are told apart, and there is only one way. */
static bool
imply_slicing(struct generator *g, struct part *of)
{
    bool         extension = span_eq_text(of->name, "extension") || span_eq_text(of->name, "modifierExtension");
    struct value types     = of->details != NULL ? of->details->all[DETAIL_TYPE] : (struct value){ NULL, TAPE_ABSENT };
    bool         one_type  = types.tape != NULL && tape_children(types.tape, types.node) == 1;

    if (!span_empty(of->slice) || (of->details != NULL && of->details->all[DETAIL_SLICING].tape != NULL))
        return true;
    if (!extension && !span_ends(of->name, SPAN("[x]")))
        return true;
    of->details = details_with(g->c, of->details, DETAIL_SLICING, extension ? value_slicing_by_url(g->c) : value_slicing_by_type(g->c, one_type));
    return of->details != NULL;
}

static struct part *
new_slice(struct generator *g, struct part *of, struct span slice)
{
    static const struct value none = { NULL, TAPE_ABSENT };
    struct part              *part = tree_new_slice(g->tree, of, slice);

    if (part == NULL || !imply_slicing(g, of))
        return NULL;
    of->sliced = true;
    part->details = details_with(g->c, part->details, DETAIL_SLICING, none);
    if (part->details != NULL)
        part->details = details_with(g->c, part->details, DETAIL_MIN, value_from(g->c, 0));
    if (part->details != NULL && span_ends(part->name, SPAN("[x]"))) {
        struct span  stem = span_first(part->name, part->name.length - 3);
        struct value type = value_type_named(g->c, part->details->all[DETAIL_TYPE], stem, slice);
        if (type.tape != NULL)
            part->details = details_with(g->c, part->details, DETAIL_TYPE, type);
    }
    return part->details != NULL ? part : NULL;
}

static struct part *
slice_for(struct generator *g, struct part *of, struct span slice)
{
    struct part *part = part_slice(of, slice);

    if (part != NULL)
        return part;
    size_t bar = span_find_last_byte(slice, '/');
    if (bar != SPAN_NOT_FOUND && (part = part_slice(of, span_first(slice, bar))) != NULL)
        of = part;
    return new_slice(g, of, slice);
}

/* What is sliced is there as often as its slices must be. */
static bool
count_slices(struct generator *g, struct part *part)
{
    uint64_t sum = 0;

    for (struct part *slice = part->slices; slice != NULL; slice = slice->next) {
        sum += details_min(slice->details);
        if (!count_slices(g, slice))
            return false;
    }
    if (sum > details_min(part->details) && sum <= INT32_MAX && part->details != NULL && part->sliced && !part->stated)
        part->details = details_with(g->c, part->details, DETAIL_MIN, value_from(g->c, (uint32_t)sum));
    for (struct part *child = part->children; child != NULL; child = child->next)
        if (!count_slices(g, child))
            return false;
    return !arena_spent(g->c->arena);
}

/* ---- S2: into types ------------------------------------------------------------------------- */

/* The element that "#Questionnaire.item" names, as the base has it. */
static const struct part *
content_named(struct generator *g, struct span reference)
{
    size_t             hash = span_find_byte(reference, '#');
    struct span        rest = hash != SPAN_NOT_FOUND ? span_skip(reference, hash + 1) : reference;
    const struct part *part = g->tree->root;

    (void)span_split(&rest, '.');
    while (part != NULL && rest.at != NULL)
        part = part_child(part, span_split(&rest, '.'));
    return part != NULL && part->origin != NULL ? part->origin : part;
}

static const struct part *
type_tree(struct generator *g, struct span code, bool *known)
{
    if (span_starts(code, SPAN(SYSTEM)))
        code = SPAN("Element");
    if (span_find_byte(code, ':') != SPAN_NOT_FOUND)
        return snapshot_tree(g->c, code, known);
    return snapshot_tree(g->c, arena_join(g->c->arena, SPAN(TYPE_URL), code), known);
}

/* Of several types the first that has such a child: id and extension are in all
 * of them, and a choice may be constrained below one of its types. */
static const struct part *
type_with(struct generator *g, struct value types, struct span child, bool *known)
{
    for (tape_node n = tape_first(types.tape, types.node); n != TAPE_ABSENT; n = tape_next(types.tape, n)) {
        const struct part *tree = type_tree(g, tape_member_text(types.tape, n, SPAN("code"), g->c->arena), known);
        if (tree == NULL ? *known : part_child(tree, child) != NULL)
            return tree;
    }
    return type_tree(g, SPAN("Element"), known);
}

/* What an element of these types has below it: of one profile, of one type. */
static const struct part *
common_tree(struct generator *g, struct value types, struct span child, bool *known)
{
    const struct tape *t       = types.tape;
    tape_node          first   = tape_first(t, types.node);
    struct span        code    = tape_member_text(t, first, SPAN("code"), g->c->arena);
    tape_node          profile = tape_member(t, first, SPAN("profile"));
    const struct part *tree    = NULL;

    *known = false;
    if (tape_children(t, types.node) == 1 && tape_children(t, profile) == 1)
        tree = snapshot_tree(g->c, tape_text(t, tape_first(t, profile), g->c->arena), known);
    if (tree != NULL || *known)
        return tree;
    return tape_children(t, types.node) == 1 ? type_tree(g, code, known) : type_with(g, types, child, known);
}

static bool
expand(struct generator *g, struct part *part, struct span child)
{
    static const struct details none;
    const struct details *details   = part->details != NULL ? part->details : &none;
    struct span         content = value_text(details->all[DETAIL_CONTENT], g->c->arena);
    const struct part  *from;
    bool                known   = false;

    if (!span_empty(content)) {
        from = content_named(g, content);
        if (from != NULL && from->details != NULL)
            part->details = details_with(g->c, details_with(g->c, details, DETAIL_CONTENT, none.all[0]), DETAIL_TYPE,
                                     from->details->all[DETAIL_TYPE]);
    } else if (details->all[DETAIL_TYPE].tape != NULL) {
        from = common_tree(g, details->all[DETAIL_TYPE], child, &known);
    } else {
        return g->grows;                     /* a new element whose children follow */
    }
    if (from == NULL && !known)
        return g->grows || compile_broken(g->c, SPAN("want the type of an element whose children are constrained"), part->name);
    return from != NULL && tree_copy_children(g->tree, part, from);
}

/* ---- S6: what it says ------------------------------------------------------------------------ */

static bool
apply(struct generator *g, struct part *part, const struct tape *t, tape_node element)
{
    struct details stated = details_read(t, element);

    part->stated = true;
    part->details  = details_merge(g->c, part->details, &stated);
    if (part->details != NULL && part->details->all[DETAIL_BASE].tape == NULL) {
        struct span path = tape_member_text(t, element, SPAN("path"), g->c->arena);
        part->details      = details_with(g->c, part->details, DETAIL_BASE, value_base(g->c, path, part->details));
    }
    return part->details != NULL;
}
