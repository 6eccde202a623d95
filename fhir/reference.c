#include "fhir/reference.h"

#include <string.h>

#include "base/json_walk.h"
#include "fhir/lookup.h"
#include "fhir/patient.h"
#include "fhir/reference_text.h"

/* A URL longer than this names nothing that is worth finding: R4 bounds ids to
 * 64 characters and servers bound URLs to about 2 KB. */
#define URL_MAX_BYTES 4096u
#define KNOWN_MOST    4096u              /* a power of 2 */

struct reference_index {
    const uint32_t *leader;              /* entry -> first entry that shares its references */
    const uint32_t *incoming_first;      /* entry + 1 offsets into incoming                 */
    const uint32_t *incoming;            /* indexes into all[]                              */
    const struct patient *patients;      /* one for each entry                              */
};

/* Where a text was resolved that may be said again: most references of a
 * Bundle name one patient and a few encounters.  One place for each hash: who
 * makes texts meet there makes them be resolved anew, and that is all. */
struct known {
    uint32_t at;                         /* 1 + index into all[], 0: none           */
    uint32_t base;                       /* the number of the base that it was from */
};

/* What the relative references of an entry are relative to: the start of its
 * fullUrl.  Entries of the same number have the same base. */
struct base {
    uint32_t length, number;
};

struct reader {
    const struct bundle    *bundle;
    const struct tape      *tape;
    const tape_node        *parents;
    struct arena           *arena;
    struct reference       *all;
    uint32_t                count, room;
    bool                    by_identifier;   /* some reference needs the identifier index */
    const struct lookup    *contained;       /* "<container>#id" -> resource index        */
    const struct lookup    *nested;          /* fullUrl and Type/id -> resource index     */
    const struct lookup    *identifiers;     /* see identifier_key -> entry               */
    uint64_t               *names;           /* a bit for each fullUrl and Type/id, by its end:
                                              * most strings are none                      */
    uint32_t                names_shift;
    uint32_t                entry, resource; /* where the last node was: the next is near  */
    struct base            *bases;           /* one for each entry                         */
    struct known           *known;
    struct span            *strangers;       /* texts that name nothing here, as many          */
    uint32_t                known_mask;
};

static enum status collect(struct reader *);
static enum status index_names(struct reader *);
static enum status index_inner(struct reader *);
static enum status resolve_identifiers(struct reader *);
static enum status resolve_contained(struct reader *, struct reference *);
static bool        resolve_identifier(const struct reader *, struct reference *);
static bool        resolve_text(const struct reader *, struct reference *, struct span text);
static bool        split_name(struct span url, struct span *base, struct span *name);
static uint64_t    name_key(struct span name);
static bool        key_noted(const struct reader *, uint64_t key);
static bool        name_noted(const struct reader *, struct span text);
static uint32_t    container_of(const struct reader *, tape_node);
static bool        find_contained(const struct reader *, struct reference *, struct span id);
static enum status index_incoming(struct reader *, struct reference_index *);

enum status
references_read(const struct bundle *bundle, struct arena *arena, const struct references **out)
{
    struct references      *references = arena_make(arena, struct references);
    struct reference_index *index      = arena_make(arena, struct reference_index);
    struct reader           r = { .bundle = bundle, .tape = bundle->tape, .parents = bundle->parents, .arena = arena };

    *out = NULL;
    if (references == NULL || index == NULL)
        return ST_NO_MEMORY;
    enum status st = index_names(&r);
    if (st == ST_OK)
        st = index_inner(&r);
    if (st == ST_OK)
        st = collect(&r);
    if (st == ST_OK && r.by_identifier)
        st = resolve_identifiers(&r);
    if (st != ST_OK)
        return st;
    st = index_incoming(&r, index);
    if (st != ST_OK)
        return st;
    *references     = (struct references){ bundle, r.count, r.all, index };
    index->patients = patients_find(references, arena);
    if (index->patients == NULL || arena_spent(arena))
        return ST_NO_MEMORY;
    *out = references;
    return ST_OK;
}

/* ---- asking --------------------------------------------------------------------- */

/* Index of the first reference of low .. high that is at or behind a node: all[] is in node order. */
static uint32_t
lower_bound(const struct references *references, uint32_t low, uint32_t high, tape_node node)
{
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (references->all[middle].node < node)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

uint32_t
references_from(const struct references *references, uint32_t entry, uint32_t *first)
{
    const struct bundle *b = references->bundle;

    *first = 0;
    if (entry >= b->count)
        return 0;
    tape_node begin = b->type == BUNDLE_SINGLE ? b->root : b->entries[entry].entry;
    uint32_t  low   = lower_bound(references, 0, references->count, begin), high = low, step = 1;
    tape_node end   = tape_after(b->tape, begin);
    *first = low;
    while (high < references->count && references->all[high].node < end) {     /* an entry has few */
        low = high + 1;
        high += step;
        step *= 2;
    }
    return lower_bound(references, low, high < references->count ? high : references->count, end) - *first;
}

uint32_t
references_to(const struct references *references, uint32_t entry)
{
    const struct reference_index *index = references->index;

    if (entry >= references->bundle->count)
        return 0;
    uint32_t leader = index->leader[entry];
    return index->incoming_first[leader + 1] - index->incoming_first[leader];
}

const struct reference *
references_to_at(const struct references *references, uint32_t entry, uint32_t i)
{
    const struct reference_index *index = references->index;

    if (i >= references_to(references, entry))
        return NULL;
    return &references->all[index->incoming[index->incoming_first[index->leader[entry]] + i]];
}

const struct reference *
references_find(const struct references *references, tape_node node)
{
    uint32_t at = lower_bound(references, 0, references->count, node);

    return at < references->count && references->all[at].node == node ? &references->all[at] : NULL;
}

struct span
entry_patient(const struct references *references, uint32_t entry, uint32_t *patient_entry)
{
    bool there = entry < references->bundle->count;

    if (patient_entry != NULL)
        *patient_entry = there ? references->index->patients[entry].entry : ENTRY_NONE;
    return there ? references->index->patients[entry].name : (struct span){ NULL, 0 };
}

struct span
reference_patient_name(const struct reference *r, struct arena *arena)
{
    const struct span by   = SPAN("identifier=");
    struct span       rest = r->value;

    (void)span_split(&rest, '?');
    if ((r->form != REFERENCE_LOGICAL && r->form != REFERENCE_CONDITIONAL) || !span_starts(rest, by)
        || !(span_empty(r->type) || span_eq_text(r->type, "Patient")))
        return (struct span){ NULL, 0 };
    rest = span_skip(rest, by.length);
    if (r->form == REFERENCE_CONDITIONAL) {
        if (span_find_byte(rest, '&') != SPAN_NOT_FOUND)
            return (struct span){ NULL, 0 };
        if (span_find_byte(rest, '%') != SPAN_NOT_FOUND)
            rest = reference_percent_decoded(rest, arena);
    }
    size_t bar = span_find_byte(rest, '|');
    return bar == SPAN_NOT_FOUND || bar + 1 == rest.length ? (struct span){ NULL, 0 }
                                                           : arena_join(arena, SPAN(REFERENCE_PATIENT_NAME), rest);
}

/* ---- collecting ------------------------------------------------------------------- */

/* bundle_entry_of(), for nodes that come in order. */
static uint32_t
entry_of(struct reader *r, tape_node node)
{
    const struct bundle *b = r->bundle;

    if (r->entry >= b->count || b->entries[r->entry].entry > node)
        r->entry = bundle_entry_of(b, node);
    while (r->entry < b->count && r->entry + 1 < b->count && b->entries[r->entry + 1].entry <= node)
        r->entry++;
    bool inside = b->type == BUNDLE_SINGLE
               || (r->entry < b->count && node < tape_after(b->tape, b->entries[r->entry].entry));
    return inside ? r->entry : ENTRY_NONE;
}

/* bundle_resource_of(), for nodes that come in order. */
static tape_node
resource_around(struct reader *r, tape_node node)
{
    uint32_t                      count = bundle_resources(r->bundle);
    const struct bundle_resource *all   = bundle_resource_at(r->bundle, 0);

    if (r->resource >= count || all[r->resource].node > node)
        return bundle_resource_of(r->bundle, node);
    while (r->resource + 1 < count && all[r->resource + 1].node <= node)
        r->resource++;
    uint32_t at = r->resource;
    while (at != ENTRY_NONE && node >= tape_after(r->tape, all[at].node))
        at = all[at].up;
    return at != ENTRY_NONE ? all[at].node : TAPE_ABSENT;
}

/* All that can be said before resolving. */
static struct reference
described(struct reader *r, tape_node node, tape_node text, enum reference_form form, struct span value)
{
    struct reference one = { .node = node, .text = text, .form = form, .value = value,
                             .from = entry_of(r, node),
                             .from_resource = resource_around(r, node), .to = ENTRY_NONE };
    struct span      base;

    if (form == REFERENCE_CONDITIONAL || form == REFERENCE_LOGICAL) {
        struct span rest = value, path = span_split(&rest, '?');
        size_t      cut  = span_find_last_byte(path, '/');
        one.type         = cut == SPAN_NOT_FOUND ? path : span_skip(path, cut + 1);
        r->by_identifier = true;
    } else if (form == REFERENCE_RELATIVE || form == REFERENCE_ABSOLUTE || form == REFERENCE_URI) {
        reference_split(value, &base, &one.type, &one.id);
    }
    return one;
}

/* Nearly sorted already: an inner reference (Reference.identifier.assigner)
 * may be met before the text of the one around it. */
static enum status
add_one(struct reader *r, const struct reference *one)
{
    if (r->count == r->room) {
        uint32_t room = r->room > 0 ? r->room * 2 : r->bundle->count * 4 + 16;
        r->all = arena_grow(r->arena, r->all, r->room * sizeof *r->all, room * sizeof *r->all);
        if (r->all == NULL)
            return ST_NO_MEMORY;
        r->room = room;
    }
    uint32_t at = r->count++;
    for (; at > 0 && r->all[at - 1].node > one->node; at--)
        r->all[at] = r->all[at - 1];
    r->all[at] = *one;
    return ST_OK;
}

static bool
is_reference_name(struct span name)
{
    static const char *const names[] = {
#define REFERENCE_NAME(name) name,
#include "fhir/reference_names.def"
#undef REFERENCE_NAME
    };
    size_t low = 0, high = sizeof names / sizeof names[0];

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int    order  = span_compare(span_of(names[middle]), name);
        if (order == 0)
            return true;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

/* A Reference that has no `reference`: under a name that R4 types so, with an
 * Identifier and nothing that a Reference does not have. */
static bool
is_logical(const struct reader *r, tape_node object)
{
    const struct tape *t     = r->tape;
    tape_node          named = tape_kind(t, r->parents[object]) == TAPE_ARRAY ? r->parents[object] : object;

    for (tape_node n = tape_first(t, object); n != TAPE_ABSENT; n = tape_next(t, n)) {
        tape_node name = tape_name(t, n);
        bool      fine = tape_text_eq(t, name, SPAN("identifier")) || tape_text_eq(t, name, SPAN("id"))
                      || tape_text_eq(t, name, SPAN("extension")) || tape_text_eq(t, name, SPAN("display"))
                      || tape_text_eq(t, name, SPAN("_display")) || tape_text_eq(t, name, SPAN("_reference"))
                      || tape_text_eq(t, name, SPAN("_type"))
                      || (tape_text_eq(t, name, SPAN("type")) && tape_kind(t, n) == TAPE_STRING);
        if (!fine)
            return false;
    }
    return is_reference_name(tape_text(t, tape_name(t, named), r->arena));
}

static enum status
add_logical(struct reader *r, tape_node object, tape_node identifier)
{
    const struct tape *t      = r->tape;
    struct span        type   = tape_member_text(t, object, SPAN("type"), r->arena);
    struct span        system = tape_member_text(t, identifier, SPAN("system"), r->arena);
    struct span        value  = tape_member_text(t, identifier, SPAN("value"), r->arena);
    struct span        text   = arena_join(r->arena, type, SPAN("?identifier="), system, SPAN("|"), value);

    struct reference one = described(r, object, TAPE_ABSENT, REFERENCE_LOGICAL, text);
    return add_one(r, &one);
}

/* The same part of a text, in another one that says the same. */
static struct span
same_part(struct span part, struct span from, struct span to)
{
    return span_empty(part) ? part : span_from(to.at + (part.at - from.at), part.length);
}

/* A reference by its text.  One that says what another has said, from where
 * it means the same, is that one in another place. */
static enum status
add_text(struct reader *r, tape_node object, tape_node string, struct span text)
{
    uint32_t      from = entry_of(r, object);
    uint32_t      base = from != ENTRY_NONE ? r->bases[from].number : 0;
    struct known *slot = &r->known[lookup_hash(text) & r->known_mask];

    if (slot->at != 0 && slot->base == base) {
        struct reference one = r->all[slot->at - 1];
        bool by_text = one.form == REFERENCE_RELATIVE || one.form == REFERENCE_ABSOLUTE || one.form == REFERENCE_URN;
        if (by_text && span_eq(one.value, text)) {
            one.node          = object;
            one.text          = string;
            one.from          = from;
            one.from_resource = resource_around(r, object);
            one.type          = same_part(one.type, one.value, text);
            one.id            = same_part(one.id, one.value, text);
            one.value         = text;
            return add_one(r, &one);
        }
    }
    struct reference one = described(r, object, string, reference_form_of(text), text);
    enum status      st  = ST_OK;
    if (one.form == REFERENCE_CONTAINED)
        st = resolve_contained(r, &one);
    else if (one.form != REFERENCE_CONDITIONAL)
        (void)resolve_text(r, &one, text);
    *slot = (struct known){ r->count + 1, base };
    return st == ST_OK ? add_one(r, &one) : st;
}

/* A name that may say that its value is a reference, or is none; *n goes to
 * what has been looked at. */
static enum status
meet_name(struct reader *r, tape_node *n)
{
    const struct tape *t      = r->tape;
    tape_node          name   = *n, value = name + 1;
    tape_node          object = r->parents[value];

    if (walk_kind(t, value) == TAPE_OBJECT && walk_is(t, name, SPAN("identifier")) && object != TAPE_ROOT
        && is_logical(r, object))
        return add_logical(r, object, value);
    if (walk_kind(t, value) != TAPE_STRING)
        return ST_OK;
    bool reference = walk_is(t, name, SPAN("reference"));
    if (reference || walk_is(t, name, SPAN("fullUrl")))
        *n = value;
    return reference ? add_text(r, object, value, walk_text(t, value, r->arena)) : ST_OK;
}

/* Whether the last but one part of a path begins as a type does, or is a
 * version's: what "Type/id" and "…/Type/id/_history/2" have and the URLs of
 * code systems mostly have not. */
static bool
ends_like_a_name(struct span s)
{
    size_t last = span_find_last_byte(s, '/');

    if (last == SPAN_NOT_FOUND || last == 0)
        return false;
    size_t at = last - 1;
    while (at > 0 && s.at[at] != '/')
        at--;
    char first = s.at[s.at[at] == '/' ? at + 1 : at];
    return (first >= 'A' && first <= 'Z') || first == '_';
}

/* Whether a plain text may name something of this bundle: "urn:…", "http…",
 * "#id", "Type/id".  Those that do not come again and again. */
static bool
could_name(struct reader *r, struct span s)
{
    struct span base, name, plain;

    if (s.length < 2 || s.length > URL_MAX_BYTES)
        return false;
    if (s.at[0] == '#')
        return lookup_count(r->contained) > 0;
    uint64_t     key      = name_key(s);
    struct span *stranger = &r->strangers[key >> 32 & r->known_mask];
    if (key_noted(r, key))
        return true;
    if (span_eq(*stranger, s))
        return false;
    if (span_find_byte(s, '#') != SPAN_NOT_FOUND || span_find_byte(s, '|') != SPAN_NOT_FOUND)
        return true;                                     /* "url#fragment", "canonical|version": rare */
    if (ends_like_a_name(s)) {
        plain = reference_unversioned(s);
        if ((plain.length < s.length && name_noted(r, plain)) || (split_name(s, &base, &name) && name_noted(r, name)))
            return true;
    }
    *stranger = s;
    return false;
}

/* The entry's wrapper names the entry itself. */
static bool
in_wrapper(struct reader *r, tape_node node)
{
    return entry_of(r, node) != ENTRY_NONE && r->bundle->type != BUNDLE_SINGLE
        && resource_around(r, node) == r->bundle->root;
}

/* What could be a URL, a URN, "#id" or "Type/id" by its first character. */
static bool
promising(char c)
{
    return c == 'u' || c == 'h' || c == '#' || (c >= 'A' && c <= 'Z');
}

static enum status
meet_string(struct reader *r, tape_node string)
{
    const struct tape *t    = r->tape;
    struct span        text = walk_raw(t, string);

    if (walk_escaped(t, string)) {
        if (text.length > URL_MAX_BYTES)
            return ST_OK;
        text = tape_text(t, string, r->arena);
    }
    if (!could_name(r, text) || in_wrapper(r, string))
        return ST_OK;
    struct reference one = described(r, string, string, REFERENCE_URI, text);
    bool             hit = text.at[0] == '#' ? find_contained(r, &one, span_skip(text, 1))
                                             : resolve_text(r, &one, text);
    if (!hit || (one.to == one.from && one.to_contained == TAPE_ABSENT))
        return ST_OK;                                /* names nothing here, or only itself */
    return add_one(r, &one);
}

static enum status
collect(struct reader *r)
{
    const struct tape *t          = r->tape;
    uint32_t           count      = tape_count(t);
    uint32_t           reference  = key_word(key_of(SPAN("reference")));
    uint32_t           identifier = key_word(key_of(SPAN("identifier")));
    uint32_t           full_url   = key_word(key_of(SPAN("fullUrl")));

    for (tape_node n = TAPE_ROOT; n <= count; n++) {
        enum tape_kind kind = walk_kind(t, n);
        enum status    st   = ST_OK;
        if (kind == TAPE_NAME) {
            uint32_t key = walk_key(t, n);
            if (key != reference && key != identifier && key != full_url)
                continue;
            st = meet_name(r, &n);
        } else if (kind == TAPE_STRING && (promising(walk_raw(t, n).at[0]) || walk_escaped(t, n))) {
            st = meet_string(r, n);
        }
        if (st != ST_OK)
            return st;
    }
    return ST_OK;
}

/* ---- what can be pointed at ---------------------------------------------------------- */

/* By the last eight bytes and the length. */
static uint64_t
name_key(struct span name)
{
    return key_from(key_of(span_skip(name, name.length > 8 ? name.length - 8 : 0)), name.length);
}

static void
note_name(struct reader *r, struct span name)
{
    uint64_t bit = name_key(name) >> r->names_shift;

    r->names[bit / 64] |= (uint64_t)1 << bit % 64;
}

static bool
key_noted(const struct reader *r, uint64_t key)
{
    uint64_t bit = key >> r->names_shift;

    return r->names[bit / 64] >> bit % 64 & 1;
}

static bool
name_noted(const struct reader *r, struct span text)
{
    return key_noted(r, name_key(text));
}

/* "…/Type/id" into what is before and "Type/id", without a version. */
static bool
split_name(struct span url, struct span *base, struct span *name)
{
    struct span type, id;

    if (!reference_split(url, base, &type, &id))
        return false;
    *name = span_from(type.at, (size_t)(id.at + id.length - type.at));
    return true;
}

/* The bases and names of entries; tables about as large as the bundle. */
static enum status
index_names(struct reader *r)
{
    const struct bundle *b = r->bundle;
    uint32_t names = b->count + bundle_resources(b), bits = 6, known = 16, number = 1;

    while (bits < 32 && (uint64_t)1 << bits < (uint64_t)names * 16)
        bits++;
    while (known < 2 * b->count && known < KNOWN_MOST)
        known *= 2;
    r->names       = arena_make_n(r->arena, (size_t)1 << (bits - 6), uint64_t);
    r->names_shift = 64 - bits;
    r->bases       = arena_make_n(r->arena, (size_t)b->count + 1, struct base);
    r->known       = arena_make_n(r->arena, known, struct known);
    r->strangers   = arena_make_n(r->arena, known, struct span);
    r->known_mask  = known - 1;
    if (r->names == NULL || r->bases == NULL || r->known == NULL || r->strangers == NULL)
        return ST_NO_MEMORY;
    struct span last = { NULL, 0 };
    for (uint32_t i = 0; i < b->count; i++) {
        struct span url = b->entries[i].full_url, base = { NULL, 0 }, name;
        note_name(r, url);
        note_name(r, bundle_entry_name(b, i));
        if (split_name(url, &base, &name))
            note_name(r, name);
        number     += !span_eq(base, last);
        last        = base;
        r->bases[i] = (struct base){ (uint32_t)base.length, number };
    }
    return ST_OK;
}

/* Bytes of the container's index, then the id: private to this file. */
static struct span
contained_key(char *buffer, size_t size, uint32_t container, struct span id)
{
    if (id.length > size - sizeof container)
        return (struct span){ NULL, 0 };
    memcpy(buffer, &container, sizeof container);
    memcpy(buffer + sizeof container, id.at, id.length);
    return span_from(buffer, sizeof container + id.length);
}

/* Contained resources by container and id; resources inside entries (of
 * Bundles, Parameters) by the fullUrl beside them and by Type/id. */
static enum status
index_inner(struct reader *r)
{
    const struct tape  *t     = r->tape;
    uint32_t            count = bundle_resources(r->bundle), inside = 0, nested = 0;
    struct lookup_item *a     = arena_make_n(r->arena, (size_t)count + 1, struct lookup_item);
    struct lookup_item *b     = arena_make_n(r->arena, 2 * (size_t)count + 1, struct lookup_item);

    if (a == NULL || b == NULL)
        return ST_NO_MEMORY;
    for (uint32_t i = 0; i < count; i++) {
        const struct bundle_resource *one = bundle_resource_at(r->bundle, i);
        uint32_t                      e   = entry_of(r, one->node);
        if (!one->contained && (e == ENTRY_NONE || r->bundle->entries[e].resource == one->node))
            continue;
        struct span id = walk_find_text(t, one->node, SPAN("id"), r->arena);
        if (one->contained && !span_empty(id)) {
            char *buffer = arena_alloc(r->arena, sizeof i + id.length);
            if (buffer == NULL)
                return ST_NO_MEMORY;
            a[inside++] = (struct lookup_item){
                .key = contained_key(buffer, sizeof i + id.length, one->container, id), .value = i };
        } else if (!one->contained) {
            struct span type = tape_member_text(t, one->node, SPAN("resourceType"), r->arena);
            struct span url  = tape_member_text(t, r->parents[one->node], SPAN("fullUrl"), r->arena);
            if (!span_empty(id))
                b[nested++] = (struct lookup_item){ .key = arena_join(r->arena, type, SPAN("/"), id), .value = i };
            if (!span_empty(url))
                b[nested++] = (struct lookup_item){ .key = url, .value = i };
        }
    }
    for (uint32_t i = 0; i < nested; i++) {
        struct span base, name;
        note_name(r, b[i].key);
        if (split_name(b[i].key, &base, &name))
            note_name(r, name);
    }
    if (arena_spent(r->arena))
        return ST_NO_MEMORY;
    r->contained = lookup_build(a, inside, r->arena);
    r->nested    = lookup_build(b, nested, r->arena);
    return r->contained != NULL && r->nested != NULL ? ST_OK : ST_NO_MEMORY;
}

/* "Type\nsystem\nvalue"; Type empty for a reference that does not say it, and
 * "*" for a search by value alone. */
static struct span
identifier_key(struct arena *arena, struct span type, struct span system, struct span value)
{
    return arena_join(arena, type, SPAN("\n"), system, SPAN("\n"), value);
}

struct identifiers { struct lookup_item *items; uint32_t count, room; };

static enum status
add_identifier(struct reader *r, struct identifiers *all, uint32_t entry, tape_node identifier)
{
    struct span type   = r->bundle->entries[entry].type;
    struct span system = tape_member_text(r->tape, identifier, SPAN("system"), r->arena);
    struct span value  = tape_member_text(r->tape, identifier, SPAN("value"), r->arena);
    struct span keys[3];

    if (span_empty(value))
        return ST_OK;
    keys[0] = identifier_key(r->arena, type, system, value);
    keys[1] = identifier_key(r->arena, (struct span){ NULL, 0 }, system, value);
    keys[2] = identifier_key(r->arena, type, SPAN("*"), value);
    if (all->count + 3 > all->room) {
        uint32_t room = all->room > 0 ? all->room * 2 : r->bundle->count * 4 + 16;
        all->items = arena_grow(r->arena, all->items, all->room * sizeof *all->items, room * sizeof *all->items);
        all->room  = room;
    }
    if (arena_spent(r->arena))
        return ST_NO_MEMORY;
    for (size_t i = 0; i < 3; i++)
        all->items[all->count++] = (struct lookup_item){ .key = keys[i], .value = entry };
    return ST_OK;
}

/* Only when some reference is conditional or logical. */
static enum status
resolve_identifiers(struct reader *r)
{
    struct identifiers all = { NULL, 0, 0 };
    enum status        st  = ST_OK;

    for (uint32_t i = 0; st == ST_OK && i < r->bundle->count; i++) {
        tape_node list = tape_member(r->tape, r->bundle->entries[i].resource, SPAN("identifier"));
        if (tape_kind(r->tape, list) == TAPE_OBJECT)
            st = add_identifier(r, &all, i, list);
        else if (tape_kind(r->tape, list) == TAPE_ARRAY)
            for (tape_node n = tape_first(r->tape, list); st == ST_OK && n != TAPE_ABSENT; n = tape_next(r->tape, n))
                st = add_identifier(r, &all, i, n);
    }
    if (st != ST_OK)
        return st;
    r->identifiers = lookup_build(all.items, all.count, r->arena);
    if (r->identifiers == NULL)
        return ST_NO_MEMORY;
    for (uint32_t i = 0; i < r->count; i++)
        if (r->all[i].form == REFERENCE_CONDITIONAL || r->all[i].form == REFERENCE_LOGICAL)
            (void)resolve_identifier(r, &r->all[i]);
    return arena_status(r->arena);
}

/* ---- resolving ---------------------------------------------------------------------- */

/* Whether it stands in a document inside of its entry: there a name means who is in there. */
static bool
stands_inside(const struct reader *r, const struct reference *one)
{
    uint32_t at = container_of(r, one->node);

    return at != ENTRY_NONE && one->from != ENTRY_NONE
        && bundle_resource_at(r->bundle, at)->node != r->bundle->entries[one->from].resource;
}

/* An entry by its fullUrl, or a nested resource by the one beside it: from outside by a whole URL alone. */
static bool
find_url(const struct reader *r, struct reference *one, struct span url)
{
    if (!name_noted(r, url))
        return false;
    one->to = bundle_find_full_url(r->bundle, url);
    if (one->to != ENTRY_NONE)
        return true;
    uint32_t at = lookup_find(r->nested, url);
    if (at == LOOKUP_NONE || (span_find_byte(url, ':') == SPAN_NOT_FOUND && !stands_inside(r, one)))
        return false;
    one->to_contained = bundle_resource_at(r->bundle, lookup_value(r->nested, at))->node;
    one->to           = bundle_entry_of(r->bundle, one->to_contained);
    return true;
}

/* R4 bundle.html#references: a relative reference is relative to the base of
 * the fullUrl of its own entry. */
static bool
find_relative(const struct reader *r, struct reference *one, struct span name)
{
    struct span base = { NULL, 0 };

    if (one->from != ENTRY_NONE)
        base = span_first(r->bundle->entries[one->from].full_url, r->bases[one->from].length);
    if (span_empty(base) || base.length + 1 + name.length > URL_MAX_BYTES)
        return false;
    struct arena_mark mark = arena_mark(r->arena);
    struct span       url  = arena_join(r->arena, base, SPAN("/"), name);
    bool              hit  = !span_empty(url) && find_url(r, one, url);
    arena_reset(r->arena, mark);
    return hit;
}

static bool
resolve_text(const struct reader *r, struct reference *one, struct span text)
{
    struct span plain = reference_unversioned(text), canonical = text;
    struct span base, name;

    if (span_starts(text, SPAN("urn:")))
        return find_url(r, one, text) || (plain.length < text.length && find_url(r, one, plain));
    if (find_url(r, one, text) || (plain.length < text.length && find_url(r, one, plain)))
        return true;
    canonical = span_split(&canonical, '|');             /* canonical|version */
    if (canonical.length < text.length && find_url(r, one, canonical))
        return true;
    if (!split_name(canonical, &base, &name))
        return false;
    if (span_empty(base) && find_relative(r, one, name))
        return true;
    one->to = bundle_find_name(r->bundle, name);         /* one that may be on that server */
    while (one->to != ENTRY_NONE && !reference_may_be(span_first(r->bundle->entries[one->to].full_url, r->bases[one->to].length), base))
        one->to = bundle_next_same(r->bundle, one->to);
    if (one->to != ENTRY_NONE)
        return true;
    uint32_t at = lookup_find(r->nested, name);
    if (at == LOOKUP_NONE)
        return false;
    one->to_contained = bundle_resource_at(r->bundle, lookup_value(r->nested, at))->node;
    one->to           = bundle_entry_of(r->bundle, one->to_contained);
    return true;
}

/* Index of the resource that contains what is around a node, or of that. */
static uint32_t
container_of(const struct reader *r, tape_node node)
{
    uint32_t at = bundle_resource_index(r->bundle, node);

    return at != ENTRY_NONE ? bundle_resource_at(r->bundle, at)->container : ENTRY_NONE;
}

static bool
find_contained(const struct reader *r, struct reference *one, struct span id)
{
    char     buffer[512];
    uint32_t container = container_of(r, one->node);

    if (container == ENTRY_NONE || span_empty(id))
        return false;
    struct span key = contained_key(buffer, sizeof buffer, container, id);
    uint32_t    at  = span_empty(key) ? LOOKUP_NONE : lookup_find(r->contained, key);
    if (at == LOOKUP_NONE)
        return false;
    one->to_contained = bundle_resource_at(r->bundle, lookup_value(r->contained, at))->node;
    return true;
}

/* "#id"; "#" alone is the container itself (R4 references.html#contained). */
static enum status
resolve_contained(struct reader *r, struct reference *one)
{
    struct span id = span_skip(one->value, 1);

    one->id = id;
    if (span_empty(id)) {
        uint32_t container = container_of(r, one->node);
        tape_node node = container != ENTRY_NONE ? bundle_resource_at(r->bundle, container)->node : TAPE_ABSENT;
        if (one->from != ENTRY_NONE && node == r->bundle->entries[one->from].resource)
            one->to = one->from;
        else
            one->to_contained = node;
        return ST_OK;
    }
    if (find_contained(r, one, id))
        one->type = tape_member_text(r->tape, one->to_contained, SPAN("resourceType"), r->arena);
    if (one->from == ENTRY_NONE)
        return arena_status(r->arena);
    struct span name = bundle_entry_name(r->bundle, one->from);
    if (span_empty(name))
        name = r->bundle->entries[one->from].full_url;
    one->value = arena_join(r->arena, name, SPAN("#"), id);
    return arena_status(r->arena);
}

/* "Type?identifier=system|value&…" (R4 bundle.html#trules, search.html#token). */
static bool
resolve_identifier(const struct reader *r, struct reference *one)
{
    struct span query = one->value;

    (void)span_split(&query, '?');
    while (query.at != NULL) {
        struct span parameter = one->form == REFERENCE_LOGICAL ? query : span_split(&query, '&');
        struct span token     = parameter;
        if (one->form == REFERENCE_LOGICAL)
            query = (struct span){ NULL, 0 };
        if (!span_eq_text(span_split(&token, '='), "identifier") || span_empty(token))
            continue;
        if (one->form == REFERENCE_CONDITIONAL && span_find_byte(token, '%') != SPAN_NOT_FOUND)
            token = reference_percent_decoded(token, r->arena);
        bool        by_value = span_find_byte(token, '|') == SPAN_NOT_FOUND;
        struct span value    = token;
        struct span system   = by_value ? SPAN("*") : span_split(&value, '|');
        uint32_t    at       = lookup_find(r->identifiers, identifier_key(r->arena, one->type, system, value));
        if (at != LOOKUP_NONE) {
            one->to = lookup_value(r->identifiers, at);
            return true;
        }
    }
    return false;
}

/* ---- incoming ----------------------------------------------------------------------- */

static uint32_t
leader_of(uint32_t *leader, uint32_t entry)
{
    while (leader[entry] != entry) {
        leader[entry] = leader[leader[entry]];           /* halve the path */
        entry         = leader[entry];
    }
    return entry;
}

static void
unite(uint32_t *leader, uint32_t a, uint32_t b)
{
    uint32_t one = leader_of(leader, a), two = leader_of(leader, b);

    if (one < two)
        leader[two] = one;
    else
        leader[one] = two;
}

/* Same type and id is the same resource, unless both have the RESTful URL of
 * two different servers. */
static bool
same_resource(const struct bundle_entry *a, const struct bundle_entry *b)
{
    struct span base, type, id;

    return span_eq(a->full_url, b->full_url)
        || !reference_split(a->full_url, &base, &type, &id)
        || !reference_split(b->full_url, &base, &type, &id);
}

/* An entry and those after it that have its fullUrl, and those that have its
 * type and id, told by the first of them. */
static void
unite_same(const struct bundle *b, uint32_t *leader, uint32_t entry)
{
    const struct bundle_entry *e    = &b->entries[entry];
    uint32_t                   url  = bundle_next_full_url(b, entry);
    uint32_t                   same = bundle_next_same(b, entry);

    if (url != ENTRY_NONE)
        unite(leader, entry, url);
    if (same == ENTRY_NONE || bundle_find(b, e->type, e->id) != entry)
        return;
    for (; same != ENTRY_NONE; same = bundle_next_same(b, same))
        if (same_resource(&b->entries[same], e))
            unite(leader, same, entry);
}

/* Entries that the same text names share one list: thousands of references to
 * thousands of versions stay linear. */
static enum status
index_incoming(struct reader *r, struct reference_index *index)
{
    uint32_t  count    = r->bundle->count;
    uint32_t *leader   = arena_make_n(r->arena, (size_t)count + 1, uint32_t);
    uint32_t *first    = arena_make_n(r->arena, (size_t)count + 2, uint32_t);
    uint32_t *incoming = arena_make_n(r->arena, (size_t)r->count + 1, uint32_t);

    if (leader == NULL || first == NULL || incoming == NULL)
        return ST_NO_MEMORY;
    for (uint32_t i = 0; i < count; i++)
        leader[i] = i;
    for (uint32_t i = 0; i < count; i++)
        unite_same(r->bundle, leader, i);
    for (uint32_t i = 0; i < count; i++)
        leader[i] = leader_of(leader, i);
    /* Counting sort by target. */
    for (uint32_t i = 0; i < r->count; i++)
        if (r->all[i].to != ENTRY_NONE)
            first[leader[r->all[i].to] + 2]++;
    for (uint32_t i = 2; i < count + 2; i++)
        first[i] += first[i - 1];
    for (uint32_t i = 0; i < r->count; i++)
        if (r->all[i].to != ENTRY_NONE)
            incoming[first[leader[r->all[i].to] + 1]++] = i;
    index->leader         = leader;
    index->incoming_first = first;
    index->incoming       = incoming;
    return ST_OK;
}
