/* SPDX-License-Identifier: Apache-2.0 */
/* run: launch, run a command inside, show its output and its meter, stop, receipt. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "broker/cli/start_instance.h"
#include "broker/finish.h"
#include "broker/interrupt.h"
#include "broker/meterlog.h"

#define OUTPUT_CEILING ((size_t)4 << 20) /* of each stream inside the envelope */

struct run_values {
    struct gl_start_values start;
    struct gl_option_list files_out;
};

static const struct gl_option options[] = {
#include "broker/cli/ask_options.def"
    GL_INSIDE_OPTIONS,
    {"file-out", 0, GL_OPT_LIST, offsetof(struct run_values, files_out), "GUEST:HOST",
     "copy a small file out of the instance afterwards", "Instance", NULL, NULL, 0, 0, 0, "file"},
    {0},
};

/* One command followed from start to end. */
struct follow {
    struct gl_context *context;
    struct gl_cloud *cloud;
    const char *instance;
    struct gl_meterlog log;
    uint64_t console_at;
    int64_t looked_ms;
    struct gl_str out, error_out; /* with --json */
    bool has_lost_output;         /* our own stdout or stderr is closed or full */
};

static void pass_on(struct follow *follow, struct gl_str *kept, FILE *stream, const char *bytes,
                    size_t length)
{
    if (follow->context->globals.is_json) {
        gl_str_add_bytes(kept, bytes, length);
        return;
    }
    gl_progress_end(follow->context);
    if (fwrite(bytes, 1, length, stream) != length || fflush(stream) != 0)
        follow->has_lost_output = true;
}

static void on_stdout(void *cookie, const char *bytes, size_t length)
{
    struct follow *follow = cookie;

    pass_on(follow, &follow->out, stdout, bytes, length);
}

static void on_stderr(void *cookie, const char *bytes, size_t length)
{
    struct follow *follow = cookie;

    pass_on(follow, &follow->error_out, stderr, bytes, length);
}

static void say_reading(struct gl_context *context, const struct gl_meterlog *log)
{
    const struct gl_reading *reading = &log->readings[log->count - 1];
    int64_t total_mj = 0;
    char number[GL_QUANTITY_TEXT];
    const char *tier = "";

    for (size_t i = 0; i < reading->component_count; i++) {
        total_mj += reading->components[i].total_mj;
        tier = gl_tier_text(reading->components[i].tier);
    }
    gl_number_text((double)total_mj / 1000, number);
    gl_say(context, "reading %" PRIu64 ": %s J so far, CPU %u %% busy (tier %s, signed)",
           reading->seq, number, reading->busy_ppm / 10000, tier);
}

/* New console text to the meter log; errors only mean that there is nothing to see yet. */
static void look_at_console(struct follow *follow)
{
    GL_AUTO(gl_str_done) struct gl_str text = {.ceiling = OUTPUT_CEILING};
    struct gl_error ignored = {0};
    uint64_t next = follow->console_at;

    if (follow->cloud->ops->console(follow->cloud, follow->instance, follow->console_at, &text,
                                    &next, &ignored) != 0)
        return;
    follow->console_at = next;
    if (gl_meterlog_feed(&follow->log, gl_str_text(&text), text.length) > 0)
        say_reading(follow->context, &follow->log);
}

static bool on_tick(void *cookie)
{
    struct follow *follow = cookie;
    struct gl_world *world = &follow->context->world;
    int64_t now = world->monotonic_ms(world->cookie);

    if (now - follow->looked_ms >= 500) {
        follow->looked_ms = now;
        look_at_console(follow);
        gl_progress_tick(follow->context);
    }
    return !gl_interrupted();
}

static int follow_command(struct follow *follow, int *out_status, struct gl_error *err)
{
    struct gl_attach attach = {
        .cookie = follow,
        .on_stdout = on_stdout,
        .on_stderr = on_stderr,
        .on_tick = on_tick,
        .stdin_fd = isatty(STDIN_FILENO) == 1 ? -1 : STDIN_FILENO,
    };

    gl_progress(follow->context, "running the command");
    if (follow->cloud->ops->attach(follow->cloud, follow->instance, &attach, out_status, err) != 0)
        return -1;
    gl_progress_end(follow->context);
    return 0;
}

static int fetch_files(struct follow *follow, const struct gl_option_list *files,
                       struct gl_error *err)
{
    for (size_t i = 0; i < files->count; i++) {
        const char *colon = strrchr(files->items[i], ':');
        GL_AUTO(gl_auto_free) char *guest = gl_strdup(files->items[i]);

        if (colon == NULL || colon == files->items[i] || colon[1] == '\0')
            return gl_fail(err, GL_E_USAGE, "--file-out %s: write GUEST:HOST", files->items[i]);
        guest[colon - files->items[i]] = '\0';
        if (follow->cloud->ops->fetch == NULL)
            return gl_fail(err, GL_E_USAGE, "this cloud cannot copy files out");
        if (follow->cloud->ops->fetch(follow->cloud, follow->instance, guest, colon + 1, err) != 0)
            return gl_wrap(err, "--file-out %s", files->items[i]);
    }
    return 0;
}

static int open_log(struct gl_launcher *launcher, struct follow *follow, const char *launch,
                    struct gl_error *err)
{
    GL_AUTO(gl_launch_rows_free) struct gl_launch_rows rows = {0};

    if (gl_ledger_launches(launcher->ledger, launch, &rows, err) != 0)
        return -1;
    if (rows.count != 1)
        return gl_fail(err, GL_E_INTERNAL, "launch %s is not in the ledger", launch);
    /* A NULL cloud: only the token now, the console text comes by look_at_console(). */
    return gl_launch_readings(launcher, &rows.rows[0], NULL, &follow->log, err);
}

/* Whatever happens to the command, the instance is stopped and accounted for. */
static int follow_and_finish(struct gl_context *context, struct gl_launcher *launcher,
                             const struct gl_instance *instance, const struct gl_option_list *files,
                             struct gl_error *err)
{
    struct follow follow = {.context = context,
                            .instance = instance->id,
                            .out.ceiling = OUTPUT_CEILING,
                            .error_out.ceiling = OUTPUT_CEILING};
    GL_AUTO(gl_auto_free) char *receipt = NULL;
    struct gl_error stop_error = {0};
    int status = -1, result;

    follow.cloud = launcher->open(launcher->cookie, "local", NULL, err);
    result = follow.cloud == NULL ? -1 : open_log(launcher, &follow, instance->launch_id, err);
    if (result == 0)
        result = follow_command(&follow, &status, err);
    if (result == 0)
        result = fetch_files(&follow, files, err);
    gl_progress(context, "stopping, waiting for the final reading");
    if (gl_launch_finish(launcher, instance->launch_id, (struct gl_span){10}, status, &receipt,
                         &stop_error) != 0) {
        gl_warn(context, "GL5002", "%s was not brought to its end (%s): greenlaunch stop %s",
                instance->launch_id, stop_error.text, instance->launch_id);
        if (result == 0)
            *err = stop_error;
        result = -1;
    }
    gl_progress_end(context);
    context->reply.data =
        json_pack("{s:i,s:s?,s:s?}", "exit_status", status, "stdout", gl_str_text(&follow.out),
                  "stderr", gl_str_text(&follow.error_out));
    if (context->reply.data == NULL) /* output that is no UTF-8 has no place in JSON */
        context->reply.data = json_pack("{s:i,s:n,s:n}", "exit_status", status, "stdout", "stderr");
    if (receipt != NULL && gl_act_show_receipt(context, receipt, err) != 0)
        result = -1;
    gl_meterlog_done(&follow.log);
    gl_str_done(&follow.out);
    gl_str_done(&follow.error_out);
    gl_cloud_close(follow.cloud);
    if (result == 0 && follow.has_lost_output)
        result = gl_fail(err, GL_E_IO, "the command's output could not be written");
    return result == 0 ? status : -1;
}

static void point_to_receipt(struct gl_context *context, const struct gl_launcher *launcher,
                             const char *launch)
{
    GL_AUTO(gl_auto_free) char *path = gl_receipt_path(launcher->state_folder, launch);

    if (!gl_file_exists(path))
        return;
    gl_str_addf(&context->reply.text, "  receipt      %s\n", path);
    json_object_set_new(context->reply.data, "receipt_file", json_string(path));
    gl_next(context, "check every number of the receipt",
            (const char *const[]){"verify", path, NULL});
}

static int run(struct gl_context *context, const struct gl_call *call, struct gl_error *err)
{
    struct run_values values = *(const struct run_values *)call->values;
    struct gl_start_lists lists;
    struct gl_start_options start;
    struct gl_launcher launcher;
    struct gl_instance instance;
    int status;

    if (call->rest == NULL || call->rest[0] == NULL)
        return gl_fail(err, GL_E_USAGE, "no command: greenlaunch run [rules] -- COMMAND [ARG ...]");
    gl_start_options_of(&values.start.inside, call->rest, &lists, &start);
    status = gl_start_instance(context, &launcher, &values.start.ask, &start, &instance, err);
    if (status != GL_EXIT_OK)
        return status;
    gl_say(context, "started %s (%s)", instance.launch_id, instance.how);
    context->reply.is_streamed = !context->globals.is_json;
    context->reply.is_command_status = true;
    status = follow_and_finish(context, &launcher, &instance, &values.files_out, err);
    point_to_receipt(context, &launcher, instance.launch_id);
    if (gl_interrupted()) {
        gl_error_clear(err);
        return gl_interrupt_fail(
            err, json_object_get(context->reply.data, "receipt_file") != NULL
                     ? "the command was stopped; the receipt covers it until then"
                     : "interrupted; the instance may still run: greenlaunch status");
    }
    return status;
}

const struct gl_command gl_command_run = {
    .name = "run",
    .group = "Act",
    .summary = "launch, run a command inside, meter it, stop, print what it cost",
    .operands = "-- COMMAND [ARG ...]",
    .description =
        "Starts an instance as launch does, runs the command inside, passes its output and exit "
        "status through, shows its meter readings on standard error, stops it and prints the "
        "footprint with the signed receipt. Ctrl-C stops the instance in order.",
    .example = "greenlaunch run --renewable-only --with /usr/bin/openssl -- openssl speed -seconds "
               "1 sha256",
    .options = options,
    .values_size = sizeof(struct run_values),
    .run = run,
};
