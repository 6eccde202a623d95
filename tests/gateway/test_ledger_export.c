/* tests/gateway/test_ledger_export.c -- an export verifies, for us and for a stranger, and no tampering stays unseen. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/stat.h>
#include <sys/wait.h>

#include "gateway/ledger/merkle.h"
#include "gateway/ledger/record.h"
#include "gateway/ledger/verify.h"
#include "tests/gateway/store_support.h"

#define DISCLOSURES 600u
#define DENIALS     70u

struct exported {
    struct scratch *t;
    struct store   *reader;
    char            dir[96], key[96];
    struct verify_options options;
    struct buf      report;
};

/* ---- a store with two logs ------------------------------------------------------------- */

static struct ledger_entry
a_record(struct scratch *t, enum record_kind kind, unsigned n)
{
    static const struct span purposes[] = { { "TREAT", 5 } };
    struct record_item       items[2]   = { { .type = SPAN("Condition"), .id = SPAN("c1") },
                                            { .type = SPAN("Observation"), .id = SPAN("o1"), .version = 2 } };
    struct record_basis      basis      = { SPAN("R-01"), SPAN("42 CFR 2.33(a)(2)"), SPAN("covered"), 2 };
    struct ledger_entry      e;
    struct disclosure        d = { .kind         = kind,
                                   .event_id     = record_event_id(t->arena, 1795359600000 + n),
                                   .release_ms   = 1795359600000 + n,
                                   .patient      = arena_format(t->arena, "Patient/p%u", n % 7),
                                   .patient_name = SPAN("Jos\xc3\xa9 \"Pepe\" \\ \x01\x7f Mu\xc3\xb1oz"),
                                   .recipient    = { .name = SPAN("county-hie") },
                                   .bases = &basis, .basis_count = 1, .purposes = purposes, .purpose_count = 1,
                                   .items = items, .item_count = 2, .decision = SPAN("permit"),
                                   .payload_sha256 = SPAN("00"), .payload_bytes = n };

    assert_int_equal(record_author(&d, t->arena, &e), ST_OK);
    return e;
}

static void
append(struct scratch *t, enum record_kind kind, unsigned count)
{
    for (unsigned n = 0; n < count; n += 50) {
        struct ledger_entry e[50];
        struct store_unit   u = { .records = e };
        for (; u.record_count < 50 && n + u.record_count < count; u.record_count++)
            e[u.record_count] = a_record(t, kind, n + (unsigned)u.record_count);
        assert_int_equal(submit(t, &u), ST_OK);
    }
}

static void
sql(struct exported *x, const char *text)
{
    sqlite3 *db  = NULL;
    char    *why = NULL;

    assert_int_equal(sqlite3_open(x->t->file, &db), SQLITE_OK);
    if (sqlite3_exec(db, text, NULL, NULL, &why) != SQLITE_OK)
        fail_msg("%s: %s", text, why);
    (void)sqlite3_close(db);
}

static void
reader_open(struct exported *x)
{
    struct store_options reading = { .path = x->t->file, .read_only = true };

    store_close(&x->reader);
    assert_int_equal(store_open(&reading, &x->reader, &x->t->why), ST_OK);
}

static void
export_again(struct exported *x)
{
    struct export_options options = { .dir = x->dir, .key = x->options.key };
    struct export_result  result;

    (void)nftw(x->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    if (ledger_export(x->reader, &options, &result, &x->t->why) != ST_OK)
        fail_msg("%.*s", SPAN_PRINT(buf_span(&x->t->why)));
}

static int
setup(void **state)
{
    static struct exported x;

    memset(&x, 0, sizeof x);
    x.t = scratch_new();
    buf_init(&x.report, 1 << 20);
    (void)snprintf(x.dir, sizeof x.dir, "%s/export", x.t->folder);
    (void)snprintf(x.key, sizeof x.key, "%s/public.pem", x.t->folder);
    if (scratch_open(x.t) != ST_OK)
        return -1;
    append(x.t, RECORD_DISCLOSURE, DISCLOSURES);
    append(x.t, RECORD_DENIAL, DENIALS);
    memcpy(x.options.key.bytes, ledger_signer_public(x.t->signer), 32);
    sql(&x, "UPDATE ledger_leaf SET salt = NULL, record = NULL WHERE position = 299");      /* shredded */
    struct buf pem;
    buf_init(&pem, 4096);
    FILE *file = fopen(x.key, "we");
    if (file == NULL || ledger_public_pem(&x.options.key, &pem) != ST_OK)
        return -1;
    (void)fwrite(pem.at, 1, pem.length, file);
    (void)fclose(file);
    buf_release(&pem);
    reader_open(&x);
    export_again(&x);
    *state = &x;
    return 0;
}

static int
teardown(void **state)
{
    struct exported *x = *state;

    store_close(&x->reader);
    buf_release(&x->report);
    scratch_free(x->t);
    return 0;
}

static void
other_is(struct exported *x, struct span note)
{
    x->options.others[0]   = note;
    x->options.other_count = 1;
}

static enum status
verify(struct exported *x, struct verify_result *result)
{
    buf_clear(&x->report);
    return ledger_verify_folder(x->dir, &x->options, result, &x->report);
}

static enum status
verify_store(struct exported *x, struct verify_result *result)
{
    buf_clear(&x->report);
    return ledger_verify_store(x->reader, &x->options, result, &x->report);
}

/* ---- what is whole ------------------------------------------------------------------------ */

static void
test_an_export_verifies(void **state)
{
    struct exported     *x = *state;
    struct verify_result r;

    if (verify(x, &r) != ST_OK)
        fail_msg("%.*s", SPAN_PRINT(buf_span(&x->report)));
    assert_int_equal(r.log[LEDGER_DISCLOSURES].size, DISCLOSURES);
    assert_int_equal(r.log[LEDGER_DISCLOSURES].shredded, 1);
    assert_int_equal(r.log[LEDGER_DENIALS].size, DENIALS);
    assert_string_equal(r.log[LEDGER_DISCLOSURES].origin, "test.example/log");
    assert_string_equal(r.log[LEDGER_DENIALS].origin, "test.example/log/denials");
    struct stat st;
    assert_int_equal(stat(x->dir, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
}

static int
stranger(struct exported *x)
{
    pid_t child = fork();
    int   how   = -1;

    if (child == 0) {
        int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
        (void)dup2(null, 1);
        (void)dup2(null, 2);
        char own[128];
        (void)snprintf(own, sizeof own, "%s/verify.py", x->dir);
        (void)execl("/usr/bin/python3", "python3", own, x->key, (char *)NULL);
        _exit(127);
    }
    (void)waitpid(child, &how, 0);
    return WIFEXITED(how) ? WEXITSTATUS(how) : -1;
}

static void
test_the_verifier_in_the_export_verifies_it(void **state)
{
    struct exported *x = *state;

    assert_int_equal(stranger(x), 0);
    char path[128];
    (void)snprintf(path, sizeof path, "%s/tiles/0/001", x->dir);
    FILE *tile = fopen(path, "r+e");
    assert_non_null(tile);
    (void)fputc('x', tile);
    (void)fclose(tile);
    assert_int_equal(stranger(x), 1);
}

static void
test_a_store_verifies_while_the_gateway_writes(void **state)
{
    struct exported     *x = *state;
    struct verify_result r;

    if (verify_store(x, &r) != ST_OK)
        fail_msg("%.*s", SPAN_PRINT(buf_span(&x->report)));
    append(x->t, RECORD_DISCLOSURE, 30);
    if (verify_store(x, &r) != ST_OK)
        fail_msg("%.*s", SPAN_PRINT(buf_span(&x->report)));
    assert_int_equal(r.log[LEDGER_DISCLOSURES].size, DISCLOSURES + 30);
}

static void
test_an_empty_ledger_is_exported_and_verifies(void **state)
{
    struct exported       *x = *state;
    struct scratch        *t = scratch_new();
    struct export_options  o = { .dir = x->dir };
    struct export_result   result;
    struct verify_result   r;
    struct verify_options  v = { .other_count = 0 };

    assert_int_equal(scratch_open(t), ST_OK);
    memcpy(o.key.bytes, ledger_signer_public(t->signer), 32);
    v.key = o.key;
    (void)nftw(x->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    assert_int_equal(ledger_export(t->store, &o, &result, &t->why), ST_OK);
    buf_clear(&x->report);
    assert_int_equal(ledger_verify_folder(x->dir, &v, &r, &x->report), ST_OK);
    assert_int_equal(r.log[LEDGER_DISCLOSURES].size, 0);
    assert_int_equal(ledger_export(t->store, &o, &result, &t->why), ST_CONFLICT);
    scratch_free(t);
}

static void
test_a_leaf_is_found_by_event_and_patient_and_proved(void **state)
{
    struct exported   *x = *state;
    struct ledger_leaf leaf;
    enum ledger_log    log;
    struct span        note;
    struct checkpoint  head;
    struct merkle_proof proof;
    struct ledger_hash hash;
    struct ledger_entry e = a_record(x->t, RECORD_DENIAL, 9999);
    struct store_unit   u = { .records = &e, .record_count = 1 };
    struct digest      *d = digest_new();

    assert_int_equal(submit(x->t, &u), ST_OK);
    assert_int_equal(store_ledger_find(x->reader, e.event_id, x->t->arena, &log, &leaf), ST_OK);
    assert_int_equal(log, LEDGER_DENIALS);
    assert_int_equal(leaf.index, DENIALS);
    assert_int_equal(store_ledger_checkpoint(x->reader, log, x->t->arena, &note), ST_OK);
    assert_int_equal(checkpoint_verify(note, &x->options.key, d, (struct span){ NULL, 0 }, &head, &x->report), ST_OK);
    assert_int_equal(store_ledger_prove(x->reader, log, leaf.index, head.size, &proof), ST_OK);
    merkle_leaf(d, leaf.commitment.bytes, 32, &hash);
    assert_true(merkle_verify_inclusion(d, leaf.index, head.size, &hash, &proof, &head.root));
    assert_int_equal(store_ledger_find(x->reader, SPAN("none"), x->t->arena, &log, &leaf), ST_NOT_FOUND);
    digest_free(&d);
}

static bool
count_leaf(const struct ledger_leaf *leaf, void *arg)
{
    assert_true(span_eq(leaf->patient, SPAN("Patient/p3")));
    (*(unsigned *)arg)++;
    return true;
}

static void
test_the_leaves_of_a_patient_are_all_found_before_and_behind_the_index(void **state)
{
    struct exported *x     = *state;
    unsigned         count = 0, more = 0;

    assert_int_equal(store_ledger_visit_patient(x->reader, LEDGER_DISCLOSURES, SPAN("Patient/p3"), count_leaf, &count), ST_OK);
    assert_int_equal(count, (DISCLOSURES - 3 + 6) / 7);
    assert_int_equal(scratch_reopen(x->t), ST_OK);           /* closing writes the index */
    append(x->t, RECORD_DISCLOSURE, 14);
    reader_open(x);
    assert_int_equal(store_ledger_visit_patient(x->reader, LEDGER_DISCLOSURES, SPAN("Patient/p3"), count_leaf, &more), ST_OK);
    assert_int_equal(more, count + 2);
    struct verify_result r;
    if (verify_store(x, &r) != ST_OK)
        fail_msg("%.*s", SPAN_PRINT(buf_span(&x->report)));
}

/* ---- tampering with an export ----------------------------------------------------------------- */

struct file {
    char  *at;
    size_t length;
};

static struct file
file_take(struct exported *x, const char *name)
{
    char path[256];
    (void)snprintf(path, sizeof path, "%s/%s", x->dir, name);
    FILE       *in = fopen(path, "re");
    struct stat st;

    assert_non_null(in);
    assert_int_equal(fstat(fileno(in), &st), 0);
    struct file f = { malloc((size_t)st.st_size * 2 + 4096), (size_t)st.st_size };
    assert_int_equal(fread(f.at, 1, f.length, in), f.length);
    (void)fclose(in);
    return f;
}

static void
file_put(struct exported *x, const char *name, struct file *f)
{
    char path[256];
    (void)snprintf(path, sizeof path, "%s/%s", x->dir, name);
    FILE *out = fopen(path, "we");

    assert_non_null(out);
    assert_int_equal(fwrite(f->at, 1, f->length, out), f->length);
    (void)fclose(out);
    free(f->at);
}

/* Where line `n` (from 0) begins. */
static size_t
line_at(const struct file *f, unsigned n)
{
    size_t at = 0;

    while (n-- > 0)
        at = (size_t)((char *)memchr(f->at + at, '\n', f->length - at) - f->at) + 1;
    return at;
}

static void
flip_record(struct file *f)
{
    f->at[line_at(f, 100) + 400] ^= 1;
}

static void
flip_salt(struct file *f)
{
    char *digit = strstr(f->at + line_at(f, 100), "\"salt\":\"") + 8;
    *digit      = *digit == '0' ? '1' : '0';
}

static void
delete_line(struct file *f)
{
    size_t a = line_at(f, 100), b = line_at(f, 101);
    memmove(f->at + a, f->at + b, f->length - b);
    f->length -= b - a;
}

static void
insert_line(struct file *f)
{
    size_t a = line_at(f, 100), b = line_at(f, 101);
    memmove(f->at + b, f->at + a, f->length - a);
    f->length += b - a;
}

static void
swap_lines(struct file *f)
{
    size_t a = line_at(f, 100), b = line_at(f, 101), c = line_at(f, 102);
    char  *copy = malloc(c - a);
    memcpy(copy, f->at + b, c - b);
    memcpy(copy + (c - b), f->at + a, b - a);
    memcpy(f->at + a, copy, c - a);
    free(copy);
}

static void
cut_last_line(struct file *f)
{
    f->length = line_at(f, DISCLOSURES - 1);
}

static void
cut_inside(struct file *f)
{
    f->length -= 20;
}

static void
add_line(struct file *f)
{
    f->length += (size_t)snprintf(f->at + f->length, 128, "{\"index\":%u,\"commitment\":\"%064d\"}\n", DISCLOSURES, 0);
}

static void
pretend_shredded(struct file *f)
{
    size_t a = line_at(f, 100), b = line_at(f, 101);
    char   line[128];
    int    n = snprintf(line, sizeof line, "{\"index\":100,\"commitment\":\"%064d\"}\n", 0);
    memmove(f->at + a + n, f->at + b, f->length - b);
    memcpy(f->at + a, line, (size_t)n);
    f->length -= b - a - (size_t)n;
}

static void
flip_tile(struct file *f)
{
    f->at[32 * 7] ^= 1;
}

static void
grow_tile(struct file *f)
{
    f->at[f->length++] = 0;
}

static void
change_root(struct file *f)
{
    char *root = strchr(strchr(f->at, '\n') + 1, '\n') + 1;
    *root      = *root == 'A' ? 'B' : 'A';
}

static void
change_size(struct file *f)
{
    char *size = strchr(f->at, '\n') + 1;
    size[2]    = size[2] == '9' ? '8' : '9';
}

static void
put_in(struct file *f, size_t at, const char *bytes)
{
    size_t length = strlen(bytes);

    memmove(f->at + at + length, f->at + at, f->length - at);
    memcpy(f->at + at, bytes, length);
    f->length += length;
}

static void
return_at_the_end(struct file *f)
{
    put_in(f, line_at(f, 101) - 1, "\r");
}

static void
blank_between(struct file *f)
{
    put_in(f, line_at(f, 100) + sizeof "{\"index\":" - 1, " ");
}

static void
blank_at_the_end(struct file *f)
{
    put_in(f, line_at(f, 101) - 1, " ");
}

static void
empty_line(struct file *f)
{
    put_in(f, line_at(f, 100), "\n");
}

static void
upper_case_salt(struct file *f)
{
    char *digit = strstr(f->at + line_at(f, 100), "\"salt\":\"") + 8;

    while (*digit < 'a')
        digit++;
    *digit = (char)(*digit - 'a' + 'A');
}

static void
sign_twice(struct file *f)
{
    char  *line   = strstr(f->at, "\n\n") + 2;
    size_t length = f->length - (size_t)(line - f->at);

    memcpy(f->at + f->length, line, length);
    f->length += length;
}

static void
line_of_no_signature(struct file *f)
{
    put_in(f, f->length, "and so on\n");
}

static void
empty_it(struct file *f)
{
    f->length = 0;
}

static void
test_every_tampering_with_an_export_is_found_and_named(void **state)
{
    static const struct { const char *says, *file; void (*tamper)(struct file *); const char *report; } rows[] = {
        { "a flipped byte",       "records.ndjson",  flip_record,      "line 101: leaf 100 does not fit its tile" },
        { "another salt",         "records.ndjson",  flip_salt,        "line 101: leaf 100 does not fit its tile" },
        { "a line taken out",     "records.ndjson",  delete_line,      "leaf 101 stands where leaf 100 has to be" },
        { "a line put in",        "records.ndjson",  insert_line,      "leaf 100 stands where leaf 101 has to be" },
        { "lines swapped",        "records.ndjson",  swap_lines,       "leaf 101 stands where leaf 100 has to be" },
        { "the last cut off",     "records.ndjson",  cut_last_line,    "there are 599 leaves, the checkpoint says 600" },
        { "cut inside a line",    "records.ndjson",  cut_inside,       "ends inside line 600" },
        { "a line added",         "records.ndjson",  add_line,         "there are 601 leaves, the checkpoint says 600" },
        { "as if shredded",       "records.ndjson",  pretend_shredded, "leaf 100 does not fit its tile" },
        { "CR LF",                "records.ndjson",  return_at_the_end, "line 101: it is not written as an export writes it" },
        { "a blank inside",       "records.ndjson",  blank_between,    "line 101: it is not written as an export writes it" },
        { "a blank at the end",   "records.ndjson",  blank_at_the_end, "line 101: it is not written as an export writes it" },
        { "an empty line",        "records.ndjson",  empty_line,       "line 101: it is not a record" },
        { "hex in upper case",    "records.ndjson",  upper_case_salt,  "line 101: it is not a" },
        { "the key signed twice", "checkpoint",      sign_twice,       "or a key signed twice" },
        { "no signature line",    "checkpoint",      line_of_no_signature, "is no signature" },
        { "no lines at all",      "records.ndjson",  empty_it,         "there are 0 leaves, the checkpoint says 600" },
        { "a denial flipped",     "denials/records.ndjson", flip_tile, "denials/records.ndjson line 1" },
        { "a leaf tile",          "tiles/0/001",     flip_tile,        "tiles/0/001 is not the tile of these leaves" },
        { "a partial tile",       "tiles/0/002.p/88", flip_tile,       "tiles/0/002.p/88 is not the tile" },
        { "a tile one level up",  "tiles/1/000.p/2", grow_tile,        "tiles/1/000.p/2 is not the tile" },
        { "an empty tile",        "tiles/0/000",     empty_it,         "tiles/0/000 is not the tile" },
        { "another root",         "checkpoint",      change_root,      "the signature is wrong" },
        { "another size",         "checkpoint",      change_size,      "the signature is wrong" },
        { "no checkpoint",        "checkpoint",      empty_it,         "not a signed note" },
    };
    struct exported     *x = *state;
    struct verify_result r;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        export_again(x);
        struct file f = file_take(x, rows[i].file);
        rows[i].tamper(&f);
        file_put(x, rows[i].file, &f);
        enum status st = verify(x, &r);
        buf_add_byte(&x->report, 0);
        if (st != ST_INTEGRITY || strstr(x->report.at, rows[i].report) == NULL)
            fail_msg("%s: %s: %s", rows[i].says, status_name(st), x->report.at);
    }
}

static void
test_missing_and_foreign_files_are_found(void **state)
{
    static const char *const missing[] = { "records.ndjson", "checkpoint", "tiles/0/000", "denials/checkpoint",
                                           "tiles/1/000.p/2" };
    struct exported     *x = *state;
    struct verify_result r;
    char                 path[256];

    for (size_t i = 0; i < sizeof missing / sizeof missing[0]; i++) {
        export_again(x);
        (void)snprintf(path, sizeof path, "%s/%s", x->dir, missing[i]);
        assert_int_equal(unlink(path), 0);
        assert_int_equal(verify(x, &r), ST_INTEGRITY);
        buf_add_byte(&x->report, 0);
        assert_non_null(strstr(x->report.at, missing[i]));
    }
    export_again(x);
    struct file f = { calloc(1, 8192), 8192 };
    file_put(x, "tiles/0/003", &f);
    assert_int_equal(verify(x, &r), ST_INTEGRITY);
    buf_add_byte(&x->report, 0);
    assert_non_null(strstr(x->report.at, "tiles/0/003 does not belong there"));
    assert_int_equal(ledger_verify_folder("/nowhere/at/all", &x->options, &r, &x->report), ST_NOT_FOUND);
}

static void
test_any_byte_of_any_part_matters(void **state)
{
    static const char *const files[] = { "records.ndjson", "records.ndjson", "tiles/0/001", "tiles/0/002.p/88",
                                         "tiles/1/000.p/2", "checkpoint", "denials/records.ndjson",
                                         "denials/tiles/0/000.p/70", "denials/checkpoint" };
    struct exported     *x    = *state;
    unsigned             seed = 11;
    struct verify_result r;

    for (int i = 0; i < 200; i++) {
        const char *name = files[(size_t)i % (sizeof files / sizeof files[0])];
        struct file f    = file_take(x, name);
        size_t      at   = (size_t)rand_r(&seed) % f.length;
        char        was  = f.at[at];
        size_t      size = f.length;
        f.at[at] ^= (char)(1 << rand_r(&seed) % 8);
        file_put(x, name, &f);
        if (verify(x, &r) != ST_INTEGRITY)
            fail_msg("byte %zu of %s was changed and not found", at, name);
        f = file_take(x, name);
        assert_int_equal(f.length, size);
        f.at[at] = was;
        file_put(x, name, &f);
    }
    assert_int_equal(verify(x, &r), ST_OK);
}

/* ---- keys, history ------------------------------------------------------------------------------ */

/* A ledger of somebody else's key under the same name: everything in it fits. */
static void
test_a_forged_ledger_of_another_key_is_found(void **state)
{
    struct exported     *x = *state;
    struct scratch      *t = scratch_new();
    struct verify_result r;
    struct export_result result;
    struct export_options o = { .dir = x->dir };

    assert_int_equal(scratch_open(t), ST_OK);
    append(t, RECORD_DISCLOSURE, 100);
    memcpy(o.key.bytes, ledger_signer_public(t->signer), 32);
    (void)nftw(x->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    assert_int_equal(ledger_export(t->store, &o, &result, &t->why), ST_OK);
    assert_int_equal(verify(x, &r), ST_INTEGRITY);
    buf_add_byte(&x->report, 0);
    assert_non_null(strstr(x->report.at, "not signed by this key"));
    scratch_free(t);
}

static void
test_a_newer_checkpoint_shows_that_an_export_was_rolled_back(void **state)
{
    struct exported     *x = *state;
    struct verify_result r;
    struct span          older, newer;

    assert_int_equal(store_ledger_checkpoint(x->reader, LEDGER_DISCLOSURES, x->t->arena, &older), ST_OK);
    append(x->t, RECORD_DISCLOSURE, 30);
    assert_int_equal(store_ledger_checkpoint(x->reader, LEDGER_DISCLOSURES, x->t->arena, &newer), ST_OK);
    other_is(x, newer);
    assert_int_equal(verify(x, &r), ST_INTEGRITY);           /* the export is the older state */
    buf_add_byte(&x->report, 0);
    assert_non_null(strstr(x->report.at, "the other checkpoint has 630 leaves, this log ends at 600: the log was rolled back"));
    other_is(x, older);
    assert_int_equal(verify(x, &r), ST_OK);
    export_again(x);
    assert_int_equal(verify(x, &r), ST_OK);                  /* the older is the beginning of the newer */
    other_is(x, newer);
    assert_int_equal(verify(x, &r), ST_OK);
    assert_int_equal(verify_store(x, &r), ST_OK);
    struct span denials;
    assert_int_equal(store_ledger_checkpoint(x->reader, LEDGER_DENIALS, x->t->arena, &denials), ST_OK);
    other_is(x, denials);
    assert_int_equal(verify(x, &r), ST_OK);
}

/* The same key signs another history: what a database that was put back to an
 * older copy and written on looks like. */
static void
test_a_rewritten_history_is_found_by_a_checkpoint_kept_elsewhere(void **state)
{
    struct exported      *x = *state;
    struct scratch       *t = scratch_new();
    struct verify_result  r;
    struct span           kept;
    struct store_options  reading;

    assert_int_equal(store_ledger_checkpoint(x->reader, LEDGER_DISCLOSURES, x->t->arena, &kept), ST_OK);
    ledger_signer_free(&t->signer);
    assert_int_equal(ledger_signer_open(x->t->key, SPAN("test.example/log"), &t->signer, &t->why), ST_OK);
    assert_int_equal(scratch_open(t), ST_OK);
    append(t, RECORD_DISCLOSURE, DISCLOSURES + 10);
    reading          = (struct store_options){ .path = t->file, .read_only = true };
    other_is(x, kept);
    struct store *reader = NULL;
    assert_int_equal(store_open(&reading, &reader, &t->why), ST_OK);
    assert_int_equal(ledger_verify_store(reader, &x->options, &r, &x->report), ST_INTEGRITY);
    buf_add_byte(&x->report, 0);
    assert_non_null(strstr(x->report.at, "the other checkpoint of size 600 does not fit"));
    store_close(&reader);
    scratch_free(t);
}

static void
test_a_checkpoint_of_another_log_is_not_taken_for_ours(void **state)
{
    struct exported      *x     = *state;
    struct ledger_signer *other = NULL;
    struct digest        *d     = digest_new();
    struct ledger_hash    root  = { { 0 } };
    struct buf            note;
    struct verify_result  r;

    buf_init(&note, 4096);
    assert_int_equal(ledger_signer_open(x->t->key, SPAN("elsewhere.example/log"), &other, &x->t->why), ST_OK);
    assert_int_equal(checkpoint_sign(other, d, LEDGER_DISCLOSURES, 5, &root, &note), ST_OK);
    other_is(x, buf_span(&note));
    assert_int_equal(verify(x, &r), ST_INTEGRITY);
    buf_add_byte(&x->report, 0);
    assert_non_null(strstr(x->report.at, "the other checkpoint is of another log, elsewhere.example/log"));
    note.at[note.length - 10] ^= 1;
    assert_int_equal(verify(x, &r), ST_INTEGRITY);
    ledger_signer_free(&other);
    digest_free(&d);
    buf_release(&note);
}

/* ---- tampering with a store ------------------------------------------------------------------------ */

static void
test_every_tampering_with_a_store_is_found_and_named(void **state)
{
    static const struct { const char *sql, *report; } rows[] = {
        { "UPDATE ledger_leaf SET record = replace(record, 'county', 'bounty') WHERE position = 100",
          "leaf 100: the record or its salt was changed" },
        { "UPDATE ledger_leaf SET salt = zeroblob(32) WHERE position = 100", "leaf 100: the record or its salt was changed" },
        { "UPDATE ledger_leaf SET commitment = zeroblob(32) WHERE position = 100", "leaf 100: the record or its salt" },
        { "UPDATE ledger_leaf SET patient = 'Patient/nobody' WHERE position = 100", "leaf 100: the patient beside the record" },
        { "UPDATE ledger_leaf SET kind = 'void' WHERE position = 100", "leaf 100: the kind beside the record" },
        { "UPDATE ledger_leaf SET recipient = '' WHERE position = 100", "leaf 100: the recipient beside the record" },
        { "DELETE FROM ledger_leaf WHERE position = 100", "leaf 101 stands where leaf 100 has to be" },
        { "DELETE FROM ledger_leaf WHERE position = 599", "there are 599 leaves, the checkpoint says 600: the end was cut off" },
        { "UPDATE ledger_tile SET hashes = zeroblob(8192) WHERE position = 1", "tile 0/1 is not that of the leaves" },
        { "DELETE FROM ledger_tile WHERE position = 1", "tile 0/1 is missing" },
        { "UPDATE ledger_log SET checkpoint = replace(checkpoint, '600', '599') WHERE log = 0", "the signature is wrong" },
        { "DELETE FROM ledger_log WHERE log = 1", "denials: there is no checkpoint" },
        { "DELETE FROM lookup WHERE kind = 4 AND value = 100", "leaf 100 is not found by its eventId or patient" },
        { "DELETE FROM lookup WHERE kind = 3 AND value = 100", "leaf 100 is not found by its eventId or patient" },
        { "UPDATE ledger_leaf SET position = CASE position WHEN 100 THEN -1 ELSE position END WHERE position = 100;"
          "UPDATE ledger_leaf SET position = 100 WHERE position = 101;"
          "UPDATE ledger_leaf SET position = 101 WHERE position = -1", "does not continue the chain" },
    };
    struct exported     *x = *state;
    struct verify_result r;
    char                 undo[128], command[512];

    store_close(&x->reader);
    store_close(&x->t->store);                               /* the index is written */
    (void)snprintf(undo, sizeof undo, "%s/whole.db", x->t->folder);
    (void)snprintf(command, sizeof command, "cp %s %s", x->t->file, undo);
    assert_int_equal(system(command), 0);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        (void)snprintf(command, sizeof command, "rm -f %s-wal %s-shm; cp %s %s", x->t->file, x->t->file, undo, x->t->file);
        assert_int_equal(system(command), 0);
        sql(x, rows[i].sql);
        reader_open(x);
        enum status st = verify_store(x, &r);
        buf_add_byte(&x->report, 0);
        if (st != ST_INTEGRITY || strstr(x->report.at, rows[i].report) == NULL)
            fail_msg("%s: %s: %s", rows[i].sql, status_name(st), x->report.at);
        store_close(&x->reader);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_an_export_verifies),
        TEST(test_the_verifier_in_the_export_verifies_it),
        TEST(test_a_store_verifies_while_the_gateway_writes),
        TEST(test_an_empty_ledger_is_exported_and_verifies),
        TEST(test_a_leaf_is_found_by_event_and_patient_and_proved),
        TEST(test_the_leaves_of_a_patient_are_all_found_before_and_behind_the_index),
        TEST(test_every_tampering_with_an_export_is_found_and_named),
        TEST(test_missing_and_foreign_files_are_found),
        TEST(test_any_byte_of_any_part_matters),
        TEST(test_a_forged_ledger_of_another_key_is_found),
        TEST(test_a_newer_checkpoint_shows_that_an_export_was_rolled_back),
        TEST(test_a_rewritten_history_is_found_by_a_checkpoint_kept_elsewhere),
        TEST(test_a_checkpoint_of_another_log_is_not_taken_for_ours),
        TEST(test_every_tampering_with_a_store_is_found_and_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
