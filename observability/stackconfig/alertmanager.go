package stackconfig

import (
	"errors"
	"time"

	"github.com/prometheus/common/model"
)

// AlertmanagerParams are what differs between one Alertmanager and another.
type AlertmanagerParams struct {
	// WebhookURL is required: where the healer takes alerts.
	WebhookURL string
	// WebhookTokenFile holds the bearer token; Alertmanager reads it at each notification. Empty for no token.
	WebhookTokenFile string
	// GroupInterval is the least time between two notifications of one workload; 0 means 1 s.
	GroupInterval time.Duration
	// RepeatInterval is how long a still-firing alert stays unmentioned; 0 means 5 min.
	RepeatInterval time.Duration
}

// Alertmanager renders alertmanager.yml. Alerts of severity "ticket" are kept from the healer: they burn for days or are
// about the healer itself, want a person in working hours, and are found in Alertmanager.
func Alertmanager(p AlertmanagerParams) ([]byte, error) {
	if p.WebhookURL == "" {
		return nil, errors.New("stackconfig: Alertmanager: WebhookURL is required: alerts must go to somebody")
	}
	if p.GroupInterval == 0 {
		p.GroupInterval = time.Second
	}
	if p.RepeatInterval == 0 {
		p.RepeatInterval = 5 * time.Minute
	}
	if p.GroupInterval < 0 || p.RepeatInterval < p.GroupInterval {
		return nil, errors.New("stackconfig: Alertmanager: RepeatInterval must be at least GroupInterval, and neither negative")
	}
	return render("alertmanager.yml.tmpl", map[string]any{
		"WebhookURL":       p.WebhookURL,
		"WebhookTokenFile": p.WebhookTokenFile,
		"GroupInterval":    model.Duration(p.GroupInterval),
		"RepeatInterval":   model.Duration(p.RepeatInterval),
	})
}

// AlertmanagerArgs are the flags of a single Alertmanager that remembers for DefaultRetention. listen is host:port.
func AlertmanagerArgs(configFile, dataDir, listen string) []string {
	return AlertmanagerArgsKeeping(DefaultRetention, configFile, dataDir, listen)
}

// AlertmanagerArgsKeeping are AlertmanagerArgs with another retention, which is that of silences and of what was notified.
func AlertmanagerArgsKeeping(retention time.Duration, configFile, dataDir, listen string) []string {
	return []string{
		"--config.file=" + configFile,
		"--storage.path=" + dataDir,
		"--web.listen-address=" + listen,
		"--cluster.listen-address=", // one of a kind: no gossip, no port for it
		"--data.retention=" + retention.String(),
		"--log.level=warn",
	}
}
