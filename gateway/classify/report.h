/* gateway/classify/report.h -- how far the pass is, for `sluice status` and `sluice reclassify`. */
#ifndef SLUICE_GATEWAY_CLASSIFY_REPORT_H
#define SLUICE_GATEWAY_CLASSIFY_REPORT_H

#include "base/json_author.h"
#include "gateway/ops/config.h"
#include "gateway/store/classes.h"

/* Adds "classes" to the object: version, registry, complete, left, pushes, resources, changed,
 * confirmed, begun, ended; nothing when the store cannot be read. */
void pass_status(struct store *, const struct config *, author_value root);

/* A copy that left before its resource was known to be a Part 2 record. */
struct left_copy {
    const struct store_confirmed *resource;
    struct span event_id, recipient, released;    /* "2026-11-22T15:00:00.123Z" */
};
typedef bool left_visitor(const struct left_copy *, void *arg);
/* From the log of disclosures: what was taken back by a void is left out. */
enum status pass_left_copies(struct store *, struct arena *, left_visitor *, void *arg) MUST_CHECK;

#endif
