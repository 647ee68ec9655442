/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/tenant.h"

#include <stdio.h>
#include <string.h>

#include "base/time.h"

#define SLACK_MS 60000 /* after the lease, until the machine's own timer has ended it */

/* ---- what whoami says ---- */

/* How each adapter writes it. */
static const struct wording {
    const char *cloud, *noun;
    const char *after; /* "" = from its beginning */
    const char *until; /* NULL = to its end */
} wordings[] = {
    {"aws", "account", "account ", ", "},
    {"azure", "subscription", "", " ("},
    {"digitalocean", "account", "account ", NULL},
    {"gcp", "project", "", " as "},
    {"kubernetes", "namespace", " in namespace ", NULL},
    {"openstack", "project", "", " as "},
    {"scaleway", "project", "project ", NULL},
};

static const struct wording *wording_of(const char *cloud)
{
    static const struct wording other = {"", "account", "", NULL};

    for (size_t i = 0; i < sizeof wordings / sizeof *wordings; i++)
        if (strcmp(wordings[i].cloud, cloud) == 0)
            return &wordings[i];
    return &other;
}

void gl_tenant_read(const char *cloud, const char *who, char out[GL_TENANT])
{
    const struct wording *wording = wording_of(cloud);
    const char *from = strstr(who, wording->after), *until;

    from = from != NULL ? from + strlen(wording->after) : who;
    until = wording->until != NULL ? strstr(from, wording->until) : NULL;
    snprintf(out, GL_TENANT, "%.*s", (int)(until != NULL ? (size_t)(until - from) : strlen(from)),
             from);
}

static bool is_remote(const struct gl_cloud *cloud)
{
    return (cloud->ops->caps & GL_CLOUD_REMOTE) != 0;
}

int gl_tenant_now(struct gl_cloud *cloud, char out[GL_TENANT], struct gl_error *err)
{
    char who[128];
    struct gl_error why = {0};

    if (is_remote(cloud) && !cloud->is_account_asked) {
        if (cloud->ops->whoami(cloud, who, &why) == 0)
            gl_tenant_read(cloud->ops->name, who, cloud->account);
        else if (why.code != GL_E_PERMISSION)
            return gl_fail(err, why.code, "whose account of %s this is cannot be told: %s",
                           cloud->ops->name, why.text);
        cloud->is_account_asked = true;
    }
    memcpy(out, cloud->account, GL_TENANT);
    return 0;
}

/* ---- what the intent says ---- */

struct noted {
    const char *token;
    char account[GL_TENANT];
};

static int note_intent(void *cookie, const json_t *event)
{
    struct noted *noted = cookie;
    const json_t *body = json_object_get(event, "body");
    const char *kind = json_string_value(json_object_get(event, "kind"));
    const char *token = json_string_value(json_object_get(body, "token"));
    const char *account = json_string_value(json_object_get(body, "account"));

    if (kind != NULL && strcmp(kind, "intent") == 0 && token != NULL && account != NULL &&
        strcmp(token, noted->token) == 0)
        snprintf(noted->account, sizeof noted->account, "%s", account);
    return 0;
}

static int not_comparable(const struct gl_launcher *launcher, const struct gl_launch_row *row,
                          bool is_noted, struct gl_error *err)
{
    int64_t until_ms = row->expires_ms + SLACK_MS;
    char text[GL_INSTANT_TEXT];

    if (launcher->world->now_ms(launcher->world->cookie) >= until_ms)
        return 0;
    return gl_fail(err, GL_E_OUTCOME,
                   "%s does not show it, but %s: it is believed gone only after its lease, at %s",
                   row->cloud,
                   is_noted ? "these credentials may not tell whose account they are of"
                            : "its intent does not say in which account it was launched",
                   gl_instant_text((struct gl_instant){until_ms / 1000}, text));
}

int gl_tenant_check(struct gl_launcher *launcher, const struct gl_launch_row *row,
                    struct gl_cloud *cloud, struct gl_error *err)
{
    struct noted noted = {.token = row->token};
    const char *noun = wording_of(row->cloud)->noun;
    char now[GL_TENANT];

    if (!is_remote(cloud))
        return 0;
    if (gl_ledger_events(launcher->ledger, row->launch, &noted, note_intent, err) != 0 ||
        gl_tenant_now(cloud, now, err) != 0)
        return -1;
    if (noted.account[0] == '\0' || now[0] == '\0')
        return not_comparable(launcher, row, noted.account[0] != '\0', err);
    if (strcmp(noted.account, now) == 0)
        return 0;
    return gl_fail(err, GL_E_NO_CREDENTIAL,
                   "it was launched in the %s %s of %s, and these credentials are of %s, which "
                   "cannot show it: use those of %s, and look again",
                   noun, noted.account, row->cloud, now, noted.account);
}
