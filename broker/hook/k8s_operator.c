/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/hook/k8s_part.h"

/* Sets of pods that operators start. Sources: the API references of
 * ray.io/v1; jobset.x-k8s.io/v1alpha2; leaderworkerset.x-k8s.io/v1; kubeflow.org/v1 and v2beta1;
 * batch.volcano.sh/v1alpha1; postgresql.cnpg.io/v1; postgres-operator.crunchydata.com/v1beta1;
 * kafka.strimzi.io/v1beta2; elasticsearch.k8s.elastic.co/v1; rabbitmq.com/v1beta1;
 * mongodbcommunity.mongodb.com/v1; trainer.kubeflow.org/v1alpha1; serving.kserve.io/v1beta1;
 * sparkoperator.k8s.io/v1beta2 and v1alpha1; flink.apache.org/v1beta1. */

/* Settings that have names of their own in the programs that operators start.
 * Sources: Spark 4.0, "Configuration" and "Running Spark on Kubernetes"; Flink Kubernetes Operator
 * 1.14, "Autoscaler"; Flink 2.1, "Configuration". */
static const char *const spark[] = {"spark.kubernetes.node.selector.",
                                    "spark.kubernetes.driver.node.selector.",
                                    "spark.driver.resource.", NULL};
static const char *const spark_executors[] = {
    "spark.kubernetes.node.selector.", "spark.kubernetes.executor.node.selector.",
    "spark.executor.resource.",        "spark.executor.instances",
    "spark.dynamicAllocation.",        NULL};
static const char *const flink[] = {"kubernetes.jobmanager.node-selector",
                                    "kubernetes.jobmanager.replicas", NULL};
static const char *const flink_tasks[] = {"kubernetes.taskmanager.node-selector", "job.autoscaler.",
                                          "kubernetes.operator.job.autoscaler.", NULL};

#define PODS .role = GL_ROLE_FRACTION

const struct gl_k8s_kind gl_k8s_operators[] = {
/* A service starts another cluster beside the old one when it changes. */
#define RAY(name, cluster, change)                                                                \
    {.kind = name,                                                                                \
     .group = "ray.io",                                                                           \
     PODS,                                                                                        \
     .within = cluster ".headGroupSpec",                                                          \
     .pod = "template.spec",                                                                      \
     .standard = 1,                                                                               \
     .doubled = {change},                                                                         \
     .single = "/spec.upgradeStrategy.type",                                                      \
     .suspend = "spec.suspend"},                                                                  \
    {                                                                                             \
        .kind = name, .group = "ray.io", PODS, .within = cluster ".workerGroupSpecs",             \
        .each = "groupName", .pod = "template.spec", .count = "replicas", .standard = 0,          \
        .times = "numOfHosts", .doubled = {change}, .single = "/spec.upgradeStrategy.type",       \
        .min = "minReplicas", .max = "maxReplicas", .scales = cluster ".enableInTreeAutoscaling", \
        .suspend = "spec.suspend"                                                                 \
    }
    RAY("RayCluster", "spec", NULL),
    RAY("RayJob", "spec.rayClusterSpec", NULL),
    {.kind = "RayJob",
     .group = "ray.io",
     PODS,
     .within = "spec.submitterPodTemplate",
     .pod = "spec",
     .standard = 1,
     .suspend = "spec.suspend"},
    RAY("RayCronJob", "spec.jobTemplate.rayClusterSpec", NULL),
    RAY("RayService", "spec.rayClusterConfig", "/spec.rayClusterConfig"),
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
    TRAINING("JAXJob", "spec.jaxReplicaSpecs"),
#undef TRAINING
    {.kind = "TrainJob",
     .group = "trainer.kubeflow.org",
     PODS,
     .within = "spec.trainer",
     .asks = "resourcesPerNode",
     .count = "numNodes",
     .standard = GL_UNKNOWN,
     .duration = "/spec.activeDeadlineSeconds",
     .suspend = "spec.suspend",
     .note = "its runtime says the rest, and what runs beside them"},
#define SERVES(set, name, of, at)                                                              \
    {                                                                                          \
        .kind = "InferenceService", .group = "serving.kserve.io", PODS, .within = set,         \
        .each = name, .pod = of, .engines = of, .count = at "minReplicas", .standard = 1,      \
        .min = at "minReplicas", .max = at "maxReplicas", .is_zero_open = true, .scales = set, \
        .doubled = {                                                                           \
            at "canaryTrafficPercent"                                                          \
        }                                                                                      \
    }
    SERVES("spec.predictor", NULL, "", ""),
    SERVES("spec.transformer", NULL, "", ""),
    SERVES("spec.explainer", NULL, "", ""),
    SERVES("spec.canary", "predictor.name", "predictor", "predictor."),
#undef SERVES
    {.kind = "InferenceService",
     .group = "serving.kserve.io",
     PODS,
     .within = "spec.predictor.workerSpec",
     .pod = "",
     .standard = GL_UNKNOWN,
     .note = "as many as its parallel sizes ask for"},
#define SPARK(name, app, first, few)                                                           \
    {.kind = name,                                                                             \
     .group = "sparkoperator.k8s.io",                                                          \
     PODS,                                                                                     \
     .within = app "." first,                                                                  \
     .pod = "template.spec",                                                                   \
     .nodes = "",                                                                              \
     .base = app,                                                                              \
     .asks = "gpu",                                                                            \
     .standard = 1,                                                                            \
     .suspend = "spec.suspend",                                                                \
     .opaque = "/" app ".sparkConf",                                                           \
     .settings = spark},                                                                       \
    {                                                                                          \
        .kind = name, .group = "sparkoperator.k8s.io", PODS, .within = app ".executor",        \
        .pod = "template.spec", .nodes = "", .base = app, .asks = "gpu", .count = "instances", \
        .standard = few, .min = "/" app ".dynamicAllocation.minExecutors",                     \
        .max = "/" app ".dynamicAllocation.maxExecutors",                                      \
        .scales = app ".dynamicAllocation.enabled", .suspend = "spec.suspend",                 \
        .opaque = "/" app ".sparkConf", .settings = spark_executors                            \
    }
    SPARK("SparkApplication", "spec", "driver", 1),
    SPARK("ScheduledSparkApplication", "spec.template", "driver", 1),
    SPARK("SparkConnect", "spec", "server", 2), /* the default of Spark */
#undef SPARK
#define FLINK(name, app, change)                                                         \
    {.kind = name,                                                                       \
     .group = "flink.apache.org",                                                        \
     PODS,                                                                               \
     .within = app ".jobManager",                                                        \
     .pod = "podTemplate.spec",                                                          \
     .base = app ".podTemplate.spec",                                                    \
     .asks = "resources",                                                                \
     .count = "replicas",                                                                \
     .standard = 1,                                                                      \
     .doubled = {change},                                                                \
     .opaque = "/" app ".flinkConfiguration",                                            \
     .settings = flink},                                                                 \
    {                                                                                    \
        .kind = name, .group = "flink.apache.org", PODS, .within = app ".taskManager",   \
        .pod = "podTemplate.spec", .base = app ".podTemplate.spec", .asks = "resources", \
        .count = "replicas", .standard = GL_UNKNOWN, .doubled = {change},                \
        .opaque = "/" app ".flinkConfiguration", .settings = flink_tasks,                \
        .note = "without replicas as many as the slots of its job need"                  \
    }
    FLINK("FlinkDeployment", "spec", NULL),
    FLINK("FlinkBlueGreenDeployment", "spec.template.spec", "/spec.template"),
#undef FLINK
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
    {.kind = NULL},
};
