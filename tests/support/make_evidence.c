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

json_t *fake_shares_json(const char *zone, int64_t from_s, int64_t until_s, int64_t ppm)
{
    struct gl_series series = fake_series(zone, from_s, until_s, ppm, GL_FORECAST);
    json_t *json;

    series.meaning = (struct gl_meaning){.quantity = GL_RENEWABLE_SHARE, .trace = GL_FLOW_TRACED};
    series.issued_s = from_s;
    for (size_t i = 0; i < series.count; i++)
        series.points[i].low_u = series.points[i].high_u = ppm;
    json = gl_evidence_json(&series, from_s, until_s);
    free(series.points);
    return json;
}

static json_t *guarantee_json(int64_t from_s, int64_t until_s)
{
    return json_pack("{s:s,s:I,s:I,s:[{s:s,s:[{s:s,s:s}]}]}", "rule", "renewable_share >= 95%",
                     "from_s", (json_int_t)from_s, "until_s", (json_int_t)until_s, "rules", "id",
                     "renewable-only", "limits", "key", "min_renewable", "limit", "95%");
}

json_t *fake_plan(int64_t from_s, int64_t until_s)
{
    int64_t hour_s = from_s - from_s % 3600;

    return json_pack(
        "{s:i,s:{s:I},s:{s:I},s:{s:s,s:s,s:s,s:s,s:[s]},s:{s:s,s:i,s:i,s:i,s:i},s:[o,o],s:i,"
        "s:{s:[i,i,i],s:I,s:i},s:{s:i},s:o}",
        "method_version", 4, "request", "duration_s", (json_int_t)(until_s - from_s), "decision",
        "at_s", (json_int_t)from_s, "offer", "cloud", "file", "region", "here", "type", "small",
        "mapping", "agreed", "zones", "XX", "machine", "family", "epyc3", "threads_milli", 4000,
        "memory_mb", 8000, "gpu_count", 0, "gpu_watts", 0, "series",
        fake_series_json("XX", hour_s, until_s + 3600, 100000000),
        fake_shares_json("XX", hour_s, until_s + 3600, 980000), "pue_milli", 1200, "embodied",
        "platform_g", FAKE_PLATFORM_G / 2, FAKE_PLATFORM_G, 2 * FAKE_PLATFORM_G, "lifetime_s",
        (json_int_t)35040 * 3600, "share_ppm", 20833, "meter", "interval_ms", 1000, "guarantee",
        guarantee_json(from_s, until_s));
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
                        json_pack("{s:s,s:s,s:i,s:I,s:I,s:i,s:I}", "id", "i-1", "zone", "XX",
                                  "attempt", 1, "started_ms", (json_int_t)started_ms, "ended_ms",
                                  (json_int_t)ended_ms, "exit_status", 0, "host_cpu_ms",
                                  (json_int_t)-1));
    fake_tie(evidence);
    return evidence;
}

static const char *hash_of_json(const json_t *value, char out[GL_HASH_HEX])
{
    struct gl_error err = {0};
    char *text = gl_json_canonical(value, &err);
    struct gl_hash hash;

    gl_hash_of(text, strlen(text), &hash);
    free(text);
    return gl_hash_hex(&hash, out);
}

void fake_tie(json_t *evidence)
{
    static const char *const added[] = {"launch", "name", "demo", "issued_ms", "instance"};
    json_t *instance = json_object_get(evidence, "instance"), *plan = json_copy(evidence);
    char plan_hex[GL_HASH_HEX], token_hex[GL_HASH_HEX], order_hex[GL_HASH_HEX], text[512];
    struct gl_hash token;

    for (size_t i = 0; i < sizeof added / sizeof added[0]; i++)
        json_object_del(plan, added[i]);
    json_object_set_new(
        plan, "meter",
        json_pack("{s:O}", "interval_ms",
                  json_object_get(json_object_get(evidence, "meter"), "interval_ms")));
    hash_of_json(plan, plan_hex);
    hash_of_json(json_object_get(plan, "request"), order_hex); /* any hash will do */
    snprintf(
        text, sizeof text, "%s|%lld|%s|%s", json_string_value(json_object_get(evidence, "launch")),
        (long long)json_integer_value(json_object_get(instance, "attempt")), plan_hex, order_hex);
    gl_hash_of(text, strlen(text), &token);
    json_object_set_new(instance, "plan_sha256", json_string(plan_hex));
    json_object_set_new(instance, "order_sha256", json_string(order_hex));
    json_object_set_new(instance, "token", json_string(gl_hash_hex(&token, token_hex)));
    json_decref(plan);
}

void fake_method_1(json_t *evidence)
{
    static const char *const added[] = {"plan_sha256", "order_sha256", "zone", "attempt", "token"};
    json_t *guarantee = json_object_get(evidence, "guarantee");

    json_object_del(evidence, "method_version");
    json_object_del(evidence, "decision");
    json_object_del(json_object_get(evidence, "offer"), "zones");
    for (size_t i = 0; i < sizeof added / sizeof added[0]; i++)
        json_object_del(json_object_get(evidence, "instance"), added[i]);
    if (json_is_object(guarantee))
        json_object_del(guarantee, "rules");
}
