SELECT json_build_object('nodes', coalesce(json_agg(customer), '[]')) FROM (
    SELECT 'cus_' || c.id AS id, c.number,
        (SELECT row_to_json(party) FROM (
            SELECT p.display_name AS "displayName" FROM party p
            WHERE p.tenant_id = $1 AND p.id = c.id
        ) party) AS party,
        (SELECT json_build_object('nodes', coalesce(json_agg(vehicle), '[]')) FROM (
            SELECT v.make, v.model,
                CASE WHEN v.vin IS NOT NULL THEN json_build_object('value', v.vin) END AS vin
            FROM vehicle_association a
            JOIN vehicle v ON v.tenant_id = $1 AND v.id = a.vehicle_id
            WHERE a.tenant_id = $1 AND a.party_id = c.id AND a.kind = 'OWNER' AND a.effective_to IS NULL
            ORDER BY v.id LIMIT 5
        ) vehicle) AS vehicles,
        (SELECT row_to_json(account) FROM (
            SELECT
                (SELECT coalesce(sum(o.remaining), 0)::bigint FROM loyalty_lot o
                 WHERE o.tenant_id = $1 AND o.account_id = l.id AND o.remaining > 0
                   AND o.available_at <= now() AND (o.expires_at IS NULL OR o.expires_at > now())
                ) AS "availablePoints"
            FROM loyalty_account l
            WHERE l.tenant_id = $1 AND l.id = c.id
        ) account) AS "loyaltyAccount"
    FROM customer c
    WHERE c.tenant_id = $1 AND c.number >= $2
    ORDER BY c.number LIMIT 20
) customer
