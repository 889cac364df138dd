package resolvers_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// Whether organisations have anyone is asked once for all of them.
func TestActiveContactsAreLoadedTogether(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, n := range []int{2, 50} {
		got := b.admin(t, fmt.Sprintf(`{ parties(first: %d, where: {kind: {eq: ORGANIZATION}}) { nodes { hasActiveContact } } }`, n), nil)
		require.Empty(t, got.Errors)
		require.Equal(t, 2, got.Statements)
		require.Contains(t, string(got.Data), "true")
	}
}
