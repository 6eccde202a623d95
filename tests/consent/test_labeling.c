/* tests/consent/test_labeling.c -- content: every place where a code may stand, and what must not be labelled. */
#include "tests/consent/label_check.h"

#define SUSPECT   PART2_SUSPECT
#define NOT       PART2_NOT
#define CONFIRMED PART2_CONFIRMED

static void
test_codes_of_conditions_and_drugs(void **state)
{
    static const struct label_case cases[] = {
        { "{'resourceType':'Condition'," CODE(SCT, "75544000") "}",                              "SUD OPIOIDUD R", SUSPECT },
        { "{'resourceType':'Condition'," CODE(ICD, "F10.20") "}",                                "SUD ETHUD R", SUSPECT },
        { "{'resourceType':'Condition'," CODE(ICD, "f1120") "}",                                 "SUD OPIOIDUD R", SUSPECT },
        { "{'resourceType':'Condition'," CODE("urn:oid:2.16.840.1.113883.6.90", "F11.20") "}",   "SUD OPIOIDUD R", SUSPECT },
        { "{'resourceType':'Condition'," CODE(ICD, "F14.10") "}",                                "SUD R", SUSPECT },
        { "{'resourceType':'Condition'," CODE(ICD, "F17.210") "}",                               "N", NOT },
        { "{'resourceType':'Condition'," CODE(ICD, "E11.9") "}",                                 "N", NOT },
        { "{'resourceType':'Condition'," CODE(ICD, "B20") "}",                                   "HIV R", NOT },
        { "{'resourceType':'Condition'," CODE(ICD, "F32.9") "}",                                 "PSY R", NOT },
        /* The wrong system, an unknown one, none: the shape says what it is. */
        { "{'resourceType':'Condition'," CODE(SCT, "F11.20") "}",                                "SUD OPIOIDUD R", SUSPECT },
        { "{'resourceType':'Condition'," CODE("http://hl7.org/fhir/sid/icd-9-cm", "F11.20") "}", "SUD OPIOIDUD R", SUSPECT },
        { "{'resourceType':'Condition'," CODE("http://hl7.org/fhir/sid/icd-9-cm", "V65.42") "}", "SUD R", SUSPECT },
        { "{'resourceType':'Condition'," CODE("http://hl7.org/fhir/sid/icd-9-cm", "V70.0") "}",  "N", NOT },
        { "{'resourceType':'Condition'," CODE("urn:local", "F11.20") "}",                        "SUD OPIOIDUD R", SUSPECT },
        { "{'resourceType':'Condition','code':{'coding':[{'code':'F11.20'}]}}",                  "SUD OPIOIDUD R", SUSPECT },
        { "{'resourceType':'Condition'," CODE("urn:local", "F10") "}",                           "N", NOT },
        { "{'resourceType':'Condition'," CODE("urn:local", "opioid-use-disorder") "}",           "SUD OPIOIDUD R", SUSPECT },
        /* A bare code, a Coding that is no array member, a code without its word. */
        { "{'resourceType':'MedicationRequest','medicationCodeableConcept':{'coding':[{'system':'" RXNORM "','code':'1010600'}]}}", "SUD OPIOIDUD R", SUSPECT },
        { "{'resourceType':'MedicationRequest','medicationCodeableConcept':{'coding':[{'code':'7243'}]}}", "SUD R", SUSPECT },
        { "{'resourceType':'Medication'," CODE(RXNORM, "7243") "}",                              "SUD R", SUSPECT },
        { "{'resourceType':'Medication'," CODE(RXNORM, "161") "}",                               "N", NOT },
        { "{'resourceType':'Immunization','vaccineCode':{'coding':[{'system':'http://hl7.org/fhir/sid/cvx','code':'140'}]}}", "N", NOT },
        /* The table's code speaks; what its text says in addition is not read. */
        { "{'resourceType':'Condition','code':{'coding':[{'system':'" ICD "','code':'F11.20','display':'Opioid dependence, uncomplicated'}],'text':'OUD'}}", "SUD OPIOIDUD R", SUSPECT },
    };
    CHECK_CASES(UNKNOWN_SENDER, cases);
    (void)state;
}

static void
test_every_place_where_a_code_may_stand(void **state)
{
    static const struct label_case cases[] = {
        { "{'resourceType':'Encounter','class':{'system':'urn:x','code':'F11.20'}}",             "SUD OPIOIDUD R", SUSPECT },
        { "{'resourceType':'Encounter','serviceType':{'coding':[{'system':'" SCT "','code':'75544000'}]}}", "SUD OPIOIDUD R", SUSPECT },
        { "{'resourceType':'Encounter','reasonCode':[{'coding':[{'system':'" ICD "','code':'F11.20'}]}]}", "SUD OPIOIDUD R", SUSPECT },
        { "{'resourceType':'Observation','valueCodeableConcept':{'coding':[{'system':'" SCT "','code':'75544000'}]}}", "SUD OPIOIDUD R", SUSPECT },
        { "{'resourceType':'Observation','component':[{" CODE(LN, "8480-6") "},{'valueCodeableConcept':{'coding':[{'system':'" ICD "','code':'F10.20'}]}}]}", "SUD ETHUD R", SUSPECT },
        { "{'resourceType':'Observation','extension':[{'url':'urn:x','valueCoding':{'system':'" ICD "','code':'F11.20'}}]}", "SUD OPIOIDUD R", SUSPECT },
        { "{'resourceType':'Observation','extension':[{'url':'urn:x','extension':[{'url':'y','valueCodeableConcept':{'coding':[{'system':'" ICD "','code':'F11.20'}]}}]}]}", "SUD OPIOIDUD R", SUSPECT },
        { "{'resourceType':'Observation','modifierExtension':[{'url':'urn:x','valueCode':'F11.20'}]}", "SUD OPIOIDUD R", SUSPECT },
        { "{'resourceType':'MedicationRequest','contained':[{'resourceType':'Medication','id':'m'," CODE(RXNORM, "1010600") "}],'medicationReference':{'reference':'#m'}}", "SUD OPIOIDUD R", SUSPECT },
        { "{'resourceType':'Claim','item':[{'productOrService':{'coding':[{'system':'https://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets','code':'H0020'}]}}]}", "SUD OPIOIDUD R", SUSPECT },
        { "{'resourceType':'Claim','item':[{'productOrService':{'coding':[{'code':'H0020'}]}}]}", "SUD OPIOIDUD R", SUSPECT },
        { "{'resourceType':'Claim','item':[{'modifier':[{'coding':[{'code':'HF'}]}]}]}",         "SUD R", SUSPECT },
        { "{'resourceType':'Claim','item':[{'modifier':[{'coding':[{'system':'urn:oid:2.16.840.1.113883.6.285','code':'HG'}]}]}]}", "SUD OPIOIDUD R", SUSPECT },
        { "{'resourceType':'Claim','item':[{'modifier':[{'coding':[{'code':'25'}]}]}]}",         "N", NOT },
        { "{'resourceType':'ExplanationOfBenefit','item':[{'locationCodeableConcept':{'coding':[{'system':'https://www.cms.gov/Medicare/Coding/place-of-service-codes/Place_of_Service_Code_Set','code':'55'}]}}]}", "SUD R", SUSPECT },
        { "{'resourceType':'ExplanationOfBenefit','item':[{'locationCodeableConcept':{'coding':[{'code':'58'}]}}]}", "SUD OPIOIDUD R", SUSPECT },
        { "{'resourceType':'ExplanationOfBenefit','item':[{'locationCodeableConcept':{'coding':[{'code':'11'}]}}]}", "N", NOT },
        { "{'resourceType':'ExplanationOfBenefit','item':[{'revenue':{'coding':[{'code':'0116'}]}}]}", "SUD R", SUSPECT },
        { "{'resourceType':'ExplanationOfBenefit','item':[{'revenue':{'coding':[{'code':'0450'}]}}]}", "N", NOT },
        { "{'resourceType':'Claim','diagnosis':[{'sequence':1,'diagnosisCodeableConcept':{'coding':[{'system':'" ICD "','code':'F1120'}]},'packageCode':{'coding':[{'code':'896'}]}}]}", "SUD OPIOIDUD R", SUSPECT },
        { "{'resourceType':'Claim','diagnosis':[{'packageCode':{'coding':[{'code':'896'}]}}]}",  "SUD R", SUSPECT },
        { "{'resourceType':'Procedure'," CODE(SCT, "310653000") "}",                             "SUD OPIOIDUD R", SUSPECT },
        { "{'resourceType':'Parameters','parameter':[{'name':'c','valueCoding':{'system':'" ICD "','code':'F11.20'}}]}", "SUD OPIOIDUD R", SUSPECT },
        { "{'resourceType':'Observation','code':{'coding':[{'system':'" ACT "','code':'OPIOIDUD'}]}}", "SUD OPIOIDUD R", SUSPECT },
        { "{'resourceType':'Basic','code':{'coding':[{'system':'" ACT "','code':'AMB'}]}}",      "N", NOT },
        { "{'resourceType':'ServiceRequest','orderDetail':[{'text':'detoxification from heroin'}]}", "SUD OPIOIDUD R", SUSPECT },
        /* A quantity's code is a unit. */
        { "{'resourceType':'Observation','valueQuantity':{'value':3,'unit':'F10.20','system':'http://unitsofmeasure.org','code':'F10.20'}}", "N", NOT },
    };
    CHECK_CASES(UNKNOWN_SENDER, cases);
    (void)state;
}

static void
test_text_only_where_no_code_speaks(void **state)
{
    static const struct label_case cases[] = {
        { "{'resourceType':'Condition','code':{'text':'Opioid use disorder, severe'}}",          "SUD OPIOIDUD R", SUSPECT },
        { "{'resourceType':'Condition','code':{'coding':[{'system':'urn:local','code':'4711','display':'Alcohol dependence'}]}}", "SUD ETHUD R", SUSPECT },
        { "{'resourceType':'Condition','code':{'coding':[{'display':'Heroin dependence'}]}}",    "SUD OPIOIDUD R", SUSPECT },
        { "{'resourceType':'Condition','code':{'text':'Opioid\\u200b use\\u00a0dis\\u00adorder'}}", "SUD OPIOIDUD R", SUSPECT },
        { "{'resourceType':'Observation','valueString':'relapsed on heroin'}",                   "SUD OPIOIDUD R", SUSPECT },
        { "{'resourceType':'Observation','valueString':'denies heroin use'}",                    "N", NOT },
        { "{'resourceType':'DiagnosticReport','conclusion':'Opioid use disorder'}",              "SUD OPIOIDUD R", SUSPECT },
        { "{'resourceType':'ClinicalImpression','summary':'Alcohol use disorder in remission'}", "SUD ETHUD R", SUSPECT },
        { "{'resourceType':'CarePlan','title':'Opioid treatment program plan'}",                 "SUD OPIOIDUD R", SUSPECT },
        { "{'resourceType':'CarePlan','description':'Buprenorphine taper for opioid use disorder'}", "SUD OPIOIDUD R", SUSPECT },
        { "{'resourceType':'Communication','payload':[{'contentString':'Your methadone clinic visit'}]}", "SUD OPIOIDUD R", SUSPECT },
        { "{'resourceType':'MedicationStatement','medicationCodeableConcept':{'text':'Suboxone 8 mg film'}}", "SUD OPIOIDUD R", SUSPECT },
        /* A resource that states nothing but its narrative is its narrative. */
        { "{'resourceType':'Basic','text':{'status':'generated','div':'<div>Opioid use disorder</div>'}}", "SUD OPIOIDUD R", SUSPECT },
        { "{'resourceType':'Condition','text':{'status':'generated','div':'<div>Opioid use disorder</div>'}," CODE(ICD, "E11.9") "}", "N", NOT },
        /* Notes and texts of extensions are the plan's. */
        { "{'resourceType':'Observation'," CODE(LN, "8480-6") ",'note':[{'text':'Opioid use disorder'}]}", "N", NOT },
        { "{'resourceType':'Observation'," CODE(LN, "8480-6") ",'extension':[{'url':'u','valueString':'Opioid use disorder'}]}", "N", NOT },
        { "{'resourceType':'Group','name':'People with opioid use disorder'}",                   "SUD OPIOIDUD R", SUSPECT },
        { "{'resourceType':'Goal','description':{'text':'Remain sober'}}",                       "N", NOT },
    };
    CHECK_CASES(UNKNOWN_SENDER, cases);
    (void)state;
}

static void
test_what_only_looks_like_it_stays_unlabelled(void **state)
{
    static const struct label_case cases[] = {
        { "{'resourceType':'Substance','code':{'text':'Alcohol swab'}}",                         "N", NOT },
        { "{'resourceType':'NutritionOrder','foodPreferenceModifier':[{'text':'alcohol-free diet'}]}", "N", NOT },
        { "{'resourceType':'Condition','code':{'text':'Rehabilitation'}}",                       "N", NOT },
        { "{'resourceType':'Condition','code':{'text':'Tobacco use disorder'}}",                 "N", NOT },
        { "{'resourceType':'Condition','code':{'text':'Chronic pain, on oxycodone'}}",           "N", NOT },
        /* A relative's. */
        { "{'resourceType':'FamilyMemberHistory','condition':[{" CODE(ICD, "F10.20") "}]}",      "N", NOT },
        { "{'resourceType':'FamilyMemberHistory','condition':[{'code':{'text':'Alcoholism'}}]}", "N", NOT },
        { "{'resourceType':'Condition'," CODE(ICD, "Z81.1") "}",                                 "N", NOT },
        { "{'resourceType':'Condition','code':{'text':'Family history of alcoholism'}}",         "N", NOT },
        /* Allergies: the drug is what they do not take. */
        { "{'resourceType':'AllergyIntolerance'," CODE(RXNORM, "3554") "}",                      "N", NOT },
        { "{'resourceType':'AllergyIntolerance','code':{'text':'disulfiram'}}",                  "N", NOT },
        { "{'resourceType':'AllergyIntolerance','code':{'text':'Buprenorphine'}}",               "N", NOT },
        { "{'resourceType':'AllergyIntolerance','code':{'text':'Drug allergy'}}",                "N", NOT },
        /* Pain, weight and skin patches. */
        { "{'resourceType':'MedicationRequest','medicationCodeableConcept':{'text':'buprenorphine 10 mcg/hr transdermal patch'}}", "N", NOT },
        { "{'resourceType':'MedicationRequest','medicationCodeableConcept':{'coding':[{'system':'" RXNORM "','code':'904870','display':'buprenorphine 0.005 MG/HR Transdermal System'}]}}", "N", NOT },
        { "{'resourceType':'MedicationRequest','medicationCodeableConcept':{'coding':[{'system':'" RXNORM "','code':'6813'}]},'reasonCode':[{'text':'chronic pain'}]}", "N", NOT },
        { "{'resourceType':'MedicationRequest','medicationCodeableConcept':{'coding':[{'system':'" RXNORM "','code':'6813'}]},'reasonCode':[{'coding':[{'system':'" ICD "','code':'G89.4'}]}]}", "N", NOT },
        { "{'resourceType':'MedicationRequest','medicationCodeableConcept':{'coding':[{'system':'" RXNORM "','code':'7243'}]},'reasonCode':[{'coding':[{'system':'" ICD "','code':'E66.9'}]}]}", "N", NOT },
        { "{'resourceType':'MedicationRequest','medicationCodeableConcept':{'text':'naltrexone 8 mg / bupropion 90 mg ER'}}", "N", NOT },
        { "{'resourceType':'MedicationRequest','medicationCodeableConcept':{'text':'methadone 5 mg'},'dosageInstruction':[{'text':'every 8 hours for pain'}]}", "N", NOT },
        { "{'resourceType':'MedicationRequest','medicationCodeableConcept':{'text':'methadone 80 mg'},'dosageInstruction':[{'text':'once daily, observed'}]}", "SUD OPIOIDUD R", SUSPECT },
        /* Knee pain among the reasons of an encounter excuses no drug elsewhere in it. */
        { "{'resourceType':'CarePlan','activity':[{'detail':{'productCodeableConcept':{'coding':[{'system':'" RXNORM "','code':'6813'}],'text':'methadone'},'description':'x'}}],'category':[{'text':'knee pain'}]}", "SUD OPIOIDUD R", SUSPECT },
        /* A negative test, a question, a screening. */
        { "{'resourceType':'Observation'," CODE(LN, "19659-2") ",'valueCodeableConcept':{'text':'Negative'}}", "N", NOT },
        { "{'resourceType':'Observation','code':{'text':'Cocaine [Presence] in Urine'}}",        "N", NOT },
        { "{'resourceType':'ServiceRequest','code':{'text':'Screening for drug abuse'}}",        "N", NOT },
        /* Caffeine is coded F15, too. */
        { "{'resourceType':'Condition','code':{'coding':[{'system':'" ICD "','code':'F15.90','display':'Caffeine use, unspecified'}]}}", "N", NOT },
        { "{'resourceType':'Condition','code':{'coding':[{'system':'" ICD "','code':'F15.90','display':'Stimulant use, unspecified'}]}}", "SUD R", SUSPECT },
        { "{'resourceType':'Practitioner','name':[{'family':'Heron','text':'Dr. Heron'}]}",      "N", NOT },
    };
    CHECK_CASES(UNKNOWN_SENDER, cases);
    (void)state;
}

static void
test_results_of_tests_count_when_they_say_something(void **state)
{
    static const struct label_case cases[] = {
        /* 6-MAM comes from heroin only: positive, or unsaid, tells; negative does not. */
        { "{'resourceType':'Observation'," CODE(LN, "10976-9") "}",                               "SUD OPIOIDUD R", SUSPECT },
        { "{'resourceType':'Observation'," CODE(LN, "10976-9") ",'interpretation':[{'coding':[{'system':'http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation','code':'NEG'}]}]}", "N", NOT },
        { "{'resourceType':'Observation'," CODE(LN, "10976-9") ",'valueString':'Not detected'}",  "N", NOT },
        { "{'resourceType':'Observation'," CODE(LN, "10976-9") ",'valueString':'Detected'}",      "SUD OPIOIDUD R", SUSPECT },
    };
    CHECK_CASES(UNKNOWN_SENDER, cases);
    (void)state;
}

static void
test_answers_by_their_question(void **state)
{
#define ANSWERED(link, text, answer) \
    "{'resourceType':'QuestionnaireResponse','item':[{'linkId':'" link "','text':'" text "','answer':[" answer "]}]}"
    static const struct label_case cases[] = {
        { ANSWERED("1", "Do you use heroin?", "{'valueBoolean':true}"),                          "SUD OPIOIDUD R", SUSPECT },
        { ANSWERED("1", "Do you use heroin?", "{'valueBoolean':false}"),                         "N", NOT },
        { ANSWERED("1", "Do you use heroin?", "{'valueString':'Yes, daily'}"),                   "SUD OPIOIDUD R", SUSPECT },
        { ANSWERED("1", "Do you use heroin?", "{'valueString':'No'}"),                           "N", NOT },
        { ANSWERED("1", "Do you use heroin?", "{'valueInteger':4}"),                             "SUD OPIOIDUD R", SUSPECT },
        { ANSWERED("1", "Do you use heroin?", "{'valueInteger':0}"),                             "N", NOT },
        { ANSWERED("1", "Do you use heroin?", "{'valueDecimal':1.5}"),                           "SUD OPIOIDUD R", SUSPECT },
        { ANSWERED("1", "Do you use heroin?", "{'valueCoding':{'display':'Yes'}}"),              "SUD OPIOIDUD R", SUSPECT },
        { ANSWERED("1", "What brings you here?", "{'valueString':'I need help with my heroin addiction'}"), "SUD OPIOIDUD R", SUSPECT },
        { ANSWERED("1", "What brings you here?", "{'valueCoding':{'system':'" SCT "','code':'75544000'}}"), "SUD OPIOIDUD R", SUSPECT },
        { ANSWERED("/10976-9", "6-MAM", "{'valueString':'positive'}"),                        "SUD OPIOIDUD R", SUSPECT },
        { ANSWERED("10976-9", "6-MAM", "{'valueString':'positive'}"),                         "SUD OPIOIDUD R", SUSPECT },
        { "{'resourceType':'QuestionnaireResponse','item':[{'linkId':'1','text':'Do you use heroin?'}]}", "N", NOT },
        { "{'resourceType':'QuestionnaireResponse','item':[{'linkId':'1','item':[{'linkId':'1.1','text':'Do you use illicit drugs?','answer':[{'valueBoolean':true}]}]}]}", "SUD R", SUSPECT },
        { ANSWERED("1", "Knee?", "{'valueBoolean':true}"),                                       "N", NOT },
    };
    CHECK_CASES(UNKNOWN_SENDER, cases);
    (void)state;
}

static void
test_a_sender_that_is_no_program_makes_content_no_part_2_record(void **state)
{
    static const struct label_case cases[] = {
        { "{'resourceType':'Condition'," CODE(ICD, "F11.20") "}",                                "SUD OPIOIDUD R", NOT },
        { "{'resourceType':'Condition','code':{'text':'Opioid use disorder'}}",                  "SUD OPIOIDUD R", NOT },
        /* The claim of a label is a claim about a source, not about content. */
        { "{'resourceType':'Condition','meta':{'security':[{'system':'" ACT "','code':'42CFRPart2'}]}," CODE(ICD, "E11.9") "}", "42CFRPart2 R", SUSPECT },
        { "{'resourceType':'Condition'," CODE(ICD, "E11.9") "}",                                 "N", NOT },
    };
    CHECK_CASES(NOT_PROGRAM, cases);
    (void)state;
}

static void
test_given_labels_are_the_only_signal_when_they_are_believed(void **state)
{
    static const struct label_case cases[] = {
        { "{'resourceType':'Condition'," CODE(ICD, "F11.20") "}",                                "", NOT },
        { "{'resourceType':'Condition','meta':{'security':[{'system':'" ACT "','code':'SUD'}]}}", "SUD", SUSPECT },
        { "{'resourceType':'Condition','meta':{'security':[{'system':'" ACT "','code':'ETH'}]}}", "ETH", SUSPECT },
        { "{'resourceType':'Condition','meta':{'security':[{'system':'" ACT "','code':'HIV'},{'system':'http://terminology.hl7.org/CodeSystem/v3-Confidentiality','code':'V'}]}}", "HIV V", NOT },
        { "{'resourceType':'Condition','meta':{'security':[{'system':'" ACT "','code':'42CFRPart2'}]}}", "SUD 42CFRPart2 R", CONFIRMED },
        { "{'resourceType':'Condition','meta':{'security':[{'code':'R'}]}}",                     "R", NOT },
        { "{'resourceType':'Patient','meta':{'tag':[{'system':'" ICD "','code':'F11.20'}]}}",    "", NOT },
    };
    CHECK_CASES(GIVEN, cases);
    (void)state;
}

static void
test_labels_that_came_are_kept_and_unknown_ones_reported(void **state)
{
    struct labels l = labels_of(UNKNOWN_SENDER,
        "{'resourceType':'Condition','meta':{'security':[{'system':'urn:mine','code':'X1'},{'system':'" ACT "','code':'HIV'},"
        "{'display':'nothing'}]}," CODE(ICD, "E11.9") "}");

    assert_labels(&l, 0, "HIV R", NOT);
    assert_int_equal(l.labeling->of[0].foreign_count, 1);
    check_text(l.labeling->of[0].foreign[0].code, "X1");
    check_text(l.labeling->of[0].foreign[0].system, "urn:mine");
    assert_true(has_evidence(&l, 0, "code", LABEL_HIV));
    labels_end(&l);

    /* Believed: rule P2. */
    l = labels_of("'trustLabels':true", "{'resourceType':'Condition','meta':{'security':[{'system':'" ACT "','code':'42CFRPart2'}]}}");
    assert_labels(&l, 0, "SUD 42CFRPart2 R", CONFIRMED);
    assert_true(has_evidence(&l, 0, "P2", LABEL_PART2));
    labels_end(&l);

    /* V stays V; N rises to R with what is sensitive. */
    l = labels_of(UNKNOWN_SENDER, "{'resourceType':'Condition','meta':{'security':[{'code':'V','system':'http://terminology.hl7.org/CodeSystem/v3-Confidentiality'}]}," CODE(ICD, "F11.20") "}");
    assert_labels(&l, 0, "SUD OPIOIDUD V", SUSPECT);
    labels_end(&l);
    l = labels_of(UNKNOWN_SENDER, "{'resourceType':'Condition','meta':{'security':[{'code':'N','system':'http://terminology.hl7.org/CodeSystem/v3-Confidentiality'}]}," CODE(ICD, "F11.20") "}");
    assert_labels(&l, 0, "SUD OPIOIDUD R", SUSPECT);
    labels_end(&l);
    (void)state;
}

static void
test_counseling_notes_by_their_authors_word_only(void **state)
{
    static const struct { const char *body; bool note; } rows[] = {
        { "{'resourceType':'DocumentReference','meta':{'security':[{'system':'" ACT "','code':'PSYTHPN'}]}," "'type':{'coding':[{'system':'" ICD "','code':'F11.20'}]}}", true },
        { "{'resourceType':'DocumentReference','meta':{'security':[{'system':'" ACT "','code':'PSYTHPN'},{'system':'" ACT "','code':'SUD'}]}}", true },
        { "{'resourceType':'DocumentReference','meta':{'security':[{'system':'" ACT "','code':'PSYTHPN'}]}," CODE(ICD, "E11.9") "}", false },
        { "{'resourceType':'DocumentReference','description':'SUD counseling note'}", true },
        { "{'resourceType':'DocumentReference','description':'Counseling for heroin dependence'}", false },
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct labels l = labels_of(UNKNOWN_SENDER, rows[i].body);
        if (l.labeling->of[0].counseling_note != rows[i].note)
            fail_msg("%s: %d", rows[i].body, !rows[i].note);
        labels_end(&l);
    }
    (void)state;
}

static void
test_patients_and_sections_and_tags_are_mentioned_not_labelled(void **state)
{
    struct labels l = labels_of(UNKNOWN_SENDER, BUNDLE(
        ENTRY("Patient/p1", "{'resourceType':'Patient','id':'p1','extension':[{'url':'urn:x','valueCoding':{'system':'" ICD "','code':'F11.20'}}]}") ","
        ENTRY("Composition/c", "{'resourceType':'Composition','id':'c','type':{'coding':[{'system':'" LN "','code':'34133-9'}]},'section':["
              "{'title':'Problems','code':{'coding':[{'system':'" LN "','code':'11450-4'}]}},"
              "{'title':'Substance use','code':{'coding':[{'system':'" ICD "','code':'F11.20'}]}},"
              "{'code':{'text':'Addiction treatment'},'section':[{'code':{'coding':[{'system':'" ICD "','code':'F10.20'}]}}]}]}") ","
        ENTRY("Condition/t", "{'resourceType':'Condition','id':'t','meta':{'tag':[{'system':'" ICD "','code':'F11.20'},{'system':'urn:t','code':'x','display':'heroin dependence'}]}," CODE(ICD, "E11.9") "}")));
    const struct labeled *of = l.labeling->of;

    assert_labels(&l, 0, "N", NOT);
    assert_int_equal(of[0].mention_count, 1);
    assert_int_equal(of[0].mentions[0].label, LABEL_OPIOIDUD);
    assert_true(of[0].mentions[0].node > l.bundle->entries[0].resource
                && of[0].mentions[0].node < tape_after(l.bundle->tape, l.bundle->entries[0].resource));

    assert_labels(&l, 1, "N", NOT);
    assert_int_equal(of[1].mention_count, 3);
    for (size_t i = 0; i < of[1].mention_count; i++)
        assert_int_equal(tape_kind(l.bundle->tape, of[1].mentions[i].node), TAPE_OBJECT);

    assert_labels(&l, 2, "N", NOT);
    assert_int_equal(of[2].mention_count, 2);
    labels_end(&l);
    (void)state;
}

static void
test_attachments_tell_or_are_uninspected(void **state)
{
    static const struct { const char *body, *codes; bool uninspected; } rows[] = {
        /* "Opioid use disorder" */
        { "{'resourceType':'DocumentReference','content':[{'attachment':{'contentType':'text/plain','data':'T3Bpb2lkIHVzZSBkaXNvcmRlcg=='}}]}", "SUD OPIOIDUD R", false },
        { "{'resourceType':'Binary','contentType':'image/png','data':'T3Bpb2lkIHVzZSBkaXNvcmRlcg=='}", "SUD OPIOIDUD R", false },
        { "{'resourceType':'Communication','payload':[{'contentAttachment':{'data':'T3Bpb2lkIHVzZSBkaXNvcmRlcg=='}}]}", "SUD OPIOIDUD R", false },
        { "{'resourceType':'Observation','extension':[{'url':'u','valueBase64Binary':'T3Bpb2lkIHVzZSBkaXNvcmRlcg=='}]}", "SUD OPIOIDUD R", false },
        { "{'resourceType':'DocumentReference','content':[{'attachment':{'data':'S25lZSBwYWlu'}}]}", "N", false },
        { "{'resourceType':'DocumentReference','content':[{'attachment':{'title':'Opioid treatment program discharge'}}]}", "SUD OPIOIDUD R", false },
        { "{'resourceType':'DocumentReference','content':[{'attachment':{'contentType':'text/plain','data':'AAECAwQFBgc='}}]}", "N", true },
        { "{'resourceType':'DocumentReference','content':[{'attachment':{'data':''}}]}", "N", false },
        { "{'resourceType':'DocumentReference','content':[{'attachment':{'data':7}}]}", "N", false },
        /* Numbers of a curve, a signature: not content of ours. */
        { "{'resourceType':'Observation','valueSampledData':{'origin':{'value':0},'period':1,'dimensions':1,'data':'1 2 3 E'}}", "N", false },
        { "{'resourceType':'Provenance','signature':[{'data':'AAECAwQFBgc='}]}", "N", false },
        /* A patient's portrait. */
        { "{'resourceType':'Patient','photo':[{'data':'AAECAwQFBgc='}]}", "N", false },
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct labels l = labels_of(UNKNOWN_SENDER, rows[i].body);
        assert_true(labels_are(&l, 0, rows[i].codes, rows[i].codes[0] == 'S' ? SUSPECT : NOT, rows[i].body, __FILE__, __LINE__));
        if (l.labeling->of[0].uninspected != rows[i].uninspected)
            fail_msg("%s: uninspected %d", rows[i].body, !rows[i].uninspected);
        assert_int_equal(has_evidence(&l, 0, "attachment", LABEL_NONE), rows[i].uninspected);
        labels_end(&l);
    }
    (void)state;
}

static void
test_a_consents_own_codes_do_not_label_it(void **state)
{
    static const struct label_case cases[] = {
        { "{'resourceType':'Consent','provision':{'securityLabel':[{'system':'" ACT "','code':'SUD'}]}}", "N", NOT },
        { "{'resourceType':'Consent','provision':{'code':[{'coding':[{'system':'" ICD "','code':'F11.20'}]}]}}", "SUD OPIOIDUD R", SUSPECT },
    };
    CHECK_CASES(UNKNOWN_SENDER, cases);
    (void)state;
}

static void
test_every_label_has_evidence_in_a_sentence_without_the_payloads_words(void **state)
{
    struct labels l = labels_of(UNKNOWN_SENDER, BUNDLE(
        ENTRY("Condition/a", "{'resourceType':'Condition','id':'a'," CODE(ICD, "F11.20") "}") ","
        ENTRY("Condition/b", "{'resourceType':'Condition','id':'b','code':{'text':'Zebra Mustermann has opioid use disorder'}}") ","
        ENTRY("Binary/d", "{'resourceType':'Binary','id':'d','data':'T3Bpb2lkIHVzZSBkaXNvcmRlcg=='}")));

    assert_true(has_evidence(&l, 0, "code", LABEL_OPIOIDUD));
    assert_true(has_evidence(&l, 1, "text", LABEL_OPIOIDUD));
    assert_true(has_evidence(&l, 2, "attachment", LABEL_OPIOIDUD));
    for (uint32_t i = 0; i < 3; i++)
        for (size_t e = 0; e < l.labeling->of[i].evidence_count; e++) {
            const struct evidence *it = &l.labeling->of[i].evidence[e];
            assert_true(span_find(it->because, SPAN("Zebra")) == SPAN_NOT_FOUND);
            assert_true(it->node != TAPE_ABSENT);
        }
    assert_string_equal(part2_text(PART2_SUSPECT), "suspect");
    assert_string_equal(part2_text(PART2_CONFIRMED), "confirmed");
    assert_string_equal(part2_text(PART2_NOT), "not");
    labels_end(&l);
    (void)state;
}

static void
test_resources_inside_resources_count_for_their_entry(void **state)
{
    static const struct label_case cases[] = {
        { "{'resourceType':'Parameters','parameter':[{'name':'x','resource':{'resourceType':'Condition'," CODE(ICD, "F11.20") "}}]}", "SUD OPIOIDUD R", SUSPECT },
        { "{'resourceType':'List','contained':[{'resourceType':'Patient','id':'p','extension':[{'url':'u','valueCode':'F11.20'}]}]}", "N", NOT },
        { "{'resourceType':'Condition','contained':[{'resourceType':'FamilyMemberHistory','id':'f','condition':[{" CODE(ICD, "F10.20") "}]}]," CODE(ICD, "E11.9") "}", "N", NOT },
    };
    CHECK_CASES(UNKNOWN_SENDER, cases);
    (void)state;
}

static void
test_hundreds_of_findings_stay_bounded(void **state)
{
    struct arena *a = arena_new("text", (size_t)8 << 20);
    struct span   body = arena_copy(a, SPAN("{'resourceType':'List','code':{'coding':["));
    char         *text = malloc(200000);
    size_t        n;

    memcpy(text, body.at, n = body.length);
    for (int i = 0; i < 300; i++)
        n += (size_t)snprintf(text + n, 200000 - n, "%s{'system':'%s','code':'%s'}", i > 0 ? "," : "", i % 2 ? RXNORM : ICD, i % 2 ? "6813" : "F11.20");
    memcpy(text + n, "]}}", 4);
    struct labels l = labels_of(UNKNOWN_SENDER, text);
    assert_labels(&l, 0, "SUD OPIOIDUD R", SUSPECT);
    assert_true(l.labeling->of[0].evidence_count <= 24);
    labels_end(&l);
    free(text);
    arena_free(&a);
    (void)state;
}

static void
test_too_little_memory_gives_no_answer_instead_of_a_wrong_one(void **state)
{
    const char   *bundle = BUNDLE(
        ENTRY("Patient/p1", "{'resourceType':'Patient','id':'p1','extension':[{'url':'u','valueCode':'F11.20'}]}") ","
        ENTRY("Condition/a", "{'resourceType':'Condition','id':'a','meta':{'security':[{'system':'u','code':'q'}]}," CODE(ICD, "F11.20") ",'encounter':{'reference':'Encounter/e'}}") ","
        ENTRY("Encounter/e", "{'resourceType':'Encounter','id':'e','serviceProvider':{'reference':'Organization/oak'}}") ","
        ENTRY("Binary/d", "{'resourceType':'Binary','id':'d','data':'T3Bpb2lkIHVzZSBkaXNvcmRlcg=='}"));
    struct labels whole  = labels_of(OAK, bundle);
    struct arena *a      = arena_new("text", 1 << 20);
    struct span   body   = quoted(a, bundle);
    size_t        all    = arena_used(whole.arena), refused = 0;

    for (size_t budget = all; budget > 1000; budget -= 97) {
        struct arena        *small  = arena_new("small", budget);
        struct issues       *issues = issues_new(small, 10);
        const struct tape   *tape;
        const struct bundle *b;
        const struct references *r;
        const struct labeling   *out;
        if (issues != NULL && tape_read(body, &tape_default_limits, small, &tape, NULL) == ST_OK
            && bundle_read(tape, small, issues, &b) == ST_OK && references_read(b, small, &r) == ST_OK) {
            enum status st = label_bundle(b, r, whole.facts, small, &out);
            assert_true(st == ST_OK || st == ST_NO_MEMORY);
            assert_int_equal(st == ST_OK, out != NULL);
            refused += st == ST_NO_MEMORY;
            for (uint32_t i = 0; out != NULL && i < b->count; i++) {
                assert_int_equal(out->of[i].labels, whole.labeling->of[i].labels);
                assert_int_equal(out->of[i].part2, whole.labeling->of[i].part2);
            }
        }
        arena_free(&small);
    }
    assert_true(refused > 20);
    arena_free(&a);
    labels_end(&whole);
    (void)state;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_codes_of_conditions_and_drugs),
        cmocka_unit_test(test_every_place_where_a_code_may_stand),
        cmocka_unit_test(test_text_only_where_no_code_speaks),
        cmocka_unit_test(test_what_only_looks_like_it_stays_unlabelled),
        cmocka_unit_test(test_results_of_tests_count_when_they_say_something),
        cmocka_unit_test(test_answers_by_their_question),
        cmocka_unit_test(test_a_sender_that_is_no_program_makes_content_no_part_2_record),
        cmocka_unit_test(test_given_labels_are_the_only_signal_when_they_are_believed),
        cmocka_unit_test(test_labels_that_came_are_kept_and_unknown_ones_reported),
        cmocka_unit_test(test_counseling_notes_by_their_authors_word_only),
        cmocka_unit_test(test_patients_and_sections_and_tags_are_mentioned_not_labelled),
        cmocka_unit_test(test_attachments_tell_or_are_uninspected),
        cmocka_unit_test(test_a_consents_own_codes_do_not_label_it),
        cmocka_unit_test(test_every_label_has_evidence_in_a_sentence_without_the_payloads_words),
        cmocka_unit_test(test_resources_inside_resources_count_for_their_entry),
        cmocka_unit_test(test_hundreds_of_findings_stay_bounded),
        cmocka_unit_test(test_too_little_memory_gives_no_answer_instead_of_a_wrong_one),
    };
    return cmocka_run_group_tests_name("labeling", tests, NULL, NULL);
}
