/* SPDX-License-Identifier: Apache-2.0 */
/* Preloaded into greenlaunch by integration tests that cannot wait for hours: the clock on the wall
 * is as many seconds ahead as the file named by CLOCK_SHIM says. The monotonic clock, and every
 * other program, are left alone. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static long ahead_s(void)
{
    const char *path = getenv("CLOCK_SHIM");
    FILE *file;
    long ahead = 0;

    if (path == NULL || strcmp(program_invocation_short_name, "greenlaunch") != 0)
        return 0;
    file = fopen(path, "re");
    if (file == NULL)
        return 0;
    if (fscanf(file, "%ld", &ahead) != 1)
        ahead = 0;
    fclose(file);
    return ahead;
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
    int result = (int)syscall(SYS_clock_gettime, clock, now);
    int saved = errno;

    if (result == 0 && clock == CLOCK_REALTIME)
        now->tv_sec += ahead_s();
    errno = saved;
    return result;
}

time_t time(time_t *out)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    if (out != NULL)
        *out = now.tv_sec;
    return now.tv_sec;
}
