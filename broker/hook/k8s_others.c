/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/hook/k8s_part.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* Kinds that this reader has no row of its own for. */

/* ---- do they start anything? ---- */

static bool is_among(const char *text, const char *const *list)
{
    for (; *list != NULL; list++)
        if (strcmp(text, *list) == 0)
            return true;
    return false;
}

/* Objects of Kubernetes itself that only look like it: definitions, classes of nodes. */
static bool is_own_group(const char *group)
{
    static const char *const own[] = {"admissionregistration.k8s.io",
                                      "apiextensions.k8s.io",
                                      "networking.k8s.io",
                                      "node.k8s.io",
                                      "rbac.authorization.k8s.io",
                                      "resource.k8s.io",
                                      "scheduling.k8s.io",
                                      "storage.k8s.io",
                                      NULL};

    return strchr(group, '.') == NULL || is_among(group, own);
}

static bool has_end(const char *text, const char *const *ends)
{
    size_t length = strlen(text);

    for (; *ends != NULL; ends++)
        if (length >= strlen(*ends) && strcasecmp(text + length - strlen(*ends), *ends) == 0)
            return true;
    return false;
}

/* Does it ask for more than room on a disk? */
static bool asks_for_pods(const struct gl_jtree *tree, const struct gl_jnode *resources)
{
    static const char *const parts[] = {"requests", "limits"};

    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        const struct gl_jnode *asked = gl_jnode_get(tree, resources, parts[i]);

        if (gl_jnode_is(asked, GL_JOBJECT) && asked->count > 0 &&
            (asked->count > 1 || gl_jnode_get(tree, asked, "storage") == NULL))
            return true;
    }
    return false;
}

/* A machine type by the name of the member, or because a cloud has one of that name. */
static bool is_machine_type(const struct gl_jtree *tree, const struct gl_jnode *member,
                            const char *key)
{
    static const char *const ends[] = {
        "instanceType", "instanceTypes", "instanceClass", "instanceSize", "machineType", "nodeType",
        "nodeTypes",    "nodeSize",      "serverType",    "vmSize",       NULL};
    const char *text =
        gl_jnode_text(tree, gl_jnode_is(member, GL_JARRAY) ? gl_jnode_at(tree, member, 0) : member);

    return text != NULL && (has_end(key, ends) || gl_k8s_cloud_of_type(text) != NULL);
}

/* Azure's objects say size and number in one: sku {name: Standard_D2s_v5, capacity: 3}. */
static bool has_capacity(const struct gl_jtree *tree, const struct gl_jnode *sku)
{
    int64_t capacity;

    return gl_jnode_is(sku, GL_JOBJECT) &&
           gl_jnode_int(tree, gl_jnode_get(tree, sku, "capacity"), &capacity);
}

/* A member by which an object of an operator tells that it starts pods or machines: steps of a
 * workflow or a pipeline have an image each, databases and brokers so many replicas, and machines
 * of a cloud (Crossplane, Config Connector, ACK, Azure's operator) a type. */
static bool starts_pods(const struct gl_jtree *tree, const struct gl_jnode *member)
{
    static const char *const counts[] = {"replicas",
                                         "replicaCount",
                                         "replicasCount",
                                         "instances",
                                         "numberOfInstances",
                                         "instanceCount",
                                         "nodes",
                                         "nodeCount",
                                         "workers",
                                         "workerCount",
                                         "members",
                                         "servers",
                                         "parallelism",
                                         "minSize",
                                         "maxSize",
                                         "clusterSize",
                                         "shardsCount",
                                         "minCapacity",
                                         "desiredCapacity",
                                         "maxCapacity",
                                         "desiredCount",
                                         "maxRunners",
                                         "vcpuCount",
                                         "cpuCount",
                                         "cpuCoreCount",
                                         NULL};
    int64_t size;
    const char *key = gl_jnode_key(tree, member);

    if (strcmp(key, "scaleTargetRef") == 0) /* an autoscaler that is not known */
        return member->kind == GL_JOBJECT;
    if (strcmp(key, "nodeSelector") == 0)
        return gl_jnode_is(member, GL_JOBJECT) && member->count > 0;
    if (strcmp(key, "resources") == 0)
        return asks_for_pods(tree, member);
    if (strcmp(key, "sku") == 0 && has_capacity(tree, member))
        return true;
    if (strcmp(key, "image") == 0)
        return gl_jnode_text(tree, member) != NULL;
    if (strcmp(key, "size") == 0 && member->kind == GL_JNUMBER) /* of keys and caches: larger */
        return gl_jnode_int(tree, member, &size) && size > 0 && size <= 100;
    return is_machine_type(tree, member, key) ||
           (has_end(key, counts) && gl_jnode_int(tree, member, &size));
}

/* Their operators start pods or machines, or larger ones, though no member need say so. */
static const char *const running[][2] = {
    {"Agent", "agent.k8s.elastic.co"},
    {"AgentRuntime", "bedrockagentcorecontrol.services.k8s.aws"},
    {"Alertmanager", "monitoring.coreos.com"},
    {"ApiServerSource", "sources.knative.dev"},
    {"Application", "emrserverless.services.k8s.aws"},
    {"ArgoCD", "argoproj.io"},
    {"AutoOpsAgentPolicy", "autoops.k8s.elastic.co"},
    {"AutoscalingRunnerSet", "actions.github.com"},
    {"Beat", "beat.k8s.elastic.co"},
    {"Build", "build.openshift.io"},
    {"BuildConfig", "build.openshift.io"},
    {"CephCluster", "ceph.rook.io"},
    {"CephNFS", "ceph.rook.io"},
    {"ClickHouseInstallation", "clickhouse.altinity.com"},
    {"ClickHouseKeeperInstallation", "clickhouse-keeper.altinity.com"},
    {"Cluster", "management.cattle.io"},
    {"Cluster", "provisioning.cattle.io"},
    {"ClusterConfig", "eksctl.io"},
    {"ClusterDeployment", "hive.openshift.io"},
    {"ClusterPolicy", "nvidia.com"},
    {"Collection", "opensearchserverless.services.k8s.aws"},
    {"DatadogAgent", "datadoghq.com"},
    {"Dragonfly", "dragonflydb.io"},
    {"Driver", "csi.ceph.io"},
    {"ElasticMapsServer", "maps.k8s.elastic.co"},
    {"ElasticsearchAutoscaler", "autoscaling.k8s.elastic.co"},
    {"EnterpriseSearch", "enterprisesearch.k8s.elastic.co"},
    {"EventBus", "argoproj.io"},
    {"EventListener", "triggers.tekton.dev"},
    {"EventSource", "argoproj.io"},
    {"FargateProfile", "eks.services.k8s.aws"},
    {"Function", "lambda.services.k8s.aws"},
    {"GitHubSource", "sources.knative.dev"},
    {"GitLab", "apps.gitlab.com"},
    {"Grafana", "grafana.integreatly.org"},
    {"InferenceGraph", "serving.kserve.io"},
    {"InferenceService", "serving.kubeflow.org"},
    {"InnoDBCluster", "mysql.oracle.com"},
    {"Integration", "camel.apache.org"},
    {"Istio", "sailoperator.io"},
    {"IstioCNI", "sailoperator.io"},
    {"IstioOperator", "install.istio.io"},
    {"Jaeger", "jaegertracing.io"},
    {"Jenkins", "jenkins.io"},
    {"JobFlow", "flow.volcano.sh"},
    {"Kafka", "platform.confluent.io"},
    {"KafkaMirrorMaker", "kafka.strimzi.io"},
    {"KameletBinding", "camel.apache.org"},
    {"KedaController", "keda.sh"},
    {"Keycloak", "k8s.keycloak.org"},
    {"Kiali", "kiali.io"},
    {"KnativeEventing", "operator.knative.dev"},
    {"KnativeServing", "operator.knative.dev"},
    {"LokiStack", "loki.grafana.com"},
    {"MariaDB", "k8s.mariadb.com"},
    {"Mattermost", "installation.mattermost.com"},
    {"NIMCache", "apps.nvidia.com"},
    {"OpenTelemetryCollector", "opentelemetry.io"},
    {"PGAdmin", "postgres-operator.crunchydata.com"},
    {"PackageRegistry", "packageregistry.k8s.elastic.co"},
    {"PerconaPGCluster", "pgv2.percona.com"},
    {"PerconaServerMongoDB", "psmdb.percona.com"},
    {"PerconaServerMySQL", "ps.percona.com"},
    {"PerconaXtraDBCluster", "pxc.percona.com"},
    {"Pipe", "camel.apache.org"},
    {"PipelineExecution", "sagemaker.services.k8s.aws"},
    {"Prometheus", "monitoring.coreos.com"},
    {"PrometheusAgent", "monitoring.coreos.com"},
    {"Reaper", "reaper.k8ssandra.io"},
    {"RedisEnterprise", "cache.azure.com"},
    {"Runner", "actions.summerwind.dev"},
    {"Runner", "apps.gitlab.com"},
    {"RunnerDeployment", "actions.summerwind.dev"},
    {"SeldonDeployment", "machinelearning.seldon.io"},
    {"SeldonRuntime", "mlops.seldon.io"},
    {"Sensor", "argoproj.io"},
    {"Server", "mlops.seldon.io"},
    {"ServerlessCache", "elasticache.services.k8s.aws"},
    {"ServiceMeshControlPlane", "maistra.io"},
    {"Shoot", "core.gardener.cloud"},
    {"SolrCloud", "solr.apache.org"},
    {"SolrPrometheusExporter", "solr.apache.org"},
    {"TektonConfig", "operator.tekton.dev"},
    {"TempoMonolithic", "tempo.grafana.com"},
    {"TempoStack", "tempo.grafana.com"},
    {"Tenant", "minio.min.io"},
    {"ThanosRuler", "monitoring.coreos.com"},
    {"UIPlugin", "observability.openshift.io"},
    {"VerticalPodAutoscaler", "autoscaling.k8s.io"},
    {"Workspace", "kaito.sh"},
};

/* What counts and names images in them starts nothing. */
static const char *const idle[][2] = {
    {"CephBlockPool", "ceph.rook.io"},
    {"CephObjectZone", "ceph.rook.io"},
    {"ClusterImageCatalog", "postgresql.cnpg.io"},
    {"ImageCatalog", "postgresql.cnpg.io"},
    {"KafkaTopic", "kafka.strimzi.io"},
    {"Stream", "jetstream.nats.io"},
};

static bool is_listed(const char *const (*list)[2], size_t count, const char *kind,
                      const char *group)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(list[i][0], kind) == 0 && strcmp(list[i][1], group) == 0)
            return true;
    return false;
}

bool gl_k8s_is_suspect(const struct gl_jtree *tree, const struct gl_jnode *object, const char *kind,
                       const char *group)
{
    static const char *const work[] = {"Job", "Workflow", "Run", "ProvisioningRequest", NULL};
    const struct gl_jnode *end = tree->nodes + object->end;
    bool is_own = is_own_group(group);

    if (is_listed(idle, sizeof idle / sizeof idle[0], kind, group))
        return false;
    if (!is_own && (has_end(kind, work) ||
                    is_listed(running, sizeof running / sizeof running[0], kind, group)))
        return true;
    for (const struct gl_jnode *node = object + 1; node < end; node++) {
        if (node->key_length == 0)
            continue;
        if (node->kind == GL_JARRAY && node->count > 0 &&
            strcmp(gl_jnode_key(tree, node), "containers") == 0)
            return true;
        if (!is_own && starts_pods(tree, node))
            return true;
    }
    return false;
}

/* ---- made from Terraform's resources ---- */

/* "mq.aws.m.upbound.io" -> "mq", "aws": groups of Crossplane whose objects are generated from the
 * resources of Terraform, each attribute under its name in spec.forProvider. */
static bool is_crossplane(const char *group, char module[64], char cloud[64])
{
    int begin = 0;

    return sscanf(group, "%63[a-z0-9].%63[a-z0-9]%n", module, cloud, &begin) == 2 &&
           (strcmp(group + begin, ".upbound.io") == 0 ||
            strcmp(group + begin, ".m.upbound.io") == 0);
}

/* "redis.cnrm.cloud.google.com" -> "redis": of Config Connector, with the attributes in spec. */
static bool is_config_connector(const char *group, char module[64])
{
    int begin = 0;

    return sscanf(group, "%63[a-z0-9]%n", module, &begin) == 1 &&
           strcmp(group + begin, ".cnrm.cloud.google.com") == 0;
}

/* As Pulumi names the type: "redis", "Cluster" -> "gcp:redis/cluster:Cluster". */
static const struct gl_mapping_row *row_of(struct gl_k8s *k8s, const char *cloud,
                                           const char *module, const char *kind)
{
    return gl_mapping_row(k8s->options->mapping,
                          gl_reader_say(&k8s->work, "%s:%s/%c%s:%s", cloud, module,
                                        tolower((unsigned char)*kind), kind + 1, kind));
}

const struct gl_mapping_row *gl_k8s_generated_row(struct gl_k8s *k8s, const char *kind,
                                                  const char *group)
{
    const struct gl_mapping_row *row;
    char module[64], cloud[64];

    if (is_config_connector(group, module)) { /* RedisCluster */
        size_t length = strlen(module);

        return strncasecmp(kind, module, length) == 0 && kind[length] != '\0'
                   ? row_of(k8s, "gcp", module, kind + length)
                   : NULL;
    }
    if (!is_crossplane(group, module, cloud))
        return NULL;
    /* Rows name the group whose objects are of the whole cluster. */
    row = gl_mapping_row(k8s->options->mapping,
                         gl_reader_say(&k8s->work, "%s.%s.%s.upbound.io", kind, module, cloud));
    return row != NULL ? row : row_of(k8s, cloud, module, kind);
}
