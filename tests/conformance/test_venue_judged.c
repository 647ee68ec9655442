/* SPDX-License-Identifier: Apache-2.0 */
/* Venues judged by what others wrote: Prism with GitHub's description, moto, an SMTP server, the
 * CloudEvents SDK, a browser, vendors' descriptions. Started by tests/integration/venue*.sh, which
 * name each by a variable; what is not named is skipped. */
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "providers/venue/venue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define FINGERPRINT "7f3a91c2aa40c8a1e4b2c3d4e5f60718293a4b5c6d7e8f901122334455667788"
#define TEXT                                                                                      \
    "### What\n\nAn *hourly* figure \xe2\x82\xac per region & by API = 100%\n\n.dot\nFrom here: " \
    "\"quotes\" <tags>\n"

static struct gl_world world;
static const char *const labels[] = {"Proposed", NULL};

static struct gl_venue_request draft(void)
{
    return (struct gl_venue_request){.fingerprint = FINGERPRINT,
                                     .title = "Hourly intensity \xc3\xa0 la carte",
                                     .markdown = TEXT,
                                     .json = "{\"capability\":\"intensity.hourly\"}",
                                     .labels = labels,
                                     .drafted = {1795132800}};
}

static const char *judge(const char *variable)
{
    const char *value = getenv(variable);

    if (value == NULL) {
        print_message("skipped: %s is not set\n", variable);
        skip();
    }
    return value;
}

struct opened {
    struct gl_setting settings[8];
    struct gl_venue_options options;
    struct gl_venue *venue;
};

static void open_venue(struct opened *out, const char *name, const char *const *pairs)
{
    struct gl_error err = {0};

    *out = (struct opened){.options = {.world = &world, .settings = out->settings}};
    for (; pairs[0] != NULL; pairs += 2)
        out->settings[out->options.setting_count++] = (struct gl_setting){pairs[0], pairs[1]};
    out->venue = gl_venue_open(name, &out->options, &err);
    if (out->venue == NULL)
        fail_msg("%s", err.text);
}

static int send(struct gl_venue *venue, enum gl_venue_action action, const char *target,
                struct gl_venue_receipt *out, struct gl_error *err)
{
    struct gl_venue_request request = draft();
    struct gl_venue_preview preview = {0};
    struct gl_venue_approval approval = {0};
    int rc;

    gl_error_clear(err);
    if (gl_venue_preview(venue, action, &request, target, &preview, err) < 0)
        fail_msg("%s", err->text);
    approval.digest = preview.digest;
    rc = gl_venue_send(venue, &preview, &approval, out, err);
    gl_venue_preview_done(&preview);
    return rc;
}

static void must_send(struct gl_venue *venue, enum gl_venue_action action, const char *target,
                      struct gl_venue_receipt *out)
{
    struct gl_error err = {0};

    if (send(venue, action, target, out, &err) < 0)
        fail_msg("%s: %s", gl_venue_action_word(action), err.text);
}

/* Prism refuses what the description does not know, and keeps nothing. */
static void test_github(void **state)
{
    const char *const pairs[] = {"repository", "octocat/hello-world", "endpoint",
                                 judge("GREENLAUNCH_JUDGE_GITHUB"), NULL};
    struct gl_venue_candidate found[GL_VENUE_CANDIDATES];
    struct gl_venue_receipt receipt = {0};
    struct gl_venue_status status;
    struct gl_error err = {0};
    struct opened github;
    size_t count;

    (void)state;
    open_venue(&github, "github", pairs);
    must_send(github.venue, GL_VENUE_FILING, NULL, &receipt);
    assert_true(receipt.id[0] != '\0');
    must_send(github.venue, GL_VENUE_JOINING, "181", &receipt);
    must_send(github.venue, GL_VENUE_WITHDRAWING, "181", &receipt);
    if (gl_venue_status(github.venue, "181", NULL, &status, &err) < 0 ||
        gl_venue_search(github.venue, "hourly intensity", found, &count, &err) < 0)
        fail_msg("%s", err.text);
    gl_venue_close(github.venue);
}

/* moto keeps cases: the second one is found and not made. Each look at a case moves its state on
 * there, so that the state says nothing. */
static void test_aws(void **state)
{
    const char *const pairs[] = {
        "endpoint", judge("GREENLAUNCH_JUDGE_MOTO"), "service", "general-info", "category", "other",
        NULL};
    struct gl_venue_receipt first = {0}, second = {0};
    struct gl_venue_status status;
    struct gl_error err = {0};
    struct opened aws;

    (void)state;
    open_venue(&aws, "aws-support", pairs);
    must_send(aws.venue, GL_VENUE_FILING, NULL, &first);
    assert_false(first.was_there);
    must_send(aws.venue, GL_VENUE_FILING, NULL, &second);
    assert_true(second.was_there);
    assert_string_equal(first.id, second.id);
    if (gl_venue_status(aws.venue, first.id, NULL, &status, &err) < 0)
        fail_msg("%s", err.text);
    assert_non_null(strstr(status.title, "[GL-7f3a91c2]"));
    must_send(aws.venue, GL_VENUE_WITHDRAWING, first.id, &second);
    gl_venue_close(aws.venue);
}

static void test_smtp(void **state)
{
    const char *server = judge("GREENLAUNCH_JUDGE_SMTP");
    const char *ca = judge("GREENLAUNCH_JUDGE_SMTP_CA");
    const char *pairs[] = {"from",    "ada@green.example.org",
                           "to",      "wishes@provider.example",
                           "user",    "ada",
                           "server",  server,
                           "ca_file", ca,
                           NULL};
    struct gl_venue_receipt receipt = {0};
    struct gl_error err = {0};
    struct opened smtp;

    (void)state;
    open_venue(&smtp, "smtp", pairs);
    must_send(smtp.venue, GL_VENUE_FILING, NULL, &receipt);
    assert_string_equal(receipt.id,
                        "<GL-7f3a91c2.7f3a91c2aa40c8a1e4b2c3d4e5f60718@green.example.org>");
    gl_venue_close(smtp.venue);
    /* Another name is refused, and the password stands nowhere. */
    pairs[5] = "mallory";
    open_venue(&smtp, "smtp", pairs);
    assert_int_equal(send(smtp.venue, GL_VENUE_FILING, NULL, &receipt, &err), -1);
    if (err.code != GL_E_NO_CREDENTIAL)
        fail_msg("%s", err.text);
    assert_int_equal(gl_venue_last_answer(smtp.venue), GL_ANSWER_LOGIN);
    assert_null(strstr(err.text, getenv("GREENLAUNCH_SMTP_PASSWORD")));
    gl_venue_close(smtp.venue);
    /* Without its authority the server is not believed, and nothing is sent. */
    pairs[5] = "ada";
    pairs[8] = NULL;
    open_venue(&smtp, "smtp", pairs);
    assert_int_equal(send(smtp.venue, GL_VENUE_FILING, NULL, &receipt, &err), -1);
    assert_int_equal(err.code, GL_E_NETWORK);
    gl_venue_close(smtp.venue);
}

static void test_cloudevents(void **state)
{
    const char *const pairs[] = {"endpoint", judge("GREENLAUNCH_JUDGE_EVENTS"), "origin",
                                 "green.example.org", NULL};
    struct gl_venue_receipt receipt = {0};
    struct opened webhook;

    (void)state;
    open_venue(&webhook, "webhook", pairs);
    must_send(webhook.venue, GL_VENUE_FILING, NULL, &receipt);
    gl_venue_close(webhook.venue);
}

/* The address, for a browser, and what it is to show there. */
static void test_browser(void **state)
{
    const char *folder = judge("GREENLAUNCH_JUDGE_FORM");
    const char *const pairs[] = {"repository", "octocat/hello-world", "endpoint",
                                 judge("GREENLAUNCH_JUDGE_ECHO"), NULL};
    GL_AUTO(gl_auto_free) char *url = gl_path_join(folder, "url");
    GL_AUTO(gl_auto_free) char *body = gl_path_join(folder, "body");
    struct gl_venue_receipt receipt = {0};
    struct gl_error err = {0};
    struct opened browser;

    (void)state;
    open_venue(&browser, "browser", pairs);
    must_send(browser.venue, GL_VENUE_FILING, NULL, &receipt);
    assert_int_equal(gl_file_write(url, receipt.url, strlen(receipt.url), 0600, &err), 0);
    assert_int_equal(gl_file_write(body, TEXT, strlen(TEXT), 0600, &err), 0);
    gl_venue_close(browser.venue);
}

/* What would be sent, step by step, for whoever has the vendor's own description of it. */
static json_t *steps_of(const char *name, const char *const *pairs, enum gl_venue_action action,
                        const char *target)
{
    struct gl_venue_request request = draft();
    struct gl_venue_preview preview = {0};
    struct gl_error err = {0};
    json_t *steps = json_array();
    struct opened venue;

    open_venue(&venue, name, pairs);
    if (gl_venue_preview(venue.venue, action, &request, target, &preview, &err) < 0)
        fail_msg("%s", err.text);
    for (size_t i = 0; i < preview.step_count; i++) {
        const struct gl_venue_step *step = &preview.steps[i];

        json_array_append_new(
            steps, json_pack("{s:s,s:s,s:s%}", "method", step->method, "where", step->where, "body",
                             step->body != NULL ? step->body : "", step->body_length));
    }
    gl_venue_preview_done(&preview);
    gl_venue_close(venue.venue);
    return steps;
}

static void test_described(void **state)
{
    static const char *const google[] = {
        "parent", "projects/green", "classification", "100152", "test_case", "yes", NULL};
    static const char *const azure[] = {"subscription",
                                        "11111111-2222-3333-4444-555555555555",
                                        "service",
                                        "aaaaaaaa-2222-3333-4444-555555555555",
                                        "classification",
                                        "bbbbbbbb-2222-3333-4444-555555555555",
                                        "first_name",
                                        "Ada",
                                        "last_name",
                                        "Lovelace",
                                        "email",
                                        "ada@green.example.org",
                                        "country",
                                        "DEU",
                                        NULL};
    const char *path = judge("GREENLAUNCH_JUDGE_DESCRIBED");
    GL_AUTO(gl_auto_json) json_t *all = json_object();
    GL_AUTO(gl_auto_free) char *text = NULL;
    struct gl_error err = {0};

    (void)state;
    json_object_set_new(all, "google", steps_of("google-support", google, GL_VENUE_FILING, NULL));
    json_object_set_new(
        all, "google-close",
        steps_of("google-support", google, GL_VENUE_WITHDRAWING, "projects/green/cases/181"));
    json_object_set_new(all, "azure", steps_of("azure-support", azure, GL_VENUE_FILING, NULL));
    text = gl_json_pretty(all);
    assert_int_equal(gl_file_write(path, text, strlen(text), 0600, &err), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_github),  cmocka_unit_test(test_aws),
        cmocka_unit_test(test_smtp),    cmocka_unit_test(test_cloudevents),
        cmocka_unit_test(test_browser), cmocka_unit_test(test_described),
    };
    int failed;

    gl_world_real(&world);
    world.http = gl_http_curl_new();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    gl_http_close(world.http);
    return failed;
}
