/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_HOOK_ESCAPE_H
#define GL_BROKER_HOOK_ESCAPE_H

/* Foreign text in the formats of reports. Names come from whoever opened the pull request, and a
 * report is read by log viewers, comment boxes and XML parsers that take orders from text. Every
 * format first has control characters, characters that turn the direction of writing and malformed
 * UTF-8 made visible (gl_str_add_printable()), then its own rows of a table. Decides nothing about
 * quotes or fences around the text, gl_escape_code() aside. */

#include "base/str.h"

enum gl_escape {
    GL_ESCAPE_LOG,              /* a line that some runner may read: no workflow command */
    GL_ESCAPE_QUIET,            /* the same, and without a word that Atlantis takes as a refusal */
    GL_ESCAPE_TAP,              /* a description: no directive either */
    GL_ESCAPE_XML,              /* XML 1.0, text and attribute values */
    GL_ESCAPE_MARKDOWN,         /* GitHub and GitLab: no markup, HTML, mention, reference or link */
    GL_ESCAPE_COMMAND,          /* message of a GitHub workflow command */
    GL_ESCAPE_COMMAND_PROPERTY, /* value of one of its properties */
    GL_ESCAPE_AZURE,            /* message of an Azure Pipelines logging command */
    GL_ESCAPE_AZURE_PROPERTY,
};

#define GL_ESCAPE_MOST 1024 /* bytes of foreign text that any one place shows */

/* Append at most `most` bytes of `text` made visible, cut between characters, then "...". */
void gl_escape_visible(const char *text, size_t most, struct gl_str *out);
/* Append `text` (NULL = nothing), at most GL_ESCAPE_MOST bytes of it, "..." for the rest. */
void gl_escape_add(enum gl_escape how, const char *text, struct gl_str *out);
/* The same as a code span of Markdown, in a cell of a table or not. */
void gl_escape_code(const char *text, bool is_cell, struct gl_str *out);
/* As the path of a relative URI (RFC 3986 section 4.2): never a scheme, a host or a query. */
void gl_escape_uri(const char *path, struct gl_str *out);
/* Whole lines that are finished otherwise: what a runner would take as a command, taken apart.
 * Replaces the text. */
void gl_escape_lines(struct gl_str *text);
/* A finished JSON document, in which a runner may see a command inside a string, and a reader what
 * is not there: the same value with that written by its numbers. Replaces the text. */
void gl_escape_json(struct gl_str *text);

#endif
