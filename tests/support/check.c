#include "tests/support/check.h"

#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

struct span
check_file(struct arena *arena, const char *path)
{
    FILE *file = fopen(path, "rb");
    long  size = -1;

    if (file != NULL && fseek(file, 0, SEEK_END) == 0)
        size = ftell(file);
    if (size < 0)
        fail_msg("%s cannot be read", path);
    rewind(file);
    char *at = arena_alloc(arena, (size_t)size);
    assert_non_null(at);
    assert_int_equal(fread(at, 1, (size_t)size, file), size);
    fclose(file);
    return span_from(at, (size_t)size);
}

static int
by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

size_t
check_folder(const char *folder, const char *prefix, const char *suffix,
             void (*each)(const char *path, const char *name, void *context), void *context)
{
    struct dirent **entries = NULL;
    int             count   = scandir(folder, &entries, NULL, by_name);
    size_t          called  = 0;

    if (count < 0)
        fail_msg("%s cannot be listed", folder);
    for (int i = 0; i < count; i++) {
        char        path[4096];
        struct span name = span_of(entries[i]->d_name);
        if (name.at[0] != '.' && span_starts(name, span_of(prefix)) && span_ends(name, span_of(suffix))) {
            snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
            each(path, entries[i]->d_name, context);
            called++;
        }
        free(entries[i]);
    }
    free(entries);
    return called;
}

const char *
check_shared_path(const char *path)
{
    static char full[4096];

    snprintf(full, sizeof full, "%s/%s", SLUICE_SHARED_DIR, path);
    return full;
}

bool
check_shared(const char *path)
{
    return access(check_shared_path(path), R_OK) == 0;
}

void
check_span_at(struct span is, struct span want, const char *file, int line)
{
    if (span_eq(is, want))
        return;
    print_error("want: %.*s\nhave: %.*s\n", SPAN_PRINT(want), SPAN_PRINT(is));
    _fail(file, line);
}

/* ---- chance --------------------------------------------------------------- */

struct chance
chance_from(uint64_t seed)
{
    return (struct chance){ seed };
}

uint64_t
chance_next(struct chance *c)
{
    uint64_t z = c->state += 0x9e3779b97f4a7c15u;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

uint32_t
chance_below(struct chance *c, uint32_t bound)
{
    return (uint32_t)((chance_next(c) >> 32) * bound >> 32);
}

bool
chance_one_in(struct chance *c, uint32_t n)
{
    return chance_below(c, n) == 0;
}

/* ---- random JSON ---------------------------------------------------------- */

#define DEEPEST 12

struct maker {
    struct chance *chance;
    struct buf    *out;
    unsigned       style;                /* of white space: none, one line, pretty, wild */
    unsigned       left;                 /* values                                       */
    unsigned       names;                /* made so far: keeps them unique               */
};

static void
make_space(struct maker *m, unsigned depth)
{
    static const char *const wild[] = { "", " ", "\n", "\t", "\r\n", "   ", "\n\n  \t" };

    switch (m->style) {
    case 1:
        buf_add_text(m->out, " ");
        break;
    case 2:
        buf_add_text(m->out, "\n");
        for (unsigned i = 0; i < depth; i++)
            buf_add_text(m->out, "  ");
        break;
    case 3:
        buf_add_text(m->out, wild[chance_below(m->chance, 7)]);
        break;
    }
}

static void
make_text(struct maker *m)
{
    static const char *const bits[] = {
        "a", "code", "http://example.org/", "0123456789", " ", "\\n", "\\\"", "\\\\", "\\/", "\\u0041",
        "\\u00e9", "\\ud83d\\ude00", "\\u007F", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "{", "]", ",", ":",
        "\x7f", "The quick brown fox jumps over the lazy dog",
    };
    uint32_t count = chance_one_in(m->chance, 20) ? chance_below(m->chance, 60) : chance_below(m->chance, 4);

    for (uint32_t i = 0; i < count; i++)
        buf_add_text(m->out, bits[chance_below(m->chance, sizeof bits / sizeof bits[0])]);
}

static void
make_name(struct maker *m)
{
    static const char *const names[] = { "id", "value", "code\\u0031", "n\\u00e4me", "_given", "", "system", "x\\/y" };

    buf_add_format(m->out, "\"%s%u\"", names[chance_below(m->chance, 8)], m->names++);
}

static void
make_scalar(struct maker *m)
{
    static const char *const scalars[] = {
        "null", "true", "false", "0", "-0", "-1", "1.50", "3.14e-10", "2E+5", "100000000000000000000",
        "0.0000000000000000000000000000000001", "\"\"",
    };
    uint32_t pick = chance_below(m->chance, 24);

    if (pick < 12) {
        buf_add_text(m->out, scalars[pick]);
        return;
    }
    buf_add_text(m->out, "\"");
    make_text(m);
    buf_add_text(m->out, "\"");
}

static void
make_value(struct maker *m, unsigned depth)
{
    bool container = depth < DEEPEST && m->left > 0 && (depth == 0 || chance_below(m->chance, 5) < 2);

    if (m->left > 0)
        m->left--;
    if (!container) {
        make_scalar(m);
        return;
    }
    bool     object = chance_one_in(m->chance, 2);
    uint32_t count  = chance_one_in(m->chance, 8) ? 0 : 1 + chance_below(m->chance, chance_one_in(m->chance, 9) ? 40 : 6);
    buf_add_byte(m->out, object ? '{' : '[');
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0)
            buf_add_byte(m->out, ',');
        make_space(m, depth + 1);
        if (object) {
            make_name(m);
            if (m->style == 3)
                make_space(m, 0);
            buf_add_text(m->out, m->style == 0 ? ":" : ": ");
        }
        make_value(m, depth + 1);
        if (m->style == 3)
            make_space(m, 0);
    }
    if (count > 0 || m->style == 3)
        make_space(m, depth);
    buf_add_byte(m->out, object ? '}' : ']');
}

void
random_json(struct chance *chance, struct buf *out, unsigned values)
{
    struct maker m = { .chance = chance, .out = out, .style = chance_below(chance, 4), .left = values };

    make_space(&m, 0);
    make_value(&m, 0);
    make_space(&m, 0);
}

size_t
random_damage(struct chance *chance, char *bytes, size_t length)
{
    static const char telling[] = "\"\\{}[],:0123456789.eE+-tfnu \n\t\x00\x1f\x7f\x80\xbf\xc0\xc3\xe2\xed\xf0\xf4\xff";
    uint32_t          times     = 1 + chance_below(chance, 4);

    for (uint32_t i = 0; i < times && length > 0; i++) {
        size_t at   = chance_below(chance, (uint32_t)length);
        char   byte = telling[chance_below(chance, sizeof telling - 1)];
        size_t tail = length - at;
        switch (chance_below(chance, 5)) {
        case 0:
            bytes[at] = (char)(bytes[at] ^ (1 << chance_below(chance, 8)));
            break;
        case 1:
            bytes[at] = byte;
            break;
        case 2:                          /* drop one */
            memmove(bytes + at, bytes + at + 1, tail - 1);
            length--;
            break;
        case 3:                          /* bring one in: at most 4 times */
            memmove(bytes + at + 1, bytes + at, tail);
            bytes[at] = byte;
            length++;
            break;
        case 4:                          /* cut the end off */
            length = chance_one_in(chance, 4) ? at : length;
            break;
        }
    }
    return length;
}
