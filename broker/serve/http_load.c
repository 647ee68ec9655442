/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/serve/http_part.h"

#include <dlfcn.h>
#include <string.h>

#define LIBRARY "libmicrohttpd.so.12"

static const struct function {
    const char *name;
    size_t offset; /* in struct gl_mhd */
} functions[] = {
#define FUNCTION(member) "MHD_" #member, offsetof(struct gl_mhd, member)
    {FUNCTION(start_daemon)},
    {FUNCTION(quiesce_daemon)},
    {FUNCTION(stop_daemon)},
    {FUNCTION(run_wait)},
    {FUNCTION(lookup_connection_value)},
    {FUNCTION(get_connection_info)},
    {FUNCTION(get_daemon_info)},
    {FUNCTION(create_response_from_buffer)},
    {FUNCTION(add_response_header)},
    {FUNCTION(queue_response)},
    {FUNCTION(destroy_response)},
    {FUNCTION(is_feature_supported)},
#undef FUNCTION
};

/* ISO C has no conversion from object to function pointers; POSIX dlsym() promises one. */
static bool find_all(struct gl_mhd *mhd)
{
    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++) {
        void *symbol = dlsym(mhd->library, functions[i].name);

        if (symbol == NULL)
            return false;
        memcpy((char *)mhd + functions[i].offset, &symbol, sizeof symbol);
    }
    return true;
}

int gl_mhd_load(struct gl_mhd *mhd, struct gl_error *err)
{
    if (mhd->library != NULL)
        return 0;
    mhd->library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
    if (mhd->library == NULL)
        return gl_fail(err, GL_E_NETWORK, "libmicrohttpd is not installed (" LIBRARY ")");
    if (find_all(mhd))
        return 0;
    mhd->library = NULL;
    return gl_fail(err, GL_E_NETWORK, LIBRARY " lacks a function");
}
