/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BASE_PROCESS_H
#define GL_BASE_PROCESS_H

/* Child processes without a shell. Refuses PATH look-ups in relative folders. Every child started
 * here is either awaited or handed over by its pid and start time, so that a recycled pid is never
 * mistaken for it. */

#include "base/str.h"

/* A process that may outlive us: pid and its start time in clock ticks (/proc/PID/stat field 22).
 */
struct gl_process {
    int pid;
    uint64_t start_ticks;
};

struct gl_spawn {
    const char *const *argv;            /* argv[0] looked up in PATH unless it holds a slash */
    const char *folder;                 /* NULL = unchanged */
    int stdin_fd, stdout_fd, stderr_fd; /* -1 = /dev/null */
    const int *keep_fds;                /* others are closed on exec */
    size_t keep_count;
    int64_t file_size_limit; /* RLIMIT_FSIZE in bytes with SIGXFSZ ignored; 0 = none */
    bool is_detached;        /* own session; survives us */
    bool dies_with_parent;
    int uid, gid;                   /* -1 = unchanged; dropped with all supplementary groups */
    const char *const *environment; /* "NAME=value", NULL-terminated; NULL = inherit */
};

/* Start; an exec failure is reported here, not by the child. Errors: IO with sys. */
int gl_process_start(const struct gl_spawn *spawn, struct gl_process *out, struct gl_error *err);
/* Is it (the same process, not a recycled pid, not a zombie) there? */
bool gl_process_is_alive(const struct gl_process *process);
/* Signal it if it is still the same process; fine when it is gone. */
void gl_process_kill(const struct gl_process *process, int signal);
/* Wait for a child of ours at most timeout_ms (-1 = for ever). 1 ended with *out_status =
 * exit status or 128 + signal, 0 timed out, -1 not our child. */
int gl_process_wait(const struct gl_process *process, int64_t timeout_ms, int *out_status);
/* What /proc/PID/stat says, in clock ticks; start_ticks since the boot. */
struct gl_process_stat {
    char state; /* 'Z' = ended, not awaited */
    int parent;
    uint64_t user_ticks, system_ticks; /* its own */
    uint64_t reaped_ticks;             /* both, of the children it awaited */
    uint64_t start_ticks;
};
/* False when it is gone; *out is then untouched. */
bool gl_process_stat(int pid, struct gl_process_stat *out);
/* CPU time used so far in milliseconds (user + system), -1 when it is gone. */
int64_t gl_process_cpu_ms(const struct gl_process *process);
/* Run to the end and collect stdout (at most `ceiling` bytes); for short helper programs. */
int gl_process_capture(const char *const *argv, size_t ceiling, int64_t timeout_ms,
                       struct gl_str *out, int *out_status, struct gl_error *err);
/* The same with an environment, a folder or limits of its own; the stdout of `spawn` is not used.
 */
int gl_process_capture_spawn(const struct gl_spawn *spawn, size_t ceiling, int64_t timeout_ms,
                             struct gl_str *out, int *out_status, struct gl_error *err);

/* A helper whose output is collected while the caller does other things. */
struct gl_capture;
/* Start it; its time counts from here (-1 = it has for ever). NULL: IO as gl_process_start(). */
struct gl_capture *gl_capture_start(const struct gl_spawn *spawn, size_t ceiling,
                                    int64_t timeout_ms, struct gl_error *err);
/* Wait for its end at most wait_ms (-1 = as long as it has). 1 it ended: its output is appended to
 * *out; 0 it still runs; -1 TIMEOUT, TOO_LARGE, IO. After anything but 0 only gl_capture_free(). */
int gl_capture_take(struct gl_capture *capture, int64_t wait_ms, struct gl_str *out,
                    int *out_status, struct gl_error *err);
/* Kills what still runs and wipes what it wrote; NULL is fine. */
void gl_capture_free(struct gl_capture *capture);

/* Absolute path of a program in PATH into a fresh string, NULL if there is none. */
char *gl_program_find(const char *name);

#endif
