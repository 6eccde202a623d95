#include "gateway/http/connection.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

#define SPARE_MAX 64u

static int  on_url(llhttp_t *, const char *, size_t);
static int  on_field(llhttp_t *, const char *, size_t);
static int  on_value(llhttp_t *, const char *, size_t);
static int  on_value_complete(llhttp_t *);
static int  on_head_complete(llhttp_t *);
static int  on_body(llhttp_t *, const char *, size_t);
static int  on_complete(llhttp_t *);
static void on_end(struct task *);

static const llhttp_settings_t settings = {
    .on_url                   = on_url,
    .on_header_field          = on_field,
    .on_header_value          = on_value,
    .on_header_value_complete = on_value_complete,
    .on_headers_complete      = on_head_complete,
    .on_body                  = on_body,
    .on_message_complete      = on_complete,
};

struct http_request *
request_take(struct http_server *server)
{
    struct http_request *r = server->spare;

    if (r != NULL) {
        server->spare = r->next;
        server->spare_count--;
    } else if ((r = malloc(sizeof *r)) == NULL) {
        return NULL;
    }
    /* All but the table of fields, which is written before it is read. */
    memset(r, 0, offsetof(struct http_request, fields));
    r->server = server;
    server->request_count++;
    return r;
}

/* Its blocks go back at the end of the turn: a callback that is still on the
 * stack may be reading them. */
void
request_give(struct http_request *r)
{
    r->end.run = on_end;
    loop_finally(r->server->loop, &r->end);
}

static void
on_end(struct task *task)
{
    struct http_request *r      = (struct http_request *)(void *)task;
    struct http_server  *server = r->server;

    block_give(server->blocks, &r->in);
    block_give(server->blocks, &r->body);
    server->request_count--;
    if (server->spare_count < SPARE_MAX && !server->freed) {
        r->next       = server->spare;
        server->spare = r;
        server->spare_count++;
    } else {
        free(r);
    }
    server_gone(server);
}

/* ---- the public face ----------------------------------------------------- */

const struct http_head *
http_request_head(const struct http_request *r)
{
    return &r->head;
}

struct loop *
http_request_loop(const struct http_request *r)
{
    return r->server->loop;
}

struct span
http_request_header(const struct http_request *r, struct span name)
{
    for (size_t i = 0; i < r->head.header_count; i++)
        if (span_eq_nocase(r->head.headers[i].name, name))
            return r->head.headers[i].value;
    return (struct span){ NULL, 0 };
}

size_t
http_request_count(const struct http_request *r, struct span name)
{
    size_t count = 0;

    for (size_t i = 0; i < r->head.header_count; i++)
        count += span_eq_nocase(r->head.headers[i].name, name);
    return count;
}

struct span
http_request_list(const struct http_request *r, struct span name, struct arena *arena)
{
    struct span list = { NULL, 0 };

    for (size_t i = 0; i < r->head.header_count; i++) {
        const struct http_header *h = &r->head.headers[i];
        if (span_eq_nocase(h->name, name))
            list = span_empty(list) ? h->value : arena_join(arena, list, SPAN(", "), h->value);
    }
    return list;
}

void
http_respond(struct http_request *r, const struct http_answer *answer)
{
    assert(!r->answered);
    r->answered = true;
    if (r->connection != NULL)
        connection_answer(r->connection, answer);
}

void
http_request_free(struct http_request **request)
{
    struct http_request *r = *request;

    if (r == NULL)
        return;
    *request = NULL;
    if (r->connection != NULL) {
        /* Freed without an answer: the peer must not wait for one. */
        if (!r->answered)
            connection_close(r->connection);
        else
            r->connection->request = NULL;
        r->connection = NULL;
    }
    request_give(r);
}

/* ---- llhttp -------------------------------------------------------------- */

bool
request_parse_head(struct http_request *r, struct span block, const struct guard_head *guard)
{
    llhttp_init(&r->parser, HTTP_REQUEST, &settings);
    r->parser.data = r;
    llhttp_errno_t made = llhttp_execute(&r->parser, block.at, block.length);
    if (made != HPE_OK || r->parse_broken || !r->head_parsed)
        return false;
    /* Two readers, one reading: a difference is the attack. */
    return r->field_count == guard->field_count
        && r->chunked_seen == (guard->framing == GUARD_CHUNKED)
        && r->length_seen == (guard->framing == GUARD_LENGTH ? guard->length : 0)
        && r->parser.http_major == 1 && r->parser.http_minor == guard->minor
        && span_eq_text(guard->method, llhttp_method_name((llhttp_method_t)r->parser.method))
        && span_starts(r->target, guard->path)
        && r->parsed_whole == (guard->framing == GUARD_NO_BODY);
}

enum status
request_parse_chunks(struct http_request *r, struct span bytes)
{
    llhttp_errno_t made = llhttp_execute(&r->parser, bytes.at, bytes.length);

    if (made != HPE_OK)
        return r->body_too_large ? ST_TOO_LARGE : ST_MALFORMED;
    return ST_OK;
}

/* A span may come in pieces; within one block they must touch. */
static bool
extend(struct span *s, const char *at, size_t length)
{
    if (s->length == 0) {
        *s = span_from(at, length);
        return true;
    }
    if (s->at + s->length != at)
        return false;
    s->length += length;
    return true;
}

static int
on_url(llhttp_t *p, const char *at, size_t length)
{
    struct http_request *r = p->data;
    return extend(&r->target, at, length) ? 0 : -1;
}

static int
on_field(llhttp_t *p, const char *at, size_t length)
{
    struct http_request *r = p->data;
    return r->head_parsed || extend(&r->field_name, at, length) ? 0 : -1;
}

static int
on_value(llhttp_t *p, const char *at, size_t length)
{
    struct http_request *r = p->data;
    return r->head_parsed || extend(&r->field_value, at, length) ? 0 : -1;
}

/* Fields of a trailer come after the head and are dropped (G9). */
static int
on_value_complete(llhttp_t *p)
{
    struct http_request *r = p->data;

    if (r->head_parsed)
        return 0;
    if (r->field_count == GUARD_MAX_FIELDS) {
        r->parse_broken = true;
        return 0;
    }
    r->fields[r->field_count].name  = r->field_name;
    r->fields[r->field_count].value = span_trim(r->field_value);
    r->field_count++;
    r->field_name  = (struct span){ NULL, 0 };
    r->field_value = (struct span){ NULL, 0 };
    return 0;
}

static int
on_head_complete(llhttp_t *p)
{
    struct http_request *r = p->data;

    r->head_parsed  = true;
    r->chunked_seen = (p->flags & F_CHUNKED) != 0;
    r->length_seen  = p->content_length;
    p->upgrade      = 0;                 /* RFC 9110 7.8: a server may ignore Upgrade */
    return 0;
}

static int
on_body(llhttp_t *p, const char *at, size_t length)
{
    struct http_request *r   = p->data;
    size_t               max = r->server->limits.max_body_bytes;

    if (r->body == NULL && (r->body = block_take(r->server->blocks, length)) == NULL)
        return -1;
    if (length > max - r->body->length) {
        r->body_too_large = true;
        return -1;
    }
    if (!block_grow(r->server->blocks, &r->body, length, max))
        return -1;
    memcpy(r->body->at + r->body->length, at, length);
    r->body->length += length;
    return 0;
}

static int
on_complete(llhttp_t *p)
{
    struct http_request *r = p->data;

    r->parsed_whole = true;
    return 0;
}
