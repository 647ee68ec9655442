/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/cloud/scaleway.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ESTIMATE_MAX_UG 1e10 /* 10 kg an hour: more is no machine */

/* Types of errors: https://www.scaleway.com/en/developers/api/ (errors) */
const struct gl_remote_rule gl_scaleway_rules[] = {
    {0, "out_of_stock", NULL, GL_E_CAPACITY, GL_REACH_ZONE},
    {0, "quotas_exceeded", NULL, GL_E_QUOTA, GL_REACH_ACCOUNT},
    {0, "permissions_denied", NULL, GL_E_PERMISSION, GL_REACH_ACCOUNT},
    {0, "denied_authentication", NULL, GL_E_NO_CREDENTIAL, GL_REACH_ACCOUNT},
    {0, "transient_state", NULL, GL_E_BUSY, GL_REACH_CALL},
    {0, "locked", NULL, GL_E_BUSY, GL_REACH_CALL},
    {0, "precondition_failed", NULL, GL_E_BUSY, GL_REACH_CALL},
    {0, "resource_still_in_use", NULL, GL_E_BUSY, GL_REACH_CALL},
    {0, "too_many_requests", NULL, GL_E_RATE_LIMIT, GL_REACH_ACCOUNT},
    {0, "not_found", NULL, GL_E_NOT_FOUND, GL_REACH_CALL},
    {0, "unknown_resource", NULL, GL_E_NOT_FOUND, GL_REACH_CALL},
    {0, "resource_expired", NULL, GL_E_NOT_FOUND, GL_REACH_CALL},
    {400, "invalid_request_error", "quota", GL_E_QUOTA, GL_REACH_ACCOUNT},
    {0, "invalid_arguments", NULL, GL_E_BAD_VALUE, GL_REACH_CALL},
    {0, "invalid_request_error", NULL, GL_E_BAD_VALUE, GL_REACH_CALL},
    {.code = GL_OK},
};

/* What is wrong stands in "details", or, of the older answers, in "fields". */
static void add_detail(const json_t *body, struct gl_remote_word *out)
{
    const json_t *detail = json_array_get(json_object_get(body, "details"), 0), *reasons;
    size_t length = strlen(out->text);
    void *at = json_object_iter(json_object_get(body, "fields"));

    if (json_is_object(detail) && gl_vps_text(detail, "argument_name")[0] != '\0')
        snprintf(out->text + length, sizeof out->text - length, " (%s %s)",
                 gl_vps_text(detail, "argument_name"), gl_vps_text(detail, "reason"));
    else if (json_is_object(detail) && gl_vps_text(detail, "resource")[0] != '\0')
        snprintf(out->text + length, sizeof out->text - length, " (%s: quota %lld, in use %lld)",
                 gl_vps_text(detail, "resource"), (long long)gl_vps_number(detail, "quota"),
                 (long long)gl_vps_number(detail, "current"));
    else if (at != NULL) {
        reasons = json_array_get(json_object_iter_value(at), 0);
        snprintf(out->text + length, sizeof out->text - length, " (%s: %s)",
                 json_object_iter_key(at),
                 json_is_string(reasons) ? json_string_value(reasons) : "");
    }
}

bool gl_scaleway_read_error(const struct gl_http_reply *reply, struct gl_remote_word *out)
{
    GL_AUTO(gl_auto_json) json_t *body = gl_vps_body(reply);

    *out = (struct gl_remote_word){{0}, {0}, {{0}}};
    snprintf(out->word, sizeof out->word, "%s", gl_vps_text(body, "type"));
    snprintf(out->text, sizeof out->text, "%s", gl_vps_text(body, "message"));
    if (body != NULL)
        add_detail(body, out);
    return out->word[0] != '\0' || out->text[0] != '\0';
}

/* ---- places ---- */

static const char *const zones[] = {"fr-par-1", "fr-par-2", "fr-par-3", "nl-ams-1", "nl-ams-2",
                                    "nl-ams-3", "pl-waw-1", "pl-waw-2", "pl-waw-3", "it-mil-1"};

void gl_scaleway_region_of(const char *zone, char out[40])
{
    const char *dash = strrchr(zone, '-');

    snprintf(out, 40, "%.*s", dash != NULL ? (int)(dash - zone) : 0, zone);
}

size_t gl_scaleway_zones(const char *region, const char *out[GL_SCALEWAY_ZONES])
{
    size_t count = 0;

    for (size_t i = 0; i < sizeof zones / sizeof *zones; i++) {
        char own[40];

        gl_scaleway_region_of(zones[i], own);
        if (region == NULL || strcmp(region, own) == 0 || strcmp(region, zones[i]) == 0)
            out[count++] = zones[i];
    }
    return count;
}

/* ---- servers ---- */

json_t *gl_scaleway_tags(const struct gl_launch *launch, bool is_unstarted)
{
    struct gl_label labels[GL_LABEL_COUNT];
    json_t *tags = json_pack("[s]", "greenlaunch");

    gl_labels_of(launch, labels);
    for (size_t i = 0; i < GL_LABEL_COUNT; i++)
        json_array_append_new(tags, json_sprintf("%s=%s", labels[i].name, labels[i].value));
    if (is_unstarted)
        json_array_append_new(tags, json_string(GL_VPS_UNSTARTED));
    return tags;
}

json_t *gl_scaleway_create_body(const struct gl_launch *launch, const char *image,
                                const char *project, const char *security_group)
{
    char name[GL_CLOUD_ID];
    json_t *body;

    gl_attempt_name(launch, name);
    body = json_pack("{s:s,s:s,s:s,s:s,s:o,s:b}", "name", name, "commercial_type", launch->type,
                     "image", image, "project", project, "tags", gl_scaleway_tags(launch, true),
                     "dynamic_ip_required", 1);
    if (security_group != NULL)
        json_object_set_new(body, "security_group", json_string(security_group));
    return body;
}

static const char *tag_value(void *cookie, const char *name)
{
    const json_t *tags = cookie, *tag;
    size_t i, length = strlen(name);

    json_array_foreach(tags, i, tag)
    {
        const char *text = json_string_value(tag);

        if (text != NULL && strncmp(text, name, length) == 0 && text[length] == '=')
            return text + length + 1;
    }
    return NULL;
}

static bool is_marked(const json_t *tags)
{
    const json_t *tag;
    size_t i;

    json_array_foreach(tags, i,
                       tag) if (json_is_string(tag) &&
                                strcmp(json_string_value(tag), GL_VPS_UNSTARTED) == 0) return true;
    return false;
}

static void read_state(const json_t *server, struct gl_instance *out)
{
    const char *state = gl_vps_text(server, "state");

    out->state = GL_STATE_RUNNING; /* what is not known may run, and is billed */
    if (strcmp(state, "starting") == 0)
        out->state = GL_STATE_LAUNCHING;
    else if (strcmp(state, "stopping") == 0)
        out->state = GL_STATE_STOPPING;
    else if (strcmp(state, "stopped") == 0 || strcmp(state, "stopped in place") == 0 ||
             strcmp(state, "locked") == 0)
        out->state = GL_STATE_HALTED;
    if (out->state == GL_STATE_HALTED && is_marked(json_object_get(server, "tags"))) {
        out->state = GL_STATE_LAUNCHING;
        snprintf(out->why, sizeof out->why, "%s", GL_VPS_UNSTARTED);
    }
}

bool gl_scaleway_read_server(const json_t *server, const char *zone, struct gl_instance *out)
{
    struct gl_instance made = {.host_cpu_ms = -1, .how = "scaleway"};
    const char *id = gl_vps_text(server, "id");

    if (strlen(id) != 36 || strspn(id, "0123456789abcdef-") != 36 ||
        !gl_labels_read(tag_value, json_object_get(server, "tags"), &made))
        return false;
    snprintf(made.id, sizeof made.id, "%.20s/%s", zone, id);
    snprintf(made.zone, sizeof made.zone, "%s", zone);
    gl_scaleway_region_of(zone, made.region);
    snprintf(made.type, sizeof made.type, "%s", gl_vps_text(server, "commercial_type"));
    made.started = gl_vps_time(gl_vps_text(server, "creation_date"));
    read_state(server, &made);
    *out = made;
    return true;
}

/* ---- credentials ----
 * access_key: SCW...            of the default profile
 * secret_key: ...
 * default_project_id: ...
 * active_profile: NAME
 * profiles:
 *   NAME:
 *     secret_key: ... */

static void take(const struct gl_vps_line *line, struct gl_scaleway_profile *out)
{
    if (strcmp(line->key, "secret_key") == 0)
        snprintf(out->secret_key, sizeof out->secret_key, "%s", line->value);
    else if (strcmp(line->key, "default_project_id") == 0)
        snprintf(out->project, sizeof out->project, "%.63s", line->value);
}

/* The default profile's values stand where a named one has none of its own. */
static void read_profile(const char *text, const char *profile, struct gl_scaleway_profile *out)
{
    bool is_inside = false, is_it = false;
    size_t indent = 0;
    struct gl_vps_line line;

    while (gl_vps_config_next(&text, &line)) {
        if (line.indent == 0) {
            is_inside = strcmp(line.key, "profiles") == 0;
            indent = 0;
            if (profile == NULL)
                take(&line, out);
        } else if (is_inside && (indent == 0 || line.indent <= indent)) {
            indent = line.indent;
            is_it = profile != NULL && strcmp(line.key, profile) == 0;
        } else if (is_inside && is_it)
            take(&line, out);
        gl_wipe(line.value, sizeof line.value);
    }
}

bool gl_scaleway_config_read(const char *text, const char *profile, struct gl_scaleway_profile *out)
{
    struct gl_vps_line line;
    const char *at = text;
    char active[64] = "";

    *out = (struct gl_scaleway_profile){{0}, {0}};
    while (profile == NULL && gl_vps_config_next(&at, &line))
        if (line.indent == 0 && strcmp(line.key, "active_profile") == 0)
            snprintf(active, sizeof active, "%.63s", line.value);
    if (profile == NULL)
        profile = active;
    read_profile(text, NULL, out);
    if (profile[0] != '\0')
        read_profile(text, profile, out);
    return out->secret_key[0] != '\0';
}

/* ---- products ---- */

static void read_type(const char *name, const json_t *type, const char *zone,
                      struct gl_catalog *catalog)
{
    int64_t cpus = gl_vps_number(type, "ncpus"), ram = gl_vps_number(type, "ram"),
            gpus = gl_vps_number(type, "gpu");
    const char *arch = gl_vps_text(type, "arch");
    struct gl_catalog_row row;
    char region[40];

    gl_scaleway_region_of(zone, region);
    gl_catalog_row_init(&row, region, name);
    snprintf(row.zone, sizeof row.zone, "%s", zone);
    row.vcpus = cpus > 0 && cpus < 65536 ? (uint32_t)cpus : 0;
    row.memory_mib = ram > 0 && ram < INT64_C(1) << 50 ? (uint32_t)(ram >> 20) : 0;
    row.gpu_count = gpus > 0 && gpus < 65536 ? (uint32_t)gpus : 0;
    snprintf(row.gpu, sizeof row.gpu, "%.39s",
             gl_vps_text(json_object_get(type, "gpu_info"), "gpu_name"));
    snprintf(row.arch, sizeof row.arch, "%.11s", arch);
    snprintf(row.currency, sizeof row.currency, "EUR");
    row.price_u_own = gl_vps_money(json_object_get(type, "hourly_price"));
    if (strlen(name) < sizeof row.type)
        gl_catalog_add(catalog, &row);
}

void gl_scaleway_read_types(const json_t *answer, const char *zone, struct gl_catalog *catalog)
{
    json_t *servers = json_object_get(answer, "servers"), *type;
    const char *name;

    json_object_foreach(servers, name,
                        type) if (json_is_object(type) &&
                                  !json_is_true(json_object_get(type, "end_of_service")))
        read_type(name, type, zone, catalog);
}

void gl_scaleway_read_stock(const json_t *answer, const char *zone, struct gl_catalog *catalog)
{
    json_t *servers = json_object_get(answer, "servers"), *stock;
    const char *name;

    json_object_foreach(servers, name, stock)
    {
        struct gl_catalog_row row;
        char region[40];

        gl_scaleway_region_of(zone, region);
        gl_catalog_row_init(&row, region, name);
        snprintf(row.zone, sizeof row.zone, "%s", zone);
        row.is_offered_known = gl_vps_text(stock, "availability")[0] != '\0';
        row.is_offered =
            row.is_offered_known && strcmp(gl_vps_text(stock, "availability"), "shortage") != 0;
        if (strlen(name) < sizeof row.type)
            gl_catalog_add(catalog, &row);
    }
}

int gl_scaleway_read_offer(const json_t *answer, const char *type)
{
    const json_t *stock = json_object_get(json_object_get(answer, "servers"), type);

    if (stock == NULL)
        return -1;
    return strcmp(gl_vps_text(stock, "availability"), "shortage") != 0;
}

/* ---- the product catalogue ---- */

/* How many hours a product's unit is; 0 = it is not one of time. */
static double hours_of(const json_t *unit)
{
    const char *name = gl_vps_text(unit, "unit");
    double size = json_number_value(json_object_get(unit, "size"));

    return !(size > 0)                   ? 0
           : strcmp(name, "hour") == 0   ? size
           : strcmp(name, "minute") == 0 ? size / 60
                                         : 0;
}

static void read_estimate(const json_t *product, struct gl_catalog *catalog)
{
    const char *zone = gl_vps_text(json_object_get(product, "locality"), "zone");
    const char *type = gl_vps_text(
        json_object_get(json_object_get(product, "properties"), "instance"), "offer_id");
    const json_t *kg = json_object_get(json_object_get(product, "environmental_impact_estimation"),
                                       "kg_co2_equivalent");
    double hours = hours_of(json_object_get(product, "unit_of_measure"));
    double ug = hours > 0 ? json_number_value(kg) / hours * 1e9 : -1;
    const char *known[GL_SCALEWAY_ZONES];
    struct gl_catalog_row row;
    char region[40];

    if (!json_is_number(kg) || !(ug >= 0) || ug > ESTIMATE_MAX_UG || type[0] == '\0' ||
        strlen(type) >= sizeof row.type || zone[0] == '\0' || gl_scaleway_zones(zone, known) != 1 ||
        strcmp(known[0], zone) != 0)
        return;
    gl_scaleway_region_of(zone, region);
    gl_catalog_row_init(&row, region, type);
    snprintf(row.zone, sizeof row.zone, "%s", zone);
    row.estimate_ug = (int64_t)(ug + 0.5);
    gl_catalog_add(catalog, &row);
}

size_t gl_scaleway_read_estimates(const json_t *answer, struct gl_catalog *catalog)
{
    const json_t *products = json_object_get(answer, "products"), *product;
    size_t i;

    json_array_foreach(products, i, product) read_estimate(product, catalog);
    return json_array_size(products);
}
