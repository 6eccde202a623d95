/* gateway/ledger/verify_filings.c -- V9: what is on file is what the log says was filed. */
#include <string.h>

#include "base/json_tape.h"
#include "consent/paper.h"
#include "fhir/datatypes.h"
#include "gateway/ledger/check.h"
#include "gateway/store/store.h"

#define ARENA_BYTES ((size_t)1 << 30)

struct said {                            /* what a record says of one paper */
    struct span id, act, sha256, ended;
    bool        by_patient;
};

struct filings {
    struct check      *check;
    struct arena      *arena;            /* what records say */
    struct said       *all;
    size_t             count, room, next;
    bool               destroyed;        /* records are missing: a row may have none */
    struct store_filed before;           /* of the same id, in the second pass; texts in scratch */
    char               id[72], sha256[72];
};

static bool on_record(const struct ledger_leaf *, void *arg);
static bool on_row(const struct store_filed *, void *arg);
static bool on_version(const struct store_filed *, void *arg);

enum status
filings_check(struct check *c, struct store *store, bool destroyed)
{
    struct filings           f       = { .check = c, .destroyed = destroyed, .arena = arena_new("papers", ARENA_BYTES) };
    struct store_filed_query in_time = { .history = true }, by_id = { .history = true, .by_id = true };

    if (f.arena == NULL)
        return ST_NO_MEMORY;
    enum status st = store_ledger_visit(store, LEDGER_DENIALS, 0, on_record, &f);
    if (st == ST_OK)
        st = store_filed_visit(store, &in_time, on_row, &f);
    if (st == ST_OK && f.next < f.count)
        check_problem(c, "paper %.*s: the log has a filing of it that is not on file", SPAN_PRINT(f.all[f.next].id));
    if (st == ST_OK)
        st = store_filed_visit(store, &by_id, on_version, &f);
    if (st == ST_OK && f.before.version > 0 && !f.before.current)
        check_problem(c, "paper %.*s: its newest version does not stand", SPAN_PRINT(f.before.id));
    if (st == ST_OK)
        st = arena_status(f.arena);
    arena_free(&f.arena);
    return st;
}

/* ---- what the log says ------------------------------------------------------------------ */

static void
say_one(struct filings *f, const struct tape *t, tape_node document)
{
    if (f->count == f->room) {
        size_t larger = f->room > 0 ? f->room * 2 : 256;
        f->all  = arena_grow(f->arena, f->all, f->room * sizeof *f->all, larger * sizeof *f->all);
        f->room = larger;
    }
    if (f->all == NULL)
        return;
    f->all[f->count++] = (struct said){
        .id         = arena_copy(f->arena, tape_member_text(t, document, SPAN("id"), f->arena)),
        .sha256     = arena_copy(f->arena, tape_member_text(t, document, SPAN("sha256"), f->arena)),
        .act        = arena_copy(f->arena, tape_member_text(t, TAPE_ROOT, SPAN("act"), f->arena)),
        .ended      = arena_copy(f->arena, tape_member_text(t, TAPE_ROOT, SPAN("ended"), f->arena)),
        .by_patient = tape_kind(t, tape_member(t, TAPE_ROOT, SPAN("byPatient"))) == TAPE_TRUE,
    };
}

static bool
on_record(const struct ledger_leaf *leaf, void *arg)
{
    struct filings    *f = arg;
    const struct tape *t = NULL;

    if (!span_eq_text(leaf->kind, "filing"))
        return true;
    /* The record is the visitor's: what it says is copied. */
    if (tape_read(leaf->record, &tape_default_limits, f->arena, &t, NULL) != ST_OK)
        return true;                     /* V3 has said so */
    tape_node list = tape_member(t, TAPE_ROOT, SPAN("documents"));
    for (tape_node n = tape_first(t, list); n != TAPE_ABSENT; n = tape_next(t, n))
        say_one(f, t, n);
    return f->all != NULL || f->count == 0;
}

/* ---- what is on file ------------------------------------------------------------------------ */

static const char *
act_text(enum store_filing_act act)
{
    return act == FILING_ADD ? "filed" : act == FILING_END ? "ended" : act == FILING_REVIEW ? "reviewed" : "";
}

/* What it says of the paper, or of its end, is what stands in the row. */
static bool
says(struct filings *f, const struct said *s, const struct store_filed *row)
{
    struct arena_mark mark  = arena_mark(f->arena);
    struct span       ended = row->ended_ms < INT64_MAX ? time_format(f->arena, row->ended_ms) : SPAN("");
    bool              same  = row->act == FILING_ADD   ? span_eq(s->sha256, row->sha256)
                              : row->act == FILING_END ? span_eq(s->ended, ended) && s->by_patient == row->ended_by_patient
                                                       : true;
    arena_reset(f->arena, mark);
    return same;
}

/* A row whose own record may have been destroyed is passed by; V11 vouches for it, and a record that no row has is told. */
static bool
on_row(const struct store_filed *row, void *arg)
{
    struct filings    *f    = arg;
    const struct said *s    = f->next < f->count ? &f->all[f->next] : NULL;
    bool               here = s != NULL && span_eq(s->id, row->id) && span_eq_text(s->act, act_text(row->act));
    bool               same = here && says(f, s, row);

    if (!same && f->destroyed)
        return true;
    f->next++;
    if (!here) {
        check_problem(f->check, "paper %.*s, version %lld: the log has no filing of it in its place", SPAN_PRINT(row->id),
                      (long long)row->version);
        f->next = f->count;              /* one line, not a line for each that follows */
        return false;
    }
    if (!same)
        check_problem(f->check, "paper %.*s, version %lld: it is not what was filed", SPAN_PRINT(row->id),
                      (long long)row->version);
    return true;
}

/* The columns by which it is found and ended say what the paper and the version before say. */
static bool
fits(struct filings *f, const struct store_filed *row, bool first)
{
    struct ledger_hash hash;
    struct paper       p;
    char               hex[64];

    digest_begin(f->check->digest);
    digest_add(f->check->digest, row->body.at, row->body.length);
    digest_end(f->check->digest, &hash);
    ledger_hash_hex(&hash, hex);
    if (!span_eq(row->sha256, span_from(hex, sizeof hex))
        || paper_read((enum paper_kind)row->kind, row->body, f->arena, &p) != ST_OK || !span_eq(p.id, row->id)
        || !span_eq(p.patient, row->patient))
        return false;
    if (row->act == FILING_ADD)
        return row->ended_ms == INT64_MAX && !row->ended_by_patient;
    if (first || !span_eq(row->sha256, f->before.sha256))
        return false;
    return row->act == FILING_END
           || (row->ended_ms == f->before.ended_ms && row->ended_by_patient == f->before.ended_by_patient);
}

static bool
on_version(const struct store_filed *row, void *arg)
{
    struct filings   *f     = arg;
    struct arena_mark mark  = arena_mark(f->arena);
    bool              first = !span_eq(row->id, f->before.id);

    if (first && f->before.version > 0 && !f->before.current)
        check_problem(f->check, "paper %.*s: its newest version does not stand", SPAN_PRINT(f->before.id));
    if (!first && f->before.current)
        check_problem(f->check, "paper %.*s: an older version stands", SPAN_PRINT(row->id));
    if (row->version != (first ? 1 : f->before.version + 1) || !fits(f, row, first))
        check_problem(f->check, "paper %.*s, version %lld: it is not what was filed", SPAN_PRINT(row->id),
                      (long long)row->version);
    arena_reset(f->arena, mark);
    f->before        = *row;
    f->before.id     = span_first(row->id, sizeof f->id);
    f->before.sha256 = span_first(row->sha256, sizeof f->sha256);
    memcpy(f->id, f->before.id.at, f->before.id.length);
    memcpy(f->sha256, f->before.sha256.at, f->before.sha256.length);
    f->before.id.at     = f->id;
    f->before.sha256.at = f->sha256;
    return true;
}
