/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/hook/k8s_part.h"
#include "broker/hook/mapping_part.h"
#include "providers/data/data.h"

#include <string.h>

const struct gl_jnode *gl_k8s_at(const struct gl_jtree *tree, const struct gl_jnode *node,
                                 const char *path)
{
    char name[64];

    while (node != NULL && *path != '\0') {
        size_t length = strcspn(path, ".");

        if (length >= sizeof name)
            return NULL;
        memcpy(name, path, length);
        name[length] = '\0';
        node = gl_jnode_get(tree, node, name);
        path += length;
        path += *path == '.';
    }
    return node;
}

const char *gl_k8s_text(const struct gl_jtree *tree, const struct gl_jnode *node, const char *path)
{
    return gl_jnode_text(tree, gl_k8s_at(tree, node, path));
}

static const char *word(const char *text)
{
    return text != NULL && text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                             "0123456789._-")] == '\0'
               ? text
               : NULL;
}

const char *gl_k8s_word(const struct gl_jtree *tree, const struct gl_jnode *node, const char *path)
{
    return word(gl_k8s_text(tree, node, path));
}

/* ---- requests ---- */

/* GPUs are resources by the name of their maker; after what ends with '*' follows which they are. A
 * part of one (MIG) is an accelerator too, and at most a whole one.
 * Source: NVIDIA, "MIG Support in Kubernetes" (mixed strategy), and the makers' device plugins. */
static const struct {
    const char *resource, *accelerator;
} gpus[] = {
    {"nvidia.com/gpu", "nvidia"},        {"nvidia.com/gpu.shared", "nvidia"},
    {"nvidia.com/mig-*", "nvidia mig-"}, {"amd.com/gpu", "amd"},
    {"gpu.intel.com/i915", "intel"},     {"gpu.intel.com/xe", "intel"},
    {"google.com/tpu", "google tpu"},    {"aws.amazon.com/neuron*", "aws neuron"},
    {"habana.ai/gaudi", "habana gaudi"},
};
#define GPUS (sizeof gpus / sizeof gpus[0])

/* GL_UNKNOWN = nothing asked for. */
struct demand {
    int64_t vcpus_u, memory_mib, gpu[GPUS];
    const char *which[GPUS]; /* what follows its '*'; NULL */
};

static struct demand no_demand(void)
{
    struct demand demand = {.vcpus_u = GL_UNKNOWN, .memory_mib = GL_UNKNOWN};

    for (size_t i = 0; i < GPUS; i++)
        demand.gpu[i] = GL_UNKNOWN;
    return demand;
}

static const char *quantity_text(const struct gl_jtree *tree, const struct gl_jnode *node)
{
    return gl_jnode_is(node, GL_JNUMBER) ? tree->text + node->text : gl_jnode_text(tree, node);
}

static const char *quantity(const struct gl_jtree *tree, const struct gl_jnode *resources,
                            const char *name)
{
    static const char *const parts[] = {"requests", "limits"};
    const char *text = NULL;

    for (size_t i = 0; i < 2 && text == NULL; i++)
        text =
            quantity_text(tree, gl_jnode_get(tree, gl_jnode_get(tree, resources, parts[i]), name));
    return text;
}

/* Whole ones, as they are asked for: requests and limits of them are the same. */
static void add_gpu(const char *name, const char *text, struct demand *demand)
{
    int64_t number = 0;

    if (text == NULL || strlen(text) >= 6 || text[strspn(text, "0123456789")] != '\0')
        return;
    for (; *text != '\0'; text++)
        number = number * 10 + (*text - '0');
    for (size_t i = 0; i < GPUS; i++) {
        size_t length = strcspn(gpus[i].resource, "*");

        if (strncmp(name, gpus[i].resource, length) != 0 ||
            (gpus[i].resource[length] == '\0' && name[length] != '\0'))
            continue;
        demand->gpu[i] = demand->gpu[i] == GL_UNKNOWN ? number : demand->gpu[i] + number;
        demand->which[i] = name + length;
    }
}

static struct demand demand_of(const struct gl_jtree *tree, const struct gl_jnode *resources)
{
    struct demand demand = no_demand();
    const char *text = quantity(tree, resources, "cpu");
    const struct gl_jnode *requests = gl_jnode_get(tree, resources, "requests");
    const struct gl_jnode *limits = gl_jnode_get(tree, resources, "limits");

    if (text != NULL)
        demand.vcpus_u = gl_hook_vcpus(text, "cores");
    text = quantity(tree, resources, "memory");
    if (text != NULL)
        demand.memory_mib = gl_hook_memory(text, "bytes");
    for (const struct gl_jnode *one =
             gl_jnode_is(requests, GL_JOBJECT) ? gl_jnode_first(tree, requests) : NULL;
         one != NULL; one = gl_jnode_next(tree, requests, one))
        add_gpu(gl_jnode_key(tree, one), quantity_text(tree, one), &demand);
    for (const struct gl_jnode *one = gl_jnode_is(limits, GL_JOBJECT) ? gl_jnode_first(tree, limits)
                                                                      : NULL;
         one != NULL; one = gl_jnode_next(tree, limits, one))
        if (gl_jnode_get(tree, requests, gl_jnode_key(tree, one)) == NULL)
            add_gpu(gl_jnode_key(tree, one), quantity_text(tree, one), &demand);
    return demand;
}

static void add_one(int64_t *sum, int64_t part, bool is_largest)
{
    int64_t value;

    if (part == GL_UNKNOWN)
        return;
    if (*sum == GL_UNKNOWN || (is_largest && part > *sum))
        *sum = part;
    else if (!is_largest && !__builtin_add_overflow(*sum, part, &value))
        *sum = value;
}

static void add_demand(struct demand *sum, const struct demand *part, bool is_largest)
{
    add_one(&sum->vcpus_u, part->vcpus_u, is_largest);
    add_one(&sum->memory_mib, part->memory_mib, is_largest);
    for (size_t i = 0; i < GPUS; i++) {
        add_one(&sum->gpu[i], part->gpu[i], is_largest);
        if (sum->which[i] == NULL)
            sum->which[i] = part->which[i];
    }
}

/* Init containers run one after the other, but for those that stay (restartPolicy Always). */
static struct demand containers(const struct gl_jtree *tree, const struct gl_jnode *list,
                                bool is_init, struct demand *sum)
{
    struct demand largest = no_demand();

    for (const struct gl_jnode *one = gl_jnode_is(list, GL_JARRAY) ? gl_jnode_first(tree, list)
                                                                   : NULL;
         one != NULL; one = gl_jnode_next(tree, list, one)) {
        struct demand part = demand_of(tree, gl_jnode_get(tree, one, "resources"));
        const char *policy = gl_jnode_text(tree, gl_jnode_get(tree, one, "restartPolicy"));

        if (is_init && (policy == NULL || strcmp(policy, "Always") != 0))
            add_demand(&largest, &part, true);
        else
            add_demand(sum, &part, false);
    }
    return largest;
}

/* A virtual machine of KubeVirt: what it asks of its node, or else what its guest sees. */
static struct demand guest(const struct gl_jtree *tree, const struct gl_jnode *domain)
{
    static const char *const factors[] = {"cpu.cores", "cpu.sockets", "cpu.threads"};
    struct demand demand = demand_of(tree, gl_jnode_get(tree, domain, "resources"));
    const char *memory = gl_k8s_text(tree, domain, "memory.guest");
    int64_t vcpus = 1000000, factor;
    bool is_said = false;

    for (size_t i = 0; i < sizeof factors / sizeof factors[0]; i++)
        if (gl_jnode_int(tree, gl_k8s_at(tree, domain, factors[i]), &factor) && factor > 0 &&
            factor < 10000) {
            vcpus *= factor;
            is_said = true;
        }
    if (demand.vcpus_u == GL_UNKNOWN && is_said)
        demand.vcpus_u = vcpus;
    if (demand.memory_mib == GL_UNKNOWN && memory != NULL)
        demand.memory_mib = gl_hook_memory(memory, "bytes");
    return demand;
}

static void set_gpus(const struct demand *sum, struct gl_arena *arena,
                     struct gl_intent_machine *out)
{
    for (size_t i = 0; i < GPUS; i++) {
        const char *name = gpus[i].accelerator;

        if (sum->gpu[i] == GL_UNKNOWN || sum->gpu[i] == 0)
            continue;
        out->accelerator = name[strlen(name) - 1] == '-'
                               ? gl_reader_say(arena, "%s%s", name, sum->which[i])
                               : name;
        out->accelerator_count = sum->gpu[i];
    }
}

/* Those handed to a virtual machine are listed one by one, as their device is called.
 * Source: KubeVirt user guide, "Host Devices Assignment". */
static void set_guest_gpus(const struct gl_jtree *tree, const struct gl_jnode *domain,
                           struct gl_arena *arena, struct gl_intent_machine *out)
{
    const struct gl_jnode *devices = gl_k8s_at(tree, domain, "devices.gpus");
    const char *name;

    if (!gl_jnode_is(devices, GL_JARRAY) || devices->count == 0)
        return;
    name = gl_k8s_text(tree, gl_jnode_at(tree, devices, 0), "deviceName");
    out->accelerator = name != NULL ? gl_arena_text(arena, name, strlen(name)) : "gpu";
    out->accelerator_count = (int64_t)devices->count;
}

/* What an operator is asked for in its own place, as containers ask for it, or as Spark writes
 * GPUs: {name: nvidia.com/gpu, quantity: 1}. */
static struct demand asked(const struct gl_jtree *tree, const struct gl_jnode *node)
{
    struct demand demand = demand_of(tree, node);
    const char *name = gl_k8s_text(tree, node, "name");

    if (name != NULL)
        add_gpu(name, quantity_text(tree, gl_jnode_get(tree, node, "quantity")), &demand);
    return demand;
}

/* Besides their containers. */
static void add_asked(const struct gl_k8s_object *object, const struct gl_k8s_kind *kind,
                      struct demand *sum)
{
    const struct gl_jtree *tree = object->tree;
    const struct gl_jnode *engines = gl_k8s_member(object, kind->engines);
    struct demand part = asked(tree, gl_k8s_member(object, kind->asks));

    add_demand(sum, &part, true);
    for (const struct gl_jnode *one =
             gl_jnode_is(engines, GL_JOBJECT) ? gl_jnode_first(tree, engines) : NULL;
         one != NULL; one = gl_jnode_next(tree, engines, one)) {
        part = demand_of(tree, gl_jnode_get(tree, one, "resources"));
        add_demand(sum, &part, false);
    }
}

void gl_k8s_requests(const struct gl_k8s_object *object, const struct gl_k8s_kind *kind,
                     struct gl_arena *arena, struct gl_intent *out)
{
    const struct gl_jtree *tree = object->tree;
    const struct gl_jnode *spec = gl_k8s_member(object, kind->pod);
    struct demand sum = no_demand(), init, whole;
    struct gl_intent_machine *machine = &out->machine;
    const struct gl_jnode *claims = gl_jnode_get(tree, spec, "resourceClaims");

    containers(tree, gl_jnode_get(tree, spec, "containers"), false, &sum);
    init = containers(tree, gl_jnode_get(tree, spec, "initContainers"), true, &sum);
    add_demand(&sum, &init, true);
    whole = demand_of(tree, gl_jnode_get(tree, spec, "resources")); /* of the pod as a whole */
    add_demand(&sum, &whole, true);
    whole = guest(tree, gl_jnode_get(tree, spec, "domain"));
    add_demand(&sum, &whole, true);
    add_asked(object, kind, &sum);
    machine->vcpus_u = sum.vcpus_u;
    machine->memory_mib = sum.memory_mib;
    set_gpus(&sum, arena, machine);
    set_guest_gpus(tree, gl_jnode_get(tree, spec, "domain"), arena, machine);
    if (machine->accelerator == NULL && gl_jnode_is(claims, GL_JARRAY) && claims->count > 0)
        machine->accelerator = "a device that is claimed"; /* its number stands in the claim */
    if (sum.vcpus_u != GL_UNKNOWN || sum.memory_mib != GL_UNKNOWN)
        machine->surety = GL_SURE_CERTAIN;
}

/* ---- nodes ---- */

enum label { REGION, ZONE, TYPE, CAPACITY, ACCELERATOR, LABELS };

struct label_row {
    const char *key;
    enum label label;
};
static const struct label_row label_rows[] = {
    {"topology.kubernetes.io/region", REGION},
    {"failure-domain.beta.kubernetes.io/region", REGION},
    {"topology.kubernetes.io/zone", ZONE},
    {"failure-domain.beta.kubernetes.io/zone", ZONE},
    {"topology.gke.io/zone", ZONE},
    {"topology.ebs.csi.aws.com/zone", ZONE},
    {"topology.k8s.aws/zone-id", ZONE},
    {"node.kubernetes.io/instance-type", TYPE},
    {"beta.kubernetes.io/instance-type", TYPE},
    {"karpenter.sh/capacity-type", CAPACITY},
    {"eks.amazonaws.com/capacityType", CAPACITY},
    {"kubernetes.azure.com/scalesetpriority", CAPACITY},
    {"cloud.google.com/gke-accelerator", ACCELERATOR},
    {"nvidia.com/gpu.product", ACCELERATOR},
    {"karpenter.k8s.aws/instance-gpu-name", ACCELERATOR},
};
/* Labels that only the nodes of one cloud have. */
static const struct {
    const char *part, *cloud;
} cloud_rows[] = {
    {"cloud.google.com/", "gcp"},       {".gke.io/", "gcp"},
    {"eks.amazonaws.com/", "aws"},      {".k8s.aws/", "aws"},
    {"kubernetes.azure.com/", "azure"}, {"karpenter.azure.com/", "azure"},
};

#define VALUES_MAX 64

struct values {
    const char *items[VALUES_MAX];
    size_t count;
    bool is_said;
};
struct nodes {
    struct values of[LABELS];
    const char *cloud;
    bool has_clouds; /* of several: none of them is it */
};

static void add_cloud(struct nodes *nodes, const char *cloud)
{
    if (cloud == NULL)
        return;
    nodes->has_clouds |= nodes->cloud != NULL && strcmp(nodes->cloud, cloud) != 0;
    nodes->cloud = cloud;
}

static const char *cloud_of_key(const char *key)
{
    for (size_t i = 0; i < sizeof cloud_rows / sizeof cloud_rows[0]; i++)
        if (strstr(key, cloud_rows[i].part) != NULL)
            return cloud_rows[i].cloud;
    return NULL;
}

static struct values *values_of(struct nodes *nodes, const char *key)
{
    for (size_t i = 0; i < sizeof label_rows / sizeof label_rows[0]; i++)
        if (strcmp(label_rows[i].key, key) == 0)
            return &nodes->of[label_rows[i].label];
    return NULL;
}

static void add_value(struct values *values, const char *text)
{
    values->is_said = true;
    for (size_t i = 0; i < values->count; i++)
        if (strcmp(values->items[i], text) == 0)
            return;
    if (values->count < VALUES_MAX && *text != '\0')
        values->items[values->count++] = text;
}

/* More values than are kept, or one that is no word, leave it open. */
static bool is_readable(const struct gl_jtree *tree, const struct gl_jnode *list)
{
    if (!gl_jnode_is(list, GL_JARRAY) || list->count > VALUES_MAX)
        return false;
    for (const struct gl_jnode *one = gl_jnode_first(tree, list); one != NULL;
         one = gl_jnode_next(tree, list, one))
        if (word(gl_jnode_text(tree, one)) == NULL)
            return false;
    return true;
}

/* {key, operator, values}: In says what may be; the others leave it open. That a label must not be
 * there says nothing of the cloud. */
static void read_expression(const struct gl_jtree *tree, const struct gl_jnode *expression,
                            struct nodes *nodes)
{
    const char *key = gl_k8s_text(tree, expression, "key");
    const char *operator= gl_k8s_text(tree, expression, "operator");
    const struct gl_jnode *list = gl_jnode_get(tree, expression, "values");
    struct values *values = key != NULL ? values_of(nodes, key) : NULL;

    if (key == NULL || operator== NULL)
        return;
    if (strcmp(operator, "In") == 0 || strcmp(operator, "Exists") == 0)
        add_cloud(nodes, cloud_of_key(key));
    if (values == NULL || strcmp(operator, "In") != 0 || !is_readable(tree, list))
        return;
    values->count = 0;
    for (const struct gl_jnode *one = gl_jnode_first(tree, list); one != NULL;
         one = gl_jnode_next(tree, list, one))
        add_value(values, gl_jnode_text(tree, one));
}

static void read_expressions(const struct gl_jtree *tree, const struct gl_jnode *list,
                             struct nodes *nodes)
{
    for (const struct gl_jnode *one = gl_jnode_is(list, GL_JARRAY) ? gl_jnode_first(tree, list)
                                                                   : NULL;
         one != NULL; one = gl_jnode_next(tree, list, one))
        read_expression(tree, one, nodes);
}

/* Any of the terms may hold: what one of them leaves open is open. */
static void read_affinity(const struct gl_jtree *tree, const struct gl_jnode *spec,
                          struct nodes *nodes)
{
    const struct gl_jnode *terms = gl_k8s_at(
        tree, spec,
        "affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms");
    bool is_first = true, is_one_cloud = false;
    const char *cloud = NULL;

    for (const struct gl_jnode *term = gl_jnode_is(terms, GL_JARRAY) ? gl_jnode_first(tree, terms)
                                                                     : NULL;
         term != NULL; term = gl_jnode_next(tree, terms, term)) {
        struct nodes one = {.cloud = NULL};

        read_expressions(tree, gl_jnode_get(tree, term, "matchExpressions"), &one);
        is_one_cloud = !one.has_clouds && one.cloud != NULL &&
                       (is_first || (is_one_cloud && strcmp(one.cloud, cloud) == 0));
        cloud = one.cloud;
        for (size_t i = 0; i < LABELS; i++) {
            if (!one.of[i].is_said || (!is_first && !nodes->of[i].is_said)) {
                nodes->of[i] = (struct values){.count = 0};
                continue;
            }
            for (size_t k = 0; k < one.of[i].count; k++)
                add_value(&nodes->of[i], one.of[i].items[k]);
        }
        is_first = false;
    }
    if (is_one_cloud)
        add_cloud(nodes, cloud);
}

static void read_selector(const struct gl_jtree *tree, const struct gl_jnode *selector,
                          struct nodes *nodes)
{
    for (const struct gl_jnode *one =
             gl_jnode_is(selector, GL_JOBJECT) ? gl_jnode_first(tree, selector) : NULL;
         one != NULL; one = gl_jnode_next(tree, selector, one)) {
        struct values *values = values_of(nodes, gl_jnode_key(tree, one));

        add_cloud(nodes, cloud_of_key(gl_jnode_key(tree, one)));
        if (values == NULL || word(gl_jnode_text(tree, one)) == NULL)
            continue;
        values->count = 0;
        add_value(values, gl_jnode_text(tree, one));
    }
}

/* ---- nodes to an intent ---- */

static const char *keep(struct gl_arena *arena, const char *text)
{
    return gl_arena_text(arena, text, strlen(text));
}

static void guess_cloud(const struct gl_k8s *k8s, struct nodes *nodes, const char **out)
{
    if (*out == NULL && !nodes->has_clouds)
        *out = nodes->cloud;
    if (*out == NULL && nodes->of[TYPE].count > 0)
        *out = gl_k8s_cloud_of_type(nodes->of[TYPE].items[0]);
    if (*out == NULL && nodes->of[ZONE].count > 0)
        (void)gl_k8s_region_of_zone(k8s, NULL, nodes->of[ZONE].items[0], out);
    if (*out == NULL && nodes->of[REGION].count > 0)
        *out = gl_k8s_cloud_of_region(nodes->of[REGION].items[0]);
}

static void add_region(struct gl_arena *arena, struct gl_intent_place *place, const char *region,
                       const char *evidence, const char *how)
{
    if (place->region == NULL) {
        gl_reader_set_place(arena, place, region, evidence, GL_SURE_CERTAIN, how);
        return;
    }
    if (strcmp(place->region, region) == 0)
        return;
    for (const char *const *one = place->candidates; one != NULL && *one != NULL; one++)
        if (strcmp(*one, region) == 0)
            return;
    gl_reader_add_text(arena, &place->candidates, keep(arena, region));
}

/* A zone whose region cannot be told leaves all of them open. */
static void add_zones(const struct gl_k8s *k8s, const struct values *zones, struct gl_intent *out)
{
    struct gl_arena *arena = &k8s->plan->arena;
    struct gl_intent_place *place = &out->place;
    bool has_region = place->region != NULL;

    for (size_t i = 0; i < zones->count; i++) {
        const char *cloud, *region;

        gl_reader_add_text(arena, &place->zones, keep(arena, zones->items[i]));
        if (has_region)
            continue;
        region = gl_k8s_region_of_zone(k8s, out->cloud, zones->items[i], &cloud);
        if (region == NULL) {
            *place = (struct gl_intent_place){.zones = place->zones,
                                              .how = "the region of a zone label is not known",
                                              .evidence = "none"};
            break;
        }
        add_region(arena, place, region, "zone", "node label of the zone");
    }
    place->zone = place->zones != NULL ? place->zones[0] : NULL;
}

static void add_types(const struct gl_k8s *k8s, const struct values *types, struct gl_intent *out)
{
    struct gl_arena *arena = &k8s->plan->arena;

    if (types->count == 0)
        return;
    for (size_t i = 0; i < types->count; i++)
        gl_reader_add_text(arena, &out->machine.candidates, keep(arena, types->items[i]));
    out->machine.type = out->machine.catalogue = out->machine.candidates[0];
    if (types->count == 1)
        out->machine.candidates = NULL;
    out->machine.how = "node label of the instance type";
    out->machine.surety = GL_SURE_CERTAIN;
}

static void read_spec(const struct gl_jtree *tree, const struct gl_jnode *spec, struct nodes *nodes)
{
    read_affinity(tree, spec, nodes);
    read_selector(tree, gl_jnode_get(tree, spec, "nodeSelector"), nodes);
    read_selector(tree, gl_k8s_at(tree, spec, "affinity.nodeSelector"), nodes); /* CNPG's */
}

void gl_k8s_nodes(const struct gl_k8s *k8s, const struct gl_k8s_object *object,
                  const struct gl_k8s_kind *kind, struct gl_intent *out)
{
    struct gl_arena *arena = &k8s->plan->arena;
    const struct gl_jtree *tree = object->tree;
    struct nodes nodes = {.cloud = NULL};
    const struct values *capacity = &nodes.of[CAPACITY];

    if (kind->what == GL_K8S_NODEPOOL) {
        read_expressions(tree, gl_k8s_member(object, kind->pod), &nodes);
    } else { /* the narrower ones count */
        if (kind->base != NULL)
            read_spec(tree, gl_k8s_at(tree, object->whole, kind->base), &nodes);
        read_spec(tree, gl_k8s_member(object, kind->pod), &nodes);
        if (kind->nodes != NULL)
            read_spec(tree, gl_k8s_member(object, kind->nodes), &nodes);
    }
    guess_cloud(k8s, &nodes, &out->cloud);
    for (size_t i = 0; i < nodes.of[REGION].count; i++)
        add_region(arena, &out->place, nodes.of[REGION].items[i], "attribute",
                   "node label of the region");
    add_zones(k8s, &nodes.of[ZONE], out);
    add_types(k8s, &nodes.of[TYPE], out);
    if (nodes.of[ACCELERATOR].count == 1)
        out->machine.accelerator = keep(arena, nodes.of[ACCELERATOR].items[0]);
    if (capacity->count == 1)
        out->interruptible = strcasecmp(capacity->items[0], "spot") == 0;
}
