/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"
#include "base/json.h"
#include "base/time.h"
#include "providers/signal/store_part.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Pieces lie on a grid that begins in 1970, so that every run has the same ones. A piece that is
 * over for SETTLED_S is not asked again: "<source>.<zone>.backfilled" in the archive's folder is a
 * JSON array of the starts of such pieces. */

#define URL_MAX     512
#define DEADLINE_MS 20000 /* of one answer */
#define PAUSE_MS    1000
#define SETTLED_S   ((int64_t)3 * 86400)
#define DONE_MAX    4096
#define DONE_BYTES  ((size_t)256 << 10)
#define SPAN_MAX_S  ((int64_t)1096 * 86400) /* what the archive keeps */
#define TIME_MAX_S  INT64_C(253402300799)

/* One source being asked. */
struct filling {
    struct gl_signal_store *store;
    struct source *source;
    const struct gl_backfill *ask;
    struct gl_backfill_result *result;
    struct gl_archive_kept kept;
    struct gl_fetch fetch;
    char *done_path;
    json_t *done;
    struct gl_backfill_step step;
};

/* ---- what is done ---- */

static void load_done(struct filling *filling)
{
    GL_AUTO(gl_auto_free) char *bytes = NULL;
    struct gl_error ignored = {0};
    json_t *found = NULL;
    size_t length;

    if (gl_file_read(filling->done_path, DONE_BYTES, &bytes, &length, &ignored) == 0)
        found = gl_json_parse(bytes, length, "backfilled", &ignored);
    if (json_is_array(found) && json_array_size(found) <= DONE_MAX) {
        filling->done = found;
        return;
    }
    json_decref(found);
    filling->done = json_array();
}

static bool is_done(const struct filling *filling, int64_t piece_s)
{
    for (size_t i = 0; i < json_array_size(filling->done); i++) {
        const json_t *entry = json_array_get(filling->done, i);

        if (json_is_integer(entry) && json_integer_value(entry) == piece_s)
            return true;
    }
    return false;
}

static int note_done(struct filling *filling, int64_t piece_s, struct gl_error *err)
{
    char *text;
    int rc;

    if (json_array_size(filling->done) >= DONE_MAX)
        return 0;
    json_array_append_new(filling->done, json_integer(piece_s));
    text = json_dumps(filling->done, JSON_COMPACT);
    rc = gl_file_write(filling->done_path, text, strlen(text), 0600, err);
    free(text);
    return rc ? gl_wrap(err, "the signal archive") : 0;
}

/* ---- one piece ---- */

static int store_answer(struct filling *filling, const struct gl_store_request *request,
                        const struct gl_cached *answer, struct gl_error *err)
{
    struct gl_signal_result result = {0};
    int rc = gl_store_take(filling->store, filling->source, request, answer, &result, err);

    for (size_t i = 0; rc == 0 && i < result.count; i++) {
        const struct gl_series *series = &result.series[i];

        rc = series->is_suspect ? gl_fail(err, GL_E_BAD_REPLY, "%s cannot be trusted: %s",
                                          series->dataset, series->suspicion)
                                : gl_store_archive_past(filling->store, filling->source, series,
                                                        &filling->kept, err);
    }
    gl_signal_result_done(&result);
    filling->result->hours = filling->step.hours = filling->kept.hours;
    filling->result->revisions = filling->step.revisions = filling->kept.revisions;
    return rc;
}

/* A second after the one before, however fast the answers come. A stretch without data (200 and
 * nothing, or 404) is no failure. */
static int ask_once(struct filling *filling, const struct gl_store_request *request,
                    struct gl_error *err)
{
    const struct gl_world *world = filling->store->fetch.world;
    char url[URL_MAX] = "";
    struct gl_fetch_want want = {.url = url, .slot = "", .access = &filling->source->access};
    struct gl_fetched fetched = {0};
    struct gl_error trouble = {0};
    int rc;

    filling->source->ops->urls(request->query, filling->source->config->endpoint, request->index,
                               url, sizeof url);
    if (strlen(url) + 1 >= sizeof url)
        return gl_fail(err, GL_E_CONFIG, "the endpoint is too long");
    if (filling->result->requests > 0)
        world->sleep_ms(world->cookie, PAUSE_MS);
    filling->result->requests++;
    filling->fetch.spent_ms = 0;
    rc = gl_fetch_get(&filling->fetch, &filling->source->fetch, &want, &fetched, &trouble) == 1
             ? store_answer(filling, request, &fetched.answer, &trouble)
             : -1;
    gl_cached_done(&fetched.answer);
    if (rc == 0 || trouble.code == GL_E_UNKNOWN_DATA ||
        (trouble.code == GL_E_NOT_FOUND && !filling->source->fetch.is_dead))
        return 0;
    *err = trouble;
    return gl_wrap(err, "%s", filling->source->config->name);
}

static int ask_piece(struct filling *filling, const struct gl_signal_query *query,
                     struct gl_error *err)
{
    char url[URL_MAX];
    unsigned requests =
        filling->source->ops->urls(query, filling->source->config->endpoint, 0, url, sizeof url);

    for (unsigned i = 0; i < requests && i < GL_STORE_REQUESTS_MAX; i++)
        if (ask_once(filling, &(struct gl_store_request){query, i}, err))
            return -1;
    return 0;
}

static int report(struct filling *filling, const struct gl_signal_query *query, bool was_there,
                  struct gl_error *err)
{
    const struct gl_backfill *ask = filling->ask;

    filling->step.from = query->from;
    filling->step.until = query->until;
    filling->step.was_there = was_there;
    filling->step.done++;
    if (ask->progress == NULL || ask->progress(ask->cookie, &filling->step))
        return 0;
    return gl_fail(err, GL_E_INTERRUPTED, "stopped; another run goes on from here");
}

/* ---- one source ---- */

/* From the newest piece back: the latest weeks are worth most. */
static int fill_pieces(struct filling *filling, struct gl_error *err)
{
    const struct gl_backfill *ask = filling->ask;
    const int64_t past_s = filling->source->ops->past_s;
    const int64_t now_s = gl_now(filling->store->fetch.world).unix_s;
    const int64_t until_s = ask->until.unix_s < now_s ? ask->until.unix_s : now_s;
    const int64_t first_s = ask->from.unix_s - ask->from.unix_s % past_s;
    int64_t piece_s = until_s - 1 - (until_s - 1) % past_s;

    filling->step.all = piece_s >= first_s ? (unsigned)((piece_s - first_s) / past_s) + 1 : 0;
    for (; piece_s >= first_s; piece_s -= past_s) {
        struct gl_signal_query query = {.is_past = true, .config = filling->source->config};
        bool was_there = is_done(filling, piece_s);

        snprintf(query.zone, sizeof query.zone, "%s", ask->zone);
        query.from.unix_s = piece_s;
        query.until.unix_s = piece_s + past_s < now_s ? piece_s + past_s : now_s;
        if (!was_there && ask_piece(filling, &query, err))
            return -1;
        if (!was_there && piece_s + past_s + SETTLED_S <= now_s && note_done(filling, piece_s, err))
            return -1;
        if (report(filling, &query, was_there, err))
            return -1;
    }
    return 0;
}

static int fill_source(struct filling *filling, struct gl_error *err)
{
    GL_AUTO(gl_str_done) struct gl_str name = {0};
    int rc;

    filling->step = (struct gl_backfill_step){.source = filling->source->config->name,
                                              .hours = filling->kept.hours,
                                              .revisions = filling->kept.revisions};
    gl_str_addf(&name, "%s.%s.backfilled", filling->source->ops->name, filling->ask->zone);
    filling->done_path = gl_path_join(filling->store->archive_folder, gl_str_text(&name));
    load_done(filling);
    rc = fill_pieces(filling, err);
    json_decref(filling->done);
    free(filling->done_path);
    return rc;
}

static int check(const struct gl_signal_store *store, const struct gl_backfill *ask,
                 struct gl_error *err)
{
    if (store->archive_folder == NULL)
        return gl_fail(err, GL_E_CONFIG, "there is no folder for the archive");
    if (store->fetch.is_offline || store->fetch.world->http == NULL)
        return gl_fail(err, GL_E_CONFIG, "past figures come from the network, and it is off");
    if (strchr(ask->zone, '/') != NULL || strlen(ask->zone) >= sizeof((struct gl_series *)0)->zone)
        return gl_fail(err, GL_E_BAD_VALUE, "that is no zone name");
    if (ask->from.unix_s < 0 || ask->from.unix_s >= ask->until.unix_s ||
        ask->until.unix_s > TIME_MAX_S || ask->until.unix_s - ask->from.unix_s > SPAN_MAX_S)
        return gl_fail(err, GL_E_BAD_VALUE, "a backfill spans at most 1,096 days");
    return 0;
}

int gl_signal_backfill(struct gl_signal_store *store, const struct gl_backfill *ask,
                       struct gl_backfill_result *out_result, struct gl_error *err)
{
    struct filling filling = {.store = store, .ask = ask, .result = out_result};

    *out_result = (struct gl_backfill_result){0};
    if (check(store, ask, err) || gl_dir_make(store->archive_folder, err))
        return -1;
    filling.fetch = (struct gl_fetch){.world = store->fetch.world, .deadline_ms = DEADLINE_MS};
    for (size_t i = 0; i < store->source_count; i++) {
        filling.source = &store->sources[i];
        if (filling.source->ops == NULL || filling.source->ops->past_s == 0 ||
            !gl_store_covers(filling.source, ask->zone))
            continue;
        out_result->sources++;
        if (fill_source(&filling, err))
            return -1;
    }
    if (out_result->sources > 0)
        return 0;
    return gl_fail(err, GL_E_CONFIG, "no configured source gives past figures of %s", ask->zone);
}
