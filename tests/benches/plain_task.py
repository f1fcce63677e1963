"""What the latency bench compares with: one Celery task per policy, which signs and posts with the venue's own client.

No exposure, no rules, no record but the moment of the answer: `celery -A tests.benches.plain_task worker`.
"""

from __future__ import annotations

import json
import os
import time
from typing import Any

import django
import httpx
import redis
from celery import Celery
from eth_account import Account

django.setup()

from django.conf import settings  # noqa: E402

from policies.models import Policy  # noqa: E402
from tonsurance.celery import broker_url  # noqa: E402
from venues.adapters.polymarket.config import config_from  # noqa: E402
from venues.adapters.polymarket.credentials import l2_headers  # noqa: E402
from venues.adapters.polymarket.environment import sign_order  # noqa: E402

QUEUE, ANSWERS = "bench-plain", "bench-plain-answers"
PRICE_UNITS, USD_UNITS = 40_000, 40_000_000

app = Celery("plain", broker=broker_url(settings.REDIS_URL), set_as_current=False)
app.conf.task_default_queue = QUEUE
app.conf.worker_prefetch_multiplier = 1

_config = config_from(dict(settings.POLYMARKET))
_line = httpx.Client()
_answers = redis.Redis.from_url(os.environ["REDIS_URL"])


@app.task(ignore_result=True)
def hedge(policy_id: int, token_id: str) -> None:
    """Read the policy, buy for 40 dollars at 4 cents, note when the venue answered."""
    policy = Policy.objects.select_related("product").get(pk=policy_id)
    body: dict[str, Any] = sign_order(
        account=Account.from_key(_config.private_key),
        chain_id=_config.chain_id,
        exchange=_config.exchange,
        domain_version="2",
        wallet=_config.wallet,
        signature_type=0,
        token_id=token_id,
        side="BUY",
        maker_amount=USD_UNITS,
        taker_amount=USD_UNITS * 1_000_000 // PRICE_UNITS,
        salt=policy.pk,
        timestamp_ms=time.time_ns() // 1_000_000,
        order_type="FAK",
        owner=_config.api_key,
    )
    payload = json.dumps(body, separators=(",", ":")).encode()
    headers = l2_headers(_config, method="POST", path="/order", body=payload, now_s=int(time.time()))
    answer = _line.post(_config.clob_url + "/order", content=payload, headers=headers)
    answer.raise_for_status()
    _answers.rpush(ANSWERS, f"{policy_id} {time.time()}")
