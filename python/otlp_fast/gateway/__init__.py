"""The gateway: OTLP over HTTP in, tracezip and the usual encodings taken off, plain OTLP over HTTP out.

`otlp-fast gateway` serves it by uvicorn. `application` gives it as an ASGI application for any other server:

    from otlp_fast.gateway import Settings, application

    app = application(Settings(forward="http://collector:4318"))

It answers success only after the next hop did, so it holds nothing that could be lost: docs/gateway.md. What tracezip
needs of HTTP is in docs/tracezip-http.md. Needs the extra `otlp-fast[gateway]`.
"""

from otlp_fast.gateway.application import application
from otlp_fast.gateway.settings import Settings

__all__ = ["Settings", "application"]
