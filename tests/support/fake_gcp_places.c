/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/fake_gcp_part.h"

#include <stdlib.h>
#include <string.h>

/* ---- places, types, images, quotas ---- */

void fake_gcp_list_zones(struct gl_test_answer *out)
{
    json_t *rows = json_array();

    for (size_t i = 0; i < FAKE_GCP_ZONES; i++)
        json_array_append_new(rows,
                              json_pack("{s:s,s:s}", "name", fake_gcp_zones[i], "status", "UP"));
    fake_gcp_answer_json(out, 200, json_pack("{s:o}", "items", rows));
}

json_t *fake_gcp_type_row(const char *name, int cpus, int mib)
{
    return json_pack("{s:s,s:i,s:i,s:s}", "name", name, "guestCpus", cpus, "memoryMb", mib,
                     "architecture", "X86_64");
}

void fake_gcp_list_types(struct gl_test_answer *out)
{
    fake_gcp_answer_json(out, 200,
                         json_pack("{s:[o,o]}", "items", fake_gcp_type_row("e2-micro", 2, 1024),
                                   fake_gcp_type_row("n2-standard-2", 2, 8192)));
}

void fake_gcp_all_types(const struct gl_test_request *request, struct gl_test_answer *out)
{
    bool is_second = strstr(request->query, "pageToken=two") != NULL;
    json_t *page = json_pack("{s:{s:{s:[o]}}}", "items",
                             is_second ? "zones/us-east9-a" : "zones/europe-north1-a",
                             "machineTypes", fake_gcp_type_row("n2-standard-2", 2, 8192));

    if (!is_second) {
        json_object_set_new(page, "nextPageToken", json_string("two"));
        json_array_append_new(json_object_get(json_object_get(json_object_get(page, "items"),
                                                              "zones/europe-north1-a"),
                                              "machineTypes"),
                              fake_gcp_type_row("a2-megagpu-16g", 96, 1392640));
    }
    fake_gcp_answer_json(out, 200, page);
}

static json_t *sku(const char *text, const char *usage, const char *unit, int nanos)
{
    return json_pack("{s:s,s:{s:s},s:[s],s:[{s:{s:s,s:[{s:{s:s,s:s,s:i}}]}}]}", "description", text,
                     "category", "usageType", usage, "serviceRegions", "europe-north1",
                     "pricingInfo", "pricingExpression", "usageUnit", unit, "tieredRates",
                     "unitPrice", "currencyCode", "USD", "units", "0", "nanos", nanos);
}

void fake_gcp_list_skus(struct gl_test_answer *out)
{
    fake_gcp_answer_json(
        out, 200,
        json_pack("{s:[o,o,o,o,o,o,o,o,o,o,o,o,o,o]}", "skus",
                  sku("N2 Instance Core running in Finland", "OnDemand", "h", 34806000),
                  sku("N2 Instance Ram running in Finland", "OnDemand", "GiBy.h", 4664000),
                  sku("Spot Preemptible N2 Instance Core running in Finland", "Preemptible", "h",
                      8420000),
                  sku("Spot Preemptible N2 Instance Ram running in Finland", "Preemptible",
                      "GiBy.h", 1130000),
                  sku("N2 Custom Instance Core running in Finland", "OnDemand", "h", 99),
                  sku("A2 Instance Core running in Finland", "OnDemand", "h", 34802000),
                  sku("A2 Instance Ram running in Finland", "OnDemand", "GiBy.h", 4664000),
                  sku("Nvidia Tesla A100 GPU running in Finland", "OnDemand", "h", 933908000),
                  sku("Nvidia Tesla A100 80GB GPU running in Finland", "OnDemand", "h", 1),
                  sku("Spot Preemptible A2 Instance Core running in Finland", "Preemptible", "h",
                      9490000),
                  sku("Spot Preemptible A2 Instance Ram running in Finland", "Preemptible",
                      "GiBy.h", 1270000),
                  sku("Nvidia Tesla A100 GPU attached to Spot Preemptible VMs running in Finland",
                      "Preemptible", "h", 880000000),
                  sku("G2 Instance Core running in Finland", "OnDemand", "h", 27502000),
                  sku("G2 Instance Ram running in Finland", "OnDemand", "GiBy.h", 3222000)));
}

void fake_gcp_on_image(struct fake_gcp *fake, const char *name,
                       const struct gl_test_request *request, struct gl_test_answer *out)
{
    if (strcmp(request->method, "POST") == 0) {
        json_t *body = json_loads(request->body, 0, NULL);

        if (json_object_get(body, "sourceDisk") == NULL)
            fake_gcp_complain(fake, "an image of nothing");
        json_object_set_new(body, "status", json_string("READY"));
        json_object_set_new(body, "archiveSizeBytes", json_string("1048576"));
        json_object_set(fake->images, json_string_value(json_object_get(body, "name")), body);
        json_decref(body);
        fake_gcp_answer_operation(fake, NULL, out);
    } else if (json_object_get(fake->images, name) == NULL)
        fake_gcp_refuse(out, 404, "notFound", "The image was not found");
    else if (strcmp(request->method, "DELETE") == 0) {
        json_object_del(fake->images, name);
        fake_gcp_answer_operation(fake, NULL, out);
    } else
        fake_gcp_answer_json(out, 200, json_deep_copy(json_object_get(fake->images, name)));
}

void fake_gcp_quotas(const struct fake_gcp *fake, struct gl_test_answer *out)
{
    fake_gcp_answer_json(out, 200,
                         json_pack("{s:[{s:s,s:f,s:f},{s:s,s:f,s:f}]}", "quotas", "metric", "CPUS",
                                   "limit", 8.0, "usage", 8.0 - fake->cpus_left, "metric",
                                   "PREEMPTIBLE_CPUS", "limit", fake->spot_cpus, "usage", 0.0));
}

/* ---- Cloud Location Finder ---- */

/* One claim, one of nothing, one of another cloud, one that is no region, over two pages. */
void fake_gcp_list_places(const struct fake_gcp *fake, const struct gl_test_request *request,
                          struct gl_test_answer *out)
{
    bool is_second = strstr(request->query, "pageToken=two") != NULL;

    if (fake->has_no_places)
        fake_gcp_refuse(out, 403, "accessNotConfigured",
                        "Cloud Location Finder API has not been used");
    else if (is_second)
        gl_test_answer_text(out, 200, FAKE_GCP_JSON,
                            "{\"cloudLocations\":[{\"displayName\":\"us-east9\",\"cloudProvider\":"
                            "\"CLOUD_PROVIDER_GCP\",\"cloudLocationType\":"
                            "\"CLOUD_LOCATION_TYPE_REGION\"},{\"displayName\":\"eu-north-1\","
                            "\"cloudProvider\":\"CLOUD_PROVIDER_AWS\",\"cloudLocationType\":"
                            "\"CLOUD_LOCATION_TYPE_REGION\",\"carbonFreeEnergyPercentage\":99}]}");
    else
        gl_test_answer_text(
            out, 200, FAKE_GCP_JSON,
            "{\"cloudLocations\":[{\"displayName\":\"europe-north1\",\"cloudProvider\":"
            "\"CLOUD_PROVIDER_GCP\",\"cloudLocationType\":\"CLOUD_LOCATION_TYPE_REGION\","
            "\"territoryCode\":\"FI\",\"carbonFreeEnergyPercentage\":97.5},{\"displayName\":"
            "\"europe-north1-a\",\"cloudProvider\":\"CLOUD_PROVIDER_GCP\",\"cloudLocationType\":"
            "\"CLOUD_LOCATION_TYPE_ZONE\",\"carbonFreeEnergyPercentage\":1}],\"nextPageToken\":"
            "\"two\"}");
}

/* ---- stock ---- */

json_t *fake_gcp_stockout(const char *available)
{
    return json_pack("{s:i,s:{s:[{s:s,s:s,s:[{s:{s:s,s:{s:s}}}]}]}}", "httpErrorStatusCode", 503,
                     "error", "errors", "code", "ZONE_RESOURCE_POOL_EXHAUSTED_WITH_DETAILS",
                     "message", "The zone does not have enough resources", "errorDetails",
                     "errorInfo", "reason", "resource_availability", "metadatas", "zonesAvailable",
                     available);
}

/* The zone that is asked first names the other one of its region. */
bool fake_gcp_is_dry(struct fake_gcp *fake, const char *zone, struct gl_test_answer *out)
{
    bool is_first = fake->dry_zone[0] == '\0', is_a = zone[strlen(zone) - 1] == 'a';
    char other[64];

    if (is_first)
        snprintf(fake->dry_zone, sizeof fake->dry_zone, "%.47s", zone);
    if (strcmp(fake->dry_zone, zone) != 0 && !fake->is_all_dry)
        return false;
    snprintf(other, sizeof other, "us-east9-b, %.*s%c", (int)strlen(zone) - 1, zone,
             is_a ? 'b' : 'a');
    fake_gcp_answer_operation(fake, fake_gcp_stockout(is_first ? other : "us-east9-b"), out);
    return true;
}
