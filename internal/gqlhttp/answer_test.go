package gqlhttp

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestBuffers(t *testing.T) {
	t.Parallel()
	h := &handler{}
	for range 1000 {
		buf := h.borrow()
		require.Zero(t, buf.Len())
		require.LessOrEqual(t, buf.Cap(), maxPooled, "a large buffer stayed in the pool")
		buf.Grow(maxPooled + 1)
		buf.WriteString("left over")
		h.giveBack(buf)
	}
}
