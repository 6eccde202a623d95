/* gateway/ledger/extract.c -- what a record of several patients tells one of them. */
#include "gateway/ledger/extract.h"

#include <inttypes.h>

#include "base/json_splice.h"

/* Members that are of the release as a whole and would tell about others. */
static const char *const personal[] = {
    "patientId", "patientNameAtTime", "patients", "basis", "bases", "itemsNotListed", "briefDescription", "decision",
    "consentId", "consentVersion", "consentKind", "consentSha256", "consentElements", "consentStateAtRelease",
    "otherConsents", "documents",
    "noticeKind", "noticeVersion", "consentCopyOrExplanation", "inPart2Accounting", "payloadBytes",
};

struct extract {
    const struct tape *tape;
    struct arena      *arena;
    struct splices    *edits;
    tape_node          own;              /* the element of `patients` */
    uint64_t           number;           /* of it */
};

static tape_node
member(const struct extract *x, tape_node object, const char *name)
{
    return tape_member(x->tape, object, span_of(name));
}

static bool
number_of(const struct extract *x, tape_node node, uint64_t *out)
{
    return tape_kind(x->tape, node) == TAPE_NUMBER && span_to_u64(tape_raw(x->tape, node), out);
}

static bool
own_find(struct extract *x, tape_node patients, struct span patient)
{
    x->number = 0;
    for (x->own = tape_first(x->tape, patients); x->own != TAPE_ABSENT; x->own = tape_next(x->tape, x->own)) {
        if (tape_text_eq(x->tape, member(x, x->own, "patientId"), patient))
            return true;
        x->number++;
    }
    return false;
}

static void
personal_cut(struct extract *x)
{
    for (size_t i = 0; i < sizeof personal / sizeof personal[0]; i++) {
        tape_node node = member(x, TAPE_ROOT, personal[i]);
        if (node != TAPE_ABSENT)
            splices_cut(x->edits, node);
    }
}

static void
own_add(struct extract *x)
{
    for (tape_node m = tape_first(x->tape, x->own); m != TAPE_ABSENT; m = tape_next(x->tape, m)) {
        struct span name = tape_text(x->tape, tape_name(x->tape, m), x->arena);
        if (!span_eq_text(name, "items"))
            splices_add_member(x->edits, TAPE_ROOT,
                               arena_join(x->arena, SPAN("\""), name, SPAN("\":"), tape_extent(x->tape, m)));
    }
}

/* The items of others go, and of one's own the number that says whose they are. */
static void
items_filter(struct extract *x)
{
    tape_node list  = member(x, TAPE_ROOT, "itemsReleased");
    uint64_t  whose = 0, listed = 0, all = 0;

    for (tape_node item = tape_first(x->tape, list); item != TAPE_ABSENT; item = tape_next(x->tape, item)) {
        tape_node patient = member(x, item, "patient");
        bool      own     = number_of(x, patient, &whose) && whose == x->number;
        splices_cut(x->edits, own ? patient : item);
        listed += own;
    }
    if (number_of(x, member(x, x->own, "items"), &all) && all > listed)
        splices_add_member(x->edits, TAPE_ROOT,
                           arena_format(x->arena, "\"itemsNotListed\":%" PRIu64, all - listed));
}

static void
emergency_cut(struct extract *x)
{
    tape_node   emergency = member(x, TAPE_ROOT, "emergency");
    struct span basis     = tape_text(x->tape, member(x, x->own, "basis"), x->arena);

    if (emergency != TAPE_ABSENT && !span_starts(basis, SPAN("R-13 ")))
        splices_cut(x->edits, emergency);
}

enum status
record_extract(const struct tape *record, struct span patient, struct arena *arena, struct span *out)
{
    struct extract x        = { .tape = record, .arena = arena };
    tape_node      patients = member(&x, TAPE_ROOT, "patients");

    *out = tape_body(record);
    if (patients == TAPE_ABSENT)
        return tape_text_eq(record, member(&x, TAPE_ROOT, "patientId"), patient) ? ST_OK : ST_NOT_FOUND;
    if (!own_find(&x, patients, patient))
        return ST_NOT_FOUND;
    x.edits = splices_new(record, arena);
    if (x.edits == NULL)
        return ST_NO_MEMORY;
    personal_cut(&x);
    items_filter(&x);
    emergency_cut(&x);
    own_add(&x);
    enum status st = splices_seal(x.edits);
    if (st != ST_OK)
        return st;
    *out = splices_flat(x.edits, arena);
    return span_empty(*out) ? ST_NO_MEMORY : ST_OK;
}
