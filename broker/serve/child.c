/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/serve/child.h"

#include <errno.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static void leave_sockets(void)
{
    if (close_range(3, ~0U, 0) == 0)
        return;
    for (int fd = 3; fd < 1024; fd++)
        close(fd);
}

pid_t gl_child_start(int (*run)(void *cookie), void *cookie)
{
    pid_t parent = getpid();
    pid_t child = fork();

    if (child != 0)
        return child;
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    leave_sockets();
    _exit(getppid() == parent ? run(cookie) : 1);
}

bool gl_child_has_ended(pid_t child, bool *out_is_fine)
{
    int status = 0;
    pid_t got = waitpid(child, &status, WNOHANG);

    *out_is_fine = got == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
    return got == child || (got < 0 && errno == ECHILD);
}
