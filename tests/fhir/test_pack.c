#include "tests/fhir/fhir_check.h"

#include "fhir/pack.h"
#include "fhir/pack_format.h"

/* The definitions of the build, and the tables of the sources against them. */
static struct arena      *arena;
static const struct pack *pack;

static int
open_pack(void **state)
{
    (void)state;
    arena = test_arena();
    struct span bytes = test_file(arena, SLUICE_BINARY_DIR "/definitions/r4.pack");
    if (!span_empty(bytes))
        assert_int_equal(pack_open(bytes, arena, &pack), ST_OK);
    return 0;
}

static int
close_pack(void **state)
{
    (void)state;
    arena_free(&arena);
    return 0;
}

static void
test_holds_all_of_r4(void **state)
{
    uint32_t resources = 0, primitives = 0, complex = 0;

    (void)state;
    if (pack == NULL)
        skip();
    for (uint32_t i = 0; i < pack_count(pack); i++) {
        resources  += pack_kind(pack, i) == PACK_KIND_RESOURCE && !pack_abstract(pack, i);
        primitives += pack_kind(pack, i) == PACK_KIND_PRIMITIVE;
        complex    += pack_kind(pack, i) == PACK_KIND_COMPLEX;
    }
    assert_int_equal(resources, 146);
    assert_int_equal(primitives, 20);
    assert_true(complex >= 40);
    assert_true(span_starts(pack_about(pack), SPAN("hl7.fhir.r4.core#4.0.1")));
    assert_int_equal(pack_sources(pack).length, 32);
    assert_true(pack_resource_named(pack, SPAN("Patient")));
    assert_false(pack_resource_named(pack, SPAN("Resource")));
    assert_true(pack->header->length < 32u << 20);
}

static const char *const reference_names[] = {
#define REFERENCE_NAME(name) name,
#include "fhir/reference_names.def"
#undef REFERENCE_NAME
};

#define NAMES (sizeof reference_names / sizeof reference_names[0])

static size_t
name_index(struct span name)
{
    size_t i = 0;

    while (i < NAMES && !span_eq_text(name, reference_names[i]))
        i++;
    return i;
}

static void
test_reference_names_are_those_of_r4(void **state)
{
    bool met[NAMES] = { false };

    (void)state;
    if (pack == NULL)
        skip();
    for (uint32_t i = 0; i < pack->counts[PACK_ELEMENTS]; i++) {
        const struct pack_element *e = &pack->elements[i];
        for (uint32_t k = 0; k < e->type_count; k++) {
            struct span name = pack_span(pack, e->name);
            if (!span_eq_text(pack_span(pack, pack->types[e->first_type + k].code), "Reference"))
                continue;
            if (e->flags & ELEMENT_CHOICE)
                name = arena_format(arena, "%.*sReference", (int)name.length - 3, name.at);
            size_t at = name_index(name);
            if (at == NAMES)
                fail_msg("%.*s is missing in reference_names.def", SPAN_PRINT(name));
            met[at] = true;
        }
    }
    for (size_t i = 0; i < NAMES; i++) {
        if (!met[i])
            fail_msg("%s is no Reference in R4", reference_names[i]);
        assert_true(i == 0 || span_compare(span_of(reference_names[i - 1]), span_of(reference_names[i])) < 0);
    }
}

static const struct { const char *type, *path; bool own; } patient_paths[] = {
#define PATIENT_PATH(type, path, own) { type, path, own },
#include "fhir/patient_paths.def"
#undef PATIENT_PATH
};

/* Follows a path from a resource's shape; the last element's shape of types is
 * looked at for a Reference. */
static bool
leads_to_reference(const struct pack_shape *shape, struct span path)
{
    struct span             rest = path, name = span_split(&rest, '.');
    const struct pack_slot *slot = pack_slot_of(pack, shape, tape_key_of(name), name);

    if (slot == NULL)
        return false;
    const struct pack_element *e    = &pack->elements[shape->first_element + slot->element];
    const struct pack_type    *type = &pack->types[e->first_type + slot->type];
    if (rest.at == NULL)
        return span_eq_text(pack_span(pack, type->code), "Reference");
    return type->kind == TYPE_COMPLEX && leads_to_reference(&pack->shapes[type->shape], rest);
}

static void
test_patient_paths_are_elements_of_r4(void **state)
{
    const struct pack_shape *names;

    (void)state;
    if (pack == NULL)
        skip();
    names = &pack->shapes[pack->header->names_shape];
    for (size_t i = 0; i < sizeof patient_paths / sizeof patient_paths[0]; i++) {
        struct span             type = span_of(patient_paths[i].type);
        const struct pack_slot *slot = pack_slot_of(pack, names, tape_key_of(type), type);
        assert_non_null(slot);
        if (!leads_to_reference(&pack->shapes[pack->structures[slot->element].shape], span_of(patient_paths[i].path)))
            fail_msg("%s.%s is no Reference", patient_paths[i].type, patient_paths[i].path);
        assert_true(i == 0 || strcmp(patient_paths[i - 1].type, patient_paths[i].type) <= 0);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_holds_all_of_r4),
        cmocka_unit_test(test_reference_names_are_those_of_r4),
        cmocka_unit_test(test_patient_paths_are_elements_of_r4),
    };

    return cmocka_run_group_tests(tests, open_pack, close_pack);
}
