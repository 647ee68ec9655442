/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What each provider discloses, cell by cell. Sources were read as public copies of documentation,
 * specifications and threads; each may lag the live page. An answer's documented members are taken
 * as all of it: where they hold no signature, the answer is not signed. A survey that found nothing
 * is no proof that there is nothing: such cells are unknown.
 */

#include "providers/data/index.h"

#define SURVEYED "2026-11-21"
#define READ     "2026-11-22"

#define AWS_WELCOME "https://docs.aws.amazon.com/sustainability/latest/APIReference/Welcome.html"
#define AWS_MODEL   "boto/botocore botocore/data/sustainability/2018-05-10/service-2.json"
#define GCP_SCHEMA  "https://docs.cloud.google.com/carbon-footprint/docs/data-schema"
#define GCP_REGIONS "GoogleCloudPlatform/region-carbon-info data/yearly"
#define GCP_FINDER  "https://docs.cloud.google.com/location-finder"
#define AZURE_SPEC                                                                              \
    "Azure/azure-rest-api-specs specification/carbon/resource-manager/Microsoft.Carbon/Carbon/" \
    "stable/2025-04-01"
#define AZURE_EXPORT  "https://learn.microsoft.com carbon-optimization/api-export-data"
#define OVH_GUIDE     "ovh/docs, How to obtain the carbon footprint (2025-06-17)"
#define OVH_ASKED     "https://github.com/ovh/public-cloud-roadmap/issues/181"
#define SCW_FOOTPRINT "scaleway/scaleway-sdk-go api/environmental_footprint/v1alpha1"
#define SCW_CATALOGUE "scaleway/scaleway-sdk-go api/product_catalog/v2alpha1"
#define ORACLE_PAGE \
    "https://docs.oracle.com/en-us/iaas/Content/General/Concepts/emissions-management.htm"
#define ORACLE_BLOG                                                                   \
    "https://blogs.oracle.com/cloud-infrastructure/oci-carbon-emissions-power-based-" \
    "calculations"
#define ORACLE_SDK  "oracle/oci-go-sdk usageapi"
#define ALIBABA_SDK "https://libraries.io/pypi/alibabacloud-carbonfootprint20230711-py2"
#define SURVEY      "docs/index-of-providers.md, survey of provider APIs"
#define DO_EVIDENCE "https://github.com/thegreenwebfoundation/admin-portal/issues/284"

#define ALIBABA_SILENT                                                                          \
    {                                                                                           \
        GL_DISCLOSED_UNKNOWN,                                                                   \
            "What was read of the API CarbonFootprint (2023-07-11) does not say.", ALIBABA_SDK, \
            READ                                                                                \
    }
#define NONE_FOUND                                                                               \
    {                                                                                            \
        GL_DISCLOSED_UNKNOWN,                                                                    \
            "A survey of the provider's API found no carbon or energy figure; that is no proof " \
            "that none "                                                                         \
            "is disclosed.",                                                                     \
            SURVEY, SURVEYED                                                                     \
    }

/* Sorted by cloud; cells in the order of enum gl_disclosure_column. */
static const struct gl_disclosure_row rows[] = {
    {"alibaba",
     "Alibaba Cloud",
     {ALIBABA_SILENT,
      ALIBABA_SILENT,
      {GL_DISCLOSED_YES, "An SDK of the API CarbonFootprint, version 2023-07-11, is published.",
       ALIBABA_SDK, READ},
      ALIBABA_SILENT,
      ALIBABA_SILENT,
      ALIBABA_SILENT}},
    {"aws",
     "Amazon Web Services",
     {{GL_DISCLOSED_NO,
       "Emissions are aggregated by month, quarter or year; the month is the finest.", AWS_WELCOME,
       READ},
      {GL_DISCLOSED_NO, "Emissions are grouped by account, region and service, not by instance.",
       AWS_WELCOME, READ},
      {GL_DISCLOSED_YES, "The Sustainability service answers with an account's emissions by API.",
       AWS_WELCOME, READ},
      {GL_DISCLOSED_NO, "Its operations return estimates for past usage; none looks ahead.",
       AWS_MODEL, SURVEYED},
      {GL_DISCLOSED_NO,
       "The figures are of the account's own usage: there is none before something has run.",
       AWS_MODEL, SURVEYED},
      {GL_DISCLOSED_NO,
       "A result holds a period, dimensions, a model version and values, and no signature.",
       AWS_MODEL, SURVEYED}}},
    {"azure",
     "Microsoft Azure",
     {{GL_DISCLOSED_NO, "Reports of Carbon Optimization cover whole months.", AZURE_SPEC, SURVEYED},
      {GL_DISCLOSED_YES,
       "An ItemDetailsReport by Resource gives each resource, so each virtual machine, its figure "
       "of a month.",
       AZURE_SPEC, SURVEYED},
      {GL_DISCLOSED_YES, "carbonEmissionReports of the resource manager answer by API.", AZURE_SPEC,
       SURVEYED},
      {GL_DISCLOSED_NO, "The newest report is of the month before, from about its 19th day on.",
       AZURE_EXPORT, SURVEYED},
      {GL_DISCLOSED_NO, "Reports are of what subscriptions have used.", AZURE_SPEC, SURVEYED},
      {GL_DISCLOSED_NO,
       "The documented answer holds emissions and access decisions, and no signature.", AZURE_SPEC,
       SURVEYED}}},
    {"digitalocean",
     "DigitalOcean",
     {NONE_FOUND,
      NONE_FOUND,
      NONE_FOUND,
      NONE_FOUND,
      {GL_DISCLOSED_UNKNOWN,
       "A public request of 2022-08-12 that the provider publish where its regions stand was open "
       "when it was read.",
       DO_EVIDENCE, READ},
      NONE_FOUND}},
    {"gcp",
     "Google Cloud",
     {{GL_DISCLOSED_PARTLY,
       "The carbon-free share of a region is matched hour by hour but published as one figure a "
       "year.",
       GCP_REGIONS, SURVEYED},
      {GL_DISCLOSED_NO,
       "The footprint export names project, service and location by month, and no instance.",
       GCP_SCHEMA, READ},
      {GL_DISCLOSED_YES, "Footprints are exported to BigQuery in a documented schema.", GCP_SCHEMA,
       READ},
      {GL_DISCLOSED_NO, "Export and region table are of past months and years.", GCP_SCHEMA, READ},
      {GL_DISCLOSED_PARTLY,
       "Cloud Location Finder tells the carbon-free share of a region, a figure of a past year, "
       "before a launch; none of an instance type.",
       GCP_FINDER, SURVEYED},
      {GL_DISCLOSED_NO, "The documented columns of the export hold no signature.", GCP_SCHEMA,
       SURVEYED}}},
    {"hetzner",
     "Hetzner",
     {NONE_FOUND, NONE_FOUND, NONE_FOUND, NONE_FOUND, NONE_FOUND, NONE_FOUND}},
    {"oracle",
     "Oracle Cloud Infrastructure",
     {{GL_DISCLOSED_UNKNOWN,
       "What was read does not say how short a time the emissions are given for.", ORACLE_PAGE,
       READ},
      {GL_DISCLOSED_PARTLY,
       "Emissions are grouped by service, product, compartment and the customer's tags, not by "
       "instance.",
       ORACLE_PAGE, READ},
      {GL_DISCLOSED_YES, "Power-based and spend-based emissions are given by the Usage API.",
       ORACLE_BLOG, READ},
      {GL_DISCLOSED_UNKNOWN, "What was read does not speak of a forecast.", ORACLE_PAGE, READ},
      {GL_DISCLOSED_PARTLY,
       "cleanEnergyUsages tells the clean-energy share of a region before a launch; none of an "
       "instance type.",
       ORACLE_SDK, SURVEYED},
      {GL_DISCLOSED_UNKNOWN, "What was read does not say whether figures are signed.", ORACLE_PAGE,
       READ}}},
    {"ovh",
     "OVHcloud",
     {{GL_DISCLOSED_NO, "The footprint is one of an account and a month.", OVH_GUIDE, SURVEYED},
      {GL_DISCLOSED_NO,
       "A figure of each instance has been asked for in public since 2022; virtual machines were "
       "not served when it was read.",
       OVH_ASKED, SURVEYED},
      {GL_DISCLOSED_PARTLY,
       "A task of the API answers with a link to a PDF document that is valid for 24 hours.",
       OVH_GUIDE, SURVEYED},
      {GL_DISCLOSED_NO, "Months of the past 24 can be asked for, not the current one.", OVH_GUIDE,
       SURVEYED},
      {GL_DISCLOSED_NO, "The footprint is of what an account has used.", OVH_GUIDE, SURVEYED},
      {GL_DISCLOSED_UNKNOWN, "What was read does not say whether the document is signed.",
       OVH_GUIDE, SURVEYED}}},
    {"scaleway",
     "Scaleway",
     {{GL_DISCLOSED_NO, "Impact is asked for by first and last date; nothing is given by the hour.",
       SCW_FOOTPRINT, SURVEYED},
      {GL_DISCLOSED_PARTLY,
       "Impact is by project, region, zone and product, not by single instance.", SCW_FOOTPRINT,
       SURVEYED},
      {GL_DISCLOSED_YES, "The Environmental Footprint API answers with grams and water.",
       SCW_FOOTPRINT, SURVEYED},
      {GL_DISCLOSED_NO,
       "Impact is of past dates and the catalogue's estimate has no time; neither looks ahead.",
       SCW_FOOTPRINT, SURVEYED},
      {GL_DISCLOSED_YES,
       "The public catalogue gives an estimated impact of each product beside its price.",
       SCW_CATALOGUE, SURVEYED},
      {GL_DISCLOSED_NO, "The documented answers hold grams and water, and no signature.",
       SCW_FOOTPRINT, SURVEYED}}},
};

size_t gl_data_disclosure(const struct gl_disclosure_row **out_rows)
{
    *out_rows = rows;
    return sizeof rows / sizeof *rows;
}
