-- The rules of a mapping's life (HB09x), and the two gates that let nothing be bought without an approved one.
-- docs/adr/0010-suspended-mappings.md says why; tests/hedging/models/test_rules_mappings.py attacks each one.

CREATE TABLE hedging_mapping_transition (old text NOT NULL, new text NOT NULL, PRIMARY KEY (old, new));
INSERT INTO hedging_mapping_transition (old, new) VALUES
  ('proposed','approved'),('proposed','declined'),
  ('approved','suspended'),('approved','declined'),
  ('suspended','approved'),('suspended','declined'),
  -- A declined market comes back only worded anew; a person may also change their mind.
  ('declined','proposed'),('declined','approved');

CREATE FUNCTION hedging_mapping_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  worded text;
  is_new boolean := TG_OP = 'INSERT';
BEGIN
  IF NOT is_new THEN
    IF (NEW.product_id, NEW.instrument_id) IS DISTINCT FROM (OLD.product_id, OLD.instrument_id) THEN
      RAISE EXCEPTION 'a mapping keeps its product and its instrument; make another' USING ERRCODE = 'HB090';
    END IF;
    IF NEW.state <> OLD.state AND NOT EXISTS (
      SELECT 1 FROM hedging_mapping_transition t WHERE t.old = OLD.state AND t.new = NEW.state) THEN
      RAISE EXCEPTION 'illegal transition of a mapping: % -> %', OLD.state, NEW.state USING ERRCODE = 'HB091';
    END IF;
    IF OLD.state = 'declined' AND NEW.state = 'proposed' AND NEW.read_wording_hash = OLD.read_wording_hash THEN
      RAISE EXCEPTION 'a declined market is proposed again only with another wording' USING ERRCODE = 'HB094';
    END IF;
  END IF;
  IF NEW.state <> 'approved' THEN
    RETURN NEW;
  END IF;
  IF NOT is_new AND OLD.state = 'approved' AND (NEW.approved_by, NEW.approved_at, NEW.approved_wording_hash, NEW.grade,
      NEW.basis_probability) IS NOT DISTINCT FROM (OLD.approved_by, OLD.approved_at, OLD.approved_wording_hash, OLD.grade,
      OLD.basis_probability) THEN
    RETURN NEW;
  END IF;
  SELECT i.wording_hash INTO worded FROM venues_instrument i WHERE i.id = NEW.instrument_id;
  IF NEW.approved_wording_hash IS DISTINCT FROM worded THEN
    RAISE EXCEPTION 'approved is what the market says now, and nothing else' USING ERRCODE = 'HB093';
  END IF;
  IF NOT is_new AND OLD.state = 'suspended' AND OLD.suspended_kind IN ('paused', 'unlisted')
     AND (NEW.approved_by, NEW.approved_at, NEW.approved_wording_hash, NEW.grade, NEW.basis_probability)
         IS NOT DISTINCT FROM
         (OLD.approved_by, OLD.approved_at, OLD.approved_wording_hash, OLD.grade, OLD.basis_probability) THEN
    RETURN NEW;
  END IF;
  IF NEW.changed_by IN ('', 'system') OR NEW.approved_by IN ('', 'system') THEN
    RAISE EXCEPTION 'a mapping is approved by a person' USING ERRCODE = 'HB092';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER mapping_guard BEFORE INSERT OR UPDATE ON hedging_mapping
  FOR EACH ROW EXECUTE FUNCTION hedging_mapping_guard();

CREATE FUNCTION hedging_mapping_remember() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' OR (NEW.state, NEW.approved_wording_hash, NEW.approved_at, NEW.grade, NEW.basis_probability,
      NEW.suspended_kind) IS DISTINCT FROM (OLD.state, OLD.approved_wording_hash, OLD.approved_at, OLD.grade,
      OLD.basis_probability, OLD.suspended_kind) THEN
    INSERT INTO hedging_mappingevent (mapping_id, old, new, reason, who, at, grade, basis_probability, wording_hash)
      VALUES (NEW.id, CASE WHEN TG_OP = 'UPDATE' THEN OLD.state ELSE '' END, NEW.state,
        CASE WHEN NEW.state = 'suspended' THEN NEW.suspended_reason ELSE NEW.reason END, NEW.changed_by,
        clock_timestamp(), NEW.grade, NEW.basis_probability,
        CASE WHEN NEW.state = 'approved' THEN NEW.approved_wording_hash ELSE NEW.read_wording_hash END);
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER mapping_remember AFTER INSERT OR UPDATE ON hedging_mapping
  FOR EACH ROW EXECUTE FUNCTION hedging_mapping_remember();

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON hedging_mappingevent
  FOR EACH ROW EXECUTE FUNCTION hedging_append_only();
CREATE TRIGGER never_deleted BEFORE DELETE ON hedging_mapping
  FOR EACH ROW EXECUTE FUNCTION hedging_never_deleted();

-- Whether a person agreed to something on this instrument, as it is worded now.
CREATE FUNCTION hedging_is_mapped(instrument bigint) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT EXISTS (SELECT 1 FROM hedging_mapping m JOIN venues_instrument i ON i.id = m.instrument_id
    WHERE m.instrument_id = instrument AND m.state = 'approved' AND m.approved_wording_hash = i.wording_hash)
$$;

-- A sale needs no mapping: it makes the book smaller.
CREATE FUNCTION hedging_intent_birth() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.purpose = 'open' AND NOT hedging_is_mapped(NEW.instrument_id) THEN
    RAISE EXCEPTION 'nothing is bought without an approved mapping of instrument % as it is worded now', NEW.instrument_id
      USING ERRCODE = 'HB053';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER intent_birth BEFORE INSERT ON hedging_intent FOR EACH ROW EXECUTE FUNCTION hedging_intent_birth();

-- Between the decision and its send a mapping may be suspended, and a market worded anew.
CREATE FUNCTION hedging_mapping_gate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT NEW.is_reducing AND NOT hedging_is_mapped(NEW.instrument_id) THEN
    RAISE EXCEPTION 'no approved mapping of this market as it is worded now' USING ERRCODE = 'HB001';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER a_mapping_gate BEFORE UPDATE ON hedging_order FOR EACH ROW
  WHEN (NEW.state = 'SENDING' AND OLD.state = 'PREPARED') EXECUTE FUNCTION hedging_mapping_gate();
