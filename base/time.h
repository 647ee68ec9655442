/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BASE_TIME_H
#define GL_BASE_TIME_H

/* Instants as text and hours of UTC. Never reads a clock: that is base/world.h. Refuses local
 * times without a zone. */

#include "base/unit.h"

#define GL_INSTANT_TEXT 32

/* RFC 3339 / ISO 8601 with a zone: Z or +hh:mm; seconds and fraction optional, as in
 * "2026-01-01T12:00Z". A fraction is cut. Years 1970..9999. Errors: BAD_VALUE. */
int gl_instant_parse(const char *text, struct gl_instant *out, struct gl_error *err);
/* A date "YYYY-MM-DD" as the start of that day in UTC. */
int gl_date_parse(const char *text, struct gl_instant *out, struct gl_error *err);
/* "2026-01-01T12:00:00Z". Returns out. */
char *gl_instant_text(struct gl_instant at, char out[GL_INSTANT_TEXT]);
/* Civil fields of an instant in UTC; month and day count from 1. */
void gl_instant_civil(struct gl_instant at, int *year, int *month, int *day, int *hour, int *minute,
                      int *second);
/* Seconds since 1970 of a civil UTC time; fields are taken as valid. */
struct gl_instant gl_instant_of_civil(int year, int month, int day, int hour, int minute,
                                      int second);
/* The start of the UTC hour that holds `at`. */
struct gl_instant gl_instant_hour(struct gl_instant at);

#endif
