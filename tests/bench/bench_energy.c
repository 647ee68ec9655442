/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/bench.h"

#include "agent/source.h"
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* A RAPL counter on a fixture tree is moved on as a machine of constant power would move it, for
 * 30 simulated days. Beside the real powercap source two rules are re-implemented, both over the
 * same looks: "raw + rate" (a smaller value is a restarted counter: what Prometheus' increase()
 * makes of node_exporter's raw joules) and "drop on wrap" (a smaller value is no sample). */

#define DAYS 30

/* Package of Intel servers, DRAM of Intel servers and packages of AMD: the ranges that occur. */
static const uint64_t ranges_uj[] = {262143328850, 65712999613, 65532610987};
static const double watts[] = {5, 50, 200, 400};

struct tally {
    uint64_t exact_uj, ours_uj, raw_rate_uj, dropped_uj, unknown;
};

static int put(const char *folder, const char *name, const char *text, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *path = gl_path_join(folder, name);

    return gl_file_write(path, text, strlen(text), 0644, err);
}

/* One package zone; *out_fd is its counter, open for writing. */
static int make_zone(const char *sysroot, uint64_t range_uj, int *out_fd, struct gl_error *err)
{
    char folder[4096], path[4096 + 16], text[32];

    snprintf(folder, sizeof folder, "%s/sys/class/powercap/intel-rapl:0", sysroot);
    snprintf(text, sizeof text, "%" PRIu64 "\n", range_uj);
    if (gl_dir_make(folder, err) != 0 || put(folder, "name", "package-0\n", err) != 0 ||
        put(folder, "max_energy_range_uj", text, err) != 0 ||
        put(folder, "energy_uj", "0\n", err) != 0)
        return -1;
    snprintf(path, sizeof path, "%s/energy_uj", folder);
    *out_fd = open(path, O_WRONLY | O_CLOEXEC);
    return *out_fd >= 0 ? 0 : gl_fail_sys(err, GL_E_IO, errno, "cannot open %s", path);
}

static int set_counter(int fd, uint64_t value, struct gl_error *err)
{
    char text[32];
    int length = snprintf(text, sizeof text, "%" PRIu64 "\n", value);

    if (pwrite(fd, text, (size_t)length, 0) != length || ftruncate(fd, length) != 0)
        return gl_fail_sys(err, GL_E_IO, errno, "cannot move the counter");
    return 0;
}

static int run_days(const struct gl_source *source, void *state, int fd, uint64_t range_uj,
                    double power_w, int64_t every_ms, struct tally *tally, struct gl_error *err)
{
    const uint64_t step_uj = (uint64_t)(power_w * 1e3) * (uint64_t)every_ms;
    uint64_t before = 0;

    for (int64_t at_ms = 0; at_ms < (int64_t)DAYS * 86400000; at_ms += every_ms) {
        struct gl_yield yields[GL_KINDS] = {0};
        uint64_t now = (before + step_uj) % range_uj;

        if (set_counter(fd, now, err) != 0)
            return -1;
        source->sample(state, every_ms * 1000000, yields);
        tally->exact_uj += step_uj;
        if (yields[GL_COMP_CPU].is_known)
            tally->ours_uj += (uint64_t)yields[GL_COMP_CPU].delta_uj;
        else
            tally->unknown++;
        tally->raw_rate_uj += now >= before ? now - before : now;
        tally->dropped_uj += now >= before ? now - before : 0;
        before = now;
    }
    return 0;
}

static double lost_percent(uint64_t counted_uj, uint64_t exact_uj)
{
    return 100.0 * (double)(int64_t)(exact_uj - counted_uj) / (double)exact_uj;
}

static int simulate(const char *folder, uint64_t range_uj, double power_w, struct gl_error *err)
{
    const struct gl_source *source = &gl_source_powercap;
    struct gl_source_setup setup = {.place = {folder}};
    struct tally tally = {0};
    void *state = NULL;
    int64_t every_ms;
    int fd = -1, result = -1;

    if (make_zone(folder, range_uj, &fd, err) != 0)
        return -1;
    if (source->open(&setup, &state, err) == 0) {
        every_ms = source->longest_ms(state);
        if (every_ms > 60000)
            every_ms = 60000;
        result = run_days(source, state, fd, range_uj, power_w, every_ms, &tally, err);
        source->close(state);
        if (result == 0)
            printf("  range %.1f kJ, %3.0f W, a look each %.1f s: ours loses %.6f %% "
                   "(%" PRId64 " uJ of %.1f MJ, %" PRIu64 " looks unknown); raw + rate %.2f %%, "
                   "drop on wrap %.2f %%\n",
                   (double)range_uj / 1e9, power_w, (double)every_ms / 1e3,
                   lost_percent(tally.ours_uj, tally.exact_uj),
                   (int64_t)(tally.exact_uj - tally.ours_uj), (double)tally.exact_uj / 1e12,
                   tally.unknown, lost_percent(tally.raw_rate_uj, tally.exact_uj),
                   lost_percent(tally.dropped_uj, tally.exact_uj));
    }
    close(fd);
    return result;
}

int bench_energy(const char *folder, struct gl_error *err)
{
    for (size_t i = 0; i < sizeof ranges_uj / sizeof ranges_uj[0]; i++)
        for (size_t j = 0; j < sizeof watts / sizeof watts[0]; j++)
            if (simulate(folder, ranges_uj[i], watts[j], err) != 0)
                return -1;
    return 0;
}
