"""Who is let in, and under which name."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from gateway_client import gateway, gateway_and_hop
from starlette.requests import Request

from otlp_fast.gateway.authentication import BearerTokens, ProxyHeader
from tests import captured

pytestmark = pytest.mark.anyio

REQUEST = captured.traces()


def request_with(*headers: tuple[str, str], address: str | None = "10.0.0.1") -> Request:
    return Request(
        {
            "type": "http",
            "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in headers],
            "client": None if address is None else (address, 1),
        }
    )


def bearer(token: str) -> Request:
    return request_with(("Authorization", f"Bearer {token}"))


def write(path: Path, content: str, age: int = 0) -> Path:
    path.write_text(content)
    os.utime(path, ns=(age, age))
    return path


async def test_token_decides_who_is_let_in(tmp_path: Path) -> None:
    tokens = write(tmp_path / "tokens", "# services\n\nshop: s3cret\n bank:t0ken:with:colons\n")
    async with gateway_and_hop(token_file=tokens) as (client, hop):
        assert (await client.post("/v1/traces", REQUEST, authorization="Bearer s3cret")).status == 200
        assert (await client.post("/v1/traces", REQUEST, authorization="bearer  t0ken:with:colons")).status == 200
        for wrong in ("", "Bearer", "Bearer ", "Bearer S3CRET", "Bearer s3cre", "Basic s3cret", "s3cret", "Bearer é"):
            reply = await client.post("/v1/traces", REQUEST, authorization=wrong)
            assert (reply.status, reply.headers["www-authenticate"]) == (401, "Bearer"), wrong
        assert (await client.get("/health")).status == 200
    assert len(hop.received) == 2


async def test_names_are_those_of_the_file_and_a_name_may_have_two_tokens(tmp_path: Path) -> None:
    tokens = BearerTokens(write(tmp_path / "tokens", "shop:old\nshop:new\nbank:other\n"))
    assert [tokens.peer(bearer(token)) for token in ("old", "new", "other", "none")] == ["shop", "shop", "bank", None]


async def test_file_is_read_again_when_it_changes_and_kept_when_it_is_broken(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = write(tmp_path / "tokens", "shop:one\n", age=1)
    tokens = BearerTokens(path)
    write(path, "shop:two\n", age=2)
    assert [tokens.peer(bearer(token)) for token in ("one", "two")] == [None, "shop"]
    write(path, "shop:three\nnonsense\n", age=3)
    assert [tokens.peer(bearer(token)) for token in ("two", "three")] == ["shop", None]
    path.unlink()
    assert tokens.peer(bearer("two")) == "shop"
    assert tokens.peer(bearer("two")) == "shop"
    assert caplog.text.count("the tokens stay as they were") == 2
    assert "line 2" in caplog.text
    write(path, "shop:four\n", age=4)
    assert tokens.peer(bearer("four")) == "shop"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "nobody would be let in"),
        ("# only a remark\n", "nobody would be let in"),
        ("shop\n", "line 1"),
        ("shop:a\n:b\n", "line 2"),
        ("shop:\n", "line 1"),
        ("shop:a\nbank:a\n", "line 2 has the token of another line"),
        ("shop:é\n", "line 1"),
        ("x" * (2 << 20), "more than"),
    ],
)
def test_mistake_in_the_file_is_named_by_its_line_but_shows_no_token(tmp_path: Path, content: str, said: str) -> None:
    with pytest.raises(ValueError, match=said) as error:
        BearerTokens(write(tmp_path / "tokens", content))
    assert "tokens" in str(error.value)


@pytest.mark.parametrize("address", ["10.1.2.3", "::ffff:10.1.2.3", "fd00::7"])
def test_header_of_a_trusted_proxy_counts(address: str) -> None:
    known = ProxyHeader("X-Client", ("10.0.0.0/8", "fd00::/8"))
    assert known.peer(request_with(("X-Client", "CN=shop"), address=address)) == "CN=shop"


@pytest.mark.parametrize("address", ["192.0.2.1", "::ffff:192.0.2.1", "fe80::1", "testclient", "", None])
def test_header_of_anybody_else_does_not(address: str | None) -> None:
    known = ProxyHeader("X-Client", ("10.0.0.0/8", "fd00::/8"))
    assert known.peer(request_with(("X-Client", "CN=shop"), address=address)) is None


@pytest.mark.parametrize("headers", [[], [("X-Client", "")], [("X-Client", "CN=shop"), ("x-client", "CN=bank")]])
def test_header_that_is_missing_empty_or_twice_is_nobody(headers: list[tuple[str, str]]) -> None:
    assert ProxyHeader("X-Client", ("10.0.0.0/8",)).peer(request_with(*headers)) is None


async def test_nobody_is_told_anything_before_saying_who_they_are(tmp_path: Path) -> None:
    async with gateway(token_file=write(tmp_path / "tokens", "shop:secret\n")) as client:
        reply = await client.post("/v1/traces", b"x", "br", "text/plain")
    assert reply.status == 401
