/* gateway/store/linked.c -- which Patients are linked (R4 Patient.link, Person.link).
 *
 * A row of `patient_link` is a link that a stored Patient (or Person) has or had; `stands`
 * tells which.  The newest version of the resource says what stands; a deletion takes
 * nothing back (docs/decisions/0036).  Both ends are in the filter of who has to be asked
 * about (store/consented.h) before the commit that writes a link.
 */
#include <string.h>

#include "gateway/store/consented.h"
#include "gateway/store/sqlite.h"

enum { SLOTS_LEAST = 256 };

/* The identities that were met, for each the patient that they were met from. */
struct walk_links {
    struct store          *store;
    struct store_consents *to;
    struct span           *names;
    uint32_t              *from, *met;   /* by name: its first; by first: how many of it */
    size_t                 count, room;
    uint32_t              *slots;        /* open addressing: number of a name + 1 */
    size_t                 slot_count;
    size_t                 link_room;
};

/* ---- writing ------------------------------------------------------------------- */

enum status
link_set(struct store *s, struct span patient, struct span other, bool stands)
{
    sqlite3_stmt *q     = s->statement[SQL_LINK_SET];
    bool          there = false;

    consented_add(s->consented, patient);
    consented_add(s->consented, other);
    enum status st = vouching_named(s, VOUCHED_LINK, SQL_LINK_NUMBER, patient, other, &there);
    if (st != ST_OK)
        return st;
    bind_text(q, 1, patient);
    bind_text(q, 2, other);
    (void)sqlite3_bind_int(q, 3, stands);
    (void)sqlite3_bind_int64(q, 4, s->now.generation);
    st = sql_run(s, SQL_LINK_SET);
    return st == ST_OK && !there ? vouching_new(s, VOUCHED_LINK) : st;
}

bool
link_listed(const struct span *list, size_t count, struct span text)
{
    for (size_t i = 0; i < count; i++)
        if (span_eq(list[i], text))
            return true;
    return false;
}

/* Those that stand, in s->temp; their number, or more than `most`. */
static enum status
links_standing(struct store *s, struct span patient, struct span *out, size_t most, size_t *count)
{
    sqlite3_stmt *q = s->statement[SQL_LINKS_STANDING];
    int           code;

    *count = 0;
    bind_text(q, 1, patient);
    while ((code = sqlite3_step(q)) == SQLITE_ROW && *count < most)
        out[(*count)++] = column_copy(q, 0, s->temp);
    (void)sqlite3_reset(q);
    if (arena_spent(s->temp))
        return ST_NO_MEMORY;
    return code == SQLITE_DONE || code == SQLITE_ROW ? ST_OK : sql_failed(s, code);
}

enum status
links_write(struct store *s, const struct store_resource *r)
{
    struct span *before = NULL;
    size_t       count  = 0, changes = 0;
    enum status  st     = ST_OK;

    if (r->link_count == 0 && !consented_may(s->consented, r->links_of))
        return ST_OK;                    /* it never had a link */
    before = arena_make_n(s->temp, STORE_LINKS_MOST, struct span);
    if (before == NULL)
        return ST_NO_MEMORY;
    st = links_standing(s, r->links_of, before, STORE_LINKS_MOST, &count);
    for (size_t i = 0; i < count; i++)
        changes += !link_listed(r->links, r->link_count, before[i]);
    for (size_t i = 0; i < r->link_count; i++)
        changes += !link_listed(before, count, r->links[i]);
    if (st != ST_OK || changes == 0)
        return st;
    s->now.generation++;
    for (size_t i = 0; i < count && st == ST_OK; i++)
        if (!link_listed(r->links, r->link_count, before[i]))
            st = link_set(s, r->links_of, before[i], false);
    for (size_t i = 0; i < r->link_count && st == ST_OK; i++)
        if (!link_listed(before, count, r->links[i]))
            st = link_set(s, r->links_of, r->links[i], true);
    return st;
}

enum status
links_unchanged(struct store *s, const struct span *patients, size_t count, int64_t as_of, bool *unchanged)
{
    sqlite3_stmt *q = s->statement[SQL_LINK_NEWEST];

    *unchanged = true;
    for (size_t i = 0; i < count && *unchanged; i++) {
        if (!consented_may(s->consented, patients[i]))
            continue;
        bind_text(q, 1, patients[i]);
        enum status st = sql_row(s, SQL_LINK_NEWEST);
        if (st != ST_OK)
            return st;
        *unchanged = sqlite3_column_int64(q, 0) <= as_of;
        sql_reset(s, SQL_LINK_NEWEST);
    }
    return ST_OK;
}

enum status
links_load(struct store *s)
{
    sqlite3_stmt *q = s->statement[SQL_LINK_ENDS];
    int           code;

    while ((code = sqlite3_step(q)) == SQLITE_ROW)
        consented_add(s->consented, column_span(q, 0));
    (void)sqlite3_reset(q);
    return code == SQLITE_DONE ? ST_OK : sql_failed(s, code);
}

/* ---- following ------------------------------------------------------------------- */

static uint32_t *
slot_of(const struct walk_links *w, struct span name)
{
    size_t at = (size_t)(span_hash(name) * UINT64_C(0x9e3779b97f4a7c15) >> 20) & (w->slot_count - 1);

    while (w->slots[at] != 0 && !span_eq(w->names[w->slots[at] - 1], name))
        at = (at + 1) & (w->slot_count - 1);
    return &w->slots[at];
}

/* ST_TOO_LARGE: the Bundle leads to more than anybody can look at at once. */
static enum status
meet(struct walk_links *w, struct span name, uint32_t from)
{
    uint32_t *slot = slot_of(w, name);

    if (*slot != 0)
        return ST_OK;
    if (w->count == w->room)
        return ST_TOO_LARGE;
    w->names[w->count] = name;
    w->from[w->count]  = from;
    w->met[w->count]   = 0;
    w->met[from]++;
    *slot = (uint32_t)++w->count;
    return ST_OK;
}

static enum status
link_add(struct walk_links *w, struct span patient, struct span other, bool stands)
{
    struct store_consents *c = w->to;

    if (c->link_count == w->link_room) {
        size_t larger = w->link_room > 0 ? 2 * w->link_room : 16;
        c->links     = arena_grow(c->arena, c->links, w->link_room * sizeof *c->links, larger * sizeof *c->links);
        w->link_room = larger;
        if (c->links == NULL)
            return ST_NO_MEMORY;
    }
    c->links[c->link_count++] = (struct store_link){ .patient = patient, .other = other, .stands = stands };
    return ST_OK;
}

/* Of one identity, in both directions.  More than STORE_LINKED_MOST from one patient are not followed:
 * so many are no decision's (consent/linked.h). */
static enum status
follow(struct walk_links *w, uint32_t at)
{
    sqlite3_stmt *q     = w->store->statement[SQL_LINKS_OF];
    struct span   name  = w->names[at];
    uint32_t      first = w->from[at];
    enum status   st    = ST_OK;
    int           code;

    bind_text(q, 1, name);
    while ((code = sqlite3_step(q)) == SQLITE_ROW && st == ST_OK && w->met[first] <= STORE_LINKED_MOST) {
        bool        forth  = sqlite3_column_int(q, 1) != 0, stands = sqlite3_column_int(q, 2) != 0;
        struct span other  = column_copy(q, 0, w->to->arena);
        st = arena_status(w->to->arena);
        if (st == ST_OK)
            st = link_add(w, forth ? name : other, forth ? other : name, stands);
        if (st == ST_OK && stands)
            st = meet(w, other, first);
    }
    (void)sqlite3_reset(q);
    return st != ST_OK || code == SQLITE_DONE || code == SQLITE_ROW ? st : sql_failed(w->store, code);
}

enum status
links_serve(struct store *s, struct store_consents *c)
{
    struct walk_links w  = { .store = s, .to = c, .room = c->everybody_count + STORE_FOLLOWED_MOST };
    enum status       st = ST_OK;
    size_t            asked = 0;

    while (asked < c->everybody_count && !consented_may(s->consented, c->everybody[asked]))
        asked++;
    if (asked == c->everybody_count)
        return ST_OK;
    for (w.slot_count = SLOTS_LEAST; w.slot_count < 2 * w.room;)
        w.slot_count *= 2;
    w.names = arena_make_n(c->arena, w.room, struct span);
    w.from  = arena_make_n(c->arena, w.room, uint32_t);
    w.met   = arena_make_n(c->arena, w.room, uint32_t);
    w.slots = arena_make_n(c->arena, w.slot_count, uint32_t);
    if (arena_spent(c->arena))
        return ST_NO_MEMORY;
    for (size_t i = 0; i < c->everybody_count && st == ST_OK; i++)
        st = meet(&w, c->everybody[i], (uint32_t)w.count);
    for (uint32_t i = 0; i < w.count && st == ST_OK; i++)
        if (consented_may(s->consented, w.names[i]))
            st = follow(&w, i);
    c->everybody       = w.names;
    c->everybody_count = w.count;
    return st;
}
