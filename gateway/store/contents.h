/* gateway/store/contents.h -- what a push contained: a JSON array in its inbox row.
 *
 *   [["Condition","c1",1,0,"Patient/p1","SUD R","confirmed",0,812,345], …]
 *     type        id   |  |  patient     labels  part2       |  |   length
 *                version  deleted                            |  start
 *                         blob: row of `blob`, 0: of the inbox body
 *   and behind length, where it has identifiers, their keys (store.h): [17,4711]
 *
 * One row for all resources of a push: what came together is written and kept
 * together.  An entry begins at a multiple of 16 bytes and ends in a line feed, so
 * that its place (offset / 16) is enough to read it alone.
 */
#ifndef SLUICE_GATEWAY_STORE_CONTENTS_H
#define SLUICE_GATEWAY_STORE_CONTENTS_H

#include "base/json_writer.h"

struct content {
    struct span type, id, patient, labels, part2;
    int64_t     version, blob, start, length;
    bool        deleted;
    const int64_t *identifiers;
    size_t      identifier_count;
};

#define CONTENTS_ALIGN 16u

void contents_begin(struct json_writer *);
/* The place of the entry. */
uint32_t contents_add(struct json_writer *, const struct content *);
void     contents_end(struct json_writer *);

/* Texts live in the arena or in the bytes.  ST_INTEGRITY: it is not what
 * contents_add writes. */
typedef enum status content_visitor(const struct content *, uint32_t place, void *arg);
enum status contents_visit(struct span json, struct arena *, content_visitor *, void *arg) MUST_CHECK;
enum status contents_at(struct span json, uint32_t place, struct arena *, struct content *out) MUST_CHECK;

#endif
