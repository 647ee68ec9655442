/* SPDX-License-Identifier: Apache-2.0 */
/* Paths of accounts: which caps they stand under, and what lies between two of them. */
#include "policy/budget.h"

#include <stdio.h>
#include <string.h>

static const char letters[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-+@%";

/* "." and "..": names that elsewhere mean a place. */
static bool is_dots(const char *text, size_t length)
{
    return length > 0 && strspn(text, ".") >= length;
}

/* How a path is read: as new ones are written, or also as those of earlier versions. */
struct grammar {
    bool may_have_tags, may_be_dots;
};

/* One segment at `text`: its length, 0 when it is none. */
static size_t segment_of(const char *text, const struct grammar *grammar)
{
    bool is_tag = grammar->may_have_tags && text[0] == '{';
    size_t length = strspn(text + is_tag, letters);

    if (length == 0 || length >= GL_ACCOUNT_SEGMENT || (is_tag && text[length + 1] != '}') ||
        (!grammar->may_be_dots && is_dots(text + is_tag, length)))
        return 0;
    return length + (is_tag ? 2 : 0);
}

static bool is_path(const char *path, const struct grammar *grammar)
{
    size_t levels = 0;

    if (strlen(path) >= GL_ACCOUNT_PATH)
        return false;
    for (;;) {
        size_t length = segment_of(path, grammar);

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
    return is_path(path, &(struct grammar){false, false});
}

bool gl_account_is_pattern(const char *path)
{
    return is_path(path, &(struct grammar){true, false});
}

bool gl_account_was_pattern(const char *path)
{
    return is_path(path, &(struct grammar){true, true});
}

static void add_escaped_byte(struct gl_str *out, char byte)
{
    gl_str_addf(out, "%%%02X", (unsigned char)byte);
}

static void add_escaped(struct gl_str *out, const char *text)
{
    bool is_all_dots = is_dots(text, strlen(text));

    for (; *text != '\0'; text++)
        if (*text != '%' && !is_all_dots && strchr(letters, *text) != NULL)
            gl_str_add_char(out, *text);
        else
            add_escaped_byte(out, *text);
}

/* ---- as people write it ---- */

static bool is_escape(const char *text)
{
    static const char digits[] = "0123456789ABCDEF";

    return text[0] == '%' && text[1] != '\0' && strchr(digits, text[1]) != NULL &&
           text[2] != '\0' && strchr(digits, text[2]) != NULL;
}

/* Why a name is none; NULL when it is one. */
static const char *wrong_with(const char *name, size_t length)
{
    if (length == 0)
        return "a name between its slashes is empty";
    if (is_dots(name, length))
        return "dots alone are no name: it is a path in a tree of accounts, not of files";
    if (name[0] == ' ' || name[length - 1] == ' ')
        return "a name begins or ends with a blank";
    for (size_t i = 0; i < length; i++) {
        if ((unsigned char)name[i] < ' ' || name[i] == 0x7f)
            return "a name holds a control character";
        if (strchr("{}", name[i]) != NULL)
            return "braces stand around a whole name, as in {team}";
    }
    return NULL;
}

static const char *read_name(const char *name, size_t length, struct gl_str *out)
{
    bool is_tag = length > 2 && name[0] == '{' && name[length - 1] == '}';
    const char *wrong = is_tag ? wrong_with(name + 1, length - 2) : wrong_with(name, length);

    for (size_t i = 0; wrong == NULL && i < length; i++)
        if (is_tag || is_escape(name + i) || (name[i] != '%' && strchr(letters, name[i]) != NULL))
            gl_str_add_char(out, name[i]);
        else
            add_escaped_byte(out, name[i]);
    return wrong;
}

int gl_account_read(const char *text, char out[GL_ACCOUNT_PATH], struct gl_error *err)
{
    GL_AUTO(gl_str_done) struct gl_str path = {0};
    const char *wrong = NULL, *at = text;

    for (; wrong == NULL; at++) {
        size_t length = strcspn(at, "/");

        wrong = read_name(at, length, &path);
        at += length;
        if (*at == '\0')
            break;
        gl_str_add_char(&path, '/');
    }
    if (wrong == NULL && !gl_account_is_pattern(gl_str_text(&path)))
        wrong = "at most 8 names of 63 letters each, of which any but A-Z a-z 0-9 . _ - + @ counts "
                "three a byte, 255 in all";
    if (wrong != NULL)
        return gl_fail(err, GL_E_BAD_VALUE,
                       "\"%.60s\" is no account: %s; write it as in org/ml or org/{team}", text,
                       wrong);
    snprintf(out, GL_ACCOUNT_PATH, "%s", gl_str_text(&path));
    return 0;
}

/* ---- as tags make it ---- */

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
