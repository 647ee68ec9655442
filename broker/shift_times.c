/* SPDX-License-Identifier: Apache-2.0 */
/* Where and when a launch ran, from what its cloud and the ledger say of it. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/evidence.h"
#include "broker/shift.h"
#include "broker/shift_part.h"

#define SERIES_BYTES_MAX ((size_t)2 << 20) /* of "instance.series" in one receipt */

/* ---- what the ledger says ---- */

struct told {
    char region[40];  /* it was launched in */
    json_t *moves;    /* by number: bodies of "move" */
    json_t *order;    /* their numbers, in order */
    json_t *arrivals; /* [at_ms, region] of "moved" */
};

static void told_done(struct told *told)
{
    json_decref(told->moves);
    json_decref(told->order);
    json_decref(told->arrivals);
}

static int note_event(void *cookie, const json_t *event)
{
    struct told *told = cookie;
    const char *kind = json_string_value(json_object_get(event, "kind"));
    json_t *body = json_object_get(event, "body"), *seq = json_object_get(event, "seq");
    const char *region = json_string_value(json_object_get(body, "region"));
    char number[24];

    if (kind == NULL || region == NULL)
        return 0;
    if (strcmp(kind, "intent") == 0)
        snprintf(told->region, sizeof told->region, "%s", region);
    if (strcmp(kind, "moved") == 0)
        json_array_append_new(told->arrivals,
                              json_pack("[O,s]", json_object_get(event, "at_ms"), region));
    if (strcmp(kind, "move") == 0) {
        snprintf(number, sizeof number, "%" PRId64, (int64_t)json_integer_value(seq));
        json_object_set(told->moves, number, body);
        json_array_append(told->order, seq);
    }
    return 0;
}

static int read_told(struct gl_launcher *launcher, const char *launch, struct told *out,
                     struct gl_error *err)
{
    *out = (struct told){"", json_object(), json_array(), json_array()};
    return gl_ledger_events(launcher->ledger, launch, out, note_event, err);
}

static const json_t *move_at(const struct told *told, size_t index)
{
    char number[24];

    snprintf(number, sizeof number, "%" PRId64,
             (int64_t)json_integer_value(json_array_get(told->order, index)));
    return json_object_get(told->moves, number);
}

static bool leads_to(const json_t *move, const char *region)
{
    const char *found = json_string_value(json_object_get(move, "region"));

    return found != NULL && strcmp(found, region) == 0;
}

static void copy_zone(const json_t *zone, char out[40])
{
    const char *text = json_string_value(zone);

    snprintf(out, 40, "%s", text != NULL ? text : "");
}

static void launch_zone(const struct gl_launch_row *row, char out[40])
{
    struct gl_error ignored = {0};
    GL_AUTO(gl_auto_json)
    json_t *plan = gl_json_parse(row->plan, strlen(row->plan), "plan", &ignored);
    const json_t *zones = json_object_get(json_object_get(plan, "offer"), "zones");

    copy_zone(json_array_get(zones, 0), out);
}

int gl_shift_zone(struct gl_launcher *launcher, const struct gl_launch_row *row, const char *region,
                  char out[40], struct gl_error *err)
{
    GL_AUTO(told_done) struct told told;

    if (read_told(launcher, row->launch, &told, err) != 0)
        return -1;
    for (size_t i = json_array_size(told.order); i-- > 0;)
        if (leads_to(move_at(&told, i), region)) {
            copy_zone(json_object_get(move_at(&told, i), "zone"), out);
            return 0;
        }
    out[0] = '\0';
    if (strcmp(told.region, region) == 0)
        launch_zone(row, out);
    return 0;
}

/* ---- what the cloud says ---- */

/* Nobody can be asked: it is taken to have run in the place it had last arrived in. */
static int spans_of_ledger(const struct told *told, struct gl_instance_span **out,
                           size_t *out_count)
{
    size_t count = json_array_size(told->arrivals);
    struct gl_instance_span *spans = gl_alloc((count + 1) * sizeof *spans);

    spans[0] = (struct gl_instance_span){0, INT64_MAX, true, ""};
    snprintf(spans[0].region, sizeof spans[0].region, "%s", told->region);
    for (size_t i = 0; i < count; i++) {
        const json_t *arrival = json_array_get(told->arrivals, i);
        struct gl_instance_span *span = &spans[i + 1];

        *span = (struct gl_instance_span){json_integer_value(json_array_get(arrival, 0)), INT64_MAX,
                                          true, ""};
        snprintf(span->region, sizeof span->region, "%s",
                 json_string_value(json_array_get(arrival, 1)));
        span->from_ms = span->from_ms > span[-1].from_ms ? span->from_ms : span[-1].from_ms;
        span[-1].until_ms = span->from_ms;
    }
    *out = spans;
    *out_count = count + 1;
    return 0;
}

static int read_spans(const struct gl_launch_row *row, struct gl_cloud *cloud,
                      const struct told *told, struct gl_instance_span **out, size_t *out_count,
                      struct gl_error *err)
{
    struct gl_error why = {0};

    if (cloud == NULL || cloud->ops->spans == NULL)
        return spans_of_ledger(told, out, out_count);
    if (cloud->ops->spans(cloud, row->instance, out, out_count, &why) == 0)
        return 0;
    /* What will never be readable must not keep a launch open for ever. */
    if (why.code == GL_E_TOO_LARGE || why.code == GL_E_BAD_REPLY)
        return spans_of_ledger(told, out, out_count);
    return gl_fail(err, why.code, "%s", why.text);
}

/* What is more than fits is charged as if it ran on. */
static size_t cut_at_ceiling(struct gl_instance_span *spans, size_t count)
{
    if (count <= GL_RUN_SPANS_MAX)
        return count;
    spans[GL_RUN_SPANS_MAX - 1].is_running = true;
    spans[GL_RUN_SPANS_MAX - 1].until_ms = INT64_MAX;
    return GL_RUN_SPANS_MAX;
}

/* ---- both ---- */

/* A visit is what lies between two changes of the region. The last one belongs to the last move
 * that led there, the one before it to the last such move before that, and so on: moves that failed
 * are passed over. */
static void name_places(const struct told *told, const char *zone, struct gl_run_spans *spans)
{
    size_t next = json_array_size(told->order), i = spans->count;

    while (i > 0) {
        size_t first = i - 1, move = next;

        while (first > 0 && strcmp(spans->items[first - 1].region, spans->items[i - 1].region) == 0)
            first--;
        while (first > 0 && move > 0 &&
               !leads_to(move_at(told, move - 1), spans->items[first].region))
            move--;
        for (size_t s = first; s < i; s++) {
            struct gl_run_span *span = &spans->items[s];

            if (first > 0 && move > 0) {
                span->move = json_integer_value(json_array_get(told->order, move - 1));
                copy_zone(json_object_get(move_at(told, move - 1), "zone"), span->zone);
            } else if (first == 0) {
                snprintf(span->zone, sizeof span->zone, "%s", zone);
            }
        }
        next = first > 0 && move > 0 ? move - 1 : next;
        i = first;
    }
}

static void take_spans(const struct gl_instance_span *seen, size_t count, struct gl_run_spans *out)
{
    out->items = gl_alloc(count * sizeof *out->items);
    out->count = count;
    for (size_t i = 0; i < count; i++) {
        struct gl_run_span *span = &out->items[i];

        span->from_ms = seen[i].from_ms;
        span->until_ms = seen[i].until_ms;
        span->is_running = seen[i].is_running;
        memcpy(span->region, seen[i].region, sizeof span->region);
    }
}

int gl_shift_times(struct gl_launcher *launcher, const struct gl_launch_row *row,
                   struct gl_cloud *cloud, struct gl_shift_times *out, struct gl_error *err)
{
    GL_AUTO(told_done) struct told told;
    GL_AUTO(gl_auto_free) struct gl_instance_span *seen = NULL;
    struct gl_shift_times times = {{0}, NULL};
    char zone[40];
    size_t count = 0;

    if (read_told(launcher, row->launch, &told, err) != 0 ||
        read_spans(row, cloud, &told, &seen, &count, err) != 0)
        return -1;
    count = cut_at_ceiling(seen, count);
    if (count > 1 || (count == 1 && !seen[0].is_running)) {
        launch_zone(row, zone);
        take_spans(seen, count, &times.spans);
        name_places(&told, zone, &times.spans);
        times.moves = json_incref(told.moves);
    }
    *out = times;
    return 0;
}

void gl_shift_times_done(struct gl_shift_times *times)
{
    gl_run_spans_done(&times->spans);
    json_decref(times->moves);
    times->moves = NULL;
}

/* ---- into the receipt ---- */

static json_t *span_json(const struct gl_run_span *span, int64_t from_ms, int64_t until_ms)
{
    json_t *json = json_pack("{s:I,s:I,s:b,s:s,s:s}", "from_ms", (json_int_t)from_ms, "until_ms",
                             (json_int_t)until_ms, "is_running", span->is_running, "region",
                             span->region, "zone", span->zone);

    if (span->move > 0)
        json_object_set_new(json, "move", json_integer(span->move));
    return json;
}

/* The stretches within the run; the first begins with it, the last ends with it. */
static json_t *spans_json(const struct gl_run_spans *spans, int64_t started_ms, int64_t ended_ms)
{
    json_t *list = json_array();
    int64_t at = started_ms;

    for (size_t i = 0; i < spans->count; i++) {
        const struct gl_run_span *span = &spans->items[i];
        bool is_last = i + 1 == spans->count || span->until_ms >= ended_ms;
        int64_t until_ms = is_last ? ended_ms : span->until_ms;

        if (until_ms > at || (is_last && json_array_size(list) == 0)) {
            json_array_append_new(list, span_json(span, at, until_ms));
            at = until_ms;
        }
        if (is_last)
            break;
    }
    return list;
}

struct series {
    json_t *list;
    size_t bytes, moves;
};

/* As the ledger's event has them, and of which move. */
static void add_series(struct series *all, const json_t *body, const json_t *number)
{
    const json_t *series = json_object_get(body, "series");
    size_t bytes = series != NULL ? json_dumpb(series, NULL, 0, JSON_COMPACT) : 0;

    if (json_array_size(series) > GL_EVIDENCE_SERIES_MAX || bytes > SERIES_BYTES_MAX - all->bytes ||
        all->moves == GL_EVIDENCE_MOVES_MAX)
        return;
    all->moves++;
    all->bytes += bytes;
    for (size_t i = 0; i < json_array_size(series); i++) {
        json_t *item = json_copy(json_array_get(series, i));

        json_object_set(item, "move", (json_t *)(uintptr_t)number);
        json_array_append_new(all->list, item);
    }
}

static json_t *series_json(const json_t *moves, const json_t *spans)
{
    struct series all = {.list = json_array()};
    const json_t *last = NULL;
    char key[24];

    for (size_t i = 0; i < json_array_size(spans); i++) {
        const json_t *number = json_object_get(json_array_get(spans, i), "move");

        if (number == NULL || (last != NULL && json_equal(number, last)))
            continue;
        last = number;
        snprintf(key, sizeof key, "%" PRId64, (int64_t)json_integer_value(number));
        add_series(&all, json_object_get(moves, key), number);
    }
    return all.list;
}

void gl_shift_evidence(const struct gl_shift_times *times, json_t *instance)
{
    int64_t started_ms = json_integer_value(json_object_get(instance, "started_ms"));
    int64_t ended_ms = json_integer_value(json_object_get(instance, "ended_ms"));
    json_t *spans, *last;

    if (times->spans.count == 0)
        return;
    spans = spans_json(&times->spans, started_ms, ended_ms);
    last = json_array_get(spans, json_array_size(spans) - 1);
    json_object_set_new(instance, "spans", spans);
    json_object_set_new(instance, "series", series_json(times->moves, spans));
    json_object_set(instance, "region", json_object_get(last, "region"));
    json_object_set(instance, "zone", json_object_get(last, "zone"));
}
