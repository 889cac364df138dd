WITH account AS (
    UPDATE loyalty_account
    SET balance = balance + 10, lifetime_earned = lifetime_earned + 10, revision = revision + 1, updated_at = now()
    WHERE tenant_id = $1 AND id = $2
    RETURNING id, balance, revision
), entry AS (
    INSERT INTO loyalty_transaction (tenant_id, id, account_id, sequence, type, points, balance_after, currency, amount, order_ref, occurred_at)
    SELECT $1, gen_random_uuid(), id, revision, 'EARN', 10, balance, 'EUR', 1000, 'bench', now() FROM account
    RETURNING id, account_id, type, points, order_ref
), lot AS (
    INSERT INTO loyalty_lot (tenant_id, id, account_id, transaction_id, points, remaining, available_at, expires_at)
    SELECT $1, gen_random_uuid(), account_id, id, points, points, now(), now() + interval '365 days' FROM entry
)
SELECT json_build_object(
    'transaction', json_build_object('type', type, 'points', points, 'orderRef', order_ref), 'userErrors', '[]'::json)
FROM entry
