/* base/json_author.h -- JSON documents that Sluice writes itself.
 *
 * OperationOutcome, CapabilityStatement, answers of the control socket and the
 * command line.  What every exchange writes: base/json_writer.h.
 * The only file of the project that includes cJSON; cJSON writes and never
 * reads (docs/decisions/0004-strict-json.md).
 *
 *     struct author *a = author_new();
 *     author_value root = author_object(a);
 *     author_add_text(root, "resourceType", SPAN("OperationOutcome"));
 *     author_value issue = author_add_array(root, "issue");
 *     author_value one   = author_add_object(issue, NULL);       name NULL inside arrays
 *     ...
 *     enum status st = author_print(a, &out, AUTHOR_COMPACT);    asked once
 *     author_free(&a);
 *
 * Sticky: after a failed allocation every call is a no-op and author_print
 * answers ST_NO_MEMORY.  Text must be valid UTF-8; invalid bytes become
 * U+FFFD, so that what is written can always be read by the tape.
 */
#ifndef SLUICE_BASE_JSON_AUTHOR_H
#define SLUICE_BASE_JSON_AUTHOR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/span.h"

struct author;
typedef struct { struct author *of; void *node; } author_value;   /* a handle; copy freely */

enum author_form { AUTHOR_COMPACT, AUTHOR_PRETTY };

struct author *author_new(void);                          /* NULL: no memory */
void           author_free(struct author **);             /* NULL is fine */

author_value author_object(struct author *);              /* the root, once */
author_value author_array(struct author *);               /* or this */
author_value author_add_object(author_value parent, const char *name);
author_value author_add_array(author_value parent, const char *name);
void author_add_text(author_value parent, const char *name, struct span text);
void author_add_cstr(author_value parent, const char *name, const char *text);   /* NULL: nothing is added */
void author_add_integer(author_value parent, const char *name, int64_t number);
void author_add_bool(author_value parent, const char *name, bool value);
void author_add_null(author_value parent, const char *name);
/* JSON that is already JSON (a resource as received); not checked here. */
void author_add_raw(author_value parent, const char *name, struct span json);
/* One string as a JSON literal with its quotes, for splices. */
struct span author_literal(struct arena *, struct span text);

enum status author_print(struct author *, struct buf *out, enum author_form) MUST_CHECK;

#endif
