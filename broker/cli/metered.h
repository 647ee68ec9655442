/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_CLI_METERED_H
#define GL_BROKER_CLI_METERED_H

/* One command metered on this machine: what is written down before it begins, and its readings as
 * receipt and event of the ledger. Files below the state folder: meter/LAUNCH (readings),
 * meter/LAUNCH.run (what is known of the run), tokens/LAUNCH. They go once the ledger has it; what
 * a full disk or a kill left is closed by the next command that brings the ledger to the truth.
 * Starts and ends nothing itself: cmd_meter.c does. */

#include "base/process.h"
#include "broker/cli/command.h"

/* A receipt has room for some 7,000 readings: the better part of a day. */
#define GL_METERED_INTERVAL_MS 10000

struct gl_metered {
    char launch[32];
    char token_hex[GL_HASH_HEX];
    char *token_path, *readings_path, *run_path;
    json_t *intent;          /* what was written before it began: command, zone, machine, boot */
    int run_fd;              /* of run_path, locked while somebody works on it; -1 = none */
    int64_t later_at;        /* where in it stands what became known later */
    int64_t started_ms;      /* wall clock */
    int64_t ended_ms;        /* 0 = not known */
    int status;              /* of the command; -1 = not known */
    struct gl_process meter; /* pid 0 = not known */
    bool is_recorded;        /* by the ledger: the files are no longer needed */
};

/* Write down what is about to run, `zone` NULL = unknown. What cannot be recorded is not begun.
 * gl_metered_done() is due after failure too. */
int gl_metered_begin(struct gl_context *context, const char *const *command, const char *zone,
                     struct gl_metered *out, struct gl_error *err);
/* Write down metered->meter, ended_ms and status as far as they are known. In place: a full disk
 * has room for it. */
void gl_metered_note(struct gl_metered *metered);
/* The receipt, fresh, on disk and in the ledger; -1 where it could not be kept or recorded. */
int gl_metered_close(struct gl_context *context, struct gl_metered *metered, char **out_receipt,
                     struct gl_error *err);
void gl_metered_done(struct gl_metered *metered);

/* Close what earlier runs left, and say so; what still runs is left alone, what cannot be closed is
 * a warning that names it. */
void gl_metered_settle(struct gl_context *context);

#endif
