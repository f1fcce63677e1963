-- An answer that two sources agreed on stays; the bytes that a wallet signed stay; history is appended.
-- VN0xx are this app's own SQLSTATEs. tests/venues/models/test_rules.py attacks each one.

CREATE FUNCTION venues_resolution_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'a final answer stays: % pays %', OLD.instrument_id, OLD.payout USING ERRCODE = 'VN001';
END $$;
CREATE TRIGGER resolution_stays BEFORE UPDATE ON venues_resolution FOR EACH ROW
  WHEN (OLD.state = 'resolved' AND (NEW.state, NEW.payout, NEW.resolved_at) IS DISTINCT FROM (OLD.state, OLD.payout, OLD.resolved_at))
  EXECUTE FUNCTION venues_resolution_stays();

CREATE FUNCTION venues_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'VN070';
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON venues_resolutionword FOR EACH ROW EXECUTE FUNCTION venues_append_only();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON venues_walletjobevent FOR EACH ROW EXECUTE FUNCTION venues_append_only();
CREATE TRIGGER never_deleted BEFORE DELETE ON venues_resolution FOR EACH ROW EXECUTE FUNCTION venues_append_only();
CREATE TRIGGER never_deleted BEFORE DELETE ON venues_walletjob FOR EACH ROW EXECUTE FUNCTION venues_append_only();

CREATE TABLE venues_walletjob_transition (old text NOT NULL, new text NOT NULL, PRIMARY KEY (old, new));
INSERT INTO venues_walletjob_transition (old, new) VALUES
  ('WAITING','PREPARED'),('WAITING','ABORTED'),('PREPARED','SENDING'),('PREPARED','ABORTED'),
  ('SENDING','UNKNOWN'),('SENDING','REJECTED'),
  ('UNKNOWN','SENDING'),('UNKNOWN','DONE'),('UNKNOWN','FAILED'),('UNKNOWN','VOID');

CREATE FUNCTION venues_walletjob_move() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (NEW.id, NEW.venue_id, NEW.kind, NEW.title, NEW.lines, NEW.calls, NEW.amount_usd, NEW.requested_by, NEW.reason, NEW.created_at)
     IS DISTINCT FROM
     (OLD.id, OLD.venue_id, OLD.kind, OLD.title, OLD.lines, OLD.calls, OLD.amount_usd, OLD.requested_by, OLD.reason, OLD.created_at) THEN
    RAISE EXCEPTION 'what was ordered of the wallet is immutable' USING ERRCODE = 'VN010';
  END IF;
  IF OLD.name <> '' AND (NEW.name, NEW.payload, NEW.fence_at) IS DISTINCT FROM (OLD.name, OLD.payload, OLD.fence_at) THEN
    RAISE EXCEPTION 'signed bytes are immutable' USING ERRCODE = 'VN011';
  END IF;
  IF NEW.state <> OLD.state THEN
    IF NOT EXISTS (SELECT 1 FROM venues_walletjob_transition t WHERE t.old = OLD.state AND t.new = NEW.state) THEN
      RAISE EXCEPTION 'illegal transition of a wallet job: % -> %', OLD.state, NEW.state USING ERRCODE = 'VN012';
    END IF;
    IF NEW.state = 'SENDING' AND NEW.attempts <> OLD.attempts + 1 THEN
      RAISE EXCEPTION 'each send counts one attempt' USING ERRCODE = 'VN013';
    END IF;
    -- A no to a second send says nothing about the first.
    IF NEW.state = 'REJECTED' AND NEW.attempts > 1 THEN
      RAISE EXCEPTION 'a no to a re-send proves nothing about the first send' USING ERRCODE = 'VN014';
    END IF;
    INSERT INTO venues_walletjobevent (job_id, old, new, outcome, who, at)
      VALUES (NEW.id, OLD.state, NEW.state, NEW.outcome, COALESCE(current_setting('application_name', true), ''), clock_timestamp());
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER walletjob_move BEFORE UPDATE ON venues_walletjob FOR EACH ROW EXECUTE FUNCTION venues_walletjob_move();
