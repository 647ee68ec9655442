/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/finish.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "broker/account.h"
#include "broker/meterlog.h"
#include "broker/plausible.h"
#include "broker/receipt.h"
#include "broker/shift.h"
#include "broker/tie.h"

#define CONSOLE_STEP   ((size_t)4 << 20)
#define CONSOLE_MAX    ((uint64_t)256 << 20) /* a guest may write faster than we read */
#define LEASE_SLACK_MS 60000
#define GOODBYE_MS     10000 /* from a meter's goodbye to the end of its instance, at most */
#define TOKEN_BYTES    32
#define SILENCE_MS     5000 /* beyond three intervals: what readings take until they are here */

static const char no_token[] = "the enrolment token of this launch is gone: no reading could be "
                               "checked, all of it is charged at the high bound";

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

/* The one-time token. Where its file is gone, or is none, *out_note says so and *out is one that no
 * meter knows: then nothing on the console can be believed. Other errors may pass. */
static int read_enrol_token(const struct gl_launcher *launcher, const char *launch,
                            uint8_t out[TOKEN_BYTES], const char **out_note, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *path = gl_enrol_token_path(launcher->state_folder, launch);
    GL_AUTO(gl_auto_free) char *text = NULL;
    struct gl_error why = {0};
    size_t length;

    if (gl_file_read(path, 256, &text, &length, &why) != 0) {
        if (why.sys != ENOENT)
            return gl_fail(err, why.code, "the enrolment token of %s: %s", launch, why.text);
    } else {
        int parsed = gl_hex_parse(text, out, TOKEN_BYTES, &why);

        gl_wipe(text, length);
        if (parsed == 0)
            return 0;
    }
    *out_note = no_token;
    launcher->world->random(launcher->world->cookie, out, TOKEN_BYTES);
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

/* *out_note is what the receipt has to say of them, left as it is when that is nothing. */
static int read_readings(struct gl_launcher *launcher, const struct gl_launch_row *row,
                         struct gl_cloud *cloud, struct gl_meterlog *out, const char **out_note,
                         struct gl_error *err)
{
    uint8_t token[TOKEN_BYTES];
    struct gl_meterlog log;

    if (read_enrol_token(launcher, row->launch, token, out_note, err) != 0)
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

int gl_launch_readings(struct gl_launcher *launcher, const struct gl_launch_row *row,
                       struct gl_cloud *cloud, struct gl_meterlog *out, struct gl_error *err)
{
    const char *ignored = NULL;

    return read_readings(launcher, row, cloud, out, &ignored, err);
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

/* All that is known of a run. */
struct run {
    const struct gl_launch_row *row;
    struct gl_instance instance;
    struct gl_meterlog log;
    struct gl_shift_times times;
    const char *note; /* what the receipt has to say of the readings; NULL = nothing */
    bool goes_on;     /* it has not ended: the account so far */
};

static void run_done(struct run *run)
{
    gl_meterlog_done(&run->log);
    gl_shift_times_done(&run->times);
}

/* The instant that the last reading covers, on our clock. */
static int64_t readings_until(const struct run *run, int64_t interval_ms, int64_t ended_ms)
{
    const struct gl_run_facts facts = {.started_ms = run->row->started_ms,
                                       .ended_ms = ended_ms,
                                       .interval_ms = interval_ms,
                                       .readings = run->log.readings,
                                       .count = run->log.count,
                                       .spans = run->times.spans};

    return gl_readings_until_ms(&facts);
}

/* When it ended. The meter's goodbye says so if we looked soon enough after it to have seen that
 * nothing came later, but not before we saw it alive: a guest that says goodbye and goes on has
 * seen to it that nobody knows for how long. Else silence is charged until now, and when our own
 * clock was set back until the end of the lease, which the guest's own timer enforces. What the
 * readings cover is always inside. */
static int64_t end_of_run(const struct gl_launcher *launcher, const struct run *run,
                          int64_t interval_ms, int64_t alive_ms)
{
    const struct gl_launch_row *row = run->row;
    int64_t now = launcher->world->now_ms(launcher->world->cookie);
    int64_t latest = row->expires_ms + LEASE_SLACK_MS;
    int64_t end = now < row->started_ms || now > latest ? latest : now;

    if (run->log.count > 0) {
        int64_t until = readings_until(run, interval_ms, end);
        bool is_seen = end - (until > alive_ms ? until : alive_ms) <= GOODBYE_MS;

        end = within(run->log.is_final && is_seen ? alive_ms : end, until, latest);
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

static json_t *meter_json(const struct gl_meterlog *log, int64_t interval_ms, const char *note)
{
    char token[GL_HASH_HEX];
    json_t *meter =
        json_pack("{s:s,s:I,s:O?,s:O,s:I,s:I,s:I,s:I}", "token",
                  gl_hex_text(log->token.bytes, log->token.length, token), "interval_ms",
                  (json_int_t)interval_ms, "enrolment", log->enrolment, "batches", log->batches,
                  "rejected", (json_int_t)log->rejected, "repeated", (json_int_t)log->repeated,
                  "forked", (json_int_t)log->forked, "orphaned", (json_int_t)log->orphaned);

    if (note != NULL)
        json_object_set_new(meter, "note", json_string(note));
    return meter;
}

static int64_t end_so_far(const struct gl_launcher *launcher, const struct run *run,
                          int64_t interval_ms)
{
    int64_t now = end_of_run(launcher, run, interval_ms, 0);
    int64_t until;

    if (run->log.count == 0)
        return now;
    until = readings_until(run, interval_ms, now);
    return now - until <= 3 * interval_ms + SILENCE_MS ? until : now;
}

static json_t *evidence_of(const struct gl_launcher *launcher, const struct run *run,
                           struct gl_error *err)
{
    const struct gl_launch_row *row = run->row;
    GL_AUTO(gl_auto_json)
    json_t *evidence = gl_json_parse(row->plan, strlen(row->plan), "plan", err);
    int64_t interval_ms, alive_ms = 0, ended_ms;
    json_t *instance;

    if (evidence == NULL || plan_interval(evidence, &interval_ms, err) != 0 ||
        gl_ledger_events(launcher->ledger, row->launch, &alive_ms, note_alive, err) != 0)
        return NULL;
    ended_ms = run->goes_on ? end_so_far(launcher, run, interval_ms)
                            : end_of_run(launcher, run, interval_ms, alive_ms);
    json_object_set_new(evidence, "meter", meter_json(&run->log, interval_ms, run->note));
    json_object_set_new(evidence, "launch", json_string(row->launch));
    json_object_set_new(evidence, "name", json_string(row->name));
    json_object_set_new(evidence, "demo", json_boolean(row->is_demo));
    json_object_set_new(evidence, "issued_ms",
                        json_integer(launcher->world->now_ms(launcher->world->cookie)));
    instance = instance_json(row, &run->instance, ended_ms);
    json_object_set_new(evidence, "instance", instance);
    gl_shift_evidence(&run->times, instance);
    if (gl_tie_seal(launcher->ledger, row->launch, row->token, instance, err) != 0)
        return NULL;
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
static int close_with(struct gl_launcher *launcher, const struct run *run, char **out_receipt,
                      struct gl_error *err)
{
    const struct gl_launch_row *row = run->row;
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
    else if ((evidence = evidence_of(launcher, run, err)) != NULL)
        receipt = new_receipt(launcher, row, evidence, &secret, &key, err);
    gl_secret_key_wipe(&secret);
    if (receipt == NULL)
        return -1;
    if (launcher->checkpoint != NULL)
        launcher->checkpoint(launcher->cookie, "receipt-written");
    if (record_end(launcher, row, evidence, receipt,
                   run->instance.state == GL_STATE_LOST ? "lost" : "ended", err) != 0)
        return -1;
    *out_receipt = receipt;
    receipt = NULL;
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

/* What its cloud says of it, its readings, where and when it ran. Free with run_done(). */
static int read_run(struct gl_launcher *launcher, struct gl_cloud *cloud, struct run *run,
                    struct gl_error *err)
{
    if (look(&cloud, run->row->instance, &run->instance, err) != 0 ||
        read_readings(launcher, run->row, cloud, &run->log, &run->note, err) != 0)
        return -1;
    if (gl_shift_times(launcher, run->row, cloud, &run->times, err) == 0)
        return 0;
    run_done(run);
    return -1;
}

/* Collect what the meter said and write receipt and "ended" (or "lost" when the cloud has forgotten
 * it). The instance must be over. A receipt that a crash left behind is the receipt. */
static int close_launch(struct gl_launcher *launcher, const struct gl_launch_row *row,
                        struct gl_cloud *cloud, struct gl_ending *ending, struct gl_error *err)
{
    struct run run = {.row = row};
    int result;

    if (read_run(launcher, cloud, &run, err) != 0)
        return -1;
    if (ending->exit_status >= 0 || !run.instance.has_exit)
        run.instance.exit_status = ending->exit_status >= 0 ? (int)ending->exit_status : -1;
    result = close_with(launcher, &run, &ending->receipt, err);
    run_done(&run);
    return result;
}

int gl_launch_close_unstarted(struct gl_launcher *launcher, const struct gl_launch_row *row,
                              const char *why, struct gl_error *err)
{
    struct run run = {
        .row = row,
        .note = why,
        .instance = {
            .state = GL_STATE_ENDED, .how = "starting", .exit_status = -1, .host_cpu_ms = -1}};
    GL_AUTO(gl_auto_free) char *receipt = NULL;
    int result;

    if (gl_launch_readings(launcher, row, NULL, &run.log, err) != 0)
        return -1;
    result = close_with(launcher, &run, &receipt, err);
    run_done(&run);
    return result;
}

int gl_launch_so_far(struct gl_launcher *launcher, const struct gl_launch_row *row,
                     struct gl_cloud *cloud, json_t **out_derived, struct gl_error *err)
{
    struct run run = {.row = row, .goes_on = true};
    GL_AUTO(gl_auto_json) json_t *evidence = NULL;
    int result;

    if (read_run(launcher, cloud, &run, err) != 0)
        return -1;
    run.goes_on = !gl_instance_is_over(&run.instance);
    evidence = evidence_of(launcher, &run, err);
    result = evidence != NULL ? gl_account(evidence, out_derived, err) : -1;
    run_done(&run);
    return result;
}

/* ---- ending ---- */

/* The note says when it was last seen alive. */
static int record_stopping(struct gl_launcher *launcher, const char *launch, struct gl_error *err)
{
    int64_t alive_ms = launcher->world->now_ms(launcher->world->cookie);
    GL_AUTO(gl_auto_json)
    json_t *body = json_pack("{s:s,s:I}", "state", "stopping", "alive_ms", (json_int_t)alive_ms);
    struct gl_launch_change change = {GL_LAUNCH_KEEP, .launch = launch, .state = "stopping"};

    return gl_ledger_append(launcher->ledger, "stopping", launch, body, &change, err);
}

bool gl_instance_is_over(const struct gl_instance *instance)
{
    return instance->state == GL_STATE_ENDED || instance->state == GL_STATE_LOST;
}

/* Nothing may be called ended that still runs; what counts is what is seen, not what the provider
 * says of its own doing. */
static int make_sure(struct gl_cloud *cloud, const char *id, struct gl_error *err)
{
    struct gl_instance instance;
    struct gl_error why = {0};

    if (look(&cloud, id, &instance, err) != 0)
        return -1;
    if (gl_instance_is_over(&instance))
        return 0;
    cloud->ops->terminate(cloud, id, &why);
    if (look(&cloud, id, &instance, err) != 0)
        return -1;
    if (gl_instance_is_over(&instance))
        return 0;
    if (why.code != GL_OK)
        return gl_fail(err, why.code, "%s", why.text);
    return gl_fail(err, GL_E_PROVIDER, "instance %s was told to end and is still %s", id,
                   gl_instance_state_word(instance.state));
}

/* A stop that failed for want of space on this machine is made good by force: a full disk must not
 * keep anything running. Any other failure is the caller's to try again, unless it is over. */
static int stop_instance(struct gl_cloud *cloud, const char *id, struct gl_span wait,
                         struct gl_error *err)
{
    struct gl_cloud *asked = cloud;
    struct gl_instance instance;
    struct gl_error why = {0}, ignored = {0};

    if (cloud->ops->stop(cloud, id, wait, &why) == 0 || why.code == GL_E_DISK_FULL ||
        why.code == GL_E_IO)
        return make_sure(cloud, id, err);
    if (look(&asked, id, &instance, &ignored) == 0 && gl_instance_is_over(&instance))
        return 0;
    return gl_fail(err, why.code, "%s", why.text);
}

static int end_instance(struct gl_launcher *launcher, const struct gl_launch_row *row,
                        struct gl_cloud *cloud, struct gl_span wait, struct gl_error *err)
{
    struct gl_cloud *asked = cloud;
    struct gl_instance instance;
    struct gl_error unwritten = {0};

    if (look(&asked, row->instance, &instance, err) != 0)
        return -1;
    if (gl_instance_is_over(&instance))
        return 0;
    /* A full disk must not keep anything running: the stop does not wait for the note. */
    record_stopping(launcher, row->launch, &unwritten);
    if (launcher->checkpoint != NULL)
        launcher->checkpoint(launcher->cookie, "stopping");
    if (stop_instance(cloud, row->instance, wait, err) != 0)
        return -1;
    if (launcher->checkpoint != NULL)
        launcher->checkpoint(launcher->cookie, "stopped");
    return 0;
}

int gl_launch_end(struct gl_launcher *launcher, const struct gl_launch_row *row,
                  struct gl_cloud *cloud, struct gl_ending *ending, struct gl_error *err)
{
    if (end_instance(launcher, row, cloud, ending->wait, err) != 0)
        return -1;
    ending->is_over = true;
    if (close_launch(launcher, row, cloud, ending, err) == 0)
        return 0;
    if (err->code != GL_E_DISK_FULL)
        return gl_wrap(err, "%s is stopped, but could not be closed", row->launch);
    return gl_wrap(err,
                   "%s is stopped, but the ledger could not be written: free space and run "
                   "`greenlaunch status`",
                   row->launch);
}
