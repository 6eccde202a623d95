#include "tests/fhir/fhir_check.h"

#include "fhir/path.h"

static const char document[] =
    "{\"resourceType\":\"Bundle\",\"entry\":[{},{\"resource\":{\"resourceType\":\"Patient\","
    "\"_birthDate\":{\"id\":\"a\"},\"name\":[{\"given\":[\"A\",\"B\"],\"_given\":[null,{\"id\":\"g\"}]}],"
    "\"deceasedBoolean\":true,\"odd name\":{\"x\":1},\"_\":1}}],\"a\":[[1,[2]]]}";

static void
check(const char *address, const char *want)
{
    struct arena      *arena = test_arena();
    const struct tape *tape  = test_tape(arena, span_of(document));

    assert_text(path_of(tape, tape_parents(tape, arena), test_node(tape, address), arena), want);
    arena_free(&arena);
}

static void
test_begins_with_the_resource_type(void **state)
{
    (void)state;
    check("", "Bundle");
    check("entry", "Bundle.entry");
}

static void
test_items_carry_their_index(void **state)
{
    (void)state;
    check("entry[1].resource.name[0].given[1]", "Bundle.entry[1].resource.name[0].given[1]");
    check("a[0][1][0]", "Bundle.a[0][1][0]");
}

static void
test_many_are_the_same_in_any_order(void **state)
{
    static const char *const addresses[] = { "a[0][0]", "a[0][1][0]", "entry[1].resource.name[0]._given[1]", "entry[0]",
                                             "entry[1]", "entry[1].resource.name[0].given[1]",
                                             "entry[1].resource.name[0].given[0]", "a[0][1]", "a[0][0]" };
    struct arena      *arena   = test_arena();
    const struct tape *tape    = test_tape(arena, span_of(document));
    const tape_node   *parents = tape_parents(tape, arena);
    struct path_counts counts  = { 0 };

    (void)state;
    for (size_t i = 0; i < sizeof addresses / sizeof addresses[0]; i++) {
        tape_node   node = test_node(tape, addresses[i]);
        struct span want = path_of(tape, parents, node, arena);
        assert_true(span_eq(path_of_many(&counts, tape, parents, node, arena), want));
    }
    counts.counted = PATH_COUNTED;
    assert_text(path_of_many(&counts, tape, parents, test_node(tape, "entry[1].resource.name[0].given[1]"), arena),
                "Bundle.entry.resource.name[0].given");
    arena_free(&arena);
}

static void
test_a_shadow_reads_as_its_element(void **state)
{
    (void)state;
    check("entry[1].resource._birthDate", "Bundle.entry[1].resource.birthDate");
    check("entry[1].resource.name[0]._given[1].id", "Bundle.entry[1].resource.name[0].given[1].id");
    check("entry[1].resource._", "Bundle.entry[1].resource._");
}

static void
test_a_choice_keeps_its_json_name(void **state)
{
    (void)state;
    check("entry[1].resource.deceasedBoolean", "Bundle.entry[1].resource.deceasedBoolean");
}

static void
test_a_name_that_is_no_identifier_ends_the_expression(void **state)
{
    (void)state;
    check("entry[1].resource.odd name", "Bundle.entry[1].resource");
    check("entry[1].resource.odd name.x", "Bundle.entry[1].resource");
}

static void
test_names_read_as_the_value_behind_them(void **state)
{
    struct arena      *arena = test_arena();
    const struct tape *tape  = test_tape(arena, span_of(document));
    tape_node          name  = tape_name(tape, test_node(tape, "entry"));

    (void)state;
    assert_text(path_of(tape, tape_parents(tape, arena), name, arena), "Bundle.entry");
    assert_int_equal(path_of(tape, tape_parents(tape, arena), TAPE_ABSENT, arena).length, 0);
    arena_free(&arena);
}

static void
test_a_root_without_type_is_this(void **state)
{
    static const char *const roots[] = { "{\"a\":1}", "{\"resourceType\":1,\"a\":1}",
                                         "{\"resourceType\":\"<x>\",\"a\":1}" };

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct arena      *arena = test_arena();
        const struct tape *tape  = test_tape(arena, span_of(roots[i]));
        assert_text(path_of(tape, tape_parents(tape, arena), test_node(tape, "a"), arena), "$this.a");
        arena_free(&arena);
    }
}

static void
test_plain_names(void **state)
{
    char name[PATH_NAME_MAX + 2];

    (void)state;
    assert_true(path_name_plain(SPAN("value2")));
    assert_true(path_name_plain(SPAN("_x")));
    assert_false(path_name_plain(SPAN("")));
    assert_false(path_name_plain(SPAN("2x")));
    assert_false(path_name_plain(SPAN("a-b")));
    memset(name, 'a', sizeof name);
    assert_true(path_name_plain(span_from(name, PATH_NAME_MAX)));
    assert_false(path_name_plain(span_from(name, PATH_NAME_MAX + 1)));
}

static void
test_a_spent_arena_gives_an_empty_expression(void **state)
{
    struct arena      *arena = test_arena(), *small = arena_new("small", 64);
    const struct tape *tape  = test_tape(arena, span_of(document));

    (void)state;
    for (int i = 0; i < 8; i++)
        (void)arena_alloc(small, 16);
    assert_int_equal(path_of(tape, tape_parents(tape, arena), test_node(tape, "entry[1]"), small).length, 0);
    arena_free(&small);
    arena_free(&arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_begins_with_the_resource_type),
        cmocka_unit_test(test_items_carry_their_index),
        cmocka_unit_test(test_many_are_the_same_in_any_order),
        cmocka_unit_test(test_a_shadow_reads_as_its_element),
        cmocka_unit_test(test_a_choice_keeps_its_json_name),
        cmocka_unit_test(test_a_name_that_is_no_identifier_ends_the_expression),
        cmocka_unit_test(test_names_read_as_the_value_behind_them),
        cmocka_unit_test(test_a_root_without_type_is_this),
        cmocka_unit_test(test_plain_names),
        cmocka_unit_test(test_a_spent_arena_gives_an_empty_expression),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
