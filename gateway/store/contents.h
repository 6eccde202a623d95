/* gateway/store/contents.h -- what a push contained: a list in its inbox row.
 *
 * One row for all resources of a push: what came together is written and kept
 * together.  The list is CONTENTS_MAGIC and then entries; each begins at a multiple
 * of 16 bytes, so that its place (offset / 16) is enough to read it alone.  Numbers
 * are little-endian:
 *
 *     0  u32  bytes of this entry, without what fills it up
 *     4  u32  deleted: 1
 *     8  u32  length of type     28  u32  start in the body
 *    12  u32             id      32  u32  length
 *    16  u32        patient      36  i64  version
 *    20  u32         labels      44  i64  blob: row of `blob`, 0: of the inbox body
 *    24  u32          part2      52  u32  how many identifiers
 *    56  the five texts, then an i64 for each identifier: its key (store.h)
 *
 * Older rows have a JSON array instead; it is read as well (contents_json.c).
 */
#ifndef SLUICE_GATEWAY_STORE_CONTENTS_H
#define SLUICE_GATEWAY_STORE_CONTENTS_H

#include <stdint.h>

#include "base/arena.h"

struct content {
    struct span type, id, patient, labels, part2;
    int64_t     version, blob, start, length;
    bool        deleted;
    const int64_t *identifiers;
    size_t      identifier_count;
};

#define CONTENTS_ALIGN 16u
#define CONTENTS_MAGIC "\x01sluice content"          /* 16 bytes with the NUL */

struct contents {                        /* being written, at the end of an arena */
    struct arena *arena;
    char         *at;
    size_t        used, room;
    bool          failed;                /* sticky */
};

void        contents_begin(struct contents *, struct arena *);
/* The place of the entry. */
uint32_t    contents_add(struct contents *, const struct content *);
struct span contents_end(struct contents *);         /* empty: no memory */

/* Texts live in the list, or in the arena.  ST_INTEGRITY: it is not what
 * contents_add writes.  The visitor is told of identifiers, contents_at may not. */
typedef enum status content_visitor(const struct content *, uint32_t place, void *arg);
enum status contents_visit(struct span list, struct arena *, content_visitor *, void *arg) MUST_CHECK;
enum status contents_at(struct span list, uint32_t place, struct arena *, struct content *out) MUST_CHECK;

/* ---- contents_json.c ---- */
enum status contents_json_visit(struct span json, struct arena *, content_visitor *, void *arg) MUST_CHECK;
enum status contents_json_at(struct span json, uint32_t place, struct arena *, struct content *out) MUST_CHECK;

#endif
