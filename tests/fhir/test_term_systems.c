#include "tests/fhir/fhir_check.h"

#include "fhir/term_systems.h"

#define UCUM     "http://unitsofmeasure.org"
#define MEDIA    "urn:ietf:bcp:13"
#define LANGUAGE "urn:ietf:bcp:47"
#define COUNTRY  "urn:iso:std:iso:3166"
#define AREA     "urn:iso:std:iso:3166:-2"
#define CURRENCY "urn:iso:std:iso:4217"

static const struct { const char *system, *code; bool good; } cases[] = {
    /* atoms, prefixes, case */
    { UCUM, "m", true }, { UCUM, "mg", true }, { UCUM, "Mg", true }, { UCUM, "MG", true }, { UCUM, "mmG", false }, { UCUM, "kg", true },
    { UCUM, "Kg", false }, { UCUM, "dag", true }, { UCUM, "KiBy", true }, { UCUM, "mmin", false }, { UCUM, "min", true },
    { UCUM, "mL", true }, { UCUM, "ml", true }, { UCUM, "ML", true }, { UCUM, "mHg", false }, { UCUM, "mm[Hg]", true },
    { UCUM, "mmHg", false }, { UCUM, "[in_i]", true }, { UCUM, "k[in_i]", false }, { UCUM, "[IU]", true },
    { UCUM, "m[IU]/L", true }, { UCUM, "IU", false }, { UCUM, "Cel", true }, { UCUM, "[degF]", true }, { UCUM, "%", true },
    { UCUM, "B[10.nV]", true }, { UCUM, "dB[10.nV]", true }, { UCUM, "cal_[15]", true }, { UCUM, "xyz", false },
    { UCUM, "mkg", false }, { UCUM, "{", false }, { UCUM, "[", false }, { UCUM, "[in_i", false },
    /* exponents and factors */
    { UCUM, "m2", true }, { UCUM, "m+2", true }, { UCUM, "s-1", true }, { UCUM, "m-", false }, { UCUM, "2m", false },
    { UCUM, "10*3", true }, { UCUM, "10*-6", true }, { UCUM, "10^3", true }, { UCUM, "10*3/uL", true }, { UCUM, "10", true },
    { UCUM, "1", true }, { UCUM, "12.h", true }, { UCUM, "m2.5", true }, { UCUM, "m2a", false }, { UCUM, "2-", false },
    /* terms */
    { UCUM, "mg/dL", true }, { UCUM, "/min", true }, { UCUM, "//min", false }, { UCUM, "mg//dL", false }, { UCUM, "mg/", false },
    { UCUM, ".mg", false }, { UCUM, "kg.m/s2", true }, { UCUM, "L/(min.m2)", true }, { UCUM, "(mg", false }, { UCUM, "mg)", false },
    { UCUM, "()", false }, { UCUM, "(m)2", false }, { UCUM, "mg dL", false }, { UCUM, " mg", false }, { UCUM, "mg ", false },
    { UCUM, "", false },
    /* annotations */
    { UCUM, "{score}", true }, { UCUM, "{}", true }, { UCUM, "mg{total}", true }, { UCUM, "m2{BSA}", true },
    { UCUM, "/100{WBC}", true }, { UCUM, "g/(8.h){shift}", true }, { UCUM, "{beats}/min", true }, { UCUM, "{a}{b}", false },
    { UCUM, "{a}m", false }, { UCUM, "{a", false }, { UCUM, "{a{b}}", false }, { UCUM, "{\xc3\xa9}", false }, { UCUM, "a}", false },
    { UCUM, "((((((((((((((((m))))))))))))))))", true }, { UCUM, "(((((((((((((((((m)))))))))))))))))", false },

    { MEDIA, "application/fhir+json", true }, { MEDIA, "text/plain; charset=UTF-8", true }, { MEDIA, "text/plain;charset=\"a b\"", true },
    { MEDIA, "image/svg+xml", true }, { MEDIA, "application/vnd.ms-excel", true }, { MEDIA, "text", false }, { MEDIA, "text/", false },
    { MEDIA, "/plain", false }, { MEDIA, "text/plain;", false }, { MEDIA, "text/plain; charset", false }, { MEDIA, "text/pl ain", false },
    { MEDIA, "text/plain;charset=\"a", false }, { MEDIA, "text/plain;charset=\"a\\\"b\"", true }, { MEDIA, "+x/y", false }, { MEDIA, "", false },
    { MEDIA, "text/plain;charset=", false }, { MEDIA, "text/plain;charset=\"a\\", false }, { MEDIA, "text/plain x", false },

    { LANGUAGE, "en", true }, { LANGUAGE, "en-US", true }, { LANGUAGE, "EN-us", true }, { LANGUAGE, "english", false }, { LANGUAGE, "xx", false },
    { LANGUAGE, "zh-Hant-TW", true }, { LANGUAGE, "zh-cmn-Hans", true }, { LANGUAGE, "zh-Xxxx", false }, { LANGUAGE, "en-UK", false },
    { LANGUAGE, "es-419", true }, { LANGUAGE, "es-999", false }, { LANGUAGE, "de-CH-1901", true }, { LANGUAGE, "sl-rozaj-biske", true },
    { LANGUAGE, "de-1901-1901", false }, { LANGUAGE, "de-foobar", false }, { LANGUAGE, "en-a-bbb-x-a", true }, { LANGUAGE, "en-a", false },
    { LANGUAGE, "en-a-bb-a-cc", false }, { LANGUAGE, "x-local", true }, { LANGUAGE, "x", false }, { LANGUAGE, "i-klingon", true },
    { LANGUAGE, "i-foo", false }, { LANGUAGE, "qaa", true }, { LANGUAGE, "qtz-Qaaa-QM", true }, { LANGUAGE, "qua", true }, { LANGUAGE, "yue", true },
    { LANGUAGE, "en--US", false }, { LANGUAGE, "-en", false }, { LANGUAGE, "en-", false }, { LANGUAGE, "en_US", false }, { LANGUAGE, "", false },
    { LANGUAGE, "en-US-", false }, { LANGUAGE, "abcdefghi", false }, { LANGUAGE, "sgn-BE-FR", true }, { LANGUAGE, "en-XZ", true },

    { COUNTRY, "US", true }, { COUNTRY, "USA", true }, { COUNTRY, "840", true }, { COUNTRY, "us", false }, { COUNTRY, "UK", false },
    { COUNTRY, "AFG", true }, { COUNTRY, "ZWE", true }, { COUNTRY, "004", true }, { COUNTRY, "894", true }, { COUNTRY, "", false },
    { COUNTRY, "United States", false },
    { AREA, "US-CA", true }, { AREA, "GB-ENG", true }, { AREA, "US-XX", false }, { AREA, "US-CA ", false }, { AREA, "CA", false }, { AREA, "", false },
    { CURRENCY, "USD", true }, { CURRENCY, "EUR", true }, { CURRENCY, "usd", false }, { CURRENCY, "HRK", true }, { CURRENCY, "XX" "X", true }, { CURRENCY, "ZZZ", false },
};

static void
test_knows_what_is_a_code(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct term_system *system = term_system_of(span_of(cases[i].system));
        assert_non_null(system);
        if (system->has(span_of(cases[i].code)) != cases[i].good)
            fail_msg("%s \"%s\" is %s", cases[i].system, cases[i].code, cases[i].good ? "refused" : "taken");
    }
}

static void
test_has_no_checker_for_other_systems(void **state)
{
    (void)state;
    assert_null(term_system_of(SPAN("http://loinc.org")));
    assert_null(term_system_of(SPAN("")));
    assert_null(term_system_of(SPAN("urn:ietf:bcp:4")));
}

/* Tables that are searched by halves. */
static void
check_sorted(const char *list, size_t width)
{
    for (size_t i = 0; list[i] != '\0'; i += width + 1) {
        assert_true(strlen(list + i) > width);
        assert_int_equal(list[i + width], ' ');
        assert_true(i == 0 || memcmp(list + i - width - 1, list + i, width) < 0);
    }
}

#define ALPHA2(w)
#define ALPHA3(w)
#define NUMERIC(w) w
static const char numeric[] =
#include "fhir/term_countries.def"
;
#undef ALPHA3
#undef NUMERIC
#define NUMERIC(w)
#define ALPHA3(w) w
static const char alpha3[] =
#include "fhir/term_countries.def"
;
#define CURRENCIES(w) w
static const char currencies[] =
#include "fhir/term_currencies.def"
;
#define SUBDIVISION(w) w
static const char subdivisions[] =
#include "fhir/term_subdivisions.def"
;
#define ATOM(w)   w,
#define METRIC(w) w,
#define PREFIX(w)
static const char *const atoms[] = {
#include "fhir/term_units.def"
};

static void
test_tables_are_sorted(void **state)
{
    (void)state;
    check_sorted(numeric, 3);
    check_sorted(alpha3, 3);
    check_sorted(currencies, 3);
    check_sorted(subdivisions, 6);
    for (size_t i = 1; i < sizeof atoms / sizeof atoms[0]; i++)
        assert_true(span_compare(span_of(atoms[i - 1]), span_of(atoms[i])) < 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_knows_what_is_a_code),
        cmocka_unit_test(test_has_no_checker_for_other_systems),
        cmocka_unit_test(test_tables_are_sorted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
