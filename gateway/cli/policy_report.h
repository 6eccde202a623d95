/* gateway/cli/policy_report.h -- what `sluice policy test` found, in the form that was asked for.
 *
 *     policy_report_open(&r, call)           text, or --json or --junit
 *       policy_report_case(&r, file, case)   one case
 *     policy_report_close(&r)                the end of the document, and the summary on stderr
 *
 *   text    for people: a line a case, below it what differs
 *   json    a line a case
 *   junit   one testsuite, a testcase a case: failure when it differs, error
 *           when it was refused, skipped when it was left out
 */
#ifndef SLUICE_GATEWAY_CLI_POLICY_REPORT_H
#define SLUICE_GATEWAY_CLI_POLICY_REPORT_H

#include "consent/scenario.h"
#include "gateway/cli/command.h"

enum policy_form { POLICY_TEXT = 0, POLICY_JSON, POLICY_JUNIT };

struct policy_report {
    const struct call *call;
    enum policy_form   form;
    size_t             agree, differ, left_out, refused;
    struct buf         out;              /* printed a case at a time; junit: at the end */
    bool               broken;           /* stdout cannot be written, memory is spent */
};

bool policy_report_open(struct policy_report *, const struct call *);    /* false after saying why */
void policy_report_case(struct policy_report *, const char *file, const struct scenario *);
void policy_report_close(struct policy_report *);

#endif
