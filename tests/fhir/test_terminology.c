#include "tests/fhir/terms_check.h"

#include "fhir/pack_terms.h"

#define CS(url, version, content, rest, concepts) \
    "{'resourceType':'CodeSystem','url':'" url "','version':'" version "','content':'" content "'," rest "'concept':[" concepts "]}"
#define VALUE_SET(id, body) "{'resourceType':'ValueSet','url':'" VS id "','version':'1.0.0'," body "}"
#define ALL(id, body)       VALUE_SET(id, "'compose':{'include':[" body "]}")
#define OF_ANIMALS(rest)    "{'system':'" ANIMALS "'" rest "}"
#define FILTER(property, op, value) \
    OF_ANIMALS(",'filter':[{'property':'" property "','op':'" op "','value':'" value "'}]")

static const char *const files[] = {
    CS(ANIMALS, "1.0.0", "complete", "", "{'code':'old'}"),
    CS(ANIMALS, "2.0.0", "complete",
       "'caseSensitive':true,'property':[{'code':'legs','type':'integer'},{'code':'notSelectable','type':'boolean'},{'code':'tag','type':'code'}],",
       "{'code':'mammal','display':'Mammal','property':[{'code':'notSelectable','valueBoolean':true}],'concept':["
       "  {'code':'cat','display':'Domestic  cat','designation':[{'language':'de','value':'Katze'}],"
       "   'property':[{'code':'legs','valueInteger':4},{'code':'tag','valueCode':'a'},{'code':'tag','valueCode':'b'}],"
       "   'concept':[{'code':'siamese','display':'Siamese'}]},"
       "  {'code':'dog','display':'Dog','property':[{'code':'legs','valueInteger':4},{'code':'tag','valueCode':'b'}]}]},"
       "{'code':'bird','display':'Bird','concept':[{'code':'duck','display':'Duck','property':[{'code':'legs','valueInteger':2}]},"
       "  {'code':'dodo','display':'Dodo','property':[{'code':'status','valueCode':'retired'}]}]},"
       "{'code':'platypus','display':'Platypus','property':[{'code':'subsumedBy','valueCode':'mammal'},{'code':'parent','valueCode':'bird'}]}"),
    CS("http://t/cs/loose", "1", "complete", "'caseSensitive':false,", "{'code':'Abc','display':'abc'},{'code':'x'}"),
    CS("http://t/cs/part", "1", "fragment", "", "{'code':'one','concept':[{'code':'under'}]},{'code':'two'}"),
    CS("http://t/cs/example", "1", "example", "", "{'code':'one'}"),
    "{'resourceType':'CodeSystem','url':'http://t/cs/absent','version':'1','content':'not-present'}",
    "{'resourceType':'CodeSystem','url':'http://t/cs/more','content':'supplement','supplements':'" ANIMALS "','concept':["
    "  {'code':'dog','display':'Hound','designation':[{'language':'fr','value':'chien'}]},{'code':'nobody','display':'x'}]}",
    CS("http://terminology.hl7.org/CodeSystem/x", "4.0.1", "complete", "", "{'code':'r4'}"),
    CS("http://terminology.hl7.org/CodeSystem/x", "1.0.0", "complete", "'date':'2020-04-09',", "{'code':'tho'}"),

    ALL("whole", OF_ANIMALS("")),
    ALL("pinned", OF_ANIMALS(",'version':'1.0.0'")),
    ALL("lost", OF_ANIMALS(",'version':'9'")),
    ALL("listed", OF_ANIMALS(",'concept':[{'code':'cat'},{'code':'cat'},{'code':'unicorn'}]")),
    ALL("is-a", FILTER("concept", "is-a", "mammal")),
    ALL("descendent", FILTER("concept", "descendent-of", "mammal")),
    ALL("is-not-a", FILTER("concept", "is-not-a", "mammal")),
    ALL("generalizes", FILTER("concept", "generalizes", "platypus")),
    ALL("child", FILTER("concept", "child-of", "mammal")),
    ALL("leaf", FILTER("concept", "descendent-leaf", "mammal")),
    ALL("parent", FILTER("parent", "=", "cat")),
    ALL("childless", FILTER("child", "=", "siamese")),
    ALL("four", FILTER("legs", "=", "4")),
    ALL("legged", FILTER("legs", "exists", "true")),
    ALL("legless", FILTER("legs", "exists", "false")),
    ALL("in", FILTER("concept", "in", "cat, dog")),
    ALL("not-in", FILTER("code", "not-in", "cat,dog")),
    ALL("tagged", FILTER("tag", "in", "a,c")),
    ALL("untagged", FILTER("tag", "not-in", "a")),
    ALL("selectable", FILTER("notSelectable", "=", "false")),
    ALL("not-selectable", FILTER("not-selectable", "not-in", "true")),
    ALL("named", FILTER("display", "=", "Dog")),
    ALL("regex", FILTER("concept", "regex", "[cd].[a-g]")), ALL("regex-display", FILTER("display", "regex", "D.*")),
    ALL("regex-tag", FILTER("tag", "regex", "a|c")), ALL("beyond-regex", FILTER("concept", "regex", "(?=c)cat")),
    ALL("undeclared", FILTER("wings", "=", "2")),
    ALL("nowhere", FILTER("concept", "is-a", "dragon")),
    ALL("both", OF_ANIMALS(",'filter':[{'property':'concept','op':'is-a','value':'mammal'},{'property':'legs','op':'=','value':'4'}]")),
    VALUE_SET("active", "'compose':{'inactive':false,'include':[" OF_ANIMALS("") "]}"),
    VALUE_SET("without", "'compose':{'include':[" OF_ANIMALS("") "],'exclude':[" FILTER("concept", "is-a", "bird") "]}"),
    VALUE_SET("nothing", "'compose':{'include':[" OF_ANIMALS("") "],'exclude':[{'valueSet':['" VS "whole']}]}"),
    ALL("union", "{'valueSet':['" VS "listed']},{'system':'http://t/cs/loose'}"),
    ALL("intersection", "{'valueSet':['" VS "is-a|1.0','" VS "four']}"),
    ALL("of-import", OF_ANIMALS(",'concept':[{'code':'dog'},{'code':'duck'}],'valueSet':['" VS "is-a']")),
    ALL("imports-nothing", OF_ANIMALS(",'concept':[{'code':'dog'}]") ",{'valueSet':['http://t/vs/nobody']}"),
    ALL("narrowed-by-nothing", OF_ANIMALS(",'concept':[{'code':'dog'}],'valueSet':['http://t/vs/nobody']")),
    ALL("ring-a", OF_ANIMALS(",'concept':[{'code':'dog'}]") ",{'valueSet':['" VS "ring-b']}"),
    ALL("ring-b", OF_ANIMALS(",'concept':[{'code':'cat'}]") ",{'valueSet':['" VS "ring-a']}"),
    ALL("loose", "{'system':'http://t/cs/loose','concept':[{'code':'ABC'}]}"),
    ALL("loose-whole", "{'system':'http://t/cs/loose'}"),
    ALL("part", "{'system':'http://t/cs/part'}"),
    ALL("part-of-part", "{'system':'http://t/cs/part','filter':[{'property':'concept','op':'is-a','value':'one'}]}"),
    ALL("example", "{'system':'http://t/cs/example'}"),
    ALL("absent", "{'system':'http://t/cs/absent'}"),
    ALL("absent-but", "{'system':'http://t/cs/absent'},{'system':'http://t/cs/absent','concept':[{'code':'known'}]}"),
    VALUE_SET("absent-less", "'compose':{'include':[{'system':'http://t/cs/absent'}],'exclude':[{'system':'http://t/cs/absent','concept':[{'code':'gone'}]}]}"),
    ALL("loinc", "{'system':'http://loinc.org','concept':[{'code':'1-8'}]}"),
    ALL("loinc-class", "{'system':'http://loinc.org','filter':[{'property':'CLASS','op':'=','value':'PHENX'}]}"),
    ALL("mixed", "{'system':'http://loinc.org','filter':[{'property':'CLASS','op':'=','value':'PHENX'}]}," OF_ANIMALS("")),
    ALL("units", "{'system':'http://unitsofmeasure.org'}"),
    VALUE_SET("few-units", "'compose':{'include':[{'system':'http://unitsofmeasure.org'}],'exclude':[{'system':'http://unitsofmeasure.org','concept':[{'code':'mg'}]}]}"),
    VALUE_SET("expanded", "'expansion':{'contains':[{'system':'" ANIMALS "','code':'dog','contains':[{'system':'" ANIMALS "','code':'cat'},"
              "{'system':'http://loinc.org','code':'1-8'}]}]}"),
    VALUE_SET("page", "'expansion':{'total':9,'contains':[{'system':'" ANIMALS "','code':'dog'}]}"),
    VALUE_SET("helped", "'compose':{'include':[{'system':'http://loinc.org','filter':[{'property':'CLASS','op':'=','value':'PHENX'}]}]},"
              "'expansion':{'contains':[{'system':'http://loinc.org','code':'1-8'}]}"),
    VALUE_SET("empty", "'status':'active'"),
    ALL("x", "{'system':'http://terminology.hl7.org/CodeSystem/x'}"),
};

#define FILES (sizeof files / sizeof files[0])

static struct arena      *arena;
static const struct pack *pack;

static int
compile(void **state)
{
    (void)state;
    arena = test_arena();
    pack  = terms_pack(arena, NULL, FILES, files);
    return 0;
}

static int
release(void **state)
{
    (void)state;
    arena_free(&arena);
    return 0;
}

static const struct {
    const char *set, *system, *version, *code;
    enum term_verdict verdict;
    enum term_why     why;
} members[] = {
#define IN(set, code)            { set, ANIMALS, "", code, TERM_IN, TERM_WHY_NONE }
#define OUT(set, code)           { set, ANIMALS, "", code, TERM_OUT, TERM_WHY_NOT_LISTED }
#define ABOUT(set, system, code, verdict, why) { set, system, "", code, TERM_##verdict, TERM_WHY_##why }
    IN("whole", "cat"), IN("whole", "mammal"), IN("whole", "dodo"), ABOUT("whole", ANIMALS, "old", OUT, NOT_A_CODE),
    ABOUT("whole", ANIMALS, "Cat", OUT, CASE), ABOUT("whole", "http://t/cs/loose", "x", OUT, OTHER_SYSTEM),
    ABOUT("whole", "", "cat", OUT, NO_SYSTEM),
    { "whole", ANIMALS, "1.0.0", "cat", TERM_IN, TERM_WHY_NONE },
    IN("pinned", "old"), ABOUT("pinned", ANIMALS, "cat", OUT, NOT_A_CODE), { "pinned", ANIMALS, "1.0", "old", TERM_IN, TERM_WHY_NONE },
    { "pinned", ANIMALS, "2.0.0", "old", TERM_UNDECIDED, TERM_WHY_VERSION },
    ABOUT("lost", ANIMALS, "cat", UNDECIDED, VERSION),
    IN("listed", "cat"), IN("listed", "unicorn"), OUT("listed", "dog"), OUT("listed", "CAT"), OUT("listed", ""),
    IN("is-a", "mammal"), IN("is-a", "siamese"), IN("is-a", "platypus"), OUT("is-a", "duck"), OUT("is-a", "old"),
    OUT("descendent", "mammal"), IN("descendent", "siamese"),
    IN("is-not-a", "duck"), OUT("is-not-a", "cat"), OUT("is-not-a", "platypus"),
    IN("generalizes", "platypus"), IN("generalizes", "bird"), IN("generalizes", "mammal"), OUT("generalizes", "cat"),
    IN("child", "cat"), OUT("child", "siamese"), OUT("child", "mammal"),
    IN("leaf", "siamese"), IN("leaf", "dog"), OUT("leaf", "cat"),
    IN("parent", "siamese"), OUT("parent", "cat"), IN("childless", "cat"), OUT("childless", "mammal"),
    IN("four", "cat"), OUT("four", "duck"), IN("legged", "duck"), OUT("legged", "bird"), IN("legless", "bird"), OUT("legless", "cat"),
    IN("in", "dog"), OUT("in", "duck"), IN("not-in", "duck"), OUT("not-in", "dog"),
    IN("tagged", "cat"), OUT("tagged", "dog"), OUT("untagged", "cat"), IN("untagged", "dog"), IN("untagged", "duck"),
    IN("selectable", "cat"), OUT("selectable", "mammal"), IN("not-selectable", "cat"), OUT("not-selectable", "mammal"),
    IN("named", "dog"), OUT("named", "cat"),
    IN("regex", "dog"), OUT("regex", "cat"), OUT("regex", "dodo"), IN("regex-display", "duck"), IN("regex-display", "cat"), OUT("regex-display", "bird"),
    IN("regex-tag", "cat"), OUT("regex-tag", "dog"), ABOUT("beyond-regex", ANIMALS, "cat", UNDECIDED, FILTER_KIND), ABOUT("undeclared", ANIMALS, "cat", UNDECIDED, FILTER_KIND),
    ABOUT("nowhere", ANIMALS, "cat", UNDECIDED, FILTER),
    IN("both", "cat"), OUT("both", "siamese"), OUT("both", "duck"),
    IN("active", "cat"), OUT("active", "dodo"),
    IN("without", "cat"), OUT("without", "duck"), OUT("without", "platypus"), ABOUT("nothing", ANIMALS, "cat", OUT, OTHER_SYSTEM),
    IN("union", "cat"), ABOUT("union", "http://t/cs/loose", "aBC", IN, NONE), OUT("union", "dog"),
    IN("intersection", "cat"), IN("intersection", "dog"), OUT("intersection", "siamese"), OUT("intersection", "duck"),
    IN("of-import", "dog"), OUT("of-import", "duck"), OUT("of-import", "cat"),
    IN("imports-nothing", "dog"), ABOUT("imports-nothing", ANIMALS, "cat", UNDECIDED, IMPORT),
    ABOUT("imports-nothing", "http://loinc.org", "1-8", UNDECIDED, IMPORT),
    ABOUT("narrowed-by-nothing", ANIMALS, "dog", UNDECIDED, IMPORT), OUT("narrowed-by-nothing", "cat"),
    ABOUT("narrowed-by-nothing", "http://loinc.org", "1-8", OUT, OTHER_SYSTEM),
    IN("ring-a", "dog"), IN("ring-a", "cat"), ABOUT("ring-a", ANIMALS, "duck", UNDECIDED, CIRCULAR), IN("ring-b", "cat"),
    ABOUT("loose", "http://t/cs/loose", "abc", IN, NONE), ABOUT("loose", "http://t/cs/loose", "x", OUT, NOT_LISTED),
    ABOUT("loose-whole", "http://t/cs/loose", "ABC", IN, NONE), ABOUT("loose-whole", "http://t/cs/loose", "y", OUT, NOT_A_CODE),
    ABOUT("part", "http://t/cs/part", "two", IN, NONE), ABOUT("part", "http://t/cs/part", "three", UNDECIDED, FRAGMENT),
    ABOUT("part-of-part", "http://t/cs/part", "under", IN, NONE), ABOUT("part-of-part", "http://t/cs/part", "two", OUT, NOT_LISTED),
    ABOUT("part-of-part", "http://t/cs/part", "three", UNDECIDED, FRAGMENT),
    ABOUT("example", "http://t/cs/example", "one", IN, NONE), ABOUT("example", "http://t/cs/example", "two", UNDECIDED, FRAGMENT),
    ABOUT("absent", "http://t/cs/absent", "a", UNDECIDED, NOT_PRESENT), ABOUT("absent", ANIMALS, "a", OUT, OTHER_SYSTEM),
    ABOUT("absent-but", "http://t/cs/absent", "known", IN, NONE), ABOUT("absent-but", "http://t/cs/absent", "a", UNDECIDED, NOT_PRESENT),
    ABOUT("absent-less", "http://t/cs/absent", "gone", OUT, NOT_LISTED), ABOUT("absent-less", "http://t/cs/absent", "a", UNDECIDED, NOT_PRESENT),
    ABOUT("loinc", "http://loinc.org", "1-8", IN, NONE), ABOUT("loinc", "http://loinc.org", "2-8", OUT, NOT_LISTED),
    ABOUT("loinc-class", "http://loinc.org", "1-8", UNDECIDED, FILTER), ABOUT("loinc-class", ANIMALS, "cat", OUT, OTHER_SYSTEM),
    IN("mixed", "cat"), ABOUT("mixed", "http://loinc.org", "1-8", UNDECIDED, FILTER),
    ABOUT("units", "http://unitsofmeasure.org", "mg/dL", IN, NONE), ABOUT("units", "http://unitsofmeasure.org", "mg per dL", OUT, SYNTAX),
    ABOUT("few-units", "http://unitsofmeasure.org", "kg", IN, NONE), ABOUT("few-units", "http://unitsofmeasure.org", "mg", OUT, NOT_LISTED),
    IN("expanded", "dog"), IN("expanded", "cat"), OUT("expanded", "duck"), ABOUT("expanded", "http://loinc.org", "1-8", IN, NONE),
    IN("page", "dog"), ABOUT("page", ANIMALS, "cat", UNDECIDED, SIZE), ABOUT("page", "http://loinc.org", "1-8", UNDECIDED, SIZE),
    ABOUT("helped", "http://loinc.org", "1-8", IN, NONE), ABOUT("helped", "http://loinc.org", "2-8", UNDECIDED, FILTER),
    ABOUT("empty", ANIMALS, "cat", UNDECIDED, EMPTY), ABOUT("nobody", ANIMALS, "cat", UNDECIDED, NO_VALUE_SET),
    ABOUT("x", "http://terminology.hl7.org/CodeSystem/x", "tho", IN, NONE),
    ABOUT("x", "http://terminology.hl7.org/CodeSystem/x", "r4", OUT, NOT_A_CODE),
};

static const char *
verdict_name(enum term_verdict verdict)
{
    return verdict == TERM_IN ? "in" : verdict == TERM_OUT ? "out" : "undecided";
}

static uint32_t
set_named(const char *id)
{
    return term_value_set(pack, arena_format(arena, VS "%s", id));
}

static void
test_says_what_is_in_a_value_set(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        struct term_answer a = term_member(pack, set_named(members[i].set), span_of(members[i].system),
                                           span_of(members[i].version), span_of(members[i].code));
        if (a.verdict != members[i].verdict || a.why != members[i].why)
            fail_msg("%s %s|%s: have %s, %s", members[i].set, members[i].system, members[i].code, verdict_name(a.verdict),
                     term_why_text(a.why));
    }
}

static const struct { const char *set, *code; enum term_verdict verdict; enum term_why why; } bare[] = {
    { "listed", "cat", TERM_IN, TERM_WHY_NONE }, { "listed", "dog", TERM_OUT, TERM_WHY_NOT_LISTED },
    { "whole", "cat", TERM_IN, TERM_WHY_NONE }, { "whole", "Cat", TERM_OUT, TERM_WHY_CASE },
    { "loose", "abc", TERM_IN, TERM_WHY_NONE }, { "union", "abC", TERM_IN, TERM_WHY_NONE }, { "union", "dog", TERM_OUT, TERM_WHY_NOT_A_CODE },
    { "mixed", "cat", TERM_IN, TERM_WHY_NONE }, { "mixed", "1-8", TERM_UNDECIDED, TERM_WHY_FILTER },
    { "imports-nothing", "dog", TERM_IN, TERM_WHY_NONE }, { "imports-nothing", "cat", TERM_UNDECIDED, TERM_WHY_IMPORT },
    { "absent-less", "gone", TERM_OUT, TERM_WHY_NOT_LISTED }, { "units", "mg/dL", TERM_IN, TERM_WHY_NONE },
    { "few-units", "mg", TERM_OUT, TERM_WHY_NOT_LISTED }, { "nobody", "cat", TERM_UNDECIDED, TERM_WHY_NO_VALUE_SET },
    { "narrowed-by-nothing", "dog", TERM_UNDECIDED, TERM_WHY_IMPORT },
};

static void
test_says_whether_a_bare_code_is_in_a_value_set(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bare / sizeof bare[0]; i++) {
        struct term_answer a = term_member_code(pack, set_named(bare[i].set), span_of(bare[i].code));
        if (a.verdict != bare[i].verdict || a.why != bare[i].why)
            fail_msg("%s %s: have %s, %s", bare[i].set, bare[i].code, verdict_name(a.verdict), term_why_text(a.why));
    }
}

static void
test_finds_a_value_set_by_canonical_and_version(void **state)
{
    (void)state;
    assert_int_not_equal(term_value_set(pack, SPAN(VS "whole")), TERM_NONE);
    assert_int_equal(term_value_set(pack, SPAN(VS "whole|1.0.0")), term_value_set(pack, SPAN(VS "whole")));
    assert_int_equal(term_value_set(pack, SPAN(VS "whole|1.0")), term_value_set(pack, SPAN(VS "whole")));
    assert_int_equal(term_value_set(pack, SPAN(VS "whole|1.")), TERM_NONE);
    assert_int_equal(term_value_set(pack, SPAN(VS "whole|2")), TERM_NONE);
    assert_int_equal(term_value_set(pack, SPAN("")), TERM_NONE);
    assert_text(term_value_set_url(pack, set_named("whole")), VS "whole");
    assert_text(term_value_set_version(pack, set_named("whole")), "1.0.0");
    assert_int_equal(term_value_set_url(pack, TERM_NONE).length, 0);
    assert_true(term_is_value_set_url(pack, SPAN(VS "whole")));
    assert_false(term_is_value_set_url(pack, SPAN(ANIMALS)));
}

static void
test_says_which_value_sets_leave_no_doubt(void **state)
{
    static const char *const sure[]  = { "whole", "pinned", "listed", "is-a", "union", "loinc", "units", "few-units", "expanded", "active" };
    static const char *const unsure[] = { "lost", "beyond-regex", "imports-nothing", "narrowed-by-nothing", "ring-a", "part", "absent", "mixed", "page", "empty", "nobody" };

    (void)state;
    for (size_t i = 0; i < sizeof sure / sizeof sure[0]; i++)
        if (!term_decidable(pack, set_named(sure[i])))
            fail_msg("%s", sure[i]);
    for (size_t i = 0; i < sizeof unsure / sizeof unsure[0]; i++)
        if (term_decidable(pack, set_named(unsure[i])))
            fail_msg("%s", unsure[i]);
}

static void
test_names_some_codes_for_a_hint(void **state)
{
    struct span codes[4];
    bool        more;

    (void)state;
    assert_int_equal(term_some_codes(pack, set_named("in"), codes, 4, &more), 2);
    assert_text(codes[0], "cat");
    assert_text(codes[1], "dog");
    assert_false(more);
    assert_int_equal(term_some_codes(pack, set_named("is-a"), codes, 2, &more), 2);
    assert_text(codes[0], "mammal");
    assert_text(codes[1], "cat");
    assert_true(more);
    assert_int_equal(term_some_codes(pack, set_named("whole"), codes, 4, &more), 4);
    assert_text(codes[0], "cat");                        /* mammal is abstract */
    assert_true(more);
    assert_int_equal(term_some_codes(pack, set_named("units"), codes, 4, &more), 0);
    assert_int_equal(term_some_codes(pack, TERM_NONE, codes, 4, &more), 0);
}

/* ---- code systems --------------------------------------------------------------------- */

static const struct { const char *system, *version, *code; enum term_verdict verdict; enum term_why why; } codes[] = {
    { ANIMALS, "", "cat", TERM_IN, TERM_WHY_NONE }, { ANIMALS, "", "old", TERM_OUT, TERM_WHY_NOT_A_CODE },
    { ANIMALS, "1.0.0", "old", TERM_IN, TERM_WHY_NONE }, { ANIMALS, "3", "cat", TERM_UNDECIDED, TERM_WHY_VERSION },
    { ANIMALS, "", "CAT", TERM_OUT, TERM_WHY_CASE }, { "http://t/cs/loose", "", "aBc", TERM_IN, TERM_WHY_NONE },
    { "http://t/cs/part", "", "one", TERM_IN, TERM_WHY_NONE }, { "http://t/cs/part", "", "no", TERM_UNDECIDED, TERM_WHY_FRAGMENT },
    { "http://t/cs/absent", "", "one", TERM_UNDECIDED, TERM_WHY_NOT_PRESENT },
    { "http://snomed.info/sct", "", "1", TERM_UNDECIDED, TERM_WHY_NO_CODE_SYSTEM }, { "", "", "cat", TERM_UNDECIDED, TERM_WHY_NO_SYSTEM },
    { "http://t/cs/more", "", "dog", TERM_UNDECIDED, TERM_WHY_NO_CODE_SYSTEM },
    { "urn:iso:std:iso:4217", "", "USD", TERM_IN, TERM_WHY_NONE }, { "urn:iso:std:iso:4217", "", "US", TERM_OUT, TERM_WHY_NOT_A_CODE },
};

static void
test_says_what_is_a_code(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        struct term_answer a = term_code(pack, span_of(codes[i].system), span_of(codes[i].version), span_of(codes[i].code));
        if (a.verdict != codes[i].verdict || a.why != codes[i].why)
            fail_msg("%s|%s: have %s, %s", codes[i].system, codes[i].code, verdict_name(a.verdict), term_why_text(a.why));
    }
    assert_int_equal(term_content(pack, SPAN(ANIMALS), SPAN("")), TERM_CONTENT_COMPLETE);
    assert_int_equal(term_content(pack, SPAN(ANIMALS), SPAN("7")), TERM_CONTENT_UNKNOWN);
    assert_int_equal(term_content(pack, SPAN("http://t/cs/absent"), SPAN("")), TERM_CONTENT_NOT_PRESENT);
    assert_int_equal(term_content(pack, SPAN("http://unitsofmeasure.org"), SPAN("")), TERM_CONTENT_CHECKED);
    assert_text(term_system_meant(SPAN("urn:oid:2.16.840.1.113883.6.96")), "http://snomed.info/sct");
    assert_int_equal(term_system_meant(SPAN("http://snomed.info/sct")).length, 0);
    assert_int_equal(term_system_meant(SPAN("http://nobody")).length, 0);
}

static uint32_t
concept(const char *code)
{
    return term_concept(pack, SPAN(ANIMALS), SPAN(""), span_of(code));
}

static void
test_knows_displays_designations_and_supplements(void **state)
{
    (void)state;
    assert_text(term_display(pack, concept("cat")), "Domestic  cat");
    assert_true(term_display_known(pack, concept("cat"), SPAN("domestic cat ")));
    assert_true(term_display_known(pack, concept("cat"), SPAN("Katze")));
    assert_false(term_display_known(pack, concept("cat"), SPAN("domesticcat")));
    assert_false(term_display_known(pack, concept("cat"), SPAN("Domestic cats")));
    assert_false(term_display_known(pack, concept("cat"), SPAN("chien")));
    assert_true(term_display_known(pack, concept("dog"), SPAN("HOUND")));
    assert_true(term_display_known(pack, concept("dog"), SPAN("chien")));
    assert_true(term_display_known(pack, term_concept(pack, SPAN("http://t/cs/loose"), SPAN(""), SPAN("X")), SPAN("anything")));
    assert_text(term_concept_code(pack, concept("cat")), "cat");
    assert_int_equal(concept("unicorn"), TERM_NONE);
    assert_int_equal(term_concept_flags(pack, concept("mammal")), TERM_ABSTRACT);
    assert_int_equal(term_concept_flags(pack, concept("dodo")), TERM_INACTIVE);
    assert_int_equal(term_concept_flags(pack, TERM_NONE), 0);
    assert_true(term_display_known(pack, TERM_NONE, SPAN("x")));
}

static void
test_climbs_hierarchies(void **state)
{
    static const struct { const char *system, *code, *above; enum term_verdict verdict; } rows[] = {
        { ANIMALS, "siamese", "mammal", TERM_IN }, { ANIMALS, "cat", "cat", TERM_IN }, { ANIMALS, "cat", "siamese", TERM_OUT },
        { ANIMALS, "platypus", "mammal", TERM_IN }, { ANIMALS, "platypus", "bird", TERM_IN }, { ANIMALS, "duck", "mammal", TERM_OUT },
        { ANIMALS, "unicorn", "mammal", TERM_OUT }, { "http://t/cs/part", "under", "one", TERM_IN },
        { "http://t/cs/part", "two", "one", TERM_UNDECIDED }, { "http://t/cs/absent", "a", "b", TERM_UNDECIDED },
        { "http://snomed.info/sct", "a", "b", TERM_UNDECIDED },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (term_is_a(pack, span_of(rows[i].system), SPAN(""), span_of(rows[i].code), span_of(rows[i].above)).verdict != rows[i].verdict)
            fail_msg("%s %s", rows[i].code, rows[i].above);
}

/* ---- on top of another pack -------------------------------------------------------------- */

static void
test_builds_on_the_value_sets_of_a_base(void **state)
{
    static const char *const site[] = {
        ALL("site", "{'valueSet':['" VS "is-a']}," OF_ANIMALS(",'concept':[{'code':'duck'}]")),
        ALL("site-whole", "{'valueSet':['" VS "whole']}"),
        VALUE_SET("site-less", "'compose':{'include':[{'valueSet':['" VS "is-a']}],'exclude':[" FILTER("concept", "is-a", "cat") "]}"),
        ALL("site-legs", FILTER("legs", "=", "4")),
        ALL("whole", OF_ANIMALS(",'concept':[{'code':'dog'}]")),
        CS("http://t/cs/absent", "2", "complete", "", "{'code':'now'}"),
        "{'resourceType':'CodeSystem','url':'http://t/cs/site','content':'supplement','supplements':'" ANIMALS "','concept':[{'code':'cat','display':'Moggy'}]}",
    };
    const struct pack *top = terms_pack(arena, pack, sizeof site / sizeof site[0], site);
    struct span        no  = { NULL, 0 };

    (void)state;
    assert_int_equal(term_value_set(top, SPAN(VS "listed")), term_value_set(pack, SPAN(VS "listed")));
    uint32_t set = term_value_set(top, SPAN(VS "site"));
    assert_int_equal(term_member(top, set, SPAN(ANIMALS), no, SPAN("siamese")).verdict, TERM_IN);
    assert_int_equal(term_member(top, set, SPAN(ANIMALS), no, SPAN("duck")).verdict, TERM_IN);
    assert_int_equal(term_member(top, set, SPAN(ANIMALS), no, SPAN("bird")).verdict, TERM_OUT);
    set = term_value_set(top, SPAN(VS "site-whole"));
    assert_int_equal(term_member(top, set, SPAN(ANIMALS), no, SPAN("bird")).verdict, TERM_IN);
    set = term_value_set(top, SPAN(VS "site-less"));
    assert_int_equal(term_member(top, set, SPAN(ANIMALS), no, SPAN("dog")).verdict, TERM_IN);
    assert_int_equal(term_member(top, set, SPAN(ANIMALS), no, SPAN("siamese")).verdict, TERM_OUT);
    set = term_value_set(top, SPAN(VS "site-legs"));
    assert_int_equal(term_member(top, set, SPAN(ANIMALS), no, SPAN("dog")).why, TERM_WHY_FILTER);
    set = term_value_set(top, SPAN(VS "whole|1.0.0"));           /* the base's stays */
    assert_int_equal(term_member(top, set, SPAN(ANIMALS), no, SPAN("cat")).verdict, TERM_IN);
    set = term_value_set(top, SPAN(VS "absent"));                /* its system has come */
    assert_int_equal(term_member(top, set, SPAN("http://t/cs/absent"), no, SPAN("now")).verdict, TERM_IN);
    assert_int_equal(term_member(top, set, SPAN("http://t/cs/absent"), no, SPAN("then")).verdict, TERM_OUT);
    assert_true(term_display_known(top, term_concept(top, SPAN(ANIMALS), no, SPAN("cat")), SPAN("moggy")));
    assert_true(term_display_known(top, term_concept(top, SPAN(ANIMALS), no, SPAN("dog")), SPAN("chien")));
}

/* ---- broken and hostile ------------------------------------------------------------------- */

static void
test_refuses_broken_code_systems(void **state)
{
    static const char *const bad[] = {
        CS("http://t/cs/b", "1", "full", "", "{'code':'a'}"),
        CS("http://t/cs/b", "1", "complete", "", "{'display':'a'}"),
        CS("http://t/cs/b", "1", "complete", "", "{'code':''}"),
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct arena      *own    = test_arena();
        struct issues     *issues = issues_new(own, 10);
        const struct pack *none   = NULL;
        assert_int_equal(terms_compile(own, NULL, 1, &bad[i], issues, &none), ST_MALFORMED);
        assert_int_equal(issues_count(issues), 1);
        assert_true(span_starts(issues_at(issues, 0)->expression, SPAN("CodeSystem/http://t/cs/b")));
        arena_free(&own);
    }
}

static void
test_takes_rings_of_concepts(void **state)
{
    static const char *const ring[] = {
        CS(ANIMALS, "1", "complete", "", "{'code':'a','property':[{'code':'parent','valueCode':'b'}]},"
           "{'code':'b','property':[{'code':'parent','valueCode':'a'},{'code':'parent','valueCode':'b'}]},{'code':'c'}"),
        ALL("ring", FILTER("concept", "is-a", "a")),
    };
    struct arena      *own = test_arena();
    const struct pack *p   = terms_pack(own, NULL, 2, ring);
    struct span        no  = { NULL, 0 };

    (void)state;
    assert_int_equal(term_member(p, term_value_set(p, SPAN(VS "ring")), SPAN(ANIMALS), no, SPAN("b")).verdict, TERM_IN);
    assert_int_equal(term_member(p, term_value_set(p, SPAN(VS "ring")), SPAN(ANIMALS), no, SPAN("c")).verdict, TERM_OUT);
    assert_int_equal(term_is_a(p, SPAN(ANIMALS), no, SPAN("a"), SPAN("b")).verdict, TERM_IN);
    assert_int_equal(term_is_a(p, SPAN(ANIMALS), no, SPAN("a"), SPAN("c")).verdict, TERM_UNDECIDED);
    arena_free(&own);
}

/* One imports the next, further than is followed. */
static void
test_leaves_a_long_chain_of_imports_undecided(void **state)
{
    struct arena      *own = test_arena();
    const char        *chain[40];
    struct span        no = { NULL, 0 };

    (void)state;
    for (int i = 0; i < 39; i++)
        chain[i] = arena_format(own, ALL("c%d", "{'valueSet':['" VS "c%d']}"), i, i + 1).at;
    chain[39] = ALL("c39", OF_ANIMALS(",'concept':[{'code':'cat'}]"));
    const struct pack *p = terms_pack(own, NULL, 40, chain);
    assert_int_equal(term_member(p, term_value_set(p, SPAN(VS "c0")), SPAN(ANIMALS), no, SPAN("cat")).why, TERM_WHY_DEPTH);
    assert_int_equal(term_member(p, term_value_set(p, SPAN(VS "c39")), SPAN(ANIMALS), no, SPAN("cat")).verdict, TERM_IN);
    arena_free(&own);
}

/* Everything that a forged table may lead to. */
static void
ask_all(const struct pack *p)
{
    static const char *const some[] = { "cat", "ABC", "1-8", "mg", "" };
    struct span              none = { NULL, 0 }, put[3];
    bool                     more;

    for (uint32_t set = 0; set < term_value_set_count(p); set++) {
        for (size_t i = 0; i < sizeof some / sizeof some[0]; i++) {
            (void)term_member(p, set, SPAN(ANIMALS), none, span_of(some[i]));
            (void)term_member_code(p, set, span_of(some[i]));
        }
        (void)term_value_set(p, term_value_set_url(p, set));
        (void)term_some_codes(p, set, put, 3, &more);
        (void)term_decidable(p, set);
    }
    for (size_t i = 0; i < sizeof some / sizeof some[0]; i++) {
        (void)term_display_known(p, term_concept(p, SPAN(ANIMALS), none, span_of(some[i])), SPAN("Katze"));
        (void)term_is_a(p, SPAN(ANIMALS), none, span_of(some[i]), SPAN("mammal"));
    }
}

static void
test_refuses_a_forged_table_or_lives_with_it(void **state)
{
    static const char *const small[] = {
        CS(ANIMALS, "1", "complete", "", "{'code':'mammal','concept':[{'code':'cat','display':'Cat','designation':[{'value':'Katze'}]}]}"),
        CS(ANIMALS, "2", "fragment", "'caseSensitive':false,", "{'code':'ABC'}"),
        ALL("a", FILTER("concept", "is-a", "mammal") ",{'system':'http://loinc.org','concept':[{'code':'1-8'}]}"),
        ALL("b", OF_ANIMALS("") ",{'valueSet':['http://t/nobody']}"),
    };
    struct arena      *own     = test_arena();
    const struct pack *p       = terms_pack(own, NULL, 4, small), *forged;
    size_t             length  = p->header->length, refused = 0, taken = 0;
    char              *copy    = arena_alloc(own, length);
    size_t             checked = offsetof(struct pack_header, checksum) + sizeof p->header->checksum;

    (void)state;
    assert_non_null(copy);
    for (size_t section = PACK_SYSTEMS; section <= PACK_MEMBERS; section++)
        for (size_t at = 0; at + 4 <= (size_t)p->header->sections[section].count * p->header->sections[section].size; at += 2)
            for (unsigned kind = 0; kind < 4; kind++) {
                static const uint32_t masks[] = { UINT32_MAX, 1, 0x100, 0x10000 };
                struct arena_mark     mark = arena_mark(own);
                uint32_t              word;
                char                 *place = copy + p->header->sections[section].offset + at;
                memcpy(copy, p->header, length);
                memcpy(&word, place, 4);
                word ^= masks[kind];
                memcpy(place, &word, 4);
                uint64_t sum = pack_checksum(span_from(copy + checked, length - checked));
                memcpy(copy + offsetof(struct pack_header, checksum), &sum, sizeof sum);
                if (pack_open(span_from(copy, length), own, &forged) == ST_OK) {
                    ask_all(forged);
                    taken++;
                } else {
                    refused++;
                }
                arena_reset(own, mark);
            }
    assert_true(refused > 0 && taken > 0);
    arena_free(&own);
}

/* ---- the definitions of the build ----------------------------------------------------------- */

static void
test_decides_what_r4_binds(void **state)
{
    static const struct { const char *set, *code; enum term_verdict verdict; } rows[] = {
        { "administrative-gender|4.0.1", "female", TERM_IN }, { "administrative-gender|4.0.1", "f", TERM_OUT },
        { "observation-status", "final", TERM_IN }, { "mimetypes", "application/pdf", TERM_IN }, { "mimetypes", "pdf", TERM_OUT },
        { "all-languages", "en-US", TERM_IN }, { "all-languages", "english", TERM_OUT }, { "currencies", "USD", TERM_IN },
        { "currencies", "dollar", TERM_OUT }, { "ucum-units", "mg/dL", TERM_IN }, { "ucum-units", "mgs", TERM_OUT },
        { "units-of-time", "wk", TERM_IN }, { "units-of-time", "week", TERM_OUT }, { "resource-types", "Patient", TERM_IN },
    };
    struct arena      *own = test_arena();
    const struct pack *r4  = NULL;
    struct span        bytes = test_file(own, SLUICE_BINARY_DIR "/definitions/r4.pack");

    (void)state;
    if (span_empty(bytes)) {
        arena_free(&own);
        skip();
    }
    assert_int_equal(pack_open(bytes, own, &r4), ST_OK);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint32_t set = term_value_set(r4, arena_format(own, "http://hl7.org/fhir/ValueSet/%s", rows[i].set));
        if (set == TERM_NONE || term_member_code(r4, set, span_of(rows[i].code)).verdict != rows[i].verdict)
            fail_msg("%s %s", rows[i].set, rows[i].code);
    }
    arena_free(&own);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_says_what_is_in_a_value_set),
        cmocka_unit_test(test_says_whether_a_bare_code_is_in_a_value_set),
        cmocka_unit_test(test_finds_a_value_set_by_canonical_and_version),
        cmocka_unit_test(test_says_which_value_sets_leave_no_doubt),
        cmocka_unit_test(test_names_some_codes_for_a_hint),
        cmocka_unit_test(test_says_what_is_a_code),
        cmocka_unit_test(test_knows_displays_designations_and_supplements),
        cmocka_unit_test(test_climbs_hierarchies),
        cmocka_unit_test(test_builds_on_the_value_sets_of_a_base),
        cmocka_unit_test(test_refuses_broken_code_systems),
        cmocka_unit_test(test_takes_rings_of_concepts),
        cmocka_unit_test(test_leaves_a_long_chain_of_imports_undecided),
        cmocka_unit_test(test_refuses_a_forged_table_or_lives_with_it),
        cmocka_unit_test(test_decides_what_r4_binds),
    };

    return cmocka_run_group_tests(tests, compile, release);
}
