/* gateway/ledger/accounting.h -- an accounting of disclosures: what a patient is told of who got what, when and why.
 *
 *     struct accounting *a = accounting_begin(arena, &asked);
 *     for each standing release of this patient, the oldest first:
 *         st = accounting_add(a, record);
 *     st = accounting_finish(a, &out);
 *
 * Three laws have three lists (`scope`):
 *
 *   part2          42 CFR 2.25: disclosures made with consent; three years before the request
 *   hipaa          45 CFR 164.528: other than for treatment, payment and operations, and some more; six years
 *   intermediary   42 CFR 2.24: by an intermediary under a general designation; three years
 *   all            every standing release, from the beginning: for who keeps the log
 *
 * Rules:
 *   1  Of a release about several patients only what is this one's (ledger/extract.h); the scope is judged by that.
 *   2  A void's release did not happen, and whoever adds leaves it out.
 *   3  In the scopes of a law an entry is left out while it is suspended (164.528(a)(2)): `suspendedUntil` of the record, or a
 *      statement about its recipient that is on file (consent/paper.h).  Nothing of the accounting says so.
 *   4  With `grouped` (164.528(b)(3)) disclosures to one recipient for one purpose on one basis are one line: the
 *      first in full, how many there were, and when the last was.  Not of json and fhir, which have the records.
 *   5  A page (html) and a text end with the head of the log that it was taken from, and SHA-256 of all that stands above that line.
 *   6  Each line says in plain words why the law allowed it (ledger/plain.h); the rule and its citation stand beside.
 *   7  A field of CSV that a spreadsheet would take for a formula gets an apostrophe in front.  RFC 4180 otherwise.
 *   8  fhir is a Bundle of type collection with an AuditEvent for each (ledger/audit_event.h), made of what is this patient's.
 *
 * Due (164.528(c)(1)): 60 days from the request, 30 with the intermediary's list (2.24(b)(1)), where the site runs that clock.
 */
#ifndef SLUICE_GATEWAY_LEDGER_ACCOUNTING_H
#define SLUICE_GATEWAY_LEDGER_ACCOUNTING_H

#include "base/buf.h"
#include "gateway/ledger/audit_event.h"
#include "gateway/ledger/plain.h"

#define ACCOUNTING_BYTES ((size_t)64 << 20)     /* of one: ask for a shorter time */

enum accounting_form  { ACCOUNTING_TEXT = 0, ACCOUNTING_JSON, ACCOUNTING_CSV, ACCOUNTING_HTML, ACCOUNTING_FHIR, ACCOUNTING_FORMS };
enum accounting_scope { ACCOUNTING_ALL = 0, ACCOUNTING_PART2, ACCOUNTING_HIPAA, ACCOUNTING_INTERMEDIARY, ACCOUNTING_SCOPES };
enum accounting_sheet { SHEET_A4 = 0, SHEET_LETTER, SHEETS };

struct accounting_suspension { struct span recipient; int64_t until_ms; };     /* recipient: title or reference */

struct accounting_asked {
    struct span           patient;       /* "Patient/p1" */
    enum accounting_form  form;
    enum accounting_scope scope;
    enum language         language;
    enum accounting_sheet sheet;
    bool                  large;         /* print */
    bool                  grouped;
    bool                  clock;         /* says by when it is due */
    int64_t               since_ms;      /* INT64_MIN: as far back as the law of the scope looks */
    int64_t               requested_ms, now_ms;
    struct audit_source   source;
    const struct accounting_suspension *suspensions;
    size_t                suspension_count;
    struct span           checkpoint;    /* of the log of disclosures; empty: nothing was ever disclosed */
};

struct accounting;
struct accounting_result {
    uint64_t           count;            /* disclosures, also those in a group */
    uint64_t           suspended;        /* left out by rule 3: not for the patient */
    const struct span *events;           /* their eventIds, the first RECORD_SHOWN */
    size_t             event_count;
    struct span        page_sha256;      /* rule 5, hex; empty: of a form without */
};

/* False: no such word. */
bool accounting_form_read(struct span, enum accounting_form *);     /* "text", "json", "csv", "html", "fhir" */
bool accounting_scope_read(struct span, enum accounting_scope *);   /* "part2", "hipaa", "intermediary" */
bool accounting_sheet_read(struct span, enum accounting_sheet *);   /* "a4", "letter" */

/* What is asked is copied, its texts are borrowed.  NULL: no memory.  accounting_free() before the arena goes. */
struct accounting *accounting_begin(struct arena *, const struct accounting_asked *);
void               accounting_free(struct accounting **);
/* Not before this moment: who reads the log may leave out what is earlier. */
int64_t            accounting_from_ms(const struct accounting *);
/* A record of kind disclosure, of this patient.  ST_INTEGRITY or what the tape says: it is not what its index says.
 * ST_TOO_LARGE: more than ACCOUNTING_BYTES. */
enum status        accounting_add(struct accounting *, struct span record) MUST_CHECK;
enum status        accounting_finish(struct accounting *, struct buf *out, struct accounting_result *) MUST_CHECK;

#endif
