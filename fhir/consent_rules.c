#include "fhir/consent_rules.h"

#include "base/json_walk.h"

static bool
has_text(const struct tape *t, tape_node object, struct span name)
{
    tape_node n = tape_member(t, object, name);

    return tape_kind(t, n) == TAPE_STRING && tape_raw(t, n).length > 0;
}

static bool
one_of(const struct tape *t, tape_node code, const char *const *codes)
{
    for (; *codes != NULL; codes++)
        if (tape_text_eq(t, code, span_of(*codes)))
            return true;
    return false;
}

/* consent-state-codes and consentscope, as consent/policy.c reads them. */
static bool
decides(const struct tape *t, tape_node consent)
{
    static const char *const ended[]  = { "draft", "proposed", "rejected", "inactive", "entered-in-error", NULL };
    static const char *const others[] = { "adr", "research", "treatment", NULL };
    tape_node list = tape_member(t, tape_member(t, consent, SPAN("scope")), SPAN("coding"));

    for (tape_node n = tape_first(t, list); n != TAPE_ABSENT; n = tape_next(t, n))
        if (one_of(t, tape_member(t, n, SPAN("code")), others))
            return false;
    return !one_of(t, tape_member(t, consent, SPAN("status")), ended);
}

void
consent_rules(struct report *r, tape_node consent, bool enforced)
{
    const struct tape *t       = r->bundle->tape;
    tape_node          patient = tape_member(t, consent, SPAN("patient"));
    struct finding     one     = { .node = patient != TAPE_ABSENT ? patient : consent, .code = ISSUE_BUSINESS_RULE, .rule = "consent-patient",
                                   .severity = enforced ? SEVERITY_ERROR : SEVERITY_WARNING };

    if (has_text(t, patient, SPAN("reference")) || has_text(t, tape_member(t, patient, SPAN("identifier")), SPAN("value"))
        || !decides(t, consent))
        return;
    if (report_new(r, &one))
        report_add(r, &one, SPAN("want Consent.patient to name a patient by reference or identifier: else it is nobody's and decides nothing"),
                   patient != TAPE_ABSENT ? SPAN("have neither") : SPAN("have none"), SPAN("Add patient.reference, or patient.identifier with system and value"));
}
