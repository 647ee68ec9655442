/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/hook/k8s_part.h"

#include <string.h>

#define TEMPLATE "spec.template.spec"
#define CAPI     "cluster.x-k8s.io"
#define INFRA    "infrastructure.cluster.x-k8s.io"
#define VIRT     GL_K8S_VIRT

/* What is not written of a row is 0 or NULL: a workload, of one, without bounds. Rows of one kind
 * stand together. */
static const struct gl_k8s_kind kinds[] = {
    {.kind = "Pod", .group = "", .role = GL_ROLE_FRACTION, .pod = "spec", .standard = 1},
    {.kind = "Deployment",
     .group = "apps",
     .role = GL_ROLE_FRACTION,
     .pod = TEMPLATE,
     .count = "spec.replicas",
     .standard = 1},
    {.kind = "Deployment",
     .group = "extensions",
     .role = GL_ROLE_FRACTION,
     .pod = TEMPLATE,
     .count = "spec.replicas",
     .standard = 1},
    {.kind = "StatefulSet",
     .group = "apps",
     .role = GL_ROLE_FRACTION,
     .pod = TEMPLATE,
     .count = "spec.replicas",
     .standard = 1},
    {.kind = "ReplicaSet",
     .group = "apps",
     .role = GL_ROLE_FRACTION,
     .pod = TEMPLATE,
     .count = "spec.replicas",
     .standard = 1},
    {.kind = "ReplicationController",
     .group = "",
     .role = GL_ROLE_FRACTION,
     .pod = TEMPLATE,
     .count = "spec.replicas",
     .standard = 1},
    {.kind = "DaemonSet",
     .group = "apps",
     .role = GL_ROLE_FRACTION,
     .pod = TEMPLATE,
     .standard = GL_UNKNOWN,
     .note = "one on every node that fits"},
    {.kind = "DaemonSet",
     .group = "extensions",
     .role = GL_ROLE_FRACTION,
     .pod = TEMPLATE,
     .standard = GL_UNKNOWN,
     .note = "one on every node that fits"},
    {.kind = "Job",
     .group = "batch",
     .role = GL_ROLE_FRACTION,
     .pod = TEMPLATE,
     .count = "spec.parallelism",
     .most = "spec.completions",
     .standard = 1,
     .duration = "spec.activeDeadlineSeconds",
     .suspend = "spec.suspend"},
    {.kind = "CronJob",
     .group = "batch",
     .role = GL_ROLE_FRACTION,
     .pod = "spec.jobTemplate.spec.template.spec",
     .count = "spec.jobTemplate.spec.parallelism",
     .most = "spec.jobTemplate.spec.completions",
     .standard = 1,
     .duration = "spec.jobTemplate.spec.activeDeadlineSeconds",
     .suspend = "spec.suspend",
     .note = "for each run of the job"},
    {.kind = "HorizontalPodAutoscaler",
     .group = "autoscaling",
     .what = GL_K8S_SCALER,
     .role = GL_ROLE_SCALER,
     .count = "spec.minReplicas",
     .standard = 1,
     .max = "spec.maxReplicas",
     .reference = "spec.scaleTargetRef"},
    {.kind = "Scale",
     .group = "autoscaling",
     .role = GL_ROLE_FRACTION,
     .count = "spec.replicas",
     .standard = GL_UNKNOWN,
     .note = "a number of pods that are not in it"},
    {.kind = "ScaledObject",
     .group = "keda.sh",
     .what = GL_K8S_SCALER,
     .role = GL_ROLE_SCALER,
     .count = "spec.minReplicaCount",
     .standard = 0,
     .max = "spec.maxReplicaCount",
     .max_standard = 100,
     .reference = "spec.scaleTargetRef"},
    {.kind = "MachineAutoscaler",
     .group = "autoscaling.openshift.io",
     .what = GL_K8S_SCALER,
     .role = GL_ROLE_SCALER,
     .count = "spec.minReplicas",
     .standard = 0,
     .max = "spec.maxReplicas",
     .reference = "spec.scaleTargetRef"},
    {.kind = "Rollout",
     .group = "argoproj.io",
     .role = GL_ROLE_FRACTION,
     .pod = TEMPLATE,
     .count = "spec.replicas",
     .standard = 1,
     .doubled = "spec.strategy.blueGreen"},
    {.kind = "DeploymentConfig",
     .group = "apps.openshift.io",
     .role = GL_ROLE_FRACTION,
     .pod = TEMPLATE,
     .count = "spec.replicas",
     .standard = 1},
    {.kind = "Service",
     .group = "serving.knative.dev",
     .role = GL_ROLE_FRACTION,
     .pod = TEMPLATE,
     .annotations = "spec.template.metadata.annotations",
     .standard = GL_UNKNOWN,
     .note = "as many as its requests ask for"},
    {.kind = "Configuration",
     .group = "serving.knative.dev",
     .role = GL_ROLE_FRACTION,
     .pod = TEMPLATE,
     .annotations = "spec.template.metadata.annotations",
     .standard = GL_UNKNOWN,
     .note = "as many as its requests ask for"},
    {.kind = "Revision",
     .group = "serving.knative.dev",
     .role = GL_ROLE_FRACTION,
     .pod = "spec",
     .annotations = "metadata.annotations",
     .standard = GL_UNKNOWN,
     .note = "as many as its requests ask for"},
    {.kind = "VirtualMachine",
     .group = VIRT,
     .role = GL_ROLE_FRACTION,
     .pod = TEMPLATE,
     .standard = 1},
    {.kind = "VirtualMachineInstance",
     .group = VIRT,
     .role = GL_ROLE_FRACTION,
     .pod = "spec",
     .standard = 1},
    {.kind = "VirtualMachineInstanceReplicaSet",
     .group = VIRT,
     .role = GL_ROLE_FRACTION,
     .pod = TEMPLATE,
     .count = "spec.replicas",
     .standard = 1},
#define DEPLOYS(name, of)                                                                 \
    {                                                                                     \
        .kind = name, .group = of, .what = GL_K8S_INFRASTRUCTURE, .role = GL_ROLE_OPAQUE, \
        .standard = GL_UNKNOWN, .note = "what it deploys is not read"                     \
    }
    DEPLOYS("Application", "argoproj.io"),
    DEPLOYS("ApplicationSet", "argoproj.io"),
    DEPLOYS("HelmRelease", "helm.toolkit.fluxcd.io"),
    DEPLOYS("Kustomization", "kustomize.toolkit.fluxcd.io"),
    DEPLOYS("HelmChart", "helm.cattle.io"),
    DEPLOYS("HelmChartProxy", "addons.cluster.x-k8s.io"),
    DEPLOYS("Release", "helm.crossplane.io"),
    DEPLOYS("Release", "helm.m.crossplane.io"),
    DEPLOYS("Bundle", "fleet.cattle.io"),
    DEPLOYS("GitRepo", "fleet.cattle.io"),
    DEPLOYS("App", "kappctrl.k14s.io"),
    DEPLOYS("PackageInstall", "packaging.carvel.dev"),
    DEPLOYS("Terraform", "infra.contrib.fluxcd.io"),
    DEPLOYS("Stack", "pulumi.com"),
    DEPLOYS("Workspace", "tf.upbound.io"),
    DEPLOYS("Workspace", "tf.m.upbound.io"),
    DEPLOYS("Workspace", "opentofu.upbound.io"),
    DEPLOYS("Workspace", "opentofu.m.upbound.io"),
    DEPLOYS("Kustomization", "kustomize.config.k8s.io"),
    DEPLOYS("Component", "kustomize.config.k8s.io"),
#undef DEPLOYS
    {.kind = "NodePool",
     .group = "karpenter.sh",
     .what = GL_K8S_NODEPOOL,
     .role = GL_ROLE_GROUP,
     .pod = "spec.template.spec.requirements",
     .count = "spec.replicas",
     .standard = GL_UNKNOWN,
     .max = "spec.limits.cpu",
     .reference = "spec.template.spec.nodeClassRef"},
    {.kind = "Provisioner",
     .group = "karpenter.sh",
     .what = GL_K8S_NODEPOOL,
     .role = GL_ROLE_GROUP,
     .pod = "spec.requirements",
     .standard = GL_UNKNOWN,
     .max = "spec.limits.resources.cpu",
     .reference = "spec.providerRef"},
    {.kind = "NodeClaim",
     .group = "karpenter.sh",
     .what = GL_K8S_NODEPOOL,
     .role = GL_ROLE_MACHINE,
     .pod = "spec.requirements",
     .standard = 1,
     .reference = "spec.nodeClassRef"},
    {.kind = "EC2NodeClass",
     .group = "karpenter.k8s.aws",
     .what = GL_K8S_INFRASTRUCTURE,
     .role = GL_ROLE_TEMPLATE,
     .cloud = "aws"},
    {.kind = "AKSNodeClass",
     .group = "karpenter.azure.com",
     .what = GL_K8S_INFRASTRUCTURE,
     .role = GL_ROLE_TEMPLATE,
     .cloud = "azure"},
    {.kind = "GCENodeClass",
     .group = "karpenter.k8s.gcp",
     .what = GL_K8S_INFRASTRUCTURE,
     .role = GL_ROLE_TEMPLATE,
     .cloud = "gcp"},
    {.kind = "MachineDeployment",
     .group = CAPI,
     .what = GL_K8S_MACHINES,
     .role = GL_ROLE_GROUP,
     .count = "spec.replicas",
     .standard = 1,
     .reference = "spec.template.spec.infrastructureRef"},
    {.kind = "MachineSet",
     .group = CAPI,
     .what = GL_K8S_MACHINES,
     .role = GL_ROLE_GROUP,
     .count = "spec.replicas",
     .standard = 1,
     .reference = "spec.template.spec.infrastructureRef"},
    {.kind = "MachinePool",
     .group = CAPI,
     .what = GL_K8S_MACHINES,
     .role = GL_ROLE_GROUP,
     .count = "spec.replicas",
     .standard = 1,
     .reference = "spec.template.spec.infrastructureRef"},
    {.kind = "Machine",
     .group = CAPI,
     .what = GL_K8S_MACHINES,
     .role = GL_ROLE_MACHINE,
     .standard = 1,
     .reference = "spec.infrastructureRef"},
    {.kind = "KubeadmControlPlane",
     .group = "controlplane.cluster.x-k8s.io",
     .what = GL_K8S_MACHINES,
     .role = GL_ROLE_GROUP,
     .count = "spec.replicas",
     .standard = 1,
     .reference = "spec.machineTemplate.infrastructureRef"},
    {.kind = "Cluster",
     .group = CAPI,
     .what = GL_K8S_CLUSTER,
     .role = GL_ROLE_TEMPLATE,
     .value = "spec.controlPlaneRef.name",
     .reference = "spec.infrastructureRef"},
#define MACHINE_TYPE(name, where, path)                                                        \
    {                                                                                          \
        .kind = name, .group = INFRA, .what = GL_K8S_INFRASTRUCTURE, .role = GL_ROLE_TEMPLATE, \
        .value = path, .cloud = where                                                          \
    }
    MACHINE_TYPE("AWSMachineTemplate", "aws", TEMPLATE ".instanceType"),
    MACHINE_TYPE("AWSMachine", "aws", "spec.instanceType"),
    MACHINE_TYPE("AzureMachineTemplate", "azure", TEMPLATE ".vmSize"),
    MACHINE_TYPE("AzureMachinePool", "azure", "spec.template.vmSize"),
    MACHINE_TYPE("AzureMachine", "azure", "spec.vmSize"),
    MACHINE_TYPE("GCPMachineTemplate", "gcp", TEMPLATE ".instanceType"),
    MACHINE_TYPE("GCPMachine", "gcp", "spec.instanceType"),
    MACHINE_TYPE("DOMachineTemplate", "digitalocean", TEMPLATE ".size"),
    MACHINE_TYPE("HCloudMachineTemplate", "hetzner", TEMPLATE ".type"),
    MACHINE_TYPE("ScalewayMachineTemplate", "scaleway", TEMPLATE ".commercialType"),
    MACHINE_TYPE("OpenStackMachineTemplate", "openstack", TEMPLATE ".flavor"),
#undef MACHINE_TYPE
#define MACHINE_POOL(name, where, path, most)                                                  \
    {                                                                                          \
        .kind = name, .group = INFRA, .what = GL_K8S_INFRASTRUCTURE, .role = GL_ROLE_TEMPLATE, \
        .value = path, .max = most, .cloud = where                                             \
    }
    MACHINE_POOL("AWSMachinePool", "aws", "spec.awsLaunchTemplate.instanceType", "spec.maxSize"),
    MACHINE_POOL("AWSManagedMachinePool", "aws", "spec.instanceType", "spec.scaling.maxSize"),
    MACHINE_POOL("AzureManagedMachinePool", "azure", "spec.sku", "spec.scaling.maxSize"),
    MACHINE_POOL("GCPManagedMachinePool", "gcp", "spec.machineType", "spec.scaling.maxCount"),
#undef MACHINE_POOL
#define CLUSTER(name, where, path)                                                      \
    {                                                                                   \
        .kind = name, .group = INFRA, .what = GL_K8S_CLUSTER, .role = GL_ROLE_TEMPLATE, \
        .value = path, .cloud = where                                                   \
    }
    CLUSTER("AWSCluster", "aws", "spec.region"),
    CLUSTER("AWSManagedCluster", "aws", "spec.region"),
    CLUSTER("AzureManagedControlPlane", "azure", "spec.location"),
    CLUSTER("AzureCluster", "azure", "spec.location"),
    CLUSTER("AzureManagedCluster", "azure", "spec.location"),
    CLUSTER("GCPCluster", "gcp", "spec.region"),
    CLUSTER("GCPManagedCluster", "gcp", "spec.region"),
    CLUSTER("DOCluster", "digitalocean", "spec.region"),
    CLUSTER("ScalewayCluster", "scaleway", "spec.region"),
#undef CLUSTER
    {.kind = "AWSManagedControlPlane",
     .group = "controlplane.cluster.x-k8s.io",
     .what = GL_K8S_CLUSTER,
     .role = GL_ROLE_TEMPLATE,
     .value = "spec.region",
     .cloud = "aws"},
/* ---- operators: sets of pods ----
 * ray.io/v1; jobset.x-k8s.io/v1alpha2; leaderworkerset.x-k8s.io/v1; kubeflow.org/v1 and v2beta1;
 * batch.volcano.sh/v1alpha1; postgresql.cnpg.io/v1; postgres-operator.crunchydata.com/v1beta1;
 * kafka.strimzi.io/v1beta2; elasticsearch.k8s.elastic.co/v1; rabbitmq.com/v1beta1;
 * mongodbcommunity.mongodb.com/v1: their API references. */
#define PODS .role = GL_ROLE_FRACTION
#define RAY(name, cluster)                                                               \
    {.kind = name,                                                                       \
     .group = "ray.io",                                                                  \
     PODS,                                                                               \
     .within = cluster ".headGroupSpec",                                                 \
     .pod = "template.spec",                                                             \
     .standard = 1,                                                                      \
     .suspend = "spec.suspend"},                                                         \
    {                                                                                    \
        .kind = name, .group = "ray.io", PODS, .within = cluster ".workerGroupSpecs",    \
        .each = "groupName", .pod = "template.spec", .count = "replicas", .standard = 0, \
        .times = "numOfHosts", .min = "minReplicas", .max = "maxReplicas",               \
        .scales = cluster ".enableInTreeAutoscaling", .suspend = "spec.suspend"          \
    }
    RAY("RayCluster", "spec"),
    RAY("RayJob", "spec.rayClusterSpec"),
    {.kind = "RayJob",
     .group = "ray.io",
     PODS,
     .within = "spec.submitterPodTemplate",
     .pod = "spec",
     .standard = 1,
     .suspend = "spec.suspend"},
    RAY("RayService", "spec.rayClusterConfig"),
#undef RAY
    {.kind = "JobSet",
     .group = "jobset.x-k8s.io",
     PODS,
     .within = "spec.replicatedJobs",
     .each = "name",
     .pod = "template.spec.template.spec",
     .count = "replicas",
     .standard = 1,
     .times = "template.spec.parallelism",
     .duration = "template.spec.activeDeadlineSeconds",
     .suspend = "spec.suspend"},
    {.kind = "LeaderWorkerSet",
     .group = "leaderworkerset.x-k8s.io",
     PODS,
     .pod = "spec.leaderWorkerTemplate.workerTemplate.spec",
     .count = "spec.replicas",
     .standard = 1,
     .times = "spec.leaderWorkerTemplate.size",
     .one_of = "spec.leaderWorkerTemplate.leaderTemplate"},
    {.kind = "LeaderWorkerSet",
     .group = "leaderworkerset.x-k8s.io",
     PODS,
     .within = "spec.leaderWorkerTemplate.leaderTemplate",
     .pod = "spec",
     .count = "/spec.replicas",
     .standard = 1},
#define TRAINING(name, sets)                                                                     \
    {                                                                                            \
        .kind = name, .group = "kubeflow.org", PODS, .within = sets, .each = "",                 \
        .pod = "template.spec", .count = "replicas", .standard = 1,                              \
        .min = "/spec.elasticPolicy.minReplicas", .max = "/spec.elasticPolicy.maxReplicas",      \
        .scales = "spec.elasticPolicy", .scaled = "Worker",                                      \
        .duration = "/spec.runPolicy.activeDeadlineSeconds", .suspend = "spec.runPolicy.suspend" \
    }
    TRAINING("PyTorchJob", "spec.pytorchReplicaSpecs"),
    TRAINING("TFJob", "spec.tfReplicaSpecs"),
    TRAINING("MPIJob", "spec.mpiReplicaSpecs"),
    TRAINING("XGBoostJob", "spec.xgbReplicaSpecs"),
    TRAINING("PaddleJob", "spec.paddleReplicaSpecs"),
#undef TRAINING
    {.kind = "Job",
     .group = "batch.volcano.sh",
     PODS,
     .within = "spec.tasks",
     .each = "name",
     .pod = "template.spec",
     .count = "replicas",
     .standard = 1},
#define SIZED(name, of, spec, number, otherwise)                                             \
    {                                                                                        \
        .kind = name, .group = of, PODS, .pod = spec, .count = number, .standard = otherwise \
    }
    SIZED("Cluster", "postgresql.cnpg.io", "spec", "spec.instances", 1),
    SIZED("Cluster", "postgresql.k8s.enterprisedb.io", "spec", "spec.instances", 1),
    SIZED("Pooler", "postgresql.cnpg.io", "spec.template.spec", "spec.instances", 1),
    SIZED("Kibana", "kibana.k8s.elastic.co", "spec.podTemplate.spec", "spec.count", GL_UNKNOWN),
    SIZED("ApmServer", "apm.k8s.elastic.co", "spec.podTemplate.spec", "spec.count", GL_UNKNOWN),
    SIZED("Logstash", "logstash.k8s.elastic.co", "spec.podTemplate.spec", "spec.count", GL_UNKNOWN),
#undef SIZED
    {.kind = "MongoDBCommunity",
     .group = "mongodbcommunity.mongodb.com",
     PODS,
     .pod = "spec.statefulSet.spec.template.spec",
     .count = "spec.members",
     .standard = GL_UNKNOWN,
     .plus = "spec.arbiters"},
    {.kind = "RabbitmqCluster",
     .group = "rabbitmq.com",
     PODS,
     .pod = "spec",
     .count = "spec.replicas",
     .standard = 1,
     .opaque = "spec.override"},
    {.kind = "Elasticsearch",
     .group = "elasticsearch.k8s.elastic.co",
     PODS,
     .within = "spec.nodeSets",
     .each = "name",
     .pod = "podTemplate.spec",
     .count = "count",
     .standard = GL_UNKNOWN},
    {.kind = "PostgresCluster",
     .group = "postgres-operator.crunchydata.com",
     PODS,
     .within = "spec.instances",
     .each = "name",
     .pod = "",
     .count = "replicas",
     .standard = 1},
    {.kind = "PostgresCluster",
     .group = "postgres-operator.crunchydata.com",
     PODS,
     .within = "spec.proxy.pgBouncer",
     .pod = "",
     .count = "replicas",
     .standard = 1},
    {.kind = "PostgresCluster",
     .group = "postgres-operator.crunchydata.com",
     PODS,
     .within = "spec.backups.pgbackrest.repoHost",
     .pod = "",
     .standard = 1},
    {.kind = "PostgresCluster",
     .group = "postgres-operator.crunchydata.com",
     PODS,
     .within = "spec.userInterface.pgAdmin",
     .pod = "",
     .standard = 1},
#define KAFKA(name, set, number, otherwise)                                        \
    {                                                                              \
        .kind = name, .group = "kafka.strimzi.io", PODS, .within = set, .pod = "", \
        .nodes = "template.pod", .count = number, .standard = otherwise            \
    }
    KAFKA("Kafka", "spec.kafka", "replicas", 0), /* those of node pools are theirs */
    KAFKA("Kafka", "spec.zookeeper", "replicas", 1),
    KAFKA("Kafka", "spec.entityOperator", NULL, 1),
    KAFKA("Kafka", "spec.cruiseControl", NULL, 1),
    KAFKA("Kafka", "spec.kafkaExporter", NULL, 1),
    KAFKA("KafkaNodePool", "spec", "replicas", GL_UNKNOWN),
    KAFKA("KafkaConnect", "spec", "replicas", 3),
    KAFKA("KafkaMirrorMaker2", "spec", "replicas", 3),
    KAFKA("KafkaBridge", "spec", "replicas", 1),
#undef KAFKA
#undef PODS
};

const struct gl_k8s_kind *gl_k8s_kind_of(const char *kind, const char *group)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (strcmp(kinds[i].kind, kind) == 0 && strcmp(kinds[i].group, group) == 0)
            return &kinds[i];
    return NULL;
}

const struct gl_k8s_kind *gl_k8s_kind_after(const struct gl_k8s_kind *kind)
{
    const struct gl_k8s_kind *next = kind + 1;
    bool is_last = next == kinds + sizeof kinds / sizeof kinds[0];

    return !is_last && strcmp(next->kind, kind->kind) == 0 && strcmp(next->group, kind->group) == 0
               ? next
               : NULL;
}
