/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/cloud/guest_shell.h"

#include "base/file.h"
#include "base/gzip.h"
#include "base/sign.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define METER_CEILING ((size_t)4 << 20)

void gl_guest_quote(struct gl_str *out, const char *text)
{
    gl_str_add(out, "'");
    for (; *text != '\0'; text++)
        if (*text == '\'')
            gl_str_add(out, "'\\''");
        else
            gl_str_add_char(out, *text);
    gl_str_add(out, "'");
}

/* busybox's wget knows no --https-only; what comes is pinned, whatever way it came. */
const char gl_guest_fetch[] =
    "get() { # URL FILE\n"
    "    if command -v curl >/dev/null; then\n"
    "        curl -fsS --retry 5 --proto =https -o \"$2\" \"$1\"\n"
    "    elif command -v wget >/dev/null; then\n"
    "        wget -q -O \"$2\" \"$1\"\n"
    "    else\n"
    "        python3 -c 'import sys, urllib.request as u\n"
    "open(sys.argv[2], \"wb\").write(u.urlopen(sys.argv[1], timeout=60).read())' \"$1\" \"$2\"\n"
    "    fi\n"
    "}\n"
    "pinned() { # FILE SHA256\n"
    "    [ \"$(sha256sum <\"$1\")\" = \"$2  -\" ] || gone \"$1 is not the pinned program\"\n"
    "    chmod 700 \"$1\"\n"
    "}\n";

/* The whole chain each time: whoever takes it drops what is known, and
 * learns the key from the enrolment before it. A meter of before --tail or
 * --exit is asked without. The last push goes out unmetered: it has half a
 * minute. */
const char gl_guest_push[] =
    "unseen= patience= # not what the image has in its environment\n"
    "replay() { # FILE OPTION...\n"
    "    rm -f \"$1\"\n"
    "    file=$1\n"
    "    shift\n"
    "    \"$dir/meter\" --replay \"$dir/spool\" --token-file \"${in:-$dir}/token\" \\\n"
    "        --output \"$file\" \"$@\"\n"
    "}\n"
    "chain() { # FILE\n"
    "    if [ -f \"$dir/exit\" ]; then\n"
    "        set -- \"$1\" --exit \"$(cat \"$dir/exit\")\"\n"
    "        [ -n \"${unseen:-}\" ] && replay \"$@\" --tail \"$unseen\" && return\n"
    "        replay \"$@\" && return\n"
    "    fi\n"
    "    replay \"$1\"\n"
    "}\n"
    "post() { # FILE\n"
    "    if command -v curl >/dev/null; then\n"
    "        curl -fsS --connect-timeout 10 --max-time \"${patience:-60}\" --proto =https \\\n"
    "            -H \"X-Greenlaunch-Launch: $launch\" --data-binary @\"$1\" \"$push\"\n"
    "    else\n"
    "        python3 -c 'import signal, sys, urllib.request as u\n"
    "signal.alarm(int(sys.argv[4]))\n"
    "u.urlopen(u.Request(sys.argv[3], open(sys.argv[1], \"rb\").read(),\n"
    "    {\"X-Greenlaunch-Launch\": sys.argv[2]}), timeout=20)' \\\n"
    "            \"$1\" \"$launch\" \"$push\" \"${patience:-60}\"\n"
    "    fi\n"
    "}\n"
    "push_once() { # NAME: two may be at it\n"
    "    chain \"$dir/pushed-$1\" >/dev/null 2>&1\n"
    "    post \"$dir/pushed-$1\" >/dev/null 2>&1\n"
    "    set -- \"$1\" $?\n"
    "    rm -f \"$dir/pushed-$1\"\n"
    "    return \"$2\"\n"
    "}\n"
    "now() { # whoever sets the clock does not set this one\n"
    "    read -r up _ 2>/dev/null </proc/uptime || up=$(date +%s)\n"
    "    echo \"${up%%.*}\"\n"
    "}\n"
    "push_last() { # nobody else says how it ended: a moment without a network is waited for\n"
    "    printf '%s' \"$1\" >\"$dir/exit\"\n"
    "    command -v curl >/dev/null || command -v python3 >/dev/null || return\n"
    "    stop=$(($(now) + 30))\n"
    "    for pause in 0 2 5 15; do\n"
    "        patience=$((stop - pause - $(now)))\n"
    "        [ \"$patience\" -gt 0 ] || return\n"
    "        sleep \"$pause\"\n"
    "        push_once last && return\n"
    "    done\n"
    "}\n";

char *gl_guest_meter(const char *path, size_t *out_length, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *bytes = NULL;
    size_t length;
    char *out;

    if (gl_file_read(path, METER_CEILING, &bytes, &length, err) != 0) {
        gl_wrap(err, "the meter to embed");
        return NULL;
    }
    if (!gl_is_gzip(bytes, length))
        return gl_gzip(bytes, length, out_length, err);
    *out_length = length;
    out = bytes;
    bytes = NULL;
    return out;
}

/* Visible ASCII without quotes: a line break would end a here-document of the script. */
static bool is_https(const char *url)
{
    if (strncmp(url, "https://", 8) != 0 || url[8] == '\0')
        return false;
    for (; *url != '\0'; url++)
        if (*url <= ' ' || *url > '~' || strchr("\"'`\\<>", *url) != NULL)
            return false;
    return true;
}

static bool is_pin(const char *sha256)
{
    return sha256 != NULL && strlen(sha256) == GL_HASH_HEX - 1 &&
           strspn(sha256, "0123456789abcdef") == GL_HASH_HEX - 1;
}

/* An address that carries its own signature: for one object of a bucket, and for some time. */
static bool is_presigned(const char *url)
{
    static const char *const words[] = {
        "X-Amz-Signature=", "X-Goog-Signature=", "Signature=", "sig="};

    for (const char *at = strpbrk(url, "?&"); at != NULL; at = strpbrk(at + 1, "?&"))
        for (size_t i = 0; i < sizeof words / sizeof *words; i++)
            if (strncasecmp(at + 1, words[i], strlen(words[i])) == 0)
                return true;
    return false;
}

static int check_push(const char *url, struct gl_error *err)
{
    if (!is_https(url))
        return gl_fail(err, GL_E_BAD_VALUE, "readings are pushed to an https:// address only");
    if (is_presigned(url))
        return gl_fail(err, GL_E_BAD_VALUE,
                       "readings cannot be pushed to a presigned address: it is one object of a "
                       "bucket, which every machine would write over, ends on a day, and nothing "
                       "reads it back; push to a greenlaunch meter receive");
    return 0;
}

int gl_guest_check_meter(const struct gl_launch *launch, struct gl_error *err)
{
    const struct gl_carried_meter *meter = launch->meter;

    if (meter == NULL)
        return 0;
    if (meter->url == NULL && meter->path == NULL)
        return gl_fail(err, GL_E_BAD_VALUE, "a meter needs an address or a file to embed");
    if (meter->url != NULL && (!is_https(meter->url) || !is_pin(meter->sha256)))
        return gl_fail(err, GL_E_BAD_VALUE,
                       "a meter comes from an https:// address with its SHA-256 (64 hex digits)");
    if (meter->gpu_url != NULL && (!is_https(meter->gpu_url) || !is_pin(meter->gpu_sha256)))
        return gl_fail(err, GL_E_BAD_VALUE,
                       "the GPU helper comes from an https:// address with its SHA-256");
    if (meter->push != NULL && check_push(meter->push, err) != 0)
        return -1;
    if (launch->enrol_token == NULL)
        return gl_fail(err, GL_E_BAD_VALUE, "a meter needs an enrolment token");
    return 0;
}
