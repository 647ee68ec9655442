/* SPDX-License-Identifier: Apache-2.0 */
#include "base/http.h"

#include "base/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* What holds over any transport, with one that answers at once with what it was asked. */

struct echo {
    struct gl_http http;
    unsigned calls, fails_at;
    int64_t timeout_ms; /* of the last request */
    unsigned sleep_ms;
};

static int echo_send(struct gl_http *http, const struct gl_http_request *request,
                     struct gl_http_reply *out, struct gl_error *err)
{
    struct echo *self = (struct echo *)http;
    struct gl_str body = {0};

    self->timeout_ms = request->timeout_ms;
    usleep(self->sleep_ms * 1000);
    if (++self->calls == self->fails_at)
        return gl_fail(err, GL_E_NETWORK, "call %u", self->calls);
    gl_str_addf(&body, "%s %s", request->method, request->url);
    for (size_t i = 0; request->headers != NULL && request->headers[i] != NULL; i++)
        gl_str_addf(&body, "|%s", request->headers[i]);
    if (request->body != NULL) {
        gl_str_add_char(&body, '|');
        gl_str_add_bytes(&body, request->body, request->body_length);
    }
    if (request->ca_pem != NULL)
        gl_str_addf(&body, "|%s|%s|%s|%s|%s", request->ca_pem, request->client_cert_pem,
                    request->client_key_pem, request->proxy_url, request->tls_name);
    *out = (struct gl_http_reply){.status = 200, .retry_after_s = -1, .body_length = body.length};
    out->body = gl_str_take(&body);
    return 0;
}

static void echo_close(struct gl_http *http)
{
    (void)http; /* lives on the stack */
}

static const struct gl_http_ops echo_ops = {.name = "echo", .send = echo_send, .close = echo_close};

static struct gl_http_request get_of(const char *url)
{
    return (struct gl_http_request){.method = "GET", .url = url};
}

static void a_batch_owns_its_requests(void **state)
{
    struct echo echo = {.http.ops = &echo_ops};
    struct gl_http_batch *batch = gl_http_batch_new(&echo.http);
    char url[] = "https://h/1", header[] = "A: 1", body[] = "b\0c", method[] = "PUT";
    char ca[] = "ca", cert[] = "cert", key[] = "key", proxy[] = "http://p", name[] = "name";
    const char *headers[] = {header, "B: 2", NULL};
    struct gl_http_request request = {.method = method,
                                      .url = url,
                                      .headers = headers,
                                      .body = body,
                                      .body_length = 3,
                                      .carries_secret = true,
                                      .ca_pem = ca,
                                      .client_cert_pem = cert,
                                      .client_key_pem = key,
                                      .proxy_url = proxy,
                                      .tls_name = name};
    struct gl_http_exchange exchange;
    static const char expected[] = "PUT https://h/1|A: 1|B: 2|b\0c|ca|cert|key|http://p|name";

    (void)state;
    gl_http_batch_add(batch, &request, &echo);
    memset(url, 'x', 5);
    memset(method, 'x', 3);
    memset(header, 'x', 4);
    memset(body, 'x', 3);
    memset(ca, 'x', 2);
    memset(cert, 'x', 4);
    memset(key, 'x', 3);
    memset(proxy, 'x', 8);
    memset(name, 'x', 4);
    headers[0] = NULL;
    assert_true(gl_http_batch_next(batch, 0, &exchange));
    assert_true(exchange.is_done);
    assert_ptr_equal(exchange.cookie, &echo);
    assert_int_equal(exchange.reply.body_length, sizeof expected - 1);
    assert_memory_equal(exchange.reply.body, expected, sizeof expected);
    assert_string_equal(exchange.request.url, "https://h/1");
    gl_http_reply_done(&exchange.reply);
    assert_false(gl_http_batch_next(batch, 0, &exchange));
    gl_http_batch_free(batch);
    gl_http_batch_free(NULL);
}

static void each_exchange_has_its_own_outcome(void **state)
{
    struct echo echo = {.http.ops = &echo_ops, .fails_at = 2};
    struct gl_http_exchange all[4] = {{.request = get_of("https://h/0")},
                                      {.request = get_of("https://h/1")},
                                      {.request = get_of("gopher://h/2")},
                                      {.request = get_of("https://h/3")}};

    (void)state;
    gl_http_send_all(&echo.http, all, 4, 0);
    assert_true(all[0].is_done && all[3].is_done);
    assert_string_equal(all[0].reply.body, "GET https://h/0");
    assert_string_equal(all[3].reply.body, "GET https://h/3");
    assert_false(all[1].is_done || all[2].is_done);
    assert_int_equal(all[1].err.code, GL_E_NETWORK);
    assert_int_equal(all[2].err.code, GL_E_BAD_VALUE);
    assert_int_equal(echo.calls, 3);
    gl_http_reply_done(&all[0].reply);
    gl_http_reply_done(&all[3].reply);
    gl_http_send_all(&echo.http, NULL, 0, 0);
}

static void the_deadline_shortens_requests_and_ends_the_rest(void **state)
{
    struct echo echo = {.http.ops = &echo_ops, .sleep_ms = 30};
    struct gl_http_exchange all[3] = {{.request = get_of("https://h/0")},
                                      {.request = get_of("https://h/1")},
                                      {.request = get_of("https://h/2?key=hidden")}};

    (void)state;
    gl_http_send_all(&echo.http, all, 3, 20);
    assert_int_equal(echo.calls, 1);
    assert_true(echo.timeout_ms > 0 && echo.timeout_ms <= 20);
    assert_true(all[0].is_done && all[0].took_ms > 0);
    gl_http_reply_done(&all[0].reply);
    for (size_t i = 1; i < 3; i++) {
        assert_false(all[i].is_done);
        assert_int_equal(all[i].err.code, GL_E_TIMEOUT);
        assert_int_equal(all[i].took_ms, 0);
    }
    assert_string_equal(all[2].err.text,
                        "GET h/2: not sent within 20 ms for all requests together");
}

static bool is_third_question(void *cookie)
{
    unsigned *asked = cookie;

    return ++*asked > 3;
}

static void a_cancelled_batch_names_what_was_left(void **state)
{
    unsigned asked = 0;
    struct echo echo = {
        .http = {.ops = &echo_ops, .is_cancelled = is_third_question, .cancel_cookie = &asked}};
    struct gl_http_exchange all[5];
    unsigned done = 0;

    (void)state;
    for (size_t i = 0; i < 5; i++)
        all[i] = (struct gl_http_exchange){.request = get_of("https://h/")};
    gl_http_send_all(&echo.http, all, 5, 0);
    for (size_t i = 0; i < 5; i++) {
        if (all[i].is_done) {
            done++;
            gl_http_reply_done(&all[i].reply);
        } else
            assert_int_equal(all[i].err.code, GL_E_INTERRUPTED);
    }
    assert_int_equal(done, 3);
    assert_int_equal(echo.calls, 3);
}

static void what_nobody_fetches_is_freed(void **state)
{
    struct echo echo = {.http.ops = &echo_ops};
    struct gl_http_batch *batch = gl_http_batch_new(&echo.http);
    struct gl_http_request request = get_of("https://h/"), bad = get_of("h");
    struct gl_http_exchange exchange;

    (void)state;
    for (int i = 0; i < 3; i++)
        gl_http_batch_add(batch, &request, NULL);
    gl_http_batch_add(batch, &bad, NULL);
    assert_true(gl_http_batch_next(batch, 0, &exchange)); /* what is wrong comes at once */
    assert_int_equal(exchange.err.code, GL_E_BAD_VALUE);
    assert_true(gl_http_batch_next(batch, 0, &exchange));
    gl_http_reply_done(&exchange.reply);
    gl_http_batch_free(batch);
    assert_int_equal(echo.calls, 1);
}

static void faults_and_recordings_work_in_batches(void **state)
{
    const char *folder = "build/tmp/test_http_batch";
    struct echo echo = {.http.ops = &echo_ops};
    struct gl_http *http =
        gl_http_record_new(gl_http_fault_new(&echo.http, 2, GL_FAULT_TIMEOUT), folder, NULL);
    struct gl_http *replay = gl_http_replay_new(folder);
    static const char *const urls[] = {"https://h/0", "https://h/1", "https://h/2"};
    struct gl_error err = {0};

    (void)state;
    assert_int_equal(gl_dir_make(folder, &err), 0);
    for (size_t pass = 0; pass < 2; pass++) {
        struct gl_http_exchange all[3] = {{.request = get_of(urls[0])},
                                          {.request = get_of(urls[1])},
                                          {.request = get_of(urls[2])}};

        gl_http_send_all(pass == 0 ? http : replay, all, 3, 0);
        for (size_t i = 0; i < 3; i++) {
            assert_int_equal(all[i].is_done, i != 1);
            assert_int_equal(all[i].err.code, i == 1 ? GL_E_TIMEOUT : GL_OK);
            if (all[i].is_done)
                assert_string_equal(all[i].reply.body + 4, urls[i]);
            gl_http_reply_done(&all[i].reply);
        }
    }
    gl_http_close(http);
    gl_http_close(replay);
    assert_int_equal(gl_dir_remove(folder, &err), 0);
}

static void wrappers_can_be_cancelled(void **state)
{
    unsigned asked = 3;
    struct echo echo = {.http.ops = &echo_ops};
    struct gl_http *http = gl_http_fault_new(&echo.http, 9, GL_FAULT_500);
    struct gl_http_request request = get_of("https://h/");
    struct gl_http_reply reply;
    struct gl_error err = {0};

    (void)state;
    http->is_cancelled = is_third_question;
    http->cancel_cookie = &asked;
    assert_int_equal(gl_http_send(http, &request, &reply, &err), 0);
    gl_http_reply_done(&reply);
    assert_ptr_equal(echo.http.is_cancelled, is_third_question);
    assert_ptr_equal(echo.http.cancel_cookie, &asked);
    gl_http_close(http);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_batch_owns_its_requests),
        cmocka_unit_test(each_exchange_has_its_own_outcome),
        cmocka_unit_test(the_deadline_shortens_requests_and_ends_the_rest),
        cmocka_unit_test(a_cancelled_batch_names_what_was_left),
        cmocka_unit_test(what_nobody_fetches_is_freed),
        cmocka_unit_test(faults_and_recordings_work_in_batches),
        cmocka_unit_test(wrappers_can_be_cancelled),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
