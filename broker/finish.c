/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/finish.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "broker/meterlog.h"
#include "broker/plausible.h"
#include "broker/receipt.h"

#define CONSOLE_STEP   ((size_t)4 << 20)
#define CONSOLE_MAX    ((uint64_t)256 << 20) /* a guest may write faster than we read */
#define LEASE_SLACK_MS 60000

/* ---- files of a launch ---- */

static char *launch_file(const char *state_folder, const char *folder, const char *launch,
                         const char *ending)
{
    struct gl_str path = {0};

    gl_str_addf(&path, "%s/%s/%s%s", state_folder, folder, launch, ending);
    return gl_str_take(&path);
}

char *gl_receipt_path(const char *state_folder, const char *launch)
{
    return launch_file(state_folder, "receipts", launch, ".json");
}

char *gl_enrol_token_path(const char *state_folder, const char *launch)
{
    return launch_file(state_folder, "tokens", launch, "");
}

int gl_launch_lock(const char *state_folder, const char *launch, int64_t wait_ms,
                   struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *folder = gl_path_join(state_folder, "locks");
    GL_AUTO(gl_auto_free) char *path = launch_file(state_folder, "locks", launch, "");

    if (gl_dir_make(folder, err) != 0)
        return -1;
    return gl_file_lock(path, wait_ms, err);
}

/* The file stays: removing it would let two processes hold locks on two files of one name. */
void gl_launch_unlock(int lock)
{
    close(lock);
}

static int read_enrol_token(const char *state_folder, const char *launch, char out[GL_HASH_HEX],
                            struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *path = gl_enrol_token_path(state_folder, launch);
    GL_AUTO(gl_auto_free) char *text = NULL;
    size_t length;

    if (gl_file_read(path, 256, &text, &length, err) != 0)
        return gl_wrap(err, "the enrolment token of %s is gone", launch);
    snprintf(out, GL_HASH_HEX, "%s", text);
    return 0;
}

/* ---- readings ---- */

static int feed_console(struct gl_cloud *cloud, const char *id, struct gl_meterlog *log,
                        struct gl_error *err)
{
    uint64_t offset = 0, next = 0;

    for (;;) {
        GL_AUTO(gl_str_done) struct gl_str text = {.ceiling = CONSOLE_STEP};

        if (cloud->ops->console(cloud, id, offset, &text, &next, err) != 0)
            return -1;
        if (next <= offset || next > CONSOLE_MAX)
            return 0;
        gl_meterlog_feed(log, gl_str_text(&text), text.length);
        offset = next;
    }
}

int gl_launch_readings(struct gl_launcher *launcher, const struct gl_launch_row *row,
                       struct gl_cloud *cloud, struct gl_meterlog *out, struct gl_error *err)
{
    char token_hex[GL_HASH_HEX];
    uint8_t token[32];
    struct gl_meterlog log;

    if (read_enrol_token(launcher->state_folder, row->launch, token_hex, err) != 0 ||
        gl_hex_parse(token_hex, token, sizeof token, err) != 0)
        return -1;
    gl_meterlog_init(&log, row->launch, token, sizeof token);
    gl_wipe(token, sizeof token);
    if (cloud != NULL && feed_console(cloud, row->instance, &log, err) != 0) {
        gl_meterlog_done(&log);
        return -1;
    }
    *out = log;
    return 0;
}

/* ---- evidence ---- */

static int note_alive(void *cookie, const json_t *event)
{
    int64_t *alive_ms = cookie;
    const char *kind = json_string_value(json_object_get(event, "kind"));
    const json_t *body = json_object_get(event, "body");

    if (kind != NULL && strcmp(kind, "stopping") == 0)
        *alive_ms = json_integer_value(json_object_get(body, "alive_ms"));
    return 0;
}

static int64_t within(int64_t value, int64_t low, int64_t high)
{
    return value < low ? low : value > high ? high : value;
}

/* When it ended. The meter's goodbye says so, but not before we saw it alive. Without a goodbye
 * silence is charged until now, and when our own clock was set back until the end of the lease,
 * which the guest's own timer enforces. What the readings cover is always inside. */
static int64_t end_of_run(const struct gl_launcher *launcher, const struct gl_launch_row *row,
                          const struct gl_meterlog *log, int64_t interval_ms, int64_t alive_ms)
{
    int64_t now = launcher->world->now_ms(launcher->world->cookie);
    int64_t latest = row->expires_ms + LEASE_SLACK_MS;
    int64_t end = now < row->started_ms || now > latest ? latest : now;

    if (log->count > 0) {
        const struct gl_run_facts facts = {.started_ms = row->started_ms,
                                           .ended_ms = end,
                                           .interval_ms = interval_ms,
                                           .readings = log->readings,
                                           .count = log->count};
        int64_t until = gl_readings_until_ms(&facts);

        end = log->is_final ? within(alive_ms, until, latest) : within(end, until, latest);
    }
    return within(end, row->started_ms, latest);
}

static json_t *instance_json(const struct gl_launch_row *row, const struct gl_instance *instance,
                             int64_t ended_ms)
{
    return json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:I,s:I,s:I,s:I,s:I,s:I}", "cloud", row->cloud,
                     "region", row->region, "type", row->type, "zone", row->zone, "id",
                     row->instance, "token", row->token, "how", instance->how, "attempt",
                     (json_int_t)row->attempt, "started_ms", (json_int_t)row->started_ms,
                     "ended_ms", (json_int_t)ended_ms, "expires_ms", (json_int_t)row->expires_ms,
                     "exit_status", (json_int_t)instance->exit_status, "host_cpu_ms",
                     (json_int_t)instance->host_cpu_ms);
}

static int plan_interval(const json_t *plan, int64_t *out_ms, struct gl_error *err)
{
    json_t *meter;

    if (gl_json_object(plan, "meter", &meter, err) != 0)
        return -1;
    return gl_json_int(meter, "interval_ms", 1, 3600000, out_ms, err);
}

static int meter_json(const struct gl_launcher *launcher, const struct gl_launch_row *row,
                      const struct gl_meterlog *log, int64_t interval_ms, json_t **out,
                      struct gl_error *err)
{
    char token[GL_HASH_HEX];

    if (read_enrol_token(launcher->state_folder, row->launch, token, err) != 0)
        return -1;
    *out = json_pack("{s:s,s:I,s:O?,s:O,s:I,s:I,s:I,s:I}", "token", token, "interval_ms",
                     (json_int_t)interval_ms, "enrolment", log->enrolment, "batches", log->batches,
                     "rejected", (json_int_t)log->rejected, "repeated", (json_int_t)log->repeated,
                     "forked", (json_int_t)log->forked, "orphaned", (json_int_t)log->orphaned);
    return 0;
}

static json_t *evidence_of(const struct gl_launcher *launcher, const struct gl_launch_row *row,
                           const struct gl_instance *instance, const struct gl_meterlog *log,
                           struct gl_error *err)
{
    GL_AUTO(gl_auto_json)
    json_t *evidence = gl_json_parse(row->plan, strlen(row->plan), "plan", err);
    int64_t interval_ms, alive_ms = 0;
    json_t *meter;

    if (evidence == NULL || plan_interval(evidence, &interval_ms, err) != 0 ||
        gl_ledger_events(launcher->ledger, row->launch, &alive_ms, note_alive, err) != 0 ||
        meter_json(launcher, row, log, interval_ms, &meter, err) != 0)
        return NULL;
    json_object_set_new(evidence, "meter", meter);
    json_object_set_new(evidence, "launch", json_string(row->launch));
    json_object_set_new(evidence, "name", json_string(row->name));
    json_object_set_new(evidence, "demo", json_boolean(row->is_demo));
    json_object_set_new(evidence, "issued_ms",
                        json_integer(launcher->world->now_ms(launcher->world->cookie)));
    json_object_set_new(
        evidence, "instance",
        instance_json(row, instance, end_of_run(launcher, row, log, interval_ms, alive_ms)));
    return json_incref(evidence);
}

/* ---- closing ---- */

static int write_receipt(const struct gl_launcher *launcher, const char *launch,
                         const char *receipt, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *folder = gl_path_join(launcher->state_folder, "receipts");
    GL_AUTO(gl_auto_free) char *path = gl_receipt_path(launcher->state_folder, launch);

    if (gl_dir_make(folder, err) != 0)
        return -1;
    return gl_file_write(path, receipt, strlen(receipt), 0644, err);
}

static int record_end(const struct gl_launcher *launcher, const struct gl_launch_row *row,
                      const json_t *evidence, const char *receipt, const char *state,
                      struct gl_error *err)
{
    const json_t *instance = json_object_get(evidence, "instance");
    struct gl_launch_change change = {GL_LAUNCH_KEEP, .launch = row->launch, .state = state,
                                      .receipt = receipt};
    GL_AUTO(gl_auto_json) json_t *body = NULL;
    struct gl_hash hash;
    char hex[GL_HASH_HEX];

    change.ended_ms = json_integer_value(json_object_get(instance, "ended_ms"));
    change.exit_status = json_integer_value(json_object_get(instance, "exit_status"));
    gl_hash_of(receipt, strlen(receipt), &hash);
    body = json_pack("{s:s,s:s}", "state", state, "receipt_sha256", gl_hash_hex(&hash, hex));
    return gl_ledger_append(launcher->ledger, state, row->launch, body, &change, err);
}

/* A crash may have come between the receipt file and the ledger: then that file is the receipt, and
 * no second one with other times is signed. NULL when there is none. */
static char *kept_receipt(const struct gl_launcher *launcher, const struct gl_launch_row *row,
                          const struct gl_public_key *key, json_t **out_document)
{
    GL_AUTO(gl_auto_free) char *path = gl_receipt_path(launcher->state_folder, row->launch);
    GL_AUTO(gl_auto_free) char *text = NULL;
    struct gl_receipt_check check = {0};
    struct gl_error ignored = {0};
    char *kept = NULL;
    size_t length;

    if (gl_file_read(path, GL_RECEIPT_MAX_BYTES, &text, &length, &ignored) != 0 ||
        gl_receipt_verify(text, length, key, &check, &ignored) != 0)
        return NULL;
    if (strcmp(check.launch, row->launch) == 0) {
        *out_document = json_incref(check.receipt);
        kept = text;
        text = NULL;
    }
    gl_receipt_check_done(&check);
    return kept;
}

static char *new_receipt(const struct gl_launcher *launcher, const struct gl_launch_row *row,
                         const json_t *evidence, const struct gl_secret_key *secret,
                         const struct gl_public_key *key, struct gl_error *err)
{
    char *receipt = gl_receipt_make(evidence, secret, key, err);

    if (receipt == NULL || write_receipt(launcher, row->launch, receipt, err) == 0)
        return receipt;
    free(receipt);
    return NULL;
}

/* Receipt file before the ledger says ended. */
static int close_with(struct gl_launcher *launcher, const struct gl_launch_row *row,
                      const struct gl_instance *instance, const struct gl_meterlog *log,
                      char **out_receipt, struct gl_error *err)
{
    GL_AUTO(gl_auto_json) json_t *document = NULL;
    GL_AUTO(gl_auto_json) json_t *evidence = NULL;
    GL_AUTO(gl_auto_free) char *receipt = NULL;
    struct gl_secret_key secret;
    struct gl_public_key key;

    if (gl_broker_key(launcher->state_folder, launcher->world, &secret, &key, err) != 0)
        return -1;
    receipt = kept_receipt(launcher, row, &key, &document);
    if (receipt != NULL)
        evidence = json_incref(json_object_get(document, "evidence"));
    else if ((evidence = evidence_of(launcher, row, instance, log, err)) != NULL)
        receipt = new_receipt(launcher, row, evidence, &secret, &key, err);
    gl_secret_key_wipe(&secret);
    if (receipt == NULL)
        return -1;
    if (launcher->checkpoint != NULL)
        launcher->checkpoint(launcher->cookie, "receipt-written");
    if (record_end(launcher, row, evidence, receipt,
                   instance->state == GL_STATE_LOST ? "lost" : "ended", err) != 0)
        return -1;
    if (out_receipt != NULL) {
        *out_receipt = receipt;
        receipt = NULL;
    }
    return 0;
}

/* What the provider says of it. When it has forgotten it, or there is none to ask: LOST, and
 * *cloud NULL, for there is nothing more to ask for. */
static int look(struct gl_cloud **cloud, const char *id, struct gl_instance *out,
                struct gl_error *err)
{
    struct gl_error why = {0};

    if (*cloud != NULL && (*cloud)->ops->describe(*cloud, id, out, &why) == 0)
        return 0;
    if (*cloud != NULL && why.code != GL_E_NOT_FOUND)
        return gl_fail(err, why.code, "%s", why.text);
    *out = (struct gl_instance){.state = GL_STATE_LOST, .host_cpu_ms = -1};
    *cloud = NULL;
    return 0;
}

int gl_launch_close(struct gl_launcher *launcher, const struct gl_launch_row *row,
                    struct gl_cloud *cloud, int64_t exit_status, char **out_receipt,
                    struct gl_error *err)
{
    struct gl_instance instance;
    struct gl_meterlog log;
    int result;

    if (row->receipt[0] != '\0') {
        if (out_receipt != NULL)
            *out_receipt = gl_strdup(row->receipt);
        return 0;
    }
    if (look(&cloud, row->instance, &instance, err) != 0 ||
        gl_launch_readings(launcher, row, cloud, &log, err) != 0)
        return -1;
    if (exit_status >= 0 || !instance.has_exit)
        instance.exit_status = exit_status >= 0 ? (int)exit_status : -1;
    result = close_with(launcher, row, &instance, &log, out_receipt, err);
    gl_meterlog_done(&log);
    return result;
}

/* The note says when it was last seen alive. */
static int record_stopping(struct gl_launcher *launcher, const char *launch, struct gl_error *err)
{
    int64_t alive_ms = launcher->world->now_ms(launcher->world->cookie);
    GL_AUTO(gl_auto_json)
    json_t *body = json_pack("{s:s,s:I}", "state", "stopping", "alive_ms", (json_int_t)alive_ms);
    struct gl_launch_change change = {GL_LAUNCH_KEEP, .launch = launch, .state = "stopping"};

    return gl_ledger_append(launcher->ledger, "stopping", launch, body, &change, err);
}

static bool is_over(const struct gl_instance *instance)
{
    return instance->state == GL_STATE_ENDED || instance->state == GL_STATE_LOST;
}

/* Nothing may be called ended that still runs. */
static int make_sure(struct gl_cloud *cloud, const char *id, struct gl_error *err)
{
    struct gl_instance instance;

    if (look(&cloud, id, &instance, err) != 0)
        return -1;
    if (is_over(&instance))
        return 0;
    if (cloud->ops->terminate(cloud, id, err) != 0 || look(&cloud, id, &instance, err) != 0)
        return -1;
    if (is_over(&instance))
        return 0;
    return gl_fail(err, GL_E_PROVIDER, "instance %s was told to end and is still %s", id,
                   gl_instance_state_word(instance.state));
}

int gl_launch_end(struct gl_launcher *launcher, const struct gl_launch_row *row,
                  struct gl_cloud *cloud, const struct gl_ending *ending, struct gl_error *err)
{
    struct gl_cloud *asked = cloud;
    struct gl_instance instance;
    struct gl_error unwritten = {0};

    if (look(&asked, row->instance, &instance, err) != 0)
        return -1;
    if (!is_over(&instance)) {
        /* A full disk must not keep anything running: the stop does not wait for the note. */
        record_stopping(launcher, row->launch, &unwritten);
        if (launcher->checkpoint != NULL)
            launcher->checkpoint(launcher->cookie, "stopping");
        if (cloud->ops->stop(cloud, row->instance, ending->wait, err) != 0 ||
            make_sure(cloud, row->instance, err) != 0)
            return -1;
        if (launcher->checkpoint != NULL)
            launcher->checkpoint(launcher->cookie, "stopped");
    }
    return gl_launch_close(launcher, row, cloud, ending->exit_status, ending->out_receipt, err);
}
