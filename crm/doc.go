// Package crm is the domain: what there is, who may see it, and the rules it keeps.
//
// A [Party] is a person or an organisation. In its buying role it is a [Customer], which may
// own [Vehicle]s, hold [Warranty]s and collect points on a [LoyaltyAccount]; the credit and
// billing side of an organisation is its [Account], whose debts are a ledger of
// [CreditTransaction]s. The three share the party's id. A
// [Contact] is one person's engagement at one organisation, and holds [Role]s there as
// [ContactRole]s. [Identifier]s lead to parties, [ContactPoint]s reach them.
//
// Operations are methods of [Store] and edges are variables named Type and field, such as
// [CustomerVehicles]. All take a context that [Store.Begin] prepared, act for its principal and
// answer with an [*Error] when they cannot. A function without a context is pure.
//
// The catalogue (see [Record], [One] and [Paged]) declares each type and each edge once;
// statements, loaders, filters, orders and look-ahead follow from it.
package crm
