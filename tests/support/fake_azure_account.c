/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/fake_azure_part.h"

#include "base/file.h"
#include "base/jwt.h"
#include "tests/support/test_clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void fake_azure_complain(struct fake_azure *fake, const char *what)
{
    gl_str_addf(&fake->complaints, "%s\n", what);
}

void fake_azure_json(struct gl_test_answer *out, int status, json_t *value)
{
    char *text = json_dumps(value, JSON_COMPACT);

    gl_test_answer_text(out, status, JSON, text);
    free(text);
    json_decref(value);
}

static json_t *error_of(const char *code, const char *message)
{
    return json_pack("{s:{s:s,s:s}}", "error", "code", code, "message", message);
}

void fake_azure_refuse(struct gl_test_answer *out, int status, const char *code,
                       const char *message)
{
    fake_azure_json(out, status, error_of(code, message));
}

json_t *fake_azure_load(const char *name)
{
    struct gl_error err = {0};
    char *text = NULL;
    size_t length;
    json_t *out;

    if (gl_file_read(name, 1 << 20, &text, &length, &err) != 0) {
        fprintf(stderr, "%s\n", err.text);
        abort();
    }
    out = json_loadb(text, length, 0, NULL);
    free(text);
    return out;
}

void fake_azure_query(const char *query, const char *name, char *out, size_t size)
{
    size_t length = strlen(name), used = 0;
    const char *at = query;

    out[0] = '\0';
    while (at != NULL && (strncmp(at, name, length) != 0 || at[length] != '='))
        at = strchr(at, '&') != NULL ? strchr(at, '&') + 1 : NULL;
    if (at == NULL)
        return;
    for (at += length + 1; *at != '\0' && *at != '&' && used + 1 < size; at++) {
        unsigned byte;

        if (*at == '%' && sscanf(at + 1, "%2x", &byte) == 1) {
            out[used++] = (char)byte;
            at += 2;
        } else
            out[used++] = *at;
    }
    out[used] = '\0';
}

/* ---- requests as they came ---- */

void fake_azure_note(struct fake_azure *fake, const struct gl_test_request *request)
{
    static const char *const names[] = {"api-version", "%24expand", "%24filter", "forceDeletion"};
    json_t *query = json_object(), *row, *body = json_loads(request->body, 0, NULL);
    char value[400], match[16];

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        fake_azure_query(request->query, names[i], value, sizeof value);
        if (value[0] == '\0')
            continue;
        json_object_set_new(
            query, names[i][0] == '%' ? (names[i][3] == 'e' ? "$expand" : "$filter") : names[i],
            json_string(value));
    }
    row = json_pack("{s:s,s:s,s:o}", "method", request->method, "path", request->path, "query",
                    query);
    gl_test_request_header(request, "if-none-match", match, sizeof match);
    if (match[0] != '\0')
        json_object_set_new(row, "if-none-match", json_string(match));
    if (body != NULL)
        json_object_set_new(row, "body", body);
    json_array_append_new(fake->requests, row);
}

/* What differs from launch to launch is made the same. */
static void settle(json_t *request)
{
    json_t *properties = json_object_get(json_object_get(request, "body"), "properties");
    json_t *os = json_object_get(properties, "osProfile");

    if (json_object_get(os, "customData") != NULL)
        json_object_set_new(os, "customData", json_string("aGVsbG8="));
    if (json_object_get(properties, "userData") != NULL)
        json_object_set_new(properties, "userData", json_string("aGVsbG8="));
}

bool fake_azure_was_asked(const struct fake_azure *fake, const json_t *request)
{
    size_t i;
    const json_t *row;
    bool is_there = false;

    json_array_foreach(fake->requests, i, row)
    {
        json_t *copy = json_deep_copy(row);

        settle(copy);
        is_there = is_there || json_equal(copy, request);
        json_decref(copy);
    }
    return is_there;
}

/* Every member of `body` has one of its name and type in a body that Azure's own library sent. */
static bool is_shaped(json_t *body, const json_t *as)
{
    const char *key;
    json_t *value;

    if (json_typeof(body) != json_typeof(as))
        return json_is_boolean(body) && json_is_boolean(as);
    if (json_is_array(body))
        return json_array_size(body) == 1 &&
               is_shaped(json_array_get(body, 0), json_array_get(as, 0));
    json_object_foreach(body, key, value)
    {
        if (strcmp(key, "tags") != 0 &&
            (json_object_get(as, key) == NULL || !is_shaped(value, json_object_get(as, key))))
            return false;
    }
    return true;
}

bool fake_azure_is_known(const char *const *names, json_t *body)
{
    json_t *all = fake_azure_load(VECTORS "azure/requests.json");
    bool is_so = false;

    for (; *names != NULL; names++)
        is_so = is_so || is_shaped(body, json_object_get(json_object_get(all, *names), "body"));
    json_decref(all);
    return is_so;
}

/* ---- sign-in ---- */

static size_t parse(const char *text, size_t length, uint8_t *out, size_t size)
{
    struct gl_error err = {0};
    size_t used = 0;

    return gl_base64url_parse((struct gl_view){text, length}, out, size, &used, &err) == 0 ? used
                                                                                           : 0;
}

/* RS256 by the key of the certificate. */
static bool holds(const char *text, size_t length, const char *signature)
{
    json_t *keys = fake_azure_load(VECTORS "identity/jwks.json");
    const json_t *key = json_array_get(json_object_get(keys, "keys"), 0);
    const json_t *n_text = json_object_get(key, "n"), *e_text = json_object_get(key, "e");
    uint8_t n[600], e[8], bytes[600];
    struct gl_error err = {0};
    const struct gl_crypto_public public = {
        .alg = GL_RS256,
        .n = {(char *)n, parse(json_string_value(n_text), json_string_length(n_text), n, sizeof n)},
        .e = {(char *)e,
              parse(json_string_value(e_text), json_string_length(e_text), e, sizeof e)}};
    const struct gl_view given = {(char *)bytes,
                                  parse(signature, strlen(signature), bytes, sizeof bytes)};
    bool is_good = gl_crypto_verify(&public, (struct gl_view){text, length}, given, &err) == 0;

    json_decref(keys);
    return is_good;
}

static json_t *part_of(const char *text, size_t length)
{
    uint8_t bytes[2048];
    size_t used = parse(text, length, bytes, sizeof bytes);

    return json_loadb((char *)bytes, used, 0, NULL);
}

static bool has(const json_t *object, const char *key, const char *value)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text != NULL && strcmp(text, value) == 0;
}

/* The header names both thumbprints of the certificate, the claims who signs in where. */
static bool is_signed(const char *assertion, const char *audience)
{
    const char *dot = strchr(assertion, '.'), *last = strrchr(assertion, '.');
    json_t *header, *claims;
    bool is_good;

    if (dot == NULL || last == dot || !holds(assertion, (size_t)(last - assertion), last + 1))
        return false;
    header = part_of(assertion, (size_t)(dot - assertion));
    claims = part_of(dot + 1, (size_t)(last - dot - 1));
    is_good = has(header, "alg", "RS256") && has(header, "x5t", FAKE_AZURE_X5T) &&
              has(header, "x5t#S256", FAKE_AZURE_X5T_S256) && has(claims, "aud", audience) &&
              has(claims, "iss", FAKE_AZURE_CLIENT) && has(claims, "sub", FAKE_AZURE_CLIENT) &&
              json_string_length(json_object_get(claims, "jti")) == 32 &&
              json_integer_value(json_object_get(claims, "exp")) > test_clock_now();
    json_decref(header);
    json_decref(claims);
    return is_good;
}

static bool is_form(struct fake_azure *fake, const struct gl_test_request *request)
{
    char value[4096], type[128], audience[300];

    fake_azure_query(request->body, "client_id", value, sizeof value);
    if (strcmp(request->method, "POST") != 0 || strcmp(value, FAKE_AZURE_CLIENT) != 0)
        return false;
    fake_azure_query(request->body, "scope", value, sizeof value);
    if (strcmp(value, "https://management.azure.com/.default") != 0)
        return false;
    fake_azure_query(request->body, "client_secret", value, sizeof value);
    if (value[0] != '\0')
        return strcmp(value, FAKE_AZURE_SECRET) == 0;
    fake_azure_query(request->body, "client_assertion_type", type, sizeof type);
    fake_azure_query(request->body, "client_assertion", value, sizeof value);
    if (strcmp(type, "urn:ietf:params:oauth:client-assertion-type:jwt-bearer") != 0)
        return false;
    snprintf(audience, sizeof audience, "%s/" FAKE_AZURE_TENANT "/oauth2/v2.0/token",
             gl_test_server_url(fake->server));
    return strcmp(value, FAKE_AZURE_ISSUED) == 0 || is_signed(value, audience);
}

void fake_azure_sign_in(struct fake_azure *fake, const struct gl_test_request *request,
                        struct gl_test_answer *out)
{
    struct gl_str quoted = {0};

    if (fake->is_echoing || !is_form(fake, request)) {
        gl_str_addf(&quoted, "AADSTS7000215: Invalid client secret provided: %s\r\nTrace ID: 1",
                    fake->is_echoing ? FAKE_AZURE_SECRET : "?");
        fake_azure_json(out, 401,
                        json_pack("{s:s,s:s}", "error", "invalid_client", "error_description",
                                  gl_str_text(&quoted)));
        gl_str_done(&quoted);
        return;
    }
    fake->tokens_given++;
    fake_azure_json(out, 200,
                    json_pack("{s:s,s:i,s:s}", "access_token", FAKE_AZURE_TOKEN, "expires_in", 3599,
                              "token_type", "Bearer"));
}

void fake_azure_identity(struct fake_azure *fake, const struct gl_test_request *request,
                         struct gl_test_answer *out)
{
    char metadata[16], resource[80];

    gl_test_request_header(request, "metadata", metadata, sizeof metadata);
    fake_azure_query(request->query, "resource", resource, sizeof resource);
    if (strcmp(metadata, "true") != 0 || strcmp(resource, "https://management.azure.com/") != 0) {
        fake_azure_json(out, 400, json_pack("{s:s}", "error", "invalid_request"));
        return;
    }
    fake->tokens_given++;
    fake_azure_json(out, 200,
                    json_pack("{s:s,s:s,s:s}", "access_token", FAKE_AZURE_TOKEN, "expires_in",
                              "86399", "token_type", "Bearer"));
}

/* ---- places, sizes, quota, rights, prices ---- */

void fake_azure_locations(struct gl_test_answer *out)
{
    fake_azure_json(out, 200,
                    json_pack("{s:[{s:s,s:s,s:{s:s}},{s:s,s:s,s:{s:s}},{s:s,s:s,s:{s:s}}]}",
                              "value", "name", "swedencentral", "type", "Region", "metadata",
                              "regionType", "Physical", "name", "europe", "type", "Region",
                              "metadata", "regionType", "Logical", "name", "westeurope", "type",
                              "Region", "metadata", "regionType", "Physical"));
}

static json_t *sku(const char *name, const char *region, const char *cpus, const char *arch)
{
    return json_pack("{s:s,s:s,s:s,s:[s],s:[{s:s,s:s},{s:s,s:s},{s:s,s:s}],s:[]}", "resourceType",
                     "virtualMachines", "name", name, "family", "standardBSFamily", "locations",
                     region, "capabilities", "name", "vCPUs", "value", cpus, "name", "MemoryGB",
                     "value", "0.5", "name", "CpuArchitectureType", "value", arch, "restrictions");
}

void fake_azure_skus(struct fake_azure *fake, const char *query, struct gl_test_answer *out)
{
    char filter[100], *region, *end, next[500];
    json_t *first, *page;

    fake_azure_query(query, "%24filter", filter, sizeof filter);
    region = strchr(filter, '\'');
    end = region != NULL ? strchr(region + 1, '\'') : NULL;
    if (end == NULL || strncmp(filter, "location eq ", 12) != 0) {
        fake_azure_complain(fake, "sizes of no location");
        fake_azure_refuse(out, 400, "BadRequest", "filter");
        return;
    }
    *end = '\0';
    if (strstr(query, "page=2") != NULL) {
        fake_azure_json(
            out, 200,
            json_pack("{s:[o]}", "value", sku("Standard_B2pts_v2", region + 1, "2", "Arm64")));
        return;
    }
    first = sku("Standard_B1s", region + 1, "1", "x64");
    if (fake->is_restricted)
        json_array_append_new(json_object_get(first, "restrictions"),
                              json_pack("{s:s,s:[s],s:s}", "type", "Location", "values", region + 1,
                                        "reasonCode", "NotAvailableForSubscription"));
    page = json_pack("{s:[o,{s:s,s:s,s:[s]}]}", "value", first, "resourceType", "disks", "name",
                     "Premium_LRS", "locations", region + 1);
    snprintf(next, sizeof next,
             "%s" ROOT COMPUTE
             "skus?api-version=2021-07-01&%%24filter=location%%20eq%%20'%s'&page=2",
             gl_test_server_url(fake->server), region + 1);
    json_object_set_new(page, "nextLink", json_string(next));
    if (strcmp(region + 1, "swedencentral") != 0 && strcmp(region + 1, "westeurope") != 0) {
        json_decref(page);
        page = json_pack("{s:[]}", "value");
    }
    fake_azure_json(out, 200, page);
}

void fake_azure_usages(struct fake_azure *fake, struct gl_test_answer *out)
{
    fake_azure_json(out, 200,
                    json_pack("{s:[{s:i,s:i,s:{s:s}},{s:i,s:i,s:{s:s}},{s:i,s:i,s:{s:s}}]}",
                              "value", "currentValue", 10 - fake->cores_left, "limit", 10, "name",
                              "value", "cores", "currentValue", 0, "limit", 10, "name", "value",
                              "standardBSFamily", "currentValue", 0, "limit", 0, "name", "value",
                              "lowPriorityCores"));
}

void fake_azure_rights(struct fake_azure *fake, struct gl_test_answer *out)
{
    json_t *page = json_pack("{s:[{s:[s,s],s:[]},{s:[s],s:[]}]}", "value", "actions", "*/read",
                             "Microsoft.COMPUTE/*", "notActions", "actions", "Microsoft.Network/*",
                             "notActions");

    if (fake->is_read_only)
        json_array_append_new(
            json_object_get(json_array_get(json_object_get(page, "value"), 0), "notActions"),
            json_string("Microsoft.Compute/virtualMachines/write"));
    fake_azure_json(out, 200, page);
}

static json_t *price(const char *product, const char *sku_name, const char *region, double usd)
{
    return json_pack("{s:s,s:f,s:f,s:s,s:s,s:s,s:s,s:s,s:s,s:s}", "currencyCode", "USD",
                     "tierMinimumUnits", 0.0, "retailPrice", usd, "armRegionName", region,
                     "productName", product, "skuName", sku_name, "serviceName", "Virtual Machines",
                     "unitOfMeasure", "1 Hour", "type", "Consumption", "armSkuName",
                     "Standard_B1s");
}

void fake_azure_prices(struct fake_azure *fake, const struct gl_test_request *request,
                       struct gl_test_answer *out)
{
    char filter[400], auth[64], next[300];
    const char *region;
    json_t *page;

    gl_test_request_header(request, "authorization", auth, sizeof auth);
    fake_azure_query(request->query, "%24filter", filter, sizeof filter);
    if (auth[0] != '\0' || strstr(filter, "priceType eq 'Consumption'") == NULL)
        fake_azure_complain(fake, "prices asked with a token, or without a filter");
    region = strstr(filter, "swedencentral") != NULL ? "swedencentral" : "nowhere";
    if (strstr(filter, "armSkuName eq") != NULL &&
        (strstr(filter, "'Standard_B1s'") == NULL || strcmp(region, "nowhere") == 0)) {
        fake_azure_json(out, 200, json_pack("{s:[],s:n}", "Items", "NextPageLink"));
        return;
    }
    if (strstr(request->query, "skip=100") != NULL) {
        fake_azure_json(
            out, 200,
            json_pack("{s:[o,o],s:n}", "Items",
                      price("Virtual Machines BS Series", "B1s Spot", region, 0.002),
                      price("Virtual Machines BS Series", "B1s Low Priority", region, 0.001),
                      "NextPageLink"));
        return;
    }
    snprintf(next, sizeof next,
             "%s/api/retail/prices?%%24filter=%s%%20priceType%%20eq%%20'Consumption'&skip=100",
             fake->has_evil_pages ? "http://localhost:1" : gl_test_server_url(fake->server),
             region);
    page =
        json_pack("{s:[o,o],s:s}", "Items",
                  price("Virtual Machines BS Series Windows", "B1s", region, 0.0148),
                  price("Virtual Machines BS Series", "B1s", region, 0.0108), "NextPageLink", next);
    fake_azure_json(out, 200, page);
}
