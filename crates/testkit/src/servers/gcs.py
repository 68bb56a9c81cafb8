"""Google Cloud Storage for tests: gcp-storage-emulator, with the condition that it leaves out.

The emulator takes every upload. The service refuses one with ifGenerationMatch=0 where an object of that name exists, so this does, too. It
answers one request after the other, so nothing comes between the look and the upload.
"""

import logging
import ssl
import sys
from functools import partial
from http import HTTPStatus
from http.server import HTTPServer

from gcp_storage_emulator import server
from gcp_storage_emulator.exceptions import Conflict, NotFound
from gcp_storage_emulator.handlers import objects
from gcp_storage_emulator.storage import Storage

logging.disable(logging.CRITICAL)


class Exists(Conflict):
    """An object of that name exists."""


class Conditional(Storage):
    only_new = False

    def create_file(self, bucket_name, file_name, content, file_obj, file_id=None):
        if self.only_new:
            try:
                self.get_file_obj(bucket_name, file_name)
            except NotFound:
                pass
            else:
                raise Exists("conditionNotMet")
        return super().create_file(bucket_name, file_name, content, file_obj, file_id)


def conflict(response, error, before=objects._handle_conflict):
    before(response, error)
    if isinstance(error, Exists):
        response.status = HTTPStatus.PRECONDITION_FAILED
        reason = {"domain": "global", "reason": "conditionNotMet"}
        response.json({"error": {"code": 412, "message": "At least one of the pre-conditions you specified did not hold.", "errors": [reason]}})


objects._handle_conflict = conflict


class Handler(server.RequestHandler):
    def remember(self):
        self.storage.only_new = "ifGenerationMatch=0" in self.path

    def do_POST(self):
        self.remember()
        super().do_POST()

    def do_PUT(self):
        self.remember()
        super().do_PUT()


class Quiet(HTTPServer):
    request_queue_size = 128

    def handle_error(self, request, client_address):
        """A client that goes away in the middle is part of the tests."""


storage = Conditional(use_memory_fs=True)
service = Quiet(("127.0.0.1", 0), partial(Handler, storage))
if sys.argv[1:]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*sys.argv[1:])
    service.socket = context.wrap_socket(service.socket, server_side=True)
print("listening on 127.0.0.1:%d" % service.server_address[1], file=sys.stderr, flush=True)
service.serve_forever()
