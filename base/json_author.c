#include "base/json_author.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_text.h"

struct author {
    cJSON *root;
    bool   failed;
};

static author_value become(struct author *, cJSON *root);
static author_value add(author_value parent, const char *name, cJSON *item);
static char        *clean_copy(struct span text);
static void         wipe(cJSON *);
static void         wipe_and_free(char *);

struct author *
author_new(void)
{
    return calloc(1, sizeof(struct author));
}

void
author_free(struct author **author)
{
    if (*author == NULL)
        return;
    wipe((*author)->root);
    cJSON_Delete((*author)->root);
    free(*author);
    *author = NULL;
}

author_value
author_object(struct author *a)
{
    return become(a, cJSON_CreateObject());
}

author_value
author_array(struct author *a)
{
    return become(a, cJSON_CreateArray());
}

author_value
author_add_object(author_value parent, const char *name)
{
    return add(parent, name, cJSON_CreateObject());
}

author_value
author_add_array(author_value parent, const char *name)
{
    return add(parent, name, cJSON_CreateArray());
}

void
author_add_text(author_value parent, const char *name, struct span text)
{
    char *copy = clean_copy(text);

    add(parent, name, copy != NULL ? cJSON_CreateString(copy) : NULL);
    wipe_and_free(copy);
}

void
author_add_cstr(author_value parent, const char *name, const char *text)
{
    if (text != NULL)
        author_add_text(parent, name, span_of(text));
}

/* cJSON keeps numbers as doubles, which end at 2^53. */
void
author_add_integer(author_value parent, const char *name, int64_t number)
{
    char digits[24];

    snprintf(digits, sizeof digits, "%lld", (long long)number);
    add(parent, name, cJSON_CreateRaw(digits));
}

void
author_add_bool(author_value parent, const char *name, bool value)
{
    add(parent, name, cJSON_CreateBool(value));
}

void
author_add_null(author_value parent, const char *name)
{
    add(parent, name, cJSON_CreateNull());
}

void
author_add_raw(author_value parent, const char *name, struct span json)
{
    char *copy = json.length > 0 ? strndup(json.at, json.length) : NULL;

    add(parent, name, copy != NULL ? cJSON_CreateRaw(copy) : NULL);
    wipe_and_free(copy);
}

/* Printable ASCII that needs no escape. */
static bool
is_its_own_literal(struct span text)
{
    size_t i = 0;

    while (i < text.length && text.at[i] >= ' ' && text.at[i] < 0x7f && text.at[i] != '"' && text.at[i] != '\\')
        i++;
    return i == text.length;
}

struct span
author_literal(struct arena *arena, struct span text)
{
    if (is_its_own_literal(text))
        return arena_join(arena, SPAN("\""), text, SPAN("\""));
    char       *copy    = clean_copy(text);
    cJSON      *item    = copy != NULL ? cJSON_CreateString(copy) : NULL;
    char       *printed = item != NULL ? cJSON_PrintUnformatted(item) : NULL;
    struct span literal = printed != NULL ? arena_copy(arena, span_of(printed)) : (struct span){ NULL, 0 };

    wipe_and_free(printed);
    wipe(item);
    cJSON_Delete(item);
    wipe_and_free(copy);
    return literal;
}

enum status
author_print(struct author *a, struct buf *out, enum author_form form)
{
    if (a->failed || a->root == NULL)
        return ST_NO_MEMORY;
    char *text = form == AUTHOR_PRETTY ? cJSON_Print(a->root) : cJSON_PrintUnformatted(a->root);
    if (text == NULL)
        return ST_NO_MEMORY;
    buf_add_text(out, text);
    wipe_and_free(text);
    return buf_status(out);
}

static author_value
become(struct author *a, cJSON *root)
{
    if (root == NULL || a->root != NULL) {
        cJSON_Delete(root);
        a->failed = true;
        return (author_value){ a, NULL };
    }
    a->root = root;
    return (author_value){ a, root };
}

/* Takes the item, also when it fails. */
static author_value
add(author_value parent, const char *name, cJSON *item)
{
    struct author *a    = parent.of;
    bool           done = false;

    if (!a->failed && item != NULL && parent.node != NULL)
        done = name != NULL ? cJSON_AddItemToObject(parent.node, name, item)
                            : cJSON_AddItemToArray(parent.node, item);
    if (done)
        return (author_value){ a, item };
    cJSON_Delete(item);
    a->failed = true;
    return (author_value){ a, NULL };
}

/* Ends in NUL; bytes that are not UTF-8, and NUL, become U+FFFD, which is
 * three bytes where one was. */
static char *
clean_copy(struct span text)
{
    const uint8_t *p    = (const uint8_t *)text.at, *end = text.length > 0 ? p + text.length : p;
    char          *copy = text.length < SIZE_MAX / 3 ? malloc(3 * text.length + 1) : NULL;
    size_t         used = 0;

    if (copy == NULL)
        return NULL;
    while (p < end) {
        if (*p - 1u < 0x7f) {                            /* ASCII but NUL, which is nearly all */
            copy[used++] = (char)*p++;
            continue;
        }
        size_t length = *p != 0 ? text_utf8_length(p, end) : 0;
        if (length > 0) {
            memcpy(copy + used, p, length);
            used += length;
            p    += length;
        } else {
            memcpy(copy + used, "\xef\xbf\xbd", 3);
            used += 3;
            p++;
        }
    }
    copy[used] = 0;
    return copy;
}

/* What is written may be PHI.  Depth is that of our own documents. */
static void
wipe(cJSON *item)
{
    for (; item != NULL; item = item->next) {
        if (item->valuestring != NULL)
            explicit_bzero(item->valuestring, strlen(item->valuestring));
        wipe(item->child);
    }
}

static void
wipe_and_free(char *text)
{
    if (text == NULL)
        return;
    explicit_bzero(text, strlen(text));
    free(text);
}
