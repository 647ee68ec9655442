/* SPDX-License-Identifier: Apache-2.0 */
/* Policies from a commit, so that a change cannot loosen the gate it goes through. The change may
 * hold a folder that looks like a repository, or come with a tag that is called like the commit:
 * git is told to look at neither. What is no policy but loosens it too has to lie elsewhere. */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/process.h"
#include "broker/cli/hook.h"
#include "broker/hook/baseline.h"

#define GIT_MS         30000
#define GIT_WORDS      12
#define REFS_MAX_BYTES 65536

/* Names of commits and branches only: no option, no path, no range. */
static int check_name(const char *ref, struct gl_error *err)
{
    char shown[GL_TEXT_SHOWN];

    if (ref[0] != '\0' && ref[0] != '-' && strpbrk(ref, ": \t\n\\?*[") == NULL &&
        strstr(ref, "..") == NULL)
        return 0;
    return gl_fail(err, GL_E_USAGE, "--policy-ref: \"%s\" is no name of a commit",
                   gl_text_show(ref, shown));
}

/* git's output, fresh; *out_status is its own. */
static int ask_git(const char *const *words, size_t ceiling, struct gl_str *out, int *out_status,
                   struct gl_error *err)
{
    const char *argv[GIT_WORDS] = {"git", "--no-replace-objects", "-c",
                                   "safe.bareRepository=explicit"};
    size_t count = 4;

    for (; *words != NULL; words++)
        argv[count++] = *words;
    out->ceiling = ceiling;
    if (gl_process_capture(argv, ceiling, GIT_MS, out, out_status, err) == 0)
        return 0;
    err->code = GL_E_USAGE;
    return gl_wrap(err, "--policy-ref");
}

/* ---- which commit ---- */

/* How many things a short name may mean: git takes the first, and who can push a tag chooses it. A
 * short hash is one of them. */
static size_t count_meanings(const char *name, const char *refs)
{
    size_t count = 0, length = strspn(name, "0123456789abcdefABCDEF");

    count += length >= 4 && name[length] == '\0';
    for (; *refs != '\0'; refs++)
        count += *refs == '\n';
    return count;
}

static int check_meanings(const char *ref, struct gl_error *err)
{
    static const char *const places[] = {"ref[s]/", "ref[s]/tags/", "ref[s]/heads/",
                                         "ref[s]/remotes/"};
    GL_AUTO(gl_str_done) struct gl_str refs = {0};
    GL_AUTO(gl_auto_free) char *name = gl_strdup(ref);
    char *patterns[sizeof places / sizeof places[0]];
    const char *words[GIT_WORDS] = {"for-each-ref", "--format=%(refname)"};
    int status = 0, result;

    name[strcspn(name, "~^")] = '\0';
    if (strncmp(name, "refs/", 5) == 0 || strstr(name, "@{") != NULL)
        return 0; /* a whole name goes before any other */
    if (strlen(name) >= 40 && strspn(name, "0123456789abcdefABCDEF") == strlen(name))
        return 0; /* and so does a whole hash */
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        struct gl_str pattern = {0};

        gl_str_addf(&pattern, "%s%s", places[i], name); /* a pattern: exactly that one */
        words[2 + i] = patterns[i] = gl_str_take(&pattern);
    }
    result = ask_git(words, REFS_MAX_BYTES, &refs, &status, err);
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
        free(patterns[i]);
    if (result != 0 || count_meanings(name, gl_str_text(&refs)) < 2)
        return result;
    return gl_fail(err, GL_E_USAGE,
                   "--policy-ref: %s may mean more than one thing; give the whole hash or name, as "
                   "in refs/remotes/origin/main",
                   ref);
}

int gl_hook_ref_resolve(struct gl_hook_ref *ref, struct gl_error *err)
{
    GL_AUTO(gl_str_done) struct gl_str commit = {0};
    GL_AUTO(gl_str_done) struct gl_str asked = {0};
    const char *words[] = {"rev-parse", "--verify", "--quiet", NULL, NULL};
    struct gl_view hash;
    int status = 0;

    if (check_name(ref->name, err) != 0 || check_meanings(ref->name, err) != 0)
        return -1;
    gl_str_addf(&asked, "%s^{commit}", ref->name);
    words[3] = gl_str_text(&asked);
    if (ask_git(words, REFS_MAX_BYTES, &commit, &status, err) != 0)
        return -1;
    hash = (struct gl_view){gl_str_text(&commit), strcspn(gl_str_text(&commit), "\n")};
    if (status != 0 || hash.length >= sizeof ref->commit)
        return gl_fail(err, GL_E_USAGE,
                       "--policy-ref: git has no commit %s here; is it fetched, and is this folder "
                       "in the repository?",
                       ref->name);
    memcpy(ref->commit, hash.text, hash.length);
    ref->commit[hash.length] = '\0';
    return 0;
}

/* ---- what stands in it ---- */

/* `cat-file` gives the blob as it is: no filter, no conversion. "./" stands for the folder we are
 * in. */
static int read_blob(void *cookie, const char *path, char **out, size_t *out_length,
                     struct gl_error *err)
{
    struct gl_hook_ref *ref = cookie;
    GL_AUTO(gl_str_done) struct gl_str object = {0};
    GL_AUTO(gl_str_done) struct gl_str text = {0};
    const char *words[] = {"cat-file", "blob", NULL, NULL};
    int status = 0;

    if (path[0] == '/' || strcmp(path, "-") == 0)
        return gl_fail(err, GL_E_USAGE,
                       "%s: with --policy-ref policies, waivers and baselines are paths in the "
                       "repository, relative to this folder",
                       path);
    if (ref->is_followed && gl_hook_ref_resolve(ref, err) != 0)
        return -1;
    gl_str_addf(&object, "%s:./%s", ref->commit, path);
    words[2] = gl_str_text(&object);
    if (ask_git(words, GL_BASELINE_MAX_BYTES, &text, &status, err) != 0)
        return -1;
    if (status != 0)
        return gl_fail(err, GL_E_USAGE, "--policy-ref: git has no %s:./%s", ref->name, path);
    *out_length = text.length;
    *out = gl_str_take(&text);
    return 0;
}

struct gl_policy_source gl_hook_source_of(struct gl_hook_ref *ref)
{
    return (struct gl_policy_source){ref, read_blob};
}

/* ---- what must not stand in it ---- */

static bool is_below(const char *path, const char *folder)
{
    size_t length = strcmp(folder, "/") == 0 ? 0 : strlen(folder);

    return strncmp(path, folder, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

static bool has_repository(const char *path, size_t length)
{
    GL_AUTO(gl_str_done) struct gl_str git = {0};

    gl_str_addf(&git, "%.*s/.git", (int)length, path);
    return gl_file_exists(gl_str_text(&git));
}

/* The folder that a change may write to: the outermost repository around the current folder, else
 * that folder; fresh, NULL = not known. Git is not asked: it may not be there. */
static char *find_top(void)
{
    char *top = realpath(".", NULL);
    size_t length = top != NULL ? strlen(top) : 0, found = length;

    for (; length > 0; length = (size_t)((char *)memrchr(top, '/', length) - top))
        if (has_repository(top, length))
            found = length;
    if (top != NULL)
        top[found] = '\0';
    return top;
}

/* Where the name itself stands, which may be a link; fresh, NULL = nowhere. */
static char *folder_of(const char *path)
{
    GL_AUTO(gl_auto_free) char *folder = gl_strdup(path);
    char *slash = strrchr(folder, '/');

    if (slash == NULL)
        return realpath(".", NULL);
    slash[1] = '\0';
    return realpath(folder, NULL);
}

int gl_hook_check_outside(const char *option, const char *path, const char *danger,
                          struct gl_error *err)
{
    GL_AUTO(gl_auto_free) char *real = path != NULL ? realpath(path, NULL) : NULL;
    GL_AUTO(gl_auto_free) char *folder = path != NULL ? folder_of(path) : NULL;
    GL_AUTO(gl_auto_free) char *top = find_top();

    if (real == NULL || folder == NULL)
        return 0; /* whoever reads it tells that it is not there */
    if (top != NULL && !is_below(real, top) && !is_below(folder, top))
        return 0;
    return gl_fail(err, GL_E_USAGE, "%s %s stands where a change could alter it and %s", option,
                   path, danger);
}
