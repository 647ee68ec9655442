/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_POLICY_FORECAST_H
#define GL_POLICY_FORECAST_H

/* Forecasts, re-issued every hour from what was known at that hour: the built-in forecaster, and a
 * provider's forecast corrected by what has been seen since (docs/guarantee.md section 2). A track
 * is the whole sequence of such forecasts over a stretch of time; the errors of its past are the
 * evidence of every guarantee. Looks only at actuals whose lag has passed and at issues that had
 * been received: the path of an hour is the same whatever came later. */

#include "policy/arena.h"
#include "policy/guarantee/history.h"

#define GL_TRACK_MAX_HORIZON 384 /* hours */
#define GL_TRACK_MAX_LAG     168 /* hours */
#define GL_TRACK_MAX_HOURS   ((size_t)20 * 366 * 24)
#define GL_TRACK_WARM_DAYS   180 /* of actuals before from_s that are learnt from */
#define GL_TRACK_SILENT_H    96  /* a provider that issued nothing for so long is taken as gone */
#define GL_TRACK_FIRST_DAYS  9   /* of actuals before the first path that forecasts anything */
#define GL_TRACK_BRIDGE_H    6   /* longest gap of actuals that is bridged in errors */

struct gl_track_options {
    uint32_t horizon_h; /* hours ahead, 1..GL_TRACK_MAX_HORIZON */
    int64_t from_s;     /* first hour of issue, a whole hour */
    int64_t until_s;    /* last hour of issue, usually now rounded down to the hour */
};

/* One path is issued at the beginning of every hour t in [from_s, until_s]; its value k is of the
 * hour t + k, so value 0 is of the hour that has just begun. */
struct gl_track {
    uint32_t horizon_h, lag_h;
    int64_t from_s;
    size_t count;          /* paths, one an hour */
    const float *path;     /* path[i * horizon_h + k] */
    const float *residual; /* actual - path, short gaps bridged; same layout */
    const uint16_t *known; /* by path: leading hours that rest on a forecast; what follows continues
                              it by the profile, for indications and plans */
    const uint16_t *settled; /* by path: leading hours with a residual */
    const uint16_t *age;     /* by path: whole hours since the end of the newest known actual; equal
                                to lag_h without outage; UINT16_MAX = nothing known */
    const float *hour;       /* by hour from from_s - (lag_h + GL_TRACK_BEFORE_H) hours: the actual,
                                or bridged; to the last path only */
    const uint8_t *state;    /* of `hour`: gl_hour_state, or GL_TRACK_BRIDGED */
    size_t hours;            /* of `hour` and `state` */
};

#define GL_TRACK_BRIDGED  4  /* state of an hour that is missing but whose neighbours are not far */
#define GL_TRACK_BEFORE_H 25 /* hours of actuals before the first path, beside the lag */

/* The track of `actuals`, from the provider's `issues` and the built-in forecaster; from the latter
 * alone when NULL or empty, before the first issue was received and once a provider has issued
 * nothing for GL_TRACK_SILENT_H. While a provider speaks, `known` ends where its issues do. A track
 * lives with the arena; about 8 * horizon_h bytes an hour. Start it at least 65 days and the
 * horizon before the first decision (365 days more for a replay). False when the options, the lag
 * or the times are out of range, then *out_track is untouched. */
bool gl_track_build(struct gl_arena *arena, const struct gl_actuals *actuals,
                    const struct gl_issues *issues, const struct gl_track_options *options,
                    struct gl_track *out_track);

/* Tracks that are gone on with instead of built anew, for whoever asks every hour: an hour more
 * costs microseconds. It learns from everything before, so that its forecasts differ a little from
 * those of a track that begins later. Zeroed to begin with. */
struct gl_track_keeper {
    struct gl_arena arena;
    struct gl_kept_track *kept;
};
void gl_track_keeper_done(struct gl_track_keeper *keeper);

/* gl_track_build() of a history; with history->keeper the track lives there, until its end, and is
 * changed by the next call for the same history. */
bool gl_track_of(struct gl_arena *arena, const struct gl_history *history,
                 const struct gl_track_options *options, struct gl_track *out_track);

#endif
