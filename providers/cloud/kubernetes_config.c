/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/cloud/kubernetes_config.h"

#include <stdio.h>
#include <string.h>

#define NAMES 64 /* of contexts, for a hint */

/* ---- secrets in values ---- */

/* jansson owns the text and gives it out as const only. */
static void overwrite(const json_t *text)
{
    const char *from = json_string_value(text);
    char *bytes;

    memcpy(&bytes, &from, sizeof bytes);
    gl_wipe(bytes, json_string_length(text));
}

/* As deep as the reader lets a value be. */
static void overwrite_all(json_t *value)
{
    const char *name;
    json_t *member;
    size_t i;

    if (json_is_string(value))
        overwrite(value);
    json_object_foreach(value, name, member) overwrite_all(member);
    json_array_foreach(value, i, member) overwrite_all(member);
}

void gl_kubernetes_forget(json_t *value)
{
    overwrite_all(value);
    json_decref(value);
}

int gl_kubernetes_take_token(const char *text, size_t length, struct gl_secret *out,
                             struct gl_error *err)
{
    while (length > 0 && strchr(" \t\r\n", text[length - 1]) != NULL)
        length--;
    if (length == 0)
        return gl_fail(err, GL_E_BAD_VALUE, "the token is empty");
    for (size_t i = 0; i < length; i++)
        if (text[i] <= ' ' || text[i] > '~')
            return gl_fail(err, GL_E_BAD_VALUE, "the token holds a byte that no token has");
    gl_secret_done(out);
    gl_secret_init(out, text, length);
    return 0;
}

/* ---- merging ---- */

/* "clusters" and what an entry of it holds. */
static const struct {
    const char *list, *what;
} kinds[] = {{"clusters", "cluster"}, {"users", "user"}, {"contexts", "context"}};

static int merge_list(json_t *into, const json_t *list, const char *what, const char *folder,
                      struct gl_error *err)
{
    size_t i;
    const json_t *entry;

    if (list == NULL || json_is_null(list) ||
        (json_is_string(list) && json_string_length(list) == 0))
        return 0; /* kubectl writes null where there is none */
    if (!json_is_array(list))
        return gl_fail(err, GL_E_CONFIG, "the kubeconfig's list of %ss is no list", what);
    json_array_foreach(list, i, entry)
    {
        const char *name = json_string_value(json_object_get(entry, "name"));
        json_t *of = json_object_get(entry, what);

        if (name == NULL)
            return gl_fail(err, GL_E_CONFIG, "a %s of the kubeconfig has no name", what);
        if (json_object_get(into, name) != NULL)
            continue; /* the first counts */
        if (of != NULL && !json_is_object(of) && json_string_length(of) > 0)
            return gl_fail(err, GL_E_CONFIG, "a %s of the kubeconfig is malformed", what);
        json_object_set_new(into, name,
                            json_pack("{s:s,s:o}", "folder", folder, "of",
                                      json_is_object(of) ? json_incref(of) : json_object()));
    }
    return 0;
}

int gl_kubernetes_merge(json_t *merged, const json_t *file, const char *folder,
                        struct gl_error *err)
{
    const char *current = json_string_value(json_object_get(file, "current-context"));

    if (!json_is_object(file))
        return gl_fail(err, GL_E_CONFIG, "a kubeconfig is a mapping");
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        json_t *into = json_object_get(merged, kinds[i].list);

        if (into == NULL) {
            into = json_object();
            json_object_set_new(merged, kinds[i].list, into);
        }
        if (merge_list(into, json_object_get(file, kinds[i].list), kinds[i].what, folder, err) < 0)
            return -1;
    }
    if (json_object_get(merged, "current") == NULL && current != NULL && current[0] != '\0')
        json_object_set_new(merged, "current", json_string(current));
    return 0;
}

/* ---- choosing ---- */

static int fail_name(json_t *among, const char *what, const char *name, struct gl_error *err)
{
    const char *names[NAMES], *near, *one;
    char shown[GL_TEXT_SHOWN], other[GL_TEXT_SHOWN];
    size_t count = 0;
    json_t *entry;

    json_object_foreach(among, one, entry) if (count < NAMES) names[count++] = one;
    near = gl_text_nearest(name, names, count);
    return gl_fail(err, GL_E_CONFIG, "the kubeconfig has no %s named %s%s%s%s", what,
                   gl_text_show(name, shown), near != NULL ? "; did you mean " : "",
                   near != NULL ? gl_text_show(near, other) : "", near != NULL ? "?" : "");
}

static const json_t *entry_of(const json_t *merged, const char *list, const char *name,
                              const char **out_folder)
{
    const json_t *entry = json_object_get(json_object_get(merged, list), name);

    if (out_folder != NULL)
        *out_folder = json_string_value(json_object_get(entry, "folder"));
    return json_object_get(entry, "of");
}

static bool is_set(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);

    return value != NULL && !json_is_null(value) &&
           !(json_is_string(value) && json_string_length(value) == 0);
}

/* What is there and cannot be honoured. */
static int refuse(const struct gl_kubernetes_choice *choice, struct gl_error *err)
{
    static const struct {
        const char *key, *why;
    } rows[] = {
        {"auth-provider", "Kubernetes has removed it; name an exec plugin instead"},
        {"username", "Kubernetes has removed passwords; use a token or a certificate"},
        {"password", "Kubernetes has removed passwords; use a token or a certificate"},
        {"as", "name a user that has the rights itself"},
        {"as-uid", "name a user that has the rights itself"},
        {"as-groups", "name a user that has the rights itself"},
        {"as-user-extra", "name a user that has the rights itself"},
    };
    const char *insecure =
        json_string_value(json_object_get(choice->cluster, "insecure-skip-tls-verify"));

    if (is_set(choice->cluster, "insecure-skip-tls-verify") &&
        (insecure == NULL || strcasecmp(insecure, "false") != 0))
        return gl_fail(err, GL_E_CONFIG,
                       "the kubeconfig says insecure-skip-tls-verify: the server's certificate is "
                       "always verified; give certificate-authority instead");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (is_set(choice->user, rows[i].key))
            return gl_fail(err, GL_E_CONFIG, "the kubeconfig's %s is not used: %s", rows[i].key,
                           rows[i].why);
    return 0;
}

int gl_kubernetes_choose(const json_t *merged, const char *context,
                         struct gl_kubernetes_choice *out, struct gl_error *err)
{
    json_t *contexts = json_object_get(merged, "contexts");
    const json_t *chosen;
    const char *cluster, *user;

    *out = (struct gl_kubernetes_choice){.context = context};
    if (out->context == NULL)
        out->context = json_string_value(json_object_get(merged, "current"));
    if (out->context == NULL)
        return gl_fail(err, GL_E_NO_CREDENTIAL,
                       "the kubeconfig has no current-context: set context in the configuration");
    chosen = entry_of(merged, "contexts", out->context, NULL);
    if (chosen == NULL)
        return fail_name(contexts, "context", out->context, err);
    cluster = json_string_value(json_object_get(chosen, "cluster"));
    user = json_string_value(json_object_get(chosen, "user"));
    out->space = json_string_value(json_object_get(chosen, "namespace"));
    out->user_name = user != NULL ? user : "";
    out->cluster =
        cluster != NULL ? entry_of(merged, "clusters", cluster, &out->cluster_folder) : NULL;
    if (out->cluster == NULL)
        return fail_name(json_object_get(merged, "clusters"), "cluster",
                         cluster != NULL ? cluster : "", err);
    if (user != NULL && user[0] != '\0') {
        out->user = entry_of(merged, "users", user, &out->user_folder);
        if (out->user == NULL)
            return fail_name(json_object_get(merged, "users"), "user", user, err);
    }
    if (!is_set(out->cluster, "server") || !json_is_string(json_object_get(out->cluster, "server")))
        return gl_fail(err, GL_E_CONFIG, "the kubeconfig's cluster has no server");
    return refuse(out, err);
}
