/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/conformance/cloud_fake_vps.h"

#include "base/time.h"
#include "tests/support/test_clock.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void gl_fake_complain(struct gl_fake *fake, const char *format, ...)
{
    va_list values;

    if (fake->complaint[0] != '\0')
        return;
    va_start(values, format);
    vsnprintf(fake->complaint, sizeof fake->complaint, format, values);
    va_end(values);
}

/* ---- faults ---- */

static struct gl_fake_fault *fault_of(struct gl_fake *fake, const struct gl_test_request *request)
{
    char what[2100];

    snprintf(what, sizeof what, "%s %s", request->method, request->path);
    for (size_t i = 0; i < sizeof fake->faults / sizeof *fake->faults; i++)
        if (fake->faults[i].on != NULL && fake->faults[i].times > 0 &&
            gl_glob_match(fake->faults[i].on, what))
            return &fake->faults[i];
    return NULL;
}

static void told(struct gl_test_answer *out, const struct gl_fake_fault *fault)
{
    gl_str_clear(&out->headers);
    gl_str_clear(&out->body);
    gl_test_answer_text(out, fault->status, "application/json",
                        fault->body != NULL ? fault->body : "{}");
    if (fault->headers != NULL)
        gl_str_add(&out->headers, fault->headers);
}

static void spoil(struct gl_test_answer *out, const struct gl_fake_fault *fault)
{
    switch (fault->kind) {
    case GL_FAKE_CUT_AFTER:
        out->is_hung_up = true;
        break;
    case GL_FAKE_LOST:
        told(out, fault);
        break;
    case GL_FAKE_TRUNCATED:
        out->cut_after = 120;
        break;
    case GL_FAKE_WRONG_TYPE:
        gl_str_clear(&out->headers);
        gl_str_clear(&out->body);
        gl_test_answer_text(out, out->status, "text/html", "<html>hello</html>");
        break;
    case GL_FAKE_GARBAGE:
        gl_str_clear(&out->headers);
        gl_str_clear(&out->body);
        gl_test_answer_text(out, out->status, "application/json", "{\"server\":");
        break;
    case GL_FAKE_HUGE:
        out->flood_bytes = (size_t)20 << 20;
        break;
    default:
        out->delay_ms = fault->delay_ms;
    }
}

/* ---- answering ---- */

static void handle(const struct gl_test_request *request, struct gl_test_answer *out, void *cookie)
{
    struct gl_fake *fake = cookie;
    struct gl_fake_fault *fault = fault_of(fake, request);
    char value[256];

    gl_test_request_header(request, fake->ops->auth_header, value, sizeof value);
    if (strcmp(value, fake->ops->auth_value) != 0) {
        gl_test_answer_text(out, 401, "application/json", fake->ops->unauthorized);
        return;
    }
    if (fault != NULL && fault->kind == GL_FAKE_CUT_BEFORE) {
        fault->times--;
        out->is_hung_up = true;
        return;
    }
    if (fault != NULL && fault->kind == GL_FAKE_REFUSED) {
        fault->times--;
        told(out, fault);
        return;
    }
    fake->ops->answer(fake, request, out);
    if (out->status == 0 && out->body.length == 0)
        gl_fake_complain(fake, "not understood: %s %s?%s", request->method, request->path,
                         request->query);
    if (fault != NULL) {
        fault->times--;
        spoil(out, fault);
    }
}

struct gl_fake *gl_fake_start(const struct gl_fake_ops *ops)
{
    struct gl_fake *fake = gl_alloc(sizeof *fake);

    fake->ops = ops;
    fake->server = gl_test_server_start(handle, fake);
    return fake;
}

void gl_fake_stop(struct gl_fake *fake)
{
    gl_test_server_stop(fake->server);
    for (size_t i = 0; i < fake->count; i++) {
        json_decref(fake->servers[i].labels);
        json_decref(fake->servers[i].volume_tags);
    }
    free(fake);
}

const char *gl_fake_url(const struct gl_fake *fake)
{
    return gl_test_server_url(fake->server);
}

unsigned gl_fake_running(const struct gl_fake *fake)
{
    unsigned running = 0;

    for (size_t i = 0; i < fake->count; i++)
        running += fake->servers[i].is_there;
    return running;
}

/* ---- servers ---- */

static void count_most(struct gl_fake *fake, const struct gl_fake_server *made)
{
    unsigned same = 0;

    for (size_t i = 0; i < fake->count; i++)
        same += fake->servers[i].is_there && strcmp(fake->servers[i].name, made->name) == 0;
    if (same > fake->most_at_once)
        fake->most_at_once = same;
}

static void let_win(struct gl_fake *fake, struct gl_fake_server *loser)
{
    struct gl_fake_server *elder = &fake->servers[fake->count++];

    *elder = *loser;
    elder->labels = json_deep_copy(loser->labels);
    elder->id = 1;
    elder->uuid[35] = 'f';
    elder->has_user_data = true;
    elder->created_s--;
    snprintf(elder->state, sizeof elder->state, "%s", fake->elder);
    loser->is_there = false;
}

struct gl_fake_server *gl_fake_new(struct gl_fake *fake, const json_t *body, const char *type_key,
                                   const char *place)
{
    struct gl_fake_server *made = &fake->servers[fake->count];
    const char *labels = json_object_get(body, "labels") != NULL ? "labels" : "tags";

    if (fake->count == GL_FAKE_SERVERS)
        return NULL;
    *made = (struct gl_fake_server){.is_there = true, .id = 4711 + (int64_t)fake->count};
    snprintf(made->name, sizeof made->name, "%s", json_string_value(json_object_get(body, "name")));
    snprintf(made->type, sizeof made->type, "%s",
             json_string_value(json_object_get(body, type_key)));
    snprintf(made->place, sizeof made->place, "%s", place);
    snprintf(made->uuid, sizeof made->uuid, "aaaaaaaa-bbbb-4ccc-8ddd-%012d", (int)made->id);
    made->labels = json_deep_copy(json_object_get(body, labels));
    made->has_user_data = json_object_get(body, "user_data") != NULL;
    made->created_s = test_clock_now();
    made->hidden = fake->hides;
    made->has_volume = true;
    fake->count++;
    fake->created++;
    count_most(fake, made);
    if (fake->elder != NULL)
        let_win(fake, made);
    return made;
}

struct gl_fake_server *gl_fake_of_id(struct gl_fake *fake, const char *path, const char *before)
{
    const char *at = strstr(path, before);
    size_t length = at != NULL ? strcspn(at + strlen(before), "/") : 0;

    for (size_t i = 0; i < fake->count && length > 0; i++) {
        struct gl_fake_server *server = &fake->servers[i];
        char id[24];

        snprintf(id, sizeof id, "%lld", (long long)server->id);
        at = strstr(path, before) + strlen(before);
        if (server->is_there &&
            ((strlen(id) == length && strncmp(at, id, length) == 0) ||
             (strlen(server->uuid) == length && strncmp(at, server->uuid, length) == 0)))
            return server;
    }
    return NULL;
}

bool gl_fake_hides(struct gl_fake_server *server)
{
    if (server->hidden == 0)
        return false;
    server->hidden--;
    return true;
}

/* ---- small things ---- */

bool gl_fake_is(const struct gl_test_request *request, const char *method, const char *path)
{
    return strcmp(request->method, method) == 0 && gl_glob_match(path, request->path);
}

void gl_fake_json(struct gl_test_answer *out, int status, json_t *body)
{
    char *text = json_dumps(body, JSON_COMPACT);

    gl_test_answer_text(out, status, "application/json", text);
    free(text);
    json_decref(body);
}

static char decode(const char **at)
{
    unsigned value;
    char hex[3] = "";

    if ((*at)[0] != '%' || (*at)[1] == '\0' || (*at)[2] == '\0')
        return *(*at)++;
    memcpy(hex, *at + 1, 2);
    *at += 3;
    return sscanf(hex, "%2x", &value) == 1 ? (char)value : '?';
}

const char *gl_fake_query(const struct gl_test_request *request, const char *name, char out[512])
{
    size_t length = strlen(name), at = 0;

    out[0] = '\0';
    for (const char *part = request->query; *part != '\0';) {
        const char *end = part + strcspn(part, "&"), *value = part + length + 1;

        if (strncmp(part, name, length) == 0 && part[length] == '=') {
            while (value < end && at < 511)
                out[at++] = decode(&value);
            out[at] = '\0';
            return out;
        }
        part = *end == '&' ? end + 1 : end;
    }
    return out;
}

/* Is `word` one of those in `list`? */
static bool is_word_of(const char *list, const char *word)
{
    size_t length = strlen(word);

    for (const char *at = list; (at = strstr(at, word)) != NULL; at += length)
        if ((at == list || at[-1] == ' ') && (at[length] == ' ' || at[length] == '\0'))
            return true;
    return false;
}

json_t *gl_fake_body(struct gl_fake *fake, const struct gl_test_request *request, const char *known,
                     const char *required)
{
    json_t *body = json_loadb(request->body, request->body_length, JSON_REJECT_DUPLICATES, NULL);
    char type[64], words[256], *word, *state;
    const char *key;
    json_t *value;

    if (!json_is_object(body) ||
        strcmp(gl_test_request_header(request, "content-type", type, sizeof type),
               "application/json") != 0) {
        gl_fake_complain(fake, "%s %s: no JSON object", request->method, request->path);
        json_decref(body);
        return NULL;
    }
    json_object_foreach(body, key, value) if (!is_word_of(known, key))
        gl_fake_complain(fake, "%s %s: unknown field %s", request->method, request->path, key);
    snprintf(words, sizeof words, "%s", required);
    for (word = strtok_r(words, " ", &state); word != NULL; word = strtok_r(NULL, " ", &state))
        if (json_object_get(body, word) == NULL)
            gl_fake_complain(fake, "%s %s: no field %s", request->method, request->path, word);
    return body;
}

bool gl_fake_has_text(const json_t *array, const char *text)
{
    const json_t *item;
    size_t i;

    json_array_foreach(array, i, item) if (json_is_string(item) &&
                                           strcmp(json_string_value(item), text) == 0) return true;
    return false;
}

char *gl_fake_time(int64_t unix_s, char out[32])
{
    return gl_instant_text((struct gl_instant){unix_s}, out);
}

/* ---- fixtures ---- */

const char *const gl_fake_environment[] = {"HCLOUD_TOKEN=" GL_FAKE_TOKEN,
                                           "DIGITALOCEAN_ACCESS_TOKEN=" GL_FAKE_TOKEN,
                                           "SCW_ACCESS_KEY=SCWXXXXXXXXXXXXXXXXX",
                                           "SCW_SECRET_KEY=" GL_FAKE_TOKEN,
                                           "SCW_DEFAULT_PROJECT_ID=" GL_FAKE_PROJECT,
                                           NULL};

static void *start_hetzner(void)
{
    return gl_fake_start(&gl_fake_hetzner);
}

static void *start_digitalocean(void)
{
    return gl_fake_start(&gl_fake_digitalocean);
}

static void *start_scaleway(void)
{
    return gl_fake_start(&gl_fake_scaleway);
}

static void stop(void *counterpart)
{
    struct gl_fake *fake = counterpart;

    if (fake->complaint[0] != '\0') {
        fprintf(stderr, "the counterpart complains: %s\n", fake->complaint);
        abort();
    }
    gl_fake_stop(fake);
}

static const char *url(const void *counterpart)
{
    return gl_fake_url(counterpart);
}

const struct gl_remote_fixture gl_remote_fixture_hetzner = {
    .start = start_hetzner, .stop = stop, .url = url, .environment = gl_fake_environment};
const struct gl_remote_fixture gl_remote_fixture_digitalocean = {
    .start = start_digitalocean, .stop = stop, .url = url, .environment = gl_fake_environment};
const struct gl_remote_fixture gl_remote_fixture_scaleway = {
    .start = start_scaleway, .stop = stop, .url = url, .environment = gl_fake_environment};
