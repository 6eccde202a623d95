/* fhir/pack_forms.h -- the Questionnaires of a pack: how they lie, and finding one.
 *
 * Sections behind those of fhir/pack_format.h; the records of items, values
 * and conditions are fhir/form.h's.  An index inside of a form counts from the
 * form's own first record, so forms are copied as they are when a pack is
 * compiled on top of another.
 */
#ifndef SLUICE_FHIR_PACK_FORMS_H
#define SLUICE_FHIR_PACK_FORMS_H

#include "fhir/form.h"

struct pack_form {
    struct pack_text url, version, title, status, from, until;
    uint32_t         key;                /* tape_key_of(url) */
    uint32_t         first_item, item_count;         /* of FORM_ITEMS, and of FORM_ORDER */
    uint32_t         first_value, value_count;
    uint32_t         first_condition, condition_count;
    uint32_t         first_code, code_count;         /* of its values */
    uint32_t         spare;
};

/* What pack_open asks. */
bool pack_forms_good(const struct pack *);

/* Questionnaires and value sets as a source of questionnaires_check(); of
 * several versions the last one that was compiled. */
struct form_source pack_form_source(const struct pack *);
uint32_t           pack_form_count(const struct pack *);

#endif
