/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/hook/k8s_part.h"
#include "providers/data/data.h"

#include <string.h>

/* Which cloud a cluster is in is nowhere in its objects; the names of its places and machines may
 * tell, when only one cloud has them. */

struct cloud_row {
    const char *cloud, *provider; /* as the mapping calls it */
};
static const struct cloud_row clouds[] = {
    {"aws", "aws"},
    {"azure", "azurerm"},
    {"gcp", "google"},
    {"hetzner", "hcloud"},
    {"digitalocean", "digitalocean"},
    {"ovh", "ovh"},
    {"scaleway", "scaleway"},
    {"oracle", "oci"},
};
#define CLOUDS (sizeof clouds / sizeof clouds[0])

/* The only one; NULL as soon as there is a second. */
static void add(const char *cloud, const char **only, bool *is_ambiguous)
{
    if (*only != NULL)
        *is_ambiguous = true;
    *only = cloud;
}

const char *gl_k8s_cloud_of_type(const char *type)
{
    const char *only = NULL;
    bool is_ambiguous = false;

    for (size_t i = 0; i < CLOUDS; i++)
        if (gl_data_type(clouds[i].cloud, type) != NULL)
            add(clouds[i].cloud, &only, &is_ambiguous);
    return is_ambiguous ? NULL : only;
}

const char *gl_k8s_cloud_of_region(const char *region)
{
    const char *only = NULL;
    bool is_ambiguous = false;

    for (size_t i = 0; i < CLOUDS; i++)
        if (gl_data_region(clouds[i].cloud, region) != NULL)
            add(clouds[i].cloud, &only, &is_ambiguous);
    return is_ambiguous ? NULL : only;
}

/* AKS writes "westeurope-1". */
static const char *azure_region(const char *zone, struct gl_arena *arena)
{
    const char *dash = strrchr(zone, '-');

    if (dash == NULL || dash[1] == '\0' || dash[1 + strspn(dash + 1, "0123456789")] != '\0')
        return NULL;
    return gl_arena_text(arena, zone, (size_t)(dash - zone));
}

static const char *region_in(const struct gl_k8s *k8s, const struct cloud_row *row,
                             const char *zone)
{
    struct gl_arena *arena = &k8s->plan->arena;
    const char *region =
        strcmp(row->cloud, "azure") == 0
            ? azure_region(zone, arena)
            : gl_mapping_region(gl_mapping_provider(k8s->options->mapping, row->provider),
                                GL_PLACE_ZONE, zone, arena);

    return region;
}

const char *gl_k8s_region_of_zone(const struct gl_k8s *k8s, const char *cloud, const char *zone,
                                  const char **out_cloud)
{
    const char *only = NULL, *found = NULL;
    bool is_ambiguous = false;

    for (size_t i = 0; i < CLOUDS; i++) {
        const char *region;

        if (cloud != NULL && strcmp(cloud, clouds[i].cloud) != 0)
            continue;
        region = region_in(k8s, &clouds[i], zone);
        if (region == NULL || (cloud == NULL && gl_data_region(clouds[i].cloud, region) == NULL))
            continue;
        add(clouds[i].cloud, &only, &is_ambiguous);
        found = region;
    }
    if (is_ambiguous || found == NULL)
        return NULL;
    *out_cloud = only;
    return found;
}
