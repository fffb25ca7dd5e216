package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"text/tabwriter"
	"time"

	"github.com/faultline-lab/faultline/deploy/kind"
	"github.com/faultline-lab/faultline/deploy/local/folders"
	"github.com/faultline-lab/faultline/observability/command"
)

// kindCmd is `stack kind`.
type kindCmd struct {
	Up       kindUpCmd       `cmd:"" help:"Bring the stack up on this checkout's kind cluster, which is made or used again. Returns when everything answers."`
	Down     kindDownCmd     `cmd:"" help:"Delete this checkout's kind cluster, and nothing else."`
	Status   kindStatusCmd   `cmd:"" help:"Show the cluster and its pods."`
	Possible kindPossibleCmd `cmd:"" help:"Say whether kind can be used here without building images (exit code 0) or not (1), and why."`
}

// kindFlags name the cluster.
type kindFlags struct {
	Cluster string `placeholder:"NAME" help:"The cluster's name. Default: FAULTLINE_CLUSTER, else the one that this checkout has, else faultline."`
}

func (f kindFlags) config(flags *cli, progress io.Writer) (kind.Config, error) {
	paths, err := flags.folders()
	return kind.Config{Root: paths.Root, Cluster: f.Cluster, Progress: progress}, err
}

// kindUpCmd is `stack kind up`.
type kindUpCmd struct {
	kindFlags
	NodeImage string `placeholder:"REF" help:"Make the node from this image of the engine, instead of one that is found, pulled or built."`
	Airgapped bool   `help:"The image of --node-image brings its own pod network, as those of stack airgap do."`
	NoBuild   bool   `help:"Take our programs as they were built the last time."`

	UntilStdinCloses bool `help:"Also give up, in order, when standard input closes: for a program that starts this and may be killed."`
}

// Help is shown by -h.
func (*kindUpCmd) Help() string {
	return `It needs a Docker engine, and no kind, kubectl or registry: the node image is the one that "stack airgap" built, else the published
one when the engine has it or can pull it, else it is built. Ports of this machine are those of docs/contracts.md, all on loopback;
they are fixed when the cluster is made. The kubeconfig is .faultline/run/kubeconfig; your own is not touched.`
}

// Run is called by kong.
func (c *kindUpCmd) Run(ctx context.Context, flags *cli, out command.Output) error {
	cfg, err := c.config(flags, out.Out)
	if err != nil {
		return err
	}
	cfg.NodeImage, cfg.Airgapped, cfg.NoBuild, cfg.Explicit = c.NodeImage, c.Airgapped, c.NoBuild, true
	if c.UntilStdinCloses {
		ctx = untilClosed(ctx, os.Stdin)
	}
	stack, times, err := kind.Up(ctx, cfg)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out.Out, "up in %.1f s: shop %s   healer %s   Prometheus %s   Alertmanager %s\n"+
		"`stack kind status` shows the pods, `stack kind down` takes the cluster away; kubectl --kubeconfig=%s -n %s\n",
		times.Total().Seconds(), stack.Endpoints.Storefront, stack.Endpoints.Autoheal, stack.Endpoints.Prometheus,
		stack.Endpoints.Alertmanager, stack.Kubernetes.Kubeconfig, stack.Kubernetes.Namespace)
	return err
}

// kindDownCmd is `stack kind down`.
type kindDownCmd struct{ kindFlags }

// Run is called by kong.
func (c *kindDownCmd) Run(ctx context.Context, flags *cli, out command.Output) error {
	cfg, err := c.config(flags, out.Out)
	if err != nil {
		return err
	}
	return kind.Down(ctx, cfg)
}

// takeClusterDown is the part of `stack down` for a checkout that has a cluster, whatever the environment calls it. It says
// whether there was one.
func takeClusterDown(ctx context.Context, paths folders.Folders, out io.Writer) (bool, error) {
	name, err := kind.Own(ctx, paths)
	if err != nil || name == "" {
		return false, err
	}
	return true, kind.Down(ctx, kind.Config{Root: paths.Root, Cluster: name, Progress: out})
}

// kindStatusCmd is `stack kind status`.
type kindStatusCmd struct {
	kindFlags
	JSON bool `help:"As JSON."`
}

// Run is called by kong.
func (c *kindStatusCmd) Run(ctx context.Context, flags *cli, out command.Output) error {
	cfg, err := c.config(flags, out.Err)
	if err != nil {
		return err
	}
	report, err := kind.Status(ctx, cfg)
	if err != nil {
		return err
	}
	if c.JSON {
		encoder := json.NewEncoder(out.Out)
		encoder.SetIndent("", "  ")
		return encoder.Encode(report)
	}
	return printReport(out.Out, report)
}

func printReport(out io.Writer, report kind.Report) error {
	fmt.Fprintf(out, "cluster %s, made %s ago from %s; namespace %s\n\n", report.Cluster, age(report.MadeAt), report.NodeImage, report.Namespace)
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "POD\tREADY\tSTATE\tRESTARTS\tAGE")
	for _, pod := range report.Pods {
		ready := "no"
		if pod.Ready {
			ready = "yes"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%d\t%s\n", pod.Name, ready, pod.State, pod.Restarts, age(pod.Since))
	}
	return table.Flush()
}

func age(since time.Time) time.Duration { return time.Since(since).Round(time.Second) }

// kindPossibleCmd is `stack kind possible`.
type kindPossibleCmd struct{}

// Run is called by kong.
func (*kindPossibleCmd) Run(ctx context.Context, out command.Output) error {
	yes, reason := kind.Possible(ctx)
	if !yes {
		return errors.New(reason)
	}
	_, err := fmt.Fprintln(out.Out, reason)
	return err
}
