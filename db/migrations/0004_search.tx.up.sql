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
    -- Each branch picks whom it may show before it stops at most: otherwise records that
    -- are not asked for would use the places up.
    WITH named AS (
        SELECT s.id, 'NAME' AS field, s.display_name AS matched, greatest(s.whole, s.word) AS score, s.whole
        FROM (
            SELECT p.id, p.display_name, similarity(p.search_name, text_q) AS whole, word_similarity(text_q, p.search_name) AS word
            FROM party p
            WHERE p.tenant_id = tenant AND (p.search_name % text_q OR text_q <% p.search_name) AND p.status NOT IN ('MERGED', 'ANONYMIZED')
              AND ('PARTY' = ANY (kinds) OR 'CUSTOMER' = ANY (kinds)
                   AND EXISTS (SELECT 1 FROM customer c WHERE c.tenant_id = tenant AND c.id = p.id))
            OFFSET 0 -- so that each similarity is computed once
        ) s
        ORDER BY score DESC, s.whole DESC, s.id
        LIMIT most
    ), pointed AS (
        SELECT best.*
        FROM (
            SELECT DISTINCT ON (o.party_id) o.party_id, o.kind, o.value, word_similarity(code_q, o.normalised) AS score,
                   similarity(code_q, o.normalised) AS whole
            FROM contact_point o
            JOIN party p ON p.tenant_id = tenant AND p.id = o.party_id
            WHERE o.tenant_id = tenant AND code_q <% o.normalised AND p.status NOT IN ('MERGED', 'ANONYMIZED')
              AND ('PARTY' = ANY (kinds) OR 'CUSTOMER' = ANY (kinds)
                   AND EXISTS (SELECT 1 FROM customer c WHERE c.tenant_id = tenant AND c.id = p.id))
            ORDER BY o.party_id, score DESC, whole DESC, o.id
        ) best
        ORDER BY best.score DESC, best.whole DESC, best.party_id
        LIMIT most
    ), coded AS (
        SELECT c.id, CASE WHEN c.code = exact_q THEN 'CODE' ELSE 'NUMBER' END AS field,
               CASE WHEN c.code = exact_q THEN c.code ELSE c.number::text END AS matched
        FROM customer c
        JOIN party p ON p.tenant_id = tenant AND p.id = c.id
        WHERE c.tenant_id = tenant AND (c.code = exact_q OR c.number = number_q)
          AND p.status NOT IN ('MERGED', 'ANONYMIZED') AND kinds && ARRAY['PARTY', 'CUSTOMER']
    ), person AS (
        SELECT CASE WHEN 'CUSTOMER' = ANY (kinds) AND c.id IS NOT NULL THEN 'CUSTOMER' ELSE 'PARTY' END AS kind,
               h.id, h.field, h.matched, h.score, h.whole
        FROM (SELECT * FROM named UNION ALL SELECT * FROM pointed UNION ALL SELECT coded.*, 1, 1 FROM coded) h
        LEFT JOIN customer c ON c.tenant_id = tenant AND c.id = h.id
    ), car AS (
        SELECT 'VEHICLE' AS kind, v.id, f.field, f.matched, f.score, f.score AS whole
        FROM vehicle v
        CROSS JOIN LATERAL (
            SELECT o.field, o.matched, o.score
            FROM (VALUES ('VIN', v.vin, word_similarity(code_q, lower(v.vin))),
                         ('PLATE', v.plate, word_similarity(code_q, lower(v.plate_normalised))),
                         ('UNIT_NUMBER', v.unit_number, word_similarity(text_q, lower(v.unit_number))),
                         ('MAKE_MODEL', concat_ws(' ', v.make, v.model, v.trim),
                          word_similarity(text_q, lower(concat_ws(' ', v.make, v.model, v.trim))))) AS o (field, matched, score)
            WHERE o.score > 0
            ORDER BY o.score DESC
            LIMIT 1
        ) f
        WHERE v.tenant_id = tenant AND 'VEHICLE' = ANY (kinds) AND v.status = 'ACTIVE'
          AND (text_q <% v.search_text OR code_q <% v.search_text)
        ORDER BY f.score DESC, v.id
        LIMIT most
    ), best AS (
        SELECT DISTINCT ON (h.kind, h.id) h.*
        FROM (SELECT * FROM person UNION ALL SELECT * FROM car) h
        ORDER BY h.kind, h.id, h.score DESC, h.field = 'NAME' DESC, h.field
    )
    SELECT b.kind, b.id, b.field, b.matched, b.score::real
    FROM best b
    WHERE tenant = nullif(current_setting('app.tenant', true), '')::uuid
    ORDER BY b.score DESC, b.whole DESC, b.id
    LIMIT most
$$;
--bun:split
REVOKE ALL ON FUNCTION crm_search FROM PUBLIC;
--bun:split
GRANT EXECUTE ON FUNCTION crm_search TO crmgraph_app;
