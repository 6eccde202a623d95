/* What may be framed in two ways is refused; what is good is read one way,
 * however the bytes come in.  Every case runs whole and cut in two at every
 * offset; every case is followed by one more request on the same connection,
 * which is answered after a good case and never after a refused one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <netinet/tcp.h>

#include "tests/support/wire.h"

#define H   "Host: a\r\n"
#define END "GET /end HTTP/1.1\r\nHost: e\r\nConnection: close\r\n\r\n"
#define OK_END "; 200 GET /end ? 0"

struct framing {
    const char *says;
    struct span bytes;
    const char *want;
};
#define CASE(says, bytes, want) { says, { "" bytes, sizeof(bytes) - 1 }, want }
#define GOOD(says, bytes, want) CASE(says, bytes, want OK_END)
#define BAD(says, bytes)        CASE(says, bytes, "400")

static const struct framing cases[] = {
    /* ---- good ---- */
    GOOD("a GET", "GET /x HTTP/1.1\r\n" H "\r\n", "200 GET /x ? 0"),
    GOOD("a GET with a query", "GET /x?a=b%20c&d HTTP/1.1\r\n" H "\r\n", "200 GET /x ?a=b%20c&d 0"),
    GOOD("a bare `|` in the query", "GET /x?t=s|v HTTP/1.1\r\n" H "\r\n", "200 GET /x ?t=s|v 0"),
    GOOD("a POST with a length", "POST /x HTTP/1.1\r\n" H "Content-Length: 3\r\n\r\nabc", "200 POST /x ? 3"),
    GOOD("a length of nothing", "POST /x HTTP/1.1\r\n" H "Content-Length: 0\r\n\r\n", "200 POST /x ? 0"),
    GOOD("a length with spaces around it", "POST /x HTTP/1.1\r\n" H "Content-Length:   3  \r\n\r\nabc", "200 POST /x ? 3"),
    GOOD("a length with zeros before it", "POST /x HTTP/1.1\r\n" H "Content-Length: 003\r\n\r\nabc", "200 POST /x ? 3"),
    GOOD("a POST without any body", "POST /x HTTP/1.1\r\n" H "\r\n", "200 POST /x ? 0"),
    GOOD("a chunk", "POST /x HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", "200 POST /x ? 3"),
    GOOD("chunks", "POST /x HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n00A\r\n0123456789\r\n1\r\n\n\r\n0\r\n\r\n", "200 POST /x ? 14"),
    GOOD("no chunk but the last", "POST /x HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "200 POST /x ? 0"),
    GOOD("`Chunked`", "POST /x HTTP/1.1\r\n" H "transfer-encoding:Chunked  \r\n\r\n1\r\nx\r\n0\r\n\r\n", "200 POST /x ? 1"),
    GOOD("a chunk extension", "POST /x HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n0;c\r\n\r\n", "200 POST /x ? 3"),
    GOOD("a trailer", "POST /x HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 1 2\r\nX-B:\r\n\r\n", "200 POST /x ? 3"),
    GOOD("two requests at once", "GET /1 HTTP/1.1\r\n" H "\r\nGET /2 HTTP/1.1\r\n" H "\r\n", "200 GET /1 ? 0; 200 GET /2 ? 0"),
    GOOD("a POST and a GET at once", "POST /1 HTTP/1.1\r\n" H "Content-Length: 5\r\n\r\nGET /GET /2 HTTP/1.1\r\n" H "\r\n", "200 POST /1 ? 5; 200 GET /2 ? 0"),
    GOOD("chunks and a GET at once", "POST /1 HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\nGET /2 HTTP/1.1\r\n" H "\r\n", "200 POST /1 ? 2; 200 GET /2 ? 0"),
    GOOD("one empty line before the request", "\r\nGET /x HTTP/1.1\r\n" H "\r\n", "200 GET /x ? 0"),
    GOOD("an empty field value", "GET /x HTTP/1.1\r\n" H "X-A:\r\nX-B: \t\r\n\r\n", "200 GET /x ? 0"),
    GOOD("a field value above 127", "GET /x HTTP/1.1\r\n" H "X-A: \xc3\xa4\xff\r\n\r\n", "200 GET /x ? 0"),
    GOOD("a Host with a port", "GET /x HTTP/1.1\r\nHost: a.example.org:8443\r\n\r\n", "200 GET /x ? 0"),
    GOOD("a Host that is an IPv6 address", "GET /x HTTP/1.1\r\nHost: [::1]:8443\r\n\r\n", "200 GET /x ? 0"),
    GOOD("PUT, DELETE and PATCH", "PUT /x HTTP/1.1\r\n" H "Content-Length: 1\r\n\r\nyDELETE /x HTTP/1.1\r\n" H "\r\nPATCH /x HTTP/1.1\r\n" H "\r\n",
         "200 PUT /x ? 1; 200 DELETE /x ? 0; 200 PATCH /x ? 0"),
    GOOD("OPTIONS *", "OPTIONS * HTTP/1.1\r\n" H "\r\n", "200 OPTIONS * ? 0"),
    GOOD("an Upgrade, ignored", "POST /x HTTP/1.1\r\n" H "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nContent-Length: 2\r\n\r\nab", "200 POST /x ? 2"),
    GOOD("an Upgrade with chunks, ignored", "POST /x HTTP/1.1\r\n" H "Connection: Upgrade\r\nUpgrade: websocket\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n", "200 POST /x ? 2"),
    GOOD("HTTP/1.0 that stays", "GET /x HTTP/1.0\r\n" H "Connection: keep-alive\r\n\r\n", "200 GET /x ? 0"),
    CASE("HTTP/1.0 closes", "GET /x HTTP/1.0\r\n" H "\r\n", "200 GET /x ? 0"),
    CASE("Connection: close closes", "GET /x HTTP/1.1\r\n" H "Connection: x, Close\r\n\r\n", "200 GET /x ? 0"),
    GOOD("an expectation in HTTP/1.0 is ignored", "POST /x HTTP/1.0\r\n" H "Connection: keep-alive\r\nExpect: 200-fine\r\nContent-Length: 1\r\n\r\nz", "200 POST /x ? 1"),
    /* ---- targets ---- */
    GOOD("an encoded path, decoded once", "GET /fhir/%50atient/%2561 HTTP/1.1\r\n" H "\r\n", "200 GET /fhir/Patient/%61 ? 0"),
    GOOD("dot segments", "GET /a/./b/../c/. HTTP/1.1\r\n" H "\r\n", "200 GET /a/c/ ? 0"),
    GOOD("encoded dot segments", "GET /a/b/%2e%2E/c HTTP/1.1\r\n" H "\r\n", "200 GET /a/c ? 0"),
    GOOD("up to the root", "GET /a/.. HTTP/1.1\r\n" H "\r\n", "200 GET / ? 0"),
    GOOD("three dots", "GET /a/... HTTP/1.1\r\n" H "\r\n", "200 GET /a/... ? 0"),
    GOOD("an empty segment", "GET /fhir//Patient/// HTTP/1.1\r\n" H "\r\n", "200 GET /fhir/Patient/ ? 0"),
    GOOD("an operation", "POST /fhir/$process-message HTTP/1.1\r\n" H "\r\n", "200 POST /fhir/$process-message ? 0"),
    BAD("a path over the root", "GET /../x HTTP/1.1\r\n" H "\r\n"),
    BAD("an encoded path over the root", "GET /a/%2e%2e/%2e./x HTTP/1.1\r\n" H "\r\n"),
    BAD("an encoded slash", "GET /a%2fb HTTP/1.1\r\n" H "\r\n"),
    BAD("an encoded backslash", "GET /a%5Cb HTTP/1.1\r\n" H "\r\n"),
    BAD("a backslash", "GET /a\\b HTTP/1.1\r\n" H "\r\n"),
    BAD("an encoded NUL", "GET /a%00 HTTP/1.1\r\n" H "\r\n"),
    BAD("an encoded NUL in the query", "GET /a?b=%00 HTTP/1.1\r\n" H "\r\n"),
    BAD("an encoded line break in the path", "GET /a%0d%0ab HTTP/1.1\r\n" H "\r\n"),
    BAD("half a percent", "GET /a%2 HTTP/1.1\r\n" H "\r\n"),
    BAD("a percent without hex", "GET /a?b=%zz HTTP/1.1\r\n" H "\r\n"),
    BAD("a fragment", "GET /a#b HTTP/1.1\r\n" H "\r\n"),
    BAD("a byte above 127 in the target", "GET /\xc3\xa4 HTTP/1.1\r\n" H "\r\n"),
    BAD("a quote in the path", "GET /a\"b HTTP/1.1\r\n" H "\r\n"),
    BAD("a path that is an authority", "GET //b/x HTTP/1.1\r\n" H "\r\n"),
    BAD("absolute-form", "GET http://a/x HTTP/1.1\r\n" H "\r\n"),
    BAD("authority-form", "GET a:443 HTTP/1.1\r\n" H "\r\n"),
    BAD("* with GET", "GET * HTTP/1.1\r\n" H "\r\n"),
    BAD("no target", "GET HTTP/1.1\r\n" H "\r\n"),
    BAD("a relative path", "GET x HTTP/1.1\r\n" H "\r\n"),
    CASE("CONNECT", "CONNECT a:443 HTTP/1.1\r\n" H "\r\n", "501"),
    /* ---- request lines ---- */
    CASE("TRACE", "TRACE /x HTTP/1.1\r\n" H "\r\n", "501"),
    CASE("a method in lower case", "get /x HTTP/1.1\r\n" H "\r\n", "501"),
    CASE("an unknown method", "SOURCE /x HTTP/1.1\r\n" H "\r\n", "501"),
    BAD("a method that is no token", "G(T /x HTTP/1.1\r\n" H "\r\n"),
    BAD("two spaces", "GET  /x HTTP/1.1\r\n" H "\r\n"),
    BAD("two spaces before the version", "GET /x  HTTP/1.1\r\n" H "\r\n"),
    BAD("a space after the version", "GET /x HTTP/1.1 \r\n" H "\r\n"),
    BAD("a space before the method", " GET /x HTTP/1.1\r\n" H "\r\n"),
    BAD("tabs", "GET\t/x\tHTTP/1.1\r\n" H "\r\n"),
    BAD("no version", "GET /x\r\n" H "\r\n"),
    BAD("a version in lower case", "GET /x http/1.1\r\n" H "\r\n"),
    BAD("a version with a tail", "GET /x HTTP/1.1x\r\n" H "\r\n"),
    BAD("a version with two digits", "GET /x HTTP/01.1\r\n" H "\r\n"),
    CASE("HTTP/1.9", "GET /x HTTP/1.9\r\n" H "\r\n", "505"),
    CASE("HTTP/2.0", "GET /x HTTP/2.0\r\n" H "\r\n", "505"),
    CASE("HTTP/0.9", "GET /x HTTP/0.9\r\n" H "\r\n", "505"),
    CASE("the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "505"),
    BAD("a TLS greeting", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
    BAD("two empty lines before the request", "\r\n\r\nGET /x HTTP/1.1\r\n" H "\r\n"),
    /* ---- line ends and control characters ---- */
    BAD("a lone LF after the request line", "GET /x HTTP/1.1\n" H "\r\n"),
    BAD("a lone LF after a field", "GET /x HTTP/1.1\r\nHost: a\n\r\n"),
    BAD("a lone LF at the end", "GET /x HTTP/1.1\r\n" H "\n"),
    BAD("lone LFs throughout", "GET /x HTTP/1.1\nHost: a\n\n"),
    BAD("a CR in a value that hides a field", "POST /x HTTP/1.1\r\n" H "X-Abc:\rxTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n"),
    BAD("a CR in a name", "GET /x HTTP/1.1\r\n" H "X-\rA: b\r\n\r\n"),
    BAD("CR CR LF", "GET /x HTTP/1.1\r\r\n" H "\r\n"),
    BAD("a CR before the end", "GET /x HTTP/1.1\r\n" H "\r\r\n\r\n"),
    BAD("NUL in a value", "GET /x HTTP/1.1\r\n" H "X-A: a\0b\r\n\r\n"),
    BAD("NUL in a name", "GET /x HTTP/1.1\r\n" H "X-\0A: b\r\n\r\n"),
    BAD("NUL in the target", "GET /x\0y HTTP/1.1\r\n" H "\r\n"),
    BAD("vertical tab in a value", "GET /x HTTP/1.1\r\n" H "X-A: a\vb\r\n\r\n"),
    BAD("DEL in a value", "GET /x HTTP/1.1\r\n" H "X-A: a\x7f\r\n\r\n"),
    BAD("obs-fold with a space", "GET /x HTTP/1.1\r\n" H "X-A: a\r\n b\r\n\r\n"),
    BAD("obs-fold with a tab", "GET /x HTTP/1.1\r\n" H "X-A: a\r\n\tb\r\n\r\n"),
    BAD("obs-fold that hides a length", "POST /x HTTP/1.1\r\n" H "X-A: a\r\n Content-Length: 3\r\n\r\nabc"),
    BAD("white space before the first field", "GET /x HTTP/1.1\r\n " H "\r\n"),
    /* ---- fields ---- */
    BAD("a space before the colon", "POST /x HTTP/1.1\r\n" H "Content-Length : 3\r\n\r\nabc"),
    BAD("a tab before the colon", "POST /x HTTP/1.1\r\n" H "Transfer-Encoding\t: chunked\r\n\r\n0\r\n\r\n"),
    BAD("a field without a colon", "GET /x HTTP/1.1\r\n" H "Nothing\r\n\r\n"),
    BAD("a field without a name", "GET /x HTTP/1.1\r\n" H ": b\r\n\r\n"),
    BAD("a name that is no token", "GET /x HTTP/1.1\r\n" H "X(A): b\r\n\r\n"),
    BAD("a name above 127", "GET /x HTTP/1.1\r\n" H "X\xc3\xa4: b\r\n\r\n"),
    BAD("no Host", "GET /x HTTP/1.1\r\n\r\n"),
    BAD("no Host in HTTP/1.0", "GET /x HTTP/1.0\r\n\r\n"),
    BAD("two Hosts", "GET /x HTTP/1.1\r\n" H "Host: b\r\n\r\n"),
    BAD("the same Host twice", "GET /x HTTP/1.1\r\n" H H "\r\n"),
    BAD("an empty Host", "GET /x HTTP/1.1\r\nHost:\r\n\r\n"),
    BAD("a Host with a list", "GET /x HTTP/1.1\r\nHost: a, b\r\n\r\n"),
    BAD("a Host with a user", "GET /x HTTP/1.1\r\nHost: u@a\r\n\r\n"),
    BAD("a Host with a path", "GET /x HTTP/1.1\r\nHost: a/b\r\n\r\n"),
    CASE("an expectation that is not met", "POST /x HTTP/1.1\r\n" H "Expect: 200-fine\r\nContent-Length: 3\r\n\r\nabc", "417"),
    CASE("Content-Encoding: br", "POST /x HTTP/1.1\r\n" H "Content-Encoding: br\r\nContent-Length: 3\r\n\r\nabc", "415"),
    CASE("Content-Encoding: gzip twice over", "POST /x HTTP/1.1\r\n" H "Content-Encoding: gzip, gzip\r\nContent-Length: 3\r\n\r\nabc", "415"),
    CASE("two Content-Encodings", "POST /x HTTP/1.1\r\n" H "Content-Encoding: gzip\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc", "415"),
    /* ---- Content-Length ---- */
    BAD("two lengths", "POST /x HTTP/1.1\r\n" H "Content-Length: 3\r\nContent-Length: 5\r\n\r\nabcde"),
    BAD("the same length twice", "POST /x HTTP/1.1\r\n" H "Content-Length: 3\r\ncontent-length: 3\r\n\r\nabc"),
    BAD("a list of lengths", "POST /x HTTP/1.1\r\n" H "Content-Length: 3, 3\r\n\r\nabc"),
    BAD("a length with a plus", "POST /x HTTP/1.1\r\n" H "Content-Length: +3\r\n\r\nabc"),
    BAD("a length with a minus", "POST /x HTTP/1.1\r\n" H "Content-Length: -3\r\n\r\nabc"),
    BAD("a length in hex", "POST /x HTTP/1.1\r\n" H "Content-Length: 0x3\r\n\r\nabc"),
    BAD("a length with a space inside", "POST /x HTTP/1.1\r\n" H "Content-Length: 3 3\r\n\r\nabc"),
    BAD("a length with a point", "POST /x HTTP/1.1\r\n" H "Content-Length: 3.0\r\n\r\nabc"),
    BAD("an empty length", "POST /x HTTP/1.1\r\n" H "Content-Length:\r\n\r\nabc"),
    CASE("a length of 2^63", "POST /x HTTP/1.1\r\n" H "Content-Length: 9223372036854775808\r\n\r\nabc", "413"),
    CASE("a length of 2^64 + 3", "POST /x HTTP/1.1\r\n" H "Content-Length: 18446744073709551619\r\n\r\nabc", "413"),
    CASE("a length over the limit", "POST /x HTTP/1.1\r\n" H "Content-Length: 1048577\r\n\r\nabc", "413"),
    CASE("a length over the limit that is expected", "POST /x HTTP/1.1\r\n" H "Expect: 100-continue\r\nContent-Length: 1048577\r\n\r\n", "413"),
    /* ---- Transfer-Encoding ---- */
    BAD("chunked and a length", "POST /x HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n"),
    BAD("a length and chunked", "POST /x HTTP/1.1\r\n" H "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    BAD("a length of 0 and chunked", "POST /x HTTP/1.1\r\n" H "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    BAD("chunked in HTTP/1.0", "POST /x HTTP/1.0\r\n" H "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    BAD("xchunked", "POST /x HTTP/1.1\r\n" H "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"),
    BAD("chunked, identity", "POST /x HTTP/1.1\r\n" H "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n"),
    BAD("identity", "POST /x HTTP/1.1\r\n" H "Transfer-Encoding: identity\r\n\r\nabc"),
    BAD("gzip, chunked", "POST /x HTTP/1.1\r\n" H "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
    BAD("chunked twice in one", "POST /x HTTP/1.1\r\n" H "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n"),
    BAD("chunked twice", "POST /x HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    BAD("chunked and identity", "POST /x HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n"),
    BAD("\"chunked\"", "POST /x HTTP/1.1\r\n" H "Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n"),
    BAD("chunked;q=1", "POST /x HTTP/1.1\r\n" H "Transfer-Encoding: chunked;q=1\r\n\r\n0\r\n\r\n"),
    BAD("an empty Transfer-Encoding", "POST /x HTTP/1.1\r\n" H "Transfer-Encoding:\r\n\r\n0\r\n\r\n"),
    BAD("a vertical tab before chunked", "POST /x HTTP/1.1\r\n" H "Transfer-Encoding: \vchunked\r\n\r\n0\r\n\r\n"),
    /* ---- chunks ---- */
#define C "POST /x HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n"
    BAD("a chunk size with 0x", C "0x3\r\nabc\r\n0\r\n\r\n"),
    BAD("a chunk size with a plus", C "+3\r\nabc\r\n0\r\n\r\n"),
    BAD("a chunk size with a minus", C "-3\r\nabc\r\n0\r\n\r\n"),
    BAD("a chunk size after a space", C " 3\r\nabc\r\n0\r\n\r\n"),
    BAD("a chunk size before a space", C "3 \r\nabc\r\n0\r\n\r\n"),
    BAD("a chunk size with an underscore", C "0_3\r\nabc\r\n0\r\n\r\n"),
    BAD("a chunk size that is no number", C "zz\r\nabc\r\n0\r\n\r\n"),
    BAD("no chunk size", C "\r\nabc\r\n0\r\n\r\n"),
    BAD("a chunk size of 2^64", C "10000000000000000\r\nabc\r\n0\r\n\r\n"),
    BAD("a chunk size before a lone LF", C "3\nabc\r\n0\r\n\r\n"),
    BAD("a chunk size before a lone CR", C "3\rabc\r\n0\r\n\r\n"),
    BAD("a chunk that is longer than its size", C "3\r\nabcd\r\n0\r\n\r\n"),
    BAD("no CR LF after a chunk", C "3\r\nabc0\r\n\r\n"),
    BAD("a lone LF after a chunk", C "3\r\nabc\n0\r\n\r\n"),
    BAD("a lone CR after a chunk", C "3\r\nabc\r0\r\n\r\n"),
    BAD("a lone LF in a chunk extension", C "3;a\nb\r\nabc\r\n0\r\n\r\n"),
    BAD("a CR in a chunk extension", C "3;a\rb\r\nabc\r\n0\r\n\r\n"),
    BAD("NUL in a chunk extension", C "3;a\0b\r\nabc\r\n0\r\n\r\n"),
    BAD("a lone LF after the last chunk", C "3\r\nabc\r\n0\r\n\n"),
    BAD("a trailer with a length", C "0\r\nContent-Length: 3\r\n\r\n"),
    BAD("a trailer with an encoding", C "0\r\nTransfer-Encoding: chunked\r\n\r\n"),
    BAD("a trailer with a Host", C "0\r\nHOST: b\r\n\r\n"),
    BAD("a trailer without a colon", C "0\r\nX-A\r\n\r\n"),
    BAD("a trailer with a space before its colon", C "0\r\nX-A : b\r\n\r\n"),
    BAD("a trailer that is folded", C "0\r\nX-A: b\r\n c\r\n\r\n"),
    BAD("a trailer with a lone LF", C "0\r\nX-A: b\n\r\n"),
    BAD("a trailer with a CR", C "0\r\nX-A: b\rc\r\n\r\n"),
    CASE("a chunk over the limit", C "100001\r\n", "413"),
    CASE("chunks over the limit", C "3\r\nabc\r\nffffe\r\n", "413"),
};

/* "200 GET /x ? 0; 400": the status of each answer, and what the handler saw. */
static void
summarise(char *text, char *out, size_t room)
{
    size_t n = 0;

    out[0] = 0;
    for (char *at = text; (at = strstr(at, "HTTP/1.1 ")) != NULL;) {
        char  *end    = strstr(at, "\r\n\r\n");
        char  *length = strcasestr(at, "content-length: ");
        if (end == NULL)
            return;
        size_t size = length != NULL && length < end ? strtoul(length + 16, NULL, 10) : 0;
        char  *body = end + 4;
        char   seen[256] = "";
        if (strncmp(at + 9, "200", 3) == 0 && size < sizeof seen) {
            memcpy(seen, body, size);
            seen[size] = 0;
            char *hash = strrchr(seen, '[');         /* drops the hash and the CN */
            if (hash != NULL && hash - seen > 18)
                hash[-18] = 0;
            if (memmem(body, size, "NO-SLACK", 8) != NULL)
                snprintf(seen, sizeof seen, "NO-SLACK");
        } else if (strncmp(at + 9, "200", 3) != 0 && memmem(body, size, "\"OperationOutcome\"", 18) == NULL) {
            snprintf(seen, sizeof seen, "without an OperationOutcome");
        }
        n += (size_t)snprintf(out + n, room - n, "%s%.3s%s%s", n > 0 ? "; " : "", at + 9, seen[0] != 0 ? " " : "", seen);
        at = body + size;
    }
}

static void
exchange_bytes(uint16_t port, struct span first, struct span second, char *summary, size_t room)
{
    static char got[16384];
    const int   on = 1;
    int         fd = wire_connect(port);

    assert_true(fd >= 0);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    wire_send(fd, first);
    if (first.length > 0 && second.length > 0)
        usleep(60);                      /* mostly enough for the server to read the first half alone */
    wire_send(fd, second);
    wire_drain(fd, got, sizeof got, 5000);
    close(fd);
    summarise(got, summary, room);
}

static void
test_reads_what_is_good_and_refuses_what_is_not(void **state)
{
    struct wire w;
    char        bytes[1024], summary[1024];
    size_t      count = sizeof cases / sizeof cases[0];

    (void)state;
    assert_true(wire_open(&w, NULL, &wire_limits, NULL));
    for (size_t i = 0; i < count; i++) {
        memcpy(bytes, cases[i].bytes.at, cases[i].bytes.length);
        memcpy(bytes + cases[i].bytes.length, END, sizeof END - 1);
        size_t length = cases[i].bytes.length + sizeof END - 1;
        for (size_t cut = 0; cut <= cases[i].bytes.length; cut++) {
            exchange_bytes(w.port, span_from(bytes, cut), span_from(bytes + cut, length - cut), summary, sizeof summary);
            if (strcmp(summary, cases[i].want) != 0)
                fail_msg("%s, cut at %zu:\n  want %s\n  have %s", cases[i].says, cut, cases[i].want, summary);
        }
    }
    print_message("%zu cases, each at every cut\n", count);
    wire_close(&w);
}

static void
test_reads_a_message_that_comes_byte_by_byte(void **state)
{
    static const char text[] = "POST /x?y HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n3;e\r\nabc\r\n0\r\nT: u\r\n\r\n" END;
    struct wire w;
    char        got[4096], summary[256];
    const int   on = 1;

    (void)state;
    assert_true(wire_open(&w, NULL, &wire_limits, NULL));
    int fd = wire_connect(w.port);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    for (size_t i = 0; i + 1 < sizeof text; i++) {
        assert_true(wire_send(fd, span_from(text + i, 1)));
        usleep(60);
    }
    wire_drain(fd, got, sizeof got, 5000);
    close(fd);
    summarise(got, summary, sizeof summary);
    assert_string_equal(summary, "200 POST /x ?y 3" OK_END);
    wire_close(&w);
}

/* ---- sizes ------------------------------------------------------------------- */

/* A head of exactly `size` bytes. */
static size_t
head_of(char *out, size_t size)
{
    static const char start[] = "GET /x HTTP/1.1\r\n" H "X-Fill: ";

    memcpy(out, start, sizeof start - 1);
    memset(out + sizeof start - 1, 'f', size - (sizeof start - 1) - 4);
    memcpy(out + size - 4, "\r\n\r\n", 4);
    return size;
}

static void
test_takes_a_head_of_16_KiB_and_not_a_byte_more(void **state)
{
    static char bytes[40000];
    struct wire w;
    char        summary[256];

    (void)state;
    assert_true(wire_open(&w, NULL, &wire_limits, NULL));
    for (size_t size = 16383; size <= 16386; size++) {
        size_t length = head_of(bytes, size);
        memcpy(bytes + length, END, sizeof END - 1);
        exchange_bytes(w.port, span_from(bytes, 8000), span_from(bytes + 8000, length + sizeof END - 1 - 8000), summary, sizeof summary);
        assert_string_equal(summary, size <= 16384 ? "200 GET /x ? 0" OK_END : "431");
    }
    wire_close(&w);
}

static void
test_takes_100_fields_and_not_one_more(void **state)
{
    static char bytes[8192];
    struct wire w;
    char        summary[256];

    (void)state;
    assert_true(wire_open(&w, NULL, &wire_limits, NULL));
    for (int fields = 99; fields <= 102; fields++) {
        int n = snprintf(bytes, sizeof bytes, "GET /x HTTP/1.1\r\n" H);
        for (int i = 1; i < fields; i++)
            n += snprintf(bytes + n, sizeof bytes - (size_t)n, "X-%d: %d\r\n", i, i);
        n += snprintf(bytes + n, sizeof bytes - (size_t)n, "\r\n" END);
        exchange_bytes(w.port, span_from(bytes, (size_t)n), SPAN(""), summary, sizeof summary);
        assert_string_equal(summary, fields <= 100 ? "200 GET /x ? 0" OK_END : "431");
    }
    wire_close(&w);
}

static void
test_takes_a_body_of_the_limit_and_not_a_byte_more(void **state)
{
    struct wire w;
    char        summary[256], head[128];
    char       *body = calloc(1, (1 << 20) + 200);

    (void)state;
    assert_true(wire_open(&w, NULL, &wire_limits, NULL));
    for (size_t size = (1 << 20) - 1; size <= (1 << 20) + 1; size++) {
        int    n    = snprintf(head, sizeof head, "POST /x HTTP/1.1\r\n" H "Content-Length: %zu\r\n\r\n", size);
        size_t left = size <= 1 << 20 ? size : 0;
        memset(body, 'b', left);
        memcpy(body + left, END, sizeof END - 1);
        exchange_bytes(w.port, span_from(head, (size_t)n), span_from(body, left + sizeof END - 1), summary, sizeof summary);
        if (size <= 1 << 20) {
            char want[128];
            snprintf(want, sizeof want, "200 POST /x ? %zu" OK_END, size);
            assert_string_equal(summary, want);
        } else {
            assert_string_equal(summary, "413");
        }
    }
    free(body);
    wire_close(&w);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_what_is_good_and_refuses_what_is_not),
        cmocka_unit_test(test_reads_a_message_that_comes_byte_by_byte),
        cmocka_unit_test(test_takes_a_head_of_16_KiB_and_not_a_byte_more),
        cmocka_unit_test(test_takes_100_fields_and_not_one_more),
        cmocka_unit_test(test_takes_a_body_of_the_limit_and_not_a_byte_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
