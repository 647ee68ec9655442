/* SPDX-License-Identifier: Apache-2.0 */
/* OpenStack's credentials: variables, clouds.yaml and secure.yaml, and what is refused of them. */
#include "providers/cloud/openstack.h"

#include "base/file.h"
#include "providers/cloud/drivers.h"
#include "tests/support/fake_openstack.h"
#include "tests/support/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char *folder;
static struct fake_openstack fake;
static struct gl_world world;
static struct gl_cloud *cloud;
static char url_line[300];
static const char *environment[12];
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
    return gl_openstack_open(&(struct gl_cloud_options){.world = &world}, &err);
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
    folder = scratch_make("openstack");
    fake_openstack_start(&fake);
    snprintf(url_line, sizeof url_line, "OS_AUTH_URL=%s/identity", gl_test_server_url(fake.server));
    use_password();
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
    scratch_remove(folder);
    return 0;
}

static void holds_no_secret(const char *text)
{
    assert_null(strstr(text, "planted"));
}

static char *write_file(const char *name, const char *text)
{
    char *path = gl_path_join(folder, name);

    assert_int_equal(gl_file_write(path, text, strlen(text), 0600, &err), 0);
    return path;
}

/* clouds.yaml of the folder; "URL" in it becomes the counterpart's. */
static void use_file(const char *text)
{
    static char line[400];
    struct gl_str out = {0};
    char *path;

    for (const char *at = text; *at != '\0'; at++)
        if (strncmp(at, "URL", 3) == 0) {
            gl_str_addf(&out, "%s/identity", gl_test_server_url(fake.server));
            at += 2;
        } else
            gl_str_add_char(&out, *at);
    path = write_file("clouds.yaml", gl_str_text(&out));
    snprintf(line, sizeof line, "OS_CLIENT_CONFIG_FILE=%s", path);
    memset(environment, 0, sizeof environment);
    environment[0] = line;
    free(path);
    gl_str_done(&out);
}

#define APPLICATION                                                                                \
    "clouds:\n  green:\n    auth_type: v3applicationcredential\n    auth:\n      auth_url: URL/\n" \
    "      application_credential_id: application-1\n"

static void clouds_yaml_and_what_is_kept_apart_from_it(void **state)
{
    char *secure, who[128];

    (void)state;
    use_file(APPLICATION);
    secure = write_file("secure.yaml", "clouds: {green: {auth: {application_credential_secret: "
                                       "\"" FAKE_OPENSTACK_SECRET "\"}}}\n");
    open_again(); /* the only cloud of the file */
    assert_int_equal(cloud->ops->whoami(cloud, who, &err), 0);
    assert_string_equal(who, "green as tester");
    remove(secure);
    free(secure);
    gl_error_clear(&err);
    assert_null(open_cloud());
    assert_int_equal(err.code, GL_E_NO_CREDENTIAL);
    assert_non_null(strstr(err.text, "application_credential_secret"));
    gl_error_clear(&err);
    use_file("clouds: {a: {auth: {auth_url: URL}}, b: {auth: {auth_url: URL}}}\n");
    assert_null(open_cloud());
    assert_non_null(strstr(err.text, "OS_CLOUD"));
}

#define PASSWORD                                                                  \
    "auth: {auth_url: URL, username: tester, password: '" FAKE_OPENSTACK_PASSWORD \
    "', project_name: green, user_domain_name: Default, project_domain_name: Default}"

static void only_the_regions_of_the_file_are_used(void **state)
{
    const char *const *names;

    (void)state;
    use_file("clouds: {a: {regions: [{name: south, values: {networks: []}}, west], " PASSWORD
             "}}\n");
    open_again();
    if (cloud->ops->regions(cloud, &names, &err) != 0)
        fail_msg("%s", err.text);
    assert_string_equal(names[0], "south");
    assert_null(names[1]);
    use_file("clouds: {a: {regions: [west], " PASSWORD "}}\n");
    open_again();
    assert_int_equal(cloud->ops->regions(cloud, &names, &err), -1);
    assert_int_equal(err.code, GL_E_UNKNOWN_NAME);
    gl_error_clear(&err);
    use_file("clouds: {a: {region_name: south, " PASSWORD "}}\n"); /* first, but not alone */
    open_again();
    assert_int_equal(cloud->ops->regions(cloud, &names, &err), 0);
    assert_string_equal(names[0], "south");
    assert_string_equal(names[1], "north");
}

static void what_cannot_be_used_is_refused_by_name(void **state)
{
    static const struct {
        const char *text, *says;
        enum gl_errc code;
    } rows[] = {
        {"clouds: {a: {verify: false, auth: {auth_url: URL, password: planted}}}\n", "verified",
         GL_E_CONFIG},
        {"clouds: {a: {auth: {auth_url: 'http://keystone.example:5000', username: u, password: "
         "planted, project_name: p}}}\n",
         "https", GL_E_CONFIG},
        {"clouds: {a: {auth: {auth_url: 'https://u:planted@keystone.example', username: u, "
         "password: "
         "planted, project_name: p}}}\n",
         "user name", GL_E_CONFIG},
        {"clouds: {a: {auth_type: v3oidcpassword, auth: {auth_url: URL, password: planted}}}\n",
         "v3oidcpassword", GL_E_CONFIG},
        {"clouds: {a: {auth: {auth_url: URL, username: u, password: planted}}}\n", "project_name",
         GL_E_NO_CREDENTIAL},
        {"clouds: {a: {auth: {auth_url: URL/v2.0, username: u, password: planted, project_id: "
         "p}}}\n",
         "v2.0", GL_E_CONFIG},
        {"clouds: {a: {profile: acme, auth: {username: u, password: planted}}}\n", "vendor",
         GL_E_CONFIG},
        {"clouds: {a: planted}\n", "mapping", GL_E_CONFIG},
        {"clouds: [planted]\n", "clouds", GL_E_CONFIG},
        {"cloud: {a: planted}\n", "clouds", GL_E_CONFIG},
        {"clouds: {a: &x {auth: planted}}\n", "clouds.yaml", GL_E_SYNTAX},
        {"clouds: {a: {auth: {password: planted\n", "clouds.yaml", GL_E_SYNTAX},
        {"clouds: {a: 1, a: planted}\n", "clouds.yaml", GL_E_DUPLICATE_KEY},
        {"", "clouds", GL_E_CONFIG},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        use_file(rows[i].text);
        gl_error_clear(&err);
        assert_null(open_cloud());
        if (err.code != rows[i].code || strstr(err.text, rows[i].says) == NULL)
            fail_msg("%zu: %d %s", i, (int)err.code, err.text);
        holds_no_secret(err.text);
    }
    memset(environment, 0, sizeof environment);
    gl_error_clear(&err);
    assert_null(open_cloud());
    assert_int_equal(err.code, GL_E_NO_CREDENTIAL);
    assert_non_null(strstr(err.text, "OS_CLOUD"));
    environment[0] = "OS_CLOUD=missing";
    gl_error_clear(&err);
    assert_null(open_cloud());
    assert_non_null(strstr(err.text, "missing"));
}

static void a_wrong_password_is_said_once(void **state)
{
    char who[128];

    (void)state;
    environment[2] = "OS_PASSWORD=planted-and-wrong";
    open_again();
    assert_int_equal(cloud->ops->whoami(cloud, who, &err), -1);
    assert_int_equal(err.code, GL_E_NO_CREDENTIAL);
    holds_no_secret(err.text);
    assert_int_equal(fake.refused_tokens, 1);
    environment[5] = "OS_INSECURE=true";
    gl_error_clear(&err);
    assert_null(open_cloud());
    assert_int_equal(err.code, GL_E_CONFIG);
}

static void only_trusted_addresses_are_taken(void **state)
{
    (void)state;
    assert_true(gl_openstack_is_trusted("https://keystone.example:5000/v3"));
    assert_true(gl_openstack_is_trusted("http://127.0.0.1:5000/v3"));
    assert_true(gl_openstack_is_trusted("http://[::1]:5000"));
    assert_false(gl_openstack_is_trusted("http://127.0.0.1.evil.example/"));
    assert_false(gl_openstack_is_trusted("http://127.0.0.1:80@evil.example/"));
    assert_false(gl_openstack_is_trusted("http://keystone.example/v3"));
    assert_false(gl_openstack_is_trusted("https://user@keystone.example/"));
    assert_false(gl_openstack_is_trusted("ftp://keystone.example/"));
    assert_false(gl_openstack_is_trusted("https:///v3"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, fresh, done)
        TEST(clouds_yaml_and_what_is_kept_apart_from_it),
        TEST(only_the_regions_of_the_file_are_used),
        TEST(what_cannot_be_used_is_refused_by_name),
        TEST(a_wrong_password_is_said_once),
        TEST(only_trusted_addresses_are_taken),
#undef TEST
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
