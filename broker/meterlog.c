/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/meterlog.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void gl_meterlog_init(struct gl_meterlog *log, const char *launch, const void *token,
                      size_t token_length)
{
    *log = (struct gl_meterlog){.batches = json_array(),
                                .line.ceiling = GL_METERLOG_LINE_MAX,
                                .held.ceiling = GL_METERLOG_LINE_MAX};
    snprintf(log->launch, sizeof log->launch, "%s", launch);
    gl_secret_init(&log->token, token, token_length);
}

void gl_meterlog_done(struct gl_meterlog *log)
{
    gl_secret_done(&log->token);
    json_decref(log->enrolment);
    json_decref(log->batches);
    free(log->readings);
    gl_str_done(&log->line);
    gl_str_done(&log->held);
    *log = (struct gl_meterlog){0};
}

/* No member but the known ones: what nobody signed must not get into a receipt. */
static int check_form(const json_t *object, size_t members, struct gl_error *err)
{
    int64_t version;

    if (gl_json_int(object, "v", 1, 1, &version, err) != 0)
        return -1;
    return json_object_size(object) == members
               ? 0
               : gl_fail(err, GL_E_BAD_REPLY, "members that do not belong there");
}

/* ---- enrolment: the key is the one whose owner knew the token ---- */

static void enrolment_proof(const struct gl_meterlog *log, const char *key_hex, struct gl_hash *out)
{
    char text[64 + 1 + 2 * GL_KEY_BYTES + 1];
    int length = snprintf(text, sizeof text, "%s|%s", log->launch, key_hex);

    gl_hmac_sha256(log->token.bytes, log->token.length, text, (size_t)length, out);
}

int gl_meterlog_enrol(struct gl_meterlog *log, const json_t *enrolment, struct gl_error *err)
{
    const char *boot, *key, *launch, *proof;
    struct gl_public_key public_key;
    struct gl_hash given, expected;

    if (check_form(enrolment, 5, err) != 0 || gl_json_string(enrolment, "boot", &boot, err) != 0 ||
        gl_json_string(enrolment, "key", &key, err) != 0 ||
        gl_json_string(enrolment, "launch", &launch, err) != 0 ||
        gl_json_string(enrolment, "proof", &proof, err) != 0 ||
        gl_hex_parse(key, public_key.bytes, sizeof public_key.bytes, err) != 0 ||
        gl_hex_parse(proof, given.bytes, sizeof given.bytes, err) != 0)
        return -1;
    if (strcmp(launch, log->launch) != 0)
        return gl_fail(err, GL_E_NOT_VERIFIED, "the meter enrolled for launch %s, not %s", launch,
                       log->launch);
    enrolment_proof(log, key, &expected);
    if (!gl_hash_equal(&given, &expected))
        return gl_fail(err, GL_E_NOT_VERIFIED, "the meter does not know the enrolment token");
    if (log->has_key) /* the token is spent: only the first key counts */
        return memcmp(log->key.bytes, public_key.bytes, GL_KEY_BYTES) == 0
                   ? 0
                   : gl_fail(err, GL_E_NOT_VERIFIED, "a second meter tried to enrol");
    log->has_key = true;
    log->key = public_key;
    snprintf(log->boot, sizeof log->boot, "%s", boot);
    log->enrolment = json_deep_copy(enrolment);
    return 0;
}

/* ---- batches ---- */

struct batch {
    int64_t first, last;
    json_t *records;
    struct gl_hash head;
};

static int batch_signature(const struct gl_meterlog *log, const json_t *batch, struct gl_error *err)
{
    GL_AUTO(gl_auto_json) json_t *signed_part = json_object();
    GL_AUTO(gl_auto_free) char *text = NULL;
    static const char *const members[] = {"head", "key", "launch", "n0", "n1"};
    struct gl_signature signature;
    const char *sig;
    size_t length;

    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
        json_object_set(signed_part, members[i], json_object_get(batch, members[i]));
    text = gl_json_canonical(signed_part, err);
    if (text == NULL || gl_json_string(batch, "sig", &sig, err) != 0 ||
        gl_base64_parse(sig, signature.bytes, sizeof signature.bytes, &length, err) != 0)
        return -1;
    if (length != sizeof signature.bytes ||
        !gl_signature_holds(&log->key, text, strlen(text), &signature))
        return gl_fail(err, GL_E_TAMPERED,
                       "the signature of readings %" JSON_INTEGER_FORMAT "..%" JSON_INTEGER_FORMAT
                       " does not hold",
                       json_integer_value(json_object_get(batch, "n0")),
                       json_integer_value(json_object_get(batch, "n1")));
    return 0;
}

static int batch_read(const struct gl_meterlog *log, const json_t *json, struct batch *out,
                      struct gl_error *err)
{
    const char *launch, *key, *head;
    char key_hex[2 * GL_KEY_BYTES + 1];

    if (!log->has_key)
        return gl_fail(err, GL_E_NOT_VERIFIED, "readings came before the meter enrolled");
    if (check_form(json, 8, err) != 0 || gl_json_string(json, "launch", &launch, err) != 0 ||
        gl_json_string(json, "key", &key, err) != 0 ||
        gl_json_string(json, "head", &head, err) != 0 ||
        gl_hex_parse(head, out->head.bytes, sizeof out->head.bytes, err) != 0 ||
        gl_json_int(json, "n0", 1, INT64_MAX, &out->first, err) != 0 ||
        gl_json_int(json, "n1", out->first, INT64_MAX, &out->last, err) != 0 ||
        gl_json_array(json, "records", &out->records, err) != 0)
        return -1;
    gl_hex_text(log->key.bytes, GL_KEY_BYTES, key_hex);
    if (strcmp(launch, log->launch) != 0 || strcmp(key, key_hex) != 0)
        return gl_fail(err, GL_E_TAMPERED, "readings of another launch or another key");
    if (json_array_size(out->records) > GL_BATCH_RECORDS_MAX ||
        (int64_t)json_array_size(out->records) != out->last - out->first + 1)
        return gl_fail(err, GL_E_TAMPERED,
                       "a batch says readings %" PRId64 "..%" PRId64 " but holds %zu", out->first,
                       out->last, json_array_size(out->records));
    return batch_signature(log, json, err);
}

/* Parse every record and follow the chain inside the batch; the hash of the last must be `head`. */
static int batch_records(const struct gl_meterlog *log, const struct batch *batch,
                         struct gl_reading *out, struct gl_hash *out_hashes, struct gl_error *err)
{
    size_t count = json_array_size(batch->records);

    for (size_t i = 0; i < count; i++) {
        GL_AUTO(gl_auto_free)
        char *text = gl_json_canonical(json_array_get(batch->records, i), err);

        if (text == NULL || gl_reading_parse(text, strlen(text), &out[i], err) != 0)
            return -1;
        gl_hash_of(text, strlen(text), &out_hashes[i]);
        if ((int64_t)out[i].seq != batch->first + (int64_t)i ||
            strcmp(out[i].launch, log->launch) != 0 ||
            (i > 0 && !gl_hash_equal(&out[i].previous, &out_hashes[i - 1])))
            return gl_fail(err, GL_E_TAMPERED, "reading %" PRIu64 " breaks the chain", out[i].seq);
    }
    if (!gl_hash_equal(&out_hashes[count - 1], &batch->head))
        return gl_fail(err, GL_E_TAMPERED,
                       "the head of readings %" PRId64 "..%" PRId64
                       " is not the hash of the last one",
                       batch->first, batch->last);
    return 0;
}

static bool reading_same(const struct gl_reading *a, const struct gl_reading *b)
{
    char left[GL_RECORD_MAX], right[GL_RECORD_MAX];
    size_t length = gl_reading_write(a, left);

    return length == gl_reading_write(b, right) && memcmp(left, right, length) == 0;
}

static void keep(struct gl_meterlog *log, const struct gl_reading *reading)
{
    if (log->count == log->capacity) {
        log->capacity = log->capacity ? 2 * log->capacity : 64;
        log->readings = gl_realloc(log->readings, log->capacity * sizeof *log->readings);
    }
    log->readings[log->count++] = *reading;
    log->is_final = reading->is_final;
}

/* Where the batch joins what is known: the index of its first new record, or -1. */
static int join(struct gl_meterlog *log, const struct batch *batch,
                const struct gl_reading *readings, size_t count, size_t *out_first_new,
                struct gl_error *err)
{
    uint64_t first_known = log->count > 0 ? log->readings[0].seq : 1;
    uint64_t next = log->count > 0 ? log->readings[log->count - 1].seq + 1 : 1;
    size_t i = 0;

    for (; i < count && readings[i].seq < next; i++)
        if (readings[i].seq < first_known ||
            !reading_same(&readings[i], &log->readings[readings[i].seq - first_known])) {
            log->forked++;
            return gl_fail(err, GL_E_TAMPERED, "two different readings number %" PRIu64,
                           readings[i].seq);
        }
    if (i == count) {
        log->repeated++;
        *out_first_new = count;
        return 0;
    }
    if (log->count == 0 && readings[0].seq == 1)
        log->head = (struct gl_hash){{0}};
    if (readings[i].seq != next || !gl_hash_equal(&readings[i].previous, &log->head)) {
        log->orphaned++;
        return gl_fail(err, GL_E_TAMPERED,
                       "readings %" PRId64 "..%" PRId64 " do not follow reading %" PRIu64,
                       batch->first, batch->last, next - 1);
    }
    *out_first_new = i;
    return 0;
}

/* A receipt that cannot be read again proves nothing: so many bytes of batches fit into it. */
static int count_bytes(struct gl_meterlog *log, const json_t *json, struct gl_error *err)
{
    size_t bytes = json_dumpb(json, NULL, 0, JSON_COMPACT | JSON_ENSURE_ASCII);

    if (bytes > GL_METERLOG_BYTES_MAX - log->bytes)
        return gl_fail(err, GL_E_TOO_LARGE, "more than %zu MiB of readings",
                       GL_METERLOG_BYTES_MAX >> 20);
    log->bytes += bytes;
    return 0;
}

int gl_meterlog_batch(struct gl_meterlog *log, const json_t *json, struct gl_error *err)
{
    GL_AUTO(gl_auto_free) struct gl_reading *readings = NULL;
    struct gl_hash hashes[GL_BATCH_RECORDS_MAX];
    struct batch batch;
    size_t count, first_new = 0;

    if (batch_read(log, json, &batch, err) != 0)
        return -1;
    count = json_array_size(batch.records);
    readings = gl_alloc(count * sizeof *readings);
    if (batch_records(log, &batch, readings, hashes, err) != 0 ||
        join(log, &batch, readings, count, &first_new, err) != 0)
        return -1;
    if (first_new == count)
        return 0;
    if (count_bytes(log, json, err) != 0)
        return -1;
    for (size_t i = first_new; i < count; i++)
        keep(log, &readings[i]);
    log->head = hashes[count - 1];
    json_array_append_new(log->batches, json_deep_copy(json));
    return 0;
}

/* ---- console ---- */

#define CUTS_MAX 16 /* each costs another look at the line */

static const struct line_kind {
    char prefix[6];
    int (*take)(struct gl_meterlog *, const json_t *, struct gl_error *);
} line_kinds[] = {{"GLE1 ", gl_meterlog_enrol}, {"GLM1 ", gl_meterlog_batch}};

/* What follows the last prefix of the line and whose it is; NULL when it is noise. A program that
 * writes a prefix and no end of line must not swallow what the meter says next. */
static const char *last_prefix(const char *line, size_t length, const struct line_kind **out_kind)
{
    const char *found = NULL;

    for (size_t k = 0; k < sizeof line_kinds / sizeof line_kinds[0]; k++) {
        const char *at = line;

        while ((at = memmem(at, length - (size_t)(at - line), line_kinds[k].prefix, 5)) != NULL) {
            at += 5;
            if (found == NULL || at > found) {
                found = at;
                *out_kind = &line_kinds[k];
            }
        }
    }
    return found;
}

/* How a piece of console text was taken. */
enum taken { NOISE, TAKEN, REFUSED, BROKEN };

/* The guest may write anything there, so errors are counted, not passed on. */
static enum taken take_text(struct gl_meterlog *log, const char *text, size_t length)
{
    const struct line_kind *kind;
    const char *start = last_prefix(text, length, &kind);
    struct gl_error err = {0};

    if (start == NULL)
        return NOISE;
    GL_AUTO(gl_auto_json)
    json_t *json = gl_json_parse(start, length - (size_t)(start - text), "console", &err);
    if (json == NULL)
        return BROKEN;
    return kind->take(log, json, &err) == 0 ? TAKEN : REFUSED;
}

/* "[   12.345678] " or "[   12.345678][T1] " as the kernel begins its messages: no record holds
 * anything like it. */
static bool is_stamp(const char *text, size_t length)
{
    size_t at = 1, digits = 0;

    while (at < length && text[at] == ' ')
        at++;
    for (; at < length && isdigit((unsigned char)text[at]); at++)
        digits++;
    if (digits == 0 || digits > 10 || length - at < 9 || text[at] != '.')
        return false;
    for (size_t i = 1; i <= 6; i++)
        if (!isdigit((unsigned char)text[at + i]))
            return false;
    return text[at + 7] == ']' && (text[at + 8] == ' ' || text[at + 8] == '[');
}

/* Where a kernel message begins in the line; its length when none does. */
static size_t before_stamp(const char *line, size_t length)
{
    const char *bracket = memchr(line, '[', length);

    while (bracket != NULL && !is_stamp(bracket, length - (size_t)(bracket - line)))
        bracket = memchr(bracket + 1, '[', length - (size_t)(bracket + 1 - line));
    return bracket != NULL ? (size_t)(bracket - line) : length;
}

static void forget_held(struct gl_meterlog *log)
{
    gl_str_clear(&log->held);
    log->cuts = 0;
}

/* A kernel message ends with its line: what stood before it goes on in the next line that is not
 * another message. What is no whole JSON as it stands may only want its rest. */
static void console_line(struct gl_meterlog *log, const char *line, size_t length)
{
    size_t own = before_stamp(line, length);
    uint32_t counted = log->forked + log->orphaned;
    enum taken taken;

    if (own == 0)
        return;
    if (log->held.length + own >= GL_METERLOG_LINE_MAX || log->cuts == CUTS_MAX)
        forget_held(log);
    gl_str_add_bytes(&log->held, line, own);
    taken = take_text(log, gl_str_text(&log->held), log->held.length);
    if (own < length && (taken == NOISE || taken == BROKEN)) {
        log->cuts++;
        return;
    }
    forget_held(log);
    if ((taken == REFUSED || taken == BROKEN) && log->forked + log->orphaned == counted)
        log->rejected++;
}

size_t gl_meterlog_feed(struct gl_meterlog *log, const char *bytes, size_t length)
{
    size_t before = log->count;

    while (length > 0) {
        const char *end = memchr(bytes, '\n', length);
        size_t take = end != NULL ? (size_t)(end - bytes) : length;

        gl_str_add_bytes(&log->line, bytes, take);
        if (end == NULL)
            break;
        while (log->line.length > 0 && log->line.text[log->line.length - 1] == '\r')
            log->line.text[--log->line.length] = '\0';
        if (!log->line.is_cut && log->line.length > 0)
            console_line(log, log->line.text, log->line.length);
        gl_str_clear(&log->line);
        bytes += take + 1;
        length -= take + 1;
    }
    return log->count - before;
}
