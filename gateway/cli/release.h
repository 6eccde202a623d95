/* gateway/cli/release.h -- what label, redact and explain have in common: R and a document.
 *
 *     R (request file)  --> struct facts
 *     FILE              --> bundle, references, labels; documents in it are read by the helper
 *
 * Sends nothing, stores nothing, reads no clock: what R does not say is
 * unknown, and unknown never permits.
 */
#ifndef SLUICE_GATEWAY_CLI_RELEASE_H
#define SLUICE_GATEWAY_CLI_RELEASE_H

#include "consent/facts.h"
#include "consent/labeling.h"
#include "fhir/reference.h"
#include "gateway/cli/command.h"

struct release_input {
    struct arena            *arena;
    struct buf               request, document;   /* bytes; borrowed by all that follows */
    const struct facts      *facts;               /* zeroed facts when R is not given */
    const struct bundle     *bundle;
    const struct references *references;
    struct inspected_table   inspected;           /* what the helper read of its documents */
    const struct labeling   *labeling;
};

/* EXIT_CODE_OK; EXIT_CODE_USAGE when a file or R cannot be read; EXIT_CODE_NEGATIVE when the
 * document is refused: then its OperationOutcome is on stderr.  Release it in any case. */
int  release_input_read(const struct call *, struct release_input *);
void release_input_free(struct release_input *);

#endif
