/* fhir/definition_rules.h -- resources that define: what their definitions cannot ask of them.
 *
 *     definition_rules()     every resource of a range, by its type
 *        structure_rules()   StructureDefinition       (fhir/structure_rules.c)
 *        code_system_rules() CodeSystem                (fhir/terminology_rules.c)
 *        value_set_rules()   ValueSet
 *        concept_map_rules() ConceptMap
 *        questionnaire_rules(), search_parameter_rules()   (fhir/form_rules.c)
 *
 * What they refer to is looked for in the pack; what is not there is not
 * judged.  The rules by their ids: docs/validation.md 10.  Each is linear in
 * the resource, times the children of one element of R4 at most.
 */
#ifndef SLUICE_FHIR_DEFINITION_RULES_H
#define SLUICE_FHIR_DEFINITION_RULES_H

#include "fhir/bundle_table.h"
#include "fhir/profile.h"

enum status definition_rules(struct profiling *, struct resource_range) MUST_CHECK;

/* ---- private to the files named above ---------------------------------------------- */

void structure_rules(struct profiling *, tape_node resource);
void code_system_rules(struct profiling *, tape_node resource);
void value_set_rules(struct profiling *, tape_node resource);
void concept_map_rules(struct profiling *, tape_node resource);
void questionnaire_rules(struct profiling *, tape_node resource);
void search_parameter_rules(struct profiling *, tape_node resource);

/* A finding of one of these rules; `found` is a sentence's end, "have …". */
void definition_tell(struct profiling *, tape_node, enum severity, const char *rule, const char *wanted, const char *found);
/* The first item of a list, TAPE_ABSENT when the member is no array. */
tape_node   definition_items(const struct profiling *, tape_node object, const char *name);
struct span definition_text(const struct profiling *, tape_node object, const char *name);

#endif
