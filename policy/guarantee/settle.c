/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/guarantee/guarantee.h"

#include "policy/guarantee/evidence.h"

static bool is_due(const struct gl_actuals *actuals, int64_t hour_s, int64_t now_s)
{
    return hour_s + GL_HOUR_S + (int64_t)actuals->lag_h * GL_HOUR_S <= now_s;
}

static bool is_estimated(const struct gl_actuals *actuals, int64_t hour_s)
{
    size_t i = (size_t)((hour_s - actuals->start_s) / GL_HOUR_S);

    return actuals->state != NULL && (actuals->state[i] & GL_HOUR_ESTIMATED) != 0;
}

/* One leg over all hours: GL_SETTLED_BREACHED at the first known breaking hour, else the first
 * reason why it cannot be called kept. A sum of what is known already breaks a budget, since
 * intensities are not negative; without a missing hour it keeps it. */
static struct gl_settled settle_leg(const struct gl_leg *leg, const struct gl_actuals *actuals,
                                    const struct gl_promise *promise, int64_t now_s)
{
    struct gl_settled settled = {.kind = GL_SETTLED_KEPT};
    double sum = 0;
    uint32_t k;

    for (k = 0; k < promise->hours; k++) {
        int64_t hour_s = promise->start_s + (int64_t)k * GL_HOUR_S;
        float value;

        if (!is_due(actuals, hour_s, now_s)) {
            settled.kind = GL_SETTLED_NOT_YET;
            return settled;
        }
        if (!gl_actual_at(actuals, hour_s, &value)) {
            if (settled.kind == GL_SETTLED_KEPT)
                settled.hour = k;
            settled.kind = GL_SETTLED_MISSING;
            continue;
        }
        settled.on_estimates = settled.on_estimates || is_estimated(actuals, hour_s);
        sum += (double)value;
        if (leg->kind == GL_LEG_BUDGET ? sum > (double)leg->limit : gl_leg_breaks(leg, value))
            return (struct gl_settled){GL_SETTLED_BREACHED, k, is_estimated(actuals, hour_s)};
    }
    return settled;
}

/* Breached (the earliest hour) before not yet before missing before kept. */
static bool is_worse(const struct gl_settled *a, const struct gl_settled *b)
{
    static const unsigned char rank[] = {[GL_SETTLED_KEPT] = 0,
                                         [GL_SETTLED_MISSING] = 1,
                                         [GL_SETTLED_NOT_YET] = 2,
                                         [GL_SETTLED_BREACHED] = 3};

    if (a->kind != b->kind)
        return rank[a->kind] > rank[b->kind];
    return a->hour < b->hour;
}

void gl_guarantee_settle(const struct gl_guarantee_rule *rule,
                         const struct gl_actuals *const *actuals, const struct gl_promise *promise,
                         int64_t now_s, struct gl_settled *out_settled)
{
    struct gl_settled worst = settle_leg(&rule->leg[0], actuals[0], promise, now_s);
    bool on_estimates = worst.on_estimates;
    size_t i;

    for (i = 1; i < rule->count; i++) {
        struct gl_settled leg = settle_leg(&rule->leg[i], actuals[i], promise, now_s);

        on_estimates = on_estimates || leg.on_estimates;
        if (is_worse(&leg, &worst))
            worst = leg;
    }
    if (worst.kind != GL_SETTLED_BREACHED)
        worst.on_estimates = on_estimates;
    if (promise->hours == 0)
        worst = (struct gl_settled){.kind = GL_SETTLED_NOT_YET};
    *out_settled = worst;
}
