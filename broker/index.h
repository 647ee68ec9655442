/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_INDEX_H
#define GL_BROKER_INDEX_H

/* The index of providers as figures: the grade of what one discloses, and how many of its offers a
 * green rule lets through, now and in past hours. Judges by policy/ alone. Refuses to call green
 * what it does not know: an hour without a stored figure is unknown, whatever the rule admits, and
 * a yearly average never speaks of an hour. Method: docs/index-of-providers.md. */

#include "policy/decide.h"
#include "providers/data/index.h"

/* ---- disclosure ---- */

#define GL_DISCLOSURE_POINTS_MAX (2 * GL_DISCLOSURE_COLUMNS)

struct gl_disclosure_grade {
    unsigned points;  /* yes 2, partly 1, no and unknown 0 */
    unsigned unknown; /* cells */
    char letter;      /* 'A' from 11 points, 'B' 8, 'C' 5, 'D' 2, 'E' below; '?' all unknown */
};
/* A pure function of the cells' values; unknown never counts as yes. */
struct gl_disclosure_grade gl_disclosure_grade(
    const struct gl_disclosure_cell cells[GL_DISCLOSURE_COLUMNS]);

/* "hourly" "per_instance" "api" "forecast" "before_purchase" "signed". */
const char *gl_disclosure_column_word(enum gl_disclosure_column column);
const char *gl_disclosed_word(enum gl_disclosed value); /* "unknown" "no" "partly" "yes" */
/* "unknown", "market-based", "market-based, by year", "market-based, by hour". */
const char *gl_pledge_counting_word(enum gl_pledge_counting counting);

/* ---- green availability ---- */

#define GL_INDEX_HOURS_MAX  8784 /* a leap year */
#define GL_INDEX_CLOUDS_MAX 64

/* Offers, or offers times hours. */
struct gl_index_count {
    uint64_t green, not_green, unknown;
};

struct gl_index_cloud {
    const char *cloud;                  /* borrowed from the offers */
    size_t offers;                      /* that the request asks for */
    struct gl_index_count now;          /* of these */
    size_t by_year;                     /* of now.green: resting on yearly averages, grade D */
    size_t stored_offers;               /* of these: something is stored of their zones' past */
    const struct gl_index_count *hours; /* gl_index.hour_count of them */
};

struct gl_index {
    struct gl_instant from; /* of the first hour */
    size_t hour_count;      /* 0 = the past was not looked at */
    size_t cloud_count;     /* in the order of their names */
    struct gl_index_cloud clouds[GL_INDEX_CLOUDS_MAX];
    bool is_more;                 /* offers of more clouds were left out */
    struct gl_index_count *hours; /* owns those of all clouds */
};

struct gl_index_options {
    struct gl_instant from; /* a whole hour; the last hour ends at the question's now or before */
    size_t hour_count;      /* at most GL_INDEX_HOURS_MAX */
    /* After each hour; false stops. NULL = none. */
    bool (*tick)(void *cookie);
    void *cookie;
};

/*
 * Count the offers of `decision`, which answers `question`, and judge each past hour: would a run
 * of the asked duration begun then have kept the rules, by the last word stored on the hours it
 * would have taken? Rules and waivers are those in force at the question's now; an hour its source
 * may still revise is taken with the largest revision seen of it as bounds, and is unknown without
 * any; unknown is never admitted, whatever a rule says. Zones need their histories. Errors:
 * INTERRUPTED when tick stopped it. Free with gl_index_done().
 */
int gl_index_availability(const struct gl_question *question, const struct gl_decision *decision,
                          const struct gl_index_options *options, struct gl_index *out,
                          struct gl_error *err);
void gl_index_done(struct gl_index *index);

/* Does a rule of the policy limit figures of the grid? Without one nothing is green. */
bool gl_index_is_green_rule(const struct gl_policy *policy);
/* The quantities that its rules look at: bit i for quantity i. */
unsigned gl_index_quantities(const struct gl_policy *policy);

enum gl_index_by { GL_INDEX_HOUR, GL_INDEX_DAY, GL_INDEX_WEEK, GL_INDEX_MONTH };
/* Days, weeks (from Monday) and months of UTC; the first and the last may be cut by the window. */
struct gl_index_period {
    struct gl_instant from, until;
    size_t first, count; /* hours of gl_index */
    char label[24];      /* "2026-06-01T13:00Z" "2026-06-01" "2026-W23" "2026-06" */
};
/* The period that begins with hour `first` of the index; false at the end. */
bool gl_index_period(const struct gl_index *index, enum gl_index_by by, size_t first,
                     struct gl_index_period *out);
struct gl_index_count gl_index_sum(const struct gl_index *index, size_t cloud, size_t first,
                                   size_t count);
/* Green, not green, unknown as a percentage of all three; NaN when there is nothing. */
double gl_index_percent(uint64_t part, const struct gl_index_count *count);

#endif
