/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/cloud/catalog.h"
#include "providers/cloud/remote_part.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CALLS_MAX 20000 /* of one cloud in one refresh: a provider whose pages never end */

/* ---- rows, found again by region, zone and type ---- */

struct gl_catalog {
    struct gl_catalog_row *rows;
    size_t count, capacity;
    uint32_t *slots; /* 1 + index of a row; a power of two, at most half full */
    size_t slot_count;
};

void gl_catalog_row_init(struct gl_catalog_row *out, const char *region, const char *type)
{
    *out = (struct gl_catalog_row){.price_u_usd = GL_UNKNOWN,
                                   .spot_u_usd = GL_UNKNOWN,
                                   .price_u_own = GL_UNKNOWN,
                                   .cfe_ppm = -1,
                                   .estimate_ug = -1};
    snprintf(out->region, sizeof out->region, "%s", region);
    snprintf(out->type, sizeof out->type, "%s", type);
}

static uint64_t mix(uint64_t hash, const char *text)
{
    for (; *text != '\0'; text++)
        hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001b3); /* FNV-1a */
    return (hash ^ 0xff) * UINT64_C(0x100000001b3);
}

static uint64_t hash_of(const struct gl_catalog_row *row)
{
    return mix(mix(mix(UINT64_C(0xcbf29ce484222325), row->region), row->zone), row->type);
}

static bool is_same(const struct gl_catalog_row *a, const struct gl_catalog_row *b)
{
    return strcmp(a->region, b->region) == 0 && strcmp(a->zone, b->zone) == 0 &&
           strcmp(a->type, b->type) == 0;
}

/* The slot of the row, or the free one where it would go. */
static uint32_t *slot_of(const struct gl_catalog *catalog, const struct gl_catalog_row *row)
{
    for (size_t at = hash_of(row);; at++) {
        uint32_t *slot = &catalog->slots[at & (catalog->slot_count - 1)];

        if (*slot == 0 || is_same(&catalog->rows[*slot - 1], row))
            return slot;
    }
}

static void grow(struct gl_catalog *catalog)
{
    catalog->capacity = catalog->capacity > 0 ? catalog->capacity * 2 : 256;
    catalog->rows = gl_realloc(catalog->rows, catalog->capacity * sizeof *catalog->rows);
    catalog->slot_count = catalog->capacity * 2;
    free(catalog->slots);
    catalog->slots = gl_alloc(catalog->slot_count * sizeof *catalog->slots);
    for (size_t i = 0; i < catalog->count; i++)
        *slot_of(catalog, &catalog->rows[i]) = (uint32_t)i + 1;
}

static void fill_number(uint32_t *into, uint32_t from)
{
    if (*into == 0)
        *into = from;
}

static void fill_known(int64_t *into, int64_t from, int64_t unknown)
{
    if (*into == unknown)
        *into = from;
}

static void fill_text(char *into, const char *from, size_t size)
{
    if (into[0] == '\0')
        snprintf(into, size, "%s", from);
}

static void fill(struct gl_catalog_row *into, const struct gl_catalog_row *from)
{
    fill_text(into->country, from->country, sizeof into->country);
    fill_text(into->arch, from->arch, sizeof into->arch);
    fill_text(into->gpu, from->gpu, sizeof into->gpu);
    if (into->host[0] != '\0' && from->host[0] != '\0' && strcmp(into->host, from->host) != 0)
        snprintf(into->host, sizeof into->host, GL_CATALOG_MIXED);
    fill_text(into->host, from->host, sizeof into->host);
    fill_number(&into->vcpus, from->vcpus);
    fill_number(&into->memory_mib, from->memory_mib);
    fill_number(&into->gpu_count, from->gpu_count);
    fill_known(&into->price_u_usd, from->price_u_usd, GL_UNKNOWN);
    fill_known(&into->spot_u_usd, from->spot_u_usd, GL_UNKNOWN);
    fill_known(&into->cfe_ppm, from->cfe_ppm, -1);
    fill_known(&into->estimate_ug, from->estimate_ug, -1);
    if (into->price_u_own == GL_UNKNOWN) {
        into->price_u_own = from->price_u_own;
        memcpy(into->currency, from->currency, sizeof into->currency);
    }
    if (!into->is_offered_known && from->is_offered_known) {
        into->is_offered_known = true;
        into->is_offered = from->is_offered;
    }
}

void gl_catalog_add(struct gl_catalog *catalog, const struct gl_catalog_row *row)
{
    uint32_t *slot;

    if (catalog->count == catalog->capacity && catalog->count < GL_CATALOG_ROWS)
        grow(catalog);
    slot = slot_of(catalog, row);
    if (*slot != 0) {
        fill(&catalog->rows[*slot - 1], row);
        return;
    }
    if (catalog->count >= GL_CATALOG_ROWS)
        return;
    catalog->rows[catalog->count++] = *row;
    *slot = (uint32_t)catalog->count;
}

size_t gl_catalog_rows(const struct gl_catalog *catalog, const struct gl_catalog_row **out)
{
    *out = catalog->rows;
    return catalog->count;
}

struct gl_catalog *gl_catalog_new(void)
{
    return gl_alloc(sizeof(struct gl_catalog));
}

void gl_catalog_free(struct gl_catalog *catalog)
{
    if (catalog == NULL)
        return;
    free(catalog->rows);
    free(catalog->slots);
    free(catalog);
}

/* ---- rounds ---- */

/* What one cloud is being asked. */
struct gl_catalog_round {
    struct gl_cloud *cloud;
    struct gl_remote_flight *flight;
    struct gl_catalog *catalog;
    struct gl_catalog_report *report;
    size_t open; /* calls without an outcome */
    bool is_over_full;
};

struct asked {
    struct gl_remote_call call;
    struct gl_catalog_round *round;
    int kind;
    char region[40];
};

void gl_catalog_ask(struct gl_catalog_round *round, struct gl_remote_call *call, int kind,
                    const char *region)
{
    struct asked *asked;

    if (round->report->calls >= CALLS_MAX) {
        round->is_over_full = true;
        gl_remote_call_done(call);
        return;
    }
    asked = gl_alloc(sizeof *asked);
    asked->call = *call;
    *call = (struct gl_remote_call){.method = NULL};
    asked->round = round;
    asked->kind = kind;
    snprintf(asked->region, sizeof asked->region, "%s", region != NULL ? region : "");
    if (asked->region[0] != '\0')
        asked->call.region = asked->region;
    round->report->calls++;
    round->open++;
    gl_remote_flight_add(round->flight, (struct gl_remote *)round->cloud, &asked->call, asked);
}

static void note_failure(struct gl_catalog_round *round, const struct gl_error *why,
                         const char *region)
{
    struct gl_catalog_report *report = round->report;

    report->failed++;
    if (report->first.code != GL_OK)
        return;
    report->first = *why;
    snprintf(report->region, sizeof report->region, "%s", region);
}

static void begin(struct gl_catalog_round *round)
{
    const struct gl_catalog_ops *ops = round->cloud->ops->catalog;
    struct gl_error err = {0};

    if (ops == NULL)
        gl_fail(&err, GL_E_NOT_FOUND, "%s has no live catalogue", round->cloud->ops->name);
    else
        ops->begin(round->cloud, round, &err);
    if (err.code != GL_OK)
        note_failure(round, &err, "");
}

static void read_answer(struct asked *asked, int64_t took_ms)
{
    struct gl_catalog_round *round = asked->round;
    struct gl_error err = {0};

    round->open--;
    if (round->cloud->ops->catalog->read(round->cloud, &asked->call, asked->kind, asked->region,
                                         round, round->catalog, &err) < 0)
        note_failure(round, &err, asked->region);
    else if (asked->call.err.code != GL_OK)
        note_failure(round, &asked->call.err, asked->region);
    if (round->is_over_full && err.code == GL_OK) {
        gl_fail(&err, GL_E_TOO_LARGE, "%s: more than %d calls for one catalogue",
                round->cloud->ops->name, CALLS_MAX);
        note_failure(round, &err, asked->region);
        round->is_over_full = false;
    }
    round->report->took_ms = took_ms;
    gl_remote_call_done(&asked->call);
    free(asked);
}

static void end_round(struct gl_catalog_round *round)
{
    struct gl_catalog_report *report = round->report;

    report->rows = round->catalog->count;
    report->is_whole = report->failed == 0 && report->calls > 0 && report->rows < GL_CATALOG_ROWS;
}

void gl_catalog_refresh(struct gl_cloud *const *clouds, size_t count, int64_t deadline_ms,
                        struct gl_catalog **catalogs, struct gl_catalog_report *reports)
{
    struct gl_catalog_round *rounds = gl_alloc((count + 1) * sizeof *rounds);
    const struct gl_world *world = count > 0 ? ((struct gl_remote *)clouds[0])->world : NULL;
    int64_t started_ms = count > 0 ? world->monotonic_ms(world->cookie) : 0;
    struct gl_remote_flight *flight =
        count > 0 ? gl_remote_flight_new(((struct gl_remote *)clouds[0])->http, world, deadline_ms)
                  : NULL;
    void *cookie;

    for (size_t i = 0; i < count; i++) {
        catalogs[i] = gl_catalog_new();
        reports[i] = (struct gl_catalog_report){.cloud = clouds[i]->ops->name};
        rounds[i] =
            (struct gl_catalog_round){clouds[i], flight, catalogs[i], &reports[i], 0, false};
        gl_remote_begin((struct gl_remote *)clouds[i], deadline_ms);
        begin(&rounds[i]);
    }
    while (count > 0 && gl_remote_flight_next(flight, &cookie) != NULL)
        read_answer(cookie, world->monotonic_ms(world->cookie) - started_ms);
    for (size_t i = 0; i < count; i++)
        end_round(&rounds[i]);
    gl_remote_flight_free(flight);
    free(rounds);
}
