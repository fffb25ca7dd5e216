// Command inventory keeps products and stock: reserve, then commit or release; what is neither in time expires.
package main

import (
	"context"
	"io"
	"os"

	"github.com/faultline-lab/faultline/apps/inventory"
	"github.com/faultline-lab/faultline/observability/command"
)

func main() {
	os.Exit(command.Main(run))
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	program := command.Program{
		Name:        "inventory",
		Description: "inventory keeps products and stock: reserve, then commit or release; what is neither in time expires.",
		Listen:      "127.0.0.1:8111",
	}
	var config inventory.Config
	if ok, err := program.Parse(&config, args, stdout, stderr); !ok {
		return err
	}
	return inventory.Serve(ctx, config, stdout)
}
