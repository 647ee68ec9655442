/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/cloud/kubernetes.h"

#include "providers/cloud/guest_shell.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* The container's first process. Its files (script, meter, command, token, addresses) are the
 * Secret at $in, what it writes is in $dir; stdout is the pod's log, our console. It needs sh,
 * sleep and tail of the image, gunzip or a fetcher for the meter. */
static const char head[] = "umask 077\n"
                           "in=${GREENLAUNCH_IN:-/greenlaunch}\n"
                           "dir=${GREENLAUNCH_DIR:-/var/lib/greenlaunch}\n"
                           "say() { printf '%s\\n' \"$*\"; }\n"
                           "gone() { say \"greenlaunch: $*\"; exit 125; }\n"
                           "left=$((expires - $(date +%s)))\n"
                           "[ \"$left\" -le \"$most\" ] || left=$most # a clock that is behind\n"
                           "[ \"$left\" -gt 0 ] || gone 'the lease has ended'\n";

static const char install[] =
    "fetched() { # NAME: what the image cannot fetch by itself is no reason to run unmetered\n"
    "    get \"$(cat \"$in/$1-url\")\" \"$dir/$1\" 2>/dev/null || gone \"$1 cannot be fetched\"\n"
    "    pinned \"$dir/$1\" \"$(cat \"$in/$1-sha256\")\"\n"
    "}\n"
    "if [ -f \"$in/meter.gz\" ]; then\n"
    "    gunzip -c <\"$in/meter.gz\" >\"$dir/meter\" || gone 'the meter cannot be unpacked'\n"
    "    chmod 700 \"$dir/meter\"\n"
    "elif [ -f \"$in/meter-url\" ]; then\n"
    "    fetched meter\n"
    "fi\n"
    "[ ! -f \"$in/meter-gpu-url\" ] || fetched meter-gpu\n"
    "if [ -f \"$in/own\" ]; then\n"
    "    cp \"$in/own\" \"$dir/own\" && chmod 700 \"$dir/own\" && \"$dir/own\" </dev/null\n"
    "fi\n";

static const char push_loop[] =
    "push=$(cat \"$in/push\")\n"
    "(while sleep 60; do push_once often; done) </dev/null >/dev/null 2>&1 3>&- &\n";

/* The readings go to the log by a descriptor of their own, what the command says into a file. The
 * signal that ends a pod is passed on, and the last reading waited for. */
static const char run_part[] =
    "child=\n"
    "trap '[ -z \"$child\" ] || kill -TERM \"$child\" 2>/dev/null' TERM INT\n"
    "if [ -x \"$dir/meter\" ]; then\n"
    "    set -- --launch \"$launch\" --token-file \"$in/token\" --interval \"$interval\" \\\n"
    "        --spool \"$dir/spool\" --output fd:3\n"
    "    [ ! -x \"$dir/meter-gpu\" ] || set -- \"$@\" --gpu-helper \"$dir/meter-gpu\"\n"
    "    if [ -f \"$in/command\" ]; then\n"
    "        set -- \"$dir/meter\" --run \"$@\" -- sh \"$in/command\"\n"
    "    else\n"
    "        set -- \"$dir/meter\" --daemon \"$@\"\n"
    "    fi\n"
    "elif [ -f \"$in/command\" ]; then\n"
    "    set -- sh \"$in/command\"\n"
    "else\n"
    "    set -- sleep \"$left\"\n"
    "fi\n"
    "\"$@\" 3>&1 >\"$dir/output\" 2>&1 </dev/null &\n"
    "child=$!\n"
    "# Told to end at any moment, it leaves no sleep behind.\n"
    "(over= nap=\n"
    " trap 'over=1; [ -z \"$nap\" ] || kill \"$nap\"' TERM\n"
    " sleep \"$left\" &\n"
    " nap=$!\n"
    " [ -z \"$over\" ] || kill \"$nap\"\n"
    " wait \"$nap\"\n"
    " [ -n \"$over\" ] || kill -TERM \"$child\") </dev/null >/dev/null 2>&1 &\n"
    "timer=$!\n"
    "# A signal ends the waiting, not what is waited for.\n"
    "while wait \"$child\"; status=$?; kill -0 \"$child\" 2>/dev/null; do :; done\n"
    "kill \"$timer\" 2>/dev/null\n"
    "tail -c 2048 \"$dir/output\" | sed 's/^/greenlaunch: | /'\n"
    "say \"GLX1 {\\\"exit\\\":$status,\\\"launch\\\":\\\"$launch\\\"}\"\n";

void gl_kubernetes_script(const struct gl_launch *launch, struct gl_str *out)
{
    bool pushes = launch->meter != NULL && launch->meter->push != NULL;

    gl_str_add(out, "#!/bin/sh\nlaunch=");
    gl_guest_quote(out, launch->launch_id);
    gl_str_addf(out, "\ninterval=%" PRIu32 "\nexpires=%" PRId64 "\nmost=%" PRId64 "\n",
                (launch->interval_s > 0 ? launch->interval_s : 10) * 1000, launch->expires.unix_s,
                launch->lease.s);
    gl_str_add(out, head);
    gl_str_add(out, gl_guest_fetch);
    gl_str_add(out, install);
    if (pushes) {
        gl_str_add(out, gl_guest_push);
        gl_str_add(out, push_loop);
    }
    gl_str_add(out, run_part);
    if (pushes)
        gl_str_add(out, "push_last \"$status\"\n");
    gl_str_add(out, "exit \"$status\"\n");
}

/* The descriptor of the readings is the meter's alone. */
void gl_kubernetes_command(const char *const *command, struct gl_str *out)
{
    gl_str_add(out, "exec 3>&-\nexec");
    for (size_t i = 0; command[i] != NULL; i++) {
        gl_str_add(out, " ");
        gl_guest_quote(out, command[i]);
    }
    gl_str_add(out, "\n");
}
