/* tests/consent/test_decision.c -- the order of evaluation, gates, and how consents combine. */
#include "tests/consent/world.h"

#include "base/buf.h"

struct row {
    const char  *what;                   /* a sentence, or the scenario's id */
    const char  *consents;
    enum verdict glucose, opioid, mood;
};

static void
run(const struct row *rows, size_t count, const char *head)
{
    for (size_t i = 0; i < count; i++) {
        char request[16384];
        snprintf(request, sizeof request, "{" AT "," ACTORS ",%s,\"consents\":[%s]}", head, rows[i].consents);
        struct world w = world_read(request, BUNDLE(GLUCOSE "," OPIOID "," MOOD));
        world_decide(&w);
        if (world_at(&w, "glucose")->verdict != rows[i].glucose || world_at(&w, "opioid")->verdict != rows[i].opioid
            || world_at(&w, "mood")->verdict != rows[i].mood)
            fail_msg("%s: %s %s %s", rows[i].what, verdict_text(world_at(&w, "glucose")->verdict),
                     verdict_text(world_at(&w, "opioid")->verdict), verdict_text(world_at(&w, "mood")->verdict));
        for (uint32_t e = 0; e < w.bundle->count; e++) {
            assert_int_not_equal(w.decisions[e].rule, RULE_NONE);
            assert_false(span_empty(w.decisions[e].because));
        }
        world_end(&w);
    }
}

#define RUN(rows, head) run((rows), sizeof(rows) / sizeof *(rows), (head))
#define YES VERDICT_PERMIT
#define NO  VERDICT_DENY

static void
test_an_explicit_rule_beats_a_base_decision_of_any_date(void **state)
{
    static const struct row rows[] = {
        { "nothing at all", "", YES, NO, YES },
        { "opt-in", CONSENT("c1", "2024-01-01", "{\"type\":\"permit\"}"), YES, YES, YES },
        { "opt-out", CONSENT("c1", "2024-01-01", "{\"type\":\"deny\"}"), NO, NO, NO },
        { "a newer opt-out does not take back a named grant",
          CONSENT("c1", "2023-01-01", "{\"type\":\"permit\"," TO("Organization/orgA") "}") ","
          CONSENT("c2", "2024-01-01", "{\"type\":\"deny\"}"), YES, YES, YES },
        { "two grants to two recipients",
          CONSENT("c1", "2024-01-01", "{\"type\":\"deny\",\"provision\":[{\"type\":\"permit\"," TO("Organization/orgA") "}]}") ","
          CONSENT("c2", "2024-02-01", "{\"type\":\"deny\",\"provision\":[{\"type\":\"permit\"," TO("Organization/orgB") "}]}"),
          YES, YES, YES },
        { "an older refusal of some data outlives a newer general opt-in",
          CONSENT("c1", "2020-01-01", "{\"type\":\"permit\",\"provision\":[{\"type\":\"deny\",\"securityLabel\":[" LABEL_ACT("SUD") "]}]}") ","
          CONSENT("c2", "2024-01-01", "{\"type\":\"permit\"}"), YES, NO, YES },
    };
    (void)state;
    RUN(rows, ORG_A_TREAT);
}

static void
test_base_decisions_go_by_date_and_a_tie_denies(void **state)
{
    static const struct row rows[] = {
        { "newer opt-in", CONSENT("c1", "2023", "{\"type\":\"deny\"}") "," CONSENT("c2", "2024-05", "{\"type\":\"permit\"}"), YES, YES, YES },
        { "newer opt-out", CONSENT("c1", "2023", "{\"type\":\"permit\"}") "," CONSENT("c2", "2024-05", "{\"type\":\"deny\"}"), NO, NO, NO },
        { "same day", CONSENT("c1", "2024-01-01", "{\"type\":\"deny\"}") "," CONSENT("c2", "2024-01-01", "{\"type\":\"permit\"}"), NO, NO, NO },
        { "a year and a month of it cannot be told apart",
          CONSENT("c1", "2024", "{\"type\":\"deny\"}") "," CONSENT("c2", "2024-05", "{\"type\":\"permit\"}"), NO, NO, NO },
    };
    (void)state;
    RUN(rows, ORG_A_TREAT);
}

#define BOB_OF_A "\"actor\":{\"reference\":\"Practitioner/bob\",\"onBehalfOf\":\"Organization/orgA\"},\"purpose\":[\"TREAT\"]"

static void
test_the_individual_beats_the_organization_beats_nobody(void **state)
{
    static const struct row rows[] = {
        { "deny bob, permit his organization, newer",
          CONSENT("c1", "2023-01-01", "{\"type\":\"deny\"," TO("Practitioner/bob") "}") ","
          CONSENT("c2", "2024-01-01", "{\"type\":\"permit\"," TO("Organization/orgA") "}"), NO, NO, NO },
        { "permit bob, deny his organization, newer",
          CONSENT("c1", "2023-01-01", "{\"type\":\"permit\"," TO("Practitioner/bob") "}") ","
          CONSENT("c2", "2024-01-01", "{\"type\":\"deny\"," TO("Organization/orgA") "}"), YES, YES, YES },
        { "CV-23 a later instrument denies the same recipient",
          CONSENT("c1", "2023-01-01", "{\"type\":\"permit\"," TO("Organization/orgA") "}") ","
          CONSENT("c2", "2024-01-01", "{\"type\":\"deny\"," TO("Organization/orgA") "}"), NO, NO, NO },
        { "CV-24 and a later one lifts it",
          CONSENT("c1", "2023-01-01", "{\"type\":\"permit\"," TO("Organization/orgA") "}") ","
          CONSENT("c2", "2024-01-01", "{\"type\":\"deny\"," TO("Organization/orgA") "}") ","
          CONSENT("c3", "2025-01-01", "{\"type\":\"permit\"," TO("Organization/orgA") "}"), YES, YES, YES },
        { "CV-21 a partial revocation removes another recipient only",
          CONSENT("c1", "2023-01-01", "{\"type\":\"permit\"}") ","
          CONSENT("c2", "2024-01-01", "{\"type\":\"deny\"," TO("Organization/orgB") "}"), YES, YES, YES },
        { "a purpose that nobody may use yields to a named grant",
          CONSENT("c1", "2024-01-01", "{\"type\":\"deny\",\"purpose\":[" FOR("TREAT") "]}") ","
          CONSENT("c2", "2023-01-01", "{\"type\":\"permit\"," TO("Organization/orgA") "}"), YES, YES, YES },
    };
    (void)state;
    RUN(rows, BOB_OF_A);
}

#define NO_SUD_TO_A(id, date) \
    CONSENT(id, date, "{\"type\":\"permit\",\"provision\":[{\"type\":\"deny\"," TO("Organization/orgA") ",\"securityLabel\":[" LABEL_ACT("SUD") "]}]}")

static void
test_a_refusal_of_data_yields_only_to_a_newer_permit_that_names_recipient_or_data(void **state)
{
    static const struct row rows[] = {
        { "older named permit", CONSENT("c1", "2020-01-01", "{\"type\":\"permit\"," TO("Organization/orgA") "}") "," NO_SUD_TO_A("c2", "2024-01-01"), YES, NO, YES },
        { "newer named permit", NO_SUD_TO_A("c1", "2020-01-01") "," CONSENT("c2", "2024-01-01", "{\"type\":\"permit\"," TO("Organization/orgA") "}"), YES, YES, YES },
        { "newer, but for a purpose only", NO_SUD_TO_A("c1", "2020-01-01") "," CONSENT("c2", "2024-01-01", "{\"type\":\"permit\",\"purpose\":[" FOR("TREAT") "]}"), YES, NO, YES },
        { "newer and of the data, but the refusal named the recipient",
          NO_SUD_TO_A("c1", "2020-01-01") "," CONSENT("c2", "2024-01-01", "{\"type\":\"deny\",\"provision\":[{\"type\":\"permit\",\"securityLabel\":[" LABEL_ACT("SUD") "]}]}"), NO, NO, NO },
        { "newer and of the same data, both for anybody",
          CONSENT("c1", "2020-01-01", "{\"type\":\"permit\",\"provision\":[{\"type\":\"deny\",\"securityLabel\":[" LABEL_ACT("SUD") "]}]}") ","
          CONSENT("c2", "2024-01-01", "{\"type\":\"permit\",\"securityLabel\":[" LABEL_ACT("SUD") "," LABEL_CONF("N") "]}"), YES, YES, NO },
        { "restrictions add up", NO_SUD_TO_A("c1", "2020-01-01") ","
          CONSENT("c2", "2024-01-01", "{\"type\":\"permit\",\"provision\":[{\"type\":\"deny\",\"securityLabel\":[" LABEL_ACT("PSY") "]}]}"), YES, NO, NO },
    };
    (void)state;
    RUN(rows, ORG_A_TREAT);
}

static void
test_inside_one_consent_the_deepest_match_decides_on_its_branch(void **state)
{
    static const struct row rows[] = {
        { "exception to the exception",
          CONSENT("c1", "2024-01-01", "{\"type\":\"deny\",\"provision\":[{\"type\":\"permit\"," TO("Organization/orgA")
                  ",\"provision\":[{\"type\":\"deny\",\"securityLabel\":[" LABEL_ACT("PSY") "]}]}]}"), YES, YES, NO },
        { "four levels down",
          CONSENT("c1", "2024-01-01", "{\"type\":\"deny\",\"provision\":[{\"type\":\"permit\"," TO("Organization/orgA")
                  ",\"provision\":[{\"type\":\"deny\",\"securityLabel\":[" LABEL_ACT("BH") "],\"provision\":[{\"type\":\"permit\",\"securityLabel\":[" LABEL_ACT("PSY") "]}]}]}]}"), YES, NO, YES },
        { "between branches a refusal of data wins",
          CONSENT("c1", "2024-01-01", "{\"type\":\"deny\",\"provision\":[{\"type\":\"deny\",\"securityLabel\":[" LABEL_ACT("SUD") "]},"
                  "{\"type\":\"permit\"," TO("Organization/orgA") "}]}"), YES, NO, YES },
        { "unless the permit states all that it states, and more",
          CONSENT("c1", "2024-01-01", "{\"type\":\"permit\",\"provision\":[{\"type\":\"deny\",\"securityLabel\":[" LABEL_ACT("SUD") "]},"
                  "{\"type\":\"permit\"," TO("Organization/orgA") ",\"securityLabel\":[" LABEL_ACT("SUD") "]}]}"), YES, YES, YES },
        { "equal branches deny",
          CONSENT("c1", "2024-01-01", "{\"type\":\"permit\",\"provision\":[{\"type\":\"permit\",\"securityLabel\":[" LABEL_ACT("SUD") "]},"
                  "{\"type\":\"deny\",\"securityLabel\":[" LABEL_ACT("SUD") "]}]}"), YES, NO, YES },
        { "another recipient's exception is not mine",
          CONSENT("c1", "2024-01-01", "{\"type\":\"deny\",\"provision\":[{\"type\":\"permit\"," TO("Organization/orgB")
                  ",\"provision\":[{\"type\":\"deny\",\"securityLabel\":[" LABEL_ACT("PSY") "]}]},{\"type\":\"permit\"," TO("Organization/orgA") "}]}"), YES, YES, YES },
        { "somebody who does not resolve does not speak against one who is named",
          CONSENT("c1", "2024-01-01", "{\"type\":\"deny\",\"provision\":[{\"type\":\"permit\"," TO("Organization/orgA")
                  "},{\"type\":\"deny\"," TO("Organization/gone") "}]}"), YES, YES, YES },
        { "but against one who is not",
          CONSENT("c1", "2024-01-01", "{\"type\":\"permit\",\"provision\":[{\"type\":\"deny\"," TO("Organization/gone") "}]}"), NO, NO, NO },
        { "a nested provision without type denies",
          CONSENT("c1", "2024-01-01", "{\"type\":\"permit\",\"provision\":[{\"securityLabel\":[" LABEL_ACT("SUD") "]}]}"), YES, NO, YES },
    };
    (void)state;
    RUN(rows, ORG_A_TREAT);
}

static void
test_a_permit_that_is_limited_to_some_data_says_no_to_the_rest(void **state)
{
    static const struct row rows[] = {
        { "RM-09 limited to a type", CONSENT("c1", "2024-01-01", "{\"type\":\"permit\",\"class\":[{\"code\":\"Observation\"}]}"), YES, NO, NO },
        { "RM-10 limited to a time", CONSENT("c1", "2024-01-01", "{\"type\":\"permit\",\"dataPeriod\":{\"start\":\"2022\",\"end\":\"2022\"}}"), YES, YES, NO },
        { "two limited grants add up",
          CONSENT("c1", "2024-01-01", "{\"type\":\"permit\"," TO("Organization/orgA") ",\"class\":[{\"code\":\"Observation\"}]}") ","
          CONSENT("c2", "2024-02-01", "{\"type\":\"permit\"," TO("Organization/orgA") ",\"securityLabel\":[" LABEL_ACT("SUD") "]}"), YES, YES, NO },
        { "CV-22 named again, later and narrower",
          CONSENT("c1", "2023-01-01", "{\"type\":\"permit\"," TO("Organization/orgA") "}") ","
          CONSENT("c2", "2024-01-01", "{\"type\":\"permit\"," TO("Organization/orgA") ",\"class\":[{\"code\":\"Observation\"}]}"), YES, NO, NO },
        { "named again, later and wider",
          CONSENT("c1", "2024-01-01", "{\"type\":\"permit\"," TO("Organization/orgA") ",\"class\":[{\"code\":\"Observation\"}]}") ","
          CONSENT("c2", "2025-01-01", "{\"type\":\"permit\"," TO("Organization/orgA") "}"), YES, YES, YES },
        { "a limited grant to somebody else is none of my business",
          CONSENT("c1", "2024-01-01", "{\"type\":\"permit\"," TO("Organization/orgB") ",\"class\":[{\"code\":\"Observation\"}]}"), YES, NO, YES },
    };
    (void)state;
    RUN(rows, ORG_A_TREAT);
}

static void
test_every_asserted_purpose_has_to_be_covered(void **state)
{
    static const struct row permit_treat[] = {
        { "purpose", CONSENT("c1", "2024-01-01", "{\"type\":\"permit\",\"purpose\":[" FOR("TREAT") "]}"), YES, NO, YES } };
    static const struct row nothing[] = {
        { "purpose", CONSENT("c1", "2024-01-01", "{\"type\":\"permit\",\"purpose\":[" FOR("TREAT") "]}"), VERDICT_DENY_STAFF, NO, VERDICT_DENY_STAFF } };
    static const struct row covered[] = {
        { "purpose", CONSENT("c1", "2024-01-01", "{\"type\":\"permit\",\"purpose\":[" FOR("TREAT") "]}"), YES, YES, YES } };
    static const struct row deny_marketing[] = {
        { "deny", CONSENT("c1", "2024-01-01", "{\"type\":\"permit\",\"provision\":[{\"type\":\"deny\",\"purpose\":[" FOR("HMARKT") "]}]}"), NO, NO, NO } };
    static const struct row normal_only[] = {
        { "break the glass by somebody whom nothing opens it for",
          CONSENT("c1", "2024-01-01", "{\"type\":\"permit\"," TPO ",\"securityLabel\":[" LABEL_CONF("N") "],\"provision\":[{\"type\":\"permit\"," TO("Practitioner/bob") ",\"purpose\":[" FOR("BTG") "],\"securityLabel\":[" LABEL_CONF("R") "]}]}"), YES, NO, NO } };
    static const struct row not_denied[] = {
        { "deny", CONSENT("c1", "2024-01-01", "{\"type\":\"permit\",\"provision\":[{\"type\":\"deny\",\"purpose\":[" FOR("HMARKT") "]}]}"), YES, YES, YES } };
    (void)state;
    RUN(covered, ORG_A ",\"purpose\":[\"ETREAT\"]");
    RUN(covered, ORG_A ",\"purpose\":[\"TREAT\",\"ERTREAT\"]");
    RUN(permit_treat, ORG_A ",\"purpose\":[\"HPAYMT\"]");            /* RM-08 */
    RUN(nothing, ORG_A ",\"purpose\":[\"TREAT\",\"HMARKT\"]");          /* P8: nor does HIPAA let go for marketing */
    RUN(permit_treat, ORG_A ",\"purpose\":[]");
    RUN(permit_treat, ORG_A ",\"purpose\":[\"TREAT\",\"LOCAL\"]");
    RUN(permit_treat, ORG_A ",\"purpose\":[\"CLINTRL\"]");           /* outside Part 2 the tree alone counts */
    RUN(permit_treat, ORG_A ",\"purpose\":[\"BTG\"]");
    RUN(normal_only, ORG_A ",\"purpose\":[\"BTG\"]");
    RUN(deny_marketing, ORG_A ",\"purpose\":[\"HMARKT\"]");
    RUN(deny_marketing, ORG_A ",\"purpose\":[\"TREAT\",\"HMARKT\"]");
    RUN(deny_marketing, ORG_A ",\"purpose\":[]");
    RUN(deny_marketing, ORG_A ",\"purpose\":[\"LOCAL\"]");
    RUN(not_denied, ORG_A ",\"purpose\":[\"TREAT\"]");
}

#define TPO_TO_A CONSENT("c1", "2024-01-01", "{\"type\":\"permit\"," TO("Organization/orgA") "," TPO "}")

static void
test_a_legal_context_closes_the_gate_whatever_the_consent_says(void **state)
{
    static const struct row open[]   = { { "open", TPO_TO_A, YES, YES, YES } };
    static const struct row closed[] = { { "closed", TPO_TO_A, YES, NO, YES } };
    static const char *const heads[] = {
        ORG_A_TREAT ",\"legalContext\":\"proceeding\"",                                          /* LP-03 */
        ORG_A_TREAT ",\"legalContext\":\"investigation\"",                                       /* LP-11 */
        "\"actor\":{\"reference\":\"Organization/orgA\",\"class\":[\"COURT\"]},\"purpose\":[\"TREAT\"]",          /* LP-02 */
        "\"actor\":{\"reference\":\"Organization/orgA\",\"class\":[\"CE_PROVIDER\",\"LAW_ENFORCEMENT\"]},\"purpose\":[\"TREAT\"]", /* LP-01, LP-04 */
        "\"actor\":{\"reference\":\"Organization/orgA\",\"class\":[\"INVESTIGATIVE_AGENCY\"]},\"purpose\":[\"TREAT\"]",            /* LP-12 */
    };
    static const struct row hlegal[] = {
        { "LP-10", CONSENT("c1", "2024-01-01", "{\"type\":\"permit\"," TO("Organization/orgA") "}"), YES, NO, YES } };
    (void)state;
    RUN(open, ORG_A_TREAT);
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++)
        RUN(closed, heads[i]);
    RUN(hlegal, ORG_A ",\"purpose\":[\"HLEGAL\"]");
    RUN(hlegal, ORG_A ",\"purpose\":[\"LEGAL\"]");

    struct world w = world_read(REQUEST(TPO_TO_A), BUNDLE(OPIOID));
    struct facts changed = *w.facts;
    changed.legal = LEGAL_UNKNOWN;                       /* nobody said: closed */
    w.facts = &changed;
    world_decide(&w);
    assert_int_equal(w.decisions[0].verdict, VERDICT_DENY);
    assert_string_equal(rule_number(w.decisions[0].rule), "G-3");
    assert_string_equal(rule_citation(w.decisions[0].rule), "42 CFR 2.12(d)(1)");
    world_end(&w);
}

static void
test_a_counseling_note_waits_for_a_consent_of_its_own(void **state)
{
    (void)state;
    struct world w = world_read(REQUEST(TPO_TO_A), BUNDLE(OPIOID "," MOOD));
    w.labels[0].counseling_note = true;
    w.labels[1].labels = label_add(w.labels[1].labels, LABEL_PSYTHPN);
    world_decide(&w);
    assert_int_equal(w.decisions[0].verdict, VERDICT_DENY);              /* CN-01 */
    assert_int_equal(w.decisions[0].rule, RULE_COUNSELING);
    assert_int_equal(w.decisions[1].verdict, VERDICT_DENY);              /* 45 CFR 164.508(a)(2) */
    assert_int_equal(w.decisions[1].rule, RULE_PSYCHOTHERAPY);
    world_end(&w);

    w = world_read(REQUEST(CONSENT("c1", "2024-01-01", "{\"type\":\"permit\",\"securityLabel\":[" LABEL_ACT("PSYTHPN") "," LABEL_ACT("PSY") "]}")),
                   BUNDLE(MOOD));
    w.labels[0].labels = label_add(w.labels[0].labels, LABEL_PSYTHPN);
    world_decide(&w);
    assert_int_equal(w.decisions[0].verdict, VERDICT_PERMIT);
    world_end(&w);
}

#define EMERGENCY "\"purpose\":[\"ETREAT\"],\"emergency\":{\"declaredBy\":\"Practitioner/bob\",\"nature\":\"overdose, unresponsive\"}"

static void
test_an_emergency_opens_what_no_consent_does(void **state)
{
    static const struct row opens[] = {
        { "EM-01 no consent", "", YES, YES, YES },
        { "a general opt-out does not speak of emergencies", CONSENT("c1", "2024-01-01", "{\"type\":\"deny\"}"), YES, YES, YES },
        { "EM-07 an agreed restriction yields", CONSENT("c1", "2024-01-01", "{\"type\":\"permit\",\"provision\":[{\"type\":\"deny\",\"securityLabel\":[" LABEL_ACT("SUD") "]}]}"), YES, YES, YES },
    };
    static const struct row stays[] = { { "stays closed", "", YES, NO, YES } };
    static const struct row closed[] = { { "and no use that HIPAA lets go for", "", VERDICT_DENY_STAFF, NO, VERDICT_DENY_STAFF } };
    static const struct row told[] = { { "EM-02 what is missing is said inside", "", YES, VERDICT_DENY_STAFF, YES } };
    static const struct row refused[] = {
        { "EM-03 refused in advance", CONSENT("c1", "2024-01-01", "{\"type\":\"deny\",\"purpose\":[" FOR("TREAT") "," FOR("ETREAT") "]}"), NO, NO, NO } };
    (void)state;
    RUN(opens, ORG_A "," EMERGENCY);
    RUN(opens, "\"actor\":{\"reference\":\"Organization/orgA\",\"class\":[\"MEDICAL_PERSONNEL_EMERGENCY\"]}," EMERGENCY);
    RUN(refused, ORG_A "," EMERGENCY);
    RUN(stays, ORG_A ",\"purpose\":[\"ETREAT\"]");                                               /* asserting it is not enough */
    RUN(told, ORG_A ",\"purpose\":[\"BTG\"],\"emergency\":{\"declaredBy\":\"Practitioner/bob\"}");  /* EM-02 */
    RUN(told, ORG_A ",\"purpose\":[\"BTG\"],\"emergency\":{\"nature\":\"x\"}");
    RUN(stays, ORG_A ",\"purpose\":[\"TREAT\"],\"emergency\":{\"declaredBy\":\"b\",\"nature\":\"x\"}");  /* EM-06 */
    RUN(closed, ORG_A ",\"purpose\":[\"ETREAT\",\"HMARKT\"],\"emergency\":{\"declaredBy\":\"b\",\"nature\":\"x\"}");
    RUN(told, "\"actor\":{}," EMERGENCY);
    RUN(stays, "\"actor\":{\"reference\":\"Organization/orgA\",\"class\":[\"HEALTH_PLAN\"]}," EMERGENCY);  /* EM-04 */
    RUN(closed, ORG_A "," EMERGENCY ",\"legalContext\":\"investigation\"");

    struct world w = world_read(REQUEST_WITH(ORG_A "," EMERGENCY, ""), BUNDLE(GLUCOSE "," OPIOID "," MOOD));
    w.labels[2].part2           = PART2_CONFIRMED;
    w.labels[2].counseling_note = true;                  /* CN-07 */
    world_decide(&w);
    assert_int_equal(w.decisions[0].rule, RULE_SITE_PERMIT);
    assert_int_equal(w.decisions[1].rule, RULE_EMERGENCY);
    assert_int_equal(w.decisions[1].obligations, OBLIGE_EMERGENCY | OBLIGE_REVIEW | OBLIGE_AUDIT);
    assert_int_equal(w.decisions[2].verdict, VERDICT_DENY);
    world_end(&w);
}

static void
test_says_which_basis_and_what_it_obliges_to(void **state)
{
    (void)state;
    struct world w = world_read(REQUEST(TPO_TO_A), BUNDLE(GLUCOSE "," OPIOID));
    world_decide(&w);                                                    /* CV-01 */
    assert_int_equal(w.decisions[1].rule, RULE_TPO);
    assert_string_equal(rule_number(w.decisions[1].rule), "R-01");
    assert_string_equal(rule_citation(w.decisions[1].rule), "42 CFR 2.33(a)(2)");
    assert_int_equal(w.decisions[1].obligations, OBLIGE_NOTICE | OBLIGE_CONSENT_COPY | OBLIGE_ACCOUNTING | OBLIGE_AUDIT);
    assert_true(span_eq_text(consent_reference(w.decisions[1].consent), "Consent/c1"));
    assert_true(span_eq_text(provision_path(w.decisions[1].provision, w.arena), "provision"));
    assert_int_equal(w.decisions[0].rule, RULE_CONSENT_PERMIT);          /* no notice where there is no Part 2 record */
    assert_int_equal(w.decisions[0].obligations, OBLIGE_AUDIT);
    world_end(&w);

    w = world_read(REQUEST(CONSENT("c1", "2024-01-01", "{\"type\":\"deny\",\"provision\":[{\"type\":\"permit\"," TO("Organization/orgA") ",\"purpose\":[" FOR("TREAT") "]}]}")),
                   BUNDLE(OPIOID));
    world_decide(&w);
    assert_int_equal(w.decisions[0].rule, RULE_SPECIFIC);
    assert_true(span_eq_text(provision_path(w.decisions[0].provision, w.arena), "provision.provision[0]"));
    world_end(&w);

    /* A purpose beyond the three makes it no single TPO consent. */
    w = world_read(REQUEST(CONSENT("c1", "2024-01-01", "{\"type\":\"permit\",\"purpose\":[" FOR("TREAT") "," FOR("HPAYMT") "," FOR("HOPERAT") "," FOR("HRESCH") "]}")),
                   BUNDLE(OPIOID));
    world_decide(&w);
    assert_int_equal(w.decisions[0].rule, RULE_SPECIFIC);
    world_end(&w);

    w = world_read(REQUEST_WITH(ORG_A ",\"purpose\":[\"BTG\"]", CONSENT("c1", "2024-01-01", "{\"type\":\"permit\",\"purpose\":[" FOR("BTG") "]}")),
                   BUNDLE(OPIOID));
    world_decide(&w);
    assert_int_equal(w.decisions[0].obligations & (OBLIGE_EMERGENCY | OBLIGE_REVIEW), OBLIGE_EMERGENCY | OBLIGE_REVIEW);
    world_end(&w);
}

#define TO_ORG_A "{\"role\":{\"coding\":[{\"code\":\"IRCP\"}]},\"reference\":{\"reference\":\"Organization/orgA\"}}"

static void
test_a_consent_releases_only_records_of_the_programs_it_speaks_for(void **state)
{
    static const struct identifier npi[] = { { { "http://hl7.org/fhir/sid/us-npi", 30 }, { "9", 1 } } };
    static const struct span       oak[] = { { "Organization/part2program", 25 } }, elm[] = { { "Organization/elm", 16 } };
    const struct program programs[] = {
        { .references = oak, .reference_count = 1 },
        { .references = elm, .reference_count = 1, .identifiers = npi, .identifier_count = 1 },
    };
    static const struct { const char *consent; int program; bool leaves; } rows[] = {
        { TPO_TO_A, 0, true },
        { TPO_TO_A, 1, false },
        { CONSENT("c1", "2024-01-01", "{\"type\":\"permit\"," TO("Organization/orgA") "}"), 1, false },
        { CONSENT("c1", "2024-01-01", "{\"type\":\"permit\"," TO("Organization/orgA") "}"), -1, true },
        { CONSENT("c1", "2024-01-01", "{\"type\":\"permit\",\"actor\":[" TO_ORG_A ",{\"role\":{\"coding\":[{\"code\":\"CST\"}]},\"reference\":{\"reference\":\"Organization/elm\"}}]}"), 1, true },
        { CONSENT("c1", "2024-01-01", "{\"type\":\"permit\",\"actor\":[" TO_ORG_A ",{\"role\":{\"coding\":[{\"code\":\"CST\"}]},\"reference\":{\"reference\":\"Organization/elm\"}}]}"), 0, false },
        { CONSENT("c1", "2024-01-01", "{\"type\":\"permit\",\"actor\":[" TO_ORG_A ",{\"role\":{\"coding\":[{\"code\":\"CST\"}]},\"reference\":{\"identifier\":" ID("9") "}}]}"), 1, true },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char request[8192];
        snprintf(request, sizeof request, REQUEST("%s"), rows[i].consent);
        struct world w = world_read(request, BUNDLE(OPIOID));
        w.labels[0].part2   = PART2_CONFIRMED;
        w.labels[0].program = rows[i].program >= 0 ? &programs[rows[i].program] : NULL;
        world_decide(&w);
        if ((w.decisions[0].verdict == VERDICT_PERMIT) != rows[i].leaves)
            fail_msg("row %zu: %.*s", i, SPAN_PRINT(w.decisions[0].because));
        if (!rows[i].leaves)
            assert_int_not_equal(span_find(w.decisions[0].because, SPAN("another program")), SPAN_NOT_FOUND);
        world_end(&w);
    }
}

static void
test_a_record_of_a_program_wants_its_recipient_named(void **state)
{
    static const struct { const char *consent; enum part2_status part2; bool leaves; } rows[] = {
        { CONSENT("c1", "2024-01-01", "{\"type\":\"permit\"," TPO "}"), PART2_CONFIRMED, false },
        { CONSENT("c1", "2024-01-01", "{\"type\":\"permit\"," TPO "}"), PART2_SUSPECT, true },
        { CONSENT("c1", "2024-01-01", "{\"type\":\"permit\"," TO("Organization/orgA") "}"), PART2_CONFIRMED, true },
        { "{" CONSENT_HEAD("c1", "2026-03-01") ",\"extension\":[{\"url\":\"" CONSENT_EXTENSION "recipient-class\",\"valueCode\":\"HEALTH_PLANS\"}]"
          ",\"provision\":{\"type\":\"permit\"," TPO "}}", PART2_CONFIRMED, true },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char request[8192];
        snprintf(request, sizeof request, REQUEST_WITH("\"actor\":{\"reference\":\"Organization/orgA\",\"class\":[\"HEALTH_PLAN\"]},\"purpose\":[\"HPAYMT\"]", "%s"), rows[i].consent);
        struct world w = world_read(request, BUNDLE(OPIOID));
        w.labels[0].part2 = rows[i].part2;
        world_decide(&w);
        if ((w.decisions[0].verdict == VERDICT_PERMIT) != rows[i].leaves)
            fail_msg("row %zu: %.*s", i, SPAN_PRINT(w.decisions[0].because));
        if (!rows[i].leaves)
            assert_int_not_equal(span_find(w.decisions[0].because, SPAN("2.31(a)(4)")), SPAN_NOT_FOUND);
        world_end(&w);
    }
}

#define CUSTODIAN(reference) "{\"role\":{\"coding\":[{\"code\":\"CST\"}]},\"reference\":{\"reference\":\"" reference "\"}}"

static void
test_a_record_of_several_programs_needs_each_of_them_released(void **state)
{
    static const struct span    oak[] = { { "Organization/oak", 16 } }, elm[] = { { "Organization/elm", 16 } };
    static const struct program programs[] = {
        { .references = oak, .reference_count = 1 }, { .references = elm, .reference_count = 1 },
    };
    static const struct program *const both[] = { &programs[1] }, *const more[] = { &programs[1], NULL };
#define OF_OAK CONSENT("c1", "2024-01-01", "{\"type\":\"permit\",\"actor\":[" TO_ORG_A "," CUSTODIAN("Organization/oak") "]}")
#define OF_ELM CONSENT("c2", "2024-01-01", "{\"type\":\"permit\",\"actor\":[" TO_ORG_A "," CUSTODIAN("Organization/elm") "]}")
#define OF_BOTH CONSENT("c3", "2024-01-01", "{\"type\":\"permit\",\"actor\":[" TO_ORG_A "," CUSTODIAN("Organization/oak") "," CUSTODIAN("Organization/elm") "]}")
#define NOT_ELM CONSENT("c4", "2025-01-01", "{\"type\":\"deny\",\"actor\":[" TO_ORG_A "," CUSTODIAN("Organization/elm") "]}")
    static const struct { const char *consents; const struct program *const *others; size_t count; bool leaves; } rows[] = {
        { OF_OAK, NULL, 0, true },             { OF_OAK, both, 1, false },
        { OF_ELM, both, 1, false },            { OF_OAK "," OF_ELM, both, 1, true },
        { OF_ELM "," OF_OAK, both, 1, true },  { OF_BOTH, both, 1, true },
        { OF_BOTH "," NOT_ELM, both, 1, false }, { OF_BOTH "," NOT_ELM, NULL, 0, true },
        { OF_OAK "," OF_ELM, more, 2, false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char request[8192];
        snprintf(request, sizeof request, REQUEST_WITH("\"actor\":{\"reference\":\"Organization/orgA\"},\"purpose\":[\"TREAT\"],"
                 "\"source\":{\"part2\":\"unknown\",\"organization\":\"Organization/hospital\"}", "%s"), rows[i].consents);
        struct world w = world_read(request, BUNDLE(OPIOID));
        w.labels[0].part2       = PART2_CONFIRMED;
        w.labels[0].program     = &programs[0];
        w.labels[0].others      = rows[i].others;
        w.labels[0].other_count = rows[i].count;
        world_decide(&w);
        if ((w.decisions[0].verdict == VERDICT_PERMIT) != rows[i].leaves)
            fail_msg("row %zu: %.*s", i, SPAN_PRINT(w.decisions[0].because));
        world_end(&w);
    }
}

static void
test_a_record_of_no_known_program_needs_a_consent_that_names_who_discloses(void **state)
{
#define OF(reference) CONSENT("c1", "2024-01-01", "{\"type\":\"permit\",\"actor\":[" TO_ORG_A "," CUSTODIAN(reference) "]}")
#define OF_NOBODY "{\"resourceType\":\"Consent\",\"id\":\"c1\",\"status\":\"active\",\"scope\":{\"coding\":[{\"code\":\"patient-privacy\"}]}," \
    "\"patient\":{\"reference\":\"Patient/p1\"},\"dateTime\":\"2024-01-01\",\"provision\":{\"type\":\"permit\"}}"
#define HOSPITAL(status) "\"source\":{\"part2\":\"" status "\",\"organization\":\"Organization/hospital\"}"
#define NOT_OAK CONSENT("c2", "2025-01-01", "{\"type\":\"deny\",\"actor\":[" TO_ORG_A "," CUSTODIAN("Organization/oak") "]}")
#define OAK_ONLY "\"programs\":[{\"reference\":\"Organization/oak\"}]"
#define OAK_AND_ELM "\"programs\":[{\"reference\":\"Organization/oak\"},{\"reference\":\"Organization/elm\"}]"
#define KNOWN "\"actors\":{\"Organization/hospital\":{\"resourceType\":\"Organization\",\"identifier\":[" ID("77") "]}}"
    static const struct { const char *facts, *consents; bool leaves; } rows[] = {
        /* nothing is known: whom it names is believed */
        { "\"labels\":\"given\"", OF("Organization/oak"), true },
        { "\"labels\":\"given\"", OF_NOBODY, true },
        /* the sender may be a program */
        { HOSPITAL("unknown"), OF("Organization/hospital"), true },
        { HOSPITAL("unknown"), OF("Organization/oak"), false },
        { HOSPITAL("unknown"), OF_NOBODY, false },
        { HOSPITAL("unknown") "," OAK_ONLY, OF("Organization/oak"), false },
        { HOSPITAL("unknown") "," OAK_ONLY, OF("Organization/hospital"), true },
        { HOSPITAL("unknown") "," KNOWN, CONSENT("c1", "2024-01-01", "{\"type\":\"permit\",\"actor\":[" TO_ORG_A ",{\"role\":{\"coding\":[{\"code\":\"CST\"}]},\"reference\":{\"identifier\":" ID("77") "}}]}"), true },
        /* it is none: it came from a registered one */
        { HOSPITAL("not-program") "," OAK_ONLY, OF("Organization/oak"), true },
        { HOSPITAL("not-program") "," OAK_AND_ELM, OF("Organization/oak"), false },
        { HOSPITAL("not-program") "," OAK_AND_ELM, OF("Organization/oak") "," CONSENT("c2", "2024-01-01", "{\"type\":\"permit\",\"actor\":[" TO_ORG_A "," CUSTODIAN("Organization/elm") "]}"), false },
        { HOSPITAL("not-program") "," OAK_AND_ELM, OF("Organization/hospital"), true },
        { HOSPITAL("not-program"), OF_NOBODY, false },
        { OAK_ONLY, OF("Organization/oak"), true },
        { OAK_ONLY, OF("Organization/elm"), false },
        { OAK_AND_ELM, OF("Organization/elm"), false },
        { OAK_ONLY, OF_NOBODY, false },
        /* a refusal to the program that it may be from */
        { HOSPITAL("not-program") "," OAK_ONLY, OF("Organization/hospital") "," NOT_OAK, false },
        { HOSPITAL("unknown") "," OAK_ONLY, OF("Organization/hospital") "," NOT_OAK, true },
        /* the switch */
        { HOSPITAL("unknown") "," OAK_ONLY ",\"site\":{\"anyDiscloser\":true}", OF_NOBODY, true },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char request[8192];
        snprintf(request, sizeof request, "{" AT ",\"actor\":{\"reference\":\"Organization/orgA\"},\"purpose\":[\"TREAT\"],%s,\"consents\":[%s]}",
                 rows[i].facts, rows[i].consents);
        struct world w = world_read(request, BUNDLE(OPIOID));
        w.labels[0].part2   = PART2_SUSPECT;
        w.labels[0].program = NULL;
        world_decide(&w);
        if ((w.decisions[0].verdict == VERDICT_PERMIT) != rows[i].leaves)
            fail_msg("row %zu: %s %.*s", i, rows[i].facts, SPAN_PRINT(w.decisions[0].because));
        world_end(&w);
    }
}

static void
test_holds_what_could_not_be_inspected(void **state)   /* SG-36 */
{
    static const struct { const char *consents, *source; enum verdict verdict; } rows[] = {
        { "", "unknown", VERDICT_HOLD },
        { "", "program", VERDICT_HOLD },
        { "", "not-program", VERDICT_PERMIT },
        { TPO_TO_A, "unknown", VERDICT_PERMIT },
        { CONSENT("c1", "2024-01-01", "{\"type\":\"deny\"}"), "unknown", VERDICT_DENY },
        { NO_SUD_TO_A("c1", "2024-01-01"), "unknown", VERDICT_HOLD },
        { NO_SUD_TO_A("c1", "2024-01-01"), "not-program", VERDICT_HOLD },
        { CONSENT("c1", "2024-01-01", "{\"type\":\"permit\",\"securityLabel\":[" LABEL_CONF("N") "]}"), "unknown", VERDICT_DENY },
        { CONSENT("c1", "2024-01-01", "{\"type\":\"permit\",\"provision\":[{\"type\":\"deny\",\"code\":[{\"coding\":[{\"system\":\"http://loinc.org\",\"code\":\"1-8\"}]}]}]}"), "unknown", VERDICT_HOLD },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char request[8192];
        snprintf(request, sizeof request, "{" AT "," ACTORS "," ORG_A_TREAT ",\"source\":{\"part2\":\"%s\"},\"consents\":[%s]}",
                 rows[i].source, rows[i].consents);
        struct world w = world_read(request, BUNDLE(GLUCOSE));
        w.labels[0].uninspected = true;
        world_decide(&w);
        if (w.decisions[0].verdict != rows[i].verdict)
            fail_msg("row %zu: %s, %.*s", i, verdict_text(w.decisions[0].verdict), SPAN_PRINT(w.decisions[0].because));
        world_end(&w);
    }
}

static void
test_the_site_may_withhold_without_a_consent(void **state)
{
    (void)state;
    struct world w = world_read("{" AT "," ORG_A_TREAT ",\"site\":{\"withholdWithoutConsent\":true}}",
                                BUNDLE(GLUCOSE "," ENTRY("{\"resourceType\":\"Organization\",\"id\":\"o\"}")));
    world_decide(&w);
    assert_int_equal(w.decisions[0].rule, RULE_SITE_DENY);
    assert_int_equal(w.decisions[1].rule, RULE_SITE_PERMIT);             /* nobody's data */
    world_end(&w);
}

#define UNREAD(status, scope, more, type)                                                                        \
    "{\"resourceType\":\"Consent\",\"id\":\"c1\",\"status\":\"" status "\",\"scope\":{\"coding\":[{\"code\":\"" scope "\"}]}," \
    "\"patient\":{\"reference\":\"Patient/p1\"},\"dateTime\":\"2024-01-01\"," more "\"provision\":{\"type\":\"" type "\"}}"
#define MODIFIED "\"modifierExtension\":[{\"url\":\"urn:x\",\"valueCode\":\"x\"}],"

static bool
leaves(const char *site, const char *consent)
{
    char request[8192];

    snprintf(request, sizeof request, REQUEST_WITH("%s" ORG_A ",\"purpose\":[\"TREAT\"]", "%s"), site, consent);
    struct world w = world_read(request, BUNDLE(GLUCOSE));
    world_decide(&w);
    bool left = w.decisions[0].verdict == VERDICT_PERMIT;
    world_end(&w);
    return left;
}

/* A route may let a status that R4 does not have through: what is denied stays denied, and nothing is
 * permitted by it where a site wants a consent. */
static void
test_a_consent_that_is_not_understood_still_denies(void **state)
{
#define ROW(status, scope, more) { UNREAD(status, scope, more, "deny"), UNREAD(status, scope, more, "permit") }
    static const struct { const char *denying, *permitting; } unknown[] = {
        ROW("Active", "patient-privacy", ""), ROW("activ", "patient-privacy", ""), ROW("", "patient-privacy", ""),
        ROW("active", "privacy", ""), ROW("active", "patient-privacy", MODIFIED),
        ROW("active", "patient-privacy", "\"implicitRules\":\"urn:x\","),
    };
#undef ROW
    static const char demands[] = "\"site\":{\"withholdWithoutConsent\":true},";
    (void)state;
    assert_false(leaves("", UNREAD("active", "patient-privacy", "", "deny")));
    assert_true(leaves("", UNREAD("inactive", "patient-privacy", "", "deny")));
    assert_true(leaves("", UNREAD("active", "research", "", "deny")));
    assert_true(leaves(demands, UNREAD("active", "patient-privacy", "", "permit")));
    assert_false(leaves(demands, ""));
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++)
        if (leaves("", unknown[i].denying) || leaves(demands, unknown[i].permitting))
            fail_msg("row %zu", i);
}

static void
test_says_why_no_consent_reaches_a_part_2_record(void **state)
{
    static const struct { const char *consents, *words; } rows[] = {
        { "", "no consent of this patient is on file" },
        { CONSENT("c1", "2027-01-01", "{\"type\":\"permit\"}"), "dated in the future" },                               /* CV-02 */
        { CONSENT("c1", "2024-01-01", "{\"type\":\"permit\",\"period\":{\"start\":\"2026-12-01\"}}"), "has not begun" },   /* CV-03 */
        { CONSENT("c1", "2024-01-01", "{\"type\":\"permit\",\"period\":{\"end\":\"2026-11-21\"}}"), "has ended" },         /* CV-04 */
        { CONSENT("c1", "2024-01-01", "{\"type\":\"permit\"," TO("Organization/orgB") "}"), "does not name this recipient" },
        { CONSENT("c1", "2024-01-01", "{\"type\":\"permit\",\"purpose\":[" FOR("HPAYMT") "]}"), "does not cover the purpose" },
        { CONSENT("c1", "2024-01-01", "{\"type\":\"permit\"," TO("Organization/orgA") ",\"wording\":1}"), "cannot be read fully" },
        { "{\"resourceType\":\"Consent\",\"id\":\"c1\",\"status\":\"active\",\"scope\":{\"coding\":[{\"code\":\"patient-privacy\"}]},\"patient\":{\"reference\":\"Patient/p1\"},\"provision\":{\"type\":\"permit\"}}", "2.31(a)(9)" },
        { "{" CONSENT_HEAD("c1", "2024-01-01") ",\"category\":[{\"coding\":[{\"code\":\"HIPAAAuth\"}]}],\"provision\":{\"type\":\"permit\"}}", "HIPAA authorization" },   /* CV-25 */
        { UNREAD("Active", "patient-privacy", "", "permit"), "status is none that R4 has" },
        { UNREAD("active", "privacy", "", "permit"), "scope is none that R4 has" },
        { UNREAD("active", "patient-privacy", MODIFIED, "permit"), "modifierExtension" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char request[8192];
        snprintf(request, sizeof request, REQUEST("%s"), rows[i].consents);
        struct world w = world_read(request, BUNDLE(OPIOID));
        world_decide(&w);
        if (w.decisions[0].rule != RULE_NO_CONSENT || span_find(w.decisions[0].because, span_of(rows[i].words)) == SPAN_NOT_FOUND)
            fail_msg("want \"%s\", have %s: %.*s", rows[i].words, rule_number(w.decisions[0].rule), SPAN_PRINT(w.decisions[0].because));
        world_end(&w);
    }
}

/* M2: exactly, whichever name the system goes by; what does not resolve denies and does not permit. */
static void
test_who_is_named_by_identifier_alone_is_who_has_it(void **state)
{
#define US_NPI "\"system\":\"http://hl7.org/fhir/sid/us-npi\""
#define OID_NPI "\"system\":\"urn:oid:2.16.840.1.113883.4.6\""
#define LOCAL "\"system\":\"https://hie.example.org/members\""
#define ASKED "\"actor\":{\"reference\":\"Organization/lakeside\",\"identifier\":[{" US_NPI ",\"value\":\"1740000025\"},{" LOCAL ",\"value\":\"m-7\"}]}"
#define OTHERS "\"actors\":{\"Organization/other\":{\"resourceType\":\"Organization\",\"identifier\":[{" US_NPI ",\"value\":\"1740000033\"}]}}"
#define NAMED(type, who) "{" CONSENT_HEAD("c1", "2024-01-01") ",\"provision\":{\"type\":\"" type "\",\"actor\":[{\"role\":{\"coding\":[{\"code\":\"IRCP\"}]},\"reference\":" who "}]}}"
    static const struct { const char *permit, *deny; bool permits, denies; } rows[] = {
#define ROW(who, permits, denies) { NAMED("permit", who), NAMED("deny", who), permits, denies }
        ROW("{\"identifier\":{" US_NPI ",\"value\":\"1740000025\"}}", true, true),
        ROW("{\"identifier\":{" OID_NPI ",\"value\":\"1740000025\"}}", true, true),
        ROW("{\"identifier\":{" LOCAL ",\"value\":\"m-7\"}}", true, true),
        ROW("{\"identifier\":{" US_NPI ",\"value\":\"1740000025\"},\"display\":\"Another\"}", true, true),
        ROW("{\"identifier\":{" US_NPI ",\"value\":\"1740000033\"}}", false, false),
        ROW("{\"identifier\":{" OID_NPI ",\"value\":\"1740000033\"}}", false, false),
        ROW("{\"identifier\":{" LOCAL ",\"value\":\"1740000025\"}}", false, false),
        ROW("{\"identifier\":{\"value\":\"1740000025\"}}", false, true),
        ROW("{\"identifier\":{\"system\":\"urn:oid:1.2.3\",\"value\":\"1740000025\"}}", false, true),
        ROW("{\"identifier\":{" US_NPI "},\"display\":\"lakeside\"}", false, true),
        ROW("{\"display\":\"Organization/lakeside\"}", false, true),
        ROW("{\"reference\":\"Organization/other\",\"identifier\":{" US_NPI ",\"value\":\"1740000025\"}}", false, true),
        ROW("{\"reference\":\"Organization/theirs\",\"identifier\":{" US_NPI ",\"value\":\"1740000025\"}}", true, true),
        ROW("{\"reference\":\"Organization/lakeside\",\"identifier\":{" OID_NPI ",\"value\":\"1740000033\"}}", false, true),
#undef ROW
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (int deny = 0; deny < 2; deny++) {
            char request[8192];
            snprintf(request, sizeof request, "{" AT "," ASKED ",\"purpose\":[\"TREAT\"]," OTHERS ",\"consents\":[%s]}",
                     deny ? rows[i].deny : rows[i].permit);
            struct world w = world_read(request, deny ? BUNDLE(GLUCOSE) : BUNDLE(OPIOID));
            world_decide(&w);
            bool goes = w.decisions[0].verdict == VERDICT_PERMIT;
            if (goes != (deny ? !rows[i].denies : rows[i].permits))
                fail_msg("row %zu %s: %s", i, deny ? "deny" : "permit", goes ? "goes" : "stays");
            world_end(&w);
        }
}

/* ---- properties ------------------------------------------------------------------------ */

/* Consents of every kind, to draw from. */
static const char *const drawn[] = {
    CONSENT("d01", "2020-01-01", "{\"type\":\"permit\"}"),
    CONSENT("d02", "2021-01-01", "{\"type\":\"deny\"}"),
    CONSENT("d03", "2021-01-01", "{\"type\":\"permit\"}"),
    CONSENT("d04", "2022-01-01", "{\"type\":\"permit\"," TO("Organization/orgA") "}"),
    CONSENT("d05", "2022-06-01", "{\"type\":\"deny\"," TO("Organization/orgA") "}"),
    CONSENT("d06", "2023-01-01", "{\"type\":\"deny\"," TO("Practitioner/bob") "}"),
    CONSENT("d07", "2023-01-01", "{\"type\":\"permit\"," TO("Practitioner/bob") "}"),
    CONSENT("d08", "2023-06-01", "{\"type\":\"permit\",\"provision\":[{\"type\":\"deny\",\"securityLabel\":[" LABEL_ACT("SUD") "]}]}"),
    CONSENT("d09", "2024-01-01", "{\"type\":\"deny\",\"provision\":[{\"type\":\"permit\",\"securityLabel\":[" LABEL_ACT("SUD") "]}]}"),
    CONSENT("d10", "2024-06-01", "{\"type\":\"permit\"," TO("Organization/orgA") ",\"class\":[{\"code\":\"Observation\"}]}"),
    CONSENT("d11", "2025-01-01", "{\"type\":\"permit\",\"securityLabel\":[" LABEL_CONF("N") "]}"),
    CONSENT("d12", "2025-06-01", "{\"type\":\"permit\",\"provision\":[{\"type\":\"deny\"," TO("Organization/gone") "}]}"),
    CONSENT("d13", "2026-01-01", "{\"type\":\"permit\"," TO("Organization/orgA") "," TPO ",\"provision\":[{\"type\":\"deny\",\"code\":[{\"coding\":[{\"system\":\"http://hl7.org/fhir/sid/icd-10-cm\",\"code\":\"F11\"}]}]}]}"),
    CONSENT("d14", "2026-02-01", "{\"type\":\"deny\",\"dataPeriod\":{\"start\":\"2022-06-10\"}}"),
};
enum { DRAWN = sizeof drawn / sizeof *drawn };

static unsigned
next(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(*seed >> 33);
}

static struct world
decide_drawn(const unsigned *which, size_t count, const char *more)
{
    char   request[65536];
    size_t used = (size_t)snprintf(request, sizeof request, "{" AT "," ACTORS "," BOB_OF_A ",\"consents\":[");
    for (size_t i = 0; i < count; i++)
        used += (size_t)snprintf(request + used, sizeof request - used, "%s%s", i > 0 ? "," : "", drawn[which[i]]);
    if (more != NULL)
        used += (size_t)snprintf(request + used, sizeof request - used, "%s%s", count > 0 ? "," : "", more);
    snprintf(request + used, sizeof request - used, "]}");
    struct world w = world_read(request, BUNDLE(GLUCOSE "," OPIOID "," MOOD));
    world_decide(&w);
    return w;
}

static void
test_the_order_of_consents_never_matters(void **state)
{
    uint64_t seed = 2;
    (void)state;
    for (int round = 0; round < 300; round++) {
        unsigned which[6];
        size_t   count = 1 + next(&seed) % 6;
        for (size_t i = 0; i < count; i++)
            which[i] = next(&seed) % DRAWN;
        struct world a = decide_drawn(which, count, NULL);
        for (size_t i = count; i-- > 1;) {
            size_t   j = next(&seed) % (i + 1);
            unsigned t = which[i];
            which[i] = which[j];
            which[j] = t;
        }
        struct world b = decide_drawn(which, count, NULL);
        for (uint32_t e = 0; e < a.bundle->count; e++) {
            assert_int_equal(a.decisions[e].verdict, b.decisions[e].verdict);
            assert_int_equal(a.decisions[e].rule, b.decisions[e].rule);
            assert_true(span_eq(a.decisions[e].because, b.decisions[e].because));
        }
        world_end(&a);
        world_end(&b);
    }
}

static void
test_one_more_refusal_never_widens_and_one_more_unusable_consent_changes_nothing(void **state)
{
    static const char *const refusals[] = {
        CONSENT("x", "2026-03-01", "{\"type\":\"deny\"}"),
        CONSENT("x", "2019-03-01", "{\"type\":\"deny\"," TO("Organization/orgA") "}"),
        CONSENT("x", "2026-03-01", "{\"type\":\"deny\",\"securityLabel\":[" LABEL_ACT("PSY") "]}"),
        CONSENT("x", "2026-03-01", "{\"type\":\"deny\",\"purpose\":[" FOR("TREAT") "]}"),
        CONSENT("x", "2026-03-01", "{\"nonsense\":1,\"type\":\"deny\"}"),
    };
    static const char *const unusable[] = {
        "{\"resourceType\":\"Consent\",\"id\":\"x\",\"status\":\"inactive\",\"scope\":{\"coding\":[{\"code\":\"patient-privacy\"}]},\"patient\":{\"reference\":\"Patient/p1\"},\"dateTime\":\"2026-03-01\",\"provision\":{\"type\":\"deny\"}}",
        CONSENT("x", "2027-03-01", "{\"type\":\"deny\"}"),
        CONSENT("x", "2026-03-01", "{\"type\":\"permit\",\"period\":{\"end\":\"2026-11-21\"}}"),
        CONSENT("x", "2026-03-01", "{\"type\":\"permit\",\"modifierExtension\":[{\"url\":\"urn:x\",\"valueBoolean\":true}]}"),
    };
    uint64_t seed = 5;
    (void)state;
    for (int round = 0; round < 200; round++) {
        unsigned which[5];
        size_t   count = next(&seed) % 6;
        for (size_t i = 0; i < count; i++)
            which[i] = next(&seed) % DRAWN;
        struct world a = decide_drawn(which, count, NULL);
        struct world b = decide_drawn(which, count, refusals[next(&seed) % 5]);
        struct world c = decide_drawn(which, count, unusable[next(&seed) % 4]);
        for (uint32_t e = 0; e < a.bundle->count; e++) {
            if (a.decisions[e].verdict != VERDICT_PERMIT)
                assert_int_not_equal(b.decisions[e].verdict, VERDICT_PERMIT);
            assert_int_equal(a.decisions[e].verdict, c.decisions[e].verdict);
        }
        world_end(&a);
        world_end(&b);
        world_end(&c);
    }
}

static void
test_a_thousand_consents_of_one_patient_are_all_weighed(void **state)
{
    static const struct { const char *last; bool leaves; } rows[] = {
        { CONSENT("z", "2024-01-01", "{\"type\":\"permit\"}"), true },
        { CONSENT("z", "2024-01-02", "{\"type\":\"deny\"}"), false },
        { CONSENT("z", "2023-01-02", "{\"type\":\"deny\"}"), true },
        { NO_SUD_TO_A("z", "2024-06-01"), false },
    };
    static char request[1000000];

    (void)state;
    for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
        size_t used = (size_t)snprintf(request, sizeof request, "{" AT "," ORG_A_TREAT ",\"consents\":[");
        for (int i = 0; i < 1500; i++)
            used += (size_t)snprintf(request + used, sizeof request - used, "%s,",
                                     i % 3 == 0 ? CONSENT("d", "2023-01-01", "{\"type\":\"deny\"}")
                                                : CONSENT("c", "2024-01-01", "{\"type\":\"permit\"}"));
        snprintf(request + used, sizeof request - used, "%s]}", rows[k].last);
        struct world w = world_read(request, BUNDLE(OPIOID));
        world_decide(&w);
        if ((w.decisions[0].verdict == VERDICT_PERMIT) != rows[k].leaves)
            fail_msg("row %zu: %.*s", k, SPAN_PRINT(w.decisions[0].because));
        world_end(&w);
    }
}

static void
test_one_entry_alone_is_decided_as_in_the_whole(void **state)
{
    (void)state;
    struct world w = world_read(REQUEST(NO_SUD_TO_A("c1", "2024-01-01")), BUNDLE(GLUCOSE "," OPIOID "," MOOD));
    world_decide(&w);
    for (uint32_t e = 0; e < w.bundle->count; e++) {
        struct decision d = decide(w.policy, w.facts, w.references, &w.labeling, e, w.arena);
        assert_int_equal(d.verdict, w.decisions[e].verdict);
        assert_int_equal(d.rule, w.decisions[e].rule);
    }
    world_end(&w);
}

static void
test_no_memory_denies(void **state)
{
    bool passed = false;
    (void)state;
    struct world w = world_read(REQUEST(NO_SUD_TO_A("c1", "2024-01-01")), BUNDLE(GLUCOSE "," OPIOID));
    for (size_t budget = 64; budget < 1 << 18 && !passed; budget += 512) {
        struct arena          *small = arena_new("small", budget);
        const struct decision *all   = NULL;
        enum status            st    = decide_all(w.policy, w.facts, w.references, &w.labeling, small, &all);
        assert_true(st == ST_OK || (st == ST_NO_MEMORY && all == NULL));
        passed = st == ST_OK;
        arena_free(&small);
    }
    assert_true(passed);
    struct arena *none = arena_new("none", 16);
    assert_int_equal(decide(w.policy, w.facts, w.references, &w.labeling, 0, none).verdict, VERDICT_DENY);
    arena_free(&none);
    world_end(&w);
    assert_string_equal(rule_number(RULE_COUNT), "");
    assert_string_equal(rule_words(RULE_TPO), "a single consent for treatment, payment and health care operations covers it");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_explicit_rule_beats_a_base_decision_of_any_date),
        cmocka_unit_test(test_base_decisions_go_by_date_and_a_tie_denies),
        cmocka_unit_test(test_the_individual_beats_the_organization_beats_nobody),
        cmocka_unit_test(test_a_refusal_of_data_yields_only_to_a_newer_permit_that_names_recipient_or_data),
        cmocka_unit_test(test_inside_one_consent_the_deepest_match_decides_on_its_branch),
        cmocka_unit_test(test_a_permit_that_is_limited_to_some_data_says_no_to_the_rest),
        cmocka_unit_test(test_every_asserted_purpose_has_to_be_covered),
        cmocka_unit_test(test_a_legal_context_closes_the_gate_whatever_the_consent_says),
        cmocka_unit_test(test_a_counseling_note_waits_for_a_consent_of_its_own),
        cmocka_unit_test(test_an_emergency_opens_what_no_consent_does),
        cmocka_unit_test(test_says_which_basis_and_what_it_obliges_to),
        cmocka_unit_test(test_a_consent_releases_only_records_of_the_programs_it_speaks_for),
        cmocka_unit_test(test_a_record_of_a_program_wants_its_recipient_named),
        cmocka_unit_test(test_a_record_of_several_programs_needs_each_of_them_released),
        cmocka_unit_test(test_a_record_of_no_known_program_needs_a_consent_that_names_who_discloses),
        cmocka_unit_test(test_holds_what_could_not_be_inspected),
        cmocka_unit_test(test_the_site_may_withhold_without_a_consent),
        cmocka_unit_test(test_a_consent_that_is_not_understood_still_denies),
        cmocka_unit_test(test_says_why_no_consent_reaches_a_part_2_record),
        cmocka_unit_test(test_who_is_named_by_identifier_alone_is_who_has_it),
        cmocka_unit_test(test_the_order_of_consents_never_matters),
        cmocka_unit_test(test_one_more_refusal_never_widens_and_one_more_unusable_consent_changes_nothing),
        cmocka_unit_test(test_a_thousand_consents_of_one_patient_are_all_weighed),
        cmocka_unit_test(test_one_entry_alone_is_decided_as_in_the_whole),
        cmocka_unit_test(test_no_memory_denies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
