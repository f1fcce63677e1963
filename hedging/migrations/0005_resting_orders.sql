-- Orders that rest: they end by themselves, as their decision said, and pass where only resting orders may.
-- The send gate adds up what is at risk once for all caps, over an index of the orders that are.

-- ---------------------------------------------------------------- an order rests as its intent says
CREATE FUNCTION hedging_order_rests() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM hedging_intent i WHERE i.id = NEW.intent_id AND i.time_in_force = NEW.time_in_force
                   AND i.rest_until IS NOT DISTINCT FROM NEW.expires_at) THEN
    RAISE EXCEPTION 'order rests otherwise than its intent says' USING ERRCODE = 'HB019';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER order_rests BEFORE INSERT ON hedging_order FOR EACH ROW
  WHEN (NEW.time_in_force = 'GTD' OR NEW.expires_at IS NOT NULL) EXECUTE FUNCTION hedging_order_rests();

CREATE FUNCTION hedging_order_rest_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'wire identity is immutable' USING ERRCODE = 'HB020';
END $$;
CREATE TRIGGER order_rest_frozen BEFORE UPDATE ON hedging_order FOR EACH ROW
  WHEN ((NEW.post_only, NEW.expires_at) IS DISTINCT FROM (OLD.post_only, OLD.expires_at))
  EXECUTE FUNCTION hedging_order_rest_frozen();

CREATE FUNCTION hedging_intent_rest_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'a decision is immutable; make another' USING ERRCODE = 'HB050';
END $$;
CREATE TRIGGER intent_rest_frozen BEFORE UPDATE ON hedging_intent FOR EACH ROW
  WHEN (NEW.rest_until IS DISTINCT FROM OLD.rest_until) EXECUTE FUNCTION hedging_intent_rest_frozen();

-- ---------------------------------------------------------------- cancels are on record, their answers written once
CREATE FUNCTION hedging_ordercancel_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.answered_at IS NOT NULL OR (NEW.order_id, NEW.requested_by, NEW.reason, NEW.requested_at)
     IS DISTINCT FROM (OLD.order_id, OLD.requested_by, OLD.reason, OLD.requested_at) THEN
    RAISE EXCEPTION 'what was asked of the venue, and its answer, is history' USING ERRCODE = 'HB036';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER ordercancel_guard BEFORE UPDATE ON hedging_ordercancel
  FOR EACH ROW EXECUTE FUNCTION hedging_ordercancel_guard();
CREATE TRIGGER never_deleted BEFORE DELETE ON hedging_ordercancel
  FOR EACH ROW EXECUTE FUNCTION hedging_never_deleted();

-- ---------------------------------------------------------------- the send gate: breakers, then limits
CREATE OR REPLACE FUNCTION hedging_send_gate() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  b hedging_breaker;
  r hedging_riskbucket;
  caps hedging_riskbucket[] := '{}';
  want hedging_intent;
  excess text;
  everywhere numeric;
  here numeric;
  at_risk numeric;
  seen integer := 0;
BEGIN
  IF NOT (NEW.state = 'SENDING' AND OLD.state IN ('PREPARED', 'UNKNOWN')) THEN
    RETURN NEW;
  END IF;
  PERFORM hedging_need_read_committed();
  -- A switch or a cap that is missing is a no, never a yes.
  FOR b IN SELECT * FROM hedging_breaker WHERE scope IN ('global', 'venue:' || NEW.venue_id) ORDER BY scope FOR UPDATE LOOP
    seen := seen + 1;
    CONTINUE WHEN b.effect = 'REDUCE_ONLY' AND NEW.is_reducing;
    CONTINUE WHEN b.effect = 'POST_ONLY' AND NEW.post_only;
    IF b.state = 'OPEN' THEN
      RAISE EXCEPTION 'breaker % is open: %', b.scope, b.reason USING ERRCODE = 'HB001';
    END IF;
    IF b.state = 'HALF_OPEN' THEN
      UPDATE hedging_breaker SET probe_budget = probe_budget - 1 WHERE scope = b.scope AND probe_budget > 0;
      IF NOT FOUND THEN
        RAISE EXCEPTION 'breaker % is half-open and has no probe left', b.scope USING ERRCODE = 'HB001';
      END IF;
    END IF;
  END LOOP;
  IF seen < 2 THEN
    RAISE EXCEPTION 'breaker global or venue:% does not exist', NEW.venue_id USING ERRCODE = 'HB001';
  END IF;
  -- A re-send risks what its first send already counts.
  IF OLD.state = 'UNKNOWN' THEN
    RETURN NEW;
  END IF;
  -- Since the order was prepared, a person may have parked its decision, or a late fill may have used it up.
  SELECT * INTO want FROM hedging_intent WHERE id = NEW.intent_id;
  IF want.state <> 'OPEN' THEN
    RAISE EXCEPTION 'intent % is %, not OPEN', NEW.intent_id, want.state USING ERRCODE = 'HB011';
  END IF;
  excess := hedging_beyond_intent(NEW, want);
  IF excess IS NOT NULL THEN
    RAISE EXCEPTION 'limit of the intent reached: %', excess USING ERRCODE = 'HB002';
  END IF;
  -- A sale risks no new money.
  IF NEW.side = 'SELL' THEN
    RETURN NEW;
  END IF;
  -- All caps are locked before anything is added up: who waited for them sees what the other has sent.
  FOR r IN SELECT * FROM hedging_riskbucket WHERE code IN ('global', 'venue:' || NEW.venue_id) ORDER BY code FOR UPDATE LOOP
    caps := caps || r;
  END LOOP;
  IF cardinality(caps) < 2 THEN
    RAISE EXCEPTION 'limit global or venue:% is not set', NEW.venue_id USING ERRCODE = 'HB002';
  END IF;
  SELECT COALESCE(sum(usd), 0), COALESCE(sum(usd) FILTER (WHERE venue_id = NEW.venue_id), 0) INTO everywhere, here FROM (
    SELECT o.venue_id, o.notional_usd + o.fee_usd_max AS usd FROM hedging_order o
      WHERE o.side = 'BUY' AND o.state IN ('SENDING','UNKNOWN','MANUAL','ACKED','PARTIAL') AND o.id <> NEW.id
    UNION ALL
    SELECT f.venue_id, f.notional_usd + f.fee_usd FROM hedging_fill f JOIN hedging_order o ON o.id = f.order_id
      WHERE f.side = 'BUY' AND f.settlement IN ('matched','mined','retrying')
        AND o.state NOT IN ('SENDING','UNKNOWN','MANUAL','ACKED','PARTIAL')
    UNION ALL
    SELECT p.venue_id, p.cost_usd FROM hedging_position p) AS risks;
  FOREACH r IN ARRAY caps LOOP
    at_risk := CASE WHEN r.code = 'global' THEN everywhere ELSE here END;
    IF r.cap_usd = 'NaN' OR at_risk + NEW.notional_usd + NEW.fee_usd_max > r.cap_usd THEN
      RAISE EXCEPTION 'limit % reached: % at risk, % more asked, cap %', r.code, at_risk,
        NEW.notional_usd + NEW.fee_usd_max, r.cap_usd USING ERRCODE = 'HB002';
    END IF;
  END LOOP;
  RETURN NEW;
END $$;
