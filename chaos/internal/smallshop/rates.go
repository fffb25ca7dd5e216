package smallshop

import (
	"encoding/json"
	"net/http"
	"sync"
	"time"
)

// rates is the load generator's rate, which may be another one for a time.
type rates struct {
	mu    sync.Mutex
	usual int
	other int
	until time.Time // other holds before this
}

type rateBody struct {
	Rate  int        `json:"checkouts_per_second"`
	For   string     `json:"for,omitempty"`
	Usual int        `json:"usual_checkouts_per_second,omitempty"`
	Until *time.Time `json:"until,omitempty"`
}

func (r *rates) show() rateBody {
	r.mu.Lock()
	defer r.mu.Unlock()
	if time.Now().Before(r.until) {
		return rateBody{Rate: r.other, Usual: r.usual, Until: new(r.until)}
	}
	return rateBody{Rate: r.usual}
}

func (r *rates) change(w http.ResponseWriter, request *http.Request) {
	var body rateBody
	if err := json.NewDecoder(request.Body).Decode(&body); err != nil {
		answer(w, http.StatusBadRequest, failure("bad_request", err.Error()))
		return
	}
	period, err := time.ParseDuration(body.For)
	r.mu.Lock()
	if body.For == "" {
		r.usual, r.until = body.Rate, time.Time{}
	} else if err == nil && period <= 15*time.Minute {
		r.other, r.until = body.Rate, time.Now().Add(period)
	}
	r.mu.Unlock()
	answer(w, http.StatusOK, r.show())
}

// Rate is how many checkouts a second the load generator sends now.
func (s *Shop) Rate() int { return s.rates.show().Rate }
