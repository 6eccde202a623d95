/* base/json_writer.h -- one compact JSON document, streamed into an arena.
 *
 * For what is written once per exchange and cannot afford a tree of heap
 * objects first (base/json_author.h): a ledger record has some sixty members,
 * and cJSON takes about five heap calls for each.  Same promise: text that is
 * not valid UTF-8 becomes U+FFFD, so what is written can be read by the tape.
 *
 *     struct json_writer w;
 *     json_writer_open(&w, arena);
 *     json_object(&w, NULL);
 *     json_text(&w, "kind", SPAN("disclosure"));
 *     json_array(&w, "classes");
 *     json_text(&w, NULL, SPAN("CE_PROVIDER"));     name NULL inside arrays
 *     json_end(&w);
 *     json_end(&w);
 *     struct span json = json_writer_close(&w);     empty: arena spent or unbalanced
 *
 * Names are the program's own words and are not escaped.  Between open and
 * close the arena hands out nothing else (arena_open).  Depth at most 16.
 */
#ifndef SLUICE_BASE_JSON_WRITER_H
#define SLUICE_BASE_JSON_WRITER_H

#include <stdint.h>

#include "base/arena.h"

#define JSON_WRITER_DEPTH 16u

struct json_writer {
    struct arena *arena;
    char         *at;
    size_t        used, room;
    bool          failed;                /* sticky */
    unsigned      depth;
    char          closer[JSON_WRITER_DEPTH];
    bool          more[JSON_WRITER_DEPTH + 1];       /* a comma comes first */
};

void        json_writer_open(struct json_writer *, struct arena *);
struct span json_writer_close(struct json_writer *);
size_t      json_writer_length(const struct json_writer *);      /* so far */

void json_object(struct json_writer *, const char *name);
void json_array(struct json_writer *, const char *name);
void json_end(struct json_writer *);
void json_text(struct json_writer *, const char *name, struct span text);
/* Parts one behind the other as one text; no character may lie across two. */
#define json_join(w, name, ...)                                                          \
    json_join_all((w), (name), (const struct span[]){ __VA_ARGS__ },                     \
                  sizeof((const struct span[]){ __VA_ARGS__ }) / sizeof(struct span))
void json_join_all(struct json_writer *, const char *name, const struct span *parts, size_t count);
/* The same text, when there is any. */
void json_text_if(struct json_writer *, const char *name, struct span text);
void json_integer(struct json_writer *, const char *name, int64_t number);
void json_bool(struct json_writer *, const char *name, bool value);
/* A member, or an item when the name is empty, as it stands in a document that
 * the tape has read: escapes as they came, white space left out. */
void json_copy(struct json_writer *, struct span name, struct span value);
/* Bytes as they are: at the very start of an object, by those who know. */
void json_raw(struct json_writer *, struct span bytes);

#endif
