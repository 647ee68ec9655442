/* SPDX-License-Identifier: Apache-2.0 */
#include "base/http.h"

#include "tests/support/http_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

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

static void host_line(const struct gl_test_request *request, struct gl_test_answer *out,
                      void *cookie)
{
    char host[100];

    (void)cookie;
    gl_test_answer_text(out, 200, "text/plain",
                        gl_test_request_header(request, "host", host, sizeof host));
}

/* The server of a cluster behind another address: the connection goes there and its Host line says
 * so, the certificate is that of the cluster. */
static void a_certificate_of_the_wanted_name_is_taken(void **state)
{
    struct gl_test_server *server =
        gl_test_server_start_tls(host_line, NULL, &(struct gl_test_tls){.name = "k8s.internal"});
    struct gl_http *http = gl_http_curl_new();
    struct gl_http_request request = {.method = "GET", .timeout_ms = 10000};
    struct gl_http_reply reply;
    struct gl_error err = {0};
    char url[100];

    (void)state;
    if (server == NULL)
        skip();
    snprintf(url, sizeof url, "%s/", gl_test_server_url(server));
    request.url = url;
    request.ca_pem = gl_test_server_ca(server);
    assert_int_equal(ask(http, &request, "127.0.0.1"), GL_E_NETWORK);
    request.tls_name = "k8s.internal";
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(gl_http_send(http, &request, &reply, &err), 0);
        assert_string_equal(reply.body, gl_test_server_url(server) + strlen("https://"));
        gl_http_reply_done(&reply);
    }
    assert_int_equal(gl_test_server_connections(server), 2); /* the refused one, and one kept */
    request.tls_name = "other.internal";                     /* the kept connection is not for it */
    assert_int_equal(ask(http, &request, "other.internal"), GL_E_NETWORK);
    request.tls_name = NULL;
    assert_int_equal(ask(http, &request, "127.0.0.1"), GL_E_NETWORK);
    request.tls_name = "k8s.internal/?@x";
    assert_int_equal(ask(http, &request, "no host name"), GL_E_BAD_VALUE);
    assert_int_equal(gl_test_server_requests(server), 2);
    gl_http_close(http);
    gl_test_server_stop(server);
}

static void refuse_tunnel(const struct gl_test_request *request, struct gl_test_answer *out,
                          void *cookie)
{
    gl_str_addf(cookie, "%s %s;", request->method, request->path);
    gl_test_answer_text(out, 403, "text/plain", "");
}

/* The environment of these tests wants no proxy; what the request names counts all the same, and a
 * secret is nothing that the proxy sees. */
static void a_proxy_of_the_request_is_taken(void **state)
{
    GL_AUTO(gl_str_done) struct gl_str seen = {0};
    struct gl_test_server *proxy = gl_test_server_start(refuse_tunnel, &seen);
    struct gl_http *http = gl_http_curl_new();
    struct gl_http_request request = {.method = "GET",
                                      .url = "https://k8s.invalid:6443/",
                                      .timeout_ms = 10000,
                                      .carries_secret = true,
                                      .proxy_url = gl_test_server_url(proxy)};

    (void)state;
    assert_int_equal(ask(http, &request, "403"), GL_E_NETWORK);
    request.url = "https://127.0.0.1:1/";
    request.tls_name = "k8s.invalid";
    assert_int_equal(ask(http, &request, "403"), GL_E_NETWORK);
    request.is_direct = true;
    assert_int_equal(ask(http, &request, ""), GL_E_NETWORK);
    request.is_direct = false;
    request.proxy_url = "http://user:planted@127.0.0.1:1";
    assert_int_equal(ask(http, &request, "without user name"), GL_E_BAD_VALUE);
    gl_http_close(http);
    gl_test_server_stop(proxy);
    assert_string_equal(gl_str_text(&seen), "CONNECT k8s.invalid:6443;CONNECT 127.0.0.1:1;");
}

/* A proxy of RFC 1928, in a thread: hears whither, and says no. */
struct socks {
    int listening;
    bool is_told_the_name;
};

static void *refuse_socks(void *cookie)
{
    static const char wanted[] = "\5\1\0\3\13k8s.invalid\x19\x2b";
    struct socks *socks = cookie;
    char said[64] = "";
    int fd = accept(socks->listening, NULL, NULL);

    if (read(fd, said, sizeof said) >= 3 && said[0] == 5 && write(fd, "\5\0", 2) == 2)
        socks->is_told_the_name = read(fd, said, sizeof said) == sizeof wanted - 1 &&
                                  memcmp(said, wanted, sizeof wanted - 1) == 0 &&
                                  write(fd, "\5\2\0\1\0\0\0\0\0\0", 10) == 10;
    close(fd);
    return NULL;
}

/* The name server here hears nothing of a host behind it: that one does not know the name. */
static void a_socks_proxy_finds_the_name(void **state)
{
    const struct timeval patience = {.tv_sec = 10};
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct socks socks = {.listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    socklen_t size = sizeof at;
    struct gl_http *http = gl_http_curl_new();
    struct gl_http_request request = {
        .method = "GET", .url = "https://k8s.invalid:6443/", .timeout_ms = 10000};
    pthread_t proxy;
    char url[64];

    (void)state;
    assert_int_equal(bind(socks.listening, (struct sockaddr *)&at, size), 0);
    assert_int_equal(listen(socks.listening, 1), 0);
    assert_int_equal(getsockname(socks.listening, (struct sockaddr *)&at, &size), 0);
    setsockopt(socks.listening, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    assert_int_equal(pthread_create(&proxy, NULL, refuse_socks, &socks), 0);
    snprintf(url, sizeof url, "socks5://127.0.0.1:%u", (unsigned)ntohs(at.sin_port));
    request.proxy_url = url;
    assert_int_equal(ask(http, &request, ""), GL_E_NETWORK);
    assert_int_equal(pthread_join(proxy, NULL), 0);
    close(socks.listening);
    gl_http_close(http);
    assert_true(socks.is_told_the_name);
}

/* The authority that is named vouches for the server, not for the proxy. */
static void a_proxy_shows_a_certificate_itself(void **state)
{
    struct gl_test_server *proxy = start_or_skip(&(struct gl_test_tls){0});
    struct gl_http *http = gl_http_curl_new();
    struct gl_http_request request = {.method = "GET",
                                      .url = "https://k8s.invalid:6443/",
                                      .timeout_ms = 10000,
                                      .ca_pem = gl_test_server_ca(proxy),
                                      .proxy_url = gl_test_server_url(proxy)};

    (void)state;
    assert_int_equal(ask(http, &request, "certificate"), GL_E_NETWORK);
    assert_int_equal(gl_test_server_requests(proxy), 0);
    gl_http_close(http);
    gl_test_server_stop(proxy);
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
        cmocka_unit_test(a_certificate_of_the_wanted_name_is_taken),
        cmocka_unit_test(a_proxy_of_the_request_is_taken),
        cmocka_unit_test(a_socks_proxy_finds_the_name),
        cmocka_unit_test(a_proxy_shows_a_certificate_itself),
        cmocka_unit_test(an_expired_certificate_is_refused),
        cmocka_unit_test(a_client_shows_its_certificate),
        cmocka_unit_test(a_peer_that_hangs_up_is_survived),
    };

    setenv("no_proxy", "*", 1); /* the loopback server is not behind the user's proxy */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
