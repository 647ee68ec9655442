/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"
#include "base/http.h"
#include "base/world.h"
#include "policy/guarantee/history.h"
#include "providers/signal/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the archive asks of every adapter in the registry, whatever it is: how it files its data
 * sets, how it asks for the past, and that nothing of a bad answer is ever stored. */

#define FOLDER  "build/tmp/conformance_signal_archive"
#define ARCHIVE FOLDER "/archive"
#define NOW     INT64_C(1768047000) /* 2026-01-10T12:10Z */

/* Zones that together are covered by every network adapter of the registry. */
static const char *const zones[] = {"GB", "DE", "DK-DK1", "IS", "FR", "US-CAL-CISO", "SE-SE3"};

static const char *zone_of(const struct gl_signal_ops *ops)
{
    for (size_t i = 0; i < sizeof zones / sizeof zones[0]; i++)
        if (ops->covers(zones[i]))
            return zones[i];
    fail_msg("%s covers none of the zones of this suite", ops->name);
    return NULL;
}

typedef void check(const struct gl_signal_ops *ops);

static void for_each_network_adapter(check *run)
{
    size_t count;
    const struct gl_signal_ops *const *all = gl_signal_registry(&count);

    for (size_t i = 0; i < count; i++)
        if (all[i]->needs_network) {
            print_message("  %s\n", all[i]->name);
            run(all[i]);
        }
}

static void check_filing(const struct gl_signal_ops *ops)
{
    const struct gl_signal_filing *row = ops->filing;

    for (; row != NULL && row->dataset != NULL; row++) {
        assert_true(strlen(row->dataset) < sizeof((struct gl_series *)0)->dataset);
        assert_true(row->name[0] != '\0');
        assert_true(strlen(row->name) < sizeof((struct gl_series *)0)->dataset);
        assert_true(row->has_issues || row->has_actuals);
    }
}

static void test_filing(void **state)
{
    (void)state;
    for_each_network_adapter(check_filing);
}

/* ---- the past ---- */

static void past_url(const struct gl_signal_ops *ops, int64_t from_s, unsigned index, char *out,
                     size_t capacity, unsigned *out_count)
{
    struct gl_signal_query query = {
        .is_past = true, .from = {from_s}, .until = {from_s + ops->past_s}};

    snprintf(query.zone, sizeof query.zone, "%s", zone_of(ops));
    *out_count = ops->urls(&query, NULL, index, out, capacity);
}

static void check_past(const struct gl_signal_ops *ops)
{
    char url[512], again[512], next[512];
    unsigned count = 0, other = 0;

    assert_true(ops->past_s >= 0 && ops->past_s % 86400 == 0);
    if (ops->past_s == 0)
        return;
    past_url(ops, NOW - NOW % ops->past_s, 0, url, sizeof url, &count);
    assert_in_range(count, 1, 6);
    for (unsigned i = 0; i < count; i++) {
        past_url(ops, NOW - NOW % ops->past_s, i, url, sizeof url, &other);
        assert_int_equal(other, count);
        past_url(ops, NOW - NOW % ops->past_s, i, again, sizeof again, &other);
        past_url(ops, NOW - NOW % ops->past_s - ops->past_s, i, next, sizeof next, &other);
        assert_true(strlen(url) + 1 < sizeof url);
        assert_int_equal(strncmp(url, "https://", 8), 0);
        assert_string_equal(url, again);
        assert_string_not_equal(url, next);
    }
}

static void test_past(void **state)
{
    (void)state;
    for_each_network_adapter(check_past);
}

/* ---- bad answers leave nothing ---- */

struct liar {
    struct gl_http http;
    const char *body;
    int status;
    unsigned calls;
};

static int lie(struct gl_http *http, const struct gl_http_request *request,
               struct gl_http_reply *out, struct gl_error *err)
{
    struct liar *liar = (struct liar *)http;

    (void)err;
    liar->calls++;
    *out = (struct gl_http_reply){.status = liar->status, .retry_after_s = -1};
    if (strstr(request->url, "/login") != NULL) /* in, and then lied to */
        *out = (struct gl_http_reply){.status = 200, .retry_after_s = -1};
    out->body =
        gl_strdup(strstr(request->url, "/login") != NULL ? "{\"token\":\"invented\"}" : liar->body);
    out->body_length = strlen(out->body);
    return 0;
}

static void lie_close(struct gl_http *http)
{
    (void)http;
}

static const struct gl_http_ops liar_ops = {"liar", lie, lie_close};

/* Files of records below the archive's folder. */
static size_t count_files(void)
{
    DIR *dir = opendir(ARCHIVE);
    const struct dirent *entry;
    size_t count = 0;

    while (dir != NULL && (entry = readdir(dir)) != NULL)
        count +=
            strstr(entry->d_name, ".issues") != NULL || strstr(entry->d_name, ".actuals") != NULL;
    if (dir != NULL)
        closedir(dir);
    return count;
}

/* Of another zone or data set, of a unit it does not have, negative, ahead of time, empty, cut. */
static const char *const lies[] = {
    "",
    "{",
    "{}",
    "[]",
    "null",
    "<html>503</html>",
    "{\"error\":{\"code\":\"400\",\"message\":\"no\"}}",
    "{\"data\":[]}",
    "{\"data\":[{\"from\":\"2026-01-10T12:00Z\",\"to\":\"2026-01-10T12:30Z\",\"intensity\":"
    "{\"forecast\":-5,\"actual\":null}}]}",
    "{\"data\":[{\"from\":\"2026-01-10T11:00Z\",\"to\":\"2026-01-10T11:30Z\",\"intensity\":"
    "{\"forecast\":5,\"actual\":3001}},{\"from\":\"2026-01-10T11:30Z\",\"to\":"
    "\"2026-01-10T12:00Z\",\"intensity\":{\"forecast\":5,\"actual\":3001}}]}",
    "{\"data\":[{\"from\":\"2026-01-11T12:00Z\",\"to\":\"2026-01-11T12:30Z\",\"intensity\":"
    "{\"forecast\":5,\"actual\":6}},{\"from\":\"2026-01-11T12:30Z\",\"to\":\"2026-01-11T13:00Z\","
    "\"intensity\":{\"forecast\":5,\"actual\":6}}]}",
    "{\"data\":{\"regionid\":12,\"data\":[]}}",
    "{\"unix_seconds\":[1768042800,1768046400],\"share\":[50],\"ren_share\":[50]}",
    "{\"unix_seconds\":[1768042800,1768046400],\"share\":[-1,5],\"ren_share\":[-1,5]}",
    "{\"unix_seconds\":[1768042800,1768046400],\"share\":[\"x\",5],\"ren_share\":[\"x\",5]}",
    "{\"dataset\":\"CO2Emis\",\"records\":[{\"Minutes5UTC\":\"2026-01-10T11:00:00\",\"PriceArea\":"
    "\"DK2\",\"CO2Emission\":70.0}]}",
    "{\"dataset\":\"Elspotprices\",\"records\":[]}",
    "{\"zone\":\"US\",\"temporalGranularity\":\"hourly\",\"history\":[{\"datetime\":"
    "\"2026-01-10T10:00:00Z\",\"carbonIntensity\":300,\"value\":\"60\",\"isEstimated\":false}]}",
    "{\"data\":[{\"point_time\":\"2026-01-10T10:00:00+00:00\",\"value\":870}],\"meta\":"
    "{\"region\":\"CAISO_NORTH\",\"signal_type\":\"co2_moer\",\"units\":\"percentile\","
    "\"data_point_period_seconds\":300,\"model\":{\"date\":\"2026-01-01\"}}}",
    "[{\"location\":\"elsewhere\",\"time\":\"2026-01-10T10:00:00+00:00\",\"rating\":300,"
    "\"duration\":\"01:00:00\"}]",
    "<GL_MarketDocument><type>A75</type><process.processType>A16</process.processType><TimeSeries>"
    "<inBiddingZone_Domain.mRID>10YPL-AREA-----S</inBiddingZone_Domain.mRID>"
    "<quantity_Measure_Unit.name>MAW</quantity_Measure_Unit.name><MktPSRType><psrType>B19</psrType>"
    "</MktPSRType><Period><timeInterval><start>2026-01-10T10:00Z</start><end>2026-01-10T11:00Z</"
    "end>"
    "</timeInterval><resolution>PT60M</resolution><Point><position>1</position><quantity>5"
    "</quantity></Point></Period></TimeSeries></GL_MarketDocument>",
    "{\"response\":{\"total\":\"1\",\"frequency\":\"local-hourly\",\"data\":[{\"period\":"
    "\"2026-01-10T10\",\"respondent\":\"CISO\",\"fueltype\":\"SUN\",\"value\":\"5\","
    "\"value-units\":\"megawatthours\"}]}}",
    "{\"data\":[{\"entity_code\":\"FRA\",\"date\":\"2025\",\"emissions_intensity_gco2_per_kwh\":5}]"
    "}",
};

/* Secrets for whoever wants some, so that the question is really asked. */
struct secrets {
    char texts[4][64];
    const char *environment[5];
};

static void make_secrets(const struct gl_signal_ops *ops, struct secrets *out)
{
    static const char *const signing[] = {"OCI_CLI_TENANCY=invented", "OCI_CLI_USER=invented",
                                          "OCI_CLI_FINGERPRINT=11:22",
                                          "OCI_CLI_KEY_FILE=tests/vectors/identity/rsa.pem"};

    *out = (struct secrets){.environment = {NULL}};
    for (size_t i = 0; i < 4 && ops->keys != NULL && ops->keys[i].variable != NULL; i++) {
        snprintf(out->texts[i], sizeof out->texts[i], "%s=invented", ops->keys[i].variable);
        out->environment[i] = out->texts[i];
    }
    for (size_t i = 0; i < 4 && ops->signer != NULL; i++)
        out->environment[i] = signing[i];
}

static struct gl_signal_config config_of(const struct gl_signal_ops *ops)
{
    struct gl_signal_config config = {.name = ops->name};

    if (ops->needs_meaning)
        config = (struct gl_signal_config){.name = ops->name,
                                           .location = "place",
                                           .rate = "average",
                                           .boundary = "direct",
                                           .gases = "co2",
                                           .trace = "production",
                                           .unit = "g/kWh"};
    return config;
}

static void check_lie(const struct gl_signal_ops *ops, const char *body, int status)
{
    const struct gl_signal_config config = config_of(ops);
    struct liar liar = {.http = {.ops = &liar_ops}, .body = body, .status = status};
    struct secrets secrets;
    struct gl_world *world;
    struct gl_signal_query query = {.neso = "13",
                                    .from = {NOW},
                                    .until = {NOW + 3600},
                                    .wants_history = true,
                                    .wants_claims = true};
    struct gl_backfill ask = {.from = {NOW - 86400}, .until = {NOW}};
    struct gl_backfill_result result;
    struct gl_error err = {0};
    struct gl_signal_store *store;

    make_secrets(ops, &secrets);
    world = gl_world_fixed_new(NOW * 1000, 1, secrets.environment);
    world->http = &liar.http;
    store = gl_signal_store_new(&(struct gl_signal_store_options){
        .world = world, .archive_folder = ARCHIVE, .sources = &config, .source_count = 1});
    snprintf(query.zone, sizeof query.zone, "%s", zone_of(ops));
    assert_int_equal(gl_signal_store_zone(store, &query)->history_count, 0);
    assert_true(liar.calls > 0);
    ask.zone = query.zone;
    gl_signal_backfill(store, &ask, &result, &err);
    assert_int_equal(result.hours + result.revisions, 0);
    assert_int_equal(count_files(), 0);
    gl_signal_store_free(store);
    gl_world_fixed_free(world);
}

static void check_lies(const struct gl_signal_ops *ops)
{
    struct gl_error err = {0};

    assert_int_equal(gl_dir_remove(FOLDER, &err), 0);
    for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++)
        check_lie(ops, lies[i], 200);
    check_lie(ops, "", 410);
    check_lie(ops, "", 404);
    check_lie(ops, "", 500);
}

static void test_bad_answers_leave_nothing(void **state)
{
    (void)state;
    for_each_network_adapter(check_lies);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_filing),
        cmocka_unit_test(test_past),
        cmocka_unit_test(test_bad_answers_leave_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
