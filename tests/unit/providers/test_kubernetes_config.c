/* SPDX-License-Identifier: Apache-2.0 */
/* kubeconfig files as people and attackers write them, and what plugins answer. */
#include "providers/cloud/kubernetes_config.h"

#include "base/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define SECRET "planted-secret-8842"
#define V1     "client.authentication.k8s.io/v1"
#define PEM    "-----BEGIN CERTIFICATE-----\\nplanted\\n-----END CERTIFICATE-----\\n"

static char folder[64];
static const char *environment[3];
static struct gl_world world;
static struct gl_error err;

static const char *getenv_of_test(void *cookie, const char *name)
{
    size_t length = strlen(name);

    (void)cookie;
    for (size_t i = 0; i < 3 && environment[i] != NULL; i++)
        if (strncmp(environment[i], name, length) == 0 && environment[i][length] == '=')
            return environment[i] + length + 1;
    return NULL;
}

static int fresh(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/gl-kubeconfig-XXXXXX");
    gl_world_real(&world);
    world.getenv = getenv_of_test;
    memset(environment, 0, sizeof environment);
    gl_error_clear(&err);
    return mkdtemp(folder) != NULL ? 0 : -1;
}

static int done(void **state)
{
    (void)state;
    return gl_dir_remove(folder, &err);
}

/* Write a file into the folder; its path into `out`. */
static void put(const char *name, const char *text, unsigned mode, char out[160])
{
    struct gl_error why = {0};

    snprintf(out, 160, "%s/%s", folder, name);
    assert_int_equal(gl_file_write(out, text, strlen(text), mode, &why), 0);
}

static int find(const char *files, const char *context, struct gl_kubernetes_config *out)
{
    const struct gl_kubernetes_asked asked = {files, context, folder};

    *out = (struct gl_kubernetes_config){0};
    gl_error_clear(&err);
    return gl_kubernetes_config_find(&world, &asked, out, &err);
}

#define CLUSTER "clusters:\n- name: c\n  cluster: {server: 'https://k8s.example'}\n"
#define CONTEXT "current-context: x\ncontexts:\n- name: x\n  context: {cluster: c, user: u}\n"

/* ---- merging ---- */

static void the_first_file_to_name_a_thing_counts(void **state)
{
    struct gl_kubernetes_config config;
    char one[160], two[160], list[400];

    (void)state;
    put("one",
        "current-context: x\nusers:\n- name: u\n  user: {token: first}\ncontexts:\n- name: x\n"
        "  context: {cluster: c, user: u, namespace: green}\nclusters: []\n",
        0600, one);
    put("two",
        "current-context: y\nusers:\n- name: u\n  user: {token: second}\n" CLUSTER
        "contexts:\n- name: y\n  context: {cluster: c, user: u}\n",
        0600, two);
    snprintf(list, sizeof list, "%s/missing:%s::%s", folder, one, two);
    assert_int_equal(find(list, NULL, &config), 0);
    assert_string_equal(config.server, "https://k8s.example");
    assert_string_equal(config.space, "green");
    assert_string_equal(config.user, "u");
    assert_true(gl_secret_equal(&config.token, "first", 5));
    gl_kubernetes_config_done(&config);
    assert_int_equal(find(list, "y", &config), 0);
    assert_string_equal(config.space, "");
    gl_kubernetes_config_done(&config);
    assert_int_equal(find(list, "z", &config), -1);
    assert_int_equal(err.code, GL_E_CONFIG);
    gl_kubernetes_config_done(&config);
}

/* As `kubectl config` and cluster tools write what there is none of. */
static void null_is_nothing(void **state)
{
    struct gl_kubernetes_config config;
    char one[160], two[160], list[400];

    (void)state;
    put("one",
        "apiVersion: v1\nclusters: null\ncontexts: null\ncurrent-context: \"\"\nkind: Config\n"
        "preferences: {}\nusers: null\n",
        0600, one);
    put("two",
        "users:\n- name: u\n  user: {token: t, tokenFile: null, exec: null, as: null, password: "
        "~}\n"
        "- name: v\n  user: null\n"
        "clusters:\n- name: c\n  cluster: {server: 'https://k8s.example', proxy-url: null,\n"
        "    insecure-skip-tls-verify: null, certificate-authority-data: null}\n"
        "current-context: x\n"
        "contexts:\n- name: x\n  context: {cluster: c, user: u, namespace: null}\n",
        0600, two);
    snprintf(list, sizeof list, "%s:%s", one, two);
    if (find(list, NULL, &config) != 0)
        fail_msg("%s", err.text);
    assert_string_equal(config.space, "");
    assert_null(config.proxy_url);
    assert_null(config.token_file);
    assert_true(gl_secret_equal(&config.token, "t", 1));
    gl_kubernetes_config_done(&config);
}

static void without_a_kubeconfig_the_pod_tells(void **state)
{
    struct gl_kubernetes_config config;
    char path[160];

    (void)state;
    assert_int_equal(find(NULL, NULL, &config), -1);
    assert_int_equal(err.code, GL_E_NO_CREDENTIAL);
    assert_non_null(strstr(err.text, "KUBECONFIG"));
    gl_kubernetes_config_done(&config);
    environment[0] = "KUBERNETES_SERVICE_HOST=fd00::1";
    environment[1] = "KUBERNETES_SERVICE_PORT=6443";
    assert_int_equal(find(NULL, NULL, &config), -1); /* no authority: nothing is trusted */
    gl_kubernetes_config_done(&config);
    put("ca.crt", "-----BEGIN CERTIFICATE-----\n", 0600, path);
    put("namespace", "team\n", 0600, path);
    put("token", SECRET "\n", 0600, path);
    assert_int_equal(find(NULL, NULL, &config), 0);
    assert_string_equal(config.server, "https://[fd00::1]:6443");
    assert_string_equal(config.space, "team");
    assert_string_equal(config.token_file, path);
    assert_true(config.ca_pem.length > 0);
    gl_kubernetes_config_done(&config);
}

/* ---- what is refused, and why ---- */

static void is_refused(const char *text, enum gl_errc code, const char *says)
{
    struct gl_kubernetes_config config;
    char path[160];

    put("config", text, 0600, path);
    assert_int_equal(find(path, NULL, &config), -1);
    if (err.code != code || strstr(err.text, says) == NULL)
        fail_msg("%s: %d %s", text, (int)err.code, err.text);
    assert_null(strstr(err.text, SECRET));
    gl_kubernetes_config_done(&config);
}

static void what_cannot_be_honoured_is_refused(void **state)
{
    static const struct {
        const char *text;
        enum gl_errc code;
        const char *says;
    } rows[] = {
        {CONTEXT CLUSTER "users:\n- name: u\n  user: {auth-provider: {name: gcp}}\n", GL_E_CONFIG,
         "auth-provider"},
        {CONTEXT CLUSTER "users:\n- name: u\n  user: {username: a, password: " SECRET "}\n",
         GL_E_CONFIG, "passwords"},
        {CONTEXT CLUSTER "users:\n- name: u\n  user: {token: " SECRET ", as: root}\n", GL_E_CONFIG,
         "as is not used"},
        {CONTEXT "clusters:\n- name: c\n  cluster: {server: 'https://k', insecure-skip-tls-verify: "
                 "true}\nusers:\n- name: u\n  user: {token: " SECRET "}\n",
         GL_E_CONFIG, "always verified"},
        {CONTEXT "clusters:\n- name: c\n  cluster: {server: 'https://k', insecure-skip-tls-verify: "
                 "[false]}\nusers:\n- name: u\n  user: {token: " SECRET "}\n",
         GL_E_CONFIG, "always verified"},
        {CONTEXT "clusters:\n- name: c\n  cluster: {server: {}}\nusers:\n- name: u\n  user: {}\n",
         GL_E_CONFIG, "no server"},
        {CONTEXT CLUSTER "users:\n- name: u\n  user: {}\n", GL_E_NO_CREDENTIAL, "no token"},
        {CONTEXT CLUSTER "users:\n- name: v\n  user: {token: a}\n", GL_E_CONFIG, "no user named u"},
        {CONTEXT CLUSTER "users:\n- name: u\n  user: " SECRET "\n", GL_E_CONFIG, "malformed"},
        {CONTEXT CLUSTER "users: " SECRET "\n", GL_E_CONFIG, "no list"},
        {CONTEXT CLUSTER "users:\n- user: {token: " SECRET "}\n", GL_E_CONFIG, "no name"},
        {CONTEXT CLUSTER "users:\n- name: u\n  user: {token: \"" SECRET "\\nX-Evil: 1\"}\n",
         GL_E_BAD_VALUE, "no token has"},
        {CONTEXT CLUSTER "users:\n- name: u\n  user: {client-key-data: '" SECRET "!'}\n",
         GL_E_CONFIG, "base64"},
        {CONTEXT CLUSTER "users:\n- name: u\n  user: {client-key-data: cGxhbnRlZA==}\n",
         GL_E_CONFIG, "PEM"},
        {CLUSTER "users: []\n", GL_E_NO_CREDENTIAL, "current-context"},
        {"&a " CONTEXT, GL_E_SYNTAX, ""},
        {"users: !!python/object:os.system [" SECRET "]\n", GL_E_SYNTAX, ""},
        {"- " SECRET "\n", GL_E_CONFIG, "a mapping"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        is_refused(rows[i].text, rows[i].code, rows[i].says);
}

static void a_way_that_cannot_be_taken_is_refused(void **state)
{
    static const struct {
        const char *text, *says;
    } rows[] = {
        {CONTEXT "clusters:\n- name: c\n  cluster: {server: 'https://k', proxy-url: 'ftp://p'}\n"
                 "users:\n- name: u\n  user: {token: a}\n",
         "HTTPS_PROXY"},
        {CONTEXT
         "clusters:\n- name: c\n  cluster: {server: 'https://k', proxy-url: 'http://u:" SECRET
         "@p'}\nusers:\n- name: u\n  user: {token: a}\n",
         "without user name"},
        {CONTEXT "clusters:\n- name: c\n  cluster: {server: 'http://127.0.0.1', proxy-url: "
                 "'http://p'}\nusers:\n- name: u\n  user: {token: a}\n",
         "without a proxy"},
        {CONTEXT "clusters:\n- name: c\n  cluster: {server: 'https://k', proxy-url: [" SECRET "]}\n"
                 "users:\n- name: u\n  user: {token: a}\n",
         "proxy-url is no text"},
        {CONTEXT "clusters:\n- name: c\n  cluster: {server: 'https://k', tls-server-name: {}}\n"
                 "users:\n- name: u\n  user: {token: a}\n",
         "tls-server-name is no text"},
        {CONTEXT "clusters:\n- name: c\n  cluster: {server: 'https://k', tls-server-name: n/x}\n"
                 "users:\n- name: u\n  user: {token: " SECRET "}\n",
         "tls-server-name is no host name"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        is_refused(rows[i].text, GL_E_CONFIG, rows[i].says);
}

/* "-----BEGIN X-----" and a line break, as YAML's folded and literal blocks hold it. */
static void base64_in_lines_is_read(void **state)
{
    struct gl_kubernetes_config config;
    char path[160];

    (void)state;
    put("config",
        CONTEXT "clusters:\n- name: c\n  cluster:\n    server: https://k\n"
                "    certificate-authority-data: |\n      LS0tLS1CRUdJ\n      TiBYLS0tLS0K\n"
                "users:\n- name: u\n  user: {token: a}\n",
        0600, path);
    if (find(path, NULL, &config) != 0)
        fail_msg("%s", err.text);
    assert_string_equal(config.ca_pem.text, "-----BEGIN X-----\n");
    gl_kubernetes_config_done(&config);
}

/* Empty is as good as not said, as kubectl has it; a plugin hears of both. */
static void a_cluster_behind_a_proxy_is_taken(void **state)
{
    struct gl_kubernetes_config config;
    char path[160];

    (void)state;
    put("config",
        CONTEXT "clusters:\n- name: c\n  cluster:\n    server: https://10.0.0.1:6443\n"
                "    proxy-url: socks5://jump.example:1080\n    tls-server-name: k8s.internal\n"
                "users:\n- name: u\n  user: {token: a}\n",
        0600, path);
    assert_int_equal(find(path, NULL, &config), 0);
    assert_string_equal(config.proxy_url, "socks5://jump.example:1080");
    assert_string_equal(config.tls_name, "k8s.internal");
    assert_string_equal(json_string_value(json_object_get(config.info, "proxy-url")),
                        config.proxy_url);
    assert_string_equal(json_string_value(json_object_get(config.info, "tls-server-name")),
                        config.tls_name);
    gl_kubernetes_config_done(&config);
    put("config",
        CONTEXT "clusters:\n- name: c\n  cluster: {server: 'https://k', proxy-url: '', "
                "tls-server-name: ''}\nusers:\n- name: u\n  user: {token: a}\n",
        0600, path);
    assert_int_equal(find(path, NULL, &config), 0);
    assert_null(config.proxy_url);
    assert_null(config.tls_name);
    assert_int_equal(json_object_size(config.info), 1);
    gl_kubernetes_config_done(&config);
}

static void half_a_certificate_is_none(void **state)
{
    struct gl_kubernetes_config config;
    char path[160], pem[160];

    (void)state;
    put("cert.pem", "-----BEGIN CERTIFICATE-----\n", 0600, pem);
    put("config", CONTEXT CLUSTER "users:\n- name: u\n  user: {client-certificate: cert.pem}\n",
        0600, path);
    assert_int_equal(find(path, NULL, &config), -1);
    assert_non_null(strstr(err.text, "not both"));
    gl_kubernetes_config_done(&config);
}

/* ---- plugins ---- */

static void answers_of_plugins_are_judged(void **state)
{
    static const struct {
        const char *text, *says; /* NULL = fine */
    } rows[] = {
        {"{\"apiVersion\":\"" V1 "\",\"kind\":\"ExecCredential\",\"status\":{\"token\":\"" SECRET
         "\",\"expirationTimestamp\":\"2030-01-01T00:00:00Z\"}}",
         NULL},
        {"{\"apiVersion\":\"" V1 "\",\"kind\":\"ExecCredential\",\"status\":{"
         "\"clientCertificateData\":\"" PEM "\",\"clientKeyData\":\"" PEM "\"}}",
         NULL},
        {"{\"apiVersion\":\"" V1 "\",\"kind\":\"ExecCredential\",\"status\":{"
         "\"clientCertificateData\":\"" PEM "\"}}",
         "not both"},
        {"{\"apiVersion\":\"" V1 "\",\"kind\":\"ExecCredential\",\"status\":{"
         "\"clientCertificateData\":\"" SECRET "\",\"clientKeyData\":\"" SECRET "\"}}",
         "not PEM"},
        {"{\"apiVersion\":\"" V1
         "beta1\",\"kind\":\"ExecCredential\",\"status\":{\"token\":\"" SECRET "\"}}",
         "no ExecCredential"},
        {"{\"kind\":\"ExecCredential\",\"status\":{\"token\":\"" SECRET "\"}}",
         "no ExecCredential"},
        {"{\"apiVersion\":\"" V1 "\",\"kind\":\"ExecCredential\",\"status\":{\"token\":\"" SECRET
         "\",\"expirationTimestamp\":\"soon\"}}",
         "no time"},
        {"{\"apiVersion\":\"" V1 "\",\"kind\":\"ExecCredential\",\"status\":{\"token\":\"" SECRET
         "\\r\\nX: y\"}}",
         "no token has"},
        {"{\"apiVersion\":\"" V1 "\",\"kind\":\"ExecCredential\",\"status\":{}}", "neither"},
        {"{\"apiVersion\":\"" V1 "\",\"kind\":\"ExecCredential\"}", "neither"},
        {SECRET, "not JSON"},
        {"{\"" SECRET "\":", "not JSON"},
        {"[]", "no ExecCredential"},
        {"", "not JSON"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct gl_kubernetes_config config = {0};
        int rc;

        gl_error_clear(&err);
        rc = gl_kubernetes_read_exec(rows[i].text, strlen(rows[i].text), V1, &config, &err);
        if (rc != (rows[i].says != NULL ? -1 : 0) ||
            (rows[i].says != NULL && strstr(err.text, rows[i].says) == NULL))
            fail_msg("row %zu: %d %s", i, rc, err.text);
        assert_null(strstr(err.text, SECRET));
        if (i == 0)
            assert_int_equal(config.expires_s, 1893456000);
        gl_kubernetes_config_done(&config);
    }
}

static int64_t file_size(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 ? (int64_t)status.st_size : -1;
}

static void run_plugin(const char *lines, const char *more, enum gl_errc code, const char *says)
{
    struct gl_kubernetes_config config;
    char script[160], path[160], text[900];

    put("plugin", lines, 0700, script);
    snprintf(text, sizeof text,
             CONTEXT CLUSTER "users:\n- name: u\n  user:\n    exec:\n      apiVersion: " V1
                             "\n      command: %s\n%s",
             script, more);
    put("config", text, 0600, path);
    assert_int_equal(find(path, NULL, &config), 0);
    gl_kubernetes_exec(&config, &world, false, &err);
    if (err.code != code || strstr(err.text, says) == NULL)
        fail_msg("%s: %d %s", lines, (int)err.code, err.text);
    assert_null(strstr(err.text, SECRET));
    if (code == GL_OK)
        assert_true(gl_secret_equal(&config.token, SECRET, sizeof SECRET - 1));
    gl_kubernetes_config_done(&config);
}

#define GOOD                                                                                 \
    "#!/bin/sh\nprintf '{\"apiVersion\":\"" V1 "\",\"kind\":\"ExecCredential\",\"status\":{" \
    "\"token\":\"" SECRET "\"}}'\n"

static void plugins_are_run_without_a_shell(void **state)
{
    (void)state;
    run_plugin(GOOD, "", GL_OK, "");
    run_plugin("#!/bin/sh\n[ \"$1\" = '; touch /x $(id)' ] || exit 9\n" GOOD,
               "      args: ['; touch /x $(id)']\n", GL_OK, "");
    run_plugin("#!/bin/sh\necho " SECRET "; echo " SECRET " >&2; exit 3\n", "", GL_E_NO_CREDENTIAL,
               "status 3");
    run_plugin("#!/bin/sh\nhead -c 2000000 /dev/zero\n", "", GL_E_NO_CREDENTIAL, "more than");
    run_plugin(GOOD, "      interactiveMode: Always\n", GL_E_NO_CREDENTIAL, "a person");
    run_plugin(GOOD, "      env: [{name: 'A=B', value: c}]\n", GL_E_CONFIG, "malformed");
    run_plugin(GOOD, "      env: [{name: A, value: [c]}]\n", GL_E_CONFIG, "malformed");
    run_plugin(GOOD, "      args: [{a: b}]\n", GL_E_CONFIG, "no text");
    run_plugin("#!/bin/sh\n[ \"$FLAVOUR\" = \"" SECRET "\" ] || exit 9\n" GOOD,
               "      env: [{name: FLAVOUR, value: " SECRET "}]\n", GL_OK, "");
}

static void a_plugin_that_is_not_there_is_named(void **state)
{
    struct gl_kubernetes_config config;
    char path[160];

    (void)state;
    put("config",
        CONTEXT CLUSTER "users:\n- name: u\n  user:\n    exec: {apiVersion: " V1
                        ", command: no-such-plugin, installHint: 'get it at example.org'}\n",
        0600, path);
    assert_int_equal(find(path, NULL, &config), 0);
    assert_int_equal(gl_kubernetes_exec(&config, &world, false, &err), -1);
    assert_int_equal(err.code, GL_E_NO_CREDENTIAL);
    assert_non_null(strstr(err.text, "get it at example.org"));
    gl_kubernetes_config_done(&config);
    gl_error_clear(&err);
    put("config",
        CONTEXT CLUSTER "users:\n- name: u\n  user:\n    exec: {apiVersion: "
                        "client.authentication.k8s.io/v1alpha1, command: sh}\n",
        0600, path);
    assert_int_equal(find(path, NULL, &config), 0);
    assert_int_equal(gl_kubernetes_exec(&config, &world, false, &err), -1);
    assert_int_equal(err.code, GL_E_CONFIG);
    gl_kubernetes_config_done(&config);
}

/* Asked beside other work it is started once and looked at; who waits for it gets its answer. */
static void a_plugin_runs_beside_others(void **state)
{
    struct gl_kubernetes_config config;
    char script[160], path[160], text[900], lines[900];
    int asked = 1;

    (void)state;
    snprintf(lines, sizeof lines,
             "#!/bin/sh\nprintf x >>%s/runs\nwhile ! [ -e %s/go ]; do sleep 0.01; done\n" GOOD,
             folder, folder);
    put("plugin", lines, 0700, script);
    snprintf(text, sizeof text,
             CONTEXT CLUSTER "users:\n- name: u\n  user: {exec: {apiVersion: " V1
                             ", command: %s}}\n",
             script);
    put("config", text, 0600, path);
    assert_int_equal(find(path, NULL, &config), 0);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(gl_kubernetes_exec_ask(&config, &world, i == 0, &err), 1);
        assert_non_null(strstr(err.text, "plugin has not answered yet"));
        gl_error_clear(&err);
    }
    put("go", "", 0600, path);
    for (int i = 0; i < 1000 && asked == 1; i++) {
        gl_error_clear(&err);
        asked = gl_kubernetes_exec_ask(&config, &world, false, &err);
        usleep(10000);
    }
    assert_int_equal(asked, 0);
    assert_int_equal(gl_kubernetes_exec_ask(&config, &world, false, &err), 0); /* kept */
    assert_true(gl_secret_equal(&config.token, SECRET, sizeof SECRET - 1));
    assert_int_equal(gl_kubernetes_exec_ask(&config, &world, true, &err), 1); /* rejected */
    gl_error_clear(&err);
    assert_int_equal(gl_kubernetes_exec(&config, &world, false, &err), 0); /* that one is awaited */
    gl_kubernetes_config_done(&config);
    snprintf(path, sizeof path, "%s/runs", folder);
    assert_int_equal(file_size(path), 2);
}

/* An answer holds until shortly before it expires. */
static void an_answer_is_kept_until_it_expires(void **state)
{
    struct gl_kubernetes_config config;
    char script[160], path[160], text[900], lines[900];
    char *marks = NULL;
    size_t length;

    (void)state;
    snprintf(lines, sizeof lines,
             "#!/bin/sh\nprintf x >>%s/marks\nprintf '{\"apiVersion\":\"" V1
             "\",\"kind\":\"ExecCredential\",\"status\":{\"token\":\"t\",\"expirationTimestamp\":"
             "\"%%s\"}}' \"$(date -u -d \"now + $(wc -c <%s/marks) minutes\" "
             "+%%Y-%%m-%%dT%%H:%%M:%%SZ)\"\n",
             folder, folder);
    put("plugin", lines, 0700, script);
    snprintf(text, sizeof text,
             CONTEXT CLUSTER "users:\n- name: u\n  user: {exec: {apiVersion: " V1
                             ", command: %s}}\n",
             script);
    put("config", text, 0600, path);
    assert_int_equal(find(path, NULL, &config), 0);
    for (int i = 0; i < 4; i++) /* one minute: too short; two minutes: kept */
        assert_int_equal(gl_kubernetes_exec(&config, &world, false, &err), 0);
    assert_int_equal(gl_kubernetes_exec(&config, &world, true, &err), 0); /* it was rejected */
    snprintf(path, sizeof path, "%s/marks", folder);
    assert_int_equal(gl_file_read(path, 100, &marks, &length, &err), 0);
    assert_int_equal(length, 3);
    free(marks);
    gl_kubernetes_config_done(&config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_first_file_to_name_a_thing_counts, fresh, done),
        cmocka_unit_test_setup_teardown(null_is_nothing, fresh, done),
        cmocka_unit_test_setup_teardown(without_a_kubeconfig_the_pod_tells, fresh, done),
        cmocka_unit_test_setup_teardown(what_cannot_be_honoured_is_refused, fresh, done),
        cmocka_unit_test_setup_teardown(a_way_that_cannot_be_taken_is_refused, fresh, done),
        cmocka_unit_test_setup_teardown(base64_in_lines_is_read, fresh, done),
        cmocka_unit_test_setup_teardown(a_cluster_behind_a_proxy_is_taken, fresh, done),
        cmocka_unit_test_setup_teardown(half_a_certificate_is_none, fresh, done),
        cmocka_unit_test_setup_teardown(answers_of_plugins_are_judged, fresh, done),
        cmocka_unit_test_setup_teardown(plugins_are_run_without_a_shell, fresh, done),
        cmocka_unit_test_setup_teardown(a_plugin_that_is_not_there_is_named, fresh, done),
        cmocka_unit_test_setup_teardown(a_plugin_runs_beside_others, fresh, done),
        cmocka_unit_test_setup_teardown(an_answer_is_kept_until_it_expires, fresh, done),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
