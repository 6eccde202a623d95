/* gateway/stages/stages.h -- the stages of an exchange and the recipes of them.
 *
 *   receive      body closed, bounded, immutable; what is asked for
 *   authenticate client certificate -> client, scopes; an Idempotency-Key's kept answer
 *   parse        bytes -> tape -> bundle, references
 *   validate     tape x definitions -> findings; errors answer with an OperationOutcome
 *   label        resource -> labels, Part 2 status, evidence
 *   record       resources become store rows (written by commit)
 *   route        which recipients want this
 *   decide       the consents of its patients are fetched; the facts of each recipient
 *   redact       decisions, closure and sealed splices for each recipient, read again
 *   commit       inbox + record + disclosures + outbox in one durable transaction
 *   respond      the sender's answer; deliveries start
 *
 * Each file is one stage.  docs/life-of-a-bundle.md walks through them.
 */
#ifndef SLUICE_GATEWAY_STAGES_STAGES_H
#define SLUICE_GATEWAY_STAGES_STAGES_H

#include "gateway/runtime/exchange.h"

extern const struct stage stage_receive, stage_authenticate, stage_parse, stage_validate, stage_label,
    stage_record, stage_route, stage_decide, stage_redact, stage_commit, stage_respond;

/* A push; $validate and metadata answer early. */
extern const struct pipeline inbound;

/* Shared by stages and by deliveries that are decided again. */
enum step parse_body(struct exchange *);             /* body -> tape, bundle, references */
void      facts_of_sender(struct exchange *);
/* The accepted form of what was sent (stages/form.c): a single resource
 * becomes a transaction Bundle around its exact bytes; refused entries of a
 * batch are cut.  The body is replaced and read again. */
enum step form_accept(struct exchange *);
/* Patient/ID of an entry as the record knows it; empty: none. */
struct span record_patient(const struct exchange *, uint32_t entry);
/* The transaction-response and its kin (stages/response.c). */
enum status response_author(struct exchange *, struct span *out) MUST_CHECK;
int         response_status(const struct exchange *);
struct span response_location(const struct exchange *);      /* empty: none */
/* Consent rows of the store -> facts->consents; ex->consents must be loaded. */
enum step   consents_attach(struct exchange *);
/* Ledger records of one recipient's release (stages/disclosures.c): fills at
 * most two entries (disclosure, denial) and adds to *count how many.  Without
 * ST_OK a record is missing, and then nothing may leave. */
enum status disclosures_author(struct exchange *, struct outgoing *, struct ledger_entry *out,
                               size_t *count) MUST_CHECK;
/* Metrics, once they are durable. */
void        disclosures_count(const struct ledger_entry *, size_t count);

#endif
