/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"
#include "base/json.h"
#include "base/time.h"
#include "providers/signal/signal.h"
#include "tests/conformance/signal_answers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What providers/signal/signal.h asks, of every adapter in the registry. One without a row in
 * probes[] fails: add it together with its vectors. */

#define FOLDER "build/tmp/conformance_signal"
#define SERIES FOLDER "/series"

struct probe {
    const char *name;
    const char *zone; /* one that it covers */
    const char *neso;
    const struct gl_signal_config *config;
    const char *good[6];        /* vector folders of a good answer to each request */
    const char *const *figures; /* members that hold figures */
    const char *const *times;   /* members that hold times */
    const char *wrong_zone;     /* vector of an answer for another zone; NULL: none is echoed */
    const char *body;           /* file of the answers; NULL: body.json */
};

static const char *const neso_figures[] = {"forecast", "actual", "perc", NULL};
static const char *const neso_times[] = {"from", "to", NULL};
static const char *const charts_figures[] = {"share", "ren_share", NULL};
static const char *const charts_times[] = {"unix_seconds", NULL};
static const char *const danish_figures[] = {"CO2Emission", NULL};
static const char *const danish_times[] = {"Minutes5UTC", NULL};
static const char *const file_figures[] = {"value", NULL};
static const char *const file_times[] = {"from", "until", NULL};

static const char *const maps_figures[] = {"carbonIntensity", "value", NULL};
static const char *const maps_times[] = {"datetime", NULL};
static const char *const watttime_figures[] = {"value", NULL};
static const char *const watttime_times[] = {"point_time", NULL};
static const char *const aware_figures[] = {"rating", "value", NULL};
static const char *const aware_times[] = {"time", "timestamp", NULL};
static const struct gl_signal_config aware = {.name = "carbon-aware-sdk",
                                              .zone = "DE",
                                              .location = "germanywestcentral",
                                              .rate = "average",
                                              .boundary = "lifecycle",
                                              .gases = "co2e",
                                              .trace = "consumption_flow_traced",
                                              .unit = "g/kWh"};

static const char *const european_figures[] = {"quantity", NULL};
static const char *const european_times[] = {"start", "end", NULL};
static const char *const american_figures[] = {"value", NULL};
static const char *const american_times[] = {"period", NULL};
static const char *const ember_figures[] = {"emissions_intensity_gco2_per_kwh",
                                            "share_of_generation_pct", NULL};
static const char *const ember_times[] = {"date", NULL};

static const char *const oracle_figures[] = {"usage", NULL};
static const struct gl_signal_config frankfurt = {
    .name = "oracle", .zone = "DE", .location = "eu-frankfurt-1"};

static const struct probe probes[] = {
    {.name = "builtin", .zone = "DE"},
    {.name = "file",
     .zone = "DE",
     .good = {"json_series"},
     .figures = file_figures,
     .times = file_times},
    {.name = "neso",
     .zone = "GB",
     .neso = "13",
     .good = {"region_object", "national", "generation_object"},
     .figures = neso_figures,
     .times = neso_times,
     .wrong_zone = "region_other"},
    {.name = "energy-charts",
     .zone = "DE",
     .good = {"signal", "forecast"},
     .figures = charts_figures,
     .times = charts_times},
    {.name = "energinet",
     .zone = "DK-DK1",
     .good = {"history", "forecast"},
     .figures = danish_figures,
     .times = danish_times,
     .wrong_zone = "other_area"},
    {.name = "electricity-maps",
     .zone = "DE",
     .good = {"history", "forecast", "renewable_history", "renewable_forecast",
              "carbon_free_history", "carbon_free_forecast"},
     .figures = maps_figures,
     .times = maps_times,
     .wrong_zone = "caller_zone"},
    {.name = "watttime",
     .zone = "DE",
     .good = {"forecast"},
     .figures = watttime_figures,
     .times = watttime_times,
     .wrong_zone = "region_other"},
    {.name = "carbon-aware-sdk",
     .zone = "DE",
     .config = &aware,
     .good = {"emissions", "forecast"},
     .figures = aware_figures,
     .times = aware_times,
     .wrong_zone = "location_other"},
    {.name = "entsoe",
     .zone = "FR",
     .good = {"generation"},
     .figures = european_figures,
     .times = european_times,
     .wrong_zone = "other_area",
     .body = "body.xml"},
    {.name = "eia",
     .zone = "US-CAL-CISO",
     .good = {"hours"},
     .figures = american_figures,
     .times = american_times,
     .wrong_zone = "other_respondent"},
    {.name = "ember",
     .zone = "DE",
     .good = {"intensity_yearly", "shares_yearly", "intensity_monthly", "shares_monthly"},
     .figures = ember_figures,
     .times = ember_times,
     .wrong_zone = "other_country"},
    {.name = "oracle",
     .zone = "DE",
     .config = &frankfurt,
     .good = {"region"},
     .figures = oracle_figures, /* it states no times */
     .wrong_zone = "other_region"},
};

static const struct probe *probe_of(const struct gl_signal_ops *ops)
{
    for (size_t i = 0; i < sizeof probes / sizeof probes[0]; i++)
        if (strcmp(probes[i].name, ops->name) == 0)
            return &probes[i];
    fail_msg("%s has no row in tests/conformance/test_signal.c", ops->name);
    return NULL;
}

typedef void check(const struct gl_signal_ops *ops, const struct probe *probe);

static void for_each_adapter(check *run)
{
    size_t count;
    const struct gl_signal_ops *const *all = gl_signal_registry(&count);

    assert_true(count > 0);
    for (size_t i = 0; i < count; i++) {
        print_message("  %s\n", all[i]->name);
        run(all[i], probe_of(all[i]));
    }
}

static struct gl_signal_query query_of(const struct probe *probe)
{
    struct gl_signal_query query = {.neso = probe->neso,
                                    .from = {NOW - 600},
                                    .until = {NOW + 3600},
                                    .config = probe->config,
                                    .wants_claims = true};

    snprintf(query.zone, sizeof query.zone, "%s", probe->zone);
    return query;
}

static unsigned requests_of(const struct gl_signal_ops *ops, const struct probe *probe)
{
    struct gl_signal_query query = query_of(probe);
    char url[512];

    return ops->urls != NULL ? ops->urls(&query, NULL, 0, url, sizeof url) : 1;
}

/* ---- words ---- */

static void check_words(const struct gl_signal_ops *ops, const struct probe *probe)
{
    (void)probe;
    assert_true(ops->name[0] != '\0' && strlen(ops->name) < 24);
    assert_true(ops->title[0] != '\0' && ops->homepage[0] != '\0');
    assert_true(ops->attribution[0] != '\0' && strlen(ops->attribution) < 96);
    assert_true(ops->licence[0] != '\0' && strlen(ops->licence) < 40);
    assert_non_null(ops->covers);
    if (ops->needs_network) {
        assert_true(ops->urls != NULL && ops->parse != NULL);
        assert_null(ops->read);
    } else {
        assert_non_null(ops->read);
        assert_true(ops->urls == NULL && ops->parse == NULL);
    }
}

static void test_words(void **state)
{
    (void)state;
    for_each_adapter(check_words);
}

/* ---- zones ---- */

static void check_covers(const struct gl_signal_ops *ops, const struct probe *probe)
{
    static const char *const never[] = {
        "",      " ",      "no such zone", "DE\n",
        "../DE", "DE?x=1", "%00",          "A-ZONE-NAME-THAT-IS-LONGER-THAN-ANY-ZONE-NAME-THERE-IS",
    };

    assert_true(ops->covers(probe->zone));
    for (size_t i = 0; i < sizeof never / sizeof never[0]; i++)
        assert_false(ops->covers(never[i]));
    if (strcmp(ops->name, "file") != 0) /* a user may name a zone as they like */
        assert_false(ops->covers("XX-NOWHERE"));
}

static void test_covers(void **state)
{
    (void)state;
    for_each_adapter(check_covers);
}

/* ---- URLs ---- */

static void check_url_of(const struct gl_signal_ops *ops, const struct gl_signal_query *query)
{
    char url[512], again[512], tiny[16];
    unsigned count = ops->urls(query, NULL, 0, url, sizeof url);

    assert_in_range(count, 1, 6);
    for (unsigned i = 0; i < count; i++) {
        assert_int_equal(ops->urls(query, NULL, i, url, sizeof url), count);
        assert_int_equal(ops->urls(query, NULL, i, again, sizeof again), count);
        assert_string_equal(url, again);
        assert_int_equal(strncmp(url, "https://", 8), 0);
        assert_true(strlen(url) < sizeof url - 1);
        for (const char *c = url; *c != '\0'; c++)
            assert_true(*c > ' ' && *c < 0x7f);
        ops->urls(query, NULL, i, tiny, sizeof tiny);
        assert_true(strlen(tiny) < sizeof tiny);
        ops->urls(query, "http://127.0.0.1:9", i, url, sizeof url);
        assert_int_equal(strncmp(url, "http://127.0.0.1:9/", 19), 0);
    }
}

static void check_urls(const struct gl_signal_ops *ops, const struct probe *probe)
{
    static const int64_t times[] = {0, 1, NOW, NOW + 86399, INT64_C(253402300799)};
    struct gl_signal_query query = query_of(probe);

    if (ops->urls == NULL)
        return;
    for (size_t from = 0; from < sizeof times / sizeof times[0]; from++)
        for (size_t until = 0; until < sizeof times / sizeof times[0]; until++) {
            query.from.unix_s = times[from];
            query.until.unix_s = times[until];
            query.neso = NULL;
            check_url_of(ops, &query);
            query.neso = "x&y/../ z";
            check_url_of(ops, &query);
            query.neso = probe->neso;
            check_url_of(ops, &query);
        }
}

static void test_urls(void **state)
{
    (void)state;
    for_each_adapter(check_urls);
}

/* ---- answers ---- */

/* Give an answer to the adapter: its parser, or a file of these bytes. The result is tidied. */
static int give(const struct gl_signal_ops *ops, const struct probe *probe, unsigned request,
                struct gl_view bytes, struct gl_signal_result *result, struct gl_error *err)
{
    const struct gl_signal_config config = {.name = ops->name, .path = SERIES, .zone = "DE"};
    struct gl_signal_query query = query_of(probe);
    struct gl_world *world = gl_world_fixed_new(NOW * 1000, 1, NULL);
    int rc;

    *result = (struct gl_signal_result){0};
    *err = (struct gl_error){0};
    if (ops->parse != NULL) {
        rc = ops->parse(&query, request, bytes.text, bytes.length, (struct gl_instant){NOW}, result,
                        err);
    } else {
        struct gl_error ignored = {0};

        assert_int_equal(gl_file_write(SERIES, bytes.text, bytes.length, 0600, &ignored), 0);
        rc = ops->read(&query, &config, world, result, err);
    }
    gl_world_fixed_free(world);
    assert_int_equal(rc == 0, err->code == GL_OK);
    if (rc != 0)
        assert_int_equal(result->count, 0);
    for (size_t i = 0; i < result->count; i++)
        gl_series_tidy(&result->series[i], (struct gl_instant){NOW});
    return rc;
}

/* Nothing usable may come of these bytes. */
static void check_useless(const struct gl_signal_ops *ops, const struct probe *probe,
                          unsigned request, struct gl_view bytes)
{
    struct gl_signal_result result;
    struct gl_error err;

    give(ops, probe, request, bytes, &result, &err);
    if (has_usable(&result))
        fail_msg("%s took a figure from: %.*s", ops->name,
                 (int)(bytes.length < 200 ? bytes.length : 200), bytes.text);
    gl_signal_result_done(&result);
}

static void check_hostile(const struct gl_signal_ops *ops, const struct probe *probe)
{
    if (probe->good[0] == NULL)
        return;
    for (unsigned request = 0; request < requests_of(ops, probe); request++)
        for (size_t i = 0; i < sizeof hostile / sizeof hostile[0]; i++)
            check_useless(ops, probe, request, view(hostile[i]));
}

static void test_hostile(void **state)
{
    (void)state;
    for_each_adapter(check_hostile);
}

static void check_large(const struct gl_signal_ops *ops, const struct probe *probe)
{
    size_t length = ((size_t)8 << 20) + 1024;
    char *bytes = gl_alloc(length + 1);
    struct gl_signal_result result;
    struct gl_error err;

    memset(bytes, ' ', length);
    bytes[0] = '{';
    bytes[length - 1] = '}';
    for (unsigned request = 0; probe->good[0] && request < requests_of(ops, probe); request++) {
        assert_int_equal(give(ops, probe, request, (struct gl_view){bytes, length}, &result, &err),
                         -1);
        assert_int_equal(err.code, GL_E_TOO_LARGE);
    }
    free(bytes);
}

static void test_large(void **state)
{
    (void)state;
    for_each_adapter(check_large);
}

static void check_deep(const struct gl_signal_ops *ops, const struct probe *probe)
{
    struct gl_str text = {0};

    gl_str_add(&text, "{\"data\":");
    for (int i = 0; i < 200000; i++)
        gl_str_add(&text, "[");
    for (unsigned request = 0; probe->good[0] && request < requests_of(ops, probe); request++)
        check_useless(ops, probe, request, view(gl_str_text(&text)));
    gl_str_done(&text);
}

static void test_deep(void **state)
{
    (void)state;
    for_each_adapter(check_deep);
}

/* ---- good answers, and good ones made bad ---- */

static char *load(const struct probe *probe, const char *folder, size_t *out_length)
{
    struct gl_error err = {0};
    char path[256], *bytes;

    snprintf(path, sizeof path, "tests/vectors/signal/%s/%s/%s", probe->name, folder,
             probe->body != NULL ? probe->body : "body.json");
    if (gl_file_read(path, 1 << 20, &bytes, out_length, &err))
        fail_msg("%s", err.text);
    return bytes;
}

static void check_good(const struct gl_signal_ops *ops, const struct probe *probe)
{
    for (unsigned request = 0; request < requests_of(ops, probe); request++) {
        struct gl_signal_result result;
        struct gl_error err;
        size_t length = 0;
        char *bytes = probe->good[0] ? load(probe, probe->good[request], &length) : gl_strdup("");

        if (give(ops, probe, request, (struct gl_view){bytes, length}, &result, &err))
            fail_msg("%s: %s", ops->name, err.text);
        assert_true(result.count > 0);
        for (size_t i = 0; i < result.count; i++)
            check_contract(&result.series[i], probe->zone, probe->name);
        gl_signal_result_done(&result);
        free(bytes);
    }
}

static void test_good(void **state)
{
    (void)state;
    for_each_adapter(check_good);
}

/* Cut at every byte: never a figure. */
static void check_truncated(const struct gl_signal_ops *ops, const struct probe *probe)
{
    for (unsigned request = 0; probe->good[0] && request < requests_of(ops, probe); request++) {
        size_t length;
        char *bytes = load(probe, probe->good[request], &length);

        while (length > 0 && strchr(" \n", bytes[length - 1]) != NULL)
            length--;
        for (size_t cut = 0; cut < length; cut++) {
            char *part = gl_alloc(cut + 1);

            memcpy(part, bytes, cut);
            check_useless(ops, probe, request, (struct gl_view){part, cut});
            free(part);
        }
        free(bytes);
    }
}

static void test_truncated(void **state)
{
    (void)state;
    for_each_adapter(check_truncated);
}

static void check_elements(const struct gl_signal_ops *ops, const struct probe *probe,
                           const char *const *names, const char *value)
{
    size_t length;
    char *bytes = load(probe, probe->good[0], &length);
    char *text = replace_elements(bytes, names, value);

    assert_string_not_equal(text, bytes);
    check_useless(ops, probe, 0, view(text));
    free(text);
    free(bytes);
}

static void check_replaced(const struct gl_signal_ops *ops, const struct probe *probe,
                           const char *const *names, const char *value_text)
{
    if (probe->body != NULL) {
        check_elements(ops, probe, names, value_text);
        return;
    }
    for (unsigned request = 0; probe->good[0] && request < requests_of(ops, probe); request++) {
        struct gl_error err = {0};
        size_t length;
        char *bytes = load(probe, probe->good[request], &length), *text;
        json_t *root = gl_json_parse(bytes, length, "vector", &err);
        json_t *value = json_loads(value_text, JSON_DECODE_ANY, NULL);

        assert_true(root != NULL && value != NULL);
        assert_true(replace(root, names, value) > 0);
        text = json_dumps(root, JSON_COMPACT);
        check_useless(ops, probe, request, view(text));
        json_decref(root);
        json_decref(value);
        free(text);
        free(bytes);
    }
}

static void check_bad_figures(const struct gl_signal_ops *ops, const struct probe *probe)
{
    static const char *const values[] = {
        "-1",   "-0.001",   "\"-1\"",   "\"NaN\"", "\"nan\"", "\"inf\"", "\"-Infinity\"",
        "1e15", "99999999", "true",     "\"abc\"", "\"\"",    "null",    "{}",
        "[1]",  "\"0x10\"", "\"12,5\"",
    };

    for (size_t i = 0; probe->figures != NULL && i < sizeof values / sizeof values[0]; i++)
        check_replaced(ops, probe, probe->figures, values[i]);
}

static void test_bad_figures(void **state)
{
    (void)state;
    for_each_adapter(check_bad_figures);
}

static void check_bad_times(const struct gl_signal_ops *ops, const struct probe *probe)
{
    static const char *const values[] = {
        "\"\"", "\"now\"", "\"10.01.2026 12:00\"", "\"2026-13-01T00:00Z\"",  "true", "{}", "[]",
        "-1",   "1e20",    "9223372036854775807",  "\"99999-01-01T00:00Z\"",
    };

    if (probe->times == NULL)
        return;
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
        check_replaced(ops, probe, probe->times, values[i]);
}

static void test_bad_times(void **state)
{
    (void)state;
    for_each_adapter(check_bad_times);
}

static void check_wrong_zone(const struct gl_signal_ops *ops, const struct probe *probe)
{
    size_t length;
    char *bytes;

    if (probe->wrong_zone == NULL)
        return;
    bytes = load(probe, probe->wrong_zone, &length);
    check_useless(ops, probe, 0, (struct gl_view){bytes, length});
    free(bytes);
}

static void test_wrong_zone(void **state)
{
    (void)state;
    for_each_adapter(check_wrong_zone);
}

/* A second tidying changes nothing. */
static void check_tidy_twice(const struct gl_signal_ops *ops, const struct probe *probe)
{
    for (unsigned request = 0; probe->good[0] && request < requests_of(ops, probe); request++) {
        struct gl_signal_result result;
        struct gl_error err;
        size_t length;
        char *bytes = load(probe, probe->good[request], &length);

        assert_int_equal(give(ops, probe, request, (struct gl_view){bytes, length}, &result, &err),
                         0);
        for (size_t i = 0; i < result.count; i++)
            check_tidied(&result.series[i]);
        gl_signal_result_done(&result);
        free(bytes);
    }
}

static void test_tidy_twice(void **state)
{
    (void)state;
    for_each_adapter(check_tidy_twice);
}

static int set_up(void **state)
{
    struct gl_error err = {0};

    (void)state;
    return gl_dir_make(FOLDER, &err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words),       cmocka_unit_test(test_covers),
        cmocka_unit_test(test_urls),        cmocka_unit_test(test_good),
        cmocka_unit_test(test_hostile),     cmocka_unit_test(test_large),
        cmocka_unit_test(test_deep),        cmocka_unit_test(test_truncated),
        cmocka_unit_test(test_bad_figures), cmocka_unit_test(test_bad_times),
        cmocka_unit_test(test_wrong_zone),  cmocka_unit_test(test_tidy_twice),
    };

    return cmocka_run_group_tests(tests, set_up, NULL);
}
