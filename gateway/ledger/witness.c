/* gateway/ledger/witness.c -- cosignatures of witnesses. */
#include "gateway/ledger/witness.h"

#include <string.h>

#define KEY_COSIGNATURE 0x04
#define COSIGNATURE     (4u + 8u + 64u)
#define YEAR_10000      253402300800u    /* seconds; no time from there on is one */

static enum status
no_vkey(struct buf *why, const char *what)
{
    buf_add_format(why, "witness: %s; want name+key id+base64, as c2sp.org/signed-note has it", what);
    return ST_MALFORMED;
}

static bool
hex4(struct span text, unsigned char out[4])
{
    if (text.length != 8)
        return false;
    for (size_t i = 0; i < 8; i++) {
        char c     = text.at[i];
        int  digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
        if (digit < 0)
            return false;
        out[i / 2] = (unsigned char)(i % 2 == 0 ? digit << 4 : out[i / 2] | digit);
    }
    return true;
}

enum status
witness_parse(struct span vkey, struct digest *d, struct witness *out, struct buf *why)
{
    struct witness     w;
    struct span        rest = vkey;
    unsigned char      key[1 + sizeof w.key.bytes];
    struct ledger_hash hash;

    w.name         = span_split(&rest, '+');
    struct span id = span_split(&rest, '+');
    if (span_empty(w.name) || w.name.length > ORIGIN_MAX_BYTES || span_find_byte(w.name, ' ') != SPAN_NOT_FOUND)
        return no_vkey(why, "there is no name");
    if (!hex4(id, w.id))
        return no_vkey(why, "the key id is not 8 hex digits");
    if (!base64_take(rest, key, sizeof key) || key[0] != KEY_COSIGNATURE)
        return no_vkey(why, "the key is not one that cosigns, type 4 and 32 bytes");
    memcpy(w.key.bytes, key + 1, sizeof w.key.bytes);
    digest_begin(d);
    digest_add(d, w.name.at, w.name.length);
    digest_add(d, "\n", 1);
    digest_add(d, key, sizeof key);
    digest_end(d, &hash);
    if (memcmp(hash.bytes, w.id, sizeof w.id) != 0)
        return no_vkey(why, "the key id is not that of the key");
    *out = w;
    return ST_OK;
}

static bool
line_is_of(struct span line, const struct witness *w, unsigned char out[COSIGNATURE])
{
    struct span rest;

    if (!checkpoint_signature_line(line, &rest))
        return false;
    struct span name = span_split(&rest, ' ');
    return span_eq(name, w->name) && base64_take(rest, out, COSIGNATURE) && memcmp(out, w->id, sizeof w->id) == 0;
}

static bool
is_right(struct span text, const struct witness *w, const unsigned char *line, uint64_t time)
{
    struct buf signed_bytes;

    buf_init(&signed_bytes, CHECKPOINT_MAX_BYTES + 64);
    buf_add_format(&signed_bytes, "cosignature/v1\ntime %llu\n", (unsigned long long)time);
    buf_add(&signed_bytes, text);
    bool right = buf_status(&signed_bytes) == ST_OK && ledger_public_signed(&w->key, buf_span(&signed_bytes), line + 12);
    buf_release(&signed_bytes);
    return right;
}

enum status
witness_check(struct span note, const struct witness *w, uint64_t *time, struct buf *why)
{
    struct span   text, lines;
    unsigned char line[COSIGNATURE];

    if (!checkpoint_split(note, &text, &lines)) {
        buf_add_text(why, "checkpoint: not a signed note");
        return ST_INTEGRITY;
    }
    while (!span_empty(lines)) {
        if (!line_is_of(span_split(&lines, '\n'), w, line))
            continue;
        *time = 0;
        for (size_t i = 4; i < 12; i++)
            *time = *time << 8 | line[i];
        if (*time < YEAR_10000 && is_right(text, w, line, *time))
            return ST_OK;
        buf_add_format(why, "checkpoint: the signature of the witness %.*s is wrong", SPAN_PRINT(w->name));
        return ST_INTEGRITY;
    }
    buf_add_format(why, "checkpoint: the witness %.*s did not sign it", SPAN_PRINT(w->name));
    return ST_INTEGRITY;
}
