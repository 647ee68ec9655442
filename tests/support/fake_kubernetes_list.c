/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/fake_kubernetes_part.h"

#include "base/file.h"
#include "base/sign.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE 2 /* items a page, whatever is asked: clients must go on */

static const struct {
    const char *name, *region, *zone, *type, *id;
    bool is_ready;
} nodes[] = {
    {"n1", "eu-north-1", "eu-north-1a", "m5.large", "aws:///eu-north-1a/i-1", true},
    {"n2", "eu-north-1", "eu-north-1b", "m5.xlarge", "aws:///eu-north-1b/i-2", true},
    {"n3", "us-east-1", "us-east-1a", "m5.large", "aws:///us-east-1a/i-3", true},
    {"n4", "us-east-1", "us-east-1a", "c5.large", "aws:///us-east-1a/i-4", false},
};
#define NODES (sizeof nodes / sizeof *nodes)

static json_t *meta_of(const json_t *object)
{
    return json_object_get(object, "metadata");
}

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text != NULL ? text : "";
}

/* ---- nodes ---- */

static const char *rule_value(const json_t *job, const char *key)
{
    json_t *spec = json_object_get(
        json_object_get(json_object_get(json_object_get(job, "spec"), "template"), "spec"),
        "affinity");
    const json_t *terms =
        json_object_get(json_object_get(json_object_get(spec, "nodeAffinity"),
                                        "requiredDuringSchedulingIgnoredDuringExecution"),
                        "nodeSelectorTerms");
    const json_t *rule;
    size_t i;

    json_array_foreach(
        json_object_get(json_array_get(terms, 0), "matchExpressions"), i,
        rule) if (strcmp(text_of(rule, "key"), key) ==
                  0) return json_string_value(json_array_get(json_object_get(rule, "values"), 0));
    return NULL;
}

const char *fake_kubernetes_node(const json_t *job)
{
    const char *region = rule_value(job, "topology.kubernetes.io/region");
    const char *type = rule_value(job, "node.kubernetes.io/instance-type");

    for (size_t i = 0; i < NODES; i++)
        if (nodes[i].is_ready && region != NULL && strcmp(nodes[i].region, region) == 0 &&
            (type == NULL || strcmp(nodes[i].type, type) == 0))
            return nodes[i].name;
    return NULL;
}

/* ---- lists ---- */

/* The decoded value of "labelSelector=a%3Db%2Cc"; false when there is none. */
static bool selector_of(const struct gl_test_request *request, char out[512])
{
    const char *at = strstr(request->query, "labelSelector=");
    size_t used = 0;

    if (at == NULL)
        return false;
    for (at += 14; *at != '\0' && *at != '&' && used + 1 < 512; at++) {
        bool is_coded = at[0] == '%' && at[1] != '\0' && at[2] != '\0';

        out[used++] = !is_coded ? *at : strncmp(at, "%3D", 3) == 0 ? '=' : ',';
        at += is_coded ? 2 : 0;
    }
    out[used] = '\0';
    return true;
}

/* Only what is used: NAME and NAME=VALUE. The Job controller adds job-name to its pods. */
static bool is_selected(const json_t *item, const struct gl_test_request *request)
{
    const json_t *labels = json_object_get(meta_of(item), "labels");
    char text[512], *save = NULL;

    if (!selector_of(request, text))
        return true;
    for (char *one = strtok_r(text, ",", &save); one != NULL; one = strtok_r(NULL, ",", &save)) {
        char *value = strchr(one, '=');
        const char *has;

        if (value != NULL)
            *value++ = '\0';
        has = strcmp(one, "job-name") == 0 ? text_of(meta_of(item), "name") : text_of(labels, one);
        if (value != NULL ? strcmp(has, value) != 0 : has[0] == '\0')
            return false;
    }
    return true;
}

void fake_kubernetes_list(json_t *items, const struct gl_test_request *request,
                          struct gl_test_answer *out)
{
    const char *from = strstr(request->query, "continue=at");
    size_t skip = from != NULL ? strtoul(from + 11, NULL, 10) : 0, seen = 0;
    json_t *rows = json_array(), *page, *item;
    const char *name;
    char next[32];

    json_object_foreach(items, name, item) if (is_selected(item, request) && seen++ >= skip &&
                                               json_array_size(rows) < PAGE)
        json_array_append(rows, item);
    page = json_pack("{s:s,s:{s:s},s:o}", "kind", "List", "metadata", "resourceVersion", "1",
                     "items", rows);
    snprintf(next, sizeof next, "at%zu", skip + PAGE);
    if (seen > skip + PAGE)
        json_object_set_new(meta_of(page), "continue", json_string(next));
    fake_kubernetes_json(out, 200, page);
}

void fake_kubernetes_nodes(const struct gl_test_request *request, struct gl_test_answer *out)
{
    json_t *all = json_object();

    for (size_t i = 0; i < NODES; i++)
        json_object_set_new(
            all, nodes[i].name,
            json_pack(
                "{s:{s:s,s:{s:s,s:s,s:s,s:s}},s:{s:s},s:{s:{s:s,s:s},s:{s:s,s:s},s:[{s:s,s:s}]}}",
                "metadata", "name", nodes[i].name, "labels", "topology.kubernetes.io/region",
                nodes[i].region, "topology.kubernetes.io/zone", nodes[i].zone,
                "node.kubernetes.io/instance-type", nodes[i].type, "kubernetes.io/arch", "amd64",
                "spec", "providerID", nodes[i].id, "status", "capacity", "cpu", "2", "memory",
                "7953180Ki", "allocatable", "cpu", "1930m", "memory", "7075852Ki", "conditions",
                "type", "Ready", "status", nodes[i].is_ready ? "True" : "False"));
    fake_kubernetes_list(all, request, out);
    json_decref(all);
}

void fake_kubernetes_quotas(const struct fake_kubernetes *fake, struct gl_test_answer *out)
{
    fake_kubernetes_json(out, 200,
                         json_pack("{s:{},s:[{s:{s:s},s:{},s:{s:{s:s,s:s},s:{s:s,s:s}}}]}",
                                   "metadata", "items", "metadata", "name", "all", "spec", "status",
                                   "hard", "requests.cpu", "8", "requests.memory", "32Gi", "used",
                                   "requests.cpu", fake->cpu_used, "requests.memory", "1Gi"));
}

/* ---- rights ---- */

void fake_kubernetes_review(const struct fake_kubernetes *fake,
                            const struct gl_test_request *request, struct gl_test_answer *out)
{
    json_t *body = json_loads(request->body, 0, NULL);
    const json_t *what = json_object_get(json_object_get(body, "spec"), "resourceAttributes");
    bool is_denied =
        fake->denied_verb != NULL && strcmp(text_of(what, "verb"), fake->denied_verb) == 0;

    fake_kubernetes_json(out, 201,
                         json_pack("{s:s,s:{s:b}}", "kind", "SelfSubjectAccessReview", "status",
                                   "allowed",
                                   !is_denied && strcmp(text_of(what, "namespace"), "green") == 0));
    json_decref(body);
}

bool fake_kubernetes_lets_in(struct fake_kubernetes *fake, const struct gl_test_request *request)
{
    char got[256], wanted[256];

    gl_test_request_header(request, "authorization", got, sizeof got);
    if (fake->token == NULL)
        return got[0] == '\0';
    snprintf(wanted, sizeof wanted, "Bearer %s", fake->token);
    return strcmp(got, wanted) == 0;
}

/* ---- a kubeconfig ---- */

char *fake_kubernetes_config(const struct fake_kubernetes *fake, const char *folder,
                             const char *user)
{
    const char *ca = gl_test_server_ca(fake->server);
    char *path = gl_path_join(folder, "config"), *coded = NULL;
    struct gl_str text = {0};
    struct gl_error err = {0};

    gl_str_addf(&text,
                "apiVersion: v1\nkind: Config\ncurrent-context: green\n"
                "contexts:\n- name: green\n  context: {cluster: here, user: me, namespace: green}\n"
                "users:\n- name: me\n  user:\n%s\n"
                "clusters:\n- name: here\n  cluster:\n    server: %s\n",
                user, gl_test_server_url(fake->server));
    if (ca != NULL) {
        coded = gl_alloc(4 * ((strlen(ca) + 2) / 3) + 1);
        gl_str_addf(&text, "    certificate-authority-data: %s\n",
                    gl_base64_text(ca, strlen(ca), coded));
    }
    if (gl_file_write(path, text.text, text.length, 0600, &err) != 0)
        abort();
    free(coded);
    gl_str_done(&text);
    return path;
}
