package remedy

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/faultline-lab/faultline/autoheal/incident"
)

func TestWhatIsNotWantedAnyMoreIsNotAskedForAgainAlsoWhereNobodyCanTellWhetherItHappened(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		requests := 0
		effect := asking{
			Application: Application{
				Timeout: 5 * time.Second,
				Recheck: func(context.Context) (string, error) { return "the picture has become unknown", nil },
			},
			there:   func(context.Context) (bool, error) { return false, errors.New("no look succeeds") },
			request: func(context.Context) error { requests++; return errLost },
		}.result(t.Context(), "the change")
		if requests != 1 {
			t.Errorf("asked %d times; want once, since then it was not wanted any more", requests)
		}
		if effect == nil || effect.Result != incident.ResultFailed || !strings.Contains(effect.Detail, "may have been asked for") {
			t.Errorf("the result is %+v; want a failure that says that it may have happened", effect)
		}
	})
}
