#include "fhir/terminology.h"

#include "fhir/code_system.h"
#include "fhir/lookup.h"
#include "fhir/pack_terms.h"
#include "fhir/term_systems.h"

/* Concepts that a question about the hierarchy may meet. */
#define CLIMB_STEPS 4096u
#define CLIMB_WIDTH 64u

static const struct term_answer in = { TERM_IN, TERM_WHY_NONE };


static struct term_answer
out(enum term_why why)
{
    return (struct term_answer){ TERM_OUT, why };
}

static struct term_answer
undecided(enum term_why why)
{
    return (struct term_answer){ TERM_UNDECIDED, why };
}

const char *
term_why_text(enum term_why why)
{
    static const char *const texts[TERM_WHY_COUNT] = {
#define X(name, text) [TERM_WHY_##name] = text,
        TERM_WHY_LIST(X)
#undef X
    };

    return (unsigned)why < TERM_WHY_COUNT ? texts[why] : "";
}

/* ---- value sets -------------------------------------------------------------------- */

/* Asked for "4.0", "4.0.1" is it; asked for nothing, anything. */
static bool
same_version(struct span asked, struct span have)
{
    return span_empty(asked)
        || (span_starts(have, asked) && (have.length == asked.length || have.at[asked.length] == '.'));
}

/* The record of a url in a version; *known: there is one of the url. */
static uint32_t
find_canonical(const struct pack *p, enum pack_section_kind slot_section, const uint32_t *slots, const void *records,
               size_t size, struct span url, struct span version, bool *known)
{
    uint32_t count = p->counts[slot_section];

    *known = false;
    if (count == 0)
        return PACK_NONE;
    for (uint32_t at = (uint32_t)lookup_hash(url) & (count - 1); slots[at] != 0; at = (at + 1) & (count - 1)) {
        uint32_t index = slots[at] - 1;
        if (!span_eq(pack_span(p, pack_versioned_at(records, size, index)->url), url))
            continue;
        *known = true;
        while (index != PACK_NONE && !same_version(version, pack_span(p, pack_versioned_at(records, size, index)->version)))
            index = pack_versioned_at(records, size, index)->next;
        return index;
    }
    return PACK_NONE;
}

uint32_t
term_value_set(const struct pack *p, struct span canonical)
{
    struct span version = canonical, url = span_split(&version, '|');
    bool        known;

    return find_canonical(p, PACK_VALUE_SET_SLOTS, p->value_set_slots, p->value_sets, sizeof *p->value_sets, url,
                          version, &known);
}

uint32_t
term_value_set_count(const struct pack *p)
{
    return p->counts[PACK_VALUE_SETS];
}

struct span
term_value_set_url(const struct pack *p, uint32_t value_set)
{
    return value_set < p->counts[PACK_VALUE_SETS] ? pack_span(p, p->value_sets[value_set].as.url) : (struct span){ NULL, 0 };
}

struct span
term_value_set_version(const struct pack *p, uint32_t value_set)
{
    return value_set < p->counts[PACK_VALUE_SETS] ? pack_span(p, p->value_sets[value_set].as.version)
                                                  : (struct span){ NULL, 0 };
}

struct span
term_value_set_system(const struct pack *p, uint32_t value_set)
{
    struct span system = { NULL, 0 };

    if (value_set >= p->counts[PACK_VALUE_SETS] || p->value_sets[value_set].rest != SAID_OUT)
        return system;
    const struct pack_value_set *v = &p->value_sets[value_set];
    for (uint32_t i = 0; i < v->part_count; i++) {
        struct span one = pack_span(p, p->value_parts[v->first_part + i].system);
        if (i > 0 && !span_eq(one, system))
            return (struct span){ NULL, 0 };
        system = one;
    }
    return system;
}

/* IN wins: systems of a value set are united.  Then the doubt, then what
 * says most. */
static struct term_answer
unite(struct term_answer a, struct term_answer b)
{
    if (a.verdict == TERM_IN || b.verdict == TERM_IN)
        return in;
    if (a.verdict == b.verdict)
        return a.why == TERM_WHY_NOT_LISTED ? b : a;
    return b.verdict == TERM_UNDECIDED ? b : a;
}

static struct term_answer
said(uint8_t what, uint8_t why)
{
    return what == SAID_IN ? in : what == SAID_UNDECIDED ? undecided(why) : out(why != 0 ? why : TERM_WHY_NOT_LISTED);
}

static bool
is_code(const struct pack *p, const struct pack_value_set *v, const struct pack_member *m, struct span code)
{
    struct span have = span_from(p->texts + m->code, m->length);

    return span_eq(have, code)
        || ((p->value_parts[v->first_part + m->part].flags & SYSTEM_NOCASE) && span_eq_nocase(have, code));
}

/* The next member with this code from slot *at on, NULL at the end of the row. */
static const struct pack_member *
next_member(const struct pack *p, const struct pack_value_set *v, struct span code, uint64_t hash, uint32_t *at)
{
    const struct pack_member *members = p->members + v->first_member;

    for (;; *at = (*at + 1) & v->member_mask) {
        const struct pack_member *m = &members[*at];
        if (m->said == SAID_NOTHING)
            return NULL;
        if (m->tag == pack_code_tag(hash) && m->length == code.length && is_code(p, v, m, code)) {
            *at = (*at + 1) & v->member_mask;
            return m;
        }
    }
}

static struct term_answer
fallback(const struct pack *p, const struct pack_value_part *part, struct span code)
{
    return part->fallback == SAID_WHOLE ? pack_code_in(p, part->index, pack_span(p, part->system), code)
                                        : said(part->fallback, part->why);
}

static struct term_answer
part_member(const struct pack *p, const struct pack_value_set *v, uint32_t part, struct span code, uint64_t hash)
{
    const struct pack_member *m;
    uint32_t                  at = (uint32_t)hash & v->member_mask;

    while ((m = next_member(p, v, code, hash, &at)) != NULL)
        if (m->part == part)
            return said(m->said, m->why);
    return fallback(p, &p->value_parts[v->first_part + part], code);
}

/* A part that says which version it takes, and a Coding that has another. */
static bool
version_disputed(const struct pack *p, const struct pack_value_part *part, struct span version)
{
    struct span want = pack_span(p, part->version);

    return !span_empty(want) && !span_empty(version) && !same_version(want, version) && !same_version(version, want);
}

struct term_answer
term_member(const struct pack *p, uint32_t value_set, struct span system, struct span version, struct span code)
{
    if (value_set >= p->counts[PACK_VALUE_SETS])
        return undecided(TERM_WHY_NO_VALUE_SET);
    if (span_empty(system))
        return out(TERM_WHY_NO_SYSTEM);
    const struct pack_value_set *v      = &p->value_sets[value_set];
    uint64_t                     hash   = pack_code_hash(code);
    struct term_answer           answer = out(TERM_WHY_OTHER_SYSTEM);
    bool                         met    = false;

    for (uint32_t i = 0; i < v->part_count && answer.verdict != TERM_IN; i++) {
        const struct pack_value_part *part = &p->value_parts[v->first_part + i];
        if (!span_eq(pack_span(p, part->system), system))
            continue;
        struct term_answer one = version_disputed(p, part, version) ? undecided(TERM_WHY_VERSION)
                                                                    : part_member(p, v, i, code, hash);
        answer = met ? unite(answer, one) : one;
        met    = true;
    }
    return met || v->rest == SAID_OUT ? answer : undecided(v->rest_why);
}

/* Parts that list no such code fall back; those that do were asked before. */
static bool
listed(const struct pack *p, const struct pack_value_set *v, uint32_t part, struct span code, uint64_t hash)
{
    const struct pack_member *m;
    uint32_t                  at = (uint32_t)hash & v->member_mask;

    while ((m = next_member(p, v, code, hash, &at)) != NULL)
        if (m->part == part)
            return true;
    return false;
}

struct term_answer
term_member_code(const struct pack *p, uint32_t value_set, struct span code)
{
    if (value_set >= p->counts[PACK_VALUE_SETS])
        return undecided(TERM_WHY_NO_VALUE_SET);
    const struct pack_value_set *v      = &p->value_sets[value_set];
    uint64_t                     hash   = pack_code_hash(code);
    uint32_t                     at     = (uint32_t)hash & v->member_mask;
    struct term_answer           answer = v->rest == SAID_UNDECIDED ? undecided(v->rest_why) : out(TERM_WHY_NOT_LISTED);
    const struct pack_member    *m;
    bool                         any = false;

    for (; (m = next_member(p, v, code, hash, &at)) != NULL; any = true) {
        if (m->said == SAID_IN)
            return in;
        answer = unite(answer, said(m->said, m->why));
    }
    for (uint32_t i = 0; i < v->part_count && answer.verdict != TERM_IN; i++) {
        const struct pack_value_part *part = &p->value_parts[v->first_part + i];
        if (part->fallback != SAID_OUT && !(any && listed(p, v, i, code, hash)))
            answer = unite(answer, fallback(p, part, code));
    }
    return answer;
}

bool
term_decidable(const struct pack *p, uint32_t value_set)
{
    if (value_set >= p->counts[PACK_VALUE_SETS])
        return false;
    const struct pack_value_set *v = &p->value_sets[value_set];
    bool                         good = v->rest == SAID_OUT;

    for (uint32_t i = 0; good && i < v->part_count; i++) {
        const struct pack_value_part *part = &p->value_parts[v->first_part + i];
        if (part->fallback == SAID_WHOLE)
            good = term_content(p, pack_span(p, part->system), pack_span(p, part->version)) >= TERM_CONTENT_COMPLETE;
        else
            good = part->fallback == SAID_OUT;
    }
    for (uint32_t i = 0; good && i <= v->member_mask; i++)
        good = p->members[v->first_member + i].said != SAID_UNDECIDED;
    return good;
}

/* Texts are interned in the order of the files: by offset is about the order
 * in which the definitions name them. */
static uint32_t
put_lowest(struct span *all, uint32_t count, uint32_t max, struct span one)
{
    uint32_t at = count;

    while (at > 0 && all[at - 1].at > one.at)
        at--;
    if (at == max)
        return count;
    if (count < max)
        count++;
    for (uint32_t i = count - 1; i > at; i--)
        all[i] = all[i - 1];
    all[at] = one;
    return count;
}

uint32_t
term_some_codes(const struct pack *p, uint32_t value_set, struct span *codes, uint32_t max, bool *more)
{
    uint32_t count = 0, seen = 0;

    *more = false;
    if (value_set >= p->counts[PACK_VALUE_SETS] || max == 0)
        return 0;
    const struct pack_value_set *v = &p->value_sets[value_set];
    for (uint32_t i = 0; i <= v->member_mask && i < 256; i++) {
        const struct pack_member *m = &p->members[v->first_member + i];
        if (m->said == SAID_IN) {
            count = put_lowest(codes, count, max, span_from(p->texts + m->code, m->length));
            seen++;
        }
    }
    for (uint32_t i = 0; i < v->part_count; i++) {
        const struct pack_value_part *part = &p->value_parts[v->first_part + i];
        if (part->fallback != SAID_WHOLE || part->index == PACK_NONE)
            continue;
        const struct pack_system *s = &p->systems[part->index];
        for (uint32_t k = 0; k < s->concept_count && count < max; k++) {
            const struct pack_concept *c = &p->concepts[s->first_concept + k];
            if (!(c->flags & CONCEPT_ABSTRACT))
                codes[count++] = span_from(p->texts + c->code, c->length);
        }
        seen += s->concept_count;
    }
    *more = seen > count;
    return count;
}

/* ---- code systems ------------------------------------------------------------------ */

uint32_t
pack_system_find(const struct pack *p, struct span url, struct span version, enum term_why *why)
{
    bool     known;
    uint32_t index = find_canonical(p, PACK_SYSTEM_SLOTS, p->system_slots, p->systems, sizeof *p->systems, url, version,
                                    &known);

    *why = known ? TERM_WHY_VERSION : TERM_WHY_NO_CODE_SYSTEM;
    return index;
}

uint32_t
pack_concept_find(const struct pack *p, const struct pack_system *s, struct span code, bool *other_case)
{
    const uint32_t *slots = p->concept_slots + s->first_slot;
    bool            nocase = (s->flags & SYSTEM_NOCASE) != 0;

    *other_case = false;
    for (uint32_t at = (uint32_t)pack_code_hash(code) & s->slot_mask; slots[at] != 0; at = (at + 1) & s->slot_mask) {
        uint32_t    index = s->first_concept + slots[at] - 1;
        struct span have  = span_from(p->texts + p->concepts[index].code, p->concepts[index].length);
        if (span_eq(have, code))
            return index;
        if (span_eq_nocase(have, code)) {
            if (nocase)
                return index;
            *other_case = true;
        }
    }
    return PACK_NONE;
}

/* Of a system that may not be among the tables (PACK_NONE). */
static struct term_answer
place_in(const struct pack *p, uint32_t system, struct span url, struct span code, uint32_t *concept)
{
    enum term_content content = system != PACK_NONE ? p->systems[system].content : TERM_CONTENT_UNKNOWN;
    bool              other_case = false;

    *concept = PACK_NONE;
    if (content == TERM_CONTENT_COMPLETE || content == TERM_CONTENT_FRAGMENT || content == TERM_CONTENT_EXAMPLE)
        *concept = pack_concept_find(p, &p->systems[system], code, &other_case);
    if (*concept != PACK_NONE)
        return in;
    if (content == TERM_CONTENT_COMPLETE)
        return out(other_case ? TERM_WHY_CASE : TERM_WHY_NOT_A_CODE);
    const struct term_system *checked = term_system_of(url);
    if (checked != NULL)
        return checked->has(code) ? in : out(checked->grammar ? TERM_WHY_SYNTAX : TERM_WHY_NOT_A_CODE);
    switch (content) {
    case TERM_CONTENT_FRAGMENT:
    case TERM_CONTENT_EXAMPLE:     return undecided(TERM_WHY_FRAGMENT);
    case TERM_CONTENT_NOT_PRESENT: return undecided(TERM_WHY_NOT_PRESENT);
    default:                       return undecided(TERM_WHY_NO_CODE_SYSTEM);
    }
}

struct term_answer
pack_code_in(const struct pack *p, uint32_t system, struct span url, struct span code)
{
    uint32_t concept;

    return place_in(p, system, url, code, &concept);
}

enum term_content
term_content(const struct pack *p, struct span system, struct span version)
{
    enum term_why     why;
    uint32_t          index   = pack_system_find(p, system, version, &why);
    enum term_content content = index != PACK_NONE ? p->systems[index].content : TERM_CONTENT_UNKNOWN;

    return content != TERM_CONTENT_COMPLETE && term_system_of(system) != NULL ? TERM_CONTENT_CHECKED : content;
}

struct span
term_system_meant(struct span system)
{
    enum code_system known = code_system_of(system);
    struct span      url   = known != CODE_SYSTEM_UNKNOWN ? span_of(code_system_url(known)) : (struct span){ NULL, 0 };

    return span_eq(url, system) ? (struct span){ NULL, 0 } : url;
}

bool
term_is_value_set_url(const struct pack *p, struct span system)
{
    return term_value_set(p, system) != TERM_NONE;
}

struct term_answer
term_code_place(const struct pack *p, struct span system, struct span version, struct span code, uint32_t *concept)
{
    enum term_why why;

    *concept = TERM_NONE;
    if (span_empty(system))
        return undecided(TERM_WHY_NO_SYSTEM);
    uint32_t index = pack_system_find(p, system, version, &why);
    if (index == PACK_NONE && why == TERM_WHY_VERSION)
        return undecided(why);
    return place_in(p, index, system, code, concept);
}

struct term_answer
term_code(const struct pack *p, struct span system, struct span version, struct span code)
{
    uint32_t concept;

    return term_code_place(p, system, version, code, &concept);
}

uint32_t
term_concept(const struct pack *p, struct span system, struct span version, struct span code)
{
    enum term_why why;
    bool          other_case;
    uint32_t      index = pack_system_find(p, system, version, &why);

    return index != PACK_NONE ? pack_concept_find(p, &p->systems[index], code, &other_case) : TERM_NONE;
}

uint32_t
term_concept_flags(const struct pack *p, uint32_t concept)
{
    return concept < p->counts[PACK_CONCEPTS] ? p->concepts[concept].flags & (TERM_ABSTRACT | TERM_INACTIVE) : 0u;
}

struct span
term_concept_code(const struct pack *p, uint32_t concept)
{
    return concept < p->counts[PACK_CONCEPTS]
        ? span_from(p->texts + p->concepts[concept].code, p->concepts[concept].length) : (struct span){ NULL, 0 };
}

struct span
term_display(const struct pack *p, uint32_t concept)
{
    return concept < p->counts[PACK_CONCEPTS] ? pack_text_at(p, p->concepts[concept].display) : (struct span){ NULL, 0 };
}

static char
lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static bool
is_white(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Runs of white space are one space; ASCII case does not count. */
static bool
same_display(struct span a, struct span b)
{
    size_t i = 0, k = 0;

    a = span_trim(a);
    b = span_trim(b);
    while (i < a.length && k < b.length) {
        bool white = is_white(a.at[i]);
        if (white != is_white(b.at[k]) || (!white && lower(a.at[i]) != lower(b.at[k])))
            return false;
        i++;
        k++;
        while (white && is_white(a.at[i]))
            i++;
        while (white && is_white(b.at[k]))
            k++;
    }
    return i == a.length && k == b.length;
}

/* The first designation of a concept, or where it would be. */
static uint32_t
first_designation(const struct pack *p, uint32_t concept)
{
    uint32_t low = 0, high = p->counts[PACK_DESIGNATIONS];

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (p->designations[middle].concept < concept)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool
term_display_known(const struct pack *p, uint32_t concept, struct span display)
{
    struct span have = term_display(p, concept);

    if (span_empty(have) || same_display(have, display))
        return true;
    if (!(p->concepts[concept].flags & CONCEPT_DESIGNATED))
        return false;
    for (uint32_t i = first_designation(p, concept);
         i < p->counts[PACK_DESIGNATIONS] && p->designations[i].concept == concept; i++)
        if (same_display(pack_text_at(p, p->designations[i].text), display))
            return true;
    return false;
}

/* ---- hierarchy --------------------------------------------------------------------- */

/* Upwards from a concept; a code may have several parents. */
static struct term_answer
climb(const struct pack *p, uint32_t from, uint32_t to, bool complete)
{
    uint32_t todo[CLIMB_WIDTH], count = 1;

    todo[0] = from;
    for (uint32_t steps = 0; count > 0; steps++) {
        uint32_t                   at = todo[--count];
        const struct pack_concept *c  = &p->concepts[at];
        if (at == to)
            return in;
        if (steps == CLIMB_STEPS || count + c->parent_count > CLIMB_WIDTH)
            return undecided(TERM_WHY_SIZE);
        for (uint32_t i = 0; i < c->parent_count; i++)
            todo[count++] = p->parents[c->first_parent + i];
    }
    return complete ? out(TERM_WHY_NOT_LISTED) : undecided(TERM_WHY_FRAGMENT);
}

struct term_answer
term_is_a(const struct pack *p, struct span system, struct span version, struct span code, struct span ancestor)
{
    enum term_why why;
    bool          other_case;
    uint32_t      index = pack_system_find(p, system, version, &why);

    if (index == PACK_NONE)
        return undecided(why);
    const struct pack_system *s        = &p->systems[index];
    bool                      complete = s->content == TERM_CONTENT_COMPLETE;
    uint32_t                  from = pack_concept_find(p, s, code, &other_case), to = pack_concept_find(p, s, ancestor, &other_case);
    if (from == PACK_NONE || to == PACK_NONE)
        return complete ? out(TERM_WHY_NOT_A_CODE) : undecided(s->content == TERM_CONTENT_NOT_PRESENT
                                                                   ? TERM_WHY_NOT_PRESENT : TERM_WHY_FRAGMENT);
    return climb(p, from, to, complete);
}
