#include "fhir/questionnaire.h"

#include "base/json_walk.h"
#include "fhir/datatypes.h"
#include "fhir/lookup.h"
#include "fhir/questionnaire_work.h"
#include "fhir/score.h"

/* Beyond what is linear: comparisons of conditions, options and patterns. */
#define BUDGET_LEAST    1000000u
#define BUDGET_PER_NODE 64u
#define MOST_VERSIONS   16u

struct forms {
    struct report            *report;
    const struct form_source *source;
    const struct lookup      *by_url;    /* of the document's Questionnaires -> index of all; NULL: none yet */
    struct scores            *scores;
    struct own { tape_node node; const struct form *form; bool read; } *all;
    uint32_t                  count;
};

/* ---- findings ---------------------------------------------------------------------------- */

void
work_add(struct check *c, tape_node node, enum severity severity, enum issue_code code, const char *rule,
         struct span wanted, const char *found)
{
    struct finding one = { .node = node, .severity = severity, .code = code, .rule = rule };

    if (report_new(c->report, &one))
        report_add(c->report, &one, wanted,
                   found != NULL ? span_of(found) : finding_found(c->t, node, c->arena), (struct span){ NULL, 0 });
}

bool
work_step(struct check *c, uint64_t steps)
{
    c->steps = c->steps > steps ? c->steps - steps : 0;
    return c->steps > 0 && !c->report->stopped;
}

static void
add(struct forms *f, tape_node node, enum severity severity, const char *rule, struct span wanted, const char *found)
{
    struct finding one = { .node = node, .severity = severity, .code = ISSUE_BUSINESS_RULE, .rule = rule };

    if (report_new(f->report, &one))
        report_add(f->report, &one, wanted, span_of(found), (struct span){ NULL, 0 });
}

/* ---- the response's items --------------------------------------------------------------------- */

/* The object in which an item of the response stands: the response, an item,
 * or an answer.  ABSENT when the node is no item. */
static tape_node
container_of(const struct check *c, tape_node node)
{
    tape_node array = c->parents[node];

    if (walk_kind(c->t, node) != TAPE_OBJECT || walk_kind(c->t, array) != TAPE_ARRAY
        || !walk_is(c->t, tape_name(c->t, array), SPAN("item")))
        return TAPE_ABSENT;
    return c->parents[array];
}

/* Whether the container is this item, or one of its answers. */
static bool
belongs(const struct check *c, tape_node container, tape_node item)
{
    tape_node array = c->parents[container];

    return container == item
        || (tape_kind(c->t, array) == TAPE_ARRAY && c->parents[array] == item
            && tape_text_eq(c->t, tape_name(c->t, array), SPAN("answer")));
}

static struct met *
append(struct check *c)
{
    if (c->count == c->room) {
        uint32_t room = c->room > 0 ? c->room * 2 : 64;
        c->met = arena_grow(c->arena, c->met, c->room * sizeof *c->met, room * sizeof *c->met);
        if (c->met == NULL)
            return NULL;
        c->room = room;
    }
    return &c->met[c->count++];
}

static bool
gather(struct check *c)
{
    uint32_t  current = FORM_NONE;
    tape_node end     = tape_after(c->t, c->response);

    for (tape_node n = c->response + 1; n < end; n++) {
        if (walk_kind(c->t, n) != TAPE_OBJECT)
            continue;
        for (; current != FORM_NONE && tape_after(c->t, c->met[current].node) <= n; current = c->met[current].up)
            c->met[current].after = c->count;
        tape_node container = container_of(c, n);
        if (container == TAPE_ABSENT
            || !(current == FORM_NONE ? container == c->response : belongs(c, container, c->met[current].node)))
            continue;
        tape_node   answers = walk_find(c->t, n, SPAN("answer"));
        struct span link    = walk_find_text(c->t, n, SPAN("linkId"), c->arena);
        struct met *m       = append(c);
        if (m == NULL)
            return false;
        *m = (struct met){ .node = n, .container = container, .up = current, .form = form_find(c->form, link),
                           .answers = tape_children(c->t, answers) };
        m->said = m->answers > 0 || walk_find(c->t, n, SPAN("item")) != TAPE_ABSENT;
        current = c->count - 1;
    }
    for (; current != FORM_NONE; current = c->met[current].up)
        c->met[current].after = c->count;
    return true;
}

/* By item of the form, in document order. */
static bool
arrange(struct check *c)
{
    c->first  = arena_make_n(c->arena, (size_t)c->form->item_count + 2, uint32_t);
    c->places = arena_make_n(c->arena, (size_t)c->count + 1, uint32_t);
    if (c->first == NULL || c->places == NULL)
        return false;
    uint32_t *next = c->first + 1;                       /* where the next one goes, shifted by one */
    for (uint32_t i = 0; i < c->count; i++)
        if (c->met[i].form != FORM_NONE)
            next[c->met[i].form + 1]++;
    for (uint32_t i = 0; i < c->form->item_count; i++)
        next[i + 1] += next[i];
    for (uint32_t i = 0; i < c->count; i++)
        if (c->met[i].form != FORM_NONE)
            c->places[next[c->met[i].form]++] = i;
    return true;
}

/* ---- each item ---------------------------------------------------------------------------------- */

static void
check_place(struct check *c, const struct met *m)
{
    uint32_t around = m->up == FORM_NONE ? FORM_NONE : c->met[m->up].form;

    if (m->form == FORM_NONE)
        work_add(c, m->node, SEVERITY_ERROR, ISSUE_NOT_FOUND, "questionnaire-linkid",
                 SPAN("want a linkId that the Questionnaire has"), "have another");
    else if (c->form->items[m->form].parent != around && (m->up == FORM_NONE || around != FORM_NONE))
        work_add(c, m->node, SEVERITY_ERROR, ISSUE_STRUCTURE, "questionnaire-linkid",
                 SPAN("want the item where the Questionnaire has it"), "have it in another group or question");
}

static void
check_text(struct check *c, const struct met *m)
{
    struct span want = form_text(c->form, c->form->items[m->form].text);
    tape_node   text = tape_member(c->t, m->node, SPAN("text"));

    if (tape_kind(c->t, text) == TAPE_STRING && !tape_text_eq(c->t, text, want))
        work_add(c, text, SEVERITY_WARNING, ISSUE_BUSINESS_RULE, "questionnaire-text",
                 SPAN("want the text that the Questionnaire has for this linkId"), "have another");
}

static void
check_enabled(struct check *c, struct met *m)
{
    if (m->up != FORM_NONE && c->met[m->up].off) {
        m->off = true;                                   /* said once, of the item around */
        return;
    }
    if (m->form == FORM_NONE || !m->said || work_enabled(c, m->form, m->container) != ENABLED_NO)
        return;
    m->off = true;
    work_add(c, m->node, SEVERITY_ERROR, ISSUE_BUSINESS_RULE, "questionnaire-enabled",
             SPAN("want no answer to what the Questionnaire does not enable here"), NULL);
}

/* ---- each group, each answer ----------------------------------------------------------------------- */

/* A linkId that reads like a code: it may stand in a finding. */
static bool
is_plain(struct span link)
{
    for (size_t i = 0; i < link.length; i++) {
        char folded = (char)(link.at[i] | 0x20);
        if (!(folded >= 'a' && folded <= 'z') && !(link.at[i] >= '0' && link.at[i] <= '9')
            && span_find_byte(SPAN("-._/"), link.at[i]) == SPAN_NOT_FOUND)
            return false;
    }
    return link.length > 0 && link.length <= 64;
}

struct seen { uint32_t *stamp, *count; uint32_t serial; };

static void
check_missing(struct check *c, const struct seen *seen, uint32_t parent, tape_node container)
{
    uint32_t end = parent == FORM_NONE ? c->form->item_count : c->form->items[parent].after;

    for (uint32_t i = parent == FORM_NONE ? 0 : parent + 1; i < end; i = c->form->items[i].after) {
        if (!work_step(c, 1))
            return;
        if (!(c->form->items[i].flags & FORM_REQUIRED) || c->form->items[i].type == FORM_DISPLAY
            || (seen->stamp[i] == seen->serial && seen->count[i] > 0)
            || work_enabled(c, i, container) != ENABLED_YES)
            continue;
        struct span link = form_text(c->form, c->form->items[i].link_id);
        work_add(c, container, c->complete ? SEVERITY_ERROR : SEVERITY_WARNING, ISSUE_REQUIRED,
                 "questionnaire-required",
                 is_plain(link) ? arena_format(c->arena, "want the required item %.*s", SPAN_PRINT(link))
                                : SPAN("want every required item"),
                 "have none");
    }
}

/* Items side by side: order, repetition, and what is not there.  first: the
 * first one in the container, or any behind it. */
static void
check_siblings(struct check *c, struct seen *seen, uint32_t first, uint32_t end, uint32_t parent, tape_node container)
{
    uint32_t last = 0;

    seen->serial++;
    for (uint32_t i = first; i < end; i = c->met[i].after) {
        const struct met *m = &c->met[i];
        if (m->container != container || m->form == FORM_NONE || c->form->items[m->form].parent != parent)
            continue;
        if (m->form < last)
            work_add(c, m->node, SEVERITY_ERROR, ISSUE_STRUCTURE, "questionnaire-order",
                     SPAN("want items in the order of the Questionnaire"), "have one behind its place");
        last = m->form;
        if (seen->stamp[m->form] != seen->serial) {
            seen->stamp[m->form] = seen->serial;
            seen->count[m->form] = 0;
        }
        if (m->said && ++seen->count[m->form] == 2 && !(c->form->items[m->form].flags & FORM_REPEATS))
            work_add(c, m->node, SEVERITY_ERROR, ISSUE_STRUCTURE, "questionnaire-repeats",
                     SPAN("want this item once: it does not repeat"), NULL);
    }
    check_missing(c, seen, parent, container);
}

static void
check_inside(struct check *c, struct seen *seen, uint32_t index)
{
    const struct met *m = &c->met[index];

    if (m->form == FORM_NONE || m->off || c->form->items[m->form].after == m->form + 1)
        return;                                          /* the form has nothing inside of it */
    if (c->form->items[m->form].type == FORM_GROUP) {
        check_siblings(c, seen, index + 1, m->after, m->form, m->node);
        return;
    }
    tape_node answers = tape_member(c->t, m->node, SPAN("answer"));
    uint32_t  next    = index + 1;
    for (tape_node n = tape_first(c->t, answers); n != TAPE_ABSENT; n = tape_next(c->t, n)) {
        uint32_t end = next;
        while (end < m->after && c->met[end].node < tape_after(c->t, n))
            end = c->met[end].after;
        check_siblings(c, seen, next, end, m->form, n);
        next = end;
    }
}

static bool
check_response(struct check *c)
{
    struct seen seen = { .stamp = arena_make_n(c->arena, (size_t)c->form->item_count + 1, uint32_t),
                         .count = arena_make_n(c->arena, (size_t)c->form->item_count + 1, uint32_t) };

    if (!gather(c) || !arrange(c) || seen.stamp == NULL || seen.count == NULL)
        return false;
    c->steps = BUDGET_LEAST
             + (uint64_t)BUDGET_PER_NODE * (tape_after(c->t, c->response) - c->response + c->form->item_count);
    for (uint32_t i = 0; i < c->count && !c->report->stopped; i++) {
        struct met *m = &c->met[i];
        check_place(c, m);
        if (m->form != FORM_NONE) {
            check_text(c, m);
            work_answers(c, m);
        }
        check_enabled(c, m);
    }
    check_siblings(c, &seen, 0, c->count, FORM_NONE, c->response);
    for (uint32_t i = 0; i < c->count && !c->report->stopped; i++)
        check_inside(c, &seen, i);
    if (c->steps == 0)
        work_add(c, c->response, SEVERITY_ERROR, ISSUE_TOO_COSTLY, "questionnaire-budget",
                 SPAN("want a response that can be checked at a bounded cost"),
                 "have so many conditions, options and repetitions that the rest was not looked at");
    return !arena_spent(c->arena);
}

/* ---- finding the Questionnaire ------------------------------------------------------------------------ */

static bool
is_type(const struct tape *t, tape_node resource, struct span type)
{
    return walk_is(t, walk_find(t, resource, SPAN("resourceType")), type);
}

static const struct form *
form_at(struct forms *f, uint32_t index)
{
    struct own *own = &f->all[index];

    if (!own->read)
        own->form = form_read(f->report->bundle->tape, f->report->bundle->parents, own->node, f->report->arena);
    own->read = true;
    return own->form;
}

/* Every Questionnaire of the document, whether it is asked for or not. */
static bool
index_own(struct forms *f)
{
    const struct bundle *b     = f->report->bundle;
    struct lookup_item  *items = arena_make_n(f->report->arena, (size_t)bundle_resources(b) + 1, struct lookup_item);

    f->all = arena_make_n(f->report->arena, (size_t)bundle_resources(b) + 1, struct own);
    if (items == NULL || f->all == NULL)
        return false;
    for (uint32_t i = 0; i < bundle_resources(b); i++) {
        tape_node node = bundle_resource_at(b, i)->node;
        if (!is_type(b->tape, node, SPAN("Questionnaire")))
            continue;
        items[f->count] = (struct lookup_item){
            .key = tape_member_text(b->tape, node, SPAN("url"), f->report->arena), .value = f->count };
        f->all[f->count++].node = node;
    }
    f->by_url = lookup_build(items, f->count, f->report->arena);
    return f->by_url != NULL;
}

static const struct form *
find_contained(struct forms *f, tape_node response, struct span id)
{
    const struct tape *t         = f->report->bundle->tape;
    tape_node          contained = tape_member(t, response, SPAN("contained"));

    for (tape_node n = tape_first(t, contained); n != TAPE_ABSENT; n = tape_next(t, n))
        if (tape_text_eq(t, tape_member(t, n, SPAN("id")), id) && is_type(t, n, SPAN("Questionnaire")))
            return form_read(t, f->report->bundle->parents, n, f->report->arena);
    return NULL;
}

/* By url, and by version when one is asked for: among the first few of a url. */
static const struct form *
find_own(struct forms *f, struct span url, struct span version)
{
    uint32_t at = lookup_find(f->by_url, url);

    for (uint32_t i = 0; at != LOOKUP_NONE && i < MOST_VERSIONS; i++, at = lookup_next(f->by_url, at)) {
        const struct form *form = form_at(f, lookup_value(f->by_url, at));
        if (form != NULL && (span_empty(version) || span_eq(form_text(form, form->version), version)))
            return form;
    }
    return NULL;
}

static const struct form *
find_form(struct forms *f, tape_node response, struct span canonical)
{
    struct span        rest = canonical, url = span_split(&rest, '|');

    if (span_starts(canonical, SPAN("#")))
        return find_contained(f, response, span_skip(canonical, 1));
    const struct form *form = find_own(f, url, rest);
    if (form == NULL && f->source != NULL && f->source->find != NULL)
        form = f->source->find(f->source->with, url, rest, f->report->arena);
    return form;
}

/* ---- one resource ---------------------------------------------------------------------------------------- */

/* R4 questionnaire.html: "the period during which the questionnaire content was or is planned to be in active use". */
static void
check_form_state(struct forms *f, const struct form *form, tape_node response, tape_node named)
{
    struct span       authored = tape_member_text(f->report->bundle->tape, response, SPAN("authored"),
                                                  f->report->arena);
    struct time_range at, from, until;

    if (span_eq(form_text(form, form->status), SPAN("retired")))
        add(f, named, SEVERITY_WARNING, "questionnaire-status", SPAN("want a Questionnaire that is not retired"),
            "have a retired one");
    if (!time_range_read(authored, &at))
        return;
    if ((time_range_read(form_text(form, form->from), &from) && at.last_ms < from.first_ms)
        || (time_range_read(form_text(form, form->until), &until) && at.first_ms > until.last_ms))
        add(f, named, SEVERITY_WARNING, "questionnaire-status",
            SPAN("want a Questionnaire that was in effect when the response was authored"), "have another period");
}

static bool
check_one_response(struct forms *f, tape_node response)
{
    const struct tape *t         = f->report->bundle->tape;
    tape_node          named     = tape_member(t, response, SPAN("questionnaire"));
    struct span        canonical = tape_text(t, named, f->report->arena);
    struct span        status    = tape_member_text(t, response, SPAN("status"), f->report->arena);

    const struct form *form = span_empty(canonical) ? NULL : find_form(f, response, canonical);
    scores_of_response(f->scores, response, form);
    if (span_empty(canonical))
        return true;
    if (form == NULL) {
        add(f, named, SEVERITY_WARNING, "questionnaire-unknown",
            SPAN("want a Questionnaire that is contained, in the same document, or loaded"),
            "have one that is not here: the answers were not checked");
        return !arena_spent(f->report->arena);
    }
    check_form_state(f, form, response, named);
    struct check c = { .report = f->report, .source = f->source, .form = form, .t = t,
                       .parents = f->report->bundle->parents, .arena = f->report->arena, .response = response,
                       .complete = span_eq(status, SPAN("completed")) || span_eq(status, SPAN("amended")) };
    return check_response(&c);
}

/* enableWhen.question of a Questionnaire (R4 questionnaire.html). */
static bool
check_one_form(struct forms *f, tape_node questionnaire)
{
    const struct form *form = form_read(f->report->bundle->tape, f->report->bundle->parents, questionnaire,
                                        f->report->arena);

    if (form == NULL)
        return !arena_spent(f->report->arena);
    for (uint32_t i = 0; i < form->item_count; i++) {
        /* R4's own expression counts more than two; its sentence says more than one. */
        if (form->items[i].condition_count > 1
            && tape_member(f->report->bundle->tape, form->nodes[i], SPAN("enableBehavior")) == TAPE_ABSENT)
            add(f, form->nodes[i], SEVERITY_ERROR, "que-12",
                SPAN("want enableBehavior where there is more than one enableWhen"), "have none");
        for (uint32_t k = 0; k < form->items[i].condition_count; k++) {
            uint32_t target = form->conditions[form->items[i].first_condition + k].target;
            if (target == FORM_NONE)
                add(f, form->nodes[i], SEVERITY_ERROR, "questionnaire-condition",
                    SPAN("want enableWhen.question to be an item of the Questionnaire"), "have a linkId that no item has");
            else if (target == i)
                add(f, form->nodes[i], SEVERITY_ERROR, "questionnaire-condition",
                    SPAN("want enableWhen.question to be another item"), "have the item itself");
            else if (target > i && target < form->items[i].after)
                add(f, form->nodes[i], SEVERITY_ERROR, "questionnaire-condition",
                    SPAN("want enableWhen.question to be outside of the item"), "have one inside of it");
            else if (target > i)
                add(f, form->nodes[i], SEVERITY_WARNING, "questionnaire-condition",
                    SPAN("want enableWhen.question to be an earlier item"), "have a later one");
        }
    }
    return true;
}

enum status
questionnaires_check(struct report *report, const struct form_source *source, struct resource_range range)
{
    struct forms         f = { .report = report, .source = source };
    const struct bundle *b = report->bundle;
    bool                 observations = false;

    for (uint32_t i = range.first; i < range.end && !report->stopped; i++) {
        tape_node node     = bundle_resource_at(b, i)->node;
        bool      response = is_type(b->tape, node, SPAN("QuestionnaireResponse"));
        observations = observations || (!response && is_type(b->tape, node, SPAN("Observation")));
        if (!response && !is_type(b->tape, node, SPAN("Questionnaire")))
            continue;
        if (f.by_url == NULL && (!index_own(&f) || (f.scores = scores_new(report)) == NULL))
            return ST_NO_MEMORY;
        if (!(response ? check_one_response(&f, node) : check_one_form(&f, node)))
            return ST_NO_MEMORY;
    }
    if (!observations)
        return arena_status(report->arena);
    if (f.scores == NULL && (f.scores = scores_new(report)) == NULL)
        return ST_NO_MEMORY;
    return scores_of_observations(f.scores, range);
}
