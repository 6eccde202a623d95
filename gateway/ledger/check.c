/* gateway/ledger/check.c -- the part of verifying that store and folder share. */
#include "gateway/ledger/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARENA_BYTES    ((size_t)64 << 20)
#define PROGRESS_EVERY 4096u

static const char *const names[LEDGER_LOGS] = { "disclosures", "denials" };

enum status
check_begin(struct check *c, const struct verify_options *options, enum ledger_log log,
            struct verify_log *result, struct buf *report)
{
    *c = (struct check){ .options = options, .log = log, .name = names[log], .result = result,
                         .report = report, .chain_known = true };
    c->digest = digest_new();
    c->tree   = calloc(1, sizeof *c->tree);
    c->arena  = arena_new("verify", ARENA_BYTES);
    c->marks  = calloc(CHECK_MARKS, sizeof *c->marks);
    if (c->digest != NULL && c->tree != NULL && c->arena != NULL && c->marks != NULL)
        return ST_OK;
    check_end(c);
    return ST_NO_MEMORY;
}

void
check_end(struct check *c)
{
    digest_free(&c->digest);
    free(c->tree);
    free(c->marks);
    arena_free(&c->arena);
    c->tree  = NULL;
    c->marks = NULL;
}

void
check_problem(struct check *c, const char *format, ...)
{
    char    text[1024];
    va_list args;

    if (c->problems++ >= CHECK_PROBLEMS)
        return;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    buf_add_format(c->report, "%s: %s\n", c->name, text);
    if (c->problems == CHECK_PROBLEMS)
        buf_add_format(c->report, "%s: more problems are not listed\n", c->name);
}

void
check_head(struct check *c, struct span note)
{
    char       room[512];
    struct buf why = { .at = room, .capacity = sizeof room, .max = sizeof room };

    if (checkpoint_verify(note, &c->options->key, c->digest, (struct span){ NULL, 0 }, &c->head, &why) != ST_OK) {
        check_problem(c, "%.*s", SPAN_PRINT(buf_span(&why)));
        return;
    }
    if (span_ends(c->head.origin, SPAN("/denials")) != (c->log == LEDGER_DENIALS))
        check_problem(c, "the checkpoint is of another log, %.*s", SPAN_PRINT(c->head.origin));
    c->readable     = true;
    c->result->size = c->head.size;
    c->result->root = c->head.root;
    (void)snprintf(c->result->origin, sizeof c->result->origin, "%.*s", SPAN_PRINT(c->head.origin));
}

/* Heads that were kept come in order of size; the other one comes last and finds
 * its place.  Of more than fit, every second one is left out. */
static void
mark_add(struct check *c, const struct checkpoint *head, bool other)
{
    if (c->mark_count == CHECK_MARKS) {
        for (size_t i = 0; i < CHECK_MARKS / 2; i++)
            c->marks[i] = c->marks[2 * i];
        c->mark_count = CHECK_MARKS / 2;
    }
    size_t at = c->mark_count++;
    for (; at > 0 && c->marks[at - 1].size > head->size; at--)
        c->marks[at] = c->marks[at - 1];
    c->marks[at] = (struct check_mark){ head->size, head->root, other };
}

void
check_past_add(struct check *c, const struct checkpoint *head)
{
    mark_add(c, head, false);
}

void
check_others_add(struct check *c, const struct check_others *others)
{
    for (size_t i = 0; i < others->count; i++) {
        const struct checkpoint *head = &others->all[i].head;
        if (others->all[i].log != c->log)
            continue;
        if (c->readable && !span_eq(head->origin, c->head.origin))
            check_problem(c, "the other checkpoint is of another log, %.*s", SPAN_PRINT(head->origin));
        else
            mark_add(c, head, true);
    }
}

enum status
check_others_read(const struct verify_options *options, struct check_others *out, struct buf *report)
{
    struct digest *d  = digest_new();
    enum status    st = d != NULL ? ST_OK : ST_NO_MEMORY;

    *out = (struct check_others){ .count = 0 };
    for (size_t i = 0; i < options->other_count && st == ST_OK; i++) {
        struct check_other *one = &out->all[out->count++];
        st = checkpoint_verify(options->others[i], &options->key, d, (struct span){ NULL, 0 }, &one->head, report);
        if (st != ST_OK)
            buf_add_text(report, " (the other checkpoint)\n");
        else if (span_ends(one->head.origin, SPAN("/denials")))
            one->log = LEDGER_DENIALS;
    }
    digest_free(&d);
    return st == ST_MALFORMED ? ST_INTEGRITY : st;
}

enum status
check_verdict(enum status st, struct verify_result *result, struct buf *report)
{
    struct span one = span_of(result->log[LEDGER_DISCLOSURES].origin);
    struct span two = span_of(result->log[LEDGER_DENIALS].origin);

    if (!span_empty(one) && !span_empty(two) &&
        (!span_starts(two, one) || !span_eq(span_skip(two, one.length), SPAN("/denials")))) {
        buf_add_format(report, "the log of denials, %.*s, is not that of %.*s\n", SPAN_PRINT(two), SPAN_PRINT(one));
        result->problems++;
    }
    return st == ST_OK && result->problems > 0 ? ST_INTEGRITY : st;
}

/* Compares the root with the marks of this size. */
static void
marks_compare(struct check *c)
{
    struct ledger_hash root;

    while (c->mark_next < c->mark_count && c->marks[c->mark_next].size <= c->tree->edge.size) {
        const struct check_mark *m = &c->marks[c->mark_next++];
        merkle_root(c->digest, &c->tree->edge, &root);
        if (!ledger_hash_eq(&root, &m->root))
            check_problem(c, "%s of size %llu does not fit: something before leaf %llu was changed, added or "
                             "taken away", m->other ? "the other checkpoint" : "a checkpoint that was kept",
                          (unsigned long long)m->size, (unsigned long long)m->size);
    }
}

static void
chain_follow(struct check *c, uint64_t index, const unsigned char *salt, struct span record)
{
    struct ledger_hash hash;

    if (ledger_chain_check(c->digest, salt, record, c->chain_known ? &c->chain : NULL, &hash) != ST_OK)
        check_problem(c, "leaf %llu: its prevHash or hash does not continue the chain", (unsigned long long)index);
    c->chain       = hash;
    c->chain_known = true;
}

/* V13. */
static void
shredded_check(struct check *c, uint64_t index, bool gone)
{
    bool recorded = shredded_has(c->shredded, c->log, index);

    c->result->shredded += gone;
    if (gone == recorded)
        return;
    if (!gone)
        check_problem(c, "leaf %llu: a record says that it was destroyed, and it is here", (unsigned long long)index);
    else if (c->options->strict)
        check_problem(c, "leaf %llu: it was destroyed, and no record says so", (unsigned long long)index);
    if (gone && c->result->unrecorded++ == 0)
        c->unrecorded_first = index;
}

void
check_leaf(struct check *c, uint64_t index, const unsigned char *salt, struct span record,
           const struct ledger_hash *leaf, bool sound)
{
    if (index != c->next)
        check_problem(c, "leaf %llu stands where leaf %llu has to be: something is missing, added or out of order",
                      (unsigned long long)index, (unsigned long long)c->next);
    c->next = index + 1;
    shredded_check(c, index, span_empty(record));
    if (span_empty(record)) {
        c->chain_known = false;
    } else if (sound) {
        chain_follow(c, index, salt, record);
    } else {
        c->chain_known = false;
    }
    if (c->tree->edge.size == 0)
        marks_compare(c);
    if (ledger_grow(c->digest, c->tree, leaf, c->on_tile, c->on_tile_arg) != ST_OK)
        check_problem(c, "leaf %llu: a tile could not be compared", (unsigned long long)index);
    marks_compare(c);
    if (c->options->progress != NULL && index % PROGRESS_EVERY == 0)
        c->options->progress(c->options->arg, c->log, index, c->head.size);
}

/* Told, not a problem: V13. */
static void
unrecorded_tell(struct check *c)
{
    if (c->result->unrecorded > 0 && !c->options->strict)
        buf_add_format(c->report, "%s: %llu records were destroyed, and no record says so; the first is leaf %llu (--strict makes it a problem)\n",
                       c->name, (unsigned long long)c->result->unrecorded, (unsigned long long)c->unrecorded_first);
}

void
check_finish(struct check *c)
{
    unrecorded_tell(c);

    struct ledger_hash root;
    uint64_t           size = c->tree->edge.size;

    if (size == 0)
        marks_compare(c);
    merkle_root(c->digest, &c->tree->edge, &root);
    if (!c->readable)
        return;
    if (size != c->head.size)
        check_problem(c, "there are %llu leaves, the checkpoint says %llu: the end was %s",
                      (unsigned long long)size, (unsigned long long)c->head.size,
                      size < c->head.size ? "cut off" : "added to");
    else if (!ledger_hash_eq(&root, &c->head.root))
        check_problem(c, "the root computed from the leaves is not the checkpoint's: a leaf was changed");
    for (size_t i = c->mark_next; i < c->mark_count; i++)
        check_problem(c, "%s has %llu leaves, this log ends at %llu: the log was rolled back",
                      c->marks[i].other ? "the other checkpoint" : "a checkpoint that was kept",
                      (unsigned long long)c->marks[i].size, (unsigned long long)size);
}
