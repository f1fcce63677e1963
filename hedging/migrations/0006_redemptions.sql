-- Redemption of resolved markets: a transaction of the chain instead of an order of the book, under the same rules.
-- docs/adr/0013-redemption-is-an-order.md says why; tests/hedging/models/test_rules_redemptions.py attacks each one.

-- Nobody sends what others did: an adopted redemption is known to the venue from the start.
INSERT INTO hedging_order_transition (old, new) VALUES ('PREPARED','ACKED');

CREATE OR REPLACE FUNCTION hedging_order_birth() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  want hedging_intent;
  excess text;
BEGIN
  PERFORM hedging_need_read_committed();
  IF NEW.state <> 'PREPARED' THEN
    RAISE EXCEPTION 'orders are born PREPARED, not %', NEW.state USING ERRCODE = 'HB010';
  END IF;
  SELECT * INTO want FROM hedging_intent WHERE id = NEW.intent_id FOR UPDATE;
  IF NOT FOUND OR want.state <> 'OPEN' THEN
    RAISE EXCEPTION 'intent % is %, not OPEN', NEW.intent_id, COALESCE(want.state, 'missing') USING ERRCODE = 'HB011';
  END IF;
  IF NEW.side <> want.side OR NEW.venue_id <> want.venue_id OR NEW.instrument_id <> want.instrument_id
     OR NEW.is_reducing <> (want.purpose IN ('close', 'redeem')) OR (NEW.time_in_force = 'TX') <> (want.purpose = 'redeem') THEN
    RAISE EXCEPTION 'order differs from its intent in side, venue, instrument or purpose' USING ERRCODE = 'HB012';
  END IF;
  IF NEW.generation > 0 AND NOT EXISTS (
    SELECT 1 FROM hedging_order p WHERE p.intent_id = NEW.intent_id AND p.generation = NEW.generation - 1
      AND p.state IN ('FILLED','REJECTED','NOT_PLACED','CANCELLED','EXPIRED','ABORTED')) THEN
    RAISE EXCEPTION 'generation % needs a dead predecessor', NEW.generation USING ERRCODE = 'HB013';
  END IF;
  IF NEW.attempts <> 0 OR NEW.absent_proofs <> 0 OR NEW.filled_size <> 0 OR NEW.filled_usd <> 0 OR NEW.fee_usd <> 0 THEN
    RAISE EXCEPTION 'orders are born unsent and unfilled' USING ERRCODE = 'HB015';
  END IF;
  IF NEW.client_order_id = '' OR octet_length(NEW.payload) = 0 OR sha256(NEW.payload) <> NEW.payload_sha THEN
    RAISE EXCEPTION 'an order needs its venue''s name for it, its bytes, and their SHA-256' USING ERRCODE = 'HB016';
  END IF;
  -- A losing share is redeemed for nothing; everything else has a price.
  IF 'NaN' IN (NEW.size, NEW.notional_usd, NEW.price_limit, NEW.fee_usd_max, want.size, want.notional_usd, want.price_limit)
     OR NEW.price_limit < 0 OR (NEW.price_limit = 0 AND NEW.time_in_force <> 'TX') OR NEW.fee_usd_max < 0
     OR (NEW.spends_budget AND NEW.side <> 'BUY') THEN
    RAISE EXCEPTION 'an order needs a price above zero, a fee of zero or more, numbers throughout; only a BUY spends a budget'
      USING ERRCODE = 'HB017';
  END IF;
  IF NEW.side = 'BUY' AND NEW.price_limit > want.price_limit OR NEW.side = 'SELL' AND NEW.price_limit < want.price_limit THEN
    RAISE EXCEPTION 'the price % is worse than its intent''s %', NEW.price_limit, want.price_limit USING ERRCODE = 'HB018';
  END IF;
  excess := hedging_beyond_intent(NEW, want);
  IF excess IS NOT NULL THEN
    RAISE EXCEPTION 'order would exceed its intent: %', excess USING ERRCODE = 'HB014';
  END IF;
  RETURN NEW;
END $$;

-- ---------------------------------------------------------------- redemptions that others sent
CREATE FUNCTION hedging_order_adopted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.client_order_id LIKE 'adopted:%' AND NEW.state = 'SENDING' THEN
    RAISE EXCEPTION 'order % was not ours to send' , NEW.id USING ERRCODE = 'HB038';
  END IF;
  IF NEW.client_order_id NOT LIKE 'adopted:%' AND OLD.state = 'PREPARED' AND NEW.state = 'ACKED' THEN
    RAISE EXCEPTION 'order % is ours: nobody has it before it was sent', NEW.id USING ERRCODE = 'HB039';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER order_adopted BEFORE UPDATE ON hedging_order FOR EACH ROW
  WHEN (NEW.state <> OLD.state) EXECUTE FUNCTION hedging_order_adopted();

-- ---------------------------------------------------------------- what a redemption pays
CREATE FUNCTION hedging_fill_priced() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM hedging_order o WHERE o.id = NEW.order_id AND o.time_in_force = 'TX') THEN
    RAISE EXCEPTION 'only a redemption may bring nothing' USING ERRCODE = 'HB044';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER fill_priced BEFORE INSERT ON hedging_fill FOR EACH ROW
  WHEN (NEW.price = 0) EXECUTE FUNCTION hedging_fill_priced();
