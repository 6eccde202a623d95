#include "consent/contact.h"

enum { PHONE = 10, POSTAL = 5, LEAST_LINE = 6, TELECOMS_MAX = 64 };

/* The last ten digits; false when there are fewer, or so many that it is no number. */
static bool
phone_of(struct span text, char out[PHONE])
{
    size_t count = 0;

    for (size_t i = 0; i < text.length; i++)
        count += text.at[i] >= '0' && text.at[i] <= '9';
    if (count < PHONE || count > 15 || text.length > 64)
        return false;
    for (size_t i = text.length, left = PHONE; i-- > 0 && left > 0;)
        if (text.at[i] >= '0' && text.at[i] <= '9')
            out[--left] = text.at[i];
    return true;
}

static bool
same_phone(struct span a, struct span b)
{
    char one[PHONE], other[PHONE];

    return phone_of(a, one) && phone_of(b, other) && span_eq(span_from(one, PHONE), span_from(other, PHONE));
}

/* The next letter or digit, small; -1 at the end. */
static int
next_sign(struct span s, size_t *at)
{
    while (*at < s.length) {
        unsigned char c = (unsigned char)s.at[(*at)++];
        if (c >= 'A' && c <= 'Z')
            return c | 0x20;
        if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c >= 0x80)
            return c;
    }
    return -1;
}

/* How many signs they share from the beginning; *same: all of both. */
static size_t
same_signs(struct span a, struct span b, bool *same)
{
    size_t i = 0, k = 0, n = 0;
    int    one = next_sign(a, &i), other = next_sign(b, &k);

    for (; one >= 0 && one == other; n++) {
        one   = next_sign(a, &i);
        other = next_sign(b, &k);
    }
    *same = one < 0 && other < 0;
    return n;
}

static bool
same_address(struct span registered, const struct tape *t, tape_node address, struct arena *arena)
{
    struct span postal = registered, line = span_split(&postal, '|');
    bool        same = false, whole;
    tape_node   lines = tape_member(t, address, SPAN("line"));

    if (same_signs(postal, tape_member_text(t, address, SPAN("postalCode"), arena), &whole) < POSTAL)
        return false;
    for (tape_node n = tape_first(t, lines); n != TAPE_ABSENT && !same; n = tape_next(t, n))
        (void)same_signs(line, tape_text(t, n, arena), &same);
    return same;
}

/* A list, or one. */
static tape_node
first_of(const struct tape *t, tape_node node)
{
    return tape_kind(t, node) == TAPE_ARRAY ? tape_first(t, node) : node;
}

static tape_node
next_of(const struct tape *t, tape_node list, tape_node n)
{
    return n == list ? TAPE_ABSENT : tape_next(t, n);
}

bool
contact_is_of(const struct program *p, const struct tape *t, tape_node resource, struct arena *arena)
{
    tape_node telecom = tape_member(t, resource, SPAN("telecom")), address = tape_member(t, resource, SPAN("address"));
    unsigned  looked  = 0;

    for (tape_node n = first_of(t, telecom); p->phone_count > 0 && n != TAPE_ABSENT && looked++ < TELECOMS_MAX; n = next_of(t, telecom, n)) {
        struct span value = tape_member_text(t, n, SPAN("value"), arena);
        for (size_t i = 0; i < p->phone_count; i++)
            if (same_phone(p->phones[i], value))
                return true;
    }
    for (tape_node n = first_of(t, address); p->address_count > 0 && n != TAPE_ABSENT && looked++ < 2 * TELECOMS_MAX; n = next_of(t, address, n))
        for (size_t i = 0; i < p->address_count; i++)
            if (same_address(p->addresses[i], t, n, arena))
                return true;
    return false;
}

bool
contact_phone_valid(struct span text)
{
    char unused[PHONE];

    return phone_of(text, unused);
}

bool
contact_address_valid(struct span text)
{
    struct span postal = text, line = span_split(&postal, '|');
    size_t      i = 0, k = 0, signs = 0, digits = 0;

    while (next_sign(line, &i) >= 0)
        signs++;
    while (next_sign(postal, &k) >= 0)
        digits++;
    return signs >= LEAST_LINE && digits >= POSTAL;
}
