#include "fhir/code_system.h"

#include <string.h>

/* A folded URI; longer ones are in no row of the table. */
#define KEY_MAX 160

struct key { char text[KEY_MAX]; size_t length; };

struct row { uint8_t system; uint8_t length; const char *key; };

static const struct row rows[] = {
#define CODE_SYSTEM(name, plain, url)
#define ALIAS(name, key) { CODE_SYSTEM_##name, sizeof(key) - 1, key },
#include "fhir/code_system.def"
#undef CODE_SYSTEM
#undef ALIAS
};

static const struct { const char *plain, *url; size_t length; } systems[CODE_SYSTEM_COUNT] = {
    [CODE_SYSTEM_UNKNOWN] = { "unknown code system", "", 0 },
#define CODE_SYSTEM(name, plain, url) [CODE_SYSTEM_##name] = { plain, url, sizeof(url) - 1 },
#define ALIAS(name, key)
#include "fhir/code_system.def"
#undef CODE_SYSTEM
#undef ALIAS
};

static bool             fold_uri(struct span uri, struct key *);
static enum code_system find_key(const struct key *);
static bool             is_icd10(struct span);
static bool             is_digits(struct span, size_t least, size_t most);
static bool             is_letter_digits(struct span, size_t digits);

static char
lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

static char
upper(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c - ('a' - 'A')) : c;
}

static bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool
is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

enum code_system
code_system_of(struct span uri)
{
    struct key key;

    if (span_empty(uri))
        return CODE_SYSTEM_UNKNOWN;
    /* Most codings are spelt as R4 spells them. */
    for (int s = 1; s < CODE_SYSTEM_COUNT; s++)
        if (systems[s].length == uri.length && memcmp(systems[s].url, uri.at, uri.length) == 0)
            return (enum code_system)s;
    return fold_uri(uri, &key) ? find_key(&key) : CODE_SYSTEM_UNKNOWN;
}

const char *
code_system_name(enum code_system s)
{
    return systems[s].plain;
}

const char *
code_system_url(enum code_system s)
{
    return systems[s].url;
}

static struct span
drop_prefix(struct span s, struct span prefix)
{
    return s.length >= prefix.length && span_eq_nocase(span_first(s, prefix.length), prefix)
        ? span_skip(s, prefix.length) : s;
}

static bool
fold_uri(struct span uri, struct key *out)
{
    uri = span_trim(uri);
    size_t bar = span_find_byte(uri, '|');
    if (bar != SPAN_NOT_FOUND)
        uri = span_first(uri, bar);
    struct span bare = drop_prefix(uri, SPAN("https://"));
    bare = drop_prefix(bare, SPAN("http://"));
    bare = drop_prefix(bare, SPAN("urn:oid:"));
    bare = drop_prefix(bare, SPAN("oid:"));
    bare = drop_prefix(bare, SPAN("www."));
    while (bare.length > 0 && bare.at[bare.length - 1] == '/')
        bare.length--;
    if (bare.length == 0 || bare.length > KEY_MAX)
        return false;
    for (size_t i = 0; i < bare.length; i++)
        out->text[i] = lower(bare.at[i]);
    out->length = bare.length;
    return true;
}

static bool
key_is(const struct key *k, const char *text, size_t length)
{
    return k->length == length && memcmp(k->text, text, length) == 0;
}

static enum code_system
find_key(const struct key *k)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (key_is(k, rows[i].key, rows[i].length))
            return (enum code_system)rows[i].system;
    /* An edition or a version of SNOMED CT: http://snomed.info/sct/731000124108/version/20240301
     * (SNOMED CT URI standard 2.1). */
    if (span_starts(span_from(k->text, k->length), SPAN("snomed.info/sct/")))
        return CODE_SYSTEM_SNOMED;
    return CODE_SYSTEM_UNKNOWN;
}

struct code
code_fold(enum code_system system, struct span code)
{
    struct code out  = { .length = 0 };
    bool        icd  = system == CODE_SYSTEM_ICD10CM || system == CODE_SYSTEM_ICD10
                    || system == CODE_SYSTEM_ICD9CM || system == CODE_SYSTEM_ICD10PCS;

    /* "940" and "0940" are one revenue code (NUBC: four digits). */
    if (system == CODE_SYSTEM_REVENUE && is_digits(code, 3, 3))
        out.text[out.length++] = '0';
    for (size_t i = 0; i < code.length; i++) {
        char c = upper(code.at[i]);
        if (c <= ' ' || c == 0x7f || (icd && c == '.'))    /* c < 0 too: not ASCII */
            continue;
        if (out.length == CODE_MAX)
            return (struct code){ .length = 0 };
        out.text[out.length++] = c;
    }
    /* "F11.-" is how ICD prints a category. */
    while (icd && out.length > 0 && out.text[out.length - 1] == '-')
        out.length--;
    return out;
}

struct span
code_span(const struct code *c)
{
    return span_from(c->text, c->length);
}

static bool
is_digits(struct span s, size_t least, size_t most)
{
    if (s.length < least || s.length > most)
        return false;
    for (size_t i = 0; i < s.length; i++)
        if (!is_digit(s.at[i]))
            return false;
    return true;
}

static bool
is_letter_digits(struct span s, size_t digits)
{
    return s.length == digits + 1 && is_upper(s.at[0]) && is_digits(span_skip(s, 1), digits, digits);
}

/* A letter, a digit, a digit or letter, then up to four more; a dot, if any,
 * in the fourth place (ICD-10-CM Official Guidelines I.A.2). */
static bool
is_icd10(struct span s)
{
    size_t n = 0;

    for (size_t i = 0; i < s.length; i++) {
        char c = s.at[i];
        if (c == '.' && i == 3 && s.length > 4)
            continue;
        if (!is_upper(c) && !is_digit(c))
            return false;
        if ((n == 0 && !is_upper(c)) || (n == 1 && !is_digit(c)))
            return false;
        n++;
    }
    return n >= 3 && n <= 7;
}

/* Ten characters that end in X (NUCC Health Care Provider Taxonomy). */
static bool
is_nucc(struct span s)
{
    if (s.length != 10 || s.at[9] != 'X' || !is_digits(span_first(s, 3), 3, 3))
        return false;
    for (size_t i = 3; i < 9; i++)
        if (!is_digit(s.at[i]) && !is_upper(s.at[i]))
            return false;
    return true;
}

enum code_system
code_shape(struct span raw)
{
    struct code folded = code_fold(CODE_SYSTEM_UNKNOWN, raw);
    struct span s      = code_span(&folded);

    if (code_check_loinc(s))
        return CODE_SYSTEM_LOINC;
    if (is_nucc(s))
        return CODE_SYSTEM_NUCC;
    if (s.length == 7 && span_starts(s, SPAN("HZ")))
        return CODE_SYSTEM_ICD10PCS;
    /* With a dot it is ICD; H0020 without one is HCPCS, F1120 is not (HCPCS has no F). */
    if (is_letter_digits(s, 4) && s.at[0] != 'F')
        return CODE_SYSTEM_HCPCS;
    if (is_icd10(s))
        return CODE_SYSTEM_ICD10CM;
    /* Six digits are too few to be told from an RxNorm or a local number. */
    if (is_digits(s, 7, 18) && code_check_snomed(s))
        return CODE_SYSTEM_SNOMED;
    return CODE_SYSTEM_UNKNOWN;
}

bool
code_well_formed(enum code_system system, struct span raw)
{
    struct code folded = code_fold(system, raw);
    struct span s      = code_span(&folded);

    switch (system) {
    case CODE_SYSTEM_ICD10CM:
    case CODE_SYSTEM_ICD10:
        return is_icd10(s);
    case CODE_SYSTEM_ICD10PCS:
        return s.length == 7 && (is_upper(s.at[0]) || is_digit(s.at[0]));
    case CODE_SYSTEM_ICD9CM:
        /* Its only letters are V and E, of the two supplementary classifications. */
        return is_digits(s, 3, 5)
            || (s.length > 0 && (s.at[0] == 'V' || s.at[0] == 'E')
                && (is_letter_digits(s, 2) || is_letter_digits(s, 3) || is_letter_digits(s, 4)));
    case CODE_SYSTEM_SNOMED:
        return is_digits(s, 6, 18) && code_check_snomed(s);
    case CODE_SYSTEM_LOINC:
        return code_check_loinc(s);
    case CODE_SYSTEM_RXNORM:
        return is_digits(s, 1, 8);
    case CODE_SYSTEM_CPT:
    case CODE_SYSTEM_HCPCS:
        return is_digits(s, 5, 5) || is_letter_digits(s, 4)
            || (s.length == 5 && is_digits(span_first(s, 4), 4, 4) && is_upper(s.at[4]))
            || (s.length == 2 && (is_upper(s.at[0]) || is_digit(s.at[0])));    /* a modifier */
    case CODE_SYSTEM_NUCC:
        return is_nucc(s);
    case CODE_SYSTEM_PLACE:
        return is_digits(s, 2, 2);
    case CODE_SYSTEM_REVENUE:
        return is_digits(s, 4, 4);
    case CODE_SYSTEM_NPI:
        return code_check_npi(s);
    default:
        return s.length > 0;
    }
}

bool
code_check_snomed(struct span s)
{
    /* Verhoeff 1969: multiplication in the dihedral group D5, and the eight
     * powers of the permutation. */
    static const uint8_t multiply[10][10] = {
        { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 }, { 1, 2, 3, 4, 0, 6, 7, 8, 9, 5 }, { 2, 3, 4, 0, 1, 7, 8, 9, 5, 6 },
        { 3, 4, 0, 1, 2, 8, 9, 5, 6, 7 }, { 4, 0, 1, 2, 3, 9, 5, 6, 7, 8 }, { 5, 9, 8, 7, 6, 0, 4, 3, 2, 1 },
        { 6, 5, 9, 8, 7, 1, 0, 4, 3, 2 }, { 7, 6, 5, 9, 8, 2, 1, 0, 4, 3 }, { 8, 7, 6, 5, 9, 3, 2, 1, 0, 4 },
        { 9, 8, 7, 6, 5, 4, 3, 2, 1, 0 } };
    static const uint8_t permute[8][10] = {
        { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 }, { 1, 5, 7, 6, 2, 8, 3, 0, 9, 4 }, { 5, 8, 0, 3, 7, 9, 6, 1, 4, 2 },
        { 8, 9, 1, 6, 0, 4, 3, 5, 2, 7 }, { 9, 4, 5, 3, 1, 2, 6, 8, 7, 0 }, { 4, 2, 8, 6, 5, 7, 3, 9, 0, 1 },
        { 2, 7, 9, 3, 8, 0, 6, 4, 1, 5 }, { 7, 0, 4, 6, 9, 1, 3, 2, 5, 8 } };
    uint8_t check = 0;

    if (!is_digits(s, 6, 18))
        return false;
    for (size_t i = 0; i < s.length; i++)
        check = multiply[check][permute[i & 7][s.at[s.length - 1 - i] - '0']];
    return check == 0;
}

/* Luhn over the digits: true when the whole number, check digit last, adds up
 * to a multiple of ten. */
static unsigned
luhn_sum(struct span digits)
{
    unsigned sum = 0;

    for (size_t i = 0; i < digits.length; i++) {
        unsigned d = (unsigned)(digits.at[digits.length - 1 - i] - '0');
        if (i & 1)
            d = d * 2 > 9 ? d * 2 - 9 : d * 2;
        sum += d;
    }
    return sum;
}

bool
code_check_loinc(struct span s)
{
    char   digits[8];
    size_t n = 0;

    if (s.length < 3 || s.length > sizeof digits + 1 || s.at[s.length - 2] != '-')
        return false;
    for (size_t i = 0; i < s.length; i++) {
        if (i == s.length - 2)
            continue;
        if (!is_digit(s.at[i]))
            return false;
        digits[n++] = s.at[i];
    }
    return luhn_sum(span_from(digits, n)) % 10 == 0;
}

bool
code_check_npi(struct span s)
{
    /* 24 is what the constant prefix 80840 adds to the sum. */
    return is_digits(s, 10, 10) && (luhn_sum(s) + 24) % 10 == 0;
}
