/* gateway/ops/filing.c -- papers are filed, ended and marked as reviewed. */
#include "gateway/ops/filing.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/json_author.h"
#include "consent/paper.h"
#include "fhir/datatypes.h"
#include "gateway/ledger/record.h"
#include "gateway/ops/account.h"
#include "gateway/runtime/identity.h"

enum { WHY_BYTES = 2048, ISSUES_MOST = 50 };
#define ARENA_BYTES ((size_t)256 << 20)

struct desk_work {                       /* one request */
    struct arena              *arena;
    const struct tape         *tape;
    const struct paper        *papers;
    struct store_filing       *filings;
    size_t                     count;
    struct author             *out;
    author_value               root, refused;
    bool                       bad;
};

static bool read_request(struct desk_work *, struct span request);
static bool read_add(struct desk_work *, struct span papers);
static bool read_one(struct desk_work *, enum store_filing_act);
static void file_them(struct desk_work *, struct store *);
static void refuse(struct desk_work *, const char *format, ...) __attribute__((format(printf, 2, 3)));

void
filing_do(struct store *store, struct span request, struct span papers, uid_t who, struct buf *answer)
{
    struct desk_work w = { .arena = arena_new("filing", ARENA_BYTES), .out = author_new() };

    w.root    = author_object(w.out);
    w.refused = author_add_array(w.root, "refused");
    if (w.arena != NULL && read_request(&w, request)) {
        struct span what = tape_member_text(w.tape, TAPE_ROOT, SPAN("do"), w.arena);
        bool        good = span_eq_text(what, "add")      ? read_add(&w, papers)
                           : span_eq_text(what, "end")    ? read_one(&w, FILING_END)
                           : span_eq_text(what, "review") ? read_one(&w, FILING_REVIEW)
                                                          : false;
        for (size_t i = 0; i < w.count; i++)
            w.filings[i].who = account_name(who, w.arena);
        if (good && !w.bad)
            file_them(&w, store);
        else if (!w.bad)
            refuse(&w, "it is not said what to do: add, end or review");
    }
    if (w.arena == NULL || arena_spent(w.arena))
        author_add_cstr(w.root, "failed", status_text(ST_NO_MEMORY));
    if (w.out == NULL || author_print(w.out, answer, AUTHOR_COMPACT) != ST_OK) {
        buf_clear(answer);
        buf_add_text(answer, "{\"failed\":\"there is not enough memory\"}");
    }
    author_free(&w.out);
    arena_free(&w.arena);
}

static void
refuse(struct desk_work *w, const char *format, ...)
{
    char    text[1024];
    va_list list;

    va_start(list, format);
    (void)vsnprintf(text, sizeof text, format, list);
    va_end(list);
    author_add_cstr(w->refused, NULL, text);
    w->bad = true;
}

/* ---- what is asked for --------------------------------------------------------------- */

static struct span
text_of(const struct desk_work *w, const char *name)
{
    return tape_member_text(w->tape, TAPE_ROOT, span_of(name), w->arena);
}

static bool
flag_of(const struct desk_work *w, const char *name)
{
    return tape_kind(w->tape, tape_member(w->tape, TAPE_ROOT, span_of(name))) == TAPE_TRUE;
}

static bool
read_request(struct desk_work *w, struct span request)
{
    if (tape_read(request, &tape_default_limits, w->arena, &w->tape, NULL) != ST_OK)
        refuse(w, "the request cannot be read");
    else if (text_of(w, "why").length > WHY_BYTES)
        refuse(w, "--why: want at most %d bytes", WHY_BYTES);
    return !w->bad;
}

/* Only the patient ends a restriction on what the patient paid for, 45 CFR 164.522(a)(1)(vi), (2)(iii). */
static bool
is_patients(const struct paper *p)
{
    return p->kind == PAPER_RESTRICTION && p->as.restriction.self_pay;
}

static bool
read_add(struct desk_work *w, struct span papers)
{
    struct issues *issues = issues_new(w->arena, ISSUES_MOST);
    enum status    st     = issues != NULL ? papers_read(papers, w->arena, issues, &w->papers, &w->count) : ST_NO_MEMORY;

    for (uint32_t i = 0; st == ST_MALFORMED && i < issues_count(issues); i++) {
        const struct issue *one = issues_at(issues, i);
        refuse(w, "%u:%u: %.*s: %.*s%s%.*s", one->line, one->column, SPAN_PRINT(one->expression), SPAN_PRINT(one->wanted),
               span_empty(one->hint) ? "" : "; ", SPAN_PRINT(one->hint));
    }
    if (flag_of(w, "again") && span_empty(text_of(w, "why")))
        refuse(w, "--new-version: say why, with --why");
    w->filings = st == ST_OK ? arena_make_n(w->arena, w->count, struct store_filing) : NULL;
    if (w->filings == NULL) {
        w->count = 0;
        return st == ST_MALFORMED;
    }
    for (size_t i = 0; i < w->count; i++) {
        const struct paper *p = &w->papers[i];
        w->filings[i] = (struct store_filing){
            .act = FILING_ADD, .id = p->id, .kind = p->kind, .patient = p->patient, .body = p->body,
            .sha256 = sha256_hex(w->arena, &p->body, 1), .again = flag_of(w, "again"), .patients = is_patients(p),
            .by_patient = flag_of(w, "byPatient"), .why = text_of(w, "why"),
        };
    }
    return true;
}

int64_t
filing_now_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool
read_one(struct desk_work *w, enum store_filing_act act)
{
    struct span       at = text_of(w, "at");
    struct time_range when = { .first_ms = filing_now_ms() };

    if (!span_empty(at) && !time_range_read(at, &when))
        refuse(w, "--at: want a date or an instant, such as 2026-11-22T15:00:00Z");
    if (span_empty(text_of(w, "why")))
        refuse(w, "--why: say why");
    w->filings = arena_make(w->arena, struct store_filing);
    w->count   = w->filings != NULL;
    if (w->count == 1)
        *w->filings = (struct store_filing){ .act = act, .id = text_of(w, "id"), .why = text_of(w, "why"),
                                             .by_patient = flag_of(w, "byPatient"), .ended_ms = when.first_ms };
    return true;
}

/* ---- doing it ---------------------------------------------------------------------------- */

static void
say_refused(struct desk_work *w, const struct store_filing *f)
{
    static const char *const words[] = {
        [FILING_NOT_REFUSED]   = "",
        [FILING_IS_THERE]      = "there is a paper of this id; --new-version files its next one",
        [FILING_NOT_THERE]     = "there is no paper of this id",
        [FILING_OTHER_KIND]    = "the paper of this id is of another kind: end it, and file this one under an id of its own",
        [FILING_OTHER_PATIENT] = "the paper of this id is about another patient: end it, and file this one under an id of "
                                 "its own",
        [FILING_NEEDS_NONE]    = "it needs no review: only an emergency is looked at afterwards, also one that has ended (42 CFR 2.51(c))",
        [FILING_IS_OVER]       = "it has ended before",
        [FILING_PATIENTS]      = "the patient paid for it: it ends or changes only with the patient's word, "
                                 "--patient-agreed (45 CFR 164.522(a)(2)(iii))",
    };

    if (f->refused != FILING_NOT_REFUSED)
        refuse(w, "%.*s: %s", SPAN_PRINT(f->id), words[f->refused]);
}

/* One record for all of them: which papers came or went, by whom and why.  So what is on file
 * cannot be changed behind the log. */
static enum status
record_of(struct desk_work *w, struct ledger_entry *out)
{
    static const char *const acts[] = { [FILING_ADD] = "filed", [FILING_END] = "ended", [FILING_REVIEW] = "reviewed" };
    struct record_paper     *papers = arena_make_n(w->arena, w->count, struct record_paper);
    const struct store_filing *first = &w->filings[0];
    struct disclosure         d     = {
        .kind = RECORD_FILING, .event_id = record_event_id(w->arena, filing_now_ms()), .decision_ms = filing_now_ms(),
        .act = span_of(acts[first->act]), .account = first->who, .why = first->why, .patient = first->patient,
        .ended_ms = first->act == FILING_END ? first->ended_ms : 0, .by_patient = first->by_patient,
        .papers = papers, .paper_count = w->count,
    };

    if (papers == NULL)
        return ST_NO_MEMORY;
    for (size_t i = 0; i < w->count; i++) {
        papers[i] = (struct record_paper){ .id = w->filings[i].id, .sha256 = w->filings[i].sha256,
                                           .kind = w->papers != NULL ? paper_words(&w->papers[i]) : "" };
        if (!span_eq(w->filings[i].patient, first->patient))
            d.patient = (struct span){ NULL, 0 };
    }
    return record_author(&d, w->arena, out);
}

static void
file_them(struct desk_work *w, struct store *store)
{
    struct ledger_entry record;
    struct store_unit   unit = { .filings = w->filings, .filing_count = w->count, .records = &record, .record_count = 1 };

    if (record_of(w, &record) != ST_OK) {
        author_add_cstr(w->root, "failed", "there is not enough memory; nothing is changed");
        return;
    }
    enum status st = store_submit_and_wait(store, &unit);
    for (size_t i = 0; st == ST_CONFLICT && i < w->count; i++)
        say_refused(w, &w->filings[i]);
    if (st == ST_CONFLICT)
        return;
    if (st != ST_OK) {
        author_add_cstr(w->root, "failed", "the store could not write it; nothing is changed");
        return;
    }
    author_value list = author_add_array(w->root, "filed");
    for (size_t i = 0; i < w->count; i++) {
        const struct store_filing *f   = &w->filings[i];
        author_value               one = author_add_object(list, NULL);
        author_add_text(one, "id", f->id);
        author_add_cstr(one, "kind", paper_kind_text((enum paper_kind)f->kind));
        author_add_integer(one, "version", f->version);
        if (f->act == FILING_ADD && w->papers[i].lacks != NULL)
            author_add_cstr(one, "lacks", w->papers[i].lacks);
    }
}
