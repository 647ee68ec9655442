/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/cli/stretches.h"

#include <string.h>

#include "base/file.h"
#include "base/time.h"
#include "broker/cli/show_strip.h"
#include "policy/judge.h"
#include "providers/cloud/local_host.h"
#include "providers/cloud/local_image.h"

/* ---- what could not be paused ---- */

static int check_image(const char *path, struct gl_error *err)
{
    enum gl_image_kind kind;

    if (path == NULL)
        return 0;
    if (gl_image_check(path, &kind, err) != 0)
        return -1;
    if (kind != GL_IMAGE_RAW && kind != GL_IMAGE_QCOW2)
        return 0;
    return gl_fail(err, GL_E_USAGE,
                   "--interruptible: a machine with a disk of its own (--image %s) cannot be "
                   "suspended; use a root file system (tar, cpio)",
                   path);
}

static int check_machine(const struct gl_world *world, struct gl_error *err)
{
    struct gl_local_host host;
    const char *missing = "";
    bool has_vm;

    gl_local_host_look(world, &host);
    has_vm = gl_local_host_has_vm(&host, &missing);
    if (!has_vm)
        gl_fail(err, GL_E_USAGE,
                "--interruptible: instances here are processes, which cannot be suspended: this "
                "machine lacks %s",
                missing);
    gl_local_host_done(&host);
    return has_vm ? 0 : -1;
}

int gl_stretches_check(const struct gl_context *context, const struct gl_ask *ask,
                       const char *image, struct gl_error *err)
{
    if (ask->finish_by == NULL && ask->start_by == NULL)
        return gl_fail(err, GL_E_USAGE,
                       "--interruptible needs --finish-by (or --start-by): by when it has to be "
                       "done");
    if (check_machine(&context->world, err) != 0)
        return -1;
    return check_image(image, err);
}

/* ---- the plan ---- */

int gl_stretches_check_rules(const struct gl_policy *policy, struct gl_error *err)
{
    for (size_t r = 0; r < policy->rule_count; r++)
        if (gl_rule_number(&policy->rules[r], GL_KEY_MAX_TOTAL) != GL_UNKNOWN)
            return gl_fail(err, GL_E_USAGE,
                           "rule %s: max_total is judged of a run through, not of one with pauses: "
                           "leave it or --interruptible out",
                           policy->rules[r].id);
    return 0;
}

/* A latest start without a deadline is one for a run through. */
static void fix_deadline(const struct gl_ask_result *asked, struct gl_schedule_ask *wish)
{
    if (wish->finish_by_s == GL_UNKNOWN)
        wish->finish_by_s = asked->request.latest_start.unix_s + wish->work_s;
}

static int fill(const struct gl_ask_result *asked, const struct gl_schedule_ask *wish,
                const struct gl_schedule *schedule, struct gl_stretches *out, struct gl_error *err)
{
    if (gl_schedule_timetable(asked, wish, schedule, out->runs, &out->timetable, err) != 0)
        return -1;
    out->first.duration_s = out->runs[0].until_s - out->runs[0].from_s;
    out->first.start_by = out->first.finish_by = NULL;
    return 0;
}

static int plan(struct gl_context *context, const struct gl_ask *ask,
                const struct gl_ask_result *asked, struct gl_stretches *out, struct gl_error *err)
{
    struct gl_when_values values = {.ask = *ask,
                                    .when = {.is_interruptible = true, .data_u = INT64_MIN}};
    struct gl_schedule_ask wish = gl_schedule_ask_of(context, asked, &values);
    struct gl_schedule schedule;
    int status;

    fix_deadline(asked, &wish);
    if (gl_stretches_check_rules(asked->policy, err) != 0 ||
        gl_schedule_make(asked, &wish, &schedule, err) != 0)
        return -1;
    if (schedule.has_plan && schedule.plan.is_feasible)
        out->start_s = gl_schedule_at(asked, schedule.plan.start_h).unix_s;
    if (gl_schedule_verdict(&wish, &schedule) == GL_ALLOW)
        status = fill(asked, &wish, &schedule, out, err);
    else
        status = gl_schedule_reply(context, ask, asked, &wish, &schedule);
    gl_schedule_done(&schedule);
    return status;
}

int gl_stretches_plan(struct gl_context *context, const struct gl_ask *ask,
                      struct gl_stretches *out, struct gl_error *err)
{
    struct gl_ask wide = *ask;
    struct gl_ask_result asked;
    int status;

    *out = (struct gl_stretches){.first = *ask, .start_s = GL_UNKNOWN};
    wide.wants_history = wide.wants_later = true;
    if (gl_ask_decide(context, &wide, &asked, err) != 0)
        return -1;
    status = plan(context, ask, &asked, out, err);
    gl_ask_result_done(&asked);
    return status;
}
