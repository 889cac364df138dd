package crm_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"crmgraph/crm"
)

func TestNormalise(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		normalise func(string) string
		in, want  string
	}{
		"name without accents":          {crm.NormaliseName, "Müller-Lüdenscheidt, Zoë", "muller ludenscheidt zoe"},
		"name with outer spaces":        {crm.NormaliseName, "  O'Brien & Sons  Ltd. ", "o brien sons ltd"},
		"name of other letters":         {crm.NormaliseName, "Strauß Łukasz SØREN", "strauss lukasz soren"},
		"name of ligatures":             {crm.NormaliseName, "ﬁsher", "fisher"},
		"name of signs only":            {crm.NormaliseName, "--!--", ""},
		"e-mail in capitals":            {crm.NormaliseEmail, " Amelia@Example.COM ", "amelia@example.com"},
		"plate with spaces and hyphens": {crm.NormalisePlate, "b-mw 12 34", "BMW1234"},
		"code in small letters":         {crm.NormaliseCode, " cust-7 ", "CUST-7"},
		"VIN in groups":                 {crm.NormaliseVIN, "wvw zzz-1jzxw 000001", "WVWZZZ1JZXW000001"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, c.want, c.normalise(c.in))
		})
	}
}
