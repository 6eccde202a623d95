/* consent/labeling_work.h -- what the parts of labelling share; private to labeling*.c.
 *
 *     labeling.c          label_bundle(): units -> content -> source -> links -> the result
 *     labeling_content.c  one walk over the tape: codes, text, answers, given labels
 *     labeling_asked.c    what the questions of a Questionnaire are about, for answers that have but a linkId
 *     labeling_source.c   which resources are a registered program's (P1, D.2)
 *     labeling_notice.c   what came with the notice of 42 CFR 2.32 was disclosed by a program
 *     labeling_links.c    what hangs on what (P4), and content that is somebody else's too
 *     attachment.c        decoded content (C7)
 *
 * A unit is a resource of the bundle, contained and nested ones too, in the
 * order of bundle_resource_at(); what is found in a unit counts for its entry.
 */
#ifndef SLUICE_CONSENT_LABELING_WORK_H
#define SLUICE_CONSENT_LABELING_WORK_H

#include "base/json_walk.h"
#include "consent/attachment.h"
#include "consent/codes.h"
#include "consent/labeling.h"
#include "consent/program.h"
#include "consent/text.h"

enum unit_kind {
    UNIT_OTHER = 0,
    UNIT_PATIENT,                        /* Patient, Person: never protected for an element alone */
    UNIT_DIRECTORY,                      /* Organization, Location, HealthcareService, Endpoint ... */
    UNIT_ROLE,                           /* PractitionerRole */
    UNIT_PRACTITIONER,
    UNIT_COMPOSITION, UNIT_ENCOUNTER, UNIT_EPISODE, UNIT_ALLERGY, UNIT_FAMILY, UNIT_OBSERVATION, UNIT_REPORT,
    UNIT_MEDICATION, UNIT_PROVENANCE, UNIT_BINARY, UNIT_DOCUMENT, UNIT_TASK, UNIT_CONSENT, UNIT_MESSAGE, UNIT_FORM, UNIT_RESPONSE,
};

enum { OTHERS_MAX = 4, OWNERS_MAX = OTHERS_MAX + 1, PENDING_MAX = 8, EVIDENCE_MAX = 24, MEMO_TEXTS = 64, MEMO_CODES = 64, SYSTEM_SLOTS = 16 };

struct known_system { struct span uri; enum code_system system; bool list; };
struct code_memo { struct span code; enum code_system system; const struct code_row *row; };
struct text_memo { struct span text; struct text_finding finding; };

struct pending { const struct code_row *row; tape_node node; };   /* a T2 code that waits for the controls */

/* The programs of a directory resource: a role at one program's place in another's service is of both.
 * Of those that only consents name one, as they may all be names of the same. */
struct owners {
    const struct program *of[OWNERS_MAX];
    unsigned              count;
    bool                  itself;        /* it says so itself, and not what it is part of */
    bool                  each;          /* somebody who acts for each of them */
};

struct unit {
    tape_node             node;
    uint32_t              entry;         /* ENTRY_NONE: the Bundle itself */
    enum unit_kind        kind;
    label_set             labels;        /* content                                          */
    unsigned              contexts;      /* enum code_context                                */
    struct pending        pending[PENDING_MAX];
    unsigned              pending_count;
    unsigned              drugs;         /* enum text_drug, by text                          */
    tape_node             drug_node;
    const struct code_row *waiting;      /* a T3 code: needs an indication                   */
    tape_node             waiting_node;
    label_set             setting;       /* a directory resource that says it is a program   */
    bool                  stated;        /* it has a code or a text that says what it is     */
    struct owners         owners;        /* of a directory resource */
};

/* What the element of a reference means: rows of source_elements.def. */
enum role {
    ROLE_SOURCE = 1 << 0, ROLE_MEMBER = 1 << 1, ROLE_UP = 1 << 2, ROLE_DOWN = 1 << 3,
    ROLE_SAYS = 1 << 4, ROLE_GIVES = 1 << 5, ROLE_WHOLE = 1 << 6, ROLE_REASON = 1 << 7,
};

struct note { struct evidence evidence; struct note *next; };

struct entry_work {
    label_set             labels;
    const struct program *program;
    const struct program *others[OTHERS_MAX];    /* further ones whose record it is */
    unsigned              other_count;
    enum part2_status     part2;
    unsigned              step;          /* P4: 1 by its own source, then one more a link    */
    struct span           path;          /* how it hangs on the program, for evidence        */
    bool                  confirmed;
    bool                  claimed;       /* an untrusted 42CFRPart2 label                    */
    bool                  source_only;
    bool                  by_unit, otherwise;  /* confirmed by its own words that a unit made it; in another way */
    unsigned              facility_notes; /* of the evidence: what the place that it comes from says of itself */
    bool                  shared;
    bool                  directory;
    bool                  each;          /* struct labeled */
    bool                  counseling_note;
    bool                  uninspected;
    bool                  ties_patient;
    struct note          *first, *last;
    unsigned              notes;
    struct foreign       *foreign;
    struct said          *said;          /* mentions */
    struct made           made;          /* when, if a program says when it was one  */
    struct apart_item    *apart;
    unsigned              apart_count;
};

struct foreign { struct coding coding; struct foreign *next; };
struct said    { struct mention mention; struct said *next; };
struct apart_item { struct apart apart; struct apart_item *next; };

struct shown   { struct unit *unit; tape_node object, display; struct shown *next; };

struct registry;                         /* labeling_source.c */
struct role_index;
struct forms;                            /* labeling_asked.c */

struct work {
    const struct bundle     *bundle;
    const struct references *references;
    const struct facts      *facts;
    const struct tape       *tape;
    struct arena            *arena;
    const struct text_names *names;
    const struct registry   *registry;
    struct unit             *units;
    uint32_t                 unit_count;
    uint32_t                *unit_of;    /* entry -> its own unit, ENTRY_NONE when it has no resource */
    struct entry_work       *entries;
    uint8_t                 *roles;      /* of each reference                                */
    const struct role_index *role_index; /* labeling.c                                       */
    struct shown            *shown;      /* references that have nothing but a display, last first */
    size_t                   decode_left;/* bytes that attachments may still decode to */
    bool                     trusted;    /* meta.security of this sender is believed */
    bool                     extended;   /* some resource has extensions in its meta */
    struct known_system      systems[SYSTEM_SLOTS];      /* those that were looked up */
    struct text_memo        *memo;       /* MEMO_TEXTS: what was read lately is not read again */
    struct code_memo        *codes;      /* MEMO_CODES */
    struct forms            *forms;      /* NULL: no response has named one yet */
};

/* As tape_text(), for nodes that exist. */
static inline struct span
work_text(const struct work *w, tape_node n)
{
    enum tape_kind kind = walk_kind(w->tape, n);

    if (kind != TAPE_STRING && kind != TAPE_NAME)
        return (struct span){ NULL, 0 };
    return walk_escaped(w->tape, n) ? tape_text(w->tape, n, w->arena) : walk_raw(w->tape, n);
}

/* Evidence and labels of an entry.  `because` is copied only when it is made
 * by work_sentence(). */
void work_label(struct work *, uint32_t entry, enum label, tape_node, const char *rule, struct span because);
void work_note(struct work *, uint32_t entry, enum label, tape_node, const char *rule, struct span because);
/* One more program whose record it is; true when that is news. */
bool work_program(struct work *, uint32_t entry, const struct program *);
void work_mention(struct work *, uint32_t entry, enum label, tape_node);
/* What names a program in a record that was made when it was none. */
void work_apart(struct work *, uint32_t entry, tape_node, const struct program *);
/* Up to four parts as one text in the arena. */
struct span work_sentence(struct work *, const char *a, struct span b, const char *c, const char *d);
/* The unit of a resource node; NULL for none.  `entry` is where it probably is. */
struct unit *work_unit(const struct work *, uint32_t entry, tape_node resource);
struct unit *work_target(const struct work *, const struct reference *);
/* Name of the member that holds this node, over an array; *object is the object around it. */
struct span  work_element(const struct work *, tape_node node, tape_node *object);

/* What a reference in this place means: enum role. */
uint8_t      work_role(const struct work *, tape_node node);

/* labeling_content.c: all units; T2 and T3 are settled as far as the unit itself says. */
void content_label(struct work *);

/* The row of a code wherever it stands; NULL. */
const struct code_row *content_row(struct work *, struct span system, struct span code);

/* labeling_asked.c: answers that say nothing themselves ("7": true) are answers to the
 * Questionnaire that the response names.
 *
 * Q1  It is the one that the reference resolves to, and every one of that canonical URL: of the
 *     Bundle (contained ones too), of the facts (store, request file), of the loaded packages. A version
 *     is that version, or one that says none; when there is no such, any version.
 * Q2  Several of one name, and several items of one linkId: what any of them says counts.
 * Q3  A question is about its text, definition and codes, those of the items around it, and the
 *     Questionnaire's title and codes.
 * Q4  More than ASKED_FORMS of one name, or one of more items than are read (FORM_MOST_ITEMS): the response is uninspected.
 * Q5  None is known: nothing is guessed, and the response says what it says itself; a site may want it held
 *     (site_policy.hold_unknown_questions).
 *
 * Cost: a Questionnaire is read once a Bundle, an item once however often it is answered. */
enum { ASKED_FORMS = 8, QUESTION_ROWS = 8, OPTIONS_ALIKE = 8 };

struct asked_form;
struct asked { struct asked_form *of[ASKED_FORMS]; unsigned count; bool unknown; };      /* unknown: Q4 */

struct question_row { const struct code_row *row; bool whatever; };       /* whatever the answer is */
struct question {
    label_set            words;          /* when an answer affirms it */
    struct question_row  rows[QUESTION_ROWS];
    unsigned             row_count;
    const struct form   *form;
    uint32_t             place;          /* in form->order */
    const struct lookup *options;        /* by code; NULL: not needed yet */
};
struct asked_option { struct span system, display; };

struct asked        asked_of(struct work *, const struct unit *response);
struct question    *asked_question(struct work *, struct asked_form *, struct span link_id);   /* NULL: it has none */
struct asked_option asked_option(struct work *, struct question *, struct span system, struct span code);
label_set           asked_words(struct work *, struct span text);
void                asked_nowhere(struct work *, const struct unit *response, tape_node answer);      /* Q5 */

/* labeling_source.c */
enum status source_registry(struct work *);
void        source_directory(struct work *);             /* before the content is read */
void        source_read(struct work *);                  /* after it                   */
bool        source_former(const struct work *, const struct unit *);          /* program.h T8 */
const struct program *source_first_row(const struct work *, const struct program *);    /* program.h T5 */
void        source_notice(struct work *);                /* labeling_notice.c: 42 CFR 2.32 came along */
bool        source_has_servers(const struct work *);     /* some program is known by a base URL */
/* The program whose server an address is on, if it was one when the entry was made. */
const struct program *source_of_url(const struct work *, uint32_t entry, struct span url);

/* labeling_links.c */
void links_follow(struct work *);

#endif
