/* tools/codes.c -- builds the code tables from the facts, at build time.
 *
 *     sluice-codes CODES.facts SOURCES.facts OUT_ROWS.def OUT_SOURCES.def
 *
 * Reads the two files that consent/codes.facts describes, writes the rows that
 * consent/codes.c includes, sorted by code, and says what it refuses with file and line.
 * A row is refused when
 *
 *   - a field is missing or empty, a word is none of its column, or the line is too long
 *   - the code is not in its plain form, cannot be one of its system (shape; the check digit
 *     of SNOMED CT and LOINC), or is a prefix in a system that has none, or one that is none
 *   - the code is there already, in whatever tier, or a prefix that is on says the same of it
 *   - its source is not in the table of sources, or did not compare it in the way that the row says
 *   - nobody compared it and it is on; somebody did, and it is off without a reason
 *   - the tier and the label, or the tier and the kind, do not belong together
 *   - it is on and weaker than a shorter prefix that is on, and does not say why: it takes a label
 *     back that the prefix gives, or part of it; or it is on, says why, and is not weaker
 *   - the day is none (that it has come, lint/code_sets asks: what a build makes depends on no clock)
 *
 * A source that no row names is refused as well.  0 written, 1 something is refused and nothing
 * is written, 2 usage, 4 a file failed.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "fhir/code_system.h"

enum { LINE_MOST = 512, ROWS_MOST = 20000, SOURCES_MOST = 200, FIELDS = 11, SOURCE_FIELDS = 4 };
enum field { SYSTEM, CODE, TIER, LABELS, KIND, STATE, SOURCE, CHECKED, DAY, WORDS, BECAUSE };

/* Rows of a system stand in the table of this name in consent/codes.c. */
static const struct table { const char *word, *table; enum code_system system; bool prefixes; } tables[] = {
    { "icd-10", "ICD10", CODE_SYSTEM_ICD10CM, true },        { "icd-10-pcs", "ICD10PCS", CODE_SYSTEM_ICD10PCS, true },
    { "icd-9", "ICD9", CODE_SYSTEM_ICD9CM, true },           { "ms-drg", "DRG", CODE_SYSTEM_DRG, false },
    { "snomed", "SNOMED", CODE_SYSTEM_SNOMED, false },       { "rxnorm", "RXNORM", CODE_SYSTEM_RXNORM, false },
    { "atc", "ATC", CODE_SYSTEM_ATC, true },                 { "loinc", "LOINC", CODE_SYSTEM_LOINC, false },
    { "hcpcs", "HCPCS", CODE_SYSTEM_HCPCS, false },          { "modifier", "MODIFIER", CODE_SYSTEM_HCPCS, false },
    { "place", "PLACE", CODE_SYSTEM_PLACE, false },          { "revenue", "REVENUE", CODE_SYSTEM_REVENUE, false },
    { "specialty", "SPECIALTY", CODE_SYSTEM_SPECIALTY, false }, { "nucc", "NUCC", CODE_SYSTEM_NUCC, false },
};
static const char *const tiers[] = { "T1", "T2", "T3", "NOT", "CONTEXT", NULL };
static const char *const kinds[] = { "DISORDER", "TREATMENT", "TEST", "SETTING", "STAFF", "DRUG", "METHADONE", "NALTREXONE",
                                     "PAIN", "WEIGHT", NULL };
static const char *const ways[]  = { "name", "list", "absence", "none", NULL };
static const char *const labels[] = {
    "NONE",
#define LABEL(name, system, code, parent, kind, display) #name,
#include "consent/labels.def"
#undef LABEL
    NULL
};

struct row {
    const struct table *table;
    struct span         at[FIELDS];      /* CODE without the star of a prefix */
    bool                prefix;
    unsigned            line;
};

struct source { struct span at[SOURCE_FIELDS]; unsigned line, rows; };

struct facts {
    struct arena *arena;
    const char   *path;                  /* that is read */
    unsigned      refused;
    struct row    *rows;
    struct source *sources;
    size_t         row_count, source_count;
};

static bool read_file(struct facts *, const char *path, void (*line)(struct facts *, struct span, unsigned));
static void read_source(struct facts *, struct span line, unsigned number);
static void read_row(struct facts *, struct span line, unsigned number);
static void check_code(struct facts *, const struct row *);
static void check_source(struct facts *, const struct row *);
static void check_meaning(struct facts *, const struct row *);
static void check_together(struct facts *);
static bool write_rows(const struct facts *, const char *path);
static bool write_sources(const struct facts *, const char *path);

int
main(int argc, char **argv)
{
    if (argc != 5) {
        fprintf(stderr, "usage: sluice-codes CODES.facts SOURCES.facts OUT_ROWS.def OUT_SOURCES.def\n");
        return 2;
    }
    struct facts f = { .arena = arena_new("codes", 64 << 20) };
    int          code = 4;

    f.rows    = arena_make_n(f.arena, ROWS_MOST, struct row);
    f.sources = arena_make_n(f.arena, SOURCES_MOST, struct source);
    if (f.rows != NULL && f.sources != NULL && read_file(&f, argv[2], read_source) && read_file(&f, argv[1], read_row)) {
        check_together(&f);
        code = f.refused > 0 ? 1 : write_rows(&f, argv[3]) && write_sources(&f, argv[4]) ? 0 : 4;
    }
    if (code == 1)
        fprintf(stderr, "%u refused, nothing written\n", f.refused);
    arena_free(&f.arena);
    return code;
}

static void
refuse(struct facts *f, unsigned line, struct span what, const char *why)
{
    fprintf(stderr, "%s:%u: %.*s: %s\n", f->path, line, SPAN_PRINT(what), why);
    f->refused++;
}

static bool
read_file(struct facts *f, const char *path, void (*read)(struct facts *, struct span, unsigned))
{
    char     line[LINE_MOST];
    unsigned number = 0;
    FILE    *in     = fopen(path, "r");

    f->path = path;
    if (in == NULL) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        return false;
    }
    while (fgets(line, sizeof line, in) != NULL) {
        struct span text = span_trim(span_of(line));
        number++;
        if (strlen(line) == sizeof line - 1 && line[sizeof line - 2] != '\n') {
            refuse(f, number, span_first(text, 40), "the line is too long");
            break;
        }
        if (!span_empty(text) && text.at[0] != '#')
            read(f, arena_copy(f->arena, text), number);
    }
    bool good = ferror(in) == 0;
    fclose(in);
    return good;
}

/* Fields between bars; false when there are too many, or one of the first `least` is empty.  What a C text
 * cannot hold as it is written is no field. */
static bool
split(struct facts *f, struct span line, unsigned number, struct span *fields, size_t most, size_t least)
{
    struct span rest  = line;
    size_t      count = 0;

    for (size_t i = 0; i < line.length; i++)
        if (line.at[i] < ' ' || line.at[i] > '~' || line.at[i] == '"' || line.at[i] == '\\') {
            refuse(f, number, span_first(line, 40), "a byte that has no place here: ASCII, no quotation mark, no backslash");
            return false;
        }
    while (rest.at != NULL && count < most)
        fields[count++] = span_trim(span_split(&rest, '|'));
    for (size_t i = 0; i < least; i++)
        if (i >= count || span_empty(fields[i])) {
            refuse(f, number, span_first(line, 40), "a field is missing");
            return false;
        }
    if (rest.at != NULL)
        refuse(f, number, span_first(line, 40), "a field too many");
    return rest.at == NULL;
}

static bool
among(struct span word, const char *const *words)
{
    for (; *words != NULL; words++)
        if (span_eq_text(word, *words))
            return true;
    return false;
}

static void
read_source(struct facts *f, struct span line, unsigned number)
{
    struct source s = { .line = number };

    if (!split(f, line, number, s.at, SOURCE_FIELDS, SOURCE_FIELDS))
        return;
    for (size_t i = 0; i < f->source_count; i++)
        if (span_eq(f->sources[i].at[0], s.at[0]))
            refuse(f, number, s.at[0], "the source is there already");
    if (!among(s.at[1], ways))
        refuse(f, number, s.at[0], "checked is name, list, absence or none");
    if (f->source_count == SOURCES_MOST)
        refuse(f, number, s.at[0], "too many sources");
    else
        f->sources[f->source_count++] = s;
}

static void
read_row(struct facts *f, struct span line, unsigned number)
{
    static const char *const states[] = { "on", "off", NULL };
    static const struct { enum field field; const char *const *words; const char *why; } columns[] = {
        { TIER, tiers, "the tier is T1, T2, T3, NOT or CONTEXT" }, { LABELS, labels, "the label is not one of consent/labels.def" },
        { KIND, kinds, "the kind is not known" },                  { STATE, states, "the state is on or off" },
        { CHECKED, ways, "checked is name, list, absence or none" },
    };
    struct row r = { .line = number };

    if (!split(f, line, number, r.at, FIELDS, BECAUSE))
        return;
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
        if (!among(r.at[columns[i].field], columns[i].words)) {
            refuse(f, number, r.at[CODE], columns[i].why);
            return;
        }
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        if (span_eq_text(r.at[SYSTEM], tables[i].word))
            r.table = &tables[i];
    if (r.table == NULL || f->row_count == ROWS_MOST) {
        refuse(f, number, r.at[CODE], r.table == NULL ? "the system is not known" : "too many rows");
        return;
    }
    r.prefix = span_ends(r.at[CODE], SPAN("*"));
    if (r.prefix)
        r.at[CODE].length--;
    check_code(f, &r);
    check_source(f, &r);
    check_meaning(f, &r);
    f->rows[f->row_count++] = r;
}

/* ---- guards of one row ------------------------------------------------------------ */

static bool
digits(struct span s, size_t count)
{
    uint64_t number;

    return s.length == count && span_to_u64(s, &number);
}

/* A prefix of a code of its system: the first letters and digits of one. */
static bool
begins_a_code(const struct table *t, struct span s)
{
    switch (t->system) {
    case CODE_SYSTEM_ICD10CM:                 /* a letter and a digit at least */
        return s.length >= 2 && s.length < 7 && s.at[0] >= 'A' && s.at[0] <= 'Z' && s.at[1] >= '0' && s.at[1] <= '9';
    case CODE_SYSTEM_ICD9CM:                  /* a whole category at least */
        return s.length >= 3 && code_well_formed(t->system, s);
    case CODE_SYSTEM_ATC:                     /* the therapeutic subgroup at least: "N07" */
        return s.length >= 3 && s.length < 7 && s.at[0] >= 'A' && s.at[0] <= 'V' && digits((struct span){ s.at + 1, 2 }, 2);
    default:
        return s.length >= 2;
    }
}

static bool
is_code(const struct table *t, struct span s)
{
    if (t->system == CODE_SYSTEM_DRG)
        return digits(s, 3);
    if (t->system == CODE_SYSTEM_SPECIALTY)
        return s.length == 2;
    if (t->system == CODE_SYSTEM_HCPCS)
        return code_well_formed(t->system, s) && s.length == (strcmp(t->table, "MODIFIER") == 0 ? 2 : 5);
    if (t->system == CODE_SYSTEM_ATC)
        return s.length == 7 || s.length == 5;
    return code_well_formed(t->system, s);
}

static void
check_code(struct facts *f, const struct row *r)
{
    struct code folded = code_fold(r->table->system, r->at[CODE]);

    if (!span_eq(code_span(&folded), r->at[CODE]))
        refuse(f, r->line, r->at[CODE], "the code is not in its plain form: no dot, no small letter, not too long");
    else if (r->prefix && !r->table->prefixes)
        refuse(f, r->line, r->at[CODE], "codes of this system are found exactly: no prefix");
    else if (r->prefix && !begins_a_code(r->table, r->at[CODE]))
        refuse(f, r->line, r->at[CODE], "no code of this system begins so, or too many do");
    else if (!r->prefix && !is_code(r->table, r->at[CODE]))
        refuse(f, r->line, r->at[CODE], "this is no code of its system: its shape or its check digit is wrong");
}

static bool
is_day(struct span s)
{
    static const uint64_t days[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    uint64_t year, month, day;

    return s.length == 10 && s.at[4] == '-' && s.at[7] == '-' && span_to_u64(span_first(s, 4), &year) && year >= 2020
        && span_to_u64(span_first(span_skip(s, 5), 2), &month) && span_to_u64(span_skip(s, 8), &day) && month >= 1 && month <= 12
        && day >= 1 && day <= days[month - 1] && (month != 2 || day < 29 || year % 4 == 0);
}

static void
check_source(struct facts *f, const struct row *r)
{
    const struct source *from = NULL;
    bool on = span_eq_text(r->at[STATE], "on"), compared = !span_eq_text(r->at[CHECKED], "none");

    for (size_t i = 0; i < f->source_count; i++)
        if (span_eq(f->sources[i].at[0], r->at[SOURCE])) {
            f->sources[i].rows++;
            from = &f->sources[i];
        }
    if (from == NULL)
        refuse(f, r->line, r->at[CODE], "its source is in no row of the sources");
    else if (!span_eq(from->at[1], r->at[CHECKED]))
        refuse(f, r->line, r->at[CODE], "its source does not compare in this way");
    if (on && !compared)
        refuse(f, r->line, r->at[CODE], "nobody has compared it with a source: it cannot be on");
    if (compared ? !is_day(r->at[DAY]) : !span_eq_text(r->at[DAY], "-"))
        refuse(f, r->line, r->at[CODE], compared ? "the day is none" : "it was compared on a day, and by nobody");
    if (!on && compared && span_empty(r->at[BECAUSE]))
        refuse(f, r->line, r->at[CODE], "it has a source, is off, and does not say why");
}

static void
check_meaning(struct facts *f, const struct row *r)
{
    bool context = span_eq_text(r->at[TIER], "CONTEXT");
    bool speaks  = !context && !span_eq_text(r->at[TIER], "NOT");

    if (speaks == span_eq_text(r->at[LABELS], "NONE"))
        refuse(f, r->line, r->at[CODE], speaks ? "a tier that labels, and no label" : "a tier that labels nothing, and a label");
    if (context != (span_eq_text(r->at[KIND], "PAIN") || span_eq_text(r->at[KIND], "WEIGHT")))
        refuse(f, r->line, r->at[CODE], "pain and weight are context, and nothing else is");
    if (speaks && span_eq_text(r->at[CHECKED], "absence"))
        refuse(f, r->line, r->at[CODE], "that a source leaves it out is no reason to label");
}

/* ---- guards of all rows together ---------------------------------------------------- */

static int
by_table_and_code(const void *x, const void *y)
{
    const struct row *a = x, *b = y;

    if (a->table != b->table)
        return a->table < b->table ? -1 : 1;
    int order = span_compare(a->at[CODE], b->at[CODE]);
    return order != 0 ? order : a->line < b->line ? -1 : 1;
}

/* The row says no more than a shorter prefix, which is on, does. */
static bool
says_the_same(const struct row *prefix, const struct row *r)
{
    return prefix != r && prefix->prefix && prefix->table == r->table && r->at[CODE].length > prefix->at[CODE].length
        && span_starts(r->at[CODE], prefix->at[CODE]) && span_eq_text(prefix->at[STATE], "on")
        && span_eq(prefix->at[TIER], r->at[TIER]) && span_eq(prefix->at[LABELS], r->at[LABELS]) && span_eq(prefix->at[KIND], r->at[KIND]);
}

/* Tiers are listed from the strongest to those that label nothing. */
static size_t
strength(struct span tier)
{
    size_t i = 0;

    while (tiers[i] != NULL && !span_eq_text(tier, tiers[i]))
        i++;
    return i;
}

/* The longest rule wins, so a weaker row under a prefix takes back what the prefix says. */
static bool
softens(const struct row *prefix, const struct row *r)
{
    return prefix != r && prefix->prefix && prefix->table == r->table && r->at[CODE].length > prefix->at[CODE].length
        && span_starts(r->at[CODE], prefix->at[CODE]) && span_eq_text(prefix->at[STATE], "on")
        && strength(r->at[TIER]) > strength(prefix->at[TIER]);
}

static void
check_softening(struct facts *f, size_t i)
{
    const struct row *r     = &f->rows[i];
    bool              found = false;

    if (!span_eq_text(r->at[STATE], "on"))
        return;
    for (size_t k = i; k-- > 0 && f->rows[k].table == r->table && !found; )
        found = softens(&f->rows[k], r);
    if (found && span_empty(r->at[BECAUSE]))
        refuse(f, r->line, r->at[CODE], "it is weaker than a prefix, and does not say why");
    if (!found && !span_empty(r->at[BECAUSE]))
        refuse(f, r->line, r->at[CODE], "it is on and says why it is off or weaker");
}

static void
check_together(struct facts *f)
{
    qsort(f->rows, f->row_count, sizeof *f->rows, by_table_and_code);
    for (size_t i = 0; i < f->row_count; i++) {
        const struct row *r = &f->rows[i];
        if (i > 0 && f->rows[i - 1].table == r->table && span_eq(f->rows[i - 1].at[CODE], r->at[CODE]))
            refuse(f, r->line, r->at[CODE], "the code is there already");
        for (size_t k = i; k-- > 0 && f->rows[k].table == r->table; )
            if (says_the_same(&f->rows[k], r)) {
                refuse(f, r->line, r->at[CODE], "a prefix says the same of it");
                break;
            }
        check_softening(f, i);
    }
    for (size_t i = 0; i < f->source_count; i++)
        if (f->sources[i].rows == 0)
            refuse(f, f->sources[i].line, f->sources[i].at[0], "no row is of this source");
}

/* ---- what the compiler includes ------------------------------------------------------- */

static bool
finish(FILE *out, const char *path)
{
    bool good = ferror(out) == 0;

    good = fclose(out) == 0 && good;
    if (!good)
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
    return good;
}

static FILE *
begin(const char *path, const char *what)
{
    FILE *out = fopen(path, "w");

    if (out == NULL)
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
    else
        fprintf(out, "/* %s; written by tools/codes.c, see there. */\n", what);
    return out;
}

static bool
write_rows(const struct facts *f, const char *path)
{
    FILE *out = begin(path, "the rows of consent/codes.facts");

    if (out == NULL)
        return false;
    for (size_t i = 0; i < f->row_count; i++) {
        const struct row *r = &f->rows[i];
        if (i == 0 || f->rows[i - 1].table != r->table)
            fprintf(out, "%s#ifdef ROW_%s\n", i > 0 ? "#endif\n" : "", r->table->table);
        fprintf(out, "ROW_%s(\"%.*s\", %s, %.*s, %.*s, %.*s, %s, %.*s, \"%.*s\", \"%.*s\", \"%.*s\", \"%.*s\")\n", r->table->table,
                SPAN_PRINT(r->at[CODE]), r->prefix ? "PREFIX" : "EXACT", SPAN_PRINT(r->at[TIER]), SPAN_PRINT(r->at[LABELS]),
                SPAN_PRINT(r->at[KIND]), span_eq_text(r->at[STATE], "on") ? "ON" : "OFF", SPAN_PRINT(r->at[SOURCE]),
                SPAN_PRINT(r->at[CHECKED]), SPAN_PRINT(r->at[DAY]), SPAN_PRINT(r->at[WORDS]), SPAN_PRINT(r->at[BECAUSE]));
    }
    if (f->row_count > 0)
        fputs("#endif\n", out);
    return finish(out, path);
}

static bool
write_sources(const struct facts *f, const char *path)
{
    FILE *out = begin(path, "the rows of consent/code_sources.facts");

    if (out == NULL)
        return false;
    for (size_t i = 0; i < f->source_count; i++)
        fprintf(out, "SOURCE(%.*s, \"%.*s\", \"%.*s\")\n", SPAN_PRINT(f->sources[i].at[0]), SPAN_PRINT(f->sources[i].at[2]),
                SPAN_PRINT(f->sources[i].at[3]));
    return finish(out, path);
}
