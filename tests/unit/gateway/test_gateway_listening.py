"""The sockets that a gateway listens on."""

from __future__ import annotations

import socket

import pytest

from otlp_fast.gateway.listening import Address, open_socket


@pytest.mark.parametrize("host", ["", "127.0.0.1", "localhost"])
def test_no_part_of_an_answer_waits_for_the_client(host: str) -> None:
    with open_socket(Address(host, 0)) as listener:
        port = listener.getsockname()[1]
        with socket.create_connection((host or "127.0.0.1", port)), listener.accept()[0] as accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
