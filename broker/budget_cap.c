/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/budget_cap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/shift.h"

__extension__ typedef __int128 wide;

#define STOP_WAIT ((struct gl_span){10}) /* for the final reading */

/* One launch that holds something, and what it has taken so far. */
struct taken {
    bool is_known; /* asked */
    struct gl_amount amount, held;
    bool is_told;     /* by its meter; else all that it has reserved */
    bool is_over;     /* it has taken all that it could reserve, or more */
    bool is_in_spent; /* account, at whose cap it is paused or stopped */
    bool is_approved; /* over its budget by somebody who has a name: counted, and left alone */
};

struct enforcing {
    struct gl_launcher *launcher;
    struct gl_launch_rows rows;
    struct gl_caps caps;
    struct taken *taken; /* as many as rows */
    struct gl_capped *out;
    struct gl_error *err;
    int64_t now_ms;
    /* The account that is looked at. */
    struct gl_stretch_of_time window;
    struct gl_amount sum;
    size_t *holders;
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
static void so_far(struct enforcing *e, const struct gl_launch_row *row, struct taken *out)
{
    struct gl_launcher *launcher = e->launcher;
    struct gl_error ignored = {0};
    GL_AUTO(gl_auto_json) json_t *derived = NULL;
    struct gl_cloud *cloud = launcher->open(launcher->cookie, row->cloud, row->zone, &ignored);
    const json_t *total;

    out->amount = (struct gl_amount){out->held.ug, elapsed_share(out->held.u_usd, row, e->now_ms)};
    if (cloud != NULL && gl_launch_so_far(launcher, row, cloud, &derived, &ignored) == 0) {
        total =
            json_array_get(json_object_get(json_object_get(derived, "footprint"), "total_ug"), 1);
        out->is_told = json_is_integer(total);
        if (out->is_told)
            out->amount.ug = json_integer_value(total);
    }
    gl_cloud_close(cloud);
}

static int64_t plus(int64_t sum, int64_t amount)
{
    int64_t result;

    if (amount == GL_UNKNOWN)
        return sum;
    return __builtin_add_overflow(sum, amount, &result) ? INT64_MAX : result;
}

/* Its part in the window of what it took, evenly over its time as it will be booked. */
static int64_t in_window(const struct enforcing *e, const struct gl_launch_row *row, int64_t amount)
{
    int64_t from_ms = e->window.from_s * 1000, ran_ms = e->now_ms - row->started_ms;

    if (amount == GL_UNKNOWN || from_ms <= row->started_ms || ran_ms <= 0)
        return amount;
    return from_ms >= e->now_ms ? 0 : (int64_t)((wide)amount * (e->now_ms - from_ms) / ran_ms);
}

static size_t row_of(const struct enforcing *e, const char *launch)
{
    size_t i = 0;

    while (i < e->rows.count && strcmp(e->rows.rows[i].launch, launch) != 0)
        i++;
    return i;
}

static int add_holder(void *cookie, const char *launch, const struct gl_amount *held)
{
    struct enforcing *e = cookie;
    size_t i = row_of(e, launch);
    const struct gl_launch_row *row = &e->rows.rows[i];

    (void)held;
    if (i == e->rows.count || !e->taken[i].is_known)
        return 0;
    e->sum.ug = plus(e->sum.ug, in_window(e, row, e->taken[i].amount.ug));
    e->sum.u_usd = plus(e->sum.u_usd, in_window(e, row, e->taken[i].amount.u_usd));
    if (is_at_work(row) && !e->taken[i].is_approved)
        e->holders[e->holder_count++] = i;
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

static void act_on(struct enforcing *e, const struct gl_cap *cap, const char *path, size_t at)
{
    char why[GL_ACCOUNT_PATH + 40];

    snprintf(why, sizeof why, "the budget of %s is spent", path);
    e->taken[at].is_in_spent = true;
    if (cap->at_cap == GL_AT_CAP_PAUSE)
        pause_it(e, &e->rows.rows[at], why);
    else
        stop_it(e, &e->rows.rows[at], why);
}

static bool has_passed(const struct gl_cap *cap, const struct gl_balance *balance)
{
    struct gl_amount left = gl_balance_left_of(cap, balance);

    return (left.ug != GL_UNKNOWN && left.ug < 0) || (left.u_usd != GL_UNKNOWN && left.u_usd < 0);
}

/* What runs counts by what it took, not by what it reserved: all of it is paused or stopped when
 * that is the whole limit; what took more than it could reserve already when what others have
 * reserved leaves it no room. */
static int look_at(struct enforcing *e, const char *path)
{
    const struct gl_cap *cap = gl_account_cap(e->caps.items, e->caps.count, path);
    struct gl_account_state state;
    bool is_all, is_passed;

    if (cap == NULL || cap->is_advisory || cap->at_cap == GL_AT_CAP_REFUSE)
        return 0;
    e->sum = (struct gl_amount){0, 0};
    e->holder_count = 0;
    if (gl_budget_state(e->launcher->ledger, cap, path, e->now_ms, NULL, &state, e->err) != 0)
        return -1;
    e->window = state.window;
    if (gl_budget_holders(e->launcher->ledger, path, GL_UNKNOWN, e, add_holder, e->err) != 0)
        return -1;
    is_passed = has_passed(cap, &state.balance);
    state.balance.held = e->sum;
    is_all = is_spent(cap, &state.balance);
    for (size_t i = 0; i < e->holder_count; i++)
        if (is_all || (is_passed && e->taken[e->holders[i]].is_over))
            act_on(e, cap, path, e->holders[i]);
    return 0;
}

/* ---- more than was reserved ---- */

/* At the pace it has had, over all of its lease. */
static int64_t at_pace(const struct enforcing *e, const struct gl_launch_row *row, int64_t taken)
{
    int64_t ran_ms = e->now_ms - row->started_ms, lease_ms = row->expires_ms - row->started_ms;
    wide whole;

    if (ran_ms <= 0 || lease_ms <= ran_ms)
        return taken;
    whole = ((wide)taken * lease_ms + ran_ms - 1) / ran_ms;
    return whole < INT64_MAX ? (int64_t)whole : INT64_MAX;
}

/* What it has taken and the high bound of the rest of its lease; at its own pace where that is
 * more, as in a place that its plan does not know. */
static int64_t needed(const struct enforcing *e, const struct gl_launch_row *row, json_t *plan,
                      int64_t taken)
{
    int64_t pace = at_pace(e, row, taken), left_s = (row->expires_ms - e->now_ms) / 1000, sum;
    struct gl_error ignored = {0};
    struct gl_wanted rest;

    json_object_del(json_object_get(plan, "budget"), "futures"); /* of all its time */
    if (left_s <= 0 ||
        gl_budget_wanted(
            &(struct gl_wanted_of){.plan = plan, .start_ms = e->now_ms, .lease_s = left_s}, &rest,
            &ignored) != 0 ||
        rest.amount.ug == GL_UNKNOWN || __builtin_add_overflow(taken, rest.amount.ug, &sum))
        return pace;
    return sum > pace ? sum : pace;
}

/* 0 when it fits. */
static int reserve_more(struct enforcing *e, const struct gl_launch_row *row,
                        const struct taken *taken, struct gl_error *err)
{
    GL_AUTO(gl_auto_json) json_t *plan = gl_json_parse(row->plan, strlen(row->plan), "plan", err);
    GL_AUTO(gl_auto_json) json_t *body = json_object();
    struct gl_amount more = taken->held;

    if (plan == NULL || !json_is_object(json_object_get(plan, "budget")))
        return -1;
    more.ug = needed(e, row, plan, taken->amount.ug);
    json_object_set_new(
        body, "budget",
        gl_budget_again_json(plan, &more, row->expires_ms + GL_HOLD_MS, "more, as it runs"));
    return gl_ledger_append(e->launcher->ledger, "budget", row->launch, body, NULL, err);
}

static void grow(struct enforcing *e, const struct gl_launch_row *row, struct taken *taken)
{
    struct gl_error err = {0};

    if (!taken->is_told || taken->held.ug == GL_UNKNOWN || taken->amount.ug < taken->held.ug ||
        taken->amount.ug == 0 || e->now_ms >= row->expires_ms)
        return;
    taken->is_over = reserve_more(e, row, taken, &err) != 0;
    gl_error_clear(&err);
    if (taken->is_over && taken->amount.ug == taken->held.ug)
        return;
    if (taken->is_over &&
        gl_budget_grow(e->launcher->ledger, row->launch, &taken->amount, &err) != 0)
        failed(e, &err);
    else
        e->out->grown++;
}

static bool was_approved(const struct gl_launch_row *row)
{
    struct gl_error ignored = {0};
    GL_AUTO(gl_auto_json)
    json_t *plan = gl_json_parse(row->plan, strlen(row->plan), "plan", &ignored);

    return json_is_object(json_object_get(json_object_get(plan, "budget"), "override"));
}

static bool may_have_taken(const struct gl_launch_row *row)
{
    return is_at_work(row) || strcmp(row->state, "moving") == 0 ||
           strcmp(row->state, "stopping") == 0;
}

/* Of all that hold something, before any account is looked at. */
static int ask_all(struct enforcing *e)
{
    for (size_t i = 0; i < e->rows.count; i++) {
        const struct gl_launch_row *row = &e->rows.rows[i];
        struct taken *taken = &e->taken[i];

        if (!may_have_taken(row))
            continue;
        if (gl_budget_hold(e->launcher->ledger, row->launch, &taken->is_known, &taken->held,
                           e->err) != 0)
            return -1;
        if (!taken->is_known)
            continue;
        taken->is_approved = was_approved(row);
        so_far(e, row, taken);
        if (is_at_work(row)) /* a move has reserved for itself, and may be off for hours */
            grow(e, row, taken);
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

/* ---- warnings ---- */

static int warn_of(struct enforcing *e, const char *path)
{
    const struct gl_cap *cap = gl_account_cap(e->caps.items, e->caps.count, path);
    GL_AUTO(gl_str_done) struct gl_str text = {0};
    struct gl_account_state state;
    int64_t ppm;

    if (cap == NULL || cap->warn_count == 0)
        return 0;
    if (gl_budget_state(e->launcher->ledger, cap, path, e->now_ms, NULL, &state, e->err) != 0 ||
        gl_budget_announce(e->launcher->ledger, cap, path, &state, &ppm, e->err) != 0)
        return -1;
    if (ppm == GL_UNKNOWN)
        return 0;
    gl_budget_warning_text(cap, path, &state, ppm, &text);
    if (e->out->warned < GL_CAPPED_WARNINGS)
        snprintf(e->out->warnings[e->out->warned], GL_CAPPED_WARNING, "%s", gl_str_text(&text));
    e->out->warned++;
    return 0;
}

static bool has_row(const struct gl_launch_rows *rows)
{
    for (size_t i = 0; i < rows->count; i++)
        if (may_have_taken(&rows->rows[i]))
            return true;
    return false;
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

static int look_at_all(struct enforcing *e)
{
    struct paths paths = {NULL, 0};
    int result = ask_all(e);

    if (result == 0)
        result = gl_budget_accounts(e->launcher->ledger, &paths, add_path, e->err);
    for (size_t i = 0; result == 0 && i < paths.count; i++)
        if (look_at(e, paths.items[i]) != 0 || warn_of(e, paths.items[i]) != 0)
            result = -1;
    if (result == 0)
        resume_all(e);
    free(paths.items);
    return result;
}

int gl_budget_enforce(struct gl_launcher *launcher, struct gl_capped *out, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) struct enforcing *e = gl_alloc(sizeof *e);
    int result;

    *out = (struct gl_capped){0};
    *e = (struct enforcing){.launcher = launcher,
                            .out = out,
                            .err = err,
                            .now_ms = launcher->world->now_ms(launcher->world->cookie)};
    if (gl_budget_caps(launcher->ledger, &e->caps, err) != 0)
        return -1;
    result = gl_ledger_launches(launcher->ledger, NULL, &e->rows, err);
    if (result == 0 && e->caps.count > 0 && has_row(&e->rows)) {
        e->taken = gl_alloc((e->rows.count + 1) * sizeof *e->taken);
        e->holders = gl_alloc((e->rows.count + 1) * sizeof *e->holders);
        result = look_at_all(e);
    }
    free(e->taken);
    free(e->holders);
    gl_launch_rows_free(&e->rows);
    gl_caps_done(&e->caps);
    return result;
}
