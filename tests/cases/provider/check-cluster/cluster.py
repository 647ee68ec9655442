# SPDX-License-Identifier: Apache-2.0
# Plays the API of a cluster of one node, as far as `provider check` asks it.
import http.server, json

NODE = {"metadata": {"name": "n1", "labels": {"topology.kubernetes.io/region": "eu-north-1",
                                              "node.kubernetes.io/instance-type": "m5.large"}},
        "spec": {"providerID": "aws:///eu-north-1a/i-1"},
        "status": {"conditions": [{"type": "Ready", "status": "True"}]}}
REFUSED = 'pods "x" is forbidden: violates PodSecurity "restricted:latest"'


class Handler(http.server.BaseHTTPRequestHandler):
    def send(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.send(200, {"metadata": {}, "items": [NODE] if self.path.startswith("/api/v1/nodes")
                        else []})

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path.endswith("/selfsubjectreviews"):
            return self.send(201, {"status": {"userInfo": {"username": "jane"}}})
        if self.path.endswith("/selfsubjectaccessreviews"):
            return self.send(201, {"status": {"allowed": True}})
        if "/pods?" in self.path and "strict" in self.headers["Authorization"]:
            return self.send(403, {"kind": "Status", "reason": "Forbidden", "message": REFUSED})
        if "dryRun=All" in self.path:
            return self.send(201, asked)
        return self.send(404, {"kind": "Status", "reason": "NotFound", "message": "no"})

    def log_message(self, *ignored):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_address[1], flush=True)
server.serve_forever()
