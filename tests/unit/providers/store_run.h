/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_TESTS_STORE_RUN_H
#define GL_TESTS_STORE_RUN_H

/* A signal store with a transport that says what a test tells it to. The test defines FOLDER, its
 * own folder below build/, before it includes this. */

#include "base/file.h"
#include "base/sign.h"
#include "base/time.h"
#include "providers/signal/store.h"
#include "tests/unit/providers/store_script.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CACHE  FOLDER "/cache"
#define NOW    INT64_C(1768046400) /* 2026-01-10T12:00Z */
#define MINUTE INT64_C(60)
#define HOUR   INT64_C(3600)

/* Shows every plain file below a folder to `look`, but what lies in hidden folders; how many. */
static inline size_t each_file(const char *folder, void (*look)(const char *bytes, size_t length))
{
    DIR *opened = opendir(folder);
    const struct dirent *entry;
    size_t seen = 0;

    while (opened != NULL && (entry = readdir(opened)) != NULL) {
        char *path = gl_path_join(folder, entry->d_name), *bytes;
        struct gl_error ignored = {0};
        size_t length;

        if (entry->d_name[0] != '.' && entry->d_type == DT_DIR)
            seen += each_file(path, look);
        if (entry->d_type == DT_REG &&
            gl_file_read(path, 1 << 20, &bytes, &length, &ignored) == 0) {
            seen++;
            look(bytes, length);
            free(bytes);
        }
        free(path);
    }
    if (opened != NULL)
        closedir(opened);
    return seen;
}

/* ---- one run of a store ---- */

struct run {
    struct gl_world *world;
    struct script script;
    struct gl_signal_store *store;
};

static const struct gl_signal_config live[] = {
    {.name = "neso"}, {.name = "energy-charts"}, {.name = "energinet"}};

static inline void start(struct run *run, int64_t now_s,
                         const struct gl_signal_store_options *options)
{
    struct gl_signal_store_options own = *options;

    run->world = gl_world_fixed_new(now_s * 1000, 1, NULL);
    run->script.http.ops = &script_ops;
    run->script.world = run->world;
    run->world->http = &run->script.http;
    own.world = run->world;
    if (own.sources == NULL) {
        own.sources = live;
        own.source_count = 3;
    }
    run->store = gl_signal_store_new(&own);
}

static inline void finish(struct run *run)
{
    gl_signal_store_free(run->store);
    gl_world_fixed_free(run->world);
}

static inline void say(struct run *run, struct answer answer)
{
    run->script.answers[run->script.count++] = answer;
}

static inline void say_all(struct run *run)
{
    say(run,
        (struct answer){.match = "/intensity/", .status = 200, .body = NESO_BODY, .etag = "\"a\""});
    say(run, (struct answer){.match = "/generation", .status = 200, .body = MIX_BODY});
    say(run, (struct answer){.match = "/signal?", .status = 200, .body = SIGNAL_BODY});
    say(run, (struct answer){.match = "/ren_share_forecast", .status = 200, .body = FORECAST_BODY});
    say(run, (struct answer){.match = "/CO2Emis?", .status = 200, .body = DANISH_BODY("CO2Emis")});
    say(run, (struct answer){
                 .match = "/CO2EmisProg?", .status = 200, .body = DANISH_BODY("CO2EmisProg")});
}

static inline const struct gl_zone_facts *ask_at(struct run *run, const char *zone, int64_t from_s)
{
    struct gl_signal_query query = {.from = {from_s}, .until = {from_s + HOUR}};

    snprintf(query.zone, sizeof query.zone, "%s", zone);
    return gl_signal_store_zone(run->store, &query);
}

static inline const struct gl_zone_facts *ask(struct run *run, const char *zone)
{
    return ask_at(run, zone, NOW);
}

static inline const struct gl_signal_report *report_of(struct run *run, const char *source,
                                                       const char *zone)
{
    size_t count;
    const struct gl_signal_report *reports = gl_signal_store_reports(run->store, &count);

    for (size_t i = 0; i < count; i++)
        if (strcmp(reports[i].source, source) == 0 && strcmp(reports[i].zone, zone) == 0)
            return &reports[i];
    fail_msg("no report of %s for %s", source, zone);
    return NULL;
}

static inline const struct gl_series *series_of(const struct gl_zone_facts *facts,
                                                const char *provider)
{
    for (size_t i = 0; i < facts->count; i++)
        if (strcmp(facts->series[i]->provider, provider) == 0)
            return facts->series[i];
    return NULL;
}

static inline int set_up(void **state)
{
    struct gl_error err = {0};

    (void)state;
    return gl_dir_remove(FOLDER, &err) || gl_dir_make(CACHE, &err) ? -1 : 0;
}

static const struct gl_signal_store_options cached = {.cache_folder = CACHE};
static const struct gl_signal_store_options uncached = {.cache_folder = NULL};

/* A first process that fills the cache at NOW. */
static inline void fill_cache(void)
{
    struct run run = {0};

    start(&run, NOW, &cached);
    say_all(&run);
    ask(&run, "GB");
    finish(&run);
}

#endif
