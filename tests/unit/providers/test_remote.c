/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of providers/cloud/remote.h that need no network: decisions, codes, labels, messages,
 * building; and sending over a transport that answers from a list. */
#include "providers/cloud/remote_part.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SECRET "tok_0123456789abcdefABCDEF"

/* ---- what next ---- */

static struct gl_remote_case a_case(enum gl_errc code)
{
    return (struct gl_remote_case){
        .code = code, .tries = 1, .budget = 10, .told_ms = -1, .left_ms = INT64_MAX};
}

static void test_decisions(void **state)
{
    static const struct {
        enum gl_errc code;
        enum gl_remote_next safe, create;
        enum gl_errc told; /* of a create */
    } rows[] = {
        {GL_E_RATE_LIMIT, GL_REMOTE_AGAIN, GL_REMOTE_AGAIN, GL_E_RATE_LIMIT},
        {GL_E_BUSY, GL_REMOTE_AGAIN, GL_REMOTE_DONE, GL_E_BUSY},
        {GL_E_PROVIDER, GL_REMOTE_AGAIN, GL_REMOTE_DONE, GL_E_OUTCOME},
        {GL_E_NETWORK, GL_REMOTE_AGAIN, GL_REMOTE_DONE, GL_E_OUTCOME},
        {GL_E_TIMEOUT, GL_REMOTE_AGAIN, GL_REMOTE_DONE, GL_E_OUTCOME},
        {GL_E_TOO_LARGE, GL_REMOTE_DONE, GL_REMOTE_DONE, GL_E_OUTCOME},
        {GL_E_BAD_REPLY, GL_REMOTE_DONE, GL_REMOTE_DONE, GL_E_OUTCOME},
        {GL_E_INTERRUPTED, GL_REMOTE_DONE, GL_REMOTE_DONE, GL_E_OUTCOME},
        {GL_E_NO_CREDENTIAL, GL_REMOTE_RENEW, GL_REMOTE_RENEW, GL_E_NO_CREDENTIAL},
        {GL_E_CAPACITY, GL_REMOTE_DONE, GL_REMOTE_DONE, GL_E_CAPACITY},
        {GL_E_QUOTA, GL_REMOTE_DONE, GL_REMOTE_DONE, GL_E_QUOTA},
        {GL_E_PERMISSION, GL_REMOTE_DONE, GL_REMOTE_DONE, GL_E_PERMISSION},
        {GL_E_PRICE, GL_REMOTE_DONE, GL_REMOTE_DONE, GL_E_PRICE},
        {GL_E_TOKEN, GL_REMOTE_DONE, GL_REMOTE_DONE, GL_E_TOKEN},
        {GL_E_NOT_FOUND, GL_REMOTE_DONE, GL_REMOTE_DONE, GL_E_NOT_FOUND},
        {GL_E_BAD_VALUE, GL_REMOTE_DONE, GL_REMOTE_DONE, GL_E_BAD_VALUE},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct gl_remote_case at = a_case(rows[i].code);
        struct gl_remote_decision got = gl_remote_decide(&at);

        assert_int_equal(got.next, rows[i].safe);
        assert_int_equal(got.code, rows[i].code);
        at.is_create = true;
        got = gl_remote_decide(&at);
        assert_int_equal(got.next, rows[i].create);
        assert_int_equal(got.code, rows[i].told);
        at.is_renewed = true; /* a second rejection is the last */
        at.tries = GL_REMOTE_TRIES;
        at.is_create = false;
        assert_int_equal(gl_remote_decide(&at).next, GL_REMOTE_DONE);
    }
}

static void test_limits_of_trying(void **state)
{
    struct gl_remote_case at = a_case(GL_E_PROVIDER);

    (void)state;
    at.budget = 0.5;
    assert_int_equal(gl_remote_decide(&at).next, GL_REMOTE_DONE);
    at = a_case(GL_E_RATE_LIMIT);
    at.told_ms = 30000;
    assert_true(gl_remote_decide(&at).wait_ms >= 30000);
    at.left_ms = 20000; /* it would be over by then */
    assert_int_equal(gl_remote_decide(&at).next, GL_REMOTE_DONE);
    at = a_case(GL_E_NETWORK);
    at.is_create = at.is_unsent = true; /* nobody has heard it */
    assert_int_equal(gl_remote_decide(&at).code, GL_E_NETWORK);
    for (unsigned tries = 1; tries < 60; tries++)
        for (uint32_t random = 0; random < 5; random++) {
            at = a_case(GL_E_PROVIDER);
            at.tries = tries < GL_REMOTE_TRIES ? tries : 1;
            at.random = random * 0x3fffffff;
            assert_in_range(gl_remote_decide(&at).wait_ms, 100, 10000);
        }
}

/* ---- codes ---- */

static const struct gl_remote_rule rules[] = {
    {0, "Throttl*", NULL, GL_E_RATE_LIMIT, GL_REACH_ACCOUNT},
    {422, NULL, "limit", GL_E_QUOTA, GL_REACH_REGION},
    {503, "Stock", NULL, GL_E_CAPACITY, GL_REACH_ZONE},
    {.code = GL_OK},
};

static void test_codes(void **state)
{
    static const struct {
        int status;
        const char *word, *text;
        enum gl_errc code;
        enum gl_reach reach;
    } rows[] = {
        {400, "Throttling", NULL, GL_E_RATE_LIMIT, GL_REACH_ACCOUNT},
        {422, "x", "over the limit", GL_E_QUOTA, GL_REACH_REGION},
        {422, "x", "bad name", GL_E_BAD_VALUE, GL_REACH_CALL},
        {422, NULL, NULL, GL_E_BAD_VALUE, GL_REACH_CALL},
        {503, "Stock", NULL, GL_E_CAPACITY, GL_REACH_ZONE},
        {503, NULL, NULL, GL_E_PROVIDER, GL_REACH_CALL},
        {401, NULL, NULL, GL_E_NO_CREDENTIAL, GL_REACH_ACCOUNT},
        {403, "", "", GL_E_PERMISSION, GL_REACH_ACCOUNT},
        {404, NULL, NULL, GL_E_NOT_FOUND, GL_REACH_CALL},
        {409, NULL, NULL, GL_E_BUSY, GL_REACH_CALL},
        {429, NULL, NULL, GL_E_RATE_LIMIT, GL_REACH_CALL},
        {302, NULL, NULL, GL_E_BAD_REPLY, GL_REACH_CALL},
        {200, NULL, NULL, GL_OK, GL_REACH_CALL},
        {0, NULL, NULL, GL_OK, GL_REACH_CALL},
        {0, "whatever", NULL, GL_E_PROVIDER, GL_REACH_CALL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        enum gl_reach reach = GL_REACH_ZONE;

        assert_int_equal(gl_remote_code(rules, rows[i].status, rows[i].word, rows[i].text, &reach),
                         rows[i].code);
        assert_int_equal(reach, rows[i].reach);
    }
}

/* ---- labels ---- */

#define TOKEN "0123456789abcdef0123456789abcdeffedcba9876543210fedcba9876543210"

static const char *get_label(void *cookie, const char *name)
{
    const struct gl_label *labels = cookie;

    for (size_t i = 0; i < GL_LABEL_COUNT; i++)
        if (strcmp(labels[i].name, name) == 0)
            return labels[i].value[0] != '\0' ? labels[i].value : NULL;
    return NULL;
}

static void test_labels(void **state)
{
    /* Of somebody who may write labels in the account. */
    static const char *const hostile[] = {"gl-1\x1b[2J", "../../gl-1", "gl-1 gl-2", "gl-1\n",
                                          "gl-1'"};
    const struct gl_launch launch = {
        .token = TOKEN, .launch_id = "gl-4k2p9x", .attempt = 3, .expires = {1800000000}};
    struct gl_label labels[GL_LABEL_COUNT], broken[GL_LABEL_COUNT];
    struct gl_instance seen = {.attempt = 0};
    char name[GL_CLOUD_ID];

    (void)state;
    gl_labels_of(&launch, labels);
    for (size_t i = 0; i < GL_LABEL_COUNT; i++) {
        assert_true(strlen(labels[i].value) <= 63 && strlen(labels[i].name) <= 63);
        assert_int_equal(strspn(labels[i].value, "abcdefghijklmnopqrstuvwxyz0123456789-"),
                         strlen(labels[i].value));
    }
    assert_true(gl_labels_read(get_label, labels, &seen));
    assert_string_equal(seen.token, TOKEN);
    assert_string_equal(seen.launch_id, "gl-4k2p9x");
    assert_int_equal(seen.attempt, 3);
    assert_int_equal(seen.expires.unix_s, 1800000000);
    for (size_t i = 0; i < GL_LABEL_COUNT; i++) {
        memcpy(broken, labels, sizeof broken);
        broken[i].value[0] = '\0';
        assert_false(gl_labels_read(get_label, broken, &seen));
        snprintf(broken[i].value, sizeof broken[i].value, "%s", i == 0 ? "" : "-7x");
        assert_false(gl_labels_read(get_label, broken, &seen));
    }
    for (size_t i = 0; i < sizeof hostile / sizeof *hostile; i++) {
        memcpy(broken, labels, sizeof broken);
        snprintf(broken[0].value, sizeof broken[0].value, "%s", hostile[i]);
        assert_false(gl_labels_read(get_label, broken, &seen));
    }
    gl_attempt_name(&launch, name);
    assert_string_equal(name, "gl-4k2p9x-3");
}

static void test_of_token(void **state)
{
    struct gl_instance items[] = {
        {.id = "100", .token = "a", .started = {20}, .state = GL_STATE_RUNNING},
        {.id = "99", .token = "a", .started = {20}, .state = GL_STATE_LAUNCHING},
        {.id = "98", .token = "a", .started = {10}, .state = GL_STATE_ENDED},
        {.id = "1", .token = "b", .started = {1}, .state = GL_STATE_RUNNING},
    };

    (void)state;
    assert_string_equal(gl_instance_of_token(items, 4, "a")->id, "99");
    items[0].state = items[1].state = GL_STATE_ENDED;
    assert_string_equal(gl_instance_of_token(items, 4, "a")->id, "98");
    assert_null(gl_instance_of_token(items, 4, "c"));
    assert_null(gl_instance_of_token(NULL, 0, "a"));
}

static void test_ids(void **state)
{
    char region[40];

    (void)state;
    assert_string_equal(gl_remote_id_split("fr-par-1/abc", region), "abc");
    assert_string_equal(region, "fr-par-1");
    assert_null(gl_remote_id_split("abc", region));
    assert_null(gl_remote_id_split("/abc", region));
    assert_null(gl_remote_id_split("a/", region));
    assert_string_equal(gl_remote_id_split("us/images/x", region), "images/x");
    assert_null(gl_remote_id_split("0123456789012345678901234567890123456789/x", region));
}

/* ---- a transport of answers ---- */

struct script {
    struct gl_http http;
    struct {
        int status; /* 0 = no answer */
        const char *body, *headers;
    } answers[16];
    unsigned sent, tokens;
    char last[512]; /* headers of the last request, joined */
};

static int script_send(struct gl_http *http, const struct gl_http_request *request,
                       struct gl_http_reply *out, struct gl_error *err)
{
    struct script *script = (struct script *)http;
    unsigned at = script->sent++;

    script->last[0] = '\0';
    for (size_t i = 0; request->headers[i] != NULL; i++)
        snprintf(script->last + strlen(script->last), sizeof script->last - strlen(script->last),
                 "%s|", request->headers[i]);
    if (script->answers[at].status == 0)
        return gl_fail(err, GL_E_NETWORK, "GET x: connection reset");
    *out = (struct gl_http_reply){.status = script->answers[at].status, .retry_after_s = -1};
    snprintf(out->content_type, sizeof out->content_type, "application/json");
    out->body = gl_strdup(script->answers[at].body != NULL ? script->answers[at].body : "{}");
    out->body_length = strlen(out->body);
    return 0;
}

static const struct gl_http_ops script_ops = {.name = "script", .send = script_send};

static bool read_error(const struct gl_http_reply *reply, struct gl_remote_word *out)
{
    snprintf(out->word, sizeof out->word, "Word");
    snprintf(out->text, sizeof out->text, "%s", reply->body);
    return true;
}

static int authorize(struct gl_remote *remote, struct gl_remote_call *call, bool is_renewed,
                     struct gl_error *err)
{
    struct script *script = (struct script *)remote->http;

    if (script == NULL)
        return gl_fail(err, GL_E_PERMISSION, "nothing to count with");
    script->tokens += is_renewed;
    gl_remote_header(call, "Authorization", "Bearer %s%u", SECRET, script->tokens);
    return 0;
}

static const struct gl_remote_ops remote_ops = {
    .rules = rules, .read_error = read_error, .authorize = authorize};
static const struct gl_cloud_ops cloud_ops = {.name = "test"};

struct bench {
    struct gl_world *world;
    struct script script;
    struct gl_remote remote;
};

static void open_bench(struct bench *bench)
{
    struct gl_cloud_options options = {.world = NULL};

    memset(bench, 0, sizeof *bench);
    bench->script.http.ops = &script_ops;
    bench->world = gl_world_fixed_new(INT64_C(1800000000000), 1, NULL);
    bench->world->http = &bench->script.http;
    options.world = bench->world;
    gl_remote_init(&bench->remote, &cloud_ops, &remote_ops, &options);
}

static void close_bench(struct bench *bench)
{
    gl_remote_done(&bench->remote);
    gl_world_fixed_free(bench->world);
}

static struct gl_remote_call a_call(void)
{
    struct gl_remote_call call = {.method = "GET", .region = "here"};

    gl_str_add(&call.url, "https://api.example/v1/things?secret=1");
    return call;
}

static void test_tries_again(void **state)
{
    struct bench bench;
    struct gl_remote_call call = a_call();
    struct gl_error err = {0};

    (void)state;
    open_bench(&bench);
    bench.script.answers[0].status = 500;
    bench.script.answers[2].status = 200; /* the second is cut off */
    assert_int_equal(gl_remote_send(&bench.remote, &call, &err), 0);
    assert_int_equal(bench.script.sent, 3);
    assert_string_equal(call.reply.body, "{}");
    /* Credentials were added anew each time, not on top of each other. */
    assert_string_equal(bench.script.last, "Authorization: Bearer " SECRET "0|");
    assert_true(bench.world->monotonic_ms(bench.world->cookie) > 0);
    gl_remote_call_done(&call);
    close_bench(&bench);
}

static void test_renews_once(void **state)
{
    struct bench bench;
    struct gl_remote_call call = a_call();
    struct gl_error err = {0};

    (void)state;
    open_bench(&bench);
    bench.script.answers[0].status = bench.script.answers[1].status = 401;
    assert_int_equal(gl_remote_send(&bench.remote, &call, &err), -1);
    assert_int_equal(err.code, GL_E_NO_CREDENTIAL);
    assert_int_equal(bench.script.sent, 2);
    assert_int_equal(bench.script.tokens, 1);
    assert_string_equal(bench.script.last, "Authorization: Bearer " SECRET "1|");
    gl_remote_call_done(&call);
    close_bench(&bench);
}

static void test_message(void **state)
{
    struct bench bench;
    struct gl_remote_call call = a_call();
    struct gl_error err = {0};

    (void)state;
    open_bench(&bench);
    bench.script.answers[0].status = 422;
    bench.script.answers[0].body =
        "refused \x1b[31m Bearer " SECRET "0 of " TOKEN ", token=" SECRET "0, it was " SECRET "0.";
    assert_int_equal(gl_remote_send(&bench.remote, &call, &err), -1);
    assert_non_null(strstr(err.text, "test in here: GET /v1/things: Word: refused"));
    assert_non_null(strstr(err.text, "(HTTP 422)"));
    assert_null(strstr(err.text, SECRET));
    assert_null(strstr(err.text, TOKEN));
    assert_null(strstr(err.text, "secret=1"));
    assert_null(strchr(err.text, '\x1b'));
    assert_string_equal(bench.remote.cloud.failure.word, "Word");
    gl_remote_call_done(&call);
    close_bench(&bench);
}

/* A region that is dead for good takes its own tries, not those of the others. */
/* Whoever is asked for a token may quote the password, which is short, or was coded in a form. */
static void test_no_password_is_quoted(void **state)
{
    static const char *const bodies[][2] = {
        {"{\"password\":\"hunter2-9\"}", "no user with hunter2-9 is known"},
        {"grant_type=x&client_secret=hunter2%2F9", "the secret hunter2/9 has expired"}};

    (void)state;
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        struct bench bench;
        struct gl_remote_call call = a_call();
        struct gl_error err = {0};

        open_bench(&bench);
        call.is_open = call.has_secret = true;
        gl_str_add(&call.body, bodies[i][0]);
        bench.script.answers[0].status = 400;
        bench.script.answers[0].body = bodies[i][1];
        assert_int_equal(gl_remote_send(&bench.remote, &call, &err), -1);
        assert_null(strstr(err.text, "hunter2"));
        assert_non_null(strstr(err.text, i == 0 ? "is known" : "expired"));
        gl_remote_call_done(&call);
        close_bench(&bench);
    }
}

static void test_budgets(void **state)
{
    struct bench bench;
    unsigned sent = 0;

    (void)state;
    open_bench(&bench);
    for (int i = 0; i < 12; i++) {
        struct gl_remote_call call = a_call();
        struct gl_error err = {0};

        memset(bench.script.answers, 0, sizeof bench.script.answers);
        bench.script.sent = 0;
        gl_remote_send(&bench.remote, &call, &err);
        sent = bench.script.sent;
        gl_remote_call_done(&call);
    }
    assert_int_equal(sent, 1);
    for (int i = 0; i < 2; i++) {
        struct gl_remote_call call = a_call();
        struct gl_error err = {0};

        call.region = "there";
        bench.script.sent = 0;
        gl_remote_send(&bench.remote, &call, &err);
        assert_int_equal(bench.script.sent, GL_REMOTE_TRIES);
        gl_remote_call_done(&call);
    }
    close_bench(&bench);
}

static void test_offline_and_deadline(void **state)
{
    struct bench bench;
    struct gl_remote_call call = a_call();
    struct gl_error err = {0};

    (void)state;
    open_bench(&bench);
    gl_remote_begin(&bench.remote, 1000);
    bench.world->sleep_ms(bench.world->cookie, 2000);
    assert_int_equal(gl_remote_send(&bench.remote, &call, &err), -1);
    assert_int_equal(err.code, GL_E_TIMEOUT);
    assert_int_equal(bench.script.sent, 0);
    gl_error_clear(&err);
    bench.remote.http = NULL;
    assert_int_equal(gl_remote_send(&bench.remote, &call, &err), -1);
    assert_int_equal(err.code, GL_E_NETWORK);
    gl_remote_call_done(&call);
    close_bench(&bench);
}

static bool yes(void *cookie)
{
    (void)cookie;
    return true;
}

static void test_cancelled(void **state)
{
    struct bench bench;
    struct gl_remote_call call = a_call();
    struct gl_error err = {0};

    (void)state;
    open_bench(&bench);
    bench.remote.is_cancelled = yes;
    assert_int_equal(gl_remote_send(&bench.remote, &call, &err), -1);
    assert_int_equal(err.code, GL_E_INTERRUPTED);
    assert_int_equal(bench.script.sent, 0);
    gl_remote_call_done(&call);
    close_bench(&bench);
}

/* ---- building ---- */

static void test_building(void **state)
{
    struct gl_remote_call call = {.method = "POST"};
    json_t *body = json_pack("{s:s}", "a", "b\"c");

    (void)state;
    gl_str_add(&call.url, "https://x/y");
    gl_remote_query(&call, "q", "a b/c&d=\xc3\xa9~");
    gl_remote_query(&call, "r", "");
    assert_string_equal(gl_str_text(&call.url), "https://x/y?q=a%20b%2Fc%26d%3D%C3%A9~&r=");
    gl_remote_header(&call, "X-A", "%s", "one\r\nX-B: two");
    assert_int_equal(call.headers.length, 0); /* nobody else's header */
    for (int i = 0; i < 40; i++)
        gl_remote_header(&call, "X-C", "%d", i);
    gl_remote_body_json(&call, body);
    assert_string_equal(call.body.text, "{\"a\":\"b\\\"c\"}");
    json_decref(body);
    gl_remote_call_done(&call);
}

static void test_endpoint(void **state)
{
    static const struct {
        const char *value, *out;
    } rows[] = {
        {"https://gw.example/api/", "https://gw.example/api"},
        {"http://127.0.0.1:8080", "http://127.0.0.1:8080"},
        {"http://[::1]/x", "http://[::1]/x"},
        {"http://localhost.evil.example", NULL},
        {"http://gw.example", NULL},
        {"ftp://gw.example", NULL},
        {"https://user@gw.example", NULL},
        {"https://user:planted@gw.example", NULL},
        {"https://gw.example/?x", NULL},
        {"", "https://api.example"},
    };
    static const struct gl_setting_key keys[] = {{.name = "endpoint", .what = "h"}, {0}};
    static const struct gl_cloud_ops ops = {.name = "test", .keys = keys};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct gl_setting setting = {"endpoint", rows[i].value};
        struct gl_cloud_options options = {.settings = &setting, .setting_count = 1};
        struct gl_error err = {0};
        char out[256] = "";
        int got = gl_remote_endpoint(&ops, &options, "https://api.example", out, &err);

        assert_int_equal(got, rows[i].out != NULL ? 0 : -1);
        if (rows[i].out != NULL)
            assert_string_equal(out, rows[i].out);
        else
            assert_int_equal(err.code, GL_E_CONFIG);
        assert_null(strstr(err.text, "planted"));
    }
}

/* What a parser could not read it quotes. */
static void test_no_half_token_is_quoted(void **state)
{
    static const char *const halves[] = {"{\"access_token\":\"planted", "{\"t\": planted}"};

    (void)state;
    for (size_t i = 0; i < sizeof halves / sizeof *halves; i++)
        for (unsigned is_secret = 0; is_secret < 2; is_secret++) {
            struct bench bench;
            struct gl_remote_call call = a_call();
            struct gl_error err = {0};

            open_bench(&bench);
            call.has_secret = is_secret == 1;
            bench.script.answers[0].status = 200;
            bench.script.answers[0].body = halves[i];
            assert_null(gl_remote_json(&bench.remote, &call, &err));
            assert_int_equal(err.code, GL_E_BAD_REPLY);
            assert_int_equal(strstr(err.text, "planted") == NULL, is_secret);
            gl_remote_call_done(&call);
            close_bench(&bench);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_decisions),
        cmocka_unit_test(test_limits_of_trying),
        cmocka_unit_test(test_codes),
        cmocka_unit_test(test_labels),
        cmocka_unit_test(test_of_token),
        cmocka_unit_test(test_ids),
        cmocka_unit_test(test_tries_again),
        cmocka_unit_test(test_renews_once),
        cmocka_unit_test(test_message),
        cmocka_unit_test(test_budgets),
        cmocka_unit_test(test_cancelled),
        cmocka_unit_test(test_offline_and_deadline),
        cmocka_unit_test(test_building),
        cmocka_unit_test(test_endpoint),
        cmocka_unit_test(test_no_half_token_is_quoted),
        cmocka_unit_test(test_no_password_is_quoted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
