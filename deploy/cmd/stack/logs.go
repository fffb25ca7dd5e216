package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/faultline-lab/faultline/deploy/local/folders"
	"github.com/faultline-lab/faultline/observability/command"
	"github.com/faultline-lab/faultline/observability/endpoints"
)

// logsCmd is `stack logs`.
type logsCmd struct {
	Name   string `arg:"" help:"The process: orders-1, postgres, loki ... or supervisor, guard, up."`
	Follow bool   `short:"f" help:"Go on until Ctrl-C."`
}

// Run is called by kong. It works on the logs of a stack that has ended as well.
func (c *logsCmd) Run(ctx context.Context, flags *cli, out command.Output) error {
	paths, err := flags.folders()
	if err != nil {
		return err
	}
	// The files here are then of an earlier local run.
	if running, err := endpoints.Read(paths.Stack); err == nil && running.Target == endpoints.Kind && running.Kubernetes != nil {
		at := running.Kubernetes
		return fmt.Errorf("the stack of this checkout runs on kind, where the cluster has the logs: "+
			"kubectl --kubeconfig=%s -n %s logs deployment/NAME --all-pods --prefix", at.Kubeconfig, at.Namespace)
	}
	path, err := logFile(paths, c.Name)
	if err != nil {
		return err
	}
	log, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	for {
		if _, err := io.Copy(out.Out, log); err != nil || !c.Follow {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(look):
		}
	}
}

// available says which logs there are.
func available(paths folders.Folders) string {
	logs, err := filepath.Glob(filepath.Join(paths.Logs, "*.log"))
	if err != nil || len(logs) == 0 {
		return "nothing has run here yet"
	}
	var names []string
	for _, log := range logs {
		names = append(names, strings.TrimSuffix(filepath.Base(log), ".log"))
	}
	return fmt.Sprintf("there are %s", strings.Join(names, ", "))
}
