#include "fhir/fhirpath.h"

#include <string.h>

#include "base/json_tape.h"
#include "fhir/decimal.h"
#include "fhir/fhirpath_lex.h"
#include "fhir/fhirpath_program.h"
#include "fhir/moment.h"
#include "fhir/regex.h"

/* A parser by precedence: each level of brackets is one call of expression(),
 * chains of operators and of paths are loops. */

#define MOST_BRACKETS 100u

struct parser {
    struct fhirpath_lexer        lexer;
    struct fhirpath_token        now;
    struct arena                *arena;
    struct fhirpath_instruction *code;
    uint32_t                     count, room;
    char                        *texts;
    uint32_t                     texts_length, texts_room;
    uint32_t                     brackets;
    enum status                  status;
    struct fhirpath_error        error;
};

static bool expression(struct parser *, int binds, uint32_t *out);

/* ---- errors, tokens --------------------------------------------------------------------- */

static bool
fail_at(struct parser *p, uint32_t where, enum status status, const char *why)
{
    if (p->status == ST_OK) {
        p->status = p->lexer.no_memory ? ST_NO_MEMORY : status;
        p->error  = (struct fhirpath_error){ where, why };
    }
    return false;
}

static bool
fail(struct parser *p, const char *why)
{
    return fail_at(p, p->now.where, ST_MALFORMED, p->now.kind == FHIRPATH_TOKEN_BROKEN ? p->lexer.why : why);
}

static void
next(struct parser *p)
{
    p->now = fhirpath_next(&p->lexer);
}

static bool
is(const struct parser *p, enum fhirpath_token_kind kind, const char *text)
{
    return p->now.kind == kind && span_eq_text(p->now.text, text);
}

static bool
accept(struct parser *p, const char *sign)
{
    if (!is(p, FHIRPATH_TOKEN_SIGN, sign))
        return false;
    next(p);
    return true;
}

static bool
expect(struct parser *p, const char *sign, const char *why)
{
    return accept(p, sign) || fail(p, why);
}

/* ---- code ------------------------------------------------------------------------------ */

static bool
no_memory(struct parser *p)
{
    return fail_at(p, 0, ST_NO_MEMORY, "");
}

/* Bytes of a text with a NUL behind them; and where they lie. */
static bool
add_text(struct parser *p, struct span prefix, struct span text, uint32_t *offset)
{
    uint32_t length = (uint32_t)(prefix.length + text.length + 1);

    if (p->texts_length + length > p->texts_room) {
        uint32_t room = (p->texts_room + length) * 2;
        p->texts = arena_grow(p->arena, p->texts, p->texts_room, room);
        if (p->texts == NULL)
            return no_memory(p);
        p->texts_room = room;
    }
    char *at = p->texts + p->texts_length;
    if (prefix.length > 0)
        memcpy(at, prefix.at, prefix.length);
    if (text.length > 0)
        memcpy(at + prefix.length, text.at, text.length);
    at[length - 1] = '\0';
    *offset = p->texts_length;
    p->texts_length += length;
    return true;
}

/* Compiled regular expressions lie on a multiple of 4. */
static bool
align_texts(struct parser *p)
{
    uint32_t unused;

    while (p->texts_length % 4 != 0)
        if (!add_text(p, (struct span){ NULL, 0 }, (struct span){ NULL, 0 }, &unused))
            return false;
    return true;
}

static uint8_t
deeper(uint8_t than, uint8_t also)
{
    return than > also ? than : also;
}

/* What the operands of an instruction are; how many. */
static unsigned
operands(const struct fhirpath_instruction *n, uint32_t out[4])
{
    out[0] = n->input;
    switch ((enum fhirpath_op)n->op) {
    case FHIRPATH_OP_NAME:
    case FHIRPATH_OP_TYPE:
    case FHIRPATH_OP_NEGATE:
    case FHIRPATH_OP_PLUS:
        return 1;
    case FHIRPATH_OP_ITEM:
    case FHIRPATH_OP_BINARY:
        out[1] = n->arg[0];
        return 2;
    case FHIRPATH_OP_CALL: {
        unsigned count = n->length & FHIRPATH_ARGUMENTS;
        for (unsigned i = 0; i < count && i < 3; i++)
            out[1 + i] = n->arg[i];
        return 1 + count;
    }
    default:
        return 0;
    }
}

static bool
emit(struct parser *p, struct fhirpath_instruction n, uint32_t *out)
{
    uint32_t used[4];
    uint8_t  depth = 0;

    for (unsigned i = operands(&n, used); i > 0; i--)
        depth = deeper(depth, p->code[used[i - 1]].depth);
    if (depth >= FHIRPATH_MAX_DEPTH)
        return fail_at(p, n.where, ST_TOO_LARGE, "the expression is nested too deeply");
    if (p->count == FHIRPATH_MOST_INSTRUCTIONS)
        return fail_at(p, n.where, ST_TOO_LARGE, "the expression is too long");
    if (p->count == p->room) {
        uint32_t room = p->room > 0 ? p->room * 2 : 32;
        p->code = arena_grow(p->arena, p->code, p->room * sizeof n, room * sizeof n);
        p->room = room;
        if (p->code == NULL)
            return no_memory(p);
    }
    n.depth = (uint8_t)(depth + 1);
    *out    = p->count;
    p->code[p->count++] = n;
    return true;
}

static bool
emit_text(struct parser *p, struct fhirpath_instruction n, struct span text, uint32_t *out)
{
    if (text.length > UINT16_MAX)
        return fail_at(p, n.where, ST_TOO_LARGE, "a text of the expression is too long");
    n.length = (uint16_t)text.length;
    return add_text(p, (struct span){ NULL, 0 }, text, &n.arg[2]) && emit(p, n, out);
}

static bool
emit_name(struct parser *p, uint32_t input, bool first, struct fhirpath_token t, uint32_t *out)
{
    struct fhirpath_instruction n = { .op = FHIRPATH_OP_NAME, .what = first, .input = input, .where = (uint16_t)t.where };

    if (t.text.length == 0 || t.text.length > UINT16_MAX - 1)
        return fail_at(p, t.where, ST_MALFORMED, "a name is empty or too long");
    n.length = (uint16_t)t.text.length;
    if (!add_text(p, SPAN("_"), t.text, &n.arg[2]))
        return false;
    n.arg[0] = tape_key_of(t.text);
    n.arg[1] = tape_key_of(span_from(p->texts + n.arg[2], t.text.length + 1));
    return emit(p, n, out);
}

/* ---- literals --------------------------------------------------------------------------- */

static const char *const calendar_units[] = {
    "year", "years", "month", "months", "week", "weeks", "day", "days", "hour", "hours", "minute", "minutes",
    "second", "seconds", "millisecond", "milliseconds",
};

static bool
calendar_unit(const struct parser *p)
{
    if (p->now.kind != FHIRPATH_TOKEN_NAME)
        return false;
    for (size_t i = 0; i < sizeof calendar_units / sizeof calendar_units[0]; i++)
        if (span_eq_text(p->now.text, calendar_units[i]))
            return true;
    return false;
}

static bool
number(struct parser *p, uint32_t *out)
{
    struct fhirpath_token       t = p->now;
    struct fhirpath_instruction n = { .op = FHIRPATH_OP_DECIMAL, .where = (uint16_t)t.where };
    struct decimal              value;
    int64_t                     integer;

    next(p);
    if (!decimal_read(t.text, &value))
        return fail_at(p, t.where, ST_MALFORMED, "a number has too many digits");
    if (p->now.kind == FHIRPATH_TOKEN_STRING || calendar_unit(p)) {
        n.op     = FHIRPATH_OP_QUANTITY;
        n.what   = p->now.kind == FHIRPATH_TOKEN_NAME;
        n.arg[1] = (uint32_t)p->now.text.length;
        if (!add_text(p, (struct span){ NULL, 0 }, p->now.text, &n.arg[0]))
            return false;
        next(p);
    } else if (span_find_byte(t.text, '.') == SPAN_NOT_FOUND) {
        if (!decimal_to_integer(&value, &integer))
            return fail_at(p, t.where, ST_MALFORMED, "an integer is too large");
        n.op     = FHIRPATH_OP_INTEGER;
        n.arg[0] = (uint32_t)integer;
        n.arg[1] = (uint32_t)((uint64_t)integer >> 32);
        return emit(p, n, out);
    }
    return emit_text(p, n, t.text, out);
}

static bool
moment(struct parser *p, uint32_t *out)
{
    struct fhirpath_instruction n = { .op = FHIRPATH_OP_MOMENT, .where = (uint16_t)p->now.where };
    struct moment               m;

    if (!moment_of(p->now.text, MOMENT_NONE, &m))
        return fail(p, "there is no such date or time");
    n.what = m.kind;
    struct span text = p->now.text;
    next(p);
    return emit_text(p, n, text, out);
}

static bool
variable(struct parser *p, uint32_t *out)
{
    static const char *const known[] = {
        [FHIRPATH_CONTEXT] = "context", [FHIRPATH_RESOURCE] = "resource", [FHIRPATH_ROOT_RESOURCE] = "rootResource",
        [FHIRPATH_UCUM] = "ucum", [FHIRPATH_SCT] = "sct", [FHIRPATH_LOINC] = "loinc",
    };
    struct fhirpath_instruction n    = { .op = FHIRPATH_OP_VARIABLE, .where = (uint16_t)p->now.where };
    struct span                 text = p->now.text;

    for (unsigned i = FHIRPATH_CONTEXT; i <= FHIRPATH_LOINC; i++)
        if (span_eq_text(text, known[i]))
            n.what = (uint8_t)i;
    if (span_starts(text, SPAN("vs-"))) {
        n.what = FHIRPATH_VS;
        text   = span_skip(text, 3);
    } else if (span_starts(text, SPAN("ext-"))) {
        n.what = FHIRPATH_EXT;
        text   = span_skip(text, 4);
    }
    next(p);
    return emit_text(p, n, text, out);
}

static bool
dollar(struct parser *p, uint32_t *out)
{
    struct fhirpath_instruction n = { .where = (uint16_t)p->now.where };

    if (span_eq_text(p->now.text, "$this"))
        *out = 0;
    else if (span_eq_text(p->now.text, "$index"))
        n.op = FHIRPATH_OP_INDEX;
    else if (span_eq_text(p->now.text, "$total"))
        n.op = FHIRPATH_OP_TOTAL;
    else
        return fail(p, "FHIRPath has $this, $index and $total");
    next(p);
    return n.op == FHIRPATH_OP_THIS || emit(p, n, out);
}

/* ---- types ------------------------------------------------------------------------------- */

static bool
name_token(const struct parser *p)
{
    return p->now.kind == FHIRPATH_TOKEN_NAME || p->now.kind == FHIRPATH_TOKEN_DELIMITED;
}

/* Quantity, FHIR.Quantity, System.Quantity */
static bool
type_name(struct parser *p, enum fhirpath_cast cast, uint32_t input, uint32_t where, uint32_t *out)
{
    struct fhirpath_instruction n = { .op = FHIRPATH_OP_TYPE, .what = (uint8_t)cast, .input = input, .where = (uint16_t)where };

    if (!name_token(p))
        return fail(p, "the name of a type is expected here");
    struct fhirpath_token first = p->now;
    next(p);
    struct span name = first.text;
    if ((span_eq_text(name, "FHIR") || span_eq_text(name, "System")) && is(p, FHIRPATH_TOKEN_SIGN, ".")) {
        n.arg[0] = span_eq_text(name, "FHIR") ? FHIRPATH_FHIR : FHIRPATH_SYSTEM;
        next(p);
        if (!name_token(p))
            return fail(p, "the name of a type is expected behind its namespace");
        name = p->now.text;
        next(p);
    }
    n.arg[1] = tape_key_of(name);
    return emit_text(p, n, name, out);
}

/* ---- calls ------------------------------------------------------------------------------- */

static const struct { const char *name; uint8_t least, most; } functions[FHIRPATH_FUNCTIONS] = {
#define FUNCTION(name, text, least, most) [FHIRPATH_FUNCTION_##name] = { text, least, most },
#include "fhir/fhirpath_functions.def"
#undef FUNCTION
};

/* A literal is compiled now, whatever it is: broken ones are found here. */
static bool
literal_regex(struct parser *p, struct fhirpath_instruction *n)
{
    const struct fhirpath_instruction *of = &p->code[n->arg[0]];
    struct span  pattern, program;
    const char  *why = "";

    if ((n->what != FHIRPATH_FUNCTION_MATCHES && n->what != FHIRPATH_FUNCTION_MATCHES_FULL
         && n->what != FHIRPATH_FUNCTION_REPLACE_MATCHES) || of->op != FHIRPATH_OP_STRING)
        return true;
    pattern = span_from(p->texts + of->arg[2], of->length);
    enum status st = regex_compile(pattern, p->arena, &program, &why);
    if (st != ST_OK)
        return fail_at(p, of->where, st, why);
    return align_texts(p) && add_text(p, (struct span){ NULL, 0 }, program, &n->arg[2]);
}

static bool
arguments(struct parser *p, struct fhirpath_instruction *n)
{
    unsigned count = 0;

    if (!accept(p, ")")) {
        do {
            if (count == functions[n->what].most)
                return fail(p, "this function takes fewer arguments");
            if (!expression(p, 0, &n->arg[count]))
                return false;
            const struct fhirpath_instruction *one = &p->code[n->arg[count]];
            if (n->what == FHIRPATH_FUNCTION_SORT && one->op == FHIRPATH_OP_NEGATE) {
                n->arg[count] = one->input;
                n->length |= (uint16_t)(0x100u << count);
            }
            count++;
        } while (accept(p, ","));
        if (!expect(p, ")", "a comma or a closing bracket is expected here"))
            return false;
    }
    n->length |= (uint16_t)count;
    return count >= functions[n->what].least || fail_at(p, n->where, ST_MALFORMED, "this function takes more arguments");
}

/* Behind the opening bracket. */
static bool
call(struct parser *p, uint32_t input, struct fhirpath_token name, uint32_t *out)
{
    struct fhirpath_instruction n = { .op = FHIRPATH_OP_CALL, .input = input, .where = (uint16_t)name.where };
    static const struct { const char *name; uint8_t cast; } casts[] = {
        { "is", FHIRPATH_IS_FUNCTION }, { "as", FHIRPATH_AS }, { "ofType", FHIRPATH_OF_TYPE },
    };

    for (size_t i = 0; i < sizeof casts / sizeof casts[0]; i++)
        if (span_eq_text(name.text, casts[i].name))
            return type_name(p, (enum fhirpath_cast)casts[i].cast, input, name.where, out)
                && expect(p, ")", "a closing bracket is expected here");
    unsigned f = 0;
    while (f < FHIRPATH_FUNCTIONS && !span_eq_text(name.text, functions[f].name))
        f++;
    if (f == FHIRPATH_FUNCTIONS)
        return fail_at(p, name.where, ST_MALFORMED, "there is no function of this name");
    n.what = (uint8_t)f;
    return arguments(p, &n) && literal_regex(p, &n) && emit(p, n, out);
}

/* A name, or a call, of `input`. */
static bool
invocation(struct parser *p, uint32_t input, bool first, uint32_t *out)
{
    struct fhirpath_token name = p->now;

    next(p);
    if (name.kind == FHIRPATH_TOKEN_NAME && accept(p, "("))
        return call(p, input, name, out);
    return emit_name(p, input, first, name, out);
}

/* ---- expressions ------------------------------------------------------------------------- */

static bool
word_literal(struct parser *p, uint32_t *out)
{
    struct fhirpath_instruction n = { .where = (uint16_t)p->now.where };

    n.op = is(p, FHIRPATH_TOKEN_NAME, "true") ? FHIRPATH_OP_TRUE : FHIRPATH_OP_FALSE;
    next(p);
    return emit(p, n, out);
}

static bool
term(struct parser *p, uint32_t *out)
{
    struct fhirpath_instruction n = { .op = FHIRPATH_OP_STRING, .where = (uint16_t)p->now.where };
    struct span                 text = p->now.text;

    switch (p->now.kind) {
    case FHIRPATH_TOKEN_STRING:
        next(p);
        return emit_text(p, n, text, out);
    case FHIRPATH_TOKEN_NUMBER:   return number(p, out);
    case FHIRPATH_TOKEN_MOMENT:   return moment(p, out);
    case FHIRPATH_TOKEN_VARIABLE: return variable(p, out);
    case FHIRPATH_TOKEN_DOLLAR:   return dollar(p, out);
    case FHIRPATH_TOKEN_NAME:
        if (is(p, FHIRPATH_TOKEN_NAME, "true") || is(p, FHIRPATH_TOKEN_NAME, "false"))
            return word_literal(p, out);
        return invocation(p, 0, true, out);
    case FHIRPATH_TOKEN_DELIMITED:
        return invocation(p, 0, true, out);
    default:
        break;
    }
    if (accept(p, "("))
        return expression(p, 0, out) && expect(p, ")", "a closing bracket is expected here");
    if (accept(p, "{")) {
        n.op = FHIRPATH_OP_EMPTY;
        return expect(p, "}", "the empty collection is { }") && emit(p, n, out);
    }
    return fail(p, "a value or a name is expected here");
}

/* Signs bind closer than operators and looser than the dot. */
static bool
signed_term(struct parser *p, uint32_t *out)
{
    struct fhirpath_instruction n = { .where = (uint16_t)p->now.where };

    if (is(p, FHIRPATH_TOKEN_SIGN, "-") || is(p, FHIRPATH_TOKEN_SIGN, "+")) {
        n.op = is(p, FHIRPATH_TOKEN_SIGN, "-") ? FHIRPATH_OP_NEGATE : FHIRPATH_OP_PLUS;
        if (++p->brackets > MOST_BRACKETS)
            return fail_at(p, n.where, ST_TOO_LARGE, "the expression is nested too deeply");
        next(p);
        bool good = signed_term(p, &n.input);
        p->brackets--;
        return good && emit(p, n, out);
    }
    if (!term(p, out))
        return false;
    for (;;) {
        n = (struct fhirpath_instruction){ .op = FHIRPATH_OP_ITEM, .input = *out, .where = (uint16_t)p->now.where };
        if (accept(p, ".")) {
            if (!name_token(p))
                return fail(p, "a name is expected behind the dot");
            if (!invocation(p, *out, false, out))
                return false;
        } else if (accept(p, "[")) {
            if (!expression(p, 0, &n.arg[0]) || !expect(p, "]", "a closing bracket is expected here") || !emit(p, n, out))
                return false;
        } else {
            return true;
        }
    }
}

/* The operator that is next; 0 when there is none. */
static enum fhirpath_operator
operator_next(const struct parser *p, int *binds)
{
    static const struct { const char *text; int binds; } operators[] = {
#define X(name, text, binds) [FHIRPATH_OPERATOR_##name] = { text, binds },
        FHIRPATH_OPERATOR_LIST(X)
#undef X
    };

    if (p->now.kind != FHIRPATH_TOKEN_SIGN && p->now.kind != FHIRPATH_TOKEN_NAME)
        return FHIRPATH_NO_OPERATOR;
    for (unsigned i = 1; i < FHIRPATH_OPERATORS; i++)
        if (span_eq_text(p->now.text, operators[i].text)) {
            *binds = operators[i].binds;
            return (enum fhirpath_operator)i;
        }
    return FHIRPATH_NO_OPERATOR;
}

static bool
expression(struct parser *p, int binds, uint32_t *out)
{
    if (++p->brackets > MOST_BRACKETS)
        return fail_at(p, p->now.where, ST_TOO_LARGE, "the expression is nested too deeply");
    if (!signed_term(p, out))
        return false;
    for (;;) {
        uint32_t where = p->now.where;
        int      closer;
        bool     as = is(p, FHIRPATH_TOKEN_NAME, "as");
        if ((as || is(p, FHIRPATH_TOKEN_NAME, "is")) && binds < FHIRPATH_BINDS_IS) {
            next(p);
            if (!type_name(p, as ? FHIRPATH_AS : FHIRPATH_IS, *out, where, out))
                return false;
            continue;
        }
        enum fhirpath_operator operator = operator_next(p, &closer);
        if (operator == FHIRPATH_NO_OPERATOR || closer <= binds)
            break;
        struct fhirpath_instruction n = { .op = FHIRPATH_OP_BINARY, .what = (uint8_t)operator, .input = *out,
                                          .where = (uint16_t)where };
        next(p);
        if (!expression(p, closer, &n.arg[0]) || !emit(p, n, out))
            return false;
    }
    p->brackets--;
    return true;
}

/* ---- the whole ---------------------------------------------------------------------------- */

static enum status
assemble(struct parser *p, struct span source, struct span *program)
{
    struct fhirpath_header h = { .magic = FHIRPATH_MAGIC, .count = p->count, .source_length = (uint32_t)source.length };

    if (!add_text(p, (struct span){ NULL, 0 }, source, &h.source) || !align_texts(p))
        return p->status;
    h.texts     = p->texts_length;
    size_t code = p->count * sizeof *p->code;
    h.length    = (uint32_t)(sizeof h + code + h.texts);
    char *at    = arena_alloc(p->arena, h.length);
    if (at == NULL)
        return ST_NO_MEMORY;
    memcpy(at, &h, sizeof h);
    memcpy(at + sizeof h, p->code, code);
    memcpy(at + sizeof h + code, p->texts, h.texts);
    *program = span_from(at, h.length);
    return ST_OK;
}

/* The root is the last instruction; $this behind others gets one of its own. */
static bool
whole(struct parser *p)
{
    uint32_t root;

    next(p);
    if (!expression(p, 0, &root))
        return false;
    if (p->now.kind != FHIRPATH_TOKEN_END)
        return fail(p, "an operator or the end is expected here");
    return root == p->count - 1 || emit(p, (struct fhirpath_instruction){ .op = FHIRPATH_OP_THIS }, &root);
}

enum status
fhirpath_compile(struct span source, struct arena *arena, struct span *program, struct fhirpath_error *error)
{
    struct parser p = { .lexer = { .source = source, .arena = arena }, .arena = arena };
    uint32_t      this;
    enum status   status;

    if (source.length > FHIRPATH_MAX_SOURCE)
        fail_at(&p, 0, ST_TOO_LARGE, "the expression is too long");
    else if (emit(&p, (struct fhirpath_instruction){ .op = FHIRPATH_OP_THIS }, &this))
        whole(&p);
    status = p.status == ST_OK ? assemble(&p, source, program) : p.status;
    if (status != ST_OK && error != NULL)
        *error = p.error;
    return status;
}

struct span
fhirpath_source(struct span program)
{
    const struct fhirpath_header *h = fhirpath_header_of(program);

    return span_from(fhirpath_texts_of(h) + h->source, h->source_length);
}

bool
fhirpath_looks_around(struct span program)
{
    const struct fhirpath_header      *h    = fhirpath_header_of(program);
    const struct fhirpath_instruction *code = fhirpath_code_of(h);

    for (uint32_t i = 0; i < h->count; i++)
        if ((code[i].op == FHIRPATH_OP_CALL && code[i].what == FHIRPATH_FUNCTION_RESOLVE)
            || (code[i].op == FHIRPATH_OP_VARIABLE && (code[i].what == FHIRPATH_RESOURCE || code[i].what == FHIRPATH_ROOT_RESOURCE)))
            return true;
    return false;
}

/* ---- checking ----------------------------------------------------------------------------- */

static bool
text_inside(const struct fhirpath_header *h, uint32_t offset, uint64_t length)
{
    return offset < h->texts && length < h->texts - offset && fhirpath_texts_of(h)[offset + length] == '\0';
}

static bool
regex_inside(const struct fhirpath_header *h, uint32_t offset)
{
    return offset % 4 == 0 && offset < h->texts
        && regex_check(regex_at(span_from(fhirpath_texts_of(h) + offset, h->texts - offset)));
}

static bool
instruction_good(const struct fhirpath_header *h, const struct fhirpath_instruction *n)
{
    struct span    text = span_from(fhirpath_texts_of(h) + n->arg[2], n->length);
    struct decimal d;
    struct moment  m;

    switch ((enum fhirpath_op)n->op) {
    case FHIRPATH_OP_STRING:
        return text_inside(h, n->arg[2], n->length);
    case FHIRPATH_OP_DECIMAL:
        return text_inside(h, n->arg[2], n->length) && decimal_read(text, &d);
    case FHIRPATH_OP_QUANTITY:
        return text_inside(h, n->arg[2], n->length) && decimal_read(text, &d) && text_inside(h, n->arg[0], n->arg[1]);
    case FHIRPATH_OP_MOMENT:
        return text_inside(h, n->arg[2], n->length) && moment_of(text, MOMENT_NONE, &m) && m.kind == n->what;
    case FHIRPATH_OP_VARIABLE:
        return text_inside(h, n->arg[2], n->length) && n->what < FHIRPATH_KNOWN;
    case FHIRPATH_OP_NAME:
        return text_inside(h, n->arg[2], n->length + 1u) && n->arg[0] == tape_key_of(span_from(text.at + 1, n->length))
            && n->arg[1] == tape_key_of(span_from(text.at, n->length + 1u));
    case FHIRPATH_OP_TYPE:
        return text_inside(h, n->arg[2], n->length) && n->what >= FHIRPATH_IS && n->what <= FHIRPATH_OF_TYPE
            && n->arg[0] <= FHIRPATH_SYSTEM && n->arg[1] == tape_key_of(text);
    case FHIRPATH_OP_BINARY:
        return n->what > FHIRPATH_NO_OPERATOR && n->what < FHIRPATH_OPERATORS;
    case FHIRPATH_OP_CALL:
        if (n->what >= FHIRPATH_FUNCTIONS || (n->length & FHIRPATH_ARGUMENTS) > functions[n->what].most
            || (n->length & FHIRPATH_ARGUMENTS) < functions[n->what].least)
            return false;
        return n->arg[2] == 0 || (n->length & FHIRPATH_ARGUMENTS) > 2 || regex_inside(h, n->arg[2]);
    default:
        return n->op < FHIRPATH_OPS;
    }
}

bool
fhirpath_check(struct span program)
{
    const struct fhirpath_header *h = fhirpath_header_of(program);

    if ((uintptr_t)program.at % 4 != 0 || program.length < sizeof *h || h->magic != FHIRPATH_MAGIC
        || h->length != program.length || h->count == 0 || h->count > FHIRPATH_MOST_INSTRUCTIONS
        || h->length != sizeof *h + (uint64_t)h->count * sizeof(struct fhirpath_instruction) + h->texts
        || !text_inside(h, h->source, h->source_length))
        return false;
    const struct fhirpath_instruction *code = fhirpath_code_of(h);
    for (uint32_t i = 0; i < h->count; i++) {
        uint32_t used[4];
        uint8_t  depth = 0;
        if (!instruction_good(h, &code[i]))
            return false;
        for (unsigned k = operands(&code[i], used); k > 0; k--) {
            if (used[k - 1] >= i)
                return false;
            depth = deeper(depth, code[used[k - 1]].depth);
        }
        if (depth >= FHIRPATH_MAX_DEPTH || code[i].depth != depth + 1)
            return false;
    }
    return code[0].op == FHIRPATH_OP_THIS;
}
