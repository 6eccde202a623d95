/* gateway/ledger/tiles.h -- names of tiles in a folder, as c2sp.org/tlog-tiles.
 *
 *     tiles/<L>/<N>[.p/<W>]      N in elements of three digits, all but the last with
 *                                an x before: 1234067 is x001/x234/067
 *
 * The tile at level L covers 256^(L+1) leaves.  Of a tree of `size` leaves
 * there are (size >> 8L) entries at level L: full tiles of 256, and one of
 * the rest, whose name says how many (W).
 */
#ifndef SLUICE_GATEWAY_LEDGER_TILES_H
#define SLUICE_GATEWAY_LEDGER_TILES_H

#include "gateway/ledger/tree.h"

/* Appends "tiles/0/x001/x234/067.p/5"; width TILE_HASHES: a full one. */
void tile_name(struct buf *, unsigned level, uint64_t n, unsigned width);
/* Whether a tree of this size has a tile of this name (without "tiles/"). */
bool tile_name_belongs(struct span name, uint64_t size);

#endif
