/* gateway/cli/inputs.h -- the files that a command line of files and folders means.
 *
 * A file is taken whatever its name, `-` is standard input.  Of a folder, and
 * of what is below it, every .json and .ndjson file is taken, by name; hidden
 * names, links and package.json, which describes a package and is no resource,
 * are not.  At most INPUTS_MOST files.
 */
#ifndef SLUICE_GATEWAY_CLI_INPUTS_H
#define SLUICE_GATEWAY_CLI_INPUTS_H

#include "base/arena.h"
#include "gateway/cli/command.h"

#define INPUTS_MOST 1000000u

struct inputs {
    const char **paths;
    size_t       count, room;
    size_t       empty;                  /* folders that held nothing; said on stderr */
};

/* false: there are too many, or no memory; said on stderr. */
bool inputs_list(const struct call *, struct arena *, struct inputs *out);

#endif
