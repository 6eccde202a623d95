#include "tests/fhir/fhir_check.h"

#include "fhir/reference.h"

struct fixture {
    struct arena            *arena;
    const struct tape       *tape;
    const struct bundle     *bundle;
    const struct references *all;
};

static struct fixture
read_references(struct span json)
{
    struct fixture f = { .arena = test_arena() };

    f.tape = test_tape(f.arena, json);
    assert_int_equal(bundle_read(f.tape, f.arena, issues_new(f.arena, 10), &f.bundle), ST_OK);
    assert_int_equal(references_read(f.bundle, f.arena, &f.all), ST_OK);
    return f;
}

/* One bundle, most forms.  Entries: 0 Patient, 1 Condition with RESTful URL, 2 Organization without URL,
 * 3 Observation that points everywhere, 4 a nested Bundle. */
static const char forms[] =
    "{\"resourceType\":\"Bundle\",\"type\":\"collection\",\"identifier\":{\"value\":\"urn:uuid:pat\"},\"entry\":["
    "{\"fullUrl\":\"urn:uuid:pat\",\"resource\":{\"resourceType\":\"Patient\",\"id\":\"p1\","
    " \"identifier\":[{\"system\":\"urn:mrn\",\"value\":\"7 8\"},{\"value\":\"bare\"}]}},"
    "{\"fullUrl\":\"http://a.example/fhir/Condition/c1\",\"resource\":{\"resourceType\":\"Condition\",\"id\":\"c1\","
    " \"subject\":{\"reference\":\"urn:uuid:pat\"},\"evidence\":[{\"detail\":[{\"reference\":\"Observation/o1\"}]}]}},"
    "{\"resource\":{\"resourceType\":\"Organization\",\"id\":\"org\",\"identifier\":{\"system\":\"npi\",\"value\":\"1\"}}},"
    "{\"fullUrl\":\"http://a.example/fhir/Observation/o1\",\"resource\":{\"resourceType\":\"Observation\",\"id\":\"o1\","
    " \"contained\":[{\"resourceType\":\"Device\",\"id\":\"d\",\"owner\":{\"reference\":\"#\"}},"
    "   {\"resourceType\":\"Patient\",\"id\":\"cp\"}],"
    " \"a\":{\"reference\":\"Condition/c1\"},"
    " \"b\":{\"reference\":\"http://a.example/fhir/Condition/c1/_history/4\"},"
    " \"c\":{\"reference\":\"https://A.example:443/r4/Condition/c1\"},"
    " \"c2\":{\"reference\":\"https://other.example/fhir/Condition/c1\"},"
    " \"d\":{\"reference\":\"Patient?identifier=urn:mrn|7%208\"},"
    " \"e\":{\"reference\":\"Patient?active=true&identifier=bare\"},"
    " \"subject\":{\"type\":\"Patient\",\"identifier\":{\"system\":\"urn:mrn\",\"value\":\"7 8\"}},"
    " \"performer\":[{\"identifier\":{\"system\":\"npi\",\"value\":\"1\",\"assigner\":{\"reference\":\"Organization/org\"}},\"display\":\"x\"}],"
    " \"device\":{\"reference\":\"#d\"},"
    " \"f\":{\"reference\":\"#gone\"},"
    " \"g\":{\"reference\":\"Condition/none\"},"
    " \"h\":{\"reference\":\"urn:uuid:none\"},"
    " \"i\":{\"reference\":\"Patient?identifier=urn:mrn|none\"},"
    " \"j\":{\"reference\":\"http:\\/\\/a.example\\/fhir\\/Condition\\/c1\"},"
    " \"extension\":[{\"url\":\"u\",\"valueUri\":\"urn:uuid:pat\"},{\"url\":\"u\",\"valueUri\":\"#d\"},"
    "   {\"url\":\"u\",\"valueCanonical\":\"http://a.example/fhir/Condition/c1|2\"},"
    "   {\"url\":\"u\",\"valueString\":\"Condition/c1\"},{\"url\":\"u\",\"valueUri\":\"http://a.example/fhir/Observation/o1\"},"
    "   {\"url\":\"u\",\"valueReference\":{\"reference\":\"Organization/org\"}}],"
    " \"k\":{\"reference\":\"urn:uuid:inner\"},\"l\":{\"reference\":\"Task/t9\"},"
    " \"network\":{\"identifier\":{\"value\":\"1\"},\"type\":{\"text\":\"a CodeableConcept\"}}}},"
    "{\"resource\":{\"resourceType\":\"Bundle\",\"id\":\"n\",\"entry\":[{\"fullUrl\":\"urn:uuid:inner\","
    " \"resource\":{\"resourceType\":\"Task\",\"id\":\"t9\",\"for\":{\"reference\":\"urn:uuid:pat\"}}}]}}"
    "]}";

static const struct { const char *node; enum reference_form form; uint32_t to; const char *contained, *type, *id; } found[] = {
    { "entry[1].resource.subject", REFERENCE_URN, 0, NULL, "", "" },
    { "entry[1].resource.evidence[0].detail[0]", REFERENCE_RELATIVE, 3, NULL, "Observation", "o1" },
    { "entry[3].resource.a", REFERENCE_RELATIVE, 1, NULL, "Condition", "c1" },
    { "entry[3].resource.b", REFERENCE_ABSOLUTE, 1, NULL, "Condition", "c1" },
    { "entry[3].resource.c", REFERENCE_ABSOLUTE, 1, NULL, "Condition", "c1" },
    { "entry[3].resource.c2", REFERENCE_ABSOLUTE, ENTRY_NONE, NULL, "Condition", "c1" },     /* on another server */
    { "entry[3].resource.d", REFERENCE_CONDITIONAL, 0, NULL, "Patient", "" },
    { "entry[3].resource.e", REFERENCE_CONDITIONAL, 0, NULL, "Patient", "" },
    { "entry[3].resource.subject", REFERENCE_LOGICAL, 0, NULL, "Patient", "" },
    { "entry[3].resource.performer[0]", REFERENCE_LOGICAL, 2, NULL, "", "" },
    { "entry[3].resource.performer[0].identifier.assigner", REFERENCE_RELATIVE, 2, NULL, "Organization", "org" },
    { "entry[3].resource.device", REFERENCE_CONTAINED, ENTRY_NONE, "entry[3].resource.contained[0]", "Device", "d" },
    { "entry[3].resource.contained[0].owner", REFERENCE_CONTAINED, 3, NULL, "", "" },
    { "entry[3].resource.f", REFERENCE_CONTAINED, ENTRY_NONE, NULL, "", "gone" },
    { "entry[3].resource.g", REFERENCE_RELATIVE, ENTRY_NONE, NULL, "Condition", "none" },
    { "entry[3].resource.h", REFERENCE_URN, ENTRY_NONE, NULL, "", "" },
    { "entry[3].resource.i", REFERENCE_CONDITIONAL, ENTRY_NONE, NULL, "Patient", "" },
    { "entry[3].resource.j", REFERENCE_ABSOLUTE, 1, NULL, "Condition", "c1" },
    { "entry[3].resource.k", REFERENCE_URN, 4, "entry[4].resource.entry[0].resource", "", "" },
    { "entry[3].resource.l", REFERENCE_RELATIVE, 4, "entry[4].resource.entry[0].resource", "Task", "t9" },
    { "entry[3].resource.extension[0].valueUri", REFERENCE_URI, 0, NULL, "", "" },
    { "entry[3].resource.extension[1].valueUri", REFERENCE_URI, ENTRY_NONE, "entry[3].resource.contained[0]", "", "" },
    { "entry[3].resource.extension[2].valueCanonical", REFERENCE_URI, 1, NULL, "Condition", "c1|2" },
    { "entry[3].resource.extension[3].valueString", REFERENCE_URI, 1, NULL, "Condition", "c1" },
    { "entry[3].resource.extension[5].valueReference", REFERENCE_RELATIVE, 2, NULL, "Organization", "org" },
    { "entry[4].resource.entry[0].resource.for", REFERENCE_URN, 0, NULL, "", "" },
    { "identifier.value", REFERENCE_URI, 0, NULL, "", "" },
};

static void
test_resolves_every_form(void **state)
{
    struct fixture f = read_references(span_of(forms));

    (void)state;
    for (size_t i = 0; i < sizeof found / sizeof found[0]; i++) {
        const struct reference *r = references_find(f.all, test_node(f.tape, found[i].node));
        if (r == NULL)
            fail_msg("%s is not found", found[i].node);
        if (r->form != found[i].form || r->to != found[i].to)
            fail_msg("%s: form %d to %d", found[i].node, (int)r->form, (int)r->to);
        assert_int_equal(r->to_contained, found[i].contained != NULL ? test_node(f.tape, found[i].contained) : TAPE_ABSENT);
        assert_text(r->type, found[i].type);
        assert_text(r->id, found[i].id);
    }
    assert_int_equal(f.all->count, sizeof found / sizeof found[0]);
    arena_free(&f.arena);
}

/* The same Organization in the Bundle and in a document inside of it: each name means the one beside it. */
static void
test_a_name_means_who_is_beside_it(void **state)
{
#define ORG "{\"fullUrl\":\"http://a.example/fhir/Organization/o\",\"resource\":{\"resourceType\":\"Organization\",\"id\":\"o\"}}"
#define TASK(id) "{\"fullUrl\":\"http://a.example/fhir/Task/" id "\",\"resource\":{\"resourceType\":\"Task\",\"id\":\"" id "\",\"owner\":{\"reference\":\"Organization/o\"}}}"
    struct fixture f = read_references(SPAN("{\"resourceType\":\"Bundle\",\"type\":\"collection\",\"entry\":[" TASK("x") "," ORG
        ",{\"resource\":{\"resourceType\":\"Bundle\",\"type\":\"collection\",\"entry\":[" TASK("y") "," ORG "]}}]}"));
    const struct reference *outer = references_find(f.all, test_node(f.tape, "entry[0].resource.owner"));
    const struct reference *inner = references_find(f.all, test_node(f.tape, "entry[2].resource.entry[0].resource.owner"));

    (void)state;
    assert_non_null(outer);
    assert_non_null(inner);
    assert_int_equal(outer->to, 1);
    assert_int_equal(outer->to_contained, TAPE_ABSENT);
    assert_int_equal(inner->to, 2);
    assert_int_equal(inner->to_contained, test_node(f.tape, "entry[2].resource.entry[1].resource"));
    arena_free(&f.arena);
}

static void
test_what_is_no_reference_is_not_listed(void **state)
{
    static const char *const nodes[] = {
        "entry[0].fullUrl",                              /* the wrapper */
        "entry[3].resource.extension[4].valueUri",       /* its own URL */
        "entry[3].resource.network",                     /* an identifier beside a CodeableConcept */
        "entry[0].resource.identifier[0].system",
    };
    struct fixture f = read_references(span_of(forms));

    (void)state;
    for (size_t i = 0; i < sizeof nodes / sizeof nodes[0]; i++)
        assert_null(references_find(f.all, test_node(f.tape, nodes[i])));
    assert_null(references_find(f.all, TAPE_ABSENT));
    arena_free(&f.arena);
}

static void
test_is_ordered_by_node_and_grouped_by_entry(void **state)
{
    struct fixture f     = read_references(span_of(forms));
    uint32_t       total = 0, first;

    (void)state;
    for (uint32_t i = 1; i < f.all->count; i++)
        assert_true(f.all->all[i - 1].node < f.all->all[i].node);
    for (uint32_t e = 0; e < f.bundle->count; e++) {
        uint32_t count = references_from(f.all, e, &first);
        for (uint32_t i = first; i < first + count; i++)
            assert_int_equal(f.all->all[i].from, e);
        total += count;
    }
    assert_int_equal(total, f.all->count - 1);           /* one is the Bundle's own */
    assert_int_equal(references_from(f.all, 77, &first), 0);
    arena_free(&f.arena);
}

static void
test_the_incoming_index_is_the_other_way_round(void **state)
{
    struct fixture f = read_references(span_of(forms));

    (void)state;
    for (uint32_t e = 0; e < f.bundle->count; e++) {
        uint32_t want = 0;
        for (uint32_t i = 0; i < f.all->count; i++)
            want += f.all->all[i].to == e;
        assert_int_equal(references_to(f.all, e), want);
        for (uint32_t i = 0; i < want; i++)
            assert_int_equal(references_to_at(f.all, e, i)->to, e);
        assert_null(references_to_at(f.all, e, want));
    }
    assert_int_equal(references_to(f.all, 99), 0);
    arena_free(&f.arena);
}

static void
test_an_inner_reference_is_met_before_the_outer_text(void **state)
{
    struct fixture f = read_references(SPAN(
        "{\"resourceType\":\"Observation\",\"subject\":{\"identifier\":{\"assigner\":{\"reference\":\"Organization/1\"}},"
        "\"reference\":\"Patient/1\"}}"));

    (void)state;
    assert_int_equal(f.all->count, 2);
    assert_text(f.all->all[0].value, "Patient/1");
    assert_text(f.all->all[1].value, "Organization/1");
    arena_free(&f.arena);
}

static void
test_versions_share_their_incoming_references(void **state)
{
    struct fixture f = read_references(SPAN(
        "{\"resourceType\":\"Bundle\",\"type\":\"history\",\"entry\":["
        "{\"fullUrl\":\"http://a/Condition/1\",\"resource\":{\"resourceType\":\"Condition\",\"id\":\"1\"}},"
        "{\"fullUrl\":\"http://a/Condition/1\",\"request\":{\"method\":\"DELETE\",\"url\":\"Condition/1\"}},"
        "{\"fullUrl\":\"http://b/Condition/1\",\"resource\":{\"resourceType\":\"Condition\",\"id\":\"1\"}},"
        "{\"fullUrl\":\"http://a/Observation/1\",\"resource\":{\"resourceType\":\"Observation\",\"focus\":[{\"reference\":\"Condition/1\"}]}},"
        "{\"fullUrl\":\"http://b/Observation/1\",\"resource\":{\"resourceType\":\"Observation\",\"focus\":[{\"reference\":\"Condition/1\"}]}}"
        "]}"));

    (void)state;
    assert_int_equal(references_to(f.all, 0), 1);
    assert_int_equal(references_to(f.all, 1), 1);
    assert_int_equal(references_to_at(f.all, 1, 0)->from, 3);
    assert_int_equal(references_to(f.all, 2), 1);        /* another server's: not mixed up */
    assert_int_equal(references_to_at(f.all, 2, 0)->from, 4);
    arena_free(&f.arena);
}

static void
test_contained_ids_belong_to_their_container(void **state)
{
    struct fixture f = read_references(SPAN(
        "{\"resourceType\":\"Bundle\",\"type\":\"collection\",\"entry\":["
        "{\"resource\":{\"resourceType\":\"A\",\"id\":\"1\",\"contained\":[{\"resourceType\":\"X\",\"id\":\"c\","
        "\"next\":{\"reference\":\"#d\"}},{\"resourceType\":\"X\",\"id\":\"d\",\"next\":{\"reference\":\"#c\"}}]}},"
        "{\"resource\":{\"resourceType\":\"B\",\"id\":\"1\",\"contained\":[{\"resourceType\":\"Y\",\"id\":\"c\"}],"
        "\"x\":{\"reference\":\"#c\"},\"y\":{\"reference\":\"#d\"}}}]}"));

    (void)state;
    const struct reference *next = references_find(f.all, test_node(f.tape, "entry[0].resource.contained[0].next"));
    assert_int_equal(next->to_contained, test_node(f.tape, "entry[0].resource.contained[1]"));
    next = references_find(f.all, test_node(f.tape, "entry[0].resource.contained[1].next"));
    assert_int_equal(next->to_contained, test_node(f.tape, "entry[0].resource.contained[0]"));
    const struct reference *x = references_find(f.all, test_node(f.tape, "entry[1].resource.x"));
    assert_int_equal(x->to_contained, test_node(f.tape, "entry[1].resource.contained[0]"));
    assert_text(x->value, "B/1#c");
    assert_int_equal(references_find(f.all, test_node(f.tape, "entry[1].resource.y"))->to_contained, TAPE_ABSENT);
    arena_free(&f.arena);
}

static void
test_splits_urls(void **state)
{
    static const struct { const char *text; bool good; const char *base, *type, *id; } cases[] = {
        { "Patient/1", true, "", "Patient", "1" },
        { "http://a/b/Patient/1", true, "http://a/b", "Patient", "1" },
        { "http://a/b/Patient/1/_history/2", true, "http://a/b", "Patient", "1" },
        { "Patient/1/_history/2", true, "", "Patient", "1" },
        { "Patient/1#x", true, "", "Patient", "1" },
        { "/Patient/1", true, "", "Patient", "1" },
        { "Patient/a b", true, "", "Patient", "a b" },
        { "patient/1", false, "", "", "" }, { "Patient/", false, "", "", "" }, { "Patient", false, "", "", "" },
        { "", false, "", "", "" }, { "/1", false, "", "", "" }, { "urn:uuid:1", false, "", "", "" },
        { "Patient?a=b/c", false, "", "", "" }, { "Pat1ent/1", false, "", "", "" }, { "#Patient/1", false, "", "", "" },
        { "_history/1", false, "", "", "" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct span base = SPAN(""), type = SPAN(""), id = SPAN("");
        if (reference_split(span_of(cases[i].text), &base, &type, &id) != cases[i].good)
            fail_msg("%s", cases[i].text);
        assert_text(base, cases[i].base);
        assert_text(type, cases[i].type);
        assert_text(id, cases[i].id);
    }
}

/* A fullUrl need not end in the type and id of its resource. */
static void
test_a_uri_may_name_what_only_the_full_url_says(void **state)
{
    static const char *const uris[] = { "http://x/Condition/another-name", "Condition/another-name",
                                        "http://x/Condition/another-name/_history/7", "http://x/other%20name/_history/7",
                                        "Condition/c", "Condition/c/_history/7" };
    static const uint32_t    to[]   = { 0, 0, 0, 1, 0, 0 };
    char                     json[2048];

    (void)state;
    for (size_t i = 0; i < sizeof uris / sizeof uris[0]; i++) {
        snprintf(json, sizeof json,
                 "{\"resourceType\":\"Bundle\",\"type\":\"collection\",\"entry\":["
                 "{\"fullUrl\":\"http://x/Condition/another-name\",\"resource\":{\"resourceType\":\"Condition\",\"id\":\"c\"}},"
                 "{\"fullUrl\":\"http://x/other%%20name\",\"resource\":{\"resourceType\":\"Basic\",\"id\":\"n\"}},"
                 "{\"fullUrl\":\"http://x/Basic/b\",\"resource\":{\"resourceType\":\"Basic\",\"id\":\"b\","
                 "\"extension\":[{\"url\":\"http://y\",\"valueUri\":\"%s\"}]}}]}", uris[i]);
        struct fixture f = read_references(span_of(json));
        assert_int_equal(f.all->count, 1);
        assert_int_equal(f.all->all[0].form, REFERENCE_URI);
        assert_int_equal(f.all->all[0].to, to[i]);
        arena_free(&f.arena);
    }
}

/* The same text twice means two things where the bases differ. */
static void
test_a_relative_reference_is_relative_to_its_own_entry(void **state)
{
    struct fixture f = read_references(SPAN(
        "{\"resourceType\":\"Bundle\",\"type\":\"collection\",\"entry\":["
        "{\"fullUrl\":\"http://a/Patient/1\",\"resource\":{\"resourceType\":\"Patient\",\"id\":\"1\"}},"
        "{\"fullUrl\":\"http://b/Patient/1\",\"resource\":{\"resourceType\":\"Patient\",\"id\":\"1\"}},"
        "{\"fullUrl\":\"http://a/Basic/1\",\"resource\":{\"resourceType\":\"Basic\",\"subject\":{\"reference\":\"Patient/1\"}}},"
        "{\"fullUrl\":\"http://b/Basic/2\",\"resource\":{\"resourceType\":\"Basic\",\"subject\":{\"reference\":\"Patient/1\"}}},"
        "{\"fullUrl\":\"http://b/Basic/3\",\"resource\":{\"resourceType\":\"Basic\",\"subject\":{\"reference\":\"Patient\\u002f1\"}}},"
        "{\"fullUrl\":\"urn:uuid:4\",\"resource\":{\"resourceType\":\"Basic\",\"subject\":{\"reference\":\"Patient/1\"}}}]}"));
    static const uint32_t to[] = { 0, 1, 1, 0 };

    (void)state;
    assert_int_equal(f.all->count, 4);
    for (uint32_t i = 0; i < 4; i++) {
        assert_int_equal(f.all->all[i].to, to[i]);
        assert_text(f.all->all[i].type, "Patient");
        assert_text(f.all->all[i].id, "1");
        assert_text(f.all->all[i].value, "Patient/1");
    }
    arena_free(&f.arena);
}

static void
test_finds_the_patient(void **state)
{
    static const struct { const char *entry, *patient; int32_t at; } cases[] = {
        { "{\"resourceType\":\"Patient\",\"id\":\"p9\"}", "Patient/p9", 1 },
        { "{\"resourceType\":\"Observation\",\"subject\":{\"reference\":\"Patient/p1\"}}", "Patient/p1", 0 },
        { "{\"resourceType\":\"Observation\",\"subject\":{\"reference\":\"urn:uuid:p\"}}", "Patient/p1", 0 },
        { "{\"resourceType\":\"Observation\",\"subject\":{\"reference\":\"Patient/p2/_history/1\"}}", "Patient/p2", -1 },
        { "{\"resourceType\":\"Observation\",\"subject\":{\"reference\":\"http://x/Patient/p2\"}}", "http://x/Patient/p2", -1 },
        { "{\"resourceType\":\"Observation\",\"subject\":{\"reference\":\"urn:uuid:unknown\"}}", "urn:uuid:unknown", -1 },
        { "{\"resourceType\":\"Observation\",\"subject\":{\"type\":\"Patient\",\"identifier\":{\"system\":\"s\",\"value\":\"v\"}}}",
          "Patient?identifier=s|v", -1 },
        { "{\"resourceType\":\"Observation\",\"subject\":{\"type\":\"Group\",\"reference\":\"urn:uuid:g\"}}", "", -1 },
        { "{\"resourceType\":\"Observation\",\"subject\":{\"reference\":\"Group/1\"}}", "", -1 },
        { "{\"resourceType\":\"Observation\",\"performer\":[{\"reference\":\"Practitioner/1\"},{\"reference\":\"Patient/p1\"}]}",
          "Patient/p1", 0 },
        { "{\"resourceType\":\"Observation\",\"performer\":[{\"reference\":\"urn:uuid:unknown\"}]}", "", -1 },
        { "{\"resourceType\":\"Coverage\",\"beneficiary\":{\"reference\":\"Patient/p1\"},\"subscriber\":{\"reference\":\"Patient/p2\"}}",
          "Patient/p1", 0 },
        { "{\"resourceType\":\"Appointment\",\"participant\":[{\"actor\":{\"reference\":\"Practitioner/1\"}},{\"actor\":{\"reference\":\"Patient/p1\"}}]}",
          "Patient/p1", 0 },
        { "{\"resourceType\":\"Observation\",\"id\":\"o\",\"contained\":[{\"resourceType\":\"Patient\",\"id\":\"c\"}],\"subject\":{\"reference\":\"#c\"}}",
          "Observation/o#c", -1 },
        { "{\"resourceType\":\"Provenance\",\"target\":[{\"reference\":\"Condition/c1\"}]}", "Patient/p1", 0 },
        { "{\"resourceType\":\"Provenance\",\"target\":[{\"reference\":\"Patient/p1\"}]}", "Patient/p1", 0 },
        { "{\"resourceType\":\"Task\",\"focus\":{\"reference\":\"Condition/c1\"}}", "Patient/p1", 0 },
        { "{\"resourceType\":\"Organization\",\"id\":\"o\"}", "", -1 },
        { "{\"resourceType\":\"Zebra\",\"subject\":{\"reference\":\"Patient/p1\"}}", "", -1 },
        { "{\"resourceType\":\"Observation\",\"subject\":\"Patient/p1\"}", "Patient/p1", 0 },  /* not R4, but said */
        { "{\"resourceType\":\"Observation\",\"subject\":5}", "", -1 },
    };
    char json[2048];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        snprintf(json, sizeof json,
                 "{\"resourceType\":\"Bundle\",\"type\":\"collection\",\"entry\":["
                 "{\"fullUrl\":\"urn:uuid:p\",\"resource\":{\"resourceType\":\"Patient\",\"id\":\"p1\"}},{\"resource\":%s},"
                 "{\"resource\":{\"resourceType\":\"Condition\",\"id\":\"c1\",\"subject\":{\"reference\":\"Patient/p1\"}}}]}",
                 cases[i].entry);
        struct fixture f = read_references(span_of(json));
        uint32_t       at = 0;
        assert_text(entry_patient(f.all, 1, &at), cases[i].patient);
        assert_int_equal((int32_t)at, cases[i].at);
        entry_patient(f.all, 1, NULL);
        assert_int_equal(entry_patient(f.all, 9, &at).length, 0);
        arena_free(&f.arena);
    }
}

static void
test_a_patient_without_id_has_its_full_url(void **state)
{
    struct fixture f = read_references(SPAN(
        "{\"resourceType\":\"Bundle\",\"type\":\"transaction\",\"entry\":[{\"fullUrl\":\"urn:uuid:a\",\"resource\":{\"resourceType\":\"Patient\"}},"
        "{\"resource\":{\"resourceType\":\"Flag\",\"subject\":{\"reference\":\"urn:uuid:a\"}}}]}"));
    uint32_t at;

    (void)state;
    assert_text(entry_patient(f.all, 1, &at), "urn:uuid:a");
    assert_int_equal(at, 0);
    arena_free(&f.arena);
}

/* Many references to one entry that is there many times over: quadratic work
 * would not end here. */
static void
test_hostile_sizes_stay_linear(void **state)
{
    struct arena *arena = test_arena();
    size_t        count = 50000, used = 0, size = count * 200 + 200;
    char         *json  = arena_alloc(arena, size);

    (void)state;
    used += (size_t)snprintf(json, size, "{\"resourceType\":\"Bundle\",\"type\":\"history\",\"entry\":[");
    for (size_t i = 0; i < count; i++)
        used += (size_t)snprintf(json + used, size - used,
                                 "%s{\"fullUrl\":\"urn:uuid:1\",\"resource\":{\"resourceType\":\"Flag\",\"id\":\"1\",\"subject\":{\"reference\":\"urn:uuid:1\"},"
                                 "\"author\":{\"identifier\":{\"value\":\"%zu\"}}}}", i > 0 ? "," : "", i % 7);
    snprintf(json + used, size - used, "]}");
    struct fixture f = read_references(span_of(json));
    assert_int_equal(f.all->count, 2 * count);
    assert_int_equal(references_to(f.all, 0), count);
    assert_int_equal(references_to(f.all, (uint32_t)count - 1), count);
    arena_free(&f.arena);
    arena_free(&arena);
}

static void
test_says_when_memory_is_spent(void **state)
{
    struct arena        *whole = test_arena();
    const struct tape   *tape  = test_tape(whole, span_of(forms));
    const struct bundle *bundle;
    bool                 done  = false;

    (void)state;
    assert_int_equal(bundle_read(tape, whole, issues_new(whole, 1), &bundle), ST_OK);
    for (size_t budget = 64; !done; budget += 160) {
        struct arena            *arena = arena_new("small", budget);
        const struct references *all;
        enum status              st = references_read(bundle, arena, &all);
        done = st == ST_OK;
        assert_true(done || st == ST_NO_MEMORY);
        arena_free(&arena);
    }
    arena_free(&whole);
}

static void
test_a_patient_by_identifier_has_one_name_in_every_form(void **state)
{
    static const struct { const char *reference, *name; } rows[] = {
        { "{\"type\":\"Patient\",\"identifier\":{\"system\":\"urn:mrn\",\"value\":\"7 8\"}}", "Patient?identifier=urn:mrn|7 8" },
        { "{\"identifier\":{\"system\":\"urn:mrn\",\"value\":\"7 8\"}}", "Patient?identifier=urn:mrn|7 8" },
        { "{\"reference\":\"Patient?identifier=urn:mrn|7%208\"}", "Patient?identifier=urn:mrn|7 8" },
        { "{\"reference\":\"Patient?identifier=urn%3Amrn%7C7%208\"}", "Patient?identifier=urn:mrn|7 8" },
        { "{\"identifier\":{\"value\":\"9\"}}", "Patient?identifier=|9" },
        { "{\"identifier\":{\"system\":\"urn:mrn\",\"value\":\"a&b%41\"}}", "Patient?identifier=urn:mrn|a&b%41" },
        { "{\"reference\":\"Patient?identifier=urn:mrn|7&active=true\"}", "Patient?identifier=urn:mrn|7&active=true" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char json[512];
        snprintf(json, sizeof json, "{\"resourceType\":\"Consent\",\"id\":\"c\",\"patient\":%s}", rows[i].reference);
        struct fixture f = read_references(span_of(json));
        assert_text(entry_patient(f.all, 0, NULL), rows[i].name);
        arena_free(&f.arena);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_resolves_every_form),
        cmocka_unit_test(test_a_patient_by_identifier_has_one_name_in_every_form),
        cmocka_unit_test(test_a_name_means_who_is_beside_it),
        cmocka_unit_test(test_what_is_no_reference_is_not_listed),
        cmocka_unit_test(test_is_ordered_by_node_and_grouped_by_entry),
        cmocka_unit_test(test_the_incoming_index_is_the_other_way_round),
        cmocka_unit_test(test_an_inner_reference_is_met_before_the_outer_text),
        cmocka_unit_test(test_versions_share_their_incoming_references),
        cmocka_unit_test(test_contained_ids_belong_to_their_container),
        cmocka_unit_test(test_splits_urls),
        cmocka_unit_test(test_a_uri_may_name_what_only_the_full_url_says),
        cmocka_unit_test(test_a_relative_reference_is_relative_to_its_own_entry),
        cmocka_unit_test(test_finds_the_patient),
        cmocka_unit_test(test_a_patient_without_id_has_its_full_url),
        cmocka_unit_test(test_hostile_sizes_stay_linear),
        cmocka_unit_test(test_says_when_memory_is_spent),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
