/* gateway/ops/shredding.c -- records of the ledger that nobody has to keep any more are destroyed. */
#include "gateway/ops/shredding.h"

#include <time.h>

#include "base/json_author.h"
#include "base/json_tape.h"
#include "base/sort.h"
#include "fhir/datatypes.h"
#include "gateway/ledger/record.h"
#include "gateway/ops/account.h"
#include "gateway/ops/filing.h"

#define ARENA_BYTES  ((size_t)64 << 20)
#define WHY_BYTES    2000u
#define LOOKED_AT_ONCE 100000u           /* so long the tools' connection is not given back */

struct shredding {
    struct store         *store;
    const struct config  *config;
    struct arena         *arena;
    struct author        *out;
    author_value          root, records;
    struct span           why, account;
    int64_t               before_ms;
    bool                  dry;
    uint64_t              destroyed, held;
    enum status           status;
    struct store_shred    batch[SHRED_BATCH];
    size_t                count;
};

/* ---- which ------------------------------------------------------------------------------ */

static bool
peek(enum ledger_log log, const struct ledger_leaf *leaf, void *arg)
{
    (void)log;
    (void)arg;
    return span_eq_text(leaf->kind, "disclosure") || span_eq_text(leaf->kind, "void") || span_eq_text(leaf->kind, "denial")
        || span_eq_text(leaf->kind, "reading");
}

static bool
is_held(const struct config *config, struct span patient)
{
    for (size_t i = 0; i < config->ledger.legal_hold_count; i++)
        if (span_eq_text(config->ledger.legal_hold[i], "all") || span_eq(config->ledger.legal_hold[i], patient))
            return true;
    return false;
}

/* Rule 2. */
static bool
leaf_is_held(struct shredding *s, enum ledger_log log, const struct ledger_leaf *leaf)
{
    struct span *others;
    size_t       count;
    bool         held = is_held(s->config, leaf->patient);

    if (held || s->config->ledger.legal_hold_count == 0)
        return held;
    s->status = store_ledger_subjects(s->store, log, leaf->index, s->arena, &others, &count);
    for (size_t i = 0; i < count && s->status == ST_OK && !held; i++)
        held = is_held(s->config, others[i]);
    return held;
}

static bool
take(enum ledger_log log, const struct ledger_leaf *leaf, void *arg)
{
    struct shredding *s    = arg;
    struct arena_mark mark = arena_mark(s->arena);

    if (s->count == SHRED_BATCH)
        return false;
    if (span_empty(leaf->record))
        return true;
    bool held = leaf_is_held(s, log, leaf);
    arena_reset(s->arena, mark);
    if (held)
        s->held++;
    else if (s->status == ST_OK)
        s->batch[s->count++] = (struct store_shred){ log, leaf->index };
    return s->status == ST_OK;
}

/* ---- one batch ---------------------------------------------------------------------------- */

static int
by_place(const void *a, const void *b, const void *context)
{
    const struct store_shred *x = a, *y = b;

    (void)context;
    if (x->log != y->log)
        return x->log < y->log ? -1 : 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

/* The batch is in order. */
static size_t
runs_of(const struct shredding *s, enum ledger_log log, struct record_run *runs)
{
    size_t count = 0;

    for (size_t i = 0; i < s->count; i++) {
        uint64_t index = s->batch[i].index;
        if (s->batch[i].log != log)
            continue;
        if (count > 0 && runs[count - 1].last + 1 == index)
            runs[count - 1].last = index;
        else
            runs[count++] = (struct record_run){ index, index };
    }
    return count;
}

static enum status
batch_destroy(struct shredding *s)
{
    struct ledger_entry entry;
    struct store_unit   unit = { .records = &entry, .record_count = 1, .shreds = s->batch, .shred_count = s->count };
    struct disclosure   d    = {
        .kind = RECORD_SHREDDING, .event_id = record_event_id(s->arena, filing_now_ms()), .decision_ms = filing_now_ms(),
        .act = SPAN("retention"), .account = s->account, .why = s->why, .before_ms = s->before_ms, .shredded = s->count,
    };

    sort_in_place(s->batch, s->count, sizeof s->batch[0], by_place, NULL);
    for (int log = 0; log < LEDGER_LOGS; log++) {
        struct record_run *runs = arena_make_n(s->arena, s->count, struct record_run);
        if (runs == NULL)
            return ST_NO_MEMORY;
        d.run_count[log] = runs_of(s, (enum ledger_log)log, runs);
        d.runs[log]      = runs;
    }
    enum status st = record_author(&d, s->arena, &entry);
    if (st == ST_OK)
        st = store_submit_and_wait(s->store, &unit);
    if (st == ST_OK)
        author_add_text(s->records, NULL, d.event_id);
    return st;
}

/* From the newest that may go to the oldest. */
static void
all_destroy(struct shredding *s)
{
    struct store_newest n = { .from_ms = INT64_MIN, .to_ms = s->before_ms - 1, .before = { INT64_MAX, INT64_MAX },
                              .most = LOOKED_AT_ONCE, .peek = peek, .take = take, .arg = s };

    do {
        struct arena_mark mark = arena_mark(s->arena);
        s->count       = 0;
        enum status st = store_ledger_newest(s->store, &n);
        s->status      = s->status == ST_OK ? st : s->status;
        if (s->status == ST_OK && s->count > 0 && !s->dry)
            s->status = batch_destroy(s);
        if (s->status == ST_OK)
            s->destroyed += s->count;
        n.before = n.end;
        arena_reset(s->arena, mark);
    } while (s->status == ST_OK && n.more);
}

/* ---- the request --------------------------------------------------------------------------- */

static int64_t
years_ago(uint32_t years)
{
    time_t    seconds = (time_t)(filing_now_ms() / 1000);
    struct tm tm;

    if (gmtime_r(&seconds, &tm) == NULL)
        return 0;
    tm.tm_year -= (int)years;
    if (tm.tm_mon == 1 && tm.tm_mday == 29)
        tm.tm_mday = 28;
    return (int64_t)timegm(&tm) * 1000;
}

/* NULL: it may be done; else why not. */
static const char *
request_read(struct shredding *s, struct span request)
{
    const struct tape *t;
    struct time_range  before;
    int64_t            latest = years_ago(s->config->ledger.retention_years);

    s->before_ms = latest;
    if (tape_read(request, &tape_default_limits, s->arena, &t, NULL) != ST_OK)
        return "the request cannot be read";
    struct span text = tape_member_text(t, TAPE_ROOT, SPAN("before"), s->arena);
    s->why           = tape_member_text(t, TAPE_ROOT, SPAN("why"), s->arena);
    s->dry           = tape_kind(t, tape_member(t, TAPE_ROOT, SPAN("dryRun"))) == TAPE_TRUE;
    if (!span_empty(text) && !time_range_read(text, &before))
        return "--before is no date";
    if (!span_empty(text))
        s->before_ms = before.first_ms;
    if (s->before_ms > latest)
        return "--before is younger than `ledger { retention-years }`: nothing is destroyed";
    return span_empty(s->why) || s->why.length > WHY_BYTES ? "want --why, of at most 2000 bytes" : NULL;
}

static void
author_answer(struct shredding *s)
{
    author_add_text(s->root, "before", time_format(s->arena, s->before_ms));
    author_add_integer(s->root, "destroyed", (int64_t)s->destroyed);
    author_add_integer(s->root, "held", (int64_t)s->held);
    if (s->status == ST_CONFLICT)
        author_add_cstr(s->root, "failed", "records are too new for the index of the store: restart the gateway, and ask again");
    else if (s->status != ST_OK)
        author_add_cstr(s->root, "failed", status_text(s->status));
}

void
shredding_do(struct store *store, const struct config *config, struct span request, uid_t who, struct buf *answer)
{
    struct arena     *arena = arena_new("shredding", ARENA_BYTES);
    struct shredding *s     = arena != NULL ? arena_make(arena, struct shredding) : NULL;

    if (s == NULL) {
        buf_add_text(answer, "{\"failed\":\"there is not enough memory\"}");
        arena_free(&arena);
        return;
    }
    s->store   = store;
    s->config  = config;
    s->arena   = arena;
    s->account = account_name(who, arena);
    s->out     = author_new();
    s->root    = author_object(s->out);
    const char *refused = request_read(s, request);
    if (refused != NULL) {
        author_add_cstr(s->root, "refused", refused);
    } else {
        s->records = author_add_array(s->root, "records");
        all_destroy(s);
        author_answer(s);
    }
    if (s->out == NULL || author_print(s->out, answer, AUTHOR_COMPACT) != ST_OK) {
        buf_clear(answer);
        buf_add_text(answer, "{\"failed\":\"there is not enough memory\"}");
    }
    author_free(&s->out);
    arena_free(&arena);
}
