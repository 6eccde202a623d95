/* gateway/ops/config_parse.h -- the file -> settings, by libconfuse.
 *
 * Knows names, nesting and where each value stands; knows nothing of types
 * beyond which values are paths.  For config.c.
 */
#ifndef SLUICE_GATEWAY_OPS_CONFIG_PARSE_H
#define SLUICE_GATEWAY_OPS_CONFIG_PARSE_H

#include "gateway/ops/options.h"

struct parse {
    /* in */
    const char           *path;
    struct span           folder;        /* absolute; relative paths start here */
    struct arena         *arena;
    struct config_errors *errors;
    /* out */
    struct setting_section *sections;
    size_t                  section_count;
};

/* False when an error was added. */
bool        config_parse(struct parse *);
/* A path of the configuration, absolute; ends in NUL. */
struct span config_path(struct parse *, struct span path);

#endif
