package bearer_test

import (
	"net/http"
	"testing"

	"github.com/faultline-lab/faultline/autoheal/bearer"
)

func TestOnlyTheWholeTokenOpens(t *testing.T) {
	for _, test := range []struct {
		name, token, header string
		want                bool
	}{
		{"the token", "secret", "Bearer secret", true},
		{"another one", "secret", "Bearer secre", false},
		{"without its scheme", "secret", "secret", false},
		{"another scheme", "secret", "Basic secret", false},
		{"no header", "secret", "", false},
		{"no token is set, and none is sent", "", "Bearer ", false},
		{"no token is set, and no header", "", "", false},
	} {
		r := &http.Request{Header: http.Header{"Authorization": {test.header}}}
		if got := bearer.New(test.token).In(r); got != test.want {
			t.Errorf("%s: %v", test.name, got)
		}
	}
}
