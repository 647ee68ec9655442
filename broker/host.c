/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/power.h"

/* "key<tabs>: value" of /proc/cpuinfo; the value without its newline, NULL for another key. */
static char *value_of(char *line, const char *key)
{
    size_t length = strlen(key);
    char *colon;

    if (strncmp(line, key, length) != 0 || (line[length] != '\t' && line[length] != ' '))
        return NULL;
    colon = strchr(line, ':');
    if (colon == NULL || strspn(line + length, "\t ") != (size_t)(colon - line) - length)
        return NULL;
    colon[1 + strcspn(colon + 1, "\n")] = '\0';
    return colon[1] == ' ' ? colon + 2 : colon + 1;
}

/* What is looked for comes before the flags of a CPU, which the kernel makes up at some cost: no
 * more is read than that takes. */
static void read_cpu(const char *path, struct gl_host *host)
{
    FILE *file = fopen(path, "re");
    char line[512], vendor[32] = "", family[16] = "", model[16] = "", stepping[16] = "";
    const struct {
        const char *key;
        char *text;
        size_t size;
    } fields[] = {
        {"vendor_id", vendor, sizeof vendor},
        {"cpu family", family, sizeof family},
        {"model", model, sizeof model},
        {"stepping", stepping, sizeof stepping},
        {"model name", host->cpu, sizeof host->cpu},
    };
    size_t count = sizeof fields / sizeof fields[0], missing = count;

    while (file != NULL && missing > 0 && fgets(line, sizeof line, file) != NULL && line[0] != '\n')
        for (size_t i = 0; i < count; i++) {
            const char *value = value_of(line, fields[i].key);

            if (value == NULL)
                continue;
            snprintf(fields[i].text, fields[i].size, "%s", value);
            missing--;
        }
    if (file != NULL)
        fclose(file);
    host->family = gl_power_family_of_cpu(vendor, (unsigned)strtoul(family, NULL, 10),
                                          (unsigned)strtoul(model, NULL, 10),
                                          (unsigned)strtoul(stepping, NULL, 10));
}

void gl_host_read(const struct gl_world *world, struct gl_host *out)
{
    const char *cpuinfo = world->getenv(world->cookie, "GREENLAUNCH_CPUINFO");
    long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);

    *out = (struct gl_host){0};
    out->vcpus = cpus > 0 ? (uint32_t)cpus : 0;
    out->memory_mib =
        pages > 0 && page > 0 ? (uint32_t)((uint64_t)pages * (uint64_t)page >> 20) : 0;
    read_cpu(cpuinfo != NULL ? cpuinfo : "/proc/cpuinfo", out);
}

void gl_host_boot_id(char out[GL_BOOT_ID])
{
    FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");

    out[0] = '\0';
    if (file != NULL && fgets(out, GL_BOOT_ID, file) != NULL)
        out[strcspn(out, "\n")] = '\0';
    if (file != NULL)
        fclose(file);
}
