"""A WSGI server on loopback, for the demo's service and for its receiver.

werkzeug's, because it comes with Flask: a thread per connection, connections kept open, no production claims.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

LOOPBACK = "127.0.0.1"


class _QuietHandler(WSGIRequestHandler):
    # A response goes out as two small writes, headers and body. With Nagle's algorithm the second would wait for the
    # client's delayed acknowledgement of the first: 40 ms for every request on a kept connection.
    disable_nagle_algorithm = True

    def log(self, type: str, message: str, *args: Any) -> None:
        """Write nothing: a line per request would be all that one sees."""


def start_server(application: WSGIApplication) -> BaseWSGIServer:
    """Serve `application` in threads of this process, on a free port of loopback: `server_port` says which.

    Raises:
        OSError: No port could be bound.
    """
    server = make_server(LOOPBACK, 0, application, threaded=True, request_handler=_QuietHandler)
    threading.Thread(target=server.serve_forever, name="server", daemon=True).start()
    return server
