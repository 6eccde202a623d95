/* gateway/cli/reclassify.c -- how far the pass is, what it would change, what had left. */
#include "base/json_author.h"
#include "gateway/classify/pass.h"
#include "gateway/classify/report.h"
#include "gateway/cli/desk.h"
#include "gateway/cli/run.h"
#include "gateway/inspect/inspector.h"
#include "gateway/ops/control.h"

enum { ANSWER_BYTES = 64 << 10 };

#define STEP_ARENA_BYTES ((size_t)2 << 30)

static int
print(struct desk *d, struct author *a)
{
    enum status st = author_print(a, &d->out, AUTHOR_COMPACT);

    buf_add_byte(&d->out, '\n');
    return st == ST_OK ? EXIT_CODE_OK : EXIT_CODE_DEPENDENCY;
}

/* ---- --status --------------------------------------------------------------------- */

static int
show_status(const struct call *call, struct desk *d)
{
    struct author    *a    = author_new();
    author_value      root = author_object(a);
    struct store_pass pass;
    uint64_t          left = 0;
    int               code = EXIT_CODE_OK;

    if (call_has(call, "json")) {
        pass_status(d->store, d->config, root);
        code = print(d, a);
    } else if (store_pass_read(d->store, &pass) != ST_OK || store_pass_left(d->store, d->config->class_version, &left) != ST_OK) {
        code = EXIT_CODE_DEPENDENCY;
    } else {
        bool mine = pass.version == d->config->class_version;
        buf_add_format(&d->out, "%s: %llu pushes left; of %llu that were looked at again %llu of %llu resources changed, %llu became confirmed\n",
                       left == 0 ? "complete" : "under way", (unsigned long long)left, (unsigned long long)(mine ? pass.pushes : 0),
                       (unsigned long long)(mine ? pass.changed : 0), (unsigned long long)(mine ? pass.resources : 0),
                       (unsigned long long)(mine ? pass.confirmed : 0));
    }
    author_free(&a);
    return code;
}

/* ---- --dry-run -------------------------------------------------------------------- */

static enum status
count_all(const struct call *call, struct desk *d, struct store_pass *count)
{
    struct store_counts          total;
    struct inspector_options     options   = inspector_configured(d->config, d->arena);
    struct inspector            *inspector = inspector_new(&options);
    const struct inspected_asker asker     = { inspector_answer, inspector };
    enum status                  st        = inspector != NULL ? store_counts_read(d->store, &total) : ST_NO_MEMORY;

    for (int64_t after = 0; st == ST_OK;) {
        struct arena     *arena = arena_new("dry run", STEP_ARENA_BYTES);
        struct store_push push;
        struct store_step step;
        st = arena != NULL ? store_push_next(d->store, after, d->config->class_version, arena, &push) : ST_NO_MEMORY;
        if (st == ST_OK)
            st = pass_step(d->config, d->store, &push, &asker, arena, &step, count);
        after = push.id;
        arena_free(&arena);
        call_progress(call, "pushes", (size_t)after, (size_t)total.inbox);
    }
    call_progress(call, "pushes", 0, 0);
    inspector_free(&inspector);
    return st == ST_NOT_FOUND ? ST_OK : st;
}

static int
show_dry_run(const struct call *call, struct desk *d)
{
    struct store_pass count = { .version = d->config->class_version };
    int               code  = desk_code(count_all(call, d, &count));

    if (code != EXIT_CODE_OK)
        return code;
    if (!call_has(call, "json")) {
        buf_add_format(&d->out, "%llu pushes would be looked at again: %llu of %llu resources would change, %llu would become confirmed\n",
                       (unsigned long long)count.pushes, (unsigned long long)count.changed, (unsigned long long)count.resources,
                       (unsigned long long)count.confirmed);
        return EXIT_CODE_OK;
    }
    struct author *a    = author_new();
    author_value   root = author_object(a);
    author_add_integer(root, "pushes", (int64_t)count.pushes);
    author_add_integer(root, "resources", (int64_t)count.resources);
    author_add_integer(root, "changed", (int64_t)count.changed);
    author_add_integer(root, "confirmed", (int64_t)count.confirmed);
    code = print(d, a);
    author_free(&a);
    return code;
}

/* ---- --left ----------------------------------------------------------------------- */

struct page { struct desk *desk; bool json; author_value list; size_t count; };

static bool
on_copy(const struct left_copy *c, void *arg)
{
    struct page *p   = arg;
    struct buf  *out = &p->desk->out;

    p->count++;
    if (p->json) {
        struct span  name = arena_format(p->desk->arena, "%.*s/%.*s", SPAN_PRINT(c->resource->type), SPAN_PRINT(c->resource->id));
        author_value one  = author_add_object(p->list, NULL);
        author_add_text(one, "resource", name);
        author_add_text(one, "patient", c->resource->patient);
        author_add_text(one, "was", c->resource->was);
        author_add_text(one, "recipient", c->recipient);
        author_add_text(one, "released", c->released);
        author_add_text(one, "eventId", c->event_id);
        return true;
    }
    desk_plain(out, c->released, 25);
    desk_plain(out, c->recipient, 20);
    buf_add_byte(out, ' ');
    desk_plain(out, c->resource->patient, 20);
    buf_add_byte(out, ' ');
    desk_plain(out, c->resource->type, 0);
    buf_add_byte(out, '/');
    desk_plain(out, c->resource->id, 0);
    buf_add_text(out, ", was ");
    desk_plain(out, c->resource->was, 0);
    buf_add_text(out, "  ");
    desk_plain(out, c->event_id, 0);
    buf_add_byte(out, '\n');
    return buf_status(out) == ST_OK;
}

static int
show_left(const struct call *call, struct desk *d)
{
    struct author *a    = author_new();
    author_value   root = author_object(a);
    struct page    page = { .desk = d, .json = call_has(call, "json"), .list = author_add_array(root, "copies") };
    int            code = desk_code(pass_left_copies(d->store, d->arena, on_copy, &page));

    if (code == EXIT_CODE_OK && page.json)
        code = print(d, a);
    if (code == EXIT_CODE_OK && page.count > 0)
        code = EXIT_CODE_NEGATIVE;
    author_free(&a);
    return code;
}

/* ---- the gateway itself ------------------------------------------------------------ */

static int
begin_again(const struct call *call)
{
    struct config *config = load_config(call);
    struct buf     answer, why;

    if (config == NULL)
        return EXIT_CODE_CONFIG;
    buf_init(&answer, ANSWER_BYTES);
    buf_init(&why, 4096);
    enum status st    = control_ask(config->admin.socket, "reclassify", &answer, &why);
    bool        begun = st == ST_OK && span_find(buf_span(&answer), SPAN("\"begun\":true")) != SPAN_NOT_FOUND;
    int         code  = EXIT_CODE_OK;
    if (begun && call_has(call, "json"))
        code = call_print_buf(call, &answer);
    else if (begun)
        call_say(call, "the pass begins again; `sluice reclassify --status` says how far it is");
    else
        call_say(call, "%.*s", SPAN_PRINT(st == ST_OK ? span_trim(buf_span(&answer)) : buf_span(&why)));
    buf_release(&answer);
    buf_release(&why);
    config_unpin(&config);
    return begun ? code : st == ST_OK ? EXIT_CODE_PERMISSION : EXIT_CODE_DEPENDENCY;
}

int
command_reclassify(const struct call *call)
{
    bool status = call_has(call, "status"), dry = call_has(call, "dry-run"), left = call_has(call, "left");
    struct desk d;

    if (status + dry + left > 1) {
        call_say(call, "one of --status, --dry-run and --left");
        return EXIT_CODE_USAGE;
    }
    if (!status && !dry && !left)
        return begin_again(call);
    int code = desk_open(call, &d);
    if (code == EXIT_CODE_OK)
        code = status ? show_status(call, &d) : dry ? show_dry_run(call, &d) : show_left(call, &d);
    return desk_close(call, &d, code);
}
