/* SPDX-License-Identifier: Apache-2.0 */
/* What fits: asked inside the transaction that would write it. */
#include <stdio.h>
#include <string.h>

#include "base/time.h"
#include "broker/budget_part.h"

/* ---- reservations ---- */

static int check_override(const json_t *override, struct gl_error *err)
{
    static const char *const keys[] = {"why", "by"};

    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        if (gl_text_is_blank(json_string_value(json_object_get(override, keys[i]))))
            return gl_fail(err, GL_E_BUDGET,
                           "a launch over its budget says why, and who approved it");
    }
    return 0;
}

/* What has ended holds nothing: who asks for more did not know yet. */
static int check_is_on(struct gl_ledger *ledger, const char *launch, struct gl_error *err)
{
    STATEMENT statement = NULL;

    if (gl_ledger_prepare(
            ledger, "SELECT 1 FROM main.launches WHERE launch=? AND state IN ('ended','lost')",
            &statement, err) != 0)
        return -1;
    sqlite3_bind_text(statement, 1, launch, -1, SQLITE_TRANSIENT);
    switch (sqlite3_step(statement)) {
    case SQLITE_DONE:
        return 0;
    case SQLITE_ROW:
        return gl_fail(err, GL_E_UNKNOWN_NAME, "launch %s has ended", launch);
    default:
        return gl_ledger_fail(ledger->db, "cannot read", err);
    }
}

static int allow_reserve(struct gl_ledger *ledger, const char *launch, const json_t *budget,
                         struct gl_error *err)
{
    const json_t *override = json_object_get(budget, "override");
    GL_AUTO(gl_auto_free) struct gl_short *what = NULL;
    GL_AUTO(gl_str_done) struct gl_str text = {0};
    int result;

    if (check_is_on(ledger, launch, err) != 0)
        return -1;
    if (json_is_object(override))
        return check_override(override, err);
    what = gl_alloc(sizeof *what);
    result = gl_budget_short(ledger, launch, budget, what, err);
    if (result <= 0)
        return result;
    gl_short_text(what, &text);
    return gl_fail(err, what->is_unknown ? GL_E_UNKNOWN_DATA : GL_E_BUDGET, "budget %s: %s",
                   what->account, gl_str_text(&text));
}

/* ---- transfers: no account gives what it does not have ---- */

/* Nothing grows beyond what can be added up. */
static int allow_gain(const struct gl_cap *cap, const struct gl_balance *balance, const char *path,
                      const struct gl_amount *gains, struct gl_error *err)
{
    const struct gl_amount has = {
        cap->limit.ug != GL_UNKNOWN ? cap->limit.ug : 0,
        cap->limit.u_usd != GL_UNKNOWN ? cap->limit.u_usd : 0,
    };
    int64_t sum;

    if (__builtin_add_overflow(has.ug, gains->ug, &sum) ||
        __builtin_add_overflow(sum, balance->granted.ug, &sum) ||
        __builtin_add_overflow(has.u_usd, gains->u_usd, &sum) ||
        __builtin_add_overflow(sum, balance->granted.u_usd, &sum))
        return gl_fail(err, GL_E_BUDGET, "budget %s cannot hold so much", path);
    return 0;
}

static int allow_delta(struct gl_ledger *ledger, const struct gl_caps *caps, const json_t *delta,
                       struct gl_error *err)
{
    const char *path = json_string_value(json_object_get(delta, "path"));
    const struct gl_cap *cap = gl_account_cap(caps->items, caps->count, path);
    struct gl_amount gives = {-gl_budget_member(delta, "ug"), -gl_budget_member(delta, "u_usd")};
    struct gl_account_state state;
    GL_AUTO(gl_str_done) struct gl_str text = {0};
    struct gl_amount left;

    if (cap == NULL)
        return 0;
    if (gl_budget_state(ledger, cap, path, gl_ledger_now_ms(ledger), NULL, &state, err) != 0)
        return -1;
    if (gives.ug <= 0 && gives.u_usd <= 0)
        return allow_gain(cap, &state.balance, path, &(struct gl_amount){-gives.ug, -gives.u_usd},
                          err);
    left = gl_balance_left_of(cap, &state.balance);
    if ((left.ug == GL_UNKNOWN || gives.ug <= left.ug || gives.ug <= 0) &&
        (left.u_usd == GL_UNKNOWN || gives.u_usd <= left.u_usd || gives.u_usd <= 0))
        return 0;
    gl_budget_left_text(cap, &state, gives.ug <= 0, &text);
    return gl_fail(err, GL_E_BUDGET, "budget %s cannot give so much: %s", path, gl_str_text(&text));
}

static int allow_move(struct gl_ledger *ledger, const char *launch, const json_t *budget,
                      struct gl_error *err)
{
    GL_AUTO(gl_caps_done) struct gl_caps caps = {0, NULL};
    const json_t *delta;
    size_t i;

    (void)launch;
    if (gl_budget_caps(ledger, &caps, err) != 0)
        return -1;
    json_array_foreach(json_object_get(budget, "deltas"), i, delta)
    {
        if (allow_delta(ledger, &caps, delta, err) != 0)
            return -1;
    }
    return 0;
}

/* ---- warnings: each level of a limit once in a window ---- */

static bool is_told(const json_t *told, const json_t *budget)
{
    return gl_budget_member(told, "ug") == gl_budget_member(budget, "ug") &&
           gl_budget_member(told, "u_usd") == gl_budget_member(budget, "u_usd") &&
           gl_budget_member(told, "ppm") >= gl_budget_member(budget, "ppm");
}

static int allow_warning(struct gl_ledger *ledger, const char *subject, const json_t *budget,
                         struct gl_error *err)
{
    STATEMENT statement = NULL;
    int step;

    if (gl_ledger_prepare(ledger, "SELECT body FROM main.events WHERE launch=? AND at_ms>=?",
                          &statement, err) != 0)
        return -1;
    sqlite3_bind_text(statement, 1, subject, -1, SQLITE_TRANSIENT);
    sqlite3_bind_int64(statement, 2, gl_budget_member(budget, "from_s") * 1000);
    while ((step = sqlite3_step(statement)) == SQLITE_ROW) {
        const char *text = (const char *)sqlite3_column_text(statement, 0);
        GL_AUTO(gl_auto_json) json_t *body = gl_json_parse(text, strlen(text), "event", err);

        if (body == NULL)
            return -1;
        if (is_told(json_object_get(body, "budget"), budget))
            return gl_fail(err, GL_E_BUSY, "it was told before");
    }
    return step == SQLITE_DONE ? 0 : gl_ledger_fail(ledger->db, "cannot read", err);
}

/* ---- all ---- */

static const struct {
    const char *op;
    int (*allow)(struct gl_ledger *ledger, const char *launch, const json_t *budget,
                 struct gl_error *err);
} ops[] = {{"reserve", allow_reserve}, {"move", allow_move}, {"warn", allow_warning}};

int gl_ledger_budget_allow(struct gl_ledger *ledger, const char *launch, const json_t *body,
                           struct gl_error *err)
{
    const json_t *budget = json_object_get(body, "budget");
    const char *op = json_string_value(json_object_get(budget, "op"));

    for (size_t i = 0; op != NULL && i < sizeof ops / sizeof *ops; i++)
        if (strcmp(ops[i].op, op) == 0)
            return ops[i].allow(ledger, launch, budget, err);
    return 0;
}
