/* SPDX-License-Identifier: Apache-2.0 */
/* Windows of a calendar in a time zone. A window ends where the next one begins: both are the first
 * instant at which local clocks reach that date. */
#include "policy/budget.h"

#include "base/time.h"

#define DAY_S    86400
#define FIRST_S  0 /* years 1970 to 9999, as gl_instant_civil() */
#define LAST_S   INT64_C(253402300799)
#define MARGIN_S (800 * (int64_t)DAY_S)

/* Months of one window; 0 = it is counted in days. */
static const struct {
    int months, days;
} steps[GL_PERIODS] = {
    [GL_PER_DAY] = {0, 1},     [GL_PER_WEEK] = {0, 7},  [GL_PER_MONTH] = {1, 0},
    [GL_PER_QUARTER] = {3, 0}, [GL_PER_YEAR] = {12, 0},
};

/* The local date at which the window begins that a local reading falls into, `ahead` windows later;
 * seconds of local time. */
static int64_t local_start(enum gl_period period, int64_t local_s, int ahead)
{
    int year, month, day, hour, minute, second;
    int64_t today = local_s / DAY_S;

    if (steps[period].days == 1)
        return (today + ahead) * DAY_S;
    if (steps[period].days == 7) /* 1970-01-01 was a Thursday */
        return (today - (today + 3) % 7 + 7 * (int64_t)ahead) * DAY_S;
    gl_instant_civil((struct gl_instant){local_s}, &year, &month, &day, &hour, &minute, &second);
    month = month - 1 - (month - 1) % steps[period].months + ahead * steps[period].months;
    year += month / 12;
    month %= 12;
    if (month < 0) {
        month += 12;
        year--;
    }
    return gl_instant_of_civil(year, month + 1, 1, 0, 0, 0).unix_s;
}

/* An hour of local clocks; one in which they change by less than an hour is cut there. */
static struct gl_stretch_of_time hour_at(const struct gl_zone *zone, int64_t at_s)
{
    int32_t offset = gl_zone_offset(zone, at_s);
    int64_t from_s = at_s - ((at_s + offset) % 3600 + 3600) % 3600, next_s;
    struct gl_stretch_of_time hour = {from_s, from_s + 3600};

    for (int64_t t = from_s - 1; (next_s = gl_zone_next(zone, t)) < hour.until_s; t = next_s) {
        if ((gl_zone_offset(zone, next_s) - gl_zone_offset(zone, next_s - 1)) % 3600 == 0)
            continue;
        if (next_s > at_s)
            hour.until_s = next_s;
        else
            hour.from_s = next_s;
    }
    return hour;
}

static int64_t within(int64_t at_s)
{
    return at_s < FIRST_S + MARGIN_S  ? FIRST_S + MARGIN_S
           : at_s > LAST_S - MARGIN_S ? LAST_S - MARGIN_S
                                      : at_s;
}

struct gl_stretch_of_time gl_window_at(const struct gl_period_of *period,
                                       const struct gl_zone *zone, int64_t at_s)
{
    int64_t local_s, from_s, until_s;
    int ahead = 0;

    if (period->period == GL_PER_SPAN)
        return (struct gl_stretch_of_time){at_s - period->span_s + 1, at_s + 1};
    at_s = within(at_s);
    if (period->period == GL_PER_HOUR)
        return hour_at(zone, at_s);
    local_s = at_s + gl_zone_offset(zone, at_s);
    from_s = gl_zone_of_local(zone, local_start(period->period, local_s, 0));
    /* Where a date comes twice, it began the first time. */
    while (from_s > at_s)
        from_s = gl_zone_of_local(zone, local_start(period->period, local_s, --ahead));
    while ((until_s = gl_zone_of_local(zone, local_start(period->period, local_s, ahead + 1))) <=
           at_s) {
        from_s = until_s;
        ahead++;
    }
    return (struct gl_stretch_of_time){from_s, until_s};
}
