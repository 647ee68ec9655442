/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/source.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* RAPL by perf events (Linux arch/x86/events/rapl.c; perf_event_open(2)): the kernel extends the
 * counters to 64 bits itself, so that nothing wraps here. One counter per package, on the
 * processors that `cpumask` names; the unit is told by `events/energy-*.scale` in joules. */

#define PMU          "/sys/bus/event_source/devices/power"
#define COUNTERS_MAX 64
#define MOST_W       500.0 /* of one package or its memory (P1) */
#define PSYS_MOST_W  4000.0
#define QUIET_NS     INT64_C(1000000000) /* no package that runs draws nothing for so long */

struct counter {
    enum gl_component_kind kind;
    int fd;
    uint64_t before;
    double uj_per_count;
};

struct perf {
    bool is_genuine;
    size_t count;
    struct counter counters[COUNTERS_MAX];
    double rest_uj[GL_KINDS]; /* fractions of a microjoule carried to the next look */
};

static const struct {
    const char *event;
    enum gl_component_kind kind;
    struct gl_accuracy accuracy; /* as in agent/source_powercap.c: the same counters */
    double most_w;
    const char *source;
} events[] = {
    {"energy-pkg", GL_COMP_CPU, {0.944, 1.056}, MOST_W, "perf"},
    {"energy-ram", GL_COMP_DRAM, {0.8, 1.2}, MOST_W, "perf"},
    {"energy-psys", GL_COMP_NODE, {0.9, 1.1}, PSYS_MOST_W, "psys"},
};

#define EVENTS (sizeof events / sizeof events[0])

static int real_perf_open(uint32_t type, uint64_t config, int cpu)
{
    struct perf_event_attr attr = {.type = type, .size = sizeof attr, .config = config};

    return (int)syscall(SYS_perf_event_open, &attr, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);
}

/* "event=0x02" and the joules of one count. */
static bool read_event(const struct gl_place *place, const char *event, uint64_t *out_config,
                       double *out_uj)
{
    char name[48], text[64];
    char *end;

    if (!gl_place_line(place, PMU "/events", event, text, sizeof text) ||
        strncmp(text, "event=", 6) != 0)
        return false;
    *out_config = strtoull(text + 6, NULL, 16);
    snprintf(name, sizeof name, "%s.unit", event);
    if (!gl_place_line(place, PMU "/events", name, text, sizeof text) ||
        strcmp(text, "Joules") != 0)
        return false;
    snprintf(name, sizeof name, "%s.scale", event);
    if (!gl_place_line(place, PMU "/events", name, text, sizeof text))
        return false;
    *out_uj = strtod(text, &end) * 1e6;
    return end != text && *out_uj > 0 && *out_uj < 1e6;
}

static bool read_count(int fd, uint64_t *out)
{
    return read(fd, out, sizeof *out) == sizeof *out;
}

/* One counter of the event on every processor of the mask; errno of the first that fails. */
static int open_counters(struct perf *perf, const struct gl_source_setup *setup, uint32_t type,
                         size_t event, const char *mask)
{
    int (*open_one)(uint32_t, uint64_t, int) =
        setup->perf_open != NULL ? setup->perf_open : real_perf_open;
    uint64_t config;
    double uj;

    if (!read_event(&setup->place, events[event].event, &config, &uj))
        return ENOENT;
    for (const char *at = mask; *at != '\0' && perf->count < COUNTERS_MAX;) {
        struct counter counter = {.kind = events[event].kind, .uj_per_count = uj};
        char *end;
        int cpu = (int)strtol(at, &end, 10);

        if (end == at)
            return EINVAL;
        counter.fd = open_one(type, config, cpu);
        if (counter.fd < 0)
            return errno;
        perf->counters[perf->count++] = counter;
        if (!read_count(counter.fd, &perf->counters[perf->count - 1].before))
            return EIO;
        at = *end == ',' ? end + 1 : end + strlen(end);
    }
    return 0;
}

static void perf_close(void *state)
{
    struct perf *perf = state;

    for (size_t i = 0; i < perf->count; i++)
        close(perf->counters[i].fd);
    free(perf);
}

/* Forget the counters after the first `keep`: their event is not whole. */
static void drop_after(struct perf *perf, size_t keep)
{
    while (perf->count > keep)
        close(perf->counters[--perf->count].fd);
}

static int open_events(struct perf *perf, const struct gl_source_setup *setup, struct gl_error *err)
{
    uint64_t type;
    char mask[256];

    if (!gl_place_number(&setup->place, PMU, "type", &type) ||
        !gl_place_line(&setup->place, PMU, "cpumask", mask, sizeof mask))
        return gl_fail(err, GL_E_NOT_FOUND, "no perf energy counters below " PMU);
    for (size_t event = 0; event < EVENTS; event++) {
        size_t keep = perf->count;
        int sys = open_counters(perf, setup, (uint32_t)type, event, mask);

        if (sys != 0)
            drop_after(perf, keep);
        if (sys != 0 && event == 0)
            return gl_fail_sys(err, GL_E_IO, sys,
                               "cannot open the perf counter energy-pkg "
                               "(needs CAP_PERFMON)");
    }
    return 0;
}

static int perf_open(const struct gl_source_setup *setup, void **out_state, struct gl_error *err)
{
    struct perf *perf;
    int fd;

    if (setup->place.sysroot[0] != '\0' && setup->perf_open == NULL)
        return gl_fail(err, GL_E_NOT_FOUND, "perf counters cannot be read from a fixture tree");
    perf = gl_alloc(sizeof *perf);
    if (open_events(perf, setup, err) < 0) {
        perf_close(perf);
        return -1;
    }
    fd = gl_place_open_in(&setup->place, PMU, "type");
    perf->is_genuine = fd >= 0 && gl_place_is_genuine(&setup->place, fd);
    if (fd >= 0)
        close(fd);
    *out_state = perf;
    return 0;
}

static int64_t perf_longest_ms(const void *state)
{
    (void)state;
    return 3600000; /* 64 bits last for years */
}

/* Microjoules of all counters of one kind; false when one could not be read or makes no sense. */
static bool sum_kind(struct perf *perf, enum gl_component_kind kind, double most_w, int64_t dt_ns,
                     double *out_uj)
{
    double most_uj = most_w * ((double)dt_ns * 1e-3 + 1e5);
    bool is_whole = true;

    *out_uj = 0;
    for (size_t i = 0; i < perf->count; i++) {
        struct counter *counter = &perf->counters[i];
        uint64_t now;
        double uj;

        if (counter->kind != kind)
            continue;
        if (!read_count(counter->fd, &now)) {
            is_whole = false;
            continue;
        }
        uj = (double)(now - counter->before) * counter->uj_per_count;
        is_whole = is_whole && now >= counter->before && uj <= most_uj;
        counter->before = now;
        *out_uj += uj;
    }
    return is_whole;
}

static bool has_kind(const struct perf *perf, enum gl_component_kind kind)
{
    for (size_t i = 0; i < perf->count; i++)
        if (perf->counters[i].kind == kind)
            return true;
    return false;
}

static void perf_sample(void *state, int64_t dt_ns, struct gl_yield out[GL_KINDS])
{
    struct perf *perf = state;

    for (size_t event = 0; event < EVENTS; event++) {
        enum gl_component_kind kind = events[event].kind;
        int64_t whole;
        double uj;

        if (!has_kind(perf, kind))
            continue;
        if (!sum_kind(perf, kind, events[event].most_w, dt_ns, &uj)) {
            out[kind].flags = kind == GL_COMP_NODE ? 0 : GL_FLAG_BOUNDED;
            continue;
        }
        if (kind == GL_COMP_CPU && uj <= 0 && dt_ns >= QUIET_NS) {
            out[kind].flags = GL_FLAG_SENTINEL | GL_FLAG_BOUNDED;
            continue;
        }
        uj += perf->rest_uj[kind];
        whole = (int64_t)uj;
        perf->rest_uj[kind] = uj - (double)whole;
        out[kind] = gl_yield_of(whole, events[event].accuracy,
                                perf->is_genuine ? GL_TIER_M1 : GL_TIER_S, events[event].source);
    }
}

static void perf_describe(const void *state, char *out, size_t room)
{
    const struct perf *perf = state;
    size_t used = 0;

    out[0] = '\0';
    for (size_t event = 0; event < EVENTS && used < room; event++)
        if (has_kind(perf, events[event].kind))
            used += (size_t)snprintf(out + used, room - used, "%s%s", used > 0 ? ", " : "",
                                     events[event].event);
}

const struct gl_source gl_source_perf = {
    .name = "perf",
    .group = "rapl",
    .open = perf_open,
    .longest_ms = perf_longest_ms,
    .sample = perf_sample,
    .describe = perf_describe,
    .close = perf_close,
};
