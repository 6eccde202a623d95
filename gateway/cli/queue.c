/* gateway/cli/queue.c -- queue ls. */
#include "base/json_writer.h"
#include "fhir/datatypes.h"
#include "gateway/cli/desk.h"
#include "gateway/cli/run.h"

/* Times first: between opening and closing a writer the arena gives nothing. */
struct times {
    struct span due, created;
};

static struct times *
times_of(struct desk *d, const struct store_queue_row *rows, size_t count)
{
    struct times *times = arena_make_n(d->arena, count, struct times);

    for (size_t i = 0; i < count && times != NULL; i++)
        times[i] = (struct times){ time_format(d->arena, rows[i].due_ms),
                                   time_format(d->arena, rows[i].created_ms) };
    return times;
}

static void
add_json(struct desk *d, const struct store_queue_row *rows, const struct times *times, size_t count)
{
    struct json_writer w;

    json_writer_open(&w, d->arena);
    json_object(&w, NULL);
    json_array(&w, "deliveries");
    for (size_t i = 0; i < count; i++) {
        json_object(&w, NULL);
        json_integer(&w, "id", rows[i].id);
        json_text(&w, "state", rows[i].state);
        json_text(&w, "recipient", rows[i].recipient);
        json_text(&w, "patient", rows[i].patient);
        json_integer(&w, "attempts", rows[i].attempts);
        json_text(&w, "due", times[i].due);
        json_text(&w, "created", times[i].created);
        json_text_if(&w, "reason", rows[i].reason);
        json_text(&w, "requestId", rows[i].request_id);
        json_text(&w, "idempotencyKey", rows[i].idempotency_key);
        json_end(&w);
    }
    json_end(&w);
    json_end(&w);
    buf_add(&d->out, json_writer_close(&w));
    buf_add_byte(&d->out, '\n');
}

static void
add_lines(struct desk *d, const struct store_queue_row *rows, const struct times *times, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        buf_add_format(&d->out, "%8lld  ", (long long)rows[i].id);
        desk_plain(&d->out, rows[i].state, 8);
        desk_plain(&d->out, rows[i].recipient, 20);
        buf_add_byte(&d->out, ' ');
        desk_plain(&d->out, rows[i].patient, 20);
        buf_add_format(&d->out, " %3u tries  ", (unsigned)rows[i].attempts);
        buf_add(&d->out, times[i].due);
        buf_add_text(&d->out, "  ");
        desk_plain(&d->out, rows[i].reason, 0);
        buf_add_byte(&d->out, '\n');
    }
}

int
command_queue_ls(const struct call *call)
{
    struct store_queue_row *rows  = NULL;
    size_t                  count = 0;
    struct desk             d;
    int                     code = desk_open(call, &d);

    if (code == EXIT_CODE_OK) {
        enum status st = store_queue_list(d.store, d.arena, call_value(call, "state"), &rows, &count);
        if (st == ST_NOT_FOUND) {
            buf_add_text(&d.why, "--state: want waiting, sent, dead, parked or nothing");
            code = EXIT_CODE_USAGE;
        } else {
            code = desk_code(st);
        }
    }
    struct times *times = code == EXIT_CODE_OK ? times_of(&d, rows, count) : NULL;
    if (times != NULL && call_has(call, "json"))
        add_json(&d, rows, times, count);
    else if (times != NULL)
        add_lines(&d, rows, times, count);
    if (code == EXIT_CODE_OK && (times == NULL || buf_status(&d.out) != ST_OK))
        code = EXIT_CODE_DEPENDENCY;
    return desk_close(call, &d, code);
}
