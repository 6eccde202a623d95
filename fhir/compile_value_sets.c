/* fhir/compile_value_sets.c -- ValueSet.compose -> what it says of each code.
 *
 * http://hl7.org/fhir/R4/valueset.html#compositions
 *
 *     include   system and (concepts, or all filters, or all codes), and every
 *               imported value set: the intersection
 *     compose   the union of its includes without the union of its excludes
 *
 * A value set with an expansion alone is its expansion.  One that is composed of
 * what is not here keeps what its expansion lists.
 */
#include "fhir/compile_terms.h"

#include "base/sort.h"

static bool    enlist(struct terms *);
static bool    compose(struct terms *, uint32_t index, uint32_t depth);
static bool    write_set(struct terms *, uint32_t index);
static uint8_t ask_system(void *context, const struct term_part *, const struct term_item *, uint8_t *why);
static void    settle(struct terms *);

bool
terms_value_sets(struct terms *t)
{
    struct compiler *c = t->c;

    t->oracle = (struct term_set_oracle){ c->arena, ask_system, t, TERMS_ITEMS };
    if (!enlist(t) || !terms_chain(t, PACK_VALUE_SETS, PACK_VALUE_SET_SLOTS))
        return false;
    for (uint32_t i = t->first_value_set; i < compile_count(c, PACK_VALUE_SETS); i++)
        if (!compose(t, i, 0) || !write_set(t, i))
            return false;
    settle(t);
    return !arena_spent(c->arena);
}

static bool
enlist(struct terms *t)
{
    struct compiler  *c = t->c;
    struct terms_list list;

    if (!terms_list(t, DEFINITION_VALUE_SET, PACK_VALUE_SETS, &list))
        return false;
    t->sources = arena_make_n(c->arena, (size_t)t->first_value_set + list.count + 1, struct value_source);
    for (uint32_t i = 0; t->sources != NULL && i < list.count; i++) {
        struct pack_value_set *v = COMPILE_APPEND(c, PACK_VALUE_SETS, struct pack_value_set);
        if (v == NULL)
            return false;
        v->as = terms_canonical(t, list.at[i], true);
        t->sources[t->first_value_set + i].definition = list.at[i];
    }
    return t->sources != NULL;
}

/* Of a fallback that stays WHOLE: the other side speaks of a code. */
static uint8_t
ask_system(void *context, const struct term_part *part, const struct term_item *item, uint8_t *why)
{
    const struct pack *view    = terms_view(context);
    struct span        url     = pack_span(view, part->system), code = span_from(view->texts + item->code, item->length);
    enum term_why      unknown;
    uint32_t           system  = pack_system_find(view, url, pack_span(view, part->version), &unknown);
    struct term_answer answer  = pack_code_in(view, system, url, code);

    *why = (uint8_t)answer.why;
    return answer.verdict == TERM_IN ? SAID_IN : answer.verdict == TERM_OUT ? SAID_OUT : SAID_UNDECIDED;
}

/* ---- sets of one system ----------------------------------------------------------------- */

static struct term_set
one_part(struct terms *t, struct term_part part)
{
    struct term_part *own = arena_make(t->c->arena, struct term_part);

    if (own == NULL)
        return term_set_all(SAID_UNDECIDED, TERM_WHY_SIZE);
    *own = part;
    return (struct term_set){ own, 1, SAID_OUT, TERM_WHY_NONE };
}

static struct term_part
part_of(struct terms *t, struct span system, struct span version, uint8_t said, uint8_t why)
{
    return (struct term_part){ .system = compile_text(t->c, system), .version = compile_text(t->c, version),
                               .fallback = said, .why = why };
}

static struct term_item *
make_items(struct terms *t, uint32_t count)
{
    if (count > t->oracle.items_left)
        return NULL;
    t->oracle.items_left -= count;
    return arena_make_n(t->c->arena, (size_t)count + 1, struct term_item);
}

/* The spelling of the code system where case does not matter. */
static struct span
own_spelling(struct terms *t, uint32_t system, struct span code)
{
    const struct pack *view = terms_view(t);
    bool               other_case;

    if (system == PACK_NONE || !(view->systems[system].flags & SYSTEM_NOCASE))
        return code;
    uint32_t concept = pack_concept_find(view, &view->systems[system], code, &other_case);
    return concept != PACK_NONE ? term_concept_code(view, concept) : code;
}

static struct term_set
listed(struct terms *t, const struct tape *tape, tape_node list, uint32_t system, struct term_part part)
{
    struct term_item *items = make_items(t, tape_children(tape, list));
    uint32_t          count = 0;

    if (items == NULL)
        return term_set_all(SAID_UNDECIDED, TERM_WHY_SIZE);
    for (tape_node n = tape_first(tape, list); n != TAPE_ABSENT; n = tape_next(tape, n)) {
        struct span code = own_spelling(t, system, tape_member_text(tape, n, SPAN("code"), t->c->arena));
        if (!span_empty(code) && code.length <= UINT16_MAX)
            items[count++] = (struct term_item){ compile_text(t->c, code).offset, (uint16_t)code.length, SAID_IN, 0 };
    }
    part.items = items;
    part.count = term_items_sort(items, count);
    return one_part(t, part);
}

/* Concepts of a system by their marks; a fragment says nothing of the others. */
static struct term_set
marked(struct terms *t, uint32_t system, const uint8_t *marks, struct term_part part)
{
    const struct pack_system *s     = &terms_view(t)->systems[system];
    bool                      whole = s->content == TERM_CONTENT_COMPLETE;
    struct term_item         *items = make_items(t, s->concept_count);
    uint32_t                  count = 0;

    if (items == NULL)
        return term_set_all(SAID_UNDECIDED, TERM_WHY_SIZE);
    for (uint32_t i = 0; i < s->concept_count; i++) {
        const struct pack_concept *one = &t->view.concepts[s->first_concept + i];
        if (marks[i] || !whole)
            items[count++] = (struct term_item){ one->code, one->length, marks[i] ? SAID_IN : SAID_OUT, 0 };
    }
    part.fallback = whole ? SAID_OUT : SAID_UNDECIDED;
    part.why      = whole ? TERM_WHY_NONE : TERM_WHY_FRAGMENT;
    part.items    = items;
    part.count    = term_items_sort(items, count);
    return one_part(t, part);
}

static struct term_set
filtered(struct terms *t, const struct tape *tape, tape_node list, uint32_t system, enum term_why unknown,
         struct term_part part, bool inactive)
{
    uint16_t content = system != PACK_NONE ? terms_view(t)->systems[system].content : TERM_CONTENT_UNKNOWN;

    part.fallback = SAID_UNDECIDED;
    part.why      = (uint8_t)(system == PACK_NONE && unknown == TERM_WHY_VERSION ? unknown : TERM_WHY_FILTER);
    if (content == TERM_CONTENT_UNKNOWN || content == TERM_CONTENT_NOT_PRESENT)
        return one_part(t, part);
    uint32_t count = t->view.systems[system].concept_count;
    uint8_t *marks = arena_make_n(t->c->arena, (size_t)count + 1, uint8_t);
    if (marks == NULL)
        return term_set_all(SAID_UNDECIDED, TERM_WHY_SIZE);
    memset(marks, 1, count);
    for (uint32_t i = 0; !inactive && i < count; i++)
        marks[i] = !(t->view.concepts[t->view.systems[system].first_concept + i].flags & CONCEPT_INACTIVE);
    for (tape_node n = tape_first(tape, list); n != TAPE_ABSENT; n = tape_next(tape, n)) {
        enum term_why why = terms_filter(t, system, n, tape, marks);
        if (why != TERM_WHY_NONE) {
            part.why = (uint8_t)why;
            return one_part(t, part);
        }
    }
    return marked(t, system, marks, part);
}

static struct term_set
of_system(struct terms *t, const struct tape *tape, tape_node include, bool inactive)
{
    struct arena    *arena   = t->c->arena;
    struct span      url     = tape_member_text(tape, include, SPAN("system"), arena);
    struct span      version = tape_member_text(tape, include, SPAN("version"), arena);
    tape_node        concept = tape_member(tape, include, SPAN("concept")), filter = tape_member(tape, include, SPAN("filter"));
    enum term_why    unknown;
    uint32_t         system  = pack_system_find(terms_view(t), url, version, &unknown);
    struct term_part part    = part_of(t, url, version, SAID_OUT, TERM_WHY_NONE);

    if (tape_children(tape, concept) > 0)
        return listed(t, tape, concept, system, part);
    if (tape_children(tape, filter) > 0 || (!inactive && system != PACK_NONE))
        return filtered(t, tape, filter, system, unknown, part, inactive);
    part.fallback = SAID_WHOLE;
    if (system == PACK_NONE && unknown == TERM_WHY_VERSION) {
        part.fallback = SAID_UNDECIDED;
        part.why      = TERM_WHY_VERSION;
    }
    return one_part(t, part);
}

/* ---- sets of the base ------------------------------------------------------------------- */

/* What write_set() wrote, read back. */
static void
read_back(struct terms *t, uint32_t index)
{
    const struct pack           *view  = terms_view(t);
    const struct pack_value_set *v     = &view->value_sets[index];
    struct term_part            *parts = arena_make_n(t->c->arena, (size_t)v->part_count + 1, struct term_part);
    uint32_t                     most  = v->member_mask + 1;

    t->sources[index].set = term_set_all(SAID_UNDECIDED, TERM_WHY_SIZE);
    if (parts == NULL || v->part_count > TERM_SET_PARTS)
        return;
    for (uint32_t i = 0; i < v->part_count; i++) {
        const struct pack_value_part *from  = &view->value_parts[v->first_part + i];
        struct term_item             *items = make_items(t, most);
        if (items == NULL)
            return;
        parts[i] = (struct term_part){ .system = from->system, .version = from->version, .fallback = from->fallback, .why = from->why };
        for (uint32_t k = 0; k < most; k++) {
            const struct pack_member *m = &view->members[v->first_member + k];
            if (m->said != SAID_NOTHING && m->part == i)
                items[parts[i].count++] = (struct term_item){ m->code, m->length, m->said, m->why };
        }
        parts[i].items = items;
        parts[i].count = term_items_sort(items, parts[i].count);
    }
    t->sources[index].set = (struct term_set){ parts, v->part_count, v->rest, v->rest_why };
}

/* ---- compose ----------------------------------------------------------------------------- */

static struct term_set
imported(struct terms *t, struct span canonical, uint32_t depth)
{
    uint32_t index = term_value_set(terms_view(t), canonical);

    if (index == PACK_NONE)
        return term_set_all(SAID_UNDECIDED, TERM_WHY_IMPORT);
    if (t->sources[index].state == VALUE_OPEN)
        return term_set_all(SAID_UNDECIDED, TERM_WHY_CIRCULAR);
    if (t->sources[index].state == VALUE_UNTOUCHED && depth == TERMS_DEPTH)
        return term_set_all(SAID_UNDECIDED, TERM_WHY_DEPTH);
    if (!compose(t, index, depth + 1))
        return term_set_all(SAID_UNDECIDED, TERM_WHY_SIZE);
    return t->sources[index].set;
}

static struct term_set
included(struct terms *t, const struct tape *tape, tape_node include, uint32_t depth, bool inactive)
{
    tape_node       list = tape_member(tape, include, SPAN("valueSet"));
    bool            any  = tape_member(tape, include, SPAN("system")) != TAPE_ABSENT;
    struct term_set set  = any ? of_system(t, tape, include, inactive) : term_set_all(SAID_OUT, TERM_WHY_NONE);

    for (tape_node n = tape_first(tape, list); n != TAPE_ABSENT; n = tape_next(tape, n)) {
        struct term_set one = imported(t, tape_text(tape, n, t->c->arena), depth);
        set = any ? term_set_combine(&t->oracle, TERM_INTERSECT, set, one) : one;
        any = true;
    }
    return set;
}

static struct term_set
united(struct terms *t, const struct tape *tape, tape_node list, uint32_t depth, bool inactive)
{
    struct term_set set = term_set_all(SAID_OUT, TERM_WHY_NONE);

    for (tape_node n = tape_first(tape, list); n != TAPE_ABSENT; n = tape_next(tape, n)) {
        struct term_set one = included(t, tape, n, depth, inactive);
        set = n == tape_first(tape, list) ? one : term_set_combine(&t->oracle, TERM_UNITE, set, one);
    }
    return set;
}

/* ---- expansions -------------------------------------------------------------------------- */

struct contained { struct pack_text system, version; struct term_item item; };

struct expansion { struct contained *all; uint32_t count; };

/* As deep as the tape may be. */
static uint32_t
count_contains(const struct tape *tape, tape_node list)
{
    uint32_t count = 0;

    for (tape_node n = tape_first(tape, list); n != TAPE_ABSENT; n = tape_next(tape, n))
        count += 1 + count_contains(tape, tape_member(tape, n, SPAN("contains")));
    return count;
}

/* Abstract entries are headings; they are codes all the same (terminology.h T6). */
static void
read_contains(struct terms *t, const struct tape *tape, tape_node list, struct expansion *e)
{
    struct arena *arena = t->c->arena;

    for (tape_node n = tape_first(tape, list); n != TAPE_ABSENT; n = tape_next(tape, n)) {
        struct span code = tape_member_text(tape, n, SPAN("code"), arena);
        if (!span_empty(code) && code.length <= UINT16_MAX)
            e->all[e->count++] = (struct contained){
                compile_text(t->c, tape_member_text(tape, n, SPAN("system"), arena)),
                compile_text(t->c, tape_member_text(tape, n, SPAN("version"), arena)),
                { compile_text(t->c, code).offset, (uint16_t)code.length, SAID_IN, 0 },
            };
        read_contains(t, tape, tape_member(tape, n, SPAN("contains")), e);
    }
}

static int
by_system(const void *a, const void *b, const void *context)
{
    const struct contained *x = a, *y = b;

    (void)context;
    if (x->system.offset != y->system.offset)
        return x->system.offset < y->system.offset ? -1 : 1;
    if (x->version.offset != y->version.offset)
        return x->version.offset < y->version.offset ? -1 : 1;
    return (x->item.code > y->item.code) - (x->item.code < y->item.code);
}

static bool
same_part(const struct contained *a, const struct contained *b)
{
    return a->system.offset == b->system.offset && a->version.offset == b->version.offset;
}

/* Sorted entries as parts of a set. */
static struct term_set
grouped(struct terms *t, struct expansion *e)
{
    struct term_part *parts = arena_make_n(t->c->arena, TERM_SET_PARTS, struct term_part);
    struct term_item *items = make_items(t, e->count);
    uint32_t          count = 0;

    if (parts == NULL || items == NULL)
        return term_set_all(SAID_UNDECIDED, TERM_WHY_SIZE);
    for (uint32_t first = 0, next; first < e->count; first = next) {
        for (next = first; next < e->count && same_part(&e->all[first], &e->all[next]); next++)
            items[next] = e->all[next].item;
        if (count == TERM_SET_PARTS)
            return term_set_all(SAID_UNDECIDED, TERM_WHY_SIZE);
        parts[count++] = (struct term_part){ .system = e->all[first].system, .version = e->all[first].version,
                                             .items = items + first, .count = term_items_sort(items + first, next - first),
                                             .fallback = SAID_OUT };
    }
    return (struct term_set){ parts, count, SAID_OUT, TERM_WHY_NONE };
}

/* A page of an expansion says nothing of the codes on other pages. */
static struct term_set
expanded(struct terms *t, const struct tape *tape, tape_node expansion)
{
    tape_node        list = tape_member(tape, expansion, SPAN("contains"));
    uint32_t         room = count_contains(tape, list);
    struct expansion e    = { arena_make_n(t->c->arena, (size_t)room + 1, struct contained), 0 };
    uint64_t         total;

    if (e.all == NULL)
        return term_set_all(SAID_UNDECIDED, TERM_WHY_SIZE);
    read_contains(t, tape, list, &e);
    sort_in_place(e.all, e.count, sizeof *e.all, by_system, NULL);
    struct term_set set  = grouped(t, &e);
    tape_node       node = tape_member(tape, expansion, SPAN("total"));
    if (tape_kind(tape, node) == TAPE_NUMBER && span_to_u64(tape_raw(tape, node), &total) && total > room)
        set = term_set_combine(&t->oracle, TERM_UNITE, set, term_set_all(SAID_UNDECIDED, TERM_WHY_SIZE));
    return set;
}

/* ---- one value set ----------------------------------------------------------------------- */

static bool
has_doubt(const struct term_set *s)
{
    bool doubt = s->rest == SAID_UNDECIDED;

    for (uint32_t i = 0; !doubt && i < s->count; i++)
        doubt = s->parts[i].fallback == SAID_UNDECIDED;
    return doubt;
}

static struct term_set
composed(struct terms *t, const struct definition *d, uint32_t depth)
{
    const struct tape *tape      = d->tape;
    tape_node          compose   = tape_member(tape, d->node, SPAN("compose"));
    tape_node          expansion = tape_member(tape, d->node, SPAN("expansion"));
    tape_node          exclude   = tape_member(tape, compose, SPAN("exclude"));
    bool               inactive  = tape_kind(tape, tape_member(tape, compose, SPAN("inactive"))) != TAPE_FALSE;

    if (compose == TAPE_ABSENT)
        return expansion != TAPE_ABSENT ? expanded(t, tape, expansion) : term_set_all(SAID_UNDECIDED, TERM_WHY_EMPTY);
    struct term_set set = united(t, tape, tape_member(tape, compose, SPAN("include")), depth, inactive);
    if (tape_children(tape, exclude) > 0)
        set = term_set_combine(&t->oracle, TERM_SUBTRACT, set, united(t, tape, exclude, depth, true));
    if (expansion != TAPE_ABSENT && has_doubt(&set))
        set = term_set_combine(&t->oracle, TERM_UNITE, set, expanded(t, tape, expansion));
    return set;
}

static bool
compose(struct terms *t, uint32_t index, uint32_t depth)
{
    struct value_source *source = &t->sources[index];

    if (source->state == VALUE_DONE)
        return true;
    source->state = VALUE_OPEN;
    if (source->definition == NULL)
        read_back(t, index);
    else
        source->set = composed(t, source->definition, depth);
    source->state = VALUE_DONE;
    return !arena_spent(t->c->arena);
}

/* ---- into the pack ----------------------------------------------------------------------- */

static void
put_member(struct terms *t, const struct pack_value_set *v, const struct term_item *item, uint32_t part)
{
    struct compiler    *c       = t->c;
    struct pack_member *members = COMPILE_AT(c, PACK_MEMBERS, struct pack_member, v->first_member);
    uint64_t            hash    = pack_code_hash(compile_span(c, (struct pack_text){ item->code, item->length }));
    uint32_t            at      = (uint32_t)hash & v->member_mask;

    while (members[at].said != SAID_NOTHING)
        at = (at + 1) & v->member_mask;
    members[at] = (struct pack_member){ .code = item->code, .length = item->length, .tag = pack_code_tag(hash),
                                        .part = (uint16_t)part, .said = item->said, .why = item->why };
}

static bool
write_parts(struct terms *t, const struct term_set *set)
{
    for (uint32_t i = 0; i < set->count; i++) {
        const struct term_part *from = &set->parts[i];
        struct pack_value_part *part = COMPILE_APPEND(t->c, PACK_VALUE_PARTS, struct pack_value_part);
        if (part == NULL)
            return false;
        *part = (struct pack_value_part){ .system = from->system, .version = from->version, .index = PACK_NONE,
                                          .fallback = from->fallback, .why = from->why };
    }
    return true;
}

static bool
write_set(struct terms *t, uint32_t index)
{
    struct compiler       *c     = t->c;
    const struct term_set *set   = &t->sources[index].set;
    struct pack_value_set *v     = COMPILE_AT(c, PACK_VALUE_SETS, struct pack_value_set, index);
    uint32_t               count = 0;

    for (uint32_t i = 0; i < set->count; i++)
        count += set->parts[i].count;
    *v = (struct pack_value_set){ .as = v->as, .first_part = compile_count(c, PACK_VALUE_PARTS), .part_count = set->count,
                                  .first_member = compile_count(c, PACK_MEMBERS), .member_mask = terms_slots(count) - 1,
                                  .rest = set->rest, .rest_why = set->rest_why };
    for (uint32_t i = 0; i <= v->member_mask; i++)
        if (compile_append(c, PACK_MEMBERS) == NULL)
            return false;
    for (uint32_t i = 0; i < set->count; i++)
        for (uint32_t k = 0; k < set->parts[i].count; k++)
            put_member(t, v, &set->parts[i].items[k], i);
    return write_parts(t, set);
}

/* Also of value sets of the base: a package on top may bring the code system
 * that they name, or a later version of it. */
static void
settle(struct terms *t)
{
    const struct pack *view = terms_view(t);
    enum term_why      why;

    for (uint32_t i = 0; i < compile_count(t->c, PACK_VALUE_PARTS); i++) {
        struct pack_value_part *part = COMPILE_AT(t->c, PACK_VALUE_PARTS, struct pack_value_part, i);
        part->index = pack_system_find(view, pack_span(view, part->system), pack_span(view, part->version), &why);
        part->flags = part->index != PACK_NONE ? view->systems[part->index].flags & SYSTEM_NOCASE : 0;
    }
}
