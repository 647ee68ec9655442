/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/cli/refresh.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "broker/cli/act.h"
#include "providers/cloud/setting_list.h"
#include "providers/data/data.h"
#include "providers/pricelist.h"

#define CLOUDS_MAX  GL_CONFIG_CLOUDS_MAX
#define DEADLINE_MS 60000
#define EURO_KEY    "usd_per_eur" /* of clouds that sell in euro */

/* Those to be asked, and how each did. */
struct asked {
    struct gl_cloud *clouds[CLOUDS_MAX];
    struct gl_catalog *catalogs[CLOUDS_MAX];
    struct gl_catalog_report reports[CLOUDS_MAX];
    size_t count, kept;
    json_t *json;
};

char *gl_refresh_folder(struct gl_context *context)
{
    struct gl_error ignored = {0};
    const char *state = gl_context_state(context, &ignored);

    return state != NULL ? gl_path_join(state, "prices") : NULL;
}

static bool is_wanted(const struct gl_context *context, const struct gl_option_list *clouds,
                      const struct gl_cloud_ops *ops)
{
    if ((ops->caps & GL_CLOUD_REMOTE) == 0 || ops->catalog == NULL)
        return false;
    for (size_t i = 0; i < clouds->count; i++)
        if (gl_glob_match(clouds->items[i], ops->name))
            return true;
    return clouds->count == 0 && gl_config_cloud(&context->config, ops->name) != NULL;
}

static void note_unasked(struct gl_context *context, struct asked *asked, const char *cloud,
                         const struct gl_error *why)
{
    gl_say(context, "%s: not asked: %s", cloud, why->text);
    json_array_append_new(asked->json,
                          json_pack("{s:s,s:b,s:s}", "cloud", cloud, "ok", 0, "error", why->text));
}

static void open_all(struct gl_context *context, const struct gl_option_list *clouds,
                     struct asked *asked)
{
    size_t count;
    const struct gl_cloud_driver *drivers = gl_cloud_drivers(&count);

    for (size_t i = 0; i < count && asked->count < CLOUDS_MAX; i++) {
        struct gl_error why = {0};
        struct gl_cloud *cloud;

        if (!is_wanted(context, clouds, drivers[i].ops))
            continue;
        cloud = gl_act_open_cloud(context, drivers[i].ops->name, NULL, &why);
        if (cloud != NULL)
            asked->clouds[asked->count++] = cloud;
        else
            note_unasked(context, asked, drivers[i].ops->name, &why);
    }
}

static void note_asked(struct gl_context *context, struct asked *asked, size_t i)
{
    const struct gl_catalog_report *report = &asked->reports[i];
    const char *name = asked->clouds[i]->ops->name;
    json_t *row = json_pack("{s:s,s:b,s:I,s:I,s:I}", "cloud", name, "ok", report->is_whole, "rows",
                            (json_int_t)report->rows, "calls", (json_int_t)report->calls, "took_ms",
                            (json_int_t)report->took_ms);

    gl_say(context, "%s: %zu prices and types in %.1f s%s%s", name, report->rows,
           (double)report->took_ms / 1000,
           report->is_whole ? "" : "; not whole: ", report->is_whole ? "" : report->first.text);
    if (!report->is_whole)
        json_object_set_new(row, "error", json_string(report->first.text));
    json_array_append_new(asked->json, row);
}

static void keep(struct gl_context *context, struct asked *asked, size_t i)
{
    GL_AUTO(gl_auto_free) char *folder = gl_refresh_folder(context);
    const char *name = asked->clouds[i]->ops->name;
    struct gl_pricelist_asked told = {.retrieved_s = gl_now(&context->world).unix_s};
    struct gl_error trouble = {0};

    told.count = gl_catalog_rows(asked->catalogs[i], &told.rows);
    note_asked(context, asked, i);
    if (asked->reports[i].rows == 0)
        return;
    if (folder != NULL && gl_pricelist_write(folder, name, &told, &trouble) == 0)
        asked->kept++;
    else
        gl_warn(context, "refresh", "the prices of %s could not be kept: %s", name,
                folder != NULL ? trouble.text : "there is no state folder");
}

int gl_refresh(struct gl_context *context, const struct gl_option_list *clouds, json_t **out_json,
               struct gl_error *err)
{
    struct asked asked = {.json = json_array()};
    size_t named;

    open_all(context, clouds, &asked);
    named = json_array_size(asked.json) + asked.count;
    if (asked.count > 0) {
        gl_progress(context, "asking %zu cloud%s", asked.count, asked.count == 1 ? "" : "s");
        gl_catalog_refresh(asked.clouds, asked.count, DEADLINE_MS, asked.catalogs, asked.reports);
        gl_progress_end(context);
    }
    for (size_t i = 0; i < asked.count; i++) {
        keep(context, &asked, i);
        gl_catalog_free(asked.catalogs[i]);
        gl_cloud_close(asked.clouds[i]);
    }
    *out_json = asked.json;
    if (named == 0)
        return gl_fail(err, GL_E_USAGE,
                       "no cloud is configured that could be asked; name one with --cloud, or: "
                       "greenlaunch provider add NAME");
    return 0;
}

static bool is_in_tables(const char *cloud)
{
    const struct gl_region_row *rows;
    size_t count = gl_data_regions(&rows);

    for (size_t i = 0; i < count; i++)
        if (strcmp(rows[i].cloud, cloud) == 0)
            return true;
    return false;
}

size_t gl_refresh_owns(const struct gl_context *context,
                       struct gl_offer_own out[GL_CONFIG_CLOUDS_MAX])
{
    size_t count, used = 0;
    const struct gl_cloud_driver *drivers = gl_cloud_drivers(&count);

    for (size_t i = 0; i < count && used < GL_CONFIG_CLOUDS_MAX; i++) {
        const struct gl_cloud_ops *ops = drivers[i].ops;

        if ((ops->caps & GL_CLOUD_REMOTE) != 0 && ops->catalog != NULL && !is_in_tables(ops->name))
            out[used++] = (struct gl_offer_own){
                ops->name,
                gl_config_setting(gl_config_cloud(&context->config, ops->name), GL_CLOUD_ZONE_KEY)};
    }
    return used;
}

/* ---- what is missing ---- */

static bool is_named(const struct gl_request *request, const char *cloud)
{
    for (const char *const *name = request->clouds; name != NULL && *name != NULL; name++)
        if (strcmp(*name, cloud) == 0)
            return true;
    return false;
}

static void advise(struct gl_context *context, const struct gl_cloud_ops *ops,
                   const struct gl_offer_list *offers)
{
    const struct gl_config_section *config = gl_config_cloud(&context->config, ops->name);
    size_t count = 0, priced = 0;

    for (size_t i = 0; i < offers->count; i++)
        if (strcmp(offers->offers[i].place->cloud, ops->name) == 0) {
            count++;
            priced += offers->offers[i].price_u_usd_per_h != GL_UNKNOWN;
        }
    if (count == 0 && !is_in_tables(ops->name))
        gl_warn(context, "refresh",
                "only %s itself knows its regions and types, and what it said is not at hand: "
                "greenlaunch offers --refresh --cloud %s",
                ops->name, ops->name);
    else if (count > 0 && priced == 0 && gl_setting_key(ops->keys, EURO_KEY) != NULL &&
             gl_config_setting(config, EURO_KEY) == NULL)
        gl_warn(context, "refresh",
                "no price of %s in USD is known: ask it (greenlaunch offers --refresh --cloud %s), "
                "and where it bills in EUR name your own rate, the setting " EURO_KEY,
                ops->name, ops->name);
}

void gl_refresh_advise(struct gl_context *context, const struct gl_request *request,
                       const struct gl_offer_list *offers)
{
    size_t count;
    const struct gl_cloud_driver *drivers = gl_cloud_drivers(&count);

    for (size_t i = 0; i < count; i++)
        if ((drivers[i].ops->caps & GL_CLOUD_REMOTE) != 0 &&
            is_named(request, drivers[i].ops->name))
            advise(context, drivers[i].ops, offers);
}
