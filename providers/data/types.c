/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Instance types: one table over all clouds, sorted by cloud and name (bytes); the rows of each
 * cloud are in types_<cloud>.inc.
 *
 * Columns: cloud, name, vCPUs, memory in MiB, architecture, CPU family, GPU, GPUs, watts a GPU,
 * baseline permille of a vCPU, local NVMe in GB (0: none, or not recorded), source.
 * Facts from the providers' own documentation, through the files named in sources.c
 * (GL_SRC_TYPES_*). Where one name is served by several CPU generations the row says so by its
 * source (..._MIXED, ..._BURST, ..._SHARED); Graviton 3 and 4, Axion, Cobalt and Yitian have no
 * published power curve, so their family is NULL.
 */

#include "providers/data/tables.h"

const struct gl_type_row gl_type_rows[] = {
#include "providers/data/types_alibaba.inc"
#include "providers/data/types_aws.inc"
#include "providers/data/types_azure.inc"
#include "providers/data/types_digitalocean.inc"
#include "providers/data/types_gcp.inc"
#include "providers/data/types_hetzner.inc"
#include "providers/data/types_oracle.inc"
#include "providers/data/types_ovh.inc"
#include "providers/data/types_scaleway.inc"
};

const size_t gl_type_row_count = sizeof gl_type_rows / sizeof gl_type_rows[0];
