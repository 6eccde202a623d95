#include "tests/support/check.h"

#include <zlib.h>

#include "consent/plan_text.h"

struct seek { struct span what; bool found; unsigned readings; };

static bool
seek_one(void *with, struct span text)
{
    struct seek *s = with;

    s->readings++;
    s->found = s->found || span_find(text, s->what) != SPAN_NOT_FOUND;
    return !s->found;
}

static bool
reads(const char *text, const char *what)
{
    struct arena *arena = arena_new("text", 1 << 24);
    struct seek   s     = { span_of(what), false, 0 };
    bool          whole = text_readings(span_of(text), arena, seek_one, &s);

    assert_true(whole == !s.found);
    arena_free(&arena);
    return s.found;
}

static void
test_reads_a_word_in_every_disguise(void **state)
{
    static const char *const texts[] = {
        "methadone", "meth&#97;done", "meth&#x61;done", "meth&#x061;done", "metha<b>done</b>", "metha<!-- x -->done",
        "<!-- methadone -->", "<p title=\"methadone\">x</p>", "<p title='meth&#97;done'>x</p>", "meth%61done",
        "meth\\u0061done", "{\"a\":\"meth\\u0061done\"}", "meth&amp;#97;done", "meth%2561done", "<![CDATA[methadone]]>",
        "metha&shy;done", "<i>m</i><i>ethadone</i>", "meth%26%2397;done",
    };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (!reads(texts[i], "methadone"))
            fail_msg("not read: %s", texts[i]);
}

static void
test_keeps_apart_what_blocks_part(void **state)
{
    (void)state;
    assert_true(reads("<p>metha</p><p>done</p>", "metha"));
    assert_false(reads("<li>metha</li><li>done</li>", "methadone"));
    assert_false(reads("a < b & c > d 100% \\ e", "methadone"));
    assert_false(reads("1<2 done", "1done"));                     /* no tag */
    assert_true(reads("a <b", "a <b"));
    assert_true(reads("x&unknown;y&#0;&#1114112;", "x&unknown;y"));
    assert_true(reads("a\\nb\\\"c\\", "a b\"c"));
    assert_true(reads("\\ud83d\\ude00x", "\xf0\x9f\x98\x80x"));
    assert_true(reads("&#233;&#8364;&#128512;", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"));
    assert_true(reads("&lt;b&gt;x", "<b>x"));
}

static void
test_stops_at_a_depth(void **state)
{
    char text[256] = "methadone";

    (void)state;
    /* One more layer of percent signs than are taken off. */
    snprintf(text, sizeof text, "meth%%25252525%s", "61done");
    assert_false(reads(text, "methadone"));
}

static void
test_runs_out_of_memory_quietly(void **state)
{
    struct arena *arena = arena_new("text", 2048);
    struct seek   s     = { SPAN("zzz"), false, 0 };
    char          text[4096];

    (void)state;
    memset(text, '&', sizeof text);
    assert_false(text_readings(span_from(text, sizeof text), arena, seek_one, &s));
    assert_true(arena_spent(arena));
    arena_free(&arena);
}

/* ---- attachments ------------------------------------------------------------------------ */

static struct span
base64(struct arena *arena, struct span bytes, const char *set, bool padded)
{
    char  *out = arena_alloc(arena, bytes.length * 2 + 8);
    size_t n   = 0;

    for (size_t i = 0; i < bytes.length; i += 3) {
        const unsigned char *b    = (const unsigned char *)bytes.at + i;
        size_t               left = bytes.length - i;
        uint32_t v = (uint32_t)b[0] << 16 | (left > 1 ? (uint32_t)b[1] << 8 : 0) | (left > 2 ? b[2] : 0u);
        out[n++] = set[v >> 18];
        out[n++] = set[v >> 12 & 63];
        if (left > 1 || padded)
            out[n++] = left > 1 ? set[v >> 6 & 63] : '=';
        if (left > 2 || padded)
            out[n++] = left > 2 ? set[v & 63] : '=';
        if (i % 57 == 54)
            out[n++] = '\n';
    }
    return span_from(out, n);
}

static const char common[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char for_urls[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static bool
says(struct arena *arena, struct span data, const char *what)
{
    struct seek s = { span_of(what), false, 0 };

    (void)text_attachment(data, arena, seek_one, &s);
    return s.found;
}

static struct span
packed(struct arena *arena, struct span text, int window)
{
    char    *out = arena_alloc(arena, text.length + 512);
    z_stream z   = { 0 };

    assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, window, 8, Z_DEFAULT_STRATEGY), Z_OK);
    z.next_in   = (Bytef *)(uintptr_t)text.at;
    z.avail_in  = (uInt)text.length;
    z.next_out  = (Bytef *)out;
    z.avail_out = (uInt)text.length + 512;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    struct span done = span_from(out, z.total_out);
    deflateEnd(&z);
    return done;
}

static struct span
utf16(struct arena *arena, const char *text, bool big, bool mark)
{
    char  *out = arena_alloc(arena, strlen(text) * 2 + 8);
    size_t n   = 0;

    if (mark) {
        out[n++] = (char)(big ? 0xfe : 0xff);
        out[n++] = (char)(big ? 0xff : 0xfe);
    }
    for (; *text != 0; text++) {
        out[n++] = big ? 0 : *text;
        out[n++] = big ? *text : 0;
    }
    return span_from(out, n);
}

static void
test_reads_attachments(void **state)
{
    struct arena *a    = arena_new("attachments", 1 << 26);
    struct span   text = SPAN("The patient takes methadone, once a day, and feels well?~~>>");

    (void)state;
    assert_true(says(a, base64(a, text, common, true), "methadone"));
    assert_true(says(a, base64(a, text, for_urls, false), "methadone"));
    assert_true(says(a, base64(a, packed(a, text, 15 + 16), common, true), "methadone"));
    assert_true(says(a, base64(a, packed(a, text, 15), common, true), "methadone"));
    assert_true(says(a, base64(a, utf16(a, "on methadone", false, true), common, true), "methadone"));
    assert_true(says(a, base64(a, utf16(a, "on methadone", true, true), common, true), "methadone"));
    assert_true(says(a, base64(a, utf16(a, "on methadone", true, false), common, true), "methadone"));
    assert_true(says(a, base64(a, utf16(a, "on methadone", false, false), common, true), "methadone"));
    assert_true(says(a, base64(a, SPAN("{\\rtf1\\ansi on m\\'65thadone}"), common, true), "methadone"));
    assert_true(says(a, base64(a, SPAN("<html><b>meth</b>adone</html>"), common, true), "methadone"));
    struct span inner = arena_format(a, "{\"data\":\"%.*s\"}",
                                     SPAN_PRINT(base64(a, packed(a, text, 15 + 16), for_urls, false)));
    assert_true(says(a, base64(a, inner, common, true), "methadone"));
    assert_false(says(a, SPAN("not base64!"), "not"));
    assert_false(says(a, SPAN(""), "x"));
    assert_false(says(a, base64(a, text, common, true), "heroin"));
    arena_free(&a);
}

/* ---- what a text is worth ------------------------------------------------------------------ */

static void
test_knows_an_unusual_mark(void **state)
{
    static const struct { const char *text; bool unusual; } cases[] = {
        { "PLANT0017", true }, { "TOK-7f3a", true }, { "b0223c9b-0019-42b0-99b8-7d689d7f8414", true },
        { "zq123456", true }, { "OAKMRN4471", true },
        { "COVID-19", false }, { "SARS-CoV-2", false }, { "HbA1c", false }, { "CYP2C19", false },
        { "2026-11-22", false }, { "2026-11-22T15", false }, { "2026-11-22T15-04", false }, { "2026-11-22A15", true }, { "12345678901", false }, { "disorder", false }, { "PHQ-9", false }, { "", false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (text_unusual(span_of(cases[i].text)) != cases[i].unusual)
            fail_msg("%s", cases[i].text);
}

static void
test_parts_words_that_are_written_together(void **state)
{
    static const struct { const char *text, *apart; } cases[] = {
        { "OakRecoveryLetter2026.pdf", "Oak Recovery Letter 2026.pdf" }, { "seeOAKRecovery", "see OAK Recovery" },
        { "Recovery12", "Recovery 12" }, { "2026Oak", "2026 Oak" }, { "Oak Recovery", NULL }, { "A1c", NULL }, { "ICD10", "ICD 10" },
        { "F1120", NULL }, { "x", NULL }, { "", NULL },
    };
    struct arena *arena = arena_new("apart", 1 << 16);

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct span out  = { NULL, 0 };
        bool        some = text_apart(span_of(cases[i].text), arena, &out);
        if (some != (cases[i].apart != NULL) || (some && !span_eq_text(out, cases[i].apart)))
            fail_msg("%s: %.*s", cases[i].text, SPAN_PRINT(out));
    }
    arena_free(&arena);
    (void)state;
}

static void
test_reads_a_telephone_number_however_it_is_written(void **state)
{
    static const struct { const char *text, *phones; } cases[] = {
        { "+1-555-010-0199", "tel5550100199 tel5550100199 tel0100199 " },
        { "(555) 010-0199", "tel5550100199 tel0100199 " },
        { "tel:5550100199", "tel5550100199 " },                 { "ring 010-0199, ask", "tel0100199 " },
        { "555\302\240010\342\200\2210199", "tel5550100199 tel0100199 " },
        { "+44 20 7946 0958", "tel2079460958 tel2079460958 " }, { "020 7946 0958", "tel0207946 tel2079460958 " },
        { "555.010.0199x12", "tel5550100199 tel0100199 " },                             { "A5550100199", "" },
        { "0100199", "" },                                      { "12345678901234567", "" },
        { "", "" },                                             { "2026-10-03", "" },
    };
    struct arena *arena = arena_new("phones", 1 << 16);

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct span out  = { NULL, 0 };
        bool        some = text_phones(span_of(cases[i].text), arena, &out);
        if (some != (cases[i].phones[0] != 0) || !span_eq_text(out, cases[i].phones))
            fail_msg("%s: %.*s", cases[i].text, SPAN_PRINT(out));
    }
    arena_free(&arena);
    (void)state;
}

static void
test_knows_common_words_and_counts(void **state)
{
    (void)state;
    assert_true(text_common(SPAN("Visit")));
    assert_false(text_common(SPAN("Riverbend")));
    assert_int_equal(text_words(SPAN("")), 0);
    assert_int_equal(text_words(SPAN(" a, b-c ")), 3);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_a_word_in_every_disguise),
        cmocka_unit_test(test_keeps_apart_what_blocks_part),
        cmocka_unit_test(test_stops_at_a_depth),
        cmocka_unit_test(test_runs_out_of_memory_quietly),
        cmocka_unit_test(test_reads_attachments),
        cmocka_unit_test(test_knows_an_unusual_mark),
        cmocka_unit_test(test_parts_words_that_are_written_together),
        cmocka_unit_test(test_reads_a_telephone_number_however_it_is_written),
        cmocka_unit_test(test_knows_common_words_and_counts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
