-- Foreign keys stand apart from their tables so that the tables can be distributed
-- before the keys are added. Every one starts with tenant_id or leads to tenant. None
-- deletes from a ledger: a cascade runs as the owner and would pass the missing grant.
ALTER TABLE counter ADD CONSTRAINT counter_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES tenant (id);
--bun:split
ALTER TABLE party ADD CONSTRAINT party_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES tenant (id);
--bun:split
ALTER TABLE party ADD CONSTRAINT party_parent_fkey FOREIGN KEY (tenant_id, parent_id) REFERENCES party (tenant_id, id);
--bun:split
ALTER TABLE party ADD CONSTRAINT party_merged_into_fkey FOREIGN KEY (tenant_id, merged_into_id) REFERENCES party (tenant_id, id);
--bun:split
ALTER TABLE identifier ADD CONSTRAINT identifier_party_fkey FOREIGN KEY (tenant_id, party_id) REFERENCES party (tenant_id, id) ON DELETE CASCADE;
--bun:split
ALTER TABLE customer ADD CONSTRAINT customer_party_fkey FOREIGN KEY (tenant_id, id) REFERENCES party (tenant_id, id) ON DELETE CASCADE;
--bun:split
ALTER TABLE account ADD CONSTRAINT account_party_fkey FOREIGN KEY (tenant_id, id) REFERENCES party (tenant_id, id) ON DELETE CASCADE;
--bun:split
ALTER TABLE account ADD CONSTRAINT account_billing_terms_fkey FOREIGN KEY (tenant_id, billing_terms_id) REFERENCES billing_terms (tenant_id, id);
--bun:split
ALTER TABLE billing_terms ADD CONSTRAINT billing_terms_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES tenant (id);
--bun:split
ALTER TABLE role ADD CONSTRAINT role_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES tenant (id);
--bun:split
ALTER TABLE contact ADD CONSTRAINT contact_organization_fkey FOREIGN KEY (tenant_id, organization_id) REFERENCES party (tenant_id, id) ON DELETE CASCADE;
--bun:split
ALTER TABLE contact ADD CONSTRAINT contact_person_fkey FOREIGN KEY (tenant_id, person_id) REFERENCES party (tenant_id, id) ON DELETE CASCADE;
--bun:split
ALTER TABLE contact_role ADD CONSTRAINT contact_role_contact_fkey FOREIGN KEY (tenant_id, contact_id, organization_id) REFERENCES contact (tenant_id, id, organization_id) ON DELETE CASCADE;
--bun:split
ALTER TABLE contact_role ADD CONSTRAINT contact_role_role_fkey FOREIGN KEY (tenant_id, role_id) REFERENCES role (tenant_id, id);
--bun:split
ALTER TABLE contact_point ADD CONSTRAINT contact_point_party_fkey FOREIGN KEY (tenant_id, party_id) REFERENCES party (tenant_id, id) ON DELETE CASCADE;
--bun:split
ALTER TABLE vehicle ADD CONSTRAINT vehicle_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES tenant (id);
--bun:split
ALTER TABLE vehicle_association ADD CONSTRAINT vehicle_association_vehicle_fkey FOREIGN KEY (tenant_id, vehicle_id) REFERENCES vehicle (tenant_id, id) ON DELETE CASCADE;
--bun:split
ALTER TABLE vehicle_association ADD CONSTRAINT vehicle_association_party_fkey FOREIGN KEY (tenant_id, party_id) REFERENCES party (tenant_id, id);
--bun:split
ALTER TABLE loyalty_account ADD CONSTRAINT loyalty_account_customer_fkey FOREIGN KEY (tenant_id, id) REFERENCES customer (tenant_id, id);
--bun:split
ALTER TABLE loyalty_transaction ADD CONSTRAINT loyalty_transaction_account_fkey FOREIGN KEY (tenant_id, account_id) REFERENCES loyalty_account (tenant_id, id);
--bun:split
ALTER TABLE loyalty_transaction_link ADD CONSTRAINT loyalty_transaction_link_transaction_fkey FOREIGN KEY (tenant_id, transaction_id) REFERENCES loyalty_transaction (tenant_id, id);
--bun:split
ALTER TABLE loyalty_transaction_link ADD CONSTRAINT loyalty_transaction_link_related_fkey FOREIGN KEY (tenant_id, related_id) REFERENCES loyalty_transaction (tenant_id, id);
--bun:split
ALTER TABLE loyalty_lot ADD CONSTRAINT loyalty_lot_account_fkey FOREIGN KEY (tenant_id, account_id) REFERENCES loyalty_account (tenant_id, id);
--bun:split
ALTER TABLE loyalty_lot ADD CONSTRAINT loyalty_lot_transaction_fkey FOREIGN KEY (tenant_id, transaction_id) REFERENCES loyalty_transaction (tenant_id, id);
--bun:split
ALTER TABLE warranty ADD CONSTRAINT warranty_customer_fkey FOREIGN KEY (tenant_id, customer_id) REFERENCES customer (tenant_id, id);
--bun:split
ALTER TABLE warranty ADD CONSTRAINT warranty_vehicle_fkey FOREIGN KEY (tenant_id, vehicle_id) REFERENCES vehicle (tenant_id, id);
