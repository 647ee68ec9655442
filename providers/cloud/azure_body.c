/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/cloud/azure.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DISK_KIND   "StandardSSD_LRS"
#define IMAGE_X86   "Debian:debian-12:12-gen2:latest"
#define IMAGE_GEN1  "Debian:debian-12:12:latest"
#define IMAGE_ARM   "Debian:debian-12:12-arm64:latest"
#define SSH_ED25519 "ssh-ed25519"

/* ---- names that mean something ---- */

/* https://learn.microsoft.com/azure/virtual-machines/vm-naming-conventions: family in capitals,
 * processors, "-" and constrained ones, additive features in small letters. */
bool gl_azure_is_arm(const char *type)
{
    const char *at = strncmp(type, "Standard_", 9) == 0 ? type + 9 : type;

    at += strspn(at, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
    at += strspn(at, "0123456789");
    if (*at == '-')
        at += 1 + strspn(at + 1, "0123456789");
    for (; islower((unsigned char)*at); at++)
        if (*at == 'p')
            return true;
    return false;
}

/* Series that boot generation 1 images only: A, and D, E and F before the fourth version without
 * premium storage ("s"). https://learn.microsoft.com/azure/virtual-machines/generation-2 */
static bool is_generation_1(const char *type)
{
    const char *at = strncmp(type, "Standard_", 9) == 0 ? type + 9 : type;
    char family = *at;

    at += family != '\0';
    if (family == '\0' || strchr("ADEF", family) == NULL || !isdigit((unsigned char)*at))
        return false;
    at += strspn(at, "0123456789");
    at += *at == 'i'; /* isolated: a whole server of the series */
    return family == 'A' || *at == '\0' || strcmp(at, "_v2") == 0 || strcmp(at, "_v3") == 0;
}

/* `text` with every REGION replaced. */
static bool fill_region(const char *text, size_t length, const char *region, char *out, size_t size)
{
    GL_AUTO(gl_str_done) struct gl_str filled = {.ceiling = size - 1};

    for (size_t i = 0; i < length;) {
        bool is_word = length - i >= 6 && strncmp(text + i, "REGION", 6) == 0;

        if (is_word)
            gl_str_add(&filled, region);
        else
            gl_str_add_char(&filled, text[i]);
        i += is_word ? 6 : 1;
    }
    if (filled.is_cut || filled.length == 0)
        return false;
    snprintf(out, size, "%s", gl_str_text(&filled));
    return true;
}

bool gl_azure_of_region(const char *setting, const char *region, char *out, size_t size)
{
    const char *chosen = NULL;
    size_t chosen_length = 0, own = strlen(region);

    for (const char *at = setting; *at != '\0';) {
        size_t length, trimmed;
        const char *equals;

        at += strspn(at, ", ");
        length = strcspn(at, ",");
        equals = memchr(at, '=', length);
        for (trimmed = length; trimmed > 0 && at[trimmed - 1] == ' '; trimmed--) {
        }
        if (equals != NULL && (size_t)(equals - at) == own && strncmp(at, region, own) == 0)
            return fill_region(equals + 1, trimmed - own - 1, region, out, size);
        if (equals == NULL && trimmed > 0 && chosen == NULL) {
            chosen = at;
            chosen_length = trimmed;
        }
        at += length;
    }
    return chosen != NULL && fill_region(chosen, chosen_length, region, out, size);
}

static void add_length(uint8_t out[4], uint32_t length)
{
    for (unsigned i = 0; i < 4; i++)
        out[i] = (uint8_t)(length >> (24 - 8 * i));
}

/* RFC 8709 section 4: string "ssh-ed25519", string key. */
void gl_azure_forgotten_key(const struct gl_world *world, char out[GL_AZURE_SSH_KEY])
{
    uint8_t seed[32], blob[4 + 11 + 4 + GL_KEY_BYTES];
    struct gl_secret_key secret;
    struct gl_public_key key;
    char text[4 * ((sizeof blob + 2) / 3) + 1];

    world->random(world->cookie, seed, sizeof seed);
    gl_key_of_seed(seed, &secret, &key);
    gl_wipe(seed, sizeof seed);
    gl_secret_key_wipe(&secret);
    add_length(blob, 11);
    memcpy(blob + 4, SSH_ED25519, 11);
    add_length(blob + 15, GL_KEY_BYTES);
    memcpy(blob + 19, key.bytes, GL_KEY_BYTES);
    gl_base64_text(blob, sizeof blob, text);
    snprintf(out, GL_AZURE_SSH_KEY, SSH_ED25519 " %s greenlaunch", text);
}

/* ---- the body of a machine ---- */

/* An id of some kind of image, or PUBLISHER:OFFER:SKU:VERSION. */
static json_t *image_of(const char *image, struct gl_error *err)
{
    char part[4][80];
    int end = 0;

    if (strncasecmp(image, "/CommunityGalleries/", 20) == 0)
        return json_pack("{s:s}", "communityGalleryImageId", image);
    if (strncasecmp(image, "/SharedGalleries/", 17) == 0)
        return json_pack("{s:s}", "sharedGalleryImageId", image);
    if (strncasecmp(image, "/subscriptions/", 15) == 0)
        return json_pack("{s:s}", "id", image);
    if (sscanf(image, "%79[^:]:%79[^:]:%79[^:]:%79[^:]%n", part[0], part[1], part[2], part[3],
               &end) == 4 &&
        image[end] == '\0')
        return json_pack("{s:s,s:s,s:s,s:s}", "publisher", part[0], "offer", part[1], "sku",
                         part[2], "version", part[3]);
    gl_fail(err, GL_E_CONFIG,
            "azure: the image %.100s is neither PUBLISHER:OFFER:SKU:VERSION nor an id", image);
    return NULL;
}

static json_t *storage_of(const struct gl_azure *azure, const struct gl_azure_body *body,
                          const char *name, struct gl_error *err)
{
    const char *image = body->launch->image != NULL ? body->launch->image : azure->image;
    json_t *reference;

    if (body->disk != NULL)
        return json_pack("{s:{s:s,s:s,s:s,s:{s:s}}}", "osDisk", "createOption", "Attach", "osType",
                         "Linux", "deleteOption", body->is_disk_kept ? "Detach" : "Delete",
                         "managedDisk", "id", body->disk);
    if (image == NULL)
        image = gl_azure_is_arm(body->launch->type)   ? IMAGE_ARM
                : is_generation_1(body->launch->type) ? IMAGE_GEN1
                                                      : IMAGE_X86;
    reference = image_of(image, err);
    if (reference == NULL)
        return NULL;
    return json_pack("{s:o,s:{s:s,s:s,s:s,s:{s:s}}}", "imageReference", reference, "osDisk",
                     "createOption", "FromImage", "deleteOption", "Delete", "name", name,
                     "managedDisk", "storageAccountType", DISK_KIND);
}

static json_t *os_of(const struct gl_azure *azure, const struct gl_azure_body *body,
                     const char *name)
{
    char path[120];

    snprintf(path, sizeof path, "/home/%.60s/.ssh/authorized_keys", azure->admin);
    return json_pack("{s:s,s:s,s:s,s:{s:b,s:{s:[{s:s,s:s}]}}}", "computerName", name,
                     "adminUsername", azure->admin, "customData", body->user_data,
                     "linuxConfiguration", "disablePasswordAuthentication", 1, "ssh", "publicKeys",
                     "path", path, "keyData", body->ssh_key);
}

/* NETWORK/SUBNET of the resource group, or a whole id. */
static bool subnet_of(const struct gl_azure *azure, const char *region, char *out, size_t size)
{
    char value[300], network[90], subnet[90];
    int end = 0;

    if (!gl_azure_of_region(azure->subnet, region, value, sizeof value))
        return false;
    if (value[0] == '/')
        return snprintf(out, size, "%s", value) < (int)size;
    if (sscanf(value, "%89[^/]/%89[^/]%n", network, subnet, &end) != 2 || value[end] != '\0')
        return false;
    return snprintf(out, size,
                    "/subscriptions/%s/resourceGroups/%s/providers/Microsoft.Network/"
                    "virtualNetworks/%s/subnets/%s",
                    azure->subscription, azure->group, network, subnet) < (int)size;
}

static json_t *address_of(const char *name)
{
    return json_pack("{s:s,s:{s:s,s:s},s:{s:s,s:s}}", "name", name, "sku", "name", "Standard",
                     "tier", "Regional", "properties", "deleteOption", "Delete",
                     "publicIPAllocationMethod", "Static");
}

static json_t *network_of(const struct gl_azure *azure, const char *region, const char *name,
                          struct gl_error *err)
{
    char subnet[500];
    json_t *at;

    if (!subnet_of(azure, region, subnet, sizeof subnet)) {
        gl_fail(err, GL_E_CONFIG, "azure: the setting subnet names none for %s", region);
        return NULL;
    }
    at = json_pack("{s:b,s:{s:s}}", "primary", 1, "subnet", "id", subnet);
    if (azure->has_address)
        json_object_set_new(at, "publicIPAddressConfiguration", address_of(name));
    return json_pack("{s:s,s:[{s:s,s:{s:b,s:s,s:[{s:s,s:o}]}}]}", "networkApiVersion",
                     GL_AZURE_NETWORK, "networkInterfaceConfigurations", "name", name, "properties",
                     "primary", 1, "deleteOption", "Delete", "ipConfigurations", "name", "ipconfig",
                     "properties", at);
}

/* https://learn.microsoft.com/rest/api/compute/virtual-machines/create-or-update. A machine from a
 * disk must have no osProfile: its user data goes where the metadata service shows it. */
json_t *gl_azure_vm_body(const struct gl_azure *azure, const struct gl_azure_body *body,
                         struct gl_error *err)
{
    const struct gl_launch *launch = body->launch;
    json_t *storage, *network = NULL, *properties;
    char name[GL_CLOUD_ID];

    gl_attempt_name(launch, name);
    storage = storage_of(azure, body, name, err);
    if (storage != NULL)
        network = network_of(azure, launch->region, name, err);
    if (network == NULL) {
        json_decref(storage);
        return NULL;
    }
    properties = json_pack("{s:{s:s},s:o,s:o,s:{s:{s:b}}}", "hardwareProfile", "vmSize",
                           launch->type, "storageProfile", storage, "networkProfile", network,
                           "diagnosticsProfile", "bootDiagnostics", "enabled", 1);
    if (body->disk != NULL)
        json_object_set_new(properties, "userData", json_string(body->user_data));
    else
        json_object_set_new(properties, "osProfile", os_of(azure, body, name));
    if (launch->is_spot) {
        json_object_set_new(properties, "priority", json_string("Spot"));
        json_object_set_new(properties, "evictionPolicy", json_string("Delete"));
        json_object_set_new(properties, "billingProfile", json_pack("{s:i}", "maxPrice", -1));
    }
    return json_pack("{s:s,s:o,s:o}", "location", launch->region, "tags", gl_labels_json(launch),
                     "properties", properties);
}
