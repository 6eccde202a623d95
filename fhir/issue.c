#include "fhir/issue.h"

#include <string.h>

#include "fhir/path.h"
#include "fhir/structural.h"

struct issues {
    struct arena *arena;
    struct issue *kept;
    uint32_t     *table;                 /* index + 1 of a kept one, 0 is free */
    uint32_t      room;                  /* of kept */
    uint32_t      slots;                 /* of table, a power of two */
    uint32_t      count;
    uint32_t      max;
    uint32_t      dropped;
    bool          errors, structural;
    struct span   body;                  /* in which lines were counted …   */
    struct mark  *marks;                 /* … at the start of each stretch … */
    size_t        mark_count;            /* … as far as somebody asked       */
    struct path_counts counts;
};

/* Lines are counted once, a stretch at a time: findings come in any order, and
 * a long body must not be read for each. */
#define STRETCH ((size_t)4096)

struct mark {
    uint32_t lines;                      /* that end before the stretch     */
    uint32_t line_start;                 /* of the line that it begins in   */
};

static uint64_t group_hash(const struct issue *);
static bool     group_same(const struct issue *, const struct issue *);
static bool     grow(struct issues *);
static uint32_t slot_of(const struct issues *, const struct issue *);

struct issues *
issues_new(struct arena *arena, uint32_t max)
{
    struct issues *all = arena_make(arena, struct issues);

    if (all == NULL)
        return NULL;
    all->arena = arena;
    all->max   = max;
    return all;
}

uint32_t
issues_add(struct issues *all, const struct issue *one)
{
    if (one->severity <= SEVERITY_ERROR)
        all->errors = true;                          /* also when it is not kept */
    if (one->severity <= SEVERITY_ERROR && !all->structural)
        all->structural = issue_structural(one);
    if (all->slots > 0) {
        uint32_t hit = all->table[slot_of(all, one)];
        if (hit != 0) {
            all->kept[hit - 1].times += one->times > 0 ? one->times : 1;
            return hit - 1;
        }
    }
    if (all->count == all->max || (all->count == all->room && !grow(all))) {
        all->dropped++;
        return ISSUE_DROPPED;
    }
    all->table[slot_of(all, one)] = all->count + 1;
    struct issue *mine = &all->kept[all->count];
    *mine = *one;
    if (mine->times == 0)
        mine->times = 1;
    return all->count++;
}

/* Sixteen bytes at once: a line of a document that is printed with indents is
 * short, and to look for each end costs a call. */
typedef unsigned char bytes16 __attribute__((vector_size(16)));

static uint32_t
lines_in(const char *at, size_t length)
{
    uint32_t lines = 0;
    size_t   i     = 0;

    while (i + 16 <= length) {
        bytes16 sum = { 0 }, some[4];
        /* A byte of the sum holds up to 255. */
        for (unsigned k = 0; k < 252 && i + 64 <= length; k += 4, i += 64) {
            memcpy(some, at + i, sizeof some);
            sum -= (bytes16)(some[0] == '\n') + (bytes16)(some[1] == '\n') + (bytes16)(some[2] == '\n')
                 + (bytes16)(some[3] == '\n');
        }
        if (i + 64 > length && i + 16 <= length) {
            memcpy(some, at + i, sizeof some[0]);
            sum -= (bytes16)(some[0] == '\n');
            i += 16;
        }
        for (unsigned k = 0; k < 16; k++)
            lines += sum[k];
    }
    for (; i < length; i++)
        lines += at[i] == '\n';
    return lines;
}

static struct mark
mark_after(struct mark at, const char *stretch, size_t length, size_t start)
{
    size_t last = span_find_last_byte(span_from(stretch, length), '\n');

    if (last != SPAN_NOT_FOUND)
        at.line_start = (uint32_t)(start + last + 1);
    at.lines += lines_in(stretch, length);
    return at;
}

/* Marks as far as the stretch that holds an offset of this body. */
static bool
mark_to(struct issues *all, struct span body, size_t stretch)
{
    if (body.at != all->body.at || body.length != all->body.length) {
        all->marks      = arena_make_n(all->arena, body.length / STRETCH + 1, struct mark);
        all->body       = body;
        all->mark_count = 1;
    }
    if (all->marks == NULL)
        return false;
    for (; all->mark_count <= stretch; all->mark_count++) {
        size_t start = (all->mark_count - 1) * STRETCH;
        all->marks[all->mark_count] = mark_after(all->marks[all->mark_count - 1], body.at + start, STRETCH, start);
    }
    return true;
}

static void
place(struct issues *all, struct span body, size_t offset, struct issue *one)
{
    size_t stretch = offset / STRETCH;

    if (offset > body.length || !mark_to(all, body, stretch))
        return;
    size_t      start = stretch * STRETCH;
    struct mark at    = mark_after(all->marks[stretch], body.at + start, offset - start, start);
    one->line   = at.lines + 1;
    one->column = (uint32_t)(offset - at.line_start) + 1;
}

uint32_t
issues_add_at(struct issues *all, const struct issue *one, const struct tape *tape,
              const tape_node *parents, tape_node node)
{
    struct issue mine = *one;

    mine.expression = path_of_many(&all->counts, tape, parents, node, all->arena);
    if (node != TAPE_ABSENT)
        place(all, tape_body(tape), tape_offset(tape, node), &mine);
    return issues_add(all, &mine);
}

void
issues_repeat(struct issues *all, uint32_t index)
{
    if (index < all->count)
        all->kept[index].times++;
    else
        all->dropped++;
}

uint32_t
issues_count(const struct issues *all)
{
    return all->count;
}

uint32_t
issues_dropped(const struct issues *all)
{
    return all->dropped;
}

const struct issue *
issues_at(const struct issues *all, uint32_t index)
{
    return index < all->count ? &all->kept[index] : NULL;
}

bool
issues_have_errors(const struct issues *all)
{
    return all->errors;
}

bool
issues_have_structural(const struct issues *all)
{
    return all->structural;
}

/* None of them more severe than `most`. */
static struct issues *
copy(const struct issues *all, enum severity most)
{
    struct issues *own = issues_new(all->arena, all->max);

    for (uint32_t i = 0; own != NULL && i < all->count; i++) {
        struct issue one = all->kept[i];
        if (one.severity < most)
            one.severity = most;
        issues_add(own, &one);
    }
    if (own != NULL)
        own->dropped += all->dropped;
    return own;
}

struct issues *
issues_copy(const struct issues *all)
{
    struct issues *own = copy(all, SEVERITY_FATAL);

    if (own != NULL) {                           /* also those that were not kept */
        own->errors     = all->errors;
        own->structural = all->structural;
    }
    return own;
}

struct issues *
issues_as_warnings(const struct issues *all)
{
    return copy(all, SEVERITY_WARNING);
}

struct arena *
issues_arena(const struct issues *all)
{
    return all->arena;
}

/* ---- groups ---------------------------------------------------------------- */

/* From i on, where the next byte of an expression is that is in no index. */
static size_t
past_index(struct span at, size_t i)
{
    while (i < at.length && at.at[i] == '[') {
        size_t close = span_find_byte(span_skip(at, i), ']');
        i = close == SPAN_NOT_FOUND ? at.length : i + close + 1;
    }
    return i;
}

static uint64_t
group_hash(const struct issue *one)
{
    uint64_t    hash = span_hash(span_of(one->rule)) ^ span_hash(one->wanted) ^ (uint64_t)one->severity;
    struct span at   = one->expression;

    for (size_t i = past_index(at, 0); i < at.length; i = past_index(at, i + 1))
        hash = (hash ^ (unsigned char)at.at[i]) * 0x100000001b3u;
    return hash;
}

static bool
group_same(const struct issue *a, const struct issue *b)
{
    struct span left = a->expression, right = b->expression;

    if (a->severity != b->severity || !span_eq(span_of(a->rule), span_of(b->rule))
        || !span_eq(a->wanted, b->wanted))
        return false;
    size_t i = past_index(left, 0), k = past_index(right, 0);
    while (i < left.length && k < right.length && left.at[i] == right.at[k]) {
        i = past_index(left, i + 1);
        k = past_index(right, k + 1);
    }
    return i == left.length && k == right.length;
}

static uint32_t
slot_of(const struct issues *all, const struct issue *one)
{
    uint32_t at = (uint32_t)group_hash(one) & (all->slots - 1);

    while (all->table[at] != 0 && !group_same(&all->kept[all->table[at] - 1], one))
        at = (at + 1) & (all->slots - 1);
    return at;
}

/* The table is twice the room, so that a free slot always ends a search. */
static bool
grow(struct issues *all)
{
    uint32_t      room  = all->room > 0 ? all->room * 2 : 16;
    struct issue *kept  = arena_grow(all->arena, all->kept, all->room * sizeof *kept,
                                     room * sizeof *kept);
    uint32_t     *table = arena_make_n(all->arena, (size_t)room * 2, uint32_t);

    if (kept == NULL || table == NULL)
        return false;
    all->kept  = kept;
    all->table = table;
    all->room  = room;
    all->slots = room * 2;
    for (uint32_t i = 0; i < all->count; i++)
        all->table[slot_of(all, &all->kept[i])] = i + 1;
    return true;
}

/* ---- words ----------------------------------------------------------------- */

const char *
severity_text(enum severity severity)
{
    static const char *const texts[] = { "fatal", "error", "warning", "information" };

    return (unsigned)severity < 4 ? texts[severity] : "error";
}

const char *
issue_code_text(enum issue_code code)
{
    static const char *const texts[] = {
#define X(name, text) text,
        ISSUE_CODE_LIST(X)
#undef X
    };

    return (unsigned)code < sizeof texts / sizeof texts[0] ? texts[code] : "processing";
}
