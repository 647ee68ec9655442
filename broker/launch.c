/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/launch.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "broker/account.h"
#include "broker/attempt.h"
#include "broker/finish.h"

#define TOKEN_BYTES 32
#define LEASE_MAX_S ((int64_t)365 * 86400) /* an account covers 366 days */

static const char no_token[GL_HASH_HEX] =
    "0000000000000000000000000000000000000000000000000000000000000000";

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

int gl_launch_check_name(const char *name, struct gl_error *err)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

    if (name[strspn(name, allowed)] != '\0' || strlen(name) > 63)
        return gl_fail(err, GL_E_USAGE, "a name is at most 63 letters, digits, dots, _ and -");
    return 0;
}

int gl_order_check(const struct gl_launcher *launcher, const struct gl_order *order,
                   struct gl_error *err)
{
    if (order->launch.lease.s < 1 || order->launch.lease.s > LEASE_MAX_S)
        return gl_fail(err, GL_E_USAGE, "a lease lasts from 1 second to %d days",
                       (int)(LEASE_MAX_S / 86400));
    return gl_launch_check_name(order->name, err) == 0 ? check_plan(launcher, order, err) : -1;
}

/* What was promised ends so long after the decision, not after the start. */
struct gl_instant gl_order_end(const struct gl_launcher *launcher, const struct gl_order *order)
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
    struct gl_attempts attempts = {.launcher = launcher, .order = *order};
    char id[GL_CLOUD_ID], enrol[GL_HASH_HEX] = "";
    int lock, result = -1;

    if (gl_order_check(launcher, order, err) != 0)
        return -1;
    new_launch_id(launcher->world, id);
    lock = gl_launch_lock(launcher->state_folder, id, 0, err);
    if (lock < 0)
        return -1;
    attempts.launch = id;
    attempts.enrol_token = enrol;
    attempts.cloud = launcher->open(launcher->cookie, order->cloud, order->zone, err);
    if (attempts.cloud != NULL && make_enrol_token(launcher, id, enrol, err) == 0)
        result = gl_attempts_run(&attempts, out, err);
    gl_wipe(enrol, sizeof enrol);
    gl_cloud_close(attempts.cloud);
    gl_launch_unlock(lock);
    if (attempts.is_recorded && (result == 0 || err->code == GL_E_INTERRUPTED))
        snprintf(out->launch_id, sizeof out->launch_id, "%s", id);
    return result;
}
