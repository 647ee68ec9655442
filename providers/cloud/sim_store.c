/* SPDX-License-Identifier: Apache-2.0 */
/* The memory of the simulated cloud: made, locked, looked things up in; and what its faults forbid.
 */
#include "providers/cloud/sim_part.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define INSTANCES 1000

/* ---- making it ---- */

static int check_options(const struct gl_sim_options *options, struct gl_error *err)
{
    if (options->place_count < 1 || options->place_count > GL_SIM_PLACES_MAX ||
        options->instances > GL_SIM_INSTANCES_MAX)
        return gl_fail(err, GL_E_TOO_LARGE,
                       "a simulated cloud has 1 to %d places and at most %d instances",
                       GL_SIM_PLACES_MAX, GL_SIM_INSTANCES_MAX);
    for (size_t i = 0; i < options->place_count; i++) {
        const char *name = options->places[i].name;

        if (name[0] == '\0' || strlen(name) >= sizeof((struct gl_sim_known_place *)0)->name)
            return gl_fail(err, GL_E_BAD_VALUE, "\"%.50s\" is no name of a simulated place", name);
        for (size_t j = 0; j < i; j++)
            if (strcmp(options->places[j].name, name) == 0)
                return gl_fail(err, GL_E_BAD_VALUE, "two simulated places are called %s", name);
    }
    return 0;
}

/* Memory behind a file, so that it can be locked; only what is used is there. */
static struct gl_sim *map(size_t bytes, struct gl_error *err)
{
    int fd = memfd_create("greenlaunch-sim", MFD_CLOEXEC);
    struct gl_sim *sim = MAP_FAILED;

    if (fd >= 0 && ftruncate(fd, (off_t)bytes) == 0)
        sim = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (sim == MAP_FAILED) {
        gl_fail_sys(err, GL_E_IO, errno, "no memory for a simulated cloud");
        if (fd >= 0)
            close(fd);
        return NULL;
    }
    sim->fd = fd;
    sim->bytes = bytes;
    return sim;
}

struct gl_sim *gl_sim_new(const struct gl_sim_options *options, struct gl_error *err)
{
    size_t capacity = options->instances > 0 ? options->instances : INSTANCES;
    struct gl_sim *sim;

    if (check_options(options, err) != 0)
        return NULL;
    sim = map(sizeof *sim + capacity * sizeof *sim->instances, err);
    if (sim == NULL)
        return NULL;
    sim->world = options->world;
    sim->move_ms = options->move_ms;
    sim->cookie = options->cookie;
    sim->console = options->console;
    sim->capacity = capacity;
    for (size_t i = 0; i < options->place_count; i++) {
        struct gl_sim_known_place *place = &sim->places[i];

        snprintf(place->name, sizeof place->name, "%s", options->places[i].name);
        place->price_u_usd_per_h = options->places[i].price_u_usd_per_h;
        place->capacity = options->places[i].capacity;
        sim->regions[i] = place->name;
    }
    sim->place_count = (uint32_t)options->place_count;
    return sim;
}

void gl_sim_free(struct gl_sim *sim)
{
    if (sim == NULL)
        return;
    close(sim->fd);
    munmap(sim, sim->bytes);
}

/* Advisory and by process: one that is killed gives it back. */
static void set_lock(const struct gl_sim *sim, short kind)
{
    struct flock lock = {.l_type = kind, .l_whence = SEEK_SET, .l_len = 1};

    while (fcntl(sim->fd, F_SETLKW, &lock) != 0 && errno == EINTR)
        ;
}

void gl_sim_unlock(struct gl_sim **sim)
{
    set_lock(*sim, F_UNLCK);
}

struct gl_sim *gl_sim_locked(struct gl_sim *sim)
{
    set_lock(sim, F_WRLCK);
    return sim;
}

int64_t gl_sim_now_ms(const struct gl_sim *sim)
{
    return sim->world->now_ms(sim->world->cookie);
}

/* ---- names ---- */

int gl_sim_find_place(const struct gl_sim *sim, const char *name, uint32_t *out,
                      struct gl_error *err)
{
    char shown[GL_TEXT_SHOWN];

    for (uint32_t i = 0; i < sim->place_count; i++)
        if (strcmp(sim->places[i].name, name) == 0) {
            *out = i;
            return 0;
        }
    return gl_fail(err, GL_E_UNKNOWN_NAME, "the simulated cloud has no place %s",
                   gl_text_show(name, shown));
}

/* "sim-12", brought to the present. */
struct gl_sim_instance *gl_sim_find(struct gl_sim *sim, const char *id, struct gl_error *err)
{
    char *end = NULL, shown[GL_TEXT_SHOWN];
    unsigned long number = 0;

    if (strncmp(id, "sim-", 4) == 0 && id[4] >= '1' && id[4] <= '9')
        number = strtoul(id + 4, &end, 10);
    if (number < 1 || number > sim->count || *end != '\0') {
        gl_fail(err, GL_E_NOT_FOUND, "the simulated cloud has no instance %s",
                gl_text_show(id, shown));
        return NULL;
    }
    gl_sim_settle(sim, &sim->instances[number - 1], gl_sim_now_ms(sim));
    return &sim->instances[number - 1];
}

int gl_sim_schedule(struct gl_sim *sim, const struct gl_sim_fault *fault, struct gl_error *err)
{
    GL_SIM_LOCKED(own, sim);
    uint32_t place = 0;

    if (gl_sim_find_place(own, fault->place, &place, err) != 0)
        return -1;
    if (own->fault_count == GL_SIM_FAULTS_MAX)
        return gl_fail(err, GL_E_TOO_LARGE, "more than %d faults in a simulated cloud",
                       GL_SIM_FAULTS_MAX);
    own->faults[own->fault_count++] = (struct gl_sim_known_fault){
        fault->kind, place, fault->from_ms, fault->until_ms, fault->extra_ms};
    return 0;
}

size_t gl_sim_count(struct gl_sim *sim, bool is_alive)
{
    GL_SIM_LOCKED(own, sim);
    size_t count = 0;

    for (size_t i = 0; i < own->count; i++) {
        gl_sim_settle(own, &own->instances[i], gl_sim_now_ms(own));
        count += !is_alive || gl_sim_is_alive(&own->instances[i]);
    }
    return count;
}

/* ---- faults ---- */

int gl_sim_reach(const struct gl_sim *sim, uint32_t place, struct gl_error *err)
{
    return gl_sim_fault_now(sim, GL_SIM_UNREACHABLE, place, gl_sim_now_ms(sim)) == NULL
               ? 0
               : gl_fail(err, GL_E_NETWORK, "the simulated place %s does not answer",
                         sim->places[place].name);
}

static size_t living_in(struct gl_sim *sim, uint32_t place)
{
    size_t count = 0;

    for (size_t i = 0; i < sim->count; i++) {
        if (sim->instances[i].place != place)
            continue;
        gl_sim_settle(sim, &sim->instances[i], gl_sim_now_ms(sim));
        count += gl_sim_is_alive(&sim->instances[i]);
    }
    return count;
}

/* May one more begin there? */
int gl_sim_admit(struct gl_sim *sim, uint32_t place, struct gl_error *err)
{
    const struct gl_sim_known_place *there = &sim->places[place];

    if (gl_sim_reach(sim, place, err) != 0)
        return -1;
    if (gl_sim_fault_now(sim, GL_SIM_GONE, place, gl_sim_now_ms(sim)) != NULL)
        return gl_fail(err, GL_E_LAUNCH, "the simulated place %s is gone", there->name);
    if (gl_sim_fault_now(sim, GL_SIM_NO_STOCK, place, gl_sim_now_ms(sim)) != NULL ||
        (there->capacity > 0 && living_in(sim, place) >= there->capacity))
        return gl_fail(err, GL_E_RATE_LIMIT, "the simulated place %s has nothing left",
                       there->name);
    return 0;
}
