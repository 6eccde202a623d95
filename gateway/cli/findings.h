/* gateway/cli/findings.h -- what `sluice validate` found, in the form that was asked for.
 *
 *     findings_open(&f, call)             reads --format and --json
 *       findings_file(&f, "a.ndjson")     a file begins
 *         findings_add(&f, &input)        one resource or Bundle of it
 *     findings_close(&f)                  the end of the document, and the summary
 *
 *   text    for people: a line an input, below it a line a finding
 *   json    a line an input: {"file":…,"valid":…,"outcome":{OperationOutcome}}
 *   sarif   one SARIF 2.1.0 log (OASIS sarif-v2.1.0), for code scanners and editors
 *   junit   a testsuite a file, a testcase an input, for build servers
 *
 * Written as it is found: memory is that of one input, in junit of one file.
 * Columns count bytes from 1, as everywhere in Sluice.  In sarif and junit the
 * line of an .ndjson input is that of its file.
 */
#ifndef SLUICE_GATEWAY_CLI_FINDINGS_H
#define SLUICE_GATEWAY_CLI_FINDINGS_H

#include "fhir/issue.h"
#include "gateway/cli/command.h"

struct findings_input {
    size_t               line;           /* of an .ndjson file, from 1; 0: the file is one input */
    bool                 valid;
    bool                 unread;         /* it could not be looked at: neither valid nor invalid */
    double               seconds;
    const struct issues *issues;
};

struct findings;

struct findings_form {
    const char *name;
    void (*begin)(struct findings *);    /* any of them may be NULL */
    void (*file_begin)(struct findings *);
    void (*add)(struct findings *, const struct findings_input *);
    void (*file_end)(struct findings *);
    void (*end)(struct findings *);
};

struct findings_count {
    size_t inputs, valid, invalid, unread, errors, warnings;
};

struct findings {
    const struct call          *call;
    const struct findings_form *form;
    struct arena               *arena;
    const char                 *file;    /* that is open; NULL: none               */
    struct findings_count       all, of_file;
    double                      seconds; /* of the file that is open               */
    struct buf                  out;     /* printed when an input or a file is over */
    struct buf                  held;    /* junit: the testcases of the open file  */
    const char                **rules;   /* sarif: each rule once                  */
    size_t                      rule_count;
    size_t                      results; /* sarif: so far                          */
    bool                        broken;  /* stdout cannot be written, memory is spent */
};

extern const struct findings_form findings_sarif, findings_junit;

bool findings_open(struct findings *, const struct call *);       /* false after saying why */
void findings_file(struct findings *, const char *file);
void findings_add(struct findings *, const struct findings_input *);
void findings_close(struct findings *);

/* "want …, have …; hint (3 times)" */
void findings_sentence(struct buf *, const struct issue *);
/* The rule of a finding; its code when it has none. */
const char *findings_rule(const struct issue *);

#endif
