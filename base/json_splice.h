/* base/json_splice.h -- edits on a tape: a list of cuts and additions.
 *
 * Edits are by node, never by offset; commas are this file's business and
 * nobody else's.  What is not edited stays, byte for byte.
 *
 * The cut rule (docs/redaction-rules.md B1): walk the children; before the
 * first survivor cut forward (item start to the next item's start), after it
 * cut backward (previous item's end to own end); when none survives and
 * nothing is added, cut the container, and so on upward.  So commas, white
 * space and newlines stay as a document without the cut values would have
 * them.
 *
 * Life: new -> cut / replace / add ... -> seal -> read.  After the seal
 * nothing may be edited.  Sealing walks down from the root with an explicit
 * stack; cost is linear in the nodes on the way to the edits.
 *
 * At equal offsets cuts come first, then additions in the order they were
 * made.  A cut wins over everything else that is said about the value or what
 * is inside it, a replacement over everything but a cut; of two replacements
 * the later one counts.  A container that was empty already stays.
 *
 * Fails closed: when memory ran out for an edit, or an added text is empty
 * because its author ran out, the seal says ST_NO_MEMORY, and whatever is not
 * sealed has length 0.
 *
 * Lifetime: lives in the arena; borrows the tape, its bytes and the added
 * JSON texts.
 */
#ifndef SLUICE_BASE_JSON_SPLICE_H
#define SLUICE_BASE_JSON_SPLICE_H

#include <sys/uio.h>

#include "base/arena.h"
#include "base/json_tape.h"

struct splices;

struct splices *splices_new(const struct tape *, struct arena *);   /* NULL: arena spent */

/* A member goes with its name, an item with its comma.  Cutting twice is
 * fine.  Cutting the root leaves nothing: splices_length() is 0. */
void splices_cut(struct splices *, tape_node value);
/* The value (not the name) becomes these bytes. */
void splices_replace(struct splices *, tape_node value, struct span json);
/* `json` is `"name":value`, respectively `value`; added at the end, with the
 * white space style of the container's own separators kept out: a comma and
 * the text. */
void splices_add_member(struct splices *, tape_node object, struct span json);
void splices_add_item(struct splices *, tape_node array, struct span json);

/* Whether the node is cut by an edit made so far, itself or with an ancestor
 * it was cut with.  Before the seal only explicit cuts count; after it also
 * containers that were emptied. */
bool splices_is_cut(const struct splices *, tape_node);
size_t splices_count(const struct splices *);               /* edits made */

enum status splices_seal(struct splices *) MUST_CHECK;      /* ST_NO_MEMORY */
size_t      splices_length(const struct splices *);         /* bytes of the result */
/* Pieces of the result from byte `from` on; returns how many were filled. */
size_t      splices_iovec(const struct splices *, struct iovec *, size_t max, size_t from);
/* The whole result in one piece; without any edit the body itself. */
struct span splices_flat(const struct splices *, struct arena *);

#endif
