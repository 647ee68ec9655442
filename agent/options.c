/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct option {
    const char *name, *argument, *help;
    enum gl_meter_mode mode; /* a mode, or GL_MODE_NONE for an option */
    size_t offset;           /* of the const char * or int64_t */
    int64_t most;            /* of a number, 0 = a text */
};

#define TEXT(member)         GL_MODE_NONE, offsetof(struct gl_meter_options, member), 0
#define NUMBER(member, most) GL_MODE_NONE, offsetof(struct gl_meter_options, member), most

static const struct option options[] = {
    {"--guest", NULL, "first process of an instance (with --control: of a namespace)",
     GL_MODE_GUEST, 0, 0},
    {"--oneshot", NULL, "one record over one second on stdout", GL_MODE_ONESHOT, 0, 0},
    {"--selftest", NULL, "what would be used here, and whether it works", GL_MODE_SELFTEST, 0, 0},
    {"--run", NULL, "meter the command after -- and pass on its exit status", GL_MODE_RUN, 0, 0},
    {"--daemon", NULL, "meter this machine until SIGTERM", GL_MODE_DAEMON, 0, 0},
    {"--replay", "PATH", "check a spool folder, or print its batches with --output", GL_MODE_REPLAY,
     offsetof(struct gl_meter_options, replay), 0},
    {"--help", NULL, "this list", GL_MODE_HELP, 0, 0},
    {"--version", NULL, "version", GL_MODE_VERSION, 0, 0},
    {"--control", "PATH", "guest: unix socket to listen on", TEXT(control)},
    {"--console", "PATH", "append readings to this file or serial port", TEXT(console)},
    {"--output", "FILE", "append readings to this file; - is stdout, fd:N a descriptor",
     TEXT(output)},
    {"--spool", "FOLDER", "keep readings here until they are handed over", TEXT(spool)},
    {"--launch", "ID", "name of the launch in every record", TEXT(launch)},
    {"--token-file", "FILE", "enrol with the 64 hex digits in this file", TEXT(token_file)},
    {"--interval", "MS", "time between records (10000)", NUMBER(interval_ms, 3600000)},
    {"--family", "KEY", "CPU family for the model, else by CPUID", TEXT(family)},
    {"--threads-milli", "N", "processors of the slice, times 1000 (all)",
     NUMBER(threads_milli, 10000000)},
    {"--memory-mb", "N", "memory of the slice (all)", NUMBER(memory_mb, 100000000)},
    {"--gpu-count", "N", "GPUs for the model", NUMBER(gpu_count, 64)},
    {"--gpu-watts", "N", "power limit of each", NUMBER(gpu_watts, 5000)},
    {"--load", "SCOPE", "machine (all of it) or tree (only the command's processes)", TEXT(load)},
    {"--gpu-helper", "PROGRAM", "path of greenlaunch-meter-gpu", TEXT(gpu_helper)},
    {"--exit", "STATUS", "with --replay: sign that the command ended so", TEXT(exit_status)},
    {"--tail", "FILE", "with --exit: sign the last 16 KiB of what it printed", TEXT(tail)},
    {"--sysroot", "FOLDER", "read /sys and /proc below it; all readings are then simulated",
     TEXT(sysroot)},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct option *find_option(const char *name)
{
    for (size_t i = 0; i < COUNT(options); i++)
        if (strcmp(options[i].name, name) == 0)
            return &options[i];
    return NULL;
}

static int set_number(const struct option *option, const char *value, struct gl_meter_options *out,
                      struct gl_error *err)
{
    char *end;
    long long number;

    errno = 0;
    number = strtoll(value, &end, 10);
    if (errno != 0 || end == value || *end != '\0' || number < 1 || number > option->most)
        return gl_fail(err, GL_E_USAGE, "%s takes a number from 1 to %lld, not \"%s\"",
                       option->name, (long long)option->most, value);
    memcpy((char *)out + option->offset, &(int64_t){number}, sizeof(int64_t));
    return 0;
}

static int set_option(const struct option *option, const char *value, struct gl_meter_options *out,
                      struct gl_error *err)
{
    if (option->mode != GL_MODE_NONE && out->mode != GL_MODE_NONE)
        return gl_fail(err, GL_E_USAGE, "more than one mode: %s", option->name);
    if (option->mode != GL_MODE_NONE)
        out->mode = option->mode;
    if (option->argument != NULL && value == NULL)
        return gl_fail(err, GL_E_USAGE, "%s needs a value: %s", option->name, option->argument);
    if (option->most > 0)
        return set_number(option, value, out, err);
    if (option->argument != NULL)
        memcpy((char *)out + option->offset, &value, sizeof value);
    return 0;
}

static bool is_metering(enum gl_meter_mode mode)
{
    return mode == GL_MODE_RUN || mode == GL_MODE_DAEMON;
}

/* Do the options go together? */
static int check(const struct gl_meter_options *out, struct gl_error *err)
{
    if (out->mode == GL_MODE_NONE)
        return gl_fail(err, GL_E_USAGE, "no mode: see greenlaunch-meter --help");
    if (out->mode == GL_MODE_GUEST && out->control == NULL)
        return gl_fail(err, GL_E_USAGE, "--guest needs --control unless it is process 1");
    if (out->mode == GL_MODE_RUN && out->command == NULL)
        return gl_fail(err, GL_E_USAGE, "--run needs a command after --");
    if (out->output != NULL && out->console != NULL)
        return gl_fail(err, GL_E_USAGE, "--output and --console are two names of one thing");
    if (is_metering(out->mode) && out->spool == NULL && out->output == NULL && out->console == NULL)
        return gl_fail(err, GL_E_USAGE, "nowhere to write to: give --output, --console or --spool");
    return 0;
}

int gl_meter_exit_status(const char *text)
{
    size_t length = strspn(text, "0123456789");
    long status = strtol(text, NULL, 10);

    return length > 0 && length <= 3 && text[length] == '\0' && status <= 255 ? (int)status : -1;
}

static int check_values(const struct gl_meter_options *out, struct gl_error *err)
{
    if (out->launch != NULL && !gl_config_is_launch(out->launch))
        return gl_fail(err, GL_E_USAGE, "bad launch name \"%s\"", out->launch);
    if (out->exit_status != NULL && gl_meter_exit_status(out->exit_status) < 0)
        return gl_fail(err, GL_E_USAGE, "--exit takes a number from 0 to 255, not \"%s\"",
                       out->exit_status);
    if (out->tail != NULL && out->exit_status == NULL)
        return gl_fail(err, GL_E_USAGE, "--tail goes with --exit: what a command printed");
    if (out->load != NULL && strcmp(out->load, "machine") != 0 && strcmp(out->load, "tree") != 0)
        return gl_fail(err, GL_E_USAGE, "--load is machine or tree, not \"%s\"", out->load);
    return 0;
}

int gl_meter_options_parse(int argc, char **argv, struct gl_meter_options *out,
                           struct gl_error *err)
{
    *out = (struct gl_meter_options){.sysroot = ""};
    for (int i = 1; i < argc; i++) {
        const struct option *option = find_option(argv[i]);

        if (strcmp(argv[i], "--") == 0) {
            out->command = i + 1 < argc ? argv + i + 1 : NULL;
            break;
        }
        if (option == NULL)
            return gl_fail(err, GL_E_USAGE, "unknown option %s", argv[i]);
        if (set_option(option, i + 1 < argc ? argv[i + 1] : NULL, out, err) < 0)
            return -1;
        i += option->argument != NULL;
    }
    return check(out, err) < 0 ? -1 : check_values(out, err);
}

void gl_meter_options_help(void)
{
    printf("usage: greenlaunch-meter MODE [OPTION...] [-- COMMAND [ARGUMENT...]]\n\n"
           "Measures or estimates the energy of this machine as a signed chain of records.\n\n");
    for (size_t i = 0; i < COUNT(options); i++)
        printf("  %-16s %-8s %s\n", options[i].name,
               options[i].argument != NULL ? options[i].argument : "", options[i].help);
    printf("\nexample: greenlaunch-meter --run --output readings.txt -- make\n");
}
