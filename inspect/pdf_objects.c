#include "inspect/pdf_objects.h"

#include <stdlib.h>
#include <string.h>

#include "consent/attachment.h"
#include "inspect/pdf_fonts.h"

#define OBJECTS_MOST   8388607           /* ISO 32000-1, annex C: indirect objects */
#define CONTENT_BYTES  ((size_t)32 << 20)
#define NAME_SLOTS     4096u

struct objects {
    qpdf_data      q;
    struct answer *answer;
    qpdf_oh        forms;
    struct buf     text;                 /* strings and names, a line each */
    qpdf_oh       *stack;
    size_t         height, room;
    uint8_t       *met;                  /* a bit an object number */
    uint64_t       names[NAME_SLOTS];
};

static void visit(struct objects *, qpdf_oh);
static void visit_stream(struct objects *, qpdf_oh);
static void visit_members(struct objects *, qpdf_oh dictionary);

void
pdf_add_text(struct answer *a, struct span text)
{
    if (!span_empty(span_trim(text)))
        answer_part(a, INSPECTED_TEXT, text);
}

static void
fail(struct objects *o, enum reason r)
{
    answer_unreadable(o->answer, r);
}

/* What is reached a second time is released at once. */
static void
push(struct objects *o, qpdf_oh one)
{
    int id = qpdf_oh_is_indirect(o->q, one) ? qpdf_oh_get_object_id(o->q, one) : 0;

    if (id < 0 || id > OBJECTS_MOST) {
        fail(o, REASON_LARGE);
        return;
    }
    if (id > 0 && (o->met[id / 8] & 1u << id % 8) != 0) {
        qpdf_oh_release(o->q, one);
        return;
    }
    if (id > 0)
        o->met[id / 8] |= (uint8_t)(1u << id % 8);
    if (o->height == o->room) {
        size_t   room = o->room > 0 ? o->room * 2 : 1024;
        qpdf_oh *more = realloc(o->stack, room * sizeof *more);
        if (more == NULL) {
            fail(o, REASON_LARGE);
            return;
        }
        o->stack = more;
        o->room  = room;
    }
    o->stack[o->height++] = one;
}

void
pdf_objects(qpdf_data q, qpdf_oh forms, struct answer *a)
{
    struct objects *o = calloc(1, sizeof *o);

    if (o == NULL || (o->met = calloc(1, OBJECTS_MOST / 8 + 1)) == NULL) {
        answer_unreadable(a, REASON_LARGE);
        free(o);
        return;
    }
    o->q      = q;
    o->answer = a;
    o->forms  = forms;
    buf_init(&o->text, FRAME_MAX_ANSWER);
    push(o, qpdf_get_trailer(q));
    while (o->height > 0) {
        qpdf_oh one = o->stack[--o->height];
        visit(o, one);
        qpdf_oh_release(q, one);
    }
    if (buf_status(&o->text) != ST_OK)
        fail(o, REASON_LARGE);
    pdf_add_text(a, buf_span(&o->text));
    buf_release(&o->text);
    free(o->stack);
    free(o->met);
    free(o);
}

static void
add_line(struct objects *o, struct span text)
{
    buf_add(&o->text, text);
    buf_add_byte(&o->text, '\n');
}

/* /F1 and /Type stand in every page: what was said lately is not said again. */
static void
add_name(struct objects *o, const char *name)
{
    struct span text = span_of(name + (name[0] == '/'));
    uint64_t    hash = span_hash(text);

    if (text.length < 3 || o->names[hash % NAME_SLOTS] == hash)
        return;
    o->names[hash % NAME_SLOTS] = hash;
    add_line(o, text);
}

static void
add_string(struct objects *o, qpdf_oh one)
{
    size_t      length = 0;
    const char *text   = qpdf_oh_get_binary_utf8_value(o->q, one, &length);

    add_line(o, span_from(text, text != NULL ? length : 0));
}

static void
visit(struct objects *o, qpdf_oh one)
{
    switch (qpdf_oh_get_type_code(o->q, one)) {
    case ot_string:
        add_string(o, one);
        break;
    case ot_name:
        add_name(o, qpdf_oh_get_name(o->q, one));
        break;
    case ot_array:
        for (int i = 0, n = qpdf_oh_get_array_n_items(o->q, one); i < n; i++)
            push(o, qpdf_oh_get_array_item(o->q, one, i));
        break;
    case ot_dictionary:
        visit_members(o, one);
        break;
    case ot_stream:
        visit_stream(o, one);
        break;
    default:
        break;
    }
}

/* ---- dictionaries ------------------------------------------------------------ */

static bool
is_named(struct objects *o, qpdf_oh dictionary, const char *key, const char *const *names, size_t count)
{
    qpdf_oh value = qpdf_oh_get_key(o->q, dictionary, key);
    bool    found = false;

    for (size_t i = 0; i < count; i++)
        found |= qpdf_oh_is_name_and_equals(o->q, value, names[i]);
    qpdf_oh_release(o->q, value);
    return found;
}

#define IS(o, dictionary, key, ...)                                                                  \
    is_named((o), (dictionary), (key), (const char *const[]){ __VA_ARGS__ },                         \
             sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(const char *))

/* What holds no text whatever is in it. */
static bool
is_left_out(const char *key)
{
    static const char *const keys[] = { "/FontFile", "/FontFile2", "/FontFile3", "/ToUnicode", "/Thumb", "/CIDToGIDMap",
                                        "/CIDSet" };

    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if (strcmp(key, keys[i]) == 0)
            return true;
    return false;
}

static void
visit_members(struct objects *o, qpdf_oh dictionary)
{
    if (IS(o, dictionary, "/Subtype", "/Sound", "/Movie", "/3D", "/RichMedia", "/Screen"))
        fail(o, REASON_MEDIA);
    if (IS(o, dictionary, "/Type", "/Font") && !pdf_font_speaks(o->q, dictionary))
        fail(o, REASON_GLYPHS);
    /* The key is qpdf's until the next one is asked for. */
    qpdf_oh_begin_dict_key_iter(o->q, dictionary);
    while (qpdf_oh_dict_more_keys(o->q)) {
        const char *key = qpdf_oh_dict_next_key(o->q);
        if (is_left_out(key))
            continue;
        add_name(o, key);
        push(o, qpdf_oh_get_key(o->q, dictionary, key));
    }
}

/* ---- streams ------------------------------------------------------------------- */

static bool
is_text(struct span bytes)
{
    return memchr(bytes.at, 0, bytes.length) == NULL;
}

static bool
is_content(struct span bytes)
{
    return span_find(bytes, SPAN("BT")) != SPAN_NOT_FOUND
        && (span_find(bytes, SPAN("Tj")) != SPAN_NOT_FOUND || span_find(bytes, SPAN("TJ")) != SPAN_NOT_FOUND
            || span_find(bytes, SPAN("'")) != SPAN_NOT_FOUND || span_find(bytes, SPAN("\"")) != SPAN_NOT_FOUND);
}

static void
add_content(struct objects *o, struct span content)
{
    struct arena *arena  = arena_new("content", 2 * CONTENT_BYTES);
    size_t        budget = CONTENT_BYTES;
    struct span   text   = { NULL, 0 };

    if (arena == NULL || !pdf_content_text(content, arena, &budget, &text))
        fail(o, REASON_LARGE);
    add_line(o, text);
    arena_free(&arena);
}

/* A page's content by what it draws; a script or a form by what it says.  Both,
 * when it looks like both. */
static void
add_stream(struct objects *o, qpdf_oh dictionary, struct span bytes)
{
    bool content = is_content(bytes);

    if (IS(o, dictionary, "/Type", "/EmbeddedFile")) {
        answer_part(o->answer, INSPECTED_DOCUMENT, bytes);
        return;
    }
    if (content)
        add_content(o, bytes);
    if (is_text(bytes) && (!content || IS(o, dictionary, "/Type", "/Metadata")))
        add_line(o, bytes);
    else if (span_starts(bytes, SPAN("\xfe\xff")) || span_starts(bytes, SPAN("\xff\xfe")))
        answer_part(o->answer, INSPECTED_DOCUMENT, bytes);
}

static void
visit_stream(struct objects *o, qpdf_oh stream)
{
    qpdf_oh        dictionary = qpdf_oh_get_dict(o->q, stream);
    unsigned char *bytes      = NULL;
    size_t         length     = 0;
    QPDF_BOOL      filtered   = QPDF_FALSE;

    visit_members(o, dictionary);
    if (IS(o, dictionary, "/Subtype", "/Form"))
        qpdf_oh_append_item(o->q, o->forms, stream);
    if (!IS(o, dictionary, "/Subtype", "/Image") && !IS(o, dictionary, "/Type", "/XRef", "/ObjStm", "/CMap")) {
        if (qpdf_oh_get_stream_data(o->q, stream, qpdf_dl_specialized, &filtered, &bytes, &length) != 0 || !filtered)
            fail(o, REASON_DAMAGED);
        if (length > 0)
            add_stream(o, dictionary, span_from(bytes, length));
        free(bytes);
    }
    qpdf_oh_release(o->q, dictionary);
}
