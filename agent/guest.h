/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_AGENT_GUEST_H
#define GL_AGENT_GUEST_H

/* The first process of an instance: in a virtual machine /init (process 1), in a process instance
 * the first one of its namespace. Takes its orders from the control channel, runs the one command,
 * keeps a meter process going, and ends everything when the lease ends. Process 1 never exits but
 * by switching the machine off. Protocol: base/frame.h and docs/meter.md. */

#include "agent/channel.h"
#include "agent/command.h"
#include "agent/config.h"
#include "agent/cpio.h"
#include "agent/fetch.h"
#include "agent/meter.h"

#define GL_GUEST_STOP_MS 2000 /* from SIGTERM to SIGKILL, for the command and for the meter */
#define GL_GUEST_METERS  8    /* restarts of a meter that dies, with a growing pause */

enum gl_guest_phase { GL_GUEST_WAITING, GL_GUEST_CONFIGURED, GL_GUEST_GONE };
enum gl_guest_stop { GL_STOP_NONE, GL_STOP_ASKED, GL_STOP_KILLED, GL_STOP_METER, GL_STOP_TOLD };

struct gl_guest_options {
    const char *control_path; /* process mode: unix socket to listen on; NULL = virtual machine */
    const char *console_path;
};

struct gl_guest {
    struct gl_guest_options options;
    bool is_vm;
    enum gl_guest_phase phase;
    struct gl_channel channel;
    struct gl_config config;
    struct gl_chain_names names;
    int signal_fd, lease_fd;
    struct gl_sink console;
    /* payload and command */
    struct gl_cpio payload;
    bool is_unpacking, has_go;
    struct gl_error payload_error;
    struct gl_command command;
    bool is_exit_told;
    uint64_t dropped_told;
    bool is_held;             /* output waits for the next 'W': nobody has asked for it */
    int64_t patient_until_ms; /* till then the command waits with it */
    /* file being handed out */
    struct gl_fetch fetch;
    char fetch_reason[600]; /* why there is none; to be told */
    bool is_fetch_ended;    /* the empty 'F' is due */
    /* meter */
    pid_t meter;
    unsigned meter_starts;
    int64_t meter_at_ms; /* start it (again) then */
    uint8_t seed[32];
    struct gl_meter_progress *progress;
    /* the rest */
    bool is_hello_due, is_stopped_due;
    int64_t hello_at_ms;
    enum gl_guest_stop stop;
    int64_t stop_at_ms; /* the present step of stopping ends then */
};

/* What a 'T' frame says. */
struct gl_guest_time {
    int64_t now_ms;   /* Unix */
    int64_t lease_ms; /* left of the lease, at least 1 */
};

/* Run until stopped. Process mode: returns the exit status of the program. Virtual machine: never
 * returns. */
int gl_guest_run(const struct gl_guest_options *options);

/* ---- shared by the files of this module ---- */

/* A line for people on the console. */
void gl_guest_note(struct gl_guest *guest, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
int64_t gl_guest_now_ms(void);
/* Act on one frame. */
void gl_guest_take(struct gl_guest *guest, const struct gl_frame *frame);
/* Put frames on the channel while it is free. */
void gl_guest_send(struct gl_guest *guest);
/* Start the meter process when it is due. */
void gl_guest_start_meter(struct gl_guest *guest);
/* guest_time.c. 'B', and 'T': wall clock and lease. */
void gl_guest_hold(struct gl_guest *guest);
void gl_guest_take_time(struct gl_guest *guest, const struct gl_frame *frame);
/* BAD_VALUE; *out is untouched then. */
int gl_guest_time_parse(const char *bytes, size_t length, struct gl_guest_time *out,
                        struct gl_error *err);
/* End by the boot clock in so many milliseconds. */
void gl_guest_arm_lease(struct gl_guest *guest, int64_t lease_ms);
/* A boot id of its own for a machine that was restored from a snapshot: all of them have the
 * kernel's in common. */
void gl_guest_boot_name(const char *kernel_boot, const uint8_t entropy[64], const char *launch,
                        char out[40]);
/* Begin to stop (again and again is fine), and go on with it. */
void gl_guest_stop_begin(struct gl_guest *guest);
void gl_guest_stop_go_on(struct gl_guest *guest);

#endif
