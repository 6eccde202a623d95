#include "gateway/classify/report.h"

#include "base/json_tape.h"
#include "fhir/datatypes.h"
#include "gateway/classify/classify.h"

enum { ARENA_BYTES = 1 << 16 };

static void
add_time(author_value to, const char *name, int64_t ms, struct arena *arena)
{
    if (ms != 0)
        author_add_text(to, name, time_format(arena, ms));
}

void
pass_status(struct store *store, const struct config *config, author_value root)
{
    struct arena     *arena = arena_new("status", ARENA_BYTES);
    struct store_pass pass;
    uint64_t          left = 0;

    if (arena != NULL && store_pass_read(store, &pass) == ST_OK
        && store_pass_left(store, config->class_version, &left) == ST_OK) {
        bool         mine = pass.version == config->class_version;
        author_value to   = author_add_object(root, "classes");
        author_add_text(to, "version", class_version_text(config->class_version, arena));
        author_add_text(to, "registry", class_version_text(config->registry_version, arena));
        author_add_bool(to, "complete", left == 0);
        author_add_integer(to, "left", (int64_t)left);
        author_add_integer(to, "pushes", mine ? (int64_t)pass.pushes : 0);
        author_add_integer(to, "resources", mine ? (int64_t)pass.resources : 0);
        author_add_integer(to, "changed", mine ? (int64_t)pass.changed : 0);
        author_add_integer(to, "confirmed", mine ? (int64_t)pass.confirmed : 0);
        add_time(to, "begun", mine ? pass.begun_ms : 0, arena);
        add_time(to, "ended", mine ? pass.ended_ms : 0, arena);
    }
    arena_free(&arena);
}

/* ---- what had left ------------------------------------------------------------------ */

struct resource {
    struct store_confirmed of;
    struct resource       *next;
};

struct listing {
    struct store          *store;
    struct arena          *arena;
    struct resource       *first, **end;
    const struct resource *now;
    struct left_copy      *copies;       /* of `now` */
    size_t                 count, room;
};

static bool
keep(const struct store_confirmed *c, void *arg)
{
    struct listing  *l = arg;
    struct resource *r = arena_make(l->arena, struct resource);

    if (r == NULL)
        return false;
    r->of            = *c;
    r->of.type       = arena_copy(l->arena, c->type);
    r->of.id         = arena_copy(l->arena, c->id);
    r->of.patient    = arena_copy(l->arena, c->patient);
    r->of.request_id = arena_copy(l->arena, c->request_id);
    r->of.was        = arena_copy(l->arena, c->was);
    *l->end          = r;
    l->end           = &r->next;
    return true;
}

static bool
lists(const struct listing *l, const struct tape *t)
{
    tape_node items = tape_member(t, TAPE_ROOT, SPAN("itemsReleased"));

    for (tape_node n = tape_first(t, items); n != TAPE_ABSENT; n = tape_next(t, n))
        if (span_eq(tape_member_text(t, n, SPAN("type"), l->arena), l->now->of.type)
            && span_eq(tape_member_text(t, n, SPAN("id"), l->arena), l->now->of.id))
            return true;
    /* A very long list was cut (record.h, rule 4): then it may have been among them. */
    return tape_member(t, TAPE_ROOT, SPAN("itemsNotListed")) != TAPE_ABSENT;
}

static void
take_back(struct listing *l, struct span event_id)
{
    for (size_t i = 0; i < l->count; i++)
        if (span_eq(l->copies[i].event_id, event_id))
            l->copies[i].resource = NULL;
}

static bool
on_leaf(const struct ledger_leaf *leaf, void *arg)
{
    struct listing    *l = arg;
    const struct tape *t = NULL;

    if (tape_read(leaf->record, &tape_default_limits, l->arena, &t, NULL) != ST_OK)
        return !arena_spent(l->arena);
    struct span kind = tape_member_text(t, TAPE_ROOT, SPAN("kind"), l->arena);
    if (span_eq_text(kind, "void")) {
        take_back(l, tape_member_text(t, TAPE_ROOT, SPAN("voids"), l->arena));
        return true;
    }
    if (leaf->at_ms >= l->now->of.at_ms || !span_eq(tape_member_text(t, TAPE_ROOT, SPAN("requestId"), l->arena), l->now->of.request_id)
        || !lists(l, t))
        return true;
    if (l->count == l->room) {
        size_t larger = l->room > 0 ? 2 * l->room : 8;
        l->copies     = arena_grow(l->arena, l->copies, l->room * sizeof *l->copies, larger * sizeof *l->copies);
        l->room       = larger;
    }
    if (l->copies == NULL)
        return false;
    tape_node recipient = tape_member(t, TAPE_ROOT, SPAN("recipient"));
    l->copies[l->count++] = (struct left_copy){
        .resource  = &l->now->of,
        .event_id  = arena_copy(l->arena, leaf->event_id),
        .recipient = arena_copy(l->arena, tape_member_text(t, recipient, SPAN("name"), l->arena)),
        .released  = arena_copy(l->arena, tape_member_text(t, TAPE_ROOT, SPAN("tRelease"), l->arena)),
    };
    return true;
}

enum status
pass_left_copies(struct store *store, struct arena *arena, left_visitor *visit, void *arg)
{
    struct listing l = { .store = store, .arena = arena };

    l.end          = &l.first;
    enum status st = store_confirmed_visit(store, keep, &l);
    if (st == ST_OK)
        st = arena_status(arena);
    bool go = true;
    for (l.now = l.first; l.now != NULL && st == ST_OK && go; l.now = l.now->next) {
        struct arena_mark mark = arena_mark(arena);
        l.copies = NULL;
        l.count = l.room = 0;
        st = store_ledger_visit_patient(store, LEDGER_DISCLOSURES, l.now->of.patient, on_leaf, &l);
        if (st == ST_OK)
            st = arena_status(arena);
        for (size_t i = 0; i < l.count && st == ST_OK && go; i++)
            go = l.copies[i].resource == NULL || visit(&l.copies[i], arg);
        arena_reset(arena, mark);
    }
    return st;
}
