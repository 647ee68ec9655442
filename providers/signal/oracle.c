/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/data/data.h"
#include "providers/signal/adapter.h"
#include "providers/signal/oci_sign.h"
#include "providers/signal/oracle_config.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Oracle Cloud, Usage API 20200107, RequestCleanEnergyUsage:
 * https://docs.oracle.com/iaas/api/#/en/usage/20200107/CleanEnergyUsage/RequestCleanEnergyUsage
 * {"region":"us-seattle-1","ad":"...","usage":80}: the percentage of clean energy used in a region.
 *
 * It is Oracle's claim about itself. Neither a period nor what counts as clean is published, nor
 * how it is counted; the company buys certificates, so it is a market figure, and by the wording of
 * "used" a share of its own load. Clean is read as carbon-free, never as renewable, and the figure
 * does not say what it counts. It is dated by the day it was asked on, and only asked for where
 * claims are shown: zones hold the regions of many clouds, and no offer of another cloud may be
 * judged by it.
 *
 * What has to be watched:
 * - `ad` names an availability domain, and may be there though none was asked for;
 * - regions answer for themselves, under the domain of their realm, and only to tenancies that
 *   subscribe to them: others are 401, as wrong keys and clocks are; 404 is also a missing right.
 */

#define DOMAIN     "oraclecloud.com"
#define CLOUD      "oracle"
#define REGION_MAX 32
#define AD_MAX     16
#define SKEW_S     300
#define DAY_S      INT64_C(86400)
#define ASKED_MAX  6

/* ---- regions ---- */

static bool is_in(const struct gl_region_row *row, const char *zone)
{
    return strcmp(row->cloud, CLOUD) == 0 &&
           (strcmp(row->zones[0], zone) == 0 ||
            (row->zones[1] != NULL && strcmp(row->zones[1], zone) == 0));
}

/* Number `index` of the regions in a zone; NULL when there are fewer. */
static const char *region_in(const char *zone, unsigned index)
{
    const struct gl_region_row *rows;
    size_t count = gl_data_regions(&rows);

    for (size_t i = 0; i < count; i++)
        if (is_in(&rows[i], zone) && index-- == 0)
            return rows[i].region;
    return NULL;
}

static const char *region_of(const struct gl_signal_query *query, unsigned index)
{
    if (query->config != NULL && query->config->location != NULL)
        return index == 0 ? query->config->location : NULL;
    return index < ASKED_MAX ? region_in(query->zone, index) : NULL;
}

static bool covers(const char *zone)
{
    return region_in(zone, 0) != NULL;
}

/* The realms beside the commercial one, by how their regions are called (oracle/oci-go-sdk,
 * common/regions.go, v65). Those that are missing here are asked by `endpoint`. */
static const char *domain_of(const char *region)
{
    static const struct {
        const char *prefix, *domain;
    } realms[] = {
        {"us-gov-", "oraclegovcloud.com"},      {"us-langley-", "oraclegovcloud.com"},
        {"us-luke-", "oraclegovcloud.com"},     {"uk-gov-", "oraclegovcloud.uk"},
        {"eu-frankfurt-2", "oraclecloud.eu"},   {"eu-madrid-2", "oraclecloud.eu"},
        {"eu-jovanovac-", "oraclecloud20.com"}, {"ap-chiyoda-", "oraclecloud8.com"},
        {"ap-ibaraki-", "oraclecloud8.com"},
    };

    for (size_t i = 0; i < sizeof realms / sizeof realms[0]; i++)
        if (strncmp(realms[i].prefix, region, strlen(realms[i].prefix)) == 0)
            return realms[i].domain;
    return DOMAIN;
}

static unsigned urls(const struct gl_signal_query *query, const char *endpoint, unsigned index,
                     char *out, size_t capacity)
{
    const char *region = region_of(query, index);
    unsigned count = 0;

    if (!query->wants_claims || query->is_past)
        return 0;
    while (region_of(query, count) != NULL)
        count++;
    if (region != NULL && endpoint != NULL)
        snprintf(out, capacity, "%s/20200107/cleanEnergyUsages/%s", endpoint, region);
    else if (region != NULL)
        snprintf(out, capacity, "https://usageapi.%s.oci.%s/20200107/cleanEnergyUsages/%s", region,
                 domain_of(region), region);
    return count;
}

/* ---- answers ---- */

/* "clean-energy eu-frankfurt-1", with the availability domain where the answer names one. */
static int name_dataset(const json_t *root, const char *region, char *out, size_t size,
                        struct gl_error *err)
{
    const json_t *member = json_object_get(root, "ad");
    const char *ad = json_is_string(member) ? json_string_value(member) : "";

    if (member != NULL && !json_is_string(member) && !json_is_null(member))
        return gl_fail(err, GL_E_BAD_REPLY, "\"ad\" is no text");
    for (const char *c = ad; *c != '\0'; c++)
        if (!isalnum((unsigned char)*c) && strchr("-_:.", *c) == NULL)
            return gl_fail(err, GL_E_BAD_REPLY, "\"ad\" is no availability domain");
    if (strlen(ad) > AD_MAX || strlen(region) > REGION_MAX)
        return gl_fail(err, GL_E_BAD_REPLY, "\"ad\" is no availability domain");
    snprintf(out, size, "clean-energy %s%s%s", region, ad[0] != '\0' ? "/" : "", ad);
    return 0;
}

static int read_usage(json_t *root, const struct gl_signal_label *label,
                      struct gl_signal_result *result, struct gl_error *err)
{
    static const struct gl_meaning meaning = {
        .quantity = GL_CARBON_FREE_SHARE, .trace = GL_SHARE_OF_LOAD, .accounting = GL_MARKET};
    const char *wanted = region_of(label->query, label->request), *found;
    struct gl_signal_label own = *label;
    struct gl_series *series;
    bool is_known = false;
    double percent = 0;
    char dataset[sizeof series->dataset];
    int64_t day_s = label->retrieved.unix_s - label->retrieved.unix_s % DAY_S;

    if (gl_json_string(root, "region", &found, err) ||
        gl_json_number(root, "usage", &percent, &is_known, err))
        return -1;
    if (wanted == NULL || strcmp(found, wanted) != 0)
        return gl_fail(err, GL_E_BAD_REPLY, "the answer is for another region");
    if (!is_known)
        return gl_fail(err, GL_E_UNKNOWN_DATA, "Oracle claims nothing of %s", wanted);
    if (!(percent >= 0 && percent <= 100))
        return gl_fail(err, GL_E_BAD_REPLY, "\"usage\" is no percentage");
    if (name_dataset(root, wanted, dataset, sizeof dataset, err))
        return -1;
    own.dataset = dataset;
    series = gl_signal_begin(result, 1, &own, &meaning);
    series->points[0] = gl_signal_point(day_s, day_s + DAY_S, GL_PROVIDER_CLAIM);
    series->points[0].value_u = llround(percent * 10000);
    series->count = 1;
    return 0;
}

static int parse(const struct gl_signal_query *query, unsigned index, const char *body,
                 size_t length, struct gl_instant retrieved, struct gl_signal_result *result,
                 struct gl_error *err)
{
    const struct gl_signal_label label = {&gl_signal_oracle, query->zone, "clean-energy",
                                          retrieved,         query,       index};

    return gl_signal_parse(&label, (struct gl_view){body, length}, read_usage, result, err);
}

/* Each is about one region: another one may be subscribed to, or known. */
static bool refuse(int status, const char *body, size_t length, struct gl_error *err)
{
    (void)body, (void)length;
    if (status == 401)
        gl_fail(
            err, GL_E_NO_CREDENTIAL,
            "the signature is not accepted (status 401): the key was not uploaded or is another "
            "user's, or the tenancy does not subscribe to the region; then ask one that it does "
            "with endpoint=https://usageapi.REGION.oci.oraclecloud.com");
    if (status == 403 || status == 404)
        gl_fail(err, GL_E_UNKNOWN_DATA,
                "Oracle does not know the region, or we may not ask (status %d): an administrator "
                "can \"allow group GROUP to read usage-report in tenancy\"",
                status);
    return true;
}

/* ---- signatures ---- */

static int sign(const struct gl_signal_credential *credential, const char *url,
                struct gl_instant now, char *out[GL_SIGNAL_SIGNED], struct gl_error *err)
{
    const struct gl_secret *passphrase = &credential->passphrase;
    const struct gl_crypto_key key = {&credential->key, passphrase->length > 0 ? passphrase : NULL};
    const struct gl_view name = {(const char *)credential->name.bytes, credential->name.length};
    char date[GL_OCI_DATE], line[sizeof "Date: " + GL_OCI_DATE];

    gl_oci_date(now, date);
    if (gl_oci_authorize(&key, name, url, date, &out[1], err) != 0)
        return -1;
    snprintf(line, sizeof line, "Date: %s", date);
    out[0] = gl_strdup(line);
    return 0;
}

static const struct gl_signal_signer signer = {
    .remedy = "oci setup config writes it, key_file=PATH of greenlaunch source add names another, "
              "OCI_CLI_PROFILE the profile",
    .skew_s = SKEW_S,
    .look = gl_oracle_look,
    .open = gl_oracle_open,
    .sign = sign,
};

const struct gl_signal_ops gl_signal_oracle = {
    .name = "oracle",
    .title = "Oracle Cloud clean energy usage",
    .attribution = "Oracle's own claim (Usage API)",
    .licence = "proprietary",
    .homepage = "https://docs.oracle.com/iaas/Content/API/Concepts/apisigningkey.htm",
    .needs_network = true,
    .covers = covers,
    .urls = urls,
    .parse = parse,
    .refuse = refuse,
    .signer = &signer,
};
