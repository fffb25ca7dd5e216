package webhook

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/store"
)

// payload is what the healer reads of Alertmanager's webhook data, version 4. Fields that it does not know are ignored:
// Alertmanager may add some.
type payload struct {
	Version         string  `json:"version"`
	GroupKey        string  `json:"groupKey"`
	TruncatedAlerts int     `json:"truncatedAlerts"`
	Alerts          []alert `json:"alerts"`
}

type alert struct {
	Status      string            `json:"status"`
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
	StartsAt    time.Time         `json:"startsAt"`
	EndsAt      time.Time         `json:"endsAt"`
	Fingerprint string            `json:"fingerprint"`
}

// parse turns a body into a delivery. The error's text is fit for the sender.
func parse(body []byte, at time.Time) (store.Delivery, error) {
	var p payload
	if err := json.Unmarshal(body, &p); err != nil {
		return store.Delivery{}, fmt.Errorf("the body is no JSON of Alertmanager's webhook: %w", err)
	}
	if p.Version != "4" {
		return store.Delivery{}, fmt.Errorf("the payload's version is %q; this healer reads Alertmanager's version \"4\"", p.Version)
	}
	if p.TruncatedAlerts < 0 {
		return store.Delivery{}, fmt.Errorf("truncatedAlerts is %d; it cannot be negative", p.TruncatedAlerts)
	}
	if len(p.Alerts) == 0 {
		return store.Delivery{}, errors.New("the payload has no alerts")
	}
	d := store.Delivery{ReceivedAt: at, GroupKey: p.GroupKey, Truncated: p.TruncatedAlerts}
	for i, a := range p.Alerts {
		checked, err := a.check(at)
		if err != nil {
			return store.Delivery{}, fmt.Errorf("alerts[%d]: %w", i, err)
		}
		d.Alerts = append(d.Alerts, checked)
	}
	return d, nil
}

func (a alert) check(at time.Time) (incident.Alert, error) {
	switch {
	case a.Fingerprint == "":
		return incident.Alert{}, errors.New("the fingerprint is missing")
	case a.StartsAt.IsZero():
		return incident.Alert{}, errors.New("startsAt is missing")
	case !storable(a.StartsAt):
		return incident.Alert{}, errors.New("startsAt is outside the years 1 to 9999")
	case !a.EndsAt.IsZero() && !storable(a.EndsAt):
		return incident.Alert{}, errors.New("endsAt is outside the years 1 to 9999")
	case a.Status != "firing" && a.Status != "resolved":
		return incident.Alert{}, fmt.Errorf("the status is %q; it must be firing or resolved", a.Status)
	}
	checked := incident.Alert{
		Fingerprint: a.Fingerprint, StartsAt: a.StartsAt.UTC(), Status: a.Status,
		Labels: a.Labels, Annotations: a.Annotations, ReceivedAt: at,
	}
	if a.Status == "resolved" && !a.EndsAt.IsZero() {
		ends := a.EndsAt.UTC()
		checked.EndsAt = &ends
	}
	return checked, nil
}

// storable says whether a time can be written and read again: its year has four digits in UTC, whatever its own zone says.
func storable(t time.Time) bool {
	year := t.UTC().Year()
	return year >= 1 && year <= 9999
}
