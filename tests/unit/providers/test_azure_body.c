/* SPDX-License-Identifier: Apache-2.0 */
/* The image that a type of Azure can boot, where no setting names one. */
#include "providers/cloud/azure.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void the_image_is_of_the_series(void **state)
{
    static const struct {
        const char *type, *sku;
    } rows[] = {
        {"Standard_A1_v2", "12"},
        {"Standard_D2_v3", "12"},
        {"Standard_D11_v2", "12"},
        {"Standard_E16_v3", "12"},
        {"Standard_F4", "12"},
        {"Standard_D2s_v3", "12-gen2"},
        {"Standard_DS1_v2", "12-gen2"},
        {"Standard_F2s_v2", "12-gen2"},
        {"Standard_D2_v5", "12-gen2"},
        {"Standard_B1s", "12-gen2"},
        {"Standard_D2as_v6", "12-gen2"},
        {"Standard_NC24ads_A100_v4", "12-gen2"},
        {"Standard_D2ps_v5", "12-arm64"},
        {"Standard_E4pds_v5", "12-arm64"},
        {"Standard_B2pls_v2", "12-arm64"},
    };
    const struct gl_azure azure = {.subscription = "11111111-2222-3333-4444-555555555555",
                                   .group = "green",
                                   .subnet = "net/default",
                                   .admin = "greenlaunch"};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct gl_launch launch = {
            .token = "00", .launch_id = "gl-1", .region = "swedencentral", .type = rows[i].type};
        const struct gl_azure_body wanted = {
            .launch = &launch, .user_data = "aGVsbG8=", .ssh_key = "ssh-ed25519 AAAA x"};
        struct gl_error err = {0};
        json_t *body = gl_azure_vm_body(&azure, &wanted, &err);
        const char *sku = NULL;

        assert_int_equal(json_unpack(body, "{s:{s:{s:{s:s}}}}", "properties", "storageProfile",
                                     "imageReference", "sku", &sku),
                         0);
        if (strcmp(sku, rows[i].sku) != 0)
            fail_msg("%s: %s", rows[i].type, sku);
        json_decref(body);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_image_is_of_the_series)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
