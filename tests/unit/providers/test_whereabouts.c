/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/cloud/cloud.h"
#include "providers/cloud/rights.h"
#include "providers/cloud/whereabouts.h"

#include "base/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* Whoever adds a cloud says where its credentials are and which rights it needs. */
static void test_every_cloud(void **state)
{
    size_t count;
    const struct gl_cloud_driver *drivers = gl_cloud_drivers(&count);

    (void)state;
    for (size_t i = 0; i < count; i++) {
        GL_AUTO(gl_str_done) struct gl_str places = {0};
        const char *name = drivers[i].ops->name;

        assert_ptr_equal(gl_cloud_find(name), drivers[i].ops);
        assert_int_equal(gl_cloud_is_remote(name), strcmp(name, "local") != 0);
        if ((drivers[i].ops->caps & GL_CLOUD_REMOTE) == 0)
            continue;
        gl_whereabouts_all(name, &places);
        if (places.length == 0)
            fail_msg("%s has no row in providers/cloud/whereabouts.c", name);
        if (gl_rights_find(name) == NULL)
            fail_msg("%s has no table in providers/cloud/rights.c", name);
    }
    assert_null(gl_cloud_find("loca"));
    assert_false(gl_cloud_is_remote("loca"));
    for (const struct gl_whereabouts *row = gl_whereabouts; row->cloud != NULL; row++)
        assert_int_equal(row->kind != GL_WHERE_VARIABLE, row->path != NULL);
}

static void test_found(void **state)
{
    char folder[300], home[320], xdg[320], path[400], files[700];
    const char *environment[] = {
        home, xdg, files, "AWS_PROFILE=green", "SCW_SECRET_KEY=planted-4711", "HCLOUD_TOKEN=",
        NULL};
    const char *build = getenv("BUILD_DIR");
    struct gl_error err = {0};
    struct gl_world *world;
    static const struct {
        const char *cloud, *found;
    } rows[] = {{"aws", "$AWS_PROFILE, ~/.aws/config"},
                {"hetzner", "~/.config/hcloud/cli.toml"},
                {"scaleway", "$SCW_SECRET_KEY"},
                {"kubernetes", "the files of $KUBECONFIG"},
                {"digitalocean", ""}};

    (void)state;
    snprintf(folder, sizeof folder, "%s/tmp/test_whereabouts.%d", build != NULL ? build : "build",
             (int)getpid());
    snprintf(home, sizeof home, "HOME=%s", folder);
    snprintf(xdg, sizeof xdg, "XDG_CONFIG_HOME=%s", folder[0] == '/' ? folder : "");
    snprintf(files, sizeof files, "KUBECONFIG=%s/missing::%s/.aws/config", folder, folder);
    snprintf(path, sizeof path, "%s/.aws", folder);
    assert_int_equal(gl_dir_make(path, &err), 0);
    snprintf(path, sizeof path, "%s/.aws/config", folder);
    assert_int_equal(gl_file_write(path, "x", 1, 0600, &err), 0);
    snprintf(path, sizeof path, "%s%s/hcloud", folder, folder[0] == '/' ? "" : "/.config");
    assert_int_equal(gl_dir_make(path, &err), 0);
    snprintf(path, sizeof path, "%s%s/hcloud/cli.toml", folder, folder[0] == '/' ? "" : "/.config");
    assert_int_equal(gl_file_write(path, "x", 1, 0600, &err), 0);
    world = gl_world_fixed_new(0, 1, environment);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        GL_AUTO(gl_str_done) struct gl_str found = {0};

        gl_whereabouts_found(rows[i].cloud, world, &found);
        assert_string_equal(gl_str_text(&found), rows[i].found);
    }
    gl_world_fixed_free(world);
    gl_dir_remove(folder, &err);
}

/* ---- rights ---- */

static bool has_profile(void *cookie, const char *name)
{
    return cookie != NULL && strcmp(name, "instance_profile") == 0;
}

static json_t *policy(unsigned parts, const char *partition, bool with_profile)
{
    const struct gl_rights *rights = gl_rights_find("aws");
    const struct gl_rights_wanted wanted = {.parts = parts,
                                            .partition = partition,
                                            .has_setting = has_profile,
                                            .cookie =
                                                with_profile ? (void *)(uintptr_t) "yes" : NULL};
    GL_AUTO(gl_str_done) struct gl_str text = {0};
    struct gl_error err = {0};

    rights->write(rights, &wanted, &text);
    return gl_json_parse(gl_str_text(&text), text.length, "the policy", &err);
}

/* Every right of looking stands in the one and none in the other. */
static void test_parts_apart(void **state)
{
    json_t *look = policy(GL_RIGHT_LOOK, "aws", false);
    json_t *launch = policy(GL_RIGHT_LAUNCH, "aws", false);
    char *look_text = json_dumps(look, 0), *launch_text = json_dumps(launch, 0);

    (void)state;
    assert_non_null(strstr(look_text, "ec2:DescribeInstances"));
    assert_null(strstr(look_text, "RunInstances"));
    assert_null(strstr(look_text, "Terminate"));
    assert_non_null(strstr(launch_text, "ec2:TerminateInstances"));
    assert_null(strstr(launch_text, "Describe"));
    assert_null(strstr(launch_text, "PassRole"));
    free(look_text);
    free(launch_text);
    json_decref(look);
    json_decref(launch);
}

/* What ends, starts or runs a machine is limited to those with our label. */
static void test_limited_to_ours(void **state)
{
    json_t *root = policy(GL_RIGHT_LOOK | GL_RIGHT_LAUNCH, "aws-cn", true), *statement;
    static const struct {
        const char *sid, *operator, * key;
    } rows[] = {{"RunLabelled", "StringLike", "aws:RequestTag/greenlaunch-request"},
                {"EndOurs", "StringLike", "ec2:ResourceTag/greenlaunch-request"},
                {"LabelAtLaunch", "StringEquals", "ec2:CreateAction"},
                {"DropImage", "StringLike", "ec2:ResourceTag/greenlaunch-image"},
                {"PassProfile", "StringEquals", "iam:PassedToService"}};
    size_t i, met = 0;

    (void)state;
    json_array_foreach(json_object_get(root, "Statement"), i, statement)
    {
        const char *sid = json_string_value(json_object_get(statement, "Sid"));
        const json_t *resources = json_object_get(statement, "Resource");

        if (json_is_array(resources))
            assert_ptr_equal(strstr(json_string_value(json_array_get(resources, 0)), "arn:aws-cn:"),
                             json_string_value(json_array_get(resources, 0)));
        for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
            if (strcmp(rows[k].sid, sid) != 0)
                continue;
            assert_non_null(json_object_get(
                json_object_get(json_object_get(statement, "Condition"), rows[k].operator),
                rows[k].key));
            met++;
        }
    }
    assert_int_equal(met, sizeof rows / sizeof *rows);
    json_decref(root);
}

static void test_documents(void **state)
{
    static const struct {
        const char *cloud;
        unsigned parts;
        const char *text;
    } rows[] = {
        {"hetzner", GL_RIGHT_LOOK, "permission: Read\n"},
        {"hetzner", GL_RIGHT_LAUNCH, "permission: Read & Write\n"},
        {"scaleway", GL_RIGHT_LOOK,
         "permission_sets:\n- InstancesReadOnly\n- BlockStorageReadOnly\n"},
        {"scaleway", GL_RIGHT_LOOK | GL_RIGHT_LAUNCH,
         "permission_sets:\n- InstancesFullAccess\n- BlockStorageFullAccess\n"},
        {"kubernetes", GL_RIGHT_LAUNCH,
         "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata:\n"
         "  name: greenlaunch-launch\nrules:\n"
         "- apiGroups: [\"batch\"]\n  resources: [jobs]\n  verbs: [create, patch, delete]\n"
         "- apiGroups: [\"\"]\n  resources: [pods]\n  verbs: [create, patch]\n"
         "- apiGroups: [\"\"]\n  resources: [secrets]\n  verbs: [create, update]\n"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct gl_rights *rights = gl_rights_find(rows[i].cloud);
        const struct gl_rights_wanted wanted = {.parts = rows[i].parts};
        GL_AUTO(gl_str_done) struct gl_str text = {0};

        rights->write(rights, &wanted, &text);
        assert_string_equal(gl_str_text(&text), rows[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_cloud), cmocka_unit_test(test_found),
        cmocka_unit_test(test_parts_apart), cmocka_unit_test(test_limited_to_ours),
        cmocka_unit_test(test_documents),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
