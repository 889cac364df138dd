package crm

// NewGiftCardCode is newGiftCardCode.
func NewGiftCardCode() string { return newGiftCardCode() }
