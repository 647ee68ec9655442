/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/cloud/guest_shell.h"

#include "base/file.h"
#include "base/sign.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---- pieces of shell ---- */

static void add_variable(struct gl_str *out, const char *name, const char *value)
{
    gl_str_addf(out, "%s=", name);
    gl_guest_quote(out, value != NULL ? value : "");
    gl_str_add(out, "\n");
}

static void add_base64(struct gl_str *out, const void *bytes, size_t length)
{
    GL_AUTO(gl_auto_free) char *text = gl_alloc(4 * ((length + 2) / 3) + 1);

    gl_base64_text(bytes, length, text);
    gl_str_add(out, text);
}

/* A file of the guest's own folder, mode 0600 by the umask. */
static void add_file(struct gl_str *out, const char *name, const char *bytes, size_t length)
{
    gl_str_addf(out, "base64 -d >\"$dir/%s\" <<'END'\n", name);
    add_base64(out, bytes, length);
    gl_str_add(out, "\nEND\n");
}

/* Every step that can fail says so on the console and ends the machine: one that nobody meters
 * must not run on. ttyAMA0 is the serial port (PL011) of Arm machines, but for EC2's, which have
 * none. */
static const char head[] =
    "umask 077\n"
    "root=${GREENLAUNCH_ROOT:-}\n"
    "dir=$root/var/lib/greenlaunch\n"
    "[ -z \"$console\" ] || [ ! -e \"$root/dev/ttyAMA0\" ] || console=/dev/ttyAMA0\n"
    "[ -n \"$console\" ] && console=$root$console\n"
    "# Which machine this is: a copy of its disk is another one.\n"
    "self=\"$launch $attempt $(cat \"$root/sys/class/dmi/id/product_uuid\" 2>/dev/null)\"\n"
    "say() { [ -z \"$console\" ] || printf '%s\\n' \"$*\" >>\"$console\"; }\n"
    "gone() { say \"greenlaunch: $*\"; sync; poweroff || halt -p -f; exit 1; }\n"
    "# The lease first: whatever happens below, this machine ends.\n"
    "lease() {\n"
    "    left=$((expires - $(date +%s)))\n"
    "    [ \"$left\" -le \"$most\" ] || left=$most # a clock that is behind\n"
    "    [ \"$left\" -gt 0 ] || gone 'the lease has ended'\n"
    "    systemd-run --unit=greenlaunch-lease --on-active=\"$left\" \\\n"
    "        --timer-property=AccuracySec=1s poweroff 2>/dev/null && return\n"
    "    (sleep \"$left\" && poweroff) </dev/null >/dev/null 2>&1 &\n"
    "}\n";

/* A machine that boots again has its unit; what another one left on the disk is not ours. */
static const char fresh_part[] =
    "[ \"$(cat \"$dir/machine\" 2>/dev/null)\" != \"$self\" ] || exit 0\n"
    "rm -rf \"$dir\"\n"
    "mkdir -p \"$dir\"\n";
static const char same_part[] =
    "[ \"$(cat \"$dir/machine\" 2>/dev/null)\" = \"$self\" ] || exit 0\n";

/* What runs at every boot; the file "run" beside the rest. */
static const char boot_end[] =
    "output=$dir/output\n"
    "rm -f \"$dir/exit\" # of a run before this boot\n"
    "if [ -x \"$dir/meter\" ]; then\n"
    "    set -- --launch \"$launch\" --token-file \"$dir/token\" --interval \"$interval\" \\\n"
    "        --spool \"$dir/spool\"\n"
    "    [ -z \"$console\" ] || set -- \"$@\" --console \"$console\"\n"
    "    [ ! -x \"$dir/meter-gpu\" ] || set -- \"$@\" --gpu-helper \"$dir/meter-gpu\"\n"
    "    if [ -n \"$push\" ]; then\n"
    "        push_often </dev/null >/dev/null 2>&1 &\n"
    "        pusher=$!\n"
    "    fi\n"
    "    if [ -f \"$dir/command\" ]; then\n"
    "        \"$dir/meter\" --run \"$@\" -- sh \"$dir/command\" </dev/null >>\"$output\" 2>&1\n"
    "    else\n"
    "        \"$dir/meter\" --daemon \"$@\" </dev/null >>\"$output\" 2>&1\n"
    "    fi\n"
    "elif [ -f \"$dir/command\" ]; then\n"
    "    sh \"$dir/command\" </dev/null >>\"$output\" 2>&1\n"
    "else\n"
    "    exit 0\n"
    "fi\n"
    "status=$?\n"
    "tail -c 2048 \"$output\" | sed 's/^/greenlaunch: | /' >\"$dir/tail\"\n"
    "[ -z \"$console\" ] || cat \"$dir/tail\" >>\"$console\"\n"
    "say \"GLX1 {\\\"exit\\\":$status,\\\"launch\\\":\\\"$launch\\\"}\"\n"
    "[ -z \"${pusher:-}\" ] || kill \"$pusher\" 2>/dev/null\n"
    "[ -n \"$console\" ] || unseen=$output\n"
    "[ -z \"$push\" ] || push_last \"$status\"\n"
    "sync\n"
    "[ -z \"${watcher:-}\" ] || kill \"$watcher\" 2>/dev/null\n"
    "poweroff || halt -p -f\n";

/* Ended when the command is: the last push is alone. */
static const char push_loop[] = "push_often() {\n"
                                "    nap=\n"
                                "    trap '[ -z \"$nap\" ] || kill \"$nap\"; exit' TERM\n"
                                "    while :; do\n"
                                "        sleep 60 &\n"
                                "        nap=$!\n"
                                "        wait \"$nap\"\n"
                                "        push_once often\n"
                                "    done\n"
                                "}\n";

/* Now, and at every boot of a machine that was halted and started. */
static const char tail_part[] = "printf '%s' \"$self\" >\"$dir/machine\"\n"
                                "chmod 700 \"$dir/run\"\n"
                                "if [ -z \"$root\" ] && command -v systemctl >/dev/null; then\n"
                                "    cat >/etc/systemd/system/greenlaunch.service <<END\n"
                                "[Unit]\n"
                                "Description=the command of $launch under its meter\n"
                                "After=network-online.target\n"
                                "[Service]\n"
                                "ExecStart=/bin/sh $dir/run\n"
                                "Environment=HOME=/root\n"
                                "WorkingDirectory=/root\n"
                                "TimeoutStopSec=10\n"
                                "[Install]\n"
                                "WantedBy=multi-user.target\n"
                                "END\n"
                                "    systemctl daemon-reload\n"
                                "    systemctl enable -q greenlaunch.service\n"
                                "    systemctl start --no-block greenlaunch.service\n"
                                "else\n"
                                "    HOME=${HOME:-/root} sh \"$dir/run\"\n"
                                "fi\n";

/* ---- the script ---- */

static void add_variables(struct gl_str *out, const struct gl_userdata *wanted)
{
    const struct gl_launch *launch = wanted->launch;
    const struct gl_carried_meter *meter = launch->meter;

    add_variable(out, "launch", launch->launch_id);
    add_variable(out, "console", wanted->console);
    add_variable(out, "push", meter != NULL ? meter->push : NULL);
    gl_str_addf(out, "attempt=%" PRIu32 "\n", launch->attempt);
    gl_str_addf(out, "interval=%" PRIu32 "\nexpires=%" PRId64 "\nmost=%" PRId64 "\n",
                (launch->interval_s > 0 ? launch->interval_s : 10) * 1000, launch->expires.unix_s,
                launch->lease.s);
}

static int add_meter(struct gl_str *out, const struct gl_carried_meter *meter, struct gl_error *err)
{
    if (meter->url != NULL) {
        gl_str_add(out, "get ");
        gl_guest_quote(out, meter->url);
        gl_str_add(out, " \"$dir/meter\" || gone 'the meter cannot be fetched'\n");
        gl_str_addf(out, "pinned \"$dir/meter\" %s\n", meter->sha256);
    } else {
        GL_AUTO(gl_auto_free) char *bytes = NULL;
        size_t length;

        bytes = gl_guest_meter(meter->path, &length, err);
        if (bytes == NULL)
            return -1;
        add_file(out, "meter.gz", bytes, length);
        gl_str_add(out, "gunzip -f \"$dir/meter.gz\"\nchmod 700 \"$dir/meter\"\n");
    }
    if (meter->gpu_url != NULL) {
        gl_str_add(out, "get ");
        gl_guest_quote(out, meter->gpu_url);
        gl_str_add(out, " \"$dir/meter-gpu\" || gone 'the GPU helper cannot be fetched'\n");
        gl_str_addf(out, "pinned \"$dir/meter-gpu\" %s\n", meter->gpu_sha256);
    }
    return 0;
}

static void add_command(struct gl_str *out, const char *const *command)
{
    GL_AUTO(gl_str_done) struct gl_str text = {0};

    gl_str_add(&text, "exec");
    for (size_t i = 0; command[i] != NULL; i++) {
        gl_str_add(&text, " ");
        gl_guest_quote(&text, command[i]);
    }
    gl_str_add(&text, "\n");
    add_file(out, "command", gl_str_text(&text), text.length);
    gl_wipe(text.text, text.length); /* what people put into commands may be secret */
}

/* The challenge as the cloud takes it. */
static int add_url(struct gl_str *out, const struct gl_identity_source *source,
                   const struct gl_launch *launch, struct gl_error *err)
{
    char challenge[GL_IDENTITY_CHALLENGE], audience[GL_IDENTITY_AUDIENCE];

    gl_userdata_challenge(launch->enrol_token, challenge);
    if (strcmp(source->provider, "gcp") != 0)
        return gl_identity_url(source, NULL, challenge, out, err);
    return gl_identity_audience(launch->launch_id, challenge, audience, err) != 0 ||
                   gl_identity_url(source, NULL, audience, out, err) != 0
               ? -1
               : 0;
}

/* A machine that cannot fetch it goes on: the receipt then lacks the proof. */
static int add_identity(struct gl_str *out, const struct gl_userdata *wanted, struct gl_error *err)
{
    const struct gl_identity_source *source = gl_identity_source(wanted->identity);
    GL_AUTO(gl_str_done) struct gl_str url = {0};

    if (source == NULL)
        return gl_fail(err, GL_E_INTERNAL, "%s signs no identity", wanted->identity);
    if (wanted->launch->enrol_token == NULL)
        return 0;
    if (add_url(&url, source, wanted->launch, err) != 0)
        return -1;
    gl_str_add(out, "identity() {\n    set --\n");
    if (source->session != NULL)
        gl_str_addf(out,
                    "    key=$(curl -fsS -m 5 -X PUT -H '%s' %s%s) || return\n"
                    "    set -- -H \"%s: $key\"\n",
                    source->session_header, source->endpoint, source->session,
                    source->token_header);
    if (source->header != NULL)
        gl_str_addf(out, "    set -- \"$@\" -H '%s'\n", source->header);
    gl_str_addf(out, "    curl -fsS -m 5 \"$@\" '%s' | base64 | tr -d '\\n'\n}\n", url.text);
    gl_str_addf(out,
                "proof=$(identity 2>/dev/null) && [ -n \"$proof\" ] &&\n"
                "    say \"GLI1 {\\\"document\\\":\\\"$proof\\\",\\\"kind\\\":\\\"%s\\\"}\"\n",
                source->provider);
    return 0;
}

/* How a spot machine learns that it will be taken away: what to ask, and what the answer holds
 * then. Two minutes before on EC2, half a minute on the others. */
static const struct {
    const char *cloud, *ask, *holds;
} notices[] = {
    {"aws",
     "key=$(curl -fsS -m 5 -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' "
     "http://169.254.169.254/latest/api/token) && "
     "curl -fsS -m 5 -H \"X-aws-ec2-metadata-token: $key\" "
     "http://169.254.169.254/latest/meta-data/spot/instance-action",
     "*action*"},
    {"gcp",
     "curl -fsS -m 5 -H 'Metadata-Flavor: Google' "
     "http://metadata.google.internal/computeMetadata/v1/instance/preempted",
     "TRUE*"},
    {"azure",
     /* The first call turns the feature on and may take two minutes. */
     "curl -fsS -m 150 -H 'Metadata: true' "
     "'http://169.254.169.254/metadata/scheduledevents?api-version=2020-07-01'",
     "*Preempt*"},
};

static void add_notice(struct gl_str *out, const char *cloud)
{
    for (size_t i = 0; i < sizeof notices / sizeof *notices; i++)
        if (strcmp(notices[i].cloud, cloud) == 0)
            gl_str_addf(
                out,
                "export GREENLAUNCH_NOTICE=\"$dir/notice\"\n"
                "rm -f \"$GREENLAUNCH_NOTICE\"\n"
                "watch() {\n"
                "    while sleep 5; do\n"
                "        told=$(%s 2>/dev/null) || continue\n"
                "        case $told in %s) ;; *) continue ;; esac\n"
                "        say \"GLN1 {\\\"kind\\\":\\\"%s\\\",\\\"launch\\\":\\\"$launch\\\"}\"\n"
                "        : >\"$GREENLAUNCH_NOTICE\"\n"
                "        return\n"
                "    done\n"
                "}\n"
                "watch </dev/null >/dev/null 2>&1 &\n"
                "watcher=$!\n",
                notices[i].ask, notices[i].holds, cloud);
}

/* The file that each boot runs: it has the same variables and says the same things. */
static int add_run(struct gl_str *out, const struct gl_userdata *wanted, struct gl_error *err)
{
    const struct gl_carried_meter *meter = wanted->launch->meter;

    gl_str_add(out, "cat >\"$dir/run\" <<'END_RUN'\n#!/bin/sh\n");
    add_variables(out, wanted);
    gl_str_add(out, head);
    if (meter != NULL && meter->push != NULL) {
        gl_str_add(out, gl_guest_push);
        gl_str_add(out, push_loop);
    }
    gl_str_add(out, same_part);
    gl_str_add(out, "lease\n");
    if (wanted->identity != NULL && add_identity(out, wanted, err) != 0)
        return -1;
    if (wanted->notice != NULL)
        add_notice(out, wanted->notice);
    gl_str_add(out, boot_end);
    gl_str_add(out, "END_RUN\n");
    return 0;
}

/* Where the machine runs one script and no archive: the user's is a file of its own, run first. */
static int add_own_script(struct gl_str *out, const char *user_data, struct gl_error *err)
{
    if (user_data == NULL || user_data[0] == '\0')
        return 0;
    if (strncmp(user_data, "#!", 2) != 0)
        return gl_fail(err, GL_E_BAD_VALUE,
                       "this cloud runs scripts only: user data begins with "
                       "#!");
    add_file(out, "own", user_data, strlen(user_data));
    gl_str_add(out, "chmod 700 \"$dir/own\"\n\"$dir/own\"\n");
    return 0;
}

static int add_script(struct gl_str *out, const struct gl_userdata *wanted, struct gl_error *err)
{
    const struct gl_launch *launch = wanted->launch;

    gl_str_add(out, "#!/bin/sh\n");
    add_variables(out, wanted);
    gl_str_add(out, head);
    gl_str_add(out, gl_guest_fetch);
    gl_str_add(out, fresh_part);
    gl_str_add(out, "lease\n");
    if (wanted->is_script_only && add_own_script(out, launch->user_data, err) != 0)
        return -1;
    if (launch->meter != NULL) {
        if (add_meter(out, launch->meter, err) != 0)
            return -1;
        add_file(out, "token", launch->enrol_token, strlen(launch->enrol_token));
    }
    if (launch->command != NULL)
        add_command(out, launch->command);
    if (add_run(out, wanted, err) != 0)
        return -1;
    gl_str_add(out, tail_part);
    return 0;
}

/* ---- with the user's own part ---- */

static const char *kind_of(const char *user_data)
{
    static const struct {
        const char *start, *kind;
    } kinds[] = {{"#!", "text/x-shellscript"}, {"#cloud-config", "text/cloud-config"}};

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strncmp(user_data, kinds[i].start, strlen(kinds[i].start)) == 0)
            return kinds[i].kind;
    return NULL;
}

static void add_part(struct gl_str *out, const char *kind, const char *bytes, size_t length)
{
    gl_str_addf(out,
                "--greenlaunch-part\nMIME-Version: 1.0\nContent-Type: %s\n"
                "Content-Transfer-Encoding: base64\n\n",
                kind);
    add_base64(out, bytes, length);
    gl_str_add(out, "\n");
}

/* The user's part first: cloud-init runs scripts in the order they come. */
static int add_archive(struct gl_str *out, const struct gl_str *script, const char *user_data,
                       struct gl_error *err)
{
    const char *kind = kind_of(user_data);

    if (kind == NULL)
        return gl_fail(err, GL_E_BAD_VALUE, "user data begins with #! or #cloud-config");
    gl_str_add(out, "Content-Type: multipart/mixed; boundary=\"greenlaunch-part\"\n"
                    "MIME-Version: 1.0\n\n");
    add_part(out, kind, user_data, strlen(user_data));
    add_part(out, "text/x-shellscript", script->text, script->length);
    gl_str_add(out, "--greenlaunch-part--\n");
    return 0;
}

static void wipe(struct gl_str *text)
{
    if (text->text != NULL)
        gl_wipe(text->text, text->length);
    gl_str_done(text);
}

int gl_userdata_make(const struct gl_userdata *wanted, struct gl_str *out, struct gl_error *err)
{
    GL_AUTO(wipe) struct gl_str script = {0};
    GL_AUTO(wipe) struct gl_str whole = {0};
    const struct gl_launch *launch = wanted->launch;
    const struct gl_str *made = &script;

    if (gl_guest_check_meter(launch, err) != 0 || add_script(&script, wanted, err) != 0)
        return -1;
    if (!wanted->is_script_only && launch->user_data != NULL && launch->user_data[0] != '\0') {
        if (add_archive(&whole, &script, launch->user_data, err) != 0)
            return -1;
        made = &whole;
    }
    if (wanted->ceiling > 0 && made->length > wanted->ceiling)
        return gl_fail(err, GL_E_TOO_LARGE,
                       "user data is %zu bytes larger than the %zu that the provider takes%s",
                       made->length - wanted->ceiling, wanted->ceiling,
                       launch->meter != NULL && launch->meter->url == NULL
                           ? "; let the guest fetch its meter: --meter-url"
                           : "");
    gl_str_add_bytes(out, made->text, made->length);
    return 0;
}

int gl_userdata_check(const struct gl_userdata *wanted, struct gl_error *err)
{
    GL_AUTO(wipe) struct gl_str text = {0};

    return gl_userdata_make(wanted, &text, err);
}

void gl_userdata_challenge(const char *enrol_token, char out[GL_IDENTITY_CHALLENGE])
{
    GL_AUTO(gl_str_done) struct gl_str text = {0};
    struct gl_hash hash;
    char hex[GL_HASH_HEX];

    gl_str_addf(&text, "identity|%s", enrol_token);
    gl_hash_of(gl_str_text(&text), text.length, &hash);
    gl_wipe(text.text, text.length);
    gl_hash_hex(&hash, hex);
    memcpy(out, hex, GL_IDENTITY_CHALLENGE - 1);
    out[GL_IDENTITY_CHALLENGE - 1] = '\0';
}
