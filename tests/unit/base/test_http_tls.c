/* SPDX-License-Identifier: Apache-2.0 */
#include "base/http.h"

#include "tests/support/http_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* The test links base/ alone. */
#include "tests/support/http_server.c"
#include "tests/support/http_tls.c"

static void script(const struct gl_test_request *request, struct gl_test_answer *out, void *cookie)
{
    (void)cookie;
    gl_test_answer_text(out, 200, "text/plain", request->path);
    out->is_last = strcmp(request->path, "/last") == 0;
    out->is_hung_up = strcmp(request->path, "/hung") == 0;
}

/* Skips the test where there is no libssl to serve with. */
static struct gl_test_server *start_or_skip(const struct gl_test_tls *tls)
{
    struct gl_test_server *server = gl_test_server_start_tls(script, NULL, tls);

    if (server == NULL) {
        print_message("skipped: no libssl.so.3 to serve TLS\n");
        skip();
    }
    return server;
}

static enum gl_errc ask(struct gl_http *http, const struct gl_http_request *request,
                        const char *expected_trouble)
{
    struct gl_http_reply reply;
    struct gl_error err = {0};

    if (gl_http_send(http, request, &reply, &err) == 0) {
        assert_string_equal(reply.body, "/");
        gl_http_reply_done(&reply);
        return GL_OK;
    }
    if (expected_trouble == NULL)
        print_message("%s\n", err.text);
    else if (strstr(err.text, expected_trouble) == NULL)
        fail_msg("%s", err.text);
    return err.code;
}

static void an_authority_of_the_request_is_trusted_alone(void **state)
{
    struct gl_test_server *server = start_or_skip(&(struct gl_test_tls){0});
    struct gl_test_server *other = start_or_skip(&(struct gl_test_tls){0});
    struct gl_http *http = gl_http_curl_new();
    char url[100];
    struct gl_http_request request = {
        .method = "GET", .url = url, .timeout_ms = 10000, .ca_pem = gl_test_server_ca(server)};

    (void)state;
    snprintf(url, sizeof url, "%s/", gl_test_server_url(server));
    assert_int_equal(ask(http, &request, NULL), GL_OK);
    assert_int_equal(ask(http, &request, NULL), GL_OK);
    assert_int_equal(gl_test_server_connections(server), 1);
    /* A connection that one authority vouched for is not for those who trust another. */
    request.ca_pem = gl_test_server_ca(other);
    assert_int_equal(ask(http, &request, "certificate"), GL_E_NETWORK);
    request.ca_pem = NULL;
    assert_int_equal(ask(http, &request, "certificate"), GL_E_NETWORK);
    request.ca_pem = "no PEM";
    assert_int_equal(ask(http, &request, ""), GL_E_NETWORK);
    assert_int_equal(gl_test_server_requests(server), 2);
    gl_http_close(http);
    gl_test_server_stop(server);
    gl_test_server_stop(other);
}

static void a_certificate_must_fit(const struct gl_test_tls *tls, const char *trouble)
{
    struct gl_test_server *server = start_or_skip(tls);
    struct gl_http *http = gl_http_curl_new();
    char url[100];
    struct gl_http_request request = {
        .method = "GET", .url = url, .timeout_ms = 10000, .ca_pem = gl_test_server_ca(server)};

    snprintf(url, sizeof url, "%s/", gl_test_server_url(server));
    assert_int_equal(ask(http, &request, trouble), GL_E_NETWORK);
    assert_int_equal(gl_test_server_requests(server), 0);
    gl_http_close(http);
    gl_test_server_stop(server);
}

static void a_certificate_of_another_name_is_refused(void **state)
{
    (void)state;
    a_certificate_must_fit(&(struct gl_test_tls){.name = "example.org"}, "127.0.0.1");
    a_certificate_must_fit(&(struct gl_test_tls){.name = "127.0.0.2"}, "127.0.0.1");
}

static void an_expired_certificate_is_refused(void **state)
{
    (void)state;
    a_certificate_must_fit(&(struct gl_test_tls){.is_expired = true}, "expired");
}

static void a_client_shows_its_certificate(void **state)
{
    struct gl_test_server *server = start_or_skip(&(struct gl_test_tls){.asks_for_client = true});
    struct gl_http *http = gl_http_curl_new();
    char url[100];
    GL_AUTO(gl_str_done) struct gl_str both = {0};
    struct gl_http_request request = {
        .method = "GET", .url = url, .timeout_ms = 10000, .ca_pem = gl_test_server_ca(server)};

    (void)state;
    snprintf(url, sizeof url, "%s/", gl_test_server_url(server));
    assert_int_equal(ask(http, &request, ""), GL_E_NETWORK);
    request.client_cert_pem = gl_test_server_client_cert(server);
    request.client_key_pem = gl_test_server_client_key(server);
    assert_int_equal(ask(http, &request, NULL), GL_OK);
    gl_str_addf(&both, "%s%s", request.client_cert_pem, request.client_key_pem);
    request.client_cert_pem = both.text;
    request.client_key_pem = NULL;
    assert_int_equal(ask(http, &request, NULL), GL_OK);
    /* The connection that a certificate opened is not for those who show none. */
    request.client_cert_pem = NULL;
    assert_int_equal(ask(http, &request, ""), GL_E_NETWORK);
    assert_int_equal(gl_test_server_requests(server), 2);
    gl_http_close(http);
    gl_test_server_stop(server);
}

/* SIGPIPE would end the program here, and did not wait to be asked. */
static void a_peer_that_hangs_up_is_survived(void **state)
{
    struct gl_test_server *server = start_or_skip(&(struct gl_test_tls){0});
    struct gl_http *http = gl_http_curl_new();
    struct gl_http_exchange all[24];
    char urls[3][100];
    static const char *const paths[] = {"/", "/hung", "/last"};

    (void)state;
    for (size_t i = 0; i < 3; i++)
        snprintf(urls[i], sizeof urls[i], "%s%s", gl_test_server_url(server), paths[i]);
    for (size_t i = 0; i < 24; i++)
        all[i] = (struct gl_http_exchange){.request = {.method = "GET",
                                                       .url = urls[i % 3],
                                                       .timeout_ms = 10000,
                                                       .ca_pem = gl_test_server_ca(server)}};
    gl_http_send_all(http, all, 24, 0);
    for (size_t i = 0; i < 24; i++) {
        assert_int_equal(all[i].is_done, i % 3 != 1);
        gl_http_reply_done(&all[i].reply);
    }
    gl_http_send_all(http, all, 24, 0); /* over connections that are gone by now, some of them */
    for (size_t i = 0; i < 24; i++)
        gl_http_reply_done(&all[i].reply);
    gl_test_server_stop(server);
    gl_http_close(http);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_authority_of_the_request_is_trusted_alone),
        cmocka_unit_test(a_certificate_of_another_name_is_refused),
        cmocka_unit_test(an_expired_certificate_is_refused),
        cmocka_unit_test(a_client_shows_its_certificate),
        cmocka_unit_test(a_peer_that_hangs_up_is_survived),
    };

    setenv("no_proxy", "*", 1); /* the loopback server is not behind the user's proxy */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
