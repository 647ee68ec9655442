/* SPDX-License-Identifier: Apache-2.0 */
/* Grids of a simulated day: nothing is known before its time, a seed gives the same bytes, and
 * everything says that it is simulated. */
#include "broker/evidence.h"
#include "broker/sim/sim_grid.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define DAY_S INT64_C(86400)

/* Everything that facts say, as text. */
static char *facts_text(const struct gl_sim_grid *grid)
{
    struct gl_str text = {0};

    for (size_t z = 0; z < gl_sim_grid_zones(grid); z++) {
        const struct gl_zone_facts *facts = gl_sim_grid_facts(grid, z);

        for (size_t s = 0; s < facts->count; s++) {
            const struct gl_actuals *actuals = &facts->histories[s]->actuals;
            json_t *json = gl_evidence_json(facts->series[s], 0, INT64_MAX);
            char *series = json_dumps(json, JSON_SORT_KEYS);

            gl_str_addf(&text, "%s\n%zu", series, actuals->count);
            for (size_t i = 0; i < actuals->count; i++)
                gl_str_addf(&text, " %d:%a", actuals->state[i], (double)actuals->value[i]);
            free(series);
            json_decref(json);
        }
    }
    return gl_str_take(&text);
}

static char *invented_text(uint64_t seed, bool has_spike, int64_t after_s)
{
    struct gl_sim_grid *grid = gl_sim_grid_invent(seed, has_spike);
    char *text;

    gl_sim_grid_advance(grid, gl_sim_grid_day_s(grid) + after_s);
    text = facts_text(grid);
    gl_sim_grid_free(grid);
    return text;
}

static void test_same_seed_same_bytes(void **state)
{
    char *a = invented_text(3, true, 7200), *b = invented_text(3, true, 7200);
    char *c = invented_text(4, true, 7200);

    (void)state;
    assert_string_equal(a, b);
    assert_string_not_equal(a, c);
    free(a);
    free(b);
    free(c);
}

/* The spike begins at nine; its first hour is known an hour after it is over. */
static void test_nothing_is_known_early(void **state)
{
    static const struct {
        int64_t after_s;
        bool is_known;
    } looks[] = {{0, false}, {10 * 3600, false}, {11 * 3600 - 1, false}, {11 * 3600, true}};

    (void)state;
    for (size_t i = 0; i < sizeof looks / sizeof looks[0]; i++) {
        char *with = invented_text(3, true, looks[i].after_s);
        char *without = invented_text(3, false, looks[i].after_s);

        assert_int_equal(strcmp(with, without) != 0, looks[i].is_known);
        free(with);
        free(without);
    }
}

static void test_what_is_known_is_true(void **state)
{
    struct gl_sim_grid *grid = gl_sim_grid_invent(5, true);
    int64_t day_s = gl_sim_grid_day_s(grid), now_s = day_s + 15 * 3600 + 1800;

    (void)state;
    for (int64_t at_s = day_s; at_s <= now_s; at_s += 1800)
        gl_sim_grid_advance(grid, at_s);
    gl_sim_grid_advance(grid, day_s); /* never back */
    for (size_t z = 0; z < gl_sim_grid_zones(grid); z++) {
        const struct gl_zone_facts *facts = gl_sim_grid_facts(grid, z);
        const struct gl_history *history = facts->histories[0];
        const struct gl_series *series = facts->series[0];
        size_t forecasts = 0;

        assert_int_equal(history->newest_actual_s, day_s + 13 * 3600);
        assert_int_equal(history->actual_count, GL_SIM_DAYS_KNOWN * 24 + 14);
        assert_int_equal(history->known_s, now_s);
        for (size_t i = 0; i < series->count; i++) {
            const struct gl_point *point = &series->points[i];

            if (point->evidence == GL_FORECAST) {
                assert_true(point->from_s >= day_s + 15 * 3600);
                forecasts++;
                continue;
            }
            assert_true(point->until_s <= day_s + 14 * 3600);
            assert_int_equal(point->value_u, gl_sim_grid_truth(grid, z, point->from_s));
            assert_true(point->updated_s <= now_s);
        }
        assert_int_equal(forecasts, GL_SIM_AHEAD_H);
    }
    gl_sim_grid_free(grid);
}

static void expect_marks(const struct gl_sim_grid *grid)
{
    for (size_t z = 0; z < gl_sim_grid_zones(grid); z++) {
        const struct gl_zone_facts *facts = gl_sim_grid_facts(grid, z);

        for (size_t s = 0; s < facts->count; s++) {
            assert_string_equal(facts->series[s]->provider, "simulated");
            assert_memory_equal(facts->series[s]->dataset, "SIMULATED ", 10);
            assert_string_equal(facts->series[s]->attribution, "SIMULATED");
            assert_string_equal(facts->histories[s]->provider, "simulated");
            assert_memory_equal(facts->histories[s]->dataset, "SIMULATED ", 10);
        }
    }
}

static void test_all_is_marked(void **state)
{
    struct gl_sim_grid *grid = gl_sim_grid_invent(1, true);

    (void)state;
    for (size_t z = 0; z < gl_sim_grid_zones(grid); z++)
        assert_memory_equal(gl_sim_grid_zone(grid, z), "simulated-", 10);
    expect_marks(grid);
    gl_sim_grid_free(grid);
}

/* ---- weather that could be ---- */

static void test_grids_are_plausible(void **state)
{
    struct gl_sim_grid *grid = gl_sim_grid_invent(11, false);
    int64_t from_s = gl_sim_grid_day_s(grid) - GL_SIM_DAYS_KNOWN * DAY_S;
    double mean[2] = {0}, noon = 0, midnight = 0;
    size_t fjord = gl_sim_grid_find(grid, "simulated-fjord");
    size_t basin = gl_sim_grid_find(grid, "simulated-basin");
    size_t dune = gl_sim_grid_find(grid, "simulated-dune");

    (void)state;
    for (int64_t h = 0; h < GL_SIM_DAYS_KNOWN * 24; h++) {
        double dune_g = (double)gl_sim_grid_truth(grid, dune, from_s + h * 3600) / 1e6;

        mean[0] += (double)gl_sim_grid_truth(grid, fjord, from_s + h * 3600) / 1e6;
        mean[1] += (double)gl_sim_grid_truth(grid, basin, from_s + h * 3600) / 1e6;
        noon += h % 24 == 12 ? dune_g : 0;
        midnight += h % 24 == 0 ? dune_g : 0;
    }
    assert_true(mean[0] / (GL_SIM_DAYS_KNOWN * 24) < 100);
    assert_true(mean[1] / (GL_SIM_DAYS_KNOWN * 24) > 400);
    assert_true(2 * noon < midnight); /* the sun is seen */
    assert_int_equal(gl_sim_grid_truth(grid, 0, from_s - 1), GL_UNKNOWN);
    gl_sim_grid_free(grid);
}

static void test_the_spike_is_one(void **state)
{
    struct gl_sim_grid *with = gl_sim_grid_invent(11, true);
    struct gl_sim_grid *without = gl_sim_grid_invent(11, false);
    int64_t day_s = gl_sim_grid_day_s(with);

    (void)state;
    for (size_t z = 0; z < gl_sim_grid_zones(with); z++)
        for (int64_t h = -48; h < 24; h++) {
            int64_t hit = gl_sim_grid_truth(with, z, day_s + h * 3600);
            int64_t calm = gl_sim_grid_truth(without, z, day_s + h * 3600);

            if (z == 1 && h >= 9 && h < 12)
                assert_true(hit > calm);
            else
                assert_int_equal(hit, calm);
        }
    gl_sim_grid_free(with);
    gl_sim_grid_free(without);
}

/* ---- recordings ---- */

static void write_trace(char *path, int days, int hours_of_second)
{
    int fd = mkstemp(path);
    FILE *file = fdopen(fd, "w");

    assert_non_null(file);
    fputs("from,zone,quantity,unit,value,boundary\n", file);
    for (int h = 0; h < days * 24; h++) {
        int day = h / 24, month = 1 + day / 28;

        fprintf(file, "2025-%02d-%02dT%02d:00Z,AA,carbon_intensity,g/kWh,%d,direct\n", month,
                day % 28 + 1, h % 24, 100 + h % 24);
        if (h < hours_of_second)
            fprintf(file, "2025-%02d-%02dT%02d:00Z,BB,carbon_intensity,g/kWh,%d,direct\n", month,
                    day % 28 + 1, h % 24, 300);
    }
    fclose(file);
}

static void test_recording(void **state)
{
    char path[] = "/tmp/gl-sim-trace-XXXXXX";
    struct gl_world *world = gl_world_fixed_new(INT64_C(1800000000000), 1, NULL);
    struct gl_error err = {0};
    struct gl_sim_grid *grid;
    int64_t day_s;

    (void)state;
    write_trace(path, 26 * 7, 26 * 7 * 24 - 1); /* the second lacks the last hour */
    grid = gl_sim_grid_of_file(path, world, &err);
    if (grid == NULL)
        fail_msg("%s", err.text);
    day_s = gl_sim_grid_day_s(grid);
    assert_int_equal(gl_sim_grid_zones(grid), 1);
    assert_string_equal(gl_sim_grid_zone(grid, 0), "AA");
    assert_int_equal(gl_sim_grid_boundary(grid), GL_DIRECT);
    assert_int_equal(gl_sim_grid_truth(grid, 0, day_s + 5 * 3600), 105000000);
    assert_int_equal(gl_sim_grid_truth(grid, 0, day_s + 24 * 3600), GL_UNKNOWN);
    gl_sim_grid_advance(grid, day_s + 6 * 3600);
    assert_int_equal(gl_sim_grid_facts(grid, 0)->histories[0]->newest_actual_s, day_s + 4 * 3600);
    expect_marks(grid);
    gl_sim_grid_free(grid);
    unlink(path);
    gl_world_fixed_free(world);
}

static void test_recording_too_short(void **state)
{
    char path[] = "/tmp/gl-sim-trace-XXXXXX";
    struct gl_world *world = gl_world_fixed_new(INT64_C(1800000000000), 1, NULL);
    struct gl_error err = {0};

    (void)state;
    write_trace(path, 60, 0);
    assert_null(gl_sim_grid_of_file(path, world, &err));
    assert_int_equal(err.code, GL_E_UNKNOWN_DATA);
    unlink(path);
    gl_error_clear(&err);
    assert_null(gl_sim_grid_of_file(path, world, &err));
    assert_int_equal(err.code, GL_E_IO);
    gl_world_fixed_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_seed_same_bytes),
        cmocka_unit_test(test_nothing_is_known_early),
        cmocka_unit_test(test_what_is_known_is_true),
        cmocka_unit_test(test_all_is_marked),
        cmocka_unit_test(test_grids_are_plausible),
        cmocka_unit_test(test_the_spike_is_one),
        cmocka_unit_test(test_recording),
        cmocka_unit_test(test_recording_too_short),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
