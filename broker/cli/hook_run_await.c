/* SPDX-License-Identifier: Apache-2.0 */
/* A program of the user's in our place: it gets our terminal, and the signals that are meant for
 * it. */
#include <errno.h>
#include <signal.h>
#include <time.h>

#include "broker/cli/hook_run.h"

/* What the kernel sends for a key goes to the whole foreground group, and twice would mean "now, at
 * any cost" to Terraform. */
static bool is_from_terminal(const siginfo_t *info)
{
    return info->si_code == SI_KERNEL && (info->si_signo == SIGINT || info->si_signo == SIGHUP);
}

static int await(const struct gl_process *process, const sigset_t *watched, int *out_signal)
{
    const struct timespec look = {.tv_sec = 1};
    int status = -1;

    while (gl_process_wait(process, 0, &status) == 0) {
        siginfo_t info;
        int number = sigtimedwait(watched, &info, &look);

        if (number <= 0 || number == SIGCHLD)
            continue;
        *out_signal = number;
        if (!is_from_terminal(&info))
            gl_process_kill(process, number == SIGALRM ? SIGINT : number);
    }
    return status;
}

int gl_hook_await(const struct gl_spawn *spawn, int *out_status, int *out_signal,
                  struct gl_error *err)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGALRM, SIGCHLD};
    struct gl_process process;
    sigset_t watched, before;
    int result;

    sigemptyset(&watched);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        sigaddset(&watched, numbers[i]);
    sigprocmask(SIG_BLOCK, &watched, &before);
    *out_signal = 0;
    result = gl_process_start(spawn, &process, err);
    if (result == 0)
        *out_status = await(&process, &watched, out_signal);
    sigprocmask(SIG_SETMASK, &before, NULL);
    return result;
}
