/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_POLICY_HISTORY_H
#define GL_POLICY_HISTORY_H

/* What was measured and what was forecast, hour by hour, of one signal in one zone: the nouns of
 * the guarantee. Plain data that the caller owns. Unknown is a bit, never a number: the value of an
 * hour whose GL_HOUR_KNOWN is not set is not read. Hours are whole hours of UTC, named by their
 * first second; nothing here knows of time zones or daylight saving. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/facts.h"

#define GL_HOUR_S INT64_C(3600)

/* Hours begun in so many seconds; `seconds` is not negative. */
static inline int64_t gl_hours_up(int64_t seconds)
{
    return (seconds + GL_HOUR_S - 1) / GL_HOUR_S;
}

enum gl_hour_state { /* bit set */
                     GL_HOUR_MISSING = 0,
                     GL_HOUR_KNOWN = 1,
                     GL_HOUR_ESTIMATED = 2, /* known, but the source may still revise it */
};

/* Hourly actuals of one (zone, signal): g/kWh of an intensity, per cent of a share. */
struct gl_actuals {
    int64_t start_s;      /* of hour 0, a whole hour */
    size_t count;         /* hours */
    const float *value;   /* count */
    const uint8_t *state; /* count bit sets of gl_hour_state; NULL = all known */
    uint32_t lag_h; /* hours from the end of an hour until its value is known here; 0 = at once */
};

/* One stored forecast of a provider, as it was received. */
struct gl_issue {
    int64_t received_s;   /* when we had it; not used for any decision before */
    int64_t start_s;      /* of its first hour, a whole hour */
    uint32_t count;       /* hours; may be fewer than others have */
    const float *value;   /* count */
    const uint8_t *state; /* count; NULL = all known */
};

/* All stored forecasts of one (zone, signal), by received_s ascending. */
struct gl_issues {
    size_t count;
    const struct gl_issue *issue;
};

/* The one way from millionths (policy/facts.h) to the float of a series or a limit, so that equal
 * figures compare equal. */
static inline float gl_hour_value(int64_t value_u)
{
    return (float)((double)value_u / 1e6);
}

/* The value of the hour that begins at hour_s; false when it is missing or outside. */
static inline bool gl_actual_at(const struct gl_actuals *actuals, int64_t hour_s, float *out_value)
{
    size_t i;

    if (hour_s < actuals->start_s)
        return false;
    i = (size_t)((hour_s - actuals->start_s) / GL_HOUR_S);
    if (i >= actuals->count || (actuals->state != NULL && (actuals->state[i] & GL_HOUR_KNOWN) == 0))
        return false;
    *out_value = actuals->value[i];
    return true;
}

/* The same for a figure of `quantity`: facts.h counts shares in parts per million of the whole, a
 * history in per cent. */
static inline float gl_history_value(enum gl_quantity quantity, int64_t value_u)
{
    return gl_hour_value(quantity == GL_INTENSITY ? value_u : value_u * 100);
}

/* How far published actuals moved afterwards, |last - first| in the unit of the history, over the
 * hours that were stored while they were fresh. No percentages: they break near zero. */
struct gl_revisions {
    size_t hours;     /* stored fresh */
    size_t changed;   /* of these, those that moved */
    float p95, worst; /* of `hours`; 0 when there are none */
};

struct gl_track_keeper;

/* All that is stored of one signal of one source in one zone: what it forecast and when, and what
 * came of it. Never of two sources, meanings or data sets whose figures mean different places.
 * Hours are those of UTC; an hour counts only when the source covered all of it. */
struct gl_history {
    struct gl_meaning meaning;
    char zone[40];
    char provider[24]; /* "neso", "file" ... */
    char dataset[64];
    char licence[40];
    char attribution[96];
    struct gl_actuals actuals; /* the last word on each hour; count 0 = none */
    struct gl_issues issues;   /* count 0: the source forecasts nothing, or nothing is stored yet */
    int64_t known_s;           /* holds nothing that was not known at this instant */
    size_t actual_count;       /* known hours */
    size_t estimated_count;    /* of these, those that the source may still revise */
    bool is_lag_measured;      /* false: actuals.lag_h is GL_HISTORY_LAG_H, of files at most that */
    size_t lag_count;          /* occasions that the lag was measured on */
    int64_t newest_actual_s;   /* start of the newest known hour; GL_UNKNOWN */
    int64_t newest_issue_s;    /* when the newest issue was received; GL_UNKNOWN */
    struct gl_revisions revisions;
    size_t damaged; /* stored records that could not be read back and are left out */
    struct gl_track_keeper *keeper; /* forecast.h: tracks of it that are gone on with; NULL = built
                                     * anew each time. Then hours and issues are only ever added,
                                     * and what it points to stays where it is. */
};

/* Lag of a source that was not watched yet: 99 of 100 polls of 47 grids found the end of the newest
 * hour at most 122 minutes old (docs/signals.md). */
#define GL_HISTORY_LAG_H 3

#endif
