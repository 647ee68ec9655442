/* SPDX-License-Identifier: Apache-2.0 */
/* What requests ask for and whom they point to: tables, each row with where it is from. */
#include "broker/request_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Smaller steps are what a provider could do first, in the order in which they help. */
static const struct gl_wish wishes[GL_CAPABILITIES] = {
    [GL_CAPABILITY_GREEN] =
        {.because = "no offer met our rule",
         .noun = "instance offer with renewable supply for a stated number of hours",
         "An attribute of instance offers that says by which figure and in which hours the supply "
         "of the region meets a stated limit, readable before the launch, and for how many hours "
         "that will hold.",
         "a launch can wait for, or be refused without, supply that meets its rule",
         "renewable region",
         {"hourly location-based carbon intensity and renewable share per region, by API",
          "the carbon-free share of each region, with its period and method",
          "a group of regions that can be named in a policy",
          "a signed hourly statement for each instance-hour"}},
    [GL_CAPABILITY_HOURLY] =
        {.because = "it could not be shown before the launch that our rule was met",
         .noun = "hourly grid figures per region by API",
         "An interface that gives, per region and hour, the location-based carbon intensity and "
         "renewable share, with the time of measurement.",
         "a launch can be judged by the hour in which it runs and not by last year's average",
         "hourly carbon",
         {"monthly location-based figures per region, by API",
          "the grid zone behind each region, so that public hourly figures can be used",
          "hourly figures with a delay of a day", "the same figures signed"}},
    [GL_CAPABILITY_BOUNDS] =
        {.because = "it could not be shown before the launch that our rule was met",
         .noun = "lower and upper bounds beside published carbon figures",
         "A lower and an upper bound, with their coverage, beside each published figure of carbon "
         "intensity and renewable share.",
         "a limit can be held by the worse bound instead of being refused as unknown",
         "carbon uncertainty",
         {"the method and known error of the published figures",
          "bounds for the yearly figure of each region", "bounds for the hourly figures"}},
    [GL_CAPABILITY_FORECAST] =
        {.because = "it could not be shown before the launch that our rule was met",
         .noun = "forecast of grid figures per region with its time of issue",
         "A forecast of carbon intensity and renewable share per region for at least the next 24 "
         "hours, with the time at which it was issued.",
         "work can be planned into the hours in which it meets its rule",
         "carbon forecast",
         {"the grid zone behind each region, so that public forecasts can be used",
          "a forecast for the next 24 hours, renewed each day",
          "past forecasts with their time of issue, so that their error can be learnt"}},
    [GL_CAPABILITY_POWER] =
        {.because = "it could not be shown before the launch that our rule was met",
         .noun = "power of instance types in watts",
         "The power of each instance type, idle and under full load, in the description of the "
         "type.",
         "the carbon of a launch can be capped before it starts",
         "instance power watts",
         {"processor model and share of the host for each instance type",
          "idle and full-load watts of each family",
          "measured energy of a running instance, by API"}},
    [GL_CAPABILITY_PRICE] = {.because =
                                 "it could not be shown before the launch that our rule was met",
                             .noun = "price of an instance before the launch, by API",
                             "A price of each instance type and region that can be read without a "
                             "launch.",
                             "carbon and money can be weighed before anything runs",
                             "price API",
                             {"a public price list as a file", "the same by API"}},
    [GL_CAPABILITY_PLACE] =
        {.because = "it could not be shown before the launch that our rule was met",
         .noun = "grid zone of each region",
         "The grid zone, or the metering point's bidding zone, from which each region draws its "
         "electricity.",
         "the region is judged by its own grid and not by the worse of two candidates",
         "region carbon",
         {"the country and city of each region in its description", "the grid zone of each region",
          "the share of supply behind the meter"}},
    [GL_CAPABILITY_CAPACITY] =
        {.because = "the offers that met our rule had no room",
         .noun = "capacity of instance offers that meet a renewable rule",
         "More capacity, or a reservation, of instance types in regions and hours whose supply "
         "meets a stated limit.",
         "work that was planned into green hours finds a place in them",
         "renewable capacity",
         {"free capacity per region and instance type, by API, before the launch",
          "a reservation for named hours", "a waiting list for such hours"}},
};

const struct gl_wish *gl_wish_of(enum gl_capability capability)
{
    return &wishes[capability];
}

/* ---- precedents ---- */

#define OF(name)  (1U << GL_CAPABILITY_##name)
#define LOOKED_AT "2026-11-21"

static const struct gl_precedent precedents[] = {
    {OF(GREEN) | OF(CAPACITY), "cloudflare",
     "Cloudflare Green Compute runs scheduled work only in places powered by renewable energy",
     "https://blog.cloudflare.com/announcing-green-compute", LOOKED_AT},
    {OF(GREEN) | OF(CAPACITY) | OF(PLACE), "gcp",
     "Google Cloud's low-carbon location groups restrict new resources by policy",
     "https://docs.cloud.google.com/organization-policy/restrict-locations", LOOKED_AT},
    {OF(HOURLY) | OF(PLACE), "gcp",
     "Google Cloud publishes carbon-free share and grid intensity of each region",
     "https://github.com/GoogleCloudPlatform/region-carbon-info", LOOKED_AT},
    {OF(HOURLY) | OF(FORECAST), "",
     "The British grid publishes half-hourly figures and forecasts of each region by an open API",
     "https://api.carbonintensity.org.uk", LOOKED_AT},
    {OF(POWER) | OF(HOURLY), "scaleway",
     "Scaleway gives the footprint of products by API, and for some of them before the order",
     "https://www.scaleway.com/en/developers/api/environmental-footprint", LOOKED_AT},
    {OF(GREEN) | OF(PLACE), "",
     "A platform provider marks its low-carbon regions, with threshold and sources",
     "https://github.com/meilisearch/documentation/pull/3566", LOOKED_AT},
};

const struct gl_precedent *gl_precedent_next(enum gl_capability capability, const char *provider,
                                             size_t *at)
{
    while (*at < sizeof precedents / sizeof precedents[0]) {
        const struct gl_precedent *row = &precedents[(*at)++];

        if ((row->capabilities & (1U << capability)) != 0 && strcmp(row->provider, provider) != 0)
            return row;
    }
    return NULL;
}

/* ---- services ---- */

const char *gl_service_of(const char *provider)
{
    static const struct {
        const char *provider, *service;
    } services[] = {
        {"aws", "EC2"},
        {"gcp", "Compute Engine"},
        {"azure", "Virtual Machines"},
        {"ovh", "Public Cloud instances"},
        {"scaleway", "Instances"},
        {"hetzner", "Cloud servers"},
        {"digitalocean", "Droplets"},
        {"heroku", "Heroku dynos"},
        {"openstack", "Nova"},
    };

    for (size_t i = 0; i < sizeof services / sizeof services[0]; i++)
        if (strcmp(services[i].provider, provider) == 0)
            return services[i].service;
    return "compute instances";
}

/* ---- rules, for people ---- */

/* Parts of normal form (gl_demand_rule()) that hold a value: what stands before it, and after. */
static const struct {
    const char *part, *unit; /* as normal form has them */
    const char *before, *after;
} value_words[] = {
    {"intensity<=", "g/kWh", "carbon intensity at most ", " gCO2e/kWh"},
    {"renewable-share>=", "%", "renewable share at least ", "%"},
    {"carbon-free-share>=", "%", "carbon-free share at least ", "%"},
    {"green-intensity<=", "g/kWh", "green is at most ", " gCO2e/kWh"},
    {"green-for>=", "s", "for at least ", ""},
    {"confidence>=", "%", "with a confidence of ", "%"},
    {"emission-rate<=", "g/h", "emissions at most ", " gCO2e an hour"},
    {"emissions<=", "g", "emissions at most ", " gCO2e in all"},
    {"grade>=", "", "evidence of grade ", " or better"},
    {"data-age<=", "s", "data at most ", " old"},
};

static const struct {
    const char *part, *words;
} word_words[] = {
    {"location", "location-based"},
    {"market", "market-based"},
    {"residual", "residual mix"},
    {"average", "average emissions"},
    {"short_run_marginal", "short-run marginal emissions"},
    {"long_run_marginal", "long-run marginal emissions"},
    {"direct", "direct emissions"},
    {"lifecycle", "over the life cycle"},
    {"hourly", "by the hour"},
    {"without-biomass", "without biomass"},
    {"places", "within places of our choice"},
    {"size", "of a size of our choice"},
    {"price", "below a price of our choice"},
    {"budget", "within a budget of ours"},
};

static bool is_it(const char *text, size_t length, const char *word)
{
    return strlen(word) == length && memcmp(text, word, length) == 0;
}

/* "10800" as "3 h"; what is no whole minute stays seconds. */
static void add_seconds(struct gl_str *out, const char *digits, size_t length)
{
    char number[24];
    int64_t seconds;

    snprintf(number, sizeof number, "%.*s", (int)(length < 23 ? length : 23), digits);
    seconds = strtoll(number, NULL, 10);
    if (strspn(number, "0123456789") != length || seconds % 60 != 0)
        gl_str_addf(out, "%s s", number);
    else if (seconds % 3600 != 0)
        gl_str_addf(out, "%" PRId64 " min", seconds / 60);
    else
        gl_str_addf(out, "%" PRId64 " h", seconds / 3600);
}

static bool add_valued(struct gl_str *out, const char *text, size_t length)
{
    for (size_t i = 0; i < sizeof value_words / sizeof value_words[0]; i++) {
        size_t head = strlen(value_words[i].part), tail = strlen(value_words[i].unit);

        if (length <= head + tail || memcmp(text, value_words[i].part, head) != 0)
            continue;
        gl_str_add(out, value_words[i].before);
        if (strcmp(value_words[i].unit, "s") == 0)
            add_seconds(out, text + head, length - head - tail);
        else
            gl_str_add_bytes(out, text + head, length - head - tail);
        gl_str_add(out, value_words[i].after);
        return true;
    }
    return false;
}

/* Words of another version stand as they are. */
static void add_part(struct gl_str *out, const char *text, size_t length)
{
    if (add_valued(out, text, length))
        return;
    for (size_t i = 0; i < sizeof word_words / sizeof word_words[0]; i++)
        if (is_it(text, length, word_words[i].part)) {
            gl_str_add(out, word_words[i].words);
            return;
        }
    gl_str_add_bytes(out, text, length);
}

void gl_request_add_rule(const char *rule, struct gl_str *out)
{
    for (;;) {
        size_t length = strcspn(rule, ";");

        add_part(out, rule, length);
        if (rule[length] == '\0')
            return;
        gl_str_add(out, ", ");
        rule += length + 1;
    }
}
