/* SPDX-License-Identifier: Apache-2.0 */
/* A program of the user's in our place: it gets our terminal, and the signals that are meant for
 * it. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "broker/child.h"
#include "broker/cli/hook_run.h"

#define SHARED_MS 300 /* for what is sent to one process after the other */

/* ---- the witness ---- */

/* A child that does nothing but say which signals came to it too. What is sent to the whole group,
 * as by a terminal, timeout(1), systemd and runners of CI, has reached the tool already, and twice
 * would mean "now, at any cost" to Terraform. */
struct witness {
    pid_t child; /* -1 = none */
    int said;    /* a byte a signal */
};

struct telling {
    const sigset_t *watched;
    int out;
};

static int tell(void *cookie)
{
    const struct telling *telling = cookie;

    for (;;) {
        int number = sigwaitinfo(telling->watched, NULL);
        unsigned char byte = (unsigned char)number;

        if (number > 0 && write(telling->out, &byte, sizeof byte) != 1)
            return 1;
    }
}

static struct witness call_witness(const sigset_t *watched)
{
    struct witness witness = {-1, -1};
    struct telling telling = {.watched = watched};
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) != 0)
        return witness;
    telling.out = ends[1];
    witness = (struct witness){gl_child_start(tell, &telling, ends[1]), ends[0]};
    close(ends[1]);
    return witness;
}

static void dismiss(const struct witness *witness)
{
    if (witness->child > 0) {
        kill(witness->child, SIGKILL);
        waitpid(witness->child, NULL, 0);
    }
    if (witness->said >= 0)
        close(witness->said);
}

static bool came_to_all(const struct witness *witness, int number)
{
    struct pollfd wait = {.fd = witness->said, .events = POLLIN};
    unsigned char byte = 0;

    while (witness->child > 0 && poll(&wait, 1, SHARED_MS) > 0 &&
           read(witness->said, &byte, sizeof byte) == 1)
        if (byte == (unsigned char)number)
            return true;
    return false;
}

/* ---- the tool ---- */

static int await(const struct gl_process *process, const struct witness *witness,
                 const sigset_t *watched, int *out_signal)
{
    const struct timespec look = {.tv_sec = 1};
    int status = -1;

    while (gl_process_wait(process, 0, &status) == 0) {
        int number = sigtimedwait(watched, NULL, &look);

        if (number <= 0 || number == SIGCHLD)
            continue;
        *out_signal = number;
        if (number == SIGALRM)
            gl_process_kill(process, SIGINT);
        else if (!came_to_all(witness, number))
            gl_process_kill(process, number);
    }
    return status;
}

/* A hangup that is ignored (nohup) concerns nobody. */
static void watch(sigset_t *watched)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGALRM, SIGCHLD};
    struct sigaction hangup;

    sigemptyset(watched);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        sigaddset(watched, numbers[i]);
    if (sigaction(SIGHUP, NULL, &hangup) == 0 && hangup.sa_handler != SIG_IGN)
        sigaddset(watched, SIGHUP);
}

int gl_hook_await(const struct gl_spawn *spawn, int *out_status, int *out_signal,
                  struct gl_error *err)
{
    struct gl_process process;
    struct witness witness;
    sigset_t watched, before;
    int result;

    watch(&watched);
    sigprocmask(SIG_BLOCK, &watched, &before);
    witness = call_witness(&watched);
    *out_signal = 0;
    result = gl_process_start(spawn, &process, err);
    if (result == 0)
        *out_status = await(&process, &witness, &watched, out_signal);
    dismiss(&witness);
    sigprocmask(SIG_SETMASK, &before, NULL);
    return result;
}
