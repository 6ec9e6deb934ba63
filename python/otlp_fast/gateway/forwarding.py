"""The next hop: sends it plain OTLP, and gives what it answers.

Its answers are the client's to know: 429 with its `Retry-After`, 400 with its reason. Only what would mislead the
client is translated. That the gateway's own credentials are wrong (401, 403, 407), that the next hop does not know the
encoding that the gateway was told to use, or that it has moved (3xx), is for the operator to repair; it becomes 502,
which clients retry: after the status itself they would drop their data.
"""

from __future__ import annotations

import asyncio
import io
import logging
import ssl
import time
from base64 import b64encode
from pathlib import Path
from urllib.parse import unquote_to_bytes, urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp

import otlp_fast
from otlp_fast.compression import CompressionError, decompress
from otlp_fast.gateway.answers import PROTOBUF, Answer, error
from otlp_fast.gateway.settings import Settings

_MAX_ANSWER_SIZE = 4 << 20  # as the specification advises clients
_KEPT_FOR_SECONDS = 30.0
_RETRY_AFTER_SECONDS = 5
_LOG_INTERVAL_SECONDS = 10.0
_NOT_THE_CLIENTS_FAULT = (401, 403, 407)
# What the Collector says, with 400, to an encoding that it does not know; 415 is what RFC 9110 says.
_ENCODING_REFUSAL = b"unsupported Content-Encoding"
_MAX_HEADER_LENGTH = 128

_log = logging.getLogger(__name__)


class NextHop:
    """Connections to the receiver behind the gateway."""

    def __init__(self, settings: Settings) -> None:
        """Prepare; nothing is connected yet.

        Raises:
            OSError: `forward_ca` cannot be read.
            ValueError: it holds no certificates, or the environment names a proxy that cannot be used.
        """
        self._base = settings.forward.rstrip("/")
        self._timeout = settings.forward_timeout
        self._max_connections = settings.max_in_flight
        self._tls = _tls(settings.forward_ca) if self._base.lower().startswith("https:") else True
        self._headers = {
            "Content-Type": PROTOBUF,
            "User-Agent": f"otlp-fast-gateway/{otlp_fast.__version__}",
            # Answers are short, and their bytes are handed on.
            "Accept-Encoding": "identity",
            **settings.forward_headers,
        }
        if settings.forward_encoding != "none":
            self._headers["Content-Encoding"] = settings.forward_encoding
        self._proxy, proxy_headers = _proxy_of(self._base)
        # A proxy reads them where it is spoken to: in the request itself, or in the CONNECT in front of TLS.
        self._connect_headers = proxy_headers if self._base.lower().startswith("https:") else {}
        if not self._connect_headers:
            self._headers |= proxy_headers
        self._session: aiohttp.ClientSession | None = None
        self._silent_until = 0.0

    async def send(self, signal: str, body: bytes) -> Answer:
        """Send one request and give the answer; one of the gateway's own where there is none."""
        try:
            async with self._open_session().post(
                # Bytes by themselves would be written in one piece, however long.
                f"{self._base}/v1/{signal}",
                data=io.BytesIO(body),
                allow_redirects=False,
                # Those of the session would be sent to the proxy, too, with the credentials for the next hop.
                headers=self._headers,
                proxy_headers=self._connect_headers,
            ) as response:
                return self._answer(response, await _read(response))
        except (TimeoutError, asyncio.TimeoutError):  # the same from Python 3.11 on
            message = f"the next hop did not answer within {self._timeout:g} s"
            self._say(message)
            return error(504, "next_hop_timeout", message, retry_after=_RETRY_AFTER_SECONDS)
        except (aiohttp.ClientError, OSError) as problem:
            self._say(f"the next hop cannot be reached: {_in_words(problem)}")
            message = "the next hop cannot be reached"
            return error(503, "next_hop_unreachable", message, retry_after=_RETRY_AFTER_SECONDS)

    def _open_session(self) -> aiohttp.ClientSession:
        """Give the session, which can only be opened where the event loop runs."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    limit=self._max_connections, ssl=self._tls, keepalive_timeout=_KEPT_FOR_SECONDS
                ),
                timeout=aiohttp.ClientTimeout(total=self._timeout),
                auto_decompress=False,
                cookie_jar=aiohttp.DummyCookieJar(),
                proxy=self._proxy,
            )
        return self._session

    def _answer(self, response: aiohttp.ClientResponse, body: bytes) -> Answer:
        content_type = response.headers.get("content-type", "")
        is_protobuf = content_type.partition(";")[0].strip().lower() == PROTOBUF
        if 200 <= response.status < 300:
            # What else a receiver says to success (204, "OK") is an empty answer to the client.
            return Answer(200, "delivered", body if is_protobuf else b"")
        if not 400 <= response.status < 600:
            return self._misdirected(f"the next hop answers {response.status}, which is no answer to OTLP")
        if response.status in _NOT_THE_CLIENTS_FAULT:
            return self._misdirected(f"the next hop refuses the gateway's credentials: {response.status}")
        if response.status == 415 or (response.status == 400 and _ENCODING_REFUSAL in body):
            encoding = self._headers.get("Content-Encoding", "none")
            return self._misdirected(f"the next hop answers {response.status} to --forward-encoding {encoding}")
        kind = PROTOBUF if is_protobuf else _sendable(content_type) or "text/plain"
        answer = Answer(response.status, "next_hop_refused", body, kind)
        retry_after = _sendable(response.headers.get("retry-after", ""))
        return answer.with_header("Retry-After", retry_after) if retry_after else answer

    def _misdirected(self, message: str) -> Answer:
        self._say(message)
        return error(502, "next_hop_misconfigured", message, retry_after=_RETRY_AFTER_SECONDS)

    def _say(self, message: str) -> None:
        """Log, but not for every request of an outage; the metrics count them all."""
        now = time.monotonic()
        if now >= self._silent_until:
            self._silent_until = now + _LOG_INTERVAL_SECONDS
            _log.warning("%s/v1/...: %s", self._base, message)

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()


def _tls(ca: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca)
    except ssl.SSLError as error:
        raise ValueError(f"{ca}: no certificates to check the next hop's by: {error}") from None


def _proxy_of(url: str) -> tuple[str | None, dict[str, str]]:
    """Give the proxy that the environment names (HTTPS_PROXY, NO_PROXY), and headers for it.

    aiohttp would read .netrc along with it. User and password become a header: aiohttp repeats the URL in its errors.
    """
    parts = urlsplit(url)
    named = None if proxy_bypass(parts.netloc) else getproxies().get(parts.scheme)
    if not named:
        return None, {}
    try:
        proxy = urlsplit(named if "://" in named else f"http://{named}")
        is_usable = proxy.scheme in ("http", "https") and proxy.hostname and proxy.port != 0
        # A password with a / that is not encoded would be taken for a port and a path.
        if not is_usable or proxy.path.strip("/") or proxy.query or proxy.fragment:
            raise ValueError
    except ValueError:
        # Without its cause and without the URL: both may hold the password.
        raise ValueError(
            f"{parts.scheme}_proxy: no URL such as http://user:password@proxy:3128, in which /, @ and the like are"
            " written as %2F, %40 (value not shown)"
        ) from None
    credentials, _, address = proxy.netloc.rpartition("@")
    authorization = f"Basic {b64encode(unquote_to_bytes(credentials)).decode()}"
    return f"{proxy.scheme}://{address}", {"Proxy-Authorization": authorization} if credentials else {}


def _in_words(problem: Exception) -> str:
    """Say what went wrong, without the URL that aiohttp puts into some of its errors."""
    name = type(problem).__name__
    if isinstance(problem, aiohttp.ClientResponseError):
        return f"{name}: {problem.status}"
    return name if isinstance(problem, aiohttp.InvalidURL) else f"{name}: {problem}"


async def _read(response: aiohttp.ClientResponse) -> bytes:
    """Give the body of an answer. One that breaks off or is too long is none: the status alone decides."""
    body = bytearray()
    try:
        async for chunk in response.content.iter_any():
            body += chunk
            if len(body) > _MAX_ANSWER_SIZE:
                return b""
        encoding = response.headers.get("content-encoding", "identity").strip().lower()
        return bytes(body) if encoding == "identity" else decompress(body, encoding, max_size=_MAX_ANSWER_SIZE)
    except (aiohttp.ClientError, asyncio.TimeoutError, CompressionError, ValueError):
        return b""


def _sendable(value: str) -> str:
    """Give the value of a header where it is one that can be handed on."""
    return value if value.isascii() and value.isprintable() and len(value) <= _MAX_HEADER_LENGTH else ""
