/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "base/unit.h"
#include "broker/cli/demand_reply.h"
#include "broker/cli/help.h"
#include "broker/cli/migrate.h"

#define AT(field) offsetof(struct gl_migrate_values, field)

static const struct gl_option options[] = {
    {"to", 0, GL_OPT_TEXT, AT(to), "PLACE",
     "where to: the name of a place of the configuration, or its grid zone", NULL, NULL, NULL, 0, 0,
     0, NULL},
    {"region", 0, GL_OPT_TEXT, AT(region), "REGION",
     "of a rented machine: the region of its cloud to go on in, by an image of its disk", NULL,
     NULL, NULL, 0, 0, 0, NULL},
    {"cloud", 0, GL_OPT_TEXT, AT(cloud), "CLOUD", "with --region: the cloud it is on", NULL, NULL,
     NULL, 0, 0, 0, NULL},
    {"disk", 0, GL_OPT_QUANTITY, AT(disk_bytes_millionths), "SIZE",
     "with --region: what its disk holds, for the cost of the move (default: 10 GB)", NULL, NULL,
     NULL, 0, 0, GL_DIM_SIZE, NULL},
    {"lost-work", 0, GL_OPT_SPAN, AT(lost_work_s), "TIME",
     "with --region: work since its last checkpoint (default: 1h, or as long as it ran)", NULL,
     NULL, NULL, 0, 0, 0, NULL},
    {"anew", 0, GL_OPT_FLAG, AT(is_anew), NULL,
     "with --region: begin the command from its beginning there, without its disk; the only way "
     "where the cloud copies no disks to other regions",
     NULL, NULL, NULL, 0, 0, 0, NULL},
    {"describe-only", 0, GL_OPT_FLAG, AT(is_describe_enough), NULL,
     "with --region: the cloud's word that it runs there is enough, without a first reading", NULL,
     NULL, NULL, 0, 0, 0, NULL},
    {0},
};

/* By its name, else the one place in that zone. */
static const struct gl_cloud_place *find_place(const struct gl_config *config, const char *to)
{
    const struct gl_cloud_place *found = NULL;

    for (size_t i = 0; i < config->place_count; i++)
        if (strcmp(config->places[i].name, to) == 0)
            return &config->places[i];
    for (size_t i = 0; i < config->place_count; i++)
        if (config->places[i].zone != NULL && strcmp(config->places[i].zone, to) == 0) {
            if (found != NULL)
                return NULL;
            found = &config->places[i];
        }
    return found;
}

static int no_place(const struct gl_config *config, const char *to, struct gl_error *err)
{
    GL_AUTO(gl_str_done) struct gl_str names = {.ceiling = 300};
    char shown[GL_TEXT_SHOWN];

    for (size_t i = 0; i < config->place_count; i++)
        gl_str_addf(&names, "%s%s", i > 0 ? ", " : "", config->places[i].name);
    if (config->place_count == 0)
        return gl_fail(err, GL_E_UNKNOWN_NAME,
                       "there is no place \"%s\": the configuration lists no places",
                       gl_text_show(to, shown));
    return gl_fail(err, GL_E_UNKNOWN_NAME, "there is no one place \"%s\"; there are: %s",
                   gl_text_show(to, shown), gl_str_text(&names));
}

static int move(struct gl_context *context, struct gl_shift_subject *subject,
                const struct gl_cloud_place *place, struct gl_error *err)
{
    struct gl_shift_reason reason = {"person", "asked for by hand", NULL};
    const char *zone = place->zone != NULL ? place->zone : "";
    GL_AUTO(gl_auto_json) json_t *series = NULL;
    GL_AUTO(gl_auto_json) json_t *evidence = NULL;
    int status = gl_shift_judge(context, subject, place->name, zone, &series, err);
    struct gl_demand need;

    if (status != 0)
        return status;
    if (gl_shift_need(context, subject, &need)) {
        need.kind = GL_DEMAND_MOVE;
        gl_demand_moved_to(&need, subject->row->cloud, place->name);
        reason.evidence = evidence = gl_demand_evidence(context, &need);
    }
    gl_progress(context, "moving %s to %s", subject->row->launch, place->name);
    if (gl_launch_move(&subject->launcher, subject->row->launch,
                       &(struct gl_shift_place){place->name, zone, series}, &reason, err) != 0)
        return -1;
    gl_demand_note_cost(context);
    return gl_shift_reply(context, subject, "Moved", err);
}

static int run(struct gl_context *context, const struct gl_call *call, struct gl_error *err)
{
    const struct gl_migrate_values *values = call->values;
    GL_AUTO(gl_shift_subject_done) struct gl_shift_subject subject = {.row = NULL};
    const struct gl_cloud_place *place;

    if (gl_help_operands(&gl_command_migrate, call, 1, 1, err) != 0)
        return -1;
    if ((values->to == NULL) == (values->region == NULL))
        return gl_fail(err, GL_E_USAGE,
                       "say where to: greenlaunch migrate NAME --to PLACE, or --region REGION of a "
                       "rented machine");
    if (gl_shift_subject_find(context, call->operands->words[0], &subject, err) != 0)
        return -1;
    if (values->region != NULL)
        return gl_migrate_region(context, &subject, values, err);
    place = find_place(&context->config, values->to);
    if (place == NULL)
        return no_place(&context->config, values->to, err);
    if (strcmp(subject.row->region, place->name) == 0)
        return gl_shift_reply(context, &subject, "There already:", err);
    return move(context, &subject, place, err);
}

const struct gl_command gl_command_migrate = {
    .name = "migrate",
    .group = "Act",
    .summary = "move a running or paused instance to another place",
    .operands = "NAME",
    .description =
        "The same instance goes on in another place of its cloud, in the grid zone of that place: "
        "live on KVM, by stop and copy under emulation. A paused one is moved and stays paused. "
        "The rules it was launched by are asked again of the place it goes to, for the rest of "
        "its lease: where they do not hold it stays where it is (exit 3), and where nothing is "
        "known too (exit 8). The receipt charges each stretch by the grid of the place it ran in. "
        "However it is interrupted there is one instance. Fine when it is there already. "
        "A rented machine goes to another --region of its cloud as a new launch: it is powered "
        "off, an image of its disk is copied there, the same command is launched from it for the "
        "rest of the lease, and when its first reading is heard the old one is ended with a "
        "receipt of its own. What fails before that is undone and the old one started again. "
        "With --anew nothing is powered off or copied: the same command begins from its beginning "
        "there, and the old one runs on until the new one is heard of. "
        "Costs and gain are shown first; a move that does not gain 1.5 times its cost is refused "
        "(exit 3).",
    .example = "greenlaunch migrate nightly --to attic",
    .options = options,
    .values_size = sizeof(struct gl_migrate_values),
    .run = run,
};
