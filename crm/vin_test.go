package crm_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"crmgraph/crm"
)

func TestReadVIN(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]struct {
		vin        string
		wellFormed bool
		check      crm.VINCheckDigit
		wmi        string
		region     crm.VINRegion
		years      []int
	}{
		"check digit is a number":            {"11111111111111111", true, crm.CheckDigitMatches, "111", "NORTH_AMERICA", []int{2001, 2031}},
		"check digit ten is X":               {"1M8GDM9AXKP042788", true, crm.CheckDigitMatches, "1M8", "NORTH_AMERICA", []int{1989, 2019}},
		"European VIN without a check digit": {"WVWZZZ1JZXW000001", true, crm.CheckDigitMismatch, "WVW", "EUROPE", []int{1999, 2029}},
		"one character typed wrong":          {"1M8GDM9AXKP042789", true, crm.CheckDigitMismatch, "1M8", "NORTH_AMERICA", []int{1989, 2019}},
		"small maker has six characters":     {"1A9GDM9A2KP123788", true, crm.CheckDigitMismatch, "1A9123", "NORTH_AMERICA", []int{1989, 2019}},
		"year position that is no year":      {"WVWZZZ1JZZW000001", true, crm.CheckDigitMismatch, "WVW", "EUROPE", []int{}},
		"letter O is not allowed":            {"WVWZZZ1JZXWO00001", false, crm.CheckDigitUnknown, "", "", []int{}},
		"too short":                          {"WVWZZZ", false, crm.CheckDigitUnknown, "", "", []int{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := crm.VIN{Value: want.vin}
			require.Equal(t, want.wellFormed, got.IsWellFormed())
			require.Equal(t, want.check, got.CheckDigit())
			require.Equal(t, want.years, got.ModelYearCandidates())
			if want.wmi == "" {
				require.Nil(t, got.WMI())
				require.Nil(t, got.Region())
				return
			}
			require.Equal(t, want.wmi, *got.WMI())
			require.Equal(t, want.region, *got.Region())
		})
	}
}
