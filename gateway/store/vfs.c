/* gateway/store/vfs.c -- SQLite's file access, with consecutive writes joined. */
#include "gateway/store/vfs.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

/* SQLite's own xWrite takes less than 128 KiB at once. */
#define BUFFER_BYTES (64 * 1024)

struct joined {
    sqlite3_file   base;                 /* first: what SQLite sees */
    sqlite3_int64  at;                   /* where the buffer begins */
    int            held;
    char          *buffer;
    _Alignas(8) unsigned char real[];   /* the wrapped file */
};

static sqlite3_vfs joining;

static struct joined *
joined_of(sqlite3_file *file)
{
    return (struct joined *)(void *)file;
}

static sqlite3_file *
real_of(sqlite3_file *file)
{
    return (sqlite3_file *)(void *)joined_of(file)->real;
}

static int
flush(sqlite3_file *file)
{
    struct joined *j    = joined_of(file);
    int            held = j->held;

    if (held == 0)
        return SQLITE_OK;
    j->held = 0;
    return real_of(file)->pMethods->xWrite(real_of(file), j->buffer, held, j->at);
}

/* ---- writing --------------------------------------------------------------------- */

static int
on_write(sqlite3_file *file, const void *bytes, int length, sqlite3_int64 at)
{
    struct joined *j = joined_of(file);

    if (j->held > 0 && (at != j->at + j->held || length > BUFFER_BYTES - j->held)) {
        int code = flush(file);
        if (code != SQLITE_OK)
            return code;
    }
    if (length > BUFFER_BYTES)
        return real_of(file)->pMethods->xWrite(real_of(file), bytes, length, at);
    if (j->held == 0)
        j->at = at;
    memcpy(j->buffer + j->held, bytes, (size_t)length);
    j->held += length;
    return SQLITE_OK;
}

static int
on_sync(sqlite3_file *file, int flags)
{
    int code = flush(file);

    return code == SQLITE_OK ? real_of(file)->pMethods->xSync(real_of(file), flags) : code;
}

/* ---- everything else: the buffer first ------------------------------------------------ */

static int
on_close(sqlite3_file *file)
{
    int code   = flush(file);
    int closed = real_of(file)->pMethods->xClose(real_of(file));

    free(joined_of(file)->buffer);
    return code == SQLITE_OK ? closed : code;
}

static int
on_read(sqlite3_file *file, void *bytes, int length, sqlite3_int64 at)
{
    int code = flush(file);

    return code == SQLITE_OK ? real_of(file)->pMethods->xRead(real_of(file), bytes, length, at) : code;
}

static int
on_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    int code = flush(file);

    return code == SQLITE_OK ? real_of(file)->pMethods->xTruncate(real_of(file), size) : code;
}

static int
on_file_size(sqlite3_file *file, sqlite3_int64 *size)
{
    int code = flush(file);

    return code == SQLITE_OK ? real_of(file)->pMethods->xFileSize(real_of(file), size) : code;
}

static int
on_unlock(sqlite3_file *file, int lock)
{
    int code     = flush(file);
    int unlocked = real_of(file)->pMethods->xUnlock(real_of(file), lock);

    return code == SQLITE_OK ? unlocked : code;
}

static int
on_file_control(sqlite3_file *file, int op, void *arg)
{
    int code = flush(file);

    return code == SQLITE_OK ? real_of(file)->pMethods->xFileControl(real_of(file), op, arg) : code;
}

/* ---- passed on ------------------------------------------------------------------------- */

static int
on_lock(sqlite3_file *file, int lock)
{
    return real_of(file)->pMethods->xLock(real_of(file), lock);
}

static int
on_check_lock(sqlite3_file *file, int *out)
{
    return real_of(file)->pMethods->xCheckReservedLock(real_of(file), out);
}

static int
on_sector_size(sqlite3_file *file)
{
    return real_of(file)->pMethods->xSectorSize(real_of(file));
}

static int
on_characteristics(sqlite3_file *file)
{
    return real_of(file)->pMethods->xDeviceCharacteristics(real_of(file));
}

static int
on_shm_map(sqlite3_file *file, int region, int size, int extend, void volatile **out)
{
    return real_of(file)->pMethods->xShmMap(real_of(file), region, size, extend, out);
}

static int
on_shm_lock(sqlite3_file *file, int offset, int count, int flags)
{
    return real_of(file)->pMethods->xShmLock(real_of(file), offset, count, flags);
}

static void
on_shm_barrier(sqlite3_file *file)
{
    real_of(file)->pMethods->xShmBarrier(real_of(file));
}

static int
on_shm_unmap(sqlite3_file *file, int remove)
{
    return real_of(file)->pMethods->xShmUnmap(real_of(file), remove);
}

/* Version 2: shared memory for the WAL, no memory-mapped reads. */
static const sqlite3_io_methods methods = {
    .iVersion               = 2,
    .xClose                 = on_close,
    .xRead                  = on_read,
    .xWrite                 = on_write,
    .xTruncate              = on_truncate,
    .xSync                  = on_sync,
    .xFileSize              = on_file_size,
    .xLock                  = on_lock,
    .xUnlock                = on_unlock,
    .xCheckReservedLock     = on_check_lock,
    .xFileControl           = on_file_control,
    .xSectorSize            = on_sector_size,
    .xDeviceCharacteristics = on_characteristics,
    .xShmMap                = on_shm_map,
    .xShmLock               = on_shm_lock,
    .xShmBarrier            = on_shm_barrier,
    .xShmUnmap              = on_shm_unmap,
};

static int
on_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *got)
{
    sqlite3_vfs   *under = vfs->pAppData;
    struct joined *j     = joined_of(file);

    if ((flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL)) == 0 || (flags & SQLITE_OPEN_READONLY) != 0)
        return under->xOpen(under, name, file, flags, got);
    *j        = (struct joined){ .held = 0 };
    j->buffer = malloc(BUFFER_BYTES);
    if (j->buffer == NULL)
        return SQLITE_NOMEM;
    int code = under->xOpen(under, name, real_of(file), flags, got);
    if (real_of(file)->pMethods != NULL)
        j->base.pMethods = &methods;     /* SQLite closes a file that has methods, also after an error */
    else
        free(j->buffer);
    return code;
}

int
store_vfs_register(void)
{
    sqlite3_vfs *under = sqlite3_vfs_find(NULL);

    if (under == NULL)
        return SQLITE_ERROR;
    joining          = *under;
    joining.zName    = STORE_VFS;
    joining.pNext    = NULL;
    joining.pAppData = under;
    joining.szOsFile = (int)sizeof(struct joined) + under->szOsFile;
    joining.xOpen    = on_open;
    return sqlite3_vfs_register(&joining, 0);
}
