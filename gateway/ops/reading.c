/* gateway/ops/reading.c -- that somebody at the desk was shown what the log says. */
#include "gateway/ops/reading.h"

#include "base/json_author.h"
#include "base/json_tape.h"
#include "gateway/ledger/record.h"
#include "gateway/ops/account.h"
#include "gateway/ops/filing.h"

#define ARENA_BYTES ((size_t)8 << 20)

/* NULL: the request cannot be read. */
static struct span *
shown_read(const struct tape *t, struct arena *arena, size_t *count)
{
    struct span *shown = arena_make_n(arena, RECORD_SHOWN, struct span);
    tape_node    one   = tape_first(t, tape_member(t, TAPE_ROOT, SPAN("shown")));

    *count = 0;
    for (; shown != NULL && one != TAPE_ABSENT && *count < RECORD_SHOWN; one = tape_next(t, one))
        shown[(*count)++] = tape_text(t, one, arena);
    return shown;
}

static enum status
record_it(struct store *store, const struct tape *t, uid_t who, struct arena *arena, struct span *event_id)
{
    struct ledger_entry entry;
    struct store_unit   unit  = { .records = &entry, .record_count = 1 };
    uint64_t            bytes = 0;
    struct disclosure   d     = {
        .kind = RECORD_READING, .event_id = record_event_id(arena, filing_now_ms()), .decision_ms = filing_now_ms(),
        .act = SPAN("operation"), .channel = SPAN("command line"),
        .request = tape_member_text(t, TAPE_ROOT, SPAN("request"), arena),
        .patient = tape_member_text(t, TAPE_ROOT, SPAN("patient"), arena),
        .payload_sha256 = tape_member_text(t, TAPE_ROOT, SPAN("sha256"), arena),
        .recipient.name = account_name(who, arena), .discloser.system = SPAN("sluice"),
    };

    d.shown = shown_read(t, arena, &d.shown_count);
    (void)span_to_u64(tape_raw(t, tape_member(t, TAPE_ROOT, SPAN("bytes"))), &bytes);
    d.payload_bytes = bytes;
    *event_id       = d.event_id;
    if (arena_spent(arena))
        return ST_NO_MEMORY;
    if (span_empty(d.request) || span_empty(d.payload_sha256))
        return ST_MALFORMED;
    enum status st = record_author(&d, arena, &entry);
    return st == ST_OK ? store_submit_and_wait(store, &unit) : st;
}

void
reading_do(struct store *store, struct span request, uid_t who, struct buf *answer)
{
    struct arena      *arena = arena_new("reading", ARENA_BYTES);
    const struct tape *t;
    struct span        event_id = { NULL, 0 };
    enum status        st       = ST_NO_MEMORY;

    if (arena != NULL)
        st = tape_read(request, &tape_default_limits, arena, &t, NULL);
    if (st == ST_OK)
        st = record_it(store, t, who, arena, &event_id);
    if (st == ST_OK)
        buf_add_format(answer, "{\"eventId\":\"%.*s\"}", SPAN_PRINT(event_id));
    else
        buf_add_format(answer, "{\"failed\":\"%s\"}", status_text(st));
    arena_free(&arena);
}
