#include "consent/instrument.h"

#define S(name)   SAYS_BIT(SAYS_CODE_##name)
#define PATIENT   NEEDS_PATIENT
#define DISCLOSER NEEDS_DISCLOSER
#define LIST      NEEDS_LIST
#define END       NEEDS_END

static const struct {
    const char *code, *citation, *words;
    uint32_t    needs, says;
} kinds[INSTRUMENT_COUNT] = {
    [INSTRUMENT_NONE] = { "", "", "", 0, 0 },
#define INSTRUMENT(name, code, citation, needs, says, words) [INSTRUMENT_##name] = { code, citation, words, needs, says },
#include "consent/instruments.def"
#undef INSTRUMENT
};

static const struct { const char *code, *words; } sayings[SAYS_CODE_COUNT] = {
    [SAYS_CODE_NONE] = { "", "" },
#define SAYS(name, code, words) [SAYS_CODE_##name] = { code, words },
#include "consent/says.def"
#undef SAYS
};

_Static_assert(SAYS_CODE_COUNT <= 32, "what a document says has 32 bits");

enum instrument_kind
instrument_of(struct span code)
{
    for (int k = INSTRUMENT_NONE + 1; k < INSTRUMENT_COUNT; k++)
        if (span_eq_text(code, kinds[k].code))
            return (enum instrument_kind)k;
    return INSTRUMENT_NONE;
}

const char *
instrument_code(enum instrument_kind k)
{
    return k < INSTRUMENT_COUNT ? kinds[k].code : "";
}

const char *
instrument_citation(enum instrument_kind k)
{
    return k < INSTRUMENT_COUNT ? kinds[k].citation : "";
}

const char *
instrument_words(enum instrument_kind k)
{
    return k < INSTRUMENT_COUNT ? kinds[k].words : "";
}

uint32_t
instrument_needs(enum instrument_kind k)
{
    return k < INSTRUMENT_COUNT ? kinds[k].needs : 0;
}

enum says_code
says_of(struct span code)
{
    for (int s = SAYS_CODE_NONE + 1; s < SAYS_CODE_COUNT; s++)
        if (span_eq_text(code, sayings[s].code))
            return (enum says_code)s;
    return SAYS_CODE_NONE;
}

const char *
says_words(enum says_code s)
{
    return s < SAYS_CODE_COUNT ? sayings[s].words : "";
}

bool
instrument_in_force(const struct instrument *i, int64_t at_ms)
{
    return i->kind != INSTRUMENT_NONE && i->from_ms != INT64_MAX && i->from_ms <= at_ms && at_ms <= i->to_ms;
}

const char *
instrument_lacks(const struct instrument *i)
{
    uint32_t needs = instrument_needs(i->kind);

    if (i->kind == INSTRUMENT_NONE)
        return "it is of no known kind";
    if ((needs & NEEDS_PATIENT) != 0 && span_empty(i->patient))
        return "it does not say which patient it is about";
    if ((needs & NEEDS_DISCLOSER) != 0 && span_empty(i->discloser))
        return "it does not say who may disclose";
    if ((needs & NEEDS_END) != 0 && i->to_ms == INT64_MAX)
        return "it has no end";
    if ((needs & NEEDS_LIST) != 0 && i->item_count == 0 && i->type_count == 0)
        return "it lists nothing that may go";
    for (int s = SAYS_CODE_NONE + 1; s < SAYS_CODE_COUNT; s++)
        if ((kinds[i->kind].says & SAYS_BIT(s)) != 0 && (i->says & SAYS_BIT(s)) == 0)
            return sayings[s].words;
    return NULL;
}

bool
instrument_item(const struct span *items, size_t count, struct span text)
{
    size_t low = 0, high = count;

    while (low < high && !span_empty(text)) {
        size_t middle = low + (high - low) / 2;
        int    order  = span_compare(text, items[middle]);
        if (order == 0)
            return true;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return false;
}
