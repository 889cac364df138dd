package scalar_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"crmgraph/internal/scalar"
)

func TestDecimalIsTextOnly(t *testing.T) {
	t.Parallel()
	got, err := scalar.UnmarshalDecimal("9007199254740990.999")
	require.NoError(t, err)
	require.Equal(t, "9007199254740990.999", got)
	for _, v := range []any{1.5, int64(1), json.Number("1.5"), true, nil, []any{"1"}} {
		_, err := scalar.UnmarshalDecimal(v)
		require.Error(t, err, "%v", v)
	}
}
