/* Policy packs: what the reader refuses, what the lint says, and that a pack only ever narrows. */
#include "tests/consent/world.h"

#include "base/buf.h"
#include "consent/release.h"
#include "consent/state_overlay.h"

#define HEAD "\"id\":\"xx\",\"version\":\"1\",\"jurisdiction\":\"US-XX\",\"appliesTo\":[\"residence\"],\"effective\":{\"from\":\"2026-01-01\"},"
#define SIGNED "\"signedOff\":{\"by\":\"counsel\",\"on\":\"2026-01-01\"},"
#define RULE_HEAD "\"id\":\"a\",\"words\":\"w\",\"citation\":\"c\",\"verified\":true,"
#define PATIENT_SPARED "\"unless\":[{\"recipientClass\":[\"PATIENT\"]}],"
#define PACK(rules) "{" HEAD SIGNED "\"rules\":[" rules "]}"
#define GOOD "{" RULE_HEAD PATIENT_SPARED "\"when\":{\"label\":[\"HIV\"]},\"effect\":\"deny\"}"

struct finding_row { const char *json, *expression, *wanted, *hint; };

static const struct issue *
find_issue(const struct issues *all, const struct finding_row *row)
{
    for (uint32_t i = 0; i < issues_count(all); i++) {
        const struct issue *one = issues_at(all, i);
        if (span_eq_text(one->expression, row->expression) && span_find(one->wanted, span_of(row->wanted)) != SPAN_NOT_FOUND
            && (row->hint == NULL || span_find(one->hint, span_of(row->hint)) != SPAN_NOT_FOUND))
            return one;
    }
    return NULL;
}

static void
check_rows(const struct finding_row *rows, size_t count, enum severity severity, enum status status)
{
    for (size_t i = 0; i < count; i++) {
        struct arena            *arena  = arena_new("test", 1 << 22);
        struct issues           *issues = issues_new(arena, 20);
        const struct state_pack *pack   = NULL;
        enum status              st     = state_pack_read(span_of(rows[i].json), arena, issues, &pack);
        const struct issue      *found  = find_issue(issues, &rows[i]);
        if (st != status || found == NULL || found->severity != severity || found->line == 0) {
            for (uint32_t j = 0; j < issues_count(issues); j++)
                print_message("  have %.*s: %.*s; %.*s\n", SPAN_PRINT(issues_at(issues, j)->expression),
                              SPAN_PRINT(issues_at(issues, j)->wanted), SPAN_PRINT(issues_at(issues, j)->hint));
            fail_msg("row %zu: want \"%s\" of %s", i, rows[i].wanted, rows[i].json);
        }
        arena_free(&arena);
    }
}

static void
test_refuses_what_could_mean_something_else(void **state)
{
    static const struct finding_row rows[] = {
        { "[]", "$this", "want an object", NULL },
        { "{" HEAD SIGNED "\"rules\":[" GOOD "],\"jurisdicton\":\"US-YY\"}", "jurisdicton", "no member of this name", "jurisdiction" },
        { "{" SIGNED "\"rules\":[" GOOD "]}", "id", "want a text", NULL },
        { "{" HEAD "\"rules\":[]}", "rules", "want 1 to", NULL },
        { PACK("{\"id\":\"a\",\"words\":\"w\",\"when\":{\"label\":[\"HIV\"]},\"effect\":\"deny\"}"), "rules.citation", "want the law", NULL },
        { PACK("{" RULE_HEAD "\"when\":{\"label\":[\"HIV\"]},\"effect\":\"permit\"}"), "rules.effect", "want one of", "only narrow" },
        { PACK("{" RULE_HEAD "\"when\":{\"label\":[\"42CFRPart\"]},\"effect\":\"deny\"}"), "rules.when.label", "want security labels", "42CFRPart2" },
        { PACK("{" RULE_HEAD "\"when\":{\"lable\":[\"HIV\"]},\"effect\":\"deny\"}"), "rules.when.lable", "no member", "label" },
        { PACK("{" RULE_HEAD "\"when\":{\"label\":[]},\"effect\":\"deny\"}"), "rules.when.label", "want 1 to", "leave it out" },
        { PACK("{" RULE_HEAD "\"when\":{\"type\":[\"Observaton\"]},\"effect\":\"deny\"}"), "rules.when.type", "R4 resource types", NULL },
        { PACK("{" RULE_HEAD "\"when\":{\"recipientClass\":[\"SCHOOL\"]},\"effect\":\"deny\"}"), "rules.when.recipientClass", "recipient classes", NULL },
        { PACK("{" RULE_HEAD "\"when\":{\"purpose\":[\"TREATMENT\"]},\"effect\":\"deny\"}"), "rules.when.purpose", "purposes of use", NULL },
        { PACK("{" RULE_HEAD "\"when\":{\"code\":[{\"system\":\"http://loinc.org\",\"code\":\"684345\"}]},\"effect\":\"deny\"}"), "rules.when.code", "want a code of LOINC", "check digit" },
        { PACK("{" RULE_HEAD "\"when\":{\"code\":[{\"system\":\"urn:x\",\"code\":\"1\"}]},\"effect\":\"deny\"}"), "rules.when.code", "a system that Sluice knows", NULL },
        { PACK("{" RULE_HEAD "\"when\":{\"patientAge\":{\"from\":18,\"under\":12}},\"effect\":\"deny\"}"), "rules.when.patientAge", "want whole years", NULL },
        { PACK("{" RULE_HEAD "\"when\":{\"patientAge\":{\"under\":1.5}},\"effect\":\"deny\"}"), "rules.when.under", "whole number", NULL },
        { PACK("{" RULE_HEAD "\"unless\":[{}],\"effect\":\"deny\"}"), "rules.unless", "list something", "always hold" },
        { PACK("{" RULE_HEAD "\"effect\":\"deny\",\"notice\":{\"text\":\"t\",\"version\":\"1\"}}"), "rules.notice", "with no other", NULL },
        { PACK("{" RULE_HEAD "\"effect\":\"notice\"}"), "rules.notice", "want a notice", NULL },
        { PACK("{" RULE_HEAD "\"effect\":\"duration\"}"), "rules.consent.withinDays", "how many days", NULL },
        { PACK("{" RULE_HEAD "\"effect\":\"deny\",\"consent\":{\"withinDays\":3}}"), "rules.consent", "only", NULL },
        { PACK("{" RULE_HEAD "\"effect\":\"consent\",\"consent\":{\"specific\":true}}"), "rules.consent.specific", "labels or codes", NULL },
        { PACK("{" RULE_HEAD "\"effect\":\"consent\",\"consent\":{\"withinDays\":99999999999}}"), "rules.consent.withinDays", "whole number", NULL },
        { PACK(GOOD "," GOOD), "rules(a)", "stands twice", NULL },
        { "{\"id\":\"x\",\"version\":\"1\",\"jurisdiction\":\"Minnesota\",\"appliesTo\":[\"service\"],\"effective\":{\"from\":\"2026-01-01\"},\"rules\":[" GOOD "]}",
          "jurisdiction", "ISO 3166-2", NULL },
        { "{\"id\":\"x\",\"version\":\"1\",\"jurisdiction\":\"US-XX\",\"appliesTo\":[\"birth\"],\"effective\":{\"from\":\"2026\"},\"rules\":[" GOOD "]}",
          "appliesTo", "want one of", NULL },
        { "{\"id\":\"x\",\"version\":\"1\",\"jurisdiction\":\"US-XX\",\"appliesTo\":[\"service\"],\"effective\":{\"from\":\"2026-02-02\",\"until\":\"2026-02-02\"},\"rules\":[" GOOD "]}",
          "effective.until", "a day after", NULL },
    };

    (void)state;
    check_rows(rows, sizeof rows / sizeof *rows, SEVERITY_ERROR, ST_MALFORMED);
}

static void
test_says_what_is_off_or_useless(void **state)
{
    static const struct finding_row rows[] = {
        { "{" HEAD "\"rules\":[" GOOD "]}", "signedOff", "off whatever", "counsel" },
        { PACK("{\"id\":\"a\",\"words\":\"w\",\"citation\":\"c\"," PATIENT_SPARED "\"effect\":\"deny\"}"), "rules(a)", "not verified", NULL },
        { PACK("{" RULE_HEAD "\"effect\":\"deny\"}"), "rules(a)", "keeps the record from the patient", "PATIENT" },
        { PACK(GOOD ",{\"id\":\"b\",\"words\":\"w\",\"citation\":\"c\",\"verified\":true," PATIENT_SPARED "\"when\":{\"label\":[\"HIV\"],\"type\":[\"Observation\"]},\"effect\":\"hold\"}"),
          "rules(b)", "\"a\" takes as much", NULL },
        { PACK("{" RULE_HEAD "\"when\":{\"recipientClass\":[\"PATIENT\"]}," PATIENT_SPARED "\"effect\":\"deny\"}"), "rules(a)", "never applies", NULL },
        { PACK("{" RULE_HEAD PATIENT_SPARED "\"when\":{\"type\":[\"Observation\"]},\"effect\":\"deny\"}"), "rules(a)", "types alone", NULL },
    };

    (void)state;
    check_rows(rows, sizeof rows / sizeof *rows, SEVERITY_WARNING, ST_OK);
}

static void
test_says_nothing_of_a_good_pack(void **state)
{
    struct arena            *arena  = arena_new("test", 1 << 20);
    struct issues           *issues = issues_new(arena, 20);
    const struct state_pack *pack   = NULL;

    (void)state;
    assert_int_equal(state_pack_read(SPAN(PACK(GOOD)), arena, issues, &pack), ST_OK);
    assert_int_equal(issues_count(issues), 0);
    assert_null(pack->off);
    assert_int_equal(state_packs_valid_until(&pack, 1, 0), pack->from_ms);
    arena_free(&arena);
}

/* ---- a pack can only narrow ---------------------------------------------------------- */

static uint64_t seed;

static uint32_t
pick(uint32_t below)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(seed >> 33) % below;
}

static const char *
one_of(const char *const *words)
{
    uint32_t n = 0;

    while (words[n] != NULL)
        n++;
    return words[pick(n)];
}

static void
add_condition(struct buf *b)
{
    static const char *const labels[]  = { "HIV", "SUD", "MH", "STD", "42CFRPart2", "R", NULL };
    static const char *const types[]   = { "Observation", "Condition", "Patient", "MedicationRequest", NULL };
    static const char *const classes[] = { "PATIENT", "CE_PROVIDER", "HEALTH_PLAN", NULL };
    static const char *const codes[]   = { "{\"system\":\"http://hl7.org/fhir/sid/icd-10-cm\",\"code\":\"F11\"}",
                                           "{\"system\":\"http://loinc.org\",\"code\":\"8867-4\"}", NULL };
    static const char *const purposes[] = { "TREAT", "HPAYMT", "ETREAT", NULL };
    uint32_t kind = pick(7);

    if (kind == 0)
        buf_add_format(b, "{\"label\":[\"%s\"],\"type\":[\"%s\"]}", one_of(labels), one_of(types));
    else if (kind == 1)
        buf_add_format(b, "{\"type\":[\"%s\"]}", one_of(types));
    else if (kind == 2)
        buf_add_format(b, "{\"code\":[%s]}", one_of(codes));
    else if (kind == 3)
        buf_add_format(b, "{\"recipientClass\":[\"%s\"],\"part2\":%s}", one_of(classes), pick(2) ? "true" : "false");
    else if (kind == 4)
        buf_add_format(b, "{\"purpose\":[\"%s\"],\"label\":[\"%s\"]}", one_of(purposes), one_of(labels));
    else if (kind == 5)
        buf_add_format(b, "{\"patientAge\":{\"from\":%u,\"under\":%u}}", 1 + pick(30), 31 + pick(40));
    else
        buf_add_format(b, "{\"label\":[\"%s\"]}", one_of(labels));
}

static void
add_pack(struct buf *b, uint32_t number)
{
    static const char *const effects[] = { "\"deny\"", "\"hold\"", "\"consent\"", "\"consent\",\"consent\":{\"withinDays\":300}",
                                           "\"duration\",\"consent\":{\"withinDays\":200}",
                                           "\"notice\",\"notice\":{\"text\":\"A notice.\",\"version\":\"1\"}", NULL };
    static const char *const places[]  = { "US-XX", "US-YY", NULL };
    uint32_t                 rules     = 1 + pick(4);

    buf_add_format(b, "%s{\"id\":\"p%u\",\"version\":\"1\",\"jurisdiction\":\"%s\",\"appliesTo\":[\"residence\",\"custodian\"],"
                      "\"effective\":{\"from\":\"2026-01-01\"}," SIGNED "\"rules\":[", number > 0 ? "," : "", number, one_of(places));
    for (uint32_t i = 0; i < rules; i++) {
        buf_add_format(b, "%s{\"id\":\"r%u\",\"words\":\"w\",\"citation\":\"c\",\"verified\":true,\"when\":", i > 0 ? "," : "", i);
        add_condition(b);
        if (pick(2)) {
            buf_add_text(b, ",\"unless\":[");
            add_condition(b);
            buf_add_text(b, "]");
        }
        buf_add_format(b, ",\"effect\":%s}", one_of(effects));
    }
    buf_add_text(b, "]}");
}

#define LABELLED(code) "\"meta\":{\"security\":[{\"system\":\"http://terminology.hl7.org/CodeSystem/v3-ActCode\",\"code\":\"" code "\"}]},"
static const char bundle_text[] =
    "{\"resourceType\":\"Bundle\",\"type\":\"collection\",\"entry\":["
    "{\"resource\":{\"resourceType\":\"Patient\",\"id\":\"p\",\"birthDate\":\"1990-05-06\",\"address\":[{\"state\":\"XX\"}]}},"
    "{\"resource\":{\"resourceType\":\"Observation\",\"id\":\"pulse\",\"status\":\"final\",\"subject\":{\"reference\":\"Patient/p\"},"
    "\"code\":{\"coding\":[{\"system\":\"http://loinc.org\",\"code\":\"8867-4\"}]}}},"
    "{\"resource\":{\"resourceType\":\"Condition\",\"id\":\"oud\"," LABELLED("SUD") "\"subject\":{\"reference\":\"Patient/p\"},"
    "\"code\":{\"coding\":[{\"system\":\"http://hl7.org/fhir/sid/icd-10-cm\",\"code\":\"F11.20\"}]}}},"
    "{\"resource\":{\"resourceType\":\"Condition\",\"id\":\"hiv\"," LABELLED("HIV") "\"subject\":{\"reference\":\"Patient/p\"}}},"
    "{\"resource\":{\"resourceType\":\"Observation\",\"id\":\"mood\"," LABELLED("MH") "\"status\":\"final\",\"subject\":{\"reference\":\"Patient/p\"}}},"
    "{\"resource\":{\"resourceType\":\"MedicationRequest\",\"id\":\"rx\",\"status\":\"active\",\"subject\":{\"reference\":\"Patient/p\"},"
    "\"reasonReference\":[{\"reference\":\"Condition/hiv\"}]}}]}";

static void
add_request(struct buf *b)
{
    static const char *const classes[]  = { "CE_PROVIDER", "HEALTH_PLAN", "PATIENT", "COURT", NULL };
    static const char *const purposes[] = { "\"TREAT\"", "\"HPAYMT\"", "\"ETREAT\"", "\"TREAT\",\"HPAYMT\"", "", NULL };
    static const char *const senders[]  = { "program", "not-program", "unknown", NULL };
    static const char *const dates[]    = { "2026-11-20", "2026-03-01", "2025-01-01", NULL };
    static const char *const labels[]   = { "SUD", "HIV", "SPI", "N", NULL };
    static const char *const types[]    = { "permit", "permit", "deny", NULL };

    buf_add_format(b, "{\"at\":\"2026-11-22T15:00:00Z\",\"patient\":\"Patient/p\",\"labels\":\"given\",\"actor\":{\"reference\":\"Organization/a\",\"class\":[\"%s\"]},"
                      "\"purpose\":[%s],\"source\":{\"part2\":\"%s\"},\"jurisdiction\":{\"custodian\":\"US-YY\"},\"consents\":[",
                   one_of(classes), one_of(purposes), one_of(senders));
    for (uint32_t i = 0, n = pick(3); i < n; i++) {
        buf_add_format(b, "%s{\"resourceType\":\"Consent\",\"id\":\"c%u\",\"status\":\"active\",\"scope\":{\"coding\":[{\"code\":\"patient-privacy\"}]},"
                          "\"patient\":{\"reference\":\"Patient/p\"},\"dateTime\":\"%s\",\"provision\":{\"type\":\"%s\",\"actor\":[{\"reference\":{\"reference\":\"Organization/a\"}}]",
                       i > 0 ? "," : "", i, one_of(dates), one_of(types));
        if (pick(2))
            buf_add_format(b, ",\"securityLabel\":[{\"code\":\"%s\"}]", one_of(labels));
        buf_add_text(b, "}}");
    }
    buf_add_text(b, "]");
}

static const struct release *
release_with(struct span request, struct arena *arena, const struct bundle *bundle, const struct references *references)
{
    struct issues        *issues = issues_new(arena, 20);
    const struct facts   *facts  = NULL;
    const struct release *out    = NULL;

    if (facts_read(request, arena, issues, &facts) != ST_OK)
        fail_msg("%.*s: %.*s", SPAN_PRINT(issues_at(issues, 0)->expression), SPAN_PRINT(issues_at(issues, 0)->wanted));
    assert_int_equal(release_make(bundle, references, NULL, facts, arena, &out), ST_OK);
    return out;
}

/* Returns whether the packs changed something. */
static bool
narrows(struct arena *arena, const struct bundle *bundle, const struct references *references)
{
    struct buf with, without;
    bool       touched = false;

    buf_init(&with, 1 << 20);
    buf_init(&without, 1 << 20);
    add_request(&with);
    buf_add(&without, buf_span(&with));
    buf_add_text(&without, "}");
    buf_add_text(&with, ",\"packs\":[");
    for (uint32_t i = 0, n = 1 + pick(2); i < n; i++)
        add_pack(&with, i);
    buf_add_text(&with, "]}");
    const struct release *more = release_with(buf_span(&without), arena, bundle, references);
    const struct release *less = release_with(buf_span(&with), arena, bundle, references);
    for (uint32_t e = 0; e < bundle->count; e++) {
        const struct decision *a = &more->plan->decisions[e], *b = &less->plan->decisions[e];
        if (b->verdict > a->verdict)
            fail_msg("entry %u: %s becomes %s by %.*s", e, verdict_text(a->verdict), verdict_text(b->verdict), SPAN_PRINT(buf_span(&with)));
        touched |= b->rule == RULE_STATE || b->notices != NULL;
    }
    if (!touched && !span_eq(more->payload, less->payload))
        fail_msg("no rule matched, and the bytes differ: %.*s", SPAN_PRINT(buf_span(&with)));
    assert_true(less->valid_until_ms <= more->valid_until_ms);
    buf_release(&with);
    buf_release(&without);
    return touched;
}

static void
test_a_pack_only_ever_narrows(void **state)
{
    enum { ROUNDS = 2000 };
    unsigned touched = 0;

    (void)state;
    for (uint32_t i = 0; i < ROUNDS; i++) {
        struct arena            *arena  = arena_new("test", 1 << 25);
        struct issues           *issues = issues_new(arena, 20);
        const struct tape       *tape;
        const struct bundle     *bundle;
        const struct references *references;
        seed = i;
        assert_int_equal(tape_read(span_of(bundle_text), &tape_default_limits, arena, &tape, NULL), ST_OK);
        assert_int_equal(bundle_read(tape, arena, issues, &bundle), ST_OK);
        assert_int_equal(references_read(bundle, arena, &references), ST_OK);
        touched += narrows(arena, bundle, references);
        arena_free(&arena);
    }
    assert_true(touched > ROUNDS / 4 && touched < ROUNDS);
}

static void
test_a_notice_goes_along_with_what_leaves_and_with_nothing_else(void **state)
{
    static const char rule[] = "{\"id\":\"n\",\"words\":\"w\",\"citation\":\"c\",\"verified\":true,\"when\":{\"label\":[\"HIV\"]},"
                               "\"effect\":\"notice\",\"notice\":{\"text\":\"State law protects this.\",\"version\":\"1\"}}";
    static const char *const more[] = { "", ",{" RULE_HEAD "\"when\":{\"label\":[\"HIV\"]},\"effect\":\"deny\"}" };

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct arena            *arena  = arena_new("test", 1 << 22);
        struct issues           *issues = issues_new(arena, 20);
        const struct tape       *tape;
        const struct bundle     *bundle;
        const struct references *references;
        assert_int_equal(tape_read(span_of(bundle_text), &tape_default_limits, arena, &tape, NULL), ST_OK);
        assert_int_equal(bundle_read(tape, arena, issues, &bundle), ST_OK);
        assert_int_equal(references_read(bundle, arena, &references), ST_OK);
        struct span request = arena_format(arena, "{\"at\":\"2026-11-22T15:00:00Z\",\"actor\":{\"reference\":\"Organization/a\"},\"purpose\":[\"TREAT\"],"
                                           "\"labels\":\"given\",\"source\":{\"part2\":\"not-program\"},\"packs\":[{" HEAD SIGNED "\"rules\":[%s%s]}]}", rule, more[i]);
        const struct release *r = release_with(request, arena, bundle, references);
        assert_int_equal(span_find(r->payload, SPAN("State law protects this.")) != SPAN_NOT_FOUND, i == 0);
        assert_int_equal((r->obligations & OBLIGE_STATE_NOTICE) != 0, i == 0);
        arena_free(&arena);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refuses_what_could_mean_something_else),
        cmocka_unit_test(test_says_what_is_off_or_useless),
        cmocka_unit_test(test_says_nothing_of_a_good_pack),
        cmocka_unit_test(test_a_pack_only_ever_narrows),
        cmocka_unit_test(test_a_notice_goes_along_with_what_leaves_and_with_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
