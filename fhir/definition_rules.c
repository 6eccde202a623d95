#include "fhir/definition_rules.h"

#include <string.h>

#include "base/json_walk.h"

#define NOTHING ((struct span){ NULL, 0 })

void
definition_tell(struct profiling *r, tape_node node, enum severity severity, const char *rule, const char *wanted,
                const char *found)
{
    struct finding f = { .node = node, .severity = severity, .code = ISSUE_BUSINESS_RULE, .rule = rule };

    if (report_new(r->report, &f))
        report_add(r->report, &f, span_of(wanted), span_of(found), NOTHING);
}

tape_node
definition_items(const struct profiling *r, tape_node object, const char *name)
{
    tape_node list = tape_member(r->tape, object, span_of(name));

    return tape_kind(r->tape, list) == TAPE_ARRAY ? tape_first(r->tape, list) : TAPE_ABSENT;
}

struct span
definition_text(const struct profiling *r, tape_node object, const char *name)
{
    return tape_member_text(r->tape, object, span_of(name), r->arena);
}

/* R4 references.html#canonical: what a canonical names has an absolute URL. */
static void
check_url(struct profiling *r, tape_node resource)
{
    struct span url = definition_text(r, resource, "url");

    if (!span_empty(url) && !url_absolute(url))
        definition_tell(r, tape_member(r->tape, resource, SPAN("url")), SEVERITY_ERROR, "definition-url",
                        "want a canonical URL that is absolute", "have one that is not");
}

/* Lengths beside the names: most resources are none of these. */
#define KIND(name, check) { name, sizeof name - 1, check }

static const struct { const char *type; size_t length; void (*rules)(struct profiling *, tape_node); } kinds[] = {
    KIND("StructureDefinition", structure_rules), KIND("CodeSystem", code_system_rules),
    KIND("ValueSet", value_set_rules), KIND("ConceptMap", concept_map_rules),
    KIND("ActivityDefinition", NULL), KIND("CapabilityStatement", NULL), KIND("ChargeItemDefinition", NULL),
    KIND("CompartmentDefinition", NULL), KIND("EffectEvidenceSynthesis", NULL),
    KIND("EventDefinition", NULL), KIND("Evidence", NULL), KIND("EvidenceVariable", NULL),
    KIND("ExampleScenario", NULL), KIND("GraphDefinition", NULL), KIND("ImplementationGuide", NULL),
    KIND("Library", NULL), KIND("Measure", NULL), KIND("MessageDefinition", NULL),
    KIND("OperationDefinition", NULL), KIND("PlanDefinition", NULL),
    KIND("Questionnaire", questionnaire_rules), KIND("ResearchDefinition", NULL),
    KIND("ResearchElementDefinition", NULL), KIND("RiskEvidenceSynthesis", NULL),
    KIND("SearchParameter", search_parameter_rules), KIND("StructureMap", NULL),
    KIND("TerminologyCapabilities", NULL), KIND("TestScript", NULL),
};

enum status
definition_rules(struct profiling *r, struct resource_range range)
{
    for (uint32_t i = range.first; i < range.end && !r->report->stopped; i++) {
        tape_node   node = bundle_resource_at(r->bundle, i)->node;
        struct span type = walk_find_text(r->tape, node, SPAN("resourceType"), r->arena);
        for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++)
            if (type.length == kinds[k].length && memcmp(type.at, kinds[k].type, type.length) == 0) {
                check_url(r, node);
                if (kinds[k].rules != NULL)
                    kinds[k].rules(r, node);
            }
    }
    return arena_status(r->arena);
}
