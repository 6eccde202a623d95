/* gateway/ledger/report.h -- what a compliance officer has to be able to say about a period, in numbers: who got how much, why,
 * what was withheld, and what does not look as it should.
 *
 *     struct report *r = ledger_report_begin(arena);
 *     for each record of the period, of both logs:  st = ledger_report_add(r, record);
 *     ledger_report_json(r, &facts, &out)  or  ledger_report_text(r, &facts, &out)
 *
 * Numbers and eventIds; nobody is named but recipients, who looked, and who declared an emergency.  Rules:
 *   1  A void takes its disclosure out of all numbers but `takenBack`: whoever adds leaves both out, and counts them.
 *   2  A release is counted under its first basis; one about several patients is one.
 *   3  Exceptions are by eventId, the first REPORT_EVENTS of each, with their number:
 *        incompleteEmergencies   R-13 of a medical emergency without all that 42 CFR 2.51(c) wants written down
 *        withoutNotice           made with consent under Part 2 and no notice (2.32(a)) or no copy or explanation (2.32(b)) is recorded
 *        proceedings             something was withheld as it could be used against the patient (2.12(d)(1), G-3)
 *   4  At most REPORT_KEYS of a list are told apart; the rest is "other".
 */
#ifndef SLUICE_GATEWAY_LEDGER_REPORT_H
#define SLUICE_GATEWAY_LEDGER_REPORT_H

#include "base/buf.h"
#include "base/json_tape.h"

#define REPORT_KEYS   2000u
#define REPORT_EVENTS 1000u

struct report;
struct report_facts {                    /* what is not in the records */
    struct span from, until;             /* moments; empty: from the beginning, to the end */
    struct span prepared, checkpoint;
    uint64_t    taken_back;
    uint64_t    waits;                   /* items of the review queue that are open now */
    struct span oldest;                  /* since when the first of them; empty: none */
};

struct report *ledger_report_begin(struct arena *);     /* NULL: no memory */
/* The tape of a whole record of any kind.  ST_NO_MEMORY. */
enum status    ledger_report_add(struct report *, const struct tape *, struct arena *temp) MUST_CHECK;
enum status    ledger_report_json(const struct report *, const struct report_facts *, struct buf *out) MUST_CHECK;
enum status    ledger_report_text(const struct report *, const struct report_facts *, struct buf *out) MUST_CHECK;

#endif
