package durion

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"crmgraph/crm"
	"crmgraph/rest"
)

// pagingServer answers what the query of a GET and the body of a POST ask for, and the fields that
// are not as they should be.
func pagingServer(t *testing.T) http.Handler {
	t.Helper()
	store := &crm.Store{Now: time.Now}
	read := func(in func(*rest.Request) *rest.Input) rest.Handler {
		return func(_ context.Context, r *rest.Request) (*rest.Response, error) {
			p := pagingOf(r, in(r), sorting[string]{map[string]string{"id": "NUMBER", "lastName": "LAST_NAME"}, "id", crm.Desc})
			return rest.OK(fmt.Sprintf("page %d of %d by %s %s, whole %t", p.Number, p.Size, p.Field, p.Direction, p.whole)), nil
		}
	}
	return rest.New(rest.Contract{
		Name: "test", MaxBody: 1 << 10, Reserved: func(string) bool { return false },
		Routes: []rest.Route{
			{Method: http.MethodGet, Path: "/list", Permission: crm.PartyView, Handle: read(func(r *rest.Request) *rest.Input { return r.Query })},
			{Method: http.MethodPost, Path: "/list", Permission: crm.PartyView, Handle: read(func(r *rest.Request) *rest.Input { return r.Body })},
		},
		Present: func(_ context.Context, r *rest.Request, err error) *rest.Response {
			var fields []string
			for _, p := range r.Explain(err) {
				fields = append(fields, p.Path)
			}
			return &rest.Response{Status: http.StatusBadRequest, Body: strings.Join(fields, " ")}
		},
	}, rest.Options{
		Store: store, Timeout: time.Minute, CorrelationID: func(context.Context) string { return "" }, Observe: func(context.Context, rest.Call) {},
		Authenticate: func(*http.Request) (*crm.Principal, error) {
			return &crm.Principal{Permissions: crm.Permissions{}.With(crm.PartyView)}, nil
		},
	})
}

func TestPagingReadsQueriesAndBodies(t *testing.T) {
	t.Parallel()
	server := pagingServer(t)
	for _, c := range []struct{ query, body, want string }{
		{"", `{}`, `"page 0 of 20 by NUMBER DESC, whole true"`},
		{"pageNumber=3", `{"pageNumber":3}`, `"page 3 of 20 by NUMBER DESC, whole false"`},
		{"pageSize=7", `{"pageSize":7}`, `"page 0 of 7 by NUMBER DESC, whole false"`},
		{"pageSize=500&pageNumber=2147483647", `{"pageSize":500,"pageNumber":2147483647}`, `"page 2147483647 of 100 by NUMBER DESC, whole false"`},
		{"sortField=lastName", `{"sortField":"lastName"}`, `"page 0 of 20 by LAST_NAME DESC, whole true"`},
		{"sortOrder=ASC", `{"sortOrder":"ASC"}`, `"page 0 of 20 by NUMBER ASC, whole true"`},
		{"pageSize=0", `{"pageSize":0}`, `"pageSize"`},
		{"pageNumber=-1", `{"pageNumber":-1}`, `"pageNumber"`},
		{"pageNumber=x&pageSize=1.5&sortField=name&sortOrder=asc", `{"pageNumber":"x","pageSize":1.5,"sortField":"name","sortOrder":"asc"}`, `"pageNumber pageSize sortField sortOrder"`},
		{"pageNumber=&pageSize=&sortField=&sortOrder=", `{"pageNumber":"1","pageSize":true,"sortField":1,"sortOrder":[]}`, `"pageNumber pageSize sortField sortOrder"`},
	} {
		for _, request := range []*http.Request{
			httptest.NewRequest(http.MethodGet, "/list?"+c.query, nil),
			httptest.NewRequest(http.MethodPost, "/list", strings.NewReader(c.body)),
		} {
			request.Header.Set("Content-Type", "application/json")
			w := httptest.NewRecorder()
			server.ServeHTTP(w, request)
			require.Equal(t, c.want, w.Body.String(), "%s %s", request.Method, request.URL)
		}
	}
}

func TestPagingAnswers(t *testing.T) {
	t.Parallel()
	require.Equal(t, envelope[int]{Results: []int{}, PageSize: 20}, enveloped[int](rest.Page{Size: 20}, nil, 0).Body)
	require.Equal(t, envelope[int]{Results: []int{5}, TotalCount: 150, PageNumber: 1, PageSize: 20, TotalPages: 8},
		enveloped(rest.Page{Number: 1, Size: 20}, []int{5}, 150).Body)
	for _, c := range []struct {
		whole, more bool
		want        http.Header
	}{
		{true, true, http.Header{"X-Total-Count": {"3"}, "X-Result-Truncated": {"true"}}},
		{true, false, http.Header{"X-Total-Count": {"3"}}},
		{false, true, http.Header{"X-Total-Count": {"3"}}},
	} {
		asked := paging[string]{Page: rest.Page{Number: 2, Size: 5}, whole: c.whole}
		require.Equal(t, c.want, bareList(asked, []int{1}, 3, c.more).Header)
		require.Equal(t, []int{}, bareList(asked, []int(nil), 3, c.more).Body)
	}
	require.Equal(t, crm.NewSlice(1000, 0), paging[string]{whole: true}.slice(1000))
	require.Equal(t, crm.NewSlice(5, 10), paging[string]{Page: rest.Page{Number: 2, Size: 5}}.slice(1000))
}
