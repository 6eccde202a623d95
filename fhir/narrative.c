#include "fhir/narrative.h"

#include "base/json_walk.h"
#include "fhir/lookup.h"
#include "fhir/path.h"
#include "fhir/xhtml.h"

/* A narrative of R4's examples has a handful; more than these are not followed. */
#define MOST_ANCHORS 65536u

struct anchor { struct span name; tape_node value; };

/* Links and what they may lead to, in the order met. */
struct narratives {
    struct arena *arena;
    struct list { struct anchor *all; uint32_t count, room; } links, targets;
    tape_node     value;                 /* the narrative that is read */
    bool          overflow;
};

static const struct { const char *rule; enum issue_code code; } rules[] = {
    [XHTML_FORM]   = { "xhtml", ISSUE_STRUCTURE },
    [XHTML_TXT_1]  = { "txt-1", ISSUE_INVARIANT },
    [XHTML_TXT_2]  = { "txt-2", ISSUE_INVARIANT },
    [XHTML_ACTIVE] = { "xhtml-active", ISSUE_SECURITY },
    [XHTML_URL]    = { "xhtml-url", ISSUE_VALUE },
    [XHTML_PLACE]  = { "xhtml-place", ISSUE_STRUCTURE },
};

static bool
grow(struct narratives *n, struct list *list)
{
    uint32_t room = list->room > 0 ? list->room * 2 : 16;

    if (list->room >= MOST_ANCHORS)
        return false;
    list->all = arena_grow(n->arena, list->all, list->room * sizeof *list->all, room * sizeof *list->all);
    if (list->all == NULL) {
        *list = (struct list){ NULL, 0, 0 };
        return false;
    }
    list->room = room;
    return true;
}

static void
met_anchor(void *with, struct span name, bool link)
{
    struct narratives *n    = with;
    struct list       *list = link ? &n->links : &n->targets;

    if (list->count == list->room && !grow(n, list)) {
        n->overflow = true;
        return;
    }
    list->all[list->count++] = (struct anchor){ .name = arena_copy(n->arena, name), .value = n->value };
}

static void
add(struct report *r, tape_node value, uint64_t place, const struct xhtml_fault *fault)
{
    struct finding one = { .node = value, .severity = fault->rule == XHTML_PLACE ? SEVERITY_WARNING : SEVERITY_ERROR,
                           .code = rules[fault->rule].code,
                           .rule  = rules[fault->rule].rule,
                           .place = place ^ lookup_hash(span_of(fault->wanted)) };
    struct span    hint = { NULL, 0 };

    if (!report_new(r, &one))
        return;
    struct span found = arena_format(r->arena, "have something else at byte %u of the text", fault->offset);
    if (fault->rule == XHTML_TXT_2)
        found = SPAN("have none");
    else if (path_name_plain(fault->name))
        found = arena_format(r->arena, "have \"%.*s\" at byte %u of the text", SPAN_PRINT(fault->name),
                             fault->offset);
    if (fault->rule == XHTML_ACTIVE)
        hint = SPAN("Leave it out: a reader may run it");
    report_add(r, &one, span_of(fault->wanted), found, hint);
}

/* "en" is said by "en-GB", and the other way round; case does not count (RFC 5646 2.1.1). */
static bool
same_language(struct span a, struct span b)
{
    size_t both = a.length < b.length ? a.length : b.length;

    return both > 0 && span_eq_nocase(span_first(a, both), span_first(b, both))
        && (a.length == b.length || (a.length > both ? a : b).at[both] == '-');
}

static void
check_language(struct report *r, tape_node value, uint64_t place, const struct xhtml_faults *said)
{
    const struct tape *t        = r->bundle->tape;
    tape_node          text     = r->bundle->parents[value], resource = text != TAPE_ABSENT ? r->bundle->parents[text] : TAPE_ABSENT;
    struct finding     one      = { .node = value, .severity = SEVERITY_WARNING, .code = ISSUE_BUSINESS_RULE, .rule = "xhtml-lang", .place = place ^ 1 };
    struct span        language = walk_find_text(t, resource, SPAN("language"), r->arena);

    if (span_empty(language) || said->sections || walk_find(t, resource, SPAN("resourceType")) == TAPE_ABSENT
        || (same_language(language, said->lang) && same_language(language, said->xml_lang)))
        return;
    if (report_new(r, &one))
        report_add(r, &one, SPAN("want lang and xml:lang on the div of a narrative to be the language of its resource"),
                   span_empty(said->lang) && span_empty(said->xml_lang)  ? SPAN("have neither")
                   : span_empty(said->lang) || span_empty(said->xml_lang) ? SPAN("have one of them") : SPAN("have another"),
                   SPAN("Write both, as the resource has it"));
}

bool
narrative_check(struct report *r, tape_node value, uint64_t place)
{
    struct xhtml_faults faults;

    if (walk_kind(r->bundle->tape, value) != TAPE_STRING || walk_raw(r->bundle->tape, value).length == 0)
        return false;
    if (r->narratives == NULL && (r->narratives = arena_make(r->arena, struct narratives)) == NULL)
        return true;
    struct narratives   *n       = r->narratives;
    struct xhtml_anchors anchors = { met_anchor, n };
    struct arena_mark    mark    = arena_mark(r->arena);
    uint32_t             had     = n->links.count + n->targets.count, made = r->made;
    n->arena = r->arena;
    n->value = value;
    bool fine = xhtml_check(walk_text(r->bundle->tape, value, r->arena), &faults, &anchors);
    check_language(r, value, place, &faults);
    if (fine && faults.count == 0) {
        if (n->links.count + n->targets.count == had && r->made == made)
            arena_reset(r->arena, mark);                 /* the text behind the escapes */
        return true;
    }
    for (uint32_t i = 0; i < faults.count; i++)
        add(r, value, place, &faults.at[i]);
    return true;
}

/* ---- links --------------------------------------------------------------------------------- */

/* Takes the links of this name off the list of those that lead nowhere. */
static void
reach(const struct lookup *links, bool *reached, struct span name)
{
    for (uint32_t at = lookup_find(links, name); at != LOOKUP_NONE; at = lookup_next(links, at)) {
        if (reached[lookup_value(links, at)])
            return;                                      /* and so are the others of this name */
        reached[lookup_value(links, at)] = true;
    }
}

static void
reach_ids(struct report *r, const struct lookup *links, bool *reached)
{
    const struct tape *t    = r->bundle->tape;
    struct span        name = SPAN("id");
    uint32_t           key  = tape_key_of(name);

    for (tape_node n = walk_seek(t, TAPE_ROOT, key, name); n <= tape_count(t); n = walk_seek(t, n + 1, key, name))
        if (walk_kind(t, n + 1) == TAPE_STRING)
            reach(links, reached, walk_text(t, n + 1, r->arena));
}

/* HL7's publisher writes "#Type_id" for a resource that it shows on the same
 * page: of a Bundle that leads to an entry, if not to a place in a narrative. */
static bool
names_entry(struct report *r, struct span name)
{
    size_t at = span_find_byte(name, '_');

    return at != SPAN_NOT_FOUND
        && bundle_find_name(r->bundle, arena_join(r->arena, span_first(name, at), SPAN("/"), span_skip(name, at + 1)))
               != ENTRY_NONE;
}

enum status
narrative_links(struct report *r)
{
    struct narratives *n = r->narratives;

    if (n == NULL || n->links.count == 0 || n->overflow)
        return arena_status(r->arena);
    struct lookup_item  *items   = arena_make_n(r->arena, n->links.count, struct lookup_item);
    bool                *reached = arena_make_n(r->arena, n->links.count, bool);
    const struct lookup *links   = NULL;
    for (uint32_t i = 0; items != NULL && i < n->links.count; i++)
        items[i] = (struct lookup_item){ .key = n->links.all[i].name, .value = i };
    if (items != NULL && reached != NULL)
        links = lookup_build(items, n->links.count, r->arena);
    if (links == NULL)
        return ST_NO_MEMORY;
    for (uint32_t i = 0; i < n->targets.count; i++)
        reach(links, reached, n->targets.all[i].name);
    reach_ids(r, links, reached);
    for (uint32_t i = 0; i < n->links.count; i++) {
        struct finding one = { .node = n->links.all[i].value, .severity = SEVERITY_ERROR,
                               .code = ISSUE_NOT_FOUND, .rule = "xhtml-link" };
        if (reached[i])
            continue;
        if (names_entry(r, n->links.all[i].name))
            one.severity = SEVERITY_WARNING;
        if (report_new(r, &one))
            report_add(r, &one, SPAN("want a link inside of the document to lead to an id or a name in it"),
                       SPAN("have one that leads nowhere"), (struct span){ NULL, 0 });
    }
    return arena_status(r->arena);
}
