/* SPDX-License-Identifier: Apache-2.0 */
#include "base/http.h"

#include "tests/support/http_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <sys/time.h>

/* The test links base/ alone. */
#include "tests/support/http_server.c"
#include "tests/support/http_tls.c"

/* curl against a server that misbehaves as its path says. */

#define LONG_MS 60000 /* nothing here waits so long when it works */

static void misbehave(const char *path, struct gl_test_answer *out)
{
    if (strcmp(path, "/silent") == 0)
        out->is_silent = true;
    else if (strcmp(path, "/hung") == 0)
        out->is_hung_up = true;
    else if (strcmp(path, "/drip") == 0)
        out->drip_ms = 20;
    else if (strcmp(path, "/cut") == 0)
        out->cut_after = 90;
    else if (strcmp(path, "/cut-head") == 0)
        out->cut_after = 20;
    else if (strcmp(path, "/late") == 0)
        out->delay_ms = LONG_MS;
    else if (strcmp(path, "/slow") == 0)
        out->delay_ms = 5;
    else if (strcmp(path, "/huge") == 0)
        out->flood_bytes = (size_t)64 << 20;
}

static void script(const struct gl_test_request *request, struct gl_test_answer *out, void *cookie)
{
    char filling[64];

    (void)cookie;
    memset(filling, 'x', sizeof filling);
    gl_test_answer_text(out, strcmp(request->path, "/missing") == 0 ? 404 : 200, "text/plain", "");
    if (strcmp(request->path, "/echo") == 0 || strcmp(request->path, "/slow") == 0)
        gl_str_addf(&out->body, "%s %s %s%s", request->method, request->query, request->header_text,
                    request->body);
    else
        gl_str_add_bytes(&out->body, filling, sizeof filling);
    for (int i = 0; i < 600 && strcmp(request->path, "/headers") == 0; i++)
        gl_str_addf(&out->headers, "X-%d: %.60s\r\n", i, filling);
    if (strcmp(request->path, "/large") == 0)
        for (int i = 0; i < 10000; i++)
            gl_str_addf(&out->body, "%08d", i);
    if (strcmp(request->path, "/moved") == 0) {
        out->status = 307;
        gl_str_add(&out->headers, "Location: /echo\r\nSet-Cookie: a=b\r\n");
    }
    misbehave(request->path, out);
}

struct scene {
    struct gl_test_server *server;
    struct gl_http *http;
};

static int set_up(void **state)
{
    struct scene *scene = gl_alloc(sizeof *scene);

    scene->server = gl_test_server_start(script, NULL);
    scene->http = gl_http_curl_new();
    *state = scene;
    return 0;
}

static int tear_down(void **state)
{
    struct scene *scene = *state;

    gl_http_close(scene->http);
    gl_test_server_stop(scene->server);
    free(scene);
    return 0;
}

/* "http://127.0.0.1:PORT" with `path`, to be freed. */
static char *url_of(const struct scene *scene, const char *path)
{
    struct gl_str url = {0};

    gl_str_addf(&url, "%s%s", gl_test_server_url(scene->server), path);
    return gl_str_take(&url);
}

static void add(struct gl_http_batch *batch, const struct scene *scene, const char *path,
                int64_t timeout_ms)
{
    GL_AUTO(gl_auto_free) char *url = url_of(scene, path);
    struct gl_http_request request = {.method = "GET", .url = url, .timeout_ms = timeout_ms};

    gl_http_batch_add(batch, &request, NULL);
}

static int get(const struct scene *scene, const char *path, int64_t timeout_ms,
               struct gl_http_reply *out, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *url = url_of(scene, path);
    struct gl_http_request request = {.method = "GET", .url = url, .timeout_ms = timeout_ms};

    return gl_http_send(scene->http, &request, out, err);
}

static void get_ok(const struct scene *scene, const char *path)
{
    struct gl_http_reply reply;
    struct gl_error err = {0};

    if (get(scene, path, LONG_MS, &reply, &err) < 0)
        fail_msg("%s: %s", path, err.text);
    gl_http_reply_done(&reply);
}

/* ---- connections ---- */

static void a_hundred_requests_share_six_connections(void **state)
{
    struct scene *scene = *state;
    struct gl_http_exchange all[100];
    char path[40];

    for (size_t i = 0; i < 100; i++) {
        snprintf(path, sizeof path, "/slow?n=%zu.", i);
        all[i] = (struct gl_http_exchange){
            .request = {.method = "GET", .url = url_of(scene, path), .timeout_ms = LONG_MS}};
    }
    gl_http_send_all(scene->http, all, 100, 0);
    for (size_t i = 0; i < 100; i++) {
        char expected[40];

        if (!all[i].is_done)
            fail_msg("%s", all[i].err.text);
        snprintf(expected, sizeof expected, "GET n=%zu. ", i);
        assert_memory_equal(all[i].reply.body, expected, strlen(expected));
        gl_http_reply_done(&all[i].reply);
        free((char *)(uintptr_t)all[i].request.url);
    }
    assert_int_equal(gl_test_server_requests(scene->server), 100);
    assert_int_equal(gl_test_server_connections(scene->server), 6);
    get_ok(scene, "/echo"); /* single sends use them as well */
    assert_int_equal(gl_test_server_connections(scene->server), 6);
}

static void one_after_another_share_one_connection(void **state)
{
    struct scene *scene = *state;

    for (int i = 0; i < 20; i++)
        get_ok(scene, i % 3 == 0 ? "/missing" : "/echo");
    assert_int_equal(gl_test_server_connections(scene->server), 1);
}

/* ---- trouble ---- */

static void each_has_its_own_outcome(void **state)
{
    static const struct {
        const char *path;
        enum gl_errc code;
        int status;
    } rows[] = {
        {"/echo", GL_OK, 200},        {"/silent", GL_E_TIMEOUT, 0},
        {"/missing", GL_OK, 404},     {"/hung", GL_E_NETWORK, 0},
        {"/cut", GL_E_NETWORK, 0},    {"/cut-head", GL_E_NETWORK, 0},
        {"/huge", GL_E_TOO_LARGE, 0}, {"/headers", GL_E_TOO_LARGE, 0},
        {"/drip", GL_E_TIMEOUT, 0},   {"/late", GL_E_TIMEOUT, 0},
        {"/moved", GL_OK, 307},       {"/echo?again", GL_OK, 200},
        {"/a\nb", GL_E_BAD_VALUE, 0},
    };
    struct scene *scene = *state;
    struct gl_http_batch *batch = gl_http_batch_new(scene->http);
    struct gl_http_request dead = {.method = "GET", .url = "http://127.0.0.1:1/"};
    struct gl_http_exchange exchange;
    size_t count = sizeof rows / sizeof rows[0], seen = 0;

    for (size_t i = 0; i < count; i++)
        add(batch, scene, rows[i].path, 500);
    gl_http_batch_add(batch, &dead, batch);
    for (; gl_http_batch_next(batch, 0, &exchange); seen++) {
        const char *path = strchr(exchange.request.url + 8, '/');
        size_t row = 0;

        while (row < count && strcmp(rows[row].path, path) != 0)
            row++;
        if (exchange.err.code != (row < count ? rows[row].code : GL_E_NETWORK))
            fail_msg("%s: %s", path, exchange.err.text);
        assert_int_equal(exchange.is_done, exchange.err.code == GL_OK);
        if (exchange.is_done)
            assert_int_equal(exchange.reply.status, rows[row].status);
        else
            assert_null(exchange.reply.body);
        gl_http_reply_done(&exchange.reply);
    }
    assert_int_equal(seen, count + 1);
    gl_http_batch_free(batch);
    get_ok(scene, "/echo"); /* nothing of it is left in the way */
}

static void expect_answers(struct gl_http_batch *batch, unsigned count)
{
    struct gl_http_exchange exchange;

    for (unsigned i = 0; i < count; i++) {
        assert_true(gl_http_batch_next(batch, 0, &exchange));
        assert_true(exchange.is_done);
        assert_non_null(strstr(exchange.request.url, "/slow"));
        gl_http_reply_done(&exchange.reply);
    }
}

/* Twelve hosts could hold all 64 places. */
static void silent_hosts_do_not_hold_up_the_others(void **state)
{
    struct scene *scene = *state;
    struct scene silent[12];
    struct gl_http_batch *batch = gl_http_batch_new(scene->http);
    struct gl_http_exchange exchange;

    for (size_t i = 0; i < 12; i++) {
        silent[i].server = gl_test_server_start(script, NULL);
        for (int n = 0; n < 10; n++)
            add(batch, &silent[i], "/silent", LONG_MS);
    }
    add(batch, scene, "/slow", LONG_MS);
    expect_answers(batch, 1);
    for (int n = 0; n < 30; n++) /* all other places are held by now */
        add(batch, scene, "/slow", LONG_MS);
    expect_answers(batch, 30);
    for (int n = 0; n < 120; n++) {
        assert_true(gl_http_batch_next(batch, 1, &exchange));
        assert_int_equal(exchange.err.code, GL_E_TIMEOUT);
        assert_non_null(strstr(exchange.err.text, "within 1 ms for all requests together"));
    }
    assert_false(gl_http_batch_next(batch, 1, &exchange));
    gl_http_batch_free(batch);
    for (size_t i = 0; i < 12; i++)
        gl_test_server_stop(silent[i].server);
}

static void headers_and_large_bodies_come_whole(void **state)
{
    struct scene *scene = *state;
    GL_AUTO(gl_auto_free) char *url = url_of(scene, "/large");
    struct gl_http_request request = {.method = "GET", .url = url, .carries_secret = true};
    struct gl_http_reply reply;
    struct gl_error err = {0};
    char value[40];

    for (int pass = 0; pass < 2; pass++) {
        assert_int_equal(gl_http_send(scene->http, &request, &reply, &err), 0);
        assert_int_equal(reply.is_secret, pass == 0);
        assert_int_equal(reply.body_length, 64 + 80000);
        for (int i = 0; i < 10000; i++) {
            snprintf(value, sizeof value, "%08d", i);
            assert_memory_equal(reply.body + 64 + i * 8, value, 8);
        }
        assert_true(gl_http_reply_header(&reply, "Content-Length", value, sizeof value));
        assert_string_equal(value, "80064");
        assert_string_equal(reply.content_type, "text/plain");
        gl_http_reply_done(&reply);
        request.carries_secret = false;
    }
}

/* ---- batches ---- */

/* Pages, say: the next question is known when the answer is there. */
static void a_batch_takes_more_while_answers_come(void **state)
{
    struct scene *scene = *state;
    struct gl_http_batch *batch = gl_http_batch_new(scene->http);
    struct gl_http_exchange exchange;
    unsigned answers = 0;

    add(batch, scene, "/slow", LONG_MS);
    add(batch, scene, "/slow", LONG_MS);
    while (gl_http_batch_next(batch, 0, &exchange)) {
        assert_true(exchange.is_done);
        if (++answers < 19)
            add(batch, scene, "/echo", LONG_MS);
        gl_http_reply_done(&exchange.reply);
        if (answers == 5)
            get_ok(scene, "/echo"); /* a new token, say */
    }
    assert_int_equal(answers, 20);
    gl_http_batch_free(batch);
}

static void two_batches_keep_apart(void **state)
{
    struct scene *scene = *state;
    struct gl_http_batch *batches[2] = {gl_http_batch_new(scene->http),
                                        gl_http_batch_new(scene->http)};
    struct gl_http_exchange exchange;

    for (int i = 0; i < 10; i++) {
        add(batches[0], scene, "/slow?first", LONG_MS);
        add(batches[1], scene, "/slow?second", LONG_MS);
    }
    for (int i = 0; i < 10; i++)
        for (int which = 1; which >= 0; which--) {
            assert_true(gl_http_batch_next(batches[which], 0, &exchange));
            assert_non_null(strstr(exchange.request.url, which == 0 ? "?first" : "?second"));
            gl_http_reply_done(&exchange.reply);
        }
    assert_false(gl_http_batch_next(batches[0], 0, &exchange));
    gl_http_batch_free(batches[0]);
    gl_http_batch_free(batches[1]);
}

static void an_unfinished_batch_can_be_given_up(void **state)
{
    struct scene *scene = *state;
    struct gl_http_batch *batch = gl_http_batch_new(scene->http);
    struct gl_http_exchange exchange;

    for (int i = 0; i < 20; i++)
        add(batch, scene, i % 2 == 0 ? "/silent" : "/slow", LONG_MS);
    assert_true(gl_http_batch_next(batch, 0, &exchange));
    gl_http_reply_done(&exchange.reply);
    gl_http_batch_free(batch);
    get_ok(scene, "/echo");
}

/* ---- giving up ---- */

static bool is_second_question(void *cookie)
{
    return ++*(unsigned *)cookie >= 2;
}

static void waiting_can_be_cancelled(void **state)
{
    struct scene *scene = *state;
    struct gl_http_batch *batch = gl_http_batch_new(scene->http);
    struct gl_http_exchange exchange;
    struct gl_http_reply reply;
    struct gl_error err = {0};
    unsigned asked = 0;

    scene->http->is_cancelled = is_second_question;
    scene->http->cancel_cookie = &asked;
    assert_int_equal(get(scene, "/silent", LONG_MS, &reply, &err), -1);
    assert_int_equal(err.code, GL_E_INTERRUPTED);
    asked = 0;
    for (int i = 0; i < 10; i++)
        add(batch, scene, "/silent", LONG_MS);
    for (int i = 0; i < 10; i++) {
        assert_true(gl_http_batch_next(batch, 0, &exchange));
        assert_int_equal(exchange.err.code, GL_E_INTERRUPTED);
    }
    gl_http_batch_free(batch);
    scene->http->is_cancelled = NULL;
    get_ok(scene, "/echo"); /* what must still be done, say */
}

static volatile sig_atomic_t has_signal;

static void on_signal(int number)
{
    (void)number;
    has_signal = 1;
}

static bool is_signalled(void *cookie)
{
    (void)cookie;
    return has_signal != 0;
}

static void a_signal_gets_through(void **state)
{
    struct scene *scene = *state;
    const struct itimerval soon = {.it_value.tv_usec = 50000};
    const struct sigaction action = {.sa_handler = on_signal};
    struct sigaction before;
    struct gl_http_reply reply;
    struct gl_error err = {0};

    sigaction(SIGALRM, &action, &before);
    scene->http->is_cancelled = is_signalled;
    setitimer(ITIMER_REAL, &soon, NULL);
    assert_int_equal(get(scene, "/silent", LONG_MS, &reply, &err), -1);
    assert_int_equal(err.code, GL_E_INTERRUPTED);
    sigaction(SIGALRM, &before, NULL);
}

/* ---- secrets ---- */

static void a_secret_does_not_take_the_proxy_that_it_would_see(void **state)
{
    struct scene *scene = *state;
    GL_AUTO(gl_auto_free) char *url = url_of(scene, "/echo");
    struct gl_http_request request = {.method = "GET", .url = url, .carries_secret = true};
    struct gl_http_reply reply;
    struct gl_error err = {0};

    unsetenv("no_proxy");
    setenv("http_proxy", "http://127.0.0.1:1", 1);
    assert_int_equal(gl_http_send(scene->http, &request, &reply, &err), 0);
    gl_http_reply_done(&reply);
    request.carries_secret = false;
    request.is_direct = true;
    assert_int_equal(gl_http_send(scene->http, &request, &reply, &err), 0);
    gl_http_reply_done(&reply);
    request.is_direct = false;
    assert_int_equal(gl_http_send(scene->http, &request, &reply, &err), -1);
    assert_int_equal(err.code, GL_E_NETWORK);
    unsetenv("http_proxy");
    setenv("no_proxy", "*", 1);
}

static void a_secret_in_the_open_never_reaches_the_wire(void **state)
{
    struct scene *scene = *state;
    static const char *const headers[] = {"Authorization: Bearer hidden", NULL};
    struct gl_http_exchange exchange = {.request = {.method = "GET",
                                                    .url = "http://192.0.2.1/?key=hidden",
                                                    .headers = headers,
                                                    .carries_secret = true}};

    gl_http_send_all(scene->http, &exchange, 1, 0);
    assert_false(exchange.is_done);
    assert_int_equal(exchange.err.code, GL_E_BAD_VALUE);
    assert_null(strstr(exchange.err.text, "hidden"));
}

static void a_body_is_sent_whole(void **state)
{
    struct scene *scene = *state;
    GL_AUTO(gl_auto_free) char *url = url_of(scene, "/echo");
    static const char *const headers[] = {"Content-Type: application/json", NULL};
    struct gl_http_exchange all[4] = {
        {.request = {.method = "POST",
                     .url = url,
                     .headers = headers,
                     .body = "{\"a\":1}",
                     .body_length = 7}},
        {.request = {.method = "PUT", .url = url}},
        {.request = {.method = "DELETE", .url = url}},
    };

    GL_AUTO(gl_str_done) struct gl_str large = {0};

    for (int i = 0; i < 50000; i++)
        gl_str_addf(&large, "%08d", i);
    all[3].request = (struct gl_http_request){
        .method = "POST", .url = url, .body = large.text, .body_length = large.length};
    gl_http_send_all(scene->http, all, 4, 0);
    assert_true(all[3].is_done);
    assert_string_equal(all[3].reply.body + all[3].reply.body_length - large.length, large.text);
    assert_non_null(strstr(all[0].reply.body, "content-type: application/json\n"));
    assert_non_null(strstr(all[0].reply.body, "\n{\"a\":1}"));
    assert_non_null(strstr(all[1].reply.body, "content-length: 0\n"));
    assert_null(strstr(all[2].reply.body, "content-length"));
    for (size_t i = 0; i < 4; i++)
        gl_http_reply_done(&all[i].reply);
}

/* libcurl sends again by itself when a kept connection ends without an answer. What may have been
 * done already is not done twice. */
static void what_changes_something_is_sent_once(void **state)
{
    static const struct {
        const char *method, *body;
        unsigned most;
    } rows[] = {{"POST", "Action=RunInstances", 1},
                {"PUT", "{}", 1},
                {"PATCH", "{}", 1},
                {"POST", NULL, 1},
                {"PUT", NULL, 1},
                {"DELETE", NULL, 1},
                {"GET", NULL, 2}};
    struct scene *scene = *state;
    GL_AUTO(gl_auto_free) char *url = url_of(scene, "/hung");

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct gl_http_request request = {.method = rows[i].method, .url = url};
        struct gl_http_reply reply;
        struct gl_error err = {0};
        unsigned before;

        request.body = rows[i].body;
        request.body_length = rows[i].body != NULL ? strlen(rows[i].body) : 0;
        get_ok(scene, "/echo"); /* leaves a connection */
        before = gl_test_server_requests(scene->server);
        assert_int_equal(gl_http_send(scene->http, &request, &reply, &err), -1);
        assert_int_equal(err.code, GL_E_NETWORK);
        if (gl_test_server_requests(scene->server) - before > rows[i].most)
            fail_msg("%s came twice", rows[i].method);
    }
}

/* TLS to a server that says nothing: the others wait whether they can share the connection. */
static void those_who_wait_for_a_connection_time_out_too(void **state)
{
    struct scene *scene = *state;
    struct gl_http_exchange all[4] = {0};
    char url[60];

    snprintf(url, sizeof url, "https://127.0.0.1:%d/", gl_test_server_port(scene->server));
    for (size_t i = 0; i < 4; i++)
        all[i].request =
            (struct gl_http_request){.method = "GET", .url = url, .timeout_ms = 100 + (int)i};
    gl_http_send_all(scene->http, all, 4, 0);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(all[i].err.code, GL_E_TIMEOUT);
        assert_null(strstr(all[i].err.text, "resolve"));
    }
}

#define SCENE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENE(a_hundred_requests_share_six_connections),
        SCENE(one_after_another_share_one_connection),
        SCENE(each_has_its_own_outcome),
        SCENE(silent_hosts_do_not_hold_up_the_others),
        SCENE(headers_and_large_bodies_come_whole),
        SCENE(a_batch_takes_more_while_answers_come),
        SCENE(two_batches_keep_apart),
        SCENE(an_unfinished_batch_can_be_given_up),
        SCENE(waiting_can_be_cancelled),
        SCENE(a_signal_gets_through),
        SCENE(a_secret_does_not_take_the_proxy_that_it_would_see),
        SCENE(a_secret_in_the_open_never_reaches_the_wire),
        SCENE(a_body_is_sent_whole),
        SCENE(what_changes_something_is_sent_once),
        SCENE(those_who_wait_for_a_connection_time_out_too),
    };

    setenv("no_proxy", "*", 1); /* the loopback server is not behind the user's proxy */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
