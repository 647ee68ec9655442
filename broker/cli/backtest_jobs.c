/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/cli/backtest_part.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/csv.h"
#include "base/file.h"
#include "base/time.h"

/* The jobs of a replay: a rule like "6h,every=6h", or a table. */

#define FILE_MAX     ((size_t)64 << 20)
#define LENGTH_MAX_S ((int64_t)GL_BACKTEST_DEADLINE_H * GL_HOUR_S)

/* One job as it is said, before it is laid on hours. */
struct said {
    int64_t arrival_s, length_s;
    int64_t finish_by_s, slack_s; /* GL_UNKNOWN = not said */
    double watts;
    double kwh; /* of the whole run; NaN = by watts */
    bool may_pause;
    size_t home;
};

static struct said said_nothing(const struct backtest *bt)
{
    const struct backtest_values *values = bt->values;

    return (struct said){
        .arrival_s = GL_UNKNOWN,
        .length_s = GL_UNKNOWN,
        .finish_by_s = values->finish_by_s == INT64_MIN ? GL_UNKNOWN : values->finish_by_s,
        .slack_s = values->slack_s == INT64_MIN ? GL_UNKNOWN : values->slack_s,
        .watts = values->power_u == INT64_MIN ? BACKTEST_POWER_W : (double)values->power_u / 1e6,
        .kwh = NAN,
        .may_pause = values->is_interruptible,
    };
}

static int deadline_of(const struct said *said, uint32_t work_h, uint32_t *out_h,
                       struct gl_error *err)
{
    int64_t until_s = said->finish_by_s;

    if (until_s == GL_UNKNOWN)
        until_s = (int64_t)work_h * GL_HOUR_S +
                  (said->slack_s != GL_UNKNOWN ? said->slack_s : BACKTEST_SLACK_S);
    if (until_s > LENGTH_MAX_S)
        return gl_fail(err, GL_E_TOO_LARGE, "a job has to be over %d hours after it arrives",
                       GL_BACKTEST_DEADLINE_H);
    if (until_s < said->length_s)
        return gl_fail(err, GL_E_BAD_VALUE, "a job takes longer than the time it has");
    *out_h = (uint32_t)(until_s / GL_HOUR_S);
    *out_h = *out_h > work_h ? *out_h : work_h; /* whole hours, as its length is */
    return 0;
}

static int add(struct backtest *bt, const struct said *said, struct gl_error *err)
{
    struct gl_backtest_job job = {.home = (uint16_t)said->home, .may_pause = said->may_pause};
    double kwh = said->kwh;

    if (said->arrival_s < bt->from_s || said->arrival_s >= bt->until_s) {
        bt->notes.dropped++;
        return 0;
    }
    if (said->length_s <= 0 || said->length_s > LENGTH_MAX_S)
        return gl_fail(err, GL_E_BAD_VALUE, "a job runs for 1 s to %d h", GL_BACKTEST_DEADLINE_H);
    if (bt->job_count == GL_BACKTEST_JOBS)
        return gl_fail(err, GL_E_TOO_LARGE, "more than %zu jobs", GL_BACKTEST_JOBS);
    if (isnan(kwh))
        kwh = said->watts / 1000 * (double)said->length_s / (double)GL_HOUR_S;
    job.arrival_s = said->arrival_s - said->arrival_s % GL_HOUR_S;
    job.work_h = (uint32_t)gl_hours_up(said->length_s);
    job.kwh_per_hour = (float)(kwh / job.work_h);
    if (!(job.kwh_per_hour > 0))
        return gl_fail(err, GL_E_BAD_VALUE, "a job needs energy: more than 0");
    if (deadline_of(said, job.work_h, &job.deadline_h, err) != 0)
        return -1;
    bt->notes.rounded += said->length_s % GL_HOUR_S != 0;
    bt->notes.late += said->arrival_s % GL_HOUR_S != 0;
    if (bt->job_count == bt->job_room) {
        bt->job_room = bt->job_room > 0 ? 2 * bt->job_room : 1024;
        bt->jobs = gl_realloc(bt->jobs, bt->job_room * sizeof *bt->jobs);
    }
    bt->jobs[bt->job_count++] = job;
    return 0;
}

/* ---- --job LENGTH,every=SPAN ---- */

static int read_part(const char *part, struct said *said, int64_t *every_s, struct gl_error *err)
{
    struct gl_span span;
    int64_t number;

    if (strncmp(part, "every=", 6) == 0) {
        if (gl_span_parse(part + 6, &span, err) != 0)
            return -1;
        *every_s = span.s;
    } else if (strncmp(part, "energy=", 7) == 0) {
        if (gl_quantity_parse(GL_DIM_ENERGY, part + 7, &number, err) != 0)
            return -1;
        said->kwh = (double)number / 1e9;
    } else if (strncmp(part, "power=", 6) == 0) {
        if (gl_quantity_parse(GL_DIM_POWER, part + 6, &number, err) != 0)
            return -1;
        said->watts = (double)number / 1e6;
    } else {
        if (said->length_s != GL_UNKNOWN)
            return gl_fail(err, GL_E_USAGE,
                           "write LENGTH,every=SPAN and power=W or energy=WH, as in %s",
                           BACKTEST_JOB ",power=300W");
        if (gl_span_parse(part, &span, err) != 0)
            return -1;
        said->length_s = span.s;
    }
    return 0;
}

static int jobs_of_rule(struct backtest *bt, const char *text, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *copy = gl_strdup(text);
    struct said said = said_nothing(bt);
    int64_t every_s = GL_UNKNOWN;
    char *rest = copy;

    for (char *part = strsep(&rest, ","); part != NULL; part = strsep(&rest, ","))
        if (read_part(part, &said, &every_s, err) != 0)
            return gl_wrap(err, "--job %s", text);
    if (said.length_s == GL_UNKNOWN || every_s == GL_UNKNOWN)
        return gl_fail(err, GL_E_USAGE, "--job %s: write LENGTH,every=SPAN, as in %s", text,
                       BACKTEST_JOB);
    if (!isnan(said.kwh) && strstr(text, "power=") != NULL)
        return gl_fail(err, GL_E_USAGE, "--job %s: give power= or energy=, not both", text);
    bt->notes.has_power =
        bt->values->power_u != INT64_MIN || !isnan(said.kwh) || strstr(text, "power=") != NULL;
    for (said.arrival_s = bt->from_s; said.arrival_s < bt->until_s; said.arrival_s += every_s)
        if (add(bt, &said, err) != 0)
            return gl_wrap(err, "--job %s", text);
    return 0;
}

/* ---- a table ---- */

enum field {
    FIELD_ARRIVAL,
    FIELD_LENGTH,
    FIELD_KWH,
    FIELD_WATTS,
    FIELD_CPUS,
    FIELD_FINISH_BY,
    FIELD_SLACK,
    FIELD_INTERRUPTIBLE,
    FIELD_ZONE,
    FIELDS,
};
static const char *const field_names[FIELDS + 1] = {
    "arrival",   "length", "kwh",           "watts", "cpus",
    "finish_by", "slack",  "interruptible", "zone",  NULL};

struct table {
    struct backtest *bt;
    struct gl_csv csv;
    int columns[FIELDS];
};

static const char *field_of(const struct table *table, enum field field)
{
    int column = table->columns[field];

    return column >= 0 ? table->csv.fields[column] : "";
}

/* A plain number, without sign or exponent. */
static int read_number(const char *text, double *out, struct gl_error *err)
{
    int64_t number;

    if (gl_quantity_parse(GL_DIM_COUNT, text, &number, err) != 0)
        return -1;
    *out = (double)number / 1e6;
    return 0;
}

static bool is_number(const char *text)
{
    return *text != '\0' && strspn(text, "0123456789.") == strlen(text);
}

/* "6h", or a number of seconds. */
static int read_span(const char *text, int64_t *out_s, struct gl_error *err)
{
    struct gl_span span;
    double seconds;

    if (is_number(text)) {
        if (read_number(text, &seconds, err) != 0)
            return -1;
        *out_s = (int64_t)ceil(seconds);
        return 0;
    }
    if (gl_span_parse(text, &span, err) != 0)
        return -1;
    *out_s = span.s;
    return 0;
}

/* A time with its zone, or seconds since --from. */
static int read_arrival(struct table *table, const char *text, int64_t *out_s, struct gl_error *err)
{
    struct gl_instant at;
    double seconds;

    if (is_number(text)) {
        if (read_number(text, &seconds, err) != 0)
            return -1;
        table->bt->notes.is_relative = true;
        *out_s = table->bt->from_s + (int64_t)seconds;
        return 0;
    }
    if (gl_instant_parse(text, &at, err) != 0)
        return -1;
    *out_s = at.unix_s;
    return 0;
}

static int read_energy(const struct table *table, struct said *said, struct gl_error *err)
{
    const char *kwh = field_of(table, FIELD_KWH), *watts = field_of(table, FIELD_WATTS);
    const char *cpus = field_of(table, FIELD_CPUS);
    double number;

    if (kwh[0] != '\0' && watts[0] != '\0')
        return gl_fail(err, GL_E_BAD_VALUE, "a job says its kwh or its watts, not both");
    if (kwh[0] != '\0' && read_number(kwh, &said->kwh, err) != 0)
        return gl_wrap(err, "kwh");
    if (watts[0] != '\0' && read_number(watts, &said->watts, err) != 0)
        return gl_wrap(err, "watts");
    if (cpus[0] != '\0') { /* --power is then of one */
        if (read_number(cpus, &number, err) != 0)
            return gl_wrap(err, "cpus");
        said->watts *= number;
    }
    return 0;
}

static int read_home(const struct table *table, struct said *said, struct gl_error *err)
{
    const char *zone = field_of(table, FIELD_ZONE);
    char shown[GL_TEXT_SHOWN];

    for (size_t i = 0; zone[0] != '\0'; i++) {
        if (i == table->bt->place_count)
            return gl_fail(err, GL_E_UNKNOWN_NAME, "zone \"%s\" is none of the places",
                           gl_text_show(zone, shown));
        if (strcmp(table->bt->places[i].zone->zone, zone) == 0) {
            said->home = i;
            break;
        }
    }
    return 0;
}

static int read_flag(const char *text, bool *out, struct gl_error *err)
{
    char shown[GL_TEXT_SHOWN];
    bool is_yes = strcmp(text, "yes") == 0 || strcmp(text, "true") == 0 || strcmp(text, "1") == 0;

    if (!is_yes && strcmp(text, "no") != 0 && strcmp(text, "false") != 0 && strcmp(text, "0") != 0)
        return gl_fail(err, GL_E_BAD_VALUE, "interruptible is yes or no, not \"%s\"",
                       gl_text_show(text, shown));
    *out = is_yes;
    return 0;
}

static int read_row(struct table *table, struct said *said, struct gl_error *err)
{
    const char *by = field_of(table, FIELD_FINISH_BY), *slack = field_of(table, FIELD_SLACK);
    const char *pause = field_of(table, FIELD_INTERRUPTIBLE);

    *said = said_nothing(table->bt);
    if (by[0] != '\0' && slack[0] != '\0')
        return gl_fail(err, GL_E_BAD_VALUE, "a job says its finish_by or its slack, not both");
    if (read_arrival(table, field_of(table, FIELD_ARRIVAL), &said->arrival_s, err) != 0)
        return gl_wrap(err, "arrival");
    if (read_span(field_of(table, FIELD_LENGTH), &said->length_s, err) != 0)
        return gl_wrap(err, "length");
    if (by[0] != '\0' && read_span(by, &said->finish_by_s, err) != 0)
        return gl_wrap(err, "finish_by");
    if (slack[0] != '\0') {
        said->finish_by_s = GL_UNKNOWN;
        if (read_span(slack, &said->slack_s, err) != 0)
            return gl_wrap(err, "slack");
    }
    if (pause[0] != '\0' && read_flag(pause, &said->may_pause, err) != 0)
        return -1;
    return read_energy(table, said, err) != 0 ? -1 : read_home(table, said, err);
}

/* Also the names of the trace published with GAIA (ASPLOS 2024): arrival_time, in seconds. */
static int read_head(struct table *table, struct gl_error *err)
{
    for (int f = 0; f < FIELDS; f++)
        table->columns[f] = gl_csv_column(&table->csv, field_names[f]);
    if (table->columns[FIELD_ARRIVAL] < 0)
        table->columns[FIELD_ARRIVAL] = gl_csv_column(&table->csv, "arrival_time");
    for (size_t c = 0; c < table->csv.count; c++) {
        const char *name = table->csv.fields[c];
        bool is_known = strcmp(name, "arrival_time") == 0;
        const char *nearest;
        char shown[GL_TEXT_SHOWN];

        if (gl_csv_column(&table->csv, name) != (int)c)
            return gl_fail(err, GL_E_DUPLICATE_KEY, "column %s stands twice",
                           gl_text_show(name, shown));
        for (int f = 0; f < FIELDS; f++)
            is_known = is_known || strcmp(name, field_names[f]) == 0;
        if (is_known)
            continue;
        nearest = gl_text_nearest(name, field_names, FIELDS);
        return gl_fail(err, GL_E_UNKNOWN_KEY, "no column \"%s\"%s%s", gl_text_show(name, shown),
                       nearest != NULL ? "; did you mean " : "", nearest != NULL ? nearest : "");
    }
    if (table->columns[FIELD_ARRIVAL] < 0 || table->columns[FIELD_LENGTH] < 0)
        return gl_fail(err, GL_E_SYNTAX,
                       "the first row names the columns: arrival and length at "
                       "least");
    table->bt->notes.has_power = table->columns[FIELD_KWH] >= 0 ||
                                 table->columns[FIELD_WATTS] >= 0 ||
                                 table->bt->values->power_u != INT64_MIN;
    return 0;
}

static int read_table(struct table *table, struct gl_error *err)
{
    struct said said;
    int rc = gl_csv_next(&table->csv, err);

    if (rc == 0)
        return gl_fail(err, GL_E_SYNTAX, "no rows");
    if (rc < 0 || read_head(table, err) != 0)
        return -1;
    const size_t columns = table->csv.count;

    while ((rc = gl_csv_next(&table->csv, err)) == 1) {
        if (table->csv.count != columns)
            return gl_fail(err, GL_E_SYNTAX, "a row of %zu fields below %zu names",
                           table->csv.count, columns);
        if (read_row(table, &said, err) != 0 || add(table->bt, &said, err) != 0)
            return -1;
    }
    return rc;
}

static int by_arrival(const void *left, const void *right)
{
    const struct gl_backtest_job *a = left, *b = right;

    if (a->arrival_s != b->arrival_s)
        return a->arrival_s > b->arrival_s ? 1 : -1;
    if (a->work_h != b->work_h)
        return a->work_h > b->work_h ? 1 : -1;
    return (a->kwh_per_hour > b->kwh_per_hour) - (a->kwh_per_hour < b->kwh_per_hour);
}

static int jobs_of_file(struct backtest *bt, const char *path, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *bytes = NULL;
    struct table table = {.bt = bt};
    size_t length;

    if (gl_file_read_given(path, FILE_MAX, &bytes, &length, err) != 0)
        return -1;
    if (strlen(bytes) != length)
        return gl_fail(err, GL_E_SYNTAX, "%s is binary, not CSV", path);
    gl_csv_init(&table.csv, bytes, path);
    if (read_table(&table, err) != 0)
        return gl_wrap(err, "%s:%u", path, (unsigned)table.csv.line);
    if (bt->job_count > 1)
        qsort(bt->jobs, bt->job_count, sizeof *bt->jobs, by_arrival);
    return 0;
}

int gl_backtest_read_jobs(struct backtest *bt, struct gl_error *err)
{
    const struct backtest_values *values = bt->values;
    int rc;

    if (values->jobs != NULL && values->job != NULL)
        return gl_fail(err, GL_E_USAGE, "give --jobs or --job, not both");
    if (values->finish_by_s != INT64_MIN && values->slack_s != INT64_MIN)
        return gl_fail(err, GL_E_USAGE, "give --finish-by or --slack, not both");
    bt->jobs_name = values->jobs != NULL  ? values->jobs
                    : values->job != NULL ? values->job
                                          : BACKTEST_JOB;
    rc = values->jobs != NULL ? jobs_of_file(bt, values->jobs, err)
                              : jobs_of_rule(bt, bt->jobs_name, err);
    if (rc == 0 && bt->job_count == 0)
        return gl_fail(err, GL_E_UNKNOWN_DATA,
                       "no job arrives in the recorded hours (%zu do outside of them)",
                       bt->notes.dropped);
    return rc;
}
