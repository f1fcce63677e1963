-- What an attribution gives is what it took, and a policy that ends is noted with the change that ends it.
-- docs/adr/0011-attribution-by-decision.md says why.

-- ---------------------------------------------------------------- slices: bought once, sold forward
CREATE OR REPLACE FUNCTION hedging_hedgeposition_move() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (NEW.id, NEW.policy_id, NEW.product_id, NEW.venue_id, NEW.instrument_id, NEW.attribution_id, NEW.size,
      NEW.hedge_amount_usd, NEW.entry_price, NEW.entry_time, NEW.created_at)
     IS DISTINCT FROM
     (OLD.id, OLD.policy_id, OLD.product_id, OLD.venue_id, OLD.instrument_id, OLD.attribution_id, OLD.size,
      OLD.hedge_amount_usd, OLD.entry_price, OLD.entry_time, OLD.created_at) THEN
    RAISE EXCEPTION 'what a policy''s hedge was bought for is immutable' USING ERRCODE = 'HB080';
  END IF;
  IF NEW.closed_size < OLD.closed_size OR OLD.status = 'closed' AND NEW.status <> 'closed' THEN
    RAISE EXCEPTION 'what was sold of a hedge stays sold' USING ERRCODE = 'HB081';
  END IF;
  RETURN NEW;
END $$;

-- ---------------------------------------------------------------- an attribution gives exactly what its fills brought
-- At the commit, when slices and fills are both written. A fill may be attributed only as confirmed (a CHECK), and a
-- confirmed one never changes, so what holds here holds for ever; slices added later are found by `manage.py verify`.
CREATE FUNCTION hedging_attribution_adds_up() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  given record;
  taken record;
BEGIN
  SELECT count(*) AS n, COALESCE(sum(size), 0) AS size, COALESCE(sum(hedge_amount_usd), 0) AS usd,
         count(*) FILTER (WHERE instrument_id <> NEW.instrument_id OR venue_id <> NEW.venue_id
                             OR policy_id <> NEW.policy_id) AS foreign_rows
    INTO given FROM hedging_hedgeposition WHERE attribution_id = NEW.id;
  SELECT count(*) AS n, COALESCE(sum(size), 0) AS size, COALESCE(sum(notional_usd + fee_usd), 0) AS usd,
         count(*) FILTER (WHERE instrument_id <> NEW.instrument_id) AS foreign_rows
    INTO taken FROM hedging_fill WHERE attribution_id = NEW.id;
  IF given.foreign_rows > 0 OR taken.foreign_rows > 0 THEN
    RAISE EXCEPTION 'attribution % mixes instruments or policies', NEW.id USING ERRCODE = 'HB083';
  END IF;
  IF given.n <> NEW.slices_count OR given.size <> NEW.size OR given.usd <> NEW.cost_usd OR taken.n <> NEW.fills_count
     OR taken.size <> NEW.size + NEW.ownerless_size OR (NEW.ownerless_size = 0 AND taken.usd <> NEW.cost_usd)
     OR taken.usd < NEW.cost_usd THEN
    RAISE EXCEPTION 'attribution % gives % units for % USD in % slices of % units for % USD in % trades', NEW.id,
      given.size, given.usd, given.n, taken.size, taken.usd, taken.n USING ERRCODE = 'HB082';
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER attribution_adds_up AFTER INSERT ON hedging_attribution DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION hedging_attribution_adds_up();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON hedging_attribution
  FOR EACH ROW EXECUTE FUNCTION hedging_append_only();
CREATE TRIGGER never_deleted BEFORE DELETE ON hedging_heldshare FOR EACH ROW EXECUTE FUNCTION hedging_never_deleted();

CREATE FUNCTION hedging_fill_attributed_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'fill % is attributed already', OLD.id USING ERRCODE = 'HB084';
END $$;
CREATE TRIGGER fill_attributed_once BEFORE UPDATE ON hedging_fill FOR EACH ROW
  WHEN (OLD.attribution_id IS NOT NULL AND NEW.attribution_id IS DISTINCT FROM OLD.attribution_id)
  EXECUTE FUNCTION hedging_fill_attributed_once();

-- ---------------------------------------------------------------- policies that end
CREATE FUNCTION hedging_policy_ended() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO hedging_endedpolicy (policy_id, ended_at)
    SELECT n.id, COALESCE(n.ended_at, clock_timestamp()) FROM after_rows n JOIN before_rows o USING (id)
    WHERE o.status = 'active' AND n.status <> 'active'
    ORDER BY n.id ON CONFLICT (policy_id) DO NOTHING;
  RETURN NULL;
END $$;
CREATE TRIGGER hedging_policy_ended AFTER UPDATE ON policies_policy
  REFERENCING OLD TABLE AS before_rows NEW TABLE AS after_rows
  FOR EACH STATEMENT EXECUTE FUNCTION hedging_policy_ended();

-- ---------------------------------------------------------------- what was there before this migration
INSERT INTO hedging_endedpolicy (policy_id, ended_at)
  SELECT DISTINCT p.id, COALESCE(p.ended_at, now()) FROM hedging_hedgeposition h JOIN policies_policy p ON p.id = h.policy_id
  WHERE h.status = 'open' AND p.status <> 'active';
INSERT INTO hedging_heldshare (instrument_id, product_id, open_size, open_cost_usd, open_count, closed_count)
  SELECT instrument_id, product_id, COALESCE(sum(size - closed_size) FILTER (WHERE status = 'open'), 0),
         COALESCE(sum(hedge_amount_usd - trunc(hedge_amount_usd * closed_size / size, 6)) FILTER (WHERE status = 'open'), 0),
         count(*) FILTER (WHERE status = 'open'), count(*) FILTER (WHERE status = 'closed')
  FROM hedging_hedgeposition GROUP BY 1, 2;
