/* inspect/pdf.c -- PDF by two libraries and by us (inspect/readers.h).
 *
 * poppler says what a page shows; qpdf reaches every object from the trailer;
 * the raw scan of consent/attachment_pdf.c sees what neither shows: text off the
 * page, earlier versions of the file.  The text is that of all three.
 *
 * Unreadable: encrypted (ISO 32000-1, 7.6); damaged; fonts that do not say which
 * letters they draw (9.10); a page that shows something and has no letter; sound,
 * film, models (13); too little text; a number of pages that the two do not agree on.
 */
#include "inspect/readers.h"

#include <limits.h>
#include <poppler.h>
#include <qpdf/qpdf-c.h>
#include <stdlib.h>
#include <string.h>

#include "consent/attachment.h"
#include "inspect/pdf_objects.h"
#include "inspect/pdf_whole.h"

#define LEAST_LETTERS  16u
#define RAW_BYTES      ((size_t)64 << 20)
#define BLANK_CONTENT  1024u             /* lines and a background; more draws something */

struct letters { size_t all, good; };

/* glib's own casts const away. */
static const char *
next_char(const char *at)
{
    return at + g_utf8_skip[(unsigned char)*at];
}

/* What is a letter in a text: no replacement character, nothing of the private
 * use areas, where fonts put what has no meaning elsewhere. */
static void
count_letters(const char *text, struct letters *l)
{
    for (const char *at = text; *at != '\0'; at = next_char(at)) {
        gunichar c = g_utf8_get_char(at);
        l->all++;
        l->good += c < 0x80 ? g_ascii_isalnum((char)c) || g_ascii_isspace((char)c)
                            : c != 0xfffd && !(c >= 0xe000 && c <= 0xf8ff) && c < 0xf0000;
    }
}

static bool
has_letter(const char *text)
{
    for (const char *at = text; *at != '\0'; at = next_char(at))
        if (g_unichar_isalnum(g_utf8_get_char(at)))
            return true;
    return false;
}

/* An XObject, an inline image or a shading; or so many lines that they may be letters. */
static bool
draws(struct span content)
{
    return content.length > BLANK_CONTENT || span_find(content, SPAN(" Do")) != SPAN_NOT_FOUND
        || span_find(content, SPAN("BI")) != SPAN_NOT_FOUND || span_find(content, SPAN(" sh")) != SPAN_NOT_FOUND;
}

static void
look_at_blank(qpdf_data q, int page, struct answer *a)
{
    unsigned char *content = NULL;
    size_t         length  = 0;
    qpdf_oh        object  = qpdf_get_page_n(q, (size_t)page);

    if (qpdf_oh_get_page_content_data(q, object, &content, &length) != 0)
        answer_unreadable(a, REASON_DAMAGED);
    else if (draws(span_from(content, length)))
        answer_unreadable(a, REASON_PICTURES);
    free(content);
    qpdf_oh_release(q, object);
}

static void
read_pages(PopplerDocument *doc, qpdf_data q, struct answer *a)
{
    int            count = poppler_document_get_n_pages(doc);
    struct letters l     = { 0, 0 };

    if (count != qpdf_get_num_pages(q)) {
        answer_unreadable(a, REASON_DISAGREE);
        return;
    }
    for (int i = 0; i < count; i++) {
        PopplerPage *page = poppler_document_get_page(doc, i);
        char        *text = page != NULL ? poppler_page_get_text(page) : NULL;
        if (text == NULL)
            answer_unreadable(a, REASON_DAMAGED);
        else if (!has_letter(text))
            look_at_blank(q, i, a);
        if (text != NULL) {
            count_letters(text, &l);
            pdf_add_text(a, span_of(text));
        }
        g_free(text);
        if (page != NULL)
            g_object_unref(page);
    }
    if (l.good < LEAST_LETTERS)
        answer_unreadable(a, REASON_SILENT);
    else if (l.good * 10 < l.all * 7)
        answer_unreadable(a, REASON_GLYPHS);
}

static void
read_raw(struct span pdf, struct answer *a)
{
    struct arena *arena  = arena_new("pdf", 2 * RAW_BYTES);
    size_t        budget = RAW_BYTES;
    struct span   text   = { NULL, 0 };

    if (arena == NULL) {
        answer_unreadable(a, REASON_LARGE);
        return;
    }
    (void)pdf_text(pdf, arena, &budget, &text);
    pdf_add_text(a, text);
    arena_free(&arena);
}

static void
read_shown(struct span pdf, qpdf_data q, struct answer *a)
{
    GBytes          *bytes = g_bytes_new_static(pdf.at, pdf.length);
    PopplerDocument *doc   = poppler_document_new_from_bytes(bytes, NULL, NULL);

    if (doc != NULL) {
        read_pages(doc, q, a);
        g_object_unref(doc);
    } else {
        answer_unreadable(a, REASON_DAMAGED);
    }
    g_bytes_unref(bytes);
}

/* What no page shows, by the fonts' own tables (pdf_whole.h). */
static void
read_hidden(qpdf_data q, qpdf_oh forms, struct answer *a)
{
    struct span      whole = pdf_whole(q, forms);
    GBytes          *bytes = g_bytes_new_static(whole.at, whole.length);
    PopplerDocument *doc   = whole.length > 0 ? poppler_document_new_from_bytes(bytes, NULL, NULL) : NULL;
    struct buf       all;

    if (doc == NULL)
        answer_unreadable(a, REASON_DAMAGED);
    buf_init(&all, FRAME_MAX_ANSWER);
    for (int i = 0, n = doc != NULL ? poppler_document_get_n_pages(doc) : 0; i < n; i++) {
        PopplerPage *page = poppler_document_get_page(doc, i);
        char        *text = page != NULL ? poppler_page_get_text(page) : NULL;
        if (text == NULL)
            answer_unreadable(a, REASON_DAMAGED);
        else
            buf_add_text(&all, text);
        buf_add_byte(&all, '\n');
        g_free(text);
        g_clear_object(&page);
    }
    if (buf_status(&all) != ST_OK)
        answer_unreadable(a, REASON_LARGE);
    pdf_add_text(a, buf_span(&all));
    buf_release(&all);
    g_clear_object(&doc);
    g_bytes_unref(bytes);
}

/* poppler reads its tables from files with the first document, and drops them with
 * the last: this one stays open. */
void
pdf_warm(struct span pdf)
{
    static PopplerDocument *kept;
    GBytes                 *bytes = g_bytes_new_static(pdf.at, pdf.length);

    if (kept == NULL)
        kept = poppler_document_new_from_bytes(bytes, NULL, NULL);
    g_bytes_unref(bytes);
}

void
pdf_read(struct span pdf, struct answer *a)
{
    qpdf_data q = qpdf_init();

    qpdf_silence_errors(q);
    qpdf_set_suppress_warnings(q, QPDF_TRUE);
    if ((qpdf_read_memory(q, "document", pdf.at, pdf.length, NULL) & QPDF_ERRORS) != 0) {
        bool locked = qpdf_has_error(q) && qpdf_get_error_code(q, qpdf_get_error(q)) == qpdf_e_password;
        answer_unreadable(a, locked ? REASON_ENCRYPTED : REASON_DAMAGED);
        read_raw(pdf, a);
    } else if (qpdf_is_encrypted(q)) {
        answer_unreadable(a, REASON_ENCRYPTED);
    } else {
        qpdf_oh forms = qpdf_oh_new_array(q);
        pdf_objects(q, forms, a);
        read_shown(pdf, q, a);
        read_hidden(q, forms, a);
        read_raw(pdf, a);
        qpdf_oh_release(q, forms);
        if (qpdf_has_error(q))
            answer_unreadable(a, REASON_DAMAGED);
    }
    qpdf_cleanup(&q);
}
