/* tests/bench/heap_count.c -- LD_PRELOAD: counts heap calls by who makes them.
 *
 * Each call of malloc, calloc, realloc (free is not counted) is put down to the
 * first frame that is not in libc, and, when that is not the program itself,
 * also to the first frame of the program that led to it.  The table lies in the
 * file HEAP_COUNT names, shared, so that whoever measures reads it before and
 * after.  Slow: it walks the stack every time. */
#include <fcntl.h>
#include <link.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <unwind.h>

#define SLOTS 4096u

struct slot {
    _Atomic uint64_t library;            /* first frame outside libc, as an address in its object */
    uint64_t         program;            /* first frame in the program, likewise; 0: none */
    _Atomic uint64_t calls;
    char             name[40];           /* of the object that called */
};

struct object {
    const char *from, *to, *base;
    char        name[40];
    int         libc, program;
};

static struct slot  *slots;
static struct object objects[128];
static int           object_count;
/* initial-exec: the other model would call malloc to make it. */
static _Thread_local int inside __attribute__((tls_model("initial-exec")));

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);

struct walk {
    int                  frames;
    const char          *caller, *program;
    const struct object *object, *main;
};

static const struct object *
object_of(const char *at)
{
    for (int i = 0; i < object_count; i++)
        if (at >= objects[i].from && at < objects[i].to)
            return &objects[i];
    return NULL;
}

static _Unwind_Reason_Code
on_frame(struct _Unwind_Context *context, void *arg)
{
    struct walk *w  = arg;
    const char  *at = (const char *)_Unwind_GetIP(context);
    const struct object *o = w->frames >= 2 ? object_of(at) : NULL;

    /* The first two frames are ours; what is in no object was mapped later. */
    w->frames++;
    if (o == NULL || o->libc)
        return w->frames > 48 ? _URC_END_OF_STACK : _URC_NO_REASON;
    if (w->caller == NULL) {
        w->caller = at;
        w->object = o;
    }
    if (o->program) {
        w->program = at;
        w->main    = o;
        return _URC_END_OF_STACK;
    }
    return w->frames > 48 ? _URC_END_OF_STACK : _URC_NO_REASON;
}

static void
put_down(const struct walk *w)
{
    uint64_t library = (uint64_t)(w->caller - w->object->base);
    uint64_t program = w->program != NULL ? (uint64_t)(w->program - w->main->base) : 0;
    uint64_t hash    = (library * 31 + program) * UINT64_C(0x9e3779b97f4a7c15);

    for (unsigned i = 0; i < SLOTS; i++) {
        struct slot *s     = &slots[((hash >> 40) + i) % SLOTS];
        uint64_t     empty = 0;
        if (atomic_compare_exchange_strong(&s->library, &empty, library)) {
            s->program = program;
            memcpy(s->name, w->object->name, sizeof s->name);
        } else if (empty != library || s->program != program) {
            continue;
        }
        atomic_fetch_add(&s->calls, 1);
        return;
    }
}

static void
count(void)
{
    struct walk w = { 0 };

    if (slots == NULL || inside)
        return;
    inside = 1;
    _Unwind_Backtrace(on_frame, &w);
    if (w.caller != NULL)
        put_down(&w);
    inside = 0;
}

void *
malloc(size_t size)
{
    count();
    return __libc_malloc(size);
}

void *
calloc(size_t n, size_t size)
{
    count();
    return __libc_calloc(n, size);
}

void *
realloc(void *at, size_t size)
{
    count();
    return __libc_realloc(at, size);
}

static _Unwind_Reason_Code
on_warm(struct _Unwind_Context *context, void *arg)
{
    (void)context;
    (void)arg;
    return _URC_NO_REASON;
}

static int
on_object(struct dl_phdr_info *info, size_t size, void *arg)
{
    const char *slash = strrchr(info->dlpi_name, '/');

    (void)size;
    (void)arg;
    for (int i = 0; i < info->dlpi_phnum && object_count < 128; i++) {
        struct object *o = &objects[object_count];
        if (info->dlpi_phdr[i].p_type != PT_LOAD || !(info->dlpi_phdr[i].p_flags & PF_X))
            continue;
        o->base = (const char *)info->dlpi_addr;
        o->from = o->base + info->dlpi_phdr[i].p_vaddr;
        o->to   = o->from + info->dlpi_phdr[i].p_memsz;
        /* The program comes first and has no name. */
        o->program = object_count == 0;
        o->libc    = strstr(info->dlpi_name, "/libc.so") != NULL;
        (void)snprintf(o->name, sizeof o->name, "%s",
                       o->program ? "sluice" : slash != NULL ? slash + 1 : info->dlpi_name);
        object_count++;
    }
    return 0;
}

__attribute__((constructor)) static void
open_table(void)
{
    const char *path = getenv("HEAP_COUNT");
    int         fd   = path != NULL ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600) : -1;

    inside = 1;
    _Unwind_Backtrace(on_warm, NULL);    /* loads libgcc now */
    dl_iterate_phdr(on_object, NULL);
    if (fd >= 0 && ftruncate(fd, SLOTS * sizeof *slots) == 0) {
        void *at = mmap(NULL, SLOTS * sizeof *slots, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        slots    = at != MAP_FAILED ? at : NULL;
    }
    inside = 0;
}
