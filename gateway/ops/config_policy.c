#include "gateway/ops/config_policy.h"

#include "consent/state_pack.h"
#include "gateway/ops/file.h"
#include "gateway/runtime/identity.h"

enum { PACK_BYTES = 4 << 20, MAX_FINDINGS = 20 };

static const struct state_pack *read_pack(struct config_policy *, struct arena *, struct span where, struct config_errors *);
static const struct state_pack *parse_pack(struct config_policy *, struct span bytes, struct arena *, struct span where,
                                           struct config_errors *);
static bool does_something(const struct state_pack *);

void
config_read_policies(struct config *c, struct arena *arena, const struct span *where, struct config_errors *errors)
{
    const struct state_pack **packs = arena_make_n(arena, c->policy_count, const struct state_pack *);
    struct span               names = SPAN("");

    for (size_t i = 0; packs != NULL && i < c->policy_count; i++) {
        struct config_policy *p = &c->policies[i];
        if (!p->enabled)
            continue;
        const struct state_pack *pack = read_pack(p, arena, where[i], errors);
        for (size_t j = 0; pack != NULL && j < c->pack_count; j++)
            if (span_eq(packs[j]->id, pack->id))
                config_error(errors, "%.*s: policy \"%.*s\": another section has the pack \"%.*s\" already",
                             SPAN_PRINT(where[i]), SPAN_PRINT(p->title), SPAN_PRINT(pack->id));
        if (pack == NULL)
            continue;
        packs[c->pack_count++] = pack;
        names = arena_format(arena, "%.*s %.*s/%.*s/%.*s", SPAN_PRINT(names), SPAN_PRINT(pack->id), SPAN_PRINT(pack->version),
                             SPAN_PRINT(span_first(p->found_sha256, 16)));
    }
    if (c->pack_count > STATE_MAX_PACKS)
        config_error(errors, "%.*s: at most %d policy packs can be enabled", SPAN_PRINT(c->file), STATE_MAX_PACKS);
    c->packs      = packs;
    c->pack_names = names;
}

static const struct state_pack *
read_pack(struct config_policy *p, struct arena *arena, struct span where, struct config_errors *errors)
{
    const struct state_pack *pack = NULL;
    struct buf               bytes;

    buf_init(&bytes, PACK_BYTES);
    enum status st = file_read(p->file.at, &bytes);
    if (st == ST_OK)
        pack = parse_pack(p, arena_copy(arena, buf_span(&bytes)), arena, where, errors);
    else
        config_error(errors, "%.*s: policy \"%.*s\": `file` %.*s cannot be read: %s", SPAN_PRINT(where), SPAN_PRINT(p->title),
                     SPAN_PRINT(p->file), file_why(st));
    buf_release(&bytes);
    return pack;
}

static const struct state_pack *
parse_pack(struct config_policy *p, struct span bytes, struct arena *arena, struct span where, struct config_errors *errors)
{
    const struct state_pack *pack   = NULL;
    struct issues           *issues = issues_new(arena, MAX_FINDINGS);

    p->found_sha256 = sha256_hex(arena, &bytes, 1);
    if (!span_empty(p->sha256) && !span_eq_nocase(p->sha256, p->found_sha256)) {
        config_error(errors, "%.*s: policy \"%.*s\": %.*s is not the file that `sha256` names; it has %.*s", SPAN_PRINT(where),
                     SPAN_PRINT(p->title), SPAN_PRINT(p->file), SPAN_PRINT(p->found_sha256));
        return NULL;
    }
    if (issues == NULL || state_pack_read(bytes, arena, issues, &pack) == ST_NO_MEMORY) {
        config_error(errors, "%.*s: policy \"%.*s\": there is not enough memory to read it", SPAN_PRINT(where), SPAN_PRINT(p->title));
        return NULL;
    }
    for (uint32_t i = 0; i < issues_count(issues); i++) {
        const struct issue *one = issues_at(issues, i);
        if (one->severity <= SEVERITY_ERROR)
            config_error(errors, "%.*s:%u:%u: %.*s: %.*s%s%.*s", SPAN_PRINT(p->file), one->line, one->column,
                         SPAN_PRINT(one->expression), SPAN_PRINT(one->wanted), span_empty(one->hint) ? "" : "; ",
                         SPAN_PRINT(one->hint));
    }
    if (pack != NULL && !does_something(pack))
        config_error(errors, "%.*s: policy \"%.*s\" is enabled, and would do nothing: %s", SPAN_PRINT(where), SPAN_PRINT(p->title),
                     pack->off != NULL ? pack->off : "no citation of its rules is verified");
    return pack;
}

/* Who enables a pack believes that it protects. */
static bool
does_something(const struct state_pack *pack)
{
    for (size_t i = 0; i < pack->rule_count && pack->off == NULL; i++)
        if (pack->rules[i].off == NULL)
            return true;
    return false;
}
