/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_SERVE_ADMISSION_H
#define GL_BROKER_SERVE_ADMISSION_H

/* Admission webhooks of Kubernetes: AdmissionReview of admission.k8s.io/v1 in and out
 * (kubernetes.io, "Dynamic Admission Control"). Pure. Changes no object: it answers yes or no, with
 * warnings that kubectl shows. Every answer bears the uid of its question. */

#include "base/json.h"
#include "broker/hook/report.h"

#define GL_ADMISSION_MAX_BYTES ((size_t)7 << 20) /* object and old object, at most 3 MiB each */
#define GL_ADMISSION_UID       128
#define GL_ADMISSION_WARNING   240 /* bytes; the server cuts beyond 256 */
#define GL_ADMISSION_WARNINGS  8

enum gl_admission_operation { GL_ADMIT_CREATE, GL_ADMIT_UPDATE, GL_ADMIT_DELETE, GL_ADMIT_CONNECT };

struct gl_admission {
    json_t *document; /* owns what is borrowed below */
    char uid[GL_ADMISSION_UID];
    enum gl_admission_operation operation;
    const char *kind, *namespace, *name; /* "" if absent */
    bool is_dry_run, is_status;          /* of a subresource that starts nothing */
    const json_t *object, *old_object;   /* NULL if absent */
};

/* Errors: TOO_LARGE, SYNTAX (no JSON), BAD_VALUE (no review of a version that is known). */
int gl_admission_parse(struct gl_view body, struct gl_admission *out, struct gl_error *err);
void gl_admission_done(struct gl_admission *review);

/* Must it be judged? False: allowed without a look (DELETE, CONNECT, a subresource but "scale", a
 * namespace that the lists leave out, an update that leaves the specification alone). The lists are
 * globs, NULL-terminated; empty `namespaces` = all. */
bool gl_admission_is_judged(const struct gl_admission *review, const char *const *namespaces,
                            const char *const *not_namespaces);

/* The answer, fresh. */
char *gl_admission_allowed(const struct gl_admission *review);
/* Of a report: denied when the verdict is not allow, unless `is_advisory`; what was only warned of
 * becomes a warning. *out_allowed (may be NULL). */
char *gl_admission_judged(const struct gl_admission *review, const struct gl_hook_report *report,
                          bool is_advisory, bool *out_allowed);
/* When it could not be judged; `is_open` allows with a warning. */
char *gl_admission_failed(const struct gl_admission *review, const char *why, bool is_open);

#endif
