/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/guestline.h"

#include <stdio.h>
#include <string.h>

static const char exit_mark[] = "GLX1 ", identity_mark[] = "GLI1 ", notice_mark[] = "GLN1 ",
                  tail_mark[] = "greenlaunch: | ";

void gl_guest_said_init(struct gl_guest_said *said, const char *launch)
{
    *said = (struct gl_guest_said){.line.ceiling = GL_GUEST_DOCUMENT + 256,
                                   .identity.ceiling = GL_GUEST_DOCUMENT,
                                   .tail.ceiling = GL_GUEST_TAIL};
    snprintf(said->launch, sizeof said->launch, "%s", launch);
}

void gl_guest_said_done(struct gl_guest_said *said)
{
    gl_str_done(&said->line);
    gl_str_done(&said->identity);
    gl_str_done(&said->tail);
}

/* The flat object behind a mark: a kernel message may stand behind it, on the same line. */
static json_t *object_after(const char *line, const char *mark)
{
    const char *at = strstr(line, mark), *end;
    struct gl_error ignored = {0};

    if (at == NULL)
        return NULL;
    at += strlen(mark);
    end = strchr(at, '}');
    return end != NULL ? gl_json_parse(at, (size_t)(end + 1 - at), "console", &ignored) : NULL;
}

static bool is_of(const struct gl_guest_said *said, const json_t *object)
{
    const char *launch = json_string_value(json_object_get(object, "launch"));

    return launch != NULL && strcmp(launch, said->launch) == 0;
}

/* Whose line it is: a word as our script writes it, for it goes into files and messages. */
static bool take_kind(const json_t *object, char out[8])
{
    const char *kind = json_string_value(json_object_get(object, "kind"));

    if (kind == NULL || kind[0] == '\0' || strlen(kind) >= 8 ||
        kind[strspn(kind, "abcdefghijklmnopqrstuvwxyz")] != '\0')
        return false;
    snprintf(out, 8, "%s", kind);
    return true;
}

static void take_exit(struct gl_guest_said *said, const json_t *object)
{
    const json_t *status = json_object_get(object, "exit");
    json_int_t value = json_integer_value(status);

    if (!is_of(said, object) || !json_is_integer(status) || value < 0 || value > 255)
        return;
    said->has_exit = true;
    said->exit_status = (int)value;
    said->is_tail_whole = true;
}

static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=";

static void take_identity(struct gl_guest_said *said, const json_t *object)
{
    const char *document = json_string_value(json_object_get(object, "document"));

    if (document == NULL || said->identity.length > 0 || strlen(document) > GL_GUEST_DOCUMENT ||
        document[strspn(document, base64)] != '\0' || !take_kind(object, said->identity_kind))
        return;
    gl_str_add(&said->identity, document);
}

static void take_notice(struct gl_guest_said *said, const json_t *object)
{
    if (is_of(said, object) && said->notice[0] == '\0')
        take_kind(object, said->notice);
}

static void take_tail(struct gl_guest_said *said, const char *text)
{
    if (said->is_tail_whole) /* the next run's, or the same once more */
        gl_str_clear(&said->tail);
    said->is_tail_whole = false;
    gl_str_addf(&said->tail, "%s\n", text);
}

static void take_line(struct gl_guest_said *said, const char *line)
{
    GL_AUTO(gl_auto_json) json_t *ended = object_after(line, exit_mark);
    GL_AUTO(gl_auto_json) json_t *identity = object_after(line, identity_mark);
    GL_AUTO(gl_auto_json) json_t *notice = object_after(line, notice_mark);
    const char *tail = strstr(line, tail_mark);

    if (tail != NULL) /* the command's own words, whatever marks are in them */
        take_tail(said, tail + sizeof tail_mark - 1);
    else if (ended != NULL)
        take_exit(said, ended);
    else if (identity != NULL)
        take_identity(said, identity);
    else if (notice != NULL)
        take_notice(said, notice);
}

/* ---- what is pushed ---- */

#define EXIT_LINE_MAX 1024

/* The signature over the line's other members, in their order. */
static bool is_signed(const json_t *object, const struct gl_public_key *key)
{
    static const char *const members[] = {"exit", "key", "launch"};
    GL_AUTO(gl_auto_json) json_t *part = json_object();
    GL_AUTO(gl_auto_free) char *text = NULL;
    const char *sig = json_string_value(json_object_get(object, "sig"));
    struct gl_signature signature;
    struct gl_error ignored = {0};
    size_t length = 0;

    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        json_object_set(part, members[i], json_object_get(object, members[i]));
    text = gl_json_canonical(part, &ignored);
    return text != NULL && sig != NULL &&
           gl_base64_parse(sig, signature.bytes, sizeof signature.bytes, &length, &ignored) == 0 &&
           length == sizeof signature.bytes &&
           gl_signature_holds(key, text, strlen(text), &signature);
}

static int signed_exit_of(const char *line, size_t length, const char *launch,
                          const struct gl_public_key *key)
{
    struct gl_guest_said said = {.has_exit = false};
    GL_AUTO(gl_auto_json) json_t *object = NULL;
    struct gl_error ignored = {0};

    if (length < sizeof exit_mark || length > EXIT_LINE_MAX ||
        memcmp(line, exit_mark, sizeof exit_mark - 1) != 0)
        return -1;
    line += sizeof exit_mark - 1;
    object = gl_json_parse(line, length - (sizeof exit_mark - 1), "pushed", &ignored);
    snprintf(said.launch, sizeof said.launch, "%s", launch);
    if (object == NULL || !is_signed(object, key))
        return -1;
    take_exit(&said, object);
    return said.has_exit ? said.exit_status : -1;
}

int gl_guest_signed_exit(const char *text, size_t length, const char *launch,
                         const struct gl_public_key *key)
{
    int status = -1;

    while (length > 0) {
        const char *end = memchr(text, '\n', length);
        size_t line = end != NULL ? (size_t)(end - text) : length;
        int said = signed_exit_of(text, line, launch, key);

        status = said >= 0 ? said : status;
        text += line + (end != NULL);
        length -= line + (end != NULL);
    }
    return status;
}

/* ---- the console ---- */

void gl_guest_said_feed(struct gl_guest_said *said, const char *bytes, size_t length)
{
    while (length > 0) {
        const char *end = memchr(bytes, '\n', length);
        size_t take = end != NULL ? (size_t)(end - bytes) : length;

        gl_str_add_bytes(&said->line, bytes, take);
        if (end == NULL)
            break;
        while (said->line.length > 0 && said->line.text[said->line.length - 1] == '\r')
            said->line.text[--said->line.length] = '\0';
        if (!said->line.is_cut && said->line.length > 0)
            take_line(said, gl_str_text(&said->line));
        gl_str_clear(&said->line);
        bytes += take + 1;
        length -= take + 1;
    }
}
