-- The second wall between tenants: the application's role sees and writes only rows of
-- the tenant that its connection is set to, whatever a query forgets to say.
GRANT SELECT ON tenant TO crmgraph_app;
--bun:split
GRANT SELECT, INSERT, UPDATE, DELETE ON counter TO crmgraph_app;
--bun:split
ALTER TABLE counter ENABLE ROW LEVEL SECURITY;
--bun:split
CREATE POLICY counter_tenant ON counter TO crmgraph_app
    USING (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);
--bun:split
GRANT SELECT, INSERT, UPDATE, DELETE ON party TO crmgraph_app;
--bun:split
ALTER TABLE party ENABLE ROW LEVEL SECURITY;
--bun:split
CREATE POLICY party_tenant ON party TO crmgraph_app
    USING (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);
--bun:split
GRANT SELECT, INSERT, UPDATE, DELETE ON identifier TO crmgraph_app;
--bun:split
ALTER TABLE identifier ENABLE ROW LEVEL SECURITY;
--bun:split
CREATE POLICY identifier_tenant ON identifier TO crmgraph_app
    USING (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);
--bun:split
GRANT SELECT, INSERT, UPDATE, DELETE ON customer TO crmgraph_app;
--bun:split
ALTER TABLE customer ENABLE ROW LEVEL SECURITY;
--bun:split
CREATE POLICY customer_tenant ON customer TO crmgraph_app
    USING (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);
--bun:split
GRANT SELECT, INSERT, UPDATE, DELETE ON billing_terms TO crmgraph_app;
--bun:split
ALTER TABLE billing_terms ENABLE ROW LEVEL SECURITY;
--bun:split
CREATE POLICY billing_terms_tenant ON billing_terms TO crmgraph_app
    USING (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);
--bun:split
GRANT SELECT, INSERT, UPDATE, DELETE ON account TO crmgraph_app;
--bun:split
ALTER TABLE account ENABLE ROW LEVEL SECURITY;
--bun:split
CREATE POLICY account_tenant ON account TO crmgraph_app
    USING (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);
--bun:split
GRANT SELECT, INSERT, UPDATE, DELETE ON role TO crmgraph_app;
--bun:split
ALTER TABLE role ENABLE ROW LEVEL SECURITY;
--bun:split
CREATE POLICY role_tenant ON role TO crmgraph_app
    USING (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);
--bun:split
GRANT SELECT, INSERT, UPDATE, DELETE ON contact TO crmgraph_app;
--bun:split
ALTER TABLE contact ENABLE ROW LEVEL SECURITY;
--bun:split
CREATE POLICY contact_tenant ON contact TO crmgraph_app
    USING (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);
--bun:split
GRANT SELECT, INSERT, UPDATE, DELETE ON contact_role TO crmgraph_app;
--bun:split
ALTER TABLE contact_role ENABLE ROW LEVEL SECURITY;
--bun:split
CREATE POLICY contact_role_tenant ON contact_role TO crmgraph_app
    USING (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);
--bun:split
GRANT SELECT, INSERT, UPDATE, DELETE ON contact_point TO crmgraph_app;
--bun:split
ALTER TABLE contact_point ENABLE ROW LEVEL SECURITY;
--bun:split
CREATE POLICY contact_point_tenant ON contact_point TO crmgraph_app
    USING (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);
--bun:split
GRANT SELECT, INSERT, UPDATE, DELETE ON vehicle TO crmgraph_app;
--bun:split
ALTER TABLE vehicle ENABLE ROW LEVEL SECURITY;
--bun:split
CREATE POLICY vehicle_tenant ON vehicle TO crmgraph_app
    USING (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);
--bun:split
GRANT SELECT, INSERT, UPDATE, DELETE ON vehicle_association TO crmgraph_app;
--bun:split
ALTER TABLE vehicle_association ENABLE ROW LEVEL SECURITY;
--bun:split
CREATE POLICY vehicle_association_tenant ON vehicle_association TO crmgraph_app
    USING (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);
--bun:split
GRANT SELECT, INSERT, UPDATE, DELETE ON loyalty_account TO crmgraph_app;
--bun:split
ALTER TABLE loyalty_account ENABLE ROW LEVEL SECURITY;
--bun:split
CREATE POLICY loyalty_account_tenant ON loyalty_account TO crmgraph_app
    USING (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);
--bun:split
GRANT SELECT, INSERT ON loyalty_transaction TO crmgraph_app;
--bun:split
ALTER TABLE loyalty_transaction ENABLE ROW LEVEL SECURITY;
--bun:split
CREATE POLICY loyalty_transaction_tenant ON loyalty_transaction TO crmgraph_app
    USING (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);
--bun:split
GRANT SELECT, INSERT ON loyalty_transaction_link TO crmgraph_app;
--bun:split
ALTER TABLE loyalty_transaction_link ENABLE ROW LEVEL SECURITY;
--bun:split
CREATE POLICY loyalty_transaction_link_tenant ON loyalty_transaction_link TO crmgraph_app
    USING (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);
--bun:split
GRANT SELECT, INSERT, UPDATE, DELETE ON loyalty_lot TO crmgraph_app;
--bun:split
ALTER TABLE loyalty_lot ENABLE ROW LEVEL SECURITY;
--bun:split
CREATE POLICY loyalty_lot_tenant ON loyalty_lot TO crmgraph_app
    USING (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);
--bun:split
GRANT SELECT, INSERT, UPDATE, DELETE ON warranty TO crmgraph_app;
--bun:split
ALTER TABLE warranty ENABLE ROW LEVEL SECURITY;
--bun:split
CREATE POLICY warranty_tenant ON warranty TO crmgraph_app
    USING (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);
