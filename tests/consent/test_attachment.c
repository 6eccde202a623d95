/* tests/consent/test_attachment.c -- what is packed, encoded and nested is read, or said to be unread. */
#include "tests/support/check.h"

#include <stdlib.h>
#include <zlib.h>

#include "consent/attachment.h"
#include "consent/inflate.h"

#define TELLS "Heroin dependence, on Suboxone."

struct fixture { struct arena *arena; size_t budget; };

static int
setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    f->arena  = arena_new("attachment", (size_t)64 << 20);
    f->budget = (size_t)16 << 20;
    *state    = f;
    return 0;
}

static int
teardown(void **state)
{
    struct fixture *f = *state;

    arena_free(&f->arena);
    free(f);
    return 0;
}

static struct span
base64(struct arena *a, struct span bytes)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char  *out = arena_alloc(a, bytes.length / 3 * 4 + 8);
    size_t n   = 0;

    for (size_t i = 0; i < bytes.length; i += 3) {
        size_t   have = bytes.length - i < 3 ? bytes.length - i : 3;
        uint32_t word = 0;
        for (size_t k = 0; k < 3; k++)
            word = word << 8 | (k < have ? (unsigned char)bytes.at[i + k] : 0);
        for (size_t k = 0; k < 4; k++)
            out[n++] = k <= have ? alphabet[word >> (18 - 6 * k) & 63] : '=';
    }
    return span_from(out, n);
}

/* window: 15 zlib, 15 + 16 gzip, -15 neither. */
static struct span
packed(struct arena *a, struct span bytes, int window)
{
    z_stream z;
    size_t   room = bytes.length + bytes.length / 100 + 256;
    char    *out  = arena_alloc(a, room);

    memset(&z, 0, sizeof z);
    assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, window, 8, Z_DEFAULT_STRATEGY), Z_OK);
    z.next_in   = (unsigned char *)(uintptr_t)bytes.at;
    z.avail_in  = (unsigned)bytes.length;
    z.next_out  = (unsigned char *)out;
    z.avail_out = (unsigned)room;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    size_t length = room - z.avail_out;
    deflateEnd(&z);
    return span_from(out, length);
}

static struct span
joined(struct arena *a, struct span one, struct span two)
{
    char *out = arena_alloc(a, one.length + two.length);

    memcpy(out, one.at, one.length);
    memcpy(out + one.length, two.at, two.length);
    return span_from(out, one.length + two.length);
}

/* UTF-16 of ASCII. */
static struct span
wide(struct arena *a, const char *text, bool big)
{
    size_t n   = strlen(text);
    char  *out = arena_alloc(a, n * 2);

    for (size_t i = 0; i < n; i++)
        out[i * 2 + big] = text[i];
    return span_from(out, n * 2);
}

static bool
tells(const struct inspection *i)
{
    return labels_meet(i->finding.labels | i->finding.medication
                       | text_drug_labels(i->finding.drugs, i->finding.contexts), labels_substance_use());
}

enum want { SILENT, TELLING, UNREAD, TELLING_UNREAD };

static void
check_bytes_at(struct fixture *f, struct span bytes, enum want want, int line)
{
    struct inspection i = attachment_inspect(base64(f->arena, bytes), NULL, NULL, f->arena, &f->budget);

    if (tells(&i) != (want == TELLING || want == TELLING_UNREAD) || i.unreadable != (want == UNREAD || want == TELLING_UNREAD))
        fail_msg("line %d: tells %d, unreadable %d", line, tells(&i), i.unreadable);
}
#define check_bytes(f, bytes, want) check_bytes_at((f), (bytes), (want), __LINE__)
#define check_plain(f, text, want)  check_bytes_at((f), span_of(text), (want), __LINE__)

static void
test_base64_in_both_alphabets_with_breaks_and_without_padding(void **state)
{
    static const struct { const char *data; enum want want; } rows[] = {
        { "SGVyb2luIGRlcGVuZGVuY2U=", TELLING },              /* "Heroin dependence" */
        { "SGVyb2luIGRlcGVuZGVuY2U", TELLING },
        { "SGVyb2lu\r\nIGRlcGVu\n ZGVuY2U=\n", TELLING },
        { "S25lZSBwYWlu", SILENT },                           /* "Knee pain" */
        { "Pj4-IEhlcm9pbiBkZXBlbmRlbmNlID8_Pw", TELLING },    /* - and _ */
        { "SGVyb2luIGRlcGVuZGVuY2U*SGVy", TELLING_UNREAD },   /* a fault in the middle */
        { "SGVyb2luIGRlcGVuZGVuY2U=SGVy", TELLING_UNREAD },   /* more behind the padding */
        { "SGVyb2luIGRlcGVuZGVuY2Ux=A", TELLING_UNREAD }, { "SGVyb2luIGRlcGVuZGVuY2UxA", TELLING_UNREAD },
        { "", SILENT }, { "====", SILENT },
    };
    struct fixture *f = *state;

    for (size_t n = 0; n < sizeof rows / sizeof rows[0]; n++) {
        struct inspection i = attachment_inspect(span_of(rows[n].data), NULL, NULL, f->arena, &f->budget);
        if (tells(&i) != (rows[n].want == TELLING || rows[n].want == TELLING_UNREAD)
            || i.unreadable != (rows[n].want == TELLING_UNREAD))
            fail_msg("%s: tells %d, unreadable %d", rows[n].data, tells(&i), i.unreadable);
    }
}

static void
test_text_in_every_encoding(void **state)
{
    struct fixture *f = *state;

    check_plain(f, TELLS, TELLING);
    check_plain(f, "Knee pain, no improvement.", SILENT);
    check_plain(f, "\xef\xbb\xbf" TELLS, TELLING);
    check_plain(f, "D\xe9pendance; " TELLS, TELLING);                     /* Latin-1 */
    check_bytes(f, joined(f->arena, SPAN("\xff\xfe"), wide(f->arena, TELLS, false)), TELLING);
    check_bytes(f, joined(f->arena, SPAN("\xfe\xff"), wide(f->arena, TELLS, true)), TELLING);
    check_bytes(f, wide(f->arena, TELLS, false), TELLING);
    check_bytes(f, wide(f->arena, TELLS, true), TELLING);
    check_bytes(f, wide(f->arena, "Knee pain.", true), SILENT);
    /* Letters beyond ASCII: "u" with diaeresis, a fullwidth "H". */
    check_bytes(f, SPAN("\xff\xfe\xfc\x00 \x00\x28\xff" "e\x00r\x00o\x00i\x00n\x00 \x00u\x00s\x00" "e\x00"), TELLING);
    check_bytes(f, SPAN("\xff\xfe\x01\x00\x02\x00\x03\x00\x04\x00\x05\x00"), UNREAD);
    check_plain(f, "<ClinicalDocument><code code=\"F11.20\" codeSystem=\"2.16.840.1.113883.6.90\"/></ClinicalDocument>", TELLING);
    check_plain(f, "<html><body><p>Her&#111;in de<b>pen</b>dence</p></body></html>", TELLING);
    check_plain(f, "<html><body><p>Knee <!-- heroin dependence --></p></body></html>", TELLING);
    check_plain(f, "<html><body class=\"opt\"><p>Knee</p></body></html>", SILENT);
}

static void
test_rich_text(void **state)
{
    struct fixture *f = *state;

    check_plain(f, "{\\rtf1\\ansi\\deff0{\\fonttbl{\\f0 Heroin Sans;}}\\b Heroin\\b0  dependence\\par}", TELLING);
    check_plain(f, "{\\rtf1{\\fonttbl{\\f0 Heroin Dependence;}}Knee pain\\par}", SILENT);
    check_plain(f, "{\\rtf1{\\*\\generator Heroin dependence;}Knee\\tab pain\\line}", SILENT);
    check_plain(f, "{\\rtf1 Knee{\\*\\annotation Heroin dependence}}", TELLING);
    check_plain(f, "{\\rtf1 Knee{\\shp{\\*\\shpinst{\\shptxt Heroin dependence}}}}", TELLING);
    check_plain(f, "{\\rtf1 Knee{\\field{\\*\n\\fldinst FILLIN \"Heroin dependence\"}}}", TELLING);
    check_plain(f, "{\\rtf1 Knee{\\*\\xyzzy Heroin dependence}}", TELLING);
    check_plain(f, "{\\rtf1 Knee{\\*\\xyzzy{\\pict Heroin dependence}}}", SILENT);
    check_plain(f, "{\\rtf1 Knee{\\*\\xyzzy pain{\\*\\pict 00}} and Heroin{\\*\\mine a} dependence}", TELLING);
    check_plain(f, "{\\rtf1 Her{\\*\\bkmkstart mark}oin depen{\\*\\xyzzy x}dence}", TELLING);
    check_plain(f, "{\\rtf1 Her{\\*\\xyzzy oin}}", SILENT);
    /* As a viewer shows it: in place, aside, or only one of the two. */
    check_plain(f, "{\\rtf1 takes Her{\\upr{xx}{\\*\\ud{\\u111?}}}in daily}", TELLING);
    check_plain(f, "{\\rtf1 takes {\\upr{Heroin}{\\*\\ud{it}}} daily}", TELLING);
    check_plain(f, "{\\rtf1 takes Her{\\*\\xyzzy{\\*\\ud zz}}oin daily}", TELLING);
    check_plain(f, "{\\rtf1 takes Her{\\mmath{\\*\\moMath{\\mr oin}}} daily}", TELLING);
    check_plain(f, "{\\rtf1 takes Heroin{\\super 1{\\footnote See there.}} daily}", TELLING);
    check_plain(f, "{\\rtf1 takes it{\\footnote Heroin, daily.}}", TELLING);
    check_plain(f, "{\\rtf1 takes Heroin{\\xe{\\v opium}} daily}", TELLING);
    check_plain(f, "{\\rtf1 takes Her\\v xx\\v0 oin daily}", TELLING);
    check_plain(f, "{\\rtf1 takes Her{\\v1 xx}oin daily}", TELLING);
    check_plain(f, "{\\rtf1 takes Her{\\v xx{\\v0 oin\\v mann}} daily}", TELLING);
    check_plain(f, "{\\rtf1 takes it{\\v , Heroin that is\\plain } daily}", TELLING);
    check_plain(f, "{\\rtf1 Her\\v oin\\v0 mann has knee pain}", SILENT);
    check_plain(f, "{\\rtf1 Her\\*\\b oin dependence}", TELLING);
    check_plain(f, "{\\rtf1 Knee{\\*\\xyzzy Heroin dependence", TELLING);
    check_plain(f, "{\\rtf1 Her\\'6fin de\\-pendence}", TELLING);
    check_plain(f, "{\\rtf1 Her\\u111?in d\\u101?pendence \\u-10179? \\u233?}", TELLING);
    check_plain(f, "{\\rtf1 {\\*\\skip \\{heroin dependence\\}} \\~ \\\\ knee \\bin5 \x01\x02\x03\x04\x05 heroin\\\ndependence}", TELLING);
    check_plain(f, "{\\rtf1 heroin\\row dependence}}}", TELLING);
    check_plain(f, "{\\rtf1 knee\\bin99999 x", SILENT);
    check_plain(f, "{\\rtf1 knee \\", SILENT);
    check_plain(f, "{\\rtf1 knee \\'", SILENT);
}

static void
test_packed_once_and_twice(void **state)
{
    struct fixture *f    = *state;
    struct span     gzip = packed(f->arena, SPAN(TELLS), 15 + 16), zlib = packed(f->arena, SPAN(TELLS), 15);

    check_bytes(f, gzip, TELLING);
    check_bytes(f, zlib, TELLING);
    check_bytes(f, packed(f->arena, gzip, 15 + 16), TELLING);
    check_bytes(f, packed(f->arena, SPAN("Knee pain"), 15 + 16), SILENT);
    /* Two members are one document. */
    check_bytes(f, joined(f->arena, packed(f->arena, SPAN("Knee, opioid use "), 15 + 16), packed(f->arena, SPAN("disorder"), 15 + 16)), TELLING);
    check_bytes(f, joined(f->arena, gzip, SPAN("behind it")), TELLING);
    check_bytes(f, span_first(gzip, gzip.length - 8), TELLING_UNREAD);
    /* Five deep is one too many. */
    struct span deep = SPAN(TELLS);
    for (int i = 0; i < 5; i++)
        deep = packed(f->arena, deep, 15 + 16);
    check_bytes(f, deep, UNREAD);
}

static void
test_a_bomb_costs_its_bound_and_is_unreadable(void **state)
{
    struct fixture   *f     = *state;
    size_t            large = (size_t)24 << 20;
    char             *zeros = calloc(1, large);
    struct span       bomb, out;

    memset(zeros, 'a', large);
    bomb = packed(f->arena, span_from(zeros, large), 15 + 16);
    free(zeros);
    check_bytes(f, bomb, UNREAD);
    assert_true(f->budget < (size_t)16 << 20);
    /* What comes behind it has no budget left. */
    f->budget = 16;
    check_plain(f, TELLS, UNREAD);
    assert_int_equal(f->budget, 0);

    assert_int_equal(inflate_bytes(bomb, 1000, f->arena, &out), ST_TOO_LARGE);
    assert_int_equal(out.length, 1000);
    assert_int_equal(inflate_bytes(span_first(bomb, 200), large, f->arena, &out), ST_MALFORMED);
    assert_true(out.length > 0);
    assert_int_equal(inflate_bytes(SPAN("no such thing"), large, f->arena, &out), ST_MALFORMED);
    assert_int_equal(inflate_bytes(SPAN(""), large, f->arena, &out), ST_MALFORMED);

    struct arena *small = arena_new("small", 20000);
    assert_int_equal(inflate_bytes(bomb, large, small, &out), ST_NO_MEMORY);
    arena_free(&small);
}

static void
test_a_small_arena_makes_a_large_attachment_unreadable_not_the_answer_impossible(void **state)
{
    struct fixture   *f     = *state;
    struct arena     *small = arena_new("small", 40000);
    char              text[12000];
    size_t            budget = 1 << 20;

    memset(text, ' ', sizeof text);
    struct inspection i = attachment_inspect_bytes(span_from(text, sizeof text), NULL, NULL, small, &budget);
    assert_false(i.unreadable);
    i = attachment_inspect(base64(f->arena, span_from(text, sizeof text - 3)), NULL, NULL, small, &budget);
    assert_false(i.unreadable);
    memcpy(text, "{\\rtf1", 6);
    i = attachment_inspect_bytes(span_from(text, sizeof text), NULL, NULL, small, &budget);
    assert_true(i.unreadable);
    i = attachment_inspect_bytes(packed(f->arena, span_from(text, sizeof text), 31), NULL, NULL, small, &budget);
    assert_true(i.unreadable);
    assert_false(arena_spent(small));
    assert_int_equal(arena_used(small), 0);
    arena_free(&small);
}

static void
test_json_by_its_codes_and_its_texts_to_a_bounded_depth(void **state)
{
    struct fixture *f = *state;

    check_plain(f, "{\"resourceType\":\"Condition\",\"code\":{\"coding\":[{\"system\":\"http://hl7.org/fhir/sid/icd-10-cm\",\"code\":\"F11.20\"}]}}", TELLING);
    check_plain(f, " [{\"system\":\"urn:oid:2.16.840.1.113883.6.96\",\"code\":\"75544000\"}]", TELLING);
    check_plain(f, "{\"system\":\"urn:local\",\"code\":\"F11.20\"}", TELLING);
    check_plain(f, "{\"code\":\"E11.9\",\"n\":{\"code\":7}}", SILENT);
    check_plain(f, "{\"note\":\"op\\u0069oid use disorder\"}", TELLING);
    check_plain(f, "{ heroin dependence }", TELLING);                    /* not JSON: text */
    check_plain(f, "[knee]", SILENT);

    struct span inner = SPAN("{\"text\":\"opioid use disorder, and enough around it that it is a document of its own\"}");
    for (int depth = 0; depth < 6; depth++) {
        struct span data = base64(f->arena, inner);
        inner = arena_format(f->arena, "{\"resourceType\":\"Binary\",\"data\":\"%.*s\",\"x\":\"%0*d\"}", SPAN_PRINT(data), 60, 0);
        if (depth == 1)
            check_bytes(f, inner, TELLING);
    }
    check_bytes(f, inner, UNREAD);
}

static void
test_base64_inside_a_text(void **state)
{
    struct fixture *f     = *state;
    struct span     inner = base64(f->arena, SPAN("Progress note. The patient has an opioid use disorder and is well."));

    check_bytes(f, arena_format(f->arena, "MIME-Version: 1.0\n\n%.*s\n", SPAN_PRINT(inner)), TELLING);
    check_bytes(f, arena_format(f->arena, "<nonXMLBody><text representation=\"B64\">%.*s</text></nonXMLBody>", SPAN_PRINT(inner)), TELLING);
    check_bytes(f, arena_format(f->arena, "a hash %0*d, and words", 64, 7), SILENT);
    /* A picture inside a document is content that nobody read. */
    char picture[1200];
    for (size_t i = 0; i < sizeof picture; i++)
        picture[i] = (char)(i * 37);
    check_bytes(f, arena_format(f->arena, "knee %.*s", SPAN_PRINT(base64(f->arena, span_from(picture, sizeof picture)))), UNREAD);
    check_bytes(f, arena_format(f->arena, "knee %.*s", SPAN_PRINT(base64(f->arena, span_from(picture, 90)))), SILENT);
}

/* ---- PDF ------------------------------------------------------------------------ */

static struct span
pdf_of(struct arena *a, const char *dictionary, struct span stream, const char *rest)
{
    struct span head = arena_format(a, "%%PDF-1.4\n1 0 obj\n<< /Type /Page >>\nendobj\n4 0 obj\n<< /Length %zu %s >>\nstream\r\n",
                                    stream.length, dictionary);

    return joined(a, joined(a, head, stream), arena_format(a, "\nendstream\nendobj\n%s\ntrailer << >>\n%%%%EOF", rest));
}

#define SHOW(text) "BT /F1 12 Tf 72 712 Td " text " ET\n"

static void
test_a_pdf_with_plain_fonts_is_read(void **state)
{
    struct fixture *f = *state;
    struct arena   *a = f->arena;
    struct span     content = SPAN(SHOW("(Progress note of today) Tj 0 -14 Td (Opioid use disorder, severe.) Tj"));

    check_bytes(f, pdf_of(a, "", content, ""), TELLING);
    check_bytes(f, pdf_of(a, "/Filter /FlateDecode", packed(a, content, 15), ""), TELLING);
    check_bytes(f, pdf_of(a, "", SPAN(SHOW("[(Opi) -20 (oid u) 14.5 (se) -250 (disor) 3 (der of this patient)] TJ")), ""), TELLING);
    check_bytes(f, pdf_of(a, "", SPAN(SHOW("(Op\\151oid \\(use\\) ) ' (opioid use di\\\nsorder\\n) ' 1 2 (more \\(to (be)\\) read) \"")), ""), TELLING);
    check_bytes(f, pdf_of(a, "", SPAN(SHOW("<4f70696f69642075736520 6469736f72646572> Tj 0 -14 Td (and more of it) Tj")), ""), TELLING);
    check_bytes(f, pdf_of(a, "", SPAN(SHOW("(Knee pain, better than before.) Tj")), ""), SILENT);
    /* A picture beside the text does not hide the text. */
    check_bytes(f, pdf_of(a, "", content, "5 0 obj << /Subtype /Image /Filter /DCTDecode >> stream\n\xff\xd8 BT (knee) Tj\nendstream"), TELLING);
    /* The header may come after other bytes. */
    check_bytes(f, joined(a, SPAN("junk\n"), pdf_of(a, "", content, "")), TELLING);
}

static void
test_a_pdf_that_cannot_be_read_says_so(void **state)
{
    struct fixture *f = *state;
    struct arena   *a = f->arena;
    struct span     content = SPAN(SHOW("(Knee pain, better than before.) Tj"));

    check_bytes(f, pdf_of(a, "", content, "trailer << /Encrypt 9 0 R >>"), UNREAD);
    check_bytes(f, pdf_of(a, "", content, "6 0 obj << /Encoding /Identity-H >> endobj"), UNREAD);
    check_bytes(f, pdf_of(a, "/Filter /LZWDecode", content, ""), UNREAD);
    check_bytes(f, pdf_of(a, "/Filter [/ASCII85Decode /FlateDecode]", content, ""), UNREAD);
    check_bytes(f, pdf_of(a, "/Filter /FlateDecode", SPAN("damaged"), ""), UNREAD);
    check_bytes(f, pdf_of(a, "/Filter /DCTDecode", content, ""), UNREAD);          /* only a picture */
    check_bytes(f, pdf_of(a, "", SPAN(SHOW("<0102030405060708090a0b0c0d0e0f101112131415161718191a> Tj")), ""), UNREAD);
    check_plain(f, "%PDF-1.4 nothing in it", UNREAD);
    check_plain(f, "%PDF-1.4 stream\n without an end", UNREAD);
    /* Fonts that say so in a packed object stream. */
    check_bytes(f, pdf_of(a, "/Filter /FlateDecode", packed(a, SPAN("<< /Encoding /Identity-H >>"), 15),
                          "7 0 obj <<>> stream\n" SHOW("(Knee pain, better than before.) Tj") "endstream"), UNREAD);
}

static void
test_a_pdf_of_very_many_streams_costs_little(void **state)
{
    struct fixture *f     = *state;
    struct arena   *a     = f->arena;
    struct span     one   = pdf_of(a, "/Filter /FlateDecode", packed(a, SPAN(SHOW("(Knee) Tj")), 15), "");
    struct arena   *small = arena_new("small", (size_t)4 << 20);
    struct buf      all;
    size_t          budget = (size_t)8 << 20;

    buf_init(&all, (size_t)16 << 20);
    for (int i = 0; i < 4000; i++)
        buf_add(&all, one);
    for (int i = 0; i < 100000; i++)
        buf_add_text(&all, "stream\nendstream\n");
    struct inspection i = attachment_inspect_bytes(buf_span(&all), NULL, NULL, small, &budget);
    assert_false(i.unreadable);
    assert_false(arena_spent(small));
    buf_release(&all);
    arena_free(&small);
}

static void
test_other_bytes_are_unreadable(void **state)
{
    struct fixture *f = *state;

    check_bytes(f, SPAN("\x89PNG\r\n\x1a\n\0\0\0\rIHDR"), UNREAD);
    check_bytes(f, SPAN("PK\x03\x04\x14\0\0\0"), UNREAD);
    check_bytes(f, SPAN("\x01\x02\x03\x04\x05\x06"), UNREAD);
    check_bytes(f, SPAN("\0"), UNREAD);
    check_plain(f, "a form feed\fand a page", SILENT);
}

static void
test_no_input_breaks_it(void **state)
{
    static const char        utf16[] = "\xff\xfe" "a\0b\0";
    static const char *const seeds[] = {
        "%PDF-1.4\n4 0 obj << /Filter /FlateDecode >> stream\nBT (knee\\051 [(a) -200 <41>] TJ ET\nendstream",
        "{\\rtf1\\u111?{\\*\\x}\\'6f\\bin3 abc}", "{\"code\":\"F11.20\",\"data\":\"SGVyb2lu\"}",
        "<p title=\"a\">&#x41;<!-- b --></p>", utf16,
    };
    struct fixture *f      = *state;
    struct chance   chance = chance_from(20261122);
    char            bytes[256];

    for (int round = 0; round < 20000; round++) {
        const char *seed   = seeds[chance_below(&chance, sizeof seeds / sizeof seeds[0])];
        size_t      length = strlen(seed);
        memcpy(bytes, seed, length);
        length = random_damage(&chance, bytes, length);
        size_t budget = 4096;
        struct arena_mark mark = arena_mark(f->arena);
        (void)attachment_inspect_bytes(span_from(bytes, length), NULL, NULL, f->arena, &budget);
        (void)attachment_inspect(span_from(bytes, length), NULL, NULL, f->arena, &budget);
        arena_reset(f->arena, mark);
    }
    assert_false(arena_spent(f->arena));
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_base64_in_both_alphabets_with_breaks_and_without_padding),
        T(test_text_in_every_encoding),
        T(test_rich_text),
        T(test_packed_once_and_twice),
        T(test_a_bomb_costs_its_bound_and_is_unreadable),
        T(test_a_small_arena_makes_a_large_attachment_unreadable_not_the_answer_impossible),
        T(test_json_by_its_codes_and_its_texts_to_a_bounded_depth),
        T(test_base64_inside_a_text),
        T(test_a_pdf_with_plain_fonts_is_read),
        T(test_a_pdf_that_cannot_be_read_says_so),
        T(test_a_pdf_of_very_many_streams_costs_little),
        T(test_other_bytes_are_unreadable),
        T(test_no_input_breaks_it),
    };
    return cmocka_run_group_tests_name("attachment", tests, NULL, NULL);
}
