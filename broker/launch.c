/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/launch.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "broker/account.h"
#include "broker/finish.h"
#include "broker/host.h"

#define TOKEN_BYTES 32
#define LEASE_MAX_S ((int64_t)365 * 86400) /* an account covers 366 days */

static const char no_token[GL_HASH_HEX] =
    "0000000000000000000000000000000000000000000000000000000000000000";

static void checkpoint(const struct gl_launcher *launcher, const char *step)
{
    if (launcher->checkpoint != NULL)
        launcher->checkpoint(launcher->cookie, step);
}

static int64_t now_ms(const struct gl_launcher *launcher)
{
    return launcher->world->now_ms(launcher->world->cookie);
}

/* Short, unambiguous to read aloud: no vowels, no 0/1/l/o. */
static void new_launch_id(const struct gl_world *world, char out[GL_CLOUD_ID])
{
    static const char alphabet[32] = "23456789bcdfghjkmnpqrstvwxz23456";
    uint8_t bytes[8];

    world->random(world->cookie, bytes, sizeof bytes);
    snprintf(out, GL_CLOUD_ID, "gl-%c%c%c%c%c%c%c%c", alphabet[bytes[0] % 27],
             alphabet[bytes[1] % 27], alphabet[bytes[2] % 27], alphabet[bytes[3] % 27],
             alphabet[bytes[4] % 27], alphabet[bytes[5] % 27], alphabet[bytes[6] % 27],
             alphabet[bytes[7] % 27]);
}

/* Each word with its length, so that no two lists look alike. */
static void add_words(struct gl_str *text, const char *const *words)
{
    gl_str_add(text, "|[");
    for (size_t i = 0; words != NULL && words[i] != NULL; i++)
        gl_str_addf(text, "%zu:%s,", strlen(words[i]), words[i]);
    gl_str_add(text, "]");
}

/* The token is the hash of everything that is asked, the launch and the attempt number. */
static int make_token(const struct gl_order *order, const char *launch, unsigned attempt,
                      char out[GL_HASH_HEX], struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *plan = gl_json_canonical(order->plan, err);
    GL_AUTO(gl_str_done) struct gl_str text = {0};
    struct gl_hash hash;

    if (plan == NULL)
        return -1;
    gl_str_addf(&text, "%s|%u|%s|%s|%s|%" PRId64 "|%s", launch, attempt, order->cloud,
                order->launch.region, order->launch.type, order->launch.lease.s, plan);
    add_words(&text, order->launch.command);
    add_words(&text, order->launch.with);
    add_words(&text, order->launch.files_in);
    gl_str_addf(&text, "|%s|%s|%d", order->launch.image != NULL ? order->launch.image : "",
                order->launch.user_data != NULL ? order->launch.user_data : "",
                order->launch.has_network);
    gl_hash_of(gl_str_text(&text), text.length, &hash);
    gl_hash_hex(&hash, out);
    return 0;
}

/* The one-time enrolment token is a secret until the receipt discloses it: a file of its own, never
 * the ledger. */
static int make_enrol_token(const struct gl_launcher *launcher, const char *launch,
                            char out[GL_HASH_HEX], struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *path = gl_enrol_token_path(launcher->state_folder, launch);
    GL_AUTO(gl_auto_free) char *folder = gl_path_join(launcher->state_folder, "tokens");
    uint8_t bytes[TOKEN_BYTES];

    launcher->world->random(launcher->world->cookie, bytes, sizeof bytes);
    gl_hex_text(bytes, sizeof bytes, out);
    gl_wipe(bytes, sizeof bytes);
    if (gl_dir_make(folder, err) != 0 || gl_file_write(path, out, GL_HASH_HEX - 1, 0600, err) != 0)
        return gl_wrap(err, "cannot keep the enrolment token");
    return 0;
}

static int record_intent(const struct gl_launcher *launcher, const struct gl_order *order,
                         const struct gl_launch *launch, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *plan = gl_json_canonical(order->plan, err);
    GL_AUTO(gl_auto_json) json_t *body = NULL;
    struct gl_launch_change change = {
        GL_LAUNCH_KEEP,       .launch = launch->launch_id, .name = order->name,
        .state = "intended",  .cloud = order->cloud,       .region = launch->region,
        .type = launch->type, .zone = order->zone,         .token = launch->token,
        .plan = plan,
    };

    struct gl_hash hash;
    char hex[GL_HASH_HEX], boot[GL_BOOT_ID];

    if (plan == NULL)
        return -1;
    change.attempt = launch->attempt;
    change.created_ms = now_ms(launcher);
    change.started_ms = change.created_ms;
    change.expires_ms = launch->expires.unix_s * 1000;
    change.is_demo = order->is_demo;
    gl_hash_of(plan, strlen(plan), &hash);
    gl_host_boot_id(boot);
    body = json_pack("{s:s,s:I,s:s,s:s,s:s,s:s,s:s,s:I,s:I}", "boot", boot, "monotonic_ms",
                     (json_int_t)launcher->world->monotonic_ms(launcher->world->cookie), "token",
                     launch->token, "plan_sha256", gl_hash_hex(&hash, hex), "cloud", order->cloud,
                     "region", launch->region, "type", launch->type, "attempt",
                     (json_int_t)launch->attempt, "expires_ms", (json_int_t)change.expires_ms);
    return gl_ledger_append(launcher->ledger, "intent", launch->launch_id, body, &change, err);
}

static int record_state(const struct gl_launcher *launcher, const char *launch, const char *kind,
                        const char *state, const char *why, struct gl_error *err)
{
    GL_AUTO(gl_auto_json) json_t *body = json_pack("{s:s,s:s}", "state", state, "why", why);
    struct gl_launch_change change = {GL_LAUNCH_KEEP, .launch = launch, .state = state};

    if (body == NULL) /* a provider's bytes that are no UTF-8 */
        body = json_pack("{s:s,s:s}", "state", state, "why", "(unprintable)");
    if (strcmp(state, "ended") == 0)
        change.ended_ms = now_ms(launcher);
    return gl_ledger_append(launcher->ledger, kind, launch, body, &change, err);
}

static int record_running(const struct gl_launcher *launcher, const struct gl_instance *instance,
                          const char *launch, const char *kind, struct gl_error *err)
{
    GL_AUTO(gl_auto_json)
    json_t *body = json_pack("{s:s,s:s}", "instance", instance->id, "how", instance->how);
    struct gl_launch_change change = {GL_LAUNCH_KEEP, .launch = launch, .state = "running",
                                      .instance = instance->id};

    return gl_ledger_append(launcher->ledger, kind, launch, body, &change, err);
}

/* How sending once came out. */
enum sent {
    SENT,         /* running, and recorded so */
    ABSENT_AGAIN, /* proven absent, and worth another attempt */
    ABSENT,       /* proven absent, for good */
    NOT_PROVEN,   /* it may run: never send again from here */
};

static enum sent after_failure(struct gl_launcher *launcher, struct gl_cloud *cloud,
                               const struct gl_launch *launch, struct gl_instance *out,
                               struct gl_error *err)
{
    struct gl_error look = {0}, ignored = {0};

    switch (cloud->ops->find_by_request(cloud, launch->token, out, &look)) {
    case 1:
        gl_error_clear(err);
        return record_running(launcher, out, launch->launch_id, "found", err) == 0 ? SENT
                                                                                   : NOT_PROVEN;
    case 0:
        return gl_errc_row(err->code)->is_retryable ? ABSENT_AGAIN : ABSENT;
    default:
        record_state(launcher, launch->launch_id, "unknown", "launching", err->text, &ignored);
        gl_wrap(err, "launch %s: it is not known whether it started", launch->launch_id);
        return NOT_PROVEN;
    }
}

static enum sent send_once(struct gl_launcher *launcher, const struct gl_order *order,
                           struct gl_cloud *cloud, const struct gl_launch *launch,
                           struct gl_instance *out, struct gl_error *err)
{
    if (record_intent(launcher, order, launch, err) != 0)
        return NOT_PROVEN; /* nothing was sent, nothing is recorded */
    checkpoint(launcher, "intended");
    if (cloud->ops->launch(cloud, launch, out, err) == 0) {
        checkpoint(launcher, "sent");
        return record_running(launcher, out, launch->launch_id, "launched", err) == 0 ? SENT
                                                                                      : NOT_PROVEN;
    }
    checkpoint(launcher, "send-failed");
    return after_failure(launcher, cloud, launch, out, err);
}

static int give_up(struct gl_launcher *launcher, const char *launch, struct gl_error *err)
{
    struct gl_error second = {0};

    /* Only what is proven absent may be called ended. */
    record_state(launcher, launch, "failed", "ended", err->text, &second);
    return -1;
}

static int attempt_all(struct gl_launcher *launcher, const struct gl_order *order,
                       struct gl_cloud *cloud, struct gl_launch *launch, struct gl_instance *out,
                       struct gl_error *err)
{
    char token[GL_HASH_HEX];

    launch->token = token;
    for (unsigned attempt = 1;; attempt++) {
        enum sent sent;

        launch->attempt = attempt;
        if (make_token(order, launch->launch_id, attempt, token, err) != 0)
            return -1;
        sent = send_once(launcher, order, cloud, launch, out, err);
        if (sent == SENT)
            return 0;
        if (sent == NOT_PROVEN)
            return -1;
        if (sent == ABSENT || attempt == GL_LAUNCH_ATTEMPTS)
            return give_up(launcher, launch->launch_id, err);
        gl_error_clear(err);
        launcher->world->sleep_ms(launcher->world->cookie, 200 << attempt);
    }
}

/* What could not be accounted for afterwards is not started: the receipt of a run without readings
 * is tried on the plan. */
static int check_plan(const struct gl_launcher *launcher, const struct gl_order *order,
                      struct gl_error *err)
{
    GL_AUTO(gl_auto_json) json_t *evidence = json_deep_copy(order->plan);
    GL_AUTO(gl_auto_json) json_t *derived = NULL;
    struct gl_error why = {0};
    int64_t start_ms = now_ms(launcher);
    json_t *meter;

    if (gl_json_object(evidence, "meter", &meter, err) != 0)
        return -1;
    json_object_set_new(meter, "token", json_string(no_token));
    json_object_set_new(meter, "batches", json_array());
    json_object_set_new(meter, "forked", json_integer(0));
    json_object_set_new(evidence, "launch", json_string(""));
    json_object_set_new(evidence, "instance",
                        json_pack("{s:I,s:I,s:i}", "started_ms", (json_int_t)start_ms, "ended_ms",
                                  (json_int_t)(start_ms + order->launch.lease.s * 1000),
                                  "host_cpu_ms", -1));
    if (gl_account(evidence, &derived, &why) != 0)
        return gl_fail(err, GL_E_INTERNAL, "the plan could not be accounted for: %s", why.text);
    return 0;
}

static int check_order(const struct gl_launcher *launcher, const struct gl_order *order,
                       struct gl_error *err)
{
    if (order->launch.lease.s < 1 || order->launch.lease.s > LEASE_MAX_S)
        return gl_fail(err, GL_E_USAGE, "a lease lasts from 1 second to %d days",
                       (int)(LEASE_MAX_S / 86400));
    if (order->name[strspn(order->name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                        "0123456789._-")] != '\0' ||
        strlen(order->name) > 63)
        return gl_fail(err, GL_E_USAGE, "a name is at most 63 letters, digits, dots, _ and -");
    return check_plan(launcher, order, err);
}

int gl_launch_start(struct gl_launcher *launcher, const struct gl_order *order,
                    struct gl_instance *out, struct gl_error *err)
{
    struct gl_launch launch = order->launch;
    char id[GL_CLOUD_ID], enrol[GL_HASH_HEX];
    struct gl_cloud *cloud;
    int lock, result;

    if (check_order(launcher, order, err) != 0)
        return -1;
    new_launch_id(launcher->world, id);
    launch.launch_id = id;
    launch.expires = (struct gl_instant){now_ms(launcher) / 1000 + launch.lease.s};
    lock = gl_launch_lock(launcher->state_folder, id, 0, err);
    if (lock < 0)
        return -1;
    cloud = launcher->open(launcher->cookie, order->cloud, order->zone, err);
    if (cloud == NULL || make_enrol_token(launcher, id, enrol, err) != 0) {
        gl_cloud_close(cloud);
        gl_launch_unlock(lock);
        return -1;
    }
    launch.enrol_token = enrol;
    result = attempt_all(launcher, order, cloud, &launch, out, err);
    gl_wipe(enrol, sizeof enrol);
    gl_cloud_close(cloud);
    gl_launch_unlock(lock);
    if (result == 0)
        snprintf(out->launch_id, sizeof out->launch_id, "%s", id);
    return result;
}

/* ---- one launch as the ledger knows it now ---- */

static int find_id(struct gl_launcher *launcher, const char *id, struct gl_launch_rows *rows,
                   size_t *out_index, struct gl_error *err)
{
    gl_launch_rows_free(rows);
    if (gl_ledger_launches(launcher->ledger, id, rows, err) != 0)
        return -1;
    for (size_t i = 0; i < rows->count; i++)
        if (strcmp(rows->rows[i].launch, id) == 0) {
            *out_index = i;
            return 0;
        }
    return gl_fail(err, GL_E_UNKNOWN_NAME, "no launch \"%s\"", id);
}

static bool is_over(const struct gl_launch_row *row)
{
    return strcmp(row->state, "ended") == 0 || strcmp(row->state, "lost") == 0;
}

/* The id that the user means: an id, else the one live launch of that name, else the newest of that
 * name. A state is no name. */
static int find_name(struct gl_launcher *launcher, const char *name, char out_id[GL_CLOUD_ID],
                     struct gl_error *err)
{
    GL_AUTO(gl_launch_rows_free) struct gl_launch_rows rows = {0};
    const struct gl_launch_row *found = NULL;
    unsigned live = 0;

    if (gl_ledger_launches(launcher->ledger, name, &rows, err) != 0)
        return -1;
    for (size_t i = 0; i < rows.count; i++) {
        const struct gl_launch_row *row = &rows.rows[i];

        if (strcmp(row->launch, name) == 0) {
            found = row;
            live = 1;
            break;
        }
        if (strcmp(row->name, name) != 0)
            continue;
        if (found == NULL || (!is_over(row) && live == 0))
            found = row;
        live += !is_over(row);
    }
    if (live > 1)
        return gl_fail(err, GL_E_USAGE, "%u live launches are called \"%s\": say which by its id",
                       live, name);
    if (found == NULL)
        return gl_fail(err, GL_E_UNKNOWN_NAME, "no launch \"%s\"", name);
    snprintf(out_id, GL_CLOUD_ID, "%s", found->launch);
    return 0;
}

/* ---- after a crash ---- */

enum settled { SETTLED_RUNS, SETTLED_ABSENT, SETTLED_UNKNOWN, SETTLED_FAILED };

/* An intent without an instance: ask for its token what became of it, and write that down. */
static enum settled settle(struct gl_launcher *launcher, const struct gl_launch_row *row,
                           struct gl_cloud *cloud, struct gl_error *err)
{
    struct gl_instance instance;
    struct gl_error look = {0};

    switch (cloud->ops->find_by_request(cloud, row->token, &instance, &look)) {
    case 1:
        return record_running(launcher, &instance, row->launch, "adopted", err) == 0
                   ? SETTLED_RUNS
                   : SETTLED_FAILED;
    case 0:
        return record_state(launcher, row->launch, "absent", "ended", "it was never started",
                            err) == 0
                   ? SETTLED_ABSENT
                   : SETTLED_FAILED;
    default:
        return SETTLED_UNKNOWN;
    }
}

/* What the intent said of the clock that never steps. */
struct intent_clock {
    char boot[GL_BOOT_ID];
    int64_t monotonic_ms;
};

static int note_intent_clock(void *cookie, const json_t *event)
{
    struct intent_clock *clock = cookie;
    const json_t *body = json_object_get(event, "body");
    const char *boot = json_string_value(json_object_get(body, "boot"));

    if (boot == NULL)
        return 0;
    snprintf(clock->boot, sizeof clock->boot, "%s", boot);
    clock->monotonic_ms = json_integer_value(json_object_get(body, "monotonic_ms"));
    return 0;
}

/* A wall clock that jumped ahead must not end what has just begun: within one boot the clock that
 * never steps decides, across boots the wall clock is all there is. */
static bool is_lease_over(struct gl_launcher *launcher, const struct gl_launch_row *row)
{
    struct intent_clock clock = {.boot = ""};
    struct gl_error ignored = {0};
    char boot[GL_BOOT_ID];
    int64_t run_ms;

    if (row->expires_ms > now_ms(launcher))
        return false;
    gl_host_boot_id(boot);
    if (boot[0] == '\0' ||
        gl_ledger_events(launcher->ledger, row->launch, &clock, note_intent_clock, &ignored) != 0 ||
        strcmp(clock.boot, boot) != 0)
        return true;
    run_ms = launcher->world->monotonic_ms(launcher->world->cookie) - clock.monotonic_ms;
    return run_ms < 0 || run_ms >= row->expires_ms - row->created_ms;
}

static int reconcile_running(struct gl_launcher *launcher, const struct gl_launch_row *row,
                             struct gl_cloud *cloud, struct gl_reconciled *counts,
                             struct gl_error *err)
{
    const struct gl_ending ending = {.wait = {5}, .exit_status = -1};
    struct gl_instance instance;
    struct gl_error look = {0};
    unsigned *count = &counts->finished;

    if (cloud->ops->describe(cloud, row->instance, &instance, &look) != 0) {
        if (look.code != GL_E_NOT_FOUND) {
            counts->unknown++;
            return 0;
        }
        count = &counts->lost;
    } else if (instance.state != GL_STATE_ENDED && instance.state != GL_STATE_LOST) {
        if (strcmp(row->state, "stopping") != 0 && !is_lease_over(launcher, row))
            return 0;
        count = &counts->reaped;
    }
    if (gl_launch_end(launcher, row, cloud, &ending, err) != 0)
        return -1;
    ++*count;
    return 0;
}

/* With the launch locked; the row is read only now, another process may just have finished it. */
static int reconcile_locked(struct gl_launcher *launcher, const char *id, struct gl_cloud *cloud,
                            struct gl_reconciled *counts, struct gl_error *err)
{
    GL_AUTO(gl_launch_rows_free) struct gl_launch_rows rows = {0};
    size_t index;

    if (find_id(launcher, id, &rows, &index, err) != 0)
        return -1;
    if (is_over(&rows.rows[index]))
        return 0;
    if (rows.rows[index].instance[0] == '\0') {
        switch (settle(launcher, &rows.rows[index], cloud, err)) {
        case SETTLED_RUNS:
            counts->adopted++;
            break;
        case SETTLED_ABSENT:
            counts->absent++;
            return 0;
        case SETTLED_UNKNOWN:
            counts->unknown++;
            return 0;
        case SETTLED_FAILED:
            return -1;
        }
        if (find_id(launcher, id, &rows, &index, err) != 0)
            return -1;
    }
    return reconcile_running(launcher, &rows.rows[index], cloud, counts, err);
}

static int reconcile_one(struct gl_launcher *launcher, const struct gl_launch_row *row,
                         struct gl_reconciled *counts, struct gl_error *err)
{
    struct gl_error open_error = {0};
    struct gl_error busy = {0};
    int lock = gl_launch_lock(launcher->state_folder, row->launch, 0, &busy);
    struct gl_cloud *cloud;
    int result;

    if (lock < 0)
        return busy.code == GL_E_LOCKED ? 0 : gl_fail(err, busy.code, "%s", busy.text);
    cloud = launcher->open(launcher->cookie, row->cloud, row->zone, &open_error);
    if (cloud == NULL) {
        counts->unknown++;
        gl_launch_unlock(lock);
        return 0;
    }
    result = reconcile_locked(launcher, row->launch, cloud, counts, err);
    gl_cloud_close(cloud);
    gl_launch_unlock(lock);
    return result;
}

int gl_launch_reconcile(struct gl_launcher *launcher, struct gl_reconciled *out,
                        struct gl_error *err)
{
    GL_AUTO(gl_launch_rows_free) struct gl_launch_rows rows = {0};

    *out = (struct gl_reconciled){0};
    if (gl_ledger_launches(launcher->ledger, NULL, &rows, err) != 0)
        return -1;
    for (size_t i = 0; i < rows.count; i++) {
        struct gl_error one = {0};

        if (is_over(&rows.rows[i]) || reconcile_one(launcher, &rows.rows[i], out, &one) == 0)
            continue;
        gl_wrap(&one, "launch %s", rows.rows[i].launch);
        if (out->failed++ == 0)
            out->first = one;
    }
    return 0;
}

/* ---- the end that was asked for ---- */

static int finish_locked(struct gl_launcher *launcher, const char *id, struct gl_cloud *cloud,
                         const struct gl_ending *ending, struct gl_error *err)
{
    GL_AUTO(gl_launch_rows_free) struct gl_launch_rows rows = {0};
    enum settled settled = SETTLED_RUNS;
    size_t index;

    /* Another process may have finished it while we waited. */
    if (find_id(launcher, id, &rows, &index, err) != 0)
        return -1;
    if (rows.rows[index].receipt[0] != '\0')
        return gl_launch_close(launcher, &rows.rows[index], NULL, -1, ending->out_receipt, err);
    if (is_over(&rows.rows[index]))
        settled = SETTLED_ABSENT;
    else if (rows.rows[index].instance[0] == '\0')
        settled = settle(launcher, &rows.rows[index], cloud, err);
    switch (settled) {
    case SETTLED_RUNS:
        break;
    case SETTLED_ABSENT:
        return gl_fail(err, GL_E_NOT_FOUND, "launch %s never started: it has no receipt", id);
    case SETTLED_UNKNOWN:
        return gl_fail(err, GL_E_PROVIDER, "launch %s: it is not known whether it started", id);
    case SETTLED_FAILED:
        return -1;
    }
    if (find_id(launcher, id, &rows, &index, err) != 0)
        return -1;
    return gl_launch_end(launcher, &rows.rows[index], cloud, ending, err);
}

static int finish_id(struct gl_launcher *launcher, const char *id, const struct gl_ending *ending,
                     struct gl_error *err)
{
    GL_AUTO(gl_launch_rows_free) struct gl_launch_rows rows = {0};
    struct gl_cloud *cloud;
    size_t index;
    int result;

    if (find_id(launcher, id, &rows, &index, err) != 0)
        return -1;
    if (rows.rows[index].receipt[0] != '\0')
        return gl_launch_close(launcher, &rows.rows[index], NULL, -1, ending->out_receipt, err);
    cloud = launcher->open(launcher->cookie, rows.rows[index].cloud, rows.rows[index].zone, err);
    if (cloud == NULL)
        return -1;
    result = finish_locked(launcher, id, cloud, ending, err);
    gl_cloud_close(cloud);
    return result;
}

int gl_launch_finish(struct gl_launcher *launcher, const char *launch, struct gl_span wait,
                     int64_t exit_status, char **out_receipt, struct gl_error *err)
{
    const struct gl_ending ending = {wait, exit_status, out_receipt};
    char id[GL_CLOUD_ID];
    int lock, result;

    if (find_name(launcher, launch, id, err) != 0)
        return -1;
    lock = gl_launch_lock(launcher->state_folder, id, 15000, err);
    if (lock < 0)
        return -1;
    result = finish_id(launcher, id, &ending, err);
    gl_launch_unlock(lock);
    return result;
}
