#include "base/status.h"

static const struct {
    const char *name;
    const char *text;
    int         http;
} rows[] = {
#define X(name, http, text) { #name, text, http },
    STATUS_LIST(X)
#undef X
};

#define ROWS (sizeof rows / sizeof rows[0])

const char *
status_name(enum status st)
{
    return (unsigned)st < ROWS ? rows[st].name : "UNKNOWN";
}

const char *
status_text(enum status st)
{
    return (unsigned)st < ROWS ? rows[st].text : "unknown status";
}

int
status_http(enum status st)
{
    return (unsigned)st < ROWS ? rows[st].http : 500;
}
