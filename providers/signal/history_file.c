/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/signal/history.h"

#include "providers/signal/adapter.h"
#include "providers/signal/archive_part.h"

#include <stdlib.h>
#include <string.h>

/* Histories of a file that the user gives: it holds years, so it needs no archive. */

/* One meaning of the file. */
struct group {
    struct gl_archive_entry entry;
    struct gl_archive_content content;
    size_t actual_room, issue_room;
    size_t *issue_at; /* of each issue's values in content.values_u, which moves as it grows */
    size_t value_count, value_room;
};

struct groups {
    size_t count;
    struct group *list;
    struct gl_instant known_at;
};

static void *grow(void *list, size_t wanted, size_t *room, size_t size)
{
    if (wanted <= *room)
        return list;
    *room = wanted > 2 * *room ? wanted : 2 * *room;
    return gl_realloc(list, *room * size);
}

static struct group *group_of(struct groups *groups, const struct gl_series *series)
{
    struct gl_error ignored = {0};
    struct group *group;

    for (size_t i = 0; i < groups->count; i++, gl_error_clear(&ignored))
        if (gl_meaning_join(&groups->list[i].entry.meaning, &series->meaning, &ignored) == 0)
            return &groups->list[i];
    groups->list = gl_realloc(groups->list, (groups->count + 1) * sizeof *groups->list);
    group = &groups->list[groups->count++];
    *group = (struct group){.entry = {.meaning = series->meaning}};
    memcpy(group->entry.provider, series->provider, sizeof group->entry.provider);
    memcpy(group->entry.dataset, series->dataset, sizeof group->entry.dataset);
    memcpy(group->entry.zone, series->zone, sizeof group->entry.zone);
    memcpy(group->entry.licence, series->licence, sizeof group->entry.licence);
    memcpy(group->entry.attribution, series->attribution, sizeof group->entry.attribution);
    return group;
}

/* What the file says of a time that has not come: nothing that could be known. */
static void drop_future(struct gl_series *series, struct gl_instant known_at)
{
    size_t kept = 0;

    for (size_t i = 0; i < series->count; i++) {
        const struct gl_point *point = &series->points[i];
        bool is_ahead = point->updated_s != GL_UNKNOWN && point->updated_s > known_at.unix_s;

        is_ahead = is_ahead ||
                   (gl_archive_is_observed(point->evidence) && point->until_s > known_at.unix_s);
        if (!is_ahead)
            series->points[kept++] = *point;
    }
    series->count = kept;
}

/* Known when updated, else when the hour was over: then nothing is known of the lag. */
static void add_actuals(struct group *group, const struct gl_series *series,
                        struct gl_instant known_at)
{
    GL_AUTO(gl_auto_free) struct gl_archive_actual *actuals = NULL;
    size_t count = gl_history_actuals(series, known_at, &actuals);
    struct gl_archive_content *content = &group->content;

    content->actuals = grow(content->actuals, content->actual_count + count, &group->actual_room,
                            sizeof *content->actuals);
    for (size_t i = 0; i < count; i++) {
        int64_t end_s = actuals[i].hour_s + GL_HOUR_S;
        bool is_dated = actuals[i].updated_s != GL_UNKNOWN && actuals[i].updated_s >= end_s;

        actuals[i].received_s = is_dated ? actuals[i].updated_s : end_s;
        actuals[i].known_s = actuals[i].received_s;
        actuals[i].is_backfilled = !is_dated;
        content->actuals[content->actual_count++] = actuals[i];
    }
}

static void add_issue(struct group *group, const struct gl_series *series)
{
    int64_t values_u[GL_ARCHIVE_MAX_HOURS];
    struct gl_archive_content *content = &group->content;
    struct gl_archive_issue issue;
    size_t room = group->issue_room;

    if (series->issued_s == GL_UNKNOWN || series->issued_s < 0 ||
        !gl_history_issue(series, (struct gl_instant){series->issued_s}, values_u, &issue))
        return;
    issue.known_s = issue.issued_s;
    group->issue_at =
        grow(group->issue_at, content->issue_count + 1, &room, sizeof *group->issue_at);
    content->issues = grow(content->issues, content->issue_count + 1, &group->issue_room,
                           sizeof *content->issues);
    content->values_u = grow(content->values_u, group->value_count + issue.count,
                             &group->value_room, sizeof *content->values_u);
    memcpy(content->values_u + group->value_count, values_u, issue.count * sizeof *values_u);
    group->issue_at[content->issue_count] = group->value_count;
    content->issues[content->issue_count++] = issue;
    group->value_count += issue.count;
}

static int order(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

/* By hour, then by when it was known; what was not dated comes first, then the figure, so that the
 * outcome does not depend on the order of the file. */
static int compare_actuals(const void *left, const void *right)
{
    const struct gl_archive_actual *a = left, *b = right;
    const int by[] = {
        order(a->hour_s, b->hour_s),
        order(a->known_s, b->known_s),
        order(b->is_backfilled, a->is_backfilled),
        order((int64_t)b->evidence, (int64_t)a->evidence),
        order(a->value_u, b->value_u),
    };

    for (size_t i = 0; i < sizeof by / sizeof by[0]; i++)
        if (by[i] != 0)
            return by[i];
    return 0;
}

static int compare_issues(const void *left, const void *right)
{
    const struct gl_archive_issue *a = left, *b = right;

    return order(a->known_s, b->known_s);
}

/* The lag as it looks now, within what sources have. */
static uint32_t lag_now(const struct gl_archive_content *content, struct gl_instant known_at)
{
    int64_t late_s;

    if (content->actual_count == 0)
        return GL_HISTORY_LAG_H;
    late_s = known_at.unix_s - content->actuals[content->actual_count - 1].hour_s - GL_HOUR_S;
    late_s = late_s > 0 ? (late_s + GL_HOUR_S - 1) / GL_HOUR_S : 0;
    return (uint32_t)(late_s < GL_HISTORY_LAG_H ? late_s : GL_HISTORY_LAG_H);
}

static struct gl_history *finish(struct group *group, struct gl_instant known_at)
{
    struct gl_archive_content *content = &group->content;
    struct gl_history *history;

    for (size_t i = 0; i < content->issue_count; i++)
        content->issues[i].value_u = content->values_u + group->issue_at[i];
    if (content->issue_count > 1)
        qsort(content->issues, content->issue_count, sizeof *content->issues, compare_issues);
    if (content->actual_count > 1)
        qsort(content->actuals, content->actual_count, sizeof *content->actuals, compare_actuals);
    history = gl_history_of_content(&group->entry, content, known_at);
    if (!history->is_lag_measured)
        history->actuals.lag_h = lag_now(content, known_at);
    gl_archive_content_done(content);
    free(group->issue_at);
    return history;
}

size_t gl_history_of_file(struct gl_signal_result *series, const char *zone,
                          struct gl_instant known_at, struct gl_history ***out,
                          struct gl_error *out_doubt)
{
    struct groups groups = {.known_at = known_at};
    size_t count = 0;

    for (size_t i = 0; i < series->count; i++) {
        struct gl_series *one = &series->series[i];
        struct group *group;

        if (strcmp(one->zone, zone) != 0 ||
            (one->issued_s != GL_UNKNOWN && one->issued_s > known_at.unix_s))
            continue;
        drop_future(one, known_at);
        gl_series_tidy(one, known_at);
        if (one->is_suspect) {
            gl_fail(out_doubt, GL_E_UNKNOWN_DATA, "%s is no history: %s", one->dataset,
                    one->suspicion);
            continue;
        }
        group = group_of(&groups, one);
        add_actuals(group, one, known_at);
        add_issue(group, one);
    }
    *out = gl_alloc(groups.count * sizeof **out);
    for (size_t i = 0; i < groups.count; i++) {
        struct group *group = &groups.list[i];
        bool is_empty = group->content.actual_count == 0 && group->content.issue_count == 0;
        struct gl_history *history = finish(group, known_at);

        if (is_empty)
            gl_history_free(history);
        else
            (*out)[count++] = history;
    }
    free(groups.list);
    return count;
}
