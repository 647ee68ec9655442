/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

double bench_now_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Documentation/filesystems/proc.rst of Linux: 5 resets the peak resident set. */
void bench_peak_reset(void)
{
    FILE *file = fopen("/proc/self/clear_refs", "w");

    if (file == NULL)
        return;
    fputs("5", file);
    fclose(file);
}

long bench_peak_kib(void)
{
    FILE *file = fopen("/proc/self/status", "r");
    char line[256];
    long kib = -1;

    if (file == NULL)
        return -1;
    while (fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, "VmHWM: %ld kB", &kib) == 1)
            break;
    fclose(file);
    return kib;
}

static int usage(void)
{
    fputs("usage: bench offers | energy FOLDER | papers | receipt FILE\n", stderr);
    return 2;
}

int main(int argc, char **argv)
{
    struct gl_error err = {0};
    const char *what = argc > 1 ? argv[1] : "";
    int result;

    if (strcmp(what, "offers") == 0)
        result = bench_offers(&err);
    else if (strcmp(what, "papers") == 0)
        result = bench_papers(&err);
    else if (strcmp(what, "energy") == 0 && argc > 2)
        result = bench_energy(argv[2], &err);
    else if (strcmp(what, "receipt") == 0 && argc > 2)
        result = bench_receipt(argv[2], &err);
    else
        return usage();
    if (result != 0)
        printf("  skipped: %s\n", err.text);
    return result == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
