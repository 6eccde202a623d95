/* fhir/compile_glance.c -- when an invariant holds at a glance: by what an object has and has not.
 *
 * An expression is worked out with nothing known but that one element is not
 * there, or that it is.  What comes out true is true of every object that
 * lacks the element, or has it, and need not be run there: "value.empty() or
 * …", "detail.exists() implies …".
 *
 *   G1  what might fail is not passed over: an operand is left out of account
 *       only where the run would not reach it, or where it cannot fail
 *   G2  arguments are not looked into: $this is something else there
 */
#include "fhir/compile_profiles.h"
#include "fhir/fhirpath_program.h"

/* Longer ones are run: a package must not make this slow. */
#define MOST_INSTRUCTIONS 256u

enum known { UNKNOWN = 0, SOME, NONE, TRUE, FALSE };

struct glance {
    const struct fhirpath_instruction *code;
    const char                        *texts;
    struct span                        name;         /* of the element */
    bool                               there;
};

static bool
is_own_name(const struct glance *g, const struct fhirpath_instruction *n, struct span name)
{
    return n->op == FHIRPATH_OP_NAME && g->code[n->input].op == FHIRPATH_OP_THIS
        && span_eq(span_from(g->texts + n->arg[2] + 1, n->length), name);      /* behind the "_" of its shadow */
}

static bool
has_arguments(const struct fhirpath_instruction *n)
{
    return (n->length & FHIRPATH_ARGUMENTS) > 0;
}

static bool
is_path(const struct glance *g, uint32_t at)
{
    while (g->code[at].op == FHIRPATH_OP_NAME)
        at = g->code[at].input;
    return g->code[at].op == FHIRPATH_OP_THIS;
}

/* One truth, or none, whatever the object is.  As deep as the program, which is bounded. */
static bool
cannot_fail(const struct glance *g, uint32_t at)
{
    const struct fhirpath_instruction *n = &g->code[at];

    if (n->op == FHIRPATH_OP_TRUE || n->op == FHIRPATH_OP_FALSE)
        return true;
    if (n->op == FHIRPATH_OP_CALL && (n->what == FHIRPATH_FUNCTION_EXISTS || n->what == FHIRPATH_FUNCTION_EMPTY))
        return !has_arguments(n) && is_path(g, n->input);
    if (n->op == FHIRPATH_OP_CALL && n->what == FHIRPATH_FUNCTION_NOT)
        return cannot_fail(g, n->input);
    return n->op == FHIRPATH_OP_BINARY
        && (n->what == FHIRPATH_OPERATOR_AND || n->what == FHIRPATH_OPERATOR_OR || n->what == FHIRPATH_OPERATOR_IMPLIES)
        && cannot_fail(g, n->input) && cannot_fail(g, n->arg[0]);
}

static enum known work_out(const struct glance *, uint32_t at);

static enum known
call(const struct glance *g, const struct fhirpath_instruction *n)
{
    enum known input = work_out(g, n->input);

    switch ((enum fhirpath_function)n->what) {
    case FHIRPATH_FUNCTION_EXISTS:
        return input == NONE ? FALSE : input != UNKNOWN && !has_arguments(n) ? TRUE : UNKNOWN;
    case FHIRPATH_FUNCTION_EMPTY:
        return input == NONE ? TRUE : input != UNKNOWN ? FALSE : UNKNOWN;
    case FHIRPATH_FUNCTION_NOT:
        return input == TRUE ? FALSE : input == FALSE ? TRUE : UNKNOWN;
    case FHIRPATH_FUNCTION_ALL:
        return input == NONE ? TRUE : UNKNOWN;
    case FHIRPATH_FUNCTION_WHERE:
    case FHIRPATH_FUNCTION_SELECT:
    case FHIRPATH_FUNCTION_FIRST:
        return input == NONE ? NONE : UNKNOWN;
    default:
        return UNKNOWN;
    }
}

static enum known
logic(const struct glance *g, const struct fhirpath_instruction *n)
{
    enum known left = work_out(g, n->input), right;

    if (n->what == FHIRPATH_OPERATOR_OR && left == TRUE)
        return TRUE;
    if (n->what == FHIRPATH_OPERATOR_AND && left == FALSE)
        return FALSE;
    if (n->what == FHIRPATH_OPERATOR_IMPLIES && left == FALSE)
        return TRUE;
    right = work_out(g, n->arg[0]);
    if (left == UNKNOWN && !cannot_fail(g, n->input))    /* G1 */
        return UNKNOWN;
    switch ((enum fhirpath_operator)n->what) {
    case FHIRPATH_OPERATOR_OR:
        return right == TRUE ? TRUE : left == FALSE && right == FALSE ? FALSE : UNKNOWN;
    case FHIRPATH_OPERATOR_AND:
        return right == FALSE ? FALSE : left == TRUE && right == TRUE ? TRUE : UNKNOWN;
    case FHIRPATH_OPERATOR_IMPLIES:
        return right == TRUE ? TRUE : left == TRUE && right == FALSE ? FALSE : UNKNOWN;
    default:
        return UNKNOWN;
    }
}

static enum known
work_out(const struct glance *g, uint32_t at)
{
    const struct fhirpath_instruction *n = &g->code[at];

    switch ((enum fhirpath_op)n->op) {
    case FHIRPATH_OP_THIS:   return SOME;
    case FHIRPATH_OP_TRUE:   return TRUE;
    case FHIRPATH_OP_FALSE:  return FALSE;
    case FHIRPATH_OP_CALL:   return call(g, n);
    case FHIRPATH_OP_BINARY: return logic(g, n);
    case FHIRPATH_OP_NAME:
        if (is_own_name(g, n, g->name))
            return g->there ? SOME : NONE;
        return work_out(g, n->input) == NONE ? NONE : UNKNOWN;
    default:                 return UNKNOWN;
    }
}

static void
put(uint8_t list[2], uint32_t element)
{
    for (unsigned i = 0; i < 2; i++)
        if (list[i] == GLANCE_NONE) {
            list[i] = (uint8_t)element;
            return;
        }
}

void
compile_glance(const struct compiler *c, uint32_t shape, struct pack_constraint *one)
{
    one->glance = (struct pack_glance){ PACK_NONE, { GLANCE_NONE, GLANCE_NONE }, { GLANCE_NONE, GLANCE_NONE } };
    if (one->program_words == 0 || shape == PACK_NONE)
        return;
    const struct pack_shape      *s = COMPILE_AT(c, PACK_SHAPES, struct pack_shape, shape);
    const struct fhirpath_header *h =
        fhirpath_header_of(span_from(COMPILE_AT(c, PACK_PROGRAMS, uint32_t, one->program), one->program_words * sizeof(uint32_t)));
    struct glance                 g = { .code = fhirpath_code_of(h), .texts = fhirpath_texts_of(h) };
    if (h->count > MOST_INSTRUCTIONS)
        return;
    for (uint32_t i = 0; i < s->element_count && i < PACK_SHAPE_ELEMENTS; i++) {
        const struct pack_element *e    = COMPILE_AT(c, PACK_ELEMENTS, struct pack_element, s->first_element + i);
        bool                       used = false;
        g.name = compile_span(c, e->name);
        if (e->flags & ELEMENT_CHOICE)
            g.name.length -= 3;                          /* "[x]" */
        for (uint32_t k = 0; k < h->count && !used; k++)
            used = is_own_name(&g, &g.code[k], g.name);
        for (unsigned there = 0; used && there < 2; there++) {
            g.there = there;
            if (work_out(&g, h->count - 1) == TRUE)
                put(there ? one->glance.there : one->glance.absent, i);
        }
    }
    if (one->glance.there[0] != GLANCE_NONE || one->glance.absent[0] != GLANCE_NONE)
        one->glance.shape = shape;
}
