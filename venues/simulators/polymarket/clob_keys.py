"""A key's own life: created, derived, listed, revoked, kept alive (L1 and L2)."""

from __future__ import annotations

from uuid import NAMESPACE_OID, uuid5

from aiohttp import web

from venues.simulators.polymarket.credentials import key_create, key_derive, login
from venues.simulators.polymarket.records import ApiKey
from venues.simulators.polymarket.wire import answer, arrived_ms, body_json, require_key, state_of

routes = web.RouteTableDef()


@routes.post("/auth/api-key")
async def create_key(request: web.Request) -> web.Response:
    """Create API credentials for the EOA that signed."""
    state = state_of(request)
    address, nonce = login(state, request.headers, now_ms=arrived_ms(request))
    key = key_create(state, address, nonce=nonce)
    state.store.commit()
    return answer(_credentials(key))


@routes.get("/auth/derive-api-key")
async def derive_key(request: web.Request) -> web.Response:
    """Return the API credentials of the EOA that signed."""
    state = state_of(request)
    address, nonce = login(state, request.headers, now_ms=arrived_ms(request))
    return answer(_credentials(key_derive(state, address, nonce=nonce)))


@routes.get("/auth/api-keys")
async def list_keys(request: web.Request) -> web.Response:
    """List the caller's keys."""
    key = await require_key(request)
    keys = state_of(request).keys.values()
    return answer({"apiKeys": [row.key for row in keys if row.address == key.address and row.active]})


@routes.delete("/auth/api-key")
async def delete_key(request: web.Request) -> web.Response:
    """Revoke the key that signs this call."""
    state = state_of(request)
    key = await require_key(request)
    key.active = False
    state.save(key)
    state.store.commit()
    return answer("OK")


@routes.get("/auth/ban-status/closed-only")
async def closed_only(request: web.Request) -> web.Response:
    """Say whether the caller may only close."""
    state = state_of(request)
    key = await require_key(request)
    owned = [account for account in state.accounts.values() if account.owner == key.address]
    return answer({"closed_only": any(account.standing == "closed_only" for account in owned)})


@routes.post("/v1/heartbeats")
async def heartbeat(request: web.Request) -> web.Response:
    """Keep the caller's orders alive; once one is accepted, silence cancels them all."""
    state = state_of(request)
    key = await require_key(request)
    body = await body_json(request)
    given = body.get("heartbeat_id", "") if isinstance(body, dict) else None
    if given != key.heartbeat_id and not (given == "" and not key.heartbeat_at):
        bad = {"error_msg": "Invalid Heartbeat ID", "heartbeat_id": key.heartbeat_id}
        return answer(bad, status=400)
    key.heartbeat_at = state.clock.now_ms()
    key.heartbeat_id = str(uuid5(NAMESPACE_OID, f"{key.key}:{state.next_sequence()}"))
    state.save(key)
    state.store.commit()
    return answer({"heartbeat_id": key.heartbeat_id, "status": "ok"})


def _credentials(key: ApiKey) -> dict[str, str]:
    return {"apiKey": key.key, "secret": key.secret, "passphrase": key.passphrase}
