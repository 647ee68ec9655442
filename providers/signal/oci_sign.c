/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/signal/oci_sign.h"

#include "base/time.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY_S INT64_C(86400)

char *gl_oci_date(struct gl_instant at, char out[GL_OCI_DATE])
{
    /* 1970-01-01 was a Thursday. */
    static const char days[][4] = {"Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"};
    static const char months[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    int64_t day_of_week = at.unix_s / DAY_S % 7;
    int year, month, day, hour, minute, second;

    gl_instant_civil(at, &year, &month, &day, &hour, &minute, &second);
    snprintf(out, GL_OCI_DATE, "%s, %02d %s %04d %02d:%02d:%02d GMT",
             days[day_of_week < 0 ? 0 : day_of_week], day, months[month - 1], year, hour, minute,
             second);
    return out;
}

/* How much of "host:port" is sent as the host. */
static size_t host_length(const char *host, size_t length, const char *own_port)
{
    size_t tail = strlen(own_port);

    return length > tail && strncmp(host + length - tail, own_port, tail) == 0 ? length - tail
                                                                               : length;
}

int gl_oci_signing_string(const char *url, const char *date, struct gl_str *out,
                          struct gl_error *err)
{
    static const struct {
        const char *scheme, *own_port;
    } known[] = {{"https://", ":443"}, {"http://", ":80"}};

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        const char *host = url + strlen(known[i].scheme), *target;
        size_t length;

        if (strncmp(url, known[i].scheme, strlen(known[i].scheme)) != 0)
            continue;
        length = strcspn(host, "/?#");
        target = host + length;
        gl_str_addf(out, "date: %s\n(request-target): get %s%.*s\nhost: ", date,
                    *target == '/' ? "" : "/", (int)strcspn(target, "#"), target);
        gl_str_add_bytes(out, host, host_length(host, length, known[i].own_port));
        return 0;
    }
    return gl_fail(err, GL_E_BAD_VALUE, "what is signed is no http address");
}

char *gl_oci_header(struct gl_view key_id, const struct gl_crypto_signature *signature)
{
    static const char head[] =
        "Authorization: Signature version=\"1\",headers=\"date (request-target) host\",keyId=\"";
    static const char middle[] = "\",algorithm=\"rsa-sha256\",signature=\"";
    char coded[4 * ((GL_CRYPTO_MAX_RSA + 2) / 3) + 1];
    size_t size = sizeof head + sizeof middle + key_id.length + sizeof coded + 1;
    char *header = gl_alloc(size);

    gl_base64_text(signature->bytes, signature->length, coded);
    snprintf(header, size, "%s%.*s%s%s\"", head, (int)key_id.length, key_id.text, middle, coded);
    return header;
}

int gl_oci_authorize(const struct gl_crypto_key *key, struct gl_view key_id, const char *url,
                     const char *date, char **out, struct gl_error *err)
{
    GL_AUTO(gl_str_done) struct gl_str text = {0};
    struct gl_crypto_signature signature;

    if (gl_oci_signing_string(url, date, &text, err) != 0 ||
        gl_crypto_sign(GL_RS256, key, (struct gl_view){gl_str_text(&text), text.length}, &signature,
                       err) != 0)
        return -1;
    *out = gl_oci_header(key_id, &signature);
    return 0;
}
