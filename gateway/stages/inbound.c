/* gateway/stages/inbound.c -- the recipe of a push. */
#include "gateway/stages/stages.h"

const struct pipeline inbound = {
    .name = "inbound",
    .body = (const struct stage *const[]){
        &stage_receive,         /* method, path, content type             */
        &stage_authenticate,    /* certificate -> client        (store)   */
        &stage_read,            /* Consents that it may see     (store)   */
        &stage_audit,           /* what the log says, for auditors (worker) */
        &stage_accounting,      /* what a patient is told of it (worker)  */
        &stage_who,             /* of whom a decision is asked  (store)   */
        &stage_consult,         /* their consents -> a card     (store)   */
        &stage_revoke,          /* a revocation -> a version    (store)   */
        &stage_disclose,        /* the record of that answer    (store)   */
        &stage_even,            /* when it leaves                         */
        &stage_parse,           /* bytes -> tape                (worker)  */
        &stage_validate,        /* tape -> findings             (worker)  */
        &stage_terminology,     /* undecided codes -> answers   (network) */
        &stage_judge,           /* findings -> refused or not   (worker)  */
        &stage_entries,         /* what each entry asks for     (worker)  */
        &stage_match,           /* conditional creates          (store)   */
        &stage_form,            /* the accepted form            (worker)  */
        &stage_label,           /* resources -> labels          (worker)  */
        &stage_inspect,         /* documents -> text, back to label (helper) */
        &stage_record,          /* resources -> store rows      (worker)  */
        &stage_route,           /* which recipients             (worker)  */
        &stage_decide,          /* consents, facts              (store)   */
        &stage_redact,          /* decisions -> sealed splices  (worker)  */
        &stage_commit,          /* everything durable           (store)   */
        NULL },
    .tail = (const struct stage *const[]){
        &stage_keep,            /* a refusal, under its key     (store)   */
        &stage_respond,
        &stage_linger,          /* when what it used is wiped             */
        NULL },
};
