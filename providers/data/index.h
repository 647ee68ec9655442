/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What providers disclose about the electricity behind their instances, and what they pledge: two
 * tables whose every cell carries the sentence it rests on, where that was read and when.
 *
 * They decide nothing: no rule is satisfied by a pledge or by a grade. The module refuses to guess:
 * what no source that was read says is unknown, and unknown is neither yes nor no. The columns and
 * the grade made of them: docs/index-of-providers.md.
 *
 * All pointers returned are borrowed from static storage and valid for the life of the program.
 */

#ifndef GL_PROVIDERS_DATA_INDEX_H
#define GL_PROVIDERS_DATA_INDEX_H

#include <stddef.h>
#include <stdint.h>

enum gl_disclosure_column {
    GL_DISCLOSES_HOURLY,   /* figures of an hour or less */
    GL_DISCLOSES_INSTANCE, /* of one instance */
    GL_DISCLOSES_API,      /* by a documented API */
    GL_DISCLOSES_FORECAST, /* of hours to come */
    GL_DISCLOSES_BEFORE,   /* before something is bought */
    GL_DISCLOSES_SIGNED,   /* signed, so that somebody else can check them */
    GL_DISCLOSURE_COLUMNS
};
enum gl_disclosed { GL_DISCLOSED_UNKNOWN, GL_DISCLOSED_NO, GL_DISCLOSED_PARTLY, GL_DISCLOSED_YES };

struct gl_disclosure_cell { /* no member is NULL or empty */
    enum gl_disclosed value;
    const char *evidence;  /* one sentence */
    const char *source;    /* address, or owner/name and path */
    const char *looked_at; /* YYYY-MM-DD */
};

struct gl_disclosure_row {
    const char *cloud;    /* as in gl_data_regions() */
    const char *provider; /* its name */
    struct gl_disclosure_cell cells[GL_DISCLOSURE_COLUMNS];
};

/* How a pledge or a report counts. None of them is the grid's own (location-based) figure. */
enum gl_pledge_counting {
    GL_PLEDGE_COUNTING_UNKNOWN,
    GL_PLEDGE_MARKET,        /* contracts and certificates; over which time is not said */
    GL_PLEDGE_MARKET_YEARLY, /* purchases of a year against use of a year: says nothing of an hour
                              */
    GL_PLEDGE_MARKET_HOURLY, /* hour by hour, in the same grid */
};

/* A target, or a reported figure. */
struct gl_pledge_part {
    const char *what;   /* one sentence; NULL = unknown */
    const char *figure; /* in few words: "100 % renewable"; NULL = unknown */
    int16_t permille;   /* of electricity; -1 = unknown, or not a share of electricity */
    int16_t year;       /* by when, or of which year; -1 = unknown */
    enum gl_pledge_counting counting;
    const char *source, *dated; /* where; date of what was read, "" = not said */
    const char *looked_at;      /* YYYY-MM-DD */
};

struct gl_pledge_row {
    const char *cloud, *provider;
    struct gl_pledge_part target, reported; /* source and looked_at are never NULL or empty */
};

/* Both tables: stores the first row in *out_rows and returns the number of rows. Sorted by cloud;
 * both name the clouds of gl_data_regions(), each once. */
size_t gl_data_disclosure(const struct gl_disclosure_row **out_rows);
size_t gl_data_pledges(const struct gl_pledge_row **out_rows);

#endif
