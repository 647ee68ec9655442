/* SPDX-License-Identifier: Apache-2.0 */
#include "providers/cloud/vps.h"

#include "providers/cloud/credential_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of the command lines' own files only what names a token is read: lines, no nesting beyond the
 * indentation. */

static size_t trimmed(const char *text, size_t length)
{
    while (length > 0 &&
           (text[length - 1] == ' ' || text[length - 1] == '\t' || text[length - 1] == '\r'))
        length--;
    return length;
}

/* A quoted value ends at its quote, a bare one at a comment. */
static bool copy_value(const char *text, size_t length, char *out, size_t size)
{
    char quote = '\0';
    const char *end;

    if (length > 0 && (*text == '"' || *text == '\'')) {
        quote = *text++;
        length--;
    }
    end = memchr(text, quote != '\0' ? quote : '#', length);
    if (quote != '\0' && end == NULL)
        return false;
    if (end != NULL)
        length = (size_t)(end - text);
    if (quote == '\0')
        length = trimmed(text, length);
    if (length >= size || memchr(text, '\\', length) != NULL)
        return false;
    memcpy(out, text, length);
    out[length] = '\0';
    return true;
}

static bool read_line(const char *line, size_t length, struct gl_vps_line *out)
{
    size_t indent = 0, key;

    while (indent < length && (line[indent] == ' ' || line[indent] == '\t'))
        indent++;
    line += indent;
    length = trimmed(line, length - indent);
    *out = (struct gl_vps_line){.indent = indent};
    if (length == 0 || *line == '#')
        return false;
    if (*line == '[') {
        snprintf(out->key, sizeof out->key, "%.*s", (int)(length < 63 ? length : 63), line);
        return true;
    }
    key = strcspn(line, ":=");
    if (key >= length || trimmed(line, key) >= sizeof out->key)
        return false;
    if (!copy_value(line, trimmed(line, key), out->key, sizeof out->key))
        return false;
    line += key + 1;
    length -= key + 1;
    while (length > 0 && (*line == ' ' || *line == '\t')) {
        line++;
        length--;
    }
    return copy_value(line, length, out->value, sizeof out->value);
}

bool gl_vps_config_next(const char **at, struct gl_vps_line *out)
{
    while (**at != '\0') {
        size_t length = strcspn(*at, "\n");
        const char *line = *at;

        *at += length + ((*at)[length] == '\n');
        if (read_line(line, length, out))
            return true;
    }
    return false;
}

char *gl_vps_config_read(const struct gl_vps *vps, const char *variable, const char *below,
                         struct gl_error *err)
{
    const struct gl_world *world = vps->remote.world;
    const char *named = variable != NULL ? world->getenv(world->cookie, variable) : NULL;
    const char *folder = world->getenv(world->cookie, "XDG_CONFIG_HOME");
    const char *home = world->getenv(world->cookie, "HOME");
    char path[512], *text = NULL;
    struct gl_error why = {0};
    size_t length;

    if (named != NULL && named[0] != '\0')
        snprintf(path, sizeof path, "%s", named);
    else if (folder != NULL && folder[0] == '/')
        snprintf(path, sizeof path, "%s/%s", folder, below);
    else if (home != NULL && home[0] == '/')
        snprintf(path, sizeof path, "%s/.config/%s", home, below);
    else
        return NULL;
    if (gl_credential_file_read(
            &(struct gl_credential_file){.path = path, .ceiling = GL_VPS_CONFIG_CEILING}, &text,
            &length, &why) == 0)
        return text;
    if (why.code == GL_E_CONFIG)
        gl_fail(err, GL_E_CONFIG, "%s: %s", vps->remote.cloud.ops->name, why.text);
    return NULL;
}

void gl_vps_config_free(char *text)
{
    if (text != NULL)
        gl_wipe(text, strlen(text));
    free(text);
}

int gl_vps_config_lacks(const struct gl_vps *vps, const struct gl_vps_tool *tool, const char *name,
                        struct gl_error *err)
{
    const char *cloud = vps->remote.cloud.ops->name;
    char shown[GL_TEXT_SHOWN];

    if (name != NULL && name[0] != '\0')
        return gl_fail(err, GL_E_NO_CREDENTIAL, "%s: %s has no token of %s %s; look with: %s",
                       cloud, tool->file, tool->kind, gl_text_show(name, shown), tool->look);
    return gl_fail(err, GL_E_NO_CREDENTIAL, "%s: %s has no token of an active %s; look with: %s",
                   cloud, tool->file, tool->kind, tool->look);
}
