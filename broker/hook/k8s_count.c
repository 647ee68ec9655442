/* SPDX-License-Identifier: Apache-2.0 */
/* How many pods or machines an object stands for. */
#include "broker/hook/k8s_part.h"
#include "broker/hook/mapping_part.h"

#include <string.h>

const struct gl_jnode *gl_k8s_member(const struct gl_k8s_object *object, const char *path)
{
    if (path == NULL)
        return NULL;
    return *path == '/' ? gl_k8s_at(object->tree, object->whole, path + 1)
                        : gl_k8s_at(object->tree, object->node, path);
}

static int64_t number_of(const struct gl_k8s_object *object, const struct gl_jnode *node,
                         bool *out_is_said)
{
    int64_t number;

    *out_is_said = node != NULL && node->kind != GL_JNULL;
    if (!gl_jnode_int(object->tree, node, &number) || number < 0 || number > GL_HOOK_COUNT_MAX)
        return GL_UNKNOWN;
    return number;
}

int64_t gl_k8s_number(const struct gl_k8s_object *object, const char *path, bool *out_is_said)
{
    return number_of(object, gl_k8s_member(object, path), out_is_said);
}

int64_t gl_k8s_pods_each(const struct gl_k8s_object *object, const struct gl_k8s_kind *kind)
{
    bool is_said;
    int64_t each = gl_k8s_number(object, kind->times, &is_said);

    if (!is_said)
        each = 1;
    return each > 0 && gl_k8s_member(object, kind->one_of) != NULL ? each - 1 : each;
}

int64_t gl_k8s_pods_beside(const struct gl_k8s_object *object, const struct gl_k8s_kind *kind)
{
    bool is_said;
    int64_t beside = gl_k8s_number(object, kind->plus, &is_said);

    return is_said ? beside : 0;
}

int64_t gl_k8s_peak(const struct gl_k8s_object *object, const struct gl_k8s_kind *kind)
{
    const struct gl_jnode *single = gl_k8s_member(object, kind->single);
    const char *word = gl_jnode_text(object->tree, single);

    if (gl_jnode_is(single, GL_JTRUE) || (word != NULL && strcmp(word, "None") == 0))
        return 1;
    for (size_t i = 0; i < sizeof kind->doubled / sizeof kind->doubled[0]; i++) {
        const struct gl_jnode *node = gl_k8s_member(object, kind->doubled[i]);

        if (node != NULL && node->kind != GL_JNULL)
            return 2;
    }
    return 1;
}

/* What such a set may grow to. */
static int64_t most_of(const struct gl_k8s_object *object, const struct gl_k8s_kind *kind,
                       int64_t min)
{
    bool is_said;
    int64_t max = gl_k8s_number(object, kind->max, &is_said);

    if (!is_said && kind->max_standard > 0 && min != GL_UNKNOWN)
        return kind->max_standard + min;
    return max == 0 && kind->is_zero_open ? GL_UNKNOWN : max;
}

/* Old and new ones while a new version comes: as many new ones, or what a step says. */
static int64_t at_peak(const struct gl_k8s_object *object, const struct gl_k8s_kind *kind,
                       int64_t max)
{
    const struct gl_jnode *steps = gl_k8s_member(object, kind->steps);
    int64_t added = gl_k8s_peak(object, kind) > 1 ? max : 0;

    for (const struct gl_jnode *step = gl_jnode_is(steps, GL_JARRAY) && added > 0
                                           ? gl_jnode_first(object->tree, steps)
                                           : NULL;
         step != NULL; step = gl_jnode_next(object->tree, steps, step)) {
        bool is_said;
        int64_t number = number_of(object, gl_k8s_at(object->tree, step, kind->step), &is_said);

        if (is_said && number == GL_UNKNOWN)
            return GL_UNKNOWN;
        if (is_said && number > added)
            added = number;
    }
    return gl_k8s_pods(max, 1, added);
}

/* Bounds of a set that is scaled by its own operator, and how many pods that is. */
static void set_bounds(const struct gl_k8s_object *object, const struct gl_k8s_kind *kind,
                       struct gl_intent_count *out)
{
    const struct gl_jnode *scales =
        kind->scales != NULL ? gl_k8s_at(object->tree, object->whole, kind->scales) : NULL;
    bool is_said;
    int64_t min = gl_k8s_number(object, kind->min, &is_said);
    int64_t each = gl_k8s_pods_each(object, kind), beside = gl_k8s_pods_beside(object, kind);

    if (!is_said)
        min = kind->min != NULL && strcmp(kind->count, kind->min) == 0 ? kind->standard : 0;

    if (is_said && out->desired != GL_UNKNOWN && (min == GL_UNKNOWN || min > out->desired))
        out->desired = out->max = min;
    if (scales != NULL && scales->kind != GL_JFALSE && scales->kind != GL_JNULL) {
        out->min = min;
        out->max = most_of(object, kind, min);
    } else {
        out->min = out->desired;
    }
    out->min = gl_k8s_pods(out->min, each, beside);
    out->desired = gl_k8s_pods(out->desired, each, beside);
    out->max = gl_k8s_pods(out->max, each, beside);
    out->max = at_peak(object, kind, out->max);
}

void gl_k8s_set_count(struct gl_k8s *k8s, const struct gl_k8s_object *object,
                      const struct gl_k8s_kind *kind, struct gl_intent_count *out)
{
    bool is_said;
    int64_t most = gl_k8s_number(object, kind->most, &is_said);
    int64_t count = gl_k8s_number(object, kind->count, &is_said);

    if (most != GL_UNKNOWN && count > most)
        count = most;
    *out = (struct gl_intent_count){.unit = "machine", .surety = GL_SURE_CERTAIN};
    if (!is_said) {
        count = kind->standard;
        out->surety = kind->count == NULL ? GL_SURE_CERTAIN : GL_SURE_ASSUMED;
        out->how = kind->count != NULL && count != GL_UNKNOWN
                       ? gl_reader_say(&k8s->plan->arena, "default of %d", (int)count)
                       : NULL;
    }
    out->min = out->desired = out->max = count;
    if (kind->what == GL_K8S_WORKLOAD)
        set_bounds(object, kind, out);
    if (kind->what == GL_K8S_SCALER) {
        out->desired = GL_UNKNOWN;
        out->max = gl_k8s_number(object, kind->max, &is_said);
        if (!is_said && kind->max_standard > 0)
            out->max = kind->max_standard;
    }
    if (out->min == GL_UNKNOWN && out->max == GL_UNKNOWN)
        out->surety = GL_SURE_NOT;
    if (kind->note != NULL && count == GL_UNKNOWN)
        out->how = kind->note;
}

/* Source: Cluster Autoscaler on Cluster API, "Enabling Autoscaling". */
void gl_k8s_set_autoscaled(const struct gl_k8s_object *object, struct gl_intent_count *out)
{
    const struct gl_jnode *notes = gl_k8s_at(object->tree, object->node, "metadata.annotations");
    int64_t max;

    if (gl_jnode_int(object->tree,
                     gl_jnode_get(object->tree, notes,
                                  "cluster.x-k8s.io/cluster-api-autoscaler-node-group-max-size"),
                     &max) &&
        out->max != GL_UNKNOWN && max > out->max)
        out->max = max <= GL_HOOK_COUNT_MAX ? max : GL_UNKNOWN;
}

void gl_k8s_set_pool_count(const struct gl_k8s_object *object, const struct gl_k8s_kind *kind,
                           struct gl_intent_count *out)
{
    const struct gl_jnode *limit = gl_k8s_at(object->tree, object->node, kind->max);
    const char *text = gl_jnode_is(limit, GL_JNUMBER) ? object->tree->text + limit->text
                                                      : gl_jnode_text(object->tree, limit);
    int64_t vcpus_u = text != NULL ? gl_hook_vcpus(text, "cores") : GL_UNKNOWN;

    if (out->desired != GL_UNKNOWN)
        return;
    *out = (struct gl_intent_count){.min = 0,
                                    .desired = GL_UNKNOWN,
                                    .max = GL_UNKNOWN,
                                    .unit = "vcpu",
                                    .how = "as many as the pods ask for",
                                    .surety = GL_SURE_CERTAIN};
    if (vcpus_u != GL_UNKNOWN)
        out->max = (vcpus_u + 999999) / 1000000;
}

/* ---- Knative ---- */

#define KNATIVE "autoscaling.knative.dev/"

/* GL_UNKNOWN when it is said but not understood, -1 when it is not said: by the newer spelling or
 * the older one. */
static int64_t knative_number(const struct gl_jtree *tree, const struct gl_jnode *annotations,
                              const char *newer, const char *older)
{
    const struct gl_jnode *node = gl_jnode_get(tree, annotations, newer);
    int64_t number;

    if (node == NULL)
        node = gl_jnode_get(tree, annotations, older);
    if (node == NULL)
        return -1;
    return gl_jnode_int(tree, node, &number) && number >= 0 && number <= GL_HOOK_COUNT_MAX
               ? number
               : GL_UNKNOWN;
}

/* Without a most, or with one of 0, as many as its requests ask for.
 * Source: Knative Serving, "Configuring scale bounds". */
void gl_k8s_knative_count(const struct gl_jtree *tree, const struct gl_jnode *annotations,
                          struct gl_intent_count *out)
{
    int64_t min = knative_number(tree, annotations, KNATIVE "min-scale", KNATIVE "minScale");
    int64_t max = knative_number(tree, annotations, KNATIVE "max-scale", KNATIVE "maxScale");
    int64_t first =
        knative_number(tree, annotations, KNATIVE "initial-scale", KNATIVE "initialScale");

    if (min < 0 && max <= 0 && first < 0)
        return;
    out->surety = GL_SURE_CERTAIN;
    out->min = min == -1 ? 0 : min;
    out->desired = first > out->min ? first : out->min;
    out->max = max > 0 ? max : GL_UNKNOWN;
    if (out->max != GL_UNKNOWN && out->desired > out->max)
        out->max = out->desired;
}
