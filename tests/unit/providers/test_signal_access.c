/* SPDX-License-Identifier: Apache-2.0 */
#define FOLDER "build/tmp/test_signal_access"

#include "providers/signal/access.h"
#include "tests/unit/providers/account_server.h"
#include "tests/unit/providers/store_run.h"

/* ---- one run ---- */

struct visit {
    struct server server;
    struct gl_world *world;
    struct gl_signal_store *store;
};

static const char *const secrets[] = {"ELECTRICITYMAPS_TOKEN=" TOKEN, "WATTTIME_USER=jane",
                                      "WATTTIME_PASSWORD=" PASSWORD, "OTHER=" TOKEN, NULL};
static const char *const nothing[] = {"ELECTRICITYMAPS_TOKEN=", NULL};

static void open_visit(struct visit *visit, const struct gl_signal_config *config,
                       const char *const *environment)
{
    visit->world = gl_world_fixed_new(NOW * 1000, 1, environment);
    visit->server.http.ops = &serve_ops;
    visit->server.world = visit->world;
    if (visit->server.complains == NULL)
        visit->server.complains = "";
    visit->world->http = &visit->server.http;
    visit->store =
        gl_signal_store_new(&(struct gl_signal_store_options){.world = visit->world,
                                                              .cache_folder = CACHE,
                                                              .archive_folder = FOLDER "/archive",
                                                              .sources = config,
                                                              .source_count = 1});
}

static const struct gl_signal_report *visit_zone(struct visit *visit, const char *zone)
{
    struct gl_signal_query query = {.from = {NOW - HOUR}, .until = {NOW + HOUR}};
    size_t count;
    const struct gl_signal_report *reports;

    snprintf(query.zone, sizeof query.zone, "%s", zone);
    gl_signal_store_zone(visit->store, &query);
    reports = gl_signal_store_reports(visit->store, &count);
    for (size_t i = count; i > 0; i--)
        if (strcmp(reports[i - 1].zone, zone) == 0 && strcmp(reports[i - 1].source, "builtin") != 0)
            return &reports[i - 1];
    fail_msg("no report");
    return NULL;
}

static void close_visit(struct visit *visit)
{
    gl_signal_store_free(visit->store);
    gl_world_fixed_free(visit->world);
}

/* No file holds a planted secret. */
static void check_clean(const char *bytes, size_t length)
{
    assert_null(memmem(bytes, length, PLANTED, strlen(PLANTED)));
}

static int clean(void **state)
{
    (void)state;
    return set_up(state);
}

/* ---- keys ---- */

static const struct gl_signal_config maps = {.name = "electricity-maps"};
static const struct gl_signal_config watt = {.name = "watttime"};

static void test_token_in_header(void **state)
{
    struct visit visit = {0};

    (void)state;
    open_visit(&visit, &maps, secrets);
    assert_true(visit_zone(&visit, "DE")->is_ok);
    assert_string_equal(visit.server.name, "auth-token: ");
    assert_string_equal(visit.server.header, TOKEN);
    assert_true(visit.server.carried);
    assert_null(strstr(visit.server.url, PLANTED));
    assert_int_equal(visit.server.logins, 0);
    close_visit(&visit);
    assert_true(each_file(FOLDER, check_clean) > 2); /* cache and archive were written */
}

/* Some services repeat the question in their answer, which is kept in files. */
static void test_a_quoted_secret_is_blotted_out(void **state)
{
    static const struct gl_signal_config *const configs[] = {&maps, &watt};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct visit visit = {.server.quotes = true};

        open_visit(&visit, configs[i], secrets);
        assert_true(visit_zone(&visit, "DE")->is_ok);
        close_visit(&visit);
    }
    assert_true(each_file(FOLDER, check_clean) > 2);
}

static void test_other_names(void **state)
{
    const struct gl_signal_config config = {.name = "electricity-maps",
                                            .endpoint = "https://api-access.example/1",
                                            .key_env = "OTHER",
                                            .key_header = "X-BLOBR-KEY"};
    struct visit visit = {0};

    (void)state;
    open_visit(&visit, &config, secrets);
    assert_true(visit_zone(&visit, "DE")->is_ok);
    assert_string_equal(visit.server.name, "X-BLOBR-KEY: ");
    assert_string_equal(visit.server.header, TOKEN);
    close_visit(&visit);
}

/* Named, and nobody is asked; the second zone does not try again. */
static void test_missing(void **state)
{
    struct visit visit = {0};
    const struct gl_signal_report *report;

    (void)state;
    open_visit(&visit, &maps, nothing);
    report = visit_zone(&visit, "DE");
    assert_int_equal(report->error.code, GL_E_NO_CREDENTIAL);
    assert_non_null(strstr(report->error.text, "set ELECTRICITYMAPS_TOKEN"));
    assert_int_equal(visit_zone(&visit, "FR")->error.code, GL_E_NO_CREDENTIAL);
    assert_int_equal(visit.server.asked, 0);
    close_visit(&visit);
}

static void test_missing_password(void **state)
{
    static const char *const half[] = {"WATTTIME_USER=jane", NULL};
    struct visit visit = {0};

    (void)state;
    open_visit(&visit, &watt, half);
    assert_non_null(
        strstr(visit_zone(&visit, "DE")->error.text, "set WATTTIME_PASSWORD to the password"));
    assert_int_equal(visit.server.logins, 0);
    close_visit(&visit);
}

/* What was kept earlier serves without a secret, with its age. */
static void test_cache_needs_none(void **state)
{
    struct visit visit = {0};

    (void)state;
    open_visit(&visit, &maps, secrets);
    visit_zone(&visit, "DE");
    close_visit(&visit);
    visit = (struct visit){0};
    open_visit(&visit, &maps, nothing);
    visit.world->sleep_ms(visit.world->cookie, HOUR * 1000);
    assert_true(visit_zone(&visit, "DE")->is_from_cache);
    assert_int_equal(visit_zone(&visit, "DE")->age_s, HOUR);
    assert_int_equal(visit_zone(&visit, "DE")->error.code, GL_E_NO_CREDENTIAL);
    close_visit(&visit);
}

/* A line break would smuggle in another header; an endless secret is none. */
static void test_impossible(void **state)
{
    static const char *const bad[] = {"ELECTRICITYMAPS_TOKEN=a\r\nX-Evil: b",
                                      "ELECTRICITYMAPS_TOKEN= \t ", "ELECTRICITYMAPS_TOKEN=\x01"};

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const char *const environment[] = {bad[i], NULL};
        struct visit visit = {0};

        open_visit(&visit, &maps, environment);
        assert_non_null(strstr(visit_zone(&visit, "DE")->error.text, "holds no possible token"));
        assert_int_equal(visit.server.asked, 0);
        close_visit(&visit);
    }
}

/* ---- files ---- */

static void check_file(const char *content, const struct gl_signal_config *like, bool is_fine,
                       const char *says)
{
    struct gl_signal_config config = *like;
    struct visit visit = {0};
    const struct gl_signal_report *report;
    struct gl_error err = {0};

    config.key_file = FOLDER "/secret";
    assert_int_equal(gl_file_write(config.key_file, content, strlen(content), 0600, &err), 0);
    open_visit(&visit, &config, nothing);
    report = visit_zone(&visit, "DE");
    if (report->is_ok != is_fine)
        fail_msg("%s", report->error.text);
    if (is_fine)
        assert_non_null(strstr(visit.server.header, says));
    else
        assert_true(report->error.code == GL_E_NO_CREDENTIAL && strstr(report->error.text, says));
    assert_null(strstr(report->error.text, PLANTED));
    close_visit(&visit);
    assert_int_equal(remove(config.key_file), 0);
    assert_int_equal(gl_dir_remove(CACHE, &err), 0);
}

static void test_files(void **state)
{
    struct gl_signal_config missing = {.name = "electricity-maps", .key_file = FOLDER "/nothing"};
    struct visit visit = {0};

    (void)state;
    check_file(TOKEN "\n", &maps, true, TOKEN);
    check_file("# mine\nELECTRICITYMAPS_TOKEN=" TOKEN "\r\n", &maps, true, TOKEN);
    check_file("WATTTIME_USER=jane\nWATTTIME_PASSWORD=" PASSWORD "\n", &watt, true, SESSION);
    check_file("", &maps, false, "ELECTRICITYMAPS_TOKEN=");
    check_file("WATTTIME_USER=" TOKEN "\n", &watt, false, "WATTTIME_PASSWORD=");
    check_file(PASSWORD, &watt, false, "WATTTIME_USER=");
    check_file("two lines " PLANTED "\nare no token\n", &maps, false, "ELECTRICITYMAPS_TOKEN=");
    open_visit(&visit, &missing, secrets);
    assert_int_equal(visit_zone(&visit, "DE")->error.code, GL_E_NO_CREDENTIAL);
    close_visit(&visit);
}

/* ---- refusals ---- */

static void check_refusal(int status, const char *complains, const struct gl_error *wanted,
                          unsigned asked)
{
    struct visit visit = {.server = {.refuses = 100, .status = status, .complains = complains}};
    const struct gl_signal_report *report;

    open_visit(&visit, &maps, secrets);
    report = visit_zone(&visit, "DE");
    assert_int_equal(report->error.code, wanted->code);
    assert_non_null(strstr(report->error.text, wanted->text));
    assert_null(strstr(report->error.text, PLANTED));
    assert_int_equal(report->is_unknown, wanted->code == GL_E_UNKNOWN_DATA);
    visit_zone(&visit, "FR");
    assert_int_equal(visit.server.asked, asked);
    close_visit(&visit);
}

/* A bad token is asked about once; a missing right each time, for it is of one thing. */
static void test_refusals(void **state)
{
    const struct gl_error bad = {.code = GL_E_NO_CREDENTIAL, .text = "not accepted"};
    const struct gl_error right = {.code = GL_E_UNKNOWN_DATA, .text = "no entitlement"};

    (void)state;
    check_refusal(401, "{\"error\":\"Token is invalid: " TOKEN "\"}", &bad, 1);
    check_refusal(401, "{\"error\":\"Token unauthorized for zoneKey\"}", &right, 12);
    check_refusal(403, "Access denied", &right, 12);
    check_refusal(400, "", &(struct gl_error){.code = GL_E_PROVIDER, .text = "status 400"}, 1);
}

/* ---- sessions ---- */

/* RFC 7617, section 2: user and password in base64; then the token. */
static void test_login(void **state)
{
    struct visit visit = {0};

    (void)state;
    open_visit(&visit, &watt, secrets);
    assert_true(visit_zone(&visit, "DE")->is_ok);
    assert_string_equal(visit.server.header, "Bearer " SESSION);
    assert_int_equal(visit.server.logins, 1);
    visit_zone(&visit, "FR");
    assert_int_equal(visit.server.logins, 1);
    close_visit(&visit);
    assert_true(each_file(FOLDER, check_clean) > 0);
}

static void test_basic_header(void **state)
{
    static const char *const environment[] = {"WATTTIME_USER=Aladdin",
                                              "WATTTIME_PASSWORD=open sesame", NULL};
    struct visit visit = {.server = {.knows_nobody = true}};
    const struct gl_signal_report *report;

    (void)state;
    open_visit(&visit, &watt, environment);
    report = visit_zone(&visit, "DE");
    assert_string_equal(visit.server.header, "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    assert_string_equal(visit.server.url, "https://api.watttime.org/login");
    assert_true(visit.server.carried);
    assert_int_equal(report->error.code, GL_E_NO_CREDENTIAL);
    assert_non_null(strstr(report->error.text, "does not accept the user name and password"));
    assert_null(strstr(report->error.text, PLANTED));
    visit_zone(&visit, "FR");
    assert_int_equal(visit.server.logins, 1);
    assert_int_equal(visit.server.asked, 0);
    close_visit(&visit);
}

/* 25 minutes, of the 30 that it is good for. */
static void test_renewed_in_time(void **state)
{
    struct visit visit = {0};

    (void)state;
    open_visit(&visit, &watt, secrets);
    visit_zone(&visit, "DE");
    visit.world->sleep_ms(visit.world->cookie, 1499 * 1000);
    visit_zone(&visit, "FR");
    assert_int_equal(visit.server.logins, 1);
    visit.world->sleep_ms(visit.world->cookie, 2 * 1000);
    visit_zone(&visit, "ES");
    assert_int_equal(visit.server.logins, 2);
    assert_int_equal(visit.server.asked, 3);
    close_visit(&visit);
}

static void test_renewed_on_401(void **state)
{
    struct visit visit = {.server = {.complains = "{\"msg\":\"expired\"}"}};
    struct visit never = {.server = {.refuses = 100, .complains = "{\"error\":\"expired\"}"}};

    (void)state;
    open_visit(&visit, &watt, secrets);
    visit_zone(&visit, "DE");
    visit.server.refuses = 1;
    assert_true(visit_zone(&visit, "FR")->is_ok);
    assert_int_equal(visit.server.logins, 2);
    assert_int_equal(visit.server.asked, 3);
    close_visit(&visit);
    open_visit(&never, &watt, secrets); /* a fresh token that does not hold is not replaced */
    assert_int_equal(visit_zone(&never, "ES")->error.code, GL_E_NO_CREDENTIAL);
    assert_int_equal(never.server.logins, 1);
    assert_int_equal(never.server.asked, 1);
    close_visit(&never);
}

static void test_no_token_given(void **state)
{
    struct visit visit = {.server = {.gives_no_token = true}};

    (void)state;
    open_visit(&visit, &watt, secrets);
    assert_int_equal(visit_zone(&visit, "DE")->error.code, GL_E_BAD_REPLY);
    assert_int_equal(visit.server.asked, 0);
    close_visit(&visit);
}

static void test_no_right_to_region(void **state)
{
    struct visit visit = {
        .server = {.refuses = 1, .status = 403, .complains = "{\"error\":\"Invalid scope\"}"}};

    (void)state;
    open_visit(&visit, &watt, secrets);
    assert_int_equal(visit_zone(&visit, "FR")->error.code, GL_E_UNKNOWN_DATA);
    assert_true(visit_zone(&visit, "DE")->is_ok); /* another region, the same session */
    assert_int_equal(visit.server.logins, 1);
    close_visit(&visit);
}

/* A recording of the whole visit holds none of it, nor what the login gave. */
static void test_recording(void **state)
{
    const struct gl_signal_config both[] = {{.name = "electricity-maps"}, {.name = "watttime"}};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct visit visit = {0};
        struct gl_http *record;

        open_visit(&visit, &both[i], secrets);
        record = gl_http_record_new(&visit.server.http, FOLDER "/recorded", NULL);
        visit.world->http = record;
        assert_true(visit_zone(&visit, "DE")->is_ok);
        close_visit(&visit);
        gl_http_close(record);
    }
    assert_int_equal(each_file(FOLDER "/recorded", check_clean),
                     6 + 2); /* one a question, and the login */
}

/* 90 days come in pieces of at most 30, two signals each, in one session or its successors. */
static void test_backfill(void **state)
{
    struct gl_backfill ask = {.zone = "DE", .from = {NOW - 90 * 86400}, .until = {NOW}};
    struct gl_backfill_result result;
    struct visit visit = {0};
    struct gl_error err = {0};

    (void)state;
    open_visit(&visit, &watt, secrets);
    visit.server.is_empty = true;
    if (gl_signal_backfill(visit.store, &ask, &result, &err))
        fail_msg("%s", err.text);
    assert_in_range(result.requests, 6, 8); /* pieces lie on a grid from 1970 */
    assert_int_equal(visit.server.asked, result.requests);
    assert_int_equal(visit.server.logins, 1);
    assert_true(visit.server.longest_s > 29 * 86400 && visit.server.longest_s < 32 * 86400);
    close_visit(&visit);
}

/* ---- keys in the query ---- */

static void test_parameter(void **state)
{
    static const struct gl_signal_key keys[] = {
        {.variable = "OTHER", .what = "key", .parameter = "api_key"}, {0}};
    const struct gl_signal_ops ops = {.name = "x", .keys = keys};
    const struct gl_signal_config config = {.name = "x"};
    struct gl_world *world = gl_world_fixed_new(0, 1, secrets);
    struct gl_access access = {.ops = &ops, .config = &config};
    struct gl_access_dress dress;
    struct gl_error err = {0};

    (void)state;
    assert_int_equal(gl_access_open(&access, world, &err), 0);
    assert_int_equal(gl_access_dress(&access, "https://x/data?a=b", &dress, &err), 0);
    assert_string_equal(dress.url, "https://x/data?a=b&api_key=planted%2Btoken%2F4711");
    assert_null(dress.headers[0]);
    gl_access_dress_done(&dress);
    assert_int_equal(gl_access_dress(&access, "https://x/data", &dress, &err), 0);
    assert_string_equal(dress.url, "https://x/data?api_key=planted%2Btoken%2F4711");
    gl_access_dress_done(&dress);
    gl_access_done(&access);
    gl_world_fixed_free(world);
}

/* A source of one zone is not asked about another. */
static void test_kept_to_its_zone(void **state)
{
    const struct gl_signal_config config = {
        .name = "watttime", .zone = "US-MIDA-PJM", .location = "DE"};
    struct visit visit = {0};

    (void)state;
    open_visit(&visit, &config, secrets);
    assert_true(visit_zone(&visit, "FR")->is_skipped);
    assert_int_equal(visit.server.asked, 0);
    assert_true(visit_zone(&visit, "US-MIDA-PJM")->is_ok);
    assert_int_equal(visit.server.asked, 1);
    close_visit(&visit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_token_in_header, clean),
        cmocka_unit_test_setup(test_a_quoted_secret_is_blotted_out, clean),
        cmocka_unit_test_setup(test_other_names, clean),
        cmocka_unit_test_setup(test_missing, clean),
        cmocka_unit_test_setup(test_missing_password, clean),
        cmocka_unit_test_setup(test_cache_needs_none, clean),
        cmocka_unit_test_setup(test_impossible, clean),
        cmocka_unit_test_setup(test_files, clean),
        cmocka_unit_test_setup(test_refusals, clean),
        cmocka_unit_test_setup(test_login, clean),
        cmocka_unit_test_setup(test_basic_header, clean),
        cmocka_unit_test_setup(test_renewed_in_time, clean),
        cmocka_unit_test_setup(test_renewed_on_401, clean),
        cmocka_unit_test_setup(test_no_token_given, clean),
        cmocka_unit_test_setup(test_no_right_to_region, clean),
        cmocka_unit_test_setup(test_recording, clean),
        cmocka_unit_test_setup(test_backfill, clean),
        cmocka_unit_test_setup(test_parameter, clean),
        cmocka_unit_test_setup(test_kept_to_its_zone, clean),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
