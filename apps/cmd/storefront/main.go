// Command storefront is the edge: takes checkouts, passes them to a ready replica of orders, and lets people browse.
package main

import (
	"context"
	"io"
	"os"

	"github.com/faultline-lab/faultline/apps/storefront"
	"github.com/faultline-lab/faultline/observability/command"
)

func main() {
	os.Exit(command.Main(run))
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	program := command.Program{
		Name:        "storefront",
		Description: "storefront is the edge: takes checkouts, passes them to a ready replica of orders, and lets people browse.",
		Listen:      "127.0.0.1:8080",
	}
	var config storefront.Config
	if ok, err := program.Parse(&config, args, stdout, stderr); !ok {
		return err
	}
	return storefront.Serve(ctx, config, stdout)
}
