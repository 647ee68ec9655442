/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_POLICY_LEARNING_H
#define GL_POLICY_LEARNING_H

/* The insides of struct gl_guarantee, shared by the decision and by what is learnt from it. */

#include "policy/guarantee/guarantee.h"

/* Levels are in units of 1 - p, so that every p moves alike. */
#define LEVEL_START 3.0  /* the middle of where levels settle */
#define STEP        0.03 /* for one promise broken: a year is enough to settle in */
#define LEVEL_MAX   10.0 /* under a loose limit the level would rise for ever and then react late */
#define MAX_RISK    5.0  /* of 1 - p: no single promise the paths think riskier is issued */
#define LIMIT_MAX   1e12F /* greater limits are a mistake */
/* Of promises that could not be had an hour before: few, so each counts for more. With whole_h it
 * begins at FIRST_START_WHOLE up to FIRST_START_H hours; of a longer wish there are too few of them
 * to come down from there, so it begins lower by the root of the length. Else at LEVEL_START. */
#define FIRST_START_WHOLE 2.0
#define FIRST_START_H     6.0
#define FIRST_STEP        0.2
#define PENDING_MAX       (GL_TRACK_MAX_HORIZON + GL_TRACK_MAX_LAG + 3 * GL_TRACK_BRIDGE_H)

/* A promise of the replay that is not settled yet. */
struct pending {
    int64_t start_s;
    uint32_t hours, next; /* `next` is the first hour not judged yet */
    uint32_t has_gap;     /* an hour was bridged: it will not count as kept */
    uint32_t is_first;    /* none could be made an hour before: whoever waits gets this one */
    double sum[GL_GUARANTEE_MAX_LEGS]; /* of budgets */
};

struct gl_guarantee {
    struct gl_guarantee_rule rule;
    int64_t next_s;     /* the first hour not learnt from */
    double level;       /* learnt from every promise */
    double first_level; /* learnt from those that are first alone; of them the lower one counts */
    struct gl_guarantee_score score;
    uint32_t lengths[GL_TRACK_MAX_HORIZON + 1]; /* issued promises by hours */
    uint32_t was_promised;                      /* an hour before next_s */
    uint32_t pending_count;
    struct pending pending[PENDING_MAX];
};

/* broken[k]: paths that first break in hour k; broken[hours]: those that do not. */
struct histogram {
    size_t hours;
    double paths;
    double broken[GL_TRACK_MAX_HORIZON + 1];
};

struct choice {
    enum gl_promise_kind kind; /* but BEYOND_HORIZON */
    size_t hours, covered, issues;
    double own_chance;
    bool is_level_too_low;
};

/* The level that counts; is_first: no promise could be made an hour before. */
double gl_guarantee_level(const struct gl_guarantee *guarantee, bool is_first);

/* What would be promised at a row of the tracks. */
void gl_guarantee_choose(const struct gl_guarantee *guarantee, const struct gl_track *const *tracks,
                         size_t row, struct choice *choice);

#endif
