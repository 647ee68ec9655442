/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/cli/act.h"
#include "broker/interrupt.h"

#define WAIT ((struct gl_span){10})

struct stop_values {
    bool is_all_mine;
};

static const struct gl_option options[] = {
    {"all-mine", 0, GL_OPT_FLAG, offsetof(struct stop_values, is_all_mine), NULL,
     "stop everything greenlaunch started, found by label even without the ledger", NULL, NULL,
     NULL, 0, 0, 0, NULL},
    {0},
};

static int stop_one(struct gl_context *context, struct gl_launcher *launcher, const char *name,
                    struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *receipt = NULL;

    gl_progress(context, "stopping %s, waiting for the final reading", name);
    if (gl_launch_finish(launcher, name, WAIT, -1, &receipt, err) != 0)
        return -1;
    gl_progress_end(context);
    return gl_act_show_receipt(context, receipt, err);
}

/* Counts of a sweep over instances or launches. */
struct sweep {
    size_t stopped, failed;
    struct gl_error first;
};

static void tally(struct sweep *sweep, int result, const struct gl_error *err)
{
    if (result == 0) {
        sweep->stopped++;
        return;
    }
    if (sweep->failed++ == 0)
        sweep->first = *err;
}

static int stop_known(struct gl_context *context, struct gl_launcher *launcher, struct sweep *sweep,
                      struct gl_error *err)
{
    GL_AUTO(gl_launch_rows_free) struct gl_launch_rows rows = {0};

    if (gl_ledger_launches(launcher->ledger, NULL, &rows, err) != 0)
        return -1;
    for (size_t i = 0; i < rows.count; i++) {
        struct gl_error one = {0};

        if (strcmp(rows.rows[i].state, "ended") != 0 && strcmp(rows.rows[i].state, "lost") != 0)
            tally(sweep, stop_one(context, launcher, rows.rows[i].launch, &one), &one);
    }
    return 0;
}

/* Instances that carry our labels and that no ledger knows: end them; there is nothing to account
 * them to. */
static void stop_unknown_of(struct gl_context *context, struct gl_launcher *launcher,
                            const char *name, struct sweep *sweep)
{
    GL_AUTO(gl_auto_free) struct gl_instance *instances = NULL;
    struct gl_error err = {0};
    struct gl_cloud *cloud = launcher->open(launcher->cookie, name, NULL, &err);
    size_t count = 0;

    if (cloud == NULL) {
        gl_warn(context, "GL5002", "cloud %s: %s", name, err.text);
        tally(sweep, -1, &err);
        return;
    }
    if (cloud->ops->list(cloud, &instances, &count, &err) != 0)
        tally(sweep, -1, &err);
    for (size_t i = 0; i < count; i++) {
        struct gl_error one = {0};

        if (instances[i].state == GL_STATE_ENDED || instances[i].state == GL_STATE_LOST)
            continue;
        gl_say(context, "stopping %s %s", name, instances[i].id);
        if (cloud->ops->stop(cloud, instances[i].id, WAIT, &one) != 0)
            gl_error_clear(&one);
        tally(sweep, cloud->ops->terminate(cloud, instances[i].id, &one), &one);
        gl_warn(context, "GL5008",
                "%s was not in the ledger: stopped without a receipt; its readings stay in %s",
                instances[i].id, instances[i].console);
    }
    gl_cloud_close(cloud);
}

static int stop_all(struct gl_context *context, struct gl_error *err)
{
    struct gl_launcher launcher;
    struct sweep sweep = {0};
    struct gl_error ledger_error = {0};
    size_t count;
    const struct gl_cloud_driver *drivers = gl_cloud_drivers(&count);

    /* A broken ledger must not keep anything running. */
    if (gl_act_launcher(context, &launcher, &ledger_error) != 0 ||
        gl_act_reconcile(context, &launcher, &ledger_error) != 0 ||
        stop_known(context, &launcher, &sweep, &ledger_error) != 0) {
        gl_warn(context, "GL1002", "the ledger cannot be used (%s): stopping by label only",
                ledger_error.text);
        gl_act_launcher_without_ledger(context, &launcher);
    }
    if (gl_context_state(context, err) == NULL)
        return -1;
    for (size_t i = 0; i < count; i++)
        stop_unknown_of(context, &launcher, drivers[i].ops->name, &sweep);
    gl_str_addf(&context->reply.text, "%zu stopped, %zu failed\n", sweep.stopped, sweep.failed);
    json_t *data = context->reply.data != NULL ? context->reply.data : json_object();
    context->reply.data = data;
    json_object_set_new(data, "stopped", json_integer((json_int_t)sweep.stopped));
    json_object_set_new(data, "failed", json_integer((json_int_t)sweep.failed));
    if (sweep.failed == 0)
        return GL_EXIT_OK;
    gl_warn(context, "GL5002", "%s", sweep.first.text);
    return sweep.stopped > 0 ? GL_EXIT_PARTIAL : GL_EXIT_REMOTE;
}

static int run(struct gl_context *context, const struct gl_call *call, struct gl_error *err)
{
    const struct stop_values *values = call->values;
    struct gl_launcher launcher;
    struct sweep sweep = {0};

    if (values->is_all_mine)
        return stop_all(context, err);
    if (call->operands->count == 0)
        return gl_fail(err, GL_E_USAGE, "name what to stop: greenlaunch stop NAME, or --all-mine");
    if (gl_act_launcher(context, &launcher, err) != 0 ||
        gl_act_reconcile(context, &launcher, err) != 0)
        return -1;
    if (call->operands->count == 1)
        return stop_one(context, &launcher, call->operands->words[0], err);
    for (size_t i = 0; i < call->operands->count; i++) {
        struct gl_error one = {0};

        tally(&sweep, stop_one(context, &launcher, call->operands->words[i], &one), &one);
    }
    if (sweep.failed > 0 && sweep.stopped > 0) {
        gl_warn(context, "GL5002", "%zu not stopped: %s", sweep.failed, sweep.first.text);
        return GL_EXIT_PARTIAL;
    }
    if (sweep.failed > 0)
        *err = sweep.first;
    return sweep.failed > 0 ? -1 : GL_EXIT_OK;
}

const struct gl_command gl_command_stop = {
    .name = "stop",
    .group = "Act",
    .summary = "stop an instance and print what it cost",
    .operands = "[NAME ...]",
    .description = "Waits for the meter's final reading, ends the instance, writes the receipt. A "
                   "launch that ended already only prints its receipt again.",
    .example = "greenlaunch stop --all-mine",
    .options = options,
    .values_size = sizeof(struct stop_values),
    .run = run,
};
