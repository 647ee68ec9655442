/* SPDX-License-Identifier: Apache-2.0 */
/* What fits: asked inside the transaction that would write it. */
#include <stdio.h>
#include <string.h>

#include "base/time.h"
#include "broker/budget_part.h"

/* Everything asked of the accounts for one event. */
struct asking {
    struct gl_ledger *ledger;
    const char *launch;
    const json_t *budget;
    struct gl_amount wanted;
    int64_t now_ms;
    struct gl_caps caps;
};

static int begin(struct gl_ledger *ledger, const char *launch, const json_t *budget,
                 struct asking *out, struct gl_error *err)
{
    *out = (struct asking){
        .ledger = ledger,
        .launch = launch,
        .budget = budget,
        .wanted = {gl_budget_member(budget, "ug"), gl_budget_member(budget, "u_usd")},
        .now_ms = ledger->world->now_ms(ledger->world->cookie)};
    return gl_budget_caps(ledger, &out->caps, err);
}

/* ---- telling ---- */

static void add_fitting(const struct asking *asking, const struct gl_cap *cap,
                        const struct gl_account_state *state, struct gl_str *out)
{
    int64_t lease_s = (gl_budget_member(asking->budget, "until_ms") - asking->now_ms) / 1000;
    int64_t fit_s =
        gl_budget_fit_s(cap, &state->balance, &asking->wanted, lease_s > 0 ? lease_s : 0);
    char span[GL_QUANTITY_TEXT];

    if (fit_s >= 60)
        gl_str_addf(out, "; what would fit: %s of it",
                    gl_span_text((struct gl_span){fit_s - fit_s % 60}, span));
    else
        gl_str_add(out, "; nothing of it would fit");
}

static int fail_over(const struct asking *asking, const struct gl_cap *cap, const char *path,
                     const struct gl_account_state *state, struct gl_error *err)
{
    struct gl_amount left = gl_balance_left_of(cap, &state->balance);
    bool is_money = left.ug == GL_UNKNOWN || asking->wanted.ug <= left.ug;
    GL_AUTO(gl_str_done) struct gl_str text = {0};

    gl_budget_left_text(cap, state, is_money, &text);
    gl_str_add(&text, "; this takes up to ");
    if (is_money)
        gl_money_text(asking->wanted.u_usd, &text);
    else
        gl_grams_text(asking->wanted.ug, &text);
    add_fitting(asking, cap, state, &text);
    return gl_fail(err, GL_E_BUDGET, "budget %s: %s", path, gl_str_text(&text));
}

static int fail_unknown(const struct asking *asking, const struct gl_cap *cap, const char *path,
                        struct gl_error *err)
{
    bool is_money = cap->limit.ug == GL_UNKNOWN || asking->wanted.ug != GL_UNKNOWN;

    return gl_fail(err, GL_E_UNKNOWN_DATA,
                   "budget %s: %s, and what is not known cannot be reserved", path,
                   is_money ? "its price is not known"
                            : "what it would emit is not known over all of its time");
}

/* ---- reservations ---- */

static int allow_at(const struct asking *asking, const char *path, struct gl_error *err)
{
    const struct gl_cap *cap = gl_account_cap(asking->caps.items, asking->caps.count, path);
    struct gl_account_state state;

    if (cap == NULL || cap->is_advisory)
        return 0;
    if (gl_budget_state(asking->ledger, cap, path, asking->now_ms, asking->launch, &state, err) !=
        0)
        return -1;
    switch (gl_budget_fit(cap, &state.balance, &asking->wanted)) {
    case GL_FITS:
        return 0;
    case GL_FIT_UNKNOWN:
        return fail_unknown(asking, cap, path, err);
    default:
        return fail_over(asking, cap, path, &state, err);
    }
}

/* The caps that come with the reservation hold for it. */
static int add_caps(struct asking *asking, struct gl_error *err)
{
    const json_t *item;
    size_t i;

    json_array_foreach(json_object_get(asking->budget, "caps"), i, item)
    {
        struct gl_caps *caps = &asking->caps;
        struct gl_cap cap;
        size_t at = 0;

        if (gl_cap_of_json(item, &cap, err) != 0)
            return -1;
        while (at < caps->count && strcmp(caps->items[at].path, cap.path) != 0)
            at++;
        if (at == caps->count)
            caps->items = gl_realloc(caps->items, ++caps->count * sizeof *caps->items);
        caps->items[at] = cap;
    }
    return 0;
}

static int allow_reserve(struct asking *asking, struct gl_error *err)
{
    const json_t *item;
    size_t i;

    if (json_is_object(json_object_get(asking->budget, "override")))
        return 0;
    if (add_caps(asking, err) != 0)
        return -1;
    json_array_foreach(json_object_get(asking->budget, "accounts"), i, item)
    {
        char path[GL_ACCOUNT_PATH];

        snprintf(path, sizeof path, "%s", json_string_value(item));
        do
            if (allow_at(asking, path, err) != 0)
                return -1;
        while (gl_account_up(path));
    }
    return 0;
}

/* ---- transfers: no account gives what it does not have ---- */

static int allow_delta(const struct asking *asking, const json_t *delta, struct gl_error *err)
{
    const char *path = json_string_value(json_object_get(delta, "path"));
    const struct gl_cap *cap = gl_account_cap(asking->caps.items, asking->caps.count, path);
    struct gl_amount gives = {-gl_budget_member(delta, "ug"), -gl_budget_member(delta, "u_usd")};
    struct gl_account_state state;
    GL_AUTO(gl_str_done) struct gl_str text = {0};
    struct gl_amount left;

    if (cap == NULL || (gives.ug <= 0 && gives.u_usd <= 0))
        return 0;
    if (gl_budget_state(asking->ledger, cap, path, asking->now_ms, NULL, &state, err) != 0)
        return -1;
    left = gl_balance_left_of(cap, &state.balance);
    if ((left.ug == GL_UNKNOWN || gives.ug <= left.ug || gives.ug <= 0) &&
        (left.u_usd == GL_UNKNOWN || gives.u_usd <= left.u_usd || gives.u_usd <= 0))
        return 0;
    gl_budget_left_text(cap, &state, gives.ug <= 0, &text);
    return gl_fail(err, GL_E_BUDGET, "budget %s cannot give so much: %s", path, gl_str_text(&text));
}

static int allow_move(struct asking *asking, struct gl_error *err)
{
    const json_t *delta;
    size_t i;

    json_array_foreach(json_object_get(asking->budget, "deltas"), i, delta)
    {
        if (allow_delta(asking, delta, err) != 0)
            return -1;
    }
    return 0;
}

int gl_ledger_budget_allow(struct gl_ledger *ledger, const char *launch, const json_t *body,
                           struct gl_error *err)
{
    const json_t *budget = json_object_get(body, "budget");
    const char *op = json_string_value(json_object_get(budget, "op"));
    bool is_move = op != NULL && strcmp(op, "move") == 0;
    struct asking asking;
    int result;

    if (op == NULL || (!is_move && strcmp(op, "reserve") != 0))
        return 0;
    if (begin(ledger, launch, budget, &asking, err) != 0)
        return -1;
    result = is_move ? allow_move(&asking, err) : allow_reserve(&asking, err);
    gl_caps_done(&asking.caps);
    return result;
}
