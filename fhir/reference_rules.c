#include "fhir/reference_rules.h"

#include <string.h>

#include "base/json_walk.h"
#include "fhir/contained_rules.h"
#include "fhir/datatypes.h"
#include "fhir/linked_rules.h"
#include "fhir/path.h"
#include "fhir/reference.h"

#define NOTHING ((struct span){ NULL, 0 })
#define DEFINITIONS SPAN("http://hl7.org/fhir/StructureDefinition/")

/* A reference that was found right: the same text in the same place of the
 * definition, at home where relative ones mean the same, is right again, and
 * names the same entry, if any. */
struct seen {
    const char                *at;
    const struct bundle_table *table;
    uint32_t                   length, type, to, number;
};
#define SEEN_ROWS 256u                   /* powers of 2 */
#define SEEN_FEW  16u

struct references_check {
    struct report        *report;
    const struct pack    *pack;
    const struct bundle  *bundle;
    const struct tape    *tape;
    struct bundle_tables *tables;
    struct contained     *contained;
    struct links         *links;         /* of each table */
    uint32_t              resource;      /* the one that holds the reference at hand */
    uint32_t              before;        /* the last one that begins before it       */
    tape_node             last;
    bool                  no_memory;
    size_t                fragments;     /* bytes that may still be searched for ids */
    uint32_t              seen_mask;
    struct seen           seen[SEEN_ROWS];   /* zeroed as far as the mask reaches */
};

/* One reference while it is looked at. */
struct pointer {
    const struct noted_reference *noted;
    tape_node                     text_node, type_node;
    struct span                   text;
    uint32_t                      to;        /* entry, ENTRY_NONE */
    const struct home            *home;
    struct span                   found;     /* type of what it names; empty: not known */
};

static void check_noted(struct references_check *, const struct noted_reference *);
static void check_fragment(struct references_check *, const struct noted_reference *);
static void check_reference(struct references_check *, const struct noted_reference *);
static bool check_form(struct references_check *, const struct pointer *);
static void resolve_contained(struct references_check *, struct pointer *);
static void resolve_inside(struct references_check *, struct pointer *);
static void check_type(struct references_check *, const struct pointer *);
static void check_target(struct references_check *, const struct pointer *);
static bool must_be_inside(const struct references_check *, const struct pointer *);

static enum status
join(struct references_check *c)
{
    for (uint32_t i = 0; i < c->tables->count; i++) {
        struct bundle_table *table = &c->tables->all[i];
        if (table->node == c->bundle->root
            && (c->tables->range.first > 0 || c->tables->range.end < bundle_resources(c->bundle)))
            continue;                                    /* only a part of it was looked at */
        if ((table->type == BUNDLE_DOCUMENT || table->type == BUNDLE_MESSAGE)
            && linked_rules(c->report, table, &c->links[i]) != ST_OK)
            return ST_NO_MEMORY;
    }
    return ST_OK;
}

static void
begin(struct references_check *c, struct report *report, const struct pack *pack, const struct noted_references *noted,
      struct bundle_tables *tables)
{
    c->report    = report;
    c->pack      = pack;
    c->bundle    = report->bundle;
    c->tape      = report->bundle->tape;
    c->tables    = tables;
    c->contained = NULL;
    c->links     = NULL;
    c->resource  = 0;
    c->before    = tables->range.first;
    c->last      = TAPE_ABSENT;
    c->no_memory = false;
    c->fragments = 8 * tape_body(report->bundle->tape).length;
    c->seen_mask = (noted->count > SEEN_FEW ? SEEN_ROWS : SEEN_FEW) - 1;
    memset(c->seen, 0, (c->seen_mask + 1) * sizeof c->seen[0]);
}

enum status
reference_rules(struct report *report, const struct pack *pack, const struct noted_references *noted,
                struct bundle_tables *tables)
{
    struct references_check c __attribute__((uninitialized));

    begin(&c, report, pack, noted, tables);
    if (contained_read(report, tables->range, &c.contained) != ST_OK)
        return ST_NO_MEMORY;
    if (tables->count > 0 && (c.links = arena_make_n(report->arena, tables->count, struct links)) == NULL)
        return ST_NO_MEMORY;
    for (uint32_t i = 0; i < noted->count && !report->stopped; i++)
        check_noted(&c, &noted->all[i]);
    contained_rules(c.contained, report);
    return c.no_memory || join(&c) != ST_OK ? ST_NO_MEMORY : arena_status(report->arena);
}

/* Notes come nearly in document order; what comes late is searched for. */
static void
move_to(struct references_check *c, tape_node node)
{
    const struct bundle_resource *all = bundle_resource_at(c->bundle, 0);

    if (node < c->last) {
        c->resource = bundle_resource_index(c->bundle, node);
        return;
    }
    c->last = node;
    while (c->before + 1 < c->tables->range.end && all[c->before + 1].node <= node)
        c->before++;
    c->resource = c->before;
    while (all[c->resource].up != ENTRY_NONE && node >= tape_after(c->tape, all[c->resource].node))
        c->resource = all[c->resource].up;
}

static void
check_noted(struct references_check *c, const struct noted_reference *noted)
{
    move_to(c, noted->node);
    if (noted->type == NOTED_FRAGMENT || noted->type == NOTED_CANONICAL)
        check_fragment(c, noted);
    else if (walk_kind(c->tape, noted->node) == TAPE_OBJECT)
        check_reference(c, noted);
}

static void
add(struct references_check *c, const struct pointer *p, enum severity severity, enum issue_code code, const char *rule,
    struct span wanted, struct span found)
{
    struct finding f = { .node = p->noted->node, .severity = severity, .code = code, .rule = rule,
                         .place = p->noted->place ^ lookup_hash(wanted) ^ severity };

    if (report_new(c->report, &f))
        report_add(c->report, &f, wanted, found, NOTHING);
}

static struct span
resource_type(const struct references_check *c, uint32_t resource)
{
    return walk_find_text(c->tape, bundle_resource_at(c->bundle, resource)->node, SPAN("resourceType"),
                          c->report->arena);
}

/* ---- seen before ------------------------------------------------------------------------ */

static struct seen *
seen_row(struct references_check *c, const struct pointer *p)
{
    uint64_t key = p->noted->type, end = 0, middle = 0;

    if (p->text.length >= 16) {
        memcpy(&end, p->text.at + p->text.length - 8, 8);
        memcpy(&middle, p->text.at + p->text.length - 16, 8);
    }
    return &c->seen[((key ^ end ^ middle << 1) * 0x9e3779b97f4a7c15u >> 32) & c->seen_mask];
}

static bool
was_seen(const struct seen *seen, const struct pointer *p)
{
    return seen->length == p->text.length && seen->length > 0 && seen->type == p->noted->type
        && seen->table == p->home->table && seen->number == p->home->number && p->type_node == TAPE_ABSENT
        && memcmp(seen->at, p->text.at, seen->length) == 0;
}

/* What is joined matters in documents and messages. */
static void
note_link(struct references_check *c, const struct pointer *p, uint32_t to)
{
    struct bundle_table *table = p->home->table;

    if ((table->type == BUNDLE_DOCUMENT || table->type == BUNDLE_MESSAGE) && to != p->home->entry
        && links_add(&c->links[table - c->tables->all], (struct link){ p->home->entry, to }, c->report->arena) != ST_OK)
        c->no_memory = true;
}

/* ---- one reference ---------------------------------------------------------------------- */

/* A uri may name any element by its id; that it names a contained resource
 * counts for dom-3. */
static void
check_fragment(struct references_check *c, const struct noted_reference *noted)
{
    struct span    text = walk_text(c->tape, noted->node, c->report->arena);
    struct pointer p    = { .noted = noted };

    if (text.length < 2 || contained_find(c->contained, c->bundle, c->resource, text) != ENTRY_NONE)
        return;
    if (!fragment_known(c->report, span_skip(text, 1), &c->fragments))
        add(c, &p, noted->type == NOTED_FRAGMENT ? SEVERITY_ERROR : SEVERITY_WARNING, ISSUE_NOT_FOUND, "uri-fragment",
            SPAN("want # and an id that something in the document has"), SPAN("have one that nothing has"));
}

/* Wherever it stands that has the home's number.  What need not be here has to
 * be in some places of documents and messages. */
static bool
means_the_same(const struct pointer *p)
{
    const struct bundle_table *table = p->home->table;
    bool joined = table != NULL && (table->type == BUNDLE_DOCUMENT || table->type == BUNDLE_MESSAGE);

    if (p->text.at[0] == '#' || (p->to == ENTRY_NONE && joined))
        return false;
    return table == NULL || p->home->number != 0 || url_absolute(p->text);
}

static void
check_reference(struct references_check *c, const struct noted_reference *noted)
{
    struct pointer p = { .noted = noted, .home = bundle_tables_home(c->tables, c->resource), .to = ENTRY_NONE };

    for (tape_node n = walk_first(c->tape, noted->node); n != TAPE_ABSENT; n = walk_next(c->tape, n)) {
        if (walk_called(c->tape, n - 1, SPAN("reference")))
            p.text_node = n;
        else if (walk_called(c->tape, n - 1, SPAN("type")))
            p.type_node = n;
    }
    if (walk_kind(c->tape, p.text_node) != TAPE_STRING) {
        check_type(c, &p);                               /* a logical reference is of a type as well */
        return;
    }
    p.text = walk_text(c->tape, p.text_node, c->report->arena);
    struct seen *seen = seen_row(c, &p);
    if (was_seen(seen, &p)) {
        if (seen->to != ENTRY_NONE)
            note_link(c, &p, seen->to);
        return;
    }
    uint32_t left = c->report->left;
    if (span_empty(p.text) || !check_form(c, &p))
        return;
    if (p.text.at[0] == '#')
        resolve_contained(c, &p);
    else if (p.home->table != NULL)
        resolve_inside(c, &p);
    check_type(c, &p);
    check_target(c, &p);
    if (p.type_node == TAPE_ABSENT && left == c->report->left && means_the_same(&p))
        *seen = (struct seen){ p.text.at, p.home->table, (uint32_t)p.text.length, noted->type, p.to, p.home->number };
}

/* ---- form -------------------------------------------------------------------------------- */

/* "Patient?identifier=a|b": a type and name=value pairs (R4 http.html#trules,
 * conditional references). */
static bool
is_search(const struct references_check *c, struct span text)
{
    size_t mark = span_find_byte(text, '?');

    if (mark == SPAN_NOT_FOUND || !pack_resource_named(c->pack, span_first(text, mark)))
        return false;
    struct span rest = span_skip(text, mark + 1);
    do {
        struct span pair   = span_split(&rest, '&');
        size_t      equals = span_find_byte(pair, '=');
        if (equals == SPAN_NOT_FOUND || equals == 0 || equals + 1 == pair.length)
            return false;
    } while (rest.at != NULL);
    return true;
}

/* "Patient/1", "Patient/1/_history/2" */
static bool
is_relative(struct span text)
{
    uint32_t slashes = 0;

    for (size_t i = 0; i < text.length; i++)
        slashes += text.at[i] == '/';
    return slashes == 1 || slashes == 3;
}

static bool
check_form(struct references_check *c, const struct pointer *p)
{
    enum bundle_type around = p->home->table != NULL ? p->home->table->type : BUNDLE_SINGLE;

    if (!primitive_one_word(p->text)) {
        add(c, p, SEVERITY_ERROR, ISSUE_VALUE, "reference-form", SPAN("want a reference without white space"),
            SPAN("have some"));
        return false;
    }
    if (p->text.at[0] == '#' || around == BUNDLE_SINGLE || url_absolute(p->text))
        return true;
    bool search = around == BUNDLE_TRANSACTION || around == BUNDLE_BATCH;
    if ((search && is_search(c, p->text)) || is_relative(p->text))
        return true;
    add(c, p, SEVERITY_ERROR, ISSUE_VALUE, "reference-form",
        search ? SPAN("want a relative reference as [type]/[id], or as [type]?[search]")
               : SPAN("want a relative reference as [type]/[id]"),
        SPAN("have another form"));
    return false;
}

/* ---- what it names --------------------------------------------------------------------------- */

static void
resolve_contained(struct references_check *c, struct pointer *p)
{
    uint32_t found = contained_find(c->contained, c->bundle, c->resource, p->text);

    if (found != ENTRY_NONE)
        p->found = resource_type(c, found);
    else
        add(c, p, SEVERITY_ERROR, ISSUE_INVARIANT, "ref-1",
            SPAN("want # and the id of a resource that is contained in the same one"), SPAN("have an id that none has"));
}

/* What is in a server's or a specification's care need not be sent along. */
static bool
is_definition(const struct references_check *c, struct span text)
{
    struct span base, type, id;

    if (!url_absolute(text) || !reference_split(text, &base, &type, &id) || !pack_resource_named(c->pack, type))
        return false;
    const struct pack_shape *names = &c->pack->shapes[c->pack->header->names_shape];
    const struct pack_slot  *slot  = pack_slot_of(c->pack, names, tape_key_of(type), type);
    const struct pack_shape *shape = &c->pack->shapes[c->pack->structures[slot->element].shape];
    return pack_slot_of(c->pack, shape, tape_key_of(SPAN("url")), SPAN("url")) != NULL
        && pack_slot_of(c->pack, shape, tape_key_of(SPAN("version")), SPAN("version")) != NULL;
}

static void
report_absent(struct references_check *c, const struct pointer *p)
{
    const struct bundle_table *table  = p->home->table;
    bool                       strict = table->type == BUNDLE_DOCUMENT || table->type == BUNDLE_MESSAGE;
    uint32_t                   other  = bundle_table_namesake(table, p->text, c->report->arena);

    /* In a transaction, what has no fullUrl is what the server has by this name. */
    if (other != ENTRY_NONE
        && (strict || (!span_empty(table->entries[p->home->entry].full_url) && !span_empty(table->entries[other].full_url))))
        add(c, p, strict ? SEVERITY_ERROR : SEVERITY_WARNING, ISSUE_NOT_FOUND, "bundle-reference",
            SPAN("want a reference that leads to the fullUrl of an entry"),
            SPAN("have type and id of an entry whose fullUrl is another"));
    else if (must_be_inside(c, p) && !is_definition(c, p->text))
        add(c, p, SEVERITY_ERROR, ISSUE_NOT_FOUND, "bundle-reference",
            SPAN("want what this refers to as an entry of the Bundle"), SPAN("have no such fullUrl"));
    else if (span_starts(p->text, SPAN("urn:uuid:")) || span_starts(p->text, SPAN("urn:oid:")))
        add(c, p, SEVERITY_WARNING, ISSUE_NOT_FOUND, "bundle-reference",
            SPAN("want a urn: that is the fullUrl of an entry"), SPAN("have one that no entry has"));
}

static void
resolve_inside(struct references_check *c, struct pointer *p)
{
    struct bundle_table *table = p->home->table;
    uint32_t             to    = ENTRY_NONE;

    if (p->home->entry >= table->count)
        return;
    switch (bundle_table_resolve(p->home, p->text, c->report->arena, c->tape, &to)) {
    case RESOLUTION_NONE:
        report_absent(c, p);
        break;
    case RESOLUTION_MANY:
        add(c, p, SEVERITY_ERROR, ISSUE_DUPLICATE, "bundle-reference", SPAN("want one entry with the fullUrl that is meant"),
            SPAN("have several"));
        break;
    case RESOLUTION_ONE:
        if (table->entries[to].resource != TAPE_ABSENT)
            p->found = table->entries[to].type;
        p->to = to;
        note_link(c, p, to);
        break;
    }
}

/* ---- what must be inside ------------------------------------------------------------------------ */

static tape_node
object_around(const struct references_check *c, tape_node node)
{
    tape_node up = c->bundle->parents[node];

    return walk_kind(c->tape, up) == TAPE_ARRAY ? c->bundle->parents[up] : up;
}

static bool
is_named(const struct references_check *c, tape_node node, const char *const *names)
{
    tape_node up = c->bundle->parents[node];

    if (walk_kind(c->tape, up) == TAPE_ARRAY)
        node = up;
    for (tape_node name = tape_name(c->tape, node); *names != NULL; names++)
        if (name != TAPE_ABSENT && tape_text_eq(c->tape, name, span_of(*names)))
            return true;
    return false;
}

/* R4 documents.html#content and messaging.html: subject, author, encounter,
 * custodian, attester.party, event.detail of the Composition, author, focus and
 * entry of its sections; focus of the MessageHeader. */
static bool
must_be_inside(const struct references_check *c, const struct pointer *p)
{
    static const char *const focus[]   = { "focus", NULL }, *const section[] = { "section", NULL },
                      *const direct[]  = { "subject", "author", "encounter", "custodian", NULL },
                      *const parts[]   = { "author", "focus", "entry", NULL },
                      *const attester[] = { "attester", NULL }, *const party[] = { "party", NULL },
                      *const event[] = { "event", NULL }, *const detail[] = { "detail", NULL };
    const struct bundle_table *table = p->home->table;
    tape_node                  root  = bundle_resource_at(c->bundle, c->resource)->node, node = p->noted->node;
    tape_node                  up    = object_around(c, node);

    if (p->home->entry != 0 || table->entries[0].resource != root)
        return false;
    if (table->type == BUNDLE_MESSAGE)
        return up == root && is_named(c, node, focus);
    if (table->type != BUNDLE_DOCUMENT)
        return false;
    if (up == root)
        return is_named(c, node, direct);
    if (object_around(c, up) == root
        && ((is_named(c, up, attester) && is_named(c, node, party)) || (is_named(c, up, event) && is_named(c, node, detail))))
        return true;
    if (!is_named(c, node, parts))
        return false;
    while (up != root && is_named(c, up, section))
        up = object_around(c, up);
    return up == root;
}

/* ---- types ------------------------------------------------------------------------------------ */

static struct span
type_of_definition(struct span url)
{
    return span_starts(url, DEFINITIONS) ? span_skip(url, DEFINITIONS.length) : url;
}

/* Whether the definition of the element admits a resource of this type.  A
 * target that is no resource type of R4 (a profile, Resource) admits all. */
static bool
admits(const struct references_check *c, uint32_t type_index, struct span type)
{
    const struct pack_type *t = &c->pack->types[type_index];

    for (uint32_t i = 0; i < t->target_count; i++) {
        struct span target = type_of_definition(pack_span(c->pack, c->pack->targets[t->first_target + i]));
        if (span_eq(target, type) || !pack_resource_named(c->pack, target))
            return true;
    }
    return t->target_count == 0;
}

static struct span
admitted(const struct references_check *c, uint32_t type_index)
{
    const struct pack_type *t = &c->pack->types[type_index];
    struct span             all = SPAN("want a reference to");

    for (uint32_t i = 0; i < t->target_count; i++)
        all = arena_join(c->report->arena, all, i == 0 ? SPAN(" ") : i + 1 < t->target_count ? SPAN(", ") : SPAN(" or "),
                         type_of_definition(pack_span(c->pack, c->pack->targets[t->first_target + i])));
    return all;
}

static struct span
have_type(const struct references_check *c, struct span type)
{
    return pack_resource_named(c->pack, type) ? arena_format(c->report->arena, "have one to %.*s", SPAN_PRINT(type))
                                              : SPAN("have one to what is no resource type");
}

/* The type that the text itself says; empty when it says none. */
static struct span
said_type(const struct references_check *c, struct span text)
{
    struct span base, type, id;

    if (span_starts(text, SPAN("#")) || !reference_split(text, &base, &type, &id) || !pack_resource_named(c->pack, type))
        return NOTHING;
    return type;
}

static void
check_type(struct references_check *c, const struct pointer *p)
{
    if (walk_kind(c->tape, p->type_node) != TAPE_STRING)
        return;
    struct span type   = type_of_definition(walk_text(c->tape, p->type_node, c->report->arena));
    struct span actual = span_empty(p->found) ? said_type(c, p->text) : p->found;
    if (!admits(c, p->noted->type, type))
        add(c, p, SEVERITY_ERROR, ISSUE_STRUCTURE, "reference-type", admitted(c, p->noted->type), have_type(c, type));
    if (!span_empty(actual) && !span_eq(actual, type))
        add(c, p, SEVERITY_ERROR, ISSUE_STRUCTURE, "reference-type", SPAN("want type to be that of what is referred to"),
            SPAN("have another"));
}

static void
check_target(struct references_check *c, const struct pointer *p)
{
    struct span type = span_empty(p->found) ? said_type(c, p->text) : p->found;

    if (span_empty(type) || admits(c, p->noted->type, type))
        return;
    add(c, p, span_empty(p->found) ? SEVERITY_WARNING : SEVERITY_ERROR, ISSUE_STRUCTURE, "reference-target",
        admitted(c, p->noted->type), have_type(c, type));
}
