/* tests/consent/label_check.h -- labels of a bundle that is written with single quotes.
 *
 *     struct labels l = labels_of("'sender'...", "{'resourceType':'Condition', ...}");
 *     assert_labels(&l, 0, "SUD OPIOIDUD R", PART2_SUSPECT);
 *
 * The request holds `source`, `labels`, `programs`, `consents`; what every
 * request needs is added.
 */
#ifndef SLUICE_TESTS_CONSENT_LABEL_CHECK_H
#define SLUICE_TESTS_CONSENT_LABEL_CHECK_H

#include "tests/support/check.h"

#include <stdlib.h>

#include "consent/labeling.h"

struct labels {
    struct arena            *arena;
    const struct facts      *facts;
    const struct bundle     *bundle;
    const struct references *references;
    const struct labeling   *labeling;
    enum status              status;
};

/* ' becomes ", ` becomes '. */
static inline struct span
quoted(struct arena *a, const char *text)
{
    struct span s  = arena_copy(a, span_of(text));
    char       *at = (char *)(uintptr_t)s.at;

    for (size_t i = 0; i < s.length; i++)
        at[i] = at[i] == '\'' ? '"' : at[i] == '`' ? '\'' : at[i];
    return s;
}

static inline struct labels
labels_within(size_t budget, const char *request, struct span body)
{
    struct labels      l      = { .arena = arena_new("labels", budget) };
    struct issues     *issues = issues_new(l.arena, 10);
    const struct tape *tape   = NULL;
    struct span        r      = arena_format(l.arena, "{'at':'2026-11-22T15:00:00Z','actor':{'reference':'Organization/orgA'},"
                                                      "'purpose':['TREAT']%s%s}", request[0] ? "," : "", request);

    if (facts_read(quoted(l.arena, r.at), l.arena, issues, &l.facts) != ST_OK)
        fail_msg("request: %.*s", SPAN_PRINT(issues_at(issues, 0)->wanted));
    if (tape_read(body, &tape_default_limits, l.arena, &tape, NULL) != ST_OK)
        fail_msg("the test's own JSON: %.*s", SPAN_PRINT(body));
    assert_int_equal(bundle_read(tape, l.arena, issues, &l.bundle), ST_OK);
    assert_int_equal(references_read(l.bundle, l.arena, &l.references), ST_OK);
    l.status = label_bundle(l.bundle, l.references, l.facts, l.arena, &l.labeling);
    return l;
}

static inline struct labels
labels_of(const char *request, const char *body)
{
    struct arena *a = arena_new("text", (size_t)8 << 20);
    struct span   s = quoted(a, body);
    char         *copy = malloc(s.length + 1);

    memcpy(copy, s.at, s.length + 1);
    arena_free(&a);
    /* The body has to outlive the labels; the tests are short. */
    struct labels l = labels_within((size_t)64 << 20, request, span_of(copy));
    assert_int_equal(l.status, ST_OK);
    return l;
}

static inline void
labels_end(struct labels *l)
{
    char *body = (char *)(uintptr_t)tape_body(l->bundle->tape).at;

    arena_free(&l->arena);
    free(body);
}

/* "SUD OPIOIDUD R" */
static inline const char *
codes_of(const struct labeled *of)
{
    static char text[256];
    const char *codes[LABEL_COUNT];
    size_t      n = labels_codes(of->labels, codes, LABEL_COUNT), at = 0;

    text[0] = 0;
    for (size_t i = 0; i < n; i++)
        at += (size_t)snprintf(text + at, sizeof text - at, "%s%s", i > 0 ? " " : "", codes[i]);
    return text;
}

static inline bool
labels_are(const struct labels *l, uint32_t entry, const char *codes, enum part2_status part2, const char *what,
           const char *file, int line)
{
    const struct labeled *of = &l->labeling->of[entry];

    if (strcmp(codes_of(of), codes) == 0 && of->part2 == part2)
        return true;
    print_message("%s:%d: %s\n    have [%s] %s, want [%s] %s\n", file, line, what, codes_of(of), part2_text(of->part2),
                  codes, part2_text(part2));
    for (size_t i = 0; i < of->evidence_count; i++)
        print_message("    %s %s: %.*s\n", of->evidence[i].rule, label_code(of->evidence[i].label),
                      SPAN_PRINT(of->evidence[i].because));
    return false;
}
#define assert_labels(l, entry, codes, part2) \
    assert_true(labels_are((l), (entry), (codes), (part2), "", __FILE__, __LINE__))

static inline bool
has_evidence(const struct labels *l, uint32_t entry, const char *rule, enum label label)
{
    const struct labeled *of = &l->labeling->of[entry];

    for (size_t i = 0; i < of->evidence_count; i++)
        if (strcmp(of->evidence[i].rule, rule) == 0 && of->evidence[i].label == label
            && !span_empty(of->evidence[i].because))
            return true;
    return false;
}

/* One resource a row, alone in a bundle. */
struct label_case { const char *body, *codes; enum part2_status part2; };

static inline void
check_cases(const char *request, const struct label_case *cases, size_t count, const char *file, int line)
{
    size_t wrong = 0;

    for (size_t i = 0; i < count; i++) {
        struct labels l = labels_of(request, cases[i].body);
        wrong += !labels_are(&l, 0, cases[i].codes, cases[i].part2, cases[i].body, file, line);
        labels_end(&l);
    }
    assert_int_equal(wrong, 0);
}
#define CHECK_CASES(request, cases) \
    check_cases((request), (cases), sizeof(cases) / sizeof(cases)[0], __FILE__, __LINE__)

#define UNKNOWN_SENDER ""
#define NOT_PROGRAM    "'source':{'part2':'not-program'}"
#define IS_PROGRAM     "'source':{'part2':'program','organization':'Organization/oak'}"
#define GIVEN          "'labels':'given'"
#define OAK            "'programs':[{'reference':'Organization/oak','name':'Oak Recovery Center',"        \
                       "'identifier':[{'system':'http://hl7.org/fhir/sid/us-npi','value':'1000000009'}]," \
                       "'source':'https://otp.example.org/fhir'}]"

#define BUNDLE(entries)  "{'resourceType':'Bundle','type':'collection','entry':[" entries "]}"
#define ENTRY(name, resource) "{'fullUrl':'https://ehr.example.org/fhir/" name "','resource':" resource "}"
#define CODE(system, code) "'code':{'coding':[{'system':'" system "','code':'" code "'}]}"
#define P1_SUBJECT "'subject':{'reference':'Patient/p1'}"
#define RXNORM "http://www.nlm.nih.gov/research/umls/rxnorm"
#define SCT    "http://snomed.info/sct"
#define ICD    "http://hl7.org/fhir/sid/icd-10-cm"
#define LN     "http://loinc.org"
#define ACT    "http://terminology.hl7.org/CodeSystem/v3-ActCode"

#endif
