package payments

import (
	"errors"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/faultline-lab/faultline/apps/internal/apierror"
	"github.com/faultline-lab/faultline/apps/internal/jsonhttp"
	"github.com/faultline-lab/faultline/apps/internal/temporary"
)

// errProvider is what goes wrong then: to callers it is any internal error.
var errProvider = errors.New("the provider's backend failed")

// Failing has a share of the payments answered with 500, for a while: a provider's bad day, to be had on demand. It ends by
// itself. It has no metric of its own: what it does is seen in the answers, and that somebody asked for it is nobody's
// business who has to find out what is wrong.
type Failing struct {
	share *temporary.Setting[float64]
}

// NewFailing makes one whose share is 0.
func NewFailing() *Failing { return &Failing{share: temporary.New[float64](0)} }

// strikes says whether the next payment fails.
func (f *Failing) strikes() bool { return rand.Float64() < f.share.View().Now }

// errorsBody is the request and the answer; until is the answer's only, for the request's only.
type errorsBody struct {
	Share *float64   `json:"share"`
	For   string     `json:"for,omitempty"`
	Until *time.Time `json:"until,omitempty"`
}

func (f *Failing) show(w http.ResponseWriter, _ *http.Request) {
	view := f.share.View()
	body := errorsBody{Share: &view.Now}
	if !view.Until.IsZero() {
		body.Until = new(view.Until.UTC())
	}
	jsonhttp.Write(w, http.StatusOK, body)
}

func (f *Failing) change(w http.ResponseWriter, r *http.Request) {
	var body errorsBody
	err := jsonhttp.Read(r, &body)
	if err == nil {
		err = f.apply(body)
	}
	if err != nil {
		apierror.Write(w, err)
		return
	}
	f.show(w, r)
}

func (f *Failing) apply(body errorsBody) error {
	if body.Share == nil {
		return apierror.New(apierror.BadRequest, `send {"share": 1, "for": "60s"}, or {"share": 0} to end it`)
	}
	if !(*body.Share >= 0 && *body.Share <= 1) {
		return apierror.New(apierror.Unprocessable, "share is %v; give 0 to 1", *body.Share)
	}
	if *body.Share == 0 {
		f.share.Set(0)
		return nil
	}
	period, err := temporary.Period(body.For)
	if err != nil {
		return err
	}
	f.share.SetFor(*body.Share, period)
	return nil
}
