/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/serve/jobs.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "broker/child.h"

#define REPORT_MS 20000 /* for the last word of a child that is told to stop */
#define STEP_MS   50

struct job {
    struct job *next; /* oldest first */
    struct gl_runtask task;
    pid_t child;     /* 0 = waits */
    const char *why; /* NULL: to be judged; else only reported */
    int64_t began_ms;
};

struct gl_jobs {
    struct gl_jobs_options options;
    struct job *first;
    size_t waiting, running;
    struct gl_hash *known; /* of ids; a ring */
    size_t known_count;    /* ever */
};

static int64_t now_ms(const struct gl_jobs *jobs)
{
    return jobs->options.world->monotonic_ms(jobs->options.world->cookie);
}

struct gl_jobs *gl_jobs_new(const struct gl_jobs_options *options)
{
    struct gl_jobs *jobs = gl_alloc(sizeof *jobs);

    jobs->options = *options;
    jobs->known = gl_alloc(GL_JOBS_KNOWN * sizeof *jobs->known);
    return jobs;
}

static bool is_known(const struct gl_jobs *jobs, const struct gl_hash *id)
{
    size_t count = jobs->known_count < GL_JOBS_KNOWN ? jobs->known_count : GL_JOBS_KNOWN;

    for (size_t i = 0; i < count; i++)
        if (gl_hash_equal(&jobs->known[i], id))
            return true;
    return false;
}

enum gl_jobs_taken gl_jobs_add(struct gl_jobs *jobs, struct gl_runtask *task)
{
    struct job **at = &jobs->first;
    struct gl_hash id;

    gl_hash_of(task->id, strlen(task->id), &id);
    if (is_known(jobs, &id))
        return GL_JOBS_BEFORE;
    if (jobs->waiting == GL_JOBS_WAITING)
        return GL_JOBS_FULL;
    jobs->known[jobs->known_count++ % GL_JOBS_KNOWN] = id;
    while (*at != NULL)
        at = &(*at)->next;
    *at = gl_alloc(sizeof **at);
    (*at)->task = *task;
    *task = (struct gl_runtask){0};
    jobs->waiting++;
    return GL_JOBS_TAKEN;
}

/* ---- children ---- */

struct child {
    const struct gl_jobs *jobs;
    const struct job *job;
};

static int run_child(void *cookie)
{
    const struct child *child = cookie;
    const struct gl_jobs_options *options = &child->jobs->options;

    return options->run(options->cookie, &child->job->task, child->job->why);
}

static void begin(struct gl_jobs *jobs, struct job *job)
{
    struct child as = {jobs, job};
    pid_t child = gl_child_start(run_child, &as, -1);

    if (child < 0) /* no room for a process now: it goes on waiting */
        return;
    job->child = child;
    job->began_ms = now_ms(jobs);
    jobs->waiting--;
    jobs->running++;
}

static void forget(struct job **at)
{
    struct job *job = *at;

    *at = job->next;
    gl_runtask_done(&job->task);
    free(job);
}

/* Once more, only to say so, when its child did not; true when it is over. */
static bool follow(struct gl_jobs *jobs, struct job *job)
{
    bool is_fine;

    if (!gl_child_has_ended(job->child, &is_fine)) {
        if (now_ms(jobs) - job->began_ms > GL_JOBS_LIMIT_MS)
            kill(job->child, SIGKILL);
        return false;
    }
    jobs->running--;
    if (is_fine || job->why != NULL)
        return true;
    job->why = "the judgement ended with an error or took too long";
    job->child = 0;
    jobs->waiting++;
    return false;
}

static void follow_all(struct gl_jobs *jobs)
{
    struct job **at = &jobs->first;

    while (*at != NULL)
        if ((*at)->child != 0 && follow(jobs, *at))
            forget(at);
        else
            at = &(*at)->next;
}

void gl_jobs_tend(struct gl_jobs *jobs)
{
    follow_all(jobs);
    for (struct job *job = jobs->first; job != NULL && jobs->running < GL_JOBS_AT_ONCE;
         job = job->next)
        if (job->child == 0)
            begin(jobs, job);
}

size_t gl_jobs_count(const struct gl_jobs *jobs)
{
    return jobs->waiting + jobs->running;
}

/* ---- the end ---- */

static void wait_for_all(struct gl_jobs *jobs, int64_t ms)
{
    int64_t until = now_ms(jobs) + ms;

    while (gl_jobs_count(jobs) > 0 && now_ms(jobs) < until) {
        gl_jobs_tend(jobs);
        jobs->options.world->sleep_ms(jobs->options.world->cookie, STEP_MS);
    }
}

static void signal_all(const struct gl_jobs *jobs, int number)
{
    for (const struct job *job = jobs->first; job != NULL; job = job->next)
        if (job->child != 0)
            kill(job->child, number);
}

void gl_jobs_stop(struct gl_jobs *jobs, int64_t grace_ms)
{
    int status;

    wait_for_all(jobs, grace_ms);
    for (struct job *job = jobs->first; job != NULL; job = job->next)
        if (job->child == 0)
            job->why = "greenlaunch was stopped";
    signal_all(jobs, SIGTERM);
    wait_for_all(jobs, REPORT_MS);
    signal_all(jobs, SIGKILL);
    while (jobs->first != NULL) {
        if (jobs->first->child != 0)
            waitpid(jobs->first->child, &status, 0);
        forget(&jobs->first);
    }
    free(jobs->known);
    free(jobs);
}
