/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/sign.h"
#include "broker/carried.h"
#include "broker/cli/act.h"
#include "broker/cli/doctor.h"
#include "broker/cli/provider.h"
#include "broker/render/text.h"
#include "providers/cloud/rights.h"
#include "providers/cloud/whereabouts.h"
#include "providers/data/data.h"

#define LEASE_S      3600
#define REGIONS_SHOW 4

/* ---- the smallest launch ---- */

/* What is asked for though nothing is launched. */
struct smallest {
    const char *region, *type;
    char own_type[64]; /* of the cloud's own list, which is borrowed */
};

/* The cheapest first; those without a price come after them, by size. */
static int64_t size_of(const struct gl_type_row *type, const struct gl_region_row *region)
{
    int64_t price = gl_data_price(type, region, NULL);

    return price >= 0 ? price : ((int64_t)1 << 40) * (1 + type->vcpus) + (int64_t)type->memory_mib;
}

static const struct gl_type_row *smallest_in(const char *cloud, const struct gl_region_row *region)
{
    const struct gl_type_row *types, *best = NULL;
    size_t count = gl_data_types(&types);

    for (size_t i = 0; i < count; i++)
        if (strcmp(types[i].cloud, cloud) == 0 && types[i].gpu == NULL &&
            (best == NULL || size_of(&types[i], region) < size_of(best, region)))
            best = &types[i];
    return best;
}

/* Does the person's own region or zone lie there? */
static bool is_own(const struct gl_config_section *added, const char *region)
{
    const char *own = gl_config_setting(added, "region");

    if (own == NULL)
        own = gl_config_setting(added, "zone");
    return own != NULL && strncmp(own, region, strlen(region)) == 0;
}

/* The person's own region before the others. */
static bool choose_smallest(const struct gl_config_section *added, const char *cloud,
                            const char *const *regions, struct smallest *out)
{
    bool has_any = false;

    for (size_t i = 0; regions[i] != NULL; i++) {
        const struct gl_region_row *row = gl_data_region(cloud, regions[i]);
        const struct gl_type_row *type = row != NULL ? smallest_in(cloud, row) : NULL;

        if (type == NULL || (has_any && !is_own(added, regions[i])))
            continue;
        out->region = regions[i];
        out->type = type->name;
        has_any = true;
        if (is_own(added, regions[i]))
            return true;
    }
    return has_any;
}

/* Of a cloud whose types stand in no table (a cluster's nodes, flavors): the first that it names
 * itself. */
static bool choose_first(const struct gl_config_section *added, struct gl_cloud *cloud,
                         const char *const *regions, struct smallest *out)
{
    struct gl_error ignored = {0};
    const char *const *types;
    size_t at = 0;

    for (size_t i = 0; regions[i] != NULL; i++)
        if (is_own(added, regions[i]))
            at = i;
    if (regions[at] == NULL || cloud->ops->types(cloud, regions[at], &types, &ignored) != 0 ||
        types[0] == NULL)
        return false;
    snprintf(out->own_type, sizeof out->own_type, "%s", types[0]);
    out->region = regions[at];
    out->type = out->own_type;
    return true;
}

static bool choose(struct gl_context *context, struct gl_cloud *cloud, const char *const *regions,
                   struct smallest *out)
{
    const struct gl_config_section *added = gl_config_cloud(&context->config, cloud->ops->name);

    return choose_smallest(added, cloud->ops->name, regions, out) ||
           choose_first(added, cloud, regions, out);
}

static void random_hex(const struct gl_world *world, char out[GL_HASH_HEX])
{
    struct gl_hash hash;

    world->random(world->cookie, hash.bytes, sizeof hash.bytes);
    gl_hash_hex(&hash, out);
}

static int ask_launch(struct gl_context *context, struct gl_cloud *cloud,
                      const struct smallest *smallest, struct gl_error *err)
{
    static const char *const command[] = {"true", NULL};
    const struct gl_carried_type type = {cloud->ops->name, smallest->type, NULL};
    struct gl_error none_for_it = {0};
    struct gl_carried_meter meter = {.url = NULL};
    char token[GL_HASH_HEX], enrol[GL_HASH_HEX];
    struct gl_launch launch = {
        .token = token,
        .launch_id = "gl-check0",
        .region = smallest->region,
        .type = smallest->type,
        .attempt = 1,
        .expires = {gl_now(&context->world).unix_s + LEASE_S},
        .lease = {LEASE_S},
        .enrol_token = enrol,
        .command = command,
    };

    random_hex(&context->world, token);
    random_hex(&context->world, enrol);
    if (gl_carried_pick(&context->config.meter, &type, &meter, &none_for_it) == 0 &&
        gl_carried_is_any(&meter))
        launch.meter = &meter;
    return cloud->ops->check(cloud, &launch, err);
}

static void check_launch(struct gl_exam *exam, struct gl_cloud *cloud, const char *const *regions)
{
    struct gl_context *context = exam->context;
    const char *name = cloud->ops->name;
    const struct gl_rights *rights = gl_rights_find(name);
    struct gl_finding finding = {"launch", GL_EXAM_OK, GL_EXIT_REMOTE, NULL};
    GL_AUTO(gl_str_done) struct gl_str fix = {0};
    struct gl_error why = {0};
    struct smallest smallest = {0};
    int asked;

    if ((cloud->ops->caps & GL_CLOUD_CHECKS) == 0 || !choose(context, cloud, regions, &smallest)) {
        gl_exam_note(exam, &finding, "not tried: %s",
                     (cloud->ops->caps & GL_CLOUD_CHECKS) == 0 ? "this cloud has no such question"
                                                               : "none of its types is known");
        return;
    }
    gl_progress(context, "asking %s whether %s may be launched", name, smallest.type);
    asked = ask_launch(context, cloud, &smallest, &why);
    gl_progress_end(context);
    if (asked == 0) {
        gl_exam_note(exam, &finding, "%s in %s %s; nothing was started", smallest.type,
                     smallest.region,
                     rights != NULL && rights->is_asked
                         ? "may be launched"
                         : "can be had (whether this account may, only a launch shows)");
        return;
    }
    gl_exam_fix(why.code, name, "--launch", &fix);
    finding.state =
        why.code == GL_E_CAPACITY || why.code == GL_E_UNKNOWN_NAME ? GL_EXAM_WARN : GL_EXAM_FAIL;
    finding.exit = (int)gl_errc_row(why.code)->exit;
    finding.fix = gl_str_text(&fix);
    gl_exam_note(exam, &finding, "%s in %s: %s", smallest.type, smallest.region, why.text);
}

/* ---- one cloud ---- */

static void note_failure(struct gl_exam *exam, const char *line, const char *cloud,
                         const struct gl_error *why)
{
    GL_AUTO(gl_str_done) struct gl_str fix = {0};
    struct gl_finding finding = {line, GL_EXAM_FAIL, (int)gl_errc_row(why->code)->exit, NULL};

    gl_exam_fix(why->code, cloud, "--describe", &fix);
    finding.fix = gl_str_text(&fix);
    gl_exam_note(exam, &finding, "%s", why->text);
}

/* What the cloud says about who asks. */
struct answer {
    struct gl_cloud *cloud; /* NULL when it was not opened */
    bool is_known;
    char who[128];
    struct gl_error why;
};

/* Where it knows us though there is nothing in these places, this machine or pod has a role. */
static void check_keys(struct gl_exam *exam, const char *name, const struct answer *answer)
{
    const struct gl_finding good = {"keys", GL_EXAM_OK, 0, NULL};
    const struct gl_finding none = {"keys", GL_EXAM_WARN, 0,
                                    "make one of them; docs/providers.md says how"};
    GL_AUTO(gl_str_done) struct gl_str found = {0};

    gl_provider_found(exam->context, name, &found);
    if (found.length > 0) {
        gl_exam_note(exam, &good, "found: %s", gl_str_text(&found));
        return;
    }
    gl_whereabouts_all(name, &found);
    if (answer->is_known)
        gl_exam_note(exam, &good, "this machine's own: none of %s", gl_str_text(&found));
    else
        gl_exam_note(exam, &none, "none of: %s", gl_str_text(&found));
}

static void ask_account(struct gl_exam *exam, const char *name, struct answer *out)
{
    gl_progress(exam->context, "asking %s who this is", name);
    out->cloud = gl_act_open_cloud(exam->context, name, NULL, &out->why);
    out->is_known =
        out->cloud != NULL && out->cloud->ops->whoami(out->cloud, out->who, &out->why) == 0;
    gl_progress_end(exam->context);
}

static const char *const *check_regions(struct gl_exam *exam, struct gl_cloud *cloud)
{
    const struct gl_finding good = {"regions", GL_EXAM_OK, 0, NULL};
    GL_AUTO(gl_str_done) struct gl_str names = {0};
    const char *const *regions;
    struct gl_error why = {0};
    size_t count = 0;

    gl_progress(exam->context, "asking %s for its regions", cloud->ops->name);
    if (cloud->ops->regions(cloud, &regions, &why) != 0) {
        gl_progress_end(exam->context);
        note_failure(exam, "regions", cloud->ops->name, &why);
        return NULL;
    }
    gl_progress_end(exam->context);
    for (; regions[count] != NULL; count++)
        if (count < REGIONS_SHOW)
            gl_str_addf(&names, "%s%s", count > 0 ? ", " : "", regions[count]);
    gl_exam_note(exam, &good, "%zu: %s%s", count, gl_str_text(&names),
                 count > REGIONS_SHOW ? " ..." : "");
    return regions;
}

static void check_online(struct gl_exam *exam, const char *name, const struct answer *answer)
{
    const struct gl_finding good = {"account", GL_EXAM_OK, 0, NULL};
    const char *const *regions;

    if (!answer->is_known) {
        note_failure(exam, "account", name, &answer->why);
        return;
    }
    gl_exam_note(exam, &good, "%s", answer->who);
    regions = check_regions(exam, answer->cloud);
    if (regions != NULL)
        check_launch(exam, answer->cloud, regions);
}

/* ---- all ---- */

/* How each did: one that fails does not hide that another is well. */
struct tally {
    size_t well, ill;
    int status; /* of the first that failed */
    size_t warnings, failures;
};

static void count(struct tally *tally, size_t failures, size_t warnings, int status)
{
    tally->warnings += warnings;
    tally->failures += failures;
    if (tally->status == GL_EXIT_OK)
        tally->status = status;
}

static void check_cloud(struct gl_exam *exam, const char *name)
{
    const struct gl_finding offline = {"account", GL_EXAM_OK, 0, NULL};
    struct answer answer = {.cloud = NULL};

    if (exam->context->globals.is_offline) {
        check_keys(exam, name, &answer);
        gl_exam_note(exam, &offline, "not asked (--offline)");
        return;
    }
    gl_exam_watch(exam);
    ask_account(exam, name, &answer);
    check_keys(exam, name, &answer);
    check_online(exam, name, &answer);
    gl_exam_clock(exam);
    gl_cloud_close(answer.cloud);
}

/* Those that are looked at, as names. */
struct looked_at {
    const char *names[GL_CONFIG_CLOUDS_MAX];
    size_t count;
};

/* All that is found of one cloud, in a reply of its own. */
static void examine(struct gl_context *context, void *cookie, size_t index, struct gl_str *out)
{
    const char *name = ((const struct looked_at *)cookie)->names[index];
    struct gl_reply before = context->reply;
    struct gl_exam exam = {
        .context = context, .rows = json_array(), .kind = "cloud", .subject = name};
    GL_AUTO(gl_auto_json) json_t *found = NULL;
    GL_AUTO(gl_auto_free) char *text = NULL;

    context->reply = (struct gl_reply){.data = NULL};
    check_cloud(&exam, name);
    found = json_pack("{s:o,s:s,s:s,s:I,s:I,s:i}", "rows", exam.rows, "text",
                      gl_str_text(&context->reply.text), "failing",
                      gl_str_text(&context->reply.failing), "failures", (json_int_t)exam.failures,
                      "warnings", (json_int_t)exam.warnings, "status", exam.status);
    text = json_dumps(found, JSON_COMPACT);
    gl_str_add(out, text != NULL ? text : "");
    gl_str_done(&context->reply.text);
    gl_str_done(&context->reply.failing);
    context->reply = before;
}

static void add_found(struct gl_context *context, const json_t *found, json_t *rows,
                      struct tally *tally)
{
    const char *failing = json_string_value(json_object_get(found, "failing"));
    size_t failures = (size_t)json_integer_value(json_object_get(found, "failures"));

    gl_str_add(&context->reply.text, json_string_value(json_object_get(found, "text")));
    json_array_extend(rows, json_object_get(found, "rows"));
    if (failing[0] != '\0')
        gl_str_addf(&context->reply.failing, "%s%s", context->reply.failing.length > 0 ? ", " : "",
                    failing);
    count(tally, failures, (size_t)json_integer_value(json_object_get(found, "warnings")),
          (int)json_integer_value(json_object_get(found, "status")));
    tally->well += failures == 0;
    tally->ill += failures > 0;
}

static void add_unanswered(struct gl_context *context, const char *name, json_t *rows,
                           struct tally *tally)
{
    struct gl_exam exam = {.context = context, .rows = rows, .kind = "cloud", .subject = name};
    struct gl_error why = {0};

    gl_act_unanswered(name, &why);
    note_failure(&exam, "account", name, &why);
    count(tally, exam.failures, exam.warnings, exam.status);
    tally->ill++;
}

static void check_clouds(struct gl_context *context, struct looked_at *clouds, json_t *rows,
                         struct tally *tally)
{
    struct gl_str answers[GL_CONFIG_CLOUDS_MAX] = {{0}};

    gl_act_together(&(struct gl_act_question){context, clouds, examine}, clouds->count, answers);
    for (size_t i = 0; i < clouds->count; i++) {
        struct gl_error ignored = {0};
        GL_AUTO(gl_auto_json)
        json_t *found =
            gl_json_parse(gl_str_text(&answers[i]), answers[i].length, "answer", &ignored);

        gl_str_addf(&context->reply.text, "%s%s:\n", i > 0 ? "\n" : "", clouds->names[i]);
        if (found != NULL)
            add_found(context, found, rows, tally);
        else
            add_unanswered(context, clouds->names[i], rows, tally);
        gl_str_done(&answers[i]);
    }
}

static void check_meter(struct gl_context *context, json_t *rows, struct tally *tally)
{
    struct gl_exam exam = {.context = context, .rows = rows};

    gl_str_add(&context->reply.text, "\nrented machines:\n");
    gl_context_online(context);
    gl_exam_meter(&exam, "meter");
    count(tally, exam.failures, exam.warnings, exam.status);
}

static void end_with(struct gl_context *context, const struct tally *tally)
{
    struct gl_str *out = &context->reply.text;

    gl_str_add_char(out, '\n');
    gl_render_count(out, tally->failures, "failure");
    gl_str_add(out, ", ");
    gl_render_count(out, tally->warnings, "warning");
    gl_str_add(out, ".\n");
    json_object_set_new(context->reply.data, "failures", json_integer((json_int_t)tally->failures));
    json_object_set_new(context->reply.data, "warnings", json_integer((json_int_t)tally->warnings));
}

int gl_provider_check(struct gl_context *context, const struct gl_provider_call *call,
                      struct gl_error *err)
{
    const struct gl_config_sections *added = &context->config.clouds;
    struct looked_at clouds = {.count = 0};
    json_t *rows = json_array();
    struct tally tally = {0};

    context->reply.data = json_pack("{s:o}", "checks", rows);
    if (call->ops == NULL && added->count == 0)
        return gl_fail(err, GL_E_USAGE,
                       "no cloud was added; name one to look at it all the same, or: greenlaunch "
                       "provider add NAME");
    if (call->ops != NULL)
        clouds.names[clouds.count++] = call->ops->name;
    for (size_t i = 0; call->ops == NULL && i < added->count; i++)
        clouds.names[clouds.count++] = added->items[i].name;
    check_clouds(context, &clouds, rows, &tally);
    check_meter(context, rows, &tally);
    end_with(context, &tally);
    return gl_act_asked(tally.well > 0 && tally.ill > 0 ? GL_EXIT_PARTIAL : tally.status, err);
}
