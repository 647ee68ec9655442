/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/cli/rented_run.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "broker/cli/rented.h"
#include "broker/cli/show_output.h"
#include "broker/finish.h"
#include "broker/interrupt.h"
#include "broker/readings.h"

#define LOOK_MS     2000  /* at first */
#define LOOK_MAX_MS 20000 /* later: consoles are asked for rarely */
#define TICK_MS     200
#define GONE_AFTER  5 /* looks that a cloud may leave unanswered before it is talked about */

bool gl_rented_launch(struct gl_launcher *launcher, const char *launch)
{
    GL_AUTO(gl_launch_rows_free) struct gl_launch_rows rows = {0};
    struct gl_error ignored = {0};

    return gl_ledger_launches(launcher->ledger, launch, &rows, &ignored) == 0 && rows.count == 1 &&
           gl_cloud_is_remote(rows.rows[0].cloud);
}

struct watch {
    struct gl_context *context;
    struct gl_launcher *launcher;
    struct gl_launch_row *row;
    struct gl_cloud *cloud;
    struct gl_collected seen; /* of the last look */
    size_t told;              /* readings talked about */
    unsigned unanswered;
};

/* True = interrupted. */
static bool pause_for(struct watch *watch, int64_t ms)
{
    const struct gl_world *world = &watch->context->world;

    for (int64_t left = ms; left > 0 && !gl_interrupted(); left -= TICK_MS) {
        world->sleep_ms(world->cookie, left < TICK_MS ? left : TICK_MS);
        gl_progress_tick(watch->context);
    }
    return gl_interrupted();
}

static void tell(struct watch *watch)
{
    const struct gl_meterlog *log = &watch->seen.log;

    if (log->count <= watch->told)
        return;
    watch->told = log->count;
    gl_say(watch->context, "%zu readings came back, signed; CPU %u %% busy", log->count,
           log->readings[log->count - 1].busy_ppm / 10000);
}

/* What its console shows now; not to know is no end. */
static void look_at_console(struct watch *watch)
{
    struct gl_collected now;
    struct gl_error ignored = {0};

    if (gl_collect(watch->launcher, watch->row, watch->cloud, &now, &ignored) != 0)
        return;
    gl_collected_done(&watch->seen);
    watch->seen = now;
    tell(watch);
}

/* 1 it is over, or its command is; 0 it goes on; -1. */
static int look(struct watch *watch, struct gl_error *err)
{
    struct gl_instance instance;
    struct gl_error why = {0};

    if (watch->cloud->ops->describe(watch->cloud, watch->row->instance, &instance, &why) != 0) {
        if (why.code == GL_E_NOT_FOUND && watch->unanswered++ >= GONE_AFTER)
            return 1;
        if (gl_interrupted() || gl_errc_row(why.code)->is_retryable || why.code == GL_E_NOT_FOUND)
            return 0;
        return gl_fail(err, why.code, "%s", why.text);
    }
    watch->unanswered = 0;
    look_at_console(watch);
    return watch->seen.said.has_exit || gl_instance_is_over(&instance) ||
           instance.state == GL_STATE_HALTED;
}

static int wait_for_end(struct watch *watch, struct gl_error *err)
{
    int64_t pause = LOOK_MS;
    int ended = 0;

    gl_progress(watch->context, "the command runs on %s", watch->row->cloud);
    while (!gl_interrupted() && (ended = look(watch, err)) == 0) {
        if (pause_for(watch, pause))
            break;
        pause = pause * 3 / 2 < LOOK_MAX_MS ? pause * 3 / 2 : LOOK_MAX_MS;
    }
    gl_progress_end(watch->context);
    return ended < 0 ? -1 : 0;
}

static void show_tail(struct watch *watch)
{
    const struct gl_guest_said *said = &watch->seen.said;
    GL_AUTO(gl_str_done) struct gl_str shown = {0};

    gl_output_lines(said, "", &shown);
    if (said->is_tail_cut)
        gl_say(watch->context, "of its output the last %zu KiB were kept", GL_GUEST_TAIL >> 10);
    if (!watch->context->globals.is_json && shown.length > 0) {
        fwrite(shown.text, 1, shown.length, stdout);
        fflush(stdout);
    }
    gl_output_json(said, watch->context->reply.data);
}

static int end(struct watch *watch, struct gl_error *err)
{
    struct gl_context *context = watch->context;
    struct gl_ending ending = {.wait = {10}, .exit_status = -1};
    GL_AUTO(gl_auto_free) char *receipt = NULL;
    struct gl_error why = {0};

    if (watch->seen.said.has_exit)
        ending.exit_status = watch->seen.said.exit_status;
    gl_progress(context, "ending the machine");
    if (gl_launch_finish(watch->launcher, watch->row->launch, &ending, &why) != 0) {
        gl_warn(context, "GL5002", "%s was not brought to its end (%s): greenlaunch stop %s",
                watch->row->launch, why.text, watch->row->launch);
        if (err->code == GL_OK)
            *err = why;
    }
    gl_progress_end(context);
    receipt = ending.receipt;
    if (receipt != NULL && gl_act_show_receipt(context, receipt, &why) != 0 && err->code == GL_OK)
        *err = why;
    return err->code == GL_OK ? 0 : -1;
}

static int follow(struct watch *watch, struct gl_error *err)
{
    struct gl_context *context = watch->context;
    int result, status;

    result = wait_for_end(watch, err);
    context->reply.data = json_object();
    show_tail(watch);
    if (end(watch, err) != 0)
        result = -1;
    status = watch->seen.said.has_exit ? watch->seen.said.exit_status : -1;
    json_object_set_new(context->reply.data, "exit_status", json_integer(status));
    if (result == 0 && status < 0 && !gl_interrupted())
        return gl_fail(err, GL_E_GUEST,
                       "the machine ended, and neither its console nor a push says how the "
                       "command did");
    return result == 0 ? status : -1;
}

int gl_rented_run(struct gl_context *context, struct gl_launcher *launcher,
                  const struct gl_instance *instance, bool wants_files, struct gl_error *err)
{
    GL_AUTO(gl_launch_rows_free) struct gl_launch_rows rows = {0};
    struct watch watch = {.context = context, .launcher = launcher};
    int result = -1;

    if (gl_ledger_launches(launcher->ledger, instance->launch_id, &rows, err) != 0)
        return -1;
    watch.row = &rows.rows[0];
    if (wants_files || isatty(STDIN_FILENO) != 1)
        gl_say(context,
               "a rented machine takes no standard input and gives no files back; its output is "
               "what its console shows at the end");
    if (gl_collect_nothing(launcher, watch.row, &watch.seen, err) != 0)
        return -1;
    watch.cloud = launcher->open(launcher->cookie, watch.row->cloud, watch.row->zone, err);
    if (watch.cloud != NULL)
        result = follow(&watch, err);
    gl_collected_done(&watch.seen);
    gl_cloud_close(watch.cloud);
    return result;
}
