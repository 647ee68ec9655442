/* SPDX-License-Identifier: Apache-2.0 */
/* Parts of the configuration whose forms hold texts and nothing else: a source, a place, the meter.
 */
#include "broker/config_part.h"

#include <stdint.h>
#include <stdlib.h>

static int read_path(const struct gl_reader *reader, const struct gl_field *field,
                     const struct gl_node *node, void *slot)
{
    return gl_type_text.read(reader, field, node, slot);
}

const struct gl_type gl_config_type_path = {read_path, NULL, false};

static const char **slot_of(void *texts, const struct gl_field *field)
{
    return (const char **)(void *)((char *)texts + field->offset);
}

void gl_config_texts_keep(const struct gl_form *form, void *texts, const char *config,
                          const struct gl_world *world)
{
    for (const struct gl_field *field = form->fields; field->name != NULL; field++) {
        const char **text = slot_of(texts, field);

        if (*text != NULL)
            *text = field->type == &gl_config_type_path ? gl_config_whole_path(*text, config, world)
                                                        : gl_strdup(*text);
    }
}

/* The texts are ours though the contract of their readers says const. */
void gl_config_texts_done(const struct gl_form *form, void *texts)
{
    for (const struct gl_field *field = form->fields; field->name != NULL; field++) {
        const char **text = slot_of(texts, field);

        free((void *)(uintptr_t)*text);
        *text = NULL;
    }
}

void gl_config_add_texts(struct gl_str *out, const struct gl_form *form, const void *texts)
{
    const char *separator = "  - {";

    for (const struct gl_field *field = form->fields; field->name != NULL; field++) {
        const char *text = *slot_of((void *)(uintptr_t)texts, field);

        if (text == NULL)
            continue;
        gl_str_addf(out, "%s%s: ", separator, field->name);
        gl_config_add_quoted(out, text);
        separator = ", ";
    }
    gl_str_add(out, "}\n");
}
