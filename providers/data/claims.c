/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What clouds say of their own regions. A claim is told beside an offer and decides nothing: it
 * counts contracts and certificates (market accounting), and no rule of the grid's is ever satisfied
 * by it.
 */

#include "providers/data/tables.h"

#include <string.h>

/* Sorted by cloud and region. */
static const struct gl_claim_row claims[] = {
    /* cloud, region, year, carbon-free permille, cg/kWh of the grid, source */
    {"gcp", "africa-south1", 2025, 150, 64142, GL_SRC_CLAIMS_GOOGLE},
    {"gcp", "asia-east1", 2025, 150, 42795, GL_SRC_CLAIMS_GOOGLE},
    {"gcp", "asia-east2", 2025, 20, 48852, GL_SRC_CLAIMS_GOOGLE},
    {"gcp", "asia-northeast1", 2025, 230, 44923, GL_SRC_CLAIMS_GOOGLE},
    {"gcp", "asia-northeast2", 2025, 450, 29892, GL_SRC_CLAIMS_GOOGLE},
    {"gcp", "asia-northeast3", 2025, 370, 35905, GL_SRC_CLAIMS_GOOGLE},
    {"gcp", "asia-south1", 2025, 200, 59845, GL_SRC_CLAIMS_GOOGLE},
    {"gcp", "asia-south2", 2025, 390, 47255, GL_SRC_CLAIMS_GOOGLE},
    {"gcp", "asia-southeast1", 2025, 50, 36566, GL_SRC_CLAIMS_GOOGLE},
    {"gcp", "asia-southeast2", 2025, 150, 58780, GL_SRC_CLAIMS_GOOGLE},
    {"gcp", "asia-southeast3", 2025, 190, 36468, GL_SRC_CLAIMS_GOOGLE},
    {"gcp", "australia-southeast1", 2025, 370, 46834, GL_SRC_CLAIMS_GOOGLE},
    {"gcp", "australia-southeast2", 2025, 440, 41589, GL_SRC_CLAIMS_GOOGLE},
    {"gcp", "europe-central2", 2025, 810, 49857, GL_SRC_CLAIMS_GOOGLE},
    {"gcp", "europe-north1", 2025, 980, 2984, GL_SRC_CLAIMS_GOOGLE},
    {"gcp", "europe-north2", 2025, 1000, 1939, GL_SRC_CLAIMS_GOOGLE},
    {"gcp", "europe-southwest1", 2025, 870, 9575, GL_SRC_CLAIMS_GOOGLE},
    {"gcp", "europe-west1", 2025, 790, 12643, GL_SRC_CLAIMS_GOOGLE},
    {"gcp", "europe-west10", 2025, 700, 27581, GL_SRC_CLAIMS_GOOGLE},
    {"gcp", "europe-west12", 2025, 790, 20203, GL_SRC_CLAIMS_GOOGLE},
    {"gcp", "europe-west2", 2025, 750, 10939, GL_SRC_CLAIMS_GOOGLE},
    {"gcp", "europe-west3", 2025, 700, 27581, GL_SRC_CLAIMS_GOOGLE},
    {"gcp", "europe-west4", 2025, 820, 19435, GL_SRC_CLAIMS_GOOGLE},
    {"gcp", "europe-west5", 2025, 700, 27581, GL_SRC_CLAIMS_GOOGLE},
    {"gcp", "europe-west6", 2025, 970, 2120, GL_SRC_CLAIMS_GOOGLE},
    {"gcp", "europe-west8", 2025, 790, 20203, GL_SRC_CLAIMS_GOOGLE},
    {"gcp", "europe-west9", 2025, 960, 1583, GL_SRC_CLAIMS_GOOGLE},
    {"gcp", "me-central1", 2025, 0, 37000, GL_SRC_CLAIMS_GOOGLE},
    {"gcp", "me-central2", 2025, 10, 38129, GL_SRC_CLAIMS_GOOGLE},
    {"gcp", "me-west1", 2025, 130, 38095, GL_SRC_CLAIMS_GOOGLE},
    {"gcp", "northamerica-northeast1", 2025, 970, 1136, GL_SRC_CLAIMS_GOOGLE},
    {"gcp", "northamerica-northeast2", 2025, 800, 7420, GL_SRC_CLAIMS_GOOGLE},
    {"gcp", "northamerica-south1", 2025, 250, 29325, GL_SRC_CLAIMS_GOOGLE},
    {"gcp", "southamerica-east1", 2025, 870, 7325, GL_SRC_CLAIMS_GOOGLE},
    {"gcp", "southamerica-west1", 2025, 900, 20994, GL_SRC_CLAIMS_GOOGLE},
    {"gcp", "us-central1", 2025, 880, 43195, GL_SRC_CLAIMS_GOOGLE},
    {"gcp", "us-central2", 2025, 840, 41739, GL_SRC_CLAIMS_GOOGLE},
    {"gcp", "us-east1", 2025, 310, 57944, GL_SRC_CLAIMS_GOOGLE},
    {"gcp", "us-east2", 2025, 420, 39120, GL_SRC_CLAIMS_GOOGLE},
    {"gcp", "us-east4", 2025, 570, 34348, GL_SRC_CLAIMS_GOOGLE},
    {"gcp", "us-east5", 2025, 570, 34348, GL_SRC_CLAIMS_GOOGLE},
    {"gcp", "us-east7", 2025, 580, 33989, GL_SRC_CLAIMS_GOOGLE},
    {"gcp", "us-south1", 2025, 830, 29913, GL_SRC_CLAIMS_GOOGLE},
    {"gcp", "us-west1", 2025, 830, 9785, GL_SRC_CLAIMS_GOOGLE},
    {"gcp", "us-west2", 2025, 660, 14991, GL_SRC_CLAIMS_GOOGLE},
    {"gcp", "us-west3", 2025, 360, 56751, GL_SRC_CLAIMS_GOOGLE},
    {"gcp", "us-west4", 2025, 650, 36000, GL_SRC_CLAIMS_GOOGLE},
};

size_t gl_data_claims(const struct gl_claim_row **out_rows)
{
    *out_rows = claims;
    return sizeof claims / sizeof *claims;
}

const struct gl_claim_row *gl_data_claim(const char *cloud, const char *region)
{
    for (size_t i = 0; i < sizeof claims / sizeof *claims; i++)
        if (strcmp(claims[i].cloud, cloud) == 0 && strcmp(claims[i].region, region) == 0)
            return &claims[i];
    return NULL;
}
