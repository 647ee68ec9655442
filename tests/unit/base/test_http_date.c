/* SPDX-License-Identifier: Apache-2.0 */
#include "base/http_date.h"

#include "tests/support/http_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/http_server.c"
#include "tests/support/http_tls.c"

#define NOW_S INT64_C(784111777) /* Sun, 06 Nov 1994 08:49:37 GMT */

/* "/90" answers with a clock 90 s ahead of ours; "/none" has none, "/odd" a form of its own. */
static void answer_dated(const struct gl_test_request *request, struct gl_test_answer *out,
                         void *cookie)
{
    (void)cookie;
    gl_test_answer_text(out, 200, "text/plain", "x");
    if (strcmp(request->path, "/90") == 0)
        gl_str_add(&out->headers, "Date: Sun, 06 Nov 1994 08:51:07 GMT\r\n");
    else if (strcmp(request->path, "/-20") == 0)
        gl_str_add(&out->headers, "Date: Sun, 06 Nov 1994 08:49:17 GMT\r\n");
    else if (strcmp(request->path, "/odd") == 0)
        gl_str_add(&out->headers, "Date: Sunday, 06-Nov-94 08:49:37 GMT\r\n");
}

struct bench {
    struct gl_test_server *server;
    struct gl_world *world;
    struct gl_http *curl, *dated;
};

static void begin_bench(struct bench *bench)
{
    bench->server = gl_test_server_start(answer_dated, NULL);
    bench->world = gl_world_fixed_new(NOW_S * 1000, 1, NULL);
    bench->curl = gl_http_curl_new();
    bench->dated = gl_http_dated_new(bench->curl, bench->world);
}

static void end_bench(struct bench *bench)
{
    gl_http_close(bench->dated);
    gl_http_close(bench->curl);
    gl_world_fixed_free(bench->world);
    gl_test_server_stop(bench->server);
}

static void get(struct bench *bench, const char *path)
{
    GL_AUTO(gl_str_done) struct gl_str url = {0};
    struct gl_http_request request = {.method = "GET"};
    struct gl_http_reply reply;
    struct gl_error err = {0};

    gl_str_addf(&url, "%s%s", gl_test_server_url(bench->server), path);
    request.url = gl_str_text(&url);
    if (gl_http_send(bench->dated, &request, &reply, &err) != 0)
        fail_msg("%s", err.text);
    assert_int_equal(reply.status, 200);
    gl_http_reply_done(&reply);
}

static void test_best_counts(void **state)
{
    struct bench bench;
    int64_t ahead_s = 4711;

    (void)state;
    begin_bench(&bench);
    assert_false(gl_http_dated_ahead(bench.dated, &ahead_s));
    get(&bench, "/none");
    get(&bench, "/odd");
    assert_false(gl_http_dated_ahead(bench.dated, &ahead_s));
    assert_int_equal(ahead_s, 4711);
    get(&bench, "/90");
    assert_true(gl_http_dated_ahead(bench.dated, &ahead_s));
    assert_int_equal(ahead_s, -90);
    get(&bench, "/-20");
    assert_true(gl_http_dated_ahead(bench.dated, &ahead_s));
    assert_int_equal(ahead_s, 20);
    get(&bench, "/90");
    assert_true(gl_http_dated_ahead(bench.dated, &ahead_s));
    assert_int_equal(ahead_s, 20);
    end_bench(&bench);
}

/* Many at once: every one comes back, whatever way it ends. */
static void test_many(void **state)
{
    struct bench bench;
    struct gl_http_exchange exchanges[12];
    char urls[12][128];
    int64_t ahead_s = 0;

    (void)state;
    memset(exchanges, 0, sizeof exchanges);
    begin_bench(&bench);
    for (size_t i = 0; i < 12; i++) {
        snprintf(urls[i], sizeof urls[i], "%s%s",
                 i == 5 ? "http://127.0.0.1:1" : gl_test_server_url(bench.server),
                 i % 2 == 0 ? "/90" : "/none");
        exchanges[i].request = (struct gl_http_request){.method = "GET", .url = urls[i]};
    }
    gl_http_send_all(bench.dated, exchanges, 12, 5000);
    for (size_t i = 0; i < 12; i++) {
        assert_int_equal(exchanges[i].is_done, i != 5);
        if (exchanges[i].is_done)
            gl_http_reply_done(&exchanges[i].reply);
    }
    assert_true(gl_http_dated_ahead(bench.dated, &ahead_s));
    assert_int_equal(ahead_s, -90);
    end_bench(&bench);
}

static void test_swap(void **state)
{
    struct bench bench;
    struct gl_http *place;

    (void)state;
    begin_bench(&bench);
    place = bench.curl;
    gl_http_dated_swap(bench.dated, &place);
    assert_ptr_equal(place, bench.dated);
    gl_http_dated_swap(bench.dated, &place);
    assert_ptr_equal(place, bench.curl);
    end_bench(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_best_counts),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_swap),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
