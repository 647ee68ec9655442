/* SPDX-License-Identifier: Apache-2.0 */
/* A preview: checked draft, the adapter's steps, and the digest that an approval binds to. */
#include "providers/venue/adapter.h"

#include "base/time.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHOWN_BODY ((size_t)64 << 10)

int gl_venue_tag(const char *fingerprint, char out[GL_VENUE_TAG], struct gl_error *err)
{
    if (fingerprint == NULL || strlen(fingerprint) != GL_HASH_HEX - 1 ||
        strspn(fingerprint, "0123456789abcdef") != GL_HASH_HEX - 1)
        return gl_fail(err, GL_E_BAD_VALUE, "a fingerprint has 64 lower-case hex digits");
    snprintf(out, GL_VENUE_TAG, "GL-%.8s", fingerprint);
    return 0;
}

/* ---- the draft ---- */

static int check_text(const char *text, const char *what, size_t most, struct gl_error *err)
{
    struct gl_error why = {0};
    json_t *string;

    (void)why;
    if (text == NULL)
        return 0;
    if (strlen(text) > most)
        return gl_fail(err, GL_E_TOO_LARGE, "the %s is longer than %zu bytes", what, most);
    string = json_string(text); /* NULL unless it is UTF-8 */
    if (string == NULL)
        return gl_fail(err, GL_E_BAD_VALUE, "the %s is not UTF-8", what);
    json_decref(string);
    for (const char *at = text; *at != '\0'; at++)
        if ((unsigned char)*at < ' ' && strchr("\n\t", *at) == NULL)
            return gl_fail(err, GL_E_BAD_VALUE, "the %s holds a control character", what);
    return 0;
}

static int check_fields(const struct gl_venue_request *request, struct gl_error *err)
{
    if (request->field_count > 32)
        return gl_fail(err, GL_E_TOO_LARGE, "a template has at most 32 fields");
    for (size_t i = 0; i < request->field_count; i++) {
        const struct gl_venue_field *field = &request->fields[i];

        if (field->label == NULL || field->value == NULL || strchr(field->label, '\n') != NULL ||
            (field->id != NULL && !gl_venue_is_word(field->id, "-_", 80)))
            return gl_fail(err, GL_E_BAD_VALUE, "field %zu needs a label, a value and a plain id",
                           i + 1);
        if (check_text(field->label, "label of a field", 200, err) < 0 ||
            check_text(field->value, "value of a field", GL_VENUE_BODY_MAX, err) < 0)
            return -1;
    }
    return 0;
}

static int check_labels(const struct gl_venue_request *request, struct gl_error *err)
{
    size_t count = 0;

    for (const char *const *label = request->labels; label != NULL && *label != NULL; label++)
        if (++count > 16 || strchr(*label, '\n') != NULL || strchr(*label, ',') != NULL ||
            check_text(*label, "label", 50, err) < 0)
            return gl_fail(err, GL_E_BAD_VALUE, "at most 16 labels of one line without commas");
    return 0;
}

static int check_json(const struct gl_venue_request *request, struct gl_error *err)
{
    GL_AUTO(gl_auto_json) json_t *json = NULL;

    if (request->json == NULL)
        return 0;
    if (strlen(request->json) > GL_VENUE_BODY_MAX)
        return gl_fail(err, GL_E_TOO_LARGE, "the JSON of a draft is too large");
    json = gl_json_parse(request->json, strlen(request->json), "the JSON of a draft", err);
    if (json == NULL)
        return -1;
    return json_is_object(json) ? 0 : gl_fail(err, GL_E_BAD_VALUE, "the JSON is no object");
}

static int check_request(const struct gl_venue_request *request, struct gl_error *err)
{
    if (request->title == NULL || request->title[0] == '\0' || request->markdown == NULL ||
        strpbrk(request->title, "\n\t") != NULL)
        return gl_fail(err, GL_E_BAD_VALUE, "a draft needs a title of one line and a text");
    if (request->drafted.unix_s <= 0)
        return gl_fail(err, GL_E_BAD_VALUE, "a draft needs its time");
    if (request->language != NULL && !gl_venue_is_word(request->language, "-", 16))
        return gl_fail(err, GL_E_BAD_VALUE, "a language is written as in \"en\" or \"pt-BR\"");
    if (request->template_name != NULL && !gl_venue_is_word(request->template_name, "-_.", 120))
        return gl_fail(err, GL_E_BAD_VALUE, "a template is a plain file name");
    if (check_text(request->title, "title", GL_VENUE_TITLE, err) < 0 ||
        check_text(request->markdown, "text", GL_VENUE_BODY_MAX, err) < 0 ||
        check_text(request->plain, "plain text", GL_VENUE_BODY_MAX, err) < 0)
        return -1;
    if (check_fields(request, err) < 0 || check_labels(request, err) < 0)
        return -1;
    return check_json(request, err);
}

/* ---- the digest ---- */

static void hash_text(struct gl_hasher *hasher, const char *text, size_t length)
{
    char head[32];
    int count = snprintf(head, sizeof head, "%zu:", length);

    gl_hasher_add(hasher, head, (size_t)count);
    gl_hasher_add(hasher, text, length);
}

static void hash_string(struct gl_hasher *hasher, const char *text)
{
    hash_text(hasher, text != NULL ? text : "", text != NULL ? strlen(text) : 0);
}

void gl_venue_digest(const struct gl_venue_preview *preview, char out[GL_HASH_HEX])
{
    struct gl_hasher hasher;
    struct gl_hash hash;
    char numbers[64];

    gl_hasher_init(&hasher);
    hash_string(&hasher, "greenlaunch venue preview 1");
    hash_string(&hasher, gl_venue_action_word(preview->action));
    hash_string(&hasher, preview->venue);
    hash_string(&hasher, preview->place);
    hash_string(&hasher, preview->tag);
    hash_string(&hasher, preview->target);
    hash_string(&hasher, preview->sender);
    hash_string(&hasher, preview->note);
    snprintf(numbers, sizeof numbers, "%" PRId64 " %zu", preview->drafted.unix_s,
             preview->step_count);
    hash_string(&hasher, numbers);
    for (size_t i = 0; i < preview->step_count; i++) {
        const struct gl_venue_step *step = &preview->steps[i];

        hash_string(&hasher, step->method);
        hash_string(&hasher, step->where);
        hash_string(&hasher, step->headers);
        hash_text(&hasher, step->body != NULL ? step->body : "", step->body_length);
        hash_string(&hasher, step->added);
        hash_string(&hasher, step->is_create ? "creates" : "");
    }
    gl_hasher_end(&hasher, &hash);
    gl_hash_hex(&hash, out);
}

/* ---- the preview ---- */

static int check_action(const struct gl_venue *venue, enum gl_venue_action action,
                        const char *target, struct gl_error *err)
{
    static const unsigned needed[] = {0, GL_VENUE_JOIN, GL_VENUE_WITHDRAW};

    if ((venue->ops->caps & needed[action]) != needed[action])
        return gl_fail(err, GL_E_USAGE, "%s cannot %s a request", venue->ops->name,
                       gl_venue_action_word(action));
    if ((action == GL_VENUE_FILING) != (target == NULL))
        return gl_fail(err, GL_E_USAGE, "to join or withdraw takes the id of the request");
    if (target != NULL && !gl_venue_is_word(target, "-_.:/", GL_VENUE_ID - 1))
        return gl_fail(err, GL_E_BAD_VALUE, "that is no id of %s", venue->ops->name);
    return 0;
}

int gl_venue_preview(const struct gl_venue *venue, enum gl_venue_action action,
                     const struct gl_venue_request *request, const char *target,
                     struct gl_venue_preview *out, struct gl_error *err)
{
    struct gl_venue_preview made = {.action = action, .drafted = request->drafted};
    struct gl_venue_draft draft = {.action = action, .request = request, .target = target};

    if (check_action(venue, action, target, err) < 0 || check_request(request, err) < 0 ||
        gl_venue_tag(request->fingerprint, made.tag, err) < 0 ||
        (target != NULL && gl_venue_check_id(venue->ops, target, err) < 0))
        return -1;
    draft.tag = made.tag;
    snprintf(draft.title, sizeof draft.title, "%s [%s]", request->title, made.tag);
    snprintf(made.venue, sizeof made.venue, "%s", venue->ops->name);
    snprintf(made.place, sizeof made.place, "%s", venue->place);
    snprintf(made.target, sizeof made.target, "%s", target != NULL ? target : "");
    if (venue->ops->compose(venue, &draft, &made, err) < 0) {
        gl_venue_preview_done(&made);
        return -1;
    }
    gl_venue_digest(&made, made.digest);
    *out = made;
    return 0;
}

void gl_venue_preview_done(struct gl_venue_preview *preview)
{
    for (size_t i = 0; i < GL_VENUE_STEPS; i++) {
        free(preview->steps[i].where);
        free(preview->steps[i].headers);
        free(preview->steps[i].body);
    }
    *preview = (struct gl_venue_preview){0};
}

/* ---- for people ---- */

/* Line by line, so that its own line breaks stay. */
static void show_lines(const char *text, size_t length, struct gl_str *out)
{
    const char *end = text + length;

    while (text < end) {
        const char *stop = memchr(text, '\n', (size_t)(end - text));
        size_t line = (size_t)((stop != NULL ? stop : end) - text);

        if (line > 0 && text[line - 1] == '\r')
            gl_str_add_printable(out, text, line - 1);
        else
            gl_str_add_printable(out, text, line);
        gl_str_add_char(out, '\n');
        text += line + 1;
    }
}

static void show_step(const struct gl_venue_step *step, struct gl_str *out)
{
    gl_str_addf(out, "\n%s ", step->method);
    gl_str_add_printable(out, step->where, strlen(step->where));
    gl_str_add_char(out, '\n');
    if (step->headers != NULL)
        show_lines(step->headers, strlen(step->headers), out);
    if (step->added[0] != '\0')
        gl_str_addf(out, "(added when it is sent: %s)\n", step->added);
    if (step->body == NULL)
        return;
    gl_str_add_char(out, '\n');
    show_lines(step->body, step->body_length < SHOWN_BODY * 4 ? step->body_length : SHOWN_BODY * 4,
               out);
}

void gl_venue_preview_text(const struct gl_venue_preview *preview, struct gl_str *out)
{
    gl_str_addf(out, "%s at ", gl_venue_action_word(preview->action));
    gl_str_add_printable(out, preview->place, strlen(preview->place));
    gl_str_addf(out, " [%s]\nunder the name of: ", preview->tag);
    gl_str_add_printable(out, preview->sender, strlen(preview->sender));
    gl_str_add_char(out, '\n');
    if (preview->note[0] != '\0') {
        gl_str_add(out, "note: ");
        gl_str_add_printable(out, preview->note, strlen(preview->note));
        gl_str_add_char(out, '\n');
    }
    for (size_t i = 0; i < preview->step_count; i++)
        show_step(&preview->steps[i], out);
    gl_str_addf(out, "\npreview %s\n", preview->digest);
}
