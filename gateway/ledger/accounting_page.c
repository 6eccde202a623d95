/* gateway/ledger/accounting_page.c -- an accounting as a page for print.
 *
 * One file, nothing from elsewhere: it is printed, mailed, and opened years later.  Text sizes are in rem, so that large print is one number; a line
 * is never cut at the end of a sheet, and each sheet has the heads of the columns again.
 */
#include "gateway/ledger/accounting_row.h"

#include "base/markup.h"

const char *
said(enum language language, enum said which)
{
    static const char *const texts[SAID_COUNT][2] = {
#define SAID(id, english, spanish) [SAID_##id] = { english, spanish },
#include "gateway/ledger/accounting.def"
    };

    return texts[which][language];
}

/* A text with a value for each %s.  Values become text of markup. */
static void
add_said(struct buf *out, const struct accounting_asked *asked, enum said which, const struct span *values)
{
    struct span text = span_of(said(asked->language, which));
    size_t      at;

    while ((at = span_find(text, SPAN("%s"))) != SPAN_NOT_FOUND) {
        markup_text(out, span_first(text, at));
        markup_text(out, *values++);
        text = span_skip(text, at + 2);
    }
    markup_text(out, text);
}

/* "2026-11-24T13:03:00.926Z" -> "2026-11-24 13:03 UTC" */
static void
add_moment(struct buf *out, struct span instant)
{
    bool whole = instant.length >= 16 && instant.at[10] == 'T';

    markup_text(out, whole ? span_first(instant, 10) : instant);
    if (whole) {
        buf_add_byte(out, ' ');
        markup_text(out, span_first(span_skip(instant, 11), 5));
        buf_add_text(out, " UTC");
    }
}

static void
add_element(struct buf *out, const struct accounting_asked *asked, const char *name, enum said which)
{
    buf_add_format(out, "<%s>", name);
    add_said(out, asked, which, NULL);
    buf_add_format(out, "</%s>\n", name);
}

static void
add_fact(struct buf *out, const struct accounting_asked *asked, enum said which, struct span value)
{
    if (span_empty(value))
        return;
    add_element(out, asked, "dt", which);
    buf_add_text(out, "<dd>");
    add_moment(out, value);
    buf_add_text(out, "</dd>\n");
}

static void
add_style(struct buf *out, const struct accounting_asked *asked)
{
    static const char *const sizes[SHEETS] = { [SHEET_A4] = "A4", [SHEET_LETTER] = "letter" };

    buf_add_format(out, "<style>\n@page { size: %s; margin: 18mm }\nhtml { font-size: %s }\n", sizes[asked->sheet],
                   asked->large ? "18pt" : "11pt");
    buf_add_text(out, "body { font: 1rem/1.4 sans-serif; max-width: 60rem; margin: 1rem auto; padding: 0 1rem; color: #111; background: #fff }\n"
                      "h1 { font-size: 1.5rem } h2 { font-size: 1.15rem }\n"
                      "dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem } dd { margin: 0; overflow-wrap: anywhere }\n"
                      "table { border-collapse: collapse; width: 100% } caption { text-align: left; font-weight: bold; padding: .3rem 0 }\n"
                      "th, td { text-align: left; vertical-align: top; border: 1px solid #767676; padding: .3rem; overflow-wrap: break-word }\n"
                      "thead { display: table-header-group } tr { break-inside: avoid }\n"
                      "small, footer { font-size: .8rem } footer { margin-top: 1rem; border-top: 1px solid #767676; overflow-wrap: anywhere }\n");
    if (asked->large)                    /* five columns are too narrow for it: one below the other */
        buf_add_text(out, "thead { display: none } tr { display: block; border: 1px solid #767676; margin-bottom: .5rem }\n"
                          "td { display: block; border: 0 } td::before { content: attr(data-label) \": \"; font-weight: bold }\n");
    buf_add_text(out, "</style>\n");
}

static void
add_covers(struct buf *out, const struct accounting_asked *asked)
{
    static const enum said covers[ACCOUNTING_SCOPES] = {
        [ACCOUNTING_ALL] = SAID_COVERS_ALL, [ACCOUNTING_PART2] = SAID_COVERS_PART2, [ACCOUNTING_HIPAA] = SAID_COVERS_HIPAA,
        [ACCOUNTING_INTERMEDIARY] = SAID_COVERS_INTERMEDIARY,
    };

    buf_add_text(out, "<p>");
    add_said(out, asked, SAID_INTRO, NULL);
    buf_add_byte(out, ' ');
    add_said(out, asked, covers[asked->scope], NULL);
    buf_add_text(out, "</p>\n");
}

static void
add_table_begin(struct buf *out, const struct accounting_asked *asked, const struct page_facts *f)
{
    static const enum said heads[] = { SAID_WHEN, SAID_WHO, SAID_WHAT, SAID_PURPOSE, SAID_WHY };
    char                   room[24];
    struct buf             number = { .at = room, .capacity = sizeof room, .max = sizeof room };
    struct span            count;

    if (f->count == 0) {
        add_element(out, asked, "p", SAID_NONE);
        return;
    }
    buf_add_u64(&number, f->count);
    count = buf_span(&number);
    buf_add_text(out, "<table>\n<caption>");
    add_said(out, asked, f->count == 1 ? SAID_ONE : SAID_MANY, &count);
    buf_add_text(out, "</caption>\n<thead><tr>");
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
        buf_add_text(out, "<th scope=\"col\">");
        add_said(out, asked, heads[i], NULL);
        buf_add_text(out, "</th>");
    }
    buf_add_text(out, "</tr></thead>\n<tbody>\n");
}

void
page_begin(struct buf *out, const struct accounting_asked *asked, const struct page_facts *f)
{
    buf_add_format(out, "<!DOCTYPE html>\n<html lang=\"%s\">\n<head>\n<meta charset=\"utf-8\">\n"
                        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n", language_tag(asked->language));
    add_element(out, asked, "title", SAID_TITLE);
    add_style(out, asked);
    buf_add_text(out, "</head>\n<body>\n<main>\n");
    add_element(out, asked, "h1", SAID_TITLE);
    add_covers(out, asked);
    buf_add_text(out, "<dl>\n");
    add_element(out, asked, "dt", SAID_PATIENT);
    buf_add_text(out, "<dd>");
    markup_text(out, f->name);
    buf_add_text(out, span_empty(f->name) ? "" : " (");
    markup_text(out, f->patient);
    buf_add_text(out, span_empty(f->name) ? "</dd>\n" : ")</dd>\n");
    add_element(out, asked, "dt", SAID_PERIOD);
    buf_add_text(out, "<dd>");
    add_said(out, asked, span_empty(f->from) ? SAID_ALWAYS : SAID_FROM, &f->from);
    buf_add_text(out, "</dd>\n");
    add_fact(out, asked, SAID_REQUESTED, f->requested);
    add_fact(out, asked, SAID_PREPARED, f->prepared);
    add_fact(out, asked, SAID_DUE, f->due);
    buf_add_text(out, "</dl>\n");
    add_table_begin(out, asked, f);
}

static void
cell_begin(struct buf *out, const struct accounting_asked *asked, enum said label)
{
    buf_add_text(out, "<td");
    markup_attribute(out, "data-label", span_of(said(asked->language, label)));
    buf_add_byte(out, '>');
}

static void
add_cell(struct buf *out, const struct accounting_asked *asked, enum said label, struct span text, struct span small)
{
    cell_begin(out, asked, label);
    markup_text(out, text);
    if (!span_empty(small)) {
        buf_add_text(out, "<br><small>");
        markup_text(out, small);
        buf_add_text(out, "</small>");
    }
    buf_add_text(out, "</td>");
}

void
page_row(struct buf *out, const struct accounting_asked *asked, const struct accounting_row *row)
{
    char       room[24];
    struct buf number = { .at = room, .capacity = sizeof room, .max = sizeof room };

    buf_add_text(out, "<tr>");
    cell_begin(out, asked, SAID_WHEN);
    add_moment(out, row->when);
    if (row->times > 1) {
        buf_add_u64(&number, row->times);
        buf_add_text(out, "<br>");
        add_said(out, asked, SAID_TIMES, (struct span[]){ buf_span(&number), span_first(row->last, 10) });
    }
    buf_add_text(out, "</td>");
    add_cell(out, asked, SAID_WHO, row->recipient, row->address);
    add_cell(out, asked, SAID_WHAT, row->description, row->event_id);
    add_cell(out, asked, SAID_PURPOSE, row->purpose, (struct span){ NULL, 0 });
    add_cell(out, asked, SAID_WHY, row->reason, row->basis);
    buf_add_text(out, "</tr>\n");
}

void
page_end(struct buf *out, const struct accounting_asked *asked, const struct page_facts *f)
{
    if (f->count > 0)
        buf_add_text(out, "</tbody>\n</table>\n");
    add_element(out, asked, "h2", SAID_RIGHTS);
    add_element(out, asked, "p", asked->scope == ACCOUNTING_INTERMEDIARY ? SAID_ASK : SAID_FREE);
    buf_add_text(out, "</main>\n");
    if (span_empty(f->origin))
        return;
    buf_add_text(out, "<p><small>");
    add_said(out, asked, SAID_LOG, (struct span[]){ f->origin, f->size, f->head });
    buf_add_text(out, "</small></p>\n");
}
