#include "fhir/fhirpath_run.h"

#include <string.h>

#include "base/digits.h"
#include "fhir/lookup.h"
#include "fhir/utf8.h"

#define UCUM "http://unitsofmeasure.org"

/* ---- values ---------------------------------------------------------------------------------- */

static void
number_of(struct run *r, const struct fhirpath_item *item, struct value *out)
{
    struct span raw = walk_raw(r->tape, item->node);

    if (!decimal_read(raw, &out->decimal))
        return;                                      /* more digits than we calculate with: no value */
    out->kind = FHIRPATH_DECIMAL;
    if (item->primitive != PRIMITIVE_DECIMAL && decimal_to_integer(&out->decimal, &out->integer))
        out->kind = FHIRPATH_INTEGER;
}

static void
text_value(struct run *r, const struct fhirpath_item *item, struct value *out)
{
    static const uint8_t moments[] = {
        [PRIMITIVE_DATE] = MOMENT_DATE, [PRIMITIVE_DATETIME] = MOMENT_DATETIME, [PRIMITIVE_INSTANT] = MOMENT_DATETIME,
        [PRIMITIVE_TIME] = MOMENT_TIME, [PRIMITIVE_XHTML] = 0,
    };
    enum moment_kind kind = (enum moment_kind)moments[item->primitive];

    out->text = walk_text(r->tape, item->node, r->arena);
    out->kind = FHIRPATH_STRING;
    if (kind != MOMENT_NONE && moment_of(out->text, kind, &out->moment))
        out->kind = kind == MOMENT_DATE ? FHIRPATH_DATE : kind == MOMENT_TIME ? FHIRPATH_TIME : FHIRPATH_DATETIME;
}

/* R4 fhirpath.html, Implicit conversions: a Quantity of UCUM is a quantity.
 * Others compare among themselves, by the text of their code or unit. */
static void
quantity_of(struct run *r, const struct fhirpath_item *item, struct value *out)
{
    const struct tape *t = r->tape;
    tape_node   value = walk_find(t, item->node, SPAN("value")), system = walk_find(t, item->node, SPAN("system"));
    tape_node   code = walk_find(t, item->node, SPAN("code"));
    struct fhirpath_quantity *q = &out->quantity;

    out->kind = FHIRPATH_NODE;
    run_step(r, walk_children(t, item->node) / 8);
    if (walk_kind(t, value) != TAPE_NUMBER || walk_find(t, item->node, SPAN("comparator")) != TAPE_ABSENT
        || !decimal_read(walk_raw(t, value), &q->value))
        return;
    q->calendar = false;
    q->foreign  = walk_kind(t, system) != TAPE_STRING || !walk_is(t, system, SPAN(UCUM));
    q->unit     = walk_find_text(t, item->node, SPAN("code"), r->arena);
    if (walk_kind(t, code) != TAPE_STRING)
        q->unit = walk_find_text(t, item->node, SPAN("unit"), r->arena);
    if (q->unit.length == 0 && walk_kind(t, system) == TAPE_ABSENT) {
        q->unit    = SPAN("1");
        q->foreign = false;
    }
    out->kind = FHIRPATH_QUANTITY;
}

/* Only the parts that the kind names are set: most values are small. */
void
value_of(struct run *r, const struct fhirpath_item *item, struct value *out)
{
    out->kind = (enum fhirpath_kind)item->kind;
    switch ((enum fhirpath_kind)item->kind) {
    case FHIRPATH_BOOLEAN:  out->boolean = item->boolean; return;
    case FHIRPATH_INTEGER:  out->integer = item->integer; return;
    case FHIRPATH_STRING:
    case FHIRPATH_TYPE:     out->text = item->text; return;
    case FHIRPATH_DECIMAL:  out->decimal = *item->decimal; return;
    case FHIRPATH_DATE:
    case FHIRPATH_DATETIME:
    case FHIRPATH_TIME:     out->moment = *item->moment; return;
    case FHIRPATH_QUANTITY: out->quantity = *item->quantity; return;
    case FHIRPATH_NODE:     break;
    case FHIRPATH_NOTHING:  return;
    }
    out->kind = FHIRPATH_NOTHING;
    switch (walk_kind(r->tape, item->node)) {
    case TAPE_TRUE:
    case TAPE_FALSE:
        out->kind    = FHIRPATH_BOOLEAN;
        out->boolean = walk_kind(r->tape, item->node) == TAPE_TRUE;
        return;
    case TAPE_NUMBER: number_of(r, item, out); return;
    case TAPE_STRING: text_value(r, item, out); return;
    case TAPE_OBJECT:
        out->kind = FHIRPATH_NODE;
        if (walk_is_quantity(r, item))
            quantity_of(r, item, out);
        return;
    default: return;
    }
}

bool
value_string(struct run *r, const struct fhirpath_item *item, struct span *out)
{
    if (item->kind == FHIRPATH_STRING) {
        *out = item->text;
        return true;
    }
    if (item->kind != FHIRPATH_NODE || walk_kind(r->tape, item->node) != TAPE_STRING)
        return false;
    *out = walk_text(r->tape, item->node, r->arena);
    return true;
}

bool
value_number(const struct value *v, struct decimal *out)
{
    if (v->kind == FHIRPATH_INTEGER)
        *out = decimal_of(v->integer);
    else if (v->kind == FHIRPATH_DECIMAL)
        *out = v->decimal;
    else
        return false;
    return true;
}

static struct span
quantity_text(struct run *r, const struct fhirpath_quantity *q)
{
    struct span number = decimal_text(&q->value, r->arena), quote = q->calendar ? SPAN("") : SPAN("'");

    return arena_join(r->arena, number, SPAN(" "), quote, q->unit, quote);
}

struct span
value_text(struct run *r, const struct fhirpath_item *item)
{
    struct value v;
    char         digits[DIGITS_INTEGER];

    if (item->kind == FHIRPATH_NODE && item->primitive != PRIMITIVE_NONE) {
        switch (walk_kind(r->tape, item->node)) {
        case TAPE_STRING: return walk_text(r->tape, item->node, r->arena);
        case TAPE_NUMBER:
        case TAPE_TRUE:
        case TAPE_FALSE:  return walk_raw(r->tape, item->node);
        default:          return (struct span){ NULL, 0 };
        }
    }
    value_of(r, item, &v);
    switch (v.kind) {
    case FHIRPATH_BOOLEAN:  return v.boolean ? SPAN("true") : SPAN("false");
    case FHIRPATH_INTEGER:  return arena_copy(r->arena, span_from(digits, digits_integer(v.integer, digits)));
    case FHIRPATH_DECIMAL:  return decimal_text(&v.decimal, r->arena);
    case FHIRPATH_STRING:
    case FHIRPATH_TYPE:     return v.text;
    case FHIRPATH_DATE:
    case FHIRPATH_DATETIME:
    case FHIRPATH_TIME:     return moment_text(&v.moment, r->arena);
    case FHIRPATH_QUANTITY: return quantity_text(r, &v.quantity);
    default:                return (struct span){ NULL, 0 };
    }
}

/* ---- trees -------------------------------------------------------------------------------------- */

static bool same_tree(struct run *, tape_node, tape_node, bool loose);

static bool
loose_text(struct span a, struct span b)
{
    /* N1, Equivalent: case and the kind of white space do not count. */
    while (a.length > 0 && b.length > 0) {
        uint32_t x = utf8_take(&a), y = utf8_take(&b);
        if (x == '\t' || x == '\n' || x == '\r')
            x = ' ';
        if (y == '\t' || y == '\n' || y == '\r')
            y = ' ';
        if (x < 0x80 && x >= 'A' && x <= 'Z')
            x |= 0x20;
        if (y < 0x80 && y >= 'A' && y <= 'Z')
            y |= 0x20;
        if (x != y)
            return false;
    }
    return a.length == b.length;
}

/* Places without zeroes at the end: they say nothing of precision here (N1, Equivalent). */
static int
places_of(const struct decimal *d)
{
    int            places = decimal_places(d);
    struct decimal x;

    while (places > 0 && decimal_round(d, places - 1, DECIMAL_NEAREST, &x) && decimal_compare(&x, d) == 0)
        places--;
    return places;
}

/* To the places of the one that says less. */
static bool
loose_numbers(const struct decimal *a, const struct decimal *b)
{
    int            first = places_of(a), second = places_of(b), places = first < second ? first : second;
    struct decimal x, y;

    decimal_round(a, places, DECIMAL_NEAREST, &x);
    decimal_round(b, places, DECIMAL_NEAREST, &y);
    return decimal_compare(&x, &y) == 0;
}

/* N1, Time-valued Quantities: a calendar year is equivalent to 1 'a', a month
 * to 1 'mo'; equal it is not. */
static void
as_definite(struct fhirpath_quantity *q)
{
    if (!q->calendar)
        return;
    if (span_starts(q->unit, SPAN("year")))
        *q = (struct fhirpath_quantity){ .value = q->value, .unit = SPAN("a") };
    else if (span_starts(q->unit, SPAN("month")))
        *q = (struct fhirpath_quantity){ .value = q->value, .unit = SPAN("mo") };
}

/* In the unit of either, as numbers are. */
static bool
loose_quantities(struct fhirpath_quantity a, struct fhirpath_quantity b)
{
    struct fhirpath_quantity c;

    if (a.calendar != b.calendar) {
        as_definite(&a);
        as_definite(&b);
    }
    int order = quantity_compare(&a, &b);
    if (order == 0 || order == QUANTITY_APART)
        return order == 0;
    return (quantity_convert(&a, b.unit, &c) && loose_numbers(&c.value, &b.value))
        || (quantity_convert(&b, a.unit, &c) && loose_numbers(&c.value, &a.value));
}

static bool
same_leaf(struct run *r, tape_node a, tape_node b, bool loose)
{
    const struct tape *t = r->tape;
    struct decimal     x, y;

    if (walk_kind(t, a) == TAPE_NUMBER) {
        if (!decimal_read(walk_raw(t, a), &x) || !decimal_read(walk_raw(t, b), &y))
            return span_eq(walk_raw(t, a), walk_raw(t, b));
        return loose ? loose_numbers(&x, &y) : decimal_compare(&x, &y) == 0;
    }
    if (walk_kind(t, a) != TAPE_STRING)
        return true;
    run_step(r, (uint32_t)(walk_raw(t, a).length / 64 + 1));
    struct span text = walk_text(t, a, r->arena);
    return loose ? loose_text(text, walk_text(t, b, r->arena)) : walk_is(t, b, text);
}

static bool
same_array(struct run *r, tape_node a, tape_node b, bool loose)
{
    const struct tape *t = r->tape;
    tape_node          x = walk_first(t, a), y = walk_first(t, b);

    for (; x != TAPE_ABSENT; x = walk_next(t, x)) {
        if (!loose) {
            if (!same_tree(r, x, y, false))
                return false;
            y = walk_next(t, y);
            continue;
        }
        for (y = walk_first(t, b); y != TAPE_ABSENT && !same_tree(r, x, y, true); y = walk_next(t, y))
            if (run_failed(r))
                return false;
        if (y == TAPE_ABSENT)
            return false;
    }
    return true;
}

/* Same JSON, but for the order of members and how a number or text is
 * written; as deep as the tape allows. */
static bool
same_tree(struct run *r, tape_node a, tape_node b, bool loose)
{
    const struct tape *t = r->tape;

    if (!run_step(r, 1) || walk_kind(t, a) != walk_kind(t, b))
        return false;
    if (a == b)
        return true;
    if (walk_kind(t, a) < TAPE_ARRAY)
        return same_leaf(r, a, b, loose);
    if (walk_children(t, a) != walk_children(t, b))
        return false;
    if (walk_kind(t, a) == TAPE_ARRAY)
        return same_array(r, a, b, loose);
    tape_node y = walk_first(t, b);
    for (tape_node x = walk_first(t, a); x != TAPE_ABSENT; x = walk_next(t, x)) {
        struct span name = walk_text(t, x - 1, r->arena);
        if (y == TAPE_ABSENT || !walk_named(t, y - 1, walk_key(t, x - 1), name)) {   /* mostly in the same order */
            run_step(r, walk_children(t, b) / 16);
            y = walk_find_key(t, b, walk_key(t, x - 1), name);
        }
        if (y == TAPE_ABSENT || !same_tree(r, x, y, loose))
            return false;
        y = walk_next(t, y);
    }
    return true;
}

/* ---- equality --------------------------------------------------------------------------------------- */

static enum fhirpath_truth
truth(bool value)
{
    return value ? FHIRPATH_TRUE : FHIRPATH_FALSE;
}

static bool
is_moment(const struct value *v)
{
    return v->kind == FHIRPATH_DATE || v->kind == FHIRPATH_DATETIME || v->kind == FHIRPATH_TIME;
}

/* A number is a quantity of unit 1 beside one (N1, Implicit Conversions). */
static bool
as_quantity(const struct value *v, struct fhirpath_quantity *out)
{
    if (v->kind == FHIRPATH_QUANTITY) {
        *out = v->quantity;
        return true;
    }
    *out = (struct fhirpath_quantity){ .unit = SPAN("1") };
    return value_number(v, &out->value);
}

static bool
both_quantities(const struct value *a, const struct value *b, struct fhirpath_quantity *x, struct fhirpath_quantity *y)
{
    return (a->kind == FHIRPATH_QUANTITY || b->kind == FHIRPATH_QUANTITY) && as_quantity(a, x) && as_quantity(b, y);
}

enum fhirpath_truth
value_equal(struct run *r, const struct fhirpath_item *left, const struct fhirpath_item *right)
{
    struct value             a, b;
    struct decimal           x, y;
    struct fhirpath_quantity p, q;

    if (!run_step(r, 1))
        return FHIRPATH_FAILED;
    value_of(r, left, &a);
    value_of(r, right, &b);
    if (a.kind == FHIRPATH_NODE && b.kind == FHIRPATH_NODE)
        return truth(same_tree(r, left->node, right->node, false));
    if (a.kind == FHIRPATH_NOTHING && b.kind == FHIRPATH_NOTHING)
        return truth(left->kind == FHIRPATH_NODE && right->kind == FHIRPATH_NODE
                     && same_tree(r, left->shadow, right->shadow, false));
    if (both_quantities(&a, &b, &p, &q)) {
        int order = quantity_compare(&p, &q);
        return order == QUANTITY_APART ? FHIRPATH_EMPTY : truth(order == 0);
    }
    if (value_number(&a, &x) && value_number(&b, &y))
        return truth(decimal_compare(&x, &y) == 0);
    if (is_moment(&a) && is_moment(&b)) {
        if ((a.kind == FHIRPATH_TIME) != (b.kind == FHIRPATH_TIME))
            return FHIRPATH_FALSE;
        int order = moment_compare(&a.moment, &b.moment);
        return order == MOMENT_UNKNOWN ? FHIRPATH_EMPTY : truth(order == 0);
    }
    if (a.kind != b.kind)
        return FHIRPATH_FALSE;
    if (a.kind == FHIRPATH_BOOLEAN)
        return truth(a.boolean == b.boolean);
    run_step(r, (uint32_t)(a.text.length / 64));
    return truth(span_eq(a.text, b.text));
}

bool
value_equivalent(struct run *r, const struct fhirpath_item *left, const struct fhirpath_item *right)
{
    struct value             a, b;
    struct decimal           x, y;
    struct fhirpath_quantity p, q;

    if (!run_step(r, 1))
        return false;
    value_of(r, left, &a);
    value_of(r, right, &b);
    if (a.kind == FHIRPATH_NODE && b.kind == FHIRPATH_NODE)
        return same_tree(r, left->node, right->node, true);
    if (both_quantities(&a, &b, &p, &q))
        return loose_quantities(p, q);
    if (value_number(&a, &x) && value_number(&b, &y))
        return loose_numbers(&x, &y);
    if (is_moment(&a) && is_moment(&b))
        return (a.kind == FHIRPATH_TIME) == (b.kind == FHIRPATH_TIME) && moment_compare(&a.moment, &b.moment) == 0;
    if (a.kind != b.kind)
        return false;
    if (a.kind == FHIRPATH_STRING)
        return loose_text(a.text, b.text);
    return value_equal(r, left, right) == FHIRPATH_TRUE;
}

int
value_order(struct run *r, const struct fhirpath_item *left, const struct fhirpath_item *right)
{
    struct value             a, b;
    struct decimal           x, y;
    struct fhirpath_quantity p, q;

    if (!run_step(r, 1))
        return VALUE_OPEN;
    value_of(r, left, &a);
    value_of(r, right, &b);
    if (a.kind == FHIRPATH_NOTHING || b.kind == FHIRPATH_NOTHING)
        return VALUE_OPEN;
    if (both_quantities(&a, &b, &p, &q)) {
        int order = quantity_compare(&p, &q);
        return order == QUANTITY_APART ? VALUE_OPEN : order;
    }
    if (value_number(&a, &x) && value_number(&b, &y))
        return decimal_compare(&x, &y);
    if (is_moment(&a) && is_moment(&b)) {
        if ((a.kind == FHIRPATH_TIME) != (b.kind == FHIRPATH_TIME))
            return VALUE_ODD;
        int order = moment_compare(&a.moment, &b.moment);
        return order == MOMENT_UNKNOWN ? VALUE_OPEN : order;
    }
    if (a.kind != FHIRPATH_STRING || b.kind != FHIRPATH_STRING)
        return VALUE_ODD;
    int order = span_compare(a.text, b.text);        /* bytes of UTF-8 sort as code points */
    return (order > 0) - (order < 0);
}

enum fhirpath_truth
items_equal(struct run *r, const struct items *a, const struct items *b)
{
    enum fhirpath_truth all = FHIRPATH_TRUE;

    if (a->count == 0 || b->count == 0)
        return FHIRPATH_EMPTY;
    if (a->count != b->count)
        return FHIRPATH_FALSE;
    for (uint32_t i = 0; i < a->count; i++) {
        enum fhirpath_truth one = value_equal(r, &a->at[i], &b->at[i]);
        if (one == FHIRPATH_FALSE || run_failed(r))
            return run_failed(r) ? FHIRPATH_FAILED : FHIRPATH_FALSE;
        if (one == FHIRPATH_EMPTY)
            all = FHIRPATH_EMPTY;
    }
    return all;
}

/* In any order: each item of one takes an item of the other. */
bool
items_equivalent(struct run *r, const struct items *a, const struct items *b)
{
    if (a->count != b->count)
        return false;
    if (a->count == 1)
        return value_equivalent(r, a->at, b->at);
    uint8_t *taken = run_alloc(r, b->count + 1u);
    for (uint32_t i = 0; taken != NULL && i < a->count; i++) {
        uint32_t k = 0;
        while (k < b->count && (taken[k] || !value_equivalent(r, &a->at[i], &b->at[k])))
            k++;
        if (k == b->count || run_failed(r))
            return false;
        taken[k] = 1;
    }
    return true;
}

/* ---- sets ------------------------------------------------------------------------------------------- */

static uint64_t
mix(uint64_t h)
{
    h ^= h >> 32;
    h *= 0xd6e8feb86659fd93u;
    return h ^ h >> 29;
}

static uint64_t
number_hash(const struct decimal *d)
{
    struct decimal t = *d;

    while (t.digits != 0 && t.digits % 10 == 0) {
        t.digits /= 10;
        t.scale--;
    }
    return t.digits == 0 ? 1 : mix((uint64_t)t.digits ^ (uint64_t)(t.digits >> 64) * 31 ^ (uint64_t)(uint32_t)t.scale << 48);
}

/* Equal trees have equal hashes; members in any order. */
static uint64_t
tree_hash(struct run *r, tape_node n)
{
    const struct tape *t = r->tape;
    struct decimal     d;
    uint64_t           h = (uint64_t)walk_kind(t, n);

    run_step(r, 1);
    switch (walk_kind(t, n)) {
    case TAPE_NUMBER:
        return decimal_read(walk_raw(t, n), &d) ? number_hash(&d) : lookup_hash(walk_raw(t, n));
    case TAPE_STRING:
        return lookup_hash(walk_text(t, n, r->arena));
    case TAPE_ARRAY:
        for (tape_node x = walk_first(t, n); x != TAPE_ABSENT && !run_failed(r); x = walk_next(t, x))
            h = mix(h + tree_hash(r, x));
        return h;
    case TAPE_OBJECT:
        for (tape_node x = walk_first(t, n); x != TAPE_ABSENT && !run_failed(r); x = walk_next(t, x))
            h += mix(tree_hash(r, x) ^ (uint64_t)walk_key(t, x - 1) << 32);
        return h;
    default:
        return h;
    }
}

/* Quantities meet in one place: equal ones may have other units.  The budget
 * bounds what that costs. */
static uint64_t
item_hash(struct run *r, const struct fhirpath_item *item)
{
    struct value   v;
    struct decimal d;

    value_of(r, item, &v);
    if (value_number(&v, &d))
        return number_hash(&d);
    switch (v.kind) {
    case FHIRPATH_BOOLEAN: return v.boolean ? 3 : 2;
    case FHIRPATH_STRING:
    case FHIRPATH_TYPE:    return lookup_hash(v.text);
    case FHIRPATH_DATE:
    case FHIRPATH_DATETIME:
    case FHIRPATH_TIME:    return mix((uint64_t)moment_ms(&v.moment) * 8 + v.moment.precision);
    case FHIRPATH_NODE:    return tree_hash(r, item->node);
    case FHIRPATH_NOTHING: return tree_hash(r, item->shadow);
    default:               return 5;
    }
}

/* As `=`, but a number and a quantity are two things: {"value": 3} beside its
 * own 3 is no repetition. */
static bool
same_member(struct run *r, const struct fhirpath_item *a, const struct fhirpath_item *b)
{
    bool left  = a->kind == FHIRPATH_QUANTITY || (a->kind == FHIRPATH_NODE && a->primitive == PRIMITIVE_NONE);
    bool right = b->kind == FHIRPATH_QUANTITY || (b->kind == FHIRPATH_NODE && b->primitive == PRIMITIVE_NONE);

    return left == right && value_equal(r, a, b) == FHIRPATH_TRUE;
}

#define SET_FEW 8u                       /* up to here a look at each costs less */

void
set_open(struct set *s, struct items *storage)
{
    *s = (struct set){ .items = storage };
}

static bool
set_rebuild(struct run *r, struct set *s)
{
    uint32_t room = s->mask > 0 ? (s->mask + 1) * 2 : SET_FEW * 4;

    s->slots = run_alloc(r, room * sizeof *s->slots);
    if (s->slots == NULL)
        return false;
    s->mask = room - 1;
    for (uint32_t i = 0; i < s->items->count; i++) {
        uint32_t at = (uint32_t)item_hash(r, &s->items->at[i]) & s->mask;
        while (s->slots[at] != 0)
            at = (at + 1) & s->mask;
        s->slots[at] = i + 1;
    }
    return !run_failed(r);
}

bool
set_has(struct run *r, const struct set *s, const struct fhirpath_item *item)
{
    if (s->slots == NULL) {
        for (uint32_t i = 0; i < s->items->count && !run_failed(r); i++)
            if (same_member(r, &s->items->at[i], item))
                return true;
        return false;
    }
    for (uint32_t at = (uint32_t)item_hash(r, item) & s->mask; s->slots[at] != 0; at = (at + 1) & s->mask)
        if (run_failed(r) || same_member(r, &s->items->at[s->slots[at] - 1], item))
            return true;
    return false;
}

bool
set_add(struct run *r, struct set *s, const struct fhirpath_item *item)
{
    if (run_failed(r) || set_has(r, s, item) || !items_add(r, s->items, item))
        return false;
    if (s->slots == NULL || s->items->count * 2 > s->mask)
        return s->items->count <= SET_FEW || set_rebuild(r, s);
    uint32_t at = (uint32_t)item_hash(r, item) & s->mask;
    while (s->slots[at] != 0)
        at = (at + 1) & s->mask;
    s->slots[at] = s->items->count;
    return true;
}
