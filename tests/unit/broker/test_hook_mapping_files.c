/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"
#include "broker/hook/mapping_part.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the carried files ---- */

static void the_files_we_carry_are_right(void **state)
{
    struct gl_error err = {0};
    struct gl_hook_mapping *mapping = gl_mapping_open(NULL, &err);
    struct gl_diagnostics *diagnostics = gl_alloc(sizeof *diagnostics);
    size_t count, rows = 0, listed = 0;
    const struct gl_carried *files = gl_mapping_carried(&count);

    (void)state;
    assert_int_equal(count, 25);
    for (size_t i = 0; i < count; i++) {
        struct gl_arena arena = {0};
        struct gl_view text = {files[i].begin, (size_t)(files[i].end - files[i].begin)};
        struct gl_reader reader = {gl_source_of(text, files[i].name, diagnostics), &arena};
        struct gl_mapping_file file = {0};

        if (gl_mapping_read_file(&reader, &file))
            fail_msg("%s:%u: %s", files[i].name, diagnostics->errors[0].pos.line,
                     diagnostics->errors[0].text);
        assert_string_equal(file.provider->name, files[i].name);
        rows += file.row_count;
        /* What is found line by line is what a reader of YAML finds. */
        for (size_t j = 0; j < file.row_count; j++) {
            const struct gl_mapping_row *row = gl_mapping_row(mapping, file.rows[j]->type);

            assert_non_null(row);
            assert_string_equal(row->type, file.rows[j]->type);
            for (const char *const *alias = row->aliases; alias != NULL && *alias != NULL; alias++)
                assert_ptr_equal(gl_mapping_row(mapping, *alias), row);
        }
        for (size_t j = 0; j < file.context_count; j++)
            assert_string_equal(gl_mapping_type(mapping, file.context[j]->aliases[0]),
                                file.context[j]->type);
        gl_arena_done(&arena);
    }
    while (gl_mapping_at(mapping, listed) != NULL)
        listed++;
    assert_int_equal(listed, rows);
    free(diagnostics);
    gl_mapping_free(mapping);
}

static void providers_are_found_by_any_of_their_names(void **state)
{
    static const char *const rows[][2] = {
        {"aws_instance", "aws"},
        {"aws_iam_role", "aws"},
        {"registry.terraform.io/hashicorp/aws", "aws"},
        {"registry.opentofu.org/hashicorp/google-beta", "google"},
        {"google-beta", "google"},
        {"hashicorp/azurerm", "azurerm"},
        {"azurerm", "azurerm"},
        {"AWS::EC2::Instance", "cloudformation"},
        {"AWS::S3::Bucket", "cloudformation"},
        {"gcp:storage/bucket:Bucket", "google"},
        {"aws:ec2/instance:Instance", "aws"},
        {"databricks_cluster", "azurerm"},
        {"azure-native:network:Subnet", "azure_native"},
    };
    struct gl_error err = {0};
    struct gl_hook_mapping *mapping = gl_mapping_open(NULL, &err);

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct gl_mapping_provider *provider = gl_mapping_provider(mapping, rows[i][0]);

        if (provider == NULL)
            fail_msg("%s has no provider", rows[i][0]);
        assert_string_equal(provider->name, rows[i][1]);
    }
    assert_null(gl_mapping_provider(mapping, "random_id"));
    assert_null(gl_mapping_provider(mapping, "registry.terraform.io/hashicorp/random"));
    assert_string_equal(gl_mapping_provider(mapping, "aws")->environment[0], "AWS_REGION");
    assert_string_equal(gl_mapping_provider(mapping, "google")->region_paths[1], "region");
    assert_int_equal(gl_mapping_provider(mapping, "google")->region_kinds[0], GL_PLACE_ZONE);
    gl_mapping_free(mapping);
}

static void readers_keep_only_what_is_read(void **state)
{
    struct gl_error err = {0};
    struct gl_hook_mapping *mapping = gl_mapping_open(NULL, &err);

    (void)state;
    assert_true(gl_mapping_reads(mapping, "aws_instance", NULL));
    assert_true(gl_mapping_reads(mapping, "aws_instance", "instance_type"));
    assert_true(gl_mapping_reads(mapping, "aws_instance", "launch_template"));
    assert_true(gl_mapping_reads(mapping, "aws_instance", "tags"));
    assert_true(gl_mapping_reads(mapping, "aws_instance", "id"));
    assert_false(gl_mapping_reads(mapping, "aws_instance", "user_data"));
    assert_true(gl_mapping_reads(mapping, "aws:ec2/instance:Instance", "instanceType"));
    assert_true(gl_mapping_reads(mapping, "aws_subnet", "availability_zone"));
    assert_true(gl_mapping_reads(mapping, "aws_subnet", "arn"));
    assert_false(gl_mapping_reads(mapping, "aws_subnet", "cidr_block"));
    assert_false(gl_mapping_reads(mapping, "aws_db_instance", "password"));
    assert_true(gl_mapping_reads(mapping, "google_container_cluster", "location"));
    assert_false(gl_mapping_reads(mapping, "aws_s3_bucket", NULL));
    assert_false(gl_mapping_reads(mapping, "aws_s3_bucket", "id"));
    gl_mapping_free(mapping);
}

static bool is_suspect(const struct gl_hook_mapping *mapping, const char *type, const char *json)
{
    struct gl_error err = {0};
    struct gl_jtree tree = {0};
    bool result;

    assert_int_equal(gl_jtree_parse(&tree, json, strlen(json), "test", &err), 0);
    result = gl_mapping_is_suspect(mapping, type, &tree, gl_jtree_root(&tree));
    gl_jtree_done(&tree);
    return result;
}

static void machine_like_types_are_told(void **state)
{
    struct gl_error err = {0};
    struct gl_hook_mapping *mapping = gl_mapping_open(NULL, &err);

    (void)state;
    assert_true(is_suspect(mapping, "aws_new_thing", "{\"instance_type\":\"m5.large\"}"));
    assert_true(is_suspect(mapping, "acme_server", "{\"flavor\":\"big\"}"));
    assert_true(is_suspect(mapping, "acme_pool", "{\"node_type\":[\"big\"]}"));
    assert_true(is_suspect(mapping, "acme_server", "{\"cores\":4,\"ram\":8192}"));
    assert_true(is_suspect(mapping, "aws_new_thing",
                           "{\"spec\":[{\"defaults\":[{\"instance_type\":\"m5.large\"}]}]}"));
    assert_false(is_suspect(mapping, "aws_new_thing", "{\"spec\":[{\"instance_type\":null}]}"));
    assert_false(is_suspect(mapping, "azurerm_public_ip", "{\"sku\":\"Standard\"}"));
    assert_false(is_suspect(mapping, "aws_ebs_volume", "{\"size\":8}"));
    assert_false(is_suspect(mapping, "aws_instance", "{\"instance_type\":\"m5.large\"}"));
    assert_true(is_suspect(mapping, "acme_kafka_cluster", "{\"region\":\"us-east-1\"}"));
    assert_true(is_suspect(mapping, "acme_store", "{\"spec\":[{\"instance_size\":\"M30\"}]}"));
    assert_false(is_suspect(mapping, "acme_volume", "{\"flavor\":null,\"size\":3}"));
    assert_false(is_suspect(mapping, "random_id", "{}"));
    gl_mapping_free(mapping);
}

/* ---- files of the user ---- */

struct folder {
    char path[64];
};

static void put(struct folder *folder, const char *name, const char *text)
{
    struct gl_error err = {0};
    GL_AUTO(gl_auto_free) char *path = NULL;

    if (folder->path[0] == '\0') {
        snprintf(folder->path, sizeof folder->path, "/tmp/gl-mapping-XXXXXX");
        assert_non_null(mkdtemp(folder->path));
    }
    path = gl_path_join(folder->path, name);
    assert_int_equal(gl_file_write(path, text, strlen(text), 0600, &err), 0);
}

static void drop(struct folder *folder)
{
    struct gl_error err = {0};

    assert_int_equal(gl_dir_remove(folder->path, &err), 0);
}

static void the_users_rows_win(void **state)
{
    struct folder folder = {0};
    struct gl_error err = {0};
    struct gl_hook_mapping *mapping;
    const struct gl_mapping_row *row;
    size_t count = 0;

    (void)state;
    put(&folder, "aws.yaml",
        "mapping: 1\nprovider: {name: aws}\nrows:\n- type: aws_instance\n  role: managed\n"
        "  machine: other_type\n  count: =2\n");
    put(&folder, "zz.yml",
        "mapping: 1\nprovider:\n  name: acme\n  cloud: acme\n  sources: [acme/acme]\n"
        "  zone_rule: dash-number\nrows:\n- type: acme_box\n  aliases: acme:box:Box\n"
        "  role: launch\n  machine: flavor\n  place:\n  - zone: hall\n"
        "- type: acme_rack\n  role: launch\n  machine: room -> acme_room.(flavor ; sizes[*].(of ; "
        "needs))\n");
    put(&folder, "README.md", "not a mapping");
    mapping = gl_mapping_open(folder.path, &err);
    if (mapping == NULL)
        fail_msg("%s", err.text);
    row = gl_mapping_row(mapping, "aws_instance");
    assert_string_equal(gl_path_head(row->machine), "other_type");
    assert_string_equal(row->cloud, "aws");
    assert_string_equal(row->verified, "");
    assert_non_null(strstr(row->source, "aws.yaml"));
    assert_string_equal(gl_mapping_provider(mapping, "aws_instance")->zone_rule, "letter");
    assert_string_equal(gl_mapping_row(mapping, "acme:box:Box")->type, "acme_box");
    assert_string_equal(gl_mapping_provider(mapping, "hashi/acme")->zone_rule, "dash-number");
    assert_true(gl_mapping_reads(mapping, "acme_room", "flavor"));
    assert_true(gl_mapping_reads(mapping, "acme_room", "sizes"));
    assert_false(gl_mapping_reads(mapping, "acme_room", "needs"));
    assert_false(gl_mapping_reads(mapping, "aws_instance", "instance_type"));
    while (gl_mapping_at(mapping, count) != NULL)
        count++;
    gl_mapping_free(mapping);
    mapping = gl_mapping_open(NULL, &err);
    assert_non_null(gl_mapping_at(mapping, count - 3)); /* two more, one replaced */
    assert_null(gl_mapping_at(mapping, count - 2));
    gl_mapping_free(mapping);
    drop(&folder);
}

/* White space as one blank: where lines wrap depends on the folder's name. */
static void unwrap(struct gl_str *report)
{
    size_t length = 0;

    for (size_t i = 0; i < report->length; i++) {
        bool is_blank = report->text[i] == ' ' || report->text[i] == '\n';

        if (!is_blank || length == 0 || report->text[length - 1] != ' ')
            report->text[length++] = is_blank ? ' ' : report->text[i];
    }
    report->text[length] = '\0';
    report->length = length;
}

static void errors_of_the_user_say_where(void **state)
{
    struct folder folder = {0};
    struct gl_error err = {0};
    GL_AUTO(gl_str_done) struct gl_str report = {0};

    (void)state;
    put(&folder, "a.yaml",
        "mapping: 1\nprovider:\n  name: acme\n  zone_rule: diagonal\nrows:\n- type: acme_box\n"
        "  rol: launch\n  machine: flavor..name\n- type: acme_rack\n  role: lauch\n"
        "  count: {default: many}\n  place:\n  - city: hall\n");
    put(&folder, "b.yaml", "mapping: 2\nprovider: {name: acme}\n");
    assert_null(gl_mapping_open_reporting(folder.path, &report, &err));
    unwrap(&report);
    assert_int_equal(err.pos.line, 4);
    assert_non_null(strstr(err.pos.file, "a.yaml"));
    assert_non_null(strstr(gl_str_text(&report), "did you mean role?"));
    assert_non_null(strstr(gl_str_text(&report), "a.yaml:8:19"));
    assert_non_null(strstr(gl_str_text(&report), "a row needs \"role\""));
    assert_non_null(strstr(gl_str_text(&report), "launch"));
    assert_non_null(strstr(gl_str_text(&report), "whole number"));
    assert_non_null(strstr(gl_str_text(&report), "region, zone, location, arn or also"));
    assert_non_null(strstr(gl_str_text(&report), "b.yaml:1:"));
    drop(&folder);
    err = (struct gl_error){0};
    assert_null(gl_mapping_open("/nonexistent/folder", &err));
    assert_int_equal(err.code, GL_E_IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_files_we_carry_are_right),
        cmocka_unit_test(providers_are_found_by_any_of_their_names),
        cmocka_unit_test(readers_keep_only_what_is_read),
        cmocka_unit_test(machine_like_types_are_told),
        cmocka_unit_test(the_users_rows_win),
        cmocka_unit_test(errors_of_the_user_say_where),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
