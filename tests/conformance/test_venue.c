/* SPDX-License-Identifier: Apache-2.0 */
/* Every venue behind HTTP against its counterpart: what it sends, what it finds again, and that no
 * fault, state or answer files without approval, twice, or with a secret in an error. */
#include "tests/conformance/venue_fake.h"

#include "base/file.h"
#include "tests/support/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define FINGERPRINT "7f3a91c2aa40c8a1e4b2c3d4e5f60718293a4b5c6d7e8f901122334455667788"
#define NOW_MS      1795334400000 /* 2026-11-22T08:00:00Z */
#define DRAFTED_S   1795132800    /* 2026-11-20T00:00:00Z */

/* One venue that is open before its fake. */
struct bench {
    struct venue_fake fake;
    char *folder;
    struct gl_setting settings[20];
    char *values[20];
    char *environment[8];
    struct gl_venue_options options;
    struct gl_venue *venue;
    struct gl_venue_preview preview;
};

static const char *const labels[] = {"Proposed", NULL};
static const struct gl_venue_request request = {
    .fingerprint = FINGERPRINT,
    .title = "Hourly location-based intensity \xc3\xa0 la carte",
    .markdown = "### What\n\nan *hourly* figure\nby API\n\n- \"quotes\" & <tags>\n",
    .plain = "What: an hourly figure by API \xe2\x82\xac\n",
    .json = "{\"capability\":\"intensity.hourly\"}",
    .labels = labels,
    .drafted = {DRAFTED_S}};

static void on_request(const struct gl_test_request *asked, struct gl_test_answer *out,
                       void *cookie)
{
    struct bench *bench = cookie;

    bench->fake.ops->answer(&bench->fake, asked, out);
}

/* `text` with URL and FOLDER put in. */
static char *filled(const struct bench *bench, const char *text)
{
    struct gl_str out = {0};

    while (*text != '\0') {
        if (strncmp(text, "URL", 3) == 0 && (text[3] == '\0' || text[3] == '/')) {
            gl_str_add(&out, gl_test_server_url(bench->fake.server));
            text += 3;
        } else if (strncmp(text, "FOLDER", 6) == 0) {
            gl_str_add(&out, bench->folder);
            text += 6;
        } else {
            gl_str_add_char(&out, *text++);
        }
    }
    return gl_str_take(&out);
}

static void write_google_file(const struct bench *bench)
{
    char *path = gl_path_join(bench->folder, "adc.json");
    struct gl_error err = {0};
    struct gl_str text = {0};

    gl_str_addf(&text,
                "{\"type\":\"authorized_user\",\"client_id\":\"c\",\"client_secret\":\"%s\","
                "\"refresh_token\":\"refresh-%s\",\"token_uri\":\"%s/token\"}",
                VENUE_SECRET, VENUE_SECRET, gl_test_server_url(bench->fake.server));
    assert_int_equal(gl_file_write(path, text.text, text.length, 0600, &err), 0);
    gl_str_done(&text);
    free(path);
}

static void set_up(struct bench *bench, const struct venue_fake_ops *ops)
{
    struct gl_error err = {0};
    size_t i, count = 0;

    memset(bench, 0, sizeof *bench);
    bench->fake.ops = ops;
    bench->folder = scratch_make("venue");
    bench->fake.server = gl_test_server_start(on_request, bench);
    write_google_file(bench);
    for (i = 0; ops->environment[i] != NULL; i++)
        bench->environment[i] = filled(bench, ops->environment[i]);
    for (i = 0; ops->settings[i] != NULL; i += 2) {
        bench->values[count] = filled(bench, ops->settings[i + 1]);
        bench->settings[count] = (struct gl_setting){ops->settings[i], bench->values[count]};
        count++;
    }
    bench->fake.world =
        gl_world_fixed_new(NOW_MS, 7, (const char *const *)(const void *)bench->environment);
    bench->fake.world->http = gl_http_curl_new();
    bench->options = (struct gl_venue_options){.world = bench->fake.world,
                                               .settings = bench->settings,
                                               .setting_count = count,
                                               .folder = bench->folder};
    bench->venue = gl_venue_open(ops->venue, &bench->options, &err);
    if (bench->venue == NULL)
        fail_msg("%s: %s", ops->venue, err.text);
    if (gl_venue_preview(bench->venue, GL_VENUE_FILING, &request, NULL, &bench->preview, &err) < 0)
        fail_msg("%s: %s", ops->venue, err.text);
}

static void tear_down(struct bench *bench)
{
    gl_venue_preview_done(&bench->preview);
    gl_venue_close(bench->venue);
    gl_http_close(bench->fake.world->http);
    gl_world_fixed_free(bench->fake.world);
    gl_test_server_stop(bench->fake.server);
    scratch_remove(bench->folder);
    for (size_t i = 0; i < 20; i++)
        free(bench->values[i]);
    for (size_t i = 0; i < 8; i++)
        free(bench->environment[i]);
    if (bench->fake.complaint[0] != '\0')
        fail_msg("the counterpart of %s complains: %s", bench->fake.ops->venue,
                 bench->fake.complaint);
}

static void each(void (*check)(struct bench *bench))
{
    for (size_t i = 0; venue_fakes[i] != NULL; i++) {
        struct bench *bench = gl_alloc(sizeof *bench);

        print_message("  %s\n", venue_fakes[i]->venue);
        set_up(bench, venue_fakes[i]);
        check(bench);
        tear_down(bench);
        free(bench);
    }
}

static bool has(const struct bench *bench, unsigned caps)
{
    return (gl_venue_ops_caps(gl_venue_ops_of(bench->venue)) & caps) == caps;
}

static void check_silent(const char *text)
{
    if (strstr(text, "planted-secret") != NULL || strstr(text, "YUBleGFtcGxlLm9yZ") != NULL)
        fail_msg("a secret stands in: %s", text);
}

static int send(struct bench *bench, const struct gl_venue_preview *preview, bool is_retry,
                struct gl_venue_receipt *out, struct gl_error *err)
{
    struct gl_venue_approval approval = {
        .digest = preview->digest, .is_retry = is_retry, .tried = gl_now(bench->fake.world)};
    int rc;

    approval.tried.unix_s -= is_retry ? 1800 : 0;
    gl_error_clear(err);
    rc = gl_venue_send(bench->venue, preview, &approval, out, err);
    check_silent(err->text);
    check_silent(out->note);
    return rc;
}

/* ---- filing ---- */

static void check_once(struct bench *bench)
{
    struct gl_venue_receipt receipt = {0};
    struct gl_error err = {0};

    if (send(bench, &bench->preview, false, &receipt, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(bench->fake.item_count, 1);
    assert_false(receipt.was_there);
    assert_true(receipt.id[0] != '\0');
    assert_int_equal(gl_venue_last_answer(bench->venue), GL_ANSWER_OK);
    if (strcmp(bench->fake.ops->venue, "webhook") != 0)
        assert_non_null(strstr(bench->fake.items[0].title, "[GL-7f3a91c2]"));
    /* The ledger lost it: it is there all the same. */
    assert_int_equal(send(bench, &bench->preview, false, &receipt, &err), 0);
    assert_int_equal(bench->fake.item_count, 1);
    assert_int_equal(receipt.was_there, has(bench, GL_VENUE_FIND));
}

static void test_once(void **state)
{
    (void)state;
    each(check_once);
}

static void check_pure(struct bench *bench)
{
    struct gl_venue_preview again = {0};
    GL_AUTO(gl_str_done) struct gl_str text = {0};
    struct gl_error err = {0};

    assert_int_equal(gl_venue_preview(bench->venue, GL_VENUE_FILING, &request, NULL, &again, &err),
                     0);
    assert_string_equal(again.digest, bench->preview.digest);
    assert_int_equal(gl_test_server_requests(bench->fake.server), 0);
    gl_venue_preview_text(&again, &text);
    check_silent(text.text);
    assert_non_null(strstr(text.text, again.digest));
    assert_non_null(strstr(text.text, again.steps[0].where));
    gl_venue_preview_done(&again);
}

static void test_pure(void **state)
{
    (void)state;
    each(check_pure);
}

/* Every byte of a preview counts; so does the approver's digest, the place, the kill switch. */
static void check_unapproved(struct bench *bench)
{
    struct gl_venue_approval approval = {.digest = FINGERPRINT};
    struct gl_venue_preview *preview = &bench->preview;
    struct gl_venue_step *step = &preview->steps[preview->step_count - 1];
    char *changed[] = {step->where,  step->headers,  step->body,  preview->sender,
                       preview->tag, preview->place, step->method};
    char *path = gl_path_join(bench->folder, GL_VENUE_KILL_SWITCH);
    struct gl_venue_receipt receipt = {0};
    struct gl_error err = {0};

    assert_int_equal(gl_venue_send(bench->venue, preview, &approval, &receipt, &err), -1);
    assert_int_equal(err.code, GL_E_NOT_VERIFIED);
    for (size_t i = 0; i < sizeof changed / sizeof *changed; i++) {
        changed[i][0] ^= 1;
        assert_int_equal(send(bench, preview, false, &receipt, &err), -1);
        assert_int_equal(err.code, GL_E_NOT_VERIFIED);
        changed[i][0] ^= 1;
    }
    gl_error_clear(&err);
    assert_int_equal(gl_file_write(path, "", 0, 0600, &err), 0);
    assert_int_equal(send(bench, preview, false, &receipt, &err), -1);
    assert_int_equal(err.code, GL_E_PERMISSION);
    free(path);
    assert_int_equal(gl_test_server_requests(bench->fake.server), 0);
}

static void test_unapproved(void **state)
{
    (void)state;
    each(check_unapproved);
}

/* ---- faults ---- */

/* It was done, and nobody knows: never twice, and found again. */
static void check_unknown(struct bench *bench, enum venue_fault fault)
{
    struct gl_venue_receipt receipt = {0};
    struct gl_error err = {0};
    bool takes_all = strcmp(bench->fake.ops->venue, "webhook") == 0 && fault >= VENUE_GARBAGE &&
                     fault <= VENUE_PAGE; /* it reads no body */

    bench->fake.item_count = 0;
    bench->fake.fault = fault;
    if (takes_all) {
        assert_int_equal(send(bench, &bench->preview, false, &receipt, &err), 0);
        return;
    }
    assert_int_equal(send(bench, &bench->preview, false, &receipt, &err), -1);
    if (err.code != GL_E_OUTCOME)
        fail_msg("%s, fault %d: code %d: %s", bench->fake.ops->venue, (int)fault, (int)err.code,
                 err.text);
    assert_int_equal(bench->fake.item_count, 1);
    if (send(bench, &bench->preview, true, &receipt, &err) < 0)
        fail_msg("%s, fault %d: %s", bench->fake.ops->venue, (int)fault, err.text);
    assert_int_equal(bench->fake.item_count, 1);
    assert_int_equal(receipt.was_there, has(bench, GL_VENUE_FIND));
}

static void check_faults(struct bench *bench)
{
    static const enum venue_fault faults[] = {VENUE_CUT_AFTER, VENUE_TRUNCATED, VENUE_HUGE,
                                              VENUE_GARBAGE,   VENUE_WRONG,     VENUE_PAGE};

    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
        check_unknown(bench, faults[i]);
}

static void test_faults(void **state)
{
    (void)state;
    each(check_faults);
}

/* Lists that lag prove nothing for a while. */
static void check_lag(struct bench *bench)
{
    struct gl_venue_approval approval = {.digest = bench->preview.digest, .is_retry = true};
    struct gl_venue_receipt receipt = {0};
    struct gl_error err = {0};

    if (!has(bench, GL_VENUE_FIND))
        return;
    bench->fake.fault = VENUE_CUT_AFTER;
    assert_int_equal(send(bench, &bench->preview, false, &receipt, &err), -1);
    bench->fake.is_lagging = true;
    approval.tried = gl_now(bench->fake.world);
    gl_error_clear(&err);
    assert_int_equal(gl_venue_send(bench->venue, &bench->preview, &approval, &receipt, &err), -1);
    assert_int_equal(err.code, GL_E_OUTCOME);
    assert_int_equal(bench->fake.item_count, 1);
}

static void test_lag(void **state)
{
    (void)state;
    each(check_lag);
}

static void test_silent(void **state)
{
    struct bench *bench = gl_alloc(sizeof *bench);

    (void)state;
    set_up(bench, &venue_fake_github);
    check_unknown(bench, VENUE_SILENT);
    tear_down(bench);
    free(bench);
}

/* Nothing done, said so: nothing is tried again by itself, and the class is right. */
static void check_answers(struct bench *bench)
{
    static const struct {
        int status;
        const char *headers, *body;
        enum gl_errc code;
        enum gl_venue_answer answer;
    } rows[] = {
        {429, "Retry-After: 77\r\n", "{}", GL_E_RATE_LIMIT, GL_ANSWER_RATE_LIMITED},
        {403, NULL, "{\"message\":\"no\"}", GL_E_PERMISSION, GL_ANSWER_FORBIDDEN},
        {403, "Retry-After: 60\r\n", "{}", GL_E_RATE_LIMIT, GL_ANSWER_RATE_LIMITED},
        {410, NULL, "{\"message\":\"Issues are disabled\"}", GL_E_NOT_FOUND, GL_ANSWER_GONE},
        {401, NULL, "{\"message\":\"token " VENUE_SECRET " is bad\"}", GL_E_NO_CREDENTIAL,
         GL_ANSWER_LOGIN},
        {404, NULL, "{}", GL_E_NOT_FOUND, GL_ANSWER_ABSENT},
        {422, NULL, "{\"message\":\"Bearer " VENUE_SECRET "\"}", GL_E_BAD_VALUE, GL_ANSWER_REFUSED},
        {500, NULL, "{\"message\":\"oops\"}", GL_E_OUTCOME, GL_ANSWER_UNCLEAR},
        {302, "Location: https://example.org/login?next=x\r\n", "", GL_E_PERMISSION,
         GL_ANSWER_PERSON},
        {307, "Location: http://127.0.0.1:1/elsewhere\r\n", "", GL_E_OUTCOME, GL_ANSWER_UNCLEAR},
    };
    struct gl_venue_receipt receipt = {0};
    struct gl_error err = {0};

    bool is_told =
        strcmp(bench->fake.ops->venue, "aws-support") != 0; /* it never gets the secret */

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (!is_told && strstr(rows[i].body, VENUE_SECRET) != NULL)
            continue;
        bench->fake.fault = VENUE_ANSWER;
        bench->fake.status = rows[i].status;
        bench->fake.headers = rows[i].headers;
        bench->fake.body = rows[i].body;
        assert_int_equal(send(bench, &bench->preview, false, &receipt, &err), -1);
        if (err.code != rows[i].code || gl_venue_last_answer(bench->venue) != rows[i].answer)
            fail_msg("%s, %d: code %d, answer %s: %s", bench->fake.ops->venue, rows[i].status,
                     (int)err.code, gl_venue_answer_word(gl_venue_last_answer(bench->venue)),
                     err.text);
        assert_int_equal(bench->fake.item_count, 0);
        if (rows[i].status == 429)
            assert_int_equal(gl_venue_told_wait_s(bench->venue), 77);
    }
}

static void test_answers(void **state)
{
    (void)state;
    each(check_answers);
}

static void check_unsent(struct bench *bench)
{
    struct gl_venue_receipt receipt = {0};
    struct gl_error err = {0};

    bench->fake.fault = VENUE_CUT_BEFORE;
    assert_int_equal(send(bench, &bench->preview, false, &receipt, &err), -1);
    assert_int_equal(err.code, GL_E_OUTCOME);
    assert_int_equal(bench->fake.item_count, 0);
    assert_int_equal(send(bench, &bench->preview, true, &receipt, &err), 0);
    assert_int_equal(bench->fake.item_count, 1);
}

static void test_unsent(void **state)
{
    (void)state;
    each(check_unsent);
}

/* ---- afterwards ---- */

static void check_status(struct bench *bench)
{
    struct gl_venue_receipt receipt = {0};
    struct gl_venue_status status = {0};
    struct gl_venue_preview closing = {0};
    struct gl_error err = {0};

    if (!has(bench, GL_VENUE_STATUS))
        return;
    assert_int_equal(send(bench, &bench->preview, false, &receipt, &err), 0);
    if (gl_venue_status(bench->venue, receipt.id, NULL, &status, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(status.state, GL_REQUEST_OPEN);
    assert_non_null(strstr(status.title, "Hourly"));
    if (status.etag[0] != '\0') {
        assert_int_equal(gl_venue_status(bench->venue, receipt.id, status.etag, &status, &err), 0);
        assert_true(status.is_same);
    }
    if (!has(bench, GL_VENUE_WITHDRAW))
        return;
    if (gl_venue_preview(bench->venue, GL_VENUE_WITHDRAWING, &request, receipt.id, &closing, &err))
        fail_msg("%s", err.text);
    if (send(bench, &closing, false, &receipt, &err) < 0)
        fail_msg("%s", err.text);
    assert_true(bench->fake.items[0].is_closed);
    assert_int_equal(send(bench, &closing, true, &receipt, &err), 0);
    assert_true(receipt.was_there);
    assert_int_equal(gl_venue_status(bench->venue, receipt.id, NULL, &status, &err), 0);
    assert_int_equal(status.state, GL_REQUEST_CLOSED);
    gl_venue_preview_done(&closing);
}

static void test_status(void **state)
{
    (void)state;
    each(check_status);
}

static void check_gone(struct bench *bench)
{
    struct gl_venue_receipt receipt = {0};
    struct gl_venue_status status = {0};
    struct gl_error err = {0};

    if (!has(bench, GL_VENUE_STATUS))
        return;
    assert_int_equal(send(bench, &bench->preview, false, &receipt, &err), 0);
    bench->fake.item_count = 0;
    if (gl_venue_status(bench->venue, receipt.id, "\"x\"", &status, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(status.state, GL_REQUEST_GONE);
    assert_int_equal(gl_venue_status(bench->venue, "../../x y", NULL, &status, &err), -1);
    assert_int_equal(err.code, GL_E_BAD_VALUE);
}

static void test_gone(void **state)
{
    (void)state;
    each(check_gone);
}

static void check_search(struct bench *bench)
{
    struct gl_venue_candidate found[GL_VENUE_CANDIDATES];
    struct gl_error err = {0};
    size_t count = 0;

    if (!has(bench, GL_VENUE_SEARCH))
        return;
    if (gl_venue_search(bench->venue, "carbon\" hour:(intensity) ", found, &count, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(count, GL_VENUE_CANDIDATES);
    for (size_t i = 0; i < count; i++) {
        assert_null(strchr(found[i].title, '\x1b'));
        assert_true(found[i].url[0] == '\0' || strncmp(found[i].url, "http", 4) == 0);
    }
}

static void test_search(void **state)
{
    (void)state;
    each(check_search);
}

/* A vote and a comment, once, also when the answer to the comment was lost. */
static void check_join(struct bench *bench)
{
    struct gl_venue_receipt receipt = {0};
    struct gl_venue_preview joining = {0};
    struct gl_error err = {0};

    if (!has(bench, GL_VENUE_JOIN))
        return;
    venue_fake_add(&bench->fake, "Existing wish");
    if (gl_venue_preview(bench->venue, GL_VENUE_JOINING, &request,
                         strcmp(bench->fake.ops->venue, "jira") == 0 ? "GREEN-181" : "181",
                         &joining, &err))
        fail_msg("%s", err.text);
    bench->fake.fault = VENUE_CUT_AFTER;
    assert_int_equal(send(bench, &joining, false, &receipt, &err), -1);
    assert_int_equal(err.code, GL_E_OUTCOME);
    if (send(bench, &joining, true, &receipt, &err) < 0)
        fail_msg("%s", err.text);
    assert_true(receipt.was_there);
    assert_int_equal(bench->fake.comments, 1);
    assert_int_equal(bench->fake.items[0].votes, 1);
    assert_non_null(strstr(bench->fake.items[0].texts[0], "[GL-7f3a91c2]"));
    /* The vote was there, the comment was not. */
    bench->fake.items[0].text_count = 0;
    if (send(bench, &joining, true, &receipt, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(bench->fake.comments, 2);
    gl_venue_preview_done(&joining);
}

static void test_join(void **state)
{
    (void)state;
    each(check_join);
}

static void test_no_consent(void **state)
{
    struct bench *bench = gl_alloc(sizeof *bench);
    struct gl_venue_receipt receipt = {0};
    struct gl_error err = {0};

    (void)state;
    set_up(bench, &venue_fake_webhook);
    bench->fake.is_lagging = true;
    assert_int_equal(send(bench, &bench->preview, false, &receipt, &err), -1);
    assert_int_equal(err.code, GL_E_PERMISSION);
    assert_int_equal(bench->fake.item_count, 0);
    tear_down(bench);
    free(bench);
}

static void check_offline(struct bench *bench)
{
    struct gl_http *http = bench->fake.world->http;
    struct gl_venue_receipt receipt = {0};
    struct gl_error err = {0};

    bench->fake.world->http = NULL;
    assert_int_equal(send(bench, &bench->preview, false, &receipt, &err), -1);
    assert_int_equal(err.code, GL_E_NETWORK);
    bench->fake.world->http = http;
    assert_int_equal(gl_test_server_requests(bench->fake.server), 0);
}

static void test_offline(void **state)
{
    (void)state;
    each(check_offline);
}

/* A venue without a fake here is one that needs no network, or has its own test. */
static void test_all_covered(void **state)
{
    static const char *const others[] = {"file", "browser", "email", "smtp"};
    size_t count;
    const struct gl_venue_ops *const *all = gl_venue_registry(&count);

    (void)state;
    for (size_t i = 0; i < count; i++) {
        const char *name = gl_venue_ops_name(all[i]);
        bool is_covered = false;

        for (size_t j = 0; j < sizeof others / sizeof *others; j++)
            is_covered |= strcmp(others[j], name) == 0;
        for (size_t j = 0; venue_fakes[j] != NULL; j++)
            is_covered |= strcmp(venue_fakes[j]->venue, name) == 0;
        if (!is_covered)
            fail_msg("%s has no counterpart", name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_covered), cmocka_unit_test(test_pure),
        cmocka_unit_test(test_once),        cmocka_unit_test(test_unapproved),
        cmocka_unit_test(test_faults),      cmocka_unit_test(test_lag),
        cmocka_unit_test(test_silent),      cmocka_unit_test(test_answers),
        cmocka_unit_test(test_unsent),      cmocka_unit_test(test_status),
        cmocka_unit_test(test_gone),        cmocka_unit_test(test_search),
        cmocka_unit_test(test_join),        cmocka_unit_test(test_no_consent),
        cmocka_unit_test(test_offline),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
