/* gateway/ops/options.h -- the rows of options.def as tables, and what a file said.
 *
 * For config.c (reads), config_text.c (prints) and nobody else.
 *
 *     options.def --> struct option_section, struct option      what there is
 *     file        --> struct setting_section, struct setting    what was said, with where
 *     settings    --> struct config                             typed, checked
 */
#ifndef SLUICE_GATEWAY_OPS_OPTIONS_H
#define SLUICE_GATEWAY_OPS_OPTIONS_H

#include <stdatomic.h>

#include "gateway/ops/config.h"

enum option_type {
    OPTION_TEXT, OPTION_PATH, OPTION_URL, OPTION_WORD, OPTION_CHOICE, OPTION_FLAG, OPTION_PORT,
    OPTION_COUNT, OPTION_BYTES, OPTION_BEGIN, OPTION_END,
    /* lists from here on */
    OPTION_TEXTS, OPTION_WORDS, OPTION_IDENTIFIERS, OPTION_CLIENTS, OPTION_RECIPIENTS,
};

enum option_section_id {
#define SECTION(name, many, help) SECTION_##name,
#define OPTION(section, name, type, field, choices, minimum, maximum, initial, reload, secret, help)
#define OPTIONS(section, name, type, field, count, choices, initial, reload, help)
#include "gateway/ops/options.def"
#undef SECTION
#undef OPTION
#undef OPTIONS
    SECTION_COUNT
};

struct option {
    enum option_section_id section;
    const char            *name;
    enum option_type       type;
    size_t                 at, count_at; /* offsets in struct config, or in the section's own struct */
    const char            *choices;      /* "a|b|c" */
    uint64_t               minimum, maximum;
    const char            *initial;      /* NULL: required */
    bool                   live;         /* a reload may change it */
    bool                   secret;
    const char            *help;
};

struct option_section {
    const char *name;
    bool        many;
    const char *help;
};

extern const struct option_section option_sections[SECTION_COUNT];
extern const struct option         option_rows[];
extern const size_t                option_row_count;

bool        option_is_list(const struct option *);
const char *option_type_words(const struct option *);    /* "path", "list of words" … */

struct setting {                         /* one option of one section of a file */
    const struct option *option;
    struct span         *values;         /* resolved: file: and $NAME replaced, paths absolute */
    size_t               count;
    bool                 given;          /* false: the default */
    bool                 hidden;         /* came by file: or $NAME */
    struct span          where;          /* "sluice.conf:12" */
};

struct setting_section {
    enum option_section_id id;
    struct span            title;
    struct span            where;        /* of its end */
    struct setting        *settings;
    size_t                 count;
};

/* What config_load allocates: the snapshot and what it was made from. */
struct config_file {
    struct config           config;      /* first: a struct config * is a struct config_file * */
    struct arena           *arena;
    atomic_uint             pins;
    struct setting_section *sections;
    size_t                  section_count;
};

#endif
