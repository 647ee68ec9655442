/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/attempt.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "broker/budget.h"
#include "broker/finish.h"
#include "broker/host.h"
#include "broker/tie.h"
#include "providers/cloud/remote.h"
#include "providers/cloud/userdata.h"

#define LOOK_MS     1000 /* between the first two looks for a token */
#define LOOK_MAX_MS 4000
/* From the intent: a call may be sent as late as its operation's deadline. */
#define SHOWN_MS ((int64_t)GL_REMOTE_DEADLINE_MS + GL_REMOTE_SETTLE_MS)

static void checkpoint(const struct gl_launcher *launcher, const char *step)
{
    if (launcher->checkpoint != NULL)
        launcher->checkpoint(launcher->cookie, step);
}

static int64_t monotonic_ms(const struct gl_launcher *launcher)
{
    return launcher->world->monotonic_ms(launcher->world->cookie);
}

static bool is_interrupted(const struct gl_launcher *launcher)
{
    return launcher->is_interrupted != NULL && launcher->is_interrupted(launcher->cookie);
}

static bool is_remote(const struct gl_cloud *cloud)
{
    return (cloud->ops->caps & GL_CLOUD_REMOTE) != 0;
}

/* ---- what a failure means ---- */

/* Only these say that the same may go well a moment later. What this machine lacks, a full disk
 * above all, another attempt does not bring. */
static bool is_worth_another(enum gl_errc code)
{
    return code == GL_E_NETWORK || code == GL_E_PROVIDER || code == GL_E_RATE_LIMIT ||
           code == GL_E_TIMEOUT || code == GL_E_OUTCOME || code == GL_E_TOKEN || code == GL_E_BUSY;
}

/* The place has nothing to give: another one may. */
static bool is_no_room(enum gl_errc code)
{
    return code == GL_E_CAPACITY || code == GL_E_QUOTA || code == GL_E_PRICE ||
           code == GL_E_NO_PLACE;
}

/* A region that is not enabled, a right that lacks in one region only, a type that is not sold
 * there: of that place, not of the account. */
static void tell_of_place(const struct gl_cloud *cloud, struct gl_error *err)
{
    enum gl_reach reach = cloud->failure.reach;
    bool is_named = err->code == GL_E_UNKNOWN_NAME && reach != GL_REACH_ACCOUNT;
    bool is_denied =
        err->code == GL_E_PERMISSION && (reach == GL_REACH_ZONE || reach == GL_REACH_REGION);

    if (is_remote(cloud) && (is_named || is_denied))
        err->code = GL_E_NO_PLACE;
}

/* The provider has answered, and what it said is no: nothing of it will show later. Not so where it
 * has no room: some find that out only after they have begun, and leave a machine behind. */
static bool is_refused(enum gl_errc code)
{
    static const enum gl_errc codes[] = {
        GL_E_PRICE,     GL_E_PERMISSION, GL_E_UNKNOWN_NAME, GL_E_NO_CREDENTIAL, GL_E_RATE_LIMIT,
        GL_E_BAD_VALUE, GL_E_TOO_LARGE,  GL_E_CONFIG,       GL_E_NO_PLACE,
    };

    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (codes[i] == code)
            return true;
    return false;
}

/* ---- token and intent ---- */

/* Each word with its length, so that no two lists look alike. */
static void add_words(struct gl_str *text, const char *const *words)
{
    gl_str_add(text, "|[");
    for (size_t i = 0; words != NULL && words[i] != NULL; i++)
        gl_str_addf(text, "%zu:%s,", strlen(words[i]), words[i]);
    gl_str_add(text, "]");
}

static void add_rented(struct gl_str *text, const struct gl_launch *launch)
{
    const struct gl_carried_meter *meter = launch->meter;

    if (launch->is_spot)
        gl_str_add(text, "|spot");
    if (launch->zone != NULL)
        gl_str_addf(text, "|zone %s", launch->zone);
    if (launch->max_price_u_usd > 0)
        gl_str_addf(text, "|price %" PRId64, launch->max_price_u_usd);
    if (meter != NULL && meter->sha256 != NULL)
        gl_str_addf(text, "|meter %s", meter->sha256);
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
    add_rented(&text, &order->launch);
    gl_hash_of(gl_str_text(&text), text.length, &hash);
    gl_hash_hex(&hash, out);
}

/* The token is the hash of everything that is asked, the launch and the attempt number. */
static int make_token(struct gl_attempts *attempts, unsigned attempt, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *plan = gl_json_canonical(attempts->order.plan, err);
    char plan_hex[GL_HASH_HEX], order_hex[GL_HASH_HEX];
    struct gl_hash hash;

    if (plan == NULL)
        return -1;
    gl_hash_of(plan, strlen(plan), &hash);
    order_hash(&attempts->order, order_hex);
    gl_tie_token(attempts->launch, attempt, gl_hash_hex(&hash, plan_hex), order_hex,
                 attempts->token);
    return 0;
}

static json_t *intent_json(const struct gl_attempts *attempts, const char *plan)
{
    const struct gl_launch *launch = &attempts->sent;
    char hex[GL_HASH_HEX], order_hex[GL_HASH_HEX], boot[GL_BOOT_ID];
    struct gl_hash hash;

    gl_hash_of(plan, strlen(plan), &hash);
    gl_host_boot_id(boot);
    order_hash(&attempts->order, order_hex);
    return json_pack(
        "{s:s,s:I,s:s,s:s,s:s,s:s,s:s,s:s,s:I,s:I,s:s*,s:s*,s:o*,s:o*,s:s*,s:o*,s:s*}", "boot",
        boot, "monotonic_ms", (json_int_t)monotonic_ms(attempts->launcher), "token", launch->token,
        "plan_sha256", gl_hash_hex(&hash, hex), "order_sha256", order_hex, "cloud",
        attempts->order.cloud, "region", launch->region, "type", launch->type, "attempt",
        (json_int_t)launch->attempt, "expires_ms", (json_int_t)(launch->expires.unix_s * 1000),
        "account", attempts->account[0] != '\0' ? attempts->account : NULL, "availability_zone",
        launch->zone, "spot", launch->is_spot ? json_true() : NULL, "max_price_u_usd",
        launch->max_price_u_usd > 0 ? json_integer((json_int_t)launch->max_price_u_usd) : NULL,
        "image", launch->image, "user_data", launch->user_data != NULL ? json_true() : NULL, "arch",
        launch->arch);
}

/* What it may take of the accounts of its plan stands in the same event, or it is not sent. */
static int add_reservation(const struct gl_attempts *attempts, json_t *body, struct gl_error *err)
{
    const json_t *charge = json_object_get(attempts->order.plan, "budget");
    const struct gl_world *world = attempts->launcher->world;
    const struct gl_launch *launch = &attempts->sent;
    int64_t now_ms = world->now_ms(world->cookie);
    int64_t lease_s = launch->expires.unix_s - now_ms / 1000;
    json_t *budget;

    if (!json_is_object(charge) || attempts->order.is_demo)
        return 0;
    budget = gl_budget_reserve_of(
        &(struct gl_wanted_of){.plan = attempts->order.plan,
                               .start_ms = now_ms,
                               .lease_s = lease_s > 1 ? lease_s : 1,
                               .max_price_u_usd = launch->is_spot ? launch->max_price_u_usd : 0},
        launch->expires.unix_s * 1000 + GL_HOLD_MS, err);
    if (budget == NULL)
        return -1;
    if (attempts->order.budget_from != NULL)
        json_object_set_new(budget, "from", json_deep_copy(attempts->order.budget_from));
    json_object_set_new(body, "budget", budget);
    return 0;
}

static int record_intent(struct gl_attempts *attempts, struct gl_error *err)
{
    const struct gl_order *order = &attempts->order;
    const struct gl_launch *launch = &attempts->sent;
    const struct gl_world *world = attempts->launcher->world;
    GL_AUTO(gl_auto_free) char *plan = gl_json_canonical(order->plan, err);
    GL_AUTO(gl_auto_json) json_t *body = NULL;
    struct gl_launch_change change = {
        GL_LAUNCH_KEEP,       .launch = launch->launch_id, .name = order->name,
        .state = "intended",  .cloud = order->cloud,       .region = launch->region,
        .type = launch->type, .zone = order->zone,         .token = launch->token,
        .plan = plan,
    };

    if (plan == NULL)
        return -1;
    change.attempt = launch->attempt;
    change.created_ms = world->now_ms(world->cookie);
    change.started_ms = change.created_ms;
    change.expires_ms = launch->expires.unix_s * 1000;
    change.is_demo = order->is_demo;
    body = intent_json(attempts, plan);
    if (add_reservation(attempts, body, err) != 0 ||
        gl_ledger_append(attempts->launcher->ledger, "intent", launch->launch_id, body, &change,
                         err) != 0)
        return -1;
    attempts->is_recorded = true;
    return 0;
}

/* ---- proof ---- */

/* Is the boot and clock of an intent ours, and how long ago was it? */
struct intent_age {
    const char *boot;
    int64_t now_ms, age_ms; /* -1 = of another boot */
};

static int note_intent_age(void *cookie, const json_t *event)
{
    struct intent_age *age = cookie;
    const json_t *body = json_object_get(event, "body");
    const char *kind = json_string_value(json_object_get(event, "kind"));
    const char *boot = json_string_value(json_object_get(body, "boot"));

    if (kind == NULL || strcmp(kind, "intent") != 0)
        return 0;
    age->age_ms = -1;
    if (boot != NULL && boot[0] != '\0' && strcmp(boot, age->boot) == 0)
        age->age_ms = age->now_ms - json_integer_value(json_object_get(body, "monotonic_ms"));
    return 0;
}

/* By the clock that never steps where it can be told; a boot takes longer than a provider. */
bool gl_attempt_is_settled(struct gl_launcher *launcher, const struct gl_launch_row *row,
                           const struct gl_cloud *cloud)
{
    char boot[GL_BOOT_ID];
    struct intent_age age = {boot, monotonic_ms(launcher), -1};
    struct gl_error ignored = {0};
    int64_t wall_ms = launcher->world->now_ms(launcher->world->cookie) - row->created_ms;

    if (!is_remote(cloud))
        return true;
    gl_host_boot_id(boot);
    if (gl_ledger_events(launcher->ledger, row->launch, &age, note_intent_age, &ignored) != 0)
        return false;
    return age.age_ms >= 0 ? age.age_ms >= SHOWN_MS : wall_ms < 0 || wall_ms >= SHOWN_MS;
}

/* Once somebody has asked us to stop, what the cloud does for us must not be given up in the middle
 * of cleaning up: a handle that was opened after that is not (broker/cli/act.c). */
static int open_again(struct gl_attempts *attempts, struct gl_error *err)
{
    const struct gl_launcher *launcher = attempts->launcher;

    if (!is_remote(attempts->cloud) || !is_interrupted(launcher))
        return 0;
    gl_cloud_close(attempts->cloud);
    attempts->cloud =
        launcher->open(launcher->cookie, attempts->order.cloud, attempts->order.zone, err);
    return attempts->cloud != NULL ? 0 : -1;
}

/* A handle that was opened again may be one of other credentials. */
static int check_account(const struct gl_attempts *attempts, struct gl_error *err)
{
    char now[GL_TENANT];

    if (attempts->account[0] == '\0')
        return 0;
    if (gl_tenant_now(attempts->cloud, now, err) != 0)
        return -1;
    return strcmp(now, attempts->account) == 0
               ? 0
               : gl_fail(err, GL_E_NO_CREDENTIAL,
                         "the credentials are of %s now, and were of %s when it was sent", now,
                         attempts->account);
}

/* 1 found, 0 proven absent, -1 not known. What may still show is waited for. */
static int look_for(struct gl_attempts *attempts, enum gl_errc failed, struct gl_instance *out,
                    struct gl_error *err)
{
    const struct gl_world *world = attempts->launcher->world;
    int64_t until = monotonic_ms(attempts->launcher);
    const struct gl_launch *launch = &attempts->sent;
    int64_t pause = LOOK_MS;
    int found;

    if (open_again(attempts, err) != 0)
        return -1;
    if (is_remote(attempts->cloud) && !is_refused(failed))
        until += GL_REMOTE_SETTLE_MS;
    for (;;) {
        const struct gl_cloud_ops *ops = attempts->cloud->ops;

        found = ops->find_by_request(attempts->cloud, launch->region, launch->token, out, err);
        if (found != 0)
            return found;
        if (monotonic_ms(attempts->launcher) >= until)
            return check_account(attempts, err);
        world->sleep_ms(world->cookie, pause);
        pause = pause < LOOK_MAX_MS ? 2 * pause : pause;
    }
}

/* A provider that has no room may have begun all the same: a failed machine, its disk, its address.
 * 0 when nothing of it is left. */
static int end_leftover(struct gl_attempts *attempts, const char *id, struct gl_error *err)
{
    const struct gl_cloud_ops *ops = attempts->cloud->ops;
    const struct gl_world *world = attempts->launcher->world;
    int64_t until = monotonic_ms(attempts->launcher) + GL_REMOTE_SETTLE_MS;
    struct gl_instance seen;
    struct gl_error why = {0};

    ops->terminate(attempts->cloud, id, &why);
    while (ops->describe(attempts->cloud, id, &seen, err) == 0) {
        if (gl_instance_is_over(&seen))
            return 0;
        if (monotonic_ms(attempts->launcher) >= until)
            return gl_fail(err, GL_E_PROVIDER, "%s is left over from a failed start", id);
        world->sleep_ms(world->cookie, LOOK_MAX_MS);
    }
    if (err->code != GL_E_NOT_FOUND)
        return -1;
    gl_error_clear(err);
    return 0;
}

/* ---- one attempt ---- */

/* How sending once came out. */
enum sent {
    SENT,         /* running, and recorded so */
    ABSENT_AGAIN, /* proven absent, and worth another attempt */
    NO_ROOM,      /* proven absent, and this place has nothing to give */
    ABSENT,       /* proven absent, for good */
    NOT_PROVEN,   /* it may run: never send again from here */
};

static enum sent kind_of(enum gl_errc code)
{
    return is_no_room(code) ? NO_ROOM : is_worth_another(code) ? ABSENT_AGAIN : ABSENT;
}

static enum sent not_proven(struct gl_attempts *attempts, const struct gl_error *why,
                            struct gl_error *err)
{
    struct gl_error ignored = {0};

    gl_launch_record_state(attempts->launcher, attempts->launch, "unknown", "launching", why->text,
                           &ignored);
    if (is_no_room(err->code)) /* which would say that nothing was started */
        err->code = GL_E_OUTCOME;
    gl_wrap(err, "launch %s: it is not known whether it started", attempts->launch);
    return NOT_PROVEN;
}

static enum sent take_found(struct gl_attempts *attempts, struct gl_instance *out,
                            struct gl_error *err)
{
    gl_error_clear(err);
    return gl_launch_record_running(attempts->launcher, out, attempts->launch, "found", err) == 0
               ? SENT
               : NOT_PROVEN;
}

static enum sent after_failure(struct gl_attempts *attempts, struct gl_instance *out,
                               struct gl_error *err)
{
    struct gl_error look = {0};
    int found = look_for(attempts, err->code, out, &look);
    bool is_dead;

    if (found < 0)
        return not_proven(attempts, err, err);
    if (found == 0)
        return kind_of(err->code);
    is_dead = (err->code == GL_E_TOKEN || err->code == GL_E_LAUNCH) && gl_instance_is_over(out);
    if (!is_no_room(err->code) && !is_dead)
        return take_found(attempts, out, err);
    return end_leftover(attempts, out->id, &look) == 0 ? kind_of(err->code)
                                                       : not_proven(attempts, err, err);
}

/* Could it be launched there, and in whose account? Asked before anything is written down: nothing
 * is sent. */
static bool is_possible(struct gl_attempts *attempts, struct gl_error *err)
{
    struct gl_cloud *cloud = attempts->cloud;
    bool is_checked = (cloud->ops->caps & GL_CLOUD_CHECKS) != 0 && cloud->ops->check != NULL;

    return (!is_checked || cloud->ops->check(cloud, &attempts->sent, err) == 0) &&
           gl_tenant_now(cloud, attempts->account, err) == 0;
}

static enum sent send_once(struct gl_attempts *attempts, struct gl_instance *out,
                           struct gl_error *err)
{
    struct gl_launcher *launcher = attempts->launcher;
    struct gl_cloud *cloud = attempts->cloud;
    struct gl_cloud_failure failure;
    enum sent sent;

    cloud->failure = (struct gl_cloud_failure){.retry_after_ms = -1};
    if (!is_possible(attempts, err)) {
        tell_of_place(cloud, err);
        return is_no_room(err->code) ? NO_ROOM : ABSENT;
    }
    if (record_intent(attempts, err) != 0) /* nothing was sent, nothing is recorded */
        return err->code == GL_E_BUDGET || err->code == GL_E_UNKNOWN_DATA ? ABSENT : NOT_PROVEN;
    checkpoint(launcher, "intended");
    if (cloud->ops->launch(cloud, &attempts->sent, out, err) == 0) {
        checkpoint(launcher, "sent");
        return gl_launch_record_running(launcher, out, attempts->launch, "launched", err) == 0
                   ? SENT
                   : NOT_PROVEN;
    }
    checkpoint(launcher, "send-failed");
    tell_of_place(cloud, err);
    failure = cloud->failure; /* looking for it begins another */
    sent = after_failure(attempts, out, err);
    attempts->cloud->failure = failure;
    return sent;
}

/* ---- all ---- */

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

static int give_up(struct gl_attempts *attempts, struct gl_error *err)
{
    struct gl_launcher *launcher = attempts->launcher;
    struct gl_error second = {0};

    if (!attempts->is_recorded)
        return -1;
    if (err->code == GL_E_INTERRUPTED && close_cancelled(launcher, attempts->launch, &second) == 0)
        return -1;
    gl_error_clear(&second);
    /* Only what is proven absent may be called ended. */
    gl_launch_record_state(launcher, attempts->launch, "failed", "ended", err->text, &second);
    return -1;
}

/* ---- another zone, another place ---- */

/* "us-east-1a" of us-east-1, "europe-north1-b" of europe-north1; "us-east10-a" is none of us-east1.
 */
static bool is_zone_of(const char *zone, const char *region)
{
    size_t length = strlen(region);

    return strncmp(zone, region, length) == 0 && zone[length] != '\0' &&
           strchr("0123456789", zone[length]) == NULL;
}

static bool was_asked(const struct gl_attempts *attempts, const char *zone)
{
    for (unsigned i = 0; i < attempts->zone_count; i++)
        if (strcmp(attempts->zones[i], zone) == 0)
            return true;
    return false;
}

/* A zone has no stock, and its provider names others of the region that do. They draw from the same
 * grid: what the rules said of the place holds for them. */
static bool go_to_zone(struct gl_attempts *attempts, const struct gl_error *why)
{
    const struct gl_cloud_failure *failure = &attempts->cloud->failure;
    struct gl_launch *launch = &attempts->order.launch;

    if (why->code != GL_E_CAPACITY || failure->reach != GL_REACH_ZONE)
        return false;
    for (size_t i = 0; i < sizeof failure->places / sizeof *failure->places; i++) {
        const char *zone = failure->places[i];

        if (!is_zone_of(zone, launch->region) || was_asked(attempts, zone) ||
            attempts->zone_count == GL_ATTEMPT_ZONES)
            continue;
        snprintf(attempts->zones[attempts->zone_count], sizeof attempts->zones[0], "%s", zone);
        launch->zone = attempts->zones[attempts->zone_count++];
        attempts->zone_sendings++;
        return true;
    }
    return false;
}

/* 1 when another place was found for it and stands in attempts->order; 0 when there is none, *err
 * as it was. */
static int go_elsewhere(struct gl_attempts *attempts, struct gl_error *err)
{
    struct gl_order *order = &attempts->order;
    const struct gl_launcher *launcher = attempts->launcher;
    struct gl_error why = *err;
    int found;

    if (order->elsewhere == NULL)
        return 0;
    order->launch.zone = NULL;
    attempts->zone_count = 0;
    gl_error_clear(err);
    found = order->elsewhere(order->elsewhere_cookie, attempts->cloud, &why, order, err);
    if (found <= 0) {
        if (found == 0)
            *err = why;
        return 0;
    }
    if (strcmp(order->cloud, attempts->cloud->ops->name) != 0 || !is_remote(attempts->cloud)) {
        gl_cloud_close(attempts->cloud);
        attempts->cloud = launcher->open(launcher->cookie, order->cloud, order->zone, err);
    }
    return attempts->cloud != NULL && gl_order_check(launcher, order, err) == 0;
}

static int prepare(struct gl_attempts *attempts, unsigned attempt, struct gl_error *err)
{
    struct gl_launch *launch = &attempts->sent;

    if (make_token(attempts, attempt, err) != 0)
        return -1;
    *launch = attempts->order.launch;
    launch->attempt = attempt;
    launch->launch_id = attempts->launch;
    launch->token = attempts->token;
    launch->enrol_token = attempts->enrol_token;
    launch->is_cancelled = attempts->launcher->is_interrupted;
    launch->cookie = attempts->launcher->cookie;
    launch->expires = gl_order_end(attempts->launcher, &attempts->order);
    return 0;
}

int gl_attempts_run(struct gl_attempts *attempts, struct gl_instance *out, struct gl_error *err)
{
    const struct gl_world *world = attempts->launcher->world;

    for (unsigned attempt = 1;; attempt++) {
        bool is_last = attempt - attempts->zone_sendings >= GL_LAUNCH_ATTEMPTS;
        enum sent sent;

        if (prepare(attempts, attempt, err) != 0)
            return -1;
        sent = send_once(attempts, out, err);
        if (sent == SENT)
            return 0;
        if (sent == NOT_PROVEN)
            return -1;
        if (sent == ABSENT || is_interrupted(attempts->launcher))
            return give_up(attempts, err);
        if (!(sent == NO_ROOM && go_to_zone(attempts, err)) &&
            (is_last || (sent == NO_ROOM && go_elsewhere(attempts, err) == 0)))
            return give_up(attempts, err);
        gl_error_clear(err);
        if (sent == ABSENT_AGAIN)
            world->sleep_ms(world->cookie, 200 << attempt);
    }
}
