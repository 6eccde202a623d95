#include "fhir/fhirpath_run.h"

#include <string.h>

#include "base/digits.h"
#include "fhir/regex.h"
#include "fhir/utf8.h"

/* N1, String Manipulation; and what later versions added.  Positions and
 * lengths count characters. */

/* A text that is made.  It grows with the budget of the run. */
struct maker {
    struct run *run;
    char       *at;
    size_t      length, room;
};

static void
put(struct maker *m, struct span text)
{
    if (m->length + text.length > m->room) {
        size_t room  = (m->length + text.length) * 2 + 32;
        char  *fresh = run_alloc(m->run, room);
        if (fresh == NULL)
            return;
        if (m->length > 0)
            memcpy(fresh, m->at, m->length);
        m->at   = fresh;
        m->room = room;
    }
    if (text.length > 0)
        memcpy(m->at + m->length, text.at, text.length);
    m->length += text.length;
}

static void
put_byte(struct maker *m, char byte)
{
    put(m, span_from(&byte, 1));
}

static void
add_string(struct run *r, struct items *out, struct span text)
{
    struct fhirpath_item item = item_string(text.at != NULL ? text : SPAN(""));

    items_add(r, out, &item);
}

static void
add_made(struct maker *m, struct items *out)
{
    if (!run_failed(m->run))
        add_string(m->run, out, span_from(m->at, m->length));
}

/* The text that a function is called on; its length is paid for. */
static bool
subject(struct run *r, const struct fhirpath_instruction *n, const struct items *input, struct span *out)
{
    struct value v;

    if (input->count > 1)
        run_fail(r, n, FHIRPATH_FAILED_SINGLE);
    if (input->count != 1 || run_failed(r))
        return false;
    if (value_string(r, input->at, out))
        return run_step(r, (uint32_t)(out->length / 32 + 1));
    value_of(r, input->at, &v);
    if (v.kind != FHIRPATH_NOTHING)
        run_fail(r, n, FHIRPATH_FAILED_OPERAND);
    return false;
}

static bool
argument(struct run *r, const struct fhirpath_instruction *n, unsigned i, const struct frame *f, struct span *out)
{
    struct fhirpath_item item;

    if (!run_single(r, n, n->arg[i], f, &item))
        return false;
    if (value_string(r, &item, out))
        return true;
    run_fail(r, n, FHIRPATH_FAILED_OPERAND);
    return false;
}

static bool
integer_argument(struct run *r, const struct fhirpath_instruction *n, unsigned i, const struct frame *f, int64_t *out)
{
    struct fhirpath_item item;
    struct value         v;

    if (!run_single(r, n, n->arg[i], f, &item))
        return false;
    value_of(r, &item, &v);
    if (v.kind != FHIRPATH_INTEGER)
        run_fail(r, n, FHIRPATH_FAILED_OPERAND);
    *out = v.integer;
    return v.kind == FHIRPATH_INTEGER;
}

/* ---- finding ---------------------------------------------------------------------------------------- */

static size_t
find_last(struct span text, struct span needle)
{
    for (size_t i = text.length - needle.length + 1; i-- > 0;)
        if (memcmp(text.at + i, needle.at, needle.length) == 0)
            return i;
    return SPAN_NOT_FOUND;
}

static void
find(struct run *r, const struct fhirpath_instruction *n, const struct frame *f, const struct items *input,
     struct items *out)
{
    struct span text, needle;
    size_t      at;

    if (!subject(r, n, input, &text) || !argument(r, n, 0, f, &needle))
        return;
    switch ((enum fhirpath_function)n->what) {
    case FHIRPATH_FUNCTION_STARTS_WITH:
        add_truth(r, out, span_starts(text, needle) ? FHIRPATH_TRUE : FHIRPATH_FALSE);
        return;
    case FHIRPATH_FUNCTION_ENDS_WITH:
        add_truth(r, out, span_ends(text, needle) ? FHIRPATH_TRUE : FHIRPATH_FALSE);
        return;
    case FHIRPATH_FUNCTION_LAST_INDEX_OF:
        if (needle.length > text.length || !run_step(r, (uint32_t)(text.length / 8 + 1)))
            at = SPAN_NOT_FOUND;
        else
            at = needle.length == 0 ? text.length : find_last(text, needle);
        break;
    default:
        at = needle.length == 0 ? 0 : span_find(text, needle);
        break;
    }
    if (n->what == FHIRPATH_FUNCTION_CONTAINS)
        add_truth(r, out, at != SPAN_NOT_FOUND ? FHIRPATH_TRUE : FHIRPATH_FALSE);
    else
        add_integer(r, out, at == SPAN_NOT_FOUND ? -1 : (int64_t)utf8_count(span_first(text, at)));
}

/* What is left behind so many characters; false: there are not so many. */
static bool
skip_characters(struct span *text, int64_t count)
{
    for (; count > 0 && text->length > 0; count--)
        *text = span_skip(*text, utf8_length(*text));
    return count == 0;
}

static void
substring(struct run *r, const struct fhirpath_instruction *n, const struct frame *f, const struct items *input,
          struct items *out)
{
    struct span text, rest;
    int64_t     start, length = INT64_MAX;

    if (!subject(r, n, input, &text) || !integer_argument(r, n, 0, f, &start))
        return;
    if ((n->length & FHIRPATH_ARGUMENTS) == 2 && !integer_argument(r, n, 1, f, &length) && run_failed(r))
        return;
    if (start < 0 || !skip_characters(&text, start) || text.length == 0)
        return;
    rest = text;
    skip_characters(&rest, length);
    add_string(r, out, span_first(text, length <= 0 ? 0 : text.length - rest.length));
}

static void
length(struct run *r, const struct fhirpath_instruction *n, const struct frame *f, const struct items *input,
       struct items *out)
{
    struct span text;

    (void)f;
    if (subject(r, n, input, &text))
        add_integer(r, out, (int64_t)utf8_count(text));
}

/* ---- changing ----------------------------------------------------------------------------------------- */

/* Simple case of Latin, Greek and Cyrillic letters; others stay. */
static uint32_t
change_case(uint32_t c, bool upper)
{
    uint32_t low = upper ? c : c + 32, high = upper ? c - 32 : c;

    if ((upper && c >= 'a' && c <= 'z') || (!upper && c >= 'A' && c <= 'Z'))
        return upper ? high : low;
    if (c < 0xc0)
        return c;
    if (upper && ((c >= 0xe0 && c <= 0xfe && c != 0xf7) || (c >= 0x3b1 && c <= 0x3c9 && c != 0x3c2) || (c >= 0x430 && c <= 0x44f)))
        return high;
    if (!upper && ((c >= 0xc0 && c <= 0xde && c != 0xd7) || (c >= 0x391 && c <= 0x3a9 && c != 0x3a2) || (c >= 0x410 && c <= 0x42f)))
        return low;
    if (upper && c >= 0x450 && c <= 0x45f)
        return c - 80;
    if (!upper && c >= 0x400 && c <= 0x40f)
        return c + 80;
    if ((c >= 0x100 && c <= 0x137 && c != 0x130 && c != 0x131) || (c >= 0x14a && c <= 0x177))
        return upper ? c & ~1u : c | 1u;
    return c;
}

static void
letter_case(struct run *r, const struct fhirpath_instruction *n, const struct frame *f, const struct items *input,
            struct items *out)
{
    struct span  text;
    struct maker m = { .run = r };

    (void)f;
    if (!subject(r, n, input, &text))
        return;
    while (text.length > 0 && !run_failed(r)) {
        char   bytes[4];
        size_t whole = utf8_length(text);
        if (whole == 1) {
            put_byte(&m, (uint8_t)text.at[0] < 0x80 ? (char)change_case((uint8_t)text.at[0], n->what == FHIRPATH_FUNCTION_UPPER)
                                                    : text.at[0]);
            text = span_skip(text, 1);
            continue;
        }
        uint32_t point = change_case(utf8_take(&text), n->what == FHIRPATH_FUNCTION_UPPER);
        put(&m, span_from(bytes, utf8_put(bytes, point)));
    }
    add_made(&m, out);
}

static void
replace(struct run *r, const struct fhirpath_instruction *n, const struct frame *f, const struct items *input,
        struct items *out)
{
    struct span  text, pattern, by;
    struct maker m = { .run = r };

    if (!subject(r, n, input, &text) || !argument(r, n, 0, f, &pattern) || !argument(r, n, 1, f, &by))
        return;
    while (!run_failed(r)) {
        size_t at = pattern.length > 0 ? span_find(text, pattern) : text.length > 0 ? 0 : SPAN_NOT_FOUND;
        if (at == SPAN_NOT_FOUND)
            break;
        run_step(r, 1);
        put(&m, span_first(text, at));
        put(&m, by);
        text = span_skip(text, at + pattern.length);
        if (pattern.length == 0) {                   /* before and behind each character (N1) */
            size_t one = utf8_length(text);
            put(&m, span_first(text, one));
            text = span_skip(text, one);
        }
    }
    put(&m, pattern.length == 0 ? by : text);
    add_made(&m, out);
}

static void
trim(struct run *r, const struct fhirpath_instruction *n, const struct frame *f, const struct items *input,
     struct items *out)
{
    struct span text;

    (void)f;
    if (subject(r, n, input, &text))
        add_string(r, out, span_trim(text));
}

static void
split(struct run *r, const struct fhirpath_instruction *n, const struct frame *f, const struct items *input,
      struct items *out)
{
    struct span text, separator = { NULL, 0 };
    bool        chars = n->what == FHIRPATH_FUNCTION_TO_CHARS;

    if (!subject(r, n, input, &text) || (!chars && !argument(r, n, 0, f, &separator)))
        return;
    if (separator.length == 0) {
        while (text.length > 0 && run_step(r, 1)) {
            size_t one = utf8_length(text);
            add_string(r, out, span_first(text, one));
            text = span_skip(text, one);
        }
        return;
    }
    for (size_t at; (at = span_find(text, separator)) != SPAN_NOT_FOUND && run_step(r, 1);) {
        add_string(r, out, span_first(text, at));
        text = span_skip(text, at + separator.length);
    }
    add_string(r, out, text);
}

static void
join(struct run *r, const struct fhirpath_instruction *n, const struct frame *f, const struct items *input,
     struct items *out)
{
    struct span  separator = { NULL, 0 }, text;
    struct maker m = { .run = r };
    bool         begun = false;

    if ((n->length & FHIRPATH_ARGUMENTS) == 1 && !argument(r, n, 0, f, &separator) && run_failed(r))
        return;
    for (uint32_t i = 0; i < input->count && !run_failed(r); i++) {
        if (!value_string(r, &input->at[i], &text)) {
            struct value v;
            value_of(r, &input->at[i], &v);
            if (v.kind != FHIRPATH_NOTHING)
                run_fail(r, n, FHIRPATH_FAILED_OPERAND);
            continue;
        }
        if (begun)
            put(&m, separator);
        begun = true;
        put(&m, text);
        run_step(r, 1);
    }
    if (input->count > 0)
        add_made(&m, out);
}

/* ---- regular expressions ------------------------------------------------------------------------------- */

/* Room that compiling one may take of the arena, and its price. */
#define REGEX_BYTES ((size_t)1 << 20)
#define REGEX_STEPS 512u

/* A literal was compiled with the program; others are compiled now. */
static bool
regex_of(struct run *r, const struct fhirpath_instruction *n, const struct frame *f, struct span *program)
{
    struct span pattern;
    const char *why;

    if (n->arg[2] != 0) {
        *program = regex_at(span_from(r->texts + n->arg[2], r->texts_length - n->arg[2]));
        return true;
    }
    if (!argument(r, n, 0, f, &pattern) || !run_step(r, REGEX_STEPS))
        return false;
    if (arena_left(r->arena) < REGEX_BYTES || r->bytes < REGEX_BYTES)
        return run_alloc(r, SIZE_MAX / 2) != NULL;   /* the budget is spent */
    size_t before = arena_used(r->arena);
    if (regex_compile(pattern, r->arena, program, &why) != ST_OK) {
        run_fail(r, n, FHIRPATH_FAILED_PATTERN);
        return false;
    }
    size_t used = arena_used(r->arena) - before;
    r->bytes -= used < r->bytes ? used : r->bytes;
    return true;
}

static void
matches(struct run *r, const struct fhirpath_instruction *n, const struct frame *f, const struct items *input,
        struct items *out)
{
    struct span text, program;

    if (!subject(r, n, input, &text) || !regex_of(r, n, f, &program))
        return;
    enum regex_found found = regex_test(program, text, n->what == FHIRPATH_FUNCTION_MATCHES_FULL, r->arena, &r->steps);
    if (found == REGEX_BUDGET)
        run_alloc(r, SIZE_MAX / 2);
    else
        add_truth(r, out, found == REGEX_YES ? FHIRPATH_TRUE : FHIRPATH_FALSE);
}

static void
put_group(struct maker *m, unsigned group, struct span text, const struct regex_match *match)
{
    if (match->start[group] != UINT32_MAX && match->end[group] != UINT32_MAX)
        put(m, span_first(span_skip(text, match->start[group]), match->end[group] - match->start[group]));
}

/* The group of "${name}"; 0 when it is none.  *length: of all of it. */
static uint32_t
named_group(struct maker *m, struct span pattern, struct span rest, size_t *length)
{
    size_t end = span_find_byte(rest, '}');

    *length = end + 1;
    return span_starts(rest, SPAN("${")) && end != SPAN_NOT_FOUND && run_step(m->run, (uint32_t)(pattern.length / 32 + 1))
         ? regex_group_named(pattern, span_skip(span_first(rest, end), 2)) : 0;
}

/* $1 and ${name} are groups; a backslash takes the next character as it is. */
static void
put_substitution(struct maker *m, struct span by, struct span pattern, struct span text, const struct regex_match *match)
{
    for (size_t i = 0; i < by.length; i++) {
        char     next = i + 1 < by.length ? by.at[i + 1] : '\0';
        size_t   length;
        uint32_t named = next == '{' ? named_group(m, pattern, span_skip(by, i), &length) : 0;
        if (by.at[i] == '$' && next >= '0' && next <= '9') {
            put_group(m, (unsigned)(next - '0'), text, match);
            i++;
        } else if (named > 0) {
            put_group(m, named, text, match);
            i += length - 1;
        } else if (by.at[i] == '\\' && next != '\0') {
            put_byte(m, next);
            i++;
        } else {
            put_byte(m, by.at[i]);
        }
    }
}

static void
replace_matches(struct run *r, const struct fhirpath_instruction *n, const struct frame *f, const struct items *input,
                struct items *out)
{
    struct span        text, by, program, pattern = { NULL, 0 };
    struct maker       m    = { .run = r };
    struct regex_match match;
    size_t             from = 0;

    if (!subject(r, n, input, &text) || !regex_of(r, n, f, &program) || !argument(r, n, 1, f, &by)
        || (span_find(by, SPAN("${")) != SPAN_NOT_FOUND && !argument(r, n, 0, f, &pattern)))
        return;
    while (from <= text.length && run_step(r, 4)) {
        enum regex_found found = regex_search(program, text, from, &match, r->arena, &r->steps);
        if (found == REGEX_BUDGET)
            run_alloc(r, SIZE_MAX / 2);
        if (found != REGEX_YES)
            break;
        put(&m, span_first(span_skip(text, from), match.start[0] - from));
        put_substitution(&m, by, pattern, text, &match);
        from = match.end[0];
        if (match.end[0] == match.start[0]) {        /* an empty match: one character on */
            struct span rest = span_skip(text, from);
            size_t      one  = rest.length > 0 ? utf8_length(rest) : 1;
            put(&m, span_first(rest, one));
            from += one;
        }
    }
    if (from < text.length)
        put(&m, span_skip(text, from));
    add_made(&m, out);
}

/* ---- encodings --------------------------------------------------------------------------------------------- */

static const char *
alphabet(bool url)
{
    return url ? "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
               : "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
}

static void
base64_encode(struct maker *m, struct span text, bool url)
{
    const char *letters = alphabet(url);

    for (size_t i = 0; i < text.length; i += 3) {
        size_t   left = text.length - i;
        uint32_t word = (uint32_t)(uint8_t)text.at[i] << 16 | (left > 1 ? (uint32_t)(uint8_t)text.at[i + 1] << 8 : 0)
                      | (left > 2 ? (uint32_t)(uint8_t)text.at[i + 2] : 0);
        char four[4] = { letters[word >> 18], letters[word >> 12 & 63], left > 1 ? letters[word >> 6 & 63] : '=',
                         left > 2 ? letters[word & 63] : '=' };
        put(m, span_from(four, 4));
    }
}

static bool
base64_decode(struct maker *m, struct span text, bool url)
{
    const char *letters = alphabet(url);
    uint32_t    word = 0;
    unsigned    bits = 0;

    while (text.length > 0 && text.at[text.length - 1] == '=')
        text.length--;
    for (size_t i = 0; i < text.length; i++) {
        const char *hit = text.at[i] != '\0' ? strchr(letters, text.at[i]) : NULL;
        if (hit == NULL)
            return false;
        word  = word << 6 | (uint32_t)(hit - letters);
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            put_byte(m, (char)(word >> bits & 0xff));
        }
    }
    return true;
}

static bool
hex_decode(struct maker *m, struct span text)
{
    for (size_t i = 0; i + 1 < text.length; i += 2) {
        int high = digits_hex_value((unsigned char)text.at[i]), low = digits_hex_value((unsigned char)text.at[i + 1]);
        if (high < 0 || low < 0)
            return false;
        put_byte(m, (char)(high << 4 | low));
    }
    return text.length % 2 == 0;
}

static void
hex_encode(struct maker *m, struct span text)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < text.length; i++) {
        char two[2] = { digits[(uint8_t)text.at[i] >> 4], digits[text.at[i] & 15] };
        put(m, span_from(two, 2));
    }
}

/* A text that is no UTF-8 would be none of ours. */
static bool
whole_characters(struct span text)
{
    while (text.length > 0) {
        size_t n = utf8_length(text);
        if (n == 1 && (uint8_t)text.at[0] >= 0x80)
            return false;
        text = span_skip(text, n);
    }
    return true;
}

static void
encode(struct run *r, const struct fhirpath_instruction *n, const struct frame *f, const struct items *input,
       struct items *out)
{
    struct span  text, format;
    struct maker m       = { .run = r };
    bool         decodes = n->what == FHIRPATH_FUNCTION_DECODE, good = true;

    if (!subject(r, n, input, &text) || !argument(r, n, 0, f, &format))
        return;
    bool url = span_eq_text(format, "urlbase64");
    if (span_eq_text(format, "hex") && decodes)
        good = hex_decode(&m, text);
    else if (span_eq_text(format, "hex"))
        hex_encode(&m, text);
    else if ((url || span_eq_text(format, "base64")) && decodes)
        good = base64_decode(&m, text, url);
    else if (url || span_eq_text(format, "base64"))
        base64_encode(&m, text, url);
    else
        good = false;
    if (good && (!decodes || whole_characters(span_from(m.at, m.length))))
        add_made(&m, out);
}

static const struct { char byte; const char *html, *json; } escapes[] = {
    { '<', "&lt;", NULL },   { '>', "&gt;", NULL },    { '&', "&amp;", NULL }, { '"', "&quot;", "\\\"" },
    { '\'', "&#39;", NULL }, { '\\', NULL, "\\\\" },   { '\n', NULL, "\\n" },  { '\r', NULL, "\\r" },
    { '\t', NULL, "\\t" },   { '\f', NULL, "\\f" },    { '\b', NULL, "\\b" },
};

static const char *
escape_of(size_t i, bool html)
{
    return html ? escapes[i].html : escapes[i].json;
}

static void
escape(struct run *r, const struct fhirpath_instruction *n, const struct frame *f, const struct items *input,
       struct items *out)
{
    struct span  text, target;
    struct maker m = { .run = r };

    if (!subject(r, n, input, &text) || !argument(r, n, 0, f, &target))
        return;
    bool html = span_eq_text(target, "html");
    if (!html && !span_eq_text(target, "json"))
        return;
    while (text.length > 0 && !run_failed(r)) {
        size_t i = 0, taken = 1;
        for (; i < sizeof escapes / sizeof escapes[0]; i++) {
            const char *escaped = escape_of(i, html);
            if (escaped == NULL)
                continue;
            struct span from = n->what == FHIRPATH_FUNCTION_ESCAPE ? span_from(&escapes[i].byte, 1) : span_of(escaped);
            if (!span_starts(text, from))
                continue;
            put(&m, n->what == FHIRPATH_FUNCTION_ESCAPE ? span_of(escaped) : span_from(&escapes[i].byte, 1));
            taken = from.length;
            break;
        }
        if (i == sizeof escapes / sizeof escapes[0])
            put(&m, span_first(text, 1));
        text = span_skip(text, taken);
    }
    add_made(&m, out);
}

function *const functions_strings[FHIRPATH_FUNCTIONS] = {
    [FHIRPATH_FUNCTION_INDEX_OF] = find,      [FHIRPATH_FUNCTION_LAST_INDEX_OF] = find,
    [FHIRPATH_FUNCTION_STARTS_WITH] = find,   [FHIRPATH_FUNCTION_ENDS_WITH] = find,
    [FHIRPATH_FUNCTION_CONTAINS] = find,      [FHIRPATH_FUNCTION_SUBSTRING] = substring,
    [FHIRPATH_FUNCTION_LENGTH] = length,      [FHIRPATH_FUNCTION_UPPER] = letter_case,
    [FHIRPATH_FUNCTION_LOWER] = letter_case,  [FHIRPATH_FUNCTION_REPLACE] = replace,
    [FHIRPATH_FUNCTION_TRIM] = trim,          [FHIRPATH_FUNCTION_SPLIT] = split,
    [FHIRPATH_FUNCTION_TO_CHARS] = split,     [FHIRPATH_FUNCTION_JOIN] = join,
    [FHIRPATH_FUNCTION_MATCHES] = matches,    [FHIRPATH_FUNCTION_MATCHES_FULL] = matches,
    [FHIRPATH_FUNCTION_REPLACE_MATCHES] = replace_matches,
    [FHIRPATH_FUNCTION_ENCODE] = encode,      [FHIRPATH_FUNCTION_DECODE] = encode,
    [FHIRPATH_FUNCTION_ESCAPE] = escape,      [FHIRPATH_FUNCTION_UNESCAPE] = escape,
};
