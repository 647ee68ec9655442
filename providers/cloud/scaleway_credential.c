/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/cloud/scaleway.h"

#include <stdio.h>

/* The key and the project that pays, as the scw command finds them. */

static void set_account(struct gl_vps *vps, const char *project)
{
    if (vps->account[0] == '\0' && project != NULL)
        snprintf(vps->account, sizeof vps->account, "%.63s", project);
}

static void read_config(struct gl_vps *vps, const char *profile, struct gl_error *err)
{
    const struct gl_world *world = vps->remote.world;
    char *text = gl_vps_config_read(vps, "SCW_CONFIG_PATH", "scw/config.yaml", err);
    static const struct gl_vps_tool tool = {"scw's config.yaml", "profile", "scw config dump"};
    struct gl_scaleway_profile found;

    if (profile == NULL)
        profile = world->getenv(world->cookie, "SCW_PROFILE");
    if (text != NULL && gl_scaleway_config_read(text, profile, &found)) {
        if (vps->token.length == 0)
            gl_vps_token_set(vps, found.secret_key);
        set_account(vps, found.project[0] != '\0' ? found.project : NULL);
        gl_wipe(&found, sizeof found);
    }
    if (text != NULL && vps->token.length == 0)
        gl_vps_config_lacks(vps, &tool, profile, err);
    gl_vps_config_free(text);
}

int gl_scaleway_credentials(struct gl_vps *vps, struct gl_error *err)
{
    const struct gl_world *world = vps->remote.world;
    const char *profile = gl_vps_setting(vps, "profile");
    struct gl_error why = {0};

    set_account(vps, gl_vps_setting(vps, "project"));
    if (profile == NULL) {
        gl_vps_token_env(vps, "SCW_SECRET_KEY");
        set_account(vps, world->getenv(world->cookie, "SCW_DEFAULT_PROJECT_ID"));
    }
    if (vps->token.length == 0 || vps->account[0] == '\0')
        read_config(vps, profile, &why);
    if (vps->token.length > 0)
        return 0;
    if (why.code != GL_OK)
        return gl_fail(err, why.code, "%s", why.text);
    return gl_fail(err, GL_E_NO_CREDENTIAL,
                   "scaleway: no API key: set SCW_ACCESS_KEY, SCW_SECRET_KEY and "
                   "SCW_DEFAULT_PROJECT_ID, or run: scw init");
}
