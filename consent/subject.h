/* consent/subject.h -- whose record it is, and whose consent (rule K1).
 *
 * A record follows its own patient's consents.  One without a patient of its
 * own (a Medication) is judged for the patients of the records that refer to
 * it, also through others without one (a Substance, through its Medication), at most
 * SUBJECTS_THROUGH of them; what is named by its URL, as a Questionnaire is, for those of
 * who names it as well (canonical.h; more than SUBJECTS_APART are nobody).  Of several all must permit, as it may tell of each of them;
 * but a resource of a type that tells of no patient (type_is_of_no_patient) is part of each one's record, and
 * one is enough (a drug may be of other programs for each, shared_drug.h), and where it is not known who refers to it, it is judged for all of the Bundle.  A directory resource that is neither labelled nor Part 2 is nobody's.
 * Same patient: the same entry of the bundle, or the same name in any spelling
 * (match.h M2).  Who is named by identifier alone is whoever in the bundle has
 * that identifier, else the Patient that the facts say has it (facts.names), else somebody
 * of whom no more is known than that identifier.  Another identity that a link names is another
 * subject: what of it is heard here, and what is not, is K12 (linked.h).
 */
#ifndef SLUICE_CONSENT_SUBJECT_H
#define SLUICE_CONSENT_SUBJECT_H

#include "consent/match.h"

/* A patient, as an entry of the bundle or by name.  The key is the same for
 * all spellings of a name: most patients are told apart by it alone. */
struct subject {
    uint32_t    entry;
    uint64_t    key;
    struct span name;
};

struct linked;
struct canonicals;
struct several;
struct speakers;

enum { SUBJECTS_APART = 64, SUBJECTS_THROUGH = 64 };

struct whose {                           /* what it takes to tell */
    const struct references *references; /* may be NULL */
    const struct facts      *facts;
    struct arena            *arena;
    struct subject           only;       /* the one patient of the bundle, once it was asked for */
    bool                     only_known;
    const struct canonicals *canonicals; /* read when the first definition is judged */
    struct speakers        **naming;     /* by group of it: who names that URL                          */
    struct several          *everybody;  /* once it was asked for                                       */
    struct speakers        **speakers;   /* by entry, of those that others are asked through: who refers to it */
    bool                     canonicals_known;
    struct subject           last;       /* of the entry asked for last: most of a bundle are one patient's */
    const struct linked     *linked;         /* NULL: nobody is linked with anybody (linked.h) */
};

struct whose   whose_of(const struct references *, const struct facts *, struct arena *);
/* Of one record, into out, which has room for subjects_most(). */
size_t         subjects_of(struct whose *, const struct record *, struct subject *out);
size_t         subjects_most(const struct whose *);
struct subject subject_of_entry(struct whose *, uint32_t entry);
struct subject subject_named(struct span name);
/* Who is meant by what a reference to a patient says: the Patient of facts.names, else the same text. */
struct span    patient_known_as(const struct facts *, struct span name);
/* Whom a document on file or a link names, in the bundle when it is there. */
struct subject subject_of_reference(const struct whose *, struct span reference);
struct subject subject_of_consent(struct whose *, const struct consent *);
/* R4 has no element in it for a patient, and defines it as a thing, a place, a person who works or a
 * definition: a Medication, an Organization, a Questionnaire. */
bool           type_is_of_no_patient(struct span type);
bool           same_subject(const struct subject *, const struct subject *);
/* Two identities of one person, as links say: not the same subject (K12). */
bool           linked_subject(const struct whose *, const struct subject *, const struct subject *);

#endif
