/* tests/consent/test_basis.c -- bases of disclosure beside a general consent, by the ids of the scenarios. */
#include "base/buf.h"
#include "consent/explain.h"
#include "consent/release.h"
#include "tests/consent/world.h"

#define PROGRAM  "\"source\":{\"part2\":\"program\",\"organization\":\"Organization/part2program\"},"
#define HELD(holder) "\"source\":{\"part2\":\"unknown\",\"organization\":\"Organization/orgB\",\"holder\":\"" holder "\"},"
#define PROGRAMS "\"programs\":[{\"reference\":\"Organization/part2program\"}],"
#define WHO(reference, class) "\"actor\":{\"reference\":\"" reference "\",\"class\":[\"" class "\"]},"
#define WHO_AS(reference, more) "\"actor\":{\"reference\":\"" reference "\"," more "},"
#define WHAT_FOR(code) "\"purpose\":[\"" code "\"]"
#define DOCUMENT(id, kind, party, more) \
    "{\"id\":\"" id "\",\"kind\":\"" kind "\",\"from\":\"2026-01-01\",\"party\":[\"" party "\"]," more "}"
#define DOCUMENTS(list) ",\"documents\":[" list "]"
#define P1  "\"patient\":\"Patient/p1\""
#define BY_PROGRAM "\"discloser\":\"Organization/part2program\""
#define THE_OPIOID "\"items\":[\"Condition/opioid\"]"
#define ALL_SAID "\"says\":[\"counsel-reviewed\",\"opportunity-to-be-heard\",\"good-cause\"]"
#define ORDER(kind, party, items, says) DOCUMENT("order-1", kind, party, P1 "," items "," says)
#define SUBPOENA(party) DOCUMENT("subpoena-1", "subpoena", party, P1)
#define KIND(code) "{\"url\":\"" CONSENT_EXTENSION "kind\",\"valueCode\":\"" code "\"}"
#define MORE_CONSENT(id, date, extensions, provision) \
    "{" CONSENT_HEAD(id, date) ",\"extension\":[" extensions "],\"provision\":" provision "}"
#define PERMIT_TO(reference, code) "{\"type\":\"permit\"," TO(reference) ",\"purpose\":[" FOR(code) "]}"

#define NOTE                                                                                                 \
    ENTRY("{\"resourceType\":\"DocumentReference\",\"id\":\"note\",\"status\":\"current\"," OF_P1                \
          ",\"author\":[{\"reference\":\"Practitioner/bob\"}],\"date\":\"2026-03-01T10:00:00Z\"}")
#define TABLET                                                                                               \
    ENTRY("{\"resourceType\":\"MedicationDispense\",\"id\":\"tablet\",\"status\":\"completed\"," OF_P1           \
          ",\"medicationCodeableConcept\":{\"text\":\"methadone\"},\"whenHandedOver\":\"2026-06-10\"}")
#define PATIENT ENTRY("{\"resourceType\":\"Patient\",\"id\":\"p1\",\"name\":[{\"family\":\"Reed\"}]}")
#define INCIDENT                                                                                             \
    ENTRY("{\"resourceType\":\"AdverseEvent\",\"id\":\"incident\",\"actuality\":\"actual\",\"event\":{\"text\":\"struck a nurse\"}," OF_P1 "}")
#define REPORT                                                                                               \
    ENTRY("{\"resourceType\":\"Communication\",\"id\":\"report\",\"status\":\"completed\"," OF_P1                    \
          ",\"payload\":[{\"contentString\":\"a child was found alone\"}]}")
#define ALL_OF_IT BUNDLE(PATIENT "," OPIOID "," TABLET "," NOTE "," INCIDENT "," REPORT)

struct row {
    const char  *id;                     /* of the scenario, with words */
    const char  *facts;                  /* the request without time, actors and consents */
    const char  *consents;
    const char  *record;                 /* which is asked about */
    enum verdict verdict;
    const char  *rule, *citation;
};

static struct world
world_of(const struct row *row)
{
    static char request[32768];

    snprintf(request, sizeof request, "{" AT "," ACTORS "," PROGRAMS "%s,\"consents\":[%s]}", row->facts, row->consents);
    struct world w = world_read(request, ALL_OF_IT);
    for (uint32_t e = 0; e < w.bundle->count; e++) {
        w.labels[e].part2           = PART2_CONFIRMED;
        w.labels[e].program         = &w.facts->programs[0];
        w.labels[e].counseling_note = span_eq_text(w.bundle->entries[e].id, "note");
    }
    world_decide(&w);
    return w;
}

/* Without any one of its documents a permit is none. */
static void
needs_each_document(const struct row *row)
{
    struct world       w     = world_of(row);
    struct facts      *less  = arena_make(w.arena, struct facts);
    struct instrument *kept  = arena_make_n(w.arena, w.facts->document_count, struct instrument);
    const struct facts *all  = w.facts;

    *less           = *all;
    less->documents = kept;
    for (size_t gone = 0; gone < all->document_count; gone++) {
        less->document_count = 0;
        for (size_t i = 0; i < all->document_count; i++)
            if (i != gone)
                kept[less->document_count++] = all->documents[i];
        w.facts = less;
        world_decide(&w);
        if (world_at(&w, row->record)->verdict == VERDICT_PERMIT)
            fail_msg("%s: leaves without %.*s", row->id, SPAN_PRINT(all->documents[gone].id));
    }
    world_end(&w);
}

/* What is on file about somebody else changes nothing. */
static void
minds_only_its_own_documents(const struct row *row)
{
    struct world       w    = world_of(row);
    struct facts      *more = arena_make(w.arena, struct facts);
    struct instrument *all  = arena_make_n(w.arena, w.facts->document_count + 2 * INSTRUMENT_COUNT, struct instrument);
    static const struct span stranger = { "Organization/stranger", 21 }, other = { "Patient/p2", 10 };

    *more           = *w.facts;
    more->documents = all;
    for (size_t i = 0; i < more->document_count; i++)
        all[i] = w.facts->documents[i];
    for (int k = INSTRUMENT_NONE + 1; k < INSTRUMENT_COUNT; k++) {
        struct instrument d = { .id = SPAN("x"), .kind = (enum instrument_kind)k, .to_ms = INT64_MAX - 1, .says = UINT32_MAX,
                                .parties = &stranger, .party_count = 1, .discloser = SPAN("Organization/part2program") };
        all[more->document_count++] = d;
        d.parties = &w.facts->actor.reference;
        d.patient = other;
        all[more->document_count++] = d;
    }
    struct world changed = w;
    changed.facts        = more;
    world_decide(&changed);
    if (world_at(&changed, row->record)->verdict > world_at(&w, row->record)->verdict)
        fail_msg("%s: %s, %.*s", row->id, rule_number(world_at(&changed, row->record)->rule),
                 SPAN_PRINT(world_at(&changed, row->record)->because));
    world_end(&w);
}

static void
run(const struct row *rows, size_t count)
{
    size_t wrong = 0;

    for (size_t i = 0; i < count; i++) {
        struct world           w = world_of(&rows[i]);
        const struct decision *d = world_at(&w, rows[i].record);
        if (d->verdict != rows[i].verdict || strcmp(rule_number(d->rule), rows[i].rule) != 0
            || strcmp(rule_citation(d->rule), rows[i].citation) != 0) {
            print_error("%s: %d %s %s, %.*s\n", rows[i].id, (int)d->verdict, rule_number(d->rule),
                        rule_citation(d->rule), SPAN_PRINT(d->because));
            wrong++;
        }
        assert_false(span_empty(d->because));
        world_end(&w);
        if (rows[i].verdict == VERDICT_PERMIT)
            needs_each_document(&rows[i]);
        minds_only_its_own_documents(&rows[i]);
    }
    assert_int_equal(wrong, 0);
}

#define RUN(rows) run((rows), sizeof(rows) / sizeof *(rows))
#define YES   VERDICT_PERMIT
#define NO    VERDICT_DENY
#define STAFF VERDICT_DENY_STAFF
#define HOLD  VERDICT_HOLD

#define TPO_TO(reference) CONSENT("tpo", "2026-01-01", "{\"type\":\"permit\"," TO(reference) "," TPO "}")
#define LAWYER WHO("Organization/law", "NAMED_NONHIPAA")
#define POLICE WHO("Organization/pd", "LAW_ENFORCEMENT")
#define CRIME(items) DOCUMENT("incident-1", "crime-report", "Organization/pd", P1 "," items)
#define COURT  WHO("Organization/court", "COURT")

static void
test_legal_process_needs_an_order_and_a_mandate_and_counsel(void **state)
{
    static const struct row rows[] = {
        { "LP-01 a subpoena without an order", PROGRAM LAWYER WHAT_FOR("HLEGAL") DOCUMENTS(SUBPOENA("Organization/law")), "",
          "opioid", NO, "R-19", "42 CFR 2.61" },
        { "LP-02 an order without a subpoena",
          PROGRAM COURT WHAT_FOR("HLEGAL") DOCUMENTS(ORDER("court-order-2.64", "Organization/court", THE_OPIOID, ALL_SAID)), "",
          "opioid", HOLD, "R-19", "42 CFR 2.61" },
        { "LP-03 both: what the order lists",
          PROGRAM COURT WHAT_FOR("HLEGAL") DOCUMENTS(ORDER("court-order-2.64", "Organization/court", THE_OPIOID, ALL_SAID) "," SUBPOENA("Organization/court")), "",
          "opioid", YES, "R-16", "42 CFR 2.64" },
        { "LP-03 and nothing else",
          PROGRAM COURT WHAT_FOR("HLEGAL") DOCUMENTS(ORDER("court-order-2.64", "Organization/court", THE_OPIOID, ALL_SAID) "," SUBPOENA("Organization/court")), "",
          "tablet", NO, "R-16", "42 CFR 2.64" },
        { "an order that lists nothing is for a person",
          PROGRAM COURT WHAT_FOR("HLEGAL") DOCUMENTS(ORDER("court-order-2.64", "Organization/court", "\"items\":[]", ALL_SAID) "," SUBPOENA("Organization/court")), "",
          "opioid", HOLD, "R-16", "42 CFR 2.64" },
        { "an order that counsel has not seen is for a person",
          PROGRAM COURT WHAT_FOR("HLEGAL") DOCUMENTS(ORDER("court-order-2.64", "Organization/court", THE_OPIOID, "\"says\":[\"opportunity-to-be-heard\",\"good-cause\"]") "," SUBPOENA("Organization/court")), "",
          "opioid", HOLD, "R-16", "42 CFR 2.64" },
        { "an order to somebody else is none",
          PROGRAM COURT WHAT_FOR("HLEGAL") DOCUMENTS(ORDER("court-order-2.64", "Organization/orgA", THE_OPIOID, ALL_SAID) "," SUBPOENA("Organization/court")), "",
          "opioid", NO, "R-19", "42 CFR 2.61" },
        { "an order that is over is for a person",
          PROGRAM COURT WHAT_FOR("HLEGAL") DOCUMENTS(ORDER("court-order-2.64", "Organization/court", THE_OPIOID, "\"to\":\"2026-06-01\"," ALL_SAID) "," SUBPOENA("Organization/court")), "",
          "opioid", HOLD, "R-16", "42 CFR 2.64" },
        { "LP-04 the bar follows the record", HELD("H_CEBA_TPO") POLICE WHAT_FOR("TREAT"), TPO_TO("Organization/pd"),
          "opioid", NO, "G-3", "42 CFR 2.12(d)(1)" },
        { "LP-06 the incident that staff report",
          PROGRAM POLICE WHAT_FOR("HLEGAL") DOCUMENTS(CRIME("\"items\":[\"AdverseEvent/incident\"]")), "",
          "incident", YES, "R-12", "42 CFR 2.12(c)(5)" },
        { "LP-06 a clinical record is no circumstance, though it is listed",
          PROGRAM POLICE WHAT_FOR("HLEGAL") DOCUMENTS(CRIME("\"items\":[\"AdverseEvent/incident\",\"MedicationDispense/tablet\"]")), "",
          "tablet", NO, "R-12", "42 CFR 2.12(c)(5)" },
        { "LP-06 an incident is one, not all of a kind",
          PROGRAM POLICE WHAT_FOR("HLEGAL") DOCUMENTS(CRIME("\"types\":[\"AdverseEvent\"]")), "",
          "incident", STAFF, "R-12", "42 CFR 2.12(c)(5)" },
        { "LP-06 of the patient who it is",
          PROGRAM POLICE WHAT_FOR("HLEGAL") DOCUMENTS(CRIME("\"items\":[\"AdverseEvent/incident\"]")), "",
          "p1", YES, "R-12", "42 CFR 2.12(c)(5)" },
        { "LP-07 and nothing clinical",
          PROGRAM POLICE WHAT_FOR("HLEGAL") DOCUMENTS(CRIME("\"items\":[\"AdverseEvent/incident\"]")), "",
          "opioid", NO, "R-12", "42 CFR 2.12(c)(5)" },
        { "LP-08 no extremely serious crime",
          PROGRAM POLICE WHAT_FOR("HLEGAL") DOCUMENTS(ORDER("court-order-2.65", "Organization/pd", THE_OPIOID, ALL_SAID) "," SUBPOENA("Organization/pd")), "",
          "opioid", HOLD, "R-17", "42 CFR 2.65" },
        { "R-17 an extremely serious crime",
          PROGRAM POLICE WHAT_FOR("HLEGAL") DOCUMENTS(ORDER("court-order-2.65", "Organization/pd", THE_OPIOID, "\"says\":[\"counsel-reviewed\",\"opportunity-to-be-heard\",\"good-cause\",\"extremely-serious-crime\"]") "," SUBPOENA("Organization/pd")), "",
          "opioid", YES, "R-17", "42 CFR 2.65" },
        { "a noncriminal order and law enforcement",
          PROGRAM POLICE WHAT_FOR("HLEGAL") DOCUMENTS(ORDER("court-order-2.64", "Organization/pd", THE_OPIOID, ALL_SAID) "," SUBPOENA("Organization/pd")), "",
          "opioid", HOLD, "R-16", "42 CFR 2.64" },
        { "LP-09 a consent for proceedings alone", PROGRAM COURT WHAT_FOR("HLEGAL"),
          CONSENT("c", "2026-01-01", PERMIT_TO("Organization/court", "HLEGAL")), "opioid", YES, "R-05", "42 CFR 2.31(d)" },
        { "CN-01 which does not reach a counseling note", PROGRAM COURT WHAT_FOR("HLEGAL"),
          CONSENT("c", "2026-01-01", PERMIT_TO("Organization/court", "HLEGAL")), "note", NO, "G-3", "42 CFR 2.12(d)(1)" },
        { "LP-09 that names another court", PROGRAM COURT WHAT_FOR("HLEGAL"),
          CONSENT("c", "2026-01-01", PERMIT_TO("Organization/orgA", "HLEGAL")), "opioid", NO, "G-3", "42 CFR 2.12(d)(1)" },
        { "CV-27 one that is combined", PROGRAM COURT WHAT_FOR("HLEGAL"),
          CONSENT("c", "2026-01-01", "{\"type\":\"permit\"," TO("Organization/court") ",\"purpose\":[" FOR("HLEGAL") "," FOR("TREAT") "]}"),
          "opioid", NO, "G-3", "42 CFR 2.12(d)(1)" },
        { "CV-27 and says it is for proceedings", PROGRAM COURT WHAT_FOR("HLEGAL"),
          MORE_CONSENT("c", "2026-01-01", KIND("proceedings"), "{\"type\":\"permit\"," TO("Organization/court") ",\"purpose\":[" FOR("HLEGAL") "," FOR("TREAT") "]}"),
          "opioid", NO, "G-3", "42 CFR 2.12(d)(1)" },
        { "LP-10 an attorney with a consent for operations", PROGRAM LAWYER WHAT_FOR("HLEGAL"), TPO_TO("Organization/law"),
          "opioid", NO, "G-3", "42 CFR 2.12(d)(1)" },
        { "LP-11 a licensing board", HELD("H_CEBA_TPO") WHO("Organization/board", "INVESTIGATIVE_AGENCY") WHAT_FOR("HOPERAT"), TPO_TO("Organization/board"),
          "opioid", NO, "G-3", "42 CFR 2.12(d)(1)" },
        { "LP-13 the auditor's copy",
          HELD("H_AUDIT") POLICE WHAT_FOR("HLEGAL") DOCUMENTS(ORDER("court-order-2.65", "Organization/pd", THE_OPIOID, "\"says\":[\"counsel-reviewed\",\"opportunity-to-be-heard\",\"good-cause\",\"extremely-serious-crime\"]") "," SUBPOENA("Organization/pd")), "",
          "opioid", NO, "R-19", "42 CFR 2.62" },
        { "R-18 an order on the program may not be turned against a patient",
          PROGRAM WHO("Organization/agency", "INVESTIGATIVE_AGENCY") WHAT_FOR("HLEGAL") DOCUMENTS(ORDER("court-order-2.66", "Organization/agency", THE_OPIOID, ALL_SAID) "," SUBPOENA("Organization/agency")), "",
          "opioid", NO, "R-18", "42 CFR 2.66" },
        { "R-18 an order on the program",
          PROGRAM WHO("Organization/agency", "INVESTIGATIVE_AGENCY") WHAT_FOR("HLEGAL") ",\"againstPatient\":false" DOCUMENTS(ORDER("court-order-2.66", "Organization/agency", THE_OPIOID, ALL_SAID) "," SUBPOENA("Organization/agency")), "",
          "opioid", YES, "R-18", "42 CFR 2.66" },
        { "LP-14 the patient's own claim", HELD("H_CEBA_TPO") LAWYER WHAT_FOR("HLEGAL") ",\"legalContext\":\"proceeding\",\"againstPatient\":false", "",
          "opioid", HOLD, "G-3", "42 CFR 2.12(d)(1)" },
        { "LP-14 whom it is against is not known", HELD("H_CEBA_TPO") LAWYER WHAT_FOR("HLEGAL") ",\"legalContext\":\"proceeding\"", "",
          "opioid", NO, "G-3", "42 CFR 2.12(d)(1)" },
        { "R-26 the Secretary", PROGRAM WHO("Organization/hhs", "HHS_SECRETARY") WHAT_FOR("HCOMPL") DOCUMENTS(DOCUMENT("hhs-1", "hhs-inquiry", "Organization/hhs", "\"types\":[\"Condition\"]")), "",
          "opioid", YES, "R-26", "42 CFR 2.2(b)" },
        { "R-26 what was not asked for", PROGRAM WHO("Organization/hhs", "HHS_SECRETARY") WHAT_FOR("HCOMPL") DOCUMENTS(DOCUMENT("hhs-1", "hhs-inquiry", "Organization/hhs", "\"types\":[\"Condition\"]")), "",
          "tablet", NO, "R-26", "42 CFR 2.2(b)" },
    };
    (void)state;
    RUN(rows);
}

#define CJ(more) MORE_CONSENT("cj", "2026-01-01", KIND("criminal-justice") more, PERMIT_TO("Organization/probation", "HLEGAL"))
#define MONITOR "\"actor\":{\"reference\":\"Organization/probation\",\"class\":[\"CJ_MONITOR\",\"LAW_ENFORCEMENT\"]},"

static void
test_a_criminal_justice_consent_lasts_until_the_stated_moment(void **state)
{
#define FROM_DECEMBER ",{\"url\":\"" CONSENT_EXTENSION "revocable-from\",\"valueDateTime\":\"2026-12-01\"}"
#define FROM_OCTOBER  ",{\"url\":\"" CONSENT_EXTENSION "revocable-from\",\"valueDateTime\":\"2026-10-01\"}"
#define REVOKED       ",{\"url\":\"" CONSENT_EXTENSION "revoked\",\"valueDateTime\":\"2026-11-20\"}"
    static const struct row rows[] = {
        { "CJ-01 revoked before it can be", PROGRAM MONITOR WHAT_FOR("HLEGAL"), CJ(FROM_DECEMBER REVOKED), "opioid", YES, "R-06", "42 CFR 2.35(a)" },
        { "CJ-01 revoked when it can be", PROGRAM MONITOR WHAT_FOR("HLEGAL"), CJ(FROM_OCTOBER REVOKED), "opioid", NO, "G-3", "42 CFR 2.12(d)(1)" },
        { "CJ-02 on to the police", HELD("H_CJ") POLICE WHAT_FOR("HLEGAL"), CJ(FROM_DECEMBER), "opioid", NO, "G-3", "42 CFR 2.12(d)(1)" },
        { "CJ-03 a drug court's prosecutor", PROGRAM MONITOR WHAT_FOR("HLEGAL") ",\"legalContext\":\"proceeding\"", CJ(FROM_DECEMBER), "opioid", YES, "R-06", "42 CFR 2.35(a)" },
        { "CJ-03 with no duty to monitor", PROGRAM WHO("Organization/probation", "LAW_ENFORCEMENT") WHAT_FOR("HLEGAL"), CJ(FROM_DECEMBER), "opioid", NO, "G-3", "42 CFR 2.12(d)(1)" },
        { "CJ-04 without a duration", PROGRAM MONITOR WHAT_FOR("HLEGAL"), CJ(""), "opioid", NO, "G-3", "42 CFR 2.12(d)(1)" },
    };
    (void)state;
    RUN(rows);
}

#define NOTES_CONSENT "{\"type\":\"permit\"," TO("Organization/orgA") ",\"securityLabel\":[" LABEL_ACT("PSYTHPN") "]}"
#define CLINIC WHO("Organization/orgA", "CE_PROVIDER")
#define INSIDE(reference, role) WHO_AS(reference, "\"onBehalfOf\":\"Organization/part2program\",\"role\":[\"" role "\"]")

static void
test_a_counseling_note_has_bases_of_its_own(void **state)
{
    static const struct row rows[] = {
        { "CN-01 a consent for treatment, payment and operations", PROGRAM CLINIC WHAT_FOR("TREAT"), TPO_TO("Organization/orgA"), "note", NO, "G-4", "42 CFR 2.31(b)" },
        { "CN-02 a consent for notes alone", PROGRAM CLINIC WHAT_FOR("TREAT"), MORE_CONSENT("n", "2026-01-01", KIND("counseling-notes"), NOTES_CONSENT), "note", YES, "R-04", "42 CFR 2.31(b)(1)" },
        { "CN-02 psychotherapy notes are others", PROGRAM CLINIC WHAT_FOR("TREAT"), CONSENT("n", "2026-01-01", NOTES_CONSENT), "note", NO, "G-4", "42 CFR 2.31(b)" },
        { "CN-02 a later refusal of everything ends it", PROGRAM CLINIC WHAT_FOR("TREAT"), MORE_CONSENT("n", "2026-01-01", KIND("counseling-notes"), NOTES_CONSENT) "," CONSENT("out", "2026-02-01", "{\"type\":\"deny\"}"), "note", NO, "G-4", "42 CFR 2.31(b)" },
        { "CN-02 an earlier one does not", PROGRAM CLINIC WHAT_FOR("TREAT"), MORE_CONSENT("n", "2026-03-01", KIND("counseling-notes"), NOTES_CONSENT) "," CONSENT("out", "2026-02-01", "{\"type\":\"deny\"}"), "note", YES, "R-04", "42 CFR 2.31(b)(1)" },
        { "CN-02 by its kind", PROGRAM CLINIC WHAT_FOR("TREAT"), MORE_CONSENT("n", "2026-01-01", KIND("counseling-notes"), "{\"type\":\"permit\"," TO("Organization/orgA") "}"), "note", YES, "R-04", "42 CFR 2.31(b)(1)" },
        { "CN-02 and nothing but notes", PROGRAM CLINIC WHAT_FOR("TREAT"), MORE_CONSENT("n", "2026-01-01", KIND("counseling-notes"), "{\"type\":\"permit\"," TO("Organization/orgA") "}"), "opioid", NO, "B-14", "42 CFR 2.13(a)" },
        { "CN-03 the author", PROGRAM WHO("Practitioner/bob", "PART2_PROGRAM") WHAT_FOR("TREAT"), "", "note", YES, "R-04", "42 CFR 2.31(b)(1)(i)(A)" },
        { "CN-03 the author, for operations", PROGRAM WHO("Practitioner/bob", "PART2_PROGRAM") WHAT_FOR("HOPERAT"), "", "note", NO, "G-4", "42 CFR 2.31(b)" },
        { "CN-04 a supervisor in the program", PROGRAM INSIDE("Practitioner/sue", "SUPERVISOR") WHAT_FOR("TRAIN"), "", "note", YES, "R-04", "42 CFR 2.31(b)(1)(i)(B)" },
        { "CN-04 a supervisor elsewhere", PROGRAM WHO_AS("Practitioner/sue", "\"onBehalfOf\":\"Organization/orgA\",\"role\":[\"SUPERVISOR\"]") WHAT_FOR("TRAIN"), "", "note", NO, "G-4", "42 CFR 2.31(b)" },
        { "CV-28 one form for both", PROGRAM CLINIC WHAT_FOR("TREAT"), CONSENT("n", "2026-01-01", "{\"type\":\"permit\",\"provision\":[" NOTES_CONSENT ",{\"type\":\"permit\"," TO("Organization/orgA") "," TPO "}]}"), "note", NO, "G-4", "42 CFR 2.31(b)" },
        { "CN-07 an emergency", PROGRAM CLINIC "\"purpose\":[\"ETREAT\"],\"emergency\":{\"declaredBy\":\"Practitioner/bob\",\"nature\":\"overdose\"}", "", "note", NO, "G-4", "42 CFR 2.31(b)" },
        { "R-15 oversight of the originator", PROGRAM WHO("Organization/aud", "AUDITOR_EVALUATOR") WHAT_FOR("HOPERAT") DOCUMENTS(DOCUMENT("a", "audit-agreement", "Organization/aud", "\"to\":\"2027-01-01\",\"says\":[\"audit-limits\",\"copying-agreed\",\"oversight-of-originator\"]")), "", "note", YES, "R-15", "42 CFR 2.53(b)" },
        { "R-15 an audit of something else", PROGRAM WHO("Organization/aud", "AUDITOR_EVALUATOR") WHAT_FOR("HOPERAT") DOCUMENTS(DOCUMENT("a", "audit-agreement", "Organization/aud", "\"to\":\"2027-01-01\",\"says\":[\"audit-limits\",\"copying-agreed\"]")), "", "note", STAFF, "R-15", "42 CFR 2.53(b)" },
        { "R-16 an order that reaches confidential communications", PROGRAM COURT WHAT_FOR("HLEGAL") DOCUMENTS(ORDER("court-order-2.64", "Organization/court", "\"items\":[\"DocumentReference/note\"]", "\"says\":[\"counsel-reviewed\",\"opportunity-to-be-heard\",\"good-cause\",\"confidential-communications\"]") "," SUBPOENA("Organization/court")), "", "note", YES, "R-16", "42 CFR 2.64" },
        { "R-16 an order that does not", PROGRAM COURT WHAT_FOR("HLEGAL") DOCUMENTS(ORDER("court-order-2.64", "Organization/court", "\"items\":[\"DocumentReference/note\"]", ALL_SAID) "," SUBPOENA("Organization/court")), "", "note", NO, "R-16", "42 CFR 2.64" },
        { "PA-01 the patient, where nothing was decided", PROGRAM WHO("Patient/p1", "PATIENT") WHAT_FOR("PATRQT"), "", "note", HOLD, "R-21", "42 CFR 2.23" },
        { "PA-01 the patient, where the program lets notes go", PROGRAM WHO("Patient/p1", "PATIENT") WHAT_FOR("PATRQT") ",\"site\":{\"notesToPatient\":true}", "", "note", YES, "R-21", "42 CFR 2.23" },
    };
    (void)state;
    RUN(rows);
}

#define QSOA(more) DOCUMENT("qsoa-1", "qsoa", "Organization/lab", BY_PROGRAM ",\"says\":[\"bound-by-part-2\",\"resists-in-proceedings\"]" more)
#define LAB WHO("Organization/lab", "QSO")
#define REPRESENTED(basis, minor) ",\"circumstances\":[{" P1 "," minor "\"representative\":{\"party\":[\"RelatedPerson/mother\"],\"basis\":\"" basis "\",\"from\":\"2020\"}}]"

static void
test_inside_the_program_and_to_those_who_serve_it(void **state)
{
    static const struct row rows[] = {
        { "NB-12 an agreement in date", PROGRAM LAB WHAT_FOR("HOPERAT") DOCUMENTS(QSOA("")), "", "opioid", YES, "R-10", "42 CFR 2.12(c)(4)" },
        { "NB-12 an agreement out of date", PROGRAM LAB WHAT_FOR("HOPERAT") DOCUMENTS(QSOA(",\"to\":\"2026-11-21\"")), "", "opioid", STAFF, "R-10", "42 CFR 2.12(c)(4)" },
        { "NB-12 its last day counts", PROGRAM LAB WHAT_FOR("HOPERAT") DOCUMENTS(QSOA(",\"to\":\"2026-11-22\"")), "", "opioid", YES, "R-10", "42 CFR 2.12(c)(4)" },
        { "NB-12 no agreement", PROGRAM LAB WHAT_FOR("HOPERAT"), "", "opioid", NO, "B-14", "42 CFR 2.13(a)" },
        { "NB-12 an agreement of another program", PROGRAM LAB WHAT_FOR("HOPERAT") DOCUMENTS(DOCUMENT("q", "qsoa", "Organization/lab", "\"discloser\":\"Organization/orgA\",\"says\":[\"bound-by-part-2\",\"resists-in-proceedings\"]")), "", "opioid", NO, "B-14", "42 CFR 2.13(a)" },
        { "R-10 a note stays", PROGRAM LAB WHAT_FOR("HOPERAT") DOCUMENTS(QSOA("")), "", "note", STAFF, "R-10", "42 CFR 2.12(c)(4)" },
        { "NB-13 the service organization is asked", HELD("H_QSO") CLINIC WHAT_FOR("TREAT") DOCUMENTS(QSOA("")), "", "opioid", NO, "B-14", "42 CFR 2.13(a)" },
        { "NB-15 a nurse of the ward", PROGRAM WHO_AS("Practitioner/nurse", "\"legalEntity\":\"Organization/hospital\",\"role\":[\"MEDICAL_PERSONNEL\"]") WHAT_FOR("TREAT") DOCUMENTS(DOCUMENT("d", "administrative-control", "Organization/hospital", BY_PROGRAM)), "", "opioid", STAFF, "R-09", "42 CFR 2.12(c)(3)" },
        { "NB-16 utilization review in the entity that controls it", PROGRAM WHO_AS("Practitioner/adm", "\"legalEntity\":\"Organization/hospital\",\"role\":[\"UTILIZATION_REVIEW\"]") WHAT_FOR("HOPERAT") DOCUMENTS(DOCUMENT("d", "administrative-control", "Organization/hospital", BY_PROGRAM)), "", "opioid", YES, "R-09", "42 CFR 2.12(c)(3)" },
        { "NB-16 without the control on file", PROGRAM WHO_AS("Practitioner/adm", "\"legalEntity\":\"Organization/hospital\",\"role\":[\"UTILIZATION_REVIEW\"]") WHAT_FOR("HOPERAT"), "", "opioid", NO, "B-14", "42 CFR 2.13(a)" },
        { "R-09 who treats in the program", PROGRAM INSIDE("Practitioner/doc", "SUD_CARE") WHAT_FOR("TREAT"), "", "opioid", YES, "R-09", "42 CFR 2.12(c)(3)" },
        { "PA-01 the patient", PROGRAM WHO("Patient/p1", "PATIENT") WHAT_FOR("PATRQT"), "", "opioid", YES, "R-21", "42 CFR 2.23" },
        { "another patient", PROGRAM WHO("Patient/p2", "PATIENT") WHAT_FOR("PATRQT"), "", "opioid", NO, "B-14", "42 CFR 2.13(a)" },
        { "somebody who only says so", PROGRAM CLINIC WHAT_FOR("PATRQT"), "", "opioid", NO, "B-14", "42 CFR 2.13(a)" },
        { "PA-03 the patient's token in litigation", PROGRAM WHO("Patient/p1", "PATIENT") WHAT_FOR("PATRQT") ",\"legalContext\":\"proceeding\"", "", "opioid", NO, "G-3", "42 CFR 2.12(d)(1)" },
        { "MI-01 a parent of a minor who consents alone", PROGRAM WHO("RelatedPerson/mother", "PERSONAL_REP") WHAT_FOR("PATRQT") REPRESENTED("parent", "\"minor\":{\"consentsAlone\":true},"), "", "opioid", NO, "B-14", "42 CFR 2.13(a)" },
        { "MI-01 or may", PROGRAM WHO("RelatedPerson/mother", "PERSONAL_REP") WHAT_FOR("PATRQT") REPRESENTED("parent", ""), "", "opioid", NO, "B-14", "42 CFR 2.13(a)" },
        { "R-21 a guardian", PROGRAM WHO("RelatedPerson/mother", "PERSONAL_REP") WHAT_FOR("PATRQT") REPRESENTED("guardian", ""), "", "opioid", YES, "R-21", "42 CFR 2.23" },
    };
    (void)state;
    RUN(rows);
}

#define BTG(more) "\"purpose\":[\"BTG\"],\"emergency\":{\"declaredBy\":\"Practitioner/bob\",\"nature\":\"overdose\"" more "}"
#define DOCTOR(more) WHO_AS("Practitioner/bob", "\"class\":[\"CE_PROVIDER\"]" more)
#define WORKS(more) WHO_AS("Practitioner/bob", "\"class\":[\"CE_PROVIDER\",\"NAMED_NONHIPAA\"],\"onBehalfOf\":\"Organization/orgA\"" more)
#define FLOOD(more) DOCUMENT("flood-1", "disaster-declaration", "Organization/orgA", BY_PROGRAM more)

static void
test_an_emergency_is_declared_in_full_by_medical_personnel(void **state)
{
    static const struct row rows[] = {
        { "EM-01 with all of 2.51(c)", PROGRAM DOCTOR("") BTG(",\"affiliation\":\"General Hospital\",\"discloser\":\"Sam\""), "", "opioid", YES, "R-13", "42 CFR 2.51(a)(1)" },
        { "EM-02 without an affiliation", PROGRAM DOCTOR("") BTG(""), "", "opioid", STAFF, "R-13", "42 CFR 2.51(a)(1)" },
        { "EM-02 of whom it is known", PROGRAM DOCTOR(",\"onBehalfOf\":\"Organization/orgA\"") BTG(""), "", "opioid", YES, "R-13", "42 CFR 2.51(a)(1)" },
        { "EM-03 the patient refused", PROGRAM DOCTOR(",\"onBehalfOf\":\"Organization/orgA\"") BTG(",\"patientRefused\":true"), "", "opioid", STAFF, "R-13", "42 CFR 2.51(a)(1)" },
        { "EM-04 who bills", PROGRAM DOCTOR(",\"role\":[\"BILLING\"],\"onBehalfOf\":\"Organization/orgA\"") BTG(""), "", "opioid", NO, "R-13", "42 CFR 2.51(a)(1)" },
        { "EM-04 the clinic of an employer, and nobody knows who asks", PROGRAM WORKS("") BTG(""), "", "opioid", NO, "R-13", "42 CFR 2.51(a)(1)" },
        { "EM-04 its officer", PROGRAM WORKS(",\"role\":[\"BILLING\"]") BTG(""), "", "opioid", NO, "R-13", "42 CFR 2.51(a)(1)" },
        { "EM-01 its physician", PROGRAM WORKS(",\"role\":[\"MEDICAL_PERSONNEL\"]") BTG(""), "", "opioid", YES, "R-13", "42 CFR 2.51(a)(1)" },
        { "EM-04 a plan that has clinics", PROGRAM WHO_AS("Practitioner/bob", "\"class\":[\"CE_PROVIDER\",\"HEALTH_PLAN\"],\"onBehalfOf\":\"Organization/orgA\"") BTG(""), "", "opioid", NO, "R-13", "42 CFR 2.51(a)(1)" },
        { "EM-01 a hospital that also does research", PROGRAM WHO_AS("Practitioner/bob", "\"class\":[\"CE_PROVIDER\",\"RESEARCHER\"],\"onBehalfOf\":\"Organization/orgA\"") BTG(""), "", "opioid", YES, "R-13", "42 CFR 2.51(a)(1)" },
        { "EM-04 a prison with a physician: law enforcement all the same", PROGRAM WHO_AS("Practitioner/bob", "\"class\":[\"CE_PROVIDER\",\"LAW_ENFORCEMENT\"],\"role\":[\"MEDICAL_PERSONNEL\"],\"onBehalfOf\":\"Organization/orgA\"") BTG(""), "", "opioid", NO, "G-3", "42 CFR 2.12(d)(1)" },
        { "EM-05 a flood, and the program is closed", PROGRAM WHO("Organization/orgA", "PART2_PROGRAM") WHAT_FOR("TREAT") DOCUMENTS(FLOOD(",\"to\":\"2026-12-01\"")), "", "tablet", YES, "R-13", "42 CFR 2.51(a)(2)" },
        { "EM-05 until it resumes", PROGRAM WHO("Organization/orgA", "PART2_PROGRAM") WHAT_FOR("TREAT") DOCUMENTS(FLOOD(",\"to\":\"2026-11-01\"")), "", "tablet", STAFF, "R-13", "42 CFR 2.51(a)(2)" },
        { "EM-05 nobody knows until when", PROGRAM WHO("Organization/orgA", "PART2_PROGRAM") WHAT_FOR("TREAT") DOCUMENTS(FLOOD("")), "", "tablet", STAFF, "R-13", "42 CFR 2.51(a)(2)" },
        { "EM-06 a later routine read", PROGRAM DOCTOR(",\"onBehalfOf\":\"Organization/orgA\"") WHAT_FOR("TREAT"), "", "opioid", NO, "B-14", "42 CFR 2.13(a)" },
        { "EM-08 who is to be told of a bad lot", PROGRAM WHO("Organization/fda", "FDA_MEDICAL") WHAT_FOR("PUBHLTH") DOCUMENTS(DOCUMENT("lot", "fda-assertion", "Organization/fda", P1)), "", "p1", YES, "R-13", "42 CFR 2.51(b)" },
        { "EM-08 and nothing else", PROGRAM WHO("Organization/fda", "FDA_MEDICAL") WHAT_FOR("PUBHLTH") DOCUMENTS(DOCUMENT("lot", "fda-assertion", "Organization/fda", P1)), "", "opioid", NO, "R-13", "42 CFR 2.51(b)" },
    };
    (void)state;
    RUN(rows);
}

#define FILED_BUT(who, discloser, more)                                                                          \
    ",\"emergencies\":[{\"id\":\"er-1\"," P1 ",\"party\":\"" who "\",\"declaredBy\":\"Dr. Okafor\",\"affiliation\":\"ED\"," \
    discloser "\"nature\":\"overdose\",\"whyUnobtainable\":\"unconscious\"" more "}]"
#define SAM "\"discloser\":\"Sam\","
#define NOW ",\"from\":\"2026-11-22T14:00:00Z\",\"to\":\"2026-11-23T14:00:00Z\""
#define ER(class) WHO("Organization/orgB", class)

static void
test_an_emergency_is_filed_in_full_for_known_medical_personnel(void **state)
{
    static const struct row rows[] = {
        { "EM-01 filed with all of 2.51(c)", PROGRAM ER("CE_PROVIDER") WHAT_FOR("TREAT") FILED_BUT("Organization/orgB", SAM, NOW), "", "opioid", YES, "R-13", "42 CFR 2.51(a)(1)" },
        { "EM-02 filed without who discloses", PROGRAM ER("CE_PROVIDER") WHAT_FOR("TREAT") FILED_BUT("Organization/orgB", "", NOW), "", "opioid", STAFF, "R-13", "42 CFR 2.51(a)(1)" },
        { "EM-03 filed, but the patient refused", PROGRAM ER("CE_PROVIDER") WHAT_FOR("TREAT") FILED_BUT("Organization/orgB", SAM, NOW ",\"patientRefused\":true"), "", "opioid", STAFF, "R-13", "42 CFR 2.51(a)(1)" },
        { "EM-04 filed for who is no medical personnel", PROGRAM ER("HEALTH_PLAN") WHAT_FOR("TREAT") FILED_BUT("Organization/orgB", SAM, NOW), "", "opioid", STAFF, "R-13", "42 CFR 2.51(a)(1)" },
        { "EM-04 filed for who also bills", PROGRAM ER("CE_PROVIDER") "\"purpose\":[\"TREAT\",\"HPAYMT\"]" FILED_BUT("Organization/orgB", SAM, NOW), "", "opioid", NO, "B-14", "42 CFR 2.13(a)" },
        { "EM-06 filed, and over", PROGRAM ER("CE_PROVIDER") WHAT_FOR("TREAT") FILED_BUT("Organization/orgB", SAM, ",\"from\":\"2026-11-21T14:00:00Z\",\"to\":\"2026-11-22T14:59:59Z\""), "", "opioid", NO, "B-14", "42 CFR 2.13(a)" },
        { "EM-06 filed without an end", PROGRAM ER("CE_PROVIDER") WHAT_FOR("TREAT") FILED_BUT("Organization/orgB", SAM, ",\"from\":\"2026-11-22T14:00:00Z\""), "", "opioid", STAFF, "R-13", "42 CFR 2.51(a)(1)" },
        { "filed for somebody else", PROGRAM ER("CE_PROVIDER") WHAT_FOR("TREAT") FILED_BUT("Organization/orgA", SAM, NOW), "", "opioid", NO, "B-14", "42 CFR 2.13(a)" },
        { "CN-07 a note in an emergency that is filed", PROGRAM ER("CE_PROVIDER") WHAT_FOR("TREAT") FILED_BUT("Organization/orgB", SAM, NOW), "", "note", NO, "G-4", "42 CFR 2.31(b)" },
    };
    (void)state;
    RUN(rows);
}

#define ANOTHER "\"source\":{\"part2\":\"program\",\"organization\":\"Organization/orgB\"},"

static void
test_a_program_discloses_its_own_records_not_those_it_received(void **state)
{
    static const struct row rows[] = {
        { "R-10 a copy, and the holder's own agreement", ANOTHER LAB WHAT_FOR("HOPERAT") DOCUMENTS(DOCUMENT("q", "qsoa", "Organization/lab", "\"discloser\":\"Organization/orgB\",\"says\":[\"bound-by-part-2\",\"resists-in-proceedings\"]")), "", "opioid", NO, "B-14", "42 CFR 2.13(a)" },
        { "R-09 a copy, for people of the program it is from", ANOTHER INSIDE("Practitioner/doc", "SUD_CARE") WHAT_FOR("TREAT"), "", "opioid", NO, "B-14", "42 CFR 2.13(a)" },
        { "R-14 a copy, and the holder's director", ANOTHER WHO("Organization/uni", "RESEARCHER") WHAT_FOR("HRESCH") DOCUMENTS(DOCUMENT("i", "research-determination", "Organization/uni", "\"to\":\"2027-12-31\",\"says\":[\"hipaa-authorization\",\"director-determination\"]")), "", "opioid", NO, "B-14", "42 CFR 2.13(a)" },
    };
    (void)state;
    RUN(rows);
}

#define RESEARCH(says) DOCUMENT("irb-1", "research-determination", "Organization/uni", "\"to\":\"2027-12-31\",\"says\":[" says "]")
#define UNI WHO("Organization/uni", "RESEARCHER")
#define AUDITOR WHO("Organization/aud", "AUDITOR_EVALUATOR")
#define REGISTRY_CONSENT MORE_CONSENT("r", "2026-01-01", KIND("central-registry"), "{\"type\":\"permit\"," TO("Organization/reg") "}")
#define ACCEPTED(party) DOCUMENT("e", "enrolment-event", party, P1 ",\"says\":[\"enrolment-trigger\"]")
#define PDMP_CONSENT MORE_CONSENT("m", "2026-01-01", KIND("pdmp"), "{\"type\":\"permit\"," TO("Organization/pdmp") "}")
#define PDMP_LAW DOCUMENT("law", "pdmp-law", "Organization/pdmp", "\"says\":[\"statute\"]")

#define CHILD_LINE PROGRAM WHO("Organization/cps", "CHILD_PROTECTION") WHAT_FOR("PUBHLTH")
#define ABUSE(list) DOCUMENT("d", "child-abuse-report", "Organization/cps", P1 "," list ",\"says\":[\"statute\"]")

static void
test_bases_without_consent_rest_on_what_is_on_file(void **state)
{
    static const struct row rows[] = {
        { "NB-01 a waiver without the director", PROGRAM UNI WHAT_FOR("HRESCH") DOCUMENTS(RESEARCH("\"hipaa-authorization\"")), "", "opioid", STAFF, "R-14", "42 CFR 2.52(a)" },
        { "NB-01 the director without a waiver", PROGRAM UNI WHAT_FOR("HRESCH") DOCUMENTS(RESEARCH("\"director-determination\"")), "", "opioid", STAFF, "R-14", "42 CFR 2.52(a)" },
        { "R-14 both", PROGRAM UNI WHAT_FOR("HRESCH") DOCUMENTS(RESEARCH("\"hipaa-authorization\",\"director-determination\"")), "", "opioid", YES, "R-14", "42 CFR 2.52(a)" },
        { "R-14 for something else", PROGRAM UNI WHAT_FOR("HMARKT") DOCUMENTS(RESEARCH("\"hipaa-authorization\",\"director-determination\"")), "", "opioid", NO, "B-14", "42 CFR 2.13(a)" },
        { "NB-02 the researcher's partner", HELD("H_RESEARCH") UNI WHAT_FOR("HRESCH") DOCUMENTS(RESEARCH("\"hipaa-authorization\",\"director-determination\"")), "", "opioid", NO, "B-14", "42 CFR 2.13(a)" },
        { "NB-03 an auditor without an agreement", PROGRAM AUDITOR WHAT_FOR("HOPERAT"), "", "opioid", NO, "B-14", "42 CFR 2.13(a)" },
        { "NB-03 that may look and not copy", PROGRAM AUDITOR WHAT_FOR("HOPERAT") DOCUMENTS(DOCUMENT("a", "audit-agreement", "Organization/aud", "\"to\":\"2027-01-01\",\"says\":[\"audit-limits\"]")), "", "opioid", STAFF, "R-15", "42 CFR 2.53(b)" },
        { "NB-04 that may copy", PROGRAM AUDITOR WHAT_FOR("HOPERAT") DOCUMENTS(DOCUMENT("a", "audit-agreement", "Organization/aud", "\"to\":\"2027-01-01\",\"says\":[\"audit-limits\",\"copying-agreed\"]")), "", "opioid", YES, "R-15", "42 CFR 2.53(b)" },
        { "NB-05 an identified cohort", PROGRAM WHO("Organization/pha", "PUBLIC_HEALTH_AUTHORITY") WHAT_FOR("PUBHLTH"), "", "opioid", NO, "B-14", "42 CFR 2.13(a)" },
        { "NB-06 not de-identified by a method", PROGRAM WHO("Organization/pha", "PUBLIC_HEALTH_AUTHORITY") WHAT_FOR("PUBHLTH") DOCUMENTS(DOCUMENT("d", "de-identification", "Organization/pha", THE_OPIOID)), "", "opioid", STAFF, "R-22", "42 CFR 2.54" },
        { "R-22 de-identified", PROGRAM WHO("Organization/pha", "PUBLIC_HEALTH_AUTHORITY") WHAT_FOR("PUBHLTH") DOCUMENTS(DOCUMENT("d", "de-identification", "Organization/pha", THE_OPIOID ",\"says\":[\"expert-determination\"]")), "", "opioid", YES, "R-22", "42 CFR 2.54" },
        { "NB-07 the report", CHILD_LINE DOCUMENTS(ABUSE("\"items\":[\"Communication/report\"]")), "", "report", YES, "R-11", "42 CFR 2.12(c)(6)" },
        { "NB-07 a record of the chart is none, though it is listed", CHILD_LINE DOCUMENTS(ABUSE(THE_OPIOID)), "", "opioid", NO, "R-11", "42 CFR 2.12(c)(6)" },
        { "NB-07 a report is one, not all of a kind", CHILD_LINE DOCUMENTS(ABUSE("\"types\":[\"Communication\"]")), "", "report", STAFF, "R-11", "42 CFR 2.12(c)(6)" },
        { "NB-07 not the chart", CHILD_LINE DOCUMENTS(ABUSE("\"items\":[\"Communication/report\"]")), "", "tablet", NO, "R-11", "42 CFR 2.12(c)(6)" },
        { "NB-08 a law without a consent", PROGRAM WHO("Organization/pdmp", "PDMP") WHAT_FOR("PUBHLTH") DOCUMENTS(PDMP_LAW), "", "tablet", NO, "B-14", "42 CFR 2.13(a)" },
        { "NB-09 both", PROGRAM WHO("Organization/pdmp", "PDMP") WHAT_FOR("PUBHLTH") DOCUMENTS(PDMP_LAW), PDMP_CONSENT, "tablet", YES, "R-08", "42 CFR 2.36" },
        { "NB-09 medication alone", PROGRAM WHO("Organization/pdmp", "PDMP") WHAT_FOR("PUBHLTH") DOCUMENTS(PDMP_LAW), PDMP_CONSENT, "opioid", NO, "R-08", "42 CFR 2.36" },
        { "NB-09 a consent without a law", PROGRAM WHO("Organization/pdmp", "PDMP") WHAT_FOR("PUBHLTH"), PDMP_CONSENT, "tablet", NO, "B-14", "42 CFR 2.13(a)" },
        { "NB-10 a registry, the drug", PROGRAM WHO("Organization/reg", "CENTRAL_REGISTRY") WHAT_FOR("TREAT") DOCUMENTS(ACCEPTED("Organization/reg")), REGISTRY_CONSENT, "tablet", YES, "R-07", "42 CFR 2.34(a)" },
        { "NB-10 a registry, the diagnosis", PROGRAM WHO("Organization/reg", "CENTRAL_REGISTRY") WHAT_FOR("TREAT") DOCUMENTS(ACCEPTED("Organization/reg")), REGISTRY_CONSENT, "opioid", NO, "R-07", "42 CFR 2.34(a)" },
        { "R-07 nothing has happened", PROGRAM WHO("Organization/reg", "CENTRAL_REGISTRY") WHAT_FOR("TREAT"), REGISTRY_CONSENT, "tablet", NO, "B-14", "42 CFR 2.13(a)" },
        { "NB-11 a program too far away", PROGRAM WHO("Organization/reg", "PART2_PROGRAM") WHAT_FOR("TREAT") DOCUMENTS(ACCEPTED("Organization/reg")), REGISTRY_CONSENT, "tablet", NO, "B-14", "42 CFR 2.13(a)" },
        { "NB-11 a program nearby", PROGRAM WHO("Organization/reg", "PART2_PROGRAM") WHAT_FOR("TREAT") DOCUMENTS(ACCEPTED("Organization/reg") "," DOCUMENT("n", "program-distance", "Organization/reg", "\"says\":[\"within-200-miles\"]")), REGISTRY_CONSENT, "tablet", YES, "R-07", "42 CFR 2.34(a)" },
        { "MI-05 facts for a parent", PROGRAM WHO("RelatedPerson/mother", "FAMILY") WHAT_FOR("FAMRQT") DOCUMENTS(DOCUMENT("t", "director-threat-determination", "RelatedPerson/mother", P1 "," THE_OPIOID ",\"says\":[\"director-determination\"]")), "", "opioid", YES, "R-23", "42 CFR 2.14(c)" },
        { "MI-05 and no more", PROGRAM WHO("RelatedPerson/mother", "FAMILY") WHAT_FOR("FAMRQT") DOCUMENTS(DOCUMENT("t", "director-threat-determination", "RelatedPerson/mother", P1 "," THE_OPIOID ",\"says\":[\"director-determination\"]")), "", "tablet", NO, "R-23", "42 CFR 2.14(c)" },
        { "CP-02 payment is no clinical record", PROGRAM WHO("Organization/plan", "HEALTH_PLAN") WHAT_FOR("HPAYMT") DOCUMENTS(DOCUMENT("d", "director-payment-consent", "Organization/plan", P1 "," BY_PROGRAM ",\"says\":[\"director-determination\"]")), "", "opioid", NO, "R-24", "42 CFR 2.15(a)(2)" },
        { "CP-02 treatment", PROGRAM CLINIC WHAT_FOR("TREAT") DOCUMENTS(DOCUMENT("d", "director-payment-consent", "Organization/orgA", P1 "," BY_PROGRAM ",\"says\":[\"director-determination\"]")), "", "opioid", NO, "B-14", "42 CFR 2.13(a)" },
        { "DE-01 a medical examiner", PROGRAM WHO("Organization/me", "MEDICAL_EXAMINER") WHAT_FOR("PUBHLTH") ",\"circumstances\":[{" P1 ",\"deceased\":true}]" DOCUMENTS(DOCUMENT("v", "cause-of-death-inquiry", "Organization/me", P1 "," THE_OPIOID ",\"says\":[\"statute\"]")), "", "opioid", YES, "R-25", "42 CFR 2.15(b)(1)" },
        { "DE-01 of somebody who lives", PROGRAM WHO("Organization/me", "MEDICAL_EXAMINER") WHAT_FOR("PUBHLTH") DOCUMENTS(DOCUMENT("v", "cause-of-death-inquiry", "Organization/me", P1 "," THE_OPIOID ",\"says\":[\"statute\"]")), "", "opioid", STAFF, "R-25", "42 CFR 2.15(b)(1)" },
        { "DE-02 an adult child", PROGRAM WHO("RelatedPerson/child", "FAMILY") WHAT_FOR("FAMRQT") ",\"circumstances\":[{" P1 ",\"deceased\":true,\"representative\":{\"party\":[\"RelatedPerson/exec\"],\"basis\":\"executor\",\"from\":\"2026\"}}]", "", "opioid", NO, "B-14", "42 CFR 2.13(a)" },
        { "DE-03 a life insurer", PROGRAM WHO("Organization/life", "NAMED_NONHIPAA") WHAT_FOR("HPAYMT") ",\"circumstances\":[{" P1 ",\"deceased\":true}]", "", "opioid", NO, "B-14", "42 CFR 2.13(a)" },
    };
    (void)state;
    RUN(rows);
}

#define CONTRACT(says) DOCUMENT("k", "contract-2.33", "Organization/con", "\"discloser\":\"Organization/orgB\",\"says\":[" says "]")
#define CONTRACTOR WHO("Organization/con", "CONTRACTOR")
#define REVOKED_TPO MORE_CONSENT("old", "2026-01-01", "{\"url\":\"" CONSENT_EXTENSION "revoked\",\"valueDateTime\":\"2026-11-20\"}", "{\"type\":\"permit\"," TO("Organization/orgB") "," TPO "}")

static void
test_a_received_copy_goes_on_by_the_capacity_it_is_held_in(void **state)
{
    static const struct row rows[] = {
        { "RD-01 on to a specialist", HELD("H_CEBA_TPO") CLINIC WHAT_FOR("TREAT"), "", "opioid", YES, "B2-1", "42 CFR 2.33(b)(1); 45 CFR 164.506(c)(2)" },
        { "RD-01 what the program wrote itself", "\"source\":{\"part2\":\"program\",\"organization\":\"Organization/part2program\",\"holder\":\"H_CEBA_TPO\"}," CLINIC WHAT_FOR("TREAT"), "", "opioid", NO, "B-14", "42 CFR 2.13(a)" },
        { "RD-01 what a program received from another", "\"source\":{\"part2\":\"program\",\"organization\":\"Organization/orgB\",\"holder\":\"H_CEBA_TPO\"}," CLINIC WHAT_FOR("TREAT"), "", "opioid", YES, "B2-1", "42 CFR 2.33(b)(1); 45 CFR 164.506(c)(2)" },
        { "RD-01 from nobody knows whom", HELD("H_SPECIFIC_CONSENT") CLINIC WHAT_FOR("TREAT"), "", "opioid", NO, "B-14", "42 CFR 2.13(a)" },
        { "RD-01 for no purpose", HELD("H_CEBA_TPO") CLINIC "\"purpose\":[]", "", "opioid", NO, "B-14", "42 CFR 2.13(a)" },
        { "RD-01 to nobody knows what", HELD("H_CEBA_TPO") ORG_A "," WHAT_FOR("TREAT"), "", "opioid", NO, "B-14", "42 CFR 2.13(a)" },
        { "RD-01 the patient said no", HELD("H_CEBA_TPO") CLINIC WHAT_FOR("TREAT"), CONSENT("no", "2026-02-01", "{\"type\":\"deny\"," TO("Organization/orgA") "}"), "opioid", NO, "C-D", "42 CFR 2.31(a)" },
        { "CV-18 the consent was revoked", HELD("H_CEBA_TPO") CLINIC WHAT_FOR("TREAT"), REVOKED_TPO, "opioid", NO, "B-14", "42 CFR 2.13(a)" },
        { "RD-02 a reportable disease", HELD("H_CEBA_TPO") WHO("Organization/pha", "PUBLIC_HEALTH_AUTHORITY") WHAT_FOR("PUBHLTH"), "", "opioid", YES, "B2-5", "42 CFR 2.33(b)(1); 45 CFR 164.512(b)" },
        { "RD-03 a civil subpoena", HELD("H_CEBA_TPO") LAWYER WHAT_FOR("HLEGAL") DOCUMENTS(SUBPOENA("Organization/law")), "", "opioid", NO, "R-19", "42 CFR 2.61" },
        { "RD-04 a program outside of HIPAA", HELD("H_PROG_NONHIPAA_TPO") WHO("Organization/sober", "NAMED_NONHIPAA") WHAT_FOR("TREAT"), TPO_TO("Organization/orgA"), "opioid", NO, "B-14", "42 CFR 2.13(a)" },
        { "RD-05 no contract", HELD("H_LAWFUL_NONHIPAA_PHO") CONTRACTOR WHAT_FOR("HPAYMT"), "", "opioid", NO, "B-14", "42 CFR 2.13(a)" },
        { "RD-05 a contract without its terms", HELD("H_LAWFUL_NONHIPAA_PHO") CONTRACTOR WHAT_FOR("HPAYMT") DOCUMENTS(CONTRACT("")), "", "opioid", STAFF, "B2-6", "42 CFR 2.33(b)(3)" },
        { "RD-05 a contract", HELD("H_LAWFUL_NONHIPAA_PHO") CONTRACTOR WHAT_FOR("HPAYMT") DOCUMENTS(CONTRACT("\"contract-terms\"")), "", "opioid", YES, "B2-6", "42 CFR 2.33(b)(3)" },
        { "RD-06 a contract, for treatment", HELD("H_LAWFUL_NONHIPAA_PHO") CONTRACTOR WHAT_FOR("TREAT") DOCUMENTS(CONTRACT("\"contract-terms\"")), "", "opioid", NO, "B-14", "42 CFR 2.13(a)" },
        { "RD-07 an employer's vendor", HELD("H_SPECIFIC_CONSENT") WHO("Organization/hr", "NAMED_NONHIPAA") WHAT_FOR("HOPERAT"), TPO_TO("Organization/emp"), "opioid", NO, "B-14", "42 CFR 2.13(a)" },
        { "RD-11 nobody knows", "\"source\":{\"part2\":\"unknown\",\"organization\":\"Organization/orgB\"}," CLINIC WHAT_FOR("TREAT"), "", "opioid", NO, "B-14", "42 CFR 2.13(a)" },
        { "B.2 operations need a relationship", HELD("H_CEBA_TPO") CLINIC WHAT_FOR("HOPERAT"), "", "opioid", NO, "B-14", "42 CFR 2.13(a)" },
        { "B.2 operations with one", HELD("H_CEBA_TPO") CLINIC WHAT_FOR("HOPERAT") ",\"relationships\":[{\"provider\":\"Organization/orgA\"," P1 ",\"kind\":\"encounter\",\"from\":\"2026-10-01\"}]", "", "opioid", YES, "B2-3", "42 CFR 2.33(b)(1); 45 CFR 164.506(c)(4)" },
        { "B.2 research goes back", HELD("H_RESEARCH") WHO("Organization/part2program", "PART2_PROGRAM") WHAT_FOR("HRESCH"), "", "opioid", YES, "B2-8", "42 CFR 2.52(b), 2.53(d), 2.11" },
        { "B.2 a registry tells a member", HELD("H_REGISTRY") WHO("Organization/orgA", "PART2_PROGRAM") WHAT_FOR("TREAT") DOCUMENTS(DOCUMENT("m", "registry-membership", "Organization/orgA", P1)), "", "tablet", YES, "B2-7", "42 CFR 2.34" },
    };
    (void)state;
    RUN(rows);
}

#define RESTRICTED(more) ",\"restrictions\":[{\"id\":\"x\"," P1 "," more "}]"
#define PLAN WHO("Organization/plan", "HEALTH_PLAN")

static void
test_a_restriction_outranks_a_consent_and_yields_to_an_emergency(void **state)
{
    static const struct row rows[] = {
        { "RS-01 paid in full", PROGRAM PLAN WHAT_FOR("HPAYMT") RESTRICTED("\"recipient\":[\"HEALTH_PLAN\"],\"purpose\":[\"HPAYMT\",\"HOPERAT\"],\"selfPay\":true,\"agreed\":false"), TPO_TO("Organization/plan"), "opioid", NO, "G-6", "42 CFR 2.26; 45 CFR 164.522(a)" },
        { "RS-01 nobody ends it but the patient", PROGRAM PLAN WHAT_FOR("HPAYMT") RESTRICTED("\"recipient\":[\"HEALTH_PLAN\"],\"selfPay\":true,\"to\":\"2020\""), TPO_TO("Organization/plan"), "opioid", NO, "G-6", "42 CFR 2.26; 45 CFR 164.522(a)" },
        { "RS-01 others are not meant", PROGRAM CLINIC WHAT_FOR("TREAT") RESTRICTED("\"recipient\":[\"HEALTH_PLAN\"],\"selfPay\":true"), TPO_TO("Organization/orgA"), "opioid", YES, "R-01", "42 CFR 2.33(a)(2)" },
        { "RS-02 declined", PROGRAM CLINIC WHAT_FOR("TREAT") RESTRICTED("\"recipient\":[\"Organization/orgA\"],\"agreed\":false"), TPO_TO("Organization/orgA"), "opioid", YES, "R-01", "42 CFR 2.33(a)(2)" },
        { "RS-02 agreed", PROGRAM CLINIC WHAT_FOR("TREAT") RESTRICTED("\"recipient\":[\"Organization/orgA\"],\"agreed\":true"), TPO_TO("Organization/orgA"), "opioid", NO, "G-6", "42 CFR 2.26; 45 CFR 164.522(a)" },
        { "RS-03 terminated: an old record", PROGRAM CLINIC WHAT_FOR("TREAT") RESTRICTED("\"agreed\":true,\"to\":\"2025-01-01\""), TPO_TO("Organization/orgA"), "opioid", NO, "G-6", "42 CFR 2.26; 45 CFR 164.522(a)" },
        { "RS-03 terminated: a new record", PROGRAM CLINIC WHAT_FOR("TREAT") RESTRICTED("\"agreed\":true,\"to\":\"2025-01-01\""), TPO_TO("Organization/orgA"), "tablet", YES, "R-01", "42 CFR 2.33(a)(2)" },
        { "RS-03 terminated: whose the new record is", PROGRAM CLINIC WHAT_FOR("TREAT") RESTRICTED("\"agreed\":true,\"to\":\"2025-01-01\""), TPO_TO("Organization/orgA"), "p1", YES, "R-01", "42 CFR 2.33(a)(2)" },
        { "RS-03 certain records", PROGRAM CLINIC WHAT_FOR("TREAT") RESTRICTED("\"agreed\":true,\"items\":[\"Condition/opioid\"]"), TPO_TO("Organization/orgA"), "tablet", YES, "R-01", "42 CFR 2.33(a)(2)" },
        { "EM-07 an emergency", PROGRAM CLINIC BTG("") RESTRICTED("\"agreed\":true"), "", "opioid", YES, "R-13", "42 CFR 2.51(a)(1)" },
        { "2.26(a)(5) what is not for treatment, payment or operations", PROGRAM UNI WHAT_FOR("HRESCH") RESTRICTED("\"agreed\":true") DOCUMENTS(RESEARCH("\"hipaa-authorization\",\"director-determination\"")), "", "opioid", YES, "R-14", "42 CFR 2.52(a)" },
    };
    struct world w;

    (void)state;
    RUN(rows);
    w = world_of(&rows[9]);
    assert_int_equal(world_at(&w, "opioid")->obligations & OBLIGE_NO_REUSE, OBLIGE_NO_REUSE);
    world_end(&w);
}

#define EXCHANGE(more) MORE_CONSENT("i", "2026-01-01", KIND("intermediary") more, "{\"type\":\"permit\"," TO("Organization/orgB") "," TPO "}")
#define WHO_TREAT ",{\"url\":\"" CONSENT_EXTENSION "member-designation\",\"valueCode\":\"treating-provider-relationship\"}"
#define MEMBER_A  ",{\"url\":\"" CONSENT_EXTENSION "member\",\"valueReference\":{\"reference\":\"Organization/orgA\"}}"
#define TREATS(kind, from) ",\"relationships\":[{\"provider\":\"Organization/orgA\"," P1 ",\"kind\":\"" kind "\",\"from\":\"" from "\"}]"

static void
test_an_intermediary_passes_on_to_participants_by_evidence(void **state)
{
    static const struct row rows[] = {
        { "IN-01 no relationship", HELD("H_INTERMEDIARY") CLINIC WHAT_FOR("TREAT"), EXCHANGE(WHO_TREAT), "opioid", NO, "B-14", "42 CFR 2.13(a)" },
        { "IN-02 an encounter", HELD("H_INTERMEDIARY") CLINIC WHAT_FOR("TREAT") TREATS("encounter", "2026-10-01"), EXCHANGE(WHO_TREAT), "opioid", YES, "R-03", "42 CFR 2.31(a)(4)(ii)" },
        { "IN-02 one of long ago", HELD("H_INTERMEDIARY") CLINIC WHAT_FOR("TREAT") TREATS("encounter", "2020-10-01"), EXCHANGE(WHO_TREAT), "opioid", NO, "B-14", "42 CFR 2.13(a)" },
        { "IN-02 an appointment to come", HELD("H_INTERMEDIARY") CLINIC WHAT_FOR("TREAT") TREATS("appointment", "2026-12-10"), EXCHANGE(WHO_TREAT), "opioid", YES, "R-03", "42 CFR 2.31(a)(4)(ii)" },
        { "IN-02 a named member", HELD("H_INTERMEDIARY") CLINIC WHAT_FOR("TREAT"), EXCHANGE(MEMBER_A), "opioid", YES, "R-03", "42 CFR 2.31(a)(4)(ii)" },
        { "IN-03 neither members nor a designation", HELD("H_INTERMEDIARY") CLINIC WHAT_FOR("TREAT") TREATS("encounter", "2026-10-01"), EXCHANGE(""), "opioid", NO, "B-14", "42 CFR 2.13(a)" },
        { "IN-03 a general consent to an intermediary", PROGRAM WHO("Organization/orgB", "INTERMEDIARY") WHAT_FOR("TREAT"), TPO_TO("Organization/orgB"), "opioid", NO, "B-14", "42 CFR 2.13(a)" },
        { "R-03 the program to the intermediary", PROGRAM WHO("Organization/orgB", "INTERMEDIARY") WHAT_FOR("TREAT"), EXCHANGE(WHO_TREAT), "opioid", YES, "R-03", "42 CFR 2.31(a)(4)(ii)" },
        { "IN-04 an exchange that is a business associate", PROGRAM WHO("Organization/orgB", "BA") WHAT_FOR("TREAT"), TPO_TO("Organization/orgB"), "opioid", YES, "R-01", "42 CFR 2.33(a)(2)" },
        { "IN-06 a claim is no evidence", HELD("H_INTERMEDIARY") WHO_AS("Organization/orgA", "\"class\":[\"CE_PROVIDER\"],\"role\":[\"TREATING_PROVIDER\"]") WHAT_FOR("TREAT"), EXCHANGE(WHO_TREAT), "opioid", NO, "B-14", "42 CFR 2.13(a)" },
    };
    struct world w;

    (void)state;
    RUN(rows);
    w = world_of(&rows[1]);
    assert_int_equal(world_at(&w, "opioid")->obligations & OBLIGE_INTERMEDIARY, OBLIGE_INTERMEDIARY);
    world_end(&w);
}

static struct span
payload(struct world *w, const char *facts, const char *consents, const char *bundle_json)
{
    static char           request[32768];
    const struct release *r;

    snprintf(request, sizeof request, "{" AT "," ACTORS "," PROGRAMS "%s,\"consents\":[%s]}", facts, consents);
    *w = world_read(request, bundle_json);
    assert_int_equal(release_make(w->bundle, w->references, NULL, w->facts, w->arena, &r), ST_OK);
    return r->payload;
}

static bool
holds(struct span payload, const char *text)
{
    return span_find(payload, span_of(text)) != SPAN_NOT_FOUND;
}

#define ORDERED                                                                                              \
    ENTRY("{\"resourceType\":\"MedicationRequest\",\"id\":\"m1\",\"text\":{\"status\":\"generated\",\"div\":"  \
          "\"<div xmlns=\\\"http://www.w3.org/1999/xhtml\\\">for dependence</div>\"},\"status\":\"active\",\"intent\":\"order\"," \
          "\"medicationCodeableConcept\":{\"text\":\"methadone 40 mg\"}," OF_P1 ",\"authoredOn\":\"2026-06-10\","    \
          "\"requester\":{\"reference\":\"Organization/part2program\"},\"reasonCode\":[{\"coding\":[{\"system\":"     \
          "\"http://hl7.org/fhir/sid/icd-10-cm\",\"code\":\"F11.20\"}]}],\"dosageInstruction\":[{\"text\":\"once daily\"}]}")
#define DIAGNOSED                                                                                            \
    ENTRY("{\"resourceType\":\"Condition\",\"id\":\"c1\"," OF_P1 ",\"code\":{\"coding\":[{\"system\":"              \
          "\"http://hl7.org/fhir/sid/icd-10-cm\",\"code\":\"F11.20\"}]}}")
#define REED ENTRY("{\"resourceType\":\"Patient\",\"id\":\"p1\",\"name\":[{\"family\":\"Reed\"}],\"maritalStatus\":{\"text\":\"widowed\"}," \
                   "\"address\":[{\"city\":\"Elmtown\"}],\"birthDate\":\"1980-02-03\"}")

static void
test_a_registry_learns_who_which_drug_and_when(void **state)
{
    (void)state;
    struct world w;
    struct span  out = payload(&w, PROGRAM WHO("Organization/reg", "CENTRAL_REGISTRY") WHAT_FOR("TREAT")
                                   DOCUMENTS(ACCEPTED("Organization/reg")), REGISTRY_CONSENT, BUNDLE(REED "," ORDERED "," DIAGNOSED));

    assert_true(holds(out, "Reed") && holds(out, "methadone 40 mg") && holds(out, "once daily") && holds(out, "2026-06-10"));
    assert_false(holds(out, "F11.20") || holds(out, "dependence") || holds(out, "widowed") || holds(out, "requester"));
    assert_false(holds(out, "\"Condition\""));
    assert_true(holds(out, obligation_notice_short) || holds(out, obligation_notice_long));
    world_end(&w);
}

static void
test_an_order_takes_what_it_lists_and_whose_it_is(void **state)
{
    (void)state;
    struct world w;
    struct span  out = payload(&w, PROGRAM COURT WHAT_FOR("HLEGAL")
                                   DOCUMENTS(ORDER("court-order-2.64", "Organization/court", "\"items\":[\"Condition/c1\"]", ALL_SAID)
                                             "," SUBPOENA("Organization/court")), "", BUNDLE(REED "," ORDERED "," DIAGNOSED));

    assert_true(holds(out, "F11.20") && holds(out, "Reed"));
    assert_false(holds(out, "methadone") || holds(out, "widowed"));
    world_end(&w);
    /* None of what it lists is here: nobody learns that the patient is one. */
    out = payload(&w, PROGRAM COURT WHAT_FOR("HLEGAL")
                      DOCUMENTS(ORDER("court-order-2.64", "Organization/court", "\"items\":[\"Condition/c9\"]", ALL_SAID)
                                "," SUBPOENA("Organization/court")), "", BUNDLE(REED "," ORDERED "," DIAGNOSED));
    assert_int_equal(out.length, 0);
    world_end(&w);
}

static void
test_inside_the_program_nothing_is_cut(void **state)
{
    static const char *const facts[] = {
        PROGRAM INSIDE("Practitioner/doc", "SUD_CARE") WHAT_FOR("TREAT"),
        PROGRAM WHO("Patient/p1", "PATIENT") WHAT_FOR("PATRQT"),
        PROGRAM LAB WHAT_FOR("HOPERAT") DOCUMENTS(QSOA("")),
    };
    static const char whole[] = BUNDLE(
        ENTRY("{\"resourceType\":\"Patient\",\"id\":\"p1\",\"generalPractitioner\":[{\"reference\":\"Organization/part2program\"}],"
              "\"text\":{\"status\":\"generated\",\"div\":\"<div xmlns=\\\"http://www.w3.org/1999/xhtml\\\">on methadone</div>\"}}") ","
        ORDERED "," DIAGNOSED);

    (void)state;
    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++) {
        struct world w;
        struct span  out = payload(&w, facts[i], "", whole);
        if (!span_eq_text(out, whole))
            fail_msg("%zu: %.*s", i, SPAN_PRINT(out));
        world_end(&w);
    }
}

#define ANY_PURPOSE ",\"site\":{\"anyPurpose\":true}"

/* Whatever the word for a refusal is inside, outside there is no such record. */
static void
test_every_refusal_is_the_same_outside(void **state)
{
    static const char *const facts[] = {
        HELD("H_CEBA_TPO") DOCTOR("") BTG(""),                                                          /* EM-02, staff is told */
        HELD("H_CEBA_TPO") LAWYER WHAT_FOR("HLEGAL") ",\"legalContext\":\"proceeding\",\"againstPatient\":false" ANY_PURPOSE,   /* LP-14, held */
        HELD("H_CEBA_TPO") LAWYER WHAT_FOR("HLEGAL") DOCUMENTS(SUBPOENA("Organization/law")) ANY_PURPOSE, /* LP-01 */
        HELD("H_LAWFUL_NONHIPAA_PHO") CONTRACTOR WHAT_FOR("HPAYMT") DOCUMENTS(CONTRACT("")),               /* RD-05 */
        HELD("H_CEBA_TPO") CLINIC WHAT_FOR("TREAT") RESTRICTED("\"items\":[\"Condition/c1\"]"),          /* RS-02 */
        "" CLINIC WHAT_FOR("TREAT"),
    };

    (void)state;
    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++) {
        struct world w, twin;
        struct span  out = payload(&w, facts[i], "", BUNDLE(REED "," GLUCOSE "," DIAGNOSED));
        if (out.length == 0 || !span_eq(out, payload(&twin, facts[i], "", BUNDLE(REED "," GLUCOSE))))
            fail_msg("%zu: %.*s", i, SPAN_PRINT(out));
        world_end(&w);
        world_end(&twin);
    }
}

static void
test_explains_the_document_the_limit_and_who_is_told(void **state)
{
    (void)state;
    struct world          w;
    const struct release *r;
    struct buf            out;

    (void)payload(&w, PROGRAM COURT WHAT_FOR("HLEGAL")
                      DOCUMENTS(ORDER("court-order-2.64", "Organization/court", "\"items\":[\"Condition/c1\"]", ALL_SAID)
                                "," SUBPOENA("Organization/court")), "", BUNDLE(REED "," ORDERED "," DIAGNOSED));
    assert_int_equal(release_make(w.bundle, w.references, NULL, w.facts, w.arena, &r), ST_OK);
    buf_init(&out, 1 << 20);
    assert_int_equal(explain_json(r, w.arena, &out, AUTHOR_COMPACT), ST_OK);
    assert_true(holds(buf_span(&out), "\"document\":\"order-1\",\"limit\":\"identity alone\",\"silent\":false"));
    assert_true(holds(buf_span(&out), "\"document\":\"order-1\",\"limit\":null,\"silent\":false"));
    assert_true(holds(buf_span(&out), "\"document\":\"order-1\",\"limit\":null,\"silent\":true"));
    assert_true(holds(buf_span(&out), "\"rule\":\"R-16\",\"citation\":\"42 CFR 2.64\""));
    buf_release(&out);
    buf_init(&out, 1 << 20);
    assert_int_equal(explain_text(r, w.arena, &out), ST_OK);
    assert_true(holds(buf_span(&out), "by document order-1, court-order-2.64 (42 CFR 2.64)"));
    buf_release(&out);
    world_end(&w);
}

#define RAISE MORE_CONSENT("f", "2026-01-01", "{\"url\":\"" CONSENT_EXTENSION "statement-fundraising\",\"valueBoolean\":true}", \
    "{\"type\":\"permit\"," TO("Organization/mailer") ",\"purpose\":[{\"system\":\"https://sluice.example/fhir/CodeSystem/purpose\",\"code\":\"FUNDRAISING\"}]}")
#define MAILER WHO("Organization/mailer", "QSO")

static void
test_fundraising_needs_the_right_to_opt_out(void **state)
{
    static const struct row rows[] = {
        { "NB-14 a consent that states the right", PROGRAM MAILER WHAT_FOR("FUNDRAISING"), RAISE, "opioid", YES, "R-20", "42 CFR 2.31(a)(5)(iii)" },
        { "NB-14 opted out", PROGRAM MAILER WHAT_FOR("FUNDRAISING") RESTRICTED("\"purpose\":[\"FUNDRAISING\"]"), RAISE, "opioid", NO, "G-6", "42 CFR 2.26; 45 CFR 164.522(a)" },
        { "NB-14 a consent that does not", PROGRAM MAILER WHAT_FOR("FUNDRAISING"), CONSENT("f", "2026-01-01", "{\"type\":\"permit\"," TO("Organization/mailer") "}"), "opioid", NO, "R-20", "42 CFR 2.31(a)(5)(iii)" },
        { "NB-14 a consent for treatment, payment and operations", PROGRAM MAILER WHAT_FOR("FUNDRAISING"), TPO_TO("Organization/mailer"), "opioid", NO, "B-14", "42 CFR 2.13(a)" },
    };
    (void)state;
    RUN(rows);
}

#define CLASS(code) "{\"url\":\"" CONSENT_EXTENSION "recipient-class\",\"valueCode\":\"" code "\"}"
#define MY_PROVIDERS MORE_CONSENT("c", "2026-03-01", CLASS("TREATING_PROVIDERS") "," CLASS("HEALTH_PLANS"), "{\"type\":\"permit\"," TPO "}")
#define ANY_PROVIDER MORE_CONSENT("c", "2026-03-01", CLASS("TREATING_PROVIDERS"), "{\"type\":\"permit\"}")

static void
test_a_class_of_recipients_is_whom_the_evidence_says(void **state)
{
    static const struct row rows[] = {
        { "RM-05 seen last month", PROGRAM CLINIC WHAT_FOR("TREAT") TREATS("encounter", "2026-10-20"), MY_PROVIDERS, "opioid", YES, "R-01", "42 CFR 2.33(a)(2)" },
        { "RM-06 no relationship", PROGRAM CLINIC WHAT_FOR("TREAT"), MY_PROVIDERS, "opioid", NO, "B-14", "42 CFR 2.13(a)" },
        { "RM-06 a claim", PROGRAM WHO_AS("Organization/orgA", "\"role\":[\"TREATING_PROVIDER\"]") WHAT_FOR("TREAT"), MY_PROVIDERS, "opioid", NO, "B-14", "42 CFR 2.13(a)" },
        { "RM-06 another patient's provider", PROGRAM CLINIC WHAT_FOR("TREAT") ",\"relationships\":[{\"provider\":\"Organization/orgA\",\"patient\":\"Patient/p2\",\"kind\":\"encounter\",\"from\":\"2026-10-20\"}]", MY_PROVIDERS, "opioid", NO, "B-14", "42 CFR 2.13(a)" },
        { "RM-06 a root without criteria", PROGRAM CLINIC WHAT_FOR("TREAT"), ANY_PROVIDER, "opioid", NO, "B-14", "42 CFR 2.13(a)" },
        { "RM-05 a root without criteria", PROGRAM CLINIC WHAT_FOR("TREAT") TREATS("encounter", "2026-10-20"), ANY_PROVIDER, "opioid", YES, "R-02", "42 CFR 2.33(a)(1)" },
        { "RM-07 an appointment to come", PROGRAM CLINIC WHAT_FOR("TREAT") TREATS("appointment", "2026-12-20"), MY_PROVIDERS, "opioid", YES, "R-01", "42 CFR 2.33(a)(2)" },
        { "a plan", PROGRAM PLAN WHAT_FOR("HPAYMT"), MY_PROVIDERS, "opioid", YES, "R-01", "42 CFR 2.33(a)(2)" },
        { "a class that nobody knows", PROGRAM CLINIC WHAT_FOR("TREAT") TREATS("encounter", "2026-10-20"), MORE_CONSENT("c", "2026-03-01", CLASS("PROVIDERS_IN_MY_COUNTY"), "{\"type\":\"permit\"," TPO "}"), "opioid", NO, "B-14", "42 CFR 2.13(a)" },
    };
    (void)state;
    RUN(rows);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_legal_process_needs_an_order_and_a_mandate_and_counsel),
        cmocka_unit_test(test_a_criminal_justice_consent_lasts_until_the_stated_moment),
        cmocka_unit_test(test_a_counseling_note_has_bases_of_its_own),
        cmocka_unit_test(test_inside_the_program_and_to_those_who_serve_it),
        cmocka_unit_test(test_an_emergency_is_declared_in_full_by_medical_personnel),
        cmocka_unit_test(test_an_emergency_is_filed_in_full_for_known_medical_personnel),
        cmocka_unit_test(test_bases_without_consent_rest_on_what_is_on_file),
        cmocka_unit_test(test_a_received_copy_goes_on_by_the_capacity_it_is_held_in),
        cmocka_unit_test(test_a_restriction_outranks_a_consent_and_yields_to_an_emergency),
        cmocka_unit_test(test_an_intermediary_passes_on_to_participants_by_evidence),
        cmocka_unit_test(test_fundraising_needs_the_right_to_opt_out),
        cmocka_unit_test(test_every_refusal_is_the_same_outside),
        cmocka_unit_test(test_explains_the_document_the_limit_and_who_is_told),
        cmocka_unit_test(test_a_program_discloses_its_own_records_not_those_it_received),
        cmocka_unit_test(test_inside_the_program_nothing_is_cut),
        cmocka_unit_test(test_a_class_of_recipients_is_whom_the_evidence_says),
        cmocka_unit_test(test_a_registry_learns_who_which_drug_and_when),
        cmocka_unit_test(test_an_order_takes_what_it_lists_and_whose_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
