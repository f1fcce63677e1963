"""How the tests reach a practice exchange: a process of its own, the official SDK, and hand-made orders.

The SDK is used as it is shipped; only its environment is replaced.
"""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import hmac
import json
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from eth_account import Account
from eth_keys.datatypes import PrivateKey
from polymarket import SecureClient
from polymarket._internal.environment import PRODUCTION_CONFIG, create_environment
from polymarket._internal.l1_auth import sign_api_key_auth

from venues.simulators.polymarket.config import Config, contracts, domain_version, urls
from venues.simulators.polymarket.signatures import SignedFields, exchange_domain, order_hash

ROOT = Path(__file__).parents[4]
ALICE_KEY = "0x" + "11" * 32
ALICE = "0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A"
BOB_KEY = "0x" + "22" * 32
BOB = "0x1563915e194D8CfBA1943570603F7606A3115508"
USDC = "usdc-depeg-by-december-31-2027"
USDT = "usdt-depeg-by-december-31-2027"
USDC_V2 = "usdc-depeg-by-june-30-2027"
USDE = "usde-depeg-by-december-31-2027"
BRIDGE = "largest-crypto-hack-of-2027-bridge"
START_SECONDS = 20.0


class Exchange:
    """One practice exchange process and the ways to talk to it."""

    def __init__(self, home: Path, *options: str, state: Path | None = None) -> None:
        self.port_file = home / "port"
        self.port_file.unlink(missing_ok=True)
        arguments = [
            "--port-file",
            str(self.port_file),
            "--mined-seconds",
            "0.05",
            "--confirmed-seconds",
            "0.05",
        ]
        if state is not None:
            arguments += ["--state", str(state)]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "venues.simulators.polymarket", *arguments, *options],
            cwd=ROOT,
            stderr=subprocess.PIPE,
        )
        deadline = time.monotonic() + START_SECONDS
        while not self.port_file.exists():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("the practice exchange did not start")
            time.sleep(0.02)
        self.base = f"http://127.0.0.1:{self.port_file.read_text().strip()}"
        self._clients: list[SecureClient] = []
        self._kept: dict[tuple[str, str], SecureClient] = {}

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send the process a signal and return its exit code."""
        for client in self._clients:
            client.close()
        self._clients = []
        self.process.send_signal(number)
        code = self.process.wait(10)
        if self.process.stderr is not None:
            self.process.stderr.close()
        return code

    def client(
        self, key: str = ALICE_KEY, *, wallet: str | None = ALICE, api_key: Any = None, **changes: Any
    ) -> Any:
        """Return the SDK signed in here; without a wallet it acts for its deposit wallet (`api_key`: the relayer's)."""
        places = {name: url for name, url in urls(self.base).items() if name in sdk_fields()}
        settings: dict[str, Any] = {**places, **contracts(), **changes}
        config = dataclasses.replace(PRODUCTION_CONFIG, **settings)
        environment = create_environment(name="practice", config=config)
        client = SecureClient.create(private_key=key, wallet=wallet, environment=environment, api_key=api_key)
        self._clients.append(client)
        return client

    def signed_in(self, key: str = ALICE_KEY, *, wallet: str = ALICE) -> Any:
        """Return one SDK client kept over all tests; its credentials follow from the seed, so they last."""
        if (key, wallet) not in self._kept:
            self._kept[key, wallet] = self.client(key, wallet=wallet)
        else:
            Caller(self, key)
        return self._kept[key, wallet]

    def get(self, path: str) -> Any:
        """GET a path and return its JSON."""
        return self.call("GET", path)[1]

    def admin(self, path: str, /, **body: Any) -> Any:
        """POST to the admin door and return its JSON."""
        status, answer = self.call("POST", f"/admin{path}", body)
        assert status == 200, answer
        return answer

    def truth(self) -> Any:
        """Return the exchange's own account of everything."""
        return self.get("/admin/truth")

    def call(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> tuple[int, Any]:
        """Make a plain HTTP call with a compact JSON body and return (status, JSON)."""
        data = None if body is None else json.dumps(body, separators=(",", ":")).encode()
        request = urllib.request.Request(self.base + path, data=data, headers=headers or {}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=10) as response:
                return response.status, json.loads(response.read() or b"null")
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.loads(error.read())

    def tokens(self, slug: str) -> tuple[str, str]:
        """Return the YES and NO token ids of a market."""
        yes, no = self.get("/admin/info")["markets"][slug]["token_ids"]
        return yes, no


class Caller:
    """A signed-in caller who sends exactly what the test says; ten times lighter than the SDK."""

    def __init__(self, exchange: Exchange, key: str = ALICE_KEY) -> None:
        self.exchange = exchange
        signed = sign_api_key_auth(Account.from_key(key), chain_id=31337, timestamp=int(time.time()))
        self.address = signed.address
        headers = {
            "POLY_ADDRESS": signed.address,
            "POLY_SIGNATURE": signed.signature,
            "POLY_TIMESTAMP": str(signed.timestamp),
            "POLY_NONCE": "0",
        }
        status, self.credentials = exchange.call("POST", "/clob/auth/api-key", headers=headers)
        assert status == 200, self.credentials
        self.key = self.credentials["apiKey"]

    def call(
        self, method: str, path: str, body: Any = None, *, skew: int = 0, **headers: str
    ) -> tuple[int, Any]:
        """Call the CLOB with L2 headers; `headers` replace the right ones."""
        text = "" if body is None else json.dumps(body, separators=(",", ":"))
        stamp = str(int(time.time()) + skew)
        secret = base64.urlsafe_b64decode(self.credentials["secret"])
        signed_path = path.partition("?")[0]
        mac = hmac.new(secret, f"{stamp}{method}{signed_path}{text}".encode(), hashlib.sha256).digest()
        sent = {
            "POLY_ADDRESS": self.address,
            "POLY_SIGNATURE": base64.urlsafe_b64encode(mac).decode(),
            "POLY_TIMESTAMP": stamp,
            "POLY_API_KEY": self.key,
            "POLY_PASSPHRASE": self.credentials["passphrase"],
            **headers,
        }
        return self.exchange.call(method, f"/clob{path}", body, sent)

    def post(self, body: Any, *, path: str = "/order", skew: int = 0, **headers: str) -> tuple[int, Any]:
        """POST with L2 headers."""
        return self.call("POST", path, body, skew=skew, **headers)

    def order(self, **changes: Any) -> dict[str, Any]:
        """Return a signed order of 100 YES of the USDC market at 0.03, with changes."""
        values = {
            "private_key": ALICE_KEY,
            "owner": self.key,
            "token_id": changes.get("token_id") or self.exchange.tokens(USDC)[0],
            "side": "BUY",
            "maker_amount": 3_000_000,
            "taker_amount": 100_000_000,
            **changes,
        }
        return signed_body(**values)


def signed_body(
    *,
    private_key: str,
    owner: str,
    token_id: str,
    side: str,
    maker_amount: int,
    taker_amount: int,
    order_type: str = "FAK",
    salt: int = 1,
    config: Config | None = None,
    neg_risk: bool = False,
    protocol: str = "v1",
    **changes: Any,
) -> dict[str, Any]:
    """Return a type-0 order envelope with a true signature; `changes` are made to it after signing."""
    chosen = config or Config()
    signer = PrivateKey(bytes.fromhex(private_key[2:]))
    address = signer.public_key.to_checksum_address()
    fields = SignedFields(
        salt=salt,
        maker=address,
        signer=address,
        token_id=int(token_id),
        maker_amount=maker_amount,
        taker_amount=taker_amount,
        side=0 if side == "BUY" else 1,
        signature_type=0,
        timestamp=1_795_000_000_000,
        metadata=bytes(32),
        builder=bytes(32),
    )
    domain = exchange_domain(
        version=domain_version(protocol),
        chain_id=chosen.chain_id,
        exchange=chosen.exchange(neg_risk=neg_risk, protocol=protocol),
    )
    signature = signer.sign_msg_hash(order_hash(fields, domain=domain)).to_bytes()
    order = {
        "salt": salt,
        "maker": address,
        "signer": address,
        "tokenId": token_id,
        "makerAmount": str(maker_amount),
        "takerAmount": str(taker_amount),
        "side": side,
        "signatureType": 0,
        "timestamp": str(fields.timestamp),
        "expiration": "0",
        "metadata": "0x" + "00" * 32,
        "builder": "0x" + "00" * 32,
        "signature": "0x" + (signature[:64] + bytes([signature[64] + 27])).hex(),
    }
    envelope = {"deferExec": False, "order": order, "orderType": order_type, "owner": owner}
    for name, value in changes.items():
        (order if name in order else envelope)[name] = value
    return envelope


def sdk_fields() -> set[str]:
    """Return the names that the SDK's environment has a field for."""
    return {field.name for field in dataclasses.fields(PRODUCTION_CONFIG)}
