/* base/status.h -- how a function says that it could not do its work.
 *
 * Three kinds of bad news (CONTRIBUTING.md):
 *   bug       our mistake: assert, we stop
 *   fault     a status, returned, MUST_CHECK
 *   finding   something wrong in what somebody sent: collected (fhir/issue.h)
 * A denial is a decision (consent/decision.h) and none of the three.
 *
 * ST_OK is 0 by custom.  That is the one exception to "zero is the safe
 * value", so a status is never stored in a struct that may be zeroed without
 * being set; sticky statuses (buf, cursor, arena) begin at ST_OK on purpose
 * and are asked once at the end.
 */
#ifndef SLUICE_BASE_STATUS_H
#define SLUICE_BASE_STATUS_H

#define MUST_CHECK __attribute__((warn_unused_result))

/*        name         http  text                                          */
#define STATUS_LIST(X)                                                     \
    X(OK,          200, "ok")                                              \
    X(NO_MEMORY,   503, "the memory budget of this exchange is spent")     \
    X(TOO_LARGE,   413, "the input exceeds a configured bound")            \
    X(MALFORMED,   400, "the input is not what its content type claims")   \
    X(UNSUPPORTED, 415, "the input is of a kind that is not taken here")   \
    X(NOT_FOUND,   404, "there is no such thing")                          \
    X(CONFLICT,    409, "the state of the thing has changed meanwhile")    \
    X(INTEGRITY,   500, "stored data is not what was stored")              \
    X(TIMEOUT,     504, "a deadline passed")                               \
    X(IO,          502, "a peer or the store failed")                      \
    X(UNAVAILABLE, 503, "something needed to decide or to record is away") \
    X(CANCELLED,   499, "the caller went away")

enum status {
#define X(name, http, text) ST_##name,
    STATUS_LIST(X)
#undef X
};

/* The name ("TOO_LARGE"), one plain sentence without a full stop, and the
 * HTTP status that a client sees when nothing more precise is known. */
const char *status_name(enum status);
const char *status_text(enum status);
int         status_http(enum status);

#endif
