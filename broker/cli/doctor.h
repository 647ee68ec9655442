/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_CLI_DOCTOR_H
#define GL_BROKER_CLI_DOCTOR_H

/* The examination that `doctor` makes: one line a finding, and below it what mends it. cmd_doctor.c
 * looks at the program's own things, doctor_local.c at this machine as a cloud. */

#include "broker/cli/help.h"

enum gl_exam_state { GL_EXAM_OK, GL_EXAM_WARN, GL_EXAM_FAIL };

/* The examination so far. */
struct gl_exam {
    struct gl_context *context;
    json_t *rows;
    const char *state_folder; /* NULL = there is none, or nothing can be written there */
    size_t warnings, failures;
    int status; /* of the first failure */
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

#endif
