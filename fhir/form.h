/* fhir/form.h -- a Questionnaire as tables.
 *
 * Made from the Questionnaire's tape; or it lies in a pack in the same
 * records (texts are offsets, items are numbers), and costs nothing to load.
 *
 *   items       every Questionnaire.item, parents before children, in the
 *               order of the document: the items inside item i are those up
 *               to its `after`
 *   order       the items by linkId, so that one is found by halving
 *   values      answerOption, initial, unit options and codes, side by side for an item
 *   conditions  enableWhen, side by side for an item
 *
 * An answerValueSet "#x" whose contained ValueSet lists its codes becomes
 * options; any other stays a URL for whoever knows value sets.
 *
 * Sources: R4 questionnaire.html; the extensions regex, minLength, minValue,
 * maxValue, maxDecimalPlaces, mimeType, maxSize, questionnaire-minOccurs,
 * -maxOccurs, -unitOption, -unitValueSet of R4's extension registry (extensibility-registry.html).
 */
#ifndef SLUICE_FHIR_FORM_H
#define SLUICE_FHIR_FORM_H

#include "base/arena.h"
#include "base/json_tape.h"
#include "fhir/pack_format.h"

#define FORM_NONE UINT32_MAX
/* Items of one Questionnaire; more are not read. */
#define FORM_MOST_ITEMS 65536u

/*        name         code           value[x] of an answer                              */
#define FORM_TYPE_LIST(X)                                                                \
    X(GROUP,       "group",       0)                                                     \
    X(DISPLAY,     "display",     0)                                                     \
    X(BOOLEAN,     "boolean",     F(BOOLEAN))                                            \
    X(DECIMAL,     "decimal",     F(DECIMAL))                                            \
    X(INTEGER,     "integer",     F(INTEGER))                                            \
    X(DATE,        "date",        F(DATE))                                               \
    X(DATETIME,    "dateTime",    F(DATETIME))                                           \
    X(TIME,        "time",        F(TIME))                                               \
    X(STRING,      "string",      F(STRING))                                             \
    X(TEXT,        "text",        F(STRING))                                             \
    X(URL,         "url",         F(URI))                                                \
    X(CHOICE,      "choice",      F(CODING) | F(DATE) | F(TIME) | F(INTEGER) | F(STRING) | F(REFERENCE)) \
    X(OPEN_CHOICE, "open-choice", F(CODING) | F(DATE) | F(TIME) | F(INTEGER) | F(STRING) | F(REFERENCE)) \
    X(ATTACHMENT,  "attachment",  F(ATTACHMENT))                                         \
    X(REFERENCE,   "reference",   F(REFERENCE))                                          \
    X(QUANTITY,    "quantity",    F(QUANTITY))

enum form_type {
    FORM_UNKNOWN = 0,                    /* nothing is known of its answers */
#define X(name, code, values) FORM_##name,
    FORM_TYPE_LIST(X)
#undef X
};

/*        name         behind "value", "answer" or "initial" */
#define FORM_VALUE_LIST(X)                                                               \
    X(BOOLEAN, "Boolean") X(DECIMAL, "Decimal") X(INTEGER, "Integer") X(DATE, "Date")    \
    X(DATETIME, "DateTime") X(TIME, "Time") X(STRING, "String") X(URI, "Uri")            \
    X(CODING, "Coding") X(QUANTITY, "Quantity") X(ATTACHMENT, "Attachment") X(REFERENCE, "Reference")

enum form_value_type {
    FORM_VALUE_NONE = 0,
#define X(name, text) FORM_VALUE_##name,
    FORM_VALUE_LIST(X)
#undef X
    FORM_VALUE_OTHER                     /* of a type that no answer has */
};

enum form_flag {
    FORM_REQUIRED = 1, FORM_REPEATS = 2, FORM_READ_ONLY = 4,
    FORM_ANY = 8,                        /* enableBehavior any */
    FORM_ELSEWHERE = 16,                 /* what enables it is said in an expression: not decided */
    FORM_LISTED = 32,                    /* its options are a list, even when it is empty */
};

struct form_value {
    struct pack_text text;               /* the code of a Coding, the number of a Quantity */
    struct pack_text system, unit;       /* unit: its code, or the text without a code;
                                          * of an option its ordinalValue                  */
    struct pack_text display;            /* of a Coding                                    */
    uint32_t         type;               /* enum form_value_type                           */
};

enum form_operator { FORM_EXISTS = 1, FORM_EQUAL, FORM_NOT_EQUAL, FORM_MORE, FORM_LESS, FORM_MORE_OR_EQUAL, FORM_LESS_OR_EQUAL };

struct form_condition {
    struct form_value value;
    uint32_t          target;            /* item; FORM_NONE when there is no such */
    uint32_t          operator;          /* 0: one that R4 does not have          */
};

struct form_item {
    struct pack_text link_id, text;
    struct pack_text loinc;              /* the item's code, when it has one of LOINC */
    struct pack_text definition;
    struct pack_text value_set;          /* answerValueSet that is no list here; of a quantity its units' */
    struct pack_text regex, min_value, max_value, mime_type, max_size;
    uint32_t         parent, after;
    uint32_t         first_option, option_count;     /* of values     */
    uint32_t         first_initial, initial_count;
    uint32_t         first_unit, unit_count;
    uint32_t         first_code, code_count;
    uint32_t         first_condition, condition_count;
    uint32_t         min_length, max_length;         /* characters; FORM_NONE: any */
    uint32_t         min_occurs, max_occurs;         /* FORM_NONE: not said        */
    uint32_t         max_places;                     /* behind the decimal point   */
    uint16_t         type, flags;
};

struct form {
    struct pack_text             url, version, title, status, from, until;    /* effectivePeriod */
    uint32_t                     first_code, code_count;              /* of values: Questionnaire.code */
    uint32_t                     number; /* of one from a pack: which of its forms */
    const char                  *texts;
    const struct form_item      *items;
    const uint32_t              *order;
    const struct form_value     *values;
    const struct form_condition *conditions;
    uint32_t                     item_count, value_count, condition_count, text_length;
    const tape_node             *nodes;  /* of the items; NULL for one from a pack */
};

/* From a Questionnaire resource; parents as tape_parents() gives them.  What
 * is malformed is passed over: the validator finds it.  NULL: arena spent, or
 * too many items. */
const struct form *form_read(const struct tape *, const tape_node *parents, tape_node questionnaire, struct arena *);
/* Where in `order` the items with this linkId begin (a Questionnaire should have one, and
 * may have more), FORM_NONE when there is none. */
uint32_t           form_place(const struct form *, struct span link_id);
/* First item with this linkId, FORM_NONE when there is none. */
uint32_t           form_find(const struct form *, struct span link_id);

enum form_type       form_type_named(struct span code);
const char          *form_type_code(enum form_type);
/* A bit (1 << enum form_value_type) for each type its answers may have. */
uint32_t             form_type_values(enum form_type);

static inline struct span
form_text(const struct form *f, struct pack_text text)
{
    return span_from(f->texts + text.offset, text.length);
}

/* ---- what is loaded --------------------------------------------------------- */

enum form_member { FORM_MEMBER_UNKNOWN = 0, FORM_MEMBER_YES, FORM_MEMBER_NO };

/* Each may be NULL. */
struct form_source {
    /* version may be empty; NULL when there is none. */
    const struct form *(*find)(const void *with, struct span url, struct span version, struct arena *);
    enum form_member (*member)(const void *with, struct span value_set, struct span system, struct span code);
    const void *with;
};

/* ---- answers ---------------------------------------------------------------- */

/* value[x], answer[x]: of a tape.  The texts borrow it or live in the arena. */
struct answer_value {
    enum form_value_type type;           /* NONE: there is none */
    tape_node            node;
    struct span          text, system, unit, display;
};
struct answer_value answer_read(const struct tape *, tape_node object, struct span stem, struct arena *);

#endif
