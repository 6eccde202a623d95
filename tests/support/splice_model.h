/* tests/support/splice_model.h -- what a list of edits must come to.
 *
 * Written from the rules of base/json_splice.h alone, recursively and without
 * offsets arithmetic shared with it: a container is its opening bracket and
 * the white space behind it, the survivors, before each but the first what
 * separated it from its neighbour before, the additions, and the white space
 * and bracket at the end.
 */
#ifndef SLUICE_TESTS_SUPPORT_SPLICE_MODEL_H
#define SLUICE_TESTS_SUPPORT_SPLICE_MODEL_H

#include "base/buf.h"
#include "base/json_splice.h"
#include "base/json_tape.h"

enum model_kind { MODEL_CUT, MODEL_REPLACE, MODEL_ADD };

struct model_edit {
    enum model_kind kind;
    tape_node       node;
    struct span     json;
};

/* Makes the same edits on real splices. */
void model_apply(struct splices *, const struct tape *, const struct model_edit *, size_t count);
/* The whole document; empty when nothing stays. */
void model_render(const struct tape *, const struct model_edit *, size_t count, struct buf *out);
/* The text of an edit list: "c4 r5=true a3=\"x\":1".  Unknown nodes are
 * skipped.  Returns how many were understood. */
size_t model_parse(struct span text, const struct tape *, struct model_edit *out, size_t max);

#endif
