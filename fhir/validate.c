#include "fhir/validate.h"

#include <string.h>

#include "base/json_walk.h"
#include "fhir/bundle_rules.h"
#include "fhir/datatypes.h"
#include "fhir/definition_rules.h"
#include "fhir/element.h"
#include "fhir/extension_rules.h"
#include "fhir/finding.h"
#include "fhir/id_rules.h"
#include "fhir/known_good.h"
#include "fhir/narrative.h"
#include "fhir/pack_format.h"
#include "fhir/pack_forms.h"
#include "fhir/path.h"
#include "fhir/profile.h"
#include "fhir/questionnaire.h"
#include "fhir/reference_rules.h"
#include "fhir/type_rules.h"

/* One walk down the tape with its own stack; every member costs one look into
 * the slots of its shape.  A frame is an open object, or an open array of
 * objects. */
struct frame {
    const struct pack_shape *shape;      /* NULL: an array                            */
    tape_node                node;
    tape_node                next;       /* child to look at next                     */
    uint64_t                 place;      /* hash of the way here, without indexes     */
    uint64_t                 met[4];     /* elements, a bit for each; then shadows    */
    const struct pack_type  *type;       /* of the items of an array                  */
    struct known_value      *good;       /* where to remember it when nothing is found (K1 to K3) */
    uint64_t                 good_place;
    uint32_t                 left, outside;  /* findings made, looks outside, when it began */
    bool                     whole;      /* something in it is noted: never good */
    bool                     contained;  /* a contained resource, or inside of one    */
    bool                     contains;   /* the array is `contained`                  */
    bool                     odd;        /* a member is not what it looks like: null, [null], _x */
};

/* Deeper documents are rare; their frames come from the arena. */
#define OWN_FRAMES 32u

struct walk {
    const struct pack   *pack;
    const struct tape   *tape;
    const struct bundle *bundle;
    struct arena        *arena;
    struct frame        *stack;
    uint32_t             depth, room;
    bool                 no_memory;
    tape_node            apart;          /* an array whose items are not entered */
    struct noted_references references;  /* for when the walk is through */
    struct noted_references extensions;
    struct noted_ids        ids;
    struct report        report;
    struct profiling     profiling;
    struct bundle_tables tables;
    struct frame         own[OWN_FRAMES];
    struct known_good    good;
};

static void walk_down(struct walk *);
static void check_object(struct walk *, tape_node value, const struct pack_type *, uint64_t place, bool contains);
static void check_members(struct walk *, struct frame *);
static void check_items(struct walk *, struct frame *);
static void close_object(struct walk *, const struct frame *);
static void push_resource(struct walk *, tape_node, uint64_t place, bool contained);

#define NOTHING ((struct span){ NULL, 0 })

static const struct pack_shape *
shape_named(const struct pack *pack, struct span name)
{
    const struct pack_slot *slot =
        pack_slot_of(pack, &pack->shapes[pack->header->names_shape], tape_key_of(name), name);

    if (slot == NULL || pack->structures[slot->element].kind == PACK_PRIMITIVE)
        return NULL;
    return &pack->shapes[pack->structures[slot->element].shape];
}

static enum status
walk_init(struct walk *w, const struct pack *pack, const struct bundle *bundle, uint32_t entries, struct arena *arena,
          struct issues *issues)
{
    w->pack      = pack;
    w->tape      = bundle->tape;
    w->bundle    = bundle;
    w->arena     = arena;
    w->stack     = w->own;
    w->room      = OWN_FRAMES;
    w->depth     = 0;
    w->no_memory = false;
    w->apart     = TAPE_ABSENT;
    w->references = (struct noted_references){ 0 };
    w->extensions = (struct noted_references){ 0 };
    w->ids        = (struct noted_ids){ 0 };
    w->tables     = (struct bundle_tables){ 0 };
    report_init(&w->report, bundle, arena, issues, VALIDATE_MOST_FINDINGS);
    profiling_init(&w->profiling, pack, bundle, arena, &w->report);
    known_init(&w->good, w->tape);
    if (known_widen(&w->profiling.good, entries, arena) != ST_OK)
        return ST_NO_MEMORY;
    return known_widen(&w->good, entries, arena);
}

/* What can be said only when the whole was seen. */
static enum status
check_whole(struct walk *w, struct resource_range range)
{
    struct bundle_tables *tables = &w->tables;
    enum status           st     = bundle_tables_read(w->bundle, range, w->arena, tables);

    for (uint32_t i = 0; st == ST_OK && i < tables->count && !w->report.stopped; i++)
        if (tables->all[i].node != w->bundle->root || range.first == 0)
            st = bundle_rules(&w->report, w->pack, &tables->all[i], w->apart != TAPE_ABSENT);
    if (st == ST_OK)
        st = reference_rules(&w->report, w->pack, &w->references, tables);
    w->profiling.tables = st == ST_OK ? tables : NULL;
    if (st == ST_OK)
        st = id_rules(&w->report, &w->ids);
    struct form_source source = pack_form_source(w->pack);
    return st == ST_OK ? questionnaires_check(&w->report, &source, range) : st;
}

/* What definitions beyond the base ask: profiles, extensions. */
static enum status
check_definitions(struct walk *w, const struct validate_options *options, struct resource_range range)
{
    profiling_resources(&w->profiling, options, range.first, range.end);
    enum status st = definition_rules(&w->profiling, range);
    return st != ST_OK ? st : extension_rules(&w->profiling, &w->extensions, options != NULL ? options->unknown_extensions : UNKNOWN_EXTENSIONS_TOLD);
}

static enum status
conclude(struct walk *w, enum status st)
{
    profiling_end(&w->profiling);
    if (w->report.stopped) {
        struct issue one = { .severity = SEVERITY_ERROR, .code = ISSUE_TOO_COSTLY, .rule = "validate",
                             .wanted = SPAN("want fewer findings"),
                             .found  = SPAN("have so many that the rest was not looked at") };
        issues_add(w->report.issues, &one);
    }
    return st != ST_OK || w->no_memory || w->profiling.no_memory ? ST_NO_MEMORY : arena_status(w->arena);
}

enum status
validate(const struct pack *pack, const struct bundle *bundle, const struct validate_options *options,
         struct arena *arena, struct issues *issues)
{
    struct walk w __attribute__((uninitialized));     /* walk_init() sets what is read; frames when they are pushed */

    if (walk_init(&w, pack, bundle, bundle->count, arena, issues) != ST_OK)
        return ST_NO_MEMORY;
    w.profiling.questions = options != NULL ? options->questions : NULL;
    w.profiling.now_ms    = options != NULL ? options->now_ms : 0;
    if (options != NULL && options->entries_apart && bundle->type != BUNDLE_SINGLE)
        w.apart = tape_member(bundle->tape, bundle->root, SPAN("entry"));
    push_resource(&w, bundle->root, 1, false);
    walk_down(&w);
    /* With entries apart, all other resources are inside of entries. */
    struct resource_range range = { 0, w.apart != TAPE_ABSENT ? 1 : bundle_resources(bundle) };
    enum status           st    = check_whole(&w, range);
    if (st == ST_OK)
        st = narrative_links(&w.report);
    if (st == ST_OK)
        st = check_definitions(&w, options, range);
    return conclude(&w, st);
}

/* Index of the first resource at or behind a node: they are in node order. */
static uint32_t
first_resource(const struct bundle *bundle, tape_node node)
{
    uint32_t low = 0, high = bundle_resources(bundle);

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (bundle_resource_at(bundle, middle)->node < node)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

enum status
validate_entry(const struct pack *pack, const struct bundle *bundle, uint32_t entry,
               const struct validate_options *options, struct arena *arena, struct issues *issues)
{
    struct walk              w __attribute__((uninitialized));
    const struct pack_shape *shape = shape_named(pack, SPAN("Bundle"));
    const struct pack_slot  *slot  = NULL;

    if (shape != NULL)
        slot = pack_slot_of(pack, shape, tape_key_of(SPAN("entry")), SPAN("entry"));
    if (slot == NULL || entry >= bundle->count || bundle->type == BUNDLE_SINGLE)
        return ST_NOT_FOUND;
    tape_node               node = bundle->entries[entry].entry;
    const struct pack_type *type = &pack->types[pack->elements[shape->first_element + slot->element].first_type];
    if (walk_init(&w, pack, bundle, 1, arena, issues) != ST_OK)
        return ST_NO_MEMORY;
    w.profiling.questions = options != NULL ? options->questions : NULL;
    w.profiling.now_ms    = options != NULL ? options->now_ms : 0;
    if (type->kind != TYPE_COMPLEX)
        return ST_NOT_FOUND;
    check_object(&w, node, type, 1, false);
    walk_down(&w);
    bundle_entry_rules(&w.report, pack, bundle->root, &bundle->entries[entry]);
    struct resource_range range = { first_resource(bundle, node), first_resource(bundle, tape_after(bundle->tape, node)) };
    enum status           st    = check_whole(&w, range);
    return conclude(&w, st == ST_OK ? check_definitions(&w, options, range) : st);
}

/* ---- the walk ---------------------------------------------------------------------- */

static uint64_t
mix(uint64_t place, uint64_t step)
{
    return (place ^ step) * 0x9e3779b97f4a7c15u + 1;
}

static struct frame *
push(struct walk *w, tape_node node, uint64_t place)
{
    if (w->depth == w->room) {
        uint32_t      room  = w->room * 2;
        struct frame *fresh = arena_make_n(w->arena, room, struct frame);
        if (fresh == NULL) {
            w->no_memory = true;
            w->depth     = 0;                            /* nothing more is looked at */
            return NULL;
        }
        memcpy(fresh, w->stack, w->depth * sizeof *fresh);
        w->stack = fresh;
        w->room  = room;
    }
    struct frame *f = &w->stack[w->depth++];
    *f = (struct frame){ .node = node, .next = walk_first(w->tape, node), .place = place };
    return f;
}

/* Each look at a frame ends with the children or with a push of one of them. */
static void
walk_down(struct walk *w)
{
    while (w->depth > 0 && !w->report.stopped) {
        struct frame *f = &w->stack[w->depth - 1];
        if (f->next == TAPE_ABSENT) {
            if (f->shape != NULL)
                close_object(w, f);
            if (f->good != NULL && f->left == w->report.made && f->outside == w->profiling.outside)
                known_keep(&w->good, f->good, f->good_place, f->node);
            w->depth--;
        } else if (f->shape != NULL) {
            check_members(w, f);
        } else {
            check_items(w, f);
        }
    }
}

/* ---- what is looked at when the walk is through ----------------------------------------- */

/* Nothing around this may count as seen before: it would not be noted. */
static void
keep_whole(struct walk *w)
{
    for (uint32_t i = w->depth; i > 0 && !w->stack[i - 1].whole; i--) {
        w->stack[i - 1].whole = true;
        w->stack[i - 1].good  = NULL;
    }
}

static void
note_one(struct walk *w, struct noted_references *r, tape_node node, uint32_t type, uint64_t place)
{
    if (r->count == r->room) {
        uint32_t                room  = r->room > 0 ? r->room * 2 : 32;
        struct noted_reference *fresh = arena_grow(w->arena, r->all, r->room * sizeof *fresh, room * sizeof *fresh);
        if (fresh == NULL) {
            w->no_memory = true;
            return;
        }
        r->all  = fresh;
        r->room = room;
    }
    r->all[r->count++] = (struct noted_reference){ place, node, type };
}

/* A value, or each item. */
static __attribute__((noinline)) void
note_all(struct walk *w, struct noted_references *r, tape_node value, uint32_t type, uint64_t place)
{
    keep_whole(w);
    if (walk_kind(w->tape, value) != TAPE_ARRAY)
        note_one(w, r, value, type, place);
    else
        for (tape_node n = walk_first(w->tape, value); n != TAPE_ABSENT; n = walk_next(w->tape, n))
            note_one(w, r, n, type, place);
}

static void
note_id(struct walk *w, tape_node node)
{
    struct noted_ids *ids = &w->ids;

    keep_whole(w);
    if (ids->count == ids->room) {
        uint32_t   room  = ids->room > 0 ? ids->room * 2 : 32;
        tape_node *fresh = arena_grow(w->arena, ids->all, ids->room * sizeof *fresh, room * sizeof *fresh);
        if (fresh == NULL) {
            w->no_memory = true;
            return;
        }
        ids->all  = fresh;
        ids->room = room;
    }
    ids->all[ids->count++] = node;
}

/* ---- findings ----------------------------------------------------------------------- */

static struct finding
finding(tape_node node, enum issue_code code, const char *rule, uint64_t place)
{
    return (struct finding){ .node = node, .severity = SEVERITY_ERROR, .code = code, .rule = rule,
                             .place = mix(place, 0x5bd1e995) };
}

static void
add(struct walk *w, tape_node node, enum issue_code code, const char *rule, uint64_t place,
    struct span wanted, struct span hint)
{
    struct finding f = finding(node, code, rule, place);

    if (report_new(&w->report, &f))
        report_add(&w->report, &f, wanted, finding_found(w->tape, node, w->arena), hint);
}

/* "want Patient.name 0..*" */
static struct span
cardinality(struct walk *w, const struct pack_element *e)
{
    struct span path = pack_span(w->pack, e->path);

    if (e->max == PACK_MANY)
        return arena_format(w->arena, "want %.*s %u..*", SPAN_PRINT(path), e->min);
    return arena_format(w->arena, "want %.*s %u..%u", SPAN_PRINT(path), e->min, e->max);
}

/* ---- resources ------------------------------------------------------------------------ */

static void
refuse_type(struct walk *w, tape_node node, tape_node type, uint64_t place)
{
    struct finding f    = finding(type != TAPE_ABSENT ? type : node, ISSUE_STRUCTURE, "resource-type", place);
    struct span    name = tape_text(w->tape, type, w->arena);
    struct span    hint = NOTHING;

    f.place = 0;
    if (!report_new(&w->report, &f))
        return;
    for (uint32_t i = 0; i < pack_count(w->pack); i++)
        if (pack_resource_named(w->pack, pack_name(w->pack, i)) && span_eq_nocase(pack_name(w->pack, i), name))
            hint = arena_format(w->arena, "Write %.*s", SPAN_PRINT(pack_name(w->pack, i)));
    bool        known = false;                           /* an abstract one, a datatype, another case: any other is text of somebody */
    for (uint32_t i = 0; i < pack_count(w->pack) && !known; i++)
        known = span_eq_nocase(pack_name(w->pack, i), name);
    struct span found = type == TAPE_ABSENT ? SPAN("have none")
                      : known ? arena_format(w->arena, "have %.*s", SPAN_PRINT(name)) : finding_found(w->tape, type, w->arena);
    report_add(&w->report, &f, SPAN("want resourceType to be a resource of FHIR R4"), found, hint);
}

static void
push_resource(struct walk *w, tape_node node, uint64_t place, bool contained)
{
    const struct pack_shape *names = &w->pack->shapes[w->pack->header->names_shape];
    tape_node                type  = walk_find(w->tape, node, SPAN("resourceType"));
    struct span              name  = tape_text(w->tape, type, w->arena);
    const struct pack_slot  *slot  = pack_slot_of(w->pack, names, tape_key_of(name), name);

    if (slot == NULL || w->pack->structures[slot->element].kind != PACK_RESOURCE
        || w->pack->structures[slot->element].abstract) {
        refuse_type(w, node, type, place);
        return;
    }
    struct frame *f = push(w, node, mix(place, slot->element));
    if (f == NULL)
        return;
    f->shape     = &w->pack->shapes[w->pack->structures[slot->element].shape];
    f->contained = contained;
}

/* ---- values ----------------------------------------------------------------------------- */

/* A value, or an item, that is not a primitive. */
static void
check_object(struct walk *w, tape_node value, const struct pack_type *type, uint64_t place, bool contains)
{
    bool contained = w->depth > 0 && w->stack[w->depth - 1].contained;

    if (walk_kind(w->tape, value) != TAPE_OBJECT) {
        if (walk_kind(w->tape, value) == TAPE_NULL)
            add(w, value, ISSUE_STRUCTURE, "json-null", place, SPAN("want an object"), SPAN("Leave it out"));
        else
            add(w, value, ISSUE_STRUCTURE, "json-type", place, SPAN("want an object"), NOTHING);
        return;
    }
    if (walk_children(w->tape, value) == 0) {
        add(w, value, ISSUE_STRUCTURE, "json-empty", place, SPAN("want an object with something in it"),
            SPAN("Leave it out"));
        return;
    }
    if (type->kind == TYPE_RESOURCE) {
        push_resource(w, value, place, contained || contains);
        return;
    }
    struct frame *f = push(w, value, place);
    if (f == NULL)
        return;
    f->shape     = &w->pack->shapes[type->shape];
    f->contained = contained;
}

/* Element.id: "any string value that does not contain spaces" (R4 element.html). */
static bool
has_space(struct span s)
{
    for (size_t i = 0; i < s.length; i++)
        if ((unsigned char)s.at[i] <= ' ')
            return true;
    return false;
}

/* One that is not plain: right, wrong, or doubtful. */
static void
examine_primitive(struct walk *w, tape_node value, const struct pack_element *e, enum primitive which,
                  uint64_t place)
{
    const char *wanted;

    if (which == PRIMITIVE_XHTML) {
        keep_whole(w);                                   /* K1: it is compared with Resource.language */
        if (narrative_check(&w->report, value, place))
            return;
    }
    if (!primitive_valid(w->tape, value, which, w->arena, &wanted)) {
        enum tape_kind kind = walk_kind(w->tape, value);
        bool           json = kind == TAPE_OBJECT || kind == TAPE_ARRAY || kind == TAPE_NULL;
        add(w, value, ISSUE_VALUE, kind == TAPE_NULL ? "json-null" : json ? "json-type" : "primitive", place,
            span_of(wanted), kind == TAPE_NULL ? SPAN("Leave it out") : NOTHING);
        return;
    }
    if (primitive_doubtful(w->tape, value, which, w->arena)) {
        struct finding one = finding(value, ISSUE_VALUE, "primitive", place);
        one.severity = SEVERITY_WARNING;
        if (report_new(&w->report, &one))
            report_add(&w->report, &one, SPAN("want text: not white space alone, no control characters"),
                       finding_found(w->tape, value, w->arena), NOTHING);
    }
    if ((e->flags & ELEMENT_ID) && has_space(tape_text(w->tape, value, w->arena)))
        add(w, value, ISSUE_VALUE, "element-id", place, SPAN("want an id without white space"), NOTHING);
    if (e->flags & ELEMENT_ID)
        note_id(w, value);
    if ((which == PRIMITIVE_URI || which == PRIMITIVE_URL || which == PRIMITIVE_CANONICAL)
        && (walk_raw(w->tape, value).at[0] == '#' || span_starts(walk_raw(w->tape, value), SPAN("\\u0023")))) {
        keep_whole(w);
        note_one(w, &w->references, value, which == PRIMITIVE_CANONICAL ? NOTED_CANONICAL : NOTED_FRAGMENT, place);
    }
}

static inline void
check_primitive(struct walk *w, tape_node value, const struct pack_element *e, const struct pack_type *type,
                uint64_t place)
{
    enum primitive which = (enum primitive)type->primitive;

    if ((e->flags & ELEMENT_ID) || !primitive_plain(w->tape, value, which))
        examine_primitive(w, value, e, which, place);
}

/* The other side of a list of primitives. */
static tape_node
other_side(const struct walk *w, tape_node side)
{
    tape_node twin = element_twin(w->tape, w->bundle->parents, side);

    return walk_kind(w->tape, twin) == TAPE_ARRAY ? twin : TAPE_ABSENT;
}

static void
check_primitive_items(struct walk *w, tape_node array, const struct pack_element *e,
                      const struct pack_type *type, uint64_t place)
{
    bool      holes = false;
    tape_node last  = TAPE_ABSENT;

    for (tape_node n = walk_first(w->tape, array); n != TAPE_ABSENT; n = walk_next(w->tape, n)) {
        if (walk_kind(w->tape, n) == TAPE_NULL) {
            holes = true;
            last  = n;
        } else {
            check_primitive(w, n, e, type, place);
        }
    }
    /* With a shadow beside it, check_shadow_items looks at the holes. */
    if (holes && other_side(w, array) == TAPE_ABSENT)
        add(w, last, ISSUE_STRUCTURE, "json-null", place,
            SPAN("want null only where the parallel _ array has something"), SPAN("Leave it out"));
}

/* ---- shadows ------------------------------------------------------------------------------ */

static void
check_shadow(struct walk *w, tape_node shadow, uint64_t place)
{
    struct pack_type element = { .kind = TYPE_COMPLEX, .shape = w->pack->header->element_shape };

    check_object(w, shadow, &element, place, false);
}

/* ele-1 of a primitive whose value is not there: an id says nothing. */
static void
check_bare(struct walk *w, tape_node value, tape_node shadow, uint64_t place)
{
    if ((value == TAPE_ABSENT || walk_kind(w->tape, value) == TAPE_NULL) && walk_kind(w->tape, shadow) == TAPE_OBJECT
        && walk_children(w->tape, shadow) == 1 && walk_is(w->tape, walk_first(w->tape, shadow) - 1, SPAN("id")))
        add(w, shadow, ISSUE_INVARIANT, "ele-1", place, SPAN("want a value or children besides the id"), NOTHING);
}

/* R4 json.html#primitive: both arrays as long as each other, null where one
 * has nothing.  The objects are looked at by the walk: the array is pushed. */
static void
check_parallel(struct walk *w, tape_node shadows, uint64_t place)
{
    tape_node values = other_side(w, shadows);

    if (values != TAPE_ABSENT && walk_children(w->tape, values) != walk_children(w->tape, shadows)) {
        add(w, shadows, ISSUE_STRUCTURE, "json-parallel", place,
            arena_format(w->arena, "want an array of %u, as the values have", walk_children(w->tape, values)),
            SPAN("Fill the shorter one with null"));
        return;
    }
    tape_node v = walk_first(w->tape, values);
    for (tape_node s = walk_first(w->tape, shadows); s != TAPE_ABSENT; s = walk_next(w->tape, s)) {
        if (walk_kind(w->tape, s) == TAPE_NULL
            && (v == TAPE_ABSENT || walk_kind(w->tape, v) == TAPE_NULL))
            add(w, s, ISSUE_STRUCTURE, "json-parallel", place,
                SPAN("want a value or an extension at every index"), SPAN("Leave the index out on both sides"));
        check_bare(w, v, s, place);
        v = walk_next(w->tape, v);
    }
}

/* ---- members ------------------------------------------------------------------------------ */

/* Levenshtein's distance, as far as two names can be a typing slip apart. */
static size_t
distance(struct span a, struct span b)
{
    size_t row[PATH_NAME_MAX + 1];

    if (a.length > PATH_NAME_MAX || b.length > PATH_NAME_MAX)
        return PATH_NAME_MAX;
    for (size_t i = 0; i <= a.length; i++)
        row[i] = i;
    for (size_t k = 0; k < b.length; k++) {
        size_t corner = row[0];
        row[0] = k + 1;
        for (size_t i = 0; i < a.length; i++) {
            size_t change = corner + (a.at[i] != b.at[k]);
            size_t least  = row[i] < row[i + 1] ? row[i] : row[i + 1];
            corner        = row[i + 1];
            row[i + 1]    = change < least + 1 ? change : least + 1;
        }
    }
    return row[a.length];
}

static void
refuse_unknown(struct walk *w, const struct frame *f, tape_node value)
{
    struct span             name = tape_text(w->tape, tape_name(w->tape, value), w->arena);
    const struct pack_slot *same = NULL, *near = NULL;
    size_t                  least = 3;

    /* Names of a payload are many: the place does not repeat. */
    struct finding one = finding(value, ISSUE_STRUCTURE, "unknown-element", 0);
    one.place = 0;
    if (!report_new(&w->report, &one))
        return;
    for (uint32_t i = 0; i <= f->shape->slot_mask; i++) {
        const struct pack_slot *slot = &w->pack->slots[f->shape->first_slot + i];
        struct span             text = span_from(w->pack->texts + slot->text, slot->length);
        if (slot->flags == 0)
            continue;
        size_t apart = distance(name, text);
        if (span_eq_nocase(name, text))
            same = slot;
        if (apart < least && apart * 2 < name.length) {
            least = apart;
            near  = slot;
        }
    }
    const struct pack_slot *hit    = same != NULL ? same : near;
    struct span             hint   = NOTHING;
    struct span             wanted = arena_format(
        w->arena, "want a member that %.*s has",
        SPAN_PRINT(pack_span(w->pack, w->pack->structures[f->shape->structure].name)));
    if (hit != NULL)
        hint = arena_format(w->arena, "Did you mean %s?", w->pack->texts + hit->text);
    if (same != NULL) {
        one.rule = "element-case";
        wanted   = SPAN("want names spelt as FHIR spells them, in upper and lower case");
    }
    struct span found = path_name_plain(name) ? arena_format(w->arena, "have \"%.*s\"", SPAN_PRINT(name))
                                              : SPAN("have a name that is no FHIR name");
    report_add(&w->report, &one, wanted, found, hint);
}

/* A bit that is set already: of a choice, another type (the pair of x and _x
 * has one bit each). */
static void
check_choice(struct walk *w, struct frame *f, tape_node value, const struct pack_slot *slot, uint64_t place)
{
    for (tape_node n = walk_first(w->tape, f->node); n != value && n != TAPE_ABSENT; n = walk_next(w->tape, n)) {
        tape_node               name  = tape_name(w->tape, n);
        struct span             text  = tape_text(w->tape, name, w->arena);
        const struct pack_slot *other = pack_slot_of(w->pack, f->shape, walk_key(w->tape, name), text);
        if (other != NULL && !(other->flags & SLOT_RESOURCE_TYPE) && other->element == slot->element
            && other->type != slot->type) {
            add(w, value, ISSUE_STRUCTURE, "choice", place, SPAN("want one type of a choice element"),
                arena_format(w->arena, "Keep either this or %s", w->pack->texts + other->text));
            return;
        }
    }
}

/* An array, where the element repeats. */
static void
check_array(struct walk *w, tape_node array, const struct pack_element *e, const struct pack_type *type,
            uint64_t place, bool shadow)
{
    uint32_t count = walk_children(w->tape, array);

    if (count == 0) {
        add(w, array, ISSUE_STRUCTURE, "json-empty", place, SPAN("want an array with something in it"),
            SPAN("Leave it out"));
        return;
    }
    if (count > e->max || count < e->min) {
        struct finding one = finding(array, ISSUE_STRUCTURE, "cardinality", place);
        if (report_new(&w->report, &one))
            report_add(&w->report, &one, cardinality(w, e), arena_format(w->arena, "have %u", count), NOTHING);
    }
    if (type->kind == TYPE_PRIMITIVE && !shadow) {
        check_primitive_items(w, array, e, type, place);
        return;
    }
    if (array == w->apart)
        return;
    if (shadow)
        check_parallel(w, array, place);
    bool          contained = w->stack[w->depth - 1].contained;
    struct frame *f         = push(w, array, place);
    if (f == NULL)
        return;
    f->type      = shadow ? NULL : type;
    f->contained = contained;
    f->contains  = span_eq_text(pack_span(w->pack, e->name), "contained");
}

static void
check_items(struct walk *w, struct frame *f)
{
    uint32_t depth = w->depth;

    while (f->next != TAPE_ABSENT && w->depth == depth && !w->report.stopped) {
        tape_node item = f->next;
        f->next = walk_next(w->tape, item);
        if (f->type != NULL)
            check_object(w, item, f->type, f->place, f->contains);
        else if (walk_kind(w->tape, item) != TAPE_NULL)
            check_shadow(w, item, f->place);
    }
}

/* What the definition asks of the element beyond its structure. */
static void
ask_element(struct walk *w, tape_node value, const struct pack_element *e, const struct pack_type *type)
{
    bool        array = e->flags & ELEMENT_ARRAY;
    struct spot spot  = { .type = type, .shape = type->kind == TYPE_COMPLEX ? type->shape : PACK_NONE };

    if (array != (walk_kind(w->tape, value) == TAPE_ARRAY))
        return;                                          /* refused already */
    for (tape_node n = array ? walk_first(w->tape, value) : value; n != TAPE_ABSENT;
         n = array ? walk_next(w->tape, n) : TAPE_ABSENT) {
        spot.value = n;
        if (walk_kind(w->tape, n) != TAPE_NULL)
            profiling_base(&w->profiling, e->node, &spot);
    }
}

/* Objects and lists of them; a code that is bound. */
static bool
may_be_known(const struct walk *w, tape_node value, const struct pack_slot *slot, const struct pack_type *type)
{
    bool code = type->primitive == PRIMITIVE_CODE && slot->flags & SLOT_ASKS && walk_kind(w->tape, value) == TAPE_STRING;

    return (type->kind == TYPE_COMPLEX ? walk_children(w->tape, value) > 0 : code)
        && walk_raw(w->tape, value).length <= KNOWN_MOST_BYTES;
}

/* What is not plain; kept out of the loop over members. */
static __attribute__((noinline)) void
check_element(struct walk *w, struct frame *f, tape_node value, const struct pack_slot *slot, bool again)
{
    if (slot == NULL) {
        refuse_unknown(w, f, value);
        return;
    }
    const struct pack_element *e      = &w->pack->elements[f->shape->first_element + slot->element];
    const struct pack_type    *type   = &w->pack->types[e->first_type + slot->type];
    uint64_t                   place  = mix(f->place, (uint64_t)(e - w->pack->elements) << 1 | 1);
    bool                       shadow = slot->flags & SLOT_SHADOW;
    bool                       array  = walk_kind(w->tape, value) == TAPE_ARRAY;

    if (again && e->flags & ELEMENT_CHOICE)
        check_choice(w, f, value, slot, place);
    if (f->contained && (f->shape->flags & SHAPE_RESOURCE)
        && tape_text_eq(w->tape, value - 1, SPAN("contained")))
        add(w, value, ISSUE_INVARIANT, "dom-2", place, SPAN("want a contained resource to contain none"), NOTHING);
    if (type->flags & TYPE_REFERENCE && !shadow)
        note_all(w, &w->references, value, (uint32_t)(type - w->pack->types), place);
    if (type->flags & TYPE_EXTENSION)
        note_all(w, &w->extensions, value, span_eq_text(pack_span(w->pack, e->name), "modifierExtension"), place);
    bool                small = may_be_known(w, value, slot, type) && !shadow && !again;
    uint64_t            here  = known_place(&w->good, (uint64_t)(slot - w->pack->slots) << 1 | f->contained, value);
    struct known_value *known = small ? known_row(&w->good, here, value) : NULL;
    if (small && known_has(&w->good, known, here, value))
        return;
    uint32_t depth = w->depth, level = depth - 1, left = w->report.made, outside = w->profiling.outside;
    if (e->flags & ELEMENT_ARRAY && array)
        check_array(w, value, e, type, place, shadow);
    else if (array != ((e->flags & ELEMENT_ARRAY) != 0))
        add(w, value, ISSUE_STRUCTURE, "json-array", place, array ? SPAN("want one value, not an array")
                                                                : SPAN("want an array"),
            array ? NOTHING : SPAN("Put it in brackets"));
    else if (shadow) {
        check_shadow(w, value, place);
        check_bare(w, element_twin(w->tape, w->bundle->parents, value), value, place);
    } else if (type->kind == TYPE_PRIMITIVE)
        check_primitive(w, value, e, type, place);
    else
        check_object(w, value, type, place, false);
    if (slot->flags & SLOT_ASKS)
        ask_element(w, value, e, type);
    if (left != w->report.made || shadow || (array && walk_kind(w->tape, walk_first(w->tape, value)) == TAPE_NULL))
        w->stack[level].odd = true;
    if (!small || left != w->report.made || outside != w->profiling.outside)
        return;
    if (w->depth > depth) {                              /* when what is in it was looked at */
        w->stack[depth].good       = known;
        w->stack[depth].good_place = here;
        w->stack[depth].left       = left;
        w->stack[depth].outside    = outside;
    } else if (type->kind == TYPE_PRIMITIVE) {
        known_keep(&w->good, known, here, value);
    }
}

/* Most members come once and are one plain value. */
static void
check_members(struct walk *w, struct frame *f)
{
    const struct tape *t     = w->tape;
    uint32_t           depth = w->depth;

    for (tape_node value = f->next, next; value != TAPE_ABSENT; value = next) {
        tape_node               name = value - 1;
        const struct pack_slot *slot =
            pack_slot_of(w->pack, f->shape, walk_key(t, name), walk_text(t, name, w->arena));
        bool again = false;
        next       = walk_next(t, value);
        if (slot != NULL) {
            uint32_t       word  = slot->element / 64, half = slot->flags & SLOT_SHADOW;   /* 0 or 2 */
            uint64_t       bit   = (uint64_t)1 << slot->element % 64;
            enum primitive plain = (enum primitive)(slot->flags >> SLOT_PRIMITIVE);
            if (slot->flags & SLOT_RESOURCE_TYPE)
                continue;
            again = (f->met[word] | f->met[2 + word]) & bit;
            f->met[word + half] |= bit;
            if (plain != PRIMITIVE_NONE && !again && !(slot->flags & SLOT_ASKS) && primitive_plain(t, value, plain))
                continue;
        }
        f->next = next;
        check_element(w, f, value, slot, again);
        if (w->depth != depth || w->report.stopped)
            return;
    }
    f->next = TAPE_ABSENT;
}

/* ---- the end of an object -------------------------------------------------------------------- */

static void
refuse_missing(struct walk *w, const struct frame *f, uint32_t index)
{
    const struct pack_element *e   = &w->pack->elements[f->shape->first_element + index];
    struct finding             one = finding(f->node, ISSUE_REQUIRED, "cardinality", mix(f->place, index + 1));

    if (report_new(&w->report, &one))
        report_add(&w->report, &one, cardinality(w, e), SPAN("have none"), NOTHING);
}

/* ext-1: extension.exists() != value.exists() (R4 extensibility.html). */
static void
check_extension(struct walk *w, const struct frame *f)
{
    bool value = false, nested = false;

    for (uint32_t i = 0; i < f->shape->element_count; i++) {
        const struct pack_element *e = &w->pack->elements[f->shape->first_element + i];
        if (!((f->met[i / 64] | f->met[2 + i / 64]) >> (i % 64) & 1))
            continue;
        value  = value || (e->flags & ELEMENT_CHOICE);
        nested = nested || span_eq_text(pack_span(w->pack, e->name), "extension");
    }
    if (value == nested)
        add(w, f->node, ISSUE_INVARIANT, "ext-1", f->place,
            SPAN("want either a value or extensions inside an extension, not both and not none"), NOTHING);
}

/* ele-1: hasValue() or (children().count() > id.count()); of what stands in
 * `_x` check_bare() knows whether x has a value. */
static void
check_only_child(struct walk *w, const struct frame *f)
{
    tape_node name = tape_name(w->tape, walk_first(w->tape, f->node));

    if (!(f->shape->flags & SHAPE_RESOURCE) && f->shape != &w->pack->shapes[w->pack->header->element_shape]
        && tape_text_eq(w->tape, name, SPAN("id")))
        add(w, f->node, ISSUE_INVARIANT, "ele-1", f->place, SPAN("want a value or children besides the id"), NOTHING);
}

static void
close_object(struct walk *w, const struct frame *f)
{
    for (uint32_t word = 0; word < 2; word++) {
        uint64_t missing = f->shape->required[word] & ~(f->met[word] | f->met[2 + word]);
        for (; missing != 0; missing &= missing - 1)
            refuse_missing(w, f, word * 64 + (uint32_t)__builtin_ctzll(missing));
    }
    if (f->shape->node != PACK_NONE) {
        w->profiling.met[0]  = f->met[0] | f->met[2];
        w->profiling.met[1]  = f->met[1] | f->met[3];
        w->profiling.met_of  = f->node;
        w->profiling.met_odd = f->odd;
        profiling_base(&w->profiling, f->shape->node,
                       &(struct spot){ .value = f->node, .shape = (uint32_t)(f->shape - w->pack->shapes) });
    }
    if (f->shape->flags & SHAPE_HAS_RULES)
        type_rules(&w->report, f->shape->flags, f->node, f->place);
    if (f->shape->flags & SHAPE_CODING)
        profiling_coding(&w->profiling, f->node);
    if (f->shape->flags & SHAPE_QUANTITY)
        profiling_quantity(&w->profiling, f->node);
    if (f->shape->flags & SHAPE_EXTENSION)
        check_extension(w, f);
    if (walk_children(w->tape, f->node) == 1)
        check_only_child(w, f);
}
