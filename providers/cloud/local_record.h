/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_PROVIDERS_LOCAL_RECORD_H
#define GL_PROVIDERS_LOCAL_RECORD_H

/* The folder of one local instance and the record in it, which any process can adopt it by:
 *   <state>/local/<launch id>/   0700
 *     instance.json   this record; replaced atomically, always before what it announces is done
 *     console.log     what the instance wrote to its console
 *     qemu.log        what QEMU (or the namespace's first process) complained about
 *     lock            held while someone launches, suspends or ends it
 *     stop            somebody asked for an orderly end
 *     early           frames of output that came before anybody was attached
 *     io/             control.sock, qmp.sock
 * Holds no secret: enrolment tokens and user data go through the control channel only. */

#include "base/process.h"
#include "providers/cloud/cloud.h"

#define GL_LOCAL_CONSOLE  "console.log"
#define GL_LOCAL_QEMU_LOG "qemu.log"
#define GL_LOCAL_STOP     "stop"
#define GL_LOCAL_EARLY    "early"
#define GL_LOCAL_CONTROL  "io/control.sock"
#define GL_LOCAL_QMP      "io/qmp.sock"
#define GL_LOCAL_TAG      37    /* a UUID with NUL */
#define GL_LOCAL_NOBODY   65534 /* uid and gid that root runs instances as */

struct gl_local_record {
    char token[GL_HASH_HEX];
    char launch_id[GL_CLOUD_ID];
    char region[40], type[40];
    char how[48];            /* "" until it was started once */
    char tag[GL_LOCAL_TAG];  /* QEMU's -uuid, the name of the namespace: finds a process whose
                              * pid was not written down any more */
    char boot[GL_LOCAL_TAG]; /* boot id of this machine when it was started */
    uint32_t attempt, vcpus, memory_mib;
    int64_t started_s, expires_s;
    enum gl_instance_state state;
    struct gl_process process; /* pid 0 = none */
    bool has_exit;
    int exit_status;
    int64_t host_cpu_ms; /* at the end; -1 not known */
};

/* Launch ids that may name a folder: "gl-" and at most 40 of a-z 0-9 and "-". */
bool gl_local_id_is_valid(const char *launch_id);
/* Fresh strings: the folder of an instance, a file in it. */
char *gl_local_folder(const char *state, const char *launch_id);

/* Canonical JSON and back; every value is checked. Errors: BAD_REPLY, SYNTAX. */
char *gl_local_record_text(const struct gl_local_record *record, struct gl_error *err);
int gl_local_record_parse(const char *text, size_t length, const char *name,
                          struct gl_local_record *out, struct gl_error *err);
int gl_local_record_save(const char *folder, const struct gl_local_record *record,
                         struct gl_error *err);
/* NOT_FOUND when there is no record. */
int gl_local_record_load(const char *folder, struct gl_local_record *out, struct gl_error *err);

/* The tag of a token in a state folder: a UUID made of their hash. */
void gl_local_tag(const char *state, const char *token, char out[GL_LOCAL_TAG]);
/* Boot id of this machine, "" when the system does not say. */
void gl_local_boot_id(char out[GL_LOCAL_TAG]);
/* Is the recorded process (still that process, in this boot) running? */
bool gl_local_is_alive(const struct gl_local_record *record);
/* A process of ours that was just made. */
struct gl_process gl_local_process_of(int pid);
/* Look through /proc for the process that carries the tag; true and *out when there is one. */
bool gl_local_find_process(const char *tag, struct gl_process *out);

/* Kill it and see it gone (reaping it when it is our child); at most some seconds. */
void gl_local_kill(const struct gl_process *process);

#endif
