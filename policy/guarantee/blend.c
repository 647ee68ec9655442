/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/guarantee/blend.h"

#include <math.h>
#include <string.h>

#define TERMS     GL_BLEND_TERMS
#define FORGET    0.99980747410 /* 2^(-1/3600): half-life 150 days */
#define PRIOR     0.3           /* variance of each weight before anything was seen */
#define TRACE_MAX 10.0          /* of the covariance: forgetting without news must not inflate it */
#define TERM_MAX  12.0F         /* scales: a wild reading must not take over the weights */
#define ERROR_MAX 6.0
#define MEMORY_H  168.0 /* of the signal's level and spread */
#define LEFT      6.0   /* scales: the level is that of the first days no more ... */
#define GROWN     3.0   /* ... or the spread: the terms are scaled anew */

enum {
    ONE,
    CORRECTED,
    BUILTIN,
    PROVIDED,
    NEWEST,
    MEAN_24,
    YESTERDAY,
    LAST_WEEK,
    BEFORE,
    MEAN_6,
    DAY_BEFORE,
    NEWEST_YESTERDAY
};

struct lead {
    double weight[TERMS];
    double covariance[TERMS][TERMS];
};

struct gl_blend {
    struct gl_blend_options options; /* centre and scale: those of now */
    double level, spread;            /* of the last week: mean, and mean distance from it */
    int64_t first_hour;              /* of the first path; INT64_MAX before */
    size_t rows;                     /* ring of the terms of the last paths */
    float (*terms)[TERMS];           /* terms[(hour % rows) * horizon + ahead] */
    struct lead *lead;               /* by hours ahead */
};

static void forget(struct lead *lead, bool has_provider)
{
    size_t i;

    memset(lead->covariance, 0, sizeof lead->covariance);
    for (i = 0; i < TERMS; i++)
        lead->covariance[i][i] = PRIOR;
    if (has_provider)
        return;
    lead->covariance[CORRECTED][CORRECTED] = 0; /* absent terms stay at weight 0 */
    lead->covariance[PROVIDED][PROVIDED] = 0;
}

static void prior(struct lead *lead, bool has_provider)
{
    forget(lead, has_provider);
    lead->weight[BUILTIN] = has_provider ? 0.5 : 1;
    lead->weight[CORRECTED] = has_provider ? 0.5 : 0;
}

struct gl_blend *gl_blend_new_in(struct gl_arena *arena, const struct gl_blend_options *options)
{
    struct gl_blend *blend = gl_arena_take(arena, sizeof *blend);
    size_t k;

    blend->options = *options;
    blend->level = options->centre;
    blend->spread = options->scale;
    blend->first_hour = INT64_MAX;
    blend->rows = options->horizon + options->lag + 1;
    blend->terms = gl_arena_take(arena, blend->rows * options->horizon * sizeof *blend->terms);
    blend->lead = gl_arena_take(arena, options->horizon * sizeof *blend->lead);
    for (k = 0; k < options->horizon; k++)
        prior(&blend->lead[k], options->has_provider);
    return blend;
}

static float *terms_of(const struct gl_blend *blend, int64_t hour, size_t ahead)
{
    return blend->terms[(size_t)(hour % (int64_t)blend->rows) * blend->options.horizon + ahead];
}

static double predict(const struct lead *lead, const float *terms)
{
    double sum = 0;
    size_t i;

    for (i = 0; i < TERMS; i++)
        sum += lead->weight[i] * (double)terms[i];
    return sum;
}

static void limit_trace(struct lead *lead)
{
    double trace = 0;
    size_t i, j;

    for (i = 0; i < TERMS; i++)
        trace += lead->covariance[i][i];
    if (trace <= TRACE_MAX)
        return;
    for (i = 0; i < TERMS; i++)
        for (j = 0; j < TERMS; j++)
            lead->covariance[i][j] *= TRACE_MAX / trace;
}

/* Recursive least squares with exponential forgetting (Ljung, System Identification, 11.2). */
static void learn(struct lead *lead, const float *terms, double value)
{
    double error = value - predict(lead, terms), gain = FORGET;
    double product[TERMS];
    size_t i, j;

    error = fmax(-ERROR_MAX, fmin(ERROR_MAX, error));
    for (i = 0; i < TERMS; i++) {
        double sum = 0;

        for (j = 0; j < TERMS; j++)
            sum += lead->covariance[i][j] * (double)terms[j];
        product[i] = sum;
        gain += sum * (double)terms[i];
    }
    for (i = 0; i < TERMS; i++) {
        double step = product[i] / gain;

        lead->weight[i] += step * error;
        for (j = 0; j < TERMS; j++)
            lead->covariance[i][j] = (lead->covariance[i][j] - step * product[j]) / FORGET;
    }
    limit_trace(lead);
}

/* The weights stay what they are in the signal's own unit, so no path jumps; how sure they are is
 * forgotten, for what was learnt from terms that were cut is not worth much. */
static void scale_anew(struct gl_blend *blend)
{
    struct gl_blend_options *options = &blend->options;
    const struct gl_blend_options old = *options;
    const size_t kept = blend->rows * options->horizon;
    size_t i, k;

    options->centre = blend->level;
    options->scale = fmax(blend->spread, gl_blend_least_scale(blend->level));
    for (k = 0; k < options->horizon; k++) {
        struct lead *lead = &blend->lead[k];
        double rest = 1;

        for (i = ONE + 1; i < TERMS; i++)
            rest -= lead->weight[i];
        lead->weight[ONE] =
            (lead->weight[ONE] * old.scale + (old.centre - options->centre) * rest) /
            options->scale;
        forget(lead, options->has_provider);
    }
    for (k = 0; k < kept; k++)
        for (i = ONE + 1; i < TERMS; i++)
            blend->terms[k][i] =
                (float)(((double)blend->terms[k][i] * old.scale + old.centre - options->centre) /
                        options->scale);
}

/* A history may begin in a week that is like no other: a signal that has left its scale, and stays
 * away from it, would be cut down to it for good. */
static void follow(struct gl_blend *blend, double value)
{
    const struct gl_blend_options *options = &blend->options;
    const double most = (double)TERM_MAX * fmax(blend->spread, options->scale);
    const double away = fmax(-most, fmin(most, value - blend->level));

    blend->level += away / MEMORY_H;
    blend->spread += (fabs(away) - blend->spread) / MEMORY_H;
    if (fabs(blend->level - options->centre) > LEFT * options->scale ||
        blend->spread > GROWN * options->scale)
        scale_anew(blend);
}

double gl_blend_least_scale(double centre)
{
    return fmax(0.05 * fabs(centre), 0.1);
}

void gl_blend_learn(struct gl_blend *blend, int64_t hour, float value)
{
    double scaled;
    size_t k;

    follow(blend, (double)value);
    scaled = ((double)value - blend->options.centre) / blend->options.scale;

    for (k = 0; k < blend->options.horizon; k++) {
        int64_t issued = hour - (int64_t)k;

        if (issued < blend->first_hour)
            break;
        learn(&blend->lead[k], terms_of(blend, issued, k), scaled);
    }
}

static float scale(const struct gl_blend *blend, double value)
{
    float scaled = (float)((value - blend->options.centre) / blend->options.scale);

    return scaled > TERM_MAX ? TERM_MAX : scaled < -TERM_MAX ? -TERM_MAX : scaled;
}

static double mean_of_last(const struct gl_seen *seen, size_t hours)
{
    double sum = 0;
    size_t i;

    for (i = 0; i < hours; i++)
        sum += (double)seen->value[seen->count - 1 - i];
    return sum / (double)hours;
}

/* The terms that are the same for every hour ahead. */
static void common_terms(const struct gl_blend *blend, const struct gl_seen *seen, float *out_terms)
{
    const float *last = seen->value + seen->count - 1;

    memset(out_terms, 0, TERMS * sizeof *out_terms);
    out_terms[ONE] = 1;
    out_terms[NEWEST] = scale(blend, (double)last[0]);
    out_terms[BEFORE] = scale(blend, (double)last[-1]);
    out_terms[NEWEST_YESTERDAY] = scale(blend, (double)last[-23]);
    out_terms[MEAN_6] = scale(blend, mean_of_last(seen, 6));
    out_terms[MEAN_24] = scale(blend, mean_of_last(seen, 24));
}

void gl_blend_path(struct gl_blend *blend, const struct gl_seen *seen, int64_t first_hour,
                   const struct gl_blend_bases *bases, float *out_path)
{
    const struct gl_blend_options *options = &blend->options;
    float common[TERMS];
    size_t k;

    if (blend->first_hour == INT64_MAX)
        blend->first_hour = first_hour;
    common_terms(blend, seen, common);
    for (k = 0; k < options->horizon; k++) {
        float *terms = terms_of(blend, first_hour, k);
        int64_t hour = first_hour + (int64_t)k, yesterday;

        memcpy(terms, common, sizeof common);
        terms[BUILTIN] = scale(blend, (double)bases->builtin[k]);
        if (options->has_provider) {
            terms[CORRECTED] = scale(blend, (double)bases->corrected[k]);
            terms[PROVIDED] = scale(blend, (double)bases->provided[k]);
        }
        yesterday = gl_seen_before(seen, hour, 24);
        terms[YESTERDAY] = scale(blend, (double)gl_seen_at(seen, yesterday));
        terms[DAY_BEFORE] = scale(blend, (double)gl_seen_at(seen, yesterday - 24));
        terms[LAST_WEEK] = scale(blend, (double)gl_seen_at(seen, gl_seen_before(seen, hour, 168)));
        out_path[k] = (float)(predict(&blend->lead[k], terms) * options->scale + options->centre);
    }
}
