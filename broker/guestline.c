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
