/* SPDX-License-Identifier: Apache-2.0 */
/* Objects of Kubernetes to intents: what pods ask for, which nodes they may be on, how many, what
 * is joined, and reviews of an API server. */
#include "tests/unit/broker/hook_read.h"

#include "broker/hook/k8s.h"

static const struct gl_hook_reader *const reader = &gl_reader_kubernetes;

#define POD_OF(spec) "{containers: [{name: a, env: [{name: X, value: " PLANTED "}]}], " spec "}"
#define DEPLOYMENT(more, spec)                                                       \
    "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: prod, " \
    "labels: {team: a}}\nspec: {" more "template: {spec: " POD_OF(spec) "}}\n"
#define TERM(key, values) "{matchExpressions: [{key: " key ", operator: In, values: [" values "]}]}"
#define AFFINITY(terms)                                                          \
    "affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: " \
    "{nodeSelectorTerms: [" terms "]}}}"
#define ZONE  "topology.kubernetes.io/zone"
#define EIGHT "eu-north-1, eu-north-1, eu-north-1, eu-north-1, eu-north-1, eu-north-1, r1, r2, "
#define MANY  EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT

struct place_case {
    const char *what, *manifest, *cloud, *region, *other; /* other: a further region it may be */
};

static const struct place_case places[] = {
    {"nothing", DEPLOYMENT("", ""), NULL, NULL, NULL},
    {"a region label", DEPLOYMENT("", "nodeSelector: {topology.kubernetes.io/region: eu-north-1}"),
     "aws", "eu-north-1", NULL},
    {"a zone label", DEPLOYMENT("", "nodeSelector: {" ZONE ": europe-west9-b}"), "gcp",
     "europe-west9", NULL},
    {"a zone of AKS", DEPLOYMENT("", "nodeSelector: {" ZONE ": swedencentral-2}"), "azure",
     "swedencentral", NULL},
    {"a zone nobody has", DEPLOYMENT("", "nodeSelector: {" ZONE ": rack-7}"), NULL, NULL, NULL},
    {"zones of two regions", DEPLOYMENT("", AFFINITY(TERM(ZONE, "eu-west-1a, eu-north-1b"))), "aws",
     "eu-west-1", "eu-north-1"},
    {"either term",
     DEPLOYMENT("", AFFINITY(TERM(ZONE, "eu-west-1a") ", " TERM(ZONE, "us-east-1a"))), "aws",
     "eu-west-1", "us-east-1"},
    {"a term that leaves it open",
     DEPLOYMENT("", AFFINITY(TERM(ZONE, "eu-west-1a") ", " TERM("disk", "ssd"))), NULL, NULL, NULL},
    {"a zone beside one nobody has", DEPLOYMENT("", AFFINITY(TERM(ZONE, "eu-west-1a, rack-7"))),
     "aws", NULL, NULL},
    {"a machine type", DEPLOYMENT("", "nodeSelector: {node.kubernetes.io/instance-type: m5.large}"),
     "aws", NULL, NULL},
    {"a label of one cloud in every term",
     DEPLOYMENT("", AFFINITY(TERM("eks.amazonaws.com/nodegroup",
                                  "a") ", " TERM("eks.amazonaws.com/nodegroup", "b"))),
     "aws", NULL, NULL},
    {"a label of one cloud in one term",
     DEPLOYMENT("", AFFINITY(TERM("disk", "ssd") ", " TERM("eks.amazonaws.com/nodegroup", "b"))),
     NULL, NULL, NULL},
    {"labels of two clouds",
     DEPLOYMENT("", AFFINITY(TERM("eks.amazonaws.com/nodegroup",
                                  "a") ", " TERM("cloud.google.com/gke-spot", "'true'"))),
     NULL, NULL, NULL},
    {"a label that must not be there",
     DEPLOYMENT("", AFFINITY("{matchExpressions: [{key: eks.amazonaws.com/compute-type, operator: "
                             "NotIn, values: [fargate]}, {key: " ZONE
                             ", operator: In, values: [europe-west9-b]}]}")),
     "gcp", "europe-west9", NULL},
    {"a placeholder", DEPLOYMENT("", "nodeSelector: {topology.kubernetes.io/region: '${REGION}'}"),
     NULL, NULL, NULL},
    {"a placeholder among others",
     DEPLOYMENT("", AFFINITY(TERM("topology.kubernetes.io/region", "eu-north-1, '<region>'"))),
     NULL, NULL, NULL},
    {"a value that is no text",
     DEPLOYMENT("", AFFINITY(TERM("topology.kubernetes.io/region", "eu-north-1, null"))), NULL,
     NULL, NULL},
    {"more values than anybody has",
     DEPLOYMENT("", AFFINITY(TERM("topology.kubernetes.io/region", MANY "us-east-1"))), NULL, NULL,
     NULL},
    {"a label of one cloud", DEPLOYMENT("", "nodeSelector: {cloud.google.com/gke-spot: 'true'}"),
     "gcp", NULL, NULL},
};

static bool is_text(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static void test_places(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        const struct place_case *row = &places[i];
        const struct gl_intent *intent;
        struct gl_hook_plan plan;
        const char *other;

        read_text(reader, row->manifest, (struct gl_hook_options){0}, &plan);
        intent = intent_of(&plan, "prod/Deployment/web");
        other = intent->place.candidates != NULL ? intent->place.candidates[0] : NULL;
        if (!is_text(intent->cloud, row->cloud) || !is_text(intent->place.region, row->region) ||
            !is_text(other, row->other))
            fail_msg("%s: %s %s %s", row->what, intent->cloud, intent->place.region, other);
        assert_true(says(intent->tags, "team=a"));
        assert_true(intent->is_launch);
        gl_hook_plan_done(&plan);
    }
}

#define ASKS(requests) "resources: {requests: {" requests "}}"

static void test_requests(void **state)
{
    static const char manifest[] =
        "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n"
        "  containers:\n"
        "  - {name: a, " ASKS(
            "cpu: 500m, memory: 1Gi, nvidia.com/gpu: 2") "}\n"
                                                         "  - {name: b, resources: {limits: {cpu: "
                                                         "1, memory: 512Mi}}}\n"
                                                         "  initContainers:\n"
                                                         "  - {name: c, " ASKS(
                                                             "cpu: 4, memory: 100Mi") "}\n"
                                                                                      "  - {name: "
                                                                                      "d, "
                                                                                      "restartPolic"
                                                                                      "y: "
                                                                                      "Always,"
                                                                                      " " ASKS(
                                                                                          "cpu: "
                                                                                          "250m, "
                                                                                          "memory: "
                                                                                          "64Mi") "}\n";
    struct gl_hook_plan plan;
    const struct gl_intent_machine *machine;

    (void)state;
    read_text(reader, manifest, (struct gl_hook_options){0}, &plan);
    machine = &intent_of(&plan, "Pod/p")->machine;
    assert_int_equal(machine->vcpus_u, 4000000); /* init: larger than 0.5 + 1 + 0.25 */
    assert_int_equal(machine->memory_mib, 1024 + 512 + 64);
    assert_string_equal(machine->accelerator, "nvidia");
    assert_int_equal(machine->accelerator_count, 2);
    assert_int_equal(plan.intents[0].role, GL_ROLE_FRACTION);
    gl_hook_plan_done(&plan);

    read_text(
        reader,
        "apiVersion: kubevirt.io/v1\nkind: VirtualMachine\nmetadata: {name: v}\nspec: "
        "{template: {spec: {nodeSelector: {topology.kubernetes.io/region: eu-north-1}, domain: "
        "{cpu: {cores: 2, sockets: 2}, memory: {guest: 8Gi}}}}}\n",
        (struct gl_hook_options){0}, &plan);
    machine = &intent_of(&plan, "VirtualMachine/v")->machine;
    assert_int_equal(machine->vcpus_u, 4000000);
    assert_int_equal(machine->memory_mib, 8192);
    assert_string_equal(plan.intents[0].place.region, "eu-north-1");
    gl_hook_plan_done(&plan);
}

#define WORKLOAD(api, kind, spec) \
    "apiVersion: " api "\nkind: " kind "\nmetadata: {name: w}\nspec: {" spec "}\n"
#define TEMPLATE "template: {spec: {containers: []}}"

struct count_case {
    const char *manifest;
    int64_t min, desired, max, duration_s;
    bool is_launch;
};

static const struct count_case counts[] = {
    {WORKLOAD("apps/v1", "Deployment", TEMPLATE), 1, 1, 1, GL_UNKNOWN, true},
    {WORKLOAD("apps/v1", "Deployment", "replicas: 7, " TEMPLATE), 7, 7, 7, GL_UNKNOWN, true},
    {WORKLOAD("apps/v1", "Deployment", "replicas: 0, " TEMPLATE), 0, 0, 0, GL_UNKNOWN, false},
    {WORKLOAD("apps/v1", "StatefulSet", "replicas: '3', " TEMPLATE), 3, 3, 3, GL_UNKNOWN, true},
    {WORKLOAD("apps/v1", "StatefulSet", "replicas: many, " TEMPLATE), GL_UNKNOWN, GL_UNKNOWN,
     GL_UNKNOWN, GL_UNKNOWN, true},
    {WORKLOAD("apps/v1", "DaemonSet", TEMPLATE), GL_UNKNOWN, GL_UNKNOWN, GL_UNKNOWN, GL_UNKNOWN,
     true},
    {WORKLOAD("extensions/v1beta1", "DaemonSet", TEMPLATE), GL_UNKNOWN, GL_UNKNOWN, GL_UNKNOWN,
     GL_UNKNOWN, true},
    {WORKLOAD("batch/v1", "Job", "parallelism: 4, activeDeadlineSeconds: 600, " TEMPLATE), 4, 4, 4,
     600, true},
    {WORKLOAD("batch/v1", "Job", "suspend: true, " TEMPLATE), 0, 0, 0, GL_UNKNOWN, false},
    {WORKLOAD("batch/v1", "CronJob", "jobTemplate: {spec: {parallelism: 2, " TEMPLATE "}}"), 2, 2,
     2, GL_UNKNOWN, true},
    {WORKLOAD("argoproj.io/v1alpha1", "Rollout", "replicas: 2, " TEMPLATE), 2, 2, 2, GL_UNKNOWN,
     true},
    {WORKLOAD("serving.knative.dev/v1", "Service", TEMPLATE), GL_UNKNOWN, GL_UNKNOWN, GL_UNKNOWN,
     GL_UNKNOWN, true},
    {WORKLOAD("kubevirt.io/v1", "VirtualMachine", TEMPLATE), 1, 1, 1, GL_UNKNOWN, true},
    {WORKLOAD("kubevirt.io/v1", "VirtualMachine", "running: false, " TEMPLATE), 0, 0, 0, GL_UNKNOWN,
     false},
    {WORKLOAD("kubevirt.io/v1", "VirtualMachine", "runStrategy: Halted, " TEMPLATE), 0, 0, 0,
     GL_UNKNOWN, false},
    {WORKLOAD("kubevirt.io/v1", "VirtualMachineInstanceReplicaSet", "replicas: 3, " TEMPLATE), 3, 3,
     3, GL_UNKNOWN, true},
    {WORKLOAD("helm.toolkit.fluxcd.io/v2", "HelmRelease", "chart: x"), GL_UNKNOWN, GL_UNKNOWN,
     GL_UNKNOWN, GL_UNKNOWN, false},
    {WORKLOAD("karpenter.sh/v1", "NodePool", "limits: {cpu: 1k}"), 0, GL_UNKNOWN, GL_UNKNOWN,
     GL_UNKNOWN, true},
    {WORKLOAD("karpenter.sh/v1", "NodeClaim", "requirements: []"), 1, 1, 1, GL_UNKNOWN, true},
    {WORKLOAD("autoscaling/v1", "Scale", "replicas: 50"), 50, 50, 50, GL_UNKNOWN, true},
    {WORKLOAD("karpenter.sh/v1", "NodePool", "limits: {cpu: '100'}"), 0, GL_UNKNOWN, 100,
     GL_UNKNOWN, true},
};

static void test_counts(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        const struct count_case *row = &counts[i];
        const struct gl_intent *intent;
        struct gl_hook_plan plan;

        read_text(reader, row->manifest, (struct gl_hook_options){0}, &plan);
        intent = &plan.intents[0];
        if (intent->count.min != row->min || intent->count.desired != row->desired ||
            intent->count.max != row->max || intent->duration_s != row->duration_s ||
            intent->is_launch != row->is_launch)
            fail_msg("%s: %lld %lld %lld", row->manifest, (long long)intent->count.min,
                     (long long)intent->count.desired, (long long)intent->count.max);
        gl_hook_plan_done(&plan);
    }
}

static void test_autoscaler(void **state)
{
    struct gl_hook_plan plan;
    const struct gl_intent *intent;

    (void)state;
    read_text(
        reader,
        "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: h, namespace: "
        "prod}\nspec: {scaleTargetRef: {kind: Deployment, name: web}, minReplicas: 2, maxReplicas: "
        "9}\n---\n" DEPLOYMENT("replicas: 0, ", "") "---\n---\n",
        (struct gl_hook_options){0}, &plan);
    intent = intent_of(&plan, "prod/Deployment/web");
    assert_int_equal(intent->count.max, 9);
    assert_true(intent->is_launch);
    assert_int_equal(plan.launches, 1);
    gl_hook_plan_done(&plan);
    read_text(
        reader,
        "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: h, namespace: "
        "prod}\nspec: {scaleTargetRef: {kind: Deployment, name: web}, minReplicas: 2, maxReplicas: "
        "9}\n---\n" DEPLOYMENT("replicas: 12, ", ""),
        (struct gl_hook_options){0}, &plan);
    intent = intent_of(&plan, "prod/Deployment/web");
    assert_int_equal(intent->count.min, 2);
    assert_int_equal(intent->count.max, 12);
    gl_hook_plan_done(&plan);
    /* KEDA: a Deployment when no kind is said, 0 to 100. */
    read_text(reader,
              "apiVersion: keda.sh/v1alpha1\nkind: ScaledObject\nmetadata: {name: s, namespace: "
              "prod}\nspec: {scaleTargetRef: {name: web}}\n---\n" DEPLOYMENT("", ""),
              (struct gl_hook_options){0}, &plan);
    intent = intent_of(&plan, "prod/Deployment/web");
    assert_int_equal(intent->count.min, 0);
    assert_int_equal(intent->count.max, 100);
    gl_hook_plan_done(&plan);
    /* A most that cannot be read bounds nothing. */
    read_text(
        reader,
        "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: h, "
        "namespace: prod}\nspec: {scaleTargetRef: {kind: Deployment, name: web}, maxReplicas: "
        "many}\n---\n" DEPLOYMENT("replicas: 1, ", ""),
        (struct gl_hook_options){0}, &plan);
    assert_int_equal(intent_of(&plan, "prod/Deployment/web")->count.max, GL_UNKNOWN);
    gl_hook_plan_done(&plan);
}

static void test_node_pool(void **state)
{
    struct gl_hook_plan plan;
    const struct gl_intent *intent;

    (void)state;
    read_text(reader,
              "apiVersion: karpenter.sh/v1\nkind: NodePool\nmetadata: {name: gpu}\nspec:\n  "
              "template:\n    "
              "spec:\n      nodeClassRef: {kind: EC2NodeClass, name: d}\n      requirements:\n     "
              " - {key: "
              "node.kubernetes.io/instance-type, operator: In, values: [p4d.24xlarge, "
              "g5.xlarge]}\n      - "
              "{key: " ZONE ", operator: In, values: [eu-west-1a]}\n      - {key: "
              "karpenter.sh/capacity-type, operator: In, values: [spot]}\n",
              (struct gl_hook_options){0}, &plan);
    intent = intent_of(&plan, "NodePool/gpu");
    assert_string_equal(intent->cloud, "aws");
    assert_string_equal(intent->place.region, "eu-west-1");
    assert_string_equal(intent->machine.candidates[1], "g5.xlarge");
    assert_int_equal(intent->interruptible, 1);
    assert_int_equal(intent->role, GL_ROLE_GROUP);
    assert_string_equal(intent->count.unit, "vcpu");
    gl_hook_plan_done(&plan);
}

#define CAPI "cluster.x-k8s.io/v1beta1"

static void test_cluster_api(void **state)
{
    struct gl_hook_plan plan;
    const struct gl_intent *intent;

    (void)state;
    read_text(
        reader,
        "apiVersion: infrastructure." CAPI "\nkind: AWSMachineTemplate\nmetadata: {name: "
        "md}\nspec: {template: {spec: {instanceType: m5.large}}}\n---\napiVersion: " CAPI
        "\nkind: MachineDeployment\nmetadata: {name: md}\nspec: {clusterName: c, replicas: 3, "
        "template: {spec: {infrastructureRef: {kind: AWSMachineTemplate, name: "
        "md}}}}\n---\napiVersion: infrastructure." CAPI "\nkind: AWSCluster\nmetadata: {name: "
        "other}\nspec: {region: eu-north-1}\n---\napiVersion: " CAPI
        "\nkind: Cluster\nmetadata: {name: c}\nspec: {infrastructureRef: {kind: AWSCluster, name: "
        "other}}\n",
        (struct gl_hook_options){0}, &plan);
    intent = intent_of(&plan, "MachineDeployment/md");
    assert_string_equal(intent->machine.type, "m5.large");
    assert_string_equal(intent->place.region, "eu-north-1");
    assert_string_equal(intent->cloud, "aws");
    assert_int_equal(intent->count.desired, 3);
    assert_true(intent->is_launch);
    assert_false(intent_of(&plan, "AWSMachineTemplate/md")->is_launch);
    gl_hook_plan_done(&plan);

    /* The cluster names its control plane, which says the region for EKS. */
    read_text(
        reader,
        "apiVersion: " CAPI "\nkind: Cluster\nmetadata: {name: c}\nspec: {infrastructureRef: "
        "{kind: AWSManagedCluster, name: i}, controlPlaneRef: {kind: AWSManagedControlPlane, "
        "name: p}}\n---\napiVersion: controlplane." CAPI
        "\nkind: AWSManagedControlPlane\nmetadata: {name: p}\nspec: {region: eu-west-3}\n---\n"
        "apiVersion: infrastructure." CAPI
        "\nkind: AWSManagedCluster\nmetadata: {name: i}\n---\napiVersion: " CAPI
        "\nkind: MachinePool\nmetadata: {name: mp}\nspec: {clusterName: c}\n",
        (struct gl_hook_options){0}, &plan);
    assert_string_equal(intent_of(&plan, "MachinePool/mp")->place.region, "eu-west-3");
    gl_hook_plan_done(&plan);
    read_text(
        reader,
        "apiVersion: " CAPI "\nkind: Cluster\nmetadata: {name: c}\nspec: {infrastructureRef: "
        "{kind: GCPCluster, name: i}, controlPlaneRef: {kind: KubeadmControlPlane, name: "
        "cp}}\n---\napiVersion: infrastructure." CAPI
        "\nkind: GCPCluster\nmetadata: {name: i}\nspec: {region: '${REGION}'}\n---\n"
        "apiVersion: infrastructure." CAPI
        "\nkind: GCPCluster\nmetadata: {name: j}\nspec: {region: europe-north1}\n---\n"
        "apiVersion: " CAPI "\nkind: Cluster\nmetadata: {name: d}\nspec: {infrastructureRef: "
        "{kind: GCPCluster, name: j}, controlPlaneRef: {kind: KubeadmControlPlane, name: "
        "dp}}\n---\napiVersion: controlplane." CAPI
        "\nkind: KubeadmControlPlane\nmetadata: {name: cp}\n---\napiVersion: controlplane." CAPI
        "\nkind: KubeadmControlPlane\nmetadata: {name: dp}\n",
        (struct gl_hook_options){0}, &plan);
    assert_null(intent_of(&plan, "KubeadmControlPlane/cp")->place.region); /* a placeholder */
    assert_string_equal(intent_of(&plan, "KubeadmControlPlane/dp")->place.region, "europe-north1");
    gl_hook_plan_done(&plan);
}

#define OBJECT(replicas)                                                                          \
    "{\"apiVersion\":\"apps/v1\",\"kind\":\"Deployment\",\"metadata\":{\"name\":\"w\"},\"spec\":" \
    "{\"replicas\":" replicas ",\"template\":{\"spec\":{\"containers\":[]}}}}"
#define REVIEW(operation, objects)                                                       \
    "{\"apiVersion\":\"admission.k8s.io/v1\",\"kind\":\"AdmissionReview\",\"request\":{" \
    "\"operation\":\"" operation "\"," objects "}}"

struct review_case {
    const char *review;
    enum gl_change change;
    bool is_launch;
};

static const struct review_case reviews[] = {
    {REVIEW("CREATE", "\"object\":" OBJECT("2")), GL_CHANGE_CREATE, true},
    {REVIEW("UPDATE", "\"object\":" OBJECT("5") ",\"oldObject\":" OBJECT("2")), GL_CHANGE_GROW,
     true},
    {REVIEW("UPDATE", "\"object\":" OBJECT("2") ",\"oldObject\":" OBJECT("2")), GL_CHANGE_UPDATE,
     false},
    {REVIEW("UPDATE", "\"object\":" OBJECT("1") ",\"oldObject\":" OBJECT("2")), GL_CHANGE_SHRINK,
     false},
    {REVIEW("UPDATE", "\"object\":" OBJECT("2")), GL_CHANGE_UNKNOWN, true},
    {REVIEW("DELETE", "\"object\":null,\"oldObject\":" OBJECT("2")), GL_CHANGE_DELETE, false},
};

static void test_reviews(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof reviews / sizeof reviews[0]; i++) {
        struct gl_hook_plan plan;

        read_text(reader, reviews[i].review, (struct gl_hook_options){0}, &plan);
        if (plan.count != 1 || plan.intents[0].change != reviews[i].change ||
            plan.intents[0].is_launch != reviews[i].is_launch)
            fail_msg("%s: %s", reviews[i].review, gl_change_word(plan.intents[0].change));
        gl_hook_plan_done(&plan);
    }
    expect_error(reader, REVIEW("BREW", "\"object\":" OBJECT("2")), GL_E_BAD_VALUE, "operation");
}

static void test_lists_and_others(void **state)
{
    static const char *const regions[] = {"*=eu-south-2", NULL};
    struct gl_hook_plan plan;

    (void)state;
    read_text(
        reader,
        "{\"apiVersion\":\"v1\",\"kind\":\"List\",\"items\":[" OBJECT("2") "," OBJECT(
            "3") ",{\"apiVersion\":\"v1\",\"kind\":\"Service\"},{\"apiVersion\":\"argoproj.io/"
                 "v1alpha1\","
                 "\"kind\":\"Workflow\",\"spec\":{\"templates\":[{\"container\":{\"image\":\"a\"}}]"
                 "}},"
                 "{\"apiVersion\":\"cluster.x-k8s.io/v1beta1\",\"kind\":\"Cluster\",\"spec\":{"
                 "\"topology\":{\"class\":\"c\"}}},{\"apiVersion\":\"acid.zalan.do/v1\","
                 "\"kind\":\"postgresql\",\"spec\":{\"numberOfInstances\":3}},{\"apiVersion\":"
                 "\"execution.furiko.io/v1alpha1\",\"kind\":\"Job\",\"spec\":{"
                 "\"tasks\":[{\"containers\":[{}]}]}},"
                 "{\"apiVersion\":\"cert-manager.io/v1\",\"kind\":\"Issuer\",\"spec\":{\"x\":1}},"
                 "{\"apiVersion\":\"apiextensions.k8s.io/"
                 "v1\",\"kind\":\"CustomResourceDefinition\","
                 "\"spec\":{\"replicas\":1}},{\"apiVersion\":\"argoproj.io/"
                 "v1alpha1\",\"kind\":\"CronWorkflow\"},"
                 "{\"apiVersion\":\"sparkoperator.k8s.io/"
                 "v1beta2\",\"kind\":\"SparkApplication\",\"spec\":{"
                 "\"image\":\"a\"}},{\"apiVersion\":\"container.gcp.crossplane.io/v1beta1\","
                 "\"kind\":\"NodePool\",\"spec\":{\"forProvider\":{\"config\":{\"machineType\":"
                 "\"n1\"}}}}]}",
        (struct gl_hook_options){.regions = regions}, &plan);
    assert_int_equal(plan.resources, 12);
    assert_int_equal(plan.count, 2);
    assert_int_equal(intent_of(&plan, "Deployment/w (2)")->count.desired, 3);
    assert_string_equal(plan.intents[0].place.region, "eu-south-2");
    assert_true(says(plan.unmapped, "Workflow.argoproj.io"));
    assert_true(says(plan.unmapped, "Cluster.cluster.x-k8s.io"));
    assert_true(says(plan.unmapped, "postgresql.acid.zalan.do"));
    assert_true(says(plan.unmapped, "Job.execution.furiko.io"));
    assert_true(says(plan.unmapped, "CronWorkflow.argoproj.io"));
    assert_true(says(plan.unmapped, "SparkApplication.sparkoperator.k8s.io"));
    assert_true(says(plan.unmapped, "NodePool.container.gcp.crossplane.io"));
    assert_null(plan.unmapped[7]);
    gl_hook_plan_done(&plan);
}

static void test_refused(void **state)
{
    const char *why;

    (void)state;
    expect_error(reader, "", GL_E_USAGE, "no object");
    expect_error(reader, "a: 1\n", GL_E_USAGE, "apiVersion and kind");
    expect_error(reader, "apiVersion: v1\nkind: Pod\nspec: !Ref x\n", GL_E_SYNTAX, "tag");
    expect_error(reader, "apiVersion: v1\nkind: Pod\nkind: " PLANTED "\n", GL_E_DUPLICATE_KEY,
                 "twice");
    assert_int_equal(reader->recognise("apiVersion: v1\nkind: {{ .Chart.x }}\n", 35, &why), 0);
    assert_non_null(strstr(why, "helm template"));
    assert_true(reader->recognise("apiVersion: v1\nkind: Pod\n", 25, &why) > 0);
    read_prefixes(reader, DEPLOYMENT("replicas: 2, ", AFFINITY(TERM(ZONE, "eu-west-1a"))));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_places),    cmocka_unit_test(test_requests),
        cmocka_unit_test(test_counts),    cmocka_unit_test(test_autoscaler),
        cmocka_unit_test(test_node_pool), cmocka_unit_test(test_cluster_api),
        cmocka_unit_test(test_reviews),   cmocka_unit_test(test_lists_and_others),
        cmocka_unit_test(test_refused),
    };

    return cmocka_run_group_tests(tests, open_mapping, close_mapping);
}
