/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_PROVIDERS_LOCAL_QMP_H
#define GL_PROVIDERS_LOCAL_QMP_H

/* A client of QEMU's machine protocol (docs/interop/qmp-spec.txt of QEMU): JSON lines over a unix
 * socket, one request at a time, events passed over. Refuses replies above 1 MiB and any line that
 * is no QMP message. */

#include "base/json.h"
#include "base/str.h"

enum gl_qmp_kind { GL_QMP_GREETING, GL_QMP_RETURN, GL_QMP_ERROR, GL_QMP_EVENT };

struct gl_qmp_message {
    enum gl_qmp_kind kind;
    json_t *body;   /* value of "return"; NULL otherwise; owned */
    int64_t id;     /* of a reply; -1 = none */
    char text[160]; /* description of an error, name of an event */
};

/* One line without its newline. BAD_REPLY when it is no message. */
int gl_qmp_parse(const char *line, size_t length, struct gl_qmp_message *out, struct gl_error *err);
void gl_qmp_message_done(struct gl_qmp_message *message);

struct gl_qmp {
    int fd;
    int64_t next_id;
    struct gl_str in;
    size_t in_at; /* bytes of `in` already used */
};

/* Connect to the socket `name` of an instance's folder and negotiate. Errors: IO, BAD_REPLY,
 * TIMEOUT. */
int gl_qmp_open(struct gl_qmp *qmp, const char *folder, const char *name, int64_t timeout_ms,
                struct gl_error *err);
void gl_qmp_close(struct gl_qmp *qmp);
/* Run a command; `arguments` is stolen (NULL = none), pass_fd >= 0 goes along as SCM_RIGHTS.
 * *out_return (may be NULL) is a new reference. LAUNCH with QEMU's words when it refuses. */
int gl_qmp_command(struct gl_qmp *qmp, const char *name, json_t *arguments, int pass_fd,
                   json_t **out_return, struct gl_error *err);

#endif
