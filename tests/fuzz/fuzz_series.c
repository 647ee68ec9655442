/* SPDX-License-Identifier: Apache-2.0 */
/* Series files and live answers from arbitrary bytes. The first byte picks the reader: c and j a
 * CSV and a JSON file, n, r and g the three NESO answers, s and f those of Energy-Charts, h and p
 * those of Energinet, m and k history and forecast of Electricity Maps, l its renewable share, w
 * and W those of WattTime, a and A those of the Carbon Aware SDK, o the one of Oracle; any other is
 * a CSV file. Whatever comes out must be fit to be judged. */
#include "providers/signal/file_part.h"

#include <stdlib.h>
#include <string.h>

#define NOW  INT64_C(1768047000)
#define PAST 100 /* added to the number of a request for past actuals */

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void check_series(struct gl_series *series)
{
    gl_series_tidy(series, (struct gl_instant){NOW});
    must(series->zone[0] != '\0' && series->provider[0] != '\0');
    must(series->meaning.quantity != GL_INTENSITY || series->meaning.share_of == 0);
    /* A provider's claim alone may leave open what it counts. */
    must(series->meaning.quantity == GL_INTENSITY || series->meaning.share_of != 0 ||
         series->meaning.accounting == GL_MARKET);
    for (size_t i = 0; i < series->count; i++) {
        const struct gl_point *point = &series->points[i];

        must(point->from_s < point->until_s);
        must(i == 0 || point->from_s >= series->points[i - 1].until_s);
        must(point->value_u != GL_UNKNOWN);
        must(series->is_suspect || point->value_u >= 0);
        must(series->is_suspect || point->value_u <= INT64_C(3000000000));
        must(series->is_suspect || point->low_u == GL_UNKNOWN || point->low_u <= point->value_u);
        must(series->is_suspect || point->high_u == GL_UNKNOWN || point->high_u >= point->value_u);
    }
}

static void check(struct gl_signal_result *result)
{
    for (size_t i = 0; i < result->count; i++)
        check_series(&result->series[i]);
    gl_signal_result_done(result);
}

static void read_file(char *bytes, size_t length, bool is_json)
{
    const struct gl_signal_label label = {
        .ops = &gl_signal_file, .zone = "DE", .dataset = "fuzz", .retrieved = {NOW}};
    struct gl_file_set set = {.label = &label};
    struct gl_error err = {0};
    int rc;

    if (strlen(bytes) != length)
        return; /* binary: refused before it gets here */
    rc = is_json ? gl_file_read_json(bytes, length, "fuzz", &set, &err)
                 : gl_file_read_csv(bytes, "fuzz", &set, &err);
    must((rc == 0) == (err.code == GL_OK));
    for (size_t i = 0; rc == 0 && i < set.result.count; i++)
        rc = gl_series_close(&set.result.series[i], 86400, &err);
    if (rc == 0)
        check(&set.result);
    gl_file_set_done(&set);
}

static void parse_answer(const struct gl_signal_ops *ops, const char *zone, unsigned request,
                         struct gl_view bytes)
{
    static const struct gl_signal_config told = {.name = "carbon-aware-sdk",
                                                 .location = "place",
                                                 .rate = "average",
                                                 .boundary = "direct",
                                                 .gases = "co2",
                                                 .trace = "production",
                                                 .unit = "lb/MWh"};
    struct gl_signal_query query = {.neso = "13",
                                    .from = {NOW},
                                    .until = {NOW + 3600},
                                    .is_past = request >= PAST,
                                    .config = ops->needs_meaning ? &told : NULL};
    struct gl_signal_result result = {0};
    struct gl_error err = {0};
    int rc;

    memcpy(query.zone, zone, strlen(zone) + 1);
    request %= PAST;
    rc = ops->parse(&query, request, bytes.text, bytes.length, (struct gl_instant){NOW}, &result,
                    &err);
    must((rc == 0) == (err.code == GL_OK));
    must(rc == 0 || result.count == 0);
    check(&result);
}

static void run(char which, char *bytes, size_t length)
{
    static const struct {
        char which;
        const struct gl_signal_ops *ops;
        const char *zone;
        unsigned request;
    } answers[] = {
        {'r', &gl_signal_neso, "GB", 0},
        {'n', &gl_signal_neso, "GB", 1},
        {'g', &gl_signal_neso, "GB", 2},
        {'s', &gl_signal_energy_charts, "DE", 0},
        {'f', &gl_signal_energy_charts, "DE", 1},
        {'h', &gl_signal_energinet, "DK-DK1", 0},
        {'p', &gl_signal_energinet, "DK-DK1", 1},
        {'m', &gl_signal_electricity_maps, "DE", 0},
        {'k', &gl_signal_electricity_maps, "DE", 1},
        {'l', &gl_signal_electricity_maps, "DE", 2},
        {'w', &gl_signal_watttime, "DE", 0},
        {'W', &gl_signal_watttime, "DE", PAST},
        {'a', &gl_signal_carbon_aware, "DE", 0},
        {'A', &gl_signal_carbon_aware, "DE", 1},
        {'o', &gl_signal_oracle, "DE", 0},
    };

    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++)
        if (answers[i].which == which) {
            parse_answer(answers[i].ops, answers[i].zone, answers[i].request,
                         (struct gl_view){bytes, length});
            return;
        }
    read_file(bytes, length, which == 'j');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *bytes;

    if (size == 0)
        return 0;
    bytes = gl_alloc(size);
    memcpy(bytes, data + 1, size - 1); /* gl_alloc() zeroes: the NUL is there */
    run((char)data[0], bytes, size - 1);
    free(bytes);
    return 0;
}
