/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BROKER_RENDER_TEXT_H
#define GL_BROKER_RENDER_TEXT_H

/* Small things every command writes the same way: wrapped paragraphs, numbers with their band,
 * ages, the one colour of a verdict. No escape code leaves here unless is_color. */

#include "base/str.h"
#include "policy/facts.h"

/* Append `text` wrapped at `columns`, lines indented by `indent`; a newline in it begins a new
 * paragraph line. Ends with a newline. */
void gl_render_wrap(const char *text, unsigned indent, unsigned columns, struct gl_str *out);

/* The same after a label that the caller has written already, `indent` columns wide: only the lines
 * that follow the first are indented. */
void gl_render_hang(const char *text, unsigned indent, unsigned columns, struct gl_str *out);

/* Break what is already written: a line "  label   text" that is too long goes on below its text,
 * `label` columns in, any other at the left edge. */
void gl_render_reflow(struct gl_str *text, unsigned label, unsigned columns);

/* Three significant digits, without zeros that say nothing: 0.043, 4.5, 98, 45600. Returns out. */
#define GL_RENDER_NUMBER 48
char *gl_render_real_text(double number, char out[GL_RENDER_NUMBER]);
/* "41 (33..49)", "41" without bounds, "?" when unknown (< 0 or NaN). */
void gl_render_band(const struct gl_band *band, struct gl_str *out);

/* Millionths as a double; GL_UNKNOWN is NaN. */
double gl_render_real(int64_t millionths);

/* The same, "?" when GL_UNKNOWN. `scale` turns millionths into the shown unit: 1e-6 for base units,
 * 1e-4 for per cent. */
char *gl_render_number(int64_t millionths, double scale, char out[GL_RENDER_NUMBER]);

/* How old: "7 min", "3 h", "2 d"; "?" when GL_UNKNOWN. */
char *gl_render_age(int64_t age_s, char out[GL_RENDER_NUMBER]);

/* "1 offer", "12 offers". */
void gl_render_count(struct gl_str *out, size_t count, const char *noun);

/* A verdict word ("ALLOWED" ...), bold and coloured when is_color: green, yellow, red by `tone`. */
enum gl_tone { GL_TONE_GOOD, GL_TONE_DOUBT, GL_TONE_BAD };
void gl_render_tone(struct gl_str *out, const char *word, enum gl_tone tone, bool is_color);

#endif
