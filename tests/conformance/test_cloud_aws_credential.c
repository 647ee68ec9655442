/* SPDX-License-Identifier: Apache-2.0 */
/* Where AWS credentials come from, with a loopback server as STS, container and instance. */
#include "providers/cloud/aws_credential_part.h"
#include "tests/conformance/cloud_fake_aws.h"
#include "tests/conformance/cloud_remote.h"
#include "tests/support/http_server.h"

#include "base/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define NOW_MS  INT64_C(1893456000000) /* 2030-01-01 */
#define PLANTED "planted/SECRET+0123456789"
#define LINES   24

/* What the server says, and what it was asked. */
static struct {
    bool is_down, denies, has_no_role, has_short_life;
    unsigned served;
    char authorization[256], last_body[2048];
} peer;

static struct gl_test_server *server;
static struct gl_world *world;
static char folder[256], lines[LINES][512];
static const char *environment[LINES + 1];
static size_t line_count;

static void add_line(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void add_line(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(lines[line_count], sizeof lines[0], format, args);
    va_end(args);
    environment[line_count] = lines[line_count];
    line_count++;
}

static void answer_keys(struct gl_test_answer *out, const char *token_key)
{
    char text[512];

    snprintf(text, sizeof text,
             "{\"Code\":\"Success\",\"AccessKeyId\":\"ASIA%u\",\"SecretAccessKey\":\"" PLANTED
             "\",\"%s\":\"session-%u\",\"Expiration\":\"%s\"}",
             peer.served, token_key, peer.served,
             peer.has_short_life ? "2030-01-01T00:05:00Z" : "2030-01-01T06:00:00Z");
    gl_test_answer_text(out, 200, "application/json", text);
}

static void answer_sts(const struct gl_test_request *request, struct gl_test_answer *out)
{
    const char *action = strstr(request->body, "WithWebIdentity") != NULL
                             ? "AssumeRoleWithWebIdentity"
                             : "AssumeRole";
    char text[1024];

    snprintf(peer.last_body, sizeof peer.last_body, "%s", request->body);
    if (peer.denies) {
        gl_test_answer_text(out, 403, "text/xml",
                            "<ErrorResponse><Error><Code>AccessDenied</Code><Message>" PLANTED
                            "</Message></Error></ErrorResponse>");
        return;
    }
    snprintf(text, sizeof text,
             "<%sResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><%sResult>"
             "<Credentials><AccessKeyId>ASIAROLE%u</AccessKeyId><SecretAccessKey>" PLANTED
             "</SecretAccessKey><SessionToken>role-%u</SessionToken><Expiration>"
             "2030-01-01T01:00:00Z</Expiration></Credentials></%sResult></%sResponse>",
             action, action, peer.served, peer.served, action, action);
    gl_test_answer_text(out, 200, "text/xml", text);
}

static void answer_instance(const struct gl_test_request *request, struct gl_test_answer *out)
{
    char token[64];

    if (strcmp(request->method, "PUT") == 0) {
        gl_test_request_header(request, "x-aws-ec2-metadata-token-ttl-seconds", token,
                               sizeof token);
        gl_test_answer_text(out, token[0] != '\0' ? 200 : 400, "text/plain", "imds-token");
        return;
    }
    gl_test_request_header(request, "x-aws-ec2-metadata-token", token, sizeof token);
    if (strcmp(token, "imds-token") != 0)
        gl_test_answer_text(out, 401, "text/plain", "");
    else if (peer.has_no_role)
        gl_test_answer_text(out, 404, "text/plain", "");
    else if (strcmp(request->path, "/latest/meta-data/iam/security-credentials/") == 0)
        gl_test_answer_text(out, 200, "text/plain", "worker\n");
    else if (strcmp(request->path, "/latest/meta-data/iam/security-credentials/worker") == 0)
        answer_keys(out, "Token");
    else
        gl_test_answer_text(out, 404, "text/plain", "");
}

static void answer(const struct gl_test_request *request, struct gl_test_answer *out, void *cookie)
{
    (void)cookie;
    peer.served++;
    gl_test_request_header(request, "authorization", peer.authorization, sizeof peer.authorization);
    if (peer.is_down)
        gl_test_answer_text(out, 500, "text/plain", "down");
    else if (strncmp(request->path, "/latest/", 8) == 0)
        answer_instance(request, out);
    else if (strcmp(request->path, "/container") == 0)
        answer_keys(out, "Token");
    else
        answer_sts(request, out);
}

/* ---- one chain ---- */

static void write_file(const char *name, const char *text)
{
    GL_AUTO(gl_auto_free) char *path = gl_path_join(folder, name);
    struct gl_error err = {0};

    assert_int_equal(gl_file_write(path, text, strlen(text), 0600, &err), 0);
}

static struct gl_aws_chain *open_chain(const char *profile, struct gl_error *err)
{
    const struct gl_aws_chain_options options = {.world = world, .profile = profile};

    return gl_aws_chain_new(&options, err);
}

/* The id and source of what the chain finds; the error's text when it finds nothing. */
static void expect(const char *profile, const char *id, const char *source)
{
    const struct gl_aws_credential *found = NULL;
    struct gl_error err = {0};
    struct gl_aws_chain *chain = open_chain(profile, &err);

    if (chain == NULL || gl_aws_chain_get(chain, false, &found, &err) < 0)
        fail_msg("%s", err.text);
    assert_string_equal(found->keys.id, id);
    assert_non_null(strstr(found->source, source));
    gl_aws_chain_free(chain);
}

static void expect_failure(const char *profile, enum gl_errc code, const char *text)
{
    const struct gl_aws_credential *found = NULL;
    struct gl_error err = {0};
    struct gl_aws_chain *chain = open_chain(profile, &err);

    if (chain != NULL && gl_aws_chain_get(chain, false, &found, &err) == 0)
        fail_msg("found %s", found->source);
    if (strstr(err.text, text) == NULL)
        fail_msg("%s is not in: %s", text, err.text);
    assert_int_equal(err.code, code);
    assert_null(strstr(err.text, "planted"));
    gl_aws_chain_free(chain);
}

static int set_up(void **state)
{
    const char *build = getenv("BUILD_DIR");
    struct gl_error err = {0};

    (void)state;
    memset(&peer, 0, sizeof peer);
    memset(environment, 0, sizeof environment);
    line_count = 0;
    server = gl_test_server_start(answer, NULL);
    snprintf(folder, sizeof folder, "%s/tmp/aws_credential_%ld", build != NULL ? build : "build",
             (long)getpid());
    assert_int_equal(gl_dir_make(folder, &err), 0);
    world = gl_world_fixed_new(NOW_MS, 7, environment);
    world->http = gl_http_curl_new();
    add_line("AWS_SHARED_CREDENTIALS_FILE=%s/credentials", folder);
    add_line("AWS_CONFIG_FILE=%s/config", folder);
    add_line("AWS_ENDPOINT_URL_STS=%s", gl_test_server_url(server));
    add_line("AWS_EC2_METADATA_SERVICE_ENDPOINT=%s/", gl_test_server_url(server));
    return 0;
}

static int tear_down(void **state)
{
    struct gl_error err = {0};

    (void)state;
    gl_http_close(world->http);
    world->http = NULL;
    gl_world_fixed_free(world);
    gl_test_server_stop(server);
    gl_dir_remove(folder, &err);
    return 0;
}

/* ---- the order ---- */

static void the_order_is_that_of_the_tools(void **state)
{
    (void)state;
    expect(NULL, "ASIA3", "this machine's role"); /* token, role, keys */
    add_line("AWS_CONTAINER_CREDENTIALS_FULL_URI=%s/container", gl_test_server_url(server));
    expect(NULL, "ASIA4", "container");
    write_file("config", "[default]\naws_access_key_id=AKCONFIG\naws_secret_access_key=" PLANTED);
    expect(NULL, "AKCONFIG", "configuration file");
    write_file("config",
               "[default]\naws_access_key_id=AKCONFIG\naws_secret_access_key=" PLANTED "\n"
               "credential_process = printf '%s' '{\"Version\":1,\"AccessKeyId\":\"AKPROC\","
               "\"SecretAccessKey\":\"" PLANTED "\"}'\n");
    expect(NULL, "AKPROC", "credential_process");
    write_file("credentials",
               "[default]\naws_access_key_id=AKFILE\naws_secret_access_key=" PLANTED
               "\n[other]\naws_access_key_id=AKOTHER\naws_secret_access_key=" PLANTED "\n");
    expect(NULL, "AKFILE", "credentials file");
    write_file("token", "the-web-token\n");
    add_line("AWS_WEB_IDENTITY_TOKEN_FILE=%s/token", folder);
    add_line("AWS_ROLE_ARN=arn:aws:iam::1:role/web");
    expect(NULL, "ASIAROLE5", "web identity");
    assert_non_null(strstr(peer.last_body, "WebIdentityToken=the-web-token"));
    assert_string_equal(peer.authorization, ""); /* unsigned */
    add_line("AWS_ACCESS_KEY_ID=AKENV");
    add_line("AWS_SECRET_ACCESS_KEY=" PLANTED);
    expect(NULL, "AKENV", "environment");
    /* A profile that is named goes before the environment's keys. */
    expect_failure("absent", GL_E_NO_CREDENTIAL, "no AWS profile absent");
}

static void a_named_profile_is_meant(void **state)
{
    (void)state;
    write_file("credentials", "[other]\naws_access_key_id=AKOTHER\naws_secret_access_key=" PLANTED);
    add_line("AWS_ACCESS_KEY_ID=AKENV");
    add_line("AWS_SECRET_ACCESS_KEY=" PLANTED);
    expect("other", "AKOTHER", "profile other");
    expect(NULL, "AKENV", "environment");
    add_line("AWS_PROFILE=other"); /* of the environment itself: its keys stay first */
    expect(NULL, "AKENV", "environment");
}

/* ---- roles ---- */

static void roles_lead_to_roles(void **state)
{
    (void)state;
    write_file("credentials", "[base]\naws_access_key_id=AKBASE\naws_secret_access_key=" PLANTED);
    write_file("config", "[profile one]\nrole_arn=arn:aws:iam::1:role/one\nsource_profile=base\n"
                         "external_id=ex/1\nrole_session_name=me\nduration_seconds=900\n"
                         "[profile two]\nrole_arn=arn:aws:iam::1:role/two\nsource_profile=one\n"
                         "[profile ring]\nrole_arn=arn:aws:iam::1:role/r\nsource_profile=ring\n"
                         "[profile env]\nrole_arn=arn:aws:iam::1:role/e\n"
                         "credential_source=Ec2InstanceMetadata\n"
                         "[profile bad]\nrole_arn=arn:aws:iam::1:role/e\ncredential_source=Moon\n"
                         "[profile mfa]\nrole_arn=arn:aws:iam::1:role/m\nsource_profile=base\n"
                         "mfa_serial=arn:aws:iam::1:mfa/me\n"
                         "[profile none]\nrole_arn=arn:aws:iam::1:role/n\n"
                         "[profile web]\nrole_arn=arn:aws:iam::1:role/w\n"
                         "web_identity_token_file=/no/such/token\n");
    expect("one", "ASIAROLE1", "role arn:aws:iam::1:role/one");
    assert_non_null(strstr(peer.last_body, "&ExternalId=ex%2F1"));
    assert_non_null(strstr(peer.last_body, "&RoleSessionName=me"));
    assert_non_null(strstr(peer.last_body, "&DurationSeconds=900"));
    assert_non_null(strstr(peer.authorization, "Credential=AKBASE/20300101/us-east-1/sts/"));
    expect("two", "ASIAROLE3", "role arn:aws:iam::1:role/two");
    assert_non_null(strstr(peer.authorization, "Credential=ASIAROLE2/"));
    assert_non_null(strstr(peer.authorization, "x-amz-security-token"));
    expect("env", "ASIAROLE7", "role arn:aws:iam::1:role/e");
    expect_failure("ring", GL_E_NO_CREDENTIAL, "circle");
    expect_failure("bad", GL_E_NO_CREDENTIAL, "credential_source Moon");
    expect_failure("none", GL_E_NO_CREDENTIAL, "source_profile and credential_source");
    expect_failure("mfa", GL_E_NO_CREDENTIAL, "credential_process = aws configure");
    expect_failure("web", GL_E_IO, "web identity token");
    peer.denies = true;
    expect_failure("one", GL_E_NO_CREDENTIAL, "STS refuses: AccessDenied");
}

static void sessions_name_the_line_that_helps(void **state)
{
    (void)state;
    write_file("config",
               "[profile sso]\nsso_session = corp\n[profile login]\nlogin_session = x\n"
               "[profile both]\nsso_session = corp\ncredential_process = printf "
               "'{\"Version\":1,\"AccessKeyId\":\"AKP\",\"SecretAccessKey\":\"" PLANTED "\"}'\n"
               "[profile role]\nrole_arn=arn:aws:iam::1:role/r\nsource_profile=sso\n");
    expect_failure("role", GL_E_NO_CREDENTIAL, "--format process --profile sso");
    expect_failure("sso", GL_E_NO_CREDENTIAL,
                   "aws configure export-credentials --format process --profile sso");
    expect_failure("login", GL_E_NO_CREDENTIAL, "export-credentials");
    expect("both", "AKP", "credential_process");
}

static void processes_that_fail(void **state)
{
    (void)state;
    write_file("config", "[profile a]\ncredential_process = false\n"
                         "[profile b]\ncredential_process = printf planted\n"
                         "[profile c]\ncredential_process = /no/such/program\n"
                         "[profile d]\ncredential_process = head -c 2000000 /dev/zero\n"
                         "[profile e]\ncredential_process = sh 'open\n");
    expect_failure("a", GL_E_NO_CREDENTIAL, "ended with status 1");
    expect_failure("b", GL_E_NO_CREDENTIAL, "not a JSON object");
    expect_failure("c", GL_E_NO_CREDENTIAL, "credential_process of profile c");
    expect_failure("d", GL_E_NO_CREDENTIAL, "credential_process of profile d");
    expect_failure("e", GL_E_NO_CREDENTIAL, "open quote");
}

/* ---- containers and instances ---- */

static void container_addresses(void **state)
{
    static const char *const good[] = {"https://example.org/x",   "http://127.0.0.1:8/x",
                                       "http://localhost/x",      "http://[::1]:80/x",
                                       "http://169.254.170.2/x",  "http://169.254.170.23/v1",
                                       "http://[fd00:ec2::23]/v1"};
    static const char *const bad[] = {"http://example.org/x",        "ftp://127.0.0.1/",
                                      "http://127.0.0.1.evil.org/x", "http://localhost.evil.org/",
                                      "http://127.0.0.1@evil.org/",  "http://169.254.170.20/",
                                      "http://169.254.169.254/"};

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        if (!gl_aws_is_container_url(good[i]))
            fail_msg("%s", good[i]);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (gl_aws_is_container_url(bad[i]))
            fail_msg("%s", bad[i]);
}

static void container_tokens(void **state)
{
    (void)state;
    add_line("AWS_CONTAINER_CREDENTIALS_FULL_URI=%s/container", gl_test_server_url(server));
    add_line("AWS_CONTAINER_AUTHORIZATION_TOKEN=from-variable");
    expect(NULL, "ASIA1", "container");
    assert_string_equal(peer.authorization, "from-variable");
    write_file("token", "from-file");
    add_line("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=%s/token", folder);
    expect(NULL, "ASIA2", "container");
    assert_string_equal(peer.authorization, "from-file");
    write_file("token", "planted\r\nX-Evil: 1");
    expect_failure(NULL, GL_E_NO_CREDENTIAL, "line break");
    write_file("token", "planted\tx");
    expect_failure(NULL, GL_E_NO_CREDENTIAL, "control character");
    peer.is_down = true;
    write_file("token", "x");
    expect_failure(NULL, GL_E_NO_CREDENTIAL, "HTTP 500");
}

static void instances_without_a_role(void **state)
{
    (void)state;
    peer.has_no_role = true;
    expect_failure(NULL, GL_E_NO_CREDENTIAL, "no role");
    add_line("AWS_EC2_METADATA_DISABLED=true");
    peer.served = 0;
    expect_failure(NULL, GL_E_NO_CREDENTIAL, "no AWS credentials");
    assert_int_equal(peer.served, 0);
}

/* ---- time ---- */

static void get_id(struct gl_aws_chain *chain, bool is_renewed, const char *id)
{
    const struct gl_aws_credential *found = NULL;
    struct gl_error err = {0};

    if (gl_aws_chain_get(chain, is_renewed, &found, &err) < 0)
        fail_msg("%s", err.text);
    assert_string_equal(found->keys.id, id);
}

static void kept_renewed_and_used_while_the_service_is_down(void **state)
{
    const struct gl_aws_credential *found;
    struct gl_error err = {0};
    struct gl_aws_chain *chain = open_chain(NULL, &err);

    (void)state;
    get_id(chain, false, "ASIA3");
    get_id(chain, false, "ASIA3"); /* kept */
    assert_int_equal(peer.served, 3);
    get_id(chain, true, "ASIA6"); /* rejected: anew */
    world->sleep_ms(world->cookie, (int64_t)(5 * 3600 + 55 * 60) * 1000);
    peer.is_down = true; /* it ends in five minutes */
    get_id(chain, false, "ASIA6");
    assert_int_equal(peer.served, 7);
    get_id(chain, false, "ASIA6"); /* not at every call */
    assert_int_equal(peer.served, 7);
    world->sleep_ms(world->cookie, (int64_t)600 * 1000);
    assert_int_equal(gl_aws_chain_get(chain, false, &found, &err), -1);
    assert_int_equal(err.code, GL_E_NO_CREDENTIAL);
    gl_aws_chain_free(chain);
}

static int ask(struct gl_aws_chain *chain, bool is_renewed, struct gl_error *err)
{
    GL_AUTO(gl_remote_call_done) struct gl_remote_call call = {.method = NULL};

    return gl_aws_chain_ask(chain, is_renewed, &call, err);
}

/* Asked beside other work a program is started once and looked at; who then needs it waits. */
static void processes_run_beside_others(void **state)
{
    GL_AUTO(gl_auto_free) char *go = gl_path_join(folder, "go");
    GL_AUTO(gl_str_done) struct gl_str text = {0};
    struct gl_error err = {0};
    struct gl_aws_chain *chain;

    (void)state;
    gl_str_addf(&text,
                "[default]\ncredential_process = sh -c 'while ! [ -e %s ]; do sleep 0.01; done; "
                "printf x >>%s; echo \"{\\\"Version\\\":1,\\\"AccessKeyId\\\":\\\"AKSLOW\\\","
                "\\\"SecretAccessKey\\\":\\\"" PLANTED "\\\"}\"'\n",
                go, go);
    write_file("config", gl_str_text(&text));
    chain = open_chain(NULL, &err);
    assert_non_null(chain);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(ask(chain, false, &err), GL_REMOTE_TOKEN_WAITS);
        assert_non_null(strstr(err.text, "credential_process of profile default"));
        gl_error_clear(&err);
    }
    write_file("go", "");
    get_id(chain, false, "AKSLOW");
    assert_int_equal(ask(chain, false, &err), 0);
    assert_int_equal(ask(chain, true, &err), GL_REMOTE_TOKEN_WAITS); /* rejected: anew */
    gl_error_clear(&err);
    get_id(chain, false, "AKSLOW"); /* not with what was rejected */
    gl_aws_chain_free(chain);
    gl_str_done(&text);
    assert_int_equal(gl_file_read(go, 10, &text.text, &text.length, &err), 0);
    assert_int_equal(text.length, 2);
}

/* What a program says ends; before that it is asked again. */
static void processes_are_asked_again_before_the_end(void **state)
{
    GL_AUTO(gl_auto_free) char *count = gl_path_join(folder, "count");
    GL_AUTO(gl_str_done) struct gl_str text = {0};
    struct gl_error err = {0};
    struct gl_aws_chain *chain;

    (void)state;
    gl_str_addf(&text,
                "[default]\ncredential_process = sh -c 'printf x >>%s; echo \"{\\\"Version\\\":1,"
                "\\\"AccessKeyId\\\":\\\"AK$(wc -c <%s)\\\",\\\"SecretAccessKey\\\":"
                "\\\"" PLANTED "\\\",\\\"Expiration\\\":\\\"2030-01-01T01:00:00Z\\\"}\"'\n",
                count, count);
    write_file("config", gl_str_text(&text));
    chain = open_chain(NULL, &err);
    get_id(chain, false, "AK1");
    world->sleep_ms(world->cookie, (int64_t)49 * 60 * 1000);
    get_id(chain, false, "AK1");
    world->sleep_ms(world->cookie, (int64_t)2 * 60 * 1000);
    get_id(chain, false, "AK2");
    gl_aws_chain_free(chain);
}

/* ---- regions and endpoints ---- */

static void expect_endpoint(const struct gl_aws_chain *chain, const char *service,
                            const char *region, const char *expected)
{
    struct gl_str url = {0};

    gl_aws_chain_endpoint(chain, service, region, &url);
    assert_string_equal(gl_str_text(&url), expected);
    gl_str_done(&url);
}

static void regions_and_endpoints(void **state)
{
    struct gl_error err = {0};
    struct gl_aws_chain *chain;

    (void)state;
    environment[line_count - 2] = "X=1"; /* no endpoint of STS */
    write_file("config", "[profile p]\nregion=eu-south-1\nendpoint_url=https://all.example\n"
                         "services=mine\n[services mine]\nec2 =\n  endpoint_url = "
                         "https://ec2.example/\n[default]\nregion=eu-west-3\n");
    chain = open_chain("p", &err);
    assert_non_null(chain);
    assert_string_equal(gl_aws_chain_region(chain), "eu-south-1");
    expect_endpoint(chain, "ec2", "eu-south-1", "https://ec2.example");
    expect_endpoint(chain, "sts", "eu-south-1", "https://all.example");
    gl_aws_chain_free(chain);
    chain = open_chain(NULL, &err);
    assert_string_equal(gl_aws_chain_region(chain), "eu-west-3");
    expect_endpoint(chain, "ec2", "cn-north-1", "https://ec2.cn-north-1.amazonaws.com.cn");
    expect_endpoint(chain, "pricing", "us-east-1", "https://api.pricing.us-east-1.amazonaws.com");
    add_line("AWS_ENDPOINT_URL_PRICING=https://q.example");
    expect_endpoint(chain, "pricing", "us-east-1", "https://q.example");
    add_line("AWS_DEFAULT_REGION=eu-central-1");
    assert_string_equal(gl_aws_chain_region(chain), "eu-central-1");
    add_line("AWS_REGION=eu-north-1");
    assert_string_equal(gl_aws_chain_region(chain), "eu-north-1");
    gl_aws_chain_free(chain);
}

/* The keys change while all regions are being asked: all are refused, one renewal serves them. */
static void renewed_in_flight(void **state)
{
    static char line[256];
    static const char *const set[] = {line, "AWS_EC2_METADATA_DISABLED=true", NULL};
    struct gl_remote_fixture fixture = gl_remote_fixture_aws;
    struct gl_fake_aws *fake = gl_fake_aws_start();
    struct gl_world real;
    struct gl_cloud_options options = {.world = &real};
    struct gl_instance *list;
    struct gl_error err = {0};
    struct gl_cloud *cloud;
    size_t count;

    (void)state;
    fixture.environment = set;
    snprintf(line, sizeof line, "AWS_CONTAINER_CREDENTIALS_FULL_URI=%s/container",
             gl_fake_aws_url(fake));
    gl_world_real(&real);
    gl_remote_fixture_set(&fixture, fake, &real, &options);
    cloud = gl_cloud_open("aws", &options, &err);
    assert_non_null(cloud);
    assert_int_equal(cloud->ops->list(cloud, &list, &count, &err), 0);
    free(list);
    assert_int_equal(fake->handed_out, 1);
    snprintf(fake->secret, sizeof fake->secret, "planted-anew");
    if (cloud->ops->list(cloud, &list, &count, &err) < 0)
        fail_msg("%s", err.text);
    free(list);
    assert_int_equal(fake->handed_out, 2);
    gl_cloud_close(cloud);
    gl_remote_fixture_end(&fixture, fake, &real);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(the_order_is_that_of_the_tools),
        TEST(a_named_profile_is_meant),
        TEST(roles_lead_to_roles),
        TEST(sessions_name_the_line_that_helps),
        TEST(processes_that_fail),
        TEST(processes_run_beside_others),
        TEST(processes_are_asked_again_before_the_end),
        TEST(container_addresses),
        TEST(container_tokens),
        TEST(instances_without_a_role),
        TEST(kept_renewed_and_used_while_the_service_is_down),
        TEST(regions_and_endpoints),
        cmocka_unit_test(renewed_in_flight),
    };
#undef TEST

    return cmocka_run_group_tests(tests, NULL, NULL);
}
