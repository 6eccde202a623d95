#include "fhir/package.h"

#include <string.h>

/* The steps before compiling: fhir/package_compile.c has the rest. */

#define TAR_BLOCK 512u

static bool        tar_number(struct span field, uint64_t *out);
static bool        tar_checksum_good(struct span header);
static struct span tar_text(struct span header, size_t offset, size_t length);
static struct span tar_name(struct span header, struct arena *);
static bool        name_safe(struct span name);

/* What a header before the next file says about it. */
struct tar_hints { struct span long_name; };

static bool pax_path(struct span records, struct span *out);

enum status
package_tar_next(struct span *rest, struct arena *arena, struct package_file *out)
{
    struct tar_hints hints = { { NULL, 0 } };

    while (rest->length >= TAR_BLOCK) {
        struct span header = span_first(*rest, TAR_BLOCK);
        uint64_t    size;
        if (header.at[0] == '\0')
            return ST_NOT_FOUND;                         /* the end is two blocks of zeros */
        if (!tar_checksum_good(header) || !tar_number(tar_text(header, 124, 12), &size)
            || size > rest->length - TAR_BLOCK)
            return ST_MALFORMED;
        struct span bytes = span_first(span_skip(*rest, TAR_BLOCK), (size_t)size);
        *rest = span_skip(*rest, TAR_BLOCK + ((size_t)size + TAR_BLOCK - 1) / TAR_BLOCK * TAR_BLOCK);
        switch (header.at[156]) {
        case '0':
        case '\0':
            out->name  = span_empty(hints.long_name) ? tar_name(header, arena) : hints.long_name;
            out->bytes = bytes;
            return name_safe(out->name) ? ST_OK : ST_MALFORMED;
        case '5':                                        /* a folder */
        case 'g':                                        /* pax: for all files */
            break;
        case 'x':
            if (!pax_path(bytes, &hints.long_name))
                return ST_MALFORMED;
            break;
        case 'L':                                        /* GNU: the name of the next file */
            hints.long_name = span_first(bytes, span_find_byte(bytes, '\0') == SPAN_NOT_FOUND
                                                    ? bytes.length : span_find_byte(bytes, '\0'));
            break;
        default:
            return ST_MALFORMED;
        }
    }
    return span_empty(*rest) ? ST_NOT_FOUND : ST_MALFORMED;
}

/* Text of a fixed field, up to its NUL. */
static struct span
tar_text(struct span header, size_t offset, size_t length)
{
    struct span field = span_first(span_skip(header, offset), length);
    size_t      end   = span_find_byte(field, '\0');

    return end == SPAN_NOT_FOUND ? field : span_first(field, end);
}

static bool
tar_number(struct span field, uint64_t *out)
{
    struct span digits = span_trim(field);
    uint64_t    value  = 0;

    for (size_t i = 0; i < digits.length; i++) {
        if (digits.at[i] < '0' || digits.at[i] > '7')
            return false;
        value = value * 8 + (uint64_t)(digits.at[i] - '0');
    }
    *out = value;
    return digits.length > 0;
}

/* The sum of all bytes with the checksum itself read as spaces. */
static bool
tar_checksum_good(struct span header)
{
    uint64_t want, sum = 0;

    for (size_t i = 0; i < header.length; i++)
        sum += i >= 148 && i < 156 ? (unsigned char)' ' : (unsigned char)header.at[i];
    return tar_number(tar_text(header, 148, 8), &want) && want == sum;
}

static struct span
tar_name(struct span header, struct arena *arena)
{
    struct span name   = tar_text(header, 0, 100);
    struct span prefix = tar_text(header, 345, 155);
    bool        ustar  = span_starts(span_skip(header, 257), SPAN("ustar"));

    if (!ustar || span_empty(prefix))
        return name;
    return arena_format(arena, "%.*s/%.*s", SPAN_PRINT(prefix), SPAN_PRINT(name));
}

/* "LENGTH KEY=VALUE\n" …; the path, when there is one. */
static bool
pax_path(struct span records, struct span *out)
{
    while (!span_empty(records)) {
        struct span rest = records;
        uint64_t    length;
        if (!span_to_u64(span_split(&rest, ' '), &length) || length > records.length
            || length < (uint64_t)(rest.at - records.at) + 1 || records.at[length - 1] != '\n')
            return false;
        struct span record = span_first(rest, (size_t)length - (size_t)(rest.at - records.at) - 1);
        if (span_starts(record, SPAN("path=")))
            *out = span_skip(record, 5);
        records = span_skip(records, (size_t)length);
    }
    return true;
}

static bool
name_safe(struct span name)
{
    if (span_empty(name) || name.at[0] == '/' || span_find_byte(name, '\\') != SPAN_NOT_FOUND)
        return false;
    for (struct span rest = name; rest.at != NULL;)
        if (span_eq_text(span_split(&rest, '/'), ".."))
            return false;
    return true;
}

/* ---- package.json ------------------------------------------------------------------ */

static enum status
refuse_manifest(struct issues *issues, struct span wanted, struct span found)
{
    struct issue one = { .severity = SEVERITY_ERROR, .code = ISSUE_INVALID, .rule = "package",
                         .expression = SPAN("package.json"), .wanted = wanted, .found = found };

    issues_add(issues, &one);
    return ST_MALFORMED;
}

static enum status
read_dependencies(const struct tape *t, struct arena *arena, struct issues *issues, struct package_manifest *m)
{
    tape_node list = tape_member(t, TAPE_ROOT, SPAN("dependencies"));

    if (list == TAPE_ABSENT)
        return ST_OK;
    if (tape_kind(t, list) != TAPE_OBJECT)
        return refuse_manifest(issues, SPAN("want dependencies to be an object"), (struct span){ NULL, 0 });
    struct package_name *all = arena_make_n(arena, (size_t)tape_children(t, list) + 1, struct package_name);
    if (all == NULL)
        return ST_NO_MEMORY;
    for (tape_node n = tape_first(t, list); n != TAPE_ABSENT; n = tape_next(t, n)) {
        if (tape_kind(t, n) != TAPE_STRING)
            return refuse_manifest(issues, SPAN("want the version of every dependency to be a string"),
                                   (struct span){ NULL, 0 });
        all[m->dependency_count++] = (struct package_name){ tape_text(t, tape_name(t, n), arena), tape_text(t, n, arena) };
    }
    m->dependencies = all;
    return ST_OK;
}

enum status
package_manifest_read(struct span json, struct arena *arena, struct issues *issues, struct package_manifest *out)
{
    const struct tape      *t;
    struct tape_error       error;
    struct package_manifest m = { .dependency_count = 0 };
    enum status             st = tape_read(json, &tape_default_limits, arena, &t, &error);

    if (st == ST_NO_MEMORY)
        return st;
    if (st != ST_OK)
        return refuse_manifest(issues, SPAN("want strict JSON"), span_of(tape_refusal_text(error.why)));
    m.name      = tape_member_text(t, TAPE_ROOT, SPAN("name"), arena);
    m.version   = tape_member_text(t, TAPE_ROOT, SPAN("version"), arena);
    m.canonical = tape_member_text(t, TAPE_ROOT, SPAN("canonical"), arena);
    if (span_empty(m.name) || span_empty(m.version))
        return refuse_manifest(issues, SPAN("want a name and a version"), SPAN("have none"));
    /* Both spellings are in use: fhirVersions, and fhir-version-list of old. */
    tape_node versions = tape_member(t, TAPE_ROOT, SPAN("fhirVersions"));
    if (versions == TAPE_ABSENT)
        versions = tape_member(t, TAPE_ROOT, SPAN("fhir-version-list"));
    m.fhir_version = tape_text(t, tape_item(t, versions, 0), arena);
    st = read_dependencies(t, arena, issues, &m);
    if (st == ST_OK && arena_spent(arena))
        st = ST_NO_MEMORY;
    if (st == ST_OK)
        *out = m;
    return st;
}
