#include "gateway/terminology/question.h"

#include "base/json_tape.h"

/* An answer is a few parameters; what is deeper or has more is not looked at. */
static const struct tape_limits limits = { .max_bytes = QUESTION_ANSWER_MAX, .max_nodes = 8192, .max_depth = 32, .max_number = 32 };

/* RFC 3986 2.3: what need not be encoded. */
static bool
unreserved(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
}

static void
add_encoded(struct buf *out, struct span text)
{
    static const char digits[] = "0123456789ABCDEF";

    for (size_t i = 0; i < text.length; i++) {
        unsigned char c = (unsigned char)text.at[i];
        if (!unreserved(text.at[i])) {
            buf_add_byte(out, '%');
            buf_add_byte(out, digits[c >> 4]);
        }
        buf_add_byte(out, unreserved(text.at[i]) ? text.at[i] : digits[c & 15]);
    }
}

static void
add_parameter(struct buf *out, const char *name, struct span value)
{
    if (span_empty(value))
        return;
    buf_add_byte(out, '&');
    buf_add_text(out, name);
    buf_add_byte(out, '=');
    add_encoded(out, value);
}

enum status
question_path(const struct term_question *q, struct span base, struct buf *out)
{
    struct span version = q->value_set, url = span_split(&version, '|');

    buf_add_text(out, span_ends(base, SPAN("/")) ? "ValueSet/$validate-code?url=" : "/ValueSet/$validate-code?url=");
    add_encoded(out, url);
    add_parameter(out, "valueSetVersion", version);
    add_parameter(out, "system", q->system);
    add_parameter(out, "systemVersion", q->version);
    add_parameter(out, "code", q->code);
    return buf_status(out);
}

/* ---- the answer ------------------------------------------------------------------- */

/* An error that says something else than that the code is wrong. */
static bool
other_error(const struct tape *t, tape_node issue)
{
    static const char *const wrong[] = { "code-invalid", "business-rule", "invalid" };
    tape_node                severity = tape_member(t, issue, SPAN("severity"));
    tape_node                code     = tape_member(t, issue, SPAN("code"));

    if (!tape_text_eq(t, severity, SPAN("error")) && !tape_text_eq(t, severity, SPAN("fatal")))
        return false;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        if (tape_text_eq(t, code, span_of(wrong[i])))
            return false;
    return true;
}

/* Whether this parameter says that the server does not know. */
static bool
says_unknown(const struct tape *t, tape_node parameter, struct span name)
{
    if (span_ends(name, SPAN("unknown-system")))
        return true;
    if (!span_eq_text(name, "issues"))
        return false;
    tape_node list = tape_member(t, tape_member(t, parameter, SPAN("resource")), SPAN("issue"));
    for (tape_node one = tape_kind(t, list) == TAPE_ARRAY ? tape_first(t, list) : TAPE_ABSENT; one != TAPE_ABSENT; one = tape_next(t, one))
        if (other_error(t, one))
            return true;
    return false;
}

static enum answer
read_parameters(const struct tape *t, tape_node list, struct arena *scratch)
{
    enum answer answer  = ANSWER_UNKNOWN;
    bool        unknown = false;

    if (tape_kind(t, list) != TAPE_ARRAY)
        return ANSWER_NONE;
    for (tape_node one = tape_first(t, list); one != TAPE_ABSENT; one = tape_next(t, one)) {
        if (tape_kind(t, one) != TAPE_OBJECT)
            return ANSWER_NONE;
        struct span name = tape_member_text(t, one, SPAN("name"), scratch);
        unknown          = unknown || says_unknown(t, one, name);
        if (!span_eq_text(name, "result"))
            continue;
        tape_node value = tape_member(t, one, SPAN("valueBoolean"));
        bool      yes   = tape_kind(t, value) == TAPE_TRUE;
        if (answer != ANSWER_UNKNOWN || (!yes && tape_kind(t, value) != TAPE_FALSE))
            return ANSWER_NONE;
        answer = yes ? ANSWER_RIGHT : ANSWER_WRONG;
    }
    return answer == ANSWER_RIGHT || (answer == ANSWER_WRONG && !unknown) ? answer : ANSWER_NONE;
}

enum answer
question_answer(int http_status, struct span body, struct arena *scratch)
{
    const struct tape *t;
    enum answer        answer = ANSWER_NONE;
    struct arena_mark  mark   = arena_mark(scratch);

    if (http_status == 200 && tape_read(body, &limits, scratch, &t, NULL) == ST_OK && tape_kind(t, TAPE_ROOT) == TAPE_OBJECT
        && tape_text_eq(t, tape_member(t, TAPE_ROOT, SPAN("resourceType")), SPAN("Parameters")))
        answer = read_parameters(t, tape_member(t, TAPE_ROOT, SPAN("parameter")), scratch);
    arena_reset(scratch, mark);
    return answer;
}
