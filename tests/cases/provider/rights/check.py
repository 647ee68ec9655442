# SPDX-License-Identifier: Apache-2.0
# Holds the tables of rights against the adapters: what an adapter's source sends, and what
# `provider NAME iam-policy` has a right for, are the same calls.
import glob, json, os, re, subprocess, sys

SOURCE = sys.argv[1] + "/providers/cloud/"
# What every user may call, and price lists for which no right is needed.
OPEN = {"gcp": {"POST testIamPermissions", "GET skus"},
        "scaleway": {"GET /product-catalog/v2alpha1/public-catalog/products"},
        "kubernetes": {"POST selfsubjectreviews", "POST selfsubjectaccessreviews"}}


def read(name):
    with open(name, encoding="utf-8") as file:
        return re.sub(r"/\*.*?\*/", "", file.read(), flags=re.S)


def texts(prefix):
    return {os.path.basename(n): read(n) for n in sorted(glob.glob(SOURCE + prefix + "*.c"))}


def arguments(text, at):
    """The arguments of the call whose bracket opens before `at`."""
    parts, depth, start, quote = [], 0, at, False
    while True:
        c = text[at]
        if c == '"' and text[at - 1] != "\\":
            quote = not quote
        elif not quote and c in "([{":
            depth += 1
        elif not quote and depth == 0 and c in ",)":
            parts.append(" ".join(text[start:at].split()))
            start = at + 1
            if c == ")":
                return parts
        elif not quote and c in ")]}":
            depth -= 1
        at += 1


def calls(text, name):
    for found in re.finditer(r"(?<![\w*])" + name + r"\(", text):
        line = text[text.rfind("\n", 0, found.start()) + 1:found.start()]
        if not re.match(r"(static )?(void|int|json_t|struct)", line):  # its own definition
            yield found.start(), arguments(text, found.end())


def literals(argument):
    return re.findall(r'"((?:[^"\\]|\\.)*)"', argument)


def literal(argument):
    found = literals(argument)
    return "".join(found) if re.fullmatch(r'("(?:[^"\\]|\\.)*"\s*)+', argument) else None


def spread(path, values):
    """What a path may be where a value is one of two texts."""
    paths, at = [""], 0
    specs = iter(values)
    for found in re.finditer(r"%[-.\d]*l*[a-z]", path):
        value = next(specs, "")
        two = re.search(r'\? "([^"]*)" : "([^"]*)"$', value)
        paths = [p + path[at:found.start()] + v for p in paths
                 for v in (two.groups() if two else [found.group()])]
        at = found.end()
    return [p + path[at:] for p in paths]


def aws():
    for name, text in texts("aws").items():
        for function in re.split(r"\n}\n", text):
            for _, a in calls(function, "gl_aws_chain_endpoint"):
                if literal(a[1]) and name != "aws_role.c":  # a role is taken with other credentials
                    yield literal(a[1]) + " " + re.search(r'url, "([^"]+)"', function).group(1)
        for _, a in calls(text, "gl_aws_query"):
            assert literal(a[-1]) or a[-1] == "action", a
            if literal(a[-1]):
                yield literal(a[-1])
        for _, a in calls(text, "act"):
            if a[0] == "aws":
                yield literal(a[1])
        for _, a in calls(text, "gl_aws_json"):
            yield literal(a[4])


def gcp_path(path):
    return re.sub(r"%\.\d+s(-%s)?", "%s", path)


def gcp():
    for name, text in texts("gcp").items():
        for _, a in calls(text, "gl_gcp_call"):
            methods, path = literals(a[2]), literal(a[3])
            if path == "%s" and name == "gcp_image.c":
                path = "global/images/%s"
            if path == "%s":
                continue  # of gl_gcp_each_page, below
            if len(methods) == 2:  # of act(), a verb or the end
                yield "DELETE zones/%s/instances/%s"
                for _, b in calls(text, "act"):
                    if literal(b[2]):
                        yield "POST zones/%s/instances/%s/" + literal(b[2])
                continue
            yield methods[0] + " " + gcp_path(path)
        for at, a in calls(text, "gl_gcp_each_page"):
            path = literal(a[1])
            if path is None:
                near = text.rfind("snprintf(path", 0, at)
                path = literal(arguments(text, near + len("snprintf("))[2])
            yield "GET " + gcp_path(path)
        for found in re.finditer(r'gl_str_addf\(&(?:call|out->)?\S*url, "%s/([^;]*?)"[,)]', text):
            path = re.sub(r'^(compute/)?v1/|" \w+ "', "", found.group(1))
            body = text[text.rfind("\n{\n", 0, found.start()):text.find("\n}\n", found.start())]
            if name not in ("gcp_credential.c", "gcp_call.c"):
                method = "POST" if '.method = "POST"' in body else "GET"
                yield method + " " + ("testIamPermissions" if path.endswith("testIamPermissions")
                                      else "skus" if path.endswith("skus") else path)


def vps(prefix):
    for text in texts(prefix).values():
        for _, a in calls(text, "gl_vps_call"):
            if a[2] == "method":
                continue  # of server_call(), below
            for path in spread(literal(a[3]), a[4:]):
                yield literal(a[2]) + " " + path.split("?")[0]
        for _, a in calls(text, "server_call"):
            yield literal(a[2]) + " /instance/v1/zones/%s/servers/%s" + literal(a[4])


def openstack():
    for text in texts("openstack").values():
        for _, a in calls(text, "gl_openstack_call"):
            yield a[2].replace("GL_OPENSTACK_", "") + " " + literal(a[3]) + " " + literal(a[4])


def azure():
    """Paths of resources are made by gl_azure_path(); what a function does not say itself is a
    machine, in azure_image.c a disk."""
    for name, text in texts("azure").items():
        if name in ("azure_call.c", "azure_credential.c"):
            continue
        for found in re.finditer(r'url, "%s(/[^"]*)"', text):  # past gl_azure_call()
            if found.group(1) == "/providers/Microsoft.Carbon/%s":
                for _, a in calls(text, "carbon_call"):
                    yield "POST /providers/Microsoft.Carbon/" + literal(a[2])
            elif found.group(1) != "/api/retail/prices":  # which anybody may read
                yield found.group(1)
        for function in re.split(r"\n}\n", text):
            kinds = {a[3]: literal(a[1]) for _, a in calls(function, "gl_azure_path")}

            def kind(path):
                return kinds.get(path, "disks" if name == "azure_image.c" else "virtualMachines")

            for word, method in (("gl_azure_get", "GET"), ("gl_azure_delete", "DELETE")):
                for _, a in calls(function, word):
                    yield method + " " + kind(a[2])
            for _, a in calls(function, "gl_azure_call"):
                method, path = literal(a[2]), literal(a[4])
                if path == "%s" and literal(a[5]) is not None:
                    path = literal(a[5]) or "subscription"
                elif path == "%s":
                    path = kind(a[5])
                elif path == "%s/%s":
                    continue  # of act(), below
                elif path.startswith("%s/"):
                    path = kind(a[5]) + path[2:]
                yield method + " " + path
            for _, a in calls(function, "act"):
                yield "POST virtualMachines/" + literal(a[2])


def kubernetes():
    for text in texts("kubernetes").values():
        for at, a in calls(text, "gl_kubernetes_call"):
            body = text[text.rfind("\n{\n", 0, at):text.find("\n}\n", at)]
            methods = [m for part in re.findall(r"\.?method = ([^;]*?)[,;}]", body)
                       for m in literals(part)]
            if "gl_kubernetes_patch" in body:
                methods = ["PATCH"]
            if literal(a[2]) is None:
                continue  # of gl_kubernetes_each, below
            assert methods, (a, body)
            for method in methods:
                yield method + " " + literal(a[2]) + " " + literal(a[3])
        for _, a in calls(text, "gl_kubernetes_each"):
            yield "GET " + literal(a[1]) + " " + literal(a[2])
        for found in re.finditer(r'url, "%s/api(?:s/[\w.]+)?/v1/(\w+)"', text):
            body = text[text.rfind("\n{\n", 0, found.start()):text.find("\n}\n", found.start())]
            if "nodes" not in found.group(1):
                yield ("POST" if '"POST"' in body else "GET") + " " + found.group(1)


SENT = {"aws": aws, "gcp": gcp, "azure": azure, "openstack": openstack, "kubernetes": kubernetes,
        "hetzner": lambda: vps("hetzner"), "digitalocean": lambda: vps("digitalocean"),
        "scaleway": lambda: vps("scaleway")}


def ask(*words):
    done = subprocess.run(("greenlaunch",) + words + ("--json", "--offline", "--quiet"),
                          stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)["data"]


clouds = [row["cloud"] for row in ask("provider", "list")["clouds"] if not row["built_in"]]
for cloud in clouds:
    granted = {row["call"] for row in ask("provider", cloud, "iam-policy")["rights"]} - {None}
    if cloud not in SENT:
        print(cloud + ": this test does not know how its adapter writes a call")
        continue
    sent = set(SENT[cloud]()) - OPEN.get(cloud, set())
    for call in sorted(sent - granted):
        print(cloud + ": is sent, but has no right: " + call)
    for call in sorted(granted - sent):
        print(cloud + ": has a right, but is never sent: " + call)
    if sent == granted and len(sent) > 5:
        print(cloud + ": every call has its right, every right its call")
