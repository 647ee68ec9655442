/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What a gigabyte costs at most on its way from one region of a cloud to another, micro-dollars.
 * The first row that fits counts; what has none is unknown, and so are the separate clouds of
 * China and of governments.
 *
 * AWS: price of the source region to all others (between its two eastern regions of the United
 * States it is half of that). Azure, Google: the dearest class of a published list, so that any
 * pair of regions costs at most that; most pairs cost far less.
 */

#include <string.h>

#include "providers/data/tables.h"

#define UNKNOWN (-1)

static const struct gl_egress_row rows[] = {
    {"aws", "af-south-1", 147000, GL_SRC_EGRESS_AWS},
    {"aws", "ap-east-1", 90000, GL_SRC_EGRESS_AWS},
    {"aws", "ap-northeast-1", 90000, GL_SRC_EGRESS_AWS},
    {"aws", "ap-northeast-2", 80000, GL_SRC_EGRESS_AWS},
    {"aws", "ap-northeast-3", 90000, GL_SRC_EGRESS_AWS},
    {"aws", "ap-south-1", 86000, GL_SRC_EGRESS_AWS},
    {"aws", "ap-south-2", 86000, GL_SRC_EGRESS_AWS},
    {"aws", "ap-southeast-1", 90000, GL_SRC_EGRESS_AWS},
    {"aws", "ap-southeast-2", 98000, GL_SRC_EGRESS_AWS},
    {"aws", "ap-southeast-5", 80000, GL_SRC_EGRESS_AWS},
    {"aws", "ca-central-1", 20000, GL_SRC_EGRESS_AWS},
    {"aws", "ca-west-1", 20000, GL_SRC_EGRESS_AWS},
    {"aws", "eu-central-1", 20000, GL_SRC_EGRESS_AWS},
    {"aws", "eu-north-1", 20000, GL_SRC_EGRESS_AWS},
    {"aws", "eu-south-1", 20000, GL_SRC_EGRESS_AWS},
    {"aws", "eu-west-1", 20000, GL_SRC_EGRESS_AWS},
    {"aws", "eu-west-2", 20000, GL_SRC_EGRESS_AWS},
    {"aws", "eu-west-3", 20000, GL_SRC_EGRESS_AWS},
    {"aws", "il-central-1", 80000, GL_SRC_EGRESS_AWS},
    {"aws", "me-south-1", 110500, GL_SRC_EGRESS_AWS},
    {"aws", "sa-east-1", 138000, GL_SRC_EGRESS_AWS},
    {"aws", "us-east-1", 20000, GL_SRC_EGRESS_AWS},
    {"aws", "us-east-2", 20000, GL_SRC_EGRESS_AWS},
    {"aws", "us-gov-east-1", 30000, GL_SRC_EGRESS_AWS},
    {"aws", "us-gov-west-1", 30000, GL_SRC_EGRESS_AWS},
    {"aws", "us-west-1", 20000, GL_SRC_EGRESS_AWS},
    {"aws", "us-west-2", 20000, GL_SRC_EGRESS_AWS},
    {"azure", "china*", UNKNOWN, GL_SRC_EGRESS_AZURE},
    {"azure", "us?o*", UNKNOWN, GL_SRC_EGRESS_AZURE}, /* usgov..., usdod... */
    {"azure", "*", 160000, GL_SRC_EGRESS_AZURE},
    {"gcp", "*", 157000, GL_SRC_EGRESS_GCP},
    {"local", "*", 0, GL_SRC_EGRESS_LOCAL},
};

const struct gl_egress_row *gl_data_egress(const char *cloud, const char *region)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (strcmp(rows[i].cloud, cloud) == 0 &&
            (strcmp(rows[i].region, "*") == 0 ||
             (region != NULL && gl_glob_match(rows[i].region, region))))
            return rows[i].u_usd_per_gb != UNKNOWN ? &rows[i] : NULL;
    return NULL;
}

size_t gl_data_egress_rows(const struct gl_egress_row **out_rows)
{
    *out_rows = rows;
    return sizeof rows / sizeof *rows;
}
