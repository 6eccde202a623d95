/* consent/program.h -- when a registered program was a Part 2 program, and when a record was made.
 *
 * A program is a fact with dates (42 CFR 2.11, 2.12(b)): it begins to hold itself
 * out as providing treatment, or gets Federal assistance, and may end to.  What it
 * made while it was a program stays protected for good (2.12(a)); what the same
 * people made before or after is no Part 2 record.
 *
 *   T1  A row of the registry counts from `from_ms` until just before `until_ms`.
 *       Not stated: since ever, for ever.  A program that ended and came back has
 *       several rows; so has one whose identifiers changed.
 *   T2  A record was made in the stretch from the first to the last of the times
 *       that it states of itself: period, effective, performed, authored, recorded,
 *       issued, created, sent … ; not onset, birth or when it was copied
 *       (meta.lastUpdated).  One that states none has those of its Encounter.
 *   T3  A row counts for a record when the two stretches touch.  A record of unknown
 *       time: every row, whenever it was.
 *   T4  What a program holds it has received or acquired (2.11 "records"), however
 *       old it is: for a server address (fullUrl, meta.source, identifier systems)
 *       the beginning of the row does not matter, its end does.
 *   T5  Rows that share a reference or an identifier are one program's, and so is a
 *       row that `continues` another: where the row that was named does not count,
 *       one of the others that does takes its place.
 *   T6  A day without a time is a day somewhere on earth: 14 hours more at both ends.
 *   T8  The directory resources of a program go with its records, unless a record of another time is in the
 *       Bundle and names it: then they are ordinary ones, and a recipient who may not have the records of the
 *       program's time gets just what it would get without them.
 *   T7  Words do not look at the time: a note of today that names a program that was
 *       closed years ago tells of a patient of then.
 */
#ifndef SLUICE_CONSENT_PROGRAM_H
#define SLUICE_CONSENT_PROGRAM_H

#include "consent/facts.h"
#include "fhir/datatypes.h"

struct made { struct time_range when; bool known; };

/* T2, of the resource alone. */
struct made program_made(const struct tape *, tape_node resource, struct arena *);
/* T1, T3, T4; a program from nowhere (NULL) counts. */
bool        program_counts(const struct program *, const struct made *, bool held);
/* Whether any row says when. */
bool        programs_have_times(const struct facts *);
/* "2019", "2019-03-01", an instant; false: none of these.  T6. */
bool        program_begin_read(struct span text, int64_t *ms);
bool        program_end_read(struct span text, int64_t *ms);

#endif
