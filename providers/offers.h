/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GL_PROVIDERS_OFFERS_H
#define GL_PROVIDERS_OFFERS_H

/* The catalogue: built-in regions, types, prices and power as offers, joined with the zone facts of
 * the signal store, and the local machine's own offers. Needs no credentials and no network. */

#include "policy/facts.h"
#include "providers/cloud/cloud.h"
#include "providers/signal/store.h"

struct gl_offer_list {
    size_t count;
    struct gl_offer *offers; /* owned by the list, as is what they point to: */
    size_t place_count;
    struct gl_offer_place *places; /* one a region with offers */
    bool has_history;              /* a zone of theirs comes with its past */
    void *memory;
};

/* A cloud that no table can know, a private one: its regions and types are those it told when it
 * was last asked (pricelist.h). `zones`: where they stand, by its user's word: "SE-SE3", or
 * "north=SE-SE3, south=DE-LU"; NULL = not said. A region without it is looked for among those of
 * the cloud that its machines are rented from, as far as they tell; else its zone is unknown. */
struct gl_offer_own {
    const char *cloud, *zones;
};

struct gl_offer_options {
    const char *local_zone; /* grid zone this machine stands in; NULL = not configured */
    const char *local_country;
    const struct gl_cloud_place *local_places; /* its regions; none: this-machine, in local_zone */
    size_t local_place_count;
    uint32_t local_vcpus, local_memory_mib;
    const char *local_family;        /* CPU family key; NULL = unknown */
    const char *price_folder;        /* prices that clouds told (pricelist.h); NULL = none */
    const struct gl_offer_own *owns; /* the user's own clouds */
    size_t own_count;
    bool has_local;     /* offer the `local` cloud at all */
    bool wants_history; /* of every zone, for promises and plans */
    bool only_asked;    /* no offer of a cloud or type that the request does not ask for */
};

/* Every offer that the request's place and size filters could let through (globs over cloud,
 * region, type; sizes), with zone facts over the request's window. Errors: none from missing data:
 * that is left unknown. */
int gl_offers_gather(const struct gl_request *request, const struct gl_offer_options *options,
                     struct gl_signal_store *store, struct gl_offer_list *out,
                     struct gl_error *err);
void gl_offer_list_done(struct gl_offer_list *list);

/* Where offers of one region stand, with zone facts as above. False when the built-in tables do not
 * know the region; texts are theirs. */
bool gl_offers_place(const struct gl_request *request, struct gl_signal_store *store,
                     const char *cloud, const char *region, struct gl_offer_place *out);

#endif
