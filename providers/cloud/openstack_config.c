/* SPDX-License-Identifier: Apache-2.0 */
/* clouds.yaml and secure.yaml:
 * https://docs.openstack.org/openstacksdk/latest/user/config/configuration.html */
#include "providers/cloud/openstack_credential.h"

#include "base/yamldoc.h"
#include "providers/cloud/credential_file.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAMES       32 /* of clouds, for a hint */
#define MERGE_DEPTH 8

static const char *env(const struct gl_world *world, const char *name)
{
    const char *value = world->getenv(world->cookie, name);

    return value != NULL && value[0] != '\0' ? value : NULL;
}

/* ---- words ---- */

static const char *env_word(const struct gl_world *world, const char *name)
{
    char variable[64] = "OS_";
    size_t used = 3;

    for (; *name != '\0' && used + 1 < sizeof variable; name++)
        variable[used++] = (char)toupper((unsigned char)*name);
    variable[used] = '\0';
    return env(world, variable);
}

const char *gl_openstack_word(const struct gl_openstack_source *source, const char *name)
{
    const char *value;

    if (source->cloud == NULL)
        return env_word(source->world, name);
    value = json_string_value(json_object_get(json_object_get(source->cloud, "auth"), name));
    if (value == NULL)
        value = json_string_value(json_object_get(source->cloud, name));
    return value != NULL && value[0] != '\0' ? value : NULL;
}

static void wipe_texts(json_t *object, unsigned depth)
{
    const char *key;
    json_t *value;

    json_object_foreach(object, key, value)
    {
        union {
            const char *borrowed;
            char *ours;
        } text = {json_string_value(value)};

        if (text.borrowed != NULL)
            gl_wipe(text.ours, json_string_length(value));
        else if (depth < MERGE_DEPTH)
            wipe_texts(value, depth + 1);
    }
}

void gl_openstack_source_done(struct gl_openstack_source *source)
{
    wipe_texts(source->doc, 0);
    json_decref(source->doc);
    source->doc = source->cloud = NULL;
}

/* ---- files ---- */

/* Members of `over` win; objects are merged. */
static void merge(json_t *into, json_t *over, unsigned depth)
{
    const char *key;
    json_t *value;

    json_object_foreach(over, key, value)
    {
        json_t *there = json_object_get(into, key);

        if (json_is_object(there) && json_is_object(value) && depth < MERGE_DEPTH)
            merge(there, value, depth + 1);
        else
            json_object_set(into, key, value);
    }
}

/* 1 read, 0 there is none, -1. */
static int read_doc(const char *path, bool is_named, json_t **out, struct gl_error *err)
{
    /* In a folder where others may write, a file of theirs would send us to a cloud of theirs. */
    const struct gl_credential_file file = {
        .path = path, .ceiling = GL_YAMLDOC_MAX_BYTES, .is_from_here = !is_named && path[0] != '/'};
    struct gl_error trouble = {0};
    size_t length;
    char *bytes;

    *out = NULL;
    if (gl_credential_file_read(&file, &bytes, &length, &trouble) == 0) {
        *out = gl_yamldoc_parse(bytes, length, path, &trouble);
        gl_wipe(bytes, length);
        free(bytes);
    }
    if (*out != NULL)
        return 1;
    if (trouble.sys == ENOENT && !is_named)
        return 0;
    return gl_fail(err, trouble.code == GL_E_IO ? GL_E_CONFIG : trouble.code, "%s", trouble.text);
}

/* The candidates in their order, "" where there is none. */
static void list_paths(const struct gl_world *world, char out[3][300])
{
    const char *config = env(world, "XDG_CONFIG_HOME"), *home = env(world, "HOME");

    snprintf(out[0], sizeof out[0], "clouds.yaml");
    out[1][0] = '\0';
    if (config != NULL || home != NULL)
        snprintf(out[1], sizeof out[1], "%s%s/openstack/clouds.yaml",
                 config != NULL ? config : home, config != NULL ? "" : "/.config");
    snprintf(out[2], sizeof out[2], "/etc/openstack/clouds.yaml");
}

/* clouds.yaml and where it is: 1, 0, -1. */
static int find_doc(const struct gl_world *world, char out_path[300], json_t **out,
                    struct gl_error *err)
{
    const char *named = env(world, "OS_CLIENT_CONFIG_FILE");
    char paths[3][300];
    int got = 0;

    if (named != NULL) {
        snprintf(out_path, 300, "%.299s", named);
        return read_doc(out_path, true, out, err);
    }
    list_paths(world, paths);
    for (size_t i = 0; got == 0 && i < sizeof paths / sizeof *paths; i++) {
        if (paths[i][0] == '\0')
            continue;
        snprintf(out_path, 300, "%.299s", paths[i]);
        got = read_doc(out_path, false, out, err);
    }
    return got;
}

/* Beside clouds.yaml, or where OS_CLIENT_SECURE_FILE says. */
static int add_secure(const struct gl_world *world, const char *path, json_t *doc,
                      struct gl_error *err)
{
    const char *named = env(world, "OS_CLIENT_SECURE_FILE"), *slash = strrchr(path, '/');
    GL_AUTO(gl_auto_json) json_t *secure = NULL; /* its secrets live on in doc */
    char beside[320];
    int got;

    snprintf(beside, sizeof beside, "%.*ssecure.yaml", slash != NULL ? (int)(slash - path + 1) : 0,
             path);
    got = read_doc(named != NULL ? named : beside, named != NULL, &secure, err);
    if (got > 0)
        merge(doc, secure, 0);
    return got < 0 ? -1 : 0;
}

/* ---- choosing ---- */

static int say_none(const char *name, const char *path, json_t *clouds, struct gl_error *err)
{
    const char *names[NAMES], *near, *one;
    char shown[GL_TEXT_SHOWN], other[GL_TEXT_SHOWN];
    size_t count = 0;
    json_t *entry;

    if (name == NULL)
        return gl_fail(err, GL_E_NO_CREDENTIAL,
                       "no OpenStack credentials: set OS_CLOUD to a cloud of clouds.yaml, or "
                       "OS_AUTH_URL and what belongs to it (openrc)");
    json_object_foreach(clouds, one, entry) if (count < NAMES) names[count++] = one;
    near = count == 1 ? names[0] : gl_text_nearest(name, names, count);
    return gl_fail(err, GL_E_NO_CREDENTIAL, "there is no cloud %s in %s%s%s%s",
                   gl_text_show(name, shown), path[0] != '\0' ? path : "any clouds.yaml",
                   near != NULL ? "; did you mean " : "",
                   near != NULL ? gl_text_show(near, other) : "", near != NULL ? "?" : "");
}

static json_t *choose(json_t *clouds, const char *name, const char **out_name)
{
    void *only = json_object_size(clouds) == 1 ? json_object_iter(clouds) : NULL;

    *out_name = name != NULL ? name : only != NULL ? json_object_iter_key(only) : NULL;
    return *out_name != NULL ? json_object_get(clouds, *out_name) : NULL;
}

static int take_cloud(json_t *doc, const char *name, const char *path,
                      struct gl_openstack_source *out, struct gl_error *err)
{
    json_t *clouds = json_object_get(doc, "clouds"), *cloud;
    const char *chosen;

    if (doc != NULL && !json_is_object(clouds))
        return gl_fail(err, GL_E_CONFIG, "%s: \"clouds\" is missing", path);
    cloud = choose(clouds, name, &chosen);
    if (cloud == NULL && name == NULL && json_object_size(clouds) > 1)
        return gl_fail(err, GL_E_NO_CREDENTIAL, "%s holds %zu clouds: say which by OS_CLOUD", path,
                       json_object_size(clouds));
    if (cloud == NULL)
        return say_none(name, path, clouds, err);
    if (!json_is_object(cloud))
        return gl_fail(err, GL_E_CONFIG, "%s: cloud %.60s is no mapping", path, chosen);
    out->cloud = cloud;
    snprintf(out->from, sizeof out->from, "cloud %.60s of %.240s", chosen, path);
    return 0;
}

int gl_openstack_source_find(const struct gl_world *world, const char *cloud,
                             struct gl_openstack_source *out, struct gl_error *err)
{
    const char *name = cloud != NULL ? cloud : env(world, "OS_CLOUD");
    json_t *doc = NULL;
    char path[300] = "";
    int rc;

    *out = (struct gl_openstack_source){.world = world};
    if (name == NULL && env(world, "OS_AUTH_URL") != NULL) {
        snprintf(out->from, sizeof out->from, "OS_* of the environment");
        return 0;
    }
    rc = find_doc(world, path, &doc, err);
    if (rc == 0)
        return say_none(name, "", NULL, err);
    if (rc < 0)
        return -1;
    out->doc = doc;
    if (add_secure(world, path, doc, err) == 0 && take_cloud(doc, name, path, out, err) == 0)
        return 0;
    gl_openstack_source_done(out);
    return -1;
}
