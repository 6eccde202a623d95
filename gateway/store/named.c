/* gateway/store/named.c -- Patients who are known by an identifier alone (fhir/reference.h, reference_patient_name).
 *
 * A Consent whose patient is "Patient?identifier=system|value" is stored under that name,
 * unless one Patient alone had the identifier when it came (gateway/stages/named.c).  Who has
 * it, or gets it later, is linked with the name: a row of `patient_link` whose `patient` is the
 * name and whose `other` is the Patient.  So the Consent is read wherever theirs are.
 *
 *   N1  The row stands while the Patient's newest version has the identifier.
 *   N2  Names that nobody ever consented under get no row: the filter of who has to be asked about
 *       (store/consented.h) knows them.  One row too many says nothing: no Consent is under it.
 *   N3  Consents look for Patients, and Patients for names, in the transaction that writes them:
 *       whichever comes later finds the other.
 */
#include "fhir/reference.h"
#include "gateway/store/consented.h"
#include "gateway/store/sqlite.h"

enum { FOUND_MOST = STORE_LINKED_MOST + 1 };             /* one more than any decision follows */

static bool
is_named(struct span patient, struct span *system, struct span *value)
{
    const struct span by = SPAN(REFERENCE_PATIENT_NAME);

    *value = span_starts(patient, by) ? span_skip(patient, by.length) : (struct span){ NULL, 0 };
    if (span_empty(*value))
        return false;
    *system = span_split(value, '|');
    return !span_empty(*value);
}

/* The names that the Patient stands under, in s->temp. */
static enum status
names_standing(struct store *s, struct span patient, struct span *out, size_t most, size_t *count)
{
    sqlite3_stmt *q = s->statement[SQL_LINKS_NAMED];
    int           code;

    *count = 0;
    bind_text(q, 1, patient);
    bind_text(q, 2, SPAN(REFERENCE_PATIENT_NAME));
    while ((code = sqlite3_step(q)) == SQLITE_ROW && *count < most)
        out[(*count)++] = column_copy(q, 0, s->temp);
    (void)sqlite3_reset(q);
    if (arena_spent(s->temp))
        return ST_NO_MEMORY;
    return code == SQLITE_DONE || code == SQLITE_ROW ? ST_OK : sql_failed(s, code);
}

static enum status
name_set(struct store *s, struct span name, struct span patient, bool stands)
{
    s->now.generation++;
    return link_set(s, name, patient, stands);
}

enum status
names_write(struct store *s, const struct store_resource *r)
{
    struct span *before = NULL;
    size_t       count  = 0;
    enum status  st     = ST_OK;

    if (consented_may(s->consented, r->links_of)) {
        before = arena_make_n(s->temp, STORE_IDENTIFIERS_MAX, struct span);
        st     = before != NULL ? names_standing(s, r->links_of, before, STORE_IDENTIFIERS_MAX, &count) : ST_NO_MEMORY;
    }
    for (size_t i = 0; i < count && st == ST_OK; i++)
        if (!link_listed(r->named, r->named_count, before[i]))
            st = name_set(s, before[i], r->links_of, false);
    for (size_t i = 0; i < r->named_count && st == ST_OK; i++)
        if (consented_may(s->consented, r->named[i]) && !link_listed(before, count, r->named[i]))
            st = name_set(s, r->named[i], r->links_of, true);
    return st;
}

static enum status
name_find(struct store *s, struct span name, struct store_condition *c)
{
    enum status st = condition_match(s, ANYBODY, c, s->list);

    for (uint32_t i = 0; i < c->matches && st == ST_OK; i++) {
        struct span patient = arena_join(s->list, SPAN("Patient/"), c->all[i]);
        st = arena_status(s->list);
        if (st == ST_OK)
            st = name_set(s, name, patient, true);
    }
    return st;
}

enum status
names_find(struct store *s, const struct store_unit *u)
{
    enum status st = ST_OK;

    for (size_t i = 0; i < u->resource_count && st == ST_OK; i++) {
        const struct store_resource *r    = &u->resources[i];
        struct store_condition       c    = { .type = SPAN("Patient"), .room = FOUND_MOST };
        struct arena_mark            mark = arena_mark(s->list);
        if (r->verb != STORE_PUT || !span_eq(r->type, SPAN("Consent")) || !is_named(r->patient, &c.system, &c.value))
            continue;
        consented_add(s->consented, r->patient);         /* N3: also for a Patient of this unit */
        c.all = arena_make_n(s->list, FOUND_MOST, struct span);
        st    = c.all != NULL ? name_find(s, r->patient, &c) : ST_NO_MEMORY;
        arena_reset(s->list, mark);
    }
    return st;
}
