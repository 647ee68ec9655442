/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/index.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/time.h"
#include "policy/judge.h"

#define HOUR_S INT64_C(3600)
#define DAY_S  INT64_C(86400)

/* ---- disclosure ---- */

struct gl_disclosure_grade gl_disclosure_grade(
    const struct gl_disclosure_cell cells[GL_DISCLOSURE_COLUMNS])
{
    static const struct {
        unsigned least;
        char letter;
    } rows[] = {{11, 'A'}, {8, 'B'}, {5, 'C'}, {2, 'D'}, {0, 'E'}};
    struct gl_disclosure_grade grade = {0};
    size_t row = 0;

    for (int c = 0; c < GL_DISCLOSURE_COLUMNS; c++) {
        grade.points +=
            cells[c].value == GL_DISCLOSED_YES ? 2 : cells[c].value == GL_DISCLOSED_PARTLY;
        grade.unknown += cells[c].value == GL_DISCLOSED_UNKNOWN;
    }
    while (grade.points < rows[row].least)
        row++;
    grade.letter = grade.unknown == GL_DISCLOSURE_COLUMNS ? '?' : rows[row].letter;
    return grade;
}

const char *gl_disclosure_column_word(enum gl_disclosure_column column)
{
    static const char *const words[GL_DISCLOSURE_COLUMNS] = {
        [GL_DISCLOSES_HOURLY] = "hourly",
        [GL_DISCLOSES_INSTANCE] = "per_instance",
        [GL_DISCLOSES_API] = "api",
        [GL_DISCLOSES_FORECAST] = "forecast",
        [GL_DISCLOSES_BEFORE] = "before_purchase",
        [GL_DISCLOSES_SIGNED] = "signed",
    };

    return words[column];
}

const char *gl_disclosed_word(enum gl_disclosed value)
{
    static const char *const words[] = {"unknown", "no", "partly", "yes"};

    return words[value];
}

const char *gl_pledge_counting_word(enum gl_pledge_counting counting)
{
    static const char *const words[] = {"unknown", "market-based", "market-based, by year",
                                        "market-based, by hour"};

    return words[counting];
}

/* ---- availability ---- */

/* The quantity that a key limits; GL_QUANTITIES for a key that limits none. */
static enum gl_quantity limited_by(enum gl_key_id key)
{
    switch (key) {
    case GL_KEY_MAX_INTENSITY:
    case GL_KEY_GREEN_BELOW:
    case GL_KEY_MAX_RATE:
    case GL_KEY_MAX_TOTAL:
        return GL_INTENSITY;
    case GL_KEY_MIN_RENEWABLE:
        return GL_RENEWABLE_SHARE;
    case GL_KEY_MIN_CARBON_FREE:
        return GL_CARBON_FREE_SHARE;
    default:
        return GL_QUANTITIES;
    }
}

static unsigned limited_by_rule(const struct gl_rule *rule)
{
    unsigned bits = 0;

    for (size_t c = 0; c < rule->count; c++) {
        enum gl_quantity quantity = limited_by(rule->constraints[c].key->id);

        if (quantity != GL_QUANTITIES)
            bits |= 1U << (unsigned)quantity;
    }
    return bits;
}

bool gl_index_is_green_rule(const struct gl_policy *policy)
{
    for (size_t r = 0; r < policy->rule_count; r++)
        if (limited_by_rule(&policy->rules[r]) != 0)
            return true;
    return false;
}

/* A rule without a limit may still ask for evidence, whatever it is of. */
static bool asks_evidence(const struct gl_rule *rule)
{
    for (size_t c = 0; c < rule->count; c++)
        if (gl_key_is_timely(rule->constraints[c].key->id))
            return true;
    return false;
}

unsigned gl_index_quantities(const struct gl_policy *policy)
{
    unsigned bits = 0;

    for (size_t r = 0; r < policy->rule_count; r++) {
        unsigned of_rule = limited_by_rule(&policy->rules[r]);

        if (of_rule == 0 && asks_evidence(&policy->rules[r]))
            of_rule = (1U << GL_QUANTITIES) - 1;
        bits |= of_rule;
    }
    return bits;
}

/* ---- periods ---- */

static int64_t day_of(int64_t unix_s)
{
    return unix_s / DAY_S;
}

/* 1970-01-01 was a Thursday. */
static int64_t monday_of(int64_t day)
{
    return day - (day + 3) % 7;
}

static int64_t end_of_month(struct gl_instant at, int *out_year, int *out_month)
{
    int day, hour, minute, second;

    gl_instant_civil(at, out_year, out_month, &day, &hour, &minute, &second);
    return gl_instant_of_civil(*out_month == 12 ? *out_year + 1 : *out_year,
                               *out_month == 12 ? 1 : *out_month + 1, 1, 0, 0, 0)
        .unix_s;
}

/* ISO 8601: a week belongs to the year of its Thursday. */
static void week_label(int64_t monday, char out[24])
{
    const struct gl_instant thursday = {(monday + 3) * DAY_S};
    int year, month, day, hour, minute, second;
    int64_t first;

    gl_instant_civil(thursday, &year, &month, &day, &hour, &minute, &second);
    first = day_of(gl_instant_of_civil(year, 1, 1, 0, 0, 0).unix_s);
    snprintf(out, 24, "%04d-W%02d", year, (int)((monday + 3 - first) / 7 + 1));
}

/* The end of the period that holds `at`, and its name. */
static int64_t end_of(enum gl_index_by by, struct gl_instant at, char out[24])
{
    char text[GL_INSTANT_TEXT];
    int year, month;
    int64_t end_s;

    gl_instant_text(at, text);
    switch (by) {
    case GL_INDEX_HOUR:
        snprintf(out, 24, "%.16sZ", text);
        return at.unix_s + HOUR_S;
    case GL_INDEX_DAY:
        snprintf(out, 24, "%.10s", text);
        return (day_of(at.unix_s) + 1) * DAY_S;
    case GL_INDEX_WEEK:
        week_label(monday_of(day_of(at.unix_s)), out);
        return (monday_of(day_of(at.unix_s)) + 7) * DAY_S;
    case GL_INDEX_MONTH:
        break;
    }
    end_s = end_of_month(at, &year, &month);
    snprintf(out, 24, "%04d-%02d", year, month);
    return end_s;
}

bool gl_index_period(const struct gl_index *index, enum gl_index_by by, size_t first,
                     struct gl_index_period *out)
{
    const struct gl_instant from = {index->from.unix_s + (int64_t)first * HOUR_S};
    size_t left;
    int64_t hours;

    if (first >= index->hour_count)
        return false;
    left = index->hour_count - first;
    *out = (struct gl_index_period){.from = from, .first = first};
    hours = (end_of(by, from, out->label) - from.unix_s) / HOUR_S;
    out->count = (size_t)hours < left ? (size_t)hours : left;
    out->until.unix_s = from.unix_s + (int64_t)out->count * HOUR_S;
    return true;
}

struct gl_index_count gl_index_sum(const struct gl_index *index, size_t cloud, size_t first,
                                   size_t count)
{
    struct gl_index_count sum = {0};

    for (size_t h = first; h < first + count && h < index->hour_count; h++) {
        const struct gl_index_count *hour = &index->clouds[cloud].hours[h];

        sum.green += hour->green;
        sum.not_green += hour->not_green;
        sum.unknown += hour->unknown;
    }
    return sum;
}

double gl_index_percent(uint64_t part, const struct gl_index_count *count)
{
    uint64_t all = count->green + count->not_green + count->unknown;

    return all > 0 ? 100.0 * (double)part / (double)all : (double)NAN;
}
