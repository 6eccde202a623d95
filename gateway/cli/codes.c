/* gateway/cli/codes.c -- codes: what the code tables hold, and where each row was read. */
#include <string.h>

#include "base/json_author.h"
#include "consent/codes.h"
#include "gateway/cli/run.h"

enum state { STATE_ANY = 0, STATE_IN, STATE_OFF, STATE_UNVERIFIED };

struct report {
    const struct call *call;
    enum state         wanted;
    struct buf         out;
};

static const char *const states[] = { "", "in", "off", "unverified" };

static enum state
state_of(const struct code_row *row)
{
    return row->on ? STATE_IN : code_verified(row) ? STATE_OFF : STATE_UNVERIFIED;
}

static bool
is_wanted(const struct report *r, const struct code_row *row)
{
    return r->wanted == STATE_ANY || state_of(row) == r->wanted;
}

/* What takes it back, "pain, patch"; what is about a relative takes back everything that labels. */
static void
add_controls(struct buf *out, const struct code_row *row)
{
    const char *between = "";

    for (unsigned c = 1; c <= CONTEXT_LAST && row->tier <= TIER_T3; c <<= 1)
        if (c != CONTEXT_FAMILY && code_excused(row, c)) {
            buf_add_format(out, "%s%s", between, code_context_text((enum code_context)c));
            between = ", ";
        }
}

/* ---- as text ------------------------------------------------------------------------ */

static void
text_row(struct report *r, const struct code_table *t, const struct code_row *row)
{
    buf_add_format(&r->out, "%-18s %-16s %-8s %-9s %-11s", t->name, row->code, code_tier_text((enum code_tier)row->tier),
                   row->label != LABEL_NONE ? label_code((enum label)row->label) : "-", states[state_of(row)]);
    buf_add_format(&r->out, "%s%s", row->words, row->prefix ? " and what begins so" : "");
    if (code_verified(row))
        buf_add_format(&r->out, "; by %s of %s, %s", row->checked, code_source_short((enum code_source)row->source), row->day);
    struct buf controls;
    buf_init(&controls, 256);
    add_controls(&controls, row);
    if (buf_span(&controls).length > 0)
        buf_add_format(&r->out, "; not with: %.*s", SPAN_PRINT(buf_span(&controls)));
    buf_release(&controls);
    buf_add_format(&r->out, "%s%s\n", row->because[0] == 0 ? "" : row->on ? "; weaker: " : "; off: ", row->because);
}

static void
text_rows(struct report *r)
{
    for (size_t i = 0; i < code_table_count(); i++)
        for (size_t k = 0; k < code_table_at(i)->count; k++)
            if (is_wanted(r, &code_table_at(i)->rows[k]))
                text_row(r, code_table_at(i), &code_table_at(i)->rows[k]);
}

static void
text_systems(struct report *r)
{
    size_t all[TIER_CONTEXT + 3] = { 0 };

    call_ink(r->call, &r->out, INK_BOLD, SPAN("system                 T1    T2    T3   not  context   off  unverified\n"));
    for (size_t i = 0; i <= code_table_count(); i++) {
        size_t                   mine[TIER_CONTEXT + 3] = { 0 };
        const struct code_table *t = i < code_table_count() ? code_table_at(i) : NULL;
        for (size_t k = 0; t != NULL && k < t->count; k++)
            mine[t->rows[k].on ? t->rows[k].tier : TIER_CONTEXT + (state_of(&t->rows[k]) == STATE_OFF ? 1 : 2)]++;
        const size_t *n = t != NULL ? mine : all;
        buf_add_format(&r->out, "%-18s %6zu%6zu%6zu%6zu%9zu%6zu%12zu\n", t != NULL ? t->name : "all", n[TIER_T1], n[TIER_T2], n[TIER_T3],
                       n[TIER_NOT], n[TIER_CONTEXT], n[TIER_CONTEXT + 1], n[TIER_CONTEXT + 2]);
        for (size_t k = 0; k < sizeof all / sizeof *all; k++)
            all[k] += mine[k];
    }
}

struct cited { size_t rows, on; const char *checked, *last; };

static struct cited
cited(enum code_source source)
{
    struct cited c = { .checked = "", .last = "" };

    for (size_t i = 0; i < code_table_count(); i++)
        for (size_t k = 0; k < code_table_at(i)->count; k++) {
            const struct code_row *row = &code_table_at(i)->rows[k];
            if (row->source != source)
                continue;
            c.rows++;
            c.on     += row->on;
            c.checked = row->checked;
            c.last    = strcmp(row->day, c.last) > 0 ? row->day : c.last;
        }
    return c;
}

static void
text_sources(struct report *r)
{
    call_ink(r->call, &r->out, INK_BOLD, SPAN("\nsource                             rows    on  compared by  last        what it is\n"));
    for (int s = 0; s < CODE_SOURCE_COUNT; s++) {
        struct cited c = cited((enum code_source)s);
        buf_add_format(&r->out, "%-34s %5zu%6zu  %-11s  %-10s  %s\n", code_source_short((enum code_source)s), c.rows, c.on, c.checked,
                       c.last, code_source_full((enum code_source)s));
    }
}

static void
text_report(struct report *r)
{
    text_systems(r);
    text_sources(r);
    call_ink(r->call, &r->out, INK_BOLD, SPAN("\noff and unverified\n"));
    for (r->wanted = STATE_OFF; r->wanted <= STATE_UNVERIFIED; r->wanted++)
        text_rows(r);
}

/* ---- as JSON -------------------------------------------------------------------------- */

static void
author_row(author_value list, const struct code_table *t, const struct code_row *row)
{
    author_value one = author_add_object(list, NULL);
    struct buf   controls;

    author_add_cstr(one, "system", t->name);
    author_add_cstr(one, "url", code_system_url(t->system));
    author_add_cstr(one, "code", row->code);
    author_add_bool(one, "prefix", row->prefix);
    author_add_cstr(one, "tier", code_tier_text((enum code_tier)row->tier));
    if (row->label != LABEL_NONE)
        author_add_cstr(one, "label", label_code((enum label)row->label));
    buf_init(&controls, 256);
    add_controls(&controls, row);
    author_add_text(one, "controls", buf_span(&controls));
    buf_release(&controls);
    author_add_cstr(one, "state", states[state_of(row)]);
    author_add_cstr(one, "source", code_source_short((enum code_source)row->source));
    author_add_cstr(one, "checked", row->checked);
    if (code_verified(row))
        author_add_cstr(one, "day", row->day);
    author_add_cstr(one, "words", row->words);
    if (row->because[0] != 0)
        author_add_cstr(one, "because", row->because);
}

static bool
json_report(struct report *r)
{
    struct author *a       = author_new();
    author_value   root    = author_object(a);
    author_value   systems = author_add_array(root, "systems");

    for (size_t i = 0; i < code_table_count(); i++) {
        const struct code_table *t     = code_table_at(i);
        author_value             one   = author_add_object(systems, NULL);
        size_t                   n[4]  = { 0 };
        for (size_t k = 0; k < t->count; k++)
            n[state_of(&t->rows[k])]++;
        author_add_cstr(one, "system", t->name);
        for (enum state s = STATE_IN; s <= STATE_UNVERIFIED; s++)
            author_add_integer(one, states[s], (int64_t)n[s]);
    }
    author_value sources = author_add_array(root, "sources");
    for (int s = 0; s < CODE_SOURCE_COUNT; s++) {
        struct cited c   = cited((enum code_source)s);
        author_value one = author_add_object(sources, NULL);
        author_add_cstr(one, "source", code_source_short((enum code_source)s));
        author_add_cstr(one, "what", code_source_full((enum code_source)s));
        author_add_integer(one, "rows", (int64_t)c.rows);
        author_add_integer(one, "on", (int64_t)c.on);
        author_add_cstr(one, "checked", c.checked);
    }
    author_value rows = author_add_array(root, "rows");
    for (size_t i = 0; i < code_table_count(); i++)
        for (size_t k = 0; k < code_table_at(i)->count; k++)
            if (is_wanted(r, &code_table_at(i)->rows[k]))
                author_row(rows, code_table_at(i), &code_table_at(i)->rows[k]);
    bool good = author_print(a, &r->out, AUTHOR_PRETTY) == ST_OK;
    author_free(&a);
    buf_add_byte(&r->out, '\n');
    return good;
}

/* ---- one code ---------------------------------------------------------------------------- */

static const struct code_row *
off_row(const struct code_table *t, struct span code)
{
    struct code folded = code_fold(t->system, code);

    for (size_t k = 0; k < t->count; k++)
        if (!t->rows[k].on && (t->rows[k].prefix ? span_starts(code_span(&folded), span_of(t->rows[k].code))
                                                 : span_eq_text(code_span(&folded), t->rows[k].code)))
            return &t->rows[k];
    return NULL;
}

/* False when no row that is on says anything of it. */
static bool
tell(struct report *r, author_value rows, struct span code)
{
    bool said = false, json = call_has(r->call, "json");

    for (size_t i = 0; i < code_table_count(); i++) {
        const struct code_table *t   = code_table_at(i);
        bool                     mod = strcmp(t->name, "HCPCS modifiers") == 0;
        const struct code_row   *row = mod ? code_find_modifier(code) : code_find(t->system, code);
        said |= row != NULL;
        row   = row != NULL ? row : off_row(t, code);
        if (row == NULL || !is_wanted(r, row))
            continue;
        if (json)
            author_row(rows, t, row);
        else
            text_row(r, t, row);
    }
    return said;
}

static int
tell_all(struct report *r)
{
    struct author *a    = author_new();
    author_value   rows = author_add_array(author_object(a), "rows");
    int            code = EXIT_CODE_OK;

    for (int i = 0; i < r->call->argument_count; i++)
        if (!tell(r, rows, span_of(r->call->arguments[i]))) {
            call_say(r->call, "%s: no row that is on says anything of it", r->call->arguments[i]);
            code = EXIT_CODE_NEGATIVE;
        }
    if (call_has(r->call, "json") && author_print(a, &r->out, AUTHOR_PRETTY) != ST_OK)
        code = EXIT_CODE_DEPENDENCY;
    author_free(&a);
    return code;
}

int
command_codes(const struct call *call)
{
    struct report r     = { .call = call };
    const char   *state = call_value(call, "state");
    int           code  = EXIT_CODE_OK;

    for (enum state s = STATE_IN; state != NULL && s <= STATE_UNVERIFIED; s++)
        if (strcmp(state, states[s]) == 0)
            r.wanted = s;
    if (state != NULL && r.wanted == STATE_ANY) {
        call_say(call, "--state %s: want in, off or unverified", state);
        return EXIT_CODE_USAGE;
    }
    buf_init(&r.out, 4 << 20);
    if (call->argument_count > 0)
        code = tell_all(&r);
    else if (call_has(call, "json"))
        code = json_report(&r) ? EXIT_CODE_OK : EXIT_CODE_DEPENDENCY;
    else if (call_has(call, "rows") || state != NULL)
        text_rows(&r);
    else
        text_report(&r);
    if (code != EXIT_CODE_DEPENDENCY && call_print_buf(call, &r.out) != EXIT_CODE_OK)
        code = EXIT_CODE_DEPENDENCY;
    buf_release(&r.out);
    return code;
}
