/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/hook/mapping_part.h"
#include "broker/hook/reader_part.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

/* One path over one resource, with what is known later and what is written in the configuration. */
struct sample {
    const char *path, *values, *later, *written, *refers;
    const char *texts; /* joined by a blank */
    enum gl_known known;
    int64_t number;
};

struct scene {
    struct gl_jtree values, later, refers;
    const char *written;
};

static size_t follow(void *cookie, const struct gl_attributes *from, const char *attribute,
                     const char *type, struct gl_attributes out[GL_FOLLOWED_MAX])
{
    struct scene *scene = cookie;
    const struct gl_jnode *there =
        gl_jnode_get(&scene->refers, gl_jtree_root(&scene->refers), type);

    (void)from;
    assert_true(strcmp(attribute, "a.b") == 0 || strcmp(attribute, "a") == 0);
    if (there == NULL)
        return 0;
    out[0] = (struct gl_attributes){.tree = &scene->refers, .values = there, .address = "t.web"};
    return 1;
}

static int is_written(void *cookie, const struct gl_attributes *from, const char *attribute)
{
    const struct scene *scene = cookie;

    (void)from;
    return scene->written == NULL ? -1 : strstr(scene->written, attribute) != NULL;
}

static void parse(struct gl_jtree *tree, const char *json)
{
    struct gl_error err = {0};

    if (json != NULL && gl_jtree_parse(tree, json, strlen(json), "test", &err))
        fail_msg("%s: %s", json, err.text);
}

static void run(const struct sample *sample)
{
    struct scene scene = {.written = sample->written};
    struct gl_follower follower = {.cookie = &scene, .follow = follow, .is_written = is_written};
    struct gl_arena arena = {0};
    struct gl_path_fault fault;
    const struct gl_path *path = gl_path_parse(sample->path, &arena, &fault);
    struct gl_attributes from = {.tree = &scene.values, .unknown_tree = &scene.later};
    GL_AUTO(gl_str_done) struct gl_str joined = {0};
    const char *texts[8], *how;
    enum gl_known known;
    size_t count;

    assert_non_null(path);
    parse(&scene.values, sample->values);
    parse(&scene.later, sample->later);
    parse(&scene.refers, sample->refers);
    from.values = gl_jtree_root(&scene.values);
    from.unknown = gl_jtree_root(&scene.later);
    count = gl_path_texts(path, &from, &follower, &arena, texts, 8, &known, &how);
    for (size_t i = 0; i < count; i++)
        gl_str_addf(&joined, "%s%s", i > 0 ? " " : "", texts[i]);
    if (strcmp(gl_str_text(&joined), sample->texts) != 0 || known != sample->known ||
        gl_path_number(path, &from, &follower, NULL) != sample->number)
        fail_msg("%s: \"%s\", known %d, number %lld", sample->path, gl_str_text(&joined), known,
                 (long long)gl_path_number(path, &from, &follower, NULL));
    assert_true((how != NULL) == (strstr(sample->path, "->") != NULL && count > 0 &&
                                  strstr(sample->texts, "there") != NULL));
    gl_jtree_done(&scene.values);
    gl_jtree_done(&scene.later);
    gl_jtree_done(&scene.refers);
    gl_arena_done(&arena);
}

static const struct sample samples[] = {
    {"a", "{\"a\":\"x\"}", NULL, NULL, NULL, "x", GL_KNOWN_VALUE, GL_UNKNOWN},
    {"a.b", "{\"a\":[{\"b\":\"3\"}]}", NULL, NULL, NULL, "3", GL_KNOWN_VALUE, 3},
    {"a[0].b", "{\"a\":{\"b\":4}}", NULL, NULL, NULL, "4", GL_KNOWN_VALUE, 4},
    {"a[*].b", "{\"a\":[{\"b\":1},{\"b\":2},{}]}", NULL, NULL, NULL, "1 2", GL_KNOWN_VALUE, 3},
    {"a[*]", "{\"a\":[\"x\",\"y\"]}", NULL, NULL, NULL, "x y", GL_KNOWN_VALUE, GL_UNKNOWN},
    {"a", "{\"a\":null}", NULL, NULL, NULL, "", GL_KNOWN_NULL, GL_UNKNOWN},
    {"a", "{}", "{}", NULL, NULL, "", GL_KNOWN_ABSENT, GL_UNKNOWN},
    {"a", "{\"a\":[]}", "{\"a\":[]}", NULL, NULL, "", GL_KNOWN_ABSENT, GL_UNKNOWN},
    {"a", "{}", "{\"a\":true}", NULL, NULL, "", GL_KNOWN_LATER, GL_UNKNOWN},
    {"a.b", "{}", "{\"a\":true}", NULL, NULL, "", GL_KNOWN_LATER, GL_UNKNOWN},
    {"a.b", "{\"a\":[{}]}", "{\"a\":[{\"b\":true}]}", NULL, NULL, "", GL_KNOWN_LATER, GL_UNKNOWN},
    /* Half a sum is no sum. */
    {"a[*].b", "{\"a\":[{\"b\":1},{}]}", "{\"a\":[{},{\"b\":true}]}", NULL, NULL, "1",
     GL_KNOWN_VALUE, GL_UNKNOWN},
    {"a + c", "{\"a\":1}", "{\"c\":true}", NULL, NULL, "1", GL_KNOWN_VALUE, GL_UNKNOWN},
    {"a + c", "{\"a\":1,\"c\":\"2\"}", NULL, NULL, NULL, "1 2", GL_KNOWN_VALUE, 3},
    {"a + =2", "{\"a\":1}", NULL, NULL, NULL, "1 2", GL_KNOWN_VALUE, 3},
    {"a", "{\"a\":-1}", NULL, NULL, NULL, "-1", GL_KNOWN_VALUE, GL_UNKNOWN},
    {"a", "{\"a\":1.5}", NULL, NULL, NULL, "1.5", GL_KNOWN_VALUE, GL_UNKNOWN},
    {"a ; c", "{\"c\":2}", NULL, NULL, NULL, "2", GL_KNOWN_VALUE, 2},
    {"a ; c", "{\"a\":null,\"c\":2}", NULL, NULL, NULL, "2", GL_KNOWN_VALUE, 2},
    {"a ; =7", "{}", NULL, NULL, NULL, "7", GL_KNOWN_VALUE, 7},
    {"a ; =unknown", "{}", NULL, NULL, NULL, "", GL_KNOWN_UNSAID, GL_UNKNOWN},
    /* What the provider fills in does not hide the next one; what somebody wrote does. */
    {"a ; c", "{\"c\":2}", "{\"a\":true}", NULL, NULL, "2", GL_KNOWN_VALUE, 2},
    {"a ; c", "{\"c\":2}", "{\"a\":true}", "a", NULL, "", GL_KNOWN_LATER, GL_UNKNOWN},
    {"a", "{}", "{\"a\":true}", "none", NULL, "", GL_KNOWN_ABSENT, GL_UNKNOWN},
    {"p[*].(a ; c)", "{\"p\":[{\"a\":1,\"c\":9},{\"c\":2}]}", NULL, NULL, NULL, "1 2",
     GL_KNOWN_VALUE, 3},
    {"p.(a ; =1)", "{}", NULL, NULL, NULL, "", GL_KNOWN_ABSENT, GL_UNKNOWN},
    {"p.(a ; =1)", "{\"p\":[{}]}", NULL, NULL, NULL, "1", GL_KNOWN_VALUE, 1},
    {"p.(a ? c + d)", "{\"p\":[{\"a\":false,\"c\":1,\"d\":2}]}", NULL, NULL, NULL, "2",
     GL_KNOWN_VALUE, 2},
    {"p.(a ? c)", "{\"p\":[{\"a\":\"false\",\"c\":1}]}", NULL, NULL, NULL, "", GL_KNOWN_ABSENT,
     GL_UNKNOWN},
    {"p.(a ? c)", "{\"p\":[{\"a\":true,\"c\":1}]}", NULL, NULL, NULL, "1", GL_KNOWN_VALUE, 1},
    {"a ? c", "{\"c\":1}", "{\"a\":true}", NULL, NULL, "1", GL_KNOWN_VALUE, 1},
    {"a ? c ; d", "{\"a\":false,\"c\":1,\"d\":2}", NULL, NULL, NULL, "2", GL_KNOWN_VALUE, 2},
    {"(a ; =2) + (c ; =3)", "{\"c\":5}", NULL, NULL, NULL, "2 5", GL_KNOWN_VALUE, 7},
    {"(a ; =2) + (c ; =3)", "{}", "{\"a\":true}", "a", NULL, "3", GL_KNOWN_VALUE, GL_UNKNOWN},
    {"(a ; =2) + (c ; =3)", "{}", "{\"a\":true}", "none", NULL, "2 3", GL_KNOWN_VALUE, 5},
    {"\"x.io/y\"", "{\"x.io/y\":\"z\"}", NULL, NULL, NULL, "z", GL_KNOWN_VALUE, GL_UNKNOWN},
    {"node_pool[*].disk_size", "{\"nodePools\":[{\"diskSize\":5}]}", NULL, NULL, NULL, "5",
     GL_KNOWN_VALUE, 5},
    {"my_policy.x", "{\"myPolicies\":[{\"x\":true}]}", NULL, NULL, NULL, "true", GL_KNOWN_VALUE,
     GL_UNKNOWN},
    {"a.b -> t.c", "{\"a\":[{\"b\":\"i\"}]}", NULL, NULL, "{\"t\":{\"c\":\"there\"}}", "there",
     GL_KNOWN_VALUE, GL_UNKNOWN},
    {"a.b -> t.c", "{}", "{\"a\":[{\"b\":true}]}", NULL, "{\"t\":{\"c\":\"there\"}}", "there",
     GL_KNOWN_VALUE, GL_UNKNOWN},
    {"a -> t.a -> u.c", "{\"a\":1}", NULL, NULL, "{\"t\":{\"a\":2},\"u\":{\"c\":\"there\"}}",
     "there", GL_KNOWN_VALUE, GL_UNKNOWN},
    {"a -> t.(d ; c)", "{\"a\":1}", NULL, NULL, "{\"t\":{\"c\":\"there\"}}", "there",
     GL_KNOWN_VALUE, GL_UNKNOWN},
    /* Something is referred to, and it is not seen: not the same as nothing. */
    {"a -> t.c", "{\"a\":\"i\"}", NULL, NULL, "{}", "", GL_KNOWN_LATER, GL_UNKNOWN},
    {"a -> t.c", "{}", NULL, NULL, "{\"t\":{\"c\":\"there\"}}", "", GL_KNOWN_ABSENT, GL_UNKNOWN},
    {"a", "{\"a\":99999999999999999999}", NULL, NULL, NULL, "99999999999999999999", GL_KNOWN_VALUE,
     GL_UNKNOWN},
    {"a[*]", "{\"a\":[9223372036854775807,1]}", NULL, NULL, NULL, "9223372036854775807 1",
     GL_KNOWN_VALUE, GL_UNKNOWN},
};

static void paths_give_what_they_say(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++)
        run(&samples[i]);
}

/* Marks have the shape of what they are laid on; `name` is what is told of it. */
static void what_is_hidden_settles_the_path(void **state)
{
    static const struct {
        const char *path, *values, *marks, *refers, *name;
    } rows[] = {
        {"a", "{\"a\":\"x\"}", "{\"a\":true}", NULL, "a"},
        {"a", "{\"a\":\"x\"}", "true", NULL, "a"},
        {"a.b", "{\"a\":[{\"b\":3}]}", "{\"a\":true}", NULL, "a"},
        {"a.b", "{\"a\":[{\"b\":3}]}", "{\"a\":[{\"b\":true}]}", NULL, "a.b"},
        /* No other alternative, no default, and no reference counts in its place. */
        {"a ; c", "{\"a\":\"x\",\"c\":2}", "{\"a\":true}", NULL, "a"},
        {"a ; =7", "{\"a\":\"x\"}", "{\"a\":true}", NULL, "a"},
        {"a ; c", "{\"c\":2}", "{\"c\":true}", NULL, "c"},
        {"a.b -> t.c", "{\"a\":{\"b\":\"i\"}}", "{\"a\":{\"b\":true}}", "{\"t\":{\"c\":1}}", "a.b"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct scene scene = {.written = "none"};
        struct gl_follower follower = {
            .cookie = &scene, .follow = follow, .is_written = is_written, .hides = true};
        struct gl_arena arena = {0};
        struct gl_jtree marks = {0};
        struct gl_path_fault fault;
        const struct gl_path *path = gl_path_parse(rows[i].path, &arena, &fault);
        const char *text;
        enum gl_known known;

        parse(&scene.values, rows[i].values);
        parse(&scene.refers, rows[i].refers);
        parse(&marks, rows[i].marks);
        assert_true(gl_reader_hide(&scene.values, gl_jtree_root(&scene.values), &marks,
                                   gl_jtree_root(&marks)));
        const struct gl_attributes from = {.tree = &scene.values,
                                           .values = gl_jtree_root(&scene.values)};
        assert_int_equal(gl_path_texts(path, &from, &follower, &arena, &text, 1, &known, NULL), 0);
        assert_int_equal(known, GL_KNOWN_LATER);
        assert_int_equal(gl_path_number(path, &from, &follower, NULL), GL_UNKNOWN);
        assert_string_equal(gl_path_hidden(path, &from, &follower, &arena), rows[i].name);
        gl_jtree_done(&scene.values);
        gl_jtree_done(&scene.refers);
        gl_jtree_done(&marks);
        gl_arena_done(&arena);
    }
}

static void wrong_paths_say_where(void **state)
{
    static const struct {
        const char *text;
        size_t offset;
    } rows[] = {
        {"", 0},
        {"a.", 2},
        {"a..b", 2},
        {"a ;", 3},
        {"a -> b", 6},
        {"a b", 2},
        {"a.(b", 4},
        {"a.(b -> t.c)", 8},
        {"\"a", 0},
        {"a[1]", 1},
        {"= 3", 1},
        {"a -> ", 5},
        {"a -> t.(b", 9},
        {"(a ; b", 6},
        {"(a -> t.c)", 6},
        {"a ? b ? c", 6},
        {"a.(b ; c) ? d", 10},
        {"a -> t.(b -> u.c)", 13},
        {"a.(b.(c.(d.(e.(f)))))", 15},
        {"a.a.a.a.a.a.a.a.a.a.a.a.a", 24},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct gl_arena arena = {0};
        struct gl_path_fault fault;

        assert_null(gl_path_parse(rows[i].text, &arena, &fault));
        if (fault.reason == NULL || fault.offset != rows[i].offset)
            fail_msg("\"%s\": at %zu, %s", rows[i].text, fault.offset, fault.reason);
        gl_arena_done(&arena);
    }
}

static const struct {
    const char *provider;
    enum gl_place_kind kind;
    const char *text, *region;
} zone_rows[] = {
    {"aws", GL_PLACE_ZONE, "us-east-1a", "us-east-1"},
    {"aws", GL_PLACE_ZONE, "us-gov-west-1b", "us-gov-west-1"},
    {"aws", GL_PLACE_ZONE, "us-east-1-bos-1a", "us-east-1"},
    {"aws", GL_PLACE_ZONE, "us-east-1-wl1-bos-wlz-1", "us-east-1"},
    {"aws", GL_PLACE_ZONE, "use1-az2", "us-east-1"},
    {"aws", GL_PLACE_ZONE, "apne1-az4", "ap-northeast-1"},
    {"aws", GL_PLACE_ZONE, "aps1-az1", "ap-south-1"},
    {"aws", GL_PLACE_ZONE, "euc1-az3", "eu-central-1"},
    {"aws", GL_PLACE_ZONE, "usgw1-az1", "us-gov-west-1"},
    {"aws", GL_PLACE_ZONE, "use1-bos1-az1", "us-east-1"},
    {"aws", GL_PLACE_ZONE, "use1-wl1-bos-wlz1", "us-east-1"},
    {"aws", GL_PLACE_ZONE, "xyz1-az1", NULL},
    {"aws", GL_PLACE_ZONE, "use1", NULL},
    {"aws", GL_PLACE_REGION, "eu-north-1", "eu-north-1"},
    {"aws", GL_PLACE_ZONE, "moon", NULL},
    {"aws", GL_PLACE_ZONE, "us-east-1ab", NULL},
    {"aws", GL_PLACE_ZONE, "", NULL},
    {"aws", GL_PLACE_ARN, "arn:aws:ec2:eu-west-3:123:subnet/subnet-1", "eu-west-3"},
    {"aws", GL_PLACE_ARN, "arn:aws:iam::123:role/x", NULL},
    {"aws", GL_PLACE_ARN, "arn:aws", NULL},
    {"google", GL_PLACE_ZONE, "europe-west9-b", "europe-west9"},
    {"google", GL_PLACE_LOCATION, "us-central1", "us-central1"},
    {"google", GL_PLACE_ZONE, "https://www.googleapis.com/compute/v1/projects/p/zones/us-east4-c",
     "us-east4"},
    {"google", GL_PLACE_ARN, "projects/p/locations/us-east4/clusters/c", "us-east4"},
    {"google", GL_PLACE_ARN, "regional-europe-west1", "europe-west1"},
    {"google", GL_PLACE_ARN, "my-cluster", NULL},
    {"azurerm", GL_PLACE_LOCATION, "West Europe", "westeurope"},
    {"azurerm", GL_PLACE_LOCATION, "(Europe) West Europe", "westeurope"},
    {"azurerm", GL_PLACE_LOCATION, "swedencentral", "swedencentral"},
    {"azurerm", GL_PLACE_LOCATION, "${var.x}", NULL},
    {"scaleway", GL_PLACE_ZONE, "fr-par-1", "fr-par"},
    {"scaleway", GL_PLACE_REGION, "fr-par", "fr-par"},
    {"hcloud", GL_PLACE_ZONE, "fsn1-dc14", "fsn1"},
    {"hcloud", GL_PLACE_LOCATION, "hel1", "hel1"},
    {"ovh", GL_PLACE_REGION, "GRA11", "GRA"},
    {"ovh", GL_PLACE_REGION, "UK1", "UK"},
    {"ovh", GL_PLACE_REGION, "EU-WEST-PAR", "EU-WEST-PAR"},
    {"ovh", GL_PLACE_ZONE, "EU-WEST-PAR-A", "EU-WEST-PAR"},
    {"oci", GL_PLACE_ZONE, "Uocm:PHX-AD-1", "us-phoenix-1"},
    {"oci", GL_PLACE_ZONE, "GrCh:US-ASHBURN-AD-3", "us-ashburn-1"},
    {"oci", GL_PLACE_ZONE, "xYzA:EU-ZURICH-1-AD-1", "eu-zurich-1"},
    {"oci", GL_PLACE_REGION, "uk-london-1", "uk-london-1"},
    {"yandex", GL_PLACE_ZONE, "ru-central1-a", "ru-central1"},
    {"stackit", GL_PLACE_ZONE, "eu01-1", "eu01"},
    {"exoscale", GL_PLACE_REGION, "de-fra-1", "de-fra-1"},
    {"digitalocean", GL_PLACE_REGION, "fra1", "fra1"},
    {"kubernetes", GL_PLACE_ZONE, "eu-west-1a", NULL},
    {"kubernetes", GL_PLACE_REGION, "eu-west-1", "eu-west-1"},
};

static void regions_follow_from_zones(void **state)
{
    struct gl_error err = {0};
    struct gl_hook_mapping *mapping = gl_mapping_open(NULL, &err);
    struct gl_arena arena = {0};

    (void)state;
    for (size_t i = 0; i < sizeof zone_rows / sizeof zone_rows[0]; i++) {
        const char *region = gl_mapping_region(gl_mapping_provider(mapping, zone_rows[i].provider),
                                               zone_rows[i].kind, zone_rows[i].text, &arena);

        if ((region == NULL) != (zone_rows[i].region == NULL) ||
            (region != NULL && strcmp(region, zone_rows[i].region) != 0))
            fail_msg("%s: %s", zone_rows[i].text, region != NULL ? region : "none");
    }
    gl_arena_done(&arena);
    gl_mapping_free(mapping);
}

static void quantities_in_texts_are_read(void **state)
{
    static const struct {
        const char *text, *unit;
        int64_t value;
    } vcpus[] = {{"2", "cores", 2000000},
                 {"500m", "cores", 500000},
                 {"0.25", "cores", 250000},
                 {"1 vCPU", "units", 1000000},
                 {"512", "units", 500000},
                 {".5 vCPU", "units", 500000},
                 {"250", "milli", 250000},
                 {"x", "cores", GL_UNKNOWN},
                 {"", "cores", GL_UNKNOWN},
                 {"1e1", "cores", 10000000},
                 {"1e", "cores", GL_UNKNOWN},
                 {"25e-2", "cores", 250000},
                 {"1e99999999999999999999", "cores", GL_UNKNOWN},
                 {"0e999999999", "cores", 0},
                 {"1e-99999999999", "cores", 0},
                 {"1e+", "cores", GL_UNKNOWN}},
      memory[] = {{"512", "MiB", 512},
                  {"2 GB", "MiB", 2048},
                  {"1Gi", "bytes", 1024},
                  {"256M", "bytes", 245},
                  {"128974848", "bytes", 123},
                  {"129e6", "bytes", 124},
                  {"1.29E+8", "bytes", 124},
                  {"128974848000m", "bytes", 123},
                  {"1m", "MiB", GL_UNKNOWN},
                  {"1T", "bytes", 953675},
                  {"1e18", "bytes", GL_UNKNOWN},
                  {"1.5", "GiB", 1536},
                  {"4", "KiB", 1},
                  {"0.5Gi", "GiB", 512},
                  {"9999999999999", "GiB", GL_UNKNOWN},
                  {"1000000", "GiB", 1024000000},
                  {"big", "MiB", GL_UNKNOWN}};
    int64_t vcpus_u, memory_mib;

    (void)state;
    for (size_t i = 0; i < sizeof vcpus / sizeof vcpus[0]; i++)
        assert_int_equal(gl_hook_vcpus(vcpus[i].text, vcpus[i].unit), vcpus[i].value);
    for (size_t i = 0; i < sizeof memory / sizeof memory[0]; i++)
        if (gl_hook_memory(memory[i].text, memory[i].unit) != memory[i].value)
            fail_msg("%s %s: %lld", memory[i].text, memory[i].unit,
                     (long long)gl_hook_memory(memory[i].text, memory[i].unit));
    assert_int_equal(gl_hook_duration("3600s"), 3600);
    assert_int_equal(gl_hook_duration("600"), 600);
    assert_int_equal(gl_hook_duration("soon"), GL_UNKNOWN);
    assert_true(gl_hook_custom_size("db-custom-2-7680", &vcpus_u, &memory_mib));
    assert_int_equal(vcpus_u, 2000000);
    assert_int_equal(memory_mib, 7680);
    assert_true(gl_hook_custom_size("n2-custom-4-8192-ext", &vcpus_u, &memory_mib));
    assert_false(gl_hook_custom_size("custom-4", &vcpus_u, &memory_mib));
    assert_false(gl_hook_custom_size("xcustom-4-4", &vcpus_u, &memory_mib));
    assert_false(gl_hook_custom_size("n2-standard-4", &vcpus_u, &memory_mib));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_give_what_they_say),
        cmocka_unit_test(what_is_hidden_settles_the_path),
        cmocka_unit_test(wrong_paths_say_where),
        cmocka_unit_test(regions_follow_from_zones),
        cmocka_unit_test(quantities_in_texts_are_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
