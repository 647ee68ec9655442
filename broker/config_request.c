/* SPDX-License-Identifier: Apache-2.0 */
/* When demand is worth a request, as the configuration says it. */
#include "broker/config_part.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define COUNT_MOST 1000000

/* A whole number; the least is the one that stands in the slot. */
static int read_count(const struct gl_reader *reader, const struct gl_field *field,
                      const struct gl_node *node, void *slot)
{
    const char *text = gl_value_text(reader, field->name, node, 7);
    int64_t *out = slot, least = strcmp(field->name, "refused") == 0 ? 2 : 1, number;

    if (text == NULL)
        return -1;
    number = text[strspn(text, "0123456789")] == '\0' ? strtoll(text, NULL, 10) : -1;
    if (number < least || number > COUNT_MOST)
        return gl_diagnose(&reader->source, &node->mark, GL_E_CONFIG,
                           "%s is a whole number, %" PRId64 " or more", field->name, least);
    *out = number;
    return 0;
}

static const struct gl_type type_count = {read_count, NULL, false};

#define AT(member) offsetof(struct gl_demand_threshold, member)
static const struct gl_field fields[] = {
    {.name = "refused",
     .type = &type_count,
     .offset = AT(refused),
     .help = "Launches that were refused before a request is drafted, 2 or more"},
    {.name = "days",
     .type = &type_count,
     .offset = AT(days),
     .help = "Different days that they were refused on, 1 or more"},
    {.name = NULL},
};
const struct gl_form gl_config_request_form = {.what = "request", .fields = fields};

void gl_config_add_request(struct gl_str *out, const struct gl_demand_threshold *threshold)
{
    if (threshold->refused == 0 && threshold->days == 0)
        return;
    gl_str_add(out, "request: {");
    if (threshold->refused != 0)
        gl_str_addf(out, "refused: %" PRId64 "%s", threshold->refused,
                    threshold->days != 0 ? ", " : "");
    if (threshold->days != 0)
        gl_str_addf(out, "days: %" PRId64, threshold->days);
    gl_str_add(out, "}\n");
}
