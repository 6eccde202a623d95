/* fhir/compile_profiles.c -- StructureDefinitions -> profiles and trees of nodes.
 *
 *     enlist    a profile for every StructureDefinition; where extensions may stand
 *     types     what the elements and shapes of types ask beyond structure
 *     trees     snapshots of constraints -> twigs -> nodes
 *     link      urls -> profiles; the table of urls; tests of slices
 */
#include "fhir/compile_profiles.h"

#include <string.h>

#include "fhir/snapshot.h"

static bool enlist(struct compiler *, const struct definition *, uint32_t *profile);
static bool compile_definition(struct profiles_compiler *, const struct definition *, uint32_t profile, bool constraints);
static bool compile_type(struct profiles_compiler *, const struct definition *, uint32_t profile);
static bool compile_tree(struct profiles_compiler *, const struct definition *, uint32_t profile);
static bool fill_slots(struct compiler *);
static void mark_slots(struct compiler *);
static bool add_globals(struct compiler *, const struct definition *);
static void link_canonicals(struct compiler *);

bool
compile_profiles(struct compiler *c)
{
    struct profiles_compiler p    = { .c = c };
    uint32_t                *mine = arena_make_n(c->arena, (size_t)c->definition_count + 1, uint32_t);
    bool                     good = mine != NULL;

    for (uint32_t i = 0; good && i < c->definition_count; i++)
        good = enlist(c, &c->definitions[i], &mine[i]);
    /* Types first: what a profile asks is compared with them. */
    for (uint32_t i = 0; good && i < c->definition_count; i++)
        good = compile_definition(&p, &c->definitions[i], mine[i], false);
    for (uint32_t i = 0; good && i < c->definition_count; i++)
        good = compile_definition(&p, &c->definitions[i], mine[i], true);
    if (!good || !fill_slots(c))
        return false;
    mark_slots(c);
    link_canonicals(c);
    for (uint32_t i = 0; good && i < c->definition_count; i++)
        if (c->definitions[i].kind == DEFINITION_GUIDE)
            good = add_globals(c, &c->definitions[i]);
    return good && compile_tests(&p);
}

static bool
compile_definition(struct profiles_compiler *p, const struct definition *d, uint32_t profile, bool constraints)
{
    struct compiler *c = p->c;

    if (profile == PACK_NONE)
        return true;
    const struct pack_profile *mine = COMPILE_AT(c, PACK_PROFILES, struct pack_profile, profile);
    bool                       constraint = mine->flags & PROFILE_CONSTRAINT;
    if (mine->structure == PACK_NONE || constraint != constraints
        || COMPILE_AT(c, PACK_STRUCTURES, struct pack_structure, mine->structure)->kind == PACK_PRIMITIVE)
        return true;
    c->id   = arena_format(c->arena, "StructureDefinition/%.*s", SPAN_PRINT(compile_span(c, mine->name)));
    p->base = !constraint;
    return constraint ? compile_tree(p, d, profile) : compile_type(p, d, profile);
}

/* ---- by name ------------------------------------------------------------------------------ */

uint32_t
compile_structure_named(const struct compiler *c, struct span name)
{
    struct pack             view = compile_view(c);
    const struct pack_slot *slot = pack_slot_of(&view, &view.shapes[c->names_shape], tape_key_of(name), name);

    return slot == NULL ? PACK_NONE : slot->element;
}

uint32_t
compile_profile_named(const struct compiler *c, struct span canonical)
{
    struct pack view = compile_view(c);

    return pack_profile_named(&view, canonical);
}

/* ---- enlist --------------------------------------------------------------------------------- */

static bool
add_context(struct compiler *c, enum pack_context_kind kind, struct span expression)
{
    struct pack_context one = { .kind = kind, .expression = compile_text(c, expression) }, *mine;

    if (kind >= CONTEXT_FHIRPATH && !compile_program(c, one.expression, &one.program, &one.program_words))
        return false;
    if ((mine = COMPILE_APPEND(c, PACK_CONTEXTS, struct pack_context)) == NULL)
        return false;
    *mine = one;
    return true;
}

static bool
add_contexts(struct compiler *c, const struct tape *t, tape_node definition, struct pack_profile *profile)
{
    tape_node contexts = tape_member(t, definition, SPAN("context")), invariants = tape_member(t, definition, SPAN("contextInvariant"));

    profile->first_context = compile_count(c, PACK_CONTEXTS);
    for (tape_node n = tape_first(t, contexts); n != TAPE_ABSENT; n = tape_next(t, n), profile->context_count++) {
        struct span            type = tape_member_text(t, n, SPAN("type"), c->arena);
        enum pack_context_kind kind = span_eq_text(type, "extension") ? CONTEXT_EXTENSION
                                    : span_eq_text(type, "fhirpath")  ? CONTEXT_FHIRPATH : CONTEXT_ELEMENT;
        if (!add_context(c, kind, tape_member_text(t, n, SPAN("expression"), c->arena)))
            return false;
    }
    for (tape_node n = tape_first(t, invariants); n != TAPE_ABSENT; n = tape_next(t, n), profile->invariant_count++)
        if (!add_context(c, CONTEXT_INVARIANT, tape_text(t, n, c->arena)))
            return false;
    return true;
}

static bool
is_modifier(const struct tape *t, tape_node definition)
{
    tape_node list = tape_member(t, tape_member(t, definition, SPAN("snapshot")), SPAN("element"));

    if (list == TAPE_ABSENT)
        list = tape_member(t, tape_member(t, definition, SPAN("differential")), SPAN("element"));
    return tape_kind(t, tape_member(t, tape_first(t, list), SPAN("isModifier"))) == TAPE_TRUE;
}

static bool
enlist(struct compiler *c, const struct definition *d, uint32_t *profile)
{
    const struct tape  *t    = d->tape;
    struct span         type = tape_member_text(t, d->node, SPAN("type"), c->arena);
    struct pack_profile one  = {
        .url = compile_text(c, d->url), .version = compile_text(c, d->version), .type = compile_text(c, type),
        .name = compile_text(c, tape_member_text(t, d->node, SPAN("name"), c->arena)),
        .structure = compile_structure_named(c, type), .node = PACK_NONE,
    };
    struct pack_profile *mine;

    *profile = PACK_NONE;
    if (d->kind != DEFINITION_STRUCTURE || span_empty(d->url))      /* nobody can name it */
        return true;
    if (tape_kind(t, tape_member(t, d->node, SPAN("abstract"))) == TAPE_TRUE)
        one.flags |= PROFILE_ABSTRACT;
    if (tape_text_eq(t, tape_member(t, d->node, SPAN("derivation")), SPAN("constraint")))
        one.flags |= PROFILE_CONSTRAINT;
    if ((one.flags & PROFILE_CONSTRAINT) && span_eq_text(type, "Extension"))
        one.flags |= PROFILE_EXTENSION | (is_modifier(t, d->node) ? PROFILE_MODIFIER : 0);
    if (!add_contexts(c, t, d->node, &one))
        return false;
    if ((mine = COMPILE_APPEND(c, PACK_PROFILES, struct pack_profile)) == NULL)
        return false;
    *mine    = one;
    *profile = compile_count(c, PACK_PROFILES) - 1;
    return true;
}

/* ---- twigs ---------------------------------------------------------------------------------- */

/* The elements of a snapshot that are open: the one of each depth in which
 * what follows stands. */
struct open { struct twig *at[COMPILE_PATH_DEPTH]; uint32_t depth; };

static uint32_t
dots_in(struct span path)
{
    uint32_t dots = 0;

    for (size_t i = 0; i < path.length; i++)
        dots += path.at[i] == '.';
    return dots;
}

static struct twig *
twig_new(struct profiles_compiler *p, tape_node at, struct span path)
{
    struct twig *twig = arena_make(p->c->arena, struct twig);

    if (twig != NULL) {
        twig->at      = at;
        twig->path    = path;
        twig->element = twig->shape = PACK_NONE;
        twig->node    = compile_no_node();
    }
    return twig;
}

static struct span
last_name(struct span path)
{
    size_t dot = span_find_last_byte(path, '.');

    return dot == SPAN_NOT_FOUND ? path : span_skip(path, dot + 1);
}

/* The element of a shape by its name ("value[x]"), or by a member's name
 * ("valueQuantity"), which says a type as well. */
static uint32_t
element_named(const struct compiler *c, uint32_t shape, struct span name, uint32_t *type)
{
    struct pack              view = compile_view(c);
    const struct pack_shape *s    = shape == PACK_NONE ? NULL : &view.shapes[shape];

    *type = PACK_NONE;
    for (uint32_t i = 0; s != NULL && i < s->element_count; i++)
        if (span_eq(compile_span(c, view.elements[s->first_element + i].name), name))
            return s->first_element + i;
    const struct pack_slot *slot = s == NULL ? NULL : pack_slot_of(&view, s, tape_key_of(name), name);
    if (slot == NULL || (slot->flags & (SLOT_SHADOW | SLOT_RESOURCE_TYPE)))
        return PACK_NONE;
    *type = view.elements[s->first_element + slot->element].first_type + slot->type;
    return s->first_element + slot->element;
}

/* Where the children of a twig stand: in its one type, or in its element's
 * own place. */
static void
find_content(struct profiles_compiler *p, struct twig *twig, uint32_t type)
{
    const struct compiler     *c    = p->c;
    const struct pack_element *e    = COMPILE_AT(c, PACK_ELEMENTS, struct pack_element, twig->element);
    const struct pack_type    *base = COMPILE_AT(c, PACK_TYPES, struct pack_type, type != PACK_NONE ? type : e->first_type);
    tape_node                  list = tape_member(p->t, twig->at, SPAN("type"));
    struct span                code = tape_member_text(p->t, tape_first(p->t, list), SPAN("code"), c->arena);
    bool                       one  = tape_children(p->t, list) == 1;

    uint32_t structure = one ? compile_structure_named(c, code) : PACK_NONE;
    const struct pack_structure *named = structure != PACK_NONE ? COMPILE_AT(c, PACK_STRUCTURES, struct pack_structure, structure) : NULL;
    bool backbone = base->kind == TYPE_COMPLEX
                 && (span_eq_text(compile_span(c, base->code), "BackboneElement") || span_eq_text(compile_span(c, base->code), "Element"));
    twig->own_shape = backbone;
    twig->shape     = PACK_NONE;
    if (backbone)
        twig->shape = base->shape;
    else if (type != PACK_NONE || (!one && e->type_count == 1))
        twig->shape = base->kind == TYPE_PRIMITIVE ? c->element_shape : base->shape;
    else if (named != NULL)
        twig->shape = named->kind == PACK_PRIMITIVE ? c->element_shape : named->shape;
    else if (one)                                        /* a system type */
        twig->shape = c->element_shape;
}

static void
add_child(struct twig *parent, struct twig *child)
{
    if (parent->last_child != NULL)
        parent->last_child->next = child;
    else
        parent->first_child = child;
    parent->last_child = child;
}

static void
add_slice(struct twig *of, struct twig *slice)
{
    slice->sliced = of;
    if (of->last_slice != NULL)
        of->last_slice->next = slice;
    else
        of->first_slice = slice;
    of->last_slice = slice;
}

static struct twig *
child_of(const struct twig *parent, uint32_t element)
{
    struct twig *child = parent->first_child;

    while (child != NULL && child->element != element)
        child = child->next;
    return child;
}

/* "a/b" is a slice of the slice "a" (R4 profiling.html#resliced). */
static struct twig *
sliced_by(struct twig *child, struct span name)
{
    for (bool deeper = true; deeper;) {
        deeper = false;
        for (struct twig *s = child->first_slice; s != NULL && !deeper; s = s->next)
            if (name.length > s->slice.length && span_starts(name, s->slice) && name.at[s->slice.length] == '/') {
                child  = s;
                deeper = true;
            }
    }
    return child;
}

/* One ElementDefinition into the tree; false only for lack of memory or a
 * definition that is broken. */
static bool
grow_twig(struct profiles_compiler *p, struct open *open, tape_node node)
{
    struct compiler *c     = p->c;
    struct span      path  = tape_member_text(p->t, node, SPAN("path"), c->arena);
    struct span      slice = tape_member_text(p->t, node, SPAN("sliceName"), c->arena);
    uint32_t         depth = dots_in(path), type;

    if (depth == 0 || depth >= COMPILE_PATH_DEPTH || depth > open->depth + 1)
        return compile_broken(c, SPAN("want every element below its parent"), path);
    struct twig *parent  = open->at[depth - 1];
    uint32_t     element = element_named(c, parent->shape, last_name(path), &type);
    struct twig *child   = element != PACK_NONE ? child_of(parent, element) : NULL;
    open->depth = depth;
    /* Below a type that is not known nothing can be asked of. */
    if (element == PACK_NONE) {
        open->at[depth] = twig_new(p, TAPE_ABSENT, path);
        return open->at[depth] != NULL;
    }
    bool whole = span_empty(slice) && type == PACK_NONE;
    if (child == NULL) {
        if ((child = twig_new(p, whole ? node : TAPE_ABSENT, path)) == NULL)
            return false;
        child->element = element;
        find_content(p, child, PACK_NONE);
        add_child(parent, child);
    }
    if (whole) {
        open->at[depth] = child;
        return child->at != node || compile_node(p, child);
    }
    struct twig *mine = twig_new(p, node, path);
    if (mine == NULL)
        return false;
    mine->element = element;
    mine->slice   = span_empty(slice) ? last_name(path) : slice;
    find_content(p, mine, type);
    struct twig *of = sliced_by(child, mine->slice);
    if (++of->slice_count > SNAPSHOT_SLICES)
        return compile_broken(c, SPAN("want at most 2000 slices of an element"), path);
    add_slice(of, mine);
    open->at[depth] = mine;
    return compile_node(p, mine);
}

static struct twig *
read_snapshot(struct profiles_compiler *p, const struct definition *d, uint32_t structure)
{
    tape_node   list;
    struct open open = { .depth = 0 };

    if (!compile_snapshot(p->c, d, &p->t, &list))
        return NULL;
    tape_node first = tape_first(p->t, list);
    if (first == TAPE_ABSENT) {
        compile_broken(p->c, SPAN("want a snapshot with elements"), SPAN("have none"));
        return NULL;
    }
    struct twig *root = twig_new(p, first, tape_member_text(p->t, first, SPAN("path"), p->c->arena));
    if (root == NULL)
        return NULL;
    root->shape = COMPILE_AT(p->c, PACK_STRUCTURES, struct pack_structure, structure)->shape;
    open.at[0]  = root;
    if (!compile_node(p, root))
        return NULL;
    for (tape_node n = tape_next(p->t, first); n != TAPE_ABSENT; n = tape_next(p->t, n))
        if (!grow_twig(p, &open, n))
            return NULL;
    return root;
}

/* ---- types ------------------------------------------------------------------------------------ */

static uint32_t
append_node(struct compiler *c, const struct pack_node *node)
{
    struct pack_node *mine = COMPILE_APPEND(c, PACK_NODES, struct pack_node);

    if (mine == NULL)
        return PACK_NONE;
    *mine = *node;
    return compile_count(c, PACK_NODES) - 1;
}

/* Invariants of an element with children are asked of whatever stands in its
 * shape: what a contentReference names asks them too. */
static bool
note_asks(struct profiles_compiler *p, struct twig *twig)
{
    struct compiler *c = p->c;
    uint32_t         at;

    if (compile_node_asks(&twig->node)) {
        twig->node.path    = compile_text(c, twig->path);
        twig->node.element = twig->element;
        if ((at = append_node(c, &twig->node)) == PACK_NONE)
            return false;
        if (twig->element == PACK_NONE || twig->own_shape)
            COMPILE_AT(c, PACK_SHAPES, struct pack_shape, twig->shape)->node = at;
        else
            COMPILE_AT(c, PACK_ELEMENTS, struct pack_element, twig->element)->node = at;
    }
    for (struct twig *child = twig->first_child; child != NULL; child = child->next)
        if (!note_asks(p, child))
            return false;
    return true;
}

static bool
compile_type(struct profiles_compiler *p, const struct definition *d, uint32_t profile)
{
    uint32_t structure = COMPILE_AT(p->c, PACK_PROFILES, struct pack_profile, profile)->structure;

    struct twig *root = read_snapshot(p, d, structure);
    return root != NULL && note_asks(p, root);
}

/* ---- trees ------------------------------------------------------------------------------------ */

/* Slices are kept together: which one an item is in is asked of all of them. */
static bool
prune(struct profiles_compiler *p, struct twig *twig)
{
    tape_node   slicing = tape_member(p->t, twig->at, SPAN("slicing"));
    struct span rules   = tape_member_text(p->t, slicing, SPAN("rules"), p->c->arena);
    bool        slices  = false;

    if ((twig->node.flags & NODE_CARDINALITY) && twig->node.min > 0)
        twig->node.flags |= NODE_WANTED;
    if (twig->first_slice != NULL) {
        twig->node.flags |= span_eq_text(rules, "closed") ? NODE_CLOSED : span_eq_text(rules, "openAtEnd") ? NODE_AT_END : 0;
        twig->node.flags |= tape_kind(p->t, tape_member(p->t, slicing, SPAN("ordered"))) == TAPE_TRUE ? NODE_ORDERED : 0;
    }
    if (twig->slice.length > 0 && (span_eq_text(twig->slice, "@default") || span_ends(twig->slice, SPAN("/@default"))))
        twig->node.flags |= NODE_DEFAULT;
    twig->needed = compile_node_asks(&twig->node);
    for (struct twig *child = twig->first_child; child != NULL; child = child->next)
        twig->needed |= prune(p, child);
    for (struct twig *slice = twig->first_slice; slice != NULL; slice = slice->next) {
        slices |= prune(p, slice);
        twig->node.flags |= slice->node.flags & NODE_WANTED;
    }
    if (!slices && !(twig->node.flags & (NODE_CLOSED | NODE_ORDERED | NODE_AT_END)))
        twig->first_slice = NULL;
    return twig->needed |= twig->first_slice != NULL;
}

static bool place(struct profiles_compiler *, struct twig *, uint32_t at, struct span path);

/* The children in the order of their elements, side by side. */
static bool
place_children(struct profiles_compiler *p, struct twig *twig, uint32_t at, struct span path)
{
    struct twig *children[PACK_SHAPE_ELEMENTS] = { NULL };
    uint32_t     first_element, first = compile_count(p->c, PACK_NODES), count = 0;
    uint64_t     bits[2] = { 0, 0 };

    if (twig->shape == PACK_NONE)
        return true;
    first_element = COMPILE_AT(p->c, PACK_SHAPES, struct pack_shape, twig->shape)->first_element;
    for (struct twig *child = twig->first_child; child != NULL; child = child->next)
        if (child->needed && child->element - first_element < PACK_SHAPE_ELEMENTS)
            children[child->element - first_element] = child;
    for (uint32_t i = 0; i < PACK_SHAPE_ELEMENTS; i++) {
        if (children[i] == NULL)
            continue;
        bits[i / 64] |= (uint64_t)1 << i % 64;
        if (append_node(p->c, &children[i]->node) == PACK_NONE)
            return false;
        count++;
    }
    struct pack_node *mine = COMPILE_AT(p->c, PACK_NODES, struct pack_node, at);
    mine->shape       = count > 0 ? twig->shape : PACK_NONE;
    mine->first_child = first;
    memcpy(mine->children, bits, sizeof bits);
    for (uint32_t i = 0, k = first; i < PACK_SHAPE_ELEMENTS; i++)
        if (children[i] != NULL
            && !place(p, children[i], k++, arena_join(p->c->arena, path, SPAN("."), last_name(children[i]->path))))
            return false;
    return true;
}

static bool
note_sliced(struct profiles_compiler *p, uint32_t at, tape_node slicing)
{
    if (p->sliced_count == p->sliced_room) {
        uint32_t room = p->sliced_room > 0 ? p->sliced_room * 2 : 256;
        p->sliced = arena_grow(p->c->arena, p->sliced, p->sliced_room * sizeof *p->sliced, room * sizeof *p->sliced);
        if (p->sliced == NULL)
            return false;
        p->sliced_room = room;
    }
    p->sliced[p->sliced_count++] = (struct sliced){ at, p->t, slicing };
    return true;
}

static bool
place_slices(struct profiles_compiler *p, struct twig *twig, uint32_t at, struct span path)
{
    uint32_t first = compile_count(p->c, PACK_NODES), count = 0;

    for (struct twig *slice = twig->first_slice; slice != NULL; slice = slice->next, count++)
        if (append_node(p->c, &slice->node) == PACK_NONE)
            return false;
    struct pack_node *mine = COMPILE_AT(p->c, PACK_NODES, struct pack_node, at);
    mine->first_slice = first;
    mine->slice_count = count;
    for (struct twig *slice = twig->first_slice; slice != NULL; slice = slice->next)
        if (!place(p, slice, first++, arena_join(p->c->arena, path, SPAN(":"), slice->slice)))
            return false;
    return count == 0 || note_sliced(p, at, tape_member(p->t, twig->at, SPAN("slicing")));
}

static bool
place(struct profiles_compiler *p, struct twig *twig, uint32_t at, struct span path)
{
    struct pack_node *mine = COMPILE_AT(p->c, PACK_NODES, struct pack_node, at);
    struct pack_text  text = compile_text(p->c, path);

    *mine         = twig->node;
    mine->path    = text;
    mine->element = twig->element;
    return place_children(p, twig, at, path) && place_slices(p, twig, at, path);
}

static bool
compile_tree(struct profiles_compiler *p, const struct definition *d, uint32_t profile)
{
    uint32_t structure = COMPILE_AT(p->c, PACK_PROFILES, struct pack_profile, profile)->structure;
    uint32_t at;

    struct twig *root = read_snapshot(p, d, structure);
    if (root == NULL)
        return false;
    if (!prune(p, root))
        return true;
    if ((at = append_node(p->c, &root->node)) == PACK_NONE)
        return false;
    COMPILE_AT(p->c, PACK_PROFILES, struct pack_profile, profile)->node = at;
    return place(p, root, at, root->path);
}

/* ---- urls -------------------------------------------------------------------------------------- */

static bool
fill_slots(struct compiler *c)
{
    uint32_t  count = compile_count(c, PACK_PROFILES), mask;
    uint32_t *slots = compile_slots(c, PACK_PROFILE_SLOTS, count, &mask);

    if (slots == NULL)
        return false;
    for (uint32_t i = 0; i < count; i++) {
        struct span url = compile_span(c, COMPILE_AT(c, PACK_PROFILES, struct pack_profile, i)->url);
        uint32_t    at  = (uint32_t)lookup_hash(url) & mask;
        while (slots[at] != 0)
            at = (at + 1) & mask;
        slots[at] = i + 1;
    }
    return true;
}

/* So that the walk sees at a member whether something is asked of it. */
static void
mark_slots(struct compiler *c)
{
    for (uint32_t i = 0; i < compile_count(c, PACK_SHAPES); i++) {
        const struct pack_shape *shape = COMPILE_AT(c, PACK_SHAPES, struct pack_shape, i);
        if (shape->structure == PACK_NONE)
            continue;
        for (uint32_t k = 0; k <= shape->slot_mask; k++) {
            struct pack_slot *slot = COMPILE_AT(c, PACK_SLOTS, struct pack_slot, shape->first_slot + k);
            if (slot->flags == 0 || (slot->flags & (SLOT_SHADOW | SLOT_RESOURCE_TYPE)))
                continue;
            const struct pack_element *e = COMPILE_AT(c, PACK_ELEMENTS, struct pack_element, shape->first_element + slot->element);
            slot->flags = pack_slot_flags(e, COMPILE_AT(c, PACK_TYPES, struct pack_type, e->first_type + slot->type), false);
        }
    }
}

/* The node of an element of a profile: its tree begins at the root and comes
 * in one piece.  Only definitions that name elements pay for the search. */
static uint32_t
node_of(const struct compiler *c, uint32_t root, struct pack_text path)
{
    for (uint32_t i = root; root != PACK_NONE && i < compile_count(c, PACK_NODES); i++) {
        const struct pack_node *n = COMPILE_AT(c, PACK_NODES, struct pack_node, i);
        if (i > root && n->element == PACK_NONE)
            break;                                       /* the next tree */
        if (n->path.offset == path.offset)
            return i;
    }
    return PACK_NONE;
}

/* ImplementationGuide.global: a profile for all resources of a type. */
static bool
add_globals(struct compiler *c, const struct definition *d)
{
    tape_node list = tape_member(d->tape, d->node, SPAN("global"));

    for (tape_node n = tape_first(d->tape, list); n != TAPE_ABSENT; n = tape_next(d->tape, n)) {
        uint32_t  profile = compile_profile_named(c, tape_member_text(d->tape, n, SPAN("profile"), c->arena));
        uint32_t *one;
        if (profile == PACK_NONE)
            continue;
        if ((one = COMPILE_APPEND(c, PACK_GLOBALS, uint32_t)) == NULL)
            return false;
        *one = profile;
    }
    return true;
}

/* Also those of a base: what it lacked may be here. */
static void
link_canonicals(struct compiler *c)
{
    for (uint32_t i = 0; i < compile_count(c, PACK_CANONICALS); i++) {
        struct pack_canonical *one = COMPILE_AT(c, PACK_CANONICALS, struct pack_canonical, i);
        one->profile = compile_profile_named(c, compile_span(c, one->url));
        if (one->profile != PACK_NONE && one->element.length > 0)
            one->node = node_of(c, COMPILE_AT(c, PACK_PROFILES, struct pack_profile, one->profile)->node, one->element);
    }
}
