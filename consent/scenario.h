/* consent/scenario.h -- a case: facts, a Bundle, and what has to come of it.
 *
 * What `sluice policy test` and the tests of this layer run.  A case is one
 * JSON object:
 *
 *   { "id": "CV-04-end-of-the-day", "citation": "42 CFR 2.31(c)(1)", "words": "…",
 *     "request": { members of the request file R },         facts.h
 *     "actors": {}, "consents": [], "labels": "computed",   members of R as well
 *     "bundle": { Bundle or one resource },
 *     "expected": { … },
 *     "requests": [ { "words", "request", "actors", "consents", "labels", "bundle", "expected" } ] }
 *
 * Without `requests` the case has one step, itself.  With it every item is a
 * step: what an item states replaces what the case states, in `request` and
 * `actors` member by member; its `expected` is its own.  So "the same, a day
 * later" is { "request": { "at": … }, "expected": { … } }.
 *
 * Members of `expected` (docs/policy-tests.md); an id is "oud" or "Condition/oud":
 *
 *   releasedIds                 exactly these entries leave
 *   alsoAcceptableReleasedIds   or exactly one of these lists
 *   redactedIds                 where releasedIds is not there: these stay, whatever leaves
 *   outcome                     permit, partial, deny, hold: `decision` of explain
 *   rules, verdicts, part2      { id: "R-01" }, { id: "hold" }, { id: "suspect" }
 *   labels                      { id: [ codes ] }: at least these
 *   mustContain, mustNotContain texts, looked for in the bytes that leave
 *   elementRedaction            FHIRPath expressions of what is cut: "Bundle.entry[0].resource.note"
 *   untouched                   these entries leave byte for byte
 *   obligations, noObligations  "notice-2.32" …; with the notice, its words are in what leaves
 *   silent                      true: what leaves is what would leave if what stays had never been there
 *   sameAs                      a Bundle: what leaves is what would leave of this one
 *   decision, queued            for the reader; not compared
 *
 * S1  A case whose form is wrong is refused, and never agrees: a fact or an
 *     expectation that nobody knows, an id that no entry has, an expectation
 *     that compares nothing.
 * S2  A case with `environment` is about something around the decision (a log
 *     that cannot be written): it is left out, and counted so.
 * S3  silent and sameAs compare without the white space between values.
 *
 * Pure; cost is that of the release, for silent and sameAs twice.
 */
#ifndef SLUICE_CONSENT_SCENARIO_H
#define SLUICE_CONSENT_SCENARIO_H

#include "consent/release.h"

enum scenario_result { SCENARIO_REFUSED = 0, SCENARIO_DIFFERS, SCENARIO_LEFT_OUT, SCENARIO_AGREES };

struct scenario_difference {
    uint32_t    step;                    /* from 0 */
    struct span what;                    /* "releasedIds": the member of expected */
    struct span entry;                   /* "Condition/oud"; empty: about all of it */
    struct span expected, got;           /* in words: "leaves", "stays", "R-01", "partial" */
    enum rule   rule;                    /* RULE_NONE when no single decision is meant */
    struct span because;                 /* the decision's sentence */
};

struct scenario {
    struct span                       id, citation, words;   /* empty when the case has none */
    enum scenario_result              result;
    struct span                       why;                   /* REFUSED: what is wrong; LEFT_OUT: why */
    uint32_t                          steps;                 /* how many were run */
    const struct span                *step_words;            /* one per step, may be empty */
    const struct scenario_difference *differences;
    size_t                            difference_count;
};

/* ST_OK whatever the result; ST_NO_MEMORY, ST_TOO_LARGE.  Texts borrow json and the arena.  The
 * asker has documents read (consent/inspected.h); NULL: they are read here. */
enum status scenario_run_asking(struct span json, const struct inspected_asker *, struct arena *,
                                const struct scenario **out) MUST_CHECK;
enum status scenario_run(struct span json, struct arena *, const struct scenario **out) MUST_CHECK;
const char *scenario_result_text(enum scenario_result);   /* "refused", "differs", "left out", "agrees" */

#endif
