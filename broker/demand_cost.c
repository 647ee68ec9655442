/* SPDX-License-Identifier: Apache-2.0 */
/* What a pause or a move has cost, out of the events of its launch and the evidence in them: the
 * watts of its plan, and the series that its plan and its moves rest on, as its receipt has them.
 */
#include "broker/demand.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/evidence.h"
#include "broker/relocate_cost.h"
#include "policy/schedule/region.h"

#define EXTRA_MAX_UG 1e15 /* of a signal */

/* ---- what happened ---- */

/* A launch as its events tell it. Borrowed from the row and the events. */
struct story {
    const struct gl_launch_row *row;
    const struct gl_ledger_open *open;
    json_t *plan;
    json_t *series; /* of each place, the latest first: arrays as in plans */
    char zone[40];  /* where it is, as far as it is told; "" = not known */
    bool is_paused;
    /* Of the pause or move that the signal speaks of. */
    bool has_begun, is_over, was_paused, never_resumed;
    bool
        is_by_image; /* its grams were told before, or nobody knew them: its events have no place */
    int64_t from_ms, until_ms;
    char from_zone[40], until_zone[40];
};

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text != NULL ? text : "";
}

static bool is_end(const char *state)
{
    return strcmp(state, "ended") == 0 || strcmp(state, "lost") == 0;
}

static void begin(struct story *story, int64_t at_ms)
{
    story->has_begun = true;
    story->was_paused = story->is_paused;
    story->from_ms = at_ms;
    snprintf(story->from_zone, sizeof story->from_zone, "%s", story->zone);
}

static void end(struct story *story, int64_t at_ms)
{
    story->is_over = true;
    story->until_ms = at_ms;
    snprintf(story->until_zone, sizeof story->until_zone, "%s", story->zone);
}

/* The last pause before the signal, until it runs again or is over. */
static void note_pause(struct story *story, int64_t seq, const char *kind, const char *state,
                       int64_t at_ms)
{
    if (seq < story->open->seq && strcmp(kind, "paused") == 0) {
        begin(story, at_ms);
        story->is_over = false;
    } else if (story->has_begun && !story->is_over &&
               (strcmp(state, "running") == 0 || is_end(state))) {
        story->never_resumed = is_end(state);
        end(story, at_ms);
    }
}

/* The last move before the signal: from its intent, or its power off, to its outcome. */
static void note_move(struct story *story, int64_t seq, const char *kind, int64_t at_ms)
{
    if (seq > story->open->seq)
        return;
    if (strcmp(kind, "move") == 0 || strcmp(kind, "relocate-halted") == 0) {
        begin(story, at_ms);
        story->is_by_image = strcmp(kind, "move") != 0;
    } else if (story->has_begun &&
               (strcmp(kind, "moved") == 0 || strcmp(kind, "relocate-verified") == 0))
        end(story, at_ms);
}

static int note_event(void *cookie, const json_t *event)
{
    struct story *story = cookie;
    const json_t *body = json_object_get(event, "body");
    const char *kind = text_of(event, "kind"), *state = text_of(body, "state");
    const int64_t seq = json_integer_value(json_object_get(event, "seq"));
    const int64_t at_ms = json_integer_value(json_object_get(event, "at_ms"));
    json_t *series = json_object_get(body, "series");

    if (strcmp(kind, "move") == 0 && json_is_array(series))
        json_array_insert(story->series, 0, series);
    if (strcmp(kind, "moved") == 0)
        snprintf(story->zone, sizeof story->zone, "%s", text_of(body, "zone"));
    if (story->open->is_move)
        note_move(story, seq, kind, at_ms);
    else
        note_pause(story, seq, kind, state, at_ms);
    if (strcmp(state, "paused") == 0 || strcmp(state, "running") == 0)
        story->is_paused = strcmp(state, "paused") == 0;
    return 0;
}

/* Of a disputed region there is no one zone. */
static void begin_story(struct story *story, const struct gl_launch_row *row,
                        const struct gl_ledger_open *open)
{
    struct gl_error ignored = {0};
    const json_t *zones;

    *story = (struct story){.row = row, .open = open, .series = json_array()};
    story->plan = gl_json_parse(row->plan, strlen(row->plan), "plan", &ignored);
    zones = json_object_get(json_object_get(story->plan, "offer"), "zones");
    if (json_is_array(json_object_get(story->plan, "series")))
        json_array_append(story->series, json_object_get(story->plan, "series"));
    if (json_array_size(zones) == 1 && json_is_string(json_array_get(zones, 0)))
        snprintf(story->zone, sizeof story->zone, "%s",
                 json_string_value(json_array_get(zones, 0)));
}

static void story_done(struct story *story)
{
    json_decref(story->plan);
    json_decref(story->series);
}

/* ---- grams ---- */

/* Micrograms a kWh over a time in the zone, by one list of series; false when that does not cover
 * it. */
static bool intensity_by(const json_t *series, const char *zone, int64_t from_ms, int64_t until_ms,
                         double *out)
{
    struct gl_evidence_list list;
    struct gl_error ignored = {0};
    bool is_known = false;
    int64_t band[3];

    if (gl_evidence_list_parse(series, &list, &ignored) != 0)
        return false;
    for (size_t i = 0; i < list.count && !is_known; i++)
        is_known = list.is_counted[i] && strcmp(list.series[i].zone, zone) == 0 &&
                   gl_evidence_over(&list.series[i], from_ms / 1000, (until_ms + 999) / 1000,
                                    GL_UNBOUNDED_WIDENED, band) == 0;
    gl_evidence_list_done(&list);
    if (is_known)
        *out = (double)band[1];
    return is_known;
}

static bool intensity(const struct story *story, const char *zone, int64_t from_ms,
                      int64_t until_ms, double *out)
{
    const json_t *series;
    size_t i;

    if (zone[0] == '\0' || until_ms <= from_ms)
        return false;
    json_array_foreach(story->series, i, series)
    {
        if (intensity_by(series, zone, from_ms, until_ms, out))
            return true;
    }
    return false;
}

static int64_t number_of(const json_t *object, const char *key, int64_t otherwise)
{
    const json_t *value = json_object_get(object, key);

    return json_is_integer(value) ? (int64_t)json_integer_value(value) : otherwise;
}

bool gl_demand_power(const json_t *plan, double *out_kw, double *out_idle_kw)
{
    const json_t *request = json_object_get(plan, "request");
    int64_t pue = number_of(plan, "pue_milli", 1000);
    double load = (double)number_of(request, "load_ppm", 500000) / 1e6;

    if (!json_is_object(json_object_get(plan, "machine")))
        return false;
    *out_kw = gl_relocate_kw(plan, load, pue);
    *out_idle_kw = gl_relocate_kw(plan, 0, pue);
    return true;
}

static double hours(int64_t from_ms, int64_t until_ms)
{
    return (double)(until_ms - from_ms) / 3.6e6;
}

int64_t gl_demand_ug(double ug)
{
    if (!(ug >= -EXTRA_MAX_UG && ug <= EXTRA_MAX_UG))
        return GL_UNKNOWN;
    return (int64_t)(ug < 0 ? ug - 0.5 : ug + 0.5);
}

/* As many hours from the resume on, as far as its lease goes, less those that it was paused. */
static int64_t pause_ug(const struct story *story)
{
    int64_t until_ms = story->until_ms + (story->until_ms - story->from_ms);
    double kw, idle_kw, saved, spent;

    if (until_ms > story->row->expires_ms)
        until_ms = story->row->expires_ms;
    if (!gl_demand_power(story->plan, &kw, &idle_kw) ||
        !intensity(story, story->from_zone, story->from_ms, story->until_ms, &saved))
        return GL_UNKNOWN;
    saved *= kw * hours(story->from_ms, story->until_ms);
    if (story->never_resumed || until_ms <= story->until_ms)
        return gl_demand_ug(-saved);
    if (!intensity(story, story->until_zone, story->until_ms, until_ms, &spent))
        return GL_UNKNOWN;
    return gl_demand_ug(spent * kw * hours(story->until_ms, until_ms) - saved);
}

/* The copy at both ends, as the guard reckons it, and the rest of its lease there rather than here.
 * How long a paused one will run there is not known. */
static int64_t move_ug(const struct story *story)
{
    const json_t *machine = json_object_get(story->plan, "machine");
    const int64_t lease_ms = story->row->expires_ms;
    struct gl_region_copy copy = {
        .data_gb = (double)number_of(machine, "memory_mb", 0) / 1000,
        .kwh_per_gb = GL_COPY_KWH_WORST,
        .gbit_per_s = 1,
    };
    double kw, here, there;

    if (story->was_paused || !gl_demand_power(story->plan, &kw, &copy.idle_kwh_per_hour) ||
        !intensity(story, story->from_zone, story->until_ms, lease_ms, &here) ||
        !intensity(story, story->until_zone, story->until_ms, lease_ms, &there))
        return GL_UNKNOWN;
    return gl_demand_ug(gl_region_copy_kwh(&copy) * (here + there) +
                        (there - here) * kw * hours(story->until_ms, lease_ms));
}

/* ---- and the ledger ---- */

/* A clock that was set back tells no time. */
static struct gl_ledger_cost cost_of(const struct story *story)
{
    struct gl_ledger_cost cost = {story->open->seq, story->open->launch_key, GL_UNKNOWN,
                                  GL_UNKNOWN};

    if (story->until_ms < story->from_ms)
        return cost;
    cost.lost_ms = story->open->is_move && story->was_paused ? 0 : story->until_ms - story->from_ms;
    if (!story->open->has_extra && !story->is_by_image)
        cost.extra_ug = story->open->is_move ? move_ug(story) : pause_ug(story);
    return cost;
}

static int settle_one(struct gl_ledger *ledger, const struct gl_launch_row *row,
                      const struct gl_ledger_open *open, struct gl_error *err)
{
    GL_AUTO(story_done) struct story story;
    struct gl_ledger_cost cost;

    begin_story(&story, row, open);
    if (gl_ledger_events(ledger, row->launch, &story, note_event, err) != 0)
        return -1;
    if (!story.is_over)
        return 0;
    cost = cost_of(&story);
    return gl_ledger_signal_cost(ledger, &cost, err);
}

static const struct gl_launch_row *launch_of(const struct gl_launch_rows *rows, const char *key)
{
    struct gl_demand demand;

    for (size_t i = 0; i < rows->count; i++) {
        gl_demand_key_of(rows->rows[i].launch, &demand);
        if (strcmp(demand.launch_key, key) == 0)
            return &rows->rows[i];
    }
    return NULL;
}

int gl_demand_settle(struct gl_ledger *ledger, struct gl_error *err)
{
    GL_AUTO(gl_launch_rows_free) struct gl_launch_rows rows = {0};
    GL_AUTO(gl_auto_free) struct gl_ledger_open *open = NULL;
    size_t count;

    if (gl_ledger_signals_open(ledger, &open, &count, err) != 0 ||
        (count > 0 && gl_ledger_launches(ledger, NULL, &rows, err) != 0))
        return -1;
    for (size_t i = 0; i < count; i++) {
        const struct gl_launch_row *row = launch_of(&rows, open[i].launch_key);

        if (row != NULL && settle_one(ledger, row, &open[i], err) != 0)
            return -1;
    }
    return 0;
}
