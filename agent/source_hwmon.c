/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/gauge.h"
#include "agent/source.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Power sensors of the hwmon class (Linux Documentation/hwmon/sysfs-interface.rst): energy1_input
 * in microjoules where there is one, else power1_average or power1_input in microwatts. Only
 * drivers whose scope is known are used: the ACPI power meter sees the whole machine, the graphics
 * drivers one card each. */

#define CLASS       "/sys/class/hwmon"
#define SENSORS_MAX 16
#define CARD_MOST_W 2000.0
#define NODE_MOST_W 1000.0 /* at least: the model's own ceiling counts twice */

struct sensor {
    char name[24];
    enum gl_component_kind kind;
    bool is_energy, is_genuine, has_before;
    int fd;
    uint64_t before_uj;
    double most_w;
    struct gl_accuracy accuracy;
    struct gl_gauge gauge;
};

struct hwmon {
    const double *load;
    const bool *amd_is_counted; /* by another source; NULL = no */
    size_t count;
    struct sensor sensors[SENSORS_MAX];
};

static const struct {
    const char *driver;
    enum gl_component_kind kind;
} drivers[] = {
    {"power_meter", GL_COMP_NODE},
    {"amdgpu", GL_COMP_GPU},
    {"i915", GL_COMP_GPU},
    {"xe", GL_COMP_GPU},
};

/* Of a sensor that does not tell its own accuracy: judgement. */
static const struct gl_accuracy usual_accuracy = {0.95, 1.05};

static bool kind_of_driver(const char *name, enum gl_component_kind *out)
{
    for (size_t i = 0; i < sizeof drivers / sizeof drivers[0]; i++)
        if (strcmp(name, drivers[i].driver) == 0) {
            *out = drivers[i].kind;
            return true;
        }
    return false;
}

/* power1_accuracy says "5%" or "5.0%" where the sensor knows. */
static struct gl_accuracy read_accuracy(const struct gl_place *place, const char *folder)
{
    char text[24];
    double percent;

    if (!gl_place_line(place, folder, "power1_accuracy", text, sizeof text))
        return usual_accuracy;
    percent = strtod(text, NULL);
    if (percent <= 0 || percent > 50)
        return usual_accuracy;
    return (struct gl_accuracy){1 - percent / 100, 1 + percent / 100};
}

/* Open the best file of the sensor and take its first value. */
static bool open_files(struct sensor *sensor, const struct gl_place *place, const char *folder)
{
    static const char *const files[] = {"energy1_input", "power1_average", "power1_input"};
    uint64_t value;
    int64_t ignored;

    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        sensor->fd = gl_place_open_in(place, folder, files[i]);
        sensor->is_energy = i == 0;
        if (gl_read_number(sensor->fd, &value) &&
            (sensor->is_energy || !gl_gauge_is_sentinel(value, sensor->most_w)))
            break;
        if (sensor->fd >= 0)
            close(sensor->fd);
        sensor->fd = -1;
    }
    if (sensor->fd < 0)
        return false;
    sensor->has_before = true;
    sensor->before_uj = value;
    if (!sensor->is_energy)
        gl_gauge_look(&sensor->gauge, true, value, 0, 0, &ignored);
    return true;
}

static double most_w_of(enum gl_component_kind kind, const struct gl_machine *machine)
{
    double model = 2 * gl_power_plausible_max(machine).w;

    if (kind == GL_COMP_GPU)
        return CARD_MOST_W;
    return model > NODE_MOST_W ? model : NODE_MOST_W;
}

static void add_sensor(struct hwmon *hwmon, const struct gl_source_setup *setup, const char *folder)
{
    struct sensor sensor = {.fd = -1};

    if (hwmon->count >= SENSORS_MAX ||
        !gl_place_line(&setup->place, folder, "name", sensor.name, sizeof sensor.name) ||
        !kind_of_driver(sensor.name, &sensor.kind))
        return;
    sensor.most_w = most_w_of(sensor.kind, setup->machine);
    sensor.accuracy = read_accuracy(&setup->place, folder);
    if (!open_files(&sensor, &setup->place, folder))
        return;
    sensor.is_genuine = gl_place_is_genuine(&setup->place, sensor.fd);
    hwmon->sensors[hwmon->count++] = sensor;
}

static void hwmon_close(void *state)
{
    struct hwmon *hwmon = state;

    for (size_t i = 0; i < hwmon->count; i++)
        close(hwmon->sensors[i].fd);
    free(hwmon);
}

static int hwmon_open(const struct gl_source_setup *setup, void **out_state, struct gl_error *err)
{
    struct hwmon *hwmon = gl_alloc(sizeof *hwmon);
    char full[PATH_MAX], folder[PATH_MAX];
    struct dirent *entry;
    DIR *entries;

    hwmon->load = setup->load;
    hwmon->amd_is_counted = setup->amd_is_counted;
    snprintf(full, sizeof full, "%s%s", setup->place.sysroot, CLASS);
    entries = opendir(full);
    while (entries != NULL && (entry = readdir(entries)) != NULL) {
        if (strncmp(entry->d_name, "hwmon", 5) != 0)
            continue;
        snprintf(folder, sizeof folder, "%s/%s", CLASS, entry->d_name);
        add_sensor(hwmon, setup, folder);
    }
    if (entries != NULL)
        closedir(entries);
    if (hwmon->count == 0) {
        hwmon_close(hwmon);
        return gl_fail(err, GL_E_NOT_FOUND, "no power sensor of a known driver below " CLASS);
    }
    *out_state = hwmon;
    return 0;
}

static int64_t hwmon_longest_ms(const void *state)
{
    const struct hwmon *hwmon = state;

    for (size_t i = 0; i < hwmon->count; i++)
        if (!hwmon->sensors[i].is_energy)
            return GL_GAUGE_MS;
    return 3600000;
}

/* A counter: 64 bits wide, so that running backwards is a reset and never a wrap. */
static bool look_at_counter(struct sensor *sensor, int64_t dt_ns, int64_t *out_uj)
{
    bool had_before = sensor->has_before;
    uint64_t now, delta;

    sensor->has_before = gl_read_number(sensor->fd, &now);
    if (!sensor->has_before)
        return false;
    delta = now - sensor->before_uj;
    had_before = had_before && now >= sensor->before_uj;
    sensor->before_uj = now;
    *out_uj = (int64_t)delta;
    return had_before && (double)delta <= sensor->most_w * ((double)dt_ns * 1e-3 + 1e5);
}

static bool look_at_gauge(struct sensor *sensor, double load, int64_t dt_ns, int64_t *out_uj,
                          uint32_t *flags)
{
    uint64_t uw = 0;
    bool is_read = gl_read_number(sensor->fd, &uw);
    bool is_sentinel = is_read && gl_gauge_is_sentinel(uw, sensor->most_w);

    if (gl_gauge_look(&sensor->gauge, is_read && !is_sentinel, uw, load, dt_ns, out_uj))
        return true;
    *flags |= is_read ? GL_FLAG_SENTINEL : 0;
    return false;
}

/* Add one sensor's look to its kind; a kind with one failed sensor is not known. */
static void add_look(struct sensor *sensor, double load, int64_t dt_ns, struct gl_yield *kind,
                     bool *is_failed)
{
    enum gl_tier tier = sensor->is_energy ? GL_TIER_M1 : GL_TIER_M2;
    struct gl_yield yield;
    uint32_t flags = 0;
    int64_t uj = 0;
    bool is_known = sensor->is_energy ? look_at_counter(sensor, dt_ns, &uj)
                                      : look_at_gauge(sensor, load, dt_ns, &uj, &flags);

    if (!is_known) {
        kind->flags |= flags | GL_FLAG_BOUNDED;
        *is_failed = true;
        return;
    }
    yield = gl_yield_of(uj, sensor->accuracy, sensor->is_genuine ? tier : GL_TIER_S, "hwmon");
    kind->is_known = true;
    kind->source = yield.source;
    kind->tier = yield.tier > kind->tier ? yield.tier : kind->tier;
    kind->delta_uj += yield.delta_uj;
    kind->low_uj += yield.low_uj;
    kind->high_uj += yield.high_uj;
}

static void hwmon_sample(void *state, int64_t dt_ns, struct gl_yield out[GL_KINDS])
{
    struct hwmon *hwmon = state;
    double load = hwmon->load != NULL ? *hwmon->load : 0;
    bool is_failed[GL_KINDS] = {false}, is_failed_aside[GL_KINDS] = {false};
    struct gl_yield aside[GL_KINDS] = {{0}}; /* looked at all the same, to go on with at once */

    for (size_t i = 0; i < hwmon->count; i++) {
        struct sensor *sensor = &hwmon->sensors[i];
        bool is_aside = hwmon->amd_is_counted != NULL && *hwmon->amd_is_counted &&
                        strcmp(sensor->name, "amdgpu") == 0;

        add_look(sensor, load, dt_ns, is_aside ? &aside[sensor->kind] : &out[sensor->kind],
                 is_aside ? &is_failed_aside[sensor->kind] : &is_failed[sensor->kind]);
    }
    for (size_t kind = 0; kind < GL_KINDS; kind++)
        if (is_failed[kind])
            out[kind] = (struct gl_yield){.flags = out[kind].flags};
}

static void hwmon_describe(const void *state, char *out, size_t room)
{
    const struct hwmon *hwmon = state;
    size_t used = 0;

    out[0] = '\0';
    for (size_t i = 0; i < hwmon->count && used < room; i++)
        used += (size_t)snprintf(out + used, room - used, "%s%s (%s)", i > 0 ? ", " : "",
                                 hwmon->sensors[i].name,
                                 hwmon->sensors[i].is_energy ? "energy" : "power");
}

const struct gl_source gl_source_hwmon = {
    .name = "hwmon",
    .group = "hwmon",
    .open = hwmon_open,
    .longest_ms = hwmon_longest_ms,
    .sample = hwmon_sample,
    .describe = hwmon_describe,
    .close = hwmon_close,
};
