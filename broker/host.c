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

static void read_cpu(struct gl_host *host)
{
    FILE *file = fopen("/proc/cpuinfo", "re");
    char line[512], vendor[32] = "";
    unsigned numbers[3] = {0, 0, 0};
    static const char *const keys[3] = {"cpu family", "model", "stepping"};

    while (file != NULL && fgets(line, sizeof line, file) != NULL && line[0] != '\n') {
        char *value = value_of(line, "vendor_id");

        if (value != NULL)
            snprintf(vendor, sizeof vendor, "%s", value);
        value = value_of(line, "model name");
        if (value != NULL)
            snprintf(host->cpu, sizeof host->cpu, "%.79s", value);
        for (int i = 0; i < 3; i++)
            if ((value = value_of(line, keys[i])) != NULL)
                numbers[i] = (unsigned)strtoul(value, NULL, 10);
    }
    if (file != NULL)
        fclose(file);
    host->family = gl_power_family_of_cpu(vendor, numbers[0], numbers[1], numbers[2]);
}

void gl_host_read(struct gl_host *out)
{
    long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);

    *out = (struct gl_host){0};
    out->vcpus = cpus > 0 ? (uint32_t)cpus : 0;
    out->memory_mib =
        pages > 0 && page > 0 ? (uint32_t)((uint64_t)pages * (uint64_t)page >> 20) : 0;
    read_cpu(out);
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
