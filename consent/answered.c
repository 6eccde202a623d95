#include "consent/answered.h"

static bool
is_form(const struct bundle *b, uint32_t entry)
{
    return span_eq_text(b->entries[entry].type, "Questionnaire") && b->entries[entry].resource != TAPE_ABSENT;
}

static bool
is_response(const struct bundle *b, uint32_t entry)
{
    return span_eq_text(b->entries[entry].type, "QuestionnaireResponse") && b->entries[entry].resource != TAPE_ABSENT;
}

static const struct lookup *
by_url(const struct bundle *b, bool (*is)(const struct bundle *, uint32_t), const struct span *url, struct arena *arena)
{
    struct lookup_item *items = arena_make_n(arena, b->count, struct lookup_item);
    uint32_t            count = 0;

    for (uint32_t e = 0; items != NULL && e < b->count; e++)
        if (is(b, e) && !span_empty(url[e]))
            items[count++] = (struct lookup_item){ .key = url[e], .value = e };
    return items != NULL ? lookup_build(items, count, arena) : NULL;
}

static struct span *
urls(const struct bundle *b, struct answered *a, struct arena *arena)
{
    struct span *url = arena_make_n(arena, b->count, struct span);

    for (uint32_t e = 0; url != NULL && e < b->count; e++) {
        if (is_response(b, e)) {
            a->node[e]       = tape_member(b->tape, b->entries[e].resource, SPAN("questionnaire"));
            struct span name = tape_text(b->tape, a->node[e], arena);
            url[e]           = span_split(&name, '|');
        } else if (is_form(b, e)) {
            url[e] = tape_member_text(b->tape, b->entries[e].resource, SPAN("url"), arena);
        }
    }
    return url;
}

enum status
answered_read(const struct bundle *b, struct arena *arena, const struct answered **out)
{
    bool form = false, response = false;

    *out = NULL;
    for (uint32_t e = 0; e < b->count; e++) {
        form     = form || is_form(b, e);
        response = response || is_response(b, e);
    }
    if (!form || !response)
        return ST_OK;
    struct answered *a = arena_make(arena, struct answered);
    if (a == NULL)
        return ST_NO_MEMORY;
    a->forms_of     = arena_make_n(arena, b->count, uint32_t);
    a->responses_of = arena_make_n(arena, b->count, uint32_t);
    a->node         = arena_make_n(arena, b->count, tape_node);
    struct span *url = arena_spent(arena) ? NULL : urls(b, a, arena);
    a->forms     = url != NULL ? by_url(b, is_form, url, arena) : NULL;
    a->responses = url != NULL ? by_url(b, is_response, url, arena) : NULL;
    if (a->forms == NULL || a->responses == NULL)
        return ST_NO_MEMORY;
    for (uint32_t e = 0; e < b->count; e++) {
        a->forms_of[e]     = is_response(b, e) ? lookup_find(a->forms, url[e]) : LOOKUP_NONE;
        a->responses_of[e] = is_form(b, e) ? lookup_find(a->responses, url[e]) : LOOKUP_NONE;
    }
    *out = a;
    return arena_status(arena);
}
