-- Fuzzy search. Trigram operators are not leakproof, so below row level security the
-- planner may not use them as index conditions; the function therefore runs as the
-- tables' owner, names the tenant for every table, and answers only for the tenant that
-- the connection is set to.
CREATE INDEX party_name_trgm ON party USING gin (tenant_id, search_name gin_trgm_ops);
--bun:split
CREATE INDEX contact_point_trgm ON contact_point USING gin (tenant_id, normalised gin_trgm_ops);
--bun:split
CREATE INDEX vehicle_text_trgm ON vehicle USING gin (tenant_id, search_text gin_trgm_ops);
--bun:split

-- text_q is the text normalised as names are, code_q the same without spaces and signs,
-- exact_q the text as codes are stored, number_q the number that it is, else null.
CREATE FUNCTION crm_search(tenant uuid, text_q text, code_q text, exact_q text, number_q bigint, kinds text[], most integer)
RETURNS TABLE (kind text, id uuid, field text, matched text, score real)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = public, pg_temp
SET pg_trgm.similarity_threshold = 0.3
SET pg_trgm.word_similarity_threshold = 0.5
AS $$
    WITH named AS (
        SELECT p.id, 'NAME' AS field, p.display_name AS matched,
               greatest(similarity(p.search_name, text_q), word_similarity(text_q, p.search_name)) AS score
        FROM party p
        WHERE p.tenant_id = tenant AND (p.search_name % text_q OR text_q <% p.search_name)
          AND p.status NOT IN ('MERGED', 'ANONYMIZED')
        ORDER BY score DESC, p.id
        LIMIT most
    ), pointed AS (
        SELECT c.party_id, c.kind, c.value, word_similarity(code_q, c.normalised) AS score
        FROM contact_point c
        WHERE c.tenant_id = tenant AND code_q <% c.normalised
        ORDER BY score DESC, c.id
        LIMIT most
    ), people AS (
        SELECT * FROM named
        UNION ALL
        SELECT party_id, kind, value, score FROM pointed
        UNION ALL
        SELECT c.id, 'CODE', c.code, 1 FROM customer c WHERE c.tenant_id = tenant AND c.code = exact_q
        UNION ALL
        SELECT c.id, 'NUMBER', c.number::text, 1 FROM customer c WHERE c.tenant_id = tenant AND c.number = number_q
    ), person AS (
        SELECT CASE WHEN 'CUSTOMER' = ANY (kinds) AND c.id IS NOT NULL THEN 'CUSTOMER' ELSE 'PARTY' END AS kind,
               h.id, h.field, h.matched, h.score
        FROM people h
        LEFT JOIN customer c ON c.tenant_id = tenant AND c.id = h.id
    ), car AS (
        SELECT 'VEHICLE' AS kind, v.id, f.field, f.matched, f.score
        FROM vehicle v
        CROSS JOIN LATERAL (
            SELECT o.field, o.matched, o.score
            FROM (VALUES ('VIN', v.vin, word_similarity(code_q, lower(v.vin))),
                         ('PLATE', v.plate, word_similarity(code_q, lower(v.plate_normalised))),
                         ('UNIT_NUMBER', v.unit_number, word_similarity(text_q, lower(v.unit_number))),
                         ('MAKE_MODEL', concat_ws(' ', v.make, v.model),
                          word_similarity(text_q, lower(concat_ws(' ', v.make, v.model))))) AS o (field, matched, score)
            WHERE o.score IS NOT NULL
            ORDER BY o.score DESC
            LIMIT 1
        ) f
        WHERE v.tenant_id = tenant AND 'VEHICLE' = ANY (kinds) AND v.status = 'ACTIVE'
          AND (text_q <% v.search_text OR code_q <% v.search_text)
        ORDER BY f.score DESC, v.id
        LIMIT most
    ), best AS (
        SELECT DISTINCT ON (h.kind, h.id) h.*
        FROM (SELECT * FROM person WHERE person.kind = ANY (kinds) UNION ALL SELECT * FROM car) h
        ORDER BY h.kind, h.id, h.score DESC, h.field
    )
    SELECT b.kind, b.id, b.field, b.matched, b.score::real
    FROM best b
    WHERE tenant = nullif(current_setting('app.tenant', true), '')::uuid
    ORDER BY b.score DESC, b.id
    LIMIT most
$$;
--bun:split
REVOKE ALL ON FUNCTION crm_search FROM PUBLIC;
--bun:split
GRANT EXECUTE ON FUNCTION crm_search TO crmgraph_app;
