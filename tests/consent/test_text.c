/* tests/consent/test_text.c -- words that tell, words that take it back, and every disguise. */
#include "tests/support/check.h"

#include "consent/labeling.h"
#include "consent/text.h"

struct text_case { const char *text; enum label want; };      /* LABEL_NONE: says nothing */

static void
check_texts(const struct text_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct text_hit hit = text_scan(span_of(cases[i].text), NULL);
        if (hit.label != cases[i].want || hit.hit != (cases[i].want != LABEL_NONE))
            fail_msg("\"%s\": have %s, want %s", cases[i].text, label_code(hit.label), label_code(cases[i].want));
        assert_true(hit.at + hit.length <= strlen(cases[i].text));
    }
}
#define CHECK_TEXTS(cases) check_texts((cases), sizeof(cases) / sizeof(cases)[0])

static void
test_finds_disorders_substances_medications_and_programs(void **state)
{
    static const struct text_case cases[] = {
        { "Opioid use disorder, severe", LABEL_OPIOIDUD },        { "Opioid abuse (disorder)", LABEL_OPIOIDUD },
        { "OUD follow-up", LABEL_OPIOIDUD },                      { "Alcohol dependence", LABEL_ETHUD },
        { "patient is an alcoholic", LABEL_ETHUD },               { "alcoholism in remission", LABEL_ETHUD },
        { "cocaine use", LABEL_SUD },                             { "methamphetamine abuse", LABEL_SUD },
        { "history of IV drug use", LABEL_SUD },                  { "IVDU", LABEL_SUD },
        { "Substance abuse treatment program", LABEL_SUD },       { "Riverside Opioid Treatment Program", LABEL_OPIOIDUD },
        { "seen at the methadone clinic", LABEL_OPIOIDUD },       { "OTP visit", LABEL_OPIOIDUD },
        { "Detoxification unit", LABEL_SUD },                     { "Addiction medicine consult", LABEL_SUD },
        { "buprenorphine 8 mg sublingual tablet daily", LABEL_OPIOIDUD },
        { "buprenorphine 8 MG / naloxone 2 MG Sublingual Film", LABEL_OPIOIDUD },
        { "Suboxone", LABEL_OPIOIDUD },                           { "Vivitrol monthly", LABEL_SUD },
        { "naltrexone 50 mg daily", LABEL_SUD },                  { "disulfiram 250 MG Oral Tablet", LABEL_ETHUD },
        { "acamprosate", LABEL_ETHUD },                           { "on methadone 80 mg daily", LABEL_OPIOIDUD },
        { "PCP note: on Suboxone from Riverbend, relapse heroin", LABEL_OPIOIDUD },
        { "this record is protected by 42 CFR Part 2", LABEL_PART2 },
        { "alcoholics anonymous meeting", LABEL_ETHUD },          { "sober living house", LABEL_SUD },
        { "Alcoholic cirrhosis of liver without ascites", LABEL_ETHUD },
        { "Alcohol-induced chronic pancreatitis", LABEL_ETHUD }, { "Fetal alcohol syndrome", LABEL_ETHUD },
        { "patient and father use heroin", LABEL_OPIOIDUD },      { "denies pain, heroin abuse", LABEL_OPIOIDUD },
        { "Non-compliant with opioid use disorder treatment", LABEL_OPIOIDUD },
        { "opioid use\ndisorder", LABEL_OPIOIDUD },               { "misuses drugs", LABEL_SUD },
        { "chronic misuse of drugs", LABEL_SUD },
    };
    CHECK_TEXTS(cases);
    (void)state;
}

static void
test_leaves_what_only_looks_like_it(void **state)
{
    static const struct text_case cases[] = {
        { "Non-alcoholic fatty liver disease", LABEL_NONE },     { "Nonalcoholic steatohepatitis", LABEL_NONE },
        { "non alcoholic cirrhosis", LABEL_NONE },
        { "alcohol swab applied to skin", LABEL_NONE },           { "Alcohol disinfectant (substance)", LABEL_NONE },
        { "alcohol-free diet", LABEL_NONE },                      { "oxycodone for chronic pain", LABEL_NONE },
        { "buprenorphine 10 mcg/h patch for pain", LABEL_NONE },  { "168 HR Buprenorphine 0.01 MG/HR Transdermal System", LABEL_NONE },
        { "naltrexone for weight loss with bupropion", LABEL_NONE }, { "low dose naltrexone for Crohn's", LABEL_NONE },
        { "allergy to disulfiram", LABEL_NONE },                  { "Disulfiram allergy", LABEL_NONE },
        { "Patient named Heron", LABEL_NONE },                    { "rehabilitation", LABEL_NONE },
        { "Cardiac rehabilitation program", LABEL_NONE },         { "No known drug allergies", LABEL_NONE },
        { "drug allergy", LABEL_NONE },                           { "tobacco use disorder; nicotine dependence", LABEL_NONE },
        { "smoking cessation, nicotine patch", LABEL_NONE },      { "Methadone 40 mg for palliative care", LABEL_NONE },
        { "pain management with methadone", LABEL_NONE },         { "caffeine intoxication", LABEL_NONE },
        { "non-alcoholic fatty liver disease", LABEL_NONE },      
        { "naloxone nasal spray (Narcan)", LABEL_NONE },          { "Drug overdose", LABEL_NONE },
        { "Drugs of abuse 5 panel - Urine by Screen method", LABEL_NONE },
        { "Cocaine [Presence] in Urine by Screen method", LABEL_NONE },
        { "gambling addiction treatment", LABEL_NONE },           { "Oud Beijerland", LABEL_NONE },
        { "medical marijuana card", LABEL_NONE },                 { "Amphetamine salts 20 mg for ADHD", LABEL_NONE },
        { "room F1120", LABEL_NONE },                             { "", LABEL_NONE },
    };
    CHECK_TEXTS(cases);
    (void)state;
}

static void
test_words_that_are_written_together_are_words(void **state)
{
    static const struct text_case cases[] = {
        { "MethadoneMaintenance.pdf", LABEL_OPIOIDUD },           { "methadone_maintenance", LABEL_OPIOIDUD },
        { "BuprenorphineTaper2026.docx", LABEL_OPIOIDUD },        { "heroin2026", LABEL_OPIOIDUD },
        { "2026HeroinRelapse.txt", LABEL_OPIOIDUD },              { "scan-OUDIntake", LABEL_OPIOIDUD },
        { "IOP_SUDProgram.pdf", LABEL_SUD },                      { "alcoholUseDisorder1", LABEL_ETHUD },
        { "opioid.use.disorder.pdf", LABEL_OPIOIDUD },            { "OPIOID_USE_DISORDER.PDF", LABEL_OPIOIDUD },
        { "A1cAndSuboxone", LABEL_OPIOIDUD },                     { "H0020Claim.pdf", LABEL_OPIOIDUD },
        { "SUDs", LABEL_SUD },                                    { "2026-05MethadoneDosing7.csv", LABEL_OPIOIDUD },
        { "M\303\251thadoneTaper", LABEL_OPIOIDUD },
        /* and what is no such word */
        { "KneeFilm.pdf", LABEL_NONE },                           { "HbA1cTrend2026.pdf", LABEL_NONE },
        { "SudburyClinicMap.png", LABEL_NONE },                   { "SUDburyMap.png", LABEL_NONE },
        { "OudeKerk.pdf", LABEL_NONE },                           { "McDonaldHeronLetter", LABEL_NONE },
        { "BuprenorphinePatchForPain.pdf", LABEL_NONE },          { "HeroinScreening2026.pdf", LABEL_NONE },
        { "NoHeroin.txt", LABEL_NONE },                           { "familyHistoryOfAlcoholism.pdf", LABEL_NONE },
        { "methylPrednisolone40mg", LABEL_NONE },                 { "GamblingAddictionTreatment.doc", LABEL_NONE },
        /* a dot without a space ends a sentence all the same where somebody denies */
        { "Denies pain.Heroin daily", LABEL_OPIOIDUD },
    };
    CHECK_TEXTS(cases);
    (void)state;
}

static void
test_a_negation_reaches_as_far_as_its_sentence_says(void **state)
{
    static const struct text_case cases[] = {
        { "denies heroin use", LABEL_NONE },                      { "denies heroin, cocaine, or methamphetamine use", LABEL_NONE },
        { "No history of substance abuse.", LABEL_NONE },         { "No history of depression or substance abuse.", LABEL_NONE },
        { "Urine drug screen negative for cocaine", LABEL_NONE }, { "heroin use: denied", LABEL_NONE },
        { "Heroin use - none", LABEL_NONE },                      { "cocaine not detected", LABEL_NONE },
        { "Cocaine abuse ruled out", LABEL_NONE },                { "does not have opioid use disorder", LABEL_NONE },
        { "without opioid withdrawal", LABEL_NONE },              { "heroin: no", LABEL_NONE },
        { "The patient denies any history of alcohol, tobacco or drug abuse", LABEL_NONE },
        { "never used heroin", LABEL_NONE },
        /* and no farther */
        { "No acute distress, on methadone 80 mg daily", LABEL_OPIOIDUD },
        { "denies chest pain, heroin use daily", LABEL_OPIOIDUD },
        { "denies nausea but uses heroin", LABEL_OPIOIDUD },      { "She no longer uses heroin", LABEL_OPIOIDUD },
        { "denies alcohol. Uses cocaine weekly.", LABEL_SUD },    { "Tobacco: never\nHeroin: daily", LABEL_OPIOIDUD },
        { "no relief from ibuprofen or methadone", LABEL_OPIOIDUD },
        { "heroin use, never in treatment", LABEL_OPIOIDUD },     { "no fever, heroin use", LABEL_OPIOIDUD },
    };
    CHECK_TEXTS(cases);
    (void)state;
}

static void
test_a_relative_a_screening_and_a_risk_are_not_the_patient(void **state)
{
    static const struct text_case cases[] = {
        { "family history of alcoholism", LABEL_NONE },           { "Family history: depression, anxiety, alcoholism in father", LABEL_NONE },
        { "Father with heroin addiction", LABEL_NONE },           { "alcoholism in his mother", LABEL_NONE },
        { "FHx alcohol abuse", LABEL_NONE },                      { "Father with heroin addiction. Patient uses heroin.", LABEL_OPIOIDUD },
        { "Patient's mother reports heroin use by patient", LABEL_OPIOIDUD },
        { "family history of gout; patient admits alcohol abuse", LABEL_ETHUD },
        { "Screening for drug abuse (procedure)", LABEL_NONE },   { "Alcohol Use Disorders Identification Test - Consumption [AUDIT-C]", LABEL_NONE },
        { "at risk of opioid misuse", LABEL_NONE },               { "substance abuse prevention education", LABEL_NONE },
        { "Alcohol use disorder screening negative", LABEL_NONE },{ "Assessment of substance use (procedure)", LABEL_NONE },
        { "Generalized anxiety disorder 7 item (GAD-7)", LABEL_NONE },
    };
    CHECK_TEXTS(cases);
    (void)state;
}

static void
test_reads_through_every_disguise(void **state)
{
    static const struct text_case cases[] = {
        { "he<b>roin</b> dependence", LABEL_OPIOIDUD },           { "<div><p>Patient on her&#111;in</p></div>", LABEL_OPIOIDUD },
        { "<p>her&#x6F;in</p>", LABEL_OPIOIDUD },                 { "<p>h&eacute;roin</p>", LABEL_OPIOIDUD },
        { "H&shy;eroin", LABEL_OPIOIDUD },                        { "her\xc2\xadoin", LABEL_OPIOIDUD },
        { "her\xe2\x80\x8boin", LABEL_OPIOIDUD },                 { "h\xd0\xb5roin", LABEL_OPIOIDUD },
        { "\xef\xbd\x88\xef\xbd\x85\xef\xbd\x92\xef\xbd\x8f\xef\xbd\x89\xef\xbd\x8e", LABEL_OPIOIDUD },
        { "\xf0\x9d\x90\xa1\xf0\x9d\x90\x9e\xf0\x9d\x90\xab\xf0\x9d\x90\xa8\xf0\x9d\x90\xa2\xf0\x9d\x90\xa7", LABEL_OPIOIDUD },
        { "h\xce\xb5r\xce\xbfin", LABEL_OPIOIDUD },               { "he\xcc\x81roin", LABEL_OPIOIDUD },
        { "HEROIN", LABEL_OPIOIDUD },                             { "opioid\xc2\xa0use\xe2\x80\x91" "disorder", LABEL_OPIOIDUD },
        { "opioid-use-disorder", LABEL_OPIOIDUD },                { "<td>alcohol</td><td>dependence</td>", LABEL_ETHUD },
        { "<div title=\"heroin abuse\">fine</div>", LABEL_OPIOIDUD },
        { "<p>fine<!-- cocaine abuse --></p>", LABEL_SUD },       { "<p><?note heroin?>fine</p>", LABEL_OPIOIDUD },
        { "<p><![CDATA[on heroin]]></p>", LABEL_OPIOIDUD },       { "<a href='https://x.example/opioid%20use%20disorder'>link</a>", LABEL_OPIOIDUD },
        { "<a href=\"https://x.example/OpioidUseDisorder\">link</a>", LABEL_OPIOIDUD },
        { "<p>2 < 3 and heroin</p>", LABEL_OPIOIDUD },            { "glucose <5 and heroin", LABEL_OPIOIDUD },
        { "salt & pepper; heroin", LABEL_OPIOIDUD },              { "&bogus heroin", LABEL_OPIOIDUD },
        { "&#xZZ; heroin &; &#99999999;", LABEL_OPIOIDUD },       { "<p title='unclosed heroin", LABEL_OPIOIDUD },
        { "score x<y and opioid use disorder is > 3", LABEL_OPIOIDUD }, { "<a title=opioid-use-disorder>", LABEL_OPIOIDUD },
        { "<p class='x' opioid use disorder>", LABEL_OPIOIDUD },  { "<![CDATA[<a>opioid use disorder</a>]]>", LABEL_OPIOIDUD },
        { "<p>knee<?x opioid use disorder?></p>", LABEL_OPIOIDUD }, { "<p>knee<br/> pain < 3</p>", LABEL_NONE },
        { "patient\xe2\x80\x99s heroin", LABEL_OPIOIDUD },        { "\xe6\x97\xa5\xe6\x9c\xac heroin", LABEL_OPIOIDUD },
        { "caf\xe9 heroin \xff", LABEL_OPIOIDUD },                { "naïve ŀ Œ heroin \xe2\x91\xb0", LABEL_OPIOIDUD },
        { "dx F11.20 today", LABEL_OPIOIDUD },                    { "claim H0020 line", LABEL_OPIOIDUD },
        { "SNOMED 5602001", LABEL_OPIOIDUD },                     { "SNOMED 5602002", LABEL_NONE },
        { "<br/>\xe2\x80\xa8heroin\xe2\x80\x83x", LABEL_OPIOIDUD },
    };
    CHECK_TEXTS(cases);
    (void)state;
}

static void
test_finds_a_word_wherever_it_stands_in_a_long_text(void **state)
{
    static char  text[40000];

    for (size_t where = 0; where < 3000; where += 37) {
        size_t at = 0;
        for (size_t i = 0; at + 80 < sizeof text && i < 3200; i++)
            at += (size_t)snprintf(text + at, sizeof text - at, "%s", i == where ? "opioid use disorder " : i % 11 == 0 ? "well. " : "fine ");
        struct text_hit hit = text_scan(span_from(text, at), NULL);
        assert_true(hit.hit);
        check_span(span_from(text + hit.at, hit.length), SPAN("opioid use disorder"));
    }
    (void)state;
}

static void
test_finds_the_names_and_numbers_of_programs(void **state)
{
    static const struct span names[] = { { "Oak Recovery Center", 19 }, { "Oak", 3 }, { "Riverbend", 9 } };
    static const struct identifier ids[] = { { { "http://hl7.org/fhir/sid/us-npi", 30 }, { "1000000009", 10 } } };
    static const struct span sources[] = { { "https://otp.example.org/fhir", 28 } };
    struct program program = { .names = names, .name_count = 3, .identifiers = ids, .identifier_count = 1,
                               .sources = sources, .source_count = 1 };
    struct facts            facts = { .programs = &program, .program_count = 1 };
    struct arena           *arena = arena_new("names", 1 << 16);
    const struct text_names *scanned = text_names_make(&facts, NULL, 0, arena);
    static const struct { const char *text; bool want; } cases[] = {
        { "seen at Oak Recovery Center", true },       { "seen at OAK  RECOVERY\nCENTERS", true },
        { "an oak tree", false },                      { "Riverbend's clinic", true },
        { "NPI 1000000009", true },                    { "see https://otp.example.org/fhir/Encounter/1", true },
        { "<b>Oak</b> Recovery <i>Center</i>", true }, { "Oak Center Recovery", false },
        { "nothing here", false },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct text_hit hit = text_scan(span_of(cases[i].text), scanned);
        if (hit.hit != cases[i].want || (hit.hit && hit.label != LABEL_PART2))
            fail_msg("%s", cases[i].text);
    }
    arena_free(&arena);
    (void)state;
}

static void
test_reports_drugs_apart_from_their_circumstances(void **state)
{
    struct text_finding f = { .labels = 0 };

    text_read(SPAN("methadone and buprenorphine and naltrexone for chronic pain"), FOLD_PLAIN, NULL, &f);
    assert_int_equal(f.drugs, TEXT_METHADONE | TEXT_BUPRENORPHINE | TEXT_NALTREXONE);
    assert_int_equal(f.contexts, CONTEXT_PAIN);
    assert_true(text_drug_labels(f.drugs, 0) == (LABEL_BIT(LABEL_OPIOIDUD) | LABEL_BIT(LABEL_SUD)));
    assert_true(text_drug_labels(f.drugs, f.contexts) == LABEL_BIT(LABEL_SUD));
    assert_true(text_drug_labels(f.drugs, CONTEXT_PAIN | CONTEXT_WEIGHT) == 0);
    assert_true(text_drug_labels(f.drugs, CONTEXT_ALLERGY) == 0);
    assert_true(text_found(&f));
    f = (struct text_finding){ .labels = 0 };
    text_read(SPAN("SUD counseling note"), FOLD_PLAIN, NULL, &f);
    assert_true(f.note);
    f = (struct text_finding){ .labels = 0 };
    text_read(SPAN("major depressive disorder; HIV positive; obesity; caffeine"), FOLD_PLAIN, NULL, &f);
    assert_true(f.labels == (LABEL_BIT(LABEL_PSY) | LABEL_BIT(LABEL_HIV)));
    assert_int_equal(f.contexts, CONTEXT_WEIGHT | CONTEXT_CAFFEINE);
    (void)state;
}

/* The visible reading, the stored one, and what is hidden: whichever says it. */
static void
test_reads_what_is_seen_what_is_stored_and_what_is_hidden(void **state)
{
    static const struct text_case cases[] = {
        { "<p>her<span style=\"display:none\">x</span>oin use</p>", LABEL_OPIOIDUD },
        { "<p>her<span style='DISPLAY : None !important'>x</span>oin use</p>", LABEL_OPIOIDUD },
        { "<p>her<span style=\"color:red;dis/**/play:none\">x</span>oin use</p>", LABEL_OPIOIDUD },
        { "<p>her<span style=\"d\\69 splay:no\\6e e\">x</span>oin use</p>", LABEL_OPIOIDUD },
        { "<p>her<span style=\"display&#58;none\">x</span>oin use</p>", LABEL_OPIOIDUD },
        { "<p>her<i style=\"visibility:hidden\">x</i>oin use</p>", LABEL_OPIOIDUD },
        { "<p>her<i style=\"visibility:collapse\">x</i>oin use</p>", LABEL_OPIOIDUD },
        { "<p>her<b style=\"font-size:0\">x</b>oin use</p>", LABEL_OPIOIDUD },
        { "<p>her<b style=\"font-size: 0.0em\">x</b>oin use</p>", LABEL_OPIOIDUD },
        { "<p>her<b style=\"opacity:0\">x</b>oin use</p>", LABEL_OPIOIDUD },
        { "<p>her<b style=\"width:0;overflow:hidden\">x</b>oin use</p>", LABEL_OPIOIDUD },
        { "<p>her<b style=\"position:absolute;left:-999px\">x</b>oin use</p>", LABEL_OPIOIDUD },
        { "<p>her<b hidden>x</b>oin use</p>", LABEL_OPIOIDUD },
        { "<p>her<b hidden=\"hidden\">x <b>y</b> z</b>oin use</p>", LABEL_OPIOIDUD },
        { "<p>her<script>x</script>oin use</p>", LABEL_OPIOIDUD },
        { "<p>her<div style=\"display:none\"><p>x</p><p>y</p></div>oin use</p>", LABEL_OPIOIDUD },
        { "<p>opioid <span style=\"display:none\">glass</span> use <b hidden>not</b> disorder</p>", LABEL_OPIOIDUD },
        { "<p>good<span style=\"display:none\">heroin use</span>ness</p>", LABEL_OPIOIDUD },
        { "<p>heroin use<span style=\"display:none\"> denied</span></p>", LABEL_OPIOIDUD },
        { "<p>on buprenorphine<span style=\"display:none\"> for chronic pain</span></p>", LABEL_OPIOIDUD },
        { "<p>her<b hidden>oin abuse", LABEL_OPIOIDUD },
        { "<p>her<br style=\"display:none\"/>oin</p>", LABEL_OPIOIDUD },
        { "\xe2\x80\xaenioreh\xe2\x80\xac use", LABEL_OPIOIDUD },
        { "took \xe2\x80\xae" "esu nioreh\xe2\x80\xac daily", LABEL_OPIOIDUD },
        { "<p>&#x202E;redrosid esu dioipo&#x202c;</p>", LABEL_OPIOIDUD },
        { "<p>her\xe2\x80\xaenio\xe2\x80\xac use</p>", LABEL_OPIOIDUD },
        { "<p>a \xe2\x80\xaenioreh</p><p>use</p>", LABEL_OPIOIDUD },
        { "<p>&#8238;DUO&#8236; follow-up</p>", LABEL_OPIOIDUD },
        { "<p><bdo dir=\"rtl\">nior<b>eh</b></bdo> use</p>", LABEL_OPIOIDUD },
        { "<p><span style=\"unicode-bidi:bidi-override; direction:rtl\">nioreh</span> use</p>", LABEL_OPIOIDUD },
        { "<p>he\xe2\x80\x8bro\xc2\xadin \xe2\x80\xaa" "use\xe2\x80\xac</p>", LABEL_OPIOIDUD },
        /* Nothing is hidden here, or what is hidden says nothing. */
        { "<p>her<br/>oin</p>", LABEL_NONE },
        { "<p>her<span style=\"display:block\"> </span>own <bdo dir=\"ltr\">nioreh</bdo></p>", LABEL_NONE },
        { "<p>denies heroin use<span style=\"display:none\"> at home</span></p>", LABEL_NONE },
        { "<p><span style=\"font-size:0.8em\">no</span> heroin use</p>", LABEL_NONE },
        { "<p>buprenorphine for chronic pain<b hidden>, weekly</b></p>", LABEL_NONE },
        { "<p title=\"hidden\">Pulse<b hidden></b> 72</p>", LABEL_NONE },
        { "\xe2\x80\xae" "27 eslup\xe2\x80\xac and rest", LABEL_NONE },
    };
    CHECK_TEXTS(cases);
    (void)state;
}

/* However long the run, a word is read whole, and the cost is that of its length. */
static void
test_long_turned_runs_are_read_piece_by_piece(void **state)
{
    struct buf   text;

    (void)state;
    for (int before = 0; before < 3 * FOLD_TURNED_MAX; before += 7) {
        buf_init(&text, 1 << 16);
        buf_add_text(&text, "\xe2\x80\xae");
        for (int i = 0; i < before; i++)
            buf_add_byte(&text, i % 9 == 8 ? ' ' : 'x');
        buf_add_text(&text, " nioreh \xe2\x80\xac");
        struct text_hit hit = text_scan(buf_span(&text), NULL);
        if (!hit.hit || hit.at + hit.length > text.length)
            fail_msg("%d before: %d at %zu, %zu long", before, hit.hit, hit.at, hit.length);
        buf_release(&text);
    }
    buf_init(&text, 8 << 20);
    for (int i = 0; i < 100000; i++)
        buf_add_text(&text, "<b hidden>x<bdo dir=\"rtl\">\xe2\x80\xaey");
    assert_false(text_scan(buf_span(&text), NULL).hit);
    buf_release(&text);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_finds_disorders_substances_medications_and_programs),
        cmocka_unit_test(test_leaves_what_only_looks_like_it),
        cmocka_unit_test(test_words_that_are_written_together_are_words),
        cmocka_unit_test(test_a_negation_reaches_as_far_as_its_sentence_says),
        cmocka_unit_test(test_a_relative_a_screening_and_a_risk_are_not_the_patient),
        cmocka_unit_test(test_reads_through_every_disguise),
        cmocka_unit_test(test_finds_a_word_wherever_it_stands_in_a_long_text),
        cmocka_unit_test(test_finds_the_names_and_numbers_of_programs),
        cmocka_unit_test(test_reports_drugs_apart_from_their_circumstances),
        cmocka_unit_test(test_reads_what_is_seen_what_is_stored_and_what_is_hidden),
        cmocka_unit_test(test_long_turned_runs_are_read_piece_by_piece),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
