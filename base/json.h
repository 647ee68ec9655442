/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_BASE_JSON_H
#define GL_BASE_JSON_H

/* jansson with ceilings and one canonical form. Signed documents hold integers, strings, booleans,
 * arrays and objects only: sorted keys, no white space, ASCII, so that equal values are equal
 * bytes. */

#include "base/error.h"
#include <jansson.h>

#define GL_JSON_MAX_BYTES ((size_t)8 << 20)
#define GL_JSON_MAX_DEPTH 64

/* Parse `length` bytes: UTF-8, no duplicate keys, nothing after the value, depth and size capped.
 * `name` is what errors call the input. Returns a new reference or NULL (SYNTAX, TOO_LARGE). */
json_t *gl_json_parse(const char *bytes, size_t length, const char *name, struct gl_error *err);
/* The same with another ceiling than GL_JSON_MAX_BYTES, for documents that say their own. */
json_t *gl_json_parse_upto(const char *bytes, size_t length, size_t ceiling, const char *name,
                           struct gl_error *err);
/* Canonical bytes, to be freed; NULL when the value holds a real number (INTERNAL). */
char *gl_json_canonical(const json_t *value, struct gl_error *err);
/* Indented for people, key order as inserted, to be freed. Reals print with up to 10 digits. */
char *gl_json_pretty(const json_t *value);

/* Typed reads of an object's member; -1 with BAD_REPLY naming `key` when absent or of another type.
 * The string is borrowed. Integers must be JSON integers inside [low, high]. */
int gl_json_string(const json_t *object, const char *key, const char **out, struct gl_error *err);
int gl_json_int(const json_t *object, const char *key, int64_t low, int64_t high, int64_t *out,
                struct gl_error *err);
/* A finite number, written as a JSON number or a numeric string. null or "" sets *out_is_known
 * false and succeeds. */
int gl_json_number(const json_t *object, const char *key, double *out, bool *out_is_known,
                   struct gl_error *err);
/* A member that is an object or array (borrowed); -1 when absent or of another type. */
int gl_json_object(const json_t *object, const char *key, json_t **out, struct gl_error *err);
int gl_json_array(const json_t *object, const char *key, json_t **out, struct gl_error *err);
/* Text as a JSON string: what a ceiling cut within a character is shortened to its last whole one.
 * "(not UTF-8)" when it is no text. A new reference. */
json_t *gl_json_text(const char *text, size_t length);
/* json_decref() for GL_AUTO. */
void gl_auto_json(json_t **value);

#endif
