/* gateway/ledger/verify_reviews.c -- V10: the review queue is as the log says that people left it. */
#include "base/json_tape.h"
#include "gateway/ledger/check.h"
#include "gateway/ops/review_text.h"
#include "gateway/store/store.h"

#define ARENA_BYTES ((size_t)1 << 30)

struct said {                            /* what a record says that somebody did */
    int64_t     item;
    struct span event_id, key, act, reviewer, account, finding, why;
};

struct reviews {
    struct check *check;
    struct arena *arena;
    struct said  *all;
    size_t        count, room;
    bool          destroyed;             /* records are missing: an act may have none */
};

static bool        on_record(const struct ledger_leaf *, void *arg);
static void        compare_acts(struct reviews *, const struct store_review_did *, size_t count);
static void        compare_items(struct reviews *, const struct store_review_row *, size_t count);

enum status
reviews_check(struct check *c, struct store *store, bool destroyed)
{
    struct reviews             r     = { .check = c, .destroyed = destroyed, .arena = arena_new("reviews", ARENA_BYTES) };
    struct store_review_filter all   = { .state = -1 };
    struct store_review_did   *acts  = NULL;
    struct store_review_row   *items = NULL;
    size_t                     act_count = 0, item_count = 0;

    if (r.arena == NULL)
        return ST_NO_MEMORY;
    enum status st = store_ledger_visit(store, LEDGER_DENIALS, 0, on_record, &r);
    if (st == ST_OK)
        st = store_review_acts(store, -1, r.arena, &acts, &act_count);
    if (st == ST_OK)
        st = store_review_list(store, &all, r.arena, &items, &item_count);
    if (st == ST_OK)
        st = arena_status(r.arena);
    if (st == ST_OK) {
        compare_acts(&r, acts, act_count);
        compare_items(&r, items, item_count);
        st = arena_status(r.arena);
    }
    arena_free(&r.arena);
    return st;
}

/* ---- what the log says ---------------------------------------------------------------- */

static bool
on_record(const struct ledger_leaf *leaf, void *arg)
{
    struct reviews    *r    = arg;
    const struct tape *t    = NULL;
    uint64_t           item = 0;

    if (!span_eq_text(leaf->kind, "review"))
        return true;
    /* The record is the visitor's: it is copied, and texts of it stay. */
    if (tape_read(arena_copy(r->arena, leaf->record), &tape_default_limits, r->arena, &t, NULL) != ST_OK)
        return true;                     /* V3 has said so */
    if (r->count == r->room) {
        size_t larger = r->room > 0 ? r->room * 2 : 256;
        r->all  = arena_grow(r->arena, r->all, r->room * sizeof *r->all, larger * sizeof *r->all);
        r->room = larger;
    }
    if (r->all == NULL)
        return false;
    tape_node review = tape_member(t, TAPE_ROOT, SPAN("review"));
    (void)span_to_u64(tape_raw(t, tape_member(t, review, SPAN("item"))), &item);
    r->all[r->count++] = (struct said){
        .item     = (int64_t)item,
        .event_id = tape_member_text(t, TAPE_ROOT, SPAN("eventId"), r->arena),
        .key      = tape_member_text(t, review, SPAN("key"), r->arena),
        .act      = tape_member_text(t, review, SPAN("act"), r->arena),
        .reviewer = tape_member_text(t, review, SPAN("reviewer"), r->arena),
        .account  = tape_member_text(t, review, SPAN("account"), r->arena),
        .finding  = tape_member_text(t, review, SPAN("finding"), r->arena),
        .why      = tape_member_text(t, review, SPAN("why"), r->arena),
    };
    return true;
}

/* ---- what stands in the store ------------------------------------------------------------ */

static bool
is_finding(struct span said, int finding)
{
    const char *text = review_finding_text(finding);

    return text != NULL ? span_eq_text(said, text) : span_empty(said);
}

static bool
is_same(const struct said *s, const struct store_review_did *a)
{
    return s->item == a->review && span_eq(s->event_id, a->event_id) && span_eq(s->act, a->verb)
           && span_eq(s->reviewer, a->reviewer) && span_eq(s->account, a->account) && is_finding(s->finding, a->finding)
           && span_eq(s->why, a->why);
}

/* An act whose record was destroyed is taken as its row says it, which V11 vouches for: so every act is there, in order. */
static void
fill_in(struct reviews *r, const struct store_review_did *acts, size_t count)
{
    struct said *all  = arena_make_n(r->arena, r->count + count, struct said);
    size_t       next = 0, n = 0;

    for (size_t i = 0; i < count && all != NULL; i++) {
        const struct store_review_did *a = &acts[i];
        if (next < r->count && is_same(&r->all[next], a)) {
            all[n++] = r->all[next++];
            continue;
        }
        const char *finding = review_finding_text(a->finding);
        all[n++] = (struct said){ .item = a->review, .event_id = a->event_id, .act = a->verb, .reviewer = a->reviewer,
                                  .account = a->account, .finding = finding != NULL ? span_of(finding) : SPAN(""), .why = a->why };
    }
    for (; all != NULL && next < r->count; next++)
        all[n++] = r->all[next];         /* it has no row */
    r->all   = all;
    r->count = all != NULL ? n : 0;
}

static void
compare_acts(struct reviews *r, const struct store_review_did *acts, size_t count)
{
    if (r->destroyed)
        fill_in(r, acts, count);
    for (size_t i = 0; i < count || i < r->count; i++) {
        const struct said             *s = i < r->count ? &r->all[i] : NULL;
        const struct store_review_did *a = i < count ? &acts[i] : NULL;
        if (s != NULL && a != NULL && is_same(s, a))
            continue;
        check_problem(r->check, "review, act %zu: %s", i, s == NULL ? "the log has no record of it"
                                                        : a == NULL ? "the log has a record of it, and it is not there"
                                                                    : "it is not what was recorded");
        return;                          /* one line, not a line for each that follows */
    }
}

/* By item: the last that changed something. */
static const struct said **
lasts_of(struct reviews *r, int64_t most)
{
    const struct said **last = arena_make_n(r->arena, (size_t)most + 1, const struct said *);

    for (size_t i = 0; last != NULL && i < r->count; i++)
        if (r->all[i].item > 0 && r->all[i].item <= most && !span_eq_text(r->all[i].act, "not-permitted"))
            last[r->all[i].item] = &r->all[i];
    return last;
}

static bool
is_as_left(const struct store_review_row *item, const struct said *last)
{
    if (last == NULL)
        return item->state == REVIEW_OPEN && item->finding == 0 && item->acts == 0;
    return item->acts > 0 && (span_empty(last->key) || span_eq(last->key, item->item.key)) && is_finding(last->finding, item->finding)
           && item->state == (span_eq_text(last->act, "release") ? REVIEW_LET_GO : REVIEW_TURNED_DOWN);
}

/* Items come in the order of their numbers. */
static void
compare_items(struct reviews *r, const struct store_review_row *items, size_t count)
{
    int64_t             most = count > 0 ? items[count - 1].id : 0;
    const struct said **last = most == (int64_t)count ? lasts_of(r, most) : NULL;

    if (most != (int64_t)count)          /* none is ever taken away, so no number is missing */
        check_problem(r->check, "review, items: there are %zu, and the last has the number %lld", count, (long long)most);
    if (last == NULL)
        return;
    for (size_t i = 0; i < count; i++) {
        if (!is_as_left(&items[i], last[items[i].id]))
            check_problem(r->check, "review, item %lld: it is not as the log says that it was left", (long long)items[i].id);
        last[items[i].id] = NULL;
    }
    for (int64_t id = 1; id <= most; id++)
        if (last[id] != NULL)
            check_problem(r->check, "review, item %lld: the log says that somebody acted on it, and it is not there", (long long)id);
    for (size_t i = 0; i < r->count; i++)
        if (r->all[i].item > most && !span_eq_text(r->all[i].act, "not-permitted"))
            check_problem(r->check, "review, item %lld: the log says that somebody acted on it, and it is not there",
                          (long long)r->all[i].item);
}
