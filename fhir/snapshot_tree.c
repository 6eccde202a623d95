#include "fhir/snapshot_tree.h"

#include "base/json_writer.h"
#include "fhir/snapshot.h"

#define PATH_BYTES 4096u

static const struct { const char *member; enum detail_form form; } detail_members[DETAILS] = {
#define X(name, member, form) { member, form },
    DETAIL_LIST(X)
#undef X
};

/* What names an element. */
static const struct span names[] = { { "id", 2 }, { "path", 4 }, { "sliceName", 9 } };

static bool         place_part(struct tree *, struct part **stack, struct span path, struct span slice, struct part **out);
static struct part *copy_part(struct tree *, const struct part *from, bool with_slices);
static struct part *add_slice(struct tree *, struct part *of, struct part *slice);
static void         write_details(struct json_writer *, const struct details *);

/* ---- what an element says ---------------------------------------------------------------- */

/* DETAILS when no validator reads the member. */
static enum detail_kind
detail_named(struct span name)
{
    for (enum detail_kind i = 0; i < DETAILS; i++) {
        struct span member = span_of(detail_members[i].member);
        if (detail_members[i].form != DETAIL_CHOICE ? span_eq(name, member)
                                                : name.length > member.length && span_starts(name, member)
                                                      && name.at[member.length] >= 'A' && name.at[member.length] <= 'Z')
            return i;
    }
    return DETAILS;
}

static bool
asks_of_narrative(const struct tape *t, tape_node extensions)
{
    for (tape_node n = tape_first(t, extensions); n != TAPE_ABSENT; n = tape_next(t, n))
        if (tape_escaped(t, tape_member(t, n, SPAN("url")))
            || span_starts(tape_raw(t, tape_member(t, n, SPAN("url"))), SPAN("http://hl7.org/fhir/StructureDefinition/narrative-")))
            return true;
    return false;
}

struct details
details_read(const struct tape *t, tape_node element)
{
    struct details all = { 0 };

    for (tape_node n = tape_first(t, element); n != TAPE_ABSENT; n = tape_next(t, n)) {
        enum detail_kind kind = detail_named(tape_raw(t, tape_name(t, n)));
        if (kind != DETAILS && (kind != DETAIL_EXTENSION || asks_of_narrative(t, n)))
            all.all[kind] = (struct value){ t, n };
    }
    return all;
}

/* ---- parts ------------------------------------------------------------------------------- */

static struct part *
new_part(struct tree *tree)
{
    struct compiler *c = tree->compiler;

    if (tree->count >= SNAPSHOT_ELEMENTS) {
        compile_broken(c, SPAN("want at most 20000 elements in a snapshot"), SPAN("have more"));
        return NULL;
    }
    tree->count++;
    return arena_make(c->arena, struct part);
}

static struct part *
add_to(struct part **first, struct part **last, struct part *part)
{
    if (part == NULL)
        return NULL;
    if (*last != NULL)
        (*last)->next = part;
    else
        *first = part;
    *last = part;
    return part;
}

struct part *
tree_new_child(struct tree *tree, struct part *parent, struct span name)
{
    struct part *part = add_to(&parent->children, &parent->last_child, new_part(tree));

    if (part != NULL)
        part->name = name;
    return part;
}

static struct part *
add_slice(struct tree *tree, struct part *of, struct part *slice)
{
    if (++of->slice_count > SNAPSHOT_SLICES) {
        compile_broken(tree->compiler, SPAN("want at most 2000 slices of an element"), of->name);
        return NULL;
    }
    return add_to(&of->slices, &of->last_slice, slice);
}

struct part *
tree_new_slice(struct tree *tree, struct part *of, struct span slice)
{
    struct part *part = add_slice(tree, of, copy_part(tree, of, false));

    if (part == NULL)
        return NULL;
    part->slice = slice;
    if (of->origin != NULL && of->origin->details != NULL)
        part->details = of->origin->details;
    return part;
}

bool
tree_copy_children(struct tree *tree, struct part *to, const struct part *from)
{
    for (const struct part *child = from->children; child != NULL; child = child->next)
        if (add_to(&to->children, &to->last_child, copy_part(tree, child, true)) == NULL)
            return false;
    return true;
}

static struct part *
copy_part(struct tree *tree, const struct part *from, bool with_slices)
{
    struct part *part = new_part(tree);

    if (part == NULL)
        return NULL;
    part->name   = from->name;
    part->slice  = from->slice;
    part->details  = from->details;
    part->origin = from;
    part->stated = from->stated;
    part->sliced = from->sliced;
    if (!tree_copy_children(tree, part, from))
        return NULL;
    for (const struct part *slice = with_slices ? from->slices : NULL; slice != NULL; slice = slice->next)
        if (add_slice(tree, part, copy_part(tree, slice, true)) == NULL)
            return NULL;
    return part;
}

struct part *
part_child(const struct part *parent, struct span name)
{
    struct part *child = parent->children;

    while (child != NULL && !span_eq(child->name, name))
        child = child->next;
    return child;
}

/* Below the slices that its name begins with. */
struct part *
part_slice(const struct part *of, struct span slice)
{
    for (struct part *one = of->slices; one != NULL; one = one->next) {
        if (span_eq(one->slice, slice))
            return one;
        if (slice.length > one->slice.length && span_starts(slice, one->slice) && slice.at[one->slice.length] == '/') {
            struct part *inner = part_slice(one, slice);
            if (inner != NULL)
                return inner;
        }
    }
    return NULL;
}

/* ---- elements -> parts ------------------------------------------------------------------- */

struct value
value_base(struct compiler *c, struct span path, const struct details *details)
{
    static const struct tape_limits limits = { 1 << 16, 64, 4, 32 };
    const struct tape *t = NULL;
    struct json_writer w;
    struct value       min = details->all[DETAIL_MIN], max = details->all[DETAIL_MAX];

    json_writer_open(&w, c->arena);
    json_object(&w, NULL);
    json_text(&w, "path", path);
    if (min.tape != NULL)
        json_copy(&w, SPAN("min"), tape_extent(min.tape, min.node));
    if (max.tape != NULL)
        json_copy(&w, SPAN("max"), tape_extent(max.tape, max.node));
    json_end(&w);
    struct span json = json_writer_close(&w);
    if (span_empty(json) || tape_read(json, &limits, c->arena, &t, NULL) != ST_OK)
        return (struct value){ NULL, TAPE_ABSENT };
    return (struct value){ t, TAPE_ROOT };
}

static bool
read_element(struct tree *tree, struct part **stack, const struct tape *t, tape_node node)
{
    struct compiler *c     = tree->compiler;
    struct details    *details = arena_make(c->arena, struct details);
    struct span      path  = tape_member_text(t, node, SPAN("path"), c->arena);
    struct span      slice = tape_member_text(t, node, SPAN("sliceName"), c->arena);
    struct part     *part  = NULL;

    if (details == NULL || !place_part(tree, stack, path, slice, &part))
        return false;
    *details = details_read(t, node);
    if (details->all[DETAIL_BASE].tape == NULL)
        details->all[DETAIL_BASE] = value_base(c, path, details);
    part->details = details;
    return true;
}

bool
tree_read(struct tree *tree, const struct tape *t, tape_node elements)
{
    struct part *stack[TREE_SEGMENTS] = { NULL };

    for (tape_node n = tape_first(t, elements); n != TAPE_ABSENT; n = tape_next(t, n))
        if (!read_element(tree, stack, t, n))
            return false;
    return tree->root != NULL
        || compile_broken(tree->compiler, SPAN("want a snapshot with elements"), SPAN("have none"));
}

/* The part of value[x] that valueQuantity is short for. */
static struct part *
choice_child(const struct part *parent, struct span name)
{
    for (struct part *child = parent->children; child != NULL; child = child->next) {
        struct span stem = child->name;
        if (!span_ends(stem, SPAN("[x]")))
            continue;
        stem.length -= 3;
        if (name.length > stem.length && span_starts(name, stem) && name.at[stem.length] >= 'A'
            && name.at[stem.length] <= 'Z')
            return child;
    }
    return NULL;
}

static struct part *
slice_for(struct tree *tree, struct part *of, struct span slice)
{
    struct part *part = part_slice(of, slice);

    if (part != NULL)
        return part;
    size_t bar = span_find_last_byte(slice, '/');
    struct part *outer = bar != SPAN_NOT_FOUND ? part_slice(of, span_first(slice, bar)) : NULL;
    if (outer == NULL)
        outer = of;
    if ((part = add_slice(tree, outer, new_part(tree))) == NULL)
        return NULL;
    part->name  = of->name;
    part->slice = slice;
    return part;
}

/* Where an element of a snapshot stands: below the last one whose path is the
 * beginning of its own. */
static bool
place_part(struct tree *tree, struct part **stack, struct span path, struct span slice, struct part **out)
{
    struct span rest  = path;
    size_t      depth = 0;
    struct span name  = span_split(&rest, '.');

    for (; rest.at != NULL; depth++) {
        if (depth + 1 >= TREE_SEGMENTS || stack[depth] == NULL)
            return compile_broken(tree->compiler, SPAN("want the parent of every element before it"), path);
        name = span_split(&rest, '.');
    }
    if (span_empty(name) || (depth == 0) != (tree->root == NULL))
        return compile_broken(tree->compiler, SPAN("want the path of every element below the first one's"), path);
    struct part *part;
    if (depth == 0) {
        if ((part = tree->root = new_part(tree)) != NULL)
            part->name = name;
    } else {
        struct part *parent = stack[depth - 1], *twin = part_child(parent, name);
        struct part *choice = twin == NULL ? choice_child(parent, name) : NULL;
        if (choice != NULL)
            part = slice_for(tree, choice, name);
        else if (twin != NULL && !span_empty(slice))
            part = slice_for(tree, twin, slice);
        else
            part = tree_new_child(tree, parent, name);
    }
    stack[depth] = part;
    if (depth + 1 < TREE_SEGMENTS)
        stack[depth + 1] = NULL;
    *out = part;
    return part != NULL;
}

/* ---- parts -> elements ------------------------------------------------------------------- */

/* A path that grows and shrinks with the walk. */
struct trail { char at[PATH_BYTES]; size_t length; };

struct writing { struct json_writer w; struct trail path, id; bool failed; };

static void
trail_add(struct writing *to, struct trail *trail, struct span text)
{
    if (text.length > sizeof trail->at - trail->length)
        to->failed = true;
    if (to->failed || text.length == 0)
        return;
    memcpy(trail->at + trail->length, text.at, text.length);
    trail->length += text.length;
}

static void
write_part(struct writing *to, const struct part *part)
{
    size_t path = to->path.length, id = to->id.length;

    if (path > 0) {
        trail_add(to, &to->path, SPAN("."));
        trail_add(to, &to->id, SPAN("."));
    }
    trail_add(to, &to->path, part->name);
    trail_add(to, &to->id, part->name);
    if (!span_empty(part->slice)) {
        trail_add(to, &to->id, SPAN(":"));
        trail_add(to, &to->id, part->slice);
    }
    json_object(&to->w, NULL);
    json_text(&to->w, "id", span_from(to->id.at, to->id.length));
    json_text(&to->w, "path", span_from(to->path.at, to->path.length));
    json_text_if(&to->w, "sliceName", part->slice);
    if (part->details != NULL)
        write_details(&to->w, part->details);
    json_end(&to->w);
    for (const struct part *child = part->children; child != NULL; child = child->next)
        write_part(to, child);
    to->path.length = path;
    to->id.length   = id;
    for (const struct part *slice = part->slices; slice != NULL; slice = slice->next)
        write_part(to, slice);
}

struct span
tree_write(const struct tree *tree)
{
    struct compiler *c  = tree->compiler;
    struct writing  *to = arena_make(c->arena, struct writing);

    if (to == NULL)
        return (struct span){ NULL, 0 };
    json_writer_open(&to->w, c->arena);
    json_array(&to->w, NULL);
    write_part(to, tree->root);
    json_end(&to->w);
    struct span json = json_writer_close(&to->w);
    if (to->failed)
        compile_broken(c, SPAN("want paths of at most 4096 bytes"), SPAN("have a longer one"));
    return to->failed ? (struct span){ NULL, 0 } : json;
}

struct span
elements_strip(struct compiler *c, const struct tape *t, tape_node elements)
{
    struct json_writer w;

    json_writer_open(&w, c->arena);
    json_array(&w, NULL);
    for (tape_node n = tape_first(t, elements); n != TAPE_ABSENT; n = tape_next(t, n)) {
        struct details details = details_read(t, n);
        json_object(&w, NULL);
        for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
            tape_node text = tape_member(t, n, names[i]);
            if (text != TAPE_ABSENT)
                json_copy(&w, names[i], tape_extent(t, text));
        }
        write_details(&w, &details);
        json_end(&w);
    }
    json_end(&w);
    return json_writer_close(&w);
}

/* Members of an object but those that are for people. */
static void
write_object(struct json_writer *w, const struct tape *t, tape_node node, struct span without)
{
    for (tape_node n = tape_first(t, node); n != TAPE_ABSENT; n = tape_next(t, n)) {
        struct span name = tape_raw(t, tape_name(t, n));
        if (!span_eq(name, without) && !span_starts(name, SPAN("_")))
            json_copy(w, name, tape_extent(t, n));
    }
    json_end(w);
}

static void
write_details(struct json_writer *w, const struct details *details)
{
    for (enum detail_kind i = 0; i < DETAILS; i++) {
        struct value v = details->all[i];
        if (v.tape == NULL)
            continue;
        switch (detail_members[i].form) {
        case DETAIL_PLAIN:
            json_copy(w, span_of(detail_members[i].member), tape_extent(v.tape, v.node));
            break;
        case DETAIL_CHOICE:
            json_copy(w, tape_raw(v.tape, tape_name(v.tape, v.node)), tape_extent(v.tape, v.node));
            break;
        case DETAIL_OBJECT:
            json_object(w, detail_members[i].member);
            write_object(w, v.tape, v.node, SPAN("description"));
            break;
        case DETAIL_OBJECTS:
            json_array(w, detail_members[i].member);
            for (tape_node n = tape_first(v.tape, v.node); n != TAPE_ABSENT; n = tape_next(v.tape, n)) {
                json_object(w, NULL);
                write_object(w, v.tape, n, SPAN("xpath"));
            }
            json_end(w);
            break;
        }
    }
}
