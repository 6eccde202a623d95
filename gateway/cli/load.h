/* gateway/cli/load.h -- what a command reads: a document, a request file, a configuration.
 *
 * The same pure code as in the gateway works on it; only memory and files are
 * the command's.  Sizes are bounded: a document by the tape's limits, memory by
 * LOAD_ARENA_BYTES.
 */
#ifndef SLUICE_GATEWAY_CLI_LOAD_H
#define SLUICE_GATEWAY_CLI_LOAD_H

#include "fhir/bundle.h"
#include "gateway/cli/command.h"
#include "gateway/ops/config.h"

#define LOAD_ARENA_BYTES ((size_t)4 << 30)
#define LOAD_FILE_BYTES  ((size_t)1 << 30)

/* NULL after saying what is wrong; the answer is EXIT_CODE_CONFIG. */
struct config *load_config(const struct call *);
struct config *load_config_at(const struct call *, const char *path);

/* The bytes of a file or of "-"; false after saying why not. */
bool load_file(const struct call *, const char *path, struct buf *);

/* A document as entries.  ST_OK, or the findings say why it was refused. */
enum status load_bundle(struct span bytes, struct arena *, struct issues *, const struct bundle **out) MUST_CHECK;
/* FHIR XML rather than JSON, by its first character. */
bool        looks_like_xml(struct span bytes);

#endif
