#include "fhir/datatypes.h"

#include "base/digits.h"

/* R4 datatypes.html#string: at most 1 MB; the definition's maxLength counts
 * characters. */
#define STRING_MAX_CHARACTERS PRIMITIVE_STRING_MAX

enum json_kind { KIND_NONE, KIND_FLAG, KIND_NUMBER, KIND_STRING };

static const struct {
    const char    *name;
    enum json_kind kind;
    const char    *wanted;
} rows[] = {
    [PRIMITIVE_NONE]         = { NULL, KIND_NONE, "want a primitive" },
    [PRIMITIVE_BOOLEAN]      = { "boolean", KIND_FLAG, "want true or false" },
    [PRIMITIVE_INTEGER]      = { "integer", KIND_NUMBER, "want a whole number from -2147483648 to 2147483647" },
    [PRIMITIVE_STRING]       = { "string", KIND_STRING,
                                 "want a string of 1 to 1048576 characters, without form feed and vertical tab" },
    [PRIMITIVE_DECIMAL]      = { "decimal", KIND_NUMBER, "want a decimal number" },
    [PRIMITIVE_URI]          = { "uri", KIND_STRING, "want a URI without white space; urn:oid: and urn:uuid: well formed and spelt out" },
    [PRIMITIVE_URL]          = { "url", KIND_STRING, "want a URL without white space" },
    [PRIMITIVE_CANONICAL]    = { "canonical", KIND_STRING, "want an absolute canonical URL without white space, or # and an id" },
    [PRIMITIVE_BASE64BINARY] = { "base64Binary", KIND_STRING,
                                 "want base64 in groups of four characters, padded with =" },
    [PRIMITIVE_INSTANT]      = { "instant", KIND_STRING,
                                 "want an instant YYYY-MM-DDThh:mm:ss[.sss] with Z or a zone +hh:mm" },
    [PRIMITIVE_DATE]         = { "date", KIND_STRING, "want a date YYYY, YYYY-MM or YYYY-MM-DD that exists" },
    [PRIMITIVE_DATETIME]     = { "dateTime", KIND_STRING,
                                 "want a dateTime YYYY, YYYY-MM, YYYY-MM-DD or YYYY-MM-DDThh:mm:ss[.sss] with Z "
                                 "or a zone +hh:mm" },
    [PRIMITIVE_TIME]         = { "time", KIND_STRING, "want a time hh:mm:ss[.sss] without a zone" },
    [PRIMITIVE_CODE]         = { "code", KIND_STRING,
                                 "want a code: no white space at either end, single spaces inside" },
    [PRIMITIVE_OID]          = { "oid", KIND_STRING, "want an OID as urn:oid:1.2.3" },
    [PRIMITIVE_ID]           = { "id", KIND_STRING, "want 1 to 64 of the characters A-Z a-z 0-9 - ." },
    [PRIMITIVE_MARKDOWN]     = { "markdown", KIND_STRING,
                                 "want markdown of 1 to 1048576 characters, without form feed and vertical tab" },
    [PRIMITIVE_UNSIGNEDINT]  = { "unsignedInt", KIND_NUMBER, "want a whole number from 0 to 2147483647" },
    [PRIMITIVE_POSITIVEINT]  = { "positiveInt", KIND_NUMBER, "want a whole number from 1 to 2147483647" },
    [PRIMITIVE_UUID]         = { "uuid", KIND_STRING, "want a UUID as urn:uuid: and lower-case hexadecimal" },
    [PRIMITIVE_XHTML]        = { "xhtml", KIND_STRING, "want XHTML in one string" },
};

#define ROWS (sizeof rows / sizeof rows[0])

static bool lexical(enum primitive, struct span text);

enum primitive
primitive_named(struct span fhir_name)
{
    for (size_t i = 1; i < ROWS; i++)
        if (span_eq_text(fhir_name, rows[i].name))
            return (enum primitive)i;
    return PRIMITIVE_NONE;
}

const char *
primitive_name(enum primitive which)
{
    return (unsigned)which < ROWS && rows[which].name != NULL ? rows[which].name : "";
}

static bool
string_valid(const struct tape *t, tape_node node, enum primitive which, struct arena *scratch)
{
    return primitive_plain(t, node, which) || lexical(which, walk_text(t, node, scratch));
}

bool
primitive_valid(const struct tape *t, tape_node node, enum primitive which, struct arena *scratch,
                const char **wanted)
{
    enum tape_kind kind = walk_kind(t, node);
    bool           good = false;

    switch ((unsigned)which < ROWS ? rows[which].kind : KIND_NONE) {
    case KIND_FLAG:
        good = kind == TAPE_TRUE || kind == TAPE_FALSE;
        break;
    case KIND_NUMBER:
        good = kind == TAPE_NUMBER && lexical(which, walk_raw(t, node));
        break;
    case KIND_STRING:
        good = kind == TAPE_STRING && string_valid(t, node, which, scratch);
        break;
    case KIND_NONE:
        break;
    }
    if (!good && wanted != NULL)
        *wanted = rows[(unsigned)which < ROWS ? which : PRIMITIVE_NONE].wanted;
    return good;
}

/* ---- text ---------------------------------------------------------------------- */

static bool
is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Regex of the type definition, [ \r\n\t\S]+, which refuses form feed and
 * vertical tab; other control characters, and white space alone, only SHOULD
 * not be (R4 datatypes.html#string): see primitive_doubtful(). */
static bool
text_valid(struct span s)
{
    size_t characters = 0;

    for (size_t i = 0; i < s.length; i++) {
        unsigned char c = (unsigned char)s.at[i];
        if (c == '\f' || c == '\v')
            return false;
        characters += (c & 0xc0) != 0x80;
    }
    return s.length > 0 && characters <= STRING_MAX_CHARACTERS;
}

bool
primitive_doubtful(const struct tape *t, tape_node node, enum primitive which, struct arena *scratch)
{
    bool text  = which == PRIMITIVE_STRING || which == PRIMITIVE_MARKDOWN;
    bool blank = true, control = false;

    if (!text || walk_kind(t, node) != TAPE_STRING || primitive_plain(t, node, which))
        return false;
    struct span s = tape_text(t, node, scratch);
    for (size_t i = 0; i < s.length; i++) {
        unsigned char c = (unsigned char)s.at[i];
        control = control || (c < 0x20 && !is_space((char)c));
        blank   = blank && c <= 0x20;
    }
    return blank || control;
}

/* [^\s]+(\s[^\s]+)*, and the sentence beside it: no white space but single
 * spaces (datatypes.html#code). */
static bool
code_valid(struct span s)
{
    bool spaced = true;                              /* so that a space in front is refused */

    for (size_t i = 0; i < s.length; i++) {
        bool space = (unsigned char)s.at[i] <= 0x20;
        if (space && (spaced || s.at[i] != ' '))
            return false;
        spaced = space;
    }
    return !spaced;
}

static bool
id_valid(struct span s)
{
    static const bool allowed[256] = { ['A' ... 'Z'] = true, ['a' ... 'z'] = true, ['0' ... '9'] = true,
                                       ['-'] = true, ['.'] = true };
    bool good = s.length >= 1 && s.length <= 64;

    for (size_t i = 0; good && i < s.length; i++)
        good = allowed[(unsigned char)s.at[i]];
    return good;
}

/* urn:oid:[0-2](\.(0|[1-9][0-9]*))+ */
static bool
oid_valid(struct span s)
{
    if (!span_starts(s, SPAN("urn:oid:")))
        return false;
    struct span rest = span_skip(s, 8);
    struct span arc  = span_split(&rest, '.');
    if (arc.length != 1 || arc.at[0] < '0' || arc.at[0] > '2' || rest.at == NULL)
        return false;
    while (rest.at != NULL) {
        arc = span_split(&rest, '.');
        if (arc.length == 0 || (arc.at[0] == '0' && arc.length > 1))
            return false;
        for (size_t i = 0; i < arc.length; i++)
            if (arc.at[i] < '0' || arc.at[i] > '9')
                return false;
    }
    return true;
}

static bool
uuid_valid(struct span s, bool upper_too)
{
    enum { LOWER = 1, ANY = 2 };
    static const unsigned char hex[256] = { ['0' ... '9'] = LOWER | ANY, ['a' ... 'f'] = LOWER | ANY, ['A' ... 'F'] = ANY };
    unsigned char              all = upper_too ? ANY : LOWER;

    if (s.length != 45 || !span_starts(s, SPAN("urn:uuid:")) || s.at[17] != '-' || s.at[22] != '-' || s.at[27] != '-'
        || s.at[32] != '-')
        return false;
    for (size_t i = 9; i < 45; i++)                      /* without branches: most are right */
        all &= i == 17 || i == 22 || i == 27 || i == 32 ? all : hex[(unsigned char)s.at[i]];
    return all != 0;
}

/* \S*, but one that is empty is no value.  RFC 4122 3 takes upper case where a
 * uuid of R4 does not; "oid:" and "uuid:" are slips for URNs. */
static bool
uri_valid(struct span s, enum primitive which)
{
    if (!primitive_one_word(s) || span_starts(s, SPAN("oid:")) || span_starts(s, SPAN("uuid:")))
        return false;
    if (which == PRIMITIVE_CANONICAL && s.at[0] != '#') {
        size_t colon = span_find_byte(s, ':');
        if (colon == SPAN_NOT_FOUND || colon == 0 || span_find_byte(span_first(s, colon), '/') != SPAN_NOT_FOUND)
            return false;
    }
    size_t end = span_find_byte(s, '#');
    if (end != SPAN_NOT_FOUND)
        s = span_first(s, end);
    end = which == PRIMITIVE_CANONICAL ? span_find_last_byte(s, '|') : SPAN_NOT_FOUND;
    if (end != SPAN_NOT_FOUND)
        s = span_first(s, end);
    if (span_starts(s, SPAN("urn:uuid:")))
        return uuid_valid(s, true);
    return !span_starts(s, SPAN("urn:oid:")) || oid_valid(s);
}

enum base64_class { BASE64_NOT = 0, BASE64_LETTER = 1, BASE64_PADDING = 2, BASE64_SPACE = 4 };

static const unsigned char base64_classes[256] = {
    ['A' ... 'Z'] = BASE64_LETTER, ['a' ... 'z'] = BASE64_LETTER, ['0' ... '9'] = BASE64_LETTER,
    ['+'] = BASE64_LETTER, ['/'] = BASE64_LETTER, ['='] = BASE64_PADDING,
    [' '] = BASE64_SPACE, ['\t'] = BASE64_SPACE, ['\r'] = BASE64_SPACE, ['\n'] = BASE64_SPACE,
};

/* How many letters there are, eight at a time: nearly all of it is. */
static size_t
base64_letters(struct span s)
{
    const unsigned char *at = (const unsigned char *)s.at;
    size_t               i  = 0;

    for (; s.length - i >= 8; i += 8) {
        unsigned char all = base64_classes[at[i]] & base64_classes[at[i + 1]] & base64_classes[at[i + 2]]
                          & base64_classes[at[i + 3]] & base64_classes[at[i + 4]] & base64_classes[at[i + 5]]
                          & base64_classes[at[i + 6]] & base64_classes[at[i + 7]];
        if (!(all & BASE64_LETTER))
            break;
    }
    return i;
}

/* Quartets and padding, RFC 4648 4; R4 allows white space anywhere between. */
static bool
base64_valid(struct span s)
{
    size_t characters = 0, padding = 0;

    for (size_t i = 0; i < s.length; i++) {
        size_t letters = padding == 0 ? base64_letters(span_skip(s, i)) : 0;
        characters += letters;
        if ((i += letters) == s.length)
            break;
        unsigned char class = base64_classes[(unsigned char)s.at[i]];
        if (class == BASE64_NOT || (class == BASE64_LETTER && padding > 0))
            return false;
        characters += class != BASE64_SPACE;
        padding    += class == BASE64_PADDING;
    }
    return characters > 0 && characters % 4 == 0 && padding <= 2;
}

/* ---- numbers ------------------------------------------------------------------- */

/* The tape has read a number of RFC 8259 6, which is the decimal of R4. */
static bool
integer_between(struct span s, bool negative_allowed, uint64_t least)
{
    bool     negative = s.length > 0 && s.at[0] == '-';
    uint64_t value;

    if (negative && !negative_allowed)
        return false;
    if (!span_to_u64(span_skip(s, negative), &value))
        return false;                                /* 1.0 and 1e2 are not integers */
    return value <= (negative ? 2147483648u : 2147483647u) && value >= least;
}

/* ---- dates and times ------------------------------------------------------------ */

struct moment {
    unsigned year, month, day;                       /* month, day 0: not stated */
    unsigned hour, minute, second;
    unsigned millisecond, digits;                    /* of the fraction; digits up to 3 count */
    int      zone_minutes;
    bool     timed, zoned;
};

static unsigned
days_in(unsigned year, unsigned month)
{
    static const unsigned char days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return month == 2 && leap ? 29 : days[month - 1];
}

/* Two digits; 100 when they are none, which no bound lets through. */
static inline unsigned
two_digits(const char *p)
{
    unsigned tens = (unsigned)(unsigned char)p[0] - '0', ones = (unsigned)(unsigned char)p[1] - '0';

    return tens <= 9 && ones <= 9 ? tens * 10 + ones : 100;
}

/* ".123": up to three digits count, the rest must be digits.  Bytes taken, 0
 * when there is no digit. */
static size_t
fraction_read(struct span s, struct moment *m)
{
    size_t i = 1;

    for (; i < s.length && s.at[i] >= '0' && s.at[i] <= '9'; i++)
        if (m->digits < 3) {
            m->millisecond = m->millisecond * 10 + (unsigned)(s.at[i] - '0');
            m->digits++;
        }
    for (unsigned missing = m->digits; missing < 3; missing++)
        m->millisecond *= 10;
    return i > 1 ? i : 0;
}

/* "hh:mm:ss[.sss]"; what is behind it stays in *s. */
static bool
clock_read(struct span *s, struct moment *m)
{
    if (s->length < 8 || s->at[2] != ':' || s->at[5] != ':')
        return false;
    m->hour   = two_digits(s->at);
    m->minute = two_digits(s->at + 3);
    m->second = two_digits(s->at + 6);
    *s = span_skip(*s, 8);
    if (s->length > 0 && s->at[0] == '.') {
        size_t taken = fraction_read(*s, m);
        if (taken == 0)
            return false;
        *s = span_skip(*s, taken);
    }
    return m->hour <= 23 && m->minute <= 59 && m->second <= 60;
}

/* "Z" or "+hh:mm", and nothing behind it. */
static bool
zone_read(struct span s, struct moment *m)
{
    m->zoned = true;
    if (s.length == 1)
        return s.at[0] == 'Z';
    if (s.length != 6 || (s.at[0] != '+' && s.at[0] != '-') || s.at[3] != ':')
        return false;
    unsigned hours = two_digits(s.at + 1), minutes = two_digits(s.at + 4);
    m->zone_minutes = (s.at[0] == '-' ? -1 : 1) * (int)(hours * 60 + minutes);
    return minutes <= 59 && hours * 60 + minutes <= 14 * 60;
}

static bool
day_read(struct span s, struct moment *m)
{
    unsigned century = s.length >= 4 ? two_digits(s.at) : 100, year = s.length >= 4 ? two_digits(s.at + 2) : 100;

    m->year = century * 100 + year;
    if (century > 99 || year > 99 || m->year == 0)
        return false;
    if (s.length == 4)
        return true;
    if (s.length < 7 || s.at[4] != '-')
        return false;
    m->month = two_digits(s.at + 5);
    if (m->month < 1 || m->month > 12)
        return false;
    if (s.length == 7)
        return true;
    if (s.length < 10 || s.at[7] != '-')
        return false;
    m->day = two_digits(s.at + 8);
    return m->day >= 1 && m->day <= days_in(m->year, m->month);
}

/* Any of date, dateTime, instant; the zone may be missing. */
static bool
moment_read(struct span text, struct moment *out)
{
    struct moment m = { 0 };

    if (!day_read(text, &m))
        return false;
    if (text.length > 10) {
        struct span rest = span_skip(text, 11);
        m.timed = true;
        if (text.at[10] != 'T' || !clock_read(&rest, &m) || (rest.length > 0 && !zone_read(rest, &m)))
            return false;
    }
    *out = m;
    return true;
}

static bool
time_valid(struct span text)
{
    struct moment m = { 0 };

    return clock_read(&text, &m) && text.length == 0;
}

static bool
lexical(enum primitive which, struct span s)
{
    struct moment m;

    switch (which) {
    case PRIMITIVE_STRING:
    case PRIMITIVE_MARKDOWN:
    case PRIMITIVE_XHTML:        return text_valid(s);
    case PRIMITIVE_URI:
    case PRIMITIVE_URL:
    case PRIMITIVE_CANONICAL:    return uri_valid(s, which);
    case PRIMITIVE_BASE64BINARY: return base64_valid(s);
    case PRIMITIVE_INSTANT:      return moment_read(s, &m) && m.timed && m.zoned;
    case PRIMITIVE_DATE:         return moment_read(s, &m) && !m.timed;
    case PRIMITIVE_DATETIME:     return moment_read(s, &m) && m.timed == m.zoned;
    case PRIMITIVE_TIME:         return time_valid(s);
    case PRIMITIVE_CODE:         return code_valid(s);
    case PRIMITIVE_OID:          return oid_valid(s);
    case PRIMITIVE_ID:           return id_valid(s);
    case PRIMITIVE_UUID:         return uuid_valid(s, false);
    case PRIMITIVE_INTEGER:      return integer_between(s, true, 0);
    case PRIMITIVE_UNSIGNEDINT:  return integer_between(s, false, 0);
    case PRIMITIVE_POSITIVEINT:  return integer_between(s, false, 1);
    case PRIMITIVE_DECIMAL:      return true;        /* RFC 8259 6 says all that R4 says */
    case PRIMITIVE_BOOLEAN:
    case PRIMITIVE_NONE:         break;
    }
    return false;
}

/* ---- ranges -------------------------------------------------------------------- */

#define DAY_MS INT64_C(86400000)

/* Days since 1970-01-01 of a day in the proleptic Gregorian calendar, by the
 * count of days before a year that begins in March. */
static int64_t
days_from_civil(int64_t year, unsigned month, unsigned day)
{
    year -= month <= 2;
    int64_t  era    = (year >= 0 ? year : year - 399) / 400;
    unsigned yoe    = (unsigned)(year - era * 400);
    unsigned doy    = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    unsigned doe    = yoe * 365 + yoe / 4 - yoe / 100 + doy;

    return era * 146097 + (int64_t)doe - 719468;
}

static int64_t
clock_ms(const struct moment *m)
{
    return ((int64_t)m->hour * 3600 + m->minute * 60 + m->second) * 1000 + m->millisecond
         - (int64_t)m->zone_minutes * 60000;
}

bool
time_range_read(struct span text, struct time_range *out)
{
    static const int64_t width_ms[] = { 1000, 100, 10, 1 };  /* by digits of the fraction */
    struct moment        m;

    if (!moment_read(text, &m))
        return false;
    int64_t first = days_from_civil(m.year, m.month > 0 ? m.month : 1, m.day > 0 ? m.day : 1) * DAY_MS;
    int64_t past;
    if (m.timed) {
        first += clock_ms(&m);
        past   = first + width_ms[m.digits];
    } else if (m.day > 0) {
        past = first + DAY_MS;
    } else if (m.month > 0) {
        past = first + (int64_t)days_in(m.year, m.month) * DAY_MS;
    } else {
        past = days_from_civil((int64_t)m.year + 1, 1, 1) * DAY_MS;
    }
    *out = (struct time_range){ first, past - 1 };
    return true;
}

struct span
time_format(struct arena *arena, int64_t ms)
{
    char text[DIGITS_MOMENT];

    return arena_copy(arena, span_from(text, digits_moment(ms, text)));
}
