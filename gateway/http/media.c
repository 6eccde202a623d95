#include "gateway/http/media.h"

#include "base/digits.h"

#define NAMES 3
static const char *const names[NAMES] = { "application/fhir+json", "application/json", "application/json+fhir" };

/* As span_split, but what stands in quotes is not looked at (RFC 9110 5.6.4). */
static struct span
split_quoted(struct span *rest, char byte)
{
    struct span all    = *rest;
    bool        quoted = false;

    for (size_t i = 0; i < all.length; i++) {
        if (quoted && all.at[i] == '\\') {
            i++;
            continue;
        }
        if (all.at[i] == '"')
            quoted = !quoted;
        if (all.at[i] != byte || quoted)
            continue;
        *rest = span_skip(all, i + 1);
        return span_first(all, i);
    }
    *rest = (struct span){ NULL, 0 };
    return all;
}

static struct span
unquoted(struct span value)
{
    if (value.length >= 2 && value.at[0] == '"' && value.at[value.length - 1] == '"')
        return span_from(value.at + 1, value.length - 2);
    return value;
}

/* The next `name=value` of a list of parameters; false: no more. */
static bool
next_parameter(struct span *rest, struct span *name, struct span *value)
{
    while (rest->at != NULL) {
        struct span one = span_trim(split_quoted(rest, ';'));
        if (span_empty(one))
            continue;
        *name  = span_trim(span_split(&one, '='));
        *value = unquoted(span_trim(one));
        return true;
    }
    return false;
}

static bool
version_known(struct span version)
{
    return span_eq_text(version, "4.0") || span_eq_text(version, "4.0.1");
}

static bool
is_json_name(struct span name)
{
    for (size_t i = 0; i < NAMES; i++)
        if (span_eq_nocase(name, span_of(names[i])))
            return true;
    return false;
}

enum media
media_of(struct span content_type)
{
    struct span rest = content_type, name, value;

    if (!is_json_name(span_trim(split_quoted(&rest, ';'))))
        return MEDIA_OTHER;
    while (next_parameter(&rest, &name, &value)) {
        if (span_eq_nocase(name, SPAN("charset")) && !span_eq_nocase(value, SPAN("utf-8"))
            && !span_eq_nocase(value, SPAN("utf8")))
            return MEDIA_OTHER_CHARSET;
        if (span_eq_nocase(name, SPAN("fhirVersion")) && !version_known(value))
            return MEDIA_OTHER_VERSION;
    }
    return MEDIA_FHIR_JSON;
}

/* ---- what may be answered ---------------------------------------------------- */

/* "0", "0.", "0.000": not wanted; so is what is no weight. */
static bool
weight_above_zero(struct span q)
{
    bool any = false;

    for (size_t i = 0; i < q.length; i++) {
        if ((q.at[i] < '0' || q.at[i] > '9') && q.at[i] != '.')
            return false;
        any = any || (q.at[i] >= '1' && q.at[i] <= '9');
    }
    return any;
}

/* How precisely a range names it: 0 not at all, then any, application, the name,
 * and the name with its version. */
static int
precision(struct span range, struct span name, bool *wanted)
{
    struct span rest = range, parameter, value;
    struct span type = span_trim(split_quoted(&rest, ';'));
    int         fits = span_eq_nocase(type, name)                       ? 3
                       : span_eq_nocase(type, SPAN("application/*"))    ? 2
                       : span_eq_text(type, "*/*") || span_eq_text(type, "*") ? 1 : 0;

    *wanted = true;
    while (fits > 0 && next_parameter(&rest, &parameter, &value)) {
        if (span_eq_nocase(parameter, SPAN("q")))
            *wanted = weight_above_zero(value);
        else if (span_eq_nocase(parameter, SPAN("fhirVersion")))
            fits = version_known(value) ? fits + 1 : 0;
    }
    return fits;
}

bool
media_accepts_json(struct span accept)
{
    if (span_empty(span_trim(accept)))
        return true;
    for (size_t i = 0; i < NAMES; i++) {
        struct span rest = accept;
        int         best = 0;
        bool        take = false;
        while (rest.at != NULL) {
            bool        wanted;
            struct span range = span_trim(split_quoted(&rest, ','));
            int         fits  = precision(range, span_of(names[i]), &wanted);
            if (fits < best || fits == 0)
                continue;
            take = fits == best ? take || wanted : wanted;
            best = fits;
        }
        if (take)
            return true;
    }
    return false;
}

/* ---- _format ------------------------------------------------------------------ */

bool
media_format(struct span query, struct span *out)
{
    while (query.at != NULL) {
        struct span value = span_split(&query, '&');
        struct span name  = span_split(&value, '=');
        if (!span_eq_text(name, "_format"))
            continue;
        *out = value;
        return true;
    }
    return false;
}

bool
media_format_is_json(struct span format)
{
    char   text[64];
    size_t n = 0;

    for (size_t i = 0; i < format.length; i++) {
        char c = format.at[i];
        if (n == sizeof text)
            return false;
        if (c == '%' && i + 2 < format.length && digits_hex_value(format.at[i + 1]) >= 0 && digits_hex_value(format.at[i + 2]) >= 0) {
            c = (char)(digits_hex_value(format.at[i + 1]) * 16 + digits_hex_value(format.at[i + 2]));
            i += 2;
        }
        text[n++] = c == ' ' ? '+' : c;
    }
    struct span plain = span_from(text, n);
    return span_eq_nocase(plain, SPAN("json")) || media_of(plain) == MEDIA_FHIR_JSON;
}

bool
media_prefers(struct span prefer, struct span wanted, struct span *value)
{
    while (prefer.at != NULL) {
        struct span one  = split_quoted(&prefer, ',');
        struct span rest = span_trim(split_quoted(&one, ';'));
        struct span name = span_trim(span_split(&rest, '='));
        if (!span_eq_nocase(name, wanted))
            continue;
        *value = unquoted(span_trim(rest));
        return true;
    }
    return false;
}
