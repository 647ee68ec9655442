/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/guestline.h"

#include "agent/tail.h"

#include <stdio.h>
#include <string.h>

_Static_assert(GL_TAIL_BYTES <= GL_GUEST_TAIL, "what a meter signs can be taken");

static const char exit_mark[] = "GLX1 ", identity_mark[] = "GLI1 ", notice_mark[] = "GLN1 ",
                  output_mark[] = "GLO1 ", tail_mark[] = "greenlaunch: | ";

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
    said->is_tail_whole = said->is_tail_pushed = said->is_tail_cut = false;
    gl_str_addf(&said->tail, "%s\n", text);
}

/* A tail as it was pushed: all of it at once, whatever bytes it has. The longer one stays. */
static void take_output(struct gl_guest_said *said, const json_t *object)
{
    const json_t *cut = json_object_get(object, "cut");
    const char *output = json_string_value(json_object_get(object, "output"));
    GL_AUTO(gl_auto_free) char *bytes = NULL;
    struct gl_error ignored = {0};
    size_t length;

    if (!is_of(said, object) || !json_is_boolean(cut) || output == NULL)
        return;
    bytes = gl_alloc(GL_GUEST_TAIL);
    if (gl_base64_parse(output, bytes, GL_GUEST_TAIL, &length, &ignored) != 0 ||
        length <= said->tail.length)
        return;
    gl_str_clear(&said->tail);
    gl_str_add_bytes(&said->tail, bytes, length);
    said->is_tail_pushed = said->is_tail_whole = true;
    said->is_tail_cut = json_is_true(cut);
}

static void take_line(struct gl_guest_said *said, const char *line)
{
    GL_AUTO(gl_auto_json) json_t *ended = object_after(line, exit_mark);
    GL_AUTO(gl_auto_json) json_t *identity = object_after(line, identity_mark);
    GL_AUTO(gl_auto_json) json_t *notice = object_after(line, notice_mark);
    GL_AUTO(gl_auto_json) json_t *output = object_after(line, output_mark);
    const char *tail = strstr(line, tail_mark);

    if (tail != NULL) /* the command's own words, whatever marks are in them */
        take_tail(said, tail + sizeof tail_mark - 1);
    else if (ended != NULL)
        take_exit(said, ended);
    else if (identity != NULL)
        take_identity(said, identity);
    else if (notice != NULL)
        take_notice(said, notice);
    else if (output != NULL)
        take_output(said, output);
}

/* A console shows only so much, and not whether that was all. */
static bool is_cut(const struct gl_guest_said *said)
{
    return said->is_tail_pushed ? said->is_tail_cut : said->tail.length >= GL_GUEST_CONSOLE_TAIL;
}

void gl_guest_tail_take(struct gl_guest_said *said, const struct gl_guest_said *other)
{
    if (other->tail.length <= said->tail.length)
        return;
    gl_str_clear(&said->tail);
    gl_str_add_bytes(&said->tail, other->tail.text, other->tail.length);
    said->is_tail_whole = other->is_tail_whole;
    said->is_tail_pushed = other->is_tail_pushed;
    said->is_tail_cut = other->is_tail_cut;
}

void gl_guest_tail_line(const struct gl_guest_said *said, struct gl_str *out)
{
    GL_AUTO(gl_auto_free) char *encoded = NULL;

    if (said->tail.length == 0)
        return;
    encoded = gl_alloc(4 * ((said->tail.length + 2) / 3) + 1);
    gl_base64_text(said->tail.text, said->tail.length, encoded);
    gl_str_addf(out, "%s{\"cut\":%s,\"launch\":\"%s\",\"output\":\"%s\"}\n", output_mark,
                is_cut(said) ? "true" : "false", said->launch, encoded);
}

/* ---- what is pushed ---- */

/* A line, the members that its signature covers, in their order, and what is done with it. */
struct signed_line {
    const char *mark, *members[5]; /* NULL after the last */
    size_t ceiling;
    size_t (*known)(const struct gl_guest_said *said); /* how much of it */
    size_t most;
    void (*take)(struct gl_guest_said *said, const json_t *object);
};

static size_t known_exit(const struct gl_guest_said *said)
{
    return said->has_exit;
}

static size_t known_tail(const struct gl_guest_said *said)
{
    return said->tail.length;
}

static const struct signed_line signed_lines[] = {
    {exit_mark, {"exit", "key", "launch"}, 1024, known_exit, 1, take_exit},
    {output_mark,
     {"cut", "key", "launch", "output"},
     2 * GL_GUEST_TAIL,
     known_tail,
     GL_GUEST_TAIL,
     take_output},
};

static bool is_signed(const json_t *object, const char *const *members,
                      const struct gl_public_key *key)
{
    GL_AUTO(gl_auto_json) json_t *part = json_object();
    GL_AUTO(gl_auto_free) char *text = NULL;
    const char *sig = json_string_value(json_object_get(object, "sig"));
    struct gl_signature signature;
    struct gl_error ignored = {0};
    size_t length = 0;

    for (; *members != NULL; members++)
        json_object_set(part, *members, json_object_get(object, *members));
    text = gl_json_canonical(part, &ignored);
    return text != NULL && sig != NULL &&
           gl_base64_parse(sig, signature.bytes, sizeof signature.bytes, &length, &ignored) == 0 &&
           length == sizeof signature.bytes &&
           gl_signature_holds(key, text, strlen(text), &signature);
}

/* Does the line say anything new that the key has signed? */
static bool take_signed(struct gl_guest_said *said, struct gl_view line,
                        const struct signed_line *kind, const struct gl_public_key *key)
{
    size_t mark = strlen(kind->mark);
    GL_AUTO(gl_auto_json) json_t *object = NULL;
    size_t before = kind->known(said);
    struct gl_error ignored = {0};

    if (line.length <= mark || line.length > kind->ceiling ||
        memcmp(line.text, kind->mark, mark) != 0 || before >= kind->most)
        return false;
    object = gl_json_parse(line.text + mark, line.length - mark, "pushed", &ignored);
    if (object == NULL || !is_signed(object, kind->members, key))
        return false;
    kind->take(said, object);
    return kind->known(said) > before;
}

bool gl_guest_said_pushed(struct gl_guest_said *said, const char *text, size_t length,
                          const struct gl_public_key *key)
{
    bool is_new = false;

    while (length > 0) {
        const char *end = memchr(text, '\n', length);
        size_t line = end != NULL ? (size_t)(end - text) : length;

        for (size_t i = 0; i < sizeof signed_lines / sizeof *signed_lines; i++)
            is_new |= take_signed(said, (struct gl_view){text, line}, &signed_lines[i], key);
        text += line + (end != NULL);
        length -= line + (end != NULL);
    }
    return is_new;
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
