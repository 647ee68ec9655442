/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/make_evidence.h"

#include "broker/evidence.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PER_BATCH 32

struct gl_series fake_series(const char *zone, int64_t from_s, int64_t until_s, int64_t value_u,
                             enum gl_evidence evidence)
{
    struct gl_series series = {
        .meaning = {.quantity = GL_INTENSITY,
                    .boundary = GL_LIFECYCLE,
                    .gases = GL_CO2E,
                    .trace = GL_FLOW_TRACED,
                    .factor_set = "IPCC2014"},
        .provider = "file",
        .dataset = "invented",
        .licence = "none",
        .attribution = "a test",
        .issued_s = GL_UNKNOWN,
        .retrieved_s = from_s,
    };

    snprintf(series.zone, sizeof series.zone, "%s", zone);
    series.points = gl_alloc((size_t)((until_s - from_s) / 3600 + 1) * sizeof *series.points);
    for (int64_t at = from_s; at < until_s; at += 3600)
        series.points[series.count++] =
            (struct gl_point){.from_s = at,
                              .until_s = at + 3600 < until_s ? at + 3600 : until_s,
                              .value_u = value_u,
                              .low_u = GL_UNKNOWN,
                              .high_u = GL_UNKNOWN,
                              .updated_s = GL_UNKNOWN,
                              .evidence = evidence};
    return series;
}

json_t *fake_series_json(const char *zone, int64_t from_s, int64_t until_s, int64_t value_u)
{
    struct gl_series series = fake_series(zone, from_s, until_s, value_u, GL_MEASURED);
    json_t *json = gl_evidence_json(&series, from_s, until_s);

    free(series.points);
    return json;
}

json_t *fake_plan(int64_t from_s, int64_t until_s)
{
    return json_pack(
        "{s:{s:I},s:{s:s,s:s,s:s,s:s},s:{s:s,s:i,s:i,s:i,s:i},s:[o],s:i,s:{s:[i,i,i],s:I,s:i},"
        "s:{s:i},s:{s:s,s:I,s:I}}",
        "request", "duration_s", (json_int_t)(until_s - from_s), "offer", "cloud", "file", "region",
        "here", "type", "small", "mapping", "agreed", "machine", "family", "epyc3", "threads_milli",
        4000, "memory_mb", 8000, "gpu_count", 0, "gpu_watts", 0, "series",
        fake_series_json("XX", from_s - from_s % 3600, until_s + 3600, 100000000), "pue_milli",
        1200, "embodied", "platform_g", FAKE_PLATFORM_G / 2, FAKE_PLATFORM_G, 2 * FAKE_PLATFORM_G,
        "lifetime_s", (json_int_t)35040 * 3600, "share_ppm", 20833, "meter", "interval_ms", 1000,
        "guarantee", "rule", "renewable_share >= 95%", "from_s", (json_int_t)from_s, "until_s",
        (json_int_t)until_s);
}

static json_t *meter_json(const struct fake_meter *meter)
{
    char token[GL_HASH_HEX] = "";
    json_t *batches = json_array();

    for (size_t i = 0; meter != NULL && i < meter->count; i += PER_BATCH)
        json_array_append_new(
            batches,
            fake_batch(meter, i, meter->count - i < PER_BATCH ? meter->count - i : PER_BATCH));
    if (meter != NULL)
        gl_hex_text(meter->token, sizeof meter->token, token);
    else
        memset(token, '0', 64);
    return json_pack("{s:s,s:i,s:o,s:o,s:i,s:i,s:i,s:i}", "token", token, "interval_ms", 1000,
                     "enrolment", meter != NULL ? fake_enrolment(meter) : json_null(), "batches",
                     batches, "rejected", 0, "repeated", 0, "forked", 0, "orphaned", 0);
}

json_t *fake_evidence(const struct fake_meter *meter, const char *launch, int64_t started_ms,
                      int64_t ended_ms)
{
    json_t *evidence = fake_plan(started_ms / 1000, ended_ms / 1000 + 60);

    json_object_set_new(evidence, "launch", json_string(launch));
    json_object_set_new(evidence, "name", json_string("a test"));
    json_object_set_new(evidence, "demo", json_false());
    json_object_set_new(evidence, "issued_ms", json_integer(ended_ms));
    json_object_set_new(evidence, "meter", meter_json(meter));
    json_object_set_new(evidence, "instance",
                        json_pack("{s:s,s:I,s:I,s:i,s:I}", "id", "i-1", "started_ms",
                                  (json_int_t)started_ms, "ended_ms", (json_int_t)ended_ms,
                                  "exit_status", 0, "host_cpu_ms", (json_int_t)-1));
    return evidence;
}
