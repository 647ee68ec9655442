# SPDX-License-Identifier: Apache-2.0
"""A venue whose requests have hostile titles; it writes down what it was asked."""
import http.server
import json
import os

WEIRD = "\x1b]0;owned\x07[click](javascript:alert(1)) <script>alert(1)</script>"


class Venue(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        items = [{"number": 7 + i, "html_url": "javascript:alert(1)", "title": WEIRD,
                  "state": "closed" if i == 1 else "open", "reactions": {"+1": 12}}
                 for i in range(4)]
        items.insert(0, {"number": -1, "title": 5})
        if os.path.exists("unreadable"):
            items = items[:1]
        if os.path.exists("endless"):
            items = [{"number": 1, "title": "x" * (5 << 20)}]
        body = json.dumps({"total_count": 4, "items": items}).encode()
        with open("asked.txt", "a", encoding="utf-8") as asked:
            asked.write(f"{self.command} {self.path}\n")
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        try:
            self.wfile.write(body)
        except ConnectionError:
            pass

    do_POST = do_GET

    def log_message(self, *_):
        pass


server = http.server.HTTPServer(("127.0.0.1", 0), Venue)
with open("port.new", "w", encoding="utf-8") as port:
    port.write(str(server.server_port))
os.rename("port.new", "port")
server.serve_forever()
