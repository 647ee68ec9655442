/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/hook/mapping_part.h"

/* The mapping files of this version, as they lie in broker/hook/mapping/, carried by the program.
 * In order of name. */

#define CARRIED(X)    \
    X(alicloud)       \
    X(aws)            \
    X(azapi)          \
    X(azure_native)   \
    X(azurerm)        \
    X(cloudformation) \
    X(digitalocean)   \
    X(exoscale)       \
    X(google)         \
    X(hcloud)         \
    X(ibm)            \
    X(kubernetes)     \
    X(libvirt)        \
    X(linode)         \
    X(oci)            \
    X(openstack)      \
    X(ovh)            \
    X(proxmox)        \
    X(scaleway)       \
    X(stackit)        \
    X(tencentcloud)   \
    X(upcloud)        \
    X(vsphere)        \
    X(vultr)          \
    X(yandex)

#define CARRY(name)                                                                      \
    extern const char gl_mapping_##name##_begin[] __attribute__((visibility("hidden"))); \
    extern const char gl_mapping_##name##_end[] __attribute__((visibility("hidden")));   \
    __asm__(".pushsection .rodata\n"                                                     \
            ".hidden gl_mapping_" #name "_begin\n"                                       \
            ".global gl_mapping_" #name "_begin\n"                                       \
            "gl_mapping_" #name "_begin:\n"                                              \
            ".incbin \"broker/hook/mapping/" #name ".yaml\"\n"                           \
            ".hidden gl_mapping_" #name "_end\n"                                         \
            ".global gl_mapping_" #name "_end\n"                                         \
            "gl_mapping_" #name "_end:\n"                                                \
            ".byte 0\n"                                                                  \
            ".popsection\n");
CARRIED(CARRY)

#define ROW(name) {#name, gl_mapping_##name##_begin, gl_mapping_##name##_end},
static const struct gl_carried files[] = {CARRIED(ROW)};

const struct gl_carried *gl_mapping_carried(size_t *out_count)
{
    *out_count = sizeof files / sizeof files[0];
    return files;
}
