/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/hook/mapping_lint.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

/* What terraform prints, cut to what matters: blocks, attributes with types, nested types. */
#define SCHEMA(instance)                                                                        \
    "{\"format_version\":\"1.0\",\"provider_schemas\":{"                                        \
    "\"registry.terraform.io/hetznercloud/hcloud\":{\"provider\":{\"version\":0},"              \
    "\"data_source_schemas\":{\"hcloud_server\":{}},"                                           \
    "\"resource_schemas\":{\"hcloud_network\":{\"block\":{}},\"hcloud_server\":{\"block\":"     \
    "{\"attributes\":{\"location\":{\"type\":\"string\"},\"datacenter\":{\"type\":\"string\"}"  \
    "," instance "}}}}},"                                                                       \
    "\"registry.terraform.io/linode/linode\":{\"resource_schemas\":{"                           \
    "\"linode_instance\":{\"block\":{\"attributes\":{\"type\":{\"type\":\"string\"},"           \
    "\"region\":{\"type\":\"string\"}}}},"                                                      \
    "\"linode_lke_cluster\":{\"block\":{\"attributes\":{\"region\":{\"type\":\"string\"}},"     \
    "\"block_types\":{\"pool\":{\"nesting_mode\":\"list\",\"block\":{\"attributes\":"           \
    "{\"type\":{\"type\":\"string\"},\"count\":{\"type\":\"number\"},"                          \
    "\"autoscaler\":{\"type\":[\"list\",[\"object\",{\"min\":\"number\",\"max\":\"number\"}]]}" \
    "}}}}}},"                                                                                   \
    "\"linode_lke_node_pool\":{\"block\":{\"attributes\":{\"type\":{\"type\":\"string\"},"      \
    "\"cluster_id\":{\"type\":\"number\"},\"node_count\":{\"type\":\"number\"},"                \
    "\"autoscaler\":{\"nested_type\":{\"nesting_mode\":\"single\",\"attributes\":"              \
    "{\"min\":{\"type\":\"number\"}}}}}}}}}}}"

static int lint(const char *schema, struct gl_str *out_report, struct gl_mapping_lint *out,
                struct gl_error *err)
{
    struct gl_hook_mapping *mapping = gl_mapping_open(NULL, err);
    struct gl_feed *feed = gl_feed_of_bytes(schema, strlen(schema), "schema.json");
    int result = gl_mapping_lint(mapping, feed, out_report, out, err);

    gl_feed_close(feed);
    gl_mapping_free(mapping);
    return result;
}

static void finds_what_the_schema_has_not(void **state)
{
    GL_AUTO(gl_str_done) struct gl_str report = {0};
    struct gl_mapping_lint sums = {0};
    struct gl_error err = {0};

    (void)state;
    assert_int_equal(lint(SCHEMA("\"server_typ\":{\"type\":\"string\"}"), &report, &sums, &err), 0);
    assert_string_equal(gl_str_text(&report),
                        "hcloud: hcloud_server: machine: the schema has no \"server_type\", but "
                        "server_typ\n"
                        "linode: linode_lke_node_pool: count.max: the schema has no \"max\"\n");
    assert_int_equal(sums.types, 4);
    assert_int_equal(sums.faults, 2);
    assert_int_equal(sums.absent, 0);
    assert_true(sums.paths > 10);
}

static void tells_types_that_are_gone(void **state)
{
    static const char schema[] = "{\"provider_schemas\":{\"registry.opentofu.org/vultr/vultr\":"
                                 "{\"resource_schemas\":{}}}}";
    GL_AUTO(gl_str_done) struct gl_str report = {0};
    struct gl_mapping_lint sums = {0};
    struct gl_error err = {0};

    (void)state;
    assert_int_equal(lint(schema, &report, &sums, &err), 0);
    assert_int_equal(sums.absent, 4);
    assert_non_null(strstr(gl_str_text(&report), "vultr: vultr_kubernetes: not in the schema\n"));
}

static void refuses_what_is_no_schema(void **state)
{
    static const char *const texts[] = {"{}", "[]", "{\"provider_schemas\":[]}",
                                        "{\"provider_schemas\":{\"a\":{\"resource_schemas\":{"};

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        GL_AUTO(gl_str_done) struct gl_str report = {0};
        struct gl_mapping_lint sums = {0};
        struct gl_error err = {0};

        assert_int_equal(lint(texts[i], &report, &sums, &err), -1);
        assert_non_null(strstr(err.text, i == 0 ? "terraform providers schema" : ""));
    }
}

static void lists_every_row(void **state)
{
    struct gl_error err = {0};
    struct gl_hook_mapping *mapping = gl_mapping_open(NULL, &err);
    GL_AUTO(gl_str_done) struct gl_str out = {0};

    (void)state;
    gl_mapping_list(mapping, &out);
    assert_non_null(
        strstr(gl_str_text(&out), "aws_instance\tlaunch\taws\thashicorp/aws 6.25.0\taws\n"));
    assert_non_null(strstr(gl_str_text(&out), "vsphere_virtual_machine\tlaunch\tvsphere\t"));
    gl_mapping_free(mapping);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_what_the_schema_has_not),
        cmocka_unit_test(tells_types_that_are_gone),
        cmocka_unit_test(refuses_what_is_no_schema),
        cmocka_unit_test(lists_every_row),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
