/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/config_part.h"

#include <string.h>

#define NAMES_MAX 32

/* ---- clouds: {aws: {profile: green}, hetzner: {}} ---- */

static int fail_cloud(const struct gl_reader *reader, const struct gl_node *node)
{
    const char *names[NAMES_MAX];
    size_t count, used = 0;
    const struct gl_cloud_driver *drivers = gl_cloud_drivers(&count);

    for (size_t i = 0; i < count && used < NAMES_MAX; i++)
        if ((drivers[i].ops->caps & GL_CLOUD_REMOTE) != 0)
            names[used++] = drivers[i].ops->name;
    return gl_config_fail_near(reader, node, "there is no cloud", names, used);
}

static int find_cloud(const struct gl_reader *reader, const struct gl_node *node,
                      struct gl_config_section *out, const struct gl_setting_key **out_keys)
{
    const struct gl_cloud_ops *ops = gl_cloud_find(node->key);

    if (ops == NULL || (ops->caps & GL_CLOUD_REMOTE) == 0)
        return fail_cloud(reader, node);
    out->name = ops->name;
    *out_keys = ops->keys;
    return 0;
}

static int read_clouds(const struct gl_reader *reader, const struct gl_field *field,
                       const struct gl_node *node, void *slot)
{
    static const struct gl_config_kind kind = {
        .word = "cloud",
        .sections = "{aws: {profile: green}, hetzner: {}}",
        .settings = "{region: eu-north-1}, or {}",
        .most = GL_CONFIG_CLOUDS_MAX,
        .may_be_bare = true,
        .find = find_cloud,
    };

    return gl_config_sections_read(reader, field, node, &kind, slot);
}

const struct gl_type gl_config_type_clouds = {read_clouds, NULL, false};

/* ---- meter: {url: https://..., sha256: ..., push: https://...} ---- */

#define METER(member) offsetof(struct gl_carried_meter, member)
static const struct gl_field meter_fields[] = {
    {.name = "url",
     .type = &gl_type_text,
     .offset = METER(url),
     .help = "Where a rented machine fetches greenlaunch-meter"},
    {.name = "sha256",
     .type = &gl_type_text,
     .offset = METER(sha256),
     .help = "SHA-256 that it must have"},
    {.name = "path",
     .type = &gl_config_type_path,
     .offset = METER(path),
     .help = "The program on this machine, embedded where it fits"},
    {.name = "arm64_url",
     .type = &gl_type_text,
     .offset = METER(arm64_url),
     .help = "Where a machine of that architecture fetches its own"},
    {.name = "arm64_sha256",
     .type = &gl_type_text,
     .offset = METER(arm64_sha256),
     .help = "SHA-256 that it must have"},
    {.name = "arm64_path",
     .type = &gl_config_type_path,
     .offset = METER(arm64_path),
     .help = "The program on this machine, embedded where it fits"},
    {.name = "gpu_url",
     .type = &gl_type_text,
     .offset = METER(gpu_url),
     .help = "Where greenlaunch-meter-gpu is fetched"},
    {.name = "gpu_sha256",
     .type = &gl_type_text,
     .offset = METER(gpu_sha256),
     .help = "SHA-256 that it must have"},
    {.name = "push",
     .type = &gl_type_text,
     .offset = METER(push),
     .help = "Address that readings are pushed to, beside the console"},
    {.name = NULL},
};
const struct gl_form gl_config_meter_form = {.what = "a meter", .fields = meter_fields};

void gl_config_add_meter(struct gl_str *out, const struct gl_carried_meter *meter)
{
    bool is_begun = false;

    for (const struct gl_field *field = meter_fields; field->name != NULL; field++) {
        const char *value;

        memcpy(&value, (const char *)meter + field->offset, sizeof value);
        if (value == NULL)
            continue;
        gl_str_addf(out, "%s  %s: ", is_begun ? "" : "meter:\n", field->name);
        gl_config_add_quoted(out, value);
        gl_str_add_char(out, '\n');
        is_begun = true;
    }
}
