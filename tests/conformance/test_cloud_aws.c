/* SPDX-License-Identifier: Apache-2.0 */
/* What the AWS adapter does when EC2 refuses, forgets, repeats or breaks off; beside the suite that
 * every cloud passes (test_cloud aws). */
#include "providers/cloud/catalog.h"
#include "tests/conformance/cloud_fake_aws.h"
#include "tests/conformance/cloud_image_find.h"
#include "tests/conformance/cloud_remote.h"

#include "base/file.h"
#include "base/http.h"
#include "base/sign.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct gl_fake_aws *fake;
static struct gl_world world;
static struct gl_cloud *cloud;
static char token[GL_HASH_HEX], enrol[GL_HASH_HEX];

static struct gl_launch a_launch(void)
{
    struct gl_hash bytes[2];
    struct gl_launch launch = {.token = token,
                               .launch_id = "gl-abcdef",
                               .enrol_token = enrol,
                               .region = "eu-north-1",
                               .type = "t3.micro",
                               .attempt = 1,
                               .expires = {gl_now(&world).unix_s + 3600},
                               .lease = {3600}};

    world.random(world.cookie, bytes, sizeof bytes);
    gl_hash_hex(&bytes[0], token);
    gl_hash_hex(&bytes[1], enrol);
    return launch;
}

static int launch_it(const struct gl_launch *launch, struct gl_instance *out, struct gl_error *err)
{
    gl_error_clear(err);
    return cloud->ops->launch(cloud, launch, out, err);
}

static void fail_next(const char *action, int status, const char *code, unsigned times,
                      bool acts_first)
{
    fake->fault = (struct gl_fake_aws_fault){.action = action,
                                             .status = status,
                                             .code = code,
                                             .message = "m",
                                             .times = times,
                                             .acts_first = acts_first};
}

static int set_up(void **state)
{
    struct gl_cloud_options options = {.world = &world};
    struct gl_error err = {0};

    (void)state;
    fake = gl_fake_aws_start();
    gl_world_real(&world);
    gl_remote_fixture_set(&gl_remote_fixture_aws, fake, &world, &options);
    cloud = gl_cloud_open("aws", &options, &err);
    if (cloud == NULL)
        fail_msg("%s", err.text);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    if (fake->problem[0] != '\0')
        print_message("the fake: %s\n", fake->problem);
    assert_string_equal(fake->problem, "");
    gl_cloud_close(cloud);
    gl_remote_fixture_end(&gl_remote_fixture_aws, fake, &world);
    return 0;
}

/* ---- tokens ---- */

static void other_parameters_under_one_token(void **state)
{
    struct gl_launch launch = a_launch();
    struct gl_instance made;
    struct gl_error err = {0};

    (void)state;
    assert_int_equal(launch_it(&launch, &made, &err), 0);
    launch.type = "t4g.nano";
    assert_int_equal(launch_it(&launch, &made, &err), -1);
    assert_int_equal(err.code, GL_E_TOKEN);
    assert_string_equal(cloud->failure.word, "IdempotentParameterMismatch");
    assert_int_equal(gl_fake_aws_alive(fake), 1);
}

/* As long as EC2 remembers it, a token stands for its ended instance; then for nothing at all. */
static void a_token_outlives_its_instance(void **state)
{
    struct gl_launch launch = a_launch();
    struct gl_instance made, again;
    struct gl_error err = {0};

    (void)state;
    assert_int_equal(launch_it(&launch, &made, &err), 0);
    assert_int_equal(cloud->ops->terminate(cloud, made.id, &err), 0);
    assert_int_equal(launch_it(&launch, &again, &err), 0);
    assert_string_equal(again.id, made.id);
    assert_int_equal(again.state, GL_STATE_ENDED);
    assert_string_equal(again.why, "Client.UserInitiatedShutdown");
    fake->instances[0].hidden = 1000;
    assert_int_equal(launch_it(&launch, &again, &err), -1);
    assert_int_equal(err.code, GL_E_TOKEN);
    assert_int_equal(gl_fake_aws_alive(fake), 0);
}

static void an_answer_that_is_lost(void **state)
{
    struct gl_launch launch = a_launch();
    struct gl_instance made;
    struct gl_error err = {0};
    static const int statuses[] = {0, 500, 503};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        launch = a_launch();
        fail_next("RunInstances", statuses[i], "InternalError", 1, true);
        assert_int_equal(launch_it(&launch, &made, &err), -1);
        assert_int_equal(err.code, GL_E_OUTCOME);
        assert_int_equal(fake->count, i + 1); /* not sent twice */
        gl_error_clear(&err);
        assert_int_equal(
            cloud->ops->find_by_request(cloud, "eu-north-1", launch.token, &made, &err), 1);
        assert_string_equal(made.launch_id, launch.launch_id);
    }
    launch = a_launch();
    fail_next("RunInstances", 0, NULL, 1, false);
    assert_int_equal(launch_it(&launch, &made, &err), -1);
    assert_int_equal(err.code, GL_E_OUTCOME);
    gl_error_clear(&err);
    assert_int_equal(cloud->ops->find_by_request(cloud, "eu-north-1", launch.token, &made, &err),
                     0);
}

static void without_tags_it_is_found_by_its_token(void **state)
{
    struct gl_launch launch = a_launch();
    struct gl_instance made;
    struct gl_error err = {0};

    (void)state;
    assert_int_equal(launch_it(&launch, &made, &err), 0);
    fake->instances[0].hidden = 1; /* the first look, by tags, does not see it */
    assert_int_equal(cloud->ops->find_by_request(cloud, "eu-north-1", launch.token, &made, &err),
                     1);
    gl_error_clear(&err);
    fail_next("DescribeInstances", 503, "Unavailable", 100, false);
    assert_int_equal(cloud->ops->find_by_request(cloud, "eu-north-1", launch.token, &made, &err),
                     -1); /* not known is not absent */
    assert_int_equal(err.code, GL_E_PROVIDER);
}

static void seen_only_after_a_while(void **state)
{
    struct gl_launch launch = a_launch();
    struct gl_instance made, seen;
    struct gl_error err = {0};

    (void)state;
    fake->hide = 2;
    assert_int_equal(launch_it(&launch, &made, &err), 0);
    assert_int_equal(cloud->ops->describe(cloud, made.id, &seen, &err), 0);
    assert_string_equal(seen.id, made.id);
}

/* ---- refusals ---- */

static void stock_quota_and_price(void **state)
{
    struct gl_launch launch = a_launch();
    struct gl_instance made;
    struct gl_error err = {0};

    (void)state;
    launch.type = GL_FAKE_AWS_NO_STOCK;
    assert_int_equal(launch_it(&launch, &made, &err), -1);
    assert_int_equal(err.code, GL_E_CAPACITY);
    assert_int_equal(cloud->failure.reach, GL_REACH_ZONE);
    assert_string_equal(cloud->failure.places[0], "eu-north-1b");
    assert_string_equal(cloud->failure.places[1], "eu-north-1c");
    assert_string_equal(cloud->failure.places[2], "");
    launch.type = GL_FAKE_AWS_NO_QUOTA;
    assert_int_equal(launch_it(&launch, &made, &err), -1);
    assert_int_equal(err.code, GL_E_QUOTA);
    assert_int_equal(cloud->failure.reach, GL_REACH_REGION);
    launch.type = "t3.micro";
    launch.max_price_u_usd = 10399; /* it costs 0.0104 */
    assert_int_equal(launch_it(&launch, &made, &err), -1);
    assert_int_equal(err.code, GL_E_PRICE);
    launch.is_spot = true;
    launch.max_price_u_usd = 4199; /* in the dearest zone 0.0042 */
    assert_int_equal(launch_it(&launch, &made, &err), -1);
    assert_int_equal(err.code, GL_E_PRICE);
    launch.type = GL_FAKE_AWS_NO_QUOTA; /* no price at all */
    launch.is_spot = false;
    assert_int_equal(launch_it(&launch, &made, &err), -1);
    assert_int_equal(err.code, GL_E_PRICE);
    assert_int_equal(fake->count, 0);
    launch.type = "t3.micro";
    launch.is_spot = true;
    launch.max_price_u_usd = 4200;
    assert_int_equal(launch_it(&launch, &made, &err), 0);
    assert_string_equal(made.how, "ec2/spot");
}

static void a_throttle_is_waited_out(void **state)
{
    struct gl_launch launch = a_launch();
    struct gl_instance made;
    struct gl_error err = {0};

    (void)state;
    fail_next("RunInstances", 503, "RequestLimitExceeded", 1, false);
    assert_int_equal(launch_it(&launch, &made, &err), 0);
    fail_next("DescribeInstances", 503, "RequestLimitExceeded", 1, false);
    assert_int_equal(cloud->ops->describe(cloud, made.id, &made, &err), 0);
    assert_int_equal(fake->count, 1);
}

static void rejected_credentials(void **state)
{
    struct gl_launch launch = a_launch();
    struct gl_instance made;
    struct gl_error err = {0};
    char who[128];

    (void)state;
    snprintf(fake->secret, sizeof fake->secret, "another");
    assert_int_equal(cloud->ops->whoami(cloud, who, &err), -1);
    assert_int_equal(err.code, GL_E_NO_CREDENTIAL);
    assert_int_equal(launch_it(&launch, &made, &err), -1);
    assert_int_equal(err.code, GL_E_NO_CREDENTIAL);
    assert_null(strstr(err.text, "planted"));
}

/* ---- check ---- */

static void what_could_be_launched(void **state)
{
    struct gl_launch launch = a_launch();
    struct gl_error err = {0};

    (void)state;
    assert_int_equal(cloud->ops->check(cloud, &launch, &err), 0);
    assert_int_equal(fake->count, 0);
    fail_next("RunInstances", 403, "UnauthorizedOperation", 1, false);
    assert_int_equal(cloud->ops->check(cloud, &launch, &err), -1);
    assert_int_equal(err.code, GL_E_PERMISSION);
    gl_error_clear(&err);
    launch.type = "vast";
    assert_int_equal(cloud->ops->check(cloud, &launch, &err), -1);
    assert_int_equal(err.code, GL_E_UNKNOWN_NAME);
}

/* ---- lists ---- */

static void pages_of_all_regions(void **state)
{
    struct gl_instance made, *list;
    struct gl_error err = {0};
    const char *const *types;
    size_t count = 0;

    (void)state;
    fake->page = 2;
    for (size_t i = 0; i < 7; i++) {
        struct gl_launch launch = a_launch();

        launch.region = i % 2 != 0 ? "eu-west-1" : "eu-north-1";
        assert_int_equal(launch_it(&launch, &made, &err), 0);
    }
    fake->instances[3].tag_count = 0; /* somebody else's */
    assert_int_equal(cloud->ops->list(cloud, &list, &count, &err), 0);
    assert_int_equal(count, 6);
    free(list);
    assert_int_equal(cloud->ops->types(cloud, "eu-north-1", &types, &err), 0);
    for (count = 0; types[count] != NULL; count++)
        continue;
    assert_int_equal(count, 4);
}

static void one_region_that_fails(void **state)
{
    struct gl_instance *list;
    struct gl_error err = {0};
    size_t count;

    (void)state;
    fail_next("DescribeInstances", 500, "InternalError", 1000, false);
    fake->fault.region = "eu-west-1";
    assert_int_equal(cloud->ops->list(cloud, &list, &count, &err), -1);
    assert_non_null(strstr(err.text, "eu-west-1"));
    fail_next("DescribeInstances", 403, "UnauthorizedOperation", 1000, false);
    fake->fault.region = "eu-west-1"; /* closed by the organization: it is named */
    gl_error_clear(&err);
    assert_int_equal(cloud->ops->list(cloud, &list, &count, &err), 0);
    assert_int_equal(count, 0);
    free(list);
    assert_string_equal(cloud->unseen, "eu-west-1");
    assert_int_equal(cloud->ops->list(cloud, &list, &count, &err), 0);
    free(list);
    assert_string_equal(cloud->unseen, "eu-west-1"); /* of the last list alone */
    fake->fault.region = NULL;                       /* everywhere: that is no list */
    assert_int_equal(cloud->ops->list(cloud, &list, &count, &err), -1);
    assert_int_equal(err.code, GL_E_PERMISSION);
}

/* There nobody's keys are known: it is not the keys that are wrong. */
static void a_region_that_is_not_enabled(void **state)
{
    struct gl_launch launch = a_launch();
    struct gl_instance out;
    struct gl_error err = {0};

    (void)state;
    launch.region = "af-south-1";
    fail_next("RunInstances", 401, "AuthFailure", 1000, false);
    assert_int_equal(launch_it(&launch, &out, &err), -1);
    assert_int_equal(err.code, GL_E_PERMISSION);
    assert_non_null(strstr(err.text, "af-south-1 is not enabled for this account"));
    assert_int_equal(cloud->failure.reach, GL_REACH_REGION);
    gl_error_clear(&err);
    assert_int_equal(cloud->ops->check(cloud, &launch, &err), -1);
    assert_int_equal(err.code, GL_E_PERMISSION);
    launch.region = "eu-west-1"; /* enabled: then it is the keys */
    assert_int_equal(launch_it(&launch, &out, &err), -1);
    assert_int_equal(err.code, GL_E_NO_CREDENTIAL);
    assert_int_equal(cloud->failure.reach, GL_REACH_ACCOUNT);
}

/* ---- console ---- */

static char *console_from(const char *id, uint64_t from, uint64_t *out_next)
{
    struct gl_str text = {0};
    struct gl_error err = {0};

    if (cloud->ops->console(cloud, id, from, &text, out_next, &err) < 0)
        fail_msg("%s", err.text);
    return gl_str_take(&text);
}

static void a_console_longer_than_its_window(void **state)
{
    struct gl_launch launch = a_launch();
    struct gl_instance made;
    struct gl_error err = {0};
    struct gl_str all = {0}, got = {0};
    uint64_t next = 0;

    (void)state;
    assert_int_equal(launch_it(&launch, &made, &err), 0);
    for (unsigned i = 0; i < 20; i++) {
        char *part;

        for (unsigned line = 0; line < 600; line++)
            gl_str_addf(&all, "line %u of round %u\n", line, i);
        fake->console = gl_str_text(&all);
        fake->has_no_latest = i % 2 != 0;
        part = console_from(made.id, next, &next);
        gl_str_add(&got, part);
        free(part);
    }
    assert_true(all.length > 2 * 65536);
    assert_string_equal(gl_str_text(&got), gl_str_text(&all));
    assert_int_equal(next, all.length);
    gl_str_done(&all);
    gl_str_done(&got);
}

/* ---- machines and images ---- */

static void halted_and_started(void **state)
{
    struct gl_launch launch = a_launch();
    struct gl_instance made, seen;
    struct gl_error err = {0};

    (void)state;
    assert_int_equal(launch_it(&launch, &made, &err), 0);
    assert_int_equal(cloud->ops->describe(cloud, made.id, &seen, &err), 0);
    assert_int_equal(cloud->ops->halt(cloud, made.id, &err), 0);
    assert_int_equal(cloud->ops->halt(cloud, made.id, &err), 0);
    assert_int_equal(cloud->ops->describe(cloud, made.id, &seen, &err), 0);
    assert_int_equal(seen.state, GL_STATE_HALTED);
    fail_next("StartInstances", 500, "InsufficientInstanceCapacity", 1, false);
    assert_int_equal(cloud->ops->start(cloud, made.id, &err), -1);
    assert_int_equal(err.code, GL_E_CAPACITY);
    gl_error_clear(&err);
    assert_int_equal(cloud->ops->start(cloud, made.id, &err), 0);
    assert_int_equal(cloud->ops->describe(cloud, made.id, &seen, &err), 0);
    assert_int_equal(seen.state, GL_STATE_RUNNING);
}

static void images_are_one_a_name(void **state)
{
    struct gl_launch launch = a_launch(), second;
    struct gl_instance made;
    struct gl_cloud_image image, again, copy;
    struct gl_error err = {0};

    (void)state;
    assert_int_equal(launch_it(&launch, &made, &err), 0);
    assert_int_equal(cloud->ops->image_create(cloud, made.id, "step-1", &image, &err), 0);
    assert_int_equal(image.state, GL_IMAGE_PENDING);
    assert_int_equal(cloud->ops->image_create(cloud, made.id, "step-1", &again, &err), 0);
    assert_string_equal(again.id, image.id);
    assert_image_found(cloud, made.id, made.region, "step-1", image.id);
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(cloud->ops->image_look(cloud, image.id, &image, &err), 0);
    assert_int_equal(image.state, GL_IMAGE_READY);
    assert_int_equal(image.bytes, (int64_t)8 << 30);
    assert_int_equal(cloud->ops->image_copy(cloud, image.id, "eu-west-1", "step-2", &copy, &err),
                     0);
    assert_ptr_equal(strstr(copy.id, "eu-west-1/ami-"), copy.id);
    assert_image_found(cloud, made.id, "eu-west-1", "step-2", copy.id);
    second = a_launch();
    second.image = copy.id; /* of another region than the launch's */
    assert_int_equal(launch_it(&second, &made, &err), -1);
    assert_int_equal(err.code, GL_E_BAD_VALUE);
    second.region = "eu-west-1";
    assert_int_equal(launch_it(&second, &made, &err), 0);
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(cloud->ops->image_delete(cloud, image.id, &err), 0);
    assert_string_equal(fake->images[0].snapshot, "");
    assert_int_equal(cloud->ops->image_look(cloud, image.id, &image, &err), 0);
    assert_int_equal(image.state, GL_IMAGE_ABSENT);
}

/* ---- what is told to the guest, and nobody else ---- */

static void user_data_ends_the_machine_and_holds_the_token(void **state)
{
    static const char *const command[] = {"echo", "hello", NULL};
    struct gl_launch launch = a_launch();
    struct gl_instance made;
    struct gl_error err = {0};
    struct gl_str big = {0};
    char text[32768];
    size_t length;

    (void)state;
    launch.command = command;
    assert_int_equal(launch_it(&launch, &made, &err), 0);
    assert_int_equal(
        gl_base64_parse(fake->instances[0].user_data, text, sizeof text - 1, &length, &err), 0);
    text[length] = '\0';
    assert_non_null(strstr(text, "poweroff"));
    gl_str_add(&big, "#!/bin/sh\n");
    while (big.length < 40000)
        gl_str_add(&big, "echo 0123456789012345678901234567890123456789\n");
    launch = a_launch();
    launch.user_data = gl_str_text(&big);
    assert_int_equal(launch_it(&launch, &made, &err), -1);
    assert_int_equal(err.code, GL_E_TOO_LARGE);
    assert_int_equal(fake->count, 1);
    gl_str_done(&big);
}

/* How many files of a folder hold the text; *out_count = files there are. */
static size_t files_with(const char *folder, const char *text, size_t *out_count)
{
    DIR *entries = opendir(folder);
    size_t found = 0;

    assert_non_null(entries);
    *out_count = 0;
    for (struct dirent *entry = readdir(entries); entry != NULL; entry = readdir(entries)) {
        GL_AUTO(gl_auto_free) char *path = gl_path_join(folder, entry->d_name), *bytes = NULL;
        struct gl_error err = {0};
        size_t length;

        if (entry->d_name[0] == '.' || gl_file_read(path, 1 << 20, &bytes, &length, &err) < 0)
            continue;
        ++*out_count;
        found += memmem(bytes, length, text, strlen(text)) != NULL;
    }
    closedir(entries);
    return found;
}

static void a_recording_and_errors_hold_no_secret(void **state)
{
    const char *build = getenv("BUILD_DIR");
    struct gl_world recorded = world;
    struct gl_cloud_options options = {.world = &recorded};
    struct gl_launch launch = a_launch();
    struct gl_instance made;
    struct gl_error err = {0};
    struct gl_cloud *other;
    size_t count;
    char folder[256];

    (void)state;
    snprintf(folder, sizeof folder, "%s/tmp/aws_recording", build != NULL ? build : "build");
    gl_dir_remove(folder, &err);
    assert_int_equal(gl_dir_make(folder, &err), 0);
    gl_remote_fixture_set(&gl_remote_fixture_aws, fake, &recorded, &options);
    recorded.http = gl_http_record_new(gl_http_curl_new(), folder, NULL);
    other = gl_cloud_open("aws", &options, &err);
    assert_non_null(other);
    assert_int_equal(other->ops->launch(other, &launch, &made, &err), 0);
    launch.type = "t4g.nano";
    assert_int_equal(other->ops->launch(other, &launch, &made, &err), -1);
    assert_null(strstr(err.text, GL_FAKE_AWS_SECRET));
    assert_null(strstr(err.text, enrol));
    assert_int_equal(files_with(folder, GL_FAKE_AWS_SECRET, &count), 0);
    assert_int_equal(files_with(folder, "Signature=", &count), 0);
    assert_int_equal(files_with(folder, enrol, &count), 0);
    assert_true(count > 0);
    gl_cloud_close(other);
    gl_http_close(recorded.http);
    gl_dir_remove(folder, &err);
}

static void catalogue_of_all_regions(void **state)
{
    struct gl_catalog *catalog;
    struct gl_catalog_report report;
    const struct gl_catalog_row *rows;
    size_t count, priced = 0, spot = 0, offered = 0;

    (void)state;
    fake->page = 2;
    gl_catalog_refresh(&cloud, 1, 20000, &catalog, &report);
    if (!report.is_whole)
        print_message("%s\n", report.first.text);
    assert_true(report.is_whole);
    count = gl_catalog_rows(catalog, &rows);
    for (size_t i = 0; i < count; i++) {
        priced += rows[i].price_u_usd != GL_UNKNOWN;
        spot += rows[i].spot_u_usd != GL_UNKNOWN;
        offered += rows[i].is_offered;
        if (strcmp(rows[i].type, "t4g.nano") == 0 && rows[i].zone[0] == '\0') {
            assert_string_equal(rows[i].arch, "arm64");
            assert_int_equal(rows[i].price_u_usd, 4200);
            assert_int_equal(rows[i].memory_mib, 1024);
        }
        if (strcmp(rows[i].type, "t9.nostock") == 0) /* 1.0000005 */
            assert_int_equal(rows[i].price_u_usd, 1000001);
    }
    assert_int_equal(priced, 6);  /* three types in two regions */
    assert_int_equal(offered, 8); /* four */
    assert_int_equal(spot, 4);    /* one in two zones of each */
    gl_catalog_free(catalog);
    fake->has_no_prices = true;
    gl_catalog_refresh(&cloud, 1, 20000, &catalog, &report);
    assert_false(report.is_whole);
    assert_int_equal(report.first.code, GL_E_PERMISSION);
    assert_int_equal(report.failed, 2);
    gl_catalog_free(catalog);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(other_parameters_under_one_token),
        TEST(a_token_outlives_its_instance),
        TEST(an_answer_that_is_lost),
        TEST(without_tags_it_is_found_by_its_token),
        TEST(seen_only_after_a_while),
        TEST(stock_quota_and_price),
        TEST(a_throttle_is_waited_out),
        TEST(rejected_credentials),
        TEST(what_could_be_launched),
        TEST(pages_of_all_regions),
        TEST(one_region_that_fails),
        TEST(a_region_that_is_not_enabled),
        TEST(a_console_longer_than_its_window),
        TEST(halted_and_started),
        TEST(images_are_one_a_name),
        TEST(user_data_ends_the_machine_and_holds_the_token),
        TEST(a_recording_and_errors_hold_no_secret),
        TEST(catalogue_of_all_regions),
    };
#undef TEST

    return cmocka_run_group_tests(tests, NULL, NULL);
}
