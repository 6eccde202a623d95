/* inspect/markup.c -- XML and HTML by libxml2: text, attributes, comments, instructions. */
#include "inspect/readers.h"

#include <iconv.h>
#include <libxml/HTMLparser.h>
#include <libxml/parser.h>

#define XML_OPTIONS  (XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING)
#define HTML_OPTIONS (HTML_PARSE_NONET | HTML_PARSE_NOERROR | HTML_PARSE_NOWARNING | HTML_PARSE_RECOVER)

struct markup {
    struct buf flow;                     /* what is shown, words put together across inline tags */
    struct buf aside;                    /* attributes, comments, instructions: a line each */
};

static void
add(struct buf *b, const xmlChar *text)
{
    buf_add_text(b, text != NULL ? (const char *)text : "");
}

/* Elements of HTML and of C-CDA's narrative block that do not end a word. */
static bool
is_inline(const xmlChar *name)
{
    static const char *const names[] = { "a", "abbr", "b", "bdi", "bdo", "big", "code", "content", "del", "em", "font",
                                         "footnote", "i", "ins", "label", "linkHtml", "mark", "s", "small", "span",
                                         "strike", "strong", "sub", "sup", "tt", "u", "wbr" };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (xmlStrcasecmp(name, (const xmlChar *)names[i]) == 0)
            return true;
    return false;
}

static void
end_word(struct markup *m, const xmlNode *n)
{
    if (n->type == XML_ELEMENT_NODE && !is_inline(n->name))
        buf_add_byte(&m->flow, '\n');
}

static void
read_attributes(struct markup *m, const xmlNode *n)
{
    for (const xmlAttr *at = n->properties; at != NULL; at = at->next) {
        for (const xmlNode *value = at->children; value != NULL; value = value->next)
            add(&m->aside, value->content);
        buf_add_byte(&m->aside, '\n');
    }
}

static void
read_node(struct markup *m, const xmlNode *n)
{
    switch (n->type) {
    case XML_ELEMENT_NODE:
        end_word(m, n);
        read_attributes(m, n);
        break;
    case XML_TEXT_NODE: case XML_CDATA_SECTION_NODE:
        add(&m->flow, n->content);
        break;
    case XML_COMMENT_NODE: case XML_PI_NODE:
        add(&m->aside, n->content);
        buf_add_byte(&m->aside, '\n');
        break;
    case XML_ENTITY_REF_NODE:
        buf_add_byte(&m->flow, ' ');
        break;
    default:
        break;
    }
}

/* In document order and without recursion: depth is the sender's. */
static void
read_tree(struct markup *m, const xmlNode *root)
{
    const xmlNode *n = root;

    while (n != NULL) {
        read_node(m, n);
        if (n->children != NULL && n->type == XML_ELEMENT_NODE) {
            n = n->children;
            continue;
        }
        for (; n != NULL && n->next == NULL; n = n->parent)
            end_word(m, n);
        if (n != NULL) {
            end_word(m, n);
            n = n->next;
        }
    }
}

static void
read_both(const xmlDoc *doc, struct answer *a)
{
    struct markup m;

    buf_init(&m.flow, FRAME_MAX_ANSWER);
    buf_init(&m.aside, FRAME_MAX_ANSWER);
    read_tree(&m, doc->children);
    if (buf_status(&m.flow) != ST_OK || buf_status(&m.aside) != ST_OK)
        answer_unreadable(a, REASON_LARGE);
    answer_part(a, INSPECTED_TEXT, buf_span(&m.flow));
    answer_part(a, INSPECTED_TEXT, buf_span(&m.aside));
    buf_release(&m.flow);
    buf_release(&m.aside);
}

static bool
is_html(struct span text)
{
    text = span_trim(span_starts(text, SPAN("\xef\xbb\xbf")) ? span_skip(text, 3) : text);
    return span_eq_nocase(span_first(text, 14), SPAN("<!doctype html")) || span_eq_nocase(span_first(text, 5), SPAN("<html"));
}

/* Declarations may put text into the document that stands nowhere in it. */
static bool
declares(const xmlDoc *doc)
{
    return (doc->intSubset != NULL && doc->intSubset->children != NULL) || doc->extSubset != NULL;
}

/* false: not well-formed; what a viewer makes of that is what an HTML reader makes of it. */
static bool
read_xml(struct span bytes, const char *encoding, struct answer *a)
{
    xmlParserCtxtPtr c    = xmlNewParserCtxt();
    xmlDocPtr        doc  = c != NULL ? xmlCtxtReadMemory(c, bytes.at, (int)bytes.length, NULL, encoding, XML_OPTIONS) : NULL;
    int              code = c != NULL ? c->errNo : XML_ERR_NO_MEMORY;
    bool             read = doc != NULL;

    if (doc != NULL && declares(doc))
        answer_unreadable(a, REASON_ENTITIES);
    if (doc != NULL)
        read_both(doc, a);
    if (code == XML_ERR_UNSUPPORTED_ENCODING || code == XML_ERR_UNKNOWN_ENCODING) {
        answer_unreadable(a, REASON_ENCODING);
        read = true;
    }
    /* Not well-formed, perhaps because of what it declares; another reader may go on. */
    if (doc == NULL && span_find(bytes, SPAN("<!ENTITY")) != SPAN_NOT_FOUND)
        answer_unreadable(a, REASON_ENTITIES);
    xmlFreeDoc(doc);
    xmlFreeParserCtxt(c);
    return read;
}

static void
read_html(struct span bytes, const char *encoding, struct answer *a)
{
    htmlParserCtxtPtr c   = htmlNewParserCtxt();
    htmlDocPtr        doc = c != NULL ? htmlCtxtReadMemory(c, bytes.at, (int)bytes.length, NULL, encoding, HTML_OPTIONS) : NULL;

    /* It stopped before the end: too deep, or no memory. */
    if (doc == NULL || c->disableSAX != 0)
        answer_unreadable(a, REASON_LARGE);
    if (c != NULL && (c->errNo == XML_ERR_UNSUPPORTED_ENCODING || c->errNo == XML_ERR_UNKNOWN_ENCODING))
        answer_unreadable(a, REASON_ENCODING);
    if (doc != NULL)
        read_both(doc, a);
    xmlFreeDoc(doc);
    htmlFreeParserCtxt(c);
}

void
markup_read(struct span bytes, const char *encoding, struct answer *a)
{
    if (is_html(bytes) || !read_xml(bytes, encoding, a))
        read_html(bytes, encoding, a);
}

/* libiconv's tables are files.  Those of these encodings stay loaded as long as
 * somebody has them open; a document in another one dies of the sandbox, and is held. */
void
markup_warm(void)
{
    static const char *const names[] = { "WINDOWS-1252", "ISO-8859-15", "ISO-8859-2", "WINDOWS-1250", "WINDOWS-1251",
                                         "KOI8-R", "MACINTOSH", "SHIFT_JIS", "EUC-JP", "GB18030", "GBK", "BIG5", "EUC-KR" };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        (void)iconv_open("UTF-8", names[i]);
        (void)iconv_open(names[i], "UTF-8");
    }
}
