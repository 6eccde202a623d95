/* gateway/ops/definitions.h -- finds and maps the compiled FHIR definitions.
 *
 * Looked for in this order: `definitions/r4.pack` beside the program (a build
 * tree), `../share/sluice/r4.pack` (an installation).  Mapped read-only for
 * the life of the process and shared by all threads.
 */
#ifndef SLUICE_GATEWAY_OPS_DEFINITIONS_H
#define SLUICE_GATEWAY_OPS_DEFINITIONS_H

#include "base/buf.h"
#include "fhir/pack.h"

/* Packages (a .tgz or a folder each; a folder of definitions alone will do),
 * in this order, compiled on top of a pack, for this
 * process: the result lives in the arena.  What is broken is left out, a line of
 * `left_out` for each file; `why` says why nothing came of it. */
enum status definitions_add(struct arena *, const struct pack *base, const char *const *paths, size_t count,
                            const struct pack **out, struct buf *left_out, struct buf *why) MUST_CHECK;

/* A file mapped read-only; empty when it is not there. */
struct span definitions_map(const char *path);
void        definitions_unmap(struct span);

/* `why` says what was looked for when it is not there or not a pack. */
enum status definitions_open(struct arena *, const struct pack **out, struct buf *why) MUST_CHECK;

#endif
