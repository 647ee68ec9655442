/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/venue/adapter.h"

#include <string.h>

/* Add a venue: one file, one line here (docs/how-to-add-a-venue.md). */
/* clang-format off */
static const struct gl_venue_ops *const venues[] = {
    &gl_venue_file,
    &gl_venue_browser,
    &gl_venue_email,
    &gl_venue_smtp,
    &gl_venue_webhook,
    &gl_venue_github,
    &gl_venue_gitlab,
    &gl_venue_aws_support,
    &gl_venue_google_support,
    &gl_venue_azure_support,
    &gl_venue_ovh,
    &gl_venue_jira,
    &gl_venue_zendesk,
};
/* clang-format on */

#define VENUES (sizeof venues / sizeof venues[0])

const struct gl_venue_ops *const *gl_venue_registry(size_t *out_count)
{
    *out_count = VENUES;
    return venues;
}

const struct gl_venue_ops *gl_venue_find_ops(const char *name)
{
    for (size_t i = 0; i < VENUES; i++)
        if (strcmp(venues[i]->name, name) == 0)
            return venues[i];
    return NULL;
}

const char *gl_venue_ops_name(const struct gl_venue_ops *ops)
{
    return ops->name;
}

const char *gl_venue_ops_title(const struct gl_venue_ops *ops)
{
    return ops->title;
}

const char *gl_venue_ops_docs(const struct gl_venue_ops *ops)
{
    return ops->docs;
}

unsigned gl_venue_ops_caps(const struct gl_venue_ops *ops)
{
    return ops->caps;
}

const struct gl_setting_key *gl_venue_ops_keys(const struct gl_venue_ops *ops)
{
    return ops->keys;
}
