/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_CLI_DOCTOR_H
#define GL_BROKER_CLI_DOCTOR_H

/* The examination that `doctor` makes: one line a finding, and below it what mends it. cmd_doctor.c
 * looks at the program's own things, doctor_local.c at this machine as a cloud, doctor_cloud.c at
 * the clouds that were added, doctor_meter.c at the meter of rented machines and at the clock.
 * `provider check` and `source check` make the same kind of examination. */

#include "broker/cli/help.h"

enum gl_exam_state { GL_EXAM_OK, GL_EXAM_WARN, GL_EXAM_FAIL };

/* The examination so far. */
struct gl_exam {
    struct gl_context *context;
    json_t *rows;
    const char *state_folder; /* NULL = there is none, or nothing can be written there */
    size_t warnings, failures;
    int status;                 /* of the first failure */
    const char *kind, *subject; /* what is looked at, as a member of the rows: "cloud", "aws" */
    struct gl_http *dated;      /* of gl_exam_watch(); NULL = nothing can be asked */
};

struct gl_finding {
    const char *name;
    enum gl_exam_state state;
    int exit;        /* status when it fails */
    const char *fix; /* what mends it; NULL = nothing to mend */
};

/* Append the finding with its text to the reply, and count it. Foreign text is made printable. */
void gl_exam_note(struct gl_exam *exam, const struct gl_finding *finding, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* QEMU, kernel, busybox, meter, KVM, namespaces, and whether an instance could be launched. */
void gl_exam_local(struct gl_exam *exam);

/* One line for every cloud of the configuration, and one for the meter of rented machines. */
void gl_exam_clouds(struct gl_exam *exam);
/* Add what is wrong, or that all is well, with the meter of the configuration, under this name. */
void gl_exam_meter(struct gl_exam *exam, const char *name);

/* From here on the clock is compared with the answers that come over the network; gl_exam_clock()
 * ends that and adds a line, if there was an answer with a date. */
void gl_exam_watch(struct gl_exam *exam);
void gl_exam_clock(struct gl_exam *exam);

/* What mends an error of a cloud; `cloud` may be NULL. Appended to *out. */
void gl_exam_fix(enum gl_errc code, const char *cloud, const char *right, struct gl_str *out);

#endif
