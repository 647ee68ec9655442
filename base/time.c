/* SPDX-License-Identifier: Apache-2.0 */
#include "base/time.h"

#include "base/str.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define DAY_S   86400
#define FIRST_S (-INT64_C(62167219200)) /* 0000-01-01T00:00:00Z */
#define LAST_S  INT64_C(253402300799)   /* 9999-12-31T23:59:59Z */

struct civil {
    int year, month, day, hour, minute, second;
};

static bool is_leap_year(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    return days[month - 1] + (month == 2 && is_leap_year(year));
}

/* Days from 1970-01-01, proleptic Gregorian calendar: years are counted from March, so that the
 * leap day ends one, in eras of 400 years (146097 days). */
static int64_t days_of_civil(int year, int month, int day)
{
    int64_t y = (int64_t)year - (month <= 2);
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t year_of_era = y - era * 400;
    int64_t month_from_march = (month + 9) % 12;
    int64_t day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

    return era * 146097 + day_of_era - 719468;
}

/* The reverse. */
static void civil_of_days(int64_t days, int *year, int *month, int *day)
{
    int64_t shifted = days + 719468;
    int64_t era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
    int64_t day_of_era = shifted - era * 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month_from_march = (5 * day_of_year + 2) / 153;

    *day = (int)(day_of_year - (153 * month_from_march + 2) / 5 + 1);
    *month = (int)(month_from_march < 10 ? month_from_march + 3 : month_from_march - 9);
    *year = (int)(year_of_era + era * 400 + (*month <= 2));
}

/* Exactly `count` digits; moves *at past them. */
static int read_digits(const char **at, int count, int *out)
{
    int value = 0;

    for (int i = 0; i < count; i++) {
        char c = (*at)[i];

        if (c < '0' || c > '9')
            return -1;
        value = value * 10 + (c - '0');
    }
    *at += count;
    *out = value;
    return 0;
}

static int read_char(const char **at, const char *accepted)
{
    if (**at == '\0' || strchr(accepted, **at) == NULL)
        return -1;
    (*at)++;
    return 0;
}

static int read_date(const char **at, struct civil *out)
{
    if (read_digits(at, 4, &out->year) || read_char(at, "-") || read_digits(at, 2, &out->month) ||
        read_char(at, "-") || read_digits(at, 2, &out->day))
        return -1;
    if (out->year < 1970 || out->month < 1 || out->month > 12 || out->day < 1)
        return -1;
    return out->day > days_in_month(out->year, out->month) ? -1 : 0;
}

/* ":ss" and a fraction, both optional; the fraction is cut. */
static int read_seconds(const char **at, struct civil *out)
{
    int digit;

    if (read_char(at, ":"))
        return 0;
    if (read_digits(at, 2, &out->second))
        return -1;
    if (read_char(at, ".,"))
        return 0;
    if (read_digits(at, 1, &digit))
        return -1;
    while (read_digits(at, 1, &digit) == 0)
        ;
    return 0;
}

static int read_clock(const char **at, struct civil *out)
{
    if (read_digits(at, 2, &out->hour) || read_char(at, ":") || read_digits(at, 2, &out->minute) ||
        read_seconds(at, out))
        return -1;
    return out->hour > 23 || out->minute > 59 || out->second > 60 ? -1 : 0;
}

static int read_zone(const char **at, int64_t *out_offset_s)
{
    int hour, minute;
    bool is_west = **at == '-';

    if (read_char(at, "Zz") == 0) {
        *out_offset_s = 0;
        return 0;
    }
    if (read_char(at, "+-") || read_digits(at, 2, &hour) || read_char(at, ":") ||
        read_digits(at, 2, &minute) || hour > 23 || minute > 59)
        return -1;
    *out_offset_s = (hour * INT64_C(60) + minute) * (is_west ? -60 : 60);
    return 0;
}

static int fail_text(struct gl_error *err, const char *text, const char *why)
{
    char shown[GL_TEXT_SHOWN];

    return gl_fail(err, GL_E_BAD_VALUE, "\"%s\" %s", gl_text_show(text, shown), why);
}

int gl_instant_parse(const char *text, struct gl_instant *out, struct gl_error *err)
{
    const char *at = text;
    struct civil civil = {0};
    int64_t offset_s, unix_s;

    if (read_date(&at, &civil) || read_char(&at, "Tt ") || read_clock(&at, &civil))
        return fail_text(err, text, "is no time; write it as in 2026-01-01T12:00Z");
    if (*at == '\0')
        return fail_text(err, text,
                         "has no zone; write Z or an offset, as in 2026-01-01T12:00+01:00");
    if (read_zone(&at, &offset_s) || *at != '\0')
        return fail_text(err, text, "has no valid zone; write Z or an offset such as +01:00");
    unix_s = gl_instant_of_civil(civil.year, civil.month, civil.day, civil.hour, civil.minute,
                                 civil.second)
                 .unix_s -
             offset_s;
    /* A leap second stands only at the end of a UTC day; Unix time gives it the next number. */
    if (civil.second == 60 && unix_s % DAY_S != 0)
        return fail_text(err, text, "has no such second");
    if (unix_s < 0 || unix_s > LAST_S)
        return fail_text(err, text, "is outside the years 1970 to 9999");
    out->unix_s = unix_s;
    return 0;
}

int gl_date_parse(const char *text, struct gl_instant *out, struct gl_error *err)
{
    const char *at = text;
    struct civil civil = {0};

    if (read_date(&at, &civil) || *at != '\0')
        return fail_text(err, text, "is no date; write it as in 2026-01-31");
    out->unix_s = days_of_civil(civil.year, civil.month, civil.day) * DAY_S;
    return 0;
}

char *gl_instant_text(struct gl_instant at, char out[GL_INSTANT_TEXT])
{
    struct civil c;

    /* Outside four-digit years ISO 8601 has no form all readers take. */
    if (at.unix_s < FIRST_S || at.unix_s > LAST_S) {
        snprintf(out, GL_INSTANT_TEXT, "unix:%" PRId64, at.unix_s);
        return out;
    }
    gl_instant_civil(at, &c.year, &c.month, &c.day, &c.hour, &c.minute, &c.second);
    snprintf(out, GL_INSTANT_TEXT, "%04u-%02u-%02uT%02u:%02u:%02uZ", (unsigned)c.year % 10000u,
             (unsigned)c.month % 100u, (unsigned)c.day % 100u, (unsigned)c.hour % 100u,
             (unsigned)c.minute % 100u, (unsigned)c.second % 100u);
    return out;
}

/* What divides: floor, also before 1970. */
static int64_t floor_div(int64_t value, int64_t by)
{
    return value / by - (value % by < 0);
}

void gl_instant_civil(struct gl_instant at, int *year, int *month, int *day, int *hour, int *minute,
                      int *second)
{
    int64_t unix_s = at.unix_s < FIRST_S ? FIRST_S : at.unix_s > LAST_S ? LAST_S : at.unix_s;
    int64_t days = floor_div(unix_s, DAY_S);
    int of_day = (int)(unix_s - days * DAY_S);

    civil_of_days(days, year, month, day);
    *hour = of_day / 3600;
    *minute = of_day / 60 % 60;
    *second = of_day % 60;
}

struct gl_instant gl_instant_of_civil(int year, int month, int day, int hour, int minute,
                                      int second)
{
    int64_t of_day = hour * INT64_C(3600) + minute * INT64_C(60) + second;

    return (struct gl_instant){days_of_civil(year, month, day) * DAY_S + of_day};
}

struct gl_instant gl_instant_hour(struct gl_instant at)
{
    int64_t into_hour = at.unix_s % 3600;

    return (struct gl_instant){at.unix_s - (into_hour < 0 ? into_hour + 3600 : into_hour)};
}
