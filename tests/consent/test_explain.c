/* tests/consent/test_explain.c -- why, in one schema, one member order, and as text. */
#include "consent/explain.h"
#include "tests/consent/world.h"
#include "tests/support/check.h"

#define PATIENT ENTRY("{\"resourceType\":\"Patient\",\"id\":\"p1\"}")
#define PLAN                                                                                                  \
    ENTRY("{\"resourceType\":\"CarePlan\",\"id\":\"plan\",\"status\":\"active\",\"intent\":\"plan\"," OF_P1          \
          ",\"addresses\":[{\"reference\":\"Condition/opioid\",\"display\":\"Opioid dependence\"}]}")
#define EXCEPT_SUD CONSENT("c1", "2024-01-01", "{\"type\":\"permit\",\"provision\":[{\"type\":\"deny\",\"securityLabel\":[" LABEL_ACT("SUD") "]}]}")
#define GIVEN(consents) "{" AT "," ORG_A ",\"purpose\":[\"TREAT\"],\"labels\":\"given\"," ACTORS ",\"consents\":[" consents "]}"

static const struct release *
release(struct world *w, const char *request, const char *bundle)
{
    const struct release *r;

    *w = world_read(request, bundle);
    assert_int_equal(release_make(w->bundle, w->references, NULL, w->facts, w->arena, &r), ST_OK);
    return r;
}

static struct span
printed(struct world *w, const struct release *r, bool json)
{
    struct buf  out;
    struct span text;

    buf_init(&out, 1 << 20);
    assert_int_equal(json ? explain_json(r, w->arena, &out, AUTHOR_COMPACT) : explain_text(r, w->arena, &out), ST_OK);
    text = arena_copy(w->arena, buf_span(&out));
    buf_release(&out);
    return text;
}

static const struct tape *
read_again(struct world *w, struct span json)
{
    const struct tape *tape;

    assert_int_equal(tape_read(json, &tape_default_limits, w->arena, &tape, NULL), ST_OK);
    return tape;
}

static tape_node
resource(const struct tape *t, const char *id)
{
    for (tape_node n = tape_first(t, tape_member(t, TAPE_ROOT, SPAN("resources"))); n != TAPE_ABSENT; n = tape_next(t, n))
        if (tape_text_eq(t, tape_member(t, n, SPAN("id")), span_of(id)))
            return n;
    fail_msg("%s is not explained", id);
    return TAPE_ABSENT;
}

static void
check_member(const struct tape *t, tape_node object, const char *name, const char *want)
{
    tape_node n = tape_member(t, object, span_of(name));

    if (want == NULL ? tape_kind(t, n) != TAPE_NULL : !tape_text_eq(t, n, span_of(want)))
        fail_msg("%s: want %s", name, want != NULL ? want : "null");
}

static void
test_names_rule_citation_consent_and_provision_of_every_resource(void **state)
{
    (void)state;
    struct world          w;
    const struct release *r = release(&w, GIVEN(EXCEPT_SUD), BUNDLE(PATIENT "," GLUCOSE "," OPIOID));
    const struct tape    *t = read_again(&w, printed(&w, r, true));

    check_member(t, TAPE_ROOT, "decision", "partial");
    tape_node one = resource(t, "opioid");
    check_member(t, one, "path", "Bundle.entry[2].resource");
    check_member(t, one, "type", "Condition");
    check_member(t, one, "part2", "suspect");
    check_member(t, one, "verdict", "deny");
    check_member(t, one, "rule", "C-D");
    check_member(t, one, "citation", "42 CFR 2.31(a)");
    check_member(t, one, "consent", "Consent/c1");
    check_member(t, one, "provision", "provision.provision[0]");
    check_member(t, one, "because", "Consent/c1 of 2024-01-01 excludes this data");
    tape_node labels = tape_member(t, one, SPAN("labels"));
    assert_true(tape_text_eq(t, tape_item(t, labels, 0), SPAN("SUD")));
    assert_true(tape_text_eq(t, tape_item(t, labels, 1), SPAN("R")));
    one = resource(t, "glucose");
    check_member(t, one, "part2", "not");
    check_member(t, one, "verdict", "permit");
    check_member(t, one, "rule", "C-P");
    assert_int_equal(tape_children(t, tape_member(t, one, SPAN("alsoRemoved"))), 0);
    assert_int_equal(tape_children(t, tape_member(t, TAPE_ROOT, SPAN("obligations"))), 1);
    world_end(&w);
}

static void
test_keeps_the_member_order_of_the_interface(void **state)
{
    static const char *const top[] = { "decision", "resources", "obligations", "alsoRemoved" };
    static const char *const one[] = { "path", "type", "id", "labels", "part2", "verdict", "rule", "citation", "consent",
                                       "provision", "because", "alsoRemoved", "document", "limit", "silent", "pack" };
    (void)state;
    struct world          w;
    const struct release *r = release(&w, GIVEN(""), BUNDLE(GLUCOSE "," OPIOID));
    const struct tape    *t = read_again(&w, printed(&w, r, true));
    size_t                i = 0;

    for (tape_node n = tape_first(t, TAPE_ROOT); n != TAPE_ABSENT; n = tape_next(t, n))
        assert_true(tape_text_eq(t, tape_name(t, n), span_of(top[i++])));
    assert_int_equal(i, 4);
    for (tape_node e = tape_first(t, tape_member(t, TAPE_ROOT, SPAN("resources"))); e != TAPE_ABSENT; e = tape_next(t, e)) {
        i = 0;
        for (tape_node n = tape_first(t, e); n != TAPE_ABSENT; n = tape_next(t, n))
            assert_true(tape_text_eq(t, tape_name(t, n), span_of(one[i++])));
        assert_int_equal(i, 16);
        check_member(t, e, "consent", NULL);
        check_member(t, e, "provision", NULL);
        check_member(t, e, "document", NULL);
        check_member(t, e, "limit", NULL);
    }
    world_end(&w);
}

static void
test_lists_what_went_along_with_the_resource_that_caused_it(void **state)
{
    (void)state;
    struct world          w;
    const struct release *r = release(&w, GIVEN(EXCEPT_SUD), BUNDLE(PATIENT "," OPIOID "," PLAN));
    struct span           json = printed(&w, r, true);
    const struct tape    *t = read_again(&w, json);
    tape_node             cuts = tape_member(t, resource(t, "opioid"), SPAN("alsoRemoved"));

    check_member(t, resource(t, "plan"), "verdict", "redact");
    assert_true(tape_children(t, cuts) > 0);
    tape_node path = tape_member(t, tape_first(t, cuts), SPAN("path"));
    assert_true(span_starts(tape_text(t, path, w.arena), SPAN("Bundle.entry[2].resource.addresses")));
    struct span text = printed(&w, r, false);
    assert_int_not_equal(span_find(text, SPAN("also removed, C2: Bundle.entry[2].resource.addresses")), SPAN_NOT_FOUND);
    assert_int_not_equal(span_find(text, SPAN("decision: partial")), SPAN_NOT_FOUND);
    assert_int_not_equal(span_find(text, SPAN("by Consent/c1, provision.provision[0]")), SPAN_NOT_FOUND);
    world_end(&w);
}

static void
test_prints_the_obligations_of_what_leaves(void **state)
{
    static const char *const codes[] = { "notice-2.32", "consent-copy-2.32", "accounting-2.25", "audit" };
    (void)state;
    struct world          w;
    const struct release *r = release(&w, GIVEN(CONSENT("c1", "2024-01-01", "{\"type\":\"permit\"," TPO "}")), BUNDLE(OPIOID));
    const struct tape    *t = read_again(&w, printed(&w, r, true));
    size_t                i = 0;

    for (tape_node n = tape_first(t, tape_member(t, TAPE_ROOT, SPAN("obligations"))); n != TAPE_ABSENT; n = tape_next(t, n))
        check_member(t, n, "code", codes[i++]);
    assert_int_equal(i, 4);
    check_member(t, TAPE_ROOT, "decision", "permit");
    check_member(t, resource(t, "opioid"), "rule", "R-01");
    assert_int_not_equal(span_find(printed(&w, r, false), SPAN("notice-2.32: This record")), SPAN_NOT_FOUND);
    world_end(&w);
}

#define TWO_GRANTS                                                                                                          \
    CONSENT("c1", "2024-01-01", "{\"type\":\"permit\"," TO("Organization/orgA") "," TPO ",\"securityLabel\":[" LABEL_ACT("SUD") "]}") "," \
    CONSENT("c2", "2024-01-01", "{\"type\":\"permit\"," TO("Organization/orgA") ",\"class\":[{\"code\":\"Observation\"}]}")

static void
test_explains_only_consents_on_which_a_part_2_record_leaves(void **state)
{
    (void)state;
    struct world          w;
    const struct release *r = release(&w, GIVEN(TWO_GRANTS), BUNDLE(GLUCOSE "," OPIOID));

    assert_int_equal(r->outcome, RELEASE_PERMIT);
    assert_int_not_equal(span_find(r->payload, SPAN("(Consent/c1, dated 2024-01-01)")), SPAN_NOT_FOUND);
    assert_int_equal(span_find(r->payload, SPAN("Consent/c2")), SPAN_NOT_FOUND);
    world_end(&w);
    r = release(&w, GIVEN(TWO_GRANTS), BUNDLE(GLUCOSE));           /* no Part 2 record: no notice at all */
    assert_true(span_eq_text(r->payload, BUNDLE(GLUCOSE)));
    world_end(&w);
}

static void
test_says_that_the_policy_rule_decided_and_what_held_everything(void **state)
{
    (void)state;
    struct world   w;
    struct release changed = *release(&w, GIVEN("{" CONSENT_HEAD("c1", "2024-01-01") ",\"policyRule\":{\"coding\":[{\"code\":\"OPTOUT\"}]}}"), BUNDLE(GLUCOSE));

    assert_int_not_equal(span_find(printed(&w, &changed, false), SPAN("by Consent/c1, policyRule")), SPAN_NOT_FOUND);
    changed.outcome = RELEASE_HOLD;
    changed.leak    = SPAN("a withheld identifier was found");
    const struct tape *t = read_again(&w, printed(&w, &changed, true));
    check_member(t, TAPE_ROOT, "held", "a withheld identifier was found");
    check_member(t, TAPE_ROOT, "decision", "hold");
    assert_int_not_equal(span_find(printed(&w, &changed, false), SPAN("held by the last check")), SPAN_NOT_FOUND);
    world_end(&w);
}

static void
test_says_so_when_it_cannot_print(void **state)
{
    (void)state;
    struct world          w;
    const struct release *r    = release(&w, GIVEN(EXCEPT_SUD), BUNDLE(GLUCOSE "," OPIOID));
    struct arena         *none = arena_new("none", 64);
    struct buf            small;

    buf_init(&small, 1 << 16);
    assert_int_equal(explain_json(r, none, &small, AUTHOR_PRETTY), ST_NO_MEMORY);
    assert_int_equal(explain_text(r, none, &small), ST_NO_MEMORY);
    buf_release(&small);
    buf_init(&small, 20);
    assert_int_not_equal(explain_json(r, w.arena, &small, AUTHOR_PRETTY), ST_OK);
    buf_release(&small);
    arena_free(&none);
    world_end(&w);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_rule_citation_consent_and_provision_of_every_resource),
        cmocka_unit_test(test_keeps_the_member_order_of_the_interface),
        cmocka_unit_test(test_lists_what_went_along_with_the_resource_that_caused_it),
        cmocka_unit_test(test_prints_the_obligations_of_what_leaves),
        cmocka_unit_test(test_explains_only_consents_on_which_a_part_2_record_leaves),
        cmocka_unit_test(test_says_that_the_policy_rule_decided_and_what_held_everything),
        cmocka_unit_test(test_says_so_when_it_cannot_print),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
