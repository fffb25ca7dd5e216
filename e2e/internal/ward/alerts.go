package ward

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/faultline-lab/faultline/e2e/internal/looptest"
	"github.com/faultline-lab/faultline/observability/endpoints"
)

// Alert is one of Alertmanager's webhook data.
type Alert struct {
	Status      string            `json:"status"`
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
	StartsAt    time.Time         `json:"startsAt"`
	EndsAt      time.Time         `json:"endsAt,omitzero"`
	Fingerprint string            `json:"fingerprint"`
}

// Pages are the alerts that Alertmanager would tell the healer of now.
func (w *Ward) Pages(ctx context.Context) ([]Alert, error) {
	var all []struct {
		Alert
		Status struct {
			State string `json:"state"`
		} `json:"status"`
	}
	if err := looptest.GetJSON(ctx, w.Stack.Endpoints.Alertmanager+"/api/v2/alerts?active=true", &all); err != nil {
		return nil, err
	}
	var pages []Alert
	for _, one := range all {
		if one.Labels["severity"] == "page" {
			one.Alert.Status = "firing"
			pages = append(pages, one.Alert)
		}
	}
	return pages, nil
}

const (
	// quietBound is how long the pages of an earlier test may take to end.
	quietBound = 90 * time.Second
	// quietFor is some of Alertmanager's group intervals.
	quietFor = 3 * time.Second
)

// Quiet waits until no page fires: the next healer would take those of the past for its first incident. It waits until Alertmanager has
// told the healer so as well: an alert that fires again before that is the same one to it, and not told again for minutes.
func (w *Ward) Quiet(t *testing.T) {
	t.Helper()
	since := time.Now()
	w.Await(t, "every page to end, and the healer to be told", quietBound, func() error {
		pages, err := w.Pages(t.Context())
		if err == nil && len(pages) > 0 {
			err = fmt.Errorf("%d still fire, the first is %s", len(pages), pages[0].Labels["alertname"])
		}
		if err != nil {
			since = time.Now()
			return err
		}
		if quiet := time.Since(since); quiet < quietFor {
			return fmt.Errorf("none fires for %s only", quiet.Round(time.Millisecond))
		}
		return nil
	})
}

// Post sends alerts to the healer as Alertmanager does, and returns the status of the answer.
func (w *Ward) Post(t *testing.T, url string, alerts ...Alert) (status int, err error) {
	t.Helper()
	token, err := endpoints.Token(w.Stack.WebhookTokenFile)
	if err != nil {
		t.Fatal(err)
	}
	body, err := json.Marshal(map[string]any{"version": "4", "groupKey": "{}:{}", "truncatedAlerts": 0, "alerts": alerts})
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/webhook/alertmanager", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := (&http.Client{Timeout: 30 * time.Second}).Do(request)
	if err != nil {
		return 0, err
	}
	defer func() { _ = response.Body.Close() }()
	return response.StatusCode, nil
}

// MustPost is Post that must be acknowledged.
func (w *Ward) MustPost(t *testing.T, alerts ...Alert) {
	t.Helper()
	status, err := w.Post(t, w.Stack.Endpoints.Autoheal, alerts...)
	if err != nil || status/100 != 2 {
		t.Fatal(fmt.Errorf("the healer answered %d to %d alerts: %w", status, len(alerts), err))
	}
}
