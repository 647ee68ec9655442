# SPDX-License-Identifier: Apache-2.0
# Plays Oracle's Usage API on a port of this machine, with invented figures in the documented shape:
# a question is believed when openssl verifies its signature with the public key, its date is of now
# and its key is known. Prints the port; notes what it was asked; the file `mode` says what ails it.
import base64, email.utils, http.server, json, re, subprocess, sys, time

NAME = ("ocid1.tenancy.oc1..planted4711/ocid1.user.oc1..planted4711/"
        "47:11:47:11:47:11:47:11:47:11:47:11:47:11:47:11")
USAGE = {"eu-frankfurt-1": 80, "uk-london-1": 99.5, "uk-cardiff-1": 99.5}


def is_signed(handler):
    fields = dict(re.findall(r'(\w+)="([^"]*)"', handler.headers.get("Authorization", "")))
    date = handler.headers.get("Date", "")
    if fields.get("version") != "1" or fields.get("algorithm") != "rsa-sha256":
        return False
    if fields.get("headers") != "date (request-target) host" or fields.get("keyId") != NAME:
        return False
    if abs(email.utils.parsedate_to_datetime(date).timestamp() - time.time()) > 300:
        return False
    text = "date: %s\n(request-target): get %s\nhost: %s" % (
        date, handler.path, handler.headers["Host"])
    with open("signature", "wb") as file:
        file.write(base64.b64decode(fields["signature"]))
    return subprocess.run(["openssl", "dgst", "-sha256", "-verify", sys.argv[1], "-signature",
                           "signature"], input=text.encode(), capture_output=True).returncode == 0


class Handler(http.server.BaseHTTPRequestHandler):
    ahead = 0

    def date_time_string(self, timestamp=None):
        return email.utils.formatdate(time.time() + self.ahead, usegmt=True)

    def send(self, status, body, kind="application/json", length=None, headers=()):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        try:
            self.wfile.write(body)
        except ConnectionError:
            pass  # refused while it came

    def do_GET(self):
        region = self.path.rsplit("/", 1)[1]
        mode = open("mode", encoding="ascii").read().strip()
        log.write(self.path + "\n")
        log.flush()
        self.ahead = 900 if mode == "clock" else 0
        said = {"code": "NotAuthenticated", "message": self.headers.get("Authorization", "")}
        if mode == "clock" or not is_signed(self):
            return self.send(401, json.dumps(said).encode())
        if mode == "redirect":
            return self.send(302, b"", headers=[("Location", "http://127.0.0.1:9/elsewhere")])
        if mode == "html":
            return self.send(200, b"<html>Sign in</html>", "text/html")
        if mode == "huge":
            return self.send(200, b'{"region":"' + b"x" * (9 << 20) + b'"}')
        value = {"region": region, "ad": None, "usage": USAGE.get(region), "quoted": said["message"]}
        body = json.dumps(value).encode()
        if mode == "cut":
            return self.send(200, body[:20], length=len(body))
        if region not in USAGE:
            return self.send(404, json.dumps({"code": "NotAuthorizedOrNotFound"}).encode())
        return self.send(200, body)

    def log_message(self, *ignored):
        pass


log = open("asked", "w", encoding="ascii")
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_address[1], flush=True)
server.serve_forever()
