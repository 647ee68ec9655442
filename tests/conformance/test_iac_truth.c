/* SPDX-License-Identifier: Apache-2.0 */
/* Plans of other people read by us, beside what people derived from them by hand. The folder is
 * named by GREENLAUNCH_TEST_IAC: terraform/ with plans (some .xz) and ground-truth.json. Skipped
 * where it is not given; the small plans of tests/cases/hook cover the same code. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/json.h"
#include "broker/hook/reader.h"

static const char *folder(void)
{
    return getenv("GREENLAUNCH_TEST_IAC");
}

/* `name` may end in .xz. */
static int read_plan(const struct gl_hook_mapping *mapping, const char *name,
                     struct gl_hook_plan *out, struct gl_error *err)
{
    struct gl_hook_options options = {.mapping = mapping};
    size_t length = strlen(name);
    bool is_packed = length > 3 && strcmp(name + length - 3, ".xz") == 0;
    char command[1024];
    struct gl_feed *feed;
    FILE *pipe;
    int status;

    snprintf(command, sizeof command, "%s '%s/%s'", is_packed ? "xz -dc" : "cat", folder(), name);
    pipe = popen(command, "r");
    assert_non_null(pipe);
    feed = gl_feed_of_fd(fileno(pipe), name);
    *out = (struct gl_hook_plan){0};
    status = gl_reader_terraform.read(feed, &options, out, err);
    gl_feed_close(feed);
    pclose(pipe);
    return status;
}

static const struct gl_intent *find(const struct gl_hook_plan *plan, const char *address)
{
    for (size_t i = 0; i < plan->count; i++)
        if (strcmp(plan->intents[i].address, address) == 0)
            return &plan->intents[i];
    return NULL;
}

static unsigned differ(const char *address, const char *what, const char *found,
                       const char *expected)
{
    if (strcmp(found != NULL ? found : "unknown", expected != NULL ? expected : "unknown") == 0)
        return 0;
    print_message("%s: %s is %s, expected %s\n", address, what, found != NULL ? found : "unknown",
                  expected != NULL ? expected : "unknown");
    return 1;
}

static unsigned differ_number(const char *address, const char *what, int64_t found,
                              const json_t *expected)
{
    char a[24], b[24];

    snprintf(a, sizeof a, "%lld", (long long)found);
    snprintf(b, sizeof b, "%lld", (long long)json_integer_value(expected));
    return differ(address, what, found == GL_UNKNOWN ? NULL : a,
                  json_is_integer(expected) ? b : NULL);
}

static bool is_candidate(const struct gl_intent *intent, const char *types)
{
    return intent->machine.type != NULL && strstr(types, intent->machine.type) != NULL;
}

static unsigned compare(const struct gl_hook_plan *plan, const json_t *expected)
{
    const char *address = json_string_value(json_object_get(expected, "address"));
    const char *type = json_string_value(json_object_get(expected, "instance_type"));
    const char *zone = json_string_value(json_array_get(json_object_get(expected, "zones"), 0));
    const json_t *count = json_object_get(expected, "count");
    const struct gl_intent *intent = find(plan, address);
    unsigned wrong = 0;

    if (intent == NULL)
        return differ(address, "resource", "missing", "there");
    wrong += differ(address, "launch", intent->is_launch ? "yes" : "no",
                    json_is_true(json_object_get(expected, "launches")) ? "yes" : "no");
    if (type == NULL || !is_candidate(intent, type))
        wrong += differ(address, "type", intent->machine.type, type);
    wrong += differ(address, "region", intent->place.region,
                    json_string_value(json_object_get(expected, "region")));
    if (zone != NULL)
        wrong += differ(address, "zone", intent->place.zone, zone);
    wrong += differ_number(address, "min", intent->count.min, json_object_get(count, "min"));
    wrong +=
        differ_number(address, "desired", intent->count.desired, json_object_get(count, "desired"));
    wrong += differ_number(address, "max", intent->count.max, json_object_get(count, "max"));
    return wrong;
}

static unsigned compare_plan(const struct gl_hook_mapping *mapping, const char *name,
                             const json_t *expected)
{
    struct gl_error err = {0};
    struct gl_hook_plan plan;
    unsigned wrong = 0, launches = 0;
    size_t i;
    json_t *resource;

    if (read_plan(mapping, name, &plan, &err) != 0) {
        print_message("%s: %s\n", name, err.text);
        return 1;
    }
    json_array_foreach(json_object_get(expected, "resources"), i, resource)
    {
        wrong += compare(&plan, resource);
        launches += json_is_true(json_object_get(resource, "launches"));
    }
    if (plan.launches != launches) {
        print_message("%s: %zu launches, expected %u\n", name, plan.launches, launches);
        wrong++;
    }
    gl_hook_plan_done(&plan);
    return wrong;
}

static struct gl_hook_mapping *open_mapping(void)
{
    struct gl_error err = {0};
    struct gl_hook_mapping *mapping = gl_mapping_open(NULL, &err);

    assert_non_null(mapping);
    return mapping;
}

static void test_truth(void **state)
{
    struct gl_hook_mapping *mapping;
    char path[1024];
    const char *name;
    json_t *truth, *plan;
    unsigned wrong = 0;

    (void)state;
    if (folder() == NULL) {
        print_message("skip GREENLAUNCH_TEST_IAC names no folder of plans\n");
        skip();
    }
    snprintf(path, sizeof path, "%s/ground-truth.json", folder());
    truth = json_load_file(path, 0, NULL);
    assert_non_null(truth);
    mapping = open_mapping();
    json_object_foreach(json_object_get(truth, "files"), name, plan) wrong +=
        compare_plan(mapping, name, plan);
    gl_mapping_free(mapping);
    json_decref(truth);
    assert_int_equal(wrong, 0);
}

/* Read without a crash; what cannot be read says why. */
static void test_all_read(void **state)
{
    struct gl_hook_mapping *mapping;
    const struct dirent *entry;
    unsigned read = 0;
    char path[1024];
    DIR *plans;

    (void)state;
    if (folder() == NULL)
        skip();
    snprintf(path, sizeof path, "%s/terraform", folder());
    plans = opendir(path);
    assert_non_null(plans);
    mapping = open_mapping();
    while ((entry = readdir(plans)) != NULL) {
        struct gl_error err = {0};
        struct gl_hook_plan plan;

        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "terraform/%.200s", entry->d_name);
        if (read_plan(mapping, path, &plan, &err) == 0)
            read++;
        else
            print_message("# %s\n", err.text);
        assert_true(plan.count >= plan.launches);
        gl_hook_plan_done(&plan);
    }
    closedir(plans);
    gl_mapping_free(mapping);
    assert_true(read > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_truth),
        cmocka_unit_test(test_all_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
