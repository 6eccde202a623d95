/* gateway/cli/label.c -- every resource with its labels, its Part 2 status and why. */
#include "base/json_author.h"
#include "consent/labeling.h"
#include "fhir/path.h"
#include "gateway/cli/release.h"
#include "gateway/cli/run.h"

enum { OUT_BYTES = 256 << 20, LABELS_MOST = 64 };

static struct span
place(const struct release_input *in, tape_node node)
{
    return path_of(in->bundle->tape, in->bundle->parents, node, in->arena);
}

static void
author_entry(author_value list, const struct release_input *in, const struct labeled *l, uint32_t entry)
{
    const struct bundle_entry *e = &in->bundle->entries[entry];
    const char                *codes[LABELS_MOST];
    size_t                     count = labels_codes(l->labels, codes, LABELS_MOST);
    author_value               one   = author_add_object(list, NULL);
    author_add_text(one, "path", place(in, e->resource != TAPE_ABSENT ? e->resource : e->entry));
    author_add_text(one, "type", e->type);
    author_add_text(one, "id", e->id);
    author_value labels = author_add_array(one, "labels");
    for (size_t i = 0; i < count; i++)
        author_add_cstr(labels, NULL, codes[i]);
    author_add_cstr(one, "part2", part2_text(l->part2));
    if (l->uninspected)
        author_add_bool(one, "uninspected", true);
    author_value evidence = author_add_array(one, "evidence");
    for (size_t i = 0; i < l->evidence_count; i++) {
        author_value why = author_add_object(evidence, NULL);
        if (l->evidence[i].label != LABEL_NONE)
            author_add_cstr(why, "label", label_code(l->evidence[i].label));
        author_add_cstr(why, "rule", l->evidence[i].rule);
        author_add_text(why, "expression", place(in, l->evidence[i].node));
        author_add_text(why, "because", l->evidence[i].because);
    }
}

static enum status
label_json(const struct release_input *in, const struct labeling *labeling, struct buf *out)
{
    struct author *a    = author_new();
    author_value   list = author_add_array(author_object(a), "resources");
    for (uint32_t i = 0; i < in->bundle->count; i++)
        author_entry(list, in, &labeling->of[i], i);
    enum status st = author_print(a, out, AUTHOR_PRETTY);
    author_free(&a);
    buf_add_byte(out, '\n');
    return st;
}

static void
add_entry(struct buf *out, const struct call *call, const struct release_input *in, const struct labeled *l, uint32_t entry)
{
    const struct bundle_entry *e = &in->bundle->entries[entry];
    const char                *codes[LABELS_MOST];
    size_t                     count = labels_codes(l->labels, codes, LABELS_MOST);
    struct span                name  = arena_format(in->arena, "%.*s/%.*s", SPAN_PRINT(e->type), SPAN_PRINT(e->id));
    call_ink(call, out, INK_BOLD, name);
    buf_add_format(out, "  %.*s\n  labels:", SPAN_PRINT(place(in, e->resource != TAPE_ABSENT ? e->resource : e->entry)));
    for (size_t i = 0; i < count; i++)
        buf_add_format(out, " %s", codes[i]);
    buf_add_format(out, "%s\n  Part 2: ", count == 0 ? " none" : "");
    call_ink(call, out, l->part2 == PART2_NOT ? INK_PLAIN : INK_YELLOW, span_of(part2_text(l->part2)));
    buf_add_text(out, l->uninspected ? ", holds content that could not be read\n" : "\n");
    for (size_t i = 0; i < l->evidence_count; i++) {
        const struct evidence *v = &l->evidence[i];
        buf_add_format(out, "    %s%s%s at %.*s: %.*s\n", v->rule, v->label != LABEL_NONE ? " " : "",
                       v->label != LABEL_NONE ? label_code(v->label) : "", SPAN_PRINT(place(in, v->node)),
                       SPAN_PRINT(v->because));
    }
}

int
command_label(const struct call *call)
{
    struct release_input   in;
    struct buf             out;
    int                    code = release_input_read(call, &in);
    buf_init(&out, OUT_BYTES);
    if (code == EXIT_CODE_OK && call_has(call, "json"))
        code = label_json(&in, in.labeling, &out) == ST_OK ? EXIT_CODE_OK : EXIT_CODE_DEPENDENCY;
    else if (code == EXIT_CODE_OK)
        for (uint32_t i = 0; i < in.bundle->count; i++)
            add_entry(&out, call, &in, &in.labeling->of[i], i);
    if (code == EXIT_CODE_OK)
        code = call_print_buf(call, &out);
    buf_release(&out);
    release_input_free(&in);
    return code;
}
