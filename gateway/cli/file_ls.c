/* gateway/cli/file_ls.c -- file ls, file show: what is on file, and how it came there. */
#include "base/json_author.h"
#include "base/json_writer.h"
#include "consent/paper.h"
#include "fhir/datatypes.h"
#include "gateway/cli/desk.h"
#include "gateway/cli/run.h"
#include "gateway/ops/filing.h"
#include "gateway/runtime/identity.h"

struct listing {
    const struct call *call;
    struct desk       *desk;
    struct author     *out;              /* --json */
    author_value       list;
    int64_t            now_ms;
    size_t             count;
    bool               whole;            /* every version, with the paper */
    int                code;
};

static bool visit(const struct store_filed *, void *arg);
static int  stood(const struct call *, struct store_filed_query);

static const char *const acts[] = { "", "filed", "ended", "reviewed" };

static int
list(const struct call *call, struct store_filed_query query, bool whole)
{
    struct desk    d;
    int            code = desk_open(call, &d);
    struct listing l    = { .call = call, .desk = &d, .now_ms = filing_now_ms(), .whole = whole,
                            .out = call_has(call, "json") ? author_new() : NULL };

    if (l.out != NULL)
        l.list = author_add_array(author_object(l.out), whole ? "versions" : "papers");
    if (code == EXIT_CODE_OK && !desk_patient(call, call_value(call, "patient"), d.arena, &query.patient))
        code = EXIT_CODE_USAGE;
    if (code == EXIT_CODE_OK)
        code = desk_code(store_filed_visit(d.store, &query, visit, &l));
    if (code == EXIT_CODE_OK && l.code != EXIT_CODE_OK)
        code = l.code;
    if (code == EXIT_CODE_OK && whole && l.count == 0) {
        buf_add_format(&d.why, "%.*s: there is no paper of this id", SPAN_PRINT(query.id));
        code = EXIT_CODE_NEGATIVE;
    }
    if (l.out != NULL && author_print(l.out, &d.out, AUTHOR_COMPACT) == ST_OK)
        buf_add_byte(&d.out, '\n');
    author_free(&l.out);
    if ((code == EXIT_CODE_OK || code == EXIT_CODE_INTEGRITY) && buf_status(&d.out) != ST_OK)
        code = EXIT_CODE_DEPENDENCY;
    return desk_close(call, &d, code);
}

int
command_file_ls(const struct call *call)
{
    struct store_filed_query query = { .patient = { NULL, 0 } };
    const char              *kind  = call_value(call, "kind");

    query.kind = kind != NULL ? (unsigned)paper_kind_of(span_of(kind)) : (unsigned)PAPER_NONE;
    if (kind != NULL && query.kind == PAPER_NONE) {
        call_say(call, "--kind %s: want document, relationship, restriction, circumstance or emergency", kind);
        return EXIT_CODE_USAGE;
    }
    if (call_has(call, "at") && !call_has(call, "papers")) {
        call_say(call, "--at says as of when --papers are wanted");
        return EXIT_CODE_USAGE;
    }
    if (call_has(call, "review"))
        query.kind = PAPER_EMERGENCY;
    return call_has(call, "papers") ? stood(call, query) : list(call, query, false);
}

int
command_file_show(const struct call *call)
{
    return list(call, (struct store_filed_query){ .id = span_of(call->arguments[0]), .history = true }, true);
}

/* ---- a paper ----------------------------------------------------------------------------- */

/* Whether it is what was filed: the bytes that records of the ledger name. */
static const char *
state_of(const struct listing *l, const struct store_filed *f, const struct paper *p)
{
    if (f->ended_ms <= l->now_ms || (p->kind == PAPER_EMERGENCY && p->as.emergency.to_ms < l->now_ms))
        return "ended";                  /* by somebody, or as it said itself */
    if (f->ended_ms < INT64_MAX)
        return "ends";
    return p->lacks != NULL ? "lacks" : "stands";
}

static void
add_json(struct listing *l, const struct store_filed *f, const struct paper *p)
{
    struct arena *arena = l->desk->arena;
    author_value  one   = author_add_object(l->list, NULL);

    author_add_text(one, "id", f->id);
    author_add_cstr(one, "kind", paper_kind_text((enum paper_kind)f->kind));
    author_add_cstr(one, "what", paper_words(p));
    if (!span_empty(f->patient))
        author_add_text(one, "patient", f->patient);
    author_add_cstr(one, "state", state_of(l, f, p));
    author_add_integer(one, "version", f->version);
    author_add_cstr(one, "act", acts[f->act]);
    author_add_text(one, "at", time_format(arena, f->at_ms));
    author_add_text(one, "who", f->who);
    if (!span_empty(f->why))
        author_add_text(one, "why", f->why);
    if (f->ended_ms < INT64_MAX) {
        author_add_text(one, "ended", time_format(arena, f->ended_ms));
        author_add_bool(one, "endedByPatient", f->ended_by_patient);
    }
    if (f->kind == PAPER_EMERGENCY)
        author_add_bool(one, "reviewed", f->reviewed);
    if (p->lacks != NULL)
        author_add_cstr(one, "lacks", p->lacks);
    author_add_text(one, "sha256", f->sha256);
    if (l->whole)
        author_add_text(one, "paper", f->body);
}

static void
add_line(struct listing *l, const struct store_filed *f, const struct paper *p)
{
    struct buf *out = &l->desk->out;

    desk_plain(out, f->id, 24);
    buf_add_byte(out, ' ');
    desk_plain(out, span_of(paper_words(p)), 24);
    buf_add_byte(out, ' ');
    desk_plain(out, span_empty(f->patient) ? SPAN("-") : f->patient, 20);
    buf_add_byte(out, ' ');
    desk_plain(out, span_of(state_of(l, f, p)), 7);
    buf_add_format(out, " v%lld %s ", (long long)f->version, acts[f->act]);
    buf_add(out, time_format(l->desk->arena, f->at_ms));
    buf_add_text(out, " by ");
    desk_plain(out, f->who, 0);
    if (f->ended_ms < INT64_MAX) {
        buf_add_text(out, f->ended_by_patient ? ", end by the patient's word " : ", end ");
        buf_add(out, time_format(l->desk->arena, f->ended_ms));
    }
    if (f->kind == PAPER_EMERGENCY)
        buf_add_text(out, f->reviewed ? ", reviewed" : ", review is due");
    if (p->lacks != NULL)
        buf_add_format(out, ", nothing goes by it: %s", p->lacks);
    buf_add_byte(out, '\n');
}

static void
add_whole(struct listing *l, const struct store_filed *f, const struct paper *p)
{
    struct buf *out = &l->desk->out;

    add_line(l, f, p);
    if (!span_empty(f->why)) {
        buf_add_text(out, "  why     ");
        desk_plain(out, f->why, 0);
        buf_add_byte(out, '\n');
    }
    buf_add_text(out, "  sha256  ");
    desk_plain(out, f->sha256, 0);
    buf_add_text(out, "\n  paper   ");
    desk_plain(out, f->body, 0);
    buf_add_byte(out, '\n');
}

static bool
visit(const struct store_filed *f, void *arg)
{
    struct listing    *l     = arg;
    struct desk       *d     = l->desk;
    struct arena_mark  mark  = arena_mark(d->arena);
    struct paper       p     = { .kind = PAPER_NONE };
    bool               ended = f->ended_ms <= l->now_ms;
    bool               sound = paper_read((enum paper_kind)f->kind, f->body, d->arena, &p) == ST_OK
                 && span_eq(sha256_hex(d->arena, &f->body, 1), f->sha256);

    if (!sound) {
        buf_add_format(&d->why, "%.*s: version %lld is not what was filed\n", SPAN_PRINT(f->id), (long long)f->version);
        l->code = EXIT_CODE_INTEGRITY;
    }
    if (l->whole || ((!ended || call_has(l->call, "all")) && (!f->reviewed || !call_has(l->call, "review")))) {
        l->count++;
        if (l->out != NULL)
            add_json(l, f, &p);
        else if (l->whole)
            add_whole(l, f, &p);
        else
            add_line(l, f, &p);
    }
    arena_reset(d->arena, mark);
    return buf_status(&d->out) == ST_OK;
}

/* ---- what stood ---------------------------------------------------------------------------- */

/* The newest version of an id at that moment, until the next id comes. */
struct standing_papers {
    struct json_writer w;
    int64_t            at_ms;
    struct buf         id, body;
    bool               stands;
};

static void
flush(struct standing_papers *s)
{
    if (s->stands)
        json_copy(&s->w, (struct span){ NULL, 0 }, buf_span(&s->body));
    s->stands = false;
}

static bool
visit_standing(const struct store_filed *f, void *arg)
{
    struct standing_papers *s = arg;

    if (!span_eq(f->id, buf_span(&s->id)))
        flush(s);
    if (f->at_ms > s->at_ms)
        return true;
    buf_clear(&s->id);
    buf_clear(&s->body);
    buf_add(&s->id, f->id);
    buf_add(&s->body, f->body);
    s->stands = f->ended_ms > s->at_ms;
    return buf_status(&s->body) == ST_OK && buf_status(&s->id) == ST_OK;
}

/* In the form of a request file, so that `explain` decides with what the gateway decided with. */
static int
stood(const struct call *call, struct store_filed_query query)
{
    struct desk            d;
    struct standing_papers s    = { .at_ms = filing_now_ms() };
    int                    code = desk_open(call, &d);
    unsigned               only = query.kind;

    buf_init(&s.id, 4096);
    buf_init(&s.body, 2 * PAPER_BYTES);
    if (code == EXIT_CODE_OK && (!desk_time(call, "at", false, &s.at_ms)
                                 || !desk_patient(call, call_value(call, "patient"), d.arena, &query.patient)))
        code = EXIT_CODE_USAGE;
    query.history = query.by_id = true;
    if (code == EXIT_CODE_OK) {
        json_writer_open(&s.w, d.arena);
        json_object(&s.w, NULL);
        for (unsigned kind = PAPER_NONE + 1; kind < PAPER_SUSPENSION && code == EXIT_CODE_OK; kind++) {    /* a request file has none */
            query.kind = kind;
            json_array(&s.w, paper_kind_list((enum paper_kind)kind));
            if (only == PAPER_NONE || only == kind)
                code = desk_code(store_filed_visit(d.store, &query, visit_standing, &s));
            flush(&s);
            json_end(&s.w);
        }
        json_end(&s.w);
        buf_add(&d.out, json_writer_close(&s.w));
        buf_add_byte(&d.out, '\n');
        if (buf_status(&d.out) != ST_OK || buf_status(&s.body) != ST_OK || d.out.length < 3)
            code = EXIT_CODE_DEPENDENCY;
    }
    buf_release(&s.id);
    buf_release(&s.body);
    return desk_close(call, &d, code);
}
