/* SPDX-License-Identifier: Apache-2.0 */
/* Going there, step by step. */
#include "broker/carried.h"
#include "broker/relocate_part.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOCK_WAIT_MS  15000
#define IMAGE_WAIT_S  7200
#define VERIFY_WAIT_S 900
#define TRIAL_END_S   60 /* until the new machine is ended again, where its cloud answers */

static int64_t now_ms(const struct gl_relocate *move)
{
    return move->launcher->world->now_ms(move->launcher->world->cookie);
}

/* ---- before ---- */

bool gl_relocate_has_images(const struct gl_cloud_ops *ops)
{
    return (ops->caps & GL_CLOUD_IMAGES) != 0 && (ops->caps & GL_CLOUD_HALTS) != 0 &&
           ops->halt != NULL && ops->start != NULL && ops->image_create != NULL &&
           ops->image_copy != NULL && ops->image_look != NULL && ops->image_delete != NULL;
}

static int check_row(const struct gl_relocate *move, struct gl_error *err)
{
    const struct gl_launch_row *row = move->row;

    if (gl_launch_row_is_over(row))
        return gl_fail(err, GL_E_NOT_FOUND, "launch %s has ended", row->launch);
    if (strcmp(row->state, "running") != 0)
        return gl_fail(err, GL_E_USAGE,
                       "launch %s is %s: only one that runs can be moved to "
                       "another region",
                       row->launch, row->state);
    if (strcmp(row->region, move->order->region) == 0)
        return gl_fail(err, GL_E_USAGE, "launch %s is in %s already", row->launch, row->region);
    if (strstr(row->plan, "\"timetable\":") != NULL)
        return gl_fail(err, GL_E_USAGE, "launch %s carries out a plan with pauses: it stays in %s",
                       row->launch, row->region);
    if (!move->order->is_anew && !gl_relocate_has_images(move->cloud->ops))
        return gl_fail(err, GL_E_USAGE, "cloud %s cannot make images to move by", row->cloud);
    if (move->order->is_anew && move->terms.has_user_data)
        return gl_fail(err, GL_E_USAGE,
                       "launch %s was given user data, which is not kept: launch it in %s by hand",
                       row->launch, move->order->region);
    if ((move->cloud->ops->caps & GL_CLOUD_REMOTE) != 0 && !gl_carried_is_any(move->order->meter) &&
        !move->order->is_describe_enough)
        return gl_fail(err, GL_E_USAGE,
                       "no meter is carried, so that no reading will say that it "
                       "runs there: name one, or let the cloud's word be enough");
    return 0;
}

static int pick_meter(struct gl_relocate *move, struct gl_error *err)
{
    const struct gl_carried_type type = {move->row->cloud, move->row->type, move->terms.arch};

    return move->order->meter == NULL
               ? 0
               : gl_carried_pick(move->order->meter, &type, &move->meter, err);
}

static int64_t lease_left_s(const struct gl_relocate *move)
{
    return (move->row->expires_ms - now_ms(move)) / 1000;
}

/* The new launch; the image is known later. */
static struct gl_order new_order(const struct gl_relocate *move, const json_t *plan)
{
    const struct gl_launch_row *row = move->row;
    const struct gl_relocate_order *order = move->order;
    const char *image = order->is_anew ? move->terms.image : move->past.copy.id;

    return (struct gl_order){
        .name = row->name,
        .cloud = row->cloud,
        .zone = order->zone,
        .plan = plan,
        .is_demo = row->is_demo,
        .launch = {.region = order->region,
                   .type = row->type,
                   .arch = move->terms.arch,
                   .lease = {lease_left_s(move)},
                   .expires = {row->expires_ms / 1000},
                   .command = order->command,
                   .image = image[0] != '\0' ? image : NULL,
                   .meter = gl_carried_is_any(&move->meter) ? &move->meter : NULL,
                   .is_spot = move->terms.is_spot,
                   .max_price_u_usd = move->terms.max_price_u_usd,
                   .interval_s = (uint32_t)(json_integer_value(json_object_get(
                                                json_object_get(plan, "meter"), "interval_ms")) /
                                            1000)},
    };
}

/* A spot price is what its cloud asks for when it is launched. */
static int check_price(const struct gl_relocate *move, struct gl_error *err)
{
    int64_t cap = move->terms.max_price_u_usd, price = GL_UNKNOWN;
    struct gl_error unsaid = {0};

    if (cap <= 0 || move->terms.is_spot ||
        move->cloud->ops->price(move->cloud, move->order->region, move->row->type, &price,
                                &unsaid) != 0 ||
        price == GL_UNKNOWN || price <= cap)
        return 0;
    return gl_fail(err, GL_E_PRICE,
                   "%s stays where it is: %.4f USD/h in %s, launched for at most %.4f",
                   move->row->launch, (double)price / 1e6, move->order->region, (double)cap / 1e6);
}

/* Nothing is powered off for a place that would not take it. */
static int check_there(const struct gl_relocate *move, struct gl_error *err)
{
    const struct gl_cloud_ops *ops = move->cloud->ops;
    struct gl_order order = new_order(move, move->order->plan);
    char no_token[GL_HASH_HEX];
    struct gl_instance seen;

    if (ops->describe(move->cloud, move->row->instance, &seen, err) != 0)
        return -1;
    if (seen.state != GL_STATE_RUNNING)
        return gl_fail(err, GL_E_USAGE, "instance %s is %s", seen.id,
                       gl_instance_state_word(seen.state));
    if (order.launch.lease.s < 60)
        return gl_fail(err, GL_E_USAGE, "the lease of %s ends too soon", move->row->launch);
    if (check_price(move, err) != 0)
        return -1;
    /* Nothing is sent: names that a request must have. */
    memset(no_token, '0', sizeof no_token - 1);
    no_token[sizeof no_token - 1] = '\0';
    order.launch.launch_id = move->row->launch;
    order.launch.token = order.launch.enrol_token = no_token;
    order.launch.attempt = 1;
    if ((ops->caps & GL_CLOUD_CHECKS) != 0 && ops->check != NULL &&
        ops->check(move->cloud, &order.launch, err) != 0)
        return gl_wrap(err, "%s stays where it is: it could not be launched in %s",
                       move->row->launch, move->order->region);
    return 0;
}

/* By its meter, while it runs; where that cannot be told the time says it. */
static int64_t told_ug(const struct gl_relocate *move)
{
    GL_AUTO(gl_auto_json) json_t *derived = NULL;
    struct gl_error ignored = {0};
    const json_t *total;

    if (gl_launch_so_far(move->launcher, move->row, move->cloud, &derived, &ignored) != 0)
        return GL_UNKNOWN;
    total = json_array_get(json_object_get(json_object_get(derived, "footprint"), "total_ug"), 1);
    return json_is_integer(total) ? (int64_t)json_integer_value(total) : GL_UNKNOWN;
}

static json_t *amount_json(const struct gl_amount *amount)
{
    json_t *json = gl_budget_from_json("", amount);

    json_object_del(json, "launch");
    return json;
}

/* What the move may take of its accounts is reserved before anything is powered off. */
static int add_reservation(struct gl_relocate *move, json_t *body, struct gl_error *err)
{
    const struct gl_relocation_of of = {.row = move->row,
                                        .plan = move->order->plan,
                                        .max_price_u_usd =
                                            move->terms.is_spot ? move->terms.max_price_u_usd : 0,
                                        .trial_s = move->past.verify_wait_s + TRIAL_END_S,
                                        .runs_on = move->order->is_anew,
                                        .told_ug = told_ug(move)};
    json_t *budget;

    if (gl_budget_of_relocation(move->launcher->ledger, &of, &move->past.held, &budget, err) != 0)
        return -1;
    if (budget == NULL)
        return 0;
    json_object_set_new(body, "budget", budget);
    json_object_set_new(body, "held",
                        json_pack("{s:o,s:o}", "used", amount_json(&move->past.held.used), "alone",
                                  amount_json(&move->past.held.alone)));
    return 0;
}

static int record_intent(struct gl_relocate *move, struct gl_error *err)
{
    const struct gl_shift_reason *reason = move->order->reason;
    const struct gl_relocate_order *order = move->order;
    int64_t wait_s = order->verify_wait_s > 0 ? order->verify_wait_s : VERIFY_WAIT_S;
    unsigned number = move->past.number + 1;
    json_t *body = json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:O?,s:b,s:I,s:s,s:o*}", "state", "moving",
                             "by", reason->by, "why", reason->why != NULL ? reason->why : "",
                             "from", move->row->region, "region", order->region, "zone",
                             order->zone, "evidence", reason->evidence, "describe_only",
                             order->is_describe_enough, "verify_wait_s", (json_int_t)wait_s,
                             "before", "running", "anew", order->is_anew ? json_true() : NULL);

    move->past = (struct gl_relocate_past){.number = number,
                                           .is_open = true,
                                           .is_describe_enough = order->is_describe_enough,
                                           .verify_wait_s = wait_s};
    snprintf(move->past.region, sizeof move->past.region, "%s", order->region);
    if (add_reservation(move, body, err) != 0) {
        json_decref(body);
        return -1;
    }
    return gl_relocate_note(move, "relocate-intended", body, "moving", err);
}

/* ---- waiting ---- */

struct wait {
    const char *step;
    int64_t until_ms, since_ms; /* monotonic */
};

static int64_t monotonic_ms(const struct gl_relocate *move)
{
    return move->launcher->world->monotonic_ms(move->launcher->world->cookie);
}

static struct wait wait_begin(const struct gl_relocate *move, const char *step, int64_t wait_ms)
{
    int64_t since_ms = monotonic_ms(move);

    return (struct wait){step, since_ms + wait_ms, since_ms};
}

/* Until the next look; -1 when it took too long, or someone asked to stop. */
static int wait_on(const struct gl_relocate *move, const struct wait *wait, struct gl_error *err)
{
    const struct gl_launcher *launcher = move->launcher;
    int64_t waited_s = (monotonic_ms(move) - wait->since_ms) / 1000;

    if (launcher->is_interrupted != NULL && launcher->is_interrupted(launcher->cookie))
        return gl_fail(err, GL_E_INTERRUPTED, "interrupted while %s", wait->step);
    if (monotonic_ms(move) >= wait->until_ms)
        return gl_fail(err, GL_E_TIMEOUT, "%s took longer than %lld minutes", wait->step,
                       (long long)(waited_s / 60));
    if (move->order->progress != NULL)
        move->order->progress(move->order->cookie, wait->step, waited_s);
    launcher->world->sleep_ms(launcher->world->cookie, GL_RELOCATE_LOOK_MS);
    return 0;
}

static bool may_pass(enum gl_errc code)
{
    return code == GL_E_NETWORK || code == GL_E_TIMEOUT || code == GL_E_RATE_LIMIT ||
           code == GL_E_BUSY || code == GL_E_PROVIDER || code == GL_E_OUTCOME;
}

/* ---- the steps ---- */

static int halt(struct gl_relocate *move, struct gl_error *err)
{
    const struct gl_cloud_ops *ops = move->cloud->ops;
    struct wait wait = wait_begin(move, "powering off", GL_RELOCATE_STEP_MS);
    struct gl_instance seen;

    if (ops->halt(move->cloud, move->row->instance, err) != 0)
        return -1;
    gl_launch_step(move->launcher, "relocate-halt-sent");
    for (;;) {
        struct gl_error why = {0};

        if (ops->describe(move->cloud, move->row->instance, &seen, &why) == 0) {
            if (gl_instance_is_over(&seen))
                return gl_fail(err, GL_E_NOT_FOUND, "launch %s ended meanwhile", move->row->launch);
            if (seen.state == GL_STATE_HALTED)
                break;
        } else if (!may_pass(why.code)) {
            *err = why;
            return -1;
        }
        if (wait_on(move, &wait, err) != 0)
            return -1;
    }
    move->past.is_halted = true;
    return gl_relocate_note(move, "relocate-halted", json_object(), NULL, err);
}

/* Until it is ready. */
static int wait_image(const struct gl_relocate *move, const char *id, const char *step,
                      struct gl_cloud_image *image, struct gl_error *err)
{
    int64_t wait_s = move->order->image_wait_s > 0 ? move->order->image_wait_s : IMAGE_WAIT_S;
    struct wait wait = wait_begin(move, step, wait_s * 1000);

    for (;;) {
        struct gl_error why = {0};
        struct gl_cloud_image seen;

        if (move->cloud->ops->image_look(move->cloud, id, &seen, &why) == 0)
            *image = seen;
        else if (!may_pass(why.code)) {
            *err = why;
            return -1;
        }
        if (image->state == GL_IMAGE_READY)
            return 0;
        if (image->state == GL_IMAGE_FAILED)
            return gl_fail(err, GL_E_PROVIDER, "%s: image %s failed %s", step, id, image->why);
        if (wait_on(move, &wait, err) != 0)
            return -1;
    }
}

static json_t *bytes_json(const struct gl_cloud_image *image)
{
    return image->bytes == GL_UNKNOWN ? json_null() : json_integer((json_int_t)image->bytes);
}

/* By name, before it is asked for: whatever becomes of the answer, it can be found again. */
static int note_asked(struct gl_relocate *move, struct gl_relocate_image *image, const char *kind,
                      const char *name, struct gl_error *err)
{
    if (gl_relocate_note(move, kind, json_pack("{s:s}", "name", name), NULL, err) != 0)
        return -1;
    *image = (struct gl_relocate_image){.is_sent = true, .sent_ms = now_ms(move)};
    return 0;
}

/* Whoever says no has made nothing. */
static int was_not_made(struct gl_relocate_image *image, const struct gl_error *err)
{
    image->is_gone = gl_relocate_is_refusal(err->code);
    return -1;
}

static int await_image(struct gl_relocate *move, struct gl_relocate_image *image,
                       const char *kinds[2], const char *step, struct gl_cloud_image *made,
                       struct gl_error *err)
{
    snprintf(image->id, sizeof image->id, "%s", made->id);
    if (gl_relocate_note(move, kinds[0], json_pack("{s:s}", "image", made->id), NULL, err) != 0 ||
        wait_image(move, image->id, step, made, err) != 0)
        return -1;
    return gl_relocate_note(move, kinds[1], json_pack("{s:o}", "bytes", bytes_json(made)), NULL,
                            err);
}

static int make_image(struct gl_relocate *move, struct gl_error *err)
{
    struct gl_relocate_image *image = &move->past.image;
    struct gl_cloud_image made;
    char name[GL_CLOUD_ID];

    gl_relocate_image_name(move, name);
    if (note_asked(move, image, "relocate-imaging", name, err) != 0)
        return -1;
    if (move->cloud->ops->image_create(move->cloud, move->row->instance, name, &made, err) != 0) {
        gl_wrap(err, "the image of %s", move->row->launch);
        return was_not_made(image, err);
    }
    gl_launch_step(move->launcher, "relocate-image-sent");
    if (await_image(move, image, (const char *[]){"relocate-image", "relocate-imaged"},
                    "making the image", &made, err) != 0)
        return -1;
    move->past.is_imaged = true;
    return 0;
}

static int copy_image(struct gl_relocate *move, struct gl_error *err)
{
    struct gl_relocate_image *copy = &move->past.copy;
    struct gl_cloud_image made;
    char name[GL_CLOUD_ID];

    gl_relocate_copy_name(move, name);
    if (note_asked(move, copy, "relocate-copying", name, err) != 0)
        return -1;
    if (move->cloud->ops->image_copy(move->cloud, move->past.image.id, move->past.region, name,
                                     &made, err) != 0) {
        gl_wrap(err, "the copy of the image to %s", move->past.region);
        return was_not_made(copy, err);
    }
    gl_launch_step(move->launcher, "relocate-copy-sent");
    if (await_image(move, copy, (const char *[]){"relocate-copy", "relocate-copied"},
                    "copying the image", &made, err) != 0)
        return -1;
    move->past.is_copied = true;
    return 0;
}

static int launch_there(struct gl_relocate *move, struct gl_error *err)
{
    GL_AUTO(gl_auto_json) json_t *plan = json_deep_copy(move->order->plan);
    GL_AUTO(gl_auto_json)
    json_t *from = gl_budget_from_json(move->row->launch, &move->past.held.used);
    struct gl_instance instance;
    struct gl_order order;

    json_object_set_new(
        plan, "continues",
        json_pack("{s:s,s:i}", "launch", move->row->launch, "move", (int)move->past.number));
    order = new_order(move, plan);
    order.budget_from = move->past.held.is_held ? from : NULL;
    if (gl_launch_start(move->launcher, &order, &instance, err) != 0)
        return gl_wrap(err, "the launch in %s", move->past.region);
    snprintf(move->past.launch, sizeof move->past.launch, "%s", instance.launch_id);
    return gl_relocate_note(move, "relocate-launched",
                            json_pack("{s:s}", "launch", instance.launch_id), NULL, err);
}

static int verify(struct gl_relocate *move, struct gl_error *err)
{
    struct wait wait =
        wait_begin(move, "waiting for the first reading", move->past.verify_wait_s * 1000);

    for (;;) {
        GL_AUTO(gl_launch_rows_free) struct gl_launch_rows rows = {0};
        size_t index;
        int verified;

        if (gl_launch_find(move->launcher, move->past.launch, &rows, &index, err) != 0)
            return -1;
        verified = gl_relocate_verify(move, &rows.rows[index], err);
        if (verified > 0)
            break;
        if (verified < 0 || wait_on(move, &wait, err) != 0)
            return -1;
    }
    if (gl_relocate_note(move, "relocate-verified", json_pack("{s:s}", "launch", move->past.launch),
                         NULL, err) != 0)
        return -1;
    move->past.is_verified = true;
    move->past.verified_ms = now_ms(move);
    return 0;
}

/* ---- the end ---- */

static int go(struct gl_relocate *move, struct gl_error *err)
{
    if (!move->order->is_anew &&
        (halt(move, err) != 0 || make_image(move, err) != 0 || copy_image(move, err) != 0))
        return -1;
    return launch_there(move, err) != 0 ? -1 : verify(move, err);
}

static int end_old(struct gl_relocate *move, struct gl_error *err)
{
    GL_AUTO(gl_launch_rows_free) struct gl_launch_rows rows = {0};
    struct gl_ending ending = {.wait = {5}, .exit_status = -1};
    size_t index;
    int result;

    if (gl_launch_find(move->launcher, move->row->launch, &rows, &index, err) != 0)
        return -1;
    result = gl_launch_end(move->launcher, &rows.rows[index], move->cloud, &ending, err);
    free(ending.receipt);
    return result;
}

/* It runs there; what is still to be put away is told and tried again later. */
static void put_away(struct gl_relocate *move, struct gl_relocated *out)
{
    struct gl_error second = {0};

    gl_relocate_close(move, false, &out->unsettled);
    if (!move->past.is_open && end_old(move, &second) != 0)
        out->unsettled = second;
}

/* A handle that was opened before someone asked to stop gives up in the middle of cleaning up. */
static int open_again(struct gl_relocate *move, struct gl_cloud **owned, struct gl_error *err)
{
    const struct gl_launcher *launcher = move->launcher;

    if (launcher->is_interrupted == NULL || !launcher->is_interrupted(launcher->cookie))
        return 0;
    gl_cloud_close(*owned);
    move->cloud = *owned = launcher->open(launcher->cookie, move->row->cloud, move->row->zone, err);
    return *owned != NULL ? 0 : -1;
}

/* The new launch may run and may not: what came of it must be known first. */
static bool is_open_question(const struct gl_relocate *move)
{
    GL_AUTO(gl_launch_rows_free) struct gl_launch_rows rows = {0};
    struct gl_error ignored = {0};
    size_t index;

    return gl_relocate_find_new(move, &rows, &index, &ignored) == 1 &&
           !gl_launch_row_is_over(&rows.rows[index]) && rows.rows[index].instance[0] == '\0';
}

static int come_back(struct gl_relocate *move, struct gl_cloud **owned, struct gl_error *err)
{
    struct gl_error why = *err, second = {0};
    bool is_busy = true;

    if (is_open_question(move) || open_again(move, owned, &second) != 0 ||
        gl_relocate_undo(move, &why, false, &is_busy, &second) != 0 || is_busy) {
        *err = why;
        return gl_wrap(err, "MOVE OF %s NOT UNDONE YET (%s): `greenlaunch status` goes on with it",
                       move->row->launch,
                       second.code != GL_OK ? second.text
                                            : "it is not known whether it started there");
    }
    *err = why;
    return gl_wrap(err, "launch %s stays in %s and runs %s", move->row->launch, move->row->region,
                   move->order->is_anew ? "on" : "again");
}

static int relocate(struct gl_relocate *move, struct gl_cloud **owned, struct gl_relocated *out,
                    struct gl_error *err)
{
    if (check_row(move, err) != 0 || pick_meter(move, err) != 0 || check_there(move, err) != 0 ||
        record_intent(move, err) != 0)
        return -1;
    if (go(move, err) != 0) {
        come_back(move, owned, err);
        return -1;
    }
    snprintf(out->launch, sizeof out->launch, "%s", move->past.launch);
    put_away(move, out);
    return 0;
}

static int relocate_id(struct gl_launcher *launcher, const char *id,
                       const struct gl_relocate_order *order, struct gl_relocated *out,
                       struct gl_error *err)
{
    GL_AUTO(gl_launch_rows_free) struct gl_launch_rows rows = {0};
    struct gl_relocate move = {.launcher = launcher, .order = order};
    struct gl_cloud *cloud;
    size_t index;
    int result;

    if (gl_launch_find(launcher, id, &rows, &index, err) != 0 ||
        gl_relocate_past_read(launcher->ledger, id, &move.past, err) != 0 ||
        gl_relocate_terms_read(launcher->ledger, &rows.rows[index], &move.terms, err) != 0)
        return -1;
    move.row = &rows.rows[index];
    cloud = launcher->open(launcher->cookie, move.row->cloud, move.row->zone, err);
    if (cloud == NULL)
        return -1;
    move.cloud = cloud;
    result = relocate(&move, &cloud, out, err);
    gl_cloud_close(cloud);
    return result;
}

int gl_launch_relocate(struct gl_launcher *launcher, const char *launch,
                       const struct gl_relocate_order *order, struct gl_relocated *out,
                       struct gl_error *err)
{
    struct gl_relocate_swept swept;
    char id[GL_CLOUD_ID];
    int lock, result;

    *out = (struct gl_relocated){.launch = ""};
    gl_relocate_sweep(launcher, &swept); /* what an earlier one left; it is told by every look */
    if (gl_launch_named(launcher, launch, id, err) != 0)
        return -1;
    lock = gl_launch_lock(launcher->state_folder, id, LOCK_WAIT_MS, err);
    if (lock < 0)
        return -1;
    result = relocate_id(launcher, id, order, out, err);
    gl_launch_unlock(lock);
    return result;
}
