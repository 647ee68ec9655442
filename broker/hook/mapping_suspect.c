/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/hook/mapping_store.h"

#include <ctype.h>
#include <string.h>

/* Types that are not mapped. Of a provider that a mapping is about, attributes tell a machine; of
 * others, what they are called and what they say of sizes and numbers. */

#define NAME_BYTES 128

/* Attributes that only machines have, whoever names them. */
static const char *const machine_words[] = {
    "instance_type",  "machine_type", "vm_size",   "flavor",      "flavor_id", "flavor_name",
    "node_type",      "server_type",  "node_size", "server_size", "plan",      "size",
    "instance_class", "vm_type",      "cpu_cores", "shape",       NULL,
};
/* Of these so few others have any that a block may say them too. */
static const char *const deep_words[] = {
    "instance_type", "instance_types", "machine_type",  "vm_size",
    "node_type",     "server_type",    "flavor_id",     "instance_class",
    "InstanceType",  "InstanceTypes",  "instance_size", NULL,
};

/* And calls of AWS that start machines, or say their size, where a text holds them. */
static const char *const call_words[] = {
    "runInstances", "RunInstances",  "runTask",       "RunTask",  "runJobFlow",      "RunJobFlow",
    "instanceType", "instanceTypes", "CacheNodeType", "NodeType", "DBInstanceClass", NULL,
};

/* Of any provider: they run machines, and neither name nor attributes say so. As Terraform's first
 * provider of the cloud calls them; other tools' names are compared without marks. */
static const char *const machine_types[] = {
    "nomad_job",
    "neon_project",
    "neon_endpoint",
    "databricks_model_serving",
    "google_looker_instance",
    "google_apigee_instance",
    "google_bigquery_reservation",
    "azurerm_lab_service_lab",
    "rediscloud_subscription",
    "esxi_guest",
    "aws_evs_environment",
    "azurerm_fabric_capacity",
    "azurerm_stream_analytics_cluster",
    "google_hypercomputecluster_cluster",
    "aws_autoscalingplans_scaling_plan",
    "aws_drs_replication_configuration_template",
    "aws_ec2_instance_state",
    "aws_ecs_task_set",
    "aws_imagebuilder_image",
    "aws_imagebuilder_image_pipeline",
    "aws_medialive_channel",
    "aws_sagemaker_mlflow_tracking_server",
    "aws_appsync_api_cache",
    "aws_athena_capacity_reservation",
    "aws_bedrockagentcore_agent_runtime",
    "aws_bedrockagentcore_capacity_provider",
    "aws_bedrockagentcore_runtime",
    "aws_cloudformation_stack_instances",
    "aws_cloudformation_stack_set_instance",
    "aws_cloudsearch_domain",
    "aws_databrew_job",
    "aws_datapipeline_pipeline",
    "aws_datapipeline_pipeline_definition",
    "aws_directory_service_directory",
    "aws_directoryservice_directory",
    "aws_directoryservice_microsoft_ad",
    "aws_directoryservice_simple_ad",
    "aws_dms_data_migration",
    "aws_finspace_kx_scaling_group",
    "aws_gameliftstreams_stream_group",
    "aws_glue_ml_transform",
    "aws_glue_session",
    "aws_rds_instance_state",
    "aws_sagemaker_partner_app",
    "aws_serverlessapplicationrepository_cloudformation_stack",
    "aws_simspaceweaver_simulation",
    "aws_synthetics_canary",
    "aws_workspaces_workspaces_pool",
    "azurerm_active_directory_domain_service_replica_set",
    "azurerm_oracle_autonomous_database",
    "azurerm_oracle_autonomous_database_clone_from_backup",
    "azurerm_oracle_autonomous_database_clone_from_database",
    "azurerm_resource_deployment_script_azure_cli",
    "azurerm_resource_deployment_script_azure_power_shell",
    "azurerm_spring_cloud_build_deployment",
    "azurerm_spring_cloud_container_deployment",
    "azurerm_spring_cloud_java_deployment",
    "azurerm_system_center_virtual_machine_manager_virtual_machine_instance",
    "azurerm_virtual_machine_scale_set_standby_pool",
    "google_active_directory_domain",
    "google_colab_notebook_execution",
    "google_colab_runtime",
    "google_compute_per_instance_config",
    "google_compute_region_per_instance_config",
    "google_integration_connectors_connection",
    "google_oracle_database_autonomous_database",
    "google_vertex_ai_feature_online_store",
    "google_vertex_ai_featurestore",
    "azure_native_aad_domain_service",
    "azure_native_analysisservices_server_details",
    "azure_native_apimanagement_api_management_service",
    "azure_native_app_job",
    "azure_native_app_managed_environment",
    "azure_native_appplatform_deployment",
    "azure_native_appplatform_service",
    "azure_native_baremetalinfrastructure_azure_bare_metal_instance",
    "azure_native_cache_redis_enterprise",
    "azure_native_cognitiveservices_deployment",
    "azure_native_compute_cloud_service",
    "azure_native_connectedvmwarevsphere_virtual_machine_instance",
    "azure_native_containerregistry_agent_pool",
    "azure_native_dbformariadb_server",
    "azure_native_dbformysql_single_server",
    "azure_native_dbforpostgresql_cluster",
    "azure_native_dbforpostgresql_server_group_cluster",
    "azure_native_dbforpostgresql_single_server",
    "azure_native_devopsinfrastructure_pool",
    "azure_native_devtestlab_virtual_machine",
    "azure_native_documentdb_cassandra_data_center",
    "azure_native_eventhub_cluster",
    "azure_native_fabric_fabric_capacity",
    "azure_native_labservices_lab",
    "azure_native_oracledatabase_autonomous_database",
    "azure_native_oracledatabase_cloud_exadata_infrastructure",
    "azure_native_powerbidedicated_capacity_details",
    "azure_native_resources_azure_cli_script",
    "azure_native_resources_azure_power_shell_script",
    "azure_native_resources_deployment_stack_at_management_group",
    "azure_native_resources_deployment_stack_at_resource_group",
    "azure_native_resources_deployment_stack_at_subscription",
    "azure_native_scvmm_virtual_machine_instance",
    "azure_native_search_service",
    "azure_native_solutions_application",
    "azure_native_sql_elastic_pool",
    "azure_native_sql_instance_pool",
    "azure_native_standbypool_standby_container_group_pool",
    "azure_native_standbypool_standby_virtual_machine_pool",
    "azure_native_streamanalytics_cluster",
    "azure_native_streamanalytics_streaming_job",
    "azure_native_synapse_sql_pool",
    "azure_native_web_app_service_environment",
    "microsoft_aad_domainservices",
    "microsoft_analysisservices_servers",
    "microsoft_apimanagement_service",
    "microsoft_appplatform_spring",
    "microsoft_appplatform_spring_apps_deployments",
    "microsoft_avs_privateclouds_clusters",
    "microsoft_baremetalinfrastructure_baremetalinstances",
    "microsoft_compute_cloudservices",
    "microsoft_containerregistry_registries_agentpools",
    "microsoft_dbformysql_servers",
    "microsoft_dbforpostgresql_servergroupsv2",
    "microsoft_dbforpostgresql_servers",
    "microsoft_devopsinfrastructure_pools",
    "microsoft_documentdb_cassandraclusters_datacenters",
    "microsoft_documentdb_mongoclusters",
    "microsoft_eventhub_clusters",
    "microsoft_fabric_capacities",
    "microsoft_labservices_labs",
    "microsoft_powerbidedicated_capacities",
    "microsoft_resources_deploymentstacks",
    "microsoft_search_searchservices",
    "microsoft_solutions_applications",
    "microsoft_sql_instancepools",
    "microsoft_sql_servers_elasticpools",
    "microsoft_standbypool_standbycontainergrouppools",
    "microsoft_standbypool_standbyvirtualmachinepools",
    "microsoft_streamanalytics_clusters",
    "microsoft_streamanalytics_streamingjobs",
    "microsoft_synapse_workspaces_sqlpools",
    "microsoft_web_hostingenvironments",
    "oracle_database_autonomousdatabases",
    "oracle_database_cloudexadatainfrastructures",
    NULL,
};
/* Where nothing is known of the provider. How large one is, or how many there are: */
static const char *const number_words[] = {
    "vcpu",        "vcpus",          "cpu",           "cpus",
    "cores",       "cpu_cores",      "num_cpus",      "cpu_count",
    "num_sockets", "node_count",     "nodes_count",   "num_nodes",
    "num_workers", "instance_count", "replica_count", "min_nodes",
    "max_nodes",   "min_instances",  "max_instances", "desired_capacity",
    "memory_mb",   "gpu_count",      "worker_count",  NULL,
};
/* parts of the names of attributes that say which type, */
static const char *const type_parts[] = {
    "instance_type",  "instance_size", "instance_class", "instance_family",
    "machine_type",   "vm_size",       "node_type",      "server_type",
    "warehouse_size", "cluster_size",  "compute_size",   NULL,
};
/* and what their types are called, before the cloud they run in and a version. */
static const char *const type_ends[] = {
    "_instance",      "_server",        "_machine",    "_vm",         "_cluster",
    "_node_pool",     "_nodepool",      "_node_group", "_nodegroup",  "_compute_pool",
    "_machine_pool",  "_worker_pool",   "_warehouse",  "_deployment", "_elastigroup",
    "_ocean",         "_droplet",       "_container",  "_bare_metal", "_baremetal",
    "_stateful_node", "_instance_pool", "_dedicated",  NULL,
};
static const char *const cloud_ends[] = {"_aws", "_gcp", "_azure", "_eks", "_gke", "_aks", NULL};

static bool is_text(const struct gl_jtree *tree, const struct gl_jnode *node)
{
    const char *text;

    if (gl_jnode_is(node, GL_JARRAY))
        node = gl_jnode_at(tree, node, 0);
    text = gl_jnode_text(tree, node);
    return text != NULL && *text != '\0';
}

static bool is_among(const char *const *words, const char *word)
{
    for (; *words != NULL; words++)
        if (**words == *word && strcmp(*words, word) == 0)
            return true;
    return false;
}

static bool is_later(const struct gl_jtree *tree, const struct gl_jnode *node)
{
    return gl_jnode_is(gl_jnode_is(node, GL_JARRAY) ? gl_jnode_at(tree, node, 0) : node, GL_JTRUE);
}

/* Is one of the words there, in whatever block? */
static bool is_said_deep(const struct gl_jtree *tree, const struct gl_jnode *attributes,
                         bool (*is_said)(const struct gl_jtree *tree, const struct gl_jnode *node))
{
    const struct gl_jnode *end = attributes != NULL ? tree->nodes + attributes->end : NULL;

    for (const struct gl_jnode *node = attributes; node < end; node++)
        if (node != attributes && node->key_length > 0 &&
            is_among(deep_words, gl_jnode_key(tree, node)) && is_said(tree, node))
            return true;
    return false;
}

/* ---- of providers that nothing is known of ---- */

/* "MongoDB::Atlas::Cluster", "ns:index/vmSize:VMSize" as Terraform writes names:
 * "mongo_db_atlas_cluster", "ns_index_vm_size_vm_size". */
static void snake(const char *name, char out[NAME_BYTES])
{
    size_t length = 0;

    for (const char *at = name; *at != '\0' && length + 2 < NAME_BYTES; at++) {
        bool is_word = isalnum((unsigned char)*at) != 0;
        bool begins = isupper((unsigned char)*at) && at > name &&
                      (islower((unsigned char)at[-1]) || islower((unsigned char)at[1]));

        if ((!is_word || begins) && length > 0 && out[length - 1] != '_')
            out[length++] = '_';
        if (is_word)
            out[length++] = (char)tolower((unsigned char)*at);
    }
    out[length] = '\0';
}

static bool cut_end(char *name, const char *end)
{
    size_t length = strlen(name), cut = strlen(end);

    if (length <= cut || strcmp(name + length - cut, end) != 0)
        return false;
    name[length - cut] = '\0';
    return true;
}

/* "spotinst_elastigroup_aws", "vcd_vm_v2". */
static bool is_called_machine(const char *type)
{
    char name[NAME_BYTES];
    size_t length;

    if (strstr(type, "-native:") != NULL) /* of a cloud that is known by other names */
        return false;
    snake(type, name);
    length = strlen(name);
    if (length > 3 && strncmp(name + length - 3, "_v", 2) == 0 &&
        isdigit((unsigned char)name[length - 1]))
        name[length - 3] = '\0';
    for (const char *const *end = cloud_ends; *end != NULL && !cut_end(name, *end); end++)
        continue;
    for (const char *const *end = type_ends; *end != NULL; end++)
        if (cut_end(name, *end))
            return true;
    return false;
}

static bool is_number(const struct gl_jtree *tree, const struct gl_jnode *node)
{
    int64_t number;

    return gl_jnode_is(node, GL_JNUMBER) && (!gl_jnode_int(tree, node, &number) || number > 0);
}

static bool says_size(const struct gl_jtree *tree, const struct gl_jnode *attributes)
{
    const struct gl_jnode *end = attributes != NULL ? tree->nodes + attributes->end : NULL;
    char name[NAME_BYTES];

    for (const struct gl_jnode *node = attributes; node < end; node++) {
        if (node == attributes || node->key_length == 0 || !is_text(tree, node))
            continue;
        snake(gl_jnode_key(tree, node), name);
        for (const char *const *part = type_parts; *part != NULL; part++)
            if (strstr(name, *part) != NULL)
                return true;
    }
    for (const struct gl_jnode *node =
             gl_jnode_is(attributes, GL_JOBJECT) ? gl_jnode_first(tree, attributes) : NULL;
         node != NULL; node = gl_jnode_next(tree, attributes, node)) {
        snake(gl_jnode_key(tree, node), name);
        if (is_number(tree, node) && is_among(number_words, name))
            return true;
    }
    return false;
}

/* ---- any ---- */

/* "AWS::ImageBuilder::Image", "awscc_imagebuilder_image", "aws:imagebuilder/image:Image" are
 * "awsimagebuilderimage"; "Microsoft.Fabric/capacities" is "microsoftfabriccapacities". */
static void bare(const char *type, char out[NAME_BYTES])
{
    static const struct {
        const char *from, *to;
    } packages[] = {
        {"awscc_", "aws"}, {"aws-native:", "aws"}, {"azure:", "azurerm"}, {"gcp:", "google"}};
    size_t length = 0;

    for (size_t i = 0; i < sizeof packages / sizeof packages[0]; i++) {
        size_t cut = strlen(packages[i].from);

        if (length == 0 && strncmp(type, packages[i].from, cut) == 0) {
            length = strlen(packages[i].to);
            memcpy(out, packages[i].to, length);
            type += cut;
        }
    }
    for (const char *at = type; *at != '\0' && length + 1 < NAME_BYTES; at++) {
        if (strncmp(at, ":index/", 7) == 0)
            at += 6;
        if (*at == '/' && strchr(at, ':') != NULL)
            at = strchr(at, ':');
        if (isalnum((unsigned char)*at))
            out[length++] = (char)tolower((unsigned char)*at);
    }
    out[length] = '\0';
}

bool gl_mapping_is_machine_type(const char *type)
{
    char name[NAME_BYTES];

    bare(type, name);
    for (const char *const *word = machine_types; *word != NULL; word++) {
        const char *at = name;

        for (const char *letter = *word; *letter != '\0' && at != NULL; letter++)
            if (*letter != '_')
                at = *at == *letter ? at + 1 : NULL;
        if (at != NULL && *at == '\0')
            return true;
    }
    return false;
}

/* Of providers that make nothing but values: what they hold are others' words. */
static bool is_value(const char *type)
{
    static const char *const prefixes[] = {"null_",      "random_", "time_",
                                           "terraform_", "tls_",    "local_"};

    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++)
        if (strncmp(type, prefixes[i], strlen(prefixes[i])) == 0)
            return true;
    return false;
}

bool gl_mapping_is_suspect(const struct gl_hook_mapping *mapping, const char *type,
                           const struct gl_jtree *tree, const struct gl_jnode *attributes)
{
    const struct gl_mapping_provider *provider;
    const char *const *words = machine_words;

    if (gl_mapping_entry(mapping->store, type) != NULL || is_value(type))
        return false;
    if (gl_mapping_is_machine_type(type))
        return true;
    provider = gl_mapping_provider(mapping, type);
    if (provider != NULL && provider->machine_like != NULL)
        words = provider->machine_like;
    for (; *words != NULL; words++) {
        const struct gl_jnode *said = gl_jnode_get(tree, attributes, *words);

        if (is_text(tree, said) || (is_among(number_words, *words) && is_number(tree, said)))
            return true;
    }
    if (provider == NULL && (is_called_machine(type) || says_size(tree, attributes)))
        return true;
    return is_said_deep(tree, attributes, is_text);
}

static bool is_quoted(const char *text, const char *word)
{
    size_t length = strlen(word);

    for (const char *at = strstr(text, word); at != NULL; at = strstr(at + length, word))
        if (at > text && at[-1] == '"' && at[length] == '"')
            return true;
    return false;
}

bool gl_mapping_is_suspect_text(const char *text)
{
    static const char *const *const lists[] = {deep_words, call_words};

    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
        for (const char *const *word = lists[i]; *word != NULL; word++)
            if (is_quoted(text, *word))
                return true;
    return false;
}

bool gl_mapping_is_suspect_later(const struct gl_hook_mapping *mapping, const char *type,
                                 const struct gl_jtree *tree, const struct gl_jnode *later)
{
    return gl_mapping_entry(mapping->store, type) == NULL && !is_value(type) &&
           is_said_deep(tree, later, is_later);
}
