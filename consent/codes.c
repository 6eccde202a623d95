#include "consent/codes.h"

#include <string.h>

#define ON      true
#define OFF     false
#define PREFIX  true
#define EXACT   false
#define ROW(code, match, tier, label, kind, state, source, checked, day, words, because) \
    { code, sizeof(code) - 1, match, state, TIER_##tier, LABEL_##label, KIND_##kind, CODE_SOURCE_##source, words, checked, day, because },

#define ROW_ICD10 ROW
static const struct code_row icd10[] = {
#include "consent/codes_rows.def"
};
#undef ROW_ICD10
#define ROW_ICD10PCS ROW
static const struct code_row icd10pcs[] = {
#include "consent/codes_rows.def"
};
#undef ROW_ICD10PCS
#define ROW_ICD9 ROW
static const struct code_row icd9[] = {
#include "consent/codes_rows.def"
};
#undef ROW_ICD9
#define ROW_DRG ROW
static const struct code_row drg[] = {
#include "consent/codes_rows.def"
};
#undef ROW_DRG
#define ROW_SNOMED ROW
static const struct code_row snomed[] = {
#include "consent/codes_rows.def"
};
#undef ROW_SNOMED
#define ROW_RXNORM ROW
static const struct code_row rxnorm[] = {
#include "consent/codes_rows.def"
};
#undef ROW_RXNORM
#define ROW_ATC ROW
static const struct code_row atc[] = {
#include "consent/codes_rows.def"
};
#undef ROW_ATC
#define ROW_LOINC ROW
static const struct code_row loinc[] = {
#include "consent/codes_rows.def"
};
#undef ROW_LOINC
#define ROW_HCPCS ROW
static const struct code_row hcpcs[] = {
#include "consent/codes_rows.def"
};
#undef ROW_HCPCS
#define ROW_MODIFIER ROW
static const struct code_row modifier[] = {
#include "consent/codes_rows.def"
};
#undef ROW_MODIFIER
#define ROW_PLACE ROW
static const struct code_row place[] = {
#include "consent/codes_rows.def"
};
#undef ROW_PLACE
#define ROW_REVENUE ROW
static const struct code_row revenue[] = {
#include "consent/codes_rows.def"
};
#undef ROW_REVENUE
#define ROW_SPECIALTY ROW
static const struct code_row specialty[] = {
#include "consent/codes_rows.def"
};
#undef ROW_SPECIALTY
#define ROW_NUCC ROW
static const struct code_row nucc[] = {
#include "consent/codes_rows.def"
};
#undef ROW_NUCC

#define TABLE(system, name, rows) { CODE_SYSTEM_##system, name, rows, sizeof(rows) / sizeof(rows)[0] }

static const struct code_table modifiers = TABLE(HCPCS, "HCPCS modifiers", modifier);
static const struct code_table tables[]  = {
    TABLE(ICD10CM, "ICD-10-CM, ICD-10", icd10), TABLE(ICD10PCS, "ICD-10-PCS", icd10pcs), TABLE(ICD9CM, "ICD-9-CM", icd9),
    TABLE(DRG, "MS-DRG", drg), TABLE(SNOMED, "SNOMED CT", snomed), TABLE(RXNORM, "RxNorm", rxnorm), TABLE(ATC, "ATC", atc),
    TABLE(LOINC, "LOINC", loinc), TABLE(HCPCS, "HCPCS, CPT", hcpcs), TABLE(PLACE, "place of service", place),
    TABLE(REVENUE, "revenue codes", revenue), TABLE(SPECIALTY, "CMS specialty", specialty), TABLE(NUCC, "NUCC taxonomy", nucc),
    TABLE(HCPCS, "HCPCS modifiers", modifier),
};
#define TABLES (sizeof tables / sizeof tables[0])

static const struct { const char *short_name, *full; } sources[CODE_SOURCE_COUNT] = {
#define SOURCE(name, short, full) [CODE_SOURCE_##name] = { short, full },
#include "consent/code_sources.def"
#undef SOURCE
};

static const struct code_table *table_of(enum code_system);
static const struct code_row   *table_find(const struct code_table *, struct span code);
static const struct code_row   *row_exact(const struct code_table *, struct span code);

const struct code_row *
code_find(enum code_system system, struct span code)
{
    const struct code_table *t = table_of(system);

    if (t == NULL)
        return NULL;
    struct code folded = code_fold(t->system, code);
    return table_find(t, code_span(&folded));
}

const struct code_row *
code_find_modifier(struct span code)
{
    struct code folded = code_fold(CODE_SYSTEM_HCPCS, code);

    return table_find(&modifiers, code_span(&folded));
}

static const struct code_table *
table_of(enum code_system system)
{
    if (system == CODE_SYSTEM_ICD10)
        system = CODE_SYSTEM_ICD10CM;
    if (system == CODE_SYSTEM_CPT)
        system = CODE_SYSTEM_HCPCS;
    for (size_t i = 0; i < TABLES; i++)
        if (tables[i].system == system)
            return &tables[i];
    return NULL;
}

static bool
has_prefixes(const struct code_table *t)
{
    return t->system == CODE_SYSTEM_ICD10CM || t->system == CODE_SYSTEM_ICD10PCS
        || t->system == CODE_SYSTEM_ICD9CM || t->system == CODE_SYSTEM_ATC;
}

static const struct code_row *
table_find(const struct code_table *t, struct span code)
{
    const struct code_row *row = row_exact(t, code);

    if (row != NULL && row->on)
        return row;
    if (!has_prefixes(t))
        return NULL;
    for (size_t n = code.length; n-- > 2; ) {
        row = row_exact(t, span_first(code, n));
        if (row != NULL && row->on && row->prefix)
            return row;
    }
    return NULL;
}

static const struct code_row *
row_exact(const struct code_table *t, struct span code)
{
    size_t low = 0, high = t->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct code_row *row = &t->rows[middle];
        int order = span_compare(code, span_from(row->code, row->length));
        if (order == 0)
            return row;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

bool
code_has_trap(const struct code_row *row)
{
    return span_starts(span_from(row->code, row->length), SPAN("F15"));
}

bool
code_excused(const struct code_row *row, unsigned contexts)
{
    unsigned controls = 0;

    if (contexts & CONTEXT_FAMILY)
        return true;
    switch ((enum code_kind)row->kind) {
    case KIND_DISORDER:
        controls = code_has_trap(row) ? CONTEXT_CAFFEINE : 0;
        break;
    case KIND_DRUG:
        controls = CONTEXT_ALLERGY | (row->tier == TIER_T2 ? CONTEXT_PAIN | CONTEXT_PATCH : 0);
        break;
    case KIND_METHADONE:
        controls = CONTEXT_ALLERGY | (row->tier == TIER_T2 ? CONTEXT_PAIN : 0);
        break;
    case KIND_NALTREXONE:
        controls = CONTEXT_ALLERGY | (row->tier == TIER_T2 ? CONTEXT_WEIGHT : 0);
        break;
    case KIND_TEST:
        controls = row->tier == TIER_T2 ? CONTEXT_NEGATIVE : 0;
        break;
    default:
        break;
    }
    return (contexts & controls) != 0;
}

const char *
code_source_short(enum code_source s)
{
    return sources[s].short_name;
}

const char *
code_source_full(enum code_source s)
{
    return sources[s].full;
}

const char *
code_tier_text(enum code_tier t)
{
    static const char *const texts[] = { "", "T1", "T2", "T3", "not", "context" };

    return t <= TIER_CONTEXT ? texts[t] : "";
}

const char *
code_context_text(enum code_context c)
{
    switch (c) {
    case CONTEXT_PAIN:     return "pain";
    case CONTEXT_PATCH:    return "patch";
    case CONTEXT_WEIGHT:   return "weight";
    case CONTEXT_ALLERGY:  return "allergy";
    case CONTEXT_FAMILY:   return "relative";
    case CONTEXT_NEGATIVE: return "negative";
    case CONTEXT_CAFFEINE: return "caffeine";
    }
    return "";
}

bool
code_verified(const struct code_row *row)
{
    return row->source != CODE_SOURCE_MEMORY;
}

size_t
code_table_count(void)
{
    return TABLES;
}

const struct code_table *
code_table_at(size_t i)
{
    return &tables[i];
}
