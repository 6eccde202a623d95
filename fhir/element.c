#include "fhir/element.h"

#include "base/digits.h"
#include "base/json_walk.h"

#include <string.h>

/* Longest name that can have a twin.  FHIR's longest element name has 42
 * characters; a name over this bound is none of FHIR's. */
#define NAME_MAX_BYTES 127

struct name { char text[NAME_MAX_BYTES + 2]; size_t length; };   /* one more for the `_` */

static bool        name_read(const struct tape *, tape_node name, struct name *);
static bool        twin_name(const struct tape *, tape_node name, struct name *out);
static bool        suffix_after(const struct tape *, tape_node name, struct span stem, bool shadow,
                                struct span *suffix);
static struct span type_text(const struct tape *, tape_node name, struct span suffix);
static tape_node   real_item(const struct tape *, tape_node side, uint32_t index);
static tape_node   twin_of_member(const struct tape *, const tape_node *parents, tape_node);
static void        settle_pair(struct splices *, const struct tape *, tape_node value, tape_node shadow);

struct element
element_get(const struct tape *t, tape_node object, struct span name)
{
    struct element e = { tape_member(t, object, name), TAPE_ABSENT };
    char           shadow[NAME_MAX_BYTES + 1];

    if (name.length == 0 || name.length > NAME_MAX_BYTES)
        return e;
    shadow[0] = '_';
    memcpy(shadow + 1, name.at, name.length);
    e.shadow = tape_member(t, object, span_from(shadow, name.length + 1));
    return e;
}

/* An element of the stem, its other half, or one that is spelled with escapes. */
static bool
may_begin(struct span raw, struct span stem)
{
    return raw.length > 0 && (stem.length == 0 || raw.at[0] == stem.at[0] || raw.at[0] == '_' || raw.at[0] == '\\');
}

struct element
element_choice(const struct tape *t, tape_node object, struct span stem, struct span *type)
{
    struct element e = { TAPE_ABSENT, TAPE_ABSENT };
    struct span    suffix, found = { NULL, 0 };

    bool whole = walk_kind(t, object) == TAPE_OBJECT;
    for (tape_node n = whole ? walk_first(t, object) : TAPE_ABSENT; n != TAPE_ABSENT; n = walk_next(t, n)) {
        tape_node name = n - 1;
        if (!may_begin(walk_raw(t, name), stem))
            continue;
        if (e.value == TAPE_ABSENT && suffix_after(t, name, stem, false, &suffix)
            && (span_empty(found) || span_eq(found, suffix))) {
            e.value = n;
            found   = suffix;
        } else if (e.shadow == TAPE_ABSENT && suffix_after(t, name, stem, true, &suffix)
                   && (span_empty(found) || span_eq(found, suffix))) {
            e.shadow = n;
            found    = suffix;
        }
    }
    if (type != NULL)
        *type = found;
    return e;
}

bool
element_present(struct element e)
{
    return e.value != TAPE_ABSENT || e.shadow != TAPE_ABSENT;
}

struct element
element_item(const struct tape *t, struct element e, uint32_t index)
{
    return (struct element){ real_item(t, e.value, index), real_item(t, e.shadow, index) };
}

uint32_t
element_items(const struct tape *t, struct element e)
{
    uint32_t values  = tape_kind(t, e.value) == TAPE_ARRAY ? tape_children(t, e.value)
                                                          : e.value != TAPE_ABSENT;
    uint32_t shadows = tape_kind(t, e.shadow) == TAPE_ARRAY ? tape_children(t, e.shadow)
                                                           : e.shadow != TAPE_ABSENT;

    return values > shadows ? values : shadows;
}

tape_node
element_twin(const struct tape *t, const tape_node *parents, tape_node node)
{
    if (tape_kind(t, node) == TAPE_NAME)
        node++;
    if (node == TAPE_ABSENT || node == TAPE_ROOT)
        return TAPE_ABSENT;
    tape_node parent = parents[node];
    if (tape_kind(t, parent) == TAPE_OBJECT)
        return twin_of_member(t, parents, node);
    if (parent == TAPE_ROOT || tape_kind(t, parents[parent]) != TAPE_OBJECT)
        return TAPE_ABSENT;
    tape_node twin = twin_of_member(t, parents, parent);
    if (tape_kind(t, twin) != TAPE_ARRAY)
        return TAPE_ABSENT;
    return real_item(t, twin, tape_index(t, parent, node));
}

/* ---- cutting ------------------------------------------------------------------ */

void
element_cut(struct splices *splices, const struct tape *t, const tape_node *parents, tape_node node)
{
    if (tape_kind(t, node) == TAPE_NAME)
        node++;
    if (node == TAPE_ABSENT)
        return;
    splices_cut(splices, node);
    if (node == TAPE_ROOT || tape_kind(t, parents[node]) != TAPE_OBJECT)
        return;                                      /* an item: element_settle pairs it */
    tape_node twin = twin_of_member(t, parents, node);
    if (twin != TAPE_ABSENT)
        splices_cut(splices, twin);
}

/* A name that begins with `_` is written so, or with an escape. */
static bool
may_have_shadows(struct span body)
{
    if (span_find_byte(body, '\\') != SPAN_NOT_FOUND)
        return true;
    for (size_t at = 0, found; (found = span_find_byte(span_skip(body, at), '_')) != SPAN_NOT_FOUND; at += found + 1)
        if (at + found > 0 && body.at[at + found - 1] == '"')
            return true;
    return false;
}

/* Every pair has a member whose name begins with `_`, and those are rare. */
void
element_settle(struct splices *splices, const struct tape *t, const tape_node *parents,
               struct arena *scratch)
{
    const struct node *nodes = t->nodes;
    uint32_t           count = tape_count(t);

    (void)scratch;
    if (!may_have_shadows(tape_body(t)))
        return;
    for (tape_node list = TAPE_ROOT + 1; list <= count; list++) {
        if ((nodes[list].info & (NODE_KIND | NODE_MEMBER)) != (TAPE_ARRAY | NODE_MEMBER))
            continue;
        tape_node   n   = list - 1;
        struct span raw = walk_raw(t, n);
        if (raw.length < 2 || (raw.at[0] != '_' && raw.at[0] != '\\'))
            continue;
        struct name name;
        if (!name_read(t, n, &name) || name.text[0] != '_')
            continue;
        tape_node value = tape_member(t, parents[list], span_from(name.text + 1, name.length - 1));
        if (value != TAPE_ABSENT && tape_kind(t, value) != TAPE_ARRAY)
            value = TAPE_ABSENT;
        settle_pair(splices, t, value, list);
    }
}

/* Whether the cuts made so far leave nothing of a value: every leaf of it is
 * inside something cut.  (The seal cuts containers that were emptied; here it
 * must be known before, because an item of a parallel array may not vanish.) */
static bool
emptied(const struct splices *splices, const struct tape *t, tape_node node)
{
    tape_node after = tape_after(t, node);

    for (tape_node n = node; n < after;) {
        if (tape_kind(t, n) == TAPE_NAME)
            n++;
        else if (splices_is_cut(splices, n))
            n = tape_after(t, n);
        else if (tape_children(t, n) > 0)
            n++;
        else
            return false;
    }
    return true;
}

enum half { HALF_NONE = 0, HALF_NULL, HALF_CUT, HALF_EMPTIED, HALF_STAYS };

static enum half
half_of(const struct splices *splices, const struct tape *t, tape_node item)
{
    if (item == TAPE_ABSENT)
        return HALF_NONE;
    if (splices_is_cut(splices, item))
        return HALF_CUT;
    if (tape_kind(t, item) == TAPE_NULL)
        return HALF_NULL;
    return emptied(splices, t, item) ? HALF_EMPTIED : HALF_STAYS;
}

/* One index of a pair: both halves go, or one that the other still needs in
 * its place becomes null. */
static void
settle_item(struct splices *splices, tape_node v, enum half left, tape_node s, enum half right)
{
    bool emptied_one = left == HALF_EMPTIED || right == HALF_EMPTIED;

    if (left == HALF_CUT || right == HALF_CUT
        || (emptied_one && left != HALF_STAYS && right != HALF_STAYS)) {
        if (v != TAPE_ABSENT)
            splices_cut(splices, v);
        if (s != TAPE_ABSENT)
            splices_cut(splices, s);
        return;
    }
    if (left == HALF_EMPTIED)
        splices_replace(splices, v, SPAN("null"));
    if (right == HALF_EMPTIED)
        splices_replace(splices, s, SPAN("null"));
}

/* Walks both arrays side by side, twice: first to see whether anything was
 * cut and which side keeps something, then to cut. */
static void
settle_pair(struct splices *splices, const struct tape *t, tape_node value, tape_node shadow)
{
    bool touched = false, value_stays = false, shadow_stays = false;

    if (splices_is_cut(splices, shadow) || (value != TAPE_ABSENT && splices_is_cut(splices, value)))
        return;
    for (int pass = 1; pass <= 2; pass++) {
        tape_node v = tape_first(t, value), s = tape_first(t, shadow);
        while (v != TAPE_ABSENT || s != TAPE_ABSENT) {
            enum half left = half_of(splices, t, v), right = half_of(splices, t, s);
            bool both_go   = left == HALF_CUT || right == HALF_CUT;
            if (pass == 2)
                settle_item(splices, v, left, s, right);
            touched      = touched || both_go || left == HALF_EMPTIED || right == HALF_EMPTIED;
            value_stays  = value_stays || (left == HALF_STAYS && !both_go);
            shadow_stays = shadow_stays || (right == HALF_STAYS && !both_go);
            v = tape_next(t, v);
            s = tape_next(t, s);
        }
        if (!touched)
            return;
    }
    if (!value_stays && value != TAPE_ABSENT)
        splices_cut(splices, value);
    if (!shadow_stays)
        splices_cut(splices, shadow);
}

/* ---- names -------------------------------------------------------------------- */

/* The text of a name that could be FHIR's: ASCII of bounded length, escapes
 * undone.  False for any other: such a name has no twin. */
static bool
name_read(const struct tape *t, tape_node name, struct name *out)
{
    struct span raw = tape_raw(t, name);

    out->length = 0;
    if (raw.length == 0 || raw.length > (size_t)NAME_MAX_BYTES * 6)
        return false;
    for (size_t i = 0; i < raw.length; i++) {
        char c = raw.at[i];
        if (c == '\\') {
            if (raw.length - i < 6 || raw.at[i + 1] != 'u')
                return false;                        /* \n, \" …: not in a FHIR name */
            int code = 0;
            for (size_t k = i + 2; k < i + 6; k++)
                code = code * 16 + digits_hex_value(raw.at[k]);
            if (code >= 0x80)
                return false;
            c  = (char)code;
            i += 5;
        }
        if (c < 0x20 || out->length > NAME_MAX_BYTES)
            return false;
        out->text[out->length++] = c;
    }
    return true;
}

static bool
twin_name(const struct tape *t, tape_node name, struct name *out)
{
    struct name own;

    if (!name_read(t, name, &own))
        return false;
    if (own.text[0] == '_') {
        out->length = own.length - 1;
        memcpy(out->text, own.text + 1, out->length);
        return out->length > 0;
    }
    if (own.length > NAME_MAX_BYTES)
        return false;
    out->text[0] = '_';
    memcpy(out->text + 1, own.text, own.length);
    out->length = own.length + 1;
    return true;
}

static tape_node
twin_of_member(const struct tape *t, const tape_node *parents, tape_node member)
{
    struct name name;

    if (!twin_name(t, tape_name(t, member), &name))
        return TAPE_ABSENT;
    return tape_member(t, parents[member], span_from(name.text, name.length));
}

/* Whether `name` is stem + capital letter …; the suffix is borrowed from the
 * body, or is one of the static names of R4's types when the name came with
 * escapes. */
static bool
suffix_after(const struct tape *t, tape_node name, struct span stem, bool shadow, struct span *suffix)
{
    struct span raw     = tape_raw(t, name);
    struct name text    __attribute__((uninitialized));  /* hardly any name has escapes */
    bool        escaped = tape_escaped(t, name);

    if (escaped) {
        if (!name_read(t, name, &text))
            return false;
        raw = span_from(text.text, text.length);
    }
    if (shadow) {
        if (raw.length == 0 || raw.at[0] != '_')
            return false;
        raw = span_skip(raw, 1);
    }
    if (raw.length <= stem.length || !span_starts(raw, stem)
        || raw.at[stem.length] < 'A' || raw.at[stem.length] > 'Z')
        return false;
    struct span rest = span_skip(raw, stem.length);
    *suffix = escaped ? type_text(t, name, rest) : rest;
    return true;
}

/* R4 datatypes.html#open: what value[x] may be, and the types that other
 * choice elements of R4 add. */
static const char *const choice_types[] = {
    "Address", "Age", "Annotation", "Attachment", "Base64Binary", "Boolean", "Canonical", "Code",
    "CodeableConcept", "Coding", "ContactDetail", "ContactPoint", "Contributor", "Count",
    "DataRequirement", "Date", "DateTime", "Decimal", "Distance", "Dosage", "Duration", "Expression",
    "HumanName", "Id", "Identifier", "Instant", "Integer", "Markdown", "Meta", "Money", "Oid",
    "ParameterDefinition", "Period", "PositiveInt", "Quantity", "Range", "Ratio", "Reference",
    "RelatedArtifact", "SampledData", "Signature", "String", "Time", "Timing", "TriggerDefinition",
    "UnsignedInt", "Uri", "Url", "UsageContext", "Uuid",
};

static struct span
type_text(const struct tape *t, tape_node name, struct span suffix)
{
    for (size_t i = 0; i < sizeof choice_types / sizeof choice_types[0]; i++)
        if (span_eq_text(suffix, choice_types[i]))
            return span_of(choice_types[i]);
    return tape_raw(t, name);                        /* an unknown type: whatever it is, not one of R4's */
}

/* ---- items -------------------------------------------------------------------- */

/* Null is filler and reads as absent. */
static tape_node
real_item(const struct tape *t, tape_node side, uint32_t index)
{
    tape_node item = side;

    if (tape_kind(t, side) == TAPE_ARRAY)
        item = tape_item(t, side, index);
    else if (index > 0)
        return TAPE_ABSENT;
    return tape_kind(t, item) == TAPE_NULL ? TAPE_ABSENT : item;
}
