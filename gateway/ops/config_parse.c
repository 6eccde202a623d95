/* gateway/ops/config_parse.c -- the file -> settings, by libconfuse.
 *
 * Every value is read as text, so that type and range errors are ours and say
 * file and line.  libconfuse has no room for the line of a value: it is kept
 * in the option's annotation (cfg_opt_setcomment).  Its scanner reads through
 * a FILE and ends the process when reading fails, so it is given bytes that
 * were read before.
 */
#include "gateway/ops/config_parse.h"

#include <confuse.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/ops/file.h"
#include "gateway/ops/suggest.h"

enum { FILE_BYTES = 4 << 20, VALUE_BYTES = 64 << 10, OPTIONS_MOST = 32 };

/* libconfuse takes the end of the file for the end of an open section.  This
 * is put behind the file and known to the root alone, so that a file which
 * was cut off does not pass for a smaller one. */
#define END_NAME "end-of-file"
static const char end_mark[] = "\n" END_NAME " = yes\n";

/* libconfuse hands no argument through to its callbacks. */
static struct config_errors *complain_to;
static cfg_t                *reading;    /* the root */

static cfg_t *make_reader(const char *path, struct span folder);
static bool   read_into(cfg_t *, const char *path, struct config_errors *);
static bool   collect(cfg_t *, struct parse *);

bool
config_parse(struct parse *p)
{
    complain_to  = p->errors;
    cfg_t *reader = make_reader(p->path, p->folder);
    if (reader == NULL) {
        config_error(p->errors, "%s: there is not enough memory to read it", p->path);
        return false;
    }
    reading   = reader;
    bool read = read_into(reader, p->path, p->errors) && collect(reader, p);
    cfg_free(reader);
    complain_to = NULL;
    reading     = NULL;
    return read;
}

/* ---- what libconfuse calls ---------------------------------------------- */

/* Sections that are there once are made before any file is open: their own
 * name is missing and the root knows what is being read. */
static const char *
file_name(const cfg_t *cfg)
{
    return cfg->filename != NULL ? cfg->filename : reading->filename;
}

static void complain(cfg_t *, const char *format, va_list) __attribute__((format(printf, 2, 0)));

static void
complain(cfg_t *cfg, const char *format, va_list arguments)
{
    const char *file = file_name(cfg);
    if (strcmp(format, "no such option '%s'") != 0) {
        char text[512];
        vsnprintf(text, sizeof text, format, arguments);
        config_error(complain_to, "%s:%d: %s", file, cfg->line, text);
        return;
    }
    const char *name = va_arg(arguments, const char *);
    if (strcmp(name, END_NAME) == 0) {
        config_error(complain_to, "%s:%d: `%s` has no closing brace", file, cfg->line - 1, cfg->name);
        return;
    }
    struct suggestion near = suggestion_for(span_of(name));
    for (const cfg_opt_t *o = cfg->opts; o->name != NULL; o++)
        suggestion_offer(&near, span_of(o->name));
    bool root = strcmp(cfg->name, "root") == 0;
    if (span_empty(near.best))
        config_error(complain_to, "%s:%d: unknown %s `%s`%s%s%s", file, cfg->line, root ? "section" : "option",
                     name, root ? "" : " in `", root ? "" : cfg->name, root ? "" : "`");
    else
        config_error(complain_to, "%s:%d: unknown %s `%s`%s%s%s; did you mean `%.*s`?", file, cfg->line,
                     root ? "section" : "option", name, root ? "" : " in `", root ? "" : cfg->name,
                     root ? "" : "`", SPAN_PRINT(near.best));
}

/* Once a value: remembers where it stands and refuses a second assignment,
 * of which libconfuse would silently keep the last. */
static int
on_value(cfg_t *cfg, cfg_opt_t *option, const char *value, void *result)
{
    bool list  = (option->flags & CFGF_LIST) != 0;
    bool first = !list || option->nvalues <= 1;
    if (first && option->comment != NULL) {
        config_error(complain_to, "%s:%d: `%s` is set twice; the first time at %s", file_name(cfg), cfg->line,
                     option->name, option->comment);
        return -1;
    }
    if (option->comment == NULL) {
        char where[1024];
        snprintf(where, sizeof where, "%s:%d", file_name(cfg), cfg->line);
        if (cfg_opt_setcomment(option, where) != 0)
            return -1;
    }
    *(const char **)result = value;
    return 0;
}

/* ---- the tables that libconfuse reads by -------------------------------- */

static cfg_t *
make_reader(const char *path, struct span folder)
{
    static const cfg_opt_t end = CFG_END();
    cfg_opt_t              options[SECTION_COUNT][OPTIONS_MOST];
    cfg_opt_t              sections[SECTION_COUNT + 3];
    size_t                 filled[SECTION_COUNT] = { 0 };

    for (size_t i = 0; i < option_row_count; i++) {
        const struct option *row  = &option_rows[i];
        cfg_opt_t            text = CFG_STR_CB(row->name, 0, CFGF_NODEFAULT, on_value);
        cfg_opt_t            list = CFG_STR_LIST_CB(row->name, 0, CFGF_NODEFAULT, on_value);
        options[row->section][filled[row->section]++] = option_is_list(row) ? list : text;
    }
    for (size_t i = 0; i < SECTION_COUNT; i++) {
        options[i][filled[i]] = end;
        cfg_flag_t many       = CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES;
        cfg_opt_t  section    = CFG_SEC(option_sections[i].name, options[i], option_sections[i].many ? many : CFGF_NONE);
        sections[i]           = section;
    }
    cfg_opt_t include           = CFG_FUNC("include", &cfg_include);
    cfg_opt_t mark              = CFG_STR(END_NAME, 0, CFGF_NODEFAULT);
    sections[SECTION_COUNT]     = include;
    sections[SECTION_COUNT + 1] = mark;
    sections[SECTION_COUNT + 2] = end;

    cfg_t *reader = cfg_init(sections, CFGF_NONE);           /* copies the tables */
    if (reader == NULL)
        return NULL;
    char dir[4096];
    snprintf(dir, sizeof dir, "%.*s", SPAN_PRINT(folder));
    /* The last added is looked at last: "/" makes absolute includes work. */
    if (cfg_add_searchpath(reader, dir) != 0 || cfg_add_searchpath(reader, "/") != 0
        || (reader->filename = strdup(path)) == NULL) {
        cfg_free(reader);
        return NULL;
    }
    cfg_set_error_function(reader, complain);
    return reader;
}

/* libconfuse takes a NUL for the end of the file. */
static bool
is_text(struct span bytes, const char *path, struct config_errors *errors)
{
    size_t at = span_find_byte(bytes, '\0'), line = 1;

    if (at == SPAN_NOT_FOUND)
        return true;
    for (size_t i = 0; i < at; i++)
        line += bytes.at[i] == '\n';
    config_error(errors, "%s:%zu: a NUL byte; a configuration is a text", path, line);
    return false;
}

static bool
read_into(cfg_t *reader, const char *path, struct config_errors *errors)
{
    struct buf bytes;
    buf_init(&bytes, FILE_BYTES);
    enum status st = file_read(path, &bytes);
    if (st != ST_OK) {
        config_error(errors, "%s: cannot be read: %s", path, file_why(st));
        buf_release(&bytes);
        return false;
    }
    bool read = is_text(buf_span(&bytes), path, errors);
    buf_add_text(&bytes, end_mark);
    FILE *in = read && buf_status(&bytes) == ST_OK ? fmemopen(bytes.at, bytes.length, "r") : NULL;
    read     = in != NULL && cfg_parse_fp(reader, in) == CFG_SUCCESS;
    if (read && cfg_opt_size(cfg_getopt(reader, END_NAME)) == 0) {
        config_error(errors, "%s: it could not be read to its end", path);
        read = false;
    }
    if (in != NULL)
        fclose(in);
    buf_release(&bytes);
    return read;
}

/* ---- values ------------------------------------------------------------- */

/* file:PATH is the file's content, $NAME the environment's word.  What comes
 * this way is never printed. */
static bool
resolve(struct parse *p, struct setting *s, struct span *value)
{
    const char *name = s->option->name;
    if (span_starts(*value, SPAN("file:"))) {
        struct span path = config_path(p, span_skip(*value, 5));
        struct buf  bytes;
        buf_init(&bytes, VALUE_BYTES);
        enum status st = file_read(path.at, &bytes);
        if (st == ST_OK) {
            struct span text = buf_span(&bytes);
            *value           = arena_copy(p->arena, span_ends(text, SPAN("\n")) ? span_first(text, text.length - 1) : text);
        } else {
            config_error(p->errors, "%.*s: `%s` points at %.*s, which cannot be read: %s", SPAN_PRINT(s->where), name,
                         SPAN_PRINT(path), file_why(st));
        }
        buf_release(&bytes);
        s->hidden = true;
        return st == ST_OK;
    }
    if (value->length > 1 && value->at[0] == '$') {
        const char *word = getenv(value->at + 1);
        if (word == NULL) {
            config_error(p->errors, "%.*s: `%s` wants the environment variable %s, which is not set",
                         SPAN_PRINT(s->where), name, value->at + 1);
            return false;
        }
        *value    = arena_copy(p->arena, span_of(word));
        s->hidden = true;
    }
    return true;
}

struct span
config_path(struct parse *p, struct span path)
{
    if (span_empty(path) || path.at[0] == '/')
        return arena_copy(p->arena, path);
    return arena_format(p->arena, "%.*s/%.*s", SPAN_PRINT(p->folder), SPAN_PRINT(path));
}

static void
take_default(struct parse *p, struct setting *s)
{
    const char *initial = s->option->initial;
    s->given            = false;
    if (initial == NULL || initial[0] == '\0')
        return;
    s->values    = arena_make_n(p->arena, 1, struct span);
    s->count     = s->values != NULL ? 1 : 0;
    if (s->count == 1)
        s->values[0] = s->option->type == OPTION_PATH ? config_path(p, span_of(initial)) : span_of(initial);
}

static bool
take_values(struct parse *p, cfg_opt_t *found, struct setting *s)
{
    unsigned count = cfg_opt_size(found);
    s->given       = true;
    s->where       = arena_copy(p->arena, span_of(found->comment));
    s->values      = arena_make_n(p->arena, count, struct span);
    for (unsigned i = 0; s->values != NULL && i < count; i++) {
        struct span value = arena_copy(p->arena, span_of(cfg_opt_getnstr(found, i)));
        if (!resolve(p, s, &value))
            return false;
        s->values[i] = s->option->type == OPTION_PATH ? config_path(p, value) : value;
        s->count     = i + 1;
    }
    return true;
}

static bool
collect_section(cfg_t *from, enum option_section_id id, struct parse *p, struct setting_section *to)
{
    bool good    = true;
    to->id       = id;
    to->title    = arena_copy(p->arena, span_of(from->title));
    to->where    = from->line > 0 ? arena_format(p->arena, "%s:%d", file_name(from), from->line)
                                  : arena_copy(p->arena, span_of(p->path));
    to->settings = arena_make_n(p->arena, OPTIONS_MOST, struct setting);
    if (to->settings == NULL)
        return false;
    for (size_t i = 0; i < option_row_count; i++) {
        if (option_rows[i].section != id)
            continue;
        struct setting *s     = &to->settings[to->count++];
        cfg_opt_t      *found = cfg_getopt(from, option_rows[i].name);
        s->option             = &option_rows[i];
        if (found != NULL && found->comment != NULL)
            good &= take_values(p, found, s);
        else
            take_default(p, s);
    }
    return good;
}

static bool
collect(cfg_t *reader, struct parse *p)
{
    size_t most = 0;
    bool   good = true;
    for (size_t id = 0; id < SECTION_COUNT; id++)
        most += cfg_size(reader, option_sections[id].name);
    p->sections = arena_make_n(p->arena, most, struct setting_section);
    for (size_t id = 0; p->sections != NULL && id < SECTION_COUNT; id++)
        for (unsigned i = 0; i < cfg_size(reader, option_sections[id].name); i++)
            good &= collect_section(cfg_getnsec(reader, option_sections[id].name, i), (enum option_section_id)id, p,
                                    &p->sections[p->section_count++]);
    if (arena_spent(p->arena)) {
        config_error(p->errors, "%s: there is not enough memory for it", p->path);
        return false;
    }
    return good;
}
