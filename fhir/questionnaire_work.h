/* fhir/questionnaire_work.h -- what the parts of the check of one response share; private to
 * questionnaire.c, questionnaire_answer.c and questionnaire_enable.c.
 */
#ifndef SLUICE_FHIR_QUESTIONNAIRE_WORK_H
#define SLUICE_FHIR_QUESTIONNAIRE_WORK_H

#include "fhir/questionnaire.h"

/* An item of the response.  They are in document order, so what is inside of
 * item i are the next ones up to its `after`. */
struct met {
    tape_node node, container;           /* container: the resource, an item or an answer   */
    uint32_t  form;                      /* item of the form; FORM_NONE: not one of it      */
    uint32_t  up;                        /* the item around; FORM_NONE: none                */
    uint32_t  after;
    uint32_t  answers;
    bool      said;                      /* it has answers or items: else it counts as none */
    bool      off;                       /* it, or an item around it, is not enabled        */
};

struct check {
    struct report            *report;
    const struct form_source *source;
    const struct form        *form;
    const struct tape        *t;
    const tape_node          *parents;
    struct arena             *arena;
    tape_node                 response;
    bool                      complete;  /* completed or amended */
    uint64_t                  steps;     /* that are left        */
    struct met               *met;
    uint32_t                  count, room;
    /* Items of the response by item of the form: places[first[i] .. first[i + 1]). */
    uint32_t                 *first, *places;
    struct span              *programs;  /* of regex, by item of the form; made on demand */
};

/* A finding of a rule at a node; found: NULL for the plain facts about the node. */
void work_add(struct check *, tape_node, enum severity, enum issue_code, const char *rule, struct span wanted,
              const char *found);
/* False when the budget is spent. */
bool work_step(struct check *, uint64_t steps);

enum ordering { ORDER_UNKNOWN = 0, ORDER_LESS, ORDER_EQUAL, ORDER_MORE, ORDER_OTHER };
enum ordering answer_compare(const struct answer_value *, const struct answer_value *);
struct answer_value answer_of(const struct form *, const struct form_value *);

/* The answers of one item (questionnaire_answer.c). */
void work_answers(struct check *, const struct met *);

/* Whether an item of the form is enabled inside a container of the response
 * (questionnaire_enable.c). */
enum enabled { ENABLED_UNKNOWN = 0, ENABLED_YES, ENABLED_NO };
enum enabled work_enabled(struct check *, uint32_t item, tape_node container);

#endif
