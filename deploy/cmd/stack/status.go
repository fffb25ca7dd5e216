package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/faultline-lab/faultline/deploy/local/hostproc"
	"github.com/faultline-lab/faultline/deploy/local/supervisor"
	"github.com/faultline-lab/faultline/observability/command"
	"github.com/faultline-lab/faultline/observability/endpoints"
)

// statusCmd is `stack status`.
type statusCmd struct {
	Memory bool `help:"With the memory of each process: its proportional set size, in which shared pages count once (Linux)."`
	JSON   bool `help:"As JSON."`
}

// status is what the command shows; its JSON form is for scripts.
type status struct {
	Stack     endpoints.Stack           `json:"stack"`
	Processes []supervisor.ProcessView  `json:"processes"`
	Workloads []supervisor.WorkloadView `json:"workloads"`
	Memory    []supervisor.MemoryView   `json:"memory,omitempty"`
	pss       map[string]int64
}

// Run is called by kong. It fails when nothing runs.
func (c *statusCmd) Run(ctx context.Context, flags *cli, out command.Output) error {
	paths, err := flags.folders()
	if err != nil {
		return err
	}
	running, err := connect(paths)
	if errors.Is(err, errOnKind) {
		return (&kindStatusCmd{JSON: c.JSON}).Run(ctx, flags, out)
	}
	if err != nil {
		return err
	}
	now := status{Stack: running.stack}
	var workloads struct{ Workloads []supervisor.WorkloadView }
	if err := errors.Join(running.get(ctx, "/v1/processes", &now.Processes), running.get(ctx, "/v1/workloads", &workloads)); err != nil {
		return err
	}
	now.Workloads = workloads.Workloads
	if c.Memory {
		// Where the system has no such figure, the rest is shown without it.
		if err := now.readMemory(ctx, running); err != nil {
			fmt.Fprintf(out.Err, "memory is unknown: %v\n", err)
		}
	}
	if c.JSON {
		// The passwords in the URLs are for programs that read stack.json, not for a screen or a log of a build.
		now.Stack.DatabaseURLs = nil
		encoder := json.NewEncoder(out.Out)
		encoder.SetIndent("", "  ")
		return encoder.Encode(now)
	}
	return now.print(out.Out)
}

// readMemory asks for the processes' memory, and looks at the supervisor itself from here.
func (s *status) readMemory(ctx context.Context, running *client) error {
	var answer struct{ Processes []supervisor.MemoryView }
	if err := running.get(ctx, "/v1/memory", &answer); err != nil {
		return err
	}
	s.Memory = answer.Processes
	own, err := hostproc.Memory(s.Stack.PID)
	if err != nil {
		return err
	}
	s.Memory = append(s.Memory, supervisor.MemoryView{Name: "supervisor", PID: s.Stack.PID, PSSBytes: own})
	s.pss = map[string]int64{}
	for _, m := range s.Memory {
		s.pss[m.Name] = m.PSSBytes
	}
	return nil
}

func (s *status) print(out io.Writer) error {
	fmt.Fprintf(out, "running for %s, supervised by process %d\n\n", time.Since(s.Stack.StartedAt).Round(time.Second), s.Stack.PID)
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, strings.Join(s.row("PROCESS", "STATE", "PID", "RESTARTS", "MEMORY"), "\t"))
	var sum int64
	for _, p := range append(s.Processes, supervisor.ProcessView{Name: "supervisor", State: "ready", PID: s.Stack.PID}) {
		sum += s.pss[p.Name]
		fmt.Fprintln(table, strings.Join(s.row(
			p.Name, string(p.State), fmt.Sprint(p.PID), fmt.Sprint(p.Restarts), mebibytes(s.pss[p.Name])), "\t"))
	}
	if s.pss != nil {
		fmt.Fprintln(table, strings.Join(s.row("together", "", "", "", mebibytes(sum)), "\t"))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	at := s.Stack.Endpoints
	dashboards := ""
	if at.Grafana != "" {
		dashboards = "   dashboards " + at.Grafana
	}
	_, err := fmt.Fprintf(out, "\nshop %s   healer %s   Prometheus %s   Alertmanager %s%s\n",
		at.Storefront, at.Autoheal, at.Prometheus, at.Alertmanager, dashboards)
	return err
}

// row leaves the memory out when it was not asked for.
func (s *status) row(cells ...string) []string {
	if s.pss == nil {
		return cells[:len(cells)-1]
	}
	return cells
}

func mebibytes(size int64) string { return fmt.Sprintf("%.0f MiB", float64(size)/(1<<20)) }
