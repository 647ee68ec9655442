/* SPDX-License-Identifier: Apache-2.0 */
/* AWS credentials that a role, a container or a machine must first be asked for, while other clouds
 * answer: nobody waits for them, and a host that says nothing is named. */
#include "providers/cloud/catalog.h"
#include "providers/cloud/drivers.h"
#include "tests/conformance/cloud_fake_aws.h"
#include "tests/conformance/cloud_fake_vps.h"
#include "tests/support/scratch.h"

#include "base/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define LINES       12
#define DEADLINE_MS 10000
#define PATIENCE_MS 700 /* less than a machine's metadata are waited for */

/* What the server of credentials does, and what it has seen. */
static struct {
    const char *silent;         /* part of a path that it says nothing to; NULL = none */
    unsigned asked, sts, alone; /* the last: before the other cloud had been asked at all */
    int broken;                 /* so often STS answers 503 first */
    bool is_only;               /* no other cloud is asked */
} door;

static struct gl_test_server *keys;
static struct gl_fake_aws *aws;
static struct gl_fake *hetzner;
static char *folder, lines[LINES][512];
static size_t line_count;
static struct gl_world world;
static struct gl_cloud *clouds[2];

static void add_line(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void add_line(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(lines[line_count++], sizeof lines[0], format, args);
    va_end(args);
}

static const char *getenv_of_test(void *cookie, const char *name)
{
    size_t length = strlen(name);

    (void)cookie;
    for (size_t i = 0; i < line_count; i++)
        if (strncmp(lines[i], name, length) == 0 && lines[i][length] == '=')
            return lines[i] + length + 1;
    return NULL;
}

/* Holds the answer back until the other cloud has been asked. */
static void wait_for_the_other(void)
{
    const struct timespec pause = {0, 5000000};

    for (int left = PATIENCE_MS / 5; !door.is_only && gl_test_server_requests(hetzner->server) == 0;
         left--) {
        if (left == 0) {
            door.alone++;
            return;
        }
        nanosleep(&pause, NULL);
    }
}

static void answer_sts(struct gl_test_answer *out)
{
    door.sts++;
    if (door.broken > 0) {
        door.broken--;
        gl_test_answer_text(out, 503, "text/xml",
                            "<ErrorResponse><Error><Code>ServiceUnavailable</Code><Message>x"
                            "</Message></Error></ErrorResponse>");
        return;
    }
    gl_test_answer_text(
        out, 200, "text/xml",
        "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>" GL_FAKE_AWS_KEY
        "</AccessKeyId><SecretAccessKey>" GL_FAKE_AWS_SECRET
        "</SecretAccessKey><Expiration>2099-01-01T00:00:00Z</Expiration>"
        "</Credentials></AssumeRoleResult></AssumeRoleResponse>");
}

static void answer(const struct gl_test_request *request, struct gl_test_answer *out, void *cookie)
{
    (void)cookie;
    door.asked++;
    wait_for_the_other();
    if (door.silent != NULL && strstr(request->path, door.silent) != NULL)
        out->is_silent = true;
    else if (strcmp(request->method, "PUT") == 0)
        gl_test_answer_text(out, 200, "text/plain", "imds-token");
    else if (strcmp(request->path, "/") == 0)
        answer_sts(out);
    else if (strcmp(request->path, "/latest/meta-data/iam/security-credentials/") == 0)
        gl_test_answer_text(out, 200, "text/plain", "worker");
    else
        gl_test_answer_text(out, 200, "application/json",
                            "{\"Code\":\"Success\",\"AccessKeyId\":\"" GL_FAKE_AWS_KEY
                            "\",\"SecretAccessKey\":\"" GL_FAKE_AWS_SECRET
                            "\",\"Expiration\":\"2099-01-01T00:00:00Z\"}");
}

static struct gl_cloud *opened(const char *name, const struct gl_setting *settings, size_t count)
{
    struct gl_error err = {0};
    struct gl_cloud *cloud = gl_cloud_open(
        name,
        &(struct gl_cloud_options){.world = &world, .settings = settings, .setting_count = count},
        &err);

    if (cloud == NULL)
        fail_msg("%s", err.text);
    return cloud;
}

static void open_all(const char *profile)
{
    const struct gl_setting of_aws[] = {{"region", "eu-north-1"}, {"profile", profile}};
    const struct gl_setting of_hetzner[] = {{"endpoint", gl_fake_url(hetzner)}};

    clouds[0] = opened("aws", of_aws, profile != NULL ? 2 : 1);
    clouds[1] = opened("hetzner", of_hetzner, 1);
}

static void write_config(const char *text)
{
    GL_AUTO(gl_auto_free) char *path = gl_path_join(folder, "config");
    struct gl_error err = {0};

    assert_int_equal(gl_file_write(path, text, strlen(text), 0600, &err), 0);
}

static int fresh(void **state)
{
    (void)state;
    memset(&door, 0, sizeof door);
    memset(clouds, 0, sizeof clouds);
    line_count = 0;
    folder = scratch_make("beside");
    keys = gl_test_server_start(answer, NULL);
    aws = gl_fake_aws_start();
    hetzner = gl_fake_start(&gl_fake_hetzner);
    gl_world_real(&world);
    world.getenv = getenv_of_test;
    world.http = gl_http_curl_new();
    add_line("HCLOUD_TOKEN=" GL_FAKE_TOKEN);
    add_line("AWS_CONFIG_FILE=%s/config", folder);
    add_line("AWS_SHARED_CREDENTIALS_FILE=%s/none", folder);
    add_line("AWS_ENDPOINT_URL=%s", gl_fake_aws_url(aws));
    add_line("AWS_ENDPOINT_URL_STS=%s", gl_test_server_url(keys));
    add_line("AWS_EC2_METADATA_SERVICE_ENDPOINT=%s", gl_test_server_url(keys));
    return 0;
}

static int done(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++)
        gl_cloud_close(clouds[i]);
    gl_http_close(world.http);
    gl_test_server_stop(keys);
    gl_fake_aws_stop(aws);
    gl_fake_stop(hetzner);
    scratch_remove(folder);
    return 0;
}

static void refresh(int64_t deadline_ms, struct gl_catalog_report reports[2])
{
    struct gl_catalog *catalogs[2];

    gl_catalog_refresh(clouds, 2, deadline_ms, catalogs, reports);
    gl_catalog_free(catalogs[0]);
    gl_catalog_free(catalogs[1]);
}

static void expect_whole(const char *profile, unsigned asked)
{
    struct gl_catalog_report reports[2];

    open_all(profile);
    refresh(DEADLINE_MS, reports);
    for (size_t i = 0; i < 2; i++)
        if (!reports[i].is_whole || reports[i].rows == 0)
            fail_msg("%s: %s", reports[i].cloud, reports[i].first.text);
    assert_int_equal(door.asked, asked);
    assert_int_equal(door.alone, 0);
}

static void a_role_by_way_of_the_machine(void **state)
{
    (void)state;
    write_config("[profile one]\nrole_arn=arn:aws:iam::1:role/one\n"
                 "credential_source=Ec2InstanceMetadata\n"
                 "[profile two]\nrole_arn=arn:aws:iam::1:role/two\nsource_profile=one\n");
    expect_whole("two", 5); /* token, role, keys; then two roles */
}

/* As many as may be: eight exchanges. */
#define FIVE_ROLES                                                              \
    "[profile one]\nrole_arn=arn:aws:iam::1:role/one\n"                         \
    "credential_source=Ec2InstanceMetadata\n"                                   \
    "[profile two]\nrole_arn=arn:aws:iam::1:role/two\nsource_profile=one\n"     \
    "[profile three]\nrole_arn=arn:aws:iam::1:role/three\nsource_profile=two\n" \
    "[profile four]\nrole_arn=arn:aws:iam::1:role/four\nsource_profile=three\n" \
    "[profile five]\nrole_arn=arn:aws:iam::1:role/five\nsource_profile=four\n"  \
    "[profile six]\nrole_arn=arn:aws:iam::1:role/six\nsource_profile=five\n"

static void five_roles_by_way_of_the_machine(void **state)
{
    (void)state;
    write_config(FIVE_ROLES);
    expect_whole("five", 8); /* token, role, keys; then five roles */
}

static void a_container(void **state)
{
    (void)state;
    add_line("AWS_CONTAINER_CREDENTIALS_FULL_URI=%s/container", gl_test_server_url(keys));
    expect_whole(NULL, 1);
}

static void a_role_of_what_a_program_says(void **state)
{
    GL_AUTO(gl_str_done) struct gl_str text = {0};

    (void)state;
    gl_str_addf(&text,
                "[profile base]\ncredential_process = sh -c 'sleep 0.1; printf x >>%s/ran; "
                "echo \"{\\\"Version\\\":1,\\\"AccessKeyId\\\":\\\"AKSLOW\\\","
                "\\\"SecretAccessKey\\\":\\\"planted\\\"}\"'\n"
                "[profile one]\nrole_arn=arn:aws:iam::1:role/one\nsource_profile=base\n",
                folder);
    write_config(gl_str_text(&text));
    expect_whole("one", 1);
    GL_AUTO(gl_auto_free) char *ran = gl_path_join(folder, "ran");
    struct gl_error err = {0};

    gl_str_done(&text);
    assert_int_equal(gl_file_read(ran, 10, &text.text, &text.length, &err), 0);
    assert_int_equal(text.length, 1); /* once, however often the chain is gone along */
}

static void sts_that_is_broken_is_asked_again(void **state)
{
    (void)state;
    write_config("[default]\nrole_arn=arn:aws:iam::1:role/one\n"
                 "credential_source=Ec2InstanceMetadata\n");
    door.broken = 2;
    expect_whole(NULL, 6);
    assert_int_equal(door.sts, 3);
}

/* Named, with the others whole. */
static void expect_named(int64_t deadline_ms, enum gl_errc code, const char *text)
{
    struct gl_catalog_report reports[2];

    refresh(deadline_ms, reports);
    assert_true(reports[1].is_whole && reports[1].rows > 0);
    assert_int_equal(reports[0].rows, 0);
    assert_int_equal(reports[0].first.code, code);
    if (strstr(reports[0].first.text, text) == NULL)
        fail_msg("%s is not in: %s", text, reports[0].first.text);
    assert_null(strstr(reports[0].first.text, "planted"));
}

static void what_fails_is_named_and_asked_for_anew(void **state)
{
    (void)state;
    write_config("[default]\nrole_arn=arn:aws:iam::1:role/one\n"
                 "credential_source=Ec2InstanceMetadata\n");
    open_all(NULL);
    door.silent = "security-credentials/worker";
    expect_named(DEADLINE_MS, GL_E_TIMEOUT, "instance metadata: ");
    door.silent = NULL;
    door.broken = 99;
    expect_named(DEADLINE_MS, GL_E_PROVIDER, "STS refuses: ServiceUnavailable");
}

static void what_is_awaited_at_the_deadline_is_named(void **state)
{
    char text[300];

    (void)state;
    add_line("AWS_WEB_IDENTITY_TOKEN_FILE=%s/config", folder);
    add_line("AWS_ROLE_ARN=arn:aws:iam::1:role/web");
    write_config("[default]\n");
    open_all(NULL);
    door.silent = "/";
    snprintf(text, sizeof text, "%s", strstr(gl_test_server_url(keys), "://") + 3);
    expect_named(1500, GL_E_TIMEOUT, text);
    assert_int_equal(door.asked, 1);
}

static void a_machine_that_says_nothing_is_no_instance(void **state)
{
    char text[300];

    (void)state;
    open_all(NULL);
    door.silent = "/latest/api/token";
    snprintf(text, sizeof text, "(%s gives no answer)", gl_test_server_url(keys));
    expect_named(DEADLINE_MS, GL_E_NO_CREDENTIAL, text);
    assert_int_equal(door.asked, 1); /* as AWS's tools: once, and not for long */
}

/* One call of one cloud goes the same way. */
static void a_single_call_fetches_them_as_well(void **state)
{
    const char *const *regions = NULL;
    struct gl_error err = {0};

    (void)state;
    write_config("[default]\nrole_arn=arn:aws:iam::1:role/one\n"
                 "credential_source=Ec2InstanceMetadata\n");
    open_all(NULL);
    door.is_only = true;
    door.broken = 1;
    if (clouds[0]->ops->regions(clouds[0], &regions, &err) != 0)
        fail_msg("%s", err.text);
    assert_int_equal(door.sts, 2);
}

static void a_single_call_goes_by_five_roles_and_no_more(void **state)
{
    const char *const *regions = NULL;
    struct gl_error err = {0};

    (void)state;
    write_config(FIVE_ROLES);
    open_all("five");
    door.is_only = true;
    if (clouds[0]->ops->regions(clouds[0], &regions, &err) != 0)
        fail_msg("%s", err.text);
    assert_int_equal(door.asked, 8);
    gl_cloud_close(clouds[0]);
    gl_cloud_close(clouds[1]);
    open_all("six");
    assert_int_equal(clouds[0]->ops->regions(clouds[0], &regions, &err), -1);
    assert_non_null(strstr(err.text, "more than 5 times"));
    assert_int_equal(door.asked, 8);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, fresh, done)
    const struct CMUnitTest tests[] = {
        CASE(a_role_by_way_of_the_machine),
        CASE(five_roles_by_way_of_the_machine),
        CASE(a_container),
        CASE(a_role_of_what_a_program_says),
        CASE(sts_that_is_broken_is_asked_again),
        CASE(what_fails_is_named_and_asked_for_anew),
        CASE(what_is_awaited_at_the_deadline_is_named),
        CASE(a_machine_that_says_nothing_is_no_instance),
        CASE(a_single_call_fetches_them_as_well),
        CASE(a_single_call_goes_by_five_roles_and_no_more),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
