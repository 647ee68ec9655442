/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_POLICY_SCHEDULE_BUDGET_H
#define GL_POLICY_SCHEDULE_BUDGET_H

/* A carbon budget over many jobs, and the front between money and carbon. Every job has options
 * (now, later, elsewhere, spot ...), each with a price and grams. One multiplier for all: each job
 * takes the option of least price + lambda * grams; lambda is bisected to the smallest that keeps
 * the budget. No choice that spends as few grams is cheaper; what integers leave unspent is less
 * than one step of one job. */

#include "policy/arena.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gl_option {
    double price; /* any currency */
    double carbon_g;
};

struct gl_budget_job {
    const struct gl_option *options;
    size_t count; /* at least 1 */
};

struct gl_budget_answer {
    bool is_kept;  /* false: even the greenest choice of all jobs passes the budget */
    double lambda; /* price per gram that the budget is worth at the margin */
    double price, carbon_g;
    double largest_step_g; /* most grams that one job could still have added: bounds the gap */
};

/* out_choice[j] = index of the option of job j. When the budget cannot be kept, the greenest. */
void gl_budget_choose(const struct gl_budget_job *jobs, size_t count, double budget_g,
                      size_t *out_choice, struct gl_budget_answer *out);

/* The lower convex hull of (price, carbon), from the cheapest to the greenest: the only points
 * that some multiplier chooses. Writes indices into out_hull (room for count), returns how many. */
size_t gl_front_hull(const struct gl_option *points, size_t count, struct gl_arena *arena,
                     size_t *out_hull);

#endif
