/* tests/consent/test_obligation.c -- the notice word for word, and where it stands. */
#include "tests/consent/world.h"

/* 42 CFR 2.32(a)(1) and (2) as amended 2024, written here a second time. */
static const char notice_1[] =
    "This record which has been disclosed to you is protected by Federal confidentiality rules (42 CFR part 2). These rules prohibit you from using or disclosing this record, or testimony that describes the information contained in this record, in any civil, criminal, administrative, or legislative proceedings by any Federal, State, or local authority, against the patient, unless authorized by the consent of the patient, except as provided at 42 CFR 2.12(c)(5) or as authorized by a court in accordance with 42 CFR 2.64 or 2.65. In addition, the Federal rules prohibit you from making any other use or disclosure of this record unless at least one of the following applies: (i) Further use or disclosure is expressly permitted by the written consent of the individual whose information is being disclosed in this record or as otherwise permitted by 42 CFR part 2. (ii) You are a covered entity or business associate and have received the record for treatment, payment, or health care operations, or (iii) You have received the record from a covered entity or business associate as permitted by 45 CFR part 164, subparts A and E. A general authorization for the release of medical or other information is NOT sufficient to meet the required elements of written consent to further use or redisclose the record (see 42 CFR 2.31).";
static const char notice_2[] = "42 CFR part 2 prohibits unauthorized use or disclosure of these records.";

static void
test_the_notices_are_those_of_2024_word_for_word(void **state)
{
    /* RD-08: what the notices said before. */
    static const char *const superseded[] = {
        "prohibit you from making any further disclosure", "prohibits unauthorized disclosure",
        "The Federal rules restrict any use of the information to criminally investigate or prosecute",
        "unless further disclosure is expressly permitted",
    };
    (void)state;
    assert_string_equal(obligation_notice_long, notice_1);
    assert_string_equal(obligation_notice_short, notice_2);
    assert_string_equal(obligation_text(OBLIGE_NOTICE), notice_1);
    for (size_t i = 0; i < sizeof superseded / sizeof *superseded; i++) {
        assert_null(strstr(obligation_notice_long, superseded[i]));
        assert_null(strstr(obligation_notice_short, superseded[i]));
    }
}

static void
test_every_obligation_has_a_code_and_a_text(void **state)
{
    static const struct { enum obligation bit; const char *code; } rows[] = {
        { OBLIGE_NOTICE, "notice-2.32" }, { OBLIGE_CONSENT_COPY, "consent-copy-2.32" },
        { OBLIGE_ACCOUNTING, "accounting-2.25" }, { OBLIGE_AUDIT, "audit" },
        { OBLIGE_EMERGENCY, "document-emergency-2.51" }, { OBLIGE_REVIEW, "post-hoc-review" },
        { OBLIGE_NO_REUSE, "no-further-use-2.26" }, { OBLIGE_INTERMEDIARY, "intermediary-list-2.24" },
        { OBLIGE_STATE_NOTICE, "state-notice" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_string_equal(obligation_code(rows[i].bit), rows[i].code);
        assert_true(strlen(obligation_text(rows[i].bit)) > 20);
    }
    assert_null(obligation_code((enum obligation)512));
    assert_null(obligation_text((enum obligation)512));
}

static struct span
explain(struct world *w)
{
    return obligation_explain_consent(policy_consent(w->policy, 0), w->facts, w->arena);
}

static void
test_the_explanation_is_of_this_recipients_part_alone(void **state)
{
    static const struct { const char *consent, *has, *lacks; } rows[] = {
        { CONSENT("c1", "2024-01-01", "{\"type\":\"permit\"," TO("Organization/orgA") "," TPO ",\"period\":{\"end\":\"2027-06-30\"}}"),
          "(Consent/c1, dated 2024-01-01) permits this disclosure to you, for treatment, payment, and health care operations, until 2027-06-30.", "orgA" },
        { CONSENT("c1", "2024-01-01", "{\"type\":\"permit\"}"), "permits this disclosure to you. ", ", of" },
        { CONSENT("c1", "2024-01-01", "{\"type\":\"deny\",\"provision\":[{\"type\":\"permit\"," TO("Organization/orgA") ",\"purpose\":[" FOR("HRESCH") "]},"
                  "{\"type\":\"permit\"," TO("Organization/orgB") ",\"purpose\":[" FOR("TREAT") "],\"securityLabel\":[" LABEL_ACT("HIV") "]}]}"), "to you. It may", "orgB" },
        { CONSENT("c1", "2024-01-01", "{\"type\":\"permit\"," TPO ",\"provision\":[{\"type\":\"deny\",\"securityLabel\":[" LABEL_ACT("HIV") "]}]}"),
          "health care operations", "HIV" },
        { CONSENT("c1", "2024-01-01", "{\"type\":\"permit\",\"purpose\":[" FOR("TREAT") "," FOR("HACCRED") "],\"securityLabel\":[" LABEL_ACT("SUD") "," LABEL_CONF("R") "],\"class\":[{\"code\":\"Condition\"}],\"dataPeriod\":{\"start\":\"2022\",\"end\":\"2023\"}}"),
          "for treatment, HACCRED, of substance use disorder information sensitivity (SUD), restricted data (R), Condition, data from 2022-01-01 on, data up to 2023-12-31", "orgA" },
        { CONSENT("c1", "2024-01-01", "{\"type\":\"permit\",\"code\":[{\"coding\":[{\"code\":\"F11.20\"}]},{\"text\":\"methadone\"}],\"data\":[{\"meaning\":\"instance\",\"reference\":{\"reference\":\"Condition/x\"}}]}"),
          "code F11.20, methadone, Condition/x", "orgA" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {                              /* RD-10 */
        char request[8192];
        snprintf(request, sizeof request, REQUEST_WITH(ORG_A ",\"purpose\":[\"TREAT\"]", "%s"), rows[i].consent);
        struct world w    = world_read(request, BUNDLE(OPIOID));
        struct span  text = explain(&w);
        if (span_find(text, span_of(rows[i].has)) == SPAN_NOT_FOUND || span_find(text, span_of(rows[i].lacks)) != SPAN_NOT_FOUND)
            fail_msg("row %zu: %.*s", i, SPAN_PRINT(text));
        assert_int_not_equal(span_find(text, SPAN("revoked at any time")), SPAN_NOT_FOUND);
        assert_int_not_equal(span_find(text, SPAN("counseling notes")), SPAN_NOT_FOUND);
        world_end(&w);
    }
}

#define BOTH (OBLIGE_NOTICE | OBLIGE_CONSENT_COPY)

/* The result of attaching to this bundle; `meta` is what goes before "type". */
static struct span
attach(struct world *w, uint32_t obligations, size_t consents)
{
    struct obligation_scope all[1] = { { .consent = policy_consent(w->policy, 0) } };
    struct splices       *s      = splices_new(w->bundle->tape, w->arena);

    assert_int_equal(obligation_attach(s, w->bundle, obligations, all, consents, w->facts, w->arena), ST_OK);
    assert_int_equal(splices_seal(s), ST_OK);
    return splices_flat(s, w->arena);
}

/* Reads the result again: the extension array, and what it holds. */
static tape_node
read_again(struct world *w, struct span json, const struct tape **tape)
{
    assert_int_equal(tape_read(json, &tape_default_limits, w->arena, tape, NULL), ST_OK);
    return tape_member(*tape, tape_member(*tape, TAPE_ROOT, SPAN("meta")), SPAN("extension"));
}

static void
test_stands_in_the_meta_of_the_bundle_whatever_was_there(void **state)
{
    static const struct { const char *meta; uint32_t before; } rows[] = {
        { "", 0 },
        { "\"meta\":{\"lastUpdated\":\"2024-01-01T00:00:00Z\"},", 0 },
        { "\"meta\":{\"security\":[" LABEL_CONF("R") "]},", 0 },
        { "\"meta\":{\"extension\":[{\"url\":\"urn:x\",\"valueString\":\"y\"}]},", 1 },
        { "\"meta\": { \"security\" : [ ] , \"extension\" : [ { \"url\" : \"urn:x\" } , { \"url\" : \"urn:y\" } ] },", 2 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char json[4096];
        snprintf(json, sizeof json, "{\"resourceType\":\"Bundle\",%s\"type\":\"collection\",\"entry\":[%s]}", rows[i].meta, OPIOID);
        struct world       w = world_read(REQUEST(CONSENT("c1", "2024-01-01", "{\"type\":\"permit\"," TPO "}")), json);
        const struct tape *tape;
        struct span        out  = attach(&w, BOTH, 1);
        tape_node          list = read_again(&w, out, &tape);
        assert_int_equal(tape_children(tape, list), rows[i].before + 2);
        tape_node one  = tape_item(tape, list, rows[i].before);
        tape_node text = tape_member(tape, tape_member(tape, one, SPAN("valueAnnotation")), SPAN("text"));
        assert_true(tape_text_eq(tape, tape_member(tape, one, SPAN("url")), SPAN(OBLIGATION_DISPLAY_URL)));
        assert_true(tape_text_eq(tape, text, span_of(notice_1)));
        assert_int_not_equal(span_find(out, span_of(notice_1)), SPAN_NOT_FOUND);       /* also as bytes */
        text = tape_member(tape, tape_member(tape, tape_item(tape, list, rows[i].before + 1), SPAN("valueAnnotation")), SPAN("text"));
        assert_int_not_equal(span_find(tape_text(tape, text, w.arena), SPAN("Consent/c1")), SPAN_NOT_FOUND);
        assert_int_not_equal(span_find(out, SPAN(OPIOID)), SPAN_NOT_FOUND);            /* resources stay byte for byte */
        world_end(&w);
    }
}

static void
test_goes_only_where_a_consent_was_the_basis(void **state)
{
    (void)state;
    struct world w = world_read(REQUEST(CONSENT("c1", "2024-01-01", "{\"type\":\"permit\"," TPO "}")), BUNDLE(OPIOID));
    assert_true(span_eq(attach(&w, OBLIGE_AUDIT | OBLIGE_ACCOUNTING | OBLIGE_EMERGENCY, 1), SPAN(BUNDLE(OPIOID))));
    assert_int_equal(span_find(attach(&w, OBLIGE_CONSENT_COPY, 1), span_of(notice_1)), SPAN_NOT_FOUND);
    const struct tape *tape;
    assert_int_equal(tape_children(tape, read_again(&w, attach(&w, OBLIGE_NOTICE, 1), &tape)), 1);
    world_end(&w);
}

static void
test_survives_what_the_plan_cut(void **state)
{
    static const char json[] = "{\"resourceType\":\"Bundle\",\"meta\":{\"extension\":[{\"url\":\"urn:x\"}]},\"type\":\"collection\",\"entry\":[" OPIOID "]}";
    (void)state;
    for (int what = 0; what < 4; what++) {
        struct world          w      = world_read(REQUEST(CONSENT("c1", "2024-01-01", "{\"type\":\"permit\"," TPO "}")), json);
        const struct consent *c      = policy_consent(w.policy, 0);
        struct splices       *s      = splices_new(w.bundle->tape, w.arena);
        tape_node             meta   = tape_member(w.bundle->tape, w.bundle->root, SPAN("meta"));
        tape_node             list   = tape_member(w.bundle->tape, meta, SPAN("extension"));
        tape_node             cuts[] = { meta, list, tape_first(w.bundle->tape, list), w.bundle->root };
        const struct tape    *tape;
        splices_cut(s, cuts[what]);
        assert_int_equal(obligation_attach(s, w.bundle, BOTH, &(struct obligation_scope){ .consent = c }, 1, w.facts, w.arena), ST_OK);
        assert_int_equal(splices_seal(s), ST_OK);
        if (what == 3) {
            assert_int_equal(splices_length(s), 0);
        } else {
            tape_node now = read_again(&w, splices_flat(s, w.arena), &tape);
            assert_int_equal(tape_children(tape, now), 2);
        }
        world_end(&w);
    }
}

static void
test_a_single_resource_carries_it_in_its_own_meta(void **state)
{
    (void)state;
    struct world w = world_read(REQUEST(CONSENT("c1", "2024-01-01", "{\"type\":\"permit\"," TPO "}")),
                                "{\"resourceType\":\"Condition\",\"id\":\"x\"," OF_P1 "}");
    const struct tape *tape;
    assert_int_equal(tape_children(tape, read_again(&w, attach(&w, BOTH, 1), &tape)), 2);
    world_end(&w);
}

static void
test_refuses_a_meta_that_is_none_and_no_memory(void **state)
{
    (void)state;
    struct world w = world_read(REQUEST(CONSENT("c1", "2024-01-01", "{\"type\":\"permit\"," TPO "}")),
                                "{\"resourceType\":\"Bundle\",\"meta\":7,\"type\":\"collection\"}");
    const struct consent *c = policy_consent(w.policy, 0);
    struct splices       *s = splices_new(w.bundle->tape, w.arena);
    assert_int_equal(obligation_attach(s, w.bundle, BOTH, &(struct obligation_scope){ .consent = c }, 1, w.facts, w.arena), ST_MALFORMED);
    world_end(&w);

    w = world_read(REQUEST(CONSENT("c1", "2024-01-01", "{\"type\":\"permit\"," TPO "}")), BUNDLE(OPIOID));
    c = policy_consent(w.policy, 0);
    for (size_t budget = 64; budget < 4096; budget += 128) {
        struct arena  *small = arena_new("small", budget);
        struct splices *own  = splices_new(w.bundle->tape, w.arena);
        enum status    st    = obligation_attach(own, w.bundle, BOTH, &(struct obligation_scope){ .consent = c }, 1, w.facts, small);
        assert_true(st == ST_NO_MEMORY || st == ST_OK);
        arena_free(&small);
    }
    struct arena *none = arena_new("none", 16);
    assert_true(span_empty(obligation_explain_consent(c, w.facts, none)));
    arena_free(&none);
    world_end(&w);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_notices_are_those_of_2024_word_for_word),
        cmocka_unit_test(test_every_obligation_has_a_code_and_a_text),
        cmocka_unit_test(test_the_explanation_is_of_this_recipients_part_alone),
        cmocka_unit_test(test_stands_in_the_meta_of_the_bundle_whatever_was_there),
        cmocka_unit_test(test_goes_only_where_a_consent_was_the_basis),
        cmocka_unit_test(test_survives_what_the_plan_cut),
        cmocka_unit_test(test_a_single_resource_carries_it_in_its_own_meta),
        cmocka_unit_test(test_refuses_a_meta_that_is_none_and_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
