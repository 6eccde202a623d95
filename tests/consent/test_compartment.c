/* Every type of the patient compartment, with every element of R4 that may hold a
 * concept: its patient is found, its source is found, its code and its text are read. */
#include "label_check.h"

#include <unistd.h>

#include "fhir/pack.h"
#include "fhir/pack_format.h"

static const struct { const char *type, *path; bool own; } paths[] = {
#define PATIENT_PATH(type, path, own) { type, path, own },
#include "fhir/patient_paths.def"
#undef PATIENT_PATH
};
#define PATHS (sizeof paths / sizeof paths[0])

static struct arena      *arena;
static const struct pack *pack;

static int
open_pack(void **state)
{
    (void)state;
    arena = arena_new("compartment", (size_t)64 << 20);
    const char *path  = SLUICE_BINARY_DIR "/definitions/r4.pack";
    struct span bytes = access(path, R_OK) == 0 ? check_file(arena, path) : (struct span){ NULL, 0 };
    if (bytes.at != NULL)
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

static const struct pack_shape *
shape_of(const char *type)
{
    struct span             name = span_of(type);
    const struct pack_slot *slot = pack_slot_of(pack, &pack->shapes[pack->header->names_shape], tape_key_of(name), name);

    return &pack->shapes[pack->structures[slot->element].shape];
}

/* "a.b" holding what: { "a": { "b": what } } without the outermost braces. */
static struct span
nested(struct span path, const char *what)
{
    struct span name = span_split(&path, '.');

    if (path.at == NULL)
        return arena_format(arena, "'%.*s':%s", SPAN_PRINT(name), what);
    struct span inner = nested(path, what);
    return arena_format(arena, "'%.*s':{%.*s}", SPAN_PRINT(name), SPAN_PRINT(inner));
}

static const char *
text_of_row(size_t row, const char *more)
{
    struct span patient = nested(span_of(paths[row].path), "{'reference':'Patient/p1'}");

    return arena_format(arena, BUNDLE("{'resource':{'resourceType':'%s','id':'x',%.*s%s}}"), paths[row].type,
                        SPAN_PRINT(patient), more).at;
}

static void
test_the_patient_of_every_type_is_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < PATHS; i++) {
        struct labels l = labels_of(OAK, text_of_row(i, ",'meta':{'source':'https://otp.example.org/fhir'}"));
        if (!span_eq_text(entry_patient(l.references, 0, NULL), "Patient/p1"))
            fail_msg("%s.%s", paths[i].type, paths[i].path);
        if (l.labeling->of[0].part2 != PART2_CONFIRMED && strcmp(paths[i].type, "Person") != 0)   /* as a Patient, P5 */
            fail_msg("%s is not the program's by its meta.source", paths[i].type);
        labels_end(&l);
    }
}

/* What is no statement about the patient: relatives; sections of a Composition are cut (C4). */
static bool
tells_nothing(const char *type, struct span name)
{
    return strcmp(type, "FamilyMemberHistory") == 0 && !span_eq_text(name, "reasonCode");
}

static unsigned
try_concepts(size_t row, const struct pack_shape *shape, const char *what)
{
    unsigned tried = 0;

    for (uint32_t e = shape->first_element; e < shape->first_element + shape->element_count; e++) {
        const struct pack_element *element = &pack->elements[e];
        struct span                name    = pack_span(pack, element->name);
        bool                       concept = false;
        for (uint32_t k = 0; k < element->type_count; k++)
            concept |= span_eq_text(pack_span(pack, pack->types[element->first_type + k].code), "CodeableConcept");
        if (!concept || tells_nothing(paths[row].type, name))
            continue;
        if (element->flags & ELEMENT_CHOICE)
            name = arena_format(arena, "%.*sCodeableConcept", (int)name.length - 3, name.at);
        const char   *more = arena_format(arena, ",'%.*s':%s", SPAN_PRINT(name), what).at;
        struct labels l    = labels_of(UNKNOWN_SENDER, text_of_row(row, more));
        if (l.labeling->of[0].part2 != PART2_SUSPECT || !labels_have(l.labeling->of[0].labels, LABEL_OPIOIDUD))
            fail_msg("%s.%.*s is not read", paths[row].type, SPAN_PRINT(name));
        labels_end(&l);
        tried++;
    }
    return tried;
}

static void
test_a_concept_in_every_element_of_every_type_is_read(void **state)
{
    unsigned tried = 0;

    (void)state;
    if (pack == NULL)
        skip();
    for (size_t i = 0; i < PATHS; i++) {
        if (i > 0 && strcmp(paths[i].type, paths[i - 1].type) == 0)
            continue;
        struct arena_mark before = arena_mark(arena);
        tried += try_concepts(i, shape_of(paths[i].type), "{'coding':[{'system':'" ICD "','code':'F11.20'}]}");
        tried += try_concepts(i, shape_of(paths[i].type), "{'text':'Opioid use disorder, severe'}");
        arena_reset(arena, before);
    }
    assert_true(tried > 400);
}

/* Whose record it is, by the elements that R4 has for it. */
static void
test_the_source_of_less_usual_types_is_found(void **state)
{
    static const char *const rows[][2] = {
        { "AdverseEvent", "recorder" },            { "AdverseEvent", "contributor" },
        { "AdverseEvent", "location" },            { "BiologicallyDerivedProduct", "collection.collector" },
        { "CarePlan", "contributor" },             { "ChargeItem", "performingOrganization" },
        { "ClinicalImpression", "assessor" },      { "Communication", "sender" },
        { "CommunicationRequest", "requester" },   { "Coverage", "payor" },
        { "DeviceUseStatement", "source" },        { "EnrollmentRequest", "provider" },
        { "Goal", "expressedBy" },                 { "ImagingStudy", "referrer" },
        { "Invoice", "issuer" },                   { "List", "source" },
        { "MeasureReport", "reporter" },           { "Media", "operator" },
        { "MedicationDispense", "substitution.responsibleParty" }, { "MedicationStatement", "informationSource" },
        { "NutritionOrder", "orderer" },           { "QuestionnaireResponse", "author" },
        { "RiskAssessment", "performer" },         { "Specimen", "collection.collector" },
        { "SupplyDelivery", "supplier" },          { "SupplyRequest", "deliverFrom" },
        { "Task", "owner" },                       { "VisionPrescription", "prescriber" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct span   source = nested(span_of(rows[i][1]), "{'reference':'Organization/oak'}");
        struct labels l = labels_of(OAK "," NOT_PROGRAM, arena_format(arena, BUNDLE("{'resource':{'resourceType':'%s','id':'x',%.*s}}"),
                                                                      rows[i][0], SPAN_PRINT(source)).at);
        if (l.labeling->of[0].part2 != PART2_CONFIRMED)
            fail_msg("%s.%s", rows[i][0], rows[i][1]);
        labels_end(&l);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_patient_of_every_type_is_found),
        cmocka_unit_test(test_a_concept_in_every_element_of_every_type_is_read),
        cmocka_unit_test(test_the_source_of_less_usual_types_is_found),
    };

    return cmocka_run_group_tests(tests, open_pack, close_pack);
}
