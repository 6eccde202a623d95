/* gateway/ops/review_text.h -- items of the review queue as JSON, for the command line and the control socket.
 *
 *   list   {"items":[ item ],"more":bool}     more: the limit was reached
 *   item   {"id","kind","state","words","release","settles","roles":[],"rule","citation","because","client","recipient",
 *           "patient","resource","sha256","consent","document","eventId","since","lastSeen","times",
 *           "finding","changed"}; empty members are left out
 *   show   an item with "acts":[ {"at","act","reviewer","account","role","finding","why","eventId"} ]
 */
#ifndef SLUICE_GATEWAY_OPS_REVIEW_TEXT_H
#define SLUICE_GATEWAY_OPS_REVIEW_TEXT_H

#include "gateway/store/store.h"

#define REVIEW_LIST_MOST 10000u

/* "clear" "part2" "lawful" "refused"; NULL: nothing. */
const char *review_finding_text(int finding);
enum status review_text_list(struct store *, const struct store_review_filter *, struct buf *out) MUST_CHECK;
/* ST_NOT_FOUND */
enum status review_text_show(struct store *, int64_t id, struct buf *out) MUST_CHECK;
/* The exact bytes that it is about; ST_NOT_FOUND: there is no such item, or they are not kept;
 * ST_INTEGRITY: what is kept is something else. */
enum status review_text_content(struct store *, int64_t id, struct buf *out) MUST_CHECK;
/* -1: no such state. */
int         review_state_of(struct span);

#endif
