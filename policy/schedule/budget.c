/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/schedule/budget.h"

#include <stdlib.h>

#define STEPS 100 /* halvings: beyond the precision of a double */

/* Least price + lambda * carbon; of equals the greener, then the cheaper, then the first. */
static size_t choice_of(const struct gl_budget_job *job, double lambda)
{
    size_t best = 0;

    for (size_t i = 1; i < job->count; i++) {
        const struct gl_option *a = &job->options[i], *b = &job->options[best];
        const double cost_a = a->price + lambda * a->carbon_g;
        const double cost_b = b->price + lambda * b->carbon_g;

        if (cost_a < cost_b || (cost_a <= cost_b && a->carbon_g < b->carbon_g))
            best = i;
    }
    return best;
}

static size_t greenest_of(const struct gl_budget_job *job)
{
    size_t best = 0;

    for (size_t i = 1; i < job->count; i++) {
        const struct gl_option *a = &job->options[i], *b = &job->options[best];

        if (a->carbon_g < b->carbon_g || (a->carbon_g <= b->carbon_g && a->price < b->price))
            best = i;
    }
    return best;
}

static double carbon_at(const struct gl_budget_job *jobs, size_t count, double lambda)
{
    double sum = 0;

    for (size_t j = 0; j < count; j++)
        sum += jobs[j].options[choice_of(&jobs[j], lambda)].carbon_g;
    return sum;
}

static double least_carbon(const struct gl_budget_job *jobs, size_t count)
{
    double sum = 0;

    for (size_t j = 0; j < count; j++)
        sum += jobs[j].options[greenest_of(&jobs[j])].carbon_g;
    return sum;
}

/* The smallest multiplier found that keeps the budget; -1 when none up to the largest does. */
static double multiplier(const struct gl_budget_job *jobs, size_t count, double budget_g)
{
    double low = 0, high = 1e-12;

    if (carbon_at(jobs, count, 0) <= budget_g)
        return 0;
    while (carbon_at(jobs, count, high) > budget_g) {
        low = high;
        high *= 4;
        if (high > 1e18)
            return -1;
    }
    for (int i = 0; i < STEPS; i++) {
        const double middle = low + (high - low) / 2;

        if (carbon_at(jobs, count, middle) <= budget_g)
            high = middle;
        else
            low = middle;
    }
    return high;
}

/* Grams between the chosen option and the next dirtier one that is cheaper. */
static double step_of(const struct gl_budget_job *job, size_t chosen)
{
    const struct gl_option *now = &job->options[chosen];
    double step = 0;

    for (size_t i = 0; i < job->count; i++)
        if (job->options[i].price < now->price && job->options[i].carbon_g - now->carbon_g > step)
            step = job->options[i].carbon_g - now->carbon_g;
    return step;
}

void gl_budget_choose(const struct gl_budget_job *jobs, size_t count, double budget_g,
                      size_t *out_choice, struct gl_budget_answer *out)
{
    struct gl_budget_answer answer = {0};
    bool is_greenest;

    answer.is_kept = least_carbon(jobs, count) <= budget_g;
    answer.lambda = answer.is_kept ? multiplier(jobs, count, budget_g) : -1;
    is_greenest = answer.lambda < 0;
    for (size_t j = 0; j < count; j++) {
        const struct gl_option *option;
        double step;

        out_choice[j] = is_greenest ? greenest_of(&jobs[j]) : choice_of(&jobs[j], answer.lambda);
        option = &jobs[j].options[out_choice[j]];
        answer.price += option->price;
        answer.carbon_g += option->carbon_g;
        step = step_of(&jobs[j], out_choice[j]);
        answer.largest_step_g = step > answer.largest_step_g ? step : answer.largest_step_g;
    }
    *out = answer;
}

/* ---- the front ---- */

struct point {
    double price, carbon_g;
    size_t index;
};

static int by_price(const void *left, const void *right)
{
    const struct point *a = left, *b = right;

    if (a->price < b->price || a->price > b->price)
        return a->price < b->price ? -1 : 1;
    if (a->carbon_g < b->carbon_g || a->carbon_g > b->carbon_g)
        return a->carbon_g < b->carbon_g ? -1 : 1;
    return a->index < b->index ? -1 : a->index > b->index;
}

/* b lies on or above the line from a to c. */
static bool is_above(const struct point *a, const struct point *b, const struct point *c)
{
    return (b->price - a->price) * (c->carbon_g - a->carbon_g) <=
           (c->price - a->price) * (b->carbon_g - a->carbon_g);
}

size_t gl_front_hull(const struct gl_option *points, size_t count, struct gl_arena *arena,
                     size_t *out_hull)
{
    struct point *sorted = gl_arena_take(arena, (count + 1) * sizeof *sorted);
    size_t kept = 0;

    for (size_t i = 0; i < count; i++)
        sorted[i] = (struct point){points[i].price, points[i].carbon_g, i};
    qsort(sorted, count, sizeof *sorted, by_price);
    for (size_t i = 0; i < count; i++) {
        /* Dearer and not greener: no multiplier wants it. */
        if (kept > 0 && sorted[i].carbon_g >= sorted[kept - 1].carbon_g)
            continue;
        while (kept > 1 && is_above(&sorted[kept - 2], &sorted[kept - 1], &sorted[i]))
            kept--;
        sorted[kept++] = sorted[i];
    }
    for (size_t i = 0; i < kept; i++)
        out_hull[i] = sorted[i].index;
    return kept;
}
