/* fhir/extension_rules.h -- extensions against their definitions.
 *
 * The walk notes every extension; when it is through each is held against the
 * definition that its url names, if the pack has one (R4 extensibility.html,
 * defining-extensions.html, as the official validator reads them).
 *   extension-url       absolute, unless inside of another extension; without a version
 *   extension-unknown   nothing here defines it: information, or an error when the
 *                       options say so.  A cross-version extension
 *                       ("…/fhir/5.0/StructureDefinition/extension-Type.element") is known by its form
 *   extension-context   stands where its definition lets it: an element by path or
 *                       type, or an extension.  A context in FHIRPath admits all
 *   extension-modifier  in modifierExtension when it is a modifier, and only then
 *   extension-part      a part of a complex extension is one that it defines
 * and what its profile asks of its value and parts (fhir/profile.h).
 *
 * Linear in extensions and their depth; contexts that were found right are
 * remembered by the place of their definition.
 */
#ifndef SLUICE_FHIR_EXTENSION_RULES_H
#define SLUICE_FHIR_EXTENSION_RULES_H

#include "fhir/profile.h"
#include "fhir/reference_rules.h"

/* `type` of a note: 1 in modifierExtension, 0 in extension. */
enum status extension_rules(struct profiling *, const struct noted_references *, enum unknown_extensions) MUST_CHECK;

#endif
