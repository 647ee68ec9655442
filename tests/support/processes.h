/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_TESTS_PROCESSES_H
#define GL_TESTS_PROCESSES_H

/* Processes of this machine, found by a word of their command line, and killed. */

#include <dirent.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* How many have the word in their command line; the pids of at most two of them, or NULL. */
static inline unsigned gl_test_processes_with(const char *word, int out_pids[2])
{
    DIR *folder = opendir("/proc");
    struct dirent *entry;
    unsigned count = 0;

    assert_non_null(folder);
    while ((entry = readdir(folder)) != NULL) {
        char path[300], line[8192] = "";
        FILE *file;
        size_t length;

        snprintf(path, sizeof path, "/proc/%.20s/cmdline", entry->d_name);
        if (strtol(entry->d_name, NULL, 10) <= 0 || (file = fopen(path, "r")) == NULL)
            continue;
        length = fread(line, 1, sizeof line - 1, file);
        fclose(file);
        if (memmem(line, length, word, strlen(word)) == NULL)
            continue;
        if (count < 2 && out_pids != NULL)
            out_pids[count] = (int)strtol(entry->d_name, NULL, 10);
        count++;
    }
    closedir(folder);
    return count;
}

/* It gives its memory and its machine back before it is gone, and counts as alive until then. */
static inline void gl_test_kill(int pid)
{
    char path[64], line[512] = "";
    const char *state = NULL;

    kill(pid, SIGKILL);
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    for (int i = 0; i < 6000; i++) {
        FILE *file = fopen(path, "r");

        if (file == NULL)
            return;
        state = fgets(line, sizeof line, file) != NULL ? strrchr(line, ')') : NULL;
        fclose(file);
        if (state == NULL || state[2] == 'Z')
            return;
        usleep(10000);
    }
    fail_msg("%d does not die: %s", pid, line);
}

#endif
