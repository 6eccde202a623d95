#include "fhir/form.h"

#include "base/json_walk.h"
#include "base/sort.h"
#include "fhir/element.h"

/* Growing tables of the arena; an index stays, a pointer does not. */
struct growing { char *at; uint32_t count, room, size; };

struct reader {
    const struct tape      *t;
    const tape_node        *parents;
    struct arena           *arena;
    tape_node               root;
    struct growing          texts, items, values, conditions, nodes;
    bool                    spent;
};

#define HL7 "http://hl7.org/fhir/StructureDefinition/"
#define SDC "http://hl7.org/fhir/uv/sdc/StructureDefinition/"

static const char *const type_codes[] = {
    [FORM_UNKNOWN] = "",
#define X(name, code, values) [FORM_##name] = code,
    FORM_TYPE_LIST(X)
#undef X
};
#define TYPES (sizeof type_codes / sizeof type_codes[0])

#define F(name) (1u << FORM_VALUE_##name)
static const uint32_t type_values[] = {
    [FORM_UNKNOWN] = UINT32_MAX,
#define X(name, code, values) [FORM_##name] = (values),
    FORM_TYPE_LIST(X)
#undef X
};

static const struct { const char *at; size_t length; } value_names[] = {
    [FORM_VALUE_NONE] = { "", 0 },
#define X(name, text) [FORM_VALUE_##name] = { text, sizeof(text) - 1 },
    FORM_VALUE_LIST(X)
#undef X
};

enum form_type
form_type_named(struct span code)
{
    for (size_t i = 1; i < TYPES; i++)
        if (span_eq_text(code, type_codes[i]))
            return (enum form_type)i;
    return FORM_UNKNOWN;
}

const char *
form_type_code(enum form_type type)
{
    return type_codes[type];
}

uint32_t
form_type_values(enum form_type type)
{
    return type_values[type];
}

/* ---- values --------------------------------------------------------------------------- */

/* The text of a number, string or boolean. */
static struct span
plain_text(const struct tape *t, tape_node node, struct arena *arena)
{
    switch (tape_kind(t, node)) {
    case TAPE_STRING: return tape_text(t, node, arena);
    case TAPE_NUMBER:
    case TAPE_TRUE:
    case TAPE_FALSE:  return tape_extent(t, node);
    default:          return (struct span){ NULL, 0 };
    }
}

static struct span
member(const struct tape *t, tape_node object, struct span name, struct arena *arena)
{
    return plain_text(t, tape_member(t, object, name), arena);
}

static enum form_value_type
value_named(struct span type)
{
    for (size_t i = 1; i < sizeof value_names / sizeof value_names[0]; i++)
        if (type.length == value_names[i].length && type.at[0] == value_names[i].at[0]
            && span_eq(type, span_from(value_names[i].at, type.length)))
            return (enum form_value_type)i;
    return FORM_VALUE_OTHER;
}

struct answer_value
answer_read(const struct tape *t, tape_node object, struct span stem, struct arena *arena)
{
    struct span         type;
    struct element      value = element_choice(t, object, stem, &type);
    struct answer_value out   = { .type = FORM_VALUE_NONE, .node = value.value };

    if (!element_present(value))
        return out;
    out.type = value_named(type);
    if (out.type == FORM_VALUE_CODING) {
        out.text   = plain_text(t, walk_find(t, out.node, SPAN("code")), arena);
        out.system = plain_text(t, walk_find(t, out.node, SPAN("system")), arena);
        out.display = plain_text(t, walk_find(t, out.node, SPAN("display")), arena);
    } else if (out.type == FORM_VALUE_QUANTITY) {
        out.text   = plain_text(t, walk_find(t, out.node, SPAN("value")), arena);
        out.system = plain_text(t, walk_find(t, out.node, SPAN("system")), arena);
        out.unit   = plain_text(t, walk_find(t, out.node, SPAN("code")), arena);
        if (span_empty(out.unit))
            out.unit = plain_text(t, walk_find(t, out.node, SPAN("unit")), arena);
    } else if (out.type == FORM_VALUE_REFERENCE) {
        out.text = plain_text(t, walk_find(t, out.node, SPAN("reference")), arena);
    } else if (out.type != FORM_VALUE_ATTACHMENT && out.type != FORM_VALUE_OTHER) {
        out.text = plain_text(t, out.node, arena);
    }
    return out;
}

/* ---- tables --------------------------------------------------------------------------- */

static void *
grow(struct reader *r, struct growing *table, uint32_t more)
{
    if (more > table->room - table->count) {
        uint32_t room = table->room > 0 ? table->room : 32;
        while (room - table->count < more && room < UINT32_MAX / 2)
            room *= 2;
        char *at = arena_grow(r->arena, table->at, (size_t)table->room * table->size, (size_t)room * table->size);
        if (at == NULL || room - table->count < more) {
            r->spent = true;
            return NULL;
        }
        table->at   = at;
        table->room = room;
    }
    void *fresh = table->at + (size_t)table->count * table->size;
    table->count += more;
    return fresh;
}

static struct pack_text
keep(struct reader *r, struct span text)
{
    struct pack_text kept = { r->texts.count, (uint32_t)text.length };

    if (text.length == 0)
        return (struct pack_text){ 0, 0 };
    char *at = grow(r, &r->texts, (uint32_t)text.length + 1);
    if (at == NULL)
        return (struct pack_text){ 0, 0 };
    memcpy(at, text.at, text.length);
    return kept;
}

static void
add_value(struct reader *r, const struct answer_value *value)
{
    struct form_value one = { .text = keep(r, value->text), .system = keep(r, value->system),
                              .unit = keep(r, value->unit), .display = keep(r, value->display), .type = value->type };
    struct form_value *at = grow(r, &r->values, 1);

    if (at != NULL)
        *at = one;
}

/* The extension ordinalValue of an option or of its Coding. */
static struct span
ordinal_of(const struct reader *r, tape_node object)
{
    tape_node list = tape_member(r->t, object, SPAN("extension"));

    for (tape_node n = tape_first(r->t, list); n != TAPE_ABSENT; n = tape_next(r->t, n))
        if (tape_text_eq(r->t, tape_member(r->t, n, SPAN("url")), SPAN(HL7 "ordinalValue")))
            return member(r->t, n, SPAN("valueDecimal"), r->arena);
    return (struct span){ NULL, 0 };
}

/* Each object of a list: its value[x]. */
static uint32_t
add_values(struct reader *r, tape_node list)
{
    uint32_t before = r->values.count;

    for (tape_node n = tape_first(r->t, list); n != TAPE_ABSENT; n = tape_next(r->t, n)) {
        struct answer_value value = answer_read(r->t, n, SPAN("value"), r->arena);
        if (value.type == FORM_VALUE_CODING) {
            value.unit = ordinal_of(r, n);
            if (span_empty(value.unit))
                value.unit = ordinal_of(r, value.node);
        }
        if (value.type != FORM_VALUE_NONE)
            add_value(r, &value);
    }
    return r->values.count - before;
}

/* ---- contained value sets ----------------------------------------------------------------- */

static void
add_code(struct reader *r, struct span system, struct span code, struct span display)
{
    struct answer_value value = { .type = FORM_VALUE_CODING, .text = code, .system = system, .display = display };

    if (!span_empty(code) || !span_empty(display))
        add_value(r, &value);
}

/* False when the value set is more than a list of codes. */
static bool
add_includes(struct reader *r, tape_node compose)
{
    if (compose == TAPE_ABSENT || tape_member(r->t, compose, SPAN("exclude")) != TAPE_ABSENT)
        return false;
    tape_node include = tape_member(r->t, compose, SPAN("include"));
    for (tape_node n = tape_first(r->t, include); n != TAPE_ABSENT; n = tape_next(r->t, n)) {
        tape_node   concepts = tape_member(r->t, n, SPAN("concept"));
        struct span system   = member(r->t, n, SPAN("system"), r->arena);
        if (concepts == TAPE_ABSENT || tape_member(r->t, n, SPAN("valueSet")) != TAPE_ABSENT
            || tape_member(r->t, n, SPAN("filter")) != TAPE_ABSENT)
            return false;
        for (tape_node c = tape_first(r->t, concepts); c != TAPE_ABSENT; c = tape_next(r->t, c))
            add_code(r, system, member(r->t, c, SPAN("code"), r->arena), member(r->t, c, SPAN("display"), r->arena));
    }
    return true;
}

/* The codes of a contained ValueSet as options of an item. */
static bool
add_contained(struct reader *r, struct span id)
{
    tape_node contained = tape_member(r->t, r->root, SPAN("contained"));
    uint32_t  before    = r->values.count;

    for (tape_node n = tape_first(r->t, contained); n != TAPE_ABSENT; n = tape_next(r->t, n)) {
        if (!tape_text_eq(r->t, tape_member(r->t, n, SPAN("id")), id)
            || !tape_text_eq(r->t, tape_member(r->t, n, SPAN("resourceType")), SPAN("ValueSet")))
            continue;
        if (add_includes(r, tape_member(r->t, n, SPAN("compose"))))
            return true;
        r->values.count = before;
        return false;
    }
    return false;
}

/* ---- items ---------------------------------------------------------------------------------- */

static uint32_t
number(const struct reader *r, tape_node node, uint32_t otherwise)
{
    uint64_t value;

    if (tape_kind(r->t, node) != TAPE_NUMBER || !span_to_u64(tape_extent(r->t, node), &value) || value >= FORM_NONE)
        return otherwise;
    return (uint32_t)value;
}

static void
read_extension(struct reader *r, tape_node extension, struct form_item *item)
{
    struct span         url   = member(r->t, extension, SPAN("url"), r->arena);
    struct answer_value value = answer_read(r->t, extension, SPAN("value"), r->arena);
    struct span         text  = plain_text(r->t, value.node, r->arena);

    if (span_eq(url, SPAN(SDC "sdc-questionnaire-enableWhenExpression"))
        || span_eq(url, SPAN("http://hl7.org/fhir/StructureDefinition/questionnaire-enableWhenExpression")))
        item->flags |= FORM_ELSEWHERE;
    else if (span_eq(url, SPAN(HL7 "regex")))
        item->regex = keep(r, text);
    else if (span_eq(url, SPAN(HL7 "minLength")))
        item->min_length = number(r, value.node, FORM_NONE);
    else if (span_eq(url, SPAN(HL7 "minValue")))
        item->min_value = keep(r, text);
    else if (span_eq(url, SPAN(HL7 "maxValue")))
        item->max_value = keep(r, text);
    else if (span_eq(url, SPAN(HL7 "maxDecimalPlaces")))
        item->max_places = number(r, value.node, FORM_NONE);
    else if (span_eq(url, SPAN(HL7 "mimeType")))       /* may repeat: then it is left open */
        item->mime_type = item->mime_type.length == 0 ? keep(r, text) : keep(r, SPAN("*"));
    else if (span_eq(url, SPAN(HL7 "maxSize")))
        item->max_size = keep(r, text);
    else if (span_eq(url, SPAN(HL7 "questionnaire-minOccurs")))
        item->min_occurs = number(r, value.node, FORM_NONE);
    else if (span_eq(url, SPAN(HL7 "questionnaire-maxOccurs")))
        item->max_occurs = number(r, value.node, FORM_NONE);
}

static void
read_units(struct reader *r, tape_node extensions, struct form_item *item)
{
    item->first_unit = r->values.count;
    for (tape_node n = tape_first(r->t, extensions); n != TAPE_ABSENT; n = tape_next(r->t, n)) {
        if (!tape_text_eq(r->t, tape_member(r->t, n, SPAN("url")), SPAN(HL7 "questionnaire-unitOption")))
            continue;
        struct answer_value value = answer_read(r->t, n, SPAN("value"), r->arena);
        if (value.type == FORM_VALUE_CODING)
            add_value(r, &value);
    }
    item->unit_count = r->values.count - item->first_unit;
}

/* questionnaire-unitValueSet, where a question with options has its set of answers. */
static void
read_unit_set(struct reader *r, tape_node extensions, struct form_item *item)
{
    for (tape_node n = tape_first(r->t, extensions); item->type == FORM_QUANTITY && n != TAPE_ABSENT; n = tape_next(r->t, n))
        if (tape_text_eq(r->t, tape_member(r->t, n, SPAN("url")), SPAN(HL7 "questionnaire-unitValueSet")))
            item->value_set = keep(r, member(r->t, n, SPAN("valueCanonical"), r->arena));
}

static void
read_options(struct reader *r, tape_node node, struct form_item *item)
{
    tape_node   options = tape_member(r->t, node, SPAN("answerOption"));
    struct span set     = member(r->t, node, SPAN("answerValueSet"), r->arena);

    item->first_option = r->values.count;
    if (options != TAPE_ABSENT) {
        add_values(r, options);
        item->flags |= FORM_LISTED;
    } else if (span_starts(set, SPAN("#"))) {
        if (add_contained(r, span_skip(set, 1)))
            item->flags |= FORM_LISTED;
    } else {
        item->value_set = keep(r, set);
    }
    item->option_count  = r->values.count - item->first_option;
    item->first_initial = r->values.count;
    item->initial_count = add_values(r, tape_member(r->t, node, SPAN("initial")));
}

static uint32_t
operator_named(struct span text)
{
    static const char *const names[] = { [FORM_EXISTS] = "exists", [FORM_EQUAL] = "=", [FORM_NOT_EQUAL] = "!=",
                                         [FORM_MORE] = ">", [FORM_LESS] = "<", [FORM_MORE_OR_EQUAL] = ">=",
                                         [FORM_LESS_OR_EQUAL] = "<=" };

    for (uint32_t i = FORM_EXISTS; i <= FORM_LESS_OR_EQUAL; i++)
        if (span_eq_text(text, names[i]))
            return i;
    return 0;
}

/* The target is found when all items are known. */
struct pending { struct form_condition condition; struct pack_text question; };

static void
read_conditions(struct reader *r, tape_node node, struct form_item *item)
{
    tape_node list = tape_member(r->t, node, SPAN("enableWhen"));

    item->first_condition = r->conditions.count;
    for (tape_node n = tape_first(r->t, list); n != TAPE_ABSENT; n = tape_next(r->t, n)) {
        struct answer_value value = answer_read(r->t, n, SPAN("answer"), r->arena);
        struct pending      one   = {
            .condition = { .value    = { .text = keep(r, value.text), .system = keep(r, value.system),
                                         .unit = keep(r, value.unit), .type = value.type },
                           .operator = operator_named(member(r->t, n, SPAN("operator"), r->arena)),
                           .target   = FORM_NONE },
            .question  = keep(r, member(r->t, n, SPAN("question"), r->arena)),
        };
        struct pending *at = grow(r, &r->conditions, 1);
        if (at != NULL)
            *at = one;
    }
    item->condition_count = r->conditions.count - item->first_condition;
    if (tape_text_eq(r->t, tape_member(r->t, node, SPAN("enableBehavior")), SPAN("any")))
        item->flags |= FORM_ANY;
}

static bool
is_true(const struct reader *r, tape_node object, struct span name)
{
    return tape_kind(r->t, tape_member(r->t, object, name)) == TAPE_TRUE;
}

/* Of an item, or of the whole. */
static uint32_t
add_codes(struct reader *r, tape_node codes)
{
    uint32_t before = r->values.count;

    for (tape_node n = tape_first(r->t, codes); n != TAPE_ABSENT; n = tape_next(r->t, n))
        add_code(r, member(r->t, n, SPAN("system"), r->arena), member(r->t, n, SPAN("code"), r->arena),
                 member(r->t, n, SPAN("display"), r->arena));
    return r->values.count - before;
}

static struct pack_text
loinc_of(struct reader *r, tape_node codes)
{
    for (tape_node n = tape_first(r->t, codes); n != TAPE_ABSENT; n = tape_next(r->t, n))
        if (tape_text_eq(r->t, tape_member(r->t, n, SPAN("system")), SPAN("http://loinc.org")))
            return keep(r, member(r->t, n, SPAN("code"), r->arena));
    return (struct pack_text){ 0, 0 };
}

static void
read_item(struct reader *r, tape_node node, uint32_t parent)
{
    tape_node        extensions = tape_member(r->t, node, SPAN("extension"));
    struct form_item item       = { .parent = parent, .min_length = FORM_NONE, .min_occurs = FORM_NONE,
                                    .max_occurs = FORM_NONE, .max_places = FORM_NONE };

    item.link_id    = keep(r, member(r->t, node, SPAN("linkId"), r->arena));
    item.text       = keep(r, member(r->t, node, SPAN("text"), r->arena));
    item.loinc      = loinc_of(r, tape_member(r->t, node, SPAN("code")));
    item.definition = keep(r, member(r->t, node, SPAN("definition"), r->arena));
    item.first_code = r->values.count;
    item.code_count = add_codes(r, tape_member(r->t, node, SPAN("code")));
    item.max_length = number(r, tape_member(r->t, node, SPAN("maxLength")), FORM_NONE);
    item.type       = (uint16_t)form_type_named(member(r->t, node, SPAN("type"), r->arena));
    item.flags      = (uint16_t)((is_true(r, node, SPAN("required")) ? FORM_REQUIRED : 0)
                                 | (is_true(r, node, SPAN("repeats")) ? FORM_REPEATS : 0)
                                 | (is_true(r, node, SPAN("readOnly")) ? FORM_READ_ONLY : 0));
    for (tape_node n = tape_first(r->t, extensions); n != TAPE_ABSENT; n = tape_next(r->t, n))
        read_extension(r, n, &item);
    read_units(r, extensions, &item);
    read_options(r, node, &item);
    read_unit_set(r, extensions, &item);
    read_conditions(r, node, &item);
    struct form_item *at   = grow(r, &r->items, 1);
    tape_node        *mine = grow(r, &r->nodes, 1);
    if (at == NULL || mine == NULL)
        return;
    *at   = item;
    *mine = node;
}

/* Whether the node is a Questionnaire.item: an object in an array `item` of
 * the resource or of the item `up`. */
static bool
is_item(const struct reader *r, tape_node node, tape_node up)
{
    tape_node array = r->parents[node];

    return tape_kind(r->t, node) == TAPE_OBJECT && tape_kind(r->t, array) == TAPE_ARRAY
        && tape_text_eq(r->t, tape_name(r->t, array), SPAN("item")) && r->parents[array] == up;
}

static bool
read_items(struct reader *r)
{
    uint32_t  current = FORM_NONE;
    tape_node end     = tape_after(r->t, r->root);

    for (tape_node n = r->root + 1; n < end && !r->spent; n++) {
        struct form_item *items = (struct form_item *)(void *)r->items.at;
        tape_node        *nodes = (tape_node *)(void *)r->nodes.at;
        while (current != FORM_NONE && tape_after(r->t, nodes[current]) <= n) {
            items[current].after = r->items.count;
            current              = items[current].parent;
        }
        if (!is_item(r, n, current == FORM_NONE ? r->root : nodes[current]))
            continue;
        if (r->items.count == FORM_MOST_ITEMS)
            return false;
        uint32_t parent = current;
        current         = r->items.count;
        read_item(r, n, parent);
    }
    struct form_item *items = (struct form_item *)(void *)r->items.at;
    for (; current != FORM_NONE && !r->spent; current = items[current].parent)
        items[current].after = r->items.count;
    return !r->spent;
}

/* ---- the whole --------------------------------------------------------------------------------- */

static int
by_link_id(const void *a, const void *b, const void *context)
{
    const struct form *f = context;
    uint32_t           i = *(const uint32_t *)a, k = *(const uint32_t *)b;
    int                c = span_compare(form_text(f, f->items[i].link_id), form_text(f, f->items[k].link_id));

    return c != 0 ? c : i < k ? -1 : i > k;
}

uint32_t
form_find(const struct form *f, struct span link_id)
{
    uint32_t place = form_place(f, link_id);

    return place != FORM_NONE ? f->order[place] : FORM_NONE;
}

uint32_t
form_place(const struct form *f, struct span link_id)
{
    uint32_t low = 0, high = f->item_count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (span_compare(form_text(f, f->items[f->order[middle]].link_id), link_id) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == f->item_count || !span_eq(form_text(f, f->items[f->order[low]].link_id), link_id))
        return FORM_NONE;
    return low;
}

static bool
finish(struct reader *r, struct form *form)
{
    uint32_t *order = arena_make_n(r->arena, r->items.count + 1, uint32_t);

    form->texts           = r->texts.at;
    form->items           = (const struct form_item *)(const void *)r->items.at;
    form->values          = (const struct form_value *)(const void *)r->values.at;
    form->nodes           = (const tape_node *)(const void *)r->nodes.at;
    form->item_count      = r->items.count;
    form->value_count     = r->values.count;
    form->condition_count = r->conditions.count;
    form->text_length     = r->texts.count;
    form->order           = order;
    struct form_condition *conditions = arena_make_n(r->arena, r->conditions.count + 1, struct form_condition);
    if (order == NULL || conditions == NULL)
        return false;
    for (uint32_t i = 0; i < r->items.count; i++)
        order[i] = i;
    sort_in_place(order, r->items.count, sizeof *order, by_link_id, form);
    const struct pending *pending = (const struct pending *)(const void *)r->conditions.at;
    for (uint32_t i = 0; i < r->conditions.count; i++) {
        conditions[i]        = pending[i].condition;
        conditions[i].target = form_find(form, form_text(form, pending[i].question));
    }
    form->conditions = conditions;
    return true;
}

const struct form *
form_read(const struct tape *t, const tape_node *parents, tape_node questionnaire, struct arena *arena)
{
    struct reader r = { .t = t, .parents = parents, .arena = arena, .root = questionnaire,
                        .texts = { .size = 1 }, .items = { .size = sizeof(struct form_item) },
                        .values = { .size = sizeof(struct form_value) },
                        .conditions = { .size = sizeof(struct pending) }, .nodes = { .size = sizeof(tape_node) } };
    struct form  *form = arena_make(arena, struct form);
    tape_node     period = tape_member(t, questionnaire, SPAN("effectivePeriod"));

    if (form == NULL || grow(&r, &r.texts, 1) == NULL)      /* offset 0: the empty text */
        return NULL;
    form->url     = keep(&r, member(t, questionnaire, SPAN("url"), arena));
    form->version = keep(&r, member(t, questionnaire, SPAN("version"), arena));
    form->title   = keep(&r, member(t, questionnaire, SPAN("title"), arena));
    form->status  = keep(&r, member(t, questionnaire, SPAN("status"), arena));
    form->from    = keep(&r, member(t, period, SPAN("start"), arena));
    form->until   = keep(&r, member(t, period, SPAN("end"), arena));
    form->first_code = r.values.count;
    form->code_count = add_codes(&r, tape_member(t, questionnaire, SPAN("code")));
    if (!read_items(&r) || !finish(&r, form) || r.spent)
        return NULL;
    return form;
}
