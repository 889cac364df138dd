-- The text is a name, normalised; the ranking itself is the server's own function.
SELECT coalesce(json_agg(hit), '[]') FROM (
    SELECT s.score::float8, s.field AS "matchedField", btrim(s.matched) AS "matchedText",
        CASE s.kind
        WHEN 'CUSTOMER' THEN (SELECT row_to_json(node) FROM (
            SELECT 'Customer' AS "__typename", 'cus_' || c.id AS id,
                (SELECT row_to_json(party) FROM (
                    SELECT p.display_name AS "displayName" FROM party p
                    WHERE p.tenant_id = $1 AND p.id = c.id
                ) party) AS party
            FROM customer c
            WHERE c.tenant_id = $1 AND c.id = s.id
        ) node)
        WHEN 'PARTY' THEN (SELECT row_to_json(node) FROM (
            SELECT 'Party' AS "__typename", 'pty_' || p.id AS id, p.display_name AS "displayName"
            FROM party p
            WHERE p.tenant_id = $1 AND p.id = s.id
        ) node)
        ELSE (SELECT row_to_json(node) FROM (
            SELECT 'Vehicle' AS "__typename", 'veh_' || v.id AS id, v.make, v.model
            FROM vehicle v
            WHERE v.tenant_id = $1 AND v.id = s.id
        ) node)
        END AS node
    FROM crm_search($1, text_q => $2, code_q => replace($2, ' ', ''), exact_q => upper($2), number_q => NULL,
            kinds => '{CUSTOMER,PARTY,VEHICLE}', most => 20)
        WITH ORDINALITY AS s (kind, id, field, matched, score, place)
    ORDER BY s.place
) hit
