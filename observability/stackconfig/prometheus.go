package stackconfig

import (
	"errors"
	"regexp"
	"strings"
	"time"

	"github.com/prometheus/common/model"
)

// PrometheusParams are what differs between one Prometheus and another.
type PrometheusParams struct {
	// Interval is both scrape and evaluation interval of our services and rules; 0 means 1 s.
	Interval time.Duration
	// DiscoveryURL is the http_sd document that lists the services, with the labels job, instance and version; empty
	// for none.
	DiscoveryURL string
	// DiscoveryInterval is how often the document is read; 0 means 1 s.
	DiscoveryInterval time.Duration
	// Kubernetes finds the services as pods instead; nil where they are no pods.
	Kubernetes *KubernetesDiscovery
	// RuleFiles are paths or globs.
	RuleFiles []string
	// AlertmanagerAddress is host:port; empty for none.
	AlertmanagerAddress string
	// StackTargets are the stack's own programs, scraped every StackInterval (0 means 15 s).
	StackTargets  []StackTarget
	StackInterval time.Duration
	// MaxExemplars is the size of the exemplar ring, shared by all series; 0 means DefaultMaxExemplars.
	MaxExemplars int
}

// DefaultMaxExemplars keeps exemplars for more than a quarter of an hour of a demo: scraped every second under 40 checkouts a
// second, our histograms bring 100 new ones a second, and more when things fail and more buckets are hit. It is about 20 MB.
const DefaultMaxExemplars = 150_000

// KubernetesDiscovery finds our services' pods, with the same labels job, instance and version as the http_sd document
// gives (docs/contracts.md, "On Kubernetes"). Prometheus must be allowed to get, list and watch the namespace's pods.
type KubernetesDiscovery struct {
	// Namespace is where the pods are; empty for the one that Prometheus itself runs in.
	Namespace string
}

// StackTarget is one of the stack's own programs.
type StackTarget struct {
	Job     string
	Address string // host:port
	Path    string // empty means /metrics
}

// StackMetrics are the metrics kept of the stack's own programs, as a regular expression.
const StackMetrics = "up|process_resident_memory_bytes|process_cpu_seconds_total|go_goroutines" +
	"|prometheus_(rule_evaluation_failures_total|rule_group_iterations_missed_total|notifications_dropped_total" +
	"|notifications_errors_total|tsdb_head_series)" +
	"|alertmanager_(alerts|notifications_total|notifications_failed_total|alerts_received_total)" +
	"|loki_(distributor_lines_received_total|discarded_samples_total|ingester_memory_streams)" +
	"|otelcol_(process_memory_rss_bytes|process_cpu_seconds_total|receiver_accepted_spans_total|receiver_refused_spans_total)"

func (p PrometheusParams) defaults() (PrometheusParams, error) {
	if p.Interval == 0 {
		p.Interval = time.Second
	}
	if p.DiscoveryInterval == 0 {
		p.DiscoveryInterval = time.Second
	}
	if p.StackInterval == 0 {
		p.StackInterval = 15 * time.Second
	}
	if p.MaxExemplars == 0 {
		p.MaxExemplars = DefaultMaxExemplars
	}
	if p.Kubernetes != nil && p.DiscoveryURL != "" {
		return p, errors.New("stackconfig: Prometheus: DiscoveryURL and Kubernetes together would find each service twice")
	}
	if p.Interval < 0 || p.DiscoveryInterval < 0 || p.StackInterval < 0 || p.MaxExemplars < 0 {
		return p, errors.New("stackconfig: Prometheus: an interval or MaxExemplars is negative")
	}
	targets := make([]StackTarget, len(p.StackTargets))
	for i, target := range p.StackTargets {
		if target.Job == "" || target.Address == "" {
			return p, errors.New("stackconfig: Prometheus: a stack target needs a Job and an Address")
		}
		if target.Path == "" {
			target.Path = "/metrics"
		}
		targets[i] = target
	}
	p.StackTargets = targets
	return p, nil
}

// Prometheus renders prometheus.yml.
func Prometheus(params PrometheusParams) ([]byte, error) {
	p, err := params.defaults()
	if err != nil {
		return nil, err
	}
	return render("prometheus.yml.tmpl", map[string]any{
		"Interval":            model.Duration(p.Interval),
		"DiscoveryURL":        p.DiscoveryURL,
		"DiscoveryInterval":   model.Duration(p.DiscoveryInterval),
		"Kubernetes":          p.Kubernetes,
		"StackJobs":           p.stackJobs(),
		"RuleFiles":           p.RuleFiles,
		"AlertmanagerAddress": p.AlertmanagerAddress,
		"StackTargets":        p.StackTargets,
		"StackInterval":       model.Duration(p.StackInterval),
		"StackTimeout":        model.Duration(min(p.StackInterval, 5*time.Second)),
		"StackMetrics":        StackMetrics,
		"MaxExemplars":        p.MaxExemplars,
	})
}

// stackJobs matches the jobs of the stack's own programs.
func (p PrometheusParams) stackJobs() string {
	jobs := make([]string, len(p.StackTargets))
	for i, target := range p.StackTargets {
		jobs[i] = regexp.QuoteMeta(target.Job)
	}
	return strings.Join(jobs, "|")
}

// PrometheusArgs are the flags of a Prometheus that keeps DefaultRetention on local disk and tells Alertmanager of each
// evaluation. listen is host:port.
func PrometheusArgs(configFile, dataDir, listen string) []string {
	return PrometheusArgsKeeping(DefaultRetention, configFile, dataDir, listen)
}

// PrometheusArgsKeeping are PrometheusArgs with another retention.
func PrometheusArgsKeeping(retention time.Duration, configFile, dataDir, listen string) []string {
	return []string{
		"--config.file=" + configFile,
		"--storage.tsdb.path=" + dataDir,
		"--storage.tsdb.retention.time=" + model.Duration(retention).String(),
		"--web.listen-address=" + listen,
		"--enable-feature=exemplar-storage",
		// Both default to seconds, and both lie on the way from a fault to the webhook.
		"--rules.alert.resend-delay=1s",
		"--scrape.discovery-reload-interval=1s",
		"--query.timeout=10s",
		"--log.level=warn",
	}
}
