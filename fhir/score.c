#include "fhir/score.h"

#include "base/json_walk.h"
#include "fhir/code_system.h"
#include "fhir/decimal.h"

/* Codings of one concept that are looked at. */
#define MOST_CODINGS 8u
/* AUDIT has ten questions: a response with more than these is not AUDIT-C. */
#define SHORT_FORM 5u

struct scores {
    struct report        *report;
    const struct bundle  *bundle;
    const struct tape    *t;
    struct arena         *arena;
    struct score_sheets **of_resource;   /* of responses, by index of bundle_resource_at */
};

struct scores *
scores_new(struct report *report)
{
    struct scores *s = arena_make(report->arena, struct scores);

    if (s == NULL)
        return NULL;
    *s = (struct scores){ .report = report, .bundle = report->bundle, .t = report->bundle->tape,
                          .arena = report->arena };
    s->of_resource = arena_make_n(s->arena, (size_t)bundle_resources(s->bundle) + 1, struct score_sheets *);
    return s->of_resource != NULL ? s : NULL;
}

/* ---- findings -------------------------------------------------------------------------- */

static void
add(struct scores *s, tape_node node, enum severity severity, const char *rule, struct span wanted, struct span found)
{
    struct finding one = { .node = node, .severity = severity, .code = ISSUE_BUSINESS_RULE, .rule = rule };

    if (report_new(s->report, &one))
        report_add(s->report, &one, wanted, found, (struct span){ NULL, 0 });
}

/* The sum itself is the patient's: a finding does not say it. */
static struct span
wanted_total(struct scores *s, enum instrument which, struct instrument_total total)
{
    return arena_format(s->arena, "want a total that the answers of %s %s", instrument_name(which),
                        total.least == total.most ? "add up to" : "allow, some being open");
}

/* A reported total; `number` is its text. */
static void
compare(struct scores *s, tape_node node, struct span number, const struct instrument_sheet *sheet)
{
    struct decimal          value, least, most;
    struct instrument_total total = instrument_total(sheet);

    if (!decimal_read(number, &value))
        return;
    least = decimal_of(0);
    most  = decimal_of(instrument_most(sheet->which));
    if (decimal_compare(&value, &least) < 0 || decimal_compare(&value, &most) > 0) {
        add(s, node, SEVERITY_ERROR, "score-range",
            arena_format(s->arena, "want a total of %s from 0 to %u", instrument_name(sheet->which),
                         instrument_most(sheet->which)),
            SPAN("have a number outside of it"));
        return;
    }
    least = decimal_of(total.least);
    most  = decimal_of(total.most);
    if (sheet->met > 0 && (decimal_compare(&value, &least) < 0 || decimal_compare(&value, &most) > 0))
        add(s, node, SEVERITY_WARNING, "score-total", wanted_total(s, sheet->which, total),
            SPAN("have another total"));
}

static void
confused(struct scores *s, tape_node node, enum instrument which)
{
    add(s, node, SEVERITY_WARNING, "score-code",
        arena_format(s->arena, "want the total of %s as LOINC %s", instrument_name(which), instrument_total_code(which)),
        SPAN("have the code of another instrument's total"));
}

/* ---- answers ------------------------------------------------------------------------------ */

static bool
is_loinc(const struct tape *t, tape_node coding, struct arena *arena)
{
    return code_system_of(walk_find_text(t, coding, SPAN("system"), arena)) == CODE_SYSTEM_LOINC;
}

/* The extension ordinalValue of a Coding (R4 extension-ordinalvalue.html). */
static struct span
ordinal_of(const struct tape *t, tape_node coding, struct arena *arena)
{
    tape_node list = walk_find(t, coding, SPAN("extension"));

    for (tape_node n = tape_first(t, list); n != TAPE_ABSENT; n = tape_next(t, n)) {
        tape_node value = walk_find(t, n, SPAN("valueDecimal"));
        if (tape_kind(t, value) == TAPE_NUMBER
            && span_eq(walk_find_text(t, n, SPAN("url"), arena),
                       SPAN("http://hl7.org/fhir/StructureDefinition/ordinalValue")))
            return tape_extent(t, value);
    }
    return (struct span){ NULL, 0 };
}

static void
read_coding(const struct tape *t, tape_node coding, struct arena *arena, struct instrument_answer *out)
{
    struct span ordinal = ordinal_of(t, coding, arena);

    if (ordinal.length > 0)
        out->number = ordinal;
    if (is_loinc(t, coding, arena))
        out->code = walk_find_text(t, coding, SPAN("code"), arena);
}

static struct instrument_answer
answer_in(const struct tape *t, tape_node object, struct arena *arena, tape_node *at)
{
    struct instrument_answer out     = { .yes = false };
    struct answer_value      value   = answer_read(t, object, SPAN("value"), arena);
    tape_node                codings = walk_find(t, value.node, SPAN("coding"));
    uint32_t                 left    = MOST_CODINGS;

    *at = value.node;
    if (value.type == FORM_VALUE_CODING)
        read_coding(t, value.node, arena, &out);
    else if (value.type == FORM_VALUE_BOOLEAN)
        out.yes = !(out.no = tape_kind(t, value.node) == TAPE_FALSE);
    else if (value.type == FORM_VALUE_INTEGER || value.type == FORM_VALUE_DECIMAL || value.type == FORM_VALUE_QUANTITY)
        out.number = value.text;
    else                                                 /* a CodeableConcept */
        for (tape_node n = tape_first(t, codings); n != TAPE_ABSENT && left > 0; n = tape_next(t, n), left--)
            read_coding(t, n, arena, &out);
    return out;
}

static void
begin(struct score_sheets *sheets)
{
    for (uint32_t i = 1; i < INSTRUMENT_COUNT; i++)
        instrument_begin(&sheets->of[i], (enum instrument)i);
}

/* ---- responses ------------------------------------------------------------------------------- */

struct reported { tape_node node; struct span number; };
struct found {
    struct reported totals[INSTRUMENT_COUNT];            /* the last of each          */
    tape_node       mistaken[INSTRUMENT_COUNT];          /* a total of another kind   */
    uint32_t        questions;
};

/* item: of the form; FORM_NONE when it is not one of it. */
static struct span
loinc_of(const struct form *form, uint32_t item, struct span link)
{
    if (item != FORM_NONE && form->items[item].loinc.length > 0)
        return form_text(form, form->items[item].loinc);
    return span_starts(link, SPAN("/")) ? span_skip(link, 1) : link;
}

/* What the Questionnaire says an option is worth. */
static void
add_points(const struct form *form, uint32_t item, struct instrument_answer *answer, const struct tape *t,
           tape_node value, struct arena *arena)
{
    if (item == FORM_NONE || answer->number.length > 0)
        return;
    struct span system = walk_find_text(t, value, SPAN("system"), arena);
    struct span code   = walk_find_text(t, value, SPAN("code"), arena);
    if (code.length == 0)
        return;
    uint32_t count = form->items[item].option_count;
    for (uint32_t i = 0; i < count && i < 32; i++) {
        const struct form_value *option = &form->values[form->items[item].first_option + i];
        if (span_eq(form_text(form, option->text), code) && span_eq(form_text(form, option->system), system))
            answer->number = form_text(form, option->unit);
    }
}

static void
read_item(const struct tape *t, tape_node item, const struct form *form, struct arena *arena,
          struct score_sheets *sheets, struct found *found)
{
    struct span link  = walk_find_text(t, item, SPAN("linkId"), arena);
    tape_node   first = tape_first(t, walk_find(t, item, SPAN("answer"))), at;

    if (first == TAPE_ABSENT || link.length == 0)
        return;
    uint32_t                 place  = form != NULL ? form_find(form, link) : FORM_NONE;
    struct span              name   = loinc_of(form, place, link);
    struct instrument_answer answer = answer_in(t, first, arena, &at);
    enum instrument          total  = instrument_of_total(name);
    found->questions++;
    if (total != INSTRUMENT_NONE) {
        found->totals[total] = (struct reported){ at, answer.number };
        return;
    }
    for (uint32_t i = 1; i < INSTRUMENT_COUNT; i++)
        if (instrument_total_confused((enum instrument)i, name))
            found->mistaken[i] = item;
    add_points(form, place, &answer, t, at, arena);
    instrument_take_all(sheets->of, name, &answer);
}

static void
read_response(const struct tape *t, tape_node response, const struct form *form, struct arena *arena,
              struct score_sheets *sheets, struct found *found)
{
    tape_node   end  = tape_after(t, response);
    struct span name = SPAN("linkId");
    uint32_t    key  = tape_key_of(name);

    *found = (struct found){ .questions = 0 };
    begin(sheets);
    for (tape_node item = walk_find(t, response, SPAN("item")); item != TAPE_ABSENT && item < end; item++)
        if (tape_kind(t, item) == TAPE_OBJECT && walk_find_key(t, item, key, name) != TAPE_ABSENT)
            read_item(t, item, form, arena, sheets, found);
}

void
score_read_response(const struct tape *t, tape_node response, const struct form *form, struct arena *arena,
                    struct score_sheets *sheets)
{
    struct found found;

    read_response(t, response, form, arena, sheets, &found);
}

static bool
withdrawn(const struct scores *s, tape_node resource)
{
    tape_node status = walk_find(s->t, resource, SPAN("status"));

    return tape_text_eq(s->t, status, SPAN("entered-in-error")) || tape_text_eq(s->t, status, SPAN("cancelled"));
}

void
scores_of_response(struct scores *s, tape_node response, const struct form *form)
{
    uint32_t             index  = bundle_resource_index(s->bundle, response);
    struct score_sheets *sheets = arena_make(s->arena, struct score_sheets);
    struct found         found;

    if (sheets == NULL || withdrawn(s, response))
        return;
    read_response(s->t, response, form, s->arena, sheets, &found);
    if (index != ENTRY_NONE)
        s->of_resource[index] = sheets;
    for (uint32_t i = 1; i < INSTRUMENT_COUNT; i++) {
        if (found.totals[i].node != TAPE_ABSENT)
            compare(s, found.totals[i].node, found.totals[i].number, &sheets->of[i]);
        else if (found.mistaken[i] != TAPE_ABSENT && sheets->of[i].met > 1 && found.questions <= SHORT_FORM)
            confused(s, found.mistaken[i], (enum instrument)i);
    }
}

/* ---- Observations ------------------------------------------------------------------------------- */

/* Of the object's `code`: the first LOINC code. */
static struct span
code_of(const struct scores *s, tape_node object)
{
    tape_node codings = walk_find(s->t, walk_find(s->t, object, SPAN("code")), SPAN("coding"));
    uint32_t  left    = MOST_CODINGS;

    for (tape_node n = tape_first(s->t, codings); n != TAPE_ABSENT && left > 0; n = tape_next(s->t, n), left--)
        if (is_loinc(s->t, n, s->arena))
            return walk_find_text(s->t, n, SPAN("code"), s->arena);
    return (struct span){ NULL, 0 };
}

static tape_node
resolve(const struct scores *s, tape_node reference)
{
    struct span text  = walk_find_text(s->t, reference, SPAN("reference"), s->arena);
    bool        whole = span_starts(text, SPAN("urn:")) || span_find(text, SPAN("://")) != SPAN_NOT_FOUND;
    uint32_t    entry = text.length == 0 ? ENTRY_NONE
                      : whole            ? bundle_find_full_url(s->bundle, text)
                                         : bundle_find_name(s->bundle, text);

    return entry == ENTRY_NONE ? TAPE_ABSENT : s->bundle->entries[entry].resource;
}

/* An item, or a total, with its value: an Observation or a component. */
static void
take_object(struct scores *s, tape_node object, struct score_sheets *sheets, struct found *found)
{
    struct span              code  = code_of(s, object);
    enum instrument          total = instrument_of_total(code);
    tape_node                at;
    struct instrument_answer answer = answer_in(s->t, object, s->arena, &at);

    if (at == TAPE_ABSENT || code.length == 0)
        return;
    if (total != INSTRUMENT_NONE)
        found->totals[total] = (struct reported){ at, answer.number };
    for (uint32_t i = 1; i < INSTRUMENT_COUNT; i++)
        if (instrument_total_confused((enum instrument)i, code))
            found->mistaken[i] = object;
    instrument_take_all(sheets->of, code, &answer);
}

static void
take_referenced(struct scores *s, tape_node list, struct score_sheets *sheets, struct found *found)
{
    for (tape_node n = tape_first(s->t, list); n != TAPE_ABSENT; n = tape_next(s->t, n)) {
        tape_node   target = resolve(s, n);
        struct span type   = walk_find_text(s->t, target, SPAN("resourceType"), s->arena);
        if (target == TAPE_ABSENT || withdrawn(s, target))
            continue;
        if (span_eq(type, SPAN("Observation")))
            take_object(s, target, sheets, found);
        uint32_t index = bundle_resource_index(s->bundle, target);
        if (!span_eq(type, SPAN("QuestionnaireResponse")) || index == ENTRY_NONE || s->of_resource[index] == NULL)
            continue;
        for (uint32_t i = 1; i < INSTRUMENT_COUNT; i++)  /* the response's answers, where none came otherwise */
            if (sheets->of[i].met == 0)
                sheets->of[i] = s->of_resource[index]->of[i];
    }
}

static void
check_observation(struct scores *s, tape_node observation)
{
    struct span         code  = code_of(s, observation);
    enum instrument     panel = instrument_of_panel(code), total = instrument_of_total(code);
    tape_node           list  = walk_find(s->t, observation, SPAN("component")), at;
    struct score_sheets sheets;
    struct found        found = { .questions = 0 };

    if ((panel == INSTRUMENT_NONE && total == INSTRUMENT_NONE) || withdrawn(s, observation))
        return;
    begin(&sheets);
    for (tape_node n = tape_first(s->t, list); n != TAPE_ABSENT; n = tape_next(s->t, n))
        take_object(s, n, &sheets, &found);
    take_referenced(s, walk_find(s->t, observation, SPAN("hasMember")), &sheets, &found);
    take_referenced(s, walk_find(s->t, observation, SPAN("derivedFrom")), &sheets, &found);
    if (total != INSTRUMENT_NONE) {
        struct instrument_answer own = answer_in(s->t, observation, s->arena, &at);
        if (at != TAPE_ABSENT)
            compare(s, at, own.number, &sheets.of[total]);
        return;
    }
    if (found.totals[panel].node != TAPE_ABSENT)
        compare(s, found.totals[panel].node, found.totals[panel].number, &sheets.of[panel]);
    else if (found.mistaken[panel] != TAPE_ABSENT)
        confused(s, found.mistaken[panel], panel);
}

enum status
scores_of_observations(struct scores *s, struct resource_range range)
{
    for (uint32_t i = range.first; i < range.end && !s->report->stopped; i++) {
        tape_node node = bundle_resource_at(s->bundle, i)->node;
        if (walk_is(s->t, walk_find(s->t, node, SPAN("resourceType")), SPAN("Observation")))
            check_observation(s, node);
    }
    return arena_status(s->arena);
}
