/* SPDX-License-Identifier: Apache-2.0 */
/* Private clouds: the authority that a setting names, the name and the proxy of a cluster, in
 * single calls and in flights, where the first question is that for a token. */
#include "base/file.h"
#include "providers/cloud/remote_part.h"
#include "tests/support/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/http_server.c"
#include "tests/support/http_tls.c"
#include "tests/support/scratch.c"

#define TOKEN "planted-token-4f81c2"

struct bench {
    struct gl_remote remote; /* first: an adapter's struct begins with it */
    struct gl_world world;
    struct gl_test_server *server;
    char *folder, ca_path[200];
    char url[100];
    bool has_token;
};

static void serve(const struct gl_test_request *request, struct gl_test_answer *out, void *cookie)
{
    char given[100];
    bool is_token = strcmp(request->path, "/token") == 0;
    bool is_known = strcmp(gl_test_request_header(request, "authorization", given, sizeof given),
                           "Bearer " TOKEN) == 0;

    (void)cookie;
    gl_test_answer_text(out, is_token || is_known ? 200 : 401, "text/plain", is_token ? TOKEN : "");
}

static int token_ask(struct gl_remote *remote, bool is_renewed, struct gl_remote_call *out,
                     struct gl_error *err)
{
    struct bench *bench = (struct bench *)remote;

    (void)err;
    if (bench->has_token && !is_renewed)
        return 0;
    out->method = "GET";
    gl_str_addf(&out->url, "%s/token", bench->url);
    return 1;
}

static int token_read(struct gl_remote *remote, const struct gl_remote_call *call,
                      struct gl_error *err)
{
    (void)err;
    ((struct bench *)remote)->has_token = call->err.code == GL_OK;
    return 0;
}

static int authorize(struct gl_remote *remote, struct gl_remote_call *call, bool is_renewed,
                     struct gl_error *err)
{
    (void)remote;
    (void)is_renewed;
    (void)err;
    gl_remote_header(call, "Authorization", "Bearer %s", TOKEN);
    return 0;
}

static const struct gl_remote_ops remote_ops = {
    .authorize = authorize, .token_ask = token_ask, .token_read = token_read};
static const struct gl_cloud_ops cloud_ops = {.name = "private"};

static void open_bench(struct bench *bench, const struct gl_test_tls *tls)
{
    struct gl_error err = {0};
    const char *ca;

    *bench = (struct bench){.server = gl_test_server_start_tls(serve, NULL, tls)};
    if (bench->server == NULL)
        skip(); /* no libssl to serve with */
    ca = gl_test_server_ca(bench->server);
    bench->folder = scratch_make("remote_tls");
    snprintf(bench->ca_path, sizeof bench->ca_path, "%s/ca.pem", bench->folder);
    assert_int_equal(gl_file_write(bench->ca_path, ca, strlen(ca), 0600, &err), 0);
    snprintf(bench->url, sizeof bench->url, "%s", gl_test_server_url(bench->server));
    gl_world_real(&bench->world);
    bench->world.http = gl_http_curl_new();
    gl_remote_init(&bench->remote, &cloud_ops, &remote_ops,
                   &(struct gl_cloud_options){.world = &bench->world});
}

static void close_bench(struct bench *bench)
{
    gl_remote_done(&bench->remote);
    gl_http_close(bench->world.http);
    gl_test_server_stop(bench->server);
    scratch_remove(bench->folder);
}

static void fill(const struct bench *bench, struct gl_remote_call *call)
{
    *call = (struct gl_remote_call){.method = "GET"};
    gl_str_addf(&call->url, "%s/things", bench->url);
}

/* Three at once, in the first flight of this remote: they all succeed, or fail for this reason. */
static void fly(struct bench *bench, enum gl_errc code, const char *says)
{
    struct gl_remote_call calls[3];

    for (size_t i = 0; i < 3; i++)
        fill(bench, &calls[i]);
    gl_remote_begin(&bench->remote, 8000);
    assert_int_equal(gl_remote_send_all(&bench->remote, calls, 3), code == GL_OK ? 3 : 0);
    for (size_t i = 0; i < 3; i++) {
        if (calls[i].err.code != code || (code != GL_OK && !strstr(calls[i].err.text, says)))
            fail_msg("%d: %s", (int)calls[i].err.code, calls[i].err.text);
        assert_null(strstr(calls[i].err.text, TOKEN));
        gl_remote_call_done(&calls[i]);
    }
}

static void a_flight_trusts_the_authority_of_the_cloud(void **state)
{
    struct bench bench;

    (void)state;
    open_bench(&bench, &(struct gl_test_tls){0});
    snprintf(bench.remote.ca_file, sizeof bench.remote.ca_file, "%s", bench.ca_path);
    fly(&bench, GL_OK, NULL);
    assert_int_equal(gl_test_server_requests(bench.server), 4); /* one of them for the token */
    close_bench(&bench);
}

static void a_single_call_trusts_it_too(void **state)
{
    struct gl_error err = {0};
    struct gl_remote_call call;
    struct bench bench;

    (void)state;
    open_bench(&bench, &(struct gl_test_tls){0});
    snprintf(bench.remote.ca_file, sizeof bench.remote.ca_file, "%s", bench.ca_path);
    fill(&bench, &call);
    gl_remote_begin(&bench.remote, 8000);
    if (gl_remote_send(&bench.remote, &call, &err) != 0)
        fail_msg("%s", err.text);
    gl_remote_call_done(&call);
    close_bench(&bench);
}

static void without_it_nothing_is_asked(void **state)
{
    struct bench bench;

    (void)state;
    open_bench(&bench, &(struct gl_test_tls){0});
    fly(&bench, GL_E_NETWORK, "certificate");
    assert_int_equal(gl_test_server_requests(bench.server), 0);
    close_bench(&bench);
}

static void a_file_that_is_not_there_is_named(void **state)
{
    struct bench bench;

    (void)state;
    open_bench(&bench, &(struct gl_test_tls){0});
    snprintf(bench.remote.ca_file, sizeof bench.remote.ca_file, "%s.gone", bench.ca_path);
    fly(&bench, GL_E_CONFIG, "certificate authorities (cacert): cannot open");
    assert_int_equal(gl_test_server_requests(bench.server), 0);
    close_bench(&bench);
}

static void a_cluster_may_have_another_name(void **state)
{
    struct bench bench;

    (void)state;
    open_bench(&bench, &(struct gl_test_tls){.name = "k8s.internal"});
    snprintf(bench.remote.ca_file, sizeof bench.remote.ca_file, "%s", bench.ca_path);
    fly(&bench, GL_E_NETWORK, "127.0.0.1");
    bench.remote.tls_name = "k8s.internal";
    fly(&bench, GL_OK, NULL);
    close_bench(&bench);
}

static void a_proxy_that_is_named_is_the_only_way(void **state)
{
    struct bench bench;

    (void)state;
    open_bench(&bench, &(struct gl_test_tls){0});
    snprintf(bench.remote.ca_file, sizeof bench.remote.ca_file, "%s", bench.ca_path);
    bench.remote.proxy_url = "http://127.0.0.1:1"; /* nobody listens there */
    fly(&bench, GL_E_NETWORK, "127.0.0.1");
    assert_int_equal(gl_test_server_requests(bench.server), 0);
    close_bench(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_flight_trusts_the_authority_of_the_cloud),
        cmocka_unit_test(a_single_call_trusts_it_too),
        cmocka_unit_test(without_it_nothing_is_asked),
        cmocka_unit_test(a_file_that_is_not_there_is_named),
        cmocka_unit_test(a_cluster_may_have_another_name),
        cmocka_unit_test(a_proxy_that_is_named_is_the_only_way),
    };

    setenv("no_proxy", "*", 1); /* the loopback server is not behind the user's proxy */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
