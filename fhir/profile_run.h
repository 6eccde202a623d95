/* fhir/profile_run.h -- what the parts of a profile's run share; private to the profile*.c files.
 *
 *     profile.c              profiles of resources, each asked once
 *     profile_walk.c         a node and a value: children, cardinality, types
 *     profile_slices.c       which slice an item is in
 *     profile_targets.c      what references may point at
 *     profile_values.c       fixed values, patterns
 *     profile_bounds.c       least and most values, longest texts
 *     profile_bindings.c     value sets
 *     profile_constraints.c  invariants
 *     profile_shortcuts.c    those that hold at a glance
 */
#ifndef SLUICE_FHIR_PROFILE_RUN_H
#define SLUICE_FHIR_PROFILE_RUN_H

#include "fhir/fhirpath.h"
#include "fhir/profile.h"
#include "fhir/terminology.h"

/* Whether nothing more has to be looked at. */
static inline bool
profile_ended(const struct profiling *r)
{
    return (r->silent && r->errors != r->silent_errors) || r->report->stopped || r->no_memory || r->steps == 0;
}

/* True when the texts have to be made: then profile_tell() follows.  An error
 * counts either way.  The node is NULL when none asks it. */
bool profile_wrong(struct profiling *, const struct pack_node *, tape_node, enum severity, enum issue_code, const char *rule);
void profile_tell(struct profiling *, struct span wanted, struct span found, struct span hint);
/* "us-core-patient: Patient.name", what a finding begins with. */
struct span profile_place(struct profiling *, const struct pack_node *);

/* A node of a profile, or of a base type, and one value. */
void profile_value(struct profiling *, const struct pack_node *, const struct spot *);
/* The same silently. */
bool profile_value_fits(struct profiling *, const struct pack_node *, const struct spot *);
bool profile_fits(struct profiling *, uint32_t profile, const struct spot *);
/* The same of a canonical, which may mean one element of a profile. */
void profile_apply_canonical(struct profiling *, const struct pack_canonical *, const struct spot *);
bool profile_fits_canonical(struct profiling *, const struct pack_canonical *, const struct spot *);

/* Items r->spots[first .. first + count) of a sliced node, into its slices. */
void profile_slices(struct profiling *, const struct pack_node *, tape_node object, uint32_t first, uint32_t count);
/* Items of a node: how many there are, each one, and its slices. */
void profile_list(struct profiling *, const struct pack_node *, tape_node object, uint32_t first, uint32_t count);
bool profile_push(struct profiling *, struct spot);
/* An item of an element with this type, unless it is a hole. */
void profile_push_item(struct profiling *, tape_node value, tape_node shadow, const struct pack_type *);

void profile_types(struct profiling *, const struct pack_node *, const struct spot *);
/* aggregation and versioning. */
void profile_ways(struct profiling *, const struct pack_node *, const struct pack_allowed *, const struct spot *);
void profile_targets(struct profiling *, const struct pack_node *, const struct pack_allowed *, const struct spot *);
/* The resource that a reference or a canonical at this node names; TAPE_ABSENT when it is not in the document. */
tape_node profile_resolve(struct profiling *, tape_node reference);
/* The same of a text, of a resource by its index. */
tape_node profile_resolve_text(struct profiling *, uint32_t resource, struct span text);

void profile_fixed(struct profiling *, const struct pack_node *, const struct spot *);
void profile_bounds(struct profiling *, const struct pack_node *, const struct spot *);
bool profile_equal(struct profiling *, uint32_t value, tape_node);        /* all of it */
bool profile_matches(struct profiling *, uint32_t pattern, tape_node);    /* at least this */

/* What a definition says may be told: codes and urls, not sentences. */
struct span profile_value_text(struct profiling *, uint32_t value);

void profile_binding(struct profiling *, const struct pack_node *, const struct spot *);
/* Of a value set by its url. */
enum term_verdict profile_member(const struct profiling *, struct span value_set, const struct spot *);
/* Whether a value is in a value set, for slices; undecided is not. */
bool profile_bound(struct profiling *, const struct pack_binding *, const struct spot *);

/* By its words. */
enum shortcut profile_shortcut_of(struct span expression);
/* True: the invariant holds.  False: it has to be evaluated. */
bool profile_holds_at_a_glance(struct profiling *, const struct pack_constraint *, const struct spot *);
/* How an expression is run on a value of the resource with this index, within
 * the steps that all of a document share; false when there is no such resource. */
bool profile_expression(struct profiling *, uint32_t resource, struct fhirpath_item focus, struct fhirpath_context *out);
void profile_constraints(struct profiling *, const struct pack_node *, const struct spot *);

/* PACK_NONE when there is no such type. */
uint32_t profile_structure(const struct profiling *, struct span name);
/* Name of the type that a spot has: "Quantity", "Patient". */
struct span profile_type_name(const struct profiling *, const struct spot *);
/* Whether a structure is one of another: Age is a Quantity, a Patient is a Resource. */
bool profile_type_is(const struct profiling *, struct span have, struct span wanted);

#define PROFILE_NOTHING ((struct span){ NULL, 0 })

#endif
