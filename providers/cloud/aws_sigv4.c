/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/cloud/aws_sigv4.h"

#include "base/time.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define ALGORITHM "AWS4-HMAC-SHA256"

/* A header or a query parameter. */
struct pair {
    char *name, *value;
};
struct pairs {
    struct pair *items;
    size_t count;
};

static void pairs_done(struct pairs *pairs)
{
    for (size_t i = 0; i < pairs->count; i++) {
        gl_wipe(pairs->items[i].value, strlen(pairs->items[i].value));
        free(pairs->items[i].name);
        free(pairs->items[i].value);
    }
    free(pairs->items);
}

/* Takes both strings. */
static void pairs_add(struct pairs *pairs, char *name, char *value)
{
    pairs->items = gl_realloc(pairs->items, (pairs->count + 1) * sizeof *pairs->items);
    pairs->items[pairs->count++] = (struct pair){name, value};
}

static int by_name_and_value(const void *a, const void *b)
{
    const struct pair *x = a, *y = b;
    int names = strcmp(x->name, y->name);

    return names != 0 ? names : strcmp(x->value, y->value);
}

static void pairs_sort(struct pairs *pairs)
{
    if (pairs->count > 1)
        qsort(pairs->items, pairs->count, sizeof *pairs->items, by_name_and_value);
}

void gl_aws_keys_done(struct gl_aws_keys *keys)
{
    gl_secret_done(&keys->secret);
    gl_secret_done(&keys->token);
    gl_wipe(keys, sizeof *keys);
}

static void str_wipe(struct gl_str *str)
{
    if (str->text != NULL)
        gl_wipe(str->text, str->capacity);
    gl_str_done(str);
}

void gl_sigv4_steps_done(struct gl_sigv4_steps *steps)
{
    str_wipe(&steps->canonical);
    str_wipe(&steps->to_sign);
    str_wipe(&steps->signed_headers);
}

/* ---- encoding ---- */

static bool is_unreserved(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

/* RFC 3986 percent-encoding; `keep` stays as it is, too ('\0' = nothing). */
static void encode(struct gl_str *out, const char *text, size_t length, char keep)
{
    for (size_t i = 0; i < length; i++) {
        if (is_unreserved(text[i]) || (keep != '\0' && text[i] == keep))
            gl_str_add_char(out, text[i]);
        else
            gl_str_addf(out, "%%%02X", (unsigned)(unsigned char)text[i]);
    }
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* A part of a query in the one canonical encoding, whatever it was written in. */
static char *encode_again(const char *text, size_t length)
{
    struct gl_str out = {0};

    for (size_t i = 0; i < length; i++) {
        int high = i + 2 < length && text[i] == '%' ? hex_digit(text[i + 1]) : -1;
        int low = high >= 0 ? hex_digit(text[i + 2]) : -1;
        char c = text[i];

        if (low >= 0) {
            c = (char)(high * 16 + low);
            i += 2;
        }
        encode(&out, &c, 1, '\0');
    }
    return gl_str_take(&out);
}

/* ---- the canonical request ---- */

/* RFC 3986 section 5.2.4, and "//" is one slash. */
static void normalize(const char *path, struct gl_str *out)
{
    const char *at = path;

    while (*at != '\0') {
        size_t length;

        while (*at == '/')
            at++;
        length = strcspn(at, "/");
        if (length == 2 && strncmp(at, "..", 2) == 0) {
            while (out->length > 0 && out->text[--out->length] != '/')
                ;
            if (out->text != NULL)
                out->text[out->length] = '\0';
        } else if (length > 0 && (length != 1 || *at != '.')) {
            gl_str_add_char(out, '/');
            gl_str_add_bytes(out, at, length);
        }
        at += length;
    }
    if (out->length == 0 || (at > path && at[-1] == '/'))
        gl_str_add_char(out, '/');
}

static void add_path(const struct gl_sigv4 *how, const char *path, struct gl_str *out)
{
    struct gl_str normal = {0};

    if (how->keeps_path) {
        gl_str_add(out, *path != '\0' ? path : "/");
        return;
    }
    if (how->keeps_dots)
        gl_str_add(&normal, *path != '\0' ? path : "/");
    else
        normalize(path, &normal);
    encode(out, gl_str_text(&normal), normal.length, '/');
    gl_str_done(&normal);
}

static void read_query(const char *query, struct pairs *out)
{
    while (*query != '\0') {
        size_t length = strcspn(query, "&"), name = strcspn(query, "&=");
        size_t value = name < length ? name + 1 : length;

        if (length > 0)
            pairs_add(out, encode_again(query, name), encode_again(query + value, length - value));
        query += length + (query[length] == '&');
    }
}

static void add_query(const struct pairs *query, struct gl_str *out)
{
    for (size_t i = 0; i < query->count; i++) {
        const struct pair *pair = &query->items[i];

        gl_str_addf(out, "%s%s=%s", i > 0 ? "&" : "", pair->name, pair->value);
    }
}

static bool is_signed(const char *name)
{
    static const char *const passed_over[] = {
        "authorization",     "connection", "expect",     "te",
        "transfer-encoding", "upgrade",    "user-agent", "x-amzn-trace-id"};

    for (size_t i = 0; i < sizeof passed_over / sizeof *passed_over; i++)
        if (strcmp(name, passed_over[i]) == 0)
            return false;
    return true;
}

/* The value without spaces at its ends and with one between words, appended. */
static void add_trimmed(struct gl_str *out, const char *value, size_t length)
{
    bool is_first = true;

    for (size_t i = 0; i < length;) {
        size_t word = strcspn(value + i, " \t\r\n");

        word = word < length - i ? word : length - i;
        if (word > 0) {
            gl_str_add(out, is_first ? "" : " ");
            gl_str_add_bytes(out, value + i, word);
            is_first = false;
        }
        i += word > 0 ? word : 1;
    }
}

/* One header with the lines that go on with it; the same name again joins with a comma. */
static void read_header(const char *line, size_t length, struct pairs *out)
{
    const char *colon = memchr(line, ':', length);
    struct gl_str name = {0}, value = {0};
    size_t at;

    if (colon == NULL)
        return;
    for (const char *c = line; c < colon; c++)
        gl_str_add_char(&name, *c >= 'A' && *c <= 'Z' ? (char)(*c - 'A' + 'a') : *c);
    for (at = 0; at < out->count && strcmp(out->items[at].name, gl_str_text(&name)) != 0; at++)
        ;
    if (at < out->count)
        gl_str_addf(&value, "%s,", out->items[at].value);
    add_trimmed(&value, colon + 1, length - (size_t)(colon + 1 - line));
    if (at < out->count) {
        free(out->items[at].value);
        out->items[at].value = gl_str_take(&value);
    } else if (is_signed(gl_str_text(&name))) {
        pairs_add(out, gl_strdup(gl_str_text(&name)), gl_str_take(&value));
    }
    gl_str_done(&name);
    gl_str_done(&value);
}

static void read_headers(const char *text, struct pairs *out)
{
    while (*text != '\0') {
        size_t length = strcspn(text, "\n");

        while (text[length] == '\n' && (text[length + 1] == ' ' || text[length + 1] == '\t'))
            length += 1 + strcspn(text + length + 1, "\n");
        read_header(text, length, out);
        text += length + (text[length] == '\n');
    }
}

static void add_names(const struct pairs *headers, struct gl_str *out)
{
    for (size_t i = 0; i < headers->count; i++)
        gl_str_addf(out, "%s%s", i > 0 ? ";" : "", headers->items[i].name);
}

/* ---- the signature ---- */

struct stamp {
    char date[12], time[24], scope[128];
    char body_hash[GL_HASH_HEX];
    const char *payload; /* its hash or the word in its place */
};

static void stamp_make(const struct gl_sigv4 *how, const struct gl_sigv4_request *request,
                       struct stamp *out)
{
    int year, month, day, hour, minute, second;
    struct gl_hash hash;

    gl_instant_civil(how->at, &year, &month, &day, &hour, &minute, &second);
    snprintf(out->date, sizeof out->date, "%04d%02d%02d", year % 10000, month % 100, day % 100);
    snprintf(out->time, sizeof out->time, "%sT%02d%02d%02dZ", out->date, hour % 100, minute % 100,
             second % 100);
    snprintf(out->scope, sizeof out->scope, "%s/%.48s/%.48s/aws4_request", out->date, how->region,
             how->service);
    gl_hash_of(request->body.text, request->body.length, &hash);
    gl_hash_hex(&hash, out->body_hash);
    out->payload = how->payload_hash != NULL ? how->payload_hash : out->body_hash;
}

/* HMAC of HMAC of ... : date, region, service, "aws4_request", the text. */
static void sign_text(const struct gl_sigv4 *how, const struct stamp *stamp, const char *text,
                      char out[GL_HASH_HEX])
{
    const char *const parts[] = {stamp->date, how->region, how->service, "aws4_request", text};
    size_t length = 4 + how->keys->secret.length;
    char *first = gl_alloc(length);
    struct gl_hash key, next;

    memcpy(first, "AWS4", 4);
    if (length > 4)
        memcpy(first + 4, how->keys->secret.bytes, length - 4);
    gl_hmac_sha256(first, length, parts[0], strlen(parts[0]), &key);
    for (size_t i = 1; i < sizeof parts / sizeof *parts; i++) {
        gl_hmac_sha256(key.bytes, sizeof key.bytes, parts[i], strlen(parts[i]), &next);
        key = next;
    }
    gl_hash_hex(&key, out);
    gl_wipe(first, length);
    gl_wipe(&key, sizeof key);
    gl_wipe(&next, sizeof next);
    free(first);
}

static void sign_steps(const struct gl_sigv4 *how, const struct gl_sigv4_request *request,
                       const struct stamp *stamp, const struct pairs *query,
                       const struct pairs *headers, struct gl_sigv4_steps *out)
{
    struct gl_hash hash;
    char hex[GL_HASH_HEX];

    gl_str_addf(&out->canonical, "%s\n", request->method);
    add_path(how, request->path, &out->canonical);
    gl_str_add_char(&out->canonical, '\n');
    add_query(query, &out->canonical);
    gl_str_add_char(&out->canonical, '\n');
    for (size_t i = 0; i < headers->count; i++)
        gl_str_addf(&out->canonical, "%s:%s\n", headers->items[i].name, headers->items[i].value);
    add_names(headers, &out->signed_headers);
    gl_str_addf(&out->canonical, "\n%s\n%s", gl_str_text(&out->signed_headers), stamp->payload);
    gl_hash_of(out->canonical.text, out->canonical.length, &hash);
    gl_str_addf(&out->to_sign, ALGORITHM "\n%s\n%s\n%s", stamp->time, stamp->scope,
                gl_hash_hex(&hash, hex));
    sign_text(how, stamp, gl_str_text(&out->to_sign), out->signature);
}

static void add_token_header(const struct gl_sigv4 *how, struct gl_str *headers)
{
    if (how->keys->token.length == 0)
        return;
    gl_str_add(headers, "X-Amz-Security-Token: ");
    gl_str_add_bytes(headers, how->keys->token.bytes, how->keys->token.length);
    gl_str_add_char(headers, '\n');
}

void gl_sigv4_sign(const struct gl_sigv4 *how, const struct gl_sigv4_request *request,
                   struct gl_str *headers, struct gl_sigv4_steps *steps)
{
    struct gl_sigv4_steps own = {0}, *to = steps != NULL ? steps : &own;
    struct pairs query = {0}, lines = {0};
    struct gl_str added = {0};
    struct stamp stamp;

    stamp_make(how, request, &stamp);
    gl_str_addf(&added, "X-Amz-Date: %s\n", stamp.time);
    if (how->has_hash_header)
        gl_str_addf(&added, "X-Amz-Content-Sha256: %s\n", stamp.payload);
    if (!how->has_late_token)
        add_token_header(how, &added);
    read_query(request->query, &query);
    pairs_sort(&query);
    read_headers(request->headers, &lines);
    read_headers(gl_str_text(&added), &lines);
    pairs_sort(&lines);
    sign_steps(how, request, &stamp, &query, &lines, to);
    if (how->has_late_token)
        add_token_header(how, &added);
    gl_str_addf(&added,
                "Authorization: " ALGORITHM " Credential=%s/%s, SignedHeaders=%s, Signature=%s\n",
                how->keys->id, stamp.scope, gl_str_text(&to->signed_headers), to->signature);
    gl_str_add(headers, gl_str_text(&added));
    str_wipe(&added);
    pairs_done(&query);
    pairs_done(&lines);
    gl_sigv4_steps_done(&own);
}

static void add_parameter(struct pairs *query, const char *name, const void *value, size_t length)
{
    struct gl_str encoded = {0};

    encode(&encoded, value, length, '\0');
    pairs_add(query, gl_strdup(name), gl_str_take(&encoded));
}

static void add_text_parameter(struct pairs *query, const char *name, const char *value)
{
    add_parameter(query, name, value, strlen(value));
}

static void add_presign_parameters(const struct gl_sigv4 *how, const struct stamp *stamp,
                                   const struct pairs *headers, struct pairs *query)
{
    struct gl_str credential = {0}, names = {0};
    char expires[24];

    gl_str_addf(&credential, "%s/%s", how->keys->id, stamp->scope);
    snprintf(expires, sizeof expires, "%lld", (long long)how->expires_s);
    add_names(headers, &names);
    add_text_parameter(query, "X-Amz-Algorithm", ALGORITHM);
    add_text_parameter(query, "X-Amz-Credential", gl_str_text(&credential));
    add_text_parameter(query, "X-Amz-Date", stamp->time);
    add_text_parameter(query, "X-Amz-Expires", expires);
    add_text_parameter(query, "X-Amz-SignedHeaders", gl_str_text(&names));
    if (how->has_hash_header)
        add_text_parameter(query, "X-Amz-Content-Sha256", stamp->payload);
    gl_str_done(&credential);
    gl_str_done(&names);
}

void gl_sigv4_presign(const struct gl_sigv4 *how, const struct gl_sigv4_request *request,
                      struct gl_str *query, struct gl_sigv4_steps *steps)
{
    struct gl_sigv4_steps own = {0}, *to = steps != NULL ? steps : &own;
    const struct gl_secret *token = &how->keys->token;
    struct pairs parameters = {0}, lines = {0};
    struct stamp stamp;

    stamp_make(how, request, &stamp);
    read_headers(request->headers, &lines);
    pairs_sort(&lines);
    read_query(request->query, &parameters);
    add_presign_parameters(how, &stamp, &lines, &parameters);
    if (token->length > 0 && !how->has_late_token)
        add_parameter(&parameters, "X-Amz-Security-Token", token->bytes, token->length);
    pairs_sort(&parameters);
    sign_steps(how, request, &stamp, &parameters, &lines, to);
    if (token->length > 0 && how->has_late_token)
        add_parameter(&parameters, "X-Amz-Security-Token", token->bytes, token->length);
    add_text_parameter(&parameters, "X-Amz-Signature", to->signature);
    add_query(&parameters, query);
    pairs_done(&parameters);
    pairs_done(&lines);
    gl_sigv4_steps_done(&own);
}
