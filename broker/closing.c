/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/closing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "broker/account.h"
#include "broker/attempt.h"
#include "broker/budget.h"
#include "broker/notice.h"
#include "broker/output.h"
#include "broker/plausible.h"
#include "broker/receipt.h"
#include "broker/relocate.h"
#include "broker/shift.h"
#include "broker/tenant.h"
#include "broker/tie.h"

#define LEASE_SLACK_MS 60000
#define GOODBYE_MS     10000 /* from a meter's goodbye to the end of its instance, at most */
#define SILENCE_MS     5000  /* beyond three intervals: what readings take until they are here */

void gl_launch_step(const struct gl_launcher *launcher, const char *step)
{
    if (launcher->checkpoint != NULL)
        launcher->checkpoint(launcher->cookie, step);
}

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

void gl_run_done(struct gl_run *run)
{
    gl_collected_done(&run->got);
    gl_shift_times_done(&run->times);
}

/* The instant that the last reading covers, on our clock. */
static int64_t readings_until(const struct gl_run *run, int64_t interval_ms, int64_t ended_ms)
{
    const struct gl_run_facts facts = {.started_ms = run->row->started_ms,
                                       .ended_ms = ended_ms,
                                       .interval_ms = interval_ms,
                                       .readings = run->got.log.readings,
                                       .count = run->got.log.count,
                                       .spans = run->times.spans};

    return gl_readings_until_ms(&facts);
}

/* When it ended. The meter's goodbye says so if we looked soon enough after it to have seen that
 * nothing came later, but not before we saw it alive: a guest that says goodbye and goes on has
 * seen to it that nobody knows for how long. Else silence is charged until now, and when our own
 * clock was set back until the end of the lease, which the guest's own timer enforces. What the
 * readings cover is always inside. A machine that was moved on was off since `off_ms`. */
static int64_t end_of_run(const struct gl_launcher *launcher, const struct gl_run *run,
                          int64_t interval_ms, int64_t alive_ms, int64_t off_ms)
{
    const struct gl_launch_row *row = run->row;
    int64_t now = launcher->world->now_ms(launcher->world->cookie);
    int64_t latest = row->expires_ms + LEASE_SLACK_MS;
    int64_t end = now < row->started_ms || now > latest ? latest : now;
    int64_t told_ms = (run->instance.ended.unix_s + 1) * 1000; /* by its provider */

    if (run->instance.ended.unix_s > 0 && told_ms < end)
        end = told_ms;
    if (off_ms != GL_UNKNOWN && off_ms < end)
        end = off_ms;
    if (run->got.log.count > 0) {
        int64_t until = readings_until(run, interval_ms, end);
        bool is_seen = end - (until > alive_ms ? until : alive_ms) <= GOODBYE_MS;

        end = within(run->got.log.is_final && is_seen ? alive_ms : end, until, latest);
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

static int64_t end_so_far(const struct gl_launcher *launcher, const struct gl_run *run,
                          int64_t interval_ms)
{
    int64_t now = end_of_run(launcher, run, interval_ms, 0, GL_UNKNOWN);
    int64_t until;

    if (run->got.log.count == 0)
        return now;
    until = readings_until(run, interval_ms, now);
    return now - until <= 3 * interval_ms + SILENCE_MS ? until : now;
}

/* By its provider, who had given notice. */
static bool has_been_ended(const struct gl_run *run, const struct gl_notice *notice,
                           int64_t ended_ms)
{
    return !run->goes_on && gl_notice_is_end(notice, ended_ms, run->row->expires_ms);
}

static json_t *evidence_of(const struct gl_launcher *launcher, const struct gl_run *run,
                           struct gl_error *err)
{
    const struct gl_launch_row *row = run->row;
    GL_AUTO(gl_auto_json)
    json_t *evidence = gl_json_parse(row->plan, strlen(row->plan), "plan", err);
    int64_t interval_ms, alive_ms = 0, off_ms, ended_ms;
    struct gl_notice notice;
    json_t *instance;

    if (evidence == NULL || plan_interval(evidence, &interval_ms, err) != 0 ||
        gl_notice_find(launcher->ledger, row->launch, &notice, err) != 0 ||
        gl_relocate_off_since(launcher->ledger, row->launch, &off_ms, err) != 0 ||
        gl_ledger_events(launcher->ledger, row->launch, &alive_ms, note_alive, err) != 0)
        return NULL;
    ended_ms = run->goes_on ? end_so_far(launcher, run, interval_ms)
                            : end_of_run(launcher, run, interval_ms, alive_ms, off_ms);
    json_object_set_new(evidence, "meter", meter_json(&run->got.log, interval_ms, run->got.note));
    json_object_set_new(evidence, "launch", json_string(row->launch));
    json_object_set_new(evidence, "name", json_string(row->name));
    json_object_set_new(evidence, "demo", json_boolean(row->is_demo));
    json_object_set_new(evidence, "issued_ms",
                        json_integer(launcher->world->now_ms(launcher->world->cookie)));
    instance = instance_json(row, &run->instance, ended_ms);
    json_object_set_new(evidence, "instance", instance);
    if (notice.kind[0] != '\0')
        json_object_set_new(instance, "interruption",
                            gl_notice_json(&notice, has_been_ended(run, &notice, ended_ms)));
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

static bool was_interrupted(const json_t *instance)
{
    return json_is_true(json_object_get(json_object_get(instance, "interruption"), "ended_it"));
}

/* What its accounts are charged with, in the event of its end; the rest of what was reserved is
 * free again. */
static int add_spending(const struct gl_launcher *launcher, const struct gl_launch_row *row,
                        const char *receipt, json_t *body, struct gl_error *err)
{
    GL_AUTO(gl_auto_json) json_t *document = NULL;
    const json_t *instance;
    struct gl_amount held, spent;
    bool is_held;

    if (gl_budget_hold(launcher->ledger, row->launch, &is_held, &held, err) != 0)
        return -1;
    if (!is_held)
        return 0;
    document = gl_json_parse(receipt, strlen(receipt), "receipt", err);
    if (document == NULL)
        return -1;
    gl_budget_of_receipt(document, &held, &spent);
    instance = json_object_get(json_object_get(document, "evidence"), "instance");
    json_object_set_new(
        body, "budget",
        gl_budget_spend_json(&spent, json_integer_value(json_object_get(instance, "started_ms")),
                             json_integer_value(json_object_get(instance, "ended_ms"))));
    return 0;
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
    body = json_pack("{s:s,s:s,s:s*}", "state", state, "receipt_sha256", gl_hash_hex(&hash, hex),
                     "by", was_interrupted(instance) ? "provider" : NULL);
    if (add_spending(launcher, row, receipt, body, err) != 0)
        return -1;
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

void gl_sealed_done(struct gl_sealed *sealed)
{
    json_decref(sealed->evidence);
    free(sealed->receipt);
}

int gl_run_seal(struct gl_launcher *launcher, const struct gl_run *run, struct gl_sealed *out,
                struct gl_error *err)
{
    GL_AUTO(gl_auto_json) json_t *document = NULL;
    struct gl_secret_key secret;
    struct gl_public_key key;

    if (gl_broker_key(launcher->state_folder, launcher->world, &secret, &key, err) != 0)
        return -1;
    out->receipt = kept_receipt(launcher, run->row, &key, &document);
    if (out->receipt != NULL)
        out->evidence = json_incref(json_object_get(document, "evidence"));
    else if ((out->evidence = evidence_of(launcher, run, err)) != NULL)
        out->receipt = new_receipt(launcher, run->row, out->evidence, &secret, &key, err);
    gl_secret_key_wipe(&secret);
    if (out->receipt == NULL)
        return -1;
    gl_launch_step(launcher, "receipt-written");
    return 0;
}

int gl_sealed_record(struct gl_launcher *launcher, const struct gl_run *run,
                     struct gl_sealed *sealed, char **out_receipt, struct gl_error *err)
{
    struct gl_error unkept = {0};
    bool is_kept = gl_output_keep(launcher, &run->got.said, &unkept) == 0;

    if (record_end(launcher, run->row, sealed->evidence, sealed->receipt,
                   run->instance.state == GL_STATE_LOST ? "lost" : "ended", err) != 0)
        return -1;
    gl_launch_step(launcher, "recorded");
    if (is_kept) /* else the sweep tries again */
        gl_readings_drop(launcher, run->row->launch);
    *out_receipt = sealed->receipt;
    sealed->receipt = NULL;
    return 0;
}

static int close_with(struct gl_launcher *launcher, const struct gl_run *run, char **out_receipt,
                      struct gl_error *err)
{
    GL_AUTO(gl_sealed_done) struct gl_sealed sealed = {NULL, NULL};

    if (gl_run_seal(launcher, run, &sealed, err) != 0)
        return -1;
    return gl_sealed_record(launcher, run, &sealed, out_receipt, err);
}

/* What the provider says of it. When it has forgotten it, or there is none to ask: LOST, and
 * *cloud NULL, for there is nothing more to ask for. */
int gl_instance_look(struct gl_cloud **cloud, const char *id, struct gl_instance *out,
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

/* What a cloud has forgotten it must have had the time to show, and in the account where it is. */
int gl_instance_look_believed(struct gl_launcher *launcher, const struct gl_launch_row *row,
                              struct gl_cloud **cloud, struct gl_instance *out,
                              struct gl_error *err)
{
    struct gl_cloud *asked = *cloud;

    if (gl_instance_look(cloud, row->instance, out, err) != 0)
        return -1;
    if (*cloud != NULL || asked == NULL)
        return 0;
    if (gl_attempt_is_settled(launcher, row, asked))
        return gl_tenant_check(launcher, row, asked, err);
    *cloud = asked;
    return gl_fail(err, GL_E_BUSY, "%s does not show %s yet", asked->ops->name, row->instance);
}

/* What its cloud says of it, its readings, where and when it ran. Free with gl_run_done(). */
int gl_run_read(struct gl_launcher *launcher, struct gl_cloud *cloud, struct gl_run *run,
                struct gl_error *err)
{
    if (gl_instance_look(&cloud, run->row->instance, &run->instance, err) != 0 ||
        gl_collect(launcher, run->row, cloud, &run->got, err) != 0)
        return -1;
    if (gl_shift_times(launcher, run->row, cloud, &run->times, err) == 0)
        return 0;
    gl_run_done(run);
    return -1;
}

/* How its command ended: as the caller saw it, else as the cloud says, else as the guest does. */
void gl_run_take_exit(struct gl_run *run, struct gl_ending *ending)
{
    if (ending->exit_status >= 0)
        run->instance.exit_status = (int)ending->exit_status;
    else if (!run->instance.has_exit)
        run->instance.exit_status = run->got.said.has_exit ? run->got.said.exit_status : -1;
}

/* Collect what the meter said and write receipt and "ended" (or "lost" when the cloud has forgotten
 * it). The instance must be over. A receipt that a crash left behind is the receipt. */
int gl_run_close(struct gl_launcher *launcher, const struct gl_launch_row *row,
                 struct gl_cloud *cloud, struct gl_ending *ending, struct gl_error *err)
{
    struct gl_run run = {.row = row};
    int result;

    if (gl_run_read(launcher, cloud, &run, err) != 0)
        return -1;
    gl_run_take_exit(&run, ending);
    result = close_with(launcher, &run, &ending->receipt, err);
    gl_run_done(&run);
    return result;
}

int gl_launch_close_unstarted(struct gl_launcher *launcher, const struct gl_launch_row *row,
                              const char *why, struct gl_error *err)
{
    struct gl_run run = {
        .row = row,
        .instance = {
            .state = GL_STATE_ENDED, .how = "starting", .exit_status = -1, .host_cpu_ms = -1}};
    GL_AUTO(gl_auto_free) char *receipt = NULL;
    int result;

    if (gl_collect_nothing(launcher, row, &run.got, err) != 0)
        return -1;
    run.got.note = why;
    result = close_with(launcher, &run, &receipt, err);
    gl_run_done(&run);
    return result;
}

int gl_launch_so_far(struct gl_launcher *launcher, const struct gl_launch_row *row,
                     struct gl_cloud *cloud, json_t **out_derived, struct gl_error *err)
{
    struct gl_run run = {.row = row, .goes_on = true};
    GL_AUTO(gl_auto_json) json_t *evidence = NULL;
    struct gl_cloud *asked = cloud;
    int result;

    if (gl_instance_look_believed(launcher, row, &asked, &run.instance, err) != 0 ||
        gl_run_read(launcher, cloud, &run, err) != 0)
        return -1;
    run.goes_on = !gl_instance_is_over(&run.instance);
    evidence = evidence_of(launcher, &run, err);
    result = evidence != NULL ? gl_account(evidence, out_derived, err) : -1;
    gl_run_done(&run);
    return result;
}
