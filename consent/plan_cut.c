/* consent/plan_cut.c -- a node goes, and what says nothing without it goes too. */
#include "consent/plan_evidence.h"

#include <string.h>

#include "base/json_walk.h"
#include "fhir/element.h"

/* ---- required.def as a table --------------------------------------------------- */

enum part_kind { PART_MIN, PART_SAYS, PART_UNLESS, PART_ANYOF };

struct part {
    const char    *type, *path;
    enum part_kind kind;
    const char    *others;               /* names with | between them */
};

static const struct part parts[] = {
#define MIN(type, path)            { type, path, PART_MIN, NULL },
#define SAYS(type, path)           { type, path, PART_SAYS, NULL },
#define UNLESS(type, path, others) { type, path, PART_UNLESS, others },
#define ANYOF(type, parent, names) { type, parent, PART_ANYOF, names },
#include "consent/required.def"
#undef MIN
#undef SAYS
#undef UNLESS
#undef ANYOF
};

static bool        is_shadow(const struct closure *, tape_node);
static bool        shadowed(const struct closure *, tape_node shadow);
static void        lose_shadow(struct closure *, tape_node shadow);
static void        lose_half(struct closure *, tape_node);
static bool        counts_losses(struct closure *);
static tape_node   falls_with(struct closure *, tape_node, struct why);
static bool        falls(const struct closure *, tape_node object, tape_node member);
static bool        part_asks(const struct closure *, const struct part *, tape_node object, struct span path);
static bool        path_matches(struct span path, const char *row, bool suffix);
static bool        any_left(const struct closure *, tape_node object, const char *names);
static void        withhold_resource(struct closure *, tape_node resource, struct why);
static void        contained_went(struct closure *, tape_node contained, struct why);
static void        record(struct closure *, tape_node, struct why);
static tape_node   outermost_extension(const struct closure *, tape_node);
static bool        is_resource(const struct closure *, tape_node);
static bool        is_datatype(const struct closure *, tape_node object);
static bool        emptied(const struct closure *, tape_node container);
static bool        lose(struct closure *, tape_node);
static void        follow(struct closure *, uint32_t entry);

enum status
closure_new(const struct plan_input *in, struct arena *arena, struct closure **out)
{
    struct closure *w     = arena_make(arena, struct closure);
    uint32_t     count = in->bundle->count;

    if (w == NULL)
        return ST_NO_MEMORY;
    w->in        = in;
    w->bundle    = in->bundle;
    w->tape      = in->bundle->tape;
    w->parents   = in->bundle->parents;
    w->arena     = arena;
    w->decisions = arena_make_n(arena, count, struct decision);
    w->mark      = arena_make_n(arena, (size_t)tape_count(w->tape) + 1, uint8_t);
    w->withheld  = arena_make_n(arena, count, bool);
    w->first     = arena_make_n(arena, count, bool);
    w->touched   = arena_make_n(arena, count, bool);
    w->queue     = arena_make_n(arena, count, uint32_t);
    w->told      = arena_make_n(arena, in->facts->program_count + 1, bool);
    if (arena_spent(arena))
        return ST_NO_MEMORY;
    for (uint32_t e = 0; e < count; e++)
        w->decisions[e] = in->first[e];
    *out = w;
    return ST_OK;
}

/* ---- cutting ------------------------------------------------------------------- */

/* Climbs from the node as long as what is around it falls with it, and
 * records the top of it.  Each step marks one node, so all cuts of a plan
 * together cost nodes times a table row. */
void
closure_cut(struct closure *w, tape_node node, struct why why)
{
    tape_node below = node;

    if (node == TAPE_ABSENT || closure_gone(w, node) || !counts_losses(w))
        return;
    for (;;) {
        uint32_t entry = bundle_entry_of(w->bundle, node);
        if (entry != ENTRY_NONE && (node == w->bundle->entries[entry].entry || node == w->bundle->root)) {
            closure_withhold(w, entry, why);
            return;
        }
        bool resource = is_resource(w, node), contained = resource && closure_named(w, node, SPAN("contained"));
        if (resource && !contained) {
            withhold_resource(w, node, why);
            return;
        }
        if (is_shadow(w, node)) {
            if (shadowed(w, node)) {
                record(w, below, why);                        /* the value stays; element_settle() tidies up */
                return;
            }
            lose_shadow(w, node);
            if (!emptied(w, w->parents[node])) {
                record(w, node, why);
                return;
            }
            below = node = w->parents[node];
            continue;
        }
        if (!lose(w, node))
            return;
        if (contained)
            contained_went(w, node, why);
        tape_node around = falls_with(w, node, why);
        if (around == TAPE_ABSENT || closure_gone(w, around)) {
            record(w, node, why);
            return;
        }
        below = node;
        node  = around;
    }
}

/* `_x` and its items: what stands beside a value. */
static bool
is_shadow(const struct closure *w, tape_node node)
{
    return span_starts(closure_name(w, node), SPAN("_"));
}

static bool
shadowed(const struct closure *w, tape_node shadow)
{
    return element_twin(w->tape, w->parents, shadow) != TAPE_ABSENT;
}

static void
lose_shadow(struct closure *w, tape_node shadow)
{
    if (!(w->mark[shadow] & MARK_GONE))
        lose_half(w, shadow);
}

/* What goes because this node went; ABSENT: nothing more. */
static tape_node
falls_with(struct closure *w, tape_node node, struct why why)
{
    tape_node parent = w->parents[node];

    if (tape_kind(w->tape, parent) == TAPE_ARRAY) {
        tape_node resource = closure_resource(w, parent);
        if (!closure_named(w, parent, SPAN("modifierExtension")))
            return emptied(w, parent) ? parent : TAPE_ABSENT;
        if (!span_eq_text(closure_type(w, resource), "Patient"))
            withhold_resource(w, resource, why);              /* C6: it might say the opposite without it */
        return TAPE_ABSENT;
    }
    tape_node extension = outermost_extension(w, parent);
    if (extension != TAPE_ABSENT && extension != node)
        return extension;
    return emptied(w, parent) || falls(w, parent, node) ? parent : TAPE_ABSENT;
}

void
closure_cut_text(struct closure *w, tape_node leaf, struct why why)
{
    tape_node unit     = closure_unit(w, leaf);
    tape_node resource = closure_resource(w, leaf);

    if (resource != TAPE_ABSENT && closure_named(w, resource, SPAN("contained")) && resource != unit
        && !closure_named(w, unit, SPAN("text"))) {
        closure_cut(w, resource, why);
        return;
    }
    if (resource != TAPE_ABSENT && w->parents[unit] == resource && closure_named(w, unit, SPAN("id"))) {
        withhold_resource(w, resource, why);                  /* without its id it is another resource */
        return;
    }
    if (closure_named(w, unit, SPAN("fullUrl"))) {
        closure_cut(w, w->parents[unit], why);
        return;
    }
    tape_node data  = tape_member(w->tape, unit, SPAN("data"));
    bool      photo = closure_in(w, leaf, SPAN("photo"));
    bool      file  = tape_kind(w->tape, unit) == TAPE_OBJECT && !photo
                && (data != TAPE_ABSENT || tape_member(w->tape, unit, SPAN("contentType")) != TAPE_ABSENT
                    || tape_member(w->tape, unit, SPAN("hash")) != TAPE_ABSENT
                    || tape_member(w->tape, unit, SPAN("title")) != TAPE_ABSENT);
    if (file && resource != TAPE_ABSENT && unit != resource
        && !span_eq_text(closure_type(w, resource), "Patient")) {
        why.rule = "C7";
        withhold_resource(w, resource, why);
        return;
    }
    closure_cut(w, unit, why);
}

void
closure_cut_reference(struct closure *w, const struct reference *r, struct why why)
{
    if (r->form == REFERENCE_URI)
        closure_cut_text(w, r->node, why);
    else
        closure_cut(w, closure_unit(w, r->node), why);
}

/* Room for them, from the first cut on; false: no memory. */
static bool
counts_losses(struct closure *w)
{
    if (w->lost == NULL && (w->lost = arena_make_n(w->arena, (size_t)tape_count(w->tape) + 1, uint32_t)) == NULL)
        w->spent = true;
    return w->lost != NULL;
}

static void
lose_half(struct closure *w, tape_node node)
{
    uint32_t entry = bundle_entry_of(w->bundle, node);

    w->mark[node] |= MARK_GONE;
    w->lost[w->parents[node]]++;
    if (entry != ENTRY_NONE)
        w->touched[entry] = true;
}

/* Marks the node and its other half; false when it was gone. */
static bool
lose(struct closure *w, tape_node node)
{
    if (w->mark[node] & MARK_GONE)
        return false;
    lose_half(w, node);
    tape_node twin = element_twin(w->tape, w->parents, node);
    if (twin != TAPE_ABSENT && !(w->mark[twin] & MARK_GONE))
        lose_half(w, twin);
    return true;
}

static bool
emptied(const struct closure *w, tape_node container)
{
    uint32_t left = 0;

    if (is_resource(w, container) && closure_named(w, container, SPAN("contained")))        /* it says nothing but its name */
        left = 1u + (tape_member(w->tape, container, SPAN("id")) != TAPE_ABSENT);
    return w->lost[container] + left >= tape_children(w->tape, container);
}

static void
record(struct closure *w, tape_node node, struct why why)
{
    struct plan_cut *more = arena_more(w->arena, w->cuts, w->cut_count, &w->cut_room, sizeof *more);

    if (more == NULL) {
        w->spent = true;
        return;
    }
    w->cuts = more;
    w->cuts[w->cut_count++] = (struct plan_cut){ node, why.rule, bundle_entry_of(w->bundle, node), why.cause,
                                                 span_of(why.because) };
}

void
closure_edit(struct closure *w, tape_node node, struct span json, const char *rule)
{
    struct plan_edit *more = arena_more(w->arena, w->edits, w->edit_count, &w->edit_room, sizeof *more);

    if (more == NULL) {
        w->spent = true;
        return;
    }
    w->edits = more;
    uint32_t entry = bundle_entry_of(w->bundle, node);
    w->edits[w->edit_count++] = (struct plan_edit){ node, json, rule, entry };
    if (entry != ENTRY_NONE)
        w->touched[entry] = true;
}

/* ---- what falls with a member -------------------------------------------------- */

static bool
falls(const struct closure *w, tape_node object, tape_node member)
{
    char        room[256], outer_room[256];
    tape_node   resource = closure_resource(w, object);
    struct span type     = closure_type(w, resource);
    struct span path     = closure_path(w, member, room, sizeof room);
    struct span outer    = closure_path(w, object, outer_room, sizeof outer_room);

    if (span_empty(path))
        return false;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        const struct part *p    = &parts[i];
        bool               star = p->type[0] == '*';
        if (!star && (span_empty(type) || type.at[0] != p->type[0] || !span_eq_text(type, p->type)))
            continue;
        struct span about = p->kind == PART_ANYOF ? outer : path;
        if (path_matches(about, p->path, star) && part_asks(w, p, object, path))
            return true;
    }
    return false;
}

static bool
part_asks(const struct closure *w, const struct part *p, tape_node object, struct span path)
{
    if (p->kind == PART_UNLESS)
        return !any_left(w, object, p->others);
    if (p->kind != PART_ANYOF)
        return true;
    /* The invariant speaks only when one of its own went. */
    struct span last = path;
    size_t      dot  = span_find_last_byte(path, '.');
    if (dot != SPAN_NOT_FOUND)
        last = span_skip(path, dot + 1);
    bool        mine = false;
    struct span rest = span_of(p->others);
    while (rest.at != NULL)
        mine = span_eq(span_split(&rest, '|'), last) || mine;
    return mine && !any_left(w, object, p->others);
}

static bool
path_matches(struct span path, const char *row, bool suffix)
{
    struct span want   = span_of(row);
    bool        choice = span_ends(want, SPAN("[x]"));

    if (suffix && path.length > want.length) {
        struct span tail = span_skip(path, path.length - want.length);
        return !choice && span_eq(tail, want) && path.at[path.length - want.length - 1] == '.';
    }
    if (!choice)
        return span_eq(path, want);
    struct span stem = span_first(want, want.length - 3);
    struct span type = span_skip(path, stem.length);
    return span_starts(path, stem) && type.length > 0 && type.at[0] >= 'A' && type.at[0] <= 'Z'
           && span_find_byte(type, '.') == SPAN_NOT_FOUND;
}

static bool
any_left(const struct closure *w, tape_node object, const char *names)
{
    struct span rest = span_of(names);

    while (rest.at != NULL) {
        struct element e = element_get(w->tape, object, span_split(&rest, '|'));
        if (e.value != TAPE_ABSENT && !(w->mark[e.value] & MARK_GONE))
            return true;
    }
    return false;
}

/* ---- resources that go --------------------------------------------------------- */

void
closure_withhold(struct closure *w, uint32_t entry, struct why why)
{
    const struct bundle_entry *e    = &w->bundle->entries[entry];
    tape_node                  node = e->entry != TAPE_ABSENT ? e->entry : w->bundle->root;

    if (w->withheld[entry])
        return;
    w->withheld[entry] = true;
    w->mark[node] |= MARK_GONE;
    if (!w->first[entry]) {
        record(w, node, why);
        if (w->decisions[entry].verdict > VERDICT_HOLD)
            w->decisions[entry] = (struct decision){ .verdict = VERDICT_DENY,
                                                     .rule    = RULE_CLOSURE,
                                                     .because = span_of(why.because) };
    }
    w->queue[w->queue_tail++] = entry;
}

static void
withhold_resource(struct closure *w, tape_node resource, struct why why)
{
    uint32_t  entry  = bundle_entry_of(w->bundle, resource);
    tape_node parent = w->parents[resource];

    if (resource == TAPE_ABSENT)
        return;
    if (entry != ENTRY_NONE && w->bundle->entries[entry].resource == resource)
        closure_withhold(w, entry, why);
    else if (closure_named(w, resource, SPAN("contained")))
        closure_cut(w, resource, why);
    else if (tape_kind(w->tape, parent) == TAPE_OBJECT)      /* of a nested Bundle's entry, a Parameters' parameter */
        closure_cut(w, parent, why);
}

/* A contained resource went: what refers to it goes (C2). */
static void
contained_went(struct closure *w, tape_node contained, struct why why)
{
    const struct references *refs = w->in->references;

    if (w->contained_of == NULL) {
        w->contained_of   = arena_make_n(w->arena, (size_t)tape_count(w->tape) + 1, uint32_t);
        w->contained_next = arena_make_n(w->arena, refs->count, uint32_t);
        if (arena_spent(w->arena)) {
            w->spent = true;
            return;
        }
        for (uint32_t i = 0; i < refs->count; i++) {
            tape_node to = refs->all[i].to_contained;
            if (to == TAPE_ABSENT)
                continue;
            w->contained_next[i] = w->contained_of[to];
            w->contained_of[to]  = i + 1;
        }
    }
    why.rule = "C2";
    for (uint32_t i = w->contained_of[contained]; i != 0; i = w->contained_next[i - 1])
        closure_cut_reference(w, &refs->all[i - 1], why);
}

void
closure_cut_inner(struct closure *w, tape_node resource)
{
    contained_went(w, resource, (struct why){ "C2", ENTRY_NONE, "it refers to something withheld" });
}

void
closure_drain(struct closure *w)
{
    while (w->queue_head < w->queue_tail && !w->spent)
        follow(w, w->queue[w->queue_head++]);
}

static void
follow(struct closure *w, uint32_t entry)
{
    const struct references   *refs  = w->in->references;
    const struct bundle_entry *e     = &w->bundle->entries[entry];
    uint32_t                   count = references_to(refs, entry);

    for (uint32_t i = 0; i < count; i++) {
        const struct reference *r = references_to_at(refs, entry, i);
        if (r->from != entry)
            closure_cut_reference(w, r, (struct why){ "C2", entry, "it refers to something withheld" });
    }
    if (w->edge_of != NULL)
        for (uint32_t i = w->edge_of[entry]; i != 0; i = w->edges[i - 1].next)
            closure_cut_text(w, w->edges[i - 1].node, (struct why){ "C5", entry, "it names something withheld" });
    if (span_empty(e->type) || span_empty(e->id))
        return;
    for (uint32_t same = bundle_find(w->bundle, e->type, e->id); same != ENTRY_NONE;
         same = bundle_next_same(w->bundle, same))
        if (evidence_same(w->bundle, entry, same))
            closure_withhold(w, same, (struct why){ "C1", entry, "it is another entry of the same resource" });
}

void
closure_edge_add(struct closure *w, tape_node node, uint32_t to)
{
    struct closure_edge *more = arena_more(w->arena, w->edges, w->edge_count, &w->edge_room, sizeof *more);

    if (more == NULL) {
        w->spent = true;
        return;
    }
    w->edges = more;
    w->edges[w->edge_count] = (struct closure_edge){ node, w->edge_of[to] };
    w->edge_of[to]          = ++w->edge_count;
}

void
closure_keep(struct closure *w, struct node_list *list, tape_node node)
{
    tape_node *more = arena_more(w->arena, list->all, list->count, &list->room, sizeof *more);

    if (more == NULL) {
        w->spent = true;
        return;
    }
    list->all = more;
    list->all[list->count++] = node;
}

/* ---- where a node stands -------------------------------------------------------- */

bool
closure_gone(const struct closure *w, tape_node node)
{
    for (; node != TAPE_ABSENT; node = w->parents[node])
        if (w->mark[node] & MARK_GONE)
            return true;
    return false;
}

/* Of an item that of its list. */
tape_node
closure_item_name(const struct closure *w, tape_node node)
{
    while (node != TAPE_ABSENT && walk_kind(w->tape, w->parents[node]) == TAPE_ARRAY)
        node = w->parents[node];
    return walk_name(w->tape, node);
}

struct span
closure_name(const struct closure *w, tape_node node)
{
    tape_node name = closure_name_node(w, node);

    return name == TAPE_ABSENT ? (struct span){ NULL, 0 } : walk_text(w->tape, name, w->arena);
}

bool
closure_in_key(const struct closure *w, tape_node node, uint32_t key, struct span name)
{
    for (; node != TAPE_ABSENT; node = w->parents[node])
        if (walk_named(w->tape, walk_name(w->tape, node), key, name))
            return true;
    return false;
}

bool
closure_text_is(const struct closure *w, tape_node node, const char *text)
{
    return tape_text_eq(w->tape, node, span_of(text));
}

static bool
is_resource(const struct closure *w, tape_node node)
{
    return tape_kind(w->tape, node) == TAPE_OBJECT
           && (node == w->bundle->root || closure_named(w, node, SPAN("contained")) || closure_named(w, node, SPAN("resource"))
               || closure_named(w, node, SPAN("outcome")))
           && tape_member(w->tape, node, SPAN("resourceType")) != TAPE_ABSENT;
}

tape_node
closure_resource(const struct closure *w, tape_node node)
{
    while (node != TAPE_ABSENT && !is_resource(w, node))
        node = w->parents[node];
    return node;
}

struct span
closure_type(const struct closure *w, tape_node resource)
{
    return tape_member_text(w->tape, resource, SPAN("resourceType"), w->arena);
}

/* R4 elements that contain themselves; their path is written once. */
static bool
repeats(struct span last, struct span name)
{
    static const char *const recursive[] = { "section", "item", "part", "provision", "action", "concept",
                                             "contains", NULL };

    return span_eq(last, name) && span_in(name, recursive);
}

struct span
closure_path(const struct closure *w, tape_node node, char *room, size_t size)
{
    struct span names[64] __attribute__((uninitialized));     /* read as far as they are counted */
    size_t      count = 0, length = 0;

    for (; node != TAPE_ABSENT && !is_resource(w, node); node = w->parents[node]) {
        tape_node name = tape_name(w->tape, node);
        if (name == TAPE_ABSENT)
            continue;
        if (count == sizeof names / sizeof names[0])
            return (struct span){ NULL, 0 };
        struct span text = tape_text(w->tape, name, w->arena);
        names[count++]   = text.length > 1 && text.at[0] == '_' ? span_skip(text, 1) : text;
    }
    struct span last = { NULL, 0 };
    for (size_t i = count; i-- > 0;) {
        if (repeats(last, names[i]))
            continue;
        if (span_eq_text(last, "answer") && span_eq_text(names[i], "item")) {       /* item.answer.item */
            length -= sizeof ".answer" - 1;
            last = names[i];
            continue;
        }
        if (span_eq_text(last, "parameter") && span_eq_text(names[i], "part") && i > 0)
            continue;                                                               /* a part is a parameter */
        if (length + names[i].length + 1 >= size)
            return (struct span){ NULL, 0 };
        if (length > 0)
            room[length++] = '.';
        memcpy(room + length, names[i].at, names[i].length);
        length += names[i].length;
        last = names[i];
    }
    return span_from(room, length);
}

/* ---- the smallest piece that may stand alone ----------------------------------- */

tape_node
closure_unit(const struct closure *w, tape_node leaf)
{
    tape_node extension = outermost_extension(w, leaf);
    tape_node unit      = leaf;

    if (extension != TAPE_ABSENT)
        return extension;
    for (;;) {
        tape_node holder = w->parents[unit];
        while (tape_kind(w->tape, holder) == TAPE_ARRAY) {
            if (tape_kind(w->tape, w->parents[holder]) != TAPE_OBJECT)
                return unit;
            holder = w->parents[holder];
        }
        if (holder == TAPE_ABSENT || is_resource(w, holder) || !is_datatype(w, holder))
            return unit;
        unit = holder;
    }
}

static bool
is_extension(const struct closure *w, tape_node node)
{
    return tape_kind(w->tape, w->parents[node]) == TAPE_ARRAY
           && (closure_named(w, node, SPAN("extension")) || closure_named(w, node, SPAN("modifierExtension")));
}

/* The extension of an extension says half of a sentence: the outermost goes. */
static tape_node
outermost_extension(const struct closure *w, tape_node node)
{
    tape_node found = TAPE_ABSENT;

    for (; node != TAPE_ABSENT && !is_resource(w, node); node = w->parents[node])
        if (is_extension(w, node))
            found = node;
    return found;
}

/* Datatypes are recognised by their members (R4 datatypes.html): an object all
 * of whose members belong to one datatype is that datatype. */
enum { CODEABLE = 1, CODING = 2, REFERENCE = 4, IDENTIFIER = 8, NAME = 16, ADDRESS = 32, CONTACT = 64,
       ANNOTATION = 128, NARRATIVE = 256, ATTACHMENT = 512, QUANTITY = 1024, EVERY = 2047 };

static const struct { const char *name; uint8_t length; unsigned of; } members[] = {
#define MEMBER(name, of) { name, sizeof(name) - 1, of }
    MEMBER("id", EVERY),
    MEMBER("extension", EVERY),
    MEMBER("coding", CODEABLE),
    MEMBER("text", CODEABLE | NAME | ADDRESS | ANNOTATION),
    MEMBER("system", CODING | IDENTIFIER | CONTACT | QUANTITY),
    MEMBER("version", CODING),
    MEMBER("code", CODING | QUANTITY),
    MEMBER("display", CODING | REFERENCE),
    MEMBER("userSelected", CODING),
    MEMBER("type", REFERENCE | IDENTIFIER | ADDRESS),
    MEMBER("identifier", REFERENCE),
    MEMBER("use", IDENTIFIER | NAME | ADDRESS | CONTACT),
    MEMBER("value", IDENTIFIER | CONTACT | QUANTITY),
    MEMBER("period", IDENTIFIER | NAME | ADDRESS | CONTACT),
    MEMBER("assigner", IDENTIFIER),
    MEMBER("family", NAME), MEMBER("given", NAME), MEMBER("prefix", NAME), MEMBER("suffix", NAME),
    MEMBER("line", ADDRESS), MEMBER("city", ADDRESS), MEMBER("district", ADDRESS), MEMBER("state", ADDRESS),
    MEMBER("postalCode", ADDRESS), MEMBER("country", ADDRESS),
    MEMBER("rank", CONTACT),
    MEMBER("authorReference", ANNOTATION), MEMBER("authorString", ANNOTATION), MEMBER("time", ANNOTATION),
    MEMBER("status", NARRATIVE), MEMBER("div", NARRATIVE),
    MEMBER("contentType", ATTACHMENT), MEMBER("language", ATTACHMENT), MEMBER("data", ATTACHMENT), MEMBER("url", ATTACHMENT),
    MEMBER("size", ATTACHMENT), MEMBER("hash", ATTACHMENT), MEMBER("title", ATTACHMENT), MEMBER("creation", ATTACHMENT),
    MEMBER("unit", QUANTITY), MEMBER("comparator", QUANTITY),
#undef MEMBER
};

static bool
is_datatype(const struct closure *w, tape_node object)
{
    unsigned of = EVERY;

    for (tape_node m = tape_first(w->tape, object); m != TAPE_ABSENT && of != 0; m = tape_next(w->tape, m)) {
        struct span name = tape_text(w->tape, tape_name(w->tape, m), w->arena);
        unsigned    mine = 0;
        if (name.length > 1 && name.at[0] == '_')
            name = span_skip(name, 1);
        for (size_t i = 0; i < sizeof members / sizeof members[0] && mine == 0; i++)
            if (name.length == members[i].length && node_same_bytes(name.at, members[i].name, name.length))
                mine = members[i].of;
        if (span_eq_text(name, "reference") && tape_kind(w->tape, m) == TAPE_STRING)
            mine = REFERENCE;
        of &= mine;
    }
    return of != 0;
}

bool
span_in(struct span text, const char *const *words)
{
    for (; *words != NULL; words++)
        if (span_eq_text(text, *words))
            return true;
    return false;
}
