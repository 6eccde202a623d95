#include "consent/plan_words.h"

#include <string.h>

/* Polynomial over the hashes of the words: H(i) = H(i-1) * BASE + h(i), so the
 * hash of the last n words is one subtraction. */
#define BASE       0x9e3779b97f4a7c15u
#define BLOOM_BITS ((size_t)1 << 16)
#define NONE       PHRASE_NONE

struct phrase {
    uint64_t         key;
    struct span      text;               /* for PHRASE_LITERAL */
    enum phrase_form form;
    unsigned         kind;
    unsigned         words;
    uint32_t         next;               /* same key */
};

struct slot { uint64_t key; uint32_t phrase; };      /* phrase + 1; 0 is free */

struct phrases {
    struct arena  *arena;
    struct phrase *all;
    uint32_t       count, room;
    struct slot   *slots;
    uint32_t       slot_mask;
    uint32_t       lengths;              /* bit n: there are phrases of n words */
    uint64_t       power[PHRASE_MAX_WORDS + 1];
    uint64_t       lasts[BLOOM_BITS / 64]; /* bits of the last words: most words end no phrase */
};

static uint64_t     finish(uint64_t hash, unsigned words);
static struct slot *slot_of(struct slot *, uint32_t mask, uint64_t key);
static bool         grow(struct phrases *);
static bool         key_of(struct span *text, uint64_t *key, unsigned *words, uint64_t *last);
static bool         stands(const struct phrase *, struct span text, size_t at, size_t end);
static bool         glued(struct span text, size_t end);

/* ---- words --------------------------------------------------------------------- */

/* What a byte is worth: 0 stands between words, 1 opens a sequence that is
 * looked at, else the folded byte. */
static unsigned char
fold(unsigned char c)
{
    static const unsigned char table[256] = {
        ['0'] = '0', ['1'] = '1', ['2'] = '2', ['3'] = '3', ['4'] = '4', ['5'] = '5', ['6'] = '6', ['7'] = '7',
        ['8'] = '8', ['9'] = '9',
#define LETTER(upper, lower) [upper] = lower, [lower] = lower,
        LETTER('A', 'a') LETTER('B', 'b') LETTER('C', 'c') LETTER('D', 'd') LETTER('E', 'e') LETTER('F', 'f')
        LETTER('G', 'g') LETTER('H', 'h') LETTER('I', 'i') LETTER('J', 'j') LETTER('K', 'k') LETTER('L', 'l')
        LETTER('M', 'm') LETTER('N', 'n') LETTER('O', 'o') LETTER('P', 'p') LETTER('Q', 'q') LETTER('R', 'r')
        LETTER('S', 's') LETTER('T', 't') LETTER('U', 'u') LETTER('V', 'v') LETTER('W', 'w') LETTER('X', 'x')
        LETTER('Y', 'y') LETTER('Z', 'z')
#undef LETTER
        [0x80 ... 0xff] = 1,
    };

    return table[c];
}

enum glyph { GLYPH_LETTER, GLYPH_BREAK, GLYPH_NOTHING };

/* One UTF-8 sequence: how long it is, what it is, and up to four folded bytes. */
static enum glyph
glyph_at(struct span text, size_t at, size_t *length, unsigned char folded[4], unsigned *count)
{
    const unsigned char *p    = (const unsigned char *)text.at + at;
    size_t               left = text.length - at;
    size_t               size = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : p[0] >= 0xc0 ? 2 : 1;

    if (size > left)
        size = left;
    *length = size;
    memcpy(folded, p, size);
    *count = (unsigned)size;
    if (size == 2 && p[0] == 0xc2) {
        if (p[1] == 0xad)
            return GLYPH_NOTHING;                             /* soft hyphen */
        return p[1] == 0xaa || p[1] == 0xb5 || p[1] == 0xba ? GLYPH_LETTER : GLYPH_BREAK;
    }
    if (size == 2 && p[0] == 0xc3 && p[1] >= 0x80 && p[1] <= 0x9e && p[1] != 0x97)
        folded[1] = (unsigned char)(p[1] + 0x20);
    if (size == 3 && p[0] == 0xe2) {
        if ((p[1] == 0x80 && ((p[2] >= 0x8b && p[2] <= 0x8f) || (p[2] >= 0xaa && p[2] <= 0xae)))
            || (p[1] == 0x81 && p[2] >= 0xa0 && p[2] <= 0xaf))
            return GLYPH_NOTHING;                             /* zero width, word joiner, bidirectional controls */
        return p[1] <= 0x81 ? GLYPH_BREAK : GLYPH_LETTER;     /* general punctuation */
    }
    if (size == 3 && p[0] == 0xe3 && p[1] == 0x80 && p[2] <= 0x82)
        return GLYPH_BREAK;
    if (size == 3 && p[0] == 0xef && p[1] == 0xbb && p[2] == 0xbf)
        return GLYPH_NOTHING;                                 /* byte order mark */
    if (size == 3 && p[0] == 0xef && (p[1] == 0xbc || p[1] == 0xbd)) {
        unsigned code = ((unsigned)(p[1] & 0x3f) << 6 | (p[2] & 0x3f)) - 0xf01 + 0x21;
        if (p[1] == 0xbd ? p[2] <= 0x9e : p[2] >= 0x81) {     /* U+FF01..U+FF5E */
            folded[0] = fold((unsigned char)code);
            *count    = 1;
            return folded[0] == 0 ? GLYPH_BREAK : GLYPH_LETTER;
        }
    }
    return GLYPH_LETTER;
}

/* FNV-1a over the folded bytes. */
#define SEED  0xcbf29ce484222325u
#define PRIME 0x100000001b3u

/* A word with characters that are not ASCII, or what looks like the beginning of one. */
static __attribute__((noinline)) bool
word_of_glyphs(struct word_reader *r, struct word *out)
{
    uint64_t hash  = SEED;
    size_t   i     = r->at, end = r->text.length;
    bool     begun = false;

    while (i < end) {
        unsigned char c = fold((unsigned char)r->text.at[i]);
        size_t        length = 1;
        if (c > 1) {
            if (!begun)
                out->at = i;
            begun = true;
            do                                                /* to the end of what is ASCII of the word */
                hash = (hash ^ c) * PRIME;
            while (++i < end && (c = fold((unsigned char)r->text.at[i])) > 1);
            continue;
        } else if (c == 1) {
            unsigned char folded[4];
            unsigned      count;
            enum glyph    g = glyph_at(r->text, i, &length, folded, &count);
            if (g == GLYPH_BREAK && begun)
                break;
            if (g == GLYPH_LETTER) {
                if (!begun)
                    out->at = i;
                begun = true;
                for (unsigned k = 0; k < count; k++)
                    hash = (hash ^ folded[k]) * PRIME;
            }
        } else if (begun) {
            break;
        }
        i += length;
    }
    r->at       = i;
    out->hash   = hash;
    out->length = begun ? i - out->at : 0;
    return begun;
}

/* Most words are nothing but ASCII; part of the loops below. */
static inline __attribute__((always_inline)) bool
next_word(struct word_reader *r, struct word *out)
{
    const char   *text = r->text.at;
    size_t        i    = r->at, end = r->text.length;
    uint64_t      hash = SEED;
    unsigned char c    = 0;

    while (i < end && (c = fold((unsigned char)text[i])) == 0)
        i++;
    r->at   = i;
    out->at = i;
    for (; i < end && (c = fold((unsigned char)text[i])) > 1; i++)
        hash = (hash ^ c) * PRIME;
    if (i < end && c == 1)
        return word_of_glyphs(r, out);
    r->at       = i;
    out->hash   = hash;
    out->length = i - out->at;
    return i > out->at;
}

bool
word_next(struct word_reader *r, struct word *out)
{
    return next_word(r, out);
}

/* ---- the set ------------------------------------------------------------------- */

struct phrases *
phrases_new(struct arena *arena)
{
    struct phrases *p = arena_make(arena, struct phrases);

    if (p == NULL)
        return NULL;
    p->arena    = arena;
    p->power[0] = 1;
    for (unsigned i = 1; i <= PHRASE_MAX_WORDS; i++)
        p->power[i] = p->power[i - 1] * BASE;
    return grow(p) ? p : NULL;
}

uint32_t
phrases_add(struct phrases *p, struct span text, enum phrase_form form, unsigned kind, bool *is_new)
{
    uint64_t key, last;
    unsigned words;

    *is_new = false;
    if (!key_of(&text, &key, &words, &last))
        return NONE;
    struct slot *s = slot_of(p->slots, p->slot_mask, key);
    for (uint32_t i = s->phrase; i != 0; i = p->all[i - 1].next) {
        const struct phrase *q = &p->all[i - 1];
        if (q->form == form && q->kind == kind && (form == PHRASE_WORDS || span_eq_nocase(q->text, text)))
            return i - 1;
    }
    if (p->count == p->room || (size_t)p->count * 2 > p->slot_mask) {
        if (!grow(p))
            return NONE;
        s = slot_of(p->slots, p->slot_mask, key);
    }
    p->all[p->count] = (struct phrase){ key, text, form, kind, words, s->phrase };
    s->key    = key;
    s->phrase = ++p->count;
    p->lengths |= (uint32_t)1 << words;
    p->lasts[(last >> 6) % (BLOOM_BITS / 64)] |= (uint64_t)1 << (last & 63);
    *is_new = true;
    return p->count - 1;
}

uint32_t
phrases_count(const struct phrases *p)
{
    return p->count;
}

unsigned
phrases_kind(const struct phrases *p, uint32_t phrase)
{
    return p->all[phrase].kind;
}

enum phrase_form
phrases_form(const struct phrases *p, uint32_t phrase)
{
    return p->all[phrase].form;
}

uint32_t
phrases_find(const struct phrases *p, struct span text, uint32_t after)
{
    uint64_t key, last;
    unsigned words;

    if (after != NONE)
        return p->all[after].next - 1;                        /* 0 - 1 is NONE */
    if (!key_of(&text, &key, &words, &last))
        return NONE;
    return slot_of(p->slots, p->slot_mask, key)->phrase - 1;
}

void
phrases_scan(const struct phrases *p, struct span text, phrase_found *found, void *with)
{
    uint64_t           sums[32] __attribute__((uninitialized));       /* H of the last words, as a ring */
    size_t             starts[32] __attribute__((uninitialized));     /* read as far as there were words */
    struct word_reader reader = { text, 0 };
    struct word        word;
    uint64_t           sum = 0;

    if (p->count == 0)
        return;
    for (unsigned n = 1; next_word(&reader, &word); n++) {
        sum = sum * BASE + word.hash;
        sums[n % 32]   = sum;
        starts[n % 32] = word.at;
        if (!(p->lasts[(word.hash >> 6) % (BLOOM_BITS / 64)] >> (word.hash & 63) & 1))
            continue;
        for (uint32_t lengths = p->lengths; lengths != 0; lengths &= lengths - 1) {
            unsigned words = (unsigned)__builtin_ctz(lengths);
            if (words > n)
                break;
            uint64_t before = words == n ? 0 : sums[(n - words) % 32];
            uint64_t key    = finish(sum - before * p->power[words], words);
            size_t at  = starts[(n - words + 1) % 32];
            size_t end = word.at + word.length;
            for (uint32_t i = slot_of(p->slots, p->slot_mask, key)->phrase; i != 0; i = p->all[i - 1].next)
                if (stands(&p->all[i - 1], text, at, end) && !found(with, i - 1, at, end - at))
                    return;
        }
    }
}

/* ---- helpers ------------------------------------------------------------------- */

static uint64_t
finish(uint64_t hash, unsigned words)
{
    hash ^= words * 0xd6e8feb86659fd93u;
    hash ^= hash >> 32;
    hash *= 0xd6e8feb86659fd93u;
    return hash ^ hash >> 32;
}

static struct slot *
slot_of(struct slot *slots, uint32_t mask, uint64_t key)
{
    uint32_t i = (uint32_t)(key >> 16) & mask;

    while (slots[i].phrase != 0 && slots[i].key != key)
        i = (i + 1) & mask;
    return &slots[i];
}

/* Room for phrases and slots, twice as much as before. */
static bool
grow(struct phrases *p)
{
    uint32_t     room  = p->room == 0 ? 64 : p->room * 2;
    uint32_t     mask  = room * 2 - 1;
    void        *all   = arena_grow(p->arena, p->all, p->room * sizeof *p->all, room * sizeof *p->all);
    struct slot *slots = arena_make_n(p->arena, (size_t)mask + 1, struct slot);

    if (all == NULL || slots == NULL)
        return false;
    p->all  = all;
    p->room = room;
    for (uint32_t i = 0; p->slots != NULL && i <= p->slot_mask; i++)
        if (p->slots[i].phrase != 0)
            *slot_of(slots, mask, p->slots[i].key) = p->slots[i];
    p->slots     = slots;
    p->slot_mask = mask;
    return true;
}

/* *text becomes what is from its first word to its last one. */
static bool
key_of(struct span *text, uint64_t *key, unsigned *words, uint64_t *last)
{
    struct word_reader reader = { *text, 0 };
    struct word        word;
    uint64_t           sum    = 0;
    size_t             first  = 0, end = 0;
    unsigned           n      = 0;

    *last = 0;
    for (; n <= PHRASE_MAX_WORDS && next_word(&reader, &word); n++) {
        sum   = sum * BASE + word.hash;
        first = n == 0 ? word.at : first;
        end   = word.at + word.length;
        *last = word.hash;
    }
    *text  = span_first(span_skip(*text, first), end - first);
    *words = n;
    *key   = finish(sum, n);
    return n > 0 && n <= PHRASE_MAX_WORDS;
}

static bool
stands(const struct phrase *q, struct span text, size_t at, size_t end)
{
    if (q->form == PHRASE_WORDS)
        return true;
    return span_eq_nocase(span_from(text.at + at, end - at), q->text) && !glued(text, end);
}

/* "Condition/oud" is not found in "Condition/oud-2" or "Condition/oud.b". */
static bool
glued(struct span text, size_t end)
{
    if (end + 1 >= text.length || (text.at[end] != '-' && text.at[end] != '.'))
        return false;
    unsigned char c = (unsigned char)text.at[end + 1];
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
