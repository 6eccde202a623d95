/* gateway/store/vfs.h -- SQLite's file access, with consecutive writes joined.
 *
 * SQLite writes a commit to the WAL as two small writes a page, and a
 * checkpoint as one write a page.  This VFS ("sluice") wraps the default one and
 * keeps consecutive writes to the WAL and to the database in a buffer until
 * they would not be consecutive any more, or anything else is done with the file.
 *
 * Rules that make it safe:
 *   1  xSync, xRead, xTruncate, xFileSize, xFileControl, xUnlock and xClose write the
 *      buffer first.  SQLite tells other connections about pages only after
 *      the xSync of the commit or checkpoint (synchronous = FULL).
 *   2  An error of a delayed write is returned by the call that made it happen;
 *      for a commit that is its xSync, so the commit fails.  What was in the
 *      buffer is dropped: frames behind the last commit do not count.
 *   3  Journals, temporary files and read-only connections are not wrapped.
 */
#ifndef SLUICE_GATEWAY_STORE_VFS_H
#define SLUICE_GATEWAY_STORE_VFS_H

#define STORE_VFS "sluice"

/* Once, before the first connection; 0: ok, else an SQLite code. */
int store_vfs_register(void);

#endif
