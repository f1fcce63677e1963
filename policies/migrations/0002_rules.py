"""What Django cannot say: nothing of the book is deleted, terms and events never change, lives go forward only."""

from django.db import migrations

_FUNCTIONS = """
CREATE FUNCTION policies_refuse_delete() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% rows are never deleted', TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation', HINT = 'end it by its own verb instead';
END $$;

CREATE FUNCTION policies_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the terms of % never change', TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation', HINT = 'record a new row instead';
END $$;

-- The trigger's arguments are the steps allowed, each written as from>to.
CREATE FUNCTION policies_check_step() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (OLD.status || '>' || NEW.status) <> ALL (TG_ARGV) THEN
        RAISE EXCEPTION '% cannot go from % to %', TG_TABLE_NAME, OLD.status, NEW.status
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
"""

_TRIGGERS = """
CREATE TRIGGER product_never_deleted BEFORE DELETE ON policies_product
    FOR EACH ROW EXECUTE FUNCTION policies_refuse_delete();
CREATE TRIGGER policy_never_deleted BEFORE DELETE ON policies_policy
    FOR EACH ROW EXECUTE FUNCTION policies_refuse_delete();
CREATE TRIGGER policy_event_never_deleted BEFORE DELETE ON policies_policyevent
    FOR EACH ROW EXECUTE FUNCTION policies_refuse_delete();
CREATE TRIGGER claim_never_deleted BEFORE DELETE ON policies_claim
    FOR EACH ROW EXECUTE FUNCTION policies_refuse_delete();

CREATE TRIGGER policy_event_never_changes BEFORE UPDATE ON policies_policyevent
    FOR EACH ROW EXECUTE FUNCTION policies_refuse_change();
CREATE TRIGGER policy_terms_never_change BEFORE UPDATE ON policies_policy FOR EACH ROW
    WHEN ((OLD.external_id, OLD.holder, OLD.product_id, OLD.coverage_usd, OLD.premium_usd, OLD.starts_at,
           OLD.expires_at, OLD.trigger_price, OLD.trigger_window_s, OLD.source, OLD.created_at)
        IS DISTINCT FROM
          (NEW.external_id, NEW.holder, NEW.product_id, NEW.coverage_usd, NEW.premium_usd, NEW.starts_at,
           NEW.expires_at, NEW.trigger_price, NEW.trigger_window_s, NEW.source, NEW.created_at))
    EXECUTE FUNCTION policies_refuse_change();
CREATE TRIGGER claim_terms_never_change BEFORE UPDATE ON policies_claim FOR EACH ROW
    WHEN ((OLD.policy_id, OLD.amount_usd, OLD.event_at, OLD.observed_price, OLD.evidence, OLD.filed_at,
           OLD.filed_by)
        IS DISTINCT FROM
          (NEW.policy_id, NEW.amount_usd, NEW.event_at, NEW.observed_price, NEW.evidence, NEW.filed_at,
           NEW.filed_by))
    EXECUTE FUNCTION policies_refuse_change();

CREATE TRIGGER policy_step_allowed BEFORE UPDATE ON policies_policy FOR EACH ROW
    WHEN (OLD.status IS DISTINCT FROM NEW.status)
    EXECUTE FUNCTION policies_check_step(
        'scheduled>active', 'scheduled>cancelled', 'active>expired', 'active>cancelled', 'active>claimed',
        'expired>claimed', 'claimed>settled');
CREATE TRIGGER claim_step_allowed BEFORE UPDATE ON policies_claim FOR EACH ROW
    WHEN (OLD.status IS DISTINCT FROM NEW.status)
    EXECUTE FUNCTION policies_check_step(
        'filed>approved', 'filed>rejected', 'approved>paid', 'approved>rejected', 'paid>settled');
"""

# The 560 rows are updated by every fold; half-empty pages keep those updates within their page (HOT).
_STORAGE = """
ALTER TABLE policies_exposure SET (fillfactor = 50);
ALTER TABLE policies_exposuredelta SET (autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold =
5000);
"""

_BACK = """
DROP TRIGGER product_never_deleted ON policies_product;
DROP TRIGGER policy_never_deleted ON policies_policy;
DROP TRIGGER policy_terms_never_change ON policies_policy;
DROP TRIGGER policy_step_allowed ON policies_policy;
DROP TRIGGER policy_event_never_deleted ON policies_policyevent;
DROP TRIGGER policy_event_never_changes ON policies_policyevent;
DROP TRIGGER claim_never_deleted ON policies_claim;
DROP TRIGGER claim_terms_never_change ON policies_claim;
DROP TRIGGER claim_step_allowed ON policies_claim;
DROP FUNCTION policies_refuse_delete();
DROP FUNCTION policies_refuse_change();
DROP FUNCTION policies_check_step();
ALTER TABLE policies_exposure RESET (fillfactor);
ALTER TABLE policies_exposuredelta RESET (autovacuum_vacuum_scale_factor, autovacuum_vacuum_threshold);
"""


class Migration(migrations.Migration):
    dependencies = [("policies", "0001_initial")]

    operations = [migrations.RunSQL(_FUNCTIONS + _TRIGGERS + _STORAGE, _BACK)]
