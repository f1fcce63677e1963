"""The wire itself, against a server that misbehaves on purpose: one request each, no patience without end."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from tests.venues.adapters.polymarket.samples import PRACTICE, practice_config
from venues.adapters.polymarket import limits
from venues.adapters.polymarket.client import NoAnswer, PolymarketClient
from venues.adapters.polymarket.limits import ORDER_TIMEOUTS

Reply = Callable[[socket.socket], None]


@dataclass
class Server:
    """A listener that reads one request per connection and answers it with `reply`."""

    listener: socket.socket
    reply: Reply = socket.socket.close
    requests: list[bytes] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.listener.getsockname()[1]}/clob"

    def serve(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(2)
                self.requests.append(_request(connection))
                try:
                    self.reply(connection)
                except OSError:
                    continue


def _request(connection: socket.socket) -> bytes:
    """One request with the length that its headers announce."""
    data = b""
    while b"\r\n\r\n" not in data:
        received = connection.recv(65536)
        if not received:
            return data
        data += received
    head, _, body = data.partition(b"\r\n\r\n")
    announced = [line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
    length = int(announced[0].split(b":")[1]) if announced else 0
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def answer(status: str, body: bytes = b"{}", *headers: str) -> Reply:
    head = "\r\n".join([f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers])
    return lambda connection: connection.sendall(head.encode() + b"\r\n\r\n" + body)


@pytest.fixture
def server() -> Iterator[Server]:
    listener = socket.create_server(("127.0.0.1", 0))
    made = Server(listener)
    thread = threading.Thread(target=made.serve, daemon=True)
    thread.start()
    yield made
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(timeout=5)


@pytest.fixture
def client(server: Server) -> Iterator[PolymarketClient]:
    hasty = ORDER_TIMEOUTS._replace(read_s=0.4, total_s=0.8)
    made = PolymarketClient(practice_config(clob_url=server.url), order_timeouts=hasty)
    yield made
    made.close()


def silence(client: PolymarketClient) -> NoAnswer:
    with pytest.raises(NoAnswer) as caught:
        client.post_order(b"{}")
    return caught.value


def test_the_payload_goes_out_byte_for_byte_with_the_accounts_headers(
    server: Server, client: PolymarketClient
) -> None:
    server.reply = answer("200 OK", b'{"ok":1}')
    payload = b'{"deferExec":false,  "odd spacing": "\\u00e9"}'

    given = client.post_order(payload)

    assert (given.status, given.body) == (200, b'{"ok":1}')
    (sent,) = server.requests
    head, _, body = sent.partition(b"\r\n\r\n")
    assert body == payload
    assert head.startswith(b"POST /clob/order HTTP/1.1")
    for header in (
        b"POLY_ADDRESS",
        b"POLY_SIGNATURE",
        b"POLY_TIMESTAMP",
        b"POLY_API_KEY",
        b"POLY_PASSPHRASE",
    ):
        assert header.lower() in head.lower()


def test_a_redirect_is_an_answer_and_is_not_followed(server: Server, client: PolymarketClient) -> None:
    server.reply = answer("307 Temporary Redirect", b"", f"Location: {server.url}/elsewhere")

    assert client.post_order(b"{}").status == 307
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", ["425 Too Early", "429 Too Many Requests", "500 Oops", "503 Busy"])
def test_an_order_is_posted_once_however_busy_the_venue_is(
    server: Server, client: PolymarketClient, status: str
) -> None:
    server.reply = answer(status)

    assert client.post_order(b"{}").status == int(status[:3])
    assert len(server.requests) == 1


def test_a_line_cut_before_the_answer_may_have_carried_the_order(
    server: Server, client: PolymarketClient
) -> None:
    server.reply = socket.socket.close

    error = silence(client)

    assert (error.reason, error.reached_wire) == ("connection_broke", True)
    assert len(server.requests) == 1


def test_silence_may_have_carried_the_order(server: Server, client: PolymarketClient) -> None:
    def say_nothing(connection: socket.socket) -> None:
        time.sleep(1)
        connection.close()

    server.reply = say_nothing

    assert (silence(client).reason, len(server.requests)) == ("timed_out", 1)


def test_an_answer_that_drips_is_cut_off(server: Server, client: PolymarketClient) -> None:
    def drip(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for _ in range(100):
            connection.sendall(b" ")
            time.sleep(0.05)

    server.reply = drip
    started_s = time.monotonic()

    assert silence(client).reason == "answer_too_slow"
    assert time.monotonic() - started_s < 3


def test_an_answer_without_end_is_cut_off(
    server: Server, client: PolymarketClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("venues.adapters.polymarket.client.ANSWER_BYTES_MAX", 1000)
    server.reply = answer("200 OK", b"x" * 5000)

    assert silence(client).reason == "answer_too_large"
    assert limits.ANSWER_BYTES_MAX == 8 * 1024 * 1024


def test_a_name_that_does_not_resolve_never_reached_the_wire() -> None:
    client = PolymarketClient(practice_config(clob_url="http://no-such-host.invalid/clob"))

    error = silence(client)

    assert (error.reason, error.reached_wire) == ("not_connected", False)


def test_a_header_that_cannot_be_sent_does_not_quote_the_secret_in_it(server: Server) -> None:
    client = PolymarketClient(practice_config(clob_url=server.url, passphrase="pass\nphrase"))

    error = silence(client)

    assert "phrase" not in str(error)
    assert "phrase" not in repr(error.__cause__)


def test_a_read_is_repeated_and_its_query_is_not_signed(server: Server, client: PolymarketClient) -> None:
    replies = iter([answer("503 Busy"), answer("200 OK", b"[]")])

    def in_turn(connection: socket.socket) -> None:
        next(replies)(connection)

    server.reply = in_turn

    given = client.read_own("/data/trades", params={"after": "1"})

    assert (given.status, given.body, len(server.requests)) == (200, b"[]", 2)
    assert server.requests[1].startswith(b"GET /clob/data/trades?after=1 HTTP/1.1")


def test_a_read_gives_up_after_three_attempts(server: Server, client: PolymarketClient) -> None:
    server.reply = answer("500 Oops", b"no")

    assert client.read(server.url).status == 500
    assert len(server.requests) == limits.READ_ATTEMPTS_MAX == 3


def test_proxies_and_netrc_of_the_machine_are_not_used(
    server: Server, client: PolymarketClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    server.reply = answer("200 OK")

    assert client.post_order(b"{}").status == 200


def test_a_forked_process_builds_its_own_connections(server: Server, client: PolymarketClient) -> None:
    server.reply = answer("200 OK")
    client.post_order(b"{}")
    before = dict(client._pools)

    child = os.fork()
    if child == 0:
        given = client.post_order(b"{}")
        os._exit(0 if given.status == 200 and len(client._pools) == 2 else 1)

    assert os.waitpid(child, 0)[1] == 0
    assert client._pools == before
    assert len(server.requests) == 2


def test_no_secret_of_the_account_is_in_the_clients_representation(client: PolymarketClient) -> None:
    for name in ("api_key", "secret", "passphrase"):
        assert str(PRACTICE[name]) not in repr(client) + repr(vars(client))
