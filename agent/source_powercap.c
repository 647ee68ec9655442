/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/rapl.h"
#include "agent/source.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* RAPL by the powercap class (Linux Documentation/ABI/testing/sysfs-class-powercap). Zones are
 * intel-rapl:N (packages, psys) and intel-rapl:N:M (dram, core, uncore), on AMD too; they stand in
 * the class folder or nested in each other. intel-rapl-mmio shows the same registers a second time
 * and is left out. The package does not hold dram; core and uncore are parts of it and only serve
 * to check it (P5). */

#define CLASS     "/sys/class/powercap"
#define ZONES_MAX 64
#define PACKAGE_W 500.0               /* what one package may draw (P1) */
#define PSYS_W    4000.0              /* and a whole platform */
#define QUIET_NS  INT64_C(1000000000) /* no package that runs draws nothing for so long */

enum zone_kind { ZONE_PACKAGE, ZONE_DRAM, ZONE_PART, ZONE_PSYS, ZONE_KINDS };

struct zone {
    char id[16]; /* "0" or "0:1" */
    char name[32];
    enum zone_kind kind;
    int fd;
    bool is_genuine, has_before;
    uint64_t before_uj, range_uj;
    double most_w;
};

struct powercap {
    size_t count;
    struct zone zones[ZONES_MAX];
};

/* What one kind of zones gave in one look. */
struct kind_sum {
    size_t zones, failed;
    int64_t uj;
    uint32_t flags;
    bool is_genuine;
};

/* Package and DRAM counters follow a power meter within 5.6 % once calibrated (Khan et al. 2016,
 * doi 10.1007/s00450-016-0325-4); DRAM has an offset besides (Desrochers et al. 2016: judgement).
 * psys takes in the platform as the board's designer wired it: judgement. */
static const struct gl_accuracy package_accuracy = {0.944, 1.056};
static const struct gl_accuracy dram_accuracy = {0.8, 1.2};
static const struct gl_accuracy psys_accuracy = {0.9, 1.1};

/* ---- discovery ---- */

static const struct {
    const char *prefix;
    enum zone_kind kind;
} zone_names[] = {
    {"package", ZONE_PACKAGE}, {"dram", ZONE_DRAM}, {"core", ZONE_PART},
    {"uncore", ZONE_PART},     {"psys", ZONE_PSYS},
};

static bool kind_of_name(const char *name, enum zone_kind *out)
{
    for (size_t i = 0; i < sizeof zone_names / sizeof zone_names[0]; i++)
        if (strncmp(name, zone_names[i].prefix, strlen(zone_names[i].prefix)) == 0) {
            *out = zone_names[i].kind;
            return true;
        }
    return false;
}

static bool is_known(const struct powercap *powercap, const char *id, const char *name,
                     enum zone_kind kind)
{
    for (size_t i = 0; i < powercap->count; i++) {
        const struct zone *zone = &powercap->zones[i];

        if (strcmp(zone->id, id) == 0)
            return true;
        /* one package under two numbers is one package */
        if (kind == ZONE_PACKAGE && zone->kind == kind && strcmp(zone->name, name) == 0)
            return true;
    }
    return false;
}

/* P1: twice the long-term limit, but never below what a big package may draw for a moment. */
static void read_limits(struct zone *zone, const struct gl_place *place, const char *folder)
{
    uint64_t most_uw;

    if (!gl_place_number(place, folder, "max_energy_range_uj", &zone->range_uj))
        zone->range_uj = 0;
    zone->most_w = zone->kind == ZONE_PSYS ? PSYS_W : PACKAGE_W;
    if (gl_place_number(place, folder, "constraint_0_max_power_uw", &most_uw) &&
        most_uw < 2000000000 && 2e-6 * (double)most_uw > zone->most_w)
        zone->most_w = 2e-6 * (double)most_uw;
}

/* Take the zone in this folder if it is one and new. A zone whose counter cannot be opened is kept
 * with fd -1: it is there, and its energy is not known. */
static void add_zone(struct powercap *powercap, const struct gl_place *place, const char *folder,
                     const char *id)
{
    struct zone zone = {.fd = -1};

    if (powercap->count >= ZONES_MAX || strlen(id) >= sizeof zone.id ||
        !gl_place_line(place, folder, "name", zone.name, sizeof zone.name) ||
        !kind_of_name(zone.name, &zone.kind) || is_known(powercap, id, zone.name, zone.kind))
        return;
    snprintf(zone.id, sizeof zone.id, "%s", id);
    zone.fd = gl_place_open_in(place, folder, "energy_uj");
    zone.is_genuine = zone.fd >= 0 && gl_place_is_genuine(place, zone.fd);
    read_limits(&zone, place, folder);
    zone.has_before = gl_read_number(zone.fd, &zone.before_uj);
    powercap->zones[powercap->count++] = zone;
}

/* "0" or "0:1" of "intel-rapl:0:1", NULL for any other name. */
static const char *zone_id(const char *name)
{
    static const char prefix[] = "intel-rapl:";
    const char *id = name + sizeof prefix - 1;

    if (strncmp(name, prefix, sizeof prefix - 1) != 0 || id[0] == '\0')
        return NULL;
    return strspn(id, "0123456789:") == strlen(id) ? id : NULL;
}

static void scan(struct powercap *powercap, const struct gl_place *place, const char *folder,
                 unsigned depth)
{
    char full[PATH_MAX], path[PATH_MAX];
    struct dirent *entry;
    DIR *entries;

    if (depth > 3 || snprintf(full, sizeof full, "%s%s", place->sysroot, folder) >= PATH_MAX)
        return;
    entries = opendir(full);
    while (entries != NULL && (entry = readdir(entries)) != NULL) {
        const char *id = zone_id(entry->d_name);

        if (id == NULL && strcmp(entry->d_name, "intel-rapl") != 0)
            continue;
        if (snprintf(path, sizeof path, "%s/%s", folder, entry->d_name) >= PATH_MAX)
            continue;
        if (id != NULL)
            add_zone(powercap, place, path, id);
        scan(powercap, place, path, depth + 1);
    }
    if (entries != NULL)
        closedir(entries);
}

/* ---- the source ---- */

static void powercap_close(void *state)
{
    struct powercap *powercap = state;

    for (size_t i = 0; i < powercap->count; i++)
        if (powercap->zones[i].fd >= 0)
            close(powercap->zones[i].fd);
    free(powercap);
}

static size_t count_readable(const struct powercap *powercap, enum zone_kind kind, size_t *out_all)
{
    size_t readable = 0;

    *out_all = 0;
    for (size_t i = 0; i < powercap->count; i++)
        if (powercap->zones[i].kind == kind) {
            ++*out_all;
            readable += powercap->zones[i].has_before;
        }
    return readable;
}

static int powercap_open(const struct gl_source_setup *setup, void **out_state,
                         struct gl_error *err)
{
    struct powercap *powercap = gl_alloc(sizeof *powercap);
    size_t packages, readable;

    scan(powercap, &setup->place, CLASS, 0);
    readable = count_readable(powercap, ZONE_PACKAGE, &packages);
    if (packages > 0 && readable == packages) {
        *out_state = powercap;
        return 0;
    }
    powercap_close(powercap);
    if (packages == 0)
        return gl_fail(err, GL_E_NOT_FOUND, "no RAPL package below " CLASS);
    return gl_fail(err, GL_E_IO,
                   "%zu of %zu RAPL packages cannot be read (energy_uj is for root only)",
                   packages - readable, packages);
}

static int64_t powercap_longest_ms(const void *state)
{
    const struct powercap *powercap = state;
    int64_t longest = 3600000;

    for (size_t i = 0; i < powercap->count; i++) {
        const struct zone *zone = &powercap->zones[i];
        int64_t own = gl_rapl_longest_ms(zone->range_uj, zone->most_w);

        if (zone->fd >= 0 && own < longest)
            longest = own;
    }
    return longest;
}

/* One zone's look. After a failure the next good value is only a new start. */
static void look_at(struct zone *zone, int64_t dt_ns, struct kind_sum *sum)
{
    struct gl_rapl_look look = {
        .before_uj = zone->before_uj,
        .range_uj = zone->range_uj,
        .dt_ns = dt_ns,
        .most_w = zone->most_w,
    };
    bool had_before = zone->has_before;
    enum gl_rapl_result result = GL_RAPL_IMPLAUSIBLE;
    int64_t uj = 0;

    sum->zones++;
    sum->is_genuine = sum->is_genuine && zone->is_genuine;
    zone->has_before = gl_read_number(zone->fd, &look.now_uj);
    if (zone->has_before && had_before)
        result = gl_rapl_delta(&look, &uj);
    if (zone->has_before)
        zone->before_uj = look.now_uj;
    if (result == GL_RAPL_WRAPPED)
        sum->flags |= GL_FLAG_WRAPPED;
    if (result != GL_RAPL_OK && result != GL_RAPL_WRAPPED)
        sum->failed++;
    sum->uj += uj;
}

static struct gl_yield yield_of_sum(const struct kind_sum *sum, struct gl_accuracy accuracy,
                                    const char *source)
{
    struct gl_yield yield = {.flags = GL_FLAG_BOUNDED | (sum->flags & GL_FLAG_SENTINEL)};

    if (sum->zones == 0)
        return (struct gl_yield){0};
    if (sum->failed > 0)
        return yield;
    yield = gl_yield_of(sum->uj, accuracy, sum->is_genuine ? GL_TIER_M1 : GL_TIER_S, source);
    yield.flags = sum->flags;
    return yield;
}

static void powercap_sample(void *state, int64_t dt_ns, struct gl_yield out[GL_KINDS])
{
    struct powercap *powercap = state;
    struct kind_sum sums[ZONE_KINDS];
    struct kind_sum *package = &sums[ZONE_PACKAGE], *part = &sums[ZONE_PART];

    for (size_t kind = 0; kind < ZONE_KINDS; kind++)
        sums[kind] = (struct kind_sum){.is_genuine = true};
    for (size_t i = 0; i < powercap->count; i++)
        if (powercap->zones[i].fd >= 0)
            look_at(&powercap->zones[i], dt_ns, &sums[powercap->zones[i].kind]);
    if (part->failed == 0 && part->uj > package->uj && package->failed == 0) {
        package->uj = part->uj; /* P5: a package is at least its cores */
        package->flags |= GL_FLAG_SENTINEL;
    }
    if (package->failed == 0 && package->uj == 0 && dt_ns >= QUIET_NS) {
        package->failed++; /* frozen, or emulated by a hypervisor that only says 0 */
        package->flags |= GL_FLAG_SENTINEL;
    }
    out[GL_COMP_CPU] = yield_of_sum(package, package_accuracy, "powercap");
    out[GL_COMP_DRAM] = yield_of_sum(&sums[ZONE_DRAM], dram_accuracy, "powercap");
    out[GL_COMP_NODE] = yield_of_sum(&sums[ZONE_PSYS], psys_accuracy, "psys");
    if (!out[GL_COMP_NODE].is_known)
        out[GL_COMP_NODE].flags = 0; /* the parts stand in for it */
}

static void powercap_describe(const void *state, char *out, size_t room)
{
    const struct powercap *powercap = state;
    size_t used = 0;

    out[0] = '\0';
    for (size_t i = 0; i < powercap->count && used < room; i++) {
        const struct zone *zone = &powercap->zones[i];

        used += (size_t)snprintf(out + used, room - used, "%s%s%s%s", i > 0 ? ", " : "", zone->name,
                                 zone->has_before ? "" : " (unreadable)",
                                 zone->has_before && !zone->is_genuine ? " (not sysfs)" : "");
    }
}

const struct gl_source gl_source_powercap = {
    .name = "powercap",
    .group = "rapl",
    .open = powercap_open,
    .longest_ms = powercap_longest_ms,
    .sample = powercap_sample,
    .describe = powercap_describe,
    .close = powercap_close,
};
