/* tests/fuzz/fuzz_text.c -- what a text says, in all its readings.
 *
 * The whole input is the text.  Checked: nothing crashes; a hit lies inside of
 * the text; a label does not go when the text is written in front of one that
 * says nothing; each reading of the plan is no longer than what it reads. */
#include <assert.h>

#include "consent/labeling.h"
#include "consent/plan_text.h"
#include "consent/text.h"

static bool
is_shorter(void *with, struct span reading)
{
    assert(reading.length <= *(const size_t *)with);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct span names[]  = { { "Oak Recovery", 12 } };
    static const struct program oak   = { .names = names, .name_count = 1 };
    static const struct facts   facts = { .programs = &oak, .program_count = 1 };
    struct span                 text  = span_from(data, size);
    struct arena               *arena = arena_new("fuzz", (size_t)64 << 20);
    struct text_finding         alone = { .labels = 0 }, behind = { .labels = 0 };

    assert(arena != NULL);
    struct text_hit hit = text_scan(text, text_names_make(&facts, NULL, 0, arena));
    assert(hit.at <= size && hit.length <= size - hit.at);
    text_read(text, FOLD_PLAIN, NULL, &alone);
    struct span longer = arena_join(arena, SPAN("Rest well.\n\n"), text);
    text_read(longer, FOLD_PLAIN, NULL, &behind);
    assert((alone.labels & ~behind.labels) == 0);
    if (size < 1 << 14)
        (void)text_readings(text, arena, is_shorter, &size);
    arena_free(&arena);
    return 0;
}
