/* SPDX-License-Identifier: Apache-2.0 */
#include "base/time.h"
#include "providers/signal/adapter.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A server's clock and ours may differ by this much before a time counts as lying ahead. */
#define CLOCK_TOLERANCE_S 120

/* Limits of a believable figure: docs/signals.md. A share of load passes 100 % when a grid exports
 * more than it uses. */
#define INTENSITY_MAX_U  INT64_C(3000000000)
#define SHARE_WHOLE_U    INT64_C(1000000)
#define SHARE_MAX_U      INT64_C(1005000)
#define LOAD_SHARE_MAX_U INT64_C(10000000)

#define MICRO_MAX 1e9

struct gl_series *gl_signal_add(struct gl_signal_result *result, size_t points)
{
    struct gl_series *series;

    result->series = gl_realloc(result->series, (result->count + 1) * sizeof *series);
    series = &result->series[result->count++];
    *series = (struct gl_series){.points = gl_alloc(points * sizeof *series->points)};
    return series;
}

void gl_signal_result_done(struct gl_signal_result *result)
{
    for (size_t i = 0; i < result->count; i++)
        free(result->series[i].points);
    free(result->series);
    *result = (struct gl_signal_result){0};
}

void gl_signal_result_take(struct gl_signal_result *to, struct gl_signal_result *from)
{
    if (from->count > 0) {
        to->series = gl_realloc(to->series, (to->count + from->count) * sizeof *to->series);
        memcpy(to->series + to->count, from->series, from->count * sizeof *to->series);
        to->count += from->count;
    }
    free(from->series);
    *from = (struct gl_signal_result){0};
}

/* Into a text that is all zero yet, cut to its room: there are thousands, printf is too slow. */
#define PUT(text, source) memccpy(text, source, '\0', sizeof(text) - 1)

struct gl_series *gl_signal_begin(struct gl_signal_result *result, size_t points,
                                  const struct gl_signal_label *label,
                                  const struct gl_meaning *meaning)
{
    struct gl_series *series = gl_signal_add(result, points);

    series->meaning = *meaning;
    series->issued_s = GL_UNKNOWN;
    series->retrieved_s = label->retrieved.unix_s;
    PUT(series->zone, label->zone);
    PUT(series->provider, label->ops->name);
    PUT(series->dataset, label->dataset);
    PUT(series->licence, label->ops->licence);
    PUT(series->attribution, label->ops->attribution);
    return series;
}

struct gl_point gl_signal_point(int64_t from_s, int64_t until_s, enum gl_evidence evidence)
{
    return (struct gl_point){
        .from_s = from_s,
        .until_s = until_s,
        .value_u = GL_UNKNOWN,
        .low_u = GL_UNKNOWN,
        .high_u = GL_UNKNOWN,
        .updated_s = GL_UNKNOWN,
        .evidence = evidence,
    };
}

void gl_signal_bound_observed(struct gl_point *point)
{
    int64_t margin_u;

    if (point->value_u < 0)
        return;
    margin_u = point->value_u / 1000 * GL_REVISION_PPM / 1000;
    point->low_u = point->value_u - margin_u;
    point->high_u = point->value_u + margin_u;
}

void gl_signal_bound_share(struct gl_point *point)
{
    int64_t margin_u;

    if (point->value_u < 0 || point->value_u > SHARE_WHOLE_U)
        return;
    margin_u = (SHARE_WHOLE_U - point->value_u) * GL_REVISION_PPM / SHARE_WHOLE_U;
    point->low_u = point->value_u > margin_u ? point->value_u - margin_u : 0;
    point->high_u = point->value_u + margin_u;
}

int gl_signal_micro(double number, int64_t *out)
{
    if (!isfinite(number) || fabs(number) > MICRO_MAX)
        return -1;
    *out = llround(number * 1e6);
    return 0;
}

/* An answer's JSON object (or list), a new reference; NULL when it is none or holds nothing. */
static json_t *answer_root(struct gl_view bytes, const char *title, bool is_list,
                           struct gl_error *err)
{
    struct gl_error trouble = {0};
    json_t *root = gl_json_parse(bytes.text, bytes.length, "the answer", &trouble);

    if (root == NULL) {
        gl_fail(err, trouble.code == GL_E_TOO_LARGE ? GL_E_TOO_LARGE : GL_E_BAD_REPLY, "%s: %s",
                title, trouble.text);
        return NULL;
    }
    if (is_list ? !json_is_array(root) : !json_is_object(root))
        gl_fail(err, GL_E_BAD_REPLY, "%s: the answer is no JSON %s", title,
                is_list ? "array" : "object");
    else if (json_object_size(root) + json_array_size(root) == 0)
        gl_fail(err, GL_E_UNKNOWN_DATA, "%s: the answer is empty", title);
    else if (json_object_get(root, "error") != NULL)
        gl_fail(err, GL_E_BAD_REPLY, "%s: the answer is an error report, not data", title);
    else
        return root;
    json_decref(root);
    return NULL;
}

/* Takes over the reference to root; NULL = there was none, and *err is set. */
static int parse_root(const struct gl_signal_label *label, json_t *taken, gl_signal_reader *read,
                      struct gl_signal_result *result, struct gl_error *err)
{
    GL_AUTO(gl_auto_json) json_t *root = taken;
    struct gl_signal_result own = {0};

    if (root == NULL)
        return -1;
    if (read(root, label, &own, err)) {
        gl_signal_result_done(&own);
        return gl_wrap(err, "%s", label->ops->title);
    }
    gl_signal_result_take(result, &own);
    return 0;
}

int gl_signal_parse(const struct gl_signal_label *label, struct gl_view bytes,
                    gl_signal_reader *read, struct gl_signal_result *result, struct gl_error *err)
{
    return parse_root(label, answer_root(bytes, label->ops->title, false, err), read, result, err);
}

int gl_signal_parse_list(const struct gl_signal_label *label, struct gl_view bytes,
                         gl_signal_reader *read, struct gl_signal_result *result,
                         struct gl_error *err)
{
    return parse_root(label, answer_root(bytes, label->ops->title, true, err), read, result, err);
}

int gl_signal_time(const json_t *object, const char *key, int64_t *out_s, struct gl_error *err)
{
    struct gl_error trouble = {0};
    struct gl_instant at;
    const char *text;

    if (gl_json_string(object, key, &text, err))
        return -1;
    if (gl_instant_parse(text, &at, &trouble))
        return gl_fail(err, GL_E_BAD_REPLY, "\"%s\" is not a time with its zone", key);
    *out_s = at.unix_s;
    return 0;
}

void gl_series_suspect(struct gl_series *series, const char *why)
{
    if (series->is_suspect)
        return;
    series->is_suspect = true;
    snprintf(series->suspicion, sizeof series->suspicion, "%s", why);
}

/* `why` with the beginning of the interval: what somebody would look for in the file. */
static void suspect_at(struct gl_series *series, const char *why, int64_t from_s)
{
    char text[sizeof series->suspicion], at[GL_INSTANT_TEXT];

    snprintf(text, sizeof text, "%s at %s", why, gl_instant_text((struct gl_instant){from_s}, at));
    gl_series_suspect(series, text);
}

static int order(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

/* By time; then the later word on one interval last; then by figure, so that the outcome does not
 * depend on the order of the answer. GL_UNKNOWN sorts first. */
static int compare_points(const void *left, const void *right)
{
    const struct gl_point *a = left, *b = right;
    const int by[] = {
        order(a->from_s, b->from_s),
        order(a->until_s, b->until_s),
        order(a->updated_s, b->updated_s),
        order(a->value_u, b->value_u),
        order(a->low_u, b->low_u),
        order(a->high_u, b->high_u),
        order((int64_t)a->evidence, (int64_t)b->evidence),
    };

    for (size_t i = 0; i < sizeof by / sizeof by[0]; i++)
        if (by[i] != 0)
            return by[i];
    return 0;
}

static void sort_points(struct gl_series *series)
{
    for (size_t i = 1; i < series->count; i++)
        if (compare_points(&series->points[i - 1], &series->points[i]) > 0) {
            qsort(series->points, series->count, sizeof *series->points, compare_points);
            return;
        }
}

int64_t gl_series_ceiling(const struct gl_meaning *meaning)
{
    if (meaning->quantity == GL_INTENSITY)
        return INTENSITY_MAX_U;
    return meaning->trace == GL_SHARE_OF_LOAD ? LOAD_SHARE_MAX_U : SHARE_MAX_U;
}

/* Bounds may pass what a value may: only their order and sign are checked. */
static const char *doubt_of_figures(const struct gl_point *point, int64_t ceiling)
{
    if (point->value_u < 0 || (point->low_u != GL_UNKNOWN && point->low_u < 0))
        return "a figure is negative";
    if (point->value_u > ceiling)
        return "a figure is out of range";
    if (point->low_u != GL_UNKNOWN && point->low_u > point->value_u)
        return "a lower bound is above its value";
    if (point->high_u != GL_UNKNOWN && point->high_u < point->value_u)
        return "an upper bound is below its value";
    return NULL;
}

static const char *doubt_of_times(const struct gl_point *point, int64_t latest_s)
{
    bool is_observed = point->evidence == GL_MEASURED || point->evidence == GL_PRELIMINARY;

    if (point->until_s <= point->from_s)
        return "an interval ends before it begins";
    if (point->updated_s != GL_UNKNOWN && point->updated_s > latest_s)
        return "a figure was changed in the future";
    if (is_observed && point->from_s > latest_s)
        return "a figure was measured in the future";
    return NULL;
}

static void check_points(struct gl_series *series, int64_t latest_s)
{
    int64_t ceiling = gl_series_ceiling(&series->meaning);
    size_t kept = 0;

    for (size_t i = 0; i < series->count; i++) {
        const struct gl_point *point = &series->points[i];
        const char *doubt;

        if (point->value_u == GL_UNKNOWN) /* no value is no point: a gap */
            continue;
        doubt = doubt_of_times(point, latest_s);
        doubt = doubt != NULL ? doubt : doubt_of_figures(point, ceiling);
        if (doubt != NULL)
            suspect_at(series, doubt, point->from_s);
        if (point->until_s > point->from_s)
            series->points[kept++] = *point;
    }
    series->count = kept;
}

/* Two words on one interval: the later stays. */
static void settle_same(struct gl_series *series, struct gl_point *kept,
                        const struct gl_point *next)
{
    bool is_equal = kept->value_u == next->value_u && kept->low_u == next->low_u &&
                    kept->high_u == next->high_u;

    /* Sorted: an unknown update time comes first, so `kept` tells. */
    if (!is_equal && (kept->updated_s == GL_UNKNOWN || kept->updated_s == next->updated_s))
        suspect_at(series, "conflicting values", kept->from_s);
    *kept = *next;
}

static void settle_overlaps(struct gl_series *series)
{
    struct gl_point *points = series->points;
    size_t kept = 0;

    for (size_t i = 0; i < series->count; i++) {
        struct gl_point *last = kept > 0 ? &points[kept - 1] : NULL;

        if (last != NULL && last->from_s == points[i].from_s &&
            last->until_s == points[i].until_s) {
            settle_same(series, last, &points[i]);
            continue;
        }
        if (last != NULL && last->until_s > points[i].from_s) {
            suspect_at(series, "intervals overlap", points[i].from_s);
            last->until_s = points[i].from_s;
            kept -= last->until_s == last->from_s;
        }
        points[kept++] = points[i];
    }
    series->count = kept;
}

void gl_series_tidy(struct gl_series *series, struct gl_instant now)
{
    int64_t latest_s = now.unix_s + CLOCK_TOLERANCE_S;

    if (series->retrieved_s > latest_s)
        gl_series_suspect(series, "it was retrieved in the future: the clock has gone back");
    if (series->issued_s != GL_UNKNOWN && series->issued_s > latest_s)
        gl_series_suspect(series, "it was issued in the future");
    check_points(series, latest_s);
    sort_points(series);
    settle_overlaps(series);
}

int gl_series_close(struct gl_series *series, int64_t max_s, struct gl_error *err)
{
    int64_t step_s = GL_UNKNOWN;
    bool is_open = false;

    sort_points(series);
    for (size_t i = 0; i < series->count; i++) {
        int64_t gap_s = i > 0 ? series->points[i].from_s - series->points[i - 1].from_s : 0;

        if (gap_s > 0 && (step_s == GL_UNKNOWN || gap_s < step_s))
            step_s = gap_s;
        is_open = is_open || series->points[i].until_s == GL_UNKNOWN;
    }
    if (!is_open)
        return 0;
    if (step_s == GL_UNKNOWN || step_s > max_s)
        return gl_fail(
            err, GL_E_BAD_VALUE,
            "nothing says when an interval ends: one start is not enough, and two may be "
            "at most %" PRId64 " minutes apart",
            max_s / 60);
    for (size_t i = 0; i < series->count; i++)
        if (series->points[i].until_s == GL_UNKNOWN)
            series->points[i].until_s = series->points[i].from_s + step_s;
    return 0;
}
