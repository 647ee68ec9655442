/* SPDX-License-Identifier: Apache-2.0 */
/* OpenStack against a counterpart of our own: a catalogue that is not wholly believed, no create
 * token, servers that fail after they were accepted, two regions. */
#include "providers/cloud/openstack.h"
#include "tests/conformance/cloud_image_find.h"

#include "providers/cloud/drivers.h"
#include "tests/support/fake_openstack.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define TOKEN "00000000aaaaaaaa0123456789abcdef0123456789abcdef0123456789abcdef"
#define OTHER "00000001aaaaaaaa0123456789abcdef0123456789abcdef0123456789abcdef"

static struct fake_openstack fake;
static struct gl_world world;
static struct gl_cloud *cloud;
static char url_line[300];
static const char *environment[12];
static struct gl_setting settings[4];
static size_t setting_count;
static struct gl_error err;

static const char *getenv_of_test(void *cookie, const char *name)
{
    size_t length = strlen(name);

    (void)cookie;
    for (size_t i = 0; environment[i] != NULL; i++)
        if (strncmp(environment[i], name, length) == 0 && environment[i][length] == '=')
            return environment[i] + length + 1;
    return NULL;
}

static struct gl_cloud *open_cloud(void)
{
    return gl_openstack_open(&(struct gl_cloud_options){.world = &world,
                                                        .settings = settings,
                                                        .setting_count = setting_count},
                             &err);
}

static void use_password(void)
{
    const char *const lines[] = {url_line,
                                 "OS_USERNAME=tester",
                                 "OS_PASSWORD=" FAKE_OPENSTACK_PASSWORD,
                                 "OS_PROJECT_NAME=green",
                                 "OS_USER_DOMAIN_NAME=Default",
                                 "OS_REGION_NAME=north"};

    memset(environment, 0, sizeof environment);
    memcpy(environment, lines, sizeof lines);
}

static void open_again(void)
{
    gl_cloud_close(cloud);
    gl_error_clear(&err);
    cloud = open_cloud();
    if (cloud == NULL)
        fail_msg("%s", err.text);
}

static int fresh(void **state)
{
    (void)state;
    fake_openstack_start(&fake);
    snprintf(url_line, sizeof url_line, "OS_AUTH_URL=%s/identity", gl_test_server_url(fake.server));
    use_password();
    settings[0] = (struct gl_setting){"image", "debian"};
    setting_count = 1;
    gl_world_real(&world);
    world.getenv = getenv_of_test;
    world.http = gl_http_curl_new();
    cloud = NULL;
    open_again();
    return 0;
}

static int done(void **state)
{
    (void)state;
    gl_cloud_close(cloud);
    gl_http_close(world.http);
    if (fake.complaints.length > 0)
        fail_msg("the counterpart complains: %s", gl_str_text(&fake.complaints));
    fake_openstack_stop(&fake);
    return 0;
}

static struct gl_launch launch_of(const char *type, const char *token)
{
    return (struct gl_launch){.token = token,
                              .launch_id = "gl-4k2p9x",
                              .region = "north",
                              .type = type,
                              .attempt = 1,
                              .expires = {time(NULL) + 3600},
                              .lease = {3600},
                              .vcpus = 2};
}

static struct gl_instance started_in(const char *region, const char *type, const char *token)
{
    struct gl_launch launch = launch_of(type, token);
    struct gl_instance out;

    launch.region = region;
    gl_error_clear(&err);
    if (cloud->ops->launch(cloud, &launch, &out, &err) != 0)
        fail_msg("%s", err.text);
    return out;
}

static struct gl_instance started(const char *type)
{
    return started_in("north", type, TOKEN);
}

static void holds_no_secret(const char *text)
{
    assert_null(strstr(text, "planted"));
}

/* The launch fails with this code, and so many servers are there. */
static void fails_with(const char *type, enum gl_errc code, size_t existing)
{
    const struct gl_launch launch = launch_of(type, TOKEN);
    struct gl_instance out;

    gl_error_clear(&err);
    assert_int_equal(cloud->ops->launch(cloud, &launch, &out, &err), -1);
    if (err.code != code)
        fail_msg("%d: %s", (int)err.code, err.text);
    holds_no_secret(err.text);
    assert_int_equal(fake_openstack_existing(&fake), existing);
}

/* ---- a life ---- */

static void one_life(void **state)
{
    struct gl_instance made = started("small"), seen, *rows;
    struct gl_str text = {0};
    uint64_t next;
    size_t count;
    char who[128];

    (void)state;
    assert_string_equal(made.id, "north/00000000-0000-4000-8000-000000000001");
    assert_string_equal(made.token, TOKEN);
    assert_string_equal(made.type, "small");
    assert_string_equal(made.zone, "nova");
    assert_int_equal(made.state, GL_STATE_RUNNING);
    assert_int_equal(cloud->ops->whoami(cloud, who, &err), 0);
    assert_string_equal(who, "green as tester");
    assert_int_equal(cloud->ops->find_by_request(cloud, NULL, TOKEN, &seen, &err), 1);
    assert_string_equal(seen.id, made.id);
    assert_int_equal(cloud->ops->find_by_request(cloud, "south", TOKEN, &seen, &err), 0);
    assert_int_equal(cloud->ops->find_by_request(cloud, NULL, OTHER, &seen, &err), 0);
    assert_int_equal(cloud->ops->list(cloud, &rows, &count, &err), 0);
    assert_int_equal(count, 1);
    free(rows);
    assert_int_equal(cloud->ops->console(cloud, made.id, 0, &text, &next, &err), 0);
    assert_string_equal(gl_str_text(&text), "booted\n");
    assert_int_equal(next, 7);
    gl_str_done(&text);
    assert_int_equal(cloud->ops->stop(cloud, made.id, (struct gl_span){5}, &err), 0);
    assert_int_equal(cloud->ops->stop(cloud, made.id, (struct gl_span){5}, &err), 0);
    assert_int_equal(cloud->ops->describe(cloud, made.id, &seen, &err), 0);
    assert_int_equal(seen.state, GL_STATE_HALTED);
    assert_int_equal(cloud->ops->start(cloud, made.id, &err), 0);
    assert_int_equal(cloud->ops->describe(cloud, made.id, &seen, &err), 0);
    assert_int_equal(seen.state, GL_STATE_RUNNING);
    assert_int_equal(cloud->ops->terminate(cloud, made.id, &err), 0);
    assert_int_equal(cloud->ops->terminate(cloud, made.id, &err), 0);
    assert_int_equal(cloud->ops->describe(cloud, made.id, &seen, &err), -1);
    assert_int_equal(err.code, GL_E_NOT_FOUND);
    assert_int_equal(fake.tokens_given, 1);
}

static void settings_go_into_the_create(void **state)
{
    (void)state;
    settings[1] = (struct gl_setting){"keypair", "mine"};
    settings[2] = (struct gl_setting){"security-group", "closed"};
    settings[3] = (struct gl_setting){"network", "44444444-4444-4444-8444-444444444444"};
    setting_count = 4;
    open_again();
    started("small");
    assert_non_null(strstr(gl_str_text(&fake.bodies), "\"key_name\":\"mine\""));
    assert_non_null(
        strstr(gl_str_text(&fake.bodies), "\"security_groups\":[{\"name\":\"closed\"}]"));
    assert_non_null(strstr(gl_str_text(&fake.bodies),
                           "\"networks\":[{\"uuid\":\"44444444-4444-4444-8444-444444444444\"}]"));
    assert_non_null(strstr(gl_str_text(&fake.bodies), "\"greenlaunch-token-b\""));
}

static void an_old_api_is_spoken_to_plainly(void **state)
{
    struct gl_instance made, seen;
    struct gl_cloud_image image;

    (void)state;
    fake.regions[0].most = "2.25";
    fake.regions[1].most = NULL;
    made = started("small");
    assert_string_equal(made.type, "small"); /* from the id */
    assert_int_equal(cloud->ops->find_by_request(cloud, NULL, TOKEN, &seen, &err), 1);
    assert_int_equal(cloud->ops->image_create(cloud, made.id, "gl-move", &image, &err), 0);
    assert_string_equal(image.id, "north/22222222-0000-4000-8000-000000000002");
    fake.regions[0].most = "2.60";
    open_again();
    assert_int_equal(cloud->ops->describe(cloud, made.id, &seen, &err), 0);
}

/* ---- one token, one server ---- */

static void the_same_token_is_the_same_server(void **state)
{
    struct gl_instance first = started("small"), again = started("small");

    (void)state;
    assert_string_equal(first.id, again.id);
    assert_int_equal(fake.posts, 1);
}

static void of_two_with_one_token_the_eldest_stays(void **state)
{
    const char *flavor = *state; /* whether ours still runs when we look for others */
    struct gl_instance made = started(flavor), seen;

    assert_int_equal(fake.made, 2);
    assert_string_equal(made.id, "north/00000000-0000-4000-8000-000000000001");
    assert_int_equal(fake_openstack_existing(&fake), 1);
    assert_int_equal(cloud->ops->find_by_request(cloud, NULL, TOKEN, &seen, &err), 1);
    assert_string_equal(seen.id, made.id);
}

static void an_answer_that_is_lost_is_found(void **state)
{
    (void)state;
    started("m-lost");
    assert_int_equal(fake.made, 1);
    assert_int_equal(fake.posts, 1);
    started_in("north", "m-vague", OTHER);
    assert_int_equal(fake.made, 2);
    assert_int_equal(fake.posts, 2);
}

static void a_region_that_does_not_answer_leaves_it_open(void **state)
{
    struct gl_instance seen, *rows;
    size_t count;

    (void)state;
    started("small");
    fake.regions[1].is_dead = true;
    assert_int_equal(cloud->ops->find_by_request(cloud, "north", OTHER, &seen, &err), 0);
    assert_int_equal(cloud->ops->find_by_request(cloud, NULL, OTHER, &seen, &err), -1);
    assert_non_null(strstr(err.text, "south"));
    gl_error_clear(&err);
    assert_int_equal(cloud->ops->list(cloud, &rows, &count, &err), -1);
}

static void lists_go_on_over_pages_of_all_regions(void **state)
{
    struct gl_instance *rows;
    char token[65];
    size_t count;

    (void)state;
    for (unsigned i = 0; i < 5; i++) {
        snprintf(token, sizeof token, "%08x%s", 0x100 + i, &TOKEN[8]);
        started_in(i < 3 ? "north" : "south", "small", token);
    }
    assert_int_equal(cloud->ops->list(cloud, &rows, &count, &err), 0);
    assert_int_equal(count, 5);
    free(rows);
}

/* ---- failures ---- */

static void stock_quota_and_rights_are_three_things(void **state)
{
    (void)state;
    fails_with("m-stockout", GL_E_CAPACITY, 0); /* accepted, failed, removed */
    assert_int_equal(cloud->failure.reach, GL_REACH_REGION);
    assert_int_equal(fake.made, 1);
    fails_with("m-quota", GL_E_QUOTA, 0);
    assert_int_equal(cloud->failure.reach, GL_REACH_REGION);
    fails_with("m-broken", GL_E_LAUNCH, 0);
    assert_null(strchr(err.text, '\x1b'));
    fails_with("no-such", GL_E_UNKNOWN_NAME, 0);
    fake.has_rules = true;
    fails_with("small", GL_E_PERMISSION, 0);
}

static void a_failed_server_that_cannot_be_removed_is_in_doubt(void **state)
{
    struct gl_instance seen;

    (void)state;
    fake.regions[0].bad_ends = 2; /* ERROR once more: deleted again */
    fails_with("m-stockout", GL_E_CAPACITY, 0);
    assert_int_equal(fake.regions[0].bad_ends, 0);
    /* Left by a launcher that was killed: found, removed and proven absent. */
    fake.looks = 0;
    started("small");
    json_object_set_new(fake.regions[0].servers[1], "status", json_string("ERROR"));
    json_object_set_new(fake.regions[0].servers[1], "OS-SRV-USG:launched_at", json_null());
    assert_int_equal(cloud->ops->find_by_request(cloud, NULL, TOKEN, &seen, &err), 0);
    assert_int_equal(fake_openstack_existing(&fake), 0);
}

/* A broker asks no more for what is over: nothing that exists may be told so. */
static void what_exists_is_never_over(void **state)
{
    struct gl_instance made = started("small"), seen;

    (void)state;
    json_object_set_new(fake.regions[0].servers[0], "status", json_string("ERROR"));
    assert_int_equal(cloud->ops->describe(cloud, made.id, &seen, &err), 0);
    assert_int_equal(seen.state, GL_STATE_HALTED);
    assert_string_equal(seen.why, "ERROR");
    json_object_set_new(fake.regions[0].servers[0], "status", json_string("UNKNOWN"));
    assert_int_equal(cloud->ops->describe(cloud, made.id, &seen, &err), 0);
    assert_int_equal(seen.state, GL_STATE_RUNNING);
    fake.regions[0].bad_ends = 1;
    fake.regions[0].lingers = 2;
    fake.regions[0].faults = 2; /* neutron does not answer nova */
    assert_int_equal(cloud->ops->terminate(cloud, made.id, &err), 0);
    assert_int_equal(fake_openstack_existing(&fake), 0);
}

static void what_is_not_ours_is_left_alone(void **state)
{
    struct gl_instance made = started("small");

    (void)state;
    json_object_del(json_object_get(fake.regions[0].servers[0], "metadata"), "greenlaunch-token-a");
    assert_int_equal(cloud->ops->terminate(cloud, made.id, &err), -1);
    assert_int_equal(err.code, GL_E_TOKEN);
    assert_int_equal(fake_openstack_existing(&fake), 1);
}

static void a_throttle_is_waited_out(void **state)
{
    (void)state;
    started("m-slow");
    assert_int_equal(fake.made, 1);
    assert_int_equal(fake.posts, 2);
}

static void a_service_that_refuses_does_not_make_us_log_in_again(void **state)
{
    struct gl_instance made = started("small"), seen;

    (void)state;
    fake.has_rules = true;
    for (unsigned i = 0; i < 5; i++) {
        gl_error_clear(&err);
        assert_int_equal(cloud->ops->describe(cloud, made.id, &seen, &err), -1);
        assert_int_equal(err.code, GL_E_PERMISSION);
        assert_non_null(strstr(err.text, "access rules"));
        holds_no_secret(err.text);
    }
    assert_int_equal(fake.tokens_given, 1);
    fake.has_rules = false;
    /* One that is older is asked for anew. */
    gl_openstack_of(cloud)->credential.given_s -= 60;
    snprintf(fake.token, sizeof fake.token, "revoked");
    assert_int_equal(cloud->ops->describe(cloud, made.id, &seen, &err), 0);
    assert_int_equal(fake.tokens_given, 2);
}

static bool give_up(void *cookie)
{
    unsigned *asked = cookie;

    return fake.made > 0 && ++*asked > 2;
}

static void a_launch_that_is_given_up_leaves_nothing(void **state)
{
    struct gl_launch launch = launch_of("small", TOKEN);
    struct gl_instance out;
    unsigned asked = 0;

    (void)state;
    fake.looks = 50;
    launch.is_cancelled = give_up;
    launch.cookie = &asked;
    assert_int_equal(cloud->ops->launch(cloud, &launch, &out, &err), -1);
    assert_int_equal(err.code, GL_E_INTERRUPTED);
    assert_int_equal(fake.made, 1);
    assert_int_equal(fake_openstack_existing(&fake), 0);
}

/* ---- before a launch ---- */

static void check_says_what_would_hinder(void **state)
{
    struct gl_launch launch = launch_of("large", TOKEN);
    int64_t price;

    (void)state;
    assert_int_equal(cloud->ops->check(cloud, &launch, &err), 0);
    fake.cores_left = 7;
    assert_int_equal(cloud->ops->check(cloud, &launch, &err), -1);
    assert_int_equal(err.code, GL_E_QUOTA);
    gl_error_clear(&err);
    fake.cores_left = 8;
    launch.max_price_u_usd = 1000000;
    assert_int_equal(cloud->ops->check(cloud, &launch, &err), -1);
    assert_int_equal(err.code, GL_E_PRICE);
    fails_with("no-such", GL_E_UNKNOWN_NAME, 0);
    gl_error_clear(&err);
    launch.region = "open"; /* its address is not to be trusted */
    assert_int_equal(cloud->ops->check(cloud, &launch, &err), -1);
    assert_int_equal(err.code, GL_E_UNKNOWN_NAME);
    gl_error_clear(&err);
    assert_int_equal(cloud->ops->price(cloud, "north", "small", &price, &err), 0);
    assert_int_equal(price, GL_UNKNOWN);
    settings[0].value = "no such image";
    open_again();
    launch = launch_of("small", TOKEN);
    assert_int_equal(cloud->ops->check(cloud, &launch, &err), -1);
    assert_int_equal(err.code, GL_E_UNKNOWN_NAME);
    setting_count = 0;
    open_again();
    assert_int_equal(cloud->ops->check(cloud, &launch, &err), -1);
    assert_int_equal(err.code, GL_E_CONFIG);
    assert_int_equal(fake.made, 0);
}

static void the_catalogue_has_all_flavors_of_all_regions(void **state)
{
    struct gl_catalog *catalog;
    struct gl_catalog_report report;
    const struct gl_catalog_row *rows;
    const char *const *names;
    size_t count, south = 0;

    (void)state;
    gl_catalog_refresh(&cloud, 1, 10000, &catalog, &report);
    if (!report.is_whole)
        fail_msg("%s", report.first.text);
    count = gl_catalog_rows(catalog, &rows);
    assert_int_equal(count, 22);
    for (size_t i = 0; i < count; i++) {
        south += strcmp(rows[i].region, "south") == 0;
        assert_int_equal(rows[i].memory_mib, 2048);
        assert_int_equal(rows[i].price_u_usd, GL_UNKNOWN);
    }
    assert_int_equal(south, 11);
    gl_catalog_free(catalog);
    assert_int_equal(cloud->ops->regions(cloud, &names, &err), 0);
    assert_string_equal(names[0], "north");
    assert_string_equal(names[1], "south");
    assert_null(names[2]);
    assert_int_equal(cloud->ops->types(cloud, "south", &names, &err), 0);
    for (count = 0; names[count] != NULL; count++) {
    }
    assert_int_equal(count, 11);
    fake.regions[1].is_dead = true;
    open_again();
    gl_catalog_refresh(&cloud, 1, 10000, &catalog, &report);
    assert_false(report.is_whole);
    assert_string_equal(report.region, "south");
    assert_int_equal(gl_catalog_rows(catalog, &rows), 11);
    gl_catalog_free(catalog);
}

/* ---- images, console ---- */

static void an_image_is_fetched_by_the_other_region(void **state)
{
    struct gl_instance made = started("small");
    struct gl_cloud_image image, again, copied;

    (void)state;
    assert_int_equal(cloud->ops->image_create(cloud, made.id, "gl-move-1", &image, &err), 0);
    assert_int_equal(image.state, GL_IMAGE_PENDING);
    assert_int_equal(cloud->ops->image_create(cloud, made.id, "gl-move-1", &again, &err), 0);
    assert_string_equal(again.id, image.id);
    assert_int_equal(cloud->ops->image_look(cloud, image.id, &image, &err), 0);
    assert_int_equal(image.state, GL_IMAGE_READY);
    assert_int_equal(image.bytes, 1048576);
    assert_int_equal(cloud->ops->image_copy(cloud, image.id, "south", "gl-move-2", &copied, &err),
                     0);
    assert_int_equal(strncmp(copied.id, "south/", 6), 0);
    assert_int_equal(copied.state, GL_IMAGE_PENDING);
    assert_int_equal(cloud->ops->image_copy(cloud, image.id, "south", "gl-move-2", &again, &err),
                     0);
    assert_string_equal(again.id, copied.id);
    assert_image_found(cloud, made.id, "south", "gl-move-2", copied.id);
    assert_image_found(cloud, made.id, made.region, "gl-move-1", image.id);
    assert_int_equal(cloud->ops->image_delete(cloud, copied.id, &err), 0);
    assert_int_equal(cloud->ops->image_delete(cloud, copied.id, &err), 0);
    assert_int_equal(cloud->ops->image_look(cloud, copied.id, &copied, &err), 0);
    assert_int_equal(copied.state, GL_IMAGE_ABSENT);
    fake.regions[1].has_import = false;
    assert_int_equal(cloud->ops->image_copy(cloud, image.id, "south", "gl-move-3", &copied, &err),
                     -1);
    assert_non_null(strstr(err.text, "glance-download"));
    assert_int_equal(json_object_size(fake.regions[1].images), 1);
}

static void a_console_that_slides_is_not_doubled(void **state)
{
    struct gl_openstack_tail *tail = &gl_openstack_of(cloud)->tail;
    struct gl_instance made = started("small");
    struct gl_str text = {0};
    uint64_t next;

    (void)state;
    fake.console = "one\ntwo\n";
    assert_int_equal(cloud->ops->console(cloud, made.id, 4, &text, &next, &err), 0);
    assert_string_equal(gl_str_text(&text), "two\n");
    assert_int_equal(next, 8);
    gl_str_clear(&text);
    /* More was written than nova keeps: only what follows what we had. */
    tail->next = next = 200000;
    fake.console = "one\ntwo\nthree\n";
    assert_int_equal(cloud->ops->console(cloud, made.id, 200000, &text, &next, &err), 0);
    assert_string_equal(gl_str_text(&text), "three\n");
    assert_int_equal(next, 200006);
    gl_str_done(&text);
}

/* ---- pure ---- */

static void words_become_codes(void **state)
{
    static const struct {
        int status;
        const char *word;
        enum gl_errc code;
    } rows[] = {
        {401, "Unauthorized", GL_E_NO_CREDENTIAL},
        {403, "forbidden", GL_E_PERMISSION},
        {403, "Quota exceeded for cores", GL_E_QUOTA},
        {404, "itemNotFound", GL_E_NOT_FOUND},
        {409, "conflictingRequest", GL_E_BUSY},
        {409, "OverQuota", GL_E_QUOTA},
        {413, "overLimit", GL_E_RATE_LIMIT},
        {500, "computeFault", GL_E_PROVIDER},
        {0, "No valid host was found.", GL_E_CAPACITY},
        {0, "Exceeded maximum number of retries. Exhausted all hosts", GL_E_CAPACITY},
        {0, "Image is unacceptable", GL_E_LAUNCH},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(cloud->ops->classify(rows[i].status, rows[i].word), rows[i].code);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, fresh, done)
        TEST(one_life),
        TEST(settings_go_into_the_create),
        TEST(an_old_api_is_spoken_to_plainly),
        TEST(the_same_token_is_the_same_server),
        {"of_two_the_eldest_stays", of_two_with_one_token_the_eldest_stays, fresh, done, "m-twin"},
        {"the_other_ended_ours", of_two_with_one_token_the_eldest_stays, fresh, done, "m-beaten"},
        TEST(an_answer_that_is_lost_is_found),
        TEST(a_region_that_does_not_answer_leaves_it_open),
        TEST(lists_go_on_over_pages_of_all_regions),
        TEST(stock_quota_and_rights_are_three_things),
        TEST(a_failed_server_that_cannot_be_removed_is_in_doubt),
        TEST(what_exists_is_never_over),
        TEST(what_is_not_ours_is_left_alone),
        TEST(a_throttle_is_waited_out),
        TEST(a_service_that_refuses_does_not_make_us_log_in_again),
        TEST(a_launch_that_is_given_up_leaves_nothing),
        TEST(check_says_what_would_hinder),
        TEST(the_catalogue_has_all_flavors_of_all_regions),
        TEST(an_image_is_fetched_by_the_other_region),
        TEST(a_console_that_slides_is_not_doubled),
        TEST(words_become_codes),
#undef TEST
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
