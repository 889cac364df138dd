package crmtest

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var (
	letLine = regexp.MustCompile(`(?m)^# let (\w+) = (.+)$`)
	letStep = regexp.MustCompile(`^(.*?)(?:\[(\d+)\])?$`)
)

// Let returns the variables that the comments of a document name. A comment such as
//
//	# let amelia = customer(by: {number: 1001})
//
// gives the document the variable $amelia, the id of that record. Further fields, each after a
// dot, lead from it to another one; of a list, that at [n] counts:
//
//	# let erp = customer(by: {number: 1001}) . party . identifiers[2]
//
// ask answers a document with its data.
func Let(t testing.TB, document string, ask func(document string) json.RawMessage) map[string]any {
	t.Helper()
	variables := map[string]any{}
	for _, m := range letLine.FindAllStringSubmatch(document, -1) {
		variables[m[1]] = IDAt(t, m[2], ask)
	}
	return variables
}

// IDAt returns the id of the record that fields lead to, the first of which is a root field, as in
// the comments of [Let].
func IDAt(t testing.TB, path string, ask func(document string) json.RawMessage) string {
	t.Helper()
	fields := strings.Split(path, " . ")
	selection := "id"
	for i := len(fields) - 1; i >= 0; i-- {
		fields[i] = strings.TrimSpace(fields[i])
		selection = fmt.Sprintf("record: %s { %s }", letStep.FindStringSubmatch(fields[i])[1], selection)
	}
	var found any
	require.NoError(t, json.Unmarshal(ask("{ "+selection+" }"), &found))
	for _, field := range fields {
		found = found.(map[string]any)["record"]
		if n := letStep.FindStringSubmatch(field)[2]; n != "" {
			at, err := strconv.Atoi(n)
			require.NoError(t, err)
			require.Greater(t, len(found.([]any)), at, path)
			found = found.([]any)[at]
		}
		require.NotNil(t, found, path)
	}
	return found.(map[string]any)["id"].(string)
}
