/* SPDX-License-Identifier: Apache-2.0 */
/* Whose an attested document is: it names a vmId, which only the machine's resource shows beside
 * its name. https://learn.microsoft.com/rest/api/compute/virtual-machines/get */
#include "providers/cloud/azure.h"

#include <string.h>

#define VM_ID 36 /* "02aab8a4-74ef-476e-8182-f6d2ba4166a6" */

static bool is_vm_id(const char *text)
{
    return text != NULL && strlen(text) == VM_ID &&
           strspn(text, "0123456789abcdefABCDEF-") == VM_ID;
}

int gl_azure_identity(struct gl_cloud *cloud, const char *id, const char *nonce, struct gl_str *out,
                      struct gl_error *err)
{
    struct gl_azure *azure = gl_azure_of(cloud);
    GL_AUTO(gl_auto_json) json_t *root = NULL;
    GL_AUTO(gl_auto_json) json_t *said = NULL;
    GL_AUTO(gl_auto_free) char *text = NULL;
    struct gl_azure_id parts;
    char path[GL_AZURE_PATH];
    struct gl_instance machine;
    const char *name;
    int got;

    (void)nonce;
    if (gl_azure_id_read(id, &parts, err) != 0)
        return -1;
    gl_azure_path(parts.group, "virtualMachines", parts.name, path);
    gl_azure_begin(azure);
    got = gl_azure_get(azure, GL_AZURE_COMPUTE, path, &root, err);
    if (got <= 0)
        return got < 0 ? -1 : gl_fail(err, GL_E_NOT_FOUND, "azure knows no %s", id);
    name = json_string_value(json_object_get(json_object_get(root, "properties"), "vmId"));
    if (!is_vm_id(name) || !gl_azure_read_vm(root, &machine))
        return gl_fail(err, GL_E_BAD_REPLY, "azure: %s has no vmId", id);
    said = json_pack("{s:s,s:s}", "instance", name, "region", machine.region);
    text = gl_json_canonical(said, err);
    if (text == NULL)
        return -1;
    gl_str_add(out, text);
    return 0;
}
