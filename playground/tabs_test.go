package playground

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"
)

func TestTabsAreWhatAVisitorShouldSeeFirst(t *testing.T) {
	t.Parallel()
	var names []string
	for _, tab := range readTabs(t) {
		names = append(names, tab.Name)
	}
	require.Equal(t, []string{
		"customer-360", "search-with-typo", "fleet", "loyalty-ledger", "warranty-by-vin",
		"paging", "contact-roles", "ownership-history",
		"create-customer", "duplicate-check", "update-customer", "transfer-vehicle", "consent", "hand-over-role",
		"register-warranty", "merge-preview", "merge", "events", "gift-card", "earn-and-redeem",
	}, names)
}

func TestFirstTabNeedsNoVariables(t *testing.T) {
	t.Parallel()
	require.Nil(t, readTabs(t)[0].Variables, "GraphiQL drops the variables of its first default tab")
}

func TestEveryTabExplainsItselfAndIsValid(t *testing.T) {
	t.Parallel()
	schema := loadSchema(t)
	titles := map[string]bool{}
	for _, tab := range readTabs(t) {
		t.Run(tab.Name, func(t *testing.T) {
			require.True(t, strings.HasPrefix(tab.Query, "# "), "begins with a comment")

			document, err := parser.ParseQuery(&ast.Source{Name: tab.Name, Input: tab.Query})
			require.NoError(t, err)
			require.Len(t, document.Operations, 1)
			operation := document.Operations[0]
			require.NotEmpty(t, operation.Name, "the name is the title of the tab")
			require.False(t, titles[operation.Name], "titles are unique")
			titles[operation.Name] = true

			require.Empty(t, validator.ValidateWithRules(schema, document, nil))
			variables := map[string]any{}
			if tab.Variables != nil {
				require.NoError(t, json.Unmarshal(tab.Variables, &variables))
			}
			_, err = validator.VariableValues(schema, operation, variables)
			require.NoError(t, err)
			for name := range variables {
				require.NotNil(t, operation.VariableDefinitions.ForName(name), "variable %s is declared", name)
			}
		})
	}
}

func readTabs(t *testing.T) []Tab {
	t.Helper()
	tabs, err := Tabs()
	require.NoError(t, err)
	return tabs
}

func loadSchema(t *testing.T) *ast.Schema {
	t.Helper()
	paths, err := filepath.Glob("../schema/*.graphqls")
	require.NoError(t, err)
	var sources []*ast.Source
	for _, path := range append(paths, "../schema.graphqls") {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		sources = append(sources, &ast.Source{Name: path, Input: string(text)})
	}
	schema, err := gqlparser.LoadSchema(sources...)
	require.NoError(t, err)
	return schema
}
