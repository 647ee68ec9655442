/* SPDX-License-Identifier: Apache-2.0 */
/* How much a run may take, and what it took. */
#include <string.h>

#include "broker/account.h"
#include "broker/budget_part.h"
#include "broker/budget_relocation.h"

__extension__ typedef __int128 wide;

/* Millionths of a dollar for so long, rounded up; a price that may rise counts at its cap. */
static int64_t price_of(const json_t *plan, int64_t cap_u_usd, int64_t ms)
{
    int64_t price = gl_budget_member(json_object_get(plan, "offer"), "price_u_usd_per_h");
    int64_t product;

    price = cap_u_usd > price ? cap_u_usd : price;
    if (price < 0 || __builtin_mul_overflow(price, ms, &product))
        return GL_UNKNOWN;
    return product / 3600000 + (product % 3600000 != 0);
}

static int64_t band_part(const json_t *footprint, const char *key, size_t part)
{
    const json_t *value = json_array_get(json_object_get(footprint, key), part);

    return json_is_integer(value) ? (int64_t)json_integer_value(value) : GL_UNKNOWN;
}

/* The account of a run whose meter never spoke. */
static json_t *silent_account(const struct gl_wanted_of *run, struct gl_error *err)
{
    static const char no_token[] =
        "0000000000000000000000000000000000000000000000000000000000000000";
    GL_AUTO(gl_auto_json) json_t *evidence = json_deep_copy(run->plan);
    json_t *derived = NULL, *meter;

    if (gl_json_object(evidence, "meter", &meter, err) != 0)
        return NULL;
    json_object_set_new(meter, "token", json_string(no_token));
    json_object_set_new(meter, "batches", json_array());
    json_object_set_new(meter, "forked", json_integer(0));
    json_object_set_new(evidence, "launch", json_string(""));
    if (run->series != NULL)
        json_object_set_new(evidence, "series", json_deep_copy(run->series));
    json_object_set_new(evidence, "instance",
                        json_pack("{s:I,s:I,s:i}", "started_ms", (json_int_t)run->start_ms,
                                  "ended_ms", (json_int_t)(run->start_ms + run->lease_s * 1000),
                                  "host_cpu_ms", -1));
    return gl_account(evidence, &derived, err) == 0 ? derived : NULL;
}

/* ---- the futures of its grid, where they are at hand ---- */

static bool is_same_text(const json_t *a, const json_t *b, const char *key)
{
    const char *left = json_string_value(json_object_get(a, key));
    const char *right = json_string_value(json_object_get(b, key));

    return left != NULL && right != NULL && strcmp(left, right) == 0;
}

/* Those of its own place, over all of its time: a plan may have gone elsewhere since. */
static const json_t *futures_of(const struct gl_wanted_of *run)
{
    const json_t *futures = json_object_get(json_object_get(run->plan, "budget"), "futures");
    const json_t *offer = json_object_get(run->plan, "offer");
    int64_t from_s = gl_budget_member(futures, "from_s");
    int64_t until_s = gl_budget_member(futures, "until_s");

    if (run->series != NULL || !is_same_text(futures, offer, "cloud") ||
        !is_same_text(futures, offer, "region") || from_s == GL_UNKNOWN || until_s == GL_UNKNOWN ||
        gl_budget_member(futures, "path_u") < 0 || run->start_ms / 1000 < from_s ||
        run->start_ms / 1000 + run->lease_s > until_s)
        return NULL;
    return futures;
}

json_t *gl_budget_futures_json(const struct gl_reserve_run *run, const struct gl_reserve_path *path,
                               const char *cloud, const char *region)
{
    return json_pack("{s:s,s:s,s:I,s:I,s:I,s:I,s:I}", "cloud", cloud, "region", region, "from_s",
                     (json_int_t)run->from_s, "until_s", (json_int_t)run->until_s, "p_ppm",
                     (json_int_t)run->p_ppm, "paths", (json_int_t)path->paths, "path_u",
                     (json_int_t)path->path_u);
}

static void take_futures(const json_t *futures, const json_t *footprint, int64_t lease_s,
                         struct gl_wanted *out)
{
    const struct gl_reserve reserve = {
        .facility_mj = band_part(footprint, "facility_mj", 2),
        .duration_s = lease_s,
        .path_u = gl_budget_member(futures, "path_u"),
        .embodied_ug = band_part(footprint, "embodied_ug", 2),
        .least_ug = band_part(footprint, "total_ug", 1),
    };

    if (reserve.facility_mj < 0 || reserve.embodied_ug < 0 || reserve.least_ug < 0)
        return;
    out->amount.ug = gl_reserve_ug(&reserve);
    out->p_ppm = gl_budget_member(futures, "p_ppm");
    out->paths = gl_budget_member(futures, "paths");
}

int gl_budget_wanted(const struct gl_wanted_of *run, struct gl_wanted *out, struct gl_error *err)
{
    GL_AUTO(gl_auto_json) json_t *derived = silent_account(run, err);
    const json_t *futures = futures_of(run), *footprint;

    if (derived == NULL)
        return -1;
    footprint = json_object_get(derived, "footprint");
    *out = (struct gl_wanted){
        .amount = {band_part(footprint, "total_ug", 2),
                   price_of(run->plan, run->max_price_u_usd, run->lease_s * 1000)}};
    if (futures != NULL && out->amount.ug != GL_UNKNOWN)
        take_futures(futures, footprint, run->lease_s, out);
    return 0;
}

json_t *gl_wanted_how_json(const struct gl_wanted *wanted)
{
    if (wanted->p_ppm == 0)
        return json_pack("{s:s}", "method", "high bound of every hour");
    return json_pack("{s:s,s:I,s:I}", "method", "quantile of path sums", "p_ppm",
                     (json_int_t)wanted->p_ppm, "paths", (json_int_t)wanted->paths);
}

json_t *gl_budget_reserve_of(const struct gl_wanted_of *run, int64_t until_ms, struct gl_error *err)
{
    struct gl_wanted wanted;
    json_t *body;

    if (gl_budget_wanted(run, &wanted, err) != 0)
        return NULL;
    body = gl_budget_reserve_json(json_object_get(run->plan, "budget"), &wanted.amount, until_ms);
    json_object_set_new(body, "how", gl_wanted_how_json(&wanted));
    return body;
}

/* ---- a run that is under way ---- */

/* What the caps of its policies are now, the ledger knows. */
static json_t *charge_of(const json_t *plan)
{
    json_t *charge = json_copy(json_object_get(plan, "budget"));

    json_object_set_new(charge, "caps", json_array());
    return charge;
}

json_t *gl_budget_again_json(const json_t *plan, const struct gl_amount *wanted, int64_t until_ms,
                             const char *method)
{
    GL_AUTO(gl_auto_json) json_t *charge = charge_of(plan);
    json_t *body = gl_budget_reserve_json(charge, wanted, until_ms);

    json_object_set_new(body, "how", json_pack("{s:s}", "method", method));
    return body;
}

/* Its part of the time that has passed, rounded up. */
static int64_t part_of(int64_t amount, int64_t ran_ms, int64_t lease_ms)
{
    if (amount == GL_UNKNOWN || lease_ms <= 0 || ran_ms >= lease_ms)
        return amount;
    return ran_ms > 0 ? (int64_t)(((wide)amount * ran_ms + lease_ms - 1) / lease_ms) : 0;
}

int gl_budget_of_move(struct gl_ledger *ledger, const struct gl_launch_row *row,
                      const json_t *series, json_t **out, struct gl_error *err)
{
    GL_AUTO(gl_auto_json) json_t *plan = gl_json_parse(row->plan, strlen(row->plan), "plan", err);
    GL_AUTO(gl_auto_json) json_t *nothing = json_array();
    int64_t now_ms = gl_ledger_now_ms(ledger), left_s = (row->expires_ms - now_ms + 999) / 1000;
    struct gl_wanted there;
    struct gl_amount held;
    int64_t part_ug;
    bool is_held;

    *out = NULL;
    if (plan == NULL || gl_budget_hold(ledger, row->launch, &is_held, &held, err) != 0)
        return -1;
    if (!is_held || !json_is_object(json_object_get(plan, "budget")))
        return 0;
    if (gl_budget_wanted(&(struct gl_wanted_of){.plan = plan,
                                                .series = series != NULL ? series : nothing,
                                                .start_ms = now_ms,
                                                .lease_s = left_s > 1 ? left_s : 1},
                         &there, err) != 0)
        return -1;
    part_ug = part_of(held.ug, now_ms - row->started_ms, row->expires_ms - row->started_ms);
    if (held.ug == GL_UNKNOWN || there.amount.ug == GL_UNKNOWN ||
        __builtin_add_overflow(part_ug, there.amount.ug, &part_ug))
        held.ug = GL_UNKNOWN;
    else if (part_ug > held.ug)
        held.ug = part_ug;
    *out = gl_budget_again_json(plan, &held, row->expires_ms + GL_HOLD_MS, "move to another place");
    return 0;
}

/* ---- a move to another region ---- */

static int64_t sum_of(int64_t a, int64_t b)
{
    int64_t sum;

    if (a == GL_UNKNOWN || b == GL_UNKNOWN)
        return GL_UNKNOWN;
    return __builtin_add_overflow(a, b, &sum) ? INT64_MAX : sum;
}

static int64_t most_of(int64_t a, int64_t b)
{
    if (a == GL_UNKNOWN || b == GL_UNKNOWN)
        return GL_UNKNOWN;
    return a > b ? a : b;
}

/* It goes there, or it is tried there and stays. */
static struct gl_amount relocation(const struct gl_relocation_held *held,
                                   const struct gl_amount *there, const struct gl_amount *trial)
{
    return (struct gl_amount){
        most_of(sum_of(held->used.ug, there->ug), sum_of(held->alone.ug, trial->ug)),
        most_of(sum_of(held->used.u_usd, there->u_usd), sum_of(held->alone.u_usd, trial->u_usd))};
}

/* What it used by now: its part of the time, or what its meter tells where that is more. */
static void use_so_far(const struct gl_relocation_of *of, int64_t now_ms,
                       struct gl_relocation_held *held)
{
    const struct gl_launch_row *row = of->row;
    int64_t ran_ms = now_ms - row->started_ms + (of->runs_on ? of->trial_s * 1000 : 0);
    int64_t lease_ms = row->expires_ms - row->started_ms;

    held->used = (struct gl_amount){part_of(held->alone.ug, ran_ms, lease_ms),
                                    part_of(held->alone.u_usd, ran_ms, lease_ms)};
    if (held->used.ug != GL_UNKNOWN && of->told_ug > held->used.ug)
        held->used.ug = of->told_ug;
    held->alone.ug = most_of(held->alone.ug, held->used.ug);
}

int gl_budget_of_relocation(struct gl_ledger *ledger, const struct gl_relocation_of *of,
                            struct gl_relocation_held *out_held, json_t **out, struct gl_error *err)
{
    const struct gl_launch_row *row = of->row;
    GL_AUTO(gl_auto_json) json_t *plan = gl_json_parse(row->plan, strlen(row->plan), "plan", err);
    int64_t now_ms = gl_ledger_now_ms(ledger), left_s = (row->expires_ms - now_ms + 999) / 1000;
    struct gl_wanted_of run = {.plan = of->plan,
                               .start_ms = now_ms,
                               .lease_s = left_s > 1 ? left_s : 1,
                               .max_price_u_usd = of->max_price_u_usd};
    struct gl_relocation_held held = {.is_held = false};
    struct gl_wanted there, trial;
    struct gl_amount whole;

    *out_held = held;
    *out = NULL;
    if (plan == NULL || gl_budget_hold(ledger, row->launch, &held.is_held, &held.alone, err) != 0)
        return -1;
    if (!held.is_held || !json_is_object(json_object_get(plan, "budget")))
        return 0;
    use_so_far(of, now_ms, &held);
    if (gl_budget_wanted(&run, &there, err) != 0)
        return -1;
    run.lease_s = of->trial_s < run.lease_s ? of->trial_s : run.lease_s;
    if (gl_budget_wanted(&run, &trial, err) != 0)
        return -1;
    whole = relocation(&held, &there.amount, &trial.amount);
    *out = gl_budget_again_json(plan, &whole, row->expires_ms + GL_HOLD_MS, "move by image");
    *out_held = held;
    return 0;
}

/* ---- what it took ---- */

void gl_budget_of_receipt(const json_t *receipt, const struct gl_amount *held,
                          struct gl_amount *out)
{
    const json_t *evidence = json_object_get(receipt, "evidence");
    const json_t *instance = json_object_get(evidence, "instance");
    int64_t ug =
        band_part(json_object_get(json_object_get(receipt, "derived"), "footprint"), "total_ug", 1);
    int64_t ran_ms = json_integer_value(json_object_get(instance, "ended_ms")) -
                     json_integer_value(json_object_get(instance, "started_ms"));

    *out = (struct gl_amount){ug != GL_UNKNOWN ? ug : held->ug,
                              price_of(evidence, 0, ran_ms > 0 ? ran_ms : 0)};
    if (out->u_usd == GL_UNKNOWN)
        out->u_usd = held->u_usd;
}
