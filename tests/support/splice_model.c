#include "tests/support/splice_model.h"

#include <stdlib.h>

struct model {
    const struct tape       *tape;
    const struct model_edit *edits;
    size_t                   count;
    struct buf              *out;
};

void
model_apply(struct splices *s, const struct tape *t, const struct model_edit *edits, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (edits[i].kind == MODEL_CUT)
            splices_cut(s, edits[i].node);
        else if (edits[i].kind == MODEL_REPLACE)
            splices_replace(s, edits[i].node, edits[i].json);
        else if (tape_kind(t, edits[i].node) == TAPE_OBJECT)
            splices_add_member(s, edits[i].node, edits[i].json);
        else
            splices_add_item(s, edits[i].node, edits[i].json);
    }
}

static const struct model_edit *
last_of(const struct model *m, enum model_kind kind, tape_node node)
{
    for (size_t i = m->count; i-- > 0;)
        if (m->edits[i].kind == kind && m->edits[i].node == node)
            return &m->edits[i];
    return NULL;
}

static void
between(const struct model *m, size_t from, size_t to)
{
    buf_add(m->out, span_first(span_skip(tape_body(m->tape), from), to - from));
}

static size_t
end_of(const struct model *m, tape_node n)
{
    return tape_offset(m->tape, n) + tape_extent(m->tape, n).length;
}

static size_t
start_of(const struct model *m, tape_node n)
{
    tape_node name = tape_name(m->tape, n);
    return tape_offset(m->tape, name != TAPE_ABSENT ? name : n);
}

static bool render(const struct model *, tape_node);

/* Renders the children that stay, and the additions. */
static bool
render_inside(const struct model *m, tape_node container)
{
    bool      any      = false;
    tape_node previous = TAPE_ABSENT;

    for (tape_node n = tape_first(m->tape, container); n != TAPE_ABSENT; n = tape_next(m->tape, n)) {
        size_t before = m->out->length;
        if (any)
            between(m, end_of(m, previous), start_of(m, n));
        if (tape_name(m->tape, n) != TAPE_ABSENT)
            between(m, start_of(m, n), tape_offset(m->tape, n));
        if (render(m, n))
            any = true;
        else
            m->out->length = before;
        previous = n;
    }
    for (size_t i = 0; i < m->count; i++)
        if (m->edits[i].kind == MODEL_ADD && m->edits[i].node == container) {
            buf_add_text(m->out, any ? "," : "");
            buf_add(m->out, m->edits[i].json);
            any = true;
        }
    return any;
}

static bool
render(const struct model *m, tape_node n)
{
    const struct model_edit *replaced = last_of(m, MODEL_REPLACE, n);
    tape_node                first    = tape_first(m->tape, n), last = first;

    if (last_of(m, MODEL_CUT, n) != NULL)
        return false;
    if (replaced != NULL) {
        buf_add(m->out, replaced->json);
        return true;
    }
    if (tape_kind(m->tape, n) != TAPE_OBJECT && tape_kind(m->tape, n) != TAPE_ARRAY) {
        buf_add(m->out, tape_extent(m->tape, n));
        return true;
    }
    while (last != TAPE_ABSENT && tape_next(m->tape, last) != TAPE_ABSENT)
        last = tape_next(m->tape, last);
    size_t head = first != TAPE_ABSENT ? start_of(m, first) : tape_offset(m->tape, n) + 1;
    size_t tail = last != TAPE_ABSENT ? end_of(m, last) : head;
    between(m, tape_offset(m->tape, n), head);
    bool any = render_inside(m, n);
    between(m, tail, end_of(m, n));
    return any || first == TAPE_ABSENT;
}

void
model_render(const struct tape *tape, const struct model_edit *edits, size_t count, struct buf *out)
{
    struct model m = { tape, edits, count, out };

    between(&m, 0, tape_offset(tape, TAPE_ROOT));
    if (render(&m, TAPE_ROOT))
        between(&m, end_of(&m, TAPE_ROOT), tape_body(tape).length);
    else
        out->length = 0;
}

size_t
model_parse(struct span text, const struct tape *t, struct model_edit *out, size_t max)
{
    size_t count = 0;

    while (text.at != NULL && count < max) {
        struct span word   = span_split(&text, ' ');
        struct span number = span_skip(word, 1);
        struct span json   = number;
        number             = span_split(&json, '=');
        uint64_t node      = 0;
        if (word.length < 2 || !span_to_u64(number, &node) || node == 0 || node > tape_count(t))
            continue;
        enum tape_kind kind = tape_kind(t, (tape_node)node);
        struct model_edit e = { MODEL_CUT, (tape_node)node, json };
        if (word.at[0] == 'r' && json.length > 0 && kind != TAPE_NAME)
            e.kind = MODEL_REPLACE;
        else if (word.at[0] == 'a' && json.length > 0 && (kind == TAPE_OBJECT || kind == TAPE_ARRAY))
            e.kind = MODEL_ADD;
        else if (word.at[0] != 'c')
            continue;
        if (e.kind == MODEL_CUT && kind == TAPE_NAME)
            e.node++;
        out[count++] = e;
    }
    return count;
}
