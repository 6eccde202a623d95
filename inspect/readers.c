#include "inspect/readers.h"

#include "consent/attachment.h"
#include "consent/inflate.h"

#define ARENA_BYTES ((size_t)192 << 20)

void
read_document(enum document_form form, struct span bytes, struct answer *a)
{
    switch (form) {
    case DOCUMENT_PACKED:      packed_read(bytes, a); return;
    case DOCUMENT_PDF:         pdf_read(bytes, a); return;
    case DOCUMENT_RTF:         rtf_read(bytes, a); return;
    case DOCUMENT_MARKUP:      markup_read(bytes, NULL, a); return;
    case DOCUMENT_MARKUP_UTF8: markup_read(bytes, "UTF-8", a); return;
    case DOCUMENT_NONE: case DOCUMENT_FORMS: break;
    }
    answer_unreadable(a, REASON_DAMAGED);
}

void
packed_read(struct span bytes, struct answer *a)
{
    struct arena *arena = arena_new("packed", ARENA_BYTES);
    struct span   unpacked;

    if (arena == NULL) {
        answer_unreadable(a, REASON_LARGE);
        return;
    }
    enum status st = inflate_bytes(bytes, ATTACHMENT_MAX_INFLATED, arena, &unpacked);
    if (st != ST_OK)
        answer_unreadable(a, st == ST_MALFORMED ? REASON_DAMAGED : REASON_LARGE);
    answer_part(a, INSPECTED_DOCUMENT, unpacked);
    arena_free(&arena);
}

void
rtf_read(struct span bytes, struct answer *a)
{
    struct arena *arena = arena_new("rtf", ARENA_BYTES);
    struct span   text;

    if (arena != NULL && rtf_text(bytes, arena, &text))
        answer_part(a, INSPECTED_TEXT, text);
    else
        answer_unreadable(a, REASON_LARGE);
    arena_free(&arena);
}

/* Small documents that make the libraries load what they load late. */
void
readers_warm(void)
{
    static const char pdf[] =
        "%PDF-1.4\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n"
        "2 0 obj\n<< /Type /Pages /Kids [3 0 R] /Count 1 >>\nendobj\n"
        "3 0 obj\n<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R"
        " /Resources << /Font << /F1 5 0 R >> >> >>\nendobj\n"
        "4 0 obj\n<< /Length 41 >>\nstream\nBT /F1 12 Tf 72 720 Td (Knee pain.) Tj ET\nendstream\nendobj\n"
        "5 0 obj\n<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>\nendobj\n"
        "trailer\n<< /Size 6 /Root 1 0 R >>\n%%EOF\n";
    struct answer a;

    answer_init(&a);
    pdf_warm(span_of(pdf));
    pdf_read(span_of(pdf), &a);
    markup_read(SPAN("<?xml version=\"1.0\"?><a b=\"c\">knee</a>"), NULL, &a);
    markup_read(SPAN("<!DOCTYPE html><html><head><meta charset=\"windows-1252\"></head><body>knee</body></html>"), NULL, &a);
    answer_release(&a);
    markup_warm();
}
