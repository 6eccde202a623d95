#include "gateway/classify/classify.h"

#define INSPECTED_BYTES ((size_t)512 << 20)

struct facts
class_facts(const struct config *config, const struct config_client *client, int64_t at_ms)
{
    return (struct facts){
        .at_ms               = at_ms,
        .legal               = LEGAL_NONE,
        .labels              = LABELS_COMPUTED,
        .sender              = client->part2,
        .sender_organization = client->party.reference,
        .trust_labels        = client->trust_labels,
        .programs            = config->programs,
        .program_count       = config->program_count,
        .known_actors        = config->known_actors,
        .known_actor_count   = config->known_actor_count,
        .site                = config->site,
        .definitions         = config->pack,
    };
}

const struct config_client *
class_client(const struct config *config, struct span title)
{
    static const struct config_client unknown;               /* nothing is known of it, and unknown protects */

    for (size_t i = 0; i < config->client_count; i++)
        if (span_eq(config->clients[i].title, title))
            return &config->clients[i];
    return &unknown;
}

struct span
class_labels_text(label_set labels, struct arena *arena)
{
    const char *codes[LABEL_COUNT];
    struct span parts[2 * LABEL_COUNT];
    size_t      n = labels_codes(labels, codes, LABEL_COUNT);

    for (size_t i = 0; i < n; i++) {
        parts[2 * i]     = span_of(codes[i]);
        parts[2 * i + 1] = SPAN(" ");
    }
    return n > 0 ? arena_join_all(arena, parts, 2 * n - 1) : SPAN("");
}

/* ---- a document that was labelled ------------------------------------------------ */

struct document {
    struct span             bytes;
    const struct bundle    *bundle;
    const struct labeling  *labeling;
};

/* What was read is wanted for the labels alone; one that is not all read is one that cannot be. */
static enum status
label_document(struct document *d, const struct references *references, const struct facts *sender,
               const struct inspected_asker *asker, struct arena *arena)
{
    struct inspected_table table = { .max_bytes = INSPECTED_BYTES };
    struct facts           facts = *sender;

    facts.inspected = &table;
    enum status st  = label_inspected(d->bundle, references, &facts, asker, arena, &d->labeling);
    inspected_release(&table);
    return st == ST_TOO_LARGE ? ST_MALFORMED : st;
}

static enum status
read_document(struct span bytes, const struct facts *facts, const struct inspected_asker *asker, struct arena *arena,
              struct document *out)
{
    struct issues           *issues = issues_new(arena, 1);
    const struct tape       *tape;
    const struct references *references;

    *out = (struct document){ .bytes = bytes };
    if (issues == NULL)
        return ST_NO_MEMORY;
    enum status st = tape_read(bytes, &tape_default_limits, arena, &tape, NULL);
    if (st == ST_OK)
        st = bundle_read(tape, arena, issues, &out->bundle);
    if (st == ST_OK)
        st = references_read(out->bundle, arena, &references);
    return st == ST_OK ? label_document(out, references, facts, asker, arena) : st;
}

struct again {
    const struct config *config;
    struct store        *store;
    struct arena        *arena;
    struct facts         facts;
    const struct inspected_asker *asker;
    struct document      push;
    uint32_t             next;           /* entry that is probably the one looked for */
    class_visitor       *visit;
    void                *arg;
};

/* The entry whose resource stands there; ENTRY_NONE. */
static uint32_t
entry_at(struct again *a, int64_t start)
{
    const struct bundle *b = a->push.bundle;

    for (uint32_t n = 0; n < b->count; n++) {
        uint32_t  i    = (a->next + n) % b->count;
        tape_node node = b->entries[i].resource;
        if (node != TAPE_ABSENT && tape_extent(b->tape, node).at - a->push.bytes.at == start) {
            a->next = (i + 1) % b->count;
            return i;
        }
    }
    return ENTRY_NONE;
}

/* Labels of the entries from `first` on, `count` of them, as one. */
static bool
tell(struct again *a, const struct content *c, uint32_t place, const struct labeling *l, uint32_t first, uint32_t count)
{
    label_set         labels = 0;
    enum part2_status part2  = PART2_NOT;

    for (uint32_t i = first; i < first + count; i++) {
        labels |= l->of[i].labels;
        if (l->of[i].part2 != PART2_NOT && part2 != PART2_CONFIRMED)
            part2 = l->of[i].part2;
    }
    const struct class_found found = { c, place, class_labels_text(labels, a->arena), span_of(part2_text(part2)) };
    return a->visit(&found, a->arg);
}

static enum status
look_at(const struct content *c, uint32_t place, void *arg)
{
    struct again   *a = arg;
    struct document own;
    struct span     bytes;

    if (c->deleted)
        return ST_OK;
    if (c->blob != 0) {
        enum status st = store_blob_read(a->store, c->blob, a->arena, &bytes);
        if (st == ST_OK)
            st = read_document(bytes, &a->facts, a->asker, a->arena, &own);
        if (st != ST_OK)
            return st == ST_NOT_FOUND ? ST_MALFORMED : st;
        return tell(a, c, place, own.labeling, 0, own.bundle->count) ? ST_OK : ST_CANCELLED;
    }
    if (a->push.bundle == NULL)
        return ST_MALFORMED;
    uint32_t entry = entry_at(a, c->start);
    bool     whole = entry == ENTRY_NONE && span_eq_text(c->type, "Bundle");
    if (entry == ENTRY_NONE && !whole)
        return ST_MALFORMED;
    return tell(a, c, place, a->push.labeling, whole ? 0 : entry, whole ? a->push.bundle->count : 1) ? ST_OK : ST_CANCELLED;
}

enum status
class_again(const struct config *config, struct store *store, const struct store_push *push, struct arena *arena,
            const struct inspected_asker *asker, class_visitor *visit, void *arg)
{
    struct again a = {
        .config = config, .store = store, .arena = arena, .asker = asker, .visit = visit, .arg = arg,
        .facts  = class_facts(config, class_client(config, push->client), push->at_ms),
    };

    if (span_empty(push->contents))
        return ST_OK;                    /* it was refused, or had only deletions */
    if (!span_empty(push->body)) {
        enum status st = read_document(push->body, &a.facts, asker, arena, &a.push);
        if (st != ST_OK)
            return st == ST_NO_MEMORY || st == ST_UNAVAILABLE ? st : ST_MALFORMED;
    }
    return contents_visit(push->contents, arena, look_at, &a);
}
