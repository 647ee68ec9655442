/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/guest.h"
#include "agent/modes.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Process 1 without a control socket is the init of a virtual machine: the kernel hands it whatever
 * words of its own command line it does not know. */
static bool is_init(int argc, char **argv)
{
    if (getpid() != 1)
        return false;
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "--control") == 0)
            return false;
    return true;
}

static int run_mode(const struct gl_meter_options *options, struct gl_error *err)
{
    switch (options->mode) {
    case GL_MODE_GUEST:
        return gl_guest_run(&(struct gl_guest_options){options->control, options->console});
    case GL_MODE_ONESHOT:
        return gl_mode_oneshot(options, err);
    case GL_MODE_SELFTEST:
        return gl_mode_selftest(options);
    case GL_MODE_RUN:
    case GL_MODE_DAEMON:
        return gl_mode_run(options, err);
    case GL_MODE_REPLAY:
        return gl_mode_replay(options, err);
    case GL_MODE_VERSION:
        printf("greenlaunch-meter " GL_VERSION "\n");
        return 0;
    case GL_MODE_HELP:
    case GL_MODE_NONE:
        break;
    }
    gl_meter_options_help();
    return 0;
}

int main(int argc, char **argv)
{
    struct gl_meter_options options;
    struct gl_error err = {0};
    int status;

    if (is_init(argc, argv))
        return gl_guest_run(&(struct gl_guest_options){0});
    if (gl_meter_options_parse(argc, argv, &options, &err) < 0)
        status = -1;
    else
        status = run_mode(&options, &err);
    if (status >= 0)
        return status;
    fprintf(stderr, "greenlaunch-meter: %s\n", err.text);
    return (int)gl_errc_row(err.code)->exit;
}
