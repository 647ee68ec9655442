/* SPDX-License-Identifier: Apache-2.0 */
#include <dlfcn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* greenlaunch-meter-gpu: reads NVIDIA boards for the meter, which is static and cannot load a
 * library. For every line on its stdin (or once, with --once) it prints one line per board,
 * "index energy_mj power_mw limit_mw" with "-" for what the board does not tell, or the one line
 * "unsupported"; then "end". It may hang in the driver: the meter gives it two seconds.
 *
 * NVML (NVIDIA Management Library API reference): nvmlDeviceGetTotalEnergyConsumption is in mJ
 * since the driver was loaded, nvmlDeviceGetPowerUsage and nvmlDeviceGetEnforcedPowerLimit in mW.
 * Declared here by hand: no NVIDIA header is needed. */

#define BOARDS_MAX   64
#define NVML_SUCCESS 0

typedef void *nvml_device;

struct nvml {
    int (*init)(void);
    int (*count)(unsigned *out);
    int (*device)(unsigned index, nvml_device *out);
    int (*energy)(nvml_device device, unsigned long long *out_mj);
    int (*power)(nvml_device device, unsigned *out_mw);
    int (*limit)(nvml_device device, unsigned *out_mw);
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

static void print_all(const struct nvml *nvml, bool is_loaded)
{
    unsigned count = 0;

    if (!is_loaded || nvml->count(&count) != NVML_SUCCESS || count == 0)
        printf("unsupported\n");
    for (unsigned i = 0; i < count && i < BOARDS_MAX; i++)
        print_board(nvml, i);
    printf("end\n");
    fflush(stdout);
}

int main(int argc, char **argv)
{
    struct nvml nvml = {0};
    bool is_loaded = load(&nvml);
    char request;

    if (argc > 1 && strcmp(argv[1], "--once") == 0) {
        print_all(&nvml, is_loaded);
        return 0;
    }
    while (read(0, &request, 1) == 1)
        print_all(&nvml, is_loaded);
    return 0;
}
