/* tests/consent/test_program.c -- programs with dates: whose record it was when it was made. */
#include "consent/program.h"
#include "consent/release.h"

#include "tests/consent/label_check.h"

#define SUSPECT   PART2_SUSPECT
#define NOT       PART2_NOT
#define CONFIRMED PART2_CONFIRMED

#define NPI(value) "{'system':'http://hl7.org/fhir/sid/us-npi','value':'" value "'}"
/* Oak was a program in 2019 to 2023; Elm took it over in 2024 and is one since. */
#define OAK_ROW "{'id':'oak','reference':'Organization/oak','identifier':[" NPI("1000000009") "],'source':'https://otp.example.org/fhir'," \
                "'name':'Oak Recovery Center','from':'2019-01-01','until':'2024-01-01'}"
#define ELM_ROW "{'id':'elm','continues':'oak','reference':'Organization/elm','from':'2024-06-01'}"
#define TIMED   "'programs':[" OAK_ROW "]"
#define TIMED_2 "'programs':[" OAK_ROW "," ELM_ROW "]"
#define BY "{'reference':'Organization/oak'}"
#define R(type, rest) "{'resourceType':'" type "','id':'x'," rest "}"

struct time_case { const char *resource; enum part2_status part2; int row; };

static void
check_times(const char *request, const struct time_case *cases, size_t count, int line)
{
    size_t wrong = 0;

    for (size_t i = 0; i < count; i++) {
        struct labels         l = labels_of(request, cases[i].resource);
        const struct labeled *x = &l.labeling->of[0];
        if (x->part2 != cases[i].part2
            || (x->part2 == CONFIRMED && x->program != &l.facts->programs[cases[i].row])) {
            print_message("%s:%d: %s: %s\n", __FILE__, line, cases[i].resource, part2_text(x->part2));
            wrong++;
        }
        labels_end(&l);
    }
    assert_int_equal(wrong, 0);
}
#define CHECK_TIMES(request, cases) check_times((request), (cases), sizeof(cases) / sizeof(cases)[0], __LINE__)

static void
test_a_record_is_of_the_program_that_there_was_when_it_was_made(void **state)
{
    static const struct time_case cases[] = {
        { R("Encounter", "'serviceProvider':" BY ",'period':{'start':'2020-05-01','end':'2020-05-02'}"), CONFIRMED, 0 },
        { R("Encounter", "'serviceProvider':" BY ",'period':{'start':'2017-05-01','end':'2017-05-02'}"), NOT, 0 },
        { R("Encounter", "'serviceProvider':" BY ",'period':{'start':'2025-05-01','end':'2025-05-02'}"), NOT, 0 },
        /* Touches: begun before, gone on into it; begun and not ended. */
        { R("Encounter", "'serviceProvider':" BY ",'period':{'start':'2018-05-01','end':'2019-05-02'}"), CONFIRMED, 0 },
        { R("Encounter", "'serviceProvider':" BY ",'period':{'start':'2018-05-01'}"), CONFIRMED, 0 },
        { R("Encounter", "'serviceProvider':" BY ",'period':{'end':'2018-05-01'}"), NOT, 0 },
        { R("Encounter", "'serviceProvider':" BY ",'period':{'end':'2025-05-01'}"), CONFIRMED, 0 },
        { R("Encounter", "'serviceProvider':" BY ",'period':{'start':'whenever'}"), CONFIRMED, 0 },
        { R("Observation", "'performer':[" BY "],'effectiveDateTime':'2017','iss\\u0075ed':'2020-03-01T00:00:00Z'"), CONFIRMED, 0 },
        /* One of several times is enough; onset and lastUpdated are none. */
        { R("Observation", "'performer':[" BY "],'effectiveDateTime':'2018','issued':'2019-03-01T00:00:00Z'"), CONFIRMED, 0 },
        { R("Observation", "'performer':[" BY "],'effectiveDateTime':'2017'"), NOT, 0 },
        { R("Condition", "'recorder':" BY ",'recordedDate':'2017-01-01','onsetDateTime':'2020-01-01'"), NOT, 0 },
        { R("Condition", "'recorder':" BY ",'recordedDate':'2020-01-01','onsetDateTime':'2001-01-01'"), CONFIRMED, 0 },
        { R("Condition", "'meta':{'lastUpdated':'2026-01-01T00:00:00Z'},'recorder':" BY), CONFIRMED, 0 },
        { R("MedicationRequest", "'requester':" BY ",'authoredOn':'2023-12-31'"), CONFIRMED, 0 },
        { R("MedicationRequest", "'requester':" BY ",'authoredOn':'2024-01-03'"), NOT, 0 },
        /* The last day somewhere on earth, and the first. */
        { R("MedicationRequest", "'requester':" BY ",'authoredOn':'2023-12-31T23:30:00-08:00'"), CONFIRMED, 0 },
        { R("MedicationRequest", "'requester':" BY ",'authoredOn':'2019-01-01T00:30:00+12:00'"), CONFIRMED, 0 },
        /* No time at all: whenever it was one. */
        { R("Observation", "'performer':[" BY "]"), CONFIRMED, 0 },
        /* By number and by what belongs to it as well. */
        { R("Observation", "'performer':[{'identifier':" NPI("1000000009") "}],'effectiveDateTime':'2017-02-03'"), NOT, 0 },
        { R("Observation", "'contained':[{'resourceType':'Location','id':'l','managingOrganization':" BY "}],"
                           "'performer':[{'reference':'#l'}],'effectiveDateTime':'2017-02-03'"), NOT, 0 },
        { R("Encounter", "'serviceProvider':{'display':'Oak Recovery Center'},'period':{'start':'2017-05-01','end':'2017-05-02'}"), NOT, 0 },
    };
    CHECK_TIMES(TIMED, cases);
    (void)state;
}

static void
test_what_the_program_holds_it_has_received_however_old_it_is(void **state)
{
    static const struct time_case cases[] = {
        { R("Observation", "'meta':{'source':'https://otp.example.org/fhir'},'effectiveDateTime':'2010-01-01'"), CONFIRMED, 0 },
        { R("Observation", "'meta':{'source':'https://otp.example.org/fhir'},'effectiveDateTime':'2025-01-01'"), NOT, 0 },
        { R("Observation", "'identifier':[{'system':'https://otp.example.org/fhir/mrn','value':'1'}],'effectiveDateTime':'2010-01-01'"), CONFIRMED, 0 },
        { R("Observation", "'encounter':{'reference':'https://otp.example.org/fhir/Encounter/7'},'effectiveDateTime':'2025-01-01'"), NOT, 0 },
        { R("Observation", "'encounter':{'reference':'https://otp.example.org/fhir/Encounter/7'},'effectiveDateTime':'2022-01-01'"), CONFIRMED, 0 },
    };
    CHECK_TIMES(TIMED, cases);
    (void)state;
}

static void
test_who_took_it_over_is_protected_under_the_old_number(void **state)
{
    static const struct time_case cases[] = {
        { R("MedicationRequest", "'requester':" BY ",'authoredOn':'2020-01-01'"), CONFIRMED, 0 },
        { R("MedicationRequest", "'requester':" BY ",'authoredOn':'2024-03-01'"), NOT, 0 },
        { R("MedicationRequest", "'requester':" BY ",'authoredOn':'2025-01-01'"), CONFIRMED, 1 },
        { R("MedicationRequest", "'requester':{'reference':'Organization/elm'},'authoredOn':'2025-01-01'"), CONFIRMED, 1 },
        { R("MedicationRequest", "'requester':{'reference':'Organization/elm'},'authoredOn':'2020-01-01'"), CONFIRMED, 0 },
        { R("MedicationRequest", "'requester':{'reference':'Organization/elm'},'authoredOn':'2018-01-01'"), NOT, 0 },
    };
    CHECK_TIMES(TIMED_2, cases);
    (void)state;
}

static void
test_rows_with_the_same_number_are_one_program(void **state)
{
    static const char rows[] = "'programs':[{'reference':'Organization/oak','identifier':[" NPI("1000000009") "],'until':'2015-01-01'},"
                               "{'reference':'Organization/oak-again','identifier':[" NPI("1000000009") "],'from':'2022-01-01'}]";
    static const struct time_case cases[] = {
        { R("MedicationRequest", "'requester':" BY ",'authoredOn':'2012-01-01'"), CONFIRMED, 0 },
        { R("MedicationRequest", "'requester':" BY ",'authoredOn':'2018-01-01'"), NOT, 0 },
        { R("MedicationRequest", "'requester':" BY ",'authoredOn':'2023-01-01'"), CONFIRMED, 1 },
        { R("MedicationRequest", "'requester':{'identifier':" NPI("1000000009") "},'authoredOn':'2023-01-01'"), CONFIRMED, 1 },
    };
    CHECK_TIMES(rows, cases);
    (void)state;
}

static void
test_a_record_without_a_time_was_made_at_its_encounter(void **state)
{
    static const char bundle[] =
        "{'resourceType':'Bundle','type':'collection','entry':["
        ENTRY("Encounter/e", "{'resourceType':'Encounter','id':'e','period':{'start':'2017-01-01','end':'2017-01-02'}}") ","
        ENTRY("Observation/o", "{'resourceType':'Observation','id':'o','performer':[" BY "],'encounter':{'reference':'Encounter/e'}}") ","
        ENTRY("Observation/p", "{'resourceType':'Observation','id':'p','performer':[" BY "]}") "]}";
    struct labels l = labels_of(TIMED, bundle);

    assert_int_equal(l.labeling->of[1].part2, NOT);
    assert_int_equal(l.labeling->of[2].part2, CONFIRMED);
    labels_end(&l);
    (void)state;
}

/* The organization's own resource goes along with the records that it is named by. */
static void
test_the_directory_follows_the_records(void **state)
{
#define OAK_HERE ENTRY("Organization/oak", "{'resourceType':'Organization','id':'oak','name':'Oak Recovery Center'}") ","
#define LATE ENTRY("Observation/late", "{'resourceType':'Observation','id':'late','performer':[" BY "],'effectiveDateTime':'2025-01-01'}")
#define THEN ENTRY("Observation/then", "{'resourceType':'Observation','id':'then','performer':[" BY "],'effectiveDateTime':'2021-01-01'}")
    static const struct { const char *bundle; bool directory; } cases[] = {
        { OAK_HERE LATE, false }, { OAK_HERE THEN, true }, { OAK_HERE LATE "," THEN, false },
        { OAK_HERE ENTRY("Basic/b", "{'resourceType':'Basic','id':'b'}"), true },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[2048];
        snprintf(text, sizeof text, "{'resourceType':'Bundle','type':'collection','entry':[%s]}", cases[i].bundle);
        struct labels l = labels_of(TIMED, text);
        if (l.labeling->of[0].directory != cases[i].directory
            || (l.labeling->of[0].part2 == CONFIRMED) != cases[i].directory)
            fail_msg("case %zu: directory %d", i, l.labeling->of[0].directory);
        labels_end(&l);
    }
    (void)state;
}

static const struct release *
release_of(const struct labels *l)
{
    const struct release *r = NULL;

    assert_int_equal(release_make(l->bundle, l->references, l->labeling, l->facts, l->arena, &r), ST_OK);
    return r;
}

/* An ordinary clinic that once was a program: its records of today leave as they came. */
static void
test_what_a_former_program_writes_today_leaves_byte_for_byte(void **state)
{
    static const char bundle[] = "{'resourceType':'Bundle','type':'collection','entry':[" OAK_HERE LATE "]}";
    struct labels         l = labels_of(TIMED ",'source':{'part2':'not-program'}", bundle);
    const struct release *r = release_of(&l);

    assert_int_equal(r->outcome, RELEASE_PERMIT);
    assert_true(span_eq(r->payload, tape_body(l.bundle->tape)));
    labels_end(&l);
    (void)state;
}

static void
test_what_it_wrote_as_a_program_stays(void **state)
{
    static const char bundle[] = "{'resourceType':'Bundle','type':'collection','entry':[" OAK_HERE LATE "," THEN "]}";
    static const char twin[]   = "{'resourceType':'Bundle','type':'collection','entry':[" OAK_HERE LATE "]}";
    struct labels         l = labels_of(TIMED ",'source':{'part2':'not-program'}", bundle);
    struct labels         o = labels_of(TIMED ",'source':{'part2':'not-program'}", twin);
    const struct release *r = release_of(&l);

    assert_int_equal(r->outcome, RELEASE_PARTIAL);
    assert_int_equal(span_find(r->payload, SPAN("then")), SPAN_NOT_FOUND);
    assert_true(span_eq(r->payload, release_of(&o)->payload));        /* silent: as if it had never been */
    labels_end(&o);
    labels_end(&l);
    (void)state;
}

/* Nobody here is oak: that a record of then is withheld takes nothing from a record of today. */
static void
test_what_it_wrote_as_a_program_holds_nothing_of_today_back(void **state)
{
    static const char bundle[] = "{'resourceType':'Bundle','type':'collection','entry':[" LATE "," THEN "]}";
    static const char twin[]   = "{'resourceType':'Bundle','type':'collection','entry':[" LATE "]}";
    struct labels         l = labels_of(TIMED ",'source':{'part2':'not-program'}", bundle);
    struct labels         t = labels_of(TIMED ",'source':{'part2':'not-program'}", twin);
    const struct release *r = release_of(&l), *clean = release_of(&t);

    assert_int_equal(r->outcome, RELEASE_PARTIAL);
    assert_true(span_eq(r->payload, clean->payload));
    labels_end(&t);
    labels_end(&l);
    (void)state;
}

static void
test_days_are_read_with_room_on_the_protecting_side(void **state)
{
    int64_t ms = 0;

    assert_true(program_begin_read(SPAN("2019-01-02"), &ms));
    assert_int_equal(ms, (int64_t)1546387200000 - 14 * 3600000);
    assert_true(program_end_read(SPAN("2019-01-02"), &ms));
    assert_int_equal(ms, (int64_t)1546387200000 + 14 * 3600000);
    assert_true(program_end_read(SPAN("2019-01-02T00:00:00Z"), &ms));
    assert_int_equal(ms, (int64_t)1546387200000);
    assert_false(program_begin_read(SPAN("since May"), &ms));
    (void)state;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_record_is_of_the_program_that_there_was_when_it_was_made),
        cmocka_unit_test(test_what_the_program_holds_it_has_received_however_old_it_is),
        cmocka_unit_test(test_who_took_it_over_is_protected_under_the_old_number),
        cmocka_unit_test(test_rows_with_the_same_number_are_one_program),
        cmocka_unit_test(test_a_record_without_a_time_was_made_at_its_encounter),
        cmocka_unit_test(test_the_directory_follows_the_records),
        cmocka_unit_test(test_what_a_former_program_writes_today_leaves_byte_for_byte),
        cmocka_unit_test(test_what_it_wrote_as_a_program_stays),
        cmocka_unit_test(test_what_it_wrote_as_a_program_holds_nothing_of_today_back),
        cmocka_unit_test(test_days_are_read_with_room_on_the_protecting_side),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
