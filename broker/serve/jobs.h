/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_SERVE_JOBS_H
#define GL_BROKER_SERVE_JOBS_H

/* Run tasks that were accepted: each is done by a child process of its own, so that the server
 * answers meanwhile, a plan that breaks its reader breaks nothing else, and the secrets of one task
 * are never in the memory of another. What was accepted once is not begun again: the ids of the
 * last tasks are remembered. A child that ends badly or too late is followed by one that only
 * reports that. Every child ends with the server. */

#include "broker/serve/runtask.h"

#define GL_JOBS_AT_ONCE  4
#define GL_JOBS_WAITING  64      /* beyond them the sender is asked to come back */
#define GL_JOBS_KNOWN    4096    /* ids remembered, the oldest are forgotten first */
#define GL_JOBS_LIMIT_MS 3000000 /* 50 min: HCP Terraform waits for 60 */

struct gl_jobs_options {
    const struct gl_world *world;
    /* In the child; its status is the child's, 0 = reported. `why` not NULL: only report that. */
    int (*run)(void *cookie, const struct gl_runtask *task, const char *why);
    void *cookie;
};
struct gl_jobs;
struct gl_jobs *gl_jobs_new(const struct gl_jobs_options *options);

enum gl_jobs_taken { GL_JOBS_TAKEN, GL_JOBS_BEFORE, GL_JOBS_FULL };
/* TAKEN moves *task in; else it stays the caller's. BEFORE: it was taken before. */
enum gl_jobs_taken gl_jobs_add(struct gl_jobs *jobs, struct gl_runtask *task);
/* Begin what waits, follow what runs; quick, to be called several times a second. */
void gl_jobs_tend(struct gl_jobs *jobs);
size_t gl_jobs_count(const struct gl_jobs *jobs); /* waiting and running */
/* Let what runs end for at most `grace_ms`, then tell it to stop and report, then kill; frees. What
 * waits is begun and told to report that it was not judged. */
void gl_jobs_stop(struct gl_jobs *jobs, int64_t grace_ms);

#endif
