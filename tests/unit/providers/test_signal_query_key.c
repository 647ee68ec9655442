/* SPDX-License-Identifier: Apache-2.0 */
#define FOLDER "build/tmp/test_signal_query_key"
#include "tests/unit/providers/store_run.h"

/* Sources whose key rides in the query: it is sent, and found nowhere afterwards. */

#define PLANTED   "planted-7f3a/+ b"
#define SENT      "planted-7f3a%2F%2B%20b"
#define PART      "planted-7f3a"
#define RECORDING FOLDER "/recording"
#define ARCHIVE   FOLDER "/archive"

/* The transport of store_script.h, which keeps what it was asked. */
struct ear {
    struct gl_http http;
    struct gl_http *inner;
    char url[1024], accept[128];
};

struct source {
    const char *name, *zone, *variable, *parameter, *vector, *accept;
};

static const struct source sources[] = {
    {"entsoe", "FR", "ENTSOE_TOKEN", "securityToken", "entsoe/generation/body.xml",
     "Accept: application/xml, text/xml"},
    {"eia", "US-CAL-CISO", "EIA_API_KEY", "api_key", "eia/hours/body.json",
     "Accept: application/json"},
    {"ember", "DE", "EMBER_API_KEY", "api_key", "ember/intensity_yearly/body.json",
     "Accept: application/json"},
};

#define SOURCES (sizeof sources / sizeof sources[0])

static const char *variable; /* which one is set */

static const char *environment(void *cookie, const char *name)
{
    (void)cookie;
    return variable != NULL && strcmp(name, variable) == 0 ? PLANTED : NULL;
}

static int hear(struct gl_http *http, const struct gl_http_request *request,
                struct gl_http_reply *out, struct gl_error *err)
{
    struct ear *ear = (struct ear *)http;
    const char *accept = "";

    has_header(request, "Accept:", &accept);
    snprintf(ear->url, sizeof ear->url, "%s", request->url);
    snprintf(ear->accept, sizeof ear->accept, "%s", accept);
    return gl_http_send(ear->inner, request, out, err);
}

static void hear_close(struct gl_http *http)
{
    (void)http;
}

static const struct gl_http_ops ear_ops = {.name = "ear", .send = hear, .close = hear_close};

static char *vector_of(const struct source *source)
{
    char *path = gl_path_join("tests/vectors/signal", source->vector), *bytes;
    struct gl_error err = {0};
    size_t length;

    assert_int_equal(gl_file_read(path, 1 << 20, &bytes, &length, &err), 0);
    free(path);
    return bytes;
}

/* Neither name nor content of any file below a folder. */
static void assert_clean(const char *folder)
{
    struct gl_error err = {0};
    DIR *dir = opendir(folder);
    const struct dirent *entry;

    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        char *path = gl_path_join(folder, entry->d_name), *bytes;
        size_t length;

        assert_null(strstr(entry->d_name, PART));
        if (entry->d_type == DT_DIR && entry->d_name[0] != '.')
            assert_clean(path);
        if (entry->d_type == DT_REG) {
            assert_int_equal(gl_file_read(path, 1 << 20, &bytes, &length, &err), 0);
            assert_null(memmem(bytes, length, PART, strlen(PART)));
            free(bytes);
        }
        free(path);
    }
    if (dir != NULL)
        closedir(dir);
}

/* Ask one source, answered as `answer` says; the error of its report is checked for the secret. */
static enum gl_errc ask_source(const struct source *source, const struct answer *answer,
                               struct ear *ear, bool *out_has_series)
{
    const struct gl_signal_config config = {.name = source->name};
    const struct gl_signal_store_options options = {
        .cache_folder = CACHE, .archive_folder = ARCHIVE, .sources = &config, .source_count = 1};
    const struct gl_signal_report *report;
    struct run run = {0};
    enum gl_errc code;

    start(&run, NOW, &options);
    run.world->getenv = environment;
    *ear = (struct ear){.http = {.ops = &ear_ops}, .inner = &run.script.http};
    run.world->http = &ear->http;
    say(&run, *answer);
    *out_has_series = series_of(ask(&run, source->zone), source->name) != NULL;
    report = report_of(&run, source->name, source->zone);
    code = report->error.code;
    assert_null(strstr(report->error.text, PART));
    finish(&run);
    return code;
}

static void test_sent_and_forgotten(void **state)
{
    for (size_t i = 0; i < SOURCES; i++) {
        char *body = vector_of(&sources[i]);
        const struct answer good = {.match = "http", .status = 200, .body = body};
        bool has_series = false;
        char tail[128];
        struct ear ear;

        (void)state;
        set_up(NULL);
        variable = sources[i].variable;
        ask_source(&sources[i], &good, &ear, &has_series);
        assert_true(has_series);
        snprintf(tail, sizeof tail, "&%s=%s", sources[i].parameter, SENT);
        assert_true(strlen(ear.url) > strlen(tail));
        assert_string_equal(ear.url + strlen(ear.url) - strlen(tail), tail);
        assert_string_equal(ear.accept, sources[i].accept);
        assert_clean(FOLDER);
        free(body);
    }
}

static void test_no_key(void **state)
{
    const struct answer good = {.match = "http", .status = 200, .body = "{}"};
    bool has_series = false;
    struct ear ear;

    (void)state;
    variable = NULL;
    for (size_t i = 0; i < SOURCES; i++) {
        assert_int_equal(ask_source(&sources[i], &good, &ear, &has_series), GL_E_NO_CREDENTIAL);
        assert_false(has_series);
        assert_string_equal(ear.url, ""); /* nothing was sent */
    }
}

#define ACKNOWLEDGED(text)                                                                       \
    "<?xml version=\"1.0\"?><Acknowledgement_MarketDocument><Reason><code>999</code><text>" text \
    "</text></Reason></Acknowledgement_MarketDocument>"

/* Refusals that repeat the question, key and all. */
static void test_refusals(void **state)
{
    static const struct {
        size_t source;
        int status;
        const char *body;
        enum gl_errc code;
    } rows[] = {
        {0, 400, ACKNOWLEDGED("No matching data found, securityToken=" SENT), GL_E_UNKNOWN_DATA},
        {0, 200, ACKNOWLEDGED("No matching data found, securityToken=" SENT), GL_E_UNKNOWN_DATA},
        {0, 400, ACKNOWLEDGED("Input parameter " SENT " is wrong"), GL_E_PROVIDER},
        {0, 400, "<html>" SENT "</html>", GL_E_PROVIDER},
        {0, 400, "", GL_E_PROVIDER},
        {0, 401, "<html>Unauthorized " SENT "</html>", GL_E_NO_CREDENTIAL},
        {0, 429, "<html>" SENT "</html>", GL_E_RATE_LIMIT},
        {1, 403, "{\"error\":{\"code\":\"API_KEY_INVALID\",\"message\":\"" SENT "\"}}",
         GL_E_NO_CREDENTIAL},
        {1, 400, "{\"error\":\"" SENT "\",\"code\":400}", GL_E_PROVIDER},
        {1, 200, "{\"error\":\"" SENT "\",\"code\":400}", GL_E_BAD_REPLY},
        {1, 429, "{}", GL_E_RATE_LIMIT},
        {2, 403, "{\"message\":\"" SENT "\"}", GL_E_NO_CREDENTIAL},
        {2, 0, NULL, GL_E_NETWORK},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct answer answer = {
            .match = "http", .status = rows[i].status, .body = rows[i].body};
        const struct source *source = &sources[rows[i].source];
        bool has_series = false;
        struct ear ear;

        set_up(NULL);
        variable = source->variable;
        if (ask_source(source, &answer, &ear, &has_series) != rows[i].code)
            fail_msg("row %zu of %s", i, source->name);
        assert_false(has_series);
        assert_clean(FOLDER);
    }
}

/* A recording of the whole run names the parameter and not the key. */
static void test_recording(void **state)
{
    static const char *const secret[] = {"securityToken", "api_key", NULL};

    (void)state;
    for (size_t i = 0; i < SOURCES; i++) {
        char *body = vector_of(&sources[i]), url[256];
        struct script script = {.http = {.ops = &script_ops}};
        struct gl_http *recorder = gl_http_record_new(&script.http, RECORDING, secret);
        struct gl_http_request request = {.method = "GET", .url = url};
        struct gl_http_reply reply;
        struct gl_error err = {0};

        script.world = gl_world_fixed_new(NOW * 1000, 1, NULL);
        script.answers[script.count++] =
            (struct answer){.match = "http", .status = 200, .body = body};
        snprintf(url, sizeof url, "https://x.example/a?b=c&%s=%s", sources[i].parameter, SENT);
        assert_int_equal(gl_http_send(recorder, &request, &reply, &err), 0);
        gl_http_reply_done(&reply);
        gl_http_close(recorder);
        assert_clean(RECORDING);
        snprintf(url, sizeof url, "https://x.example/a?b=c&%s=REDACTED", sources[i].parameter);
        recorder = gl_http_replay_new(RECORDING);
        assert_int_equal(gl_http_send(recorder, &request, &reply, &err), 0);
        assert_string_equal(reply.body, body);
        gl_http_reply_done(&reply);
        gl_http_close(recorder);
        gl_world_fixed_free(script.world);
        free(body);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_sent_and_forgotten, set_up),
        cmocka_unit_test_setup(test_no_key, set_up),
        cmocka_unit_test_setup(test_refusals, set_up),
        cmocka_unit_test_setup(test_recording, set_up),
    };

    return cmocka_run_group_tests_name("signal_query_key", tests, NULL, NULL);
}
