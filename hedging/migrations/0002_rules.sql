-- The rules that money depends on, in the database, where no release, shell or script can break them.
-- docs/adr/0004-rules-in-the-database.md says why; tests/hedging/models/test_rules_*.py attack each one.
--
-- HB0xx are this book's own SQLSTATEs: 00x refused to send, 01x birth of an order, 02x its life, 03x attempts, 04x fills,
-- 05x intents, 06x breakers, 07x history, 08x hedge positions.

-- ---------------------------------------------------------------- legal moves of an order
CREATE TABLE hedging_order_transition (old text NOT NULL, new text NOT NULL, PRIMARY KEY (old, new));
INSERT INTO hedging_order_transition (old, new) VALUES
  ('PREPARED','SENDING'),('PREPARED','ABORTED'),
  ('SENDING','ACKED'),('SENDING','PARTIAL'),('SENDING','FILLED'),('SENDING','CANCELLED'),('SENDING','REJECTED'),
  ('SENDING','UNKNOWN'),
  ('UNKNOWN','ACKED'),('UNKNOWN','PARTIAL'),('UNKNOWN','FILLED'),('UNKNOWN','CANCELLED'),('UNKNOWN','EXPIRED'),
  ('UNKNOWN','REJECTED'),('UNKNOWN','NOT_PLACED'),('UNKNOWN','SENDING'),('UNKNOWN','MANUAL'),
  ('MANUAL','ACKED'),('MANUAL','PARTIAL'),('MANUAL','FILLED'),('MANUAL','CANCELLED'),('MANUAL','EXPIRED'),
  ('MANUAL','REJECTED'),('MANUAL','NOT_PLACED'),
  ('ACKED','PARTIAL'),('ACKED','FILLED'),('ACKED','CANCELLED'),('ACKED','EXPIRED'),('ACKED','REJECTED'),('ACKED','MANUAL'),
  ('PARTIAL','FILLED'),('PARTIAL','CANCELLED'),('PARTIAL','EXPIRED'),('PARTIAL','MANUAL'),
  -- The venue's truth always wins: a dead order that shows life goes to a person, never silently anywhere else.
  ('NOT_PLACED','MANUAL'),('REJECTED','MANUAL'),('ABORTED','MANUAL'),('EXPIRED','MANUAL'),('CANCELLED','MANUAL');

CREATE TABLE hedging_settlement_transition (old text NOT NULL, new text NOT NULL, PRIMARY KEY (old, new));
INSERT INTO hedging_settlement_transition (old, new) VALUES
  ('matched','mined'),('matched','retrying'),('matched','confirmed'),('matched','failed'),
  ('mined','confirmed'),('mined','retrying'),('mined','failed'),
  ('retrying','mined'),('retrying','confirmed'),('retrying','failed');

-- ---------------------------------------------------------------- birth of an order
-- A lock shows the newest committed rows only under READ COMMITTED; above it, two sends could both count an old sum.
CREATE FUNCTION hedging_need_read_committed() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'orders are made and sent under READ COMMITTED only, not %', current_setting('transaction_isolation')
      USING ERRCODE = 'HB003';
  END IF;
END $$;

-- Why `asked` does not fit into what its intent has left; NULL when it fits. A BUY is capped by its intent's money, and by
-- units as well unless its bytes say money; a SELL by units. The cent is the venue's own rounding.
CREATE FUNCTION hedging_beyond_intent(asked hedging_order, want hedging_intent) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  spent numeric;
  delivered numeric;
BEGIN
  SELECT COALESCE(sum(filled_usd), 0), COALESCE(sum(filled_size), 0) INTO spent, delivered
    FROM hedging_order WHERE intent_id = asked.intent_id;
  IF asked.side = 'BUY' AND asked.notional_usd + spent > want.notional_usd + 0.01 THEN
    RETURN format('%s + %s > %s USD', spent, asked.notional_usd, want.notional_usd);
  END IF;
  IF NOT asked.spends_budget AND asked.size + delivered > want.size + 0.01 THEN
    RETURN format('%s + %s > %s units', delivered, asked.size, want.size);
  END IF;
  RETURN NULL;
END $$;

CREATE FUNCTION hedging_order_birth() RETURNS trigger LANGUAGE plpgsql AS $$
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
     OR NEW.is_reducing <> (want.purpose = 'close') THEN
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
  IF 'NaN' IN (NEW.size, NEW.notional_usd, NEW.price_limit, NEW.fee_usd_max, want.size, want.notional_usd, want.price_limit)
     OR NEW.price_limit <= 0 OR NEW.fee_usd_max < 0 OR (NEW.spends_budget AND NEW.side <> 'BUY') THEN
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
CREATE TRIGGER order_birth BEFORE INSERT ON hedging_order FOR EACH ROW EXECUTE FUNCTION hedging_order_birth();

-- ---------------------------------------------------------------- life of an order
CREATE FUNCTION hedging_order_move() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (NEW.id, NEW.intent_id, NEW.generation, NEW.venue_id, NEW.instrument_id, NEW.client_order_id, NEW.salt, NEW.payload,
      NEW.payload_sha, NEW.side, NEW.time_in_force, NEW.size, NEW.notional_usd, NEW.price_limit, NEW.fee_usd_max,
      NEW.spends_budget, NEW.is_reducing, NEW.resend_allowed, NEW.fence_at)
     IS DISTINCT FROM
     (OLD.id, OLD.intent_id, OLD.generation, OLD.venue_id, OLD.instrument_id, OLD.client_order_id, OLD.salt, OLD.payload,
      OLD.payload_sha, OLD.side, OLD.time_in_force, OLD.size, OLD.notional_usd, OLD.price_limit, OLD.fee_usd_max,
      OLD.spends_budget, OLD.is_reducing, OLD.resend_allowed, OLD.fence_at) THEN
    RAISE EXCEPTION 'wire identity is immutable' USING ERRCODE = 'HB020';
  END IF;
  -- At depth 1 somebody writes the row; deeper, the trigger of a new fill does.
  IF (NEW.filled_size, NEW.filled_usd, NEW.fee_usd) IS DISTINCT FROM (OLD.filled_size, OLD.filled_usd, OLD.fee_usd)
     AND pg_trigger_depth() < 2 THEN
    RAISE EXCEPTION 'only a fill changes what an order has filled' USING ERRCODE = 'HB021';
  END IF;
  IF NEW.attempts <> OLD.attempts AND (NEW.state <> 'SENDING' OR OLD.state = 'SENDING') THEN
    RAISE EXCEPTION 'attempts count sends, and nothing else' USING ERRCODE = 'HB022';
  END IF;
  IF NEW.state <> OLD.state THEN
    IF NOT EXISTS (SELECT 1 FROM hedging_order_transition t WHERE t.old = OLD.state AND t.new = NEW.state) THEN
      RAISE EXCEPTION 'illegal transition % -> %', OLD.state, NEW.state USING ERRCODE = 'HB023';
    END IF;
    IF OLD.state = 'UNKNOWN' AND NEW.state = 'SENDING' AND NOT NEW.resend_allowed THEN
      RAISE EXCEPTION 'identical bytes may be sent again only where the venue deduplicates them' USING ERRCODE = 'HB024';
    END IF;
    IF NEW.state = 'SENDING' AND NEW.attempts <> OLD.attempts + 1 THEN
      RAISE EXCEPTION 'each send counts one attempt' USING ERRCODE = 'HB025';
    END IF;
    IF OLD.state = 'SENDING' AND NEW.state = 'REJECTED' AND NEW.attempts > 1 THEN
      RAISE EXCEPTION 'a no to a re-send proves nothing about the first send' USING ERRCODE = 'HB028';
    END IF;
    IF NEW.state = 'NOT_PLACED' AND OLD.state <> 'MANUAL' AND NEW.fence_at IS NOT NULL
       AND clock_timestamp() <= NEW.fence_at THEN
      RAISE EXCEPTION 'absence declared before the fence passed' USING ERRCODE = 'HB026';
    END IF;
    IF NEW.state = 'FILLED' AND NEW.spends_budget AND NEW.filled_usd < NEW.notional_usd * 0.99 - 0.02
       OR NEW.state = 'FILLED' AND NOT NEW.spends_budget AND NEW.filled_size < NEW.size * 0.99 - 0.02 THEN
      RAISE EXCEPTION 'FILLED needs its fills: % of % USD, % of % units', NEW.filled_usd, NEW.notional_usd,
        NEW.filled_size, NEW.size USING ERRCODE = 'HB027';
    END IF;
  END IF;
  NEW.version := OLD.version + 1;
  NEW.updated_at := clock_timestamp();
  RETURN NEW;
END $$;
CREATE TRIGGER order_move BEFORE UPDATE ON hedging_order FOR EACH ROW EXECUTE FUNCTION hedging_order_move();

CREATE FUNCTION hedging_order_remember() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO hedging_orderevent (order_id, old, new, at, who, reason)
      VALUES (NEW.id, NULL, NEW.state, clock_timestamp(), COALESCE(current_setting('application_name', true), ''), NEW.reason);
  ELSIF NEW.state <> OLD.state THEN
    INSERT INTO hedging_orderevent (order_id, old, new, at, who, reason)
      VALUES (NEW.id, OLD.state, NEW.state, clock_timestamp(), COALESCE(current_setting('application_name', true), ''), NEW.reason);
    PERFORM pg_notify('hedging_order', NEW.id::text || ' ' || NEW.state);
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER order_remember AFTER INSERT OR UPDATE ON hedging_order
  FOR EACH ROW EXECUTE FUNCTION hedging_order_remember();

-- ---------------------------------------------------------------- the send gate: breakers, then limits
CREATE FUNCTION hedging_send_gate() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  b hedging_breaker;
  r hedging_riskbucket;
  want hedging_intent;
  excess text;
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
  seen := 0;
  FOR r IN SELECT * FROM hedging_riskbucket WHERE code IN ('global', 'venue:' || NEW.venue_id) ORDER BY code FOR UPDATE LOOP
    seen := seen + 1;
    SELECT COALESCE((SELECT sum(o.notional_usd + o.fee_usd_max) FROM hedging_order o
                      WHERE o.side = 'BUY' AND o.state IN ('SENDING','UNKNOWN','MANUAL','ACKED','PARTIAL') AND o.id <> NEW.id
                        AND (r.code = 'global' OR o.venue_id = NEW.venue_id)), 0)
         + COALESCE((SELECT sum(f.notional_usd + f.fee_usd) FROM hedging_fill f JOIN hedging_order o ON o.id = f.order_id
                      WHERE f.side = 'BUY' AND f.settlement IN ('matched','mined','retrying')
                        AND o.state NOT IN ('SENDING','UNKNOWN','MANUAL','ACKED','PARTIAL')
                        AND (r.code = 'global' OR f.venue_id = NEW.venue_id)), 0)
         + COALESCE((SELECT sum(p.cost_usd) FROM hedging_position p
                      WHERE r.code = 'global' OR p.venue_id = NEW.venue_id), 0)
      INTO at_risk;
    IF r.cap_usd = 'NaN' OR at_risk + NEW.notional_usd + NEW.fee_usd_max > r.cap_usd THEN
      RAISE EXCEPTION 'limit % reached: % at risk, % more asked, cap %', r.code, at_risk,
        NEW.notional_usd + NEW.fee_usd_max, r.cap_usd USING ERRCODE = 'HB002';
    END IF;
  END LOOP;
  IF seen < 2 THEN
    RAISE EXCEPTION 'limit global or venue:% is not set', NEW.venue_id USING ERRCODE = 'HB002';
  END IF;
  RETURN NEW;
END $$;
-- Triggers fire in the order of their names: the gate before the move.
CREATE TRIGGER a_send_gate BEFORE UPDATE ON hedging_order FOR EACH ROW EXECUTE FUNCTION hedging_send_gate();

-- ---------------------------------------------------------------- attempts: written before the wire, same bytes
CREATE FUNCTION hedging_attempt_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE o hedging_order;
BEGIN
  SELECT * INTO o FROM hedging_order WHERE id = NEW.order_id FOR UPDATE;
  IF NOT FOUND OR o.state <> 'SENDING' THEN
    RAISE EXCEPTION 'attempt without SENDING (%)', COALESCE(o.state, 'no such order') USING ERRCODE = 'HB030';
  END IF;
  IF o.payload_sha <> NEW.payload_sha THEN
    RAISE EXCEPTION 'attempt bytes differ from the signed bytes' USING ERRCODE = 'HB031';
  END IF;
  IF NEW.attempt_no <> o.attempts THEN
    RAISE EXCEPTION 'attempt_no must equal order.attempts' USING ERRCODE = 'HB032';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER attempt_guard BEFORE INSERT ON hedging_orderattempt FOR EACH ROW EXECUTE FUNCTION hedging_attempt_guard();

CREATE FUNCTION hedging_attempt_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.finished_at IS NOT NULL THEN
    RAISE EXCEPTION 'a finished attempt is history' USING ERRCODE = 'HB033';
  END IF;
  IF (NEW.order_id, NEW.attempt_no, NEW.payload_sha, NEW.worker, NEW.started_at)
     IS DISTINCT FROM (OLD.order_id, OLD.attempt_no, OLD.payload_sha, OLD.worker, OLD.started_at) THEN
    RAISE EXCEPTION 'what was sent, when and by whom is immutable' USING ERRCODE = 'HB034';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER attempt_frozen BEFORE UPDATE ON hedging_orderattempt FOR EACH ROW EXECUTE FUNCTION hedging_attempt_frozen();

-- The two rows of a send are one commit: there is no SENDING that no attempt explains.
CREATE FUNCTION hedging_send_on_record() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM hedging_orderattempt a WHERE a.order_id = NEW.id AND a.attempt_no = NEW.attempts) THEN
    RAISE EXCEPTION 'order % was committed to send without attempt % on record', NEW.id, NEW.attempts USING ERRCODE = 'HB035';
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER send_on_record AFTER UPDATE ON hedging_order DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
  WHEN (NEW.state = 'SENDING' AND OLD.state <> 'SENDING') EXECUTE FUNCTION hedging_send_on_record();

-- ---------------------------------------------------------------- fills: counted on their order by the database
CREATE FUNCTION hedging_fill_birth() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE o hedging_order;
BEGIN
  SELECT * INTO o FROM hedging_order WHERE id = NEW.order_id FOR UPDATE;
  IF NOT FOUND OR NEW.side <> o.side OR NEW.venue_id <> o.venue_id OR NEW.instrument_id <> o.instrument_id THEN
    RAISE EXCEPTION 'fill differs from its order in side, venue or instrument' USING ERRCODE = 'HB042';
  END IF;
  -- A cent, and half of the last of a price's ten places for each unit.
  IF abs(NEW.notional_usd - NEW.size * NEW.price) > 0.01 + NEW.size * 0.0000000001 THEN
    RAISE EXCEPTION 'a fill of % at % is not worth %', NEW.size, NEW.price, NEW.notional_usd USING ERRCODE = 'HB043';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER fill_birth BEFORE INSERT ON hedging_fill FOR EACH ROW EXECUTE FUNCTION hedging_fill_birth();

CREATE FUNCTION hedging_fill_apply() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE hedging_order SET filled_size = filled_size + NEW.size, filled_usd = filled_usd + NEW.notional_usd,
         fee_usd = fee_usd + NEW.fee_usd WHERE id = NEW.order_id;
  INSERT INTO hedging_fillevent (fill_id, old, new, at) VALUES (NEW.id, NULL, NEW.settlement, clock_timestamp());
  RETURN NULL;
END $$;
CREATE TRIGGER fill_apply AFTER INSERT ON hedging_fill FOR EACH ROW EXECUTE FUNCTION hedging_fill_apply();

CREATE FUNCTION hedging_fill_move() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (NEW.order_id, NEW.venue_id, NEW.instrument_id, NEW.venue_trade_id, NEW.side, NEW.size, NEW.price, NEW.notional_usd,
      NEW.fee_usd, NEW.matched_at)
     IS DISTINCT FROM
     (OLD.order_id, OLD.venue_id, OLD.instrument_id, OLD.venue_trade_id, OLD.side, OLD.size, OLD.price, OLD.notional_usd,
      OLD.fee_usd, OLD.matched_at) THEN
    RAISE EXCEPTION 'what traded is immutable' USING ERRCODE = 'HB040';
  END IF;
  IF NEW.settlement <> OLD.settlement THEN
    IF NOT EXISTS (SELECT 1 FROM hedging_settlement_transition t WHERE t.old = OLD.settlement AND t.new = NEW.settlement) THEN
      RAISE EXCEPTION 'illegal settlement % -> %', OLD.settlement, NEW.settlement USING ERRCODE = 'HB041';
    END IF;
    INSERT INTO hedging_fillevent (fill_id, old, new, at) VALUES (NEW.id, OLD.settlement, NEW.settlement, clock_timestamp());
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER fill_move BEFORE UPDATE ON hedging_fill FOR EACH ROW EXECUTE FUNCTION hedging_fill_move();

-- ---------------------------------------------------------------- intents: what was decided stays decided
CREATE FUNCTION hedging_intent_move() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (NEW.id, NEW.decision_key, NEW.cycle_id, NEW.target_id, NEW.venue_id, NEW.instrument_id, NEW.leg, NEW.purpose, NEW.side,
      NEW.time_in_force, NEW.size, NEW.notional_usd, NEW.price_limit, NEW.valid_until, NEW.created_at, NEW.requested_by)
     IS DISTINCT FROM
     (OLD.id, OLD.decision_key, OLD.cycle_id, OLD.target_id, OLD.venue_id, OLD.instrument_id, OLD.leg, OLD.purpose, OLD.side,
      OLD.time_in_force, OLD.size, OLD.notional_usd, OLD.price_limit, OLD.valid_until, OLD.created_at, OLD.requested_by) THEN
    RAISE EXCEPTION 'a decision is immutable; make another' USING ERRCODE = 'HB050';
  END IF;
  IF OLD.state IN ('DONE', 'ABANDONED') AND NEW.state <> OLD.state THEN
    RAISE EXCEPTION 'a finished intent stays finished' USING ERRCODE = 'HB051';
  END IF;
  IF NEW.state IN ('DONE', 'ABANDONED') AND OLD.state <> NEW.state AND EXISTS (
    SELECT 1 FROM hedging_order o WHERE o.intent_id = NEW.id
      AND o.state IN ('PREPARED','SENDING','UNKNOWN','MANUAL','ACKED','PARTIAL')) THEN
    RAISE EXCEPTION 'intent % still has a live order', NEW.id USING ERRCODE = 'HB052';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER intent_move BEFORE UPDATE ON hedging_intent FOR EACH ROW EXECUTE FUNCTION hedging_intent_move();

CREATE FUNCTION hedging_intent_announce() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('hedging_intent', NEW.venue_id || ' ' || NEW.id::text);
  RETURN NULL;
END $$;
CREATE TRIGGER intent_announce AFTER INSERT ON hedging_intent FOR EACH ROW EXECUTE FUNCTION hedging_intent_announce();

-- ---------------------------------------------------------------- breakers
CREATE FUNCTION hedging_breaker_move() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.scope <> OLD.scope THEN
    RAISE EXCEPTION 'a breaker keeps its scope' USING ERRCODE = 'HB061';
  END IF;
  IF OLD.latched AND NEW.changed_by IN ('', 'system')
     AND (NEW.state <> 'OPEN' OR NOT NEW.latched OR (OLD.effect = 'HALT' AND NEW.effect <> 'HALT')) THEN
    RAISE EXCEPTION 'latched breaker % needs a person', NEW.scope USING ERRCODE = 'HB060';
  END IF;
  IF NEW.state <> OLD.state OR NEW.effect <> OLD.effect OR NEW.reason <> OLD.reason THEN
    NEW.epoch := OLD.epoch + 1;
    INSERT INTO hedging_breakerevent (scope, old, new, reason, who, at)
      VALUES (NEW.scope, OLD.state, NEW.state, NEW.reason, NEW.changed_by, clock_timestamp());
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER breaker_move BEFORE UPDATE ON hedging_breaker FOR EACH ROW EXECUTE FUNCTION hedging_breaker_move();

CREATE FUNCTION hedging_breaker_birth() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO hedging_breakerevent (scope, old, new, reason, who, at)
    VALUES (NEW.scope, '', NEW.state, NEW.reason, NEW.changed_by, clock_timestamp());
  RETURN NULL;
END $$;
CREATE TRIGGER breaker_birth AFTER INSERT ON hedging_breaker FOR EACH ROW EXECUTE FUNCTION hedging_breaker_birth();

-- ---------------------------------------------------------------- hedge positions: bought once, sold forward
CREATE FUNCTION hedging_hedgeposition_move() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (NEW.id, NEW.policy_id, NEW.product_id, NEW.venue_id, NEW.instrument_id, NEW.fill_id, NEW.size, NEW.hedge_amount_usd,
      NEW.entry_price, NEW.entry_time, NEW.created_at)
     IS DISTINCT FROM
     (OLD.id, OLD.policy_id, OLD.product_id, OLD.venue_id, OLD.instrument_id, OLD.fill_id, OLD.size, OLD.hedge_amount_usd,
      OLD.entry_price, OLD.entry_time, OLD.created_at) THEN
    RAISE EXCEPTION 'what a policy''s hedge was bought for is immutable' USING ERRCODE = 'HB080';
  END IF;
  IF NEW.closed_size < OLD.closed_size OR OLD.status = 'closed' AND NEW.status <> 'closed' THEN
    RAISE EXCEPTION 'what was sold of a hedge stays sold' USING ERRCODE = 'HB081';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER hedgeposition_move BEFORE UPDATE ON hedging_hedgeposition
  FOR EACH ROW EXECUTE FUNCTION hedging_hedgeposition_move();

-- ---------------------------------------------------------------- history is appended, the book is never deleted
CREATE FUNCTION hedging_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'HB070';
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON hedging_orderevent FOR EACH ROW EXECUTE FUNCTION hedging_append_only();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON hedging_fillevent FOR EACH ROW EXECUTE FUNCTION hedging_append_only();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON hedging_breakerevent FOR EACH ROW EXECUTE FUNCTION hedging_append_only();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON hedging_intentdemand FOR EACH ROW EXECUTE FUNCTION hedging_append_only();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON hedging_intentslice FOR EACH ROW EXECUTE FUNCTION hedging_append_only();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON hedging_cycleleg FOR EACH ROW EXECUTE FUNCTION hedging_append_only();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON hedging_cycletarget FOR EACH ROW EXECUTE FUNCTION hedging_append_only();

CREATE FUNCTION hedging_never_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'rows of % are never deleted', TG_TABLE_NAME USING ERRCODE = 'HB071';
END $$;
CREATE TRIGGER never_deleted BEFORE DELETE ON hedging_order FOR EACH ROW EXECUTE FUNCTION hedging_never_deleted();
CREATE TRIGGER never_deleted BEFORE DELETE ON hedging_orderattempt FOR EACH ROW EXECUTE FUNCTION hedging_never_deleted();
CREATE TRIGGER never_deleted BEFORE DELETE ON hedging_intent FOR EACH ROW EXECUTE FUNCTION hedging_never_deleted();
CREATE TRIGGER never_deleted BEFORE DELETE ON hedging_fill FOR EACH ROW EXECUTE FUNCTION hedging_never_deleted();
CREATE TRIGGER never_deleted BEFORE DELETE ON hedging_position FOR EACH ROW EXECUTE FUNCTION hedging_never_deleted();
CREATE TRIGGER never_deleted BEFORE DELETE ON hedging_hedgeposition FOR EACH ROW EXECUTE FUNCTION hedging_never_deleted();
CREATE TRIGGER never_deleted BEFORE DELETE ON hedging_cycle FOR EACH ROW EXECUTE FUNCTION hedging_never_deleted();
CREATE TRIGGER never_deleted BEFORE DELETE ON hedging_breaker FOR EACH ROW EXECUTE FUNCTION hedging_never_deleted();
CREATE TRIGGER never_deleted BEFORE DELETE ON hedging_riskbucket FOR EACH ROW EXECUTE FUNCTION hedging_never_deleted();
