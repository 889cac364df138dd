-- Searching parties by their trading name and by the end of a telephone number.

ALTER TABLE party ADD COLUMN search_trading_name text COLLATE "C";
--bun:split
-- As crm.NormaliseName writes it, but for the rarer scripts' marks.
UPDATE party SET search_trading_name = nullif(trim(regexp_replace(regexp_replace(
    replace(replace(replace(replace(translate(lower(normalize(trading_name, NFKD)), 'øłđðı', 'olddi'), 'ß', 'ss'), 'æ', 'ae'), 'œ', 'oe'), 'þ', 'th'),
    '[\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u064b-\u065f\u0670'
    '\u0900-\u0902\u093a\u093c\u0941-\u0948\u094d\u0951-\u0957\u0962\u0963\u0e31\u0e34-\u0e3a\u0e47-\u0e4e'
    '\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]', '', 'g'),
    '[^[:alnum:]]+', ' ', 'g')), '')
WHERE trading_name IS NOT NULL;
--bun:split
-- Persons can have a tax id, too.
UPDATE party SET tax_id_normalised = nullif(upper(regexp_replace(tax_id, '[^[:alnum:]]', '', 'g')), '')
WHERE tax_id IS NOT NULL AND tax_id_normalised IS NULL;
--bun:split
-- A stored column, since row level security keeps functions off indexes.
ALTER TABLE contact_point ADD COLUMN reversed text COLLATE "C" GENERATED ALWAYS AS (reverse(normalised)) STORED;
--bun:split
CREATE INDEX contact_point_reversed_idx ON contact_point (tenant_id, reversed, party_id) WHERE kind = 'PHONE';
