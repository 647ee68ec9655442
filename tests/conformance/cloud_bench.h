/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_TESTS_CLOUD_BENCH_H
#define GL_TESTS_CLOUD_BENCH_H

/* Set-up shared by the tests of clouds: a fresh state folder below the build, the real world,
 * tokens, launches that need no more than a command. Everything aborts the test when it fails. */

#include "providers/cloud/cloud.h"

#define GL_BENCH_TOKENS 128

struct gl_bench {
    struct gl_world world;
    char folder[512]; /* absolute; state and scratch files of this program */
    struct gl_cloud *cloud;
    bool wants_process;
    const struct gl_cloud_place *places; /* none: one, in GB */
    size_t place_count;
    char tokens[GL_BENCH_TOKENS][GL_HASH_HEX]; /* of every launch that was prepared */
    size_t token_count;
};

/* Make the folder and open the local cloud; every string of the environment stays the caller's. */
void gl_bench_open(struct gl_bench *bench, const char *name, bool wants_process);
/* End every instance and process that is left, and say how many there were: the last test of a
 * program demands none. */
unsigned gl_bench_left(struct gl_bench *bench);
/* Close, and remove the folder. */
void gl_bench_close(struct gl_bench *bench);
/* Open the local cloud anew, with these places. */
void gl_bench_set_places(struct gl_bench *bench, const struct gl_cloud_place *places, size_t count);
/* A second handle on the same state, as another process would have. */
struct gl_cloud *gl_bench_reopen(struct gl_bench *bench);
/* Why virtual machines cannot be tested here; NULL when they can. The same for processes. */
const char *gl_bench_no_vm(const struct gl_bench *bench);
const char *gl_bench_no_process(const struct gl_bench *bench);

/* A launch with fresh token and id; strings live in *out_names. */
struct gl_bench_names {
    char token[GL_HASH_HEX], enrol[GL_HASH_HEX], id[GL_CLOUD_ID];
};
struct gl_launch gl_bench_launch(struct gl_bench *bench, struct gl_bench_names *out_names,
                                 const char *const *command);

/* Launch, attach, collect: the exit status of the command, or -1 with *err. */
struct gl_bench_run {
    struct gl_instance instance;
    struct gl_str out, err_text; /* stdout and stderr of the command */
    const char *input;           /* its stdin, small; NULL = none */
    int status;
};
int gl_bench_run(struct gl_bench *bench, const struct gl_launch *launch, struct gl_bench_run *run,
                 struct gl_error *err);
/* Attach to a launched instance and collect. */
int gl_bench_attach(struct gl_bench *bench, struct gl_bench_run *run, struct gl_error *err);
void gl_bench_run_done(struct gl_bench_run *run);
/* Run and expect its status, or an end without failure that printed `text`; the instance is
 * stopped. The outputs stay in *run. */
void gl_bench_expect(struct gl_bench *bench, const struct gl_launch *launch, int status,
                     struct gl_bench_run *run);
void gl_bench_expect_text(struct gl_bench *bench, const struct gl_launch *launch, const char *text);
/* Stop an instance in good order; aborts the test when that fails. */
void gl_bench_stop(struct gl_bench *bench, const char *id);
/* All of the console; to be freed. */
char *gl_bench_console(struct gl_bench *bench, const char *id);
/* Is there a process of a local instance of this token, whatever its record says? */
bool gl_bench_has_process(const struct gl_bench *bench, const char *token);
/* Write a small file below the folder; its path into `out`. */
void gl_bench_write(struct gl_bench *bench, const char *name, const char *text, unsigned mode,
                    char out[600]);
/* Print "skip NAME: why" for the test runner, then cmocka's skip(). */
#define GL_BENCH_SKIP(name, why)                       \
    do {                                               \
        print_message("skip %s: %s\n", (name), (why)); \
        skip();                                        \
    } while (0)
/* The same unless `lack` is NULL: gl_bench_no_vm(). */
#define GL_BENCH_NEED(name, lack)        \
    do {                                 \
        if ((lack) != NULL)              \
            GL_BENCH_SKIP(name, (lack)); \
    } while (0)

#endif
