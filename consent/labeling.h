/* consent/labeling.h -- which resource is sensitive, which is Part 2, and why.
 *
 * Two independent signals (42 CFR 2.11, 2.12(a)): origin in a Part 2 program,
 * which makes a record protected, and content, which tells of substance use.
 *
 *   by source   P1, P2, P4 of docs/redaction-rules.md: source elements,
 *               meta.source, fullUrl, Provenance, Location and Organization
 *               that are part of the program; contained ones too; then what
 *               hangs on a protected record, at most four steps
 *   by code     codes.def tables: (system, code) exact and by prefix, system as URL, OID
 *               or URN, ICD-10-CM dotted or not, `coding` anywhere, choice elements,
 *               answers, components, contained
 *   by form     an answer that is bare ("7": true): what its Questionnaire asks there (labeling_work.h, Q1 to Q5)
 *   by text     term lists with negation and false-positive controls, only
 *               where there is no code that speaks
 *   by content  attachments decoded (text, HTML, RTF, XML, gzip, base64, FHIR) and
 *               scanned; what cannot be read is uninspected
 *
 *   by label    meta.security; and inline labels (HL7 DS4P extension-inline-sec-label), which speak of
 *               the element that holds them: a mention, and not what the resource is
 *
 * Truth table (D.1): source CONFIRMED -> PART2_CONFIRMED; sender unknown and
 * SUD content -> PART2_SUSPECT, handled as confirmed; sender not a program ->
 * PART2_NOT whatever the content, unless a trusted or inherited label says so.
 * With LABELS_GIVEN meta.security is the only content signal: SUD-family or
 * 42CFRPart2 labels from a sender of unknown status are SUSPECT.
 *
 * Each label has evidence: which node, which rule, in one plain sentence.
 */
#ifndef SLUICE_CONSENT_LABELING_H
#define SLUICE_CONSENT_LABELING_H

#include "consent/facts.h"
#include "consent/inspected.h"
#include "consent/label.h"
#include "fhir/reference.h"

enum part2_status { PART2_SUSPECT = 0, PART2_CONFIRMED, PART2_NOT };   /* zeroed memory protects */

struct evidence {
    enum label  label;                   /* LABEL_NONE: about source or inspection */
    tape_node   node;                    /* what said it                            */
    const char *rule;                    /* "P1", "P2", "P3", "P4", "code", "text", "form", "attachment" */
    struct span because;                 /* plain sentence, codes but no free text of the payload */
};

/* An element that says it in a resource that has other things to say: of a
 * Patient (never withheld for an element, C5), a Composition's section (C4), a tag
 * (C9).  The plan cuts it for a reader who may not have `label`. */
struct mention { enum label label; tape_node node; };

/* An element, or a whole directory resource, that names a program which was none when this was made. */
struct apart { tape_node node; const struct program *program; };

struct labeled {                         /* one entry */
    label_set              labels;       /* content, given ones, SUD and 42CFRPart2 by source, confidentiality */
    const struct coding   *foreign;      /* security labels that labels.def does not know */
    size_t                 foreign_count;
    enum part2_status      part2;
    const struct program  *program;      /* whose record it is, when source says */
    const struct program *const *others; /* … and whose as well (P7); NULL among them: of more than were counted */
    size_t                 other_count;
    bool                   source_only;  /* a unit of a general hospital made it, as it says itself; nothing else makes it protected */
    bool                   shared;       /* a drug that tells, protected as far as those who name it are (shared_drug.h) */
    bool                   directory;    /* Organization, Location … of the program itself (C3); of several: of all of them */
    bool                   each;         /* … a Practitioner with roles in each: it may be known by one of them */
    bool                   counseling_note; /* 42 CFR 2.11 "SUD counseling notes": author-labelled only */
    bool                   uninspected;  /* holds content that could not be read */
    bool                   ties_patient; /* P5: says only that patient and program belong together */
    const struct evidence *evidence;
    size_t                 evidence_count;
    const struct mention  *mentions;
    size_t                 mention_count;
    bool                   inspected;    /* a person read what could not be inspected: no substance use */
    const struct determination *found;   /* what a person found about it (review.h); of the outer bundle only */
    size_t                 found_count;
    const struct apart    *apart;        /* what stands in them is no mention (consent/program.h) */
    size_t                 apart_count;
    const struct program *const *ties;   /* programs whose record it is, or that it names as `apart`; of a directory */
    size_t                 tie_count;    /* resource whose it is: each by the first of its rows (program.h T5)   */
};

struct labeling {
    const struct bundle  *bundle;
    const struct labeled *of;            /* one per entry */
};

enum status label_bundle(const struct bundle *, const struct references *, const struct facts *,
                         struct arena *, const struct labeling **out) MUST_CHECK;
/* label_bundle() until every document has been read that somebody outside can
 * read; `facts` say who was answered so far.  ST_TOO_LARGE: there are more than are read (inspected.h, I3);
 * ST_UNAVAILABLE: they cannot be read now (I5). */
enum status label_inspected(const struct bundle *, const struct references *, const struct facts *,
                            const struct inspected_asker *, struct arena *, const struct labeling **out) MUST_CHECK;
bool        labeled_of(const struct labeled *, const struct program *);  /* whether it is this program's record */
/* `program`, then `others`: 0 to other_count; NULL where it is not known which. */
const struct program *labeled_program(const struct labeled *, size_t);
const char *part2_text(enum part2_status);           /* "suspect", "confirmed", "not" */

/* For the plan (rules C4, C5): does this text tell of substance use or name a
 * program, by its name (consent/text.h; NULL: there are none) or its number?
 * Unescaped text, narrative with or without markup. */
struct text_names;
struct text_hit { bool hit; enum label label; size_t at, length; };
struct text_hit text_scan(struct span text, const struct text_names *);

#endif
