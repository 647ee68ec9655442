/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/cloud/guest_shell.h"

#include "base/sign.h"

#include <string.h>

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
 * learns the key from the enrolment before it. */
const char gl_guest_push[] =
    "push_once() {\n"
    "    \"$dir/meter\" --replay \"$dir/spool\" --token-file \"${in:-$dir}/token\" \\\n"
    "        --output \"$dir/pushed\" >/dev/null 2>&1\n"
    "    curl -fsS --max-time 60 --proto =https -H \"X-Greenlaunch-Launch: $launch\" \\\n"
    "        --data-binary @\"$dir/pushed\" \"$push\" >/dev/null 2>&1\n"
    "    rm -f \"$dir/pushed\"\n"
    "}\n";

bool gl_guest_is_gzip(const char *bytes, size_t length)
{
    return length > 2 && memcmp(bytes, "\x1f\x8b", 2) == 0;
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
    if (meter->push != NULL && !is_https(meter->push))
        return gl_fail(err, GL_E_BAD_VALUE, "readings are pushed to an https:// address only");
    if (launch->enrol_token == NULL)
        return gl_fail(err, GL_E_BAD_VALUE, "a meter needs an enrolment token");
    return 0;
}
