/* SPDX-License-Identifier: Apache-2.0 */
/* Opening, settings, secrets, previews and their digest: all that happens before sending. */
#include "providers/venue/adapter.h"

#include "base/file.h"
#include "base/time.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECRET_MAX  ((size_t)8 << 10)
#define SETTING_MAX 512

static const char *const answers[GL_ANSWERS] = {
    [GL_ANSWER_NONE] = "nothing asked",
    [GL_ANSWER_OK] = "fine",
    [GL_ANSWER_RATE_LIMITED] = "rate limited",
    [GL_ANSWER_FORBIDDEN] = "forbidden",
    [GL_ANSWER_LOGIN] = "credentials rejected",
    [GL_ANSWER_PERSON] = "needs a person",
    [GL_ANSWER_GONE] = "gone",
    [GL_ANSWER_ABSENT] = "not found",
    [GL_ANSWER_REFUSED] = "refused",
    [GL_ANSWER_UNCLEAR] = "unclear",
};

const char *gl_venue_answer_word(enum gl_venue_answer answer)
{
    return answers[answer];
}

const char *gl_venue_action_word(enum gl_venue_action action)
{
    static const char *const words[] = {"file", "join", "withdraw"};

    return words[action];
}

const char *gl_venue_state_word(enum gl_venue_state state)
{
    static const char *const words[] = {"open", "answered", "closed", "gone"};

    return words[state];
}

/* ---- settings ---- */

const char *gl_venue_setting(const struct gl_venue *venue, const char *name)
{
    const struct gl_venue_options *options = venue->options;
    const struct gl_setting_key *key = gl_setting_key(venue->ops->keys, name);
    const char *value = gl_setting_find(options->settings, options->setting_count, name);

    return value != NULL || key == NULL ? value : key->fallback;
}

bool gl_venue_is_word(const char *text, const char *allowed, size_t most)
{
    size_t length = strlen(text);

    if (length == 0 || length > most)
        return false;
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i];

        if (c <= ' ' || c >= 127 || (allowed[0] != '\0' && !isalnum(c) && !strchr(allowed, c)))
            return false;
    }
    return true;
}

bool gl_venue_is_one_of(const char *words, const char *text)
{
    size_t length = strlen(text);

    if (length == 0 || strchr(text, '|') != NULL)
        return false;
    for (const char *at = words; at != NULL; at = strchr(at, '|')) {
        at += *at == '|';
        if (strncmp(at, text, length) == 0 && (at[length] == '|' || at[length] == '\0'))
            return true;
    }
    return false;
}

static int check_setting(const struct gl_venue_ops *ops, const struct gl_setting *setting,
                         struct gl_error *err)
{
    const struct gl_setting_key *key = gl_setting_key(ops->keys, setting->name);
    char shown[GL_TEXT_SHOWN];

    if (key == NULL || key->variable != NULL)
        return gl_fail(err, GL_E_CONFIG, "%s has no setting \"%s\"", ops->name,
                       gl_text_show(setting->name, shown));
    if (setting->value[0] == '\0' || strlen(setting->value) > SETTING_MAX ||
        strpbrk(setting->value, "\r\n") != NULL)
        return gl_fail(err, GL_E_CONFIG,
                       "%s: \"%s\" must be one line, not empty, of at most %d "
                       "bytes",
                       ops->name, key->name, SETTING_MAX);
    if (key->choices != NULL && !gl_venue_is_one_of(key->choices, setting->value))
        return gl_fail(err, GL_E_CONFIG, "%s: \"%s\" must be one of %s", ops->name, key->name,
                       key->choices);
    return 0;
}

static int check_settings(const struct gl_venue *venue, struct gl_error *err)
{
    for (size_t i = 0; i < venue->options->setting_count; i++)
        if (check_setting(venue->ops, &venue->options->settings[i], err) < 0)
            return -1;
    for (const struct gl_setting_key *key = venue->ops->keys; key->name != NULL; key++)
        if (key->is_required && key->variable == NULL && !gl_venue_setting(venue, key->name))
            return gl_fail(err, GL_E_CONFIG, "%s needs the setting \"%s\": %s", venue->ops->name,
                           key->name, key->what);
    return 0;
}

int gl_venue_take_endpoint(struct gl_venue *venue, struct gl_error *err)
{
    const char *url = gl_venue_setting(venue, "endpoint");
    size_t length = url != NULL ? strlen(url) : 0;

    while (length > 0 && url[length - 1] == '/')
        length--;
    if (length == 0 || length > 255 || !gl_venue_is_word(url, "-._~:/[]%", 512) ||
        (strncmp(url, "https://", 8) != 0 && strncmp(url, "http://127.0.0.1", 16) != 0 &&
         strncmp(url, "http://localhost", 16) != 0 && strncmp(url, "http://[::1]", 12) != 0))
        return gl_fail(err, GL_E_CONFIG, "%s: \"endpoint\" must be an https address",
                       venue->ops->name);
    snprintf(venue->endpoint, sizeof venue->endpoint, "%.*s", (int)length, url);
    return 0;
}

/* ---- secrets ---- */

static void take_secret(struct gl_secret *out, const char *bytes, size_t length)
{
    char *copy;

    while (length > 0 && isspace((unsigned char)bytes[length - 1]))
        length--;
    copy = gl_alloc(length + 1); /* ends with NUL */
    memcpy(copy, bytes, length);
    gl_secret_init(out, copy, length + 1);
    gl_wipe(copy, length + 1);
    free(copy);
}

static int read_secret(struct gl_venue *venue, const struct gl_setting_key *key,
                       struct gl_secret *out, struct gl_error *err)
{
    const struct gl_world *world = venue->options->world;
    const char *value = world->getenv(world->cookie, key->variable), *path;
    char name[80], *bytes = NULL;
    size_t length = 0;
    struct gl_error why = {0};

    if (value != NULL && value[0] != '\0') {
        take_secret(out, value, strlen(value));
    } else {
        snprintf(name, sizeof name, "%s_FILE", key->variable);
        path = world->getenv(world->cookie, name);
        if (path == NULL || path[0] == '\0')
            return 0;
        if (gl_file_read(path, SECRET_MAX, &bytes, &length, &why) < 0)
            return gl_fail(err, GL_E_NO_CREDENTIAL, "%s: the file of %s cannot be read",
                           venue->ops->name, name);
        take_secret(out, bytes, length);
        gl_wipe(bytes, length);
        free(bytes);
    }
    if (out->length - 1 > SECRET_MAX || strpbrk((char *)out->bytes, "\r\n") != NULL)
        return gl_fail(err, GL_E_NO_CREDENTIAL, "%s: %s must be one line", venue->ops->name,
                       key->variable);
    return 0;
}

static int read_secrets(struct gl_venue *venue, struct gl_error *err)
{
    size_t i = 0;

    if (venue->has_read)
        return 0;
    for (const struct gl_setting_key *key = venue->ops->keys; key->name != NULL; key++)
        if (key->variable != NULL && read_secret(venue, key, &venue->secrets[i++], err) < 0)
            return -1;
    venue->has_read = true;
    return 0;
}

int gl_venue_secret(struct gl_venue *venue, const char *name, bool is_needed, const char **out,
                    struct gl_error *err)
{
    size_t i = 0;

    if (read_secrets(venue, err) < 0)
        return -1;
    for (const struct gl_setting_key *key = venue->ops->keys; key->name != NULL; key++) {
        if (key->variable == NULL)
            continue;
        if (strcmp(key->name, name) == 0) {
            *out = venue->secrets[i].length > 1 ? (const char *)venue->secrets[i].bytes : "";
            if ((is_needed || key->is_required) && (*out)[0] == '\0')
                return gl_fail(err, GL_E_NO_CREDENTIAL, "%s: set %s (%s), or %s_FILE to a file",
                               venue->ops->name, key->variable, key->what, key->variable);
            return 0;
        }
        i++;
    }
    return gl_fail(err, GL_E_INTERNAL, "%s has no secret %s", venue->ops->name, name);
}

/* ---- opening ---- */

static void name_place(struct gl_venue *venue)
{
    const char *key = venue->ops->place_key, *place = NULL, *endpoint;

    if (key != NULL)
        place = gl_venue_setting(venue, key);
    endpoint =
        key != NULL && strcmp(key, "endpoint") == 0 ? NULL : gl_venue_setting(venue, "endpoint");
    snprintf(venue->place, sizeof venue->place, "%s%s%s%s%s", venue->ops->name,
             place != NULL ? " " : "", place != NULL ? place : "", endpoint != NULL ? " at " : "",
             endpoint != NULL ? endpoint : "");
}

struct gl_venue *gl_venue_open(const char *name, const struct gl_venue_options *options,
                               struct gl_error *err)
{
    const struct gl_venue_ops *ops = gl_venue_find_ops(name);
    struct gl_venue *venue;
    char shown[GL_TEXT_SHOWN];

    if (ops == NULL) {
        gl_fail(err, GL_E_UNKNOWN_NAME, "no venue is called \"%s\"", gl_text_show(name, shown));
        return NULL;
    }
    venue = gl_alloc(sizeof *venue);
    *venue = (struct gl_venue){.ops = ops, .options = options, .wait_s = -1};
    if (check_settings(venue, err) < 0 || (ops->open != NULL && ops->open(venue, err) < 0)) {
        gl_venue_close(venue);
        return NULL;
    }
    name_place(venue);
    return venue;
}

void gl_venue_close(struct gl_venue *venue)
{
    if (venue == NULL)
        return;
    if (venue->ops->close != NULL)
        venue->ops->close(venue);
    for (size_t i = 0; i < GL_VENUE_SECRETS; i++)
        gl_secret_done(&venue->secrets[i]);
    free(venue);
}

const struct gl_venue_ops *gl_venue_ops_of(const struct gl_venue *venue)
{
    return venue->ops;
}

const char *gl_venue_place(const struct gl_venue *venue)
{
    return venue->place;
}

enum gl_venue_answer gl_venue_last_answer(const struct gl_venue *venue)
{
    return venue->answer;
}

int64_t gl_venue_told_wait_s(const struct gl_venue *venue)
{
    return venue->wait_s;
}

bool gl_venue_is_stopped(const char *folder)
{
    GL_AUTO(gl_auto_free) char *path = NULL;

    if (folder == NULL)
        return false;
    path = gl_path_join(folder, GL_VENUE_KILL_SWITCH);
    return gl_file_exists(path);
}
