/* tests/consent/test_policy.c -- which consents count, and what a provision speaks of. */
#include "tests/consent/world.h"

#define HEAD_WITH(status, scope, date, more)                                                                  \
    "{\"resourceType\":\"Consent\",\"id\":\"c1\",\"status\":\"" status "\",\"scope\":{\"coding\":[{\"code\":\"" scope "\"}]}," \
    "\"patient\":{\"reference\":\"Patient/p1\"}," date more "\"provision\":{\"type\":\"permit\"}}"
#define DATED "\"dateTime\":\"2024-01-01\","
#define PRIVACY "patient-privacy"

static const char *
why_unusable(const char *consent, struct world *w)
{
    static char request[8192];           /* the world borrows it */

    snprintf(request, sizeof request, REQUEST("%s"), consent);
    *w = world_read(request, BUNDLE(OPIOID));
    return consent_unusable(policy_consent(w->policy, 0), w->facts);
}

static void
test_only_an_active_privacy_consent_in_force_counts(void **state)
{
    static const struct { const char *consent, *words; } rows[] = {
        { HEAD_WITH("active", PRIVACY, DATED, ""), NULL },
        { HEAD_WITH("inactive", PRIVACY, DATED, ""), "inactive" },
        { HEAD_WITH("proposed", PRIVACY, DATED, ""), "not active" },                       /* CV-13 */
        { HEAD_WITH("entered-in-error", PRIVACY, DATED, ""), "not active" },
        { HEAD_WITH("rejected", PRIVACY, DATED, ""), "not active" },
        { HEAD_WITH("active", "research", DATED, ""), "scope" },
        { HEAD_WITH("active", PRIVACY, "\"dateTime\":\"2026-11-23\",", ""), "future" },    /* CV-02 */
        { HEAD_WITH("active", PRIVACY, "\"dateTime\":\"2026-11-22\",", ""), NULL },
        { HEAD_WITH("active", PRIVACY, DATED, "\"verification\":[{\"verified\":false}],"), NULL },
        { HEAD_WITH("active", PRIVACY, DATED, "\"extension\":[{\"url\":\"" CONSENT_EXTENSION "revoked\",\"valueDateTime\":\"2026-11-22T10:00:00Z\"}],"), "revoked" },   /* CV-16 */
        { HEAD_WITH("active", PRIVACY, DATED, "\"extension\":[{\"url\":\"" CONSENT_EXTENSION "revoked\",\"valueDateTime\":\"2026-11-22T16:00:00Z\"}],"), NULL },
        { HEAD_WITH("active", PRIVACY, DATED, "\"extension\":[{\"url\":\"" CONSENT_EXTENSION "expired\",\"valueDateTime\":\"2026-11-21\"}],"), "expiration event" },      /* CV-05 */
        { HEAD_WITH("active", PRIVACY, DATED, "\"extension\":[{\"url\":\"" CONSENT_EXTENSION "expired\",\"valueDateTime\":\"soon\"}],"), "expiration event" },
        { CONSENT("c1", "2024-01-01", "{\"type\":\"permit\",\"period\":{\"end\":\"2026-11-22\"}}"), NULL },                       /* CV-04 */
        { CONSENT("c1", "2024-01-01", "{\"type\":\"permit\",\"period\":{\"end\":\"2026-11\"}}"), NULL },
        { CONSENT("c1", "2024-01-01", "{\"type\":\"permit\",\"period\":{\"end\":\"2026-11-22T14:59:59Z\"}}"), "ended" },
        { CONSENT("c1", "2024-01-01", "{\"type\":\"permit\",\"period\":{\"start\":\"2026-11-23\"}}"), "begun" },                  /* CV-03 */
        { "{\"resourceType\":\"Consent\",\"status\":\"active\",\"scope\":{\"coding\":[{\"code\":\"" PRIVACY "\"}]}}", "whose" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct world w;
        const char  *why = why_unusable(rows[i].consent, &w);
        if ((why == NULL) != (rows[i].words == NULL) || (why != NULL && strstr(why, rows[i].words) == NULL))
            fail_msg("row %zu: %s", i, why != NULL ? why : "counts");
        world_decide(&w);
        assert_int_equal(w.decisions[0].verdict == VERDICT_PERMIT, why == NULL);
        world_end(&w);
    }
}

static void
test_a_consent_without_an_end_holds_for_years(void **state)
{
    (void)state;
    struct world w = world_read("{\"at\":\"2036-01-01T00:00:00Z\"," ORG_A ",\"purpose\":[\"TREAT\"],\"consents\":["
                                CONSENT("c1", "2026-01-01", "{\"type\":\"permit\"," TPO "}") "]}", BUNDLE(OPIOID));
    world_decide(&w);                                                                      /* CV-06 */
    assert_int_equal(w.decisions[0].verdict, VERDICT_PERMIT);
    assert_int_equal(policy_valid_until(w.policy, w.facts->at_ms), INT64_MAX);
    world_end(&w);
}

static void
test_the_statements_are_demanded_only_where_the_site_demands_them(void **state)
{
#define SAYS(name) "{\"url\":\"" CONSENT_EXTENSION name "\",\"valueBoolean\":true}"
#define ALL_STATEMENTS SAYS("statement-revocation") "," SAYS("statement-hipaa") "," SAYS("statement-redisclosure") "," SAYS("statement-refusal")
#define STATED(list) "{" CONSENT_HEAD("c1", "2024-01-01") ",\"extension\":[" list "],\"provision\":{\"type\":\"permit\"," TO("Organization/orgA") "," TPO "}}"
    static const struct { const char *consent; bool demanded, leaves; const char *words; } rows[] = {
        { CONSENT("c1", "2024-01-01", "{\"type\":\"permit\"," TPO "}"), false, true, NULL },
        { STATED(ALL_STATEMENTS "," SAYS("no-expiry")), true, true, NULL },
        { STATED(SAYS("statement-hipaa") "," SAYS("statement-redisclosure") "," SAYS("statement-refusal")), true, false, "2.31(a)(6)" },        /* CV-10 */
        { STATED(SAYS("statement-revocation") "," SAYS("statement-redisclosure") "," SAYS("statement-refusal")), true, false, "(4)(iii)" },      /* CV-09 */
        { STATED(SAYS("statement-revocation") "," SAYS("statement-hipaa") "," SAYS("statement-refusal")), true, false, "(10)(i)" },
        { STATED(SAYS("statement-revocation") "," SAYS("statement-hipaa") "," SAYS("statement-redisclosure")), true, false, "(10)(ii)" },        /* CV-08 */
        { STATED(ALL_STATEMENTS), true, false, "2.31(a)(7)" },                                                                                  /* CV-07 */
        { STATED("{\"url\":\"urn:other\",\"valueBoolean\":true}"), true, false, "2.31(a)(6)" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char request[8192];
        snprintf(request, sizeof request, "{" AT "," ORG_A ",\"purpose\":[\"TREAT\"],\"site\":{\"requireStatements\":%s},\"consents\":[%s]}",
                 rows[i].demanded ? "true" : "false", rows[i].consent);
        struct world w = world_read(request, BUNDLE(OPIOID));
        world_decide(&w);
        if ((w.decisions[0].verdict == VERDICT_PERMIT) != rows[i].leaves
            || (!rows[i].leaves && span_find(w.decisions[0].because, span_of(rows[i].words)) == SPAN_NOT_FOUND))
            fail_msg("row %zu: %.*s", i, SPAN_PRINT(w.decisions[0].because));
        world_end(&w);
    }
}

static void
test_the_base_decision_comes_from_the_root_or_the_policy_rule(void **state)
{
#define RULED(code, provision) "{" CONSENT_HEAD("c1", "2024-01-01") ",\"policyRule\":{\"coding\":[{\"system\":\"" ACT "\",\"code\":\"" code "\"}]}" provision "}"
    enum { LEAVES, STAYS, NOTHING };             /* of a Part 2 record, of one that is none */
    static const struct { const char *consent; int part2, other; } rows[] = {
        { RULED("OPTIN", ""), LEAVES, LEAVES },
        { RULED("OPTOUT", ""), STAYS, STAYS },
        { RULED("OPTOUTE", ""), STAYS, STAYS },
        { RULED("EMRGONLY", ""), STAYS, STAYS },
        { RULED("OPTINR", ""), STAYS, LEAVES },
        { RULED("OPTINR", ",\"provision\":{\"provision\":[{\"type\":\"deny\",\"securityLabel\":[" LABEL_ACT("PSY") "]}]}"), LEAVES, LEAVES },
        { RULED("IMPLIED", ""), STAYS, LEAVES },
        { RULED("OPTIN", ",\"provision\":{\"period\":{\"start\":\"2020\"},\"provision\":[{\"type\":\"deny\"," TO("Organization/orgB") "}]}"), LEAVES, LEAVES },
        { RULED("OPTIN", ",\"provision\":{\"provision\":[{\"type\":\"deny\"," TO("Organization/orgA") "}]}"), STAYS, STAYS },
        { RULED("OPTOUT", ",\"provision\":{\"provision\":[{\"type\":\"permit\"," TO("Organization/orgA") "}]}"), LEAVES, LEAVES },
        /* a typed root with criteria is an exception to the rule */
        { RULED("OPTIN", ",\"provision\":{\"type\":\"deny\"," TO("Organization/orgB") "}"), LEAVES, LEAVES },
        { RULED("OPTIN", ",\"provision\":{\"type\":\"deny\"," TO("Organization/orgA") "}"), STAYS, STAYS },
        { RULED("OPTIN", ",\"provision\":{\"type\":\"permit\"," TO("Organization/orgB") "}"), STAYS, LEAVES },
        { RULED("OPTOUT", ",\"provision\":{\"type\":\"permit\"," TO("Organization/orgA") "}"), LEAVES, LEAVES },
        { RULED("OPTOUT", ",\"provision\":{\"type\":\"permit\"," TO("Organization/orgB") "}"), STAYS, STAYS },
        /* they contradict each other */
        { RULED("OPTOUT", ",\"provision\":{\"type\":\"permit\"}"), STAYS, STAYS },
        { RULED("OPTIN", ",\"provision\":{\"type\":\"deny\"}"), STAYS, STAYS },
        /* V5: criteria at a root without type */
        { RULED("OPTIN", ",\"provision\":{" TO("Organization/orgA") "}"), STAYS, STAYS },
        { RULED("OPTIN", ",\"provision\":{" TO("Organization/orgB") "}"), STAYS, LEAVES },
        { RULED("OPTOUT", ",\"provision\":{" TO("Organization/orgA") "}"), STAYS, STAYS },
        { CONSENT("c1", "2024-01-01", "{" TO("Organization/orgA") "}"), STAYS, LEAVES },
        { CONSENT("c1", "2024-01-01", "{\"provision\":[{\"type\":\"permit\"," TO("Organization/orgA") "}]}"), LEAVES, LEAVES },
        { "{" CONSENT_HEAD("c1", "2024-01-01") "}", STAYS, LEAVES },
        /* the R5 form, and what is no provision, deny */
        { "{" CONSENT_HEAD("c1", "2024-01-01") ",\"decision\":\"permit\"}", STAYS, STAYS },
        { CONSENT("c1", "2024-01-01", "[{\"actor\":[]}]"), STAYS, STAYS },
        { CONSENT("c1", "2024-01-01", "{\"type\":\"permit\",\"provision\":{\"type\":\"deny\"}}"), STAYS, STAYS },
        { CONSENT("c1", "2024-01-01", "{\"type\":\"permit\",\"provision\":[7]}"), STAYS, STAYS },
        { CONSENT("c1", "2024-01-01", "{\"type\":\"perhaps\"}"), STAYS, STAYS },
        { CONSENT("c1", "2024-01-01", "{\"type\":\"permit\",\"period\":{\"end\":\"later\"}}"), STAYS, LEAVES },
        { CONSENT("c1", "2024-01-01", "{\"type\":\"permit\",\"expression\":\"x\"}"), STAYS, LEAVES },
        /* a period that ends before it begins is none: what is denied by it stays denied */
        { CONSENT("c1", "2024-01-01", "{\"type\":\"permit\",\"period\":{\"start\":\"2027\",\"end\":\"2026\"}}"), STAYS, LEAVES },
        { CONSENT("c1", "2024-01-01", "{\"type\":\"deny\",\"period\":{\"start\":\"2027\",\"end\":\"2026\"}}"), STAYS, STAYS },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char request[8192];
        snprintf(request, sizeof request, REQUEST("%s"), rows[i].consent);
        struct world w = world_read(request, BUNDLE(OPIOID "," GLUCOSE));
        world_decide(&w);
        if ((w.decisions[0].verdict == VERDICT_PERMIT) != (rows[i].part2 == LEAVES)
            || (w.decisions[1].verdict == VERDICT_PERMIT) != (rows[i].other == LEAVES))
            fail_msg("row %zu: %.*s | %.*s", i, SPAN_PRINT(w.decisions[0].because), SPAN_PRINT(w.decisions[1].because));
        world_end(&w);
    }
}

/* One criterion under "deny all, permit …" and under "permit all, deny …":
 * whether the Part 2 record leaves. */
static void
both_ways(const char *criterion, const char *head, const char *entries, bool permitted, bool denied)
{
    for (int deny = 0; deny < 2; deny++) {
        char request[16384], bundle[16384];
        snprintf(request, sizeof request,
                 "{" AT "," ACTORS ",%s,\"consents\":[" CONSENT("c1", "2024-01-01", "{\"type\":\"%s\",\"provision\":[{\"type\":\"%s\",%s}]}") "]}",
                 head, deny ? "permit" : "deny", deny ? "deny" : "permit", criterion);
        snprintf(bundle, sizeof bundle, BUNDLE("%s"), entries);
        struct world w = world_read(request, bundle);
        world_decide(&w);
        if ((w.decisions[0].verdict == VERDICT_PERMIT) != (deny ? !denied : permitted))
            fail_msg("%s %s: %.*s", deny ? "deny" : "permit", criterion, SPAN_PRINT(w.decisions[0].because));
        world_end(&w);
    }
}

#define FOR_A ORG_A ",\"purpose\":[\"TREAT\"]"
#define ACTOR(reference) "\"actor\":[{\"role\":{\"coding\":[{\"code\":\"IRCP\"}]},\"reference\":" reference "}]"

static void
test_tells_whom_an_actor_names(void **state)
{
    static const struct { const char *actor; bool permitted, denied; } rows[] = {
        { "{\"reference\":\"Organization/orgA\"}", true, true },
        { "{\"reference\":\"Organization/orgA/_history/3\"}", true, true },
        { "{\"reference\":\"https://ehr.example.org/fhir/Organization/orgA\"}", true, true },
        { "{\"reference\":\"Organization/orgB\"}", false, false },                                /* B01: resolves, is another */
        { "{\"reference\":\"Organization/gone\"}", false, true },                                 /* may be anybody */
        { "{\"reference\":\"Practitioner/gone\"}", false, false },                                /* an organization is no person */
        { "{\"reference\":\"RelatedPerson/gone\"}", false, false },
        { "{\"identifier\":" ID("1000000001") "}", true, true },
        { "{\"identifier\":{\"use\":\"official\",\"type\":{\"text\":\"NPI\"},\"system\":\"" NPI "\",\"value\":\"1000000001\"}}", true, true },
        { "{\"identifier\":" ID("1000000009") "}", false, false },
        { "{\"identifier\":{\"system\":\"urn:other\",\"value\":\"1000000001\"}}", false, true },
        { "{\"reference\":\"Organization/orgA\",\"identifier\":" ID("1000000009") "}", false, true },   /* contradicts itself */
        { "{\"display\":\"providers in my county\"}", false, true },                              /* RM-11 */
        { "{\"reference\":\"#nobody\"}", false, true },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char criterion[1024];
        snprintf(criterion, sizeof criterion, ACTOR("%s"), rows[i].actor);
        both_ways(criterion, FOR_A, OPIOID, rows[i].permitted, rows[i].denied);
    }
    /* A role that is no recipient's: what it means is not known. */
    both_ways("\"actor\":[{\"role\":{\"coding\":[{\"code\":\"WIT\"}]},\"reference\":{\"reference\":\"Organization/orgA\"}}]", FOR_A, OPIOID, false, true);
    both_ways("\"actor\":[]", FOR_A, OPIOID, false, true);
    both_ways("\"actor\":[{\"role\":{\"text\":\"x\"},\"reference\":{\"reference\":\"Organization/orgA\"}}]", FOR_A, OPIOID, true, true);
    /* A requester without a name may be anybody. */
    both_ways(ACTOR("{\"reference\":\"Organization/orgA\"}"), "\"actor\":{},\"purpose\":[\"TREAT\"]", OPIOID, false, true);
    both_ways(ACTOR("{\"reference\":\"Organization/orgA\"}"), "\"actor\":{\"identifier\":[" ID("1000000001") "]},\"purpose\":[\"TREAT\"]", OPIOID, true, true);
    both_ways(ACTOR("{\"reference\":\"Organization/orgA\"}"), "\"actor\":{\"identifier\":[" ID("1000000002") "]},\"purpose\":[\"TREAT\"]", OPIOID, false, false);
}

static void
test_a_person_answers_to_the_organization_and_the_groups_behind(void **state)
{
#define BOB(more) "\"actor\":{\"reference\":\"Practitioner/bob\"" more "},\"purpose\":[\"TREAT\"]"
    static const struct { const char *head, *reference; bool permitted, denied; } rows[] = {
        { BOB(""), "Practitioner/bob", true, true },
        { BOB(""), "Practitioner/gone", false, true },
        { BOB(""), "PractitionerRole/gone", false, true },
        { BOB(""), "RelatedPerson/gone", false, false },
        { BOB(""), "Organization/orgB", false, false },
        { BOB(",\"onBehalfOf\":\"Organization/orgB\""), "Organization/orgB", true, true },                 /* RM-01 */
        { BOB(",\"onBehalfOf\":\"Organization/orgB\""), "Organization/orgA", false, false },               /* RM-03, RM-04 */
        { BOB(",\"memberOf\":[\"Group/g\"]"), "Group/g", true, true },
        { BOB(",\"memberOf\":[\"Group/h\"]"), "Group/g", false, true },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char criterion[512];
        snprintf(criterion, sizeof criterion, TO("%s"), rows[i].reference);
        both_ways(criterion, rows[i].head, OPIOID, rows[i].permitted, rows[i].denied);
    }
    struct world w = world_read(
        "{" AT ",\"actor\":{\"reference\":\"Practitioner/bob\"},\"purpose\":[\"TREAT\"],\"actors\":{\"Group/g\":{\"resourceType\":\"Group\","
        "\"member\":[{\"entity\":{\"reference\":\"Practitioner/bob\"}}]},\"CareTeam/t\":{\"resourceType\":\"CareTeam\",\"participant\":[{\"member\":{\"reference\":\"Practitioner/eve\"}}]}},"
        "\"consents\":[" CONSENT("c1", "2024-01-01", "{\"type\":\"deny\",\"provision\":[{\"type\":\"permit\"," TO("Group/g") "}]}") "]}", BUNDLE(OPIOID));
    world_decide(&w);
    assert_int_equal(w.decisions[0].verdict, VERDICT_PERMIT);
    world_end(&w);
}

static void
test_a_contained_actor_is_known_by_its_identifier(void **state)
{
    static const struct { const char *npi; bool leaves; } rows[] = { { "1000000001", true }, { "1000000002", false } };
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        char request[4096];
        snprintf(request, sizeof request, REQUEST("{" CONSENT_HEAD("c1", "2024-01-01")
                 ",\"contained\":[{\"resourceType\":\"Organization\",\"id\":\"org\",\"identifier\":[" ID("%s") "]}],"
                 "\"provision\":{\"type\":\"permit\",\"actor\":[{\"reference\":{\"reference\":\"#org\"}}]}}"), rows[i].npi);
        struct world w = world_read(request, BUNDLE(OPIOID));
        world_decide(&w);
        assert_int_equal(w.decisions[0].verdict == VERDICT_PERMIT, rows[i].leaves);
        world_end(&w);
    }
}

#define LABELLED(codes) ENTRY("{\"resourceType\":\"Condition\",\"id\":\"x\",\"meta\":{\"security\":[" codes "]}," OF_P1 "}")
#define LOCAL(code) "{\"system\":\"https://example.org/labels\",\"code\":\"" code "\"}"

static void
test_labels_match_through_hierarchy_aliases_and_order(void **state)
{
#define LABELS(list) "\"securityLabel\":[" list "]"
    static const struct { const char *criterion, *entry; bool permitted, denied; } rows[] = {
        { LABELS(LABEL_ACT("SUD")), LABELLED(LABEL_ACT("SUD")), true, true },
        { LABELS(LABEL_ACT("ETH")), LABELLED(LABEL_ACT("OPIOIDUD")), true, true },
        { LABELS(LABEL_ACT("SUD")), LABELLED(LABEL_ACT("ETH")), true, true },
        { LABELS(LABEL_ACT("BH")), LABELLED(LABEL_ACT("PSY")), true, true },
        { LABELS(LABEL_ACT("PSY")), LABELLED(LABEL_ACT("SUD")), false, false },
        { LABELS(LABEL_ACT("PSY")), LABELLED(LABEL_ACT("SUD") "," LABEL_ACT("PSY")), false, true },
        { LABELS(LABEL_ACT("PSY") "," LABEL_ACT("SUD")), LABELLED(LABEL_ACT("SUD") "," LABEL_ACT("PSY")), true, true },
        { LABELS("{\"system\":\"http://terminology.hl7.org/ValueSet/v3-InformationSensitivityPolicy\",\"code\":\"SUD\"}"), LABELLED(LABEL_ACT("SUD")), true, true },
        { LABELS(LABEL_CONF("R")), LABELLED(LABEL_ACT("SUD") "," LABEL_CONF("V")), false, true },
        { LABELS(LABEL_CONF("V")), LABELLED(LABEL_ACT("SUD") "," LABEL_CONF("R")), true, false },
        { LABELS(LABEL_CONF("N")), LABELLED(LABEL_ACT("HIV") "," LABEL_CONF("R")), false, true },
        { LABELS(LABEL_CONF("N")), LABELLED(LABEL_ACT("HIV")), false, true },                       /* sensitive and unrated is R */
        { LABELS(LABEL_CONF("N")), LABELLED(LABEL_ACT("SUD") "," LABEL_CONF("N")), false, true },   /* a Part 2 record is R at least */
        { LABELS(LABEL_CONF("N")), LABELLED(LABEL_CONF("N")), true, true },
        { LABELS(LABEL_CONF("R")), LABELLED(LABEL_CONF("N")), true, false },
        { LABELS(LABEL_ACT("SUD")), LABELLED(LABEL_CONF("N")), false, false },
        { LABELS(LABEL_ACT("SUD") "," LABEL_CONF("N")), LABELLED(LABEL_CONF("N")), true, true },
        { LABELS(LABEL_ACT("SUD") "," LABEL_CONF("N")), LABELLED(LABEL_ACT("SUD") "," LABEL_CONF("R")), true, true },
        { LABELS(LABEL_ACT("PSY") "," LABEL_CONF("R")), LABELLED(LABEL_ACT("SUD") "," LABEL_CONF("R")), false, true },
        { LABELS(LABEL_ACT("42CFRPart2")) "," TO("Organization/orgA"), LABELLED(LABEL_ACT("42CFRPart2")), true, true },
        { LABELS(LABEL_ACT("42CFRPart2")), LABELLED(LABEL_ACT("SUD")), true, false },               /* suspected, not confirmed */
        { LABELS(LOCAL("PERSONALITY")), LABELLED(LABEL_ACT("PSY") "," LOCAL("PERSONALITY")), false, true },
        { LABELS(LABEL_ACT("PSY")), LABELLED(LABEL_ACT("PSY") "," LOCAL("PERSONALITY")), false, true },
        { LABELS(LABEL_ACT("PSY") "," LOCAL("PERSONALITY")), LABELLED(LABEL_ACT("PSY") "," LOCAL("PERSONALITY")), true, true },
        { LABELS(LABEL_ACT("PSY")), LABELLED(LABEL_ACT("PSY") "," FOR("HTEST")), true, true },
        { LABELS("7"), LABELLED(LABEL_ACT("PSY")), false, true },
        { "\"securityLabel\":{}", LABELLED(LABEL_ACT("PSY")), false, true },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        both_ways(rows[i].criterion, FOR_A, rows[i].entry, rows[i].permitted, rows[i].denied);
}

static void
test_a_record_of_a_program_tells_of_substance_use_whatever_its_codes(void **state)
{
    static const struct { const char *consent; bool leaves; } rows[] = {
        { CONSENT("c1", "2024-01-01", "{\"type\":\"permit\",\"provision\":[{\"type\":\"deny\",\"securityLabel\":[" LABEL_ACT("SUD") "]}]}"), false },
        { CONSENT("c1", "2024-01-01", "{\"type\":\"permit\",\"securityLabel\":[" LABEL_ACT("PSY") "]}"), false },
        { CONSENT("c1", "2024-01-01", "{\"type\":\"permit\"," TO("Organization/orgA") ",\"securityLabel\":[" LABEL_ACT("SUD") "]}"), true },
        { CONSENT("c1", "2024-01-01", "{\"type\":\"permit\"," TO("Organization/orgA") ",\"securityLabel\":[" LABEL_ACT("42CFRPart2") "]}"), true },
        { CONSENT("c1", "2024-01-01", "{\"type\":\"permit\",\"securityLabel\":[" LABEL_CONF("N") "]}"), false },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {                              /* SG-09 */
        char request[4096];
        snprintf(request, sizeof request, REQUEST("%s"), rows[i].consent);
        struct world w = world_read(request, BUNDLE(GLUCOSE));
        w.labels[0].part2 = PART2_CONFIRMED;
        world_decide(&w);
        if ((w.decisions[0].verdict == VERDICT_PERMIT) != rows[i].leaves)
            fail_msg("row %zu: %.*s", i, SPAN_PRINT(w.decisions[0].because));
        world_end(&w);
    }
}

#define DOCUMENT                                                                                              \
    ENTRY("{\"resourceType\":\"DocumentReference\",\"id\":\"d\",\"meta\":{\"profile\":[\"https://example.org/note|2.0\"],\"security\":[" LABEL_ACT("SUD") "]}," \
          OF_P1 ",\"type\":{\"coding\":[{\"system\":\"http://loinc.org\",\"code\":\"34133-9\"}]},\"content\":[{\"attachment\":{\"contentType\":\"application/pdf\"}}]}")

static void
test_a_class_is_a_type_a_profile_a_format_or_a_document_type(void **state)
{
#define CLASS(system, code) "\"class\":[{\"system\":\"" system "\",\"code\":\"" code "\"}]"
    static const struct { const char *criterion; bool permitted, denied; } rows[] = {
        { CLASS("http://hl7.org/fhir/resource-types", "DocumentReference"), true, true },
        { CLASS("http://hl7.org/fhir/resource-types", "Condition"), false, false },
        { "\"class\":[{\"code\":\"DocumentReference\"}]", true, true },
        { CLASS("urn:ietf:rfc:3986", "https://example.org/note"), true, true },
        { CLASS("urn:ietf:rfc:3986", "https://example.org/letter"), false, false },
        { CLASS("urn:ietf:bcp:13", "application/pdf"), true, true },
        { CLASS("urn:ietf:bcp:13", "text/plain"), false, false },
        { CLASS("http://loinc.org", "34133-9"), true, true },
        { CLASS("http://loinc.org", "11506-3"), false, false },
        { CLASS("https://example.org/classes", "NOTES"), false, true },                    /* nobody can say */
        { "\"class\":{}", false, true },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        both_ways(rows[i].criterion, FOR_A, DOCUMENT, rows[i].permitted, rows[i].denied);
}

static void
test_a_code_is_found_in_any_spelling_and_through_the_medication(void **state)
{
#define CODE(system, code) "\"code\":[{\"coding\":[{\"system\":\"" system "\",\"code\":\"" code "\"}]}]"
#define ORDER_OF(medication) \
    ENTRY("{\"resourceType\":\"MedicationRequest\",\"id\":\"r\",\"meta\":{\"security\":[" LABEL_ACT("SUD") "]}," OF_P1 "," medication "}")
    static const struct { const char *criterion, *entry; bool permitted, denied; } rows[] = {
        { CODE("http://hl7.org/fhir/sid/icd-10-cm", "F11.20"), OPIOID, true, true },
        { CODE("urn:oid:2.16.840.1.113883.6.90", "F1120"), OPIOID, true, true },
        { CODE("http://hl7.org/fhir/sid/icd-10-cm", "F11"), OPIOID, true, true },
        { CODE("http://hl7.org/fhir/sid/icd-10-cm", "F10"), OPIOID, false, false },
        { CODE("http://snomed.info/sct", "F11.20"), OPIOID, false, false },
        { CODE("http://terminology.hl7.org/CodeSystem/v3-ActCode", "SUD"), OPIOID, false, false },     /* labels are not content */
        { CODE("https://example.org/codes", "A1"), ORDER_OF("\"reasonCode\":[{\"coding\":[{\"system\":\"https://example.org/codes\",\"code\":\"A1\"}]}]"), true, true },
        { CODE("http://www.nlm.nih.gov/research/umls/rxnorm", "1010600"),
          ORDER_OF("\"contained\":[{\"resourceType\":\"Medication\",\"id\":\"m\",\"code\":{\"coding\":[{\"system\":\"http://www.nlm.nih.gov/research/umls/rxnorm\",\"code\":\"1010600\"}]}}],\"medicationReference\":{\"reference\":\"#m\"}"), true, true },
        { CODE("http://www.nlm.nih.gov/research/umls/rxnorm", "1010600"),
          ORDER_OF("\"medicationReference\":{\"reference\":\"Medication/m\"}") "," ENTRY("{\"resourceType\":\"Medication\",\"id\":\"m\",\"code\":{\"coding\":[{\"system\":\"http://www.nlm.nih.gov/research/umls/rxnorm\",\"code\":\"1010600\"}]}}"), true, true },
        { "\"code\":[{\"text\":\"opioid dependence\"}]", ORDER_OF("\"reasonCode\":[{\"text\":\" Opioid Dependence\"}]"), true, true },
        { "\"code\":[{\"text\":\"opioid dependence\"}]", ORDER_OF("\"reasonCode\":[{\"text\":\"pain\"}]"), false, true },
        { "\"code\":[{}]", OPIOID, false, true },
        { "\"code\":{}", OPIOID, false, true },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        both_ways(rows[i].criterion, FOR_A, rows[i].entry, rows[i].permitted, rows[i].denied);
}

#define WHEN(type, date) ENTRY("{\"resourceType\":\"" type "\",\"id\":\"x\",\"meta\":{\"security\":[" LABEL_ACT("SUD") "]}," OF_P1 "," date "}")

static void
test_a_data_period_looks_at_the_clinical_date(void **state)
{
    static const char y2022[] = "\"dataPeriod\":{\"start\":\"2022-01-01\",\"end\":\"2022-12-31\"}";
    static const struct { const char *entry; bool permitted, denied; } rows[] = {
        { WHEN("Observation", "\"effectiveDateTime\":\"2022-06-01\""), true, true },
        { WHEN("Observation", "\"effectiveDateTime\":\"2024\""), false, false },
        { WHEN("Observation", "\"effectiveDateTime\":\"2022-12-31T23:59:00Z\""), true, true },
        { WHEN("Encounter", "\"period\":{\"start\":\"2022-03-01\",\"end\":\"2022-03-09\"}"), true, true },
        { WHEN("Encounter", "\"period\":{\"start\":\"2022-03-01\"}"), false, true },               /* goes on */
        { WHEN("Encounter", "\"period\":{\"start\":\"2021-12-01\",\"end\":\"2022-01-09\"}"), false, true },
        { WHEN("Condition", "\"onsetDateTime\":\"2010\",\"recordedDate\":\"2022-02-02\""), false, true },
        { WHEN("Condition", "\"recordedDate\":\"2022-02-02\""), true, true },
        { WHEN("MedicationRequest", "\"authoredOn\":\"2022-02\""), true, true },
        { WHEN("Condition", "\"severity\":{\"text\":\"mild\"}"), false, true },                    /* no date */
        { WHEN("Encounter", "\"period\":{\"start\":\"2022-03-01\",\"end\":\"?\"}"), false, true },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        both_ways(y2022, FOR_A, rows[i].entry, rows[i].permitted, rows[i].denied);
    both_ways("\"dataPeriod\":{}", FOR_A, OPIOID, false, true);
    both_ways("\"dataPeriod\":{\"start\":\"2022\"}", FOR_A, OPIOID, true, true);
}

static void
test_data_rules_follow_references(void **state)
{
#define DATA(meaning, reference) "\"data\":[{\"meaning\":\"" meaning "\",\"reference\":{\"reference\":\"" reference "\"}}]"
#define SUD_ENTRY(type, id, more) ENTRY("{\"resourceType\":\"" type "\",\"id\":\"" id "\",\"meta\":{\"security\":[" LABEL_ACT("SUD") "]}," OF_P1 more "}")
#define VISIT "," ENTRY("{\"resourceType\":\"Encounter\",\"id\":\"e\"," OF_P1 ",\"diagnosis\":[{\"condition\":{\"reference\":\"Condition/x\"}}]}")
    static const struct { const char *criterion, *entries; bool permitted, denied; } rows[] = {
        { DATA("instance", "Condition/x"), SUD_ENTRY("Condition", "x", ""), true, true },
        { DATA("instance", "Condition/y"), SUD_ENTRY("Condition", "x", ""), false, false },
        { DATA("related", "Condition/x"), SUD_ENTRY("Condition", "x", ""), true, true },
        { DATA("related", "Encounter/e"), SUD_ENTRY("Condition", "x", "") VISIT, true, true },                  /* it refers to x */
        { DATA("related", "Encounter/e"), SUD_ENTRY("Observation", "o", ",\"encounter\":{\"reference\":\"Encounter/e\"}"), true, true },
        { DATA("related", "Encounter/e"), SUD_ENTRY("Observation", "o", "") VISIT, false, false },
        { DATA("related", "Encounter/e"), SUD_ENTRY("Observation", "o", ""), false, true },                     /* not here: who knows */
        { DATA("related", "Condition/y"), SUD_ENTRY("Observation", "o", ",\"focus\":[{\"reference\":\"Condition/y\"}]"), false, true },
        { DATA("dependents", "Encounter/e"), SUD_ENTRY("Observation", "o", ",\"encounter\":{\"reference\":\"Encounter/e\"}"), true, true },
        { DATA("dependents", "Encounter/e"), SUD_ENTRY("Condition", "x", "") VISIT, false, false },
        { DATA("authoredby", "Practitioner/bob"), SUD_ENTRY("Condition", "x", ",\"recorder\":{\"reference\":\"Practitioner/bob\"}"), true, true },
        { DATA("authoredby", "Practitioner/bob"), SUD_ENTRY("Condition", "x", ",\"recorder\":{\"reference\":\"Practitioner/eve\"}"), false, false },
        { DATA("authoredby", "Practitioner/bob"), SUD_ENTRY("Condition", "x", ""), false, true },               /* nobody says */
        { DATA("authoredby", "Practitioner/bob"), SUD_ENTRY("Condition", "x", "") "," ENTRY("{\"resourceType\":\"Provenance\",\"id\":\"v\",\"target\":[{\"reference\":\"Condition/x\"}],\"agent\":[{\"who\":{\"reference\":\"Practitioner/bob\"}}]}"), true, true },
        { "\"data\":[{\"meaning\":\"authoredby\",\"reference\":{\"identifier\":" ID("7") "}}]", SUD_ENTRY("Condition", "x", ",\"asserter\":{\"identifier\":" ID("7") "}"), true, true },
        { DATA("whatever", "Condition/x"), SUD_ENTRY("Condition", "x", ""), false, true },
        { DATA("whatever", "Condition/y"), SUD_ENTRY("Condition", "x", ""), false, true },
        { "\"data\":[{\"meaning\":\"instance\"}]", SUD_ENTRY("Condition", "x", ""), false, true },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        both_ways(rows[i].criterion, FOR_A, rows[i].entries, rows[i].permitted, rows[i].denied);
}

static void
test_an_action_says_whether_a_disclosure_is_meant(void **state)
{
#define ACTION(code) "\"action\":[{\"coding\":[{\"code\":\"" code "\"}]}]"
    static const struct { const char *criterion, *asked; bool permitted, denied; } rows[] = {
        { ACTION("access"), "", true, true },
        { ACTION("disclose"), "", true, true },
        { ACTION("disclose"), "access", true, true },
        { ACTION("access"), "disclose", false, true },
        { ACTION("collect"), "access", false, false },
        { ACTION("access"), "correct", false, true },
        { "\"action\":[{\"text\":\"look\"}]", "", false, true },
        { "\"action\":{}", "", false, true },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char head[512];
        snprintf(head, sizeof head, FOR_A ",\"action\":\"%s\"", rows[i].asked);
        both_ways(rows[i].criterion, head, OPIOID, rows[i].permitted, rows[i].denied);
    }
}

static void
test_a_purpose_in_another_system_is_not_known(void **state)
{
    (void)state;
    both_ways("\"purpose\":[{\"system\":\"https://example.org/why\",\"code\":\"TREAT\"}]", FOR_A, OPIOID, false, true);
    both_ways("\"purpose\":[{\"system\":\"urn:oid:2.16.840.1.113883.5.8\",\"code\":\"TREAT\"}]", FOR_A, OPIOID, true, true);
    both_ways("\"purpose\":[]", FOR_A, OPIOID, false, true);
}

static void
test_a_nested_period_holds_with_all_periods_above(void **state)
{
    (void)state;
    both_ways(TO("Organization/orgA") ",\"period\":{\"end\":\"2025-01-01\"}", FOR_A, OPIOID, false, false);
    both_ways(TO("Organization/orgA") ",\"period\":{\"end\":\"2027\"}", FOR_A, OPIOID, true, true);
    both_ways(TO("Organization/orgA") ",\"period\":{\"end\":\"?\"}", FOR_A, OPIOID, false, true);
    both_ways(TO("Organization/orgA") ",\"period\":{\"end\":\"2025\"},\"provision\":[{\"type\":\"permit\",\"period\":{\"end\":\"2030\"}}]",
              FOR_A, OPIOID, false, false);
}

static void
test_the_patient_goes_with_a_permit_that_is_limited_to_some_data(void **state)
{
    (void)state;
    struct world w = world_read(REQUEST(CONSENT("c1", "2024-01-01", "{\"type\":\"deny\",\"provision\":[{\"type\":\"permit\"," TO("Organization/orgA") ",\"securityLabel\":[" LABEL_ACT("SUD") "]}]}")),
                                BUNDLE(ENTRY("{\"resourceType\":\"Patient\",\"id\":\"p1\"}") "," OPIOID "," GLUCOSE));
    world_decide(&w);
    assert_int_equal(world_at(&w, "p1")->verdict, VERDICT_PERMIT);
    assert_int_equal(world_at(&w, "opioid")->verdict, VERDICT_PERMIT);
    assert_int_equal(world_at(&w, "glucose")->verdict, VERDICT_DENY);
    world_end(&w);
}

static void
test_what_carries_a_document_or_message_goes_with_it(void **state)
{
#define CARRIED(kind, type) "{\"resourceType\":\"Bundle\",\"type\":\"" kind "\",\"entry\":[" ENTRY("{\"resourceType\":\"" type "\",\"id\":\"head\"," OF_P1 "}") "," OPIOID "," GLUCOSE "]}"
    static const struct { const char *bundle; bool leaves; } rows[] = {
        { CARRIED("document", "Composition"), true },
        { CARRIED("message", "MessageHeader"), true },
        { CARRIED("collection", "Composition"), false },
        { CARRIED("document", "Basic"), false },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct world w = world_read(REQUEST_WITH(FOR_A ",\"patient\":\"Patient/p1\"", CONSENT("c1", "2024-01-01", "{\"type\":\"deny\",\"provision\":[{\"type\":\"permit\"," TO("Organization/orgA") ",\"securityLabel\":[" LABEL_ACT("SUD") "]}]}")),
                                    rows[i].bundle);
        world_decide(&w);
        if ((world_at(&w, "head")->verdict == VERDICT_PERMIT) != rows[i].leaves)
            fail_msg("row %zu: %.*s", i, SPAN_PRINT(world_at(&w, "head")->because));
        assert_int_equal(world_at(&w, "glucose")->verdict, VERDICT_DENY);
        world_end(&w);
    }
}

static void
test_a_consent_of_another_patient_changes_nothing(void **state)
{
    static const struct { const char *patient; bool leaves; } rows[] = {
        { "{\"reference\":\"Patient/p2\"}", false },
        { "{\"reference\":\"https://ehr.example.org/fhir/Patient/p1\"}", true },
        { "{\"identifier\":{\"system\":\"urn:mrn\",\"value\":\"77\"}}", true },
        { "{\"identifier\":{\"system\":\"urn:mrn\",\"value\":\"78\"}}", false },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char request[4096];
        snprintf(request, sizeof request, REQUEST("{\"resourceType\":\"Consent\",\"id\":\"c1\",\"status\":\"active\",\"scope\":{\"coding\":[{\"code\":\"" PRIVACY "\"}]},"
                                                  "\"patient\":%s,\"dateTime\":\"2024\",\"provision\":{\"type\":\"permit\"}}"), rows[i].patient);
        struct world w = world_read(request, BUNDLE(ENTRY("{\"resourceType\":\"Patient\",\"id\":\"p1\",\"identifier\":[{\"system\":\"urn:mrn\",\"value\":\"77\"}]}") "," OPIOID));
        world_decide(&w);
        if ((world_at(&w, "opioid")->verdict == VERDICT_PERMIT) != rows[i].leaves)
            fail_msg("row %zu", i);
        world_end(&w);
    }
    /* The store knows whose it is, whatever the Consent wrote. */
    struct world w = world_read(REQUEST(CONSENT("c1", "2024-01-01", "{\"type\":\"permit\"}")), BUNDLE(OPIOID));
    struct consent_source source = w.facts->consents[0];
    source.patient = SPAN("Patient/p9");
    assert_int_equal(policy_compile(&source, 1, w.arena, &w.policy), ST_OK);
    world_decide(&w);
    assert_int_equal(w.decisions[0].verdict, VERDICT_DENY);
    assert_true(span_eq_text(consent_patient(policy_consent(w.policy, 0)), "Patient/p9"));
    world_end(&w);
}

static void
test_says_until_when_a_decision_stays_valid(void **state)
{
    static const struct { const char *consents; const char *until; } rows[] = {
        { CONSENT("c1", "2024-01-01", "{\"type\":\"permit\"}"), NULL },
        { CONSENT("c1", "2024-01-01", "{\"type\":\"permit\",\"period\":{\"end\":\"2026-12-31\"}}"), "2027-01-01T00:00:00.000Z" },
        { CONSENT("c1", "2024-01-01", "{\"type\":\"deny\",\"provision\":[{\"type\":\"permit\",\"period\":{\"start\":\"2026-12-01\",\"end\":\"2028\"}}]}"), "2026-12-01T00:00:00.000Z" },
        { CONSENT("c1", "2026-11-23", "{\"type\":\"permit\"}"), "2026-11-23T00:00:00.000Z" },
        { HEAD_WITH("active", PRIVACY, DATED, "\"extension\":[{\"url\":\"" CONSENT_EXTENSION "revoked\",\"valueDateTime\":\"2026-11-22T16:00:00Z\"}],"), "2026-11-22T16:00:00.000Z" },
        { HEAD_WITH("inactive", PRIVACY, "\"dateTime\":\"2026-12-01\",", ""), NULL },
        { CONSENT("c1", "2024-01-01", "{\"type\":\"permit\",\"period\":{\"end\":\"2026-12-31\"}}") "," CONSENT("c2", "2024-01-01", "{\"type\":\"permit\",\"period\":{\"end\":\"2026-12-24\"}}"), "2026-12-25T00:00:00.000Z" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char request[8192];
        snprintf(request, sizeof request, REQUEST("%s"), rows[i].consents);
        struct world w     = world_read(request, BUNDLE(OPIOID));
        int64_t      until = policy_valid_until(w.policy, w.facts->at_ms);
        if (rows[i].until == NULL)
            assert_int_equal(until, INT64_MAX);
        else if (!span_eq_text(time_format(w.arena, until), rows[i].until))
            fail_msg("row %zu: %.*s", i, SPAN_PRINT(time_format(w.arena, until)));
        world_end(&w);
    }
}

static void
test_more_provisions_than_anybody_signs_deny(void **state)
{
    static char request[80000];
    size_t      used = (size_t)snprintf(request, sizeof request, "{" AT "," FOR_A ",\"consents\":[{" CONSENT_HEAD("c1", "2024-01-01")
                                        ",\"provision\":{\"type\":\"permit\",\"provision\":[");
    (void)state;
    for (int i = 0; i < CONSENT_MAX_PROVISIONS; i++)
        used += (size_t)snprintf(request + used, sizeof request - used, "%s{\"type\":\"permit\"}", i > 0 ? "," : "");
    snprintf(request + used, sizeof request - used, "]}}]}");
    struct world w = world_read(request, BUNDLE(OPIOID));
    assert_string_equal(consent_deficiency(policy_consent(w.policy, 0), w.facts), "it has too many provisions");
    world_decide(&w);
    assert_int_equal(w.decisions[0].verdict, VERDICT_DENY);
    world_end(&w);
}

static void
test_hands_out_what_was_compiled(void **state)
{
    (void)state;
    struct world       w = world_read(REQUEST(CONSENT("c1", "2024-01-01", "{\"type\":\"permit\"}")), BUNDLE(OPIOID));
    const struct tape *tape;
    assert_int_equal(policy_consents(w.policy), 1);
    assert_null(policy_consent(w.policy, 1));
    assert_int_equal(consent_node(policy_consent(w.policy, 0), &tape), w.facts->consents[0].node);
    assert_ptr_equal(tape, w.facts->consents[0].tape);
    bool passed = false;
    for (size_t budget = 64; budget < 1 << 16 && !passed; budget += 64) {
        struct arena        *small = arena_new("small", budget);
        const struct policy *p     = NULL;
        enum status          st    = policy_compile(w.facts->consents, 1, small, &p);
        assert_true((st == ST_OK) == (p != NULL));
        passed = st == ST_OK;
        arena_free(&small);
    }
    assert_true(passed);
    world_end(&w);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_only_an_active_privacy_consent_in_force_counts),
        cmocka_unit_test(test_a_consent_without_an_end_holds_for_years),
        cmocka_unit_test(test_the_statements_are_demanded_only_where_the_site_demands_them),
        cmocka_unit_test(test_the_base_decision_comes_from_the_root_or_the_policy_rule),
        cmocka_unit_test(test_tells_whom_an_actor_names),
        cmocka_unit_test(test_a_person_answers_to_the_organization_and_the_groups_behind),
        cmocka_unit_test(test_a_contained_actor_is_known_by_its_identifier),
        cmocka_unit_test(test_labels_match_through_hierarchy_aliases_and_order),
        cmocka_unit_test(test_a_record_of_a_program_tells_of_substance_use_whatever_its_codes),
        cmocka_unit_test(test_a_class_is_a_type_a_profile_a_format_or_a_document_type),
        cmocka_unit_test(test_a_code_is_found_in_any_spelling_and_through_the_medication),
        cmocka_unit_test(test_a_data_period_looks_at_the_clinical_date),
        cmocka_unit_test(test_data_rules_follow_references),
        cmocka_unit_test(test_an_action_says_whether_a_disclosure_is_meant),
        cmocka_unit_test(test_a_purpose_in_another_system_is_not_known),
        cmocka_unit_test(test_a_nested_period_holds_with_all_periods_above),
        cmocka_unit_test(test_the_patient_goes_with_a_permit_that_is_limited_to_some_data),
        cmocka_unit_test(test_what_carries_a_document_or_message_goes_with_it),
        cmocka_unit_test(test_a_consent_of_another_patient_changes_nothing),
        cmocka_unit_test(test_says_until_when_a_decision_stays_valid),
        cmocka_unit_test(test_more_provisions_than_anybody_signs_deny),
        cmocka_unit_test(test_hands_out_what_was_compiled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
