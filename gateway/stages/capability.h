/* gateway/stages/capability.h -- GET /fhir/metadata: what this gateway can do.
 *
 * R4 capabilitystatement.html, kind instance, authored from what the routes
 * of stages/receive.c take.  The same for every client.
 */
#ifndef SLUICE_GATEWAY_STAGES_CAPABILITY_H
#define SLUICE_GATEWAY_STAGES_CAPABILITY_H

struct exchange;
void capability_answer(struct exchange *);

#endif
