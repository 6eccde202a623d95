/* gateway/cli/review.c -- review ls, show, release, refuse.
 *
 * Reading goes to the store itself, whether a gateway runs or not; an account that may not read the
 * store asks the gateway.  Acting is always asked of the gateway: it knows the
 * account from the kernel, and is the one that writes.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json_writer.h"
#include "consent/review.h"
#include "gateway/cli/desk.h"
#include "gateway/cli/run.h"
#include "gateway/ops/control.h"
#include "gateway/ops/review_text.h"

enum { ANSWER_BYTES = 64 << 20 };

struct answer {
    struct arena      *arena;
    struct buf         bytes;
    const struct tape *tape;
};

static bool
answer_open(struct answer *a)
{
    *a = (struct answer){ .arena = arena_new("command", (size_t)1 << 30) };
    buf_init(&a->bytes, ANSWER_BYTES);
    return a->arena != NULL;
}

static void
answer_close(struct answer *a)
{
    buf_release(&a->bytes);
    arena_free(&a->arena);
}

/* ---- where it comes from ------------------------------------------------------------------ */

static bool
item_id(const struct call *call, const char *text, int64_t *id)
{
    uint64_t number;

    if (!span_to_u64(span_of(text), &number) || number == 0 || number > INT64_MAX) {
        call_say(call, "%s: not the number of an item", text);
        return false;
    }
    *id = (int64_t)number;
    return true;
}

/* What is open, unless something else is asked for; NULL: all. */
static const char *
wanted_state(const struct call *call)
{
    const char *state = call_value(call, "state");

    return state == NULL ? "open" : strcmp(state, "all") == 0 ? NULL : state;
}

/* The line for the gateway; empty: too long. */
static struct span
line_of(const struct call *call, struct arena *arena, const char *word, int64_t id)
{
    static const char *const options[] = { "kind", "recipient", "why", "as", "finding" };
    const char              *state     = wanted_state(call);
    struct json_writer       w;
    uint64_t                 limit = 0;
    struct span              patient;

    if (!desk_patient(call, call_value(call, "patient"), arena, &patient))
        return (struct span){ NULL, 0 };
    json_writer_open(&w, arena);
    json_object(&w, NULL);
    json_text(&w, "word", span_of(word));
    if (id > 0)
        json_integer(&w, "id", id);
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
        if (call_value(call, options[i]) != NULL)
            json_text(&w, options[i], span_of(call_value(call, options[i])));
    if (!span_empty(patient))
        json_text(&w, "patient", patient);
    if (state != NULL)
        json_text(&w, "state", span_of(state));
    if (call_value(call, "limit") != NULL && span_to_u64(span_of(call_value(call, "limit")), &limit) && limit <= REVIEW_LIST_MOST)
        json_integer(&w, "limit", (int64_t)limit);
    json_end(&w);
    struct span line = json_writer_close(&w);
    return line.length < CONTROL_LINE_BYTES - 2 ? line : (struct span){ NULL, 0 };
}

/* The code that an error of the gateway stands for; EXIT_CODE_OK: it is none. */
static int
refusal(const struct call *call, struct answer *a)
{
    tape_node error = tape_member(a->tape, TAPE_ROOT, SPAN("error"));
    uint64_t  code  = EXIT_CODE_PERMISSION;

    if (error == TAPE_ABSENT || tape_member(a->tape, TAPE_ROOT, SPAN("resourceType")) != TAPE_ABSENT)
        return EXIT_CODE_OK;
    (void)span_to_u64(tape_raw(a->tape, tape_member(a->tape, TAPE_ROOT, SPAN("exit"))), &code);
    call_say(call, "%.*s", SPAN_PRINT(tape_text(a->tape, error, a->arena)));
    return code > 0 && code < 8 ? (int)code : EXIT_CODE_DEPENDENCY;
}

static int
ask_gateway(const struct call *call, const char *word, int64_t id, struct answer *a)
{
    struct config *config = load_config(call);
    struct buf     why;

    if (config == NULL)
        return EXIT_CODE_CONFIG;
    struct span line = line_of(call, a->arena, word, id);
    char       *text = arena_text(a->arena, line);
    buf_init(&why, 4096);
    buf_clear(&a->bytes);
    if (span_empty(line) || text == NULL)
        buf_add_text(&why, "the options are too long");
    else if (control_ask(config->admin.socket, text, &a->bytes, &why) == ST_OK
             && tape_read(span_trim(buf_span(&a->bytes)), &tape_default_limits, a->arena, &a->tape, NULL) != ST_OK)
        buf_add_text(&why, "the gateway's answer cannot be read");
    config_unpin(&config);
    bool bad = !span_empty(buf_span(&why));
    if (bad)
        call_say(call, "%.*s", SPAN_PRINT(buf_span(&why)));
    buf_release(&why);
    return bad ? EXIT_CODE_DEPENDENCY : refusal(call, a);
}

static bool
store_is_ours(const struct call *call)
{
    struct config *config = load_config(call);
    char           path[4096];
    bool           ours = true;              /* the desk says what is wrong */

    if (config != NULL && config->store.path.length < sizeof path) {
        memcpy(path, config->store.path.at, config->store.path.length);
        path[config->store.path.length] = '\0';
        ours = access(path, R_OK) == 0 || access(path, F_OK) != 0;
    }
    config_unpin(&config);
    return ours;
}

static enum status
read_store(const struct call *call, struct desk *d, const char *word, int64_t id, struct buf *out)
{
    const char *limit = call_value(call, "limit");
    uint64_t    most  = 0;
    struct store_review_filter filter = { .state = -1 };

    if (strcmp(word, "show") == 0)
        return review_text_show(d->store, id, out);
    if (strcmp(word, "content") == 0)
        return review_text_content(d->store, id, out);
    if (call_value(call, "kind") != NULL)
        filter.kind = span_of(call_value(call, "kind"));
    if (!desk_patient(call, call_value(call, "patient"), d->arena, &filter.patient))
        return ST_UNSUPPORTED;           /* ls has said so */
    if (call_value(call, "recipient") != NULL)
        filter.recipient = span_of(call_value(call, "recipient"));
    if (wanted_state(call) != NULL)
        filter.state = review_state_of(span_of(wanted_state(call)));
    if (limit != NULL && span_to_u64(span_of(limit), &most) && most <= REVIEW_LIST_MOST)
        filter.limit = (uint32_t)most;
    return review_text_list(d->store, &filter, out);
}

static int
read_queue(const struct call *call, const char *word, int64_t id, struct answer *a)
{
    struct desk d;

    if (!store_is_ours(call))
        return ask_gateway(call, word, id, a);
    int code = desk_open(call, &d);
    if (code == EXIT_CODE_OK) {
        enum status st = read_store(call, &d, word, id, &a->bytes);
        code           = desk_code(st);
        if (st == ST_NOT_FOUND)
            buf_add_text(&d.why, "there is no such item, or what it is about is not kept any more");
        else if (st == ST_INTEGRITY)
            buf_add_text(&d.why, "what is kept is not what the item is about");
        else if (st == ST_OK && tape_read(span_trim(buf_span(&a->bytes)), &tape_default_limits, a->arena, &a->tape, NULL) != ST_OK)
            code = EXIT_CODE_DEPENDENCY;
    }
    return desk_close(call, &d, code);
}

/* ---- ls ------------------------------------------------------------------------------------- */

static struct span
member(struct answer *a, tape_node item, const char *name)
{
    tape_node node = tape_member(a->tape, item, span_of(name));

    return tape_kind(a->tape, node) == TAPE_STRING ? tape_text(a->tape, node, a->arena) : tape_extent(a->tape, node);
}

static void
add_lines(struct answer *a, struct buf *out)
{
    tape_node list = tape_member(a->tape, TAPE_ROOT, SPAN("items"));

    for (tape_node n = tape_first(a->tape, list); n != TAPE_ABSENT; n = tape_next(a->tape, n)) {
        static const struct { const char *name; size_t width; } columns[] = {
            { "id", 6 }, { "state", 8 }, { "kind", 22 }, { "since", 24 }, { "recipient", 18 }, { "patient", 18 },
            { "resource", 30 }, { "rule", 5 }, { "because", 0 },
        };
        for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++) {
            if (i > 0)
                buf_add_byte(out, ' ');
            desk_plain(out, member(a, n, columns[i].name), columns[i].width);
        }
        buf_add_byte(out, '\n');
    }
}

static bool
kind_fits(const struct call *call)
{
    const char *kind = call_value(call, "kind");
    struct buf  all;

    if (kind == NULL || review_of_code(span_of(kind)) != REVIEW_NONE)
        return true;
    buf_init(&all, 4096);
    for (int k = REVIEW_NONE + 1; k < REVIEW_COUNT; k++)
        buf_add_format(&all, "%s%s", k == REVIEW_NONE + 1 ? "" : k + 1 == REVIEW_COUNT ? " or " : ", ", review_code((enum review_kind)k));
    call_say(call, "--kind %s: want %.*s", kind, SPAN_PRINT(buf_span(&all)));
    buf_release(&all);
    return false;
}

static bool
limit_fits(const struct call *call)
{
    const char *limit = call_value(call, "limit");
    uint64_t    most  = 0;

    if (limit == NULL || (span_to_u64(span_of(limit), &most) && most > 0 && most <= REVIEW_LIST_MOST))
        return true;
    call_say(call, "--limit %s: want a number from 1 to %d", limit, (int)REVIEW_LIST_MOST);
    return false;
}

int
command_review_ls(const struct call *call)
{
    const char   *state = wanted_state(call);
    struct answer a;
    struct buf    out;

    if (state != NULL && review_state_of(span_of(state)) < 0) {
        call_say(call, "--state: want open, released, refused or all");
        return EXIT_CODE_USAGE;
    }
    if (!kind_fits(call) || !limit_fits(call))
        return EXIT_CODE_USAGE;
    if (!answer_open(&a))
        return EXIT_CODE_DEPENDENCY;
    buf_init(&out, ANSWER_BYTES);
    int code = desk_patient(call, call_value(call, "patient"), a.arena, &(struct span){ NULL, 0 }) ? read_queue(call, "list", 0, &a)
                                                                                                  : EXIT_CODE_USAGE;
    if (code == EXIT_CODE_OK && !call_has(call, "json"))
        add_lines(&a, &out);
    if (code == EXIT_CODE_OK && (out.length > 0 || call_has(call, "json")))
        code = call_print_buf(call, call_has(call, "json") ? &a.bytes : &out);
    if (code == EXIT_CODE_OK && tape_kind(a.tape, tape_member(a.tape, TAPE_ROOT, SPAN("more"))) == TAPE_TRUE)
        call_say(call, "there may be more: narrow it with --kind, --patient, --recipient or --state");
    buf_release(&out);
    answer_close(&a);
    return code;
}

/* ---- show ------------------------------------------------------------------------------------- */

static void
add_item(struct answer *a, struct buf *out)
{
    tape_node acts = tape_member(a->tape, TAPE_ROOT, SPAN("acts"));

    for (tape_node n = tape_first(a->tape, TAPE_ROOT); n != TAPE_ABSENT; n = tape_next(a->tape, n)) {
        if (n == acts)
            continue;
        desk_plain(out, tape_text(a->tape, tape_name(a->tape, n), a->arena), 12);
        buf_add_byte(out, ' ');
        desk_plain(out, tape_kind(a->tape, n) == TAPE_STRING ? tape_text(a->tape, n, a->arena) : tape_extent(a->tape, n), 0);
        buf_add_byte(out, '\n');
    }
    for (tape_node n = tape_first(a->tape, acts); n != TAPE_ABSENT; n = tape_next(a->tape, n)) {
        static const char *const names[] = { "at", "act", "reviewer", "account", "role", "finding", "why" };
        buf_add_text(out, "act         ");
        for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
            if (span_empty(member(a, n, names[i])))
                continue;
            buf_add_byte(out, ' ');
            desk_plain(out, member(a, n, names[i]), 0);
        }
        buf_add_byte(out, '\n');
    }
}

int
command_review_show(const struct call *call)
{
    bool          content = call_has(call, "content");
    struct answer a;
    struct buf    out;
    int64_t       id;

    if (!item_id(call, call->arguments[0], &id))
        return EXIT_CODE_USAGE;
    if (!answer_open(&a))
        return EXIT_CODE_DEPENDENCY;
    buf_init(&out, ANSWER_BYTES);
    int code = read_queue(call, content ? "content" : "show", id, &a);
    if (code == EXIT_CODE_OK && !content && !call_has(call, "json"))
        add_item(&a, &out);
    if (code == EXIT_CODE_OK)
        code = call_print_buf(call, content || call_has(call, "json") ? &a.bytes : &out);
    buf_release(&out);
    answer_close(&a);
    return code;
}

/* ---- release, refuse ----------------------------------------------------------------------------- */

static void
say_done(const struct call *call, struct answer *a)
{
    bool        queued = tape_kind(a->tape, tape_member(a->tape, TAPE_ROOT, SPAN("queued"))) == TAPE_TRUE;
    struct span not    = member(a, TAPE_ROOT, "notQueued");

    call_say(call, "item %.*s is %.*s, event %.*s%s", SPAN_PRINT(member(a, TAPE_ROOT, "id")), SPAN_PRINT(member(a, TAPE_ROOT, "state")),
             SPAN_PRINT(member(a, TAPE_ROOT, "eventId")), queued ? "; it is decided again and delivered as far as the rules let it" : "");
    if (!span_empty(not))
        call_say(call, "nothing was put into the queue: %.*s", SPAN_PRINT(not));
}

/* One item's end among those before: what is not there or may not be done is said, and the others are done. */
static int
together(int all, int one, int done)
{
    if (one == EXIT_CODE_OK)
        return all == EXIT_CODE_OK ? EXIT_CODE_OK : EXIT_CODE_PARTIAL;
    if (done > 0)
        return EXIT_CODE_PARTIAL;
    return all == EXIT_CODE_OK || one == all ? one : all > one ? all : one;
}

/* Items one after the other; what would stop each of them ends it. */
static int
act_on(const struct call *call, const char *word)
{
    int           code = EXIT_CODE_OK, one = EXIT_CODE_OK, done = 0;
    struct answer a;
    int64_t       id;

    for (int i = 0; i < call->argument_count; i++)
        if (!item_id(call, call->arguments[i], &id))
            return EXIT_CODE_USAGE;
    if (!answer_open(&a))
        return EXIT_CODE_DEPENDENCY;
    for (int i = 0; i < call->argument_count && (one == EXIT_CODE_OK || one == EXIT_CODE_NEGATIVE || one == EXIT_CODE_PERMISSION); i++) {
        (void)item_id(call, call->arguments[i], &id);
        one  = ask_gateway(call, word, id, &a);
        code = together(code, one, done);
        if (one == EXIT_CODE_OK)
            done++;
        else if (call->argument_count > 1)
            call_say(call, "item %s: not done", call->arguments[i]);
        if (one == EXIT_CODE_OK && call_has(call, "json"))
            one = call_print_buf(call, &a.bytes);
        else if (one == EXIT_CODE_OK)
            say_done(call, &a);
    }
    code = one == EXIT_CODE_OK || code != EXIT_CODE_OK ? code : one;
    answer_close(&a);
    return code;
}

int
command_review_release(const struct call *call)
{
    return act_on(call, "release");
}

int
command_review_refuse(const struct call *call)
{
    return act_on(call, "refuse");
}
