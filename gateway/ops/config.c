/* gateway/ops/config.c -- settings -> the typed, checked snapshot. */
#include "gateway/ops/config.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "consent/contact.h"
#include "consent/program.h"
#include "consent/purpose.h"
#include "gateway/auth/clients.h"
#include "gateway/classify/classify.h"
#include "gateway/ops/config_parse.h"
#include "gateway/ops/config_policy.h"
#include "gateway/ops/suggest.h"

enum { ERRORS_MOST = 100, ARENA_BYTES = 64 << 20 };

static bool fill(struct config_file *, struct config_errors *);
static void check_whole(struct config_file *, struct config_errors *);

/* ---- errors -------------------------------------------------------------- */

struct config_errors {
    struct arena *arena;
    struct span   texts[ERRORS_MOST];
    size_t        count;
};

struct config_errors *
config_errors_new(struct arena *arena)
{
    struct config_errors *errors = arena_make(arena, struct config_errors);
    if (errors != NULL)
        errors->arena = arena;
    return errors;
}

void
config_error(struct config_errors *errors, const char *format, ...)
{
    char    text[2048];
    va_list arguments;

    if (errors->count == ERRORS_MOST)
        return;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    errors->texts[errors->count++] = arena_copy(errors->arena, span_of(text));
}

size_t
config_errors_count(const struct config_errors *errors)
{
    return errors->count;
}

struct span
config_errors_at(const struct config_errors *errors, size_t i)
{
    return errors->texts[i];
}

/* ---- loading ------------------------------------------------------------- */

/* The folder of the file, absolute: the gateway may change its own. */
static struct span
folder_of(const char *path, struct arena *arena)
{
    char *whole = realpath(path, NULL);
    if (whole == NULL)
        return SPAN(".");
    struct span text  = span_of(whole);
    size_t      slash = span_find_last_byte(text, '/');
    struct span dir   = arena_copy(arena, slash == 0 ? SPAN("/") : span_first(text, slash));
    free(whole);
    return dir;
}

static struct config_file *
config_file_new(const char *path)
{
    struct config_file *file = calloc(1, sizeof *file);
    if (file == NULL)
        return NULL;
    file->arena = arena_new("configuration", ARENA_BYTES);
    if (file->arena == NULL) {
        free(file);
        return NULL;
    }
    atomic_init(&file->pins, 1);
    file->config.file = arena_copy(file->arena, span_of(path));
    return file;
}

struct config *
config_load(const char *path, struct config_errors *errors)
{
    static uint64_t     generations;
    size_t              before = config_errors_count(errors);
    struct config_file *file   = config_file_new(path);
    if (file == NULL) {
        config_error(errors, "%s: there is not enough memory to read it", path);
        return NULL;
    }
    struct config *config = &file->config;
    struct parse   parse  = { .path = path, .folder = folder_of(path, file->arena), .arena = file->arena, .errors = errors };
    if (config_parse(&parse)) {
        file->sections      = parse.sections;
        file->section_count = parse.section_count;
        if (fill(file, errors))
            check_whole(file, errors);
    }
    if (config_errors_count(errors) > before)
        config_unpin(&config);
    else {
        config->generation       = ++generations;
        config->class_version    = class_version(config);
        config->registry_version = class_registry_version(config);
    }
    return config;
}

static struct config_file *
file_of(const struct config *config)
{
    return (struct config_file *)(uintptr_t)config;
}

void
config_pin(struct config *config)
{
    atomic_fetch_add(&file_of(config)->pins, 1);
}

void
config_unpin(struct config **config)
{
    if (*config == NULL)
        return;
    struct config_file *file = file_of(*config);
    *config                  = NULL;
    if (atomic_fetch_sub(&file->pins, 1) == 1) {
        arena_free(&file->arena);
        free(file);
    }
}

/* ---- values: text -> type ------------------------------------------------ */

struct filler {
    struct config_file   *file;
    struct config_errors *errors;
    char                 *base;          /* the struct that offsets count from */
    bool                  good;
};

static void
refuse(struct filler *f, const struct setting *s, struct span value, const char *want)
{
    bool hide = s->hidden || s->option->secret;
    config_error(f->errors, "%.*s: `%s` in `%s` wants %s%s%.*s%s", SPAN_PRINT(s->where), s->option->name,
                 option_sections[s->option->section].name, want, hide ? "" : ", not `",
                 hide ? 0 : (int)value.length, hide ? "" : value.at, hide ? "" : "`");
    f->good = false;
}

/* The position of a word in "a|b|c"; -1 when it is not there. */
static int
choice_index(const char *choices, struct span word, struct suggestion *near)
{
    struct span rest = span_of(choices);
    for (int i = 0; rest.at != NULL; i++) {
        struct span one = span_split(&rest, '|');
        if (span_eq(one, word))
            return i;
        suggestion_offer(near, one);
    }
    return -1;
}

static int
read_choice(struct filler *f, const struct setting *s, struct span word)
{
    struct suggestion near = suggestion_for(word);
    int               i    = choice_index(s->option->choices, word, &near);
    if (i >= 0)
        return i;
    char want[1024], list[768] = "";
    struct span rest = span_of(s->option->choices);
    for (size_t used = 0; rest.at != NULL && used < sizeof list;) {
        struct span one  = span_split(&rest, '|');
        int         more = snprintf(list + used, sizeof list - used, "%s%.*s", used > 0 ? ", " : "", SPAN_PRINT(one));
        used += more > 0 ? (size_t)more : 0;
    }
    if (span_empty(near.best))
        snprintf(want, sizeof want, "one of %s", list);
    else
        snprintf(want, sizeof want, "one of %s (did you mean `%.*s`?)", list, SPAN_PRINT(near.best));
    refuse(f, s, word, want);
    return -1;
}

static uint64_t
read_number(struct filler *f, const struct setting *s, struct span text)
{
    uint64_t number = 0;
    char     want[96];
    if (span_to_u64(text, &number) && number >= s->option->minimum && number <= s->option->maximum)
        return number;
    snprintf(want, sizeof want, "a number from %llu to %llu", (unsigned long long)s->option->minimum,
             (unsigned long long)s->option->maximum);
    refuse(f, s, text, want);
    return s->option->minimum;
}

static bool
read_flag(struct filler *f, const struct setting *s, struct span text)
{
    if (span_eq(text, SPAN("true")) || span_eq(text, SPAN("yes")) || span_eq(text, SPAN("on")))
        return true;
    if (!span_eq(text, SPAN("false")) && !span_eq(text, SPAN("no")) && !span_eq(text, SPAN("off")))
        refuse(f, s, text, "true or false");
    return false;
}

static bool
loopback(struct span host)
{
    if (!span_starts(host, SPAN("127.")))
        return span_eq(host, SPAN("localhost")) || span_eq(host, SPAN("[::1]"));
    for (size_t i = 0; i < host.length; i++)                 /* not 127.example.org */
        if (host.at[i] != '.' && (host.at[i] < '0' || host.at[i] > '9'))
            return false;
    return true;
}

/* A base URL: no user or password (they end up in logs), no query, no
 * fragment; without TLS only to this machine. */
static void
check_url(struct filler *f, const struct setting *s, struct span url)
{
    bool        tls  = span_starts(url, SPAN("https://"));
    struct span rest = span_skip(url, tls ? 8 : 7);
    struct span path = rest;
    struct span host = span_split(&path, '/');
    uint64_t    port = 443;

    if (!tls && !span_starts(url, SPAN("http://"))) {
        refuse(f, s, url, "a URL that begins with https://");
        return;
    }
    size_t colon = span_find_last_byte(host, ':');
    bool   named = colon != SPAN_NOT_FOUND && !span_ends(host, SPAN("]"));
    if (named && (!span_to_u64(span_skip(host, colon + 1), &port) || port == 0 || port > 65535))
        refuse(f, s, url, "a port from 1 to 65535");
    if (named)
        host = span_first(host, colon);
    if (span_empty(host))
        refuse(f, s, url, "a URL with a host");
    for (size_t i = 0; i < rest.length; i++)
        if ((unsigned char)rest.at[i] <= ' ' || strchr("?#@\\\"<>", rest.at[i]) != NULL) {
            refuse(f, s, url, "a base URL without user, password, query, fragment or spaces");
            return;
        }
    if (!tls && !loopback(host))
        refuse(f, s, url, "https (plain http goes to loopback only)");
}

static void
fill_identifiers(struct filler *f, const struct setting *s)
{
    struct identifier *list = arena_make_n(f->file->arena, s->count, struct identifier);
    for (size_t i = 0; list != NULL && i < s->count; i++) {
        struct span rest = s->values[i];
        list[i].system   = span_split(&rest, '|');
        list[i].value    = rest;
        if (span_empty(list[i].system) || span_empty(list[i].value))
            refuse(f, s, s->values[i], "\"system|value\"");
    }
    memcpy(f->base + s->option->at, &list, sizeof list);
    memcpy(f->base + s->option->count_at, &s->count, sizeof s->count);
}

static void
fill_list(struct filler *f, const struct setting *s)
{
    for (size_t i = 0; i < s->count; i++) {
        if (span_empty(s->values[i]))
            refuse(f, s, s->values[i], "no empty text");
        else if (s->option->choices[0] != '\0')
            read_choice(f, s, s->values[i]);
    }
    memcpy(f->base + s->option->at, &s->values, sizeof s->values);
    memcpy(f->base + s->option->count_at, &s->count, sizeof s->count);
}

/* Titles -> indexes of the sections of that kind. */
static void
fill_titles(struct filler *f, const struct setting *s, enum option_section_id kind)
{
    uint32_t *list = arena_make_n(f->file->arena, s->count, uint32_t);
    for (size_t i = 0; list != NULL && i < s->count; i++) {
        struct suggestion near  = suggestion_for(s->values[i]);
        uint32_t          index = 0;
        bool              found = false;
        for (size_t n = 0; n < f->file->section_count && !found; n++) {
            const struct setting_section *section = &f->file->sections[n];
            if (section->id != kind)
                continue;
            suggestion_offer(&near, section->title);
            found = span_eq(section->title, s->values[i]);
            if (!found)
                index++;
        }
        list[i] = index;
        if (found)
            continue;
        config_error(f->errors, "%.*s: there is no %s `%.*s`%s%.*s%s", SPAN_PRINT(s->where), option_sections[kind].name,
                     SPAN_PRINT(s->values[i]), span_empty(near.best) ? "" : "; did you mean `", SPAN_PRINT(near.best),
                     span_empty(near.best) ? "" : "`?");
        f->good = false;
    }
    memcpy(f->base + s->option->at, &list, sizeof list);
    memcpy(f->base + s->option->count_at, &s->count, sizeof s->count);
}

static void
fill_list_setting(struct filler *f, const struct setting *s)
{
    switch (s->option->type) {
    case OPTION_IDENTIFIERS: fill_identifiers(f, s); break;
    case OPTION_CLIENTS:     fill_titles(f, s, SECTION_client); break;
    case OPTION_RECIPIENTS:  fill_titles(f, s, SECTION_recipient); break;
    default:                 fill_list(f, s); break;
    }
}

static void
fill_day(struct filler *f, const struct setting *s, struct span value, char *to)
{
    int64_t ms = 0;

    if (!span_empty(value)
        && !(s->option->type == OPTION_BEGIN ? program_begin_read(value, &ms) : program_end_read(value, &ms)))
        refuse(f, s, value, "a date or an instant: 2019-03-01");
    memcpy(to, &ms, sizeof ms);
}

static void
fill_setting(struct filler *f, const struct setting *s)
{
    char       *to    = f->base + s->option->at;
    struct span value = s->count > 0 ? s->values[0] : (struct span){ NULL, 0 };

    if (s->option->initial == NULL && (s->count == 0 || span_empty(value))) {
        f->good = false;                                    /* said with the section's place by fill_section */
        return;
    }
    if (option_is_list(s->option)) {
        fill_list_setting(f, s);
        return;
    }
    uint64_t number = 0;
    switch (s->option->type) {
    case OPTION_URL:
        if (!span_empty(value))
            check_url(f, s, value);
        memcpy(to, &value, sizeof value);
        break;
    case OPTION_WORD:
        read_choice(f, s, value);
        memcpy(to, &value, sizeof value);
        break;
    case OPTION_CHOICE: {
        unsigned choice = (unsigned)read_choice(f, s, value);
        memcpy(to, &choice, sizeof choice);
        break;
    }
    case OPTION_FLAG: {
        bool flag = read_flag(f, s, value);
        memcpy(to, &flag, sizeof flag);
        break;
    }
    case OPTION_PORT:
        number = read_number(f, s, value);
        memcpy(to, &(uint16_t){ (uint16_t)number }, sizeof(uint16_t));
        break;
    case OPTION_COUNT:
        number = read_number(f, s, value);
        memcpy(to, &(uint32_t){ (uint32_t)number }, sizeof(uint32_t));
        break;
    case OPTION_BYTES:
        number = read_number(f, s, value);
        memcpy(to, &(size_t){ (size_t)number }, sizeof(size_t));
        break;
    case OPTION_BEGIN:
    case OPTION_END:
        fill_day(f, s, value, to);
        break;
    default:
        memcpy(to, &value, sizeof value);
        break;
    }
}
_Static_assert(sizeof(enum sender_status) == sizeof(unsigned), "an OPTION_CHOICE is stored as unsigned");

static bool
fill_section(struct config_file *file, const struct setting_section *section, void *base,
             struct config_errors *errors)
{
    struct filler f = { .file = file, .errors = errors, .base = base, .good = true };
    for (size_t i = 0; i < section->count; i++) {
        const struct setting *s = &section->settings[i];
        fill_setting(&f, s);
        if (s->option->initial == NULL && (s->count == 0 || span_empty(s->values[0])))
            config_error(errors, "%.*s: `%s`%s%.*s%s has no `%s`", SPAN_PRINT(section->where),
                         option_sections[section->id].name, span_empty(section->title) ? "" : " \"",
                         SPAN_PRINT(section->title), span_empty(section->title) ? "" : "\"", s->option->name);
    }
    return f.good;
}

/* ---- the whole ----------------------------------------------------------- */

static size_t
count_of(const struct config_file *file, enum option_section_id id)
{
    size_t count = 0;
    for (size_t i = 0; i < file->section_count; i++)
        count += file->sections[i].id == id;
    return count;
}

/* The words of a CHOICE are read as a number: the order of choices is that of the enum. */
_Static_assert(ROUTE_REFUSES == 0 && ROUTE_WARNS == 1 && ROUTE_ACCEPTS == 2, "options.def, route validation");
_Static_assert(EMISSION_KEEP == 0 && EMISSION_NONE == 1 && EMISSION_EMIT == 2, "options.def, recipient labels");
_Static_assert(SENDER_UNKNOWN == 0 && SENDER_NOT_PROGRAM == 1 && SENDER_PROGRAM == 2, "options.def, client part2");
_Static_assert(HOLDER_UNKNOWN == 0 && HOLDER_PROGRAM == 1 && HOLDER_PATIENT == 15 && HOLDER_COUNT == 16, "options.c, HOLDERS");

static bool
fill(struct config_file *file, struct config_errors *errors)
{
    struct config           *c          = &file->config;
    struct arena            *a          = file->arena;
    struct program          *programs   = arena_make_n(a, count_of(file, SECTION_program), struct program);
    struct span             *titles     = arena_make_n(a, count_of(file, SECTION_program), struct span);
    struct config_client    *clients    = arena_make_n(a, count_of(file, SECTION_client), struct config_client);
    struct config_recipient *recipients = arena_make_n(a, count_of(file, SECTION_recipient), struct config_recipient);
    struct config_policy    *policies   = arena_make_n(a, count_of(file, SECTION_policy), struct config_policy);
    struct config_route     *routes     = arena_make_n(a, count_of(file, SECTION_route), struct config_route);
    struct config_reviewer  *reviewers  = arena_make_n(a, count_of(file, SECTION_reviewer), struct config_reviewer);
    bool                     good       = true;

    if (arena_spent(a)) {
        config_error(errors, "%.*s: there is not enough memory for it", SPAN_PRINT(c->file));
        return false;
    }
    for (size_t i = 0; i < file->section_count; i++) {
        const struct setting_section *section = &file->sections[i];
        void                         *base    = c;
        switch (section->id) {
        case SECTION_program:
            titles[c->program_count]      = section->title;
            programs[c->program_count].id = section->title;
            base                          = &programs[c->program_count++];
            break;
        case SECTION_client:
            clients[c->client_count].title = section->title;
            base                           = &clients[c->client_count++];
            break;
        case SECTION_recipient:
            recipients[c->recipient_count].title = section->title;
            base                                 = &recipients[c->recipient_count++];
            break;
        case SECTION_policy:
            policies[c->policy_count].title = section->title;
            base                            = &policies[c->policy_count++];
            break;
        case SECTION_route:
            routes[c->route_count].title = section->title;
            base                         = &routes[c->route_count++];
            break;
        case SECTION_reviewer:
            reviewers[c->reviewer_count].title = section->title;
            base                               = &reviewers[c->reviewer_count++];
            break;
        default: break;
        }
        good &= fill_section(file, section, base, errors);
    }
    c->programs       = programs;
    c->program_titles = titles;
    c->clients        = clients;
    c->recipients     = recipients;
    c->routes         = routes;
    c->policies       = policies;
    c->reviewers      = reviewers;
    return good;
}

static void
know(struct known_actor *list, size_t *count, struct span reference, const struct identifier *identifiers, size_t n)
{
    if (!span_empty(reference))
        list[(*count)++] = (struct known_actor){
            .reference = reference, .identifiers = identifiers, .identifier_count = n };
}

/* What a Consent's actor reference may resolve to: everybody that the
 * configuration describes, by the references that it gives for them. */
static void
fill_known_actors(struct config_file *file)
{
    struct config *c    = &file->config;
    size_t         most = c->client_count + c->recipient_count;
    for (size_t i = 0; i < c->program_count; i++)
        most += c->programs[i].reference_count;
    struct known_actor *list = arena_make_n(file->arena, most, struct known_actor);
    for (size_t i = 0; list != NULL && i < c->program_count; i++)
        for (size_t r = 0; r < c->programs[i].reference_count; r++)
            know(list, &c->known_actor_count, c->programs[i].references[r], c->programs[i].identifiers,
                 c->programs[i].identifier_count);
    for (size_t i = 0; list != NULL && i < c->client_count; i++)
        know(list, &c->known_actor_count, c->clients[i].party.reference, c->clients[i].party.identifiers,
             c->clients[i].party.identifier_count);
    for (size_t i = 0; list != NULL && i < c->recipient_count; i++)
        know(list, &c->known_actor_count, c->recipients[i].party.reference, c->recipients[i].party.identifiers,
             c->recipients[i].party.identifier_count);
    c->known_actors = list;
}

/* Place of a section for a message. */
static struct span
where_of(const struct config_file *file, enum option_section_id id, size_t index)
{
    for (size_t i = 0; i < file->section_count; i++)
        if (file->sections[i].id == id && index-- == 0)
            return file->sections[i].where;
    return file->config.file;
}

/* Letters out of order, or a narrowing, grant nothing, and nobody would know why. */
static void
check_scopes(struct span where, const struct config_client *client, struct config_errors *errors)
{
    for (size_t i = 0; i < client->scope_count; i++)
        if (span_starts(client->scopes[i], SPAN("system/")) && !scope_grants(client->scopes[i]))
            config_error(errors, "%.*s: client \"%.*s\": the scope `%.*s` grants nothing; want system/<type or *>.<letters "
                         "of cruds, in this order>, for example `system/*.cu`", SPAN_PRINT(where),
                         SPAN_PRINT(client->title), SPAN_PRINT(client->scopes[i]));
}

/* Decision 0039.  An id has 64 characters (R4 datatypes.html#id), and one that is made here is a UUID behind it.
 * Two interfaces of one source may have the same. */
static void
check_consent_ids(struct span where, const struct config *c, size_t at, struct config_errors *errors)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-.";
    struct span       mine      = c->clients[at].consent_ids;
    bool              fits      = mine.length <= 64 - 36;

    for (size_t i = 0; i < mine.length && fits; i++)
        fits = memchr(letters, mine.at[i], sizeof letters - 1) != NULL;
    if (!fits)
        config_error(errors, "%.*s: client \"%.*s\": `consent-ids` is how ids begin: at most 28 letters, digits, `-` and `.`",
                     SPAN_PRINT(where), SPAN_PRINT(c->clients[at].title));
    for (size_t i = 0; i < at && !span_empty(mine); i++) {
        struct span other = c->clients[i].consent_ids;
        if (!span_empty(other) && !span_eq(mine, other) && (span_starts(mine, other) || span_starts(other, mine)))
            config_error(errors, "%.*s: the `consent-ids` of the clients \"%.*s\" and \"%.*s\" begin alike: one could write "
                         "the other's", SPAN_PRINT(where), SPAN_PRINT(c->clients[i].title), SPAN_PRINT(c->clients[at].title));
    }
}

static void
check_clients(struct config_file *file, struct config_errors *errors)
{
    const struct config *c = &file->config;
    for (size_t i = 0; i < c->client_count; i++) {
        const struct config_client *client = &c->clients[i];
        struct span                 where  = where_of(file, SECTION_client, i);
        check_scopes(where, client, errors);
        check_consent_ids(where, c, i, errors);
        if (span_empty(client->certificate_cn) && span_empty(client->jwks))
            config_error(errors, "%.*s: client \"%.*s\" has neither `certificate-cn` nor `jwks`: it could never connect",
                         SPAN_PRINT(where), SPAN_PRINT(client->title));
        if (client->holder == HOLDER_PROGRAM && client->part2 != SENDER_PROGRAM)
            config_error(errors, "%.*s: client \"%.*s\": `holder` H_PROGRAM is a Part 2 program of its own records: that "
                         "wants `part2` = \"program\"", SPAN_PRINT(where), SPAN_PRINT(client->title));
        if (client->holder != HOLDER_UNKNOWN && span_empty(client->party.reference))
            config_error(errors, "%.*s: client \"%.*s\" has a `holder` and no `reference`: what it may pass on depends on "
                         "who it is", SPAN_PRINT(where), SPAN_PRINT(client->title));
        if (!span_empty(client->certificate_cn) && span_empty(c->listen.client_ca))
            config_error(errors, "%.*s: client \"%.*s\" is known by its certificate, but `listen` has no `client-ca`",
                         SPAN_PRINT(where), SPAN_PRINT(client->title));
        for (size_t j = 0; j < i && !span_empty(client->certificate_cn); j++)
            if (span_eq(client->certificate_cn, c->clients[j].certificate_cn))
                config_error(errors, "%.*s: clients \"%.*s\" and \"%.*s\" have the same `certificate-cn`",
                             SPAN_PRINT(where), SPAN_PRINT(c->clients[j].title), SPAN_PRINT(client->title));
    }
}

/* RFC 6750 2.1: a token is one word; a line break in a file would be two headers. */
static bool
is_token(struct span token)
{
    for (size_t i = 0; i < token.length; i++)
        if ((unsigned char)token.at[i] <= ' ' || (unsigned char)token.at[i] >= 0x7f)
            return false;
    return true;
}

/* An empty url that stands there turns it off; one that is missing was forgotten. */
static bool
url_forgotten(const struct config_file *file)
{
    bool said = false, any = false;

    for (size_t i = 0; i < file->section_count; i++)
        for (size_t n = 0; file->sections[i].id == SECTION_terminology && n < file->sections[i].count; n++) {
            const struct setting *s = &file->sections[i].settings[n];
            any  = any || s->given;
            said = said || (s->given && strcmp(s->option->name, "url") == 0);
        }
    return any && !said;
}

/* One that can match nobody would hold nothing: an id alone, a name. */
static void
check_legal_hold(struct config_file *file, struct config_errors *errors)
{
    const struct config *c = &file->config;

    for (size_t i = 0; i < c->ledger.legal_hold_count; i++) {
        struct span one = c->ledger.legal_hold[i];
        if (!span_eq_text(one, "all") && span_find(one, SPAN("Patient/")) == SPAN_NOT_FOUND && !span_starts(one, SPAN("Patient?identifier="))
            && !span_starts(one, SPAN("urn:")))
            config_error(errors, "%.*s: `legal-hold` \"%.*s\" is no patient as the log knows them: \"Patient/p1\", or all",
                         SPAN_PRINT(where_of(file, SECTION_ledger, 0)), SPAN_PRINT(one));
    }
}

static void
check_terminology(struct config_file *file, struct config_errors *errors)
{
    const struct config *c     = &file->config;
    struct span          where = where_of(file, SECTION_terminology, 0);

    if (url_forgotten(file))
        config_error(errors, "%.*s: `terminology` has no `url`: nobody would be asked", SPAN_PRINT(where));
    if (span_empty(c->terminology.certificate) != span_empty(c->terminology.key))
        config_error(errors, "%.*s: `terminology` has only one of `certificate` and `key`", SPAN_PRINT(where));
    if (!is_token(c->terminology.token))
        config_error(errors, "%.*s: `token` in `terminology` wants one word of visible ASCII characters (RFC 6750 2.1)", SPAN_PRINT(where));
}

/* The store belongs to one gateway, so what is named after it does too. */
static void
name_socket(struct config_file *file)
{
    struct config *c = &file->config;
    if (!span_empty(c->admin.socket))
        return;
    c->admin.socket = arena_format(file->arena, "%.*s.sock", SPAN_PRINT(c->store.path));
    for (size_t i = 0; i < file->section_count; i++)
        for (size_t s = 0; s < file->sections[i].count; s++) {
            struct setting *setting = &file->sections[i].settings[s];
            if (setting->option->section == SECTION_admin && strcmp(setting->option->name, "socket") == 0) {
                setting->values = &c->admin.socket;
                setting->count  = 1;
            }
        }
}

static void
check_programs(struct config_file *file, struct config_errors *errors)
{
    const struct config *c = &file->config;

    for (size_t i = 0; i < c->program_count; i++) {
        const struct program *p     = &c->programs[i];
        struct span           where = where_of(file, SECTION_program, i), title = c->program_titles[i];
        bool                  found = span_empty(p->continues);
        if (p->identifier_count + p->reference_count + p->source_count + p->phone_count + p->address_count == 0)
            config_error(errors, "%.*s: program \"%.*s\" has no `identifier`, `reference`, `source`, `phone` or `address`: nothing could be recognised as its own",
                         SPAN_PRINT(where), SPAN_PRINT(title));
        if (p->until_ms != 0 && p->until_ms <= p->from_ms)
            config_error(errors, "%.*s: program \"%.*s\" ends before it begins", SPAN_PRINT(where), SPAN_PRINT(title));
        for (size_t n = 0; n < p->phone_count; n++)
            if (!contact_phone_valid(p->phones[n]))
                config_error(errors, "%.*s: program \"%.*s\": `%.*s` is no telephone number of ten digits", SPAN_PRINT(where),
                             SPAN_PRINT(title), SPAN_PRINT(p->phones[n]));
        for (size_t n = 0; n < p->address_count; n++)
            if (!contact_address_valid(p->addresses[n]))
                config_error(errors, "%.*s: program \"%.*s\": `%.*s` is no address; want \"line|postal code\"", SPAN_PRINT(where),
                             SPAN_PRINT(title), SPAN_PRINT(p->addresses[n]));
        for (size_t n = 0; n < c->program_count && !found; n++)
            found = n != i && span_eq(c->program_titles[n], p->continues);
        if (!found)
            config_error(errors, "%.*s: program \"%.*s\" `continues` \"%.*s\", and there is no other program of that title",
                         SPAN_PRINT(where), SPAN_PRINT(title), SPAN_PRINT(p->continues));
    }
}

/* A purpose that nobody knows covers nothing, and nobody would know why. */
static void
check_purposes(struct span where, const char *section, struct span title, const struct span *purposes, size_t count,
               struct config_errors *errors)
{
    for (size_t i = 0; i < count; i++) {
        struct suggestion near = suggestion_for(purposes[i]);
        for (enum purpose p = PURPOSE_NONE + 1; p < PURPOSE_COUNT; p++)
            suggestion_offer(&near, span_of(purpose_code(p)));
        if (purpose_of(purposes[i]) == PURPOSE_NONE)
            config_error(errors, "%.*s: %s \"%.*s\": `%.*s` in `purpose` is no purpose of use of v3-ActReason%s%.*s%s",
                         SPAN_PRINT(where), section, SPAN_PRINT(title), SPAN_PRINT(purposes[i]),
                         span_empty(near.best) ? "" : "; did you mean `", SPAN_PRINT(near.best), span_empty(near.best) ? "" : "`?");
    }
}

static void
read_policies(struct config_file *file, struct config_errors *errors)
{
    struct config *c     = &file->config;
    struct span   *where = arena_make_n(file->arena, c->policy_count, struct span);

    for (size_t i = 0; where != NULL && i < c->policy_count; i++)
        where[i] = where_of(file, SECTION_policy, i);
    if (where != NULL)
        config_read_policies(c, file->arena, where, errors);
}

/* Who does not hold itself out, or is not federally assisted, is no Part 2 program. */
static void
drop_attested(struct config_file *file)
{
    struct config  *c        = &file->config;
    struct program *programs = arena_make_n(file->arena, c->program_count, struct program);
    struct span    *titles   = arena_make_n(file->arena, c->program_count, struct span);
    size_t          count    = 0;

    for (size_t i = 0; programs != NULL && titles != NULL && i < c->program_count; i++) {
        if (!c->programs[i].holds_out || !c->programs[i].assisted)
            continue;
        titles[count]     = c->program_titles[i];
        programs[count++] = c->programs[i];
    }
    c->programs       = programs;
    c->program_titles = titles;
    c->program_count  = count;
}

static void
check_whole(struct config_file *file, struct config_errors *errors)
{
    const struct config *c = &file->config;
    name_socket(file);
    fill_known_actors(file);
    if (arena_spent(file->arena))
        config_error(errors, "%.*s: there is not enough memory for it", SPAN_PRINT(c->file));
    check_clients(file, errors);
    for (size_t i = 0; i < c->recipient_count; i++)
        if (span_empty(c->recipients[i].certificate) != span_empty(c->recipients[i].key))
            config_error(errors, "%.*s: recipient \"%.*s\" has only one of `certificate` and `key`",
                         SPAN_PRINT(where_of(file, SECTION_recipient, i)), SPAN_PRINT(c->recipients[i].title));
    check_legal_hold(file, errors);
    check_terminology(file, errors);
    check_programs(file, errors);
    read_policies(file, errors);
    for (size_t i = 0; i < c->client_count; i++)
        check_purposes(where_of(file, SECTION_client, i), "client", c->clients[i].title, c->clients[i].purposes,
                       c->clients[i].purpose_count, errors);
    for (size_t i = 0; i < c->recipient_count; i++)
        check_purposes(where_of(file, SECTION_recipient, i), "recipient", c->recipients[i].title, c->recipients[i].purposes,
                       c->recipients[i].purpose_count, errors);
    drop_attested(file);
    if (span_eq(c->store.engine, SPAN("postgresql")))
        config_error(errors, "%.*s: `engine` postgresql is not part of this version; use sqlite",
                     SPAN_PRINT(where_of(file, SECTION_store, 0)));
    for (size_t i = 0; i < c->ledger.origin.length; i++)
        if ((unsigned char)c->ledger.origin.at[i] <= ' ' || c->ledger.origin.at[i] == '+') {
            config_error(errors, "%.*s: `origin` in `ledger` may hold neither spaces nor plus signs (C2SP tlog-checkpoint)",
                         SPAN_PRINT(where_of(file, SECTION_ledger, 0)));
            break;
        }
}

/* ---- reload --------------------------------------------------------------- */

static const struct setting_section *
same_section(const struct config_file *file, const struct setting_section *like)
{
    for (size_t i = 0; i < file->section_count; i++)
        if (file->sections[i].id == like->id && span_eq(file->sections[i].title, like->title))
            return &file->sections[i];
    return NULL;
}

static bool
same_values(const struct setting *a, const struct setting *b)
{
    bool same = a->count == b->count;
    for (size_t i = 0; same && i < a->count; i++)
        same = span_eq(a->values[i], b->values[i]);
    return same;
}

/* Only sections that are there once have options that may not change. */
bool
config_may_replace(const struct config *running, const struct config *next, struct config_errors *errors)
{
    const struct config_file *old = file_of(running), *new = file_of(next);
    bool                      may = true;
    for (size_t i = 0; i < new->section_count; i++) {
        const struct setting_section *section = &new->sections[i];
        const struct setting_section *was     = same_section(old, section);
        for (size_t s = 0; was != NULL && s < section->count; s++) {
            const struct setting *now = &section->settings[s];
            if (now->option->live || same_values(&was->settings[s], now))
                continue;
            struct span where = now->given ? now->where : section->where;
            config_error(errors, "%.*s: `%s` in `%s` cannot change while the gateway runs; restart it", SPAN_PRINT(where),
                         now->option->name, option_sections[section->id].name);
            may = false;
        }
    }
    return may;
}
