/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_TESTS_SUPPORT_RENTED_BENCH_H
#define GL_TESTS_SUPPORT_RENTED_BENCH_H

/* A launch journal over the adapter of a rented cloud (Google's) and a counterpart on a loopback
 * port, with a meter in every machine that says 1 J a second. Waiting costs no time: the world's
 * clock is the machine's and what was slept, in memory that other processes share. Asserts with
 * cmocka. */

#include "broker/launch.h"
#include "providers/cloud/userdata.h"
#include "tests/support/fake_gcp.h"

#define RENTED_LEASE_S 300
#define RENTED_REGION  "europe-north1"
#define RENTED_TYPE    "n2-standard-2"

struct rented_clock {
    int64_t slept_ms;
    uint64_t random;
};

struct rented_bench {
    char *folder, *ledger_path;
    struct fake_gcp fake;
    struct rented_clock *clock; /* shared */
    struct gl_world world;      /* its transport belongs to this process */
    struct gl_ledger *ledger;
    struct gl_launcher launcher;
    char url[64]; /* of the counterpart; outlives it */
    struct gl_setting settings[4];
    struct gl_carried_meter meter;
    bool is_mute;         /* no meter speaks */
    bool is_done;         /* the command has ended: its exit stands on the console */
    int exit_status;      /* of it */
    const char *identity; /* a line of the console; NULL = none */
};

void rented_bench_open(struct rented_bench *bench, const char *name);
void rented_bench_close(struct rented_bench *bench);
/* In another program: the folder and clock of an open one, without counterpart; then attach. */
void rented_bench_join(struct rented_bench *bench, const char *folder);
/* The ledger and a transport of this process, as after fork(). */
void rented_bench_attach(struct rented_bench *bench);
void rented_bench_detach(struct rented_bench *bench);
/* What every launch of these tests asks for; `plan` is a new reference. */
struct gl_order rented_bench_order(struct rented_bench *bench, const char *type);
int rented_bench_start(struct rented_bench *bench, const char *type, struct gl_instance *out,
                       struct gl_error *err);
int rented_bench_finish(struct rented_bench *bench, const char *launch, char **out_receipt,
                        struct gl_error *err);
/* For fake_gcp.console, with the bench as cookie: what the meter of an instance has said. */
void rented_bench_console(void *cookie, const json_t *instance, struct gl_str *out);
/* The instance of a launch as the counterpart has it, NULL when it is gone; borrowed. */
json_t *rented_bench_instance(struct rented_bench *bench, const char *launch);

#endif
