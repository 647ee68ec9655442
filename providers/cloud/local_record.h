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
 *     hold            somebody is about to suspend or move it: who is attached lets go of it
 *     history         where and when it ran, and when it stood still (local_history.h)
 *     machine.mig     its state while it is suspended or moved (or in the folder of its place)
 *     io/             control.sock, qmp.sock
 * Holds no secret (enrolment tokens and user data go through the control channel only), but for
 * machine.mig: all that the guest knows. */

#include "base/process.h"
#include "providers/cloud/cloud.h"
#include "providers/cloud/local_machine.h"

#define GL_LOCAL_CONSOLE  "console.log"
#define GL_LOCAL_QEMU_LOG "qemu.log"
#define GL_LOCAL_STOP     "stop"
#define GL_LOCAL_HOLD     "hold"
#define GL_LOCAL_HISTORY  "history"
#define GL_LOCAL_MACHINE  "machine.mig"
#define GL_LOCAL_CONTROL  "io/control.sock"
#define GL_LOCAL_QMP      "io/qmp.sock"
#define GL_LOCAL_NEW      ".new" /* follows the names of the sockets of the QEMU it goes to */
#define GL_LOCAL_OLD      ".old" /* and of the one it left */
#define GL_LOCAL_TAG      37     /* a UUID with NUL */
#define GL_LOCAL_PATH     1024
#define GL_LOCAL_NOBODY   65534 /* uid and gid that root runs instances as */

/* What is being done with the instance; written down before it is done. */
enum gl_local_phase { GL_PHASE_NONE, GL_PHASE_SUSPENDING, GL_PHASE_MOVING, GL_PHASE_WAKING };

/* While it is away from its QEMU, or on the way to another one. */
struct gl_local_away {
    enum gl_local_phase phase;
    bool is_live;                /* it is copied while it runs */
    char from[40], target[40];   /* regions of a move; "" = it stays where it is */
    char path[GL_LOCAL_PATH];    /* of the file with its state; "" = none */
    struct gl_machine_seal seal; /* of that file; length 0 = it is not whole yet */
    int64_t console_bytes; /* of the console log when the machine was saved: more means that it has
                            * gone on since, and must not go on from the file again */
    int64_t still_ms;      /* it stands still since then, Unix; 0 = it runs */
    struct gl_process
        other; /* MOVING: the QEMU it goes to; WAKING: the one it left; pid 0 = none */
};

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
    int64_t host_cpu_ms;   /* at the end; -1 not known */
    int64_t cpu_before_ms; /* spent by QEMUs that it has left */
    int64_t cpu_boot_ms;   /* spent before its command could run, which is in no figure of it */
    bool has_network, has_disk;
    struct gl_local_away away;
    char unsettled[96]; /* not written: why gl_local_settle() failed; "" = it did not */
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
/* End every process that carries the tag but the kept ones (pid 0 = keep none). */
void gl_local_kill_others(const char *tag, const struct gl_process *keep,
                          const struct gl_process *keep_too);

/* Kill it and see it gone (reaping it when it is our child); at most some seconds. */
void gl_local_kill(const struct gl_process *process);

#endif
