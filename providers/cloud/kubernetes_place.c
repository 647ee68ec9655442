/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/cloud/kubernetes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SYSTEM_MILLI_CPU 250 /* what the pods of the cluster itself ask for on a node */

/* ---- nodes ---- */

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text != NULL ? text : "";
}

/* The label of today, or of clusters before 1.17. */
static const char *label_of(const json_t *node, const char *name, const char *old)
{
    const json_t *labels = json_object_get(json_object_get(node, "metadata"), "labels");
    const char *value = text_of(labels, name);

    return value[0] != '\0' ? value : text_of(labels, old);
}

/* "aws:///eu-north-1a/i-0abc" -> whose cloud it is, in our words. */
static const char *host_of(const json_t *node)
{
    static const struct {
        const char *scheme, *cloud;
    } rows[] = {
        {"aws://", "aws"},           {"gce://", "gcp"},
        {"azure://", "azure"},       {"openstack://", "openstack"},
        {"hcloud://", "hetzner"},    {"digitalocean://", "digitalocean"},
        {"scaleway://", "scaleway"},
    };
    const char *id = text_of(json_object_get(node, "spec"), "providerID");

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (strncmp(id, rows[i].scheme, strlen(rows[i].scheme)) == 0)
            return rows[i].cloud;
    return "";
}

static bool is_ready(const json_t *node)
{
    size_t i;
    const json_t *one;

    if (json_is_true(json_object_get(json_object_get(node, "spec"), "unschedulable")))
        return false;
    json_array_foreach(json_object_get(json_object_get(node, "status"), "conditions"), i,
                       one) if (strcmp(text_of(one, "type"), "Ready") ==
                                0) return strcmp(text_of(one, "status"), "True") == 0;
    return false;
}

/* Thousandths of what a node gives to pods, or, where it does not tell, has. */
static int64_t amount_of(const json_t *node, const char *name)
{
    const json_t *status = json_object_get(node, "status");
    int64_t milli = 0;

    if (!gl_kubernetes_quantity(text_of(json_object_get(status, "allocatable"), name), &milli))
        gl_kubernetes_quantity(text_of(json_object_get(status, "capacity"), name), &milli);
    return milli;
}

/* What one pod may ask for: the cluster's own pods are on every node, too, and a pod that asks for
 * all of it never gets a place. Whole CPUs, at least one: what does not fit is a stock-out. */
static uint32_t pod_vcpus(const json_t *node)
{
    int64_t left = (amount_of(node, "cpu") - SYSTEM_MILLI_CPU) / 1000;

    return left < 1 ? 1 : left > UINT16_MAX ? UINT16_MAX : (uint32_t)left;
}

static uint32_t pod_memory_mib(const json_t *node)
{
    return (uint32_t)((amount_of(node, "memory") / 1000 / 8 * 7) >> 20);
}

/* false when it tells no region: nothing can be placed there by one. */
static bool read_node(const json_t *node, struct gl_catalog_row *out)
{
    const char *region =
        label_of(node, GL_KUBERNETES_REGION, "failure-domain.beta.kubernetes.io/region");
    const char *type = label_of(node, GL_KUBERNETES_TYPE, "beta.kubernetes.io/instance-type");
    const char *arch = label_of(node, "kubernetes.io/arch", "beta.kubernetes.io/arch");
    struct gl_catalog_row row;

    if (region[0] == '\0' || strchr(region, '/') != NULL || strlen(region) >= sizeof row.region ||
        strlen(type) >= sizeof row.type)
        return false;
    gl_catalog_row_init(&row, region, type[0] != '\0' ? type : GL_KUBERNETES_ANY);
    snprintf(row.zone, sizeof row.zone, "%.39s",
             label_of(node, GL_KUBERNETES_ZONE, "failure-domain.beta.kubernetes.io/zone"));
    snprintf(row.arch, sizeof row.arch, "%.11s", strcmp(arch, "amd64") == 0 ? "x86_64" : arch);
    snprintf(row.host, sizeof row.host, "%s", host_of(node));
    row.vcpus = pod_vcpus(node);
    row.memory_mib = pod_memory_mib(node);
    row.is_offered = is_ready(node);
    row.is_offered_known = true;
    *out = row;
    return true;
}

/* ---- what is known of them ---- */

static int keep_node(void *cookie, const json_t *node, struct gl_error *err)
{
    const char *name = text_of(json_object_get(node, "metadata"), "name");
    struct gl_catalog_row row;

    (void)err;
    if (name[0] != '\0' && read_node(node, &row))
        json_object_set_new(cookie, name,
                            json_pack("{s:s,s:s,s:s,s:s}", "region", row.region, "zone", row.zone,
                                      "type", row.type, "host", host_of(node)));
    return 0;
}

static void forget_nodes(void *cookie)
{
    json_object_clear(cookie);
}

/* The names of the setting, each once. */
static void split_names(const char *list, json_t *into)
{
    while (list != NULL && *list != '\0') {
        size_t length = strcspn(list, ", ");
        char name[40];

        if (length > 0 && length < sizeof name) {
            snprintf(name, sizeof name, "%.*s", (int)length, list);
            json_object_set_new(into, name, json_true());
        }
        list += length;
        list += strspn(list, ", ");
    }
}

static int name_regions(struct gl_kubernetes *kubernetes, struct gl_error *err)
{
    json_t *names = json_object();
    const char *name;
    json_t *node;
    size_t i = 0;

    if (kubernetes->is_forbidden)
        split_names(kubernetes->regions, names);
    else
        json_object_foreach(kubernetes->nodes, name, node)
            json_object_set_new(names, text_of(node, "region"), json_true());
    if (json_object_size(names) == 0) {
        json_decref(names);
        return kubernetes->is_forbidden
                   ? gl_fail(err, GL_E_PERMISSION,
                             "kubernetes: nodes may not be listed: grant it, or name the setting "
                             "regions")
                   : gl_fail(err, GL_E_CONFIG,
                             "kubernetes: no node has the label " GL_KUBERNETES_REGION
                             ": where it stands is not known");
    }
    kubernetes->names = names;
    kubernetes->region_list =
        gl_alloc((json_object_size(names) + 1) * sizeof *kubernetes->region_list);
    json_object_foreach(names, name, node) kubernetes->region_list[i++] = name;
    return 0;
}

static int ask_nodes(struct gl_kubernetes *kubernetes, struct gl_error *err)
{
    json_t *nodes = json_object();
    const struct gl_kubernetes_listing listing = {keep_node, forget_nodes, nodes};
    struct gl_error trouble = {0};

    if (kubernetes->region_list != NULL) {
        json_decref(nodes);
        return 0;
    }
    gl_remote_begin(&kubernetes->remote, GL_REMOTE_DEADLINE_MS);
    if (gl_kubernetes_each(kubernetes, "v1", "nodes", NULL, &listing, &trouble) < 0) {
        json_object_clear(nodes);
        if (trouble.code != GL_E_PERMISSION) {
            json_decref(nodes);
            return gl_fail(err, trouble.code, "%s", trouble.text);
        }
        kubernetes->is_forbidden = true;
    }
    json_decref(kubernetes->nodes);
    kubernetes->nodes = nodes;
    return name_regions(kubernetes, err);
}

/* ---- the contract ---- */

int gl_kubernetes_host(struct gl_cloud *cloud, const char **out, struct gl_error *err)
{
    struct gl_kubernetes *kubernetes = gl_kubernetes_of(cloud);
    const char *name, *found = "";
    json_t *node;

    if (kubernetes->host != NULL) {
        *out = kubernetes->host;
        return 0;
    }
    if (ask_nodes(kubernetes, err) < 0)
        return -1;
    json_object_foreach(kubernetes->nodes, name, node)
    {
        const char *host = text_of(node, "host");

        if (found[0] != '\0' && strcmp(found, host) != 0) {
            *out = ""; /* they contradict each other: the setting must tell */
            return 0;
        }
        found = host;
    }
    *out = found;
    return 0;
}

int gl_kubernetes_regions(struct gl_cloud *cloud, const char *const **out, struct gl_error *err)
{
    struct gl_kubernetes *kubernetes = gl_kubernetes_of(cloud);

    if (ask_nodes(kubernetes, err) < 0)
        return -1;
    *out = kubernetes->region_list;
    return 0;
}

static int check_region(struct gl_kubernetes *kubernetes, const char *region, struct gl_error *err)
{
    char shown[GL_TEXT_SHOWN];

    if (ask_nodes(kubernetes, err) < 0)
        return -1;
    if (json_object_get(kubernetes->names, region) != NULL)
        return 0;
    kubernetes->remote.cloud.failure.reach = GL_REACH_REGION;
    return gl_fail(err, GL_E_UNKNOWN_NAME, "kubernetes: no node stands in region %s",
                   gl_text_show(region, shown));
}

int gl_kubernetes_types(struct gl_cloud *cloud, const char *region, const char *const **out,
                        struct gl_error *err)
{
    struct gl_kubernetes *kubernetes = gl_kubernetes_of(cloud);
    size_t used = 0;
    const char *name;
    json_t *node;

    if (check_region(kubernetes, region, err) < 0)
        return -1;
    free(kubernetes->type_list);
    kubernetes->type_list =
        gl_alloc((json_object_size(kubernetes->nodes) + 2) * sizeof *kubernetes->type_list);
    json_object_foreach(kubernetes->nodes, name, node)
    {
        const char *type = text_of(node, "type");
        size_t i = 0;

        while (i < used && strcmp(kubernetes->type_list[i], type) != 0)
            i++;
        if (strcmp(text_of(node, "region"), region) == 0 && i == used)
            kubernetes->type_list[used++] = type;
    }
    if (kubernetes->is_forbidden)
        kubernetes->type_list[used++] = GL_KUBERNETES_ANY;
    kubernetes->type_list[used] = NULL;
    *out = kubernetes->type_list;
    return 0;
}

/* "any" is every region's: the scheduler chooses among the nodes there. */
int gl_kubernetes_check_place(struct gl_kubernetes *kubernetes, const char *region,
                              const char *type, struct gl_error *err)
{
    char shown[GL_TEXT_SHOWN];
    const char *name;
    json_t *node;

    if (strcmp(type, GL_KUBERNETES_ANY) == 0)
        return check_region(kubernetes, region, err);
    if (check_region(kubernetes, region, err) < 0)
        return -1;
    if (kubernetes->is_forbidden)
        return 0; /* the scheduler will tell */
    json_object_foreach(kubernetes->nodes, name, node)
    {
        if (strcmp(text_of(node, "region"), region) == 0 &&
            strcmp(text_of(node, "type"), type) == 0)
            return 0;
    }
    return gl_fail(err, GL_E_UNKNOWN_NAME, "kubernetes: no node in %s has the instance type %s",
                   region, gl_text_show(type, shown));
}

int gl_kubernetes_price(struct gl_cloud *cloud, const char *region, const char *type, int64_t *out,
                        struct gl_error *err)
{
    struct gl_kubernetes *kubernetes = gl_kubernetes_of(cloud);

    if (gl_kubernetes_check_place(kubernetes, region, type, err) < 0)
        return -1;
    *out = kubernetes->price_u_usd;
    return 0;
}

int gl_kubernetes_check_price(struct gl_kubernetes *kubernetes, const struct gl_launch *launch,
                              struct gl_error *err)
{
    int64_t price = kubernetes->price_u_usd;

    if (launch->max_price_u_usd == 0 || (price != GL_UNKNOWN && price <= launch->max_price_u_usd))
        return 0;
    return price == GL_UNKNOWN
               ? gl_fail(err, GL_E_PRICE,
                         "kubernetes: what a pod costs is not known, so that no cap can be kept: "
                         "name the setting price")
               : gl_fail(err, GL_E_PRICE, "kubernetes: a pod costs %.6f USD/h, the cap is %.6f",
                         (double)price / 1e6, (double)launch->max_price_u_usd / 1e6);
}

/* ---- the catalogue ---- */

static void ask_page(const struct gl_kubernetes *kubernetes, const char *next,
                     struct gl_catalog_round *round)
{
    struct gl_remote_call call = {.method = "GET"};

    gl_str_addf(&call.url, "%s/api/v1/nodes", kubernetes->server);
    gl_remote_query(&call, "limit", GL_KUBERNETES_PAGE);
    if (next != NULL)
        gl_remote_query(&call, "continue", next);
    gl_catalog_ask(round, &call, 0, "");
}

static void add_row(const struct gl_kubernetes *kubernetes, struct gl_catalog *catalog,
                    struct gl_catalog_row *row)
{
    row->price_u_usd = kubernetes->price_u_usd;
    if (kubernetes->host != NULL)
        snprintf(row->host, sizeof row->host, "%.15s", kubernetes->host);
    else if (row->host[0] == '\0') /* a node of nobody's stands anywhere */
        snprintf(row->host, sizeof row->host, GL_CATALOG_MIXED);
    gl_catalog_add(catalog, row);
}

static void add_named(const struct gl_kubernetes *kubernetes, struct gl_catalog *catalog)
{
    json_t *names = json_object(), *value;
    const char *name;

    split_names(kubernetes->regions, names);
    json_object_foreach(names, name, value)
    {
        struct gl_catalog_row row;

        gl_catalog_row_init(&row, name, GL_KUBERNETES_ANY);
        add_row(kubernetes, catalog, &row);
    }
    json_decref(names);
}

static int catalog_read(struct gl_cloud *cloud, const struct gl_remote_call *call, int kind,
                        const char *region, struct gl_catalog_round *round,
                        struct gl_catalog *catalog, struct gl_error *err)
{
    const struct gl_kubernetes *kubernetes = gl_kubernetes_of(cloud);
    GL_AUTO(gl_auto_json) json_t *page = NULL;
    const char *next = NULL;
    size_t i;
    const json_t *node;

    (void)kind, (void)region;
    if (call->err.code == GL_E_PERMISSION && kubernetes->regions != NULL) {
        add_named(kubernetes, catalog);
        return 0;
    }
    if (call->err.code != GL_OK)
        return gl_fail(err, call->err.code, "%s", call->err.text);
    page = gl_remote_reply_json(call, err);
    if (page == NULL)
        return -1;
    json_array_foreach(json_object_get(page, "items"), i, node)
    {
        struct gl_catalog_row row;

        if (read_node(node, &row))
            add_row(kubernetes, catalog, &row);
    }
    json_unpack(page, "{s:{s:s}}", "metadata", "continue", &next);
    if (next != NULL && next[0] != '\0')
        ask_page(kubernetes, next, round);
    return 0;
}

static int catalog_begin(struct gl_cloud *cloud, struct gl_catalog_round *round,
                         struct gl_error *err)
{
    struct gl_kubernetes *kubernetes = gl_kubernetes_of(cloud);

    (void)err;
    gl_remote_begin(&kubernetes->remote, GL_REMOTE_DEADLINE_MS);
    ask_page(kubernetes, NULL, round);
    return 0;
}

const struct gl_catalog_ops gl_kubernetes_catalog = {.begin = catalog_begin, .read = catalog_read};
