/* SPDX-License-Identifier: Apache-2.0 */
#include <elf.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/http_date.h"
#include "base/sign.h"
#include "broker/carried.h"
#include "broker/cli/doctor.h"

#define METER_CEILING ((size_t)64 << 20)
#define METER_WAIT_MS 10000
#define CLOCK_WARN_S  30 /* far more than an answer takes */
#define CLOCK_FAIL_S \
    300 /* what signatures of the clouds allow: AWS 5 min, JWT of Google likewise */

/* ---- the meter of rented machines ---- */

static bool is_pin(const char *sha256)
{
    return sha256 != NULL && strlen(sha256) == GL_HASH_HEX - 1 &&
           strspn(sha256, "0123456789abcdef") == GL_HASH_HEX - 1;
}

/* Whose line it is, and the meter that it is about. */
struct line {
    struct gl_exam *exam;
    const char *name;
    const char *url, *sha256, *path;
    const char *arch;
    unsigned machine; /* of an ELF header: e_machine */
};

static void note_meter(const struct line *line, enum gl_exam_state state, const char *fix,
                       const char *text)
{
    const struct gl_finding finding = {line->name, state, GL_EXIT_USAGE, fix};

    gl_exam_note(line->exam, &finding, "%s", text);
}

/* A program for other processors would not even start there; a gzip of one is not looked into. */
static bool is_for_others(const struct line *line, const char *bytes, size_t length)
{
    return length > 19 && memcmp(bytes, "\177ELF", 4) == 0 &&
           ((unsigned char)bytes[18] | (unsigned)(unsigned char)bytes[19] << 8) != line->machine;
}

/* Are these the bytes of the pin? */
static void judge_bytes(const struct line *line, const char *bytes, size_t length,
                        const char *where)
{
    GL_AUTO(gl_str_done) struct gl_str text = {0};
    struct gl_hash hash;
    char hex[GL_HASH_HEX];

    gl_hash_of(bytes, length, &hash);
    gl_hash_hex(&hash, hex);
    if (line->sha256 != NULL && strcmp(hex, line->sha256) != 0) {
        gl_str_addf(&text, "%s is not what is pinned: its SHA-256 begins with %.12s", where, hex);
        note_meter(line, GL_EXAM_FAIL,
                   "pin what you trust: sha256 of meter in the configuration; rented machines run "
                   "no other",
                   gl_str_text(&text));
        return;
    }
    if (is_for_others(line, bytes, length)) {
        gl_str_addf(&text, "%s is no program for %s", where, line->arch);
        note_meter(line, GL_EXAM_FAIL,
                   "one built for each architecture: url, sha256 and path of meter are for x86_64, "
                   "arm64_url, arm64_sha256 and arm64_path for arm64",
                   gl_str_text(&text));
        return;
    }
    gl_str_addf(&text, "%s, %.1f MB%s", where, (double)length / 1e6,
                line->sha256 != NULL ? ", as pinned" : "");
    note_meter(line, GL_EXAM_OK, NULL, gl_str_text(&text));
}

static void check_file(const struct line *line, const char *path)
{
    GL_AUTO(gl_auto_free) char *bytes = NULL;
    struct gl_error why = {0};
    size_t length;

    if (gl_file_read(path, METER_CEILING, &bytes, &length, &why) == 0)
        judge_bytes(line, bytes, length, path);
    else
        note_meter(line, GL_EXAM_FAIL, "name the program: path of meter in the configuration",
                   why.text);
}

static void check_address(const struct line *line, const char *url)
{
    struct gl_context *context = line->exam->context;
    struct gl_http_request request = {
        .method = "GET", .url = url, .timeout_ms = METER_WAIT_MS, .body_ceiling = METER_CEILING};
    GL_AUTO(gl_str_done) struct gl_str text = {0};
    struct gl_http_reply reply;
    struct gl_error why = {0};
    int sent;

    if (context->globals.is_offline || context->world.http == NULL) {
        gl_str_addf(&text, "%s, pinned; not asked (--offline)", url);
        note_meter(line, GL_EXAM_OK, NULL, gl_str_text(&text));
        return;
    }
    gl_progress(context, "fetching the meter of rented machines");
    sent = gl_http_send(context->world.http, &request, &reply, &why);
    gl_progress_end(context);
    if (sent == 0 && reply.status == 200) {
        judge_bytes(line, reply.body, reply.body_length, url);
    } else {
        if (sent == 0)
            gl_str_addf(&text, "%s: status %d", url, reply.status);
        else
            gl_str_addf(&text, "cannot be fetched: %s", why.text);
        note_meter(line, GL_EXAM_WARN, "rented machines must reach it: see that it is there",
                   gl_str_text(&text));
    }
    if (sent == 0)
        gl_http_reply_done(&reply);
}

static void check_one(const struct line *line)
{
    if (line->url != NULL && strncmp(line->url, "https://", 8) != 0)
        note_meter(line, GL_EXAM_FAIL, "an https:// address",
                   "the meter's address is not https: nobody can trust what comes from there");
    else if (line->url != NULL && !is_pin(line->sha256))
        note_meter(line, GL_EXAM_FAIL, "sha256sum greenlaunch-meter, into sha256 of meter",
                   "the meter's address has no pin: 64 hex digits of its SHA-256");
    else if (line->url != NULL)
        check_address(line, line->url);
    else if (line->path != NULL)
        check_file(line, line->path);
}

void gl_exam_meter(struct gl_exam *exam, const char *name)
{
    const struct gl_carried_meter *meter = &exam->context->config.meter;
    const struct line lines[] = {
        {exam, name, meter->url, meter->sha256, meter->path, "x86_64", EM_X86_64},
        {exam, name, meter->arm64_url, meter->arm64_sha256, meter->arm64_path, "arm64", EM_AARCH64},
    };

    if (!gl_carried_is_any(meter))
        note_meter(&lines[0], GL_EXAM_WARN,
                   "into the configuration: meter: {url: https://..., sha256: ...}; more: "
                   "docs/providers.md",
                   "none is named for rented machines: they would run without readings");
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        check_one(&lines[i]);
}

/* ---- the clock ---- */

void gl_exam_watch(struct gl_exam *exam)
{
    struct gl_context *context = exam->context;

    gl_context_online(context);
    if (context->world.http == NULL)
        return;
    exam->dated = gl_http_dated_new(context->world.http, &context->world);
    gl_http_dated_swap(exam->dated, &context->world.http);
}

void gl_exam_clock(struct gl_exam *exam)
{
    struct gl_finding finding = {"clock", GL_EXAM_OK, GL_EXIT_AUTH, "timedatectl set-ntp true"};
    int64_t ahead_s;

    if (exam->dated == NULL)
        return;
    gl_http_dated_swap(exam->dated, &exam->context->world.http);
    if (gl_http_dated_ahead(exam->dated, &ahead_s)) {
        int64_t off_s = ahead_s < 0 ? -ahead_s : ahead_s;
        const char *way = ahead_s < 0 ? "behind" : "ahead of";

        if (off_s > CLOCK_WARN_S)
            finding.state = off_s > CLOCK_FAIL_S ? GL_EXAM_FAIL : GL_EXAM_WARN;
        if (finding.state == GL_EXAM_OK)
            gl_exam_note(exam, &finding, "agrees with those who answered");
        else
            gl_exam_note(exam, &finding, "%" PRId64 " s %s those who answered%s", off_s, way,
                         finding.state == GL_EXAM_FAIL ? ": signatures are refused" : "");
    }
    gl_http_close(exam->dated);
    exam->dated = NULL;
}
