/* SPDX-License-Identifier: Apache-2.0 */
/* What the guard of a simulated day sees, and what it does as news. */
#include <string.h>

#include "broker/cli/demo.h"
#include "broker/promise.h"

static const struct gl_zone_facts *facts(void *cookie, const char *zone)
{
    const struct gl_demo *demo = cookie;
    size_t index = gl_sim_grid_find(demo->grid, zone);

    return index == SIZE_MAX ? NULL : gl_sim_grid_facts(demo->grid, index);
}

/* Every zone is a place of the simulated cloud, under the same name. */
static size_t places(void *cookie, const struct gl_launch_row *row, struct gl_cloud_place *out,
                     size_t capacity)
{
    const struct gl_demo *demo = cookie;
    size_t count = 0;

    for (size_t z = 0; z < gl_sim_grid_zones(demo->grid) && count < capacity; z++) {
        const char *name = gl_sim_grid_zone(demo->grid, z);

        if (strcmp(name, row->region) != 0)
            out[count++] = (struct gl_cloud_place){.name = name, .zone = name};
    }
    return count;
}

static void paused(struct gl_demo *demo, struct gl_demo_job *job, bool is_paused)
{
    if (job->is_paused == is_paused)
        return;
    demo->counts.paused += is_paused ? 1 : -1u;
    job->is_paused = is_paused;
}

static void moved(struct gl_demo *demo, struct gl_demo_job *job,
                  const struct gl_guard_report *report)
{
    gl_demo_happened(demo, GL_DEMO_MOVE, job, "from %s to %s: %s", report->row->region,
                     report->to_region, gl_guard_why_sentence(report->choice.why));
    job->zone = gl_sim_grid_find(demo->grid, report->to_region);
}

static void resumed(struct gl_demo *demo, struct gl_demo_job *job,
                    const struct gl_guard_report *report)
{
    bool is_elsewhere = report->to_region[0] != '\0';

    if (is_elsewhere)
        job->zone = gl_sim_grid_find(demo->grid, report->to_region);
    gl_demo_happened(demo, GL_DEMO_RESUME, job, "in %s: %s",
                     is_elsewhere ? report->to_region : report->row->region,
                     gl_guard_why_sentence(report->choice.why));
    paused(demo, job, false);
    gl_demo_expect_end(demo, job);
}

static void report(void *cookie, const struct gl_guard_report *report)
{
    struct gl_demo *demo = cookie;
    struct gl_demo_job *job = gl_demo_job_named(demo, report->row->name);
    const char *why = gl_guard_why_sentence(report->choice.why);

    if (job == NULL || report->choice.act == GL_GUARD_STAY)
        return;
    if (report->failed != NULL) {
        gl_demo_happened(demo, GL_DEMO_TROUBLE, job, "%s: %.120s",
                         gl_guard_act_word(report->choice.act), report->failed->text);
        return;
    }
    switch (report->choice.act) {
    case GL_GUARD_MOVE:
        moved(demo, job, report);
        break;
    case GL_GUARD_PAUSE:
        paused(demo, job, true);
        demo->counts.plan_pauses += report->choice.why == GL_WHY_PLAN_PAUSES;
        gl_demo_happened(demo, GL_DEMO_PAUSE, job, "in %s until it is green: %s",
                         report->row->region, why);
        break;
    case GL_GUARD_RESUME:
        resumed(demo, job, report);
        break;
    default:
        if (report->told_s != GL_UNKNOWN)
            return; /* the same as before */
        gl_demo_happened(demo, report->choice.act == GL_GUARD_STOP ? GL_DEMO_STOP : GL_DEMO_NOTIFY,
                         job, "%s in %s: %s", gl_guard_act_word(report->choice.act),
                         report->row->region, why);
    }
}

static const char *job_name(const struct gl_demo *demo, const char *launch)
{
    for (size_t i = 0; i < demo->job_count; i++)
        if (strcmp(demo->jobs[i].launch, launch) == 0)
            return demo->jobs[i].name;
    return "";
}

/* Names are looked up only where they are shown: that takes time with thousands of jobs. */
static void promised(void *cookie, const struct gl_promise_news *news)
{
    struct gl_demo *demo = cookie;
    bool is_breached = strcmp(news->state, "breached") == 0;
    struct gl_demo_job *job = NULL;

    if (!is_breached && strcmp(news->state, "kept") != 0)
        return;
    demo->counts.kept += !is_breached;
    demo->counts.breached += is_breached;
    demo->counts.met += is_breached && news->was_there;
    if (demo->job_count <= GL_DEMO_SHOWN)
        job = gl_demo_job_named(demo, job_name(demo, news->row->launch));
    if (!is_breached)
        gl_demo_happened(demo, GL_DEMO_KEPT, job, "the promise for %s was kept", news->row->zone);
    else
        gl_demo_happened(demo, GL_DEMO_BREACH, job, "the promise for %s is broken since %02d:00%s",
                         news->row->zone, (int)(news->hour_s / GL_HOUR_S % 24),
                         news->was_there ? "" : "; it did not run there then");
}

void gl_demo_watch(struct gl_demo *demo)
{
    demo->guard = (struct gl_guard){.launcher = &demo->launcher,
                                    .cookie = demo,
                                    .facts = facts,
                                    .places = places,
                                    .report = report,
                                    .news = promised,
                                    .memory = &demo->memory,
                                    .late_s = demo->options.instances > GL_DEMO_SHOWN ? 3600 : 0,
                                    .margin = -1};
}
