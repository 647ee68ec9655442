/* SPDX-License-Identifier: Apache-2.0 */
/* Data sources that wait for apply: where a machine will stand whose place is asked of them. */
#include "tests/unit/broker/hook_read.h"

#define PLAN(changes, config)                                                           \
    "{\"format_version\":\"1.2\",\"resource_changes\":[" changes "],\"configuration\":" \
    "{\"root_module\":{\"resources\":[" config "]}}}"
#define CHANGE(address, mode, type, action, after, unknown)                                \
    "{\"address\":\"" address "\",\"mode\":\"" mode "\",\"type\":\"" type "\",\"change\":" \
    "{\"actions\":[\"" action "\"],\"before\":null,\"after\":{" after                      \
    "},\"after_unknown\":{" unknown "}}}"
#define GROUP(name, place)                                                                \
    CHANGE("azurerm_resource_group." name, "managed", "azurerm_resource_group", "create", \
           "\"id\":\"" name "\",\"name\":\"rg\",\"location\":\"" place "\"", "")
#define WAITING                                                                       \
    CHANGE("data.azurerm_resource_group.d", "data", "azurerm_resource_group", "read", \
           "\"name\":\"rg\"", "\"location\":true")
#define MACHINE(type, place) \
    CHANGE(type ".v", "managed", type, "create", "\"name\":\"v\"", "\"" place "\":true")
#define BLOCK(type, place, names)                                       \
    "{\"address\":\"" type ".v\",\"mode\":\"managed\",\"type\":\"" type \
    "\",\"name\":\"v\",\"expressions\":{\"" place "\":{\"references\":[" names "]}}}"
#define AZURE(names) BLOCK("azurerm_linux_virtual_machine", "location", names)
#define VM           MACHINE("azurerm_linux_virtual_machine", "location")
#define BOTH         "\"data.azurerm_resource_group.d.location\",\"data.azurerm_resource_group.d\""

struct row {
    const char *what, *plan, *region;
};

static const struct row rows[] = {
    {"a group that is planned under that name",
     PLAN(GROUP("g", "northeurope") "," VM "," WAITING, AZURE(BOTH)), "northeurope"},
    {"0.12 does not list the attribute that is meant",
     PLAN(GROUP("g", "northeurope") "," VM "," WAITING, AZURE("\"data.azurerm_resource_group.d\"")),
     "northeurope"},
    {"two groups of that name",
     PLAN(GROUP("g", "northeurope") "," GROUP("h", "eastus") "," VM "," WAITING, AZURE(BOTH)),
     NULL},
    {"two groups of that name at one place",
     PLAN(GROUP("g", "eastus") "," GROUP("h", "eastus") "," VM "," WAITING, AZURE(BOTH)), "eastus"},
    {"one of that name that goes",
     PLAN(GROUP("g", "eastus") ",{\"address\":\"azurerm_resource_group.h\",\"mode\":\"managed\","
                               "\"type\":\"azurerm_resource_group\",\"change\":{\"actions\":"
                               "[\"delete\"],\"before\":{\"name\":\"rg\",\"location\":\"westus\"},"
                               "\"after\":null,\"after_unknown\":{}}}," VM "," WAITING,
          AZURE(BOTH)),
     "eastus"},
    {"a group that is not planned", PLAN(VM "," WAITING, AZURE(BOTH)), NULL},
    {"zones of a region that is written",
     PLAN(CHANGE("data.google_compute_zones.z", "data", "google_compute_zones", "read",
                 "\"region\":\"europe-north1\"",
                 "\"names\":true") "," MACHINE("google_compute_instance", "zone"),
          BLOCK("google_compute_instance", "zone",
                "\"data.google_compute_zones.z.names\",\"data.google_compute_zones.z\","
                "\"count.index\"")),
     "europe-north1"},
};

static void places_are_those_of_what_is_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *region;
        struct gl_hook_plan plan;

        read_text(&gl_reader_terraform, rows[i].plan, (struct gl_hook_options){0}, &plan);
        assert_int_equal(plan.count, 1);
        region = plan.intents[0].place.region;
        if ((region == NULL) != (rows[i].region == NULL) ||
            (region != NULL && strcmp(region, rows[i].region) != 0))
            fail_msg("%s: %s", rows[i].what, region != NULL ? region : "unknown");
        gl_hook_plan_done(&plan);
    }
}

#define TEMPLATE(name, machine)                                                     \
    CHANGE("aws_launch_template." name, "managed", "aws_launch_template", "create", \
           "\"id\":\"" name "\",\"name\":\"lt\",\"instance_type\":\"" machine "\"", "")
#define SCALED(templates)                                                                          \
    PLAN(templates "," CHANGE("data.aws_launch_template.d", "data", "aws_launch_template", "read", \
                              "\"name\":\"lt\"",                                                   \
                              "\"id\":true") "," CHANGE("aws_autoscaling_group.v", "managed",      \
                                                        "aws_autoscaling_group", "create",         \
                                                        "\"min_size\":1,\"max_size\":1,\"launch_"  \
                                                        "template\":[{\"version\":\"1\"}]",        \
                                                        "\"launch_template\":[{\"id\":true}]"),    \
         "{\"address\":\"aws_autoscaling_group.v\",\"mode\":\"managed\",\"type\":"                 \
         "\"aws_autoscaling_group\",\"name\":\"v\",\"expressions\":{\"launch_template\":"          \
         "[{\"id\":{\"references\":[\"data.aws_launch_template.d.id\","                            \
         "\"data.aws_launch_template.d\"]}}]}}")

static void machines_are_those_of_what_is_named(void **state)
{
    static const struct {
        const char *plan, *types[3];
    } machines[] = {
        {SCALED(TEMPLATE("a", "m5.large") "," TEMPLATE("b", "m5.large")), {"m5.large"}},
        {SCALED(TEMPLATE("a", "m5.large") "," TEMPLATE("b", "c5.large")), {"m5.large", "c5.large"}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof machines / sizeof machines[0]; i++) {
        const struct gl_intent_machine *machine;
        struct gl_hook_plan plan;

        read_text(&gl_reader_terraform, machines[i].plan, (struct gl_hook_options){0}, &plan);
        assert_int_equal(plan.count, 3);
        machine = &plan.intents[2].machine;
        assert_string_equal(machine->type, machines[i].types[0]);
        if (machines[i].types[1] == NULL)
            assert_null(machine->candidates);
        else
            assert_string_equal(machine->candidates[1], machines[i].types[1]);
        gl_hook_plan_done(&plan);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(places_are_those_of_what_is_named),
                                       cmocka_unit_test(machines_are_those_of_what_is_named)};

    return cmocka_run_group_tests(tests, open_mapping, close_mapping);
}
