/* gateway/ledger/plain.c -- codes in the words of a letter. */
#include "gateway/ledger/plain.h"

#include <string.h>

#include "base/buf.h"

bool
language_read(struct span text, enum language *out)
{
    struct span tag = span_trim(span_first(text, 2));
    bool        end = text.length == 2 || (text.length > 2 && strchr("-,; ", text.at[2]) != NULL);

    if (end && span_eq_nocase(tag, SPAN("en")))
        *out = LANGUAGE_ENGLISH;
    else if (end && span_eq_nocase(tag, SPAN("es")))
        *out = LANGUAGE_SPANISH;
    else
        return false;
    return true;
}

const char *
language_tag(enum language language)
{
    return language == LANGUAGE_SPANISH ? "es" : "en";
}

struct span
plain_purpose(enum language language, struct span code)
{
    static const struct { const char *code, *words[2]; } rows[] = {
#define PURPOSE(code, words, spanish) { code, { words, spanish } },
#include "gateway/ledger/words.def"
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (span_eq_text(code, rows[i].code))
            return span_of(rows[i].words[language]);
    return code;
}

struct span
plain_purposes(enum language language, struct span codes, struct arena *arena)
{
    char       room[1024];
    struct buf words = { .at = room, .capacity = sizeof room, .max = sizeof room };

    while (!span_empty(codes)) {
        struct span code = span_split(&codes, ' ');
        if (words.length > 0)
            buf_add_text(&words, ", ");
        buf_add(&words, span_first(plain_purpose(language, code), 100));
    }
    return arena_copy(arena, buf_span(&words));
}

struct span
plain_items(enum language language, struct span type, uint64_t count)
{
    static const struct { struct span type; const char *one[2], *many[2]; } rows[] = {
#define ITEM(type, one, many, one_spanish, many_spanish) { { type, sizeof(type) - 1 }, { one, one_spanish }, { many, many_spanish } },
#include "gateway/ledger/words.def"
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (span_eq(type, rows[i].type))
            return span_of(count == 1 ? rows[i].one[language] : rows[i].many[language]);
    return (struct span){ NULL, 0 };
}

struct span
plain_reason(enum language language, struct span basis)
{
    static const struct { const char *rule, *words[2]; } rows[] = {
#define REASON(rule, words, spanish) { rule, { words, spanish } },
#include "gateway/ledger/words.def"
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (span_starts(basis, span_of(rows[i].rule)))
            return span_of(rows[i].words[language]);
    return (struct span){ NULL, 0 };
}
