package bot

import (
	"encoding/json"
	"net/http"
	"time"
)

// alert is what a bot reads of one alert of Alertmanager's webhook.
type alert struct {
	Status      string            `json:"status"`
	Labels      map[string]string `json:"labels"`
	StartsAt    time.Time         `json:"startsAt"`
	Fingerprint string            `json:"fingerprint"`
}

// largestPayload bounds what is read of one webhook.
const largestPayload = 8 << 20

func (b *Bot) handler(token string) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /webhook/alertmanager", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+token {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		var payload struct {
			Alerts []alert `json:"alerts"`
		}
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, largestPayload)).Decode(&payload); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		b.take(payload.Alerts, time.Now().UTC())
		w.WriteHeader(http.StatusAccepted)
	})
	return mux
}

// take notes which alerts fire. One that fires still is no news: it is answered again when it is due.
func (b *Bot) take(alerts []alert, at time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.received == nil {
		b.received = &at
	}
	for _, a := range alerts {
		known := b.firing[a.Fingerprint]
		switch {
		case a.Status != "firing" && known != nil && !a.StartsAt.Before(known.alert.StartsAt):
			delete(b.firing, a.Fingerprint)
		case a.Status == "firing" && (known == nil || a.StartsAt.After(known.alert.StartsAt)):
			b.firing[a.Fingerprint] = &standing{alert: a}
		}
	}
}
