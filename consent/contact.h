/* consent/contact.h -- a program by its telephone or its address.
 *
 * Who looks up a telephone number or a street finds the program (42 CFR 2.12(a)(1)(i):
 * by reference to publicly available information), so a Location, Organization,
 * HealthcareService, Practitioner or PractitionerRole that has one of a registered
 * program's is the program's own, whatever it calls itself.
 *
 *   N1  Telephone and fax numbers are compared by their last ten digits, however they are
 *       written; shorter ones not at all.  A telecom that is a URL or an e-mail address is
 *       not looked at here.
 *   N2  An address is the registered line and postal code, "12 Elm Street|02139": one of the
 *       lines and the first five digits of the postal code agree, letters and digits alone
 *       compared.  Without a postal code in the record the line is not enough.
 *   N3  They are the operator's word that nobody else answers there.
 */
#ifndef SLUICE_CONSENT_CONTACT_H
#define SLUICE_CONSENT_CONTACT_H

#include "consent/facts.h"

/* Whether the resource has a telecom or an address of the program. */
bool contact_is_of(const struct program *, const struct tape *, tape_node resource, struct arena *);
/* "555-010-0199" is enough of a number, "12 Elm Street|02139" of an address. */
bool contact_phone_valid(struct span);
bool contact_address_valid(struct span);

#endif
