/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/hook/k8s_part.h"
#include "broker/hook/yamltree.h"

#include <string.h>

/* Manifests of Kubernetes: documents of YAML or JSON after each other, lists, what Helm and
 * Kustomize render, and reviews as an API server sends them. */

/* Where YAML would begin a mapping, at the beginning of a line or of a value, and not in a text. */
static bool is_at_value(const char *bytes, const char *at)
{
    while (at > bytes && at[-1] == ' ')
        at--;
    return at == bytes || strchr("\n:-", at[-1]) != NULL;
}

/* Other templates stand within texts: of secrets, alerts, workflows. */
static bool is_chart(const char *bytes, size_t length)
{
    static const char *const words[] = {".Values",       ".Release",   ".Chart",
                                        ".Capabilities", "include \"", "template \""};
    const char *end = bytes + length, *open = memmem(bytes, length, "{{", 2);

    while (open != NULL) {
        const char *close = memmem(open, (size_t)(end - open), "}}", 2);
        size_t room = (size_t)((close != NULL ? close : end) - open);

        for (size_t i = 0; i < sizeof words / sizeof words[0] && is_at_value(bytes, open); i++)
            if (memmem(open, room, words[i], strlen(words[i])) != NULL)
                return true;
        open = close != NULL ? memmem(close, (size_t)(end - close), "{{", 2) : NULL;
    }
    return false;
}

static int recognise(const char *bytes, size_t length, const char **out_why_not)
{
    static const char *const marks[][2] = {{"\"apiVersion\"", "\"kind\""},
                                           {"apiVersion:", "kind:"}};

    *out_why_not = NULL;
    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++) {
        if (memmem(bytes, length, marks[i][0], strlen(marks[i][0])) == NULL ||
            memmem(bytes, length, marks[i][1], strlen(marks[i][1])) == NULL)
            continue;
        if (!is_chart(bytes, length))
            return 70;
        *out_why_not = "a chart of Helm; give the output of `helm template`";
        return 0;
    }
    return 0;
}

int gl_k8s_add_review(struct gl_k8s *k8s, const struct gl_jtree *tree,
                      const struct gl_jnode *review, struct gl_error *err)
{
    static const struct {
        const char *operation;
        enum gl_change change;
    } rows[] = {{"CREATE", GL_CHANGE_CREATE},
                {"UPDATE", GL_CHANGE_UPDATE},
                {"DELETE", GL_CHANGE_DELETE},
                {"CONNECT", GL_CHANGE_NONE}};
    const struct gl_jnode *request = gl_jnode_get(tree, review, "request");
    const char *operation = gl_k8s_text(tree, request, "operation");
    const struct gl_jnode *object = gl_jnode_get(tree, request, "object");
    const struct gl_jnode *old = gl_jnode_get(tree, request, "oldObject");

    for (size_t i = 0; operation != NULL && i < sizeof rows / sizeof rows[0]; i++) {
        if (strcmp(rows[i].operation, operation) != 0)
            continue;
        if (rows[i].change == GL_CHANGE_NONE)
            return 0;
        if (rows[i].change == GL_CHANGE_DELETE && !gl_jnode_is(object, GL_JOBJECT))
            object = old;
        return gl_k8s_add(k8s, tree, object, old, rows[i].change, err);
    }
    return gl_fail(err, GL_E_BAD_VALUE, "%s: a review without an operation that is known",
                   k8s->document);
}

static int add_document(struct gl_k8s *k8s, const struct gl_jtree *tree, struct gl_error *err)
{
    const struct gl_jnode *root = gl_jtree_root(tree);
    const char *kind = gl_k8s_text(tree, root, "kind");

    if (gl_jnode_is(root, GL_JNULL)) /* nothing between two lines of --- */
        return 0;
    if (kind != NULL && strcmp(kind, "AdmissionReview") == 0)
        return gl_k8s_add_review(k8s, tree, root, err);
    if (k8s->plan->notes == NULL)
        gl_reader_add_text(&k8s->plan->arena, &k8s->plan->notes,
                           "a manifest has no before: every object is taken as new");
    return gl_k8s_add(k8s, tree, root, NULL, GL_CHANGE_CREATE, err);
}

static int read_yaml(struct gl_k8s *k8s, const struct gl_str *text, struct gl_error *err)
{
    struct gl_yamltree *yaml =
        gl_yamltree_new(gl_str_text(text), text->length, k8s->document, false);
    struct gl_jtree tree = {0};
    bool has = true;
    int status = 0;

    while (status == 0 && has) {
        status = gl_yamltree_next(yaml, &tree, &has, err);
        if (status == 0 && has)
            status = add_document(k8s, &tree, err);
    }
    gl_jtree_done(&tree);
    gl_yamltree_free(yaml);
    return status;
}

static int read_json(struct gl_k8s *k8s, const struct gl_str *text, struct gl_error *err)
{
    struct gl_feed *feed = gl_feed_of_bytes(gl_str_text(text), text->length, k8s->document);
    struct gl_jsonpull *pull = gl_jsonpull_new(feed);
    struct gl_jtree tree = {0};
    bool has = true;
    int status = gl_jsonpull_more(pull, &has, err);

    while (status == 0 && has) {
        status = gl_jsonpull_take(pull, &tree, err);
        if (status == 0)
            status = add_document(k8s, &tree, err);
        if (status == 0)
            status = gl_jsonpull_more(pull, &has, err);
    }
    gl_jtree_done(&tree);
    gl_jsonpull_free(pull);
    gl_feed_close(feed);
    return status;
}

static int read_text(const struct gl_str *text, const struct gl_hook_options *options,
                     struct gl_hook_plan *plan, struct gl_error *err)
{
    struct gl_k8s *k8s = gl_k8s_new(options, plan, plan->file);
    const char *bytes = gl_str_text(text);
    int status = bytes[strspn(bytes, " \t\r\n")] == '{' ? read_json(k8s, text, err)
                                                        : read_yaml(k8s, text, err);

    if (status == 0)
        gl_k8s_finish(k8s);
    gl_k8s_free(k8s);
    return status;
}

static int read(struct gl_feed *feed, const struct gl_hook_options *options,
                struct gl_hook_plan *out, struct gl_error *err)
{
    GL_AUTO(gl_str_done) struct gl_str text = {0};

    out->file = gl_arena_text(&out->arena, gl_feed_name(feed), strlen(gl_feed_name(feed)));
    out->reader = "kubernetes";
    out->version = "";
    if (gl_reader_slurp(feed, GL_YAMLTREE_MAX_BYTES, &text, err) != 0 ||
        read_text(&text, options, out, err) != 0)
        return -1;
    if (out->resources == 0)
        return gl_fail(err, GL_E_USAGE, "%s: no object of Kubernetes in it", out->file);
    gl_feed_digest(feed, out->digest.bytes);
    out->skipped = out->resources > out->count ? out->resources - out->count : 0;
    return 0;
}

const struct gl_hook_reader gl_reader_kubernetes = {
    .name = "kubernetes",
    .alias = "k8s",
    .what = "manifests of Kubernetes, as YAML or JSON",
    .where = "a nodeSelector of topology.kubernetes.io/region says it, or --region 'GLOB=REGION'",
    .has_yaml = true,
    .recognise = recognise,
    .read = read,
};
