#include "fhir/compile.h"
#include "fhir/pack_forms.h"

/* Questionnaires -> forms (fhir/pack_forms.h).  The records are the ones that
 * form_read() makes; only their texts move into the pack's. */

static struct pack_text
moved(struct compiler *c, const struct form *f, struct pack_text text)
{
    return compile_text(c, form_text(f, text));
}

static bool
add_items(struct compiler *c, const struct form *f)
{
    for (uint32_t i = 0; i < f->item_count; i++) {
        struct form_item one = f->items[i];
        one.link_id   = moved(c, f, one.link_id);
        one.text      = moved(c, f, one.text);
        one.loinc     = moved(c, f, one.loinc);
        one.value_set = moved(c, f, one.value_set);
        one.regex     = moved(c, f, one.regex);
        one.min_value = moved(c, f, one.min_value);
        one.max_value = moved(c, f, one.max_value);
        one.mime_type = moved(c, f, one.mime_type);
        one.max_size  = moved(c, f, one.max_size);
        one.definition = moved(c, f, one.definition);
        struct form_item *item  = COMPILE_APPEND(c, PACK_FORM_ITEMS, struct form_item);
        uint32_t         *order = COMPILE_APPEND(c, PACK_FORM_ORDER, uint32_t);
        if (item == NULL || order == NULL)
            return false;
        *item  = one;
        *order = f->order[i];
    }
    return true;
}

static struct form_value
moved_value(struct compiler *c, const struct form *f, struct form_value value)
{
    value.text   = moved(c, f, value.text);
    value.system = moved(c, f, value.system);
    value.unit   = moved(c, f, value.unit);
    value.display = moved(c, f, value.display);
    return value;
}

static bool
add_values(struct compiler *c, const struct form *f)
{
    for (uint32_t i = 0; i < f->value_count; i++) {
        struct form_value  one   = moved_value(c, f, f->values[i]);
        struct form_value *value = COMPILE_APPEND(c, PACK_FORM_VALUES, struct form_value);
        if (value == NULL)
            return false;
        *value = one;
    }
    for (uint32_t i = 0; i < f->condition_count; i++) {
        struct form_condition one = f->conditions[i];
        one.value = moved_value(c, f, one.value);
        struct form_condition *condition = COMPILE_APPEND(c, PACK_FORM_CONDITIONS, struct form_condition);
        if (condition == NULL)
            return false;
        *condition = one;
    }
    return true;
}

static bool
add_form(struct compiler *c, const struct form *f)
{
    struct pack_form one = {
        .url = moved(c, f, f->url), .version = moved(c, f, f->version), .status = moved(c, f, f->status),
        .title = moved(c, f, f->title), .from = moved(c, f, f->from), .until = moved(c, f, f->until), .key = tape_key_of(form_text(f, f->url)),
        .first_item      = compile_count(c, PACK_FORM_ITEMS), .item_count = f->item_count,
        .first_value     = compile_count(c, PACK_FORM_VALUES), .value_count = f->value_count,
        .first_code      = f->first_code, .code_count = f->code_count,
        .first_condition = compile_count(c, PACK_FORM_CONDITIONS), .condition_count = f->condition_count,
    };
    struct pack_form *form = COMPILE_APPEND(c, PACK_FORMS, struct pack_form);

    if (form == NULL)
        return false;
    *form = one;
    return add_items(c, f) && add_values(c, f);
}

bool
compile_forms(struct compiler *c)
{
    for (uint32_t i = 0; i < c->definition_count; i++) {
        const struct definition *d = &c->definitions[i];
        if (d->kind != DEFINITION_QUESTIONNAIRE || span_empty(d->url))
            continue;
        c->id = d->url;
        const tape_node   *parents = tape_parents(d->tape, c->arena);
        const struct form *form    = parents != NULL ? form_read(d->tape, parents, d->node, c->arena) : NULL;
        if (arena_spent(c->arena))
            return false;
        if (form == NULL)
            return compile_broken(c, SPAN("want a Questionnaire with fewer items"), SPAN("have too many"));
        if (!add_form(c, form))
            return false;
    }
    return true;
}
