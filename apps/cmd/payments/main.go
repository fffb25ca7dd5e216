// Command payments is a simulated payment provider: idempotent, with realistic latency.
package main

import (
	"context"
	"io"
	"os"

	"github.com/faultline-lab/faultline/apps/payments"
	"github.com/faultline-lab/faultline/observability/command"
)

func main() {
	os.Exit(command.Main(run))
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	program := command.Program{
		Name:        "payments",
		Description: "payments is a simulated payment provider: idempotent, with realistic latency.",
		Listen:      "127.0.0.1:8121",
	}
	var config payments.Config
	if ok, err := program.Parse(&config, args, stdout, stderr); !ok {
		return err
	}
	return payments.Serve(ctx, config, stdout)
}
