#include "consent/label.h"

#include "fhir/code_system.h"

static const struct {
    const char     *system, *code, *display;
    enum label      parent;
    enum label_kind kind;
} rows[LABEL_COUNT] = {
    [LABEL_NONE] = { "", "", "", LABEL_NONE, LABEL_KIND_NONE },
#define LABEL(name, system, code, parent, kind, display) \
    [LABEL_##name] = { system, code, display, LABEL_##parent, LABEL_##kind },
#include "consent/labels.def"
#undef LABEL
};

/* Sensitivity labels, as a constant: most sets have none. */
static const label_set sensitivity = 0
#define LABEL(name, system, code, parent, kind, display) \
    | (LABEL_##kind == LABEL_SENSITIVITY ? LABEL_BIT(LABEL_##name) : 0)
#include "consent/labels.def"
#undef LABEL
    ;

/* Labels that stand over others; most do not. */
static const label_set branching = 0
#define LABEL(name, system, code, parent, kind, display) | LABEL_BIT(LABEL_##parent)
#include "consent/labels.def"
#undef LABEL
    ;

_Static_assert(LABEL_COUNT <= 64, "a label_set has 64 bits");

static enum label label_coded(enum code_system, struct span code);
static enum label label_moved(enum code_system, struct span code);

label_set
label_add(label_set set, enum label l)
{
    return l == LABEL_NONE ? set : set | LABEL_BIT(l);
}

bool
labels_have(label_set set, enum label l)
{
    return l != LABEL_NONE && (set & LABEL_BIT(l)) != 0;
}

bool
labels_meet(label_set a, label_set b)
{
    return (a & b) != 0;
}

const char *
label_code(enum label l)
{
    return rows[l].code;
}

const char *
label_system(enum label l)
{
    return rows[l].system;
}

const char *
label_display(enum label l)
{
    return rows[l].display;
}

enum label_kind
label_kind(enum label l)
{
    return rows[l].kind;
}

enum label
label_of_coding(struct span system, struct span code)
{
    enum code_system s = code_system_of(system);

    if (span_eq_text(code, rows[LABEL_PART2].code))
        return LABEL_PART2;                                  /* L3 */
    if (s != CODE_SYSTEM_UNKNOWN)
        return label_coded(s, code);
    if (!span_empty(system))
        return LABEL_NONE;
    enum label l = label_coded(CODE_SYSTEM_ACTCODE, code);
    return l != LABEL_NONE ? l : label_coded(CODE_SYSTEM_CONFIDENTIALITY, code);
}

static enum label
label_coded(enum code_system s, struct span code)
{
    if (s != CODE_SYSTEM_ACTCODE && s != CODE_SYSTEM_CONFIDENTIALITY)
        return LABEL_NONE;
    for (int l = 1; l < LABEL_COUNT; l++) {
        bool confidentiality = rows[l].kind == LABEL_CONFIDENTIALITY;
        if (confidentiality == (s == CODE_SYSTEM_CONFIDENTIALITY) && span_eq_text(code, rows[l].code))
            return (enum label)l;
    }
    return label_moved(s, code);
}

static enum label
label_moved(enum code_system s, struct span code)
{
    static const enum label once_confidentiality[] = { LABEL_ETH, LABEL_HIV, LABEL_PSY, LABEL_SDV };

    if (s == CODE_SYSTEM_ACTCODE)
        return span_eq_text(code, "NORDSLCD") ? LABEL_NORDSCLCD : LABEL_NONE;
    for (size_t i = 0; i < sizeof once_confidentiality / sizeof once_confidentiality[0]; i++)
        if (span_eq_text(code, rows[once_confidentiality[i]].code))
            return once_confidentiality[i];
    return LABEL_NONE;
}

static bool
descends(enum label l, enum label from)
{
    for (; l != LABEL_NONE; l = rows[l].parent)
        if (l == from)
            return true;
    return false;
}

static label_set
descendants(enum label of)
{
    label_set set = 0;

    if (!labels_meet(branching, LABEL_BIT(of)))
        return label_add(0, of);
    for (int l = 1; l < LABEL_COUNT; l++)
        if (descends((enum label)l, of))
            set = label_add(set, (enum label)l);
    return set;
}

label_set
labels_substance_use(void)
{
    /* descendants(LABEL_SUD) and ETH; a test compares. */
    return LABEL_BIT(LABEL_ETH) | LABEL_BIT(LABEL_SUD) | LABEL_BIT(LABEL_ETHUD) | LABEL_BIT(LABEL_OPIOIDUD);
}

label_set
label_closure(enum label l)
{
    label_set set = descendants(l);

    if (labels_meet(set, LABEL_BIT(LABEL_SUD) | LABEL_BIT(LABEL_ETH)))
        set |= labels_substance_use();                       /* L1 */
    return set;
}

label_set
labels_sensitive(label_set set)
{
    label_set out = 0;

    if (!labels_meet(set, sensitivity))
        return 0;
    for (label_set left = set & sensitivity; left != 0; left &= left - 1) {
        enum label l = (enum label)__builtin_ctzll(left);
        if (!labels_meet(set, descendants(l) & ~LABEL_BIT(l)))
            out = label_add(out, l);
    }
    return out;
}

int
labels_confidentiality(label_set set)
{
    set &= LABEL_BIT(LABEL_V + 1) - LABEL_BIT(LABEL_U);      /* U to V stand in their order */
    return set == 0 ? 0 : 63 - __builtin_clzll(set) - LABEL_U + 1;
}

size_t
labels_codes(label_set set, const char **out, size_t max)
{
    size_t n = 0;

    if (labels_meet(set, LABEL_BIT(LABEL_ETHUD) | LABEL_BIT(LABEL_OPIOIDUD)))
        set = label_add(set, LABEL_SUD);                     /* L4 */
    for (int l = 1; l < LABEL_COUNT; l++)
        if (labels_have(set, (enum label)l)) {
            if (n < max)
                out[n] = rows[l].code;
            n++;
        }
    return n;
}
