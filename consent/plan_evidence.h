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
 *   family           labels of what is withheld: text that tells of the same (text_scan) is a mention
 *
 * Dead: a phrase that a resource that stays says of itself (its own main
 * concept, its own identifier).  It is no secret of the withheld one.
 */
#ifndef SLUICE_CONSENT_PLAN_EVIDENCE_H
#define SLUICE_CONSENT_PLAN_EVIDENCE_H

#include "consent/plan_words.h"
#include "consent/plan_closure.h"

enum find {
    FIND_ENTRY = 0, FIND_IDENTIFIER, FIND_PROGRAM, FIND_PHRASE, FIND_TOKEN, FIND_LOCAL, FIND_CODE,
};

struct finding_of {                      /* one per phrase of the set */
    enum find kind;
    uint32_t  entry;                     /* whose it is; of FIND_PROGRAM the index of the program */
    bool      dead;
    bool      weak;                      /* telecom, address, host: dies when a resource that stays has it */
};

/* Texts that were seen to be clean. */
struct memo { struct span texts[1024]; };

struct plan_local { uint32_t phrase, next; };

struct plan_file { uint64_t hash; uint32_t entry; };      /* entry + 1; 0 is free */

struct plan_evidence {
    struct phrases       *phrases;
    struct finding_of    *of;
    uint32_t              of_room;
    struct phrases       *own;           /* rows of words that resources that stay say of themselves */
    struct plan_file     *files;         /* attachments' url, hash, data of withheld resources: a hash table */
    uint32_t              file_count, file_mask;
    label_set             family;        /* labels whose text is a mention */
    uint32_t              family_entry;  /* an entry that is withheld for it */
    struct plan_local    *locals;        /* FIND_LOCAL phrases of each withheld entry, as lists */
    uint32_t              local_count, local_room;
    uint32_t             *local_of;      /* per entry: last of its list + 1 */
    bool                 *opened;        /* per program: the recipient may know it */
    const bool           *withheld;      /* per entry, of the plan */
    uint32_t             *stamp;         /* per phrase: entry + 1 whose narrative may not say it */
    bool                  any;           /* something is withheld */
    bool                  suspect;       /* sender of unknown status: SUD text is suspect by itself (P3) */
    const struct facts   *facts;
    const struct labeling *labeling;
    struct arena         *arena;
    struct memo           memo;
};

/* NULL in *out when there is nothing that could be mentioned.  `names`:
 * whether the names of all entries are collected (FIND_ENTRY); without them
 * nothing may go. */
enum status evidence_collect(struct closure *, bool names, struct plan_evidence **out) MUST_CHECK;

/* Main concept: what the resource is about.  STRONG for types that are about
 * nothing else (Condition.code), WEAK for kinds and names (Encounter.type). */
enum concept { CONCEPT_NONE = 0, CONCEPT_WEAK, CONCEPT_STRONG };
enum concept evidence_concept(const struct closure *, tape_node leaf);

/* Readies FIND_LOCAL for one entry that stays: what it referred to and may no
 * longer name. */
void evidence_stamp(struct closure *, struct plan_evidence *, uint32_t entry);

/* 0: not one; else its entry + 1. */
uint32_t evidence_file(const struct plan_evidence *, struct span text);
/* Labels that the entry may carry in its own right: its text of that kind is
 * no mention. */
label_set evidence_own_labels(const struct closure *, uint32_t entry);
/* SUD, ETH and their kin are one family. */
label_set evidence_family(label_set);

#endif
