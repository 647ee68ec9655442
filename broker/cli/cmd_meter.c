/* SPDX-License-Identifier: Apache-2.0 */
/* meter: what a command costs on this machine. The meter runs the command, its signed readings go
 * the same way as an instance's: verified, judged, accounted, receipted. */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/process.h"
#include "broker/account.h"
#include "broker/cli/act.h"
#include "broker/cli/help.h"
#include "broker/cli/meter_receive.h"
#include "broker/evidence.h"
#include "broker/finish.h"
#include "broker/host.h"
#include "broker/interrupt.h"
#include "broker/meterlog.h"
#include "broker/receipt.h"

#define INTERVAL_MS        1000
#define READINGS_MAX_BYTES ((size_t)64 << 20)

struct meter_values {
    const char *zone;
    const char *output;
    struct gl_receive_values receive;
};

static const struct gl_option options[] = {
    {"zone", 0, GL_OPT_TEXT, offsetof(struct meter_values, zone), "ZONE",
     "grid zone this machine stands in, as in SE-SE3", NULL, NULL, NULL, 0, 0, 0, "zone"},
    {"output", 'o', GL_OPT_TEXT, offsetof(struct meter_values, output), "FILE",
     "write the receipt here too", NULL, NULL, NULL, 0, 0, 0, "file"},
    {"listen", 0, GL_OPT_TEXT, offsetof(struct meter_values, receive.listen), "HOST:PORT",
     "where it receives (default 127.0.0.1:8444)", "receive", NULL, NULL, 0, 0, 0, NULL},
    {"tls-cert", 0, GL_OPT_TEXT, offsetof(struct meter_values, receive.tls_cert), "FILE",
     "its certificate with those that vouch for it, PEM", "receive", NULL, NULL, 0, 0, 0, "file"},
    {"tls-key", 0, GL_OPT_TEXT, offsetof(struct meter_values, receive.tls_key), "FILE",
     "the key of it, for nobody else to read", "receive", NULL, NULL, 0, 0, 0, "file"},
    {0},
};

/* One metered command. */
struct metered {
    char launch[32];
    char token_hex[GL_HASH_HEX];
    char *token_path, *readings_path;
    struct gl_host host;
    int64_t started_ms, ended_ms;
    int status;
    bool is_kept; /* the receipt, so that the readings are no longer needed */
};

/* Readings that no receipt holds yet are all there is of the run: they and what proves them stay.
 */
static void metered_done(struct metered *metered)
{
    bool is_needed = !metered->is_kept && metered->readings_path != NULL &&
                     gl_file_exists(metered->readings_path);

    if (!is_needed && metered->token_path != NULL)
        unlink(metered->token_path);
    if (!is_needed && metered->readings_path != NULL)
        unlink(metered->readings_path);
    free(metered->token_path);
    free(metered->readings_path);
}

static int prepare(struct gl_context *context, struct metered *metered, struct gl_error *err)
{
    const char *folder = gl_context_state(context, err);
    uint8_t random[36];
    char hex[9];

    /* What could not be recorded is not begun. */
    if (folder == NULL || gl_context_ledger(context, err) == NULL)
        return -1;
    context->world.random(context->world.cookie, random, sizeof random);
    gl_hex_text(random, 32, metered->token_hex);
    snprintf(metered->launch, sizeof metered->launch, "meter-%s", gl_hex_text(random + 32, 4, hex));
    gl_host_read(&metered->host);
    if (metered->host.vcpus == 0)
        return gl_fail(err, GL_E_IO, "cannot read how many processors this machine has");
    GL_AUTO(gl_auto_free) char *tokens = gl_path_join(folder, "tokens");
    GL_AUTO(gl_auto_free) char *readings = gl_path_join(folder, "meter");
    if (gl_dir_make(tokens, err) != 0 || gl_dir_make(readings, err) != 0)
        return -1;
    metered->token_path = gl_path_join(tokens, metered->launch);
    metered->readings_path = gl_path_join(readings, metered->launch);
    return gl_file_write(metered->token_path, metered->token_hex, GL_HASH_HEX - 1, 0600, err);
}

/* Ctrl-C goes to the whole foreground group: the meter ends the command and writes its goodbye. */
static int wait_for(const struct gl_process *process, int *out_status)
{
    bool is_told = false;

    for (;;) {
        int ended = gl_process_wait(process, 200, out_status);

        if (ended != 0)
            return ended;
        if (gl_interrupted() && !is_told) {
            gl_process_kill(process, SIGTERM);
            is_told = true;
        }
    }
}

static int run_metered(struct gl_context *context, struct metered *metered,
                       const char *const *command, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *meter = gl_path_join(gl_path_of_program(), "greenlaunch-meter");
    GL_AUTO(gl_auto_free) const char **argv = NULL;
    char threads[24], memory[24], interval[24];
    const char *const fixed[] = {meter,
                                 "--run",
                                 "--launch",
                                 metered->launch,
                                 "--token-file",
                                 metered->token_path,
                                 "--output",
                                 metered->readings_path,
                                 "--interval",
                                 interval,
                                 "--threads-milli",
                                 threads,
                                 "--memory-mb",
                                 memory,
                                 "--family",
                                 metered->host.family ? metered->host.family : "",
                                 "--"};
    size_t fixed_count = sizeof fixed / sizeof fixed[0], count = 0;
    struct gl_process process;

    snprintf(threads, sizeof threads, "%u", metered->host.vcpus * 1000);
    snprintf(memory, sizeof memory, "%" PRIu64,
             (uint64_t)metered->host.memory_mib * 1048576 / 1000000);
    snprintf(interval, sizeof interval, "%d", INTERVAL_MS);
    while (command[count] != NULL)
        count++;
    argv = gl_alloc((fixed_count + count + 1) * sizeof *argv);
    memcpy(argv, fixed, sizeof fixed);
    memcpy(argv + fixed_count, command, count * sizeof *argv);
    metered->started_ms = context->world.now_ms(context->world.cookie);
    int out = context->globals.is_json ? STDERR_FILENO : STDOUT_FILENO;
    if (gl_process_start(&(struct gl_spawn){.argv = argv,
                                            .stdin_fd = STDIN_FILENO,
                                            .stdout_fd = out,
                                            .stderr_fd = STDERR_FILENO,
                                            .uid = -1,
                                            .gid = -1},
                         &process, err) != 0)
        return gl_wrap(err, "cannot start the meter");
    if (wait_for(&process, &metered->status) < 0)
        return gl_fail(err, GL_E_INTERNAL, "the meter was lost");
    metered->ended_ms = context->world.now_ms(context->world.cookie);
    if (metered->ended_ms < metered->started_ms) /* the clock was set back */
        metered->ended_ms = metered->started_ms;
    return 0;
}

static int read_log(const struct metered *metered, struct gl_meterlog *out, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *text = NULL;
    uint8_t token[32];
    size_t length;

    if (gl_file_read(metered->readings_path, READINGS_MAX_BYTES, &text, &length, err) != 0)
        return gl_wrap(err, "the meter wrote no readings");
    if (gl_hex_parse(metered->token_hex, token, sizeof token, err) != 0)
        return -1;
    gl_meterlog_init(out, metered->launch, token, sizeof token);
    gl_meterlog_feed(out, text, length);
    return 0;
}

static int series_of(struct gl_context *context, const char *zone, const struct metered *metered,
                     json_t **out, struct gl_error *err)
{
    struct gl_signal_query query = {.from = {metered->started_ms / 1000},
                                    .until = {metered->ended_ms / 1000 + 1}};
    const struct gl_zone_facts *facts;
    struct gl_signal_store *store;

    if (zone == NULL) {
        *out = json_array();
        return 0;
    }
    snprintf(query.zone, sizeof query.zone, "%s", zone);
    store = gl_context_signals(context, err);
    if (store == NULL)
        return -1;
    facts = gl_signal_store_zone(store, &query);
    *out = gl_evidence_figures(&facts, 1, query.from, query.until);
    gl_signal_store_free(store);
    return 0;
}

static json_t *evidence_of(struct gl_context *context, const struct metered *metered,
                           const struct gl_meterlog *log, json_t *series,
                           const char *const *command, const char *zone)
{
    json_t *instance =
        json_pack("{s:s,s:s,s:s,s:s,s:s,s:I,s:I,s:i,s:i}", "cloud", GL_METHOD_HOST, "region",
                  "this machine", "type", "host", "zone", zone != NULL ? zone : "unknown", "how",
                  "command on the host", "started_ms", (json_int_t)metered->started_ms, "ended_ms",
                  (json_int_t)metered->ended_ms, "exit_status", metered->status, "host_cpu_ms", -1);
    json_t *meter =
        json_pack("{s:s,s:i,s:O?,s:O,s:I,s:I,s:I,s:I}", "token", metered->token_hex, "interval_ms",
                  INTERVAL_MS, "enrolment", log->enrolment, "batches", log->batches, "rejected",
                  (json_int_t)log->rejected, "repeated", (json_int_t)log->repeated, "forked",
                  (json_int_t)log->forked, "orphaned", (json_int_t)log->orphaned);

    return json_pack(
        "{s:i,s:s,s:s,s:b,s:I,s:o,s:o,s:o,s:o,s:n,s:i,s:s,s:o,s:o}", "method_version",
        GL_METHOD_VERSION, "launch", metered->launch, "name", "", "demo", context->is_demo,
        "issued_ms", (json_int_t)metered->ended_ms, "request",
        json_pack("{s:o}", "command", gl_words_json(command)), "instance", instance, "meter", meter,
        "series", series, "guarantee", "pue_milli", 1000, "pue_source", "no facility: this machine",
        "embodied", gl_act_embodied(metered->host.vcpus, metered->host.vcpus), "machine",
        gl_act_machine(metered->host.family, metered->host.vcpus, metered->host.memory_mib));
}

static int receipt_of(struct gl_context *context, const struct metered *metered,
                      const char *const *command, const char *zone, char **out,
                      struct gl_error *err)
{
    GL_AUTO(gl_auto_json) json_t *evidence = NULL;
    struct gl_secret_key secret;
    struct gl_public_key key;
    struct gl_meterlog log;
    json_t *series;

    if (read_log(metered, &log, err) != 0)
        return -1;
    if (series_of(context, zone, metered, &series, err) == 0)
        evidence = evidence_of(context, metered, &log, series, command, zone);
    gl_meterlog_done(&log);
    if (evidence == NULL)
        return err->code != GL_OK ? -1 : gl_fail(err, GL_E_INTERNAL, "no evidence");
    if (gl_broker_key(context->state_folder, &context->world, &secret, &key, err) != 0)
        return -1;
    *out = gl_receipt_make(evidence, &secret, &key, err);
    gl_secret_key_wipe(&secret);
    return *out != NULL ? 0 : -1;
}

/* The hash of its receipt is chained like that of any other launch. */
static int record(struct gl_context *context, const struct metered *metered, const char *receipt,
                  const char *zone, struct gl_error *err)
{
    struct gl_ledger *ledger = gl_context_ledger(context, err);
    GL_AUTO(gl_auto_json) json_t *body = NULL;
    struct gl_hash hash;
    char hex[GL_HASH_HEX];

    if (ledger == NULL)
        return -1;
    gl_hash_of(receipt, strlen(receipt), &hash);
    body = json_pack("{s:s,s:s?,s:I,s:I,s:i}", "receipt_sha256", gl_hash_hex(&hash, hex), "zone",
                     zone, "started_ms", (json_int_t)metered->started_ms, "ended_ms",
                     (json_int_t)metered->ended_ms, "exit_status", metered->status);
    return gl_ledger_append(ledger, "metered", metered->launch, body, NULL, err);
}

/* Durable before the readings go: gl_file_write() returns after the disk has it. */
static int keep(struct gl_context *context, struct metered *metered, const char *receipt,
                const char *zone, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *folder = gl_path_join(context->state_folder, "receipts");
    GL_AUTO(gl_auto_free) char *path = gl_receipt_path(context->state_folder, metered->launch);

    if (gl_dir_make(folder, err) != 0 ||
        gl_file_write(path, receipt, strlen(receipt), 0644, err) != 0)
        return gl_wrap(err, "the receipt cannot be kept; the readings stay in %s",
                       metered->readings_path);
    metered->is_kept = true;
    gl_str_addf(&context->reply.text, "  receipt      %s\n", path);
    json_object_set_new(context->reply.data, "receipt_file", json_string(path));
    if (record(context, metered, receipt, zone, err) != 0)
        return gl_wrap(err, "the receipt is kept in %s, but not recorded", path);
    return 0;
}

static int keep_copy(struct gl_context *context, const char *output, const char *receipt,
                     struct gl_error *err)
{
    if (output == NULL)
        return 0;
    if (gl_file_write(output, receipt, strlen(receipt), 0644, err) != 0)
        return gl_wrap(err, "--output");
    gl_str_addf(&context->reply.text, "               %s\n", output);
    return 0;
}

static int show_and_keep(struct gl_context *context, struct metered *metered, const char *zone,
                         const char *receipt, struct gl_error *err)
{
    if (gl_act_show_receipt(context, receipt, err) != 0 ||
        keep(context, metered, receipt, zone, err) != 0)
        return -1;
    json_object_set_new(context->reply.data, "exit_status", json_integer(metered->status));
    if (zone == NULL)
        gl_warn(context, "GL8001",
                "no grid zone is configured: carbon is unknown; say --zone ZONE");
    return 0;
}

static int receive(struct gl_context *context, const struct gl_call *call, struct gl_error *err)
{
    const struct meter_values *values = call->values;

    if (gl_help_operands(&gl_command_meter, call, 1, 1, err) != 0)
        return -1;
    if (strcmp(call->operands->words[0], "receive") != 0)
        return gl_fail(err, GL_E_USAGE,
                       "a command to meter stands after --, as in greenlaunch meter -- make; "
                       "meter receive takes what rented machines push");
    if (values->zone != NULL || values->output != NULL)
        return gl_fail(err, GL_E_USAGE, "--zone and --output are for a command on this machine");
    return gl_meter_receive(context, &values->receive, err);
}

static int run(struct gl_context *context, const struct gl_call *call, struct gl_error *err)
{
    const struct meter_values *values = call->values;
    GL_AUTO(metered_done) struct metered metered = {0};
    GL_AUTO(gl_auto_free) char *receipt = NULL;
    const char *zone = gl_context_zone(context, values->zone);

    if (call->operands->count > 0)
        return receive(context, call, err);
    if (call->rest == NULL || call->rest[0] == NULL)
        return gl_fail(err, GL_E_USAGE, "no command: greenlaunch meter -- COMMAND [ARG ...]");
    if (values->receive.listen != NULL || values->receive.tls_cert != NULL ||
        values->receive.tls_key != NULL)
        return gl_fail(err, GL_E_USAGE, "--listen, --tls-cert and --tls-key are for receive");
    if (prepare(context, &metered, err) != 0 ||
        run_metered(context, &metered, call->rest, err) != 0)
        return -1;
    if (receipt_of(context, &metered, call->rest, zone, &receipt, err) != 0)
        return gl_wrap(err, "the readings stay in %s", metered.readings_path);
    context->reply.is_streamed = !context->globals.is_json;
    context->reply.is_command_status = true;
    if (show_and_keep(context, &metered, zone, receipt, err) != 0 ||
        keep_copy(context, values->output, receipt, err) != 0)
        return -1;
    if (!gl_interrupted())
        return metered.status;
    return gl_interrupt_fail(err, gl_interrupt_status() == GL_EXIT_TIMEOUT
                                      ? "--timeout ran out and the command was stopped; the "
                                        "receipt covers it until then"
                                      : "the command was stopped; the receipt covers it until "
                                        "then");
}

const struct gl_command gl_command_meter = {
    .name = "meter",
    .group = "Prove",
    .summary = "run a command on this machine and print its footprint",
    .operands = "[receive] | -- COMMAND [ARG ...]",
    .description = "Needs no instance: greenlaunch-meter measures this machine while the command "
                   "runs (energy counters where readable, else a model with bounds) and the result "
                   "is a receipt like any other, recorded in the ledger. The exit status is the "
                   "command's; 124 when --timeout ended it. meter receive serves until it is "
                   "stopped: it takes the readings that rented machines push (`meter: {push: "
                   "https://HOST:PORT/readings}` in the configuration), believes those that a "
                   "launch of this ledger has signed, and keeps them for its receipt.",
    .example = "greenlaunch meter --zone SE-SE3 -- make -j2",
    .options = options,
    .values_size = sizeof(struct meter_values),
    .run = run,
};
