SELECT row_to_json(customer) FROM (
    SELECT 'cus_' || c.id AS id, c.number, c.code, c.status, c.type, c.created_at AS "createdAt"
    FROM customer c
    WHERE c.tenant_id = $1 AND c.id = $2
) customer
