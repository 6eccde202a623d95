#include "tests/fhir/fhir_check.h"

#include "base/buf.h"
#include "fhir/issue.h"
#include "fhir/package.h"
#include "fhir/validate.h"
#include "fhir/xhtml.h"

#define DIV "<div xmlns=\"http://www.w3.org/1999/xhtml\">"
#define IN(what) DIV what "</div>"

#define GOOD UINT32_MAX

/* A text, and the first fault with the byte where it is; GOOD: none. */
static const struct { const char *text; uint32_t rule, offset; } cases[] = {
    { IN("x"), GOOD, 0 },
    { IN("<p>one &amp; two &#160;&#xe4;</p>"), GOOD, 0 },
    { " <!-- a --> " IN("x") "\n<!-- b -->", GOOD, 0 },
    { IN("<!-- a -->x<![CDATA[ a & b ]]>"), GOOD, 0 },
    { IN("<img src='#a' alt=''/>"), GOOD, 0 },
    { IN("<table><thead><tr><th>a</th></tr></thead><tbody> <tr><td colspan=\"2\"><ul><li>a</li></ul></td></tr></tbody></table>"), GOOD, 0 },
    { IN("<div xmlns=\"http://www.w3.org/1999/xhtml\" xml:lang=\"en\">x</div>"), GOOD, 0 },
    { IN("<a href=\"https://a.example/?a=b&amp;c=d\" title='it is > 3'>x</a>"), GOOD, 0 },
    { IN("<span style=\"color: red; scroll-behavior: smooth\">x</span>"), GOOD, 0 },
    { "<div xmlns='http://www.w3.org/1999/xhtml' >x</div >", GOOD, 0 },
    { "<div xmlns:h='urn:a' xmlns='http://www.w3.org/1999/xhtml'>x</div>", GOOD, 0 },
    { IN("<img src=\"data:image/png;base64,AAAA\"/>"), GOOD, 0 },
    { IN("<dl><dt>a</dt><dd><p>b</p></dd></dl><pre xml:space=\"preserve\">  x </pre>"), GOOD, 0 },
    /* FORM */
    { "", XHTML_FORM, 0 },
    { "x", XHTML_FORM, 0 },
    { "<div>x</div>", XHTML_FORM, 1 },
    { "<p xmlns=\"http://www.w3.org/1999/xhtml\">x</p>", XHTML_FORM, 1 },
    { "<DIV xmlns=\"http://www.w3.org/1999/xhtml\">x</DIV>", XHTML_FORM, 1 },
    { "<div xmlns=\"http://www.w3.org/1999/XHTML\">x</div>", XHTML_FORM, 12 },
    { IN("<p xmlns=\"urn:a\">x</p>"), XHTML_FORM, 52 },
    { IN("x") IN("y"), XHTML_FORM, 50 },
    { IN("x") "y", XHTML_FORM, 49 },
    { DIV "x", XHTML_FORM, 43 },
    { DIV "x</p>", XHTML_FORM, 45 },
    { IN("<b><i>x</b></i>"), XHTML_FORM, 51 },
    { IN("a & b"), XHTML_FORM, 44 },
    { IN("&nbsp;"), XHTML_FORM, 42 },
    { IN("&reg;"), XHTML_FORM, 42 },
    { IN("&#0;"), XHTML_FORM, 42 },
    { IN("&#xD800;"), XHTML_FORM, 42 },
    { IN("&#99999999999;"), XHTML_FORM, 42 },
    { IN("&amp"), XHTML_FORM, 42 },
    { IN("a < b"), XHTML_FORM, 45 },
    { IN("<p class=a>x</p>"), XHTML_FORM, 51 },
    { IN("<p class>x</p>"), XHTML_FORM, 50 },
    { IN("<p class=\"a\"id=\"b\">x</p>"), XHTML_FORM, 56 },
    { IN("<p class=\"a\" class=\"b\">x</p>"), XHTML_FORM, 60 },
    { IN("<p title=\"a<b\">x</p>"), XHTML_FORM, 53 },
    { IN("<p title=\"a"), XHTML_FORM, 53 },
    { IN("\x01"), XHTML_FORM, 42 },
    { IN("x<?php a ?>"), XHTML_FORM, 44 },
    { "<!DOCTYPE html>" IN("x"), XHTML_FORM, 2 },
    { IN("<!-- a -- b -->x"), XHTML_FORM, 46 },
    { IN("<!-- a"), XHTML_FORM, 46 },
    { IN("a ]]> b"), XHTML_FORM, 44 },
    { IN("a ]] > ]&gt; <b title=\"]]>\">b</b>"), GOOD, 0 },
    { IN("<![CDATA[ a"), XHTML_FORM, 51 },
    { "<", XHTML_FORM, 1 },
    { "</div>", XHTML_FORM, 2 },
    /* txt-1 */
    { IN("<blink>x</blink>"), XHTML_TXT_1, 43 },
    { IN("<h:p>x</h:p>"), XHTML_TXT_1, 43 },
    { IN("<P>x</P>"), XHTML_TXT_1, 43 },
    { IN("<p href=\"a\">x</p>"), XHTML_TXT_1, 45 },
    { IN("<td>x</td>"), XHTML_PLACE, 43 },
    { IN("<table>x</table>"), XHTML_PLACE, 49 },
    { IN("<ul><p>x</p></ul>"), XHTML_PLACE, 47 },
    { IN("<p><div>x</div></p>"), XHTML_TXT_1, 46 },
    { IN("<b><span><ul><li>x</li></ul></span></b>"), XHTML_PLACE, 52 },
    { IN("<a href='a'>x<i><a href='b'>y</a></i></a>"), XHTML_PLACE, 59 },
    { IN("<br>x</br>"), XHTML_TXT_1, 46 },
    { IN("<p><span><table><tr><td>x</td></tr></table></span></p>"), XHTML_TXT_1, 52 },
    { IN("<td><td><td><td><td><td><td><td><blink>x</blink></td></td></td></td></td></td></td></td>"), XHTML_PLACE, 43 },
    /* txt-2 */
    { IN(""), XHTML_TXT_2, 0 },
    { "<div xmlns=\"http://www.w3.org/1999/xhtml\"/>", XHTML_TXT_2, 0 },
    { IN(" <p> &#32;\n</p><!-- x -->"), XHTML_TXT_2, 0 },
    /* URL */
    { IN("<a href=\"\">x</a>"), XHTML_URL, 51 },
    { IN("<a href=\"Patient/a b\">x</a>"), XHTML_URL, 51 },
    { IN("<img src=\"a\\b.png\"/>"), XHTML_URL, 52 },
    { IN("<img src=\"data:image/png;base64,AAA\"/>"), XHTML_URL, 52 },
    { IN("<img src=\"data:image/png,AAAA\"/>"), XHTML_URL, 52 },
    { IN("<a href=\"http://a.example/{id}?a=b|c&amp;d=%20#e\">x</a>"), GOOD, 0 },
    { IN("<img src=\"data:image/png;base64,AA AA\nAA==\"/>"), GOOD, 0 },
    /* ACTIVE */
    { IN("<script>alert(1)</script>"), XHTML_ACTIVE, 43 },
    { IN("<IFRAME>x</IFRAME>"), XHTML_ACTIVE, 43 },
    { IN("<style>p { }</style>x"), XHTML_ACTIVE, 43 },
    { IN("<form>x</form>"), XHTML_ACTIVE, 43 },
    { IN("<p onclick=\"a()\">x</p>"), XHTML_ACTIVE, 45 },
    { IN("<a href=\"javascript:alert(1)\">x</a>"), XHTML_ACTIVE, 51 },
    { IN("<a href=\" Java&#x53;cri&#10;pt:alert(1)\">x</a>"), XHTML_ACTIVE, 51 },
    { IN("<a href=\"data:text/html,x\">x</a>"), XHTML_ACTIVE, 51 },
    { IN("<img src=\"data:text/html,x\"/>"), XHTML_ACTIVE, 52 },
    { IN("<p style=\"width: expression(alert(1))\">x</p>"), XHTML_ACTIVE, 52 },
    { IN("<p style=\"background: url(java/**/script:alert(1))\">x</p>"), XHTML_ACTIVE, 52 },
    { IN("<p style=\"@import 'a'\">x</p>"), XHTML_ACTIVE, 52 },
    { IN("<p style=\"\\65xpression(1)\">x</p>"), XHTML_ACTIVE, 52 },
    { IN("<!--><p>y</p>-->x"), XHTML_ACTIVE, 44 },
    { IN("<![CDATA[><p>]]>x"), XHTML_ACTIVE, 44 },
};

static void
test_finds_the_first_fault_and_where_it_is(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct xhtml_faults faults;
        bool                fine = xhtml_check(span_of(cases[i].text), &faults, NULL);
        assert_int_equal(fine, xhtml_check(span_of(cases[i].text), NULL, NULL));
        if ((faults.count == 0) != (cases[i].rule == GOOD))
            fail_msg("%s: %s", cases[i].text, fine ? "no fault" : faults.at[0].wanted);
        assert_int_equal(fine, faults.count == 0 || (faults.count == 1 && faults.at[0].rule == XHTML_PLACE));
        if (faults.count > 0 && (faults.at[0].rule != cases[i].rule || faults.at[0].offset != cases[i].offset))
            fail_msg("%s: rule %d at %u: %s", cases[i].text, (int)faults.at[0].rule, faults.at[0].offset,
                     faults.at[0].wanted);
    }
}

/* What stands in angle brackets may be anybody's name. */
static void
test_only_names_that_html_has_are_told(void **state)
{
    static const struct { const char *text; const char *name; } rows[] = {
        { IN("<script>x</script>"), "script" }, { IN("<p href='x'>x</p>"), "href" }, { IN("<Rivera>x</Rivera>"), "" },
        { IN("<p rivera='x'>x</p>"), "" },
    };
    struct xhtml_faults faults;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_false(xhtml_check(span_of(rows[i].text), &faults, NULL));
        if (!span_eq_text(faults.at[0].name, rows[i].name))
            fail_msg("%s: %.*s", rows[i].text, SPAN_PRINT(faults.at[0].name));
    }
}

static void
test_takes_depth_up_to_the_bound_and_no_more(void **state)
{
    char   text[16384];
    size_t length;

    (void)state;
    for (uint32_t depth = XHTML_DEPTH - 2; depth < XHTML_DEPTH + 2; depth++) {
        length = (size_t)snprintf(text, sizeof text, "%s", DIV);
        for (uint32_t i = 1; i < depth; i++)
            length += (size_t)snprintf(text + length, sizeof text - length, "<div>");
        length += (size_t)snprintf(text + length, sizeof text - length, "x");
        for (uint32_t i = 0; i < depth; i++)
            length += (size_t)snprintf(text + length, sizeof text - length, "</div>");
        assert_int_equal(xhtml_check(span_from(text, length), NULL, NULL), depth <= XHTML_DEPTH);
    }
}

static void
test_never_reads_behind_the_end(void **state)
{
    const char *text = IN("<!-- a --><p class=\"b\" style='c'>&amp;<![CDATA[x]]></p><img src='a'/>");

    (void)state;
    for (size_t length = 0; length < strlen(text); length++) {
        char *copy = malloc(length + 1);                 /* so that a sanitizer sees it */
        assert_non_null(copy);
        memcpy(copy, text, length);
        assert_false(xhtml_check(span_from(copy, length), NULL, NULL));
        free(copy);
    }
}

/* ---- as findings ------------------------------------------------------------------------------ */

#define LIST(more, div) "{\"resourceType\":\"Basic\",\"code\":{\"text\":\"a\"}," more \
                        "\"text\":{\"status\":\"generated\",\"div\":\"<div xmlns=\\\"http://www.w3.org/1999/xhtml\\\">" div "</div>\"}}"

static const struct { const char *json, *rule; enum severity severity; } findings[] = {
    { LIST("", "x"), NULL, 0 },
    { LIST("", "<p/>"), "txt-2", SEVERITY_ERROR },
    { LIST("", "<o>x</o>"), "txt-1", SEVERITY_ERROR },
    { LIST("", "&copy;"), "xhtml", SEVERITY_ERROR },
    { LIST("", "<script>x</script>"), "xhtml-active", SEVERITY_ERROR },
    { LIST("", "<a href='#x'>x</a>"), "xhtml-link", SEVERITY_ERROR },
    { LIST("", "<a href='#x'>x</a><p id='x'/>"), NULL, 0 },
    { LIST("", "<a name='x'> </a><a href='#x'>x</a>"), NULL, 0 },
    { LIST("\"contained\":[{\"resourceType\":\"Basic\",\"id\":\"x\",\"code\":{\"text\":\"a\"}}],", "<a href='#x'>x</a>"), NULL, 0 },
    { "{\"resourceType\":\"Bundle\",\"type\":\"collection\",\"entry\":[{\"fullUrl\":\"urn:uuid:00000000-0000-4000-8000-000000000001\",\"resource\":" LIST("", "<a href='#x'>x</a>")
      "},{\"fullUrl\":\"urn:uuid:00000000-0000-4000-8000-000000000002\",\"resource\":" LIST("", "<a href='#y'>x</a><p id='x'/>") "}]}", "xhtml-link", SEVERITY_ERROR },
    { "{\"resourceType\":\"Bundle\",\"type\":\"collection\",\"entry\":[{\"fullUrl\":\"urn:uuid:00000000-0000-4000-8000-000000000001\",\"resource\":"
      LIST("\"id\":\"a\",", "<a href='#Basic_a'>x</a>") "}]}", "xhtml-link", SEVERITY_WARNING },
};

static void
test_narratives_become_findings(void **state)
{
    (void)state;
    test_needs_pack();
    for (size_t i = 0; i < sizeof findings / sizeof findings[0]; i++) {
        struct arena  *arena  = test_arena();
        struct issues *issues = test_findings(arena, span_of(findings[i].json), NULL);
        assert_int_equal(issues_count(issues), findings[i].rule != NULL);
        if (findings[i].rule != NULL) {
            assert_string_equal(issues_at(issues, 0)->rule, findings[i].rule);
            assert_int_equal(issues_at(issues, 0)->severity, findings[i].severity);
            assert_true(span_ends(issues_at(issues, 0)->expression, SPAN("text.div")));
            assert_int_equal(issues_at(issues, 0)->line, 1);
        }
        arena_free(&arena);
    }
}

/* A profile that asks for language sections, compiled on top of R4. */
static void
test_a_profile_asks_for_languages(void **state)
{
#define ASKS(code) "{\"resourceType\":\"StructureDefinition\",\"url\":\"urn:p:" code "\",\"name\":\"P\",\"status\":\"active\",\"kind\":\"resource\"," \
    "\"abstract\":false,\"type\":\"Basic\",\"baseDefinition\":\"http://hl7.org/fhir/StructureDefinition/Basic\",\"derivation\":\"constraint\"," \
    "\"differential\":{\"element\":[{\"id\":\"Basic\",\"path\":\"Basic\"},{\"id\":\"Basic.text\",\"path\":\"Basic.text\",\"extension\":[{\"url\":" \
    "\"http://hl7.org/fhir/StructureDefinition/narrative-language-control\",\"valueCode\":\"" code "\"}]}]}}"
#define ENGLISH "<div xml:lang=\\\"en\\\">x</div>"
    static const struct { const char *code, *json; bool fine; } languages[] = {
        { "_yes", LIST("", "x"), false }, { "_yes", LIST("", ENGLISH), true },
        { "_no", LIST("", "x"), true }, { "_no", LIST("", ENGLISH), false },
        { "_resource", LIST("\"language\":\"en\",", ENGLISH), true }, { "_resource", LIST("\"language\":\"de\",", ENGLISH), false },
        { "_resource", LIST("", "x"), true }, { "en", LIST("", ENGLISH), true }, { "de", LIST("", ENGLISH), false },
    };
    static const char *const definitions[] = { ASKS("_yes"), ASKS("_no"), ASKS("_resource"), ASKS("en"), ASKS("de") };
    struct arena       *arena = test_arena();
    struct package_file files[5];
    struct span         bytes = test_file(arena, SLUICE_BINARY_DIR "/definitions/r4.pack");
    const struct pack  *r4, *pack;
    struct buf          out;

    (void)state;
    if (span_empty(bytes))
        skip();
    for (size_t i = 0; i < 5; i++)
        files[i] = (struct package_file){ .name = SPAN("p.json"), .bytes = span_of(definitions[i]) };
    assert_int_equal(pack_open(bytes, arena, &r4), ST_OK);
    struct package_sources sources = { .files = files, .count = 5, .about = SPAN("t#1"), .sha256 = pack_sources(r4), .base = r4 };
    buf_init(&out, (size_t)128 << 20);
    assert_int_equal(package_compile(&sources, arena, issues_new(arena, 10), &out), ST_OK);
    assert_int_equal(pack_open(buf_span(&out), arena, &pack), ST_OK);
    for (size_t i = 0; i < sizeof languages / sizeof languages[0]; i++) {
        struct issues          *issues  = issues_new(arena, 10);
        struct span             profile = arena_format(arena, "urn:p:%s", languages[i].code);
        struct validate_options options = { .profiles = &profile, .profile_count = 1 };
        const struct bundle    *bundle;
        assert_int_equal(bundle_read(test_tape(arena, span_of(languages[i].json)), arena, issues, &bundle), ST_OK);
        assert_int_equal(validate(pack, bundle, &options, arena, issues), ST_OK);
        assert_int_equal(issues_count(issues), !languages[i].fine);
        if (!languages[i].fine)
            assert_string_equal(issues_at(issues, 0)->rule, "narrative-language");
    }
    buf_release(&out);
    arena_free(&arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_finds_the_first_fault_and_where_it_is),
        cmocka_unit_test(test_only_names_that_html_has_are_told),
        cmocka_unit_test(test_takes_depth_up_to_the_bound_and_no_more),
        cmocka_unit_test(test_never_reads_behind_the_end),
        cmocka_unit_test(test_narratives_become_findings),
        cmocka_unit_test(test_a_profile_asks_for_languages),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
