#include "gateway/http/connection.h"
#include "gateway/ops/metrics.h"

#include <string.h>

#include "fhir/outcome.h"

/* What the gateway ever answers (RFC 9110 15, RFC 6585). */
static const struct { int status; const char *line; } lines[] = {
    { 200, "HTTP/1.1 200 OK\r\n" },
    { 201, "HTTP/1.1 201 Created\r\n" },
    { 202, "HTTP/1.1 202 Accepted\r\n" },
    { 204, "HTTP/1.1 204 No Content\r\n" },
    { 301, "HTTP/1.1 301 Moved Permanently\r\n" },
    { 302, "HTTP/1.1 302 Found\r\n" },
    { 303, "HTTP/1.1 303 See Other\r\n" },
    { 304, "HTTP/1.1 304 Not Modified\r\n" },
    { 400, "HTTP/1.1 400 Bad Request\r\n" },
    { 401, "HTTP/1.1 401 Unauthorized\r\n" },
    { 403, "HTTP/1.1 403 Forbidden\r\n" },
    { 404, "HTTP/1.1 404 Not Found\r\n" },
    { 405, "HTTP/1.1 405 Method Not Allowed\r\n" },
    { 406, "HTTP/1.1 406 Not Acceptable\r\n" },
    { 408, "HTTP/1.1 408 Request Timeout\r\n" },
    { 409, "HTTP/1.1 409 Conflict\r\n" },
    { 410, "HTTP/1.1 410 Gone\r\n" },
    { 412, "HTTP/1.1 412 Precondition Failed\r\n" },
    { 413, "HTTP/1.1 413 Content Too Large\r\n" },
    { 415, "HTTP/1.1 415 Unsupported Media Type\r\n" },
    { 417, "HTTP/1.1 417 Expectation Failed\r\n" },
    { 422, "HTTP/1.1 422 Unprocessable Content\r\n" },
    { 429, "HTTP/1.1 429 Too Many Requests\r\n" },
    { 431, "HTTP/1.1 431 Request Header Fields Too Large\r\n" },
    { 500, "HTTP/1.1 500 Internal Server Error\r\n" },
    { 501, "HTTP/1.1 501 Not Implemented\r\n" },
    { 502, "HTTP/1.1 502 Bad Gateway\r\n" },
    { 503, "HTTP/1.1 503 Service Unavailable\r\n" },
    { 504, "HTTP/1.1 504 Gateway Timeout\r\n" },
    { 505, "HTTP/1.1 505 HTTP Version Not Supported\r\n" },
};

static bool            bodiless(int status);
static size_t          head_size(const struct http_answer *);
static void            print_head(struct http_server *, const struct http_answer *, struct answer_terms,
                                  struct block *);
static void            print_fields(const struct http_answer *, struct block *);
static void            put(struct block *, struct span);
static void            put_field(struct block *, struct span name, struct span value);
static bool            one_line(struct span);
static enum issue_code code_of(int status);
static struct span     sent_request_id(struct span head);

struct block *
answer_print(struct http_server *server, const struct http_answer *answer, struct answer_terms terms)
{
    bool          bare  = terms.head_only || bodiless(answer->status);
    struct span   body  = bare ? (struct span){ NULL, 0 } : answer->body;
    struct block *block = block_take(server->blocks, head_size(answer) + body.length);

    if (block == NULL)
        return NULL;
    print_head(server, answer, terms, block);
    put(block, body);
    return block;
}

void
answer_refusal(const struct guard_refusal *refusal, struct span head, struct refusal_answer *out)
{
    struct span id = sent_request_id(head);

    buf_init(&out->body, 4096);
    if (outcome_print_one(SEVERITY_ERROR, code_of(refusal->status), span_of(refusal->why),
                          span_of(refusal->where), &out->body) != ST_OK)
        buf_clear(&out->body);
    if (id.length == 0) {
        uuid_write(out->request_id);
        id = span_from(out->request_id, UUID_CHARS);
    }
    out->fields[0] = (struct http_header){ SPAN("X-Request-Id"), id };
    out->fields[1] = (struct http_header){ SPAN("Retry-After"), SPAN("1") };
    out->answer    = (struct http_answer){
        .status       = refusal->status,
        .content_type = out->body.length > 0 ? SPAN("application/fhir+json") : (struct span){ NULL, 0 },
        .body         = buf_span(&out->body),
        .headers      = out->fields,
        .header_count = refusal->status == 429 || refusal->status == 503 ? 2 : 1,
        .close        = true,
    };
}

/* The block may be one that nobody could parse, so it is searched line by
 * line; what token_valid() lets pass can do no harm in an answer. */
static struct span
sent_request_id(struct span head)
{
    while (head.length > 0) {
        size_t      end   = span_find(head, SPAN("\r\n"));
        struct span line  = end == SPAN_NOT_FOUND ? (struct span){ NULL, 0 } : span_first(head, end);
        size_t      colon = span_find_byte(line, ':');

        if (end == SPAN_NOT_FOUND)
            break;
        if (colon != SPAN_NOT_FOUND && span_eq_nocase(span_first(line, colon), SPAN("X-Request-Id"))) {
            struct span id = span_trim(span_skip(line, colon + 1));
            return token_valid(id, 64) ? id : (struct span){ NULL, 0 };
        }
        head = span_skip(head, end + 2);
        if (span_starts(head, SPAN("\r\n")))
            break;                       /* the body is not searched */
    }
    return (struct span){ NULL, 0 };
}

/* An upper bound; what is not in the answer's own fields fits into 512. */
static size_t
head_size(const struct http_answer *answer)
{
    size_t size = 512 + answer->content_type.length;

    for (size_t i = 0; i < answer->header_count; i++)
        size += answer->headers[i].name.length + answer->headers[i].value.length + 4;
    return size;
}

/* RFC 9110 8.6, 15.3.5, 15.4.5: these have no body and announce no length. */
static bool
bodiless(int status)
{
    return status < 200 || status == 204 || status == 304;
}

static struct span
status_line(int status)
{
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        if (lines[i].status == status)
            return span_of(lines[i].line);
    return SPAN("HTTP/1.1 500 Internal Server Error\r\n");
}

/* "HTTP/1.1 200 OK": every answer goes through here, those of the guard too. */
static void
count_answer(struct span line)
{
    const char code[] = { line.at[9], line.at[10], line.at[11], '\0' };

    metric_add(METRIC_REQUESTS, code, 1);
}

static void
print_head(struct http_server *server, const struct http_answer *answer, struct answer_terms terms,
           struct block *out)
{
    struct span line = status_line(answer->status);

    count_answer(line);
    put(out, line);
    put_field(out, SPAN("Date"), server_date(server));
    if (answer->content_type.length > 0)
        put_field(out, SPAN("Content-Type"), answer->content_type);
    if (!bodiless(answer->status)) {
        char   digits[24];
        size_t at     = sizeof digits;
        size_t length = answer->body.length;
        do
            digits[--at] = (char)('0' + length % 10);
        while ((length /= 10) > 0);
        put_field(out, SPAN("Content-Length"), span_from(digits + at, sizeof digits - at));
    }
    print_fields(answer, out);
    if (!terms.keep_alive)
        put(out, SPAN("Connection: close\r\n"));
    else if (terms.minor == 0)
        put(out, SPAN("Connection: keep-alive\r\n"));
    put(out, SPAN("\r\n"));
}

static void
print_fields(const struct http_answer *answer, struct block *out)
{
    for (size_t i = 0; i < answer->header_count; i++) {
        struct http_header h = answer->headers[i];
        /* A line break in a value would let whoever supplied it write the
         * rest of the answer; such a field is left out. */
        if (one_line(h.name) && one_line(h.value) && h.name.length > 0)
            put_field(out, h.name, h.value);
    }
}

static void
put(struct block *out, struct span s)
{
    if (s.length > 0)
        memcpy(out->at + out->length, s.at, s.length);
    out->length += s.length;
}

static void
put_field(struct block *out, struct span name, struct span value)
{
    put(out, name);
    put(out, SPAN(": "));
    put(out, value);
    put(out, SPAN("\r\n"));
}

static bool
one_line(struct span s)
{
    for (size_t i = 0; i < s.length; i++)
        if (((unsigned char)s.at[i] < 0x20 && s.at[i] != '\t') || s.at[i] == 0x7f)
            return false;
    return true;
}

static enum issue_code
code_of(int status)
{
    switch (status) {
    case 408:
        return ISSUE_TIMEOUT;
    case 413:
    case 431:
        return ISSUE_TOO_LONG;
    case 415:
    case 417:
    case 501:
    case 505:
        return ISSUE_NOT_SUPPORTED;
    case 429:
        return ISSUE_THROTTLED;
    case 503:
        return ISSUE_TRANSIENT;
    default:
        return ISSUE_STRUCTURE;
    }
}
