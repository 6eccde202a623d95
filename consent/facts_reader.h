/* consent/facts_reader.h -- reading the request file; private to facts*.c.
 *
 * Each takes the object, where it is ("" at the root) and the member's name,
 * and reports what is wrong as a finding (rules F1 and F2 of facts.h).
 */
#ifndef SLUICE_CONSENT_FACTS_READER_H
#define SLUICE_CONSENT_FACTS_READER_H

#include "consent/facts.h"

struct reader {
    const struct tape *tape;
    struct arena      *arena;
    struct issues     *issues;
    bool               wrong;            /* an error was found */
    const char        *rule;             /* of findings; NULL: "request-file" */
};

#define NAMES(array) (array), sizeof(array) / sizeof *(array)

/* Reads the document of r->arena and r->issues, to which a refusal is added: ST_MALFORMED, ST_NO_MEMORY. */
enum status        reader_begin(struct reader *, struct span json) MUST_CHECK;
/* F1, F2 */
void               reader_names(struct reader *, tape_node object, const char *where, const char *const *names,
                                size_t count);
/* The member when it is there and of that kind; null is not there. */
tape_node          reader_member(struct reader *, tape_node object, const char *where, const char *name,
                                 enum tape_kind wanted);
struct span        reader_text(struct reader *, tape_node object, const char *where, const char *name);
bool               reader_flag(struct reader *, tape_node object, const char *where, const char *name);
/* Which of the choices; -1 when the member is not there. */
int                reader_choice(struct reader *, tape_node object, const char *where, const char *name,
                                 const char *const *choices, size_t count);
const struct span *reader_texts(struct reader *, tape_node object, const char *where, const char *name,
                                bool one_is_fine, size_t *count);
void               reader_finding(struct reader *, enum severity, tape_node, struct span expression,
                                  struct span wanted, struct span hint);
struct span        reader_expression(struct reader *, const char *where, const char *name);

/* At most two letters added, left out or changed, or only the case differs. */
bool               reader_nearly(struct span name, const char *known);

/* facts_file.c: documents, relationships, restrictions, circumstances, emergencies, links. */
void reader_on_file(struct reader *, tape_node root, struct facts *);
/* facts_state.c: jurisdictions and policy packs. */
void reader_states(struct reader *, tape_node root, struct facts *);
/* One element of each of these lists. */
void reader_document(struct reader *, tape_node, struct instrument *);
void reader_relationship(struct reader *, tape_node, struct relationship *);
void reader_restriction(struct reader *, tape_node, struct restriction *);
void reader_circumstance(struct reader *, tape_node, struct circumstance *);
void reader_emergency(struct reader *, tape_node, struct emergency *);

#endif
