/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/signal/history.h"

#include "providers/signal/adapter.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LAG_SAMPLES  8   /* fewer occasions do not measure a lag */
#define LAG_MAX_H    168 /* a source later than a week has stopped */
#define QUANTILE_PCT 95
#define SETTLES_S    (48 * GL_HOUR_S) /* preliminary figures are revised for a day or more */

/* A history and what it points at. The history is the first member. */
struct owned {
    struct gl_history history;
    float *value;
    uint8_t *state;
    struct gl_issue *issues;
    float *issue_value;
    uint8_t *issue_state;
};

void gl_history_free(struct gl_history *history)
{
    struct owned *owned = (struct owned *)history;

    if (owned == NULL)
        return;
    free(owned->value);
    free(owned->state);
    free(owned->issues);
    free(owned->issue_value);
    free(owned->issue_state);
    free(owned);
}

/* ---- actuals ---- */

static uint8_t state_of(const struct gl_archive_actual *actual, struct gl_instant known_at)
{
    bool is_young = actual->hour_s + SETTLES_S > known_at.unix_s;
    bool is_open = actual->evidence == GL_ESTIMATED || actual->evidence == GL_SUBSTITUTE ||
                   (actual->evidence == GL_PRELIMINARY && is_young);

    return (uint8_t)(GL_HOUR_KNOWN | (is_open ? GL_HOUR_ESTIMATED : 0));
}

/* The last word on each hour. Records are sorted by hour; a later one overwrites. */
static void fill_actuals(const struct gl_archive_content *content, struct gl_instant known_at,
                         struct owned *owned)
{
    struct gl_history *history = &owned->history;
    const struct gl_archive_actual *actuals = content->actuals;
    int64_t first_s, last_s;

    if (content->actual_count == 0)
        return;
    last_s = actuals[content->actual_count - 1].hour_s;
    first_s = actuals[0].hour_s;
    if ((last_s - first_s) / GL_HOUR_S >= GL_HISTORY_MAX_HOURS)
        first_s = last_s - (GL_HISTORY_MAX_HOURS - 1) * GL_HOUR_S;
    history->newest_actual_s = last_s;
    history->actuals.start_s = first_s;
    history->actuals.count = (size_t)((last_s - first_s) / GL_HOUR_S) + 1;
    owned->value = gl_alloc(history->actuals.count * sizeof *owned->value);
    owned->state = gl_alloc(history->actuals.count);
    for (size_t i = 0; i < content->actual_count; i++) {
        size_t at = (size_t)((actuals[i].hour_s - first_s) / GL_HOUR_S);

        if (actuals[i].hour_s < first_s)
            continue;
        owned->value[at] = gl_history_value(history->meaning.quantity, actuals[i].value_u);
        owned->state[at] = state_of(&actuals[i], known_at);
    }
    for (size_t i = 0; i < history->actuals.count; i++) {
        history->actual_count += (owned->state[i] & GL_HOUR_KNOWN) != 0;
        history->estimated_count += (owned->state[i] & GL_HOUR_ESTIMATED) != 0;
    }
    history->actuals.value = owned->value;
    history->actuals.state = owned->state;
}

static bool is_first_word(const struct gl_archive_content *content, size_t i)
{
    return i == 0 || content->actuals[i - 1].hour_s != content->actuals[i].hour_s;
}

/* How late the newest hour of one occasion was. */
struct lateness {
    int64_t received_s, late_s;
};

static int compare_lateness(const void *left, const void *right)
{
    const struct lateness *a = left, *b = right;

    if (a->received_s != b->received_s)
        return a->received_s < b->received_s ? -1 : 1;
    return (a->late_s > b->late_s) - (a->late_s < b->late_s);
}

static int compare_late(const void *left, const void *right)
{
    const struct lateness *a = left, *b = right;

    return (a->late_s > b->late_s) - (a->late_s < b->late_s);
}

/* Index of the quantile among n sorted values, n > 0: the ceil(n q)-th. */
static size_t quantile_of(size_t n)
{
    return (n * QUANTILE_PCT + 99) / 100 - 1;
}

/* The lag is how old the end of the newest hour was on the occasions that brought a new hour: 95 of
 * 100 were at most that. What was fetched later says nothing about it. */
static void measure_lag(const struct gl_archive_content *content, uint32_t unwatched_h,
                        struct gl_history *history)
{
    struct lateness *late = gl_alloc(content->actual_count * sizeof *late);
    size_t count = 0, kept = 0;
    int64_t lag_h = unwatched_h;

    for (size_t i = 0; i < content->actual_count; i++) {
        const struct gl_archive_actual *actual = &content->actuals[i];
        int64_t late_s = actual->received_s - actual->hour_s - GL_HOUR_S;

        if (is_first_word(content, i) && !actual->is_backfilled)
            late[count++] = (struct lateness){actual->received_s, late_s > 0 ? late_s : 0};
    }
    qsort(late, count, sizeof *late, compare_lateness);
    for (size_t i = 0; i < count; i++)
        if (i == 0 || late[i].received_s != late[i - 1].received_s)
            late[kept++] = late[i];
    qsort(late, kept, sizeof *late, compare_late);
    if (kept >= LAG_SAMPLES)
        lag_h = (late[quantile_of(kept)].late_s + GL_HOUR_S - 1) / GL_HOUR_S;
    history->is_lag_measured = kept >= LAG_SAMPLES;
    history->lag_count = kept;
    history->actuals.lag_h = (uint32_t)(lag_h < LAG_MAX_H ? lag_h : LAG_MAX_H);
    free(late);
}

static int compare_floats(const void *left, const void *right)
{
    float a = *(const float *)left, b = *(const float *)right;

    return (a > b) - (a < b);
}

/* From the first to the last word, over the hours that were stored while they were fresh. */
static void measure_revisions(const struct gl_archive_content *content, struct gl_history *history)
{
    struct gl_revisions *revisions = &history->revisions;
    float *moved = gl_alloc(content->actual_count * sizeof *moved);
    size_t count = 0;

    for (size_t i = 0; i < content->actual_count;) {
        const struct gl_archive_actual *first = &content->actuals[i], *last = first;

        for (; i < content->actual_count && content->actuals[i].hour_s == first->hour_s; i++)
            last = &content->actuals[i];
        if (first->is_backfilled)
            continue;
        moved[count++] = fabsf(gl_history_value(history->meaning.quantity, last->value_u) -
                               gl_history_value(history->meaning.quantity, first->value_u));
        revisions->changed += last->value_u != first->value_u;
    }
    revisions->hours = count;
    if (count > 0) {
        qsort(moved, count, sizeof *moved, compare_floats);
        revisions->p95 = moved[quantile_of(count)];
        revisions->worst = moved[count - 1];
    }
    free(moved);
}

/* ---- issues ---- */

static void fill_issues(const struct gl_archive_content *content, struct owned *owned)
{
    struct gl_history *history = &owned->history;
    size_t hours = 0, used = 0;

    if (content->issue_count == 0)
        return;
    for (size_t i = 0; i < content->issue_count; i++)
        hours += content->issues[i].count;
    owned->issues = gl_alloc(content->issue_count * sizeof *owned->issues);
    owned->issue_value = gl_alloc(hours * sizeof *owned->issue_value);
    owned->issue_state = gl_alloc(hours);
    for (size_t i = 0; i < content->issue_count; i++) {
        const struct gl_archive_issue *issue = &content->issues[i];

        owned->issues[i] = (struct gl_issue){
            .received_s = issue->known_s,
            .start_s = issue->start_s,
            .count = issue->count,
            .value = owned->issue_value + used,
            .state = owned->issue_state + used,
        };
        for (uint32_t k = 0; k < issue->count; k++, used++) {
            if (issue->value_u[k] == GL_UNKNOWN)
                continue;
            owned->issue_value[used] =
                gl_history_value(history->meaning.quantity, issue->value_u[k]);
            owned->issue_state[used] = GL_HOUR_KNOWN;
        }
    }
    history->issues = (struct gl_issues){content->issue_count, owned->issues};
    history->newest_issue_s = content->issues[content->issue_count - 1].known_s;
}

static struct gl_history *assemble(const struct gl_archive_entry *entry,
                                   const struct gl_archive_content *content,
                                   struct gl_instant known_at, uint32_t unwatched_h)
{
    struct owned *owned = gl_alloc(sizeof *owned);
    struct gl_history *history = &owned->history;

    history->meaning = entry->meaning;
    snprintf(history->zone, sizeof history->zone, "%s", entry->zone);
    snprintf(history->provider, sizeof history->provider, "%s", entry->provider);
    snprintf(history->dataset, sizeof history->dataset, "%s", entry->dataset);
    snprintf(history->licence, sizeof history->licence, "%s", entry->licence);
    snprintf(history->attribution, sizeof history->attribution, "%s", entry->attribution);
    history->known_s = known_at.unix_s;
    history->newest_actual_s = GL_UNKNOWN;
    history->newest_issue_s = GL_UNKNOWN;
    history->damaged = content->damaged;
    fill_actuals(content, known_at, owned);
    fill_issues(content, owned);
    measure_lag(content, unwatched_h, history);
    measure_revisions(content, history);
    return history;
}

struct gl_history *gl_history_of_content(const struct gl_archive_entry *entry,
                                         const struct gl_archive_content *content,
                                         struct gl_instant known_at)
{
    return assemble(entry, content, known_at, GL_HISTORY_LAG_H);
}
