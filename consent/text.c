#include "consent/text.h"

#include <string.h>

#include "consent/labeling.h"
#include "consent/term_word.h"

enum term_class {
    TERM_DISORDER = 1, TERM_SUBSTANCE, TERM_DRUG, TERM_BUP, TERM_METHADONE, TERM_NALTREXONE, TERM_OTHER,
    TERM_NOTE, TERM_PAIN, TERM_PATCH, TERM_WEIGHT, TERM_CAFFEINE,
};

struct phrase { uint16_t word[TERM_WORDS]; uint8_t length, label, class; bool caps; };

#include "consent/terms_table.def"

#define WINDOW     192                   /* tokens held */
#define AHEAD      12                    /* a phrase is judged with so many tokens behind it */
#define BACK       48                    /* and at most so many before it */
#define WORD_MAX   TERM_WORD_SIZE        /* longer words are none of ours; they still hash */
#define RUN_MAX    128                   /* of letters and digits: a file's name may be many words */
#define NAME_WORDS 8
#define NAMES_MAX  256

/* A line end does not part a phrase ("opioid use\ndisorder"), but a negation
 * does not reach over it ("Tobacco: never\nHeroin: daily"). */
enum token_kind { TOKEN_WORD = 1, TOKEN_COMMA, TOKEN_BREAK, TOKEN_LINE, TOKEN_BRACKET };

struct token {
    uint32_t hash;
    uint16_t word;                       /* index in words[], 0 unknown */
    uint8_t  kind;
    bool     caps;                       /* all letters are capitals */
    uint32_t at, length;
};

struct text_name  { uint32_t hash[NAME_WORDS]; uint8_t count; };
struct text_names { const struct text_name *all; size_t count; const struct facts *facts; };

struct scan {
    struct fold              fold;
    const struct text_names *names;
    struct text_finding     *out;
    int                      count;
    int                      judged;     /* tokens before this one are done */
    size_t                   length;     /* of the word that is being read */
    size_t                   letters;    /* all its characters, also those over WORD_MAX */
    size_t                   word_at;
    uint32_t                 capitals, alphas;
    bool                     phrases;    /* some word ends a phrase: there is something to judge */
    char                     word[RUN_MAX];
    uint8_t                  kind[RUN_MAX]; /* BYTE_* of each, as written */
    struct token             token[WINDOW];
};

static void read_all(struct scan *, struct fold);
static bool read_once(struct fold, const struct text_names *, struct text_finding *out);
static void read_seen(struct span text, enum fold_form, const struct text_names *, struct text_finding *out);
static void finding_add(struct text_finding *, const struct text_finding *more);
static void word_add(struct scan *, int c);
static void word_end(struct scan *);
static void word_token(struct scan *, size_t from, size_t to, bool whole);
static void word_split(struct scan *);
static void token_add(struct scan *, enum token_kind);
static void judge(struct scan *, bool all);
static void judge_phrase(struct scan *, int last);
static void judge_name(struct scan *, int last);
static void judge_code(struct scan *, struct span word);
static bool taken_back(const struct scan *, int first, int last, enum term_class);

/* ---- words -------------------------------------------------------------- */

static uint16_t
word_find(const char *word, size_t length, uint32_t hash)
{
    for (uint32_t at = hash % WORD_SLOTS; word_slots[at] != 0; at = (at + 1) % WORD_SLOTS) {
        const char *text = words[word_slots[at]].text;
        if (text[0] == word[0] && strncmp(text, word, length) == 0 && text[length] == 0)
            return word_slots[at];
    }
    return 0;
}

static bool
is_alnum(int c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool
is_digit(int c)
{
    return c >= '0' && c <= '9';
}

/* F11.20 is one word: a letter, digits, a dot and a digit. */
static bool
dot_inside_code(const struct scan *s)
{
    struct fold peek = s->fold;

    return s->length == 3 && s->word[0] >= 'a' && s->word[0] <= 'z' && is_digit(s->word[1])
        && is_digit(fold_next(&peek));
}

/* What a plain ASCII byte is: most text is nothing else, and needs no fold_next(). */
enum { BYTE_OTHER = 0, BYTE_LETTER, BYTE_CAPITAL, BYTE_DIGIT, BYTE_BLANK };

static const uint8_t byte_kind[256] = {
    ['a'] = 1, ['b'] = 1, ['c'] = 1, ['d'] = 1, ['e'] = 1, ['f'] = 1, ['g'] = 1, ['h'] = 1, ['i'] = 1, ['j'] = 1,
    ['k'] = 1, ['l'] = 1, ['m'] = 1, ['n'] = 1, ['o'] = 1, ['p'] = 1, ['q'] = 1, ['r'] = 1, ['s'] = 1, ['t'] = 1,
    ['u'] = 1, ['v'] = 1, ['w'] = 1, ['x'] = 1, ['y'] = 1, ['z'] = 1,
    ['A'] = 2, ['B'] = 2, ['C'] = 2, ['D'] = 2, ['E'] = 2, ['F'] = 2, ['G'] = 2, ['H'] = 2, ['I'] = 2, ['J'] = 2,
    ['K'] = 2, ['L'] = 2, ['M'] = 2, ['N'] = 2, ['O'] = 2, ['P'] = 2, ['Q'] = 2, ['R'] = 2, ['S'] = 2, ['T'] = 2,
    ['U'] = 2, ['V'] = 2, ['W'] = 2, ['X'] = 2, ['Y'] = 2, ['Z'] = 2,
    ['0'] = 3, ['1'] = 3, ['2'] = 3, ['3'] = 3, ['4'] = 3, ['5'] = 3, ['6'] = 3, ['7'] = 3, ['8'] = 3, ['9'] = 3,
    [' '] = 4, ['-'] = 4, ['/'] = 4, ['('] = 4, [')'] = 4, [':'] = 4,
};

/* Letters and digits from here on; where they end. */
static size_t
read_run(struct scan *s, struct span text, size_t at)
{
    size_t   from = at, length = s->length;
    unsigned kind, alphas = 0, capitals = 0;

    for (; at < text.length && (kind = byte_kind[(unsigned char)text.at[at]]) - 1u < BYTE_DIGIT; at++) {
        alphas   += kind != BYTE_DIGIT;
        capitals += kind == BYTE_CAPITAL;
        if (length < RUN_MAX) {
            s->kind[length]   = (uint8_t)kind;
            s->word[length++] = (char)(text.at[at] | (kind == BYTE_CAPITAL ? 0x20 : 0));
        }
    }
    if (s->letters == 0) {
        s->word_at  = from;
        s->capitals = s->alphas = 0;
    }
    s->letters += at - from;
    s->alphas += alphas;
    s->capitals += capitals;
    s->length = length;
    return at;
}

/* Takes the plain bytes at the cursor; what is left needs the fold. */
static void
read_plain(struct scan *s)
{
    struct span text = s->fold.text;
    size_t      at   = s->fold.at;

    if (s->fold.turned_left > 0 || at < s->fold.turned_end)
        return;
    while (at < text.length) {
        unsigned kind = byte_kind[(unsigned char)text.at[at]];
        if (kind == BYTE_OTHER)
            break;
        if (kind == BYTE_BLANK) {
            s->fold.start = at++;
            word_end(s);
        } else {
            at = read_run(s, text, at);
        }
    }
    s->fold.at = at;
}

void
text_read(struct span text, enum fold_form form, const struct text_names *names, struct text_finding *out)
{
    struct text_finding stored = { .labels = 0 };

    if (read_once(fold_over(text, form), names, &stored))
        read_seen(text, form, names, &stored);
    finding_add(out, &stored);
}

/* Whether something in it is hidden or turned. */
static bool
read_once(struct fold fold, const struct text_names *names, struct text_finding *out)
{
    /* Three kilobytes that are written before they are read. */
    struct scan s __attribute__((uninitialized));

    s.names = names;
    s.out = out;
    s.phrases = names != NULL;
    read_all(&s, fold);
    if (s.phrases)
        judge(&s, true);
    return s.fold.seen_otherwise;
}

/* What is seen, and what is hidden.  An excuse that only one of the two readings
 * states excuses nothing. */
static void
read_seen(struct span text, enum fold_form form, const struct text_names *names, struct text_finding *out)
{
    struct fold_turned  turned;
    struct text_finding seen = { .labels = 0 };
    struct span         inside;
    size_t              at   = 0;

    (void)read_once(fold_over_seen(text, form, &turned), names, &seen);
    out->contexts &= seen.contexts;
    finding_add(out, &seen);
    while (form == FOLD_MARKUP && fold_hidden(text, &at, &inside)) {
        struct text_finding hidden = { .labels = 0 };
        (void)read_once(fold_over(inside, form), names, &hidden);
        hidden.contexts = 0;
        hidden.at      += (size_t)(inside.at - text.at);
        finding_add(out, &hidden);
    }
}

/* The place is that of the first that found something. */
static void
finding_add(struct text_finding *out, const struct text_finding *more)
{
    if (!text_found(out) && text_found(more)) {
        out->at     = more->at;
        out->length = more->length;
    }
    out->labels     |= more->labels;
    out->medication |= more->medication;
    out->drugs      |= more->drugs;
    out->contexts   |= more->contexts;
    out->program    |= more->program;
    out->note       |= more->note;
}

/* "opioid.use.disorder.pdf": such a dot parts no phrase. */
static bool
dot_inside_name(const struct scan *s)
{
    struct fold peek = s->fold;
    int         c    = fold_next(&peek);

    return s->letters > 0 && (is_alnum(c) || c == FOLD_OTHER);
}

static void
read_all(struct scan *s, struct fold fold)
{
    int c;

    s->fold = fold;
    s->count = s->judged = 0;
    s->length = s->letters = 0;
    for (;;) {
        if (fold.form != FOLD_URI)
            read_plain(s);
        c = fold_next(&s->fold);
        if (c == FOLD_END)
            break;
        if (is_alnum(c) || c == FOLD_OTHER) {
            word_add(s, c);
            continue;
        }
        if (c == '\'' || (c == '.' && dot_inside_code(s))) {
            if (c == '.')
                word_add(s, c);
            continue;                    /* patient's */
        }
        bool joins = c == '.' && dot_inside_name(s);
        word_end(s);
        if (c == ',')
            token_add(s, TOKEN_COMMA);
        else if (c == '[')
            token_add(s, TOKEN_BRACKET);
        else if (c == '\n' || joins)
            token_add(s, TOKEN_LINE);
        else if (c == '.' || c == ';' || c == '!' || c == '?')
            token_add(s, TOKEN_BREAK);
    }
    word_end(s);
}

static void
word_add(struct scan *s, int c)
{
    if (s->letters == 0) {
        s->word_at  = s->fold.start;
        s->capitals = s->alphas = 0;
    }
    s->letters++;
    if (c >= 'a' && c <= 'z') {
        s->alphas++;
        s->capitals += s->fold.upper;
    }
    if (s->length < RUN_MAX) {
        s->kind[s->length]   = is_digit(c) ? BYTE_DIGIT : c < 'a' || c > 'z' ? BYTE_OTHER
                             : s->fold.upper ? BYTE_CAPITAL : BYTE_LETTER;
        s->word[s->length++] = (char)c;
    }
}

/* Capitals inside, or digits beside a word. */
static bool
is_compound(const struct scan *s)
{
    bool digits = s->letters > s->alphas && s->alphas >= 3;
    bool inside = s->capitals > (s->kind[0] == BYTE_CAPITAL) && (s->capitals < s->alphas || digits);

    return digits || inside;
}

static uint16_t
word_known(const struct scan *s, size_t from, size_t to, uint32_t *hash)
{
    size_t length = term_word_fold(s->word + from, (to - from < WORD_MAX ? to - from : WORD_MAX));

    *hash = term_word_hash(s->word + from, length);
    return to - from <= WORD_MAX ? word_find(s->word + from, length, *hash) : 0;
}

static void
word_end(struct scan *s)
{
    uint32_t hash;

    if (s->letters == 0)
        return;
    /* "MethadoneTaper" is two words; "HeRoin" is one. */
    if (is_compound(s) && word_known(s, 0, s->length, &hash) == 0)
        word_split(s);
    else
        word_token(s, 0, s->length, true);
    s->length = s->letters = 0;
}

static void
word_token(struct scan *s, size_t from, size_t to, bool whole)
{
    struct token *t = &s->token[s->count];
    size_t        capitals = s->capitals, alphas = s->alphas;     /* of the whole run */
    size_t        all      = s->fold.start - s->word_at;
    uint32_t      hash;

    if (all == 0)                        /* inside of a turned run every place is that of the run */
        all = s->fold.turned_to - s->word_at;
    if (to - from >= 5 && is_digit(s->word[to - 1]))
        judge_code(s, span_from(s->word + from, to - from));
    if (!whole || s->letters > s->length)
        capitals = alphas = 0;
    for (size_t i = from; i < to && (!whole || s->letters > s->length); i++) {
        alphas   += s->kind[i] == BYTE_LETTER || s->kind[i] == BYTE_CAPITAL;
        capitals += s->kind[i] == BYTE_CAPITAL;
    }
    uint16_t word = word_known(s, from, to, &hash);
    *t = (struct token){ .hash   = hash,
                         .word   = word,
                         .kind   = TOKEN_WORD,
                         .caps   = alphas > 1 && alphas == capitals + (capitals > 1 && s->word[to - 1] == 's'
                                                                       && s->kind[to - 1] == BYTE_LETTER),   /* SUDs */
                         .at     = (uint32_t)(s->word_at + (whole ? 0 : from)),
                         .length = (uint32_t)(whole || all != s->length ? all : to - from) };
    s->phrases |= words[t->word].phrases > 0;
    s->count++;
    if (s->count == WINDOW)
        judge(s, false);
}

/* How many letters stand together from here on. */
static size_t
letters_from(const struct scan *s, size_t i)
{
    size_t n = 0;

    while (i + n < s->length && (s->kind[i + n] == BYTE_LETTER || s->kind[i + n] == BYTE_CAPITAL))
        n++;
    return n;
}

/* Where a word begins inside of a run: at a capital behind a small letter, at the
 * last capital of an abbreviation ("OUDIntake"), and between digits and three letters. */
static bool
begins_word(const struct scan *s, size_t i, size_t letters_before)
{
    uint8_t before = s->kind[i - 1], here = s->kind[i], next = i + 1 < s->length ? s->kind[i + 1] : BYTE_OTHER;

    if (here == BYTE_CAPITAL && before == BYTE_LETTER)
        return true;
    if (here == BYTE_CAPITAL && before == BYTE_CAPITAL && next == BYTE_LETTER && letters_before >= 2)
        return true;
    if (here == BYTE_DIGIT && (before == BYTE_LETTER || before == BYTE_CAPITAL))
        return letters_before >= 3;
    return before == BYTE_DIGIT && letters_from(s, i) >= 3;
}

static void
word_split(struct scan *s)
{
    size_t from = 0, letters = 0;

    for (size_t i = 0; i < s->length; i++) {
        if (i > from && begins_word(s, i, letters)) {
            word_token(s, from, i, false);
            from = i;
        }
        letters = s->kind[i] == BYTE_LETTER || s->kind[i] == BYTE_CAPITAL ? letters + 1 : 0;
        if (from == i && letters > 0)
            letters = 1;
    }
    word_token(s, from, s->length, false);
}

static void
token_add(struct scan *s, enum token_kind kind)
{
    /* Several line ends are one. */
    if (s->count > 0 && s->token[s->count - 1].kind == kind)
        return;
    s->token[s->count++] = (struct token){ .kind = (uint8_t)kind };
    if (s->count == WINDOW)
        judge(s, false);
}

/* Judges what has enough behind it, and makes room. */
static void
judge(struct scan *s, bool all)
{
    int end = all ? s->count : s->count - AHEAD;

    for (int i = s->judged; i < end; i++) {
        if (s->token[i].kind != TOKEN_WORD)
            continue;
        if (words[s->token[i].word].phrases > 0)
            judge_phrase(s, i);
        if (s->names != NULL)
            judge_name(s, i);
    }
    s->judged = end;
    if (all)
        return;
    int drop = end > BACK ? end - BACK : 0;
    memmove(s->token, s->token + drop, (size_t)(s->count - drop) * sizeof s->token[0]);
    s->count  -= drop;
    s->judged -= drop;
}

/* ---- phrases ------------------------------------------------------------ */

static uint32_t
sets_at(const struct scan *s, int i)
{
    return i >= 0 && i < s->count && s->token[i].kind == TOKEN_WORD ? words[s->token[i].word].sets : 0;
}

static bool
is_kind(const struct scan *s, int i, enum token_kind kind)
{
    return i >= 0 && i < s->count && s->token[i].kind == kind;
}

static bool
is_stop(const struct scan *s, int i)
{
    return is_kind(s, i, TOKEN_BREAK) || is_kind(s, i, TOKEN_LINE);
}

/* The word before this one, over line ends; -1 when there is none. */
static int
word_before(const struct scan *s, int i)
{
    while (--i >= 0 && s->token[i].kind == TOKEN_LINE)
        ;
    return i >= 0 && s->token[i].kind == TOKEN_WORD ? i : -1;
}

/* Index of its first word when the phrase ends at `last`, else -1. */
static int
phrase_first(const struct scan *s, const struct phrase *p, int last)
{
    int i = last;

    for (int w = p->length - 1; i >= 0; w--) {
        if (s->token[i].word != p->word[w] || (p->caps && !s->token[i].caps))
            return -1;
        if (w == 0)
            return i;
        i = word_before(s, i);
    }
    return -1;
}

bool
text_found(const struct text_finding *f)
{
    return f->labels != 0 || f->medication != 0 || f->drugs != 0 || f->program;
}

static void
found(struct scan *s, enum label label, size_t at, size_t length)
{
    if (!text_found(s->out)) {
        s->out->at     = at;
        s->out->length = length;
    }
    s->out->labels = label_add(s->out->labels, label);
}

static unsigned
context_of(enum term_class class)
{
    switch (class) {
    case TERM_PAIN:
        return CONTEXT_PAIN;
    case TERM_PATCH:
        return CONTEXT_PATCH;
    case TERM_WEIGHT:
        return CONTEXT_WEIGHT;
    case TERM_CAFFEINE:
        return CONTEXT_CAFFEINE;
    default:
        return 0;
    }
}

static unsigned
drug_of(enum term_class class)
{
    switch (class) {
    case TERM_BUP:
        return TEXT_BUPRENORPHINE;
    case TERM_METHADONE:
        return TEXT_METHADONE;
    case TERM_NALTREXONE:
        return TEXT_NALTREXONE;
    default:
        return 0;
    }
}

static void
judge_phrase(struct scan *s, int last)
{
    const struct phrase *p   = &phrases[words[s->token[last].word].phrase];
    const struct phrase *end = p + words[s->token[last].word].phrases;

    int start = -1;

    while (p < end && (start = phrase_first(s, p, last)) < 0)
        p++;                             /* longest first */
    if (p == end)
        return;
    enum term_class class = (enum term_class)p->class;
    s->out->contexts |= context_of(class);
    if (context_of(class) != 0 || taken_back(s, start, last, class))
        return;
    const struct token *first = &s->token[start];
    size_t length = s->token[last].at + s->token[last].length - first->at;
    if (drug_of(class) != 0) {
        found(s, LABEL_NONE, first->at, length);
        s->out->drugs |= drug_of(class);
        return;
    }
    found(s, class == TERM_DRUG ? LABEL_NONE : (enum label)p->label, first->at, length);
    if (class == TERM_DRUG)
        s->out->medication = label_add(s->out->medication, (enum label)p->label);
    s->out->note |= class == TERM_NOTE;
}

/* ---- X1: negation -------------------------------------------------------- */

/* Whether a phrase about substances may end here; "pain" ends others. */
static bool
is_substance(const struct scan *s, int i)
{
    if (i < 0)
        return false;
    for (unsigned p = 0; p < words[s->token[i].word].phrases; p++)
        if (phrases[words[s->token[i].word].phrase + p].label != LABEL_NONE)
            return true;
    return false;
}

/* Before the phrase.  After "or" a list is open: every item of it is under the
 * negation, also one that we do not know ("no fever, chills or heroin use"). */
static bool
negated_before(const struct scan *s, int first, enum term_class class)
{
    bool list = false;
    int  strange = 0;

    for (int i = first - 1; i >= 0 && i >= first - 16; i--) {
        uint32_t sets = sets_at(s, i);
        if (is_stop(s, i) || (sets & SET_BUT))
            return false;
        if (is_kind(s, i, TOKEN_COMMA)) {
            if (!list && !(sets_at(s, i - 1) & SET_LISTED) && !is_substance(s, i - 1))
                return false;
            continue;
        }
        if (sets & SET_NEGATE)
            return true;
        if ((sets & SET_OR) && class != TERM_DRUG && drug_of(class) == 0)
            list = true;
        bool known = (sets & (SET_BRIDGE | SET_JOIN | SET_LISTED)) != 0 || words[s->token[i].word].phrases > 0;
        if (!known && (!list || ++strange > 6))
            return false;
    }
    return false;
}

/* Behind the phrase: "heroin use: denied", "cocaine - negative", "not detected". */
static bool
negated_after(const struct scan *s, int last)
{
    int i = last + 1;

    for (int n = 0; n < 3 && (sets_at(s, i) & SET_FILLER) && !(sets_at(s, i) & SET_AFTER); n++)
        i++;
    if (sets_at(s, i) & SET_AFTER)
        return true;
    if (!(sets_at(s, i) & SET_NEGATE))
        return false;
    /* "no" at the end of the line, or "not detected". */
    return i + 1 >= s->count || is_stop(s, i + 1) || (sets_at(s, i + 1) & SET_NOTAFTER) != 0;
}

/* ---- X2: somebody else --------------------------------------------------- */

static bool
of_relative(const struct scan *s, int first, int last)
{
    bool strict = true;                  /* nothing strange between the relative and the phrase so far */

    for (int i = first - 1; i >= 0 && i >= first - 24; i--) {
        uint32_t sets = sets_at(s, i);
        if (is_stop(s, i) || (sets & SET_SELF))
            break;
        if ((sets & SET_KIN) && ((sets_at(s, i + 1) & SET_HISTORY) || s->token[i].length <= 3))
            return true;                 /* a family history is about the family to its end */
        /* "Patient and father use heroin" is about both. */
        if (strict && (sets & SET_RELATIVE))
            return !(sets_at(s, i - 1) & SET_JOIN) || !(sets_at(s, i - 2) & SET_SELF);
        if (!(sets & (SET_KINBRIDGE | SET_LISTED)) && words[s->token[i].word].phrases == 0)
            strict = false;
    }
    int i = last + 1;
    for (int n = 0; n < 3 && (sets_at(s, i) & SET_INKIN); n++)
        i++;
    return i > last + 1 && (sets_at(s, i) & (SET_RELATIVE | SET_KIN)) != 0;
}

/* ---- X3 .. X6 ------------------------------------------------------------ */

static bool
before_is(const struct scan *s, int first, uint32_t wanted, uint32_t bridge)
{
    for (int i = first - 1; i >= first - 5; i--) {
        uint32_t sets = sets_at(s, i);
        if (sets & wanted)
            return true;
        if (!(sets & bridge))
            return false;
    }
    return false;
}

static bool
taken_back(const struct scan *s, int first, int last, enum term_class class)
{
    uint32_t behind = sets_at(s, last + 1);
    bool     drug   = class == TERM_DRUG || drug_of(class) != 0;

    if (class == TERM_NOTE)
        return false;
    if (negated_before(s, first, class) || negated_after(s, last) || of_relative(s, first, last))
        return true;
    if (before_is(s, first, SET_SCREEN, SET_SCREENBRIDGE | SET_LISTED) || (behind & SET_SCREENAFTER))
        return true;
    if ((drug || class == TERM_SUBSTANCE)
        && (before_is(s, first, SET_ALLERGY, SET_SCREENBRIDGE) || (behind & SET_ALLERGY)))
        return true;
    if ((class == TERM_SUBSTANCE || class == TERM_METHADONE)
        && (is_kind(s, last + 1, TOKEN_BRACKET) || (behind & SET_LAB)))
        return true;
    return (sets_at(s, first - 1) & SET_BEHAVIOR) != 0;
}

/* ---- codes and names ----------------------------------------------------- */

static void
judge_code(struct scan *s, struct span word)
{
    const struct code_row *row = NULL;

    if (word.at[0] == 'f' && word.at[1] == '1' && span_find_byte(word, '.') == 3)
        row = code_find(CODE_SYSTEM_ICD10CM, word);
    else if (word.length == 5 && (word.at[0] == 'h' || word.at[0] == 'g'))
        row = code_find(CODE_SYSTEM_HCPCS, word);
    else if (word.length >= 7 && is_digit(word.at[0]))
        row = code_find(CODE_SYSTEM_SNOMED, word);
    if (row != NULL && row->tier == TIER_T1)
        found(s, (enum label)row->label, s->word_at, s->fold.start - s->word_at);
}

static void
judge_name(struct scan *s, int last)
{
    for (size_t n = 0; n < s->names->count; n++) {
        const struct text_name *name = &s->names->all[n];
        int first = last, w = name->count - 1;
        while (first >= 0 && s->token[first].hash == name->hash[w] && w > 0) {
            while (--first >= 0 && s->token[first].kind != TOKEN_WORD)
                ;                        /* "St. Mary" */
            w--;
        }
        if (first < 0 || w > 0 || s->token[first].hash != name->hash[0] || s->out->program)
            continue;
        found(s, LABEL_NONE, s->token[first].at, s->token[last].at + s->token[last].length - s->token[first].at);
        s->out->program = true;
    }
}

/* The words as read_all() makes them of a text. */
static bool
name_read(struct span text, struct text_name *out)
{
    struct text_finding none    = { .labels = 0 };
    struct scan         s __attribute__((uninitialized));
    size_t              letters = 0;

    s.names   = NULL;
    s.out     = &none;
    s.phrases = false;
    read_all(&s, fold_over(span_first(text, WINDOW / 2), FOLD_PLAIN));
    for (int i = 0; i < s.count; i++) {
        if (s.token[i].kind != TOKEN_WORD)
            continue;
        letters += s.token[i].length;
        if (out->count < NAME_WORDS)     /* the first eight words name it well enough */
            out->hash[out->count++] = s.token[i].hash;
    }
    return out->count >= 2 ? letters >= 6 : out->count == 1 && letters >= 8;
}

static size_t
names_of_facts(const struct facts *facts, struct text_name *all, size_t max)
{
    size_t count = 0;

    for (size_t p = 0; p < facts->program_count; p++)
        for (size_t i = 0; i < facts->programs[p].name_count && count < max; i++)
            if (name_read(facts->programs[p].names[i], &all[count]))
                count++;
            else
                all[count] = (struct text_name){ .count = 0 };
    return count;
}

const struct text_names *
text_names_make(const struct facts *facts, const struct span *more, size_t more_count, struct arena *a)
{
    size_t count = more_count;

    for (size_t p = 0; p < facts->program_count; p++)
        count += facts->programs[p].name_count;
    if (count > NAMES_MAX)
        count = NAMES_MAX;
    struct text_names *names = arena_make(a, struct text_names);
    struct text_name  *all   = arena_make_n(a, count > 0 ? count : 1, struct text_name);
    if (names == NULL || all == NULL)
        return NULL;
    for (size_t i = 0; i < more_count && names->count < count; i++)
        if (name_read(more[i], &all[names->count]))
            names->count++;
        else
            all[names->count] = (struct text_name){ .count = 0 };
    names->count += names_of_facts(facts, all + names->count, count - names->count);
    names->all   = all;
    names->facts = facts;
    return names;
}

/* ---- the whole ------------------------------------------------------------ */

void
text_read_any(struct span text, const struct text_names *names, struct text_finding *out)
{
    size_t      at = 0;
    struct span aside;

    if (!fold_looks_marked_up(text)) {
        text_read(text, FOLD_PLAIN, names, out);
        return;
    }
    text_read(text, FOLD_MARKUP, names, out);
    while (fold_aside(text, &at, &aside)) {
        struct text_finding inside = { .labels = 0 };
        text_read(aside, FOLD_URI, names, &inside);
        inside.at += (size_t)(aside.at - text.at);
        finding_add(out, &inside);
    }
}

label_set
text_drug_labels(unsigned drugs, unsigned contexts)
{
    label_set set = 0;

    if (contexts & (CONTEXT_ALLERGY | CONTEXT_FAMILY))
        return 0;
    if ((drugs & TEXT_BUPRENORPHINE) && !(contexts & (CONTEXT_PAIN | CONTEXT_PATCH)))
        set = label_add(set, LABEL_OPIOIDUD);
    if ((drugs & TEXT_METHADONE) && !(contexts & CONTEXT_PAIN))
        set = label_add(set, LABEL_OPIOIDUD);
    if ((drugs & TEXT_NALTREXONE) && !(contexts & CONTEXT_WEIGHT))
        set = label_add(set, LABEL_SUD);
    return set;
}

/* A program's number or address in a text: "NPI 1000000009", "https://otp.example.org/...". */
static struct text_hit
scan_for_numbers(struct span text, const struct text_names *names)
{
    for (size_t p = 0; names != NULL && p < names->facts->program_count; p++) {
        const struct program *program = &names->facts->programs[p];
        for (size_t i = 0; i < program->identifier_count + program->source_count; i++) {
            struct span needle = i < program->identifier_count ? program->identifiers[i].value
                                                               : program->sources[i - program->identifier_count];
            size_t at = needle.length >= 8 ? span_find(text, needle) : SPAN_NOT_FOUND;
            if (at != SPAN_NOT_FOUND)
                return (struct text_hit){ true, LABEL_PART2, at, needle.length };
        }
    }
    return (struct text_hit){ false, LABEL_NONE, 0, 0 };
}

struct text_hit
text_scan(struct span text, const struct text_names *names)
{
    struct text_finding f = { .labels = 0 };

    text_read_any(text, names != NULL && names->count > 0 ? names : NULL, &f);
    f.labels |= f.medication | text_drug_labels(f.drugs, f.contexts);
    f.labels &= labels_substance_use() | LABEL_BIT(LABEL_PART2);
    if (f.program)
        return (struct text_hit){ true, LABEL_PART2, f.at, f.length };
    for (int l = LABEL_COUNT - 1; l > 0 && f.labels != 0; l--)
        if (labels_have(f.labels, (enum label)l))
            return (struct text_hit){ true, (enum label)l, f.at, f.length };
    return scan_for_numbers(text, names);
}
