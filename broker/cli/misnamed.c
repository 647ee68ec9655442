/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/cli/misnamed.h"

#include "policy/source.h"
#include "providers/cloud/cloud.h"
#include "providers/data/data.h"

#include <stdlib.h>
#include <string.h>

/* One way to name offers. */
struct naming {
    const char *word;
    const char *(*of)(const struct gl_offer *offer);
};

static const char *cloud_of(const struct gl_offer *offer)
{
    return offer->place->cloud;
}

static const char *region_of(const struct gl_offer *offer)
{
    return offer->place->region;
}

static const char *type_of(const struct gl_offer *offer)
{
    return offer->type->name;
}

static bool is_had(const struct naming *naming, const char *pattern,
                   const struct gl_offer_list *offers)
{
    for (size_t i = 0; i < offers->count; i++)
        if (gl_glob_match(pattern, naming->of(&offers->offers[i])))
            return true;
    return false;
}

/* The nearest name; of offers in a row that share theirs the first one counts. */
static const char *nearest_to(const struct naming *naming, const char *name,
                              const struct gl_offer_list *offers)
{
    GL_AUTO(gl_auto_free)
    const char **names = gl_alloc((offers->count + 1) * sizeof *names);
    size_t count = 0;

    for (size_t i = 0; i < offers->count; i++) {
        const char *one = naming->of(&offers->offers[i]);

        if (count == 0 || strcmp(names[count - 1], one) != 0)
            names[count++] = one;
    }
    return gl_text_nearest(name, names, count);
}

/* One that can be launched on is known, even before it has told what it offers. */
static bool is_driver(const char *pattern)
{
    size_t count;
    const struct gl_cloud_driver *drivers = gl_cloud_drivers(&count);

    for (size_t i = 0; i < count; i++)
        if (gl_glob_match(pattern, drivers[i].ops->name))
            return true;
    return false;
}

static void warn_of(struct gl_context *context, const struct naming *naming,
                    const char *const *asked, const struct gl_offer_list *offers)
{
    char shown[GL_TEXT_SHOWN];

    for (size_t i = 0; asked != NULL && asked[i] != NULL; i++) {
        if (is_had(naming, asked[i], offers) || (naming->of == cloud_of && is_driver(asked[i])))
            continue;
        const char *nearest = nearest_to(naming, asked[i], offers);

        gl_warn(context, "GL2010", "no offer has the %s \"%s\"%s%s", naming->word,
                gl_text_show(asked[i], shown), nearest != NULL ? "; did you mean " : "",
                nearest != NULL ? nearest : "");
    }
}

/* Lists of regions that rules have: two a rule, NULL where it has none. A misspelt region there
 * keeps out nobody, or everybody. */
#define LISTS_A_RULE 2

static const struct gl_constraint *list_of(const struct gl_policy *policy, size_t i)
{
    return gl_rule_constraint(&policy->rules[i / LISTS_A_RULE],
                              i % LISTS_A_RULE == 0 ? GL_KEY_REGIONS : GL_KEY_NOT_REGIONS);
}

void gl_warn_of_misnamed(struct gl_context *context, const struct gl_request *request,
                         const struct gl_policy *policy, const struct gl_offer_list *offers)
{
    static const struct naming cloud = {"cloud", cloud_of}, region = {"region", region_of},
                               type = {"type", type_of};

    warn_of(context, &cloud, request->clouds, offers);
    warn_of(context, &region, request->regions, offers);
    warn_of(context, &type, request->types, offers);
    for (size_t i = 0; i < policy->rule_count * LISTS_A_RULE; i++)
        if (list_of(policy, i) != NULL)
            warn_of(context, &region, list_of(policy, i)->globs, offers);
}

static const char *nearest_region(const char *name)
{
    const struct gl_region_row *rows;
    size_t count = gl_data_regions(&rows);
    GL_AUTO(gl_auto_free) const char **names = gl_alloc(count * sizeof *names);

    for (size_t i = 0; i < count; i++) {
        if (gl_glob_match(name, rows[i].region))
            return NULL;
        names[i] = rows[i].region;
    }
    return gl_text_nearest(name, names, count);
}

static void warn_of_list(struct gl_context *context, const struct gl_constraint *list)
{
    char shown[GL_TEXT_SHOWN], place[GL_POS_TEXT];

    for (size_t i = 0; list->globs[i] != NULL; i++) {
        const char *nearest = nearest_region(list->globs[i]);

        if (nearest != NULL)
            gl_warn(context, "GL2010", "%s: %s: no known region is called \"%s\"; did you mean %s",
                    gl_pos_text(&list->pos, place), list->key->name,
                    gl_text_show(list->globs[i], shown), nearest);
    }
}

void gl_warn_of_misnamed_regions(struct gl_context *context, const struct gl_policy *policy)
{
    for (size_t i = 0; i < policy->rule_count * LISTS_A_RULE; i++)
        if (list_of(policy, i) != NULL)
            warn_of_list(context, list_of(policy, i));
}

const char *gl_nearest_zone(const char *zone)
{
    const struct gl_zone_row *rows;
    size_t count = gl_data_zones(&rows);
    GL_AUTO(gl_auto_free) const char **names = gl_alloc(count * sizeof *names);

    for (size_t i = 0; i < count; i++)
        names[i] = rows[i].zone;
    return gl_text_nearest(zone, names, count);
}

void gl_warn_of_zone(struct gl_context *context, const char *zone)
{
    const char *nearest = gl_data_zone(zone) == NULL ? gl_nearest_zone(zone) : NULL;

    gl_warn(context, "GL8001", "nothing is known of grid zone \"%s\"%s%s", zone,
            nearest != NULL ? "; did you mean " : "", nearest != NULL ? nearest : "");
}
