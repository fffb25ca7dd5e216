package smallshop

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/faultline-lab/faultline/chaos/control"
	"github.com/faultline-lab/faultline/chaos/sli"
)

// turn gives the next replica, round robin.
func (s *Shop) turn() (*replica, bool) {
	s.Lock()
	defer s.Unlock()
	s.next++
	return s.replicas[s.next%len(s.replicas)], s.Mended
}

// heard notes the traceparent with which a path was called last.
func (s *Shop) heard(path string, r *http.Request) {
	s.Lock()
	defer s.Unlock()
	s.traceParents[path] = r.Header.Get("traceparent")
}

// TraceParent is that of the last call of /checkout or /restart; empty where it had none.
func (s *Shop) TraceParent(path string) string {
	s.Lock()
	defer s.Unlock()
	return s.traceParents[path]
}

func (s *Shop) storefront() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /checkout", func(w http.ResponseWriter, r *http.Request) {
		var order struct {
			Coupon string `json:"coupon"`
		}
		if err := json.NewDecoder(r.Body).Decode(&order); err != nil || r.Header.Get("Idempotency-Key") == "" {
			answer(w, http.StatusBadRequest, failure("bad_request", "no such order"))
			return
		}
		if order.Coupon != "" { // an order of the experiment, not of a customer
			s.heard("/checkout", r)
		}
		replica, mended := s.turn()
		err := replica.order(r.Context(), time.Millisecond, order.Coupon != "", mended)
		s.note(order.Coupon != "" && !mended)
		switch {
		case errors.Is(err, errUnavailable):
			answer(w, http.StatusServiceUnavailable, failure("unavailable", "no connection within 0.4 s"))
		case err != nil:
			answer(w, http.StatusInternalServerError, failure("internal", err.Error()))
		case order.Coupon != "":
			answer(w, http.StatusUnprocessableEntity, failure("unprocessable", "coupon "+order.Coupon+" has expired; order without it"))
		default:
			answer(w, http.StatusCreated, map[string]any{"order_id": "o-1", "status": "confirmed", "total_cents": 100})
		}
	})
	return mux
}

func (s *Shop) control() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/workloads", func(w http.ResponseWriter, _ *http.Request) {
		s.Lock()
		defer s.Unlock()
		orders := control.Workload{Name: s.Workload(), Desired: len(s.replicas), Max: 8}
		for _, r := range s.replicas {
			orders.Replicas = append(orders.Replicas, control.Replica{ID: r.id, StartID: r.startID, State: control.Ready})
		}
		answer(w, http.StatusOK, map[string]any{"workloads": []control.Workload{orders}})
	})
	mux.HandleFunc("POST /v1/workloads/{w}/replicas/{id}/restart", func(w http.ResponseWriter, r *http.Request) {
		s.heard("/restart", r)
		var body struct {
			StartID string `json:"start_id"`
		}
		switch err := json.NewDecoder(r.Body).Decode(&body); {
		case r.Header.Get("Authorization") != "Bearer "+token:
			answer(w, http.StatusUnauthorized, failure("unauthorized", "wrong token"))
		case err != nil:
			answer(w, http.StatusBadRequest, failure("bad_request", err.Error()))
		case !s.restart(r.PathValue("id"), body.StartID):
			answer(w, http.StatusConflict, failure("conflict", "it has another start id"))
		default:
			w.WriteHeader(http.StatusAccepted)
		}
	})
	return mux
}

func (s *Shop) restart(id, startID string) bool {
	s.Lock()
	defer s.Unlock()
	at := slices.IndexFunc(s.replicas, func(r *replica) bool { return r.id == id && r.startID == startID })
	if at < 0 {
		return false
	}
	fresh, err := startReplica(context.Background(), s.database, s.Workload(), id)
	if err != nil {
		return false
	}
	s.replicas[at].end()
	s.replicas[at] = fresh
	s.restarts = append(s.restarts, id)
	return true
}

// Heal restarts a replica as a healer would, beside whatever chaos does.
func (s *Shop) Heal(n int) bool {
	s.Lock()
	id, startID := s.replicas[n].id, s.replicas[n].startID
	s.Unlock()
	return s.restart(id, startID)
}

// Restarts lists the replicas that were restarted, in order.
func (s *Shop) Restarts() []string {
	s.Lock()
	defer s.Unlock()
	return slices.Clone(s.restarts)
}

// Leaks is the number of connections that are held for nothing.
func (s *Shop) Leaks() int {
	s.Lock()
	defer s.Unlock()
	n := 0
	for _, r := range s.replicas {
		n += r.leaks()
	}
	return n
}

// prometheus answers instant queries from the Metrics switch.
func (s *Shop) prometheus() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, "/api/v1/query") {
			http.NotFound(w, r)
			return
		}
		s.Lock()
		values := s.Metrics[r.FormValue("query")]
		s.Unlock()
		result := []any{}
		for n, value := range values {
			result = append(result, map[string]any{
				"metric": map[string]string{"n": fmt.Sprint(n)},
				"value":  []any{float64(time.Now().Unix()), fmt.Sprint(value)},
			})
		}
		answer(w, http.StatusOK, map[string]any{
			"status": "success", "data": map[string]any{"resultType": "vector", "result": result},
		})
	})
}

func (s *Shop) loadgen() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/rate", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, s.rates.show()) })
	mux.HandleFunc("PUT /v1/rate", s.rates.change)
	mux.HandleFunc("GET /v1/sli", func(w http.ResponseWriter, r *http.Request) {
		since, err := time.Parse(time.RFC3339Nano, r.FormValue("since"))
		if err != nil {
			answer(w, http.StatusBadRequest, failure("bad_request", err.Error()))
			return
		}
		lines := json.NewEncoder(w)
		for {
			s.Lock()
			seconds := slices.Clone(s.seconds)
			s.Unlock()
			for _, second := range seconds {
				if second.Second.Before(since) {
					continue
				}
				if lines.Encode(second) != nil {
					return
				}
				since = second.Second.Add(time.Second)
			}
			_ = http.NewResponseController(w).Flush()
			if r.FormValue("follow") != "true" {
				return
			}
			select {
			case <-r.Context().Done():
				return
			case <-time.After(20 * time.Millisecond):
			}
		}
	})
	return mux
}

// customers keep every connection of every replica in use, each for moments, so that none is idle for long unless it
// is held.
func (s *Shop) customers(ctx context.Context) {
	for ctx.Err() == nil {
		replica, _ := s.turn()
		done := make(chan struct{}, PoolMax)
		for range PoolMax {
			go func() {
				_ = replica.order(ctx, 2*time.Millisecond, false, false)
				done <- struct{}{}
			}()
		}
		for range PoolMax {
			<-done
		}
	}
}

// note marks the present second as bad when an order was placed that leaks.
func (s *Shop) note(leaks bool) {
	s.Lock()
	defer s.Unlock()
	s.hurt = s.hurt || leaks
}

// past adds ten good seconds, and gives the one that goes on.
func (s *Shop) past() time.Time {
	now := time.Now().Truncate(time.Second).UTC()
	for n := -10; n < 0; n++ {
		s.addSecond(now.Add(time.Duration(n)*time.Second), true)
	}
	return now
}

// clock adds a second whenever one is over: good when nothing was held in it.
func (s *Shop) clock(ctx context.Context, begun time.Time) {
	for second := begun; ; second = second.Add(time.Second) {
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Until(second.Add(time.Second))):
			held := s.Leaks() > 0
			s.Lock()
			hurt := s.hurt
			s.hurt = false
			s.Unlock()
			s.addSecond(second, !held && !hurt)
		}
	}
}

func (s *Shop) addSecond(at time.Time, ok bool) {
	second := sli.Second{Second: at, Sent: 40, OK: ok, FailedTraceIDs: []string{}}
	if ok {
		second.Good = 40
	} else {
		second.Failed = 40
	}
	s.Lock()
	defer s.Unlock()
	s.seconds = append(s.seconds, second)
}

func failure(code, message string) any {
	return map[string]any{"error": map[string]string{"code": code, "message": message}}
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}
