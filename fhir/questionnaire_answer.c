#include "base/json_walk.h"
#include "fhir/decimal.h"
#include "fhir/questionnaire_work.h"
#include "fhir/regex.h"

static const struct form_item *
item_of(const struct check *c, const struct met *m)
{
    return &c->form->items[m->form];
}

static void
value_wrong(struct check *c, tape_node node, struct span wanted)
{
    work_add(c, node, SEVERITY_ERROR, ISSUE_VALUE, "questionnaire-value", wanted, NULL);
}

/* ---- options --------------------------------------------------------------------------- */

/* Free text of an open choice: a string, or a Coding with a display alone. */
static bool
is_free(const struct form_item *it, const struct answer_value *value)
{
    return it->type == FORM_OPEN_CHOICE
        && (value->type == FORM_VALUE_STRING || (value->type == FORM_VALUE_CODING && span_empty(value->text)));
}

static void
check_option(struct check *c, const struct form_item *it, const struct answer_value *value)
{
    if (is_free(it, value))
        return;
    if (!(it->flags & FORM_LISTED)) {
        struct span set = form_text(c->form, it->value_set);
        if (value->type == FORM_VALUE_CODING && !span_empty(set) && c->source != NULL && c->source->member != NULL
            && c->source->member(c->source->with, set, value->system, value->text) == FORM_MEMBER_NO)
            work_add(c, value->node, SEVERITY_ERROR, ISSUE_CODE_INVALID, "questionnaire-option",
                     SPAN("want a code of the question's value set"), "have another");
        return;
    }
    if (!work_step(c, it->option_count))
        return;
    for (uint32_t i = 0; i < it->option_count; i++) {
        struct answer_value option = answer_of(c->form, &c->form->values[it->first_option + i]);
        if (answer_compare(value, &option) == ORDER_EQUAL)
            return;
    }
    work_add(c, value->node, SEVERITY_ERROR, ISSUE_CODE_INVALID, "questionnaire-option",
             SPAN("want one of the answers that the Questionnaire lists"), "have another");
}

/* ---- what extensions ask ------------------------------------------------------------------- */

static uint32_t
characters(struct span text)
{
    uint32_t count = 0;

    for (size_t i = 0; i < text.length; i++)
        count += ((unsigned char)text.at[i] & 0xc0) != 0x80;
    return count;
}

/* A pattern that cannot be read decides nothing. */
static struct span
program_of(struct check *c, uint32_t item)
{
    const char *why;
    struct span pattern = form_text(c->form, c->form->items[item].regex);

    if (c->programs == NULL)
        c->programs = arena_make_n(c->arena, c->form->item_count, struct span);
    if (c->programs == NULL || !work_step(c, 16 * pattern.length))
        return (struct span){ NULL, 0 };
    if (c->programs[item].at == NULL && regex_compile(pattern, c->arena, &c->programs[item], &why) != ST_OK)
        c->programs[item] = (struct span){ "", 0 };
    return c->programs[item];
}

static void
check_text(struct check *c, const struct met *m, const struct answer_value *value)
{
    const struct form_item *it     = item_of(c, m);
    uint32_t                length = characters(value->text);

    if (it->max_length != FORM_NONE && length > it->max_length)
        value_wrong(c, value->node, arena_format(c->arena, "want at most %u characters", it->max_length));
    if (it->min_length != FORM_NONE && length < it->min_length)
        value_wrong(c, value->node, arena_format(c->arena, "want at least %u characters", it->min_length));
    if (it->regex.length == 0)
        return;
    struct span program = program_of(c, m->form);
    uint32_t    steps   = c->steps > UINT32_MAX ? UINT32_MAX : (uint32_t)c->steps, before = steps;
    if (program.length == 0)
        return;
    enum regex_found found = regex_test(program, value->text, true, c->arena, &steps);
    work_step(c, before - steps);
    if (found == REGEX_NO)
        value_wrong(c, value->node, SPAN("want text that matches the Questionnaire's regex"));
}

static void
check_number(struct check *c, const struct form_item *it, const struct answer_value *value)
{
    struct decimal number;

    if (it->max_places != FORM_NONE && decimal_read(value->text, &number)
        && decimal_places(&number) > (int64_t)it->max_places)
        value_wrong(c, value->node, arena_format(c->arena, "want at most %u decimal places", it->max_places));
}

static void
check_bounds(struct check *c, const struct form_item *it, const struct answer_value *value)
{
    struct answer_value least = *value, most = *value;

    least.text = form_text(c->form, it->min_value);
    most.text  = form_text(c->form, it->max_value);
    if (least.text.length > 0 && answer_compare(value, &least) == ORDER_LESS)
        value_wrong(c, value->node, SPAN("want no less than the Questionnaire's minValue"));
    if (most.text.length > 0 && answer_compare(value, &most) == ORDER_MORE)
        value_wrong(c, value->node, SPAN("want no more than the Questionnaire's maxValue"));
}

static void
check_unit(struct check *c, const struct form_item *it, const struct answer_value *value)
{
    struct span set = form_text(c->form, it->value_set);

    if (it->unit_count == 0 && !span_empty(set) && !span_empty(value->system) && c->source != NULL && c->source->member != NULL
        && c->source->member(c->source->with, set, value->system, value->unit) == FORM_MEMBER_NO)
        value_wrong(c, value->node, SPAN("want a unit of the question's value set of units"));
    if (it->unit_count == 0 || !work_step(c, it->unit_count))
        return;
    for (uint32_t i = 0; i < it->unit_count; i++) {
        struct answer_value unit = answer_of(c->form, &c->form->values[it->first_unit + i]);
        if (span_eq(unit.text, value->unit) && span_eq(unit.system, value->system))
            return;
    }
    value_wrong(c, value->node, SPAN("want one of the units that the Questionnaire lists"));
}

/* Bytes behind base64: its quartets, white space and padding left out. */
static uint64_t
decoded_size(struct span base64)
{
    uint64_t digits = 0;

    for (size_t i = 0; i < base64.length; i++)
        digits += (unsigned char)base64.at[i] > ' ' && base64.at[i] != '=';
    return digits * 3 / 4;
}

/* maxSize: "for uploaded attachments, in MB" (R4 extension-maxsize.html). */
static void
check_attachment(struct check *c, const struct form_item *it, const struct answer_value *value)
{
    struct span    mime = form_text(c->form, it->mime_type), want_size = form_text(c->form, it->max_size);
    struct span    type = tape_member_text(c->t, value->node, SPAN("contentType"), c->arena);
    tape_node      size = tape_member(c->t, value->node, SPAN("size"));
    tape_node      data = tape_member(c->t, value->node, SPAN("data"));
    struct decimal most, have, million = decimal_of(1000000);

    /* A kind may stand for all of it: "image/" and a star. */
    struct span kind = span_ends(mime, SPAN("/*")) ? span_first(mime, mime.length - 1) : mime;
    if (kind.length < mime.length && type.length > kind.length)
        type = span_first(type, kind.length);
    if (kind.length > 0 && !span_eq(mime, SPAN("*")) && type.length > 0 && !span_eq_nocase(kind, type))
        value_wrong(c, value->node, SPAN("want the MIME type that the Questionnaire asks for"));
    if (want_size.length == 0 || !decimal_read(want_size, &most) || !decimal_multiply(&most, &million, &most))
        return;
    if (tape_kind(c->t, data) == TAPE_STRING)
        have = decimal_of((int64_t)decoded_size(tape_text(c->t, data, c->arena)));
    else if (tape_kind(c->t, size) != TAPE_NUMBER || !decimal_read(tape_extent(c->t, size), &have))
        return;
    if (decimal_compare(&have, &most) > 0)
        value_wrong(c, value->node, SPAN("want an attachment no larger than the Questionnaire's maxSize"));
}

/* ---- one answer ---------------------------------------------------------------------------- */

static bool
type_fits(struct check *c, const struct form_item *it, const struct answer_value *value)
{
    if (form_type_values((enum form_type)it->type) >> value->type & 1)
        return true;
    work_add(c, value->node, SEVERITY_ERROR, ISSUE_STRUCTURE, "questionnaire-type",
             arena_format(c->arena, "want an answer to a question of type %s",
                          form_type_code((enum form_type)it->type)),
             "have one of another type");
    return false;
}

static void
check_answer(struct check *c, const struct met *m, tape_node answer)
{
    const struct form_item *it    = item_of(c, m);
    struct answer_value     value = answer_read(c->t, answer, SPAN("value"), c->arena);

    if (value.type == FORM_VALUE_NONE || it->type == FORM_UNKNOWN)
        return;
    if (value.node == TAPE_ABSENT)                       /* an extension says why there is none */
        return;
    if (!type_fits(c, it, &value))
        return;
    if (it->type == FORM_CHOICE || it->type == FORM_OPEN_CHOICE)
        check_option(c, it, &value);
    if (value.type == FORM_VALUE_STRING || value.type == FORM_VALUE_URI)
        check_text(c, m, &value);
    if (value.type == FORM_VALUE_DECIMAL)
        check_number(c, it, &value);
    if (value.type == FORM_VALUE_QUANTITY)
        check_unit(c, it, &value);
    else if (value.type == FORM_VALUE_ATTACHMENT)
        check_attachment(c, it, &value);
    else
        check_bounds(c, it, &value);
}

/* ---- all answers of an item ------------------------------------------------------------------ */

static void
check_count(struct check *c, const struct met *m, tape_node answers)
{
    const struct form_item *it = item_of(c, m);

    if (m->answers > 1 && !(it->flags & FORM_REPEATS))
        work_add(c, answers, SEVERITY_ERROR, ISSUE_STRUCTURE, "questionnaire-repeats",
                 SPAN("want one answer: the question does not repeat"), NULL);
    else if (it->max_occurs != FORM_NONE && m->answers > it->max_occurs)
        work_add(c, answers, SEVERITY_ERROR, ISSUE_STRUCTURE, "questionnaire-repeats",
                 arena_format(c->arena, "want at most %u answers", it->max_occurs), NULL);
    else if (it->min_occurs != FORM_NONE && c->complete && m->answers > 0 && m->answers < it->min_occurs)
        work_add(c, answers, SEVERITY_ERROR, ISSUE_STRUCTURE, "questionnaire-repeats",
                 arena_format(c->arena, "want at least %u answers", it->min_occurs), NULL);
}

/* R4 questionnaire.html: the value "is not to be changed by the user". */
static void
check_initial(struct check *c, const struct met *m, tape_node answers)
{
    const struct form_item *it = item_of(c, m);

    if (!(it->flags & FORM_READ_ONLY) || it->initial_count == 0)
        return;
    for (tape_node n = tape_first(c->t, answers); n != TAPE_ABSENT; n = tape_next(c->t, n)) {
        struct answer_value value = answer_read(c->t, n, SPAN("value"), c->arena);
        bool                same  = value.node == TAPE_ABSENT;
        if (!work_step(c, it->initial_count))
            return;
        for (uint32_t i = 0; i < it->initial_count && !same; i++) {
            struct answer_value initial = answer_of(c->form, &c->form->values[it->first_initial + i]);
            enum ordering       order   = answer_compare(&value, &initial);
            same = order == ORDER_EQUAL || order == ORDER_UNKNOWN;
        }
        if (!same)
            work_add(c, value.node, SEVERITY_WARNING, ISSUE_BUSINESS_RULE, "questionnaire-initial",
                     SPAN("want the Questionnaire's initial value where the item is read-only"), "have another");
    }
}

void
work_answers(struct check *c, const struct met *m)
{
    const struct form_item *it      = item_of(c, m);
    tape_node               answers = walk_find(c->t, m->node, SPAN("answer"));
    tape_node               items   = walk_find(c->t, m->node, SPAN("item"));

    if (it->type == FORM_GROUP || it->type == FORM_DISPLAY) {
        if (m->answers > 0)
            work_add(c, answers, SEVERITY_ERROR, ISSUE_STRUCTURE, "questionnaire-type",
                     SPAN("want no answer to a group or a display"), NULL);
        if (it->type == FORM_DISPLAY && items != TAPE_ABSENT)
            work_add(c, items, SEVERITY_ERROR, ISSUE_STRUCTURE, "questionnaire-type",
                     SPAN("want no items inside a display"), NULL);
        return;
    }
    if (items != TAPE_ABSENT && it->type != FORM_UNKNOWN)
        work_add(c, items, SEVERITY_ERROR, ISSUE_STRUCTURE, "questionnaire-type",
                 SPAN("want the items of a question inside its answer"), NULL);
    check_count(c, m, answers);
    for (tape_node n = tape_first(c->t, answers); n != TAPE_ABSENT; n = tape_next(c->t, n))
        check_answer(c, m, n);
    check_initial(c, m, answers);
}
