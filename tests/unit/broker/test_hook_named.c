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
           "\"name\":\"rg\",\"location\":\"" place "\"", "")
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

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(places_are_those_of_what_is_named)};

    return cmocka_run_group_tests(tests, open_mapping, close_mapping);
}
