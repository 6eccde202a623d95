/* fhir/issue.h -- a finding: something wrong in what somebody sent.
 *
 * A finding says what, where, why and what to do: severity, code, rule id,
 * FHIRPath expression, line and column, what was wanted, what was there, how
 * to mend it.  It holds no text of the payload beyond codes, names of
 * elements and lexical facts ("have a string of 12 characters").
 *
 * Findings go into a sink.  The sink lives in an arena, keeps at most
 * max findings (the rest is counted), and groups equal findings: same
 * severity, rule and `wanted`, same expression with the indexes taken out; the
 * first is kept and `times` counts them.  An error that was not kept for lack
 * of room or memory still counts for issues_have_errors().
 */
#ifndef SLUICE_FHIR_ISSUE_H
#define SLUICE_FHIR_ISSUE_H

#include "base/arena.h"
#include "base/json_tape.h"

enum severity { SEVERITY_FATAL = 0, SEVERITY_ERROR, SEVERITY_WARNING, SEVERITY_INFORMATION };

/* FHIR R4 http://hl7.org/fhir/issue-type, the codes that we use. */
#define ISSUE_CODE_LIST(X)                                                       \
    X(INVALID, "invalid") X(STRUCTURE, "structure") X(REQUIRED, "required")      \
    X(VALUE, "value") X(INVARIANT, "invariant") X(SECURITY, "security")          \
    X(LOGIN, "login") X(UNKNOWN, "unknown") X(EXPIRED, "expired")                \
    X(FORBIDDEN, "forbidden") X(SUPPRESSED, "suppressed")                        \
    X(PROCESSING, "processing") X(NOT_SUPPORTED, "not-supported")                \
    X(DUPLICATE, "duplicate") X(NOT_FOUND, "not-found") X(TOO_LONG, "too-long")  \
    X(CODE_INVALID, "code-invalid") X(EXTENSION, "extension")                    \
    X(TOO_COSTLY, "too-costly") X(BUSINESS_RULE, "business-rule")                \
    X(CONFLICT, "conflict") X(TRANSIENT, "transient") X(EXCEPTION, "exception")  \
    X(TIMEOUT, "timeout") X(THROTTLED, "throttled") X(INFORMATIONAL, "informational")

enum issue_code {
#define X(name, text) ISSUE_##name,
    ISSUE_CODE_LIST(X)
#undef X
};

struct issue {
    enum severity   severity;
    enum issue_code code;
    const char     *rule;            /* "bdl-7", "json", "Patient.gender"; a static or arena text */
    struct span     expression;      /* "Bundle.entry[3].resource.birthDate" */
    struct span     wanted;          /* "want a date: YYYY, YYYY-MM or YYYY-MM-DD" */
    struct span     found;           /* "have a number" */
    struct span     hint;            /* how to mend it; may be empty */
    uint32_t        line, column;    /* 0: not known */
    uint32_t        times;           /* 1, or more for grouped findings */
};

struct issues;

#define ISSUE_DROPPED ((uint32_t)-1)

struct issues *issues_new(struct arena *, uint32_t max);      /* NULL: arena spent */
/* Copies nothing: texts must live as long as the arena.  Returns the index
 * under which it or its equal is kept, ISSUE_DROPPED when it is not. */
uint32_t issues_add(struct issues *, const struct issue *);
/* The same with expression, line and column of a node filled in.  Lines are
 * counted once for all findings, in whatever order they come. */
uint32_t issues_add_at(struct issues *, const struct issue *, const struct tape *,
                       const tape_node *parents, tape_node);
/* One more of the finding at this index, for a caller that knows that it is
 * equal and saves making its texts; ISSUE_DROPPED counts as dropped. */
void     issues_repeat(struct issues *, uint32_t index);
uint32_t issues_count(const struct issues *);                  /* kept */
uint32_t issues_dropped(const struct issues *);                /* over the maximum */
const struct issue *issues_at(const struct issues *, uint32_t);
bool     issues_have_errors(const struct issues *);            /* FATAL or ERROR among them */
/* An error that nobody may waive among them (fhir/structural.h), kept or not. */
bool     issues_have_structural(const struct issues *);
/* The same findings in a sink of its own, to which more may come; NULL: arena spent. */
struct issues *issues_copy(const struct issues *);
/* The same findings with every error a warning, in a sink of its own; NULL:
 * arena spent. */
struct issues *issues_as_warnings(const struct issues *);
struct arena *issues_arena(const struct issues *);

const char *severity_text(enum severity);                      /* "fatal" … as FHIR spells it */
const char *issue_code_text(enum issue_code);

#endif
