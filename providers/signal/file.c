/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"
#include "providers/signal/file_part.h"

#include <stdlib.h>
#include <string.h>

/* Series that the user gives: CSV or JSON, described in docs/signals.md. Nothing is guessed: a file
 * with one bad row gives nothing at all. */

#define STEP_MAX_S 86400

/* Any well-formed name may stand in a file: letters, digits, - _ : and the dot. */
static bool covers(const char *zone)
{
    static const char allowed[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_:.";
    size_t length = strlen(zone);

    return length > 0 && length < sizeof((struct gl_series *)0)->zone &&
           strspn(zone, allowed) == length;
}

static bool is_same_series(const struct gl_series *series, const struct gl_file_row *row)
{
    struct gl_error ignored = {0};

    return series->issued_s == row->issued_s && strcmp(series->zone, row->zone) == 0 &&
           gl_meaning_join(&series->meaning, &row->meaning, &ignored) == 0;
}

/* Where in the slots to look for a row's series first. */
static uint32_t slot_of(const struct gl_file_row *row)
{
    uint64_t sum = (uint64_t)row->issued_s + (uint64_t)row->meaning.quantity * 31;

    for (const char *c = row->zone; *c != '\0'; c++)
        sum = sum * 31 + (unsigned char)*c;
    return (uint32_t)(sum * UINT64_C(0x9e3779b97f4a7c15) >> 48);
}

static struct gl_series *add_series(struct gl_file_set *set, const struct gl_file_row *row)
{
    struct gl_signal_label label = *set->label;
    struct gl_series *series;

    label.zone = row->zone;
    set->last = set->result.count;
    set->capacities = gl_realloc(set->capacities, (set->last + 1) * sizeof *set->capacities);
    set->capacities[set->last] = 32;
    series = gl_signal_begin(&set->result, set->capacities[set->last], &label, &row->meaning);
    series->issued_s = row->issued_s;
    return series;
}

/* The series of a row, fresh if it is the first one. NULL when there are too many. */
static struct gl_series *series_of(struct gl_file_set *set, const struct gl_file_row *row)
{
    struct gl_signal_result *result = &set->result;
    uint32_t slot;

    if (result->count > 0 && is_same_series(&result->series[set->last], row))
        return &result->series[set->last];
    if (set->slots == NULL)
        set->slots = gl_alloc(GL_FILE_SLOTS * sizeof *set->slots);
    for (slot = slot_of(row); set->slots[slot] != 0; slot = (slot + 1) % GL_FILE_SLOTS) {
        size_t i = (size_t)set->slots[slot] - 1;

        if (is_same_series(&result->series[i], row)) {
            set->last = i;
            return &result->series[i];
        }
    }
    if (result->count == GL_FILE_MAX_SERIES)
        return NULL;
    set->slots[slot] = (uint16_t)(result->count + 1);
    return add_series(set, row);
}

int gl_file_set_add(struct gl_file_set *set, const struct gl_file_row *row, struct gl_error *err)
{
    struct gl_series *series = series_of(set, row);
    size_t *capacity = series != NULL ? &set->capacities[set->last] : NULL;

    if (series == NULL)
        return gl_fail(err, GL_E_TOO_LARGE, "more than %d series in one file", GL_FILE_MAX_SERIES);
    if (series->count == *capacity) {
        *capacity *= 2;
        series->points = gl_realloc(series->points, *capacity * sizeof *series->points);
    }
    if (row->point.low_u != GL_UNKNOWN || row->point.high_u != GL_UNKNOWN)
        series->bound_method = GL_BOUND_USER;
    series->points[series->count++] = row->point;
    return 0;
}

void gl_file_set_done(struct gl_file_set *set)
{
    gl_signal_result_done(&set->result);
    free(set->capacities);
    free(set->slots);
}

/* Newest issue first, so that it is the first one found; the order of the file otherwise. The
 * positions stand in an array beside the series. */
static int compare_issues(const void *left, const void *right)
{
    const struct gl_series *const *a = left, *const *b = right;

    if ((*a)->issued_s != (*b)->issued_s)
        return (*a)->issued_s > (*b)->issued_s ? -1 : 1;
    return *a < *b ? -1 : *a > *b;
}

static void sort_by_issue(struct gl_signal_result *result)
{
    const struct gl_series **order = gl_alloc(result->count * sizeof *order);
    struct gl_series *sorted = gl_alloc(result->count * sizeof *sorted);

    for (size_t i = 0; i < result->count; i++)
        order[i] = &result->series[i];
    if (result->count > 1)
        qsort(order, result->count, sizeof *order, compare_issues);
    for (size_t i = 0; i < result->count; i++)
        sorted[i] = *order[i];
    free(order);
    free(result->series);
    result->series = sorted;
}

static int finish(struct gl_file_set *set, const struct gl_hash *hash, struct gl_error *err)
{
    for (size_t i = 0; i < set->result.count; i++) {
        struct gl_series *series = &set->result.series[i];

        if (gl_series_close(series, STEP_MAX_S, err))
            return gl_wrap(err, "%s: until or step_minutes is needed", set->label->dataset);
        memcpy(series->body_sha256, hash->bytes, sizeof series->body_sha256);
    }
    sort_by_issue(&set->result);
    return 0;
}

static bool is_json(const char *bytes)
{
    char first = bytes[strspn(bytes, " \t\r\n")];

    return first == '{' || first == '[';
}

static int read_bytes(char *bytes, size_t length, const char *path, struct gl_file_set *set,
                      struct gl_error *err)
{
    size_t mark = strncmp(bytes, "\xef\xbb\xbf", 3) == 0 ? 3 : 0; /* CSV skips it itself */
    struct gl_hash hash;
    int rc;

    if (strlen(bytes) != length)
        return gl_fail(err, GL_E_SYNTAX, "%s is binary, not CSV or JSON", path);
    gl_hash_of(bytes, length, &hash);
    rc = is_json(bytes + mark) ? gl_file_read_json(bytes + mark, length - mark, path, set, err)
                               : gl_file_read_csv(bytes, path, set, err);
    return rc ? rc : finish(set, &hash, err);
}

/* Keep the series of one zone; all of them when `zone` is "". */
static void keep_zone(struct gl_signal_result *result, const char *zone)
{
    size_t kept = 0;

    for (size_t i = 0; i < result->count; i++) {
        if (zone[0] == '\0' || strcmp(result->series[i].zone, zone) == 0)
            result->series[kept++] = result->series[i];
        else
            free(result->series[i].points);
    }
    result->count = kept;
}

static int read_source(const struct gl_signal_query *query, const struct gl_signal_config *config,
                       const struct gl_world *world, struct gl_signal_result *result,
                       struct gl_error *err)
{
    const char *zone = config->zone != NULL ? config->zone : "";
    const char *path = config->path;
    const char *slash = path != NULL ? strrchr(path, '/') : NULL;
    const struct gl_signal_label label = {.ops = &gl_signal_file,
                                          .zone = zone,
                                          .dataset = slash != NULL ? slash + 1 : path,
                                          .retrieved = gl_now(world)};
    struct gl_file_set set = {.label = &label};
    GL_AUTO(gl_auto_free) char *bytes = NULL;
    size_t length = 0;
    int rc;

    if (path == NULL || path[0] == '\0')
        return gl_fail(err, GL_E_CONFIG, "a file source needs a path");
    if (zone[0] != '\0' && !covers(zone))
        return gl_fail(err, GL_E_CONFIG, "%s: the configured zone is no zone name", path);
    if (gl_file_read(path, GL_FILE_MAX_BYTES, &bytes, &length, err))
        return -1;
    rc = read_bytes(bytes, length, path, &set, err);
    if (rc == 0) {
        keep_zone(&set.result, query->zone);
        gl_signal_result_take(result, &set.result);
    }
    gl_file_set_done(&set);
    return rc;
}

const struct gl_signal_ops gl_signal_file = {
    .name = "file",
    .title = "Series file of the user",
    .attribution = "given by the user",
    .licence = "the user's own",
    .homepage = "docs/signals.md",
    .covers = covers,
    .read = read_source,
};
