/* gateway/ops/tgz.c -- reads a gzipped tar, member by member, in memory. */
#include "gateway/ops/tgz.h"

#include <limits.h>
#include <string.h>
#include <zlib.h>

enum { BLOCK = 512, NAME_BYTES = 4096 };

struct reader {
    z_stream    z;
    struct span rest;                    /* compressed, not given to zlib yet */
    size_t      total;                   /* inflated so far */
    bool        ended;
    enum status status;
    struct buf *why;
};

struct header {
    char   name[NAME_BYTES];
    size_t size;
    char   type;
};

static bool take_header(struct reader *, struct header *, char *next_name);
static bool take_content(struct reader *, size_t, struct buf *);

static bool
fail(struct reader *r, enum status st, const char *why)
{
    if (r->status == ST_OK) {
        r->status = st;
        buf_add_text(r->why, why);
    }
    return false;
}

enum status
tgz_visit(struct span bytes, tgz_visitor *visit, void *arg, struct buf *why)
{
    struct reader r = { .rest = bytes, .status = ST_OK, .why = why };
    struct header header;
    struct buf    content;
    char          next_name[NAME_BYTES] = "";

    if (inflateInit2(&r.z, 15 + 16) != Z_OK) {             /* gzip only, RFC 1952 */
        buf_add_text(why, "not enough memory");
        return ST_NO_MEMORY;
    }
    buf_init(&content, TGZ_MEMBER_BYTES);
    while (take_header(&r, &header, next_name)) {
        if (!take_content(&r, header.size, &content))
            break;
        if ((header.type == '0' || header.type == '\0') && !visit(span_of(header.name), buf_span(&content), arg))
            break;
    }
    buf_release(&content);
    inflateEnd(&r.z);
    return r.status;
}

/* Exactly `size` bytes; false at the end and on errors. */
static bool
take(struct reader *r, void *to, size_t size)
{
    r->z.next_out  = to;
    r->z.avail_out = (uInt)size;
    r->total += size;
    if (r->total > TGZ_WHOLE_BYTES)
        return fail(r, ST_TOO_LARGE, "it holds too much");
    while (r->z.avail_out > 0) {
        if (r->z.avail_in == 0) {
            size_t chunk  = r->rest.length < INT_MAX ? r->rest.length : INT_MAX;
            r->z.next_in  = (Bytef *)(uintptr_t)r->rest.at;
            r->z.avail_in = (uInt)chunk;
            r->rest       = span_skip(r->rest, chunk);
        }
        int z = inflate(&r->z, Z_NO_FLUSH);
        if (z == Z_STREAM_END && r->z.avail_out > 0)
            return r->ended = true, fail(r, ST_MALFORMED, "it ends in the middle");
        if (z != Z_OK && z != Z_STREAM_END)
            return fail(r, ST_MALFORMED, "it is not a gzip file, or ends in the middle");
    }
    return true;
}

/* Octal digits up to a space or NUL. */
static bool
octal(const unsigned char *text, size_t length, uint64_t *out)
{
    uint64_t number = 0;
    size_t   i      = 0;
    while (i < length && text[i] == ' ')
        i++;
    for (; i < length && text[i] >= '0' && text[i] <= '7'; i++)
        number = number * 8 + (uint64_t)(text[i] - '0');
    *out = number;
    return i == length || text[i] == ' ' || text[i] == '\0';
}

static bool
checksum_right(const unsigned char *block)
{
    uint64_t want, have = 0;
    for (size_t i = 0; i < BLOCK; i++)
        have += i >= 148 && i < 156 ? ' ' : block[i];
    return octal(block + 148, 8, &want) && want == have;
}

/* pax records are "LENGTH path=NAME\n". */
static void
pax_path(struct span records, char *name)
{
    while (!span_empty(records)) {
        uint64_t    length;
        size_t      space = span_find_byte(records, ' ');
        struct span whole;
        if (space == SPAN_NOT_FOUND || !span_to_u64(span_first(records, space), &length) || length <= space
            || length > records.length)
            return;
        whole   = span_skip(span_first(records, (size_t)length - 1), space + 1);
        records = span_skip(records, (size_t)length);
        if (span_starts(whole, SPAN("path=")) && whole.length - 5 < NAME_BYTES) {
            memcpy(name, whole.at + 5, whole.length - 5);
            name[whole.length - 5] = '\0';
        }
    }
}

static void
copy_name(struct header *h, const unsigned char *block, char *next_name)
{
    if (next_name[0] != '\0') {
        memcpy(h->name, next_name, NAME_BYTES);
        next_name[0] = '\0';
        return;
    }
    size_t prefix = memcmp(block + 257, "ustar", 5) == 0 ? strnlen((const char *)block + 345, 155) : 0;
    size_t length = strnlen((const char *)block, 100), used = 0;
    if (prefix > 0) {
        memcpy(h->name, block + 345, prefix);
        h->name[prefix] = '/';
        used            = prefix + 1;
    }
    memcpy(h->name + used, block, length);
    h->name[used + length] = '\0';
}

/* A header that says something of the next member: its long name. */
static bool
take_name_member(struct reader *r, const struct header *h, char *next_name)
{
    struct buf text;
    buf_init(&text, 1 << 20);
    bool taken = take_content(r, h->size, &text);
    if (taken && h->type == 'x')
        pax_path(buf_span(&text), next_name);
    else if (taken && text.length < NAME_BYTES) {
        memcpy(next_name, text.at, text.length);
        next_name[text.length] = '\0';
    }
    buf_release(&text);
    return taken;
}

/* False at the end of the archive: a block of zeros. */
static bool
take_header(struct reader *r, struct header *h, char *next_name)
{
    static const unsigned char zeros[BLOCK];
    for (;;) {
        unsigned char block[BLOCK];
        uint64_t      size;
        if (!take(r, block, sizeof block) || memcmp(block, zeros, BLOCK) == 0)
            return false;
        if (!checksum_right(block) || !octal(block + 124, 12, &size))
            return fail(r, ST_MALFORMED, "a tar header in it is damaged");
        if (size > TGZ_MEMBER_BYTES)
            return fail(r, ST_TOO_LARGE, "a file in it is too large");
        h->size = (size_t)size;
        h->type = (char)block[156];
        if (h->type != 'x' && h->type != 'L') {
            copy_name(h, block, next_name);
            return true;
        }
        if (!take_name_member(r, h, next_name))
            return false;
    }
}

/* The content and the padding up to a whole block. */
static bool
take_content(struct reader *r, size_t size, struct buf *out)
{
    unsigned char padding[BLOCK];
    buf_clear(out);
    char *to = buf_reserve(out, size);
    if (size > 0 && to == NULL)
        return fail(r, buf_status(out), "not enough memory for a file in it");
    if (size > 0 && !take(r, to, size))
        return false;
    buf_commit(out, size);
    size_t rest = size % BLOCK;
    return rest == 0 || take(r, padding, BLOCK - rest);
}
