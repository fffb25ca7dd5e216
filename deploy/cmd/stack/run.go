package main

import (
	"context"
	"io"
	"path/filepath"

	"github.com/faultline-lab/faultline/deploy/local/folders"
	"github.com/faultline-lab/faultline/observability/command"
)

// cli is the command line.
type cli struct {
	Root string `placeholder:"DIR" help:"The checkout, in which .faultline lies. Default: the nearest folder upwards that has a go.work."`

	Up        upCmd        `cmd:"" help:"Start the stack in the background and return when everything is ready."`
	Run       runCmd       `cmd:"" help:"Start the stack and stay until Ctrl-C, which stops it in order. A second Ctrl-C kills it."`
	Down      downCmd      `cmd:"" help:"Stop the stack of this checkout, and make sure that nothing of it is left."`
	Status    statusCmd    `cmd:"" help:"Show what runs here and how it is."`
	Logs      logsCmd      `cmd:"" help:"Show the log of one process."`
	Restart   restartCmd   `cmd:"" help:"End one replica in order and start it anew."`
	Scale     scaleCmd     `cmd:"" help:"Set how many replicas a workload has."`
	Tools     toolsCmd     `cmd:"" help:"Find Prometheus, Alertmanager, Loki, Jaeger and Toxiproxy, or build them, and list them (and Grafana, where there is one)."`
	Postgres  postgresCmd  `cmd:"" help:"Run a command beside a throwaway Postgres: its URL is in FAULTLINE_TEST_POSTGRES_URL."`
	Apiserver apiserverCmd `cmd:"" help:"Run a command beside a throwaway Kubernetes API server: its kubeconfig is in FAULTLINE_TEST_KUBECONFIG."`
	Render    renderCmd    `cmd:"" help:"Write the manifests of an overlay, for kubectl apply --server-side -f -."`
	Images    imagesCmd    `cmd:"" help:"Build the images of our programs, write them into an archive for docker load, and print their names."`
	Kind      kindCmd      `cmd:"" help:"The stack on a kind cluster: up, down, status, possible."`
	Airgap    airgapCmd    `cmd:"" help:"Without an image registry: build the images that a kind cluster needs, and set up a Docker engine."`
	Guard     guardCmd     `cmd:"" hidden:"" help:"End what a supervisor left. The supervisor starts this."`
}

const description = `Faultline's stack: Postgres, Prometheus, Alertmanager, Loki, Jaeger, the services and the healer, as processes of this
machine with Toxiproxy between (up, run, down, status, logs, restart, scale), or on a kind cluster (kind; down and status also).

Ports are those of docs/contracts.md. FAULTLINE_PORT_OFFSET=N moves all, FAULTLINE_PORT_<NAME> one.
State, logs and addresses lie in .faultline: .faultline/run/stack.json says where everything answers.`

// run is the program without its exit.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	program := command.Program{Name: "stack", Description: description}
	return program.Dispatch(ctx, &cli{}, args, stdout, stderr)
}

// folders finds the checkout.
func (c *cli) folders() (folders.Folders, error) {
	root := c.Root
	if root == "" {
		var err error
		if root, err = folders.FindRoot("."); err != nil {
			return folders.Folders{}, err
		}
	}
	root, err := filepath.Abs(root)
	if err != nil {
		return folders.Folders{}, err
	}
	return folders.In(root)
}
