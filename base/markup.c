/* base/markup.c -- text inside of HTML and XML. */
#include "base/markup.h"

#include "base/json_text.h"

void
markup_text(struct buf *out, struct span text)
{
    const uint8_t *p = (const uint8_t *)text.at, *end = p + text.length;

    while (p < end) {
        size_t length = *p < 0x80 ? 1 : text_utf8_length(p, end);
        switch (*p) {
        case '&': buf_add_text(out, "&amp;"); break;
        case '<': buf_add_text(out, "&lt;"); break;
        case '>': buf_add_text(out, "&gt;"); break;
        case '"': buf_add_text(out, "&quot;"); break;
        default:
            if (length == 0 || *p == 0x7F || (*p < ' ' && *p != '\t' && *p != '\n' && *p != '\r'))
                buf_add_byte(out, '?');
            else
                buf_add(out, span_from(p, length));
        }
        p += length > 0 ? length : 1;
    }
}

void
markup_attribute(struct buf *out, const char *name, struct span value)
{
    buf_add_format(out, " %s=\"", name);
    markup_text(out, value);
    buf_add_byte(out, '"');
}
