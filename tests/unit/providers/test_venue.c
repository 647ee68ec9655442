/* SPDX-License-Identifier: Apache-2.0 */
/* Venues without a network: settings, drafts, the prefilled form, messages, files, the table of who
 * listens, and OVH's hash. */
#include "base/file.h"
#include "providers/venue/adapter.h"
#include "providers/venue/listeners.h"
#include "providers/venue/sha1.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define FINGERPRINT "7f3a91c2aa40c8a1e4b2c3d4e5f60718293a4b5c6d7e8f901122334455667788"

static const char *const nothing[] = {NULL};
static struct gl_world *world;
static char folder[256];

static int make_folder(void **state)
{
    const char *base = getenv("TMPDIR");

    (void)state;
    snprintf(folder, sizeof folder, "%s/venue-XXXXXX", base != NULL ? base : "/tmp");
    world = gl_world_fixed_new(1795334400000, 1, nothing);
    return mkdtemp(folder) != NULL ? 0 : -1;
}

static int remove_folder(void **state)
{
    struct gl_error err = {0};

    (void)state;
    gl_world_fixed_free(world);
    return gl_dir_remove(folder, &err);
}

static struct gl_venue_request draft(void)
{
    return (struct gl_venue_request){.fingerprint = FINGERPRINT,
                                     .title = "Hourly intensity",
                                     .markdown = "### What\n\nAn hourly figure & more\n",
                                     .drafted = {1795132800}};
}

static struct gl_venue *open_venue(const char *name, const struct gl_venue_options *options)
{
    struct gl_error err = {0};
    struct gl_venue *venue = gl_venue_open(name, options, &err);

    if (venue == NULL)
        fail_msg("%s", err.text);
    return venue;
}

static struct gl_venue_preview preview_of(const struct gl_venue *venue,
                                          const struct gl_venue_request *request)
{
    struct gl_venue_preview preview = {0};
    struct gl_error err = {0};

    if (gl_venue_preview(venue, GL_VENUE_FILING, request, NULL, &preview, &err) < 0)
        fail_msg("%s", err.text);
    return preview;
}

/* ---- settings ---- */

static enum gl_errc code_of(const char *venue, const char *const *pairs)
{
    struct gl_setting settings[8];
    struct gl_venue_options options = {.world = world, .settings = settings};
    struct gl_error err = {0};
    struct gl_venue *opened;

    for (; pairs[0] != NULL; pairs += 2)
        settings[options.setting_count++] = (struct gl_setting){pairs[0], pairs[1]};
    opened = gl_venue_open(venue, &options, &err);
    gl_venue_close(opened);
    return err.code;
}

static void test_settings(void **state)
{
    static const struct {
        const char *venue, *pairs[7];
        enum gl_errc code;
    } rows[] = {
        {"nowhere", {NULL}, GL_E_UNKNOWN_NAME},
        {"browser", {"repository", "o/r"}, GL_OK},
        {"browser", {NULL}, GL_E_CONFIG},
        {"browser", {"repository", "o/../r"}, GL_E_CONFIG},
        {"browser", {"repository", "o/r\nX: y"}, GL_E_CONFIG},
        {"browser", {"repository", "o/r", "template", "../x.yml"}, GL_E_CONFIG},
        {"browser", {"repository", "o/r", "colour", "red"}, GL_E_CONFIG},
        {"github", {"repository", "o/r/s"}, GL_E_CONFIG},
        {"github", {"repository", "o/r", "token", "in-the-open"}, GL_E_CONFIG},
        {"github", {"repository", "o/r", "endpoint", "http://example.org"}, GL_E_CONFIG},
        {"github", {"repository", "o/r", "endpoint", "https://h/api/v3/"}, GL_OK},
        {"email", {"from", "a@b.org", "to", "c@d.org", "folder", "/tmp"}, GL_OK},
        {"email", {"from", "a@b.org", "to", "c@d.org, e@f.org", "folder", "/x"}, GL_E_CONFIG},
        {"smtp", {"from", "a@b.org", "to", "c@d.org", "server", "http://x"}, GL_E_CONFIG},
        {"webhook", {"endpoint", "ftp://x"}, GL_E_CONFIG},
        {"webhook", {"endpoint", "https://x/y", "validation", "maybe"}, GL_E_CONFIG},
        {"zendesk", {"endpoint", "https://x", "name", "n", "email", "no"}, GL_E_CONFIG},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (code_of(rows[i].venue, rows[i].pairs) != rows[i].code)
            fail_msg("row %zu, %s: %d", i, rows[i].venue,
                     (int)code_of(rows[i].venue, rows[i].pairs));
}

static void test_mailboxes(void **state)
{
    static const char *const good[] = {"a@b.org", "first.last+tag@x-y.example"};
    static const char *const bad[] = {
        "",          "a",          "@b.org",     "a@",       "a@b@c",
        "a b@c.org", ".a@b.org",   "a..b@c.org", "a@b.org>", "a@b.org\r\nBcc: x@y.org",
        "a@-b.org",  "\"a\"@b.org"};

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_true(gl_venue_is_mailbox(good[i]));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (gl_venue_is_mailbox(bad[i]))
            fail_msg("%s", bad[i]);
}

/* ---- drafts ---- */

static void expect_refused(const struct gl_venue *venue, struct gl_venue_request request,
                           enum gl_errc code)
{
    struct gl_venue_preview preview = {0};
    struct gl_error err = {0};

    assert_int_equal(gl_venue_preview(venue, GL_VENUE_FILING, &request, NULL, &preview, &err), -1);
    assert_int_equal(err.code, code);
}

static void test_drafts(void **state)
{
    const struct gl_setting settings[] = {{"repository", "o/r"}};
    const struct gl_venue_options options = {world, settings, 1, NULL};
    static const char *const many[] = {"a", "b", "c", "d", "e", "f", "g", "h", "i",
                                       "j", "k", "l", "m", "n", "o", "p", "q", NULL};
    struct gl_venue *venue = open_venue("browser", &options);
    struct gl_venue_request request = draft();
    GL_AUTO(gl_auto_free) char *long_text = gl_alloc(GL_VENUE_BODY_MAX + 2);

    (void)state;
    memset(long_text, 'x', GL_VENUE_BODY_MAX + 1);
    request.fingerprint = "7f3a";
    expect_refused(venue, request, GL_E_BAD_VALUE);
    request = draft();
    request.title = "two\nlines";
    expect_refused(venue, request, GL_E_BAD_VALUE);
    request.title = "no \xff utf";
    expect_refused(venue, request, GL_E_BAD_VALUE);
    request = draft();
    request.markdown = "escape \x1b[31m";
    expect_refused(venue, request, GL_E_BAD_VALUE);
    request.markdown = long_text;
    expect_refused(venue, request, GL_E_TOO_LARGE);
    request = draft();
    request.json = "[1]";
    expect_refused(venue, request, GL_E_BAD_VALUE);
    request.json = "{";
    expect_refused(venue, request, GL_E_SYNTAX);
    request = draft();
    request.labels = many;
    expect_refused(venue, request, GL_E_BAD_VALUE);
    request = draft();
    request.drafted.unix_s = 0;
    expect_refused(venue, request, GL_E_BAD_VALUE);
    gl_venue_close(venue);
}

/* ---- the prefilled form ---- */

static void decode(const char *text, struct gl_str *out)
{
    for (; *text != '\0' && *text != '&'; text++) {
        unsigned byte;

        if (*text == '%' && sscanf(text + 1, "%2X", &byte) == 1) {
            gl_str_add_char(out, (char)byte);
            text += 2;
        } else {
            gl_str_add_char(out, *text);
        }
    }
}

static void test_form(void **state)
{
    const struct gl_setting settings[] = {{"repository", "heroku/roadmap"}};
    const struct gl_venue_options options = {world, settings, 1, NULL};
    static const struct gl_venue_field fields[] = {{"what", "What", "a & b = \xc3\xa9 #1?"},
                                                   {"why", "Why", "50% + \"quotes\"\n- list"}};
    static const char *const labels[] = {"Proposed", "green", NULL};
    struct gl_venue *venue = open_venue("browser", &options);
    struct gl_venue_request request = draft();
    struct gl_venue_preview preview;

    (void)state;
    request.fields = fields;
    request.field_count = 2;
    request.template_name = "proposal.yml";
    request.labels = labels;
    preview = preview_of(venue, &request);
    assert_string_equal(
        preview.steps[0].where,
        "https://github.com/heroku/roadmap/issues/new?template=proposal.yml"
        "&title=Hourly%20intensity%20%5BGL-7f3a91c2%5D&labels=Proposed%2Cgreen"
        "&what=a%20%26%20b%20%3D%20%C3%A9%20%231%3F&why=50%25%20%2B%20%22quotes%22%0A-%20list");
    assert_string_equal(preview.note, "");
    gl_venue_preview_done(&preview);
    /* A form without ids takes no text: that is said, and not found out by the person. */
    request.field_count = 0;
    preview = preview_of(venue, &request);
    assert_non_null(strstr(preview.note, "takes only the title"));
    gl_venue_preview_done(&preview);
    gl_venue_close(venue);
}

/* Whatever the text, the address stays below 8,192 bytes, is cut between characters and says so. */
static void test_form_length(void **state)
{
    const struct gl_setting settings[] = {{"repository", "o/r"}};
    const struct gl_venue_options options = {world, settings, 1, NULL};
    static const char *const units[] = {"x", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x8c\xb1", "\n"};
    struct gl_venue *venue = open_venue("browser", &options);

    (void)state;
    for (size_t size = 7000; size < GL_VENUE_BODY_MAX; size += 9001) {
        for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
            struct gl_venue_request request = draft();
            GL_AUTO(gl_str_done) struct gl_str text = {0}, body = {0};
            struct gl_venue_preview preview;
            json_t *string;

            while (text.length + 4 < size)
                gl_str_add(&text, units[i]);
            request.markdown = text.text;
            preview = preview_of(venue, &request);
            assert_true(strlen(preview.steps[0].where) < 8192);
            decode(strstr(preview.steps[0].where, "&body=") + 6, &body);
            string = json_string(body.text);
            assert_non_null(string); /* still UTF-8 */
            json_decref(string);
            assert_true(preview.note[0] != '\0' ? strstr(body.text, "[Shortened:") != NULL
                                                : strcmp(body.text, text.text) == 0);
            gl_venue_preview_done(&preview);
        }
    }
    gl_venue_close(venue);
}

/* ---- files ---- */

static void test_file(void **state)
{
    const struct gl_setting settings[] = {{"folder", folder}};
    const struct gl_venue_options options = {world, settings, 1, folder};
    struct gl_venue *venue = open_venue("file", &options);
    struct gl_venue_request request = draft();
    struct gl_venue_approval approval = {0};
    struct gl_venue_receipt receipt = {0};
    struct gl_venue_preview preview;
    struct gl_error err = {0};
    char *bytes;
    size_t length;

    (void)state;
    request.json = "{\"a\":1}";
    preview = preview_of(venue, &request);
    approval.digest = preview.digest;
    assert_int_equal(gl_venue_send(venue, &preview, &approval, &receipt, &err), 0);
    assert_false(receipt.was_there);
    assert_true(receipt.is_by_hand);
    assert_int_equal(gl_file_read(receipt.url, 4096, &bytes, &length, &err), 0);
    assert_string_equal(bytes, "# Hourly intensity [GL-7f3a91c2]\n\n### What\n\nAn hourly figure & "
                               "more\n\n");
    free(bytes);
    assert_int_equal(gl_venue_send(venue, &preview, &approval, &receipt, &err), 0);
    assert_true(receipt.was_there);
    gl_venue_preview_done(&preview);
    gl_venue_close(venue);
}

/* ---- secrets ---- */

static void test_secret_file(void **state)
{
    char *path = gl_path_join(folder, "token");
    GL_AUTO(gl_str_done) struct gl_str variable = {0};
    const char *environment[] = {NULL, NULL};
    const struct gl_setting settings[] = {{"repository", "o/r"}};
    struct gl_venue_options options = {.settings = settings, .setting_count = 1};
    struct gl_world *own;
    struct gl_venue *venue;
    struct gl_error err = {0};
    const char *secret;

    (void)state;
    assert_int_equal(gl_file_write(path, "from-a-file \n", 13, 0600, &err), 0);
    gl_str_addf(&variable, "GITHUB_TOKEN_FILE=%s", path);
    environment[0] = variable.text;
    own = gl_world_fixed_new(1, 1, environment);
    options.world = own;
    venue = open_venue("github", &options);
    assert_int_equal(gl_venue_secret(venue, "token", true, &secret, &err), 0);
    assert_string_equal(secret, "from-a-file");
    gl_venue_close(venue);
    options.world = world;
    venue = open_venue("github", &options);
    assert_int_equal(gl_venue_secret(venue, "token", true, &secret, &err), -1);
    assert_int_equal(err.code, GL_E_NO_CREDENTIAL);
    assert_non_null(strstr(err.text, "GITHUB_TOKEN"));
    gl_venue_close(venue);
    gl_world_fixed_free(own);
    free(path);
}

/* ---- what answers mean ---- */

static void test_judge(void **state)
{
    static const struct {
        int status;
        const char *headers, *type, *body;
        enum gl_venue_answer answer;
    } rows[] = {
        {200, "", "text/html", "captcha", GL_ANSWER_OK}, /* who reads it decides */
        {304, "", "", "", GL_ANSWER_OK},
        {403, "x-ratelimit-remaining: 0\n", "application/json", "{}", GL_ANSWER_RATE_LIMITED},
        {403, "x-ratelimit-remaining: 9\n", "application/json", "{}", GL_ANSWER_FORBIDDEN},
        {403, "", "text/html", "solve this captcha", GL_ANSWER_PERSON},
        {403, "", "application/json", "You have exceeded a secondary rate limit",
         GL_ANSWER_RATE_LIMITED},
        {302, "location: https://x/users/sign_in\n", "", "", GL_ANSWER_PERSON},
        {302, "location: https://x/elsewhere\n", "", "", GL_ANSWER_UNCLEAR},
        {451, "", "", "", GL_ANSWER_GONE},
        {503, "", "", "", GL_ANSWER_UNCLEAR},
        {400, "", "", "", GL_ANSWER_REFUSED},
        {408, "", "", "", GL_ANSWER_UNCLEAR},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct gl_http_reply reply = {.status = rows[i].status,
                                      .retry_after_s = -1,
                                      .header_text = (char *)(uintptr_t)rows[i].headers,
                                      .body = (char *)(uintptr_t)rows[i].body,
                                      .body_length = strlen(rows[i].body)};

        snprintf(reply.content_type, sizeof reply.content_type, "%s", rows[i].type);
        if (gl_venue_judge(NULL, &reply) != rows[i].answer)
            fail_msg("row %zu: %s", i, gl_venue_answer_word(gl_venue_judge(NULL, &reply)));
    }
}

/* ---- small things ---- */

static void test_words(void **state)
{
    static const char *const rows[][2] = {{"repo:x is:issue \"a b\"", "repo x is issue a b"},
                                          {"  -- - x-y 1.5  ", "x-y 1.5"},
                                          {"\" OR project = X", "OR project X"},
                                          {"\xc3\xa9t\xc3\xa9", "t"}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        GL_AUTO(gl_str_done) struct gl_str out = {0};

        gl_venue_words(rows[i][0], &out);
        assert_string_equal(gl_str_text(&out), rows[i][1]);
    }
}

/* FIPS 180-4 examples, and lengths around a block. */
static void test_sha1(void **state)
{
    char out[GL_SHA1_HEX], text[129];

    (void)state;
    gl_sha1_hex("abc", 3, out);
    assert_string_equal(out, "a9993e364706816aba3e25717850c26c9cd0d89d");
    gl_sha1_hex("", 0, out);
    assert_string_equal(out, "da39a3ee5e6b4b0d3255bfef95601890afd80709");
    gl_sha1_hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56, out);
    assert_string_equal(out, "84983e441c3bd26ebaae4aa1f95129e5e54670f1");
    memset(text, 'a', sizeof text);
    gl_sha1_hex(text, 64, out);
    assert_string_equal(out, "0098ba824b5c16427bd7a1122a5a442a25ec644d");
}

static void test_listeners(void **state)
{
    size_t count, at = 0, found = 0;
    const struct gl_listener *rows = gl_listeners(&count), *row;

    (void)state;
    for (size_t i = 0; i < count; i++) {
        assert_true(rows[i].venue == NULL || gl_venue_find_ops(rows[i].venue) != NULL);
        assert_true(rows[i].source[0] != '\0' && strlen(rows[i].date) == 10);
        assert_true(rows[i].trust != GL_LISTENER_UNKNOWN || rows[i].target == NULL);
    }
    while ((row = gl_listener_next("ovh", &at)) != NULL)
        found++;
    assert_int_equal(found, 3);
    at = 0;
    assert_null(gl_listener_next("no-such-provider", &at));
}

/* What is asked about instances goes to those who run them, not to the containers' roadmap. */
static void test_listener_of_an_area(void **state)
{
    (void)state;
    assert_string_equal(gl_listener_for("aws", "compute", NULL, NULL)->venue, "aws-support");
    assert_string_equal(gl_listener_for("aws", "compute", "email", NULL)->venue, "email");
    assert_null(gl_listener_for("aws", "compute", "github", NULL));
    assert_string_equal(gl_listener_for("aws", "containers", NULL, NULL)->target,
                        "aws/containers-roadmap");
    assert_string_equal(
        gl_listener_for("aws", "compute", "github", "aws/containers-roadmap")->venue, "github");
    assert_null(gl_listener_for("aws", NULL, "github", "o/r"));
    assert_string_equal(gl_listener_for("ovh", "compute", NULL, NULL)->target,
                        "ovh/public-cloud-roadmap");
    assert_null(gl_listener_for("no-such-provider", "compute", NULL, NULL));
    assert_null(gl_listener_for("vultr", "compute", NULL, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_settings),    cmocka_unit_test(test_mailboxes),
        cmocka_unit_test(test_drafts),      cmocka_unit_test(test_form),
        cmocka_unit_test(test_form_length), cmocka_unit_test(test_file),
        cmocka_unit_test(test_secret_file), cmocka_unit_test(test_judge),
        cmocka_unit_test(test_words),       cmocka_unit_test(test_sha1),
        cmocka_unit_test(test_listeners),   cmocka_unit_test(test_listener_of_an_area),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
