#include "fhir/regex.h"

#include <string.h>

#include "fhir/regex_program.h"
#include "fhir/utf8.h"

/* Pike's machine: the states that the text so far may have led to, in the
 * order in which a backtracking matcher would try them, each with its own
 * groups.  A state is in the list at most once, so a character costs at most
 * one visit of each instruction. */

#define POSITIONS   (2 * REGEX_GROUPS)
#define NO_POSITION UINT32_MAX
/* So many visits are a step of the caller's budget. */
#define VISITS_PER_STEP 16u

struct list {
    uint32_t *states;
    uint32_t *positions;                 /* POSITIONS each; NULL when nobody asks */
    uint32_t  count;
};

struct machine {
    const struct regex_header      *header;
    const struct regex_instruction *code;
    const struct regex_range       *ranges;
    struct span                     text;
    struct list                     now, next;
    uint32_t                       *met;         /* state -> mark of the position it was added at */
    uint32_t                       *stack;       /* states still to be followed                   */
    uint32_t                       *saved;       /* with `stack`: what to put back                */
    uint32_t                        mark;
    uint32_t                        groups[POSITIONS];
    uint64_t                        visits, most_visits;
    bool                            wants_groups;
};

static bool
start(struct machine *m, struct span program, struct span text, bool wants_groups, struct arena *scratch,
      uint32_t steps)
{
    const struct regex_header *h = (const void *)program.at;
    uint32_t n = h->instructions;

    *m = (struct machine){ .header = h, .code = (const void *)(h + 1), .text = text, .wants_groups = wants_groups,
                           .most_visits = (uint64_t)steps * VISITS_PER_STEP, .visits = n };
    m->ranges = (const void *)(m->code + n);
    size_t words = (size_t)n * 7 + (wants_groups ? (size_t)n * 2 * POSITIONS : 0);
    if (words * sizeof(uint32_t) > arena_left(scratch) / 2)
        return false;
    uint32_t *at = arena_make_n(scratch, words, uint32_t);
    if (at == NULL)
        return false;
    m->now.states  = at;
    m->next.states = at + n;
    m->met         = at + 2 * (size_t)n;
    m->stack       = at + 3 * (size_t)n;         /* 2 n: a split leaves two behind */
    m->saved       = at + 5 * (size_t)n;
    if (wants_groups) {
        m->now.positions  = at + 7 * (size_t)n;
        m->next.positions = m->now.positions + (size_t)n * POSITIONS;
    }
    return text.length < NO_POSITION;
}

static bool
word_at(struct span text, size_t at)
{
    char c = at < text.length ? text.at[at] : ' ';

    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool
edge_holds(const struct machine *m, enum regex_op op, size_t at)
{
    switch (op) {
    case REGEX_START: return at == 0;
    case REGEX_END:   return at == m->text.length;
    default:          return ((at > 0 && word_at(m->text, at - 1)) != word_at(m->text, at)) == (op == REGEX_WORD_EDGE);
    }
}

static void
keep(struct machine *m, struct list *list, uint32_t state)
{
    if (m->wants_groups)
        memcpy(list->positions + (size_t)list->count * POSITIONS, m->groups, sizeof m->groups);
    list->states[list->count++] = state;
}

/* Follows everything that takes no character.  The stack holds states, and
 * with the high bit a group position to put back: `saved` beside it. */
#define PUT_BACK 0x80000000u

static void
follow(struct machine *m, struct list *list, uint32_t state, size_t at)
{
    uint32_t top = 0;

    m->stack[top++] = state;
    while (top > 0) {
        uint32_t s = m->stack[--top];
        if (s & PUT_BACK) {
            m->groups[s & ~PUT_BACK] = m->saved[top];
            continue;
        }
        m->visits++;
        if (m->met[s] == m->mark)
            continue;
        m->met[s] = m->mark;
        const struct regex_instruction *n = &m->code[s];
        switch ((enum regex_op)n->op) {
        case REGEX_SPLIT:
            m->stack[top++] = (uint32_t)((int64_t)s + n->y);
            m->stack[top++] = (uint32_t)((int64_t)s + n->x);
            break;
        case REGEX_JUMP:
            m->stack[top++] = (uint32_t)((int64_t)s + n->x);
            break;
        case REGEX_SAVE:
            if (m->wants_groups) {
                m->saved[top]   = m->groups[n->x];
                m->stack[top++] = PUT_BACK | (uint32_t)n->x;
                m->groups[n->x] = (uint32_t)at;
            }
            m->stack[top++] = s + 1;
            break;
        case REGEX_START: case REGEX_END: case REGEX_WORD_EDGE: case REGEX_NOT_WORD_EDGE:
            if (edge_holds(m, (enum regex_op)n->op, at))
                m->stack[top++] = s + 1;
            break;
        default:
            keep(m, list, s);
            break;
        }
    }
}

static bool
in_class(const struct machine *m, const struct regex_instruction *n, uint32_t point)
{
    const struct regex_range *r = m->ranges + n->x;

    for (int32_t i = 0; i < n->y; i++)
        if (point >= r[i].first && point <= r[i].last)
            return true;
    return false;
}

static uint32_t
other_case(uint32_t point)
{
    bool letter = (point >= 'a' && point <= 'z') || (point >= 'A' && point <= 'Z');

    return letter ? point ^ 0x20 : point;
}

static bool
takes(const struct machine *m, const struct regex_instruction *n, uint32_t point)
{
    uint32_t other = m->header->any_case ? other_case(point) : point;

    switch ((enum regex_op)n->op) {
    case REGEX_ANY:       return true;
    case REGEX_CHARACTER: return (uint32_t)n->x == point || (uint32_t)n->x == other;
    case REGEX_CLASS:     return in_class(m, n, point) || (other != point && in_class(m, n, other));
    case REGEX_NOT_CLASS: return !in_class(m, n, point) && (other == point || !in_class(m, n, other));
    default:              return false;
    }
}

/* One character: every state of `now` moves or dies.  Behind a match nothing
 * is tried any more: it has a lower rank. */
static bool
advance(struct machine *m, size_t at, bool whole, struct regex_match *match)
{
    size_t   length  = 0;
    bool     matched = false;
    uint32_t point   = NO_POSITION;

    if (at < m->text.length) {
        struct span rest = span_skip(m->text, at);
        point  = utf8_take(&rest);
        length = m->text.length - at - rest.length;
    }

    m->mark++;
    m->next.count = 0;
    for (uint32_t i = 0; i < m->now.count; i++) {
        const struct regex_instruction *n = &m->code[m->now.states[i]];
        if (m->wants_groups)
            memcpy(m->groups, m->now.positions + (size_t)i * POSITIONS, sizeof m->groups);
        m->visits++;
        if (n->op == REGEX_MATCH) {
            if (whole && at != m->text.length)
                continue;
            matched = true;
            for (uint32_t g = 0; match != NULL && g < REGEX_GROUPS; g++) {
                match->start[g] = m->groups[2 * g];
                match->end[g]   = m->groups[2 * g + 1];
            }
            break;
        }
        if (point != NO_POSITION && takes(m, n, point))
            follow(m, &m->next, m->now.states[i] + 1, at + length);
    }
    struct list done = m->now;
    m->now  = m->next;
    m->next = done;
    return matched;
}

static enum regex_found
run(struct machine *m, size_t from, bool whole, struct regex_match *match, uint32_t *steps)
{
    enum regex_found found = REGEX_NO;
    size_t           at    = from;

    m->mark = 1;
    for (;;) {
        if (found == REGEX_NO && (at == from || !whole)) {       /* a match may begin here */
            memset(m->groups, 0xff, sizeof m->groups);
            follow(m, &m->now, 0, at);
        }
        if (m->now.count == 0 && (found == REGEX_YES || whole || at > m->text.length))
            break;
        if (advance(m, at, whole, match)) {
            found = REGEX_YES;
            if (match == NULL)
                break;
        }
        if (m->visits > m->most_visits) {
            *steps = 0;
            return REGEX_BUDGET;
        }
        if (at >= m->text.length)
            break;
        at += utf8_length(span_skip(m->text, at));
    }
    uint64_t used = m->visits / VISITS_PER_STEP + 1;
    *steps = used < *steps ? *steps - (uint32_t)used : 0;
    return found;
}

enum regex_found
regex_test(struct span program, struct span text, bool whole, struct arena *scratch, uint32_t *steps)
{
    struct arena_mark before = arena_mark(scratch);
    struct machine    m;

    if (!start(&m, program, text, false, scratch, *steps))
        return REGEX_BUDGET;
    enum regex_found found = run(&m, 0, whole, NULL, steps);
    arena_reset(scratch, before);
    return found;
}

enum regex_found
regex_search(struct span program, struct span text, size_t from, struct regex_match *match,
             struct arena *scratch, uint32_t *steps)
{
    struct arena_mark before = arena_mark(scratch);
    struct machine    m;

    if (!start(&m, program, text, true, scratch, *steps))
        return REGEX_BUDGET;
    enum regex_found found = run(&m, from, false, match, steps);
    arena_reset(scratch, before);
    return found;
}
