#include "tests/fhir/fhir_check.h"

#include "base/buf.h"

/* Rules that look at more than one value: references, contained resources,
 * ids, entries of Bundles; and datatypes with rules of their own.  Through
 * validate(), with the definitions of the build. */
#define P            "{\"resourceType\":\"Patient\""
#define O(more)      "{\"resourceType\":\"Observation\",\"status\":\"final\",\"code\":{\"text\":\"x\"}" more "}"
#define REF(text)    "{\"reference\":\"" text "\"}"
#define B(type, all) "{\"resourceType\":\"Bundle\",\"type\":\"" type "\"" all "}"
#define E(url, res)  "{\"fullUrl\":\"" url "\",\"resource\":" res "}"
#define U(n)         "urn:uuid:00000000-0000-4000-8000-00000000000" n
#define DOC          ",\"identifier\":{\"system\":\"urn:s\",\"value\":\"v\"},\"timestamp\":\"2020-01-01T00:00:00Z\""
#define COMP(more)   "{\"resourceType\":\"Composition\",\"status\":\"final\",\"type\":{\"text\":\"x\"},\"date\":\"2020\"," \
                     "\"author\":[{\"display\":\"x\"}],\"title\":\"x\"" more "}"
#define HEAD(more)   "{\"resourceType\":\"MessageHeader\",\"eventUri\":\"u\",\"source\":{\"endpoint\":\"e\"}" more "}"
#define HTML(text)   "\"text\":{\"status\":\"generated\",\"div\":\"<div xmlns=\\\"http://www.w3.org/1999/xhtml\\\">" text "</div>\"}"

/* What value sets say is another test's. */
static const struct issue *
first_of(const struct issues *issues)
{
    for (uint32_t i = 0; i < issues_count(issues); i++)
        if (strcmp(issues_at(issues, i)->rule, "binding") != 0)
            return issues_at(issues, i);
    return NULL;
}

/* The first finding; a rule that begins with '?' is a warning; NULL: none. */
struct row { const char *json, *rule, *expression; };

static void
check_rows(const struct row *rows, size_t count)
{
    test_needs_pack();
    for (size_t i = 0; i < count; i++) {
        struct arena       *arena  = test_arena();
        const struct issue *one    = first_of(test_findings(arena, span_of(rows[i].json), NULL));
        bool                warned = rows[i].rule != NULL && rows[i].rule[0] == '?';
        if ((one != NULL) != (rows[i].rule != NULL))
            fail_msg("%s: %s %.*s", rows[i].json, one != NULL ? one->rule : "nothing",
                     SPAN_PRINT(one != NULL ? one->expression : SPAN("")));
        if (one != NULL && (strcmp(one->rule, rows[i].rule + warned) != 0
                            || one->severity != (warned ? SEVERITY_WARNING : SEVERITY_ERROR)))
            fail_msg("%s: %s", rows[i].json, one->rule);
        if (one != NULL)
            assert_text(one->expression, rows[i].expression);
        arena_free(&arena);
    }
}

#define CHECK(rows) check_rows(rows, sizeof rows / sizeof rows[0])

static void
test_contained_resources_hang_together(void **state)
{
    static const struct row rows[] = {
        { P ",\"contained\":[" P ",\"id\":\"a\"}],\"link\":[{\"other\":" REF("#a") ",\"type\":\"refer\"}]}", NULL, NULL },
        { P ",\"contained\":[" P ",\"id\":\"a\"}]}", "dom-3", "Patient.contained[0]" },
        { P ",\"contained\":[" P ",\"id\":\"a\",\"link\":[{\"other\":" REF("#") ",\"type\":\"refer\"}]}]}", NULL, NULL },
        { P ",\"contained\":[{\"resourceType\":\"Binary\",\"id\":\"a\",\"contentType\":\"image/png\"}],"
          HTML("<img src='#a' alt='x'/>") "}", NULL, NULL },
        { P ",\"contained\":[{\"resourceType\":\"Basic\",\"id\":\"a\",\"code\":{\"text\":\"x\"}}],\"extension\":[{\"url\":\"http://hl7.org/fhir/5.0/StructureDefinition/extension-u\",\"valueUri\":\"#a\"}]}",
          NULL, NULL },
        { "{\"resourceType\":\"Basic\",\"code\":{\"text\":\"x\"},\"identifier\":[{\"id\":\"i\",\"value\":\"x\"}],"
          "\"extension\":[{\"url\":\"http://hl7.org/fhir/5.0/StructureDefinition/extension-u\",\"valueUri\":\"#i\"}]}", NULL, NULL },
        { "{\"resourceType\":\"Basic\",\"code\":{\"text\":\"x\"},"
          "\"extension\":[{\"url\":\"http://hl7.org/fhir/5.0/StructureDefinition/extension-u\",\"valueUri\":\"#j\"}]}",
          "uri-fragment", "Basic.extension[0].valueUri" },
        { "{\"resourceType\":\"Basic\",\"code\":{\"text\":\"x\"},"
          "\"extension\":[{\"url\":\"http://hl7.org/fhir/5.0/StructureDefinition/extension-u\",\"valueCanonical\":\"#j\"}]}",
          "?uri-fragment", "Basic.extension[0].valueCanonical" },
        { P ",\"contained\":[" P "}]}", "contained-id", "Patient.contained[0]" },
        { P ",\"contained\":[" P ",\"id\":\"a\"}," P ",\"id\":\"a\"}],\"link\":[{\"other\":" REF("#a") ",\"type\":\"refer\"}]}",
          "dom-3", "Patient.contained[1]" },
        { P ",\"link\":[{\"other\":" REF("#b") ",\"type\":\"refer\"}]}", "ref-1", "Patient.link[0].other" },
        { P ",\"link\":[{\"other\":" REF("#") ",\"type\":\"refer\"}]}", "ref-1", "Patient.link[0].other" },
        { P ",\"contained\":[" P ",\"id\":\"a\",\"meta\":{\"versionId\":\"1\"}}],\"link\":[{\"other\":" REF("#a") ",\"type\":\"refer\"}]}",
          "dom-4", "Patient.contained[0].meta" },
        { P ",\"contained\":[" P ",\"id\":\"a\",\"meta\":{\"security\":[{\"display\":\"x\"}]}}],\"link\":[{\"other\":" REF("#a") ",\"type\":\"refer\"}]}",
          "dom-5", "Patient.contained[0].meta" },
        /* not across an entry: each looks into its own resource */
        { B("collection", ",\"entry\":[" E(U("1"), P ",\"contained\":[" P ",\"id\":\"a\"}],\"link\":[{\"other\":" REF("#a") ",\"type\":\"refer\"}]}")
          "," E(U("2"), P ",\"link\":[{\"other\":" REF("#a") ",\"type\":\"refer\"}]}") "]"), "ref-1", "Bundle.entry[1].resource.link[0].other" },
        /* a reference behind the contained ones, and one of a contained one to another */
        { O(",\"contained\":[" P ",\"id\":\"a\",\"managingOrganization\":" REF("#b") "},{\"resourceType\":\"Organization\",\"id\":\"b\",\"name\":\"x\"}],"
            "\"subject\":" REF("#a")), NULL, NULL },
    };

    (void)state;
    CHECK(rows);
}

static void
test_references_name_what_may_stand_there(void **state)
{
    static const struct row rows[] = {
        { O(",\"subject\":" REF("Patient/1")), NULL, NULL },
        { O(",\"subject\":" REF("http://a.org/fhir/Patient/1/_history/2")), NULL, NULL },
        { O(",\"subject\":" REF("whatever")), NULL, NULL },
        { O(",\"subject\":" REF("Patient/ 1")), "reference-form", "Observation.subject" },
        { O(",\"subject\":" REF("Practitioner/1")), "?reference-target", "Observation.subject" },
        { O(",\"subject\":{\"reference\":\"Patient/1\",\"type\":\"Patient\"}"), NULL, NULL },
        { O(",\"subject\":{\"reference\":\"Patient/1\",\"type\":\"Group\"}"), "reference-type", "Observation.subject" },
        { O(",\"subject\":{\"reference\":\"x\",\"type\":\"patient\"}"), "reference-type", "Observation.subject" },
        { O(",\"contained\":[{\"resourceType\":\"Practitioner\",\"id\":\"a\"}],\"subject\":" REF("#a")), "reference-target", "Observation.subject" },
        { O(",\"contained\":[{\"resourceType\":\"Basic\",\"id\":\"a\",\"code\":{\"text\":\"x\"}}],\"focus\":[" REF("#a") "]"), NULL, NULL },
        { B("collection", ",\"entry\":[" E("http://a.org/Practitioner/1", "{\"resourceType\":\"Practitioner\",\"id\":\"1\"}") ","
            E(U("1"), O(",\"subject\":" REF("http://a.org/Practitioner/1"))) "]"), "reference-target", "Bundle.entry[1].resource.subject" },
        { B("collection", ",\"entry\":[" E("http://a.org/Practitioner/1", "{\"resourceType\":\"Practitioner\",\"id\":\"1\"}") ","
            E("http://a.org/Observation/2", "{\"resourceType\":\"Observation\",\"id\":\"2\",\"status\":\"final\",\"code\":{\"text\":\"x\"},\"subject\":"
              REF("Practitioner/1") "}") "]"), "reference-target", "Bundle.entry[1].resource.subject" },
    };

    (void)state;
    CHECK(rows);
}

static void
test_references_resolve_in_the_bundle_around(void **state)
{
    static const struct row rows[] = {
        { B("collection", ",\"entry\":[" E(U("1"), P "}") "," E(U("2"), O(",\"subject\":" REF(U("1")))) "]"), NULL, NULL },
        { B("collection", ",\"entry\":[" E(U("2"), O(",\"subject\":" REF(U("1")))) "]"), "?bundle-reference", "Bundle.entry[0].resource.subject" },
        { B("collection", ",\"entry\":[" E(U("2"), O(",\"subject\":" REF("Patient"))) "]"), "reference-form", "Bundle.entry[0].resource.subject" },
        { B("collection", ",\"entry\":[" E(U("2"), O(",\"subject\":" REF("Patient?identifier=a"))) "]"), "reference-form",
          "Bundle.entry[0].resource.subject" },
        { B("transaction", ",\"entry\":[{\"resource\":" O(",\"subject\":" REF("Patient?identifier=http://a.org|b"))
            ",\"request\":{\"method\":\"POST\",\"url\":\"Observation\"}}]"), NULL, NULL },
        { B("transaction", ",\"entry\":[{\"resource\":" O(",\"subject\":" REF("Patient?identifier"))
            ",\"request\":{\"method\":\"POST\",\"url\":\"Observation\"}}]"), "reference-form", "Bundle.entry[0].resource.subject" },
        /* by type and id, but not by fullUrl */
        { B("collection", ",\"entry\":[" E(U("1"), P ",\"id\":\"1\"}") "," E(U("2"), O(",\"subject\":" REF("Patient/1"))) "]"),
          "?bundle-reference", "Bundle.entry[1].resource.subject" },
        { B("transaction", ",\"entry\":[{\"resource\":" P ",\"id\":\"1\"},\"request\":{\"method\":\"PUT\",\"url\":\"Patient/1\"}},{\"resource\":"
            O(",\"subject\":" REF("Patient/1")) ",\"request\":{\"method\":\"POST\",\"url\":\"Observation\"}}]"), NULL, NULL },
        /* versions */
        { B("history", ",\"entry\":[" E("http://a.org/Patient/1", P ",\"id\":\"1\",\"meta\":{\"versionId\":\"1\"}}") "]"), "bdl-3", "Bundle.entry[0]" },
        { B("collection", ",\"entry\":[" E("http://a.org/Patient/1", P ",\"id\":\"1\",\"meta\":{\"versionId\":\"1\"}}") ","
            E("http://a.org/Patient/1", P ",\"id\":\"1\",\"meta\":{\"versionId\":\"2\"}}") ","
            E(U("2"), O(",\"subject\":" REF("http://a.org/Patient/1/_history/2"))) "]"), NULL, NULL },
        { B("collection", ",\"entry\":[" E("http://a.org/Patient/1", P ",\"id\":\"1\",\"meta\":{\"versionId\":\"1\"}}") ","
            E("http://a.org/Patient/1", P ",\"id\":\"1\",\"meta\":{\"versionId\":\"2\"}}") ","
            E(U("2"), O(",\"subject\":" REF("http://a.org/Patient/1"))) "]"), "bundle-reference", "Bundle.entry[2].resource.subject" },
        /* the nearest Bundle and no other */
        { B("collection", ",\"entry\":[" E(U("1"), P "}") "," E(U("2"), B("collection", ",\"entry\":[" E(U("3"), O(",\"subject\":" REF(U("1")))) "]")) "]"),
          "?bundle-reference", "Bundle.entry[1].resource.entry[0].resource.subject" },
    };

    (void)state;
    CHECK(rows);
}

static void
test_documents_and_messages_hold_what_they_are_about(void **state)
{
    static const struct row rows[] = {
        { B("document", DOC ",\"entry\":[" E(U("1"), COMP(",\"subject\":" REF(U("2")))) "," E(U("2"), P "}") "]"), NULL, NULL },
        { B("document", DOC ",\"entry\":[" E(U("1"), COMP(",\"subject\":" REF(U("2")))) "]"), "bundle-reference", "Bundle.entry[0].resource.subject" },
        { B("document", DOC ",\"entry\":[" E(U("1"), COMP(",\"section\":[{\"section\":[{\"entry\":[" REF("http://a.org/Patient/1") "]}]}]")) "]"),
          "bundle-reference", "Bundle.entry[0].resource.section[0].section[0].entry[0]" },
        { B("document", DOC ",\"entry\":[" E(U("1"), COMP(",\"attester\":[{\"mode\":\"legal\",\"party\":" REF("http://a.org/Patient/1") "}]")) "]"),
          "bundle-reference", "Bundle.entry[0].resource.attester[0].party" },
        { B("document", DOC ",\"entry\":[" E(U("1"), COMP(",\"section\":[{\"entry\":[" REF("http://a.org/ValueSet/1") "]}]")) "]"), NULL, NULL },
        { B("document", DOC ",\"entry\":[" E(U("1"), COMP(",\"relatesTo\":[{\"code\":\"appends\",\"targetReference\":" REF("http://a.org/Composition/1") "}]")) "]"),
          NULL, NULL },
        { B("document", DOC ",\"entry\":[" E(U("1"), COMP(",\"subject\":" REF(U("2")))) "," E(U("2"), P "}") "," E(U("3"), P "}") "]"),
          "linked", "Bundle.entry[2]" },
        /* reached through another; and by one that refers to it */
        { B("document", DOC ",\"entry\":[" E(U("1"), COMP(",\"subject\":" REF(U("2")))) ","
            E(U("2"), P ",\"managingOrganization\":" REF(U("3")) "}") "," E(U("3"), "{\"resourceType\":\"Organization\",\"name\":\"x\"}") "]"), NULL, NULL },
        { B("document", DOC ",\"entry\":[" E(U("1"), COMP(",\"subject\":" REF(U("2")))) "," E(U("2"), P "}") ","
            E(U("3"), O(",\"subject\":" REF(U("2")))) "]"), "?linked", "Bundle.entry[2]" },
        { B("document", DOC ",\"entry\":[" E(U("1"), COMP(",\"subject\":" REF(U("2")))) "," E(U("2"), P "}") "," E(U("3"),
            "{\"resourceType\":\"Provenance\",\"target\":[" REF(U("2")) "],\"recorded\":\"2020-01-01T00:00:00Z\",\"agent\":[{\"who\":{\"display\":\"x\"}}]}") "]"),
          NULL, NULL },
        { B("document", DOC ",\"entry\":[" E(U("1"), COMP(",\"subject\":" REF(U("2")))) "," E(U("2"), P ",\"photo\":[{\"url\":\"" U("3") "\"}]}") ","
            E(U("3"), "{\"resourceType\":\"Binary\",\"contentType\":\"image/png\"}") "]"), NULL, NULL },
        { B("document", DOC ",\"link\":[{\"relation\":\"stylesheet\",\"url\":\"Binary/c\"}],\"entry\":[" E(U("1"), COMP("")) ","
            E(U("3"), "{\"resourceType\":\"Binary\",\"id\":\"c\",\"contentType\":\"text/css\"}") "]"), NULL, NULL },
        { B("document", DOC ",\"link\":[{\"relation\":\"stylesheet\",\"url\":\"Binary/c\"}],\"entry\":[" E(U("1"), COMP("")) "]"),
          "bundle-link", "Bundle.link[0]" },
        { B("document", DOC ",\"entry\":[" E(U("1"), COMP(",\"subject\":" REF("Patient/1"))) "," E(U("2"), P ",\"id\":\"1\"}") "]"),
          "bundle-reference", "Bundle.entry[0].resource.subject" },
        { B("message", ",\"entry\":[" E(U("1"), HEAD(",\"focus\":[" REF(U("2")) "]")) "," E(U("2"), P "}") "]"), NULL, NULL },
        { B("message", ",\"entry\":[" E(U("1"), HEAD(",\"focus\":[" REF(U("2")) "]")) "]"), "bundle-reference", "Bundle.entry[0].resource.focus[0]" },
        { B("message", ",\"entry\":[" E(U("1"), HEAD("")) "," E(U("2"), P "}") "]"), "?linked", "Bundle.entry[1]" },
    };

    (void)state;
    CHECK(rows);
}

static void
test_entries_are_where_they_say(void **state)
{
    static const struct row rows[] = {
        { B("collection", ",\"entry\":[{\"resource\":" P "}}]"), "bundle-full-url", "Bundle.entry[0]" },
        { B("collection", ",\"entry\":[" E("Patient/1", P ",\"id\":\"1\"}") "]"), "bundle-full-url", "Bundle.entry[0].fullUrl" },
        { B("collection", ",\"entry\":[" E("http://a.org/Patient/1", P ",\"id\":\"2\"}") "]"), "bundle-full-url", "Bundle.entry[0].fullUrl" },
        { B("collection", ",\"entry\":[" E("http://a.org/Group/1", P ",\"id\":\"1\"}") "]"), "bundle-full-url", "Bundle.entry[0].fullUrl" },
        { B("collection", ",\"entry\":[" E("http://a.org/Patient/1", P "}") "]"), "bundle-full-url", "Bundle.entry[0].fullUrl" },
        { B("collection", ",\"entry\":[" E("http://a.org/some/thing", P ",\"id\":\"1\"}") "]"), NULL, NULL },
        { B("collection", ",\"entry\":[" E("http://a.org/my-codes", "{\"resourceType\":\"CodeSystem\",\"name\":\"C\",\"id\":\"c\",\"status\":\"draft\","
            "\"content\":\"complete\",\"url\":\"http://a.org/my-codes\"}") "]"), "bundle-full-url", "Bundle.entry[0].fullUrl" },
        { B("searchset", ",\"link\":[{\"relation\":\"self\",\"url\":\"Patient\"}],\"entry\":[{\"search\":{\"mode\":\"outcome\"},\"resource\":"
            "{\"resourceType\":\"OperationOutcome\",\"issue\":[{\"severity\":\"warning\",\"code\":\"value\"}]}}]"), NULL, NULL },
        { B("collection", ",\"link\":[{\"relation\":\"next\",\"url\":\"a\"}]"), "bundle-link", "Bundle.link[0]" },
        { B("searchset", ",\"link\":[{\"relation\":\"self\",\"url\":\"a\"},{\"relation\":\"self\",\"url\":\"a\"}]"), "bundle-link", "Bundle.link[1]" },
        { B("searchset", ",\"entry\":[{\"search\":{\"mode\":\"match\"}," "\"fullUrl\":\"http://a.org/Patient/1\",\"resource\":" P ",\"id\":\"1\"}}]"),
          "?bundle-search", "Bundle" },
        { B("searchset", ",\"link\":[{\"relation\":\"self\",\"url\":\"http://a.org/Patient?name=x\"}],\"entry\":[{\"search\":{\"mode\":\"match\"},"
            "\"fullUrl\":\"" U("1") "\",\"resource\":" P "}}]"), "bundle-search", "Bundle.entry[0].resource" },
        { B("searchset", ",\"link\":[{\"relation\":\"self\",\"url\":\"http://a.org?_type=Group,Patient\"}],\"entry\":[{\"search\":{\"mode\":\"match\"},"
            "\"fullUrl\":\"http://a.org/Patient/1\",\"resource\":" P ",\"id\":\"1\"}}]"), NULL, NULL },
        { B("searchset", ",\"link\":[{\"relation\":\"self\",\"url\":\"http://a.org/Group\"}],\"entry\":[{\"search\":{\"mode\":\"match\"},"
            "\"fullUrl\":\"http://a.org/Patient/1\",\"resource\":" P ",\"id\":\"1\"}}]"), "bundle-search", "Bundle.entry[0].resource" },
        { B("searchset", ",\"link\":[{\"relation\":\"self\",\"url\":\"Patient\"}],\"entry\":[{\"search\":{\"mode\":\"outcome\"},"
            "\"fullUrl\":\"http://a.org/Patient/1\",\"resource\":" P ",\"id\":\"1\"}}]"), "bundle-search", "Bundle.entry[0].resource" },
    };

    (void)state;
    CHECK(rows);
}

static void
test_ids_of_elements_are_unique(void **state)
{
    static const struct row rows[] = {
        { P ",\"name\":[{\"id\":\"a\",\"text\":\"x\"},{\"id\":\"b\",\"text\":\"x\"}]}", NULL, NULL },
        { P ",\"name\":[{\"id\":\"a\",\"text\":\"x\"},{\"id\":\"a\",\"text\":\"x\"}]}", "element-id", "Patient.name[1]" },
        { P ",\"id\":\"a\",\"name\":[{\"id\":\"a\",\"text\":\"x\"}]}", NULL, NULL },
        { P ",\"birthDate\":\"2020\",\"_birthDate\":{\"id\":\"a\"},\"name\":[{\"id\":\"a\",\"text\":\"x\"}]}", "element-id", "Patient.name[0]" },
        { P ",\"contained\":[" P ",\"id\":\"c\",\"name\":[{\"id\":\"a\",\"text\":\"x\"}],\"link\":[{\"other\":" REF("#") ",\"type\":\"refer\"}]}],"
          "\"name\":[{\"id\":\"a\",\"text\":\"x\"}]}", NULL, NULL },
        { B("collection", ",\"entry\":[" E(U("1"), P ",\"name\":[{\"id\":\"a\",\"text\":\"x\"}]}") "," E(U("2"), P ",\"name\":[{\"id\":\"a\",\"text\":\"x\"}]}") "]"),
          NULL, NULL },
        { "{\"resourceType\":\"StructureDefinition\",\"url\":\"http://a.org/x\",\"name\":\"X\",\"status\":\"draft\",\"kind\":\"resource\","
          "\"abstract\":false,\"type\":\"Basic\",\"derivation\":\"constraint\",\"baseDefinition\":\"http://hl7.org/fhir/StructureDefinition/Basic\","
          "\"differential\":{\"element\":[{\"id\":\"Basic\",\"path\":\"Basic\"}]},"
          "\"snapshot\":{\"element\":[{\"id\":\"Basic\",\"path\":\"Basic\",\"definition\":\"x\",\"min\":0,\"max\":\"*\",\"base\":{\"path\":\"Basic\",\"min\":0,\"max\":\"*\"}}]}}",
          NULL, NULL },
    };

    (void)state;
    CHECK(rows);
}

static void
test_datatypes_have_rules_of_their_own(void **state)
{
    static const struct row rows[] = {
        { P ",\"identifier\":[{\"system\":\"urn:oid:1.2.3.4\",\"value\":\"x\"}]}", NULL, NULL },
        { P ",\"identifier\":[{\"system\":\"mrn\",\"value\":\"x\"}]}", "identifier-system", "Patient.identifier[0]" },
        { P ",\"identifier\":[{\"system\":\"urn:ietf:rfc:3986\",\"value\":\"" U("1") "\"}]}", NULL, NULL },
        { P ",\"identifier\":[{\"system\":\"urn:ietf:rfc:3986\",\"value\":\"1.2.3\"}]}", "identifier-value", "Patient.identifier[0]" },
        { P ",\"maritalStatus\":{\"coding\":[{\"system\":\"http://a.org\",\"code\":\"x\"}]}}", NULL, NULL },
        { P ",\"maritalStatus\":{\"coding\":[{\"system\":\"mine\",\"code\":\"x\"}]}}", "coding-system", "Patient.maritalStatus.coding[0]" },
        { P ",\"maritalStatus\":{\"coding\":[{\"code\":\"x\"}]}}", "?coding-system", "Patient.maritalStatus.coding[0]" },
        { P ",\"maritalStatus\":{\"coding\":[{\"display\":\"x\"}]}}", NULL, NULL },
        { P ",\"photo\":[{\"contentType\":\"text/plain\",\"data\":\"YWJj\",\"size\":3}]}", NULL, NULL },
        { P ",\"photo\":[{\"contentType\":\"text/plain\",\"data\":\"YWI=\",\"size\":3}]}", "attachment-size", "Patient.photo[0]" },
        { P ",\"photo\":[{\"title\":\"x\"}]}", "?attachment-size", "Patient.photo[0]" },
        { P ",\"meta\":{\"security\":[{\"system\":\"http://a.org\",\"code\":\"R\"},{\"system\":\"http://a.org\",\"code\":\"V\"}]}}", NULL, NULL },
        { P ",\"meta\":{\"security\":[{\"system\":\"http://a.org\",\"code\":\"R\"},{\"system\":\"http://a.org\",\"code\":\"R\"}]}}",
          "security-unique", "Patient.meta.security[1]" },
        { P ",\"implicitRules\":\"urn:uuid:1\"}", "primitive", "Patient.implicitRules" },
        { P ",\"implicitRules\":\"" "urn:uuid:ABCDEF00-0000-4000-8000-000000000001" "\"}", NULL, NULL },
        { P ",\"implicitRules\":\"oid:1.2.3\"}", "primitive", "Patient.implicitRules" },
        { P ",\"implicitRules\":\"urn:oid:1.2.x\"}", "primitive", "Patient.implicitRules" },
        { P ",\"meta\":{\"profile\":[\"StructureDefinition/x\"]}}", "primitive", "Patient.meta.profile[0]" },
        { P ",\"meta\":{\"profile\":[\"http://a.org/x|1.0\"]}}", "?profile:unknown", "Patient.meta.profile[0]" },
    };

    (void)state;
    CHECK(rows);
}

/* What was seen in one place is seen in every one: ids, references and holes
 * count by where they stand. */
static void
test_repeated_bytes_do_not_hide_what_counts_by_place(void **state)
{
    struct arena *arena = test_arena();
    struct buf    json;

    (void)state;
    test_needs_pack();
    buf_init(&json, 1 << 20);
    buf_add_text(&json, "{\"resourceType\":\"Bundle\",\"type\":\"collection\",\"entry\":[");
    for (unsigned i = 0; i < 40; i++)
        buf_add_format(&json, "%s{\"fullUrl\":\"urn:uuid:00000000-0000-4000-8000-0000000000%02u\",\"resource\":%s}", i > 0 ? "," : "", i,
                       i == 20 ? "{\"resourceType\":\"Encounter\",\"status\":\"planned\",\"class\":{\"display\":\"x\"},\"participant\":[{\"individual\":{\"reference\":\"#p\"}}]}"
                               : "{\"resourceType\":\"Encounter\",\"status\":\"planned\",\"class\":{\"display\":\"x\"},\"contained\":[{\"resourceType\":\"Practitioner\",\"id\":\"p\"}],"
                                 "\"participant\":[{\"individual\":{\"reference\":\"#p\"}}]}");
    buf_add_text(&json, "]}");
    struct issues *issues = test_findings(arena, buf_span(&json), NULL);
    assert_int_equal(issues_count(issues), 1);
    assert_string_equal(issues_at(issues, 0)->rule, "ref-1");
    assert_text(issues_at(issues, 0)->expression, "Bundle.entry[20].resource.participant[0].individual");
    buf_release(&json);
    arena_free(&arena);
}

#define AT(base, id) "http://" base "/fhir/" id

/* The same relative text in Bundles of two servers: only one has the patient. */
static void
test_a_text_means_what_its_home_makes_of_it(void **state)
{
    static const struct row rows[] = {
        { B("collection", ",\"entry\":[" E(AT("a.org", "Patient/1"), P ",\"id\":\"1\"}") ","
            E(AT("a.org", "Observation/1"), O(",\"id\":\"1\",\"subject\":" REF("Patient/1"))) ","
            E(AT("a.org", "Observation/2"), O(",\"id\":\"2\",\"subject\":" REF("Patient/1"))) "]"), NULL, NULL },
        { B("collection", ",\"entry\":[" E(AT("a.org", "Patient/1"), P ",\"id\":\"1\"}") ","
            E(AT("a.org", "Observation/1"), O(",\"id\":\"1\",\"subject\":" REF("Patient/1"))) ","
            E(AT("b.org", "Observation/2"), O(",\"id\":\"2\",\"subject\":" REF("Patient/1"))) "]"),
          "?bundle-reference", "Bundle.entry[2].resource.subject" },
    };

    (void)state;
    CHECK(rows);
}

/* What is null is not there: an invariant does not hold because of its name. */
static void
test_a_null_is_not_there_for_invariants(void **state)
{
    struct arena  *arena  = test_arena();
    bool           broken = false;

    (void)state;
    test_needs_pack();
    struct issues *issues = test_findings(arena, span_of(O(",\"valueQuantity\":{\"value\":1,\"system\":null,\"code\":\"fL\"}")), NULL);
    for (uint32_t i = 0; i < issues_count(issues); i++)
        broken = broken || strcmp(issues_at(issues, i)->rule, "qty-3") == 0;
    assert_true(broken);
    arena_free(&arena);
}

/* A letter or its escape: the same text, the same findings. */
static void
test_escapes_hide_nothing(void **state)
{
    static const struct row rows[] = {
        { "{\"resourceType\":\"Observation\",\"status\":\"final\",\"code\":{\"text\":\"x\"},\"val\\u0075eString\":\"x\","
          "\"dataAbsentReason\":{\"text\":\"x\"}}", "obs-6", "Observation" },
        { "{\"resourceType\":\"Obs\\u0065rvation\",\"status\":\"final\",\"code\":{\"text\":\"x\"},\"valueString\":\"x\","
          "\"dataAbsentReason\":{\"text\":\"x\"}}", "obs-6", "Observation" },
        { P ",\"name\":[{\"p\\u0065riod\":{\"start\":\"2020\",\"end\":\"201\\u0039\"}}]}", "per-1", "Patient.name[0].period" },
        { P ",\"name\":[{\"period\":{\"start\":\"20\\u0031\\u0039\",\"end\":\"2020\"}}]}", NULL, NULL },
        { P ",\"birthD\\u0061te\":\"1980-02-30\"}", "primitive", "Patient.birthDate" },
        { O(",\"instantiatesUri\":\"x\",\"basedOn\":[" REF("\\u0023none") "]"), "unknown-element", "Observation.instantiatesUri" },
        { P ",\"contained\":[{\"resourceType\":\"Binary\",\"id\":\"pic\",\"contentType\":\"image\\/png\"}],"
          HTML("<img src=\\u0022\\u0023p\\u0069c\\u0022\\u002F>") "}", NULL, NULL },
        { P ",\"extension\":[{\"url\":\"http:\\/\\/a.example\",\"valueUri\":\"\\u0023none\"}]}", "uri-fragment",
          "Patient.extension[0].valueUri" },
    };

    (void)state;
    check_rows(rows, sizeof rows / sizeof rows[0]);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_escapes_hide_nothing),
        cmocka_unit_test(test_contained_resources_hang_together),
        cmocka_unit_test(test_references_name_what_may_stand_there),
        cmocka_unit_test(test_references_resolve_in_the_bundle_around),
        cmocka_unit_test(test_documents_and_messages_hold_what_they_are_about),
        cmocka_unit_test(test_entries_are_where_they_say),
        cmocka_unit_test(test_ids_of_elements_are_unique),
        cmocka_unit_test(test_datatypes_have_rules_of_their_own),
        cmocka_unit_test(test_repeated_bytes_do_not_hide_what_counts_by_place),
        cmocka_unit_test(test_a_text_means_what_its_home_makes_of_it),
        cmocka_unit_test(test_a_null_is_not_there_for_invariants),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
