/* gateway/stages/stages.h -- the stages of an exchange and the recipes of them.
 *
 *   receive      body closed, bounded, immutable; what is asked for
 *   authenticate client certificate -> client, scopes; an Idempotency-Key's kept answer
 *   read         Consents that this client may see -> an answer
 *   audit        AuditEvents for who may audit -> an answer
 *   accounting   the accounting of disclosures of a patient, for who may audit -> an answer
 *   who          the patient of whom a decision is asked
 *   consult      their consents -> the card of a decision
 *   revoke       a revocation -> the next version of its Consent, which goes on as an update
 *   disclose     the record of such an answer, durable before it leaves
 *   even         a step of time, so that absent and withheld take as long
 *   parse        bytes -> tape -> bundle, references
 *   validate     tape x definitions -> findings, and codes that the definitions leave undecided
 *   terminology  a terminology server is asked about those; with its answers back to validate
 *   judge        what the findings mean: errors answer with an OperationOutcome
 *   entries      what each entry asks for, and whether this client may ask it
 *   match        conditional creates: is it there already
 *   form         the accepted form: what was refused, and deletions, are cut
 *   label        resource -> labels, Part 2 status, evidence
 *   inspect      documents that only a helper reads -> text; with it back to label
 *   record       resources become store rows (written by commit)
 *   route        which recipients want this
 *   decide       the consents of its patients are fetched; the facts of each recipient
 *   redact       decisions, closure and sealed splices for each recipient, read again
 *   commit       inbox + record + disclosures + outbox in one durable transaction
 *   keep         a refusal, under its Idempotency-Key
 *   respond      the sender's answer; deliveries start
 *
 * Each file is one stage.  docs/life-of-a-bundle.md walks through them.
 */
#ifndef SLUICE_GATEWAY_STAGES_STAGES_H
#define SLUICE_GATEWAY_STAGES_STAGES_H

#include "gateway/ledger/record.h"
#include "gateway/runtime/exchange.h"

extern const struct stage stage_read, stage_audit, stage_accounting, stage_who, stage_consult, stage_disclose, stage_even, stage_linger, stage_revoke;
extern const struct stage stage_receive, stage_authenticate, stage_parse, stage_validate, stage_terminology,
    stage_judge, stage_entries, stage_match, stage_match_again, stage_form, stage_label, stage_inspect, stage_record, stage_route,
    stage_decide, stage_redact, stage_commit, stage_keep, stage_respond;

/* A push; $validate and metadata answer early. */
extern const struct pipeline inbound;

/* Shared by stages and by deliveries that are decided again. */
enum step parse_body(struct exchange *);             /* body -> tape, bundle, references */
void      facts_of_sender(struct exchange *);
/* What every push has to meet: the profiles of the configuration. */
struct validate_options asked_of_all(const struct exchange *);
/* $validate (stages/asked.c): what the query asks for; a Parameters body taken
 * apart, with the resource left as the body; what the mode adds to the findings. */
enum step asked_query(struct exchange *);
enum step asked_parameters(struct exchange *);
void      asked_judge(struct exchange *);
/* {type}/{id} with the characters that R4 gives both. */
/* Whether the request's If-Match, if it has one, names this version; false: it cannot be read. */
bool      if_match_fits(struct exchange *, int64_t version, bool *fits) MUST_CHECK;
/* 400 about a parameter of the query, which the answer names. */
enum step query_refuse(struct exchange *, struct span name, enum issue_code, const char *what, const char *hint);
/* Whether a reference with this base URL ("" or "https://host/fhir") is to this gateway, as the request calls it. */
bool      base_is_ours(const struct exchange *, struct span base);
bool      base_is_of(struct span base, struct span host);
/* The version of which a revocation makes the next one. */
int64_t   revoking_version(const struct exchange *);
bool      revoking_in_writing(const struct exchange *);
/* Nothing is given: what is asked for is not there, or not for this client; the
 * denial is recorded by stage disclose, and the answer the same in both cases. */
enum step disclose_nothing(struct exchange *, struct span patient, size_t withheld);
/* One more ask of this client (auth/pace.h), or 429. */
enum step pace_keep(struct exchange *);
bool      fhir_path(struct span type, struct span id);
/* Whether the entries have requests of their own: a transaction or a batch. */
bool      entries_ask(const struct exchange *);
/* Refuses one entry: in a batch it gets its own answer and STEP_NEXT comes
 * back; everything else is refused whole (STEP_FAIL). */
enum step entry_refuse_scope(struct exchange *, size_t entry);
enum step entry_refuse_stored(struct exchange *, size_t entry, enum store_refusal);
enum step entry_refuse_several(struct exchange *, size_t entry);
/* The condition of a conditional create; false: more than can be asked here. */
bool      condition_read(struct span query, struct span type, struct arena *, struct store_condition *out);
/* What an entry's condition found: NULL, or the one resource. */
const struct store_condition *entry_existing(const struct intake_entry *);
/* Fills ex->patients; false: no memory. */
bool      record_patients(struct exchange *);
/* A Patient as the record knows it: the entry, or else what a reference says. */
struct span record_patient(const struct exchange *, uint32_t at, struct span text);
/* Who is named by an identifier alone (stages/named.c).  What is asked of the store, with the conditions of the
 * entries: at most named_most(), appended to `out`, -1: no memory.  The Patient whom such a name means, else the name. */
size_t    named_most(const struct exchange *);
long      named_gather(struct exchange *, struct store_condition **out);
struct span named_patient(const struct exchange *, struct span name);
/* Names of the Bundle's Patients themselves, and whom the others were found to be: beside linked_names(). */
size_t    named_room(const struct exchange *);
size_t    named_names(struct exchange *, struct span *out);
void      named_record(struct exchange *, uint32_t entry, struct store_resource *);
/* Into the facts, behind linked_attach(). */
enum step named_attach(struct exchange *);
/* Links between Patients (stages/linked.c): those of an entry that is written; whom the Bundle links with whom, at most
 * linked_most(); the stored ones as facts. */
void      linked_record(struct exchange *, uint32_t entry, struct store_resource *);
size_t    linked_most(const struct exchange *);
size_t    linked_names(struct exchange *, struct span *out);
enum step linked_attach(struct exchange *);
/* The transaction-response and its kin (stages/response.c). */
enum status response_author(struct exchange *, struct span *out) MUST_CHECK;
bool        response_is_single(const struct exchange *);     /* one resource was created or updated */
int         response_status(const struct exchange *);
struct span response_location(const struct exchange *);      /* empty: none */
struct span response_location_of(const struct exchange *, struct span type, struct span id, int64_t version);
/* 202 and where the answer is: everything is durable by then. */
void        response_async(struct exchange *, struct span key);
/* Location, and the ETag of the version that it names. */
void        response_add_location(struct exchange *, struct span location);
/* Consent rows of the store -> facts->consents; ex->consents must be loaded. */
enum step   consents_attach(struct exchange *);
/* What is on file about these patients and about nobody in particular, as of now -> facts. */
enum step   papers_attach(struct exchange *);
/* The patient as the bundle names them. */
struct span patient_in_bundle(const struct exchange *, struct span patient);
/* The papers that decisions rest on, one at a time: added once, as many as there is room for. */
struct paper_list { struct record_paper *rows; size_t count, room; };
void        paper_add(struct paper_list *, const struct decision *);
/* All that what leaves, or is withheld, rests on. */
void        papers_of(struct exchange *, const struct plan *, bool released, struct disclosure *);
struct record_emergency *emergency_author(struct exchange *, const struct emergency *);
/* What waits for a person (stages/review.c).  review_apply: what people found about it is a fact, and the
 * release is made with it; what is left waits.  review_own_consents: what the pushed Consents lack is
 * said to the sender and waits.  review_refused: an entry of the body that was refused.  */
enum status review_apply(struct exchange *, struct outgoing *) MUST_CHECK;
enum status review_own_consents(struct exchange *) MUST_CHECK;
void        review_refused(struct exchange *, uint32_t entry);
/* All of it, for the commit. */
enum status review_collect(struct exchange *, struct store_unit *) MUST_CHECK;
/* Ledger records of one recipient's release (stages/disclosures.c): fills at
 * most two entries (disclosure, denial) and adds to *count how many.  Without
 * ST_OK a record is missing, and then nothing may leave. */
enum status disclosures_author(struct exchange *, struct outgoing *, struct ledger_entry *out,
                               size_t *count) MUST_CHECK;
/* Metrics, once they are durable. */
void        disclosures_count(const struct ledger_entry *, size_t count);

#endif
