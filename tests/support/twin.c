#include "tests/support/twin.h"

#include <stdlib.h>
#include <zlib.h>

/* ---- printing ------------------------------------------------------------------------ */

struct printer {
    const struct tape       *tape;
    const struct twin_style *style;
    struct buf               out;
    struct arena            *arena;
    bool                     hidden;     /* print hidden parts */
};

static uint64_t
mix(uint64_t seed, uint64_t more)
{
    struct chance c = chance_from(seed * 0x9e3779b97f4a7c15u + more);
    return chance_next(&c);
}

struct twin_style
twin_style_of(uint64_t seed)
{
    struct chance c = chance_from(seed);
    struct twin_style s = { .seed = seed };

    s.pretty     = chance_one_in(&c, 2);
    s.indent     = 1 + chance_below(&c, 4);
    s.spaced     = chance_one_in(&c, 3);
    s.references = chance_below(&c, 3);
    s.long_ids   = s.references == 2 || chance_one_in(&c, 3);
    s.escapes    = chance_one_in(&c, 4);
    s.roomy      = chance_one_in(&c, 4);
    s.turn       = chance_one_in(&c, 2) ? chance_below(&c, 8) : 0;
    return s;
}

struct span
twin_token(struct arena *arena, uint64_t seed, char kind, char digit)
{
    uint64_t h = mix(seed, (uint64_t)kind * 16 + (uint64_t)digit);

    return arena_format(arena, "%s%05u%c%03u", kind == 'S' ? "zq" : "vk", (unsigned)(h % 100000),
                        'a' + (char)(h / 100000 % 26), (unsigned)(h / 3000000 % 1000));
}

static struct span
uuid_of(struct printer *p, struct span name)
{
    uint64_t a = mix(p->style->seed, span_hash(name)), b = mix(a, 7);

    return arena_format(p->arena, "%08x-%04x-4%03x-a%03x-%012llx", (unsigned)(a >> 32), (unsigned)(a >> 16 & 0xffff),
                        (unsigned)(a & 0xfff), (unsigned)(b >> 52), (unsigned long long)(b & 0xffffffffffffu));
}

static struct span
id_of(struct printer *p, struct span name)
{
    return p->style->long_ids ? uuid_of(p, name) : name;
}

/* id(x), url(Type/x), ref(Type/x) */
static bool
expand_call(struct printer *p, struct span *rest, struct buf *out)
{
    static const char *const calls[] = { "id(", "url(", "ref(" };

    for (unsigned i = 0; i < 3; i++) {
        size_t close = span_find_byte(*rest, ')');
        if (!span_starts(*rest, span_of(calls[i])) || close == SPAN_NOT_FOUND)
            continue;
        struct span name  = span_from(rest->at + strlen(calls[i]), close - strlen(calls[i]));
        size_t      slash = span_find_byte(name, '/');
        *rest = span_skip(*rest, close + 1);
        if (i == 0) {
            buf_add(out, id_of(p, name));
            return true;
        }
        struct span type = span_first(name, slash), id = span_skip(name, slash + 1);
        if (p->style->references == 2)
            buf_add_format(out, "urn:uuid:%.*s", SPAN_PRINT(uuid_of(p, id)));
        else
            buf_add_format(out, "%s%.*s/%.*s", i == 1 || p->style->references == 1 ? "https://ehr.example.org/fhir/" : "",
                           SPAN_PRINT(type), SPAN_PRINT(id_of(p, id)));
        return true;
    }
    return false;
}

static struct span
expand(struct printer *p, struct span text)
{
    struct buf out;

    buf_init(&out, 1 << 16);
    while (text.length > 0) {
        if (span_starts(text, SPAN("[["))) {
            size_t end = span_find(text, SPAN("]]"));
            assert_true(end != SPAN_NOT_FOUND);
            if (p->hidden)
                buf_add(&out, expand(p, span_from(text.at + 2, end - 2)));
            text = span_skip(text, end + 2);
        } else if (text.at[0] == '$' && text.length > 2 && (text.at[1] == 'S' || text.at[1] == 'K')
                   && text.at[2] >= '0' && text.at[2] <= '9') {
            buf_add(&out, twin_token(p->arena, p->style->seed, text.at[1], text.at[2]));
            text = span_skip(text, 3);
        } else if (!expand_call(p, &text, &out)) {
            buf_add_byte(&out, text.at[0]);
            text = span_skip(text, 1);
        }
    }
    struct span copy = arena_copy(p->arena, buf_span(&out));
    buf_release(&out);
    return copy;
}

/* By its neighbours only, so that what stands around a hidden part is written
 * the same without it. */
static bool
escaped_here(const struct printer *p, struct span text, size_t i)
{
    uint64_t before = i > 0 ? (unsigned char)text.at[i - 1] : 0;
    uint64_t after  = i + 1 < text.length ? (unsigned char)text.at[i + 1] : 0;

    if (text.at[i] == '<' || text.at[i] == '>')
        return mix(p->style->seed, (unsigned char)text.at[i]) % 4 == 0;
    return mix(p->style->seed, before << 16 | (uint64_t)(unsigned char)text.at[i] << 8 | after) % 9 == 0;
}

static void
print_string(struct printer *p, struct span text, bool escapes)
{
    buf_add_byte(&p->out, '"');
    for (size_t i = 0; i < text.length; i++) {
        unsigned char c = (unsigned char)text.at[i];
        if (c == '"' || c == '\\')
            buf_add_format(&p->out, "\\%c", c);
        else if (c < 0x20)
            buf_add_format(&p->out, "\\u%04x", c);
        else if (escapes && c < 0x80 && escaped_here(p, text, i))
            buf_add_format(&p->out, "\\u%04x", c);
        else
            buf_add_byte(&p->out, (char)c);
    }
    buf_add_byte(&p->out, '"');
}

static struct span
base64_of(struct printer *p, struct span bytes)
{
    static const char set[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char  *out = arena_alloc(p->arena, bytes.length / 3 * 4 + 8);
    size_t n   = 0;

    for (size_t i = 0; i < bytes.length; i += 3) {
        const unsigned char *b = (const unsigned char *)bytes.at + i;
        size_t   left = bytes.length - i;
        uint32_t v    = (uint32_t)b[0] << 16 | (left > 1 ? (uint32_t)b[1] << 8 : 0) | (left > 2 ? b[2] : 0);
        out[n++] = set[v >> 18];
        out[n++] = set[v >> 12 & 63];
        out[n++] = left > 1 ? set[v >> 6 & 63] : '=';
        out[n++] = left > 2 ? set[v & 63] : '=';
    }
    return span_from(out, n);
}

static struct span
gzip_of(struct printer *p, struct span text)
{
    char    *out = arena_alloc(p->arena, text.length + 256);
    z_stream z   = { 0 };

    assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    z.next_in   = (Bytef *)(uintptr_t)text.at;
    z.avail_in  = (uInt)text.length;
    z.next_out  = (Bytef *)out;
    z.avail_out = (uInt)(text.length + 256);
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    size_t length = z.total_out;
    deflateEnd(&z);
    return span_from(out, length);
}

static struct span
utf16_of(struct printer *p, struct span text)
{
    char *out = arena_alloc(p->arena, text.length * 2 + 2);

    out[0] = (char)0xff;
    out[1] = (char)0xfe;
    for (size_t i = 0; i < text.length; i++)
        out[2 + 2 * i] = text.at[i];
    return span_from(out, text.length * 2 + 2);
}

/* What a template's string stands for. */
static void
print_text(struct printer *p, struct span text)
{
    if (span_starts(text, SPAN("~")))
        text = span_skip(text, 1);
    if (span_eq_text(text, "#null") || span_eq_text(text, "=null|null")) {
        buf_add_text(&p->out, "null");
        return;
    }
    bool number = text.length > 1 && text.at[0] == '#' && text.at[1] >= '0' && text.at[1] <= '9';
    if (number || span_starts(text, SPAN("="))) {
        struct span rest = span_skip(text, 1);
        struct span one  = span_split(&rest, '|');
        struct span said = p->hidden || rest.at == NULL ? one : rest;
        if (number)
            buf_add(&p->out, said);
        else
            print_string(p, said, false);
        return;
    }
    if (span_starts(text, SPAN("b64:")))
        print_string(p, base64_of(p, expand(p, span_skip(text, 4))), false);
    else if (span_starts(text, SPAN("gz64:")))
        print_string(p, base64_of(p, gzip_of(p, expand(p, span_skip(text, 5)))), false);
    else if (span_starts(text, SPAN("u64:")))
        print_string(p, base64_of(p, utf16_of(p, expand(p, span_skip(text, 4)))), false);
    else
        print_string(p, expand(p, text), p->style->escapes);
}

static bool
is_hidden(const struct tape *t, tape_node n)
{
    tape_node   name = tape_name(t, n);
    struct span said = name != TAPE_ABSENT ? tape_raw(t, name) : tape_raw(t, n);

    if (name != TAPE_ABSENT)
        return span_starts(said, SPAN("~"));
    return tape_kind(t, n) == TAPE_OBJECT ? tape_member(t, n, SPAN("~")) != TAPE_ABSENT
                                          : tape_kind(t, n) == TAPE_STRING && span_starts(said, SPAN("~"));
}

/* Whether anything is printed of it: containers that hide all they have go. */
static bool
is_printed(const struct printer *p, tape_node n)
{
    const struct tape *t = p->tape;

    if (tape_text_eq(t, tape_name(t, n), SPAN("~")))
        return false;
    if (p->hidden)
        return true;
    if (is_hidden(t, n))
        return false;
    if ((tape_kind(t, n) != TAPE_OBJECT && tape_kind(t, n) != TAPE_ARRAY) || tape_children(t, n) == 0)
        return true;
    bool value = false;
    for (tape_node c = tape_first(t, n); c != TAPE_ABSENT; c = tape_next(t, c))
        value = value || is_printed(p, c);
    return value;
}

static void
line(struct printer *p, unsigned depth)
{
    if (!p->style->pretty)
        return;
    buf_add_byte(&p->out, '\n');
    for (unsigned i = 0; i < depth * p->style->indent; i++)
        buf_add_byte(&p->out, ' ');
}

static void
print_node(struct printer *p, tape_node n, unsigned depth)
{
    const struct tape *t      = p->tape;
    bool               object = tape_kind(t, n) == TAPE_OBJECT;

    if (tape_kind(t, n) == TAPE_STRING) {
        print_text(p, tape_text(t, n, p->arena));
        return;
    }
    if (!object && tape_kind(t, n) != TAPE_ARRAY) {
        buf_add(&p->out, tape_extent(t, n));
        return;
    }
    bool     entries = tape_text_eq(t, tape_name(t, n), SPAN("entry")) && depth == 1;
    uint32_t count = tape_children(t, n), from = entries && count > 0 ? p->style->turn % count : 0;
    bool     any = false;
    buf_add_byte(&p->out, object ? '{' : '[');
    for (uint32_t i = 0; i < count; i++) {
        tape_node c = tape_first(t, n);
        for (uint32_t k = (i + from) % count; k > 0; k--)
            c = tape_next(t, c);
        if (!is_printed(p, c))
            continue;
        if (any)
            buf_add_text(&p->out, p->style->roomy ? " ," : ",");
        line(p, depth + 1);
        if (p->style->roomy)
            buf_add_text(&p->out, "\t ");
        if (object) {
            struct span name = tape_text(t, tape_name(t, c), p->arena);
            if (span_starts(name, SPAN("~")))
                name = span_skip(name, 1);
            print_string(p, name, false);
            buf_add_text(&p->out, p->style->spaced ? " : " : ":");
        }
        print_node(p, c, depth + 1);
        any = true;
    }
    if (any && p->style->roomy)
        buf_add_text(&p->out, " \r\n");
    if (any)
        line(p, depth);
    buf_add_byte(&p->out, object ? '}' : ']');
}

struct span
twin_print(const struct tape *t, tape_node n, const struct twin_style *style, bool hidden, struct arena *arena)
{
    struct printer p = { t, style, { 0 }, arena, hidden };

    buf_init(&p.out, 1 << 22);
    if (is_printed(&p, n))
        print_node(&p, n, 0);
    assert_int_equal(buf_status(&p.out), ST_OK);
    struct span copy = arena_copy(arena, buf_span(&p.out));
    buf_release(&p.out);
    return copy;
}

/* ---- finding -------------------------------------------------------------------------------- */

static bool finds(struct span, struct span token, struct arena *, unsigned depth);

static int
sextet(unsigned char c)
{
    static const char set[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char       *at    = c == 0 ? NULL : strchr(set, c == '-' ? '+' : c == '_' ? '/' : c);

    return at == NULL ? -1 : (int)(at - set);
}

static bool
finds_in_base64(struct span bytes, struct span token, struct arena *arena, unsigned depth)
{
    for (size_t i = 0; i < bytes.length;) {
        size_t from = i;
        while (i < bytes.length && sextet((unsigned char)bytes.at[i]) >= 0)
            i++;
        if (i - from >= 16) {
            unsigned char *out  = arena_alloc(arena, (i - from) + 4);
            size_t         n    = 0;
            uint32_t       bits = 0;
            for (size_t k = from; k < i; k++) {
                bits = bits << 6 | (uint32_t)sextet((unsigned char)bytes.at[k]);
                if ((k - from) % 4 == 3) {
                    out[n++] = (unsigned char)(bits >> 16);
                    out[n++] = (unsigned char)(bits >> 8);
                    out[n++] = (unsigned char)bits;
                }
            }
            if ((i - from) % 4 == 2)
                out[n++] = (unsigned char)(bits >> 4);
            if ((i - from) % 4 == 3) {
                out[n++] = (unsigned char)(bits >> 10);
                out[n++] = (unsigned char)(bits >> 2);
            }
            if (finds(span_from(out, n), token, arena, depth + 1))
                return true;
        }
        i++;
    }
    return false;
}

static bool
finds_in_gzip(struct span bytes, struct span token, struct arena *arena, unsigned depth)
{
    z_stream z    = { 0 };
    size_t   room = 1 << 18;

    if (bytes.length < 18 || (unsigned char)bytes.at[0] != 0x1f || (unsigned char)bytes.at[1] != 0x8b)
        return false;
    char *out = arena_alloc(arena, room);
    assert_int_equal(inflateInit2(&z, 15 + 32), Z_OK);
    z.next_in   = (Bytef *)(uintptr_t)bytes.at;
    z.avail_in  = (uInt)bytes.length;
    z.next_out  = (Bytef *)out;
    z.avail_out = (uInt)room;
    (void)inflate(&z, Z_FINISH);
    size_t length = z.total_out;
    inflateEnd(&z);
    return finds(span_from(out, length), token, arena, depth + 1);
}

/* The bytes with every escape of one kind resolved; `kind`: '\\', '%', '&', '<', or 0 for zero bytes. */
static struct span
resolve(struct span in, char kind, struct arena *arena)
{
    char  *out = arena_alloc(arena, in.length + 1);
    size_t n   = 0;

    for (size_t i = 0; i < in.length; i++) {
        struct span rest = span_skip(in, i);
        char        code[8] = { 0 };
        size_t      used = 0, semicolon = span_find_byte(span_first(rest, 10), ';');
        int         base = 16;
        if (kind == 0) {
            if (in.at[i] != 0)
                out[n++] = in.at[i];
            continue;
        }
        if (in.at[i] != kind) {
            out[n++] = in.at[i];
            continue;
        }
        if (kind == '<') {
            size_t close = span_find_byte(rest, '>');
            i += close == SPAN_NOT_FOUND ? 0 : close;
            continue;
        }
        if (kind == '\\' && rest.length >= 6 && rest.at[1] == 'u') {
            memcpy(code, rest.at + 2, 4);
            used = 6;
        } else if (kind == '\\' && rest.length >= 2) {
            out[n++] = rest.at[1];
            i++;
            continue;
        } else if (kind == '%' && rest.length >= 3) {
            memcpy(code, rest.at + 1, 2);
            used = 3;
        } else if (kind == '&' && rest.length > 3 && rest.at[1] == '#' && semicolon != SPAN_NOT_FOUND
                   && semicolon < sizeof code) {
            bool hex = rest.at[2] == 'x';
            memcpy(code, rest.at + 2 + hex, semicolon - 2 - hex);
            base = hex ? 16 : 10;
            used = semicolon + 1;
        }
        long value = used > 0 ? strtol(code, NULL, base) : 0;
        if (value > 0 && value < 0x80) {
            out[n++] = (char)value;
            i += used - 1;
        } else {
            out[n++] = in.at[i];
        }
    }
    return span_from(out, n);
}

static bool
finds(struct span bytes, struct span token, struct arena *arena, unsigned depth)
{
    static const char kinds[] = { '\\', '%', '&', '<', 0 };

    for (size_t i = 0; i + token.length <= bytes.length; i++)
        if (span_eq_nocase(span_from(bytes.at + i, token.length), token))
            return true;
    if (depth > 4)
        return false;
    for (size_t k = 0; k < sizeof kinds; k++) {
        if (memchr(bytes.at, kinds[k], bytes.length) == NULL)
            continue;
        struct span plain = resolve(bytes, kinds[k], arena);
        if (plain.length < bytes.length && finds(plain, token, arena, depth + 1))
            return true;
    }
    return finds_in_base64(bytes, token, arena, depth) || finds_in_gzip(bytes, token, arena, depth);
}

bool
twin_finds(struct span bytes, struct span token, struct arena *arena)
{
    struct arena_mark before = arena_mark(arena);
    bool              found  = bytes.length > 0 && finds(bytes, token, arena, 0);

    arena_reset(arena, before);
    return found;
}
