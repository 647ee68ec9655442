/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What each provider publicly wants to reach, beside what it last reported. All of it is the
 * provider's own word, at times as others printed it; none of it says what the grid delivers in an
 * hour. Read as public copies, each of which may lag the live page: a newer figure may exist.
 */

#include "providers/data/index.h"

#include <stddef.h>

#define READ "2026-11-22"

#define UNREAD(address, day)                                                               \
    {                                                                                      \
        .permille = -1, .year = -1, .source = (address), .dated = (day), .looked_at = READ \
    }

#define ALIBABA_2023                                                                        \
    "https://www.dailycsr.com/Low-Carbon-Travel-Resource-Conservation-Alibaba-s-Impactful-" \
    "Initiatives_a2948.html"
#define SCALEWAY_PAGE "https://www.scaleway.com/en/environmental-leadership/"
#define DO_EVIDENCE   "https://github.com/thegreenwebfoundation/admin-portal/issues/284"
#define HETZNER_SAYS  "https://github.com/SpareCores/sc-crawler/issues/32"

/* Sorted by cloud. */
static const struct gl_pledge_row rows[] = {
    {"alibaba",
     "Alibaba Cloud",
     {"Run all global data centres on clean energy.", "100 % clean", 1000, 2030,
      GL_PLEDGE_COUNTING_UNKNOWN, ALIBABA_2023, "2023", READ},
     {"Clean electricity in self-built data centres, fiscal year to March 2024.", "56.0 % clean",
      560, 2024, GL_PLEDGE_COUNTING_UNKNOWN,
      "http://carbon.kcomber.com/en/news/36ca7afd-64f4-4754-8c51-498c7729d2e5", "2024-07", READ}},
    {"aws",
     "Amazon Web Services",
     {"Match all electricity of Amazon's operations with renewable energy; set in 2019.",
      "100 % renewable", 1000, 2030, GL_PLEDGE_MARKET_YEARLY,
      "https://www.finanznachrichten.de/nachrichten-2024-07/62710982-amazon-hits-100-renewable-"
      "energy-goal-seven-years-ahead-of-schedule-451.htm",
      "2024-07", READ},
     {"Electricity of Amazon's operations matched with renewable energy, said to be reached seven "
      "years early.",
      "100 % renewable", 1000, 2023, GL_PLEDGE_MARKET_YEARLY,
      "https://www.marketscreener.com/quote/stock/AMAZON-COM-INC-12864605/news/Amazon-com-2023-"
      "Report-Executive-Summary-PDF-2-58-MB-47350709/",
      "2024-07-10", READ}},
    {"azure",
     "Microsoft Azure",
     {"Match all electricity, all of the time, by purchases of zero-carbon energy, hour by hour in "
      "the same grid.",
      "100 % zero-carbon", 1000, 2030, GL_PLEDGE_MARKET_HOURLY,
      "https://www.environmentalleader.com/2021/07/microsoft-announces-new-100-100-0-commitment-by-"
      "2030/",
      "2021-07", READ},
     {"Electricity of a year matched with renewable energy: another measure than the target's.",
      "100 % renewable", 1000, 2025, GL_PLEDGE_MARKET_YEARLY,
      "https://esg-investing.com/2026/02/18/microsoft-achieves-its-100-renewable-electricity-goal",
      "2026-02-18", READ}},
    {"digitalocean", "DigitalOcean", UNREAD(DO_EVIDENCE, "2022-08-12"),
     UNREAD(DO_EVIDENCE, "2022-08-12")},
    {"gcp",
     "Google Cloud",
     {"Run on carbon-free energy every hour of every day on every grid where it operates; set in "
      "2020.",
      "100 % carbon-free", 1000, 2030, GL_PLEDGE_MARKET_HOURLY,
      "https://sustainability.google/progress/energy/", "", READ},
     {"Carbon-free energy on an hourly basis, all of Google; regions differ: greenlaunch offers "
      "--json tells them.",
      "66 % carbon-free", 660, 2024, GL_PLEDGE_MARKET_HOURLY,
      "https://blog.google/outreach-initiatives/sustainability/environmental-report-2025", "2025",
      READ}},
    {"hetzner",
     "Hetzner",
     UNREAD(HETZNER_SAYS, "2024-11-27"),
     {"All data centres powered by green energy, as its home page was quoted; no year, no figure, "
      "no accounting.",
      NULL, -1, -1, GL_PLEDGE_COUNTING_UNKNOWN, HETZNER_SAYS, "2024-11-27", READ}},
    {"oracle",
     "Oracle Cloud Infrastructure",
     {"Power its global operations, facilities and cloud, with renewable energy.",
      "100 % renewable", 1000, 2025, GL_PLEDGE_COUNTING_UNKNOWN,
      "https://esg-investing.com/2021/06/23/oracle-targets-100-renewable-energy-use-in-global-"
      "operations-by-2025/",
      "2021-06-23", READ},
     {"European cloud regions at 100 % renewable energy; cloud regions in the USA at 16 % in the "
      "report of 2020. No newer figure of all regions was found.",
      NULL, -1, 2021, GL_PLEDGE_COUNTING_UNKNOWN,
      "https://www.datacenterdynamics.com/en/news/oracle-expands-2025-carbon-pledge-to-include-"
      "non-cloud-facilities/",
      "2021-06", READ}},
    {"ovh",
     "OVHcloud",
     {"Reach net zero; no share of electricity was stated in what was read.", "net zero", -1, 2030,
      GL_PLEDGE_COUNTING_UNKNOWN,
      "https://www.lemondeinformatique.fr/les-dossiers/lire-le-modele-industriel-d-ovhcloud-est-"
      "une-reponse-aux-defis-environnementaux-actuels--tristan-vuillier-1316.html",
      "", READ},
     {"Electricity of the data centres from renewable sources, guarantees of origin counted, "
      "fiscal year 2021.",
      "78 % renewable", 780, 2021, GL_PLEDGE_MARKET,
      "https://www.silicon.fr/6-indicateurs-empreinte-environnementale-ovhcloud-453367.html",
      "2022-11", READ}},
    {"scaleway",
     "Scaleway",
     UNREAD(SCALEWAY_PAGE, ""),
     {"Electricity mainly from hydro power and in every case from renewable sources, as told in "
      "October 2020; neither a share nor its accounting was stated.",
      NULL, -1, 2020, GL_PLEDGE_COUNTING_UNKNOWN,
      "https://www.informatiquenews.fr/scaleway-veut-etre-plus-efficient-mais-surtout-plus-vert-"
      "74063",
      "2020-10", READ}},
};

size_t gl_data_pledges(const struct gl_pledge_row **out_rows)
{
    *out_rows = rows;
    return sizeof rows / sizeof *rows;
}
