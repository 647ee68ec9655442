/* SPDX-License-Identifier: Apache-2.0 */
/* What Google and Azure call the states of a machine. One that is seen is never lost: what is lost
 * counts as over, and nobody looks at it again. */
#include "providers/cloud/azure.h"
#include "providers/cloud/gcp.h"
#include "providers/cloud/labels.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct gl_launch launch = {
    .token = "00000000aaaaaaaa0123456789abcdef0123456789abcdef0123456789abcdef",
    .launch_id = "gl-4k2p9x",
    .region = "europe-north1",
    .type = "n2-standard-2",
    .attempt = 1,
    .expires = {1800000000}};

/* The enumeration of https://compute.googleapis.com/$discovery/rest?version=v1, Instance.status. */
static void of_google(void **state)
{
    static const struct {
        const char *word;
        enum gl_instance_state state;
    } rows[] = {
        {"DEPROVISIONING", GL_STATE_STOPPING}, {"PENDING", GL_STATE_LAUNCHING},
        {"PENDING_STOP", GL_STATE_STOPPING},   {"PROVISIONING", GL_STATE_LAUNCHING},
        {"REPAIRING", GL_STATE_RUNNING},       {"RUNNING", GL_STATE_RUNNING},
        {"STAGING", GL_STATE_LAUNCHING},       {"STOPPED", GL_STATE_HALTED},
        {"STOPPING", GL_STATE_STOPPING},       {"SUSPENDED", GL_STATE_SUSPENDED},
        {"SUSPENDING", GL_STATE_STOPPING},     {"TERMINATED", GL_STATE_HALTED},
        {"A_NEW_WORD", GL_STATE_RUNNING},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        json_t *instance = json_pack("{s:s,s:s,s:s,s:o}", "name", "gl-4k2p9x-1", "zone",
                                     "https://x/zones/europe-north1-a", "status", rows[i].word,
                                     "labels", gl_labels_json(&launch));
        struct gl_instance out;

        assert_true(gl_gcp_read_instance(instance, &out));
        if (out.state != rows[i].state)
            fail_msg("%s: %s", rows[i].word, gl_instance_state_word(out.state));
        json_decref(instance);
    }
}

/* https://learn.microsoft.com/azure/virtual-machines/states-billing */
static void of_azure(void **state)
{
    static const struct {
        const char *power, *made; /* NULL = not told */
        enum gl_instance_state state;
    } rows[] = {
        {"PowerState/running", "Succeeded", GL_STATE_RUNNING},
        {"PowerState/starting", "Updating", GL_STATE_LAUNCHING},
        {"PowerState/stopping", "Updating", GL_STATE_STOPPING},
        {"PowerState/stopped", "Succeeded", GL_STATE_HALTED},
        {"PowerState/deallocating", "Updating", GL_STATE_STOPPING},
        {"PowerState/deallocated", "Succeeded", GL_STATE_HALTED},
        {"PowerState/unknown", "Succeeded", GL_STATE_RUNNING},
        {"PowerState/running", "Deleting", GL_STATE_STOPPING},
        {NULL, "Creating", GL_STATE_LAUNCHING},
        {NULL, "Failed", GL_STATE_HALTED},
        {NULL, NULL, GL_STATE_RUNNING},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        json_t *vm = json_pack(
            "{s:s,s:s,s:o,s:{s:s*,s:{s:[{s:s*}]}}}", "id",
            "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/"
            "gl-4k2p9x-1",
            "location", "swedencentral", "tags", gl_labels_json(&launch), "properties",
            "provisioningState", rows[i].made, "instanceView", "statuses", "code", rows[i].power);
        struct gl_instance out;

        assert_true(gl_azure_read_vm(vm, &out));
        if (out.state != rows[i].state)
            fail_msg("%zu: %s", i, gl_instance_state_word(out.state));
        json_decref(vm);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(of_google), cmocka_unit_test(of_azure)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
