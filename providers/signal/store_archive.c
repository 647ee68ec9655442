/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/signal/store_part.h"

#include <stdlib.h>
#include <string.h>

/* ---- writing ---- */

static const struct gl_signal_filing *filing_of(const struct gl_signal_ops *ops,
                                                const char *dataset)
{
    for (const struct gl_signal_filing *row = ops->filing; row != NULL && row->dataset != NULL;
         row++)
        if (strcmp(row->dataset, dataset) == 0)
            return row;
    return NULL;
}

static struct gl_archive_key key_of(const struct gl_signal_store *store,
                                    const struct gl_series *series,
                                    const struct gl_signal_filing *row)
{
    return (struct gl_archive_key){
        .folder = store->archive_folder,
        .provider = series->provider,
        .dataset = row != NULL ? row->name : series->dataset,
        .zone = series->zone,
        .meaning = &series->meaning,
        .licence = series->licence,
        .attribution = series->attribution,
    };
}

/* An answer to a question about a later time is a part of an issue: stored, it would hide the whole
 * one. */
static bool begins_now(const struct gl_archive_issue *issue)
{
    return issue->value_u[0] != GL_UNKNOWN || (issue->count > 1 && issue->value_u[1] != GL_UNKNOWN);
}

/* Yearly averages and the like hold no hour and leave nothing. */
static int archive(const struct gl_signal_store *store, const struct source *source,
                   const struct gl_series *series, struct gl_archive_kept *kept,
                   struct gl_error *err)
{
    const struct gl_signal_filing *row = filing_of(source->ops, series->dataset);
    const struct gl_archive_key key = key_of(store, series, row);
    const struct gl_instant received = {series->retrieved_s};
    int64_t values_u[GL_ARCHIVE_MAX_HOURS];
    GL_AUTO(gl_auto_free) struct gl_archive_actual *actuals = NULL;
    struct gl_archive_batch batch = {0};
    struct gl_archive_issue issue;

    if ((row == NULL || row->has_issues) && gl_history_issue(series, received, values_u, &issue) &&
        begins_now(&issue))
        batch.issue = &issue;
    if (row == NULL || row->has_actuals)
        batch.actual_count = gl_history_actuals(series, received, &actuals);
    batch.actuals = actuals;
    if (batch.issue == NULL && batch.actual_count == 0)
        return 0;
    return gl_archive_keep(&key, &batch, NULL, kept, err);
}

void gl_store_archive(struct gl_signal_store *store, const struct source *source,
                      const struct gl_series *series, struct gl_signal_report *report)
{
    struct gl_archive_kept kept;

    if (store->archive_folder == NULL)
        return;
    if (!store->is_archive_dead && archive(store, source, series, &kept, &store->archive_death))
        store->is_archive_dead = true;
    if (store->is_archive_dead)
        gl_store_note(&report->archive, &store->archive_death);
}

int gl_store_archive_past(const struct gl_signal_store *store, const struct source *source,
                          const struct gl_series *series, struct gl_archive_kept *kept,
                          struct gl_error *err)
{
    const struct gl_signal_filing *row = filing_of(source->ops, series->dataset);
    const struct gl_archive_key key = key_of(store, series, row);
    GL_AUTO(gl_auto_free) struct gl_archive_actual *actuals = NULL;
    struct gl_archive_batch batch = {0};
    struct gl_archive_kept now = {0};

    if (row != NULL && !row->has_actuals)
        return 0;
    batch.actual_count =
        gl_history_actuals(series, (struct gl_instant){series->retrieved_s}, &actuals);
    batch.actuals = actuals;
    for (size_t i = 0; i < batch.actual_count; i++)
        actuals[i].is_backfilled = true;
    if (batch.actual_count > 0 && gl_archive_keep(&key, &batch, NULL, &now, err))
        return -1;
    kept->hours += now.hours;
    kept->revisions += now.revisions;
    return 0;
}

/* ---- reading ---- */

static void add_history(struct entry *entry, struct gl_history *history)
{
    entry->histories =
        gl_realloc(entry->histories, (entry->history_count + 1) * sizeof *entry->histories);
    entry->histories[entry->history_count++] = history;
}

/* The source's own report of this zone, NULL if there is none. */
static struct gl_signal_report *report_of(struct gl_signal_store *store,
                                          const struct source *source, const struct entry *entry)
{
    for (size_t i = store->report_count; i > 0; i--)
        if (store->reports[i - 1].source == source->config->name &&
            strcmp(store->reports[i - 1].zone, entry->query.zone) == 0)
            return &store->reports[i - 1];
    return NULL;
}

static void read_pair(const struct gl_signal_store *store, const struct gl_archive_entry *pair,
                      struct entry *entry, struct gl_error *err)
{
    const struct gl_archive_key key = {
        .folder = store->archive_folder,
        .provider = pair->provider,
        .dataset = pair->dataset,
        .zone = pair->zone,
        .meaning = &pair->meaning,
        .licence = pair->licence,
        .attribution = pair->attribution,
    };
    const struct gl_instant now = gl_now(store->fetch.world);
    struct gl_archive_content content;

    if (gl_archive_read(&key, now.unix_s, &content, err))
        return;
    if (content.issue_count + content.actual_count + content.damaged > 0)
        add_history(entry, gl_history_of_content(pair, &content, now));
    gl_archive_content_done(&content);
}

static void read_archive(const struct gl_signal_store *store, const struct source *source,
                         struct entry *entry, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) struct gl_archive_entry *pairs = NULL;
    size_t count =
        gl_archive_list(store->archive_folder, source->ops->name, entry->query.zone, &pairs);

    for (size_t i = 0; i < count; i++)
        if (source->ops->is_of == NULL || source->ops->is_of(&entry->query, pairs[i].dataset))
            read_pair(store, &pairs[i], entry, err);
}

/* Copies of the zone's series; false when one of them is suspect: what was found in it is not the
 * whole of it any more. */
static bool copy_series(const struct gl_signal_result *from, const char *zone,
                        struct gl_signal_result *out)
{
    for (size_t i = 0; i < from->count; i++) {
        const struct gl_series *series = &from->series[i];
        struct gl_series *copy;
        struct gl_point *points;

        if (strcmp(series->zone, zone) != 0)
            continue;
        if (series->is_suspect)
            return false;
        copy = gl_signal_add(out, series->count);
        points = copy->points;
        memcpy(points, series->points, series->count * sizeof *points);
        *copy = *series;
        copy->points = points;
    }
    return true;
}

/* The file as it came, read at most once more. */
static const struct gl_signal_result *raw_of(const struct gl_signal_store *store,
                                             struct source *source)
{
    const struct gl_signal_query all = {.zone = ""};

    if (!source->is_raw_read)
        source->ops->read(&all, source->config, store->fetch.world, &source->raw,
                          &source->raw_trouble);
    source->is_raw_read = true;
    return &source->raw;
}

/* A suspect series may be one that speaks of a time after the one we stand at: what it says of the
 * past is then in order. */
static void read_file(const struct gl_signal_store *store, struct source *source,
                      struct entry *entry, struct gl_error *err)
{
    const char *zone = entry->query.zone;
    struct gl_signal_result series = {0};
    struct gl_history **histories = NULL;
    size_t count;

    if (!copy_series(&source->whole, zone, &series)) {
        gl_signal_result_done(&series);
        copy_series(raw_of(store, source), zone, &series);
        *err = source->raw_trouble;
    }
    count = err->code == GL_OK
                ? gl_history_of_file(&series, zone, gl_now(store->fetch.world), &histories, err)
                : 0;
    for (size_t i = 0; i < count; i++)
        add_history(entry, histories[i]);
    free(histories);
    gl_signal_result_done(&series);
}

void gl_store_fill_histories(struct gl_signal_store *store, struct entry *entry)
{
    for (size_t i = 0; i < store->source_count; i++) {
        struct source *source = &store->sources[i];
        struct gl_signal_report *report = report_of(store, source, entry);
        struct gl_error trouble = {0};

        if (source->ops == NULL || !gl_store_covers(source, entry->query.zone))
            continue;
        if (source->ops->needs_network && store->archive_folder != NULL)
            read_archive(store, source, entry, &trouble);
        else if (source->config->path != NULL)
            read_file(store, source, entry, &trouble);
        if (report != NULL)
            gl_store_note(&report->archive, &trouble);
    }
    entry->facts.histories = (const struct gl_history *const *)entry->histories;
    entry->facts.history_count = entry->history_count;
}
