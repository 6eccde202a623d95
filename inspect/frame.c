#include "inspect/frame.h"

#include <string.h>

static const struct frame_hello hello = { { 'S', 'L', 'h', '1' }, SLUICE_LABELING_HASH };
static const char request_magic[4] = { 'S', 'L', 'q', '1' };
static const char answer_magic[4]  = { 'S', 'L', 'a', '1' };

static const struct { const char *code, *words; } reasons[REASON_COUNT] = {
#define REASON(name, code, words) { code, words },
#include "inspect/reasons.def"
#undef REASON
};

const char *
reason_code(enum reason r)
{
    return r < REASON_COUNT ? reasons[r].code : "";
}

const char *
reason_text(enum reason r)
{
    return r < REASON_COUNT ? reasons[r].words : "";
}

bool
reason_is_fault(enum reason r)
{
    return r >= REASON_STALLED;
}

/* ---- hello ---------------------------------------------------------------- */

_Static_assert(sizeof SLUICE_LABELING_HASH - 1 == sizeof hello.build, "a SHA-256 in hexadecimal digits");

struct frame_hello
frame_hello(void)
{
    return hello;
}

bool
frame_hello_fine(const struct frame_hello *h)
{
    return memcmp(h, &hello, sizeof hello) == 0;
}

/* ---- request --------------------------------------------------------------- */

struct frame_request
frame_request_of(enum document_form form, size_t length)
{
    struct frame_request r = { .form = form, .length = (uint32_t)length };

    memcpy(r.magic, request_magic, sizeof r.magic);
    return r;
}

bool
frame_request_fine(const struct frame_request *r)
{
    return memcmp(r->magic, request_magic, sizeof r->magic) == 0 && r->form > DOCUMENT_NONE && r->form < DOCUMENT_FORMS
        && r->length <= FRAME_MAX_DOCUMENT;
}

/* ---- answer ---------------------------------------------------------------- */

void
answer_init(struct answer *a)
{
    *a = (struct answer){ .parts = 0 };
    buf_init(&a->bytes, FRAME_MAX_ANSWER - sizeof(struct frame_head));
}

void
answer_release(struct answer *a)
{
    buf_release(&a->bytes);
}

void
answer_part(struct answer *a, enum inspected_kind kind, struct span bytes)
{
    struct frame_part part = { .kind = kind, .length = (uint32_t)bytes.length };
    size_t            room = a->bytes.max - a->bytes.length;

    if (bytes.length == 0)
        return;
    if (a->parts == FRAME_MAX_PARTS || room < sizeof part || bytes.length > room - sizeof part) {
        answer_unreadable(a, REASON_LARGE);
        return;
    }
    buf_add(&a->bytes, span_from(&part, sizeof part));
    buf_add(&a->bytes, bytes);
    a->parts++;
}

void
answer_unreadable(struct answer *a, enum reason r)
{
    if (a->reason == REASON_NONE)
        a->reason = r;
}

struct frame_head
answer_head(const struct answer *a)
{
    bool              whole = buf_status(&a->bytes) == ST_OK;
    struct frame_head head  = { .readable = whole && a->reason == REASON_NONE,
                                .reason   = whole ? a->reason : REASON_LARGE,
                                .parts    = whole ? a->parts : 0 };

    memcpy(head.magic, answer_magic, sizeof head.magic);
    return head;
}

/* Heads are copied out: the bytes need not be aligned. */
static bool
take(struct span *rest, void *out, size_t size)
{
    if (rest->length < size)
        return false;
    memcpy(out, rest->at, size);
    *rest = span_skip(*rest, size);
    return true;
}

bool
frame_read(struct span rest, struct frame_answer *out)
{
    struct frame_head head;
    struct frame_part part;

    out->count    = 0;
    out->readable = false;
    out->reason   = REASON_GARBAGE;
    if (!take(&rest, &head, sizeof head) || memcmp(head.magic, answer_magic, sizeof head.magic) != 0
        || head.readable > 1 || head.reason >= REASON_CRASHED || head.parts > FRAME_MAX_PARTS
        || (head.readable == 1) != (head.reason == REASON_NONE))
        return false;
    for (uint32_t i = 0; i < head.parts; i++) {
        if (!take(&rest, &part, sizeof part) || part.length > rest.length
            || (part.kind != INSPECTED_TEXT && part.kind != INSPECTED_DOCUMENT)) {
            out->count = 0;
            return false;
        }
        out->parts[out->count++] = (struct inspected_part){ (enum inspected_kind)part.kind, span_first(rest, part.length) };
        rest = span_skip(rest, part.length);
    }
    if (rest.length > 0) {
        out->count = 0;
        return false;
    }
    out->readable = head.readable == 1;
    out->reason   = (enum reason)head.reason;
    return true;
}
