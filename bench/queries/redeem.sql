WITH account AS (
    UPDATE loyalty_account SET balance = balance - 50, revision = revision + 1, updated_at = now()
    WHERE tenant_id = $1 AND id = $2
    RETURNING id, balance, revision
), entry AS (
    INSERT INTO loyalty_transaction (tenant_id, id, account_id, sequence, type, points, balance_after, order_ref, occurred_at)
    SELECT $1, gen_random_uuid(), id, revision, 'REDEEM', -50, balance, 'bench', now() FROM account
    RETURNING id, account_id, type, points, order_ref
), lot AS (
    UPDATE loyalty_lot SET remaining = remaining - 50
    WHERE tenant_id = $1 AND id = (
        SELECT l.id FROM loyalty_lot l
        WHERE l.tenant_id = $1 AND l.account_id = $2 AND l.remaining >= 50 AND l.available_at <= now() AND (l.expires_at IS NULL OR l.expires_at > now())
        ORDER BY l.expires_at, l.id LIMIT 1)
    RETURNING id
), debit AS (
    INSERT INTO loyalty_lot_debit (tenant_id, lot_id, transaction_id, points) SELECT $1, lot.id, entry.id, 50 FROM lot, entry
)
SELECT json_build_object(
    'transaction', json_build_object('type', type, 'points', points, 'orderRef', order_ref), 'userErrors', '[]'::json)
FROM entry
