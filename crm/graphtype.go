package crm

// The schema has no generic types: the names in this file join its types to ours.

type (
	CustomerConnection           = Connection[Customer]
	CustomerEdge                 = Edge[Customer]
	CustomerOrder                = Order[CustomerOrderField]
	PartyConnection              = Connection[Party]
	PartyEdge                    = Edge[Party]
	PartyOrder                   = Order[PartyOrderField]
	ContactConnection            = Connection[Contact]
	ContactEdge                  = Edge[Contact]
	ContactOrder                 = Order[ContactOrderField]
	RoleConnection               = Connection[Role]
	RoleEdge                     = Edge[Role]
	RoleOrder                    = Order[RoleOrderField]
	ContactRoleConnection        = Connection[ContactRole]
	ContactRoleEdge              = Edge[ContactRole]
	ContactRoleOrder             = Order[ContactRoleOrderField]
	VehicleConnection            = Connection[Vehicle]
	VehicleEdge                  = Edge[Vehicle]
	VehicleOrder                 = Order[VehicleOrderField]
	VehicleAssociationConnection = Connection[VehicleAssociation]
	VehicleAssociationEdge       = Edge[VehicleAssociation]
	LoyaltyAccountConnection     = Connection[LoyaltyAccount]
	LoyaltyAccountEdge           = Edge[LoyaltyAccount]
	LoyaltyAccountOrder          = Order[LoyaltyAccountOrderField]
	LoyaltyTransactionConnection = Connection[LoyaltyTransaction]
	LoyaltyTransactionEdge       = Edge[LoyaltyTransaction]
	LoyaltyTransactionOrder      = Order[LoyaltyTransactionOrderField]
	LoyaltyLotConnection         = Connection[LoyaltyLot]
	LoyaltyLotEdge               = Edge[LoyaltyLot]
	LoyaltyPolicyConnection      = Connection[LoyaltyPolicy]
	LoyaltyPolicyEdge            = Edge[LoyaltyPolicy]
	LoyaltyPolicyOrder           = Order[LoyaltyPolicyOrderField]
	WarrantyConnection           = Connection[Warranty]
	WarrantyEdge                 = Edge[Warranty]
	WarrantyOrder                = Order[WarrantyOrderField]
	GiftCardConnection           = Connection[GiftCard]
	GiftCardEdge                 = Edge[GiftCard]
	GiftCardOrder                = Order[GiftCardOrderField]
	EventConnection              = Connection[Event]
	EventEdge                    = Edge[Event]
	EventOrder                   = Order[EventOrderField]
	CreditTransactionConnection  = Connection[CreditTransaction]
	CreditTransactionEdge        = Edge[CreditTransaction]
	MergeConnection              = Connection[Merge]
	MergeEdge                    = Edge[Merge]

	PartyKindFilter              = EnumFilter[PartyKind]
	PartyStatusFilter            = EnumFilter[PartyStatus]
	CustomerTypeFilter           = EnumFilter[CustomerType]
	CustomerStatusFilter         = EnumFilter[CustomerStatus]
	ContactStatusFilter          = EnumFilter[ContactStatus]
	RoleStatusFilter             = EnumFilter[RoleStatus]
	VehicleStatusFilter          = EnumFilter[VehicleStatus]
	LoyaltyTransactionTypeFilter = EnumFilter[LoyaltyTransactionType]
	CreditTransactionTypeFilter  = EnumFilter[CreditTransactionType]
	WarrantyStatusFilter         = EnumFilter[WarrantyStatus]
	EventTypeFilter              = EnumFilter[EventType]

	AddressInput  = Address
	AuditInput    = Audit
	CustomerInput = CustomerCreate

	LoyaltyAdjustmentInput        = LoyaltyAdjustment
	LoyaltyChannelMultiplier      = ChannelMultiplier
	LoyaltyChannelMultiplierInput = ChannelMultiplier
	LoyaltyCorrectionInput        = LoyaltyCorrection
	LoyaltyEarningInput           = LoyaltyEarning
	LoyaltyPolicyInput            = LoyaltyPolicySet
	LoyaltyRedemptionInput        = LoyaltyRedemption

	CustomerProbeInput      = CustomerProbe
	CustomerUpdateInput     = CustomerUpdate
	PartyMergeInput         = MergeInput
	SourceRefInput          = SourceRef
	ExternalIdentifierInput = ExternalIdentifier
	OrganizationInput       = OrganizationCreate
	DuplicateOverrideInput  = DuplicateOverride
	IndividualInput         = IndividualCreate
	PartyUpdateInput        = PartyUpdate
	AccountUpdateInput      = AccountUpdate
	TenantSettingsInput     = TenantSettingsUpdate

	AccountCreditInput       = CreditMove
	AccountCreditUpdateInput = CreditUpdate

	ConsentChangeConnection       = Connection[ConsentChange]
	ConsentChangeEdge             = Edge[ConsentChange]
	CommunicationPreferencesInput = PreferencesSet
	ConsentInput                  = ConsentSet
	TierResolveInput              = TierResolve
	TierInput                     = TierSet
	ContactInput                  = NewContact
	ContactUpdateInput            = ContactUpdate
	ContactRoleInput              = RoleAssignment
	ContactRolesInput             = RoleSet
	ContactRoleUpdateInput        = ContactRoleUpdate
	ContactPointInput             = NewContactPoint
	ContactPointUpdateInput       = ContactPointUpdate
	RoleInput                     = NewRole
	RoleUpdateInput               = RoleUpdate
	BillingTermsInput             = NewBillingTerms
	BillingTermsUpdateInput       = BillingTermsUpdate
	VehicleRegisterInput          = VehicleRegistration
	VehicleUpdateInput            = VehicleUpdate
	VehicleTransferInput          = VehicleTransfer
	VehicleSearchInput            = VehicleQuery
	VehicleSearchOrder            = Order[VehicleSearchOrderField]
	VehicleSearchConnection       = VehicleHits
	VehicleSearchEdge             = VehicleHit
	PartySearchInput              = PartyQuery
	PartySearchOrder              = Order[PartySearchOrderField]
	PartySearchConnection         = Found[Party]
	GiftCardTransactionConnection = Connection[GiftCardTransaction]
	GiftCardTransactionEdge       = Edge[GiftCardTransaction]
	GiftCardTransactionTypeFilter = EnumFilter[GiftCardTransactionType]
	GiftCardIssueInput            = GiftCardIssue
	GiftCardRedeemInput           = GiftCardRedemption
	WarrantyInput                 = WarrantyRegistration
	WarrantyUpdateInput           = WarrantyUpdate
)
