/* SPDX-License-Identifier: Apache-2.0 */
#include "base/http_curl_part.h"

#include <dirent.h>
#include <dlfcn.h>
#include <stddef.h>
#include <string.h>

static const struct function {
    const char *name;
    size_t offset; /* in struct gl_curl */
} functions[] = {
#define FUNCTION(member) "curl_" #member, offsetof(struct gl_curl, member)
    {FUNCTION(global_init)},      {FUNCTION(easy_init)},           {FUNCTION(easy_reset)},
    {FUNCTION(easy_setopt)},      {FUNCTION(easy_getinfo)},        {FUNCTION(easy_strerror)},
    {FUNCTION(easy_cleanup)},     {FUNCTION(multi_init)},          {FUNCTION(multi_setopt)},
    {FUNCTION(multi_add_handle)}, {FUNCTION(multi_remove_handle)}, {FUNCTION(multi_perform)},
    {FUNCTION(multi_poll)},       {FUNCTION(multi_info_read)},     {FUNCTION(multi_cleanup)},
    {FUNCTION(slist_append)},     {FUNCTION(slist_free_all)},
#undef FUNCTION
};

/* ISO C has no conversion from object to function pointers; POSIX dlsym() promises one. */
static bool find_all(struct gl_curl *curl)
{
    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++) {
        void *symbol = dlsym(curl->library, functions[i].name);

        if (symbol == NULL)
            return false;
        memcpy((char *)curl + functions[i].offset, &symbol, sizeof symbol);
    }
    return true;
}

/* A folder of certificates by hash is read one file a connection; the bundle costs 50 times as
 * much. Some systems keep only a bundle there: then libcurl's own default is right. */
static bool is_hashed_folder(const char *path)
{
    DIR *folder = opendir(path);
    bool is_hashed = false;
    const struct dirent *entry;

    if (folder == NULL)
        return false;
    while (!is_hashed && (entry = readdir(folder)) != NULL)
        is_hashed = strlen(entry->d_name) == 10 && entry->d_name[8] == '.' &&
                    strspn(entry->d_name, "0123456789abcdef") == 8;
    closedir(folder);
    return is_hashed;
}

int gl_curl_load(struct gl_curl *curl, struct gl_error *err)
{
    void *library = curl->library;

    if (library != NULL)
        return 0;
    library = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);
    if (library == NULL)
        return gl_fail(err, GL_E_NETWORK, "libcurl is not installed (libcurl.so.4)");
    curl->library = library;
    if (!find_all(curl)) {
        curl->library = NULL;
        return gl_fail(err, GL_E_NETWORK, "libcurl.so.4 lacks a function");
    }
    if (curl->global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        curl->library = NULL;
        return gl_fail(err, GL_E_NETWORK, "libcurl does not start");
    }
    curl->has_ca_folder = is_hashed_folder(GL_CURL_CA_FOLDER);
    return 0;
}
