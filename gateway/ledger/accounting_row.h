/* gateway/ledger/accounting_row.h -- inside of the accounting: a line of it, and its forms.
 *
 *   accounting.c        which records, grouping, json, csv, text, fhir
 *   accounting_page.c   the page for print
 *   accounting.def      what is said on it, in English and in Spanish
 */
#ifndef SLUICE_GATEWAY_LEDGER_ACCOUNTING_ROW_H
#define SLUICE_GATEWAY_LEDGER_ACCOUNTING_ROW_H

#include "gateway/ledger/accounting.h"

enum said {
#define SAID(id, english, spanish) SAID_##id,
#include "gateway/ledger/accounting.def"
    SAID_COUNT
};
const char *said(enum language, enum said);

struct accounting_row {
    struct span            when, recipient, address, description, purpose, basis, reason, event_id;
    uint64_t               times;        /* 1, or how many in a group */
    struct span            last;         /* `when` of the last of a group */
    struct accounting_row *next;
};

struct page_facts {                      /* what stands around the lines */
    struct span patient, name;           /* name: as it was last; may be empty */
    struct span from, due;               /* days; empty: from the beginning, not said */
    struct span prepared, requested;     /* moments */
    uint64_t    count;
    struct span origin, head;            /* of the log, and the root of its checkpoint, base64 */
    struct span size;                    /* leaves */
};

void page_row(struct buf *, const struct accounting_asked *, const struct accounting_row *);
/* All above of the lines, all below but the footer's last line. */
void page_begin(struct buf *, const struct accounting_asked *, const struct page_facts *);
void page_end(struct buf *, const struct accounting_asked *, const struct page_facts *);

#endif
