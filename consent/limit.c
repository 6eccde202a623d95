#include "consent/limit.h"

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

bool
limit_type(enum limit limit, struct span type)
{
    return limit == LIMIT_NONE || members_of(limit, type) != NULL;
}

bool
limit_member(enum limit limit, struct span type, struct span member)
{
    const char *list = members_of(limit, type);
    struct span all  = list != NULL ? span_of(list) : SPAN("");

    if (limit == LIMIT_NONE || span_eq_text(member, "resourceType") || span_eq_text(member, "id")
        || span_eq_text(member, "meta"))
        return true;
    if (span_starts(member, SPAN("_")))
        member = span_skip(member, 1);                        /* the other half of a primitive */
    while (all.length > 0) {
        size_t      end  = span_find_byte(all, ' ');
        struct span name = end == SPAN_NOT_FOUND ? all : span_first(all, end);
        if (span_eq(name, member) || span_eq_text(name, "*"))
            return true;
        all = end == SPAN_NOT_FOUND ? SPAN("") : span_skip(all, end + 1);
    }
    return false;
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
