/* SPDX-License-Identifier: Apache-2.0 */
/* Paths of accounts: which caps they stand under, and what lies between two of them. */
#include "policy/budget.h"

#include <stdio.h>
#include <string.h>

static const char letters[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-+@%";

/* One segment at `text`: its length, 0 when it is none. */
static size_t segment_of(const char *text, bool may_be_tag)
{
    bool is_tag = may_be_tag && text[0] == '{';
    size_t length = strspn(text + is_tag, letters);

    if (length == 0 || length >= GL_ACCOUNT_SEGMENT || (is_tag && text[length + 1] != '}'))
        return 0;
    return length + (is_tag ? 2 : 0);
}

static bool is_path(const char *path, bool may_have_tags)
{
    size_t levels = 0;

    if (strlen(path) >= GL_ACCOUNT_PATH)
        return false;
    for (;;) {
        size_t length = segment_of(path, may_have_tags);

        if (length == 0 || ++levels > GL_ACCOUNT_LEVELS)
            return false;
        path += length;
        if (*path == '\0')
            return true;
        if (*path++ != '/')
            return false;
    }
}

bool gl_account_is_path(const char *path)
{
    return is_path(path, false);
}

bool gl_account_is_pattern(const char *path)
{
    return is_path(path, true);
}

static void add_escaped(struct gl_str *out, const char *text)
{
    for (; *text != '\0'; text++)
        if (*text != '%' && strchr(letters, *text) != NULL)
            gl_str_add_char(out, *text);
        else
            gl_str_addf(out, "%%%02X", (unsigned char)*text);
}

int gl_account_add(char path[GL_ACCOUNT_PATH], const char *segment, struct gl_error *err)
{
    GL_AUTO(gl_str_done) struct gl_str whole = {0};

    gl_str_add(&whole, path);
    if (path[0] != '\0')
        gl_str_add_char(&whole, '/');
    add_escaped(&whole, segment[0] != '\0' ? segment : GL_ACCOUNT_UNSET);
    if (!gl_account_is_path(gl_str_text(&whole)))
        return gl_fail(err, GL_E_TOO_LARGE,
                       "\"%.60s\" is too long for an account: %d letters a name, %d names", segment,
                       GL_ACCOUNT_SEGMENT - 1, GL_ACCOUNT_LEVELS);
    snprintf(path, GL_ACCOUNT_PATH, "%s", gl_str_text(&whole));
    return 0;
}

static const char *value_of(const char *const *tags, const char *name, size_t length)
{
    for (; tags != NULL && *tags != NULL; tags++)
        if (strncmp(*tags, name, length) == 0 && (*tags)[length] == '=')
            return *tags + length + 1;
    return GL_ACCOUNT_UNSET;
}

int gl_account_of(const char *tree, const char *const *tags, char out[GL_ACCOUNT_PATH],
                  struct gl_error *err)
{
    char path[GL_ACCOUNT_PATH] = "";

    if (!gl_account_is_pattern(tree))
        return gl_fail(err, GL_E_BAD_VALUE,
                       "\"%.60s\" is no account; write it as in org/{team}/{project}", tree);
    for (const char *at = tree; at != NULL; at = strchr(at, '/') ? strchr(at, '/') + 1 : NULL) {
        size_t length = strcspn(at, "/");
        char plain[GL_ACCOUNT_SEGMENT + 2];
        const char *segment = plain;

        snprintf(plain, sizeof plain, "%.*s", (int)length, at);
        if (at[0] == '{')
            segment = value_of(tags, at + 1, length - 2);
        if (at[0] != '{' && strchr(plain, '%') != NULL) /* as written */
            snprintf(path + strlen(path), sizeof path - strlen(path), "%s%s", path[0] ? "/" : "",
                     plain);
        else if (gl_account_add(path, segment, err) != 0)
            return -1;
    }
    memcpy(out, path, sizeof path);
    return 0;
}

bool gl_account_up(char path[GL_ACCOUNT_PATH])
{
    char *slash = strrchr(path, '/');

    if (slash == NULL)
        return false;
    *slash = '\0';
    return true;
}

/* Fixed names that fit; -1 when it does not fit. */
static int fit_of(const char *pattern, const char *path)
{
    int fixed = 0;

    for (;;) {
        size_t wanted = strcspn(pattern, "/"), there = strcspn(path, "/");

        if (pattern[0] != '{') {
            if (wanted != there || strncmp(pattern, path, there) != 0)
                return -1;
            fixed++;
        }
        pattern += wanted;
        path += there;
        if (*pattern == '\0' || *path == '\0')
            return *pattern == *path ? fixed : -1;
        pattern++;
        path++;
    }
}

const struct gl_cap *gl_account_cap(const struct gl_cap *caps, size_t count, const char *path)
{
    const struct gl_cap *best = NULL;
    int most = -1;

    for (size_t i = 0; i < count; i++) {
        int fixed = fit_of(caps[i].path, path);

        if (fixed > most) {
            most = fixed;
            best = &caps[i];
        }
    }
    return best;
}

/* Bytes of the path that both begin with, whole segments. */
static size_t common_of(const char *a, const char *b)
{
    size_t common = 0, i = 0;

    for (;; i++) {
        bool is_end_a = a[i] == '\0' || a[i] == '/', is_end_b = b[i] == '\0' || b[i] == '/';

        if (is_end_a && is_end_b)
            common = i;
        if (a[i] != b[i] || a[i] == '\0')
            return common;
    }
}

static int each_below(const char *path, size_t common, int sign, void *cookie,
                      int (*each)(void *cookie, const char *path, int sign))
{
    char at[GL_ACCOUNT_PATH];

    snprintf(at, sizeof at, "%s", path);
    while (strlen(at) > common) {
        int result = each(cookie, at, sign);

        if (result != 0)
            return result;
        if (!gl_account_up(at))
            break;
    }
    return 0;
}

int gl_account_between(const char *from, const char *to, void *cookie,
                       int (*each)(void *cookie, const char *path, int sign))
{
    size_t common = common_of(from, to);
    int result = each_below(from, common, -1, cookie, each);

    return result != 0 ? result : each_below(to, common, 1, cookie, each);
}
