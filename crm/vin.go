package crm

import (
	"strings"
)

// VINCheckDigit says what the ninth character of a VIN tells. Only North America and China
// demand it, so a mismatch is a warning and never an error.
type VINCheckDigit string

// The outcomes of the check.
const (
	CheckDigitMatches  VINCheckDigit = "MATCHES"
	CheckDigitMismatch VINCheckDigit = "MISMATCH"
	CheckDigitUnknown  VINCheckDigit = "NOT_APPLICABLE"
)

// VINRegion is the part of the world that assigned a VIN.
type VINRegion string

// The regions (ISO 3780).
const (
	RegionAfrica       VINRegion = "AFRICA"
	RegionAsia         VINRegion = "ASIA"
	RegionEurope       VINRegion = "EUROPE"
	RegionNorthAmerica VINRegion = "NORTH_AMERICA"
	RegionOceania      VINRegion = "OCEANIA"
	RegionSouthAmerica VINRegion = "SOUTH_AMERICA"
)

// VIN is a vehicle identification number (ISO 3779), normalised, and what can be read from it alone.
type VIN struct{ Value string }

// IsWellFormed reports whether it has the form of the standard. Nothing more can be read from one
// that has not.
func (v VIN) IsWellFormed() bool { return wellFormedVIN(v.Value) }

// WMI is the world manufacturer identifier (ISO 3780).
func (v VIN) WMI() *string {
	if !v.IsWellFormed() {
		return nil
	}
	wmi := v.Value[:3]
	if wmi[2] == '9' { // a small maker shares these three characters with others
		wmi += v.Value[11:14]
	}
	return &wmi
}

// Region is where it was assigned, nil when nobody has that first character.
func (v VIN) Region() *VINRegion {
	if !v.IsWellFormed() {
		return nil
	}
	region := vinRegion(v.Value[0])
	if region == "" {
		return nil
	}
	return &region
}

// CheckDigit is what the ninth character tells.
func (v VIN) CheckDigit() VINCheckDigit {
	switch {
	case !v.IsWellFormed():
		return CheckDigitUnknown
	case checkDigit(v.Value) == v.Value[8]:
		return CheckDigitMatches
	default:
		return CheckDigitMismatch
	}
}

// ModelYearCandidates are the years that the tenth character stands for, ascending: a VIN alone does
// not always tell one.
func (v VIN) ModelYearCandidates() []int {
	if !v.IsWellFormed() {
		return []int{}
	}
	return modelYears(v.Value[9])
}

// NormaliseVIN trims a VIN, removes spaces and hyphens and turns it to upper case.
func NormaliseVIN(vin string) string { return joinedUpper(vin) }

func wellFormedVIN(vin string) bool {
	if len(vin) != 17 {
		return false
	}
	for i := range len(vin) {
		c := vin[i]
		letter := c >= 'A' && c <= 'Z' && c != 'I' && c != 'O' && c != 'Q'
		if !letter && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}

// checkDigit computes the ninth character of a well-formed VIN (49 CFR 565.15).
func checkDigit(vin string) byte {
	const letters = "ABCDEFGH JKLMN P R STUVWXYZ"
	const values = "12345678 12345 7 9 23456789"
	weights := [17]int{8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2}
	sum := 0
	for i := range 17 {
		v := int(vin[i] - '0')
		if at := strings.IndexByte(letters, vin[i]); at >= 0 {
			v = int(values[at] - '0')
		}
		sum += v * weights[i]
	}
	return "0123456789X"[sum%11]
}

// vinRegion names the part of the world that the first character stands for.
func vinRegion(c byte) VINRegion {
	switch {
	case c >= 'A' && c <= 'C':
		return RegionAfrica
	case c >= 'H' && c <= 'R':
		return RegionAsia
	case c >= 'S' && c <= 'Z':
		return RegionEurope
	case c >= '1' && c <= '5' || c == '7':
		return RegionNorthAmerica
	case c == '6':
		return RegionOceania
	case c == '8' || c == '9':
		return RegionSouthAmerica
	default:
		return ""
	}
}

// modelYears are the years between 1980 and 2039 that the tenth character can stand for.
// It repeats every thirty years.
func modelYears(c byte) []int {
	at := strings.IndexByte("ABCDEFGHJKLMNPRSTVWXY123456789", c)
	if at < 0 {
		return []int{}
	}
	return []int{1980 + at, 2010 + at}
}
