/* SPDX-License-Identifier: Apache-2.0 */
/* Kubernetes: who we are to a cluster, where its nodes stand, what would hinder a launch. */
#include "tests/support/kubernetes_bench.h"

/* ---- before a launch ---- */

static void check_says_what_would_hinder(void **state)
{
    struct gl_launch launch = launch_of("m5.large", TOKEN);

    (void)state;
    assert_int_equal(cloud->ops->check(cloud, &launch, &err), 0);
    fake.cpu_used = "7500m";
    assert_int_equal(cloud->ops->check(cloud, &launch, &err), -1);
    assert_int_equal(err.code, GL_E_QUOTA);
    gl_error_clear(&err);
    fake.cpu_used = "2";
    fake.denied_verb = "patch";
    assert_int_equal(cloud->ops->check(cloud, &launch, &err), -1);
    assert_int_equal(err.code, GL_E_PERMISSION);
    assert_non_null(strstr(err.text, "patch jobs"));
    gl_error_clear(&err);
    fake.denied_verb = NULL;
    trouble(FAKE_KUBERNETES_FORBIDDEN, "GET", "/resourcequotas");
    assert_int_equal(cloud->ops->check(cloud, &launch, &err), 0);
    launch.max_price_u_usd = 1000;
    assert_int_equal(cloud->ops->check(cloud, &launch, &err), -1);
    assert_int_equal(err.code, GL_E_PRICE);
    gl_error_clear(&err);
    launch.max_price_u_usd = 0;
    launch.type = "no-such-type";
    assert_int_equal(cloud->ops->check(cloud, &launch, &err), -1);
    assert_int_equal(err.code, GL_E_UNKNOWN_NAME);
    gl_error_clear(&err);
    launch.region = "atlantis-1";
    assert_int_equal(cloud->ops->check(cloud, &launch, &err), -1);
    assert_int_equal(err.code, GL_E_UNKNOWN_NAME);
    assert_int_equal(json_object_size(fake.jobs), 0);
}

static void check_fails(enum gl_errc code, const char *words)
{
    const struct gl_launch launch = launch_of("m5.large", TOKEN);

    gl_error_clear(&err);
    assert_int_equal(cloud->ops->check(cloud, &launch, &err), -1);
    if (err.code != code || strstr(err.text, words) == NULL)
        fail_msg("%d: %s", (int)err.code, err.text);
    assert_int_equal(cloud->failure.reach, GL_REACH_ACCOUNT);
}

/* Quotas, limits and admission rules of a namespace meet pods: a Job is taken all the same. */
static void what_refuses_the_pod_is_asked_before(void **state)
{
    const struct gl_launch launch = launch_of("m5.large", TOKEN);

    (void)state;
    fake.pod_refused = "pods \"x\" is forbidden: exceeded quota: gpus, requested: pods=1";
    check_fails(GL_E_QUOTA, "exceeded quota: gpus");
    fake.pod_refused =
        "pods \"x\" is forbidden: maximum cpu usage per Container is 500m, but limit is 1";
    check_fails(GL_E_QUOTA, "maximum cpu usage per Container is 500m");
    fake.pod_refused = "pods \"x\" is forbidden: failed quota: all: must specify limits.memory";
    check_fails(GL_E_BAD_VALUE, "must specify limits.memory");
    fake.pod_refused = "pods \"x\" is forbidden: violates PodSecurity \"restricted:latest\"";
    check_fails(GL_E_PERMISSION, "violates PodSecurity");
    fake.pod_refused = NULL;
    trouble(FAKE_KUBERNETES_DENIED, "POST", "/pods");
    check_fails(GL_E_PERMISSION, "denied the request: name an owner");
    trouble(FAKE_KUBERNETES_DENIED, "POST", "/jobs");
    check_fails(GL_E_PERMISSION, "denied the request: name an owner");
    gl_error_clear(&err);
    fake.pod_refused = "pods is forbidden: User \"tests\" cannot create resource \"pods\" in API "
                       "group \"\" in the namespace \"green\"";
    assert_int_equal(cloud->ops->check(cloud, &launch, &err), 0); /* it was not needed */
    fake.pod_refused = NULL;
    trouble(FAKE_KUBERNETES_UNTOLD, "POST", "/jobs");
    assert_int_equal(cloud->ops->check(cloud, &launch, &err), 0);
    trouble(FAKE_KUBERNETES_UNTOLD, "POST", "/pods");
    assert_int_equal(cloud->ops->check(cloud, &launch, &err), 0);
    assert_int_equal(json_object_size(fake.jobs), 0);
}

/* ---- places ---- */

static void places_are_the_nodes(void **state)
{
    const char *const *names, *host;
    int64_t price;

    (void)state;
    trouble(FAKE_KUBERNETES_GONE, "GET", "/nodes"); /* in the middle of the list */
    assert_int_equal(cloud->ops->regions(cloud, &names, &err), 0);
    assert_string_equal(names[0], "eu-north-1");
    assert_string_equal(names[1], "us-east-1");
    assert_null(names[2]);
    assert_int_equal(cloud->ops->types(cloud, "us-east-1", &names, &err), 0);
    assert_string_equal(names[0], "m5.large");
    assert_string_equal(names[1], "c5.large");
    assert_null(names[2]);
    assert_int_equal(gl_kubernetes_host(cloud, &host, &err), 0);
    assert_string_equal(host, "aws");
    assert_int_equal(cloud->ops->price(cloud, "us-east-1", "m5.large", &price, &err), 0);
    assert_int_equal(price, GL_UNKNOWN);
    assert_int_equal(cloud->ops->types(cloud, "atlantis-1", &names, &err), -1);
    assert_int_equal(err.code, GL_E_UNKNOWN_NAME);
}

static void nodes_may_be_forbidden(void **state)
{
    const char *const *names, *host;
    struct gl_instance made;

    (void)state;
    fake.hides_nodes = true;
    assert_int_equal(cloud->ops->regions(cloud, &names, &err), -1);
    assert_int_equal(err.code, GL_E_PERMISSION);
    gl_error_clear(&err);
    set("regions", "eu-north-1, us-east-1");
    set("cloud", "aws");
    set("price", "0.05");
    open_again();
    assert_int_equal(cloud->ops->regions(cloud, &names, &err), 0);
    assert_string_equal(names[1], "us-east-1");
    assert_int_equal(cloud->ops->types(cloud, "us-east-1", &names, &err), 0);
    assert_string_equal(names[0], "any");
    assert_int_equal(gl_kubernetes_host(cloud, &host, &err), 0);
    assert_string_equal(host, "aws");
    made = started("any");
    assert_int_equal(made.state, GL_STATE_RUNNING);
    assert_string_equal(made.zone, "");
}

static void the_catalogue_is_the_nodes(void **state)
{
    struct gl_catalog *catalog;
    struct gl_catalog_report report;
    const struct gl_catalog_row *rows;
    size_t count, offered = 0;

    (void)state;
    set("price", "0.05");
    open_again();
    gl_catalog_refresh(&cloud, 1, 10000, &catalog, &report);
    if (!report.is_whole)
        fail_msg("%s", report.first.text);
    count = gl_catalog_rows(catalog, &rows);
    assert_int_equal(count, 4);
    for (size_t i = 0; i < count; i++) {
        offered += rows[i].is_offered;
        assert_int_equal(rows[i].vcpus, 1); /* that a pod may ask for, of 1930m */
        assert_int_equal(rows[i].memory_mib, 6046);
        assert_string_equal(rows[i].host, "aws");
        assert_int_equal(rows[i].price_u_usd, 50000);
        assert_string_equal(rows[i].arch, "x86_64");
    }
    assert_int_equal(offered, 3);
    gl_catalog_free(catalog);
}

static void a_long_list_is_read_to_its_end(void **state)
{
    struct gl_launch launch = launch_of("m5.large", TOKEN);
    struct gl_instance out, *rows;
    char token[GL_HASH_HEX];
    size_t count;

    (void)state;
    for (unsigned i = 1; i <= 5; i++) {
        snprintf(token, sizeof token, "%08x%s", i, &TOKEN[8]);
        launch.token = token;
        launch.attempt = i;
        assert_int_equal(cloud->ops->launch(cloud, &launch, &out, &err), 0);
    }
    trouble(FAKE_KUBERNETES_GONE, "GET", "/jobs");
    assert_int_equal(cloud->ops->list(cloud, &rows, &count, &err), 0);
    assert_int_equal(count, 5);
    free(rows);
    trouble(FAKE_KUBERNETES_FORBIDDEN, "GET", "/jobs");
    assert_int_equal(cloud->ops->find_by_request(cloud, NULL, OTHER, &out, &err), -1);
    assert_int_equal(err.code, GL_E_PERMISSION);
}

/* ---- who we are ---- */

static void a_rejected_token_is_told(void **state)
{
    char name[128];

    (void)state;
    assert_int_equal(cloud->ops->whoami(cloud, name, &err), 0);
    assert_memory_equal(name, "tests in namespace green of 127.0.0.1:", 38);
    fake.is_old = true;
    assert_int_equal(cloud->ops->whoami(cloud, name, &err), 0);
    fake.token = "another";
    assert_int_equal(cloud->ops->whoami(cloud, name, &err), -1);
    assert_int_equal(err.code, GL_E_NO_CREDENTIAL);
    assert_null(strstr(err.text, FAKE_KUBERNETES_TOKEN));
}

/* A plugin whose first token is rejected is asked for another one, once. */
static void a_plugin_gives_the_token(void **state)
{
    char *script = gl_path_join(folder, "plugin.sh");
    static const char text[] =
        "#!/bin/sh\necho run >>\"$MARK\"\n[ -z \"$(cat)\" ] || exit 1\n"
        "case $KUBERNETES_EXEC_INFO in *'\"interactive\":false'*'\"server\":\"http'*) ;;\n"
        "*) exit 2 ;; esac\n"
        "token=$1\n[ \"$(wc -l <\"$MARK\")\" -lt 2 ] || token=$2\n"
        "printf "
        "'{\"apiVersion\":\"client.authentication.k8s.io/v1\",\"kind\":\"ExecCredential\",'\n"
        "printf '\"status\":{\"token\":\"%s\"}}' \"$token\"\n";
    char user[1200], name[128];

    (void)state;
    assert_int_equal(gl_file_write(script, text, sizeof text - 1, 0700, &err), 0);
    snprintf(user, sizeof user,
             "    exec:\n      apiVersion: client.authentication.k8s.io/v1\n"
             "      command: ./plugin.sh\n      args: [stale, %s]\n"
             "      provideClusterInfo: true\n      interactiveMode: Never\n"
             "      env: [{name: MARK, value: \"%s/mark\"}]",
             FAKE_KUBERNETES_TOKEN, folder);
    free(script);
    begin(user);
    if (cloud->ops->whoami(cloud, name, &err) != 0)
        fail_msg("%s", err.text);
    assert_int_equal(cloud->ops->whoami(cloud, name, &err), 0);
    assert_int_equal(gl_test_server_requests(fake.server), 3); /* the stale one, then good ones */
}

static void put_file(const char *name, const char *text)
{
    char *path = gl_path_join(folder, name);

    assert_int_equal(gl_file_write(path, text, strlen(text), 0600, &err), 0);
    free(path);
}

static void a_certificate_is_enough(void **state)
{
    static const struct gl_test_tls tls = {.asks_for_client = true};
    struct gl_instance made;
    char user[1200], *coded;
    const char *key;

    (void)state;
    fake.tls = &tls;
    fake.token = NULL;
    fake_kubernetes_start(&fake);
    if (fake.server == NULL) {
        print_message("skip kubernetes certificate: libssl is not there\n");
        skip();
    }
    set("schedule-wait", "1");
    configure("    token: planted");
    assert_int_equal(cloud->ops->find_by_request(cloud, NULL, TOKEN, &made, &err), -1);
    assert_int_equal(err.code, GL_E_NETWORK);
    gl_error_clear(&err);
    put_file("cert.pem", gl_test_server_client_cert(fake.server));
    key = gl_test_server_client_key(fake.server);
    coded = gl_alloc(2 * strlen(key) + 4);
    snprintf(user, sizeof user, "    client-certificate: cert.pem\n    client-key-data: %s",
             gl_base64_text(key, strlen(key), coded));
    free(coded);
    configure(user);
    made = started("m5.large");
    assert_int_equal(made.state, GL_STATE_RUNNING);
}

static void refuse_tunnel(const struct gl_test_request *request, struct gl_test_answer *out,
                          void *cookie)
{
    (void)cookie;
    (void)request;
    gl_test_answer_text(out, 403, "text/plain", "");
}

/* A cluster behind a proxy, by another name than its own. */
static void the_way_of_the_kubeconfig_is_taken(void **state)
{
    struct gl_test_server *proxy = gl_test_server_start(refuse_tunnel, NULL);
    GL_AUTO(gl_str_done) struct gl_str text = {0};
    GL_AUTO(gl_auto_free) char *path = gl_path_join(folder, "behind"), *log = NULL;
    struct gl_instance *rows;
    size_t count;

    (void)state;
    gl_str_addf(&text,
                "current-context: x\ncontexts: [{name: x, context: {cluster: c, user: u}}]\n"
                "clusters: [{name: c, cluster: {server: 'https://k8s.invalid:6443', proxy-url: "
                "'%s', tls-server-name: k8s.internal}}]\nusers: [{name: u, user: {token: "
                "" FAKE_KUBERNETES_TOKEN "}}]\n",
                gl_test_server_url(proxy));
    assert_int_equal(gl_file_write(path, text.text, text.length, 0600, &err), 0);
    snprintf(environment, sizeof environment, "%s", path);
    open_again();
    assert_string_equal(((struct gl_kubernetes *)cloud)->remote.tls_name, "k8s.internal");
    assert_int_equal(cloud->ops->list(cloud, &rows, &count, &err), -1);
    assert_int_equal(err.code, GL_E_NETWORK);
    log = gl_test_server_log(proxy);
    assert_non_null(strstr(log, "CONNECT k8s.invalid:6443"));
    assert_null(strstr(log, FAKE_KUBERNETES_TOKEN));
    gl_test_server_stop(proxy);
}

static void words_become_codes(void **state)
{
    static const struct {
        int status;
        const char *word;
        enum gl_errc code;
    } rows[] = {
        {409, "AlreadyExists", GL_E_TOKEN},
        {403, "Forbidden", GL_E_PERMISSION},
        {401, "Unauthorized", GL_E_NO_CREDENTIAL},
        {404, "NotFound", GL_E_NOT_FOUND},
        {409, "Conflict", GL_E_BUSY},
        {429, "TooManyRequests", GL_E_RATE_LIMIT},
        {422, "Invalid", GL_E_BAD_VALUE},
        {410, "Expired", GL_E_NOT_FOUND},
        {500, "InternalError", GL_E_PROVIDER},
        {504, "Timeout", GL_E_PROVIDER},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(cloud->ops->classify(rows[i].status, rows[i].word), rows[i].code);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(check_says_what_would_hinder),
        TEST(what_refuses_the_pod_is_asked_before),
        TEST(places_are_the_nodes),
        TEST(nodes_may_be_forbidden),
        TEST(the_catalogue_is_the_nodes),
        TEST(a_long_list_is_read_to_its_end),
        TEST(a_rejected_token_is_told),
        cmocka_unit_test_setup_teardown(a_plugin_gives_the_token, fresh, done),
        cmocka_unit_test_setup_teardown(a_certificate_is_enough, fresh, done),
        TEST(the_way_of_the_kubeconfig_is_taken),
        TEST(words_become_codes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
