/* tests/consent/test_labeling_source.c -- whose record it is: rules P1, P2, P4, P5 and the truth table. */
#include "tests/consent/label_check.h"

#define SUSPECT   PART2_SUSPECT
#define NOT       PART2_NOT
#define CONFIRMED PART2_CONFIRMED

#define OAK_ENTRY  ENTRY("Organization/oak", "{'resourceType':'Organization','id':'oak','name':'Oak Recovery Center'}")
#define ON(bundle) BUNDLE(OAK_ENTRY "," bundle)
/* What is labelled by source alone. */
#define PROTECTED "SUD 42CFRPart2 R"

/* The second entry of a bundle whose first is the program. */
struct source_case { const char *resource; enum part2_status part2; };

static void
check_sources(const char *request, const struct source_case *cases, size_t count, int line)
{
    size_t wrong = 0;

    for (size_t i = 0; i < count; i++) {
        size_t room = strlen(cases[i].resource) + 400;
        char  *text = malloc(room);
        snprintf(text, room, "{'resourceType':'Bundle','type':'collection','entry':[" OAK_ENTRY ","
                      "{'fullUrl':'https://ehr.example.org/fhir/Basic/x','resource':%s}]}", cases[i].resource);
        struct labels l = labels_of(request, text);
        wrong += !labels_are(&l, 1, cases[i].part2 == CONFIRMED ? PROTECTED : "N", cases[i].part2, cases[i].resource,
                             __FILE__, line);
        if (cases[i].part2 == CONFIRMED && (l.labeling->of[1].program != &l.facts->programs[0] || !has_evidence(&l, 1, "P1", LABEL_PART2))) {
            print_message("%s: program or evidence is missing\n", cases[i].resource);
            wrong++;
        }
        labels_end(&l);
        free(text);
    }
    assert_int_equal(wrong, 0);
}
#define CHECK_SOURCES(request, cases) check_sources((request), (cases), sizeof(cases) / sizeof(cases)[0], __LINE__)

#define BY "{'reference':'Organization/oak'}"
#define R(type, rest) "{'resourceType':'" type "','id':'x'," rest "}"

static void
test_every_source_element_of_every_resource(void **state)
{
    static const struct source_case cases[] = {
        { R("Encounter", "'serviceProvider':" BY), CONFIRMED },
        { R("Encounter", "'participant':[{'individual':" BY "}]"), CONFIRMED },
        { R("Encounter", "'location':[{'location':" BY "}]"), CONFIRMED },
        { R("Encounter", "'hospitalization':{'origin':" BY "}"), CONFIRMED },
        { R("Encounter", "'hospitalization':{'destination':" BY "}"), CONFIRMED },
        { R("EpisodeOfCare", "'managingOrganization':" BY), CONFIRMED },
        { R("EpisodeOfCare", "'careManager':" BY), CONFIRMED },
        { R("Condition", "'recorder':" BY), CONFIRMED },
        { R("Condition", "'asserter':" BY), CONFIRMED },
        { R("Procedure", "'performer':[{'actor':" BY "}]"), CONFIRMED },
        { R("Procedure", "'performer':[{'actor':{'display':'Dr. X'},'onBehalfOf':" BY "}]"), CONFIRMED },
        { R("Observation", "'performer':[" BY "]"), CONFIRMED },
        { R("DiagnosticReport", "'performer':[" BY "]"), CONFIRMED },
        { R("DiagnosticReport", "'resultsInterpreter':[" BY "]"), CONFIRMED },
        { R("MedicationRequest", "'requester':" BY), CONFIRMED },
        { R("MedicationRequest", "'performer':" BY), CONFIRMED },
        { R("MedicationRequest", "'dispenseRequest':{'performer':" BY "}"), CONFIRMED },
        { R("MedicationRequest", "'recorder':" BY), CONFIRMED },
        { R("MedicationDispense", "'performer':[{'actor':" BY "}]"), CONFIRMED },
        { R("MedicationDispense", "'location':" BY), CONFIRMED },
        { R("MedicationStatement", "'informationSource':" BY), CONFIRMED },
        { R("MedicationAdministration", "'performer':[{'actor':" BY "}]"), CONFIRMED },
        { R("ServiceRequest", "'requester':" BY), CONFIRMED },
        { R("ServiceRequest", "'performer':[" BY "]"), CONFIRMED },
        { R("ServiceRequest", "'locationReference':[" BY "]"), CONFIRMED },
        { R("CarePlan", "'author':" BY), CONFIRMED },
        { R("CarePlan", "'contributor':[{'reference':'Patient/p'}]"), NOT },
        { R("CareTeam", "'managingOrganization':[" BY "]"), CONFIRMED },
        { R("Goal", "'expressedBy':" BY), CONFIRMED },
        { R("DocumentReference", "'author':[" BY "]"), CONFIRMED },
        { R("DocumentReference", "'authenticator':" BY), CONFIRMED },
        { R("DocumentReference", "'custodian':" BY), CONFIRMED },
        { R("Composition", "'author':[" BY "]"), CONFIRMED },
        { R("Composition", "'custodian':" BY), CONFIRMED },
        { R("Composition", "'attester':[{'party':" BY "}]"), CONFIRMED },
        { R("Communication", "'sender':" BY), CONFIRMED },
        { R("Communication", "'recipient':[" BY "]"), NOT },
        { R("Appointment", "'participant':[{'actor':" BY "}]"), CONFIRMED },
        { R("Schedule", "'actor':[" BY "]"), CONFIRMED },
        { R("Task", "'owner':" BY), CONFIRMED },
        { R("Task", "'requester':" BY), CONFIRMED },
        { R("Claim", "'provider':" BY), CONFIRMED },
        { R("Claim", "'facility':" BY), CONFIRMED },
        { R("Claim", "'enterer':" BY), CONFIRMED },
        { R("Claim", "'careTeam':[{'provider':" BY "}]"), CONFIRMED },
        { R("Claim", "'payee':{'party':" BY "}"), CONFIRMED },
        { R("Claim", "'insurer':" BY), NOT },
        { R("ExplanationOfBenefit", "'provider':" BY), CONFIRMED },
        { R("ExplanationOfBenefit", "'prescription':{'reference':'MedicationRequest/none'}"), NOT },
        { R("Coverage", "'payor':[" BY "]"), CONFIRMED },
        { R("Account", "'owner':" BY), CONFIRMED },
        { R("Invoice", "'issuer':" BY), CONFIRMED },
        { R("Immunization", "'performer':[{'actor':" BY "}]"), CONFIRMED },
        { R("Immunization", "'location':" BY), CONFIRMED },
        { R("QuestionnaireResponse", "'author':" BY), CONFIRMED },
        { R("QuestionnaireResponse", "'source':" BY), CONFIRMED },
        { R("List", "'source':" BY), CONFIRMED },
        { R("Specimen", "'collection':{'collector':" BY "}"), CONFIRMED },
        { R("RiskAssessment", "'performer':" BY), CONFIRMED },
        { R("Flag", "'author':" BY), CONFIRMED },
        { R("AllergyIntolerance", "'recorder':" BY), CONFIRMED },
        { R("Provenance", "'agent':[{'who':" BY "}]"), CONFIRMED },
        { R("Provenance", "'agent':[{'who':{'display':'x'},'onBehalfOf':" BY "}]"), CONFIRMED },
        { R("AuditEvent", "'source':{'observer':" BY "}"), CONFIRMED },
        { R("AuditEvent", "'agent':[{'who':" BY "}]"), CONFIRMED },
        { R("Observation", "'identifier':[{'value':'1','assigner':" BY "}]"), CONFIRMED },
        { R("Contract", "'signer':[{'party':" BY "}]"), CONFIRMED },
        /* A line of it goes, not the whole (rule C2). */
        { R("CareTeam", "'participant':[{'member':" BY "}]"), NOT },
        { R("Observation", "'note':[{'authorReference':" BY ",'text':'x'}]"), NOT },
        /* Where it goes to, whom it is about, what it merely mentions. */
        { R("Task", "'for':" BY), NOT },
        { R("List", "'entry':[{'item':" BY "}]"), NOT },
        { R("Observation", "'subject':" BY), NOT },
        { R("Observation", "'extension':[{'url':'urn:x','valueReference':" BY "}]"), NOT },
        { R("Consent", "'organization':[" BY "]"), CONFIRMED },
        { R("Consent", "'provision':{'actor':[{'reference':" BY "}]}"), NOT },
        { R("Consent", "'performer':[" BY "]"), NOT },
    };
    CHECK_SOURCES(OAK, cases);
    CHECK_SOURCES(OAK "," NOT_PROGRAM, cases);          /* by source it is Part 2 whoever sends it */
    (void)state;
}

static void
test_every_form_in_which_a_program_may_be_named(void **state)
{
    static const struct source_case cases[] = {
        { R("Encounter", "'serviceProvider':{'reference':'https://anywhere.example.org/r4/Organization/oak'}"), CONFIRMED },
        { R("Encounter", "'serviceProvider':{'reference':'Organization/oak/_history/3'}"), CONFIRMED },
        { R("Encounter", "'serviceProvider':{'reference':'Organization/oaks'}"), NOT },
        { R("Encounter", "'serviceProvider':{'identifier':{'system':'http://hl7.org/fhir/sid/us-npi','value':'1000000009'}}"), CONFIRMED },
        { R("Encounter", "'serviceProvider':{'identifier':{'system':'urn:oid:2.16.840.1.113883.4.6','value':'1000000009'}}"), CONFIRMED },
        { R("Encounter", "'serviceProvider':{'identifier':{'value':'1000000009'}}"), CONFIRMED },
        { R("Encounter", "'serviceProvider':{'identifier':{'system':'urn:some:provider:number','value':'1000000009'}}"), CONFIRMED },
        { R("Encounter", "'serviceProvider':{'identifier':{'system':'http://hl7.org/fhir/sid/us-npi','value':'1000000017'}}"), NOT },
        { R("Encounter", "'serviceProvider':{'reference':'Organization/unknown','identifier':{'system':'http://hl7.org/fhir/sid/us-npi','value':'1000000009'}}"), CONFIRMED },
        { R("Encounter", "'serviceProvider':{'reference':'Organization?identifier=http://hl7.org/fhir/sid/us-npi|1000000009'}"), CONFIRMED },
        { R("Encounter", "'serviceProvider':{'reference':'Organization?name=x&identifier=1000000009'}"), CONFIRMED },
        { R("Encounter", "'serviceProvider':{'reference':'Organization?name=oak'}"), NOT },
        { R("Encounter", "'serviceProvider':{'reference':'https://otp.example.org/fhir/Organization/1'}"), CONFIRMED },
        { R("Encounter", "'serviceProvider':{'reference':'https://otp.example.org/fhirside/Organization/1'}"), NOT },
        { R("Encounter", "'serviceProvider':{'display':'Oak Recovery Center'}"), CONFIRMED },
        { R("Encounter", "'serviceProvider':{'display':'OAK  recovery center, Main St.'}"), CONFIRMED },
        { R("Encounter", "'serviceProvider':{'display':'Elm Hospital'}"), NOT },
        { R("Encounter", "'hospitalization':{'origin':{'display':'Oak Recovery Center'}}"), NOT },
        { R("Encounter", "'contained':[{'resourceType':'Organization','id':'o','identifier':[{'system':'http://hl7.org/fhir/sid/us-npi','value':'1000000009'}]}],'serviceProvider':{'reference':'#o'}"), CONFIRMED },
        { R("Encounter", "'contained':[{'resourceType':'Organization','id':'o','partOf':" BY "}],'serviceProvider':{'reference':'#o'}"), CONFIRMED },
        /* The server. */
        { R("Observation", "'meta':{'source':'https://otp.example.org/fhir'}"), CONFIRMED },
        { R("Observation", "'meta':{'source':'HTTPS://OTP.example.org/fhir/Observation/1'}"), CONFIRMED },
        { R("Observation", "'meta':{'source':'http://otp.example.org/fhir#3f'}"), CONFIRMED },
        { R("Observation", "'meta':{'source':'https://otp.example.org/fhir2'}"), NOT },
        { R("Observation", "'meta':{'source':'https://otp.example.org/'}"), NOT },
        { R("Observation", "'meta':{'source':'otp'}"), NOT },
        { R("Observation", "'identifier':[{'system':'https://otp.example.org/fhir/mrn','value':'1'}]"), CONFIRMED },
        { R("Composition", "'identifier':{'system':'https://otp.example.org/fhir/mrn','value':'1'}"), CONFIRMED },
        { R("Observation", "'encounter':{'reference':'https://ehr.example.org/fhir/Encounter/9'}"), NOT },
    };
    CHECK_SOURCES(OAK, cases);
    (void)state;
}

static void
test_the_program_and_what_belongs_to_it(void **state)
{
    struct labels l = labels_of(OAK, ON(
        ENTRY("Location/ward", "{'resourceType':'Location','id':'ward','managingOrganization':" BY "}") ","
        ENTRY("Location/room", "{'resourceType':'Location','id':'room','partOf':{'reference':'Location/ward'}}") ","
        ENTRY("HealthcareService/s", "{'resourceType':'HealthcareService','id':'s','providedBy':" BY "}") ","
        ENTRY("PractitionerRole/r", "{'resourceType':'PractitionerRole','id':'r','organization':" BY ",'practitioner':{'reference':'Practitioner/only'}}") ","
        ENTRY("Practitioner/only", "{'resourceType':'Practitioner','id':'only'}") ","
        ENTRY("PractitionerRole/r1", "{'resourceType':'PractitionerRole','id':'r1','organization':" BY ",'practitioner':{'reference':'Practitioner/both'}}") ","
        ENTRY("PractitionerRole/r2", "{'resourceType':'PractitionerRole','id':'r2','organization':{'display':'Elm'},'practitioner':{'reference':'Practitioner/both'}}") ","
        ENTRY("Practitioner/both", "{'resourceType':'Practitioner','id':'both'}") ","
        ENTRY("Encounter/a", "{'resourceType':'Encounter','id':'a','location':[{'location':{'reference':'Location/room'}}]}") ","
        ENTRY("Encounter/b", "{'resourceType':'Encounter','id':'b','participant':[{'individual':{'reference':'Practitioner/only'}}]}") ","
        ENTRY("Encounter/c", "{'resourceType':'Encounter','id':'c','participant':[{'individual':{'reference':'Practitioner/both'}}]}") ","
        ENTRY("Encounter/d", "{'resourceType':'Encounter','id':'d','participant':[{'individual':{'reference':'PractitionerRole/r1'}}]}")));
    static const bool directory[] = { true, true, true, true, true, true, true, false, false };

    for (uint32_t i = 0; i < sizeof directory; i++)
        if (l.labeling->of[i].directory != directory[i] || (l.labeling->of[i].part2 == CONFIRMED) != directory[i])
            fail_msg("entry %u: directory %d, %s", i, l.labeling->of[i].directory, part2_text(l.labeling->of[i].part2));
    assert_labels(&l, 9, PROTECTED, CONFIRMED);
    assert_labels(&l, 10, PROTECTED, CONFIRMED);
    assert_labels(&l, 11, "N", NOT);
    assert_labels(&l, 12, PROTECTED, CONFIRMED);
    labels_end(&l);
    (void)state;
}

/* What is of two programs is of both; a program that is part of another is itself alone. */
static void
test_what_belongs_to_two_programs_is_of_both(void **state)
{
    static const char *const by[] = { "{'reference':'Organization/oak'}", "{'reference':'Organization/elm'}" };

    for (int first = 0; first < 2; first++) {
        struct arena *a     = arena_new("test", 1 << 16);
        struct span   bundle = arena_format(a, BUNDLE(
            ENTRY("PractitionerRole/r", "{'resourceType':'PractitionerRole','id':'r','organization':%s,'location':[%s],'practitioner':{'reference':'Practitioner/p'}}") ","
            ENTRY("Encounter/a", "{'resourceType':'Encounter','id':'a','participant':[{'individual':{'reference':'PractitionerRole/r'}}]}") ","
            ENTRY("Organization/two", "{'resourceType':'Organization','id':'two','identifier':[%s,%s]}") ","
            ENTRY("PractitionerRole/q", "{'resourceType':'PractitionerRole','id':'q','organization':%s,'practitioner':{'reference':'Practitioner/p'}}") ","
            ENTRY("Practitioner/p", "{'resourceType':'Practitioner','id':'p'}") ","
            ENTRY("Organization/oak", "{'resourceType':'Organization','id':'oak','identifier':[{'value':'1000000009'}],'partOf':{'identifier':{'value':'1000000017'}}}") ","
            ENTRY("Organization/again", "{'resourceType':'Organization','id':'again','identifier':[{'value':'1000000009'},{'value':'100000-0009'}]}")),
            by[first], by[!first], first ? "{'value':'1000000017'}" : "{'value':'1000000009'}",
            first ? "{'value':'1000000009'}" : "{'value':'1000000017'}", by[!first]);
        struct labels l = labels_of("'programs':[{'reference':'Organization/oak','identifier':[{'value':'1000000009'}]},"
                                    "{'reference':'Organization/oak','identifier':[{'value':'1000000009'}]},"
                                    "{'reference':'Organization/elm','identifier':[{'value':'1000000017'}]}]",
                                    bundle.at);
        const struct program *oak = &l.facts->programs[0], *elm = &l.facts->programs[2];
        static const bool of_elm[] = { true, true, true, true, true, false, false };
        for (uint32_t e = 0; e < 7; e++) {
            const struct labeled *one = &l.labeling->of[e];
            bool oaks = e != 3 || first;
            if (labeled_of(one, oak) != oaks || labeled_of(one, elm) != (e == 3 ? !first : of_elm[e]) || one->directory != (e != 1)
                || one->other_count != (e < 3 || e == 4) || one->each != (e == 4))
                fail_msg("entry %u, %d first", e, first);
        }
        labels_end(&l);
        arena_free(&a);
    }
    (void)state;
}

static void
test_a_program_by_the_number_or_the_address_of_its_own_resource(void **state)
{
    struct labels l = labels_of(OAK, BUNDLE(
        ENTRY("Organization/77", "{'resourceType':'Organization','id':'77','identifier':[{'system':'urn:x','value':'5'},{'system':'http://hl7.org/fhir/sid/us-npi','value':'1000000009'}]}") ","
        ENTRY("Encounter/a", "{'resourceType':'Encounter','id':'a','serviceProvider':{'reference':'Organization/77'}}") ","
        "{'fullUrl':'https://otp.example.org/fhir/Organization/5','resource':{'resourceType':'Organization','id':'5','alias':['Acorn Recovery House'],'name':'Acorn'}},"
        "{'fullUrl':'https://otp.example.org/fhir/Encounter/5','resource':{'resourceType':'Encounter','id':'5'}},"
        "{'fullUrl':'https://otp.example.org/fhir/Patient/5','resource':{'resourceType':'Patient','id':'5'}},"
        ENTRY("Communication/a", "{'resourceType':'Communication','id':'a','payload':[{'contentString':'He left the Acorn Recovery House.'}]}")));

    assert_labels(&l, 0, PROTECTED, CONFIRMED);
    assert_labels(&l, 1, PROTECTED, CONFIRMED);
    assert_true(l.labeling->of[2].directory);
    assert_labels(&l, 3, PROTECTED, CONFIRMED);
    /* P5: the patient's very address ties patient and program together. */
    assert_labels(&l, 4, PROTECTED, CONFIRMED);
    assert_true(l.labeling->of[4].ties_patient);
    /* A text that names the program tells that somebody is treated there. */
    assert_true(labels_have(l.labeling->of[5].labels, LABEL_SUD));
    labels_end(&l);

    /* Registered with its whole URL and named from its own server. */
    l = labels_of("'programs':[{'reference':'https://otp.example.org/fhir/Organization/oak'}]", BUNDLE(
        "{'fullUrl':'https://otp.example.org/fhir/Encounter/1','resource':{'resourceType':'Encounter','id':'1','serviceProvider':{'reference':'Organization/oak'}}},"
        ENTRY("Encounter/2", "{'resourceType':'Encounter','id':'2','serviceProvider':{'reference':'Organization/oak'}}") ","
        ENTRY("Encounter/3", "{'resourceType':'Encounter','id':'3','serviceProvider':{'reference':'https://otp.example.org/fhir/Organization/oak'}}")));
    assert_int_equal(l.labeling->of[0].part2, CONFIRMED);
    assert_int_equal(l.labeling->of[1].part2, NOT);
    assert_int_equal(l.labeling->of[2].part2, CONFIRMED);
    labels_end(&l);
    (void)state;
}

static void
test_an_address_is_the_same_however_it_is_written(void **state)
{
    static const struct { const char *source; bool same; } cases[] = {
        { "https://otp.example.org/fhir", true },              { "https://otp.example.org/fhir#msg1", true },
        { "https://otp.example.org:443/fhir/", true },         { "http://otp.example.org:80/fhir", true },
        { "HTTPS://OTP.Example.Org./fhir?x=1", true },         { "https://user:pw@otp.example.org/fhir", true },
        { "https://otp.example.org/%66hir", true },            { "https://otp%2Eexample.org//fhir/Condition/1", true },
        { "otp.example.org/fhir", true },                      { "https://otp.example.org/fhir|1", true },
        { "https://otp.example.org/fhir2", false },            { "https://otp.example.org:8443/fhir", false },
        { "http://otp.example.org:443/fhir", false },          { "https://otp.example.org/FHIR", false },
        { "https://xotp.example.org/fhir", false },            { "https://otp.example.org.other.example/fhir", false },
        { "https://otp.example.org@other.example/fhir", false }, { "https://other.example/otp.example.org/fhir", false },
        { "https://otp.example.org", false },                  { "https://otp.example.org/%6", false },
        { "urn:otp.example.org/fhir", false },                 { "https://[::1]/fhir", false },
    };
    char body[512];

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        snprintf(body, sizeof body, BUNDLE(ENTRY("Condition/c", "{'resourceType':'Condition','id':'c','meta':{'source':'%s'}}")),
                 cases[i].source);
        struct labels l = labels_of(OAK, body);
        if ((l.labeling->of[0].part2 == CONFIRMED) != cases[i].same)
            fail_msg("%s", cases[i].source);
        labels_end(&l);
    }
    /* Registered with a port of its own, in an odd spelling, by host alone, as no address at all. */
    static const struct { const char *registered, *source; bool same; } others[] = {
        { "https://OTP.example.org.:8443/fhir/", "https://otp.example.org:8443/fhir", true },
        { "https://otp.example.org:8443/fhir", "https://otp.example.org/fhir", false },
        { "https://otp.example.org/", "https://otp.example.org:9443/x", true },
        { "https://[2001:db8::1]/fhir", "https://[2001:DB8::1]:443/fhir/", true },
        { "urn:oid:2.16.840.1", "urn:oid:2.16.840.1", true },
        { "urn:oid:2.16.840.1", "urn:oid:2.16.840.10", false },
    };
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        char request[256];
        snprintf(request, sizeof request, "'programs':[{'reference':'Organization/oak','source':'%s'}]", others[i].registered);
        snprintf(body, sizeof body, BUNDLE(ENTRY("Condition/c", "{'resourceType':'Condition','id':'c','meta':{'source':'%s'}}")),
                 others[i].source);
        struct labels l = labels_of(request, body);
        if ((l.labeling->of[0].part2 == CONFIRMED) != others[i].same)
            fail_msg("%s %s", others[i].registered, others[i].source);
        labels_end(&l);
    }
    (void)state;
}

static void
test_the_patient_is_nobodys_record(void **state)
{
    struct labels l = labels_of(OAK, ON(
        ENTRY("Patient/p1", "{'resourceType':'Patient','id':'p1','generalPractitioner':[" BY "],'managingOrganization':" BY ",'meta':{'source':'https://otp.example.org/fhir'}}")));

    assert_labels(&l, 1, "N", NOT);
    assert_false(l.labeling->of[1].ties_patient);
    labels_end(&l);

    /* P5: of a standalone program even that. */
    l = labels_of(OAK "," IS_PROGRAM, ON(ENTRY("Patient/p1", "{'resourceType':'Patient','id':'p1'}")));
    assert_labels(&l, 1, PROTECTED, CONFIRMED);
    assert_true(l.labeling->of[1].ties_patient);
    assert_ptr_equal(l.labeling->of[1].program, &l.facts->programs[0]);
    labels_end(&l);

    /* A program that is the only one need not be named; of several it must be. */
    l = labels_of("'source':{'part2':'program'},'programs':[{'reference':'Organization/a'},{'reference':'Organization/b'}]",
                  BUNDLE(ENTRY("Condition/c", "{'resourceType':'Condition','id':'c'}")));
    assert_labels(&l, 0, PROTECTED, CONFIRMED);
    assert_null(l.labeling->of[0].program);
    labels_end(&l);
    l = labels_of("'source':{'part2':'program','organization':'Organization/b'},'programs':[{'reference':'Organization/a'},{'reference':'Organization/b'}]",
                  BUNDLE(ENTRY("Condition/c", "{'resourceType':'Condition','id':'c'}")));
    assert_ptr_equal(l.labeling->of[0].program, &l.facts->programs[1]);
    labels_end(&l);
    (void)state;
}

static void
test_provenance_speaks_for_its_targets(void **state)
{
    struct labels l = labels_of(OAK, ON(
        ENTRY("Condition/a", "{'resourceType':'Condition','id':'a'}") ","
        ENTRY("Condition/b", "{'resourceType':'Condition','id':'b'}") ","
        ENTRY("Patient/p1", "{'resourceType':'Patient','id':'p1'}") ","
        ENTRY("Provenance/v", "{'resourceType':'Provenance','id':'v','target':[{'reference':'Condition/a'},{'reference':'Patient/p1'},{'reference':'Condition/gone'}],'agent':[{'who':" BY "}],'entity':[{'what':{'reference':'Condition/b'}}]}")));

    assert_labels(&l, 1, PROTECTED, CONFIRMED);
    assert_true(has_evidence(&l, 1, "P1", LABEL_PART2));
    assert_labels(&l, 2, "N", NOT);
    assert_labels(&l, 3, "N", NOT);
    assert_labels(&l, 4, PROTECTED, CONFIRMED);
    labels_end(&l);
    (void)state;
}

static void
test_what_hangs_on_a_protected_record_is_protected_four_steps_down(void **state)
{
    struct labels l = labels_of(OAK "," NOT_PROGRAM, ON(
        ENTRY("Encounter/e", "{'resourceType':'Encounter','id':'e','serviceProvider':" BY "}") ","
        ENTRY("ServiceRequest/1", "{'resourceType':'ServiceRequest','id':'1','encounter':{'reference':'Encounter/e'}}") ","
        ENTRY("Procedure/2", "{'resourceType':'Procedure','id':'2','basedOn':[{'reference':'ServiceRequest/1'}]}") ","
        ENTRY("Observation/3", "{'resourceType':'Observation','id':'3','partOf':[{'reference':'Procedure/2'}]}") ","
        ENTRY("Observation/4", "{'resourceType':'Observation','id':'4','derivedFrom':[{'reference':'Observation/3'}]}") ","
        ENTRY("Observation/5", "{'resourceType':'Observation','id':'5','derivedFrom':[{'reference':'Observation/4'}]}") ","
        ENTRY("Observation/6", "{'resourceType':'Observation','id':'6','derivedFrom':[{'reference':'Observation/5'}]}")));

    for (uint32_t i = 2; i <= 5; i++) {
        assert_labels(&l, i, PROTECTED, CONFIRMED);
        assert_true(has_evidence(&l, i, "P4", LABEL_PART2));
    }
    const struct evidence *e = &l.labeling->of[4].evidence[0];
    check_text(e->because, "it hangs on a protected record: partOf Procedure/2, basedOn ServiceRequest/1, encounter Encounter/e");
    assert_labels(&l, 6, "N", NOT);
    assert_labels(&l, 7, "N", NOT);
    labels_end(&l);
    (void)state;
}

/* One link a row: from X to the protected Y (UP), or from the protected Y to X (DOWN). */
static void
test_each_link_and_its_direction(void **state)
{
    static const struct { const char *type, *before, *behind; bool hangs; } ups[] = {
        { "Condition", "'encounter':", "", true }, { "DocumentReference", "'context':{'encounter':[", "]}", true },
        { "MedicationStatement", "'context':", "", true }, { "Encounter", "'episodeOfCare':[", "]", true },
        { "Encounter", "'partOf':", "", true }, { "DiagnosticReport", "'basedOn':[", "]", true },
        { "MedicationDispense", "'authorizingPrescription':[", "]", true }, { "ClaimResponse", "'request':", "", true },
        { "ExplanationOfBenefit", "'claim':", "", true }, { "Claim", "'prescription':", "", true },
        { "Task", "'focus':", "", true }, { "Appointment", "'slot':[", "]", true },
        { "Consent", "'provision':{'data':[{'meaning':'instance','reference':", "}]}", false },
        { "List", "'entry':[{'item':", "}]", false }, { "Condition", "'subject':", "", false },
        { "MessageHeader", "'focus':[", "]", false }, { "Condition", "'evidence':[{'detail':[", "]}]", false }, { "Patient", "'link':[{'other':", ",'type':'seealso'}]", false },
        { "Organization", "'partOf':", "", false },
    };
    size_t wrong = 0;

    for (size_t i = 0; i < sizeof ups / sizeof ups[0]; i++) {
        char text[2000];
        snprintf(text, sizeof text, BUNDLE(ENTRY("Encounter/e", "{'resourceType':'Encounter','id':'e','serviceProvider':" BY "}") ","
                 "{'fullUrl':'https://ehr.example.org/fhir/%s/x','resource':{'resourceType':'%s','id':'x',%s{'reference':'Encounter/e'}%s}}"), ups[i].type, ups[i].type, ups[i].before, ups[i].behind);
        struct labels l = labels_of(OAK, text);
        wrong += !labels_are(&l, 1, ups[i].hangs ? PROTECTED : "N", ups[i].hangs ? CONFIRMED : NOT, ups[i].before, __FILE__, __LINE__);
        labels_end(&l);
    }
    assert_int_equal(wrong, 0);

    struct labels l = labels_of(OAK, BUNDLE(
        ENTRY("Composition/c", "{'resourceType':'Composition','id':'c','author':[" BY "],'section':[{'entry':[{'reference':'Condition/a'},{'reference':'Patient/p'},{'reference':'Organization/elm'}]}]}") ","
        ENTRY("Condition/a", "{'resourceType':'Condition','id':'a'}") "," ENTRY("Patient/p", "{'resourceType':'Patient','id':'p'}") ","
        ENTRY("Organization/elm", "{'resourceType':'Organization','id':'elm'}") ","
        ENTRY("Observation/panel", "{'resourceType':'Observation','id':'panel','performer':[" BY "],'hasMember':[{'reference':'Observation/item'}]}") ","
        ENTRY("Observation/item", "{'resourceType':'Observation','id':'item'}") ","
        ENTRY("DocumentReference/d", "{'resourceType':'DocumentReference','id':'d','custodian':" BY ",'content':[{'attachment':{'url':'Binary/b'}}]}") ","
        ENTRY("Binary/b", "{'resourceType':'Binary','id':'b'}") ","
        ENTRY("List/l", "{'resourceType':'List','id':'l','source':" BY ",'entry':[{'item':{'reference':'Condition/z'}}]}") ","
        ENTRY("Condition/z", "{'resourceType':'Condition','id':'z'}")));
    static const bool protected[] = { true, true, false, false, true, true, true, true, true, false };
    for (uint32_t i = 0; i < sizeof protected; i++)
        if ((l.labeling->of[i].part2 == CONFIRMED) != protected[i])
            fail_msg("entry %u is %s", i, part2_text(l.labeling->of[i].part2));
    labels_end(&l);
    (void)state;
}

static void
test_a_record_that_is_elsewhere_on_the_programs_server(void **state)
{
    struct labels l = labels_of(OAK, BUNDLE(
        ENTRY("Observation/a", "{'resourceType':'Observation','id':'a','encounter':{'reference':'https://otp.example.org/fhir/Encounter/9'}}") ","
        ENTRY("Observation/b", "{'resourceType':'Observation','id':'b','encounter':{'reference':'https://ehr.example.org/fhir/Encounter/9'}}") ","
        ENTRY("Observation/c", "{'resourceType':'Observation','id':'c','derivedFrom':[{'reference':'Observation/a'}]}") ","
        ENTRY("List/d", "{'resourceType':'List','id':'d','entry':[{'item':{'reference':'https://otp.example.org/fhir/Condition/9'}}]}")));

    assert_labels(&l, 0, PROTECTED, CONFIRMED);
    assert_labels(&l, 1, "N", NOT);
    assert_labels(&l, 2, PROTECTED, CONFIRMED);
    assert_labels(&l, 3, "N", NOT);
    labels_end(&l);
    (void)state;
}

static void
test_a_believed_label_confirms_and_hands_on(void **state)
{
    struct labels l = labels_of(NOT_PROGRAM ",'trustLabels':true", BUNDLE(
        ENTRY("Encounter/e", "{'resourceType':'Encounter','id':'e','meta':{'security':[{'system':'" ACT "','code':'42CFRPart2'}]}}") ","
        ENTRY("Condition/a", "{'resourceType':'Condition','id':'a','encounter':{'reference':'Encounter/e'}}")));
    assert_labels(&l, 0, PROTECTED, CONFIRMED);
    assert_true(has_evidence(&l, 0, "P2", LABEL_PART2));
    assert_labels(&l, 1, PROTECTED, CONFIRMED);
    labels_end(&l);

    /* Not believed: suspect, whoever sends it, and no ground for others. */
    l = labels_of(NOT_PROGRAM, BUNDLE(
        ENTRY("Encounter/e", "{'resourceType':'Encounter','id':'e','meta':{'security':[{'system':'" ACT "','code':'42CFRPart2'}]}}") ","
        ENTRY("Condition/a", "{'resourceType':'Condition','id':'a','encounter':{'reference':'Encounter/e'}}")));
    assert_labels(&l, 0, "42CFRPart2 R", SUSPECT);
    assert_labels(&l, 1, "N", NOT);
    labels_end(&l);
    (void)state;
}

#define PART2_CONSENT(rest) \
    "{'resourceType':'Consent','status':'active','patient':{'reference':'Patient/p1'}," rest "}"

static void
test_a_part_2_consent_names_a_program(void **state)
{
    static const struct { const char *consent; bool names; } rows[] = {
        { PART2_CONSENT("'organization':[" BY "],'policyRule':{'coding':[{'system':'" ACT "','code':'42CFRPart2'}]}"), true },
        { PART2_CONSENT("'organization':[" BY "],'policyRule':{'text':'42 CFR Part 2'}"), true },
        { PART2_CONSENT("'organization':[" BY "],'policy':[{'uri':'http://example.org/policies/part2'}]"), true },
        { PART2_CONSENT("'organization':[" BY "],'policy':[{'authority':'https://www.ecfr.gov/42CFR2'}]"), true },
        { PART2_CONSENT("'organization':[" BY "],'category':[{'coding':[{'code':'x'}]},{'coding':[{'system':'" ACT "','code':'42CFRPart2-C'}]}]"), true },
        { PART2_CONSENT("'organization':[{'identifier':{'system':'http://hl7.org/fhir/sid/us-npi','value':'1000000009'}}],'policyRule':{'text':'42 CFR Part 2'}"), true },
        { PART2_CONSENT("'policyRule':{'text':'part 2'},'provision':{'actor':[{'role':{'coding':[{'code':'CST'}]},'reference':" BY "}]}"), true },
        { PART2_CONSENT("'policyRule':{'text':'part 2'},'provision':{'actor':[{'role':{'coding':[{'code':'IRCP'}]},'reference':" BY "}]}"), false },
        { PART2_CONSENT("'organization':[" BY "],'policyRule':{'coding':[{'code':'OPTIN'}]}"), false },
        { PART2_CONSENT("'organization':[{'reference':'#in'}],'policyRule':{'text':'42 CFR Part 2'}"), false },
        { PART2_CONSENT("'organization':[{'display':'Oak'}],'policyRule':{'text':'42 CFR Part 2'}"), false },
    };
    size_t wrong = 0;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char request[2000], bundle[2000];
        const char *encounter = ENTRY("Encounter/e", "{'resourceType':'Encounter','id':'e','serviceProvider':{'reference':'Organization/oak','identifier':{'system':'http://hl7.org/fhir/sid/us-npi','value':'1000000009'}}}");
        snprintf(request, sizeof request, "'consents':[%s]", rows[i].consent);
        snprintf(bundle, sizeof bundle, BUNDLE("%s"), encounter);
        struct labels l = labels_of(request, bundle);
        wrong += !labels_are(&l, 0, rows[i].names ? PROTECTED : "N", rows[i].names ? CONFIRMED : NOT, rows[i].consent, __FILE__, __LINE__);
        labels_end(&l);

        /* In the bundle itself, and after the operator's word that no program sends it. */
        snprintf(bundle, sizeof bundle, BUNDLE("%s,{'fullUrl':'urn:uuid:1','resource':%s}"), encounter, rows[i].consent);
        l = labels_of(UNKNOWN_SENDER, bundle);
        wrong += !labels_are(&l, 0, rows[i].names ? PROTECTED : "N", rows[i].names ? CONFIRMED : NOT, rows[i].consent, __FILE__, __LINE__);
        labels_end(&l);
        l = labels_of(NOT_PROGRAM, bundle);
        wrong += !labels_are(&l, 0, "N", NOT, rows[i].consent, __FILE__, __LINE__);
        labels_end(&l);
    }
    assert_int_equal(wrong, 0);
    (void)state;
}

static void
test_a_facility_that_says_it_treats_substance_use(void **state)
{
#define OTP_TAXONOMY "{'system':'http://nucc.org/provider-taxonomy','code':'261QM2800X'}"
    const char *bundle = BUNDLE(
        ENTRY("Organization/q", "{'resourceType':'Organization','id':'q','type':[{'coding':[" OTP_TAXONOMY "]}]}") ","
        ENTRY("Encounter/a", "{'resourceType':'Encounter','id':'a','serviceProvider':{'reference':'Organization/q'}}") ","
        ENTRY("Location/r", "{'resourceType':'Location','id':'r','name':'Detoxification unit'}") ","
        ENTRY("Encounter/b", "{'resourceType':'Encounter','id':'b','location':[{'location':{'reference':'Location/r'}}]}") ","
        ENTRY("Encounter/c", "{'resourceType':'Encounter','id':'c','serviceProvider':{'display':'Riverside Opioid Treatment Program'}}") ","
        ENTRY("Encounter/d", "{'resourceType':'Encounter','id':'d','serviceProvider':{'display':'Elm Hospital'}}") ","
        ENTRY("PractitionerRole/s", "{'resourceType':'PractitionerRole','id':'s','organization':{'reference':'Organization/q'},'practitioner':{'reference':'Practitioner/t'}}") ","
        ENTRY("Practitioner/t", "{'resourceType':'Practitioner','id':'t'}") ","
        ENTRY("Encounter/e", "{'resourceType':'Encounter','id':'e','participant':[{'individual':{'reference':'Practitioner/t'}}]}"));
    static const uint32_t told[] = { 1, 3, 4, 8 };

    struct labels l = labels_of(UNKNOWN_SENDER, bundle);
    for (size_t i = 0; i < sizeof told / sizeof told[0]; i++) {
        assert_int_equal(l.labeling->of[told[i]].part2, SUSPECT);
        assert_true(labels_meet(l.labeling->of[told[i]].labels, labels_substance_use()));
    }
    assert_labels(&l, 5, "N", NOT);
    labels_end(&l);
    l = labels_of(NOT_PROGRAM, bundle);
    for (size_t i = 0; i < sizeof told / sizeof told[0]; i++)
        assert_int_equal(l.labeling->of[told[i]].part2, NOT);
    labels_end(&l);
    l = labels_of(GIVEN, bundle);
    for (size_t i = 0; i < sizeof told / sizeof told[0]; i++)
        assert_labels(&l, told[i], "", NOT);
    labels_end(&l);
    (void)state;
}

static void
test_content_is_shared_where_meaning_depends_on_it(void **state)
{
    struct labels l = labels_of(UNKNOWN_SENDER, BUNDLE(
        ENTRY("Medication/m", "{'resourceType':'Medication','id':'m'," CODE(RXNORM, "1010600") "}") ","
        ENTRY("MedicationRequest/r", "{'resourceType':'MedicationRequest','id':'r','medicationReference':{'reference':'Medication/m'}}") ","
        ENTRY("MedicationDispense/d", "{'resourceType':'MedicationDispense','id':'d','authorizingPrescription':[{'reference':'MedicationRequest/r'}]}") ","
        ENTRY("QuestionnaireResponse/q", "{'resourceType':'QuestionnaireResponse','id':'q','item':[{'linkId':'1','text':'Do you use heroin?','answer':[{'valueBoolean':true}]}]}") ","
        ENTRY("Observation/score", "{'resourceType':'Observation','id':'score'," CODE(LN, "44261-6") ",'derivedFrom':[{'reference':'QuestionnaireResponse/q'}]}") ","
        ENTRY("Observation/panel", "{'resourceType':'Observation','id':'panel','code':{'text':'Heroin use panel'},'hasMember':[{'reference':'Observation/item'}]}") ","
        ENTRY("Observation/item", "{'resourceType':'Observation','id':'item'," CODE(LN, "8480-6") "}") ","
        ENTRY("Binary/b", "{'resourceType':'Binary','id':'b','data':'T3Bpb2lkIHVzZSBkaXNvcmRlcg=='}") ","
        ENTRY("DocumentReference/i", "{'resourceType':'DocumentReference','id':'i','content':[{'attachment':{'url':'Binary/b'}}]}") ","
        /* An encounter's reason is no reason for everything that happened there. */
        ENTRY("Encounter/e", "{'resourceType':'Encounter','id':'e','reasonCode':[{'coding':[{'system':'" ICD "','code':'F11.20'}]}]}") ","
        ENTRY("Observation/bp", "{'resourceType':'Observation','id':'bp'," CODE(LN, "8480-6") ",'encounter':{'reference':'Encounter/e'}}")));
    static const uint32_t told[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8 };

    for (size_t i = 0; i < sizeof told / sizeof told[0]; i++)
        assert_labels(&l, told[i], "SUD OPIOIDUD R", SUSPECT);
    assert_true(has_evidence(&l, 1, "P4", LABEL_OPIOIDUD));
    assert_labels(&l, 10, "N", NOT);
    labels_end(&l);

    /* A report is about what all of its results tell, not about one of many. */
    l = labels_of(UNKNOWN_SENDER, BUNDLE(
        ENTRY("DiagnosticReport/a", "{'resourceType':'DiagnosticReport','id':'a','result':[{'reference':'Observation/x'},{'reference':'Observation/y'}]}") ","
        ENTRY("DiagnosticReport/b", "{'resourceType':'DiagnosticReport','id':'b','result':[{'reference':'Observation/x'},{'reference':'Observation/z'}]}") ","
        ENTRY("Observation/x", "{'resourceType':'Observation','id':'x','valueString':'heroin dependence'}") ","
        ENTRY("Observation/y", "{'resourceType':'Observation','id':'y','valueString':'heroin dependence'}") ","
        ENTRY("Observation/z", "{'resourceType':'Observation','id':'z','valueString':'knee'}")));
    assert_labels(&l, 0, "SUD OPIOIDUD R", SUSPECT);
    assert_labels(&l, 1, "N", NOT);
    labels_end(&l);
    (void)state;
}

static void
test_a_context_tells_with_an_indication_or_a_source(void **state)
{
    /* 44261-6 is no context of ours; AUDIT-C's score is. */
    struct labels l = labels_of(UNKNOWN_SENDER, BUNDLE(
        ENTRY("Condition/oud", "{'resourceType':'Condition','id':'oud'," CODE(ICD, "F11.20") "}") ","
        ENTRY("Condition/knee", "{'resourceType':'Condition','id':'knee'," CODE(ICD, "M25.561") "}") ","
        ENTRY("MedicationRequest/a", "{'resourceType':'MedicationRequest','id':'a','medicationCodeableConcept':{'coding':[{'system':'" RXNORM "','code':'904870'}]},'reasonReference':[{'reference':'Condition/oud'}]}") ","
        ENTRY("MedicationRequest/b", "{'resourceType':'MedicationRequest','id':'b','medicationCodeableConcept':{'coding':[{'system':'" RXNORM "','code':'904870'}]},'reasonReference':[{'reference':'Condition/knee'}]}") ","
        ENTRY("MedicationRequest/c", "{'resourceType':'MedicationRequest','id':'c','medicationCodeableConcept':{'coding':[{'system':'" RXNORM "','code':'904870'}]}}")));

    assert_labels(&l, 2, "SUD OPIOIDUD R", SUSPECT);
    assert_labels(&l, 3, "N", NOT);
    assert_labels(&l, 4, "N", NOT);
    labels_end(&l);
    (void)state;
}

static void
test_a_bundle_without_resources_and_references_to_nowhere(void **state)
{
    struct labels l = labels_of(OAK "," IS_PROGRAM, "{'resourceType':'Bundle','type':'collection','entry':[{'fullUrl':'urn:uuid:1'},{'response':{'status':'204'}}]}");
    assert_int_equal(l.labeling->of[0].part2, CONFIRMED);
    assert_int_equal(l.labeling->of[0].labels & LABEL_BIT(LABEL_N), 0);
    labels_end(&l);

    l = labels_of(UNKNOWN_SENDER, "{'resourceType':'Bundle','type':'searchset'}");
    labels_end(&l);

    l = labels_of(OAK, BUNDLE(ENTRY("Encounter/e", "{'resourceType':'Encounter','id':'e','serviceProvider':{'reference':'#none'},'partOf':{'reference':''},'location':[{'location':{'reference':7}}]}")));
    assert_labels(&l, 0, "N", NOT);
    labels_end(&l);
    (void)state;
}

/* ---- ../shared/cases/consent ------------------------------------------------------ */

/* The request file of a case: interface.md 2. */
static struct labels
labels_of_case(struct arena *a, const char *name)
{
    char path[200];

    snprintf(path, sizeof path, "cases/consent/%s.json", name);
    struct span        text = check_file(a, check_shared_path(path));
    const struct tape *t;
    struct labels      l    = { .arena = arena_new("labels", (size_t)64 << 20) };
    struct issues     *issues = issues_new(l.arena, 10);

    assert_int_equal(tape_read(text, &tape_default_limits, a, &t, NULL), ST_OK);
    struct span request = tape_extent(t, tape_member(t, TAPE_ROOT, SPAN("request")));
    struct span json    = arena_format(a, "%.*s,\"labels\":%.*s,\"actors\":%.*s,\"consents\":%.*s}",
        (int)(request.length - 1), request.at, SPAN_PRINT(tape_extent(t, tape_member(t, TAPE_ROOT, SPAN("labels")))),
        SPAN_PRINT(tape_extent(t, tape_member(t, TAPE_ROOT, SPAN("actors")))),
        SPAN_PRINT(tape_extent(t, tape_member(t, TAPE_ROOT, SPAN("consents")))));
    assert_int_equal(facts_read(json, l.arena, issues, &l.facts), ST_OK);
    struct span body = tape_extent(t, tape_member(t, TAPE_ROOT, SPAN("bundle")));
    assert_int_equal(tape_read(body, &tape_default_limits, l.arena, &t, NULL), ST_OK);
    assert_int_equal(bundle_read(t, l.arena, issues, &l.bundle), ST_OK);
    assert_int_equal(references_read(l.bundle, l.arena, &l.references), ST_OK);
    assert_int_equal(label_bundle(l.bundle, l.references, l.facts, l.arena, &l.labeling), ST_OK);
    return l;
}

static void
test_labels_of_the_shared_cases(void **state)
{
    static const struct { const char *file, *id, *codes; enum part2_status part2; } rows[] = {
        { "F01-snomed-sud", "oud", "SUD OPIOIDUD R", SUSPECT },
        { "F01-snomed-sud", "a1c", "N", NOT },
        { "F02-icd10cm-sud", "oud", "SUD OPIOIDUD R", SUSPECT },
        { "F03-rxnorm-buprenorphine", "bup", "SUD OPIOIDUD R", SUSPECT },
        { "F04-rxnorm-naltrexone", "nalt", "SUD R", SUSPECT },
        { "F05-text-only-concept", "oud", "SUD OPIOIDUD R", SUSPECT },
        { "F07-contained-medication", "mc", "SUD OPIOIDUD R", SUSPECT },
        { "F08-reference-to-sensitive-medication", "mr", "SUD OPIOIDUD R", SUSPECT },
        { "F10-oid-form-of-code-system", "bup", "SUD OPIOIDUD R", SUSPECT },
        { "F10-oid-form-of-code-system", "a1c", "N", NOT },
        { "F15-source-based-part2", "enc", "SUD OPIOIDUD 42CFRPart2 R", CONFIRMED },
        { "F15-source-based-part2", "a1c", "N", NOT },
        { "D04-deny-label-valueset-system", "oud", "SUD R", SUSPECT },
        { "D05-deny-parent-concept", "oud", "SUD OPIOIDUD R", SUSPECT },
        { "D06-deny-R-resource-V", "oud", "SUD V", SUSPECT },
        { "D07-multilabel-deny-one", "oud", "SUD PSY R", SUSPECT },
        { "H03-sud-counseling-notes", "cnote", "SUD PSYTHPN V", SUSPECT },
        { "S01-shift-pcp", "sudpart2", "SUD 42CFRPart2 R", CONFIRMED },
        { "S01-shift-pcp", "medical", "N", NOT },
    };
    size_t wrong = 0;

    if (!check_shared("cases/consent"))
        skip();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct arena *a = arena_new("case", (size_t)8 << 20);
        struct labels l = labels_of_case(a, rows[i].file);
        uint32_t      e = 0;
        while (e < l.bundle->count && !span_eq_text(l.bundle->entries[e].id, rows[i].id))
            e++;
        assert_true(e < l.bundle->count);
        wrong += !labels_are(&l, e, rows[i].codes, rows[i].part2, rows[i].file, __FILE__, __LINE__);
        assert_int_equal(l.labeling->of[e].counseling_note, strcmp(rows[i].id, "cnote") == 0);
        arena_free(&l.arena);
        arena_free(&a);
    }
    assert_int_equal(wrong, 0);
    (void)state;
}

/* Telephone and address of a program, numbers in groups, tags and profiles, devices (D.2). */
static void
test_whoever_looks_it_up_finds_the_program(void **state)
{
#define LOOKUP "'programs':[{'reference':'Organization/oak','phone':'(555) 010-0199','address':'12 Elm Street|02139'," \
               "'source':'https://otp.example.org/fhir','identifier':[{'system':'urn:oid:2.16.840.1.113883.4.4','value':'04-1234567'}]}]"
#define AT(location) R("Encounter", "'contained':[{'resourceType':'Location','id':'l'," location "}],'location':[{'location':{'reference':'#l'}}]")
    static const struct { const char *resource; enum part2_status part2; } cases[] = {
        { AT("'telecom':[{'system':'phone','value':'+1 555.010.0199'}]"), CONFIRMED },
        { AT("'telecom':[{'system':'phone','value':'555-010-0198'}]"), NOT },
        { AT("'telecom':[{'system':'phone','value':'010-0199'}]"), NOT },
        { AT("'address':{'line':['12 ELM STREET'],'postalCode':'02139-4301'}"), CONFIRMED },
        { AT("'address':{'line':['Suite 4','12 Elm  Street'],'postalCode':'02139'}"), CONFIRMED },
        { AT("'address':{'line':['12 Elm Street'],'postalCode':'02140'}"), NOT },
        { AT("'address':{'line':['12 Elm Street']}"), NOT },
        { AT("'address':{'line':['112 Elm Street'],'postalCode':'02139'}"), NOT },
        { R("Encounter", "'contained':[{'resourceType':'Organization','id':'o','address':[{'line':['12 Elm Street'],'postalCode':'02139'}]}],"
                         "'serviceProvider':{'reference':'#o'}"), CONFIRMED },
        { R("Encounter", "'serviceProvider':{'identifier':{'system':'urn:oid:2.16.840.1.113883.4.4','value':'041234567'}}"), CONFIRMED },
        { R("Encounter", "'serviceProvider':{'identifier':{'system':'urn:oid:2.16.840.1.113883.4.4','value':'04 123 4567'}}"), CONFIRMED },
        { R("Encounter", "'serviceProvider':{'identifier':{'system':'urn:oid:2.16.840.1.113883.4.4','value':'041234568'}}"), NOT },
        { R("Observation", "'meta':{'tag':[{'system':'https://otp.example.org/fhir/tags','code':'1'}]}"), CONFIRMED },
        { R("Observation", "'meta':{'profile':['https://otp.example.org/fhir/StructureDefinition/dose']}"), CONFIRMED },
        { R("Observation", "'meta':{'profile':['https://other.example.org/fhir/StructureDefinition/dose']}"), NOT },
        { R("Observation", "'contained':[{'resourceType':'Device','id':'d','owner':" BY "}],'device':{'reference':'#d'}"), CONFIRMED },
        { R("Observation", "'contained':[{'resourceType':'Device','id':'d','owner':{'reference':'Organization/elm'}}],'device':{'reference':'#d'}"), NOT },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct labels l = labels_of(LOOKUP, cases[i].resource);
        if (l.labeling->of[0].part2 != cases[i].part2)
            fail_msg("%s: %s", cases[i].resource, part2_text(l.labeling->of[0].part2));
        labels_end(&l);
    }
    (void)state;
}

/* A copy that came with the notice was disclosed by a program (D.1). */
static void
test_what_came_with_the_notice_is_a_copy_of_a_programs_record(void **state)
{
#define NOTICED(text) "'meta':{'extension':[{'url':'urn:x','valueAnnotation':{'text':'" text "'}}]},"
#define NEW_WORDS "42 CFR part 2 prohibits unauthorized use or disclosure of these records."
#define OLD_WORDS "This information has been disclosed to you from records protected by federal confidentiality rules (42 CFR part 2)."
#define COPY(meta) "{'resourceType':'Bundle'," meta "'type':'collection','entry':["                                       \
                   ENTRY("Patient/p", "{'resourceType':'Patient','id':'p'}") "," ENTRY("Observation/a", "{'resourceType':'Observation','id':'a'}") "]}"
    static const struct { const char *request, *bundle; enum part2_status record; } cases[] = {
        { "", COPY(NOTICED(NEW_WORDS)), SUSPECT },
        { NOT_PROGRAM, COPY(NOTICED(OLD_WORDS)), SUSPECT },
        { "'trustLabels':true", COPY(NOTICED(NEW_WORDS)), CONFIRMED },
        { "", COPY(NOTICED("Parking is prohibited; see 42 CFR part 3 for whatever reason there may be")), NOT },
        { "", COPY(""), NOT },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct labels l = labels_of(cases[i].request, cases[i].bundle);
        if (l.labeling->of[1].part2 != cases[i].record || l.labeling->of[0].part2 != NOT)
            fail_msg("case %zu: %s", i, part2_text(l.labeling->of[1].part2));
        labels_end(&l);
    }
    /* Where a record says so of itself, the Bundle's notice is of that one. */
    struct labels l = labels_of("", "{'resourceType':'Bundle'," NOTICED(NEW_WORDS) "'type':'collection','entry':["
        ENTRY("Observation/a", "{'resourceType':'Observation','id':'a','meta':{'security':[{'code':'42CFRPart2'}]}}") ","
        ENTRY("Observation/b", "{'resourceType':'Observation','id':'b'}") "]}");
    assert_int_equal(l.labeling->of[0].part2, SUSPECT);
    assert_int_equal(l.labeling->of[1].part2, NOT);
    labels_end(&l);
    (void)state;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whoever_looks_it_up_finds_the_program),
        cmocka_unit_test(test_what_came_with_the_notice_is_a_copy_of_a_programs_record),
        cmocka_unit_test(test_every_source_element_of_every_resource),
        cmocka_unit_test(test_every_form_in_which_a_program_may_be_named),
        cmocka_unit_test(test_the_program_and_what_belongs_to_it),
        cmocka_unit_test(test_what_belongs_to_two_programs_is_of_both),
        cmocka_unit_test(test_a_program_by_the_number_or_the_address_of_its_own_resource),
        cmocka_unit_test(test_an_address_is_the_same_however_it_is_written),
        cmocka_unit_test(test_the_patient_is_nobodys_record),
        cmocka_unit_test(test_provenance_speaks_for_its_targets),
        cmocka_unit_test(test_what_hangs_on_a_protected_record_is_protected_four_steps_down),
        cmocka_unit_test(test_each_link_and_its_direction),
        cmocka_unit_test(test_a_record_that_is_elsewhere_on_the_programs_server),
        cmocka_unit_test(test_a_believed_label_confirms_and_hands_on),
        cmocka_unit_test(test_a_part_2_consent_names_a_program),
        cmocka_unit_test(test_a_facility_that_says_it_treats_substance_use),
        cmocka_unit_test(test_content_is_shared_where_meaning_depends_on_it),
        cmocka_unit_test(test_a_context_tells_with_an_indication_or_a_source),
        cmocka_unit_test(test_a_bundle_without_resources_and_references_to_nowhere),
        cmocka_unit_test(test_labels_of_the_shared_cases),
    };
    return cmocka_run_group_tests_name("labeling_source", tests, NULL, NULL);
}
