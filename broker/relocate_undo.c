/* SPDX-License-Identifier: Apache-2.0 */
/* Coming back from a relocation, cleaning up behind one, and settling one that was interrupted. */
#include "broker/relocate_part.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/tenant.h"

static int64_t now_ms(const struct gl_relocate *move)
{
    return move->launcher->world->now_ms(move->launcher->world->cookie);
}

static bool is_late(const struct gl_relocate *move, int64_t since_ms, int64_t wait_ms)
{
    return since_ms > 0 && now_ms(move) - since_ms >= wait_ms;
}

/* ---- is it really there? ---- */

/* 1 readings were heard, 0 none, -1 it cannot be told now. */
static int has_spoken(const struct gl_relocate *move, const struct gl_launch_row *row,
                      struct gl_error *err)
{
    struct gl_collected got;
    bool is_heard;

    if (gl_collect(move->launcher, row, move->cloud, &got, err) != 0)
        return -1;
    is_heard = got.log.count > 0;
    gl_collected_done(&got);
    return is_heard;
}

static int verify_over(const struct gl_relocate *move, const struct gl_launch_row *row,
                       struct gl_error *err)
{
    struct gl_error ignored = {0};
    int heard = row->instance[0] == '\0'        ? 0
                : move->past.is_describe_enough ? 1
                                                : has_spoken(move, row, &ignored);

    /* It has come and gone meanwhile: what it did was done, and must not be done twice. */
    if (heard != 0)
        return heard > 0 ? 1 : 0;
    return gl_fail(err, GL_E_PROVIDER, "launch %s ended before it was heard of", row->launch);
}

int gl_relocate_verify(const struct gl_relocate *move, const struct gl_launch_row *row,
                       struct gl_error *err)
{
    struct gl_error why = {0};
    struct gl_instance seen;

    if (gl_launch_row_is_over(row))
        return verify_over(move, row, err);
    if (row->instance[0] == '\0' ||
        move->cloud->ops->describe(move->cloud, row->instance, &seen, &why) != 0)
        return 0;
    if (strcmp(seen.region, move->past.region) != 0)
        return gl_fail(err, GL_E_PROVIDER, "launch %s runs in %s and not in %s", row->launch,
                       seen.region, move->past.region);
    if (gl_instance_is_over(&seen) || seen.state == GL_STATE_HALTED)
        return verify_over(move, row, err);
    if (seen.state != GL_STATE_RUNNING)
        return 0;
    return move->past.is_describe_enough || has_spoken(move, row, &why) == 1;
}

/* ---- forward: the old one may go ---- */

/* A machine that is not there in this account may be there in its own. */
static int check_gone(const struct gl_relocate *move, enum gl_relocate_power power,
                      struct gl_error *err)
{
    return power == GL_POWER_GONE ? gl_tenant_check(move->launcher, move->row, move->cloud, err)
                                  : 0;
}

int gl_relocate_close(struct gl_relocate *move, bool is_ending, struct gl_error *err)
{
    enum gl_relocate_power power = gl_relocate_power(move);
    struct gl_error why = {0};
    json_t *left;

    if ((check_gone(move, power, &why) != 0 || gl_relocate_clean(move, power, &why) != 0) &&
        !is_ending && !is_late(move, move->past.verified_ms, GL_RELOCATE_STEP_MS)) {
        *err = why;
        return 1;
    }
    left = gl_relocate_left(move, err);
    if (left == NULL || gl_relocate_note(move, "relocate-ended",
                                         json_pack("{s:s,s:s,s:o}", "state", "stopping", "launch",
                                                   move->past.launch, "left", left),
                                         "stopping", err) != 0)
        return -1;
    move->past.is_open = false;
    if (why.code != GL_OK)
        *err = why;
    return why.code != GL_OK;
}

/* ---- back: the old one goes on ---- */

/* 0 nothing of the new launch runs, 1 not known or not ended yet, -1. */
static int end_new(struct gl_relocate *move, struct gl_error *err)
{
    GL_AUTO(gl_launch_rows_free) struct gl_launch_rows rows = {0};
    struct gl_ending ending = {.wait = {10}, .exit_status = -1};
    size_t index = 0;
    int found = gl_relocate_find_new(move, &rows, &index, err), result;

    if (found > 0)
        snprintf(move->past.launch, sizeof move->past.launch, "%s", rows.rows[index].launch);
    if (found <= 0 || gl_launch_row_is_over(&rows.rows[index]))
        return found < 0 ? -1 : 0;
    result = gl_launch_finish(move->launcher, rows.rows[index].launch, &ending, err);
    free(ending.receipt);
    if (result == 0 || ending.is_over || err->code == GL_E_NOT_FOUND) {
        gl_error_clear(err);
        return 0;
    }
    gl_wrap(err, "%s, the new launch in %s", rows.rows[index].launch, move->past.region);
    return 1;
}

/* 0 it is on (or over, which is for the journal to close), 1 not yet. */
static int start_again(struct gl_relocate *move, struct gl_error *err)
{
    const struct gl_world *world = move->launcher->world;
    const char *id = move->row->instance;
    struct gl_instance seen;

    for (int64_t waited_ms = 0;; waited_ms += GL_RELOCATE_LOOK_MS) {
        struct gl_error why = {0};

        if (move->cloud->ops->describe(move->cloud, id, &seen, err) != 0)
            return err->code == GL_E_NOT_FOUND ? 0 : 1;
        if (gl_instance_is_over(&seen) || seen.state == GL_STATE_RUNNING)
            return 0;
        if (seen.state == GL_STATE_HALTED && move->cloud->ops->start(move->cloud, id, &why) != 0) {
            *err = why;
            return 1;
        }
        if (waited_ms >= GL_RELOCATE_STEP_MS)
            return -gl_fail(err, GL_E_TIMEOUT, "it was told to start and is %s",
                            gl_instance_state_word(seen.state));
        world->sleep_ms(world->cookie, GL_RELOCATE_LOOK_MS);
    }
}

static int note_failing(struct gl_relocate *move, const struct gl_error *why, struct gl_error *err)
{
    GL_AUTO(gl_str_done) struct gl_str text = {.ceiling = sizeof move->past.why - 1};

    if (move->past.is_failing)
        return 0;
    gl_str_add_printable(&text, why->text, strlen(why->text));
    snprintf(move->past.why, sizeof move->past.why, "%s", gl_str_text(&text));
    if (gl_relocate_note(move, "relocate-failing", json_pack("{s:s}", "why", gl_str_text(&text)),
                         NULL, err) != 0)
        return -1;
    move->past.is_failing = true;
    move->past.failing_ms = now_ms(move);
    return 0;
}

/* Is there an image left that cannot be named any more once the machine runs? Where nobody says
 * whether it is off, that is what it may be. */
static bool must_stay_off(const struct gl_relocate *move, enum gl_relocate_power power)
{
    return gl_relocate_may_be_left(&move->past.image) && move->past.image.id[0] == '\0' &&
           (power == GL_POWER_OFF || power == GL_POWER_UNKNOWN) &&
           !is_late(move, move->past.failing_ms, GL_RELOCATE_STEP_MS);
}

static int note_failed(struct gl_relocate *move, bool is_ending, struct gl_error *err)
{
    const char *state = is_ending ? "stopping" : "running";
    const struct gl_relocation_held *held = &move->past.held;
    json_t *left = gl_relocate_left(move, err), *body;

    if (left == NULL)
        return -1;
    body = json_pack("{s:s,s:s,s:o,s:o*}", "state", state, "why", move->past.why, "left", left,
                     "budget",
                     held->is_held ? gl_budget_stay_json(&held->alone, move->past.launch) : NULL);
    if (gl_relocate_note(move, "relocate-failed", body, state, err) != 0)
        return -1;
    move->past.is_open = false;
    return 0;
}

int gl_relocate_undo(struct gl_relocate *move, const struct gl_error *why, bool is_ending,
                     bool *out_is_busy, struct gl_error *err)
{
    bool is_over = is_ending || move->row->expires_ms <= now_ms(move);
    enum gl_relocate_power power;
    struct gl_error left = {0};
    int ended;

    *out_is_busy = true;
    if (note_failing(move, why, err) != 0 || (ended = end_new(move, err)) < 0)
        return -1;
    if (ended > 0)
        return 0;
    power = gl_relocate_power(move);
    if (check_gone(move, power, err) != 0)
        return 0;
    if (gl_relocate_clean(move, power, &left) != 0 && !is_over && must_stay_off(move, power)) {
        *err = left;
        return 0;
    }
    if (!is_over && start_again(move, err) != 0) {
        gl_wrap(err, "launch %s is powered off in %s and could not be started again",
                move->row->launch, move->row->region);
        return 0;
    }
    gl_error_clear(err);
    if (left.code != GL_OK && !is_ending &&
        !is_late(move, move->past.failing_ms, GL_RELOCATE_STEP_MS)) {
        *err = left;
        return 0;
    }
    *out_is_busy = false;
    return note_failed(move, is_ending, err);
}

/* ---- after a crash ---- */

/* It was launched: 1 verified, 0 not yet, -1 to be undone. */
static int go_on(struct gl_relocate *move, const struct gl_launch_row *row, struct gl_error *why,
                 struct gl_error *err)
{
    int64_t since_ms = move->past.launched_ms > 0 ? move->past.launched_ms : row->created_ms;
    int verified = gl_relocate_verify(move, row, why);

    if (verified == 0 && is_late(move, since_ms, move->past.verify_wait_s * 1000))
        return gl_fail(why, GL_E_TIMEOUT, "launch %s was not heard of in time", row->launch);
    if (verified <= 0)
        return verified;
    snprintf(move->past.launch, sizeof move->past.launch, "%s", row->launch);
    if (gl_relocate_note(move, "relocate-verified", json_pack("{s:s}", "launch", row->launch), NULL,
                         err) != 0)
        return 0;
    move->past.is_verified = true;
    move->past.verified_ms = now_ms(move);
    return 1;
}

/* 1 forward, 0 wait, -1 back (*why). */
static int which_way(struct gl_relocate *move, struct gl_error *why, struct gl_error *err)
{
    GL_AUTO(gl_launch_rows_free) struct gl_launch_rows rows = {0};
    size_t index = 0;
    int found;

    if (move->past.is_verified)
        return 1;
    if (move->past.is_failing)
        return gl_fail(why, GL_E_INTERRUPTED, "%s", move->past.why);
    found = gl_relocate_find_new(move, &rows, &index, err);
    if (found < 0)
        return 0;
    if (found == 0)
        return gl_fail(why, GL_E_INTERRUPTED, "the move was interrupted");
    return go_on(move, &rows.rows[index], why, err);
}

static int settle(struct gl_relocate *move, bool is_ending, enum gl_relocate_settled *out,
                  struct gl_error *err)
{
    struct gl_error why = {0};
    bool is_busy = false;
    int way = which_way(move, &why, err);

    *out = GL_RELOCATE_BUSY;
    if (err->code != GL_OK)
        return -1;
    if (way == 0 && is_ending)
        way = gl_fail(&why, GL_E_INTERRUPTED, "it is to be ended");
    if (way == 0)
        return 0;
    if (way > 0) {
        int closed = gl_relocate_close(move, is_ending, err);

        *out = move->past.is_open ? GL_RELOCATE_BUSY : GL_RELOCATE_MOVED;
        if (closed > 0 && !move->past.is_open)
            gl_error_clear(err);
        return closed < 0 ? -1 : 0;
    }
    if (gl_relocate_undo(move, &why, is_ending, &is_busy, err) != 0)
        return -1;
    *out = is_busy ? GL_RELOCATE_BUSY : GL_RELOCATE_STAYED;
    return 0;
}

int gl_relocate_settle(struct gl_launcher *launcher, const struct gl_launch_row *row,
                       struct gl_cloud *cloud, bool is_ending, enum gl_relocate_settled *out,
                       struct gl_error *err)
{
    struct gl_relocate move = {.launcher = launcher, .row = row, .cloud = cloud};
    struct gl_error why = {0};

    *out = GL_RELOCATE_NONE;
    if (gl_relocate_past_read(launcher->ledger, row->launch, &move.past, err) != 0)
        return -1;
    if (!move.past.is_open || row->instance[0] == '\0')
        return 0;
    if (settle(&move, is_ending, out, &why) == 0 && (*out != GL_RELOCATE_BUSY || why.code == GL_OK))
        return 0;
    *err = why; /* what stays powered off or undeleted is told at each look */
    return -1;
}
