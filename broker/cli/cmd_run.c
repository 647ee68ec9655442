/* SPDX-License-Identifier: Apache-2.0 */
/* run: launch, run a command inside, show its output and its meter, stop, receipt. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "broker/cli/help.h"
#include "broker/cli/rented_run.h"
#include "broker/cli/run_command.h"
#include "broker/cli/stretches.h"
#include "broker/finish.h"
#include "broker/interrupt.h"
#include "broker/meterlog.h"
#include "broker/plausible.h"

#define OUTPUT_CEILING ((size_t)4 << 20) /* of each stream inside the envelope */

static const struct gl_option options[] = {
#include "broker/cli/ask_options.def"
#include "broker/cli/run_options.def"
#include "broker/cli/start_options.def"
    {0},
};

/* One stream of the command for the envelope. */
struct kept {
    struct gl_str text;
    uint64_t dropped_bytes;
};

/* One command followed from start to end. */
struct follow {
    struct gl_context *context;
    struct gl_cloud *cloud;
    const char *instance;
    struct gl_meterlog log;
    struct gl_pace pace; /* of a plan with pauses */
    uint64_t console_at;
    int64_t looked_ms;
    size_t told;            /* readings that were talked about */
    int64_t energy_uj;      /* of them, central */
    struct kept out, error; /* with --json */
    bool has_lost_output;   /* our own stdout or stderr is closed or full */
};

static void keep(struct kept *kept, const char *bytes, size_t length)
{
    size_t room = OUTPUT_CEILING - kept->text.length;
    size_t taken = length < room ? length : room;

    gl_str_add_bytes(&kept->text, bytes, taken);
    kept->dropped_bytes += length - taken;
}

static void pass_on(struct follow *follow, struct kept *kept, FILE *stream, struct gl_view bytes)
{
    if (follow->context->globals.is_json) {
        keep(kept, bytes.text, bytes.length);
        return;
    }
    gl_progress_end(follow->context);
    if (fwrite(bytes.text, 1, bytes.length, stream) != bytes.length || fflush(stream) != 0)
        follow->has_lost_output = true;
}

static void on_stdout(void *cookie, const char *bytes, size_t length)
{
    struct follow *follow = cookie;

    pass_on(follow, &follow->out, stdout, (struct gl_view){bytes, length});
}

static void on_stderr(void *cookie, const char *bytes, size_t length)
{
    struct follow *follow = cookie;

    pass_on(follow, &follow->error, stderr, (struct gl_view){bytes, length});
}

static void say_reading(struct follow *follow)
{
    const struct gl_meterlog *log = &follow->log;
    const struct gl_reading *reading = &log->readings[log->count - 1];
    char number[GL_QUANTITY_TEXT];
    const char *tier = "";

    for (; follow->told < log->count; follow->told++) {
        int64_t energy_uj[3];

        gl_reading_energy(&log->readings[follow->told], energy_uj);
        follow->energy_uj += energy_uj[1];
    }
    for (size_t i = 0; i < reading->component_count; i++)
        tier = gl_tier_text(reading->components[i].tier);
    gl_number_text((double)follow->energy_uj / 1e6, number);
    gl_say(follow->context, "reading %" PRIu64 ": %s J so far, CPU %u %% busy (tier %s, signed)",
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
        say_reading(follow);
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
        gl_pace_tick(&follow->pace);
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

/* What is wrong with them is told before anything runs: the folder must be there by then. */
static int check_files_out(const struct gl_option_list *files, struct gl_error *err)
{
    for (size_t i = 0; i < files->count; i++) {
        const char *colon = strrchr(files->items[i], ':');
        const char *slash = colon != NULL ? strrchr(colon, '/') : NULL;
        GL_AUTO(gl_auto_free) char *folder = NULL;

        if (colon == NULL || colon == files->items[i] || colon[1] == '\0')
            return gl_fail(err, GL_E_USAGE, "--file-out %s: write GUEST:HOST", files->items[i]);
        if (slash == NULL || slash == colon + 1)
            continue;
        folder = gl_strdup(colon + 1);
        folder[slash - colon - 1] = '\0';
        if (access(folder, W_OK | X_OK) != 0)
            return gl_fail_sys(err, GL_E_USAGE, errno,
                               "--file-out %s: cannot write to the folder %s", files->items[i],
                               folder);
    }
    return 0;
}

static int fetch_files(struct follow *follow, const struct gl_option_list *files,
                       struct gl_error *err)
{
    for (size_t i = 0; i < files->count; i++) {
        const char *colon = strrchr(files->items[i], ':');
        GL_AUTO(gl_auto_free) char *guest = gl_strdup(files->items[i]);

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

/* The bytes of a character that the end of the text cuts through; 0 when it does not. */
static size_t cut_character(const char *text, size_t length)
{
    static const unsigned char leads[] = {0xc0, 0xe0, 0xf0}; /* of more bytes than are there */

    for (size_t back = 1; back <= 3 && back <= length; back++) {
        unsigned char byte = (unsigned char)text[length - back];

        if ((byte & 0xc0) == 0x80)
            continue;
        return byte >= leads[back - 1] ? back : 0;
    }
    return 0;
}

static void set_output(json_t *data, const char *key, const char *ending, json_t *value)
{
    char name[48];

    snprintf(name, sizeof name, "%s%s", key, ending);
    json_object_set_new(data, name, value);
}

static json_t *base64_json(const struct gl_str *bytes)
{
    GL_AUTO(gl_auto_free) char *text = gl_alloc(4 * ((bytes->length + 2) / 3) + 1);

    return json_string(gl_base64_text(gl_str_text(bytes), bytes->length, text));
}

/* "stdout": text, or null and "stdout_base64" when it is none; what did not fit is counted. */
static void add_output(struct gl_context *context, const char *key, const struct kept *kept)
{
    json_t *data = context->reply.data;
    const char *bytes = gl_str_text(&kept->text);
    size_t cut = kept->dropped_bytes > 0 ? cut_character(bytes, kept->text.length) : 0;
    json_t *text = json_stringn(bytes, kept->text.length - cut);
    bool is_text = text != NULL;

    set_output(data, key, "", is_text ? text : json_null());
    if (!is_text)
        set_output(data, key, "_base64", base64_json(&kept->text));
    set_output(data, key, "_truncated", json_boolean(kept->dropped_bytes > 0));
    set_output(data, key, "_dropped_bytes",
               json_integer((json_int_t)(kept->dropped_bytes + (is_text ? cut : 0))));
    if (kept->dropped_bytes > 0)
        gl_warn(context, "GL1004", "%s went on after the first %zu MiB, which are all that is here",
                key, (size_t)OUTPUT_CEILING >> 20);
}

/* What failed first is the error, what came after a warning. Returns -1. */
static int tell_of_end(struct gl_context *context, const char *launch,
                       const struct gl_error *stop_error, bool is_over, struct gl_error *err)
{
    if (!is_over)
        gl_warn(context, "GL5002", "%s was not brought to its end (%s): greenlaunch stop %s",
                launch, stop_error->text, launch);
    else if (err->code != GL_OK)
        gl_warn(context, "GL1003", "%s", stop_error->text);
    if (err->code == GL_OK)
        *err = *stop_error;
    return -1;
}

/* Whatever happens to the command, the instance is stopped and accounted for. */
static int follow_and_finish(struct gl_context *context, struct gl_launcher *launcher,
                             const struct gl_instance *instance, const struct gl_option_list *files,
                             struct gl_error *err)
{
    struct follow follow = {.context = context, .instance = instance->id};
    struct gl_ending ending = {.wait = {10}};
    GL_AUTO(gl_auto_free) char *receipt = NULL;
    struct gl_error stop_error = {0};
    int status = -1, result;

    follow.cloud = launcher->open(launcher->cookie, "local", NULL, err);
    result = follow.cloud == NULL ? -1 : open_log(launcher, &follow, instance->launch_id, err);
    gl_pace_begin(&follow.pace, context, launcher, instance->launch_id);
    if (result == 0)
        result = follow_command(&follow, &status, err);
    gl_pace_end(&follow.pace);
    if (result == 0)
        result = fetch_files(&follow, files, err);
    gl_progress(context, "stopping, waiting for the final reading");
    ending.exit_status = status;
    if (gl_launch_finish(launcher, instance->launch_id, &ending, &stop_error) != 0) {
        result = tell_of_end(context, instance->launch_id, &stop_error, ending.is_over, err);
    }
    gl_progress_end(context);
    receipt = ending.receipt;
    context->reply.data = json_pack("{s:i}", "exit_status", status);
    add_output(context, "stdout", &follow.out);
    add_output(context, "stderr", &follow.error);
    if (receipt != NULL && gl_act_show_receipt(context, receipt, err) != 0)
        result = -1;
    gl_meterlog_done(&follow.log);
    gl_str_done(&follow.out.text);
    gl_str_done(&follow.error.text);
    gl_cloud_close(follow.cloud);
    if (result == 0 && follow.has_lost_output)
        result = gl_fail(err, GL_E_IO, "the command's output could not be written");
    return result == 0 ? status : -1;
}

/* A machine of ours has busybox and what was carried along; nobody need guess that. */
static void tell_of_missing(struct gl_context *context, const struct gl_inside *inside,
                            const char *program)
{
    char shown[GL_TEXT_SHOWN];

    if (inside->image == NULL)
        gl_warn(context, "GL2010",
                "127: %s, or what it runs, is not there; an instance has busybox and what --with "
                "PROGRAM carries along, or the root file system of --image",
                gl_text_show(program, shown));
}

int gl_run_command(struct gl_context *context, const struct gl_run_values *given,
                   const char *const *command, struct gl_error *err)
{
    struct gl_run_values values = *given;
    struct gl_start_lists lists;
    struct gl_start_options start;
    struct gl_launcher launcher;
    struct gl_instance instance;
    int status;

    gl_start_options_of(&values.start, command, &lists, &start);
    if (check_files_out(&values.files_out, err) != 0)
        return -1;
    status = gl_start_instance(context, &launcher, &values.start.ask, &start, &instance, err);
    if (status != GL_EXIT_OK)
        return status;
    gl_start_say_started(context, &instance);
    context->reply.is_streamed = !context->globals.is_json;
    context->reply.is_command_status = true;
    bool is_rented = gl_rented_launch(&launcher, instance.launch_id);
    if (is_rented)
        status = gl_rented_run(context, &launcher, &instance, values.files_out.count > 0, err);
    else
        status = follow_and_finish(context, &launcher, &instance, &values.files_out, err);
    if (status == 127 && !is_rented)
        tell_of_missing(context, &values.start.inside, command[0]);
    gl_start_point_to_receipt(context, &launcher, instance.launch_id);
    if (gl_interrupted()) {
        gl_error_clear(err);
        return gl_interrupt_fail(
            err, json_object_get(context->reply.data, "receipt_file") != NULL
                     ? "the command was stopped; the receipt covers it until then"
                     : "interrupted; the instance may still run: greenlaunch status");
    }
    return status;
}

static int run(struct gl_context *context, const struct gl_call *call, struct gl_error *err)
{
    if (call->operands->count > 0)
        return gl_help_stray(&gl_command_run, call->operands->words[0], false, err);
    if (call->rest == NULL || call->rest[0] == NULL)
        return gl_fail(err, GL_E_USAGE, "no command: greenlaunch run [rules] -- COMMAND [ARG ...]");
    context->start = call;
    return gl_run_command(context, call->values, call->rest, err);
}

const struct gl_command gl_command_run = {
    .name = "run",
    .group = "Act",
    .summary = "launch, run a command inside, meter it, stop, print what it cost",
    .operands = "-- COMMAND [ARG ...]",
    .description =
        "Starts an instance as launch does, runs the command inside, passes its output and exit "
        "status through, shows its meter readings on standard error, stops it and prints the "
        "footprint with the signed receipt. Ctrl-C stops the instance in order, and ends one that "
        "still starts. Without any rule nothing is started, unless --no-rules says so. On a rented "
        "machine the last of the output is shown, at the end. With --json "
        "the first 4 MiB of each stream are in data.stdout and data.stderr; what did not fit is "
        "counted in stdout_dropped_bytes, and output that is no UTF-8 is in stdout_base64.",
    .example = "greenlaunch run --renewable-only --with /usr/bin/openssl -- openssl speed -seconds "
               "1 sha256",
    .options = options,
    .values_size = sizeof(struct gl_run_values),
    .run = run,
};
