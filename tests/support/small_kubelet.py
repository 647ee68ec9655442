#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A kubelet of our own for tests/integration/kubernetes.sh: small_kubelet.py SERVER CA TOKEN ADDRESS
FOLDER CERTIFICATE NODE=REGION/ZONE/TYPE/CPUS...

It stands for a few nodes of a real control plane: says that they are ready, runs the one container
of each pod that is bound to them as a process in namespaces of its own (the image is always this
machine), keeps its log, ends it at its deadline or when it is deleted, and tells the API server.
FOLDER/started gets a line for each pod that was ever started."""
import base64
import http.server
import json
import os
import shlex
import signal
import ssl
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

server, ca, token, address, folder, certificate = sys.argv[1:7]
nodes = dict(argument.split("=", 1) for argument in sys.argv[7:])
context = ssl.create_default_context(cafile=ca)
running = {}  # uid -> Pod


def now():
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def call(method, path, body=None, kind="application/json"):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(server + path, data, method=method, headers={
        "Authorization": "Bearer " + token, "Content-Type": kind})
    try:
        with urllib.request.urlopen(request, context=context, timeout=20) as answer:
            return json.loads(answer.read())
    except urllib.error.HTTPError as trouble:
        if trouble.code in (404, 409):
            return None
        raise


def patch(path, body):
    return call("PATCH", path, body, "application/strategic-merge-patch+json")


# ---- nodes ----

def tell_node(name, place):
    region, zone, kind, cpus = place.split("/")
    labels = {"topology.kubernetes.io/region": region, "topology.kubernetes.io/zone": zone,
              "node.kubernetes.io/instance-type": kind, "kubernetes.io/hostname": name,
              "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64"}
    call("POST", "/api/v1/nodes", {
        "apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": labels},
        "spec": {"providerID": "aws:///%s/i-%s" % (zone, name)}})
    room = {"cpu": cpus, "memory": "4Gi", "pods": "20", "ephemeral-storage": "10Gi"}
    patch("/api/v1/nodes/%s/status" % name, {"status": {
        "capacity": room, "allocatable": room,
        "addresses": [{"type": "InternalIP", "address": address}],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
        "nodeInfo": {"architecture": "amd64", "bootID": "", "containerRuntimeVersion": "small://1",
                     "kernelVersion": os.uname().release, "kubeProxyVersion": "", "machineID": name,
                     "kubeletVersion": "v1.35.0", "operatingSystem": "linux", "osImage": "",
                     "systemUUID": name},
        "conditions": [{"type": "Ready", "status": "True", "reason": "Small", "message": "",
                        "lastHeartbeatTime": now(), "lastTransitionTime": now()}]}})


def tell_nodes():
    while True:
        for name, place in nodes.items():
            if not os.path.exists("%s/dead-%s" % (folder, name)):
                try:
                    tell_node(name, place)
                except OSError as trouble:
                    print("node", name, trouble, flush=True)
        time.sleep(5)


# ---- a pod ----

class Pod:
    def __init__(self, pod):
        self.name = pod["metadata"]["name"]
        self.path = "/api/v1/namespaces/%s/pods/%s" % (pod["metadata"]["namespace"], self.name)
        self.folder = "%s/%s" % (folder, pod["metadata"]["uid"])
        self.spec = pod["spec"]
        self.started = now()
        self.until = time.time() + self.spec.get("activeDeadlineSeconds", 1e9)
        self.why = None
        self.told = None
        os.makedirs(self.folder)
        with open(folder + "/started", "a", encoding="ascii") as log:
            log.write(self.name + "\n")
        self.process = subprocess.Popen(
            ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", self.script(pod)],
            stdin=subprocess.DEVNULL, stdout=open(self.folder + "/log", "wb"),
            stderr=subprocess.STDOUT, start_new_session=True)

    def script(self, pod):
        """A root of this machine's programs, and the volumes."""
        root = self.folder + "/root"
        container = self.spec["containers"][0]
        lines = ["set -e", "mkdir -p %s" % root, "mount -t tmpfs root %s" % root, "cd %s" % root,
                 "mkdir -p usr etc dev proc tmp var/lib"]
        lines += ["mount --rbind /%s %s" % (name, name) for name in ("usr", "etc", "dev")]
        lines += ["mount -t proc proc proc"]
        lines += ["ln -s usr/%s %s" % (name, name) for name in ("bin", "sbin", "lib", "lib64")]
        volumes = {volume["name"]: volume for volume in self.spec.get("volumes", [])}
        for mount in container.get("volumeMounts", []):
            inside = root + mount["mountPath"]
            lines += ["mkdir -p %s" % inside]
            secret = volumes[mount["name"]].get("secret")
            if secret is None:
                continue
            found = call("GET", "/api/v1/namespaces/%s/secrets/%s" % (
                pod["metadata"]["namespace"], secret["secretName"]))
            for key, value in found["data"].items():
                with open("%s/%s" % (self.folder, key), "wb") as file:
                    file.write(base64.b64decode(value))
                lines += ["cp %s/%s %s/%s" % (self.folder, key, inside, key),
                          "chmod %o %s/%s" % (secret["defaultMode"], inside, key)]
        lines += ["exec chroot . /usr/bin/env -i PATH=/usr/bin:/usr/sbin HOSTNAME=%s %s" % (
            self.name, shlex.join(container["command"]))]
        return "\n".join(lines)

    def end(self, grace):
        """As a runtime does: the first process of the container is asked, then all are killed."""
        first = subprocess.run(["pgrep", "-P", str(self.process.pid)], capture_output=True,
                               check=False).stdout.split()
        for pid in first:
            os.kill(int(pid), signal.SIGTERM)
        try:
            self.process.wait(grace)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def look(self, pod):
        self.until = time.mktime(time.strptime(self.started, "%Y-%m-%dT%H:%M:%SZ")) - time.timezone
        self.until += pod["spec"].get("activeDeadlineSeconds", 1e9)
        grace = pod["spec"].get("terminationGracePeriodSeconds", 30)
        if self.process.poll() is None and "deletionTimestamp" in pod["metadata"]:
            self.end(pod["metadata"].get("deletionGracePeriodSeconds", grace))
        if self.process.poll() is None and time.time() > self.until:
            self.why = "DeadlineExceeded"
            self.end(grace)
        self.tell()
        if self.process.poll() is not None and "deletionTimestamp" in pod["metadata"]:
            call("DELETE", self.path, {"gracePeriodSeconds": 0})

    def tell(self):
        code = self.process.poll()
        state = {"running": {"startedAt": self.started}}
        phase = "Running"
        if code is not None:
            code = 128 - code if code < 0 else code
            state = {"terminated": {"exitCode": code, "finishedAt": now(), "startedAt": self.started,
                                    "reason": "Completed" if code == 0 else "Error"}}
            phase = "Succeeded" if code == 0 and self.why is None else "Failed"
        if self.told == phase:
            return
        status = {"phase": phase, "startTime": self.started, "hostIP": address, "podIP": address,
                  "conditions": [{"type": "Ready", "status": str(code is None)}],
                  "containerStatuses": [{"name": self.spec["containers"][0]["name"], "image": "here",
                                         "imageID": "here", "restartCount": 0,
                                         "ready": code is None, "state": state}]}
        if self.why is not None:
            status["reason"] = self.why
        if patch(self.path + "/status", {"status": status}) is not None:
            self.told = phase


def look_after(pod):
    uid = pod["metadata"]["uid"]
    if uid in running:
        running[uid].look(pod)
    elif "deletionTimestamp" in pod["metadata"]:
        call("DELETE", "/api/v1/namespaces/%s/pods/%s" % (
            pod["metadata"]["namespace"], pod["metadata"]["name"]), {"gracePeriodSeconds": 0})
    elif pod.get("status", {}).get("phase") == "Pending":
        running[uid] = Pod(pod)
        running[uid].tell()


def look_after_all():
    listed = call("GET", "/api/v1/pods")
    mine = [pod for pod in listed["items"] if pod["spec"].get("nodeName") in nodes and
            not os.path.exists("%s/dead-%s" % (folder, pod["spec"]["nodeName"]))]
    for pod in mine:
        look_after(pod)
    # What the server has forgotten.
    there = {pod["metadata"]["uid"] for pod in listed["items"]}
    for uid in set(running) - there:
        if running[uid].process.poll() is None:
            running[uid].end(1)


# ---- logs ----

class Logs(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        parts = self.path.split("?")[0].strip("/").split("/")
        found = [pod for pod in running.values() if len(parts) == 4 and pod.name == parts[2]]
        self.send_response(200 if found else 404)
        self.end_headers()
        if found:
            with open(found[-1].folder + "/log", "rb") as log:
                self.wfile.write(log.read())

    def log_message(self, *words):
        pass


def serve_logs():
    service = http.server.ThreadingHTTPServer((address, 10250), Logs)
    secured = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    secured.load_cert_chain(certificate + ".crt", certificate + ".key")
    service.socket = secured.wrap_socket(service.socket, server_side=True)
    service.serve_forever()


os.environ["TZ"] = "UTC"
time.tzset()
threading.Thread(target=serve_logs, daemon=True).start()
threading.Thread(target=tell_nodes, daemon=True).start()
while True:
    try:
        look_after_all()
    except OSError as trouble:
        print(trouble, flush=True)
    time.sleep(0.3)
