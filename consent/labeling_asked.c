#include "consent/labeling_work.h"

#include "fhir/form.h"
#include "fhir/lookup.h"
#include "fhir/pack_forms.h"

/* A Questionnaire that may be named, and what its questions are about as far as somebody answered them. */
struct asked_form {
    tape_node          node;             /* in the Bundle, read when it is named; or ABSENT */
    const struct form *form;
    bool               read;             /* form NULL: it has more items than are read      */
    struct question  **own;              /* by item                                         */
    struct question  **linked;           /* by place in form->order: of all with that linkId */
    struct question   *whole;            /* what it is about itself                         */
};

struct forms {
    struct asked_form   *all;            /* those of the Bundle by node, then those of the facts */
    uint32_t             in_bundle, count;
    const struct lookup *by_url;         /* "url", "Questionnaire/7" of one in the store    */
    const struct lookup *by_version;     /* "url|version", "url|" of one that says none     */
    struct asked_form  **of_packages;    /* by form->number                                 */
};

/* ---- what is known --------------------------------------------------------------------- */

static struct lookup_item
versioned(struct work *w, struct span url, struct span version, uint32_t i)
{
    return (struct lookup_item){ .key = arena_join(w->arena, url, SPAN("|"), version), .value = i };
}

static bool
index_forms(struct work *w, struct forms *f)
{
    struct lookup_item *urls     = arena_make_n(w->arena, 2 * (size_t)f->count + 1, struct lookup_item);
    struct lookup_item *versions = arena_make_n(w->arena, (size_t)f->count + 1, struct lookup_item);
    uint32_t            named = 0, said = 0;

    if (urls == NULL || versions == NULL)
        return false;
    for (uint32_t i = 0; i < f->count; i++) {
        const struct form *form    = f->all[i].form;
        struct span        url     = form != NULL ? form_text(form, form->url)
                                                  : tape_member_text(w->tape, f->all[i].node, SPAN("url"), w->arena);
        struct span        version = form != NULL ? form_text(form, form->version)
                                                  : tape_member_text(w->tape, f->all[i].node, SPAN("version"), w->arena);
        if (form != NULL && !span_empty(w->facts->forms[i - f->in_bundle].name))
            urls[named++] = (struct lookup_item){ .key = w->facts->forms[i - f->in_bundle].name, .value = i };
        if (span_empty(url))
            continue;
        urls[named++]    = (struct lookup_item){ .key = url, .value = i };
        versions[said++] = versioned(w, url, version, i);
    }
    f->by_url     = lookup_build(urls, named, w->arena);
    f->by_version = lookup_build(versions, said, w->arena);
    return f->by_url != NULL && f->by_version != NULL;
}

static struct forms *
gather(struct work *w)
{
    struct forms *f    = arena_make(w->arena, struct forms);
    uint32_t      most = (uint32_t)w->facts->form_count;

    for (uint32_t i = 0; i < w->unit_count; i++)
        most += w->units[i].kind == UNIT_FORM;
    if (f == NULL || (f->all = arena_make_n(w->arena, (size_t)most + 1, struct asked_form)) == NULL)
        return NULL;
    for (uint32_t i = 0; i < w->unit_count; i++)
        if (w->units[i].kind == UNIT_FORM)
            f->all[f->count++].node = w->units[i].node;
    f->in_bundle = f->count;
    for (size_t i = 0; i < w->facts->form_count; i++)
        f->all[f->count++] = (struct asked_form){ .node = TAPE_ABSENT, .form = w->facts->forms[i].form, .read = true };
    f->of_packages = arena_make_n(w->arena, (w->facts->definitions != NULL ? (size_t)pack_form_count(w->facts->definitions) : 0) + 1, struct asked_form *);
    return f->of_packages != NULL && index_forms(w, f) ? f : NULL;
}

static struct asked_form *
of_node(struct forms *f, tape_node node)
{
    uint32_t low = 0, high = f->in_bundle;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (f->all[middle].node < node)
            low = middle + 1;
        else
            high = middle;
    }
    return low < f->in_bundle && f->all[low].node == node ? &f->all[low] : NULL;
}

/* ---- which ones a response names --------------------------------------------------------- */

static void
name_one(struct work *w, struct asked *a, struct asked_form *k)
{
    for (unsigned i = 0; i < a->count; i++)
        if (a->of[i] == k)
            return;
    if (a->count == ASKED_FORMS) {
        a->unknown = true;
        return;
    }
    a->of[a->count++] = k;
    if (!k->read) {
        k->read = true;
        k->form = form_read(w->tape, w->bundle->parents, k->node, w->arena);
    }
    a->unknown |= k->form == NULL;
}

static void
name_all(struct work *w, struct asked *a, const struct lookup *table, struct span key)
{
    for (uint32_t at = lookup_find(table, key); at != LOOKUP_NONE && !a->unknown; at = lookup_next(table, at))
        name_one(w, a, &w->forms->all[lookup_value(table, at)]);
}

static void
name_of_packages(struct work *w, struct asked *a, struct span url, struct span version)
{
    if (w->facts->definitions == NULL)
        return;
    const struct form_source source = pack_form_source(w->facts->definitions);
    const struct form       *form   = source.find(source.with, url, version, w->arena);
    if (form == NULL)
        return;
    struct asked_form **k = &w->forms->of_packages[form->number];
    if (*k == NULL && (*k = arena_make(w->arena, struct asked_form)) != NULL)
        **k = (struct asked_form){ .node = TAPE_ABSENT, .form = form, .read = true };
    if (*k != NULL)
        name_one(w, a, *k);
}

/* R4 has a canonical there, earlier releases a Reference. */
static tape_node
naming(const struct work *w, const struct unit *response)
{
    tape_node n = tape_member(w->tape, response->node, SPAN("questionnaire"));

    return walk_kind(w->tape, n) == TAPE_OBJECT ? tape_member(w->tape, n, SPAN("reference")) : n;
}

struct asked
asked_of(struct work *w, const struct unit *response)
{
    struct asked a    = { .count = 0 };
    tape_node    node = naming(w, response);

    if (node == TAPE_ABSENT || walk_kind(w->tape, node) != TAPE_STRING)
        return a;
    if (w->forms == NULL && (w->forms = gather(w)) == NULL)
        return a;
    const struct reference *r = references_find(w->references, node);
    if (r == NULL)
        r = references_find(w->references, w->bundle->parents[node]);
    const struct unit *target = r != NULL ? work_target(w, r) : NULL;
    if (target != NULL && target->kind == UNIT_FORM)
        name_one(w, &a, of_node(w->forms, target->node));

    struct span version = work_text(w, node);
    struct span url     = span_split(&version, '|');
    struct span whole   = span_empty(version) ? url : arena_join(w->arena, url, SPAN("|"), version);
    if (!span_empty(version)) {
        name_all(w, &a, w->forms->by_version, whole);
        name_all(w, &a, w->forms->by_version, arena_join(w->arena, url, SPAN("|"), SPAN("")));
    } else {
        name_all(w, &a, w->forms->by_url, url);
    }
    name_of_packages(w, &a, url, version);
    if (a.count == 0 && !span_empty(version)) {      /* another version of it is more than nothing */
        name_all(w, &a, w->forms->by_url, url);
        name_of_packages(w, &a, url, SPAN(""));
    }
    return a;
}

/* ---- what a question is about --------------------------------------------------------------- */

label_set
asked_words(struct work *w, struct span text)
{
    struct text_finding f = { .labels = 0 };

    if (span_empty(text))
        return 0;
    text_read_any(text, w->names, &f);
    label_set words = f.labels | f.medication | text_drug_labels(f.drugs, f.contexts);
    return f.program ? label_add(words, LABEL_SUD) : words;
}

/* Rows of the same tier, label and kind have the same effect: one of them is kept. */
static void
add_row(struct question *q, const struct code_row *row, bool whatever)
{
    if (row->tier != TIER_T1 && row->tier != TIER_T2 && row->tier != TIER_T3)
        return;
    for (unsigned i = 0; i < q->row_count; i++)
        if (q->rows[i].row->tier == row->tier && q->rows[i].row->label == row->label && q->rows[i].row->kind == row->kind) {
            q->rows[i].whatever |= whatever;
            return;
        }
    if (q->row_count < QUESTION_ROWS)
        q->rows[q->row_count++] = (struct question_row){ row, whatever };
    else
        q->words = label_add(q->words, (enum label)row->label);
}

/* What LOINC codes is the question itself, so that whatever answer is one to it; a finding
 * of another system is stated by an answer that affirms it. */
static void
add_code(struct work *w, struct question *q, struct span system, struct span code, struct span display)
{
    const struct code_row *row = content_row(w, system, code);

    if (row != NULL) {
        add_row(q, row, code_system_of(system) == CODE_SYSTEM_LOINC);
        return;
    }
    q->words |= asked_words(w, display);
    if (code_system_of(system) == CODE_SYSTEM_UNKNOWN)
        q->words |= asked_words(w, code);
}

static void
add_codes(struct work *w, struct question *q, const struct form *f, uint32_t first, uint32_t count)
{
    for (uint32_t i = first; i < first + count; i++)
        add_code(w, q, form_text(f, f->values[i].system), form_text(f, f->values[i].text), form_text(f, f->values[i].display));
}

static void
add_question(struct question *q, const struct question *other)
{
    if (other == NULL)
        return;
    q->words |= other->words;
    for (unsigned i = 0; i < other->row_count; i++)
        add_row(q, other->rows[i].row, other->rows[i].whatever);
}

static struct question *
whole(struct work *w, struct asked_form *k)
{
    const struct form *f = k->form;

    if (k->whole == NULL && (k->whole = arena_make(w->arena, struct question)) != NULL) {
        k->whole->words = asked_words(w, form_text(f, f->title));
        add_codes(w, k->whole, f, f->first_code, f->code_count);
    }
    return k->whole;
}

static struct question *
read_question(struct work *w, struct asked_form *k, uint32_t item)
{
    const struct form      *f  = k->form;
    const struct form_item *it = &f->items[item];
    struct question        *q  = arena_make(w->arena, struct question);

    if (q == NULL)
        return NULL;
    q->words = asked_words(w, form_text(f, it->text)) | asked_words(w, form_text(f, it->definition));
    add_codes(w, q, f, it->first_code, it->code_count);
    add_question(q, it->parent == FORM_NONE ? whole(w, k) : k->own[it->parent]);
    return q;
}

/* Each item once: those around it first. */
static struct question *
own_question(struct work *w, struct asked_form *k, uint32_t item)
{
    while (k->own[item] == NULL) {
        uint32_t outer = item;
        for (uint32_t up = k->form->items[outer].parent; up != FORM_NONE && k->own[up] == NULL; up = k->form->items[up].parent)
            outer = up;
        if ((k->own[outer] = read_question(w, k, outer)) == NULL)
            return NULL;
    }
    return k->own[item];
}

static uint32_t
next_place(const struct form *f, uint32_t place)
{
    bool same = place + 1 < f->item_count
             && span_eq(form_text(f, f->items[f->order[place]].link_id), form_text(f, f->items[f->order[place + 1]].link_id));

    return same ? place + 1 : FORM_NONE;
}

static const struct lookup *
index_options(struct work *w, const struct form *f, uint32_t place)
{
    uint32_t count = 0, n = 0;

    for (uint32_t p = place; p != FORM_NONE; p = next_place(f, p))
        count += f->items[f->order[p]].option_count;
    struct lookup_item *items = arena_make_n(w->arena, (size_t)count + 1, struct lookup_item);
    for (uint32_t p = place; p != FORM_NONE && items != NULL; p = next_place(f, p)) {
        const struct form_item *it = &f->items[f->order[p]];
        for (uint32_t i = it->first_option; i < it->first_option + it->option_count; i++)
            if (f->values[i].type == FORM_VALUE_CODING)
                items[n++] = (struct lookup_item){ .key = form_text(f, f->values[i].text), .value = i };
    }
    return items != NULL ? lookup_build(items, n, w->arena) : NULL;
}

static bool
prepare(struct work *w, struct asked_form *k)
{
    if (k->own == NULL) {
        k->own    = arena_make_n(w->arena, (size_t)k->form->item_count + 1, struct question *);
        k->linked = arena_make_n(w->arena, (size_t)k->form->item_count + 1, struct question *);
    }
    return k->own != NULL && k->linked != NULL;
}

struct question *
asked_question(struct work *w, struct asked_form *k, struct span link_id)
{
    uint32_t place = k->form != NULL && !span_empty(link_id) ? form_place(k->form, link_id) : FORM_NONE;

    if (place == FORM_NONE || !prepare(w, k))
        return NULL;
    if (k->linked[place] != NULL)
        return k->linked[place];
    struct question *q = arena_make(w->arena, struct question);
    for (uint32_t p = place; p != FORM_NONE && q != NULL; p = next_place(k->form, p))
        add_question(q, own_question(w, k, k->form->order[p]));
    if (q != NULL) {
        q->form  = k->form;
        q->place = place;
    }
    return k->linked[place] = q;
}

struct asked_option
asked_option(struct work *w, struct question *q, struct span system, struct span code)
{
    const struct form *f = q->form;

    if (q->options == NULL && (q->options = index_options(w, f, q->place)) == NULL)
        return (struct asked_option){ .display = { NULL, 0 } };
    uint32_t at = lookup_find(q->options, code);
    for (unsigned i = 0; at != LOOKUP_NONE && i < OPTIONS_ALIKE; i++, at = lookup_next(q->options, at)) {
        const struct form_value *v = &f->values[lookup_value(q->options, at)];
        if (span_empty(system) || span_eq(form_text(f, v->system), system))
            return (struct asked_option){ form_text(f, v->system), form_text(f, v->display) };
    }
    return (struct asked_option){ .display = { NULL, 0 } };
}

/* Once a response, where the site wants it so. */
void
asked_nowhere(struct work *w, const struct unit *response, tape_node answer)
{
    struct entry_work *e = &w->entries[response->entry];

    if (!w->facts->site.hold_unknown_questions || e->uninspected || response->kind != UNIT_RESPONSE)
        return;
    e->uninspected = true;
    work_note(w, response->entry, LABEL_NONE, answer, "form", SPAN("what it answers is not known: its Questionnaire is not here"));
}
