/* tests/fhir/terms_check.h -- small packs of terminology, written with ' for ". */
#ifndef SLUICE_TESTS_FHIR_TERMS_CHECK_H
#define SLUICE_TESTS_FHIR_TERMS_CHECK_H

#include "tests/fhir/fhir_check.h"

#include "fhir/pack.h"
#include "fhir/package.h"
#include "fhir/terminology.h"

#define ANIMALS "http://t/cs/animals"
#define VS      "http://t/vs/"

/* A compiler wants one type at least. */
static const char terms_element[] =
    "{'resourceType':'StructureDefinition','url':'http://t/Element','type':'Element','kind':'complex-type','abstract':false,"
    "'derivation':'specialization','snapshot':{'element':[{'path':'Element'}]}}";

static inline struct span
terms_json(struct arena *arena, const char *text)
{
    char *copy = arena_text(arena, span_of(text));

    assert_non_null(copy);
    for (char *at = copy; *at != '\0'; at++)
        if (*at == '\'')
            *at = '"';
    return span_of(copy);
}

static inline enum status
terms_compile(struct arena *arena, const struct pack *base, size_t count, const char *const *files, struct issues *issues,
              const struct pack **pack)
{
    static const char    sha[32] = "0123456789abcdef0123456789abcde";
    struct package_file *all     = arena_make_n(arena, count + 1, struct package_file);
    struct buf           out;

    for (size_t i = 0; i < count; i++)
        all[i] = (struct package_file){ SPAN("file.json"), terms_json(arena, files[i]) };
    all[count] = (struct package_file){ SPAN("element.json"), terms_json(arena, terms_element) };
    struct package_sources sources = { all, count + (base == NULL), SPAN("t#1"), span_from(sha, 32), base };
    buf_init(&out, (size_t)64 << 20);
    enum status st = package_compile(&sources, arena, issues, &out);
    if (st == ST_OK) {
        char *copy = arena_alloc(arena, out.length);
        assert_non_null(copy);
        memcpy(copy, out.at, out.length);
        assert_int_equal(pack_open(span_from(copy, out.length), arena, pack), ST_OK);
    }
    buf_release(&out);
    return st;
}

static inline const struct pack *
terms_pack(struct arena *arena, const struct pack *base, size_t count, const char *const *files)
{
    struct issues     *issues = issues_new(arena, 10);
    const struct pack *pack   = NULL;

    if (terms_compile(arena, base, count, files, issues, &pack) != ST_OK)
        fail_msg("the test's own definitions: %.*s: %.*s",
                 SPAN_PRINT(issues_count(issues) > 0 ? issues_at(issues, 0)->wanted : SPAN("memory")),
                 SPAN_PRINT(issues_count(issues) > 0 ? issues_at(issues, 0)->found : SPAN("")));
    return pack;
}

#endif
