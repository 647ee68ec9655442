/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/runclock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int parse_name(const json_t *item, const char *key, char out[40], struct gl_error *err)
{
    const char *text;

    if (gl_json_string(item, key, &text, err) != 0)
        return -1;
    if (strlen(text) > 39)
        return gl_fail(err, GL_E_BAD_REPLY, "\"%s\" is longer than 39 bytes", key);
    snprintf(out, 40, "%s", text);
    return 0;
}

static int parse_span(const json_t *item, int64_t from_ms, int64_t ended_ms,
                      struct gl_run_span *out, struct gl_error *err)
{
    const json_t *is_running = json_object_get(item, "is_running");

    if (gl_json_int(item, "from_ms", from_ms, from_ms, &out->from_ms, err) != 0 ||
        gl_json_int(item, "until_ms", from_ms, ended_ms, &out->until_ms, err) != 0 ||
        parse_name(item, "region", out->region, err) != 0 ||
        parse_name(item, "zone", out->zone, err) != 0)
        return -1;
    if (!json_is_boolean(is_running))
        return gl_fail(err, GL_E_BAD_REPLY, "\"is_running\" is neither true nor false");
    out->is_running = json_is_true(is_running);
    out->move = 0;
    return json_object_get(item, "move") == NULL
               ? 0
               : gl_json_int(item, "move", 1, INT64_MAX, &out->move, err);
}

static int parse_all(const json_t *list, int64_t started_ms, int64_t ended_ms,
                     struct gl_run_spans *spans, struct gl_error *err)
{
    int64_t at = started_ms;

    for (; spans->count < json_array_size(list); spans->count++) {
        struct gl_run_span *span = &spans->items[spans->count];

        if (parse_span(json_array_get(list, spans->count), at, ended_ms, span, err) != 0)
            return gl_wrap(err, "evidence.instance.spans[%zu]", spans->count);
        span->since_ms = spans->count > 0 && span[-1].move == span->move ? span[-1].since_ms : at;
        at = span->until_ms;
    }
    if (at != ended_ms)
        return gl_fail(err, GL_E_BAD_REPLY,
                       "evidence.instance.spans do not reach to the end of the run");
    return 0;
}

int gl_run_spans_parse(const json_t *instance, int64_t started_ms, int64_t ended_ms,
                       struct gl_run_spans *out, struct gl_error *err)
{
    const json_t *list = json_object_get(instance, "spans");
    struct gl_run_spans spans = {0};

    if (list == NULL) {
        *out = spans;
        return 0;
    }
    if (!json_is_array(list) || json_array_size(list) == 0)
        return gl_fail(err, GL_E_BAD_REPLY, "evidence.instance.spans is no list of stretches");
    if (json_array_size(list) > GL_RUN_SPANS_MAX)
        return gl_fail(err, GL_E_TOO_LARGE, "evidence.instance.spans holds more than %d stretches",
                       GL_RUN_SPANS_MAX);
    spans.items = gl_alloc(json_array_size(list) * sizeof *spans.items);
    if (parse_all(list, started_ms, ended_ms, &spans, err) != 0) {
        gl_run_spans_done(&spans);
        return -1;
    }
    *out = spans;
    return 0;
}

void gl_run_spans_done(struct gl_run_spans *spans)
{
    free(spans->items);
    *spans = (struct gl_run_spans){0};
}

int64_t gl_run_clock(const struct gl_run_spans *spans, int64_t wall_ms)
{
    int64_t still_ms = 0;

    for (size_t i = 0; i < spans->count && spans->items[i].from_ms < wall_ms; i++) {
        const struct gl_run_span *span = &spans->items[i];

        if (!span->is_running)
            still_ms += (wall_ms < span->until_ms ? wall_ms : span->until_ms) - span->from_ms;
    }
    return wall_ms - still_ms;
}

int64_t gl_run_wall(const struct gl_run_spans *spans, int64_t run_ms, bool is_late)
{
    int64_t wall_ms = run_ms;

    for (size_t i = 0; i < spans->count; i++) {
        const struct gl_run_span *span = &spans->items[i];

        if (span->from_ms > wall_ms || (span->from_ms == wall_ms && !is_late))
            break;
        if (!span->is_running && span->until_ms < INT64_MAX)
            wall_ms += span->until_ms - span->from_ms;
    }
    return wall_ms;
}
