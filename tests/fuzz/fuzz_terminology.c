/* tests/fuzz/fuzz_terminology.c -- checkers of codes, and definitions of code systems and value sets.
 *
 * First byte 'c': the rest is a code, for every checker.  Checked: nothing
 * crashes, letter case does not matter to a language tag, a unit in parentheses is
 * a unit.  Any other: the rest is a file of definitions beside a small code
 * system.  Checked: what compiles opens, every value set answers, one that
 * leaves no doubt has none, a bare code is in where one with a system is. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "fhir/language_tag.h"
#include "fhir/media_type.h"
#include "fhir/pack.h"
#include "fhir/package.h"
#include "fhir/term_systems.h"
#include "fhir/terminology.h"
#include "fhir/ucum.h"

#define SETS 64u                             /* value sets that are asked */

#define ELEMENT \
    "{\"resourceType\":\"StructureDefinition\",\"url\":\"http://t/Element\",\"type\":\"Element\",\"kind\":\"complex-type\"," \
    "\"abstract\":false,\"derivation\":\"specialization\",\"snapshot\":{\"element\":[{\"path\":\"Element\"}]}}"
#define ANIMALS \
    "{\"resourceType\":\"CodeSystem\",\"url\":\"a\",\"content\":\"complete\",\"property\":[{\"code\":\"p\",\"type\":\"code\"}],\"concept\":[" \
    "{\"code\":\"m\",\"concept\":[{\"code\":\"c\",\"property\":[{\"code\":\"p\",\"valueCode\":\"x\"}]},{\"code\":\"d\"}]}," \
    "{\"code\":\"b\",\"property\":[{\"code\":\"parent\",\"valueCode\":\"m\"}]}]}"

static const struct { const char *system, *code; } asked[] = {
    { "a", "m" }, { "a", "c" }, { "a", "C" }, { "b", "c" }, { "http://loinc.org", "1-8" }, { "http://unitsofmeasure.org", "mg" }, { "", "" },
};

static void
fuzz_checkers(struct span code)
{
    static const char *const urls[] = { "http://unitsofmeasure.org", "urn:ietf:bcp:13", "urn:ietf:bcp:47", "urn:iso:std:iso:3166",
                                        "urn:iso:std:iso:3166:-2", "urn:iso:std:iso:4217" };
    char                     text[UCUM_MAX_LENGTH];

    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++)
        (void)term_system_of(span_of(urls[i]))->has(code);
    if (code.length + 2 > sizeof text)
        return;
    for (size_t i = 0; i < code.length; i++)
        text[i] = code.at[i] >= 'a' && code.at[i] <= 'z' ? (char)(code.at[i] - 32) : code.at[i];
    assert(language_tag_good(span_from(text, code.length)) == language_tag_good(code));
    if (code.length > 0 && code.at[0] != '/' && span_find_byte(code, '(') == SPAN_NOT_FOUND && ucum_good(code)) {
        text[0] = '(';
        memcpy(text + 1, code.at, code.length);
        text[code.length + 1] = ')';
        assert(ucum_good(span_from(text, code.length + 2)));
    }
}

static void
ask(const struct pack *pack, uint32_t set)
{
    struct span codes[3], none = { NULL, 0 };
    bool        more, sure = term_decidable(pack, set);

    for (size_t i = 0; i < sizeof asked / sizeof asked[0]; i++) {
        struct span        system = span_of(asked[i].system), code = span_of(asked[i].code);
        struct term_answer with = term_member(pack, set, system, none, code), without = term_member_code(pack, set, code);
        assert(!sure || (with.verdict != TERM_UNDECIDED && without.verdict != TERM_UNDECIDED));
        assert(with.verdict != TERM_IN || without.verdict == TERM_IN);
        assert((with.why == TERM_WHY_NONE) == (with.verdict == TERM_IN));
        (void)term_display_known(pack, term_concept(pack, system, none, code), SPAN("x"));
        (void)term_is_a(pack, system, none, code, SPAN("m"));
        (void)term_code(pack, system, none, code);
    }
    (void)term_some_codes(pack, set, codes, 3, &more);
}

static void
open_and_ask(struct span bytes, struct arena *arena)
{
    const struct pack *pack;
    char              *copy = arena_alloc(arena, bytes.length);

    if (copy == NULL)
        return;
    memcpy(copy, bytes.at, bytes.length);
    enum status st = pack_open(span_from(copy, bytes.length), arena, &pack);
    assert(st == ST_OK || st == ST_NO_MEMORY);
    for (uint32_t i = 0; st == ST_OK && i < term_value_set_count(pack) && i < SETS; i++)
        ask(pack, i);
}

static void
fuzz_definitions(struct span file)
{
    struct arena       *arena  = arena_new("fuzz", (size_t)64 << 20);
    struct issues      *issues = issues_new(arena, 10);
    struct package_file files[] = { { SPAN("element"), SPAN(ELEMENT) }, { SPAN("animals"), SPAN(ANIMALS) }, { SPAN("fuzz"), file } };
    struct package_sources sources = { files, 3, SPAN("t#1"), SPAN("0123456789abcdef0123456789abcdef"), NULL };
    struct buf             out;

    buf_init(&out, (size_t)64 << 20);
    if (package_compile(&sources, arena, issues, &out) == ST_OK)
        open_and_ask(buf_span(&out), arena);
    buf_release(&out);
    arena_free(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct span rest = span_from((const char *)data + 1, size - 1);
    if (data[0] == 'c')
        fuzz_checkers(rest);
    else
        fuzz_definitions(rest);
    return 0;
}
