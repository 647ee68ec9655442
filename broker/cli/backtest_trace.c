/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/cli/backtest_part.h"

#include <stdlib.h>
#include <string.h>

#include "base/time.h"

/* Recorded series through the `file` source: whatever the product reads can be replayed. */

static int fail_zone(const struct backtest *bt, const char *zone, struct gl_error *err)
{
    const char *names[GL_BACKTEST_PLACES * 4];
    const char *nearest;
    char shown[GL_TEXT_SHOWN];
    size_t count = 0;

    for (; count < bt->zone_count && count < sizeof names / sizeof names[0]; count++)
        names[count] = bt->zones[count].facts.zone;
    nearest = gl_text_nearest(zone, names, count);
    return gl_fail(err, GL_E_UNKNOWN_NAME, "no trace holds zone \"%s\"; %s %s",
                   gl_text_show(zone, shown), nearest != NULL ? "did you mean" : "the first is",
                   nearest != NULL ? nearest : names[0]);
}

static struct backtest_zone *zone_named(struct backtest *bt, const char *name)
{
    for (size_t i = 0; i < bt->zone_count; i++)
        if (strcmp(bt->zones[i].facts.zone, name) == 0)
            return &bt->zones[i];
    return NULL;
}

/* The histories of one zone of a file. */
static int take_zone(struct backtest *bt, struct gl_signal_result *result, const char *name,
                     const char *path, struct gl_error *err)
{
    struct gl_instant now = {gl_now(&bt->context->world).unix_s};
    struct backtest_zone zone = {.path = path};
    struct gl_error doubt = {0};

    zone.count = gl_history_of_file(result, name, now, &zone.histories, &doubt);
    if (doubt.code != GL_OK)
        gl_warn(bt->context, "GL8001", "%s", doubt.text);
    if (zone.count == 0) {
        free(zone.histories);
        return doubt.code != GL_OK
                   ? gl_fail(err, GL_E_UNKNOWN_DATA, "%s cannot be replayed: %s", path, doubt.text)
                   : gl_fail(err, GL_E_UNKNOWN_DATA, "%s holds no measured or estimated whole hour",
                             path);
    }
    for (size_t i = 0; bt->values->lag_s != INT64_MIN && i < zone.count; i++)
        zone.histories[i]->actuals.lag_h = (uint32_t)((bt->values->lag_s + 3599) / 3600);
    memcpy(zone.facts.zone, name, strlen(name) + 1);
    zone.facts.history_count = zone.count;
    bt->zones = gl_realloc(bt->zones, (bt->zone_count + 1) * sizeof *bt->zones);
    bt->zones[bt->zone_count++] = zone;
    return 0;
}

static int take_zones(struct backtest *bt, struct gl_signal_result *result, const char *path,
                      struct gl_error *err)
{
    char name[sizeof result->series[0].zone];

    for (size_t i = 0; i < result->count; i++) {
        const struct backtest_zone *known = zone_named(bt, result->series[i].zone);

        if (known != NULL && known->path == path)
            continue;
        if (known != NULL)
            return gl_fail(err, GL_E_USAGE, "zone %s is in %s and in %s", known->facts.zone,
                           known->path, path);
        memcpy(name, result->series[i].zone, sizeof name);
        if (take_zone(bt, result, name, path, err) != 0)
            return -1;
    }
    return 0;
}

static int read_trace(struct backtest *bt, const char *path, struct gl_error *err)
{
    const struct gl_signal_ops *file = gl_signal_find("file");
    const struct gl_signal_query query = {.neso = NULL};
    const struct gl_signal_config config = {.name = "file", .path = path, .zone = bt->values->home};
    struct gl_signal_result result = {0};
    size_t before = bt->zone_count;
    int rc;

    rc = file->read(&query, &config, &bt->context->world, &result, err);
    if (rc != 0 && err->code == GL_E_IO)
        err->code = GL_E_USAGE; /* a file that was named and cannot be read */
    if (rc == 0)
        rc = take_zones(bt, &result, path, err);
    gl_signal_result_done(&result);
    if (rc == 0 && bt->zone_count == before)
        return gl_fail(err, GL_E_UNKNOWN_DATA, "%s holds no series", path);
    return rc;
}

int gl_backtest_read_traces(struct backtest *bt, struct gl_error *err)
{
    const struct gl_option_list *traces = &bt->values->traces;

    if (traces->count == 0)
        return gl_fail(err, GL_E_USAGE,
                       "a replay needs recorded figures: --trace FILE (CSV or JSON, "
                       "docs/signals.md)");
    for (size_t i = 0; i < traces->count; i++) {
        gl_progress(bt->context, "reading %s", traces->items[i]);
        if (read_trace(bt, traces->items[i], err) != 0)
            return -1;
    }
    for (size_t i = 0; i < bt->zone_count; i++)
        bt->zones[i].facts.histories = (const struct gl_history *const *)bt->zones[i].histories;
    return 0;
}

/* ---- places ---- */

/* What a rule on the intensity means, else lifecycle, else what there is. */
static const struct gl_history *choose_intensity(const struct backtest *bt,
                                                 const struct backtest_zone *zone)
{
    const char *said = bt->values->boundary;
    enum gl_boundary wanted =
        said != NULL && strcmp(said, "direct") == 0 ? GL_DIRECT : GL_LIFECYCLE;
    const struct gl_history *found = NULL;

    for (size_t i = 0; i < zone->count; i++) {
        const struct gl_history *history = zone->histories[i];
        const struct gl_meaning *meaning = &history->meaning;

        if (meaning->quantity != GL_INTENSITY || meaning->rate != GL_AVERAGE ||
            meaning->accounting != GL_LOCATION || history->actuals.count == 0)
            continue;
        if (meaning->boundary == wanted)
            return history;
        found = found != NULL ? found : history;
    }
    return found;
}

static int add_place(struct backtest *bt, struct backtest_zone *zone, struct gl_error *err)
{
    for (size_t i = 0; i < bt->place_count; i++)
        if (bt->places[i].zone == &zone->facts)
            return 0;
    if (bt->place_count == GL_BACKTEST_PLACES)
        return gl_fail(err, GL_E_TOO_LARGE, "more than %d places", GL_BACKTEST_PLACES);
    zone->intensity = choose_intensity(bt, zone);
    if (zone->intensity == NULL)
        return gl_fail(err, GL_E_UNKNOWN_DATA,
                       "%s holds no average, location-based carbon intensity of %s: grams cannot "
                       "be counted",
                       zone->path, zone->facts.zone);
    bt->places[bt->place_count++] = (struct gl_backtest_place){
        .zone = &zone->facts,
        .intensity = zone->intensity,
        .pue = bt->values->pue_u == INT64_MIN ? 1 : (double)bt->values->pue_u / 1e6,
    };
    return 0;
}

static int add_named(struct backtest *bt, const char *name, struct gl_error *err)
{
    struct backtest_zone *zone = zone_named(bt, name);

    return zone != NULL ? add_place(bt, zone, err) : fail_zone(bt, name, err);
}

int gl_backtest_choose_places(struct backtest *bt, struct gl_error *err)
{
    const struct backtest_values *values = bt->values;

    if (values->home != NULL ? add_named(bt, values->home, err) != 0
                             : add_place(bt, &bt->zones[0], err) != 0)
        return -1;
    for (size_t i = 0; i < values->places.count; i++)
        if (add_named(bt, values->places.items[i], err) != 0)
            return -1;
    for (size_t i = 0; values->places.count == 0 && i < bt->zone_count; i++)
        if (add_place(bt, &bt->zones[i], err) != 0)
            return -1;
    bt->first_s = 0;
    bt->end_s = INT64_MAX;
    for (size_t i = 0; i < bt->place_count; i++) {
        const struct gl_actuals *actuals = &bt->places[i].intensity->actuals;
        int64_t end_s = actuals->start_s + (int64_t)actuals->count * GL_HOUR_S;

        bt->first_s = actuals->start_s > bt->first_s ? actuals->start_s : bt->first_s;
        bt->end_s = end_s < bt->end_s ? end_s : bt->end_s;
    }
    if (bt->first_s >= bt->end_s)
        return gl_fail(err, GL_E_UNKNOWN_DATA, "the traces have no hour in common");
    return 0;
}

void gl_backtest_traces_done(struct backtest *bt)
{
    for (size_t i = 0; i < bt->zone_count; i++) {
        for (size_t h = 0; h < bt->zones[i].count; h++)
            gl_history_free(bt->zones[i].histories[h]);
        free(bt->zones[i].histories);
    }
    free(bt->zones);
}

char gl_backtest_grade(const struct gl_history *history)
{
    return history->estimated_count > 0 ? 'B' : 'A';
}

size_t gl_backtest_holes(const struct backtest *bt, const struct gl_history *history)
{
    size_t holes = 0;
    float value;

    for (int64_t hour_s = bt->first_s; hour_s < bt->end_s; hour_s += GL_HOUR_S)
        holes += !gl_actual_at(&history->actuals, hour_s, &value);
    return holes;
}
