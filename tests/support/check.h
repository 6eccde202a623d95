/* tests/support/check.h -- what every test starts with.
 *
 * cmocka with its headers in the right order, files, spans, a repeatable
 * source of chance, and random JSON.  A failed check ends the test.
 */
#ifndef SLUICE_TESTS_SUPPORT_CHECK_H
#define SLUICE_TESTS_SUPPORT_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/span.h"

/* The whole file, in the arena; the test fails when it cannot be read. */
struct span check_file(struct arena *, const char *path);

/* Calls `each` for every file of the folder whose name starts with `prefix`
 * and ends in `suffix`, in the order of their names; returns how many. */
size_t check_folder(const char *folder, const char *prefix, const char *suffix,
                    void (*each)(const char *path, const char *name, void *context), void *context);

/* Whether ../shared has this file or folder.  A test that needs it begins
 *     if (!check_shared("data/json")) skip(); */
bool        check_shared(const char *path);
const char *check_shared_path(const char *path);          /* valid until the next call */

/* Both ends are printed when they differ. */
#define check_span(is, want) check_span_at((is), (want), __FILE__, __LINE__)
#define check_text(is, want) check_span_at((is), span_of(want), __FILE__, __LINE__)
void check_span_at(struct span is, struct span want, const char *file, int line);

/* splitmix64: the same seed gives the same sequence everywhere. */
struct chance { uint64_t state; };
struct chance chance_from(uint64_t seed);
uint64_t      chance_next(struct chance *);
uint32_t      chance_below(struct chance *, uint32_t bound);  /* 0 .. bound - 1; bound > 0 */
bool          chance_one_in(struct chance *, uint32_t n);

/* A random document that the tape must accept: every kind of value, escapes,
 * UTF-8, white space of all styles, empty containers, unique names. */
void random_json(struct chance *, struct buf *out, unsigned values);
/* A few bytes changed, dropped, doubled or brought in, with a liking for
 * bytes that mean something in JSON.  Returns the new length, at most
 * length + 16. */
size_t random_damage(struct chance *, char *bytes, size_t length);

#endif
