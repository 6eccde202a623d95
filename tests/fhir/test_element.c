#include "tests/fhir/fhir_check.h"

#include "fhir/element.h"

static const char patient[] =
    "{\"name\":[{\"given\":[\"a\",\"b\",null],\"_given\":[null,{\"id\":\"x\"}]}],\"birthDate\":\"2000\",\"_birthDate\":{\"id\":\"d\"},"
    "\"_gender\":{\"id\":\"g\"},\"deceasedBoolean\":true,\"_deceasedBoolean\":{\"id\":\"e\"},\"valueset\":1,"
    "\"\\u0076al\\u0075eString\":\"v\",\"_\\u0076alueString\":{\"id\":\"s\"},\"onsetOdd\":1,\"_multipleBirthInteger\":{\"id\":\"m\"}}";

static void
test_gets_a_member_and_its_shadow(void **state)
{
    struct arena      *arena = test_arena();
    const struct tape *t     = test_tape(arena, span_of(patient));
    struct element     e     = element_get(t, TAPE_ROOT, SPAN("birthDate"));
    char               name[200];

    (void)state;
    assert_int_equal(e.value, test_node(t, "birthDate"));
    assert_int_equal(e.shadow, test_node(t, "_birthDate"));
    e = element_get(t, TAPE_ROOT, SPAN("gender"));
    assert_int_equal(e.value, TAPE_ABSENT);
    assert_true(element_present(e));
    assert_false(element_present(element_get(t, TAPE_ROOT, SPAN("active"))));
    memset(name, 'n', sizeof name);
    assert_false(element_present(element_get(t, TAPE_ROOT, span_from(name, sizeof name))));
    arena_free(&arena);
}

static void
test_finds_choices_by_their_stem(void **state)
{
    struct arena      *arena = test_arena();
    const struct tape *t     = test_tape(arena, span_of(patient));
    struct span        type  = SPAN("?");
    struct element     e     = element_choice(t, TAPE_ROOT, SPAN("deceased"), &type);

    (void)state;
    assert_int_equal(e.value, test_node(t, "deceasedBoolean"));
    assert_int_equal(e.shadow, test_node(t, "_deceasedBoolean"));
    assert_text(type, "Boolean");
    e = element_choice(t, TAPE_ROOT, SPAN("value"), &type);     /* not valueset; escaped names too */
    assert_int_equal(e.value, test_node(t, "valueString"));
    assert_int_equal(e.shadow, test_node(t, "_valueString"));
    assert_text(type, "String");
    e = element_choice(t, TAPE_ROOT, SPAN("onset"), &type);
    assert_text(type, "Odd");
    e = element_choice(t, TAPE_ROOT, SPAN("multipleBirth"), &type);
    assert_int_equal(e.value, TAPE_ABSENT);
    assert_text(type, "Integer");
    e = element_choice(t, TAPE_ROOT, SPAN("effective"), NULL);
    assert_false(element_present(e));
    arena_free(&arena);
}

static void
test_an_escaped_unknown_choice_is_still_found(void **state)
{
    struct arena      *arena = test_arena();
    const struct tape *t     = test_tape(arena, SPAN("{\"value\\u0051\":1,\"v\\n\":2,\"v\\u00e9\":3}"));
    struct span        type  = SPAN("");

    (void)state;
    assert_int_equal(element_choice(t, TAPE_ROOT, SPAN("value"), &type).value, test_node(t, "valueQ"));
    assert_false(span_empty(type));
    assert_false(element_present(element_choice(t, TAPE_ROOT, SPAN("v"), &type)));
    arena_free(&arena);
}

static void
test_items_come_in_pairs(void **state)
{
    struct arena      *arena = test_arena();
    const struct tape *t     = test_tape(arena, span_of(patient));
    struct element     given = element_get(t, test_node(t, "name[0]"), SPAN("given"));
    struct element     one   = element_get(t, TAPE_ROOT, SPAN("birthDate"));

    (void)state;
    assert_int_equal(element_items(t, given), 3);
    assert_int_equal(element_item(t, given, 0).shadow, TAPE_ABSENT);
    assert_int_equal(element_item(t, given, 1).shadow, test_node(t, "name[0]._given[1]"));
    assert_int_equal(element_item(t, given, 2).value, TAPE_ABSENT);
    assert_false(element_present(element_item(t, given, 3)));
    assert_int_equal(element_items(t, one), 1);
    assert_int_equal(element_item(t, one, 0).value, one.value);
    assert_false(element_present(element_item(t, one, 1)));
    assert_int_equal(element_items(t, (struct element){ TAPE_ABSENT, TAPE_ABSENT }), 0);
    arena_free(&arena);
}

static void
test_knows_the_other_half(void **state)
{
    static const struct { const char *node, *twin; } cases[] = {
        { "birthDate", "_birthDate" }, { "_birthDate", "birthDate" }, { "_gender", NULL }, { "valueset", NULL },
        { "name", NULL }, { "name[0].given", "name[0]._given" }, { "name[0].given[1]", "name[0]._given[1]" },
        { "name[0]._given[1]", "name[0].given[1]" }, { "name[0].given[0]", NULL }, { "name[0].given[2]", NULL },
        { "name[0]", NULL }, { "valueString", "_valueString" }, { "", NULL },
    };
    struct arena      *arena   = test_arena();
    const struct tape *t       = test_tape(arena, span_of(patient));
    const tape_node   *parents = tape_parents(t, arena);

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        tape_node want = cases[i].twin != NULL ? test_node(t, cases[i].twin) : TAPE_ABSENT;
        if (element_twin(t, parents, test_node(t, cases[i].node)) != want)
            fail_msg("twin of %s", cases[i].node);
    }
    assert_int_equal(element_twin(t, parents, tape_name(t, test_node(t, "birthDate"))), test_node(t, "_birthDate"));
    assert_int_equal(element_twin(t, parents, TAPE_ABSENT), TAPE_ABSENT);
    arena_free(&arena);
}

static void
test_items_of_arrays_in_arrays_have_no_twin(void **state)
{
    struct arena      *arena = test_arena();
    const struct tape *t     = test_tape(arena, SPAN("[[1,2],[3]]"));
    const tape_node   *parents = tape_parents(t, arena);

    (void)state;
    assert_int_equal(element_twin(t, parents, test_node(t, "[0][1]")), TAPE_ABSENT);
    assert_int_equal(element_twin(t, parents, test_node(t, "[0]")), TAPE_ABSENT);
    arena_free(&arena);
}

/* What is cut (addresses), and what stays. */
static const struct { const char *says, *before, *cuts[4], *after; } cuts[] = {
    { "a member goes with its shadow",
      "{\"a\":1,\"birthDate\":\"2000\",\"_birthDate\":{\"id\":\"x\"}}", { "birthDate" }, "{\"a\":1}" },
    { "a shadow goes with its member",
      "{\"a\":1,\"birthDate\":\"2000\",\"_birthDate\":{\"id\":\"x\"}}", { "_birthDate" }, "{\"a\":1}" },
    { "a member without shadow goes alone", "{\"a\":1,\"b\":2}", { "b" }, "{\"a\":1}" },
    { "an item goes in both arrays",
      "{\"given\":[\"a\",\"b\",\"c\"],\"_given\":[{\"id\":\"1\"},null,{\"id\":\"3\"}]}", { "given[0]" },
      "{\"given\":[\"b\",\"c\"],\"_given\":[null,{\"id\":\"3\"}]}" },
    { "an item of the shadow goes in both arrays",
      "{\"given\":[\"a\",\"b\",\"c\"],\"_given\":[{\"id\":\"1\"},null,{\"id\":\"3\"}]}", { "_given[2]" },
      "{\"given\":[\"a\",\"b\"],\"_given\":[{\"id\":\"1\"},null]}" },
    { "only nulls left: the side goes",
      "{\"a\":1,\"given\":[\"a\",\"b\"],\"_given\":[null,{\"id\":\"2\"}]}", { "given[1]" }, "{\"a\":1,\"given\":[\"a\"]}" },
    { "only nulls left of the values: they go",
      "{\"a\":1,\"given\":[\"a\",null],\"_given\":[null,{\"id\":\"2\"}]}", { "given[0]" }, "{\"a\":1,\"_given\":[{\"id\":\"2\"}]}" },
    { "all items cut: both arrays go",
      "{\"a\":1,\"given\":[\"a\",\"b\"],\"_given\":[null,{\"id\":\"2\"}]}", { "given[0]", "given[1]" }, "{\"a\":1}" },
    { "an emptied shadow item becomes null while its value stays",
      "{\"given\":[\"a\",\"b\",\"c\"],\"_given\":[{\"id\":\"1\"},{\"extension\":[{\"url\":\"u\"}]},{\"id\":\"3\"}]}",
      { "_given[1].extension[0]" },
      "{\"given\":[\"a\",\"b\",\"c\"],\"_given\":[{\"id\":\"1\"},null,{\"id\":\"3\"}]}" },
    { "an emptied shadow item that was the only one takes the side with it",
      "{\"given\":[\"a\",\"b\"],\"_given\":[null,{\"extension\":[{\"url\":\"u\"}]}]}", { "_given[1].extension[0]" },
      "{\"given\":[\"a\",\"b\"]}" },
    { "an emptied shadow item without value goes with its hole",
      "{\"given\":[\"a\",null,\"c\"],\"_given\":[{\"id\":\"1\"},{\"extension\":[{\"url\":\"u\"}]},null]}",
      { "_given[1].extension" }, "{\"given\":[\"a\",\"c\"],\"_given\":[{\"id\":\"1\"},null]}" },
    { "a part of a shadow item leaves the rest of it",
      "{\"given\":[\"a\"],\"_given\":[{\"id\":\"1\",\"extension\":[{\"url\":\"u\"}]}]}", { "_given[0].extension[0]" },
      "{\"given\":[\"a\"],\"_given\":[{\"id\":\"1\"}]}" },
    { "a shorter shadow has nothing to cut",
      "{\"given\":[\"a\",\"b\",\"c\"],\"_given\":[{\"id\":\"1\"}]}", { "given[2]" },
      "{\"given\":[\"a\",\"b\"],\"_given\":[{\"id\":\"1\"}]}" },
    { "a shorter value array too",
      "{\"given\":[\"a\"],\"_given\":[{\"id\":\"1\"},{\"id\":\"2\"}]}", { "_given[1]" },
      "{\"given\":[\"a\"],\"_given\":[{\"id\":\"1\"}]}" },
    { "a shadow array alone",
      "{\"a\":1,\"_given\":[{\"id\":\"1\"},null,{\"id\":\"2\"}]}", { "_given[0]" }, "{\"a\":1,\"_given\":[null,{\"id\":\"2\"}]}" },
    { "pairs in which nothing was cut stay as they came",
      "{\"b\":1,\"given\":[null],\"_given\":[null,null],\"a\":2}", { "b" }, "{\"given\":[null],\"_given\":[null,null],\"a\":2}" },
    { "an array whose other side is no array",
      "{\"given\":\"a\",\"_given\":[{\"id\":\"1\"},{\"id\":\"2\"}]}", { "_given[0]" }, "{\"given\":\"a\",\"_given\":[{\"id\":\"2\"}]}" },
    { "both arrays cut whole",
      "{\"a\":1,\"given\":[\"a\"],\"_given\":[{\"id\":\"1\"}]}", { "given" }, "{\"a\":1}" },
    { "escaped names pair as well",
      "{\"a\":1,\"g\\u0069ven\":[\"a\",\"b\"],\"\\u005fgiven\":[{\"id\":\"1\"},{\"id\":\"2\"}]}", { "given[0]" },
      "{\"a\":1,\"g\\u0069ven\":[\"b\"],\"\\u005fgiven\":[{\"id\":\"2\"}]}" },
};

static void
test_cuts_leave_pairs_whole(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cuts / sizeof cuts[0]; i++) {
        struct arena      *arena    = test_arena();
        const struct tape *t        = test_tape(arena, span_of(cuts[i].before));
        const tape_node   *parents  = tape_parents(t, arena);
        struct splices    *splices  = splices_new(t, arena);
        for (size_t k = 0; k < 4 && cuts[i].cuts[k] != NULL; k++)
            element_cut(splices, t, parents, test_node(t, cuts[i].cuts[k]));
        element_settle(splices, t, parents, arena);
        assert_int_equal(splices_seal(splices), ST_OK);
        struct span result = splices_flat(splices, arena);
        if (!span_eq_text(result, cuts[i].after))
            fail_msg("%s: have %.*s, want %s", cuts[i].says, SPAN_PRINT(result), cuts[i].after);
        arena_free(&arena);
    }
}

static void
test_cutting_takes_names_and_nothing(void **state)
{
    struct arena      *arena   = test_arena();
    const struct tape *t       = test_tape(arena, SPAN("{\"a\":1,\"b\":2,\"_b\":{\"id\":\"x\"}}"));
    const tape_node   *parents = tape_parents(t, arena);
    struct splices    *splices = splices_new(t, arena);

    (void)state;
    element_cut(splices, t, parents, TAPE_ABSENT);
    element_cut(splices, t, parents, tape_name(t, test_node(t, "b")));
    element_settle(splices, t, parents, arena);
    assert_int_equal(splices_seal(splices), ST_OK);
    assert_text(splices_flat(splices, arena), "{\"a\":1}");
    splices = splices_new(t, arena);
    element_cut(splices, t, parents, TAPE_ROOT);
    assert_int_equal(splices_seal(splices), ST_OK);
    assert_int_equal(splices_length(splices), 0);
    arena_free(&arena);
}

/* Cutting every item of a long pair must not cost the square of it. */
static void
test_many_cuts_in_one_pair_stay_linear(void **state)
{
    struct arena *arena = test_arena();
    size_t        count = 200000, used = 0, size = count * 20 + 100;
    char         *json  = arena_alloc(arena, size);

    (void)state;
    used += (size_t)snprintf(json + used, size - used, "{\"a\":1,\"g\":[");
    for (size_t i = 0; i < count; i++)
        used += (size_t)snprintf(json + used, size - used, "%s\"v\"", i > 0 ? "," : "");
    used += (size_t)snprintf(json + used, size - used, "],\"_g\":[");
    for (size_t i = 0; i < count; i++)
        used += (size_t)snprintf(json + used, size - used, "%s{\"id\":\"1\"}", i > 0 ? "," : "");
    snprintf(json + used, size - used, "]}");
    const struct tape *t       = test_tape(arena, span_of(json));
    const tape_node   *parents = tape_parents(t, arena);
    struct splices    *splices = splices_new(t, arena);
    tape_node          last    = TAPE_ABSENT;
    for (tape_node n = tape_first(t, test_node(t, "_g")); n != TAPE_ABSENT; n = tape_next(t, n)) {
        if (last != TAPE_ABSENT)
            element_cut(splices, t, parents, last);
        last = n;
    }
    element_settle(splices, t, parents, arena);
    assert_int_equal(splices_seal(splices), ST_OK);
    assert_text(splices_flat(splices, arena), "{\"a\":1,\"g\":[\"v\"],\"_g\":[{\"id\":\"1\"}]}");
    arena_free(&arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gets_a_member_and_its_shadow),
        cmocka_unit_test(test_finds_choices_by_their_stem),
        cmocka_unit_test(test_an_escaped_unknown_choice_is_still_found),
        cmocka_unit_test(test_items_come_in_pairs),
        cmocka_unit_test(test_knows_the_other_half),
        cmocka_unit_test(test_items_of_arrays_in_arrays_have_no_twin),
        cmocka_unit_test(test_cuts_leave_pairs_whole),
        cmocka_unit_test(test_cutting_takes_names_and_nothing),
        cmocka_unit_test(test_many_cuts_in_one_pair_stay_linear),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
