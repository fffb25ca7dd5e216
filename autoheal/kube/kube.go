package kube

import (
	"context"
	"errors"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/record"
)

// Config holds what a control needs.
type Config struct {
	// Namespace is the only one that is looked at.
	Namespace string
	Client    kubernetes.Interface
	// Recorder takes events about what is done; none by default. Recording must not block.
	Recorder record.EventRecorder
	// Timeout bounds each call of the API server; 2 s by default.
	Timeout time.Duration
}

// Control lists and changes workloads. It is safe for concurrent use.
type Control struct{ cfg Config }

// New makes a control.
func New(cfg Config) (*Control, error) {
	if cfg.Namespace == "" {
		return nil, errors.New("kube: the namespace is missing: give --kubernetes-namespace (an empty one would mean all)")
	}
	if cfg.Client == nil {
		return nil, errors.New("kube: no client of the API server was given")
	}
	if cfg.Recorder == nil {
		cfg.Recorder = discard{}
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = 2 * time.Second
	}
	return &Control{cfg}, nil
}

// bounded bounds one call.
func (c *Control) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, c.cfg.Timeout)
}
