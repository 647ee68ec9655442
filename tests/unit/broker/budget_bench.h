/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_TESTS_BUDGET_BENCH_H
#define GL_TESTS_BUDGET_BENCH_H

/* Caps, reservations and spendings of a ledger of its own. For test_ledger_*.c, one program each.
 */

#include "broker/budget_relocation.h"
#include "tests/unit/broker/ledger_bench.h"

#include <stdio.h>

#define LEASE_MS (3600000 + GL_HOLD_MS)

static inline void set(struct gl_ledger *ledger, const char *account, const char *limit)
{
    struct gl_cap cap = {.limit = {GL_UNKNOWN, GL_UNKNOWN}, .zone = "UTC"};
    char tag[GL_ACCOUNT_SEGMENT];

    snprintf(cap.path, sizeof cap.path, "%s", account);
    assert_int_equal(gl_cap_read(limit, &cap, tag, &err), 0);
    if (gl_budget_set(ledger, &cap, "Ada", &err) != 0)
        fail_msg("%s", err.text);
}

static inline int reserve_as(struct gl_ledger *ledger, const char *launch, const char *account,
                             int64_t ug, const char *override)
{
    GL_AUTO(gl_auto_free) struct gl_payer *payer = gl_alloc(sizeof *payer);
    GL_AUTO(gl_auto_json) json_t *charge = NULL;
    GL_AUTO(gl_auto_json) json_t *body = json_object();
    struct gl_launch_change change = {GL_LAUNCH_KEEP, .launch = launch, .state = "intended"};
    const struct gl_amount wanted = {ug, GL_UNKNOWN};

    payer->account_count = 1;
    snprintf(payer->accounts[0], sizeof payer->accounts[0], "%s", account);
    payer->override_why = override;
    payer->override_by = "Ada";
    charge = gl_charge_json(payer);
    gl_error_clear(&err);
    json_object_set_new(
        body, "budget",
        gl_budget_reserve_json(charge, &wanted, gl_ledger_now_ms(ledger) + LEASE_MS));
    return gl_ledger_append(ledger, "intent", launch, body, &change, &err);
}

static inline int reserve(struct gl_ledger *ledger, const char *launch, const char *account,
                          int64_t ug)
{
    return reserve_as(ledger, launch, account, ug, NULL);
}

static inline void finish(struct gl_ledger *ledger, const char *launch, int64_t ug, int64_t from_ms,
                          int64_t until_ms)
{
    GL_AUTO(gl_auto_json) json_t *body = json_pack("{s:s}", "state", "ended");
    struct gl_launch_change change = {GL_LAUNCH_KEEP, .launch = launch, .state = "ended"};
    const struct gl_amount spent = {ug, 0};

    if (ug >= 0)
        json_object_set_new(body, "budget", gl_budget_spend_json(&spent, from_ms, until_ms));
    assert_int_equal(gl_ledger_append(ledger, "ended", launch, body, &change, &err), 0);
}

static inline struct gl_balance balance_at(struct gl_ledger *ledger, const char *account,
                                           int64_t at_ms)
{
    GL_AUTO(gl_caps_done) struct gl_caps caps = {0, NULL};
    struct gl_account_state state;
    const struct gl_cap *cap;

    assert_int_equal(gl_budget_caps(ledger, &caps, &err), 0);
    cap = gl_account_cap(caps.items, caps.count, account);
    assert_non_null(cap);
    assert_int_equal(gl_budget_state(ledger, cap, account, at_ms, NULL, &state, &err), 0);
    return state.balance;
}

static inline struct gl_balance balance(struct gl_ledger *ledger, const char *account)
{
    return balance_at(ledger, account, gl_ledger_now_ms(ledger));
}

static inline void assert_sound(struct gl_ledger *ledger)
{
    struct gl_ledger_check check;

    if (gl_ledger_check(ledger, &check, &err) != 0)
        fail_msg("%s", err.text);
}

static inline int64_t hold_of(struct gl_ledger *ledger, const char *launch)
{
    struct gl_amount amount = {0, 0};
    bool is_held;

    assert_int_equal(gl_budget_hold(ledger, launch, &is_held, &amount, &err), 0);
    return is_held ? amount.ug : -1;
}

#endif
