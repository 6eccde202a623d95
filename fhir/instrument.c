#include "fhir/instrument.h"

enum list { NUMBER = 0, FREQUENCY, ANXIETY, DRINKS, OCCASIONS, YES, NO };
enum standing { UNVERIFIED = 0, VERIFIED };

static const struct { const char *name, *panel, *total; uint32_t most; } instruments[] = {
    [INSTRUMENT_NONE] = { "", "", "", 0 },
#define INSTRUMENT(name, text, panel, total, most) [INSTRUMENT_##name] = { text, panel, total, most },
#include "fhir/instrument.def"
#undef INSTRUMENT
};

#define TEXT(literal) { literal, sizeof(literal) - 1 }

static const struct item { enum instrument of; struct span code, link; enum list answers; uint8_t most; } items[] = {
#define ITEM(of, code, link, answers, most) { INSTRUMENT_##of, TEXT(code), TEXT(link), answers, most },
#include "fhir/instrument.def"
#undef ITEM
};
#define ITEMS (sizeof items / sizeof items[0])

static const struct { enum list list; const char *code; uint8_t points; enum standing standing; } answers[] = {
#define ANSWER(list, code, points, standing) { list, code, points, standing },
#include "fhir/instrument.def"
#undef ANSWER
};

static const struct { enum instrument of; const char *code; } confused[] = {
#define CONFUSED(of, code) { INSTRUMENT_##of, code },
#include "fhir/instrument.def"
#undef CONFUSED
};

const char *
instrument_name(enum instrument which)
{
    return instruments[which].name;
}

const char *
instrument_total_code(enum instrument which)
{
    return instruments[which].total;
}

uint32_t
instrument_most(enum instrument which)
{
    return instruments[which].most;
}

/* Items of one instrument stand side by side. */
static const struct item *
first_item(enum instrument which)
{
    for (size_t i = 0; i < ITEMS; i++)
        if (items[i].of == which)
            return &items[i];
    return items;
}

uint32_t
instrument_items(enum instrument which)
{
    uint32_t count = 0;

    for (size_t i = 0; i < ITEMS; i++)
        count += items[i].of == which;
    return count;
}

enum instrument
instrument_of_panel(struct span loinc)
{
    for (uint32_t i = 1; i < INSTRUMENT_COUNT && loinc.length > 0; i++)
        if (span_eq_text(loinc, instruments[i].panel))
            return (enum instrument)i;
    return INSTRUMENT_NONE;
}

enum instrument
instrument_of_total(struct span loinc)
{
    for (uint32_t i = 1; i < INSTRUMENT_COUNT && loinc.length > 0; i++)
        if (span_eq_text(loinc, instruments[i].total))
            return (enum instrument)i;
    return INSTRUMENT_NONE;
}

bool
instrument_total_confused(enum instrument which, struct span loinc)
{
    for (size_t i = 0; i < sizeof confused / sizeof confused[0]; i++)
        if (confused[i].of == which && span_eq_text(loinc, confused[i].code))
            return true;
    return false;
}

/* ---- a sheet --------------------------------------------------------------------------- */

void
instrument_begin(struct instrument_sheet *sheet, enum instrument which)
{
    *sheet = (struct instrument_sheet){ .which = which };
    memset(sheet->points, INSTRUMENT_OPEN, sizeof sheet->points);
}

/* "3", "3.0": what an ordinalValue or a count looks like. */
static bool
whole(struct span text, uint64_t *value)
{
    size_t point = span_find_byte(text, '.');

    if (point != SPAN_NOT_FOUND) {
        for (size_t i = point + 1; i < text.length; i++)
            if (text.at[i] != '0')
                return false;
        text = span_first(text, point);
    }
    return span_to_u64(text, value);
}

static uint8_t
points_of(const struct item *item, const struct instrument_answer *answer)
{
    uint64_t number;

    if (answer->number.length > 0 && item->answers != NUMBER)
        return whole(answer->number, &number) && number <= item->most ? (uint8_t)number : INSTRUMENT_OPEN;
    if ((answer->yes || answer->no) && (item->answers == YES || item->answers == NO))
        return answer->yes == (item->answers == YES) ? 1 : 0;
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++)
        if (answers[i].list == item->answers && answers[i].standing == VERIFIED
            && span_eq_text(answer->code, answers[i].code))
            return answers[i].points;
    return INSTRUMENT_OPEN;
}

/* Codes differ in their last digit more often than in their first ones. */
static bool
is_called(struct span name, struct span code)
{
    return name.length == code.length && name.at[name.length - 1] == code.at[name.length - 1] && span_eq(name, code);
}

/* Of an instrument, or of each (NONE); the first of an instrument's items that has this name. */
static bool
take(struct instrument_sheet *sheets, enum instrument which, struct span name, const struct instrument_answer *answer)
{
    enum instrument took = INSTRUMENT_NONE;

    if (span_starts(name, SPAN("/")))
        name = span_skip(name, 1);
    for (size_t i = 0; i < ITEMS && name.length > 0; i++) {
        if (!is_called(name, items[i].code) && !is_called(name, items[i].link))
            continue;
        enum instrument of = items[i].of;
        if (took == of || (which != INSTRUMENT_NONE && which != of))
            continue;
        struct instrument_sheet *sheet = which == INSTRUMENT_NONE ? &sheets[of] : sheets;
        sheet->points[&items[i] - first_item(of)] = points_of(&items[i], answer);
        sheet->met++;
        took = of;
    }
    return took != INSTRUMENT_NONE;
}

bool
instrument_take(struct instrument_sheet *sheet, struct span name, const struct instrument_answer *answer)
{
    return sheet->which != INSTRUMENT_NONE && take(sheet, sheet->which, name, answer);
}

void
instrument_take_all(struct instrument_sheet sheets[INSTRUMENT_COUNT], struct span name, const struct instrument_answer *answer)
{
    (void)take(sheets, INSTRUMENT_NONE, name, answer);
}

struct instrument_total
instrument_total(const struct instrument_sheet *sheet)
{
    const struct item      *first = first_item(sheet->which);
    uint32_t                count = instrument_items(sheet->which);
    struct instrument_total total = { 0, 0 };

    for (uint32_t i = 0; i < count; i++) {
        bool open = sheet->points[i] == INSTRUMENT_OPEN;
        total.least += open ? 0 : sheet->points[i];
        total.most += open ? first[i].most : sheet->points[i];
    }
    return total;
}

enum instrument_level
instrument_level(const struct instrument_sheet *sheet)
{
    /* In the order of the rows.  That the sixth question comes as "ever" before
     * "within three months" is HL7's example; the levels are the screener's
     * triage as it is commonly used. */
    static const enum instrument_level raises[] = { LEVEL_LOW, LEVEL_LOW, LEVEL_MODERATE, LEVEL_HIGH, LEVEL_HIGH,
                                                    LEVEL_MODERATE, LEVEL_HIGH };
    enum instrument_level level = LEVEL_UNKNOWN;

    if (sheet->which != INSTRUMENT_CSSRS)
        return LEVEL_UNKNOWN;
    for (size_t i = 0; i < sizeof raises / sizeof raises[0]; i++) {
        if (sheet->points[i] == INSTRUMENT_OPEN)
            continue;
        if (level == LEVEL_UNKNOWN)
            level = LEVEL_NONE;
        if (sheet->points[i] > 0 && raises[i] > level)
            level = raises[i];
    }
    return level;
}
