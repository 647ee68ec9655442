/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_TESTS_GRID_SCRIPT_H
#define GL_TESTS_GRID_SCRIPT_H

/* A transport that plays the NESO server with invented values in the true shapes: outturn half an
 * hour late and revised a day later, forecasts that change every six hours, the mix of each
 * half-hour. What it says of a time depends on the clock of the world alone. */

#include "base/http.h"
#include "base/str.h"
#include "base/time.h"
#include "base/world.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GRID_HALF  INT64_C(1800)
#define GRID_CALLS 64

struct grid {
    struct gl_http http;
    struct gl_world *world;
    unsigned calls;
    unsigned fails_from; /* this call and later ones get `status`; 0 = none */
    int status;          /* 0 = no answer at all */
    int64_t forecast_s;  /* how far the forecast reaches */
    int64_t rows_of_s;   /* a hole: this half-hour is null; 0 = none */
    char urls[GRID_CALLS][200];
    int64_t at_s[GRID_CALLS];
};

/* The truth, in whole grams: a day's wave with a slower one on it. */
static inline int grid_truth(int64_t at_s)
{
    int64_t hour = at_s / 3600;

    return (int)(100 + 4 * llabs(hour % 24 - 12) + 7 * (hour % 5) + at_s / GRID_HALF % 2);
}

/* First word two grams off, settled a day later. */
static inline int grid_actual(int64_t at_s, int64_t now_s)
{
    return grid_truth(at_s) + (now_s < at_s + 86400 && at_s / 3600 % 3 == 0 ? 2 : 0);
}

static inline int grid_forecast(int64_t at_s, int64_t now_s)
{
    return grid_truth(at_s) + (int)((now_s / 21600 + at_s / 3600) % 7) - 3;
}

static inline void grid_item(const struct grid *grid, int64_t at_s, bool is_mix, struct gl_str *out)
{
    int64_t now_s = gl_now(grid->world).unix_s;
    char from[GL_INSTANT_TEXT], to[GL_INSTANT_TEXT];

    gl_instant_text((struct gl_instant){at_s}, from);
    gl_instant_text((struct gl_instant){at_s + GRID_HALF}, to);
    gl_str_addf(out, "%s{\"from\":\"%.16sZ\",\"to\":\"%.16sZ\",",
                out->text[out->length - 1] == '[' ? "" : ",", from, to);
    if (is_mix) {
        gl_str_addf(out,
                    "\"generationmix\":[{\"fuel\":\"wind\",\"perc\":%d},"
                    "{\"fuel\":\"nuclear\",\"perc\":10},{\"fuel\":\"gas\",\"perc\":%d}]}",
                    grid_truth(at_s) % 50, 90 - grid_truth(at_s) % 50);
        return;
    }
    gl_str_add(out, "\"intensity\":{\"forecast\":");
    if (at_s == grid->rows_of_s)
        gl_str_add(out, "null");
    else
        gl_str_addf(out, "%d", grid_forecast(at_s, now_s));
    if (at_s + 2 * GRID_HALF <= now_s)
        gl_str_addf(out, ",\"actual\":%d", grid_actual(at_s, now_s));
    else
        gl_str_add(out, ",\"actual\":null");
    gl_str_add(out, ",\"index\":\"moderate\"}}");
}

/* "/2026-01-10T12:00Z/fw48h" or ".../2026-01-12T12:00Z", nothing for the mix of now. */
static inline bool grid_span(const struct grid *grid, const char *url, int64_t out[2])
{
    const char *at = strstr(url, "/20");
    char text[24];
    struct gl_instant instant;
    struct gl_error ignored = {0};
    int64_t now_s = gl_now(grid->world).unix_s;

    out[0] = now_s - now_s % GRID_HALF - GRID_HALF;
    out[1] = out[0] + GRID_HALF;
    if (at == NULL)
        return true;
    snprintf(text, sizeof text, "%.17s", at + 1);
    if (gl_instant_parse(text, &instant, &ignored))
        return false;
    out[0] = instant.unix_s;
    out[1] = out[0] + grid->forecast_s;
    if (strncmp(at + 19, "fw48h", 5) == 0)
        return true;
    snprintf(text, sizeof text, "%.17s", at + 19);
    if (gl_instant_parse(text, &instant, &ignored))
        return false;
    out[1] = instant.unix_s;
    return true;
}

static inline int grid_send(struct gl_http *http, const struct gl_http_request *request,
                            struct gl_http_reply *out, struct gl_error *err)
{
    struct grid *grid = (struct grid *)http;
    bool is_mix = strstr(request->url, "/generation") != NULL;
    struct gl_str body = {0};
    int64_t span[2];

    if (grid->calls < GRID_CALLS) {
        snprintf(grid->urls[grid->calls], sizeof grid->urls[0], "%.199s", request->url);
        grid->at_s[grid->calls] = gl_now(grid->world).unix_s;
    }
    grid->calls++;
    *out = (struct gl_http_reply){.status = 200, .retry_after_s = -1};
    if (grid->fails_from > 0 && grid->calls >= grid->fails_from) {
        if (grid->status == 0)
            return gl_fail(err, GL_E_NETWORK, "nothing listens");
        out->status = grid->status;
        out->body = gl_strdup("");
        return 0;
    }
    if (!grid_span(grid, request->url, span))
        return gl_fail(err, GL_E_NETWORK, "not understood: %s", request->url);
    gl_str_add(&body, "{\"data\":[");
    for (int64_t at_s = span[0]; at_s < span[1]; at_s += GRID_HALF)
        if (!is_mix || at_s < gl_now(grid->world).unix_s)
            grid_item(grid, at_s, is_mix, &body);
    gl_str_add(&body, "]}");
    out->body_length = body.length;
    out->body = gl_str_take(&body);
    return 0;
}

static inline void grid_close(struct gl_http *http)
{
    (void)http; /* lives on the stack */
}

static const struct gl_http_ops grid_ops = {"grid", grid_send, grid_close};

#endif
