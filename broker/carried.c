/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/carried.h"

#include <string.h>

#include "providers/data/data.h"

#define ARM "arm64"

bool gl_carried_is_any(const struct gl_carried_meter *meter)
{
    return meter != NULL && (meter->url != NULL || meter->path != NULL ||
                             meter->arm64_url != NULL || meter->arm64_path != NULL);
}

static bool is_arm(const struct gl_carried_type *type)
{
    const struct gl_type_row *row = gl_data_type(type->cloud, type->type);
    const char *arch = type->arch;

    if ((arch == NULL || arch[0] == '\0') && row != NULL)
        arch = row->arch;
    return arch != NULL && strcmp(arch, ARM) == 0;
}

int gl_carried_pick(const struct gl_carried_meter *named, const struct gl_carried_type *type,
                    struct gl_carried_meter *out, struct gl_error *err)
{
    struct gl_carried_meter picked = *named;
    bool wants_arm = is_arm(type);

    picked.arm64_url = picked.arm64_sha256 = picked.arm64_path = NULL;
    if (wants_arm) {
        picked.url = named->arm64_url;
        picked.sha256 = named->arm64_sha256;
        picked.path = named->arm64_path;
        picked.gpu_url = picked.gpu_sha256 = NULL; /* there is none for it */
    }
    if (gl_carried_is_any(named) && !gl_carried_is_any(&picked))
        return gl_fail(err, GL_E_USAGE,
                       wants_arm ? "%s is " ARM
                                   ", and no meter for that is named: put one into the "
                                   "configuration, meter: {" ARM "_url: https://..., " ARM
                                   "_sha256: ...}, or ask for --arch x86_64"
                                 : "%s is x86_64, and the meter named is for " ARM
                                   ": put one into the configuration, meter: {url: https://..., "
                                   "sha256: ...}, or ask for --arch " ARM,
                       type->type);
    *out = picked;
    return 0;
}
