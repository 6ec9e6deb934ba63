"""`Buffer`: pooled memory, read through the buffer protocol, given back once and only when nothing views it."""

from __future__ import annotations

import gc
import zlib

import pytest

import otlp_fast
from tests.compat.spans import make_span


def finished(count: int = 3) -> otlp_fast.Buffer:
    encoder = otlp_fast.SpanEncoder()
    for _ in range(count):
        encoder.add(make_span())
    return encoder.finish()


def test_buffer_holds_the_request() -> None:
    buffer = finished()
    expected = otlp_fast.encode_spans([make_span()] * 3)
    assert bytes(buffer) == expected
    assert len(buffer) == len(expected)
    assert memoryview(buffer) == expected
    assert zlib.decompress(zlib.compress(buffer)) == expected  # type: ignore[arg-type, unused-ignore]
    assert repr(buffer) == f"<Buffer of {len(expected)} bytes>"


def test_buffer_is_read_only() -> None:
    view = memoryview(finished())
    assert view.readonly
    with pytest.raises(TypeError):
        view[0] = 1


def test_empty_request_is_an_empty_buffer() -> None:
    buffer = otlp_fast.SpanEncoder().finish()
    assert (bytes(buffer), len(buffer), bytes(memoryview(buffer))) == (b"", 0, b"")


def test_released_buffer_refuses_every_use() -> None:
    buffer = finished()
    buffer.release()
    buffer.release()
    for use in (len, bytes, memoryview):
        with pytest.raises(BufferError, match="released"):
            use(buffer)  # type: ignore[operator, arg-type, unused-ignore]
    assert repr(buffer) == "<released Buffer>"


def test_buffer_cannot_be_released_under_a_view() -> None:
    buffer = finished()
    expected = bytes(buffer)
    view = memoryview(buffer)
    with pytest.raises(BufferError, match="memoryview"):
        buffer.release()
    assert view == expected
    view.release()
    buffer.release()


def test_view_outlives_the_name_of_its_buffer() -> None:
    view = memoryview(finished())
    gc.collect()
    others = [finished() for _ in range(20)]
    assert bytes(view) == otlp_fast.encode_spans([make_span()] * 3)
    assert len(others) == 20


def test_context_manager_releases() -> None:
    with finished() as buffer:
        assert len(buffer) > 0
    with pytest.raises(BufferError):
        len(buffer)


def test_memory_returns_to_the_pool_with_release_and_is_used_again() -> None:
    before = otlp_fast.pool_stats()
    buffer = finished()
    buffer.release()
    after = otlp_fast.pool_stats()
    assert after["returned"] > before["returned"]
    finished().release()
    assert otlp_fast.pool_stats()["hits"] > after["hits"]
    assert after["bytes_held"] <= after["bytes_limit"]


@pytest.mark.parametrize("argument", [None, b"bytes", 5])
def test_buffer_cannot_be_made_by_hand(argument: object) -> None:
    with pytest.raises(TypeError):
        otlp_fast.Buffer(argument)


def test_foreign_capsule_is_refused() -> None:
    import datetime

    with pytest.raises(BufferError, match="not by hand"):
        otlp_fast.Buffer(datetime.datetime_CAPI)  # type: ignore[attr-defined]
