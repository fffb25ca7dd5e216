package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/faultline-lab/faultline/deploy/local/supervisor"
	"github.com/faultline-lab/faultline/observability/command"
)

// restartCmd is `stack restart`.
type restartCmd struct {
	Replica string `arg:"" help:"The replica, for example orders-1."`
}

// Run is called by kong.
func (c *restartCmd) Run(ctx context.Context, flags *cli, out command.Output) error {
	paths, err := flags.folders()
	if err != nil {
		return err
	}
	running, err := connect(paths)
	if err != nil {
		return err
	}
	workload, found := c.Replica, false
	if at := strings.LastIndexByte(c.Replica, '-'); at >= 0 {
		workload = c.Replica[:at]
	}
	var view supervisor.WorkloadView
	if err := running.get(ctx, "/v1/workloads/"+workload, &view); err != nil {
		return err
	}
	startID := ""
	for _, replica := range view.Replicas {
		if replica.ID == c.Replica {
			startID, found = replica.StartID, true
		}
	}
	if !found {
		return fmt.Errorf("%s has no replica %s: `stack status` lists them", workload, c.Replica)
	}
	path := fmt.Sprintf("/v1/workloads/%s/replicas/%s/restart", workload, c.Replica)
	if err := running.change(ctx, http.MethodPost, path, map[string]string{"start_id": startID}); err != nil {
		return err
	}
	_, err = fmt.Fprintf(out.Out, "%s is being restarted\n", c.Replica)
	return err
}

// scaleCmd is `stack scale`.
type scaleCmd struct {
	Workload string `arg:"" help:"The workload, for example orders."`
	Replicas int    `arg:"" help:"How many replicas it shall have."`
}

// Run is called by kong.
func (c *scaleCmd) Run(ctx context.Context, flags *cli, out command.Output) error {
	paths, err := flags.folders()
	if err != nil {
		return err
	}
	running, err := connect(paths)
	if err != nil {
		return err
	}
	err = running.change(ctx, http.MethodPut, "/v1/workloads/"+c.Workload+"/scale", map[string]int{"replicas": c.Replicas})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out.Out, "%s is being scaled to %d\n", c.Workload, c.Replicas)
	return err
}
