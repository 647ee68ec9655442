/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/child.h"

#include <errno.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static void leave(unsigned first, unsigned last)
{
    if (first > last || close_range(first, last, 0) == 0)
        return;
    for (unsigned fd = first; fd <= last && fd < 1024; fd++)
        close((int)fd);
}

static void leave_sockets(int kept)
{
    if (kept >= 3) {
        leave(3, (unsigned)kept - 1);
        leave((unsigned)kept + 1, ~0U);
    } else {
        leave(3, ~0U);
    }
}

pid_t gl_child_start(int (*run)(void *cookie), void *cookie, int kept)
{
    pid_t parent = getpid();
    pid_t child = fork();

    if (child != 0)
        return child;
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    leave_sockets(kept);
    _exit(getppid() == parent ? run(cookie) : 1);
}

bool gl_child_has_ended(pid_t child, bool *out_is_fine)
{
    int status = 0;
    pid_t got = waitpid(child, &status, WNOHANG);

    *out_is_fine = got == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
    return got == child || (got < 0 && errno == ECHILD);
}
