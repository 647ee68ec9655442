/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/hook/yamltree.h"

#include "broker/hook/keyset.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

/* Each document is spelled out as JSON text and then read as such: ceilings and depth are those of
 * base/jsonpull.h. */

struct level {
    bool is_mapping, is_at_value; /* a mapping: its key is written, the value is not */
    bool is_wrapped;              /* within the object of a short tag */
    bool is_merging;              /* the value is that of a merge key */
    size_t count;
    size_t anchor;         /* number + 1; 0 = none */
    size_t merge;          /* where the value of the merge key begins in `out` */
    struct gl_keyset keys; /* in quotes */
    struct gl_str merged;  /* the mappings of the merge key, as JSON */
};

struct anchor {
    char *name;
    size_t start, length; /* in `out`; length 0 while it is open */
};

struct gl_yamltree {
    yaml_parser_t parser;
    const char *name;
    struct gl_view text;
    bool has_short_tags, is_over;
    struct gl_error *err;
    struct gl_str out;
    size_t number; /* of the document, from 1 */
    struct level levels[GL_YAMLTREE_MAX_DEPTH];
    size_t depth;
    struct anchor *anchors;
    size_t anchor_count;
    size_t merged_bytes; /* of all merge keys so far */
};

static int fail_at(const struct gl_yamltree *yaml, const yaml_mark_t *mark, enum gl_errc code,
                   const char *what)
{
    size_t line = gl_text_line_within(yaml->text.text, yaml->text.length, mark->line + 1);

    return gl_fail(yaml->err, code, "%s:%zu: %s", yaml->name, line, what);
}

/* ---- JSON text ---- */

void gl_yamltree_quote(struct gl_str *out, const char *bytes, size_t length)
{
    size_t plain = 0;

    gl_str_add_char(out, '"');
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)bytes[i];

        if (c >= 0x20 && c != '"' && c != '\\')
            continue;
        gl_str_add_bytes(out, bytes + plain, i - plain);
        gl_str_addf(out, "\\u%04x", (unsigned)c);
        plain = i + 1;
    }
    gl_str_add_bytes(out, bytes + plain, length - plain);
    gl_str_add_char(out, '"');
}

/* What stands before a value or key: a comma, a colon. */
static void add_separator(struct gl_yamltree *yaml)
{
    struct level *level = yaml->depth > 0 ? &yaml->levels[yaml->depth - 1] : NULL;

    if (level != NULL && level->is_at_value)
        gl_str_add_char(&yaml->out, ':');
    else if (level != NULL && level->count++ > 0)
        gl_str_add_char(&yaml->out, ',');
    if (level != NULL && level->is_mapping)
        level->is_at_value = !level->is_at_value;
}

static bool is_at_key(const struct gl_yamltree *yaml)
{
    const struct level *level = yaml->depth > 0 ? &yaml->levels[yaml->depth - 1] : NULL;

    return level != NULL && level->is_mapping && !level->is_at_value;
}

/* ---- plain scalars ---- */

static bool is_among(const char *const *words, const char *text)
{
    for (; *words != NULL; words++)
        if (strcmp(*words, text) == 0)
            return true;
    return false;
}

/* A JSON number of reasonable length; other notations of YAML stay texts. */
static bool is_number(const char *text)
{
    static const char digits[] = "0123456789";
    size_t whole;

    text += *text == '-';
    whole = strspn(text, digits);
    if (whole == 0 || whole > 18 || (whole > 1 && *text == '0'))
        return false;
    text += whole;
    if (*text == '.') {
        size_t fraction = strspn(++text, digits);

        if (fraction == 0 || fraction > 18)
            return false;
        text += fraction;
    }
    return *text == '\0';
}

static const char *const truths[] = {"true", "True", "TRUE", "yes", "Yes",
                                     "YES",  "on",   "On",   "ON",  NULL};
static const char *const lies[] = {"false", "False", "FALSE", "no",  "No",
                                   "NO",    "off",   "Off",   "OFF", NULL};
static const char *const nothings[] = {"", "~", "null", "Null", "NULL", NULL};

static void add_plain(struct gl_str *out, const char *text, size_t length)
{
    if (strlen(text) != length)
        gl_yamltree_quote(out, text, length);
    else if (is_among(truths, text))
        gl_str_add(out, "true");
    else if (is_among(lies, text))
        gl_str_add(out, "false");
    else if (is_among(nothings, text))
        gl_str_add(out, "null");
    else if (is_number(text))
        gl_str_add(out, text);
    else
        gl_yamltree_quote(out, text, length);
}

/* ---- tags ---- */

static bool is_word(const char *text)
{
    size_t length = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789");

    return length > 0 && length <= 64 && text[length] == '\0';
}

/* "!Sub" -> {"Fn::Sub": */
static bool is_short(const struct gl_yamltree *yaml, const char *tag)
{
    return yaml->has_short_tags && tag != NULL && tag[0] == '!' && is_word(tag + 1);
}

static void open_short(struct gl_yamltree *yaml, const char *tag)
{
    bool is_bare = strcmp(tag, "!Ref") == 0 || strcmp(tag, "!Condition") == 0;

    gl_str_addf(&yaml->out, "{\"%s%s\":", is_bare ? "" : "Fn::", tag + 1);
}

#define YAML_TAG "tag:yaml.org,2002:"

/* Tags that say no more than the value does. */
static bool is_plain_tag(const char *tag)
{
    static const char *const known[] = {"!",
                                        YAML_TAG "str",
                                        YAML_TAG "int",
                                        YAML_TAG "bool",
                                        YAML_TAG "float",
                                        YAML_TAG "null",
                                        YAML_TAG "map",
                                        YAML_TAG "seq",
                                        NULL};

    return tag == NULL || is_among(known, tag);
}

/* Without a value it may be one itself, a password that begins with '!': then it is not named. */
static int check_tag(const struct gl_yamltree *yaml, const yaml_mark_t *mark, const char *tag,
                     bool has_value)
{
    GL_AUTO(gl_str_done) struct gl_str what = {0};
    char shown[GL_TEXT_SHOWN];

    if (is_plain_tag(tag) || is_short(yaml, tag))
        return 0;
    gl_str_add(&what, "a tag that is not known here");
    if (has_value)
        gl_str_addf(&what, ": %s", gl_text_show(tag, shown));
    return fail_at(yaml, mark, GL_E_SYNTAX, gl_str_text(&what));
}

/* ---- anchors ---- */

static int add_anchor(struct gl_yamltree *yaml, const yaml_mark_t *mark, const yaml_char_t *name,
                      size_t *out_number)
{
    *out_number = 0;
    if (name == NULL)
        return 0;
    if (yaml->anchor_count == GL_YAMLTREE_MAX_ANCHORS)
        return fail_at(yaml, mark, GL_E_TOO_LARGE, "too many anchors");
    yaml->anchors = gl_realloc(yaml->anchors, (yaml->anchor_count + 1) * sizeof *yaml->anchors);
    yaml->anchors[yaml->anchor_count++] =
        (struct anchor){.name = gl_strdup((const char *)name), .start = yaml->out.length};
    *out_number = yaml->anchor_count;
    return 0;
}

static void end_anchor(struct gl_yamltree *yaml, size_t number)
{
    if (number > 0)
        yaml->anchors[number - 1].length = yaml->out.length - yaml->anchors[number - 1].start;
}

static int take_alias(struct gl_yamltree *yaml, const yaml_event_t *event)
{
    const char *name = (const char *)event->data.alias.anchor;
    const struct anchor *found = NULL;

    if (is_at_key(yaml))
        return fail_at(yaml, &event->start_mark, GL_E_SYNTAX, "a key must be a plain text");
    for (size_t i = 0; i < yaml->anchor_count; i++)
        if (strcmp(yaml->anchors[i].name, name) == 0)
            found = &yaml->anchors[i];
    if (found == NULL || found->length == 0)
        return fail_at(yaml, &event->start_mark, GL_E_SYNTAX, "an alias of nothing");
    add_separator(yaml);
    if (yaml->out.length + found->length > GL_YAMLTREE_MAX_BYTES)
        return fail_at(yaml, &event->start_mark, GL_E_TOO_LARGE, "too much by aliases");
    /* By hand: what is appended lies in the text that grows. */
    for (size_t i = 0; i < found->length; i++)
        gl_str_add_char(&yaml->out, yaml->out.text[found->start + i]);
    return 0;
}

/* ---- merge keys ---- */

/* "<<: *base", also as yaml.v3 writes it: "!!merge <<: *base". */
static bool is_merge_key(const yaml_event_t *event)
{
    const char *tag = (const char *)event->data.scalar.tag;

    return strcmp((const char *)event->data.scalar.value, "<<") == 0 &&
           (tag != NULL ? strcmp(tag, YAML_TAG "merge") == 0
                        : event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE);
}

/* CloudFormation reads none. */
static int take_merge_key(struct gl_yamltree *yaml, const yaml_event_t *event)
{
    struct level *level = &yaml->levels[yaml->depth - 1];

    if (yaml->has_short_tags)
        return fail_at(yaml, &event->start_mark, GL_E_SYNTAX, "merge keys (<<) are not read");
    if (level->merged.length > 0)
        return fail_at(yaml, &event->start_mark, GL_E_DUPLICATE_KEY, "the same key twice");
    level->is_merging = level->is_at_value = true;
    level->merge = yaml->out.length;
    return 0;
}

/* A text of `json` at its opening quote; what follows it. Quotes within texts are spelled \u0022.
 */
static const char *after_text(const char *json)
{
    return strchr(json + 1, '"') + 1;
}

/* The value up to what stands between it and the next. */
static const char *after_value(const char *json)
{
    size_t depth = 0;

    while (*json != '\0' && (depth > 0 || strchr(",}]", *json) == NULL)) {
        depth += *json == '{' || *json == '[';
        depth -= *json == '}' || *json == ']';
        json = *json == '"' ? after_text(json) : json + 1;
    }
    return json;
}

/* The next member of a mapping or of a list of them: 1, 0 none is left, -1 it is something else. */
static int next_member(const char **json, struct gl_view *out_key, struct gl_view *out_member)
{
    const char *begin = *json + strspn(*json, "[{,}]"), *end;

    if (*begin == '\0')
        return 0;
    if (*begin != '"' || *(end = after_text(begin)) != ':')
        return -1;
    *out_key = (struct gl_view){begin, (size_t)(end - begin)};
    *json = after_value(end + 1);
    *out_member = (struct gl_view){begin, (size_t)(*json - begin)};
    return 1;
}

/* What is wrong with the mappings of a merge key; NULL. A key that stands before it counts for some
 * readers, and is replaced for others (yaml.v3 and yaml.v2: Kustomize and kubectl). */
static const char *why_not_merge(const struct level *level, const char *json)
{
    struct gl_view key, member;
    bool is_set = strchr("{[", *json) != NULL;
    int has = is_set ? next_member(&json, &key, &member) : -1;

    for (; has > 0; has = next_member(&json, &key, &member))
        if (gl_keyset_find(&level->keys, key.text, key.length) != SIZE_MAX)
            return "a merge key (<<) below a key that it brings too";
    return has < 0 ? "a merge key (<<) takes mappings" : NULL;
}

/* After a value: that of a merge key is taken out again, to be added when all keys are known. */
static int end_value(struct gl_yamltree *yaml, const yaml_event_t *event)
{
    struct level *level = yaml->depth > 0 ? &yaml->levels[yaml->depth - 1] : NULL;
    const char *json, *why;

    if (level == NULL || !level->is_merging)
        return 0;
    json = gl_str_text(&yaml->out) + level->merge + 1; /* the colon */
    why = why_not_merge(level, json);
    if (why == NULL && yaml->anchor_count > 0 &&
        yaml->anchors[yaml->anchor_count - 1].start > level->merge)
        why = "an anchor within a merge key (<<)";
    if (why != NULL)
        return fail_at(yaml, &event->start_mark, GL_E_SYNTAX, why);
    gl_str_add(&level->merged, json);
    yaml->merged_bytes += level->merged.length;
    if (yaml->merged_bytes > GL_YAMLTREE_MAX_BYTES)
        return fail_at(yaml, &event->start_mark, GL_E_TOO_LARGE, "too much by merge keys");
    yaml->out.text[yaml->out.length = level->merge] = '\0';
    level->is_merging = false;
    return 0;
}

/* What the mapping itself says counts, then the first that says it. */
static void add_merged(struct gl_yamltree *yaml, struct level *level)
{
    const char *json = gl_str_text(&level->merged);
    struct gl_view key, member;

    while (next_member(&json, &key, &member) > 0) {
        bool is_new;

        gl_keyset_add(&level->keys, key.text, key.length, &is_new);
        if (is_new && level->count++ > 0)
            gl_str_add_char(&yaml->out, ',');
        if (is_new)
            gl_str_add_bytes(&yaml->out, member.text, member.length);
    }
}

/* ---- events ---- */

static int take_key(struct gl_yamltree *yaml, const yaml_event_t *event)
{
    const char *text = (const char *)event->data.scalar.value;
    size_t begin;
    bool is_new;

    if (is_merge_key(event))
        return take_merge_key(yaml, event);
    if (!is_plain_tag((const char *)event->data.scalar.tag) || event->data.scalar.anchor != NULL)
        return fail_at(yaml, &event->start_mark, GL_E_SYNTAX, "a key must be a plain text");
    add_separator(yaml);
    begin = yaml->out.length;
    gl_yamltree_quote(&yaml->out, text, event->data.scalar.length);
    gl_keyset_add(&yaml->levels[yaml->depth - 1].keys, yaml->out.text + begin,
                  yaml->out.length - begin, &is_new);
    return is_new ? 0 : fail_at(yaml, &event->start_mark, GL_E_DUPLICATE_KEY, "the same key twice");
}

/* !GetAtt A.B */
static void add_attribute(struct gl_str *out, const char *text, size_t length)
{
    const char *dot = memchr(text, '.', length);
    size_t first = dot != NULL ? (size_t)(dot - text) : length;

    gl_str_add_char(out, '[');
    gl_yamltree_quote(out, text, first);
    if (dot != NULL) {
        gl_str_add_char(out, ',');
        gl_yamltree_quote(out, dot + 1, length - first - 1);
    }
    gl_str_add_char(out, ']');
}

static int take_scalar(struct gl_yamltree *yaml, const yaml_event_t *event)
{
    const char *text = (const char *)event->data.scalar.value;
    const char *tag = (const char *)event->data.scalar.tag;
    size_t length = event->data.scalar.length, anchor;
    bool is_plain = event->data.scalar.plain_implicit ||
                    (tag != NULL && strcmp(tag, "!") != 0 && strcmp(tag, YAML_TAG "str") != 0);

    if (check_tag(yaml, &event->start_mark, tag, length > 0) != 0)
        return -1;
    add_separator(yaml);
    if (add_anchor(yaml, &event->start_mark, event->data.scalar.anchor, &anchor) != 0)
        return -1;
    if (is_short(yaml, tag)) {
        open_short(yaml, tag);
        is_plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    }
    if (is_short(yaml, tag) && strcmp(tag, "!GetAtt") == 0)
        add_attribute(&yaml->out, text, length);
    else if (is_plain)
        add_plain(&yaml->out, text, length);
    else
        gl_yamltree_quote(&yaml->out, text, length);
    if (is_short(yaml, tag))
        gl_str_add_char(&yaml->out, '}');
    end_anchor(yaml, anchor);
    return 0;
}

static int open_level(struct gl_yamltree *yaml, const yaml_event_t *event, bool is_mapping)
{
    const char *tag =
        (const char *)(is_mapping ? event->data.mapping_start.tag : event->data.sequence_start.tag);
    struct level level = {.is_mapping = is_mapping, .is_wrapped = is_short(yaml, tag)};

    if (is_at_key(yaml))
        return fail_at(yaml, &event->start_mark, GL_E_SYNTAX, "a key must be a plain text");
    if (yaml->depth == GL_YAMLTREE_MAX_DEPTH)
        return fail_at(yaml, &event->start_mark, GL_E_TOO_LARGE, "nested too deeply");
    if (check_tag(yaml, &event->start_mark, tag, true) != 0)
        return -1;
    add_separator(yaml);
    if (add_anchor(yaml, &event->start_mark,
                   is_mapping ? event->data.mapping_start.anchor
                              : event->data.sequence_start.anchor,
                   &level.anchor) != 0)
        return -1;
    if (level.is_wrapped)
        open_short(yaml, tag);
    gl_str_add_char(&yaml->out, is_mapping ? '{' : '[');
    yaml->levels[yaml->depth++] = level;
    return 0;
}

static void forget_level(struct level *level)
{
    gl_keyset_done(&level->keys);
    gl_str_done(&level->merged);
}

static void close_level(struct gl_yamltree *yaml)
{
    struct level *level = &yaml->levels[--yaml->depth];

    add_merged(yaml, level);
    forget_level(level);
    gl_str_add_char(&yaml->out, level->is_mapping ? '}' : ']');
    if (level->is_wrapped)
        gl_str_add_char(&yaml->out, '}');
    end_anchor(yaml, level->anchor);
}

/* One event: 0 go on, 1 a document is complete, 2 the end of the stream, -1. */
static int take(struct gl_yamltree *yaml, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_STREAM_END_EVENT:
        return 2;
    case YAML_DOCUMENT_END_EVENT:
        return 1;
    case YAML_ALIAS_EVENT:
        return take_alias(yaml, event) != 0 ? -1 : end_value(yaml, event);
    case YAML_SCALAR_EVENT:
        return is_at_key(yaml)                 ? take_key(yaml, event)
               : take_scalar(yaml, event) != 0 ? -1
                                               : end_value(yaml, event);
    case YAML_MAPPING_START_EVENT:
        return open_level(yaml, event, true);
    case YAML_SEQUENCE_START_EVENT:
        return open_level(yaml, event, false);
    case YAML_MAPPING_END_EVENT:
    case YAML_SEQUENCE_END_EVENT:
        close_level(yaml);
        return end_value(yaml, event);
    default:
        return 0;
    }
}

static int parse_document(struct gl_yamltree *yaml)
{
    yaml_event_t event;
    int rc = 0;

    while (rc == 0) {
        if (!yaml_parser_parse(&yaml->parser, &event))
            return fail_at(yaml, &yaml->parser.problem_mark, GL_E_SYNTAX,
                           yaml->parser.problem != NULL ? yaml->parser.problem : "no YAML");
        rc = take(yaml, &event);
        if (rc >= 0 && yaml->out.length > GL_YAMLTREE_MAX_BYTES)
            rc = fail_at(yaml, &event.start_mark, GL_E_TOO_LARGE, "too large");
        yaml_event_delete(&event);
    }
    return rc;
}

static void forget_anchors(struct gl_yamltree *yaml)
{
    for (size_t i = 0; i < yaml->anchor_count; i++)
        free(yaml->anchors[i].name);
    yaml->anchor_count = 0;
}

/* ---- the stream ---- */

struct gl_yamltree *gl_yamltree_new(const char *bytes, size_t length, const char *name,
                                    bool has_short_tags)
{
    struct gl_yamltree *yaml = gl_alloc(sizeof *yaml);

    *yaml = (struct gl_yamltree){
        .name = name, .text = {bytes, length}, .has_short_tags = has_short_tags};
    if (!yaml_parser_initialize(&yaml->parser))
        gl_die_of_memory();
    yaml_parser_set_input_string(&yaml->parser, (const unsigned char *)bytes, length);
    return yaml;
}

void gl_yamltree_free(struct gl_yamltree *yaml)
{
    if (yaml == NULL)
        return;
    yaml_parser_delete(&yaml->parser);
    forget_anchors(yaml);
    while (yaml->depth > 0) /* what an error left open */
        forget_level(&yaml->levels[--yaml->depth]);
    free(yaml->anchors);
    gl_str_done(&yaml->out);
    free(yaml);
}

static int read_spelled(struct gl_yamltree *yaml, struct gl_jtree *tree, struct gl_error *err)
{
    GL_AUTO(gl_str_done) struct gl_str name = {0};

    gl_str_add(&name, yaml->name);
    if (yaml->number > 1)
        gl_str_addf(&name, " (document %zu)", yaml->number);
    return gl_jtree_parse(tree, gl_str_text(&yaml->out), yaml->out.length, gl_str_text(&name), err);
}

int gl_yamltree_next(struct gl_yamltree *yaml, struct gl_jtree *tree, bool *out_has,
                     struct gl_error *err)
{
    int rc = 2;

    yaml->err = err;
    yaml->depth = 0;
    gl_str_clear(&yaml->out);
    forget_anchors(yaml);
    if (!yaml->is_over)
        rc = parse_document(yaml);
    yaml->is_over = rc != 1;
    if (rc < 0)
        return -1;
    *out_has = rc == 1;
    yaml->number++;
    return rc == 1 ? read_spelled(yaml, tree, err) : 0;
}
