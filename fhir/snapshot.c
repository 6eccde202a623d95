#include "fhir/snapshot.h"

#include "fhir/pack_snapshots.h"
#include "fhir/snapshot_generate.h"
#include "fhir/snapshot_merge.h"

#define BASE_OF_ALL "http://hl7.org/fhir/StructureDefinition/Base"

enum memo_state { MEMO_FRESH = 0, MEMO_RUNNING, MEMO_DONE, MEMO_BROKEN };

struct memo {
    enum memo_state    state;
    const struct tape *tape;
    tape_node          elements;
    struct span        json;                 /* of a generated one */
    const struct part *tree;
};

struct snapshot_memo {
    struct memo *files, *base;               /* for every definition; for every record of the base */
    uint32_t     depth;
};

static bool         read_snapshot(struct compiler *, const struct definition *, struct memo *);
static bool         generate(struct compiler *, const struct definition *, struct memo *);
static struct memo *memo_for(struct compiler *, struct span canonical, bool *known);

/* ---- where things are ---------------------------------------------------------------------- */

static struct snapshot_memo *
memos(struct compiler *c)
{
    if (c->snapshots == NULL && (c->snapshots = arena_make(c->arena, struct snapshot_memo)) != NULL) {
        uint32_t of_base    = c->base != NULL ? c->base->counts[PACK_SNAPSHOTS] : 0;
        c->snapshots->files = arena_make_n(c->arena, (size_t)c->definition_count + 1, struct memo);
        c->snapshots->base  = arena_make_n(c->arena, (size_t)of_base + 1, struct memo);
    }
    return arena_spent(c->arena) ? NULL : c->snapshots;
}

/* "http://…/vitalsigns|4.0.1" -> url and version. */
static void
split_canonical(struct span canonical, struct span *url, struct span *version)
{
    size_t bar = span_find_byte(canonical, '|');

    *url     = bar == SPAN_NOT_FOUND ? canonical : span_first(canonical, bar);
    *version = bar == SPAN_NOT_FOUND ? (struct span){ NULL, 0 } : span_skip(canonical, bar + 1);
}

static const struct definition *
find_file(const struct compiler *c, struct span canonical)
{
    struct span url, version;

    split_canonical(canonical, &url, &version);
    return compile_find(c, DEFINITION_STRUCTURE, url, version);
}

static const struct pack_snapshot *
find_base(const struct compiler *c, struct span canonical)
{
    struct span url, version;

    split_canonical(canonical, &url, &version);
    return c->base != NULL ? pack_snapshot_named(c->base, url, version) : NULL;
}

/* ---- one definition -------------------------------------------------------------------------- */

static struct memo *
memo_of_file(struct compiler *c, const struct definition *d)
{
    struct snapshot_memo *all = memos(c);

    if (all == NULL)
        return NULL;
    struct memo *memo = &all->files[d - c->definitions];
    if (memo->state == MEMO_FRESH) {
        struct span id = c->id;
        c->id          = d->url;
        memo->state    = MEMO_RUNNING;
        all->depth++;
        memo->state = read_snapshot(c, d, memo) ? MEMO_DONE : MEMO_BROKEN;
        all->depth--;
        c->id = id;
    } else if (memo->state == MEMO_RUNNING) {
        compile_broken(c, SPAN("want definitions that are not their own base or type"), d->url);
    }
    return memo->state == MEMO_DONE ? memo : NULL;
}

static bool
read_snapshot(struct compiler *c, const struct definition *d, struct memo *memo)
{
    tape_node own = tape_member(d->tape, tape_member(d->tape, d->node, SPAN("snapshot")), SPAN("element"));

    if (tape_children(d->tape, own) > SNAPSHOT_ELEMENTS)
        return compile_broken(c, SPAN("want at most 20000 elements in a snapshot"), d->url);
    if (tape_children(d->tape, own) > 0) {
        memo->tape     = d->tape;
        memo->elements = own;
        return true;
    }
    if (c->snapshots->depth > SNAPSHOT_DEPTH)
        return compile_broken(c, SPAN("want at most 32 definitions that rest on each other"), d->url);
    return generate(c, d, memo);
}

bool
compile_snapshot(struct compiler *c, const struct definition *d, const struct tape **tape, tape_node *elements)
{
    const struct memo *memo = memo_of_file(c, d);

    *tape     = memo != NULL ? memo->tape : NULL;
    *elements = memo != NULL ? memo->elements : TAPE_ABSENT;
    return memo != NULL;
}

static const struct tape_limits snapshot_limits = {
    .max_bytes = (size_t)64 << 20, .max_nodes = 1u << 24, .max_depth = 128, .max_number = 128,
};

static struct memo *
memo_of_base(struct compiler *c, const struct pack_snapshot *record)
{
    struct snapshot_memo *all = memos(c);

    if (all == NULL)
        return NULL;
    struct memo *memo = &all->base[record - c->base->snapshots];
    if (memo->state == MEMO_FRESH) {
        struct span json = span_from(c->base->snapshot_bytes + record->first, record->length);
        bool        good = tape_read(json, &snapshot_limits, c->arena, &memo->tape, NULL) == ST_OK;
        memo->elements   = TAPE_ROOT;
        memo->state      = good ? MEMO_DONE : MEMO_BROKEN;
    }
    if (memo->state != MEMO_DONE)
        compile_broken(c, SPAN("want a snapshot in the pack that can be read"), pack_span(c->base, record->url));
    return memo->state == MEMO_DONE ? memo : NULL;
}

/* ---- from a canonical URL --------------------------------------------------------------------- */

static struct memo *
memo_for(struct compiler *c, struct span canonical, bool *known)
{
    const struct definition    *d      = find_file(c, canonical);
    const struct pack_snapshot *record = d == NULL ? find_base(c, canonical) : NULL;

    *known = d != NULL || record != NULL;
    return d != NULL ? memo_of_file(c, d) : record != NULL ? memo_of_base(c, record) : NULL;
}

static void
describe_file(struct compiler *c, const struct definition *d, struct snapshot *out)
{
    const struct tape *t = d->tape;

    out->definition = d;
    out->url        = d->url;
    out->version    = d->version;
    out->type       = tape_member_text(t, d->node, SPAN("type"), c->arena);
    out->base       = tape_member_text(t, d->node, SPAN("baseDefinition"), c->arena);
    out->derivation = tape_member_text(t, d->node, SPAN("derivation"), c->arena);
    out->kind       = tape_member_text(t, d->node, SPAN("kind"), c->arena);
    out->abstract   = tape_kind(t, tape_member(t, d->node, SPAN("abstract"))) == TAPE_TRUE;
}

static void
describe_base(const struct pack *p, const struct pack_snapshot *record, struct snapshot *out)
{
    out->url        = pack_span(p, record->url);
    out->version    = pack_span(p, record->version);
    out->type       = pack_span(p, record->type);
    out->base       = pack_span(p, record->base);
    out->derivation = pack_span(p, record->derivation);
    out->kind       = pack_span(p, record->kind);
    out->abstract   = record->abstract != 0;
}

bool
compile_snapshot_find(struct compiler *c, struct span canonical, struct snapshot *out)
{
    bool               known;
    const struct memo *memo = memo_for(c, canonical, &known);

    *out = (struct snapshot){ .definition = NULL };
    if (memo == NULL)
        return !known && !arena_spent(c->arena);
    const struct definition *d = find_file(c, canonical);
    if (d != NULL)
        describe_file(c, d, out);
    else
        describe_base(c->base, find_base(c, canonical), out);
    out->tape     = memo->tape;
    out->elements = memo->elements;
    return true;
}

const struct part *
snapshot_tree(struct compiler *c, struct span canonical, bool *known)
{
    struct memo *memo = memo_for(c, canonical, known);

    if (memo == NULL)
        return NULL;
    if (memo->tree == NULL) {
        struct tree tree = { .compiler = c };
        if (tree_read(&tree, memo->tape, memo->elements))
            memo->tree = tree.root;
    }
    return memo->tree;
}

/* ---- generate ------------------------------------------------------------------------------------ */

/* What everything rests on has no elements of its own (it is of R5, and the
 * logical models of newer packages name it). */
static const struct part *
base_of_all(struct compiler *c)
{
    struct part *part = arena_make(c->arena, struct part);
    struct value all  = value_read(c, SPAN("{\"min\":0,\"max\":\"*\"}"));

    if (part == NULL || all.tape == NULL)
        return NULL;
    struct details details = details_read(all.tape, all.node);
    part->details        = details_merge(c, NULL, &details);
    return part->details != NULL ? part : NULL;
}

static bool
begin_tree(struct compiler *c, struct tree *tree, struct span base)
{
    const struct part *from = span_eq_text(base, BASE_OF_ALL) ? base_of_all(c) : NULL;
    bool               known = from != NULL;

    if (from == NULL && (from = snapshot_tree(c, base, &known)) == NULL)
        return !known && !arena_spent(c->arena)
            ? compile_broken(c, SPAN("want the base definition, among the files or built in"),
                             span_empty(base) ? SPAN("have no baseDefinition") : base)
            : false;
    struct part *root = arena_make(c->arena, struct part);
    if (root == NULL)
        return false;
    root->name   = from->name;
    root->details  = from->details;
    root->origin = from;
    tree->root   = root;
    tree->count  = 1;
    return tree_copy_children(tree, root, from);
}

/* The name that the paths of the differential begin with: what adds elements
 * to its base has a name of its own. */
static struct span
root_name(struct compiler *c, const struct definition *d, tape_node differential)
{
    struct span path = tape_member_text(d->tape, tape_first(d->tape, differential), SPAN("path"), c->arena);

    if (span_empty(path)) {
        path         = tape_member_text(d->tape, d->node, SPAN("type"), c->arena);
        size_t slash = span_find_last_byte(path, '/');
        return slash != SPAN_NOT_FOUND ? span_skip(path, slash + 1) : path;
    }
    return span_split(&path, '.');
}

static bool
generate(struct compiler *c, const struct definition *d, struct memo *memo)
{
    const struct tape *t    = d->tape;
    tape_node          list = tape_member(t, tape_member(t, d->node, SPAN("differential")), SPAN("element"));
    bool               adds = !tape_text_eq(t, tape_member(t, d->node, SPAN("derivation")), SPAN("constraint"));
    struct tree        tree = { .compiler = c };

    if (!begin_tree(c, &tree, tape_member_text(t, d->node, SPAN("baseDefinition"), c->arena)))
        return false;
    c->id = d->url;
    if (adds)
        tree.root->name = root_name(c, d, list);
    if (span_empty(tree.root->name))
        return compile_broken(c, SPAN("want a type, or elements with paths"), d->url);
    if (!differential_apply(&tree, t, list, adds))
        return false;
    memo->json = tree_write(&tree);
    if (span_empty(memo->json) || tape_read(memo->json, &snapshot_limits, c->arena, &memo->tape, NULL) != ST_OK)
        return arena_spent(c->arena) ? false : compile_broken(c, SPAN("want a snapshot of a bounded size"), d->url);
    memo->elements = TAPE_ROOT;
    memo->tree     = NULL;
    return true;
}

/* ---- into the pack ------------------------------------------------------------------------------- */

static bool
add_record(struct compiler *c, const struct definition *d)
{
    const struct memo   *memo = memo_of_file(c, d);
    struct snapshot      about = { .definition = d };
    struct pack_snapshot record = { .next = PACK_NONE };

    if (memo == NULL)
        return false;
    describe_file(c, d, &about);
    record.url        = compile_text(c, about.url);
    record.version    = compile_text(c, about.version);
    record.type       = compile_text(c, about.type);
    record.base       = compile_text(c, about.base);
    record.derivation = compile_text(c, about.derivation);
    record.kind       = compile_text(c, about.kind);
    record.abstract   = about.abstract;
    struct span json  = span_empty(memo->json) ? elements_strip(c, memo->tape, memo->elements) : memo->json;
    if (span_empty(json) || !compile_append_bytes(c, PACK_SNAPSHOT_BYTES, json, &record.first))
        return false;
    record.length = (uint32_t)json.length;
    struct pack_snapshot *to = COMPILE_APPEND(c, PACK_SNAPSHOTS, struct pack_snapshot);
    if (to == NULL)
        return false;
    *to = record;
    return true;
}

/* In front of the first that is not higher: of equal ones the later counts. */
static bool
chain_record(struct compiler *c, uint32_t *head, uint32_t index)
{
    struct pack_snapshot *one = COMPILE_AT(c, PACK_SNAPSHOTS, struct pack_snapshot, index);
    uint32_t              count = 0, before = PACK_NONE;

    for (uint32_t at = *head; at != PACK_NONE; count++) {
        const struct pack_snapshot *other = COMPILE_AT(c, PACK_SNAPSHOTS, struct pack_snapshot, at);
        if (pack_version_order(compile_span(c, other->version), compile_span(c, one->version)) > 0)
            before = at;
        at = other->next;
    }
    one->next = before == PACK_NONE ? *head : COMPILE_AT(c, PACK_SNAPSHOTS, struct pack_snapshot, before)->next;
    if (before == PACK_NONE)
        *head = index;
    else
        COMPILE_AT(c, PACK_SNAPSHOTS, struct pack_snapshot, before)->next = index;
    return count < PACK_SNAPSHOT_VERSIONS
        || compile_broken(c, SPAN("want at most 64 versions of one definition"), compile_span(c, one->url));
}

static bool
hash_records(struct compiler *c)
{
    uint32_t  count = compile_count(c, PACK_SNAPSHOTS), mask;
    uint32_t *slots = compile_slots(c, PACK_SNAPSHOT_SLOTS, count, &mask);

    if (slots == NULL)
        return false;
    for (uint32_t i = 0; i < count; i++) {
        const struct pack_snapshot *one = COMPILE_AT(c, PACK_SNAPSHOTS, struct pack_snapshot, i);
        uint32_t                    at  = (uint32_t)lookup_hash(compile_span(c, one->url)) & mask;
        while (slots[at] != 0
               && COMPILE_AT(c, PACK_SNAPSHOTS, struct pack_snapshot, slots[at] - 1)->url.offset != one->url.offset)
            at = (at + 1) & mask;
        uint32_t head = slots[at] != 0 ? slots[at] - 1 : PACK_NONE;
        if (!chain_record(c, &head, i))
            return false;
        slots[at] = head + 1;
    }
    return true;
}

bool
compile_snapshots(struct compiler *c)
{
    for (uint32_t i = 0; i < c->definition_count; i++) {
        const struct definition *d = &c->definitions[i];
        if (d->kind != DEFINITION_STRUCTURE || span_empty(d->url)
            || compile_find(c, DEFINITION_STRUCTURE, d->url, d->version) != d)
            continue;
        c->id = d->url;
        if (!add_record(c, d))
            return false;
    }
    return hash_records(c);
}
