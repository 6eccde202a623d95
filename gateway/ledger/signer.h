/* gateway/ledger/signer.h -- what checkpoint.c asks of the key. */
#ifndef SLUICE_GATEWAY_LEDGER_SIGNER_H
#define SLUICE_GATEWAY_LEDGER_SIGNER_H

#include "gateway/ledger/ledger.h"

enum status ledger_signer_sign(const struct ledger_signer *, struct span text,
                               unsigned char out[64]) MUST_CHECK;

#endif
