// Package endpoints reads and writes the file that says where the parts of a running stack answer
// (docs/contracts.md, "Files").
package endpoints

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// DefaultFile is where the local supervisor puts the file, relative to the root of the checkout.
const DefaultFile = ".faultline/run/stack.json"

// ErrNotRunning says that there is no such file: no stack runs here.
var ErrNotRunning = errors.New("no stack is running here: start one with `make up`")

// Stack is where the parts of one running stack answer. All URLs are without a trailing slash.
type Stack struct {
	Target    string    `json:"target"` // local, kind
	PID       int       `json:"pid,omitempty"`
	StartedAt time.Time `json:"started_at"`

	Endpoints        Endpoints         `json:"endpoints"`
	DatabaseURLs     map[string]string `json:"database_urls,omitempty"`
	ControlTokenFile string            `json:"control_token_file,omitempty"`
	WebhookTokenFile string            `json:"webhook_token_file,omitempty"`
	// EdgeControlTokenFile is for Endpoints.EdgeControl.
	EdgeControlTokenFile string `json:"edge_control_token_file,omitempty"`
	// APITokenFile is for what people tell the healer: approve, deny, pause, resume.
	APITokenFile string `json:"api_token_file,omitempty"`

	// Kubernetes is where the stack runs, for whoever restarts or scales it; nil where it runs as local processes.
	Kubernetes *Kubernetes `json:"kubernetes,omitempty"`
}

// The targets.
const (
	Local = "local"
	Kind  = "kind"
)

// Kubernetes is one namespace of one cluster.
type Kubernetes struct {
	Kubeconfig string `json:"kubeconfig"` // absolute path
	Context    string `json:"context"`
	Namespace  string `json:"namespace"`
}

// Endpoints are base URLs.
type Endpoints struct {
	Storefront   string `json:"storefront"`
	Autoheal     string `json:"autoheal"`
	Control      string `json:"control,omitempty"`
	EdgeControl  string `json:"edge_control,omitempty"` // where storefront is told its mode and weights
	Prometheus   string `json:"prometheus"`
	Alertmanager string `json:"alertmanager"`
	Loki         string `json:"loki"`
	Jaeger       string `json:"jaeger"`
	Loadgen      string `json:"loadgen"`
	Toxiproxy    string `json:"toxiproxy,omitempty"`
	OTLP         string `json:"otlp,omitempty"`    // takes traces over HTTP, below /v1/traces
	Grafana      string `json:"grafana,omitempty"` // where one runs
}

// Read reads the file. It returns ErrNotRunning when there is none.
func Read(path string) (Stack, error) {
	var stack Stack
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return stack, fmt.Errorf("%s: %w", path, ErrNotRunning)
	}
	if err != nil {
		return stack, err
	}
	if err := json.Unmarshal(data, &stack); err != nil {
		return stack, fmt.Errorf("%s: %w", path, err)
	}
	return stack, nil
}

// Write replaces the file in one step, so that a reader never sees half of it. It is readable by its owner only: the
// database URLs carry passwords.
func Write(path string, stack Stack) error {
	data, err := json.MarshalIndent(stack, "", "  ")
	if err != nil {
		return err
	}
	next := filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".new")
	if err := os.WriteFile(next, append(data, '\n'), 0o600); err != nil {
		return err
	}
	return os.Rename(next, path)
}

// Token reads a bearer token from its file.
func Token(path string) (string, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	return strings.TrimSpace(string(data)), nil
}
