SELECT row_to_json(customer) FROM (
    SELECT 'cus_' || c.id AS id, c.number, c.code, c.type, c.status,
        (SELECT row_to_json(party) FROM (
            SELECT 'pty_' || p.id AS id, p.display_name AS "displayName", p.kind,
                (SELECT json_build_object('nodes', coalesce(json_agg(contact), '[]')) FROM (
                    SELECT 'con_' || n.id AS id, n.title, n.is_primary AS "isPrimary",
                        (SELECT coalesce(json_agg(held), '[]') FROM (
                            SELECT h.is_primary AS "isPrimary",
                                (SELECT row_to_json(role) FROM (
                                    SELECT r.code, r.label FROM role r
                                    WHERE r.tenant_id = $1 AND r.id = h.role_id
                                ) role) AS role
                            FROM contact_role h
                            WHERE h.tenant_id = $1 AND h.contact_id = n.id AND h.status = 'ACTIVE'
                            ORDER BY h.id LIMIT 100
                        ) held) AS roles
                    FROM contact n
                    WHERE n.tenant_id = $1 AND n.organization_id = p.id
                    ORDER BY n.id LIMIT 5
                ) contact) AS contacts
            FROM party p
            WHERE p.tenant_id = $1 AND p.id = c.id
        ) party) AS party,
        (SELECT json_build_object('nodes', coalesce(json_agg(vehicle), '[]')) FROM (
            SELECT 'veh_' || v.id AS id, v.make, v.model, v.year, v.plate,
                (SELECT row_to_json(owner) FROM (
                    SELECT 'pty_' || p.id AS id, p.display_name AS "displayName"
                    FROM vehicle_association o
                    JOIN party p ON p.tenant_id = $1 AND p.id = o.party_id
                    WHERE o.tenant_id = $1 AND o.vehicle_id = v.id AND o.kind = 'OWNER' AND o.effective_to IS NULL
                ) owner) AS owner,
                (SELECT json_build_object('nodes', coalesce(json_agg(warranty), '[]')) FROM (
                    SELECT 'war_' || w.id AS id, w.serial_number AS "serialNumber", w.status,
                        w.starts_at AS "startsAt", w.expires_at AS "expiresAt"
                    FROM warranty w
                    WHERE w.tenant_id = $1 AND w.vehicle_id = v.id
                    ORDER BY w.id LIMIT 5
                ) warranty) AS warranties
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
                ) AS "availablePoints",
                (SELECT json_build_object('nodes', coalesce(json_agg(entry), '[]')) FROM (
                    SELECT 'ltx_' || t.id AS id, t.type, t.points, t.balance_after AS "balanceAfter",
                        t.occurred_at AS "occurredAt"
                    FROM loyalty_transaction t
                    WHERE t.tenant_id = $1 AND t.account_id = l.id
                    ORDER BY t.sequence DESC LIMIT 5
                ) entry) AS transactions
            FROM loyalty_account l
            WHERE l.tenant_id = $1 AND l.id = c.id
        ) account) AS "loyaltyAccount"
    FROM customer c
    WHERE c.tenant_id = $1 AND c.id = $2
) customer
