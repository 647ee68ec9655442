/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/hook/k8s_part.h"
#include "broker/hook/mapping_part.h"

#include <stdlib.h>
#include <string.h>

#define LISTS_MAX_DEPTH 4
#define LABELS_MAX      64
#define CLUSTER         "cluster.x-k8s.io"

struct gl_k8s *gl_k8s_new(const struct gl_hook_options *options, struct gl_hook_plan *plan,
                          const char *document)
{
    struct gl_k8s *k8s = gl_alloc(sizeof *k8s);

    *k8s = (struct gl_k8s){
        .options = options, .plan = plan, .document = document, .first = plan->count};
    return k8s;
}

void gl_k8s_free(struct gl_k8s *k8s)
{
    if (k8s == NULL)
        return;
    gl_reader_index_done(&k8s->by_name);
    gl_reader_index_done(&k8s->addresses);
    gl_arena_done(&k8s->work);
    free(k8s);
}

/* ---- names ---- */

static const char *kept(struct gl_arena *arena, const char *text)
{
    return text != NULL ? gl_arena_text(arena, text, strlen(text)) : NULL;
}

static const char *name_of(struct gl_k8s *k8s, const struct gl_jtree *tree,
                           const struct gl_jnode *node)
{
    const char *name = gl_k8s_text(tree, node, "metadata.name");
    const char *prefix = gl_k8s_text(tree, node, "metadata.generateName");

    if (name != NULL)
        return kept(&k8s->plan->arena, name);
    return prefix != NULL ? gl_reader_say(&k8s->plan->arena, "%s*", prefix) : "";
}

/* Items of a "DeploymentList" need not say what they are. */
static int read_names(struct gl_k8s *k8s, const struct gl_jtree *tree, const struct gl_jnode *node,
                      const struct gl_k8s_object *list, struct gl_k8s_object *out,
                      struct gl_error *err)
{
    const char *version = gl_k8s_text(tree, node, "apiVersion");
    const char *kind = gl_k8s_text(tree, node, "kind");
    const char *namespace = gl_k8s_text(tree, node, "metadata.namespace");
    const char *slash = version != NULL ? strchr(version, '/') : NULL;
    bool is_item =
        list != NULL && version == NULL && kind == NULL && strcmp(list->kind, "List") != 0;

    if (!gl_jnode_is(node, GL_JOBJECT) || (!is_item && (version == NULL || kind == NULL)))
        return gl_fail(err, GL_E_USAGE,
                       "%s: object %zu has no apiVersion and kind, so it is none of Kubernetes; "
                       "give the manifests alone, or the folder without the word kubernetes, which "
                       "passes by what is none",
                       k8s->document, k8s->object_count + 1);
    *out = (struct gl_k8s_object){
        .tree = tree,
        .node = node,
        .whole = node,
        .kind = is_item ? gl_arena_text(&k8s->plan->arena, list->kind, strlen(list->kind) - 4)
                        : kept(&k8s->plan->arena, kind),
        .group = is_item ? list->group
                 : slash == NULL
                     ? ""
                     : gl_arena_text(&k8s->plan->arena, version, (size_t)(slash - version)),
        .namespace = namespace != NULL ? kept(&k8s->work, namespace) : "",
        .name = name_of(k8s, tree, node)};
    return 0;
}

/* "prod/Deployment/web"; the second of one name is "prod/Deployment/web (2)". */
static const char *address_of(struct gl_k8s *k8s, const struct gl_k8s_object *object)
{
    struct gl_arena *arena = &k8s->plan->arena;
    const char *address =
        gl_reader_say(arena, "%s%s%s%s%s", object->namespace, *object->namespace != '\0' ? "/" : "",
                      object->kind, *object->name != '\0' ? "/" : "", object->name);
    size_t last = 0;
    bool is_first = !gl_reader_index_last(&k8s->addresses, address, &last);

    gl_reader_index_add(&k8s->addresses, address, last + 1);
    return is_first ? address : gl_reader_say(arena, "%s (%zu)", address, last + 1);
}

/* "Deployment.apps", "Pod". */
static const char *type_of(struct gl_k8s *k8s, const struct gl_k8s_object *object)
{
    if (*object->group == '\0')
        return object->kind;
    return gl_reader_say(&k8s->plan->arena, "%s.%s", object->kind, object->group);
}

/* ---- one object ---- */

static bool is_true(const struct gl_k8s_object *object, const char *path)
{
    return path != NULL && gl_jnode_is(gl_k8s_at(object->tree, object->whole, path), GL_JTRUE);
}

static void set_tags(struct gl_k8s *k8s, const struct gl_k8s_object *object, struct gl_intent *out)
{
    const struct gl_jnode *labels = gl_k8s_at(object->tree, object->whole, "metadata.labels");
    size_t count = 0;

    for (const struct gl_jnode *label =
             gl_jnode_is(labels, GL_JOBJECT) ? gl_jnode_first(object->tree, labels) : NULL;
         label != NULL && count < LABELS_MAX; label = gl_jnode_next(object->tree, labels, label))
        if (gl_jnode_text(object->tree, label) != NULL) {
            gl_reader_add_text(&k8s->plan->arena, &out->tags,
                               gl_reader_say(&k8s->plan->arena, "%s=%s",
                                             gl_jnode_key(object->tree, label),
                                             gl_jnode_text(object->tree, label)));
            count++;
        }
}

/* A machine of KubeVirt that is not started by itself is as one that is suspended. */
static bool is_stopped(const struct gl_k8s_object *object, const struct gl_k8s_kind *kind)
{
    const char *strategy = gl_k8s_text(object->tree, object->node, "spec.runStrategy");

    if (strcmp(kind->group, GL_K8S_VIRT) != 0)
        return is_true(object, kind->suspend);
    if (strategy != NULL)
        return strcmp(strategy, "Halted") == 0;
    return gl_jnode_is(gl_k8s_at(object->tree, object->node, "spec.running"), GL_JFALSE);
}

static bool is_opaque(const struct gl_k8s_object *object, const struct gl_k8s_kind *kind)
{
    const struct gl_jnode *more = gl_k8s_member(object, kind->opaque);

    if (kind->settings == NULL || !gl_jnode_is(more, GL_JOBJECT))
        return more != NULL;
    for (const struct gl_jnode *one = gl_jnode_first(object->tree, more); one != NULL;
         one = gl_jnode_next(object->tree, more, one))
        for (const char *const *begin = kind->settings; *begin != NULL; begin++)
            if (strncmp(gl_jnode_key(object->tree, one), *begin, strlen(*begin)) == 0)
                return true;
    return false;
}

static void set_opaque(struct gl_k8s *k8s, const struct gl_k8s_kind *kind, struct gl_intent *out)
{
    const char *path = kind->opaque + (*kind->opaque == '/');

    out->place.how = gl_reader_say(&k8s->plan->arena, "%s may say otherwise", path);
    out->count = gl_intent_no_count;
    out->count.how = out->place.how;
}

/* Machine, nodes, number and duration of one object; the rest of *out is left alone. */
static void describe(struct gl_k8s *k8s, const struct gl_k8s_object *object,
                     const struct gl_k8s_kind *kind, struct gl_intent *out)
{
    const char *zone = gl_k8s_word(object->tree, object->node, "spec.template.spec.failureDomain");
    bool is_said;

    out->cloud = kind->cloud;
    set_tags(k8s, object, out);
    if (is_opaque(object, kind)) {
        set_opaque(k8s, kind, out);
        return;
    }
    gl_k8s_set_count(k8s, object, kind, &out->count);
    gl_k8s_knative_count(object->tree, gl_k8s_member(object, kind->annotations), &out->count);
    if (kind->what == GL_K8S_NODEPOOL && kind->max != NULL) /* one of many */
        gl_k8s_set_pool_count(object, kind, &out->count);
    if (is_stopped(object, kind)) {
        out->count.min = out->count.desired = out->count.max = 0;
        out->count.how = "suspended";
    }
    if (kind->what == GL_K8S_WORKLOAD)
        gl_k8s_requests(object, kind, &k8s->plan->arena, out);
    if (kind->pod != NULL)
        gl_k8s_nodes(k8s, object, kind, out);
    if (kind->what == GL_K8S_MACHINES)
        gl_k8s_set_autoscaled(object, &out->count);
    if (kind->what == GL_K8S_MACHINES && zone != NULL) {
        const char *cloud = NULL;
        const char *region = gl_k8s_region_of_zone(k8s, NULL, zone, &cloud);

        out->place.zone = kept(&k8s->plan->arena, zone);
        if (region != NULL)
            gl_reader_set_place(&k8s->plan->arena, &out->place, region, "zone", GL_SURE_CERTAIN,
                                "failureDomain");
        out->cloud = cloud;
    }
    if (kind->duration != NULL)
        out->duration_s = gl_k8s_number(object, kind->duration, &is_said);
}

static void set_user_place(struct gl_k8s *k8s, struct gl_intent *intent)
{
    struct gl_intent_place *place = &intent->place;

    if (gl_reader_place_by_user(k8s->options, &k8s->plan->arena, intent->address, place) &&
        intent->cloud == NULL)
        intent->cloud = gl_k8s_cloud_of_region(place->region);
}

static void set_past(struct gl_k8s *k8s, const struct gl_k8s_object *object,
                     const struct gl_jnode *before, const struct gl_k8s_kind *kind,
                     struct gl_intent *intent)
{
    struct gl_intent past = gl_reader_blank();
    struct gl_k8s_object was = *object;

    if (!gl_jnode_is(before, GL_JOBJECT)) {
        if (intent->change == GL_CHANGE_UPDATE)
            intent->change = GL_CHANGE_UNKNOWN;
        return;
    }
    was.node = was.whole = before;
    describe(k8s, &was, kind, &past);
    gl_reader_set_past(&k8s->plan->arena, intent, &past);
}

static struct gl_intent *add_intent(struct gl_k8s *k8s, const struct gl_k8s_object *object,
                                    const struct gl_k8s_kind *kind, enum gl_change change)
{
    struct gl_intent *intent = gl_reader_add_blank(k8s->plan);

    intent->address = address_of(k8s, object);
    intent->file = k8s->document;
    intent->type = type_of(k8s, object);
    intent->provider = "kubernetes";
    intent->role = kind->role;
    intent->change = change;
    intent->is_mapped = true;
    intent->place.how = "no node label says it";
    describe(k8s, object, kind, intent);
    if (kind->note != NULL && kind->count != NULL)
        gl_reader_add_text(&k8s->plan->arena, &intent->notes, kind->note);
    if (kind->told != NULL && !k8s->is_told) {
        gl_reader_add_text(&k8s->plan->arena, &k8s->plan->notes, kind->told);
        k8s->is_told = true;
    }
    return intent;
}

static void remember(struct gl_k8s *k8s, const struct gl_k8s_object *object,
                     const struct gl_k8s_kind *kind, size_t intent)
{
    const struct gl_jnode *reference =
        kind->reference != NULL ? gl_k8s_at(object->tree, object->node, kind->reference) : NULL;
    const char *cluster = gl_k8s_text(object->tree, object->node, "spec.clusterName");
    const char *target = gl_k8s_text(object->tree, reference, "kind");
    const struct gl_jnode *like = gl_k8s_member(object, kind->like);
    const char *moved = gl_k8s_text(object->tree, like, "scaleDown");
    const char *value =
        kind->value != NULL ? gl_k8s_word(object->tree, object->node, kind->value) : NULL;
    struct gl_k8s_known *known;
    bool is_said;

    if (target == NULL && kind->what == GL_K8S_SCALER)
        target = "Deployment"; /* of KEDA; others must say it */
    if (cluster == NULL) {
        const struct gl_jnode *labels = gl_k8s_at(object->tree, object->node, "metadata.labels");

        cluster = gl_jnode_text(object->tree,
                                gl_jnode_get(object->tree, labels, CLUSTER "/cluster-name"));
    }
    k8s->known = gl_arena_grow(&k8s->work, k8s->known, k8s->known_count, sizeof *k8s->known);
    known = &k8s->known[k8s->known_count];
    *known = (struct gl_k8s_known){
        .kind = kind,
        .object_kind = object->kind,
        .namespace = object->namespace,
        .name = object->name,
        .target_kind = kept(&k8s->work, target),
        .target_name = kept(&k8s->work, gl_k8s_text(object->tree, reference, "name")),
        .cluster = kept(&k8s->work, cluster),
        .value = kept(&k8s->plan->arena, value),
        .max = gl_k8s_number(object, kind->max, &is_said),
        .each = gl_k8s_pods_each(object, kind),
        .beside = gl_k8s_pods_beside(object, kind),
        .peak = gl_k8s_peak(object, kind),
        .like_kind = kept(&k8s->work, gl_k8s_text(object->tree, like, "kind")),
        .like_name = kept(&k8s->work, gl_k8s_text(object->tree, like, "name")),
        .is_moved = moved != NULL && strcmp(moved, "progressively") == 0,
        .intent = intent,
    };
    gl_reader_index_add(
        &k8s->by_name,
        gl_reader_say(&k8s->work, "%s|%s|%s", object->namespace, object->kind, object->name),
        k8s->known_count++);
}

/* ---- sets of pods ---- */

/* "ray/workers" of the object "ray"; of a map by its key. */
static void add_set(struct gl_k8s *k8s, const struct gl_k8s_object *object,
                    const struct gl_k8s_kind *kind, const struct gl_jnode *node,
                    enum gl_change change)
{
    struct gl_k8s_object set = *object;
    const char *name = NULL;

    set.node = node;
    if (kind->each != NULL)
        name = *kind->each != '\0' ? gl_k8s_text(object->tree, node, kind->each)
                                   : gl_jnode_key(object->tree, node);
    else if (kind->within != NULL && strrchr(kind->within, '.') != NULL)
        name = strrchr(kind->within, '.') + 1;
    if (name != NULL)
        set.name = gl_reader_say(&k8s->plan->arena, "%s/%s", object->name, name);
    set_user_place(
        k8s, add_intent(k8s, &set, kind, change == GL_CHANGE_UPDATE ? GL_CHANGE_UNKNOWN : change));
    set.name = object->name; /* scalers name the object */
    if (kind->count != NULL &&
        (kind->scaled == NULL || (name != NULL && strcmp(name, kind->scaled) == 0)))
        remember(k8s, &set, kind, k8s->plan->count);
}

static int count_objects(struct gl_k8s *k8s, size_t more, struct gl_error *err)
{
    k8s->object_count += more;
    return k8s->object_count <= GL_K8S_MAX_OBJECTS
               ? 0
               : gl_fail(err, GL_E_TOO_LARGE, "%s: more than %zu objects", k8s->document,
                         GL_K8S_MAX_OBJECTS);
}

/* Those of all rows of the kind. *out_has: it has one of them. */
static int add_sets(struct gl_k8s *k8s, const struct gl_k8s_object *object,
                    const struct gl_k8s_kind *kind, enum gl_change change, bool *out_has,
                    struct gl_error *err)
{
    size_t before = k8s->plan->count;

    for (; kind != NULL; kind = gl_k8s_kind_after(kind)) {
        const struct gl_jnode *sets = gl_k8s_at(object->tree, object->node, kind->within);
        bool is_list = gl_jnode_is(sets, GL_JARRAY) || gl_jnode_is(sets, GL_JOBJECT);

        if (kind->each != NULL && is_list && count_objects(k8s, sets->count, err) != 0)
            return -1;
        if (kind->each == NULL && gl_jnode_is(sets, GL_JOBJECT))
            add_set(k8s, object, kind, sets, change);
        for (const struct gl_jnode *set =
                 kind->each != NULL && is_list ? gl_jnode_first(object->tree, sets) : NULL;
             set != NULL; set = gl_jnode_next(object->tree, sets, set))
            add_set(k8s, object, kind, set, change);
    }
    *out_has = k8s->plan->count > before;
    return 0;
}

/* ---- kinds of others ---- */

/* What else it is made with is merged by its controller. */
static bool has_more(const struct gl_k8s_object *object)
{
    const struct gl_jnode *more = gl_k8s_at(object->tree, object->node, "spec.initProvider");

    return gl_jnode_is(more, GL_JOBJECT) && more->count > 0;
}

/* A row of the mapping reads it, by "Kind.group". One of another reader's type (Terraform's names
 * have no dot) reads what stands in spec.forProvider, or in spec. */
static bool add_mapped(struct gl_k8s *k8s, const struct gl_k8s_object *object,
                       enum gl_change change)
{
    static const struct gl_k8s_kind mapped = {.what = GL_K8S_WORKLOAD, .standard = GL_UNKNOWN};
    const struct gl_mapping_row *row = gl_mapping_row(k8s->options->mapping, type_of(k8s, object));
    struct gl_attributes attributes = {.tree = object->tree, .values = object->node};
    bool is_generated;
    const char *address;
    struct gl_intent *intent;

    if (row == NULL)
        row = gl_k8s_generated_row(k8s, object->kind, object->group);
    if (row == NULL)
        return false;
    if (has_more(object)) {
        gl_reader_add_unmapped(k8s->plan, type_of(k8s, object));
        return true;
    }
    is_generated = strchr(row->type, '.') == NULL;
    address = attributes.address = address_of(k8s, object);
    if (is_generated) {
        const struct gl_jnode *spec = gl_k8s_at(object->tree, object->node, "spec");
        const struct gl_jnode *of_provider = gl_jnode_get(object->tree, spec, "forProvider");

        attributes.values = of_provider != NULL ? of_provider : spec;
    }
    intent = gl_reader_add_intent(k8s->options, k8s->plan, row, &attributes, NULL);
    intent->address = address;
    intent->type = type_of(k8s, object);
    intent->file = k8s->document;
    intent->change = change == GL_CHANGE_UPDATE ? GL_CHANGE_UNKNOWN : change;
    if (is_generated)
        set_tags(k8s, object, intent);
    set_user_place(k8s, intent);
    if (intent->cloud == NULL && intent->place.region != NULL)
        intent->cloud = gl_k8s_cloud_of_region(intent->place.region);
    remember(k8s, object, &mapped, k8s->plan->count);
    return true;
}

static int add_by_kind(struct gl_k8s *k8s, const struct gl_k8s_object *object,
                       const struct gl_jnode *before, enum gl_change change, struct gl_error *err)
{
    const struct gl_k8s_kind *kind = gl_k8s_kind_of(object->kind, object->group);
    struct gl_intent *intent;
    bool has_sets;

    if (kind == NULL || kind->within != NULL) {
        bool is_read = kind == NULL && add_mapped(k8s, object, change);

        if (kind != NULL && add_sets(k8s, object, kind, change, &is_read, err) != 0)
            return -1;
        if (!is_read && (kind != NULL || gl_k8s_is_suspect(object->tree, object->node, object->kind,
                                                           object->group)))
            gl_reader_add_unmapped(k8s->plan, type_of(k8s, object));
        return 0;
    }
    if (kind->what == GL_K8S_CLUSTER) {
        /* With a topology it makes its machines itself, from a class that may be elsewhere. */
        if (gl_k8s_at(object->tree, object->node, "spec.topology") != NULL)
            gl_reader_add_unmapped(k8s->plan, type_of(k8s, object));
        remember(k8s, object, kind, 0);
        return 0;
    }
    intent = add_intent(k8s, object, kind, change);
    set_past(k8s, object, before, kind, intent);
    set_user_place(k8s, intent);
    remember(k8s, object, kind, k8s->plan->count);
    return add_sets(k8s, object, gl_k8s_kind_after(kind), change, &has_sets, err);
}

static int add_one(struct gl_k8s *k8s, const struct gl_k8s_object *object,
                   const struct gl_jnode *before, enum gl_change change, struct gl_error *err)
{
    size_t first = k8s->plan->count, made;

    if (count_objects(k8s, 1, err) != 0 || add_by_kind(k8s, object, before, change, err) != 0)
        return -1;
    made = k8s->plan->count - first;
    k8s->plan->resources += made > 1 ? made : 1; /* the object is one of its sets */
    return 0;
}

/* ---- lists ---- */

struct listed {
    const struct gl_k8s_object *list; /* NULL = none */
    unsigned depth;
};

static int add_any(struct gl_k8s *k8s, const struct gl_jtree *tree, const struct gl_jnode *node,
                   const struct gl_jnode *before, enum gl_change change, struct listed in,
                   struct gl_error *err)
{
    const struct gl_jnode *items = gl_jnode_get(tree, node, "items");
    struct gl_k8s_object object = {0};
    size_t length;

    if (read_names(k8s, tree, node, in.list, &object, err) != 0)
        return -1;
    length = strlen(object.kind);
    if (length < 4 || strcmp(object.kind + length - 4, "List") != 0 ||
        !gl_jnode_is(items, GL_JARRAY))
        return add_one(k8s, &object, before, change, err);
    if (in.depth >= LISTS_MAX_DEPTH)
        return gl_fail(err, GL_E_TOO_LARGE, "%s: lists nested too deeply", k8s->document);
    for (const struct gl_jnode *item = gl_jnode_first(tree, items); item != NULL;
         item = gl_jnode_next(tree, items, item))
        if (add_any(k8s, tree, item, NULL, change, (struct listed){&object, in.depth + 1}, err) !=
            0)
            return -1;
    return 0;
}

int gl_k8s_add(struct gl_k8s *k8s, const struct gl_jtree *tree, const struct gl_jnode *object,
               const struct gl_jnode *before, enum gl_change change, struct gl_error *err)
{
    return add_any(k8s, tree, object, before, change, (struct listed){0}, err);
}
