/* SPDX-License-Identifier: Apache-2.0 */
#include "base/xml.h"

#include "base/str.h"

#include <expat.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define BLOCK_BYTES ((size_t)64 << 10)
#define SPACE       " \t\r\n"

struct block {
    struct block *next;
    size_t used, size;
    char bytes[]; /* after three words: aligned for pointers */
};

struct gl_xml {
    struct block *blocks; /* the newest first */
    struct gl_xml_node *root;
};

/* An element that is still open. */
struct level {
    struct gl_xml_node *node;
    struct gl_xml_node *last; /* its last child so far */
    struct gl_str text;
};

struct reader {
    XML_Parser parser;
    struct gl_xml *doc;
    struct gl_error *err;
    bool is_stopped;
    unsigned nodes;
    unsigned depth;
    struct level levels[GL_XML_MAX_DEPTH];
};

/* ---- storage ---- */

static void *take(struct gl_xml *doc, size_t size)
{
    struct block *block = doc->blocks;
    size_t rounded = (size + sizeof(void *) - 1) & ~(sizeof(void *) - 1);
    void *out;

    if (block == NULL || block->size - block->used < rounded) {
        size_t room = rounded > BLOCK_BYTES ? rounded : BLOCK_BYTES;

        block = gl_alloc(sizeof *block + room);
        block->size = room;
        block->next = doc->blocks;
        doc->blocks = block;
    }
    out = block->bytes + block->used;
    block->used += rounded;
    return out;
}

static const char *copy(struct gl_xml *doc, const char *text, size_t length)
{
    char *out;

    if (length == 0)
        return "";
    out = take(doc, length + 1);
    memcpy(out, text, length);
    out[length] = '\0';
    return out;
}

/* ---- what expat calls ---- */

/* The first refusal wins; expat may still call a handler or two. */
static void stop(struct reader *reader, enum gl_errc code, const char *what)
{
    struct gl_pos pos = {.line = (uint32_t)XML_GetCurrentLineNumber(reader->parser),
                         .column = (uint32_t)XML_GetCurrentColumnNumber(reader->parser) + 1};

    if (reader->is_stopped)
        return;
    reader->is_stopped = true;
    gl_fail_at(reader->err, code, &pos, "the XML at line %u, column %u: %s", pos.line, pos.column,
               what);
    XML_StopParser(reader->parser, XML_FALSE);
}

static void on_declaration(void *cookie, const XML_Char *version, const XML_Char *encoding,
                           int standalone)
{
    (void)version;
    (void)standalone;
    if (encoding != NULL && strcasecmp(encoding, "UTF-8") != 0 &&
        strcasecmp(encoding, "US-ASCII") != 0 && strcasecmp(encoding, "ASCII") != 0)
        stop(cookie, GL_E_BAD_REPLY, "an encoding other than UTF-8 is refused");
}

static void on_doctype(void *cookie, const XML_Char *name, const XML_Char *system,
                       const XML_Char *public, int has_internal_subset)
{
    (void)name;
    (void)system;
    (void)public;
    (void)has_internal_subset;
    stop(cookie, GL_E_BAD_REPLY, "a document type is refused");
}

static void on_instruction(void *cookie, const XML_Char *target, const XML_Char *data)
{
    (void)target;
    (void)data;
    stop(cookie, GL_E_BAD_REPLY, "a processing instruction is refused");
}

/* Long runs of one element share one name. */
static const char *name_of(struct reader *reader, const struct gl_xml_node *before,
                           const char *name)
{
    const char *colon = strchr(name, ':');
    const char *local = colon != NULL ? colon + 1 : name;

    if (before != NULL && strcmp(before->name, local) == 0)
        return before->name;
    return copy(reader->doc, local, strlen(local));
}

static void on_start(void *cookie, const XML_Char *name, const XML_Char **attributes)
{
    struct reader *reader = cookie;
    struct level *outer = reader->depth > 0 ? &reader->levels[reader->depth - 1] : NULL;
    struct gl_xml_node *before = outer != NULL ? outer->last : NULL;
    struct gl_xml_node *node;

    (void)attributes;
    if (reader->is_stopped)
        return;
    if (reader->depth == GL_XML_MAX_DEPTH || reader->nodes == GL_XML_MAX_NODES) {
        stop(reader, GL_E_TOO_LARGE,
             reader->depth == GL_XML_MAX_DEPTH ? "nested too deeply" : "too many elements");
        return;
    }
    node = take(reader->doc, sizeof *node);
    *node = (struct gl_xml_node){.name = name_of(reader, before, name), .text = ""};
    reader->nodes++;
    if (before != NULL)
        before->next = node;
    else if (outer != NULL)
        outer->node->first = node;
    else
        reader->doc->root = node;
    if (outer != NULL)
        outer->last = node;
    reader->levels[reader->depth].node = node;
    reader->levels[reader->depth].last = NULL;
    gl_str_clear(&reader->levels[reader->depth].text);
    reader->depth++;
}

static void on_text(void *cookie, const XML_Char *text, int length)
{
    struct reader *reader = cookie;

    if (!reader->is_stopped && reader->depth > 0)
        gl_str_add_bytes(&reader->levels[reader->depth - 1].text, text, (size_t)length);
}

static void on_end(void *cookie, const XML_Char *name)
{
    struct reader *reader = cookie;
    struct level *level;
    const char *text;
    size_t length;

    (void)name;
    if (reader->is_stopped || reader->depth == 0)
        return;
    level = &reader->levels[--reader->depth];
    text = gl_str_text(&level->text);
    text += strspn(text, SPACE);
    length = strlen(text);
    while (length > 0 && strchr(SPACE, text[length - 1]) != NULL)
        length--;
    level->node->text = copy(reader->doc, text, length);
}

/* ---- a whole document ---- */

static int run(struct reader *reader, const char *bytes, size_t length)
{
    enum XML_Status status;
    enum XML_Error trouble;

    XML_SetUserData(reader->parser, reader);
    XML_SetXmlDeclHandler(reader->parser, on_declaration);
    XML_SetStartDoctypeDeclHandler(reader->parser, on_doctype);
    XML_SetProcessingInstructionHandler(reader->parser, on_instruction);
    XML_SetElementHandler(reader->parser, on_start, on_end);
    XML_SetCharacterDataHandler(reader->parser, on_text);
    status = XML_Parse(reader->parser, bytes, (int)length, XML_TRUE);
    if (reader->is_stopped)
        return -1;
    if (status == XML_STATUS_OK)
        return 0;
    trouble = XML_GetErrorCode(reader->parser);
    if (trouble == XML_ERROR_NO_MEMORY)
        gl_die_of_memory();
    stop(reader, GL_E_BAD_REPLY, XML_ErrorString(trouble));
    return -1;
}

int gl_xml_parse(const char *bytes, size_t length, struct gl_xml **out, struct gl_error *err)
{
    GL_AUTO(gl_auto_xml) struct gl_xml *doc = gl_alloc(sizeof *doc);
    struct reader reader = {.doc = doc, .err = err};
    int rc;

    if (length > GL_XML_MAX_BYTES)
        return gl_fail(err, GL_E_TOO_LARGE, "the XML is larger than %zu MiB",
                       GL_XML_MAX_BYTES >> 20);
    /* No UTF-8 text holds a zero byte, and every text in UTF-16 or UTF-32 of ours does. */
    if (length > 0 && memchr(bytes, '\0', length) != NULL)
        return gl_fail(err, GL_E_BAD_REPLY, "the XML is in an encoding other than UTF-8");
    /* The encoding is set, so that no other is ever guessed; the declaration is judged above. */
    reader.parser = XML_ParserCreate("UTF-8");
    if (reader.parser == NULL)
        gl_die_of_memory();
    rc = run(&reader, bytes, length);
    XML_ParserFree(reader.parser);
    for (size_t i = 0; i < GL_XML_MAX_DEPTH; i++)
        gl_str_done(&reader.levels[i].text);
    if (rc)
        return -1;
    *out = doc;
    doc = NULL;
    return 0;
}

void gl_xml_free(struct gl_xml *doc)
{
    struct block *block = doc != NULL ? doc->blocks : NULL;

    while (block != NULL) {
        struct block *next = block->next;

        free(block);
        block = next;
    }
    free(doc);
}

void gl_auto_xml(struct gl_xml **doc)
{
    gl_xml_free(*doc);
    *doc = NULL;
}

/* ---- looking around ---- */

const struct gl_xml_node *gl_xml_root(const struct gl_xml *doc)
{
    return doc->root;
}

static const struct gl_xml_node *named(const struct gl_xml_node *node, const char *name,
                                       size_t length)
{
    while (node != NULL && (strncmp(node->name, name, length) != 0 || node->name[length] != '\0'))
        node = node->next;
    return node;
}

const struct gl_xml_node *gl_xml_child(const struct gl_xml_node *node, const char *name)
{
    return node != NULL ? named(node->first, name, strlen(name)) : NULL;
}

const struct gl_xml_node *gl_xml_next(const struct gl_xml_node *node, const char *name)
{
    return node != NULL ? named(node->next, name, strlen(name)) : NULL;
}

const char *gl_xml_text(const struct gl_xml_node *node, const char *path)
{
    while (node != NULL && *path != '\0') {
        size_t length = strcspn(path, "/");

        node = named(node->first, path, length);
        path += length + (path[length] == '/' ? 1 : 0);
    }
    return node != NULL ? node->text : NULL;
}
