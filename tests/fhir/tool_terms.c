/* tests/fhir/tool_terms.c -- asks a pack about codes, for tests/fhir/terms_oracle.py.
 *
 *     tool_terms PACK list            url version decided why, a value set a line
 *     tool_terms PACK ask             a question a line on stdin, an answer a line
 *         member TAB value set TAB system TAB version TAB code
 *         any    TAB value set TAB code
 *         code   TAB system TAB version TAB code
 *         isa    TAB system TAB version TAB code TAB ancestor
 *         display TAB system TAB version TAB code TAB display
 *     tool_terms PACK time            what opening and answers cost, and the bytes of the sections
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fhir/pack.h"
#include "fhir/pack_terms.h"

static struct span
read_pack(const char *path, struct arena *arena)
{
    FILE *f = fopen(path, "rb");

    if (f == NULL || fseek(f, 0, SEEK_END) != 0)
        exit(2);
    long  length = ftell(f);
    char *at     = arena_alloc(arena, (size_t)length);
    rewind(f);
    if (at == NULL || fread(at, 1, (size_t)length, f) != (size_t)length)
        exit(2);
    fclose(f);
    return span_from(at, (size_t)length);
}

static const char *
verdict(struct term_answer a)
{
    return a.verdict == TERM_IN ? "in" : a.verdict == TERM_OUT ? "out" : "undecided";
}

/* The first doubt of a value set. */
static const char *
doubt(const struct pack *p, const struct pack_value_set *v)
{
    if (v->rest == SAID_UNDECIDED)
        return term_why_text(v->rest_why);
    for (uint32_t i = 0; i < v->part_count; i++) {
        const struct pack_value_part *part = &p->value_parts[v->first_part + i];
        if (part->fallback == SAID_UNDECIDED)
            return term_why_text(part->why);
        if (part->fallback == SAID_WHOLE && term_content(p, pack_span(p, part->system), pack_span(p, part->version)) < TERM_CONTENT_COMPLETE)
            return "all codes of a system that is not here";
    }
    return "";
}

static void
list(const struct pack *p)
{
    for (uint32_t i = 0; i < term_value_set_count(p); i++)
        printf("%.*s\t%.*s\t%d\t%s\n", SPAN_PRINT(term_value_set_url(p, i)), SPAN_PRINT(term_value_set_version(p, i)),
               term_decidable(p, i), doubt(p, &p->value_sets[i]));
}

static struct term_answer
answer(const struct pack *p, struct span line)
{
    struct span field[5] = { { NULL, 0 } };

    for (size_t i = 0; i < 5 && line.at != NULL; i++)
        field[i] = span_split(&line, '\t');
    if (span_eq_text(field[0], "member"))
        return term_member(p, term_value_set(p, field[1]), field[2], field[3], field[4]);
    if (span_eq_text(field[0], "any"))
        return term_member_code(p, term_value_set(p, field[1]), field[2]);
    if (span_eq_text(field[0], "code"))
        return term_code(p, field[1], field[2], field[3]);
    if (span_eq_text(field[0], "display")) {
        uint32_t concept = term_concept(p, field[1], field[2], field[3]);
        return (struct term_answer){ concept == TERM_NONE ? TERM_UNDECIDED : term_display_known(p, concept, field[4]) ? TERM_IN : TERM_OUT,
                                     TERM_WHY_NONE };
    }
    return term_is_a(p, field[1], field[2], field[3], field[4]);
}

static double
seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

#define TIMES 1000000u

static void
time_code(const struct pack *p, const char *canonical, const char *code)
{
    uint32_t set = term_value_set(p, span_of(canonical)), in = 0;
    double   from = seconds();

    for (uint32_t i = 0; i < TIMES; i++)
        in += term_member_code(p, set, span_of(code)).verdict == TERM_IN;
    printf("%6.1f ns  a code in %s (%s)\n", (seconds() - from) * 1e9 / TIMES, canonical, in > 0 ? "in" : "not in");
}

static void
time_coding(const struct pack *p, const char *canonical, const char *system, const char *code)
{
    uint32_t    set  = term_value_set(p, span_of(canonical)), in = 0;
    struct span none = { NULL, 0 };
    double      from = seconds();

    for (uint32_t i = 0; i < TIMES; i++)
        in += term_member(p, set, span_of(system), none, span_of(code)).verdict == TERM_IN;
    printf("%6.1f ns  a Coding in %s (%s)\n", (seconds() - from) * 1e9 / TIMES, canonical, in > 0 ? "in" : "not in");
}

static void
time_all(const struct pack *p, struct span bytes, struct arena *arena)
{
    static const char *const names[] = { "systems", "system slots", "concepts", "concept slots", "parents", "designations",
                                         "value sets", "value set slots", "value parts", "members" };
    const struct pack       *again;
    size_t                   total = 0;
    double                   from  = seconds();

    for (uint32_t i = 0; i < 10; i++)
        if (pack_open(bytes, arena, &again) != ST_OK)
            exit(1);
    printf("%6.2f ms  opening %zu bytes\n", (seconds() - from) * 100, bytes.length);
    from = seconds();
    for (uint32_t i = 0; i < 10; i++)
        if (!pack_terms_good(p))
            exit(1);
    printf("%6.2f ms  of these terminology\n", (seconds() - from) * 100);
    time_code(p, "http://hl7.org/fhir/ValueSet/administrative-gender", "female");
    time_code(p, "http://hl7.org/fhir/ValueSet/administrative-gender", "f");
    time_code(p, "http://hl7.org/fhir/ValueSet/mimetypes", "application/fhir+json");
    time_code(p, "http://hl7.org/fhir/ValueSet/ucum-units", "mg/dL");
    time_coding(p, "http://hl7.org/fhir/ValueSet/condition-clinical", "http://terminology.hl7.org/CodeSystem/condition-clinical", "active");
    time_coding(p, "http://terminology.hl7.org/ValueSet/v3-ActEncounterCode", "http://terminology.hl7.org/CodeSystem/v3-ActCode", "AMB");
    for (uint32_t i = PACK_SYSTEMS; i <= PACK_MEMBERS; i++) {
        printf("%8zu bytes  %u %s\n", (size_t)p->counts[i] * pack_record_sizes[i], p->counts[i], names[i - PACK_SYSTEMS]);
        total += (size_t)p->counts[i] * pack_record_sizes[i];
    }
    printf("%8zu bytes  of terminology, beside its texts\n", total);
}

int
main(int argc, char **argv)
{
    struct arena      *arena = arena_new("tool_terms", (size_t)1 << 30);
    const struct pack *pack;
    char               line[65536];

    if (argc != 3 || arena == NULL)
        return 2;
    struct span bytes = read_pack(argv[1], arena);
    if (pack_open(bytes, arena, &pack) != ST_OK)
        return 1;
    if (strcmp(argv[2], "time") == 0)
        time_all(pack, bytes, arena);
    if (strcmp(argv[2], "list") == 0)
        list(pack);
    while (strcmp(argv[2], "ask") == 0 && fgets(line, sizeof line, stdin) != NULL) {
        struct term_answer a = answer(pack, span_from(line, strcspn(line, "\n")));
        printf("%s\t%s\n", verdict(a), term_why_text(a.why));
    }
    arena_free(&arena);
    return 0;
}
