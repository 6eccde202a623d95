#include "fhir/fhirpath_run.h"

#include "base/sort.h"

/* Functions over collections, nodes and the world around them.  What is asked
 * for its truth alone (exists, empty, not, all) is in fhirpath_run.c. */

static unsigned
arguments(const struct fhirpath_instruction *n)
{
    return n->length & FHIRPATH_ARGUMENTS;
}

static void
add_boolean(struct run *r, struct items *out, bool value)
{
    add_truth(r, out, value ? FHIRPATH_TRUE : FHIRPATH_FALSE);
}

/* ---- existence -------------------------------------------------------------------------------- */

/* allTrue() … anyFalse(): every item is a boolean. */
static void
booleans(struct run *r, const struct fhirpath_instruction *n, const struct frame *f, const struct items *input,
         struct items *out)
{
    bool any  = n->what == FHIRPATH_FUNCTION_ANY_TRUE || n->what == FHIRPATH_FUNCTION_ANY_FALSE;
    bool want = n->what == FHIRPATH_FUNCTION_ALL_TRUE || n->what == FHIRPATH_FUNCTION_ANY_TRUE;
    bool met  = false, missed = false;

    (void)f;
    for (uint32_t i = 0; i < input->count && run_step(r, 1); i++) {
        struct value v;
        value_of(r, &input->at[i], &v);
        if (v.kind != FHIRPATH_BOOLEAN) {
            run_fail(r, n, FHIRPATH_FAILED_OPERAND);
            return;
        }
        met    = met || v.boolean == want;
        missed = missed || v.boolean != want;
    }
    add_boolean(r, out, any ? met : !missed);
}

static void
set_of(struct run *r, struct set *set, struct items *storage, const struct items *from)
{
    set_open(set, storage);
    for (uint32_t i = 0; i < from->count && !run_failed(r); i++)
        set_add(r, set, &from->at[i]);
}

static void
subset(struct run *r, const struct fhirpath_instruction *n, const struct frame *f, const struct items *input,
       struct items *out)
{
    struct items other, kept;
    struct set   set;
    bool         sub = n->what == FHIRPATH_FUNCTION_SUBSET_OF, all = true;

    items_open(&other);
    items_open(&kept);
    run_eval(r, n->arg[0], f, &other);
    const struct items *small = sub ? input : &other, *large = sub ? &other : input;
    set_of(r, &set, &kept, large);
    for (uint32_t i = 0; i < small->count && all && !run_failed(r); i++)
        all = set_has(r, &set, &small->at[i]);
    add_boolean(r, out, all);
}

static void
count(struct run *r, const struct fhirpath_instruction *n, const struct frame *f, const struct items *input,
      struct items *out)
{
    (void)n;
    (void)f;
    add_integer(r, out, input->count);
}

static void
distinct(struct run *r, const struct fhirpath_instruction *n, const struct frame *f, const struct items *input,
         struct items *out)
{
    struct items kept;
    struct set   set;

    (void)f;
    items_open(&kept);
    set_open(&set, &kept);
    for (uint32_t i = 0; i < input->count && !run_failed(r); i++)
        if (!set_add(r, &set, &input->at[i]) && n->what == FHIRPATH_FUNCTION_IS_DISTINCT) {
            add_boolean(r, out, false);
            return;
        }
    if (n->what == FHIRPATH_FUNCTION_IS_DISTINCT)
        add_boolean(r, out, true);
    else
        items_add_all(r, out, &kept);
}

/* ---- filtering and projection ------------------------------------------------------------------- */

static void
where(struct run *r, const struct fhirpath_instruction *n, const struct frame *f, const struct items *input,
      struct items *out)
{
    for (uint32_t i = 0; i < input->count && !run_failed(r); i++)
        if (run_criterion(r, n->arg[0], f, &input->at[i], i) == FHIRPATH_TRUE)
            items_add(r, out, &input->at[i]);
}

static void
select_each(struct run *r, const struct fhirpath_instruction *n, const struct frame *f, const struct items *input,
            struct items *out)
{
    for (uint32_t i = 0; i < input->count && !run_failed(r); i++) {
        struct frame inner = { &input->at[i], i, f->total };
        run_eval(r, n->arg[0], &inner, out);
    }
}

/* Until nothing new comes. */
static void
repeat(struct run *r, const struct fhirpath_instruction *n, const struct frame *f, const struct items *input,
       struct items *out)
{
    struct items kept, fresh;
    struct set   set;

    items_open(&kept);
    set_open(&set, &kept);
    items_open(&fresh);
    select_each(r, n, f, input, &fresh);
    for (uint32_t next = 0;;) {
        for (uint32_t i = 0; i < fresh.count && !run_failed(r); i++)
            set_add(r, &set, &fresh.at[i]);
        if (next == kept.count || run_failed(r))
            break;
        struct fhirpath_item one = kept.at[next];
        struct frame         inner = { &one, next++, f->total };
        fresh.count = 0;
        run_eval(r, n->arg[0], &inner, &fresh);
    }
    items_add_all(r, out, &kept);
}

static void
aggregate(struct run *r, const struct fhirpath_instruction *n, const struct frame *f, const struct items *input,
          struct items *out)
{
    struct items total, next;

    items_open(&total);
    if (arguments(n) == 2)
        run_eval(r, n->arg[1], f, &total);
    for (uint32_t i = 0; i < input->count && !run_failed(r); i++) {
        struct frame inner = { &input->at[i], i, &total };
        items_open(&next);
        run_eval(r, n->arg[0], &inner, &next);
        total.count = 0;
        items_add_all(r, &total, &next);
    }
    items_add_all(r, out, &total);
}

/* ---- subsetting ------------------------------------------------------------------------------------ */

static void
add_from(struct run *r, const struct items *input, int64_t first, int64_t count_of, struct items *out)
{
    for (int64_t i = first < 0 ? 0 : first; i < input->count && count_of > 0 && run_step(r, 1); i++, count_of--)
        items_add(r, out, &input->at[i]);
}

static void
part(struct run *r, const struct fhirpath_instruction *n, const struct frame *f, const struct items *input,
     struct items *out)
{
    struct fhirpath_item item;
    struct value         v = { .kind = FHIRPATH_INTEGER };

    if (arguments(n) == 1) {
        if (!run_single(r, n, n->arg[0], f, &item))
            return;
        value_of(r, &item, &v);
        if (v.kind != FHIRPATH_INTEGER) {
            run_fail(r, n, FHIRPATH_FAILED_OPERAND);
            return;
        }
    }
    switch ((enum fhirpath_function)n->what) {
    case FHIRPATH_FUNCTION_FIRST: add_from(r, input, 0, 1, out); break;
    case FHIRPATH_FUNCTION_LAST:  add_from(r, input, (int64_t)input->count - 1, 1, out); break;
    case FHIRPATH_FUNCTION_TAIL:  add_from(r, input, 1, UINT32_MAX, out); break;
    case FHIRPATH_FUNCTION_SKIP:  add_from(r, input, v.integer, UINT32_MAX, out); break;
    case FHIRPATH_FUNCTION_TAKE:  add_from(r, input, 0, v.integer, out); break;
    default:                                         /* single() */
        if (input->count > 1)
            run_fail(r, n, FHIRPATH_FAILED_SINGLE);
        else
            items_add_all(r, out, input);
        break;
    }
}

static void
against(struct run *r, const struct fhirpath_instruction *n, const struct frame *f, const struct items *input,
        struct items *out)
{
    struct items other, kept, seen;
    struct set   set, met;
    bool         common = n->what == FHIRPATH_FUNCTION_INTERSECT;

    items_open(&other);
    items_open(&kept);
    items_open(&seen);
    run_eval(r, n->arg[0], f, &other);
    set_of(r, &set, &kept, &other);
    set_open(&met, &seen);
    for (uint32_t i = 0; i < input->count && !run_failed(r); i++) {
        const struct fhirpath_item *one = &input->at[i];
        if (set_has(r, &set, one) == common && (!common || set_add(r, &met, one)))
            items_add(r, out, one);
    }
}

static void
together(struct run *r, const struct fhirpath_instruction *n, const struct frame *f, const struct items *input,
         struct items *out)
{
    struct items all, kept;
    struct set   set;

    items_open(&all);
    items_open(&kept);
    items_add_all(r, &all, input);
    run_eval(r, n->arg[0], f, &all);
    if (n->what == FHIRPATH_FUNCTION_UNION)
        set_of(r, &set, &kept, &all);
    items_add_all(r, out, n->what == FHIRPATH_FUNCTION_UNION ? &kept : &all);
}

/* ---- choosing ---------------------------------------------------------------------------------------- */

/* The input is $this inside; the criterion is a boolean or nothing. */
static void
iif(struct run *r, const struct fhirpath_instruction *n, const struct frame *f, const struct items *input,
    struct items *out)
{
    struct fhirpath_item nothing = { .kind = FHIRPATH_NOTHING };
    struct frame         inner   = { input->count == 1 ? input->at : &nothing, 0, f->total };
    struct items         criterion;
    struct value         v = { .kind = FHIRPATH_BOOLEAN };

    if (n->input == 0)
        inner = *f;
    items_open(&criterion);
    if (input->count > 1)
        run_fail(r, n, FHIRPATH_FAILED_SINGLE);
    run_eval(r, n->arg[0], &inner, &criterion);
    if (criterion.count > 1)
        run_fail(r, n, FHIRPATH_FAILED_SINGLE);
    if (run_failed(r))
        return;
    if (criterion.count == 1)
        value_of(r, criterion.at, &v);
    if (v.kind != FHIRPATH_BOOLEAN)
        run_fail(r, n, FHIRPATH_FAILED_OPERAND);
    else if (criterion.count == 1 && v.boolean)
        run_eval(r, n->arg[1], &inner, out);
    else if (arguments(n) == 3)
        run_eval(r, n->arg[2], &inner, out);
}

/* ---- sorting ------------------------------------------------------------------------------------------- */

struct sorting {
    struct run                        *run;
    const struct fhirpath_instruction *call;
    const struct fhirpath_item        *keys;         /* `count` for each item; NOTHING: none */
    unsigned                           count;
};

/* No key is more than any key, so it comes last, and first in descending order. */
static int
by_keys(const void *a, const void *b, const void *context)
{
    const struct sorting *s = context;
    uint32_t              x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    for (unsigned i = 0; i < s->count && !run_failed(s->run); i++) {
        const struct fhirpath_item *left = &s->keys[x * s->count + i], *right = &s->keys[y * s->count + i];
        int way = (left->kind == FHIRPATH_NOTHING) - (right->kind == FHIRPATH_NOTHING);
        if (left->kind != FHIRPATH_NOTHING && right->kind != FHIRPATH_NOTHING)
            way = value_order(s->run, left, right);
        if (way == VALUE_ODD)
            run_fail(s->run, s->call, FHIRPATH_FAILED_OPERAND);
        if (way != 0 && way != VALUE_OPEN && way != VALUE_ODD)
            return s->call->length >> 8 & 1u << i ? -way : way;
    }
    return (x > y) - (x < y);
}

static void
sort(struct run *r, const struct fhirpath_instruction *n, const struct frame *f, const struct items *input,
     struct items *out)
{
    unsigned              keys_each = arguments(n) > 0 ? arguments(n) : 1;
    struct fhirpath_item *keys  = run_alloc(r, ((size_t)input->count + 1) * keys_each * sizeof *keys);
    uint32_t             *order = run_alloc(r, ((size_t)input->count + 1) * sizeof *order);

    if (keys == NULL || order == NULL)
        return;
    for (uint32_t i = 0; i < input->count && !run_failed(r); i++) {
        struct frame inner = { &input->at[i], i, f->total };
        order[i] = i;
        if (arguments(n) == 0)
            keys[i] = input->at[i];
        for (unsigned k = 0; k < arguments(n); k++)
            run_single(r, n, n->arg[k], &inner, &keys[i * keys_each + k]);
    }
    struct sorting s = { r, n, keys, keys_each };
    if (!run_failed(r))
        sort_in_place(order, input->count, sizeof *order, by_keys, &s);
    for (uint32_t i = 0; i < input->count && !run_failed(r); i++)
        items_add(r, out, &input->at[order[i]]);
}

/* ---- trees ------------------------------------------------------------------------------------------------ */

static void
children(struct run *r, const struct fhirpath_instruction *n, const struct frame *f, const struct items *input,
         struct items *out)
{
    (void)f;
    if (n->what == FHIRPATH_FUNCTION_DESCENDANTS) {
        struct items all;
        items_open(&all);
        walk_descendants(r, input, &all);
        if (out->count == 0 && all.at != all.own)
            *out = all;                              /* the list is large: it is not copied */
        else
            items_add_all(r, out, &all);
        return;
    }
    for (uint32_t i = 0; i < input->count && !run_failed(r); i++)
        walk_children_of(r, &input->at[i], out);
}

static void
type(struct run *r, const struct fhirpath_instruction *n, const struct frame *f, const struct items *input,
     struct items *out)
{
    (void)n;
    (void)f;
    for (uint32_t i = 0; i < input->count && run_step(r, 1); i++) {
        bool                 fhir;
        struct fhirpath_item item = item_string(walk_type_name(r, &input->at[i], &fhir));
        item.kind = FHIRPATH_TYPE;
        item.text = arena_join(r->arena, fhir ? SPAN("FHIR.") : SPAN("System."), item.text);
        items_add(r, out, &item);
    }
}

static void
extension(struct run *r, const struct fhirpath_instruction *n, const struct frame *f, const struct items *input,
          struct items *out)
{
    struct fhirpath_item item;
    struct span          url;

    if (!run_single(r, n, n->arg[0], f, &item))
        return;
    if (!value_string(r, &item, &url))
        run_fail(r, n, FHIRPATH_FAILED_OPERAND);
    for (uint32_t i = 0; i < input->count && !run_failed(r); i++)
        walk_extensions(r, &input->at[i], url, out);
}

static void
has_value(struct run *r, const struct fhirpath_instruction *n, const struct frame *f, const struct items *input,
          struct items *out)
{
    bool has = input->count == 1
        && (input->at[0].kind != FHIRPATH_NODE || (input->at[0].primitive != PRIMITIVE_NONE && input->at[0].node != TAPE_ABSENT));

    (void)f;
    if (n->what == FHIRPATH_FUNCTION_HAS_VALUE)
        add_boolean(r, out, has);
    else if (has)
        items_add(r, out, input->at);
}

static void
resolve(struct run *r, const struct fhirpath_instruction *n, const struct frame *f, const struct items *input,
        struct items *out)
{
    (void)n;
    (void)f;
    for (uint32_t i = 0; i < input->count && !run_failed(r); i++)
        walk_resolve(r, &input->at[i], out);
}

/* ---- what the caller answers -------------------------------------------------------------------------------- */

static void
ask(struct run *r, const struct fhirpath_instruction *n, const struct frame *f, const struct items *input,
    struct items *out)
{
    const struct fhirpath_calls *calls = r->context->calls;
    enum fhirpath_truth          truth = FHIRPATH_FAILED;
    struct fhirpath_item         item;
    struct span                  url = { NULL, 0 };

    if (input->count > 1)
        run_fail(r, n, FHIRPATH_FAILED_SINGLE);
    if (input->count != 1 || run_failed(r) || (arguments(n) == 1 && !run_single(r, n, n->arg[0], f, &item)))
        return;
    if (arguments(n) == 1 && !value_string(r, &item, &url)) {
        run_fail(r, n, FHIRPATH_FAILED_OPERAND);
        return;
    }
    r->asked = r->asked || calls != NULL;
    if (calls != NULL && n->what == FHIRPATH_FUNCTION_MEMBER_OF && calls->member_of != NULL)
        truth = calls->member_of(r->context->caller, input->at, url);
    if (calls != NULL && n->what == FHIRPATH_FUNCTION_CONFORMS_TO && calls->conforms_to != NULL)
        truth = calls->conforms_to(r->context->caller, input->at, url);
    if (calls != NULL && n->what == FHIRPATH_FUNCTION_HTML_CHECKS && calls->html_checks != NULL)
        truth = calls->html_checks(r->context->caller, input->at);
    if (truth == FHIRPATH_FAILED)
        run_fail(r, n, FHIRPATH_FAILED_CALL);
    add_truth(r, out, truth);
}

static void
trace(struct run *r, const struct fhirpath_instruction *n, const struct frame *f, const struct items *input,
      struct items *out)
{
    const struct fhirpath_calls *calls = r->context->calls;
    struct fhirpath_item         item;
    struct span                  name = { NULL, 0 };
    struct items                 shown;

    if (calls != NULL && calls->trace != NULL && run_single(r, n, n->arg[0], f, &item) && value_string(r, &item, &name)) {
        items_open(&shown);
        r->asked = true;
        if (arguments(n) == 2)
            for (uint32_t i = 0; i < input->count && !run_failed(r); i++) {
                struct frame inner = { &input->at[i], i, f->total };
                run_eval(r, n->arg[1], &inner, &shown);
            }
        calls->trace(r->context->caller, name, arguments(n) == 2 ? shown.at : input->at,
                     arguments(n) == 2 ? shown.count : input->count);
    }
    items_add_all(r, out, input);
}

static void
clock_now(struct run *r, const struct fhirpath_instruction *n, const struct frame *f, const struct items *input,
          struct items *out)
{
    struct moment m = moment_at(r->context->now_ms, r->context->now_zone);

    (void)f;
    (void)input;
    if (r->context->now_ms == 0) {
        run_fail(r, n, FHIRPATH_FAILED_CALL);
        return;
    }
    if (n->what == FHIRPATH_FUNCTION_TODAY) {
        m.kind      = MOMENT_DATE;
        m.precision = MOMENT_DAY;
        m.zoned     = false;
        m.fraction_digits = 0;
    } else if (n->what == FHIRPATH_FUNCTION_TIME_OF_DAY) {
        m.kind  = MOMENT_TIME;
        m.zoned = false;
    }
    add_moment(r, out, &m);
}

function *const functions_collections[FHIRPATH_FUNCTIONS] = {
    [FHIRPATH_FUNCTION_ALL_TRUE] = booleans,       [FHIRPATH_FUNCTION_ANY_TRUE] = booleans,
    [FHIRPATH_FUNCTION_ALL_FALSE] = booleans,      [FHIRPATH_FUNCTION_ANY_FALSE] = booleans,
    [FHIRPATH_FUNCTION_SUBSET_OF] = subset,        [FHIRPATH_FUNCTION_SUPERSET_OF] = subset,
    [FHIRPATH_FUNCTION_COUNT] = count,             [FHIRPATH_FUNCTION_DISTINCT] = distinct,
    [FHIRPATH_FUNCTION_IS_DISTINCT] = distinct,    [FHIRPATH_FUNCTION_WHERE] = where,
    [FHIRPATH_FUNCTION_SELECT] = select_each,      [FHIRPATH_FUNCTION_REPEAT] = repeat,
    [FHIRPATH_FUNCTION_SINGLE] = part,             [FHIRPATH_FUNCTION_FIRST] = part,
    [FHIRPATH_FUNCTION_LAST] = part,               [FHIRPATH_FUNCTION_TAIL] = part,
    [FHIRPATH_FUNCTION_SKIP] = part,               [FHIRPATH_FUNCTION_TAKE] = part,
    [FHIRPATH_FUNCTION_INTERSECT] = against,       [FHIRPATH_FUNCTION_EXCLUDE] = against,
    [FHIRPATH_FUNCTION_UNION] = together,          [FHIRPATH_FUNCTION_COMBINE] = together,
    [FHIRPATH_FUNCTION_IIF] = iif,                 [FHIRPATH_FUNCTION_AGGREGATE] = aggregate,
    [FHIRPATH_FUNCTION_SORT] = sort,               [FHIRPATH_FUNCTION_CHILDREN] = children,
    [FHIRPATH_FUNCTION_DESCENDANTS] = children,    [FHIRPATH_FUNCTION_TYPE] = type,
    [FHIRPATH_FUNCTION_EXTENSION] = extension,     [FHIRPATH_FUNCTION_HAS_VALUE] = has_value,
    [FHIRPATH_FUNCTION_GET_VALUE] = has_value,     [FHIRPATH_FUNCTION_RESOLVE] = resolve,
    [FHIRPATH_FUNCTION_MEMBER_OF] = ask,           [FHIRPATH_FUNCTION_CONFORMS_TO] = ask,
    [FHIRPATH_FUNCTION_HTML_CHECKS] = ask,         [FHIRPATH_FUNCTION_TRACE] = trace,
    [FHIRPATH_FUNCTION_NOW] = clock_now,           [FHIRPATH_FUNCTION_TODAY] = clock_now,
    [FHIRPATH_FUNCTION_TIME_OF_DAY] = clock_now,
};
