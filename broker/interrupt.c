/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/interrupt.h"

#include <signal.h>
#include <unistd.h>

/* The one global that cannot be a parameter: a signal handler has none. */
static volatile sig_atomic_t caught;

static void on_signal(int number)
{
    caught = number;
    if (number != SIGHUP)        /* which the kernel and the shell both send */
        signal(number, SIG_DFL); /* the second one kills */
}

void gl_interrupt_catch(int64_t timeout_s)
{
    struct sigaction action = {.sa_handler = on_signal};

    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGALRM, &action, NULL);
    if (timeout_s != INT64_MIN)
        alarm((unsigned)timeout_s);
}

void gl_interrupt_catch_hangup(void)
{
    struct sigaction action = {.sa_handler = on_signal}, before;

    sigemptyset(&action.sa_mask);
    if (sigaction(SIGHUP, NULL, &before) == 0 && before.sa_handler != SIG_IGN) /* nohup */
        sigaction(SIGHUP, &action, NULL);
}

bool gl_interrupted(void)
{
    return caught != 0;
}

int gl_interrupt_status(void)
{
    switch (caught) {
    case SIGALRM:
        return GL_EXIT_TIMEOUT;
    case SIGINT:
        return GL_EXIT_SIGINT;
    case SIGTERM:
    case SIGHUP:
        return GL_EXIT_SIGTERM;
    default:
        return 0;
    }
}

int gl_interrupt_fail(struct gl_error *err, const char *what)
{
    enum gl_errc code = caught == SIGALRM                       ? GL_E_TIMEOUT
                        : caught == SIGTERM || caught == SIGHUP ? GL_E_TERMINATED
                                                                : GL_E_INTERRUPTED;

    return gl_fail(err, code, "%s", what);
}
