/* consent/paper.h -- what is kept on file, one paper at a time.
 *
 * The request file (facts.h) says in five lists what is on file.  In the gateway
 * each element of these lists is a paper of its own, that somebody files and
 * ends, with the JSON of the request file:
 *
 *   { "documents": [ … ], "relationships": [ … ], "restrictions": [ … ],
 *     "circumstances": [ … ], "emergencies": [ … ] }
 *
 * and one kind that no decision asks about, only the accounting of disclosures (45 CFR 164.528(a)(2)): the statement of a health oversight
 * agency or law enforcement official that to tell the patient what it received would impede its work.
 *
 *   "suspensions": [ { "id", "patient", "recipient": its title or reference, "agency": who said it,
 *                      "statement": "written" | "oral", "from", "to" } ]
 *
 * A written one counts until `to`, which it has to say; an oral one for at most 30 days from `from`, when it was said.
 *
 *   P1  Stricter than R, for it is kept: a member that R would not read is an
 *       error here, every paper has an id (letters, digits, "-" and ".", 1 to
 *       64 of them; no two alike) says of which patient it is, but for a
 *       document whose kind need not, and does not end before it begins (an emergency lacks
       an end then).
 *   P2  What a paper need not say to be filed, but has to say before anything goes
 *       by it, it lacks: it is kept, and that is said.
 *   P3  At most PAPERS_MOST of one list at once, PAPER_BYTES each.
 */
#ifndef SLUICE_CONSENT_PAPER_H
#define SLUICE_CONSENT_PAPER_H

#include "consent/facts.h"

#define PAPERS_MOST FACTS_MAX_DOCUMENTS
#define PAPER_BYTES ((size_t)64 << 10)

enum paper_kind {                        /* the numbers are stored */
    PAPER_NONE = 0, PAPER_DOCUMENT, PAPER_RELATIONSHIP, PAPER_RESTRICTION, PAPER_CIRCUMSTANCE, PAPER_EMERGENCY, PAPER_SUSPENSION,
    PAPER_KINDS
};

struct suspension {
    struct span id, patient, recipient, agency;
    bool        written;
    int64_t     from_ms;                 /* INT64_MAX: it is not said */
    int64_t     until_ms;                /* the accounting leaves out what this recipient got, until then; INT64_MIN: it does not */
};

struct paper {
    enum paper_kind kind;
    struct span     id, patient;         /* patient "Patient/p1"; empty: of nobody in particular */
    struct span     body;                /* the bytes of the object */
    const char     *lacks;               /* P2; NULL: nothing */
    union {
        struct instrument   document;
        struct relationship relationship;
        struct restriction  restriction;
        struct circumstance circumstance;
        struct emergency    emergency;
        struct suspension   suspension;
    } as;
};

/* The lists.  ST_MALFORMED with errors among the issues; ST_NO_MEMORY. */
enum status papers_read(struct span json, struct arena *, struct issues *, const struct paper **out,
                        size_t *count) MUST_CHECK;
/* One that was filed. */
enum status paper_read(enum paper_kind, struct span body, struct arena *, struct paper *out) MUST_CHECK;
const char *paper_kind_text(enum paper_kind);       /* "document" … */
enum paper_kind paper_kind_of(struct span text);    /* PAPER_NONE: none of them */
const char *paper_kind_list(enum paper_kind);       /* "documents" … */
/* What a document, restriction … is in a word: "qsoa", "restriction". */
const char *paper_words(const struct paper *);

#endif
