package notify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/faultline-lab/faultline/autoheal/incident"
	"github.com/faultline-lab/faultline/autoheal/store"
)

// annotation is Grafana's POST /api/annotations; times are in milliseconds since 1970.
type annotation struct {
	Time    int64    `json:"time"`
	TimeEnd int64    `json:"timeEnd,omitempty"`
	Tags    []string `json:"tags"`
	Text    string   `json:"text"`
}

// annotate writes what a dashboard shows: a line for what happened at a moment, and a region, from the first alert on, for
// the end of an incident. Grafana knows no idempotency key, so a tag tells one notice from another that came twice.
func annotate(tags []string) writer {
	return func(ctx context.Context, n incident.Notice, from Incidents) ([]byte, error) {
		a := annotation{Time: n.At.UnixMilli(), Text: n.Text}
		a.Tags = append(append(a.Tags, tags...), string(n.Kind), fmt.Sprintf("notice-%d", n.Seq))
		for _, tag := range []string{n.Workload, string(n.Cause), n.IncidentID} {
			if tag != "" {
				a.Tags = append(a.Tags, tag)
			}
		}
		began, err := beginning(ctx, n, from)
		if err != nil {
			return nil, err
		}
		if !began.IsZero() {
			a.Time, a.TimeEnd = began.UnixMilli(), n.At.UnixMilli()
		}
		return json.Marshal(a)
	}
}

// beginning is when the incident began that a notice tells the end of; zero for other notices.
func beginning(ctx context.Context, n incident.Notice, from Incidents) (time.Time, error) {
	if n.Kind != incident.NoticeRecovered && n.Kind != incident.NoticeHanded {
		return time.Time{}, nil
	}
	in, err := from.Get(ctx, n.IncidentID)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return time.Time{}, nil
	case err != nil:
		return time.Time{}, err
	case in.Stages.AlertStartsAt != nil && in.Stages.AlertStartsAt.Before(n.At):
		return *in.Stages.AlertStartsAt, nil
	}
	return time.Time{}, nil
}
