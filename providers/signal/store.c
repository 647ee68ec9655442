/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/signal/store.h"

#include "providers/signal/adapter.h"
#include "providers/signal/store_part.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEADLINE_MS 2000
#define URL_MAX     512
#define REPORTS     512 /* room at first: what is not written to costs nothing, to move does */
#define LISTED_MAX  256 /* series of one file that are listed for one zone */
#define RECENT_S    ((int64_t)30 * 3600) /* sources revise their actuals for a day and more */

/* ---- reports ---- */

static struct gl_signal_report *add_report(struct gl_signal_store *store,
                                           const struct source *source, const char *zone)
{
    struct gl_signal_report *report;

    if (store->report_count == store->report_capacity) {
        store->report_capacity = store->report_capacity ? store->report_capacity * 2 : REPORTS;
        store->reports =
            gl_realloc(store->reports, store->report_capacity * sizeof *store->reports);
    }
    report = &store->reports[store->report_count++];
    *report = (struct gl_signal_report){.source = source->config->name,
                                        .age_s = GL_UNKNOWN,
                                        .error = {GL_OK, "", 0},
                                        .archive = {GL_OK, "", 0}};
    memccpy(report->zone, zone, '\0', sizeof report->zone - 1);
    return report;
}

void gl_store_note(struct gl_signal_trouble *noted, const struct gl_error *trouble)
{
    if (noted->code == GL_OK && trouble->code != GL_OK)
        *noted =
            (struct gl_signal_trouble){trouble->code, gl_strdup(trouble->text), trouble->pos.line};
}

static void forget(struct gl_signal_trouble *noted)
{
    if (noted->code != GL_OK)
        free((void *)(uintptr_t)noted->text);
}

static void report_done(struct gl_signal_report *report)
{
    forget(&report->error);
    forget(&report->archive);
}

static void note_error(struct gl_signal_report *report, const struct gl_error *trouble)
{
    gl_store_note(&report->error, trouble);
}

static void note_doubt(struct gl_signal_report *report, const struct gl_series *series)
{
    struct gl_error doubt = {0};

    if (series->is_suspect && !report->is_doubted && report->error.code == GL_E_UNKNOWN_DATA) {
        forget(&report->error); /* this says more than that there is nothing */
        report->error = (struct gl_signal_trouble){0};
    }
    report->is_doubted |= series->is_suspect;
    if (series->is_suspect)
        gl_fail(&doubt, GL_E_UNKNOWN_DATA, "%s cannot be trusted: %s", series->dataset,
                series->suspicion);
    else
        gl_fail(&doubt, GL_E_UNKNOWN_DATA, "%s holds no figure that is known by now",
                series->dataset);
    note_error(report, &doubt);
}

/* Say how the series that came look: one usable one is enough to be in order. */
static void note_series(struct gl_signal_report *report, const struct gl_series *series)
{
    if (!series->is_suspect && series->count > 0)
        report->is_ok = true;
    else
        note_doubt(report, series);
}

/* ---- sources with a URL ---- */

bool gl_store_covers(const struct source *source, const char *zone)
{
    const char *only = source->ops->needs_network ? source->config->zone : NULL;

    if (only != NULL && strcmp(only, zone) != 0)
        return false;
    return (only != NULL && source->config->location != NULL) || source->ops->covers(zone);
}

int gl_store_take(const struct gl_signal_store *store, const struct source *source,
                  const struct gl_store_request *request, const struct gl_cached *answer,
                  struct gl_signal_result *result, struct gl_error *err)
{
    struct gl_signal_result own = {0};
    struct gl_hash hash;
    int rc = source->ops->parse(request->query, request->index, answer->body, answer->length,
                                (struct gl_instant){answer->retrieved_s}, &own, err);

    gl_hash_of(answer->body, answer->length, &hash);
    for (size_t i = 0; rc == 0 && i < own.count; i++) {
        struct gl_series *series = &own.series[i];

        if (strcmp(series->zone, request->query->zone) != 0)
            rc = gl_fail(err, GL_E_BAD_REPLY, "the answer is for another zone");
        series->retrieved_s = answer->retrieved_s;
        memcpy(series->body_sha256, hash.bytes, sizeof series->body_sha256);
        gl_series_tidy(series, gl_now(store->fetch.world));
    }
    if (rc == 0)
        gl_signal_result_take(result, &own);
    gl_signal_result_done(&own);
    return rc;
}

bool gl_store_is_trusted(const struct gl_signal_result *result, size_t from)
{
    for (size_t i = from; i < result->count; i++)
        if (result->series[i].is_suspect || result->series[i].count == 0)
            return false;
    return true;
}

/* How old the answers in use are: the oldest counts. */
static void note_answer(struct gl_signal_report *report, const struct gl_fetched *fetched,
                        int64_t now_s)
{
    int64_t age_s = now_s - fetched->answer.retrieved_s;

    report->is_from_cache = report->is_from_cache || fetched->is_from_cache;
    if (report->age_s == GL_UNKNOWN || age_s > report->age_s)
        report->age_s = age_s;
}

/* Keep an answer that came from the server just now: the bytes in the cache, what they say in the
 * archive. */
static void keep_answer(struct gl_signal_store *store, struct source *source,
                        const struct gl_fetch_want *want, const struct gl_fetched *fetched,
                        const struct gl_signal_result *result, size_t from,
                        struct gl_signal_report *report)
{
    struct gl_error trouble = {0};

    if (fetched->is_from_cache || !gl_store_is_trusted(result, from))
        return;
    if (gl_fetch_keep(&store->fetch, &source->fetch, want, fetched, &trouble))
        note_error(report, &trouble);
    for (size_t i = from; i < result->count; i++)
        gl_store_archive(store, source, &result->series[i], report);
}

/* What is wrong with one answer; `is_nothing`: the source has none for us, which is no failure. */
static void note_trouble(struct gl_signal_report *report, const struct gl_error *trouble,
                         bool is_nothing)
{
    if (trouble->code == GL_OK)
        return;
    report->is_unknown = is_nothing && (report->error.code == GL_OK || report->is_unknown);
    note_error(report, trouble);
}

/* A request as fetch.h wants it; what it points to lives in *out. */
struct asking {
    char url[URL_MAX], slot[128];
    struct gl_fetch_want want;
};

static int put_request(const struct gl_signal_store *store, struct source *source,
                       const struct gl_store_request *request, struct asking *out,
                       struct gl_error *err)
{
    const struct gl_signal_query *query = request->query;
    int64_t now_s = gl_now(store->fetch.world).unix_s;

    out->url[0] = '\0';
    source->ops->urls(query, source->config->endpoint, request->index, out->url, sizeof out->url);
    snprintf(out->slot, sizeof out->slot, "%s|%s|%u|%s", query->zone,
             query->neso != NULL ? query->neso : "", request->index,
             query->is_past                 ? "actuals"
             : query->until.unix_s <= now_s ? "past"
                                            : "now");
    out->want = (struct gl_fetch_want){out->url, out->slot, query->is_cache_only, &source->access};
    return strlen(out->url) + 1 < sizeof out->url
               ? 0
               : gl_fail(err, GL_E_CONFIG, "the endpoint is too long");
}

/* One request: what the server or a young cache says, else the last that is kept. */
static void ask_request(struct gl_signal_store *store, struct source *source,
                        const struct gl_store_request *request, struct gl_signal_result *result,
                        struct gl_signal_report *report)
{
    struct asking asking;
    struct gl_fetched fetched = {0};
    struct gl_error trouble = {0};
    int64_t now_s = gl_now(store->fetch.world).unix_s;
    size_t before = result->count;
    bool is_nothing;
    int got;

    got = put_request(store, source, request, &asking, &trouble);
    if (got == 0)
        got = gl_fetch_get(&store->fetch, &source->fetch, &asking.want, &fetched, &trouble);
    report->is_skipped = report->is_skipped && !fetched.is_sent;
    is_nothing = got < 0 && trouble.code == GL_E_UNKNOWN_DATA;
    if (got == 1 && gl_store_take(store, source, request, &fetched.answer, result, &trouble))
        got = -1;
    if (got == 1)
        keep_answer(store, source, &asking.want, &fetched, result, before, report);
    if (got != 1) {
        struct gl_error ignored = {0};

        gl_cached_done(&fetched.answer);
        got = gl_fetch_last(&store->fetch, &source->fetch, &asking.want, &fetched) &&
              gl_store_take(store, source, request, &fetched.answer, result, &ignored) == 0;
    }
    if (got == 1)
        note_answer(report, &fetched, now_s);
    note_trouble(report, &trouble, is_nothing);
    gl_cached_done(&fetched.answer);
}

static void ask_requests(struct gl_signal_store *store, struct source *source,
                         const struct gl_signal_query *query, struct gl_signal_result *result,
                         struct gl_signal_report *report)
{
    struct gl_signal_query own = *query;
    char url[URL_MAX];
    unsigned requests;

    own.config = source->config;
    requests = source->ops->urls(&own, source->config->endpoint, 0, url, sizeof url);
    for (unsigned i = 0; i < requests && i < GL_STORE_REQUESTS_MAX; i++)
        ask_request(store, source, &(struct gl_store_request){&own, i}, result, report);
}

static void ask_ahead(struct gl_signal_store *store, struct source *source,
                      const struct gl_signal_query *query)
{
    struct gl_signal_query own = *query;
    struct gl_error untold = {0};
    struct asking asking;
    unsigned requests;

    own.config = source->config;
    requests = source->ops->urls(&own, source->config->endpoint, 0, asking.url, sizeof asking.url);
    for (unsigned i = 0; i < requests && i < GL_STORE_REQUESTS_MAX; i++)
        if (put_request(store, source, &(struct gl_store_request){&own, i}, &asking, &untold) == 0)
            gl_fetch_ahead(&store->fetch, &source->fetch, &asking.want);
}

/* Many regions stand in one zone. */
static bool was_asked_ahead(struct gl_signal_store *store, const struct gl_signal_query *query)
{
    char name[sizeof store->ahead[0]];

    snprintf(name, sizeof name, "%s|%s", query->zone, query->neso != NULL ? query->neso : "");
    for (size_t i = 0; i < store->ahead_count; i++)
        if (strcmp(store->ahead[i], name) == 0)
            return true;
    store->ahead = gl_realloc(store->ahead, (store->ahead_count + 1) * sizeof *store->ahead);
    memcpy(store->ahead[store->ahead_count++], name, sizeof name);
    return false;
}

void gl_signal_store_ahead(struct gl_signal_store *store, const struct gl_signal_query *query)
{
    if (store->fetch.is_offline || store->fetch.world->http == NULL || query->is_cache_only ||
        was_asked_ahead(store, query))
        return;
    for (size_t i = 0; i < store->source_count; i++)
        if (store->sources[i].ops != NULL && store->sources[i].ops->needs_network &&
            gl_store_covers(&store->sources[i], query->zone))
            ask_ahead(store, &store->sources[i], query);
}

/* What was measured in the last day and more is for the archive alone: not one of the answers, and
 * not worth the time of other answers. */
static void ask_recent(struct gl_signal_store *store, struct source *source,
                       const struct gl_signal_query *query)
{
    struct gl_signal_query recent = *query;
    struct gl_signal_report unseen = {0};
    struct gl_signal_result result = {0};
    int64_t now_s = gl_now(store->fetch.world).unix_s;

    if (source->ops == NULL || source->ops->past_s == 0 || !gl_store_covers(source, query->zone) ||
        store->archive_folder == NULL || query->is_cache_only ||
        store->fetch.spent_ms > store->fetch.deadline_ms / 2)
        return;
    recent.is_past = true;
    recent.from.unix_s = now_s - RECENT_S;
    recent.until.unix_s = now_s;
    ask_requests(store, source, &recent, &result, &unseen);
    gl_signal_result_done(&result);
    report_done(&unseen);
}

static void ask_network(struct gl_signal_store *store, struct source *source,
                        const struct entry *entry, struct gl_signal_result *result,
                        struct gl_signal_report *report)
{
    report->is_skipped = true;
    ask_requests(store, source, &entry->query, result, report);
    report->is_skipped = report->is_skipped && result->count == 0;
    for (size_t i = 0; i < result->count; i++)
        note_series(report, &result->series[i]);
}

/* ---- sources without one ---- */

static void tidy_all(struct gl_signal_result *result, const struct gl_world *world)
{
    for (size_t i = 0; i < result->count; i++)
        gl_series_tidy(&result->series[i], gl_now(world));
}

static bool is_known_at(const struct gl_series *series, const struct gl_point *point,
                        struct gl_instant now)
{
    return point->evidence == GL_FORECAST || point->evidence == GL_ANNUAL_AVERAGE
               ? series->issued_s == GL_UNKNOWN || series->issued_s <= now.unix_s
               : point->until_s <= now.unix_s;
}

/* Leave out what was not known at a past instant. */
static void forget_later(struct gl_signal_result *result, struct gl_instant now)
{
    for (size_t i = 0; i < result->count; i++) {
        struct gl_series *series = &result->series[i];
        size_t kept = 0;

        for (size_t p = 0; p < series->count; p++)
            if (is_known_at(series, &series->points[p], now))
                series->points[kept++] = series->points[p];
        series->count = kept;
    }
}

/* A file is read once and holds every zone. */
static void read_whole(struct gl_signal_store *store, struct source *source)
{
    const struct gl_signal_query all = {.zone = ""};

    if (source->is_read)
        return;
    source->is_read = true;
    source->ops->read(&all, source->config, store->fetch.world, &source->whole, &source->trouble);
    if (store->is_replay)
        forget_later(&source->whole, gl_now(store->fetch.world));
    tidy_all(&source->whole, store->fetch.world);
}

static void ask_file(struct gl_signal_store *store, struct source *source,
                     const struct entry *entry, struct gl_signal_report *report)
{
    bool has_any = false;

    read_whole(store, source);
    for (size_t i = 0; i < source->whole.count; i++)
        if (strcmp(source->whole.series[i].zone, entry->query.zone) == 0) {
            has_any = true;
            note_series(report, &source->whole.series[i]);
        }
    if (source->trouble.code != GL_OK)
        note_error(report, &source->trouble);
    report->is_skipped = !has_any;
    report->age_s = has_any ? 0 : GL_UNKNOWN;
}

static void ask_table(struct gl_signal_store *store, struct source *source,
                      const struct entry *entry, struct gl_signal_result *result,
                      struct gl_signal_report *report)
{
    struct gl_error trouble = {0};

    if (source->ops->read(&entry->query, source->config, store->fetch.world, result, &trouble))
        note_error(report, &trouble);
    tidy_all(result, store->fetch.world);
    for (size_t i = 0; i < result->count; i++)
        note_series(report, &result->series[i]);
}

/* ---- zones ---- */

static void note_no_source(struct gl_signal_report *report)
{
    struct gl_error trouble = {0};

    gl_fail(&trouble, GL_E_CONFIG, "there is no signal source \"%s\"", report->source);
    note_error(report, &trouble);
}

static void ask_source(struct gl_signal_store *store, struct source *source, struct entry *entry,
                       struct gl_signal_result *result)
{
    struct gl_signal_report *report = add_report(store, source, entry->query.zone);

    if (source->ops == NULL)
        note_no_source(report);
    if (source->ops == NULL || !gl_store_covers(source, entry->query.zone))
        report->is_skipped = true;
    else if (source->ops->needs_network)
        ask_network(store, source, entry, result, report);
    else if (source->config->path != NULL)
        ask_file(store, source, entry, report);
    else
        ask_table(store, source, entry, result, report);
}

/* Series of a source for the entry's zone, appended to the list: of a file's issues the newest,
 * which come first. */
static size_t list_series(const struct source *source, const struct entry *entry,
                          const struct gl_signal_result *own, const struct gl_series **list)
{
    size_t count = 0;

    for (size_t i = 0; i < own->count; i++)
        list[count++] = &own->series[i];
    for (size_t i = 0; i < source->whole.count && count < LISTED_MAX; i++)
        if (strcmp(source->whole.series[i].zone, entry->query.zone) == 0)
            list[count++] = &source->whole.series[i];
    return count;
}

static void fill_entry(struct gl_signal_store *store, struct entry *entry)
{
    size_t most = 0;

    entry->results = gl_alloc(store->source_count * sizeof *entry->results);
    for (size_t i = 0; i < store->source_count; i++) {
        ask_source(store, &store->sources[i], entry, &entry->results[i]);
        most += entry->results[i].count + store->sources[i].whole.count;
    }
    entry->series = gl_alloc(most * sizeof *entry->series);
    for (size_t i = 0; i < store->source_count; i++)
        entry->facts.count += list_series(&store->sources[i], entry, &entry->results[i],
                                          entry->series + entry->facts.count);
    entry->facts.series = entry->series;
    for (size_t i = 0; entry->query.wants_history && i < store->source_count; i++)
        ask_recent(store, &store->sources[i], &entry->query);
    if (entry->query.wants_history)
        gl_store_fill_histories(store, entry);
}

/* Tells most zones apart at once: hundreds of regions look for theirs (FNV-1a). */
static uint32_t mark_of(const char *zone)
{
    uint32_t mark = 2166136261U;

    for (; *zone != '\0'; zone++)
        mark = (mark ^ (unsigned char)*zone) * 16777619U;
    return mark;
}

static bool is_same_query(const struct entry *entry, const struct gl_signal_query *query)
{
    return strcmp(entry->query.zone, query->zone) == 0 &&
           strcmp(entry->neso, query->neso != NULL ? query->neso : "") == 0 &&
           entry->query.from.unix_s == query->from.unix_s &&
           entry->query.until.unix_s == query->until.unix_s &&
           entry->query.is_cache_only == query->is_cache_only &&
           entry->query.wants_history == query->wants_history &&
           entry->query.wants_claims == query->wants_claims &&
           entry->query.is_past == query->is_past;
}

const struct gl_zone_facts *gl_signal_store_zone(struct gl_signal_store *store,
                                                 const struct gl_signal_query *query)
{
    uint32_t mark = mark_of(query->zone);
    struct entry *entry;

    for (size_t i = 0; i < store->entry_count; i++)
        if (store->entries[i]->mark == mark && is_same_query(store->entries[i], query))
            return &store->entries[i]->facts;
    store->entries = gl_realloc(store->entries, (store->entry_count + 1) * sizeof *store->entries);
    entry = gl_alloc(sizeof *entry);
    store->entries[store->entry_count++] = entry;
    entry->query = *query;
    entry->mark = mark;
    if (query->neso != NULL)
        memccpy(entry->neso, query->neso, '\0', sizeof entry->neso - 1);
    entry->query.neso = entry->neso[0] != '\0' ? entry->neso : NULL;
    memcpy(entry->facts.zone, query->zone, sizeof entry->facts.zone);
    fill_entry(store, entry);
    return &entry->facts;
}

const struct gl_signal_report *gl_signal_store_reports(const struct gl_signal_store *store,
                                                       size_t *out_count)
{
    *out_count = store->report_count;
    return store->reports;
}

/* ---- life ---- */

static void add_source(struct gl_signal_store *store, const struct gl_signal_config *config)
{
    struct source *source = &store->sources[store->source_count++];

    source->ops = gl_signal_find(config->name);
    source->config = config;
    source->fetch.name = config->name;
    source->access = (struct gl_access){.ops = source->ops, .config = config};
}

struct gl_signal_store *gl_signal_store_new(const struct gl_signal_store_options *options)
{
    struct gl_signal_store *store = gl_alloc(sizeof *store);

    store->cache_folder = options->cache_folder != NULL ? gl_strdup(options->cache_folder) : NULL;
    store->archive_folder =
        options->archive_folder != NULL ? gl_strdup(options->archive_folder) : NULL;
    store->is_replay = options->is_replay;
    store->fetch = (struct gl_fetch){
        .world = options->world,
        .cache_folder = store->cache_folder,
        .is_cache_empty = gl_cache_is_empty(store->cache_folder),
        .is_offline = options->is_offline,
        .deadline_ms = options->deadline_ms > 0 ? options->deadline_ms : DEADLINE_MS,
    };
    store->builtin = (struct gl_signal_config){.name = gl_signal_builtin.name};
    store->sources = gl_alloc((options->source_count + 1) * sizeof *store->sources);
    for (size_t i = 0; i < options->source_count; i++)
        if (strcmp(options->sources[i].name, gl_signal_builtin.name) != 0)
            add_source(store, &options->sources[i]);
    add_source(store, &store->builtin);
    return store;
}

static void free_entry(struct entry *entry, size_t source_count)
{
    for (size_t i = 0; i < source_count; i++)
        gl_signal_result_done(&entry->results[i]);
    for (size_t i = 0; i < entry->history_count; i++)
        gl_history_free(entry->histories[i]);
    free(entry->histories);
    free(entry->results);
    free(entry->series);
    free(entry);
}

void gl_signal_store_free(struct gl_signal_store *store)
{
    if (store == NULL)
        return;
    gl_fetch_done(&store->fetch);
    for (size_t i = 0; i < store->entry_count; i++)
        free_entry(store->entries[i], store->source_count);
    for (size_t i = 0; i < store->source_count; i++) {
        gl_access_done(&store->sources[i].access);
        gl_signal_result_done(&store->sources[i].raw);
        gl_signal_result_done(&store->sources[i].whole);
    }
    for (size_t i = 0; i < store->report_count; i++)
        report_done(&store->reports[i]);
    free(store->ahead);
    free(store->entries);
    free(store->sources);
    free(store->reports);
    free(store->cache_folder);
    free(store->archive_folder);
    free(store);
}
