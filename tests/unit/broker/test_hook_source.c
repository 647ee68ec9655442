/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/broker/hook_world.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "broker/hook/fix.h"
#include "broker/hook/tf_lex.h"

#define CLEAN "greenlaunch: 1\nid: p\nrules:\n  - {id: clean, max_intensity: 100 g/kWh}\n"

static char root[64];
static struct gl_tf_source *source;

static int begin(void **state)
{
    (void)state;
    snprintf(root, sizeof root, "/tmp/gl-source-XXXXXX");
    assert_non_null(mkdtemp(root));
    return 0;
}

static int end(void **state)
{
    struct gl_error err = {0};

    (void)state;
    gl_tf_source_free(source);
    source = NULL;
    return gl_dir_remove(root, &err);
}

static void put(const char *name, const char *text)
{
    GL_AUTO(gl_auto_free) char *path = gl_path_join(root, name);
    GL_AUTO(gl_auto_free) char *folder = gl_strdup(path);
    struct gl_error err = {0};

    *strrchr(folder, '/') = '\0';
    assert_int_equal(gl_dir_make(folder, &err), 0);
    assert_int_equal(gl_file_write(path, text, strlen(text), 0644, &err), 0);
}

static void scan(void)
{
    gl_tf_source_free(source);
    source = gl_tf_source_open(root);
}

static void scan_text(const char *text)
{
    gl_tf_source_free(source);
    source = gl_tf_source_of_text("main.tf", text, strlen(text));
}

static void assert_line(const char *address, uint32_t line)
{
    const struct gl_tf_source_block *block = gl_tf_source_find(source, "", address);

    if (block == NULL)
        print_message("%s not found\n", address);
    assert_non_null(block);
    assert_int_equal(block->line, line);
}

/* ---- words ---- */

static void headers_are_told_from_text(void **state)
{
    (void)state;
    scan_text("# resource \"a_b\" \"c\" {\n"
              "// resource \"a_b\" \"c\" {\n"
              "/* resource \"a_b\" \"c\" {\n */\n"
              "locals {\n"
              "  x = <<-EOT\n"
              "    resource \"a_b\" \"c\" {\n"
              "    EOTX\n"
              "  EOT\n"
              "  y = \"a ${join(\"}\", [\"{\", \"}\"])} \\\" $${ %%{ { \"\n"
              "}\n"
              "resource \"a_b\" \"c\" {\n"
              "  nested {\n    region = \"inner\"\n  }\n"
              "  tags = { region = \"map\" }\n"
              "  list = [\n    \"region = \\\"x\\\"\",\n  ]\n"
              "  weird  = \"${\"}\"}\"\n"
              "  region = \"r1\" # \"r2\"\n"
              "  size   = \"${var.x}\"\n"
              "  zone   = var.zone\n"
              "  both   = \"a\" == \"b\"\n"
              "}\n"
              "resource a_b bare { region = \"r9\" }");
    assert_line("a_b.c", 12);
    assert_line("a_b.bare", 26);
    assert_string_equal(
        gl_tf_source_setting(source, gl_tf_source_find(source, "", "a_b.c"), "region")->value,
        "r1");
    assert_string_equal(
        gl_tf_source_setting(source, gl_tf_source_find(source, "", "a_b.c"), "zone")->value,
        "var.zone");
    assert_null(gl_tf_source_setting(source, gl_tf_source_find(source, "", "a_b.c"), "size"));
    assert_null(gl_tf_source_setting(source, gl_tf_source_find(source, "", "a_b.c"), "both"));
    assert_string_equal(
        gl_tf_source_setting(source, gl_tf_source_find(source, "", "a_b.bare"), "region")->value,
        "r9");
}

static void broken_text_ends(void **state)
{
    static const char *const texts[] = {
        "resource \"a",
        "resource \"a_b\" \"c\" {",
        "x = <<EOT\nnever",
        "\"${\"${\"${",
        "/* never",
        "resource \"a_b\" \"c\" { x = [",
        "}}}}",
        "a = \"\\",
        "\xef\xbb\xbf",
        "",
        "resource \"a_b\" \"c\" \"d\" \"e\" {}",
        "<<",
        "<<-",
        "x = {{{{",
    };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        scan_text(texts[i]);
    scan_text("resource \"a\nresource \"a_b\" \"c\" {\n}\n"); /* a string ends with its line */
    assert_line("a_b.c", 2);
}

/* ---- folders ---- */

static void modules_are_followed_by_their_sources(void **state)
{
    const struct gl_tf_source_block *block;

    (void)state;
    put("envs/prod/main.tf", "module \"a\" {\n  source = \"../../mods/web\"\n}\n"
                             "module \"far\" {\n  source = \"hashicorp/consul/aws\"\n}\n"
                             "module \"out\" {\n  source = \"../../../etc\"\n}\n");
    put("mods/web/main.tf", "module \"b\" {\n  source = \"./inner\"\n}\n"
                            "resource \"aws_instance\" \"x\" {}\n");
    put("mods/web/inner/a.tf", "\nresource \"aws_instance\" \"x\" {}\n");
    put("etc/a.tf", "resource \"aws_instance\" \"x\" {}\n");
    put("mods/other/a.tofu", "\n\nresource \"aws_instance\" \"alone\" {}\n");
    scan();
    assert_int_equal(gl_tf_source_files(source), 5);
    block = gl_tf_source_find(source, "envs/prod/out", "module.a[\"k\"].aws_instance.x[0]");
    assert_string_equal(gl_tf_source_file(source, block->file), "mods/web/main.tf");
    assert_int_equal(block->line, 4);
    block = gl_tf_source_find(source, "envs/prod", "module.a.module.b.aws_instance.x");
    assert_string_equal(gl_tf_source_file(source, block->file), "mods/web/inner/a.tf");
    /* Not by a way, but the only one there is. */
    block = gl_tf_source_find(source, "envs/prod", "module.far.aws_instance.alone");
    assert_string_equal(gl_tf_source_file(source, block->file), "mods/other/a.tofu");
    /* Two of that name, none on the way. */
    assert_null(gl_tf_source_find(source, "envs/prod", "module.far.aws_instance.x"));
    assert_null(gl_tf_source_find(source, "envs/prod", "module.out.aws_instance.x"));
    assert_null(gl_tf_source_find(source, "envs/prod", "module.out.aws_instance.none"));
    assert_null(gl_tf_source_find(source, "", "not an address"));
}

static void nothing_outside_is_read(void **state)
{
    GL_AUTO(gl_auto_free) char *inside = gl_path_join(root, "in");
    GL_AUTO(gl_auto_free) char *link = gl_path_join(root, "in/link");
    GL_AUTO(gl_auto_free) char *file = gl_path_join(root, "in/file.tf");

    (void)state;
    put("outside/main.tf", "resource \"aws_instance\" \"x\" {}\n");
    put("in/.terraform/main.tf", "resource \"aws_instance\" \"x\" {}\n");
    put("in/main.txt", "resource \"aws_instance\" \"x\" {}\n");
    assert_int_equal(symlink("../outside", link), 0);
    assert_int_equal(symlink("../outside/main.tf", file), 0);
    source = gl_tf_source_open(inside);
    assert_int_equal(gl_tf_source_files(source), 0);
    assert_null(gl_tf_source_find(source, "", "aws_instance.x"));
}

/* ---- remedies ---- */

static const char *start_of(void *cookie, const struct gl_hook_plan *plan)
{
    (void)cookie;
    (void)plan;
    return "";
}

static struct hook_world world;

/* Everything in us-east-1 by the provider, where eu-north-1 would be allowed. */
static struct gl_intent *dirty(const char *address, const char *how)
{
    struct gl_intent *intent = world_add(&world, GL_CHANGE_CREATE, "us-east-1", "m5.large");

    intent->address = address;
    intent->place.how = how;
    return intent;
}

static void fix_of(struct gl_hook_fix *fix)
{
    struct gl_hook_report *report = gl_hook_judge(&world.ask);

    gl_hook_fix_make(report, source, start_of, NULL, fix);
    gl_hook_report_free(report);
}

static void a_literal_that_all_want_is_changed(void **state)
{
    struct gl_policy *policy = world_policy(CLEAN);
    struct gl_hook_fix fix = {0};

    (void)state;
    put("main.tf", "provider \"aws\" {\n  region = \"us-east-1\"\n}\n"
                   "provider \"aws\" {\n  alias = \"b\"\n  region = \"us-east-1\"\n}\n"
                   "resource \"aws_instance\" \"x\" {}\nresource \"aws_instance\" \"y\" {}\n");
    scan();
    world_init(&world, policy);
    dirty("aws_instance.x", "provider aws");
    dirty("aws_instance.y", "provider aws");
    fix_of(&fix);
    assert_int_equal(fix.edit_count, 1);
    assert_non_null(
        strstr(gl_str_text(&fix.patch), "--- a/main.tf\n+++ b/main.tf\n@@ -1,5 +1,5 @@\n"));
    assert_non_null(
        strstr(gl_str_text(&fix.patch), "-  region = \"us-east-1\"\n+  region = \"eu-north-1\"\n"));
    gl_hook_fix_done(&fix);
    /* Something that stands there already has a say. */
    dirty("aws_instance.y", "provider aws")->change = GL_CHANGE_NONE;
    world.intents[2].is_launch = false;
    fix_of(&fix);
    assert_int_equal(fix.edit_count, 0);
    assert_int_equal(fix.patch.length, 0);
    gl_hook_fix_done(&fix);
    /* The other alias is its own. */
    world.plan.count = 0;
    dirty("aws_instance.x", "provider aws.b");
    fix_of(&fix);
    assert_non_null(strstr(gl_str_text(&fix.patch), "@@ -3,7 +3,7 @@\n"));
    gl_hook_fix_done(&fix);
    gl_policy_free(policy);
}

static void a_variable_of_the_root_is_named(void **state)
{
    struct gl_policy *policy = world_policy(CLEAN);
    struct gl_hook_fix fix = {0};

    (void)state;
    put("main.tf", "provider \"aws\" {\n  region = var.region\n}\n"
                   "variable \"region\" {\n  default = \"us-east-1\"\n}\n"
                   "resource \"aws_instance\" \"x\" {}");
    scan();
    world_init(&world, policy);
    dirty("aws_instance.x", "provider aws, variable region");
    fix_of(&fix);
    assert_int_equal(fix.variable_count, 1);
    assert_string_equal(fix.variables[0], "region=eu-north-1");
    assert_non_null(strstr(gl_str_text(&fix.patch), "+  default = \"eu-north-1\"\n"));
    assert_non_null(strstr(gl_str_text(&fix.patch), "\\ No newline at end of file\n"));
    gl_hook_fix_done(&fix);
    /* Given by somebody else than the default: the variable only. */
    put("main.tf", "provider \"aws\" {\n  region = var.region\n}\nvariable \"region\" {}\n"
                   "resource \"aws_instance\" \"x\" {}");
    scan();
    fix_of(&fix);
    assert_int_equal(fix.variable_count, 1);
    assert_int_equal(fix.edit_count, 0);
    gl_hook_fix_done(&fix);
    gl_policy_free(policy);
}

#define AWS "provider \"aws\" {\n  region = \"us-east-1\"\n}\n"

static void what_is_not_sure_is_left(void **state)
{
    static const char *const texts[] = {
        "provider \"aws\" {\n  region = \"${var.x}\"\n}\n",
        "provider \"aws\" {\n  region = local.region\n}\n",
        "provider \"aws\" {\n  region = \"eu-west-1\"\n}\n", /* not what was planned */
        AWS AWS,
        "provider \"aws\" {\n  region = \"us-east-1\"\n  zone = \"us-east-1\"\n}\n",
        "provider \"aws\" {\n  region = \"us-east-1\"\n  region = \"us-east-1\"\n}\n",
        "provider \"aws\" {\n  # region = \"us-east-1\"\n}\n",
        "",
    };
    struct gl_policy *policy = world_policy(CLEAN);

    (void)state;
    world_init(&world, policy);
    dirty("aws_instance.x", "provider aws");
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct gl_hook_fix fix = {0};

        put("main.tf", texts[i]);
        scan();
        fix_of(&fix);
        if (fix.edit_count + fix.variable_count > 0)
            print_message("%s", gl_str_text(&fix.patch));
        assert_int_equal(fix.edit_count + fix.variable_count, 0);
        gl_hook_fix_done(&fix);
    }
    gl_policy_free(policy);
}

static void a_smaller_type_is_put_where_it_stands(void **state)
{
    struct gl_policy *policy =
        world_policy("greenlaunch: 1\nid: p\nrules:\n  - {id: rate, max_rate: 3 g/h}\n");
    struct gl_hook_fix fix = {0};

    (void)state;
    put("main.tf", "resource \"aws_instance\" \"x\" {\n  instance_type = \"m5.xlarge\"\n}\n");
    scan();
    world_init(&world, policy);
    world_add(&world, GL_CHANGE_CREATE, "eu-north-1", "m5.xlarge")->address = "aws_instance.x";
    fix_of(&fix);
    assert_non_null(strstr(gl_str_text(&fix.patch), "+  instance_type = \"m5.large\"\n"));
    gl_hook_fix_done(&fix);
    gl_policy_free(policy);
}

static void far_edits_have_hunks_of_their_own(void **state)
{
    struct gl_hook_edit edits[3];
    const struct gl_tf_source_block *block;
    struct gl_str patch = {0}, text = {0};

    (void)state;
    gl_str_add(&text, "resource \"a_b\" \"c\" {\n  x = \"1\"\n");
    for (unsigned i = 0; i < 20; i++)
        gl_str_add(&text, "\n");
    gl_str_add(&text, "  y = \"2\"\n  z = \"3\"\n}\n");
    put("main.tf", gl_str_text(&text));
    scan();
    block = gl_tf_source_find(source, "", "a_b.c");
    for (unsigned i = 0; i < 3; i++) {
        const char name[2] = {(char)('z' - i), '\0'};
        const struct gl_tf_setting *setting = gl_tf_source_setting(source, block, name);

        edits[i] = (struct gl_hook_edit){setting->file, setting->offset, setting->value, "new"};
    }
    assert_int_equal(gl_hook_diff(source, edits, 3, &patch), 3);
    assert_non_null(strstr(gl_str_text(&patch), "@@ -1,5 +1,5 @@\n"));
    assert_non_null(strstr(gl_str_text(&patch), "@@ -20,6 +20,6 @@\n"));
    edits[0].is = "other"; /* the file changed meanwhile */
    gl_str_clear(&patch);
    assert_int_equal(gl_hook_diff(source, edits, 3, &patch), 2);
    gl_str_done(&patch);
    gl_str_done(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(headers_are_told_from_text, begin, end),
        cmocka_unit_test_setup_teardown(broken_text_ends, begin, end),
        cmocka_unit_test_setup_teardown(modules_are_followed_by_their_sources, begin, end),
        cmocka_unit_test_setup_teardown(nothing_outside_is_read, begin, end),
        cmocka_unit_test_setup_teardown(a_literal_that_all_want_is_changed, begin, end),
        cmocka_unit_test_setup_teardown(a_variable_of_the_root_is_named, begin, end),
        cmocka_unit_test_setup_teardown(what_is_not_sure_is_left, begin, end),
        cmocka_unit_test_setup_teardown(a_smaller_type_is_put_where_it_stands, begin, end),
        cmocka_unit_test_setup_teardown(far_edits_have_hunks_of_their_own, begin, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
