package webhook

import (
	"errors"
	"fmt"
	"time"

	"github.com/faultline-lab/faultline/autoheal/incident"
)

// alert is what the healer reads of one alert. Fields that it does not know are ignored: Alertmanager may add some.
type alert struct {
	Status      string            `json:"status"`
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
	StartsAt    time.Time         `json:"startsAt"`
	EndsAt      time.Time         `json:"endsAt"`
	Fingerprint string            `json:"fingerprint"`
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
