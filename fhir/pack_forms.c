#include "fhir/pack_forms.h"

#include "fhir/terminology.h"

/* ---- checks --------------------------------------------------------------------------- */

static bool
range_good(uint32_t first, uint32_t count, uint32_t all)
{
    return first <= all && count <= all - first;
}

static bool
text_good(const struct pack *p, struct pack_text text)
{
    return range_good(text.offset, text.length, p->counts[PACK_TEXTS]);
}

static bool
item_good(const struct pack *p, const struct pack_form *f, uint32_t index)
{
    const struct form_item *it = &p->form_items[f->first_item + index];

    return text_good(p, it->link_id) && text_good(p, it->text) && text_good(p, it->loinc) && text_good(p, it->value_set)
        && text_good(p, it->regex) && text_good(p, it->min_value) && text_good(p, it->max_value)
        && text_good(p, it->mime_type) && text_good(p, it->max_size) && text_good(p, it->definition)
        && (it->parent == FORM_NONE || it->parent < index)
        && it->after > index && it->after <= f->item_count
        && range_good(it->first_option, it->option_count, f->value_count)
        && range_good(it->first_initial, it->initial_count, f->value_count)
        && range_good(it->first_unit, it->unit_count, f->value_count)
        && range_good(it->first_code, it->code_count, f->value_count)
        && range_good(it->first_condition, it->condition_count, f->condition_count)
        && it->type <= FORM_QUANTITY && p->form_order[f->first_item + index] < f->item_count;
}

static bool
value_good(const struct pack *p, const struct form_value *v)
{
    return text_good(p, v->text) && text_good(p, v->system) && text_good(p, v->unit) && text_good(p, v->display)
        && v->type <= FORM_VALUE_OTHER;
}

static bool
form_good(const struct pack *p, const struct pack_form *f)
{
    if (!text_good(p, f->url) || !text_good(p, f->version) || !text_good(p, f->title) || !text_good(p, f->status) || !text_good(p, f->from)
        || !text_good(p, f->until) || !range_good(f->first_item, f->item_count, p->counts[PACK_FORM_ITEMS])
        || !range_good(f->first_value, f->value_count, p->counts[PACK_FORM_VALUES])
        || !range_good(f->first_code, f->code_count, f->value_count)
        || !range_good(f->first_condition, f->condition_count, p->counts[PACK_FORM_CONDITIONS]))
        return false;
    for (uint32_t i = 0; i < f->item_count; i++)
        if (!item_good(p, f, i))
            return false;
    for (uint32_t i = 0; i < f->condition_count; i++) {
        const struct form_condition *c = &p->form_conditions[f->first_condition + i];
        if (!value_good(p, &c->value) || c->operator > FORM_LESS_OR_EQUAL
            || (c->target != FORM_NONE && c->target >= f->item_count))
            return false;
    }
    return true;
}

bool
pack_forms_good(const struct pack *p)
{
    if (p->counts[PACK_FORM_ITEMS] != p->counts[PACK_FORM_ORDER])
        return false;
    for (uint32_t i = 0; i < p->counts[PACK_FORM_VALUES]; i++)
        if (!value_good(p, &p->form_values[i]))
            return false;
    for (uint32_t i = 0; i < p->counts[PACK_FORMS]; i++)
        if (!form_good(p, &p->forms[i]))
            return false;
    return true;
}

/* ---- a source ---------------------------------------------------------------------------- */

static const struct form *
form_of(const struct pack *p, const struct pack_form *f, struct arena *arena)
{
    struct form *form = arena_make(arena, struct form);

    if (form != NULL)
        *form = (struct form){
            .url = f->url, .version = f->version, .title = f->title, .status = f->status, .from = f->from, .until = f->until,
            .texts = p->texts, .items = p->form_items + f->first_item, .order = p->form_order + f->first_item,
            .values = p->form_values + f->first_value, .conditions = p->form_conditions + f->first_condition,
            .item_count = f->item_count, .value_count = f->value_count, .condition_count = f->condition_count,
            .text_length = p->counts[PACK_TEXTS], .first_code = f->first_code, .code_count = f->code_count,
            .number = (uint32_t)(f - p->forms),
        };
    return form;
}

static const struct form *
find(const void *with, struct span url, struct span version, struct arena *arena)
{
    const struct pack *p   = with;
    uint32_t           key = tape_key_of(url);

    for (uint32_t i = p->counts[PACK_FORMS]; i > 0; i--) {
        const struct pack_form *f = &p->forms[i - 1];
        if (f->key == key && span_eq(pack_span(p, f->url), url)
            && (span_empty(version) || span_eq(pack_span(p, f->version), version)))
            return form_of(p, f, arena);
    }
    return NULL;
}

static enum form_member
member(const void *with, struct span value_set, struct span system, struct span code)
{
    const struct pack *p = with;

    switch (term_member(p, term_value_set(p, value_set), system, (struct span){ NULL, 0 }, code).verdict) {
    case TERM_IN:  return FORM_MEMBER_YES;
    case TERM_OUT: return FORM_MEMBER_NO;
    default:       return FORM_MEMBER_UNKNOWN;
    }
}

struct form_source
pack_form_source(const struct pack *p)
{
    return (struct form_source){ find, member, p };
}

uint32_t
pack_form_count(const struct pack *p)
{
    return p->counts[PACK_FORMS];
}
