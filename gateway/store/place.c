/* gateway/store/place.c -- whether the files at their paths are still those that are open.
 *
 * An open file that was deleted, or replaced by another, takes every write and
 * every fsync, and all of it is gone when the process ends.  So before a commit
 * is acknowledged, and before anything is read that something may leave for,
 * device and inode are compared: of the file and of its WAL, where what is
 * committed is until the next checkpoint.
 */
#include <sys/stat.h>

#include "gateway/store/sqlite.h"

static struct place
place_of(const char *path)
{
    struct stat st;

    if (stat(path, &st) != 0)
        return (struct place){ .there = false };
    return (struct place){ .device = (uint64_t)st.st_dev, .inode = (uint64_t)st.st_ino, .there = true };
}

static bool
same(struct place a, struct place b)
{
    return a.there && b.there && a.device == b.device && a.inode == b.inode;
}

/* SQLite opens the WAL when it first reads; then it stays to the end. */
enum status
place_note(struct store *s, struct buf *why)
{
    int moved = 1;

    s->wal_path = sqlite3_filename_wal(sqlite3_db_filename(s->db, "main"));
    s->file     = place_of(s->path);
    s->wal      = place_of(s->wal_path);
    if (sqlite3_file_control(s->db, "main", SQLITE_FCNTL_HAS_MOVED, &moved) == SQLITE_OK && moved == 0 &&
        s->file.there && s->wal.there)
        return ST_OK;
    buf_add_format(why, "store %s: the file was moved while it was opened", s->path);
    return ST_UNAVAILABLE;
}

enum status
place_check(struct store *s)
{
    if (same(s->file, place_of(s->path)) && same(s->wal, place_of(s->wal_path)))
        return ST_OK;
    if (s->error == 0)
        s->error = SQLITE_READONLY_DBMOVED;
    return ST_UNAVAILABLE;
}

/* SQLite deletes the WAL by its name when the last connection closes.  One that is
 * not ours belongs to another database: a backup that was put into the place. */
void
place_leave(struct store *s)
{
    int keep = 1;

    if (!same(s->wal, place_of(s->wal_path)))
        (void)sqlite3_file_control(s->db, "main", SQLITE_FCNTL_PERSIST_WAL, &keep);
}
