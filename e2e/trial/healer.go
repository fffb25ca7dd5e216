package trial

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/faultline-lab/faultline/autoheal/incident"
)

// healerClient reads autoheal's incidents over its API.
type healerClient struct {
	baseURL string
	http    *http.Client
}

// incidents returns the records of all incidents since a time, newest first.
func (h healerClient) incidents(ctx context.Context, since time.Time) ([]incident.Incident, error) {
	address := h.baseURL + "/api/v1/incidents?since=" + url.QueryEscape(since.UTC().Format(time.RFC3339Nano))
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	response, err := h.http.Do(request)
	if err != nil {
		return nil, fmt.Errorf("autoheal does not answer: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("autoheal answered %s to %s", response.Status, address)
	}
	var list struct {
		Incidents []incident.Incident `json:"incidents"`
	}
	if err := json.NewDecoder(response.Body).Decode(&list); err != nil {
		return nil, fmt.Errorf("autoheal's incidents: %w", err)
	}
	return list.Incidents, nil
}
