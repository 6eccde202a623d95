/* tests/fuzz/fuzz_paper.c -- papers as an officer hands them in.
 *
 * Checked: nothing crashes; what is taken is inside the bounds, has an id and says of
 * whom it is; each is read alone as it was read in its list; and a request file takes
 * the same lists, so that what is filed can be tried first. */
#include <assert.h>
#include <stdlib.h>

#include "base/buf.h"
#include "consent/paper.h"

#define HEAD "{\"at\":\"2026-11-22T15:00:00Z\",\"actor\":{\"reference\":\"Organization/a\"},\"purpose\":[\"TREAT\"],"

static void
alone(const struct paper *p, struct arena *arena)
{
    struct paper again;

    assert(paper_read(p->kind, p->body, arena, &again) == ST_OK);
    assert(span_eq(again.id, p->id) && span_eq(again.patient, p->patient) && again.lacks == p->lacks);
    assert(p->id.length >= 1 && p->id.length <= 64 && p->body.length <= PAPER_BYTES);
    assert(p->kind == PAPER_DOCUMENT || span_starts(p->patient, SPAN("Patient/")));
    assert(paper_words(p)[0] != '\0');
}

static void
in_a_request(struct span json, struct arena *arena, size_t count)
{
    const struct facts *facts  = NULL;
    struct issues      *issues = issues_new(arena, 8);
    struct buf          r;

    buf_init(&r, (size_t)8 << 20);
    buf_add_text(&r, HEAD);
    buf_add(&r, span_skip(span_trim(json), 1));
    assert(issues != NULL && buf_status(&r) == ST_OK);
    assert(facts_read(buf_span(&r), arena, issues, &facts) == ST_OK);
    assert(facts->document_count + facts->relationship_count + facts->restriction_count + facts->circumstance_count
               + facts->emergency_count == count);
    (void)facts_valid_until(facts);
    buf_release(&r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena       *arena  = arena_new("fuzz", (size_t)256 << 20);
    struct issues      *issues = issues_new(arena, 8);
    const struct paper *all    = NULL;
    size_t              count  = 0;
    struct span         json   = span_from(data, size);

    if (size < ((size_t)1 << 20) && papers_read(json, arena, issues, &all, &count) == ST_OK) {
        assert(count > 0 && count <= (size_t)PAPERS_MOST * (PAPER_KINDS - 1));
        for (size_t i = 0; i < count; i++)
            alone(&all[i], arena);
        in_a_request(json, arena, count);
    }
    arena_free(&arena);
    return 0;
}
