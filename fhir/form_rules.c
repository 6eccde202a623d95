/* fhir/form_rules.c -- Questionnaire and SearchParameter: values of the right type, expressions that are FHIRPath.
 *
 * R4 questionnaire.html: "the value's type must be the same as the item's type",
 * of choices whatever the options are; searchparameter.html.
 */
#include "base/json_walk.h"
#include "fhir/definition_rules.h"
#include "fhir/element.h"
#include "fhir/fhirpath.h"

/* Which values an item of a type may begin with; choices are not in the list. */
static const struct { const char *item, *first, *second; } initials[] = {
    { "boolean", "Boolean", "Boolean" }, { "decimal", "Decimal", "Integer" }, { "integer", "Integer", "Integer" },
    { "date", "Date", "Date" },          { "dateTime", "DateTime", "Date" },  { "time", "Time", "Time" },
    { "string", "String", "String" },    { "text", "String", "String" },      { "url", "Uri", "Uri" },
    { "attachment", "Attachment", "Attachment" }, { "reference", "Reference", "Reference" }, { "quantity", "Quantity", "Quantity" },
};

static void
check_initial(struct profiling *r, tape_node item)
{
    struct span type = definition_text(r, item, "type");

    for (size_t i = 0; i < sizeof initials / sizeof initials[0]; i++) {
        if (!span_eq_text(type, initials[i].item))
            continue;
        for (tape_node n = definition_items(r, item, "initial"); n != TAPE_ABSENT; n = tape_next(r->tape, n)) {
            struct span    have  = { NULL, 0 };
            struct element value = element_choice(r->tape, n, SPAN("value"), &have);
            if (element_present(value) && !span_eq_text(have, initials[i].first) && !span_eq_text(have, initials[i].second))
                definition_tell(r, n, SEVERITY_ERROR, "questionnaire-initial-type", "want an initial value of the item's type",
                                "have one of another");
        }
    }
}

void
questionnaire_rules(struct profiling *r, tape_node resource)
{
    tape_node end = tape_after(r->tape, tape_member(r->tape, resource, SPAN("item")));

    if (tape_member(r->tape, resource, SPAN("item")) == TAPE_ABSENT)
        return;
    for (tape_node n = tape_member(r->tape, resource, SPAN("item")); n < end && !r->report->stopped; n++)
        if (tape_kind(r->tape, n) == TAPE_OBJECT && tape_member(r->tape, n, SPAN("initial")) != TAPE_ABSENT)
            check_initial(r, n);
}

void
search_parameter_rules(struct profiling *r, tape_node resource)
{
    struct span           expression = definition_text(r, resource, "expression"), program;
    struct fhirpath_error error      = { 0 };

    if (!span_empty(expression) && fhirpath_compile(expression, r->arena, &program, &error) != ST_OK)
        definition_tell(r, tape_member(r->tape, resource, SPAN("expression")), SEVERITY_ERROR, "search-parameter-expression",
                        "want an expression that is FHIRPath", error.why != NULL ? error.why : "have one that is too large");
}
