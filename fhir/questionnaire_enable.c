#include "base/json_walk.h"
#include "fhir/datatypes.h"
#include "fhir/decimal.h"
#include "fhir/questionnaire_work.h"

/* ---- comparing ------------------------------------------------------------------------ */

static enum ordering
ordering_of(int compared)
{
    return compared < 0 ? ORDER_LESS : compared > 0 ? ORDER_MORE : ORDER_EQUAL;
}

static enum ordering
compare_numbers(struct span a, struct span b)
{
    struct decimal x, y;

    if (!decimal_read(a, &x) || !decimal_read(b, &y))
        return ORDER_UNKNOWN;
    return ordering_of(decimal_compare(&x, &y));
}

/* R4 datatypes.html#dateTime: a month against a day inside of it is neither. */
static enum ordering
compare_moments(struct span a, struct span b)
{
    struct time_range x, y;

    if (span_eq(a, b))
        return ORDER_EQUAL;
    if (!time_range_read(a, &x) || !time_range_read(b, &y))
        return ORDER_UNKNOWN;
    if (x.last_ms < y.first_ms)
        return ORDER_LESS;
    if (x.first_ms > y.last_ms)
        return ORDER_MORE;
    return x.first_ms == y.first_ms && x.last_ms == y.last_ms ? ORDER_EQUAL : ORDER_UNKNOWN;
}

static bool
is_number(enum form_value_type type)
{
    return type == FORM_VALUE_DECIMAL || type == FORM_VALUE_INTEGER;
}

static bool
is_moment(enum form_value_type type)
{
    return type == FORM_VALUE_DATE || type == FORM_VALUE_DATETIME;
}

enum ordering
answer_compare(const struct answer_value *a, const struct answer_value *b)
{
    if (is_number(a->type) && is_number(b->type))
        return compare_numbers(a->text, b->text);
    if (is_moment(a->type) && is_moment(b->type))
        return compare_moments(a->text, b->text);
    if (a->type != b->type)
        return ORDER_OTHER;
    switch (a->type) {
    case FORM_VALUE_TIME:                                /* hh:mm:ss, with digits of a second */
        return ordering_of(span_compare(a->text, b->text));
    case FORM_VALUE_QUANTITY:
        return span_eq(a->unit, b->unit) && span_eq(a->system, b->system) ? compare_numbers(a->text, b->text)
                                                                         : ORDER_UNKNOWN;
    case FORM_VALUE_CODING:
        return span_eq(a->text, b->text) && span_eq(a->system, b->system) ? ORDER_EQUAL : ORDER_OTHER;
    case FORM_VALUE_ATTACHMENT:
    case FORM_VALUE_OTHER:
    case FORM_VALUE_NONE:
        return ORDER_UNKNOWN;
    default:
        return span_eq(a->text, b->text) ? ORDER_EQUAL : ORDER_OTHER;
    }
}

struct answer_value
answer_of(const struct form *f, const struct form_value *value)
{
    return (struct answer_value){ .type = (enum form_value_type)value->type, .text = form_text(f, value->text),
                                  .system = form_text(f, value->system), .unit = form_text(f, value->unit) };
}

/* ---- enableWhen ------------------------------------------------------------------------- */

static enum enabled
holds(uint32_t operator, enum ordering order)
{
    if (order == ORDER_UNKNOWN)
        return ENABLED_UNKNOWN;
    switch (operator) {
    case FORM_EQUAL:         return order == ORDER_EQUAL ? ENABLED_YES : ENABLED_NO;
    case FORM_NOT_EQUAL:     return order != ORDER_EQUAL ? ENABLED_YES : ENABLED_NO;
    case FORM_MORE:          return order == ORDER_MORE ? ENABLED_YES : ENABLED_NO;
    case FORM_LESS:          return order == ORDER_LESS ? ENABLED_YES : ENABLED_NO;
    case FORM_MORE_OR_EQUAL: return order == ORDER_MORE || order == ORDER_EQUAL ? ENABLED_YES : ENABLED_NO;
    case FORM_LESS_OR_EQUAL: return order == ORDER_LESS || order == ORDER_EQUAL ? ENABLED_YES : ENABLED_NO;
    default:                 return ENABLED_UNKNOWN;
    }
}

/* First place of an item of the form whose item of the response is at or
 * behind a node. */
static uint32_t
first_place(const struct check *c, uint32_t item, tape_node node)
{
    uint32_t low = c->first[item], high = c->first[item + 1];

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (c->met[c->places[middle]].node < node)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Of the answers of the question's occurrences inside a container.  *answers:
 * how many there are. */
static enum enabled
ask_inside(struct check *c, const struct form_condition *condition, tape_node container, uint32_t *answers)
{
    struct answer_value want  = answer_of(c->form, &condition->value);
    tape_node           end   = tape_after(c->t, container);
    enum enabled        found = ENABLED_NO;

    *answers = 0;
    for (uint32_t at = first_place(c, condition->target, container);
         at < c->first[condition->target + 1] && c->met[c->places[at]].node < end; at++) {
        const struct met *m    = &c->met[c->places[at]];
        tape_node         list = tape_member(c->t, m->node, SPAN("answer"));
        if (!work_step(c, 1 + m->answers))
            return ENABLED_UNKNOWN;
        for (tape_node n = tape_first(c->t, list); n != TAPE_ABSENT; n = tape_next(c->t, n)) {
            struct answer_value have = answer_read(c->t, n, SPAN("value"), c->arena);
            ++*answers;
            if (condition->operator == FORM_EXISTS || found == ENABLED_YES)
                continue;
            enum enabled one = holds(condition->operator, answer_compare(&have, &want));
            found = one == ENABLED_NO ? found : one;
        }
    }
    return found;
}

/* enableWhen.question: "the nearest question occurrence reachable by tracing
 * first the ancestor axis and then the preceding-sibling axis and then the
 * following-sibling axis" (R4 questionnaire.html). */
static enum enabled
ask(struct check *c, const struct form_condition *condition, tape_node container)
{
    enum enabled found   = ENABLED_NO;
    uint32_t     answers = 0;

    if (condition->target == FORM_NONE || condition->operator == 0)
        return ENABLED_UNKNOWN;
    for (;; container = c->parents[container]) {
        if (tape_kind(c->t, container) != TAPE_OBJECT)
            continue;
        found = ask_inside(c, condition, container, &answers);
        if (answers > 0 || container == c->response || c->steps == 0)
            break;
    }
    if (condition->operator == FORM_EXISTS)
        return span_eq(form_text(c->form, condition->value.text), SPAN("true")) == (answers > 0) ? ENABLED_YES
                                                                                              : ENABLED_NO;
    return found;
}

enum enabled
work_enabled(struct check *c, uint32_t item, tape_node container)
{
    const struct form_item *it    = &c->form->items[item];
    bool                    any   = it->flags & FORM_ANY, open = false;
    enum enabled            early = any ? ENABLED_YES : ENABLED_NO;

    if (it->flags & FORM_ELSEWHERE)
        return ENABLED_UNKNOWN;
    if (it->condition_count == 0)
        return ENABLED_YES;
    for (uint32_t i = 0; i < it->condition_count; i++) {
        enum enabled one = ask(c, &c->form->conditions[it->first_condition + i], container);
        if (one == early)
            return early;
        open = open || one == ENABLED_UNKNOWN;
    }
    return open ? ENABLED_UNKNOWN : any ? ENABLED_NO : ENABLED_YES;
}
