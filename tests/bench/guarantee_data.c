/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/guarantee_data.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/csv.h"

#define FILE_MAX   ((size_t)64 << 20)
#define HOURS_MAX  ((size_t)40000)
#define ISSUES_MAX ((size_t)2000)

static char *unpacked(const char *path, struct gl_error *err)
{
    char command[1200];
    char *bytes = gl_alloc(FILE_MAX + 1);
    FILE *pipe;
    size_t length;
    int status;

    snprintf(command, sizeof command, "gzip -dc '%s' 2>/dev/null", path);
    pipe = popen(command, "r");
    length = pipe == NULL ? 0 : fread(bytes, 1, FILE_MAX, pipe);
    status = pipe == NULL ? -1 : pclose(pipe);
    if (status != 0 || length == 0) {
        free(bytes);
        gl_fail(err, GL_E_NOT_FOUND, "%s cannot be read", path);
        return NULL;
    }
    bytes[length] = '\0';
    return bytes;
}

/* "2021-02-01", "2021-07-01T00:00Z", "2020-01-01 00:00:00+00:00" or "01/31/2020 00:00:00". */
static int64_t instant(const char *text)
{
    struct tm tm = {.tm_mday = 1};

    if (strlen(text) > 2 && text[2] == '/')
        strptime(text, "%m/%d/%Y %H:%M", &tm);
    else if (strlen(text) <= 10)
        strptime(text, "%Y-%m-%d", &tm);
    else
        strptime(text, text[10] == 'T' ? "%Y-%m-%dT%H:%M" : "%Y-%m-%d %H:%M", &tm);
    return (int64_t)timegm(&tm);
}

/* Two columns of an hourly file; the second may be NULL. */
static int read_hours(char *bytes, const char *name, const char *const column[3],
                      struct bench_zone *zone, struct gl_error *err)
{
    struct gl_csv csv;
    int time, first, second, got;

    gl_csv_init(&csv, bytes, name);
    if (gl_csv_next(&csv, err) != 1)
        return -1;
    time = gl_csv_column(&csv, column[0]);
    first = gl_csv_column(&csv, column[1]);
    second = column[2] == NULL ? -1 : gl_csv_column(&csv, column[2]);
    if (time < 0 || first < 0)
        return gl_fail(err, GL_E_SYNTAX, "%s lacks a column", name);
    zone->intensity = gl_alloc(HOURS_MAX * sizeof(float));
    zone->renewable = second < 0 ? NULL : gl_alloc(HOURS_MAX * sizeof(float));
    while ((got = gl_csv_next(&csv, err)) == 1 && zone->hours < HOURS_MAX) {
        if (zone->hours == 0)
            zone->start_s = instant(csv.fields[time]);
        zone->intensity[zone->hours] = strtof(csv.fields[first], NULL);
        if (second >= 0)
            zone->renewable[zone->hours] = strtof(csv.fields[second], NULL);
        zone->hours++;
    }
    return got < 0 ? -1 : 0;
}

static void take_issues(struct bench_zone *zone)
{
    zone->issued_s = gl_alloc(ISSUES_MAX * sizeof *zone->issued_s);
    zone->issue_values = gl_alloc(ISSUES_MAX * BENCH_ISSUE_HOURS * sizeof(float));
}

/* One issue a row is wider than base/csv.h allows; these rows have no quotes. */
static void read_wide_issues(char *bytes, struct bench_zone *zone)
{
    char *line, *rest = bytes;

    take_issues(zone);
    strsep(&rest, "\n");
    while ((line = strsep(&rest, "\n")) != NULL && *line != '\0' &&
           zone->issue_count < ISSUES_MAX) {
        float *values = zone->issue_values + zone->issue_count * BENCH_ISSUE_HOURS;
        size_t k;

        zone->issued_s[zone->issue_count++] = instant(strsep(&line, ","));
        for (k = 0; k < BENCH_ISSUE_HOURS && line != NULL; k++)
            values[k] = strtof(strsep(&line, ","), NULL);
    }
}

int bench_zone_carbonx(const char *folder, const char *name, struct bench_zone *out_zone,
                       struct gl_error *err)
{
    static const char *const column[] = {"utc", "ci_direct", "re_pct"};
    struct bench_zone zone = {.name = name};
    char path[1024];
    char *bytes;

    snprintf(path, sizeof path, "%s/carbonx/%s_actual_2021_2024.csv.gz", folder, name);
    bytes = unpacked(path, err);
    if (bytes == NULL || read_hours(bytes, path, column, &zone, err) != 0)
        return -1;
    free(bytes);
    snprintf(path, sizeof path, "%s/carbonx/%s_sundial_96h.csv.gz", folder, name);
    bytes = unpacked(path, err);
    if (bytes == NULL)
        return -1;
    read_wide_issues(bytes, &zone);
    free(bytes);
    *out_zone = zone;
    return 0;
}

static int read_long_issues(char *bytes, const char *name, struct bench_zone *zone,
                            struct gl_error *err)
{
    struct gl_csv csv;
    int got, issued, lead, value;

    take_issues(zone);
    gl_csv_init(&csv, bytes, name);
    if (gl_csv_next(&csv, err) != 1)
        return -1;
    issued = gl_csv_column(&csv, "issued_at");
    lead = gl_csv_column(&csv, "lead_h");
    value = gl_csv_column(&csv, "ci_life_fc");
    if (issued < 0 || lead < 0 || value < 0)
        return gl_fail(err, GL_E_SYNTAX, "%s lacks a column", name);
    while ((got = gl_csv_next(&csv, err)) == 1) {
        int64_t at = instant(csv.fields[issued]);
        long hour = strtol(csv.fields[lead], NULL, 10);
        size_t last = zone->issue_count;

        if (last == 0 || zone->issued_s[last - 1] != at) {
            if (last == ISSUES_MAX)
                break;
            zone->issued_s[zone->issue_count++] = at;
        }
        if (hour >= 0 && hour < BENCH_ISSUE_HOURS)
            zone->issue_values[(zone->issue_count - 1) * BENCH_ISSUE_HOURS + (size_t)hour] =
                strtof(csv.fields[value], NULL);
    }
    return got < 0 ? -1 : 0;
}

int bench_zone_carboncast(const char *folder, const char *name, struct bench_zone *out_zone,
                          struct gl_error *err)
{
    static const char *const column[] = {"UTC time", "carbon_intensity", NULL};
    struct bench_zone zone = {.name = name};
    char path[1024];
    char *bytes;

    snprintf(path, sizeof path, "%s/hourly/%s_lifecycle_emissions.csv.gz", folder, name);
    bytes = unpacked(path, err);
    if (bytes == NULL || read_hours(bytes, path, column, &zone, err) != 0)
        return -1;
    free(bytes);
    snprintf(path, sizeof path, "%s/forecasts/%s_96h_forecast_vs_actual.csv.gz", folder, name);
    bytes = unpacked(path, err);
    if (bytes == NULL || read_long_issues(bytes, path, &zone, err) != 0)
        return -1;
    free(bytes);
    *out_zone = zone;
    return 0;
}
