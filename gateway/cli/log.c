/* gateway/cli/log.c -- log verify, show, export, prove. */
#include <stdlib.h>

#include "base/json_writer.h"
#include "fhir/datatypes.h"
#include "gateway/cli/desk.h"
#include "gateway/cli/run.h"
#include "gateway/ledger/anchor.h"
#include "gateway/ledger/merkle.h"
#include "gateway/ledger/record.h"
#include "gateway/ledger/verify.h"
#include "gateway/ledger/witness.h"

static const char *const log_names[LEDGER_LOGS] = { "disclosures", "denials" };

struct progress {
    const struct call *call;
    const char        *what;
};

static void
on_progress(void *arg, enum ledger_log log, uint64_t done, uint64_t total)
{
    const struct progress *p = arg;

    (void)log;
    call_progress(p->call, p->what, (size_t)done, (size_t)total);
}

/* ---- log verify -------------------------------------------------------------------------- */

static void
add_log_line(struct buf *out, const struct verify_log *l, const char *name)
{
    char hex[65] = { 0 };

    ledger_hash_hex(&l->root, hex);
    buf_add_format(out, "%-12s %10llu records  %llu destroyed  root %s  %s\n", name, (unsigned long long)l->size,
                   (unsigned long long)l->shredded, hex, l->origin[0] != 0 ? l->origin : "no checkpoint");
}

static enum status
result_json(struct desk *d, const struct verify_result *r, struct span problems, enum status verdict)
{
    struct json_writer w;
    char               hex[64];

    json_writer_open(&w, d->arena);
    json_object(&w, NULL);
    json_bool(&w, "verified", verdict == ST_OK);
    json_array(&w, "logs");
    for (int i = 0; i < LEDGER_LOGS; i++) {
        ledger_hash_hex(&r->log[i].root, hex);
        json_object(&w, NULL);
        json_text(&w, "name", span_of(log_names[i]));
        json_text(&w, "origin", span_of(r->log[i].origin));
        json_integer(&w, "size", (int64_t)r->log[i].size);
        json_integer(&w, "destroyed", (int64_t)r->log[i].shredded);
        json_integer(&w, "destroyedWithoutRecord", (int64_t)r->log[i].unrecorded);
        json_text(&w, "root", span_from(hex, sizeof hex));
        json_end(&w);
    }
    json_end(&w);
    json_array(&w, "problems");
    while (!span_empty(problems))
        json_text(&w, NULL, span_split(&problems, '\n'));
    json_end(&w);
    json_end(&w);
    buf_add(&d->out, json_writer_close(&w));
    buf_add_byte(&d->out, '\n');
    return buf_status(&d->out);
}

/* Problems are what the command is asked for: they go to stdout, each a line. */
static int
verify_tell(const struct call *call, struct desk *d, enum status st, const struct verify_result *r,
            struct buf *report)
{
    if (st != ST_OK && st != ST_INTEGRITY) {
        buf_add(&d->why, buf_span(report));
        return desk_code(st) == EXIT_CODE_NEGATIVE ? EXIT_CODE_DEPENDENCY : desk_code(st);
    }
    if (call_has(call, "json"))
        return result_json(d, r, buf_span(report), st) == ST_OK ? desk_code(st) : EXIT_CODE_DEPENDENCY;
    for (int i = 0; i < LEDGER_LOGS; i++)
        add_log_line(&d->out, &r->log[i], log_names[i]);
    for (struct span rest = buf_span(report); !span_empty(rest);) {
        desk_plain(&d->out, span_split(&rest, '\n'), 0);
        buf_add_byte(&d->out, '\n');
    }
    call_ink(call, &d->out, st == ST_OK ? INK_GREEN : INK_RED,
             st == ST_OK ? SPAN("verified") : SPAN("NOT verified"));
    buf_add_byte(&d->out, '\n');
    return desk_code(st);
}

/* A checkpoint, which has to outlive the verifying. */
static bool
other_add(struct desk *d, struct verify_options *options, struct span note, const char *path)
{
    struct span *to = &options->others[options->other_count++];

    *to = arena_copy(d->arena, note);
    if (span_empty(*to))
        buf_add_format(&d->why, "%s: is empty", path);
    return !span_empty(*to);
}

/* Every witness that is named has to have signed it. */
static int
witnesses_check(const struct call *call, struct desk *d, struct span note)
{
    struct digest *digest = digest_new();
    enum status    st     = digest != NULL ? ST_OK : ST_NO_MEMORY;
    const char    *vkey;

    for (size_t i = 0; st == ST_OK && (vkey = call_value_at(call, "witness", i)) != NULL; i++) {
        struct witness w;
        uint64_t       time = 0;
        st                  = witness_parse(span_of(vkey), digest, &w, &d->why);
        if (st == ST_OK)
            st = witness_check(note, &w, &time, &d->why);
        if (st == ST_OK)
            call_say(call, "the witness %.*s signed the checkpoint, %.*s", SPAN_PRINT(w.name),
                     SPAN_PRINT(time_format(d->arena, (int64_t)time * 1000)));
    }
    digest_free(&digest);
    return st == ST_MALFORMED ? EXIT_CODE_USAGE : desk_code(st);
}

static int
other_read(const struct call *call, struct desk *d, struct verify_options *options)
{
    struct buf  note;
    const char *path = call_value(call, "checkpoint");

    if (path == NULL)
        return EXIT_CODE_OK;
    if (!load_file(call, path, &note))
        return EXIT_CODE_DEPENDENCY;
    int code = witnesses_check(call, d, buf_span(&note));
    if (code == EXIT_CODE_OK && !other_add(d, options, buf_span(&note), path))
        code = EXIT_CODE_INTEGRITY;
    buf_release(&note);
    return code;
}

/* The anchor's, where the configuration has one.  One that cannot be read is told, not passed over. */
static int
anchors_read(struct desk *d, struct verify_options *options)
{
    struct span dir = d->config != NULL ? d->config->ledger.anchor : (struct span){ NULL, 0 };
    struct span note;

    for (int log = 0; log < LEDGER_LOGS && !span_empty(dir); log++) {
        enum status st = anchor_read(dir.at, (enum ledger_log)log, d->arena, &note, &d->why);
        if (st == ST_OK && !other_add(d, options, note, anchor_names[log]))
            return EXIT_CODE_INTEGRITY;
        if (st != ST_OK && st != ST_NOT_FOUND)
            return EXIT_CODE_DEPENDENCY;
    }
    return EXIT_CODE_OK;
}

static int
verify_run(const struct call *call, struct desk *d, struct verify_options *options)
{
    struct verify_result result;
    struct buf           report;
    int                  code = other_read(call, d, options);

    if (code == EXIT_CODE_OK)
        code = anchors_read(d, options);
    if (code != EXIT_CODE_OK)
        return code;
    buf_init(&report, 1 << 20);
    enum status st = d->store != NULL
                         ? ledger_verify_store(d->store, options, &result, &report)
                         : ledger_verify_folder(call_value(call, "dir"), options, &result, &report);
    call_progress(call, "verifying", 0, 0);
    code = verify_tell(call, d, st, &result, &report);
    buf_release(&report);
    return code;
}

static int
verify_folder(const struct call *call, struct desk *d, struct verify_options *options)
{
    *d = (struct desk){ .arena = arena_new("command", (size_t)64 << 20) };
    buf_init(&d->why, 64 << 10);
    buf_init(&d->out, 1 << 20);
    if (d->arena == NULL)
        return EXIT_CODE_DEPENDENCY;
    if (ledger_public_read(call_value(call, "key"), &options->key, &d->why) != ST_OK)
        return EXIT_CODE_DEPENDENCY;
    return verify_run(call, d, options);
}

int
command_log_verify(const struct call *call)
{
    struct progress       progress = { call, "verifying" };
    struct verify_options options  = { .progress = on_progress, .arg = &progress, .strict = call_has(call, "strict") };
    struct desk           d;

    if (call_has(call, "dir") == call_has(call, "config") || call_has(call, "dir") != call_has(call, "key")) {
        call_say(call, "say what to verify: `--config FILE`, or `--dir DIR --key PUBLIC-KEY`");
        return EXIT_CODE_USAGE;
    }
    if (call_has(call, "witness") && !call_has(call, "checkpoint")) {
        call_say(call, "--witness: say with --checkpoint which one the witness signed");
        return EXIT_CODE_USAGE;
    }
    if (call_has(call, "dir"))
        return desk_close(call, &d, verify_folder(call, &d, &options));
    int code = desk_open(call, &d);
    if (code == EXIT_CODE_OK)
        code = desk_key(&d, &options.key);
    if (code == EXIT_CODE_OK)
        code = verify_run(call, &d, &options);
    return desk_close(call, &d, code);
}

/* ---- log show ------------------------------------------------------------------------------- */

struct show {
    const struct call *call;
    struct desk       *desk;
    const char        *to, *kind, *basis;
    struct span        patient;          /* empty: anybody */
    int64_t            since, until;
    bool               json;
    struct span       *ring;             /* --limit: the newest lines */
    uint64_t           limit, count;
    int                code;
};

static bool
is_wanted(const struct show *s, const struct ledger_leaf *leaf)
{
    return (s->to == NULL || span_eq_text(leaf->recipient, s->to)) &&
           (s->kind == NULL ? !span_eq_text(leaf->kind, "rows") : span_eq_text(leaf->kind, s->kind)) && leaf->at_ms >= s->since &&
           leaf->at_ms <= s->until && !span_empty(leaf->record);
}

static void
add_show_line(struct show *s, const struct tape *t, const struct ledger_leaf *leaf, struct buf *out)
{
    struct desk *d    = s->desk;
    struct span  what = desk_member(d, t, TAPE_ROOT, "briefDescription");

    if (span_empty(what))
        what = desk_member(d, t, TAPE_ROOT, "voids");
    buf_add(out, time_format(d->arena, leaf->at_ms));
    buf_add_text(out, "  ");
    desk_plain(out, leaf->kind, 10);
    buf_add_text(out, "  ");
    desk_plain(out, leaf->patient, 16);
    buf_add_text(out, "  ");
    desk_plain(out, leaf->recipient, 16);
    buf_add_text(out, "  ");
    desk_plain(out, desk_member(d, t, TAPE_ROOT, "decision"), 7);
    buf_add_text(out, "  ");
    desk_plain(out, desk_member(d, t, TAPE_ROOT, "basis"), 0);
    buf_add_text(out, "  ");
    desk_plain(out, what, 0);
    buf_add_text(out, "  ");
    desk_plain(out, leaf->event_id, 0);
    buf_add_byte(out, '\n');
}

/* Printed at once, or kept in the ring of the newest. */
static void
line_done(struct show *s, struct buf *line)
{
    if (s->limit == 0) {
        s->code = call_print_buf(s->call, line);
        return;
    }
    struct span *slot = &s->ring[s->count++ % s->limit];
    free((char *)(uintptr_t)slot->at);
    slot->at = buf_detach(line, &slot->length);
}

static bool
on_show(const struct ledger_leaf *leaf, void *arg)
{
    struct show       *s    = arg;
    struct arena_mark  mark = arena_mark(s->desk->arena);
    const struct tape *t;
    struct buf         line;

    if (!is_wanted(s, leaf))
        return true;
    buf_init(&line, 2 * RECORD_MAX_BYTES);
    if (tape_read(leaf->record, &tape_default_limits, s->desk->arena, &t, NULL) != ST_OK) {
        buf_add_format(&s->desk->why, "leaf %llu is not JSON: run `sluice log verify`", (unsigned long long)leaf->index);
        s->code = EXIT_CODE_INTEGRITY;
    } else if (s->basis == NULL || span_starts(desk_member(s->desk, t, TAPE_ROOT, "basis"), span_of(s->basis))) {
        if (s->json) {
            buf_add(&line, leaf->record);
            buf_add_byte(&line, '\n');
        } else {
            add_show_line(s, t, leaf, &line);
        }
        line_done(s, &line);
    }
    buf_release(&line);
    arena_reset(s->desk->arena, mark);
    return s->code == EXIT_CODE_OK;
}

/* One that no record can have, or none of this log, would look like an empty log. */
static bool
kind_fits(const struct call *call, const char *kind)
{
    static const char *const kinds[LEDGER_LOGS][7] = { { "disclosure", "void" },
                                                                 { "denial", "filing", "review", "rows", "reading", "shredding" } };
    bool                     denials               = call_has(call, "denials"), there[LEDGER_LOGS] = { false, false };

    for (int log = 0; log < LEDGER_LOGS && kind != NULL; log++)
        for (size_t i = 0; kinds[log][i] != NULL; i++)
            there[log] = there[log] || strcmp(kind, kinds[log][i]) == 0;
    if (kind == NULL || there[denials ? LEDGER_DENIALS : LEDGER_DISCLOSURES])
        return true;
    if (there[denials ? LEDGER_DISCLOSURES : LEDGER_DENIALS])
        call_say(call, "--kind %s: such records are in the log of %s: %s --denials", kind, denials ? "disclosures" : "denials",
                 denials ? "leave out" : "add");
    else
        call_say(call, "--kind %s: want disclosure or void, or of the denials denial, filing, review, rows, reading or shredding", kind);
    return false;
}

static bool
show_filters(const struct call *call, struct show *s)
{
    const char *limit = call_value(call, "limit");

    s->to      = call_value(call, "to");
    s->kind    = call_value(call, "kind");
    s->basis   = call_value(call, "basis");
    s->json    = call_has(call, "json");
    s->since   = INT64_MIN;
    s->until   = INT64_MAX;
    if (limit != NULL && (!span_to_u64(span_of(limit), &s->limit) || s->limit == 0 || s->limit > 100000)) {
        call_say(call, "--limit %s: want a number from 1 to 100000", limit);
        return false;
    }
    return kind_fits(call, s->kind) && desk_time(call, "since", false, &s->since) && desk_time(call, "until", true, &s->until);
}

static void
ring_print(struct show *s)
{
    uint64_t from = s->count > s->limit ? s->count - s->limit : 0;

    for (uint64_t i = from; i < s->count && s->code == EXIT_CODE_OK; i++)
        s->code = call_print(s->call, s->ring[i % s->limit]);
    for (uint64_t i = 0; i < s->limit; i++)
        free((char *)(uintptr_t)s->ring[i].at);
    free(s->ring);
}

int
command_log_show(const struct call *call)
{
    struct desk     d;
    struct show     s   = { .call = call, .desk = &d };
    enum ledger_log log = call_has(call, "denials") ? LEDGER_DENIALS : LEDGER_DISCLOSURES;

    if (!show_filters(call, &s))
        return EXIT_CODE_USAGE;
    int code = desk_open(call, &d);
    if (code == EXIT_CODE_OK && !desk_patient(call, call_value(call, "patient"), d.arena, &s.patient))
        code = EXIT_CODE_USAGE;
    if (code == EXIT_CODE_OK && s.limit > 0)
        s.ring = calloc(s.limit, sizeof *s.ring);
    if (code == EXIT_CODE_OK && s.limit > 0 && s.ring == NULL)
        code = EXIT_CODE_DEPENDENCY;
    if (code == EXIT_CODE_OK) {
        enum status st = !span_empty(s.patient)
                             ? store_ledger_visit_patient(d.store, log, s.patient, on_show, &s)
                             : store_ledger_visit(d.store, log, 0, on_show, &s);
        code = st == ST_OK ? s.code : desk_code(st);
    }
    if (s.ring != NULL)
        ring_print(&s);
    return desk_close(call, &d, code == EXIT_CODE_OK ? s.code : code);
}

/* ---- log export -------------------------------------------------------------------------------- */

int
command_log_export(const struct call *call)
{
    struct progress       progress = { call, "exporting" };
    struct export_options options  = { .dir = call_value(call, "dir"), .progress = on_progress, .arg = &progress };
    struct export_result  result   = { { 0 } };
    struct desk           d;
    int                   code = desk_open(call, &d);

    if (code == EXIT_CODE_OK)
        code = desk_key(&d, &options.key);
    if (code != EXIT_CODE_OK)
        return desk_close(call, &d, code);
    enum status st = ledger_export(d.store, &options, &result, &d.why);
    call_progress(call, "exporting", 0, 0);
    if (st == ST_OK)
        buf_add_format(&d.out, "%s: %llu disclosures, %llu denials\n", options.dir,
                       (unsigned long long)result.size[LEDGER_DISCLOSURES],
                       (unsigned long long)result.size[LEDGER_DENIALS]);
    return desk_close(call, &d, st == ST_CONFLICT ? EXIT_CODE_USAGE : desk_code(st));
}

/* ---- log prove ----------------------------------------------------------------------------------- */

/* c2sp.org/tlog-proof@v1; the extra data is the commitment, which is what the
 * leaf hash is made of, so the proof holds also when the record is gone. */
static void
add_proof(struct buf *out, const struct ledger_leaf *leaf, const struct merkle_proof *proof, struct span note)
{
    buf_add_text(out, "c2sp.org/tlog-proof@v1\nextra ");
    base64_add(out, leaf->commitment.bytes, sizeof leaf->commitment.bytes);
    buf_add_format(out, "\nindex %llu\n", (unsigned long long)leaf->index);
    for (size_t i = 0; i < proof->count; i++) {
        base64_add(out, proof->hash[i].bytes, sizeof proof->hash[i].bytes);
        buf_add_byte(out, '\n');
    }
    buf_add_byte(out, '\n');
    buf_add(out, note);
}

/* A proof that does not verify is not handed out. */
static enum status
prove(struct desk *d, const struct ledger_public *key, struct span event_id)
{
    struct ledger_leaf  leaf;
    struct merkle_proof proof;
    struct checkpoint   head;
    struct ledger_hash  hash;
    enum ledger_log     log;
    struct span         note;
    struct digest      *digest = digest_new();
    enum status         st     = digest != NULL ? store_hold(d->store) : ST_NO_MEMORY;

    if (st == ST_OK)
        st = store_ledger_find(d->store, event_id, d->arena, &log, &leaf);
    if (st == ST_OK)
        st = store_ledger_checkpoint(d->store, log, d->arena, &note);
    if (st == ST_OK)
        st = checkpoint_verify(note, key, digest, (struct span){ NULL, 0 }, &head, &d->why);
    if (st == ST_OK && leaf.index >= head.size)
        st = ST_INTEGRITY;
    if (st == ST_OK)
        st = store_ledger_prove(d->store, log, leaf.index, head.size, &proof);
    if (st == ST_OK) {
        merkle_leaf(digest, leaf.commitment.bytes, sizeof leaf.commitment.bytes, &hash);
        if (merkle_verify_inclusion(digest, leaf.index, head.size, &hash, &proof, &head.root))
            add_proof(&d->out, &leaf, &proof, note);
        else
            st = ST_INTEGRITY;
    }
    if (st == ST_NOT_FOUND)
        buf_add_format(&d->why, "there is no record with the eventId %.*s", SPAN_PRINT(event_id));
    if (st == ST_INTEGRITY && d->why.length == 0)
        buf_add_text(&d->why, "the leaf does not fit the checkpoint: run `sluice log verify`");
    store_let_go(d->store);
    digest_free(&digest);
    return st;
}

int
command_log_prove(const struct call *call)
{
    struct ledger_public key;
    struct desk          d;
    int                  code = desk_open(call, &d);

    if (code == EXIT_CODE_OK)
        code = desk_key(&d, &key);
    if (code == EXIT_CODE_OK)
        code = desk_code(prove(&d, &key, span_of(call->arguments[0])));
    return desk_close(call, &d, code);
}
