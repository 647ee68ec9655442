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
#include "broker/tie.h"

#define TOKEN_BYTES 32
#define LEASE_MAX_S ((int64_t)365 * 86400) /* an account covers 366 days */

static const char no_token[GL_HASH_HEX] =
    "0000000000000000000000000000000000000000000000000000000000000000";

/* Only these say that the same may go well a moment later. What this machine lacks, a full disk
 * above all, another attempt does not bring. */
static bool is_worth_another(enum gl_errc code)
{
    return code == GL_E_NETWORK || code == GL_E_PROVIDER || code == GL_E_RATE_LIMIT ||
           code == GL_E_TIMEOUT;
}

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

/* What is asked beyond the plan. */
static void order_hash(const struct gl_order *order, char out[GL_HASH_HEX])
{
    GL_AUTO(gl_str_done) struct gl_str text = {0};
    struct gl_hash hash;

    gl_str_addf(&text, "%s|%s|%s|%" PRId64, order->cloud, order->launch.region, order->launch.type,
                order->launch.lease.s);
    add_words(&text, order->launch.command);
    add_words(&text, order->launch.with);
    add_words(&text, order->launch.files_in);
    gl_str_addf(&text, "|%s|%s|%d", order->launch.image != NULL ? order->launch.image : "",
                order->launch.user_data != NULL ? order->launch.user_data : "",
                order->launch.has_network);
    gl_hash_of(gl_str_text(&text), text.length, &hash);
    gl_hash_hex(&hash, out);
}

/* The token is the hash of everything that is asked, the launch and the attempt number. */
static int make_token(const struct gl_order *order, const char *launch, unsigned attempt,
                      char out[GL_HASH_HEX], struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *plan = gl_json_canonical(order->plan, err);
    char plan_hex[GL_HASH_HEX], order_hex[GL_HASH_HEX];
    struct gl_hash hash;

    if (plan == NULL)
        return -1;
    gl_hash_of(plan, strlen(plan), &hash);
    order_hash(order, order_hex);
    gl_tie_token(launch, attempt, gl_hash_hex(&hash, plan_hex), order_hex, out);
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
    char hex[GL_HASH_HEX], order_hex[GL_HASH_HEX], boot[GL_BOOT_ID];

    if (plan == NULL)
        return -1;
    change.attempt = launch->attempt;
    change.created_ms = now_ms(launcher);
    change.started_ms = change.created_ms;
    change.expires_ms = launch->expires.unix_s * 1000;
    change.is_demo = order->is_demo;
    gl_hash_of(plan, strlen(plan), &hash);
    gl_host_boot_id(boot);
    order_hash(order, order_hex);
    body =
        json_pack("{s:s,s:I,s:s,s:s,s:s,s:s,s:s,s:s,s:I,s:I}", "boot", boot, "monotonic_ms",
                  (json_int_t)launcher->world->monotonic_ms(launcher->world->cookie), "token",
                  launch->token, "plan_sha256", gl_hash_hex(&hash, hex), "order_sha256", order_hex,
                  "cloud", order->cloud, "region", launch->region, "type", launch->type, "attempt",
                  (json_int_t)launch->attempt, "expires_ms", (json_int_t)change.expires_ms);
    return gl_ledger_append(launcher->ledger, "intent", launch->launch_id, body, &change, err);
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

    switch (cloud->ops->find_by_request(cloud, launch->region, launch->token, out, &look)) {
    case 1:
        gl_error_clear(err);
        return gl_launch_record_running(launcher, out, launch->launch_id, "found", err) == 0
                   ? SENT
                   : NOT_PROVEN;
    case 0:
        return is_worth_another(err->code) ? ABSENT_AGAIN : ABSENT;
    default:
        gl_launch_record_state(launcher, launch->launch_id, "unknown", "launching", err->text,
                               &ignored);
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
        return gl_launch_record_running(launcher, out, launch->launch_id, "launched", err) == 0
                   ? SENT
                   : NOT_PROVEN;
    }
    checkpoint(launcher, "send-failed");
    return after_failure(launcher, cloud, launch, out, err);
}

/* It ran for a while, but nobody will ever say for how long: its receipt charges all of it. */
static int close_cancelled(struct gl_launcher *launcher, const char *launch, struct gl_error *err)
{
    GL_AUTO(gl_launch_rows_free) struct gl_launch_rows rows = {0};
    size_t index;

    if (gl_launch_find(launcher, launch, &rows, &index, err) != 0)
        return -1;
    return gl_launch_close_unstarted(launcher, &rows.rows[index],
                                     "it was ended while it was starting", err);
}

static int give_up(struct gl_launcher *launcher, const char *launch, struct gl_error *err)
{
    struct gl_error second = {0};

    if (err->code == GL_E_INTERRUPTED && close_cancelled(launcher, launch, &second) == 0)
        return -1;
    gl_error_clear(&second);
    /* Only what is proven absent may be called ended. */
    gl_launch_record_state(launcher, launch, "failed", "ended", err->text, &second);
    return -1;
}

static bool is_interrupted(const struct gl_launcher *launcher)
{
    return launcher->is_interrupted != NULL && launcher->is_interrupted(launcher->cookie);
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
        if (sent == ABSENT || attempt == GL_LAUNCH_ATTEMPTS || is_interrupted(launcher))
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

/* What was promised ends so long after the decision, not after the start. */
static struct gl_instant lease_end(const struct gl_launcher *launcher, const struct gl_order *order)
{
    int64_t now_s = now_ms(launcher) / 1000;
    int64_t end_s = order->launch.expires.unix_s;

    if (end_s <= 0 || end_s > now_s + order->launch.lease.s)
        end_s = now_s + order->launch.lease.s;
    return (struct gl_instant){end_s > now_s ? end_s : now_s + 1};
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
    launch.expires = lease_end(launcher, order);
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
    launch.is_cancelled = launcher->is_interrupted;
    launch.cookie = launcher->cookie;
    result = attempt_all(launcher, order, cloud, &launch, out, err);
    gl_wipe(enrol, sizeof enrol);
    gl_cloud_close(cloud);
    gl_launch_unlock(lock);
    if (result == 0 || err->code == GL_E_INTERRUPTED)
        snprintf(out->launch_id, sizeof out->launch_id, "%s", id);
    return result;
}
