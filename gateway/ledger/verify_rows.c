/* gateway/ledger/verify_rows.c -- V11: rows that the log vouches for are as they were written. */
#include <stdlib.h>
#include <string.h>

#include "base/json_tape.h"
#include "gateway/ledger/check.h"
#include "gateway/store/store.h"

#define ARENA_BYTES ((size_t)1 << 30)
#define AS_IF_NEW   "leaf %llu: it vouches for rows as if nothing had been vouched for before"

struct vouched {                         /* what a record says of a row */
    uint64_t           leaf;
    int64_t            id;
    uint32_t           table, nth;       /* nth: in which order the log says it */
    bool               was_there, gone;
    struct ledger_hash was, now;
};

struct rows {
    struct check   *check;
    struct arena   *arena;
    struct vouched *all;
    size_t          count, room, next;   /* next: the row that is expected, in the second pass */
    uint64_t        firsts, first_most;  /* rows of before that were vouched for, and how many there are */
    uint64_t        tables, before;      /* so many tables the log vouches for, and did before the last `first` */
    bool            later;               /* a record of another kind than `first` was seen since */
    enum vouched_table table;
};

static bool on_record(const struct ledger_leaf *, void *arg);
static void follow(struct rows *);
static bool on_row(const struct store_vouched *, void *arg);
static void missing_before(struct rows *, int64_t id);

enum status
rows_check(struct check *c, struct store *store)
{
    struct rows r = { .check = c, .arena = arena_new("rows", ARENA_BYTES) };

    if (r.arena == NULL)
        return ST_NO_MEMORY;
    enum status st = store_ledger_visit(store, LEDGER_DENIALS, 0, on_record, &r);
    if (st == ST_OK)
        st = arena_status(r.arena);
    if (st == ST_OK)
        follow(&r);
    for (int table = 0; table < VOUCHED_TABLES && st == ST_OK; table++) {
        r.table = (enum vouched_table)table;
        st      = store_vouched_visit(store, r.table, on_row, &r);
        missing_before(&r, INT64_MAX);
    }
    arena_free(&r.arena);
    return st;
}

/* ---- what the log says ------------------------------------------------------------------ */

static bool
hash_of(const struct tape *t, tape_node row, struct span name, struct arena *arena, struct ledger_hash *out)
{
    return ledger_hash_from_hex(tape_member_text(t, row, name, arena), out);
}

static uint32_t
table_of(struct span name)
{
    uint32_t table = 0;

    while (table < VOUCHED_TABLES && !span_eq_text(name, store_vouched_name((enum vouched_table)table)))
        table++;
    return table;
}

static uint64_t
number_of(const struct tape *t, tape_node object, struct span name)
{
    uint64_t number = 0;

    (void)span_to_u64(tape_raw(t, tape_member(t, object, name)), &number);
    return number;
}

static void
keep(struct rows *r, const struct vouched *v)
{
    if (r->count == r->room) {
        size_t larger = r->room > 0 ? r->room * 2 : 1024;
        r->all  = arena_grow(r->arena, r->all, r->room * sizeof *r->all, larger * sizeof *r->all);
        r->room = larger;
    }
    if (r->all != NULL)
        r->all[r->count++] = *v;
}

/* Rows of before are vouched for once, together, ahead of all others of their tables: who makes the store believe
 * that it starts anew does not get what was changed meanwhile vouched for. */
static void
first_check(struct rows *r, uint64_t leaf, uint64_t most, uint64_t tables, uint64_t here)
{
    if (most > 0 && tables > r->tables) {
        r->before     = r->tables;
        r->firsts     = 0;
        r->first_most = most;
        r->later      = false;
    }
    if (most > 0 && (r->later || most != r->first_most || r->firsts + here > most))
        check_problem(r->check, AS_IF_NEW, (unsigned long long)leaf);
    r->later  = r->later || most == 0;
    r->tables = tables > r->tables ? tables : r->tables;
    r->firsts += most > 0 ? here : 0;
}

static bool
on_record(const struct ledger_leaf *leaf, void *arg)
{
    struct rows       *r    = arg;
    struct arena_mark  mark = arena_mark(r->check->arena);
    const struct tape *t    = NULL;

    if (!span_eq_text(leaf->kind, "rows") || tape_read(leaf->record, &tape_default_limits, r->check->arena, &t, NULL) != ST_OK)
        return true;                     /* V3 and V8 say what is wrong with it */
    tape_node list = tape_member(t, TAPE_ROOT, SPAN("rows"));
    uint64_t  most = number_of(t, TAPE_ROOT, SPAN("first")), tables = number_of(t, TAPE_ROOT, SPAN("tables"));
    first_check(r, leaf->index, most, tables > 0 ? tables : VOUCHED_AT_FIRST, (uint64_t)tape_children(t, list));
    for (tape_node n = tape_first(t, list); n != TAPE_ABSENT; n = tape_next(t, n)) {
        struct vouched v = { .leaf = leaf->index, .id = (int64_t)number_of(t, n, SPAN("id")),
                             .table = table_of(tape_member_text(t, n, SPAN("table"), r->check->arena)),
                             .nth = (uint32_t)r->count };
        v.was_there = hash_of(t, n, SPAN("was"), r->check->arena, &v.was);
        v.gone = tape_kind(t, tape_member(t, n, SPAN("gone"))) == TAPE_TRUE;
        if (most > 0 && v.table < r->before)
            check_problem(r->check, AS_IF_NEW, (unsigned long long)leaf->index);
        if ((v.gone || hash_of(t, n, SPAN("sha256"), r->check->arena, &v.now)) && v.table < VOUCHED_TABLES)
            keep(r, &v);
    }
    arena_reset(r->check->arena, mark);
    return r->all != NULL || r->count == 0;
}

static int
by_row(const void *a, const void *b)
{
    const struct vouched *x = a, *y = b;

    if (x->table != y->table)
        return x->table < y->table ? -1 : 1;
    if (x->id != y->id)
        return x->id < y->id ? -1 : 1;
    return x->nth < y->nth ? -1 : x->nth > y->nth;
}

/* Each row as it was left last stays in the list; what stood there when it was written again is what had been left. */
static void
follow(struct rows *r)
{
    size_t kept = 0;

    if (r->count > 1)
        qsort(r->all, r->count, sizeof *r->all, by_row);
    for (size_t i = 0; i < r->count; i++) {
        const struct vouched *v    = &r->all[i];
        const struct vouched *last = kept > 0 && r->all[kept - 1].table == v->table && r->all[kept - 1].id == v->id
                                         ? &r->all[kept - 1] : NULL;
        bool stood = last != NULL && !last->gone;
        if (v->was_there != stood || (stood && !ledger_hash_eq(&v->was, &last->now)))
            check_problem(r->check, "table %s, row %lld: it was changed behind the log's back before leaf %llu wrote it again",
                          store_vouched_name((enum vouched_table)v->table), (long long)v->id, (unsigned long long)v->leaf);
        r->all[last != NULL ? kept - 1 : kept] = *v;
        kept += last == NULL;
    }
    r->count = 0;
    for (size_t i = 0; i < kept; i++)
        if (!r->all[i].gone)
            r->all[r->count++] = r->all[i];
}

/* ---- what stands in the store ------------------------------------------------------------- */

static void
missing_before(struct rows *r, int64_t id)
{
    for (; r->next < r->count && r->all[r->next].table == (uint32_t)r->table && r->all[r->next].id < id; r->next++)
        check_problem(r->check, "table %s, row %lld: it was taken away, leaf %llu wrote it", store_vouched_name(r->table),
                      (long long)r->all[r->next].id, (unsigned long long)r->all[r->next].leaf);
}

static bool
on_row(const struct store_vouched *row, void *arg)
{
    struct rows *r = arg;

    if (r->count == 0) {                 /* one line, not one for each row of a store of before */
        check_problem(r->check, "%.*s: no record of the log vouches for any row: a store of a former version is vouched for when"
                      " the gateway starts", SPAN_PRINT(row->words));
        return false;
    }
    missing_before(r, row->id);
    const struct vouched *v = r->next < r->count ? &r->all[r->next] : NULL;
    if (v == NULL || v->table != (uint32_t)r->table || v->id != row->id) {
        check_problem(r->check, "%.*s: the log has no record that it was written (table %s, row %lld)", SPAN_PRINT(row->words),
                      store_vouched_name(r->table), (long long)row->id);
        return true;
    }
    if (!ledger_hash_eq(&v->now, &row->digest))
        check_problem(r->check, "%.*s: it is not what leaf %llu wrote (table %s, row %lld)", SPAN_PRINT(row->words),
                      (unsigned long long)v->leaf, store_vouched_name(r->table), (long long)row->id);
    r->next++;
    return true;
}
