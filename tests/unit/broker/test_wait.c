/* SPDX-License-Identifier: Apache-2.0 */
/* wait on a clock that only sleeping moves: nothing here takes longer than its arithmetic. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/time.h"
#include "broker/cli/rows.h"
#include "broker/cli/run_command.h"
#include "broker/demand.h"
#include "tests/support/scratch.c"

#define NOW INT64_C(1746117000) /* 2025-05-01T16:30:00Z */

static const char *const nothing[] = {NULL};
static struct gl_world *world;
static struct gl_context context;
static char *folder, *file;

/* The first members of the command's own values; the rest of the bytes are its other options. */
static union {
    struct gl_run_values run;
    char bytes[sizeof(struct gl_run_values) + 256];
} values;
static struct gl_ask *ask = &values.run.start.ask;

/* A forecast for the hours from 16:00 on, one figure an hour, 10 g either side. */
static void forecast(const int *grams, size_t count)
{
    struct gl_str text = {0};
    struct gl_error err = {0};

    gl_str_add(&text, "from,until,quantity,unit,value,low,high,evidence,boundary\n");
    for (size_t i = 0; i < count; i++)
        gl_str_addf(&text,
                    "2025-05-01T%02zu:00Z,2025-05-01T%02zu:00Z,carbon_intensity,gCO2e/kWh,%d,%d,%d,"
                    "forecast,lifecycle\n",
                    16 + i, 17 + i, grams[i], grams[i] - 10, grams[i] + 10);
    assert_int_equal(gl_file_write(file, gl_str_text(&text), text.length, 0600, &err), 0);
    gl_str_done(&text);
}

static int setup(void **state)
{
    static const int grams[] = {300, 300, 100, 100, 100, 100};

    (void)state;
    folder = scratch_make("test_wait");
    file = gl_path_join(folder, "grid.csv");
    forecast(grams, 6);
    world = gl_world_fixed_new(NOW * 1000, 1, nothing);
    context = (struct gl_context){.world = *world, .command = "wait", .columns = 80};
    context.globals = (struct gl_globals){.is_quiet = true,
                                          .is_offline = true,
                                          .has_no_progress = true,
                                          .state = folder,
                                          .width = INT64_MIN,
                                          .timeout_s = INT64_MIN};
    context.config = (struct gl_config){.zone = gl_strdup("DE"),
                                        .country = gl_strdup("DE"),
                                        .source_count = 1,
                                        .has_sources = true};
    context.config.sources[0] = (struct gl_signal_config){
        .name = gl_strdup("file"), .path = gl_strdup(file), .zone = gl_strdup("DE")};
    memset(&values, 0, sizeof values);
    gl_options_clear(gl_command_wait.options, &values);
    ask->max_intensity = "200g/kWh";
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    gl_options_done(gl_command_wait.options, &values);
    gl_context_done(&context);
    gl_world_fixed_free(world);
    scratch_remove(folder);
    free(file);
    return 0;
}

/* What an earlier call of the same test answered. */
static void forget_reply(void)
{
    json_decref(context.reply.data);
    json_decref(context.reply.warnings);
    json_decref(context.reply.next);
    gl_str_done(&context.reply.text);
    context.reply = (struct gl_reply){0};
}

static int wait_now(void)
{
    struct gl_operands operands = {.count = 0};
    struct gl_call call = {.values = &values, .operands = &operands};
    struct gl_error err = {0};
    int status;

    assert_true(gl_command_wait.values_size <= sizeof values);
    forget_reply();
    status = gl_command_wait.run(&context, &call, &err);
    return status < 0 ? (int)gl_errc_row(err.code)->exit : status;
}

static int64_t waited_s(void)
{
    return gl_now(&context.world).unix_s - NOW;
}

static int64_t looks(void)
{
    return json_integer_value(json_object_get(context.reply.data, "looks"));
}

/* What the ledger has of demand; of nothing, a cluster of zeros. */
static struct gl_cluster demand(void)
{
    const struct gl_demand_ask all = {0, false};
    struct gl_error err = {0};
    struct gl_ledger *ledger = gl_context_ledger(&context, &err);
    struct gl_clustering *clustering = gl_demand_clusters(ledger, &all, &err);
    struct gl_cluster found = {.signals = 0};
    size_t count;

    assert_non_null(clustering);
    gl_clustering_end(clustering, &count);
    assert_true(count <= 1);
    if (count == 1)
        found = *gl_clustering_end(clustering, &count);
    found.first = NULL;
    gl_clustering_free(clustering);
    return found;
}

/* 18:00 is 90 minutes off: once at once, once when data of 17:00 can be there, once at 18:00. */
static void it_waits_for_the_hour_that_is_green(void **state)
{
    (void)state;
    assert_int_equal(wait_now(), GL_EXIT_OK);
    assert_int_equal(waited_s(), 5400);
    assert_int_equal(looks(), 3);
    assert_string_equal(context.reply.verdict, "allow");
    assert_int_equal(json_integer_value(json_object_get(context.reply.data, "waited_s")), 5400);
    assert_int_equal(demand().signals, 1);
    assert_int_equal(demand().by_kind[GL_DEMAND_LATER], 1);
    assert_int_equal(demand().by_instead[GL_INSTEAD_WAITED], 1);
    assert_int_equal(demand().lost_ms, 5400000);
    assert_int_equal(demand().worst_found_u, 310000000); /* at the first look */
}

static void what_is_green_now_is_not_waited_for(void **state)
{
    (void)state;
    ask->max_intensity = "400g/kWh";
    assert_int_equal(wait_now(), GL_EXIT_OK);
    assert_int_equal(waited_s(), 0);
    assert_int_equal(looks(), 1);
    assert_int_equal(demand().signals, 0);
}

static void the_run_must_fit_before_it_ends(void **state)
{
    (void)state;
    ask->duration_s = 2 * 3600;
    ask->finish_by = "2025-05-01T20:00Z"; /* 18:00 is the very latest start */
    assert_int_equal(wait_now(), GL_EXIT_LATER);
    assert_int_equal(waited_s(), 5399);
    ask->finish_by = "2025-05-01T20:01Z";
    context.reply.text.length = 0;
    assert_int_equal(wait_now(), GL_EXIT_OK);
    assert_int_equal(waited_s(), 5400);
}

/* Nothing in sight, and no latest start: two days, as far as forecasts reach. */
static void it_never_waits_for_ever(void **state)
{
    int status;

    (void)state;
    ask->max_intensity = "50g/kWh";
    status = wait_now();
    assert_true(status == GL_EXIT_REFUSED || status == GL_EXIT_UNKNOWN);
    assert_int_equal(waited_s(), 48 * 3600 - 1);
}

static void a_deadline_before_the_green_hour_ends_as_later(void **state)
{
    (void)state;
    ask->start_by = "1h"; /* from now, not from each look */
    assert_int_equal(wait_now(), GL_EXIT_LATER);
    assert_int_equal(waited_s(), 3599);
    assert_int_equal(demand().by_instead[GL_INSTEAD_NOTHING], 1);
    assert_string_equal(context.reply.verdict, "later");
    assert_non_null(strstr(gl_str_text(&context.reply.text), "2025-05-01T18:00:00Z"));
}

static void a_deadline_without_a_green_hour_ends_as_refused(void **state)
{
    static const int grams[] = {300, 300, 300, 300};

    (void)state;
    forecast(grams, 4);
    ask->start_by = "45min";
    assert_int_equal(wait_now(), GL_EXIT_REFUSED);
    assert_int_equal(waited_s(), 2699);
}

/* 20:00 is three and a half hours off. */
static void it_looks_again_with_each_full_hour(void **state)
{
    static const int grams[] = {300, 300, 300, 300, 100, 100};

    (void)state;
    forecast(grams, 6);
    assert_int_equal(wait_now(), GL_EXIT_OK);
    assert_int_equal(waited_s(), 3 * 3600 + 1800);
    assert_int_equal(looks(), 5);
}

static void without_any_hour_to_come_it_looks_every_five_minutes(void **state)
{
    static const int grams[] = {300};

    (void)state;
    forecast(grams, 1);
    ask->start_by = "1h";
    assert_int_equal(wait_now(), GL_EXIT_UNKNOWN);
    assert_int_equal(waited_s(), 3599);
}

static void what_no_source_speaks_of_is_not_waited_for(void **state)
{
    (void)state;
    ask->zone = "FR";
    assert_int_equal(wait_now(), GL_EXIT_UNKNOWN);
    assert_int_equal(waited_s(), 0);
}

static void what_no_hour_changes_is_not_waited_for(void **state)
{
    (void)state;
    ask->max_intensity = "400g/kWh";
    ask->countries = (struct gl_option_list){.items = {"SE"}, .count = 1};
    assert_int_equal(wait_now(), GL_EXIT_REFUSED);
    assert_int_equal(waited_s(), 0);
}

static void a_rule_or_its_absence_must_be_said(void **state)
{
    (void)state;
    ask->max_intensity = NULL;
    assert_int_equal(wait_now(), GL_EXIT_USAGE);
    values.run.start.has_no_rules = true;
    assert_int_equal(wait_now(), GL_EXIT_OK);
    assert_int_equal(waited_s(), 0);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(it_waits_for_the_hour_that_is_green),
        TEST(what_is_green_now_is_not_waited_for),
        TEST(the_run_must_fit_before_it_ends),
        TEST(it_never_waits_for_ever),
        TEST(a_deadline_before_the_green_hour_ends_as_later),
        TEST(a_deadline_without_a_green_hour_ends_as_refused),
        TEST(it_looks_again_with_each_full_hour),
        TEST(without_any_hour_to_come_it_looks_every_five_minutes),
        TEST(what_no_source_speaks_of_is_not_waited_for),
        TEST(what_no_hour_changes_is_not_waited_for),
        TEST(a_rule_or_its_absence_must_be_said),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
