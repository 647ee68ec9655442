/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_PROVIDERS_AZURE_WIRE_H
#define GL_PROVIDERS_AZURE_WIRE_H

/* The pure part of the Azure adapter: what Azure's answers mean, and what is sent. Asks nothing. */

#include "providers/cloud/catalog.h"
#include "providers/cloud/remote.h"

struct gl_azure;

/* ---- answers ---- */

extern const struct gl_remote_rule gl_azure_rules[];
bool gl_azure_read_error(const struct gl_http_reply *reply, struct gl_remote_word *out);
/* The innermost code of {"code","message","details":[...],"innererror"} that we know, else the
 * innermost. false when there is none. */
bool gl_azure_error_of(const json_t *error, struct gl_remote_word *out);
/* A machine as the API shows it; false when it is not ours. */
bool gl_azure_read_vm(const json_t *from, struct gl_instance *out);
/* "Creating", "Succeeded", "Failed"; "" when not told. */
const char *gl_azure_provisioning(const json_t *resource);
/* Part `at` of "/subscriptions/S/resourceGroups/G/...": the value behind that name, any case. */
bool gl_azure_path_part(const char *id, const char *name, char *out, size_t size);
/* Letters and digits only, as every location and type (which has _ and -, too): what goes into a
 * path as it is. */
bool gl_azure_is_plain(const char *text);
/* "Sweden Central" -> "swedencentral". */
void gl_azure_location(const char *text, char out[40]);

/* ---- names and bodies ---- */

/* Is the processor of that type an ARM one? By its name: p among the additive features. */
bool gl_azure_is_arm(const char *type);
/* One of "swedencentral=A, westeurope=B, C" for a region: that of its own, else the one without a
 * region; "REGION" in it is replaced. false when there is none or it does not fit. */
bool gl_azure_of_region(const char *setting, const char *region, char *out, size_t size);
/* An ssh-ed25519 public key whose private half is forgotten: nobody can sign in. */
#define GL_AZURE_SSH_KEY 128
void gl_azure_forgotten_key(const struct gl_world *world, char out[GL_AZURE_SSH_KEY]);
/* Body of the PUT of a machine; NULL with CONFIG. `user_data` is base64, `ssh_key` a public key,
 * `disk` a disk to start from instead of an image (may be NULL). */
struct gl_azure_body {
    const struct gl_launch *launch;
    const char *user_data, *ssh_key, *disk;
    bool is_disk_kept; /* the disk is not ours: it outlives the machine */
};
json_t *gl_azure_vm_body(const struct gl_azure *azure, const struct gl_azure_body *body,
                         struct gl_error *err);

/* ---- offers, rights, snapshots ---- */

/* A row of the retail prices: an hour of a machine without Windows, in USD. false: it is not. */
struct gl_azure_price_row {
    const char *region, *type; /* borrowed */
    bool is_spot;
    int64_t u_usd;
};
bool gl_azure_read_price(const json_t *row, struct gl_azure_price_row *out);
/* A machine type of the list of SKUs as a row; false when it is none, or not of that region. */
bool gl_azure_read_sku(const json_t *sku, const char *region, struct gl_catalog_row *out);
/* Why this subscription may not use it there, in Azure's word; NULL = it may. */
const char *gl_azure_restriction(const json_t *sku, const char *region);
/* Does an action of the list cover it? "Microsoft.Compute/virtualMachines/write"; * stands for any
 * text, cases are not told apart. Pure. */
bool gl_azure_allows(const json_t *permissions, const char *action);
/* A snapshot as the API shows it. Pure. */
void gl_azure_read_snapshot(const json_t *from, struct gl_cloud_image *out);
/* Is the image of a launch a snapshot of ours ("REGION/snapshots/NAME")? Its name, else NULL. */
const char *gl_azure_snapshot_name(const char *image, char out_region[40]);

#endif
