"""Mistakes in the settings, each with its message."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from otlp_fast.gateway import Settings
from otlp_fast.gateway.listening import Address, parse_address

GOOD = {"forward": "http://collector:4318"}


@pytest.mark.parametrize(
    "url", ["http://collector:4318", "https://[::1]:4318/otlp", "http://localhost", "HTTP://COLLECTOR"]
)
def test_url_of_a_next_hop_is_taken(url: str) -> None:
    assert Settings(forward=url).forward == url


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"forward": "collector:4318"}, "forward: 'collector:4318' is no URL such as"),
        ({"forward": "grpc://collector:4317"}, "is no URL such as"),
        ({"forward": "http://"}, "is no URL such as"),
        ({"forward": "http://collector:70000"}, "forward: not a URL"),
        ({"forward": "http://[::1"}, "forward: not a URL"),
        ({"forward": "http://collector/?a=b"}, "has a query"),
        ({"forward_encoding": "br"}, "none, gzip, zstd, lz4"),
        ({"forward_headers": {"Content-Encoding": "gzip"}}, "Content-Encoding is for the gateway to set"),
        ({"forward_headers": {"a b": "c"}}, "no name of a header"),
        ({"forward_headers": {"a": "c\r\nd: e"}}, "the value of a has characters"),
        ({"forward_timeout": 0}, "forward_timeout: 0 is no time"),
        ({"read_timeout": float("nan")}, "read_timeout: nan"),
        ({"max_in_flight": 0}, "max_in_flight: 0 is below 1"),
        ({"max_request_size": 100, "max_memory": 299}, "max_memory: 299 bytes are below 3 times max_request_size"),
        ({"token_file": Path("a"), "peer_header": "b", "trusted_proxies": ("::1",)}, "not by both"),
        ({"peer_header": "b"}, "belong together"),
        ({"trusted_proxies": ("::1",)}, "belong together"),
        ({"peer_header": "b", "trusted_proxies": ("somewhere",)}, "'somewhere' does not appear to be"),
    ],
)
def test_mistake_is_said_at_once(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said.replace("(", r"\(")):
        Settings(**{**GOOD, **settings})


@pytest.mark.parametrize(
    "url",
    [
        "http://user:hunter2@collector:4318",
        "http://user:hunter2/@collector:4318",
        "http://user:12/hunter2@collector:4318",
        "http://user:h@hunter2@collector:70000",
        "user:hunter2@collector:4318",
    ],
)
def test_password_in_the_url_is_refused_and_not_shown(url: str) -> None:
    with pytest.raises(ValueError, match="put them into forward_headers") as error:
        Settings(forward=url)
    assert "hunter2" not in str(error.value)


def test_value_of_a_header_that_cannot_be_sent_is_not_shown() -> None:
    with pytest.raises(ValueError, match="Authorization") as error:
        Settings(**GOOD, forward_headers={"Authorization": "hunter2\n"})
    assert "hunter2" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        (":4318", Address("", 4318)),
        ("localhost:0", Address("localhost", 0)),
        ("0.0.0.0:4318", Address("0.0.0.0", 4318)),
        ("[::1]:65535", Address("::1", 65535)),
    ],
)
def test_address_is_read(text: str, address: Address) -> None:
    assert parse_address(text) == address


@pytest.mark.parametrize("text", ["", "4318", "localhost", "::1:4318", "localhost:", ":65536", "a:b", ":-1", "[x]:1"])
def test_text_that_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no address to listen on"):
        parse_address(text)
