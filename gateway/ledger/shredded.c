/* gateway/ledger/shredded.c -- which leaves the log itself says were destroyed. */
#include "gateway/ledger/shredded.h"

#include <stdlib.h>

#include "base/sort.h"

void
shredded_free(struct shredded *s)
{
    for (int log = 0; log < LEDGER_LOGS; log++)
        free(s->log[log].runs);
    *s = (struct shredded){ .log = { { NULL, 0, 0 } } };
}

static enum status
run_add(struct shredded *s, enum ledger_log log, struct record_run run)
{
    if (s->log[log].count == SHREDDED_RUNS)
        return ST_OK;
    if (s->log[log].count == s->log[log].room) {
        size_t             room = s->log[log].room > 0 ? 2 * s->log[log].room : 256;
        struct record_run *more = realloc(s->log[log].runs, room * sizeof *more);
        if (more == NULL)
            return ST_NO_MEMORY;
        s->log[log].runs = more;
        s->log[log].room = room;
    }
    s->log[log].runs[s->log[log].count++] = run;
    return ST_OK;
}

/* "17-40" */
static bool
run_read(struct span text, struct record_run *out)
{
    return span_to_u64(span_split(&text, '-'), &out->first) && span_to_u64(text, &out->last) && out->first <= out->last;
}

enum status
shredded_add(struct shredded *s, const struct tape *t, struct arena *arena)
{
    static const char *const names[LEDGER_LOGS] = { [LEDGER_DISCLOSURES] = "disclosures", [LEDGER_DENIALS] = "denials" };
    tape_node                leaves             = tape_member(t, TAPE_ROOT, SPAN("leaves"));
    struct record_run        run;
    enum status              st                 = ST_OK;

    if (!tape_text_eq(t, tape_member(t, TAPE_ROOT, SPAN("kind")), SPAN("shredding")))
        return ST_OK;
    for (int log = 0; log < LEDGER_LOGS; log++) {
        tape_node one = tape_first(t, tape_member(t, leaves, span_of(names[log])));
        for (; one != TAPE_ABSENT && st == ST_OK; one = tape_next(t, one))
            if (run_read(tape_text(t, one, arena), &run))
                st = run_add(s, (enum ledger_log)log, run);
    }
    return st;
}

static int
by_first(const void *a, const void *b, const void *context)
{
    const struct record_run *x = a, *y = b;

    (void)context;
    return x->first < y->first ? -1 : x->first > y->first;
}

void
shredded_ready(struct shredded *s)
{
    for (int log = 0; log < LEDGER_LOGS; log++)
        if (s->log[log].count > 1)
            sort_in_place(s->log[log].runs, s->log[log].count, sizeof *s->log[log].runs, by_first, NULL);
}

/* Runs do not overlap: what is destroyed is not there to be destroyed again. */
bool
shredded_has(const struct shredded *s, enum ledger_log log, uint64_t index)
{
    size_t low = 0, high = s->log[log].count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (s->log[log].runs[middle].first <= index)
            low = middle + 1;
        else
            high = middle;
    }
    return low > 0 && s->log[log].runs[low - 1].last >= index;
}
