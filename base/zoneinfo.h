/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BASE_ZONEINFO_H
#define GL_BASE_ZONEINFO_H

/* Named time zones: TZif files (RFC 8536, versions 1 to 4) as /usr/share/zoneinfo holds them, with
 * the POSIX TZ rule of their footer for what comes after the last listed change. Knows offsets of
 * local clocks from UTC and nothing else: no abbreviations, no leap seconds (such files are
 * refused). All but gl_zone_load() is pure. */

#include "base/error.h"

#define GL_ZONE_NAME      64
#define GL_ZONE_MAX_BYTES ((size_t)256 << 10)
#define GL_ZONE_MAX_TIMES 4096

/* A day of the year and a time of it when clocks change: "M10.5.0/3", "J60", "59". */
struct gl_zone_day {
    char kind; /* 'M' month, week, weekday; 'J' day 1..365 without 29 February; 'n' day 0..365 */
    int16_t month, week, day;
    int32_t time_s; /* of local time; may be negative or pass 24 h */
};

/* Offsets are seconds east of UTC. */
struct gl_zone_rule {
    bool is_there, has_summer;
    int32_t standard_s, summer_s;
    struct gl_zone_day start, end; /* of summer time, in the time before the change */
};

struct gl_zone {
    char name[GL_ZONE_NAME];
    int32_t first_s; /* offset before the first change */
    size_t count;
    int64_t *at_s;     /* instants of the changes, ascending */
    int32_t *offset_s; /* from then on */
    struct gl_zone_rule rule;
};

/* Coordinated Universal Time; needs no file and no gl_zone_done(). */
extern const struct gl_zone gl_zone_utc;

/* The bytes of a TZif file. Free with gl_zone_done(). Errors: BAD_VALUE, TOO_LARGE. */
int gl_zone_read(const void *bytes, size_t length, const char *name, struct gl_zone *out,
                 struct gl_error *err);
/* By name, below `folder` (NULL = /usr/share/zoneinfo): "Europe/Berlin"; "UTC" is built in.
 * Errors: UNKNOWN_NAME (no such zone, or a name that is none), those of gl_zone_read(). */
int gl_zone_load(const char *name, const char *folder, struct gl_zone *out, struct gl_error *err);
void gl_zone_done(struct gl_zone *zone);

/* A POSIX TZ text, as in "CET-1CEST,M3.5.0,M10.5.0/3". BAD_VALUE for anything else. */
int gl_zone_rule_read(const char *text, struct gl_zone_rule *out, struct gl_error *err);
/* What the rule says at an instant, and its first change after it (INT64_MAX = none). Internal to
 * the module. */
int32_t gl_zone_rule_offset(const struct gl_zone_rule *rule, int64_t at_s);
int64_t gl_zone_rule_next(const struct gl_zone_rule *rule, int64_t at_s);

/* Seconds that local clocks are ahead of UTC at an instant. */
int32_t gl_zone_offset(const struct gl_zone *zone, int64_t at_s);
/* The first change of clocks after it; INT64_MAX = none. The offset may come out the same. */
int64_t gl_zone_next(const struct gl_zone *zone, int64_t at_s);
/* The first instant when local clocks read `local_s` (seconds since 1970-01-01T00:00 of local time)
 * or later: of a time that is skipped the change itself, of one that comes twice the first. */
int64_t gl_zone_of_local(const struct gl_zone *zone, int64_t local_s);

#endif
