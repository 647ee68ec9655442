/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/cli/show_told.h"

#include <string.h>

#include "base/time.h"
#include "broker/render/text.h"

static bool was_interrupted(const struct gl_launch_row *row)
{
    struct gl_error ignored = {0};
    GL_AUTO(gl_auto_json)
    json_t *document = row->receipt[0] != '\0'
                           ? gl_json_parse(row->receipt, strlen(row->receipt), "receipt", &ignored)
                           : NULL;
    const json_t *instance = json_object_get(json_object_get(document, "evidence"), "instance");

    return json_is_true(json_object_get(json_object_get(instance, "interruption"), "ended_it"));
}

void gl_told_find(struct gl_ledger *ledger, const struct gl_launch_row *row, struct gl_told *out)
{
    struct gl_error ignored = {0};

    *out = (struct gl_told){.was_interrupted = was_interrupted(row)};
    gl_notice_find(ledger, row->launch, &out->notice, &ignored);
    gl_place_find(ledger, row->launch, &out->place, &ignored);
}

static const char *text_or_null(const char *text)
{
    return text[0] != '\0' ? text : NULL;
}

void gl_told_json(const struct gl_told *told, json_t *json)
{
    const struct gl_place_known *place = &told->place;
    json_t *interruption = gl_notice_json(&told->notice, told->was_interrupted);
    bool is_known = place->grade[0] != '\0' || place->refused[0] != '\0';

    json_object_set_new(json, "interruption", interruption != NULL ? interruption : json_null());
    json_object_set_new(json, "place",
                        is_known
                            ? json_pack("{s:s?,s:s?,s:s?}", "grade", text_or_null(place->grade),
                                        "contradicts", text_or_null(place->contradicts), "refused",
                                        text_or_null(place->refused))
                            : json_null());
}

static void warn_of_place(struct gl_context *context, const struct gl_launch_row *row,
                          const struct gl_place_known *place)
{
    char shown[GL_TEXT_SHOWN];

    if (place->contradicts[0] != '\0')
        gl_warn(context, "GL9001",
                "%s: the place is in doubt: what %s signed contradicts the launch (%s)",
                row->launch, row->cloud, gl_text_show(place->contradicts, shown));
    else if (place->refused[0] != '\0')
        gl_warn(context, "GL9001", "%s: the document of its place does not hold: %s", row->launch,
                place->refused);
}

void gl_told_say(struct gl_context *context, const struct gl_launch_row *row,
                 const struct gl_told *told, bool is_running, struct gl_str *out)
{
    GL_AUTO(gl_str_done) struct gl_str line = {0};
    char at[GL_INSTANT_TEXT];

    warn_of_place(context, row, &told->place);
    if (!is_running || told->notice.kind[0] == '\0')
        return;
    gl_str_addf(&line, "%s is going to be ended early: its console showed the notice of %s at %s",
                row->launch, told->notice.kind,
                gl_instant_text((struct gl_instant){told->notice.seen_ms / 1000}, at));
    gl_str_add(out, "  ");
    gl_render_hang(gl_str_text(&line), 4, context->columns, out);
}
