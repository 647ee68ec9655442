/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/feed_part.h"

#include <stdlib.h>
#include <string.h>

#define HOUR_MS INT64_C(3600000)

/* Signals of the months that are told, all together and month by month. */
struct told {
    const struct gl_demand_own *own;
    int first_month;
    struct gl_clustering *all, *months[GL_DEMAND_MONTHS];
    char (*due)[GL_HASH_HEX]; /* fingerprints above the threshold, sorted */
    size_t due_count;
};

static void told_done(struct told *told)
{
    gl_clustering_free(told->all);
    for (int i = 0; i < GL_DEMAND_MONTHS; i++)
        gl_clustering_free(told->months[i]);
    free(told->due);
}

static int take(struct told *told, const struct gl_demand *demand, struct gl_error *err)
{
    int month = gl_demand_month((struct gl_instant){demand->at_ms / 1000}) - told->first_month;

    /* What only its user can offer is no provider's affair. */
    if (demand->is_demo != told->own->is_demo || !gl_demand_is_public(demand->provider) ||
        month < 0 || month >= GL_DEMAND_MONTHS)
        return 0;
    if (told->months[month] == NULL)
        told->months[month] = gl_clustering_new();
    if (gl_clustering_add(told->all, demand, err) != 0)
        return -1;
    return gl_clustering_add(told->months[month], demand, err);
}

static int take_event(void *cookie, const json_t *body, struct gl_error *err)
{
    const json_t *one, *signals = json_object_get(body, "signals");
    size_t i;

    json_array_foreach(signals, i, one)
    {
        struct gl_demand demand;

        if (gl_demand_of_json(one, &demand, err) != 0)
            return gl_fail(err, GL_E_TAMPERED, "ledger: a demand signal that cannot be read");
        if (take(cookie, &demand, err) != 0)
            return -1;
    }
    return 0;
}

/* ---- cells ---- */

static int fingerprint_order(const void *left, const void *right)
{
    return memcmp(left, right, GL_HASH_HEX);
}

static void find_due(struct told *told)
{
    size_t count;
    const struct gl_cluster *clusters = gl_clustering_end(told->all, &count);

    told->due = gl_alloc((count + 1) * sizeof *told->due);
    for (size_t i = 0; i < count; i++)
        if (gl_cluster_is_due(&clusters[i], &told->own->threshold))
            memcpy(told->due[told->due_count++], clusters[i].fingerprint, sizeof *told->due);
    if (told->due_count > 0)
        qsort(told->due, told->due_count, sizeof *told->due, fingerprint_order);
}

static struct gl_demand_cell cell_of(const struct gl_cluster *cluster, int month)
{
    const struct gl_demand *need = cluster->first;
    struct gl_demand_cell cell = {.month = month,
                                  .capability = need->capability,
                                  .grade = cluster->worst_grade,
                                  .launches = gl_demand_range_of(cluster->launches),
                                  .hours = gl_demand_range_of(cluster->wanted_ms / HOUR_MS),
                                  .gpu_hours = gl_demand_range_of(cluster->gpu_ms / HOUR_MS)};

    memcpy(cell.fingerprint, cluster->fingerprint, sizeof cell.fingerprint);
    memcpy(cell.provider, need->provider, sizeof cell.provider);
    memcpy(cell.region, need->region, sizeof cell.region);
    memcpy(cell.rule, need->rule, sizeof cell.rule);
    return cell;
}

struct cells {
    struct gl_demand_cell *items;
    size_t count, capacity;
};

static int add_cell(struct cells *cells, const struct gl_demand_cell *cell, struct gl_error *err)
{
    if (cells->count == GL_DEMAND_CELLS_MAX)
        return gl_fail(err, GL_E_TOO_LARGE, "a demand feed has at most %d cells",
                       GL_DEMAND_CELLS_MAX);
    if (cells->count == cells->capacity) {
        cells->capacity = cells->capacity > 0 ? cells->capacity * 2 : 256;
        cells->items = gl_realloc(cells->items, cells->capacity * sizeof *cells->items);
    }
    cells->items[cells->count++] = *cell;
    return 0;
}

static int add_month(const struct told *told, int month, struct cells *cells, struct gl_error *err)
{
    size_t count;
    const struct gl_cluster *clusters = gl_clustering_end(told->months[month], &count);

    for (size_t i = 0; i < count; i++) {
        struct gl_demand_cell cell = cell_of(&clusters[i], told->first_month + month);

        if (bsearch(cell.fingerprint, told->due, told->due_count, sizeof *told->due,
                    fingerprint_order) != NULL &&
            add_cell(cells, &cell, err) != 0)
            return -1;
    }
    return 0;
}

static json_t *document_of(const struct told *told, struct cells *cells, struct gl_error *err)
{
    json_t *list = gl_demand_cells_json(cells->items, cells->count, false, err);

    if (list == NULL)
        return NULL;
    return json_pack("{s:i,s:s,s:b,s:I,s:{s:I,s:I},s:o}", "greenlaunch_demand", 1, "kind", "own",
                     "demo", told->own->is_demo, "issued_s", (json_int_t)told->own->now.unix_s,
                     "threshold", "refused", (json_int_t)told->own->threshold.refused, "days",
                     (json_int_t)told->own->threshold.days, "cells", list);
}

json_t *gl_demand_feed_own(struct gl_ledger *ledger, const struct gl_demand_own *own,
                           size_t *out_count, struct gl_error *err)
{
    GL_AUTO(told_done)
    struct told told = {.own = own,
                        .first_month = gl_demand_month(own->now) - GL_DEMAND_MONTHS + 1,
                        .all = gl_clustering_new()};
    struct cells cells = {NULL, 0, 0};
    json_t *document = NULL;
    int rc = gl_ledger_demands(ledger, gl_demand_month_start(told.first_month).unix_s * 1000, &told,
                               take_event, err);

    find_due(&told);
    for (int i = 0; rc == 0 && i < GL_DEMAND_MONTHS; i++)
        if (told.months[i] != NULL)
            rc = add_month(&told, i, &cells, err);
    if (rc == 0)
        document = document_of(&told, &cells, err);
    if (document != NULL)
        *out_count = cells.count;
    free(cells.items);
    return document;
}
