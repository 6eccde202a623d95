#include "consent/limit.h"

#include <string.h>

static const char *const words[LIMIT_COUNT] = {
    [LIMIT_NONE] = "",
#define LIMIT(name, citation, words) [LIMIT_##name] = words,
#define MAY(limit, type, members)
#include "consent/limits.def"
#undef LIMIT
#undef MAY
};

static const struct { enum limit limit; const char *type, *members; } rows[] = {
#define LIMIT(name, citation, words)
#define MAY(limit, type, members) { LIMIT_##limit, type, members },
#include "consent/limits.def"
#undef LIMIT
#undef MAY
};

static const char *members_of(enum limit, struct span type);
static struct span plain(struct span name);
static bool        listed(const char *list, struct span member, struct span part);

bool
limit_type(enum limit limit, struct span type)
{
    return limit == LIMIT_NONE || members_of(limit, type) != NULL;
}

bool
limit_whole(enum limit limit, struct span type)
{
    const char *list = members_of(limit, type);

    return limit == LIMIT_NONE || (list != NULL && strcmp(list, "*") == 0);
}

bool
limit_member(enum limit limit, struct span type, struct span member)
{
    return limit_whole(limit, type) || span_eq_text(member, "resourceType") || span_eq_text(member, "id")
        || span_eq_text(member, "meta") || listed(members_of(limit, type), plain(member), SPAN(""));
}

bool
limit_part(enum limit limit, struct span type, struct span member, struct span part)
{
    if (limit_whole(limit, type))
        return true;
    return listed(span_eq_text(member, "meta") ? "meta/versionId meta/lastUpdated meta/security" : members_of(limit, type),
                  plain(member), plain(part));
}

const char *
limit_words(enum limit limit)
{
    return limit < LIMIT_COUNT ? words[limit] : "";
}

static const char *
members_of(enum limit limit, struct span type)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].limit == limit && span_eq_text(type, rows[i].type))
            return rows[i].members;
    return NULL;
}

/* The other half of a primitive goes where it goes. */
static struct span
plain(struct span name)
{
    return span_starts(name, SPAN("_")) ? span_skip(name, 1) : name;
}

/* Without a part: whether anything of the member is listed. */
static bool
listed(const char *list, struct span member, struct span part)
{
    struct span all = list != NULL ? span_of(list) : SPAN("");

    while (!span_empty(all)) {
        struct span rest = span_split(&all, ' '), name = span_split(&rest, '/');
        if (span_eq(name, member) && (span_empty(rest) || span_empty(part) || span_eq(rest, part)))
            return true;
    }
    return false;
}
