/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/budget_cap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/shift.h"

#define STOP_WAIT ((struct gl_span){10}) /* for the final reading */

/* One launch that holds something, and what it has taken so far. */
struct taken {
    const struct gl_launch_row *row;
    struct gl_amount amount;
    bool is_in_spent; /* account, at whose cap it is paused or stopped */
};

struct enforcing {
    struct gl_launcher *launcher;
    struct gl_launch_rows rows;
    struct gl_caps caps;
    struct taken *taken; /* as many as rows; row NULL = not asked yet */
    struct gl_capped *out;
    struct gl_error *err;
    int result;
    /* The account that is looked at. */
    struct gl_amount sum;
    size_t holders[256];
    size_t holder_count;
};

static bool is_at_work(const struct gl_launch_row *row)
{
    return strcmp(row->state, "running") == 0 || strcmp(row->state, "paused") == 0;
}

/* ---- so far ---- */

static int64_t elapsed_share(int64_t amount, const struct gl_launch_row *row, int64_t now_ms)
{
    int64_t lease_ms = row->expires_ms - row->started_ms, ran_ms = now_ms - row->started_ms;

    if (amount == GL_UNKNOWN || lease_ms <= 0 || ran_ms >= lease_ms)
        return amount;
    return ran_ms > 0 ? (int64_t)((double)amount / (double)lease_ms * (double)ran_ms) : 0;
}

/* By its meter; where that cannot be told all that it has reserved. Money by the time it ran. */
static struct gl_amount so_far(struct enforcing *e, const struct gl_launch_row *row,
                               const struct gl_amount *held)
{
    struct gl_launcher *launcher = e->launcher;
    struct gl_error ignored = {0};
    GL_AUTO(gl_auto_json) json_t *derived = NULL;
    struct gl_amount amount = *held;
    struct gl_cloud *cloud = launcher->open(launcher->cookie, row->cloud, row->zone, &ignored);
    const json_t *total;

    if (cloud != NULL && gl_launch_so_far(launcher, row, cloud, &derived, &ignored) == 0) {
        total =
            json_array_get(json_object_get(json_object_get(derived, "footprint"), "total_ug"), 1);
        if (json_is_integer(total))
            amount.ug = json_integer_value(total);
    }
    gl_cloud_close(cloud);
    amount.u_usd =
        elapsed_share(held->u_usd, row, launcher->world->now_ms(launcher->world->cookie));
    return amount;
}

static int64_t plus(int64_t sum, int64_t amount)
{
    int64_t result;

    if (amount == GL_UNKNOWN)
        return sum;
    return __builtin_add_overflow(sum, amount, &result) ? INT64_MAX : result;
}

static int add_holder(void *cookie, const char *launch, const struct gl_amount *held)
{
    struct enforcing *e = cookie;

    for (size_t i = 0; i < e->rows.count; i++) {
        const struct gl_launch_row *row = &e->rows.rows[i];

        if (strcmp(row->launch, launch) != 0 || !is_at_work(row))
            continue;
        if (e->taken[i].row == NULL)
            e->taken[i] = (struct taken){row, so_far(e, row, held), false};
        e->sum.ug = plus(e->sum.ug, e->taken[i].amount.ug);
        e->sum.u_usd = plus(e->sum.u_usd, e->taken[i].amount.u_usd);
        if (e->holder_count < sizeof e->holders / sizeof *e->holders)
            e->holders[e->holder_count++] = i;
    }
    return 0;
}

/* ---- at the cap ---- */

static void failed(struct enforcing *e, const struct gl_error *why)
{
    if (e->out->failed++ == 0)
        e->out->first = *why;
}

static int note(struct enforcing *e, const struct gl_launch_row *row, const char *act,
                const char *why, struct gl_error *err)
{
    GL_AUTO(gl_auto_json) json_t *body = json_pack("{s:s,s:s}", "act", act, "why", why);

    return gl_ledger_append(e->launcher->ledger, "guard", row->launch, body, NULL, err);
}

static void pause_it(struct enforcing *e, const struct gl_launch_row *row, const char *why)
{
    const struct gl_shift_reason reason = {.by = "budget", .why = why};
    struct gl_error err = {0};

    if (strcmp(row->state, "paused") == 0)
        return;
    if (gl_launch_pause(e->launcher, row->launch, &reason, &err) == 0 &&
        note(e, row, "pause", why, &err) == 0)
        e->out->paused++;
    else
        failed(e, &err);
}

static void stop_it(struct enforcing *e, const struct gl_launch_row *row, const char *why)
{
    struct gl_ending ending = {.wait = STOP_WAIT, .exit_status = -1};
    struct gl_error err = {0};

    if (note(e, row, "stop", why, &err) == 0 &&
        gl_launch_finish(e->launcher, row->launch, &ending, &err) == 0)
        e->out->stopped++;
    else
        failed(e, &err);
    free(ending.receipt);
}

static bool is_spent(const struct gl_cap *cap, const struct gl_balance *balance)
{
    struct gl_amount left = gl_balance_left_of(cap, balance);

    return (left.ug != GL_UNKNOWN && left.ug <= 0) || (left.u_usd != GL_UNKNOWN && left.u_usd <= 0);
}

/* What runs counts by what it took, not by what it reserved. */
static int look_at(void *cookie, const char *path)
{
    struct enforcing *e = cookie;
    const struct gl_cap *cap = gl_account_cap(e->caps.items, e->caps.count, path);
    int64_t now_ms = e->launcher->world->now_ms(e->launcher->world->cookie);
    struct gl_account_state state;
    char why[GL_ACCOUNT_PATH + 40];

    if (cap == NULL || cap->is_advisory || cap->at_cap == GL_AT_CAP_REFUSE)
        return 0;
    e->sum = (struct gl_amount){0, 0};
    e->holder_count = 0;
    if (gl_budget_state(e->launcher->ledger, cap, path, now_ms, NULL, &state, e->err) != 0 ||
        gl_budget_holders(e->launcher->ledger, path, e, add_holder, e->err) != 0) {
        e->result = -1;
        return 1;
    }
    state.balance.held = e->sum;
    if (!is_spent(cap, &state.balance))
        return 0;
    snprintf(why, sizeof why, "the budget of %s is spent", path);
    for (size_t i = 0; i < e->holder_count; i++) {
        const struct gl_launch_row *row = &e->rows.rows[e->holders[i]];

        e->taken[e->holders[i]].is_in_spent = true;
        if (cap->at_cap == GL_AT_CAP_PAUSE)
            pause_it(e, row, why);
        else
            stop_it(e, row, why);
    }
    return 0;
}

/* ---- a new window, or a larger cap ---- */

static int note_pause(void *cookie, const json_t *event)
{
    bool *is_by_budget = cookie;
    const char *kind = json_string_value(json_object_get(event, "kind"));
    const char *by = json_string_value(json_object_get(json_object_get(event, "body"), "by"));

    if (kind != NULL && strcmp(kind, "pause") == 0)
        *is_by_budget = by != NULL && strcmp(by, "budget") == 0;
    return 0;
}

static void resume_one(struct enforcing *e, const struct gl_launch_row *row)
{
    const struct gl_shift_reason reason = {.by = "budget", .why = "its budget has room again"};
    struct gl_error err = {0};
    bool is_by_budget = false;

    if (gl_ledger_events(e->launcher->ledger, row->launch, &is_by_budget, note_pause, &err) != 0)
        failed(e, &err);
    else if (is_by_budget && gl_launch_resume(e->launcher, row->launch, &reason, &err) == 0)
        e->out->resumed++;
    else if (is_by_budget)
        failed(e, &err);
}

static void resume_all(struct enforcing *e)
{
    for (size_t i = 0; i < e->rows.count; i++)
        if (strcmp(e->rows.rows[i].state, "paused") == 0 && !e->taken[i].is_in_spent)
            resume_one(e, &e->rows.rows[i]);
}

static bool has_work(const struct gl_caps *caps, const struct gl_launch_rows *rows)
{
    bool has_cap = false, has_row = false;

    for (size_t i = 0; i < caps->count; i++)
        has_cap = has_cap || caps->items[i].at_cap != GL_AT_CAP_REFUSE;
    for (size_t i = 0; i < rows->count; i++)
        has_row = has_row || is_at_work(&rows->rows[i]);
    return has_cap && has_row;
}

/* Texts of accounts, for what is done may write while they are listed. */
struct paths {
    char (*items)[GL_ACCOUNT_PATH];
    size_t count;
};

static int add_path(void *cookie, const char *path)
{
    struct paths *paths = cookie;

    paths->items = gl_realloc(paths->items, (paths->count + 1) * sizeof *paths->items);
    snprintf(paths->items[paths->count++], GL_ACCOUNT_PATH, "%s", path);
    return 0;
}

int gl_budget_enforce(struct gl_launcher *launcher, struct gl_capped *out, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) struct enforcing *e = gl_alloc(sizeof *e);
    struct paths paths = {NULL, 0};

    *out = (struct gl_capped){0};
    *e = (struct enforcing){.launcher = launcher, .out = out, .err = err};
    if (gl_budget_caps(launcher->ledger, &e->caps, err) != 0)
        return -1;
    e->result = gl_ledger_launches(launcher->ledger, NULL, &e->rows, err);
    if (e->result == 0 && has_work(&e->caps, &e->rows)) {
        e->taken = gl_alloc((e->rows.count + 1) * sizeof *e->taken);
        e->result = gl_budget_accounts(launcher->ledger, &paths, add_path, err);
        for (size_t i = 0; e->result == 0 && i < paths.count; i++)
            look_at(e, paths.items[i]);
        if (e->result == 0)
            resume_all(e);
    }
    free(paths.items);
    free(e->taken);
    gl_launch_rows_free(&e->rows);
    gl_caps_done(&e->caps);
    return e->result;
}
