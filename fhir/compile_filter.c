/* fhir/compile_filter.c -- one filter of a value set: which concepts of a system pass.
 *
 * Operators of http://hl7.org/fhir/R4/valueset-filter-operator.html, and R5's
 * child-of and descendent-leaf.  The property is the concept itself (`concept`,
 * `code`), its `display`, its `parent` or `child`, or a property that the code
 * system gives to its concepts.
 *
 * Hierarchies may have several parents and, broken ones, rings; marks spread
 * from parents to children until nothing changes, and a hierarchy that is
 * written against the order of its concepts more than SPREADS levels deep is
 * left undecided.
 */
#include "fhir/compile_terms.h"

#include "fhir/regex.h"

#define SPREADS 64u

/* What a filter is asked about. */
struct asking {
    struct terms             *t;
    const struct pack        *view;
    const struct pack_system *system;
    const struct tape        *tape;          /* of the code system; NULL: of the base */
    struct span               property, op, value;
    struct span               pattern;       /* of op regex, compiled */
    bool                      out_of_steps;
    uint8_t                  *marks;
};

/* A property by more than one name. */
static const char *const not_selectable[] = { "notSelectable", "not-selectable", "abstract", NULL };

static enum term_why filter_concept(struct asking *);
static enum term_why filter_text(struct asking *);
static enum term_why filter_property(struct asking *);

static bool
may_look(struct terms *t, uint32_t concepts)
{
    bool may = concepts < t->work_left;

    t->work_left -= may ? concepts : t->work_left;
    return may;
}

/* A pattern that needs more than regular expressions is left undecided. */
static bool
read_pattern(struct asking *a)
{
    const char *why;

    return !span_eq_text(a->op, "regex") || regex_compile(a->value, a->t->c->arena, &a->pattern, &why) == ST_OK;
}

enum term_why
terms_filter(struct terms *t, uint32_t system, tape_node filter, const struct tape *tape, uint8_t *marks)
{
    const struct pack *view = terms_view(t);
    struct arena      *arena = t->c->arena;
    struct asking      a = {
        .t = t, .view = view, .system = &view->systems[system], .marks = marks,
        .tape     = system >= t->first_system ? t->systems[system - t->first_system]->tape : NULL,
        .property = tape_member_text(tape, filter, SPAN("property"), arena),
        .op       = tape_member_text(tape, filter, SPAN("op"), arena),
        .value    = tape_member_text(tape, filter, SPAN("value"), arena),
    };

    if (!may_look(t, a.system->concept_count))
        return TERM_WHY_SIZE;
    if (!read_pattern(&a))
        return TERM_WHY_FILTER_KIND;
    enum term_why why = span_eq_text(a.property, "concept") || span_eq_text(a.property, "code") ? filter_concept(&a)
                      : span_eq_text(a.property, "display") ? filter_text(&a) : filter_property(&a);
    return a.out_of_steps ? TERM_WHY_SIZE : why;
}

static uint32_t
count_of(const struct asking *a)
{
    return a->system->concept_count;
}

static const struct pack_concept *
concept_of(const struct asking *a, uint32_t i)
{
    return &a->view->concepts[a->system->first_concept + i];
}

static struct span
code_of(const struct asking *a, uint32_t i)
{
    return span_from(a->view->texts + concept_of(a, i)->code, concept_of(a, i)->length);
}

/* Within the system; PACK_NONE. */
static uint32_t
concept_named(const struct asking *a, struct span code)
{
    bool     other_case;
    uint32_t found = pack_concept_find(a->view, a->system, code, &other_case);

    return found == PACK_NONE ? PACK_NONE : found - a->system->first_concept;
}

static uint32_t
parent_of(const struct asking *a, uint32_t i, uint32_t which)
{
    return a->view->parents[concept_of(a, i)->first_parent + which] - a->system->first_concept;
}

/* ---- hierarchy ----------------------------------------------------------------------- */

/* hit[i] where one of the parents of i is set. */
static void
spread_down(const struct asking *a, uint8_t *hit, bool *changed)
{
    for (uint32_t i = 0; i < count_of(a); i++)
        for (uint32_t k = 0; !hit[i] && k < concept_of(a, i)->parent_count; k++)
            if (hit[parent_of(a, i, k)])
                hit[i] = *changed = true;
}

static void
spread_up(const struct asking *a, uint8_t *hit, bool *changed)
{
    for (uint32_t i = count_of(a); i-- > 0;)
        for (uint32_t k = 0; hit[i] && k < concept_of(a, i)->parent_count; k++)
            if (!hit[parent_of(a, i, k)])
                hit[parent_of(a, i, k)] = *changed = true;
}

static bool
spread(const struct asking *a, uint8_t *hit, bool up)
{
    bool changed = true;

    for (uint32_t pass = 0; changed; pass++) {
        if (pass == SPREADS || !may_look(a->t, count_of(a)))
            return false;
        changed = false;
        if (up)
            spread_up(a, hit, &changed);
        else
            spread_down(a, hit, &changed);
    }
    return true;
}

static void
drop_parents(const struct asking *a, uint8_t *hit)
{
    for (uint32_t i = 0; i < count_of(a); i++)
        for (uint32_t k = 0; k < concept_of(a, i)->parent_count; k++)
            hit[parent_of(a, i, k)] = 0;
}

static void
keep(const struct asking *a, const uint8_t *hit, bool want)
{
    for (uint32_t i = 0; i < count_of(a); i++)
        if ((hit[i] != 0) != want)
            a->marks[i] = 0;
}

static enum term_why
filter_hierarchy(struct asking *a, uint8_t *hit)
{
    uint32_t at   = concept_named(a, a->value);
    bool     self = span_eq_text(a->op, "is-a") || span_eq_text(a->op, "is-not-a") || span_eq_text(a->op, "generalizes");

    if (at == PACK_NONE)
        return TERM_WHY_FILTER;
    hit[at] = 1;
    if (span_eq_text(a->op, "child-of")) {
        hit[at] = 0;
        for (uint32_t i = 0; i < count_of(a); i++)
            for (uint32_t k = 0; k < concept_of(a, i)->parent_count; k++)
                hit[i] |= parent_of(a, i, k) == at;
    } else if (!spread(a, hit, span_eq_text(a->op, "generalizes"))) {
        return TERM_WHY_SIZE;
    } else if (!self) {
        hit[at] = 0;
    }
    if (span_eq_text(a->op, "descendent-leaf"))
        drop_parents(a, hit);
    keep(a, hit, !span_eq_text(a->op, "is-not-a"));
    return TERM_WHY_NONE;
}

/* ---- lists --------------------------------------------------------------------------- */

/* "a,b , c" of in and not-in. */
static bool
in_list(struct span list, struct span one)
{
    while (list.at != NULL)
        if (span_eq(span_trim(span_split(&list, ',')), one))
            return true;
    return false;
}

static bool
is_hierarchical(struct span op)
{
    static const char *const ops[] = { "is-a", "descendent-of", "is-not-a", "generalizes", "child-of", "descendent-leaf" };

    for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++)
        if (span_eq_text(op, ops[i]))
            return true;
    return false;
}

/* A regular expression is one of the whole value, as in XML Schema and in
 * Java's String.matches(). */
static bool
matches(struct asking *a, struct span value)
{
    enum regex_found found = regex_test(a->pattern, value, true, a->t->c->arena, &a->t->steps_left);

    a->out_of_steps = a->out_of_steps || found == REGEX_BUDGET;
    return found == REGEX_YES;
}

/* What =, in, not-in and regex say of one value. */
static bool
passes(struct asking *a, struct span value)
{
    if (span_eq_text(a->op, "regex"))
        return matches(a, value);
    if (span_eq_text(a->op, "="))
        return span_eq(value, a->value);
    return in_list(a->value, value) == span_eq_text(a->op, "in");
}

static bool
is_comparing(struct span op)
{
    return span_eq_text(op, "=") || span_eq_text(op, "in") || span_eq_text(op, "not-in") || span_eq_text(op, "regex");
}

static enum term_why
filter_concept(struct asking *a)
{
    uint8_t *hit = arena_make_n(a->t->c->arena, (size_t)count_of(a) + 1, uint8_t);

    if (hit == NULL)
        return TERM_WHY_SIZE;
    if (is_hierarchical(a->op))
        return filter_hierarchy(a, hit);
    if (!is_comparing(a->op))
        return TERM_WHY_FILTER_KIND;
    for (uint32_t i = 0; i < count_of(a); i++)
        hit[i] = passes(a, code_of(a, i));
    keep(a, hit, true);
    return TERM_WHY_NONE;
}

static enum term_why
filter_text(struct asking *a)
{
    if (!is_comparing(a->op))
        return TERM_WHY_FILTER_KIND;
    for (uint32_t i = 0; i < count_of(a); i++)
        if (!passes(a, pack_text_at(a->view, concept_of(a, i)->display)))
            a->marks[i] = 0;
    return TERM_WHY_NONE;
}

/* ---- properties ---------------------------------------------------------------------- */

/* Whether the code system has the property at all: a filter over one that it
 * does not have is a mistake, not an empty set. */
static bool
is_declared(const struct asking *a, struct span property)
{
    tape_node root = a->t->systems[a->system - a->view->systems - a->t->first_system]->node;
    tape_node list = tape_member(a->tape, root, SPAN("property"));

    for (tape_node n = tape_first(a->tape, list); n != TAPE_ABSENT; n = tape_next(a->tape, n))
        if (tape_text_eq(a->tape, tape_member(a->tape, n, SPAN("code")), property))
            return true;
    return false;
}

/* The name by which the code system has it. */
static struct span
property_name(const struct asking *a)
{
    for (size_t i = 0; not_selectable[i] != NULL; i++) {
        if (!span_eq_text(a->property, not_selectable[i]))
            continue;
        for (size_t k = 0; not_selectable[k] != NULL; k++)
            if (is_declared(a, span_of(not_selectable[k])))
                return span_of(not_selectable[k]);
    }
    return is_declared(a, a->property) ? a->property : (struct span){ NULL, 0 };
}

/* A boolean that is not there is false. */
static bool
property_passes(struct asking *a, tape_node concept, struct span name)
{
    bool met = false, negative = span_eq_text(a->op, "not-in");

    for (tape_node n = terms_property(a->tape, concept, name, TAPE_ABSENT); n != TAPE_ABSENT;
         n = terms_property(a->tape, concept, name, n)) {
        bool one = passes(a, terms_property_text(a->tape, n, a->t->c->arena));
        if (one != negative)
            return one;
        met = true;
    }
    if (met || negative)
        return negative;
    return span_eq_text(a->value, "false");
}

/* `parent` = x is below x, `child` = x is above it. */
static enum term_why
filter_relatives(struct asking *a, uint8_t *hit)
{
    bool upwards = span_eq_text(a->property, "child");

    for (uint32_t i = 0; i < count_of(a); i++)
        for (uint32_t k = 0; k < concept_of(a, i)->parent_count; k++) {
            uint32_t parent = parent_of(a, i, k);
            if (passes(a, code_of(a, upwards ? i : parent)))
                hit[upwards ? parent : i] = 1;
        }
    keep(a, hit, true);
    return TERM_WHY_NONE;
}

static enum term_why
filter_property(struct asking *a)
{
    bool     exists = span_eq_text(a->op, "exists"), relatives = span_eq_text(a->property, "parent") || span_eq_text(a->property, "child");
    uint8_t *hit    = arena_make_n(a->t->c->arena, (size_t)count_of(a) + 1, uint8_t);

    if (hit == NULL)
        return TERM_WHY_SIZE;
    if (is_hierarchical(a->op) && (relatives || span_eq_text(a->property, "subsumedBy")))
        return filter_hierarchy(a, hit);
    if (relatives && (span_eq_text(a->op, "=") || span_eq_text(a->op, "in")))
        return filter_relatives(a, hit);
    if (a->tape == NULL)
        return TERM_WHY_FILTER;                      /* properties of a base are not in its tables */
    struct span name = property_name(a);
    if (span_empty(name) || (!exists && !is_comparing(a->op)))
        return TERM_WHY_FILTER_KIND;
    for (uint32_t i = 0; i < count_of(a); i++) {
        tape_node node = terms_concept_node(a->t, a->system->first_concept + i);
        bool      has  = terms_property(a->tape, node, name, TAPE_ABSENT) != TAPE_ABSENT;
        hit[i] = exists ? has == !span_eq_text(a->value, "false") : property_passes(a, node, name);
    }
    keep(a, hit, true);
    return TERM_WHY_NONE;
}
