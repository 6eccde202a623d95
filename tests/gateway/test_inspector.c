/* tests/gateway/test_inspector.c -- whatever a helper does, a document is read or said to be unread. */
#include "tests/support/check.h"

#include <dirent.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "consent/attachment.h"
#include "gateway/inspect/inspector.h"

#define HELPER  SLUICE_BINARY_DIR "/sluice-inspect"
#define HOSTILE SLUICE_BINARY_DIR "/tests/tool_hostile"

struct fixture { struct inspected_table table; struct inspector *inspector; };

static const struct inspector_options real = { .program = HELPER, .memory_bytes = (uint64_t)512 << 20, .cpu_seconds = 2 };

static int
setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    f->table.max_bytes = (size_t)256 << 20;
    f->inspector       = inspector_new(&real);
    *state             = f;
    return 0;
}

static int
teardown(void **state)
{
    struct fixture *f = *state;

    inspector_free(&f->inspector);
    inspected_release(&f->table);
    free(f);
    return 0;
}

static enum reason
read_as(struct fixture *f, enum document_form form, struct span bytes, const struct inspected **out)
{
    assert_null(inspected_of(&f->table, form, bytes));
    enum reason reason = inspector_read(f->inspector, &f->table);
    *out = inspected_of(&f->table, form, bytes);
    assert_int_equal(*out == NULL, reason_is_fault(reason));
    assert_int_equal(f->table.fault, reason_is_fault(reason));
    assert_int_equal(inspector_fault(), reason_is_fault(reason) ? reason : REASON_NONE);
    f->table.fault = false;
    if (*out == NULL)
        return reason;
    assert_int_equal((*out)->readable, reason == REASON_NONE);
    return reason;
}

static bool
says(const struct inspected *one, const char *text)
{
    for (size_t i = 0; i < one->part_count; i++)
        if (span_find(one->parts[i].bytes, span_of(text)) != SPAN_NOT_FOUND)
            return true;
    return false;
}

static size_t
open_descriptors(void)
{
    DIR   *folder = opendir("/proc/self/fd");
    size_t count  = 0;

    while (readdir(folder) != NULL)
        count++;
    closedir(folder);
    return count;
}

/* ---- what it reads -------------------------------------------------------------- */

static void
test_reads_markup_as_a_viewer_and_beyond(void **state)
{
    static const struct { const char *bytes, *holds; enum reason reason; } rows[] = {
        { "<html><body><p>takes Her<b>oin</b> daily</p>", "Heroin daily", REASON_NONE },
        { "<html><body><p>one</p><p>two</p>", "one\n\ntwo", REASON_NONE },
        { "<html><body style='display:none' title='Su&#98;oxone'>x", "Suboxone", REASON_NONE },
        { "<html><!-- Suboxone -->", "Suboxone", REASON_NONE },
        { "<p>not <b>well formed, Hero<i>in</p>", "Heroin", REASON_NONE },
        { "<?xml version='1.0'?><a><code code='F11.20' displayName='Op&#105;oid'/><![CDATA[<b>]]></a>", "Opioid", REASON_NONE },
        { "<?xml version='1.0' encoding='windows-1252'?><a>H\xe9roine \x80</a>", "H\xc3\xa9roine", REASON_NONE },
        { "<html><head><meta charset='windows-1252'></head><body>H\xe9roine \x96", "H\xc3\xa9roine", REASON_NONE },
        { "<?xml version='1.0' encoding='x-nobody'?><a>knee</a>", "", REASON_ENCODING },
        { "<?xml version='1.0'?><!DOCTYPE a [<!ENTITY e 'Heroin'>]><a>&e;</a>", "", REASON_ENTITIES },
        { "<?xml version='1.0'?><!DOCTYPE a [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><a>&e;</a>", "", REASON_ENTITIES },
        { "<?xml version='1.0'?><!DOCTYPE a SYSTEM 'http://127.0.0.1:9/x.dtd'><a>knee</a>", "knee", REASON_NONE },
    };
    struct fixture         *f = *state;
    const struct inspected *one;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        enum reason reason = read_as(f, DOCUMENT_MARKUP, span_of(rows[i].bytes), &one);
        if (reason != rows[i].reason || (rows[i].holds[0] != '\0' && !says(one, rows[i].holds)))
            fail_msg("%s: %s; %.*s", rows[i].bytes, reason_code(reason),
                     SPAN_PRINT(one->part_count > 0 ? one->parts[0].bytes : SPAN("nothing")));
        assert_false(says(one, "root:"));
    }
}

static void
test_a_billion_laughs_ends(void **state)
{
    struct fixture         *f = *state;
    const struct inspected *one;
    struct buf              b;

    buf_init(&b, 1 << 20);
    buf_add_text(&b, "<?xml version='1.0'?><!DOCTYPE a [<!ENTITY l0 'lol'>");
    for (int i = 1; i < 12; i++) {
        buf_add_format(&b, "<!ENTITY l%d '", i);
        for (int n = 0; n < 10; n++)
            buf_add_format(&b, "&l%d;", i - 1);
        buf_add_text(&b, "'>");
    }
    buf_add_text(&b, "]><a b='&l11;'>&l11;</a>");
    assert_int_not_equal(read_as(f, DOCUMENT_MARKUP, buf_span(&b), &one), REASON_NONE);
    buf_release(&b);
}

static void
test_a_very_deep_document_ends(void **state)
{
    struct fixture         *f = *state;
    const struct inspected *one;
    struct buf              b;

    buf_init(&b, 4 << 20);
    buf_add_text(&b, "<html>");
    for (int i = 0; i < 100000; i++)
        buf_add_text(&b, "<div>");
    buf_add_text(&b, "Heroin");
    assert_int_not_equal(read_as(f, DOCUMENT_MARKUP, buf_span(&b), &one), REASON_NONE);
    buf_release(&b);
}

static struct span
packed(struct span bytes, struct buf *out)
{
    z_stream z;

    memset(&z, 0, sizeof z);
    assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    buf_init(out, bytes.length + 1024);
    z.next_in   = (unsigned char *)(uintptr_t)bytes.at;
    z.avail_in  = (unsigned)bytes.length;
    z.next_out  = (unsigned char *)buf_reserve(out, bytes.length + 1024);
    z.avail_out = (unsigned)bytes.length + 1024;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    buf_commit(out, bytes.length + 1024 - z.avail_out);
    deflateEnd(&z);
    return buf_span(out);
}

static void
test_unpacks_and_stops_at_a_bomb(void **state)
{
    struct fixture         *f = *state;
    const struct inspected *one;
    struct buf              small, bomb;
    char                   *zeros = calloc(1, 64 << 20);

    assert_int_equal(read_as(f, DOCUMENT_PACKED, packed(SPAN("Heroin dependence"), &small), &one), REASON_NONE);
    assert_int_equal(one->part_count, 1);
    assert_int_equal(one->parts[0].kind, INSPECTED_DOCUMENT);
    check_text(one->parts[0].bytes, "Heroin dependence");
    assert_int_equal(read_as(f, DOCUMENT_PACKED, packed(span_from(zeros, 64 << 20), &bomb), &one), REASON_LARGE);
    assert_true(one->part_count == 1 && one->parts[0].bytes.length <= ATTACHMENT_MAX_INFLATED);
    assert_int_equal(read_as(f, DOCUMENT_PACKED, SPAN("\x1f\x8b\x08 nonsense"), &one), REASON_DAMAGED);
    buf_release(&small);
    buf_release(&bomb);
    free(zeros);
}

static void
test_reads_rtf(void **state)
{
    struct fixture         *f = *state;
    const struct inspected *one;

    assert_int_equal(read_as(f, DOCUMENT_RTF, SPAN("{\\rtf1 Her\\'6fin {\\b and more}\\par}"), &one), REASON_NONE);
    assert_true(says(one, "Heroin and more"));
}

/* ---- PDF ------------------------------------------------------------------------------ */

/* Objects 1 .. with a table that says where they are (ISO 32000-1, 7.5.4).  Object 1 is the catalog. */
static struct span
pdf_of(struct buf *b, const char *const *objects, size_t count, const char *trailer)
{
    size_t places[512];

    assert_true(count <= sizeof places / sizeof places[0]);
    buf_init(b, 8 << 20);
    buf_add_text(b, "%PDF-1.7\n");
    for (size_t i = 0; i < count; i++) {
        places[i] = b->length;
        buf_add_format(b, "%zu 0 obj\n", i + 1);
        buf_add_text(b, objects[i]);
        buf_add_text(b, "\nendobj\n");
    }
    size_t start = b->length;
    buf_add_format(b, "xref\n0 %zu\n0000000000 65535 f \n", count + 1);
    for (size_t i = 0; i < count; i++)
        buf_add_format(b, "%010zu 00000 n \n", places[i]);
    buf_add_format(b, "trailer\n<< /Size %zu /Root 1 0 R %s >>\nstartxref\n%zu\n%%%%EOF\n", count + 1, trailer, start);
    return buf_span(b);
}

static const char *
stream_of(char *out, size_t size, const char *members, const char *body)
{
    snprintf(out, size, "<< %s /Length %zu >>\nstream\n%s\nendstream", members, strlen(body), body);
    return out;
}

#define CATALOG(more) "<< /Type /Catalog /Pages 2 0 R " more " >>"
#define PAGES         "<< /Type /Pages /Kids [3 0 R] /Count 1 >>"
#define PAGE(more)    "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R " \
                      "/Resources << /Font << /F1 5 0 R >> /XObject << /X 6 0 R >> >> " more " >>"
#define FONT          "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"
#define KNEE          "BT /F1 12 Tf 72 720 Td (Knee pain, better than before.) Tj ET"

struct pdf_row {
    const char *what, *catalog, *page, *content, *font, *sixth, *trailer, *holds;
    enum reason reason;
};

static const struct pdf_row pdf_rows[] = {
    { .what = "plain", .holds = "Knee pain, better" },
    { "two fonts in a word", NULL, NULL, "BT /F1 12 Tf 72 720 Td (takes Hero) Tj /F1 11 Tf (in every morning) Tj ET", NULL, NULL, "", "Heroin every", 0 },
    { "invisible text", NULL, NULL, "BT 3 Tr /F1 12 Tf 72 720 Td (takes Heroin every morning) Tj ET", NULL, NULL, "", "takes Heroin", 0 },
    { "text off the page", NULL, NULL, KNEE " BT /F1 12 Tf 5000 5000 Td (Suboxone) Tj ET", NULL, NULL, "", "Suboxone", 0 },
    { "note", NULL, PAGE("/Annots [<< /Type /Annot /Subtype /Text /Rect [0 0 9 9] /Contents (Suboxone) >>]"), NULL, NULL, NULL, "", "Suboxone", 0 },
    { "note in UTF-16", NULL, PAGE("/Annots [<< /Type /Annot /Subtype /Text /Rect [0 0 9 9] /Contents <FEFF005300750062> >>]"), NULL, NULL, NULL, "", "Sub", 0 },
    { "form value", CATALOG("/AcroForm << /Fields [<< /FT /Tx /T (drug) /V (Suboxone) >>] >>"), NULL, NULL, NULL, NULL, "", "Suboxone", 0 },
    { "outline", CATALOG("/Outlines << /First << /Title (Suboxone) >> >>"), NULL, NULL, NULL, NULL, "", "Suboxone", 0 },
    { "script", CATALOG("/OpenAction << /S /JavaScript /JS (app.alert\\('Suboxone'\\)) >>"), NULL, NULL, NULL, NULL, "", "Suboxone", 0 },
    { "destination", CATALOG("/Dests << /Suboxone [3 0 R /Fit] >>"), NULL, NULL, NULL, NULL, "", "Suboxone", 0 },
    { "actual text", CATALOG("/StructTreeRoot << /K << /ActualText (Suboxone) >> >>"), NULL, NULL, NULL, NULL, "", "Suboxone", 0 },
    { "title", NULL, NULL, NULL, NULL, NULL, "/Info << /Title (Suboxone) >>", "Suboxone", 0 },
    { "metadata", CATALOG("/Metadata 6 0 R"), NULL, NULL, NULL, "/Type /Metadata /Subtype /XML|<x>Suboxone</x>", "", "Suboxone", 0 },
    { "form object", NULL, NULL, KNEE " /X Do", NULL, "/Type /XObject /Subtype /Form /BBox [0 0 9 9]|BT /F1 9 Tf (Suboxone) Tj ET", "", "Suboxone", 0 },
    { "film", NULL, PAGE("/Annots [<< /Type /Annot /Subtype /Movie /Rect [0 0 9 9] >>]"), NULL, NULL, NULL, "", "Knee", REASON_MEDIA },
    { "encrypted", NULL, NULL, NULL, NULL, NULL, "/Encrypt << /Filter /Standard /V 1 /R 2 /O (x) /U (y) /P -4 >> /ID [(a) (b)]", "", REASON_ENCRYPTED },
    { "glyph numbers", NULL, NULL, KNEE, "<< /Type /Font /Subtype /Type0 /BaseFont /X /Encoding /Identity-H /DescendantFonts [<< /Type /Font /Subtype /CIDFontType2 /BaseFont /X >>] >>", NULL, "", "", REASON_GLYPHS },
    { "named by number", NULL, NULL, KNEE, "<< /Type /Font /Subtype /Type1 /BaseFont /X /Encoding << /Differences [65 /g1 /g2] >> >>", NULL, "", "Knee", REASON_GLYPHS },
    { "drawn letters", NULL, NULL, KNEE, "<< /Type /Font /Subtype /Type3 /FontBBox [0 0 1 1] /FontMatrix [1 0 0 1 0 0] /CharProcs << >> /FirstChar 0 /LastChar 0 /Widths [1] >>", NULL, "", "", REASON_GLYPHS },
    { "only a picture", NULL, NULL, "q 612 0 0 792 0 0 cm /X Do Q", NULL, "/Type /XObject /Subtype /Image /Width 1 /Height 1 /ColorSpace /DeviceGray /BitsPerComponent 8|x", "", "", REASON_PICTURES },
    { "nothing", NULL, NULL, "q Q", NULL, NULL, "", "", REASON_SILENT },
    { "no such filter", NULL, NULL, NULL, NULL, "/Filter /Nobody|xyz", "", "Knee", REASON_DAMAGED },
    { "a ring of pages", "<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [2 0 R 3 0 R] /Count 9 >>", NULL, NULL, NULL, "", "", REASON_DISAGREE },
};

static enum reason
read_pdf_row(struct fixture *f, const struct pdf_row *row, const struct inspected **out)
{
    char        content[512], sixth[512], members[256] = "";
    const char *bar = row->sixth != NULL ? strchr(row->sixth, '|') : NULL;
    struct buf  b;

    if (bar != NULL)
        memcpy(members, row->sixth, (size_t)(bar - row->sixth));
    const char *const objects[] = {
        row->catalog != NULL ? row->catalog : CATALOG(""), PAGES, row->page != NULL ? row->page : PAGE(""),
        stream_of(content, sizeof content, "", row->content != NULL ? row->content : KNEE),
        row->font != NULL ? row->font : FONT,
        bar != NULL ? stream_of(sixth, sizeof sixth, members, bar + 1) : "null",
    };
    enum reason reason = read_as(f, DOCUMENT_PDF, pdf_of(&b, objects, 6, row->trailer != NULL ? row->trailer : ""), out);
    buf_release(&b);
    return reason;
}

static void
test_reads_all_that_a_pdf_holds(void **state)
{
    struct fixture         *f = *state;
    const struct inspected *one;
    int                     failed = 0;

    for (size_t i = 0; i < sizeof pdf_rows / sizeof pdf_rows[0]; i++) {
        enum reason reason = read_pdf_row(f, &pdf_rows[i], &one);
        if (reason == pdf_rows[i].reason && (pdf_rows[i].holds[0] == '\0' || says(one, pdf_rows[i].holds)))
            continue;
        print_error("%s: \"%s\"\n", pdf_rows[i].what, reason_code(reason));
        for (size_t n = 0; n < one->part_count; n++)
            print_error("    %.*s\n", SPAN_PRINT(one->parts[n].bytes));
        failed++;
    }
    assert_int_equal(failed, 0);
}

static void
test_a_file_inside_a_pdf_is_a_document_of_its_own(void **state)
{
    static const struct pdf_row row = {
        .catalog = CATALOG("/Names << /EmbeddedFiles << /Names [(a) << /Type /Filespec /F (a.txt) /EF << /F 6 0 R >> >>] >> >>"),
        .sixth   = "/Type /EmbeddedFile|Heroin dependence" };
    struct fixture         *f = *state;
    const struct inspected *one;
    bool                    found = false;

    assert_int_equal(read_pdf_row(f, &row, &one), REASON_NONE);
    for (size_t i = 0; i < one->part_count; i++)
        found |= one->parts[i].kind == INSPECTED_DOCUMENT && span_eq_text(one->parts[i].bytes, "Heroin dependence");
    assert_true(found);
    assert_true(says(one, "a.txt"));
}

/* A file that was written on: the earlier page is in it, and no viewer shows it. */
static void
test_an_earlier_version_of_a_pdf_counts(void **state)
{
    struct fixture         *f = *state;
    const struct inspected *one;
    char                    content[256];
    struct buf              b;
    const char *const objects[] = { CATALOG(""), PAGES, PAGE(""), stream_of(content, sizeof content, "", KNEE), FONT, "null",
        "<< /Length 33 >>\nstream\nBT (Suboxone every morning) Tj ET\nendstream" };

    assert_int_equal(read_as(f, DOCUMENT_PDF, pdf_of(&b, objects, 7, ""), &one), REASON_NONE);
    assert_true(says(one, "Suboxone every morning"));
    buf_release(&b);
}

#define CID_KNEE "014B016E016501650120017001610169016E012C01200162016501740174016501720120016E016F0177012E"            /* "Knee pain, better now.", each letter by 0100 and its own number */
#define CID_DRUG "015301750162016F0178016F016E0165"                /* "Suboxone" */

static const char cid_font[] = "<< /Type /Font /Subtype /Type0 /BaseFont /X /Encoding /Identity-H /ToUnicode 7 0 R /DescendantFonts"
                           " [<< /Type /Font /Subtype /CIDFontType2 /BaseFont /X /DW 500 /CIDSystemInfo"
                           " << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> >>] >>";
static const char cid_table[] = "<< /Length 159 >>\nstream\n/CIDInit /ProcSet findresource begin begincmap 1 begincodespacerange <0000> <FFFF>"
                            " endcodespacerange 1 beginbfrange <0120> <017E> <0020> endbfrange endcmap end\nendstream";

/* Only the font's own table says which letters these are, so that nobody but poppler reads them. */
static void
test_text_of_a_composite_font_counts_where_no_page_shows_it(void **state)
{
    static const char drug[]  = "BT /F1 9 Tf <" CID_DRUG "> Tj ET";
    static const struct { const char *what, *root, *page, *more, *form; bool there; } rows[] = {
        { "nowhere", "", "", "", "null", false },
        { "off the page", "", "", "BT /F1 12 Tf 5000 500 Td <" CID_DRUG "> Tj ET", "null", true },
        { "outside of its CropBox", "", "/CropBox [0 400 612 792]", "BT /F1 12 Tf 72 100 Td <" CID_DRUG "> Tj ET", "null", true },
        { "of a layer that is off", "/OCProperties << /OCGs [6 0 R] /D << /OFF [6 0 R] >> >>", "",
          "/OC /L BDC BT /F1 12 Tf 72 100 Td <" CID_DRUG "> Tj ET EMC", "<< /Type /OCG /Name (layer) >>", true },
        { "of a note's appearance", "", "/Annots [<< /Type /Annot /Subtype /FreeText /Rect [9 9 99 99] /AP << /N 6 0 R >> >>]", "", drug, true },
        { "of a form that no page draws", "", "", "", drug, true },
    };
    struct fixture         *f = *state;
    const struct inspected *one;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char        root[256], page[512], content[512], form[512];
        struct buf  b;
        const char *objects[] = { root, "<< /Type /Pages /Kids [3 0 R] /Count 1 >>", page, content, cid_font, form, cid_table };
        char        shown[384];
        snprintf(root, sizeof root, "<< /Type /Catalog /Pages 2 0 R %s >>", rows[i].root);
        snprintf(page, sizeof page, "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R %s /Resources"
                 " << /Font << /F1 5 0 R >> /Properties << /L 6 0 R >> /XObject << /X 6 0 R >> >> >>", rows[i].page);
        snprintf(shown, sizeof shown, "BT /F1 12 Tf 72 720 Td <" CID_KNEE "> Tj ET %s", rows[i].more);
        snprintf(content, sizeof content, "<< /Length %zu >>\nstream\n%s\nendstream", strlen(shown), shown);
        if (rows[i].form == drug)
            snprintf(form, sizeof form, "<< /Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /Font << /F1 5 0 R >> >>"
                     " /Length %zu >>\nstream\n%s\nendstream", strlen(drug), drug);
        else
            snprintf(form, sizeof form, "%s", rows[i].form);
        enum reason reason = read_as(f, DOCUMENT_PDF, pdf_of(&b, objects, 7, ""), &one);
        if (reason != REASON_NONE || !says(one, "Knee pain, better now.") || says(one, "Suboxone") != rows[i].there)
            fail_msg("%s: %s", rows[i].what, reason_code(reason));
        buf_release(&b);
    }
}

enum { PAGE_COUNT = 200, PAGE_OBJECTS = 7 };

/* Every second page in a composite font; one of them tells, or none. */
static enum reason
read_long_pdf(struct fixture *f, int telling, const struct inspected **one)
{
    static char kids[16 * PAGE_COUNT], texts[2 * PAGE_COUNT][384];
    const char *objects[PAGE_OBJECTS + 2 * PAGE_COUNT] = { CATALOG(""), kids, FONT, "null", cid_font, "null", cid_table };
    size_t      used = (size_t)snprintf(kids, sizeof kids, "<< /Type /Pages /Count %d /Kids [", PAGE_COUNT);
    struct buf  b;

    for (int i = 0; i < PAGE_COUNT; i++) {
        size_t at = PAGE_OBJECTS + 2 * (size_t)i;
        char   shown[256];
        used += (size_t)snprintf(kids + used, sizeof kids - used, " %zu 0 R", at + 1);
        snprintf(texts[2 * i], sizeof texts[0], "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents %zu 0 R /Resources"
                 " << /Font << /F1 3 0 R /F2 5 0 R >> >> >>", at + 2);
        snprintf(shown, sizeof shown, "BT /F1 12 Tf 72 720 Td (Page %d of the record.) Tj ET BT /F%d 12 Tf 72 700 Td %s Tj ET", i + 1, i % 2 + 1,
                 i % 2 == 0 ? "(Knee pain, better now.)" : i == telling ? "<" CID_DRUG ">" : "<" CID_KNEE ">");
        objects[at]     = texts[2 * i];
        objects[at + 1] = stream_of(texts[2 * i + 1], sizeof texts[0], "", shown);
    }
    snprintf(kids + used, sizeof kids - used, " ] >>");
    enum reason reason = read_as(f, DOCUMENT_PDF, pdf_of(&b, objects, sizeof objects / sizeof objects[0], ""), one);
    buf_release(&b);
    return reason;
}

static void
test_a_pdf_of_two_hundred_pages_is_read_to_the_last(void **state)
{
    struct fixture         *f = *state;
    const struct inspected *one;

    assert_int_equal(read_long_pdf(f, PAGE_COUNT - 1, &one), REASON_NONE);
    for (int i = 0; i < PAGE_COUNT; i++) {
        char page[32];
        snprintf(page, sizeof page, "Page %d of the record.", i + 1);
        if (!says(one, page))
            fail_msg("%s is missing", page);
    }
    assert_true(says(one, "Suboxone"));
    assert_int_equal(read_long_pdf(f, -1, &one), REASON_NONE);
    assert_false(says(one, "Suboxone"));
}

/* Beside plenty of text that can be read; what the hexadecimal digits say is a drug in Chinese. */
static void
test_cjk_fonts_that_do_not_say_their_letters_are_held(void **state)
{
    static const struct { const char *what, *more; } rows[] = {
        { "predefined, UCS2", "/BaseFont /STSong-Light /Encoding /UniGB-UCS2-H" },
        { "predefined, GBK", "/BaseFont /STSong-Light /Encoding /GBK-EUC-H" },
        { "glyph numbers", "/BaseFont /STSong-Light /Encoding /Identity-H" },
        { "a name for a table", "/BaseFont /STSong-Light /Encoding /Identity-H /ToUnicode /Identity-H" },
    };
    static const char descendant[] = "<< /Type /Font /Subtype /CIDFontType0 /BaseFont /STSong-Light /DW 1000 /CIDSystemInfo"
                                     " << /Registry (Adobe) /Ordering (GB1) /Supplement 2 >> >>";
    struct fixture         *f = *state;
    const struct inspected *one;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char        content[512], font[256];
        struct buf  b;
        const char *objects[] = { CATALOG(""), PAGES,
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R /Resources << /Font << /F1 5 0 R /F2 7 0 R >> >> >>",
            stream_of(content, sizeof content, "", KNEE " BT /F2 12 Tf 72 700 Td <6D776D1B56E0> Tj ET"), FONT, descendant, font };
        snprintf(font, sizeof font, "<< /Type /Font /Subtype /Type0 %s /DescendantFonts [6 0 R] >>", rows[i].more);
        enum reason reason = read_as(f, DOCUMENT_PDF, pdf_of(&b, objects, 7, ""), &one);
        if (reason != REASON_GLYPHS && reason != REASON_FORBIDDEN)
            fail_msg("%s: %s", rows[i].what, reason_code(reason));
        assert_false(one->readable);
        buf_release(&b);
    }
}

static void
million_objects(struct buf *b)
{
    buf_init(b, (size_t)60 << 20);
    buf_add_text(b, "%PDF-1.7\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n");
    for (int i = 2; i < 1000000; i++)
        buf_add_format(b, "%d 0 obj<</Kids[%d 0 R]/Type/Pages/Count 1>>endobj\n", i, i + 1);
    buf_add_text(b, "trailer << /Root 1 0 R /Size 1000000 >>");
}

static void
test_a_pdf_of_a_million_objects_ends(void **state)
{
    struct fixture         *f = *state;
    const struct inspected *one;
    struct buf              b;

    million_objects(&b);
    assert_int_not_equal(read_as(f, DOCUMENT_PDF, buf_span(&b), &one), REASON_NONE);
    buf_release(&b);
}

static void
test_no_bytes_break_the_helper(void **state)
{
    struct fixture         *f      = *state;
    struct chance           chance = chance_from(20261123);
    const struct inspected *one;
    char                    bytes[4096], content[256];
    struct buf              b;
    const char *const objects[] = { CATALOG(""), PAGES, PAGE(""), stream_of(content, sizeof content, "", KNEE), FONT, "null" };
    struct span             good = pdf_of(&b, objects, 6, "");

    for (int round = 0; round < 200; round++) {
        memcpy(bytes, good.at, good.length);
        size_t length = random_damage(&chance, bytes, good.length);
        if (inspected_of(&f->table, DOCUMENT_PDF, span_from(bytes, length)) != NULL)
            continue;
        enum reason reason = inspector_read(f->inspector, &f->table);
        assert_true(reason < REASON_CRASHED);
    }
    assert_int_equal(read_as(f, DOCUMENT_RTF, SPAN("{\\rtf still there}"), &one), REASON_NONE);
    buf_release(&b);
}

/* ---- what a helper may do to us ---------------------------------------------------- */

/* A program that runs tool_hostile as `what`. */
static void
write_script(char *path, size_t size, const char *what)
{
    snprintf(path, size, "/tmp/sluice-hostile-%d-%s", (int)getpid(), what);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fprintf(f, "#!/bin/sh\nexec %s %s \"$@\"\n", HOSTILE, what);
    fclose(f);
    assert_int_equal(chmod(path, 0700), 0);
}

static void
test_a_hostile_helper_does_no_more_than_fail(void **state)
{
    static const struct { const char *what; enum reason reason; } rows[] = {
        { "gone", REASON_MISSING },   { "left", REASON_KILLED },   { "dumb", REASON_STALLED },  { "alien", REASON_MISMATCH },
        { "stammer", REASON_MISMATCH }, { "deaf", REASON_STALLED },  { "mute", REASON_STALLED },  { "spin", REASON_STALLED },
        { "flood", REASON_GARBAGE },  { "noise", REASON_GARBAGE }, { "count", REASON_GARBAGE }, { "early", REASON_GARBAGE },
        { "killed", REASON_KILLED },  { "more", REASON_GARBAGE },  { "child", REASON_KILLED },  { "fine", REASON_NONE },
        { "stopped", REASON_KILLED }, { "wild", REASON_CRASHED },  { "locked", REASON_FORBIDDEN }, { "slow", REASON_CPU },
    };
    size_t before = open_descriptors();

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char path[128];
        write_script(path, sizeof path, rows[i].what);
        struct inspector_options options = { .program = path, .memory_bytes = 1 << 28, .cpu_seconds = 1, .wall_seconds = 1 };
        struct fixture f = { .table.max_bytes = 64 << 20, .inspector = inspector_new(&options) };
        const struct inspected *one;
        for (int round = 0; round < 2; round++) {
            enum reason reason = read_as(&f, DOCUMENT_RTF, round == 0 ? SPAN("{\\rtf one}") : SPAN("{\\rtf two}"), &one);
            if (reason != rows[i].reason || (one != NULL && one->part_count != (reason == REASON_NONE)))
                fail_msg("%s, round %d: %s", rows[i].what, round, reason_code(reason));
        }
        inspector_free(&f.inspector);
        inspected_release(&f.table);
        unlink(path);
    }
    assert_int_equal(open_descriptors(), before);
    (void)state;
}

static enum reason
read_with(const char *program, enum document_form form, struct span bytes)
{
    struct inspector_options options = { .program = program, .memory_bytes = (uint64_t)512 << 20, .cpu_seconds = 2 };
    struct fixture           f       = { .table.max_bytes = 1 << 20, .inspector = inspector_new(&options) };
    const struct inspected  *one;
    enum reason              reason  = read_as(&f, form, bytes, &one);

    inspector_free(&f.inspector);
    inspected_release(&f.table);
    return reason;
}

/* The real helper, which cannot do what it has to. */
static void
test_what_the_machine_lacks_is_no_word_about_the_document(void **state)
{
    static const struct { const char *lacks; const char *document; enum reason reason; } rows[] = {
        { "no-process", "{\\rtf1 knee}", REASON_SCARCE },
        { "no-lock", "{\\rtf1 knee}", REASON_KILLED },
        { "no-room", "\x1f\x8b\x08 nonsense", REASON_SCARCE },        /* damaged, or was there no memory? */
        { "no-room", "{\\rtf1 knee}", REASON_NONE },                 /* there was enough for it */
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char path[128];
        write_script(path, sizeof path, rows[i].lacks);
        enum reason reason = read_with(path, rows[i].document[0] == '{' ? DOCUMENT_RTF : DOCUMENT_PACKED, span_of(rows[i].document));
        if (reason != rows[i].reason)
            fail_msg("%s: %s", rows[i].lacks, reason_code(reason));
        unlink(path);
    }
    (void)state;
}

static void
test_without_descriptors_nothing_is_said_and_later_it_is(void **state)
{
    struct fixture         *f = *state;
    const struct inspected *one;
    struct rlimit           was, none;

    assert_int_equal(getrlimit(RLIMIT_NOFILE, &was), 0);
    none          = was;
    none.rlim_cur = 3;
    for (int started = 0; started < 2; started++) {
        struct span document = started ? SPAN("{\\rtf1 two}") : SPAN("{\\rtf1 one}");
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
        enum reason reason = read_as(f, DOCUMENT_RTF, document, &one);
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &was), 0);
        assert_int_equal(reason, REASON_SCARCE);
        assert_int_equal(inspector_read(f->inspector, &f->table), REASON_NONE);
        assert_true(inspected_of(&f->table, DOCUMENT_RTF, document)->readable);
    }
}

/* The process that waits; the one started last. */
static pid_t
child_of_this(void)
{
    DIR  *folder = opendir("/proc");
    pid_t found  = 0;

    for (struct dirent *e = readdir(folder); e != NULL; e = readdir(folder)) {
        char     path[300], line[512] = "";
        uint64_t pid;
        if (!span_to_u64(span_of(e->d_name), &pid))
            continue;
        snprintf(path, sizeof path, "/proc/%s/stat", e->d_name);
        FILE *f = fopen(path, "r");
        if (f == NULL)
            continue;
        const char *after = fgets(line, sizeof line, f) != NULL ? strrchr(line, ')') : NULL;
        if (after != NULL && strlen(after) > 4 && strtol(after + 4, NULL, 10) == (long)getpid() && after[2] != 'Z')
            found = (pid_t)pid > found ? (pid_t)pid : found;
        fclose(f);
    }
    closedir(folder);
    return found;
}

static void
test_a_helper_of_another_build_is_found_at_the_start(void **state)
{
    struct inspector_options options = real;
    char                     path[128];
    struct buf               why;

    write_script(path, sizeof path, "alien");
    options.program = path;
    buf_init(&why, 1024);
    assert_false(inspector_works(&options, &why));
    assert_true(span_find(buf_span(&why), SPAN("another build")) != SPAN_NOT_FOUND);
    buf_release(&why);
    unlink(path);
    (void)state;
}

static void
test_a_helper_that_somebody_killed_is_replaced_and_asked_again(void **state)
{
    struct fixture         *f = *state;
    const struct inspected *one;

    assert_int_equal(read_as(f, DOCUMENT_RTF, SPAN("{\\rtf1 one}"), &one), REASON_NONE);
    pid_t helper = child_of_this();
    assert_true(helper > 0);
    kill(helper, SIGKILL);
    assert_int_equal(read_as(f, DOCUMENT_RTF, SPAN("{\\rtf1 two}"), &one), REASON_NONE);
    assert_int_not_equal(child_of_this(), helper);
}

/* It is the document that spends them. */
static void
test_a_document_that_spends_its_bounds_is_unreadable_and_no_fault(void **state)
{
    struct inspector_options options = { .program = HELPER, .memory_bytes = (uint64_t)256 << 20, .cpu_seconds = 1 };
    struct buf               b;

    million_objects(&b);
    for (int n = 0; n < 2; n++) {
        struct fixture          f = { .table.max_bytes = (size_t)256 << 20, .inspector = inspector_new(&options) };
        const struct inspected *one;
        enum reason             reason = read_as(&f, DOCUMENT_PDF, buf_span(&b), &one);
        if (reason == REASON_NONE || reason_is_fault(reason) || one->readable)
            fail_msg("%llu bytes, %u s: %s", (unsigned long long)options.memory_bytes, options.cpu_seconds, reason_code(reason));
        inspector_free(&f.inspector);
        inspected_release(&f.table);
        options.memory_bytes <<= 3;      /* and now it is the time */
    }
    buf_release(&b);
    (void)state;
}

static void
test_without_a_helper_nothing_is_said(void **state)
{
    struct inspector_options options = { .program = "/nonexistent/sluice-inspect", .memory_bytes = 1 << 28, .cpu_seconds = 1 };
    struct fixture           f       = { .table.max_bytes = 1 << 20, .inspector = inspector_new(&options) };
    const struct inspected  *one;
    struct buf               why;

    buf_init(&why, 1024);
    assert_int_equal(read_as(&f, DOCUMENT_RTF, SPAN("{\\rtf}"), &one), REASON_MISSING);
    /* One that nobody is asked about says nothing of the helper. */
    struct inspected_table other = { .max_bytes = (size_t)256 << 20 };
    char                  *large = calloc(1, FRAME_MAX_DOCUMENT + 1);
    assert_null(inspected_of(&other, DOCUMENT_PDF, span_from(large, FRAME_MAX_DOCUMENT + 1)));
    assert_int_equal(inspector_read(f.inspector, &other), REASON_LARGE);
    assert_int_equal(inspector_fault(), REASON_MISSING);
    inspected_release(&other);
    free(large);
    assert_false(inspector_works(&options, &why));
    assert_true(why.length > 0);
    assert_true(inspector_works(&real, &why));
    inspector_free(&f.inspector);
    inspected_release(&f.table);
    buf_release(&why);
    (void)state;
}

static void
test_a_thousand_documents_are_read_each_in_its_own_process(void **state)
{
    struct fixture *f = *state;
    char            text[64];
    size_t          before = open_descriptors();

    for (int i = 0; i < 1000; i++) {
        snprintf(text, sizeof text, "{\\rtf1 document %d}", i);
        assert_null(inspected_of(&f->table, DOCUMENT_RTF, span_of(text)));
    }
    assert_int_equal(f->table.count, 1000);
    while (f->table.open != NULL)
        assert_int_equal(inspector_read(f->inspector, &f->table), REASON_NONE);
    for (int i = 0; i < 1000; i++) {
        char want[32];
        snprintf(text, sizeof text, "{\\rtf1 document %d}", i);
        snprintf(want, sizeof want, "document %d", i);
        check_text(inspected_of(&f->table, DOCUMENT_RTF, span_of(text))->parts[0].bytes, want);
    }
    assert_int_equal(f->table.count, 1000);
    assert_int_equal(open_descriptors(), before + 1);        /* the helper's socket */
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_reads_markup_as_a_viewer_and_beyond),
        TEST(test_a_billion_laughs_ends),
        TEST(test_a_very_deep_document_ends),
        TEST(test_unpacks_and_stops_at_a_bomb),
        TEST(test_reads_rtf),
        TEST(test_reads_all_that_a_pdf_holds),
        TEST(test_a_file_inside_a_pdf_is_a_document_of_its_own),
        TEST(test_an_earlier_version_of_a_pdf_counts),
        TEST(test_text_of_a_composite_font_counts_where_no_page_shows_it),
        TEST(test_a_pdf_of_two_hundred_pages_is_read_to_the_last),
        TEST(test_cjk_fonts_that_do_not_say_their_letters_are_held),
        TEST(test_a_pdf_of_a_million_objects_ends),
        TEST(test_no_bytes_break_the_helper),
        TEST(test_a_hostile_helper_does_no_more_than_fail),
        TEST(test_what_the_machine_lacks_is_no_word_about_the_document),
        TEST(test_without_descriptors_nothing_is_said_and_later_it_is),
        TEST(test_a_helper_of_another_build_is_found_at_the_start),
        TEST(test_a_helper_that_somebody_killed_is_replaced_and_asked_again),
        TEST(test_a_document_that_spends_its_bounds_is_unreadable_and_no_fault),
        TEST(test_without_a_helper_nothing_is_said),
        TEST(test_a_thousand_documents_are_read_each_in_its_own_process),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
