/* gateway/cli/file.c -- file add, end, review: over the control socket, or on the store when no gateway runs. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/json_writer.h"
#include "consent/paper.h"
#include "gateway/cli/desk.h"
#include "gateway/cli/run.h"
#include "gateway/ops/control.h"
#include "gateway/ops/filing.h"

enum { ANSWER_BYTES = 1 << 20, REASON_BYTES = 4096, ISSUES_MOST = 50 };
#define ARENA_BYTES ((size_t)256 << 20)

struct clerk {
    const struct call *call;
    struct config     *config;
    struct arena      *arena;
    struct buf         answer, why;
};

static int  work(const struct call *, int (*each)(struct clerk *));
static int  send_request(struct clerk *, const char *what, const char *id, struct span papers);
static int  on_the_store(struct clerk *, struct span request, struct span papers);
static int  told(struct clerk *, const char *file);
static bool well_formed(struct clerk *, const char *file, struct span papers);

/* ---- the commands ------------------------------------------------------------------ */

/* The worse of two ends: what failed before what was refused, that before what lacks something. */
static int
worse(int a, int b)
{
    static const int order[] = { EXIT_CODE_OK, EXIT_CODE_PARTIAL, EXIT_CODE_NEGATIVE, EXIT_CODE_USAGE };
    size_t           ranks[2] = { 9, 9 };

    for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
        ranks[0] = order[i] == a ? i : ranks[0];
        ranks[1] = order[i] == b ? i : ranks[1];
    }
    return ranks[1] > ranks[0] ? b : a;
}

static int
add_each(struct clerk *c)
{
    int code = EXIT_CODE_OK;

    for (int i = 0; i < c->call->argument_count; i++) {
        const char *file = c->call->arguments[i];
        struct buf  papers;
        int         one = EXIT_CODE_USAGE;
        buf_init(&papers, FILING_BYTES / 2);
        if (load_file(c->call, file, &papers)) {
            one = well_formed(c, file, buf_span(&papers)) ? send_request(c, "add", NULL, buf_span(&papers))
                                                          : EXIT_CODE_NEGATIVE;
            if (one == EXIT_CODE_OK)
                one = told(c, file);
        }
        buf_release(&papers);
        code = worse(code, one);
    }
    return code;
}

static int
end_it(struct clerk *c)
{
    int code = send_request(c, "end", c->call->arguments[0], (struct span){ NULL, 0 });

    return code == EXIT_CODE_OK ? told(c, NULL) : code;
}

static int
review_it(struct clerk *c)
{
    int code = send_request(c, "review", c->call->arguments[0], (struct span){ NULL, 0 });

    return code == EXIT_CODE_OK ? told(c, NULL) : code;
}

int
command_file_add(const struct call *call)
{
    return work(call, add_each);
}

int
command_file_end(const struct call *call)
{
    return work(call, end_it);
}

int
command_file_review(const struct call *call)
{
    return work(call, review_it);
}

static int
work(const struct call *call, int (*each)(struct clerk *))
{
    struct clerk c    = { .call = call, .arena = arena_new("filing", ARENA_BYTES) };
    int          code = EXIT_CODE_DEPENDENCY;

    buf_init(&c.answer, ANSWER_BYTES);
    buf_init(&c.why, REASON_BYTES);
    if (c.arena != NULL) {
        c.config = load_config(call);
        code     = c.config != NULL ? each(&c) : EXIT_CODE_CONFIG;
    }
    config_unpin(&c.config);
    buf_release(&c.answer);
    buf_release(&c.why);
    arena_free(&c.arena);
    return code;
}

/* ---- asking ---------------------------------------------------------------------------- */

/* Said here with the file's own lines; the gateway reads it again and trusts nobody. */
static bool
well_formed(struct clerk *c, const char *file, struct span papers)
{
    struct issues      *issues = issues_new(c->arena, ISSUES_MOST);
    const struct paper *all    = NULL;
    size_t              count  = 0;
    enum status         st = issues != NULL ? papers_read(papers, c->arena, issues, &all, &count) : ST_NO_MEMORY;

    for (uint32_t i = 0; issues != NULL && i < issues_count(issues); i++) {
        const struct issue *one = issues_at(issues, i);
        call_say(c->call, "%s:%u:%u: %.*s: %.*s%s%.*s", file, one->line, one->column, SPAN_PRINT(one->expression),
                 SPAN_PRINT(one->wanted), span_empty(one->hint) ? "" : "; ", SPAN_PRINT(one->hint));
    }
    if (st != ST_OK)
        call_say(c->call, "%s: nothing of it is filed", file);
    return st == ST_OK;
}

static struct span
request_of(struct clerk *c, const char *what, const char *id)
{
    const char        *why = call_value(c->call, "why"), *at = call_value(c->call, "at");
    struct json_writer w;

    json_writer_open(&w, c->arena);
    json_object(&w, NULL);
    json_text(&w, "do", span_of(what));
    json_text_if(&w, "id", span_of(id));
    json_text_if(&w, "why", span_of(why));
    json_text_if(&w, "at", span_of(at));
    json_bool(&w, "again", call_has(c->call, "new-version"));
    json_bool(&w, "byPatient", call_has(c->call, "patient-agreed"));
    json_end(&w);
    return json_writer_close(&w);
}

static int
send_request(struct clerk *c, const char *what, const char *id, struct span papers)
{
    struct span request = request_of(c, what, id);
    char        line[64];

    (void)snprintf(line, sizeof line, "file %zu %zu", request.length, papers.length);
    buf_clear(&c->answer);
    buf_clear(&c->why);
    enum status st = control_ask_with(c->config->admin.socket, line, (struct span[]){ request, papers }, 2, &c->answer,
                                      &c->why);
    if (st == ST_NOT_FOUND)
        return on_the_store(c, request, papers);
    if (st != ST_OK) {
        bool denied = errno == EACCES;
        call_say(c->call, "%.*s", SPAN_PRINT(buf_span(&c->why)));
        return denied ? EXIT_CODE_PERMISSION : EXIT_CODE_DEPENDENCY;
    }
    return EXIT_CODE_OK;
}

static int
on_the_store(struct clerk *c, struct span request, struct span papers)
{
    struct desk_store d;
    int               code = desk_store_open(c->call, c->config, c->arena, &d);

    if (code == EXIT_CODE_OK)
        filing_do(d.store, request, papers, geteuid(), &c->answer);
    desk_store_close(&d);
    return code;
}

/* ---- the answer ---------------------------------------------------------------------------- */

static int
say_filed(struct clerk *c, const struct tape *tape, tape_node list)
{
    int code = EXIT_CODE_OK;

    for (tape_node n = tape_first(tape, list); n != TAPE_ABSENT; n = tape_next(tape, n)) {
        struct span id    = tape_member_text(tape, n, SPAN("id"), c->arena);
        struct span kind  = tape_member_text(tape, n, SPAN("kind"), c->arena);
        struct span lacks = tape_member_text(tape, n, SPAN("lacks"), c->arena);
        call_say(c->call, "%.*s %.*s: version %.*s is on file", SPAN_PRINT(kind), SPAN_PRINT(id),
                 SPAN_PRINT(tape_extent(tape, tape_member(tape, n, SPAN("version")))));
        if (span_empty(lacks))
            continue;
        call_say(c->call, "%.*s: but nothing goes by it as it is: %.*s", SPAN_PRINT(id), SPAN_PRINT(lacks));
        code = EXIT_CODE_PARTIAL;
    }
    return code;
}

static int
told(struct clerk *c, const char *file)
{
    const struct tape *tape = NULL;

    if (tape_read(span_trim(buf_span(&c->answer)), &tape_default_limits, c->arena, &tape, NULL) != ST_OK) {
        call_say(c->call, "the answer cannot be read; `file ls` says what is on file");
        return EXIT_CODE_DEPENDENCY;
    }
    tape_node   refused = tape_member(tape, TAPE_ROOT, SPAN("refused"));
    tape_node   filed   = tape_member(tape, TAPE_ROOT, SPAN("filed"));
    struct span error   = tape_member_text(tape, TAPE_ROOT, SPAN("error"), c->arena);
    struct span failed  = tape_member_text(tape, TAPE_ROOT, SPAN("failed"), c->arena);
    for (tape_node n = tape_first(tape, refused); n != TAPE_ABSENT; n = tape_next(tape, n))
        call_say(c->call, "%s%s%.*s", file != NULL ? file : "", file != NULL ? ": " : "",
                 SPAN_PRINT(tape_text(tape, n, c->arena)));
    if (!span_empty(error) || !span_empty(failed)) {
        call_say(c->call, "%.*s", SPAN_PRINT(span_empty(error) ? failed : error));
        return span_empty(error) ? EXIT_CODE_DEPENDENCY : EXIT_CODE_PERMISSION;
    }
    int code = filed != TAPE_ABSENT ? say_filed(c, tape, filed) : EXIT_CODE_NEGATIVE;
    if (call_has(c->call, "json") && call_print_buf(c->call, &c->answer) != EXIT_CODE_OK)
        return EXIT_CODE_DEPENDENCY;
    return code;
}
