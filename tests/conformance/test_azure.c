/* SPDX-License-Identifier: Apache-2.0 */
/* Machines of Azure against a counterpart of our own: names as tokens, operations that are accepted
 * and then fail, machines that are left over, moves by snapshot. */
#include "tests/conformance/cloud_azure_bench.h"
#include "tests/conformance/cloud_image_find.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct gl_azure_bench bench;

static int fresh(void **state)
{
    (void)state;
    gl_azure_bench_open(&bench);
    return 0;
}

static int done(void **state)
{
    (void)state;
    gl_azure_bench_close(&bench);
    return 0;
}

/* ---- one machine ---- */

static void one_life(void **state)
{
    struct gl_instance made = gl_azure_bench_start(&bench, "Standard_B1s"), seen, *rows;
    size_t count;
    char who[128];

    (void)state;
    assert_string_equal(made.id, AZURE_ID);
    assert_string_equal(made.token, AZURE_TOKEN);
    assert_string_equal(made.region, "swedencentral");
    assert_string_equal(made.type, "Standard_B1s");
    assert_int_equal(made.state, GL_STATE_RUNNING);
    assert_true(made.started.unix_s > 1700000000);
    assert_int_equal(bench.cloud->ops->whoami(bench.cloud, who, &bench.err), 0);
    assert_string_equal(who, FAKE_AZURE_SUBSCRIPTION " (Green tests)");
    assert_int_equal(
        bench.cloud->ops->find_by_request(bench.cloud, NULL, AZURE_TOKEN, &seen, &bench.err), 1);
    assert_string_equal(seen.id, made.id);
    assert_int_equal(seen.state, GL_STATE_RUNNING);
    assert_int_equal(
        bench.cloud->ops->find_by_request(bench.cloud, NULL, AZURE_OTHER, &seen, &bench.err), 0);
    assert_int_equal(bench.cloud->ops->list(bench.cloud, &rows, &count, &bench.err), 0);
    assert_int_equal(count, 1);
    free(rows);
    assert_int_equal(bench.cloud->ops->halt(bench.cloud, made.id, &bench.err), 0);
    assert_int_equal(gl_azure_bench_state(&bench), GL_STATE_HALTED);
    assert_int_equal(bench.cloud->ops->start(bench.cloud, made.id, &bench.err), 0);
    assert_int_equal(gl_azure_bench_state(&bench), GL_STATE_RUNNING);
    assert_int_equal(bench.cloud->ops->stop(bench.cloud, made.id, (struct gl_span){5}, &bench.err),
                     0);
    assert_int_equal(gl_azure_bench_state(&bench), GL_STATE_HALTED);
    assert_int_equal(bench.cloud->ops->stop(bench.cloud, made.id, (struct gl_span){5}, &bench.err),
                     0);
    assert_int_equal(bench.cloud->ops->terminate(bench.cloud, made.id, &bench.err), 0);
    assert_int_equal(bench.cloud->ops->terminate(bench.cloud, made.id, &bench.err), 0);
    assert_int_equal(bench.cloud->ops->stop(bench.cloud, made.id, (struct gl_span){5}, &bench.err),
                     0);
    assert_int_equal(bench.cloud->ops->describe(bench.cloud, made.id, &seen, &bench.err), -1);
    assert_int_equal(bench.err.code, GL_E_NOT_FOUND);
    assert_int_equal(bench.fake.tokens_given, 1);
}

static void the_same_token_is_the_same_machine(void **state)
{
    struct gl_instance first = gl_azure_bench_start(&bench, "Standard_B1s"),
                       again = gl_azure_bench_start(&bench, "Standard_B1s"), seen;
    struct gl_launch other = gl_azure_bench_launch("Standard_B1s", AZURE_OTHER);

    (void)state;
    assert_string_equal(first.id, again.id);
    assert_int_equal(bench.fake.made, 1);
    assert_int_equal(bench.cloud->ops->launch(bench.cloud, &other, &seen, &bench.err), -1);
    assert_int_equal(bench.err.code, GL_E_TOKEN); /* the name, another launch */
    assert_int_equal(bench.fake.made, 1);
}

static void a_name_taken_meanwhile_is_ours_or_not(void **state)
{
    (void)state;
    assert_string_equal(gl_azure_bench_start(&bench, "Standard_Racy").id, AZURE_ID);
    assert_int_equal(bench.cloud->ops->terminate(bench.cloud, AZURE_ID, &bench.err), 0);
    gl_azure_bench_fail(&bench, "Standard_Foreign", GL_E_TOKEN, 1); /* and it is left alone */
}

static void an_answer_that_is_lost_is_found(void **state)
{
    struct gl_instance seen;

    (void)state;
    gl_azure_bench_fail(&bench, "Standard_Lost", GL_E_OUTCOME, 1);
    assert_int_equal(
        bench.cloud->ops->find_by_request(bench.cloud, NULL, AZURE_TOKEN, &seen, &bench.err), 1);
    seen = gl_azure_bench_start(&bench, "Standard_Lost");
    assert_int_equal(bench.fake.made, 1);
}

static void no_answer_and_nothing_made_is_proven_absent(void **state)
{
    struct gl_instance seen;

    (void)state;
    gl_azure_bench_fail(&bench, "Standard_Silent", GL_E_OUTCOME, 0);
    gl_error_clear(&bench.err);
    assert_int_equal(
        bench.cloud->ops->find_by_request(bench.cloud, NULL, AZURE_TOKEN, &seen, &bench.err), 0);
}

static void what_shows_late_is_waited_for(void **state)
{
    (void)state;
    assert_int_equal(gl_azure_bench_start(&bench, "Standard_Late").state, GL_STATE_RUNNING);
    assert_int_equal(bench.fake.late_left, 0);
}

static int64_t slept_ms;

static void sleep_of_test(void *cookie, int64_t ms)
{
    (void)cookie;
    slept_ms += ms;
}

static int64_t monotonic_of_test(void *cookie)
{
    (void)cookie;
    return slept_ms;
}

static void what_the_list_names_is_not_absent(void **state)
{
    struct gl_instance seen;

    (void)state;
    slept_ms = 0;
    bench.world.sleep_ms = sleep_of_test;
    bench.world.monotonic_ms = monotonic_of_test;
    gl_azure_bench_start(&bench, "Standard_D2s_v5");
    bench.fake.late_left = 1; /* 404 by itself */
    assert_int_equal(
        bench.cloud->ops->find_by_request(bench.cloud, NULL, AZURE_TOKEN, &seen, &bench.err), 1);
    bench.fake.late_left = 1000;
    assert_int_equal(
        bench.cloud->ops->find_by_request(bench.cloud, NULL, AZURE_TOKEN, &seen, &bench.err), -1);
    assert_int_equal(bench.err.code, GL_E_PROVIDER);
    bench.fake.late_left = 0;
}

/* ---- failures ---- */

static void a_leftover_is_gone_before_capacity_is_told(void **state)
{
    struct gl_instance seen;

    (void)state;
    gl_azure_bench_fail(&bench, "Standard_Stockout", GL_E_CAPACITY, 0);
    assert_int_equal(bench.fake.made, 1);
    assert_int_equal(bench.cloud->failure.reach, GL_REACH_REGION);
    assert_string_equal(bench.cloud->failure.word, "AllocationFailed");
    gl_error_clear(&bench.err);
    assert_int_equal(
        bench.cloud->ops->find_by_request(bench.cloud, NULL, AZURE_TOKEN, &seen, &bench.err), 0);
}

static void a_leftover_that_stays_is_an_unknown_outcome(void **state)
{
    struct gl_instance seen;

    (void)state;
    gl_azure_bench_fail(&bench, "Standard_Stuck", GL_E_OUTCOME, 1);
    assert_non_null(strstr(bench.err.text, "AllocationFailed"));
    gl_error_clear(&bench.err);
    assert_int_equal(bench.cloud->ops->describe(bench.cloud, AZURE_ID, &seen, &bench.err), 0);
    assert_int_equal(seen.state, GL_STATE_HALTED);
    assert_string_equal(seen.why, "AllocationFailed");
}

static void stock_quota_rights_and_policy_are_four_things(void **state)
{
    (void)state;
    gl_azure_bench_fail(&bench, "Standard_Refused", GL_E_CAPACITY, 0);
    gl_azure_bench_fail(&bench, "Standard_Quota", GL_E_QUOTA, 0);
    assert_int_equal(bench.cloud->failure.reach, GL_REACH_REGION);
    gl_azure_bench_fail(&bench, "Standard_Forbidden", GL_E_PERMISSION, 0);
    gl_azure_bench_fail(&bench, "Standard_Policy", GL_E_PERMISSION, 0);
    assert_string_equal(bench.cloud->failure.word, "RequestDisallowedByPolicy");
    assert_non_null(strstr(bench.err.text, "Only green sizes"));
    gl_azure_bench_fail(&bench, "Standard_Unknown", GL_E_UNKNOWN_NAME, 0);
    assert_int_equal(bench.fake.made, 0);
}

static void names_that_would_change_the_path_are_refused(void **state)
{
    struct gl_launch launch = gl_azure_bench_launch("Standard_B1s", AZURE_TOKEN);
    struct gl_instance out;

    (void)state;
    launch.region = "swedencentral?x=";
    assert_int_equal(bench.cloud->ops->launch(bench.cloud, &launch, &out, &bench.err), -1);
    assert_int_equal(bench.err.code, GL_E_UNKNOWN_NAME);
    gl_error_clear(&bench.err);
    assert_int_equal(
        bench.cloud->ops->describe(bench.cloud, "swedencentral/green/../../x", &out, &bench.err),
        -1);
    assert_int_equal(bench.err.code, GL_E_NOT_FOUND);
    assert_int_equal(json_array_size(bench.fake.requests), 0);
}

static void a_start_without_stock_ends_nothing(void **state)
{
    (void)state;
    gl_azure_bench_start(&bench, "Standard_B1s");
    assert_int_equal(bench.cloud->ops->halt(bench.cloud, AZURE_ID, &bench.err), 0);
    bench.fake.is_start_full = true;
    assert_int_equal(bench.cloud->ops->start(bench.cloud, AZURE_ID, &bench.err), -1);
    assert_int_equal(bench.err.code, GL_E_CAPACITY);
    gl_error_clear(&bench.err);
    assert_int_equal(gl_azure_bench_state(&bench), GL_STATE_HALTED);
}

static void a_throttle_is_waited_out(void **state)
{
    (void)state;
    assert_string_equal(gl_azure_bench_start(&bench, "Standard_Slow").id, AZURE_ID);
    assert_int_equal(bench.fake.made, 1);
    assert_int_equal(bench.fake.slow_left, 0);
}

static void looks_that_fail_are_taken_again(void **state)
{
    (void)state;
    assert_string_equal(gl_azure_bench_start(&bench, "Standard_Shaky").id, AZURE_ID);
    assert_int_equal(bench.fake.made, 1);
}

/* The other host is a port where nobody listens: asked, it would be NETWORK. */
static void a_token_goes_to_one_host_only(void **state)
{
    struct gl_instance *rows;
    struct gl_launch launch = gl_azure_bench_launch("Standard_B1s", AZURE_TOKEN);
    size_t count;

    (void)state;
    gl_azure_bench_fail(&bench, "Standard_Elsewhere", GL_E_OUTCOME, 1);
    assert_non_null(strstr(bench.err.text, "another host"));
    gl_error_clear(&bench.err);
    launch.launch_id = "gl-another";
    launch.token = AZURE_OTHER;
    assert_int_equal(
        bench.cloud->ops->launch(bench.cloud, &launch, &(struct gl_instance){0}, &bench.err), 0);
    assert_int_equal(bench.cloud->ops->list(bench.cloud, &rows, &count, &bench.err), 0);
    assert_int_equal(count, 2);
    free(rows);
    bench.fake.has_evil_pages = true;
    assert_int_equal(bench.cloud->ops->list(bench.cloud, &rows, &count, &bench.err), -1);
    assert_int_equal(bench.err.code, GL_E_BAD_REPLY);
}

static bool is_cancelled(void *cookie)
{
    (void)cookie;
    return json_object_size(bench.fake.operations) > 0;
}

static void who_gives_up_leaves_nothing(void **state)
{
    struct gl_launch launch = gl_azure_bench_launch("Standard_Endless", AZURE_TOKEN);
    struct gl_instance out;

    (void)state;
    launch.is_cancelled = is_cancelled;
    assert_int_equal(bench.cloud->ops->launch(bench.cloud, &launch, &out, &bench.err), -1);
    assert_int_equal(bench.err.code, GL_E_INTERRUPTED);
    assert_int_equal(bench.fake.made, 1);
    assert_int_equal(fake_azure_running(&bench.fake), 0);
}

/* ---- the console ---- */

static void the_console_is_read_where_it_was_left(void **state)
{
    struct gl_str text = {0};
    uint64_t next = 0;

    (void)state;
    gl_azure_bench_start(&bench, "Standard_B1s");
    assert_int_equal(bench.cloud->ops->console(bench.cloud, AZURE_ID, 0, &text, &next, &bench.err),
                     0);
    assert_int_equal(next, 0);
    bench.fake.log = "booted\n";
    assert_int_equal(bench.cloud->ops->console(bench.cloud, AZURE_ID, 0, &text, &next, &bench.err),
                     0);
    assert_string_equal(gl_str_text(&text), "booted\n");
    assert_int_equal(next, 7);
    bench.fake.log = "booted\nready\n";
    assert_int_equal(
        bench.cloud->ops->console(bench.cloud, AZURE_ID, next, &text, &next, &bench.err), 0);
    assert_string_equal(gl_str_text(&text), "booted\nready\n");
    bench.fake.log = "anew\n";
    assert_int_equal(
        bench.cloud->ops->console(bench.cloud, AZURE_ID, next, &text, &next, &bench.err), 0);
    assert_string_equal(gl_str_text(&text), "booted\nready\nanew\n");
    gl_str_done(&text);
    bench.fake.has_evil_log = true;
    assert_int_equal(bench.cloud->ops->console(bench.cloud, AZURE_ID, 0, &text, &next, &bench.err),
                     -1);
    assert_int_equal(bench.err.code, GL_E_BAD_REPLY);
}

/* ---- images ---- */

static void a_machine_moves_by_its_disk(void **state)
{
    struct gl_launch launch = gl_azure_bench_launch("Standard_B1s", AZURE_OTHER);
    struct gl_cloud_image image, copy;
    struct gl_instance made;

    (void)state;
    gl_azure_bench_start(&bench, "Standard_B1s");
    assert_int_equal(
        bench.cloud->ops->image_create(bench.cloud, AZURE_ID, "gl-image", &image, &bench.err), 0);
    assert_string_equal(image.id, AZURE_IMAGE);
    assert_int_equal(image.state, GL_IMAGE_READY);
    assert_int_equal(image.bytes, 32213303296);
    assert_image_found(bench.cloud, AZURE_ID, "swedencentral", "gl-image", AZURE_IMAGE);
    bench.fake.percent = 40;
    assert_int_equal(bench.cloud->ops->image_copy(bench.cloud, AZURE_IMAGE, "westeurope",
                                                  "gl-image-2", &copy, &bench.err),
                     0);
    assert_int_equal(copy.state, GL_IMAGE_PENDING);
    bench.fake.percent = 100;
    assert_int_equal(bench.cloud->ops->image_look(bench.cloud, copy.id, &copy, &bench.err), 0);
    assert_int_equal(copy.state, GL_IMAGE_READY);
    assert_int_equal(bench.cloud->ops->image_copy(bench.cloud, AZURE_IMAGE, "westeurope",
                                                  "gl-image-2", &copy, &bench.err),
                     0);
    launch.region = "westeurope";
    launch.image = copy.id;
    launch.launch_id = "gl-moved";
    if (bench.cloud->ops->launch(bench.cloud, &launch, &made, &bench.err) != 0)
        fail_msg("%s", bench.err.text);
    assert_string_equal(made.region, "westeurope");
    assert_int_equal(json_object_size(bench.fake.disks), 1);
    assert_int_equal(bench.cloud->ops->terminate(bench.cloud, made.id, &bench.err), 0);
    assert_int_equal(json_object_size(bench.fake.disks), 0);
    assert_int_equal(bench.cloud->ops->image_delete(bench.cloud, copy.id, &bench.err), 0);
    assert_int_equal(bench.cloud->ops->image_delete(bench.cloud, copy.id, &bench.err), 0);
    assert_int_equal(bench.cloud->ops->image_look(bench.cloud, copy.id, &copy, &bench.err), 0);
    assert_int_equal(copy.state, GL_IMAGE_ABSENT);
    launch.image = AZURE_IMAGE; /* of another region */
    assert_int_equal(bench.cloud->ops->launch(bench.cloud, &launch, &made, &bench.err), -1);
    assert_int_equal(bench.err.code, GL_E_BAD_VALUE);
    gl_error_clear(&bench.err);
    /* one name, one image */
    assert_int_equal(bench.cloud->ops->image_copy(bench.cloud, AZURE_IMAGE, "westeurope",
                                                  "gl-image", &copy, &bench.err),
                     -1);
    assert_int_equal(bench.err.code, GL_E_TOKEN);
}

/* Of an attempt that was killed between its disk and its machine, and of one without stock. */
static void a_disk_without_a_machine_does_not_stay(void **state)
{
    struct gl_launch launch = gl_azure_bench_launch("Standard_Stockout", AZURE_OTHER);
    struct gl_cloud_image image;
    struct gl_instance seen;

    (void)state;
    gl_azure_bench_start(&bench, "Standard_B1s");
    assert_int_equal(
        bench.cloud->ops->image_create(bench.cloud, AZURE_ID, "gl-image", &image, &bench.err), 0);
    launch.image = AZURE_IMAGE;
    launch.launch_id = "gl-moved";
    assert_int_equal(bench.cloud->ops->launch(bench.cloud, &launch, &seen, &bench.err), -1);
    assert_int_equal(bench.err.code, GL_E_CAPACITY);
    assert_int_equal(json_object_size(bench.fake.disks), 0);
    gl_error_clear(&bench.err);
    launch.type = "Standard_Silent";
    assert_int_equal(bench.cloud->ops->launch(bench.cloud, &launch, &seen, &bench.err), -1);
    assert_int_equal(bench.err.code, GL_E_OUTCOME);
    assert_int_equal(json_object_size(bench.fake.disks), 1);
    gl_error_clear(&bench.err);
    assert_int_equal(
        bench.cloud->ops->find_by_request(bench.cloud, NULL, AZURE_TOKEN, &seen, &bench.err), 1);
    assert_int_equal(json_object_size(bench.fake.disks), 1);
    assert_int_equal(
        bench.cloud->ops->find_by_request(bench.cloud, NULL, AZURE_OTHER, &seen, &bench.err), 0);
    assert_int_equal(json_object_size(bench.fake.disks), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fresh, done)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(one_life),
        TEST(the_same_token_is_the_same_machine),
        TEST(a_name_taken_meanwhile_is_ours_or_not),
        TEST(an_answer_that_is_lost_is_found),
        TEST(no_answer_and_nothing_made_is_proven_absent),
        TEST(what_shows_late_is_waited_for),
        TEST(what_the_list_names_is_not_absent),
        TEST(a_leftover_is_gone_before_capacity_is_told),
        TEST(a_leftover_that_stays_is_an_unknown_outcome),
        TEST(stock_quota_rights_and_policy_are_four_things),
        TEST(names_that_would_change_the_path_are_refused),
        TEST(a_start_without_stock_ends_nothing),
        TEST(a_throttle_is_waited_out),
        TEST(looks_that_fail_are_taken_again),
        TEST(a_token_goes_to_one_host_only),
        TEST(who_gives_up_leaves_nothing),
        TEST(the_console_is_read_where_it_was_left),
        TEST(a_machine_moves_by_its_disk),
        TEST(a_disk_without_a_machine_does_not_stay),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
