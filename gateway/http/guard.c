#include "gateway/http/guard.h"

#include "base/digits.h"

#include <string.h>

#define MAX_CHUNK_LINE     256u
#define MAX_CHUNK_OVERHEAD 16384u
#define MAX_CHUNK_DIGITS   15u           /* below 2^60: no sum overflows */

/* What is being gathered from the fields, each as often as it came. */
struct gathered {
    uint32_t    hosts, lengths, transfers, contents, expects;
    struct span host, length, transfer, content, expect;
    bool        close, keep_alive;
};

static bool refuse(struct guard_refusal *, int status, const char *where, const char *why);
static bool all_of(struct span, int class);
static bool is_token(struct span);
static bool request_line(struct span line, struct guard_head *, struct guard_refusal *);
static bool method_known(struct span);
static bool target(struct span, struct guard_head *, struct guard_refusal *);
static bool percents_whole(struct span);
static bool fields(struct span rest, struct guard_head *, struct gathered *, struct guard_refusal *);
static void gather(struct gathered *, struct span name, struct span value);
static void connection_tokens(struct gathered *, struct span value);
static bool host(const struct gathered *, struct guard_refusal *);
static bool framing(const struct gathered *, struct guard_head *, struct guard_refusal *);
static bool content(const struct gathered *, struct guard_head *, struct guard_refusal *);

/* ---- character classes --------------------------------------------------- */

enum {
    TCHAR = 1,                           /* RFC 9110 5.6.2 token             */
    VALUE = 2,                           /* field value: VCHAR SP HTAB obs   */
    PCHAR = 4,                           /* RFC 3986 3.3, and `/`; no `%`    */
    HOST  = 8,                           /* reg-name, IP-literal, port       */
};

#define T TCHAR
#define V VALUE
#define P PCHAR
#define H HOST
static const uint8_t classes[256] = {
    ['\t'] = V,       [' '] = V,          ['!'] = T | V | P,        ['"'] = V,
    ['#'] = T | V,    ['$'] = T | V | P,  ['%'] = T | V,            ['&' ... '\''] = T | V | P,
    ['(' ... ')'] = V | P,                ['*' ... '+'] = T | V | P,
    [','] = V | P,    ['-' ... '.'] = T | V | P | H,                ['/'] = V | P,
    ['0' ... '9'] = T | V | P | H,        [':'] = V | P | H,        [';'] = V | P,
    ['<'] = V,        ['='] = V | P,      ['>' ... '?'] = V,        ['@'] = V | P,
    ['A' ... 'Z'] = T | V | P | H,        ['['] = V | H,            ['\\'] = V,
    [']'] = V | H,    ['^'] = T | V,      ['_'] = T | V | P | H,    ['`'] = T | V,
    ['a' ... 'z'] = T | V | P | H,        ['{'] = V,                ['|'] = T | V,
    ['}'] = V,        ['~'] = T | V | P | H,                        [0x80 ... 0xff] = V,
};
#undef T
#undef V
#undef P
#undef H

static bool
is(char c, int class)
{
    return (classes[(unsigned char)c] & class) != 0;
}

/* ---- the block as it comes ----------------------------------------------- */

static enum guard_progress
scan_refuse(struct guard_refusal *why, int status, const char *text)
{
    refuse(why, status, "http.head", text);
    return GUARD_REFUSED;
}

/* At the LF of a CR LF. */
static enum guard_progress
scan_line_end(struct guard_scan *scan, struct guard_refusal *why)
{
    bool empty = scan->seen == scan->line + 1;

    if (empty && scan->lines > 0)
        return GUARD_WHOLE;
    if (empty && scan->line > 0)
        return scan_refuse(why, 400, "more than one empty line before the request line");
    if (!empty && ++scan->lines > GUARD_MAX_FIELDS + 1)
        return scan_refuse(why, 431, "more than 100 header fields");
    scan->line = scan->seen + 1;
    return GUARD_MORE;
}

static enum guard_progress
scan_byte(struct guard_scan *scan, char before, char c, struct guard_refusal *why)
{
    if (before == '\r' && c != '\n')
        return scan_refuse(why, 400, "a carriage return without a line feed (RFC 9112 2.2)");
    if (c == '\n')
        return before == '\r' ? scan_line_end(scan, why)
                              : scan_refuse(why, 400, "a line feed without a carriage return (RFC 9112 2.2)");
    if (((unsigned char)c < 0x20 && c != '\t' && c != '\r') || c == 0x7f)
        return scan_refuse(why, 400, "a control character in the header block");
    if (scan->seen == scan->line && (c == ' ' || c == '\t'))
        return scan_refuse(why, 400, "a header line is folded, or begins with white space (RFC 9112 5.2)");
    return GUARD_MORE;
}

enum guard_progress
guard_scan(struct guard_scan *scan, struct span in, size_t *length, struct guard_refusal *why)
{
    for (; scan->seen < in.length; scan->seen++) {
        size_t              i    = scan->seen;
        enum guard_progress made = scan_byte(scan, i > 0 ? in.at[i - 1] : 0, in.at[i], why);

        if (made == GUARD_WHOLE)
            *length = i + 1;
        if (made != GUARD_MORE)
            return made;
        if (i + 1 == GUARD_MAX_HEAD)
            return scan_refuse(why, 431, "the header block is longer than 16 KiB");
    }
    return GUARD_MORE;
}

/* ---- the whole block ----------------------------------------------------- */

bool
guard_head(struct span block, struct guard_head *out, struct guard_refusal *why)
{
    struct gathered got = { 0 };

    *out = (struct guard_head){ 0 };
    if (span_starts(block, SPAN("\r\n")))
        block = span_skip(block, 2);
    size_t end = span_find(block, SPAN("\r\n"));
    if (end == SPAN_NOT_FOUND)
        return refuse(why, 400, "http.head", "the header block has no end");
    if (!request_line(span_first(block, end), out, why))
        return false;
    if (!fields(span_skip(block, end + 2), out, &got, why))
        return false;
    /* RFC 9112 9.3: HTTP/1.1 stays open unless told otherwise, 1.0 closes. */
    out->keep_alive = !got.close && (out->minor == 1 || got.keep_alive);
    return host(&got, why) && framing(&got, out, why) && content(&got, out, why);
}

static bool
refuse(struct guard_refusal *r, int status, const char *where, const char *why)
{
    *r = (struct guard_refusal){ .status = status, .why = why, .where = where };
    return false;
}

static bool
all_of(struct span s, int class)
{
    for (size_t i = 0; i < s.length; i++)
        if (!is(s.at[i], class))
            return false;
    return true;
}

static bool
is_token(struct span s)
{
    return s.length > 0 && all_of(s, TCHAR);
}

static bool
request_line(struct span line, struct guard_head *out, struct guard_refusal *why)
{
    size_t first = span_find_byte(line, ' ');
    size_t last  = span_find_last_byte(line, ' ');

    if (first == SPAN_NOT_FOUND || first == last)
        return refuse(why, 400, "http.request-line", "the request line is not method, target and version (RFC 9112 3)");
    struct span version = span_skip(line, last + 1);
    struct span middle  = span_from(line.at + first + 1, last - first - 1);
    out->method = span_first(line, first);
    if (!is_token(out->method))
        return refuse(why, 400, "http.request-line", "the method is not a token");
    if (version.length != 8 || !span_starts(version, SPAN("HTTP/")) || version.at[6] != '.'
        || version.at[5] < '0' || version.at[5] > '9' || version.at[7] < '0' || version.at[7] > '9')
        return refuse(why, 400, "http.request-line", "the request line does not end in an HTTP version");
    if (version.at[5] != '1' || (version.at[7] != '0' && version.at[7] != '1'))
        return refuse(why, 505, "http.request-line", "this HTTP version is not spoken here; use HTTP/1.1");
    out->minor = (uint8_t)(version.at[7] - '0');
    if (!method_known(out->method))
        return refuse(why, 501, "http.method", "this method is not taken here");
    return target(middle, out, why);
}

static bool
method_known(struct span method)
{
    static const char *const known[] = { "GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS" };

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (span_eq_text(method, known[i]))
            return true;
    return false;
}

/* G3.  A query may hold any visible ASCII character: `|` in a token search is
 * sent bare by many clients. */
static bool
target(struct span t, struct guard_head *out, struct guard_refusal *why)
{
    for (size_t i = 0; i < t.length; i++)
        if (t.at[i] <= 0x20 || t.at[i] >= 0x7f || t.at[i] == '#')
            return refuse(why, 400, "http.target", "the request target holds white space, a control character, `#` or a byte above 127");
    if (!percents_whole(t))
        return refuse(why, 400, "http.target", "a `%` in the request target is not followed by two hex digits, or encodes NUL");
    if (span_eq_text(t, "*") && span_eq_text(out->method, "OPTIONS")) {
        out->path = t;
        return true;
    }
    if (t.length == 0 || t.at[0] != '/')
        return refuse(why, 400, "http.target", "the request target is not an absolute path (RFC 9112 3.2.1)");
    if (t.length > 1 && t.at[1] == '/')
        return refuse(why, 400, "http.target", "the request target begins with `//`");
    size_t mark = span_find_byte(t, '?');
    out->path   = mark == SPAN_NOT_FOUND ? t : span_first(t, mark);
    out->query  = mark == SPAN_NOT_FOUND ? (struct span){ 0 } : span_skip(t, mark + 1);
    for (size_t i = 0; i < out->path.length; i++)
        if (out->path.at[i] != '%' && !is(out->path.at[i], PCHAR))
            return refuse(why, 400, "http.target", "the path holds a character that must be percent-encoded (RFC 3986 3.3)");
    return true;
}

static bool
percents_whole(struct span t)
{
    for (size_t i = 0; i < t.length; i++) {
        if (t.at[i] != '%')
            continue;
        if (i + 2 >= t.length || digits_hex_value(t.at[i + 1]) < 0 || digits_hex_value(t.at[i + 2]) < 0)
            return false;
        if (t.at[i + 1] == '0' && t.at[i + 2] == '0')
            return false;
    }
    return true;
}

static bool
fields(struct span rest, struct guard_head *out, struct gathered *got, struct guard_refusal *why)
{
    for (;;) {
        size_t      end  = span_find(rest, SPAN("\r\n"));
        struct span line = span_first(rest, end);

        if (end == SPAN_NOT_FOUND)
            return refuse(why, 400, "http.head", "the header block has no end");
        if (end == 0)
            return true;
        size_t colon = span_find_byte(line, ':');
        if (colon == SPAN_NOT_FOUND)
            return refuse(why, 400, "http.head", "a header line has no colon");
        if (!is_token(span_first(line, colon)))
            return refuse(why, 400, "http.head", "a field name is empty, has white space before its colon, or is not a token (RFC 9112 5.1)");
        if (!all_of(span_skip(line, colon + 1), VALUE))
            return refuse(why, 400, "http.head", "a control character in a field value");
        if (++out->field_count > GUARD_MAX_FIELDS)
            return refuse(why, 431, "http.head", "more than 100 header fields");
        gather(got, span_first(line, colon), span_trim(span_skip(line, colon + 1)));
        rest = span_skip(rest, end + 2);
    }
}

static void
gather(struct gathered *got, struct span name, struct span value)
{
    struct { const char *name; uint32_t *count; struct span *value; } known[] = {
        { "host", &got->hosts, &got->host },
        { "content-length", &got->lengths, &got->length },
        { "transfer-encoding", &got->transfers, &got->transfer },
        { "content-encoding", &got->contents, &got->content },
        { "expect", &got->expects, &got->expect },
    };

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (!span_eq_nocase(name, span_of(known[i].name)))
            continue;
        ++*known[i].count;
        *known[i].value = value;
        return;
    }
    if (span_eq_nocase(name, SPAN("connection")))
        connection_tokens(got, value);
}

static void
connection_tokens(struct gathered *got, struct span value)
{
    while (value.at != NULL) {
        struct span token = span_trim(span_split(&value, ','));
        if (span_eq_nocase(token, SPAN("close")))
            got->close = true;
        if (span_eq_nocase(token, SPAN("keep-alive")))
            got->keep_alive = true;
    }
}

/* G5 */
static bool
host(const struct gathered *got, struct guard_refusal *why)
{
    if (got->hosts != 1)
        return refuse(why, 400, "http.Host", got->hosts == 0 ? "there is no Host field (RFC 9112 3.2)"
                                                             : "there is more than one Host field (RFC 9112 3.2)");
    if (got->host.length == 0 || !all_of(got->host, HOST))
        return refuse(why, 400, "http.Host", "Host is not a host and an optional port (RFC 9112 3.2)");
    return true;
}

static bool
all_digits(struct span s)
{
    for (size_t i = 0; i < s.length; i++)
        if (s.at[i] < '0' || s.at[i] > '9')
            return false;
    return s.length > 0;
}

/* G6, G7 */
static bool
framing(const struct gathered *got, struct guard_head *out, struct guard_refusal *why)
{
    if (got->transfers > 0 && got->lengths > 0)
        return refuse(why, 400, "http.Transfer-Encoding", "Transfer-Encoding and Content-Length together (RFC 9112 6.1)");
    if (got->transfers > 0) {
        if (out->minor == 0)
            return refuse(why, 400, "http.Transfer-Encoding", "Transfer-Encoding with HTTP/1.0 (RFC 9112 6.1)");
        if (got->transfers > 1 || !span_eq_nocase(got->transfer, SPAN("chunked")))
            return refuse(why, 400, "http.Transfer-Encoding", "Transfer-Encoding is not `chunked` and nothing else");
        out->framing = GUARD_CHUNKED;
        return true;
    }
    if (got->lengths == 0)
        return true;
    if (got->lengths > 1)
        return refuse(why, 400, "http.Content-Length", "there is more than one Content-Length (RFC 9110 8.6)");
    if (!all_digits(got->length))
        return refuse(why, 400, "http.Content-Length", "Content-Length is not a decimal number of octets (RFC 9110 8.6)");
    if (!span_to_u64(got->length, &out->length) || out->length > INT64_MAX)
        return refuse(why, 413, "http.Content-Length", "the body is larger than this gateway takes");
    out->framing = out->length > 0 ? GUARD_LENGTH : GUARD_NO_BODY;
    return true;
}

static bool
content(const struct gathered *got, struct guard_head *out, struct guard_refusal *why)
{
    if (got->contents > 1)
        return refuse(why, 415, "http.Content-Encoding", "only one Content-Encoding is undone here: gzip");
    if (got->contents == 1 && !span_eq_nocase(got->content, SPAN("identity"))) {
        out->gzip = span_eq_nocase(got->content, SPAN("gzip")) || span_eq_nocase(got->content, SPAN("x-gzip"));
        if (!out->gzip)
            return refuse(why, 415, "http.Content-Encoding", "this Content-Encoding is not undone here; send gzip or none");
    }
    /* RFC 9110 10.1.1: an expectation in HTTP/1.0 is ignored. */
    if (got->expects > 0 && out->minor == 1) {
        out->expect_continue = got->expects == 1 && span_eq_nocase(got->expect, SPAN("100-continue"));
        if (!out->expect_continue)
            return refuse(why, 417, "http.Expect", "the only expectation that is met here is 100-continue");
    }
    return true;
}

/* ---- the path ------------------------------------------------------------ */

/* Takes the last segment off: "/a/b/" -> "/a/".  False at the root. */
static bool
climb(const char *out, size_t *n)
{
    if (*n <= 1)
        return false;
    --*n;
    while (out[*n - 1] != '/')
        --*n;
    return true;
}

/* `out` ends in '/'; the segment is out[start..n).  Dot segments go, an empty
 * one leaves nothing behind. */
static bool
close_segment(char *out, size_t start, size_t *n)
{
    struct span segment = span_from(out + start, *n - start);

    if (span_eq_text(segment, ".")) {
        *n = start;
        return true;
    }
    if (span_eq_text(segment, "..")) {
        *n = start;
        return climb(out, n);
    }
    return true;
}

bool
guard_path(struct span path, char *out, size_t *length, struct guard_refusal *why)
{
    size_t n = 0, start = 1;

    for (size_t i = 0; i < path.length; i++) {
        char c       = path.at[i];
        bool encoded = c == '%';

        if (encoded) {
            c = (char)(digits_hex_value(path.at[i + 1]) * 16 + digits_hex_value(path.at[i + 2]));
            i += 2;
        }
        if ((unsigned char)c < 0x20 || c == 0x7f || c == '\\' || (encoded && c == '/'))
            return refuse(why, 400, "http.target", "the path encodes a slash, a backslash or a control character");
        if (c != '/' || encoded) {
            out[n++] = c;
            continue;
        }
        if (n > 0 && !close_segment(out, start, &n))
            return refuse(why, 400, "http.target", "the path climbs over its root");
        if (n == 0 || out[n - 1] != '/')
            out[n++] = '/';
        start = n;
    }
    if (n > 0 && !close_segment(out, start, &n))
        return refuse(why, 400, "http.target", "the path climbs over its root");
    *length = n;
    return true;
}

/* ---- chunks -------------------------------------------------------------- */

enum chunk_state {
    CHUNK_SIZE = 0, CHUNK_EXTENSION, CHUNK_SIZE_LF, CHUNK_DATA, CHUNK_DATA_CR, CHUNK_DATA_LF,
    CHUNK_LINE,                          /* the start of a trailer line, or of the last CR LF */
    CHUNK_NAME, CHUNK_VALUE, CHUNK_VALUE_LF, CHUNK_LAST_LF, CHUNK_OVER,
};

void
guard_chunks_init(struct guard_chunks *g, uint64_t max_total_bytes)
{
    *g = (struct guard_chunks){ .state = CHUNK_SIZE, .max_total = max_total_bytes };
}

static bool
chunk_refuse(struct guard_refusal *why, const char *text)
{
    return refuse(why, 400, "http.Transfer-Encoding", text);
}

static bool
chunk_size(struct guard_chunks *g, char c, struct guard_refusal *why)
{
    int value = digits_hex_value(c);

    if (value >= 0) {
        if (++g->digits > MAX_CHUNK_DIGITS)
            return chunk_refuse(why, "a chunk size has too many digits");
        g->left = g->left * 16 + (unsigned)value;
        return true;
    }
    if (g->digits == 0)
        return chunk_refuse(why, "a chunk does not begin with its size in hex digits (RFC 9112 7.1)");
    if (c != '\r' && c != ';')
        return chunk_refuse(why, "a chunk size is followed by something else than CR LF or an extension");
    g->state = c == '\r' ? CHUNK_SIZE_LF : CHUNK_EXTENSION;
    return true;
}

static bool
chunk_begin(struct guard_chunks *g, struct guard_refusal *why)
{
    g->total += g->left;
    if (g->total > g->max_total)
        return refuse(why, 413, "http.body", "the body is larger than this gateway takes");
    g->state  = g->left > 0 ? CHUNK_DATA : CHUNK_LINE;
    g->line   = 0;
    g->digits = 0;
    return true;
}

/* G9: a field of the trailer must not change what has been decided. */
static bool
trailer_name_fine(const struct guard_chunks *g)
{
    static const char *const banned[] = { "content-length", "transfer-encoding", "host", "content-encoding",
                                          "connection", "authorization", "content-type", "trailer" };

    for (size_t i = 0; i < sizeof banned / sizeof banned[0]; i++)
        if (span_eq_text(span_from(g->name, g->name_length), banned[i]))
            return false;
    return g->name_length > 0;
}

static bool
trailer_name(struct guard_chunks *g, char c, struct guard_refusal *why)
{
    if (c == ':') {
        if (!trailer_name_fine(g))
            return chunk_refuse(why, "a trailer has no name or one that may not stand in a trailer (RFC 9110 6.5.1)");
        g->state = CHUNK_VALUE;
        return true;
    }
    if (!is(c, TCHAR))
        return chunk_refuse(why, "the name of a trailer is not a token");
    /* Longer than every banned name is fine: the rest need not be kept. */
    if (g->name_length < sizeof g->name)
        g->name[g->name_length++] = (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
    return true;
}

static bool
expect_lf(struct guard_chunks *g, char c, enum chunk_state then, struct guard_refusal *why)
{
    if (c != '\n')
        return chunk_refuse(why, "a carriage return without a line feed in a chunk line (RFC 9112 2.2)");
    g->state = then;
    g->line  = 0;
    return true;
}

static bool
chunk_text(struct guard_chunks *g, char c, enum chunk_state then, struct guard_refusal *why)
{
    if (c == '\r')
        g->state = then;
    else if (!is(c, VALUE))
        return chunk_refuse(why, "a control character or a lone line feed in a chunk line");
    return true;
}

/* One byte that is not chunk data. */
static bool
chunk_byte(struct guard_chunks *g, char c, struct guard_refusal *why)
{
    if (++g->line > MAX_CHUNK_LINE && g->state < CHUNK_LINE)
        return chunk_refuse(why, "a chunk line is longer than 256 bytes");
    if ((g->state == CHUNK_EXTENSION || g->state >= CHUNK_LINE) && ++g->overhead > MAX_CHUNK_OVERHEAD)
        return chunk_refuse(why, "chunk extensions and trailers are longer than 16 KiB");
    switch ((enum chunk_state)g->state) {
    case CHUNK_SIZE:
        return chunk_size(g, c, why);
    case CHUNK_EXTENSION:
        return chunk_text(g, c, CHUNK_SIZE_LF, why);
    case CHUNK_SIZE_LF:
        return expect_lf(g, c, CHUNK_SIZE_LF, why) && chunk_begin(g, why);
    case CHUNK_DATA_CR:
        if (c != '\r')
            return chunk_refuse(why, "chunk data is longer than its size says");
        g->state = CHUNK_DATA_LF;
        return true;
    case CHUNK_DATA_LF:
        return expect_lf(g, c, CHUNK_SIZE, why);
    case CHUNK_LINE:
        g->name_length = 0;
        g->state       = c == '\r' ? CHUNK_LAST_LF : CHUNK_NAME;
        return c == '\r' || trailer_name(g, c, why);
    case CHUNK_NAME:
        return trailer_name(g, c, why);
    case CHUNK_VALUE:
        return chunk_text(g, c, CHUNK_VALUE_LF, why);
    case CHUNK_VALUE_LF:
        return expect_lf(g, c, CHUNK_LINE, why);
    case CHUNK_LAST_LF:
        return expect_lf(g, c, CHUNK_OVER, why);
    case CHUNK_DATA:
    case CHUNK_OVER:
        break;
    }
    return chunk_refuse(why, "nothing may follow the last chunk");
}

enum guard_progress
guard_chunks(struct guard_chunks *g, struct span in, size_t *taken, struct guard_refusal *why)
{
    size_t i = 0;

    while (i < in.length && g->state != CHUNK_OVER) {
        if (g->state == CHUNK_DATA) {
            size_t step = in.length - i < g->left ? in.length - i : (size_t)g->left;
            i       += step;
            g->left -= step;
            if (g->left == 0)
                g->state = CHUNK_DATA_CR;
            continue;
        }
        if (!chunk_byte(g, in.at[i], why)) {
            *taken = i;
            return GUARD_REFUSED;
        }
        i++;
    }
    *taken = i;
    return g->state == CHUNK_OVER ? GUARD_WHOLE : GUARD_MORE;
}
