/* gateway/ops/control_review.c -- the review queue, over the control socket. */
#include "gateway/ops/control_review.h"

#include <pthread.h>
#include <string.h>
#include <time.h>

#include "base/json_tape.h"
#include "consent/review.h"
#include "gateway/cli/exit.h"
#include "gateway/deliver/deliver.h"
#include "gateway/gateway.h"
#include "gateway/ledger/record.h"
#include "gateway/ops/account.h"
#include "gateway/ops/log.h"
#include "gateway/ops/review_text.h"

enum { WHY_BYTES = 2000, ARENA_BYTES = 8 << 20 };

struct hearing {                         /* one line, and who sent it */
    struct gateway               *gateway;
    struct config                *config;
    struct arena                 *arena;
    struct buf                   *out;
    const struct tape            *tape;
    uid_t                         peer;
    bool                          own;
    const struct config_reviewer *reviewer;          /* NULL: the account is nobody's */
    int64_t                       id;
    struct span                   word, why, as, finding, account, role;
};

static void listen_to(struct hearing *);
static void act(struct hearing *, bool release);
static void tried(struct hearing *, const struct store_review_row *, const char *why);

static void
refuse(struct hearing *h, int code, const char *text)
{
    struct author *a    = author_new();
    author_value   root = author_object(a);

    buf_clear(h->out);
    author_add_cstr(root, "error", text);
    author_add_integer(root, "exit", code);
    if (author_print(a, h->out, AUTHOR_COMPACT) != ST_OK)
        buf_clear(h->out);
    buf_add_byte(h->out, '\n');
    author_free(&a);
}

static int64_t
number_of(struct hearing *h, const char *name)
{
    tape_node node  = tape_member(h->tape, TAPE_ROOT, span_of(name));
    uint64_t  value = 0;

    return tape_kind(h->tape, node) == TAPE_NUMBER && span_to_u64(tape_raw(h->tape, node), &value) && value <= INT64_MAX
               ? (int64_t)value : 0;
}

static struct span
text_of(struct hearing *h, const char *name)
{
    return tape_member_text(h->tape, TAPE_ROOT, span_of(name), h->arena);
}

void
control_review(struct gateway *gateway, uid_t peer, bool own, struct span line, struct buf *out)
{
    struct hearing h = { .gateway = gateway, .config = gateway_config(gateway), .arena = arena_new("review", ARENA_BYTES),
                         .out = out, .peer = peer, .own = own };

    if (h.arena == NULL || tape_read(line, &tape_default_limits, h.arena, &h.tape, NULL) != ST_OK)
        refuse(&h, EXIT_CODE_USAGE, "the line cannot be read");
    else
        listen_to(&h);
    arena_free(&h.arena);
    config_unpin(&h.config);
}

/* A2.  The number of sections that fit; `reviewer` is the one, or the named one. */
static size_t
find_reviewer(struct hearing *h)
{
    size_t count = 0;
    uid_t  uid;

    for (size_t i = 0; i < h->config->reviewer_count; i++) {
        const struct config_reviewer *r = &h->config->reviewers[i];
        if (!account_uid(r->account, &uid) || uid != h->peer || (!span_empty(h->as) && !span_eq(h->as, r->title)))
            continue;
        count++;
        h->reviewer = r;
    }
    if (count != 1)
        h->reviewer = NULL;
    return count;
}

static void
listen_to(struct hearing *h)
{
    h->word    = text_of(h, "word");
    h->id      = number_of(h, "id");
    h->as      = text_of(h, "as");
    h->why     = span_trim(text_of(h, "why"));
    h->finding = text_of(h, "finding");
    h->account = arena_format(h->arena, "uid %lld", (long long)h->peer);
    size_t reviewers = find_reviewer(h);

    bool release = span_eq_text(h->word, "release");
    if (release || span_eq_text(h->word, "refuse")) {
        if (reviewers > 1)
            refuse(h, EXIT_CODE_USAGE, "several reviewers have this account: say which one with --as");
        else
            act(h, release);
        return;
    }
    if (!h->own && reviewers == 0) {                                        /* A1 */
        refuse(h, EXIT_CODE_PERMISSION, "no `reviewer` section of the configuration has this account");
        return;
    }
    struct store_review_filter filter = {
        .id = h->id, .kind = text_of(h, "kind"), .patient = text_of(h, "patient"), .recipient = text_of(h, "recipient"),
        .state = review_state_of(text_of(h, "state")), .after = number_of(h, "after"), .limit = (uint32_t)number_of(h, "limit"),
    };
    enum status st = ST_UNSUPPORTED;
    if (span_eq_text(h->word, "list"))
        st = review_text_list(h->gateway->store, &filter, h->out);
    else if (span_eq_text(h->word, "show"))
        st = review_text_show(h->gateway->store, h->id, h->out);
    else if (span_eq_text(h->word, "content"))
        st = review_text_content(h->gateway->store, h->id, h->out);
    if (st == ST_NOT_FOUND)
        refuse(h, EXIT_CODE_NEGATIVE, "there is no such item, or what it is about is not kept any more");
    else if (st == ST_INTEGRITY)
        refuse(h, EXIT_CODE_INTEGRITY, "what is kept is not what the item is about");
    else if (st != ST_OK)
        refuse(h, EXIT_CODE_DEPENDENCY, "it could not be read");
}

/* ---- acting ---------------------------------------------------------------------------- */

/* What the next decisions are told. */
static enum finding
finding_of(const struct hearing *h, enum review_kind kind, bool release)
{
    if (!review_settles(kind))
        return FINDING_NONE;
    if (!release)
        return FINDING_REFUSED;
    if (kind == REVIEW_LEGAL || kind == REVIEW_STATE || kind == REVIEW_PROGRAM || kind == REVIEW_REVIVED)
        return FINDING_LAWFUL;
    return span_eq_text(h->finding, "part2") ? FINDING_PART2 : FINDING_CLEAR;
}

/* A3.  The role that it is done in: the first that the kind asks for. */
static bool
has_role(struct hearing *h, enum review_kind kind)
{
    for (size_t i = 0; h->reviewer != NULL && i < h->reviewer->role_count; i++)
        if ((review_roles(kind) & (unsigned)review_role_of(h->reviewer->roles[i])) != 0) {
            h->role = h->reviewer->roles[i];
            return true;
        }
    return false;
}

struct deed {                            /* an act on its way into the store */
    struct store_unit       unit;        /* first */
    struct store_review_act act;
    struct ledger_entry     record;
    pthread_mutex_t         lock;
    pthread_cond_t          done;
    bool                    is_done;
};

static void
on_done(struct task *task)
{
    struct deed *d = (struct deed *)(void *)task;

    (void)pthread_mutex_lock(&d->lock);
    d->is_done = true;
    (void)pthread_cond_signal(&d->done);
    (void)pthread_mutex_unlock(&d->lock);
}

static int64_t
wall_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* The record in the log of denials (docs/decisions/0032). */
static enum status
author_record(struct hearing *h, const struct store_review_row *row, const struct store_review_act *a, struct ledger_entry *out)
{
    static const struct store_review none;
    const struct store_review *item    = row != NULL ? &row->item : &none;
    const char                *finding = review_finding_text(a->finding);
    struct record_review       review  = {
        .item = a->review, .key = item->key, .kind = item->kind, .act = a->verb, .reviewer = a->reviewer, .account = a->account,
        .role = a->role, .why = a->why, .finding = finding != NULL ? span_of(finding) : (struct span){ NULL, 0 },
        .resource = item->resource, .sha256 = item->sha256,
    };
    struct record_basis rule = { .rule = item->rule, .citation = item->citation,
                                 .words = span_of(review_words(review_of_code(item->kind))) };
    struct disclosure   d    = {
        .kind = RECORD_REVIEW, .event_id = a->event_id, .decision_ms = wall_ms(), .client = item->client,
        .patient = item->patient, .discloser.system = SPAN("sluice"), .recipient.name = item->recipient,
        .review = &review, .withheld = &rule, .withheld_reason_count = span_empty(item->rule) ? 0 : 1,
    };
    return record_author(&d, h->arena, out);
}

/* A4 */
static enum status
commit(struct hearing *h, const struct store_review_row *row, struct deed *d)
{
    d->act.reviewer = h->reviewer != NULL ? h->reviewer->title : h->as;
    d->act.account  = h->account;
    d->act.role     = h->role;
    d->act.why      = h->why;
    d->act.event_id = record_event_id(h->arena, wall_ms());
    enum status st  = author_record(h, row, &d->act, &d->record);
    if (st != ST_OK)
        return st;
    d->unit = (struct store_unit){ .done.run = on_done, .records = &d->record, .record_count = 1, .review_act = &d->act };
    (void)pthread_mutex_init(&d->lock, NULL);
    (void)pthread_cond_init(&d->done, NULL);
    store_submit(h->gateway->store, &d->unit);
    (void)pthread_mutex_lock(&d->lock);
    while (!d->is_done)
        (void)pthread_cond_wait(&d->done, &d->lock);
    (void)pthread_mutex_unlock(&d->lock);
    (void)pthread_cond_destroy(&d->done);
    (void)pthread_mutex_destroy(&d->lock);
    log_event(LOG_INFO_LEVEL, "review.act", LOG_F_COUNT("item", d->act.review),
              LOG_F_CODE("result", d->unit.status == ST_OK ? (d->act.tried ? "not-permitted" : "done") : "failed"));
    return d->unit.status;
}

static void
tried(struct hearing *h, const struct store_review_row *row, const char *why)
{
    struct deed d = { .act = { .review = row != NULL ? row->id : 0, .tried = true, .verb = SPAN("not-permitted") } };

    if (commit(h, row, &d) == ST_OK)
        refuse(h, EXIT_CODE_PERMISSION, why);
    else
        refuse(h, EXIT_CODE_DEPENDENCY, "not permitted, and the try could not be recorded");
}

static void
answer(struct hearing *h, const struct deed *d)
{
    struct author *a    = author_new();
    author_value   root = author_object(a);

    author_add_integer(root, "id", d->act.review);
    author_add_cstr(root, "state", review_state_text(d->act.to));
    author_add_cstr(root, "finding", review_finding_text(d->act.finding));
    author_add_text(root, "reviewer", h->reviewer->title);
    author_add_text(root, "eventId", d->act.event_id);
    author_add_bool(root, "queued", d->act.queued);
    author_add_cstr(root, "notQueued", d->act.not_queued);
    if (author_print(a, h->out, AUTHOR_COMPACT) != ST_OK)
        buf_clear(h->out);
    buf_add_byte(h->out, '\n');
    author_free(&a);
}

static const char *
wrong_words(const struct hearing *h, enum review_kind kind, bool release)
{
    bool content = kind == REVIEW_HELD_CONTENT || kind == REVIEW_SUSPECT || kind == REVIEW_CONTRADICTION;

    if (span_empty(h->why) || h->why.length > WHY_BYTES)
        return "say why, in 1 to 2000 bytes";
    if (span_empty(h->finding))
        return NULL;
    if (!span_eq_text(h->finding, "clear") && !span_eq_text(h->finding, "part2"))
        return "a finding is clear or part2";
    return release && content ? NULL : "a finding goes with the release of held content and of suspect records alone";
}

static void
act(struct hearing *h, bool release)
{
    struct store_review_filter one   = { .id = h->id, .state = -1, .limit = 1 };
    struct store_review_row   *row   = NULL;
    size_t                     count = 0;

    if (h->id > 0 && store_review_list(h->gateway->store, &one, h->arena, &row, &count) != ST_OK) {
        refuse(h, EXIT_CODE_DEPENDENCY, "the item could not be read");
        return;
    }
    row                   = count > 0 ? row : NULL;
    enum review_kind kind = row != NULL ? review_of_code(row->item.kind) : REVIEW_NONE;
    const char      *no   = wrong_words(h, kind, release);
    if (h->reviewer == NULL)
        tried(h, row, "no `reviewer` section of the configuration has this account, or none of that name");
    else if (row == NULL)
        refuse(h, EXIT_CODE_NEGATIVE, "there is no such item");
    else if (!has_role(h, kind))
        tried(h, row, "this reviewer has none of the roles that this kind asks for (sluice review show)");
    else if (no != NULL)
        refuse(h, EXIT_CODE_USAGE, no);
    if (h->reviewer == NULL || row == NULL || span_empty(h->role) || no != NULL)
        return;
    struct deed d = { .act = {
        .review = row->id, .acts = row->acts, .to = release ? REVIEW_LET_GO : REVIEW_TURNED_DOWN,
        .finding = (int)finding_of(h, kind, release), .deliver = release && review_settles(kind) && kind != REVIEW_REVIVED,
        .upholds = kind == REVIEW_REVIVED,
        .verb = release ? SPAN("release") : SPAN("refuse"),
    } };
    if (row->state == d.act.to && row->finding == d.act.finding) {          /* A5 */
        refuse(h, EXIT_CODE_NEGATIVE, release ? "it was released already" : "it was refused already");
        return;
    }
    enum status st = commit(h, row, &d);
    if (st == ST_CONFLICT)
        refuse(h, EXIT_CODE_NEGATIVE, "somebody did something about it just now: look again");
    else if (st != ST_OK)
        refuse(h, EXIT_CODE_DEPENDENCY, "it could not be made durable, and has no effect");
    else
        answer(h, &d);
    if (st == ST_OK && d.act.queued)
        deliver_wake(h->gateway->deliver);
}

void
control_review_status(struct gateway *gateway, author_value root)
{
    uint64_t open;
    int64_t  oldest;

    if (store_review_oldest(gateway->store, &open, &oldest) != ST_OK)
        return;
    author_value review = author_add_object(root, "review");
    author_add_integer(review, "open", (int64_t)open);
    if (open > 0)
        author_add_integer(review, "oldestSeconds", wall_ms() > oldest ? (wall_ms() - oldest) / 1000 : 0);
}
