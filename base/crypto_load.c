/* SPDX-License-Identifier: Apache-2.0 */
#include "base/crypto_part.h"

#include <dlfcn.h>
#include <string.h>

#define LIBRARY "libcrypto.so.3"

/* ISO C has no conversion from object to function pointers; POSIX dlsym() promises one. */
static bool find(void *library, const char *name, void *out_function)
{
    void *symbol = dlsym(library, name);

    memcpy(out_function, &symbol, sizeof symbol);
    return symbol != NULL;
}

int gl_crypto_load(struct gl_crypto_api *out, struct gl_error *err)
{
    /* It leaves handlers for the exit behind, so it must stay mapped. */
    void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    const char *missing = NULL;

    if (library == NULL)
        return gl_fail(err, GL_E_NO_CREDENTIAL,
                       "OpenSSL 3 is not installed (" LIBRARY
                       "): signing in to this cloud and checking signed identities need it");
#define GL_CRYPTO_FIND(name)               \
    if (!find(library, #name, &out->name)) \
        missing = #name;
    GL_CRYPTO_FUNCTIONS(GL_CRYPTO_FIND)
#undef GL_CRYPTO_FIND
    dlclose(library);
    if (missing != NULL)
        return gl_fail(err, GL_E_NO_CREDENTIAL, LIBRARY " lacks the function %s", missing);
    out->ERR_clear_error();
    return 0;
}

int gl_crypto_fail(const struct gl_crypto_api *api, struct gl_error *err, enum gl_errc code,
                   const char *text)
{
    const char *reason = api->ERR_reason_error_string(api->ERR_peek_last_error());

    gl_fail(err, code, "%s%s%s", text, reason != NULL ? ": " : "", reason != NULL ? reason : "");
    api->ERR_clear_error();
    return -1;
}
