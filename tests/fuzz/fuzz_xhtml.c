/* tests/fuzz/fuzz_xhtml.c -- any text as a narrative.
 *
 * Checked: the reader ends inside the text; faults are inside of it and say
 * something; the answer is the same with and without them; links and anchors
 * are parts of the text; what passes holds no "<script" outside of a comment and passes again with
 * a comment behind it; what passes is broken when its last byte is cut off. */
#include <assert.h>
#include <stdlib.h>

#include "base/arena.h"
#include "fhir/xhtml.h"

struct whole { struct span text; uint32_t met; };

static void
met(void *with, struct span name, bool link)
{
    struct whole *w = with;

    (void)link;
    w->met++;
    assert(name.length > 0 && name.at > w->text.at && name.at + name.length < w->text.at + w->text.length);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span          text = span_from(data, size);
    struct whole         w    = { .text = text };
    struct xhtml_anchors anchors = { met, &w };
    struct xhtml_faults  faults;
    bool                 fine = xhtml_check(text, &faults, &anchors);

    bool only_places = true;
    for (uint32_t i = 0; i < faults.count; i++)
        only_places = only_places && faults.at[i].rule == XHTML_PLACE;
    assert(faults.count <= 1 + !only_places * XHTML_MOST_FAULTS && fine == only_places && fine == xhtml_check(text, NULL, NULL));
    for (uint32_t i = 0; i < faults.count; i++) {
        assert(faults.at[i].offset <= size && faults.at[i].wanted != NULL);
        assert(faults.at[i].rule != XHTML_FORM || i == faults.count - 1);
    }
    if (!fine)
        return 0;
    if (span_find(text, SPAN("<!--")) == SPAN_NOT_FOUND)
        assert(span_find(text, SPAN("<script")) == SPAN_NOT_FOUND);
    struct arena *arena = arena_new("fuzz", (size_t)64 << 20);
    assert(arena != NULL);
    assert(xhtml_check(arena_join(arena, text, SPAN("<!-- a -->")), NULL, NULL));
    if (size > 0 && data[size - 1] == '>')
        assert(!xhtml_check(span_first(text, size - 1), NULL, NULL));
    arena_free(&arena);
    return 0;
}
