# SPDX-License-Identifier: Apache-2.0
"""What the real OpenStack of tests/integration/openstack.sh needs besides its services.

neutron PORT  answers every list of a network service with an empty one
services      makes the services' accounts and their catalogue
project       makes a project with a user, an application credential, an image and flavors, waits
              for the hypervisor and writes /srv/greenlaunch/env
"""
import http.server
import json
import sys
import time
import urllib.error
import urllib.request

KEYSTONE = "http://127.0.0.1:5000/v3"
NOVA = "http://127.0.0.1:8774/v2.1"
GLANCE = "http://127.0.0.1:9292/v2"


def call(method, url, token=None, body=None, headers=(), raw=None):
    """The answer's JSON and headers; a call to what is still starting is sent again."""
    data = raw if raw is not None else None if body is None else json.dumps(body).encode()
    for left in range(60, -1, -1):
        request = urllib.request.Request(url, data=data, method=method)
        request.add_header("Content-Type", "application/json")
        if token:
            request.add_header("X-Auth-Token", token)
        for name, value in headers:
            request.add_header(name, value)
        try:
            with urllib.request.urlopen(request) as answer:
                text = answer.read()
                return (json.loads(text) if text else None), answer.headers
        except urllib.error.HTTPError as error:
            if error.code < 500 or not left:
                raise SystemExit(f"{method} {url}: {error.code} {error.read()[:400]!r}")
        except OSError as error:
            if not left:
                raise SystemExit(f"{method} {url}: {error}")
        time.sleep(1)


def login(user, password, project):
    domain = {"id": "default"}
    body = {
        "auth": {
            "identity": {
                "methods": ["password"],
                "password": {"user": {"name": user, "domain": domain, "password": password}},
            },
            "scope": {"project": {"name": project, "domain": domain}},
        }
    }
    answer, headers = call("POST", KEYSTONE + "/auth/tokens", body=body)
    return headers["X-Subject-Token"], answer["token"]


def role_ids(token):
    roles, _ = call("GET", KEYSTONE + "/roles", token)
    return {role["name"]: role["id"] for role in roles["roles"]}


def make_user(token, name, password, project, role):
    body = {"user": {"name": name, "password": password, "domain_id": "default"}}
    user = call("POST", KEYSTONE + "/users", token, body)[0]["user"]["id"]
    call("PUT", f"{KEYSTONE}/projects/{project}/users/{user}/roles/{role}", token)
    return user


def make_project(token, name):
    body = {"project": {"name": name, "domain_id": "default"}}
    return call("POST", KEYSTONE + "/projects", token, body)[0]["project"]["id"]


def services():
    token, _ = login("admin", "service", "admin")
    project, admin = make_project(token, "service"), role_ids(token)["admin"]
    addresses = {
        "nova": ("compute", NOVA),
        "placement": ("placement", "http://127.0.0.1:8778"),
        "glance": ("image", "http://127.0.0.1:9292"),
        "neutron": ("network", "http://127.0.0.1:9696"),
    }
    for name, (kind, url) in addresses.items():
        make_user(token, name, "service", project, admin)
        body = {"service": {"name": name, "type": kind}}
        service = call("POST", KEYSTONE + "/services", token, body)[0]["service"]["id"]
        for interface in ("public", "internal", "admin"):
            endpoint = {"service_id": service, "interface": interface, "url": url}
            endpoint["region_id"] = "RegionOne"
            call("POST", KEYSTONE + "/endpoints", token, {"endpoint": endpoint})


def make_flavor(token, name, vcpus, ram, disk):
    body = {"flavor": {"name": name, "vcpus": vcpus, "ram": ram, "disk": disk}}
    call("POST", NOVA + "/flavors", token, body)


def make_image(token):
    body = {"name": "tiny", "disk_format": "raw", "container_format": "bare", "visibility": "public"}
    image = call("POST", GLANCE + "/images", token, body)[0]["id"]
    kind = [("Content-Type", "application/octet-stream")]
    call("PUT", f"{GLANCE}/images/{image}/file", token, raw=bytes(65536), headers=kind)


def wait_for_hypervisor(token):
    for _ in range(240):
        answer, _ = call("GET", NOVA + "/os-hypervisors", token)
        if answer["hypervisors"]:
            return
        time.sleep(0.5)
    raise SystemExit("no hypervisor came up")


def application(user, token, name, rules):
    body = {"application_credential": {"name": name}}
    if rules:
        body["application_credential"]["access_rules"] = rules
    url = f"{KEYSTONE}/users/{user}/application_credentials"
    made = call("POST", url, token, body)[0]["application_credential"]
    return made["id"], made["secret"]


def project():
    token, _ = login("admin", "service", "admin")
    green = make_project(token, "green")
    user = make_user(token, "tester", "planted-password", green, role_ids(token)["member"])
    for flavor in (("tiny", 1, 64, 1), ("many-cores", 500, 64, 1), ("vast", 1, 64, 100000000)):
        make_flavor(token, *flavor)
    make_image(token)
    wait_for_hypervisor(token)
    own, _ = login("tester", "planted-password", "green")
    whole = application(user, own, "whole", None)
    rule = {"service": "image", "method": "GET", "path": "/v2/images"}
    narrow = application(user, own, "narrow", [rule])
    with open("/srv/greenlaunch/env", "w", encoding="ascii") as file:
        for name, (ident, secret) in (("WHOLE", whole), ("NARROW", narrow)):
            file.write(f"OPENSTACK_{name}_ID={ident}\nOPENSTACK_{name}_SECRET={secret}\n")


class Neutron(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        kind = self.path.split("?")[0].rstrip("/").split("/")[-1]
        body = json.dumps({kind.replace(".json", "").replace("-", "_"): []}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    if sys.argv[1] == "neutron":
        address = ("127.0.0.1", int(sys.argv[2]))
        http.server.ThreadingHTTPServer(address, Neutron).serve_forever()
    {"services": services, "project": project}[sys.argv[1]]()
