/* fhir/structural.c -- which findings nobody may waive. */
#include "fhir/structural.h"

/* docs/validation.md has a sentence for each.  Not `profile:cost` and
 * `questionnaire-budget`: the rest was not looked at. */
static const char *const waivable[] = {
    "profile:cardinality", "profile:type", "profile:target", "profile:slicing", "profile:fixed", "profile:pattern",
    "profile:bounds", "profile:max-length", "profile:aggregation", "profile:versioning", "profile:unknown",
    "binding", "binding:undecided", "code-unknown", "coding-value-set", "coding-alias", "display", "unit-unknown",
    "extension-unknown", "extension-context",            /* not extension-modifier: it changes what is around it */
    "questionnaire-condition", "questionnaire-enabled", "questionnaire-initial", "questionnaire-linkid",
    "questionnaire-option", "questionnaire-order", "questionnaire-repeats", "questionnaire-required",
    "questionnaire-status", "questionnaire-text", "questionnaire-type", "questionnaire-unknown", "questionnaire-value",
    "score-code", "score-range", "score-total",
    "definition-url", "definition-base", "definition-path", "definition-order", "definition-cardinality", "definition-type",
    "definition-target", "definition-binding", "definition-invariant", "definition-value",
    "code-system-count", "code-system-content", "code-system-property", "code-system-supplement",
    "value-set-system", "value-set-import", "value-set-code", "value-set-filter", "concept-map-code", "concept-map-value-set",
    "questionnaire-initial-type", "search-parameter-expression",
};

/* "bdl-7" is of the family "bdl-". */
static const char *const families[] = { "ele-", "ext-", "dom-", "bdl-", "ref-", "txt-", "per-",
                                        "bundle-", "contained-" };

bool
issue_structural(const struct issue *issue)
{
    struct span rule = span_of(issue->rule);

    for (size_t i = 0; i < sizeof waivable / sizeof waivable[0]; i++)
        if (span_eq_text(rule, waivable[i]))
            return false;
    if (issue->code != ISSUE_INVARIANT || span_empty(rule))
        return true;
    for (size_t i = 0; i < sizeof families / sizeof families[0]; i++)
        if (span_starts(rule, span_of(families[i])))
            return true;
    return false;
}
