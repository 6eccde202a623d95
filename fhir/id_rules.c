#include "fhir/id_rules.h"

#include "base/json_walk.h"
#include "fhir/lookup.h"

/* The child of a resource that a node is in: `snapshot`, `differential`. */
static tape_node
branch_of(const struct bundle *b, tape_node node, tape_node resource)
{
    while (node != TAPE_ABSENT && b->parents[node] != resource)
        node = b->parents[node];
    return node;
}

static bool
of_one_branch(const struct bundle *b, tape_node a, tape_node z)
{
    tape_node resource = bundle_resource_of(b, a);

    if (!tape_text_eq(b->tape, walk_find(b->tape, resource, SPAN("resourceType")), SPAN("StructureDefinition")))
        return true;
    return branch_of(b, a, resource) == branch_of(b, z, resource);
}

enum status
id_rules(struct report *report, const struct noted_ids *ids)
{
    const struct bundle *b = report->bundle;

    if (ids->count < 2)
        return ST_OK;
    struct lookup_item *items = arena_make_n(report->arena, ids->count, struct lookup_item);
    for (uint32_t i = 0; items != NULL && i < ids->count; i++) {
        tape_node resource = bundle_resource_of(b, ids->all[i]);
        items[i] = (struct lookup_item){
            .key   = arena_join(report->arena, span_from(&resource, sizeof resource),
                                walk_text(b->tape, ids->all[i], report->arena)),
            .value = ids->all[i] };
    }
    const struct lookup *keys = items != NULL && !arena_spent(report->arena)
                              ? lookup_build(items, ids->count, report->arena) : NULL;
    if (keys == NULL)
        return ST_NO_MEMORY;
    for (uint32_t at = 0; at < ids->count && !report->stopped; at++) {
        uint32_t       again = lookup_next(keys, at);
        struct finding f     = { .severity = SEVERITY_ERROR, .code = ISSUE_BUSINESS_RULE, .rule = "element-id" };
        if (again == LOOKUP_NONE || !of_one_branch(b, lookup_value(keys, at), lookup_value(keys, again)))
            continue;
        f.node = b->parents[lookup_value(keys, again)];
        if (report_new(report, &f))
            report_add(report, &f, SPAN("want an id that no other element of the resource has"), SPAN("have it twice"),
                       (struct span){ NULL, 0 });
    }
    return ST_OK;
}
