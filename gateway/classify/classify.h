/* gateway/classify/classify.h -- what a stored push is under the rules and the registry of now.
 *
 * The same pure labelling as when it came, over the body as it was accepted,
 * with what is known of its sender now: a client that is configured no more is a
 * sender of unknown status.  Classes are by push: what hangs on a record of another
 * push was not seen then and is not now.
 *
 * A version is one number for everything that labelling depends on beside the
 * data: its own code and code sets, the registry of programs, the Questionnaires of the
 * packages, and of each client what the operator says of it.  Not the words of an option that decides
 * nothing here, so a reload that changes a port classifies nothing again.
 */
#ifndef SLUICE_GATEWAY_CLASSIFY_CLASSIFY_H
#define SLUICE_GATEWAY_CLASSIFY_CLASSIFY_H

#include "consent/labeling.h"
#include "gateway/ops/config.h"
#include "gateway/store/classes.h"

uint64_t     class_version(const struct config *);
/* "3f2a…", 16 hex digits. */
struct span  class_version_text(uint64_t version, struct arena *);
/* Of the programs alone, and of the code and its code sets alone. */
uint64_t     class_registry_version(const struct config *);
uint64_t     class_rules_version(void);

/* What labelling may know: of this sender, at this moment. */
struct facts class_facts(const struct config *, const struct config_client *, int64_t at_ms);
/* The client of that title; one of whom nothing is known when there is none. */
const struct config_client *class_client(const struct config *, struct span title);
/* "SUD R" */
struct span  class_labels_text(label_set, struct arena *);

/* Every resource of the push that is not a deletion, in the order of its list. */
struct class_found { const struct content *content; uint32_t place; struct span labels, part2; };
typedef bool class_visitor(const struct class_found *, void *arg);
/* ST_MALFORMED: it cannot be read any more; then nobody may say that it is not
 * protected.  The asker has documents read (consent/inspected.h).  ST_NO_MEMORY; ST_CANCELLED when the visitor said false. */
enum status  class_again(const struct config *, struct store *, const struct store_push *, struct arena *,
                         const struct inspected_asker *, class_visitor *, void *arg) MUST_CHECK;

#endif
