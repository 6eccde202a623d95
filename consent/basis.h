/* consent/basis.h -- bases of disclosure other than a consent, each a function.
 *
 * A basis says nothing, permits (all or within a limit), denies, or leaves it
 * to a person.  It sees one record and the request; what rests on documents
 * on file finds them in the inquiry.  The order in which they are asked is that
 * of decision.c.
 *
 *   basis.c            rows of bases.def: a document on file, a recipient, purposes, holders
 *   basis_legal.c      step 3: orders and subpoenas
 *   basis_inside.c     steps 4 and 5: R-04 without consent, R-09, R-21
 *   basis_emergency.c  R-13
 *   redisclosure.c     step 10, the matrix of what a received copy may do
 *   restriction.c      step 6
 *   basis_hipaa.c      step 2: what HIPAA lets go without an authorization, outside of Part 2
 *
 * Not here, since a gateway's release is no place for it: R-18 undercover agents
 * (2.67), R-27 VA and uniformed services (their records have a law of their own,
 * 38 U.S.C. 7332, and a label of their own), R-28 complaints and breach notices.
 */
#ifndef SLUICE_CONSENT_BASIS_H
#define SLUICE_CONSENT_BASIS_H

#include "consent/decision.h"
#include "consent/inquiry.h"

struct asking {                          /* one record, asked for */
    const struct inquiry *inquiry;
    const struct record  *record;
    const struct subject *subjects;      /* whose it is */
    size_t                subject_count;
    bool                  note;          /* an SUD counseling note */
};

struct answer {
    enum verdict             verdict;
    enum rule                rule;       /* RULE_NONE: silent */
    uint32_t                 obligations;
    enum limit               limit;
    const struct instrument *document;
    const struct emergency  *emergency;  /* on file */
    const struct restriction *restriction;
    const char              *because;    /* a plain sentence, static; "the document …" is said of `document` */
};

/* Permit, else hold, else deny to staff, else deny, else silent; the first of two alike. */
struct answer answer_better(struct answer, struct answer);
struct answer answer_say(enum verdict, enum rule, const char *because);

struct answer basis_documents(const struct asking *, unsigned step);
struct answer basis_order(const struct asking *);            /* */
struct answer basis_own_note(const struct asking *);         /* R-04, exceptions of 2.31(b)(1)(i) */
struct answer basis_within(const struct asking *);           /* */
struct answer basis_patient(const struct asking *);          /* */
struct answer basis_emergency(const struct asking *);        /* R-13, 2.51(a)(1) */
struct answer basis_emergency_whole(const struct asking *);  /* the same, whether or not this record is needed for it */
/* 2.51(a): a permit of R-13 says "to the extent necessary": of what an emergency needs, or none. */
struct answer emergency_narrow(const struct asking *, struct answer);
/* What of 2.51(c) an emergency on file does not say, or else is wrong with it; NULL: nothing. */
const char   *emergency_lacks(const struct emergency *);
struct answer basis_redisclosure(const struct asking *);     /* step 10 */
/* Outside of Part 2, where no consent names who asks: silent when the site's default may speak. */
struct answer basis_hipaa(const struct asking *);
struct answer restriction_gate(const struct asking *);       /* step 6 */

/* The document is of this patient (or of nobody in particular, where its kind may be). */
bool basis_concerns(const struct asking *, const struct standing *);
/* Who it says may disclose is who does: the program whose record it is, or the sender. */
bool basis_discloses(const struct asking *, const struct instrument *);
/* I4: the document lists the record.  The Patient goes along with items, *limit says how far. */
bool basis_lists(const struct asking *, const struct instrument *, enum limit *limit);
/* In what capacity this very record is held: a program's own are those of the
 * program that sends it; of another program's it only holds a copy. */
enum holder basis_holder(const struct asking *);
/* Who asks belongs to the program whose record it is. */
bool basis_of_program(const struct asking *);

#endif
