/* gateway/http/guard.h -- refuses what two HTTP parsers could frame differently.
 *
 * Pure functions over bytes, run before llhttp sees them.  Request smuggling
 * lives on a front proxy and a server that disagree about where a request
 * ends; what could be read in two ways is refused, not repaired
 * (RFC 9112 2.2, 5.1, 5.2, 6.1, 6.3, 7.1; RFC 9110 8.6; CVE-2023-30589).
 *
 *     guard_scan()     bytes as they come -> where the header block ends
 *     guard_head()     the whole block    -> how the message is framed
 *     guard_path()     the raw path       -> decoded once, normalised
 *     guard_chunks()   chunk lines and trailers, as they come
 *
 * Rules beside H1 to H3 of http/server.h:
 *   G1  a line ends in CR LF; a CR without LF, a lone LF, NUL and every other
 *       control character but HTAB inside a value: 400.  One empty line before
 *       the request line is let pass (RFC 9112 2.2)
 *   G2  request line: token, one SP, target, one SP, HTTP/1.1 or HTTP/1.0
 *       (other versions 505); methods of H6, others 501
 *   G3  target: origin-form, or `*` with OPTIONS; no absolute-form, no
 *       authority-form, no fragment, no `//` at the start; every `%` has two
 *       hex digits
 *   G4  path: RFC 3986 pchar only; percent-decoded once; an encoded `/`, `\`,
 *       NUL or control character is refused, empty segments are dropped,
 *       dot segments are resolved and may not climb over the root
 *   G5  exactly one Host with the shape of an authority (RFC 9112 3.2)
 *   G6  Transfer-Encoding: once, `chunked`, HTTP/1.1, no Content-Length
 *   G7  Content-Length: once, digits only; 2^63 and above is 413, as all that is too long
 *   G8  chunk line: hex digits (at most 15, no sign, no 0x, no space), then
 *       CR LF or `;` and an extension; 256 bytes a line, 16 KiB of extensions
 *       and trailers in a message
 *   G9  trailers obey the rules of fields and are dropped; one that would
 *       change the framing is refused (RFC 9110 6.5.1)
 *
 * Splitting the input at any byte gives the same answer: guard_scan and
 * guard_chunks decide on bytes seen in order, the rest on the whole block.
 */
#ifndef SLUICE_GATEWAY_HTTP_GUARD_H
#define SLUICE_GATEWAY_HTTP_GUARD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"

#define GUARD_MAX_HEAD   16384u          /* bytes of a header block */
#define GUARD_MAX_FIELDS 100u

/* Zeroed memory refuses. */
enum guard_progress { GUARD_REFUSED = 0, GUARD_MORE, GUARD_WHOLE };

struct guard_refusal {
    int         status;                  /* 400, 413, 415, 417, 431, 501, 505 */
    const char *why;                     /* one static sentence, no text of the request */
    const char *where;                   /* "http.Content-Length": OperationOutcome.issue.expression */
};

struct guard_scan {                      /* begins zeroed */
    size_t   seen;                       /* bytes that are known to be in order */
    size_t   line;                       /* where the line that is being read begins */
    uint32_t lines;                      /* request line and fields, whole ones */
};

/* `so_far` is all that has come of this message, from its first byte.  On
 * GUARD_WHOLE *length counts the block with its empty line. */
enum guard_progress guard_scan(struct guard_scan *, struct span so_far, size_t *length,
                               struct guard_refusal *);

enum guard_framing { GUARD_NO_BODY = 0, GUARD_LENGTH, GUARD_CHUNKED };

struct guard_head {
    struct span        method, path, query;      /* as received; no `?` */
    uint8_t            minor;                    /* HTTP/1.minor */
    enum guard_framing framing;
    uint64_t           length;
    size_t             field_count;
    bool               keep_alive;
    bool               expect_continue;
    bool               gzip;
};

/* The block that guard_scan has measured.  The one empty line that may come
 * before it is skipped.  False: refused. */
bool guard_head(struct span block, struct guard_head *out, struct guard_refusal *);

/* Writes at most path.length bytes to `out`, which may be path.at itself. */
bool guard_path(struct span path, char *out, size_t *length, struct guard_refusal *);

struct guard_chunks {
    int      state;
    uint64_t left;                       /* of the chunk that is being read */
    uint64_t total;                      /* announced so far */
    uint64_t max_total;
    uint32_t line;                       /* bytes of this line */
    uint32_t overhead;                   /* bytes of extensions and trailers */
    uint32_t digits;
    char     name[24];                   /* of a trailer field, lower case */
    uint32_t name_length;
};

void guard_chunks_init(struct guard_chunks *, uint64_t max_total_bytes);
/* How many of `bytes` are in order: all of them (GUARD_MORE), up to the end
 * of the message (GUARD_WHOLE), or up to what is refused. */
enum guard_progress guard_chunks(struct guard_chunks *, struct span bytes, size_t *taken,
                                 struct guard_refusal *);

#endif
