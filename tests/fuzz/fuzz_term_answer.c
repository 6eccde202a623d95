/* tests/fuzz/fuzz_term_answer.c -- any bytes as what a terminology server answers.
 *
 * The first byte chooses the status.  Checked: only a 200 is an answer; the
 * scratch memory is given back; a right or wrong answer holds a `result`, and
 * is none any more when its last byte is cut off. */
#include <assert.h>

#include "gateway/terminology/question.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct arena *arena;

    if (arena == NULL)
        arena = arena_new("fuzz", (size_t)1 << 20);
    if (size < 1)
        return 0;
    int         status = data[0] == '2' ? 200 : data[0];
    struct span body   = span_trim(span_from(data + 1, size - 1));
    size_t      used   = arena_used(arena);
    enum answer answer = question_answer(status, body, arena);

    assert(answer == ANSWER_RIGHT || answer == ANSWER_WRONG || answer == ANSWER_NONE);
    assert(arena_used(arena) == used && !arena_spent(arena));
    if (answer == ANSWER_NONE)
        return 0;
    assert(status == 200 && body.length <= QUESTION_ANSWER_MAX);
    assert(question_answer(200, span_first(body, body.length - 1), arena) == ANSWER_NONE);
    assert(question_answer(404, body, arena) == ANSWER_NONE);
    return 0;
}
