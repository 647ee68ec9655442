/* SPDX-License-Identifier: Apache-2.0 */
#include "base/power.h"

#include <string.h>

/* Watts at the wall per hardware thread, from published SPECpower_ssj2008 results
 * (spec.org/power_ssj2008), servers with at least 16 threads available 2012 or later:
 * - eleven measured points, statistics taken over the servers of a family: broadwell, cascadelake,
 *   cooperlake, epyc1..3, haswell, icelake, opteron, rocketlake, sandybridge, skylake (load-level
 *   table of green-coding-solutions/cloud-energy, MIT, commit 6a25a2b, 2026-07-23);
 * - only idle and full load measured, nine points between them filled in: coffeelake,
 *   emeraldrapids, epyc4, epyc5, graniterapids, ivybridge, neoverse-n1, sapphirerapids (list of
 *   2026-03-09, cloud-carbon-footprint/ccf-coefficients, Apache-2.0, commit b0032d9):
 *   w(u) = idle + s(u) * (full - idle), s the median over the measured families of the same vendor
 *   of (w(u) - idle) / (full - idle): Intel 0 .166 .224 .281 .340 .405 .485 .571 .686 .864 1, AMD
 *   0 .250 .319 .379 .435 .503 .582 .687 .801 .906 1, Neoverse: all of them. Leaving each measured
 *   family out in turn, this misses its curve by 6.4 % on average and -14 .. +16 % at most (a
 *   straight line: 11.3 %, -29 .. +24 %).
 * Memory: median GB per thread of the same servers; 0 where the list names no such family. */
/* clang-format off */
static const struct gl_power_family families[] = {
    {"broadwell", "Intel Broadwell", 12,
     {{0.474f, 0.933f, 1.108f, 1.284f, 1.445f, 1.580f, 1.717f, 1.910f, 2.172f, 2.478f, 2.764f},
      {0.509f, 0.998f, 1.170f, 1.358f, 1.534f, 1.676f, 1.824f, 2.017f, 2.324f, 2.648f, 2.960f},
      {0.542f, 1.038f, 1.221f, 1.435f, 1.628f, 1.786f, 1.931f, 2.139f, 2.397f, 2.743f, 3.191f}},
     0.73f},
    {"cascadelake", "Intel Cascade Lake", 44,
     {{0.427f, 0.973f, 1.143f, 1.306f, 1.461f, 1.643f, 1.874f, 2.120f, 2.422f, 2.787f, 3.163f},
      {0.513f, 1.062f, 1.268f, 1.473f, 1.668f, 1.824f, 2.076f, 2.321f, 2.670f, 3.112f, 3.750f},
      {1.609f, 2.300f, 2.539f, 2.778f, 3.015f, 3.240f, 3.454f, 3.797f, 4.332f, 4.748f, 5.305f}},
     1.71f},
    {"coffeelake", "Intel Coffee Lake", 3,
     {{0.999f, 1.390f, 1.528f, 1.663f, 1.803f, 1.954f, 2.143f, 2.346f, 2.618f, 3.038f, 3.360f},
      {1.019f, 1.430f, 1.575f, 1.716f, 1.864f, 2.023f, 2.221f, 2.434f, 2.720f, 3.162f, 3.500f},
      {1.044f, 1.462f, 1.610f, 1.754f, 1.904f, 2.066f, 2.268f, 2.485f, 2.776f, 3.226f, 3.570f}},
     1.00f},
    {"cooperlake", "Intel Cooper Lake", 8,
     {{0.444f, 1.036f, 1.254f, 1.446f, 1.630f, 1.822f, 2.058f, 2.333f, 2.641f, 2.995f, 3.572f},
      {0.866f, 1.483f, 1.701f, 1.911f, 2.146f, 2.427f, 2.743f, 3.131f, 3.674f, 4.182f, 4.629f},
      {1.139f, 1.861f, 2.121f, 2.374f, 2.624f, 2.875f, 3.153f, 3.520f, 3.935f, 4.496f, 5.042f}},
     0.00f},
    {"emeraldrapids", "Intel Emerald Rapids", 19,
     {{0.646f, 1.009f, 1.137f, 1.263f, 1.392f, 1.533f, 1.709f, 1.897f, 2.149f, 2.539f, 2.838f},
      {0.797f, 1.257f, 1.419f, 1.577f, 1.742f, 1.920f, 2.142f, 2.380f, 2.700f, 3.194f, 3.572f},
      {0.937f, 1.602f, 1.836f, 2.066f, 2.304f, 2.562f, 2.883f, 3.228f, 3.691f, 4.405f, 4.953f}},
     1.00f},
    {"epyc1", "AMD EPYC 7001 (Naples)", 9,
     {{0.628f, 1.050f, 1.150f, 1.245f, 1.341f, 1.438f, 1.555f, 1.703f, 1.908f, 2.077f, 2.212f},
      {0.741f, 1.133f, 1.242f, 1.336f, 1.422f, 1.531f, 1.656f, 1.820f, 2.000f, 2.164f, 2.312f},
      {1.093f, 1.673f, 1.872f, 2.044f, 2.216f, 2.366f, 2.516f, 2.656f, 2.794f, 2.953f, 3.131f}},
     1.00f},
    {"epyc2", "AMD EPYC 7002 (Rome)", 30,
     {{0.322f, 0.707f, 0.804f, 0.891f, 0.972f, 1.047f, 1.125f, 1.207f, 1.289f, 1.379f, 1.539f},
      {0.430f, 0.778f, 0.885f, 0.988f, 1.098f, 1.207f, 1.285f, 1.389f, 1.477f, 1.568f, 1.666f},
      {0.615f, 0.916f, 1.048f, 1.172f, 1.294f, 1.391f, 1.453f, 1.551f, 1.665f, 1.782f, 1.925f}},
     1.00f},
    {"epyc3", "AMD EPYC 7003 (Milan)", 16,
     {{0.308f, 0.654f, 0.730f, 0.809f, 0.883f, 0.953f, 1.037f, 1.119f, 1.238f, 1.428f, 1.682f},
      {0.417f, 0.736f, 0.846f, 0.938f, 1.016f, 1.094f, 1.172f, 1.252f, 1.340f, 1.520f, 1.795f},
      {0.461f, 0.797f, 0.918f, 1.023f, 1.135f, 1.316f, 1.533f, 1.688f, 1.840f, 1.992f, 2.117f}},
     1.00f},
    {"epyc4", "AMD EPYC 9004 (Genoa)", 41,
     {{0.318f, 0.648f, 0.740f, 0.819f, 0.893f, 0.983f, 1.088f, 1.226f, 1.378f, 1.516f, 1.641f},
      {0.378f, 0.746f, 0.848f, 0.937f, 1.019f, 1.120f, 1.238f, 1.392f, 1.561f, 1.715f, 1.854f},
      {1.433f, 1.954f, 2.099f, 2.224f, 2.341f, 2.483f, 2.649f, 2.867f, 3.106f, 3.324f, 3.521f}},
     1.00f},
    {"epyc5", "AMD EPYC 9005 (Turin)", 41,
     {{0.184f, 0.415f, 0.479f, 0.534f, 0.586f, 0.649f, 0.722f, 0.819f, 0.924f, 1.021f, 1.108f},
      {0.217f, 0.458f, 0.525f, 0.583f, 0.637f, 0.703f, 0.780f, 0.881f, 0.992f, 1.093f, 1.184f},
      {0.374f, 0.776f, 0.888f, 0.984f, 1.074f, 1.184f, 1.312f, 1.480f, 1.665f, 1.833f, 1.984f}},
     0.60f},
    {"graniterapids", "Intel Granite Rapids", 22,
     {{0.469f, 0.755f, 0.856f, 0.955f, 1.057f, 1.168f, 1.307f, 1.455f, 1.654f, 1.962f, 2.197f},
      {0.563f, 0.916f, 1.040f, 1.162f, 1.288f, 1.425f, 1.595f, 1.778f, 2.024f, 2.403f, 2.693f},
      {0.674f, 1.039f, 1.167f, 1.293f, 1.424f, 1.565f, 1.741f, 1.930f, 2.184f, 2.575f, 2.876f}},
     1.12f},
    {"haswell", "Intel Haswell", 13,
     {{0.556f, 1.157f, 1.367f, 1.572f, 1.781f, 1.989f, 2.236f, 2.569f, 2.950f, 3.333f, 3.672f},
      {0.651f, 1.222f, 1.486f, 1.694f, 1.917f, 2.125f, 2.361f, 2.653f, 3.014f, 3.403f, 3.778f},
      {0.726f, 1.294f, 1.536f, 1.790f, 2.024f, 2.237f, 2.442f, 2.758f, 3.175f, 3.597f, 4.008f}},
     0.89f},
    {"icelake", "Intel Ice Lake", 24,
     {{0.688f, 1.131f, 1.319f, 1.500f, 1.669f, 1.818f, 2.031f, 2.281f, 2.626f, 3.062f, 3.532f},
      {0.822f, 1.238f, 1.400f, 1.562f, 1.722f, 1.909f, 2.150f, 2.466f, 2.828f, 3.600f, 3.894f},
      {1.515f, 1.866f, 2.072f, 2.250f, 2.457f, 2.705f, 3.112f, 3.406f, 3.983f, 4.709f, 4.981f}},
     1.60f},
    {"ivybridge", "Intel Ivy Bridge", 3,
     {{1.321f, 2.000f, 2.239f, 2.474f, 2.717f, 2.980f, 3.308f, 3.660f, 4.133f, 4.863f, 5.422f},
      {1.392f, 2.066f, 2.303f, 2.535f, 2.776f, 3.037f, 3.363f, 3.712f, 4.180f, 4.904f, 5.458f},
      {2.220f, 2.802f, 3.007f, 3.208f, 3.416f, 3.641f, 3.922f, 4.224f, 4.628f, 5.253f, 5.732f}},
     0.60f},
    {"neoverse-n1", "Arm Neoverse N1", 7,
     {{0.563f, 0.662f, 0.699f, 0.735f, 0.770f, 0.804f, 0.853f, 0.913f, 0.969f, 1.070f, 1.144f},
      {0.617f, 0.838f, 0.922f, 1.004f, 1.083f, 1.158f, 1.268f, 1.403f, 1.529f, 1.756f, 1.922f},
      {1.043f, 1.207f, 1.268f, 1.329f, 1.388f, 1.444f, 1.525f, 1.625f, 1.718f, 1.886f, 2.009f}},
     1.00f},
    {"opteron", "AMD Opteron", 16,
     {{2.008f, 3.461f, 4.086f, 4.727f, 5.422f, 6.125f, 6.883f, 7.562f, 8.078f, 8.625f, 9.102f},
      {2.614f, 3.906f, 4.547f, 5.234f, 6.016f, 6.792f, 7.438f, 8.057f, 8.786f, 9.344f, 9.812f},
      {3.730f, 5.119f, 5.950f, 6.755f, 7.688f, 8.656f, 9.503f, 10.260f, 10.943f, 11.544f, 12.182f}},
     0.00f},
    {"rocketlake", "Intel Rocket Lake", 10,
     {{1.117f, 1.356f, 1.553f, 1.717f, 1.904f, 2.165f, 2.434f, 2.724f, 3.087f, 3.563f, 4.356f},
      {1.266f, 1.609f, 1.850f, 2.019f, 2.213f, 2.463f, 2.750f, 3.081f, 3.513f, 4.159f, 4.778f},
      {1.345f, 1.702f, 1.975f, 2.328f, 2.672f, 3.006f, 3.316f, 3.646f, 3.993f, 4.404f, 5.102f}},
     0.00f},
    {"sandybridge", "Intel Sandy Bridge", 98,
     {{1.594f, 2.282f, 2.583f, 2.886f, 3.188f, 3.459f, 3.969f, 4.491f, 5.186f, 5.834f, 6.650f},
      {1.753f, 2.469f, 2.789f, 3.112f, 3.547f, 3.922f, 4.469f, 5.156f, 5.891f, 6.906f, 7.906f},
      {3.228f, 4.269f, 4.722f, 5.244f, 5.894f, 6.766f, 7.608f, 8.430f, 8.996f, 9.971f, 10.644f}},
     0.75f},
    {"sapphirerapids", "Intel Sapphire Rapids", 61,
     {{0.654f, 1.057f, 1.198f, 1.337f, 1.481f, 1.637f, 1.831f, 2.040f, 2.320f, 2.752f, 3.083f},
      {0.897f, 1.409f, 1.589f, 1.766f, 1.949f, 2.148f, 2.395f, 2.660f, 3.016f, 3.566f, 3.987f},
      {1.534f, 2.084f, 2.277f, 2.467f, 2.663f, 2.876f, 3.141f, 3.426f, 3.808f, 4.398f, 4.850f}},
     1.19f},
    {"skylake", "Intel Skylake server", 50,
     {{0.394f, 1.018f, 1.204f, 1.391f, 1.570f, 1.722f, 1.917f, 2.154f, 2.438f, 2.816f, 3.236f},
      {0.471f, 1.071f, 1.281f, 1.491f, 1.692f, 1.920f, 2.214f, 2.558f, 2.975f, 3.533f, 4.054f},
      {0.696f, 1.256f, 1.459f, 1.681f, 1.912f, 2.164f, 2.467f, 2.788f, 3.325f, 3.827f, 4.268f}},
     1.71f},
};
/* clang-format on */

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Unknown CPU: at each load the median over the families above. */
static const double generic_w_per_thread[11] = {
    0.6960, 1.1775, 1.3405, 1.5265, 1.7070, 1.9145, 2.1460, 2.4070, 2.7100, 3.1780, 3.6610,
};

/* 90 % of measured servers lie within these multiples of the estimate when the family is known
 * (leave-one-out over the SPECpower servers); judgement when it is not, and for a GPU of which only
 * the board limit is known the multiples of a CPU of which only the TDP is known. */
static const struct gl_band known_family = {0.83, 1.0, 1.72};
static const struct gl_band unknown_family = {0.4, 1.0, 2.5};
static const struct gl_band gpu_by_limit = {0.6, 1.0, 1.8};
static const struct gl_band memory_w_per_gb = {0.2, 0.38, 0.6};

#define MEDIAN                   1
#define GB_PER_THREAD_IF_UNKNOWN 4.0
#define GPU_LIMIT_TOLERANCE      1.05

const struct gl_power_family *gl_power_families(size_t *out_count)
{
    *out_count = COUNT(families);
    return families;
}

const struct gl_power_family *gl_power_family(const char *key)
{
    for (size_t i = 0; i < COUNT(families); i++)
        if (strcmp(families[i].key, key) == 0)
            return &families[i];
    return NULL;
}

/* CPUID signatures of server parts (Arm: MIDR implementer and part). Client parts that share a
 * model number with servers share the row; other client parts are unknown on purpose. */
struct cpu_row {
    const char *vendor;
    unsigned family, model_low, model_high, stepping_low, stepping_high;
    const char *key;
};

#define ANY_STEPPING 0, ~0U

static const struct cpu_row cpu_rows[] = {
    {"GenuineIntel", 6, 0x2a, 0x2a, ANY_STEPPING, "sandybridge"},
    {"GenuineIntel", 6, 0x2d, 0x2d, ANY_STEPPING, "sandybridge"},
    {"GenuineIntel", 6, 0x3a, 0x3a, ANY_STEPPING, "ivybridge"},
    {"GenuineIntel", 6, 0x3e, 0x3e, ANY_STEPPING, "ivybridge"},
    {"GenuineIntel", 6, 0x3c, 0x3c, ANY_STEPPING, "haswell"},
    {"GenuineIntel", 6, 0x3f, 0x3f, ANY_STEPPING, "haswell"},
    {"GenuineIntel", 6, 0x3d, 0x3d, ANY_STEPPING, "broadwell"},
    {"GenuineIntel", 6, 0x47, 0x47, ANY_STEPPING, "broadwell"},
    {"GenuineIntel", 6, 0x4f, 0x4f, ANY_STEPPING, "broadwell"},
    {"GenuineIntel", 6, 0x56, 0x56, ANY_STEPPING, "broadwell"},
    {"GenuineIntel", 6, 0x55, 0x55, 0, 4, "skylake"},
    {"GenuineIntel", 6, 0x55, 0x55, 5, 7, "cascadelake"},
    {"GenuineIntel", 6, 0x55, 0x55, 10, 11, "cooperlake"},
    {"GenuineIntel", 6, 0x6a, 0x6a, ANY_STEPPING, "icelake"},
    {"GenuineIntel", 6, 0x6c, 0x6c, ANY_STEPPING, "icelake"},
    {"GenuineIntel", 6, 0x8e, 0x8e, ANY_STEPPING, "coffeelake"},
    {"GenuineIntel", 6, 0x9e, 0x9e, ANY_STEPPING, "coffeelake"},
    {"GenuineIntel", 6, 0xa7, 0xa7, ANY_STEPPING, "rocketlake"},
    {"GenuineIntel", 6, 0x8f, 0x8f, ANY_STEPPING, "sapphirerapids"},
    {"GenuineIntel", 6, 0xcf, 0xcf, ANY_STEPPING, "emeraldrapids"},
    {"GenuineIntel", 6, 0xad, 0xad, ANY_STEPPING, "graniterapids"},
    {"AuthenticAMD", 21, 0x01, 0x02, ANY_STEPPING, "opteron"},
    {"AuthenticAMD", 23, 0x01, 0x01, ANY_STEPPING, "epyc1"},
    {"AuthenticAMD", 23, 0x31, 0x31, ANY_STEPPING, "epyc2"},
    {"AuthenticAMD", 25, 0x01, 0x01, ANY_STEPPING, "epyc3"},
    {"AuthenticAMD", 25, 0x11, 0x11, ANY_STEPPING, "epyc4"},
    {"AuthenticAMD", 25, 0xa0, 0xa0, ANY_STEPPING, "epyc4"},
    {"AuthenticAMD", 26, 0x00, 0x11, ANY_STEPPING, "epyc5"},
    {"ARM", 0x41, 0xd0c, 0xd0c, ANY_STEPPING, "neoverse-n1"},
};

const char *gl_power_family_of_cpu(const char *vendor, unsigned family, unsigned model,
                                   unsigned stepping)
{
    for (size_t i = 0; i < COUNT(cpu_rows); i++) {
        const struct cpu_row *row = &cpu_rows[i];

        if (family == row->family && model >= row->model_low && model <= row->model_high &&
            stepping >= row->stepping_low && stepping <= row->stepping_high &&
            strcmp(vendor, row->vendor) == 0)
            return row->key;
    }
    return NULL;
}

/* A load that is no number counts as full: an error must not make the estimate small. */
static double load_in_range(double load)
{
    if (load < 0)
        return 0;
    return load <= 1 ? load : 1;
}

static struct gl_band scaled(struct gl_band band, double factor)
{
    return (struct gl_band){band.low * factor, band.central * factor, band.high * factor};
}

static struct gl_band sum(struct gl_band a, struct gl_band b)
{
    return (struct gl_band){a.low + b.low, a.central + b.central, a.high + b.high};
}

static double central_w_per_thread(const struct gl_power_family *family, double load)
{
    double at = load_in_range(load) * 10;
    size_t left = at < 10 ? (size_t)at : 9;
    double low = family ? (double)family->w_per_thread[MEDIAN][left] : generic_w_per_thread[left];
    double high =
        family ? (double)family->w_per_thread[MEDIAN][left + 1] : generic_w_per_thread[left + 1];

    return low + (high - low) * (at - (double)left);
}

struct gl_band gl_power_cpu(const struct gl_machine *machine, double load)
{
    return scaled(machine->family != NULL ? known_family : unknown_family,
                  central_w_per_thread(machine->family, load) * machine->threads);
}

struct gl_band gl_power_memory(const struct gl_machine *machine)
{
    double per_thread = machine->family != NULL ? (double)machine->family->gb_per_thread : 0;
    double extra_gb;

    if (per_thread <= 0)
        per_thread = GB_PER_THREAD_IF_UNKNOWN;
    extra_gb = machine->memory_gb - per_thread * machine->threads;
    return scaled(memory_w_per_gb, extra_gb > 0 ? extra_gb : 0);
}

/* Share of the board limit, linear between 0, 10, 50 and 100 % load. */
static double gpu_share(double load)
{
    static const double loads[] = {0.0, 0.1, 0.5, 1.0}, shares[] = {0.1, 0.4, 0.75, 1.0};
    double at = load_in_range(load);
    size_t left = 0;

    while (left < COUNT(loads) - 2 && at > loads[left + 1])
        left++;
    return shares[left] +
           (shares[left + 1] - shares[left]) * (at - loads[left]) / (loads[left + 1] - loads[left]);
}

/* The board's own limiter holds a GPU within its limit, so the high side stops there. */
struct gl_band gl_power_gpu(const struct gl_machine *machine, double load)
{
    double limit = machine->gpu_count * machine->gpu_watts;
    struct gl_band band = scaled(gpu_by_limit, gpu_share(load) * limit);

    if (band.high > GPU_LIMIT_TOLERANCE * limit)
        band.high = GPU_LIMIT_TOLERANCE * limit;
    return band;
}

struct gl_band gl_power_machine(const struct gl_machine *machine, double cpu_load, double gpu_load)
{
    return sum(sum(gl_power_cpu(machine, cpu_load), gl_power_memory(machine)),
               gl_power_gpu(machine, gpu_load));
}

/* p10 at idle and p90 at full load; of an unknown CPU the extremes over all families, so that a
 * true reading of any of them is never refused. */
static double idle_p10_w(const struct gl_power_family *family)
{
    double least;

    if (family != NULL)
        return (double)family->w_per_thread[0][0];
    least = (double)families[0].w_per_thread[0][0];
    for (size_t i = 1; i < COUNT(families); i++)
        if ((double)families[i].w_per_thread[0][0] < least)
            least = (double)families[i].w_per_thread[0][0];
    return least;
}

static double full_p90_w(const struct gl_power_family *family)
{
    double most = 0;

    if (family != NULL)
        return (double)family->w_per_thread[2][10];
    for (size_t i = 0; i < COUNT(families); i++)
        if ((double)families[i].w_per_thread[2][10] > most)
            most = (double)families[i].w_per_thread[2][10];
    return most;
}

struct gl_power gl_power_plausible_max(const struct gl_machine *machine)
{
    double cpu = 1.25 * full_p90_w(machine->family) * machine->threads;
    double memory = memory_w_per_gb.high * machine->memory_gb;
    double gpu = GPU_LIMIT_TOLERANCE * machine->gpu_count * machine->gpu_watts;

    return (struct gl_power){1.6 * (cpu + memory) + gpu};
}

struct gl_power gl_power_plausible_min(const struct gl_machine *machine)
{
    return (struct gl_power){0.5 * idle_p10_w(machine->family) * machine->threads +
                             5.0 * machine->gpu_count};
}
