/* SPDX-License-Identifier: Apache-2.0 */
#include <dlfcn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* greenlaunch-meter-gpu: reads NVIDIA and AMD boards for the meter, which is static and cannot load
 * a library. For every line on its stdin (or once, with --once) it prints one line per board,
 * "index energy_mj power_mw limit_mw" with "-" for what the board does not tell, and " amd" after
 * it for one of AMD's, or the one line "unsupported"; then "end". It may hang in the driver: the
 * meter gives it two seconds.
 *
 * NVML (NVIDIA Management Library API reference): nvmlDeviceGetTotalEnergyConsumption is in mJ
 * since the driver was loaded, nvmlDeviceGetPowerUsage and nvmlDeviceGetEnforcedPowerLimit in mW.
 * AMD SMI (amdsmi.h): amdsmi_get_energy_count is the accumulated energy in units of the resolution
 * that it tells in uJ; not in virtual machines. Where that library is not there, ROCm SMI
 * (rocm_smi.h) has the same counter, and average power and its cap in uW.
 * Declared here by hand: no header of theirs is needed. */

#define BOARDS_MAX      64
#define SOCKETS_MAX     64
#define NVML_SUCCESS    0
#define AMD_SUCCESS     0
#define AMDSMI_AMD_GPUS (UINT64_C(1) << 1)
#define SENSOR          0

typedef void *nvml_device;

struct nvml {
    int (*init)(void);
    int (*count)(unsigned *out);
    int (*device)(unsigned index, nvml_device *out);
    int (*energy)(nvml_device device, unsigned long long *out_mj);
    int (*power)(nvml_device device, unsigned *out_mw);
    int (*limit)(nvml_device device, unsigned *out_mw);
};

struct amd {
    int (*energy)(void *board, uint64_t *out, float *out_resolution_uj, uint64_t *out_ns);
    int (*rocm_energy)(uint32_t index, uint64_t *out, float *out_resolution_uj, uint64_t *out_ns);
    int (*rocm_power)(uint32_t index, uint32_t sensor, uint64_t *out_uw);
    int (*rocm_limit)(uint32_t index, uint32_t sensor, uint64_t *out_uw);
    void *boards[BOARDS_MAX]; /* of AMD SMI */
    uint32_t count;
};

/* A function by its present or its older name. ISO C has no cast from void * to a function pointer,
 * POSIX says that the bytes are the same. */
static bool find(void *library, const char *name, const char *older, void *out_function)
{
    void *symbol = dlsym(library, name);

    if (symbol == NULL && older != NULL)
        symbol = dlsym(library, older);
    memcpy(out_function, &symbol, sizeof symbol);
    return symbol != NULL;
}

static bool load(struct nvml *nvml)
{
    void *library = dlopen("libnvidia-ml.so.1", RTLD_NOW | RTLD_LOCAL);

    if (library == NULL)
        library = dlopen("libnvidia-ml.so", RTLD_NOW | RTLD_LOCAL);
    if (library == NULL)
        return false;
    find(library, "nvmlDeviceGetTotalEnergyConsumption", NULL, &nvml->energy);
    find(library, "nvmlDeviceGetPowerUsage", NULL, &nvml->power);
    find(library, "nvmlDeviceGetEnforcedPowerLimit", "nvmlDeviceGetPowerManagementLimit",
         &nvml->limit);
    return find(library, "nvmlInit_v2", "nvmlInit", &nvml->init) &&
           find(library, "nvmlDeviceGetCount_v2", "nvmlDeviceGetCount", &nvml->count) &&
           find(library, "nvmlDeviceGetHandleByIndex_v2", "nvmlDeviceGetHandleByIndex",
                &nvml->device) &&
           nvml->init() == NVML_SUCCESS;
}

/* ---- AMD ---- */

static void *open_either(const char *present, const char *older)
{
    void *library = dlopen(present, RTLD_NOW | RTLD_LOCAL);

    return library != NULL ? library : dlopen(older, RTLD_NOW | RTLD_LOCAL);
}

static bool load_amdsmi(struct amd *amd)
{
    void *library = open_either("libamd_smi.so", "libamd_smi.so.26"), *sockets[SOCKETS_MAX];
    int (*init)(uint64_t flags), (*shut_down)(void);
    int (*socket_handles)(uint32_t * count, void **out);
    int (*board_handles)(void *socket, uint32_t *count, void **out);
    uint32_t count = SOCKETS_MAX;

    if (library == NULL || !find(library, "amdsmi_init", NULL, &init) ||
        !find(library, "amdsmi_shut_down", NULL, &shut_down) ||
        !find(library, "amdsmi_get_socket_handles", NULL, &socket_handles) ||
        !find(library, "amdsmi_get_processor_handles", NULL, &board_handles) ||
        !find(library, "amdsmi_get_energy_count", NULL, &amd->energy) ||
        init(AMDSMI_AMD_GPUS) != AMD_SUCCESS)
        return false;
    if (socket_handles(&count, sockets) != AMD_SUCCESS)
        count = 0;
    for (uint32_t i = 0; i < count && i < SOCKETS_MAX; i++) {
        uint32_t room = BOARDS_MAX - amd->count;

        if (board_handles(sockets[i], &room, &amd->boards[amd->count]) == AMD_SUCCESS)
            amd->count += room <= BOARDS_MAX - amd->count ? room : BOARDS_MAX - amd->count;
    }
    if (amd->count == 0)
        shut_down();
    return amd->count > 0;
}

static bool load_rocm(struct amd *amd)
{
    void *library = open_either("librocm_smi64.so", "librocm_smi64.so.7");
    int (*init)(uint64_t flags), (*count)(uint32_t * out);

    if (library == NULL || !find(library, "rsmi_init", NULL, &init) ||
        !find(library, "rsmi_num_monitor_devices", NULL, &count) ||
        !find(library, "rsmi_dev_energy_count_get", NULL, &amd->rocm_energy) ||
        init(0) != AMD_SUCCESS)
        return false;
    find(library, "rsmi_dev_power_ave_get", NULL, &amd->rocm_power);
    find(library, "rsmi_dev_power_cap_get", NULL, &amd->rocm_limit);
    if (count(&amd->count) != AMD_SUCCESS || amd->count > BOARDS_MAX)
        amd->count = 0;
    return amd->count > 0;
}

static bool read_energy(const struct amd *amd, uint32_t at, unsigned long long *out_mj)
{
    uint64_t units = 0, stamp_ns = 0;
    float resolution_uj = 0;
    int status = amd->boards[at] != NULL
                     ? amd->energy(amd->boards[at], &units, &resolution_uj, &stamp_ns)
                     : amd->rocm_energy(at, &units, &resolution_uj, &stamp_ns);

    if (status != AMD_SUCCESS || !(resolution_uj > 0 && resolution_uj < 1e6F))
        return false;
    *out_mj = (unsigned long long)((double)units * (double)resolution_uj / 1000);
    return true;
}

static void print_field(bool is_known, unsigned long long value)
{
    if (is_known)
        printf(" %llu", value);
    else
        printf(" -");
}

static void print_board(const struct nvml *nvml, unsigned index)
{
    nvml_device device;
    unsigned long long energy = 0;
    unsigned power = 0, limit = 0;
    bool is_there = nvml->device(index, &device) == NVML_SUCCESS;
    bool has_energy =
        is_there && nvml->energy != NULL && nvml->energy(device, &energy) == NVML_SUCCESS;
    bool has_power = is_there && nvml->power != NULL && nvml->power(device, &power) == NVML_SUCCESS;
    bool has_limit = is_there && nvml->limit != NULL && nvml->limit(device, &limit) == NVML_SUCCESS;

    printf("%u", index);
    print_field(has_energy, energy);
    print_field(has_power, power);
    print_field(has_limit, limit);
    printf("\n");
}

static void print_amd(const struct amd *amd, uint32_t at, unsigned index)
{
    unsigned long long energy = 0;
    uint64_t power_uw = 0, limit_uw = 0;
    bool is_rocm = amd->boards[at] == NULL, has_energy = read_energy(amd, at, &energy);
    bool has_power =
        is_rocm && amd->rocm_power != NULL && amd->rocm_power(at, SENSOR, &power_uw) == AMD_SUCCESS;
    bool has_limit =
        is_rocm && amd->rocm_limit != NULL && amd->rocm_limit(at, SENSOR, &limit_uw) == AMD_SUCCESS;

    printf("%u", index);
    print_field(has_energy, energy);
    print_field(has_power, power_uw / 1000);
    print_field(has_limit, limit_uw / 1000);
    printf(" amd\n");
}

static void print_all(const struct nvml *nvml, const struct amd *amd)
{
    unsigned count = 0;

    if (nvml->count == NULL || nvml->count(&count) != NVML_SUCCESS)
        count = 0;
    if (count + amd->count == 0)
        printf("unsupported\n");
    if (count > BOARDS_MAX)
        count = BOARDS_MAX;
    for (unsigned i = 0; i < count; i++)
        print_board(nvml, i);
    for (uint32_t i = 0; i < amd->count && count + i < BOARDS_MAX; i++)
        print_amd(amd, i, count + i);
    printf("end\n");
    fflush(stdout);
}

int main(int argc, char **argv)
{
    struct nvml nvml = {0};
    struct amd amd = {0};
    char request;

    if (!load(&nvml))
        nvml = (struct nvml){0};
    if (!load_amdsmi(&amd)) {
        amd = (struct amd){0};
        if (!load_rocm(&amd))
            amd = (struct amd){0};
    }
    if (argc > 1 && strcmp(argv[1], "--once") == 0) {
        print_all(&nvml, &amd);
        return 0;
    }
    while (read(0, &request, 1) == 1)
        print_all(&nvml, &amd);
    return 0;
}
