/* consent/plan_evidence.h -- what may be found of what is withheld; private to plan_*.c and redact.c.
 *
 * "Repeats withheld matter" (rule C5) has to be neither a leak nor an
 * over-restriction.  What counts, and how it has to stand (docs/redaction-rules.md, C5):
 *
 *   FIND_ENTRY       Type/id, fullUrl or distinctive id of any entry of the Bundle: an edge that is followed
 *                    when that entry goes
 *   FIND_IDENTIFIER  a business identifier of a withheld resource that no resource that stays has, too
 *   FIND_PROGRAM     reference, identifier, base URL, name, telecom or address of a Part 2 program and of its
 *                    directory resources; who may have the program's records may have its name
 *   FIND_PHRASE      what a withheld resource is about: display, text, title of its main concept when that
 *                    is why it is withheld, or when the phrase tells by itself (text_scan)
 *   FIND_TOKEN       an unusual mark (letters and digits, eight or more) in a text of a withheld resource
 *   FIND_LOCAL       the main concept of a withheld resource that tells nothing by itself ("Glucose"): counts
 *                    only in the narrative of a resource or section that referred to it
 *   FIND_CODE        a code of a withheld resource: counts only in links and conditional URLs (C8)
 *   family           labels of what is withheld: text that tells of the same (text_scan) is a mention; so is
 *                    text for which the reader may not have the record
 *
 * Dead: a phrase that a resource of the same patient that stays says of itself
 * (its own main concept, its own identifier).  It is no secret of the withheld one.
 */
#ifndef SLUICE_CONSENT_PLAN_EVIDENCE_H
#define SLUICE_CONSENT_PLAN_EVIDENCE_H

#include "consent/patient_set.h"
#include "consent/plan_text.h"
#include "consent/plan_words.h"
#include "consent/plan_closure.h"

enum find {
    FIND_ENTRY = 0, FIND_IDENTIFIER, FIND_PROGRAM, FIND_PHRASE, FIND_TOKEN, FIND_LOCAL, FIND_CODE,
};

enum evidence_flag {
    EVIDENCE_WEAK   = 1,                 /* telecom, address, host, half a name: dies when one that stays has it */
    EVIDENCE_NARROW = 2,                 /* too short to be found in a text: only as a whole Identifier.value    */
    EVIDENCE_NAME   = 4,                 /* one or two words: streets and people are called so, too              */
    EVIDENCE_TELLS  = 8,                 /* of a code: it is why the resource is withheld                        */
};

struct finding_of {                      /* one per phrase of the set */
    enum find kind;
    uint32_t  entry;                     /* whose it is; of FIND_PROGRAM the index of the program */
    uint32_t  patient;                   /* whose matter it is; 0: anybody's                      */
    unsigned  flags;
    bool      dead;
};

/* What is known of texts: most strings of a Bundle are written many times (systems, codes, statuses). */
enum memo_bit {
    KNOWN_CLEAN   = 1,                   /* in no reading a phrase of the set, nor text of the family: plan_scan.c */
    KNOWN_STRANGE = 2,                   /* as it is, no phrase of the set                                         */
    KNOWN_MARKS   = 4,                   /* the marks in it are dead: plan_own.c                                   */
    KNOWN_WORTH   = 8,                   /* the opposite of clean: where it stands decides                         */
};

struct memo_text { struct span text; unsigned known; };
struct memo      { struct memo_text texts[1024]; };

struct plan_local { uint32_t phrase, next; };

struct plan_file { uint64_t hash; uint32_t entry; struct patient_set whose; bool anybodys; };      /* entry + 1; 0 is free */

struct plan_evidence {
    struct phrases       *phrases;
    struct finding_of    *of;
    uint32_t              of_room;
    struct phrases       *own;           /* rows of words that resources that stay say of themselves; kind: of whom */
    struct plan_file     *files;         /* attachments' url, hash, data of withheld resources: a hash table */
    uint32_t              file_count, file_mask;
    label_set             family;        /* labels whose text is a mention */
    uint32_t              family_entry;  /* an entry that is withheld for it */
    label_set            *families;      /* the same, by patient; [0] of records without one */
    uint32_t             *patient_of;    /* per entry: 1, 2 …; 0 when it has none, or there are too many */
    struct patient_set   *whose;         /* per entry: the same, or those of all that refer to it, also through others without
                                            a patient */
    struct patient_set   *others;        /* per entry that stays: of whom only what is withheld refers to it */
    struct span          *patients;      /* their names, as entry_patient() gives them                */
    uint32_t              patient_count;
    struct plan_local    *locals;        /* FIND_LOCAL phrases of each withheld entry, as lists */
    uint32_t              local_count, local_room;
    uint32_t             *local_of;      /* per entry: last of its list + 1 */
    bool                 *opened;        /* per program: the recipient may know it */
    const struct bundle  *bundle;        /* the input */
    const bool           *withheld;      /* per entry of it, of the plan */
    uint32_t             *stamp;         /* per phrase: entry + 1 whose narrative may not say it */
    unsigned              kinds;         /* bit enum find: there is such a phrase */
    bool                  phones;        /* there are telephone numbers among the phrases */
    bool                  any;           /* something is withheld */
    bool                  suspect;       /* there is a patient whose SUD text the reader may not have, or has by consent (P3) */
    const struct facts   *facts;
    const struct text_names *names;      /* of programs, for text_scan */
    const struct labeling *labeling;
    struct arena         *arena;
    struct memo           memo;
};

/* What is known of a text, to be asked and added to: nothing when it was not met, or another one took its
 * place.  The text outlives the memo.  The bits are good until the next call. */
unsigned *memo_known(struct memo *, struct span text);

/* NULL in *out when there is nothing that could be mentioned.  `names`:
 * whether the names of all entries are collected (FIND_ENTRY); without them
 * nothing may go. */
enum status evidence_collect(struct closure *, bool names, struct plan_evidence **out) MUST_CHECK;

/* Main concept: what the resource is about.  STRONG for types that are about
 * nothing else (Condition.code), WEAK for kinds and names (Encounter.type). */
enum concept { CONCEPT_NONE = 0, CONCEPT_WEAK, CONCEPT_STRONG };
enum concept evidence_concept(const struct closure *, tape_node leaf);

/* Another copy of a withheld attachment of these patients: its entry + 1; 0: none.  Nobody: anybody's. */
uint32_t evidence_file(const struct plan_evidence *, struct span text, struct patient_set whose);
/* Labels that the entry may carry in its own right: its text of that kind is
 * no mention. */
label_set evidence_own_labels(const struct closure *, uint32_t entry);
/* SUD, ETH and their kin are one family, mental health another. */
label_set evidence_family(label_set);
/* Whether a text that tells of `said` tells of what is withheld under these
 * labels: of the same substance, or of substance use as such. */
bool evidence_kin(const struct plan_evidence *, enum label said, label_set withheld);
/* Whether the reader may not have this entry, if it told of this. */
struct decision evidence_asked(const struct closure *, uint32_t entry, enum label);
bool evidence_closed(const struct closure *, uint32_t entry, enum label);
/* Labels whose text is a mention in what is about these patients: of their own matter. */
label_set evidence_family_for(const struct plan_evidence *, struct patient_set whose);
/* Whom a text is about: the patient of its entry, of the document inside of it, or all who refer to it. */
struct patient_set evidence_patients_at(const struct closure *, const struct plan_evidence *, uint32_t entry, tape_node leaf);
/* The document inside an entry that holds this node; NULL. */
const struct plan_inner *evidence_inner(const struct closure *, tape_node);
/* The number of a patient by its name; 0. */
uint32_t evidence_patient(const struct plan_evidence *, struct span name);
/* Readies FIND_LOCAL for one entry that stays: what it referred to and may no
 * longer name. */
void evidence_stamp(struct closure *, struct plan_evidence *, uint32_t entry);

/* Two servers may have an Observation/1 each.  The base URL of an entry,
 * from its fullUrl; empty for a urn: or none. */
struct span evidence_base(const struct bundle_entry *);
/* Whether two entries of one Type/id are one resource: of one server, as far
 * as is known. */
bool     evidence_same(const struct bundle *, uint32_t one, uint32_t other);
/* Which entry a FIND_ENTRY at this place of a text names, said by somebody with
 * this base; a withheld one before others.  ENTRY_NONE: another server's. */
uint32_t evidence_named(const struct bundle *, const bool *withheld, uint32_t first, struct span text, size_t at,
                        size_t length, struct span speaker);

/* ---- collecting: plan_evidence.c, plan_matter.c, plan_own.c ---------------------------------- */

void evidence_add(struct plan_evidence *, struct span text, enum phrase_form, enum find, uint32_t entry,
                  unsigned flags);
void evidence_add_name(struct plan_evidence *, struct span name, uint32_t program);
void evidence_add_file(struct closure *, struct plan_evidence *, struct span text, uint32_t entry);
/* "oak.example.org" of a URL; empty without one. */
struct span evidence_host(struct span url);
/* The program that a text names, ENTRY_NONE. */
uint32_t evidence_program(const struct plan_evidence *, struct span text);
uint32_t evidence_program_index(const struct facts *, const struct program *);
/* The program that the name of a directory resource tells of.  Of several: one that may not be known;
 * of somebody who stays as he acts for another: that other one. */
uint32_t evidence_program_of(struct closure *, uint32_t directory);
/* The value of a business identifier of the resource itself, not of a logical
 * reference to something else. */
bool     evidence_own_identifier(const struct closure *, tape_node leaf);

/* plan_matter.c: what withheld resources are about. */
void matter_collect(struct closure *, struct plan_evidence *);
/* plan_own.c: what resources that stay say of themselves is no evidence. */
void own_collect(struct closure *, struct plan_evidence *);

#endif
