/* SPDX-License-Identifier: Apache-2.0 */
/* The POSIX TZ rule in the footer of a TZif file (IEEE Std 1003.1, 8.3; RFC 8536, 3.3.1). */
#include "base/zoneinfo.h"

#include <string.h>

#include "base/time.h"

#define DAY_S      86400
#define FIRST_S    (-INT64_C(62135596800)) /* years 1 to 9999 */
#define LAST_S     INT64_C(253402300799)
#define TIME_MAX_H 167

/* ---- reading ---- */

static bool take_char(const char **at, char wanted)
{
    if (**at != wanted)
        return false;
    (*at)++;
    return true;
}

static bool take_number(const char **at, int low, int high, int *out)
{
    int value = 0;
    size_t digits = strspn(*at, "0123456789");

    if (digits == 0 || digits > 3)
        return false;
    for (size_t i = 0; i < digits; i++)
        value = value * 10 + (*at)[i] - '0';
    *at += digits;
    *out = value;
    return value >= low && value <= high;
}

/* "CET" or "<+0330>" */
static bool take_name(const char **at)
{
    bool is_quoted = take_char(at, '<');
    size_t length = strspn(*at, is_quoted ? "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                            "0123456789+-"
                                          : "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

    *at += length;
    return length >= 3 && (!is_quoted || take_char(at, '>'));
}

/* "[+-]hh[:mm[:ss]]" */
static bool take_time(const char **at, int max_h, int32_t *out_s)
{
    bool is_negative = take_char(at, '-');
    int hours, minutes = 0, seconds = 0;

    if (!is_negative)
        take_char(at, '+');
    if (!take_number(at, 0, max_h, &hours) ||
        (take_char(at, ':') && (!take_number(at, 0, 59, &minutes) ||
                                (take_char(at, ':') && !take_number(at, 0, 59, &seconds)))))
        return false;
    *out_s = (hours * 60 + minutes) * 60 + seconds;
    if (is_negative)
        *out_s = -*out_s;
    return true;
}

static bool take_month_day(const char **at, struct gl_zone_day *out)
{
    int month, week, day;

    if (!take_number(at, 1, 12, &month) || !take_char(at, '.') || !take_number(at, 1, 5, &week) ||
        !take_char(at, '.') || !take_number(at, 0, 6, &day))
        return false;
    out->month = (int16_t)month;
    out->week = (int16_t)week;
    out->day = (int16_t)day;
    return true;
}

static bool take_day(const char **at, struct gl_zone_day *out)
{
    int day = 0;
    bool is_good;

    out->kind = take_char(at, 'M') ? 'M' : take_char(at, 'J') ? 'J' : 'n';
    if (out->kind == 'M') {
        is_good = take_month_day(at, out);
    } else {
        is_good = take_number(at, out->kind == 'J' ? 1 : 0, 365, &day);
        out->day = (int16_t)day;
    }
    out->time_s = 2 * 3600;
    return is_good && (!take_char(at, '/') || take_time(at, TIME_MAX_H, &out->time_s));
}

static bool take_summer(const char **at, struct gl_zone_rule *out)
{
    int32_t west_s;

    out->has_summer = true;
    out->summer_s = out->standard_s + 3600;
    if (!take_name(at))
        return false;
    if (**at != ',') {
        if (!take_time(at, 24, &west_s))
            return false;
        out->summer_s = -west_s;
    }
    return take_char(at, ',') && take_day(at, &out->start) && take_char(at, ',') &&
           take_day(at, &out->end);
}

int gl_zone_rule_read(const char *text, struct gl_zone_rule *out, struct gl_error *err)
{
    struct gl_zone_rule rule = {.is_there = true};
    const char *at = text;
    int32_t west_s;

    if (!take_name(&at) || !take_time(&at, 24, &west_s))
        return gl_fail(err, GL_E_BAD_VALUE, "bad time zone rule \"%.60s\"", text);
    rule.standard_s = -west_s;
    if ((*at != '\0' && !take_summer(&at, &rule)) || *at != '\0')
        return gl_fail(err, GL_E_BAD_VALUE, "bad time zone rule \"%.60s\"", text);
    *out = rule;
    return 0;
}

/* ---- asking ---- */

static bool is_leap(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int days_of(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    return days[month - 1] + (month == 2 && is_leap(year));
}

/* Local seconds since 1970 of the change in that year. */
static int64_t change_of(const struct gl_zone_day *day, int year)
{
    int64_t first_s =
        gl_instant_of_civil(year, day->kind == 'M' ? day->month : 1, 1, 0, 0, 0).unix_s;
    int64_t offset = day->day;

    if (day->kind == 'J') {
        offset -= is_leap(year) && day->day >= 60 ? 0 : 1;
    } else if (day->kind == 'M') {
        /* 1970-01-01 was a Thursday. */
        int64_t weekday = ((first_s / DAY_S + 4) % 7 + 7) % 7;

        offset = (day->day - weekday + 7) % 7 + 7 * (day->week - 1);
        if (offset >= days_of(year, day->month))
            offset -= 7;
    }
    return first_s + offset * DAY_S + day->time_s;
}

/* The changes of three years around an instant: instants, and whether summer begins. */
struct changes {
    int64_t at_s[6];
    bool is_start[6];
};

static bool changes_around(const struct gl_zone_rule *rule, int64_t at_s, struct changes *out)
{
    int year, month, day, hour, minute, second;

    if (!rule->has_summer || at_s < FIRST_S + 800 * DAY_S || at_s > LAST_S - 800 * DAY_S)
        return false;
    gl_instant_civil((struct gl_instant){at_s}, &year, &month, &day, &hour, &minute, &second);
    for (int i = 0; i < 3; i++) {
        out->at_s[2 * i] = change_of(&rule->start, year - 1 + i) - rule->standard_s;
        out->is_start[2 * i] = true;
        out->at_s[2 * i + 1] = change_of(&rule->end, year - 1 + i) - rule->summer_s;
        out->is_start[2 * i + 1] = false;
    }
    return true;
}

/* Where an end and a start fall together, summer goes on. */
int32_t gl_zone_rule_offset(const struct gl_zone_rule *rule, int64_t at_s)
{
    struct changes changes;
    int last = -1;

    if (!changes_around(rule, at_s, &changes))
        return rule->standard_s;
    for (int i = 0; i < 6; i++)
        if (changes.at_s[i] <= at_s &&
            (last < 0 || changes.at_s[i] > changes.at_s[last] ||
             (changes.at_s[i] == changes.at_s[last] && changes.is_start[i])))
            last = i;
    return last >= 0 && changes.is_start[last] ? rule->summer_s : rule->standard_s;
}

int64_t gl_zone_rule_next(const struct gl_zone_rule *rule, int64_t at_s)
{
    struct changes changes;
    int64_t next_s = INT64_MAX;

    if (!changes_around(rule, at_s, &changes))
        return INT64_MAX;
    for (int i = 0; i < 6; i++)
        if (changes.at_s[i] > at_s && changes.at_s[i] < next_s)
            next_s = changes.at_s[i];
    return next_s;
}
