/* SPDX-License-Identifier: Apache-2.0 */
/* A reservation against every cap above its accounts: which has no room, and what would fit. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "broker/budget_part.h"

/* Everything asked of the accounts for one reservation. */
struct asking {
    struct gl_ledger *ledger;
    const char *launch;
    struct gl_amount wanted;
    int64_t now_ms, lease_s;
    struct gl_caps caps;
    struct gl_short *out;
    bool is_short;
    bool goes_on; /* from another launch: of what it needs no more it may have none left */
};

/* The caps that come with the reservation hold for it. */
static int add_caps(struct gl_caps *caps, const json_t *list, struct gl_error *err)
{
    const json_t *item;
    size_t i;

    json_array_foreach(list, i, item)
    {
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

/* ---- when it would fit ---- */

static bool has_room(const struct gl_cap *cap, const struct gl_amount *taken,
                     const struct gl_amount *wanted)
{
    const struct gl_balance balance = {.held = *taken};

    return gl_budget_fit(cap, &balance, wanted) == GL_FITS;
}

/* Of a sliding window: when enough has fallen out. */
static int fits_sliding(const struct asking *asking, const struct gl_cap *cap, const char *path,
                        const struct gl_account_state *state, int64_t *out_s, struct gl_error *err)
{
    struct gl_amount left = gl_balance_left_of(cap, &state->balance), missing = {0, 0};
    const struct gl_amount *granted = &state->balance.granted;

    *out_s = GL_UNKNOWN;
    if (!has_room(cap, &state->balance.held, &asking->wanted))
        return 0;
    if (left.ug != GL_UNKNOWN && asking->wanted.ug > left.ug)
        missing.ug = asking->wanted.ug - left.ug + gl_balance_overdrawn(cap->limit.ug, granted->ug);
    if (left.u_usd != GL_UNKNOWN && asking->wanted.u_usd > left.u_usd)
        missing.u_usd = asking->wanted.u_usd - left.u_usd +
                        gl_balance_overdrawn(cap->limit.u_usd, granted->u_usd);
    return gl_budget_falls_out(asking->ledger, cap, path, asking->now_ms / 1000, &missing, out_s,
                               err);
}

/* In the next window of a calendar, beside what will still be reserved then. */
static int fits_from(const struct asking *asking, const struct gl_cap *cap, const char *path,
                     const struct gl_account_state *state, int64_t *out_s, struct gl_error *err)
{
    struct gl_amount held;

    if (cap->period.period == GL_PER_SPAN)
        return fits_sliding(asking, cap, path, state, out_s, err);
    if (gl_budget_held_at(asking->ledger, path, state->window.until_s * 1000, asking->launch, &held,
                          err) != 0)
        return -1;
    *out_s = has_room(cap, &held, &asking->wanted) ? state->window.until_s : GL_UNKNOWN;
    return 0;
}

/* ---- asking ---- */

static void take_short(struct asking *asking, const struct gl_cap *cap, const char *path,
                       const struct gl_account_state *state, enum gl_fit fit)
{
    struct gl_amount left = gl_balance_left_of(cap, &state->balance);
    bool is_unknown = fit == GL_FIT_UNKNOWN;
    bool has_grams = is_unknown ? cap->limit.ug == GL_UNKNOWN || asking->wanted.ug != GL_UNKNOWN
                                : left.ug == GL_UNKNOWN || asking->wanted.ug <= left.ug;
    struct gl_short *out = asking->out;

    *out = (struct gl_short){.cap = *cap,
                             .state = *state,
                             .wanted = asking->wanted,
                             .is_money = has_grams,
                             .is_unknown = is_unknown,
                             .fit_s = asking->lease_s,
                             .lease_s = asking->lease_s,
                             .fits_from_s = asking->now_ms / 1000};
    snprintf(out->account, sizeof out->account, "%s", path);
}

/* As far as it limits what is asked for. */
static struct gl_cap limiting(const struct asking *asking, const struct gl_cap *cap)
{
    struct gl_cap limiting = *cap;

    if (asking->goes_on && asking->wanted.ug == 0)
        limiting.limit.ug = GL_UNKNOWN;
    if (asking->goes_on && asking->wanted.u_usd == 0)
        limiting.limit.u_usd = GL_UNKNOWN;
    return limiting;
}

static int ask_at(struct asking *asking, const char *path, struct gl_error *err)
{
    const struct gl_cap *cap = gl_account_cap(asking->caps.items, asking->caps.count, path);
    struct gl_account_state state;
    struct gl_cap limits;
    int64_t fit_s, from_s;
    enum gl_fit fit;

    if (cap == NULL || cap->is_advisory)
        return 0;
    limits = limiting(asking, cap);
    cap = &limits;
    if (gl_budget_state(asking->ledger, cap, path, asking->now_ms, asking->launch, &state, err) !=
        0)
        return -1;
    fit = gl_budget_fit(cap, &state.balance, &asking->wanted);
    if (fit == GL_FITS)
        return 0;
    if (fits_from(asking, cap, path, &state, &from_s, err) != 0)
        return -1;
    if (!asking->is_short)
        take_short(asking, cap, path, &state, fit);
    asking->is_short = true;
    fit_s = fit == GL_FIT_UNKNOWN
                ? 0
                : gl_budget_fit_s(cap, &state.balance, &asking->wanted, asking->lease_s);
    asking->out->fit_s = fit_s < asking->out->fit_s ? fit_s : asking->out->fit_s;
    if (asking->out->fits_from_s != GL_UNKNOWN)
        asking->out->fits_from_s = from_s == GL_UNKNOWN || from_s > asking->out->fits_from_s
                                       ? from_s
                                       : asking->out->fits_from_s;
    return 0;
}

static int ask_all(struct asking *asking, const json_t *reserve, struct gl_error *err)
{
    const json_t *item;
    size_t i;

    if (gl_budget_caps(asking->ledger, &asking->caps, err) != 0 ||
        add_caps(&asking->caps, json_object_get(reserve, "caps"), err) != 0)
        return -1;
    json_array_foreach(json_object_get(reserve, "accounts"), i, item)
    {
        const char *account = json_string_value(item);
        char path[GL_ACCOUNT_PATH];

        snprintf(path, sizeof path, "%s", account != NULL ? account : "");
        do
            if (ask_at(asking, path, err) != 0)
                return -1;
        while (gl_account_up(path));
    }
    return asking->is_short;
}

/* ---- a launch that goes on from another ---- */

/* What two need beyond what the other one holds, which is counted already. */
static int64_t beyond(int64_t wanted, int64_t used, int64_t other, int64_t own)
{
    int64_t both, total;

    if (wanted == GL_UNKNOWN || used == GL_UNKNOWN || other == GL_UNKNOWN)
        return wanted;
    if (__builtin_add_overflow(wanted, used, &both) ||
        __builtin_add_overflow(other, own != GL_UNKNOWN ? own : 0, &total))
        return INT64_MAX;
    return (both > total ? both : total) - other;
}

/* A lease that goes on is not cut. */
static int go_on_from(struct asking *asking, const json_t *from, struct gl_error *err)
{
    const char *launch = json_string_value(json_object_get(from, "launch"));
    struct gl_amount other, own = {0, 0};
    bool is_held = false, is_own;

    if (launch != NULL && gl_budget_hold(asking->ledger, launch, &is_held, &other, err) != 0)
        return -1;
    if (!is_held)
        return 0;
    if (gl_budget_hold(asking->ledger, asking->launch, &is_own, &own, err) != 0)
        return -1;
    asking->wanted = (struct gl_amount){
        beyond(asking->wanted.ug, gl_budget_member(from, "ug"), other.ug, own.ug),
        beyond(asking->wanted.u_usd, gl_budget_member(from, "u_usd"), other.u_usd, own.u_usd)};
    asking->lease_s = 0;
    asking->goes_on = true;
    return 0;
}

int gl_budget_short(struct gl_ledger *ledger, const char *launch, const json_t *reserve,
                    struct gl_short *out, struct gl_error *err)
{
    struct asking asking = {
        .ledger = ledger,
        .launch = launch,
        .wanted = {gl_budget_member(reserve, "ug"), gl_budget_member(reserve, "u_usd")},
        .now_ms = gl_ledger_now_ms(ledger),
        .out = out};
    int64_t until_ms = gl_budget_member(reserve, "until_ms") - GL_HOLD_MS;
    int result;

    asking.lease_s = until_ms > asking.now_ms ? (until_ms - asking.now_ms) / 1000 : 0;
    if (go_on_from(&asking, json_object_get(reserve, "from"), err) != 0)
        return -1;
    result = ask_all(&asking, reserve, err);
    gl_caps_done(&asking.caps);
    return result;
}

/* ---- telling ---- */

static void add_amount(int64_t amount, bool is_money, struct gl_str *out)
{
    if (is_money)
        gl_money_text(amount, out);
    else
        gl_grams_text(amount, out);
}

static void add_fitting(const struct gl_short *what, struct gl_str *out)
{
    char span[GL_QUANTITY_TEXT], at[GL_INSTANT_TEXT];
    bool has_part = what->fit_s >= 60;

    if (has_part)
        gl_str_addf(out, "; what would fit: %s of it",
                    gl_span_text((struct gl_span){what->fit_s - what->fit_s % 60}, span));
    else
        gl_str_add(out, "; nothing of it would fit");
    if (what->fits_from_s != GL_UNKNOWN)
        gl_str_addf(out, "%s all of it from %s on", has_part ? ", or" : " now,",
                    gl_instant_text((struct gl_instant){what->fits_from_s}, at));
}

void gl_short_text(const struct gl_short *what, struct gl_str *out)
{
    if (what->is_unknown) {
        gl_str_addf(out, "%s, and what is not known cannot be reserved",
                    what->is_money ? "its price is not known"
                                   : "what it would emit is not known over all of its time");
        return;
    }
    gl_budget_left_text(&what->cap, &what->state, what->is_money, out);
    gl_str_add(out, "; this takes up to ");
    add_amount(what->is_money ? what->wanted.u_usd : what->wanted.ug, what->is_money, out);
    add_fitting(what, out);
}

static json_t *instant_json(int64_t at_s)
{
    char at[GL_INSTANT_TEXT];

    return at_s == GL_UNKNOWN ? json_null()
                              : json_string(gl_instant_text((struct gl_instant){at_s}, at));
}

/* Of the one that is short. */
static json_t *lack_json(const struct gl_short *what)
{
    struct gl_amount left = gl_balance_left_of(&what->cap, &what->state.balance);
    int64_t wanted = what->is_money ? what->wanted.u_usd : what->wanted.ug;
    int64_t has = what->is_money ? left.u_usd : left.ug;
    bool is_known = wanted != GL_UNKNOWN && has != GL_UNKNOWN;

    return json_pack("{s:s,s:o,s:o,s:o}", "unit", what->is_money ? "millionths of USD" : "ugCO2e",
                     "left", gl_budget_amount_json(has), "wanted", gl_budget_amount_json(wanted),
                     "short", gl_budget_amount_json(is_known ? wanted - has : GL_UNKNOWN));
}

json_t *gl_short_json(const struct gl_short *what)
{
    bool is_sliding = what->cap.period.period == GL_PER_SPAN;
    int64_t share_ppm = what->lease_s > 0 ? what->fit_s * 1000000 / what->lease_s : 0;

    return json_pack("{s:s,s:o,s:o,s:o,s:{s:I,s:I,s:o}}", "account", what->account, "cap",
                     gl_cap_json(&what->cap), "window_until",
                     instant_json(is_sliding ? GL_UNKNOWN : what->state.window.until_s), "amount",
                     lack_json(what), "fits", "duration_s", (json_int_t)what->fit_s, "share_ppm",
                     (json_int_t)share_ppm, "from", instant_json(what->fits_from_s));
}
