/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/cli/show_output.h"

#include <string.h>

void gl_output_lines(const struct gl_guest_said *said, const char *indent, struct gl_str *out)
{
    const char *line = gl_str_text(&said->tail), *end = line + said->tail.length;

    while (line < end) {
        const char *stop = memchr(line, '\n', (size_t)(end - line));
        size_t length = (size_t)((stop != NULL ? stop : end) - line);

        gl_str_add(out, indent);
        gl_str_add_printable(out, line, length);
        gl_str_add_char(out, '\n');
        line += length + (stop != NULL);
    }
}

void gl_output_json(const struct gl_guest_said *said, json_t *json)
{
    GL_AUTO(gl_str_done) struct gl_str shown = {0};

    gl_output_lines(said, "", &shown);
    json_object_set_new(json, "output_tail", json_string(gl_str_text(&shown)));
    if (said->is_tail_pushed)
        json_object_set_new(json, "output_is_cut", json_boolean(said->is_tail_cut));
}
