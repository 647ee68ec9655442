/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/conformance/cloud_fake_aws.h"

#include "base/sign.h"
#include "base/time.h"
#include "tests/support/test_clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef void action_of(struct gl_fake_aws *fake, const struct gl_fake_aws_fields *fields,
                       struct gl_test_answer *out);

#define FIELD(...) gl_fake_aws_field(fields, __VA_ARGS__)

static const char *const types[] = {"t3.micro", "t4g.nano", GL_FAKE_AWS_NO_QUOTA,
                                    GL_FAKE_AWS_NO_STOCK};

/* ---- places and types ---- */

static void describe_regions(struct gl_fake_aws *fake, const struct gl_fake_aws_fields *fields,
                             struct gl_test_answer *out)
{
    (void)fake, (void)fields;
    gl_str_add(&out->body, "<DescribeRegionsResponse><regionInfo>"
                           "<item><regionName>eu-north-1</regionName><regionEndpoint>e</"
                           "regionEndpoint><optInStatus>opt-in-not-required</optInStatus></item>"
                           "<item><regionName>eu-west-1</regionName><regionEndpoint>e</"
                           "regionEndpoint><optInStatus>opt-in-not-required</optInStatus></item>"
                           "<item><regionName>af-south-1</regionName><regionEndpoint>e</"
                           "regionEndpoint><optInStatus>not-opted-in</optInStatus></item>"
                           "</regionInfo></DescribeRegionsResponse>");
}

static size_t page_of(const struct gl_fake_aws *fake, const struct gl_fake_aws_fields *fields,
                      size_t count, size_t *out_end)
{
    size_t from = strtoul(FIELD("NextToken"), NULL, 10);

    *out_end = fake->page > 0 && from + fake->page < count ? from + fake->page : count;
    return from;
}

static void add_next(struct gl_str *out, size_t end, size_t count)
{
    if (end < count)
        gl_str_addf(out, "<nextToken>%zu</nextToken>", end);
}

static void describe_offerings(struct gl_fake_aws *fake, const struct gl_fake_aws_fields *fields,
                               struct gl_test_answer *out)
{
    size_t count = sizeof types / sizeof *types, end;

    gl_str_add(&out->body, "<R><instanceTypeOfferingSet>");
    for (size_t i = page_of(fake, fields, count, &end); i < end; i++)
        gl_str_addf(&out->body, "<item><instanceType>%s</instanceType></item>", types[i]);
    gl_str_add(&out->body, "</instanceTypeOfferingSet>");
    add_next(&out->body, end, count);
    gl_str_add(&out->body, "</R>");
}

static bool is_type(const char *name)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (strcmp(types[i], name) == 0)
            return true;
    return false;
}

static void describe_spot(struct gl_fake_aws *fake, const struct gl_fake_aws_fields *fields,
                          struct gl_test_answer *out)
{
    (void)fake;
    gl_str_addf(&out->body,
                "<R><spotPriceHistorySet>"
                "<item><instanceType>t3.micro</instanceType><availabilityZone>%sa"
                "</availabilityZone><spotPrice>0.003100</spotPrice></item>"
                "<item><instanceType>t3.micro</instanceType><availabilityZone>%sb"
                "</availabilityZone><spotPrice>0.004200</spotPrice></item></spotPriceHistorySet>"
                "<nextToken/></R>",
                fields->region, fields->region);
}

/* ---- instances ---- */

/* Everything but what may differ when a request is sent again. */
static void digest_of(const struct gl_fake_aws_fields *fields, char out[80])
{
    struct gl_str text = {0};
    struct gl_hash hash;

    for (size_t i = 0; i < fields->count; i++)
        if (strcmp(fields->items[i].name, "DryRun") != 0)
            gl_str_addf(&text, "%s=%s\n", fields->items[i].name, fields->items[i].value);
    gl_hash_of(gl_str_text(&text), text.length, &hash);
    gl_hash_hex(&hash, out);
    gl_str_done(&text);
}

static void add_instance(struct gl_str *out, const struct gl_fake_aws_instance *instance)
{
    gl_str_addf(out,
                "<item><instanceId>%s</instanceId><instanceState><code>0</code><name>%s</name>"
                "</instanceState><instanceType>%s</instanceType><launchTime>%s</launchTime>"
                "<placement><availabilityZone>%sa</availabilityZone></placement><clientToken>%s"
                "</clientToken><cpuOptions><coreCount>1</coreCount><threadsPerCore>2"
                "</threadsPerCore></cpuOptions>",
                instance->id, instance->state, instance->type, instance->started, instance->region,
                instance->token);
    if (instance->is_spot)
        gl_str_add(out, "<instanceLifecycle>spot</instanceLifecycle>");
    if (instance->reason[0] != '\0')
        gl_str_addf(out, "<stateReason><code>%s</code><message>m</message></stateReason>",
                    instance->reason);
    gl_str_add(out, "<tagSet>");
    for (unsigned i = 0; i < instance->tag_count; i++)
        gl_str_addf(out, "<item><key>%s</key><value>%s</value></item>", instance->tags[i].key,
                    instance->tags[i].value);
    gl_str_add(out, "</tagSet></item>");
}

static void add_run(struct gl_str *out, const struct gl_fake_aws_instance *instance)
{
    gl_str_add(out, "<RunInstancesResponse><reservationId>r-0</reservationId><instancesSet>");
    add_instance(out, instance);
    gl_str_add(out, "</instancesSet></RunInstancesResponse>");
}

/* What EC2 demands, and what we promise to say. */
static const char *wrong_run(const struct gl_fake_aws_fields *fields)
{
    static const char *const compulsory[][2] = {{"MinCount", "1"},
                                                {"MaxCount", "1"},
                                                {"InstanceInitiatedShutdownBehavior", "terminate"},
                                                {"MetadataOptions.HttpTokens", "required"},
                                                {"TagSpecification.1.ResourceType", "instance"},
                                                {"TagSpecification.2.ResourceType", "volume"}};

    for (size_t i = 0; i < sizeof compulsory / sizeof *compulsory; i++)
        if (strcmp(FIELD("%s", compulsory[i][0]), compulsory[i][1]) != 0)
            return compulsory[i][0];
    if (*FIELD("ImageId") == '\0' || strlen(FIELD("ClientToken")) > 64 ||
        *FIELD("ClientToken") == '\0')
        return "ImageId or ClientToken";
    return *FIELD("InstanceMarketOptions.SpotOptions.MaxPrice") != '\0' ? "MaxPrice" : NULL;
}

/* EC2's answer to a token that was seen before; NULL = it was not. */
static struct gl_fake_aws_instance *of_token(struct gl_fake_aws *fake,
                                             const struct gl_fake_aws_fields *fields)
{
    for (size_t i = 0; i < fake->count; i++)
        if (strcmp(fake->instances[i].token, FIELD("ClientToken")) == 0 &&
            strcmp(fake->instances[i].region, fields->region) == 0)
            return &fake->instances[i];
    return NULL;
}

static void repeat(const struct gl_fake_aws_instance *known,
                   const struct gl_fake_aws_fields *fields, struct gl_test_answer *out)
{
    char digest[80];

    digest_of(fields, digest);
    if (strcmp(known->digest, digest) != 0)
        gl_fake_aws_error(out, 400, "IdempotentParameterMismatch",
                          "The client token you have provided is associated with a resource that "
                          "has different parameters");
    else if (strcmp(known->state, "terminated") == 0 || strcmp(known->state, "shutting-down") == 0)
        gl_fake_aws_error(out, 400, "IdempotentInstanceTerminated",
                          "The instance associated with the token is terminated");
    else
        add_run(&out->body, known);
}

static void keep_tags(struct gl_fake_aws_instance *instance,
                      const struct gl_fake_aws_fields *fields)
{
    for (unsigned i = 1; i <= GL_FAKE_AWS_TAGS; i++) {
        const char *key = FIELD("TagSpecification.1.Tag.%u.Key", i);

        if (*key == '\0')
            break;
        snprintf(instance->tags[instance->tag_count].key, 64, "%s", key);
        snprintf(instance->tags[instance->tag_count++].value, 80, "%s",
                 FIELD("TagSpecification.1.Tag.%u.Value", i));
    }
}

static struct gl_fake_aws_instance *make(struct gl_fake_aws *fake,
                                         const struct gl_fake_aws_fields *fields)
{
    struct gl_fake_aws_instance *made = &fake->instances[fake->count++];
    char now[GL_INSTANT_TEXT];

    snprintf(made->id, sizeof made->id, "i-%017zx", fake->count);
    snprintf(made->region, sizeof made->region, "%s", fields->region);
    snprintf(made->type, sizeof made->type, "%s", FIELD("InstanceType"));
    snprintf(made->state, sizeof made->state, "pending");
    snprintf(made->token, sizeof made->token, "%s", FIELD("ClientToken"));
    snprintf(made->started, sizeof made->started, "%s",
             gl_instant_text((struct gl_instant){test_clock_now()}, now));
    made->is_spot = strcmp(FIELD("InstanceMarketOptions.MarketType"), "spot") == 0;
    made->hidden = fake->hide;
    made->user_data = gl_strdup(FIELD("UserData"));
    digest_of(fields, made->digest);
    keep_tags(made, fields);
    return made;
}

static void run_instances(struct gl_fake_aws *fake, const struct gl_fake_aws_fields *fields,
                          struct gl_test_answer *out)
{
    const char *type = FIELD("InstanceType"), *wrong = wrong_run(fields);
    struct gl_fake_aws_instance *known = of_token(fake, fields);

    if (wrong != NULL)
        gl_fake_aws_error(out, 400, "MissingParameter", wrong);
    else if (!is_type(type))
        gl_fake_aws_error(out, 400, "InvalidParameterValue",
                          "Invalid value 'vast' for InstanceType.");
    else if (strcmp(FIELD("DryRun"), "true") == 0)
        gl_fake_aws_error(out, 412, "DryRunOperation",
                          "Request would have succeeded, but DryRun flag is set.");
    else if (known != NULL)
        repeat(known, fields, out);
    else if (strcmp(type, GL_FAKE_AWS_NO_STOCK) == 0)
        gl_fake_aws_error(out, 500, "InsufficientInstanceCapacity",
                          "We currently do not have sufficient capacity in the Availability Zone "
                          "you requested (eu-north-1a). You can currently get capacity by not "
                          "specifying an Availability Zone in your request or choosing "
                          "eu-north-1b, eu-north-1c.");
    else if (strcmp(type, GL_FAKE_AWS_NO_QUOTA) == 0)
        gl_fake_aws_error(out, 400, "VcpuLimitExceeded",
                          "You have requested more vCPU capacity than your current vCPU limit of 0 "
                          "allows");
    else if (fake->count == GL_FAKE_AWS_INSTANCES)
        gl_fake_aws_error(out, 500, "InternalError", "the fake is full");
    else
        add_run(&out->body, make(fake, fields));
}

/* Time passes at each look. */
static void age(const struct gl_fake_aws *fake, struct gl_fake_aws_instance *instance)
{
    if (strcmp(instance->state, "pending") == 0 && fake->unborn != NULL) {
        snprintf(instance->state, sizeof instance->state, "shutting-down");
        snprintf(instance->reason, sizeof instance->reason, "%s", fake->unborn);
    } else if (strcmp(instance->state, "pending") == 0)
        snprintf(instance->state, sizeof instance->state, "running");
    else if (strcmp(instance->state, "shutting-down") == 0)
        snprintf(instance->state, sizeof instance->state, "terminated");
    else if (strcmp(instance->state, "stopping") == 0)
        snprintf(instance->state, sizeof instance->state, "stopped");
}

static bool has_tag(const struct gl_fake_aws_instance *instance, const char *key, const char *value)
{
    for (unsigned i = 0; i < instance->tag_count; i++)
        if (strcmp(instance->tags[i].key, key) == 0 &&
            (value == NULL || strcmp(instance->tags[i].value, value) == 0))
            return true;
    return false;
}

static bool matches(const struct gl_fake_aws_instance *instance,
                    const struct gl_fake_aws_fields *fields)
{
    if (strcmp(instance->region, fields->region) != 0)
        return false;
    for (unsigned i = 1; *FIELD("Filter.%u.Name", i) != '\0'; i++) {
        const char *name = FIELD("Filter.%u.Name", i), *value = FIELD("Filter.%u.Value.1", i);

        if ((strncmp(name, "tag:", 4) == 0 && !has_tag(instance, name + 4, value)) ||
            (strcmp(name, "tag-key") == 0 && !has_tag(instance, value, NULL)) ||
            (strcmp(name, "client-token") == 0 && strcmp(instance->token, value) != 0) ||
            (strcmp(name, "instance-state-name") == 0 && strcmp(instance->state, value) != 0 &&
             strcmp(instance->state, FIELD("Filter.%u.Value.2", i)) != 0))
            return false;
    }
    return true;
}

static struct gl_fake_aws_instance *by_id(struct gl_fake_aws *fake,
                                          const struct gl_fake_aws_fields *fields, const char *id,
                                          struct gl_test_answer *out)
{
    for (size_t i = 0; i < fake->count; i++) {
        struct gl_fake_aws_instance *at = &fake->instances[i];

        if (strcmp(at->id, id) != 0 || strcmp(at->region, fields->region) != 0)
            continue;
        if (at->hidden == 0)
            return at;
        at->hidden--;
        break;
    }
    gl_fake_aws_error(out, 400, "InvalidInstanceID.NotFound", "The instance ID does not exist");
    return NULL;
}

static void describe_instances(struct gl_fake_aws *fake, const struct gl_fake_aws_fields *fields,
                               struct gl_test_answer *out)
{
    const char *id = FIELD("InstanceId.1");
    struct gl_fake_aws_instance *one = *id != '\0' ? by_id(fake, fields, id, out) : NULL;
    size_t count = fake->count, end = 0;

    if (*id != '\0' && one == NULL)
        return;
    if (*id != '\0' && *FIELD("MaxResults") != '\0') {
        gl_fake_aws_error(out, 400, "InvalidParameterCombination", "MaxResults with InstanceId");
        return;
    }
    gl_str_add(&out->body, "<DescribeInstancesResponse><reservationSet>");
    for (size_t i = one != NULL ? 0 : page_of(fake, fields, count, &end);
         i < (one != NULL ? 1 : end); i++) {
        struct gl_fake_aws_instance *at = one != NULL ? one : &fake->instances[i];

        if (one == NULL && (!matches(at, fields) || (at->hidden > 0 && at->hidden-- > 0)))
            continue;
        age(fake, at);
        gl_str_add(&out->body, "<item><reservationId>r</reservationId><instancesSet>");
        add_instance(&out->body, at);
        gl_str_add(&out->body, "</instancesSet></item>");
    }
    gl_str_add(&out->body, "</reservationSet>");
    if (one == NULL)
        add_next(&out->body, end, count);
    gl_str_add(&out->body, "</DescribeInstancesResponse>");
}

static void change(struct gl_fake_aws *fake, const struct gl_fake_aws_fields *fields,
                   struct gl_test_answer *out, const char *from, const char *to)
{
    struct gl_fake_aws_instance *at = by_id(fake, fields, FIELD("InstanceId.1"), out);
    bool is_end = strcmp(to, "shutting-down") == 0;

    if (at == NULL)
        return;
    if (strcmp(at->state, "terminated") == 0 && !is_end) {
        gl_fake_aws_error(out, 400, "IncorrectInstanceState", "It is terminated");
        return;
    }
    if (strcmp(at->state, "terminated") != 0 &&
        (is_end || strcmp(at->state, from) == 0 || strcmp(at->state, "pending") == 0)) {
        snprintf(at->state, sizeof at->state, "%s", to);
        if (is_end)
            snprintf(at->reason, sizeof at->reason, "Client.UserInitiatedShutdown");
    }
    gl_str_addf(&out->body,
                "<R><instancesSet><item><instanceId>%s</instanceId></item>"
                "</instancesSet></R>",
                at->id);
}

static void terminate(struct gl_fake_aws *fake, const struct gl_fake_aws_fields *fields,
                      struct gl_test_answer *out)
{
    change(fake, fields, out, "", "shutting-down");
}

static void stop(struct gl_fake_aws *fake, const struct gl_fake_aws_fields *fields,
                 struct gl_test_answer *out)
{
    change(fake, fields, out, "running", "stopping");
}

static void start(struct gl_fake_aws *fake, const struct gl_fake_aws_fields *fields,
                  struct gl_test_answer *out)
{
    change(fake, fields, out, "stopped", "pending");
}

static void console(struct gl_fake_aws *fake, const struct gl_fake_aws_fields *fields,
                    struct gl_test_answer *out)
{
    const char *text = fake->console != NULL ? fake->console : "";
    size_t length = strlen(text), from = length > 65536 ? length - 65536 : 0;
    char *coded;

    if (by_id(fake, fields, FIELD("InstanceId"), out) == NULL)
        return;
    if (fake->has_no_latest && strcmp(FIELD("Latest"), "true") == 0) {
        gl_fake_aws_error(out, 400, "UnsupportedOperation", "Latest is not supported");
        return;
    }
    coded = gl_alloc(4 * ((length - from + 2) / 3) + 1);
    gl_base64_text(text + from, length - from, coded);
    gl_str_addf(&out->body, "<R><timestamp>2026-01-01T00:00:00Z</timestamp><output>%s</output></R>",
                coded);
    free(coded);
}

/* ---- images ---- */

static void make_image(struct gl_fake_aws *fake, const struct gl_fake_aws_fields *fields,
                       struct gl_test_answer *out)
{
    struct gl_fake_aws_image *made = &fake->images[fake->image_count];

    for (size_t i = 0; i < fake->image_count; i++)
        if (strcmp(fake->images[i].name, FIELD("Name")) == 0 &&
            strcmp(fake->images[i].region, fields->region) == 0) {
            gl_fake_aws_error(out, 400, "InvalidAMIName.Duplicate", "AMI name is already in use");
            return;
        }
    fake->image_count++;
    snprintf(made->id, sizeof made->id, "ami-%017zx", fake->image_count);
    snprintf(made->snapshot, sizeof made->snapshot, "snap-%017zx", fake->image_count);
    snprintf(made->region, sizeof made->region, "%s", fields->region);
    snprintf(made->name, sizeof made->name, "%s", FIELD("Name"));
    snprintf(made->state, sizeof made->state, "pending");
    made->looks = 2;
    gl_str_addf(&out->body, "<R><imageId>%s</imageId></R>", made->id);
}

static void create_image(struct gl_fake_aws *fake, const struct gl_fake_aws_fields *fields,
                         struct gl_test_answer *out)
{
    if (by_id(fake, fields, FIELD("InstanceId"), out) != NULL)
        make_image(fake, fields, out);
}

static void copy_image(struct gl_fake_aws *fake, const struct gl_fake_aws_fields *fields,
                       struct gl_test_answer *out)
{
    for (size_t i = 0; i < fake->image_count; i++)
        if (strcmp(fake->images[i].id, FIELD("SourceImageId")) == 0 &&
            strcmp(fake->images[i].region, FIELD("SourceRegion")) == 0) {
            make_image(fake, fields, out);
            return;
        }
    gl_fake_aws_error(out, 400, "InvalidAMIID.NotFound", "The image id does not exist");
}

static void describe_images(struct gl_fake_aws *fake, const struct gl_fake_aws_fields *fields,
                            struct gl_test_answer *out)
{
    const char *id = FIELD("ImageId.1"), *name = FIELD("Filter.1.Value.1");
    bool is_found = false;

    gl_str_add(&out->body, "<R><imagesSet>");
    for (size_t i = 0; i < fake->image_count; i++) {
        struct gl_fake_aws_image *at = &fake->images[i];

        if (strcmp(at->region, fields->region) != 0 || at->state[0] == '\0' ||
            (*id != '\0' ? strcmp(at->id, id) : strcmp(at->name, name)) != 0)
            continue;
        if (at->looks > 0 && --at->looks == 0)
            snprintf(at->state, sizeof at->state, "available");
        is_found = true;
        gl_str_addf(&out->body,
                    "<item><imageId>%s</imageId><imageState>%s</imageState><name>%s</name>"
                    "<blockDeviceMapping><item><ebs><snapshotId>%s</snapshotId><volumeSize>8"
                    "</volumeSize></ebs></item></blockDeviceMapping></item>",
                    at->id, at->state, at->name, at->snapshot);
    }
    gl_str_add(&out->body, "</imagesSet></R>");
    if (*id != '\0' && !is_found)
        gl_fake_aws_error(out, 400, "InvalidAMIID.NotFound", "The image id does not exist");
}

static void deregister_image(struct gl_fake_aws *fake, const struct gl_fake_aws_fields *fields,
                             struct gl_test_answer *out)
{
    for (size_t i = 0; i < fake->image_count; i++)
        if (strcmp(fake->images[i].id, FIELD("ImageId")) == 0)
            fake->images[i].state[0] = '\0';
    gl_str_add(&out->body, "<R><return>true</return></R>");
}

static void delete_snapshot(struct gl_fake_aws *fake, const struct gl_fake_aws_fields *fields,
                            struct gl_test_answer *out)
{
    for (size_t i = 0; i < fake->image_count; i++)
        if (strcmp(fake->images[i].snapshot, FIELD("SnapshotId")) == 0) {
            fake->images[i].snapshot[0] = '\0';
            gl_str_add(&out->body, "<R><return>true</return></R>");
            return;
        }
    gl_fake_aws_error(out, 400, "InvalidSnapshot.NotFound", "The snapshot does not exist");
}

/* ---- what is known ---- */

static const struct {
    const char *action;
    action_of *act;
    const char *fields; /* globs that it takes */
} actions[] = {
    {"DescribeRegions", describe_regions, ""},
    {"DescribeInstanceTypeOfferings", describe_offerings, "LocationType MaxResults NextToken"},
    {"DescribeSpotPriceHistory", describe_spot,
     "StartTime ProductDescription.? InstanceType.? NextToken"},
    {"RunInstances", run_instances,
     "MinCount MaxCount ClientToken InstanceType ImageId InstanceInitiatedShutdownBehavior "
     "MetadataOptions.HttpTokens MetadataOptions.InstanceMetadataTags SubnetId SecurityGroupId.? "
     "Placement.AvailabilityZone "
     "KeyName IamInstanceProfile.Arn IamInstanceProfile.Name TagSpecification.?.ResourceType "
     "TagSpecification.?.Tag.?.Key TagSpecification.?.Tag.?.Value InstanceMarketOptions.MarketType "
     "InstanceMarketOptions.SpotOptions.* UserData DryRun"},
    {"DescribeInstances", describe_instances,
     "InstanceId.? Filter.?.Name Filter.?.Value.? MaxResults NextToken"},
    {"TerminateInstances", terminate, "InstanceId.?"},
    {"StopInstances", stop, "InstanceId.?"},
    {"StartInstances", start, "InstanceId.?"},
    {"GetConsoleOutput", console, "InstanceId Latest"},
    {"CreateImage", create_image,
     "InstanceId Name NoReboot TagSpecification.?.ResourceType TagSpecification.?.Tag.?.*"},
    {"CopyImage", copy_image,
     "SourceRegion SourceImageId Name ClientToken TagSpecification.?.ResourceType "
     "TagSpecification.?.Tag.?.*"},
    {"DescribeImages", describe_images, "ImageId.? Owner.? Filter.?.Name Filter.?.Value.?"},
    {"DeregisterImage", deregister_image, "ImageId DeleteAssociatedSnapshots"},
    {"DeleteSnapshot", delete_snapshot, "SnapshotId"},
};

static bool is_taken(const char *globs, const char *name)
{
    while (*globs != '\0') {
        size_t length = strcspn(globs, " ");
        char glob[80];

        snprintf(glob, sizeof glob, "%.*s", (int)length, globs);
        if (gl_glob_match(glob, name))
            return true;
        globs += length + (globs[length] == ' ');
    }
    return strcmp(name, "Action") == 0 || strcmp(name, "Version") == 0;
}

bool gl_fake_aws_ec2(struct gl_fake_aws *fake, const char *action,
                     const struct gl_fake_aws_fields *fields, struct gl_test_answer *out)
{
    for (size_t i = 0; i < sizeof actions / sizeof *actions; i++) {
        if (strcmp(actions[i].action, action) != 0)
            continue;
        for (size_t j = 0; j < fields->count; j++)
            if (!is_taken(actions[i].fields, fields->items[j].name)) {
                snprintf(fake->problem, sizeof fake->problem, "%s takes no %s", action,
                         fields->items[j].name);
                gl_fake_aws_error(out, 400, "UnknownParameter", fake->problem);
                return true;
            }
        actions[i].act(fake, fields, out);
        return true;
    }
    return false;
}
