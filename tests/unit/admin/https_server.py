"""A TLS server that answers from files. argv: folder, key, certificate. Prints its port on a line.

Each request is noted, "method path idempotency-key", in the folder's file `asked`. While there is a file `lose`, the answer to
the next PUT is lost, and the file with it.

A request for /v1/orders?cursor=x is answered with the file v1_orders of the folder, whatever the method; there is nothing else.
"""
import http.server
import pathlib
import ssl
import sys

folder, key, certificate = sys.argv[1:]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self):
        self.rfile.read(int(self.headers.get("content-length", 0)))
        with open(pathlib.Path(folder, "asked"), "a") as asked:
            print(self.command, self.path, self.headers.get("idempotency-key", "-"), file=asked)
        lose = pathlib.Path(folder, "lose")
        if self.command == "PUT" and lose.exists():
            lose.unlink()
            self.close_connection = True
            return
        name = self.path.split("?")[0].strip("/").replace("/", "_")
        file = pathlib.Path(folder, name)
        body = file.read_bytes() if file.is_file() else b"{}"
        self.send_response(200 if file.is_file() else 404)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PUT = answer

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(certificate, key)
server.socket = context.wrap_socket(server.socket, server_side=True)
print(server.server_address[1], flush=True)
server.serve_forever()
