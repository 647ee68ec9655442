/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_AGENT_COMMAND_H
#define GL_AGENT_COMMAND_H

/* The one command of an instance, under supervision: pipes on its three streams, rings between them
 * and the channel, its exit status kept until asked for. Never blocks on either side. */

#include "agent/ring.h"

#include <poll.h>
#include <sys/types.h>

struct gl_command_spec {
    const char *const *argv; /* NULL-terminated; argv[0] is looked up in the PATH below */
    const char *root;        /* chroot there, "" = none */
    bool is_oom_first;       /* the kernel should take it before the guest's own processes */
};

struct gl_command {
    pid_t pid; /* also its process group and session; 0 = never started */
    bool is_ended;
    int status; /* exit status or 128 + signal */
    int64_t ended_ms;
    int in_fd;         /* -1 = closed */
    bool is_in_ending; /* close stdin when the ring is empty */
    int out_fd[2];     /* stdout, stderr; -1 = closed */
    struct gl_ring in;
    struct gl_ring out[2];
};

/* PATH=<the usual>, HOME=/root, folder /work if it exists. A command that cannot be run ends with
 * status 126 or 127 and says why on its stderr. Errors: IO when not even a process can be made. */
int gl_command_start(struct gl_command *command, const struct gl_command_spec *spec,
                     struct gl_error *err);
/* It never ran: keep `text` as its stderr and `status` as its exit status. */
void gl_command_refuse(struct gl_command *command, int status, const char *text, int64_t now_ms);
/* waitpid() reported this status for command->pid. */
void gl_command_ended(struct gl_command *command, int wait_status, int64_t now_ms);
/* Signal it and all of its process group. */
void gl_command_signal(const struct gl_command *command, int signal_number);

/* Entries for poll(), at most three. A full output ring is left alone while `may_wait`, so that the
 * command waits for a host that is reading; otherwise its oldest bytes make room. */
size_t gl_command_poll(const struct gl_command *command, bool may_wait, struct pollfd out[3]);
void gl_command_serve(struct gl_command *command, const struct pollfd *polled, size_t count);
/* Has all that it wrote been read? True a second after its end even if a grandchild holds on. */
bool gl_command_is_drained(const struct gl_command *command, int64_t now_ms);
/* Bytes of stdin that can be taken now. */
size_t gl_command_in_room(const struct gl_command *command);
/* Stdin bytes; none = the end of stdin. At most gl_command_in_room(). */
void gl_command_feed(struct gl_command *command, const char *bytes, size_t length);

#endif
