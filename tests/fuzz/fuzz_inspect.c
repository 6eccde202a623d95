/* tests/fuzz/fuzz_inspect.c -- the readers of the helper, and what the gateway believes of it.
 *
 * The first byte is the form, the rest the document; and all of it an answer.
 * Checked: no reader breaks; an answer that was put together is read as just that;
 * an answer that is read has parts that lie inside of it. */
#include <assert.h>

#include "inspect/readers.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_answer(struct span bytes)
{
    static struct frame_answer read;

    if (!frame_read(bytes, &read)) {
        assert(read.count == 0 && !read.readable);
        return;
    }
    for (uint32_t i = 0; i < read.count; i++)
        assert(read.parts[i].bytes.at >= bytes.at
               && read.parts[i].bytes.at + read.parts[i].bytes.length <= bytes.at + bytes.length);
}

static void
check_document(enum document_form form, struct span bytes)
{
    static struct frame_answer read;
    struct answer              a;
    struct buf                 whole;

    answer_init(&a);
    read_document(form, bytes, &a);
    struct frame_head head = answer_head(&a);
    buf_init(&whole, FRAME_MAX_ANSWER);
    buf_add(&whole, span_from(&head, sizeof head));
    buf_add(&whole, buf_span(&a.bytes));
    assert(frame_read(buf_span(&whole), &read));
    assert(read.readable == (a.reason == REASON_NONE) && read.count == a.parts);
    buf_release(&whole);
    answer_release(&a);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_answer(span_from(data, size));
    if (size > 0 && data[0] % DOCUMENT_FORMS != DOCUMENT_NONE)
        check_document((enum document_form)(data[0] % DOCUMENT_FORMS), span_from(data + 1, size - 1));
    return 0;
}
