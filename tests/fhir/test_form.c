#include "tests/fhir/fhir_check.h"

#include "base/buf.h"
#include "fhir/pack_forms.h"
#include "fhir/package.h"

static const char json[] =
    "{\"resourceType\":\"Questionnaire\",\"url\":\"urn:q\",\"version\":\"2\",\"title\":\"T\",\"code\":[{\"code\":\"whole\"}],\"status\":\"active\",\"effectivePeriod\":{\"start\":\"2020\"},"
    "\"contained\":[{\"resourceType\":\"ValueSet\",\"id\":\"v\",\"compose\":{\"include\":[{\"system\":\"urn:s\",\"concept\":[{\"code\":\"x\"},{\"code\":\"y\",\"display\":\"A y\"}]}]}},"
    "{\"resourceType\":\"ValueSet\",\"id\":\"w\",\"compose\":{\"include\":[{\"system\":\"urn:s\",\"filter\":[{\"property\":\"a\",\"op\":\"=\",\"value\":\"b\"}]}]}}],"
    "\"item\":[{\"linkId\":\"b\",\"type\":\"group\",\"required\":true,\"item\":[{\"linkId\":\"c\",\"type\":\"choice\",\"repeats\":true,\"answerValueSet\":\"#v\"},"
    "{\"linkId\":\"d\",\"type\":\"choice\",\"answerValueSet\":\"#w\"}]},"
    "{\"linkId\":\"a\",\"type\":\"decimal\",\"readOnly\":true,\"maxLength\":9,\"enableWhen\":[{\"question\":\"d\",\"operator\":\"!=\",\"answerInteger\":3},"
    "{\"question\":\"nowhere\",\"operator\":\"~\",\"answerInteger\":3}],\"enableBehavior\":\"any\",\"initial\":[{\"valueDecimal\":1.50}],"
    "\"definition\":\"urn:d\",\"code\":[{\"system\":\"urn:s\",\"code\":\"x\",\"display\":\"An x\"},{\"system\":\"http://loinc.org\",\"code\":\"44261-6\"}]},"
    "{\"linkId\":\"e\",\"type\":\"choice\",\"answerOption\":[{\"valueCoding\":{\"code\":\"p\",\"extension\":[{\"url\":\"http://hl7.org/fhir/StructureDefinition/ordinalValue\",\"valueDecimal\":2}]}},{\"valueString\":\"q\"}]}]}";

static void
check_form(const struct form *f)
{
    uint32_t a = form_find(f, SPAN("a")), b = form_find(f, SPAN("b")), c = form_find(f, SPAN("c")),
             d = form_find(f, SPAN("d")), e = form_find(f, SPAN("e"));

    assert_int_equal(f->item_count, 5);
    assert_int_equal(form_find(f, SPAN("f")), FORM_NONE);
    assert_int_equal(form_find(f, SPAN("")), FORM_NONE);
    assert_text(form_text(f, f->version), "2");
    assert_text(form_text(f, f->from), "2020");
    assert_int_equal(b, 0);
    assert_int_equal(f->items[b].after, 3);
    assert_int_equal(f->items[b].flags, FORM_REQUIRED);
    assert_int_equal(f->items[c].parent, b);
    assert_int_equal(f->items[a].parent, FORM_NONE);
    assert_int_equal(f->items[c].option_count, 2);
    assert_int_equal(f->items[c].flags, FORM_REPEATS | FORM_LISTED);
    assert_int_equal(f->items[d].option_count, 0);
    assert_int_equal(f->items[d].flags, 0);                /* a filter: nobody here knows its codes */
    assert_text(form_text(f, f->values[f->items[c].first_option + 1].text), "y");
    assert_text(form_text(f, f->values[f->items[c].first_option + 1].display), "A y");
    assert_text(form_text(f, f->title), "T");
    assert_int_equal(f->code_count, 1);
    assert_text(form_text(f, f->values[f->first_code].text), "whole");
    assert_text(form_text(f, f->items[a].definition), "urn:d");
    assert_int_equal(f->items[a].code_count, 2);
    assert_text(form_text(f, f->values[f->items[a].first_code].display), "An x");
    assert_text(form_text(f, f->values[f->items[a].first_code + 1].text), "44261-6");
    assert_int_equal(f->order[form_place(f, SPAN("e"))], e);
    assert_int_equal(form_place(f, SPAN("f")), FORM_NONE);
    assert_int_equal(f->items[a].flags, FORM_READ_ONLY | FORM_ANY);
    assert_int_equal(f->items[a].max_length, 9);
    assert_int_equal(f->items[a].min_length, FORM_NONE);
    assert_text(form_text(f, f->items[a].loinc), "44261-6");
    assert_text(form_text(f, f->values[f->items[a].first_initial].text), "1.50");
    assert_int_equal(f->items[a].condition_count, 2);
    assert_int_equal(f->conditions[f->items[a].first_condition].target, d);
    assert_int_equal(f->conditions[f->items[a].first_condition].operator, FORM_NOT_EQUAL);
    assert_int_equal(f->conditions[f->items[a].first_condition + 1].target, FORM_NONE);
    assert_int_equal(f->conditions[f->items[a].first_condition + 1].operator, 0);
    assert_text(form_text(f, f->values[f->items[e].first_option].unit), "2");
    assert_int_equal(f->values[f->items[e].first_option + 1].type, FORM_VALUE_STRING);
}

static void
test_a_questionnaire_becomes_tables(void **state)
{
    struct arena      *arena = test_arena();
    const struct tape *tape  = test_tape(arena, span_of(json));

    (void)state;
    check_form(form_read(tape, tape_parents(tape, arena), TAPE_ROOT, arena));
    arena_free(&arena);
}

/* On top of R4, and on top of that once more. */
static void
test_a_pack_holds_questionnaires(void **state)
{
    struct arena        *arena = test_arena();
    struct span          bytes = test_file(arena, SLUICE_BINARY_DIR "/definitions/r4.pack");
    struct package_file  file  = { .name = SPAN("q.json"), .bytes = span_of(json) };
    const struct pack   *pack;
    struct buf           out[2];

    (void)state;
    if (span_empty(bytes))
        skip();
    assert_int_equal(pack_open(bytes, arena, &pack), ST_OK);
    uint32_t before = pack_form_count(pack);
    for (uint32_t i = 0; i < 2; i++) {
        struct package_sources sources = { .files = &file, .count = 1, .about = SPAN("test#1"),
                                           .sha256 = pack_sources(pack), .base = pack };
        buf_init(&out[i], (size_t)64 << 20);
        assert_int_equal(package_compile(&sources, arena, issues_new(arena, 10), &out[i]), ST_OK);
        assert_int_equal(pack_open(buf_span(&out[i]), arena, &pack), ST_OK);
        assert_int_equal(pack_form_count(pack), before + 1 + i);
        struct form_source source = pack_form_source(pack);
        check_form(source.find(source.with, SPAN("urn:q"), SPAN(""), arena));
        check_form(source.find(source.with, SPAN("urn:q"), SPAN("2"), arena));
        assert_null(source.find(source.with, SPAN("urn:q"), SPAN("3"), arena));
        assert_null(source.find(source.with, SPAN("urn:r"), SPAN(""), arena));
    }
    buf_release(&out[0]);
    buf_release(&out[1]);
    arena_free(&arena);
}

/* What is malformed is passed over: the validator finds it. */
static void
test_reads_what_is_malformed(void **state)
{
    static const char *const texts[] = {
        "{}", "{\"item\":5}", "{\"item\":[5,{},[]]}", "{\"item\":{\"linkId\":\"a\"}}",
        "{\"item\":[{\"linkId\":5,\"item\":[{\"item\":[{}]}],\"enableWhen\":[5],\"answerOption\":{},\"extension\":[{\"url\":7}],\"maxLength\":-1}]}",
        "{\"contained\":5,\"item\":[{\"answerValueSet\":\"#a\"}]}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct arena      *arena = test_arena();
        const struct tape *tape  = test_tape(arena, span_of(texts[i]));
        assert_non_null(form_read(tape, tape_parents(tape, arena), TAPE_ROOT, arena));
        arena_free(&arena);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_questionnaire_becomes_tables),
        cmocka_unit_test(test_a_pack_holds_questionnaires),
        cmocka_unit_test(test_reads_what_is_malformed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
