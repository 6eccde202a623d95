#include "fhir/type_rules.h"

#include "base/json_walk.h"
#include "fhir/bundle_table.h"
#include "fhir/datatypes.h"
#include "fhir/pack_format.h"

#define NOTHING ((struct span){ NULL, 0 })
/* Labels of one resource that are compared with each other. */
#define LABELS_MOST 64u

static void check_identifier(struct report *, tape_node, uint64_t place);
static void check_coding(struct report *, tape_node, uint64_t place);
static void check_attachment(struct report *, tape_node, uint64_t place);
static void check_labels(struct report *, tape_node, uint64_t place);
static void check_samples(struct report *, tape_node, uint64_t place);

void
type_rules(struct report *report, uint32_t flags, tape_node value, uint64_t place)
{
    if (flags & SHAPE_IDENTIFIER)
        check_identifier(report, value, place);
    if (flags & SHAPE_CODING)
        check_coding(report, value, place);
    if (flags & SHAPE_ATTACHMENT)
        check_attachment(report, value, place);
    if (flags & SHAPE_META)
        check_labels(report, value, place);
    if (flags & SHAPE_SAMPLES)
        check_samples(report, value, place);
}

static void
add(struct report *report, const struct finding *like, struct span wanted, struct span found, struct span hint)
{
    if (report_new(report, like))
        report_add(report, like, wanted, found, hint);
}

static struct span
member(const struct report *report, tape_node object, struct span name)
{
    return tape_member_text(report->bundle->tape, object, name, report->arena);
}

static bool
names_a_system(struct span system)
{
    return span_starts(system, SPAN("http:")) || span_starts(system, SPAN("https:"))
        || span_starts(system, SPAN("urn:"));
}

static void
check_identifier(struct report *report, tape_node value, uint64_t place)
{
    struct finding f      = { .node = value, .severity = SEVERITY_ERROR, .code = ISSUE_VALUE,
                              .rule = "identifier-system", .place = place };
    struct span    system = member(report, value, SPAN("system"));

    if (!span_empty(system) && !names_a_system(system) && !span_starts(system, SPAN("ldap:")))
        add(report, &f, SPAN("want Identifier.system to be an absolute URI"), SPAN("have one that is not"), NOTHING);
    if (!span_eq_text(system, "urn:ietf:rfc:3986"))
        return;
    struct span text = member(report, value, SPAN("value"));
    f.rule = "identifier-value";
    if (!span_empty(text) && !url_absolute(text))
        add(report, &f, SPAN("want an absolute URI as the value of an identifier of the system urn:ietf:rfc:3986"),
            SPAN("have one that is not"), SPAN("A UUID is written urn:uuid:…, an OID urn:oid:…"));
}

static void
check_coding(struct report *report, tape_node value, uint64_t place)
{
    struct finding f      = { .node = value, .severity = SEVERITY_ERROR, .code = ISSUE_CODE_INVALID,
                              .rule = "coding-system", .place = place };
    struct span    system = member(report, value, SPAN("system"));

    if (tape_member(report->bundle->tape, value, SPAN("code")) == TAPE_ABSENT)
        return;
    if (span_empty(system) && tape_member(report->bundle->tape, value, SPAN("_system")) == TAPE_ABSENT) {
        f.severity = SEVERITY_WARNING;
        f.place ^= 1;
        add(report, &f, SPAN("want the system of a code"), SPAN("have none"), NOTHING);
    } else if (!span_empty(system) && !names_a_system(system)) {
        add(report, &f, SPAN("want Coding.system to be an absolute URI"), SPAN("have one that is not"), NOTHING);
    }
}

/* Bytes that well-formed base64 stands for. */
static uint64_t
decoded_size(struct span data)
{
    uint64_t letters = 0;

    for (size_t i = 0; i < data.length; i++)
        letters += (unsigned char)data.at[i] > ' ' && data.at[i] != '=';
    return letters * 3 / 4;
}

static void
check_attachment(struct report *report, tape_node value, uint64_t place)
{
    const struct tape *t    = report->bundle->tape;
    struct finding     f    = { .node = value, .severity = SEVERITY_ERROR, .code = ISSUE_STRUCTURE,
                                .rule = "attachment-size", .place = place };
    tape_node          data = tape_member(t, value, SPAN("data")), size = tape_member(t, value, SPAN("size"));
    uint64_t           said = 0;

    if (tape_kind(t, data) == TAPE_STRING && tape_kind(t, size) == TAPE_NUMBER && span_to_u64(tape_raw(t, size), &said)
        && primitive_valid(t, data, PRIMITIVE_BASE64BINARY, report->arena, NULL)) {
        uint64_t have = decoded_size(tape_text(t, data, report->arena));
        if (have != said)
            add(report, &f, arena_format(report->arena, "want a size of %llu, as the data has", (unsigned long long)have),
                arena_format(report->arena, "have %llu", (unsigned long long)said), NOTHING);
    }
    static const char *const any[] = { "data", "url", "contentType", "language" };
    for (size_t i = 0; i < sizeof any / sizeof any[0]; i++)
        if (tape_member(t, value, span_of(any[i])) != TAPE_ABSENT)
            return;
    f.severity = SEVERITY_WARNING;
    f.place ^= 1;
    add(report, &f, SPAN("want data, url, contentType or language in an Attachment"), SPAN("have none of them"), NOTHING);
}

static void
check_labels(struct report *report, tape_node value, uint64_t place)
{
    const struct tape *t     = report->bundle->tape;
    struct finding     f     = { .severity = SEVERITY_ERROR, .code = ISSUE_BUSINESS_RULE, .rule = "security-unique",
                                 .place = place };
    tape_node          list  = tape_member(t, value, SPAN("security"));
    struct { struct span system, code; } labels[LABELS_MOST];
    uint32_t           count = 0;

    for (tape_node n = tape_kind(t, list) == TAPE_ARRAY ? tape_first(t, list) : TAPE_ABSENT;
         n != TAPE_ABSENT && count < LABELS_MOST; n = tape_next(t, n)) {
        labels[count].system = member(report, n, SPAN("system"));
        labels[count].code   = member(report, n, SPAN("code"));
        for (uint32_t i = 0; i < count; i++)
            if (span_eq(labels[i].system, labels[count].system) && span_eq(labels[i].code, labels[count].code)) {
                f.node = n;
                add(report, &f, SPAN("want every security label once"), SPAN("have one twice"), NOTHING);
                break;
            }
        count++;
    }
}

/* R4 datatypes.html#SampledData: -?[0-9]*.?[0-9]+, or one of three letters. */
static bool
is_sample(struct span word)
{
    size_t at = word.length > 0 && word.at[0] == '-', digits = 0;

    if (word.length == 1 && (word.at[0] == 'E' || word.at[0] == 'U' || word.at[0] == 'L'))
        return true;
    for (bool point = false; at < word.length; at++) {
        if (word.at[at] == '.' && !point) {
            point  = true;
            digits = 0;
        } else if (word.at[at] < '0' || word.at[at] > '9') {
            return false;
        } else {
            digits++;
        }
    }
    return digits > 0;
}

/* A word that is no number is no sample; white space between them is another matter. */
static void
check_samples(struct report *report, tape_node value, uint64_t place)
{
    const struct tape *t    = report->bundle->tape;
    tape_node          node = tape_member(t, value, SPAN("data"));
    struct finding     f    = { .node = node, .severity = SEVERITY_ERROR, .code = ISSUE_VALUE, .rule = "sampled-data", .place = place };
    struct span        rest = tape_kind(t, node) == TAPE_STRING ? tape_text(t, node, report->arena) : NOTHING;
    bool               odd  = false;

    for (size_t i = 0, start = 0; i <= rest.length && rest.length > 0; i++) {
        bool space = i == rest.length || (unsigned char)rest.at[i] <= ' ';
        odd        = odd || (space && (start == i || (i < rest.length && rest.at[i] != ' ')));
        if (!space)
            continue;
        if (i > start && !is_sample(span_from(rest.at + start, i - start))) {
            add(report, &f, SPAN("want decimals, E, U or L, one space between them"), SPAN("have something else"), NOTHING);
            return;
        }
        start = i + 1;
    }
    f.severity = SEVERITY_WARNING;
    f.place ^= 1;
    if (odd)
        add(report, &f, SPAN("want one space between samples, and none around them"), SPAN("have other white space"), NOTHING);
}
