"""The ASGI application: what happens to a request, from its headers to its answer."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import NamedTuple

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from otlp_fast.gateway.admission import Admission, Reservation
from otlp_fast.gateway.answers import FORMS, Answer, Refused, error, render
from otlp_fast.gateway.authentication import authentication
from otlp_fast.gateway.bodies import ENCODINGS, TRACEZIP, decompressed, outgoing, read_body
from otlp_fast.gateway.forwarding import NextHop
from otlp_fast.gateway.frames import FrameReceiver
from otlp_fast.gateway.metrics import Metrics
from otlp_fast.gateway.settings import Settings
from otlp_fast.gateway.streams import StreamTable
from otlp_fast.gateway.threads import Threads
from otlp_fast.tracezip import Limits

SIGNALS = ("traces", "logs", "metrics")

_RETRY_AFTER_SECONDS = 5
_log = logging.getLogger(__name__)


def application(settings: Settings) -> Starlette:
    """Give a gateway as an ASGI application, for uvicorn or any other server that runs its lifespan.

    Behind a server that rewrites the address of the client (uvicorn's `proxy_headers`), use no `peer_header`.

    Raises:
        OSError: a file that the settings name cannot be read.
        ValueError: it is not what it should be.
    """
    return Gateway(settings).application()


class _Delivery(NamedTuple):
    """What is known of a request beside its content."""

    signal: str
    form: str
    encoding: str
    reservation: Reservation


class Gateway:
    """What the requests of one gateway share."""

    def __init__(self, settings: Settings) -> None:
        """Read the files that the settings name; nothing is connected yet."""
        self._settings = settings
        self._authentication = authentication(settings)
        self._next_hop = NextHop(settings)
        self._threads = Threads()
        self._admission = Admission(settings.max_in_flight, settings.max_memory)
        self._metrics = Metrics()
        limits = Limits()
        limits = limits._replace(max_decoded_len=min(limits.max_decoded_len, settings.max_request_size))
        per_peer = settings.max_streams_per_peer if settings.has_authentication else settings.max_streams
        streams = StreamTable(
            limits,
            max_streams=settings.max_streams,
            max_per_peer=per_peer,
            idle_timeout=settings.stream_idle_timeout,
            max_wait=settings.forward_timeout,
            on_eviction=self._metrics.evictions.inc,
        )
        self._frames = FrameReceiver(streams, limits, self._threads)
        self._metrics.watch("in_flight_requests", "Requests being worked on.", lambda: self._admission.requests)
        self._metrics.watch("in_flight_bytes", "Bytes of requests being held.", lambda: self._admission.bytes)
        self._metrics.watch("streams", "Tracezip streams being kept.", lambda: len(streams))
        self._requests: set[asyncio.Task[Response]] = set()
        self.is_draining = False

    def application(self) -> Starlette:
        """Give the application that takes OTLP."""
        routes = [self._route(signal) for signal in SIGNALS]
        if self._settings.has_admin_endpoints:
            routes += self._admin_routes()
        application = Starlette(routes=routes, lifespan=self._lifespan)
        application.router.redirect_slashes = False
        return application

    def admin_application(self) -> Starlette:
        """Give the application with /health and /metrics alone."""
        return Starlette(routes=self._admin_routes())

    def abandon(self) -> int:
        """Answer 503 to the requests that are still under way, and give how many they are."""
        for request in self._requests:
            request.cancel()
        return len(self._requests)

    def _route(self, signal: str) -> Route:
        async def endpoint(request: Request) -> Response:
            return await self._respond(request, signal)

        return Route(f"/v1/{signal}", endpoint, methods=["POST"])

    def _admin_routes(self) -> list[Route]:
        return [Route("/health", self._health), Route("/metrics", self._show_metrics)]

    async def _health(self, request: Request) -> Response:
        return PlainTextResponse("draining\n", 503) if self.is_draining else PlainTextResponse("serving\n")

    async def _show_metrics(self, request: Request) -> Response:
        content, content_type = self._metrics.render(request.headers.get("accept", ""))
        return Response(content, headers={"Content-Type": content_type})

    @asynccontextmanager
    async def _lifespan(self, application: Starlette) -> AsyncIterator[None]:
        try:
            yield
        finally:
            self.is_draining = True
            self.abandon()
            await asyncio.gather(*self._requests, return_exceptions=True)
            await self._next_hop.close()
            self._threads.close()

    async def _respond(self, request: Request, signal: str) -> Response:
        """Work on a request in a task of its own: a server that cancels it, as the client has gone, stops nothing.

        What the next hop takes must be committed, so that the client's repeat is not delivered again.
        """
        task = asyncio.ensure_future(self._take(request, signal))
        self._requests.add(task)
        task.add_done_callback(self._requests.discard)
        return await asyncio.shield(task)

    async def _take(self, request: Request, signal: str) -> Response:
        form = FORMS.get(request.headers.get("content-type", "").partition(";")[0].strip().lower())
        encoding = ENCODINGS.get(request.headers.get("content-encoding", "").strip().lower())
        try:
            answer = await self._answer(request, signal, form, encoding)
        except Refused as refused:
            answer = refused.answer
        except ClientDisconnect:
            answer = error(400, "client_gone", "the client has gone")
        except MemoryError:
            answer = error(503, "overloaded", "no memory", retry_after=_RETRY_AFTER_SECONDS, closes=True)
        except asyncio.CancelledError:
            message = "the gateway is shutting down"
            answer = error(503, "shut_down", message, retry_after=_RETRY_AFTER_SECONDS, closes=True)
        except Exception:
            _log.exception("a request of %s failed", signal)
            answer = error(500, "failed", "the gateway failed, its log says why", closes=True)
        self._metrics.requests.labels(signal, encoding or "unknown", answer.outcome).inc()
        return render(answer, form, signal)

    async def _answer(self, request: Request, signal: str, form: str | None, encoding: str | None) -> Answer:
        peer = self._authentication.peer(request)
        if peer is None:
            answer = error(401, "unauthenticated", "the request does not say who sends it", closes=True)
            raise Refused(answer.with_header("WWW-Authenticate", "Bearer"))
        if form is None:
            message = f"Content-Type must be {' or '.join(FORMS)}"
            raise Refused(error(415, "unsupported", message, closes=True))
        if encoding is None:
            known = ", ".join(name for name in ENCODINGS if name)
            raise Refused(error(400, "unsupported", f"Content-Encoding must be one of {known}", closes=True))
        settings = self._settings
        with self._admission.admit() as reservation:
            body = await read_body(request, settings.max_request_size, settings.read_timeout, reservation)
            self._metrics.wire_bytes.labels(signal, encoding).inc(len(body))
            delivery = _Delivery(signal, form, encoding, reservation)
            if encoding == TRACEZIP:
                return await self._frames.take(body, peer, signal, partial(self._deliver, delivery))
            content = body
            if encoding != "none":
                content = await self._threads.run(decompressed, body, encoding, settings.max_request_size)
            # What arrived as the next hop takes it need not be compressed again.
            ready = body if (form, encoding) == ("protobuf", settings.forward_encoding) else None
            return await self._deliver(delivery, content, ready)

    async def _deliver(self, delivery: _Delivery, content: bytes, ready: bytes | None = None) -> Answer:
        """Hand a request to the next hop: its content without any encoding, or what is `ready` to be sent."""
        signal, form, encoding, reservation = delivery
        settings = self._settings
        reservation.grow(len(content))
        forward_encoding = settings.forward_encoding if ready is None else "none"
        made = await self._threads.run(outgoing, content, form, signal, forward_encoding, settings.max_request_size)
        body = made.body if ready is None else ready
        reservation.grow(len(body))
        with self._metrics.forward_seconds.labels(signal).time():
            answer = await self._next_hop.send(signal, body)
        self._metrics.forwarded_bytes.labels(signal).inc(len(body))
        if answer.is_success:
            self._metrics.otlp_bytes.labels(signal, encoding).inc(made.plain_size)
            self._metrics.delivered_items.labels(signal).inc(made.item_count)
        return answer
