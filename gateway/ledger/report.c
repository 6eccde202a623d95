/* gateway/ledger/report.c -- what a compliance officer has to be able to say about a period, in numbers. */
#include "gateway/ledger/report.h"

#include "base/json_author.h"
#include "base/sort.h"
#include "gateway/ledger/plain.h"

struct tally { struct span key; uint64_t count; };
struct list  { const char *name, *title; struct tally *all; size_t count, room; uint64_t other; };
struct event_list { const char *name, *title; struct span *all; uint64_t count; };

enum list_id {
    BY_BASIS = 0, BY_RECIPIENT, BY_PURPOSE, BY_MONTH, WITHHELD_BY_REASON, WITHHELD_BY_RECIPIENT, EMERGENCIES_BY, REVIEWS_BY_ACT, FILINGS_BY_ACT,
    READINGS_BY, LISTS
};
enum exception_id { INCOMPLETE_EMERGENCIES = 0, WITHOUT_NOTICE, PROCEEDINGS, EXCEPTIONS };

struct report {
    struct arena     *arena;
    struct list       lists[LISTS];
    struct event_list exceptions[EXCEPTIONS];
    uint64_t          disclosures, with_consent, denials, withheld, emergencies, readings, destroyed;
};

struct report *
ledger_report_begin(struct arena *arena)
{
    static const struct list lists[LISTS] = {
        [BY_BASIS] = { .name = "byBasis", .title = "Disclosures by basis" }, [BY_RECIPIENT] = { .name = "byRecipient", .title = "Disclosures by recipient" },
        [BY_PURPOSE] = { .name = "byPurpose", .title = "Disclosures by purpose" }, [BY_MONTH] = { .name = "byMonth", .title = "Disclosures by month" },
        [WITHHELD_BY_REASON] = { .name = "withheldByReason", .title = "Decisions that withheld something, by reason" },
        [WITHHELD_BY_RECIPIENT] = { .name = "withheldByRecipient", .title = "Decisions that withheld something, by recipient" },
        [EMERGENCIES_BY] = { .name = "emergenciesDeclaredBy", .title = "Releases in emergencies, by who declared them" },
        [REVIEWS_BY_ACT] = { .name = "reviewsByAct", .title = "Acts in the review queue" }, [FILINGS_BY_ACT] = { .name = "filingsByAct", .title = "Papers on file, by act" },
        [READINGS_BY] = { .name = "readingsBy", .title = "Looks at the log, by who looked" },
    };
    static const struct event_list exceptions[EXCEPTIONS] = {
        [INCOMPLETE_EMERGENCIES] = { .name = "incompleteEmergencies", .title = "Releases in emergencies without all that 42 CFR 2.51(c) wants written down" },
        [WITHOUT_NOTICE] = { .name = "withoutNotice", .title = "Releases with consent without a recorded notice and explanation (42 CFR 2.32)" },
        [PROCEEDINGS] = { .name = "proceedings", .title = "Withheld from proceedings against the patient (42 CFR 2.12(d)(1))" },
    };
    struct report *r = arena_make(arena, struct report);

    if (r == NULL)
        return NULL;
    r->arena = arena;
    for (size_t i = 0; i < LISTS; i++)
        r->lists[i] = lists[i];
    for (size_t i = 0; i < EXCEPTIONS; i++) {
        r->exceptions[i]     = exceptions[i];
        r->exceptions[i].all = arena_make_n(arena, REPORT_EVENTS, struct span);
    }
    return arena_spent(arena) ? NULL : r;
}

/* ---- counting ------------------------------------------------------------------------------ */

/* Most keys are among the first: what comes often came early. */
static void
count(struct report *r, enum list_id id, struct span key)
{
    struct list *l = &r->lists[id];

    if (span_empty(key))
        key = SPAN("not said");
    for (size_t i = 0; i < l->count; i++)
        if (span_eq(l->all[i].key, key)) {
            l->all[i].count++;
            return;
        }
    if (l->count == REPORT_KEYS) {
        l->other++;
        return;
    }
    if (l->count == l->room) {
        size_t room = l->room > 0 ? 2 * l->room : 16;
        l->all      = arena_grow(r->arena, l->all, l->room * sizeof *l->all, room * sizeof *l->all);
        l->room     = l->all != NULL ? room : 0;
    }
    if (l->all != NULL)
        l->all[l->count++] = (struct tally){ arena_copy(r->arena, key), 1 };
}

static void
except(struct report *r, enum exception_id id, struct span event_id)
{
    struct event_list *l = &r->exceptions[id];

    if (l->count < REPORT_EVENTS)
        l->all[l->count] = arena_copy(r->arena, event_id);
    l->count++;
}

static struct span
text_of(const struct tape *t, tape_node object, const char *name, struct arena *temp)
{
    return tape_member_text(t, object, span_of(name), temp);
}

/* 42 CFR 2.51(c)(1) to (4); why consent could not be had is ours. */
static bool
is_complete(const struct tape *t, tape_node emergency)
{
    static const char *const wanted[] = { "medicalPersonnel", "affiliation", "disclosedBy", "nature" };

    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++)
        if (tape_member(t, emergency, span_of(wanted[i])) == TAPE_ABSENT)
            return false;
    return true;
}

static void
add_emergency(struct report *r, const struct tape *t, tape_node of, struct span event_id, struct arena *temp)
{
    struct span basis     = text_of(t, of, "basis", temp);
    tape_node   emergency = tape_member(t, of, SPAN("emergency"));

    if (!span_starts(basis, SPAN("R-13 42 CFR 2.51(a)")))
        return;
    r->emergencies++;
    count(r, EMERGENCIES_BY, text_of(t, emergency, "declaredBy", temp));
    if (!is_complete(t, emergency))
        except(r, INCOMPLETE_EMERGENCIES, event_id);
}

static bool
lacks_notice(const struct tape *t, tape_node of)
{
    return tape_kind(t, tape_member(t, of, SPAN("inPart2Accounting"))) == TAPE_TRUE && tape_member(t, of, SPAN("consentId")) != TAPE_ABSENT
        && (tape_member(t, of, SPAN("noticeKind")) == TAPE_ABSENT || tape_member(t, of, SPAN("consentCopyOrExplanation")) == TAPE_ABSENT);
}

static void
add_disclosure(struct report *r, const struct tape *t, struct span event_id, struct arena *temp)
{
    tape_node   patients = tape_member(t, TAPE_ROOT, SPAN("patients"));
    struct span purposes = text_of(t, TAPE_ROOT, "purpose", temp);
    bool        lacks    = lacks_notice(t, TAPE_ROOT);

    r->disclosures++;
    r->with_consent += tape_member(t, TAPE_ROOT, SPAN("consentId")) != TAPE_ABSENT;
    count(r, BY_BASIS, text_of(t, TAPE_ROOT, "basis", temp));
    count(r, BY_RECIPIENT, text_of(t, tape_member(t, TAPE_ROOT, SPAN("recipient")), "name", temp));
    count(r, BY_MONTH, span_first(text_of(t, TAPE_ROOT, "tRelease", temp), 7));
    do
        count(r, BY_PURPOSE, span_split(&purposes, ' '));
    while (!span_empty(purposes));
    if (patients == TAPE_ABSENT)
        add_emergency(r, t, TAPE_ROOT, event_id, temp);
    for (tape_node p = tape_first(t, patients); p != TAPE_ABSENT; p = tape_next(t, p)) {
        add_emergency(r, t, p, event_id, temp);
        lacks = lacks || lacks_notice(t, p);
    }
    if (lacks)
        except(r, WITHOUT_NOTICE, event_id);
}

static void
add_denial(struct report *r, const struct tape *t, struct span event_id, struct arena *temp)
{
    tape_node reason      = tape_first(t, tape_member(t, TAPE_ROOT, SPAN("withheldReasons")));
    uint64_t  withheld    = 0;
    bool      proceedings = false;

    r->denials++;
    (void)span_to_u64(tape_raw(t, tape_member(t, TAPE_ROOT, SPAN("withheldCount"))), &withheld);
    r->withheld += withheld;
    count(r, WITHHELD_BY_RECIPIENT, text_of(t, tape_member(t, TAPE_ROOT, SPAN("recipient")), "name", temp));
    for (; reason != TAPE_ABSENT; reason = tape_next(t, reason)) {
        struct span rule = text_of(t, reason, "rule", temp);
        count(r, WITHHELD_BY_REASON, arena_join(temp, rule, SPAN(" "), text_of(t, reason, "citation", temp)));
        proceedings = proceedings || span_eq_text(rule, "G-3");
    }
    if (proceedings)
        except(r, PROCEEDINGS, event_id);
}

enum status
ledger_report_add(struct report *r, const struct tape *t, struct arena *temp)
{
    struct span kind = text_of(t, TAPE_ROOT, "kind", temp), event_id = text_of(t, TAPE_ROOT, "eventId", temp);
    tape_node   recipient = tape_member(t, TAPE_ROOT, SPAN("recipient")), review = tape_member(t, TAPE_ROOT, SPAN("review"));
    uint64_t    gone      = 0;

    if (span_eq_text(kind, "disclosure")) {
        add_disclosure(r, t, event_id, temp);
    } else if (span_eq_text(kind, "denial")) {
        add_denial(r, t, event_id, temp);
    } else if (span_eq_text(kind, "review")) {
        count(r, REVIEWS_BY_ACT, arena_join(temp, text_of(t, review, "kind", temp), SPAN(", "), text_of(t, review, "act", temp)));
    } else if (span_eq_text(kind, "filing")) {
        count(r, FILINGS_BY_ACT, text_of(t, TAPE_ROOT, "act", temp));
    } else if (span_eq_text(kind, "reading")) {
        r->readings++;
        count(r, READINGS_BY, text_of(t, recipient, "name", temp));
    } else if (span_eq_text(kind, "shredding") && span_to_u64(tape_raw(t, tape_member(t, TAPE_ROOT, SPAN("count"))), &gone)) {
        r->destroyed += gone;
    }
    return arena_spent(temp) || arena_spent(r->arena) ? ST_NO_MEMORY : ST_OK;
}

/* ---- saying ---------------------------------------------------------------------------------- */

/* The most first; months in their order. */
static int
by_count(const void *a, const void *b, const void *context)
{
    const struct tally *x = a, *y = b;

    if (*(const bool *)context)
        return span_compare(x->key, y->key);
    return x->count != y->count ? (x->count > y->count ? -1 : 1) : span_compare(x->key, y->key);
}

static void
in_order(const struct list *l, bool months)
{
    if (l->count > 1)
        sort_in_place(l->all, l->count, sizeof *l->all, by_count, &months);
}

static void
json_list(author_value root, const struct list *l)
{
    author_value list = author_add_array(root, l->name);

    for (size_t i = 0; i <= l->count; i++) {
        struct tally one = i < l->count ? l->all[i] : (struct tally){ SPAN("other"), l->other };
        if (one.count == 0)
            continue;
        author_value object = author_add_object(list, NULL);
        author_add_text(object, "what", one.key);
        author_add_integer(object, "count", (int64_t)one.count);
    }
}

static void
add_if(author_value root, const char *name, struct span text)
{
    if (!span_empty(text))
        author_add_text(root, name, text);
}

enum status
ledger_report_json(const struct report *r, const struct report_facts *f, struct buf *out)
{
    const struct { const char *name; uint64_t value; } numbers[] = {
        { "disclosures", r->disclosures }, { "withConsent", r->with_consent }, { "takenBack", f->taken_back }, { "denials", r->denials },
        { "withheld", r->withheld }, { "emergencies", r->emergencies }, { "readings", r->readings }, { "destroyed", r->destroyed },
        { "reviewsWaiting", f->waits },
    };
    struct author *author = author_new();
    author_value   root   = author_object(author);

    add_if(root, "from", f->from);
    add_if(root, "until", f->until);
    add_if(root, "prepared", f->prepared);
    add_if(root, "checkpoint", f->checkpoint);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        author_add_integer(root, numbers[i].name, (int64_t)numbers[i].value);
    add_if(root, "reviewsWaitSince", f->oldest);
    for (int i = 0; i < LISTS; i++) {
        in_order(&r->lists[i], i == BY_MONTH);
        json_list(root, &r->lists[i]);
    }
    author_value exceptions = author_add_object(root, "exceptions");
    for (int i = 0; i < EXCEPTIONS; i++) {
        const struct event_list *l      = &r->exceptions[i];
        author_value             object = author_add_object(exceptions, l->name);
        author_add_integer(object, "count", (int64_t)l->count);
        author_value events = author_add_array(object, "events");
        for (uint64_t n = 0; n < l->count && n < REPORT_EVENTS; n++)
            author_add_text(events, NULL, l->all[n]);
    }
    enum status st = author != NULL ? author_print(author, out, AUTHOR_COMPACT) : ST_NO_MEMORY;
    author_free(&author);
    buf_add_byte(out, '\n');
    return st == ST_OK ? buf_status(out) : st;
}

static void
text_list(struct buf *out, const struct list *l)
{
    if (l->count == 0)
        return;
    buf_add_format(out, "\n%s\n", l->title);
    for (size_t i = 0; i < l->count; i++) {
        buf_add_format(out, "%10llu  ", (unsigned long long)l->all[i].count);
        for (size_t n = 0; n < l->all[i].key.length; n++)
            buf_add_byte(out, (unsigned char)l->all[i].key.at[n] < ' ' || l->all[i].key.at[n] == 0x7f ? '?' : l->all[i].key.at[n]);
        buf_add_byte(out, '\n');
    }
    if (l->other > 0)
        buf_add_format(out, "%10llu  other\n", (unsigned long long)l->other);
}

enum status
ledger_report_text(const struct report *r, const struct report_facts *f, struct buf *out)
{
    struct span note = f->checkpoint, origin = span_split(&note, '\n'), size = span_split(&note, '\n'), root = span_split(&note, '\n');

    buf_add_text(out, "Disclosures and decisions");
    if (!span_empty(f->from))
        buf_add_format(out, " from %.*s", SPAN_PRINT(f->from));
    if (!span_empty(f->until))
        buf_add_format(out, " until %.*s", SPAN_PRINT(f->until));
    buf_add_format(out, "\n\n%10llu  disclosures, %llu of them with consent\n%10llu  taken back: no connection was made\n",
                   (unsigned long long)r->disclosures, (unsigned long long)r->with_consent, (unsigned long long)f->taken_back);
    buf_add_format(out, "%10llu  decisions that withheld something, %llu entries\n%10llu  releases in emergencies\n%10llu  looks at the log\n%10llu  records destroyed\n",
                   (unsigned long long)r->denials, (unsigned long long)r->withheld, (unsigned long long)r->emergencies, (unsigned long long)r->readings,
                   (unsigned long long)r->destroyed);
    buf_add_format(out, "%10llu  items wait in the review queue", (unsigned long long)f->waits);
    if (!span_empty(f->oldest))
        buf_add_format(out, ", the first since %.*s", SPAN_PRINT(f->oldest));
    buf_add_byte(out, '\n');
    for (int i = 0; i < LISTS; i++) {
        in_order(&r->lists[i], i == BY_MONTH);
        text_list(out, &r->lists[i]);
    }
    buf_add_text(out, "\nExceptions\n");
    for (int i = 0; i < EXCEPTIONS; i++) {
        const struct event_list *l = &r->exceptions[i];
        buf_add_format(out, "%10llu  %s\n", (unsigned long long)l->count, l->title);
        for (uint64_t n = 0; n < l->count && n < REPORT_EVENTS; n++)
            buf_add_format(out, "            %.*s\n", SPAN_PRINT(l->all[n]));
    }
    if (!span_empty(origin))
        buf_add_format(out, "\nlog %.*s, %.*s records, root %.*s\n", SPAN_PRINT(origin), SPAN_PRINT(size), SPAN_PRINT(root));
    return buf_status(out);
}
